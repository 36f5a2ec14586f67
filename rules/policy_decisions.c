/* decisions.yaml: what people decided with `spanward device`, `window` and `accept`. Machine-written, so that the files which people
 * write keep every byte; laid over what those say. */
#include <errno.h>
#include <string.h>

#include "core/err.h"
#include "rules/policy_model.h"
#include "rules/rule.h"

#define SHOW(s) (int)((s).n > 64 ? 64 : (s).n), (const char *)(s).p
#define NAME(key) { .name = key, .kind = CONF_TEXT, .min = 1, .max = POLICY_KEYS_NAME }
/* Who decided, when and why; for people and the journal. */
#define DECIDED \
	{ .name = "at", .kind = CONF_DATE }, { .name = "who", .kind = CONF_TEXT, .max = POLICY_KEYS_LABEL }, \
	{ .name = "reason", .kind = CONF_TEXT, .max = 1024 }

static const char *const modes[] = { "alert", "report", "learn", NULL };
static const char *const transports[] = { "tcp", "udp", "icmp", "other", NULL };
static const struct conf_key role_item[] = { NAME("name"), { 0 } };
static const struct conf_key window[] = {
	NAME("device"),
	{ .name = "from", .kind = CONF_DATE, .required = true, .min = 1 }, { .name = "to", .kind = CONF_DATE, .required = true, .min = 1 },
	{ .name = "ticket", .kind = CONF_TEXT, .max = POLICY_KEYS_NAME }, { .name = "by", .kind = CONF_TEXT, .max = POLICY_KEYS_NAME },
	{ .name = "roles", .kind = CONF_LIST, .keys = role_item, .doc = "who comes in; absent: whoever" },
	DECIDED, { 0 }
};
static const struct conf_key swap[] = {
	{ .name = "was", .kind = CONF_TEXT, .required = true, .min = 1, .max = POLICY_KEYS_NAME },
	{ .name = "now", .kind = CONF_TEXT, .required = true, .min = 1, .max = POLICY_KEYS_NAME },
	{ .name = "ip", .kind = CONF_ADDR }, { .name = "mac", .kind = CONF_MAC },
	{ .name = "serial", .kind = CONF_TEXT, .max = POLICY_KEYS_LABEL }, NAME("type"),
	DECIDED, { 0 }
};
static const struct conf_key mode[] = {
	{ .name = "mode", .kind = CONF_WORD, .words = modes, .required = true },
	{ .name = "until", .kind = CONF_DATE, .min = 1, .doc = "from then on: alert" },
	DECIDED, { 0 }
};
static const struct conf_key acceptance[] = {
	{ .name = "rule", .kind = CONF_TEXT, .required = true, .min = 1, .max = POLICY_KEYS_NAME },
	{ .name = "device", .kind = CONF_TEXT, .required = true, .min = 1, .max = POLICY_KEYS_NAME }, NAME("peer"),
	{ .name = "transport", .kind = CONF_WORD, .words = transports }, { .name = "port", .kind = CONF_TEXT, .min = 1, .max = 5 },
	{ .name = "reason", .kind = CONF_TEXT, .required = true, .min = 1, .max = 1024 },
	{ .name = "owner", .kind = CONF_TEXT, .required = true, .min = 1, .max = POLICY_KEYS_LABEL, .doc = "who answers for it" },
	{ .name = "from", .kind = CONF_DATE, .required = true, .min = 1 },
	{ .name = "until", .kind = CONF_DATE, .required = true, .min = 1 },
	{ .name = "at", .kind = CONF_DATE }, { .name = "who", .kind = CONF_TEXT, .max = POLICY_KEYS_LABEL },
	{ 0 }
};
static const struct conf_key window_item[] = { { .name = "window", .kind = CONF_MAP, .keys = window }, { 0 } };
static const struct conf_key swap_item[] = { { .name = "swap", .kind = CONF_MAP, .keys = swap }, { 0 } };
static const struct conf_key mode_item[] = { { .name = "mode", .kind = CONF_MAP, .keys = mode }, { 0 } };
static const struct conf_key acceptance_item[] = { { .name = "acceptance", .kind = CONF_MAP, .keys = acceptance }, { 0 } };
static const char *const kinds[] = { "decisions", NULL };
const struct conf_key policy_decisions_keys[] = {
	{ .name = "format", .kind = CONF_TEXT, .doc = "spanward/1" },
	{ .name = "kind", .kind = CONF_WORD, .required = true, .words = kinds },
	{ .name = "swaps", .kind = CONF_MAP_OF, .keys = swap_item, .doc = "one unit stands where another stood" },
	{ .name = "modes", .kind = CONF_MAP_OF, .keys = mode_item, .doc = "by unit" },
	{ .name = "windows", .kind = CONF_MAP_OF, .keys = window_item },
	{ .name = "acceptances", .kind = CONF_MAP_OF, .keys = acceptance_item, .doc = "by alert" },
	{ 0 }
};

static struct policy_place place(const struct conf_doc *doc, const char *file, const struct conf_node *n)
{
	return (struct policy_place){ .doc = doc, .node = n, .file = file };
}

static int read_swap(struct policy_model *m, const struct conf_doc *doc, const char *file, const struct conf_node *n)
{
	struct policy_model_swap *s = POLICY_MODEL_ADD(&m->swaps);
	if (!s)
		return -ENOMEM;
	*s = (struct policy_model_swap){ .was = conf_text(conf_get(n, "was"), ""), .now = conf_text(conf_get(n, "now"), ""),
					 .type = conf_text(conf_get(n, "type"), ""), .at = place(doc, file, n) };
	s->has_ip = conf_addr(conf_get(n, "ip"), &s->ip);
	s->has_mac = conf_mac(conf_get(n, "mac"), &s->mac);
	return 0;
}

static int read_mode(struct policy_model *m, const struct conf_doc *doc, const char *file, struct span device, const struct conf_node *n)
{
	struct policy_model_mode *s = POLICY_MODEL_ADD(&m->modes);
	if (!s)
		return -ENOMEM;
	*s = (struct policy_model_mode){ .device = device, .at = place(doc, file, n), .until_ns = conf_date_ns(conf_get(n, "until"), 0),
					 .mode = (enum policy_mode)conf_word(conf_get(n, "mode"), modes, POLICY_MODE_ALERT) };
	return 0;
}

static int read_acceptance(struct policy_model *m, const struct conf_doc *doc, const char *file, struct span id,
			   const struct conf_node *n, struct conf_report *rep)
{
	struct policy_model_acceptance *a = POLICY_MODEL_ADD(&m->acceptances);
	if (!a)
		return -ENOMEM;
	struct span port = conf_text(conf_get(n, "port"), "");
	unsigned number = 0;
	for (size_t i = 0; i < port.n && number <= 65535; i++)
		number = port.p[i] < '0' || port.p[i] > '9' ? 65536 : number * 10 + (unsigned)(port.p[i] - '0');
	int transport = conf_word(conf_get(n, "transport"), transports, -1);
	*a = (struct policy_model_acceptance){
		.id = id, .at = place(doc, file, n), .rule = conf_text(conf_get(n, "rule"), ""),
		.device = conf_text(conf_get(n, "device"), ""), .peer = conf_text(conf_get(n, "peer"), ""),
		.transport = transport < 0 ? 0xff : (uint8_t)transport, .has_port = port.n != 0,
		.port = (uint16_t)number, .reason = conf_text(conf_get(n, "reason"), ""),
		.owner = conf_text(conf_get(n, "owner"), ""), .from_ns = conf_date_ns(conf_get(n, "from"), 0),
		.until_ns = conf_date_ns(conf_get(n, "until"), 0),
	};
	if (id.n > POLICY_KEYS_NAME)
		conf_fault(doc, n, rep, "the id of an alert has at most %d bytes", POLICY_KEYS_NAME);
	else if (number > 65535)
		conf_fault(doc, conf_get(n, "port"), rep, "a port is a number from 0 to 65535");
	else if (!rule_find(a->rule))
		conf_fault(doc, conf_get(n, "rule"), rep, "there is no rule %.*s", SHOW(a->rule));
	else if (a->until_ns <= a->from_ns)
		conf_fault(doc, conf_get(n, "until"), rep, "the acceptance of %.*s ends before it begins", SHOW(id));
	else
		return 0;
	return ERR_CONFIG;
}

int policy_decisions_read(struct policy_model *m, const struct conf_doc *doc, const char *file, struct conf_report *rep)
{
	const struct conf_node *root = conf_root(doc);
	if (conf_check(doc, root, policy_decisions_keys, rep))
		return ERR_CONFIG;
	int r = policy_types_check_format(doc, rep), one;
	const struct conf_node *swaps = conf_get(root, "swaps"), *by_unit = conf_get(root, "modes");
	const struct conf_node *accepted = conf_get(root, "acceptances");
	for (size_t i = 0; i < conf_count(swaps); i++)
		if ((one = read_swap(m, doc, file, conf_at(swaps, i))))
			return one;
	for (size_t i = 0; i < conf_count(by_unit); i++)
		if ((one = read_mode(m, doc, file, conf_key_at(by_unit, i), conf_at(by_unit, i))))
			return one;
	for (size_t i = 0; i < conf_count(accepted); i++)
		if ((one = read_acceptance(m, doc, file, conf_key_at(accepted, i), conf_at(accepted, i), rep)))
			r = one;
	one = policy_site_read_windows(m, doc, file, conf_get(root, "windows"), rep);
	return one ? one : r;
}

/* ---- laid over the inventory ---- */

static struct policy_model_unit *find(struct policy_model *m, struct span id)
{
	for (size_t i = 0; i < m->units.n; i++)
		if (span_eq(m->units.v[i].id, id))
			return &m->units.v[i];
	return NULL;
}

static void fault_no_unit(const struct policy_model *m, const struct policy_place *at, struct span id, struct conf_report *rep)
{
	char hint[160];
	policy_load_fault(at, rep, "no unit is called %.*s in the inventory%s", SHOW(id),
			  policy_load_hint(id, m->units.n ? &m->units.v[0].id : NULL, m->units.n, sizeof(m->units.v[0]), hint));
}

/* How many addresses of either kind the unit is selected by, and whether that says which of them goes. */
static bool replace_address(struct policy_model_unit *u, const struct policy_model_swap *s, struct conf_report *rep, bool mac)
{
	size_t n = 0;
	for (size_t i = 0; i < u->selects.n; i++)
		n += mac ? u->selects.v[i].has_mac : u->selects.v[i].has_ip;
	if (!(mac ? s->has_mac : s->has_ip)) {
		if (n && mac)
			policy_load_fault(&s->at, rep, "%.*s is recognised by its hardware address, and the unit in its place has another: "
					  "say which (mac)", SHOW(u->id));
		return !n || !mac;
	}
	if (n > 1) {
		policy_load_fault(&s->at, rep, "%.*s has several %s addresses: change its entry in the inventory instead", SHOW(u->id),
				  mac ? "hardware" : "IP");
		return false;
	}
	for (size_t i = 0; i < u->selects.n; i++) {
		struct policy_select *e = &u->selects.v[i];
		if (mac && e->has_mac)
			e->mac = s->mac;
		else if (!mac && e->has_ip)
			e->ip = s->ip;
	}
	return true;
}

int policy_decisions_swap(struct policy_model *m, struct conf_report *rep)
{
	int r = 0;
	for (size_t i = 0; i < m->swaps.n; i++) {
		const struct policy_model_swap *s = &m->swaps.v[i];
		struct policy_model_unit *u = find(m, s->was);
		if (!u || find(m, s->now)) {
			if (u)
				policy_load_fault(&s->at, rep, "a unit is called %.*s already", SHOW(s->now));
			else
				fault_no_unit(m, &s->at, s->was, rep);
			r = ERR_CONFIG;
			continue;
		}
		if (!replace_address(u, s, rep, false) || !replace_address(u, s, rep, true)) {
			r = ERR_CONFIG;
			continue;
		}
		/* One that was known by another address only is known by this one too. */
		bool known_mac = false, known_ip = false;
		for (size_t k = 0; k < u->selects.n; k++) {
			known_mac |= u->selects.v[k].has_mac;
			known_ip |= u->selects.v[k].has_ip;
		}
		uint16_t vlan = u->selects.n ? u->selects.v[0].vlan : 0;
		for (int mac = 0; mac < 2; mac++) {
			if (mac ? !s->has_mac || known_mac : !s->has_ip || known_ip)
				continue;
			struct policy_select *e = POLICY_MODEL_ADD(&u->selects);
			if (!e)
				return -ENOMEM;
			*e = (struct policy_select){ .at = s->at, .has_ip = !mac, .has_mac = mac, .ip = s->ip, .mac = s->mac,
						     .vlan = vlan };
		}
		u->id = s->now;
		/* Another unit calls itself by another name; the AE title and the application are set up as the old one's. */
		u->marks[POLICY_MARK_HOSTNAME] = u->marks[POLICY_MARK_CERTIFICATE] = (struct span){ 0 };
		u->at = s->at;
		if (s->type.n) {
			u->type = s->type;
			u->type_at = s->at;
		}
	}
	return r;
}

int policy_decisions_modes(struct policy_model *m, struct conf_report *rep)
{
	int r = 0;
	for (size_t i = 0; i < m->modes.n; i++) {
		const struct policy_model_mode *d = &m->modes.v[i];
		struct policy_model_unit *u = find(m, policy_decisions_now(m, d->device));
		if (u) {
			u->mode = d->mode;
			u->mode_until_ns = d->until_ns;
		} else {
			fault_no_unit(m, &d->at, d->device, rep);
			r = ERR_CONFIG;
		}
	}
	return r;
}

struct span policy_decisions_now(const struct policy_model *m, struct span name)
{
	for (size_t i = 0; i < m->swaps.n; i++)
		if (span_eq(m->swaps.v[i].was, name))
			name = m->swaps.v[i].now;
	return name;
}
