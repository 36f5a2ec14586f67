/* follow.h -- a directory into which somebody puts captures: which one is to be read next.
 *
 * The rule: a file is read once it is complete, that is, when its writer closes it (tcpdump -G or -C does when it begins the next
 * one) or it is moved in under its name. Files that are there at the beginning come first, the one changed last comes last, those
 * of one time by name; one that somebody has open for writing then waits until it is closed. What begins with a dot (a transfer
 * that is under way), directories, links, pipes and empty files are passed over. A name that is written anew with another
 * beginning, as tcpdump -W does, is a new capture; one that merely grew after it was read is told, not read. The kernel tells of
 * what happens on this machine (inotify(7)): files that another machine writes through NFS must be moved in here.
 */
#ifndef SENSOR_FOLLOW_H
#define SENSOR_FOLLOW_H

#include <limits.h>
#include <stddef.h>

enum { FOLLOW_NAME = NAME_MAX + 1, FOLLOW_KNOWN_MAX = 1 << 16 /* names remembered; the oldest are forgotten */ };

struct follow;

/* 0 with *ret, or -errno with a line in `why`. */
int follow_open(const char *dir, struct follow **ret, char why[static 256]);
void follow_free(struct follow *f);     /* NULL is fine */
/* The next complete file: 1 with *ret_fd, which becomes the caller's. 0 when there is none now. Says in the log what vanished,
 * grew, or cannot be read, and waits for a directory that is gone. Never blocks. */
int follow_next(struct follow *f, int *ret_fd, char ret_name[static FOLLOW_NAME]);

#endif
