#include "documents/mud.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "documents/mud_words.h"
#include "documents/papers.h"

enum { CACHE_HOURS = 48, INFO_MAX = 60 };       /* of validity; RFC 8520, 3.9: systeminfo should not exceed 60 */

struct writer {
	const struct policy_model_type *t;
	json_t *lists[2][2];            /* [from, to][IPv4, IPv6]: entries */
	bool tls;
	mud_note *lost;
	void *arg;
};

static const char *const list_names[2][2] = { { "from-ipv4", "from-ipv6" }, { "to-ipv4", "to-ipv6" } };

static void lose(struct writer *w, struct span row, const char *what)
{
	if (w->lost)
		w->lost(w->arg, row, what);
}

/* core/json.h has a json_string() of its own: what is linked is ours, so jansson's is called by its other name. */
static json_t *word(const char *s) { return json_stringn(s, strlen(s)); }
static json_t *string(struct span s) { return json_stringn((const char *)s.p, s.n); }

static json_t *port_json(struct conf_port_range p)
{
	if (p.lo == p.hi)
		return json_pack("{s:s, s:i}", "operator", "eq", "port", (int)p.lo);
	return json_pack("{s:i, s:i}", "lower-port", (int)p.lo, "upper-port", (int)p.hi);
}

/* ---- entries ---- */

struct entry {
	const struct policy_model_row *row;
	const struct policy_peer *peer;
	enum mud_words_opener opener;   /* DEVICE or PEER */
	struct conf_port_range service, local;
	bool has_ports, has_local;
	unsigned protocol;
	json_t *tls;                    /* borrowed */
	char name[POLICY_KEYS_NAME + 24];
};

static json_t *uri_of(const struct conf_node *peer_node, const struct policy_peer *p)
{
	char name[POLICY_KEYS_NAME + 1], uri[128];
	struct span said = conf_text(conf_get(peer_node, "role_uri"), "");
	if (said.n)
		return string(said);
	(void)snprintf(name, sizeof(name), "%.*s", (int)p->name.n, (const char *)p->name.p);
	return word(mud_words_uri(name, uri));
}

/* Roles that came from other matches than `controller` go back to where they were. */
static json_t *peer_json(const struct conf_node *peer_node, const struct policy_peer *p)
{
	static const struct { const char *prefix, *key; } kinds[] = { { "manufacturer-", "manufacturer" }, { "model-", "model" } };
	switch (p->kind) {
	case POLICY_PEER_LOCAL: return json_pack("{s:[n]}", "local-networks");
	case POLICY_PEER_MAKER: return json_pack("{s:[n]}", "same-manufacturer");
	case POLICY_PEER_ROLE: break;
	default: return NULL;
	}
	if (span_eq(p->name, span_str("my-controller")))
		return json_pack("{s:[n]}", "my-controller");
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(kinds[i].prefix);
		if (conf_get(peer_node, "role_uri") && p->name.n > n && !memcmp(p->name.p, kinds[i].prefix, n))
			return json_pack("{s:o}", kinds[i].key, uri_of(peer_node, p));
	}
	return json_pack("{s:o}", "controller", uri_of(peer_node, p));
}

static void put_entry(struct writer *w, const struct entry *e, const struct conf_node *peer_node, bool from, bool v6)
{
	char name[sizeof(e->name) + 8];
	json_t *matches = json_object(), *ip = json_object(), *mud = peer_json(peer_node, e->peer);
	const char *network = from ? v6 ? "destination-ipv6-network" : "destination-ipv4-network"
				   : v6 ? "source-ipv6-network" : "source-ipv4-network";
	if (mud)
		(void)json_object_set_new(matches, "ietf-mud:mud", mud);
	(void)json_object_set_new(ip, "protocol", json_integer((json_int_t)(e->protocol == 1 && v6 ? 58 : e->protocol)));
	if (e->peer->kind == POLICY_PEER_NAME)
		(void)json_object_set_new(ip, from ? "ietf-acldns:dst-dnsname" : "ietf-acldns:src-dnsname", string(e->peer->name));
	if (e->peer->kind == POLICY_PEER_PREFIX) {
		char address[ADDR_STRLEN], prefix[ADDR_STRLEN + 4];
		(void)snprintf(prefix, sizeof(prefix), "%s/%u", addr_str(&e->peer->prefix.ip, address),
			e->peer->prefix.bits - (v6 ? 0u : 96u));
		(void)json_object_set_new(ip, network, word(prefix));
	}
	(void)json_object_set_new(matches, v6 ? "ipv6" : "ipv4", ip);
	if (e->protocol == 6 || e->protocol == 17) {
		json_t *layer = json_object();
		/* The device's port is the source of what it sends. */
		bool service_is_device = e->opener == MUD_WORDS_PEER;
		if (e->has_ports)
			(void)json_object_set_new(layer, service_is_device == from ? "source-port" : "destination-port",
				port_json(e->service));
		if (e->has_local)
			(void)json_object_set_new(layer, service_is_device == from ? "destination-port" : "source-port",
				port_json(e->local));
		if (e->protocol == 6)
			(void)json_object_set_new(layer, "ietf-mud:direction-initiated",
						  word(e->opener == MUD_WORDS_PEER ? "to-device" : "from-device"));
		(void)json_object_set_new(matches, e->protocol == 6 ? "tcp" : "udp", layer);
	}
	if (e->tls) {
		(void)json_object_set_new(matches, "ietf-acl-tls:client-profiles", json_deep_copy(e->tls));
		w->tls = true;
	}
	(void)snprintf(name, sizeof(name), "%s%s", e->name, from ? "-from" : "-to");
	(void)json_array_append_new(w->lists[!from][v6], json_pack("{s:s, s:o, s:{s:s}}", "name", name, "matches", matches, "actions",
								   "forwarding", "accept"));
}

static void put_both(struct writer *w, const struct entry *e, const struct conf_node *peer_node)
{
	bool prefix = e->peer->kind == POLICY_PEER_PREFIX, v4 = prefix && addr_is_v4(&e->peer->prefix.ip);
	bool one_way = e->row && conf_bool(conf_get(e->row->at.node, "one_way"), false);
	for (int v6 = 0; v6 < 2; v6++) {
		if (prefix && v4 == (v6 == 1))
			continue;
		if (!one_way || e->opener == MUD_WORDS_DEVICE)
			put_entry(w, e, peer_node, true, v6);
		if (!one_way || e->opener == MUD_WORDS_PEER)
			put_entry(w, e, peer_node, false, v6);
	}
}

/* ---- TLS (RFC 9761) ---- */

/* A tree of ours as JSON. What looks like a number or a truth is one: it came from there. */
static json_t *json_of(const struct conf_node *n)
{
	if (conf_is_map(n)) {
		json_t *o = json_object();
		for (size_t i = 0; i < conf_count(n); i++) {
			struct span k = conf_key_at(n, i);
			char key[256];
			(void)snprintf(key, sizeof(key), "%.*s", (int)k.n, (const char *)k.p);
			(void)json_object_set_new(o, key, json_of(conf_at(n, i)));
		}
		return o;
	}
	if (conf_is_list(n)) {
		json_t *a = json_array();
		for (size_t i = 0; i < conf_count(n); i++)
			(void)json_array_append_new(a, json_of(conf_at(n, i)));
		return a;
	}
	struct span s = conf_text(n, "");
	bool digits = s.n > 0 && s.n < 10;
	for (size_t i = 0; i < s.n; i++)
		digits = digits && s.p[i] >= '0' && s.p[i] <= '9';
	if (digits)
		return json_integer((json_int_t)conf_uint(n, 0));
	if (span_eq(s, span_str("true")) || span_eq(s, span_str("false")))
		return json_boolean(s.p[0] == 't');
	return string(s);
}

/* The profile of a row: as it was imported, or the versions from the least on. NULL: none. */
static json_t *tls_of(struct writer *w, const struct policy_model_row *r, struct span id)
{
	const struct conf_node *n = r->at.node, *tls = conf_get(conf_get(n, "encryption"), "tls");
	const struct conf_node *app = conf_get(conf_get(n, "app"), "tls");
	const struct conf_node *profiles = conf_get(tls, "profiles") ? conf_get(tls, "profiles") : conf_get(app, "profiles");
	if (profiles)
		return json_of(profiles);
	if (r->tls == POLICY_TLS_NO)
		return NULL;
	/* A profile is what the device as a client offers; of what it serves MUD can say nothing. */
	if (!r->out || r->transport != OBSERVATION_TCP || r->tls == POLICY_TLS_OPTIONAL || r->tls_min < POLICY_TLS_1_2) {
		lose(w, id, r->tls == POLICY_TLS_OPTIONAL ? "encryption: optional" : !r->out ? "encryption (of what the device serves)"
			    : r->tls_min ? "encryption: a version below TLS 1.2" : "encryption (no version is declared)");
		return NULL;
	}
	json_t *versions = json_array();
	if (r->tls_min <= POLICY_TLS_1_2)
		(void)json_array_append_new(versions, word("tls12"));
	(void)json_array_append_new(versions, word("tls13"));
	return json_pack("{s:[{s:o, s:o}]}", "tls-dtls-profile", "name", string(id), "supported-tls-version", versions);
}

/* ---- what is lost ---- */

static void lose_row(struct writer *w, const struct policy_model_row *r)
{
	static const char *const keys[] = { "function", "required", "data_flow", "authentication", "phi", "max_peers", "limits",
		"schedule",
					    "responsibility", "provenance", "conflicts", "note", "extensions" };
	static const char *const apps[] = { "dicom", "hl7", "http", "smb", "dns", "vendor" };
	char what[POLICY_KEYS_NAME + 32];
	const struct conf_node *n = r->at.node, *app = conf_get(n, "app");
	struct span protocol = conf_text(conf_get(app, "protocol"), "");
	if (r->optional || r->disabled)
		lose(w, r->id, "default_state: a MUD file allows it always");
	if (protocol.n && !span_eq(protocol, span_str("tls"))) {
		(void)snprintf(what, sizeof(what), "app.protocol: %.*s", (int)protocol.n, (const char *)protocol.p);
		lose(w, r->id, what);
	}
	for (size_t i = 0; i < sizeof(apps) / sizeof(apps[0]); i++)
		if (conf_get(app, apps[i])) {
			(void)snprintf(what, sizeof(what), "app.%s", apps[i]);
			lose(w, r->id, what);
		}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (conf_get(n, keys[i]))
			lose(w, r->id, keys[i]);
	for (size_t i = 0; i < conf_count(conf_get(n, "peers")); i++)
		if (conf_get(conf_at(conf_get(n, "peers"), i), "max"))
			lose(w, r->id, "peers.max");
	const struct conf_node *ports = conf_get(n, "port");
	for (size_t i = 0; i < conf_count(ports); i++)
		if (conf_get(conf_at(ports, i), "configurable") || conf_get(conf_at(ports, i), "typical")) {
			lose(w, r->id, "port.configurable");
			break;
		}
	lose(w, r->id, "sources, row: where it stands");
}

static void lose_type(struct writer *w)
{
	static const char *const keys[] = { "clinical.impact", "intended_environment", "lifecycle", "claims", "remote_service",
		"updates", "backup",
					    "logging", "hardening", "interfaces", "mds2", "mds_jahis", "compensating_controls",
					"sbom", "advisories",
					    "conflicts", "signature", "note", "deny" };
	const struct conf_node *form = w->t->form;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *dot = strchr(keys[i], '.');
		if (dot ? conf_get(conf_get(form, "clinical"), dot + 1) != NULL : conf_count(conf_get(form, keys[i])) > 0)
			lose(w, (struct span){ 0 }, keys[i]);
	}
	const struct conf_node *rest = conf_get(form, "extensions");
	if (conf_count(rest) > (conf_get(rest, "mud") ? 1u : 0u))
		lose(w, (struct span){ 0 }, "extensions");
	if (w->t->complete != POLICY_COMPLETE_EXHAUSTIVE)
		lose(w, (struct span){ 0 }, "port_list.completeness: a MUD file allows nothing else");
	if (w->t->psirt.n)
		lose(w, (struct span){ 0 }, "manufacturer.contacts");
	lose(w, (struct span){ 0 }, "sources: documents and revisions");
}

/* ---- rows ---- */

static void put_ports_of(struct writer *w, struct entry *e, const struct conf_node *peer_node,
	const struct conf_port_range *local, size_t n_local)
{
	const struct policy_model_row *r = e->row;
	size_t base = strlen(e->name);
	for (size_t i = 0; i < r->n_ports; i++) {
		e->service = r->ports[i];
		e->has_ports = r->transport != OBSERVATION_ICMP && !(e->service.lo <= 1 && e->service.hi == 65535);
		if (i)
			(void)snprintf(e->name + base, sizeof(e->name) - base, "-%u", e->service.lo);
		e->has_local = n_local > 0;
		for (size_t k = 0; k < (n_local ? n_local : 1); k++) {
			if (n_local)
				e->local = local[k];
			put_both(w, e, peer_node);
		}
	}
}

static void put_row(struct writer *w, const struct policy_model_row *r)
{
	struct conf_port_range local[CONF_MAX_PORTS];
	size_t n_local = 0;
	if (r->transport == OBSERVATION_OTHER) {
		lose(w, r->id, "the row: a transport that access lists of MUD do not carry");
		return;
	}
	const struct conf_node *peers = conf_get(r->at.node, "peers"), *list = conf_get(r->at.node, "local_port");
	for (size_t i = 0; i < conf_count(list) && n_local + POLICY_MODEL_MAX_PORTS < CONF_MAX_PORTS; i++) {
		const struct conf_node *p = conf_at(list, i), *v = conf_get(p, "value");
		n_local += conf_ports(v ? v : conf_get(p, "range"), local + n_local, POLICY_MODEL_MAX_PORTS);
	}
	/* All ports above the reserved ones say nothing. */
	if (n_local == 1 && local[0].lo <= 1024 && local[0].hi == 65535)
		n_local = 0;
	json_t *tls = tls_of(w, r, r->id);
	for (size_t i = 0; i < r->peers.n; i++) {
		struct entry e = { .row = r, .peer = &r->peers.v[i], .tls = tls,
				   .protocol = r->transport == OBSERVATION_UDP ? 17 : r->transport == OBSERVATION_ICMP ? 1 : 6 };
		for (int side = 0; side < 2; side++) {
			if (side ? !r->in : !r->out)
				continue;
			e.opener = side ? MUD_WORDS_PEER : MUD_WORDS_DEVICE;
			(void)snprintf(e.name, sizeof(e.name), i ? "%.*s-%zu" : "%.*s", (int)r->id.n, (const char *)r->id.p, i + 1);
			put_ports_of(w, &e, conf_at(peers, i), local, n_local);
		}
	}
	json_decref(tls);
	lose_row(w, r);
}

/* The built-in sets as what they stand for. */
static void put_infrastructure(struct writer *w)
{
	static const struct { const char *name, *role; unsigned protocol; uint16_t port; enum mud_words_opener opener; } sets[] = {
		{ "icmp-echo-reply", NULL, 1, 0, MUD_WORDS_PEER },   { "dhcp-client", "dhcp", 17, 67, MUD_WORDS_DEVICE },
		{ "dns-client", "dns", 17, 53, MUD_WORDS_DEVICE },   { "dns-client", "dns", 6, 53, MUD_WORDS_DEVICE },
		{ "ntp-client", "ntp", 17, 123, MUD_WORDS_DEVICE },
	};
	for (size_t i = 0; i < w->t->infrastructure.n; i++) {
		struct span name = conf_text(w->t->infrastructure.v[i].node, "");
		bool said = false;
		for (size_t k = 0; k < sizeof(sets) / sizeof(sets[0]); k++) {
			if (!span_eq(name, span_str(sets[k].name)))
				continue;
			struct policy_peer peer = { .kind = sets[k].role ? POLICY_PEER_ROLE : POLICY_PEER_ANY,
						    .name = span_str(sets[k].role ? sets[k].role : "") };
			struct entry e = { .peer = &peer, .opener = sets[k].opener, .protocol = sets[k].protocol,
					   .service = { sets[k].port, sets[k].port }, .has_ports = sets[k].port != 0 };
			(void)snprintf(e.name, sizeof(e.name), "%s-%u", sets[k].name, sets[k].protocol);
			put_both(w, &e, NULL);
			said = true;
		}
		lose(w, (struct span){ 0 }, said ? "infrastructure: by name (its ports are written)"
			: "infrastructure: arp and nd (below IP)");
	}
}

/* ---- the whole ---- */

static json_t *policy_json(struct writer *w, unsigned to)
{
	json_t *names = json_array();
	for (unsigned v6 = 0; v6 < 2; v6++)
		if (json_array_size(w->lists[to][v6]))
			(void)json_array_append_new(names, json_pack("{s:s}", "name", list_names[to][v6]));
	return json_pack("{s:{s:o}}", "access-lists", "access-list", names);
}

static void put_text(json_t *o, const char *key, struct span s)
{
	if (s.n)
		(void)json_object_set_new(o, key, string(s));
}

static void put_software(json_t *mud, const struct conf_node *model)
{
	const struct conf_node *list = conf_get(model, "software");
	for (size_t i = 0; i < conf_count(list); i++) {
		struct span name = conf_text(conf_get(conf_at(list, i), "name"), ""), v = conf_text(conf_get(conf_at(list, i),
			"versions"), "");
		const char *key = span_eq(name, span_str("firmware")) ? "firmware-rev" : "software-rev";
		if (v.n && !json_object_get(mud, key))
			(void)json_object_set_new(mud, key, string(v));
	}
}

static json_t *head(struct writer *w, const char *url, uint64_t now_ns)
{
	char now[CLOCK_STRLEN];
	const struct policy_model_type *t = w->t;
	struct span info = conf_text(conf_get(conf_get(t->form, "clinical"), "function"), "");
	json_t *mud = json_pack("{s:i, s:s, s:s, s:i, s:b}", "mud-version", 1, "mud-url", url, "last-update", "",
		"cache-validity", CACHE_HOURS,
				"is-supported", !t->eos.at_ns || t->eos.at_ns > now_ns);
	(void)clock_str(now_ns, now);
	(void)snprintf(now + 19, sizeof(now) - 19, "Z");
	(void)json_object_set_new(mud, "last-update", word(now));
	if (info.n > INFO_MAX) {
		for (info.n = INFO_MAX; info.n && (info.p[info.n] & 0xc0) == 0x80;)
			info.n--;
		lose(w, (struct span){ 0 }, "clinical.function: cut to 60 bytes");
	}
	/* What the reader had no place for goes back to where it was. */
	const struct conf_node *rest = conf_get(conf_get(t->form, "extensions"), "mud");
	for (size_t i = 0; i < conf_count(rest); i++) {
		struct span k = conf_key_at(rest, i);
		char key[128];
		(void)snprintf(key, sizeof(key), "%.*s", (int)k.n, (const char *)k.p);
		if (k.n < sizeof(key) && strcmp(key, "is-supported") && strcmp(key, "extensions"))
			(void)json_object_set_new(mud, key, json_of(conf_at(rest, i)));
	}
	put_text(mud, "systeminfo", info);
	put_text(mud, "mfg-name", t->maker);
	put_text(mud, "model-name", t->model);
	put_software(mud, conf_get(t->form, "model"));
	put_text(mud, "documentation", conf_text(conf_get(conf_get(conf_get(t->form, "documents"), "documentation"), "url"), ""));
	return mud;
}

static struct span own_url(const struct policy_model_type *t)
{
	struct span s = conf_text(conf_get(conf_get(conf_get(t->form, "identify"), "dhcp"), "mud_url"), "");
	const struct conf_node *sources = conf_get(t->form, "sources");
	for (size_t i = 0; i < conf_count(sources) && !s.n; i++)
		if (span_eq(conf_text(conf_get(conf_at(sources, i), "type"), ""), span_str("mud")))
			s = conf_text(conf_get(conf_at(sources, i), "url"), "");
	return s;
}

int mud_write(const struct policy_model_type *t, const char *url, uint64_t now_ns, FILE *to, mud_note *lost, void *arg)
{
	struct writer w = { .t = t, .lost = lost, .arg = arg };
	struct span own = own_url(t);
	char *copy = url ? strdup(url) : own.n ? strndup((const char *)own.p, own.n) : NULL;
	if (!copy)
		return url || own.n ? -ENOMEM : -EINVAL;
	for (int i = 0; i < 4; i++)
		w.lists[i / 2][i % 2] = json_array();
	lose_type(&w);
	for (size_t i = 0; i < t->rows.n; i++)
		put_row(&w, &t->rows.v[i]);
	put_infrastructure(&w);
	json_t *mud = head(&w, copy, now_ns), *lists = json_array();
	if (w.tls) {
		(void)json_object_set_new(mud, "extensions", json_pack("[s]", "ietf-mud-tls"));
		(void)json_object_set_new(mud, "ietf-mud-tls:is-tls-dtls-profile-supported", json_true());
	}
	(void)json_object_set_new(mud, "from-device-policy", policy_json(&w, 0));
	(void)json_object_set_new(mud, "to-device-policy", policy_json(&w, 1));
	for (int i = 0; i < 4; i++) {
		json_t *entries = w.lists[i / 2][i % 2];
		if (json_array_size(entries))
			(void)json_array_append_new(lists, json_pack("{s:s, s:s, s:{s:O}}", "name", list_names[i / 2][i % 2], "type",
								     i % 2 ? "ipv6-acl-type" : "ipv4-acl-type", "aces", "ace",
									entries));
		json_decref(entries);
	}
	json_t *root = json_pack("{s:o, s:{s:o}}", "ietf-mud:mud", mud, "ietf-access-control-list:acls", "acl", lists);
	int r = !root ? -ENOMEM : json_dumpf(root, to, JSON_INDENT(2)) || fputc('\n', to) == EOF ? -EIO : 0;
	json_decref(root);
	free(copy);
	return r;
}
