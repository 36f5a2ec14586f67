#include "fuzz/dissector.h"

FUZZ_DISSECTOR(rpc)
