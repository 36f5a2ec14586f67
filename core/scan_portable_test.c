/* The same tests of the way for machines without SSE2. */
#define SCAN_PORTABLE 1
#include "core/scan_test.c"
