#include "fuzz/dissector.h"

FUZZ_DISSECTOR(netbios_ns)
