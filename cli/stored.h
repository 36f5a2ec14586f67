/* stored.h -- opening a store for a command that reads it or records a decision: one meaning of "there is none",
 * "that is no store" and "you may not" for every command. */
#ifndef CLI_STORED_H
#define CLI_STORED_H

#include "collector/store.h"

/* ERR_EXIT_OK with *ret, or the exit code with the reason said on stderr; a store is never made here. `option` is what names
 * another one ("--store"). */
int stored_open(const char *path, const char *option, struct store **ret);

#endif
