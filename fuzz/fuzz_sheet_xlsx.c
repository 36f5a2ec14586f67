/* A workbook. */
#include "documents/sheet_xlsx.h"
#include "fuzz/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return sheet_fuzz(sheet_xlsx_read, "x.xlsx", data, size); }
