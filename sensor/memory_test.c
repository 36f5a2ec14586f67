/* What the engine takes at its start, and that it takes nothing more. Every allocation of the program and of its libraries
 * comes through here, but for those that the C library makes for itself. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <CUnit/Basic.h>

#include "core/test.h"
#include "sensor/engine.h"

#ifndef SPANWARD_SANITIZED
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static atomic_bool refusing;
static atomic_size_t refused, taken;

/* True when the caller is to be told that there is no memory. */
static bool refuse(size_t n)
{
	taken += n;
	if (!refusing)
		return false;
	refused++;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t n) { return refuse(n) ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return refuse(n * size) ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return refuse(n) ? NULL : __libc_realloc(p, n); }
void *aligned_alloc(size_t align, size_t n) { return refuse(n) ? NULL : __libc_memalign(align, n); }
int posix_memalign(void **ret, size_t align, size_t n)
{
	*ret = refuse(n) ? NULL : __libc_memalign(align, n);
	return *ret ? 0 : ENOMEM;
}
void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
	return refuse(n) ? MAP_FAILED : (void *)syscall(SYS_mmap, at, n, prot, flags, fd, offset);
}

static void nothing_is_more_than_the_budget(void)
{
	for (unsigned workers = 1; workers <= 4; workers++)
		for (size_t mib = ENGINE_MEMORY_MIN >> 20; mib <= 4096; mib *= 2) {
			struct engine_config c, before;
			engine_defaults(&c);
			c.workers = workers;
			before = c;
			int err = engine_budget(&c, mib << 20);
			CU_ASSERT(!err || (err == -ENOMEM && workers > 1 && mib < 40 * (workers + 1) && c.flows == before.flows));
			if (err)
				continue;
			/* Nothing to speak of is left over: the tables that grow by doubling may leave some. */
			CU_ASSERT(engine_bytes(&c) <= mib << 20);
			if (mib > 512)
				CU_ASSERT(engine_bytes(&c) > (mib << 20) / 2);
			before.memory = mib << 20;
			size_t had = taken;
			struct engine *e = engine_new(&before);
			CU_ASSERT_PTR_NOT_NULL_FATAL(e);
			CU_ASSERT(taken - had <= engine_bytes(&c));
			CU_ASSERT(taken - had > engine_bytes(&c) / 100 * 99);
			engine_free(e);
		}
	struct engine_config c;
	engine_defaults(&c);
	CU_ASSERT_EQUAL(engine_budget(&c, 8 << 20), -ENOMEM);
	c.memory = 8 << 20;
	CU_ASSERT_PTR_NULL(engine_new(&c));
}

struct reader { struct ring *ring; uint8_t *mem; uint64_t records; };

static void *read_all(void *arg)
{
	struct reader *r = arg;
	enum ring_kind kind;
	size_t n = 0;
	for (int got; (got = ring_get(r->ring, 1000, &kind, r->mem, &n)) >= 0;) {
		r->records += got == 1 && kind <= RING_OBSERVATION;
		if (got == 1 && kind == RING_END)
			break;
	}
	return NULL;
}

/* The captures of the tree, as many as one engine reads, as one timeline. */
static uint64_t replay(unsigned workers, size_t flows)
{
	static const char *const patterns[] = { "test-pcaps/demo/*.pcap", "test-pcaps/*/*.pcap", "test-pcaps/*/*.pcapng",
						"test-pcaps/*.pcap" };
	glob_t g = { 0 };
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		(void)glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &g);
	int fds[SOURCE_MAX_FILES];
	size_t n = 0;
	for (; n < g.gl_pathc && n < SOURCE_MAX_FILES; n++) {
		fds[n] = open(g.gl_pathv[n], O_RDONLY | O_CLOEXEC);
		CU_ASSERT_FATAL(fds[n] >= 0);
	}
	CU_ASSERT_FATAL(n > 20);
	globfree(&g);
	struct engine_config c;
	engine_defaults(&c);
	c.sensor = "test";
	c.workers = workers;
	c.observations = c.flow_events = true;
	if (flows)
		c.flows = flows;
	struct source *s = source_open_files(fds, n);
	struct engine *e = engine_new(&c);
	struct reader r = { .mem = malloc(RING_MAX_RECORD) };
	CU_ASSERT_FATAL(s && e && r.mem && ring_new(1 << 20, &r.ring) == 0);
	pthread_t thread;
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, read_all, &r) == 0 && engine_start(e) == 0);
	refused = 0;
	refusing = true;
	int err = engine_run(e, s, r.ring, NULL, NULL);
	refusing = false;
	CU_ASSERT_EQUAL(err, 0);
	CU_ASSERT_EQUAL(refused, 0);
	(void)pthread_join(thread, NULL);
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_NOT_EQUAL(source_result(s, i)->err, -ENOMEM);
	engine_free(e);
	source_close(s);
	ring_free(r.ring);
	free(r.mem);
	return r.records;
}

static void nothing_is_taken_after_the_start(void)
{
	uint64_t records = replay(1, 0);
	CU_ASSERT(records > 1000);
	CU_ASSERT_EQUAL(replay(3, 0), records);
	CU_ASSERT(replay(2, 64) > 1000);        /* and with every table full */
}

/* It would be seen. */
static void an_allocation_would_be_refused(void)
{
	refusing = true;
	void *volatile p = malloc(1);
	refusing = false;
	CU_ASSERT_PTR_NULL(p);
	CU_ASSERT(refused > 0);
}
#endif

int main(void)
{
	CU_TestInfo cases[] = {
#ifndef SPANWARD_SANITIZED
		{ "nothing_is_more_than_the_budget", nothing_is_more_than_the_budget },
		{ "nothing_is_taken_after_the_start", nothing_is_taken_after_the_start },
		{ "an_allocation_would_be_refused", an_allocation_would_be_refused },
#endif
		CU_TEST_INFO_NULL,
	};
#ifdef SPANWARD_SANITIZED
	(void)cases;
	puts("skipped: the sanitizer has an allocator of its own");
	return 77;
#else
	return test_run("memory", cases);
#endif
}
