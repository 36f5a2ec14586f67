#include "rules/policy.h"

#include <sodium.h>
#include <string.h>

#include "core/err.h"
#include "rules/policy_table.h"
#include "rules/rule.h"

#define SECTION POLICY_TABLE_SECTION
#define COUNT POLICY_TABLE_COUNT

static const uint8_t magic[8] = { 'S', 'P', 'W', 'P', 'O', 'L', '1', '\n' };

static const size_t record_size[POLICY_SECTIONS] = {
	[POLICY_S_TEXT] = 1,
	[POLICY_S_DEVICES] = sizeof(struct policy_unit),
	[POLICY_S_TYPES] = sizeof(struct policy_type),
	[POLICY_S_ROWSETS] = sizeof(struct policy_rowset),
	[POLICY_S_ROWS] = sizeof(struct policy_row),
	[POLICY_S_KEYS] = sizeof(uint32_t),
	[POLICY_S_PREFIXES] = sizeof(struct prefix),
	[POLICY_S_WORDS] = sizeof(struct policy_text),
	[POLICY_S_SLOTS] = sizeof(struct policy_slot),
	[POLICY_S_MACS] = sizeof(struct policy_mac_slot),
	[POLICY_S_INFOS] = sizeof(struct policy_info),
	[POLICY_S_RANGES] = sizeof(struct policy_range),
	[POLICY_S_VLANS] = sizeof(struct policy_vlan),
	[POLICY_S_AES] = sizeof(struct policy_ae),
	[POLICY_S_FORBIDS] = sizeof(struct policy_forbid),
	[POLICY_S_CITES] = sizeof(struct policy_cite_rec),
	[POLICY_S_ROLES] = sizeof(struct policy_role),
	[POLICY_S_ZONES] = sizeof(struct policy_zone),
};

size_t policy_record_size(unsigned section) { return record_size[section]; }

/* ---- names of protocols ---- */

static const struct {
	const char *name;
	uint8_t transport, tls, probed;         /* probed: the sensor knows it by content, so "unknown" is not it */
} protos[POLICY_PROTOS] = {
#define X(SYM, name, TRANSPORT, TLS, probed) { name, OBSERVATION_##TRANSPORT, POLICY_TLS_##TLS, probed },
	POLICY_PROTO_LIST(X)
#undef X
};

const char *policy_proto_name(unsigned proto) { return proto < POLICY_PROTOS ? protos[proto].name : NULL; }
unsigned policy_proto_transport(unsigned proto) { return protos[proto].transport; }
enum policy_tls policy_proto_tls(unsigned proto) { return protos[proto].tls; }

int policy_proto_find(struct span name)
{
	for (int i = 0; i < POLICY_PROTOS; i++)
		if (span_eq(name, span_str(protos[i].name)))
			return i;
	return -1;
}

/* The protocol inside the TLS. */
static unsigned proto_base(unsigned proto)
{
	switch (proto) {
	case POLICY_PROTO_DICOM_TLS: return POLICY_PROTO_DICOM;
	case POLICY_PROTO_HL7_TLS: return POLICY_PROTO_HL7;
	case POLICY_PROTO_HTTPS: return POLICY_PROTO_HTTP;
	case POLICY_PROTO_LDAPS: return POLICY_PROTO_LDAP;
	case POLICY_PROTO_SYSLOG_TLS: return POLICY_PROTO_SYSLOG;
	default: return proto;
	}
}

/* ---- the table as a whole ---- */

const struct policy *policy_open(struct span table)
{
	if (table.n < sizeof(struct policy) || table.n > POLICY_TABLE_MAX_BYTES ||
	    (uintptr_t)table.p % POLICY_TABLE_ALIGN)
		return NULL;
	const struct policy *p = (const void *)table.p;
	if (memcmp(p->magic, magic, sizeof(magic)) || p->version != POLICY_TABLE_VERSION || p->size != table.n)
		return NULL;
	for (unsigned i = 0; i < POLICY_SECTIONS; i++)
		if (p->s[i].at < sizeof(*p) || p->s[i].at > p->size || p->s[i].at % POLICY_TABLE_ALIGN ||
		    p->s[i].n > (p->size - p->s[i].at) / record_size[i])
			return NULL;
	return policy_verify_records(p) ? p : NULL;
}

void policy_head(struct policy *p)
{
	memcpy(p->magic, magic, sizeof(magic));
	p->version = POLICY_TABLE_VERSION;
}

size_t policy_size(const struct policy *p) { return p->size; }

uint64_t policy_digest(const struct policy *p)
{
	uint8_t sum[crypto_hash_sha256_BYTES];
	(void)crypto_hash_sha256(sum, (const uint8_t *)p, p->size);
	struct cursor c = cursor_from((struct span){ sum, sizeof(sum) });
	return cursor_u64be(&c);
}

/* ---- who is where ---- */

uint32_t policy_hash_addr(const uint8_t ip[static 16])
{
	uint64_t a, b;
	memcpy(&a, ip, 8);
	memcpy(&b, ip + 8, 8);
	return policy_table_mix(b ^ (a * UINT64_C(0x94d049bb133111eb)));
}

uint32_t policy_hash_mac(const uint8_t mac[static 6])
{
	uint64_t a = 0;
	memcpy(&a, mac, 6);
	return policy_table_mix(a);
}

static const struct policy_info info_none = { .role = POLICY_NONE, .zone = POLICY_NONE };

struct who {
	uint32_t device;
	enum event_device_by by;
	const struct policy_info *info;
	uint32_t zone;
	bool local;                     /* inside the hospital, or an address that cannot leave it */
	bool host;                      /* one host's own address: not multicast, broadcast or 0.0.0.0 */
};

static bool zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static const struct policy_info *info_by_range(const struct policy *p, const struct addr *ip)
{
	const struct policy_range *r = SECTION(p, RANGES, struct policy_range);
	size_t lo = 0, hi = COUNT(p, RANGES);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (memcmp(r[mid].lo, ip->b, 16) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo && memcmp(ip->b, r[lo - 1].hi, 16) <= 0)
		return SECTION(p, INFOS, struct policy_info) + r[lo - 1].info;
	return &info_none;
}

/* Does an entry's further evidence fit? Evidence that this packet does not carry (an untagged mirror, a
 * router's hop hidden from us) is neither for nor against. */
static int slot_fit(const struct policy_slot *s, const struct mac *mac, uint16_t vlan)
{
	int fit = 1;
	if (s->vlan) {
		if (vlan && vlan != s->vlan)
			return 0;
		fit += vlan ? 2 : 0;
	}
	if (!zero(s->mac, 6)) {
		if (mac && memcmp(mac->b, s->mac, 6))
			return 0;
		fit += mac ? 2 : 0;
	}
	return fit;
}

static const struct policy_info *find_by_ip(const struct policy *p, const struct addr *ip, const struct mac *mac,
					    uint16_t vlan, struct who *w)
{
	const struct policy_slot *s = SECTION(p, SLOTS, struct policy_slot);
	uint32_t n = COUNT(p, SLOTS);
	const struct policy_slot *best = NULL;
	const struct policy_info *info = NULL;
	int best_fit = 0;
	bool several = false;
	if (!n)
		return NULL;
	for (uint32_t i = 0, at = policy_hash_addr(ip->b) & (n - 1); i < POLICY_TABLE_MAX_PROBES && i < n; i++) {
		const struct policy_slot *e = &s[(at + i) & (n - 1)];
		if (e->info == POLICY_NONE)
			break;
		if (memcmp(e->ip, ip->b, 16))
			continue;
		info = SECTION(p, INFOS, struct policy_info) + e->info;
		if (e->device == POLICY_NONE)
			continue;
		int fit = slot_fit(e, mac, vlan);
		if (fit && fit == best_fit)
			several = several || e->device != best->device;
		else if (fit > best_fit) {
			best = e;
			best_fit = fit;
			several = false;
		}
	}
	if (best && !several) {
		w->device = best->device;
		w->by = best->vlan && vlan ? EVENT_BY_IP_VLAN : EVENT_BY_IP;
		info = SECTION(p, INFOS, struct policy_info) + best->info;
	}
	return info;
}

static uint32_t find_by_mac(const struct policy *p, const struct mac *mac, uint16_t vlan)
{
	const struct policy_mac_slot *m = SECTION(p, MACS, struct policy_mac_slot);
	uint32_t n = COUNT(p, MACS), found = POLICY_NONE;
	if (!n)
		return POLICY_NONE;
	for (uint32_t i = 0, at = policy_hash_mac(mac->b) & (n - 1); i < POLICY_TABLE_MAX_PROBES && i < n; i++) {
		const struct policy_mac_slot *e = &m[(at + i) & (n - 1)];
		if (e->device == POLICY_NONE)
			break;
		if (memcmp(e->mac, mac->b, 6) || (e->vlan && vlan && e->vlan != vlan))
			continue;
		if (found != POLICY_NONE && found != e->device)
			return POLICY_NONE;
		found = e->device;
	}
	return found;
}

static void find_who(const struct policy *p, const struct addr *ip, const struct mac *mac, uint16_t vlan,
		     struct who *w)
{
	*w = (struct who){ .device = POLICY_NONE, .by = EVENT_BY_NOTHING };
	const struct policy_info *info = find_by_ip(p, ip, mac, vlan, w);
	w->info = info ? info : info_by_range(p, ip);
	w->zone = w->info->zone;
	bool nobody = addr_is_zero(ip);
	bool group = addr_is_multicast(ip) || addr_is_broadcast(ip);
	w->host = !nobody && !group;
	w->local = w->info->local || nobody || group || addr_is_link_local(ip) || addr_is_loopback(ip);
	/* A hardware address says who it is only on its own segment: with an address from elsewhere, or one that
	 * the site knows as another's, it is the router's. */
	if (w->device == POLICY_NONE && mac && w->local && !group && !w->info->roles) {
		w->device = find_by_mac(p, mac, vlan);
		if (w->device != POLICY_NONE)
			w->by = EVENT_BY_MAC;
	}
	if (w->device != POLICY_NONE) {
		const struct policy_unit *u = SECTION(p, DEVICES, struct policy_unit) + w->device;
		if (u->zone != POLICY_NONE)
			w->zone = u->zone;
	} else if (w->info->roles) {
		w->by = EVENT_BY_ROLE;
	}
	if (w->zone == POLICY_NONE && vlan) {
		const struct policy_vlan *v = SECTION(p, VLANS, struct policy_vlan);
		for (uint32_t lo = 0, hi = COUNT(p, VLANS); lo < hi;) {
			uint32_t mid = lo + (hi - lo) / 2;
			if (v[mid].vlan == vlan) {
				w->zone = v[mid].zone;
				break;
			}
			if (v[mid].vlan < vlan)
				lo = mid + 1;
			else
				hi = mid;
		}
	}
}

static struct span text_of(const struct policy *p, struct policy_text t)
{
	return (struct span){ SECTION(p, TEXT, uint8_t) + t.at, t.n };
}

void policy_host(const struct policy *p, const struct addr *ip, const struct mac *mac, uint16_t vlan,
		 struct policy_host *ret)
{
	struct who w;
	find_who(p, ip, mac, vlan, &w);
	*ret = (struct policy_host){ .device = w.device, .by = w.by, .local = w.local };
	if (w.device != POLICY_NONE) {
		const struct policy_unit *u = SECTION(p, DEVICES, struct policy_unit) + w.device;
		ret->id = text_of(p, u->id);
		if (u->type != POLICY_NONE)
			ret->type = text_of(p, SECTION(p, TYPES, struct policy_type)[u->type].id);
	}
	if (w.info->role != POLICY_NONE)
		ret->role = text_of(p, SECTION(p, ROLES, struct policy_role)[w.info->role].name);
	if (w.zone != POLICY_NONE)
		ret->zone = text_of(p, SECTION(p, ZONES, struct policy_zone)[w.zone].name);
}

static const struct policy_ae *find_ae(const struct policy *p, struct span ae)
{
	/* PS3.5 6.2, VR AE: leading and trailing spaces do not count */
	ae = span_trim(ae);
	if (!ae.n || ae.n > POLICY_TABLE_AE)
		return NULL;
	uint8_t title[POLICY_TABLE_AE] = { 0 };
	memcpy(title, ae.p, ae.n);
	const struct policy_ae *a = SECTION(p, AES, struct policy_ae);
	size_t lo = 0, hi = COUNT(p, AES);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = memcmp(a[mid].title, title, sizeof(title));
		if (!c)
			return &a[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

uint32_t policy_ae_owner(const struct policy *p, struct span ae, bool *ret_known)
{
	const struct policy_ae *a = find_ae(p, ae);
	*ret_known = a != NULL;
	return a && !a->several ? a->device : POLICY_NONE;
}

/* ---- judging ---- */

/* declared-profiles table (docs/profiles.md, "Severity"): by how complete the port list says it is. */
enum situation { AT_PEER, AT_PROTOCOL, AT_CLEAR_TEXT, AT_INITIATOR, AT_DISABLED, AT_LISTENER, AT_TRAFFIC, AT_INTERNET,
		 SITUATIONS };
static const uint8_t severities[SITUATIONS][3] = {
	/*                  unknown         partial        exhaustive */
	[AT_PEER] =       { EVENT_MEDIUM, EVENT_HIGH,     EVENT_HIGH },
	[AT_PROTOCOL] =   { EVENT_HIGH,   EVENT_HIGH,     EVENT_HIGH },
	[AT_CLEAR_TEXT] = { EVENT_HIGH,   EVENT_HIGH,     EVENT_HIGH },
	[AT_INITIATOR] =  { EVENT_MEDIUM, EVENT_HIGH,     EVENT_HIGH },
	[AT_DISABLED] =   { EVENT_LOW,    EVENT_MEDIUM,   EVENT_MEDIUM },
	[AT_LISTENER] =   { EVENT_INFO,   EVENT_MEDIUM,   EVENT_HIGH },
	[AT_TRAFFIC] =    { EVENT_INFO,   EVENT_LOW,      EVENT_MEDIUM },
	[AT_INTERNET] =   { EVENT_HIGH,   EVENT_CRITICAL, EVENT_CRITICAL },
};

enum seen_service { SEEN_NOTHING = -1, SEEN_UNKNOWN = POLICY_PROTOS, SEEN_OTHER };

/* A flow as it is judged: ends[0] opened it. */
struct look {
	struct who ends[2];
	uint16_t ports[2];
	uint8_t transport;
	int service;
	bool answered, unsure_who_opened, midstream, one_sided;
};

static bool is_internet(const struct who *w) { return !w->local && !w->info->roles; }

static const struct policy_type *type_of(const struct policy *p, uint32_t device)
{
	uint32_t t = device == POLICY_NONE ? POLICY_NONE : SECTION(p, DEVICES, struct policy_unit)[device].type;
	return t == POLICY_NONE ? NULL : SECTION(p, TYPES, struct policy_type) + t;
}

enum fit { FIT_NO, FIT_MAYBE, FIT_YES };

static enum fit peer_fits(const struct policy *p, const struct policy_row *r, const struct who *unit,
			  const struct who *peer)
{
	if (r->flags & POLICY_ROW_ANY || r->roles & peer->info->roles || (r->flags & POLICY_ROW_LOCAL && peer->local))
		return FIT_YES;
	if (r->flags & POLICY_ROW_MAKER) {
		const struct policy_type *a = type_of(p, unit->device), *b = type_of(p, peer->device);
		if (a && b && a->maker_group == b->maker_group)
			return FIT_YES;
	}
	return r->flags & POLICY_ROW_NAME && !peer->local ? FIT_MAYBE : FIT_NO;
}

static bool peer_in_prefixes(const struct policy *p, const struct policy_row *r, const struct addr *ip)
{
	const struct prefix *x = SECTION(p, PREFIXES, struct prefix) + r->prefix_first;
	for (unsigned i = 0; i < r->prefix_n; i++)
		if (addr_in_prefix(ip, &x[i]))
			return true;
	return false;
}

enum speech { SPEECH_FITS, SPEECH_PROTOCOL, SPEECH_CLEAR_TEXT };

/* ret_guess: "unknown" is the probes giving up, not a protocol that was recognised. */
static enum speech service_fits(const struct policy_row *r, int seen, bool *ret_guess)
{
	unsigned base = proto_base(r->proto);
	bool generic = base == POLICY_PROTO_TCP || base == POLICY_PROTO_UDP || base == POLICY_PROTO_VENDOR;
	*ret_guess = seen == SEEN_UNKNOWN;
	if (seen == SEEN_NOTHING || (r->tls != POLICY_TLS_NO && seen == POLICY_PROTO_TLS))
		return SPEECH_FITS;
	if (r->tls == POLICY_TLS_YES) {
		if (seen == SEEN_UNKNOWN || seen == (int)base || seen == POLICY_PROTO_DICOM ||
		    seen == POLICY_PROTO_HL7 || seen == POLICY_PROTO_HTTP)
			return SPEECH_CLEAR_TEXT;
		return SPEECH_PROTOCOL;
	}
	if (generic || seen == (int)base)
		return SPEECH_FITS;
	if (seen == SEEN_UNKNOWN)
		return protos[base].probed ? SPEECH_PROTOCOL : SPEECH_FITS;
	return SPEECH_PROTOCOL;
}

struct found {
	const struct policy_row *declared;      /* in force, the peer and what is spoken fit */
	const struct policy_row *off;           /* fits, but is switched off */
	const struct policy_row *differs;       /* in force, the peer fits, something else is spoken */
	const struct policy_row *maybe;         /* in force, the peer is given by a name that we cannot follow */
	const struct policy_row *peer;          /* in force, another peer */
	const struct policy_row *off_peer;      /* switched off, another peer or speech */
	enum speech speech;                     /* of `differs` */
	bool guess;
};

/* All rows of a unit for (transport, side, port). */
static void find_rows(const struct policy *p, uint32_t rowset, uint8_t transport, enum policy_side side, uint16_t port,
		      const struct who *unit, const struct who *peer, const struct addr *peer_ip, int service,
		      struct found *f)
{
	*f = (struct found){ 0 };
	const struct policy_rowset *set = SECTION(p, ROWSETS, struct policy_rowset) + rowset;
	const struct policy_row *rows = SECTION(p, ROWS, struct policy_row) + set->first;
	const uint32_t *keys = SECTION(p, KEYS, uint32_t) + set->first;
	uint32_t key = policy_table_key(transport, (uint8_t)side, port);
	uint32_t lo = 0, hi = set->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (keys[mid] <= key)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo--) {
		const struct policy_row *r = &rows[lo];
		if (r->transport != transport || r->side != side || r->max_hi < port)
			break;
		if (r->hi < port)
			continue;
		enum fit fit = peer_fits(p, r, unit, peer);
		if (fit != FIT_YES && r->prefix_n && peer_in_prefixes(p, r, peer_ip))
			fit = FIT_YES;
		bool guess;
		enum speech speech = service_fits(r, service, &guess);
		if (r->flags & POLICY_ROW_OFF) {
			if (fit == FIT_YES && speech == SPEECH_FITS)
				f->off = r;
			else
				f->off_peer = r;
		} else if (fit == FIT_NO) {
			f->peer = r;
		} else if (speech != SPEECH_FITS) {
			f->differs = r;
			f->speech = speech;
			f->guess = guess;
		} else if (fit == FIT_YES) {
			f->declared = r;
		} else {
			f->maybe = r;
		}
	}
}

/* The rows for one end of a flow: its own listening port when it was called, the peer's when it opened. */
static void find_end(const struct policy *p, const struct look *k, const struct addr ips[static 2], unsigned end,
		     enum policy_side side, uint16_t port, int service, struct found *f)
{
	uint32_t rowset = SECTION(p, DEVICES, struct policy_unit)[k->ends[end].device].rowset;
	find_rows(p, rowset, k->transport, side, port, &k->ends[end], &k->ends[!end], &ips[!end], service, f);
}

static bool fill(struct verdict *v, enum event_verdict kind, enum event_what what, enum rule_id rule, uint32_t cite,
		 unsigned severity)
{
	v->kind = kind;
	v->what = what;
	v->rule = rule;
	v->cite = cite;
	v->severity = (uint8_t)severity;
	return true;
}

static uint32_t cite_of_list(const struct policy *p, const struct policy_type *t, uint32_t device, uint32_t better)
{
	/* What a list that claims to be complete does not name is its own contradiction; otherwise only the
	 * inventory says what this unit is. */
	if (better != POLICY_NONE)
		return better;
	if (t->complete == POLICY_COMPLETE_EXHAUSTIVE && t->cite_list != POLICY_NONE)
		return t->cite_list;
	return SECTION(p, DEVICES, struct policy_unit)[device].cite;
}

/* One end that is a unit with a type. False: nothing to say of it. */
static bool judge_unit(const struct policy *p, const struct look *k, const struct addr ips[static 2], unsigned end,
		       struct verdict *v)
{
	const struct who *unit = &k->ends[end], *peer = &k->ends[!end];
	const struct policy_type *t = type_of(p, unit->device);
	if (!t)
		return false;
	enum policy_side side = end == 0 ? POLICY_SIDE_OUT : POLICY_SIDE_IN;
	bool leaves = end == 0 && is_internet(peer) && t->external == CONF_TRI_NO;
	unsigned c = t->complete;
	struct found f;

	find_end(p, k, ips, end, side, k->ports[1], k->service, &f);
	if (f.declared)
		return fill(v, EVENT_DECLARED, EVENT_WHAT_NONE, RULE_FLOW_DECLARED, f.declared->cite, EVENT_INFO);
	/* Somebody knocked and was not answered: that is not the device's doing. */
	if (end == 1 && !k->answered)
		return false;
	if (k->unsure_who_opened) {
		struct found other;
		find_end(p, k, ips, end, side == POLICY_SIDE_OUT ? POLICY_SIDE_IN : POLICY_SIDE_OUT, k->ports[0],
			 k->service, &other);
		if (other.declared)
			return fill(v, EVENT_CANNOT_SAY, EVENT_WHAT_MIDSTREAM, RULE_CANNOT_SAY, other.declared->cite,
				    EVENT_INFO);
	}
	if (f.off)
		return fill(v, EVENT_DISABLED_BUT_USED, EVENT_WHAT_NONE, RULE_DISABLED_USED, f.off->cite,
			    severities[AT_DISABLED][c]);
	if (f.differs) {
		if (f.guess && (k->midstream || k->one_sided))
			return fill(v, EVENT_CANNOT_SAY, k->midstream ? EVENT_WHAT_MIDSTREAM : EVENT_WHAT_ONE_SIDED,
				    RULE_CANNOT_SAY, f.differs->cite, EVENT_INFO);
		if (f.guess)
			v->confidence = v->confidence < EVENT_CONFIDENCE_MEDIUM ? v->confidence : EVENT_CONFIDENCE_MEDIUM;
		if (f.speech == SPEECH_CLEAR_TEXT)
			return fill(v, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_CLEAR_TEXT, RULE_CLEAR_TEXT, f.differs->cite,
				    severities[AT_CLEAR_TEXT][c]);
		/* TLS where clear text was declared hides what is spoken, but endangers nobody's data. */
		return fill(v, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_PROTOCOL, RULE_DIFFERENT_PROTOCOL, f.differs->cite,
			    k->service == POLICY_PROTO_TLS ? EVENT_LOW : severities[AT_PROTOCOL][c]);
	}
	if (leaves && !f.maybe)
		return fill(v, EVENT_UNDECLARED, EVENT_WHAT_INTERNET, RULE_INTERNET, t->cite_external,
			    severities[AT_INTERNET][c]);
	if (f.maybe)
		return fill(v, EVENT_CANNOT_SAY, EVENT_WHAT_PEER, RULE_CANNOT_SAY, f.maybe->cite, EVENT_INFO);
	if (f.peer)
		return fill(v, EVENT_UNDECLARED, EVENT_WHAT_PEER, RULE_UNDECLARED_PEER, f.peer->cite,
			    severities[AT_PEER][c]);
	if (f.off_peer)
		return fill(v, EVENT_DISABLED_BUT_USED, EVENT_WHAT_NONE, RULE_DISABLED_USED, f.off_peer->cite,
			    severities[AT_DISABLED][c]);

	/* A port list is about ports: of transports without them it says nothing. */
	if (k->transport != OBSERVATION_TCP && k->transport != OBSERVATION_UDP)
		return false;
	/* The same port declared with this peer, but opened by the other side. */
	find_end(p, k, ips, end, side == POLICY_SIDE_OUT ? POLICY_SIDE_IN : POLICY_SIDE_OUT, k->ports[1], SEEN_NOTHING,
		 &f);
	if (f.declared || f.off) {
		const struct policy_row *r = f.declared ? f.declared : f.off;
		if (k->unsure_who_opened)
			return fill(v, EVENT_CANNOT_SAY, EVENT_WHAT_MIDSTREAM, RULE_CANNOT_SAY, r->cite, EVENT_INFO);
		return fill(v, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_INITIATOR, RULE_WRONG_INITIATOR, r->cite,
			    severities[AT_INITIATOR][c]);
	}
	if (end == 1)
		return fill(v, EVENT_UNDECLARED, EVENT_WHAT_LISTENER, RULE_UNDECLARED_LISTENER,
			    cite_of_list(p, t, unit->device, t->cite_unused), severities[AT_LISTENER][c]);
	return fill(v, EVENT_UNDECLARED, EVENT_WHAT_NONE, RULE_UNDECLARED_TRAFFIC,
		    cite_of_list(p, t, unit->device, POLICY_NONE), severities[AT_TRAFFIC][c]);
}

static bool forbid_end(const struct policy *p, const struct who *w, uint8_t kind, uint32_t index)
{
	switch (kind) {
	case POLICY_END_ANY: return true;
	case POLICY_END_ZONE: return w->zone == index;
	case POLICY_END_ROLE: return index < 64 && w->info->roles >> index & 1;
	case POLICY_END_INTERNET: return is_internet(w);
	case POLICY_END_UNIT: return w->device != POLICY_NONE && w->device == index;
	case POLICY_END_TYPE:
		return w->device != POLICY_NONE && SECTION(p, DEVICES, struct policy_unit)[w->device].type == index;
	default: return false;
	}
}

static const struct policy_forbid *find_forbid(const struct policy *p, const struct look *k, bool when_unsaid)
{
	const struct policy_forbid *f = SECTION(p, FORBIDS, struct policy_forbid);
	for (uint32_t i = 0; i < COUNT(p, FORBIDS); i++)
		if ((f[i].when_unsaid != 0) == when_unsaid &&
		    (f[i].transport == POLICY_TABLE_ANY_TRANSPORT || f[i].transport == k->transport) &&
		    f[i].lo <= k->ports[1] && k->ports[1] <= f[i].hi &&
		    forbid_end(p, &k->ends[0], f[i].from_kind, f[i].from) &&
		    forbid_end(p, &k->ends[1], f[i].to_kind, f[i].to))
			return &f[i];
	return NULL;
}

/* A host inside the hospital that stands in no file, seen talking with a unit. */
static bool is_unknown(const struct look *k, unsigned end)
{
	const struct who *w = &k->ends[end];
	return w->device == POLICY_NONE && w->local && w->host && !w->info->roles &&
	       k->ends[!end].device != POLICY_NONE && (end == 0 || k->answered);
}

static void soften(const struct policy *p, struct verdict *v)
{
	if (v->device == POLICY_NONE || v->kind == EVENT_FORBIDDEN)
		return;
	uint8_t mode = SECTION(p, DEVICES, struct policy_unit)[v->device].mode;
	uint8_t most = mode == POLICY_MODE_LEARN ? EVENT_INFO : mode == POLICY_MODE_REPORT ? EVENT_LOW : EVENT_CRITICAL;
	if (v->severity > most)
		v->severity = most;
}

static int service_of(const struct observation *o)
{
	if (!observation_has(o, OBSERVATION_F_service) || !o->service.n)
		return SEEN_NOTHING;
	if (span_eq(o->service, (struct span){ (const uint8_t *)"unknown", 7 }))
		return SEEN_UNKNOWN;
	int i = policy_proto_find(o->service);
	return i < 0 ? SEEN_OTHER : i;
}

/* Both ends. Observations of messages carry no hardware address of their own; the caller may lend them one. */
static void find_ends(const struct policy *p, const struct observation *o, struct who ret[static 2])
{
	uint16_t vlan = observation_has(o, OBSERVATION_F_vlan) ? (uint16_t)(o->vlan & 0xfff) : 0;
	find_who(p, &o->src.ip, observation_has(o, OBSERVATION_F_src_mac) ? &o->src_mac : NULL, vlan, &ret[0]);
	find_who(p, &o->dst.ip, observation_has(o, OBSERVATION_F_dst_mac) ? &o->dst_mac : NULL, vlan, &ret[1]);
}

static unsigned check_flow(const struct policy *p, const struct observation *o, struct verdict *ret)
{
	struct addr ips[2] = { o->src.ip, o->dst.ip };
	struct look k = {
		.ports = { o->src.port, o->dst.port },
		.transport = (uint8_t)o->transport,
		.service = o->head.type == OBSERVATION_FLOW_SERVICE ? service_of(o) : SEEN_NOTHING,
		.answered = o->answered,
		.midstream = o->midstream,
		.one_sided = o->one_sided,
	};
	/* UDP has no handshake: which side opened is always a guess unless the content told. */
	k.unsure_who_opened = (o->midstream || o->transport == OBSERVATION_UDP) &&
			      (o->initiator_by == OBSERVATION_BY_PORT ||
			       o->initiator_by == OBSERVATION_BY_FIRST_PACKET);
	find_ends(p, o, k.ends);

	unsigned n = 0;
	const struct policy_forbid *forbid = NULL;
	unsigned forbid_at = k.ends[0].device == POLICY_NONE && k.ends[1].device != POLICY_NONE;
	if (COUNT(p, FORBIDS))
		forbid = find_forbid(p, &k, false);
	for (unsigned end = 0; end < 2; end++) {
		struct verdict v = {
			.device = k.ends[end].device,
			.device_is_src = end == 0,
			.confidence = EVENT_CONFIDENCE_HIGH,
		};
		if (k.midstream || k.one_sided || o->initiator_by == OBSERVATION_BY_CONTENT)
			v.confidence = EVENT_CONFIDENCE_MEDIUM;
		if (k.unsure_who_opened)
			v.confidence = k.midstream ? EVENT_CONFIDENCE_LOW : EVENT_CONFIDENCE_MEDIUM;
		bool says = false;
		if (forbid && forbid_at == end) {
			says = fill(&v, EVENT_FORBIDDEN, EVENT_WHAT_NONE, RULE_FORBIDDEN, forbid->cite, EVENT_HIGH);
		} else {
			if (v.device != POLICY_NONE)
				says = judge_unit(p, &k, ips, end, &v);
			else if (is_unknown(&k, end))
				says = fill(&v, EVENT_UNKNOWN_DEVICE, EVENT_WHAT_NONE, RULE_UNKNOWN_DEVICE,
					    p->cite_inventory, EVENT_MEDIUM);
			/* The zone's rule on the internet fills in where the device's own papers are silent. */
			if (end == 0 && COUNT(p, FORBIDS) && is_internet(&k.ends[1]) &&
			    !(says && (v.kind == EVENT_DECLARED || v.rule == RULE_INTERNET))) {
				const struct policy_forbid *z = find_forbid(p, &k, true);
				if (z)
					says = fill(&v, EVENT_FORBIDDEN, EVENT_WHAT_INTERNET, RULE_FORBIDDEN, z->cite,
						    EVENT_HIGH);
			}
		}
		if (!says)
			continue;
		soften(p, &v);
		ret[n++] = v;
	}
	return n;
}

static bool role_titles(const struct policy *p, uint64_t roles)
{
	const struct policy_role *r = SECTION(p, ROLES, struct policy_role);
	for (uint32_t i = 0; i < COUNT(p, ROLES); i++)
		if (roles >> i & 1 && r[i].titles)
			return true;
	return false;
}

static uint32_t role_cite(const struct policy *p, uint64_t roles)
{
	const struct policy_role *r = SECTION(p, ROLES, struct policy_role);
	for (uint32_t i = 0; i < COUNT(p, ROLES); i++)
		if (roles >> i & 1)
			return r[i].cite;
	return POLICY_NONE;
}

/* Which AE title calls (PS3.8 9.3.2): everybody's own, or somebody else's. Where no hardware address is known, a
 * unit selected by that alone is not recognised and gets the benefit of doubt. */
static unsigned check_request(const struct policy *p, const struct observation *o, struct verdict *v)
{
	if (!p->titles || !observation_has(o, OBSERVATION_F_calling_ae) || !span_trim(o->calling_ae).n)
		return 0;
	const struct policy_unit *units = SECTION(p, DEVICES, struct policy_unit);
	const struct policy_ae *a = find_ae(p, o->calling_ae);
	struct who ends[2];
	find_ends(p, o, ends);
	const struct who src = ends[0], dst = ends[1];
	*v = (struct verdict){ .device = POLICY_NONE, .confidence = EVENT_CONFIDENCE_HIGH };
	if (a) {
		if (a->several || (src.device != POLICY_NONE && src.device == a->device) || src.info->roles & a->roles)
			return 0;
		if (a->device != POLICY_NONE) {
			if (units[a->device].by_mac && src.device == POLICY_NONE && !observation_has(o, OBSERVATION_F_src_mac))
				return 0;
			v->device = a->device;
			fill(v, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_AE_TITLE, RULE_AE_IMPERSONATION,
			     units[a->device].cite, EVENT_HIGH);
		} else if (a->roles) {
			v->device = src.device;
			fill(v, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_AE_TITLE, RULE_AE_IMPERSONATION,
			     role_cite(p, a->roles), EVENT_HIGH);
		} else {
			return 0;
		}
		v->device_is_src = true;
	} else {
		/* Where the files give a host no title, any title is as good as another. */
		bool src_listed = src.device != POLICY_NONE && units[src.device].titles;
		bool src_known = src.device != POLICY_NONE || src.info->roles;
		if (src_known && !src_listed && !role_titles(p, src.info->roles))
			return 0;
		if (dst.device != POLICY_NONE) {
			v->device = dst.device;
			v->cite = units[dst.device].cite;
		} else if (role_titles(p, dst.info->roles)) {
			v->cite = role_cite(p, dst.info->roles);
		} else if (src_listed) {
			v->device = src.device;
			v->device_is_src = true;
			v->cite = units[src.device].cite;
		} else {
			return 0;
		}
		fill(v, EVENT_UNDECLARED, EVENT_WHAT_AE_TITLE, RULE_UNKNOWN_AE, v->cite,
		     src_known ? EVENT_MEDIUM : EVENT_HIGH);
	}
	soften(p, v);
	return 1;
}

/* "ADT^A01", "ADT" (any trigger event) or "*" */
static bool message_fits(struct span pattern, struct span type)
{
	if (span_eq(pattern, (struct span){ (const uint8_t *)"*", 1 }) || span_eq(pattern, type))
		return true;
	return pattern.n < type.n && type.p[pattern.n] == '^' && !memcmp(pattern.p, type.p, pattern.n);
}

/* HL7 messages against the rows that constrain them. A message may go either way on a connection, so the row is
 * looked for both as opened by the unit and as opened to it. */
static bool judge_message(const struct policy *p, const struct observation *o, const struct who ends[static 2],
			  unsigned end, struct verdict *v)
{
	uint32_t rowset = ends[end].device == POLICY_NONE
				  ? POLICY_NONE : SECTION(p, DEVICES, struct policy_unit)[ends[end].device].rowset;
	if (rowset == POLICY_NONE)
		return false;
	const struct policy_text *words = SECTION(p, WORDS, struct policy_text);
	const struct policy_rowset *set = SECTION(p, ROWSETS, struct policy_rowset) + rowset;
	const struct policy_row *r = SECTION(p, ROWS, struct policy_row) + set->first, *wrong = NULL;
	uint16_t own = end ? o->dst.port : o->src.port, other = end ? o->src.port : o->dst.port;
	bool wrong_type = false;
	for (uint32_t i = 0; i < set->n; i++, r++) {
		uint16_t port = r->side == POLICY_SIDE_OUT ? other : own;
		if (proto_base(r->proto) != POLICY_PROTO_HL7 || r->transport != OBSERVATION_TCP || port < r->lo ||
		    port > r->hi || r->flags & POLICY_ROW_OFF || peer_fits(p, r, &ends[end], &ends[!end]) == FIT_NO)
			continue;
		bool type = !r->types_n, app = !r->apps_n;
		for (unsigned j = 0; j < r->types_n && !type; j++)
			type = message_fits(text_of(p, words[r->words_first + j]), o->message_type);
		for (unsigned j = 0; j < r->apps_n && !app; j++)
			app = span_eq(text_of(p, words[r->words_first + r->types_n + j]), o->sending_app);
		if (type && app)
			return false;
		wrong = r;
		wrong_type = !type;
	}
	if (!wrong)
		return false;
	*v = (struct verdict){ .device = ends[end].device, .device_is_src = end == 0,
			       .confidence = EVENT_CONFIDENCE_HIGH };
	return fill(v, EVENT_SEEN_DIFFERENTLY, wrong_type ? EVENT_WHAT_HL7_TYPE : EVENT_WHAT_PEER, RULE_HL7_MESSAGE,
		    wrong->cite, EVENT_MEDIUM);
}

static unsigned check_message(const struct policy *p, const struct observation *o, struct verdict *ret)
{
	struct who ends[2];
	unsigned n = 0;
	if (!COUNT(p, WORDS))
		return 0;
	find_ends(p, o, ends);
	for (unsigned end = 0; end < 2; end++)
		if (judge_message(p, o, ends, end, &ret[n]))
			soften(p, &ret[n++]);
	return n;
}

unsigned policy_check(const struct policy *p, const struct observation *o, struct verdict ret[static POLICY_MAX_VERDICTS])
{
	switch (o->head.type) {
	case OBSERVATION_FLOW_OPEN:
	case OBSERVATION_FLOW_SERVICE:
		return check_flow(p, o, ret);
	case OBSERVATION_DICOM_ASSOCIATE_REQUEST:
		return check_request(p, o, ret);
	case OBSERVATION_HL7_MESSAGE:
		return check_message(p, o, ret);
	default:
		return 0;
	}
}

/* ---- texts ---- */

void policy_cite(const struct policy *p, uint32_t cite, struct policy_cite *ret)
{
	if (cite >= COUNT(p, CITES)) {
		*ret = (struct policy_cite){ .authority = EVENT_AUTH_SENSOR };
		return;
	}
	const struct policy_cite_rec *c = SECTION(p, CITES, struct policy_cite_rec) + cite;
	*ret = (struct policy_cite){
		.authority = (enum event_authority)c->authority,
		.document = text_of(p, c->document),
		.revision = text_of(p, c->revision),
		.row = text_of(p, c->row),
		.said = text_of(p, c->said),
	};
}

size_t policy_devices(const struct policy *p) { return COUNT(p, DEVICES); }

void policy_device(const struct policy *p, uint32_t device, struct policy_device *ret)
{
	*ret = (struct policy_device){ 0 };
	if (device >= COUNT(p, DEVICES))
		return;
	const struct policy_unit *u = SECTION(p, DEVICES, struct policy_unit) + device;
	ret->id = text_of(p, u->id);
	ret->location = text_of(p, u->location);
	const struct policy_type *t = type_of(p, device);
	if (!t)
		return;
	ret->type = text_of(p, t->id);
	ret->maker = text_of(p, t->maker);
	ret->model = text_of(p, t->model);
	ret->psirt = text_of(p, t->psirt);
}
