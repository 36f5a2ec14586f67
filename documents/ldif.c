#include "documents/ldif.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/utf8.h"
#include "documents/words.h"
#include "rules/policy_model.h"

enum { MAX_ENTRIES = 5000, MAX_ATTRIBUTES = 50000, MAX_PEERS = 256, LIST = 64 };

struct attribute { struct span name, value; unsigned line; };
struct entry {
	struct span dn;
	unsigned line;
	size_t first, n;                /* attributes */
	bool used;
};

struct ldif {
	struct draft *d;
	const char *file;
	size_t source;
	struct conf_report *rep;
	uint8_t *memory;                /* unfolded and decoded text */
	size_t n_memory;
	struct entry *entries;
	size_t n_entries, entries_room;
	struct attribute *attributes;
	size_t n_attributes, attributes_room;
};

static bool same(struct span a, const char *b) { return a.n == strlen(b) && !strncasecmp((const char *)a.p, b, a.n); }
static bool same_span(struct span a, struct span b) { return a.n == b.n && (!a.n || !strncasecmp((const char *)a.p, (const char *)b.p,
	a.n)); }

bool ldif_is(struct span text)
{
	bool dn = false;
	for (size_t i = 0; i + 4 < text.n; i++) {
		bool start = !i || text.p[i - 1] == '\n';
		dn = dn || (start && (!strncasecmp((const char *)text.p + i, "dn:", 3)));
		if (dn && text.n - i > 11 && !strncasecmp((const char *)text.p + i, "dicomDevice", 11))
			return true;
		/* A file that begins as something else is something else. */
		if (!dn && i > 4096)
			return false;
	}
	return false;
}

/* ---- RFC 2849 ---- */

static int fault(struct ldif *l, unsigned line, const char *what)
{
	struct policy_place at = { .file = l->file, .line = line, .column = 1 };
	policy_load_fault(&at, l->rep, "%s", what);
	return ERR_CONFIG;
}

static bool grow(void *list, size_t size, size_t n, size_t *room)
{
	void **v = list;
	if (n < *room)
		return true;
	size_t want = *room ? *room * 2 : 256;
	void *p = reallocarray(*v, want, size);
	if (!p)
		return false;
	*v = p;
	*room = want;
	return true;
}

static int digit64(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Base64 in place; false when it is none, or no text. Binary values (certificates) are kept as they were written. */
static bool decode(uint8_t *p, size_t *n)
{
	size_t to = 0, at = 0, end = *n;
	uint32_t bits = 0;
	unsigned have = 0;
	uint8_t *made = malloc(end + 1);
	if (!made)
		return false;
	while (end && p[end - 1] == '=')
		end--;
	for (; at < end; at++) {
		int v = digit64(p[at]);
		if (v < 0)
			break;
		bits = (bits << 6 | (uint32_t)v) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			made[to++] = (uint8_t)(bits >> have);
		}
	}
	bool ok = at == end && utf8_valid((struct span){ made, to });
	for (size_t i = 0; ok && i < to;) {
		uint32_t cp = 0;
		int len = utf8_next((struct span){ made + i, to - i }, &cp);
		ok = len > 0 && !utf8_is_control(cp) && cp != 0xfffe && cp != 0xffff;
		i += len > 0 ? (size_t)len : 1;
	}
	if (ok) {
		memcpy(p, made, to);
		*n = to;
	}
	free(made);
	return ok;
}

static int add_line(struct ldif *l, struct span s, unsigned line)
{
	size_t colon = 0;
	while (colon < s.n && s.p[colon] != ':')
		colon++;
	if (colon == s.n || !colon)
		return fault(l, line, "expected NAME: VALUE (LDIF, RFC 2849)");
	struct span name = { s.p, colon }, value = span_from(s, colon + 1);
	/* Options behind a semicolon say how it is encoded: userCertificate;binary */
	bool coded = value.n && value.p[0] == ':', by_url = value.n && value.p[0] == '<';
	if (coded || by_url)
		value = span_from(value, 1);
	value = span_trim(value);
	if (coded && value.n)
		(void)decode((uint8_t *)(uintptr_t)value.p, &value.n);
	if (same(name, "dn")) {
		if (l->n_entries == MAX_ENTRIES)
			return fault(l, line, "more entries than a configuration has");
		if (!grow(&l->entries, sizeof(*l->entries), l->n_entries, &l->entries_room))
			return -ENOMEM;
		l->entries[l->n_entries++] = (struct entry){ .dn = value, .line = line, .first = l->n_attributes };
		return 0;
	}
	if (!l->n_entries)
		return same(name, "version") ? 0 : fault(l, line, "an attribute before the first dn:");
	if (l->n_attributes == MAX_ATTRIBUTES)
		return fault(l, line, "more attributes than a configuration has");
	if (!grow(&l->attributes, sizeof(*l->attributes), l->n_attributes, &l->attributes_room))
		return -ENOMEM;
	l->attributes[l->n_attributes++] = (struct attribute){ name, value, line };
	l->entries[l->n_entries - 1].n++;
	return 0;
}

static int parse(struct ldif *l, struct span text)
{
	l->memory = malloc(text.n + 1);
	if (!l->memory)
		return -ENOMEM;
	unsigned number = 0, began = 0;
	size_t start = 0;
	int r = 0;
	bool comment = false, open = false;
	for (size_t i = 0; i <= text.n && !r;) {
		size_t n = 0;
		while (i + n < text.n && text.p[i + n] != '\n')
			n++;
		struct span line = { text.p + i, n };
		number++;
		if (n && line.p[0] == ' ') {            /* folded */
			if (open && !comment) {
				memcpy(l->memory + l->n_memory, line.p + 1, n - 1);
				l->n_memory += n - 1;
			}
		} else {
			if (open && !comment)
				r = add_line(l, (struct span){ l->memory + start, l->n_memory - start }, began);
			comment = n && line.p[0] == '#';
			open = n > 0;
			start = l->n_memory;
			began = number;
			if (n && !comment) {
				memcpy(l->memory + l->n_memory, line.p, n);
				l->n_memory += n;
			}
		}
		i += n + 1;
	}
	if (!r && open && !comment)
		r = add_line(l, (struct span){ l->memory + start, l->n_memory - start }, began);
	return r;
}

/* ---- entries ---- */

static struct span get(const struct ldif *l, const struct entry *e, const char *name)
{
	for (size_t i = 0; e && i < e->n; i++)
		if (same(l->attributes[e->first + i].name, name))
			return l->attributes[e->first + i].value;
	return (struct span){ 0 };
}

static bool is_class(const struct ldif *l, const struct entry *e, const char *name)
{
	for (size_t i = 0; i < e->n; i++)
		if (same(l->attributes[e->first + i].name, "objectClass") && same(l->attributes[e->first + i].value, name))
			return true;
	return false;
}

/* Whether `dn` stands below `above`: "cn=x,dicomDeviceName=y,..." below "dicomDeviceName=y,...". Blanks behind commas do not
 * count. */
static struct span tail(struct span s, size_t n) { return (struct span){ s.p + s.n - n, n }; }
static bool below(struct span dn, struct span above)
{
	return dn.n > above.n && dn.p[dn.n - above.n - 1] == ',' && same_span(tail(dn, above.n), above);
}

static const struct entry *find_dn(const struct ldif *l, struct span dn)
{
	for (size_t i = 0; i < l->n_entries; i++)
		if (same_span(l->entries[i].dn, dn))
			return &l->entries[i];
	return NULL;
}

static bool yes(struct span s) { return same(s, "TRUE") || same(s, "yes") || same(s, "1"); }
static bool no(struct span s) { return same(s, "FALSE") || same(s, "no") || same(s, "0"); }

/* ---- rows ---- */

static unsigned port_of(struct span s)
{
	unsigned v = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || v > 65535)
			return 0;
		v = v * 10 + (unsigned)(s.p[i] - '0');
	}
	return v <= 65535 ? v : 0;
}

static void where_of(const struct entry *e, char ret[static SHEET_WHERE]) { (void)snprintf(ret, SHEET_WHERE, "line %u", e->line); }

/* What an AE transfers, as SOP classes with the device's role in each. */
static void put_capabilities(struct ldif *l, const struct entry *ae, struct conf_node *dicom)
{
	struct draft *d = l->d;
	struct conf_node *list = NULL;
	size_t n = 0;
	for (size_t i = 0; i < l->n_entries; i++) {
		struct entry *e = &l->entries[i];
		struct span uid = get(l, e, "dicomSOPClass"), role = get(l, e, "dicomTransferRole");
		if (!below(e->dn, ae->dn) || !is_class(l, e, "dicomTransferCapability") || !uid.n || uid.n > 64 || n++ >= 1000)
			continue;
		bool said = same(role, "SCU") || same(role, "SCP");
		if (!list)
			list = draft_list(d, dicom, "sop_classes");
		struct conf_node *one = draft_map(d, list, NULL);
		(void)draft_text(d, one, "uid", uid, 64);
		if (said)
			(void)draft_text(d, one, "role", span_str(same(role, "SCU") ? "scu" : "scp"), 0);
		struct span name = get(l, e, "cn");
		if (name.n)
			(void)draft_text(d, one, "name", name, 256);
		e->used = true;
	}
}

static void put_title(struct draft *d, struct conf_node *dicom, const char *key, struct span title)
{
	bool fits = title.n && title.n <= POLICY_TABLE_AE && !(title.n == 1 && title.p[0] == '*');
	for (size_t i = 0; i < title.n; i++)
		fits = fits && title.p[i] >= 0x20 && title.p[i] < 0x7f && title.p[i] != '\\';
	if (fits)
		(void)draft_text(d, dicom, key, title, 0);
}

/* One row of `ports`. `peer`: the connection of whom it calls; NULL where the device listens. */
static void put_row(struct ldif *l, const struct entry *ae, const struct entry *c, const struct entry *peer, struct span called,
		    unsigned port, bool off)
{
	struct draft *d = l->d;
	struct span title = get(l, ae, "dicomAETitle"), suites = get(l, peer ? peer : c, "dicomTLSCipherSuite");
	char base[DRAFT_NAME], id[DRAFT_NAME], where[SHEET_WHERE], text[128], number[16];
	bool out = peer != NULL;
	where_of(ae, where);
	(void)snprintf(base, sizeof(base), "dicom-%u-%s", port, out ? "out" : "in");
	struct conf_node *row = draft_map(d, d->ports, NULL);
	(void)draft_text(d, row, "id", span_str(draft_row_id(d, base, id)), 64);
	struct span function = get(l, ae, "dicomDescription");
	if (function.n)
		(void)draft_text(d, row, "function", function, 1000);
	if (off)
		(void)draft_text(d, row, "default_state", span_str("disabled"), 0);
	(void)draft_text(d, row, "transport", span_str("tcp"), 0);
	(void)draft_text(d, row, "initiator", span_str(out ? "device" : "peer"), 0);
	(void)draft_text(d, row, "listen_on", span_str(out ? "peer" : "device"), 0);
	(void)snprintf(number, sizeof(number), "%u", port);
	(void)draft_text(d, draft_map(d, draft_list(d, row, "port"), NULL), "value", span_str(number), 0);
	struct conf_node *app = draft_map(d, row, "app");
	(void)draft_text(d, app, "protocol", span_str("dicom"), 0);
	struct conf_node *dicom = draft_map(d, app, "dicom");
	put_title(d, dicom, "calling_ae", title);
	if (out)
		put_title(d, dicom, "called_ae", called);
	put_capabilities(l, ae, dicom);
	(void)draft_text(d, draft_map(d, row, "encryption"), "declared", span_str(suites.n ? "tls" : "none"), 0);
	struct conf_node *peers = draft_list(d, row, "peers"), *one = draft_map(d, peers, NULL);
	struct span host = get(l, peer, "dicomHostname");
	struct addr ip;
	if (!out) {
		(void)conf_make_plain(d->doc, one, span_str("any"), "true", NULL);
		draft_say(d, DRAFT_SAY_PEER, l->source, where, title, NULL, NULL);
	} else if (host.n && !addr_parse(host, &ip)) {
		(void)draft_text(d, one, "ip", host, 0);
	} else if (host.n && host.n <= 253 && memchr(host.p, '.', host.n) && policy_long_is_host(host)) {
		(void)draft_text(d, one, "fqdn", host, 253);
	} else {
		char role[65];
		(void)snprintf(role, sizeof(role), "%.*s", (int)(called.n < 64 ? called.n : 0), called.n ? (const char *)called.p : "");
		(void)draft_text(d, one, "role", span_str(role[0] ? role : "peer"), 64);
		draft_say(d, DRAFT_SAY_ROLE_NAME, l->source, where, called, role[0] ? role : "peer", NULL);
	}
	(void)draft_text(d, draft_list(d, row, "sources"), NULL, span_str(d->sources[l->source].id), 64);
	(void)draft_text(d, row, "row", span_str(where), 64);
	(void)snprintf(text, sizeof(text), "tcp %u, %s, dicom%s", port, out ? "out" : "in", suites.n ? " over TLS" : "");
	draft_say(d, DRAFT_SAY_ROW, l->source, where, title, text, NULL);
	struct draft_port p = { .transport = OBSERVATION_TCP, .lo = (uint16_t)port, .hi = (uint16_t)port, .out = out, .in = !out,
		                .source = l->source };
	(void)snprintf(p.protocol, sizeof(p.protocol), "dicom");
	(void)snprintf(p.where, sizeof(p.where), "%s", where);
	draft_note_port(d, &p);
}

/* The connections that an AE refers to, with a port or without. */
static size_t connections_of(const struct ldif *l, const struct entry *ae, const struct entry *ret[static LIST])
{
	size_t n = 0;
	for (size_t i = 0; i < ae->n && n < LIST; i++) {
		const struct attribute *a = &l->attributes[ae->first + i];
		const struct entry *c = same(a->name, "dicomNetworkConnectionReference") ? find_dn(l, a->value) : NULL;
		if (c)
			ret[n++] = c;
	}
	return n;
}

static void keep_row(struct ldif *l, const struct entry *ae, enum draft_remark why, struct span text)
{
	struct draft *d = l->d;
	char where[SHEET_WHERE];
	where_of(ae, where);
	struct conf_node *e = draft_map(d, draft_kept(d, l->source, "rows"), NULL);
	(void)draft_text(d, e, "row", span_str(where), 0);
	(void)draft_text(d, e, "why", span_str(draft_code(why)), 0);
	(void)draft_text(d, e, "ae_title", get(l, ae, "dicomAETitle"), 0);
	if (text.n)
		(void)draft_text(d, e, "peer", text, 0);
	d->rows_missing = true;
	draft_say(d, why, l->source, where, text.n ? text : get(l, ae, "dicomAETitle"), NULL, NULL);
}

/* Rows to those that the AE names: the ports of that title's connections, wherever in the file it stands. */
static void read_initiator(struct ldif *l, const struct entry *ae, const struct entry *own, bool off)
{
	bool any = false;
	size_t peers = 0;
	for (size_t i = 0; i < ae->n; i++) {
		const struct attribute *a = &l->attributes[ae->first + i];
		bool found = false;
		if (!same(a->name, "dicomPeerAETitle") && !same(a->name, "dicomPreferredCalledAETitle"))
			continue;
		any = true;
		/* Past any real list: said, and looked up no more. */
		for (size_t k = 0; k < l->n_entries && peers < MAX_PEERS; k++) {
			const struct entry *peer = &l->entries[k], *list[LIST];
			if (!is_class(l, peer, "dicomNetworkAE") || !span_eq(get(l, peer, "dicomAETitle"), a->value) || peer == ae)
				continue;
			size_t n = connections_of(l, peer, list);
			for (size_t m = 0; m < n; m++) {
				unsigned port = port_of(get(l, list[m], "dicomPort"));
				port = conf_count(l->d->ports) < POLICY_MODEL_MAX_ROWS ? port : 0;
				if (port)
					put_row(l, ae, own, list[m], a->value, port, off);
				found = found || port;
			}
		}
		peers++;
		if (!found)
			keep_row(l, ae, DRAFT_SAY_CALLED_PORT, a->value);
	}
	if (!any)
		keep_row(l, ae, DRAFT_SAY_CALLED_WHO, (struct span){ 0 });
}

static void read_ae(struct ldif *l, struct entry *ae, const struct entry *device)
{
	const struct entry *list[LIST];
	size_t n = connections_of(l, ae, list), rows = 0;
	struct span installed = get(l, ae, "dicomInstalled");
	/* Said of the AE, else of the connection, else of the device (PS3.15, H.1.4.1). */
	bool off = no(installed.n ? installed : get(l, device, "dicomInstalled"));
	ae->used = true;
	for (size_t i = 0; i < n; i++)
		((struct entry *)(uintptr_t)list[i])->used = true;
	if (yes(get(l, ae, "dicomAssociationAcceptor"))) {
		for (size_t i = 0; i < n; i++) {
			unsigned port = conf_count(l->d->ports) < POLICY_MODEL_MAX_ROWS ? port_of(get(l, list[i], "dicomPort")) : 0;
			bool c_off = off || (!installed.n && no(get(l, list[i], "dicomInstalled")));
			if (port)
				put_row(l, ae, list[i], NULL, (struct span){ 0 }, port, c_off);
			rows += port != 0;
		}
		if (!rows)
			keep_row(l, ae, DRAFT_SAY_PORT, (struct span){ 0 });
	}
	if (yes(get(l, ae, "dicomAssociationInitiator")))
		read_initiator(l, ae, n ? list[0] : NULL, off);
}

/* ---- the device ---- */

/* Every entry of the device that was not read, and those attributes of the others that no row has: kept as they stand. */
static void keep_rest(struct ldif *l, const struct entry *device)
{
	static const char *const known[] = { "objectClass", "dicomAETitle", "dicomPort", "dicomAssociationAcceptor",
		                             "dicomAssociationInitiator", "dicomNetworkConnectionReference", "dicomManufacturer",
		                             "dicomManufacturerModelName", "dicomSOPClass", "dicomTransferRole", "cn" };
	struct draft *d = l->d;
	struct conf_node *list = NULL;
	for (size_t i = 0; i < l->n_entries; i++) {
		const struct entry *e = &l->entries[i];
		struct conf_node *one = NULL, *values = NULL;
		if (e != device && !below(e->dn, device->dn))
			continue;
		for (size_t k = 0; k < e->n; k++) {
			const struct attribute *a = &l->attributes[e->first + k];
			bool read = false;
			for (size_t m = 0; m < sizeof(known) / sizeof(known[0]) && (e->used || e == device); m++)
				read = read || same(a->name, known[m]);
			if (read)
				continue;
			if (!one) {
				list = list ? list : draft_kept(d, l->source, "entries");
				one = draft_map(d, list, NULL);
				(void)draft_text(d, one, "dn", e->dn, 0);
				values = draft_list(d, one, "attributes");
			}
			struct conf_node *v = draft_map(d, values, NULL);
			(void)draft_text(d, v, "name", a->name, 0);
			(void)draft_text(d, v, "value", a->value, 0);
		}
		if (one && !e->used && e != device) {
			char where[SHEET_WHERE];
			where_of(e, where);
			draft_say(d, DRAFT_SAY_ENTRY, l->source, where, e->dn, NULL, NULL);
		}
	}
}

/* The one that is meant. */
static const struct entry *find_device(struct ldif *l, const char *name)
{
	const struct entry *found = NULL;
	size_t n = 0;
	char names[180] = "";
	for (size_t i = 0; i < l->n_entries; i++) {
		const struct entry *e = &l->entries[i];
		struct span its = get(l, e, "dicomDeviceName");
		if (!is_class(l, e, "dicomDevice") || (name && !same(its, name)))
			continue;
		size_t at = strlen(names);
		struct buf b = buf_over(names + at, sizeof(names) - 1 - at);
		if (n)
			(void)buf_str(&b, ", ");
		escape_put(&b, its);
		names[at + b.len] = 0;
		found = e;
		n++;
	}
	struct policy_place at = { .file = l->file };
	if (n == 1)
		return found;
	if (n)
		policy_load_fault(&at, l->rep, "holds %zu devices; choose one with --device: %s", n, names);
	else
		policy_load_fault(&at, l->rep, "holds no dicomDevice%s%s", name ? " of the name " : "", name ? name : "");
	return NULL;
}

static void read_device(struct ldif *l, const struct entry *device)
{
	struct draft *d = l->d;
	char where[SHEET_WHERE];
	where_of(device, where);
	draft_fact(d, d->maker, sizeof(d->maker), "manufacturer", l->source, where, get(l, device, "dicomManufacturer"));
	draft_fact(d, d->model, sizeof(d->model), "model", l->source, where, get(l, device, "dicomManufacturerModelName"));
	draft_fact(d, d->sources[l->source].title, sizeof(d->sources[l->source].title), "device", l->source, where,
		   get(l, device, "dicomDeviceName"));
	for (size_t i = 0; i < l->n_entries && !d->no_memory; i++)
		if (is_class(l, &l->entries[i], "dicomNetworkAE") && below(l->entries[i].dn, device->dn))
			read_ae(l, &l->entries[i], device);
	/* Ports without an AE speak something else, which the profile does not name. */
	keep_rest(l, device);
}

int ldif_read(struct draft *d, struct span text, const char *file, size_t source, const char *device, struct conf_report *rep)
{
	struct ldif *l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = (struct ldif){ .d = d, .file = file, .source = source, .rep = rep };
	int r = parse(l, text);
	const struct entry *found = r ? NULL : find_device(l, device);
	if (!r && !found)
		r = ERR_CONFIG;
	if (!r) {
		read_device(l, found);
		if (!d->has_list) {
			d->has_list = true;
			d->list_source = source;
		}
		r = d->no_memory ? -ENOMEM : 0;
	}
	free(l->memory);
	free(l->entries);
	free(l->attributes);
	free(l);
	return r;
}
