#include "bench/talk.h"

/* HL7 over MLLP. */
int talk_hl7(struct conv *c)
{
	unsigned step = c->step++;
	struct put *b = &c->own;
	char line[256];
	if (step >= 2 * c->rounds)
		return 0;
	b->n = 0;
	if (step % 2 == 0) {
		c->message++;
		(void)snprintf(line, sizeof(line),
			"\x0bMSH|^~\\&|DEV%u|WARD|ENGINE|HOSP|20260101101010||ORU^R01|M%u-%u|P|2.5\r"
			"PID|1||0^^^BENCH||NOBODY^BENCH\r", c->client, c->port[0], c->message);
		put_text(b, line);
		for (unsigned i = 1; b->n < c->size; i++) {
			(void)snprintf(line, sizeof(line), "OBX|%u|NM|GLU^GLUCOSE^L||%u|mg/dL|70-105|N|||F\r", i, chance_below(200));
			put_text(b, line);
		}
	} else {
		(void)snprintf(line, sizeof(line),
			"\x0bMSH|^~\\&|ENGINE|HOSP|DEV%u|WARD|20260101101010||ACK|A%u-%u|P|2.5\rMSA|AA|M%u-%u\r", c->client,
			c->port[0], c->message, c->port[0], c->message);
		put_text(b, line);
	}
	put_text(b, "\x1c\r");
	conv_turn_is(c, step & 1);
	return 1;
}

int talk_dns(struct conv *c)
{
	unsigned step = c->step++;
	struct put *b = &c->own;
	if (step > 1)
		return 0;
	b->n = 0;
	put_16(b, c->port[0]);
	put_16(b, step ? 0x8180 : 0x0100);
	put_16(b, 1);
	put_16(b, step);
	put_32(b, 0);
	put_8(b, 8);
	char name[16];
	(void)snprintf(name, sizeof(name), "host%04u", c->client % 10000);
	put_text(b, name);
	put_bytes(b, "\x04ward\x07" "example", 13);
	put_bytes(b, "\0\0\1\0\1", 5);
	if (step) {
		put_bytes(b, "\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4", 12);
		put_32(b, 0x0a010000 + c->server);
	}
	conv_turn_is(c, step);
	return 1;
}

int talk_http(struct conv *c)
{
	unsigned step = c->step++;
	char line[256];
	if (step >= 2 * c->rounds)
		return 0;
	c->own.n = 0;
	if (step % 2 == 0) {
		(void)snprintf(line, sizeof(line), "GET /view/%u/%u HTTP/1.1\r\nHost: intranet.example\r\n"
			"User-Agent: bench/1\r\nAccept: */*\r\n\r\n", c->client, step);
		put_text(&c->own, line);
	} else {
		(void)snprintf(line, sizeof(line), "HTTP/1.1 200 OK\r\nServer: bench/1\r\nContent-Type: text/plain\r\n"
			"Content-Length: %u\r\n\r\n", c->size);
		put_text(&c->own, line);
		put_letters(&c->own, c->size);
	}
	conv_turn_is(c, step & 1);
	return 1;
}

/* SMB2 (MS-SMB2, 2.2.1.2): negotiate first, then reads. */
int talk_smb(struct conv *c)
{
	unsigned step = c->step++;
	struct put *b = &c->own;
	if (step >= 2 * c->rounds)
		return 0;
	b->n = 0;
	unsigned answer = step & 1, first = step < 2, body = first ? (answer ? 65 : 40) : answer ? 16 + c->size : 48;
	put_32(b, 64 + body);
	put_bytes(b, "\xfeSMB\x40\0\0\0\0\0\0\0", 12);
	put_16le(b, first ? 0 : 8);
	put_16le(b, 1);
	put_32le(b, answer);
	put_32le(b, 0);
	put_32le(b, step / 2);
	memset(b->p + b->n, 0, 64 - 28);
	b->n += 64 - 28;
	struct put at = { b->p + b->n, 0 };
	if (first && !answer) {
		put_16le(&at, 36);
		put_16le(&at, 2);
		put_16le(&at, 1);
		put_16le(&at, 0);
		put_32le(&at, 0);
		memset(at.p + at.n, 0x11, 16);
		at.n += 16;
		put_32le(&at, 0);
		put_32le(&at, 0);
		put_16le(&at, 0x0210);
		put_16le(&at, 0x0302);
	} else if (first) {
		put_16le(&at, 65);
		put_16le(&at, 1);
		put_16le(&at, 0x0302);
		memset(at.p + at.n, 0, 65 - 6);
	} else {
		put_noise(&at, body);
	}
	b->n += body;
	conv_turn_is(c, answer);
	return 1;
}

/* TLS 1.2 (RFC 5246) with a server name; what follows the hellos is noise in records. */
int talk_tls(struct conv *c)
{
	unsigned step = c->step++;
	struct put *b = &c->own;
	if (step >= 2 * c->rounds)
		return 0;
	b->n = 0;
	if (step < 2) {
		put_bytes(b, "\x16\x03\x01\0\0", 5);
		put_8(b, step ? 2 : 1);
		put_8(b, 0);
		put_16(b, 0);
		size_t from = b->n;
		put_16(b, 0x0303);
		put_noise(b, 32);
		put_8(b, 0);
		if (!step) {
			put_bytes(b, "\0\4\xc0\x2f\0\x9c\1\0", 8);
			char name[48];
			int n = snprintf(name, sizeof(name), "dev%u.vendor.example", c->client);
			put_16(b, (unsigned)n + 9);
			put_16(b, 0);
			put_16(b, (unsigned)n + 5);
			put_16(b, (unsigned)n + 3);
			put_8(b, 0);
			put_16(b, (unsigned)n);
			put_text(b, name);
		} else {
			put_bytes(b, "\xc0\x2f\0\0\0", 5);
		}
		struct put back = { b->p + from - 2, 0 };
		put_16(&back, (unsigned)(b->n - from));
		back = (struct put){ b->p + 3, 0 };
		put_16(&back, (unsigned)(b->n - 5));
	} else {
		unsigned n = 64 + chance_below(c->size);
		put_bytes(b, "\x17\x03\x03", 3);
		put_16(b, n);
		put_noise(b, n);
	}
	conv_turn_is(c, step & 1);
	return 1;
}

/* Nothing that anybody knows. */
int talk_unknown(struct conv *c)
{
	unsigned step = c->step++;
	if (step >= 2 * c->rounds)
		return 0;
	c->own.n = 0;
	put_32(&c->own, 0xb7e1a900u + c->server);
	put_noise(&c->own, 20 + chance_below(c->size));
	conv_turn_is(c, step & 1);
	return 1;
}
