/* hl7_device.c -- equipment and software that an HL7 v2 message names.
 *
 *	OBX-18	equipment instance, EI (v2.5.1 7.4.2.18): identifier^authority^EUI-64^"EUI-64" in IHE PCD messages, in others
 *		a plain name ("Hospira Plum A+" in a capture of tapirx).
 *	PRT	participation (v2.9 7.3.4), only of equipment (PRT-4 EQUIP): people, places and organisations take part too, and an
 *		implant's serial number names who carries it. PRT-10 the device or its whole UDI label, PRT-16 the device
 *		identifier of the UDI, PRT-20 the serial number. Not admitted: PRT-17 to 19 (dates, lot) as nothing needs them,
 *		PRT-21 (a donation), and UDIs of ICCBBA, which label blood and tissue. (What stands in PRT-10 and PRT-16 to 22 is
 *		checked against tapirx, hl7_decode.go.)
 *	SFT	software (v2.5 2.14.12): vendor, version, product, binary id. Not SFT-5, which is free text.
 */
#include <string.h>

#include "dissectors/hl7.h"

/* True the first time, as far back as is remembered: a monitor names itself in every value it sends. */
static bool is_new(struct hl7_side *s, const struct observation *o, struct span memory)
{
	struct siphash_key key = { .k0 = o->device_from };
	uint32_t h = (uint32_t)siphash_13(&key, memory.p, memory.n) | 1;
	for (size_t i = 0; i < HL7_MAX_DEVICES; i++)
		if (s->devices[i] == h)
			return false;
	if (s->n_devices == HL7_MAX_DEVICES)
		return false;
	s->n_devices++;
	s->devices[s->told++ % HL7_MAX_DEVICES] = h;
	return true;
}

static void say(struct hl7_side *s, struct dissect_ctx *ctx, struct observation *o, struct span from)
{
	if (!is_new(s, o, from))
		return;
	hl7_message_put(o, OBSERVATION_F_sending_app, s, HL7_S_APP);
	ctx->emit(ctx->arg, o);
}

static struct span part(const struct hl7_side *s, struct span ei, unsigned n)
{
	return span_trim(hl7_msh_nth(ei, n, s->component, s->text.family));
}

static struct span field_of(const struct hl7_side *s, struct span segment, unsigned n)
{
	struct span f = hl7_msh_nth(segment, n + 1, s->separator, s->text.family);
	return span_trim(hl7_msh_token(f, s->repetition, s->text.family));
}

/* Sixteen hexadecimal digits, with or without separators between them. */
static bool eui64(struct span in, char ret[16])
{
	size_t n = 0;
	for (size_t i = 0; i < in.n; i++) {
		int c = in.p[i] | 0x20;
		if (in.p[i] == '-' || in.p[i] == ':')
			continue;
		if (n == 16 || !(hl7_digit(in.p[i]) || (c >= 'a' && c <= 'f')))
			return false;
		ret[n++] = (char)(hl7_digit(in.p[i]) ? in.p[i] : c);
	}
	return n == 16;
}

static bool is_eui64_type(struct span s)
{
	return (s.n == 6 && !memcmp(s.p, "EUI-64", 6)) || (s.n == 5 && !memcmp(s.p, "EUI64", 5));
}

/* The device identifier at the front of a UDI: of GS1, (01) and a GTIN-14 with its check digit (ISO/IEC 15420); of HIBC, from +
 * to / (ANSI/HIBC 2.6). Empty: none that may be said. */
static struct span udi_device(struct span s)
{
	static const char *const begins[] = { "(01)", "01", "" };
	enum { GTIN = 14, HIBC_MAX = 25 };
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		size_t n = strlen(begins[i]);
		if (s.n < n + GTIN || memcmp(s.p, begins[i], n) != 0 || (!n && s.n != GTIN))
			continue;
		unsigned sum = 0, digits = 0;
		for (; digits < GTIN && hl7_digit(s.p[n + digits]); digits++)
			sum += (unsigned)(s.p[n + digits] - '0') * (digits % 2 ? 1 : 3);
		if (digits == GTIN && sum % 10 == 0)
			return (struct span){ s.p + n, GTIN };
	}
	if (hl7_at(s, 0) != '+')
		return (struct span){ 0 };
	const uint8_t *slash = memchr(s.p, '/', s.n);
	struct span hibc = { s.p, slash ? (size_t)(slash - s.p) : s.n };
	return hibc.n >= 7 && hibc.n <= HIBC_MAX ? hibc : (struct span){ 0 };
}

/* A text of a maker, in the message's character set, as UTF-8. */
static void put_label(const struct hl7_side *s, struct observation *o, enum observation_field f, struct span text,
		      struct buf *memory)
{
	if (!text.n)
		return;
	size_t mark = memory->len;
	bool whole = charset_decode(s->charset, text, ';', memory);
	struct span label = { memory->data + mark, memory->len - mark };
	if (!whole)
		label.n = 0;
	(void)observation_text(o, f, label);
}

static void put_equipment(const struct hl7_side *s, struct observation *o, struct span ei, char digits[16])
{
	struct span id = part(s, ei, 1), authority = part(s, ei, 2), universal = part(s, ei, 3);
	bool typed = is_eui64_type(part(s, ei, 4)) && eui64(universal, digits);
	/* Some send two components: (EUI-64)^EUI-64. */
	bool short_form = !typed && is_eui64_type(authority) && eui64(id, digits);
	if (typed || short_form)
		(void)observation_text(o, OBSERVATION_F_eui64, (struct span){ (const uint8_t *)digits, 16 });
	if (id.n && !short_form)
		(void)observation_text(o, OBSERVATION_F_device_id, id);
	if (authority.n && !short_form)
		(void)observation_text(o, OBSERVATION_F_device_authority, authority);
}

void hl7_device_obx(struct hl7_side *s, struct dissect_ctx *ctx, struct span obx_18)
{
	char digits[16];
	struct span ei = span_trim(hl7_msh_token(obx_18, s->repetition, s->text.family));
	if (!ei.n)
		return;
	struct observation o;
	observation_begin(&o, OBSERVATION_HL7_DEVICE);
	observation_uint(&o, OBSERVATION_F_device_from, OBSERVATION_DEVICE_OBX_18);
	put_equipment(s, &o, ei, digits);
	say(s, ctx, &o, ei);
}

void hl7_device_prt(struct hl7_side *s, struct dissect_ctx *ctx, struct span prt)
{
	char digits[16];
	struct buf memory = buf_over(ctx->scratch->bytes, sizeof(ctx->scratch->bytes));
	struct span role = part(s, field_of(s, prt, 4), 1);
	if (role.n != 5 || memcmp(role.p, "EQUIP", 5) != 0)
		return;
	struct span device = field_of(s, prt, 10), di = part(s, field_of(s, prt, 16), 1), serial = field_of(s, prt, 20);
	struct observation o;
	observation_begin(&o, OBSERVATION_HL7_DEVICE);
	struct span label = udi_device(part(s, device, 1));
	observation_uint(&o, OBSERVATION_F_device_from, di.n ? OBSERVATION_DEVICE_PRT_16 : OBSERVATION_DEVICE_PRT_10);
	if (di.n)
		label = udi_device(di);
	if (label.n)
		(void)observation_text(&o, OBSERVATION_F_udi_device, label);
	/* A whole UDI label holds lot and dates: its device identifier stands for it. */
	if (device.n && !udi_device(part(s, device, 1)).n && hl7_at(device, 0) != '=' && hl7_at(device, 0) != '(')
		put_equipment(s, &o, device, digits);
	put_label(s, &o, OBSERVATION_F_serial, serial, &memory);
	if (!observation_has(&o, OBSERVATION_F_udi_device) && !observation_has(&o, OBSERVATION_F_device_id) &&
	    !observation_has(&o, OBSERVATION_F_eui64) && !observation_has(&o, OBSERVATION_F_serial))
		return;
	/* From the device on: which person or place stands before it does not make it another one. */
	struct span from = { device.p, device.p ? (size_t)(prt.p + prt.n - device.p) : 0 };
	say(s, ctx, &o, from);
}

void hl7_device_sft(struct hl7_side *s, struct dissect_ctx *ctx, struct span sft)
{
	struct buf memory = buf_over(ctx->scratch->bytes, sizeof(ctx->scratch->bytes));
	struct observation o;
	observation_begin(&o, OBSERVATION_HL7_DEVICE);
	observation_uint(&o, OBSERVATION_F_device_from, OBSERVATION_DEVICE_SFT);
	struct span binary = field_of(s, sft, 4);
	put_label(s, &o, OBSERVATION_F_manufacturer, part(s, field_of(s, sft, 1), 1), &memory);
	put_label(s, &o, OBSERVATION_F_software, field_of(s, sft, 2), &memory);
	put_label(s, &o, OBSERVATION_F_model, field_of(s, sft, 3), &memory);
	if (binary.n)
		(void)observation_text(&o, OBSERVATION_F_binary_id, binary);
	if (!memory.len && !binary.n)
		return;
	say(s, ctx, &o, sft);
}

void hl7_device_serial(struct hl7_side *s, struct dissect_ctx *ctx, struct span serial)
{
	if (!serial.n)
		return;
	struct observation o;
	observation_begin(&o, OBSERVATION_HL7_DEVICE);
	observation_uint(&o, OBSERVATION_F_device_from, OBSERVATION_DEVICE_MSH_10);
	(void)observation_text(&o, OBSERVATION_F_serial, serial);
	say(s, ctx, &o, serial);
}
