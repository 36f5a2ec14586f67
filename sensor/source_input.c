#include "sensor/source_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "core/err.h"

enum {
	/* inflate keeps about 10 KB of state and a window of 32 KB; other makes of zlib take up to twice that. */
	GZIP_ARENA = 128 << 10,
	GZIP_RAW = 64 << 10,            /* packed bytes read at once; unpacking them takes longer than the call */
	GZIP_WINDOW = 15 + 16,          /* zlib.h, inflateInit2: the largest window, gzip headers only */
};

struct source_gzip {
	z_stream z;
	bool active, raw_end, between;  /* between: a member has ended */
	bool later;                     /* not in the first member */
	size_t arena_used;
	uint8_t raw[GZIP_RAW];
	_Alignas(16) uint8_t arena[GZIP_ARENA];
};

static voidpf gzip_alloc(voidpf opaque, uInt items, uInt size)
{
	struct source_gzip *g = opaque;
	size_t n = ((size_t)items * size + 15) & ~(size_t)15;
	if (n > sizeof(g->arena) - g->arena_used)
		return Z_NULL;
	void *p = g->arena + g->arena_used;
	g->arena_used += n;
	return p;
}

static void gzip_free(voidpf opaque, voidpf address)
{
	(void)opaque;
	(void)address;
}

int source_input_open(struct source_input *in, int fd, size_t block, size_t need_max)
{
	*in = (struct source_input){ .fd = fd, .block = block, .need_max = need_max };
	in->buf = malloc(block + need_max);
	in->gzip = malloc(sizeof(*in->gzip));
	if (!in->buf || !in->gzip)
		goto fail;
	in->gzip->active = in->gzip->raw_end = in->gzip->between = in->gzip->later = false;
	in->gzip->arena_used = 0;
	in->gzip->z = (z_stream){ .zalloc = gzip_alloc, .zfree = gzip_free, .opaque = in->gzip };
	if (inflateInit2(&in->gzip->z, GZIP_WINDOW) != Z_OK)
		goto fail;
	return 0;
fail:
	source_input_done(in);
	return -ENOMEM;
}

void source_input_done(struct source_input *in)
{
	free(in->gzip);
	free(in->buf);
	*in = (struct source_input){ .fd = -1, .end = true };
}

void source_input_again(struct source_input *in, int fd)
{
	struct source_gzip *g = in->gzip;
	*in = (struct source_input){ .fd = fd, .block = in->block, .need_max = in->need_max, .buf = in->buf, .gzip = g };
	g->active = g->raw_end = g->between = g->later = false;
	(void)inflateReset(&g->z);
}

static void finish(struct source_input *in, int err, const char *why)
{
	in->end = true;
	in->err = err;
	in->why = why;
}

/* Bytes read, 0 at the end; finishes the input on an error. */
static size_t read_some(struct source_input *in, uint8_t *to, size_t n)
{
	ssize_t got;
	do {
		got = read(in->fd, to, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		finish(in, -errno, NULL);
		return 0;
	}
	in->bytes_read += (uint64_t)got;
	return (size_t)got;
}

/* RFC 1952, 2.2: a file is a series of members. True when another one begins. */
static bool next_member(struct source_input *in)
{
	struct source_gzip *g = in->gzip;
	while (g->z.avail_in && *g->z.next_in == 0) {   /* padding to a tape's block, as gzip(1) takes it */
		g->z.next_in++;
		g->z.avail_in--;
	}
	if (!g->z.avail_in) {
		if (g->raw_end)
			finish(in, 0, NULL);
		return false;
	}
	if (*g->z.next_in != 0x1f) {
		finish(in, ERR_CORRUPT, "bytes after the end of the gzip data");
		return false;
	}
	(void)inflateReset(&g->z);
	g->between = false;
	g->later = true;
	return true;
}

static void fill_gzip(struct source_input *in)
{
	struct source_gzip *g = in->gzip;
	while (!in->end) {
		if (!g->z.avail_in && !g->raw_end) {
			size_t n = read_some(in, g->raw, in->block < GZIP_RAW ? in->block : GZIP_RAW);
			if (in->end)
				return;
			g->raw_end = n == 0;
			g->z.next_in = g->raw;
			g->z.avail_in = (uInt)n;
		}
		if (g->between && !next_member(in))
			continue;
		uInt room = (uInt)in->block, before = g->z.avail_in;
		g->z.next_out = in->buf + in->len;
		g->z.avail_out = room;
		int got = inflate(&g->z, Z_NO_FLUSH);
		size_t made = room - g->z.avail_out;
		in->len += made;
		if (got == Z_STREAM_END)
			g->between = true;
		else if (got == Z_MEM_ERROR)
			finish(in, -ENOMEM, NULL);
		else if (got != Z_OK && got != Z_BUF_ERROR)
			finish(in, ERR_CORRUPT, g->later && g->z.total_out == 0 && !made ?
				"bytes after the end of the gzip data" : "broken gzip data");
		else if (!made && g->z.avail_in == before && g->raw_end)
			finish(in, ERR_TRUNCATED, "the gzip data is cut short");
		if (made)
			return;
	}
}

static void fill(struct source_input *in)
{
	if (in->gzip->active) {
		fill_gzip(in);
		return;
	}
	size_t n = read_some(in, in->buf + in->len, in->block);
	in->len += n;
	if (!n && !in->end)
		finish(in, 0, NULL);
}

/* The first bytes tell whether it is gzip; they then become its input. */
static void start(struct source_input *in)
{
	struct source_gzip *g = in->gzip;
	size_t first = in->block < GZIP_RAW ? in->block : GZIP_RAW;
	in->started = true;
	while (in->len < 2 && !in->end) {
		size_t n = read_some(in, in->buf + in->len, first - in->len);
		in->len += n;
		if (!n && !in->end)
			finish(in, 0, NULL);
	}
	if (in->len < 2 || in->buf[0] != 0x1f || in->buf[1] != 0x8b)
		return;
	memcpy(g->raw, in->buf, in->len);
	g->z.next_in = g->raw;
	g->z.avail_in = (uInt)in->len;
	g->active = true;
	in->len = 0;
}

bool source_input_more(struct source_input *in, size_t n)
{
	if (!in->started)
		start(in);
	if (in->len - in->at >= n)
		return true;
	if (in->at) {
		in->base += in->at;
		in->len -= in->at;
		memmove(in->buf, in->buf + in->at, in->len);
		in->at = 0;
	}
	while (in->len < n && !in->end)
		fill(in);
	return in->len >= n;
}

bool source_input_skip(struct source_input *in, uint64_t n)
{
	for (;;) {
		size_t have = in->len - in->at;
		if (n <= have) {
			in->at += (size_t)n;
			return true;
		}
		in->at = in->len;
		n -= have;
		if (!source_input_need(in, 1))
			return false;
	}
}
