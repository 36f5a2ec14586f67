/* sheet_xlsx.h -- Excel workbooks (ISO/IEC 29500-1, transitional and strict) as sheet.h: every sheet, shown or hidden.
 *
 * The container is read by libzip, the XML by expat; both only ever hold a bounded piece. Refused, each with what to do:
 * macros (vbaProject), encryption, the old binary format, a document type declaration in any part (entity bombs), more than
 * SHEET_XLSX_MAX_PART bytes in a part as declared or as they come out, more than SHEET_XLSX_MAX_ALL in all, truncated or
 * damaged files. Formulas give the value that the program which saved them last saw. Nothing outside the file is read.
 */
#ifndef DOCUMENTS_SHEET_XLSX_H
#define DOCUMENTS_SHEET_XLSX_H

#include "documents/sheet.h"

enum {
	SHEET_XLSX_MAX_PART = 64 << 20, /* bytes of one part, unzipped */
	SHEET_XLSX_MAX_ALL = 128 << 20,
	SHEET_XLSX_MAX_FILES = 4096,    /* entries in the container */
	SHEET_XLSX_MAX_TOKEN = 1 << 20, /* bytes between two ends of XML tags */
	SHEET_XLSX_MAX_DEPTH = 64,
};

/* True when the bytes begin like a zip container (or like what Excel makes of a workbook with a password). */
bool sheet_xlsx_is(struct span bytes);
/* 0 with *ret, ERR_CONFIG with faults, -ENOMEM. */
int sheet_xlsx_read(struct span bytes, const char *file, struct sheet_book **ret, struct conf_report *rep);

#endif
