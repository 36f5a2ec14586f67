#include "fuzz/dissector.h"

FUZZ_DISSECTOR(ntp)
