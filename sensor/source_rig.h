/* source_rig.h -- for tests only: capture files made byte by byte, and readers of them. */
#ifndef SENSOR_SOURCE_RIG_H
#define SENSOR_SOURCE_RIG_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/err.h"
#include "core/test.h"
#include "sensor/source.h"

/* A capture file under construction. */
struct file { uint8_t *b; size_t n, cap; bool big; };

static inline void put(struct file *f, const void *bytes, size_t n)
{
	if (n > f->cap - f->n) {
		f->cap = (f->n + n) * 2;
		f->b = realloc(f->b, f->cap);
		if (!f->b)
			abort();
	}
	if (n)
		memcpy(f->b + f->n, bytes, n);
	f->n += n;
}

static inline void put16(struct file *f, unsigned v)
{
	uint8_t b[2] = { (uint8_t)(f->big ? v >> 8 : v), (uint8_t)(f->big ? v : v >> 8) };
	put(f, b, 2);
}

static inline void put32(struct file *f, uint32_t v)
{
	put16(f, f->big ? v >> 16 : v & 0xffff);
	put16(f, f->big ? v & 0xffff : v >> 16);
}

static inline void put64(struct file *f, uint64_t v)
{
	put32(f, (uint32_t)(f->big ? v >> 32 : v));
	put32(f, (uint32_t)(f->big ? v : v >> 32));
}

static inline void put_fill(struct file *f, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t b = (uint8_t)(seed + i * 7);
		put(f, &b, 1);
	}
}

static inline bool is_fill(struct span s, unsigned seed)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != (uint8_t)(seed + i * 7))
			return false;
	return true;
}

static inline void drop(struct file *f)
{
	free(f->b);
	*f = (struct file){ 0 };
}

static inline void put_pcap(struct file *f, uint32_t magic, unsigned minor, uint32_t snaplen, uint32_t link)
{
	put32(f, magic);
	put16(f, 2);
	put16(f, minor);
	put32(f, 0);
	put32(f, 0);
	put32(f, snaplen);
	put32(f, link);
}

static inline void put_record(struct file *f, uint32_t sec, uint32_t fraction, uint32_t captured, uint32_t wire)
{
	put32(f, sec);
	put32(f, fraction);
	put32(f, captured);
	put32(f, wire);
	put_fill(f, captured, sec);
}

/* A block around `body` bytes already built in `b`. */
static inline void put_block(struct file *f, uint32_t type, const struct file *b)
{
	uint32_t total = 12 + (uint32_t)((b->n + 3) / 4 * 4);
	put32(f, type);
	put32(f, total);
	put(f, b->b, b->n);
	put(f, "\0\0\0", (4 - b->n % 4) % 4);
	put32(f, total);
}

static inline void put_section(struct file *f, bool big)
{
	f->big = big;
	struct file b = { .big = big };
	put32(&b, 0x1a2b3c4d);
	put16(&b, 1);
	put16(&b, 0);
	put64(&b, UINT64_MAX);
	put_block(f, 0x0a0d0d0a, &b);
	drop(&b);
}

/* resolution or offset < 0: without that option. */
static inline void put_interface(struct file *f, unsigned link, uint32_t snaplen, int resolution, const int64_t *offset)
{
	struct file b = { .big = f->big };
	put16(&b, link);
	put16(&b, 0);
	put32(&b, snaplen);
	put16(&b, 2);           /* if_name, padded */
	put16(&b, 3);
	put(&b, "eth", 4);
	if (resolution >= 0) {
		put16(&b, 9);
		put16(&b, 1);
		uint8_t v[4] = { (uint8_t)resolution };
		put(&b, v, 4);
	}
	if (offset) {
		put16(&b, 14);
		put16(&b, 8);
		put64(&b, (uint64_t)*offset);
	}
	put32(&b, 0);
	put_block(f, 1, &b);
	drop(&b);
}

static inline void put_enhanced(struct file *f, uint32_t interface, uint64_t ticks, uint32_t captured, uint32_t wire, unsigned seed)
{
	struct file b = { .big = f->big };
	put32(&b, interface);
	put32(&b, (uint32_t)(ticks >> 32));
	put32(&b, (uint32_t)ticks);
	put32(&b, captured);
	put32(&b, wire);
	put_fill(&b, captured, seed);
	put_block(f, 6, &b);
	drop(&b);
}

static inline void put_simple(struct file *f, uint32_t captured, uint32_t wire, unsigned seed)
{
	struct file b = { .big = f->big };
	put32(&b, wire);
	put_fill(&b, captured, seed);
	put_block(f, 3, &b);
	drop(&b);
}

/* A section, one interface, one packet; then what the test adds. */
static inline struct file begun(void)
{
	struct file f = { 0 };
	put_section(&f, false);
	put_interface(&f, 1, 0, -1, NULL);
	put_enhanced(&f, 0, 1, 8, 8, 0);
	return f;
}

static inline int fd_of(const uint8_t *bytes, size_t n)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

static inline struct source *open_one(int fd)
{
	struct source *s = source_open_files(&fd, 1);
	if (!s)
		abort();
	return s;
}

static inline struct source *open_bytes(const struct file *f, size_t n) { return open_one(fd_of(f->b, n)); }

/* Reads to the end; the first packets go to `ret`. */
static inline size_t drain(struct source *s, struct source_packet *ret, size_t max)
{
	static uint8_t before[4096];            /* the beginning of the packet before */
	struct source_packet p;
	size_t n = 0, n_before = 0;
	enum source_status status;
	for (const uint8_t *at = NULL;; at = p.bytes.p, n_before = p.bytes.n < sizeof(before) ? p.bytes.n : sizeof(before)) {
		bool stays = source_stays(s);
		if (at && n_before)
			memcpy(before, at, n_before);
		if ((status = source_next(s, 0, &p)) != SOURCE_PACKET)
			break;
		if (stays && n_before)
			CU_ASSERT(!memcmp(before, at, n_before));
		if (n < max)
			ret[n] = p;
		n++;
	}
	CU_ASSERT_EQUAL(status, SOURCE_END);
	CU_ASSERT_FALSE(source_stays(s));
	CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_END);
	return n;
}

/* Packets in the first n bytes of f; *ret_err is how it ended. */
static inline size_t count(const struct file *f, size_t n, int *ret_err)
{
	struct source *s = open_bytes(f, n);
	size_t packets = drain(s, NULL, 0);
	const struct source_file_result *r = source_result(s, 0);
	CU_ASSERT_EQUAL(r->packets, packets);
	CU_ASSERT_EQUAL(r->why[0] != 0, r->err != 0);
	*ret_err = r->err;
	source_close(s);
	return packets;
}

static inline int error_of(const struct file *f)
{
	int err;
	(void)count(f, f->n, &err);
	return err;
}

#endif
