/* streamdump -- what the streams of a capture carried, as this sensor puts them together: for tests/reassembly.py, which
 * compares it with tshark. Payload leaves no other program of this project: here a dissector of its own takes every
 * byte that a shard hands on.
 *
 *      streamdump CAPTURE [STREAM_BYTES]
 *
 * One line of JSON for each flow: number, ends, how it ended, what it lost, conflicts, and the bytes of both directions
 * in hex, with "[N bytes missing in capture file]" where bytes were lost behind the first ones, as tshark says it.
 * The last line has the counters of sensor/stats.def that are not 0. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "sensor/shard.h"
#include "sensor/source.h"

enum { FLOWS = 1 << 16, NUMBERS = 1 << 20, OUT = 4 << 20 };

struct text {
	char *p;
	size_t n, cap;
};

static struct text dumped[NUMBERS][2];   /* by the number that the dissector gave the flow */
static uint32_t dumped_by_flow[NUMBERS]; /* that number, by the engine's; 0: nothing was read */
static uint32_t flows;

struct state {
	uint32_t number;
};

static void need(struct text *t, size_t n)
{
	if (t->n + n > t->cap) {
		t->cap = 2 * (t->n + n);
		t->p = realloc(t->p, t->cap);
		if (!t->p)
			exit(1);
	}
}

static void put_hex(struct text *t, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	need(t, 2 * n);
	for (size_t i = 0; i < n; i++) {
		t->p[t->n++] = digits[p[i] >> 4];
		t->p[t->n++] = digits[p[i] & 15];
	}
}

static enum dissect_guess dump_probe(struct span head, bool midstream)
{
	(void)midstream;
	return head.n ? DISSECT_YES : DISSECT_MAYBE;
}

/* The engine puts the flow's number to what is said: so collect() learns which number is whose. */
static struct text *text_of(struct state *s, struct dissect_ctx *ctx)
{
	if (!s->number) {
		if (++flows >= NUMBERS)
			exit(1);
		s->number = flows;
		struct observation o = { .head.type = OBSERVATION_DICOM_COMMAND };
		observation_uint(&o, OBSERVATION_F_message_id, s->number);
		ctx->emit(ctx->arg, &o);
	}
	return &dumped[s->number][ctx->dir];
}

static struct dissect_result dump_parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	put_hex(text_of(state, ctx), in.p, in.n);
	return (struct dissect_result){ DISSECT_OK, in.n, 0 };
}

static enum dissect_status dump_gap(void *state, uint64_t n, struct dissect_ctx *ctx)
{
	char words[64];
	int k = snprintf(words, sizeof(words), "[%u bytes missing in capture file]", (unsigned)n);
	put_hex(text_of(state, ctx), (const uint8_t *)words, (size_t)k);
	return DISSECT_OK;
}

static const struct dissector dump = {
	.name = "dump",
	.transports = DISSECT_TCP,
	.state_size = sizeof(struct state),
	.max_message = 1 << 20,
	.probe = dump_probe,
	.parse = dump_parse,
	.gap = dump_gap,
};
static const struct dissector *const dissectors[] = { &dump, NULL };

/* The lower end of a flow is direction 0 of its key (sensor/flow.h). */
static unsigned side_of(const struct endpoint *a, const struct endpoint *b)
{
	int c = addr_cmp(&a->ip, &b->ip);
	return c > 0 || (c == 0 && a->port > b->port);
}

static void say_flow(const struct observation *o)
{
	char src[ADDR_ENDPOINT_STRLEN], dst[ADDR_ENDPOINT_STRLEN];
	unsigned from = side_of(&o->src, &o->dst);
	const struct text *t = dumped[dumped_by_flow[o->flow]];
	printf("{\"flow\":%u,\"src\":\"%s\",\"dst\":\"%s\",\"end\":\"%s\",\"midstream\":%s,\"gap_bytes\":%u,"
	       "\"conflicts\":%u,"
	       "\"out\":\"%.*s\",\"in\":\"%.*s\"}\n",
	       (unsigned)o->flow, addr_endpoint_str(&o->src, src), addr_endpoint_str(&o->dst, dst),
	       vocab_word(&observation_vocab, OBSERVATION_F_end, o->end), o->midstream ? "true" : "false",
	       (unsigned)o->gap_bytes, (unsigned)o->conflicts, (int)t[from].n, t[from].p ? t[from].p : "",
	       (int)t[!from].n, t[!from].p ? t[!from].p : "");
}

static void collect(struct shard_out *out)
{
	static struct vocab_scratch scratch;
	struct shard_record head;
	struct span bytes;
	for (size_t at = 0; shard_record_next(out, &at, &head, &bytes);) {
		struct observation o = { 0 };
		if (vocab_pack_read(&observation_vocab, &o.head, &scratch, bytes) || o.flow >= NUMBERS)
			exit(1);
		if (o.head.type == OBSERVATION_DICOM_COMMAND)
			dumped_by_flow[o.flow] = (uint32_t)o.message_id;
		if (o.head.type == OBSERVATION_FLOW_END && o.transport == OBSERVATION_TCP)
			say_flow(&o);
	}
	buf_rewind(&out->bytes, 0);
}

int main(int argc, char **argv)
{
	static struct shard_out out;
	int fd = argc == 2 || argc == 3 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	struct source *s = fd >= 0 ? source_open_files(&fd, 1) : NULL;
	const struct shard_config c = {
		.flows = FLOWS,
		.stream_bytes = argc == 3 ? strtoul(argv[2], NULL, 10) : 64u << 20,
		.probes = FLOWS,
		.states = FLOWS,
		.dissectors = dissectors,
		.tcp_idle_ns = 86400 * CLOCK_SECOND,
		.udp_idle_ns = 86400 * CLOCK_SECOND,
		.half_open_ns = 86400 * CLOCK_SECOND,
	};
	struct shard *h = s ? shard_new(&c) : NULL;
	out.bytes = buf_over(malloc(OUT), OUT);
	if (!h || !out.bytes.data) {
		fprintf(stderr, "usage: streamdump CAPTURE [STREAM_BYTES]\n");
		return 2;
	}
	const struct siphash_key secret = { 0 };
	const struct flow_hash_key key = flow_hash_key_make(&secret);
	struct source_packet p;
	uint64_t seq = 0, first = 0;
	while (source_next(s, 0, &p) == SOURCE_PACKET) {
		struct decode d;
		decode_packet(p.linktype, p.bytes, p.wire_len, &d);
		seq++;
		if (d.kind != DECODE_TCP)
			continue;
		struct shard_packet sp = { .d = &d, .seq = seq, .ts_ns = p.ts_ns, .number = p.number };
		sp.side = flow_key_make(&d, &sp.key);
		sp.hash = flow_key_hash(&key, &sp.key);
		shard_packet(h, &out, &sp);
		collect(&out);
	}
	while (shard_first_flow(h, &first)) {
		shard_end_first_flow(h, &out);
		collect(&out);
	}
	printf("{\"stats\":{\"packets\":%llu", (unsigned long long)seq);
	for (int i = 0; i < STATS_COUNTERS; i++)
		if (shard_stats(h)->v[i])
			printf(",\"%s\":%llu", stats_name((enum stats_counter)i),
			       (unsigned long long)shard_stats(h)->v[i]);
	puts("}}");
	shard_free(h);
	source_close(s);
	return fflush(stdout) ? 1 : 0;
}
