/* dicom_talk.h -- for tests only: what two sides of an association say, built PDU by PDU, and run through the dissector in
 * every segmentation.
 */
#ifndef DISSECTORS_DICOM_TALK_H
#define DISSECTORS_DICOM_TALK_H

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dissectors/drive.h"

extern const struct dissector dicom_dissector;

#define VERIFICATION "1.2.840.10008.1.1"
#define CT_STORAGE "1.2.840.10008.5.1.4.1.1.2"
#define IMPLICIT_LE "1.2.840.10008.1.2"
#define EXPLICIT_LE "1.2.840.10008.1.2.1"

/* ---- building PDUs ---- */

enum { TALK_BYTES = 400 << 10, TALK_TURNS = 64 };

/* What two sides say, in order. */
struct talk {
	uint8_t mem[TALK_BYTES];
	struct buf b;
	struct { unsigned dir; size_t from; } turn[TALK_TURNS];
	unsigned turns;
};

static inline struct talk *talk_new(void)
{
	struct talk *t = malloc(sizeof(*t));
	if (!t)
		abort();
	t->b = buf_over(t->mem, sizeof(t->mem));
	t->turns = 0;
	return t;
}

static inline struct buf *say(struct talk *t, unsigned dir)
{
	if (t->turns == TALK_TURNS)
		abort();
	t->turn[t->turns].dir = dir;
	t->turn[t->turns++].from = t->b.len;
	return &t->b;
}

static inline struct span turn_bytes(const struct talk *t, unsigned i)
{
	size_t end = i + 1 < t->turns ? t->turn[i + 1].from : t->b.len;
	return (struct span){ t->mem + t->turn[i].from, end - t->turn[i].from };
}

/* begin_ writes a length of 0, end_ puts the length of what came since. */
static inline size_t begin_pdu(struct buf *b, uint8_t type)
{
	buf_u8(b, type);
	buf_u8(b, 0);
	buf_u32be(b, 0);
	return b->len;
}

static inline void end_32(struct buf *b, size_t from)
{
	size_t n = b->len - from;
	for (int i = 0; i < 4; i++)
		b->data[from - 4 + (size_t)i] = (uint8_t)(n >> (24 - 8 * i));
}

static inline size_t begin_item(struct buf *b, uint8_t type)
{
	buf_u8(b, type);
	buf_u8(b, 0);
	buf_u16be(b, 0);
	return b->len;
}

static inline void end_16(struct buf *b, size_t from)
{
	size_t n = b->len - from;
	b->data[from - 2] = (uint8_t)(n >> 8);
	b->data[from - 1] = (uint8_t)n;
}

static inline void put_item(struct buf *b, uint8_t type, const char *text)
{
	size_t at = begin_item(b, type);
	buf_str(b, text);
	end_16(b, at);
}

static inline void put_title(struct buf *b, const char *title)
{
	char padded[17];
	snprintf(padded, sizeof(padded), "%-16s", title);
	buf_put(b, padded, 16);
}

static inline size_t begin_associate(struct buf *b, uint8_t type, const char *calling, const char *called)
{
	size_t pdu = begin_pdu(b, type);
	buf_u16be(b, 1);
	buf_u16be(b, 0);
	put_title(b, called);
	put_title(b, calling);
	for (int i = 0; i < 32; i++)
		buf_u8(b, 0);
	put_item(b, 0x10, "1.2.840.10008.3.1.1.1");
	return pdu;
}

static inline size_t begin_context(struct buf *b, uint8_t type, uint8_t id, uint8_t result)
{
	size_t at = begin_item(b, type);
	buf_u8(b, id);
	buf_u8(b, 0);
	buf_u8(b, result);
	buf_u8(b, 0);
	return at;
}

static inline void put_context_rq(struct buf *b, uint8_t id, const char *abstract)
{
	size_t at = begin_context(b, 0x20, id, 0);
	put_item(b, 0x30, abstract);
	put_item(b, 0x40, IMPLICIT_LE);
	put_item(b, 0x40, EXPLICIT_LE);
	end_16(b, at);
}

static inline void put_context_ac(struct buf *b, uint8_t id, uint8_t result, const char *syntax)
{
	size_t at = begin_context(b, 0x21, id, result);
	put_item(b, 0x40, syntax);
	end_16(b, at);
}

static inline void put_user(struct buf *b, uint8_t identity)
{
	size_t user = begin_item(b, 0x50);
	size_t at = begin_item(b, 0x51);
	buf_u32be(b, 16384);
	end_16(b, at);
	put_item(b, 0x52, "1.2.276.0.7230010.3.0.3.6.7");
	at = begin_item(b, 0x53);
	buf_u32be(b, 0x00010001);
	end_16(b, at);
	put_item(b, 0x55, "OFFIS_DCMTK_367 ");
	if (identity) {
		at = begin_item(b, 0x58);
		buf_u8(b, identity);
		buf_u8(b, 0);
		buf_u16be(b, 3);
		buf_str(b, "bob");
		buf_u16be(b, 6);
		buf_str(b, "secret");
		end_16(b, at);
	}
	put_item(b, 0x7e, "an item of next year");
	end_16(b, user);
}

static inline void put_rq(struct buf *b)
{
	size_t pdu = begin_associate(b, 1, "CT1", "PACS");
	put_context_rq(b, 1, VERIFICATION);
	put_context_rq(b, 3, CT_STORAGE);
	put_user(b, 2);
	end_32(b, pdu);
}

static inline void put_ac(struct buf *b)
{
	size_t pdu = begin_associate(b, 2, "CT1", "PACS");
	put_context_ac(b, 1, 0, IMPLICIT_LE);
	put_context_ac(b, 3, 3, EXPLICIT_LE);
	put_user(b, 0);
	end_32(b, pdu);
}

static inline void put_short(struct buf *b, uint8_t type, uint32_t body)
{
	size_t pdu = begin_pdu(b, type);
	buf_u32be(b, body);
	end_32(b, pdu);
}

static inline void put_le16(struct buf *b, uint16_t v)
{
	buf_u8(b, (uint8_t)v);
	buf_u8(b, (uint8_t)(v >> 8));
}

static inline void put_element(struct buf *b, uint16_t element, const void *value, size_t n)
{
	put_le16(b, 0);
	put_le16(b, element);
	put_le16(b, (uint16_t)n);
	put_le16(b, 0);
	buf_put(b, value, n);
}

static inline void put_us(struct buf *b, uint16_t element, uint16_t v)
{
	put_element(b, element, (uint8_t[]){ (uint8_t)v, (uint8_t)(v >> 8) }, 2);
}

static inline size_t begin_command(struct buf *b)
{
	put_element(b, 0, "\0\0\0", 4);
	return b->len;
}

static inline void end_command(struct buf *b, size_t from)
{
	size_t n = b->len - from;
	for (int i = 0; i < 4; i++)
		b->data[from - 4 + (size_t)i] = (uint8_t)(n >> (8 * i));
}

static inline void put_command(struct buf *b, uint16_t code, uint16_t id, uint16_t status, bool data_set)
{
	size_t at = begin_command(b);
	put_element(b, 0x0002, VERIFICATION "\0", sizeof(VERIFICATION));
	put_us(b, 0x0100, code);
	put_us(b, code & 0x8000 || code == 0x0fff ? 0x0120 : 0x0110, id);
	put_us(b, 0x0800, data_set ? 1 : 0x0101);
	if (code & 0x8000)
		put_us(b, 0x0900, status);
	end_command(b, at);
}

static inline void put_pdv(struct buf *b, uint8_t context, uint8_t control, const void *bytes, size_t n)
{
	buf_u32be(b, (uint32_t)n + 2);
	buf_u8(b, context);
	buf_u8(b, control);
	buf_put(b, bytes, n);
}

/* A P-DATA-TF with one PDV. */
static inline void put_data(struct buf *b, uint8_t context, uint8_t control, const void *bytes, size_t n)
{
	size_t pdu = begin_pdu(b, 4);
	put_pdv(b, context, control, bytes, n);
	end_32(b, pdu);
}

static inline struct buf make_command(uint8_t *mem, size_t cap, uint16_t code, uint16_t id, uint16_t status, bool data_set)
{
	struct buf c = buf_over(mem, cap);
	put_command(&c, code, id, status, data_set);
	return c;
}

static inline void put_echo(struct buf *b, uint16_t code, uint16_t id)
{
	uint8_t mem[512];
	struct buf c = make_command(mem, sizeof(mem), code, id, 0, false);
	put_data(b, 1, 3, c.data, c.len);
}

static const size_t segments[] = { 0, 1, 2, 5, 6, 7, 10, 536, 1448 };

static inline struct drive *drive_talk(const struct talk *t, unsigned mode, size_t segment)
{
	struct drive *d = drive_new(&dicom_dissector, mode);
	for (unsigned i = 0; i < t->turns; i++)
		drive_feed(d, t->turn[i].dir, turn_bytes(t, i), segment);
	drive_finish(d);
	return d;
}

/* Every segmentation of the talk says the same. */
static inline void check_talk(const struct talk *t, unsigned mode, const char *expected)
{
	CU_ASSERT_FATAL(!t->b.full);
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		struct drive *d = drive_talk(t, mode, segments[i]);
		bool same = !strcmp(drive_text(d), expected);
		CU_ASSERT(same);
		if (!same)
			fprintf(stderr, "segments of %zu, mode %u:\n%swanted:\n%s", segments[i], mode, drive_text(d),
			        expected);
		drive_free(d);
	}
}

#endif
