/* owner.h -- who writes to a store: one collector at a time, and everybody can be told which.
 *
 * A lock file beside the database (PATH.lock) carries an flock(2) for as long as its owner lives, and the
 * owner's process id for the message. It stays behind, empty of meaning, when the owner has gone: removing it
 * would let two processes lock two files of one name. Readers and people's decisions (spanward alerts) need no lock.
 */
#ifndef COLLECTOR_OWNER_H
#define COLLECTOR_OWNER_H

/* Takes the store at `path` (":memory:" belongs to its process anyway). 0 and a descriptor (-1 for ":memory:"), -EBUSY when
 * another has it, or -errno; `why` has a line for the operator. */
int owner_take(const char *path, int *ret_fd, char why[static 256]);
void owner_drop(int fd);        /* -1 is fine */

#endif
