#include "sensor/decode.h"

#include "sensor/checksum.h"
#include "sensor/decode_layers.h"

/* https://www.tcpdump.org/linktypes.html */
enum {
	LINK_NULL = 0, LINK_ETHERNET = 1, LINK_PPP = 9, LINK_RAW_BSD = 12, LINK_RAW_OPENBSD = 14, LINK_PPP_HDLC = 50,
	LINK_PPPOE = 51, LINK_RAW = 101, LINK_CISCO_HDLC = 104, LINK_WLAN = 105, LINK_LOOP = 108, LINK_SLL = 113,
	LINK_RADIOTAP = 127, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_SLL2 = 276,
};

void decode_packet(uint32_t linktype, struct span bytes, uint32_t wire_len, struct decode *ret)
{
	if (linktype != LINK_ETHERNET || !decode_plain(bytes, ret))
		decode_general(linktype, bytes, wire_len, ret);
}

void decode_general(uint32_t linktype, struct span bytes, uint32_t wire_len, struct decode *ret)
{
	decode_zero(ret);
	decode_fail(ret, STATS_link_unknown);
	ret->ip_sum = CHECKSUM_NONE;
	struct decode_frame f = { .c = cursor_from(bytes), .wire = wire_len };
	if (f.wire < bytes.n)
		f.wire = bytes.n;               /* a file may lie about it; what was captured was there */
	switch (linktype) {
	case LINK_ETHERNET:
		decode_link_ethernet(ret, &f);
		break;
	case LINK_NULL:
	case LINK_LOOP:
		decode_link_null(ret, &f);
		break;
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
		decode_ip_any(ret, &f);
		break;
	case LINK_IPV4:
		decode_ip_v4(ret, &f);
		break;
	case LINK_IPV6:
		decode_ip_v6(ret, &f);
		break;
	case LINK_SLL:
		decode_link_cooked(ret, &f, false);
		break;
	case LINK_SLL2:
		decode_link_cooked(ret, &f, true);
		break;
	case LINK_PPP:
	case LINK_PPP_HDLC:
		decode_link_ppp(ret, &f);
		break;
	case LINK_CISCO_HDLC:
		decode_link_cisco_hdlc(ret, &f);
		break;
	case LINK_PPPOE:
		decode_tunnel_pppoe(ret, &f);
		break;
	case LINK_WLAN:
		decode_wlan_frame(ret, &f, false, false);
		break;
	case LINK_RADIOTAP:
		decode_wlan_radiotap(ret, &f);
		break;
	default:
		break;
	}
}

void decode_datagram(struct decode *d, uint8_t proto, struct span bytes) { decode_ip_datagram(d, proto, bytes); }
