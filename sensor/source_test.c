#include "sensor/source.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "core/err.h"

/* A capture file under construction. */
struct file { uint8_t *b; size_t n, cap; bool big; };

static void put(struct file *f, const void *bytes, size_t n)
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

static void put16(struct file *f, unsigned v)
{
	uint8_t b[2] = { (uint8_t)(f->big ? v >> 8 : v), (uint8_t)(f->big ? v : v >> 8) };
	put(f, b, 2);
}

static void put32(struct file *f, uint32_t v)
{
	put16(f, f->big ? v >> 16 : v & 0xffff);
	put16(f, f->big ? v & 0xffff : v >> 16);
}

static void put64(struct file *f, uint64_t v)
{
	put32(f, (uint32_t)(f->big ? v >> 32 : v));
	put32(f, (uint32_t)(f->big ? v : v >> 32));
}

static void put_fill(struct file *f, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t b = (uint8_t)(seed + i * 7);
		put(f, &b, 1);
	}
}

static bool is_fill(struct span s, unsigned seed)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != (uint8_t)(seed + i * 7))
			return false;
	return true;
}

static void drop(struct file *f)
{
	free(f->b);
	*f = (struct file){ 0 };
}

static void put_pcap(struct file *f, uint32_t magic, unsigned minor, uint32_t snaplen, uint32_t link)
{
	put32(f, magic);
	put16(f, 2);
	put16(f, minor);
	put32(f, 0);
	put32(f, 0);
	put32(f, snaplen);
	put32(f, link);
}

static void put_record(struct file *f, uint32_t sec, uint32_t fraction, uint32_t captured, uint32_t wire)
{
	put32(f, sec);
	put32(f, fraction);
	put32(f, captured);
	put32(f, wire);
	put_fill(f, captured, sec);
}

/* A block around `body` bytes already built in `b`. */
static void put_block(struct file *f, uint32_t type, const struct file *b)
{
	uint32_t total = 12 + (uint32_t)((b->n + 3) / 4 * 4);
	put32(f, type);
	put32(f, total);
	put(f, b->b, b->n);
	put(f, "\0\0\0", (4 - b->n % 4) % 4);
	put32(f, total);
}

static void put_section(struct file *f, bool big)
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
static void put_interface(struct file *f, unsigned link, uint32_t snaplen, int resolution, const int64_t *offset)
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

static void put_enhanced(struct file *f, uint32_t interface, uint64_t ticks, uint32_t captured, uint32_t wire, unsigned seed)
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

static void put_simple(struct file *f, uint32_t captured, uint32_t wire, unsigned seed)
{
	struct file b = { .big = f->big };
	put32(&b, wire);
	put_fill(&b, captured, seed);
	put_block(f, 3, &b);
	drop(&b);
}

static int fd_of(const uint8_t *bytes, size_t n)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

static struct source *open_one(int fd)
{
	struct source *s = source_open_files(&fd, 1);
	if (!s)
		abort();
	return s;
}

static struct source *open_bytes(const struct file *f, size_t n) { return open_one(fd_of(f->b, n)); }

/* Reads to the end; the first packets go to `ret`. */
static size_t drain(struct source *s, struct source_packet *ret, size_t max)
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
static size_t count(const struct file *f, size_t n, int *ret_err)
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

static int error_of(const struct file *f)
{
	int err;
	(void)count(f, f->n, &err);
	return err;
}

static void reads_every_pcap_magic(void)
{
	static const struct { uint32_t magic; bool big; uint64_t ts_ns; } cases[] = {
		{ 0xa1b2c3d4, false, 1700000000000123000 }, { 0xa1b2c3d4, true, 1700000000000123000 },
		{ 0xa1b23c4d, false, 1700000000000000123 }, { 0xa1b23c4d, true, 1700000000000000123 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct file f = { .big = cases[i].big };
		put_pcap(&f, cases[i].magic, 4, 65535, 1);
		put_record(&f, 1700000000, 123, 61, 1514);
		put_record(&f, 1700000001, 0, 0, 0);
		struct source *s = open_bytes(&f, f.n);
		struct source_packet p = { 0 };
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT_EQUAL(p.bytes.n, 61);
		CU_ASSERT(is_fill(p.bytes, 1700000000u));
		CU_ASSERT_EQUAL(p.wire_len, 1514);
		CU_ASSERT_EQUAL(p.linktype, 1);
		CU_ASSERT_EQUAL(p.ts_ns, cases[i].ts_ns);
		CU_ASSERT_EQUAL(p.number, 1);
		CU_ASSERT_EQUAL(p.file, 1);
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT_EQUAL(p.bytes.n, 0);
		CU_ASSERT_EQUAL(p.number, 2);
		CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
		CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
		CU_ASSERT_EQUAL(source_result(s, 0)->packets, 2);
		CU_ASSERT_EQUAL(source_result(s, 0)->bytes_read, f.n);
		source_close(s);
		drop(&f);
	}
}

static void reads_modified_pcap(void)
{
	struct file f = { 0 };
	put_pcap(&f, 0xa1b2cd34, 4, 65535, 113);
	for (uint32_t i = 0; i < 3; i++) {
		put32(&f, 5 + i);
		put32(&f, 9);
		put32(&f, 4);
		put32(&f, 4);
		put64(&f, 0x1122334455667788);  /* interface, protocol, packet type */
		put_fill(&f, 4, i);
	}
	struct source *s = open_bytes(&f, f.n);
	struct source_packet p;
	for (uint32_t i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT(p.bytes.n == 4 && is_fill(p.bytes, i));
		CU_ASSERT_EQUAL(p.ts_ns, (5 + i) * UINT64_C(1000000000) + 9000);
	}
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
	source_close(s);
	drop(&f);
}

/* `n` of Kuznetzov's records of 30 bytes under the magic number of plain ones. */
static void put_disguised(struct file *f, uint32_t n, uint32_t apart)
{
	put_pcap(f, 0xa1b2c3d4, 4, 262144, 272);
	for (uint32_t i = 0; i < n; i++) {
		put32(f, 1685000000 + i * apart);
		put32(f, 9);
		put32(f, 30);
		put32(f, 30);
		put64(f, 0);
		put_fill(f, 30, i);
	}
}

static void tells_modified_records_under_the_plain_magic_number(void)
{
	for (unsigned big = 0; big < 2; big++) {
		for (uint32_t n = 2; n < 6; n++) {
			struct file f = { .big = big };
			struct source_packet p;
			put_disguised(&f, n, 1);
			struct source *s = open_bytes(&f, f.n);
			for (uint32_t i = 0; i < n; i++) {
				CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
				CU_ASSERT(p.bytes.n == 30 && is_fill(p.bytes, i));
			}
			CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
			CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
			source_close(s);
			drop(&f);
		}
	}
}

/* Nothing is guessed where a plain reading is possible, nor where the longer one is not sound either. */
static void takes_nothing_else_for_modified_records(void)
{
	struct file f = { 0 };
	put_disguised(&f, 4, 1);
	f.b[24 + 54 + 6] = 0xff;                /* microseconds of the second record */
	struct source *s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 1);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, ERR_CORRUPT);
	source_close(s);
	drop(&f);

	put_disguised(&f, 4, 86401);            /* days apart */
	s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(source_result(s, 0)->packets, 0);
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 1);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, ERR_CORRUPT);
	source_close(s);
	drop(&f);

	/* Plain records whose payload is a capture of the other kind. */
	struct file inner = { 0 };
	put_disguised(&inner, 3, 1);
	put_pcap(&f, 0xa1b2c3d4, 4, 262144, 1);
	for (int i = 0; i < 3; i++) {
		put32(&f, 1685000000);
		put32(&f, 0);
		put32(&f, (uint32_t)inner.n);
		put32(&f, (uint32_t)inner.n);
		put(&f, inner.b, inner.n);
	}
	s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 3);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
	source_close(s);
	drop(&f);
	drop(&inner);
}

static void every_prefix_of_disguised_records_ends_well(void)
{
	struct file f = { 0 };
	put_disguised(&f, 3, 1);
	for (size_t n = 0; n <= f.n; n++) {
		struct source *s = open_bytes(&f, n);
		size_t got = drain(s, NULL, 0);
		CU_ASSERT(got <= 3);
		if (n >= 24 + 54 * 2)
			CU_ASSERT_EQUAL(got, n == f.n ? 3 : 2);
		source_close(s);
	}
	drop(&f);
}

static void masks_frame_check_bits_of_the_link_type(void)
{
	struct file f = { 0 };
	struct source_packet p = { 0 };
	put_pcap(&f, 0xa1b2c3d4, 4, 65535, 0x44000001);
	put_record(&f, 1, 1, 1, 1);
	struct source *s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, &p, 1), 1);
	CU_ASSERT_EQUAL(p.linktype, 1);
	source_close(s);
	drop(&f);
}

static void every_prefix_of_pcap_is_cut_or_whole(void)
{
	struct file f = { 0 };
	size_t ends[4];
	put_pcap(&f, 0xa1b2c3d4, 4, 65535, 1);
	ends[0] = f.n;
	for (uint32_t i = 1; i < 4; i++) {
		put_record(&f, i, 0, 10 * i, 100);
		ends[i] = f.n;
	}
	for (size_t n = 0; n <= f.n; n++) {
		size_t want = 0;
		bool whole = n == ends[0];
		for (size_t i = 1; i < 4; i++) {
			want += n >= ends[i];
			whole = whole || n == ends[i];
		}
		int err;
		CU_ASSERT_EQUAL(count(&f, n, &err), want);
		CU_ASSERT_EQUAL(err, n == 0 ? ERR_UNKNOWN_KIND : whole ? 0 : ERR_TRUNCATED);
	}
	drop(&f);
}

static void rejects_impossible_pcap_length(void)
{
	struct file f = { 0 };
	int err;
	put_pcap(&f, 0xa1b2c3d4, 4, 65535, 1);
	put_record(&f, 1, 0, 10, 10);
	put32(&f, 2);
	put32(&f, 0);
	put32(&f, SOURCE_MAX_PACKET + 1);
	put32(&f, SOURCE_MAX_PACKET + 1);
	put_fill(&f, SOURCE_MAX_PACKET + 1, 0);
	CU_ASSERT_EQUAL(count(&f, f.n, &err), 1);
	CU_ASSERT_EQUAL(err, ERR_CORRUPT);
	drop(&f);
}

static void gives_the_head_of_a_longer_packet(void)
{
	for (int ng = 0; ng < 2; ng++) {
		struct file f = { 0 };
		uint32_t sizes[] = { SOURCE_MAX_PACKET, SOURCE_MAX_PACKET + 1, SOURCE_MAX_PACKET + (200 << 10), 3 << 20, 5 };
		if (ng) {
			put_section(&f, false);
			put_interface(&f, 1, 0, -1, NULL);
		} else {
			put_pcap(&f, 0xa1b2c3d4, 4, 4 << 20, 1);
		}
		for (unsigned i = 0; i < 5; i++) {
			if (ng)
				put_enhanced(&f, 0, i, sizes[i], sizes[i], i);
			else
				put_record(&f, i, 0, sizes[i], sizes[i]);
		}
		struct source *s = open_bytes(&f, f.n);
		for (unsigned i = 0; i < 5; i++) {
			struct source_packet p = { 0 };
			CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
			CU_ASSERT_EQUAL(p.bytes.n, sizes[i] > SOURCE_MAX_PACKET ? SOURCE_MAX_PACKET : sizes[i]);
			CU_ASSERT_EQUAL(p.wire_len, sizes[i]);
			CU_ASSERT(is_fill(p.bytes, i));
		}
		CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
		CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
		source_close(s);
		/* Cut in the part that was not handed out. */
		int err;
		CU_ASSERT_EQUAL(count(&f, f.n - (ng ? 41 : 22), &err), 4);
		CU_ASSERT_EQUAL(err, ERR_TRUNCATED);
		drop(&f);
	}
}

static void reads_old_pcap_versions(void)
{
	static const struct { unsigned major, minor; uint32_t first, second; uint32_t captured; int err; } cases[] = {
		{ 2, 4, 5, 9, 5, 0 }, { 2, 2, 9, 5, 5, 0 }, { 2, 0, 9, 5, 5, 0 }, { 2, 3, 5, 9, 5, 0 }, { 2, 3, 9, 5, 5, 0 },
		{ 543, 0, 9, 5, 5, 0 }, { 2, 5, 5, 9, 0, ERR_UNKNOWN_KIND }, { 1, 4, 5, 9, 0, ERR_UNKNOWN_KIND },
		{ 3, 0, 5, 9, 0, ERR_UNKNOWN_KIND },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct file f = { 0 };
		struct source_packet p = { 0 };
		put_pcap(&f, 0xa1b2c3d4, cases[i].minor, 65535, 1);
		f.b[4] = (uint8_t)cases[i].major;
		f.b[5] = (uint8_t)(cases[i].major >> 8);
		put32(&f, 1);
		put32(&f, 0);
		put32(&f, cases[i].first);
		put32(&f, cases[i].second);
		put_fill(&f, 5, 1);
		struct source *s = open_bytes(&f, f.n);
		CU_ASSERT_EQUAL(drain(s, &p, 1), cases[i].err ? 0 : 1);
		CU_ASSERT_EQUAL(source_result(s, 0)->err, cases[i].err);
		CU_ASSERT_EQUAL(p.bytes.n, cases[i].captured);
		if (!cases[i].err)
			CU_ASSERT_EQUAL(p.wire_len, 9);
		source_close(s);
		drop(&f);
	}
}

static void records_across_blocks_stay_whole(void)
{
	struct file f = { 0 };
	put_pcap(&f, 0xa1b2c3d4, 4, 262144, 1);
	uint32_t n = 0;
	while (f.n < 5u << 20) {
		uint32_t size = n % 97 == 0 ? SOURCE_MAX_PACKET : (n * 2654435761u) % 9000;
		put_record(&f, n++, 0, size, size);
	}
	struct source *s = open_bytes(&f, f.n);
	struct span last = { 0 };
	uint32_t stayed = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct source_packet p = { 0 };
		bool stays = source_stays(s);
		CU_ASSERT_EQUAL_FATAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT_EQUAL(p.number, i + 1);
		CU_ASSERT_EQUAL(p.bytes.n, p.wire_len);
		CU_ASSERT_FATAL(is_fill(p.bytes, i));
		/* What was promised to stay did. */
		if (stays)
			CU_ASSERT_FATAL(is_fill(last, i - 1));
		stayed += stays;
		last = p.bytes;
	}
	/* All but the first, and a few at the end of each read. */
	CU_ASSERT(stayed < n && stayed > n - 3 * (uint32_t)(f.n >> 20) - 2);
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
	uint64_t got, total;
	source_progress(s, &got, &total);
	CU_ASSERT_EQUAL(got, f.n);
	CU_ASSERT_EQUAL(total, f.n);
	source_close(s);
	drop(&f);
}

static void reads_pcapng_sections_of_both_byte_orders(void)
{
	struct file f = { 0 };
	for (int round = 0; round < 2; round++) {
		for (int big = 0; big < 2; big++) {
			put_section(&f, big);
			put_interface(&f, 1, 65535, -1, NULL);
			put_interface(&f, 113 + 163 * (unsigned)big, 65535, 9, NULL);
			put_enhanced(&f, 0, 1700000000000001, 13, 99, 1);
			put_enhanced(&f, 1, 1700000000000000007, 14, 98, 2);
		}
	}
	struct source *s = open_bytes(&f, f.n);
	struct source_packet p = { 0 };
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT(p.bytes.n == 13 && is_fill(p.bytes, 1));
		CU_ASSERT_EQUAL(p.wire_len, 99);
		CU_ASSERT_EQUAL(p.linktype, 1);
		CU_ASSERT_EQUAL(p.ts_ns, 1700000000000001000);
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT(p.bytes.n == 14 && is_fill(p.bytes, 2));
		CU_ASSERT_EQUAL(p.linktype, i % 2 ? 276 : 113);
		CU_ASSERT_EQUAL(p.ts_ns, 1700000000000000007);
		CU_ASSERT_EQUAL(p.number, 2 * i + 2);
	}
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
	source_close(s);
	drop(&f);
}

static void every_prefix_of_pcapng_is_cut_or_whole(void)
{
	for (int big = 0; big < 2; big++) {
		struct file f = { 0 };
		size_t ends[6];
		put_section(&f, big);
		ends[0] = f.n;
		put_interface(&f, 1, 65535, 6, NULL);
		ends[1] = f.n;
		put_enhanced(&f, 0, 5, 11, 11, 0);
		ends[2] = f.n;
		put_simple(&f, 6, 6, 0);
		ends[3] = f.n;
		put_block(&f, 0x1234, &(struct file){ .b = (uint8_t *)"unknown", .n = 7 });
		ends[4] = f.n;
		put_enhanced(&f, 0, 5, 1, 1, 0);
		ends[5] = f.n;
		for (size_t n = 1; n <= f.n; n++) {
			bool whole = false;
			for (size_t i = 0; i < 6; i++)
				whole = whole || n == ends[i];
			int err;
			size_t want = (size_t)(n >= ends[2]) + (n >= ends[3]) + (n >= ends[5]);
			CU_ASSERT_EQUAL(count(&f, n, &err), want);
			CU_ASSERT_EQUAL(err, whole ? 0 : ERR_TRUNCATED);
		}
		drop(&f);
	}
}

static uint64_t time_with(int resolution, const int64_t *offset, uint64_t ticks)
{
	struct file f = { 0 };
	struct source_packet p = { 0 };
	put_section(&f, false);
	put_interface(&f, 1, 0, resolution, offset);
	put_enhanced(&f, 0, ticks, 1, 1, 0);
	struct source *s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, &p, 1), 1);
	source_close(s);
	drop(&f);
	return p.ts_ns;
}

static void reads_every_timestamp_resolution(void)
{
	static const struct { int resolution; uint64_t ticks, ns; } cases[] = {
		{ -1, 1700000000123456, 1700000000123456000 },
		{ 0, 1700000000, 1700000000000000000 },
		{ 3, 1700000000123, 1700000000123000000 },
		{ 6, 1700000000123456, 1700000000123456000 },
		{ 8, 170000000012345678, 1700000000123456780 },
		{ 9, 1700000000123456789, 1700000000123456789 },
		{ 10, 17000000001234567899u, 1700000000123456789 },
		{ 12, 1700000000123456789, 1700000000123456 },
		{ 19, UINT64_MAX, 1844674407 },
		{ 28, UINT64_MAX, 1 },
		{ 29, UINT64_MAX, 0 },
		{ 127, UINT64_MAX, 0 },
		{ 0x80, 1700000000, 1700000000000000000 },
		{ 0x80 | 1, 3, 1500000000 },
		{ 0x80 | 10, UINT64_C(1700000000) << 10 | 512, 1700000000500000000 },
		{ 0x80 | 32, UINT64_C(1700000000) << 32 | 1u << 31, 1700000000500000000 },
		{ 0x80 | 40, 3 * (UINT64_C(1) << 39), 1500000000 },
		{ 0x80 | 63, UINT64_C(1) << 63, 1000000000 },
		{ 0x80 | 64, UINT64_C(1) << 63, 500000000 },
		{ 0x80 | 93, UINT64_MAX, 1 },
		{ 0x80 | 127, UINT64_MAX, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CU_ASSERT_EQUAL(time_with(cases[i].resolution, NULL, cases[i].ticks), cases[i].ns);
}

static void clamps_times_that_do_not_fit(void)
{
	static const struct { int resolution; int64_t offset; uint64_t ticks, ns; } cases[] = {
		{ 6, 1700000000, 5, 1700000000000005000 },
		{ 6, -1, 1700000000000000, 1699999999000000000 },
		{ 9, -1700000001, 1700000000000000000, 0 },
		{ 9, INT64_MIN, UINT64_MAX, 0 },
		{ 9, INT64_MAX, 0, UINT64_MAX },
		{ 0, INT64_MAX, UINT64_MAX, UINT64_MAX },
		{ 0, 0, UINT64_MAX, UINT64_MAX },
		{ 6, 0, UINT64_MAX, UINT64_MAX },
		{ 0x80, 0, UINT64_MAX, UINT64_MAX },
		{ 9, 0, UINT64_MAX, UINT64_MAX },
		{ 9, 1, UINT64_MAX, UINT64_MAX },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CU_ASSERT_EQUAL(time_with(cases[i].resolution, &cases[i].offset, cases[i].ticks), cases[i].ns);
}

static void reads_simple_and_obsolete_packets(void)
{
	for (int big = 0; big < 2; big++) {
		struct file f = { 0 };
		put_section(&f, big);
		put_interface(&f, 1, 20, -1, NULL);
		put_interface(&f, 101, 0, -1, NULL);
		struct file b = { .big = big };
		put16(&b, 1);           /* interface */
		put16(&b, 3);           /* drops */
		put32(&b, 0);
		put32(&b, 77);
		put32(&b, 7);
		put32(&b, 1000);
		put_fill(&b, 7, 5);
		put_block(&f, 2, &b);
		drop(&b);
		put_simple(&f, 20, 1500, 6);    /* cut at the snap length */
		put_simple(&f, 10, 10, 7);
		struct source *s = open_bytes(&f, f.n);
		struct source_packet p = { 0 };
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT(p.bytes.n == 7 && is_fill(p.bytes, 5));
		CU_ASSERT_EQUAL(p.linktype, 101);
		CU_ASSERT_EQUAL(p.ts_ns, 77000);
		CU_ASSERT_EQUAL(p.wire_len, 1000);
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT(p.bytes.n == 20 && is_fill(p.bytes, 6));
		CU_ASSERT_EQUAL(p.wire_len, 1500);
		CU_ASSERT_EQUAL(p.linktype, 1);
		CU_ASSERT_EQUAL(p.ts_ns, 77000);
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT(p.bytes.n == 10 && is_fill(p.bytes, 7));
		CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
		CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
		source_close(s);
		drop(&f);
	}
}

/* A section, one interface, one packet; then what the test adds. */
static struct file begun(void)
{
	struct file f = { 0 };
	put_section(&f, false);
	put_interface(&f, 1, 0, -1, NULL);
	put_enhanced(&f, 0, 1, 8, 8, 0);
	return f;
}

static void expect_corrupt_after_one(struct file *f)
{
	int err;
	CU_ASSERT_EQUAL(count(f, f->n, &err), 1);
	CU_ASSERT_EQUAL(err, ERR_CORRUPT);
	drop(f);
}

static void rejects_broken_blocks(void)
{
	static const uint32_t lengths[] = { 0, 4, 8, 11, 13, 14, 15, 33, 0xffffffff };
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct file f = begun();
		put32(&f, 6);
		put32(&f, lengths[i]);
		put_fill(&f, 64, 0);
		expect_corrupt_after_one(&f);
	}
	for (unsigned type = 1; type <= 7; type++) {            /* every type: the second length counts too */
		struct file f = begun();
		put_block(&f, type, &(struct file){ .b = (uint8_t[64]){ 0 }, .n = 64 });
		f.b[f.n - 4] ^= 4;
		expect_corrupt_after_one(&f);
	}
	for (size_t n = 0; n < 20; n += 4) {                    /* too short for its header */
		struct file f = begun();
		put_block(&f, 6, &(struct file){ .b = (uint8_t[64]){ 0 }, .n = n });
		expect_corrupt_after_one(&f);
	}
	struct file f = begun();
	put_block(&f, 3, &(struct file){ 0 });
	expect_corrupt_after_one(&f);
	f = begun();
	put_enhanced(&f, 1, 1, 8, 8, 0);                        /* no such interface */
	expect_corrupt_after_one(&f);
	f = begun();
	size_t at = f.n;
	put_enhanced(&f, 0, 1, 8, 8, 0);
	f.b[at + 20] = 9;                                       /* captured > what the block holds */
	expect_corrupt_after_one(&f);
	f = begun();
	put_simple(&f, 8, 9, 0);
	expect_corrupt_after_one(&f);
	f = begun();
	put_section(&f, false);
	put_enhanced(&f, 0, 1, 8, 8, 0);                        /* the interface was the last section's */
	expect_corrupt_after_one(&f);
	f = begun();
	at = f.n;
	put_section(&f, false);
	f.b[at + 12] = 3;                                       /* version */
	expect_corrupt_after_one(&f);
	f = begun();
	at = f.n;
	put_section(&f, false);
	f.b[at + 8] ^= 1;                                       /* byte order mark */
	expect_corrupt_after_one(&f);
	f = begun();
	put(&f, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	expect_corrupt_after_one(&f);
}

static void rejects_broken_interface_options(void)
{
	static const struct { unsigned code, length; size_t room; bool bad; } cases[] = {
		{ 9, 1, 4, false }, { 9, 2, 4, true }, { 9, 0, 4, true }, { 14, 4, 4, true }, { 14, 8, 8, false },
		{ 2, 4, 4, false }, { 2, 5, 4, true }, { 2, 0xffff, 4, true }, { 0, 0xffff, 4, true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct file f = begun(), b = { 0 };
		put16(&b, 1);
		put16(&b, 0);
		put32(&b, 0);
		put16(&b, cases[i].code);
		put16(&b, cases[i].length);
		put_fill(&b, cases[i].room, 0);
		put_block(&f, 1, &b);
		drop(&b);
		if (cases[i].bad) {
			expect_corrupt_after_one(&f);
		} else {
			CU_ASSERT_EQUAL(error_of(&f), 0);
			drop(&f);
		}
	}
}

static void limits_interfaces(void)
{
	struct file f = { 0 };
	put_section(&f, false);
	for (unsigned i = 0; i < 1024; i++)
		put_interface(&f, i, 0, -1, NULL);
	put_enhanced(&f, 1023, 1, 1, 1, 0);
	struct source_packet p = { 0 };
	struct source *s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, &p, 1), 1);
	CU_ASSERT_EQUAL(p.linktype, 1023);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
	source_close(s);
	put_interface(&f, 1, 0, -1, NULL);
	expect_corrupt_after_one(&f);
}

static void skips_long_blocks_and_options(void)
{
	struct file f = begun();
	uint8_t *zero = calloc(1, 3 << 20);
	if (!zero)
		abort();
	put_block(&f, 0x0bad, &(struct file){ .b = zero, .n = 3 << 20 });
	put_block(&f, 5, &(struct file){ .b = zero, .n = 1 << 20 });
	zero[12] = zero[16] = 6;        /* an enhanced packet with a megabyte of options */
	put_block(&f, 6, &(struct file){ .b = zero, .n = 1 << 20 });
	put_enhanced(&f, 0, 9, 3, 3, 1);
	struct source_packet p[3] = { 0 };
	struct source *s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, p, 3), 3);
	CU_ASSERT_EQUAL(p[1].bytes.n, 6);
	CU_ASSERT_EQUAL(p[2].ts_ns, 9000);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
	source_close(s);
	put_block(&f, 1, &(struct file){ .b = zero, .n = 1 << 20 });
	CU_ASSERT_EQUAL(error_of(&f), ERR_CORRUPT);
	free(zero);
	drop(&f);
}

static void sums_drops_of_statistics_blocks(void)
{
	struct file f = { 0 };
	put_section(&f, true);
	for (int i = 0; i < 2; i++)
		put_interface(&f, 1, 0, -1, NULL);
	for (uint32_t i = 0; i < 5; i++) {              /* interface 0, 1, 0, 1 and one that is not there */
		struct file b = { .big = true };
		put32(&b, i == 4 ? 7 : i % 2);
		put64(&b, 0);
		put16(&b, 5);
		put16(&b, 8);
		put64(&b, 10 + i);
		put16(&b, 7);
		put16(&b, 8);
		put64(&b, 100 + i);
		put32(&b, 0);
		put_block(&f, 5, &b);
		drop(&b);
	}
	struct source *s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
	uint64_t kernel, interface;
	source_drops(s, 0, &kernel, &interface);
	CU_ASSERT_EQUAL(kernel, 102 + 103);
	CU_ASSERT_EQUAL(interface, 12 + 13);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
	source_close(s);
	drop(&f);
}

static struct file gzip(const uint8_t *bytes, size_t n)
{
	struct file f = { 0 };
	z_stream z = { 0 };
	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	size_t room = deflateBound(&z, n) + 64;
	uint8_t *out = malloc(room);
	if (!out)
		abort();
	/* next_in is not const without ZLIB_CONST; zlib does not write there. */
	memcpy(&z.next_in, &bytes, sizeof(bytes));
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = (uInt)room;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	put(&f, out, room - z.avail_out);
	deflateEnd(&z);
	free(out);
	return f;
}

static struct file pcap_of(uint32_t packets, uint32_t size)
{
	struct file f = { 0 };
	put_pcap(&f, 0xa1b2c3d4, 4, 65535, 1);
	for (uint32_t i = 0; i < packets; i++)
		put_record(&f, i, 0, size, size);
	return f;
}

static void reads_gzip_of_one_and_of_many_members(void)
{
	struct file f = pcap_of(4000, 600);
	for (size_t members = 1; members <= 7; members += 3) {
		struct file z = { 0 };
		for (size_t i = 0; i < members; i++) {
			size_t from = f.n * i / members, to = f.n * (i + 1) / members;
			struct file one = gzip(f.b + from, to - from);
			put(&z, one.b, one.n);
			drop(&one);
		}
		put(&z, "\0\0\0\0", members == 4 ? 4 : 0);      /* padding, as gzip(1) allows it */
		struct source *s = open_bytes(&z, z.n);
		for (uint32_t i = 0; i < 4000; i++) {
			struct source_packet p = { 0 };
			CU_ASSERT_EQUAL_FATAL(source_next(s, 0, &p), SOURCE_PACKET);
			CU_ASSERT(p.bytes.n == 600 && is_fill(p.bytes, i));
		}
		CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
		CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
		CU_ASSERT_EQUAL(source_result(s, 0)->bytes_read, z.n);
		source_close(s);
		drop(&z);
	}
	drop(&f);
}

static void reports_broken_gzip(void)
{
	struct file f = pcap_of(20, 40), z = gzip(f.b, f.n);
	int err;
	for (size_t n = 2; n < z.n; n++) {
		CU_ASSERT(count(&z, n, &err) <= 20);
		CU_ASSERT_EQUAL(err, ERR_TRUNCATED);
	}
	CU_ASSERT_EQUAL(count(&z, z.n, &err), 20);
	CU_ASSERT_EQUAL(err, 0);
	z.b[z.n - 6] ^= 1;              /* the check sum */
	CU_ASSERT_EQUAL(count(&z, z.n, &err), 20);
	CU_ASSERT_EQUAL(err, ERR_CORRUPT);
	z.b[z.n - 6] ^= 1;
	static const char *const garbage[] = { "x", "\x1f", "\x1fx", "\x1f\x8b", "\x1f\x8b\x08\xff junk", "\0\0junk" };
	static const size_t sizes[] = { 1, 1, 2, 2, 9, 6 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct file g = { 0 };
		put(&g, z.b, z.n);
		put(&g, garbage[i], sizes[i]);
		CU_ASSERT_EQUAL(count(&g, g.n, &err), 20);
		CU_ASSERT_EQUAL(err, i == 1 || i == 3 ? ERR_TRUNCATED : ERR_CORRUPT);
		drop(&g);
	}
	struct file twice = gzip(z.b, z.n);
	CU_ASSERT_EQUAL(error_of(&twice), ERR_UNKNOWN_KIND);
	drop(&twice);
	/* Whole as gzip, cut as a capture. */
	struct file cut = gzip(f.b, f.n - 1);
	CU_ASSERT_EQUAL(count(&cut, cut.n, &err), 19);
	CU_ASSERT_EQUAL(err, ERR_TRUNCATED);
	drop(&cut);
	drop(&z);
	drop(&f);
}

/* A child writes the bytes, `piece` at a time. */
static int pipe_of(const struct file *f, size_t piece, pid_t *ret_pid)
{
	int ends[2];
	if (pipe(ends))
		abort();
	*ret_pid = fork();
	if (*ret_pid == 0) {
		close(ends[0]);
		for (size_t at = 0; at < f->n; at += piece) {
			size_t n = f->n - at < piece ? f->n - at : piece;
			if (write(ends[1], f->b + at, n) != (ssize_t)n)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	return ends[0];
}

static void reads_pipes(void)
{
	struct file kinds[3] = { pcap_of(50, 33), { 0 }, { 0 } };
	kinds[1] = gzip(kinds[0].b, kinds[0].n);
	put_section(&kinds[2], true);
	put_interface(&kinds[2], 1, 0, 9, NULL);
	for (unsigned i = 0; i < 50; i++)
		put_enhanced(&kinds[2], 0, i, 33, 33, i);
	static const size_t pieces[] = { 1, 7, 4096 };
	for (size_t k = 0; k < 3; k++) {
		for (size_t i = 0; i < 3; i++) {
			pid_t pid;
			struct source *s = open_one(pipe_of(&kinds[k], pieces[i], &pid));
			for (unsigned n = 0; n < 50; n++) {
				struct source_packet p = { 0 };
				CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
				CU_ASSERT(p.bytes.n == 33 && is_fill(p.bytes, n));
			}
			CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
			CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
			uint64_t got, total;
			source_progress(s, &got, &total);
			CU_ASSERT_EQUAL(got, kinds[k].n);
			CU_ASSERT_EQUAL(total, 0);
			source_close(s);
			CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
		}
		drop(&kinds[k]);
	}
}

static void says_what_an_unknown_file_is(void)
{
	static const struct { const char *bytes; size_t n; const char *word; } cases[] = {
		{ "", 0, "empty" }, { "x", 1, "text" }, { "hello, world\n and more", 22, "text" },
		{ "\x28\xb5\x2f\xfd\0\0\0\0", 8, "zstd" }, { "PK\x03\x04\0\0", 6, "zip" }, { "BZh91AY", 7, "bzip2" },
		{ "\xfd" "7zXZ\0", 6, "xz" }, { "snoop\0\0\0\0\0\0\2", 12, "snoop" }, { "\x7f" "ELF\2\1", 6, "program" },
		{ "\xa1\xb2\xc3\xd5\0\0\0\0", 8, "neither" }, { "\x01\x02", 2, "neither" }, { "GMBU", 4, "Network Monitor" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct source *s = open_one(fd_of((const uint8_t *)cases[i].bytes, cases[i].n));
		CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
		CU_ASSERT_EQUAL(source_result(s, 0)->err, ERR_UNKNOWN_KIND);
		CU_ASSERT(strstr(source_result(s, 0)->why, cases[i].word) != NULL);
		source_close(s);
	}
	struct source *s = open_one(open("/", O_RDONLY | O_CLOEXEC));
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, -EISDIR);
	source_close(s);
	s = open_one(open("/dev/null", O_WRONLY | O_CLOEXEC));
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, -EBADF);
	CU_ASSERT_PTR_NULL(source_result(s, 1));
	source_close(s);
}

static void merges_by_time(void)
{
	/* Seconds of each file's packets; the second goes back in time, the third is no capture. */
	static const uint32_t times[4][5] = { { 1, 4, 4, 9, 9 }, { 2, 8, 3, 3, 10 }, { 0 }, { 4, 4, 5, 9, 11 } };
	static const struct { uint32_t file; uint64_t number; } want[] = {
		{ 1, 1 }, { 2, 1 }, { 1, 2 }, { 1, 3 }, { 4, 1 }, { 4, 2 }, { 4, 3 }, { 2, 2 }, { 2, 3 }, { 2, 4 }, { 1, 4 },
		{ 1, 5 }, { 4, 4 }, { 2, 5 }, { 4, 5 },
	};
	int fds[4];
	for (size_t i = 0; i < 4; i++) {
		struct file f = { .big = i == 1 };
		if (i == 2) {
			put(&f, "not a capture", 13);
		} else {
			put_pcap(&f, i ? 0xa1b2c3d4 : 0xa1b23c4d, 4, 65535, (uint32_t)i);
			for (size_t k = 0; k < 5; k++)
				put_record(&f, times[i][k], 0, 20, 20);
		}
		fds[i] = fd_of(f.b, f.n);
		drop(&f);
	}
	struct source *s = source_open_files(fds, 4);
	CU_ASSERT_FATAL(s != NULL);
	int listed[8];
	CU_ASSERT_EQUAL(source_fds(s, listed, 8), 4);
	CU_ASSERT(!memcmp(listed, fds, sizeof(fds)));
	CU_ASSERT_EQUAL(source_fds(s, listed, 2), 2);
	CU_ASSERT_EQUAL(source_files(s), 4);
	CU_ASSERT(!source_is_live(s));
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		struct source_packet p = { 0 };
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT_EQUAL(p.file, want[i].file);
		CU_ASSERT_EQUAL(p.number, want[i].number);
		CU_ASSERT_EQUAL(p.linktype, want[i].file - 1);
		CU_ASSERT(p.bytes.n == 20 && is_fill(p.bytes, times[want[i].file - 1][want[i].number - 1]));
	}
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
	CU_ASSERT_EQUAL(source_result(s, 2)->err, ERR_UNKNOWN_KIND);
	CU_ASSERT_EQUAL(source_result(s, 3)->packets, 5);
	source_close(s);
}

static void merges_as_many_files_as_allowed(void)
{
	int fds[SOURCE_MAX_FILES];
	for (uint32_t i = 0; i < SOURCE_MAX_FILES; i++) {
		struct file f = { 0 };
		put_pcap(&f, 0xa1b2c3d4, 4, 65535, 1);
		for (uint32_t k = 0; k < 20; k++)
			put_record(&f, k * 1000 + (i * 7919) % SOURCE_MAX_FILES, 0, 4, 4);
		fds[i] = fd_of(f.b, f.n);
		drop(&f);
	}
	struct source *s = source_open_files(fds, SOURCE_MAX_FILES);
	CU_ASSERT_FATAL(s != NULL);
	struct source_packet p;
	uint64_t last = 0, n = 0;
	while (source_next(s, 0, &p) == SOURCE_PACKET) {
		CU_ASSERT(p.ts_ns >= last);
		last = p.ts_ns;
		n++;
	}
	CU_ASSERT_EQUAL(n, 20 * SOURCE_MAX_FILES);
	source_close(s);
	s = source_open_files(NULL, 0);
	CU_ASSERT_FATAL(s != NULL);
	CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_END);
	source_close(s);
	source_close(NULL);
}

static void every_wrong_byte_ends_well(void)
{
	struct file kinds[2] = { pcap_of(3, 9), begun() };
	put_enhanced(&kinds[1], 0, 2, 5, 5, 0);
	for (size_t k = 0; k < 2; k++) {
		for (size_t at = 0; at < kinds[k].n; at++) {
			for (int all = 0; all < 2; all++) {
				int err;
				uint8_t wrong = (uint8_t)(all ? 0xff : 1 << at % 8);
				kinds[k].b[at] ^= wrong;
				CU_ASSERT(count(&kinds[k], kinds[k].n, &err) <= 3);
				CU_ASSERT(err == 0 || err == ERR_TRUNCATED || err == ERR_CORRUPT || err == ERR_UNKNOWN_KIND);
				kinds[k].b[at] ^= wrong;
			}
		}
		drop(&kinds[k]);
	}
}

int main(void)
{
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	CU_pSuite s = CU_add_suite("sensor/source", NULL, NULL);
#define CASE(f) CU_add_test(s, #f, f)
	CASE(reads_every_pcap_magic);
	CASE(reads_modified_pcap);
	CASE(tells_modified_records_under_the_plain_magic_number);
	CASE(takes_nothing_else_for_modified_records);
	CASE(every_prefix_of_disguised_records_ends_well);
	CASE(masks_frame_check_bits_of_the_link_type);
	CASE(every_prefix_of_pcap_is_cut_or_whole);
	CASE(rejects_impossible_pcap_length);
	CASE(gives_the_head_of_a_longer_packet);
	CASE(reads_old_pcap_versions);
	CASE(records_across_blocks_stay_whole);
	CASE(reads_pcapng_sections_of_both_byte_orders);
	CASE(every_prefix_of_pcapng_is_cut_or_whole);
	CASE(reads_every_timestamp_resolution);
	CASE(clamps_times_that_do_not_fit);
	CASE(reads_simple_and_obsolete_packets);
	CASE(rejects_broken_blocks);
	CASE(rejects_broken_interface_options);
	CASE(limits_interfaces);
	CASE(skips_long_blocks_and_options);
	CASE(sums_drops_of_statistics_blocks);
	CASE(reads_gzip_of_one_and_of_many_members);
	CASE(reports_broken_gzip);
	CASE(reads_pipes);
	CASE(says_what_an_unknown_file_is);
	CASE(merges_by_time);
	CASE(merges_as_many_files_as_allowed);
	CASE(every_wrong_byte_ends_well);
#undef CASE
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
