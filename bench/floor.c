/* floor -- what no sensor that does its work can be cheaper than, for ./dev bench. Each LEVEL does what the one before does and more:
 *
 *   read      read() in blocks of 256 KiB into one buffer, stepping from one packet's header to the next
 *   flows     also reads addresses and ports of IPv4, keeps a table of conversations (a lookup a packet, 32 at a time, prefetched),
 *             packets and bytes of each, and the next sequence number of both directions
 *   payload   also looks at every byte of payload once (memchr for the carriage return that ends a segment of HL7)
 *
 * It believes the capture (our own: bench/gen.c), knows no IPv6, tag, fragment, timer, loss or limit, names no protocol, judges nothing
 * and says nothing: not a sensor, a bound. Prints the packets, flows and carriage returns that it saw. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 256 << 10, LONGEST = 64 << 10, BATCH = 32, SLOTS = 1 << 19 };
enum level { READ, FLOWS, PAYLOAD };

struct slot {
	uint32_t low, high, ports, packets;
	uint32_t next[2];
	uint64_t bytes;
	uint8_t rest[32];       /* a line of the cache to each */
};

struct seen {
	uint32_t low, high, ports, sequence, payload_n;
	bool backwards, tcp;
	uint64_t hash;
	const uint8_t *payload;
};

struct floor {
	enum level level;
	struct slot *slots;
	struct seen batch[BATCH];
	size_t n;
	unsigned long long packets, flows, ends;
};

static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide r = (wide)a * b;
	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* False for what is neither TCP nor UDP over plain IPv4 in Ethernet. */
static bool look(const uint8_t *p, size_t n, struct seen *s)
{
	enum { ETHERNET = 14, IP = 20, ADDRESSES = ETHERNET + 12, PORTS = ETHERNET + IP };
	if (n < PORTS + 20 || p[12] != 8 || p[13] != 0 || p[14] != 0x45 || (p[23] != 6 && p[23] != 17))
		return false;
	uint32_t from = u32(p + ADDRESSES), to = u32(p + ADDRESSES + 4), ports = u32(p + PORTS);
	s->tcp = p[23] == 6;
	s->backwards = from > to;
	s->low = s->backwards ? to : from;
	s->high = s->backwards ? from : to;
	s->ports = s->backwards ? ports << 16 | ports >> 16 : ports;
	s->hash = mix(mix(s->low ^ UINT64_C(0x9e3779b97f4a7c15), s->high ^ UINT64_C(0xbf58476d1ce4e5b9)),
		      s->ports ^ p[23] ^ UINT64_C(0x94d049bb133111eb));
	s->sequence = u32(p + PORTS + 4);
	size_t begins = PORTS + (s->tcp ? (size_t)(p[PORTS + 12] >> 4) * 4 : 8), length = (size_t)p[16] << 8 | p[17];
	s->payload_n = begins < ETHERNET + length && ETHERNET + length <= n ? (uint32_t)(ETHERNET + length - begins) : 0;
	s->payload = p + begins;
	return true;
}

static void follow(struct floor *f, const struct seen *s)
{
	uint64_t at = s->hash & (SLOTS - 1);
	struct slot *w = &f->slots[at];
	while (w->packets && (w->low != s->low || w->high != s->high || w->ports != s->ports))
		w = &f->slots[at = (at + 1) & (SLOTS - 1)];
	if (!w->packets) {
		*w = (struct slot){ .low = s->low, .high = s->high, .ports = s->ports };
		if (++f->flows == SLOTS) {
			fprintf(stderr, "floor: more than %d flows\n", SLOTS - 1);
			exit(1);
		}
	}
	w->packets++;
	w->bytes += s->payload_n;
	w->next[s->backwards] = s->sequence + s->payload_n;
	if (f->level < PAYLOAD)
		return;
	const uint8_t *p = s->payload, *end = p + s->payload_n;
	while (p < end && (p = memchr(p, '\r', (size_t)(end - p)))) {
		f->ends++;
		p++;
	}
}

static void drain(struct floor *f)
{
	for (size_t i = 0; i < f->n; i++)
		follow(f, &f->batch[i]);
	f->n = 0;
}

static void packet(struct floor *f, const uint8_t *p, size_t n)
{
	f->packets++;
	if (f->level == READ || !look(p, n, &f->batch[f->n]))
		return;
	__builtin_prefetch(&f->slots[f->batch[f->n].hash & (SLOTS - 1)]);
	if (++f->n == BATCH)
		drain(f);
}

/* Every whole packet of the block; how many bytes they take. */
static size_t block(struct floor *f, const uint8_t *b, size_t n)
{
	size_t at = 0;
	uint32_t length;
	for (; at + 16 <= n; at += 16 + length) {
		memcpy(&length, b + at + 8, sizeof(length));
		if (length > LONGEST || at + 16 + length > n)
			break;
		packet(f, b + at + 16, length);
	}
	drain(f);
	return at;
}

int main(int argc, char **argv)
{
	static const char *const levels[] = { "read", "flows", "payload" };
	struct floor f = { 0 };
	int level = -1, fd;
	for (int i = 0; argc == 3 && i < 3; i++)
		if (!strcmp(argv[1], levels[i]))
			level = i;
	if (level < 0 || (fd = open(argv[2], O_RDONLY | O_CLOEXEC)) < 0) {
		fprintf(stderr, "usage: floor read|flows|payload CAPTURE (a pcap file of this machine's byte order)\n");
		return 2;
	}
	f.level = (enum level)level;
	f.slots = calloc(SLOTS, sizeof(*f.slots));
	uint8_t *b = malloc(BLOCK + LONGEST + 16);
	ssize_t got = b && f.slots ? read(fd, b, 24) : -1;
	size_t have = 0;
	while (got > 0 && (got = read(fd, b + have, BLOCK)) > 0) {
		have += (size_t)got;
		size_t used = block(&f, b, have);
		if (have - used > LONGEST + 16)
			break;
		memmove(b, b + used, have -= used);
	}
	if (got || have) {
		fprintf(stderr, "floor: %s: not a whole pcap file of this machine's byte order\n", argv[2]);
		return 1;
	}
	printf("%llu packets, %llu flows, %llu carriage returns\n", f.packets, f.flows, f.ends);
	return 0;
}
