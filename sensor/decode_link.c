#include "sensor/decode_layers.h"

enum {
	MAX_TAGS = 4,           /* a provider's and a customer's tag, twice; more is a loop or an attack */
	MAX_SNAPS = 4,          /* one for each of them */
};

/* RFC 826, for Ethernet and IPv4 as RFC 5227 uses it. */
static void arp(struct decode *d, struct decode_frame *f)
{
	struct cursor c = f->c;
	bool cut = cursor_left(&c) < f->wire;
	uint16_t hardware = cursor_u16be(&c);
	uint16_t protocol = cursor_u16be(&c);
	uint8_t hardware_len = cursor_u8(&c);
	uint8_t protocol_len = cursor_u8(&c);
	cursor_skip(&c, 2);
	if (!cursor_ok(&c)) {
		decode_fail_short(d, cut, STATS_link_malformed);
		return;
	}
	if ((hardware != 1 && hardware != 6) || protocol != DECODE_ETHERTYPE_IPV4) {
		decode_fail(d, STATS_arp);             /* ATM, InfiniBand: nothing that we could bind */
		return;
	}
	if (hardware_len != 6 || protocol_len != 4) {
		decode_fail(d, STATS_link_malformed);
		return;
	}
	struct span mac = cursor_take(&c, 6), src = cursor_take(&c, 4);
	cursor_skip(&c, 6);
	struct span dst = cursor_take(&c, 4);
	if (!cursor_ok(&c)) {
		decode_fail_short(d, cut, STATS_link_malformed);
		return;
	}
	decode_set_mac(&d->arp_mac, mac);
	d->src = addr_from_v4(src.p);
	d->dst = addr_from_v4(dst.p);
	d->kind = DECODE_ARP;
	d->counter = STATS_arp;
}

/* IEEE 802.2 and 802.1H: what follows a length instead of a type. SNAP with the organisation 0 has a type after all. */
static void llc(struct decode *d, struct decode_frame *f)
{
	struct cursor c = f->c;
	uint16_t saps = cursor_u16be(&c);
	uint8_t control = cursor_u8(&c);
	uint32_t organisation = (uint32_t)cursor_u8(&c) << 16;
	organisation |= cursor_u16be(&c);
	uint16_t type = cursor_u16be(&c);
	if (!cursor_ok(&c)) {
		decode_fail_short(d, decode_is_cut(f), STATS_not_ip);
	} else if (saps != 0xaaaa || control != 3) {
		decode_fail(d, STATS_not_ip);
	} else if (organisation == 0 && type >= 0x600 && f->snaps++ < MAX_SNAPS) {
		f->c = c;
		f->wire -= 8;
		decode_link_ethertype(d, f, type);
	} else {
		decode_fail(d, organisation == 0x00000c && type == 0x2000 ? STATS_cdp : STATS_not_ip);
	}
}

/* What follows a two-byte type: tags, then a protocol. */
void decode_link_ethertype(struct decode *d, struct decode_frame *f, uint16_t type)
{
	for (unsigned tags = 0; type == DECODE_ETHERTYPE_VLAN || type == DECODE_ETHERTYPE_QINQ || type == DECODE_ETHERTYPE_QINQ_OLD;
	     tags++) {
		bool cut = decode_is_cut(f);
		uint16_t tag = cursor_u16be(&f->c);     /* IEEE 802.1Q, 9.6: priority, DEI, number */
		type = cursor_u16be(&f->c);
		if (!cursor_ok(&f->c)) {
			decode_fail_short(d, cut, STATS_link_malformed);
			return;
		}
		if (tags == MAX_TAGS) {
			decode_fail(d, STATS_link_malformed);
			return;
		}
		f->wire -= 4;
		if (!d->vlan)
			d->vlan = tag & 0x0fff;
		else if (!d->inner_vlan)
			d->inner_vlan = tag & 0x0fff;
	}
	switch (type) {
	case DECODE_ETHERTYPE_IPV4:
		decode_ip_v4(d, f);
		break;
	case DECODE_ETHERTYPE_IPV6:
		decode_ip_v6(d, f);
		break;
	case DECODE_ETHERTYPE_ARP:
		arp(d, f);
		break;
	case DECODE_ETHERTYPE_MPLS:
	case DECODE_ETHERTYPE_MPLS_MULTICAST:
		decode_tunnel_mpls(d, f);
		break;
	case DECODE_ETHERTYPE_PPPOE:
		decode_tunnel_pppoe(d, f);
		break;
	case DECODE_ETHERTYPE_LLDP:
		decode_fail(d, STATS_lldp);
		break;
	default:
		if (type < 0x600)               /* IEEE 802.3, 3.2.6: a length */
			llc(d, f);
		else
			decode_fail(d, STATS_not_ip);
	}
}

void decode_link_ethernet(struct decode *d, struct decode_frame *f)
{
	bool cut = decode_is_cut(f);
	decode_set_mac(&d->dst_mac, cursor_take(&f->c, 6));
	decode_set_mac(&d->src_mac, cursor_take(&f->c, 6));
	uint16_t type = cursor_u16be(&f->c);
	if (!cursor_ok(&f->c)) {
		decode_fail_short(d, cut, STATS_link_malformed);
		return;
	}
	d->has_mac = true;
	f->wire -= 14;
	decode_link_ethertype(d, f, type);
}

/* RFC 1661, 2 and 6.5, 6.6; RFC 1662, 3.1: address and control may be left out, a protocol number below 256 may be one byte. */
void decode_link_ppp(struct decode *d, struct decode_frame *f)
{
	bool cut = decode_is_cut(f);
	struct cursor look = f->c;
	uint64_t before = cursor_left(&f->c);
	uint16_t address = cursor_u16be(&look);
	/* 0xff03: unnumbered information to all. 0x0f00 and 0x8f00 are Cisco's framing in the same place. */
	if (cursor_ok(&look) && address == 0xff03)
		f->c = look;
	uint16_t protocol = cursor_u8(&f->c);
	if (!(protocol & 1))
		protocol = (uint16_t)(protocol << 8 | cursor_u8(&f->c));
	if (!cursor_ok(&f->c) || protocol == 0xff) {    /* half an address */
		decode_fail_short(d, cut, STATS_link_malformed);
		return;
	}
	f->wire -= before - cursor_left(&f->c);
	switch (protocol) {
	case 0x0021:
		decode_ip_v4(d, f);
		break;
	case 0x0057:
		decode_ip_v6(d, f);
		break;
	case 0x0281: case 0x0283:               /* RFC 3032, 4.3 */
		decode_tunnel_mpls(d, f);
		break;
	default:                                /* link control, authentication, compressed or encrypted data */
		decode_fail(d, STATS_not_ip);
	}
}

/* Cisco's own framing: address (unicast, multicast), control 0, an Ethernet type. */
void decode_link_cisco_hdlc(struct decode *d, struct decode_frame *f)
{
	bool cut = decode_is_cut(f);
	uint8_t address = cursor_u8(&f->c);
	uint8_t control = cursor_u8(&f->c);
	uint16_t type = cursor_u16be(&f->c);
	if (!cursor_ok(&f->c)) {
		decode_fail_short(d, cut, STATS_link_malformed);
		return;
	}
	f->wire -= 4;
	if ((address != 0x0f && address != 0x8f) || control)
		decode_fail(d, STATS_link_malformed);
	else
		decode_link_ethertype(d, f, type);
}

/* https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html and ..._SLL2.html. For some devices `type` is not an
 * Ethernet type: netlink's (824) is a family, and radio's (803) and 802.11's (801, 802) mean nothing here. */
void decode_link_cooked(struct decode *d, struct decode_frame *f, bool second)
{
	bool cut = decode_is_cut(f);
	uint16_t type = 0, hardware, length;
	if (second) {
		type = cursor_u16be(&f->c);
		cursor_skip(&f->c, 6);          /* reserved, interface index */
		hardware = cursor_u16be(&f->c);
		cursor_skip(&f->c, 1);          /* packet type */
		length = cursor_u8(&f->c);
	} else {
		cursor_skip(&f->c, 2);
		hardware = cursor_u16be(&f->c);
		length = cursor_u16be(&f->c);
	}
	struct span address = cursor_take(&f->c, 8);
	if (!second)
		type = cursor_u16be(&f->c);
	if (!cursor_ok(&f->c)) {
		decode_fail_short(d, cut, STATS_link_malformed);
		return;
	}
	if (length == 6) {
		decode_set_mac(&d->src_mac, address);
		d->has_mac = true;
	}
	f->wire -= second ? 20 : 16;
	if (hardware == 824 || (hardware >= 801 && hardware <= 803))
		decode_fail(d, STATS_not_ip);
	else
		decode_link_ethertype(d, f, type);
}

/* The address family in the byte order of the machine that captured (LOOP: the network's); all values that
 * systems use are below 256, so the order shows. */
void decode_link_null(struct decode *d, struct decode_frame *f)
{
	bool cut = decode_is_cut(f);
	struct cursor other = f->c;
	uint32_t family = cursor_u32be(&f->c);
	if (!cursor_ok(&f->c)) {
		decode_fail_short(d, cut, STATS_link_malformed);
		return;
	}
	if (family > UINT16_MAX)
		family = cursor_u32le(&other);
	f->wire -= 4;
	switch (family) {
	case 2:
		decode_ip_v4(d, f);
		break;
	case 10: case 24: case 28: case 30:     /* Linux; NetBSD and OpenBSD; FreeBSD; macOS */
		decode_ip_v6(d, f);
		break;
	default:
		decode_fail(d, STATS_not_ip);
	}
}
