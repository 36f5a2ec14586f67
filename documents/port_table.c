#include "documents/port_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/addr.h"
#include "core/digest.h"
#include "documents/port_heading.h"
#include "documents/words.h"
#include "rules/policy_model.h"

enum { LOOK = 200, FOOTNOTES = 64, SIDE_NONE = 0, SIDE_OUT = 1, SIDE_IN = 2, SIDE_BOTH = 3 };

struct footnote { char mark[WORDS_MARK]; struct span text; bool used; };

struct table {
	struct draft *d;
	const struct sheet_book *b;
	size_t sheet, source;
	const struct port_table_choice *choice;
	uint32_t number;                /* of rows in the preview */
	uint32_t heading;               /* row */
	/* Column number to what it is, and its heading. */
	struct { uint32_t column; enum port_heading is; struct span text; } columns[PORT_HEADING_COLUMNS];
	size_t n_columns;
	bool has_side;                  /* a column says who opens */
	unsigned ae_side;               /* of a table of AE titles without one: SIDE_OUT, these are the peers' */
	uint32_t accepted;
	struct footnote footnotes[FOOTNOTES];
	size_t n_footnotes;
};

/* A row being read. */
struct row {
	struct table *t;
	uint32_t number;
	char where[SHEET_WHERE], cite[65];
	struct span cell[PORT_HEADINGS];        /* without footnote marks */
	char plain[PORT_HEADINGS][WORDS_MAX];
	struct span p[PORT_HEADINGS];
	char marks[8][WORDS_MARK];
	size_t n_marks;
	struct words_ports ports;
	struct port_heading_service service;
	unsigned side, data_flow;
	char as[512];                   /* what was understood, for the preview */
	enum draft_remark why;
	const char *role;               /* of DICOM: scu, scp; NULL */
	/* What disagreed, for conflicts. */
	struct { const char *field; struct span said; const char *kept, *why; } conflicts[4];
	size_t n_conflicts;
	bool keep[PORT_HEADINGS];       /* the cell was not understood, or says more than the row can */
	bool na[PORT_HEADINGS];         /* it says that it does not apply */
};

uint32_t port_table_heading(const struct sheet_book *b, size_t sheet)
{
	enum port_heading h[PORT_HEADING_COLUMNS];
	for (uint32_t row = 1; row <= LOOK; row++)
		if (port_heading_row(b, sheet, row, h))
			return row;
	return 0;
}

/* ---- beside the table ---- */

static void say(struct row *r, enum draft_remark what, enum port_heading column, const char *arg0, const char *arg1)
{
	char where[SHEET_WHERE];
	const struct table *t = r->t;
	for (size_t i = 0; i < t->n_columns; i++)
		if (t->columns[i].is == column && column) {
			draft_say(t->d, what, t->source, sheet_where(t->b, t->sheet, r->number, t->columns[i].column, where),
				r->cell[column], arg0,
				  arg1);
			return;
		}
	draft_say(t->d, what, t->source, r->where, r->cell[column], arg0, arg1);
}

static struct footnote *find_footnote(struct table *t, const char *mark)
{
	for (size_t i = 0; i < t->n_footnotes; i++)
		if (!strcmp(t->footnotes[i].mark, mark))
			return &t->footnotes[i];
	return NULL;
}

/* Lines that begin with a mark and stand alone in their row. */
static void gather_footnotes(struct table *t)
{
	size_t n, in_row;
	const struct sheet_cell *c = sheet_cells(t->b, t->sheet, &n);
	for (size_t i = 0; i < n && t->n_footnotes < FOOTNOTES; i++) {
		const struct sheet_cell *row = sheet_row(t->b, t->sheet, c[i].row, &in_row);
		struct footnote f = { .text = sheet_text(t->b, &c[i]) };
		if (in_row > 2 || &c[i] != row)
			continue;
		words_lead_mark(&f.text, f.mark);
		/* The mark in one cell, the text in the next. */
		if (f.mark[0] && !f.text.n && in_row == 2)
			f.text = sheet_text(t->b, &row[1]);
		if (f.mark[0] && !find_footnote(t, f.mark))
			t->footnotes[t->n_footnotes++] = f;
	}
}

/* What the lines around the table say of the document itself. */
struct label { const char *words; unsigned what; };
enum { L_DOC_ID, L_REVISION, L_DATE, L_MAKER, L_MODEL, L_TITLE };
static const struct label labels[] = {
	{ "document id|document no|document no.|document number|doc no|doc no.|doc id|文書番号|資料番号|ドキュメント番号|"
		"文書no", L_DOC_ID },
	{ "revision|rev|rev.|version|document revision|版|版数|改訂|改訂番号|改訂版|版番号", L_REVISION },
	{ "date|release date|issue date|issued|revision date|日付|発行日|作成日|改訂日|制定日", L_DATE },
	{ "manufacturer|maker|vendor|company|メーカー|製造販売業者|製造業者|製造元|会社名|製造販売元", L_MAKER },
	{ "model|product|product name|device|device model|型式|型名|機種|機種名|製品名|販売名|装置名|対象機種|"
		"対象製品", L_MODEL },
	{ "title|表題|標題", L_TITLE },
};

/* "第3版", "Rev. 3": of a plain text. */
static bool find_revision(struct span p, struct span *ret)
{
	static const char *const before[] = { "第", "rev.", "rev", "revision", "version", "ver.", "ver" };
	for (size_t i = 0; i < p.n; i++)
		for (size_t k = 0; k < sizeof(before) / sizeof(before[0]); k++) {
			size_t n = strlen(before[k]), at = i + n, digits = 0;
			if (i + n > p.n || memcmp(p.p + i, before[k], n) || (i && p.p[i - 1] >= 'a' && p.p[i - 1] <= 'z'))
				continue;
			while (at < p.n && p.p[at] == ' ')
				at++;
			while (at + digits < p.n && ((p.p[at + digits] >= '0' && p.p[at + digits] <= '9') || (digits &&
				p.p[at + digits] == '.')))
				digits++;
			if (digits && (k || (at + digits + 3 <= p.n && !memcmp(p.p + at + digits, "版", 3)))) {
				*ret = (struct span){ p.p + at, digits };
				return true;
			}
		}
	return false;
}

static bool fact(struct table *t, unsigned what, struct span value, const char *where)
{
	struct draft *d = t->d;
	struct draft_source *s = &d->sources[t->source];
	char memory[WORDS_MAX], date[WORDS_DATE];
	switch (what) {
	case L_DOC_ID: draft_fact(d, s->doc_id, sizeof(s->doc_id), "document", t->source, where, value); return true;
	case L_REVISION: draft_fact(d, s->revision, sizeof(s->revision), "revision", t->source, where, value); return true;
	case L_MAKER: draft_fact(d, d->maker, sizeof(d->maker), "manufacturer", t->source, where, value); return true;
	case L_MODEL: draft_fact(d, d->model, sizeof(d->model), "model", t->source, where, value); return true;
	case L_TITLE: draft_fact(d, s->title, sizeof(s->title), "title", t->source, where, value); return true;
	default:
		if (!words_find_date(words_plain(value, memory), date))
			return false;
		draft_fact(d, s->date, sizeof(s->date), "date", t->source, where, span_str(date));
		/* "令和6年3月1日（第3版）" */
		if (find_revision(words_plain(value, memory), &value))
			draft_fact(d, s->revision, sizeof(s->revision), "revision", t->source, where, value);
		return true;
	}
}

static int find_label(struct span text)
{
	char memory[WORDS_MAX];
	struct span p = words_plain(text, memory);
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		for (const char *w = labels[i].words; *w;) {
			size_t n = strcspn(w, "|");
			if (p.n == n && !memcmp(p.p, w, n))
				return (int)labels[i].what;
			w += n + (w[n] == '|');
		}
	return -1;
}

static bool says_exhaustive(struct span p)
{
	static const char *const words[] = { "no other ports", "no other open ports", "all other ports are closed", "exhaustive list",
		                             "上記以外のポートは使用しない",
			"上記以外のポートは使用しません", "記載以外のポートは使用しない",
		                             "記載以外のポートは使用しません",
			"これ以外のポートは使用しない", "これ以外のポートは使用しません",
		                             "上記以外のポートは閉じ" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words_has(p, words[i]))
			return true;
	return false;
}

/* A row outside the table. */
static void read_text_row(struct table *t, uint32_t number)
{
	size_t n;
	const struct sheet_cell *c = sheet_row(t->b, t->sheet, number, &n);
	char where[SHEET_WHERE], memory[WORDS_MAX], date[WORDS_DATE], mark[WORDS_MARK];
	for (size_t i = 0; i < n; i++) {
		struct span text = sheet_text(t->b, &c[i]), inside = text, lead = text;
		(void)sheet_where(t->b, t->sheet, number, c[i].column, where);
		int label = find_label(text);
		if (label >= 0 && i + 1 < n && fact(t, (unsigned)label, sheet_text(t->b, &c[i + 1]), where)) {
			i++;
			continue;
		}
		/* "文書番号：IFU-1" in one cell */
		for (size_t k = 0; k < text.n; k++) {
			size_t colon = text.p[k] == ':' ? 1 : k + 3 <= text.n && !memcmp(text.p + k, "：", 3) ? 3 : 0;
			if (!colon)
				continue;
			label = find_label((struct span){ text.p, k });
			inside = span_trim(span_from(text, k + colon));
			break;
		}
		if (label >= 0 && inside.n && inside.p != text.p && fact(t, (unsigned)label, inside, where))
			continue;
		words_lead_mark(&lead, mark);
		if (mark[0] && find_footnote(t, mark)) {
			if (!lead.n)
				i++;    /* its text stands in the next cell */
			continue;
		}
		struct span p = words_plain(text, memory), revision;
		struct draft_source *s = &t->d->sources[t->source];
		if (says_exhaustive(p)) {
			(void)snprintf(t->d->completeness, sizeof(t->d->completeness), "exhaustive");
			draft_say(t->d, DRAFT_SAY_FACT, t->source, where, text, "completeness", "exhaustive");
		}
		if (!s->date[0] && words_find_date(p, date))
			draft_fact(t->d, s->date, sizeof(s->date), "date", t->source, where, span_str(date));
		if (!s->revision[0] && find_revision(p, &revision))
			draft_fact(t->d, s->revision, sizeof(s->revision), "revision", t->source, where, revision);
		draft_say(t->d, DRAFT_SAY_TEXT, t->source, where, text, NULL, NULL);
		struct conf_node *e = draft_map(t->d, draft_kept(t->d, t->source, "text"), NULL);
		(void)draft_text(t->d, e, "at", span_str(where), 0);
		(void)draft_text(t->d, e, "text", text, 0);
	}
}

/* ---- the row ---- */

/* Which side opens, by what a direction cell says. */
static unsigned read_direction(struct row *r, struct span p)
{
	static const char *const both[] = { "both", "双方向", "両方", "両方向", "bidirectional", "bi-directional", "発着信",
		"⇔", "<->", "↔", "in/out" };
	static const char *const in[] = { "inbound", "incoming", "in", "着信", "listen", "listening", "待受", "待ち受け" };
	static const char *const out[] = { "outbound", "outgoing", "out", "発信" };
	static const char *const self[] = { "本装置", "本機", "本製品", "当該装置", "自装置", "device" };
	unsigned side = SIDE_NONE;
	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++)
		if (words_has(p, both[i]))
			return SIDE_BOTH;
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		side |= words_has(p, in[i]) ? SIDE_IN : 0;
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		side |= words_has(p, out[i]) ? SIDE_OUT : 0;
	for (size_t i = 0; !side && i < sizeof(self) / sizeof(self[0]); i++) {
		size_t n = strlen(self[i]);
		/* "本装置→PACS", "PACS → 本装置" */
		for (size_t k = 0; k + 3 <= p.n && !side; k++) {
			if (memcmp(p.p + k, "→", 3))
				continue;
			struct span left = { p.p, k }, right = span_from(p, k + 3);
			if (left.n >= n && words_has(left, self[i]))
				side = SIDE_OUT;
			else if (right.n >= n && words_has(right, self[i]))
				side = SIDE_IN;
		}
	}
	if (words_has(p, "送信") || words_has(p, "send"))
		r->data_flow |= SIDE_OUT;
	if (words_has(p, "受信") || words_has(p, "receive"))
		r->data_flow |= SIDE_IN;
	return side;
}

/* Which side a role means. DICOM's user opens the association, its provider listens. */
static unsigned read_role(struct row *r, struct span p, bool lead)
{
	static const struct { const char *word; unsigned side; const char *dicom; } words[] = {
		{ "scu", SIDE_OUT, "scu" }, { "scp", SIDE_IN, "scp" }, { "client", SIDE_OUT, NULL }, { "クライアント", SIDE_OUT,
			NULL },
		{ "server", SIDE_IN, NULL }, { "サーバー", SIDE_IN, NULL }, { "サーバ", SIDE_IN, NULL }, { "listener", SIDE_IN,
			NULL },
	};
	unsigned side = SIDE_NONE;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i].word);
		bool at_start = p.n >= n && !memcmp(p.p, words[i].word, n) &&
				(p.n == n || strchr(".,;:/ ()", p.p[n]) || !memcmp(p.p + n, "。", 3));
		if (lead ? !at_start : !words_has(p, words[i].word))
			continue;
		side |= words[i].side;
		if (words[i].dicom)
			r->role = side == SIDE_BOTH ? "both" : words[i].dicom;
	}
	return side;
}

static void conflict(struct row *r, const char *field, struct span said, const char *kept, const char *why)
{
	if (r->n_conflicts < sizeof(r->conflicts) / sizeof(r->conflicts[0])) {
		r->conflicts[r->n_conflicts].field = field;
		r->conflicts[r->n_conflicts].said = said;
		r->conflicts[r->n_conflicts].kept = kept;
		r->conflicts[r->n_conflicts++].why = why;
	}
}

static const char *side_word(unsigned side) { return side == SIDE_OUT ? "device" : side == SIDE_IN ? "peer" : "either"; }

/* Whether a cell names the device itself: 本装置, "device", or the model. */
static bool is_self(const struct row *r, struct span p)
{
	static const char *const self[] = { "本装置", "本機", "本製品", "当該装置", "自装置", "device", "this device",
		"the device" };
	char memory[WORDS_MAX];
	struct span model = words_plain(span_str(r->t->d->options.model ? r->t->d->options.model : r->t->d->model), memory);
	for (size_t i = 0; i < sizeof(self) / sizeof(self[0]); i++)
		if (span_eq(p, span_str(self[i])))
			return true;
	return p.n && model.n && (words_has(p, memory) || span_eq(p, model));
}

/* A table with a column for each end: one of them is the device, the other the peer. */
static void find_ends(struct row *r)
{
	bool from = is_self(r, r->p[PORT_HEADING_FROM]), to = is_self(r, r->p[PORT_HEADING_PEER]);
	unsigned side = from && !to ? SIDE_OUT : to && !from ? SIDE_IN : SIDE_NONE;
	r->keep[PORT_HEADING_FROM] = side != SIDE_OUT;
	if (!side)
		return;
	if (!r->side)
		r->side = side;
	if (side == SIDE_IN && r->cell[PORT_HEADING_PEER].n) {
		/* The peer is whoever opens. */
		r->cell[PORT_HEADING_PEER] = r->cell[PORT_HEADING_FROM];
		r->p[PORT_HEADING_PEER] = r->p[PORT_HEADING_FROM];
		r->keep[PORT_HEADING_FROM] = false;
	}
}

static void find_side(struct row *r)
{
	unsigned said = SIDE_NONE, role = SIDE_NONE;
	enum port_heading from = PORT_HEADING_DIRECTION;
	if (r->cell[PORT_HEADING_DIRECTION].n) {
		said = read_direction(r, r->p[PORT_HEADING_DIRECTION]);
		role = said ? SIDE_NONE : read_role(r, r->p[PORT_HEADING_DIRECTION], false);
		if (said || role)
			r->keep[PORT_HEADING_DIRECTION] = false;
		else
			r->keep[PORT_HEADING_DIRECTION] = true;
	}
	/* Two columns with marks. */
	if (words_answer(r->p[PORT_HEADING_INBOUND]) == WORDS_YES)
		said |= SIDE_IN;
	if (words_answer(r->p[PORT_HEADING_OUTBOUND]) == WORDS_YES)
		said |= SIDE_OUT;
	for (int i = 0; i < 2; i++) {
		enum port_heading h = i ? PORT_HEADING_OUTBOUND : PORT_HEADING_INBOUND;
		enum words_answer a = words_answer(r->p[h]);
		r->keep[h] = r->cell[h].n && a != WORDS_YES && a != WORDS_NO && a != WORDS_NA && !span_eq(r->p[h], span_str("-"));
	}
	if (!role && r->cell[PORT_HEADING_ROLE].n) {
		role = read_role(r, r->p[PORT_HEADING_ROLE], false);
		r->keep[PORT_HEADING_ROLE] = !role;
		from = PORT_HEADING_ROLE;
	}
	/* The protocol says it: "DICOM (SCU)". */
	if (!role && r->cell[PORT_HEADING_PROTOCOL].n)
		role = (words_has(r->p[PORT_HEADING_PROTOCOL], "scu") || words_has(r->p[PORT_HEADING_PROTOCOL], "scp")) ?
		       read_role(r, r->p[PORT_HEADING_PROTOCOL], false) : SIDE_NONE;
	if (!role && r->cell[PORT_HEADING_NOTES].n) {
		role = read_role(r, r->p[PORT_HEADING_NOTES], true);
		from = PORT_HEADING_NOTES;
	}
	r->side = said ? said : role;
	if (r->cell[PORT_HEADING_FROM].n)
		find_ends(r);
	if (!r->side && !r->t->has_side && (r->cell[PORT_HEADING_AE].n || r->cell[PORT_HEADING_CALLED_AE].n))
		r->side = r->t->ae_side;
	if (said && role && said != role) {
		char a[64], b[64];
		struct span x = r->cell[PORT_HEADING_DIRECTION], y = r->cell[from];
		(void)snprintf(a, sizeof(a), "%.*s", (int)(x.n < 60 ? x.n : 0), x.n ? (const char *)x.p : "");
		(void)snprintf(b, sizeof(b), "%.*s", (int)(y.n < 60 ? y.n : 0), y.n ? (const char *)y.p : "");
		r->side = role;
		say(r, DRAFT_SAY_DIRECTION_ROLE, PORT_HEADING_DIRECTION, a[0] ? a : side_word(said), b[0] ? b : side_word(role));
		conflict(r, "initiator", x, side_word(role), "the role in the same row");
	}
}

static bool only(struct span p, const char *words)
{
	/* Every word of the plain text is one of `words` (separated by blanks). */
	for (size_t i = 0; i < p.n;) {
		size_t n = 0;
		while (i < p.n && strchr(" ,/()+&;:.", p.p[i]))
			i++;
		while (i + n < p.n && !strchr(" ,/()+&;:.", p.p[i + n]))
			n++;
		bool found = !n;
		for (const char *w = words; *w && !found;) {
			size_t k = strcspn(w, " ");
			found = k == n && !memcmp(w, p.p + i, n);
			w += k + (w[k] == ' ');
		}
		if (!found)
			return false;
		i += n;
	}
	return true;
}

static void find_service(struct row *r)
{
	static const enum port_heading where[] = { PORT_HEADING_PROTOCOL, PORT_HEADING_SERVICE, PORT_HEADING_PURPOSE };
	r->service.proto = -1;
	bool tls = false;
	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		struct span p = r->p[where[i]];
		if (!p.n)
			continue;
		struct port_heading_service s = port_heading_service(p);
		tls = tls || (where[i] == PORT_HEADING_PROTOCOL && s.tls);
		if (s.several || s.proto < 0) {
			bool transport_only = only(p, "tcp udp icmp ip tls ssl igmp sctp");
			if (where[i] == PORT_HEADING_PROTOCOL && (s.several || !transport_only))
				r->keep[where[i]] = true;
			continue;
		}
		r->service = s;
		if (where[i] != PORT_HEADING_PROTOCOL) {
			say(r, DRAFT_SAY_FROM_PURPOSE, where[i], policy_proto_name((unsigned)s.proto), NULL);
		} else {
			static const char known[] = "tcp udp icmp ip tls ssl over dicom hl7 mllp mllps http https ssh sftp telnet ftp "
				"smb cifs rdp vnc "
				"ldap ldaps smtp sql nfs kerberos syslog ntp sntp dns dhcp snmp tftp mdns radius ping dicom-tls lpr ipp "
					"scu scp proprietary 独自";
			r->keep[PORT_HEADING_PROTOCOL] = !only(p, known);
		}
		break;
	}
	/* AE titles are DICOM's. */
	if (r->service.proto < 0 && !r->service.several && (r->cell[PORT_HEADING_AE].n || r->cell[PORT_HEADING_CALLED_AE].n))
		r->service.proto = POLICY_PROTO_DICOM;
	r->service.tls = r->service.tls || tls;
}

static void find_transport(struct row *r)
{
	static const enum port_heading where[] = { PORT_HEADING_TRANSPORT, PORT_HEADING_PROTOCOL, PORT_HEADING_SERVICE };
	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]) && !r->ports.tcp && !r->ports.udp && !r->ports.icmp; i++) {
		r->ports.tcp = words_has(r->p[where[i]], "tcp");
		r->ports.udp = words_has(r->p[where[i]], "udp");
		r->ports.icmp = words_has(r->p[where[i]], "icmp");
	}
	/* What a service runs over is no guess where it runs over one thing. */
	if (!r->ports.tcp && !r->ports.udp && !r->ports.icmp && r->service.proto >= 0) {
		unsigned over = policy_proto_transport((unsigned)r->service.proto);
		if (r->service.proto != POLICY_PROTO_DNS && r->service.proto != POLICY_PROTO_KERBEROS &&
		    r->service.proto != POLICY_PROTO_VENDOR && r->service.proto != POLICY_PROTO_SYSLOG) {
			r->ports.tcp = over == OBSERVATION_TCP;
			r->ports.udp = over == OBSERVATION_UDP;
			r->ports.icmp = over == OBSERVATION_ICMP;
		}
	}
	if (r->cell[PORT_HEADING_TRANSPORT].n)
		r->keep[PORT_HEADING_TRANSPORT] = !only(r->p[PORT_HEADING_TRANSPORT], "tcp udp icmp ip");
}

/* ---- what goes into the tree ---- */

/* A peer's own name as a role. One that is too long is cut and ends in a hash of the whole, so that two stay two. */
static void name_role(struct span one, const char *slug, char ret[static 65])
{
	struct span name = slug[0] ? span_str(slug) : one;
	size_t cut = name.n;
	char hex[DIGEST_SHA256_BYTES * 2 + 1] = "";
	if (one.n > 64) {
		uint8_t hash[DIGEST_SHA256_BYTES];
		digest_sha256(one, hash);
		digest_hex(hash, sizeof(hash), hex);
		for (cut = cut < 55 ? cut : 55; cut && cut < name.n && (name.p[cut] & 0xc0) == 0x80;)
			cut--;
	}
	(void)snprintf(ret, 65, "%.*s%s%.8s", (int)cut, (const char *)name.p, hex[0] ? "-" : "", hex);
}

static struct conf_node *put_peers(struct row *r, struct conf_node *row)
{
	struct draft *d = r->t->d;
	struct conf_node *list = draft_list(d, row, "peers");
	struct span p = r->p[PORT_HEADING_PEER];
	size_t made = 0;
	for (size_t i = 0; i < p.n;) {
		size_t n = 0, stop = 1;
		for (; i + n < p.n; n++) {
			struct span at = span_from(p, i + n);
			/* A slash parts names, not an address and its length. */
			if (strchr(",;|&", at.p[0]) || (at.p[0] == '/' && !(at.n > 1 && at.p[1] >= '0' && at.p[1] <= '9')))
				break;
			if (at.n >= 3 && (!memcmp(at.p, "、", 3) || !memcmp(at.p, "及び", 6 <= at.n ? 6 : 3))) {
				stop = 3;
				break;
			}
		}
		struct span one = span_trim((struct span){ p.p + i, n });
		struct prefix prefix;
		char role[65], slug[65];
		i += n + stop;
		if (!one.n || span_eq(one, span_str("-")) || words_answer(one) == WORDS_NA)
			continue;
		bool dot = false, ascii = true;
		for (size_t k = 0; k < one.n; k++) {
			dot = dot || one.p[k] == '.';
			ascii = ascii && (strchr(".-_/", one.p[k]) || (one.p[k] >= 'a' && one.p[k] <= 'z') ||
					  (one.p[k] >= '0' && one.p[k] <= '9'));
		}
		/* A host or its network? And what looks like an address or a host name, and is none ("10.1.0.300"). */
		int address = addr_parse_prefix(one, &prefix);
		if (address == -ERANGE || (address && dot && ascii && !policy_long_is_host(one))) {
			r->keep[PORT_HEADING_PEER] = true;
			continue;
		}
		struct conf_node *peer = draft_map(d, list, NULL);
		made++;
		static const char *const any[] = { "any", "all", "*", "すべて", "全て", "任意", "制限なし", "不特定",
			"指定なし" };
		static const char *const local[] = { "local network", "local networks", "lan", "院内", "院内ネットワーク",
			"院内lan", "同一セグメント",
			                             "same subnet" };
		bool is_any = false, is_local = false;
		for (size_t k = 0; k < sizeof(any) / sizeof(any[0]); k++)
			is_any = is_any || span_eq(one, span_str(any[k]));
		for (size_t k = 0; k < sizeof(local) / sizeof(local[0]); k++)
			is_local = is_local || span_eq(one, span_str(local[k]));
		char text[65];
		if (is_any)
			(void)conf_make_plain(d->doc, peer, span_str("any"), "true", NULL);
		else if (is_local)
			(void)conf_make_plain(d->doc, peer, span_str("local_networks"), "true", NULL);
		else if (!address)
			(void)draft_text(d, peer, memchr(one.p, '/', one.n) ? "cidr" : "ip", one, 0);
		else if (port_heading_role(one, role, sizeof(role))[0])
			(void)draft_text(d, peer, "role", span_str(role), 64);
		else if (dot && ascii)
			(void)draft_text(d, peer, "fqdn", one, 253);
		else {
			(void)words_slug(one, slug, sizeof(slug));
			name_role(one, slug, text);
			(void)draft_text(d, peer, "role", span_str(text), 64);
			say(r, DRAFT_SAY_ROLE_NAME, PORT_HEADING_PEER, text, NULL);
			/* What is longer than a role stands whole under extensions. */
			r->keep[PORT_HEADING_PEER] = r->keep[PORT_HEADING_PEER] || one.n > 64;
		}
	}
	if (!made) {
		(void)conf_make_plain(d->doc, draft_map(d, list, NULL), span_str("any"), "true", NULL);
		say(r, DRAFT_SAY_PEER, PORT_HEADING_PEER, NULL, NULL);
	}
	return list;
}

static void put_encryption(struct row *r, struct conf_node *row)
{
	struct draft *d = r->t->d;
	struct span p = r->p[PORT_HEADING_ENCRYPTION];
	const char *declared = NULL, *version = NULL;
	static const char *const versions[] = { "1.0", "1.1", "1.2", "1.3" };
	bool by_name = r->service.proto >= 0 && policy_proto_tls((unsigned)r->service.proto) == POLICY_TLS_YES;
	if (p.n) {
		enum words_answer a = words_answer(p);
		bool tls = words_has(p, "tls") || words_has(p, "ssl") || words_has(p, "https") || words_has(p, "暗号化");
		bool maybe = words_has(p, "optional") || words_has(p, "任意") || words_has(p, "選択") || words_has(p, "可能") ||
			     words_has(p, "configurable") || words_has(p, "設定により") || words_has(p, "オプション");
		bool none = words_has(p, "none") || words_has(p, "plain") || words_has(p, "平文") || words_has(p, "cleartext") ||
			    words_has(p, "clear text") || words_has(p, "暗号化なし") || words_has(p, "不要");
		for (size_t i = 0; i < 4; i++) {
			char word[24], spaced[24], v[24];
			(void)snprintf(word, sizeof(word), "tls%s", versions[i]);
			(void)snprintf(spaced, sizeof(spaced), "tls %s", versions[i]);
			(void)snprintf(v, sizeof(v), "tlsv%s", versions[i]);
			if (!version && (words_has(p, word) || words_has(p, spaced) || words_has(p, v)))
				version = versions[i];
		}
		tls = tls || version;
		declared = maybe ? "optional" : none || a == WORDS_NO ? "none" : words_has(p, "vpn") || words_has(p, "ipsec") ? "vpn"
			   : tls || a == WORDS_YES ? "tls" : NULL;
		if (!declared || !strcmp(declared, "none"))
			version = NULL;
		r->na[PORT_HEADING_ENCRYPTION] = a == WORDS_NA;
		r->keep[PORT_HEADING_ENCRYPTION] = !declared && !span_eq(p, span_str("-"));
	}
	bool named = by_name || r->service.tls;
	if (declared && !strcmp(declared, "none") && named) {
		say(r, by_name ? DRAFT_SAY_ENCRYPTED_NAME : DRAFT_SAY_CLEAR_NAME, PORT_HEADING_ENCRYPTION,
		    by_name ? policy_proto_name((unsigned)r->service.proto) : "TLS", "no encryption");
		conflict(r, "encryption", r->cell[PORT_HEADING_ENCRYPTION], "conflict", "the protocol column names TLS");
		declared = "conflict";
	} else if (!declared && named) {
		declared = r->service.clear ? "optional" : "tls";
	}
	if (!declared)
		return;
	struct conf_node *e = draft_map(d, row, "encryption");
	(void)draft_text(d, e, "declared", span_str(declared), 0);
	if (version)
		(void)draft_text(d, draft_map(d, e, "tls"), "min_version", span_str(version), 0);
}

static void put_state(struct row *r, struct conf_node *row)
{
	struct draft *d = r->t->d;
	struct span p = r->p[PORT_HEADING_STATE], notes = r->p[PORT_HEADING_NOTES];
	const char *state = NULL;
	struct words_ports typical = { 0 };
	if (p.n) {
		static const char *const off[] = { "disabled", "無効", "off", "closed", "閉", "閉塞", "停止", "オフ" };
		static const char *const on[] = { "enabled", "有効", "on", "open", "開放", "開", "起動", "オン", "listening" };
		static const char *const maybe[] = { "optional", "オプション", "configurable", "設定により", "任意" };
		enum words_answer a = words_answer(p);
		for (size_t i = 0; i < 5 && !state; i++)
			state = words_has(p, maybe[i]) ? "configurable" : NULL;
		for (size_t i = 0; i < sizeof(off) / sizeof(off[0]) && !state; i++)
			state = words_has(p, off[i]) ? "disabled" : NULL;
		for (size_t i = 0; i < sizeof(on) / sizeof(on[0]) && !state; i++)
			state = words_has(p, on[i]) ? "enabled" : NULL;
		if (!state && (a == WORDS_YES || a == WORDS_NO))
			state = a == WORDS_YES ? "enabled" : "disabled";
		bool same = !state && words_read_ports(p, &typical) && typical.n == r->ports.n && typical.n && !typical.rest[0];
		for (size_t i = 0; same && i < typical.n; i++)
			same = typical.v[i].lo == r->ports.v[i].lo && typical.v[i].hi == r->ports.v[i].hi;
		r->keep[PORT_HEADING_STATE] = !state && !same && !span_eq(p, span_str("-"));
	} else if (words_has(notes, "disabled by default") || words_has(notes, "初期値は無効") || words_has(notes,
		"出荷時無効")) {
		state = "disabled";
	}
	if (state)
		(void)draft_text(d, row, "default_state", span_str(state), 0);
	if (r->cell[PORT_HEADING_REQUIRED].n) {
		p = r->p[PORT_HEADING_REQUIRED];
		enum words_answer a = words_answer(p);
		int required = a == WORDS_YES || words_has(p, "必須") || words_has(p, "required") || words_has(p, "mandatory") ? 1
			       : a == WORDS_NO || words_has(p, "任意") || words_has(p, "optional") ? 0 : -1;
		if (required >= 0)
			(void)conf_make_plain(d->doc, row, span_str("required"), required ? "true" : "false", NULL);
		r->keep[PORT_HEADING_REQUIRED] = required < 0;
	}
}

static void put_ports(struct row *r, struct conf_node *row, const char *key, const struct words_ports *p, size_t from)
{
	struct draft *d = r->t->d;
	struct span c = r->p[PORT_HEADING_CONFIGURABLE];
	bool configurable = p->configurable || words_answer(c) == WORDS_YES || words_has(c, "変更可") || words_has(c, "configurable") ||
			    words_has(r->p[PORT_HEADING_NOTES], "configurable") || words_has(r->p[PORT_HEADING_NOTES], "変更可");
	struct conf_node *list = draft_list(d, row, key);
	for (size_t i = from; i < p->n && i < from + POLICY_MODEL_MAX_PORTS; i++) {
		char text[16];
		struct conf_node *one = draft_map(d, list, NULL);
		if (p->v[i].lo == p->v[i].hi)
			(void)snprintf(text, sizeof(text), "%u", p->v[i].lo);
		else
			(void)snprintf(text, sizeof(text), "%u-%u", p->v[i].lo, p->v[i].hi);
		(void)draft_text(d, one, p->v[i].lo == p->v[i].hi ? "value" : "range", span_str(text), 0);
		if (configurable)
			(void)conf_make_plain(d->doc, one, span_str("configurable"), "true", NULL);
	}
	r->keep[PORT_HEADING_CONFIGURABLE] = false;
}

static void put_app(struct row *r, struct conf_node *row, unsigned transport)
{
	struct draft *d = r->t->d;
	struct span ae = r->cell[PORT_HEADING_AE], called = r->cell[PORT_HEADING_CALLED_AE];
	if (r->service.proto < 0) {
		r->keep[PORT_HEADING_AE] = ae.n > 0;
		r->keep[PORT_HEADING_CALLED_AE] = called.n > 0;
		return;
	}
	unsigned over = policy_proto_transport((unsigned)r->service.proto);
	bool either = r->service.proto == POLICY_PROTO_DNS || r->service.proto == POLICY_PROTO_KERBEROS ||
		      r->service.proto == POLICY_PROTO_VENDOR || r->service.proto == POLICY_PROTO_SYSLOG;
	if (over != transport && !either) {
		bool listed = (over == OBSERVATION_TCP && r->ports.tcp) || (over == OBSERVATION_UDP && r->ports.udp);
		if (!listed)
			say(r, DRAFT_SAY_TRANSPORTS, PORT_HEADING_PROTOCOL, policy_proto_name((unsigned)r->service.proto),
			    transport == OBSERVATION_UDP ? "UDP" : "TCP");
		r->keep[PORT_HEADING_PROTOCOL] = r->keep[PORT_HEADING_PROTOCOL] || !listed;
		return;
	}
	struct conf_node *app = draft_map(d, row, "app");
	(void)draft_text(d, app, "protocol", span_str(policy_proto_name((unsigned)r->service.proto)), 24);
	bool dicom = policy_proto_base((unsigned)r->service.proto) == POLICY_PROTO_DICOM;
	if (dicom && (r->role || ae.n || called.n)) {
		struct conf_node *n = draft_map(d, app, "dicom");
		if (r->role)
			(void)draft_text(d, n, "role", span_str(r->role), 0);
		for (int i = 0; i < 2; i++) {
			enum port_heading h = i ? PORT_HEADING_CALLED_AE : PORT_HEADING_AE;
			struct span title = r->cell[h];
			bool site = words_has(r->p[h], "任意") || words_has(r->p[h], "施設") || words_has(r->p[h], "configurable") ||
				    words_has(r->p[h], "site") || words_has(r->p[h], "設定");
			bool fits = title.n && title.n <= POLICY_TABLE_AE;
			for (size_t k = 0; k < title.n; k++)
				fits = fits && title.p[k] >= 0x20 && title.p[k] < 0x7f && title.p[k] != '\\';
			if (title.n && (fits || site))
				(void)draft_text(d, n, i ? "called_ae" : "calling_ae", site ? span_str("site") : title, 0);
			r->keep[h] = title.n && !fits && !site;
		}
	} else {
		r->keep[PORT_HEADING_AE] = ae.n > 0;
		r->keep[PORT_HEADING_CALLED_AE] = called.n > 0;
	}
}

static void put_note(struct row *r, struct conf_node *row)
{
	struct draft *d = r->t->d;
	char note[2048];
	struct buf b = buf_over(note, sizeof(note));
	(void)buf_put(&b, r->cell[PORT_HEADING_NOTES].p, r->cell[PORT_HEADING_NOTES].n);
	for (size_t i = 0; i < r->n_marks; i++) {
		struct footnote *f = find_footnote(r->t, r->marks[i]);
		if (!f) {
			say(r, DRAFT_SAY_FOOTNOTE, PORT_HEADING_NONE, r->marks[i], NULL);
			continue;
		}
		f->used = true;
		if (b.len)
			(void)buf_str(&b, " ");
		(void)buf_str(&b, r->marks[i]);
		(void)buf_str(&b, " ");
		(void)buf_put(&b, f->text.p, f->text.n);
	}
	/* A note that does not fit here stands whole under extensions. */
	if (b.full)
		r->keep[PORT_HEADING_NOTES] = true;
	else if (b.len)
		(void)draft_text(d, row, "note", buf_span(&b), 0);
}

/* The cells whose column nobody knows, and those that were not understood. */
static void put_kept(struct row *r, struct conf_node *parent, bool all)
{
	struct table *t = r->t;
	struct conf_node *map = NULL;
	for (size_t i = 0; i < t->n_columns; i++) {
		struct span text = sheet_at(t->b, t->sheet, r->number, t->columns[i].column);
		enum port_heading is = t->columns[i].is;
		if (!text.n || (!all && is && !r->keep[is]))
			continue;
		if (!map)
			map = draft_map(t->d, parent, all ? "cells" : "extensions");
		char clean[65];
		(void)snprintf(clean, sizeof(clean), "column %u", (unsigned)t->columns[i].column);
		struct span key = t->columns[i].text.n ? t->columns[i].text : span_str(clean);
		char flat[129];
		size_t n = 0;
		for (size_t k = 0; k < key.n && n < sizeof(flat) - 1; k++)
			flat[n++] = key.p[k] == '\n' || key.p[k] == '\t' ? ' ' : (char)key.p[k];
		while (n < key.n && n && ((uint8_t)key.p[n] & 0xc0) == 0x80)
			n--;
		/* What would say that something was seen may not be a key (rules/policy_types.c). */
		flat[n] = 0;
		bool seen = strstr(flat, "seen") || strstr(flat, "observ") || strstr(flat, "learn") || strstr(flat, "hit_count");
		if (!n || seen || (map && conf_get(map, flat)))
			n = (size_t)snprintf(flat, sizeof(flat), "%s", clean);
		(void)draft_text_at(t->d, map, (struct span){ (uint8_t *)flat, n }, text, 0);
		if (!all && is && r->keep[is])
			say(r, r->na[is] ? DRAFT_SAY_NOT_APPLICABLE : DRAFT_SAY_CELL, is, NULL, NULL);
	}
	/* A row with cells past the last heading. */
	size_t n;
	const struct sheet_cell *c = sheet_row(t->b, t->sheet, r->number, &n);
	for (size_t i = 0; i < n; i++) {
		bool headed = false;
		for (size_t k = 0; k < t->n_columns; k++)
			headed = headed || t->columns[k].column == c[i].column;
		if (headed)
			continue;
		char key[32], where[SHEET_WHERE];
		(void)snprintf(key, sizeof(key), "column %u", (unsigned)c[i].column);
		if (!map)
			map = draft_map(t->d, parent, all ? "cells" : "extensions");
		(void)draft_text(t->d, map, key, sheet_text(t->b, &c[i]), 0);
		draft_say(t->d, DRAFT_SAY_CELL, t->source, sheet_where(t->b, t->sheet, r->number, c[i].column, where), sheet_text(t->b,
			&c[i]),
			  NULL, NULL);
	}
}

static void keep_row(struct row *r, enum draft_remark why, enum port_heading column)
{
	struct draft *d = r->t->d;
	struct conf_node *e = draft_map(d, draft_kept(d, r->t->source, "rows"), NULL);
	(void)draft_text(d, e, "row", span_str(r->cite), 0);
	(void)draft_text(d, e, "why", span_str(draft_code(why)), 0);
	d->rows_missing = true;
	r->why = why;
	put_kept(r, e, true);
	char said[65] = "";
	if (column && r->cell[column].n < sizeof(said))
		(void)snprintf(said, sizeof(said), "%.*s", (int)r->cell[column].n, (const char *)r->cell[column].p);
	say(r, why, column, why == DRAFT_SAY_ROWS ? "4096" : said, NULL);
}

static void describe(struct row *r, unsigned transport, size_t from, char *ret, size_t n)
{
	size_t at = (size_t)snprintf(ret, n, "%s", transport == OBSERVATION_TCP ? "tcp" : transport == OBSERVATION_UDP ? "udp" : "icmp");
	for (size_t i = from; transport != OBSERVATION_ICMP && i < r->ports.n && i < from + 8 && at < n; i++)
		at += (size_t)(r->ports.v[i].lo == r->ports.v[i].hi ?
			       snprintf(ret + at, n - at, "%s%u", i > from ? "," : " ", r->ports.v[i].lo) :
			       snprintf(ret + at, n - at, "%s%u-%u", i > from ? "," : " ", r->ports.v[i].lo, r->ports.v[i].hi));
	if (at < n)
		(void)snprintf(ret + at, n - at, ", %s%s%s", r->side == SIDE_OUT ? "out" : r->side == SIDE_IN ? "in" : "in and out",
			       r->service.proto >= 0 ? ", " : "", r->service.proto >= 0 ?
				policy_proto_name((unsigned)r->service.proto) : "");
}

/* One row of `ports`: one transport, at most 32 ranges. */
static void put_row(struct row *r, unsigned transport, size_t from, bool first)
{
	struct table *t = r->t;
	struct draft *d = t->d;
	static const char *const transports[] = { [OBSERVATION_TCP] = "tcp", [OBSERVATION_UDP] = "udp", [OBSERVATION_ICMP] = "icmp" };
	char base[DRAFT_NAME], id[DRAFT_NAME], text[256];
	bool app = r->service.proto >= 0 && policy_proto_transport((unsigned)r->service.proto) == transport;
	const char *name = app ? policy_proto_name((unsigned)r->service.proto) : transports[transport];
	const char *side = r->side == SIDE_OUT ? "out" : r->side == SIDE_IN ? "in" : "both";
	if (r->ports.n && transport != OBSERVATION_ICMP)
		(void)snprintf(base, sizeof(base), "%s-%u-%s", name, r->ports.v[from].lo, side);
	else
		(void)snprintf(base, sizeof(base), "%s-%s", name, side);
	struct conf_node *row = draft_map(d, d->ports, NULL);
	(void)draft_text(d, row, "id", span_str(draft_row_id(d, base, id)), 64);
	struct span function = r->cell[PORT_HEADING_PURPOSE].n ? r->cell[PORT_HEADING_PURPOSE] : r->cell[PORT_HEADING_SERVICE];
	if (function.n)
		(void)draft_text(d, row, "function", function, 0);
	if (function.n && r->cell[PORT_HEADING_PURPOSE].n && r->cell[PORT_HEADING_SERVICE].n)
		r->keep[PORT_HEADING_SERVICE] = true;
	(void)draft_text(d, row, "transport", span_str(transports[transport]), 0);
	(void)draft_text(d, row, "initiator", span_str(side_word(r->side)), 0);
	if (r->side != SIDE_BOTH && transport != OBSERVATION_ICMP)
		(void)draft_text(d, row, "listen_on", span_str(r->side == SIDE_OUT ? "peer" : "device"), 0);
	if (r->data_flow)
		(void)draft_text(d, row, "data_flow", span_str(r->data_flow == SIDE_OUT ? "out" : r->data_flow == SIDE_IN ?
			"in" : "both"), 0);
	if (transport != OBSERVATION_ICMP)
		put_ports(r, row, "port", &r->ports, from);
	struct words_ports local;
	if (r->cell[PORT_HEADING_LOCAL_PORT].n) {
		r->keep[PORT_HEADING_LOCAL_PORT] = !words_read_ports(r->p[PORT_HEADING_LOCAL_PORT], &local) || !local.n || local.rest[0] ||
						    local.n > POLICY_MODEL_MAX_PORTS;
		if (!r->keep[PORT_HEADING_LOCAL_PORT])
			put_ports(r, row, "local_port", &local, 0);
	}
	put_app(r, row, transport);
	if (transport == OBSERVATION_TCP || !r->ports.tcp)
		put_encryption(r, row);
	put_state(r, row);
	if (r->cell[PORT_HEADING_PHI].n) {
		enum words_answer a = words_answer(r->p[PORT_HEADING_PHI]);
		if (a)
			(void)draft_text(d, row, "phi", span_str(a == WORDS_YES ? "yes" : a == WORDS_NO ? "no" : a == WORDS_NA ?
				"na" : "see_note"), 0);
		r->keep[PORT_HEADING_PHI] = !a;
	}
	(void)put_peers(r, row);
	struct conf_node *sources = draft_list(d, row, "sources");
	(void)draft_text(d, sources, NULL, span_str(d->sources[t->source].id), 64);
	(void)draft_text(d, row, "row", span_str(r->cite), 64);
	put_note(r, row);
	if (r->n_conflicts) {
		struct conf_node *list = draft_list(d, row, "conflicts");
		for (size_t i = 0; i < r->n_conflicts; i++) {
			struct conf_node *c = draft_map(d, list, NULL);
			(void)draft_text(d, c, "field", span_str(r->conflicts[i].field), 0);
			(void)draft_text(d, c, "by", span_str(d->sources[t->source].id), 0);
			(void)draft_text(d, c, "row", span_str(r->cite), 64);
			(void)draft_text(d, c, "said", r->conflicts[i].said, 0);
			(void)draft_text(d, c, "kept", span_str(r->conflicts[i].kept), 0);
			(void)draft_text(d, c, "why", span_str(r->conflicts[i].why), 0);
		}
	}
	if (first)
		put_kept(r, row, false);
	describe(r, transport, from, text, sizeof(text));
	size_t as = strlen(r->as);
	(void)snprintf(r->as + as, sizeof(r->as) - as, "%s%s", as ? "; " : "", text);
	draft_say(d, DRAFT_SAY_ROW, t->source, r->where, r->cell[PORT_HEADING_PORT], text, NULL);
	for (size_t i = from; transport != OBSERVATION_ICMP && i < r->ports.n && i < from + POLICY_MODEL_MAX_PORTS; i++) {
		struct draft_port p = { .transport = (uint8_t)transport, .lo = r->ports.v[i].lo, .hi = r->ports.v[i].hi,
			                .out = (r->side & SIDE_OUT) != 0, .in = (r->side & SIDE_IN) != 0, .source = t->source };
		(void)snprintf(p.protocol, sizeof(p.protocol), "%s", app ? name : "");
		(void)snprintf(p.where, sizeof(p.where), "%s", r->cite);
		draft_note_port(d, &p);
	}
}

static void cite(struct row *r)
{
	struct table *t = r->t;
	char number[24] = "", where[SHEET_WHERE];
	struct span no = r->cell[PORT_HEADING_NUMBER];
	if (no.n && no.n < 20)
		(void)snprintf(number, sizeof(number), " (%.*s)", (int)no.n, (const char *)no.p);
	for (char *p = number; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	(void)sheet_where(t->b, t->sheet, r->number, 0, where);
	bool named = t->b->names[t->sheet][0];
	if (named && strlen(where) + strlen(number) < sizeof(r->cite))
		(void)snprintf(r->cite, sizeof(r->cite), "%.40s%s", where, number);
	if (!named || !r->cite[0] || strlen(where) > 40)
		(void)snprintf(r->cite, sizeof(r->cite), "%srow %u%s", named ? "sheet " : "", (unsigned)r->number, number);
	if (named && strlen(where) > 40) {
		char sheet[16];
		(void)snprintf(sheet, sizeof(sheet), "sheet %zu ", t->sheet + 1);
		(void)snprintf(r->cite, sizeof(r->cite), "%srow %u%s", sheet, (unsigned)r->number, number);
	}
	(void)snprintf(r->where, sizeof(r->where), "%s%.*s", named ? "" : "row ", (int)sizeof(r->where) - 5, where);
}

static bool chosen(struct table *t)
{
	const struct port_table_choice *c = t->choice;
	uint32_t n = ++t->number;
	bool yes = !c || c->all || c->preview;
	for (size_t i = 0; !yes && i < c->n; i++)
		yes = c->numbers[i] == n;
	t->accepted += yes;
	return yes;
}

/* The row as a person has to confirm it. */
static void preview(struct row *r)
{
	struct table *t = r->t;
	char printed[512];
	size_t n;
	struct buf b = buf_over(printed, sizeof(printed) - 1);
	const struct sheet_cell *c = sheet_row(t->b, t->sheet, r->number, &n);
	for (size_t i = 0; i < n; i++) {
		if (i)
			(void)buf_str(&b, " | ");
		struct span text = sheet_text(t->b, &c[i]);
		(void)buf_put(&b, text.p, text.n);
	}
	printed[b.len] = 0;
	char as[700];
	size_t at = (size_t)snprintf(as, sizeof(as), "%s", r->as);
	if (at && r->cell[PORT_HEADING_PEER].n && r->cell[PORT_HEADING_PEER].n < 100)
		(void)snprintf(as + at, sizeof(as) - at, ", %.*s", (int)r->cell[PORT_HEADING_PEER].n,
			(const char *)r->cell[PORT_HEADING_PEER].p);
	draft_show(t->d, t->number, r->where, printed, as, r->why);
}

static void read_row(struct table *t, uint32_t number)
{
	struct row *r = calloc(1, sizeof(*r));
	if (!r) {
		t->d->no_memory = true;
		return;
	}
	r->t = t;
	r->number = number;
	for (size_t i = 0; i < t->n_columns; i++) {
		enum port_heading is = t->columns[i].is;
		struct span text = sheet_at(t->b, t->sheet, number, t->columns[i].column);
		char mark[WORDS_MARK];
		struct span without = text;
		for (;;) {
			words_take_mark(&without, mark);
			size_t n = strlen(mark);
			bool digits = n && mark[n - 1] >= '0' && mark[n - 1] <= '9';
			if (!n || (!digits && !find_footnote(t, mark)) || r->n_marks == 8)
				break;
			memcpy(r->marks[r->n_marks++], mark, sizeof(mark));
			text = without;
		}
		if (is) {
			r->cell[is] = text;
			r->p[is] = words_plain(text, r->plain[is]);
		}
	}
	cite(r);
	struct span port = r->p[PORT_HEADING_PORT];
	bool sound = words_read_ports(port, &r->ports);
	find_service(r);
	find_transport(r);
	find_side(r);
	bool ping = r->ports.icmp;
	if (conf_count(t->d->ports) + 4 > POLICY_MODEL_MAX_ROWS) {
		(void)chosen(t);
		keep_row(r, DRAFT_SAY_ROWS, PORT_HEADING_NONE);
	} else if (!chosen(t)) {
		keep_row(r, DRAFT_SAY_REFUSED, PORT_HEADING_NONE);
	} else if (!sound || (!r->ports.n && !ping) || r->ports.rest[0]) {
		keep_row(r, DRAFT_SAY_PORT, PORT_HEADING_PORT);
	} else if (!r->ports.tcp && !r->ports.udp && !r->ports.icmp) {
		keep_row(r, DRAFT_SAY_TRANSPORT, PORT_HEADING_PORT);
	} else if (!r->side) {
		keep_row(r, r->data_flow ? DRAFT_SAY_SEND_RECEIVE : DRAFT_SAY_DIRECTION, PORT_HEADING_DIRECTION);
	} else {
		bool first = true;
		/* A number beside ICMP alone is no port. */
		r->keep[PORT_HEADING_PORT] = ping && r->ports.n && !r->ports.tcp && !r->ports.udp;
		if (ping) {
			put_row(r, OBSERVATION_ICMP, 0, first);
			first = false;
		}
		for (int i = 0; i < 2; i++)
			for (size_t from = 0; (i ? r->ports.udp : r->ports.tcp) && from < r->ports.n; from += POLICY_MODEL_MAX_PORTS) {
				put_row(r, i ? OBSERVATION_UDP : OBSERVATION_TCP, from, first);
				first = false;
			}
	}
	if (t->choice)
		preview(r);
	free(r);
}

/* ---- the table ---- */

static void take_headings(struct table *t, uint32_t row)
{
	enum port_heading h[PORT_HEADING_COLUMNS];
	size_t n;
	bool have[PORT_HEADINGS] = { false };
	char where[SHEET_WHERE];
	(void)port_heading_row(t->b, t->sheet, row, h);
	const struct sheet_cell *c = sheet_row(t->b, t->sheet, row, &n);
	bool remote = false, local = false;
	t->heading = row;
	t->n_columns = 0;
	for (size_t i = 0; i < n && i < PORT_HEADING_COLUMNS; i++) {
		struct span text = sheet_text(t->b, &c[i]);
		enum port_heading is = h[i];
		(void)sheet_where(t->b, t->sheet, row, c[i].column, where);
		if (is && have[is]) {
			char name[65];
			(void)snprintf(name, sizeof(name), "%.*s", (int)(text.n < 64 ? text.n : 0), (const char *)text.p);
			draft_say(t->d, DRAFT_SAY_COLUMN_REPEATED, t->source, where, text, name, NULL);
			is = PORT_HEADING_NONE;
		} else if (!is) {
			draft_say(t->d, DRAFT_SAY_COLUMN, t->source, where, text, NULL, NULL);
		}
		/* Whose AE titles: the peers', where a column says with whom or a heading says "remote"; the device's own by default. */
		char memory[WORDS_MAX];
		struct span p = words_plain(text, memory);
		remote = remote || is == PORT_HEADING_PEER || is == PORT_HEADING_CALLED_AE || words_has(p, "remote");
		local = local || words_has(p, "default ae title") || words_has(p, "application entity") || words_has(p, "local") ||
			words_has(p, "自aeタイトル");
		have[is] = true;
		t->columns[t->n_columns].column = c[i].column;
		t->columns[t->n_columns].is = is;
		t->columns[t->n_columns++].text = text;
	}
	t->has_side = have[PORT_HEADING_DIRECTION] || have[PORT_HEADING_ROLE] || have[PORT_HEADING_INBOUND] || have[PORT_HEADING_OUTBOUND];
	t->ae_side = SIDE_NONE;
	if (t->has_side || (!have[PORT_HEADING_AE] && !have[PORT_HEADING_CALLED_AE]) || remote == local)
		return;
	t->ae_side = remote ? SIDE_OUT : SIDE_IN;
	draft_say(t->d, DRAFT_SAY_AE_TABLE, t->source, sheet_where(t->b, t->sheet, row, 0, where), (struct span){ 0 },
		  remote ? "peers, which the device calls" : "the device's own, at which it listens", NULL);
	/* Where the peers stand, their title is the one that is called. */
	for (size_t i = 0; remote && !have[PORT_HEADING_CALLED_AE] && i < t->n_columns; i++)
		if (t->columns[i].is == PORT_HEADING_AE)
			t->columns[i].is = PORT_HEADING_CALLED_AE;
}

/* A row that repeats the headings, as at the head of each printed page. */
static bool repeats(const struct table *t, uint32_t row)
{
	for (size_t i = 0; i < t->n_columns; i++)
		if (!span_eq(sheet_at(t->b, t->sheet, row, t->columns[i].column), t->columns[i].text))
			return false;
	return true;
}

int port_table_read(struct draft *d, const struct sheet_book *b, size_t sheet, size_t source, const struct port_table_choice *choice)
{
	struct table *t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	*t = (struct table){ .d = d, .b = b, .sheet = sheet, .source = source, .choice = choice, .number = (uint32_t)d->n_preview };
	uint32_t before = t->number;
	enum port_heading h[PORT_HEADING_COLUMNS];
	size_t n, in_row;
	const struct sheet_cell *c = sheet_cells(b, sheet, &n);
	if (!d->has_list) {
		d->has_list = true;
		d->list_source = source;
	}
	gather_footnotes(t);
	for (size_t i = 0; i < n && !d->no_memory; i++) {
		uint32_t row = c[i].row;
		if (i && c[i - 1].row == row)
			continue;
		(void)sheet_row(b, sheet, row, &in_row);
		if (t->heading && repeats(t, row)) {
			char where[SHEET_WHERE];
			draft_say(d, DRAFT_SAY_REPEATED, source, sheet_where(b, sheet, row, 0, where), (struct span){ 0 }, NULL, NULL);
		} else if (port_heading_row(b, sheet, row, h)) {
			take_headings(t, row);
		} else if (!t->heading || (in_row == 1 && t->n_columns > 2) || (in_row == 2 && t->n_columns > 3 &&
			find_label(sheet_text(b, &c[i])) >= 0)) {
			read_text_row(t, row);
		} else {
			char mark[WORDS_MARK];
			struct span lead = sheet_text(b, &c[i]);
			words_lead_mark(&lead, mark);
			if (in_row <= 2 && mark[0])
				read_text_row(t, row);
			else
				read_row(t, row);
		}
	}
	if (choice && !choice->preview) {
		char accepted[16], all[16];
		(void)snprintf(accepted, sizeof(accepted), "%u", (unsigned)t->accepted);
		(void)snprintf(all, sizeof(all), "%u", (unsigned)(t->number - before));
		draft_say(d, DRAFT_SAY_PASTED, source, "", (struct span){ 0 }, accepted, all);
		(void)snprintf(d->sources[source].note, sizeof(d->sources[source].note), "pasted text; %s of %s rows were accepted",
			accepted, all);
	}
	free(t);
	return d->no_memory ? -ENOMEM : 0;
}
