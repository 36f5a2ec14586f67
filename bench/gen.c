/* gen -- makes the captures of ./dev bench: deterministic, nothing from a real network, checksums right.
 *
 *      bench_gen KIND SCALE OUT.pcap   KIND: bulk, chatty, scan, mixed (SCALE: thousands of packets), grow (SCALE: flows)
 *
 * A number of conversations run at a time; each is a list of turns (who speaks, which bytes), cut into segments, with
 * handshake, acknowledgements and FINs. The earliest packet of all is written next. A larger SCALE means more
 * conversations with fresh addresses and ports, not the same ones again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MSS = 1448, TURN_MAX = 32 << 10, SLOTS_MAX = 4096, DEVICES = 10000, TEMPLATE_CT = 0, TEMPLATE_CR = 1 };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

static uint64_t random_state = 88172645463325252u;

static uint32_t rnd(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16);
}

static uint32_t below(uint32_t n) { return (uint32_t)(((uint64_t)rnd() * n) >> 32); }

/* ---- bytes ---- */

struct bytes { uint8_t *p; size_t n; };

static void put8(struct bytes *b, unsigned v) { b->p[b->n++] = (uint8_t)v; }
static void put16(struct bytes *b, unsigned v) { put8(b, v >> 8); put8(b, v & 0xff); }
static void put32(struct bytes *b, uint32_t v) { put16(b, v >> 16); put16(b, v & 0xffff); }
static void put16le(struct bytes *b, unsigned v) { put8(b, v & 0xff); put8(b, v >> 8 & 0xff); }
static void put32le(struct bytes *b, uint32_t v) { put16le(b, v & 0xffff); put16le(b, v >> 16); }

static void put(struct bytes *b, const void *p, size_t n)
{
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void text(struct bytes *b, const char *s) { put(b, s, strlen(s)); }

static void padded(struct bytes *b, const char *s, size_t n)
{
	size_t have = strlen(s);
	put(b, s, have);
	while (have++ < n)
		put8(b, ' ');
}

static void noise(struct bytes *b, size_t n)
{
	while (n--)
		put8(b, rnd() & 0xff);
}

static void letters(struct bytes *b, size_t n)
{
	while (n--)
		put8(b, 'a' + below(26));
}

/* ---- conversations ---- */

struct conv;
typedef int turn_fn(struct conv *c);            /* makes the next turn; 0: there is none */

struct conv {
	uint64_t when_ns;
	turn_fn *turn;
	unsigned step, rounds, size;            /* of the script */
	uint32_t client, server;                /* numbers of hosts */
	uint16_t port[2];
	uint8_t proto, v6, vlan;
	uint8_t state;                          /* 0 SYN, 1 SYN-ACK, 2 ACK, 3 data, 4 FIN, 5 FIN back, 6 last ACK */
	uint8_t dir, acks_due;
	uint32_t seq[2];
	const uint8_t *at;                      /* what is left of the turn */
	size_t left;
	uint16_t message;                       /* DICOM message id, HL7 counter */
	struct bytes own;
	uint8_t held[2048];                     /* a packet that comes late (reordering) */
	uint32_t held_n;
};

static FILE *out;
static uint64_t packets, packets_wanted;
static uint64_t flows_made;
static struct bytes templates[2][2];            /* C-STORE of CT and CR, in PDUs of 16 KiB and 128 KiB */
static int lossy;

static void turn_is(struct conv *c, unsigned dir)
{
	c->dir = (uint8_t)dir;
	c->at = c->own.p;
	c->left = c->own.n;
}

/* ---- DICOM (PS3.7 and PS3.8) ---- */

static const char *const sop_store[] = { "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.1.1" };
#define SOP_ECHO "1.2.840.10008.1.1"
#define SOP_FIND "1.2.840.10008.5.1.4.1.2.2.1"

static void item(struct bytes *b, unsigned kind, const char *value)
{
	put8(b, kind);
	put8(b, 0);
	put16(b, (unsigned)strlen(value));
	text(b, value);
}

static size_t open_length(struct bytes *b, unsigned kind, int wide)
{
	put8(b, kind);
	put8(b, 0);
	put(b, "\0\0\0", wide ? 4 : 2);
	return b->n;
}

static void close_length(struct bytes *b, size_t from, int wide)
{
	struct bytes back = { b->p + from - (wide ? 4 : 2), 0 };
	if (wide)
		put32(&back, (uint32_t)(b->n - from));
	else
		put16(&back, (unsigned)(b->n - from));
}

static void associate(struct conv *c, int request, const char *const *sop, unsigned n_sop)
{
	char ae[17];
	struct bytes *b = &c->own;
	b->n = 0;
	size_t pdu = open_length(b, request ? 1 : 2, 1);
	put16(b, 1);
	put16(b, 0);
	padded(b, "PACS01", 16);
	(void)snprintf(ae, sizeof(ae), "DEV%u", c->client);
	padded(b, ae, 16);
	memset(b->p + b->n, 0, 32);
	b->n += 32;
	item(b, 0x10, "1.2.840.10008.3.1.1.1");
	for (unsigned i = 0; i < n_sop; i++) {
		size_t context = open_length(b, request ? 0x20 : 0x21, 0);
		put8(b, 2 * i + 1);
		put(b, "\0\0\0", 3);
		if (request)
			item(b, 0x30, sop[i]);
		item(b, 0x40, "1.2.840.10008.1.2");
		if (request)
			item(b, 0x40, "1.2.840.10008.1.2.1");
		close_length(b, context, 0);
	}
	size_t user = open_length(b, 0x50, 0);
	size_t longest = open_length(b, 0x51, 0);
	put32(b, c->size > 1 ? 131072 : 16384);
	close_length(b, longest, 0);
	item(b, 0x52, "1.2.826.0.1.3680043.10.1");
	item(b, 0x55, "BENCH_1");
	close_length(b, user, 0);
	close_length(b, pdu, 1);
	turn_is(c, !request);
}

static void element(struct bytes *b, unsigned group, unsigned tag, const void *v, size_t n)
{
	put16le(b, group);
	put16le(b, tag);
	put32le(b, (uint32_t)(n + (n & 1)));
	put(b, v, n);
	if (n & 1)
		put8(b, 0);
}

static void element16(struct bytes *b, unsigned tag, unsigned v)
{
	uint8_t le[2] = { (uint8_t)(v & 0xff), (uint8_t)(v >> 8) };
	element(b, 0, tag, le, 2);
}

/* A P-DATA-TF with one command. */
static void command(struct bytes *b, unsigned code, unsigned id, const char *sop, int dataset, unsigned status, int context)
{
	size_t pdu = open_length(b, 4, 1);
	size_t pdv = b->n;
	put32(b, 0);
	put8(b, (unsigned)context);
	put8(b, 3);
	size_t group = b->n;
	element(b, 0, 0, "\0\0\0", 4);
	element(b, 0, 2, sop, strlen(sop));
	element16(b, 0x100, code);
	element16(b, code & 0x8000 ? 0x120 : 0x110, id);
	if (!(code & 0x8000) && code != 0x30)
		element16(b, 0x700, 0);
	element16(b, 0x800, dataset ? 0 : 0x101);
	if (code & 0x8000)
		element16(b, 0x900, status);
	struct bytes back = { b->p + group + 8, 0 };
	put32le(&back, (uint32_t)(b->n - group - 12));
	back = (struct bytes){ b->p + pdv, 0 };
	put32(&back, (uint32_t)(b->n - pdv - 4));
	close_length(b, pdu, 1);
}

static void dataset(struct bytes *b, size_t n, int context)
{
	size_t pdu = open_length(b, 4, 1);
	put32(b, (uint32_t)n + 2);
	put8(b, (unsigned)context);
	put8(b, 2);
	size_t from = b->n;
	element(b, 8, 0x52, "STUDY ", 6);
	element(b, 8, 0x60, "CT", 2);
	while (b->n - from + 10 <= n) {
		char value[64];
		size_t k = n - (b->n - from) - 8;
		memset(value, 'X', sizeof(value));
		element(b, 0x10, 0x10, value, (k < sizeof(value) ? k : sizeof(value)) & ~(size_t)1);
	}
	while (b->n - from < n)
		put8(b, 0);
	close_length(b, pdu, 1);
}

static void release(struct conv *c, int request)
{
	c->own.n = 0;
	put16(&c->own, request ? 0x0500 : 0x0600);
	put32(&c->own, 4);
	put32(&c->own, 0);
	turn_is(c, !request);
}

static int dicom_end(struct conv *c, unsigned step)
{
	if (step > 1)
		return 0;
	release(c, step == 0);
	return 1;
}

static int echo_turn(struct conv *c)
{
	static const char *const sop[] = { SOP_ECHO };
	unsigned step = c->step++;
	c->own.n = 0;
	if (step < 2) {
		associate(c, step == 0, sop, 1);
		return 1;
	}
	if (step < 4) {
		command(&c->own, step == 2 ? 0x30 : 0x8030, 1, SOP_ECHO, 0, 0, 1);
		turn_is(c, step == 3);
		return 1;
	}
	return dicom_end(c, step - 4);
}

static int find_turn(struct conv *c)
{
	static const char *const sop[] = { SOP_FIND };
	unsigned step = c->step++;
	c->own.n = 0;
	if (step < 2) {
		associate(c, step == 0, sop, 1);
		return 1;
	}
	if (step == 2) {
		command(&c->own, 0x20, 1, SOP_FIND, 1, 0, 1);
		dataset(&c->own, 200, 1);
		turn_is(c, 0);
		return 1;
	}
	if (step < 3 + c->rounds) {
		command(&c->own, 0x8020, 1, SOP_FIND, 1, 0xff00, 1);
		dataset(&c->own, 600, 1);
		turn_is(c, 1);
		return 1;
	}
	if (step == 3 + c->rounds) {
		command(&c->own, 0x8020, 1, SOP_FIND, 0, 0, 1);
		turn_is(c, 1);
		return 1;
	}
	return dicom_end(c, step - 4 - c->rounds);
}

/* `size`: template, plus two for PDUs of 128 KiB. `rounds` objects in one association. */
static int store_turn(struct conv *c)
{
	unsigned step = c->step++, which = c->size & 1, at = step - 2;
	c->own.n = 0;
	if (step < 2) {
		associate(c, step == 0, sop_store, 2);
		return 1;
	}
	if (at < 3 * c->rounds) {
		switch (at % 3) {
		case 0:
			command(&c->own, 1, ++c->message, sop_store[which], 1, 0, (int)(2 * which + 1));
			turn_is(c, 0);
			return 1;
		case 1:
			c->dir = 0;
			c->at = templates[which][c->size >> 1].p;
			c->left = templates[which][c->size >> 1].n;
			return 1;
		default:
			command(&c->own, 0x8001, c->message, sop_store[which], 0, 0, (int)(2 * which + 1));
			turn_is(c, 1);
			return 1;
		}
	}
	return dicom_end(c, at - 3 * c->rounds);
}

/* The data set of an object: a short head, then noise as pixel data, in P-DATA-TF of at most `longest`. */
static void make_template(struct bytes *b, size_t object, uint32_t longest, int context)
{
	b->p = malloc(object + object / 1000 + (1 << 20));
	struct bytes head = { malloc(4096), 0 };
	if (!b->p || !head.p)
		exit(1);
	element(&head, 8, 0x60, "CT", 2);
	element(&head, 0x10, 0x10, "BENCH^NOBODY", 12);
	put16le(&head, 0x7fe0);
	put16le(&head, 0x10);
	put32le(&head, (uint32_t)object);
	size_t all = head.n + object, done = 0;
	while (done < all) {
		uint32_t n = longest - 6;
		if (n > all - done)
			n = (uint32_t)(all - done);
		put16(b, 0x0400);
		put32(b, n + 6);
		put32(b, n + 2);
		put8(b, (unsigned)context);
		put8(b, done + n == all ? 2 : 0);
		size_t from = done < head.n ? head.n - done : 0;
		put(b, head.p + done * (from > 0), from);
		noise(b, n - from);
		done += n;
	}
	free(head.p);
}

/* ---- HL7 over MLLP ---- */

static int hl7_turn(struct conv *c)
{
	unsigned step = c->step++;
	struct bytes *b = &c->own;
	char line[256];
	if (step >= 2 * c->rounds)
		return 0;
	b->n = 0;
	if (step % 2 == 0) {
		c->message++;
		(void)snprintf(line, sizeof(line),
			"\x0bMSH|^~\\&|DEV%u|WARD|ENGINE|HOSP|20260101101010||ORU^R01|M%u-%u|P|2.5\r"
			"PID|1||0^^^BENCH||NOBODY^BENCH\r", c->client, c->port[0], c->message);
		text(b, line);
		for (unsigned i = 1; b->n < c->size; i++) {
			(void)snprintf(line, sizeof(line), "OBX|%u|NM|GLU^GLUCOSE^L||%u|mg/dL|70-105|N|||F\r", i, below(200));
			text(b, line);
		}
	} else {
		(void)snprintf(line, sizeof(line),
			"\x0bMSH|^~\\&|ENGINE|HOSP|DEV%u|WARD|20260101101010||ACK|A%u-%u|P|2.5\rMSA|AA|M%u-%u\r", c->client,
			c->port[0], c->message, c->port[0], c->message);
		text(b, line);
	}
	text(b, "\x1c\r");
	turn_is(c, step & 1);
	return 1;
}

/* ---- others ---- */

static int dns_turn(struct conv *c)
{
	unsigned step = c->step++;
	struct bytes *b = &c->own;
	if (step > 1)
		return 0;
	b->n = 0;
	put16(b, c->port[0]);
	put16(b, step ? 0x8180 : 0x0100);
	put16(b, 1);
	put16(b, step);
	put32(b, 0);
	put8(b, 8);
	char name[16];
	(void)snprintf(name, sizeof(name), "host%04u", c->client % 10000);
	text(b, name);
	put(b, "\x04ward\x07" "example", 13);
	put(b, "\0\0\1\0\1", 5);
	if (step) {
		put(b, "\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4", 12);
		put32(b, 0x0a010000 + c->server);
	}
	turn_is(c, step);
	return 1;
}

static int http_turn(struct conv *c)
{
	unsigned step = c->step++;
	char line[256];
	if (step >= 2 * c->rounds)
		return 0;
	c->own.n = 0;
	if (step % 2 == 0) {
		(void)snprintf(line, sizeof(line), "GET /view/%u/%u HTTP/1.1\r\nHost: intranet.example\r\n"
			"User-Agent: bench/1\r\nAccept: */*\r\n\r\n", c->client, step);
		text(&c->own, line);
	} else {
		(void)snprintf(line, sizeof(line), "HTTP/1.1 200 OK\r\nServer: bench/1\r\nContent-Type: text/plain\r\n"
			"Content-Length: %u\r\n\r\n", c->size);
		text(&c->own, line);
		letters(&c->own, c->size);
	}
	turn_is(c, step & 1);
	return 1;
}

/* SMB2 (MS-SMB2, 2.2.1.2): negotiate first, then reads. */
static int smb_turn(struct conv *c)
{
	unsigned step = c->step++;
	struct bytes *b = &c->own;
	if (step >= 2 * c->rounds)
		return 0;
	b->n = 0;
	unsigned answer = step & 1, first = step < 2, body = first ? (answer ? 65 : 40) : answer ? 16 + c->size : 48;
	put32(b, 64 + body);
	put(b, "\xfeSMB\x40\0\0\0\0\0\0\0", 12);
	put16le(b, first ? 0 : 8);
	put16le(b, 1);
	put32le(b, answer);
	put32le(b, 0);
	put32le(b, step / 2);
	memset(b->p + b->n, 0, 64 - 28);
	b->n += 64 - 28;
	struct bytes at = { b->p + b->n, 0 };
	if (first && !answer) {
		put16le(&at, 36);
		put16le(&at, 2);
		put16le(&at, 1);
		put16le(&at, 0);
		put32le(&at, 0);
		memset(at.p + at.n, 0x11, 16);
		at.n += 16;
		put32le(&at, 0);
		put32le(&at, 0);
		put16le(&at, 0x0210);
		put16le(&at, 0x0302);
	} else if (first) {
		put16le(&at, 65);
		put16le(&at, 1);
		put16le(&at, 0x0302);
		memset(at.p + at.n, 0, 65 - 6);
	} else {
		noise(&at, body);
	}
	b->n += body;
	turn_is(c, answer);
	return 1;
}

/* TLS 1.2 (RFC 5246) with a server name; what follows the hellos is noise in records. */
static int tls_turn(struct conv *c)
{
	unsigned step = c->step++;
	struct bytes *b = &c->own;
	if (step >= 2 * c->rounds)
		return 0;
	b->n = 0;
	if (step < 2) {
		put(b, "\x16\x03\x01\0\0", 5);
		put8(b, step ? 2 : 1);
		put8(b, 0);
		put16(b, 0);
		size_t from = b->n;
		put16(b, 0x0303);
		noise(b, 32);
		put8(b, 0);
		if (!step) {
			put(b, "\0\4\xc0\x2f\0\x9c\1\0", 8);
			char name[48];
			int n = snprintf(name, sizeof(name), "dev%u.vendor.example", c->client);
			put16(b, (unsigned)n + 9);
			put16(b, 0);
			put16(b, (unsigned)n + 5);
			put16(b, (unsigned)n + 3);
			put8(b, 0);
			put16(b, (unsigned)n);
			text(b, name);
		} else {
			put(b, "\xc0\x2f\0\0\0", 5);
		}
		struct bytes back = { b->p + from - 2, 0 };
		put16(&back, (unsigned)(b->n - from));
		back = (struct bytes){ b->p + 3, 0 };
		put16(&back, (unsigned)(b->n - 5));
	} else {
		unsigned n = 64 + below(c->size);
		put(b, "\x17\x03\x03", 3);
		put16(b, n);
		noise(b, n);
	}
	turn_is(c, step & 1);
	return 1;
}

/* Nothing that anybody knows. */
static int unknown_turn(struct conv *c)
{
	unsigned step = c->step++;
	if (step >= 2 * c->rounds)
		return 0;
	c->own.n = 0;
	put32(&c->own, 0xb7e1a900u + c->server);
	noise(&c->own, 20 + below(c->size));
	turn_is(c, step & 1);
	return 1;
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

static void write_record(uint64_t ts_ns, const uint8_t *p, uint32_t n)
{
	uint32_t head[4] = { (uint32_t)(ts_ns / 1000000000u), (uint32_t)(ts_ns % 1000000000u), n, n };
	if (fwrite(head, sizeof(head), 1, out) != 1 || fwrite(p, n, 1, out) != 1)
		exit(1);
	packets++;
}

static void put_addr(struct bytes *b, int v6, uint32_t host)
{
	if (v6)
		put(b, "\x20\x01\x0d\xb8\0\x20\0\0\0\0\0\0", 12);
	put32(b, host);
}

/* Servers are 10.1.0.x, devices 10.20.x.x and up. */
static uint32_t client_address(const struct conv *c) { return 0x0a140000 + c->client / 250 * 256 + c->client % 250 + 1; }
static uint32_t server_address(const struct conv *c) { return 0x0a010000 + c->server; }

static void packet(struct conv *c, unsigned dir, unsigned flags, const uint8_t *p, size_t n)
{
	uint8_t mem[2048];
	struct bytes b = { mem, 0 };
	uint32_t host[2] = { client_address(c), server_address(c) };
	size_t l4 = c->proto == 6 ? (flags & SYN ? 24 : 32) : 8;
	put16(&b, 0x0200);
	put32(&b, host[!dir]);
	put16(&b, 0x0200);
	put32(&b, host[dir]);
	if (c->vlan) {
		put16(&b, 0x8100);
		put16(&b, 200u + c->vlan);
	}
	size_t ip = b.n + 2;
	if (c->v6) {
		put16(&b, 0x86dd);
		put32(&b, 0x60000000);
		put16(&b, (unsigned)(l4 + n));
		put8(&b, c->proto);
		put8(&b, 64);
	} else {
		put16(&b, 0x0800);
		put16(&b, 0x4500);
		put16(&b, (unsigned)(20 + l4 + n));
		put32(&b, 0x4000);
		put8(&b, 64);
		put8(&b, c->proto);
		put16(&b, 0);
	}
	size_t addresses = b.n;
	put_addr(&b, c->v6, host[dir]);
	put_addr(&b, c->v6, host[!dir]);
	if (!c->v6)
		store_sum(mem + ip + 10, sum(mem + ip, 20));
	size_t tcp = b.n;
	put16(&b, c->port[dir]);
	put16(&b, c->port[!dir]);
	if (c->proto == 6) {
		put32(&b, c->seq[dir]);
		put32(&b, flags & ACK ? c->seq[!dir] : 0);
		put8(&b, (unsigned)(l4 / 4) << 4);
		put8(&b, flags);
		put16(&b, 0xffff);
		put32(&b, 0);
		if (flags & SYN) {
			put32(&b, 0x02040000u + MSS);
		} else {
			put32(&b, 0x0101080a);
			put32(&b, (uint32_t)(c->when_ns / 1000000));
			put32(&b, 1);
		}
	} else {
		put16(&b, (unsigned)(8 + n));
		put16(&b, 0);
	}
	if (n)
		put(&b, p, n);
	uint8_t pseudo[4] = { 0, c->proto, (uint8_t)((l4 + n) >> 8), (uint8_t)(l4 + n) };
	uint32_t s = sum(mem + addresses, c->v6 ? 32 : 8) + sum(pseudo, 4) + sum(mem + tcp, l4 + n);
	store_sum(mem + tcp + (c->proto == 6 ? 16 : 6), s);
	if (b.n < 60) {
		memset(mem + b.n, 0, 60 - b.n);
		b.n = 60;
	}
	c->seq[dir] += (uint32_t)n + (flags & (SYN | FIN) ? 1 : 0);
	if (lossy && below(1000) == 0)
		return;                 /* the mirror lost it */
	if (lossy && n && !c->held_n && below(200) == 0) {
		memcpy(c->held, mem, b.n);
		c->held_n = (uint32_t)b.n;
		return;
	}
	write_record(c->when_ns, mem, (uint32_t)b.n);
	if (c->held_n) {
		write_record(c->when_ns + 100, c->held, c->held_n);
		c->held_n = 0;
	}
}

/* The next packet of a conversation, and when the one after it comes; 0 when it is over. */
static int step(struct conv *c)
{
	uint64_t rtt = 50000 + below(400000);
	uint8_t next = (uint8_t)(c->state == 3 ? 3 : c->state + 1);
	switch (c->state) {
	case 0:
		packet(c, 0, SYN, NULL, 0);
		break;
	case 1:
		packet(c, 1, SYN | ACK, NULL, 0);
		break;
	case 2:
		packet(c, 0, ACK, NULL, 0);
		rtt = 20000;
		break;
	case 3:
		if (!c->left) {
			if (c->acks_due && c->proto == 6) {
				c->acks_due = 0;
				packet(c, !c->dir, ACK, NULL, 0);
				rtt = 20000 + below(200000);
				break;
			}
			if (!c->turn(c)) {
				if (c->proto == 17)
					return 0;
				next = 4;
				packet(c, 0, FIN | ACK, NULL, 0);
				break;
			}
		}
		if (c->acks_due >= 2) {
			c->acks_due = 0;
			packet(c, !c->dir, ACK, NULL, 0);
		} else {
			size_t n = c->left < MSS ? c->left : MSS;
			packet(c, c->dir, n == c->left ? PSH | ACK : ACK, c->at, n);
			c->at += n;
			c->left -= n;
			c->acks_due++;
		}
		rtt = c->left ? 3000 + below(4000) : 20000 + below(300000);
		break;
	case 4:
		packet(c, 1, FIN | ACK, NULL, 0);
		break;
	default:
		packet(c, 0, ACK, NULL, 0);
		return 0;
	}
	c->state = next;
	c->when_ns += rtt;
	return 1;
}

/* ---- the mixes ---- */

struct kind {
	turn_fn *turn;
	uint16_t weight, server, servers, port;
	uint8_t proto;
	uint16_t rounds, more_rounds;
	uint16_t size, more_size;
};

static const struct kind chatty[] = {
	{ hl7_turn, 20, 20, 4, 2575, 6, 1, 4, 300, 300 },       { hl7_turn, 3, 20, 4, 2575, 6, 1, 2, 4000, 12000 },
	{ hl7_turn, 8, 20, 4, 2575, 6, 4, 12, 600, 600 },       { echo_turn, 15, 10, 2, 104, 6, 1, 0, 0, 0 },
	{ find_turn, 12, 10, 2, 11112, 6, 1, 12, 0, 0 },        { dns_turn, 25, 4, 2, 53, 17, 1, 0, 0, 0 },
	{ http_turn, 15, 40, 4, 80, 6, 1, 4, 400, 8000 },       { smb_turn, 8, 50, 4, 445, 6, 3, 10, 200, 3000 },
	{ http_turn, 1, 60, 8, 8080, 6, 1, 1, 400, 800 },       { 0 },
};
static const struct kind mixed[] = {
	{ hl7_turn, 16, 20, 4, 2575, 6, 1, 6, 300, 600 },       { echo_turn, 8, 10, 2, 104, 6, 1, 0, 0, 0 },
	{ find_turn, 8, 10, 2, 11112, 6, 1, 12, 0, 0 },         { dns_turn, 14, 4, 2, 53, 17, 1, 0, 0, 0 },
	{ http_turn, 10, 40, 4, 80, 6, 1, 4, 400, 8000 },       { smb_turn, 6, 50, 4, 445, 6, 3, 10, 200, 3000 },
	{ tls_turn, 18, 70, 8, 443, 6, 2, 10, 1400, 0 },        { unknown_turn, 14, 80, 8, 9191, 6, 1, 8, 900, 0 },
	{ unknown_turn, 6, 90, 8, 40999, 17, 1, 3, 500, 0 },    { 0 },
};
static const struct kind bulk[] = {
	{ store_turn, 3, 10, 2, 104, 6, 8, 0, 0, 0 },           { store_turn, 3, 10, 2, 11112, 6, 8, 0, 2, 0 },
	{ store_turn, 2, 10, 2, 104, 6, 1, 0, 1, 0 },           { store_turn, 1, 10, 2, 104, 6, 1, 0, 3, 0 },
	{ echo_turn, 1, 10, 2, 104, 6, 1, 0, 0, 0 },            { hl7_turn, 2, 20, 4, 2575, 6, 40, 0, 600, 0 }, { 0 },
};

static uint16_t next_port[DEVICES];

static void begin(struct conv *c, const struct kind *kinds, uint64_t now_ns, uint32_t clients)
{
	uint32_t all = 0;
	for (const struct kind *k = kinds; k->turn; k++)
		all += k->weight;
	uint32_t pick = below(all);
	const struct kind *k = kinds;
	while (pick >= k->weight) {
		pick -= k->weight;
		k++;
	}
	uint8_t *mem = c->own.p;
	*c = (struct conv){ .own = { mem, 0 } };
	c->when_ns = now_ns + below(4000000);
	c->turn = k->turn;
	c->rounds = k->rounds + (k->more_rounds ? below(k->more_rounds) : 0);
	c->size = k->size + (k->more_size ? below(k->more_size) : 0u);
	c->client = below(clients);
	c->server = k->server + below(k->servers);
	/* One conversation in 64 goes where nobody declared it. */
	c->port[1] = kinds != bulk && below(64) == 0 ? (uint16_t)(k->port + 5000) : k->port;
	/* Ports of a client are used once around: 32768 to 65535. */
	c->port[0] = (uint16_t)(0x8000 + next_port[c->client]++ % 0x8000);
	c->proto = k->proto;
	c->state = c->proto == 17 ? 3 : 0;
	c->seq[0] = rnd();
	c->seq[1] = rnd();
	if (kinds == mixed) {
		c->v6 = below(10) < 3;
		c->vlan = (uint8_t)below(4);
	}
	flows_made++;
}

static struct conv *heap[SLOTS_MAX];

static void sift(size_t n)
{
	struct conv *moved = heap[0];
	size_t at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= n)
			break;
		if (child + 1 < n && heap[child + 1]->when_ns < heap[child]->when_ns)
			child++;
		if (heap[child]->when_ns >= moved->when_ns)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

static void converse(const struct kind *kinds, size_t slots, uint32_t clients)
{
	uint64_t now_ns = UINT64_C(1767225600000000000);
	for (size_t i = 0; i < slots; i++) {
		heap[i] = calloc(1, sizeof(**heap));
		if (!heap[i] || !(heap[i]->own.p = malloc(TURN_MAX)))
			exit(1);
		begin(heap[i], kinds, now_ns, clients);
		heap[i]->when_ns = now_ns + i * 1000;
	}
	/* When enough has been written, those that run finish and no new ones begin. */
	for (size_t running = slots; running;) {
		struct conv *c = heap[0];
		now_ns = c->when_ns;
		if (!step(c)) {
			if (packets < packets_wanted)
				begin(c, kinds, now_ns, clients);
			else
				heap[0] = heap[--running];
		}
		if (running)
			sift(running);
	}
}

static void scan(void)
{
	/* Sixteen hosts ask 150 of 1,000 addresses and ports each; one probe in seven is answered by a reset. */
	struct conv c = { .when_ns = UINT64_C(1767225600000000000) };
	uint64_t flows = packets_wanted * 15 / 100;
	while (packets < packets_wanted) {
		uint64_t f = rnd() % flows, x = f * UINT64_C(0x9e3779b97f4a7c15);
		c.client = 9000 + (uint32_t)(f % 16);
		c.server = 256 + (uint32_t)(x >> 40) % 2000;
		c.port[0] = (uint16_t)(40000 + f / 16 % 20000);
		c.port[1] = (uint16_t)(1 + (x >> 8) % 20000);
		c.seq[0] = (uint32_t)x;
		c.proto = f % 10 < 7 ? 6 : 17;
		c.when_ns += 10000;
		if (c.proto == 6) {
			packet(&c, 0, SYN, NULL, 0);
			c.seq[1] = 0;
			if (below(5) == 0)
				packet(&c, 1, RST | ACK, NULL, 0);
		} else {
			packet(&c, 0, 0, (const uint8_t *)"probe.............................", 8 + below(24));
		}
	}
	flows_made = flows;
}

/* All handshakes first, then HL7 and its acknowledgements on flows at random, over IPv6 when `v6`. `kind`: grow has
 * 2 million such packets, idle none, idle7 one message and answer for each flow. */
static void grow(uint32_t flows, int v6, uint64_t steady, int each)
{
	struct small { uint32_t seq[2]; uint16_t message; uint8_t turn; } *f = calloc(flows, sizeof(*f));
	struct conv c = { .when_ns = UINT64_C(1767225600000000000), .proto = 6, .v6 = (uint8_t)v6, .rounds = 1u << 30, .size = 250 };
	c.own.p = malloc(TURN_MAX);
	if (!f || !c.own.p)
		exit(1);
	uint64_t n = (uint64_t)flows + (each ? 2 * (uint64_t)flows : steady);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t k = i < flows ? (uint32_t)i : each ? (uint32_t)((i - flows) / 2) : below(flows);
		uint32_t mixed_up = (uint32_t)((uint64_t)k * 7919u % 1000003u);
		c.client = mixed_up % DEVICES;
		c.server = 20 + mixed_up / DEVICES % 4;
		c.port[0] = (uint16_t)(1025 + mixed_up / DEVICES / 4);
		c.port[1] = 2575;
		c.when_ns += 1000;
		if (i < flows) {
			c.seq[0] = rnd();
			c.seq[1] = rnd();
			packet(&c, 0, SYN, NULL, 0);
			packet(&c, 1, SYN | ACK, NULL, 0);
			packet(&c, 0, ACK, NULL, 0);
		} else {
			c.seq[0] = f[k].seq[0];
			c.seq[1] = f[k].seq[1];
			c.message = f[k].message;
			c.step = f[k].turn;
			(void)hl7_turn(&c);
			packet(&c, c.dir, PSH | ACK, c.at, c.left);
			f[k].turn ^= 1;
			f[k].message = c.message;
		}
		f[k].seq[0] = c.seq[0];
		f[k].seq[1] = c.seq[1];
	}
	flows_made = flows;
}

int main(int argc, char **argv)
{
	const uint32_t head[6] = { 0xa1b23c4d, 0x00040002, 0, 0, 262144, 1 };
	uint64_t scale = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
	if (!scale || !(out = fopen(argv[3], "wb"))) {
		(void)fprintf(stderr, "usage: bench_gen bulk|chatty|scan|mixed|grow|grow1|idle|idle4|idle7 SCALE OUT.pcap\n");
		return 2;
	}
	(void)setvbuf(out, NULL, _IOFBF, 1 << 20);
	if (fwrite(head, sizeof(head), 1, out) != 1)
		return 1;
	const char *kind = argv[1];
	packets_wanted = scale * 1000;
	for (int which = 0; which < 2; which++)
		for (int wide = 0; wide < 2 && !strcmp(kind, "bulk"); wide++)
			make_template(&templates[which][wide], which ? 10240000 : 524288, wide ? 131072 : 16384, 2 * which + 1);
	if (!strcmp(kind, "bulk"))
		converse(bulk, 8, 40);
	else if (!strcmp(kind, "chatty"))
		converse(chatty, SLOTS_MAX, 2000);
	else if (!strcmp(kind, "mixed")) {
		lossy = 1;
		converse(mixed, SLOTS_MAX / 4, 2000);
	} else if (!strcmp(kind, "scan"))
		scan();
	else if (!strcmp(kind, "grow"))
		grow((uint32_t)scale, 0, 2000000, 0);
	else if (!strcmp(kind, "grow1"))                        /* one packet, for the start-up */
		grow((uint32_t)scale, 0, 1, 0);
	else if (!strcmp(kind, "idle"))
		grow((uint32_t)scale, 1, 0, 0);
	else if (!strcmp(kind, "idle4"))
		grow((uint32_t)scale, 0, 0, 0);
	else if (!strcmp(kind, "idle7"))
		grow((uint32_t)scale, 1, 0, 1);
	else
		return 2;
	if (fclose(out))
		return 1;
	(void)printf("%" PRIu64 " packets, %" PRIu64 " flows\n", packets, flows_made);
	return 0;
}
