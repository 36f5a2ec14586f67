/* hl7_message.c -- what the segments of an HL7 v2 message mean, and saying it.
 *
 * Nothing of PID, NK1, PV1, OBX-5 or any other segment of a patient is read here; what is not named below passes by.
 */
#include <string.h>

#include "dissectors/hl7_line.h"

/* ---- who waits ---- */

static void forget(struct hl7_state *st, size_t i)
{
	st->n_waiting--;
	memmove(&st->waiting[i], &st->waiting[i + 1], (st->n_waiting - i) * sizeof(st->waiting[0]));
}

static size_t find(const struct hl7_state *st, uint32_t id)
{
	size_t i = 0;
	while (i < st->n_waiting && st->waiting[i] != id)
		i++;
	return i;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

/* Whoever chose ids that collide would only spoil the pairing of his own connection: no secret key. */
static uint32_t hash(unsigned dir, struct span id)
{
	uint64_t h = mix(dir, id.n), few = 0;
	if (!id.n)
		return 0;
	for (size_t i = 0; i + 8 < id.n; i += 8)
		h = mix(h, bytes_load(id.p + i));
	if (id.n >= 8)
		return (uint32_t)mix(h, bytes_load(id.p + id.n - 8)) | 1;
	for (size_t i = 0; i < id.n; i++)
		few = few << 8 | id.p[i];
	return (uint32_t)mix(h, few) | 1;
}

static void await(struct hl7_state *st, uint32_t id)
{
	if (!id)
		return;
	size_t i = find(st, id);
	if (i < st->n_waiting) {
		forget(st, i);
	} else if (st->n_waiting == HL7_MAX_WAITING) {
		st->forgotten++;
		forget(st, 0);
	}
	st->waiting[st->n_waiting++] = id;
}

/* ---- texts ---- */

/* The longest that the field in observation.def admits. */
static const uint8_t saved_max[] = {
	[HL7_S_TYPE] = 15,	 [HL7_S_CONTROL] = 64,	   [HL7_S_APP] = 64,	 [HL7_S_FACILITY] = 64, [HL7_S_TO_APP] = 64,
	[HL7_S_TO_FACILITY] = 64, [HL7_S_VERSION] = 12, [HL7_S_CHARSET] = 48, [HL7_S_ACKED] = 64,	[HL7_S_ERROR] = 12,
};

/* Room for a text; keep() takes what of it was filled, or notes that it is not admitted. */
static struct buf room(struct hl7_side *s, enum hl7_saved which)
{
	size_t left = HL7_SAVED_BYTES - s->saved_used;
	return buf_over(s->saved + s->saved_used, left < saved_max[which] ? left : saved_max[which]);
}

static void keep(struct hl7_side *s, enum hl7_saved which, const struct buf *b)
{
	bool fits = !b->full && b->len;
	s->saved_at[which] = s->saved_used;
	s->saved_n[which] = fits ? (uint8_t)b->len : HL7_NOT_ADMITTED;
	s->saved_used = (uint16_t)(s->saved_used + (fits ? b->len : 0));
}

/* Copies a text of an input that goes on up to `end`, and says how long it is: nearly all are short, for which `to` has SCAN_BYTES. */
static inline size_t copy(uint8_t *to, struct span text, const uint8_t *end)
{
	if (text.n <= SCAN_BYTES && text.n && (size_t)(end - text.p) >= SCAN_BYTES)
		memcpy(to, text.p, SCAN_BYTES);
	else if (text.n)
		memcpy(to, text.p, text.n);
	return text.n;
}

/* As it is: an escape or a delimiter in a control id is part of it. */
static inline void save_as_is(struct hl7_side *s, enum hl7_saved which, struct span text, const uint8_t *end)
{
	size_t used = s->saved_used, left = HL7_SAVED_BYTES - used;
	if (!text.n)
		return;
	s->saved_at[which] = s->saved_used;
	s->saved_n[which] = HL7_NOT_ADMITTED;
	if (text.n > left || text.n > saved_max[which])
		return;
	s->saved_n[which] = (uint8_t)text.n;
	s->saved_used = (uint16_t)(used + copy(s->saved + used, text, left >= SCAN_BYTES ? end : text.p));
}

static void save_raw(struct hl7_side *s, enum hl7_saved which, struct span text)
{
	save_as_is(s, which, text, text.p);
}

static int hex(int b)
{
	int c = b | 0x20;
	return hl7_digit(b) ? b - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The escape sequence that begins at text[*at] (2.7): what it stands for, or -1. *at moves to its last byte. */
static int unescape(const struct hl7_side *s, struct span text, size_t *at)
{
	size_t end = *at + 1;
	while (end < text.n && text.p[end] != s->escape)
		end++;
	struct span name = { text.p + *at + 1, end < text.n ? end - *at - 1 : 0 };
	int b = -1;
	if (name.n == 1) {
		static const char letters[] = "FSTRE", means[] = "|^&~\\";
		const char *l = memchr(letters, name.p[0], sizeof(letters) - 1);
		b = l ? means[l - letters] : -1;
	} else if (name.n == 3 && name.p[0] == 'X' && hex(name.p[1]) >= 0 && hex(name.p[2]) >= 0) {
		b = hex(name.p[1]) << 4 | hex(name.p[2]);
	}
	if (b >= 0)
		*at = end;
	return b;
}

/* Fields are compared across systems that chose other delimiters: written with the usual ones. */
static void save(struct hl7_side *s, enum hl7_saved which, struct span text)
{
	/* "" (two quotes) says: no value (2.5.3). */
	if (!text.n || (text.n == 2 && text.p[0] == '"' && text.p[1] == '"'))
		return;
	struct buf out = room(s, which);
	for (size_t i = 0; i < text.n && !out.full; i++) {
		int b = text.p[i], e = -1;
		if (b == s->escape && s->escape)
			e = unescape(s, text, &i);
		if (e >= 0)
			b = e;
		else if (b == s->component)
			b = '^';
		else if (b == s->repetition)
			b = '~';
		else if (s->subcomponent && b == s->subcomponent)
			b = '&';
		(void)buf_u8(&out, (uint8_t)b);
	}
	keep(s, which, &out);
}

/* The same where all of it is written with the usual delimiters and without escapes already. */
static inline void save_usual(struct hl7_side *s, enum hl7_saved which, struct span text, const uint8_t *end)
{
	if (text.n != 2 || text.p[0] != '"' || text.p[1] != '"')
		save_as_is(s, which, text, end);
}

static inline void put(struct observation *o, const struct hl7_side *s, enum hl7_saved which, enum observation_field f)
{
	static const uint8_t nothing[1] = { 0 }; /* fits no grammar */
	uint8_t n = s->saved_n[which];
	if (n)
		(void)observation_text(o, f,
				       n == HL7_NOT_ADMITTED ? (struct span){ nothing, 1 }
							     : (struct span){ s->saved + s->saved_at[which], n });
}

void hl7_message_put(struct observation *o, enum observation_field f, const struct hl7_side *s, enum hl7_saved which)
{
	put(o, s, which, f);
}

static struct span own(const struct hl7_side *s, enum hl7_saved which)
{
	uint8_t n = s->saved_n[which];
	return (struct span){ s->saved + s->saved_at[which], n == HL7_NOT_ADMITTED ? 0 : n };
}

static unsigned word_of(struct span s, const char words[][3], unsigned n)
{
	unsigned i = 0;
	while (i < n && !(s.n == 2 && !memcmp(s.p, words[i], 2)))
		i++;
	return i;
}

/* ---- segments ---- */

/* Messages that carry orders, by the code that begins MSH-9 (chapters 4 and 4A; table 0076). */
static bool carries_orders(struct span type)
{
	static const char codes[][4] = { "ORM", "OMG", "OML", "OMP", "OMI", "OMD", "OMN",
					 "OMS", "OMB", "RDE", "RDS", "RGV", "RAS" };
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (type.n >= 3 && !memcmp(type.p, codes[i], 3))
			return true;
	return false;
}

/* What the text of devices is written in, for what leaves as UTF-8. Table 0211, loosely: many spellings are met. */
static struct charset charset_of(const struct hl7_msh *m)
{
	struct span c = m->field[18];
	struct charset r = { .kind = CHARSET_ISO_2022, .g0 = CHARSET_G0_ASCII, .g1 = CHARSET_G1_NONE };
	if (m->family == HL7_SHIFT_JIS)
		r.kind = CHARSET_SHIFT_JIS;
	else if (m->family == HL7_PAIRS && hl7_at(c, 0) == 'G')
		r.kind = CHARSET_GB18030;
	else if (m->family == HL7_GUESS || memmem(c.p, c.n, "UTF-8", 5))
		r.kind = CHARSET_UTF_8; /* what is something else is not admitted */
	else if (memmem(c.p, c.n, "8859/15", 7))
		r.g1 = CHARSET_G1_LATIN9;
	else if (memmem(c.p, c.n, "8859/1", 6))
		r.g1 = CHARSET_G1_LATIN1;
	else if (memmem(c.p, c.n, "8859/2", 6))
		r.g1 = CHARSET_G1_LATIN2;
	return r;
}

/* The bytes before the first `stop`: hl7_msh_token() of a text that is ASCII. */
static struct span plain_token(struct span s, uint8_t stop)
{
	size_t n = 0;
	while (n < s.n && s.p[n] != stop)
		n++;
	return (struct span){ s.p, n };
}

static uint8_t condition(struct span f)
{
	static const char conditions[][3] = { "AL", "NE", "ER", "SU" };
	bool given = f.n && !(f.n == 2 && f.p[0] == '"' && f.p[1] == '"');
	return given ? (uint8_t)(1 + word_of(f, conditions, 4)) : 0;
}

/* The content of a message is everything but when and under which number it was sent (MSH-7, MSH-10). `end`: of the input. */
static void begin_content(struct hl7_side *s, const struct dissect_ctx *ctx, const struct hl7_msh *m, const uint8_t *end)
{
	static const uint8_t counts[] = { 3, 4, 5, 6, 9 };
	enum { JOINED = 256 };
	uint8_t joined[JOINED + SCAN_BYTES];
	size_t n = 0;
	siphash_stream_begin(&s->body, &ctx->tokens);
	for (size_t i = 0; i < sizeof(counts); i++) {
		struct span f = m->field[counts[i]];
		if (JOINED - n <= f.n) {
			siphash_stream_feed(&s->body, joined, n);
			n = 0;
		}
		if (JOINED <= f.n)
			siphash_stream_feed(&s->body, f.p, f.n);
		else
			n += copy(joined + n, f, end);
		joined[n++] = HL7_CR;
	}
	siphash_stream_feed(&s->body, joined, n);
}

/* What of the header is read beside its texts. */
static void read_header(struct hl7_side *s, struct dissect_ctx *ctx, const struct hl7_msh *m, const uint8_t *end)
{
	s->id = hash(ctx->dir, m->field[10]);
	s->accept_ack = condition(m->field[15]);
	s->application_ack = condition(m->field[16]);
	/* An accept acknowledgement of an acknowledgement is asked for (enhanced mode, 2.9.3). */
	s->asks_accept = s->accept_ack && s->accept_ack - 1 != OBSERVATION_ACK_NEVER;
	s->vendor = (uint8_t)(1 + hl7_vendor_of_header(m));
	s->orders = carries_orders(own(s, HL7_S_TYPE));
	begin_content(s, ctx, m, end);
	hl7_device_serial(s, ctx, hl7_vendor_serial(s->vendor - 1u, m->field[10]));
}

static void begin_header(struct hl7_side *s, const struct hl7_msh *m)
{
	s->headed = true;
	s->separator = m->separator;
	s->component = m->component;
	s->repetition = m->repetition;
	s->escape = m->escape;
	s->subcomponent = m->subcomponent;
	s->text = (struct hl7_text){ .family = (uint8_t)m->family };
	s->charset = charset_of(m);
}

static void header(struct hl7_side *s, struct dissect_ctx *ctx, struct span segment)
{
	struct hl7_msh m;
	hl7_msh_parse(segment, &m);
	begin_header(s, &m);
	struct span type = m.field[9];
	struct span first = hl7_msh_token(type, m.component, m.family);
	struct span second = hl7_msh_token(span_from(type, first.n + 1), m.component, m.family);
	save(s, HL7_S_TYPE, (struct span){ type.p, second.n ? first.n + 1 + second.n : first.n });
	save_raw(s, HL7_S_CONTROL, m.field[10]);
	save(s, HL7_S_APP, m.field[3]);
	save(s, HL7_S_FACILITY, m.field[4]);
	save(s, HL7_S_TO_APP, m.field[5]);
	save(s, HL7_S_TO_FACILITY, m.field[6]);
	save(s, HL7_S_VERSION, hl7_msh_token(m.field[12], m.component, m.family));
	save(s, HL7_S_CHARSET, m.field[18]);
	read_header(s, ctx, &m, segment.p + segment.n);
}

static void plain_header(struct hl7_side *s, struct dissect_ctx *ctx, const struct hl7_line *l)
{
	struct hl7_msh m;
	hl7_line_msh(l, &m);
	m.family = hl7_msh_family(m.field[18]);
	size_t behind = (size_t)(m.field[2].p - l->text.p) + m.field[2].n;
	bool usual = m.component == '^' && m.repetition == '~' && (!m.subcomponent || m.subcomponent == '&') &&
		     !(m.escape && memchr(l->text.p + behind, m.escape, l->text.n - behind));
	if (!usual) {
		header(s, ctx, l->text);
		return;
	}
	/* Nothing in it is written otherwise than save() would write it. */
	const uint8_t *end = l->text.p + l->room;
	begin_header(s, &m);
	struct span type = m.field[9];
	size_t first = plain_token(type, '^').n, second = plain_token(span_from(type, first + 1), '^').n;
	save_usual(s, HL7_S_TYPE, (struct span){ type.p, second ? first + 1 + second : first }, end);
	save_as_is(s, HL7_S_CONTROL, m.field[10], end);
	save_usual(s, HL7_S_APP, m.field[3], end);
	save_usual(s, HL7_S_FACILITY, m.field[4], end);
	save_usual(s, HL7_S_TO_APP, m.field[5], end);
	save_usual(s, HL7_S_TO_FACILITY, m.field[6], end);
	save_usual(s, HL7_S_VERSION, plain_token(m.field[12], '^'), end);
	save_usual(s, HL7_S_CHARSET, m.field[18], end);
	read_header(s, ctx, &m, end);
}

static uint64_t ack_code(struct span s)
{
	static const char codes[][3] = { "AA", "AE", "AR", "CA", "CE", "CR" };
	unsigned i = word_of(s, codes, 6);
	return i < 6 ? OBSERVATION_AA + i : OBSERVATION_ACK_OTHER;
}

/* Of an error only its code leaves, and only if it looks like one: up to four letters and one to six digits (table
 * 0357 has 100 to 207). The text beside it is written by programs that quote what they refused. */
static void error_code(struct hl7_side *s, struct span field, unsigned component, uint8_t rank)
{
	struct span code = span_trim(
		hl7_msh_nth(hl7_msh_token(field, s->repetition, s->text.family), component, s->component, s->text.family));
	if (s->subcomponent)
		code = hl7_msh_token(code, s->subcomponent, s->text.family);
	size_t letters = 0, digits = 0;
	while (letters < code.n && hl7_upper(code.p[letters]))
		letters++;
	while (letters + digits < code.n && hl7_digit(code.p[letters + digits]))
		digits++;
	if (rank <= s->error_rank || letters > 4 || !digits || digits > 6 || letters + digits != code.n)
		return;
	s->error_rank = rank;
	save(s, HL7_S_ERROR, code);
}

static struct span field_of(const struct hl7_side *s, struct span segment, unsigned n)
{
	return span_trim(hl7_msh_nth(segment, n + 1, s->separator, s->text.family));
}

/* MSA-1, MSA-2 and MSA-6. */
static void acknowledgement(struct hl7_side *s, unsigned dir, struct span code, struct span id, struct span error)
{
	s->ack = true;
	s->ack_code = (uint8_t)ack_code(code);
	s->acked = hash(!dir, id);
	save_raw(s, HL7_S_ACKED, id);
	if (error.n)
		error_code(s, error, 1, 2);
}

static struct span token_of_hash(const struct dissect_ctx *ctx, enum token_of what, uint64_t h, char ret[static TOKEN_LEN])
{
	return token_recall(&ctx->scratch->tokens, &ctx->tokens, what, (struct span){ (const uint8_t *)&h, sizeof(h) }, ret);
}

static void end_group(struct hl7_state *st, struct dissect_ctx *ctx)
{
	struct hl7_side *s = &st->side[ctx->dir];
	if (!s->grouped)
		return;
	s->grouped = false;
	if (!s->has_order && !s->has_filler)
		return;
	if (s->n_orders == HL7_MAX_ORDERS) {
		s->partial = true;
		return;
	}
	s->n_orders++;
	struct observation o;
	observation_begin(&o, OBSERVATION_HL7_ORDER);
	put(&o, s, HL7_S_TYPE, OBSERVATION_F_message_type);
	put(&o, s, HL7_S_CONTROL, OBSERVATION_F_control_id);
	if (s->order_control_n)
		(void)observation_text(&o, OBSERVATION_F_order_control,
				       (struct span){ (const uint8_t *)s->order_control, s->order_control_n });
	char content[TOKEN_LEN], order[TOKEN_LEN], filler[TOKEN_LEN];
	if (s->has_order)
		(void)observation_text(&o, OBSERVATION_F_order, token_of_hash(ctx, TOKEN_ORDER, s->order, order));
	if (s->has_filler)
		(void)observation_text(&o, OBSERVATION_F_filler_order, token_of_hash(ctx, TOKEN_ORDER, s->filler, filler));
	(void)observation_text(&o, OBSERVATION_F_content, token_of_hash(ctx, TOKEN_CONTENT, siphash_stream_end(&s->group), content));
	ctx->emit(ctx->arg, &o);
}

/* An order begins with ORC, or with OBR where there is none. What stands before the first (the patient) belongs to each. */
static void begin_group(struct hl7_state *st, struct dissect_ctx *ctx, bool obr)
{
	struct hl7_side *s = &st->side[ctx->dir];
	if (obr && s->grouped && !s->group_has_obr) {
		s->group_has_obr = true;
		return;
	}
	if (!s->has_head)
		s->head = s->body;
	s->has_head = true;
	end_group(st, ctx);
	s->grouped = true;
	s->group_has_obr = obr;
	s->has_order = s->has_filler = false;
	s->order_control_n = 0;
	s->group = s->head;
}

/* ORC and OBR have the placer's number in field 2 and the filler's in field 3. EI is EI.1^EI.2^EI.3^EI.4, and which of the
 * last three are sent varies: the number is EI.1. */
static void order_numbers(struct hl7_side *s, struct dissect_ctx *ctx, struct span segment, bool orc)
{
	struct span placer = hl7_msh_token(field_of(s, segment, 2), s->component, s->text.family);
	struct span filler = hl7_msh_token(field_of(s, segment, 3), s->component, s->text.family);
	if (placer.n && !s->has_order) {
		s->order = siphash_24(&ctx->tokens, placer.p, placer.n);
		s->has_order = true;
	}
	if (filler.n && !s->has_filler) {
		s->filler = siphash_24(&ctx->tokens, filler.p, filler.n);
		s->has_filler = true;
	}
	struct span control = field_of(s, segment, 1);
	if (orc && control.n && control.n <= sizeof(s->order_control)) {
		memcpy(s->order_control, control.p, control.n);
		s->order_control_n = (uint8_t)control.n;
	}
}

static bool is(const uint8_t *name, const char *want) { return !memcmp(name, want, 3); }

void hl7_message_begin(struct hl7_side *s)
{
	memset((uint8_t *)s + offsetof(struct hl7_side, headed), 0,
	       offsetof(struct hl7_side, devices) - offsetof(struct hl7_side, headed));
	s->mode = HL7_INSIDE;
	s->segment = HL7_SEG_HELD;
	memcpy(s->name, "MSH", 3);
	s->scanned = 0;
	s->lost = false;
	s->seen = true;
	s->committed = false;
}

void hl7_message_decide(struct hl7_state *st, struct dissect_ctx *ctx)
{
	struct hl7_side *s = &st->side[ctx->dir];
	if (s->decided || !s->headed)
		return;
	s->decided = true;
	if (!s->ack || s->asks_accept)
		await(st, s->id);
}

enum hl7_segment hl7_message_segment(struct hl7_state *st, struct dissect_ctx *ctx, struct span name)
{
	struct hl7_side *s = &st->side[ctx->dir];
	memcpy(s->name, name.p, 3);
	s->field = 0;
	bool msa = is(name.p, "MSA"), sft = is(name.p, "SFT");
	/* These may stand between MSH and MSA (2.13.1). */
	if (!msa && !sft && !is(name.p, "UAC") && !is(name.p, "ARV"))
		hl7_message_decide(st, ctx);
	if (s->orders && (is(name.p, "ORC") || is(name.p, "OBR"))) {
		begin_group(st, ctx, is(name.p, "OBR"));
		return HL7_SEG_HELD;
	}
	if (is(name.p, "OBX"))
		return HL7_SEG_OBX;
	return msa || sft || is(name.p, "ERR") || is(name.p, "PRT") ? HL7_SEG_HELD : HL7_SEG_PASSING;
}

void hl7_message_held(struct hl7_state *st, struct dissect_ctx *ctx, struct span segment)
{
	struct hl7_side *s = &st->side[ctx->dir];
	if (is(s->name, "MSH")) {
		header(s, ctx, segment);
	} else if (is(s->name, "MSA")) {
		if (!s->ack)
			acknowledgement(s, ctx->dir, field_of(s, segment, 1), field_of(s, segment, 2), field_of(s, segment, 6));
	} else if (is(s->name, "ERR")) {
		error_code(s, field_of(s, segment, 3), 1, 3);
		error_code(s, field_of(s, segment, 1), 4, 1);
	} else if (is(s->name, "SFT")) {
		hl7_device_sft(s, ctx, segment);
	} else if (is(s->name, "PRT")) {
		hl7_device_prt(s, ctx, segment);
	} else {
		order_numbers(s, ctx, segment, is(s->name, "ORC"));
	}
}

static struct span plain_field(const struct hl7_line *l, unsigned n)
{
	struct span f = hl7_line_field(l, n);
	return f.n && (f.p[0] == ' ' || f.p[f.n - 1] == ' ') ? span_trim(f) : f;
}

void hl7_message_line(struct hl7_state *st, struct dissect_ctx *ctx, const struct hl7_line *l)
{
	struct hl7_side *s = &st->side[ctx->dir];
	if (!s->headed)
		plain_header(s, ctx, l);
	else if (!is(s->name, "MSA"))
		hl7_message_held(st, ctx, l->text);
	else if (!s->ack)
		acknowledgement(s, ctx->dir, plain_field(l, 1), plain_field(l, 2), plain_field(l, 6));
}

void hl7_message_obx(struct hl7_state *st, struct dissect_ctx *ctx, struct span field)
{
	struct hl7_side *s = &st->side[ctx->dir];
	if (s->field == 18)
		hl7_device_obx(s, ctx, field);
	else
		s->vendor = (uint8_t)(1 + hl7_vendor_of_coding(hl7_msh_nth(field, 3, s->component, s->text.family)));
}

static void acknowledge(struct hl7_state *st, const struct hl7_side *s, struct observation *o)
{
	observation_uint(o, OBSERVATION_F_ack_code, s->ack_code);
	size_t i = s->acked ? find(st, s->acked) : HL7_MAX_WAITING;
	bool paired = i < st->n_waiting;
	/* What was forgotten may have been this one. */
	if (paired || !st->forgotten)
		observation_uint(o, OBSERVATION_F_paired, paired);
	/* After a commit accept the application's own answer to the same id is still to come (2.9.3). */
	if (paired && s->ack_code != OBSERVATION_CA)
		forget(st, i);
	i = s->id ? find(st, s->id) : HL7_MAX_WAITING;
	if (i < st->n_waiting && !s->asks_accept)
		forget(st, i);
}

void hl7_message_end(struct hl7_state *st, struct dissect_ctx *ctx, int framing)
{
	struct hl7_side *s = &st->side[ctx->dir];
	s->mode = HL7_BETWEEN;
	s->scanned = 0;
	if (!s->headed)
		return;
	hl7_message_decide(st, ctx);
	if (framing == OBSERVATION_CUT)
		s->grouped = false; /* its end was not seen */
	else
		end_group(st, ctx);
	struct observation o;
	observation_begin(&o, s->ack ? OBSERVATION_HL7_ACK : OBSERVATION_HL7_MESSAGE);
	put(&o, s, HL7_S_TYPE, OBSERVATION_F_message_type);
	put(&o, s, HL7_S_CONTROL, OBSERVATION_F_control_id);
	put(&o, s, HL7_S_APP, OBSERVATION_F_sending_app);
	put(&o, s, HL7_S_FACILITY, OBSERVATION_F_sending_facility);
	put(&o, s, HL7_S_TO_APP, OBSERVATION_F_receiving_app);
	put(&o, s, HL7_S_TO_FACILITY, OBSERVATION_F_receiving_facility);
	put(&o, s, HL7_S_VERSION, OBSERVATION_F_version);
	put(&o, s, HL7_S_CHARSET, OBSERVATION_F_charset);
	if (s->accept_ack)
		observation_uint(&o, OBSERVATION_F_accept_ack, s->accept_ack - 1u);
	if (s->application_ack)
		observation_uint(&o, OBSERVATION_F_application_ack, s->application_ack - 1u);
	if (s->vendor && s->vendor - 1 < HL7_VENDOR_UNKNOWN)
		observation_uint(&o, OBSERVATION_F_vendor_profile, s->vendor - 1u);
	char content[TOKEN_LEN];
	if (s->ack) {
		put(&o, s, HL7_S_ACKED, OBSERVATION_F_acked_control_id);
		put(&o, s, HL7_S_ERROR, OBSERVATION_F_error_code);
		acknowledge(st, s, &o);
	} else {
		if (framing != OBSERVATION_CUT)
			(void)observation_text(&o, OBSERVATION_F_content,
					       token_of_hash(ctx, TOKEN_CONTENT, siphash_stream_end(&s->body), content));
		if (st->forgotten)
			observation_uint(&o, OBSERVATION_F_unpaired, st->forgotten);
		if (s->partial)
			observation_uint(&o, OBSERVATION_F_partial, true);
	}
	if (s->hllp && framing == OBSERVATION_MLLP)
		framing = OBSERVATION_HLLP;
	if (framing != OBSERVATION_MLLP)
		observation_uint(&o, OBSERVATION_F_framing, (uint64_t)framing);
	/* Whoever sends what is not an answer is the client of this connection. */
	if (ctx->client == DISSECT_CLIENT_UNKNOWN)
		ctx->client = (enum dissect_client)(s->ack ? !ctx->dir : ctx->dir);
	ctx->emit(ctx->arg, &o);
}

void hl7_message_commit(struct hl7_state *st, struct dissect_ctx *ctx, int code)
{
	struct observation o;
	observation_begin(&o, OBSERVATION_HL7_COMMIT);
	observation_uint(&o, OBSERVATION_F_ack_code, code == HL7_ACKED ? OBSERVATION_CA : OBSERVATION_CE);
	/* The block names no message: the sender must wait for it before the next one (MLLP release 2, 2.2). */
	struct hl7_side *asked = &st->side[!ctx->dir];
	if (!st->gap && !asked->committed)
		hl7_message_put(&o, OBSERVATION_F_acked_control_id, asked, HL7_S_CONTROL);
	asked->committed = true;
	ctx->emit(ctx->arg, &o);
}
