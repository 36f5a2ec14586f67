/* fuzz_shard.c -- packets from the input through one shard with tiny budgets and the real dissectors.
 *
 * Checked: every observation decodes again and carries the head it must; packets never go back; the output of
 * one packet stays within its bound; every flow that was made ends exactly once.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "sensor/shard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)                 \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

static uint64_t ended;

static void drain(struct shard_out *out)
{
	static struct vocab_scratch scratch;
	struct shard_record head;
	struct span bytes;
	CHECK(out->bytes.len <= SHARD_OUTPUT);
	for (size_t at = 0; shard_record_next(out, &at, &head, &bytes);) {
		static uint8_t encoded[2 * SHARD_OUTPUT];
		struct buf b = buf_over(encoded, sizeof(encoded));
		struct observation o = { 0 };
		CHECK(!vocab_pack_read(&observation_vocab, &o.head, &scratch, bytes) && !vocab_encode(&observation_vocab, &o.head, &b));
		struct cursor in = cursor_from(buf_span(&b));
		CHECK(!vocab_decode(&observation_vocab, &o.head, &scratch, &in, NULL) && !cursor_left(&in));
		CHECK(observation_has(&o, OBSERVATION_F_packet) && observation_has(&o, OBSERVATION_F_flow));
		CHECK(observation_has(&o, OBSERVATION_F_src) && observation_has(&o, OBSERVATION_F_dst));
		ended += o.head.type == OBSERVATION_FLOW_END;
	}
	buf_rewind(&out->bytes, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct shard_out out;
	static uint8_t memory[2 * SHARD_OUTPUT];
	const struct shard_config config = {
		.flows = 4, .stream_bytes = 8 << 10, .probes = 2, .states = 2, .dissectors = dissector_list,
		.tcp_idle_ns = 100 * CLOCK_SECOND, .udp_idle_ns = 30 * CLOCK_SECOND, .half_open_ns = 10 * CLOCK_SECOND,
	};
	const struct siphash_key secret = { 1, 2 };
	const struct flow_hash_key key = flow_hash_key_make(&secret);
	struct shard *h = shard_new(&config);
	if (!h)
		return 0;
	out.bytes = buf_over(memory, sizeof(memory));
	ended = 0;
	uint64_t ts_ns = CLOCK_SECOND, seq = 0;
	/* Each packet: flow and side, flags, sequence and acknowledgement near the flow's own, length, bytes. */
	uint32_t at[8][2] = { { 0 } };
	struct cursor in = cursor_from((struct span){ data, size });
	while (cursor_left(&in) >= 6) {
		uint8_t who = cursor_u8(&in), flags = cursor_u8(&in), jump = cursor_u8(&in), clock = cursor_u8(&in);
		uint16_t n = cursor_u16be(&in);
		unsigned flow = who & 7, side = who >> 3 & 1;
		size_t have = n & 0x0fff;
		if (have > cursor_left(&in))
			have = cursor_left(&in);
		struct span bytes = cursor_take(&in, have);
		uint8_t *exact = malloc(have ? have : 1);
		if (!exact)
			break;
		if (have)
			memcpy(exact, bytes.p, have);
		struct decode d = {
			.kind = who & 0x40 ? DECODE_UDP : DECODE_TCP, .flags = flags & 0x3f,
			.src_port = (uint16_t)(side ? 104 : 4000 + flow),
			.dst_port = (uint16_t)(side ? 4000 + flow : 104),
			.seq = at[flow][side] + (uint32_t)((int)jump - (jump & 0x80 ? 256 : 0)), .ack = at[flow][!side],
			.payload = { exact, have }, .payload_wire = (uint32_t)have + (n >> 12), .ip_bytes = 40,
		};
		d.src.b[15] = (uint8_t)(1 + side);
		d.dst.b[15] = (uint8_t)(2 - side);
		at[flow][side] = d.seq + d.payload_wire + (d.flags & DECODE_SYN ? 1 : 0);
		ts_ns += (uint64_t)(clock & 0x3f) * CLOCK_SECOND / 4;
		seq++;
		struct shard_packet p = { .d = &d, .seq = seq, .number = seq, .ts_ns = ts_ns, .file = who >> 7 };
		p.side = flow_key_make(&d, &p.key);
		p.hash = flow_key_hash(&key, &p.key);
		shard_packet(h, &out, &p);
		drain(&out);
		if (clock & 0x80) {
			shard_timers(h, &out, ts_ns);
			drain(&out);
		}
		free(exact);
	}
	uint64_t number = 0, last = 0;
	while (shard_first_flow(h, &number)) {
		CHECK(number > last);
		last = number;
		shard_end_first_flow(h, &out);
		drain(&out);
	}
	CHECK(ended == shard_stats(h)->v[STATS_flows]);
	shard_free(h);
	return 0;
}
