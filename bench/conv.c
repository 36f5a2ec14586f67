#include "bench/conv.h"

#include <stdlib.h>

enum { MSS = 1448 };

static FILE *out;
static uint64_t n_packets;
static int lossy;

int conv_open(const char *path, int with_losses)
{
	const uint32_t head[6] = { 0xa1b23c4d, 0x00040002, 0, 0, 262144, 1 };
	lossy = with_losses;
	out = fopen(path, "wb");
	if (!out)
		return -1;
	(void)setvbuf(out, NULL, _IOFBF, 1 << 20);
	return fwrite(head, sizeof(head), 1, out) == 1 ? 0 : -1;
}

int conv_close(void) { return fclose(out) ? -1 : 0; }
uint64_t conv_packets(void) { return n_packets; }

void conv_turn_is(struct conv *c, unsigned dir)
{
	c->dir = (uint8_t)dir;
	c->at = c->own.p;
	c->left = c->own.n;
}

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
	n_packets++;
}

static void put_addr(struct put *b, int v6, uint32_t host)
{
	if (v6)
		put_bytes(b, "\x20\x01\x0d\xb8\0\x20\0\0\0\0\0\0", 12);
	put_32(b, host);
}

/* Servers are 10.1.0.x, devices 10.20.x.x and up. */
static uint32_t client_address(const struct conv *c) { return 0x0a140000 + c->client / 250 * 256 + c->client % 250 + 1; }
static uint32_t server_address(const struct conv *c) { return 0x0a010000 + c->server; }

void conv_packet(struct conv *c, unsigned dir, unsigned flags, const uint8_t *p, size_t n)
{
	uint8_t mem[2048];
	struct put b = { mem, 0 };
	uint32_t host[2] = { client_address(c), server_address(c) };
	size_t l4 = c->proto == 6 ? (flags & CONV_SYN ? 24 : 32) : 8;
	put_16(&b, 0x0200);
	put_32(&b, host[!dir]);
	put_16(&b, 0x0200);
	put_32(&b, host[dir]);
	if (c->vlan) {
		put_16(&b, 0x8100);
		put_16(&b, 200u + c->vlan);
	}
	size_t ip = b.n + 2;
	if (c->v6) {
		put_16(&b, 0x86dd);
		put_32(&b, 0x60000000);
		put_16(&b, (unsigned)(l4 + n));
		put_8(&b, c->proto);
		put_8(&b, 64);
	} else {
		put_16(&b, 0x0800);
		put_16(&b, 0x4500);
		put_16(&b, (unsigned)(20 + l4 + n));
		put_32(&b, 0x4000);
		put_8(&b, 64);
		put_8(&b, c->proto);
		put_16(&b, 0);
	}
	size_t addresses = b.n;
	put_addr(&b, c->v6, host[dir]);
	put_addr(&b, c->v6, host[!dir]);
	if (!c->v6)
		store_sum(mem + ip + 10, sum(mem + ip, 20));
	size_t tcp = b.n;
	put_16(&b, c->port[dir]);
	put_16(&b, c->port[!dir]);
	if (c->proto == 6) {
		put_32(&b, c->seq[dir]);
		put_32(&b, flags & CONV_ACK ? c->seq[!dir] : 0);
		put_8(&b, (unsigned)(l4 / 4) << 4);
		put_8(&b, flags);
		put_16(&b, 0xffff);
		put_32(&b, 0);
		if (flags & CONV_SYN) {
			put_32(&b, 0x02040000u + MSS);
		} else {
			put_32(&b, 0x0101080a);
			put_32(&b, (uint32_t)(c->when_ns / 1000000));
			put_32(&b, 1);
		}
	} else {
		put_16(&b, (unsigned)(8 + n));
		put_16(&b, 0);
	}
	if (n)
		put_bytes(&b, p, n);
	uint8_t pseudo[4] = { 0, c->proto, (uint8_t)((l4 + n) >> 8), (uint8_t)(l4 + n) };
	uint32_t s = sum(mem + addresses, c->v6 ? 32 : 8) + sum(pseudo, 4) + sum(mem + tcp, l4 + n);
	store_sum(mem + tcp + (c->proto == 6 ? 16 : 6), s);
	if (b.n < 60) {
		memset(mem + b.n, 0, 60 - b.n);
		b.n = 60;
	}
	c->seq[dir] += (uint32_t)n + (flags & (CONV_SYN | CONV_FIN) ? 1 : 0);
	if (lossy && chance_below(1000) == 0)
		return;                 /* the mirror lost it */
	if (lossy && n && !c->held_n && chance_below(200) == 0) {
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

int conv_step(struct conv *c)
{
	uint64_t rtt = 50000 + chance_below(400000);
	uint8_t next = (uint8_t)(c->state == 3 ? 3 : c->state + 1);
	switch (c->state) {
	case 0:
		conv_packet(c, 0, CONV_SYN, NULL, 0);
		break;
	case 1:
		conv_packet(c, 1, CONV_SYN | CONV_ACK, NULL, 0);
		break;
	case 2:
		conv_packet(c, 0, CONV_ACK, NULL, 0);
		rtt = 20000;
		break;
	case 3:
		if (!c->left) {
			if (c->acks_due && c->proto == 6) {
				c->acks_due = 0;
				conv_packet(c, !c->dir, CONV_ACK, NULL, 0);
				rtt = 20000 + chance_below(200000);
				break;
			}
			if (!c->turn(c)) {
				if (c->proto == 17)
					return 0;
				next = 4;
				conv_packet(c, 0, CONV_FIN | CONV_ACK, NULL, 0);
				break;
			}
		}
		if (c->acks_due >= 2) {
			c->acks_due = 0;
			conv_packet(c, !c->dir, CONV_ACK, NULL, 0);
		} else {
			size_t n = c->left < MSS ? c->left : MSS;
			conv_packet(c, c->dir, n == c->left ? CONV_PSH | CONV_ACK : CONV_ACK, c->at, n);
			c->at += n;
			c->left -= n;
			c->acks_due++;
		}
		rtt = c->left ? 3000 + chance_below(4000) : 20000 + chance_below(300000);
		break;
	case 4:
		conv_packet(c, 1, CONV_FIN | CONV_ACK, NULL, 0);
		break;
	default:
		conv_packet(c, 0, CONV_ACK, NULL, 0);
		return 0;
	}
	c->state = next;
	c->when_ns += rtt;
	return 1;
}
