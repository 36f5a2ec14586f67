/* detector_rig.h -- for tests only: a detector with a policy of the test's own, fed observations; what it says becomes lines of JSON. */
#ifndef SENSOR_DETECTOR_RIG_H
#define SENSOR_DETECTOR_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "rules/policy_accept.h"
#include "rules/policy_mark.h"
#include "rules/policy_table.h"
#include "rules/rule.h"
#include "sensor/attempts.h"
#include "sensor/detector.h"
#include "sensor/spaces.h"

static const uint64_t STEP_NS = 1000000;

/* A policy of this test's own: what it answers is set per case. Defined here, these take the place of rules/policy.c. */
static struct verdict answer[POLICY_MAX_VERDICTS];
static unsigned answers;
static const char *unit_at_1 = "ct-1";

bool policy_speaks(const struct policy *p, const struct observation *o) { return (void)p, (void)o, true; }

/* Who was asked about, and how often. */
static unsigned finds;
static struct policy_who asked[2];

unsigned policy_check_who(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
			  struct verdict ret[static POLICY_MAX_VERDICTS])
{
	(void)p, (void)o;
	memcpy(asked, ends, sizeof(asked));
	memcpy(ret, answer, sizeof(answer));
	for (unsigned i = 0; i < answers; i++)
		ret[i].row = ret[i].window = ret[i].control = ret[i].answer_cite = POLICY_NONE;
	return answers;
}

/* Holds the address and the evidence in place of what a policy would say. */
void policy_who_find(const struct policy *p, const struct addr *ip, const struct mac *mac, uint16_t vlan, struct policy_who *w)
{
	(void)p;
	finds++;
	*w = (struct policy_who){ .device = ip->b[15] == 1 && unit_at_1 ? 0 : POLICY_NONE, .local = true,
		                  .zone = ip->b[15] | (uint32_t)(mac ? mac->b[5] : 0xff) << 8 | (uint32_t)vlan << 16 };
}

void policy_host(const struct policy *p, const struct addr *ip, const struct mac *mac, uint16_t vlan, struct policy_host *ret)
{
	struct policy_who w;
	policy_who_find(p, ip, mac, vlan, &w);
	policy_who_host(p, &w, ret);
}

void policy_who_host(const struct policy *p, const struct policy_who *w, struct policy_host *ret)
{
	(void)p;
	uint8_t last = (uint8_t)w->zone;
	*ret = (struct policy_host){ .device = POLICY_NONE, .by = EVENT_BY_NOTHING, .local = true };
	if (w->device == 0)
		*ret = (struct policy_host){ .device = 0, .by = EVENT_BY_IP, .id = span_str(unit_at_1), .type = span_str("example.ct"),
			                     .zone = span_str("imaging"), .local = true };
	else if (last == 2)
		ret->role = span_str("pacs");
	else if (last >= 200)
		ret->zone = span_str("office");
}

void policy_cite(const struct policy *p, uint32_t cite, struct policy_cite *ret)
{
	(void)p, (void)cite;
	*ret = (struct policy_cite){ EVENT_AUTH_DOCUMENT, span_str("IFU-X"), span_str("3"), span_str("X-1"), span_str("no port 22") };
}

static enum policy_plays plays = POLICY_PLAYS_UNSAID;

enum policy_plays policy_plays(const struct policy *p, const struct addr *ip, const char *role, uint32_t *ret_cite)
{
	(void)p, (void)role;
	*ret_cite = 0;
	return plays == POLICY_PLAYS_UNSAID ? plays : ip->b[15] == 1 ? POLICY_PLAYS_YES : POLICY_PLAYS_NO;
}

enum policy_card policy_card(const struct policy *p, uint32_t device, const struct mac *mac, uint32_t *ret_cite)
{
	(void)p, (void)device, (void)mac;
	*ret_cite = POLICY_NONE;
	return POLICY_CARD_UNSAID;
}

enum policy_mark policy_mark(const struct policy *p, uint32_t device, enum policy_mark_kind kind, struct span value, uint32_t *ret_unit,
			     uint32_t *ret_cite)
{
	(void)p, (void)kind;
	*ret_unit = *ret_cite = 0;
	if (!span_eq(value, span_str("ct-console")))
		return POLICY_MARK_UNSAID;
	return device == 0 ? POLICY_MARK_FITS : POLICY_MARK_ANOTHERS;
}

bool policy_mark_any(const struct policy *p) { return (void)p, true; }

static bool accepts;

bool policy_accept_find(const struct policy *p, const struct event *e, struct span *ret_id)
{
	(void)p, (void)e;
	*ret_id = span_str("3f2a9c0d11e4b7a8");
	return accepts;
}

size_t policy_devices(const struct policy *p) { return p ? 1 : 0; }

void policy_device(const struct policy *p, uint32_t device, struct policy_device *ret)
{
	(void)p, (void)device;
	*ret = (struct policy_device){ .id = span_str("us-1"), .type = span_str("example.us") };
}

unsigned policy_unit_mode(const struct policy *p, uint32_t device, uint64_t ts_ns)
{
	(void)p, (void)device, (void)ts_ns;
	return POLICY_MODE_ALERT;
}

void policy_row_limits(const struct policy *p, uint32_t row, uint64_t ts_ns, struct policy_row_limits *ret)
{
	(void)p, (void)row, (void)ts_ns;
	*ret = (struct policy_row_limits){ .cite = POLICY_NONE };
}

uint32_t policy_unit_rows(const struct policy *p, uint32_t device, uint32_t *ret_first)
{
	(void)p, (void)device;
	return *ret_first = 0;
}

enum policy_life policy_unit_life(const struct policy *p, uint32_t device, uint64_t ts_ns, uint32_t *ret_cite)
{
	(void)p, (void)device, (void)ts_ns;
	*ret_cite = POLICY_NONE;
	return POLICY_LIFE_SUPPORTED;
}

struct span policy_row_id(const struct policy *p, uint32_t row) { return (void)p, (void)row, (struct span){ 0 }; }
uint32_t policy_row_cite(const struct policy *p, uint32_t row) { return (void)p, (void)row, POLICY_NONE; }
bool policy_row_in_force(const struct policy *p, uint32_t row) { return (void)p, (void)row, false; }
struct span policy_window_name(const struct policy *p, uint32_t window) { return (void)p, (void)window, (struct span){ 0 }; }

struct span policy_control_name(const struct policy *p, uint32_t control, uint32_t *ret_cite, bool *ret_by_maker)
{
	(void)p, (void)control;
	*ret_cite = POLICY_NONE;
	*ret_by_maker = false;
	return (struct span){ 0 };
}

enum { LINES = 256 };
static char lines[LINES][2048];
static unsigned n_lines;

static inline void keep(void *arg, const struct event *e)
{
	(void)arg;
	struct buf b = buf_over(lines[n_lines], sizeof(lines[0]) - 1);
	if (n_lines < LINES - 1 && !vocab_json(&event_vocab, &e->head, &b))
		lines[n_lines++][b.len] = 0;
}

static struct spaces networks;

static inline struct detector *fresh(bool policy)
{
	static const uint64_t table = 0;
	struct detector_config c = { .sensor = "t", .epoch = 7, .assets = 64, .folds = 64, .fold_ns = 60 * UINT64_C(1000000000),
		                     .flow_events = true, .spaces = &networks, .emit = keep };
	struct detector *d = detector_new(&c);
	n_lines = 0;
	answers = 0;
	if (policy)
		detector_policy(d, (const struct policy *)(const void *)&table, 3, 1);
	n_lines = 0;
	return d;
}

static inline struct endpoint at(uint8_t last, uint16_t port)
{
	return (struct endpoint){ addr_from_v4((const uint8_t[]){ 10, 0, 0, last }), port };
}

static inline struct observation flow(enum observation_type type, uint64_t number, uint8_t src, uint8_t dst, uint16_t port)
{
	struct observation o = { .head.type = (uint16_t)type };
	struct endpoint s = at(src, 40000), d = at(dst, port);
	observation_uint(&o, OBSERVATION_F_packet, number);
	observation_uint(&o, OBSERVATION_F_ts, number * STEP_NS);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &s);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &d);
	observation_uint(&o, OBSERVATION_F_flow, number);
	observation_uint(&o, OBSERVATION_F_transport, OBSERVATION_TCP);
	observation_uint(&o, OBSERVATION_F_answered, 1);
	return o;
}

static inline unsigned count(const char *needle)
{
	unsigned n = 0;
	for (unsigned i = 0; i < n_lines; i++)
		n += strstr(lines[i], needle) != NULL;
	return n;
}

static inline const char *first(const char *needle)
{
	for (unsigned i = 0; i < n_lines; i++)
		if (strstr(lines[i], needle))
			return lines[i];
	return "";
}

static inline void breach(enum rule_id rule, enum event_verdict kind, bool src)
{
	answer[0] = (struct verdict){ .kind = kind, .what = EVENT_WHAT_LISTENER, .rule = rule, .device = 0, .severity = EVENT_HIGH,
		                      .confidence = EVENT_CONFIDENCE_HIGH, .device_is_src = src };
	answers = 1;
}

static inline void observe(struct detector *d, struct observation o) { detector_observe(d, &o); }

#endif
