/* masses -- captures too large to keep, written to standard output for `spanward replay -`: checksums right, the same call
 * gives the same bytes.
 *
 *      masses flood SOURCES SESSIONS ROUNDS    so many sources send a SYN each to one server, 100,000 a second, and every
 *                                              second one is answered; beside them that many DICOM associations, each
 *                                              with ROUNDS C-ECHO, open before and close after the flood
 *      masses day PACKETS                      24 hours with that many packets: C-STORE, C-ECHO, DNS, a protocol nobody
 *                                              knows, connections that fall silent, SYNs that nobody answers
 *
 * What was sent is said on standard error, as NAME=NUMBER words. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { MSS = 1448, OBJECT = 150000, PDU = 16384 };
#define START_NS UINT64_C(1767225600000000000)
#define SECOND UINT64_C(1000000000)

static uint64_t packets;

/* ---- bytes ---- */

struct bytes { uint8_t *p; size_t n; };

static void put8(struct bytes *b, unsigned v) { b->p[b->n++] = (uint8_t)v; }
static void put16(struct bytes *b, unsigned v) { put8(b, v >> 8 & 0xff); put8(b, v & 0xff); }
static void put32(struct bytes *b, uint32_t v) { put16(b, v >> 16); put16(b, v & 0xffff); }
static void put16le(struct bytes *b, unsigned v) { put8(b, v & 0xff); put8(b, v >> 8 & 0xff); }
static void put32le(struct bytes *b, uint32_t v) { put16le(b, v & 0xffff); put16le(b, v >> 16); }

static void put(struct bytes *b, const void *p, size_t n)
{
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

/* A length of four bytes at `at`, now that its content is written. */
static void close32(struct bytes *b, size_t at)
{
	struct bytes back = { b->p + at, 0 };
	put32(&back, (uint32_t)(b->n - at - 4));
}

/* ---- DICOM (PS3.7, PS3.8): each message once, for all associations ---- */

enum message { ASK, ACCEPT, ECHO, ECHOED, STORE, DATA, STORED, RELEASE, RELEASED, NOISE, QUERY, ANSWER, MESSAGES };
static struct bytes messages[MESSAGES];
#define VERIFICATION "1.2.840.10008.1.1"
#define CT_STORAGE "1.2.840.10008.5.1.4.1.1.2"

static void item(struct bytes *b, unsigned kind, const char *value)
{
	put16(b, kind << 8);
	put16(b, (unsigned)strlen(value));
	put(b, value, strlen(value));
}

static void make_associate(struct bytes *b, int ask)
{
	static const char *const sop[] = { VERIFICATION, CT_STORAGE };
	put16(b, ask ? 0x0100 : 0x0200);
	put32(b, 0);
	put32(b, 0x00010000);
	put(b, "PACS01          MODALITY        ", 32);
	memset(b->p + b->n, 0, 32);
	b->n += 32;
	item(b, 0x10, "1.2.840.10008.3.1.1.1");
	for (unsigned i = 0; i < 2; i++) {
		put16(b, ask ? 0x2000 : 0x2100);
		put16(b, (unsigned)(4 + (ask ? 4 + strlen(sop[i]) : 0) + 4 + 17));
		put32(b, (2 * i + 1) << 24);
		if (ask)
			item(b, 0x30, sop[i]);
		item(b, 0x40, "1.2.840.10008.1.2");
	}
	put16(b, 0x5000);
	put16(b, 8 + 4 + 24);
	put32(b, 0x51000004);
	put32(b, PDU);
	item(b, 0x52, "1.2.826.0.1.3680043.10.1");
	close32(b, 2);
}

static void element(struct bytes *b, unsigned tag, const void *v, size_t n)
{
	put32le(b, tag << 16);
	put32le(b, (uint32_t)(n + (n & 1)));
	put(b, v, n);
	if (n & 1)
		put8(b, 0);
}

static void element16(struct bytes *b, unsigned tag, unsigned v)
{
	const uint8_t le[2] = { (uint8_t)(v & 0xff), (uint8_t)(v >> 8 & 0xff) };
	element(b, tag, le, 2);
}

static void make_command(struct bytes *b, unsigned code, const char *sop, unsigned context, int data)
{
	put16(b, 0x0400);
	put32(b, 0);
	size_t pdv = b->n;
	put32(b, 0);
	put16(b, context << 8 | 3);
	element(b, 0, "\0\0\0", 4);
	size_t group = b->n;
	element(b, 2, sop, strlen(sop));
	element16(b, 0x100, code);
	element16(b, code & 0x8000 ? 0x120 : 0x110, 1);
	element16(b, 0x800, data ? 0 : 0x101);
	if (code & 0x8000)
		element16(b, 0x900, 0);
	struct bytes back = { b->p + group - 4, 0 };
	put32le(&back, (uint32_t)(b->n - group));
	close32(b, pdv);
	close32(b, 2);
}

static void make_data(struct bytes *b)
{
	for (size_t left = OBJECT; left;) {
		size_t n = left < PDU - 6 ? left : PDU - 6;
		left -= n;
		put16(b, 0x0400);
		put32(b, (uint32_t)n + 6);
		put32(b, (uint32_t)n + 2);
		put16(b, 3u << 8 | (left ? 0 : 2));
		memset(b->p + b->n, 0x55, n);
		b->n += n;
	}
}

static void make_messages(void)
{
	for (int i = 0; i < MESSAGES; i++)
		if (!(messages[i].p = malloc(i == DATA ? OBJECT + OBJECT / 8 : 2048)))
			exit(1);
	make_associate(&messages[ASK], 1);
	make_associate(&messages[ACCEPT], 0);
	make_command(&messages[ECHO], 0x0030, VERIFICATION, 1, 0);
	make_command(&messages[ECHOED], 0x8030, VERIFICATION, 1, 0);
	make_command(&messages[STORE], 0x0001, CT_STORAGE, 3, 1);
	make_data(&messages[DATA]);
	make_command(&messages[STORED], 0x8001, CT_STORAGE, 3, 0);
	put(&messages[RELEASE], "\5\0\0\0\0\4\0\0\0\0", 10);
	put(&messages[RELEASED], "\6\0\0\0\0\4\0\0\0\0", 10);
	for (unsigned i = 0; i < 900; i++)
		put8(&messages[NOISE], (i * 73 + 0xb7) & 0xff);
	put(&messages[QUERY], "\0\7\1\0\0\1\0\0\0\0\0\0\4ward\7example\0\0\1\0\1", 12 + 14 + 4);
	put(&messages[ANSWER], "\0\7\201\200\0\1\0\1\0\0\0\0\4ward\7example\0\0\1\0\1", 12 + 14 + 4);
	put(&messages[ANSWER], "\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4\x0a\1\0\7", 16);
}

/* ---- packets ---- */

static uint32_t sum(const uint8_t *p, size_t n)
{
	uint64_t s = 0;
	for (; n >= 4; n -= 4, p += 4) {
		uint32_t v;
		memcpy(&v, p, 4);
		s += v;
	}
	if (n) {
		uint8_t last[4] = { 0 };
		uint32_t v;
		memcpy(last, p, n);
		memcpy(&v, last, 4);
		s += v;
	}
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint32_t)s;             /* in the byte order of the machine, as it will be stored */
}

static void store_sum(uint8_t *at, uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	uint16_t v = (uint16_t)~s;
	memcpy(at, &v, 2);
}

struct end { uint32_t ip; uint16_t port; uint32_t seq; };

static void packet(uint64_t ts_ns, struct end *from, const struct end *to, unsigned proto, unsigned flags, const uint8_t *p, size_t n)
{
	uint8_t mem[16 + 2048];
	struct bytes b = { mem + 16, 0 };
	size_t l4 = proto == 6 ? 20 : 8;
	put32(&b, 0x02005e00);
	put32(&b, (to->ip & 0xff) << 16 | 0x0200);
	put32(&b, 0x5e000000 | (from->ip & 0xffff));
	put32(&b, 0x08004500);
	put16(&b, (unsigned)(20 + l4 + n));
	put32(&b, 0x4000);
	put16(&b, 64u << 8 | proto);
	put16(&b, 0);
	put32(&b, from->ip);
	put32(&b, to->ip);
	uint8_t *ip = b.p + 14, *tcp = b.p + 34;
	store_sum(ip + 10, sum(ip, 20));
	put16(&b, from->port);
	put16(&b, to->port);
	if (proto == 6) {
		put32(&b, from->seq);
		put32(&b, flags & ACK ? to->seq : 0);
		put16(&b, 5u << 12 | flags);
		put16(&b, 0xffff);
		put32(&b, 0);
	} else {
		put16(&b, (unsigned)(8 + n));
		put16(&b, 0);
	}
	if (n)
		put(&b, p, n);
	const uint8_t pseudo[4] = { 0, (uint8_t)proto, (uint8_t)((l4 + n) >> 8), (uint8_t)((l4 + n) & 0xff) };
	store_sum(tcp + (proto == 6 ? 16 : 6), sum(ip + 12, 8) + sum(pseudo, 4) + sum(tcp, l4 + n));
	from->seq += (uint32_t)n + (flags & (SYN | FIN) ? 1 : 0);
	const uint32_t head[4] = { (uint32_t)(ts_ns / SECOND), (uint32_t)(ts_ns % SECOND), (uint32_t)b.n, (uint32_t)b.n };
	memcpy(mem, head, sizeof(head));
	if (fwrite(mem, 16 + b.n, 1, stdout) != 1)
		exit(1);
	packets++;
}

static uint32_t mix(uint64_t x)
{
	x *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(x >> 32);
}

static void say(uint64_t ts_ns, struct end *from, struct end *to, enum message m)
{
	packet(ts_ns, from, to, 6, PSH | ACK, messages[m].p, messages[m].n);
}

/* ---- a flood ---- */

struct session { struct end client, server; };

static void flood(uint64_t sources, uint64_t sessions, uint64_t rounds)
{
	struct session *s = calloc(sessions, sizeof(*s));
	if (!s)
		exit(1);
	uint64_t now = START_NS;
	for (uint64_t i = 0; i < sessions; i++, now += SECOND / 1000) {
		s[i].client = (struct end){ 0x0a140000 + (uint32_t)i, (uint16_t)(40000 + i % 20000), mix(i) };
		s[i].server = (struct end){ 0x0a010000 + (uint32_t)(i % 4), 11112, mix(i + 77777) };
		packet(now, &s[i].client, &s[i].server, 6, SYN, NULL, 0);
		packet(now + 1000, &s[i].server, &s[i].client, 6, SYN | ACK, NULL, 0);
		packet(now + 2000, &s[i].client, &s[i].server, 6, ACK, NULL, 0);
		say(now + 3000, &s[i].client, &s[i].server, ASK);
		say(now + 4000, &s[i].server, &s[i].client, ACCEPT);
	}
	uint64_t every = sources / (sessions * rounds), turn = 0;
	for (uint64_t i = 0; i < sources; i++, now += 10000) {
		/* Distinct: an odd factor is a permutation of 26 bits. 32.0.0.0 to 35.255.255.255. */
		struct end from = { 0x20000000 | ((uint32_t)i * 0x9e3779b1u & 0x03ffffff), (uint16_t)(1024 + mix(i) % 60000), mix(~i) };
		struct end to = { 0x0a010000, 11112, mix(i + 5) };
		packet(now, &from, &to, 6, SYN, NULL, 0);
		if (i & 1)
			packet(now + 100, &to, &from, 6, SYN | ACK, NULL, 0);
		for (; turn < sessions * rounds && (i + 1) / (every ? every : 1) > turn; turn++) {
			struct session *x = &s[turn % sessions];
			say(now + 200, &x->client, &x->server, ECHO);
			say(now + 300, &x->server, &x->client, ECHOED);
		}
	}
	for (uint64_t i = 0; i < sessions; i++, now += SECOND / 1000) {
		say(now, &s[i].client, &s[i].server, RELEASE);
		say(now + 1000, &s[i].server, &s[i].client, RELEASED);
		packet(now + 2000, &s[i].client, &s[i].server, 6, FIN | ACK, NULL, 0);
		packet(now + 3000, &s[i].server, &s[i].client, 6, FIN | ACK, NULL, 0);
		packet(now + 4000, &s[i].client, &s[i].server, 6, ACK, NULL, 0);
	}
	(void)fprintf(stderr, "packets=%" PRIu64 " sources=%" PRIu64 " observations=%" PRIu64 "\n", packets, sources,
	              sessions * (4 + 2 * turn / sessions));
	free(s);
}

/* ---- a day ---- */

enum kind { KIND_STORE, KIND_ECHO, KIND_DNS, KIND_UNKNOWN, KIND_SILENT, KIND_UNANSWERED, KINDS };

struct conv {
	uint64_t when_ns;
	struct end ends[2];
	enum kind kind;
	unsigned step, objects;
	size_t at;                      /* in the object that is being sent */
	int due;                        /* segments since the last acknowledgement */
};

static struct conv *heap[1 << 16];
static size_t running;
static uint64_t made[KINDS], stored, clients;

static void swap(size_t a, size_t b)
{
	struct conv *x = heap[a];
	heap[a] = heap[b];
	heap[b] = x;
}

static void rise(size_t at)
{
	for (; at && heap[(at - 1) / 2]->when_ns > heap[at]->when_ns; at = (at - 1) / 2)
		swap(at, (at - 1) / 2);
}

static void sink(void)
{
	for (size_t at = 0, child; (child = 2 * at + 1) < running; at = child) {
		if (child + 1 < running && heap[child + 1]->when_ns < heap[child]->when_ns)
			child++;
		if (heap[child]->when_ns >= heap[at]->when_ns)
			break;
		swap(at, child);
	}
}

/* The next packet; 0 when it was the last one. */
static int step(struct conv *c)
{
	uint64_t now = c->when_ns;
	struct end *a = &c->ends[0], *b = &c->ends[1];
	unsigned s = c->step++;
	c->when_ns += 20000000;
	if (c->kind == KIND_DNS) {
		struct end *from = s ? b : a;
		enum message m = s ? ANSWER : QUERY;
		packet(now, from, s ? a : b, 17, 0, messages[m].p, messages[m].n);
		return s == 0;
	}
	if (s == 0) {
		packet(now, a, b, 6, SYN, NULL, 0);
		return c->kind != KIND_UNANSWERED;
	}
	if (s < 3) {
		packet(now, s == 1 ? b : a, s == 1 ? a : b, 6, s == 1 ? SYN | ACK : ACK, NULL, 0);
		return 1;
	}
	s -= 3;
	if (c->kind == KIND_UNKNOWN) {
		if (s < 60)
			say(now, s & 1 ? b : a, s & 1 ? a : b, NOISE);
		else
			packet(now, a, b, 6, RST | ACK, NULL, 0);
		return s < 60;
	}
	if (s < 2) {
		say(now, s ? b : a, s ? a : b, s ? ACCEPT : ASK);
		return 1;
	}
	s -= 2;
	if (c->kind != KIND_STORE) {
		if (s < 2) {
			say(now, s ? b : a, s ? a : b, s ? ECHOED : ECHO);
			return s == 0 || c->kind != KIND_SILENT;
		}
		s -= 2;
	} else if (c->objects) {
		c->when_ns += 50000000;
		if (!s) {
			say(now, a, b, STORE);
		} else if (c->at < messages[DATA].n) {
			if (c->due == 2) {
				c->due = 0;
				packet(now, b, a, 6, ACK, NULL, 0);
			} else {
				size_t n = messages[DATA].n - c->at < MSS ? messages[DATA].n - c->at : MSS;
				packet(now, a, b, 6, ACK, messages[DATA].p + c->at, n);
				c->at += n;
				c->due++;
			}
		} else {
			say(now, b, a, STORED);
			stored++;
			c->at = 0;
			c->due = 0;
			c->objects--;
			c->step = 5;            /* the next object, or the end */
		}
		return 1;
	}
	if (s < 2)
		say(now, s ? b : a, s ? a : b, s ? RELEASED : RELEASE);
	else
		packet(now, s == 3 ? b : a, s == 3 ? a : b, 6, s == 4 ? ACK : FIN | ACK, NULL, 0);
	return s < 4;
}

static void begin(uint64_t n, uint64_t now)
{
	static const uint8_t of_100[KINDS] = { 30, 15, 30, 10, 5, 10 };
	static const uint16_t ports[KINDS] = { 11112, 104, 53, 9191, 11112, 445 };
	struct conv *c = calloc(1, sizeof(*c));
	if (!c || running == sizeof(heap) / sizeof(heap[0]))
		exit(1);
	uint32_t pick = mix(n * 3 + 1) % 100, kind = 0;
	while (pick >= of_100[kind])
		pick -= of_100[kind++];
	c->kind = (enum kind)kind;
	c->when_ns = now;
	c->objects = 1 + mix(n) % 3;
	c->ends[0] = (struct end){ 0x0a140000 + (uint32_t)(n % clients), (uint16_t)(1024 + n / clients % 60000), mix(n + 99) };
	c->ends[1] = (struct end){ 0x0a010000 + mix(n + 3) % 16, ports[kind], mix(n + 111) };
	made[kind]++;
	heap[running++] = c;
	rise(running - 1);
}

static void day(uint64_t wanted)
{
	const uint64_t length = 86400 * SECOND, flows = wanted / 106;   /* what the mix comes to, measured */
	uint64_t n = 0;
	clients = 100 + flows / 200;    /* so that all have been met within the first hours */
	while (n < flows || running) {
		uint64_t next = START_NS + n * (length / flows);
		if (n < flows && (!running || next <= heap[0]->when_ns)) {
			begin(n++, next);
			continue;
		}
		struct conv *c = heap[0];
		if (!step(c)) {
			heap[0] = heap[--running];
			free(c);
		}
		if (running)
			sink();
	}
	uint64_t dicom = made[KIND_STORE] * 4 + stored * 3 + made[KIND_ECHO] * 6 + made[KIND_SILENT] * 4;
	(void)fprintf(stderr, "packets=%" PRIu64 " flows=%" PRIu64 " silent=%" PRIu64 " unanswered=%" PRIu64 " udp=%" PRIu64
	              " observations=%" PRIu64 "\n", packets, n, made[KIND_SILENT], made[KIND_UNANSWERED], made[KIND_DNS], dicom);
}

int main(int argc, char **argv)
{
	static const uint32_t head[6] = { 0xa1b23c4d, 0x00040002, 0, 0, 262144, 1 };
	static char buffer[1 << 20];
	uint64_t v[3] = { 0 };
	for (int i = 0; i < 3 && i + 2 < argc; i++)
		v[i] = strtoull(argv[i + 2], NULL, 10);
	int is_flood = argc == 5 && !strcmp(argv[1], "flood") && v[0] && v[1] && v[2];
	int is_day = argc == 3 && !strcmp(argv[1], "day") && v[0];
	if (!is_flood && !is_day) {
		(void)fprintf(stderr, "usage: masses flood SOURCES SESSIONS ROUNDS | masses day PACKETS\n");
		return 2;
	}
	(void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	if (fwrite(head, sizeof(head), 1, stdout) != 1)
		return 1;
	make_messages();
	if (is_flood)
		flood(v[0], v[1], v[2]);
	else
		day(v[0]);
	return fflush(stdout) ? 1 : 0;
}
