/* Packets taken several at a time are the packets that come one by one, from every kind of file, whole or broken. */
#include "sensor/source_rig.h"

static uint32_t seed = 1;
static uint32_t any(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static uint32_t any_size(void)
{
	return any(200) == 0 ? SOURCE_MAX_PACKET + any(9000) : any(50) == 0 ? any(60000) : any(4) ? any(400) : any(3);
}

enum { KINDS = 8 };

/* `n` records, their times never far apart and now and then going back. */
static struct file make(unsigned kind, uint32_t n)
{
	static const struct { uint32_t magic; bool big; unsigned minor; } pcap[] = {
		{ 0xa1b2c3d4, false, 4 }, { 0xa1b2c3d4, true, 4 }, { 0xa1b23c4d, false, 4 }, { 0xa1b23c4d, true, 4 },
		{ 0xa1b2cd34, false, 4 }, { 0xa1b2c3d4, false, 2 },
	};
	struct file f = { 0 };
	if (kind >= sizeof(pcap) / sizeof(pcap[0])) {
		put_section(&f, kind == 7);
		put_interface(&f, 1, 0, -1, NULL);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t size = any_size();
			if (any(20) == 0)
				put_interface(&f, 101, 0, 9, NULL);
			if (any(9))
				put_enhanced(&f, 0, 1000 * i + any(5000), size, size + any(9), i);
			else
				put_simple(&f, size, size, i);
		}
		return f;
	}
	f.big = pcap[kind].big;
	put_pcap(&f, pcap[kind].magic, pcap[kind].minor, SOURCE_MAX_PACKET + 9000, 1);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t size = any_size(), wire = size + any(9);
		put32(&f, 1700000000 + i / 100 + any(2));
		put32(&f, any(1000000));
		put32(&f, pcap[kind].minor == 2 ? wire : size);
		put32(&f, pcap[kind].minor == 2 ? size : wire);
		if (kind == 4)
			put64(&f, i);
		put_fill(&f, size, i);
	}
	return f;
}

static struct { uint64_t packets, calls; } seen;

static void compare(const int *one_fds, const int *many_fds, size_t files)
{
	struct source *one = source_open_files(one_fds, files), *many = source_open_files(many_fds, files);
	CU_ASSERT_FATAL(one && many);
	for (;;) {
		static struct source_packet p[40];
		struct source_packet q;
		size_t max = 1 + any(40), room = any(3) ? 8u << 20 : any(3 * SOURCE_MAX_PACKET), n = 99;
		enum source_status got = source_batch(many, 0, p, max, room, &n);
		if (got != SOURCE_PACKET) {
			CU_ASSERT_EQUAL(n, 0);
			CU_ASSERT_EQUAL(source_next(one, 0, &q), got);
			break;
		}
		seen.calls++;
		CU_ASSERT_FATAL(n >= 1 && n <= max);
		for (size_t i = 0; i < n; i++, seen.packets++) {
			CU_ASSERT_FATAL(!i || room >= SOURCE_MAX_PACKET);
			room -= p[i].bytes.n < room ? p[i].bytes.n : room;
			CU_ASSERT_FATAL(source_next(one, 0, &q) == SOURCE_PACKET);
			CU_ASSERT_FATAL(p[i].bytes.n == q.bytes.n && p[i].wire_len == q.wire_len && p[i].linktype == q.linktype &&
					p[i].ts_ns == q.ts_ns && p[i].number == q.number && p[i].file == q.file);
			CU_ASSERT_FATAL(!q.bytes.n || !memcmp(p[i].bytes.p, q.bytes.p, q.bytes.n));
		}
	}
	for (size_t i = 0; i < files; i++) {
		const struct source_file_result *a = source_result(one, i), *b = source_result(many, i);
		CU_ASSERT(a->err == b->err && a->packets == b->packets && a->bytes_read == b->bytes_read && !strcmp(a->why, b->why));
	}
	source_close(one);
	source_close(many);
}

static void one_file(const struct file *f, size_t n)
{
	int a = fd_of(f->b, n), b = fd_of(f->b, n);
	compare(&a, &b, 1);
}

static void every_kind_of_file(void)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		seen.packets = seen.calls = 0;
		struct file f = make(kind, 3000);
		one_file(&f, f.n);
		CU_ASSERT_EQUAL(seen.packets, 3000);
		/* All but the old kind, whose lengths have to be told apart, and simple packets come together. */
		if (kind != 5)
			CU_ASSERT(seen.calls < 3000 / (kind < 6 ? 5 : 2));
		drop(&f);
	}
}

static void cut_and_broken_files(void)
{
	for (unsigned i = 0; i < 200; i++) {
		struct file f = make(i % KINDS, 60);
		size_t n = any((uint32_t)f.n);
		if (i % 2)
			f.b[any((uint32_t)f.n)] ^= (uint8_t)(1u << any(8));
		one_file(&f, i % 4 < 2 ? n : f.n);
		drop(&f);
	}
}

static void several_files(void)
{
	for (unsigned i = 0; i < 12; i++) {
		int a[3], b[3];
		for (unsigned k = 0; k < 3; k++) {
			struct file f = make((i + k) % KINDS, 300);
			a[k] = fd_of(f.b, f.n);
			b[k] = fd_of(f.b, f.n);
			drop(&f);
		}
		compare(a, b, 3);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "every kind of file", every_kind_of_file },
		{ "cut and broken files", cut_and_broken_files },
		{ "several files", several_files },
		CU_TEST_INFO_NULL,
	};
	return test_run("source_batch", tests);
}
