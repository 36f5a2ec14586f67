/* detector_lease.c -- which host has which address by DHCP (RFC 2131): evidence bound to the address, also for hosts whose own hardware
 * address no packet shows.
 *
 * A lease binds an address to a card for its time. It counts when whoever gave it plays the role dhcp of the site (the server, or the
 * relay that speaks for it on that network); where the site names no such role it counts as weaker evidence; from anybody else it does
 * not, and is told. Evidence that contradicts is told, and changes nobody's identity by itself. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "rules/rule.h"
#include "sensor/detector_state.h"

enum { LEASE_DEFAULT_S = 3600, INFINITE_S = 0xffffffff };

static struct detector_lease *slot(struct detector *d, const struct addr *ip, bool make)
{
	if (!make && !detector_leased(d, ip))
		return NULL;
	uint64_t h = siphash_13(&d->c.key, ip->b, sizeof(ip->b)) + d->space;
	struct detector_lease *set = &d->leases[(h & (DETECTOR_LEASE_SLOTS / DETECTOR_WAYS - 1)) * DETECTOR_WAYS], *victim = set;
	for (int i = 0; i < DETECTOR_WAYS; i++) {
		if (set[i].until_ns && set[i].space == d->space && !addr_cmp(&set[i].ip, ip))
			return &set[i];
		if (set[i].until_ns < victim->until_ns)
			victim = &set[i];
	}
	if (!make)
		return NULL;
	/* The one that ends first gives way. */
	*victim = (struct detector_lease){ .ip = *ip, .space = d->space };
	*detector_lease_mark(d, ip) = 1;
	return victim;
}

static bool in_force(const struct detector *d, const struct detector_lease *l)
{
	return l && l->trust != POLICY_PLAYS_NO && l->from_ns <= d->now_ns && d->now_ns < l->until_ns;
}

const struct mac *detector_lease_mac(struct detector *d, const struct addr *ip, const struct mac *seen, enum event_device_by *ret_by)
{
	const struct detector_lease *l = slot(d, ip, false);
	bool seen_counts = seen && !routers_is(d->routers, seen);
	*ret_by = EVENT_BY_MAC;
	if (!in_force(d, l))
		return seen_counts ? seen : NULL;
	if (seen_counts && !memcmp(seen->b, l->mac.b, sizeof(seen->b)))
		return seen;
	/* A card of its own was seen there before: what is seen now is a card as well, not a router. */
	if (seen_counts && (l->confirmed || l->trust != POLICY_PLAYS_YES))
		return seen;
	*ret_by = l->trust == POLICY_PLAYS_YES ? EVENT_BY_DHCP : EVENT_BY_DHCP_ANY;
	return &l->mac;
}

static void conflict(struct detector *d, const struct observation *o, const struct addr *ip, const struct mac *mac, uint32_t cite,
		     const char *seen)
{
	struct event e;
	detector_event(&e, RULE_LEASE_CONFLICT, o->ts);
	struct detector_end who;
	struct policy_cite c = { .authority = EVENT_AUTH_SENSOR };
	if (!detector_fact_is_new(d, ip, RULE_LEASE_CONFLICT, (struct span){ mac->b, sizeof(mac->b) }, 0))
		return;
	detector_end_of(d, ip, &who);
	detector_put_device(d, &e, &who);
	event_uint(&e, EVENT_F_severity, EVENT_MEDIUM);
	event_uint(&e, EVENT_F_confidence, EVENT_CONFIDENCE_MEDIUM);
	if (cite != POLICY_NONE)
		policy_cite(d->policy, cite, &c);
	event_uint(&e, EVENT_F_authority, c.authority);
	if (c.document.n)
		event_text(&e, EVENT_F_document, c.document);
	if (c.revision.n)
		event_text(&e, EVENT_F_revision, c.revision);
	if (c.row.n)
		event_text(&e, EVENT_F_row, c.row);
	if (c.said.n)
		event_text(&e, EVENT_F_said, c.said);
	event_text(&e, EVENT_F_seen, span_str(seen));
	event_uint(&e, EVENT_F_flow, o->flow);
	detector_put_packet(&e, o);
	event_uint(&e, EVENT_F_generation, d->generation);
	detector_say(d, &e);
}

static const char *mac_text(const struct mac *m, const char *what, char ret[static 64])
{
	(void)snprintf(ret, 64, "%s %02x:%02x:%02x:%02x:%02x:%02x", what, m->b[0], m->b[1], m->b[2], m->b[3], m->b[4], m->b[5]);
	return ret;
}

void detector_lease_met(struct detector *d, const struct observation *o, const struct addr *ip, const struct mac *seen)
{
	struct detector_lease *l = slot(d, ip, false);
	char text[64];
	if (!in_force(d, l) || routers_is(d->routers, seen))
		return;
	if (!memcmp(seen->b, l->mac.b, sizeof(seen->b)))
		l->confirmed = true;
	else if (l->confirmed)
		conflict(d, o, ip, seen, POLICY_NONE, mac_text(seen, "used by", text));
}

/* A host that gives addresses, though the site names others for that. */
static void say_server(struct detector *d, const struct observation *o, uint32_t cite)
{
	struct event e;
	detector_event(&e, RULE_DHCP_SERVER, o->ts);
	struct detector_end who;
	struct policy_cite c;
	char given[ADDR_STRLEN], text[64];
	detector_end_of(d, &o->src.ip, &who);
	detector_put_device(d, &e, &who);
	policy_cite(d->policy, cite, &c);
	event_uint(&e, EVENT_F_severity, EVENT_HIGH);
	event_uint(&e, EVENT_F_confidence, EVENT_CONFIDENCE_HIGH);
	event_uint(&e, EVENT_F_initiator, EVENT_INITIATOR_DEVICE);
	event_uint(&e, EVENT_F_transport, OBSERVATION_UDP);
	event_uint(&e, EVENT_F_port, 67);
	event_text(&e, EVENT_F_service, span_str("dhcp"));
	event_uint(&e, EVENT_F_authority, c.authority);
	event_text(&e, EVENT_F_document, c.document);
	if (c.revision.n)
		event_text(&e, EVENT_F_revision, c.revision);
	event_text(&e, EVENT_F_row, c.row);
	if (c.said.n)
		event_text(&e, EVENT_F_said, c.said);
	(void)snprintf(text, sizeof(text), "gives %s", addr_str(&o->address, given));
	event_text(&e, EVENT_F_seen, span_str(text));
	event_uint(&e, EVENT_F_flow, o->flow);
	detector_put_packet(&e, o);
	event_uint(&e, EVENT_F_generation, d->generation);
	detector_say(d, &e);
}

static enum policy_plays trust_of(const struct detector *d, const struct addr *server, uint32_t *ret_cite)
{
	*ret_cite = POLICY_NONE;
	return d->policy ? policy_plays(d->policy, server, "dhcp", ret_cite) : POLICY_PLAYS_UNSAID;
}

static void give(struct detector *d, const struct observation *o)
{
	uint32_t cite;
	char text[64];
	enum policy_plays trust = trust_of(d, &o->src.ip, &cite);
	if (trust == POLICY_PLAYS_NO) {
		say_server(d, o, cite);
		return;
	}
	struct detector_lease *l = slot(d, &o->address, true);
	bool same = l->until_ns && !memcmp(l->mac.b, o->mac.b, sizeof(l->mac.b));
	uint64_t s = observation_has(o, OBSERVATION_F_lease_s) && o->lease_s ? o->lease_s : LEASE_DEFAULT_S;
	/* What the site's own server gave holds against what anybody says. */
	if (!same && in_force(d, l) && l->trust == POLICY_PLAYS_YES && trust != POLICY_PLAYS_YES)
		return;
	*l = (struct detector_lease){ .ip = o->address, .mac = o->mac, .server = o->src.ip, .from_ns = o->ts, .trust = trust,
				      .space = d->space,
				      .until_ns = s == INFINITE_S ? UINT64_MAX : o->ts + s * CLOCK_SECOND,
				      .confirmed = same && l->confirmed };
	if (!d->policy || same)
		return;
	/* The inventory knows the address as a unit's, and the card is none of that unit's. */
	struct policy_host h;
	policy_host(d->policy, &o->address, NULL, detector_vlan(d, 0), &h);
	if (h.device != POLICY_NONE && policy_card(d->policy, h.device, &o->mac, &cite) == POLICY_CARD_ANOTHERS)
		conflict(d, o, &o->address, &o->mac, cite, mac_text(&o->mac, "given to", text));
}

void detector_lease_policy(struct detector *d)
{
	uint32_t cite;
	for (size_t i = 0; i < DETECTOR_LEASE_SLOTS; i++)
		if (d->leases[i].until_ns)
			d->leases[i].trust = trust_of(d, &d->leases[i].server, &cite);
}

bool detector_lease_take(struct detector *d, const struct observation *o, struct span *ret_name)
{
	*ret_name = (struct span){ 0 };
	if (!observation_has(o, OBSERVATION_F_mac))
		return false;
	struct detector_given *g = &d->given[siphash_13(&d->c.key, o->mac.b, sizeof(o->mac.b)) & (DETECTOR_GIVEN_SLOTS - 1)];
	bool same = g->n && !memcmp(g->mac.b, o->mac.b, sizeof(g->mac.b));
	if (o->speaker == OBSERVATION_CLIENT) {
		if (observation_has(o, OBSERVATION_F_hostname) && o->hostname.n <= sizeof(g->name)) {
			g->mac = o->mac;
			g->n = (uint8_t)o->hostname.n;
			memcpy(g->name, o->hostname.p, o->hostname.n);
		}
		bool gone = span_eq(o->operation, span_str("RELEASE")) || span_eq(o->operation, span_str("DECLINE"));
		struct detector_lease *l = gone && observation_has(o, OBSERVATION_F_address) ? slot(d, &o->address, false) : NULL;
		if (l && !memcmp(l->mac.b, o->mac.b, sizeof(l->mac.b)))
			l->until_ns = o->ts ? o->ts : 1;
		return false;
	}
	if (!span_eq(o->operation, span_str("ACK")) || !observation_has(o, OBSERVATION_F_address))
		return false;
	if (same)
		*ret_name = (struct span){ g->name, g->n };
	give(d, o);
	return true;
}
