/* import.h -- files of whatever kind into one device type: the kind is told from the content, never from the name. */
#ifndef DOCUMENTS_IMPORT_H
#define DOCUMENTS_IMPORT_H

#include "documents/draft.h"
#include "documents/port_table.h"

/* `choice` counts for text that was pasted only: which of its rows a person has accepted.
 * Reads one file into the draft. 0; ERR_CONFIG with faults that name file, sheet and cell; -errno; -ENOMEM. */
int import_file(struct draft *d, const char *path, const struct port_table_choice *choice, struct conf_report *rep);

#endif
