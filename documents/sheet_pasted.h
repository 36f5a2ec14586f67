/* sheet_pasted.h -- a table that was selected in a PDF viewer and pasted into a text file, as cells.
 *
 * Columns are found by the line of headings (documents/port_heading.h): cells parted by tabs or by two blanks and more, then by where
 * they stand below the headings; or, where everything is parted by one blank, by their number. That is a reading which a person
 * has to confirm row by row; lines that do not fit are kept whole in the first column.
 */
#ifndef DOCUMENTS_SHEET_PASTED_H
#define DOCUMENTS_SHEET_PASTED_H

#include "documents/sheet.h"

enum { SHEET_PASTED_MAX = 1 << 20 };    /* bytes: the longest list of ports that a person pastes has some kB */

/* `text` is UTF-8. 0 with *ret, -ENOENT when it is longer than that or no line of headings is in it, ERR_CONFIG with faults, -ENOMEM. */
int sheet_pasted_read(struct span text, const char *file, struct sheet_book **ret, struct conf_report *rep);

#endif
