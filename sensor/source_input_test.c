/* What bytes come out of and in which order: gzip, pipes, unknown files, several files as one timeline. */
#include <fcntl.h>
#include <sys/wait.h>
#include <zlib.h>

#include "sensor/source_rig.h"

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
	CU_TestInfo tests[] = {
		{ "reads gzip of one and of many members", reads_gzip_of_one_and_of_many_members },
		{ "reports broken gzip", reports_broken_gzip },
		{ "reads pipes", reads_pipes },
		{ "says what an unknown file is", says_what_an_unknown_file_is },
		{ "merges by time", merges_by_time },
		{ "merges as many files as allowed", merges_as_many_files_as_allowed },
		{ "every wrong byte ends well", every_wrong_byte_ends_well },
		CU_TEST_INFO_NULL,
	};
	return test_run("source_input", tests);
}
