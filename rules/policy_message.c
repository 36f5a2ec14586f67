/* What is said inside a flow: AE titles, SOP classes, HL7 messages. */
#include <string.h>

#include "rules/policy_judge.h"
#include "rules/rule.h"

#define SECTION POLICY_TABLE_SECTION
#define COUNT POLICY_TABLE_COUNT

static struct verdict blank(uint32_t device, bool is_src)
{
	return (struct verdict){ .device = device, .device_is_src = is_src, .confidence = EVENT_CONFIDENCE_HIGH, .row = POLICY_NONE,
				 .window = POLICY_NONE, .control = POLICY_NONE, .cite = POLICY_NONE, .answer_cite = POLICY_NONE };
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
unsigned policy_message_request(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
				struct verdict *v)
{
	if (!span_trim(o->calling_ae).n)
		return 0;
	const struct policy_unit *units = SECTION(p, DEVICES, struct policy_unit);
	const struct policy_ae *a = policy_who_ae(p, o->calling_ae);
	const struct policy_who src = ends[0], dst = ends[1];
	*v = blank(POLICY_NONE, false);
	if (a) {
		if (a->several || (src.device != POLICY_NONE && src.device == a->device) || src.info->roles & a->roles)
			return 0;
		if (a->device != POLICY_NONE) {
			if (units[a->device].by_mac && src.device == POLICY_NONE && !observation_has(o, OBSERVATION_F_src_mac))
				return 0;
			v->device = a->device;
			policy_judge_fill(v, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_AE_TITLE, RULE_AE_IMPERSONATION,
			     units[a->device].cite, EVENT_HIGH);
		} else if (a->roles) {
			v->device = src.device;
			policy_judge_fill(v, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_AE_TITLE, RULE_AE_IMPERSONATION,
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
		policy_judge_fill(v, EVENT_UNDECLARED, EVENT_WHAT_AE_TITLE, RULE_UNKNOWN_AE, v->cite,
		     src_known ? EVENT_MEDIUM : EVENT_HIGH);
	}
	policy_judge_settle(p, v, o->ts, v->device_is_src ? &dst : &src);
	return 1;
}

/* "ADT^A01", "ADT" (any trigger event) or "*" */
static bool message_fits(struct span pattern, struct span type)
{
	if (span_eq(pattern, (struct span){ (const uint8_t *)"*", 1 }) || span_eq(pattern, type))
		return true;
	return pattern.n < type.n && type.p[pattern.n] == '^' && !memcmp(pattern.p, type.p, pattern.n);
}

/* Any protocol inside of TLS. */
enum { IN_TLS = POLICY_PROTOS };

/* The next row of a unit, from *at on, that this message may belong to: of this protocol, in force, with this peer. A message may go
 * either way on a connection, so the row is looked for both as opened by the unit and as opened to it. */
static const struct policy_row *next_row(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
					 unsigned end, unsigned proto, uint32_t *at)
{
	uint32_t rowset = ends[end].device == POLICY_NONE
				  ? POLICY_NONE : SECTION(p, DEVICES, struct policy_unit)[ends[end].device].rowset;
	if (rowset == POLICY_NONE)
		return NULL;
	const struct policy_rowset *set = SECTION(p, ROWSETS, struct policy_rowset) + rowset;
	const struct policy_row *rows = SECTION(p, ROWS, struct policy_row) + set->first;
	uint16_t own = end ? o->dst.port : o->src.port, other = end ? o->src.port : o->dst.port;
	while (*at < set->n) {
		const struct policy_row *r = &rows[(*at)++];
		uint16_t port = r->side == POLICY_SIDE_OUT ? other : own;
		bool it = proto == IN_TLS ? r->tls != POLICY_TLS_NO : policy_proto_base(r->proto) == proto;
		if (it && r->transport == OBSERVATION_TCP && port >= r->lo && port <= r->hi &&
		    !(r->flags & POLICY_ROW_OFF) && policy_flow_peer(p, r, &ends[end], &ends[!end]) != POLICY_FIT_NO)
			return r;
	}
	return NULL;
}

/* The words of one kind in a row; how many. */
static uint32_t words_of(const struct policy *p, const struct policy_row *r, unsigned kind, const struct policy_text **ret)
{
	const struct policy_more *m = policy_judge_more(p, r);
	if (!m)
		return 0;
	uint32_t first = m->words_first;
	for (unsigned w = 0; w < kind; w++)
		first += m->words_n[w];
	*ret = SECTION(p, WORDS, struct policy_text) + first;
	return m->words_n[kind];
}

static bool word_fits(const struct policy *p, const struct policy_row *r, unsigned kind, struct span seen)
{
	const struct policy_text *w = NULL;
	uint32_t n = words_of(p, r, kind, &w);
	bool fits = !n;
	for (uint32_t i = 0; i < n && !fits; i++)
		fits = kind == POLICY_W_TYPES ? message_fits(policy_judge_text(p, w[i]), seen)
					      : span_eq(policy_judge_text(p, w[i]), seen);
	return fits;
}

static bool judge_hl7(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2], unsigned end,
		      struct verdict *v)
{
	const struct policy_row *r, *wrong = NULL;
	bool wrong_type = false;
	for (uint32_t at = 0; (r = next_row(p, o, ends, end, POLICY_PROTO_HL7, &at));) {
		bool type = word_fits(p, r, POLICY_W_TYPES, o->message_type);
		if (type && word_fits(p, r, POLICY_W_SENDING_APPS, o->sending_app) &&
		    word_fits(p, r, POLICY_W_SENDING_FACS, o->sending_facility) &&
		    word_fits(p, r, POLICY_W_RECEIVING_APPS, o->receiving_app) &&
		    word_fits(p, r, POLICY_W_RECEIVING_FACS, o->receiving_facility) && word_fits(p, r, POLICY_W_VERSIONS, o->version))
			return false;
		wrong = r;
		wrong_type = !type;
	}
	if (!wrong)
		return false;
	*v = blank(ends[end].device, end == 0);
	return policy_judge_row(p, v, EVENT_SEEN_DIFFERENTLY, wrong_type ? EVENT_WHAT_HL7_TYPE : EVENT_WHAT_HL7_APP, RULE_HL7_MESSAGE,
				wrong, EVENT_MEDIUM);
}

unsigned policy_message_hl7(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
			    struct verdict *ret)
{
	unsigned n = 0;
	for (unsigned end = 0; end < 2; end++)
		if (judge_hl7(p, o, ends, end, &ret[n]))
			policy_judge_settle(p, &ret[n++], o->ts, &ends[!end]);
	return n;
}

/* ---- TLS ---- */

/* The version that was agreed on, as the documents number it; UNSAID: none of theirs. */
static unsigned agreed(uint64_t version)
{
	static const uint8_t as[] = { [OBSERVATION_TLS_SSL2] = POLICY_TLS_UNSAID, [OBSERVATION_TLS_SSL3] = POLICY_TLS_UNSAID,
				      [OBSERVATION_TLS_10] = POLICY_TLS_1_0, [OBSERVATION_TLS_11] = POLICY_TLS_1_1,
				      [OBSERVATION_TLS_12] = POLICY_TLS_1_2, [OBSERVATION_TLS_13] = POLICY_TLS_1_3 };
	return version < sizeof(as) ? as[version] : POLICY_TLS_1_3;
}

static bool judge_tls(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2], unsigned end,
		      struct verdict *v)
{
	const struct policy_row *r, *wrong = NULL;
	for (uint32_t at = 0; (r = next_row(p, o, ends, end, IN_TLS, &at));) {
		const struct policy_more *m = policy_judge_more(p, r);
		/* Who opened is known: the row of the other side says nothing here. */
		if ((r->side == POLICY_SIDE_OUT) != (end == 0))
			continue;
		if (!m || m->tls_min <= agreed(o->tls_version))
			return false;
		wrong = r;
	}
	if (!wrong)
		return false;
	*v = blank(ends[end].device, end == 0);
	return policy_judge_row(p, v, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_TLS_VERSION, RULE_TLS_VERSION, wrong, EVENT_HIGH);
}

unsigned policy_message_tls(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
			    struct verdict *ret)
{
	unsigned n = 0;
	for (unsigned end = 0; end < 2; end++)
		if (judge_tls(p, o, ends, end, &ret[n]))
			policy_judge_settle(p, &ret[n++], o->ts, &ends[!end]);
	return n;
}

/* ---- DIMSE ---- */

/* "1.2.840.10008.5.1.4.1.1.2", or "1.2.3.*" for all below */
static bool sop_fits(struct span pattern, struct span uid)
{
	if (pattern.n > 2 && pattern.p[pattern.n - 1] == '*' && pattern.p[pattern.n - 2] == '.')
		return uid.n >= pattern.n && !memcmp(pattern.p, uid.p, pattern.n - 1);
	return span_eq(pattern, uid);
}

static bool role_fits(unsigned declared, unsigned acts)
{
	return declared == POLICY_DICOM_UNSAID || declared == POLICY_DICOM_BOTH || declared == acts;
}

/* What the row says of this class in this role. */
enum sop_says { SOP_FITS, SOP_ROLE, SOP_UNKNOWN };
static enum sop_says row_says(const struct policy *p, const struct policy_row *r, struct span uid, unsigned acts)
{
	const struct policy_text *w = NULL;
	uint32_t n = words_of(p, r, POLICY_W_SOPS, &w);
	enum sop_says best = SOP_UNKNOWN;
	const struct policy_more *m = policy_judge_more(p, r);
	if (!n)
		return !m || role_fits(m->role, acts) ? SOP_FITS : SOP_ROLE;
	for (uint32_t i = 0; i < n; i++) {
		struct span s = policy_judge_text(p, w[i]);
		if (s.n < 2 || !sop_fits(span_from(s, 1), uid))
			continue;
		if (role_fits((unsigned)(s.p[0] - '0'), acts))
			return SOP_FITS;
		best = SOP_ROLE;
	}
	return best;
}

static bool is_request(uint64_t command)
{
	switch (command) {
	case OBSERVATION_C_STORE_RQ: case OBSERVATION_C_GET_RQ: case OBSERVATION_C_FIND_RQ: case OBSERVATION_C_MOVE_RQ:
	case OBSERVATION_N_EVENT_REPORT_RQ: case OBSERVATION_N_GET_RQ: case OBSERVATION_N_SET_RQ:
	case OBSERVATION_N_ACTION_RQ: case OBSERVATION_N_CREATE_RQ: case OBSERVATION_N_DELETE_RQ:
		return true;
	default:
		/* PS3.4 A.4: verification is what everybody may ask, C-CANCEL belongs to what was asked before. */
		return false;
	}
}

/* PS3.7 7: the user of a service asks, but for N-EVENT-REPORT, which its provider sends. Stores that answer a C-GET
 * come from the side that was called (PS3.4 C.4.3), and are the retrieval's. */
static bool judge_command(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2], unsigned end,
			  struct verdict *v)
{
	const struct policy_row *r, *wrong = NULL;
	enum sop_says says = SOP_UNKNOWN;
	bool asks = (end == 0) != (o->command == OBSERVATION_N_EVENT_REPORT_RQ);
	unsigned acts = asks ? POLICY_DICOM_SCU : POLICY_DICOM_SCP;
	for (uint32_t at = 0; (r = next_row(p, o, ends, end, POLICY_PROTO_DICOM, &at));) {
		bool from_called = (end == 0) == (r->side == POLICY_SIDE_IN);
		if (o->command == OBSERVATION_C_STORE_RQ && from_called)
			return false;
		enum sop_says this = row_says(p, r, o->sop_class, acts);
		if (this == SOP_FITS)
			return false;
		if (!wrong || this < says) {
			wrong = r;
			says = this;
		}
	}
	if (!wrong)
		return false;
	*v = blank(ends[end].device, end == 0);
	return policy_judge_row(p, v, EVENT_SEEN_DIFFERENTLY, says == SOP_ROLE ? EVENT_WHAT_ROLE : EVENT_WHAT_SOP_CLASS,
				says == SOP_ROLE ? RULE_DICOM_ROLE : RULE_SOP_CLASS, wrong, EVENT_MEDIUM);
}

unsigned policy_message_command(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
				struct verdict *ret)
{
	unsigned n = 0;
	for (unsigned end = 0; end < 2; end++)
		if (judge_command(p, o, ends, end, &ret[n]))
			policy_judge_settle(p, &ret[n++], o->ts, &ends[!end]);
	return n;
}

bool policy_message_speaks(const struct policy *p, const struct observation *o)
{
	switch (o->head.type) {
	case OBSERVATION_DICOM_ASSOCIATE_REQUEST:
		return p->titles && observation_has(o, OBSERVATION_F_calling_ae);
	case OBSERVATION_DICOM_COMMAND:
		return is_request(o->command) && observation_has(o, OBSERVATION_F_sop_class) && o->sop_class.n;
	case OBSERVATION_TLS_HANDSHAKE:
		return observation_has(o, OBSERVATION_F_tls_version);
	case OBSERVATION_HL7_MESSAGE:
		return COUNT(p, WORDS) != 0;
	default:
		return false;
	}
}
