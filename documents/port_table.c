#include "documents/port_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "documents/port_table_row.h"
#include "rules/policy_model.h"

uint32_t port_table_heading(const struct sheet_book *b, size_t sheet)
{
	enum port_heading h[PORT_HEADING_COLUMNS];
	for (uint32_t row = 1; row <= LOOK; row++)
		if (port_heading_row(b, sheet, row, h))
			return row;
	return 0;
}

void port_table_say(struct port_table_row *r, enum draft_remark what, enum port_heading column, const char *arg0, const char *arg1)
{
	char where[SHEET_WHERE];
	const struct port_table *t = r->t;
	for (size_t i = 0; i < t->n_columns; i++)
		if (t->columns[i].is == column && column) {
			draft_say(t->d, what, t->source, sheet_where(t->b, t->sheet, r->number, t->columns[i].column, where),
				r->cell[column], arg0,
				  arg1);
			return;
		}
	draft_say(t->d, what, t->source, r->where, r->cell[column], arg0, arg1);
}

/* ---- the row ---- */

/* Which side opens, by what a direction cell says. */
static unsigned read_direction(struct port_table_row *r, struct span p)
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
static unsigned read_role(struct port_table_row *r, struct span p, bool lead)
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

void port_table_conflict(struct port_table_row *r, const char *field, struct span said, const char *kept, const char *why)
{
	if (r->n_conflicts < sizeof(r->conflicts) / sizeof(r->conflicts[0])) {
		r->conflicts[r->n_conflicts].field = field;
		r->conflicts[r->n_conflicts].said = said;
		r->conflicts[r->n_conflicts].kept = kept;
		r->conflicts[r->n_conflicts++].why = why;
	}
}

const char *port_table_side(unsigned side) { return side == SIDE_OUT ? "device" : side == SIDE_IN ? "peer" : "either"; }

/* Whether a cell names the device itself: 本装置, "device", or the model. */
static bool is_self(const struct port_table_row *r, struct span p)
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
static void find_ends(struct port_table_row *r)
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

static void find_side(struct port_table_row *r)
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
		port_table_say(r, DRAFT_SAY_DIRECTION_ROLE, PORT_HEADING_DIRECTION, a[0] ? a : port_table_side(said),
			b[0] ? b : port_table_side(role));
		port_table_conflict(r, "initiator", x, port_table_side(role), "the role in the same row");
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

static void find_service(struct port_table_row *r)
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
			port_table_say(r, DRAFT_SAY_FROM_PURPOSE, where[i], policy_proto_name((unsigned)s.proto), NULL);
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

static void find_transport(struct port_table_row *r)
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

static bool chosen(struct port_table *t)
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
static void preview(struct port_table_row *r)
{
	struct port_table *t = r->t;
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

static void read_row(struct port_table *t, uint32_t number)
{
	struct port_table_row *r = calloc(1, sizeof(*r));
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
			if (!n || (!digits && !port_table_beside_footnote(t, mark)) || r->n_marks == 8)
				break;
			memcpy(r->marks[r->n_marks++], mark, sizeof(mark));
			text = without;
		}
		if (is) {
			r->cell[is] = text;
			bool ports = is == PORT_HEADING_PORT || is == PORT_HEADING_LOCAL_PORT;
			r->p[is] = (ports ? words_plain_list : words_plain)(text, r->plain[is]);
		}
	}
	port_table_put_cite(r);
	struct span port = r->p[PORT_HEADING_PORT];
	bool sound = words_read_ports(port, &r->ports);
	find_service(r);
	find_transport(r);
	find_side(r);
	bool ping = r->ports.icmp;
	if (conf_count(t->d->ports) + 4 > POLICY_MODEL_MAX_ROWS) {
		(void)chosen(t);
		port_table_put_kept(r, DRAFT_SAY_ROWS, PORT_HEADING_NONE);
	} else if (!chosen(t)) {
		port_table_put_kept(r, DRAFT_SAY_REFUSED, PORT_HEADING_NONE);
	} else if (!sound || (!r->ports.n && !ping) || r->ports.rest[0]) {
		port_table_put_kept(r, DRAFT_SAY_PORT, PORT_HEADING_PORT);
	} else if (r->ports.unparted) {
		port_table_put_kept(r, DRAFT_SAY_UNPARTED, PORT_HEADING_PORT);
	} else if (!r->ports.tcp && !r->ports.udp && !r->ports.icmp) {
		port_table_put_kept(r, DRAFT_SAY_TRANSPORT, PORT_HEADING_PORT);
	} else if (!r->side) {
		port_table_put_kept(r, r->data_flow ? DRAFT_SAY_SEND_RECEIVE : DRAFT_SAY_DIRECTION, PORT_HEADING_DIRECTION);
	} else {
		bool first = true;
		/* A number beside ICMP alone is no port. */
		r->keep[PORT_HEADING_PORT] = ping && r->ports.n && !r->ports.tcp && !r->ports.udp;
		if (ping) {
			port_table_put_row(r, OBSERVATION_ICMP, 0, first);
			first = false;
		}
		for (int i = 0; i < 2; i++)
			for (size_t from = 0; (i ? r->ports.udp : r->ports.tcp) && from < r->ports.n; from += POLICY_MODEL_MAX_PORTS) {
				port_table_put_row(r, i ? OBSERVATION_UDP : OBSERVATION_TCP, from, first);
				first = false;
			}
	}
	if (t->choice)
		preview(r);
	free(r);
}

/* ---- the table ---- */

static void take_headings(struct port_table *t, uint32_t row)
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
static bool repeats(const struct port_table *t, uint32_t row)
{
	for (size_t i = 0; i < t->n_columns; i++)
		if (!span_eq(sheet_at(t->b, t->sheet, row, t->columns[i].column), t->columns[i].text))
			return false;
	return true;
}

int port_table_read(struct draft *d, const struct sheet_book *b, size_t sheet, size_t source, const struct port_table_choice *choice)
{
	struct port_table *t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	*t = (struct port_table){ .d = d, .b = b, .sheet = sheet, .source = source, .choice = choice, .number = (uint32_t)d->n_preview };
	uint32_t before = t->number;
	enum port_heading h[PORT_HEADING_COLUMNS];
	size_t n, in_row;
	const struct sheet_cell *c = sheet_cells(b, sheet, &n);
	if (!d->has_list) {
		d->has_list = true;
		d->list_source = source;
	}
	port_table_beside_gather(t);
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
			port_table_beside_label(sheet_text(b, &c[i])) >= 0)) {
			port_table_beside_read(t, row);
		} else {
			char mark[WORDS_MARK];
			struct span lead = sheet_text(b, &c[i]);
			words_lead_mark(&lead, mark);
			if (in_row <= 2 && mark[0])
				port_table_beside_read(t, row);
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
