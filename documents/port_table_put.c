/* port_table_put.c -- a row that was understood, or was not, as part of the profile. */
#include <errno.h>
#include <string.h>

#include "core/addr.h"
#include "core/digest.h"
#include "documents/port_table_row.h"
#include "rules/policy_model.h"

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

static struct conf_node *put_peers(struct port_table_row *r, struct conf_node *row)
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
			port_table_say(r, DRAFT_SAY_ROLE_NAME, PORT_HEADING_PEER, text, NULL);
			/* What is longer than a role stands whole under extensions. */
			r->keep[PORT_HEADING_PEER] = r->keep[PORT_HEADING_PEER] || one.n > 64;
		}
	}
	if (!made) {
		(void)conf_make_plain(d->doc, draft_map(d, list, NULL), span_str("any"), "true", NULL);
		port_table_say(r, DRAFT_SAY_PEER, PORT_HEADING_PEER, NULL, NULL);
	}
	return list;
}

static void put_encryption(struct port_table_row *r, struct conf_node *row)
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
		port_table_say(r, by_name ? DRAFT_SAY_ENCRYPTED_NAME : DRAFT_SAY_CLEAR_NAME, PORT_HEADING_ENCRYPTION,
		    by_name ? policy_proto_name((unsigned)r->service.proto) : "TLS", "no encryption");
		port_table_conflict(r, "encryption", r->cell[PORT_HEADING_ENCRYPTION], "conflict", "the protocol column names TLS");
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

static void put_state(struct port_table_row *r, struct conf_node *row)
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

static void put_ports(struct port_table_row *r, struct conf_node *row, const char *key, const struct words_ports *p, size_t from)
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

static void put_app(struct port_table_row *r, struct conf_node *row, unsigned transport)
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
			port_table_say(r, DRAFT_SAY_TRANSPORTS, PORT_HEADING_PROTOCOL, policy_proto_name((unsigned)r->service.proto),
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

static void put_note(struct port_table_row *r, struct conf_node *row)
{
	struct draft *d = r->t->d;
	char note[2048];
	struct buf b = buf_over(note, sizeof(note));
	(void)buf_put(&b, r->cell[PORT_HEADING_NOTES].p, r->cell[PORT_HEADING_NOTES].n);
	for (size_t i = 0; i < r->n_marks; i++) {
		struct port_table_footnote *f = port_table_beside_footnote(r->t, r->marks[i]);
		if (!f) {
			port_table_say(r, DRAFT_SAY_FOOTNOTE, PORT_HEADING_NONE, r->marks[i], NULL);
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
static void put_kept(struct port_table_row *r, struct conf_node *parent, bool all)
{
	struct port_table *t = r->t;
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
			port_table_say(r, r->na[is] ? DRAFT_SAY_NOT_APPLICABLE : DRAFT_SAY_CELL, is, NULL, NULL);
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

void port_table_put_kept(struct port_table_row *r, enum draft_remark why, enum port_heading column)
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
	port_table_say(r, why, column, why == DRAFT_SAY_ROWS ? "4096" : said, NULL);
}

static void describe(struct port_table_row *r, unsigned transport, size_t from, char *ret, size_t n)
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
void port_table_put_row(struct port_table_row *r, unsigned transport, size_t from, bool first)
{
	struct port_table *t = r->t;
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
	(void)draft_text(d, row, "initiator", span_str(port_table_side(r->side)), 0);
	if (r->side != SIDE_BOTH && transport != OBSERVATION_ICMP)
		(void)draft_text(d, row, "listen_on", span_str(r->side == SIDE_OUT ? "peer" : "device"), 0);
	if (r->data_flow)
		(void)draft_text(d, row, "data_flow", span_str(r->data_flow == SIDE_OUT ? "out" : r->data_flow == SIDE_IN ?
			"in" : "both"), 0);
	if (transport != OBSERVATION_ICMP)
		put_ports(r, row, "port", &r->ports, from);
	struct words_ports local;
	if (r->cell[PORT_HEADING_LOCAL_PORT].n) {
		r->keep[PORT_HEADING_LOCAL_PORT] = !words_read_ports(r->p[PORT_HEADING_LOCAL_PORT], &local) || !local.n ||
						    local.rest[0] || local.unparted || local.n > POLICY_MODEL_MAX_PORTS;
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

void port_table_put_cite(struct port_table_row *r)
{
	struct port_table *t = r->t;
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
