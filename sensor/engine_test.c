#include "sensor/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <CUnit/Basic.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/event.h"
#include "core/observation.h"
#include "sensor/account.h"

/* ---- no allocation after start ---- */

static volatile int armed, allocations;

#ifndef SPANWARD_SANITIZED
/* glibc's own names; these take the place of malloc and its kin for the whole program. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);
void *memalign(size_t align, size_t n);
void *aligned_alloc(size_t align, size_t n);

static void seen(void)
{
	if (armed)
		__atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t n)
{
	seen();
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	seen();
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	seen();
	return __libc_realloc(p, n);
}

void *memalign(size_t align, size_t n)
{
	seen();
	return __libc_memalign(align, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	seen();
	return __libc_memalign(align, n);
}
#endif

/* ---- making captures ---- */

enum { CAPTURE = 24 << 20, RING = 64 << 20, RESULT = 48 << 20 };

struct capture { uint8_t *bytes; size_t n; uint64_t ts_us; };

static void add(struct capture *c, const void *p, size_t n)
{
	CU_ASSERT_FATAL(c->n + n <= CAPTURE);
	memcpy(c->bytes + c->n, p, n);
	c->n += n;
}

static void add_le32(struct capture *c, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
	add(c, b, 4);
}

static void capture_new(struct capture *c)
{
	static const uint8_t head[24] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, [18] = 4, [20] = 1 };
	*c = (struct capture){ .bytes = malloc(CAPTURE), .ts_us = UINT64_C(1700000000000000) };
	CU_ASSERT_PTR_NOT_NULL_FATAL(c->bytes);
	add(c, head, sizeof(head));
}

static int capture_fd(const struct capture *c)
{
	int fd = memfd_create("capture", 0);
	CU_ASSERT_FATAL(fd >= 0 && write(fd, c->bytes, c->n) == (ssize_t)c->n && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

struct end { uint8_t host; uint16_t port; };

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static void packet(struct capture *c, bool tcp, struct end from, struct end to, unsigned flags, uint32_t seq,
		   uint32_t ack, const uint8_t *data, size_t n)
{
	uint8_t h[54] = { 2, 0, 0, 0, 0, to.host, 2, 0, 0, 0, 0, from.host, 8, 0, 0x45 };
	size_t l4 = tcp ? 20 : 8;
	put16(h + 16, (unsigned)(20 + l4 + n));
	h[22] = 64;
	h[23] = tcp ? 6 : 17;
	h[26] = h[30] = 10;
	h[29] = from.host;
	h[33] = to.host;
	put16(h + 34, from.port);
	put16(h + 36, to.port);
	if (tcp) {
		put32(h + 38, seq);
		put32(h + 42, ack);
		h[46] = 0x50;
		h[47] = (uint8_t)flags;
		put16(h + 48, 60000);
	} else {
		put16(h + 38, (unsigned)(8 + n));
	}
	c->ts_us += 37;
	add_le32(c, (uint32_t)(c->ts_us / 1000000));
	add_le32(c, (uint32_t)(c->ts_us % 1000000));
	add_le32(c, (uint32_t)(34 + l4 + n));
	add_le32(c, (uint32_t)(34 + l4 + n));
	add(c, h, 34 + l4);
	if (n)
		add(c, data, n);
}

enum { SYN = 2, RST = 4, ACK = 16, FIN = 1 };

/* A TCP connection that says a turn of one side after a turn of the other. */
struct talk { struct end client, server; uint32_t next[2]; };

static void talk_open(struct capture *c, struct talk *t, struct end client, struct end server, uint32_t isn)
{
	*t = (struct talk){ client, server, { isn + 1, 7 * isn + 1 } };
	packet(c, true, client, server, SYN, isn, 0, NULL, 0);
	packet(c, true, server, client, SYN | ACK, 7 * isn, t->next[0], NULL, 0);
	packet(c, true, client, server, ACK, t->next[0], t->next[1], NULL, 0);
}

static void talk_say(struct capture *c, struct talk *t, unsigned dir, const uint8_t *p, size_t n, size_t segment)
{
	for (size_t at = 0; at < n;) {
		size_t now = segment < n - at ? segment : n - at;
		const struct end from = dir ? t->server : t->client, to = dir ? t->client : t->server;
		packet(c, true, from, to, ACK, t->next[dir], t->next[!dir],
		       p + at, now);
		t->next[dir] += (uint32_t)now;
		at += now;
	}
}

static void talk_close(struct capture *c, struct talk *t)
{
	packet(c, true, t->client, t->server, FIN | ACK, t->next[0], t->next[1], NULL, 0);
	packet(c, true, t->server, t->client, FIN | ACK, t->next[1], t->next[0] + 1, NULL, 0);
	packet(c, true, t->client, t->server, ACK, t->next[0] + 1, t->next[1] + 1, NULL, 0);
}

static size_t hl7_message(char *out, size_t cap, unsigned id, bool ack)
{
	int n = snprintf(out, cap,
			 ack ? "\x0bMSH|^~\\&|RIS|HOSP|HIS|HOSP|20240101||ACK^A01|A%u|P|2.3\rMSA|AA|%u\r\x1c\r"
			     : "\x0bMSH|^~\\&|HIS|HOSP|RIS|HOSP|20240101||ADT^A01|%u|P|2.3\rEVN|%u\rPID|1||1\r\x1c\r",
			 id, id);
	return (size_t)n;
}

static void hl7_turns(struct capture *c, struct talk *t, unsigned from, unsigned n, size_t segment)
{
	char text[300];
	for (unsigned i = from; i < from + n; i++)
		for (unsigned dir = 0; dir < 2; dir++)
			talk_say(c, t, dir, (uint8_t *)text, hl7_message(text, sizeof(text), i, dir), segment);
}

static void item(struct buf *b, uint8_t type, const char *text)
{
	buf_u8(b, type);
	buf_u8(b, 0);
	buf_u16be(b, (uint16_t)strlen(text));
	buf_str(b, text);
}

/* PS3.8 9.3.2, 9.3.3: an association for Verification; `ac` accepts it. */
static size_t dicom_associate(uint8_t *out, size_t cap, bool ac)
{
	struct buf b = buf_over(out, cap);
	buf_u8(&b, ac ? 2 : 1);
	buf_u8(&b, 0);
	buf_u32be(&b, 0);
	buf_u16be(&b, 1);
	buf_u16be(&b, 0);
	buf_put(&b, "ANY-SCP         ECHOSCU         ", 32);
	for (int i = 0; i < 32; i++)
		buf_u8(&b, 0);
	item(&b, 0x10, "1.2.840.10008.3.1.1.1");
	size_t context = b.len;
	buf_u8(&b, ac ? 0x21 : 0x20);
	buf_u8(&b, 0);
	buf_u16be(&b, 0);
	buf_u32be(&b, 0x01000000);
	if (!ac)
		item(&b, 0x30, "1.2.840.10008.1.1");
	item(&b, 0x40, "1.2.840.10008.1.2");
	put16(out + context + 2, (unsigned)(b.len - context - 4));
	size_t user = b.len;
	buf_u32be(&b, 0x50000000);
	buf_u32be(&b, 0x51000004);
	buf_u32be(&b, 16384);
	item(&b, 0x52, "1.2.3.4");
	put16(out + user + 2, (unsigned)(b.len - user - 4));
	put32(out + 2, (uint32_t)(b.len - 6));
	return b.len;
}

static void element(struct buf *b, unsigned number, const void *value, size_t n)
{
	uint8_t h[8] = { 0, 0, (uint8_t)number, (uint8_t)(number >> 8), (uint8_t)n };
	buf_put(b, h, 8);
	buf_put(b, value, n);
}

static size_t dicom_echo(uint8_t *out, size_t cap, bool rsp)
{
	static const uint8_t one[2] = { 1, 0 }, none[2] = { 1, 1 }, success[2] = { 0, 0 };
	const uint8_t command[2] = { 0x30, rsp ? 0x80 : 0 };
	struct buf b = buf_over(out, cap);
	buf_u16be(&b, 0x0400);
	for (int i = 0; i < 8; i++)
		buf_u8(&b, 0);
	buf_u8(&b, 1);
	buf_u8(&b, 3);
	element(&b, 0x0000, "\x38\0\0\0", 4);
	element(&b, 0x0002, "1.2.840.10008.1.1\0", 18);
	element(&b, 0x0100, command, 2);
	element(&b, rsp ? 0x0120 : 0x0110, one, 2);
	element(&b, 0x0800, none, 2);
	if (rsp)
		element(&b, 0x0900, success, 2);
	out[20] = (uint8_t)(b.len - 12 - 12);   /* group length: what follows it */
	put32(out + 2, (uint32_t)(b.len - 6));
	put32(out + 6, (uint32_t)(b.len - 10));
	return b.len;
}

static void dicom_turns(struct capture *c, struct talk *t, size_t segment)
{
	uint8_t m[600];
	for (unsigned dir = 0; dir < 2; dir++)
		talk_say(c, t, dir, m, dicom_associate(m, sizeof(m), dir), segment);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned dir = 0; dir < 2; dir++)
			talk_say(c, t, dir, m, dicom_echo(m, sizeof(m), dir), segment);
	static const uint8_t release[2][10] = { { 5, 0, 0, 0, 0, 4 }, { 6, 0, 0, 0, 0, 4 } };
	for (unsigned dir = 0; dir < 2; dir++)
		talk_say(c, t, dir, release[dir], 10, segment);
}

/* Many flows at once, of every kind, with packets exchanged, lost and sent twice. */
static void make_busy(struct capture *c)
{
	enum { TALKS = 600 };
	static struct talk talks[TALKS];
	capture_new(c);
	uint32_t seed = 7;
	for (unsigned i = 0; i < TALKS; i++) {
		struct end client = { (uint8_t)(1 + i % 40), (uint16_t)(20000 + i) };
		struct end server = { (uint8_t)(100 + i % 7), 2575 };
		if (i % 3 == 1)
			server.port = 104;
		if (i % 3 == 2)
			server.port = (uint16_t)(5000 + i % 50);
		talk_open(c, &talks[i], client, server, i * 7919);
	}
	for (int step = 0; step < 6000; step++) {
		seed = seed * 1664525 + 1013904223;
		unsigned i = (seed >> 10) % TALKS, segment = 1 + (seed >> 20) % 200;
		struct talk *t = &talks[i];
		size_t before = c->n;
		struct talk was = *t;
		if (i % 3 == 0)
			hl7_turns(c, t, (unsigned)step, 1, segment);
		else if (i % 3 == 1)
			dicom_turns(c, t, segment);
		else
			talk_say(c, t, step & 1, (const uint8_t *)"GETX nothing we know", 20, 20);
		if (seed % 11 == 0)
			c->n = before;                  /* lost */
		else if (seed % 13 == 0)
			hl7_turns(c, &was, (unsigned)step, 1, segment); /* sent again, sometimes with other bytes */
		if (seed % 5 == 0)
			packet(c, false, (struct end){ (uint8_t)(seed >> 24), (uint16_t)(seed >> 9) },
			       (struct end){ 200, 514 }, 0, 0, 0, (const uint8_t *)"<13>a line", 10);
		if (seed % 17 == 0)
			packet(c, true, (struct end){ 77, (uint16_t)(seed >> 8) },
			       (struct end){ 100, (uint16_t)step }, SYN, seed, 0, NULL, 0);
		if (seed % 301 == 0)
			talk_close(c, t);
		if (seed % 997 == 0)
			c->ts_us += 70 * 1000000;
	}
}

/* ---- running ---- */

struct result { uint8_t *bytes; size_t n; struct stats st; unsigned kinds[RING_KINDS]; int err; bool allocated; };

static struct engine_config config(void)
{
	struct engine_config c;
	engine_defaults(&c);
	c.flows = 1 << 14;
	c.stream_bytes = 16 << 20;
	c.assets = 1024;
	c.folds = 1024;
	c.observations = true;
	c.flow_events = true;
	return c;
}

static void result_done(struct result *r) { free(r->bytes); }

static void run(const struct engine_config *c, const struct capture *caps, size_t n, struct result *ret)
{
	int fds[8];
	*ret = (struct result){ .bytes = malloc(RESULT) };
	static uint8_t mem[RING_MAX_RECORD];
	struct ring *ring = NULL;
	CU_ASSERT_FATAL(ret->bytes && ring_new(RING, &ring) == 0);
	for (size_t i = 0; i < n; i++)
		fds[i] = capture_fd(&caps[i]);
	struct engine *e = engine_new(c);
	struct source *s = source_open_files(fds, n);
	CU_ASSERT_FATAL(e && s);
	CU_ASSERT_EQUAL_FATAL(engine_start(e), 0);
	allocations = 0;
	armed = 1;
	ret->err = engine_run(e, s, ring, NULL, NULL);
	armed = 0;
	ret->allocated = allocations > 0;
	ring_done(ring);
	enum ring_kind kind;
	size_t got;
	while (ring_get(ring, 0, &kind, mem, &got) == 1) {
		if (kind == RING_ACCOUNT && mem[0] == ACCOUNT_WORKER)
			continue;       /* what each worker did: the one thing that depends on how many there are */
		uint8_t head[5] = { (uint8_t)kind };
		put32(head + 1, (uint32_t)got);
		CU_ASSERT_FATAL(ret->n + got + 5 <= RESULT);
		memcpy(ret->bytes + ret->n, head, 5);
		memcpy(ret->bytes + ret->n + 5, mem, got);
		ret->n += got + 5;
		ret->kinds[kind]++;
		if (kind == RING_STATS) {
			struct cursor in = cursor_from((struct span){ mem, got });
			for (int i = 0; i < STATS_COUNTERS; i++)
				ret->st.v[i] = cursor_u64be(&in);
			CU_ASSERT(cursor_ok(&in) && !cursor_left(&in));
			for (int l = 1; l < STATS_LEDGERS; l++)
				CU_ASSERT_EQUAL(stats_ledger_open(&ret->st, (enum stats_ledger)l), 0);
		}
	}
	source_close(s);
	engine_free(e);
	ring_free(ring);
}

/* The records of a result, one after the other. */
static bool next_record(const struct result *r, size_t *at, unsigned *kind, struct span *bytes)
{
	struct cursor in = cursor_from(span_from((struct span){ r->bytes, r->n }, *at));
	*kind = cursor_u8(&in);
	*bytes = cursor_take(&in, cursor_u32be(&in));
	*at += 5 + bytes->n;
	return cursor_ok(&in);
}

static bool next_observation(const struct result *r, size_t *at, struct observation *ret)
{
	static struct vocab_scratch scratch;
	unsigned kind = 0;
	struct span bytes;
	while (next_record(r, at, &kind, &bytes))
		if (kind == RING_OBSERVATION) {
			struct cursor in = cursor_from(bytes);
			CU_ASSERT_EQUAL_FATAL(vocab_decode(&observation_vocab, &ret->head, &scratch, &in, NULL), 0);
			return true;
		}
	return false;
}

static unsigned count_type(const struct result *r, enum observation_type type)
{
	struct observation o;
	unsigned n = 0;
	for (size_t at = 0; next_observation(r, &at, &o);)
		n += o.head.type == type;
	return n;
}

/* Everything the dissectors said, as JSON lines without what depends on the cutting. */
static char *dissected(const struct result *r)
{
	struct buf b = buf_over(malloc(1 << 20), 1 << 20);
	struct observation o;
	CU_ASSERT_PTR_NOT_NULL_FATAL(b.data);
	for (size_t at = 0; next_observation(r, &at, &o);) {
		if (o.head.type == OBSERVATION_FLOW_END)
			continue;
		o.head.present[0] &= ~(UINT64_C(1) << OBSERVATION_F_packet | UINT64_C(1) << OBSERVATION_F_ts);
		vocab_json(&observation_vocab, &o.head, &b);
		buf_u8(&b, '\n');
	}
	buf_u8(&b, 0);
	CU_ASSERT_FALSE(b.full);
	return (char *)b.data;
}

/* ---- cases ---- */

static void same_records(const struct engine_config *c, const struct capture *cap, struct result *first)
{
	static const unsigned workers[] = { 1, 2, 8 };
	for (size_t i = 0; i < 3; i++) {
		struct engine_config now = *c;
		struct result r;
		now.workers = workers[i];
		run(&now, cap, 1, &r);
		CU_ASSERT_EQUAL(r.err, 0);
		CU_ASSERT_FALSE(r.allocated);
		if (!i) {
			*first = r;
			continue;
		}
		CU_ASSERT_EQUAL(r.n, first->n);
		CU_ASSERT(r.n == first->n && !memcmp(r.bytes, first->bytes, r.n));
		result_done(&r);
	}
}

static void an_allocation_would_be_seen(void)
{
#ifndef SPANWARD_SANITIZED
	armed = 1;
	void *volatile p = malloc(1);
	armed = 0;
	free(p);
	CU_ASSERT(allocations > 0);
#endif
}

static void workers_do_not_change_a_byte(void)
{
	struct capture cap;
	struct engine_config c = config();
	struct result r;
	make_busy(&cap);
	same_records(&c, &cap, &r);
	CU_ASSERT_EQUAL(r.kinds[RING_END], 1);
	CU_ASSERT_EQUAL(r.kinds[RING_STATS], 1);
	CU_ASSERT_EQUAL(r.kinds[RING_FILE_RESULT], 1);
	CU_ASSERT(count_type(&r, OBSERVATION_HL7_MESSAGE) > 500);
	CU_ASSERT(count_type(&r, OBSERVATION_DICOM_ASSOCIATE_REQUEST) > 100);
	CU_ASSERT_EQUAL(count_type(&r, OBSERVATION_FLOW_END), r.st.v[STATS_flows]);
	CU_ASSERT_EQUAL(r.kinds[RING_OBSERVATION], r.st.v[STATS_observations] + r.st.v[STATS_flow_observations]);
	CU_ASSERT_EQUAL(r.kinds[RING_EVENT_ALERTS] + r.kinds[RING_EVENT_TELEMETRY], r.st.v[STATS_events]);
	CU_ASSERT_EQUAL(r.st.v[STATS_flows_evicted], 0);
	CU_ASSERT(r.st.v[STATS_flows_idle] > 0);
	result_done(&r);
	free(cap.bytes);
}

static void nor_do_they_when_every_budget_overflows(void)
{
	struct capture cap;
	struct engine_config c = config();
	struct result r;
	make_busy(&cap);
	c.flows = 64;
	c.stream_bytes = 64 << 10;
	c.probes = 64;
	c.states = 64;
	c.assets = 16;
	c.folds = 16;
	same_records(&c, &cap, &r);
	CU_ASSERT(r.st.v[STATS_flows_evicted] > 100);
	CU_ASSERT_EQUAL(count_type(&r, OBSERVATION_FLOW_END), r.st.v[STATS_flows]);
	result_done(&r);
	c.flows = 1 << 12;
	c.stream_bytes = 16 << 10;
	same_records(&c, &cap, &r);
	CU_ASSERT(r.st.v[STATS_state_dropped] > 0);
	CU_ASSERT(r.st.v[STATS_probe_dropped] > 0);
	CU_ASSERT(r.st.v[STATS_stream_dropped_bytes] > 0);
	CU_ASSERT(r.st.v[STATS_stream_gaps] > 0);
	result_done(&r);
	free(cap.bytes);
}

static void two_runs_are_one(void)
{
	struct capture cap;
	struct engine_config c = config();
	struct result a, b;
	make_busy(&cap);
	run(&c, &cap, 1, &a);
	run(&c, &cap, 1, &b);
	CU_ASSERT(a.n == b.n && !memcmp(a.bytes, b.bytes, a.n));
	result_done(&a);
	result_done(&b);
	free(cap.bytes);
}

static void cutting_does_not_change_what_is_read(void)
{
	static const size_t segments[] = { 100000, 1, 2, 5, 6, 7, 10, 536, 1448 };
	char *whole[2] = { NULL, NULL };
	for (size_t k = 0; k < sizeof(segments) / sizeof(segments[0]); k++)
		for (int kind = 0; kind < 2; kind++) {
			struct capture cap;
			struct talk t;
			struct result r;
			struct engine_config c = config();
			capture_new(&cap);
			talk_open(&cap, &t, (struct end){ 1, 50000 }, (struct end){ 2, 9999 }, UINT32_MAX - 300);
			if (kind)
				dicom_turns(&cap, &t, segments[k]);
			else
				hl7_turns(&cap, &t, 1, 5, segments[k]);
			talk_close(&cap, &t);
			run(&c, &cap, 1, &r);
			char *text = dissected(&r);
			if (!k) {
				whole[kind] = text;
				CU_ASSERT_EQUAL(count_type(&r, OBSERVATION_HL7_MESSAGE), kind ? 0 : 5);
				CU_ASSERT_EQUAL(count_type(&r, OBSERVATION_HL7_ACK), kind ? 0 : 5);
				CU_ASSERT_EQUAL(count_type(&r, OBSERVATION_DICOM_COMMAND), kind ? 4 : 0);
				CU_ASSERT_EQUAL(count_type(&r, OBSERVATION_DICOM_RELEASE), kind ? 2 : 0);
			} else {
				CU_ASSERT_STRING_EQUAL(text, whole[kind]);
				free(text);
			}
			result_done(&r);
			free(cap.bytes);
		}
	free(whole[0]);
	free(whole[1]);
}

static void files_are_numbered_when_there_are_several(void)
{
	struct capture cap[2];
	struct engine_config c = config();
	struct result r;
	struct observation o;
	for (int i = 0; i < 2; i++) {
		struct talk t;
		capture_new(&cap[i]);
		cap[i].ts_us += (uint64_t)i * 86400 * 1000000 * 400;    /* a year apart: no outlier */
		talk_open(&cap[i], &t, (struct end){ 1, 50000 }, (struct end){ 2, (uint16_t)(9000 + i) }, 5);
		hl7_turns(&cap[i], &t, 1, 1, 1000);
	}
	run(&c, cap, 2, &r);
	unsigned seen_files = 0;
	for (size_t at = 0; next_observation(&r, &at, &o);) {
		CU_ASSERT(observation_has(&o, OBSERVATION_F_file));
		CU_ASSERT(o.packet >= 1 && o.packet <= 5);
		if (o.head.type == OBSERVATION_FLOW_OPEN) {
			CU_ASSERT_EQUAL(o.file, o.dst.port - 9000 + 1);
			CU_ASSERT_EQUAL(o.flow, (o.file - 1) * 5 + 1);
			seen_files |= 1u << o.file;
		}
	}
	CU_ASSERT_EQUAL(seen_files, 6);
	CU_ASSERT_EQUAL(r.st.v[STATS_time_outlier], 0);
	CU_ASSERT_EQUAL(r.kinds[RING_FILE_RESULT], 2);
	/* The first file's flow ended by its timer, not with the capture. */
	CU_ASSERT_EQUAL(r.st.v[STATS_flows_idle], 1);
	result_done(&r);
	run(&c, cap, 1, &r);
	for (size_t at = 0; next_observation(&r, &at, &o);)
		CU_ASSERT_FALSE(observation_has(&o, OBSERVATION_F_file));
	result_done(&r);
	free(cap[0].bytes);
	free(cap[1].bytes);
}

static void stamps_that_leap_are_clamped_and_counted(void)
{
	struct capture cap;
	struct engine_config c = config();
	struct result r;
	struct observation o;
	const struct end a = { 1, 1000 }, b = { 2, 2000 };
	capture_new(&cap);
	uint64_t start = cap.ts_us;
	packet(&cap, false, a, b, 0, 0, 0, NULL, 0);
	cap.ts_us += UINT64_C(90000) * 1000000;
	packet(&cap, false, a, b, 0, 0, 0, NULL, 0);            /* alone a day ahead: not believed */
	cap.ts_us = start + 1000000;
	packet(&cap, false, a, b, 0, 0, 0, NULL, 0);
	cap.ts_us = start + 500000;
	packet(&cap, false, a, b, 0, 0, 0, NULL, 0);            /* backward */
	cap.ts_us += UINT64_C(200000) * 1000000;
	for (int i = 0; i < 3; i++)
		packet(&cap, false, a, b, 0, 0, 0, NULL, 0);    /* three agree: time has really passed */
	run(&c, &cap, 1, &r);
	CU_ASSERT_EQUAL(r.st.v[STATS_time_outlier], 3);
	CU_ASSERT_EQUAL(r.st.v[STATS_time_backward], 1);
	uint64_t last = 0;
	for (size_t at = 0; next_observation(&r, &at, &o);)
		last = o.ts;
	CU_ASSERT_EQUAL(last / CLOCK_SECOND, cap.ts_us / 1000000);
	result_done(&r);
	free(cap.bytes);
}

static void an_empty_capture_ends_well(void)
{
	struct capture cap;
	struct engine_config c = config();
	struct result r;
	capture_new(&cap);
	run(&c, &cap, 1, &r);
	CU_ASSERT_EQUAL(r.err, 0);
	CU_ASSERT_EQUAL(r.kinds[RING_OBSERVATION], 0);
	CU_ASSERT_EQUAL(r.kinds[RING_END], 1);
	CU_ASSERT_EQUAL(r.st.v[STATS_packets], 0);
	result_done(&r);
	free(cap.bytes);
}

static int stop_after_three(void *arg)
{
	unsigned *n = arg;
	return ++*n == 3;
}

static void poll_stops_at_a_batch_boundary(void)
{
	struct capture cap;
	struct engine_config c = config();
	make_busy(&cap);
	int fd = capture_fd(&cap);
	struct ring *ring = NULL;
	struct engine *e = engine_new(&c);
	struct source *s = source_open_files(&fd, 1);
	CU_ASSERT_FATAL(e && s && ring_new(RING, &ring) == 0);
	unsigned polls = 0;
	CU_ASSERT_EQUAL(engine_start(e), 0);
	CU_ASSERT_EQUAL(engine_run(e, s, ring, stop_after_three, &polls), 0);
	struct ring_progress p;
	ring_progress_get(ring, &p);
	CU_ASSERT_EQUAL(p.packets, 3 * ENGINE_BATCH);
	source_close(s);
	engine_free(e);
	ring_free(ring);
	free(cap.bytes);
}

static void a_reader_that_has_gone_stops_the_engine(void)
{
	struct capture cap;
	struct engine_config c = config();
	make_busy(&cap);
	int fd = capture_fd(&cap);
	struct ring *ring = NULL;
	c.workers = 2;
	struct engine *e = engine_new(&c);
	struct source *s = source_open_files(&fd, 1);
	CU_ASSERT_FATAL(e && s && ring_new(1 << 20, &ring) == 0);
	ring_abandon(ring);
	CU_ASSERT_EQUAL(engine_start(e), 0);
	CU_ASSERT_EQUAL(engine_run(e, s, ring, NULL, NULL), -EPIPE);
	source_close(s);
	engine_free(e);
	ring_free(ring);
	free(cap.bytes);
}

static void wrong_numbers_of_workers_are_refused(void)
{
	struct engine_config c = config();
	c.workers = 0;
	CU_ASSERT_PTR_NULL(engine_new(&c));
	c.workers = ENGINE_MAX_WORKERS + 1;
	CU_ASSERT_PTR_NULL(engine_new(&c));
	engine_free(NULL);
}

int main(void)
{
	CU_initialize_registry();
	CU_pSuite suite = CU_add_suite("engine", NULL, NULL);
#define T(name) CU_add_test(suite, #name, name)
	T(an_allocation_would_be_seen);
	T(workers_do_not_change_a_byte);
	T(nor_do_they_when_every_budget_overflows);
	T(two_runs_are_one);
	T(cutting_does_not_change_what_is_read);
	T(files_are_numbered_when_there_are_several);
	T(stamps_that_leap_are_clamped_and_counted);
	T(an_empty_capture_ends_well);
	T(poll_stops_at_a_batch_boundary);
	T(a_reader_that_has_gone_stops_the_engine);
	T(wrong_numbers_of_workers_are_refused);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
