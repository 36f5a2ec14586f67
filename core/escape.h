/* escape.h -- names and other foreign text in what people read: nothing in it moves a cursor, colours a
 * terminal, forges a line or runs as a command.
 *
 * A file name is any bytes but '/' and NUL, and whoever can leave a file somewhere chooses them. Everything
 * that prints one passes through here: log.h and log_say() for whole lines, escape_name() where a message is
 * put together in a small buffer, escape_shell() where the reader is to paste it.
 */
#ifndef CORE_ESCAPE_H
#define CORE_ESCAPE_H

#include <stddef.h>

#include "core/buf.h"
#include "core/cursor.h"

enum {
	ESCAPE_NAME = 136,      /* leaves half of a 256 byte message to what is said about the name */
	ESCAPE_SHELL = 4 * 4096 + 16,   /* PATH_MAX, each byte as \xNN */
};

/* Appends `s`; control characters, characters that reorder text (utf8_is_control) and what is no UTF-8
 * become \xNN, byte by byte. As much as fits, never half of an escape. */
void escape_put(struct buf *out, struct span s);
/* A name for a message. One too long loses its beginning, which becomes "...": the end tells files apart. */
const char *escape_name(const char *name, char ret[static ESCAPE_NAME]);
/* One word of a POSIX shell: as it is when nothing in it is special, else quoted; with control bytes in $'...'
 * (POSIX.1-2024, 2.2.4; bash, zsh, ksh). A leading '-' gets "./" before it. */
const char *escape_shell(const char *word, char ret[static ESCAPE_SHELL]);

#endif
