/* damaged.c -- every capture given, and a sample of them damaged, through an engine of this process; every ledger must close.
 *
 * usage: damaged SAMPLES FILE...   Files whole; then SAMPLES times each, of a file and at places that a fixed seed chooses: cut at
 * a byte; one byte in a hundred changed; one byte in a hundred changed within packets only, so that all are read. In a build
 * with sanitizers what they find ends the program. Small budgets, so that what overflows is exercised too.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/engine.h"

enum { MAX_FILE = 2 << 20 /* of those that are damaged */, RING_BYTES = 4 << 20 };

static uint64_t seed = 20261125;

/* SplitMix64: the same numbers everywhere. */
static uint64_t next_random(void)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

struct reader { struct ring *ring; struct stats st; bool got_stats; };

static void *take_all(void *arg)
{
	static uint8_t mem[RING_MAX_RECORD];
	struct reader *r = arg;
	enum ring_kind kind;
	size_t n;
	for (int got = 0; got >= 0;) {
		got = ring_get(r->ring, 100, &kind, mem, &n);
		if (got != 1)
			continue;
		if (kind == RING_STATS) {
			struct cursor in = cursor_from((struct span){ mem, n });
			for (int i = 0; i < STATS_COUNTERS; i++)
				r->st.v[i] = cursor_u64be(&in);
			r->got_stats = cursor_ok(&in) && !cursor_left(&in);
		} else if (kind == RING_END) {
			break;
		}
	}
	return NULL;
}

/* Packets read; says and counts what does not close. */
static uint64_t run(int fd, unsigned workers, const char *what, const char *name, unsigned *failures)
{
	struct engine_config c;
	engine_defaults(&c);
	c.workers = workers;
	c.flows = 1024;
	c.stream_bytes = 4 << 20;
	c.probes = c.states = 256;
	c.fragments = 8;
	c.assets = 512;
	c.folds = 128;
	c.observations = c.flow_events = true;
	struct reader r = { 0 };
	struct engine *e = engine_new(&c);
	struct source *s = source_open_files(&fd, 1);
	pthread_t thread;
	if (!e || !s || ring_new(RING_BYTES, &r.ring) || engine_start(e) || pthread_create(&thread, NULL, take_all, &r)) {
		fprintf(stderr, "damaged: out of memory\n");
		exit(1);
	}
	int err = engine_run(e, s, r.ring, NULL, NULL);
	ring_done(r.ring);
	pthread_join(thread, NULL);
	bool ok = !err && r.got_stats;
	for (int l = 1; l < STATS_LEDGERS && ok; l++)
		if (stats_ledger_open(&r.st, (enum stats_ledger)l)) {
			printf("%s, %s: ledger %s does not close\n", name, what, stats_ledger_name((enum stats_ledger)l));
			ok = false;
		}
	if (err || !r.got_stats)
		printf("%s, %s: the engine says %d\n", name, what, err);
	*failures += !ok;
	source_close(s);
	engine_free(e);
	ring_free(r.ring);
	return r.st.v[STATS_packets];
}

static uint8_t *load(const char *name, size_t *ret_n)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	off_t n = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	uint8_t *b = n > 0 && n <= MAX_FILE ? malloc((size_t)n) : NULL;
	if (b && pread(fd, b, (size_t)n, 0) != n) {
		free(b);
		b = NULL;
	}
	if (fd >= 0)
		close(fd);
	*ret_n = b ? (size_t)n : 0;
	return b;
}

static void change(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (next_random() % 100 == 0)
			p[i] ^= (uint8_t)(1 + next_random() % 255);
}

/* Within the packets of a classic capture file in this byte order (pcap-savefile(5)); false when it is none. */
static bool change_packets(uint8_t *b, size_t n)
{
	static const uint8_t magic[2][4] = { { 0xd4, 0xc3, 0xb2, 0xa1 }, { 0x4d, 0x3c, 0xb2, 0xa1 } };
	if (n < 24 || (memcmp(b, magic[0], 4) && memcmp(b, magic[1], 4)))
		return false;
	struct cursor in = cursor_from((struct span){ b, n });
	cursor_skip(&in, 24);
	while (cursor_left(&in) >= 16) {
		cursor_skip(&in, 8);
		size_t length = cursor_u32le(&in);
		cursor_skip(&in, 4);
		size_t at = n - cursor_left(&in);
		if (length > cursor_left(&in))
			length = cursor_left(&in);
		change(b + at, length);
		cursor_skip(&in, length);
	}
	return true;
}

static int fd_of(const uint8_t *b, size_t n)
{
	int fd = memfd_create("damaged", MFD_CLOEXEC);
	if (fd < 0 || write(fd, b, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET)) {
		perror("damaged: memfd");
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	unsigned long samples = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	if (!samples) {
		fprintf(stderr, "usage: damaged SAMPLES FILE...\n");
		return 2;
	}
	char **files = argv + 2;
	size_t n_files = (size_t)argc - 2;
	unsigned failures = 0;
	uint64_t packets[4] = { 0 };
	unsigned long done[4] = { 0 };
	for (size_t i = 0; i < n_files; i++) {
		int fd = open(files[i], O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			printf("%s: %s\n", files[i], strerror(errno));
			return 1;
		}
		packets[0] += run(fd, 1, "whole", files[i], &failures);
		done[0]++;
	}
	static const char *const how[] = { "whole", "cut", "bytes changed", "bytes of packets changed" };
	/* Of the files that are too large, or of another kind, another one is taken. */
	for (unsigned long tries = 0; tries < 20 * samples && done[3] < samples; tries++) {
		size_t n, at = next_random() % n_files;
		uint8_t *b = load(files[at], &n), *copy = b ? malloc(n) : NULL;
		for (unsigned k = 1; k < 4 && copy; k++) {
			if (done[k] >= samples)
				continue;
			memcpy(copy, b, n);
			size_t now = n;
			if (k == 1)
				now = next_random() % n;
			else if (k == 2)
				change(copy, n);
			else if (!change_packets(copy, n))
				continue;
			packets[k] += run(fd_of(copy, now), 1 + (unsigned)(tries % 2), how[k], files[at], &failures);
			done[k]++;
		}
		free(copy);
		free(b);
	}
	for (unsigned k = 0; k < 4; k++) {
		printf("%s: %lu files, %llu packets\n", how[k], done[k], (unsigned long long)packets[k]);
		if (k && done[k] < samples)
			failures++;
	}
	printf("%u with a ledger that does not close\n", failures);
	return failures != 0;
}
