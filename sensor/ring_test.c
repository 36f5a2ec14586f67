/* ring.c: what is put comes out, in order, across processes; a lying producer is an error, never a crash. */
/* Includes the source: the tests write into the shared memory as a hostile engine would. */
#include "core/test.h"
#include "sensor/ring.c"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

static uint8_t out[RING_MAX_RECORD];

static struct ring *make(size_t bytes)
{
	struct ring *r = NULL;
	CU_ASSERT_EQUAL_FATAL(ring_new(bytes, &r), 0);
	return r;
}

/* A record's length and content follow from its number, so a receiver can check both. */
static size_t length_of(uint32_t i, size_t most) { return (size_t)(i * 2654435761u >> 7) % (most + 1); }

static void fill(uint32_t i, uint8_t *mem, size_t n)
{
	for (size_t k = 0; k < n; k++)
		mem[k] = (uint8_t)(i * 31 + k);
}

static bool is_filled(uint32_t i, const uint8_t *mem, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (mem[k] != (uint8_t)(i * 31 + k))
			return false;
	return true;
}

static void refuses_odd_sizes(void)
{
	struct ring *r = NULL;
	CU_ASSERT_EQUAL(ring_new(0, &r), -EINVAL);
	CU_ASSERT_EQUAL(ring_new(2048, &r), -EINVAL);
	CU_ASSERT_EQUAL(ring_new(4097, &r), -EINVAL);
	CU_ASSERT_PTR_NULL(r);
	ring_free(NULL);
}

static void gives_back_in_order(void)
{
	struct ring *r = make(4096);
	enum ring_kind kind;
	size_t n;
	CU_ASSERT_EQUAL(ring_get(r, 0, &kind, out, &n), 0);
	CU_ASSERT_EQUAL(ring_put(r, RING_STATS, span_str("one"), false), 0);
	CU_ASSERT_EQUAL(ring_put(r, RING_END, (struct span){ 0 }, false), 0);
	CU_ASSERT_EQUAL(ring_get(r, 0, &kind, out, &n), 1);
	CU_ASSERT(kind == RING_STATS && n == 3 && !memcmp(out, "one", 3));
	CU_ASSERT_EQUAL(ring_get(r, 0, &kind, out, &n), 1);
	CU_ASSERT(kind == RING_END && n == 0);
	CU_ASSERT_EQUAL(ring_get(r, 1, &kind, out, &n), 0);
	ring_free(r);
}

static void wraps_at_every_offset(void)
{
	struct ring *r = make(4096);
	uint8_t in[600];
	enum ring_kind kind;
	size_t n;
	for (uint32_t i = 0; i < 4096; i++) {
		size_t len = length_of(i, sizeof(in));
		fill(i, in, len);
		CU_ASSERT_EQUAL_FATAL(ring_put(r, RING_OBSERVATION, (struct span){ in, len }, false), 0);
		CU_ASSERT_EQUAL_FATAL(ring_get(r, 0, &kind, out, &n), 1);
		CU_ASSERT_FATAL(kind == RING_OBSERVATION && n == len && is_filled(i, out, n));
	}
	CU_ASSERT(r->put_at > 4096 * 10);
	ring_free(r);
}

static void says_full_and_takes_again_after_room(void)
{
	struct ring *r = make(4096);
	uint8_t in[120] = { 0 };
	enum ring_kind kind;
	size_t n;
	int puts = 0, err;
	while (!(err = ring_put(r, RING_OBSERVATION, (struct span){ in, sizeof(in) }, false)))
		puts++;
	CU_ASSERT_EQUAL(err, -EAGAIN);
	CU_ASSERT_EQUAL(puts, 4096 / 128);
	CU_ASSERT_EQUAL(ring_get(r, 0, &kind, out, &n), 1);
	CU_ASSERT_EQUAL(ring_put(r, RING_OBSERVATION, (struct span){ in, sizeof(in) }, false), 0);
	CU_ASSERT_EQUAL(ring_put(r, RING_OBSERVATION, (struct span){ in, sizeof(in) }, false), -EAGAIN);
	ring_free(r);
}

static void takes_a_record_as_large_as_the_ring(void)
{
	struct ring *r = make(4096);
	static uint8_t in[4096];
	enum ring_kind kind;
	size_t n;
	CU_ASSERT_EQUAL(ring_put(r, RING_STATS, (struct span){ in, 4096 - RECORD_HEADER }, false), 0);
	CU_ASSERT_EQUAL(ring_get(r, 0, &kind, out, &n), 1);
	CU_ASSERT_EQUAL(n, 4096 - RECORD_HEADER);
	CU_ASSERT_EQUAL(ring_put(r, RING_STATS, (struct span){ in, 4096 - RECORD_HEADER + 1 }, true), -EMSGSIZE);
	ring_free(r);
	r = make(4 << 20);
	uint8_t *big = calloc(1, RING_MAX_RECORD + 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(big);
	CU_ASSERT_EQUAL(ring_put(r, RING_STATS, (struct span){ big, RING_MAX_RECORD }, false), 0);
	CU_ASSERT_EQUAL(ring_put(r, RING_STATS, (struct span){ big, RING_MAX_RECORD + 1 }, false), -EMSGSIZE);
	free(big);
	ring_free(r);
}

static void end_comes_after_what_was_put(void)
{
	struct ring *r = make(4096);
	enum ring_kind kind;
	size_t n;
	CU_ASSERT_EQUAL(ring_put(r, RING_STATS, span_str("x"), false), 0);
	ring_done(r);
	CU_ASSERT_EQUAL(ring_get(r, 1000, &kind, out, &n), 1);
	CU_ASSERT_EQUAL(ring_get(r, 1000, &kind, out, &n), -EPIPE);
	ring_free(r);
}

/* The child puts, waiting for room in a ring far smaller than the whole; the parent checks each record. */
static void carries_between_processes(void)
{
	enum { RECORDS = 200000 };
	struct ring *r = make(1 << 14);
	pid_t child = fork();
	if (child == 0) {
		uint8_t in[400];
		for (uint32_t i = 0; i < RECORDS; i++) {
			size_t len = length_of(i, sizeof(in));
			fill(i, in, len);
			if (ring_put(r, (enum ring_kind)(i % RING_KINDS), (struct span){ in, len }, true))
				_exit(1);
		}
		ring_done(r);
		_exit(0);
	}
	CU_ASSERT_FATAL(child > 0);
	enum ring_kind kind;
	size_t n;
	uint32_t i = 0;
	int got;
	while ((got = ring_get(r, 1000, &kind, out, &n)) >= 0) {
		if (!got)
			continue;
		if (kind != (enum ring_kind)(i % RING_KINDS) || n != length_of(i, 400) || !is_filled(i, out, n))
			break;
		i++;
	}
	CU_ASSERT_EQUAL(got, -EPIPE);
	CU_ASSERT_EQUAL(i, RECORDS);
	int status = -1;
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	ring_free(r);
}

static void abandoning_wakes_a_waiting_producer(void)
{
	struct ring *r = make(4096);
	pid_t child = fork();
	if (child == 0) {
		uint8_t in[1000] = { 0 };
		int err = 0;
		while (!err)
			err = ring_put(r, RING_STATS, (struct span){ in, sizeof(in) }, true);
		_exit(err == -EPIPE ? 7 : 1);
	}
	CU_ASSERT_FATAL(child > 0);
	/* Until it sleeps for want of room. */
	while (!atomic_load(&r->shared->producer.sleeping))
		(void)sched_yield();
	ring_abandon(r);
	int status = -1;
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	ring_free(r);
}

static void survives_a_producer_that_died(void)
{
	struct ring *r = make(4096);
	enum ring_kind kind;
	size_t n;
	pid_t child = fork();
	if (child == 0) {
		(void)ring_put(r, RING_STATS, span_str("last words"), true);
		(void)raise(SIGKILL);
	}
	CU_ASSERT_FATAL(child > 0);
	CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
	ring_done(r);   /* what the parent does on its behalf */
	CU_ASSERT_EQUAL(ring_get(r, 1000, &kind, out, &n), 1);
	CU_ASSERT_EQUAL(n, 10);
	CU_ASSERT_EQUAL(ring_get(r, 1000, &kind, out, &n), -EPIPE);
	ring_free(r);
}

static int get_with(uint64_t at, uint32_t len, uint32_t kind_word)
{
	struct ring *r = make(4096);
	enum ring_kind kind = RING_KINDS;
	size_t n = 12345;
	uint32_t header[2] = { len, kind_word };
	memcpy(r->data, header, sizeof(header));
	atomic_store(&r->shared->producer.at, at);
	int got = ring_get(r, 0, &kind, out, &n);
	if (got != 1)
		CU_ASSERT(kind == RING_KINDS && n == 12345);
	ring_free(r);
	return got;
}

static void rejects_what_does_not_add_up(void)
{
	CU_ASSERT_EQUAL(get_with(16, 8, RING_STATS), 1);        /* the good one, so that the others can fail */
	CU_ASSERT_EQUAL(get_with(16, 9, RING_STATS), ERR_CORRUPT);
	CU_ASSERT_EQUAL(get_with(4, 0, RING_STATS), ERR_CORRUPT);
	CU_ASSERT_EQUAL(get_with(4096, 4096 - 8, RING_STATS), 1);
	CU_ASSERT_EQUAL(get_with(4097, 8, RING_STATS), ERR_CORRUPT);
	CU_ASSERT_EQUAL(get_with(UINT64_MAX, 8, RING_STATS), ERR_CORRUPT);
	CU_ASSERT_EQUAL(get_with(4096, RING_MAX_RECORD + 1, RING_STATS), ERR_CORRUPT);
	CU_ASSERT_EQUAL(get_with(4096, UINT32_MAX, RING_STATS), ERR_CORRUPT);
	CU_ASSERT_EQUAL(get_with(4096, UINT32_MAX - 7, RING_STATS), ERR_CORRUPT);
	CU_ASSERT_EQUAL(get_with(16, 8, RING_KINDS), ERR_CORRUPT);
	CU_ASSERT_EQUAL(get_with(16, 8, UINT32_MAX), ERR_CORRUPT);
}

/* Random shared memory and positions: any answer but a crash, and it ends. */
static void survives_any_content(void)
{
	uint32_t x = 1;
	for (int round = 0; round < 300; round++) {
		struct ring *r = make(4096);
		for (size_t i = 0; i < r->bytes; i += 4) {
			x = x * 1664525u + 1013904223u;
			uint32_t v = round & 1 ? x >> 24 : x;
			memcpy(r->data + i, &v, 4);
		}
		atomic_store(&r->shared->producer.at, round % 3 ? x % 5000 : (uint64_t)x << 32 | x);
		enum ring_kind kind;
		size_t n;
		int got, steps = 0;
		while ((got = ring_get(r, 0, &kind, out, &n)) == 1 && ++steps < 5000)
			CU_ASSERT(n <= RING_MAX_RECORD);
		CU_ASSERT(steps < 5000);
		ring_free(r);
	}
}

static void producer_does_not_believe_the_consumer(void)
{
	struct ring *r = make(4096);
	atomic_store(&r->shared->consumer.at, 8);       /* took what was never put */
	CU_ASSERT_EQUAL(ring_put(r, RING_STATS, span_str("x"), true), -EPIPE);
	ring_free(r);
}

static void shows_progress(void)
{
	struct ring *r = make(4096);
	struct ring_progress p = { 1, 2, 3, 4, 5, 6, 7, 8 }, q = { 0 };
	ring_progress_set(r, &p);
	ring_progress_get(r, &q);
	CU_ASSERT_EQUAL(memcmp(&p, &q, sizeof(p)), 0);
	ring_free(r);
}

static void shows_the_last_snapshot_whole(void)
{
	struct ring *r = make(4096);
	static uint8_t given[RING_SNAPSHOT_MAX + 1], got[RING_SNAPSHOT_MAX];
	CU_ASSERT_EQUAL(ring_snapshot_get(r, got, sizeof(got)), 0);
	for (size_t i = 0; i < sizeof(given); i++)
		given[i] = (uint8_t)(i * 7);
	static const size_t lengths[] = { 1, 7, 8, 9, 1000, RING_SNAPSHOT_MAX };
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		ring_snapshot_set(r, (struct span){ given, lengths[i] });
		memset(got, 0, sizeof(got));
		CU_ASSERT_EQUAL(ring_snapshot_get(r, got, sizeof(got)), lengths[i]);
		CU_ASSERT_EQUAL(memcmp(given, got, lengths[i]), 0);
	}
	ring_snapshot_set(r, (struct span){ given, 5 });
	ring_snapshot_set(r, (struct span){ given, sizeof(given) });          /* too long: the old one stays */
	CU_ASSERT_EQUAL(ring_snapshot_get(r, got, sizeof(got)), 5);
	CU_ASSERT_EQUAL(ring_snapshot_get(r, got, 4), 0);
	/* A writer that died in the middle, and one that lies about the length. */
	atomic_fetch_add(&r->shared->snapshot_turn, 1);
	CU_ASSERT_EQUAL(ring_snapshot_get(r, got, sizeof(got)), 0);
	atomic_fetch_add(&r->shared->snapshot_turn, 1);
	atomic_store(&r->shared->snapshot_bytes, UINT64_MAX);
	CU_ASSERT_EQUAL(ring_snapshot_get(r, got, SIZE_MAX), 0);
	ring_free(r);
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "refuses_odd_sizes", refuses_odd_sizes },
		{ "gives_back_in_order", gives_back_in_order },
		{ "wraps_at_every_offset", wraps_at_every_offset },
		{ "says_full_and_takes_again_after_room", says_full_and_takes_again_after_room },
		{ "takes_a_record_as_large_as_the_ring", takes_a_record_as_large_as_the_ring },
		{ "end_comes_after_what_was_put", end_comes_after_what_was_put },
		{ "carries_between_processes", carries_between_processes },
		{ "abandoning_wakes_a_waiting_producer", abandoning_wakes_a_waiting_producer },
		{ "survives_a_producer_that_died", survives_a_producer_that_died },
		{ "rejects_what_does_not_add_up", rejects_what_does_not_add_up },
		{ "survives_any_content", survives_any_content },
		{ "producer_does_not_believe_the_consumer", producer_does_not_believe_the_consumer },
		{ "shows_progress", shows_progress },
		{ "shows_the_last_snapshot_whole", shows_the_last_snapshot_whole },
		CU_TEST_INFO_NULL,
	};
	return test_run("ring", cases);
}
