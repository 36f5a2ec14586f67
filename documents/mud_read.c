#include "documents/mud.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/conf_make.h"
#include "core/digest.h"
#include "core/err.h"
#include "core/escape.h"
#include "documents/mud_words.h"

enum { NAME = POLICY_KEYS_NAME, TCP = 6, UDP = 17, ANY_PROTOCOL = 256, MAX_FLOWS = POLICY_MODEL_MAX_ROWS };

struct ports { uint16_t lo, hi; bool said; };

/* One allowed exchange: what an entry of either direction says. */
struct flow {
	unsigned protocol;              /* of IP; ANY_PROTOCOL: all */
	int ethertype;                  /* -1: IP */
	enum mud_words_opener opener;
	struct ports service, local;
	enum policy_peer_kind peer;
	char name[254];                 /* of the peer */
	char uri[254];                  /* of its role */
	bool from, to;                  /* directions in which an entry says so */
	bool open;                      /* nothing says who opens */
	const char *entry;              /* its name in the file */
	json_t *tls;
	json_t *rest;                   /* matches that have no place in a row; borrowed */
};

struct reader {
	json_t *root, *mud;
	struct conf_doc *doc;
	const char *file;
	struct conf_report *rep;
	int result;
	mud_note *note;
	void *arg;
	char maker[128];                /* host of the MUD URL */
	struct { struct flow *v; size_t n, room; } flows;
	json_t *deny;                   /* own */
};

static void fault(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fault(struct reader *r, const char *fmt, ...)
{
	struct policy_place at = { .file = r->file };
	char what[200];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	policy_load_fault(&at, r->rep, "%s", what);
	r->result = ERR_CONFIG;
}

static void note(struct reader *r, const char *row, const char *what)
{
	if (r->note)
		r->note(r->arg, span_str(row), what);
}

/* ---- JSON ---- */

/* A member under any of its names, with or without its module's ("ietf-mud:mud" and "mud"). */
static json_t *member(const json_t *o, const char *const *names)
{
	for (; *names; names++) {
		json_t *v = json_object_get(o, *names);
		const char *bare = strchr(*names, ':');
		if (!v && bare)
			v = json_object_get(o, bare + 1);
		if (v)
			return v;
	}
	return NULL;
}
#define MEMBER(o, ...) member(o, (const char *const[]){ __VA_ARGS__, NULL })

static const char *text(const json_t *v) { return json_is_string(v) ? json_string_value(v) : NULL; }

/* JSON as a tree of ours. A null says that something is there. */
static void copy(struct conf_doc *doc, struct conf_node *parent, struct span key, const json_t *v, unsigned depth)
{
	char number[32];
	const char *k;
	json_t *e;
	size_t i;
	if (depth > MUD_MAX_DEPTH)
		return;
	switch (json_typeof(v)) {
	case JSON_OBJECT: {
		struct conf_node *map = conf_make_map(doc, parent, key, NULL);
		json_object_foreach((json_t *)(uintptr_t)v, k, e)
			copy(doc, map, span_str(k), e, depth + 1);
		break;
	}
	case JSON_ARRAY: {
		struct conf_node *list = conf_make_list(doc, parent, key, NULL);
		json_array_foreach((json_t *)(uintptr_t)v, i, e)
			copy(doc, list, (struct span){ 0 }, e, depth + 1);
		break;
	}
	case JSON_STRING:
		(void)conf_make_text(doc, parent, key, (struct span){ (const uint8_t *)json_string_value(v),
			json_string_length(v) }, NULL);
		break;
	case JSON_INTEGER:
		(void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		(void)conf_make_plain(doc, parent, key, number, NULL);
		break;
	case JSON_REAL:
		(void)snprintf(number, sizeof(number), "%.17g", json_real_value(v));
		(void)conf_make_text(doc, parent, key, span_str(number), NULL);
		break;
	default:
		(void)conf_make_plain(doc, parent, key, json_is_false(v) ? "false" : "true", NULL);
		break;
	}
}

/* ---- entries ---- */

static bool read_ports(struct reader *r, const json_t *layer, const char *key, const char *old, const char *entry, struct ports *ret)
{
	json_t *p = MEMBER(layer, key, old);
	if (!p)
		return true;
	/* The older model has one more level. */
	json_t *inner = MEMBER(p, "port-range-or-operator");
	if (inner)
		p = inner;
	const char *operator_ = text(MEMBER(p, "operator"));
	json_t *port = MEMBER(p, "port"), *lower = MEMBER(p, "lower-port"), *upper = MEMBER(p, "upper-port");
	json_int_t lo = json_integer_value(port ? port : lower), hi = port ? lo : upper ? json_integer_value(upper) : lo;
	if (!json_is_integer(port ? port : lower) || (upper && !json_is_integer(upper)) || lo < 0 || hi > 65535 || lo > hi) {
		fault(r, "entry %.64s: %s: expected a port or a range of 0 to 65535", entry, key);
		return false;
	}
	if (operator_ && !strcmp(operator_, "lte"))
		lo = 1;
	else if (operator_ && !strcmp(operator_, "gte"))
		hi = 65535;
	else if (operator_ && strcmp(operator_, "eq") && strcmp(operator_, "range")) {
		fault(r, "entry %.64s: %s: operator %.20s is not understood (eq, lte, gte, or a range)", entry, key, operator_);
		return false;
	}
	*ret = (struct ports){ (uint16_t)(lo ? lo : 1), (uint16_t)(hi ? hi : 1), true };
	return true;
}

/* A name of ours: the end of a URN, or the host and path of a URL. */
static void plain_name(const char *prefix, const char *uri, char out[static 254])
{
	const char *s = uri;
	if (!strncasecmp(s, "urn:", 4) && strrchr(s, ':')[1])
		s = strrchr(s, ':') + 1;
	else if (strstr(s, "://"))
		s = strstr(s, "://") + 3;
	size_t n = (size_t)snprintf(out, NAME + 1, "%s%s", prefix, s);
	n = n > NAME ? NAME : n;
	for (size_t i = 0; i < n; i++)
		if (!((out[i] >= 'a' && out[i] <= 'z') || (out[i] >= 'A' && out[i] <= 'Z') || (out[i] >= '0' && out[i] <= '9') ||
		      strchr("._-", out[i])))
			out[i] = '-';
	while (n && out[n - 1] == '-')
		out[--n] = 0;
	if (!n)
		(void)snprintf(out, 254, "unnamed");
}

static void set_role(struct flow *f, const char *prefix, const char *uri)
{
	f->peer = POLICY_PEER_ROLE;
	(void)snprintf(f->uri, sizeof(f->uri), "%s", uri);
	plain_name(prefix, uri, f->name);
	/* Roles are words of the site file: what has a dot is a host there. */
	for (char *p = f->name; *p; p++)
		*p = *p == '.' ? '-' : *p;
}

static void read_peer(struct reader *r, const json_t *matches, const json_t *ip, bool from, struct flow *f)
{
	json_t *m = MEMBER(matches, "ietf-mud:mud", "ietf-mud:mud-acl");
	json_t *v;
	f->peer = POLICY_PEER_ANY;
	if ((v = MEMBER(m, "controller", "ietf-mud:controller")) && text(v)) {
		set_role(f, "", text(v));
	} else if (MEMBER(m, "my-controller", "ietf-mud:my-controller")) {
		set_role(f, "", "my-controller");
	} else if ((v = MEMBER(m, "manufacturer", "ietf-mud:manufacturer")) && text(v)) {
		if (!strcmp(text(v), r->maker))
			f->peer = POLICY_PEER_MAKER;
		else
			set_role(f, "manufacturer-", text(v));
	} else if (MEMBER(m, "same-manufacturer", "ietf-mud:same-manufacturer")) {
		f->peer = POLICY_PEER_MAKER;
	} else if ((v = MEMBER(m, "model", "ietf-mud:model")) && text(v)) {
		set_role(f, "model-", text(v));
	} else if (MEMBER(m, "local-networks", "ietf-mud:local-networks")) {
		f->peer = POLICY_PEER_LOCAL;
	}
	const char *name = text(from ? MEMBER(ip, "ietf-acldns:dst-dnsname") : MEMBER(ip, "ietf-acldns:src-dnsname"));
	const char *net = text(from ? MEMBER(ip, "destination-ipv4-network", "destination-ipv6-network")
				    : MEMBER(ip, "source-ipv4-network", "source-ipv6-network"));
	if (name || net) {
		f->peer = name ? POLICY_PEER_NAME : POLICY_PEER_PREFIX;
		(void)snprintf(f->name, sizeof(f->name), "%s", name ? name : net);
	}
}

static unsigned protocol_of(const json_t *matches, const json_t *ip)
{
	json_t *v = MEMBER(ip, "protocol");
	if (json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) < 256)
		return (unsigned)json_integer_value(v);
	return MEMBER(matches, "tcp", "tcp-acl") ? TCP : MEMBER(matches, "udp", "udp-acl") ? UDP : MEMBER(matches, "icmp") ? 1
		: ANY_PROTOCOL;
}

/* Who opens: said for TCP; else the side whose port is not named; else whoever may send. */
static void read_direction(const json_t *layer, bool from, struct ports device, struct ports peer, struct flow *f)
{
	const char *said = text(MEMBER(layer, "ietf-mud:direction-initiated"));
	if (said)
		f->opener = !strcmp(said, "to-device") ? MUD_WORDS_PEER : MUD_WORDS_DEVICE;
	else if (peer.said != device.said)
		f->opener = peer.said ? MUD_WORDS_DEVICE : MUD_WORDS_PEER;
	else if (peer.said && peer.lo != device.lo)
		f->opener = MUD_WORDS_DEVICE;
	else
		f->opener = from ? MUD_WORDS_DEVICE : MUD_WORDS_PEER;
	f->open = !said && peer.said == device.said && (!peer.said || peer.lo == device.lo);
	f->service = f->opener == MUD_WORDS_PEER ? device : peer;
	f->local = f->opener == MUD_WORDS_PEER ? peer : device;
	/* One port at both ends, as BACnet and the like have it: either may begin. */
	if (!said && peer.said && device.said && peer.lo == device.lo && peer.hi == device.hi)
		f->local.said = false;
}

static bool same_ports(struct ports a, struct ports b) { return a.said == b.said && (!a.said || (a.lo == b.lo && a.hi == b.hi)); }

/* Entries of the two directions that say the same are one. */
static void keep(struct reader *r, const struct flow *f)
{
	for (size_t i = 0; i < r->flows.n; i++) {
		struct flow *o = &r->flows.v[i];
		if (o->protocol != f->protocol || o->ethertype != f->ethertype || !same_ports(o->service, f->service) ||
			o->peer != f->peer ||
		    strcmp(o->name, f->name))
			continue;
		/* Without a word on who opens, packets of both directions mean that either may. */
		bool guess = o->open && f->open && o->opener != f->opener && o->from != f->from;
		if ((o->opener != f->opener && !guess) || (!guess && !same_ports(o->local, f->local)))
			continue;
		if (guess)
			o->opener = MUD_WORDS_EITHER;
		o->from = o->from || f->from;
		o->to = o->to || f->to;
		o->tls = o->tls ? o->tls : f->tls;
		o->rest = o->rest ? o->rest : f->rest;
		return;
	}
	if (r->flows.n == MAX_FLOWS) {
		fault(r, "more than %d entries", MAX_FLOWS);
		return;
	}
	struct flow *slot = POLICY_MODEL_ADD(&r->flows);
	if (slot)
		*slot = *f;
	else
		r->result = -ENOMEM;
}

/* The device may open, and so may the peer: one row. */
static void join(struct reader *r)
{
	for (size_t i = 0; i < r->flows.n; i++) {
		struct flow *a = &r->flows.v[i];
		for (size_t k = i + 1; k < r->flows.n && a->from && a->to && a->opener != MUD_WORDS_EITHER; k++) {
			struct flow *b = &r->flows.v[k];
			if (!b->from || !b->to || b->opener == MUD_WORDS_EITHER || b->opener == a->opener ||
				a->protocol != b->protocol ||
			    a->ethertype != b->ethertype || !same_ports(a->service, b->service) || !same_ports(a->local, b->local) ||
			    a->peer != b->peer || strcmp(a->name, b->name) || a->tls || b->tls || a->rest || b->rest)
				continue;
			a->opener = MUD_WORDS_EITHER;
			r->flows.n--;
			memmove(b, b + 1, (r->flows.n - k) * sizeof(*b));
		}
	}
}

/* Keys of `matches` that the row says already. */
static bool is_known(const char *key)
{
	static const char *const known[] = { "ietf-mud:mud", "mud", "ietf-mud:mud-acl", "mud-acl", "ipv4", "ipv6", "tcp", "udp",
		"tcp-acl",
					     "udp-acl", "eth" };
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(key, known[i]))
			return true;
	return strstr(key, "client-profile") != NULL;
}

static void read_entry(struct reader *r, const json_t *ace, bool from)
{
	const char *name = text(MEMBER(ace, "name", "rule-name"));
	json_t *matches = MEMBER(ace, "matches"), *actions = MEMBER(ace, "actions");
	struct flow f = { .ethertype = -1, .entry = name ? name : "unnamed", .from = from, .to = !from };
	if (!json_is_object(matches)) {
		fault(r, "entry %.64s has no matches", f.entry);
		return;
	}
	const char *forwarding = text(MEMBER(actions, "forwarding"));
	bool drops = (forwarding && !strstr(forwarding, "accept")) || (!forwarding && MEMBER(actions, "deny"));
	if (drops) {
		(void)json_array_append(r->deny, (json_t *)(uintptr_t)ace);
		note(r, f.entry, "drops: kept under deny, not judged");
		return;
	}
	json_t *ip = MEMBER(matches, "ipv4", "ipv6"), *eth = MEMBER(matches, "eth");
	f.protocol = protocol_of(matches, ip);
	json_t *layer = f.protocol == TCP ? MEMBER(matches, "tcp", "tcp-acl") : f.protocol == UDP ? MEMBER(matches, "udp",
		"udp-acl") : NULL;
	const char *type = text(MEMBER(eth, "ethertype"));
	if (!ip && type)
		f.ethertype = (int)(strtoul(type, NULL, 0) & 0xffff);
	struct ports source = { 0 }, destination = { 0 };
	/* The older model has the ports beside the addresses. */
	const json_t *at = layer ? layer : ip;
	if (!read_ports(r, at, "source-port", "source-port-range-or-operator", f.entry, &source) ||
	    !read_ports(r, at, "destination-port", "destination-port-range-or-operator", f.entry, &destination))
		return;
	read_peer(r, matches, ip, from, &f);
	read_direction(layer, from, from ? source : destination, from ? destination : source, &f);
	const char *key;
	json_t *v;
	json_object_foreach(matches, key, v) {
		if (strstr(key, "client-profile"))
			f.tls = v;
		else if (!is_known(key))
			f.rest = matches;
	}
	keep(r, &f);
}

static json_t *find_list(const json_t *lists, const char *name)
{
	size_t i;
	json_t *l, *all = MEMBER(lists, "acl", "access-list");
	json_array_foreach(all, i, l) {
		const char *is = text(MEMBER(l, "name", "acl-name"));
		if (is && !strcmp(is, name))
			return l;
	}
	return NULL;
}

static size_t read_policy(struct reader *r, const char *key, const json_t *lists, bool from)
{
	json_t *names = MEMBER(MEMBER(MEMBER(r->mud, key), "access-lists"), "access-list"), *n, *ace;
	size_t i, k, used = 0;
	json_array_foreach(names, i, n) {
		const char *name = text(MEMBER(n, "name", "acl-name"));
		json_t *l = name ? find_list(lists, name) : NULL;
		if (!l) {
			fault(r, "%s names the list %.64s, which is not there", key, name ? name : "(no name)");
			continue;
		}
		used++;
		json_t *aces = MEMBER(MEMBER(l, "aces", "access-list-entries"), "ace");
		json_array_foreach(aces, k, ace)
			read_entry(r, ace, from);
	}
	return used;
}

/* ---- the long form ---- */

#define KEY(s) span_str(s)
static const struct span item = { 0 };

static void put_text(struct reader *r, struct conf_node *map, const char *key, const char *value)
{
	if (value && *value)
		(void)conf_make_text(r->doc, map, KEY(key), span_str(value), NULL);
}

static void put_sources(struct reader *r, struct conf_node *map)
{
	(void)conf_make_text(r->doc, conf_make_list(r->doc, map, KEY("sources"), NULL), item, span_str("mud"), NULL);
}

static void put_ports(struct reader *r, struct conf_node *row, const char *key, struct ports p)
{
	char range[16];
	struct conf_node *e = conf_make_map(r->doc, conf_make_list(r->doc, row, KEY(key), NULL), item, NULL);
	(void)snprintf(range, sizeof(range), p.lo == p.hi ? "%u" : "%u-%u", p.lo, p.hi);
	(void)conf_make_text(r->doc, e, KEY(p.lo == p.hi ? "value" : "range"), span_str(range), NULL);
}

static void put_tls(struct reader *r, struct conf_node *row, const json_t *profiles)
{
	struct conf_node *e = conf_make_map(r->doc, row, KEY("encryption"), NULL);
	put_text(r, e, "declared", "tls");
	struct conf_node *tls = conf_make_map(r->doc, e, KEY("tls"), NULL);
	const char *least = NULL;
	size_t i, k;
	json_t *p, *v;
	json_array_foreach(MEMBER(profiles, "tls-dtls-profile", "tls-dtls-profiles"), i, p) {
		json_array_foreach(MEMBER(p, "supported-tls-version", "supported-tls-versions"), k, v) {
			const char *is = text(v) ? mud_words_version(text(v)) : NULL;
			if (is && (!least || strcmp(is, least) < 0))
				least = is;
		}
	}
	put_text(r, tls, "min_version", least);
	copy(r->doc, tls, KEY("profiles"), profiles, 0);
}

static void put_peer(struct reader *r, struct conf_node *row, const struct flow *f)
{
	static const char *const flags[] = {
		[POLICY_PEER_ANY] = "any", [POLICY_PEER_LOCAL] = "local_networks", [POLICY_PEER_MAKER] = "same_manufacturer",
		[POLICY_PEER_NAME] = "fqdn", [POLICY_PEER_PREFIX] = "cidr", [POLICY_PEER_ROLE] = "role",
	};
	struct conf_node *e = conf_make_map(r->doc, conf_make_list(r->doc, row, KEY("peers"), NULL), item, NULL);
	if (f->peer == POLICY_PEER_ANY || f->peer == POLICY_PEER_LOCAL || f->peer == POLICY_PEER_MAKER)
		(void)conf_make_plain(r->doc, e, KEY(flags[f->peer]), "true", NULL);
	else
		put_text(r, e, flags[f->peer], f->name);
	if (f->peer == POLICY_PEER_ROLE)
		put_text(r, e, "role_uri", f->uri);
}

static bool is_taken(const struct conf_node *rows, struct span id)
{
	for (size_t i = 0; i < conf_count(rows); i++)
		if (span_eq(conf_text(conf_get(conf_at(rows, i), "id"), ""), id))
			return true;
	return false;
}

/* The entry's name without the ending of its direction; a number when there are several. */
static void row_id(const struct conf_node *rows, const char *entry, char out[static NAME + 1])
{
	static const char *const ends[] = { "-frdev", "-todev", "-from", "-to", "_frdev", "_todev" };
	char base[254];
	plain_name("", entry, base);
	size_t n = strlen(base);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (n > strlen(ends[i]) && !strcmp(base + n - strlen(ends[i]), ends[i])) {
			base[n - strlen(ends[i])] = 0;
			break;
		}
	(void)snprintf(out, NAME + 1, "%.*s", NAME - 6, base);
	for (unsigned k = 2; is_taken(rows, span_str(out)); k++)
		(void)snprintf(out, NAME + 1, "%.*s-%u", NAME - 6, base, k);
}

static void put_row(struct reader *r, struct conf_node *rows, const struct flow *f, const char *transport)
{
	char id[NAME + 1], cite[NAME + 1];
	row_id(rows, f->entry, id);
	struct conf_node *row = conf_make_map(r->doc, rows, item, NULL);
	put_text(r, row, "id", id);
	put_text(r, row, "transport", transport);
	put_text(r, row, "initiator", mud_words_openers[f->opener]);
	if (!strcmp(transport, "tcp") || !strcmp(transport, "udp")) {
		put_ports(r, row, "port", f->service.said ? f->service : (struct ports){ 1, 65535, true });
		if (f->local.said)
			put_ports(r, row, "local_port", f->local);
	}
	if (f->tls) {
		put_text(r, conf_make_map(r->doc, row, KEY("app"), NULL), "protocol", "tls");
		put_tls(r, row, f->tls);
	}
	put_peer(r, row, f);
	/* ICMP and the like have no counterpart that would be missed. */
	if (f->from != f->to && (f->protocol == TCP || f->protocol == UDP)) {
		(void)conf_make_plain(r->doc, row, KEY("one_way"), "true", NULL);
		note(r, f->entry, "has no counterpart in the other direction");
	}
	put_sources(r, row);
	(void)snprintf(cite, sizeof(cite), "%s", f->entry);
	put_text(r, row, "row", cite);
	if (f->rest) {
		copy(r->doc, conf_make_map(r->doc, row, KEY("extensions"), NULL), KEY("matches"), f->rest, 0);
		note(r, f->entry, "matches by what is not understood: kept under extensions");
	}
}

static void put_rows(struct reader *r, struct conf_node *root)
{
	struct conf_node *rows = conf_make_list(r->doc, root, KEY("ports"), NULL);
	for (size_t i = 0; i < r->flows.n; i++) {
		const struct flow *f = &r->flows.v[i];
		char other[24];
		if (f->ethertype >= 0) {
			(void)snprintf(other, sizeof(other), "eth:0x%04x", (unsigned)f->ethertype);
			put_row(r, rows, f, other);
		} else if (f->protocol == ANY_PROTOCOL) {
			put_row(r, rows, f, "tcp");
			put_row(r, rows, f, "udp");
		} else if (f->protocol == TCP || f->protocol == UDP || f->protocol == 1 || f->protocol == 58) {
			put_row(r, rows, f, f->protocol == TCP ? "tcp" : f->protocol == UDP ? "udp" : "icmp");
		} else {
			(void)snprintf(other, sizeof(other), "ip:%u", f->protocol);
			put_row(r, rows, f, other);
		}
	}
}

static void put_extensions(struct reader *r, struct conf_node *root)
{
	static const char *const said[] = { "mud-version", "mud-url", "last-update", "mfg-name", "model-name", "systeminfo",
		"firmware-rev",
					    "software-rev", "documentation", "from-device-policy", "to-device-policy" };
	struct conf_node *e = conf_make_map(r->doc, root, KEY("extensions"), NULL), *mud = conf_make_map(r->doc, e, KEY("mud"), NULL);
	const char *key;
	json_t *v;
	json_object_foreach(r->mud, key, v) {
		bool known = false;
		const char *bare = !strncmp(key, "ietf-mud:", 9) ? key + 9 : key;
		for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
			known = known || !strcmp(bare, said[i]);
		if (!known)
			copy(r->doc, mud, span_str(key), v, 0);
	}
}

static void put_head(struct reader *r, struct span bytes, bool lists)
{
	const char *url = text(MEMBER(r->mud, "mud-url")), *updated = text(MEMBER(r->mud, "last-update"));
	const char *maker = text(MEMBER(r->mud, "mfg-name")), *model = text(MEMBER(r->mud, "model-name"));
	const char *info = text(MEMBER(r->mud, "systeminfo")), *base = strrchr(r->file, '/');
	char id[254], doc_id[POLICY_KEYS_DOCUMENT + 1], revision[POLICY_KEYS_REVISION + 1], sum[2 * DIGEST_SHA256_BYTES + 1], date[11];
	uint8_t digest[DIGEST_SHA256_BYTES];
	struct conf_node *root = conf_make_root(r->doc);
	base = base ? base + 1 : r->file;
	plain_name("mud.", url ? url : base, id);
	/* The end of a URL tells documents apart. */
	size_t n = url ? strlen(url) : 0;
	(void)snprintf(doc_id, sizeof(doc_id), "%s", !url ? base : n > POLICY_KEYS_DOCUMENT ? url + n - POLICY_KEYS_DOCUMENT : url);
	(void)snprintf(revision, sizeof(revision), "%s", updated ? updated : "unknown");
	put_text(r, root, "format", "spanward/1");
	put_text(r, root, "kind", "device-type");
	put_text(r, root, "id", id);
	put_text(r, root, "revision", revision);
	struct conf_node *s = conf_make_map(r->doc, conf_make_list(r->doc, root, KEY("sources"), NULL), item, NULL);
	put_text(r, s, "id", "mud");
	put_text(r, s, "type", "mud");
	put_text(r, s, "doc_id", doc_id);
	put_text(r, s, "revision", revision);
	if (updated && strlen(updated) >= 10) {
		(void)snprintf(date, sizeof(date), "%.10s", updated);
		put_text(r, s, "date", date);
	}
	put_text(r, s, "file", base);
	digest_sha256(bytes, digest);
	digest_hex(digest, sizeof(digest), sum);
	sum[2 * DIGEST_SHA256_BYTES] = 0;
	put_text(r, s, "sha256", sum);
	put_text(r, s, "url", url);
	put_text(r, conf_make_map(r->doc, root, KEY("manufacturer"), NULL), "name", maker ? maker : r->maker[0] ? r->maker : "unknown");
	struct conf_node *m = conf_make_map(r->doc, root, KEY("model"), NULL);
	put_text(r, m, "name", model ? model : info ? info : id);
	const struct { const char *key, *name; } software[] = { { "firmware-rev", "firmware" }, { "software-rev", "software" } };
	struct conf_node *list = NULL;
	for (size_t i = 0; i < 2; i++) {
		const char *rev = text(MEMBER(r->mud, software[i].key));
		if (!rev)
			continue;
		list = list ? list : conf_make_list(r->doc, m, KEY("software"), NULL);
		struct conf_node *e = conf_make_map(r->doc, list, item, NULL);
		put_text(r, e, "name", software[i].name);
		put_text(r, e, "versions", rev);
	}
	if (url)
		put_text(r, conf_make_map(r->doc, conf_make_map(r->doc, root, KEY("identify"), NULL), KEY("dhcp"), NULL),
			"mud_url", url);
	if (info)
		put_text(r, conf_make_map(r->doc, root, KEY("clinical"), NULL), "function", info);
	struct conf_node *p = conf_make_map(r->doc, root, KEY("port_list"), NULL);
	put_text(r, p, "completeness", lists ? "exhaustive" : "unknown");
	put_sources(r, p);
	const char *papers = text(MEMBER(r->mud, "documentation"));
	if (papers)
		put_text(r, conf_make_map(r->doc, conf_make_map(r->doc, root, KEY("documents"), NULL), KEY("documentation"),
			NULL), "url", papers);
}

static void read_maker(struct reader *r)
{
	const char *url = text(MEMBER(r->mud, "mud-url")), *host = url ? strstr(url, "://") : NULL;
	if (host)
		(void)snprintf(r->maker, sizeof(r->maker), "%.*s", (int)strcspn(host + 3, "/:?#"), host + 3);
}

static json_t *parse(struct span bytes, json_error_t *e)
{
	/* Duplicate keys: two readers would see two files. */
	return bytes.n > MUD_MAX_BYTES ? NULL : json_loadb((const char *)bytes.p, bytes.n, JSON_REJECT_DUPLICATES, e);
}

bool mud_is(struct span bytes)
{
	json_error_t e;
	static const char name[] = "\"ietf-mud:mud\"";
	json_t *root = parse(bytes, &e);
	/* One that cannot be read is one all the same: mud_read() says what is wrong with it. */
	bool is = root ? json_is_object(MEMBER(root, "ietf-mud:mud")) : bytes.n && memmem(bytes.p, bytes.n, name, sizeof(name) - 1);
	json_decref(root);
	return is;
}

static unsigned depth_of(const json_t *v, unsigned so_far)
{
	unsigned most = so_far;
	const char *key;
	json_t *e;
	size_t i;
	if (so_far > MUD_MAX_DEPTH)
		return so_far;
	json_object_foreach((json_t *)(uintptr_t)v, key, e) {
		unsigned d = depth_of(e, so_far + 1);
		most = d > most ? d : most;
	}
	json_array_foreach(v, i, e) {
		unsigned d = depth_of(e, so_far + 1);
		most = d > most ? d : most;
	}
	return most;
}

static int read_all(struct reader *r, struct span bytes)
{
	json_error_t e;
	r->root = parse(bytes, &e);
	if (!r->root) {
		struct policy_place at = { .file = r->file, .line = bytes.n > MUD_MAX_BYTES ? 0 : (unsigned)(e.line > 0 ? e.line : 0),
					   .column = (unsigned)(bytes.n <= MUD_MAX_BYTES && e.column > 0 ? e.column : 0) };
		char what[160];
		if (bytes.n > MUD_MAX_BYTES)
			(void)snprintf(what, sizeof(what), "is larger than %d MiB", MUD_MAX_BYTES >> 20);
		else
			(void)snprintf(what, sizeof(what), "no JSON: %.120s", e.text);
		policy_load_fault(&at, r->rep, "%s", what);
		return ERR_CONFIG;
	}
	r->mud = MEMBER(r->root, "ietf-mud:mud");
	if (!json_is_object(r->mud) || depth_of(r->root, 0) > MUD_MAX_DEPTH) {
		fault(r, json_is_object(r->mud) ? "nested too deeply" : "no MUD file: there is no object ietf-mud:mud in it");
		return r->result;
	}
	json_t *lists = MEMBER(r->root, "ietf-access-control-list:acls", "ietf-access-control-list:access-lists");
	r->deny = json_array();
	r->doc = conf_make(r->file, NULL);
	if (!r->doc || !r->deny)
		return -ENOMEM;
	read_maker(r);
	size_t used = read_policy(r, "from-device-policy", lists, true) + read_policy(r, "to-device-policy", lists, false);
	size_t there = json_array_size(MEMBER(lists, "acl", "access-list"));
	if (there > used)
		note(r, "", "there are lists that neither direction names: not used");
	if (!used)
		note(r, "", "names no list: what the device may do is not said");
	if (r->result)
		return r->result;
	join(r);
	put_head(r, bytes, used > 0);
	put_rows(r, conf_make_root(r->doc));
	if (json_array_size(r->deny))
		copy(r->doc, conf_make_root(r->doc), KEY("deny"), r->deny, 0);
	put_extensions(r, conf_make_root(r->doc));
	return r->result ? r->result : conf_make_ok(r->doc) ? 0 : -ENOMEM;
}

int mud_read(struct span bytes, const char *name, struct conf_doc **ret, struct conf_report *rep, mud_note *say, void *arg)
{
	struct reader r = { .file = name, .rep = rep, .note = say, .arg = arg };
	int err = read_all(&r, bytes);
	free(r.flows.v);
	json_decref(r.deny);
	json_decref(r.root);
	if (err) {
		conf_free(r.doc);
		return err;
	}
	*ret = r.doc;
	return 0;
}
