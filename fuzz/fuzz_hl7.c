#include "fuzz/dissector.h"

FUZZ_DISSECTOR(hl7)
