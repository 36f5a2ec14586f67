/* decode.h -- from a captured frame to addresses, ports and payload. Pure; reads only through the cursor.
 *
 * Link types: Ethernet (1), NULL (0), LOOP (108), RAW (101, 12, 14, 228, 229), Linux SLL (113), SLL2 (276), PPP (9),
 * PPP in HDLC framing (50), PPPoE (51), Cisco HDLC (104), 802.11 (105), 802.11 with radiotap (127).
 * 802.1Q and 802.1ad tags (up to 4) and priority tags, SNAP, IPv4 with options, IPv6 with extension headers (up to 16),
 * TCP, UDP, SCTP's ports, what ICMP quotes, ARP.
 *
 * Tunnels are unwrapped and what is inside is decoded in place of what is around it: MPLS (IP, and Ethernet with and
 * without control word), PPPoE, GRE (with checksum, key, sequence; version 1 with PPP), ERSPAN I, II and III, NVGRE,
 * VXLAN (4789, 8472), GENEVE (6081), IP in IP, 6in4, EtherIP, CAPWAP data (5247), GTP-U (2152), L2TPv2 and v3 (1701, IP 115).
 * Those over UDP are told by their port and by their shape: the header's fixed bits, and something inside that reads
 * without a fault. Anything else on these ports is a UDP packet like others.
 *
 * At most DECODE_MAX_TUNNELS levels: the deepest that is built on purpose is a mirror (ERSPAN) of an overlay (VXLAN)
 * that carries a wireless controller's tunnel (CAPWAP) with 6in4 inside. Every level costs the reader of a hostile
 * packet one more pass over its headers, and a packet of 1,500 bytes has room for forty.
 */
#ifndef SENSOR_DECODE_H
#define SENSOR_DECODE_H

#include "core/addr.h"
#include "core/cursor.h"
#include "sensor/stats.h"

enum { DECODE_MAX_TUNNELS = 4 };

/* The first three have flows. */
enum decode_kind {
	DECODE_TCP, DECODE_UDP, DECODE_SCTP,
	DECODE_ICMP_ERROR,              /* addresses, ports, `quoted` and `seq` are those of the packet that it quotes */
	DECODE_FRAGMENT,                /* of an IP packet: `fragment`, and its bytes in payload */
	DECODE_IP_OTHER, DECODE_ARP, DECODE_NOTHING
};

enum { DECODE_FIN = 0x01, DECODE_SYN = 0x02, DECODE_RST = 0x04, DECODE_PSH = 0x08, DECODE_ACK = 0x10, DECODE_URG = 0x20 };

/* What was unwrapped, as bits of `tunnels`; in the order of the counters from STATS_tunnel_mpls on. */
enum decode_tunnel {
	DECODE_MPLS, DECODE_PPPOE, DECODE_GRE, DECODE_ERSPAN, DECODE_VXLAN, DECODE_GENEVE, DECODE_IP_IN_IP, DECODE_CAPWAP,
	DECODE_GTP, DECODE_L2TP, DECODE_TUNNELS
};

struct decode_fragment {
	uint32_t id;
	uint16_t offset;                /* bytes */
	uint8_t proto;                  /* of the header that follows; counts in the first fragment only */
	bool more, v6;
	uint8_t header;                 /* IPv4: bytes of it */
};

struct decode {
	enum decode_kind kind;
	enum stats_counter counter;     /* the one counter, beside `packets`, that this packet belongs to */
	bool has_mac, truncated;        /* truncated: captured shorter than on the wire, payload cut */
	struct mac src_mac, dst_mac;    /* cooked captures (SLL) tell the sender's only; dst_mac is then zero */
	uint16_t vlan;                  /* outermost of the innermost frame; 0 none (priority tags have no number) */
	uint16_t inner_vlan;            /* of the tag behind that one; 0 none */
	struct addr src, dst;           /* ARP: sender and target protocol address */
	struct mac arp_mac;             /* ARP: sender hardware address */
	uint8_t ip_proto;               /* of the last header */
	uint8_t ttl;
	uint16_t src_port, dst_port;
	uint32_t ip_bytes;              /* on the wire, from the IP header on */
	uint32_t seq, ack;              /* TCP */
	uint16_t window;
	uint8_t flags;
	uint8_t depth;                  /* tunnels unwrapped */
	uint16_t tunnels;               /* which: 1 << enum decode_tunnel */
	uint16_t ip_id;                 /* IPv4; 0 none */
	uint32_t overlay;               /* VXLAN's, NVGRE's or GENEVE's network number; 0 none */
	uint8_t space;                  /* put there by who knows the site's (sensor/spaces.h); 0 the ordinary one */
	uint16_t checksum;              /* TCP, UDP: as it stands */
	uint8_t ip_sum;                 /* of the IPv4 header: enum checksum (sensor/checksum.h) */
	uint8_t icmp_type, icmp_code;
	enum decode_kind quoted;        /* DECODE_ICMP_ERROR: DECODE_TCP, DECODE_UDP or DECODE_SCTP */
	struct decode_fragment fragment;
	struct span segment;            /* TCP, UDP: header and payload, as far as captured */
	struct span payload;            /* within the IP length: Ethernet padding is not payload */
	uint32_t payload_wire;          /* payload length on the wire; > payload.n when truncated */
};

/* Fills *ret wholly. `kind` DECODE_NOTHING when there is nothing to follow; `counter` says why, and the addresses
 * are set as far as they were read. A packet cut by the capture inside its headers has the counter
 * packets_truncated; one cut in its payload has its protocol's counter and `truncated`, so each counts once. */
void decode_packet(uint32_t linktype, struct span bytes, uint32_t wire_len, struct decode *ret);

/* What a DECODE_FRAGMENT completed: *d as it came from one of the fragments (best the first), `bytes` the whole of what
 * was in pieces, `proto` of the first of them. Goes on as decode_packet does; may find a fragment again, of a packet inside. */
void decode_datagram(struct decode *d, uint8_t proto, struct span bytes);

#endif
