#include "sensor/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"

/* A record is a header of two u32 (length, kind), its bytes, and padding to RECORD_ALIGN. Positions count bytes
 * since the beginning and never wrap in practice (2^64); the place in memory is the position modulo the size. */
enum { RECORD_HEADER = 8, RECORD_ALIGN = 8, RING_MIN_BYTES = 4096, PROGRESS_WORDS = 8 };

/* One cache line for each writer, so that the two do not take it from each other at every record. */
struct side {
	_Alignas(64) _Atomic uint64_t at;       /* producer: bytes put; consumer: bytes taken */
	_Atomic uint32_t turn;                  /* futex word: changes after every move of `at`, and at the end */
	_Atomic uint32_t ended;                 /* producer: done; consumer: abandoned */
	_Atomic uint32_t sleeping;              /* this side waits on the other side's `turn` */
};

struct shared {
	struct side producer, consumer;
	_Alignas(64) _Atomic uint64_t progress[PROGRESS_WORDS];
	/* The snapshot: `turn` is odd while it is written (a seqlock). */
	_Alignas(64) _Atomic uint64_t snapshot_turn, snapshot_bytes, snapshot[RING_SNAPSHOT_MAX / sizeof(uint64_t)];
};

/* Each process has its own copy of this after the fork; only `shared` and `data` are common. A side keeps its own
 * position here, so that the other one can lie about its own position only. */
struct ring {
	struct shared *shared;
	uint8_t *data;
	size_t bytes, map_bytes;
	uint64_t put_at, got_at;
};

_Static_assert(sizeof(struct ring_progress) == PROGRESS_WORDS * sizeof(uint64_t), "progress is u64 fields only");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "shared between processes: no hidden locks");

static void sleep_on(_Atomic uint32_t *word, uint32_t seen, unsigned ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	/* Without FUTEX_PRIVATE_FLAG: the other side is another process. Waking early for any reason is fine. */
	(void)syscall(SYS_futex, word, FUTEX_WAIT, seen, &t, NULL, 0);
}

static void wake(_Atomic uint32_t *word) { (void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); }

/* `mine` moved: the other side looks again if it sleeps and `worth` its while: waking costs more than many records.
 * Woken once, not again until it sleeps again: it needs time to get up, and each call in the meantime would be for
 * nothing. */
static void moved(struct side *mine, struct side *other, bool worth)
{
	atomic_fetch_add(&mine->turn, 1);       /* sequentially consistent: before the look at `sleeping` */
	if (worth && atomic_load(&other->sleeping) && atomic_exchange(&other->sleeping, 0))
		wake(&mine->turn);
}

int ring_new(size_t bytes, struct ring **ret)
{
	if (bytes < RING_MIN_BYTES || bytes & (bytes - 1) || bytes > (size_t)1 << 32)
		return -EINVAL;
	struct ring *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t head = (sizeof(struct shared) + page - 1) / page * page;
	r->bytes = bytes;
	r->map_bytes = head + bytes;
	int fd = memfd_create("spanward-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err = 0;
	if (fd < 0 || ftruncate(fd, (off_t)r->map_bytes) < 0)
		err = -errno;
	/* Nobody can shrink it later and make the other side's reads fault. */
	else if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		err = -errno;
	void *at = MAP_FAILED;
	if (!err) {
		at = mmap(NULL, r->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			err = -errno;
	}
	if (fd >= 0)
		(void)close(fd);
	if (err) {
		free(r);
		return err;
	}
	r->shared = at;
	r->data = (uint8_t *)at + head;
	*ret = r;
	return 0;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	(void)munmap(r->shared, r->map_bytes);
	free(r);
}

static void copy_in(struct ring *r, uint64_t at, const void *src, size_t n)
{
	size_t from = (size_t)(at & (r->bytes - 1)), first = r->bytes - from;
	if (first > n)
		first = n;
	if (first)
		memcpy(r->data + from, src, first);
	if (n > first)
		memcpy(r->data, (const uint8_t *)src + first, n - first);
}

static void copy_out(const struct ring *r, uint64_t at, void *dst, size_t n)
{
	size_t from = (size_t)(at & (r->bytes - 1)), first = r->bytes - from;
	if (first > n)
		first = n;
	if (first)
		memcpy(dst, r->data + from, first);
	if (n > first)
		memcpy((uint8_t *)dst + first, r->data, n - first);
}

static size_t record_bytes(size_t n) { return (RECORD_HEADER + n + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN; }

int ring_put(struct ring *r, enum ring_kind kind, struct span bytes, bool wait)
{
	struct side *me = &r->shared->producer, *other = &r->shared->consumer;
	if (bytes.n > RING_MAX_RECORD || record_bytes(bytes.n) > r->bytes)
		return -EMSGSIZE;
	size_t need = record_bytes(bytes.n);
	for (;;) {
		uint32_t turn = atomic_load(&other->turn);
		if (atomic_load(&other->ended))
			return -EPIPE;
		uint64_t used = r->put_at - atomic_load_explicit(&other->at, memory_order_acquire);
		if (used > r->bytes)
			return -EPIPE;          /* a consumer that says it took what was never put is none */
		if (r->bytes - used >= need)
			break;
		if (!wait)
			return -EAGAIN;
		atomic_store(&me->sleeping, 1);
		/* What was put without a flush must not wait for a consumer that waits for us. */
		if (atomic_load(&other->sleeping) && atomic_exchange(&other->sleeping, 0))
			wake(&me->turn);
		if (atomic_load(&other->turn) == turn)
			sleep_on(&other->turn, turn, 1000);
		atomic_store(&me->sleeping, 0);
	}
	const uint32_t header[2] = { (uint32_t)bytes.n, (uint32_t)kind };
	copy_in(r, r->put_at, header, RECORD_HEADER);
	copy_in(r, r->put_at + RECORD_HEADER, bytes.p, bytes.n);
	r->put_at += need;
	atomic_store_explicit(&me->at, r->put_at, memory_order_release);
	/* The consumer has a quarter of the ring before it; sooner it is ring_flush() that wakes it. */
	moved(me, other, r->put_at - atomic_load_explicit(&other->at, memory_order_relaxed) > r->bytes / 4);
	return 0;
}

void ring_flush(struct ring *r) { moved(&r->shared->producer, &r->shared->consumer, true); }

static void end_side(struct side *mine)
{
	atomic_store(&mine->ended, 1);
	atomic_fetch_add(&mine->turn, 1);
	wake(&mine->turn);
}

void ring_done(struct ring *r) { end_side(&r->shared->producer); }
void ring_abandon(struct ring *r) { end_side(&r->shared->consumer); }

static int take(struct ring *r, uint64_t used, enum ring_kind *kind, void *mem, size_t *n)
{
	uint32_t header[2];
	if (used > r->bytes || used < RECORD_HEADER)
		return ERR_CORRUPT;
	/* Read once into our own memory, then judged: the producer may change it under our eyes. */
	copy_out(r, r->got_at, header, RECORD_HEADER);
	if (header[0] > RING_MAX_RECORD || record_bytes(header[0]) > used || header[1] >= RING_KINDS)
		return ERR_CORRUPT;
	copy_out(r, r->got_at + RECORD_HEADER, mem, header[0]);
	r->got_at += record_bytes(header[0]);
	atomic_store_explicit(&r->shared->consumer.at, r->got_at, memory_order_release);
	/* A producer that waits for room has half of the ring before it is woken, not room for one record. */
	moved(&r->shared->consumer, &r->shared->producer, used - record_bytes(header[0]) <= r->bytes / 2);
	*kind = (enum ring_kind)header[1];
	*n = header[0];
	return 1;
}

int ring_get(struct ring *r, unsigned wait_ms, enum ring_kind *kind, void *mem, size_t *n)
{
	struct side *me = &r->shared->consumer, *other = &r->shared->producer;
	for (int tries = 0;; tries++) {
		uint32_t turn = atomic_load(&other->turn);
		bool ended = atomic_load(&other->ended);        /* before `at`: what was put before the end is seen */
		uint64_t used = atomic_load_explicit(&other->at, memory_order_acquire) - r->got_at;
		if (used)
			return take(r, used, kind, mem, n);
		if (ended)
			return -EPIPE;
		if (tries || !wait_ms)
			return 0;
		atomic_store(&me->sleeping, 1);
		if (atomic_load(&other->turn) == turn)
			sleep_on(&other->turn, turn, wait_ms);
		atomic_store(&me->sleeping, 0);
	}
}

void ring_progress_set(struct ring *r, const struct ring_progress *p)
{
	const uint64_t v[PROGRESS_WORDS] = { p->packets, p->bytes_read, p->bytes_total, p->ts_ns, p->events, p->generation,
					      p->kernel_drops, p->interface_drops };
	for (int i = 0; i < PROGRESS_WORDS; i++)
		atomic_store_explicit(&r->shared->progress[i], v[i], memory_order_relaxed);
}

void ring_progress_get(const struct ring *r, struct ring_progress *ret)
{
	uint64_t v[PROGRESS_WORDS];
	for (int i = 0; i < PROGRESS_WORDS; i++)
		v[i] = atomic_load_explicit(&r->shared->progress[i], memory_order_relaxed);
	*ret = (struct ring_progress){ .packets = v[0], .bytes_read = v[1], .bytes_total = v[2], .ts_ns = v[3],
	                               .events = v[4], .generation = v[5], .kernel_drops = v[6], .interface_drops = v[7] };
}

void ring_snapshot_set(struct ring *r, struct span bytes)
{
	struct shared *s = r->shared;
	if (bytes.n > RING_SNAPSHOT_MAX)
		return;
	uint64_t turn = atomic_load_explicit(&s->snapshot_turn, memory_order_relaxed);
	atomic_store_explicit(&s->snapshot_turn, turn + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&s->snapshot_bytes, bytes.n, memory_order_relaxed);
	for (size_t at = 0; at < bytes.n; at += sizeof(uint64_t)) {
		uint64_t word = 0;
		memcpy(&word, bytes.p + at, bytes.n - at < sizeof(word) ? bytes.n - at : sizeof(word));
		atomic_store_explicit(&s->snapshot[at / sizeof(word)], word, memory_order_relaxed);
	}
	atomic_store_explicit(&s->snapshot_turn, turn + 2, memory_order_release);
}

size_t ring_snapshot_get(const struct ring *r, void *mem, size_t max)
{
	struct shared *s = r->shared;
	for (int tries = 0; tries < 100; tries++) {
		uint64_t turn = atomic_load_explicit(&s->snapshot_turn, memory_order_acquire);
		uint64_t n = atomic_load_explicit(&s->snapshot_bytes, memory_order_relaxed);
		if (turn & 1 || n > max || n > RING_SNAPSHOT_MAX)
			continue;
		for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
			uint64_t word = atomic_load_explicit(&s->snapshot[at / sizeof(word)], memory_order_relaxed);
			memcpy((uint8_t *)mem + at, &word, n - at < sizeof(word) ? n - at : sizeof(word));
		}
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&s->snapshot_turn, memory_order_relaxed) == turn)
			return n;
	}
	return 0;
}
