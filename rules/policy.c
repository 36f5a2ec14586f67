#include "rules/policy.h"

#include <sodium.h>
#include <string.h>

#include "core/clock.h"
#include "core/err.h"
#include "rules/policy_judge.h"
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
	[POLICY_S_MORES] = sizeof(struct policy_more),
	[POLICY_S_LIMITS] = sizeof(struct policy_limit),
	[POLICY_S_SPANS] = sizeof(struct policy_hours),
	[POLICY_S_WINDOWS] = sizeof(struct policy_window),
	[POLICY_S_CONTROLS] = sizeof(struct policy_control),
	[POLICY_S_ACCEPTS] = sizeof(struct policy_acceptance),
	[POLICY_S_MARKS] = sizeof(struct policy_mark_record),
};

size_t policy_record_size(unsigned section) { return record_size[section]; }

/* ---- names of protocols ---- */

static const struct {
	const char *name;
	uint8_t name_n, transport, tls, probed;         /* probed: the sensor knows it by content, so "unknown" is not it */
} protos[POLICY_PROTOS] = {
#define X(SYM, name, TRANSPORT, TLS, probed) { name, sizeof(name) - 1, OBSERVATION_##TRANSPORT, POLICY_TLS_##TLS, probed },
	POLICY_PROTO_LIST(X)
#undef X
};

const char *policy_proto_name(unsigned proto) { return proto < POLICY_PROTOS ? protos[proto].name : NULL; }
bool policy_proto_probed(unsigned proto) { return protos[proto].probed; }
unsigned policy_proto_transport(unsigned proto) { return protos[proto].transport; }
enum policy_tls policy_proto_tls(unsigned proto) { return protos[proto].tls; }

int policy_proto_find(struct span name)
{
	for (int i = 0; i < POLICY_PROTOS; i++)
		if (name.n == protos[i].name_n && name.p[0] == (uint8_t)protos[i].name[0] && !memcmp(name.p, protos[i].name, name.n))
			return i;
	return -1;
}

/* The protocol inside the TLS. */
unsigned policy_proto_base(unsigned proto)
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

bool policy_speaks(const struct policy *p, const struct observation *o)
{
	return o->head.type == OBSERVATION_FLOW_OPEN || o->head.type == OBSERVATION_FLOW_SERVICE || policy_message_speaks(p, o);
}

unsigned policy_check_who(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
			  struct verdict ret[static POLICY_MAX_VERDICTS])
{
	if (!policy_speaks(p, o))
		return 0;
	switch (o->head.type) {
	case OBSERVATION_DICOM_ASSOCIATE_REQUEST:
		return policy_message_request(p, o, ends, ret);
	case OBSERVATION_DICOM_COMMAND:
		return policy_message_command(p, o, ends, ret);
	case OBSERVATION_TLS_HANDSHAKE:
		return policy_message_tls(p, o, ends, ret);
	case OBSERVATION_HL7_MESSAGE:
		return policy_message_hl7(p, o, ends, ret);
	default:
		return policy_flow_check(p, o, ends, ret);
	}
}

unsigned policy_check(const struct policy *p, const struct observation *o, struct verdict ret[static POLICY_MAX_VERDICTS])
{
	struct policy_who ends[2];
	if (!policy_speaks(p, o))
		return 0;
	policy_who_ends(p, o, ends);
	return policy_check_who(p, o, ends, ret);
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
		.document = policy_judge_text(p, c->document),
		.revision = policy_judge_text(p, c->revision),
		.row = policy_judge_text(p, c->row),
		.said = policy_judge_text(p, c->said),
	};
}

size_t policy_devices(const struct policy *p) { return COUNT(p, DEVICES); }

void policy_device(const struct policy *p, uint32_t device, struct policy_device *ret)
{
	*ret = (struct policy_device){ 0 };
	if (device >= COUNT(p, DEVICES))
		return;
	const struct policy_unit *u = SECTION(p, DEVICES, struct policy_unit) + device;
	ret->id = policy_judge_text(p, u->id);
	ret->location = policy_judge_text(p, u->location);
	const struct policy_type *t = policy_who_type(p, device);
	if (!t)
		return;
	ret->type = policy_judge_text(p, t->id);
	ret->maker = policy_judge_text(p, t->maker);
	ret->model = policy_judge_text(p, t->model);
	ret->psirt = policy_judge_text(p, t->psirt);
}

unsigned policy_unit_mode(const struct policy *p, uint32_t device, uint64_t ts_ns)
{
	if (device >= COUNT(p, DEVICES))
		return POLICY_MODE_ALERT;
	const struct policy_unit *u = SECTION(p, DEVICES, struct policy_unit) + device;
	return u->mode_until_ns && ts_ns >= u->mode_until_ns ? POLICY_MODE_ALERT : u->mode;
}

/* ---- what a verdict points at ---- */

struct span policy_row_id(const struct policy *p, uint32_t row)
{
	const struct policy_more *m = row < COUNT(p, ROWS) ? policy_judge_more(p, SECTION(p, ROWS, struct policy_row) + row) : NULL;
	return m ? policy_judge_text(p, m->id) : (struct span){ 0 };
}

uint32_t policy_row_cite(const struct policy *p, uint32_t row)
{
	return row < COUNT(p, ROWS) ? SECTION(p, ROWS, struct policy_row)[row].cite : POLICY_NONE;
}

bool policy_row_in_force(const struct policy *p, uint32_t row)
{
	return row < COUNT(p, ROWS) && !(SECTION(p, ROWS, struct policy_row)[row].flags & POLICY_ROW_OFF);
}

struct span policy_window_name(const struct policy *p, uint32_t window)
{
	struct policy_cite c = { 0 };
	if (window < COUNT(p, WINDOWS))
		policy_cite(p, SECTION(p, WINDOWS, struct policy_window)[window].cite, &c);
	return c.row;
}

struct span policy_control_name(const struct policy *p, uint32_t control, uint32_t *ret_cite, bool *ret_by_maker)
{
	struct policy_cite c = { 0 };
	*ret_cite = POLICY_NONE;
	*ret_by_maker = false;
	if (control < COUNT(p, CONTROLS)) {
		const struct policy_control *k = SECTION(p, CONTROLS, struct policy_control) + control;
		*ret_cite = k->cite;
		*ret_by_maker = k->by_maker;
		policy_cite(p, k->cite, &c);
	}
	return c.said;
}

/* 1970-01-01 was a Thursday. */
static bool in_hours(const struct policy *p, const struct policy_limit *l, uint64_t ts_ns)
{
	int64_t minute = (int64_t)(ts_ns / (60 * CLOCK_SECOND)) + p->utc_offset_min;
	unsigned day = (unsigned)((minute / 1440 + 3) % 7), before = (day + 6) % 7, m = (unsigned)(minute % 1440);
	const struct policy_hours *h = SECTION(p, SPANS, struct policy_hours) + l->span_first;
	for (uint32_t i = 0; i < l->span_n; i++, h++) {
		bool today = h->days >> day & 1, yesterday = h->days >> before & 1;
		if (h->from < h->to ? today && m >= h->from && m < h->to
				    : (today && m >= h->from) || (yesterday && m < h->to))
			return true;
	}
	return false;
}

void policy_row_limits(const struct policy *p, uint32_t row, uint64_t ts_ns, struct policy_row_limits *ret)
{
	*ret = (struct policy_row_limits){ .cite = POLICY_NONE };
	if (row >= COUNT(p, ROWS))
		return;
	const struct policy_row *r = SECTION(p, ROWS, struct policy_row) + row;
	const struct policy_more *m = policy_judge_more(p, r);
	if (m && m->max_peers) {
		ret->max_peers = m->max_peers;
		ret->cite = r->cite;
	}
	if (!m || m->limits == POLICY_NONE)
		return;
	const struct policy_limit *l = SECTION(p, LIMITS, struct policy_limit) + m->limits;
	ret->session_ns = l->session_ns;
	ret->bytes_day = l->bytes_day;
	ret->conns_min = l->conns_min;
	ret->associations_min = l->associations_min;
	ret->idle_s = l->idle_s;
	ret->cite = l->cite;
	ret->off_hours = l->span_n && !in_hours(p, l, ts_ns);
}

uint32_t policy_unit_rows(const struct policy *p, uint32_t device, uint32_t *ret_first)
{
	*ret_first = 0;
	uint32_t set = device < COUNT(p, DEVICES) ? SECTION(p, DEVICES, struct policy_unit)[device].rowset : POLICY_NONE;
	if (set == POLICY_NONE)
		return 0;
	const struct policy_rowset *s = SECTION(p, ROWSETS, struct policy_rowset) + set;
	*ret_first = s->first;
	return s->n;
}

enum policy_life policy_unit_life(const struct policy *p, uint32_t device, uint64_t ts_ns, uint32_t *ret_cite)
{
	*ret_cite = POLICY_NONE;
	if (device >= COUNT(p, DEVICES))
		return POLICY_LIFE_SUPPORTED;
	const struct policy_unit *u = SECTION(p, DEVICES, struct policy_unit) + device;
	const struct policy_type *t = policy_who_type(p, device);
	if (u->network_ends_ns && ts_ns >= u->network_ends_ns) {
		*ret_cite = u->cite;
		return POLICY_LIFE_OFF_NETWORK;
	}
	if (t && t->ends_ns && ts_ns >= t->ends_ns) {
		*ret_cite = t->cite_ends;
		return POLICY_LIFE_OFF_NETWORK;
	}
	if (t && t->eos_ns && ts_ns >= t->eos_ns) {
		*ret_cite = t->cite_eos;
		return POLICY_LIFE_ENDED;
	}
	if (t && t->eol_ns && ts_ns >= t->eol_ns) {
		*ret_cite = t->cite_eol;
		return POLICY_LIFE_LIMITED;
	}
	return POLICY_LIFE_SUPPORTED;
}
