/* gen -- makes the captures of ./dev bench: deterministic, nothing from a real network, checksums right.
 *
 *      bench_gen KIND SCALE OUT.pcap   KIND: bulk, chatty, scan, mixed (SCALE: thousands of packets), grow (SCALE: flows)
 *
 * A number of conversations run at a time; each is a list of turns (talk.h), cut into packets (conv.h). The earliest packet of all is
 * written next. A larger SCALE means more conversations with fresh addresses and ports, not the same ones again. Here is who talks to
 * whom, how often, and when.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "bench/talk.h"

enum { SLOTS_MAX = 4096, DEVICES = 10000 };

static uint64_t packets_wanted, flows_made;

struct kind {
	conv_turn_fn *turn;
	uint16_t weight, server, servers, port;
	uint8_t proto;
	uint16_t rounds, more_rounds;
	uint16_t size, more_size;
};

static const struct kind chatty[] = {
	{ talk_hl7, 20, 20, 4, 2575, 6, 1, 4, 300, 300 },       { talk_hl7, 3, 20, 4, 2575, 6, 1, 2, 4000, 12000 },
	{ talk_hl7, 8, 20, 4, 2575, 6, 4, 12, 600, 600 },       { talk_dicom_echo, 15, 10, 2, 104, 6, 1, 0, 0, 0 },
	{ talk_dicom_find, 12, 10, 2, 11112, 6, 1, 12, 0, 0 },        { talk_dns, 25, 4, 2, 53, 17, 1, 0, 0, 0 },
	{ talk_http, 15, 40, 4, 80, 6, 1, 4, 400, 8000 },       { talk_smb, 8, 50, 4, 445, 6, 3, 10, 200, 3000 },
	{ talk_http, 1, 60, 8, 8080, 6, 1, 1, 400, 800 },       { 0 },
};
static const struct kind mixed[] = {
	{ talk_hl7, 16, 20, 4, 2575, 6, 1, 6, 300, 600 },       { talk_dicom_echo, 8, 10, 2, 104, 6, 1, 0, 0, 0 },
	{ talk_dicom_find, 8, 10, 2, 11112, 6, 1, 12, 0, 0 },         { talk_dns, 14, 4, 2, 53, 17, 1, 0, 0, 0 },
	{ talk_http, 10, 40, 4, 80, 6, 1, 4, 400, 8000 },       { talk_smb, 6, 50, 4, 445, 6, 3, 10, 200, 3000 },
	{ talk_tls, 18, 70, 8, 443, 6, 2, 10, 1400, 0 },        { talk_unknown, 14, 80, 8, 9191, 6, 1, 8, 900, 0 },
	{ talk_unknown, 6, 90, 8, 40999, 17, 1, 3, 500, 0 },    { 0 },
};
static const struct kind bulk[] = {
	{ talk_dicom_store, 3, 10, 2, 104, 6, 8, 0, 0, 0 },           { talk_dicom_store, 3, 10, 2, 11112, 6, 8, 0, 2, 0 },
	{ talk_dicom_store, 2, 10, 2, 104, 6, 1, 0, 1, 0 },           { talk_dicom_store, 1, 10, 2, 104, 6, 1, 0, 3, 0 },
	{ talk_dicom_echo, 1, 10, 2, 104, 6, 1, 0, 0, 0 },            { talk_hl7, 2, 20, 4, 2575, 6, 40, 0, 600, 0 }, { 0 },
};

static uint16_t next_port[DEVICES];

static void begin(struct conv *c, const struct kind *kinds, uint64_t now_ns, uint32_t clients)
{
	uint32_t all = 0;
	for (const struct kind *k = kinds; k->turn; k++)
		all += k->weight;
	uint32_t pick = chance_below(all);
	const struct kind *k = kinds;
	while (pick >= k->weight) {
		pick -= k->weight;
		k++;
	}
	uint8_t *mem = c->own.p;
	*c = (struct conv){ .own = { mem, 0 } };
	c->when_ns = now_ns + chance_below(4000000);
	c->turn = k->turn;
	c->rounds = k->rounds + (k->more_rounds ? chance_below(k->more_rounds) : 0);
	c->size = k->size + (k->more_size ? chance_below(k->more_size) : 0u);
	c->client = chance_below(clients);
	c->server = k->server + chance_below(k->servers);
	/* One conversation in 64 goes where nobody declared it. */
	c->port[1] = kinds != bulk && chance_below(64) == 0 ? (uint16_t)(k->port + 5000) : k->port;
	/* Ports of a client are used once around: 32768 to 65535. */
	c->port[0] = (uint16_t)(0x8000 + next_port[c->client]++ % 0x8000);
	c->proto = k->proto;
	c->state = c->proto == 17 ? 3 : 0;
	c->seq[0] = chance();
	c->seq[1] = chance();
	if (kinds == mixed) {
		c->v6 = chance_below(10) < 3;
		c->vlan = (uint8_t)chance_below(4);
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
		if (!heap[i] || !(heap[i]->own.p = malloc(CONV_TURN_MAX)))
			exit(1);
		begin(heap[i], kinds, now_ns, clients);
		heap[i]->when_ns = now_ns + i * 1000;
	}
	/* When enough has been written, those that run finish and no new ones begin. */
	for (size_t running = slots; running;) {
		struct conv *c = heap[0];
		now_ns = c->when_ns;
		if (!conv_step(c)) {
			if (conv_packets() < packets_wanted)
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
	while (conv_packets() < packets_wanted) {
		uint64_t f = chance() % flows, x = f * UINT64_C(0x9e3779b97f4a7c15);
		c.client = 9000 + (uint32_t)(f % 16);
		c.server = 256 + (uint32_t)(x >> 40) % 2000;
		c.port[0] = (uint16_t)(40000 + f / 16 % 20000);
		c.port[1] = (uint16_t)(1 + (x >> 8) % 20000);
		c.seq[0] = (uint32_t)x;
		c.proto = f % 10 < 7 ? 6 : 17;
		c.when_ns += 10000;
		if (c.proto == 6) {
			conv_packet(&c, 0, CONV_SYN, NULL, 0);
			c.seq[1] = 0;
			if (chance_below(5) == 0)
				conv_packet(&c, 1, CONV_RST | CONV_ACK, NULL, 0);
		} else {
			conv_packet(&c, 0, 0, (const uint8_t *)"probe.............................", 8 + chance_below(24));
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
	c.own.p = malloc(CONV_TURN_MAX);
	if (!f || !c.own.p)
		exit(1);
	uint64_t n = (uint64_t)flows + (each ? 2 * (uint64_t)flows : steady);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t k = i < flows ? (uint32_t)i : each ? (uint32_t)((i - flows) / 2) : chance_below(flows);
		uint32_t mixed_up = (uint32_t)((uint64_t)k * 7919u % 1000003u);
		c.client = mixed_up % DEVICES;
		c.server = 20 + mixed_up / DEVICES % 4;
		c.port[0] = (uint16_t)(1025 + mixed_up / DEVICES / 4);
		c.port[1] = 2575;
		c.when_ns += 1000;
		if (i < flows) {
			c.seq[0] = chance();
			c.seq[1] = chance();
			conv_packet(&c, 0, CONV_SYN, NULL, 0);
			conv_packet(&c, 1, CONV_SYN | CONV_ACK, NULL, 0);
			conv_packet(&c, 0, CONV_ACK, NULL, 0);
		} else {
			c.seq[0] = f[k].seq[0];
			c.seq[1] = f[k].seq[1];
			c.message = f[k].message;
			c.step = f[k].turn;
			(void)talk_hl7(&c);
			conv_packet(&c, c.dir, CONV_PSH | CONV_ACK, c.at, c.left);
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
	uint64_t scale = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
	const char *kind = scale ? argv[1] : "";
	if (!scale || conv_open(argv[3], !strcmp(kind, "mixed"))) {
		(void)fprintf(stderr, "usage: bench_gen bulk|chatty|scan|mixed|grow|grow1|idle|idle4|idle7 SCALE OUT.pcap\n");
		return 2;
	}
	packets_wanted = scale * 1000;
	if (!strcmp(kind, "bulk")) {
		talk_dicom_objects();
		converse(bulk, 8, 40);
	} else if (!strcmp(kind, "chatty"))
		converse(chatty, SLOTS_MAX, 2000);
	else if (!strcmp(kind, "mixed"))
		converse(mixed, SLOTS_MAX / 4, 2000);
	else if (!strcmp(kind, "scan"))
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
	if (conv_close())
		return 1;
	(void)printf("%" PRIu64 " packets, %" PRIu64 " flows\n", conv_packets(), flows_made);
	return 0;
}
