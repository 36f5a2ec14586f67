/* ledger.h -- what the engine counted (sensor/account.h), as rows. */
#ifndef CLI_LEDGER_H
#define CLI_LEDGER_H

#include "cli/writer.h"
#include "sensor/account.h"

/* Counters, then ledgers, sources and VLANs, losses by device. `files`: names of the sources, may be NULL. */
void ledger_write(const struct account *a, struct writer *w, const char *const *files, size_t n_files);
void ledger_write_workers(const struct account *a, struct writer *w);

#endif
