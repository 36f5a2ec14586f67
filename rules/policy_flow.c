/* Flows against rows. */
#include <string.h>

#include "rules/policy_judge.h"
#include "rules/rule.h"

#define SECTION POLICY_TABLE_SECTION
#define COUNT POLICY_TABLE_COUNT

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
	const struct policy_who *ends;
	uint16_t ports[2];
	uint8_t transport;
	int service;
	bool answered, unsure_who_opened, midstream, one_sided, lost;
};

enum policy_fit policy_flow_peer(const struct policy *p, const struct policy_row *r, const struct policy_who *unit,
			  const struct policy_who *peer)
{
	if (r->flags & POLICY_ROW_ANY || r->roles & peer->info->roles || (r->flags & POLICY_ROW_LOCAL && peer->local))
		return POLICY_FIT_YES;
	if (r->flags & POLICY_ROW_MAKER) {
		const struct policy_type *a = policy_who_type(p, unit->device), *b = policy_who_type(p, peer->device);
		if (a && b && a->maker_group == b->maker_group)
			return POLICY_FIT_YES;
	}
	return r->flags & POLICY_ROW_NAME && !peer->local ? POLICY_FIT_MAYBE : POLICY_FIT_NO;
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
	unsigned base = policy_proto_base(r->proto);
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
		return policy_proto_probed(base) ? SPEECH_PROTOCOL : SPEECH_FITS;
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
		      const struct policy_who *unit, const struct policy_who *peer, const struct addr *peer_ip, int service,
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
		enum policy_fit fit = policy_flow_peer(p, r, unit, peer);
		if (fit != POLICY_FIT_YES && r->prefix_n && peer_in_prefixes(p, r, peer_ip))
			fit = POLICY_FIT_YES;
		bool guess;
		enum speech speech = service_fits(r, service, &guess);
		if (r->flags & POLICY_ROW_OFF) {
			if (fit == POLICY_FIT_YES && speech == SPEECH_FITS)
				f->off = r;
			else
				f->off_peer = r;
		} else if (fit == POLICY_FIT_NO) {
			f->peer = r;
		} else if (speech != SPEECH_FITS) {
			f->differs = r;
			f->speech = speech;
			f->guess = guess;
		} else if (fit == POLICY_FIT_YES) {
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

static bool constrains(const struct policy *p, const struct policy_row *r)
{
	const struct policy_more *m = policy_judge_more(p, r);
	for (unsigned w = 0; m && w < POLICY_WORDS; w++)
		if (m->words_n[w])
			return true;
	return false;
}

/* One end that is a unit with a type. False: nothing to say of it. */
static bool judge_unit(const struct policy *p, const struct look *k, const struct addr ips[static 2], unsigned end,
		       struct verdict *v)
{
	const struct policy_who *unit = &k->ends[end], *peer = &k->ends[!end];
	const struct policy_type *t = policy_who_type(p, unit->device);
	if (!t)
		return false;
	enum policy_side side = end == 0 ? POLICY_SIDE_OUT : POLICY_SIDE_IN;
	bool leaves = end == 0 && policy_who_internet(peer) && t->external == CONF_TRI_NO;
	unsigned c = t->complete;
	struct found f;

	find_end(p, k, ips, end, side, k->ports[1], k->service, &f);
	if (f.declared) {
		/* What the row says of the messages inside cannot be held to what is encrypted. */
		if (k->service == POLICY_PROTO_TLS && constrains(p, f.declared))
			return policy_judge_row(p, v, EVENT_CANNOT_SAY, EVENT_WHAT_ENCRYPTED, RULE_CANNOT_SAY, f.declared, EVENT_INFO);
		return policy_judge_row(p, v, EVENT_DECLARED, EVENT_WHAT_NONE, RULE_FLOW_DECLARED, f.declared, EVENT_INFO);
	}
	/* Somebody knocked and was not answered: that is not the device's doing. */
	if (end == 1 && !k->answered)
		return false;
	if (k->unsure_who_opened) {
		struct found other;
		find_end(p, k, ips, end, side == POLICY_SIDE_OUT ? POLICY_SIDE_IN : POLICY_SIDE_OUT, k->ports[0],
			 k->service, &other);
		if (other.declared)
			return policy_judge_row(p, v, EVENT_CANNOT_SAY, EVENT_WHAT_MIDSTREAM, RULE_CANNOT_SAY, other.declared,
				    EVENT_INFO);
	}
	if (f.off)
		return policy_judge_row(p, v, EVENT_DISABLED_BUT_USED, EVENT_WHAT_NONE, RULE_DISABLED_USED, f.off,
			    severities[AT_DISABLED][c]);
	if (f.differs) {
		if (f.guess && (k->midstream || k->one_sided || k->lost))
			return policy_judge_row(p, v, EVENT_CANNOT_SAY,
						k->midstream ? EVENT_WHAT_MIDSTREAM
						: k->lost    ? EVENT_WHAT_LOSS
							     : EVENT_WHAT_ONE_SIDED,
						RULE_CANNOT_SAY, f.differs, EVENT_INFO);
		if (f.guess)
			v->confidence = v->confidence < EVENT_CONFIDENCE_MEDIUM ? v->confidence : EVENT_CONFIDENCE_MEDIUM;
		if (f.speech == SPEECH_CLEAR_TEXT)
			return policy_judge_row(p, v, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_CLEAR_TEXT, RULE_CLEAR_TEXT, f.differs,
				    severities[AT_CLEAR_TEXT][c]);
		/* TLS where clear text was declared hides what is spoken, but endangers nobody's data. */
		return policy_judge_row(p, v, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_PROTOCOL, RULE_DIFFERENT_PROTOCOL, f.differs,
			    k->service == POLICY_PROTO_TLS ? EVENT_LOW : severities[AT_PROTOCOL][c]);
	}
	if (leaves && !f.maybe)
		return policy_judge_fill(v, EVENT_UNDECLARED, EVENT_WHAT_INTERNET, RULE_INTERNET, t->cite_external,
			    severities[AT_INTERNET][c]);
	if (f.maybe)
		return policy_judge_row(p, v, EVENT_CANNOT_SAY, EVENT_WHAT_PEER, RULE_CANNOT_SAY, f.maybe, EVENT_INFO);
	if (f.peer)
		return policy_judge_row(p, v, EVENT_UNDECLARED, EVENT_WHAT_PEER, RULE_UNDECLARED_PEER, f.peer,
			    severities[AT_PEER][c]);
	if (f.off_peer)
		return policy_judge_row(p, v, EVENT_DISABLED_BUT_USED, EVENT_WHAT_NONE, RULE_DISABLED_USED, f.off_peer,
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
			return policy_judge_row(p, v, EVENT_CANNOT_SAY, EVENT_WHAT_MIDSTREAM, RULE_CANNOT_SAY, r, EVENT_INFO);
		return policy_judge_row(p, v, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_INITIATOR, RULE_WRONG_INITIATOR, r,
			    severities[AT_INITIATOR][c]);
	}
	if (end == 1)
		return policy_judge_fill(v, EVENT_UNDECLARED, EVENT_WHAT_LISTENER, RULE_UNDECLARED_LISTENER,
			    cite_of_list(p, t, unit->device, t->cite_unused), severities[AT_LISTENER][c]);
	return policy_judge_fill(v, EVENT_UNDECLARED, EVENT_WHAT_NONE, RULE_UNDECLARED_TRAFFIC,
		    cite_of_list(p, t, unit->device, POLICY_NONE), severities[AT_TRAFFIC][c]);
}

static bool forbid_end(const struct policy *p, const struct policy_who *w, uint8_t kind, uint32_t index)
{
	switch (kind) {
	case POLICY_END_ANY: return true;
	case POLICY_END_ZONE: return w->zone == index;
	case POLICY_END_ROLE: return index < 64 && w->info->roles >> index & 1;
	case POLICY_END_INTERNET: return policy_who_internet(w);
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
	const struct policy_who *w = &k->ends[end];
	return w->device == POLICY_NONE && w->local && w->host && !w->info->roles &&
	       k->ends[!end].device != POLICY_NONE && (end == 0 || k->answered);
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

/* Whether a control that protects the row, or the whole device, should have stopped this. */
static uint32_t bypassed(const struct policy *p, const struct look *k, const struct addr ips[static 2], unsigned end,
			 const struct verdict *v, uint64_t ts_ns)
{
	const struct policy_type *t = policy_who_type(p, v->device);
	const struct policy_who *peer = &k->ends[!end];
	if (!t || !COUNT(p, CONTROLS) || !k->answered)
		return POLICY_NONE;
	const struct policy_more *m =
		v->row == POLICY_NONE ? NULL : policy_judge_more(p, SECTION(p, ROWS, struct policy_row) + v->row);
	uint32_t index = m ? m->control : POLICY_NONE;
	if (index == POLICY_NONE)
		index = t->control;
	if (index == POLICY_NONE)
		return POLICY_NONE;
	const struct policy_control *c = SECTION(p, CONTROLS, struct policy_control) + index;
	if ((c->from_ns && ts_ns < c->from_ns) || (c->until_ns && ts_ns >= c->until_ns))
		return POLICY_NONE;
	if (c->own_peers)
		return v->kind == EVENT_UNDECLARED || v->kind == EVENT_FORBIDDEN ? index : POLICY_NONE;
	if (c->flags & POLICY_ROW_ANY || c->roles & peer->info->roles || (c->flags & POLICY_ROW_LOCAL && peer->local))
		return POLICY_NONE;
	const struct prefix *x = SECTION(p, PREFIXES, struct prefix) + c->prefix_first;
	for (unsigned i = 0; i < c->prefix_n; i++)
		if (addr_in_prefix(&ips[!end], &x[i]))
			return POLICY_NONE;
	/* A control around the whole device need not know of what its documents declare. */
	return v->row != POLICY_NONE && v->kind == EVENT_DECLARED && index == t->control ? POLICY_NONE : index;
}

/* Answers of the form that this traffic contradicts, whatever the rows say of it. */
static void contradicts(const struct policy *p, const struct look *k, unsigned end, struct verdict *v)
{
	const struct policy_type *t = policy_who_type(p, v->device);
	if (!t || !k->answered)
		return;
	bool clear = k->service == POLICY_PROTO_DICOM || k->service == POLICY_PROTO_HL7;
	/* A row that says so itself contradicts the answer on paper: that is for who compares the documents. */
	bool said = v->rule == RULE_CLEAR_TEXT ||
		    (v->row != POLICY_NONE && SECTION(p, ROWS, struct policy_row)[v->row].flags & POLICY_ROW_CLEAR);
	if (clear && !said && t->cite_encrypted != POLICY_NONE) {
		v->answer = RULE_ANSWER_ENCRYPTED;
		v->answer_cite = t->cite_encrypted;
	}
	bool remote = k->service == POLICY_PROTO_RDP || k->service == POLICY_PROTO_VNC || k->service == POLICY_PROTO_SSH ||
		      k->service == POLICY_PROTO_TELNET;
	if (remote && end == 1 && t->cite_no_remote != POLICY_NONE) {
		v->answer = RULE_ANSWER_REMOTE;
		v->answer_cite = t->cite_no_remote;
	}
}

unsigned policy_flow_check(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
			   struct verdict *ret)
{
	struct addr ips[2] = { o->src.ip, o->dst.ip };
	struct look k = {
		.ends = ends,
		.ports = { o->src.port, o->dst.port },
		.transport = (uint8_t)o->transport,
		.service = o->head.type == OBSERVATION_FLOW_SERVICE ? service_of(o) : SEEN_NOTHING,
		.answered = o->answered,
		.midstream = o->midstream,
		.one_sided = o->one_sided,
		/* Bytes that were never seen, or that there was no room to read. */
		.lost = (observation_has(o, OBSERVATION_F_gap_bytes) && o->gap_bytes) ||
			(observation_has(o, OBSERVATION_F_unread) && o->unread),
	};
	/* UDP has no handshake: which side opened is always a guess unless the content told. */
	k.unsure_who_opened = (o->midstream || o->transport == OBSERVATION_UDP) &&
			      (o->initiator_by == OBSERVATION_BY_PORT ||
			       o->initiator_by == OBSERVATION_BY_FIRST_PACKET);

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
			.row = POLICY_NONE,
			.window = POLICY_NONE,
			.control = POLICY_NONE,
			.answer_cite = POLICY_NONE,
		};
		if (k.midstream || k.one_sided || o->initiator_by == OBSERVATION_BY_CONTENT)
			v.confidence = EVENT_CONFIDENCE_MEDIUM;
		if (k.unsure_who_opened)
			v.confidence = k.midstream ? EVENT_CONFIDENCE_LOW : EVENT_CONFIDENCE_MEDIUM;
		/* Whoever holds the address now is taken for the unit: nothing shows its own hardware. */
		if (v.device != POLICY_NONE && SECTION(p, DEVICES, struct policy_unit)[v.device].behind &&
		    v.confidence > EVENT_CONFIDENCE_MEDIUM)
			v.confidence = EVENT_CONFIDENCE_MEDIUM;
		bool says = false;
		if (forbid && forbid_at == end) {
			says = policy_judge_fill(&v, EVENT_FORBIDDEN, EVENT_WHAT_NONE, RULE_FORBIDDEN, forbid->cite, EVENT_HIGH);
		} else {
			if (v.device != POLICY_NONE)
				says = judge_unit(p, &k, ips, end, &v);
			else if (is_unknown(&k, end))
				/* A unit that is known by its hardware address alone may stand behind the router. */
				says = k.ends[end].routed && p->by_mac
					       ? policy_judge_fill(&v, EVENT_CANNOT_SAY, EVENT_WHAT_ROUTER, RULE_CANNOT_SAY,
								   p->cite_inventory, EVENT_INFO)
					       : policy_judge_fill(&v, EVENT_UNKNOWN_DEVICE, EVENT_WHAT_NONE,
								   RULE_UNKNOWN_DEVICE, p->cite_inventory, EVENT_MEDIUM);
			/* The zone's rule on the internet fills in where the device's own papers are silent. */
			if (end == 0 && COUNT(p, FORBIDS) && policy_who_internet(&k.ends[1]) &&
			    !(says && (v.kind == EVENT_DECLARED || v.rule == RULE_INTERNET))) {
				const struct policy_forbid *z = find_forbid(p, &k, true);
				if (z)
					says = policy_judge_fill(&v, EVENT_FORBIDDEN, EVENT_WHAT_INTERNET, RULE_FORBIDDEN, z->cite,
						    EVENT_HIGH);
			}
		}
		if (!says)
			continue;
		v.control = bypassed(p, &k, ips, end, &v, o->ts);
		if (k.service >= 0)
			contradicts(p, &k, end, &v);
		policy_judge_settle(p, &v, o->ts, &k.ends[!end]);
		ret[n++] = v;
	}
	return n;
}

