/* decode.h -- from a captured frame to addresses, ports and payload. Pure; reads only through the cursor.
 *
 * Link types: Ethernet (1), NULL (0), LOOP (108), RAW (101, 12, 14, 228, 229), Linux SLL (113), SLL2 (276).
 * 802.1Q and 802.1ad tags (up to 4), IPv4 with options, IPv6 with extension headers (up to 16), TCP, UDP, ARP.
 */
#ifndef SENSOR_DECODE_H
#define SENSOR_DECODE_H

#include "core/addr.h"
#include "core/cursor.h"
#include "sensor/stats.h"

enum decode_kind { DECODE_TCP, DECODE_UDP, DECODE_IP_OTHER, DECODE_ARP, DECODE_NOTHING };

enum { DECODE_FIN = 0x01, DECODE_SYN = 0x02, DECODE_RST = 0x04, DECODE_PSH = 0x08, DECODE_ACK = 0x10, DECODE_URG = 0x20 };

struct decode {
	enum decode_kind kind;
	enum stats_counter counter;     /* the one counter, beside `packets`, that this packet belongs to */
	bool has_mac, truncated;        /* truncated: captured shorter than on the wire, payload cut */
	struct mac src_mac, dst_mac;    /* cooked captures (SLL) tell the sender's only; dst_mac is then zero */
	uint16_t vlan;                  /* outermost; 0 none (priority tags have no number) */
	struct addr src, dst;           /* ARP: sender and target protocol address */
	struct mac arp_mac;             /* ARP: sender hardware address */
	uint8_t ip_proto;               /* of the last header */
	uint8_t ttl;
	uint16_t src_port, dst_port;
	uint32_t ip_bytes;              /* on the wire, from the IP header on */
	uint32_t seq, ack;              /* TCP */
	uint16_t window;
	uint8_t flags;
	struct span payload;            /* within the IP length: Ethernet padding is not payload */
	uint32_t payload_wire;          /* payload length on the wire; > payload.n when truncated */
};

/* Fills *ret wholly. `kind` DECODE_NOTHING when there is nothing to follow; `counter` says why, and the addresses
 * are set as far as they were read. A packet cut by the capture inside its headers has the counter
 * packets_truncated; one cut in its payload has its protocol's counter and `truncated`, so each counts once.
 * An IP fragment is DECODE_IP_OTHER with the counter ip_fragments: its addresses are known, its ports are not. */
void decode_packet(uint32_t linktype, struct span bytes, uint32_t wire_len, struct decode *ret);

#endif
