#include "sensor/detector.h"

#include <stdlib.h>
#include <string.h>

#include "rules/rule.h"
#include "sensor/attempts.h"
#include "sensor/losses.h"

/* Tables are set-associative: a key has WAYS places, the one used longest ago gives way. Bounded work per
 * look-up, no chains to attack, and what is evicted depends on nothing but the order of observations. */
enum { WAYS = 8, FLOW_SLOTS = 1 << 16, FACT_SLOTS = 1 << 17 };

/* What we know of an address, so that observations without frames (dicom.*, hl7.*) find their device. */
struct asset {
	uint64_t hash, used;            /* used 0: empty */
	struct addr ip;
	struct mac mac;
	uint16_t vlan;
	bool has_mac;
};

/* What was said about a flow. Direct-mapped: a collision forgets, and a repeat is counted twice. */
struct flow_memory {
	uint64_t flow;
	struct endpoint client;
	uint8_t said[2];                /* breach already said for that end: rule + 1 */
	uint8_t worst;                  /* enum event_verdict + 1 for the flow event */
};

/* An event said once, kept encoded so that its repeats can be told later with a count. */
struct fold {
	uint64_t hash, used, said_ns, last_ns, pending;
	uint16_t len;
	uint8_t bytes[DETECTOR_TEMPLATE_MAX];
};

struct detector {
	struct detector_config c;
	const struct policy *policy;
	uint64_t generation, clock, seq[EVENT_LANES];
	struct stats stats;
	struct asset *assets;
	struct fold *folds;
	struct flow_memory *flows;
	struct attempts *attempts;
	struct losses *losses;
	uint64_t *facts;
	uint64_t fact_turn, next_flush_ns;
	size_t asset_sets, fold_sets;
	struct vocab_scratch scratch;
};

static size_t sets_for(size_t entries)
{
	size_t sets = 1;
	while (sets * WAYS < entries)
		sets <<= 1;
	return sets;
}

size_t detector_bytes(const struct detector_config *c)
{
	return sizeof(struct detector) + sets_for(c->assets) * WAYS * sizeof(struct asset) +
	       sets_for(c->folds) * WAYS * sizeof(struct fold) + FLOW_SLOTS * sizeof(struct flow_memory) +
	       FACT_SLOTS * sizeof(uint64_t) + attempts_bytes() + losses_bytes();
}

struct detector *detector_new(const struct detector_config *c)
{
	struct detector *d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->c = *c;
	d->asset_sets = sets_for(c->assets);
	d->fold_sets = sets_for(c->folds);
	d->assets = calloc(d->asset_sets * WAYS, sizeof(*d->assets));
	d->folds = calloc(d->fold_sets * WAYS, sizeof(*d->folds));
	d->flows = calloc(FLOW_SLOTS, sizeof(*d->flows));
	d->attempts = attempts_new(&c->key, c->fold_ns);
	d->losses = losses_new(&c->key);
	d->facts = calloc(FACT_SLOTS, sizeof(*d->facts));
	if (!d->assets || !d->folds || !d->flows || !d->facts || !d->attempts || !d->losses) {
		detector_free(d);
		return NULL;
	}
	return d;
}

void detector_free(struct detector *d)
{
	if (!d)
		return;
	free(d->assets);
	free(d->folds);
	free(d->flows);
	free(d->facts);
	attempts_free(d->attempts);
	losses_free(d->losses);
	free(d);
}

const struct stats *detector_stats(const struct detector *d) { return &d->stats; }

static void emit(struct detector *d, struct event *e, enum event_lane lane)
{
	event_text(e, EVENT_F_sensor, span_str(d->c.sensor));
	event_uint(e, EVENT_F_epoch, d->c.epoch);
	event_uint(e, EVENT_F_lane, lane);
	event_uint(e, EVENT_F_seq, ++d->seq[lane]);
	d->stats.v[STATS_events]++;
	d->c.emit(d->c.arg, e);
}

static struct event event_of(enum rule_id rule, uint64_t ts_ns)
{
	const struct rule *r = rule_get(rule);
	struct event e = { .head.type = (uint16_t)r->family };
	event_text(&e, EVENT_F_rule, span_str(r->id));
	event_uint(&e, EVENT_F_ts, ts_ns);
	event_uint(&e, EVENT_F_ts_first, ts_ns);
	event_uint(&e, EVENT_F_severity, EVENT_INFO);
	return e;
}

/* ---- addresses ---- */

static uint64_t hash_addr(const struct detector *d, const struct addr *ip)
{
	uint64_t h = siphash_13(&d->c.key, ip->b, sizeof(ip->b));
	return h ? h : 1;
}

static struct asset *asset_find(struct detector *d, const struct addr *ip, bool make)
{
	uint64_t h = hash_addr(d, ip);
	struct asset *set = &d->assets[(h & (d->asset_sets - 1)) * WAYS], *victim = set;
	for (int i = 0; i < WAYS; i++) {
		if (set[i].used && set[i].hash == h && !addr_cmp(&set[i].ip, ip)) {
			set[i].used = ++d->clock;
			return &set[i];
		}
		if (set[i].used < victim->used)
			victim = &set[i];
	}
	if (!make)
		return NULL;
	if (victim->used)
		d->stats.v[STATS_assets_evicted]++;
	*victim = (struct asset){ .hash = h, .used = ++d->clock, .ip = *ip };
	return victim;
}

/* True the first time a fact is told; facts forgotten for want of room are told again. */
static bool fact_is_new(struct detector *d, const struct addr *ip, enum rule_id kind, struct span what, uint64_t number)
{
	uint8_t key[16 + 1 + 8 + 96];
	size_t n = what.n < 96 ? what.n : 96;
	memcpy(key, ip->b, 16);
	key[16] = (uint8_t)kind;
	memcpy(key + 17, &number, 8);
	if (n)
		memcpy(key + 25, what.p, n);
	uint64_t h = siphash_13(&d->c.key, key, 25 + n);
	h = h ? h : 1;
	uint64_t *set = &d->facts[(h & (FACT_SLOTS / WAYS - 1)) * WAYS];
	for (int i = 0; i < WAYS; i++)
		if (set[i] == h)
			return false;
	for (int i = 0; i < WAYS; i++)
		if (!set[i]) {
			set[i] = h;
			return true;
		}
	d->stats.v[STATS_assets_evicted]++;
	set[d->fact_turn++ & (WAYS - 1)] = h;
	return true;
}

/* ---- who is at an end ---- */

struct end {
	struct addr ip;
	const struct mac *mac;
	struct policy_host host;
	char addr[ADDR_STRLEN];
};

static void end_of(struct detector *d, const struct addr *ip, struct end *ret)
{
	*ret = (struct end){ .ip = *ip, .host = { .device = POLICY_NONE, .by = EVENT_BY_NOTHING } };
	struct asset *a = asset_find(d, ip, false);
	ret->mac = a && a->has_mac ? &a->mac : NULL;
	if (d->policy)
		policy_host(d->policy, ip, ret->mac, a ? a->vlan : 0, &ret->host);
	addr_str(ip, ret->addr);
}

static void put_device(struct event *e, const struct end *who)
{
	const struct policy_host *h = &who->host;
	event_text(e, EVENT_F_device, h->device != POLICY_NONE ? h->id : span_str(who->addr));
	if (h->type.n)
		event_text(e, EVENT_F_device_type, h->type);
	event_uint(e, EVENT_F_device_by, h->by);
	vocab_set_addr(&event_vocab, &e->head, EVENT_F_device_addr, &who->ip);
	if (who->mac)
		vocab_set_mac(&event_vocab, &e->head, EVENT_F_device_mac, who->mac);
	if (h->zone.n)
		event_text(e, EVENT_F_device_zone, h->zone);
}

/* What an alert folds by: the most lasting name the other end has. */
static struct span peer_class(const struct policy *p, const struct end *who)
{
	const struct policy_host *h = &who->host;
	if (h->device != POLICY_NONE)
		return h->id;
	if (h->role.n)
		return h->role;
	if (h->zone.n)
		return h->zone;
	if (p && !h->local && !addr_is_private(&who->ip) && !addr_is_multicast(&who->ip))
		return span_str("internet");
	return span_str(who->addr);
}

static void put_peer(struct detector *d, struct event *e, const struct end *who)
{
	const struct policy_host *h = &who->host;
	if (h->device != POLICY_NONE)
		event_text(e, EVENT_F_peer, h->id);
	else if (h->role.n)
		event_text(e, EVENT_F_peer, h->role);
	event_text(e, EVENT_F_peer_class, peer_class(d->policy, who));
	vocab_set_addr(&event_vocab, &e->head, EVENT_F_peer_addr, &who->ip);
	if (h->zone.n)
		event_text(e, EVENT_F_peer_zone, h->zone);
}

static void put_packet(struct event *e, const struct observation *o)
{
	event_uint(e, EVENT_F_packet, o->packet);
	if (observation_has(o, OBSERVATION_F_file))
		event_uint(e, EVENT_F_file, o->file);
}

/* ---- folding ---- */

static void fold_flush(struct detector *d, struct fold *f)
{
	struct cursor in = cursor_from((struct span){ f->bytes, f->len });
	struct event e = { 0 };
	if (f->pending && !vocab_decode_ours(&event_vocab, &e.head, &d->scratch, &in)) {
		event_uint(&e, EVENT_F_ts_first, f->said_ns);
		event_uint(&e, EVENT_F_ts, f->last_ns);
		event_uint(&e, EVENT_F_count, f->pending);
		emit(d, &e, EVENT_LANE_ALERTS);
	}
	f->pending = 0;
	f->said_ns = f->last_ns;
}

/* Says an event the first time and keeps count of its repeats. */
static void say(struct detector *d, struct event *e)
{
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
	uint64_t h = siphash_13(&d->c.key, k.data, k.len);
	struct fold *set = &d->folds[(h & (d->fold_sets - 1)) * WAYS], *victim = set;
	for (int i = 0; i < WAYS; i++) {
		if (set[i].used && set[i].hash == h) {
			set[i].used = ++d->clock;
			set[i].pending++;
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
	*victim = (struct fold){ .hash = h, .used = ++d->clock, .said_ns = e->ts, .last_ns = e->ts };
	event_uint(e, EVENT_F_count, 1);
	emit(d, e, EVENT_LANE_ALERTS);
	/* Encoded after emit, which completed it. What does not fit is said once and not counted further:
	 * the longest event (all fields at their limits) is below DETECTOR_TEMPLATE_MAX, see the test. */
	struct buf b = buf_over(victim->bytes, sizeof(victim->bytes));
	if (vocab_encode(&event_vocab, &e->head, &b))
		victim->used = 0;
	victim->len = (uint16_t)b.len;
}

/* ---- verdicts ---- */

static struct flow_memory *flow_memory(struct detector *d, const struct observation *o)
{
	struct flow_memory *m = &d->flows[o->flow & (FLOW_SLOTS - 1)];
	if (m->flow != o->flow)
		*m = (struct flow_memory){ .flow = o->flow };
	return m;
}

static bool is_breach(enum event_verdict v)
{
	return v != EVENT_DECLARED && v != EVENT_CANNOT_SAY;
}

/* The published precedence (docs/profiles.md), for the one verdict that a flow summary shows. */
static const uint8_t rank[EVENT_VERDICTS] = {
	[EVENT_DECLARED] = 0,         [EVENT_CANNOT_SAY] = 1, [EVENT_UNKNOWN_DEVICE] = 2,    [EVENT_UNDECLARED] = 3,
	[EVENT_SEEN_DIFFERENTLY] = 4, [EVENT_DISABLED_BUT_USED] = 5, [EVENT_FORBIDDEN] = 6,
};

static bool is_flow(const struct observation *o)
{
	return o->head.type == OBSERVATION_FLOW_OPEN || o->head.type == OBSERVATION_FLOW_SERVICE ||
	       o->head.type == OBSERVATION_FLOW_END;
}

/* Whether src is the side that called; for messages it follows from what the flow said. */
static bool src_is_client(const struct observation *o, const struct flow_memory *m)
{
	if (is_flow(o) || o->head.type == OBSERVATION_DICOM_ASSOCIATE_REQUEST)
		return true;
	if (o->head.type == OBSERVATION_DICOM_ASSOCIATE_ACCEPT || o->head.type == OBSERVATION_DICOM_ASSOCIATE_REJECT)
		return false;
	return m->client.port != o->dst.port || addr_cmp(&m->client.ip, &o->dst.ip);
}

/* "tcp/22 ssh": what a person compares with the document. */
static void put_seen(struct event *e, const struct observation *o, uint16_t port, struct buf *text)
{
	static const char *const transports[] = { "tcp", "udp", "icmp", "other" };
	if (e->rule.n && observation_has(o, OBSERVATION_F_calling_ae)) {
		buf_str(text, "AE ");
		buf_put(text, o->calling_ae.p, o->calling_ae.n);
	} else {
		uint64_t t = observation_has(o, OBSERVATION_F_transport) && o->transport < 4 ? o->transport : 0;
		buf_printf(text, "%s/%u", transports[t], port);
		if (observation_has(o, OBSERVATION_F_service)) {
			buf_u8(text, ' ');
			buf_put(text, o->service.p, o->service.n);
		}
	}
	event_text(e, EVENT_F_seen, buf_span(text));
}

static void judge(struct detector *d, const struct observation *o, const struct verdict *v, struct flow_memory *m)
{
	unsigned which = v->device_is_src ? 0 : 1;
	if (!m->worst || rank[v->kind] > rank[m->worst - 1])
		m->worst = (uint8_t)(v->kind + 1);
	if (v->kind == EVENT_DECLARED)
		return;
	/* A flow is judged when it opens and again when its protocol is known: one breach per end is enough. */
	if (is_flow(o) && m->said[which])
		return;
	if (is_flow(o) && is_breach(v->kind))
		m->said[which] = (uint8_t)(v->rule + 1);

	struct end ends[2], *device = &ends[which], *peer = &ends[1 - which], unit;
	end_of(d, &o->src.ip, &ends[0]);
	end_of(d, &o->dst.ip, &ends[1]);
	bool client = src_is_client(o, m);
	uint16_t port = client ? o->dst.port : o->src.port;
	enum event_initiator initiator = (which == 0) == client ? EVENT_INITIATOR_DEVICE : EVENT_INITIATOR_PEER;
	if (v->device != POLICY_NONE && device->host.device != v->device) {
		/* Judged is a third unit, whose name the host at `device` used. */
		struct policy_device pd;
		policy_device(d->policy, v->device, &pd);
		unit = (struct end){ .host = { .device = v->device, .id = pd.id, .type = pd.type } };
		peer = device;
		device = &unit;
		initiator = EVENT_INITIATOR_PEER;
	}
	struct event e = event_of(v->rule, o->ts);
	if (device == &unit) {
		event_text(&e, EVENT_F_device, unit.host.id);
		if (unit.host.type.n)
			event_text(&e, EVENT_F_device_type, unit.host.type);
		event_uint(&e, EVENT_F_device_by, EVENT_BY_NOTHING);
	} else {
		put_device(&e, device);
	}
	put_peer(d, &e, peer);
	event_uint(&e, EVENT_F_severity, v->severity);
	event_uint(&e, EVENT_F_confidence, v->confidence);
	event_uint(&e, EVENT_F_verdict, v->kind);
	event_uint(&e, EVENT_F_what, v->what);
	event_uint(&e, EVENT_F_initiator, initiator);
	event_uint(&e, EVENT_F_transport, observation_has(o, OBSERVATION_F_transport) ? o->transport : OBSERVATION_TCP);
	event_uint(&e, EVENT_F_port, port);
	if (observation_has(o, OBSERVATION_F_service))
		event_text(&e, EVENT_F_service, o->service);
	else if (!is_flow(o))
		event_text(&e, EVENT_F_service,
			   span_str(o->head.type >= OBSERVATION_HL7_MESSAGE ? "hl7" : "dicom"));
	struct policy_cite cite = { .authority = EVENT_AUTH_SENSOR };
	if (v->cite != POLICY_NONE)
		policy_cite(d->policy, v->cite, &cite);
	event_uint(&e, EVENT_F_authority, cite.authority);
	if (cite.document.n)
		event_text(&e, EVENT_F_document, cite.document);
	if (cite.revision.n)
		event_text(&e, EVENT_F_revision, cite.revision);
	if (cite.row.n)
		event_text(&e, EVENT_F_row, cite.row);
	if (cite.said.n)
		event_text(&e, EVENT_F_said, cite.said);
	uint8_t seen[64];
	struct buf text = buf_over(seen, sizeof(seen));
	put_seen(&e, o, port, &text);
	if (observation_has(o, OBSERVATION_F_calling_ae))
		event_text(&e, EVENT_F_calling_ae, o->calling_ae);
	if (observation_has(o, OBSERVATION_F_called_ae))
		event_text(&e, EVENT_F_called_ae, o->called_ae);
	if (observation_has(o, OBSERVATION_F_midstream))
		event_uint(&e, EVENT_F_midstream, o->midstream);
	if (observation_has(o, OBSERVATION_F_one_sided))
		event_uint(&e, EVENT_F_one_sided, o->one_sided);
	event_uint(&e, EVENT_F_flow, o->flow);
	put_packet(&e, o);
	event_uint(&e, EVENT_F_generation, d->generation);
	if (v->rule == RULE_UNKNOWN_DEVICE) {
		/* About the host, whoever it talks to: one alert, not one per peer and port. */
		static const enum event_field of_the_flow[] = { EVENT_F_peer_class, EVENT_F_transport, EVENT_F_port };
		for (size_t i = 0; i < sizeof(of_the_flow) / sizeof(of_the_flow[0]); i++)
			e.head.present[of_the_flow[i] >> 6] &= ~(UINT64_C(1) << (of_the_flow[i] & 63));
	}
	say(d, &e);
}

/* ---- assets ---- */

static void asset_event(struct detector *d, enum rule_id rule, const struct end *who, const struct observation *o,
			void (*more)(struct event *e, const struct observation *o))
{
	struct event e = event_of(rule, o->ts);
	put_device(&e, who);
	if (more)
		more(&e, o);
	put_packet(&e, o);
	emit(d, &e, EVENT_LANE_TELEMETRY);
}

static struct span service_of(const struct observation *o)
{
	return observation_has(o, OBSERVATION_F_service) ? o->service : span_str("unknown");
}

static void put_offered(struct event *e, const struct observation *o)
{
	event_uint(e, EVENT_F_transport, o->transport);
	event_uint(e, EVENT_F_port, o->dst.port);
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
}

static void meet(struct detector *d, const struct observation *o, bool dst)
{
	const struct addr *ip = dst ? &o->dst.ip : &o->src.ip;
	if (addr_is_multicast(ip) || addr_is_broadcast(ip) || addr_is_zero(ip))
		return;
	struct asset *a = asset_find(d, ip, true);
	enum observation_field mac = dst ? OBSERVATION_F_dst_mac : OBSERVATION_F_src_mac;
	if (observation_has(o, mac)) {
		a->mac = dst ? o->dst_mac : o->src_mac;
		a->has_mac = true;
	}
	if (observation_has(o, OBSERVATION_F_vlan))
		a->vlan = (uint16_t)o->vlan;
	if (fact_is_new(d, ip, RULE_ASSET_SEEN, (struct span){ 0 }, 0)) {
		struct end who;
		end_of(d, ip, &who);
		asset_event(d, RULE_ASSET_SEEN, &who, o, NULL);
	}
}

static void learn_service(struct detector *d, const struct observation *o)
{
	struct span service = service_of(o);
	bool answered = observation_has(o, OBSERVATION_F_answered) && o->answered;
	struct end who;
	if (answered && fact_is_new(d, &o->dst.ip, RULE_ASSET_SERVICE, service, (uint64_t)o->transport << 16 | o->dst.port)) {
		end_of(d, &o->dst.ip, &who);
		asset_event(d, RULE_ASSET_SERVICE, &who, o, put_offered);
	}
	if (!o->half_open && fact_is_new(d, &o->src.ip, RULE_ASSET_CLIENT, service, o->transport)) {
		end_of(d, &o->src.ip, &who);
		asset_event(d, RULE_ASSET_CLIENT, &who, o, put_used);
	}
}

static void learn_names(struct detector *d, const struct observation *o)
{
	uint8_t text[160];
	struct buf b = buf_over(text, sizeof(text));
	static const enum observation_field fields[] = { OBSERVATION_F_calling_ae, OBSERVATION_F_implementation_uid,
							 OBSERVATION_F_implementation_version,
							 OBSERVATION_F_sending_app };
	const struct span values[] = { o->calling_ae, o->implementation_uid, o->implementation_version, o->sending_app };
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!observation_has(o, fields[i]) ||
		    (fields[i] == OBSERVATION_F_calling_ae && o->head.type != OBSERVATION_DICOM_ASSOCIATE_REQUEST))
			continue;
		buf_u8(&b, (uint8_t)i);
		buf_put(&b, values[i].p, values[i].n);
	}
	if (!b.len || !fact_is_new(d, &o->src.ip, RULE_ASSET_NAME, buf_span(&b), 0))
		return;
	struct end who;
	end_of(d, &o->src.ip, &who);
	asset_event(d, RULE_ASSET_NAME, &who, o, put_names);
}

/* ---- flows ---- */

static void flow_event(struct detector *d, const struct observation *o, const struct flow_memory *m)
{
	struct end ends[2];
	end_of(d, &o->src.ip, &ends[0]);
	end_of(d, &o->dst.ip, &ends[1]);
	/* Told from the end that has an entry; the caller's when both or neither have. */
	unsigned which = ends[0].host.device == POLICY_NONE && ends[1].host.device != POLICY_NONE;
	struct event e = event_of(RULE_FLOW_SUMMARY, o->ts);
	event_uint(&e, EVENT_F_ts_first, o->started);
	put_device(&e, &ends[which]);
	put_peer(d, &e, &ends[1 - which]);
	event_uint(&e, EVENT_F_initiator, which ? EVENT_INITIATOR_PEER : EVENT_INITIATOR_DEVICE);
	put_offered(&e, o);
	if (m->worst)
		event_uint(&e, EVENT_F_verdict, m->worst - 1u);
	event_uint(&e, EVENT_F_midstream, o->midstream);
	event_uint(&e, EVENT_F_one_sided, o->one_sided);
	event_uint(&e, EVENT_F_loss, o->gap_bytes || o->unread || o->end == OBSERVATION_END_EVICTED);
	event_uint(&e, EVENT_F_packets_out, o->packets_out);
	event_uint(&e, EVENT_F_packets_in, o->packets_in);
	event_uint(&e, EVENT_F_bytes_out, o->bytes_out);
	event_uint(&e, EVENT_F_bytes_in, o->bytes_in);
	event_uint(&e, EVENT_F_flow, o->flow);
	put_packet(&e, o);
	emit(d, &e, EVENT_LANE_TELEMETRY);
}

/* Address-bound evidence that the flow gave, for an observation that carries none of its own. */
static void lend_evidence(struct detector *d, struct observation *o)
{
	struct asset *src = asset_find(d, &o->src.ip, false), *dst = asset_find(d, &o->dst.ip, false);
	if (src && src->has_mac) {
		o->src_mac = src->mac;
		o->head.present[OBSERVATION_F_src_mac >> 6] |= UINT64_C(1) << (OBSERVATION_F_src_mac & 63);
	}
	if (dst && dst->has_mac) {
		o->dst_mac = dst->mac;
		o->head.present[OBSERVATION_F_dst_mac >> 6] |= UINT64_C(1) << (OBSERVATION_F_dst_mac & 63);
	}
	if (src && src->vlan) {
		o->vlan = src->vlan;
		o->head.present[OBSERVATION_F_vlan >> 6] |= UINT64_C(1) << (OBSERVATION_F_vlan & 63);
	}
}

/* ---- attempts ---- */

/* SYNs or datagrams that nobody answered, Linux sends six SYNs before it gives up; SYN-ACKs that nobody acknowledged. */
static bool is_attempt(const struct observation *o)
{
	enum { ATTEMPT_PACKETS = 7 };
	if (o->half_open)
		return true;
	return !o->answered && !o->midstream && !o->packets_in && o->packets_out <= ATTEMPT_PACKETS &&
	       !addr_is_multicast(&o->dst.ip) && !addr_is_broadcast(&o->dst.ip);
}

/* A refused connection was answered, but in vain. */
static bool is_vain(const struct observation *o)
{
	return o->end == OBSERVATION_END_REFUSED && o->packets_in <= o->packets_out;
}

/* True when the flow belongs to a scan or a flood, which stands for all its flows. */
static bool learn_attempt(struct detector *d, const struct observation *o)
{
	if (!is_attempt(o) && !is_vain(o))
		return false;
	uint64_t n = 0;
	enum attempts_what what = attempts_take(d->attempts, &o->src.ip, &o->dst.ip, o->dst.port, o->started, &n);
	if (what == ATTEMPTS_NOTHING)
		return false;
	d->stats.v[STATS_attempts_folded]++;
	if (what == ATTEMPTS_FOLDED)
		return true;
	struct event e = event_of(what == ATTEMPTS_SCAN ? RULE_SCAN : RULE_FLOOD, o->ts);
	struct end who;
	end_of(d, what == ATTEMPTS_SCAN ? &o->src.ip : &o->dst.ip, &who);
	put_device(&e, &who);
	event_uint(&e, EVENT_F_severity, what == ATTEMPTS_SCAN ? EVENT_MEDIUM : EVENT_HIGH);
	event_uint(&e, EVENT_F_confidence, EVENT_CONFIDENCE_MEDIUM);
	event_uint(&e, EVENT_F_initiator, what == ATTEMPTS_SCAN ? EVENT_INITIATOR_DEVICE : EVENT_INITIATOR_PEER);
	event_uint(&e, EVENT_F_transport, o->transport);
	if (what == ATTEMPTS_FLOOD_BEGINS)
		event_uint(&e, EVENT_F_port, o->dst.port);
	event_uint(&e, EVENT_F_authority, EVENT_AUTH_SENSOR);
	event_uint(&e, EVENT_F_count, n);
	event_uint(&e, EVENT_F_flow, o->flow);
	put_packet(&e, o);
	event_uint(&e, EVENT_F_generation, d->generation);
	emit(d, &e, EVENT_LANE_ALERTS);
	return true;
}

static void learn_conflict(struct detector *d, const struct observation *o)
{
	struct event e = event_of(RULE_CONFLICT, o->ts);
	struct end ends[2];
	end_of(d, &o->src.ip, &ends[0]);
	end_of(d, &o->dst.ip, &ends[1]);
	put_device(&e, &ends[0]);
	put_peer(d, &e, &ends[1]);
	event_uint(&e, EVENT_F_severity, EVENT_LOW);
	event_uint(&e, EVENT_F_confidence, EVENT_CONFIDENCE_MEDIUM);
	event_uint(&e, EVENT_F_transport, o->transport);
	bool lower = o->src.port < o->dst.port;
	event_uint(&e, EVENT_F_port, lower ? o->src.port : o->dst.port);
	event_uint(&e, EVENT_F_authority, EVENT_AUTH_SENSOR);
	event_uint(&e, EVENT_F_flow, o->flow);
	put_packet(&e, o);
	event_uint(&e, EVENT_F_generation, d->generation);
	say(d, &e);
}

/* PS3.10, 7.1 leaves the preamble to applications, and CVE-2019-11687 says what came of it. */
static void learn_preamble(struct detector *d, const struct observation *o)
{
	struct event e = event_of(RULE_DICOM_PREAMBLE, o->ts);
	struct end ends[2];
	end_of(d, &o->src.ip, &ends[0]);
	end_of(d, &o->dst.ip, &ends[1]);
	put_device(&e, &ends[0]);
	put_peer(d, &e, &ends[1]);
	event_uint(&e, EVENT_F_severity, EVENT_HIGH);
	event_uint(&e, EVENT_F_confidence, EVENT_CONFIDENCE_HIGH);
	event_uint(&e, EVENT_F_transport, OBSERVATION_TCP);
	event_uint(&e, EVENT_F_port, o->src.port < o->dst.port ? o->src.port : o->dst.port);
	event_text(&e, EVENT_F_service, span_str("http"));
	event_uint(&e, EVENT_F_authority, EVENT_AUTH_SENSOR);
	event_text(&e, EVENT_F_document, span_str("DICOM PS3.10"));
	event_text(&e, EVENT_F_row, span_str("7.1 (CVE-2019-11687)"));
	event_text(&e, EVENT_F_seen, span_str(vocab_word(&observation_vocab, OBSERVATION_F_preamble, o->preamble)));
	event_uint(&e, EVENT_F_flow, o->flow);
	put_packet(&e, o);
	event_uint(&e, EVENT_F_generation, d->generation);
	say(d, &e);
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
	struct event e = event_of(says[f].rule, ts_ns);
	event_uint(&e, EVENT_F_severity, EVENT_MEDIUM);
	event_text(&e, EVENT_F_counter, span_str(says[f].counter));
	event_uint(&e, EVENT_F_value, value);
	if (source)
		event_uint(&e, EVENT_F_file, source);
	event_uint(&e, EVENT_F_generation, d->generation);
	emit(d, &e, EVENT_LANE_TELEMETRY);
}

/* ---- what was not seen ---- */

static void learn_loss(struct detector *d, const struct observation *o)
{
	const struct addr *ends[2] = { &o->src.ip, &o->dst.ip };
	/* An attempt that made room for another one is no loss (sensor/stats.def, attempts_evicted). */
	bool evicted = o->end == OBSERVATION_END_EVICTED && !is_attempt(o);
	for (int i = 0; i < 2; i++) {
		losses_take(d->losses, ends[i], LOSSES_GAP_BYTES, o->gap_bytes);
		losses_take(d->losses, ends[i], LOSSES_FLOWS_EVICTED, evicted);
		losses_take(d->losses, ends[i], LOSSES_FLOWS_UNREAD, o->unread);
	}
}

static void say_loss(struct detector *d, const struct addr *ip, enum losses_kind kind, uint64_t n, uint64_t ts_ns)
{
	struct event e = event_of(RULE_SENSOR_LOSS, ts_ns);
	if (ip) {
		struct end who;
		end_of(d, ip, &who);
		put_device(&e, &who);
	}
	event_text(&e, EVENT_F_counter, span_str(losses_name(kind)));
	event_uint(&e, EVENT_F_value, n);
	event_uint(&e, EVENT_F_generation, d->generation);
	emit(d, &e, EVENT_LANE_TELEMETRY);
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
			say_loss(d, &top[i]->ip, (enum losses_kind)kind, top[i]->n[kind], ts_ns);
		}
		if (end && rest)
			say_loss(d, NULL, (enum losses_kind)kind, rest, ts_ns);
	}
}

void detector_observe(struct detector *d, const struct observation *given)
{
	struct observation o = *given;
	struct flow_memory *m = flow_memory(d, &o);
	switch (o.head.type) {
	case OBSERVATION_FLOW_OPEN:
	case OBSERVATION_FLOW_SERVICE:
		m->client = o.src;
		meet(d, &o, false);
		if (o.answered)
			meet(d, &o, true);
		if (o.head.type == OBSERVATION_FLOW_SERVICE)
			learn_service(d, &o);
		break;
	case OBSERVATION_FLOW_END:
		/* A UDP server answers after its service was told; a silent TCP listener tells no service at all. */
		if (o.answered && (!o.half_open || o.packets_out)) {
			meet(d, &o, true);
			learn_service(d, &o);
		}
		if (o.gap_bytes || o.unread || o.end == OBSERVATION_END_EVICTED)
			learn_loss(d, &o);
		if (d->c.mirror && o.transport == OBSERVATION_TCP && o.answered && !o.half_open)
			mirror_flow(d->c.mirror, o.one_sided);
		if (!learn_attempt(d, &o) && d->c.flow_events)
			flow_event(d, &o, m);
		return;
	case OBSERVATION_DICOM_PREAMBLE:
		learn_preamble(d, &o);
		return;
	case OBSERVATION_STREAM_CONFLICT:
		learn_conflict(d, &o);
		return;
	default:
		learn_names(d, &o);
		lend_evidence(d, &o);
		break;
	}
	if (!d->policy)
		return;
	struct verdict v[POLICY_MAX_VERDICTS];
	unsigned n = policy_check(d->policy, &o, v);
	for (unsigned i = 0; i < n; i++)
		judge(d, &o, &v[i], m);
}

void detector_policy(struct detector *d, const struct policy *p, uint64_t generation, uint64_t now_ns)
{
	d->policy = p;
	d->generation = generation;
	struct event e = event_of(RULE_SENSOR_POLICY, now_ns);
	event_text(&e, EVENT_F_counter, span_str("policy_devices"));
	event_uint(&e, EVENT_F_value, p ? policy_devices(p) : 0);
	event_uint(&e, EVENT_F_generation, generation);
	emit(d, &e, EVENT_LANE_TELEMETRY);
}

void detector_restarted(struct detector *d, unsigned restarts, uint64_t now_ns)
{
	struct event e = event_of(RULE_SENSOR_RESTART, now_ns);
	event_text(&e, EVENT_F_counter, span_str("restarts"));
	event_uint(&e, EVENT_F_value, restarts);
	emit(d, &e, EVENT_LANE_TELEMETRY);
}

void detector_unsandboxed(struct detector *d, uint64_t now_ns)
{
	struct event e = event_of(RULE_SENSOR_NO_SANDBOX, now_ns);
	event_uint(&e, EVENT_F_severity, EVENT_MEDIUM);
	event_text(&e, EVENT_F_counter, span_str("no_sandbox"));
	event_uint(&e, EVENT_F_value, 1);
	emit(d, &e, EVENT_LANE_TELEMETRY);
}

void detector_tick(struct detector *d, uint64_t watermark_ns)
{
	/* The table is walked once per fold time, not per batch. */
	if (watermark_ns < d->next_flush_ns)
		return;
	if (d->next_flush_ns)
		for (size_t i = 0; i < d->fold_sets * WAYS; i++)
			if (d->folds[i].used && d->folds[i].pending && watermark_ns - d->folds[i].said_ns >= d->c.fold_ns)
				fold_flush(d, &d->folds[i]);
	if (d->next_flush_ns)
		say_losses(d, watermark_ns, false);
	d->next_flush_ns = watermark_ns + d->c.fold_ns;
}

void detector_finish(struct detector *d, const struct stats *s, uint64_t watermark_ns)
{
	for (size_t i = 0; i < d->fold_sets * WAYS; i++)
		if (d->folds[i].used)
			fold_flush(d, &d->folds[i]);
	struct stats sum = *s;
	stats_add(&sum, &d->stats);
	for (int c = 0; c < STATS_COUNTERS; c++) {
		if (!stats_is_loss((enum stats_counter)c) || !sum.v[c])
			continue;
		struct event e = event_of(RULE_SENSOR_COUNTER, watermark_ns);
		event_text(&e, EVENT_F_counter, span_str(stats_name((enum stats_counter)c)));
		event_uint(&e, EVENT_F_value, sum.v[c]);
		event_uint(&e, EVENT_F_generation, d->generation);
		emit(d, &e, EVENT_LANE_TELEMETRY);
	}
	say_losses(d, watermark_ns, true);
}
