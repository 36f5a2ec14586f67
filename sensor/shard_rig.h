/* shard_rig.h -- for tests only: a shard with a protocol of its own, fed packet by packet; what it observes becomes text. */
#ifndef SENSOR_SHARD_RIG_H
#define SENSOR_SHARD_RIG_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "core/clock.h"
#include "sensor/shard.h"
#include "sensor/stream.h"

/* A protocol of the test's own: "T!", a length byte, that many letters. 255: a thousand bytes of no interest follow.
 * Letters: 'c...' the sender is the client, 's...' the server is; "bad" breaks; "many" says two thousand things;
 * "huge" asks for more than its limit; "done" is the last that is of interest. */
struct toy_state { uint32_t messages; uint8_t fill[96]; };

enum { TOY_MAX = 1024 };

static inline enum dissect_guess toy_probe(struct span head, bool midstream)
{
	(void)midstream;
	if ((head.n > 0 && head.p[0] != 'T') || (head.n > 1 && head.p[1] != '!'))
		return DISSECT_NO;
	return head.n < 3 ? DISSECT_MAYBE : DISSECT_YES;
}

static inline void toy_say(struct dissect_ctx *ctx, const char *prefix, struct span text)
{
	char id[80];
	int n = text.n < 60 ? (int)text.n : 60;
	snprintf(id, sizeof(id), "%s%.*s", prefix, n, text.p ? (const char *)text.p : "");
	struct observation o = { .head.type = OBSERVATION_HL7_MESSAGE };
	observation_text(&o, OBSERVATION_F_control_id, span_str(id));
	ctx->emit(ctx->arg, &o);
}

static inline struct dissect_result toy_parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct toy_state *st = state;
	if (in.n < 3)
		return (struct dissect_result){ DISSECT_MORE, 0, 3 };
	if (in.p[0] != 'T' || in.p[1] != '!')
		return (struct dissect_result){ DISSECT_BAD, 0, 0 };
	if (in.p[2] == 255)
		return (struct dissect_result){ DISSECT_SKIP, 3, 1000 };
	size_t n = 3u + in.p[2];
	if (in.n < n)
		return (struct dissect_result){ DISSECT_MORE, 0, n };
	struct span text = { in.p + 3, n - 3 };
	if (span_eq(text, span_str("bad")))
		return (struct dissect_result){ DISSECT_BAD, 0, 0 };
	if (span_eq(text, span_str("huge")))
		return (struct dissect_result){ DISSECT_MORE, n, TOY_MAX + 1 };
	if (span_eq(text, span_str("done"))) {
		toy_say(ctx, st->messages++ ? "" : "1st:", text);
		return (struct dissect_result){ DISSECT_DONE, n, 0 };
	}
	if (text.n && text.p[0] == 'c')
		ctx->client = (enum dissect_client)ctx->dir;
	if (text.n && text.p[0] == 's')
		ctx->client = (enum dissect_client)!ctx->dir;
	unsigned times = span_eq(text, span_str("many")) ? 2000 : 1;
	while (times--)
		toy_say(ctx, st->messages++ ? "" : "1st:", text);
	return (struct dissect_result){ DISSECT_OK, n, 0 };
}

static inline enum dissect_status toy_gap(void *state, uint64_t n, struct dissect_ctx *ctx)
{
	char text[24];
	(void)state;
	snprintf(text, sizeof(text), "gap%u", (unsigned)n);
	toy_say(ctx, "", span_str(text));
	return DISSECT_OK;
}

/* Rests when its count is all there is to it. */
static inline size_t toy_rest(const void *state, uint8_t ret[static DISSECT_REST_MAX])
{
	memcpy(ret, state, sizeof(uint32_t));
	return sizeof(uint32_t);
}

static inline void toy_wake(void *state, struct span rest)
{
	CU_ASSERT_EQUAL_FATAL(rest.n, sizeof(uint32_t));
	memcpy(state, rest.p, rest.n);
}

static inline void toy_finish(void *state, struct span rest, struct dissect_ctx *ctx)
{
	(void)state;
	if (rest.n)
		toy_say(ctx, "rest:", span_from(rest, 3));
}

static const struct dissector toy = {
	.name = "toy", .transports = DISSECT_TCP, .ports = { 7777 }, .state_size = sizeof(struct toy_state),
	.max_message = TOY_MAX, .probe = toy_probe, .parse = toy_parse, .gap = toy_gap, .finish = toy_finish,
	.rest = toy_rest, .wake = toy_wake,
};
/* Datagrams that begin with "D": 's' next says the sender is the server, "Dx" is the last of interest, "Db" breaks. What is
 * of port 7000 need only begin with "W". */
static bool toy_is_datagram(struct span in) { return in.n && in.p[0] == 'D'; }

static enum dissect_status toy_datagram(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct toy_state *st = state;
	if (in.n > 1 && in.p[1] == 'b')
		return DISSECT_BAD;
	if (in.n > 1 && in.p[1] == 's')
		ctx->client = (enum dissect_client) !ctx->dir;
	toy_say(ctx, st->messages++ ? "" : "1st:", in);
	return in.n > 1 && in.p[1] == 'x' ? DISSECT_DONE : DISSECT_OK;
}

static bool weak_is_datagram(struct span in) { return in.n && in.p[0] == 'W'; }

static enum dissect_status weak_datagram(void *state, struct span in, struct dissect_ctx *ctx)
{
	CU_ASSERT_PTR_NULL(state);
	toy_say(ctx, "weak:", in);
	return DISSECT_OK;
}

static const struct dissector datagrams = {
	.name = "toy-udp",
	.transports = DISSECT_UDP,
	.is_datagram = toy_is_datagram,
	.datagram = toy_datagram,
	.datagram_state = sizeof(struct toy_state),
};
static const struct dissector weak = {
	.name = "weak",
	.transports = DISSECT_UDP,
	.ports = { 7000 },
	.is_datagram = weak_is_datagram,
	.datagram = weak_datagram,
	.needs_port = true,
};
static const struct dissector *const toys[] = { &toy, &datagrams, &weak, NULL };

enum { OUT = 4 << 20, C = 40000, S = 9000 };    /* client and server ports of most cases */

struct rig {
	struct shard *h;
	struct shard_out *out;
	struct flow_hash_key key;
	struct shard_config c;
	uint64_t seq, ts_ns;
	bool no_text;
	char *text;
	size_t n;
};

static inline void setup_with(struct rig *r, struct shard_config c)
{
	memset(r, 0, sizeof(*r));
	r->c = c;
	r->key = flow_hash_key_make(&(const struct siphash_key){ 0, 0 });
	r->h = shard_new(&c);
	r->out = calloc(1, sizeof(*r->out));
	r->text = calloc(1, OUT);
	CU_ASSERT_FATAL(r->h && r->out && r->text);
	r->out->bytes = buf_over(malloc(OUT), OUT);
	r->ts_ns = UINT64_C(1700000000) * CLOCK_SECOND;
}

static inline struct shard_config plenty(void)
{
	return (struct shard_config){
		.flows = 64, .stream_bytes = 1 << 20, .probes = 16, .states = 16, .dissectors = toys,
		.tcp_idle_ns = 300 * CLOCK_SECOND, .udp_idle_ns = 60 * CLOCK_SECOND, .half_open_ns = 20 * CLOCK_SECOND,
	};
}

static inline void setup(struct rig *r) { setup_with(r, plenty()); }

static inline void teardown(struct rig *r)
{
	shard_free(r->h);
	free(r->out->bytes.data);
	free(r->out);
	free(r->text);
}

static inline void say(struct rig *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(r->text + r->n, OUT - r->n, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < OUT - r->n)
		r->n += (size_t)n;
}

/* One line per observation: type, packet, ports from>to, then what it says in short words. */
static inline void collect(struct rig *r)
{
	struct shard_record head;
	struct span bytes;
	for (size_t at = 0; shard_record_next(r->out, &at, &head, &bytes);) {
		static struct vocab_scratch scratch;
		struct observation o;
		static uint8_t encoded[2 * SHARD_OUTPUT];
		struct buf b = buf_over(encoded, sizeof(encoded));
		memset(&o, 0, sizeof(o));
		CU_ASSERT_EQUAL_FATAL(vocab_pack_read(&observation_vocab, &o.head, &scratch, bytes), 0);
		/* Whoever reads it outside holds it to the tables. */
		CU_ASSERT_EQUAL_FATAL(vocab_encode(&observation_vocab, &o.head, &b), 0);
		struct cursor in = cursor_from(buf_span(&b));
		CU_ASSERT_EQUAL_FATAL(vocab_decode(&observation_vocab, &o.head, &scratch, &in, NULL), 0);
		CU_ASSERT_EQUAL(cursor_left(&in), 0);
		if (r->no_text)
			continue;
		say(r, "%s %u", observation_vocab.types[o.head.type].name, (unsigned)o.packet);
		say(r, " %u>%u", o.src.port, o.dst.port);
		if (observation_has(&o, OBSERVATION_F_initiator_by))
			say(r, " %s", vocab_word(&observation_vocab, OBSERVATION_F_initiator_by, o.initiator_by));
		if (observation_has(&o, OBSERVATION_F_service))
			say(r, " %.*s", (int)o.service.n, (const char *)o.service.p);
		if (observation_has(&o, OBSERVATION_F_control_id))
			say(r, " %.*s", (int)o.control_id.n, (const char *)o.control_id.p);
		if (observation_has(&o, OBSERVATION_F_reason))
			say(r, " %s", vocab_word(&observation_vocab, OBSERVATION_F_reason, o.reason));
		if (o.midstream)
			say(r, " midstream");
		if (o.one_sided)
			say(r, " one-sided");
		if (o.answered)
			say(r, " answered");
		if (observation_has(&o, OBSERVATION_F_end))
			say(r, " %s out=%u in=%u", vocab_word(&observation_vocab, OBSERVATION_F_end, o.end),
			    (unsigned)o.packets_out, (unsigned)o.packets_in);
		if (o.half_open)
			say(r, " half-open");
		if (o.unread)
			say(r, " unread");
		if (o.gap_bytes)
			say(r, " gap=%u", (unsigned)o.gap_bytes);
		say(r, "\n");
	}
	buf_rewind(&r->out->bytes, 0);
}

static inline void send(struct rig *r, struct decode d)
{
	d.src.b[15] = d.src_port == S || d.src_port == 53 ? 2 : 1;
	d.dst.b[15] = d.dst_port == S || d.dst_port == 53 ? 2 : 1;
	d.ip_bytes = 40 + d.payload_wire;
	d.has_mac = true;
	d.src_mac.b[5] = d.src.b[15];
	d.dst_mac.b[5] = d.dst.b[15];
	struct shard_packet p = { .d = &d, .seq = ++r->seq, .number = r->seq, .ts_ns = r->ts_ns };
	p.side = flow_key_make(&d, &p.key);
	p.hash = flow_key_hash(&r->key, &p.key);
	shard_packet(r->h, r->out, &p);
	collect(r);
}

static inline void tcp_bytes(struct rig *r, unsigned from, unsigned to, unsigned flags, uint32_t seq, uint32_t ack,
		      const void *bytes, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);
	if (n)
		memcpy(exact, bytes, n);
	send(r, (struct decode){ .kind = DECODE_TCP, .src_port = (uint16_t)from, .dst_port = (uint16_t)to,
				 .flags = (uint8_t)flags, .seq = seq, .ack = ack,
				 .payload = { exact, n }, .payload_wire = (uint32_t)n });
	free(exact);
}

static inline void tcp(struct rig *r, unsigned from, unsigned to, unsigned flags, uint32_t seq, uint32_t ack, const char *text)
{
	tcp_bytes(r, from, to, flags, seq, ack, text, strlen(text));
}

static inline void udp(struct rig *r, unsigned from, unsigned to, const char *text)
{
	send(r, (struct decode){ .kind = DECODE_UDP, .src_port = (uint16_t)from, .dst_port = (uint16_t)to,
				 .payload = span_str(text), .payload_wire = (uint32_t)strlen(text) });
}

#define SYN DECODE_SYN
#define ACK DECODE_ACK
#define FIN DECODE_FIN
#define RST DECODE_RST

static inline void handshake(struct rig *r)
{
	tcp(r, C, S, SYN, 99, 0, "");
	tcp(r, S, C, SYN | ACK, 199, 100, "");
	tcp(r, C, S, ACK, 100, 200, "");
}

static inline void timers(struct rig *r, uint64_t later_s)
{
	r->ts_ns += later_s * CLOCK_SECOND;
	shard_timers(r->h, r->out, r->ts_ns);
	collect(r);
}

static inline void capture_ends(struct rig *r)
{
	uint64_t number = 0, last = 0;
	while (shard_first_flow(r->h, &number)) {
		CU_ASSERT(number > last);
		last = number;
		shard_end_first_flow(r->h, r->out);
		collect(r);
	}
	CU_ASSERT_EQUAL(shard_flows(r->h), 0);
}

#define IS(r, want)                                                                       \
	do {                                                                              \
		if (strcmp((r)->text, want))                                              \
			printf("\n  seen:\n%s  wanted:\n%s", (r)->text, want);            \
		CU_ASSERT_STRING_EQUAL((r)->text, want);                                  \
		(r)->text[(r)->n = 0] = 0;                                                \
	} while (0)

#endif
