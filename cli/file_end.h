/* file_end.h -- how a capture ended, as the engine says it (RING_FILE_RESULT), told to the person who named it. */
#ifndef CLI_FILE_END_H
#define CLI_FILE_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cursor.h"

struct file_end {
	uint32_t file;                  /* from 1 */
	int err;                        /* 0: to its end */
	uint64_t packets;
	struct span why;                /* in the record */
};

/* False when the record is none, or of no file of these. */
bool file_end_read(struct span record, size_t n_files, struct file_end *ret);
/* What is wrong, what was read before that, and what to do. `typed` as it was named: "-" is standard input. */
void file_end_say(const struct file_end *e, const char *typed);

#endif
