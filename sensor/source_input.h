/* source_input.h -- bytes of one capture file, plain or gzip, as a window that slides over them.
 *
 * read() into one buffer that is used again and again: no mmap, no lseek, so pipes do; no allocation after
 * source_input_open(), gzip included.
 */
#ifndef SENSOR_SOURCE_INPUT_H
#define SENSOR_SOURCE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cursor.h"

struct source_gzip;

struct source_input {
	uint8_t *buf;
	size_t at, len;                 /* buf[at..len) is the window */
	size_t block, need_max;         /* bytes asked of read() at once; the largest source_input_need() */
	int fd;
	bool started, end;              /* end: nothing more will come */
	int err;                        /* why it ended: 0, -errno, ERR_TRUNCATED or ERR_CORRUPT (gzip) */
	const char *why;                /* words for err, or NULL */
	uint64_t base;                  /* bytes before buf[0], so base + at is the place in the (unpacked) file */
	uint64_t bytes_read;            /* of the file as it is on disk */
	struct source_gzip *gzip;
};

/* 0 or -ENOMEM. `block` is at least 2. The descriptor stays the caller's. */
int source_input_open(struct source_input *in, int fd, size_t block, size_t need_max);
void source_input_done(struct source_input *in);
/* From the beginning of another file, with the same memory. */
void source_input_again(struct source_input *in, int fd);
/* Reads until the window has `n` (<= need_max) bytes. False: it ended before; what there is stays. Spans into
 * the window end here. */
bool source_input_more(struct source_input *in, size_t n);

static inline bool source_input_need(struct source_input *in, size_t n)
{
	return in->len - in->at >= n || source_input_more(in, n);
}

/* The next `n` bytes; only after source_input_need(n). */
static inline struct span source_input_take(struct source_input *in, size_t n)
{
	struct span s = { in->buf + in->at, n };
	in->at += n;
	return s;
}

/* Passes over `n` bytes, whatever their number. False: it ended before. */
bool source_input_skip(struct source_input *in, uint64_t n);

#endif
