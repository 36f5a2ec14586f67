/* token_key.h -- the site's key for tokens (core/token.h), in a file that only its owner may read.
 *
 * Sensors that share it, and one sensor after a restart, make the same token of the same order number. 32 hexadecimal digits
 * and a newline. A file that does not exist is made, with bytes from the kernel: no key is ever shipped.
 */
#ifndef SENSOR_TOKEN_KEY_H
#define SENSOR_TOKEN_KEY_H

#include "core/siphash.h"

/* 0; -ENOENT and the like; -EACCES when others may read it; ERR_CORRUPT when it is no key. A line in `why` then. */
int token_key_get(const char *path, struct siphash_key *ret, char why[static 256]);

#endif
