/* The site: which addresses play which role, zones, windows, scanners, and what the hospital forbids. */
#include <errno.h>
#include <string.h>

#include "core/err.h"
#include "rules/policy_model.h"

enum { MAX_NAME = 64 };

static const struct conf_key name_item[] = { { .name = "name", .kind = CONF_TEXT, .min = 1, .max = MAX_NAME }, { 0 } };
static const struct conf_key title_item[] = {
	{ .name = "AE title", .kind = CONF_TEXT, .min = 1, .max = POLICY_TABLE_AE }, { 0 }
};
static const struct conf_key titles_or_one[] = {
	{ .name = "one", .kind = CONF_TEXT, .min = 1, .max = POLICY_TABLE_AE },
	{ .name = "list", .kind = CONF_LIST, .keys = title_item },
	{ 0 }
};
static const struct conf_key prefix_item[] = { { .name = "prefix", .kind = CONF_PREFIX }, { 0 } };
static const struct conf_key prefixes_or_one[] = {
	{ .name = "one", .kind = CONF_PREFIX }, { .name = "list", .kind = CONF_LIST, .keys = prefix_item }, { 0 }
};
static const struct conf_key vlan_item[] = { { .name = "vlan", .kind = CONF_UINT, .min = 1, .max = 4094 }, { 0 } };
static const struct conf_key vlans_or_one[] = {
	{ .name = "one", .kind = CONF_UINT, .min = 1, .max = 4094 },
	{ .name = "list", .kind = CONF_LIST, .keys = vlan_item },
	{ 0 }
};

static const struct conf_key zone[] = {
	{ .name = "cidr", .kind = CONF_ONE_OF, .keys = prefixes_or_one },
	{ .name = "vlan", .kind = CONF_ONE_OF, .keys = vlans_or_one },
	{ .name = "internet", .kind = CONF_TRI, .doc = "no: where a device's documents are silent, none of it" },
	{ .name = "note", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key zone_item[] = { { .name = "zone", .kind = CONF_MAP, .keys = zone }, { 0 } };

static const struct conf_key hl7[] = {
	{ .name = "app", .kind = CONF_TEXT, .max = MAX_NAME }, { .name = "facility", .kind = CONF_TEXT, .max = MAX_NAME }, { 0 }
};
static const struct conf_key address[] = {
	{ .name = "ip", .kind = CONF_ADDR }, { .name = "cidr", .kind = CONF_PREFIX },
	{ .name = "ae_title", .kind = CONF_ONE_OF, .keys = titles_or_one },
	{ .name = "hl7", .kind = CONF_MAP, .keys = hl7 },
	{ .name = "name", .kind = CONF_TEXT }, { .name = "note", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key address_item[] = { { .name = "address", .kind = CONF_MAP, .keys = address }, { 0 } };
static const struct conf_key role_item[] = {
	{ .name = "role", .kind = CONF_LIST, .keys = address_item }, { 0 }
};

static const char *const window_kinds[] = { "maintenance", "exercise", NULL };
static const struct conf_key window[] = {
	{ .name = "device", .kind = CONF_TEXT, .min = 1, .max = MAX_NAME },
	{ .name = "from", .kind = CONF_DATE, .required = true, .min = 1 },
	{ .name = "to", .kind = CONF_DATE, .required = true, .min = 1 },
	{ .name = "ticket", .kind = CONF_TEXT, .max = MAX_NAME }, { .name = "by", .kind = CONF_TEXT, .max = MAX_NAME },
	{ .name = "kind", .kind = CONF_WORD, .words = window_kinds, .doc = "exercise: a scan or an intrusion test" },
	{ .name = "note", .kind = CONF_TEXT },
	{ .name = "roles", .kind = CONF_LIST, .keys = name_item, .doc = "who comes in; absent: whoever" },
	{ 0 }
};
static const struct conf_key window_item[] = { { .name = "window", .kind = CONF_MAP, .keys = window }, { 0 } };

static const struct conf_key scanner[] = {
	{ .name = "ip", .kind = CONF_ADDR }, { .name = "cidr", .kind = CONF_PREFIX },
	{ .name = "windows", .kind = CONF_LIST, .keys = name_item }, { .name = "note", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key scanner_item[] = { { .name = "scanner", .kind = CONF_MAP, .keys = scanner }, { 0 } };

static const struct conf_key forbid[] = {
	{ .name = "id", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_NAME },
	{ .name = "from", .kind = CONF_TEXT, .min = 1, .max = MAX_NAME + 8 },
	{ .name = "to", .kind = CONF_TEXT, .min = 1, .max = MAX_NAME + 8 },
	{ .name = "tcp", .kind = CONF_PORTS }, { .name = "udp", .kind = CONF_PORTS },
	{ .name = "ports", .kind = CONF_PORTS, .doc = "of TCP and UDP; no ports at all: every transport" },
	{ .name = "text", .kind = CONF_TEXT, .required = true, .min = 1, .max = 256, .doc = "the rule in the site's words" },
	{ 0 }
};
static const struct conf_key forbid_item[] = { { .name = "rule", .kind = CONF_MAP, .keys = forbid }, { 0 } };

static const char *const kinds[] = { "site", NULL };
const struct conf_key policy_site_keys[] = {
	{ .name = "format", .kind = CONF_TEXT, .doc = "spanward/1" },
	{ .name = "schema", .kind = CONF_TEXT, .doc = "older name of format" },
	{ .name = "kind", .kind = CONF_WORD, .required = true, .words = kinds },
	{ .name = "revision", .kind = CONF_TEXT, .max = 32 },
	{ .name = "zones", .kind = CONF_MAP_OF, .keys = zone_item },
	{ .name = "local_networks", .kind = CONF_LIST, .keys = prefix_item },
	{ .name = "utc_offset", .kind = CONF_TEXT, .min = 6, .max = 6, .doc = "of the site's clocks: \"+09:00\"" },
	{ .name = "roles", .kind = CONF_MAP_OF, .keys = role_item },
	{ .name = "windows", .kind = CONF_MAP_OF, .keys = window_item },
	{ .name = "scanners", .kind = CONF_LIST, .keys = scanner_item },
	{ .name = "forbid", .kind = CONF_LIST, .keys = forbid_item },
	{ .name = "note", .kind = CONF_TEXT, .max = 4096 },
	{ .name = "extensions", .kind = CONF_ANY },
	{ 0 }
};

struct reader {
	struct policy_model *m;
	const struct conf_doc *doc;
	const char *file;
	struct conf_report *rep;
	int result;
};

#define SHOW(s) (int)((s).n > 64 ? 64 : (s).n), (const char *)(s).p
#define FAULT(r, node, ...)                                                \
	do {                                                               \
		conf_fault((r)->doc, (node), (r)->rep, __VA_ARGS__);       \
		(r)->result = ERR_CONFIG;                                  \
	} while (0)

static struct policy_place place(const struct reader *r, const struct conf_node *n)
{
	return (struct policy_place){ .doc = r->doc, .node = n, .file = r->file };
}

/* A node that may be a list, as if it always were one. */
static size_t many(const struct conf_node *n) { return !n ? 0 : conf_is_list(n) ? conf_count(n) : 1; }
static const struct conf_node *nth(const struct conf_node *n, size_t i) { return conf_is_list(n) ? conf_at(n, i) : n; }

static void read_zone(struct reader *r, struct span name, const struct conf_node *n)
{
	struct policy_model_zone *z = POLICY_MODEL_ADD(&r->m->zones);
	if (!z) {
		r->result = -ENOMEM;
		return;
	}
	z->name = name;
	z->at = place(r, n);
	z->internet = conf_tri(conf_get(n, "internet"));
	if (name.n > MAX_NAME)
		FAULT(r, n, "the name of a zone has at most %d bytes", MAX_NAME);
	const struct conf_node *cidr = conf_get(n, "cidr"), *vlan = conf_get(n, "vlan");
	if (!cidr && !vlan)
		FAULT(r, n, "zone %.*s has neither cidr nor vlan", SHOW(name));
	for (size_t i = 0; i < many(cidr); i++) {
		struct prefix *p = POLICY_MODEL_ADD(&z->prefixes);
		if (!p)
			r->result = -ENOMEM;
		else
			(void)conf_prefix(nth(cidr, i), p);
	}
	for (size_t i = 0; i < many(vlan); i++) {
		uint16_t v = (uint16_t)conf_uint(nth(vlan, i), 0), *slot = POLICY_MODEL_ADD(&z->vlans);
		if (!slot) {
			r->result = -ENOMEM;
			return;
		}
		*slot = v;
		for (size_t k = 0; k + 1 < r->m->zones.n; k++)
			for (size_t l = 0; l < r->m->zones.v[k].vlans.n; l++)
				if (r->m->zones.v[k].vlans.v[l] == v)
					FAULT(r, nth(vlan, i), "VLAN %u belongs to zone %.*s already", v,
					      SHOW(r->m->zones.v[k].name));
	}
}

static bool read_address(struct reader *r, struct policy_model_role *role, const struct conf_node *n)
{
	struct policy_model_address *a = POLICY_MODEL_ADD(&role->addresses);
	const struct conf_node *ip = conf_get(n, "ip"), *cidr = conf_get(n, "cidr"), *ae = conf_get(n, "ae_title");
	if (!a) {
		r->result = -ENOMEM;
		return false;
	}
	a->at = place(r, n);
	if (!ip == !cidr)
		FAULT(r, n, "an address is either ip or cidr");
	if (ip) {
		(void)conf_addr(ip, &a->prefix.ip);
		a->prefix.bits = 128;
	} else if (cidr) {
		(void)conf_prefix(cidr, &a->prefix);
	}
	for (size_t i = 0; i < many(ae); i++) {
		struct span *t = POLICY_MODEL_ADD(&a->titles);
		if (!t)
			r->result = -ENOMEM;
		else
			*t = conf_text(nth(ae, i), "");
	}
	return true;
}

static struct policy_model_role *add_role(struct reader *r, struct span name, const struct conf_node *at)
{
	for (size_t i = 0; i < r->m->roles.n; i++)
		if (span_eq(r->m->roles.v[i].name, name))
			return &r->m->roles.v[i];
	struct policy_model_role *role = POLICY_MODEL_ADD(&r->m->roles);
	if (!role) {
		r->result = -ENOMEM;
		return NULL;
	}
	role->name = name;
	role->at = place(r, at);
	return role;
}

static void read_role(struct reader *r, struct span name, const struct conf_node *n)
{
	static const char *const taken[] = { "any", "local", "local_networks", "same_manufacturer", "internet" };
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (span_eq(name, span_str(taken[i])))
			FAULT(r, n, "%s cannot be the name of a role: it means something of its own", taken[i]);
	struct prefix p;
	if (name.n > MAX_NAME || !name.n || memchr(name.p, '.', name.n) || !addr_parse_prefix(name, &p))
		FAULT(r, n, "the name of a role has at most %d bytes, no dot, and is no address", MAX_NAME);
	struct policy_model_role *role = add_role(r, name, n);
	if (!role)
		return;
	if (!conf_count(n))
		FAULT(r, n, "role %.*s has no address", SHOW(name));
	for (size_t i = 0; i < conf_count(n); i++)
		if (!read_address(r, role, conf_at(n, i)))
			return;
}

static void read_windows(struct reader *r, const struct conf_node *windows)
{
	for (size_t i = 0; i < conf_count(windows); i++) {
		const struct conf_node *n = conf_at(windows, i), *device = conf_get(n, "device"), *roles = conf_get(n, "roles");
		struct policy_model_window *w = POLICY_MODEL_ADD(&r->m->windows);
		if (!w) {
			r->result = -ENOMEM;
			return;
		}
		w->name = conf_key_at(windows, i);
		w->at = place(r, n);
		w->device = (struct policy_name){ conf_text(device, ""), place(r, device) };
		w->ticket = conf_text(conf_get(n, "ticket"), "");
		w->exercise = conf_word(conf_get(n, "kind"), window_kinds, 0) == 1;
		w->from_ns = conf_date_ns(conf_get(n, "from"), 0);
		w->to_ns = conf_date_ns(conf_get(n, "to"), 0);
		if (w->to_ns <= w->from_ns)
			FAULT(r, conf_get(n, "to"), "window %.*s ends before it begins", SHOW(w->name));
		for (size_t k = 0; k < conf_count(roles); k++) {
			struct policy_name *slot = POLICY_MODEL_ADD(&w->roles);
			if (!slot)
				r->result = -ENOMEM;
			else
				*slot = (struct policy_name){ conf_text(conf_at(roles, k), ""), place(r, conf_at(roles, k)) };
		}
	}
}

int policy_site_read_windows(struct policy_model *m, const struct conf_doc *doc, const char *file, const struct conf_node *windows,
			     struct conf_report *rep)
{
	struct reader r = { .m = m, .doc = doc, .file = file, .rep = rep };
	read_windows(&r, windows);
	return r.result;
}

static void read_scanners(struct reader *r, const struct conf_node *scanners)
{
	for (size_t i = 0; i < conf_count(scanners); i++) {
		const struct conf_node *n = conf_at(scanners, i), *windows = conf_get(n, "windows");
		/* A scanner is a host of the hospital's own: known, with a role of that name. */
		struct policy_model_role *role = add_role(r, span_str("scanner"), n);
		if (!role || !read_address(r, role, n))
			return;
		for (size_t k = 0; k < conf_count(windows); k++) {
			struct policy_name *slot = POLICY_MODEL_ADD(&r->m->scanner_windows);
			if (!slot)
				r->result = -ENOMEM;
			else
				*slot = (struct policy_name){ conf_text(conf_at(windows, k), ""), place(r, conf_at(windows, k)) };
		}
	}
}

static void add_forbid(struct reader *r, const struct conf_node *n, uint8_t transport, const struct conf_node *ports)
{
	const struct conf_node *from = conf_get(n, "from"), *to = conf_get(n, "to");
	struct policy_model_forbid *f = POLICY_MODEL_ADD(&r->m->forbids);
	if (!f) {
		r->result = -ENOMEM;
		return;
	}
	f->id = conf_text(conf_get(n, "id"), "");
	f->text = conf_text(conf_get(n, "text"), "");
	f->at = place(r, n);
	f->from = (struct policy_name){ conf_text(from, ""), place(r, from ? from : n) };
	f->to = (struct policy_name){ conf_text(to, ""), place(r, to ? to : n) };
	f->transport = transport;
	if (ports)
		f->n_ports = conf_ports(ports, f->ports, POLICY_MODEL_MAX_PORTS);
}

static void read_forbids(struct reader *r, const struct conf_node *list)
{
	for (size_t i = 0; i < conf_count(list); i++) {
		const struct conf_node *n = conf_at(list, i);
		struct span id = conf_text(conf_get(n, "id"), "");
		for (size_t k = 0; k < i; k++)
			if (span_eq(conf_text(conf_get(conf_at(list, k), "id"), ""), id)) {
				FAULT(r, n, "a rule with the id %.*s stands at line %u already", SHOW(id),
				      conf_line(conf_at(list, k)));
				break;
			}
		if (!conf_get(n, "from") && !conf_get(n, "to"))
			FAULT(r, n, "rule %.*s says neither from nor to: it would forbid everything", SHOW(id));
		const struct conf_node *tcp = conf_get(n, "tcp"), *udp = conf_get(n, "udp"), *both = conf_get(n, "ports");
		if (tcp || both)
			add_forbid(r, n, OBSERVATION_TCP, tcp ? tcp : both);
		if (tcp && both)
			add_forbid(r, n, OBSERVATION_TCP, both);
		if (udp || both)
			add_forbid(r, n, OBSERVATION_UDP, udp ? udp : both);
		if (udp && both)
			add_forbid(r, n, OBSERVATION_UDP, both);
		if (!tcp && !udp && !both)
			add_forbid(r, n, POLICY_TABLE_ANY_TRANSPORT, NULL);
	}
}

/* "+09:00": hours and minutes before UTC. */
static void read_offset(struct reader *r, const struct conf_node *n)
{
	struct span s = conf_text(n, "");
	if (!n)
		return;
	bool ok = s.n == 6 && (s.p[0] == '+' || s.p[0] == '-') && s.p[3] == ':';
	for (size_t i = 1; i < 6 && ok; i++)
		ok = i == 3 || (s.p[i] >= '0' && s.p[i] <= '9');
	int h = ok ? (s.p[1] - '0') * 10 + s.p[2] - '0' : 99, m = ok ? (s.p[4] - '0') * 10 + s.p[5] - '0' : 99;
	if (h > 14 || m > 59)
		FAULT(r, n, "expected hours and minutes from UTC, as in \"+09:00\"");
	else
		r->m->utc_offset_min = (s.p[0] == '-' ? -1 : 1) * (h * 60 + m), r->m->has_utc_offset = true;
}

int policy_site_read(struct policy_model *m, const struct conf_doc *doc, const char *file, struct conf_report *rep)
{
	struct reader r = { .m = m, .doc = doc, .file = file, .rep = rep };
	const struct conf_node *root = conf_root(doc);
	if (policy_types_refuse_seen(doc, rep) || conf_check(doc, root, policy_site_keys, rep))
		return ERR_CONFIG;
	r.result = policy_types_check_format(doc, rep);
	m->has_site = true;
	m->site_revision = conf_text(conf_get(root, "revision"), "");
	read_offset(&r, conf_get(root, "utc_offset"));
	const struct conf_node *zones = conf_get(root, "zones"), *roles = conf_get(root, "roles");
	const struct conf_node *locals = conf_get(root, "local_networks");
	for (size_t i = 0; i < conf_count(zones); i++)
		read_zone(&r, conf_key_at(zones, i), conf_at(zones, i));
	for (size_t i = 0; i < conf_count(locals); i++) {
		struct prefix *p = POLICY_MODEL_ADD(&m->locals);
		if (!p)
			return -ENOMEM;
		(void)conf_prefix(conf_at(locals, i), p);
	}
	for (size_t i = 0; i < conf_count(roles); i++)
		read_role(&r, conf_key_at(roles, i), conf_at(roles, i));
	read_scanners(&r, conf_get(root, "scanners"));
	read_windows(&r, conf_get(root, "windows"));
	read_forbids(&r, conf_get(root, "forbid"));
	if (m->roles.n > POLICY_TABLE_MAX_ROLES)
		FAULT(&r, roles ? roles : root, "a site has at most %d roles", POLICY_TABLE_MAX_ROLES);
	return r.result;
}
