/* The first byte chooses the link type, the second how much longer the packet was on the wire. What is read in one look
 * (sensor/decode_plain.c) must be what the layers say. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "sensor/checksum.h"
#include "sensor/decode_layers.h"
#include "sensor/decode_same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t links[] = { 1, 0, 108, 101, 12, 14, 228, 229, 113, 276, 9, 50, 51, 104, 105, 127, 2 };
	if (size < 2)
		return 0;
	struct span s = { data + 2, size - 2 };
	/* Shift 0..3 keeps small differences likely, the rest reaches jumbograms. */
	uint32_t longer = (uint32_t)(data[1] & 0x3f) << (data[1] >> 6) * 8;
	struct decode d, general;
	uint32_t link = links[data[0] % (sizeof(links) / sizeof(*links))];
	decode_packet(link, s, (uint32_t)s.n + longer, &d);
	decode_general(link, s, (uint32_t)s.n + longer, &general);
	if (!decode_same(&d, &general))
		abort();
	if (d.counter >= STATS_COUNTERS || d.payload.n > d.payload_wire || d.truncated != (d.payload.n < d.payload_wire))
		abort();
	/* An ERSPAN mirror that cut its copy leaves to the IP header how long the packet was. */
	uint32_t mirrored = d.tunnels & 1 << DECODE_ERSPAN ? UINT16_MAX * DECODE_MAX_TUNNELS : 0;
	if (d.payload.n && (d.payload.p < s.p || d.payload.p + d.payload.n > s.p + s.n))
		abort();
	switch (d.kind) {
	case DECODE_TCP:
	case DECODE_UDP:
		if (d.segment.n < d.payload.n || d.depth > DECODE_MAX_TUNNELS || checksum_of(&d) > CHECKSUM_NONE)
			abort();
		if (d.counter != (d.kind == DECODE_TCP ? STATS_tcp : STATS_udp) || d.payload_wire > d.ip_bytes ||
		    d.ip_bytes > s.n + longer + mirrored)
			abort();
		break;
	case DECODE_IP_OTHER:
		if (d.counter != STATS_transport_other && d.counter != STATS_icmp && d.counter != STATS_icmp_errors)
			abort();
		break;
	case DECODE_SCTP:
	case DECODE_ICMP_ERROR:
		if (d.counter != (d.kind == DECODE_SCTP ? STATS_sctp : STATS_icmp_errors) || d.quoted > DECODE_SCTP)
			abort();
		break;
	case DECODE_FRAGMENT:
		if (d.counter != STATS_ip_fragments || (!d.fragment.offset && !d.fragment.more))
			abort();
		/* As if it were the whole. */
		decode_datagram(&d, d.fragment.proto, d.payload);
		if (d.counter >= STATS_COUNTERS || d.payload.n > d.payload_wire)
			abort();
		break;
	case DECODE_ARP:
		if (d.counter != STATS_arp || !d.src.b[11])
			abort();
		break;
	case DECODE_NOTHING:
		if (d.payload.n || d.counter == STATS_tcp || d.counter == STATS_udp)
			abort();
		break;
	}
	return 0;
}
