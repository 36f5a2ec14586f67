#include "documents/firewall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "documents/papers.h"
#include "rules/policy_table.h"

enum { CITE_MAX = 512, NOTE_MAX = 120, PORT_MAX = 16 };       /* NFT_USERDATA_MAXLEN is 256; nft takes 128 bytes of comment */

enum { FROM, TO };

struct prefixes { POLICY_MODEL_LIST(struct prefix) list; };

struct firewall {
	const struct matrix *x;
	const struct policy *p;
	const struct policy_model *m;
	const struct firewall_options *o;
	FILE *to;
	struct firewall_count n;
	bool no_memory;
};

/* ---- texts of others in comments: one line, no quotes, nothing that a terminal or nft takes for its own ---- */

static void put_plain(struct firewall *w, struct span s, size_t most)
{
	size_t out = 0;
	while (s.n && out < most) {
		uint32_t c = 0;
		int n = utf8_next(s, &c);
		size_t len = (size_t)(n < 0 ? -n : n);
		if (n <= 0 || utf8_is_control(c) || c == '"' || c == '\\' || out + len > most) {
			(void)fputc('?', w->to);
			out++;
		} else {
			(void)fwrite(s.p, 1, len, w->to);
			out += len;
		}
		s.p += len;
		s.n -= len;
	}
}

static struct span cite_of(struct firewall *w, const struct matrix_line *l, char out[static CITE_MAX])
{
	struct policy_cite c = { .authority = EVENT_AUTH_SENSOR };
	if (l->cite != POLICY_NONE)
		policy_cite(w->p, l->cite, &c);
	struct buf b = buf_over(out, CITE_MAX);
	(void)buf_put(&b, c.document.p, c.document.n);
	if (c.revision.n)
		(void)buf_printf(&b, " (%.*s)", (int)c.revision.n, (const char *)c.revision.p);
	(void)buf_printf(&b, " %.*s", (int)c.row.n, (const char *)c.row.p);
	return buf_span(&b);
}

/* ---- addresses ---- */

static void add(struct firewall *w, struct prefixes *to, struct prefix p)
{
	/* nft refuses a set whose elements overlap. */
	size_t kept = 0;
	for (size_t i = 0; i < to->list.n; i++)
		if (to->list.v[i].bits <= p.bits && addr_in_prefix(&p.ip, &to->list.v[i]))
			return;
	for (size_t i = 0; i < to->list.n; i++)
		if (!(p.bits <= to->list.v[i].bits && addr_in_prefix(&to->list.v[i].ip, &p)))
			to->list.v[kept++] = to->list.v[i];
	to->list.n = kept;
	struct prefix *slot = POLICY_MODEL_ADD(&to->list);
	if (slot)
		*slot = p;
	else
		w->no_memory = true;
}

static void add_role(struct firewall *w, struct prefixes *to, struct span name)
{
	for (size_t i = 0; i < w->m->roles.n; i++)
		for (size_t k = 0; span_eq(w->m->roles.v[i].name, name) && k < w->m->roles.v[i].addresses.n; k++)
			add(w, to, w->m->roles.v[i].addresses.v[k].prefix);
}

static void add_locals(struct firewall *w, struct prefixes *to)
{
	/* The default of the site file (docs/profiles.md): RFC 1918, 6598, 4193 and link-local. */
	static const char *const usual[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
		"fc00::/7",
					     "fe80::/10" };
	for (size_t i = 0; i < w->m->locals.n; i++)
		add(w, to, w->m->locals.v[i]);
	for (size_t i = 0; !w->m->locals.n && i < sizeof(usual) / sizeof(usual[0]); i++) {
		struct prefix p;
		if (!addr_parse_prefix(span_str(usual[i]), &p))
			add(w, to, p);
	}
}

static void add_unit(struct firewall *w, struct prefixes *to, const struct policy_model_unit *u)
{
	for (size_t i = 0; i < u->selects.n; i++)
		if (u->selects.v[i].has_ip)
			add(w, to, (struct prefix){ u->selects.v[i].ip, 128 });
}

/* The table has the units in the model's order, as a rule. */
static const struct policy_model_unit *unit_of(const struct firewall *w, uint32_t device)
{
	struct policy_device d;
	policy_device(w->p, device, &d);
	if (device < w->m->units.n && span_eq(w->m->units.v[device].id, d.id))
		return &w->m->units.v[device];
	for (size_t i = 0; i < w->m->units.n; i++)
		if (span_eq(w->m->units.v[i].id, d.id))
			return &w->m->units.v[i];
	return NULL;
}

static void add_maker(struct firewall *w, struct prefixes *to, uint32_t device)
{
	struct policy_device me, other;
	policy_device(w->p, device, &me);
	for (uint32_t d = 0; me.maker.n && d < policy_devices(w->p); d++) {
		policy_device(w->p, d, &other);
		const struct policy_model_unit *u = d != device && span_eq(other.maker, me.maker) ? unit_of(w, d) : NULL;
		if (u)
			add_unit(w, to, u);
	}
}

/* Whom a line's row names. *ret_any: anybody; *ret_names: some by host name, which no address stands for. */
static void peers_of(struct firewall *w, const struct matrix_line *l, struct prefixes *to, bool *ret_any, bool *ret_names)
{
	*ret_any = *ret_names = false;
	if (!l->declared) {
		const struct policy_row *r = POLICY_TABLE_SECTION(w->p, ROWS, struct policy_row) + l->row;
		const struct policy_role *roles = POLICY_TABLE_SECTION(w->p, ROLES, struct policy_role);
		const uint8_t *text = POLICY_TABLE_SECTION(w->p, TEXT, uint8_t);
		*ret_any = r->flags & POLICY_ROW_ANY;
		if (r->flags & POLICY_ROW_LOCAL)
			add_locals(w, to);
		for (unsigned i = 0; i < 64 && i < POLICY_TABLE_COUNT(w->p, ROLES); i++)
			if (r->roles >> i & 1)
				add_role(w, to, (struct span){ text + roles[i].name.at, roles[i].name.n });
		return;
	}
	for (size_t i = 0; i < l->declared->peers.n; i++) {
		const struct policy_peer *p = &l->declared->peers.v[i];
		switch (p->kind) {
		case POLICY_PEER_ANY: *ret_any = true; break;
		case POLICY_PEER_LOCAL: add_locals(w, to); break;
		case POLICY_PEER_ROLE: add_role(w, to, p->name); break;
		case POLICY_PEER_PREFIX: add(w, to, p->prefix); break;
		case POLICY_PEER_NAME: *ret_names = true; break;
		case POLICY_PEER_MAKER: add_maker(w, to, l->device); break;
		}
	}
}

static void put_prefix(struct firewall *w, const struct prefix *p)
{
	char text[ADDR_STRLEN];
	bool v4 = addr_is_v4(&p->ip);
	unsigned bits = v4 ? p->bits - 96u : p->bits;
	(void)fputs(addr_str(&p->ip, text), w->to);
	if (bits < (v4 ? 32u : 128u))
		(void)fprintf(w->to, "/%u", bits);
}

static size_t of_family(const struct prefixes *a, bool v4)
{
	size_t n = 0;
	for (size_t i = 0; i < a->list.n; i++)
		n += addr_is_v4(&a->list.v[i].ip) == v4;
	return n;
}

/* ---- rules ---- */

static const char *ports_of(const struct matrix_line *l, char out[static PORT_MAX])
{
	(void)snprintf(out, PORT_MAX, l->lo == l->hi ? "%u" : "%u-%u", l->lo, l->hi);
	return out;
}

static const char *protocol_of(const struct matrix_line *l, bool v4)
{
	return l->transport == OBSERVATION_TCP ? "tcp" : l->transport == OBSERVATION_UDP ? "udp" : v4 ? "icmp" : "icmpv6";
}

static void put_set(struct firewall *w, const struct prefixes *a, bool v4)
{
	bool first = true;
	(void)fputs("{ ", w->to);
	for (size_t i = 0; i < a->list.n; i++) {
		if (addr_is_v4(&a->list.v[i].ip) != v4)
			continue;
		(void)fputs(first ? "" : ", ", w->to);
		put_prefix(w, &a->list.v[i]);
		first = false;
	}
	(void)fputs(" }", w->to);
}

/* One family of a row. An empty set of peers is not anybody. */
static void put_nft(struct firewall *w, const struct matrix_line *l, const struct prefixes *peers, bool any, bool v4, struct span cite)
{
	char ports[PORT_MAX];
	if (!any && !of_family(peers, v4))
		return;
	(void)fputs("\t\t", w->to);
	if (any)
		(void)fprintf(w->to, "meta nfproto %s ", v4 ? "ipv4" : "ipv6");
	else {
		(void)fprintf(w->to, "%s %s ", v4 ? "ip" : "ip6", l->side == POLICY_SIDE_OUT ? "daddr" : "saddr");
		put_set(w, peers, v4);
		(void)fputc(' ', w->to);
	}
	if (l->transport == OBSERVATION_ICMP)
		(void)fprintf(w->to, "%s type echo-request return comment \"", v4 ? "icmp" : "icmpv6");
	else
		(void)fprintf(w->to, "%s dport %s return comment \"", protocol_of(l, v4), ports_of(l, ports));
	put_plain(w, cite, NOTE_MAX);
	(void)fputs("\"\n", w->to);
	w->n.rules++;
}

static void put_acl_line(struct firewall *w, const struct matrix_line *l, const struct prefix *unit, const struct prefix *peer, bool v4,
			 struct span cite)
{
	char ports[PORT_MAX];
	bool out = l->side == POLICY_SIDE_OUT;
	(void)fprintf(w->to, "permit %s ", protocol_of(l, v4));
	for (int end = FROM; end <= TO; end++) {
		const struct prefix *p = (end == FROM) == out ? unit : peer;
		if (p)
			put_prefix(w, p);
		else
			(void)fputs("any", w->to);
		if (l->transport != OBSERVATION_ICMP)
			(void)fprintf(w->to, " %s", end == FROM ? "any" : ports_of(l, ports));
		(void)fputs(end == FROM ? " -> " : "", w->to);
	}
	(void)fprintf(w->to, "%s # ", l->transport == OBSERVATION_ICMP ? " echo-request" : "");
	put_plain(w, cite, CITE_MAX);
	(void)fputc('\n', w->to);
	w->n.rules++;
}

static void put_acl(struct firewall *w, const struct matrix_line *l, const struct prefixes *unit, const struct prefixes *peers,
	bool any,
		    struct span cite)
{
	for (size_t i = 0; i < unit->list.n; i++) {
		bool v4 = addr_is_v4(&unit->list.v[i].ip);
		if (any)
			put_acl_line(w, l, &unit->list.v[i], NULL, v4, cite);
		for (size_t k = 0; !any && k < peers->list.n; k++)
			if (addr_is_v4(&peers->list.v[k].ip) == v4)
				put_acl_line(w, l, &unit->list.v[i], &peers->list.v[k], v4, cite);
	}
}

/* Why there is no rule for a line; NULL: there is one. */
static const char *left_out(const struct firewall *w, const struct matrix_line *l, const struct prefixes *peers, bool any, bool names)
{
	if (l->row == POLICY_NONE)
		return l->why == MATRIX_WHY_INTERFACE ? NULL : "a transport that is not judged: write it by hand";
	if (!policy_row_in_force(w->p, l->row))
		return "optional or disabled, and not enabled in the inventory";
	if (!any && !peers->list.n)
		return names ? "the peer is given by host name: write its addresses by hand" : "no address has the role of its peers";
	return NULL;
}

static void put_line(struct firewall *w, const struct matrix_line *l, const struct prefixes *unit)
{
	struct prefixes peers = { 0 };
	char mem[CITE_MAX], ports[PORT_MAX];
	bool any = false, names = false;
	const char *indent = w->o->form == FIREWALL_NFTABLES ? "\t\t" : "";
	if (l->interface)
		return;
	if (l->row != POLICY_NONE)
		peers_of(w, l, &peers, &any, &names);
	struct span cite = cite_of(w, l, mem);
	const char *why = left_out(w, l, &peers, any, names);
	if (why || names) {
		(void)fprintf(w->to, "%s# left out: ", indent);
		put_plain(w, cite, CITE_MAX);
		(void)fprintf(w->to, ", %s %s: %s\n", l->row == POLICY_NONE ? "" : protocol_of(l, true),
			      l->transport == OBSERVATION_ICMP || l->row == POLICY_NONE ? "" : ports_of(l, ports),
			      why ? why : "peers by host name: write their addresses by hand");
		w->n.left_out++;
	}
	if (!why && w->o->form == FIREWALL_NFTABLES) {
		put_nft(w, l, &peers, any, true, cite);
		put_nft(w, l, &peers, any, false, cite);
	} else if (!why) {
		put_acl(w, l, unit, &peers, any, cite);
	}
	free(peers.list.v);
}

/* ---- units ---- */

static bool is_wanted(const struct firewall *w, struct span id)
{
	for (size_t i = 0; i < w->o->n_units; i++)
		if (span_eq(id, span_str(w->o->units[i])))
			return true;
	return !w->o->n_units;
}

static void put_last(struct firewall *w, const struct prefixes *unit, unsigned side, uint32_t device)
{
	if (w->o->form == FIREWALL_NFTABLES) {
		(void)fprintf(w->to, "\t\tcounter\n\t\tlimit rate 10/second burst 50 packets log prefix \"spanward u%u %s \"\n", device,
			      side == POLICY_SIDE_OUT ? "out" : "in");
		if (w->o->drops)
			(void)fputs("\t\tdrop\n", w->to);
		return;
	}
	for (size_t i = 0; i < unit->list.n; i++) {
		(void)fprintf(w->to, "%s ip ", w->o->drops ? "deny" : "log");
		if (side == POLICY_SIDE_IN)
			(void)fputs("any -> ", w->to);
		put_prefix(w, &unit->list.v[i]);
		(void)fputs(side == POLICY_SIDE_OUT ? " -> any\n" : "\n", w->to);
	}
}

static void put_unit(struct firewall *w, size_t first, size_t n, uint32_t device)
{
	static const char *const sides[] = { [POLICY_SIDE_OUT] = "out", [POLICY_SIDE_IN] = "in" };
	const struct policy_model_unit *u = unit_of(w, device);
	struct policy_device d;
	struct prefixes own = { 0 };
	policy_device(w->p, device, &d);
	if (u)
		add_unit(w, &own, u);
	const char *indent = w->o->form == FIREWALL_NFTABLES ? "\t" : "";
	(void)fprintf(w->to, "\n%s# ", indent);
	put_plain(w, d.id, 128);
	(void)fputs(": ", w->to);
	put_plain(w, d.maker, 128);
	(void)fputc(' ', w->to);
	put_plain(w, d.model, 128);
	if (!own.list.n) {
		(void)fputs(": left out: the inventory has no address for it\n", w->to);
		w->n.left_out++;
		return;
	}
	(void)fputc('\n', w->to);
	for (unsigned side = POLICY_SIDE_OUT; side <= POLICY_SIDE_IN; side++) {
		if (w->o->form == FIREWALL_NFTABLES)
			(void)fprintf(w->to, "\tchain u%u_%s {\n", device, sides[side]);
		for (size_t i = first; i < first + n; i++)
			if (matrix_at(w->x, i)->side == side)
				put_line(w, matrix_at(w->x, i), &own);
		put_last(w, &own, side, device);
		(void)fputs(w->o->form == FIREWALL_NFTABLES ? "\t}\n" : "", w->to);
	}
	free(own.list.v);
	w->n.units++;
}

/* Calls for each wanted unit with a type: its lines stand together. */
static void each_unit(struct firewall *w, void (*call)(struct firewall *, size_t, size_t, uint32_t))
{
	size_t n = matrix_count(w->x);
	for (size_t i = 0, end; i < n; i = end) {
		struct policy_device d;
		uint32_t device = matrix_at(w->x, i)->device;
		for (end = i; end < n && matrix_at(w->x, end)->device == device;)
			end++;
		policy_device(w->p, device, &d);
		if (is_wanted(w, d.id))
			call(w, i, end - i, device);
	}
}

static void put_jump(struct firewall *w, size_t first, size_t n, uint32_t device)
{
	const struct policy_model_unit *u = unit_of(w, device);
	struct prefixes own = { 0 };
	(void)first;
	(void)n;
	if (u)
		add_unit(w, &own, u);
	for (int v4 = 1; v4 >= 0; v4--) {
		if (!of_family(&own, v4))
			continue;
		for (int side = POLICY_SIDE_OUT; side <= POLICY_SIDE_IN; side++) {
			(void)fprintf(w->to, "\t\t%s %s ", v4 ? "ip" : "ip6", side == POLICY_SIDE_OUT ? "saddr" : "daddr");
			put_set(w, &own, v4);
			(void)fprintf(w->to, " jump u%u_%s\n", device, side == POLICY_SIDE_OUT ? "out" : "in");
		}
	}
	free(own.list.v);
}

int firewall_print(const struct matrix *x, const struct firewall_options *o, FILE *to, struct firewall_count *ret)
{
	struct firewall w = { .x = x, .p = matrix_policy(x), .m = matrix_model(x), .o = o, .to = to };
	(void)fprintf(to,
		      "# A proposal of spanward %s from the makers' declarations: to be read, completed and applied by whoever "
		"runs the\n"
		      "# firewall. A device may be attached to a patient: watch what is logged before anything is dropped.\n"
		      "# What no row allows is %s.\n", SPANWARD_VERSION, o->drops ? "logged and dropped" : "logged and let through");
	if (o->form == FIREWALL_NFTABLES)
		(void)fputs("# A rule that fits returns: the other end may be a unit with a chain of its own, which must let it "
			"through too.\n"
			    "table inet spanward_proposal\ndelete table inet spanward_proposal\ntable inet spanward_proposal {\n", to);
	else
		(void)fputs("# ACTION PROTOCOL SOURCE PORT -> DESTINATION PORT: of new connections; their replies follow them.\n", to);
	each_unit(&w, put_unit);
	if (o->form == FIREWALL_NFTABLES) {
		(void)fputs("\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy accept;\n"
			    "\t\tct state established,related accept\n", to);
		each_unit(&w, put_jump);
		(void)fputs("\t}\n}\n", to);
	}
	*ret = w.n;
	return w.no_memory ? -ENOMEM : fflush(to) || ferror(to) ? -EIO : 0;
}
