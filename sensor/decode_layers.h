/* decode_layers.h -- how the layers of decode.c call one another. For sensor/decode*.c only.
 *
 * Each takes what is left of the frame, fills what it learns into *d, and hands on or ends with decode_fail().
 */
#ifndef SENSOR_DECODE_LAYERS_H
#define SENSOR_DECODE_LAYERS_H

#include <string.h>

#include "sensor/decode.h"

struct decode_frame {
	struct cursor c;        /* captured bytes of the layer at hand */
	uint64_t wire;          /* bytes of that layer on the wire, from its first byte on; >= what c holds */
	uint8_t snaps;          /* LLC headers read: a chain of them is no frame */
};

enum {
	DECODE_ETHERTYPE_IPV4 = 0x0800, DECODE_ETHERTYPE_ARP = 0x0806, DECODE_ETHERTYPE_TEB = 0x6558,
	DECODE_ETHERTYPE_VLAN = 0x8100, DECODE_ETHERTYPE_IPV6 = 0x86dd, DECODE_ETHERTYPE_PPP = 0x880b,
	DECODE_ETHERTYPE_MPLS = 0x8847, DECODE_ETHERTYPE_MPLS_MULTICAST = 0x8848, DECODE_ETHERTYPE_PPPOE = 0x8864,
	DECODE_ETHERTYPE_QINQ = 0x88a8, DECODE_ETHERTYPE_ERSPAN = 0x88be, DECODE_ETHERTYPE_LLDP = 0x88cc,
	DECODE_ETHERTYPE_QINQ_OLD = 0x9100, DECODE_ETHERTYPE_ERSPAN3 = 0x22eb,
};

/* In pieces that a compiler makes a few wide stores of; as a whole it makes a loop of it. */
static inline void decode_zero(struct decode *d)
{
	enum { PIECE = 64, LAST = sizeof(*d) - 2 * PIECE };
	_Static_assert(sizeof(*d) > 2 * PIECE && sizeof(*d) <= 3 * PIECE, "three pieces");
	memset(d, 0, PIECE);
	memset((uint8_t *)d + PIECE, 0, PIECE);
	memset((uint8_t *)d + 2 * PIECE, 0, LAST);
}

static inline void decode_fail(struct decode *d, enum stats_counter why)
{
	d->kind = DECODE_NOTHING;
	d->counter = why;
}

/* A header did not fit: was it the capture that cut it, or is the packet broken? */
static inline void decode_fail_short(struct decode *d, bool cut, enum stats_counter broken)
{
	decode_fail(d, cut ? STATS_packets_truncated : broken);
}

static inline bool decode_is_cut(const struct decode_frame *f) { return cursor_left(&f->c) < f->wire; }

static inline void decode_set_mac(struct mac *m, struct span s)
{
	if (s.n >= 6)
		memcpy(m->b, s.p, 6);
}

static inline void decode_set_payload(struct decode *d, struct cursor *c, uint64_t wire)
{
	struct span s = cursor_rest(c);
	if (s.n > wire)
		s.n = (size_t)wire;
	d->payload = s;
	d->payload_wire = (uint32_t)wire;
	d->truncated = s.n < wire;
}

/* decode.c: decode_packet without a look at what is plain. */
void decode_general(uint32_t linktype, struct span bytes, uint32_t wire_len, struct decode *ret);
/* decode_plain.c: an Ethernet frame. False: not plain, *ret is as it was. */
bool decode_plain(struct span bytes, struct decode *ret);
/* decode_link.c */
void decode_link_ethernet(struct decode *d, struct decode_frame *f);
void decode_link_ethertype(struct decode *d, struct decode_frame *f, uint16_t type);
void decode_link_ppp(struct decode *d, struct decode_frame *f);        /* from the address byte or the protocol on */
void decode_link_cooked(struct decode *d, struct decode_frame *f, bool second);
void decode_link_null(struct decode *d, struct decode_frame *f);
void decode_link_cisco_hdlc(struct decode *d, struct decode_frame *f);
/* decode_wlan.c */
void decode_wlan_frame(struct decode *d, struct decode_frame *f, bool padded, bool swapped);
void decode_wlan_radiotap(struct decode *d, struct decode_frame *f);
/* decode_ip.c */
void decode_ip_any(struct decode *d, struct decode_frame *f);          /* by its version */
void decode_ip_v4(struct decode *d, struct decode_frame *f);
void decode_ip_v6(struct decode *d, struct decode_frame *f);
void decode_ip_datagram(struct decode *d, uint8_t proto, struct span bytes);      /* decode_datagram */
void decode_ip_quoted(struct decode *d, struct cursor c, bool v6);     /* what an ICMP error carries */
/* decode_transport.c */
void decode_transport_any(struct decode *d, struct cursor c, uint64_t wire, uint8_t proto);
/* decode_tunnel.c; those that return bool: false when there is no such tunnel there, *d as it was. */
void decode_tunnel_mpls(struct decode *d, struct decode_frame *f);
void decode_tunnel_pppoe(struct decode *d, struct decode_frame *f);
bool decode_tunnel_over_ip(struct decode *d, struct cursor c, uint64_t wire, uint8_t proto);
bool decode_tunnel_over_udp(struct decode *d, struct cursor c, uint64_t wire);  /* ports are in *d */


/* Whether a datagram between these ports is looked at by decode_tunnel_over_udp(): of who receives; CAPWAP and L2TP answer from
 * theirs. */
static inline bool decode_tunnel_may_be(uint16_t src_port, uint16_t dst_port)
{
	return dst_port == 4789 || dst_port == 8472 || dst_port == 6081 || dst_port == 2152 || dst_port == 5247 ||
	       dst_port == 1701 || src_port == 5247 || src_port == 1701;
}

#endif
