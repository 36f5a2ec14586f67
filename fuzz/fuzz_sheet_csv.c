/* A CSV of any encoding and separator. */
#include "fuzz/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return sheet_fuzz(sheet_read_csv, "x.csv", data, size); }
