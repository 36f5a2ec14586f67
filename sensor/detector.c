#include "sensor/detector_state.h"

#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "rules/policy_accept.h"
#include "rules/rule.h"

static size_t sets_for(size_t entries)
{
	size_t sets = 1;
	while (sets * DETECTOR_WAYS < entries)
		sets <<= 1;
	return sets;
}

/* What was said of flows: as many as hosts, but a power of two, and no table of nothing or without end. */
static size_t flow_slots(const struct detector_config *c)
{
	size_t n = DETECTOR_MIN_FLOWS;
	while (n < c->assets && n < DETECTOR_MAX_FLOWS)
		n <<= 1;
	return n;
}

size_t detector_bytes(const struct detector_config *c)
{
	return sizeof(struct detector) + sets_for(c->assets) * DETECTOR_WAYS * sizeof(struct detector_asset) +
	       sets_for(c->folds) * DETECTOR_WAYS * (sizeof(struct detector_fold) + sizeof(struct detector_template)) +
	       flow_slots(c) * sizeof(struct detector_flow) + DETECTOR_FACT_SLOTS * sizeof(uint64_t) + attempts_bytes() +
	       losses_bytes() + conduct_bytes() + messages_bytes() + routers_bytes();
}

struct detector *detector_new(const struct detector_config *c)
{
	struct detector *d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->c = *c;
	d->asset_sets = sets_for(c->assets);
	d->fold_sets = sets_for(c->folds);
	d->assets = calloc(d->asset_sets * DETECTOR_WAYS, sizeof(*d->assets));
	d->folds = calloc(d->fold_sets * DETECTOR_WAYS, sizeof(*d->folds));
	d->templates = calloc(d->fold_sets * DETECTOR_WAYS, sizeof(*d->templates));
	d->flow_slots = flow_slots(c);
	d->flows = calloc(d->flow_slots, sizeof(*d->flows));
	d->attempts = attempts_new(&c->key, c->fold_ns);
	d->conduct = conduct_new(&c->key);
	d->routers = routers_new(&c->key);
	d->c.never_seen_ns = c->never_seen_ns ? c->never_seen_ns : DETECTOR_NEVER_SEEN_NS;
	d->messages = messages_new(&c->key);
	d->losses = losses_new(&c->key);
	d->facts = calloc(DETECTOR_FACT_SLOTS, sizeof(*d->facts));
	if (!d->assets || !d->folds || !d->templates || !d->flows || !d->facts || !d->attempts || !d->conduct || !d->routers ||
	    !d->messages || !d->losses) {
		detector_free(d);
		return NULL;
	}
	d->near[0] = d->near[1] = d->assets;
	struct event any = { .head.type = EVENT_SENSOR };
	event_text(&any, EVENT_F_sensor, span_str(c->sensor));
	d->sensor = any.sensor;
	detector_when(d);
	return d;
}

void detector_free(struct detector *d)
{
	if (!d)
		return;
	free(d->assets);
	free(d->folds);
	free(d->templates);
	free(d->flows);
	free(d->facts);
	attempts_free(d->attempts);
	messages_free(d->messages);
	losses_free(d->losses);
	conduct_free(d->conduct);
	routers_free(d->routers);
	free(d);
}

const struct stats *detector_stats(const struct detector *d) { return &d->stats; }

void detector_emit(struct detector *d, struct event *e, enum event_lane lane)
{
	DETECTOR_PUT(e, sensor, d->sensor);
	DETECTOR_PUT(e, epoch, d->c.epoch);
	DETECTOR_PUT(e, lane, lane);
	DETECTOR_PUT(e, seq, ++d->seq[lane]);
	d->stats.v[STATS_events]++;
	d->c.emit(d->c.arg, e);
}

void detector_event(struct event *e, enum rule_id rule, uint64_t ts_ns)
{
	const struct rule *r = rule_get(rule);
	e->head = (struct vocab_head){ .type = (uint16_t)r->family };
	DETECTOR_PUT(e, rule, ((struct span){ (const uint8_t *)r->id, r->id_n }));
	DETECTOR_PUT(e, ts, ts_ns);
	DETECTOR_PUT(e, ts_first, ts_ns);
	DETECTOR_PUT(e, severity, EVENT_INFO);
}

/* True the first time a fact is told; facts forgotten for want of room are told again. */
bool detector_fact_is_new(struct detector *d, const struct addr *ip, enum rule_id kind, struct span what, uint64_t number)
{
	uint8_t key[16 + 1 + 8 + 96 + 1];
	size_t n = what.n < 96 ? what.n : 96;
	memcpy(key, ip->b, 16);
	key[16] = (uint8_t)kind;
	memcpy(key + 17, &number, 8);
	if (n)
		memcpy(key + 25, what.p, n);
	key[25 + n] = d->space;
	uint64_t h = siphash_13(&d->c.key, key, 25 + n + (d->space ? 1 : 0));
	h = h ? h : 1;
	uint64_t *set = &d->facts[(h & (DETECTOR_FACT_SLOTS / DETECTOR_WAYS - 1)) * DETECTOR_WAYS];
	for (int i = 0; i < DETECTOR_WAYS; i++)
		if (set[i] == h)
			return false;
	for (int i = 0; i < DETECTOR_WAYS; i++)
		if (!set[i]) {
			set[i] = h;
			return true;
		}
	d->stats.v[STATS_assets_evicted]++;
	set[d->fact_turn++ & (DETECTOR_WAYS - 1)] = h;
	return true;
}

void detector_put_packet(struct event *e, const struct observation *o)
{
	DETECTOR_PUT(e, packet, o->packet);
	if (observation_has(o, OBSERVATION_F_file))
		DETECTOR_PUT(e, file, o->file);
}

/* ---- folding ---- */

static void fold_flush(struct detector *d, struct detector_fold *f)
{
	const struct detector_template *t = &d->templates[f - d->folds];
	struct cursor in = cursor_from((struct span){ t->bytes, t->len });
	struct event e = { 0 };
	if (f->pending && !vocab_decode_ours(&event_vocab, &e.head, &d->scratch, &in)) {
		event_uint(&e, EVENT_F_ts_first, f->said_ns);
		event_uint(&e, EVENT_F_ts, f->last_ns);
		event_uint(&e, EVENT_F_count, f->pending);
		/* Repeats with other hosts of the same class are no doings of the first. */
		if (f->peers) {
			event_unset(&e, EVENT_F_peer_addr);
			event_unset(&e, EVENT_F_flow);
			event_unset(&e, EVENT_F_packet);
			event_unset(&e, EVENT_F_file);
		}
		detector_emit(d, &e, (enum event_lane)e.lane);
	}
	f->pending = 0;
	f->peers = false;
	f->said_ns = f->last_ns;
}

void detector_accept(const struct detector *d, struct event *e)
{
	struct span accepted;
	if (d->policy && policy_accept_find(d->policy, e, &accepted)) {
		event_text(e, EVENT_F_accepted, accepted);
		event_uint(e, EVENT_F_severity, EVENT_INFO);
	}
}

/* Says an event the first time and keeps count of its repeats. */
void detector_say_in(struct detector *d, struct event *e, enum event_lane lane)
{
	if (lane == EVENT_LANE_ALERTS)
		detector_accept(d, e);
	uint8_t key[512];
	struct buf k = buf_over(key, sizeof(key));
	const struct span parts[] = { e->rule, e->device, event_has(e, EVENT_F_peer_class) ? e->peer_class : (struct span){ 0 },
				      event_has(e, EVENT_F_calling_ae) ? e->calling_ae : (struct span){ 0 } };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		buf_u16be(&k, (uint16_t)parts[i].n);
		buf_put(&k, parts[i].p, parts[i].n);
	}
	buf_u8(&k, event_has(e, EVENT_F_transport) ? (uint8_t)e->transport : 0xff);
	buf_u32be(&k, event_has(e, EVENT_F_port) ? (uint32_t)e->port : 0xffffffff);
	buf_u8(&k, event_has(e, EVENT_F_what) ? (uint8_t)e->what : 0xff);
	buf_u8(&k, event_has(e, EVENT_F_accepted));
	uint64_t h = siphash_13(&d->c.key, k.data, k.len);
	uint64_t peer = event_has(e, EVENT_F_peer_addr) ? siphash_13(&d->c.key, &e->peer_addr, sizeof(e->peer_addr)) : 0;
	struct detector_fold *set = &d->folds[(h & (d->fold_sets - 1)) * DETECTOR_WAYS], *victim = set;
	for (int i = 0; i < DETECTOR_WAYS; i++) {
		if (set[i].used && set[i].hash == h) {
			set[i].used = ++d->clock;
			set[i].pending++;
			set[i].peers = set[i].peers || set[i].peer != peer;
			set[i].last_ns = e->ts;
			if (e->ts - set[i].said_ns >= d->c.fold_ns && e->ts > set[i].said_ns)
				fold_flush(d, &set[i]);
			return;
		}
		if (set[i].used < victim->used)
			victim = &set[i];
	}
	if (victim->used) {
		d->stats.v[STATS_folds_evicted]++;
		fold_flush(d, victim);
	}
	*victim = (struct detector_fold){ .hash = h, .used = ++d->clock, .said_ns = e->ts, .last_ns = e->ts,
					  .peer = peer };
	event_uint(e, EVENT_F_count, 1);
	detector_emit(d, e, lane);
	/* Encoded after emit, which completed it. What does not fit is said once and not counted further:
	 * the longest event (all fields at their limits) is below DETECTOR_TEMPLATE_MAX, see the test. */
	struct detector_template *t = &d->templates[victim - d->folds];
	struct buf b = buf_over(t->bytes, sizeof(t->bytes));
	if (vocab_encode(&event_vocab, &e->head, &b))
		victim->used = 0;
	t->len = (uint16_t)b.len;
}

void detector_say(struct detector *d, struct event *e) { detector_say_in(d, e, EVENT_LANE_ALERTS); }

/* ---- verdicts ---- */

struct detector_flow *detector_flow_of(struct detector *d, const struct observation *o)
{
	struct detector_flow *m = &d->flows[o->flow & (d->flow_slots - 1)];
	bool same = m->flow == o->flow;
	if (same && m->generation == (uint32_t)d->generation)
		return m;
	/* What an earlier policy said of a flow is no part of what this one says. */
	bool outlived = same ? m->generation != 0 : o->head.type == OBSERVATION_FLOW_END;
	*m = (struct detector_flow){ .flow = o->flow, .generation = (uint32_t)d->generation, .outlived = outlived,
				     .client = same ? m->client : o->src,
				     .device = { POLICY_NONE, POLICY_NONE }, .row = { POLICY_NONE, POLICY_NONE } };
	return m;
}

/* ---- assets ---- */

static void asset_event(struct detector *d, enum rule_id rule, struct detector_end *who, const struct observation *o,
			void (*more)(struct event *e, const struct observation *o))
{
	struct event e;
	detector_event(&e, rule, o->ts);
	detector_put_device(d, &e, who);
	if (more)
		more(&e, o);
	detector_put_packet(&e, o);
	detector_emit(d, &e, EVENT_LANE_TELEMETRY);
}

static struct span service_of(const struct observation *o)
{
	return observation_has(o, OBSERVATION_F_service) ? o->service : span_str("unknown");
}

static void put_offered(struct event *e, const struct observation *o)
{
	DETECTOR_PUT(e, transport, o->transport);
	DETECTOR_PUT(e, port, o->dst.port);
	event_text(e, EVENT_F_service, service_of(o));
}

static void put_used(struct event *e, const struct observation *o)
{
	event_uint(e, EVENT_F_transport, o->transport);
	event_text(e, EVENT_F_service, service_of(o));
}

static void put_names(struct event *e, const struct observation *o)
{
	/* In an accept the titles are the request's echoed (PS3.8 9.3.3): only the implementation is the sender's. */
	if (o->head.type == OBSERVATION_DICOM_ASSOCIATE_REQUEST && observation_has(o, OBSERVATION_F_calling_ae))
		event_text(e, EVENT_F_ae_title, o->calling_ae);
	if (observation_has(o, OBSERVATION_F_implementation_uid))
		event_text(e, EVENT_F_implementation_uid, o->implementation_uid);
	if (observation_has(o, OBSERVATION_F_implementation_version))
		event_text(e, EVENT_F_implementation_version, o->implementation_version);
	if (observation_has(o, OBSERVATION_F_sending_app))
		event_text(e, EVENT_F_hl7_app, o->sending_app);
	if (observation_has(o, OBSERVATION_F_hostname))
		event_text(e, EVENT_F_hostname, o->hostname);
}

/* An address was seen with a hardware address. That is nothing new for the routers, but for how lately they heard of it. */
static void meet_card(struct detector *d, const struct observation *o, struct detector_asset *a, const struct mac *mac)
{
	enum { OFTEN = 16 };
	const struct addr *ip = &a->ip;
	bool same = a->has_mac && !memcmp(a->mac.b, mac->b, sizeof(mac->b));
	if (same && a->met_turn == routers_turn(d->routers) && ++a->met < OFTEN && !detector_leased(d, ip))
		return;
	a->mac = *mac;
	a->has_mac = true;
	if (detector_leased(d, ip))
		detector_lease_met(d, o, ip, &a->mac);
	bool router = routers_take(d->routers, &a->mac, ip);
	a->met = 0;
	a->met_turn = routers_turn(d->routers);
	detector_when(d);
	if (router) {
		struct detector_end who;
		detector_end_of(d, ip, &who);
		who.mac = &a->mac;
		asset_event(d, RULE_ROUTER, &who, o, NULL);
	}
}

static void meet(struct detector *d, const struct observation *o, bool dst)
{
	const struct addr *ip = dst ? &o->dst.ip : &o->src.ip;
	struct detector_asset *a = detector_asset(d, ip, false);
	if (!a && (addr_is_multicast(ip) || addr_is_broadcast(ip) || addr_is_zero(ip)))
		return;
	if (!a)
		a = detector_asset(d, ip, true);
	if (observation_has(o, dst ? OBSERVATION_F_dst_mac : OBSERVATION_F_src_mac))
		meet_card(d, o, a, dst ? &o->dst_mac : &o->src_mac);
	if (observation_has(o, OBSERVATION_F_vlan))
		a->vlan = (uint16_t)o->vlan;
	if (a->seen)
		return;
	a->seen = true;
	if (detector_fact_is_new(d, ip, RULE_ASSET_SEEN, (struct span){ 0 }, 0)) {
		struct detector_end who;
		detector_end_of(d, ip, &who);
		asset_event(d, RULE_ASSET_SEEN, &who, o, NULL);
	}
}

/* Whether what is said is what was said last: texts and numbers as one number, keyed, much cheaper than the table of facts, and good for
 * nothing but that. */
static inline uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static inline uint64_t mix_text(uint64_t h, struct span s)
{
	const uint8_t *p = s.p, *end = s.p + s.n;
	h = mix(h, s.n);
	for (; end - p >= 8; p += 8)
		h = mix(h, bytes_load(p));
	if (p == end)
		return h;
	/* The last bytes, with some of those before where there are. */
	if (s.n >= 8)
		return mix(h, bytes_load(end - 8));
	uint64_t few = 0;
	memcpy(&few, p, (size_t)(end - p));
	return mix(h, few);
}

static uint64_t mix_addr(const struct detector *d, const struct addr *ip)
{
	return mix(mix(d->c.key.k0, bytes_load(ip->b)), bytes_load(ip->b + 8) ^ d->c.key.k1);
}

/* False when this was told of the host last; a fact that was forgotten for want of room is not told again then. */
static bool is_news(struct detector *d, uint64_t *last, uint64_t said, const struct addr *ip, enum rule_id rule, struct span service,
		    uint64_t number)
{
	if (last && *last == said)
		return false;
	if (last)
		*last = said;
	return detector_fact_is_new(d, ip, rule, service, number);
}

static void learn_service(struct detector *d, const struct observation *o, struct detector_flow *m)
{
	struct span service = service_of(o);
	bool answered = observation_has(o, OBSERVATION_F_answered) && o->answered;
	uint64_t name = mix_text(d->c.key.k1, service), port = o->transport << 16 | o->dst.port;
	/* A flow's end says what its service said before. */
	uint64_t said = mix(name, port << 1 | answered);
	uint64_t of_flow = mix(said, bytes_load(o->dst.ip.b + 8));
	if (of_flow == m->service)
		return;
	m->service = of_flow;
	struct detector_end who;
	struct detector_asset *server = answered ? detector_asset(d, &o->dst.ip, false) : NULL;
	if (server) {
		server->serves_dicom |= span_eq(service, span_str("dicom"));
		server->serves_hl7 |= span_eq(service, span_str("hl7"));
	}
	if (answered && is_news(d, server ? &server->offers : NULL, said, &o->dst.ip, RULE_ASSET_SERVICE, service, port)) {
		detector_end_of(d, &o->dst.ip, &who);
		asset_event(d, RULE_ASSET_SERVICE, &who, o, put_offered);
	}
	if (o->half_open)
		return;
	struct detector_asset *client = detector_asset(d, &o->src.ip, false);
	if (is_news(d, client ? &client->uses : NULL, mix(name, o->transport), &o->src.ip, RULE_ASSET_CLIENT, service, o->transport)) {
		detector_end_of(d, &o->src.ip, &who);
		asset_event(d, RULE_ASSET_CLIENT, &who, o, put_used);
	}
}

/* What travels inside of TLS: what its port or ALPN say (tls.handshake, `assumed`), else what this server is known to speak in the
 * clear. Told as a service of the server, such as dicom-tls. */
static void learn_inside(struct detector *d, const struct observation *o)
{
	const struct detector_asset *server = detector_asset(d, &o->dst.ip, false);
	struct span inside = observation_has(o, OBSERVATION_F_assumed) ? o->assumed
			     : server && server->serves_dicom          ? span_str("dicom")
			     : server && server->serves_hl7            ? span_str("hl7")
								       : (struct span){ 0 };
	uint8_t text[32];
	struct buf b = buf_over(text, sizeof(text));
	(void)buf_put(&b, inside.p, inside.n);
	(void)buf_str(&b, "-tls");
	uint64_t port = (uint64_t)OBSERVATION_TCP << 16 | o->dst.port;
	if (!inside.n || !detector_fact_is_new(d, &o->dst.ip, RULE_ASSET_SERVICE, buf_span(&b), port))
		return;
	struct observation named = { .head.type = OBSERVATION_FLOW_SERVICE, .dst = o->dst };
	observation_uint(&named, OBSERVATION_F_packet, o->packet);
	if (observation_has(o, OBSERVATION_F_file))
		observation_uint(&named, OBSERVATION_F_file, o->file);
	observation_uint(&named, OBSERVATION_F_ts, o->ts);
	observation_uint(&named, OBSERVATION_F_transport, OBSERVATION_TCP);
	observation_text(&named, OBSERVATION_F_service, buf_span(&b));
	struct detector_end who;
	detector_end_of(d, &o->dst.ip, &who);
	asset_event(d, RULE_ASSET_SERVICE, &who, &named, put_offered);
}

/* Whether it has any of the fields below. */
static inline bool says_names(const struct observation *o)
{
#define BIT(w, f) ((f) >> 6 == (w) ? UINT64_C(1) << ((f) & 63) : 0)
#define NAMES(w)                                                                                                        \
	(BIT(w, OBSERVATION_F_calling_ae) | BIT(w, OBSERVATION_F_implementation_uid) |                                  \
	 BIT(w, OBSERVATION_F_implementation_version) | BIT(w, OBSERVATION_F_sending_app) | BIT(w, OBSERVATION_F_hostname))
	return (o->head.present[0] & NAMES(0)) | (o->head.present[1] & NAMES(1)) | (o->head.present[2] & NAMES(2)) |
	       (o->head.present[3] & NAMES(3));
#undef NAMES
#undef BIT
}

/* `m`: of the flow, where its ends speak for themselves. */
static void learn_names(struct detector *d, const struct observation *o, struct detector_flow *m)
{
	/* Titles in an accept are the request's (put_names). */
	bool title = o->head.type == OBSERVATION_DICOM_ASSOCIATE_REQUEST && observation_has(o, OBSERVATION_F_calling_ae);
	const struct { bool has; const struct span *text; } names[] = {
		{ title, &o->calling_ae },
		{ observation_has(o, OBSERVATION_F_implementation_uid), &o->implementation_uid },
		{ observation_has(o, OBSERVATION_F_implementation_version), &o->implementation_version },
		{ observation_has(o, OBSERVATION_F_sending_app), &o->sending_app },
		{ observation_has(o, OBSERVATION_F_hostname), &o->hostname },
	};
	enum { NAMES = sizeof(names) / sizeof(names[0]) };
	uint64_t said = mix_addr(d, &o->src.ip), nothing = said;
#pragma GCC unroll 5
	for (unsigned i = 0; i < NAMES; i++)
		if (names[i].has)
			said = mix_text(said ^ i, *names[i].text);
	uint64_t *last = m ? &m->names[o->src.port == m->client.port] : NULL;
	if (said == nothing || (last && *last == said))
		return;
	if (last)
		*last = said;
	uint8_t text[160];
	struct buf b = buf_over(text, sizeof(text));
	for (unsigned i = 0; i < NAMES; i++) {
		if (!names[i].has)
			continue;
		buf_u8(&b, (uint8_t)i);
		buf_put(&b, names[i].text->p, names[i].text->n);
	}
	if (!detector_fact_is_new(d, &o->src.ip, RULE_ASSET_NAME, buf_span(&b), 0))
		return;
	struct detector_end who;
	detector_end_of(d, &o->src.ip, &who);
	asset_event(d, RULE_ASSET_NAME, &who, o, put_names);
}

/* A client says its name when it asks, from no address yet; the server's answer says which address its card has. */
static void learn_lease(struct detector *d, struct observation *o)
{
	struct span name;
	if (!detector_lease_take(d, o, &name))
		return;
	/* From here on it is the client that speaks. */
	struct observation named = *o;
	named.src.ip = o->address;
	named.head.present[OBSERVATION_F_hostname >> 6] &= ~(UINT64_C(1) << (OBSERVATION_F_hostname & 63));
	if (name.n)
		observation_text(&named, OBSERVATION_F_hostname, name);
	detector_identity(d, &named);
	learn_names(d, &named, NULL);
}

/* ---- flows ---- */

static void flow_event(struct detector *d, struct observation *o, struct detector_flow *m)
{
	if (m->outlived && d->policy)
		detector_judge_outlived(d, o, m);
	struct detector_end ends[2];
	detector_end_of(d, &o->src.ip, &ends[0]);
	detector_end_of(d, &o->dst.ip, &ends[1]);
	/* Told from the end that has an entry; the caller's when both or neither have. */
	unsigned which = ends[0].host.device == POLICY_NONE && ends[1].host.device != POLICY_NONE;
	struct event e;
	detector_event(&e, RULE_FLOW_SUMMARY, o->ts);
	DETECTOR_PUT(&e, ts_first, o->started);
	detector_put_device(d, &e, &ends[which]);
	detector_put_peer(d, &e, &ends[1 - which]);
	DETECTOR_PUT(&e, initiator, which ? EVENT_INITIATOR_PEER : EVENT_INITIATOR_DEVICE);
	put_offered(&e, o);
	if (m->worst)
		DETECTOR_PUT(&e, verdict, m->worst - 1u);
	DETECTOR_PUT(&e, midstream, o->midstream);
	DETECTOR_PUT(&e, one_sided, o->one_sided);
	DETECTOR_PUT(&e, loss, o->gap_bytes || o->unread || o->end == OBSERVATION_END_EVICTED);
	DETECTOR_PUT(&e, packets_out, o->packets_out);
	DETECTOR_PUT(&e, packets_in, o->packets_in);
	DETECTOR_PUT(&e, bytes_out, o->bytes_out);
	DETECTOR_PUT(&e, bytes_in, o->bytes_in);
	DETECTOR_PUT(&e, flow, o->flow);
	detector_put_packet(&e, o);
	if (d->policy)
		DETECTOR_PUT(&e, generation, d->generation);
	detector_emit(d, &e, EVENT_LANE_TELEMETRY);
}

static void learn_conflict(struct detector *d, const struct observation *o)
{
	struct event e;
	detector_event(&e, RULE_CONFLICT, o->ts);
	struct detector_end ends[2];
	detector_end_of(d, &o->src.ip, &ends[0]);
	detector_end_of(d, &o->dst.ip, &ends[1]);
	detector_put_device(d, &e, &ends[0]);
	detector_put_peer(d, &e, &ends[1]);
	DETECTOR_PUT(&e, severity, EVENT_LOW);
	DETECTOR_PUT(&e, confidence, EVENT_CONFIDENCE_MEDIUM);
	DETECTOR_PUT(&e, transport, o->transport);
	bool lower = o->src.port < o->dst.port;
	DETECTOR_PUT(&e, port, lower ? o->src.port : o->dst.port);
	DETECTOR_PUT(&e, authority, EVENT_AUTH_SENSOR);
	DETECTOR_PUT(&e, flow, o->flow);
	detector_put_packet(&e, o);
	DETECTOR_PUT(&e, generation, d->generation);
	detector_say(d, &e);
}

/* PS3.10, 7.1 leaves the preamble to applications, and CVE-2019-11687 says what came of it. */
static void learn_preamble(struct detector *d, const struct observation *o)
{
	struct event e;
	detector_event(&e, RULE_DICOM_PREAMBLE, o->ts);
	struct detector_end ends[2];
	detector_end_of(d, &o->src.ip, &ends[0]);
	detector_end_of(d, &o->dst.ip, &ends[1]);
	detector_put_device(d, &e, &ends[0]);
	detector_put_peer(d, &e, &ends[1]);
	DETECTOR_PUT(&e, severity, EVENT_HIGH);
	DETECTOR_PUT(&e, confidence, EVENT_CONFIDENCE_HIGH);
	DETECTOR_PUT(&e, transport, OBSERVATION_TCP);
	DETECTOR_PUT(&e, port, o->src.port < o->dst.port ? o->src.port : o->dst.port);
	event_text(&e, EVENT_F_service, span_str("http"));
	DETECTOR_PUT(&e, authority, EVENT_AUTH_SENSOR);
	event_text(&e, EVENT_F_document, span_str("DICOM PS3.10"));
	event_text(&e, EVENT_F_row, span_str("7.1 (CVE-2019-11687)"));
	event_text(&e, EVENT_F_seen, span_str(vocab_word(&observation_vocab, OBSERVATION_F_preamble, o->preamble)));
	DETECTOR_PUT(&e, flow, o->flow);
	detector_put_packet(&e, o);
	DETECTOR_PUT(&e, generation, d->generation);
	detector_say(d, &e);
}

/* ---- the mirror ---- */

void detector_mirror(struct detector *d, enum mirror_finding f, uint32_t source, uint64_t value, uint64_t ts_ns)
{
	static const struct { enum rule_id rule; const char *counter; } says[] = {
		[MIRROR_SILENT] = { RULE_SENSOR_SILENT, "silent_seconds" },
		[MIRROR_VLAN_LOST] = { RULE_SENSOR_VLAN_LOST, "vlan" },
		[MIRROR_ONE_DIRECTION] = { RULE_SENSOR_ONE_DIRECTION, "one_sided_percent" },
		[MIRROR_DUPLICATES] = { RULE_SENSOR_DUPLICATES, "duplicate_percent" },
	};
	struct event e;
	detector_event(&e, says[f].rule, ts_ns);
	event_uint(&e, EVENT_F_severity, EVENT_MEDIUM);
	event_text(&e, EVENT_F_counter, span_str(says[f].counter));
	event_uint(&e, EVENT_F_value, value);
	if (source)
		event_uint(&e, EVENT_F_file, source);
	event_uint(&e, EVENT_F_generation, d->generation);
	detector_emit(d, &e, EVENT_LANE_TELEMETRY);
}

/* ---- what was not seen ---- */

static void learn_loss(struct detector *d, const struct observation *o)
{
	const struct addr *ends[2] = { &o->src.ip, &o->dst.ip };
	/* An attempt that made room for another one is no loss (sensor/stats.def, attempts_evicted). */
	bool evicted = o->end == OBSERVATION_END_EVICTED && !detector_is_attempt(o);
	for (int i = 0; i < 2; i++) {
		losses_take(d->losses, ends[i], d->space, LOSSES_GAP_BYTES, o->gap_bytes);
		losses_take(d->losses, ends[i], d->space, LOSSES_FLOWS_EVICTED, evicted);
		losses_take(d->losses, ends[i], d->space, LOSSES_FLOWS_UNREAD, o->unread);
	}
}

static void say_loss(struct detector *d, const struct losses_host *host, enum losses_kind kind, uint64_t n, uint64_t ts_ns)
{
	struct event e;
	detector_event(&e, RULE_SENSOR_LOSS, ts_ns);
	struct detector_end who;        /* the event borrows from it */
	if (host) {
		detector_space(d, host->space);
		detector_end_of(d, &host->ip, &who);
		detector_put_device(d, &e, &who);
		detector_space(d, 0);
	}
	event_text(&e, EVENT_F_counter, span_str(losses_name(kind)));
	event_uint(&e, EVENT_F_value, n);
	event_uint(&e, EVENT_F_generation, d->generation);
	detector_emit(d, &e, EVENT_LANE_TELEMETRY);
}

/* The hosts that lost most, most first; at the end also the rest in one. Until then those only that have lost more since. */
static void say_losses(struct detector *d, uint64_t ts_ns, bool end)
{
	for (int kind = 0; kind < LOSSES_KINDS; kind++) {
		struct losses_host *top[LOSSES_TOLD];
		uint64_t rest = 0;
		size_t n = losses_top(d->losses, (enum losses_kind)kind, top, &rest);
		for (size_t i = 0; i < n; i++) {
			if (!end && top[i]->n[kind] == top[i]->said[kind])
				continue;
			top[i]->said[kind] = top[i]->n[kind];
			say_loss(d, top[i], (enum losses_kind)kind, top[i]->n[kind], ts_ns);
		}
		if (end && rest)
			say_loss(d, NULL, (enum losses_kind)kind, rest, ts_ns);
	}
}

static void observe(struct detector *d, struct observation *o, struct detector_flow *m)
{
	switch (o->head.type) {
	case OBSERVATION_FLOW_OPEN:
	case OBSERVATION_FLOW_SERVICE:
		m->client = o->src;
		meet(d, o, false);
		if (o->answered)
			meet(d, o, true);
		if (o->head.type == OBSERVATION_FLOW_SERVICE)
			learn_service(d, o, m);
		break;
	case OBSERVATION_FLOW_END:
		/* A UDP server answers after its service was told; a silent TCP listener tells no service at all. */
		if (o->answered && (!o->half_open || o->packets_out)) {
			meet(d, o, true);
			learn_service(d, o, m);
		}
		if (o->gap_bytes || o->unread || o->end == OBSERVATION_END_EVICTED)
			learn_loss(d, o);
		if (m->row[0] != POLICY_NONE || m->row[1] != POLICY_NONE)
			detector_judge_later(d, o, m);
		if (d->c.mirror && o->transport == OBSERVATION_TCP && o->answered && !o->half_open)
			mirror_flow(d->c.mirror, o->one_sided);
		if (!detector_attempt(d, o, m) && d->c.flow_events)
			flow_event(d, o, m);
		return;
	case OBSERVATION_DICOM_PREAMBLE:
		learn_preamble(d, o);
		return;
	case OBSERVATION_STREAM_CONFLICT:
		learn_conflict(d, o);
		return;
	case OBSERVATION_DHCP_MESSAGE:
		learn_lease(d, o);
		return;
	default:
		if (o->head.type == OBSERVATION_TLS_HANDSHAKE)
			learn_inside(d, o);
		if (messages_takes(o))
			detector_message(d, o);
		if (detector_exposes(o))
			detector_exposure(d, o);
		detector_identity(d, o);
		if (says_names(o))
			learn_names(d, o, m);
		if (!d->policy || !policy_speaks(d->policy, o)) {
			/* What a row limits is counted, whatever is said of the titles. */
			if (o->head.type == OBSERVATION_DICOM_ASSOCIATE_REQUEST)
				detector_judge_later(d, o, m);
			return;
		}
		detector_lend(d, o);
		break;
	}
	if (!d->policy)
		return;
	if (o->head.type == OBSERVATION_FLOW_OPEN || (o->head.type == OBSERVATION_FLOW_SERVICE && o->answered))
		detector_judge_life(d, o, m);
	if (o->head.type == OBSERVATION_DICOM_ASSOCIATE_REQUEST)
		detector_judge_later(d, o, m);
	/* What waits is judged by what the flow says last, and that is still to come. */
	bool unanswered = o->head.type == OBSERVATION_FLOW_SERVICE && !o->answered;
	if (!m->waits || !unanswered)
		detector_judge_all(d, o, m, DETECTOR_MAY_WAIT);
	if (m->waits && unanswered)
		detector_doubt(d, o, m);
}

static void observe_near(struct detector *d, struct observation *o)
{
	if (d->doubts)
		detector_doubt_over(d, o);
	d->now_ns = o->ts;
	struct detector_flow *m = detector_flow_of(d, o);
	for (unsigned i = 0; i < 2; i++)
		d->near[i] = m->asset[i] ? m->asset[i] : d->assets;
	observe(d, o, m);
	for (unsigned i = 0; i < 2; i++)
		m->asset[i] = d->near[i];
}

void detector_observe(struct detector *d, struct observation *o)
{
	if (!observation_has(o, OBSERVATION_F_space) || !d->c.spaces) {
		observe_near(d, o);
		return;
	}
	detector_space(d, spaces_find(d->c.spaces, o->space));
	o->vlan = detector_vlan(d, 0);
	o->head.present[OBSERVATION_F_vlan >> 6] |= UINT64_C(1) << (OBSERVATION_F_vlan & 63);
	observe_near(d, o);
	detector_space(d, 0);
}

void detector_policy(struct detector *d, const struct policy *p, uint64_t generation, uint64_t now_ns)
{
	detector_doubt_over(d, NULL);
	/* What the old policy's rows were used for is said before they get other numbers. */
	detector_judge_unused(d, now_ns);
	/* Repeats counted so far are the old policy's; what goes on is said anew, by the new one. */
	for (size_t i = 0; d->policy && i < d->fold_sets * DETECTOR_WAYS; i++) {
		if (d->folds[i].used)
			fold_flush(d, &d->folds[i]);
		d->folds[i].used = 0;
	}
	d->policy = p;
	d->policies++;
	detector_when(d);
	d->generation = generation;
	detector_lease_policy(d);
	conduct_policy(d->conduct, p, now_ns);
	struct event e;
	detector_event(&e, RULE_SENSOR_POLICY, now_ns);
	event_text(&e, EVENT_F_counter, span_str("policy_devices"));
	event_uint(&e, EVENT_F_value, p ? policy_devices(p) : 0);
	event_uint(&e, EVENT_F_generation, generation);
	detector_emit(d, &e, EVENT_LANE_TELEMETRY);
}

void detector_policy_kept(struct detector *d, struct span why, uint64_t now_ns)
{
	struct event e;
	detector_event(&e, RULE_SENSOR_POLICY_KEPT, now_ns);
	event_uint(&e, EVENT_F_severity, EVENT_MEDIUM);
	event_text(&e, EVENT_F_why, why);
	event_uint(&e, EVENT_F_generation, d->generation);
	detector_emit(d, &e, EVENT_LANE_TELEMETRY);
}

void detector_restarted(struct detector *d, unsigned restarts, uint64_t now_ns)
{
	struct event e;
	detector_event(&e, RULE_SENSOR_RESTART, now_ns);
	event_text(&e, EVENT_F_counter, span_str("restarts"));
	event_uint(&e, EVENT_F_value, restarts);
	detector_emit(d, &e, EVENT_LANE_TELEMETRY);
}

void detector_unsandboxed(struct detector *d, uint64_t now_ns)
{
	struct event e;
	detector_event(&e, RULE_SENSOR_NO_SANDBOX, now_ns);
	event_uint(&e, EVENT_F_severity, EVENT_MEDIUM);
	event_text(&e, EVENT_F_counter, span_str("no_sandbox"));
	event_uint(&e, EVENT_F_value, 1);
	detector_emit(d, &e, EVENT_LANE_TELEMETRY);
}

void detector_tick(struct detector *d, uint64_t watermark_ns)
{
	/* A replay learns what time it is from its first packets, not when its policy is given. */
	if (!conduct_since(d->conduct))
		conduct_policy(d->conduct, d->policy, watermark_ns);
	detector_doubt_over(d, NULL);
	detector_unanswered(d, watermark_ns);
	/* The tables are walked once per fold time, not per batch. */
	if (watermark_ns < d->next_flush_ns)
		return;
	detector_judge_unused(d, watermark_ns);
	if (d->next_flush_ns)
		for (size_t i = 0; i < d->fold_sets * DETECTOR_WAYS; i++)
			if (d->folds[i].used && d->folds[i].pending && watermark_ns - d->folds[i].said_ns >= d->c.fold_ns)
				fold_flush(d, &d->folds[i]);
	if (d->next_flush_ns) {
		detector_scans(d, watermark_ns);
		detector_going_on(d, watermark_ns);
	}
	if (d->next_flush_ns)
		say_losses(d, watermark_ns, false);
	d->next_flush_ns = watermark_ns + d->c.fold_ns;
}

void detector_finish(struct detector *d, const struct stats *s, uint64_t watermark_ns)
{
	detector_doubt_over(d, NULL);
	detector_judge_unused(d, watermark_ns);
	for (size_t i = 0; i < d->fold_sets * DETECTOR_WAYS; i++)
		if (d->folds[i].used)
			fold_flush(d, &d->folds[i]);
	detector_scans(d, UINT64_MAX);
	struct stats sum = *s;
	stats_add(&sum, &d->stats);
	for (int c = 0; c < STATS_COUNTERS; c++) {
		if (!stats_is_loss((enum stats_counter)c) || !sum.v[c])
			continue;
		struct event e;
		detector_event(&e, RULE_SENSOR_COUNTER, watermark_ns);
		event_text(&e, EVENT_F_counter, span_str(stats_name((enum stats_counter)c)));
		event_uint(&e, EVENT_F_value, sum.v[c]);
		event_uint(&e, EVENT_F_generation, d->generation);
		detector_emit(d, &e, EVENT_LANE_TELEMETRY);
	}
	say_losses(d, watermark_ns, true);
}
