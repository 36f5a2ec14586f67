/* control.h -- the few messages between the parent and the engine: a socket pair, one packet per message.
 *
 * Both ends are ours, so a message that does not parse is -EBADMSG and the receiver gives up; the parent
 * still never believes a descriptor from the engine: one that comes along is closed.
 */
#ifndef SENSOR_CONTROL_H
#define SENSOR_CONTROL_H

#include <stdint.h>

enum control_kind {
	CONTROL_POLICY = 1,     /* parent: `fd` is a sealed memfd with a policy table, `number` its generation */
	CONTROL_GO,             /* parent: nothing more before you begin */
	CONTROL_STOP,           /* parent: finish at the next batch boundary */
	CONTROL_KEPT,           /* parent: a new policy was not taken, `text` says why; tell it as an event */
	CONTROL_INPUT,          /* parent: `fd` is a capture to read next, `number` from 1; when the one before was told by FILE */
	CONTROL_READY,          /* engine: sandboxed and about to read; `number`: SANDBOX_ bits, `text` in words */
	CONTROL_ADOPTED,        /* engine: `number` is the generation in force */
	CONTROL_REFUSED,        /* engine: the table of generation `number` does not verify; the old one stays */
	CONTROL_FILE,           /* engine: file `number` ended with `err` ; `count` packets; `text` says why */
	CONTROL_FAILED,         /* engine: cannot go on, `err`, `text` says at what */
	CONTROL_DONE,           /* engine: all read, everything is in the ring */
	CONTROL_KINDS
};

enum { CONTROL_TEXT = 160 };

struct control {
	enum control_kind kind;
	int err;
	uint64_t number, count;
	int fd;                         /* -1: none */
	char text[CONTROL_TEXT];        /* NUL terminated */
};

/* ret[0] the parent's end, ret[1] the engine's; close-on-exec. 0 or -errno. */
int control_pair(int ret[static 2]);
/* 0, -EPIPE when the other end is gone, or -errno. Keeps m->fd open. Async-signal-safe; never waits: a full
 * socket is -EAGAIN. */
int control_send(int fd, const struct control *m);
/* 1 with a message (a descriptor in it is the caller's to close); 0 when none came within wait_ms or a signal
 * did; -EPIPE when the other end is gone; -EBADMSG. Never allocates. */
int control_recv(int fd, unsigned wait_ms, struct control *ret);

#endif
