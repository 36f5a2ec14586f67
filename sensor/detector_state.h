/* detector_state.h -- what the detector remembers, and what its files share (detector.c, detector_judge.c). */
#ifndef SENSOR_DETECTOR_STATE_H
#define SENSOR_DETECTOR_STATE_H

#include "rules/rule.h"
#include "sensor/attempts.h"
#include "sensor/conduct.h"
#include "sensor/detector.h"
#include "sensor/losses.h"
#include "sensor/messages.h"
#include "sensor/routers.h"
#include "sensor/spaces.h"

/* Tables are set-associative: a key has WAYS places, the one used longest ago gives way. Bounded work per
 * look-up, no chains to attack, and what is evicted depends on nothing but the order of observations. */
enum { DETECTOR_WAYS = 8, DETECTOR_MIN_FLOWS = 1 << 12, DETECTOR_MAX_FLOWS = 1 << 18, DETECTOR_FACT_SLOTS = 1 << 17,
       DETECTOR_GIVEN_SLOTS = 1 << 12, DETECTOR_LEASE_SLOTS = 1 << 12, DETECTOR_RECENT = 1 << 12,
       DETECTOR_ADMITTED = 1 << 10, DETECTOR_GOING = 1 << 10 };

/* What we know of an address, so that observations without frames (dicom.*, hl7.*) find their device. */
struct detector_asset {
	uint64_t hash, used;            /* used 0: empty */
	struct addr ip;
	struct mac mac;
	uint16_t vlan;
	uint8_t space;                  /* sensor/spaces.h */
	bool has_mac;
	bool serves_dicom, serves_hl7;  /* in the clear, on any port */
	bool seen;                      /* asset.seen was told */
	uint8_t met;                    /* how often since the routers were told that it stands behind its card */
	uint32_t met_turn;              /* routers_turn() then */
	uint64_t offers, uses;          /* the service that was told of it last, as a number: as its server, as a client */
	/* Whose it was found to be, by what packets bear and by what is told of it (detector_who.c): good for the same evidence, for as
	 * long as `when`. */
	struct detector_found {
		uint64_t evidence, when;
		bool routed;            /* that hardware address is a router's */
		struct policy_who who;
	} found[2];
};

/* What was said about a flow. Direct-mapped: a collision forgets, and a repeat is counted twice. */
struct detector_flow {
	uint64_t flow;
	struct endpoint client;
	uint32_t generation;            /* of the policy by which all of this was judged */
	uint8_t said[2];                /* breach already said for that end: rule + 1 */
	uint8_t said_control;           /* a bit per end */
	uint8_t waits;                  /* a bit per end: what is to be said of it waits (detector_scan.c) */
	uint8_t of_host;                /* a bit per end: it was said of the host, as one of many */
	uint8_t worst;                  /* enum event_verdict + 1 for the flow event */
	bool outlived;                  /* the flow is older than the policy in force, or was forgotten: judged again at its end */
	uint32_t device[2], row[2];     /* by which each end was judged; POLICY_NONE */
	uint64_t service, names[2];     /* what was learned from it last, as a number: of its service, of what each end calls itself */
	struct detector_asset *asset[2];        /* where its hosts were found last; they may have made room */
};

/* A flow that carries on without an answer and was said of its host only, as one of many: if it lives on, it is said by itself.
 * Direct-mapped; flow 0: empty. */
struct detector_going {
	uint64_t flow, ts, packet;
	struct vocab_head head;
	struct endpoint src, dst;
	uint32_t file;
	uint16_t vlan;
	struct mac src_mac, dst_mac;
	uint8_t transport, initiator_by, space, service_n;
	uint8_t service[24];            /* the longest there is (core/observation.def) */
};

/* An event said once: its repeats are counted. */
struct detector_fold {
	uint64_t hash, used, said_ns, last_ns, pending;
	uint64_t peer;                  /* hash of the first one's address */
	bool peers;                     /* a repeat had another */
};

/* That event, encoded, so that its repeats can be told later. Apart from what is looked at for every event: a look-up passes
 * eight folds, and a table that nothing was put into is not touched. */
struct detector_template {
	uint16_t len;
	uint8_t bytes[DETECTOR_TEMPLATE_MAX];
};

/* The name that a client gave itself over DHCP, until its address is known. Direct-mapped: a collision forgets. */
struct detector_given {
	struct mac mac;
	uint8_t n, name[63];
};

/* An address that DHCP gave to a card (detector_lease.c). until_ns 0: empty. */
struct detector_lease {
	struct addr ip, server;
	uint64_t from_ns, until_ns;
	struct mac mac;
	uint8_t space;
	bool confirmed;                 /* a packet from that address bore that hardware address */
	enum policy_plays trust;        /* of the server */
};

struct detector {
	struct detector_given given[DETECTOR_GIVEN_SLOTS];
	struct detector_lease leases[DETECTOR_LEASE_SLOTS];
	uint8_t lease_marks[DETECTOR_LEASE_SLOTS];
	struct detector_config c;
	const struct policy *policy;
	uint64_t generation, clock, seq[EVENT_LANES];
	uint64_t now_ns;                /* time of the observation at hand */
	uint8_t space;                  /* of the hosts at hand */
	struct stats stats;
	struct detector_asset *assets;
	struct detector_asset *near[2]; /* asked for last: an observation asks for its two hosts again and again */
	struct detector_nobody { struct addr ip; uint8_t space; bool is; } nobody;      /* the last address of which nothing is known */
	uint32_t recent[DETECTOR_RECENT];       /* where hosts were found lately; direct-mapped */
	struct detector_found strangers[2];     /* of hosts that are in no place of the table */
	uint32_t policies;              /* that came into force so far */
	uint64_t when;                  /* another number once what was found of hosts may be no longer so */
	struct span sensor;             /* its id, as events have it */
	/* Texts of the policy that were put into events lately, and that their fields admit; direct-mapped. */
	struct { struct span text; uint32_t policies; enum event_field field; } admitted[DETECTOR_ADMITTED];
	struct detector_fold *folds;
	struct detector_template *templates;    /* one a fold */
	struct detector_flow *flows;
	struct attempts *attempts;
	struct messages *messages;
	struct conduct *conduct;
	struct routers *routers;
	uint64_t never_seen_at_ns;
	struct losses *losses;
	uint64_t *facts;
	uint64_t fact_turn, next_flush_ns;
	size_t asset_sets, fold_sets, flow_slots;
	struct detector_going going[DETECTOR_GOING];
	bool doubts;                    /* whether `doubted` is the last that its flow says */
	struct observation doubted;
	uint8_t doubted_space;
	uint8_t doubted_service[24];    /* the longest there is (core/observation.def) */
	struct vocab_scratch scratch;
};

/* Who is at an end of what was observed. */
struct detector_end {
	struct addr ip;
	const struct mac *mac;
	struct policy_host host;
	struct span space;              /* empty: the ordinary one */
	/* Once an event needs it; with the name of the space, if there is one: 10.0.0.5%vlan:100. */
	char addr[ADDR_STRLEN + SPACES_NAME];
};

/* Sets a number or one of our own constants; the type of the event must carry the field. */
#define DETECTOR_PUT(e, field, value) \
	((void)((e)->field = (value), (e)->head.present[EVENT_F_##field >> 6] |= UINT64_C(1) << (EVENT_F_##field & 63)))

/* Begins an event. Only what is present may be read of it: to clear all takes longer than to fill what there is. */
void detector_event(struct event *e, enum rule_id rule, uint64_t ts_ns);
void detector_emit(struct detector *d, struct event *e, enum event_lane lane);
/* Says an event the first time and keeps count of its repeats; say: in the lane of alerts. */
void detector_say(struct detector *d, struct event *e);
void detector_say_in(struct detector *d, struct event *e, enum event_lane lane);
/* True the first time a fact is told; facts forgotten for want of room are told again. */
bool detector_fact_is_new(struct detector *d, const struct addr *ip, enum rule_id kind, struct span what, uint64_t number);
void detector_put_packet(struct event *e, const struct observation *o);
/* What the hospital has accepted is told all the same, with the acceptance's name and without weight. */
void detector_accept(const struct detector *d, struct event *e);
/* What is remembered of its flow. */
struct detector_flow *detector_flow_of(struct detector *d, const struct observation *o);

/* detector_who.c: what is known of an address; NULL when nothing is, and it is not to be made. */
struct detector_asset *detector_asset(struct detector *d, const struct addr *ip, bool make);

/* The hosts at hand are of that space (sensor/spaces.h), until it is said again. */
void detector_space(struct detector *d, uint8_t space);
/* The VLAN that says who is at an address of the space at hand: the space's own, with POLICY_VLAN_ONLY; else `seen`. */
uint16_t detector_vlan(const struct detector *d, uint16_t seen);
/* Routers or the policy have changed: hosts may be other units than before. */
void detector_when(struct detector *d);
void detector_end_of(struct detector *d, const struct addr *ip, struct detector_end *ret);
/* The unit that detector_end_of() finds; POLICY_NONE. */
uint32_t detector_unit(struct detector *d, const struct addr *ip);
/* The event borrows from `who`. */
void detector_put_device(struct detector *d, struct event *e, struct detector_end *who);
void detector_put_peer(struct detector *d, struct event *e, struct detector_end *who);
/* Address-bound evidence that the flow gave, for an observation that carries none of its own. */
void detector_lend(struct detector *d, struct observation *o);
/* Puts the hardware addresses that speak for the ends of an observation in place of those seen (detector_lease.c, routers.h), and says
 * who they are. */
void detector_settle(struct detector *d, struct observation *o, struct policy_who ret[static 2]);

/* detector_judge.c: verdicts, as events if they are ones; what follows from the rows of a flow when it ends or an association is
 * asked for; how far the lives of its ends have come; declared rows that were not used. */
void detector_judge_later(struct detector *d, const struct observation *o, const struct detector_flow *m);
void detector_judge_life(struct detector *d, const struct observation *o, const struct detector_flow *m);
void detector_judge_unused(struct detector *d, uint64_t now_ns);
/* All that the policy says of an observation. What is said of a flow that nobody answered may wait, waits no longer, or is one of many
 * that its host makes and told of that as a whole, or of both its hosts (detector_scan.c). */
enum detector_when { DETECTOR_MAY_WAIT, DETECTOR_NOW, DETECTOR_NOW_OF_HOST, DETECTOR_NOW_OF_BOTH };
void detector_judge_all(struct detector *d, struct observation *o, struct detector_flow *m, enum detector_when when);
/* The verdict for the summary of a flow that began under another policy, all of it by the one in force. */
void detector_judge_outlived(struct detector *d, struct observation *o, struct detector_flow *m);

/* detector_scan.c: whether a flow came to nothing because nobody answered, and whether what is to be said of it waits for its end. */
bool detector_is_attempt(const struct observation *o);
bool detector_waits(struct detector *d, const struct observation *o);
/* A flow has ended. True when it belongs to a scan or a flood, which stands for all its flows; else what waited is said. */
bool detector_attempt(struct detector *d, struct observation *o, struct detector_flow *m);
/* What was said of a flow whose verdict waits may be the last: the observation after it tells. NULL: none comes for now. */
void detector_doubt(struct detector *d, const struct observation *o, const struct detector_flow *m);
void detector_doubt_over(struct detector *d, const struct observation *next);
/* Flows that were said of their host only, and have gone on for so long since (the fold time): said by themselves. */
void detector_going_on(struct detector *d, uint64_t watermark_ns);
/* What scans came to since they were said, where that is long ago; UINT64_MAX: all. */
void detector_scans(struct detector *d, uint64_t watermark_ns);

/* detector_hl7.c: a message is compared with those before it; answers that are overdue at this packet time. */
void detector_message(struct detector *d, const struct observation *o);
void detector_unanswered(struct detector *d, uint64_t watermark_ns);

/* detector_identity.c: what a host says of itself, against the inventory. */
void detector_identity(struct detector *d, const struct observation *o);

/* detector_lease.c: the hardware address that speaks for a host: the one seen there, unless it is a router's or the host's lease names
 * its own; NULL when neither says. By which evidence: EVENT_BY_MAC, _DHCP, _DHCP_ANY. */
const struct mac *detector_lease_mac(struct detector *d, const struct addr *ip, const struct mac *seen, enum event_device_by *ret_by);
/* A packet from that address bore this hardware address. */
void detector_lease_met(struct detector *d, const struct observation *o, const struct addr *ip, const struct mac *seen);
/* A DHCP message. True when an address was given, with the name that the client gave itself. */
bool detector_lease_take(struct detector *d, const struct observation *o, struct span *ret_name);
/* Another policy, by which another server may be the site's. */
void detector_lease_policy(struct detector *d);

/* Most addresses have no lease that we know of: that costs one byte to see. False: this one has none. */
static inline uint8_t *detector_lease_mark(struct detector *d, const struct addr *ip)
{
	unsigned h = ip->b[15] + ((unsigned)ip->b[14] << 8) + ((unsigned)ip->b[13] << 3);
	return &d->lease_marks[h & (DETECTOR_LEASE_SLOTS - 1)];
}
static inline bool detector_leased(struct detector *d, const struct addr *ip) { return *detector_lease_mark(d, ip); }

/* detector_exposure.c: what a host gives away by how it speaks; whether such an observation can. */
static inline bool detector_exposes(const struct observation *o)
{
	switch (o->head.type) {
	case OBSERVATION_TELNET_SESSION: case OBSERVATION_FTP_CONTROL: case OBSERVATION_HTTP_REQUEST: case OBSERVATION_LDAP_BIND:
	case OBSERVATION_VNC_HANDSHAKE: case OBSERVATION_SMB_NEGOTIATE: case OBSERVATION_SNMP_MESSAGE:
	case OBSERVATION_TLS_HANDSHAKE: case OBSERVATION_TLS_CERTIFICATE:
		return true;
	default:
		return false;
	}
}
void detector_exposure(struct detector *d, const struct observation *o);

#endif
