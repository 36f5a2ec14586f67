#include "sensor/decode_layers.h"

/* IEEE 802.11-2020, 9.2.4.1: the first byte of frame control, and the second. */
enum { TYPE_DATA = 2, SUBTYPE_NO_DATA = 4, SUBTYPE_QOS = 8 };
enum { TO_DS = 0x01, FROM_DS = 0x02, MORE_FRAGMENTS = 0x04, PROTECTED = 0x40, ORDER = 0x80 };

/* 9.3.2.1: header of a data frame, then LLC. `padded`: to four bytes, as radiotap may say. `swapped`: some controllers send
 * the two bytes of frame control the other way round inside of CAPWAP. */
void decode_wlan_frame(struct decode *d, struct decode_frame *f, bool padded, bool swapped)
{
	bool cut = decode_is_cut(f);
	size_t before = cursor_left(&f->c);
	uint8_t first = cursor_u8(&f->c), flags = cursor_u8(&f->c);
	if (swapped) {
		uint8_t t = first;
		first = flags;
		flags = t;
	}
	cursor_skip(&f->c, 2);                  /* duration */
	struct span a1 = cursor_take(&f->c, 6);
	if (!cursor_ok(&f->c)) {
		decode_fail_short(d, cut, STATS_link_malformed);
		return;
	}
	uint8_t type = first >> 2 & 3, subtype = first >> 4;
	if (type != TYPE_DATA || first & 3 || subtype & SUBTYPE_NO_DATA) {
		decode_fail(d, first & 3 ? STATS_link_malformed : STATS_not_ip);
		return;
	}
	struct span a2 = cursor_take(&f->c, 6), a3 = cursor_take(&f->c, 6);
	uint16_t sequence = cursor_u16le(&f->c);
	struct span a4 = { 0 };
	if (flags & TO_DS && flags & FROM_DS)
		a4 = cursor_take(&f->c, 6);
	uint16_t qos = subtype & SUBTYPE_QOS ? cursor_u16le(&f->c) : 0;
	if (subtype & SUBTYPE_QOS && flags & ORDER)
		cursor_skip(&f->c, 4);          /* HT control */
	if (padded && cursor_ok(&f->c))
		cursor_skip(&f->c, (4 - (before - cursor_left(&f->c)) % 4) % 4);
	if (!cursor_ok(&f->c)) {
		decode_fail_short(d, cut, STATS_link_malformed);
		return;
	}
	d->has_mac = true;
	decode_set_mac(&d->dst_mac, flags & TO_DS ? a3 : a1);
	decode_set_mac(&d->src_mac, !(flags & FROM_DS) ? a2 : flags & TO_DS ? a4 : a3);
	f->wire -= before - cursor_left(&f->c);
	if (flags & PROTECTED)
		decode_fail(d, STATS_wlan_encrypted);
	else if (flags & MORE_FRAGMENTS || sequence & 0x000f || qos & 0x0080)
		decode_fail(d, STATS_wlan_unread);
	else
		decode_link_ethertype(d, f, 0); /* always LLC, here without a length */
}

/* https://www.radiotap.org: a header of its own length, of which we need the flags alone. */
void decode_wlan_radiotap(struct decode *d, struct decode_frame *f)
{
	bool cut = decode_is_cut(f);
	struct cursor whole = f->c;
	uint8_t version = cursor_u8(&f->c);
	cursor_skip(&f->c, 1);
	uint16_t length = cursor_u16le(&f->c);
	struct cursor header = cursor_sub(&whole, length);
	cursor_skip(&header, 4);
	uint32_t present = cursor_u32le(&header);
	if (!cursor_ok(&f->c) || !cursor_ok(&header)) {
		decode_fail_short(d, cut, STATS_link_malformed);
		return;
	}
	for (uint32_t more = present; more >> 31 && cursor_ok(&header);)
		more = cursor_u32le(&header);
	uint8_t flags = 0;
	if (present & 1) {                      /* TSFT: aligned to eight bytes */
		cursor_skip(&header, (8 - (length - cursor_left(&header)) % 8) % 8);
		cursor_skip(&header, 8);
	}
	if (present & 2)
		flags = cursor_u8(&header);
	if (version || !cursor_ok(&header) || flags & 0x40) {   /* 0x40: failed its frame check */
		decode_fail(d, STATS_link_malformed);
		return;
	}
	f->c = whole;
	f->wire -= length;
	if (flags & 0x10 && f->wire >= 4)       /* the frame check sequence is there */
		f->wire -= 4;
	if (cursor_left(&f->c) > f->wire)
		f->c = cursor_sub(&f->c, (size_t)f->wire);
	decode_wlan_frame(d, f, flags & 0x20, false);
}
