/* detector_exposure.c -- what hosts give away by how they speak, whatever was declared: log-ins in clear text, old versions,
 * names that everybody knows, certificates that prove nothing. One event per device and service, with a count. */
#include "rules/policy_table.h"
#include "sensor/detector_state.h"

struct exposure {
	enum rule_id rule;
	enum event_severity severity;
	bool sender;                    /* it is the sender that gives it away; else whoever is called */
	const char *service, *document, *row, *seen;
};

/* A log-in that was tried: what was only offered gives nothing away, and the answer to it is counted with it. */
static bool tried(const struct observation *o)
{
	return observation_has(o, OBSERVATION_F_login) && o->login == OBSERVATION_LOGIN_ATTEMPTED;
}

static bool in_clear(const struct observation *o)
{
	return observation_has(o, OBSERVATION_F_security) && o->security == OBSERVATION_CLEAR_TEXT;
}

static bool says(const struct observation *o, enum observation_field f, struct span value, const char *word)
{
	return observation_has(o, f) && span_eq(value, span_str(word));
}

/* An expired certificate is told as that only: who signed it is of no matter any more. */
static bool look_certificate(const struct observation *o, struct exposure *ret)
{
	bool expired = observation_has(o, OBSERVATION_F_validity) && o->validity == OBSERVATION_VALIDITY_EXPIRED;
	if (!expired && !(observation_has(o, OBSERVATION_F_self_signed) && o->self_signed))
		return false;
	*ret = (struct exposure){ expired ? RULE_CERTIFICATE_EXPIRED : RULE_CERTIFICATE_SELF_SIGNED, EVENT_LOW, true, "tls",
				  "RFC 5280", expired ? "4.1.2.5" : "6.1", expired ? "expired" : "self-signed" };
	return true;
}

/* True when the observation gives something away. Of other types than detector_exposes() lists none is asked. */
static bool look(const struct observation *o, struct exposure *ret)
{
	const enum rule_id login = RULE_CLEAR_TEXT_LOGIN;
	const enum event_severity m = EVENT_MEDIUM;
	switch (o->head.type) {
	case OBSERVATION_TELNET_SESSION:
		*ret = (struct exposure){ login, m, false, "telnet", "RFC 854", "", "telnet" };
		return tried(o) && in_clear(o);
	case OBSERVATION_FTP_CONTROL:
		*ret = (struct exposure){ login, m, false, "ftp", "RFC 2577", "6", "ftp" };
		return tried(o) && in_clear(o);
	case OBSERVATION_HTTP_REQUEST:
		*ret = (struct exposure){ login, m, false, "http", "RFC 7617", "4", "http basic" };
		return observation_has(o, OBSERVATION_F_http_authentication) &&
		       o->http_authentication == OBSERVATION_HTTP_AUTH_BASIC;
	case OBSERVATION_LDAP_BIND:
		*ret = (struct exposure){ login, m, false, "ldap", "RFC 4513", "6.3.3", "ldap simple bind" };
		return tried(o) && in_clear(o) && says(o, OBSERVATION_F_auth, o->auth, "simple");
	case OBSERVATION_VNC_HANDSHAKE:
		*ret = (struct exposure){ RULE_NO_LOGIN, EVENT_HIGH, false, "vnc", "RFC 6143", "7.2.1", "vnc none" };
		return tried(o) && says(o, OBSERVATION_F_auth, o->auth, "none");
	case OBSERVATION_SMB_NEGOTIATE:
		*ret = (struct exposure){ RULE_SMB1, m, false, "smb", "MS-SMB", "", "smb 1" };
		return o->speaker == OBSERVATION_SERVER && says(o, OBSERVATION_F_protocol_version, o->protocol_version, "1");
	case OBSERVATION_SNMP_MESSAGE:
		/* Not which one: the event leaves the sensor. */
		*ret = (struct exposure){ RULE_SNMP_DEFAULT_COMMUNITY, m, true, "snmp", "RFC 3410", "", "default community" };
		return observation_has(o, OBSERVATION_F_community) &&
		       (o->community == OBSERVATION_COMMUNITY_PUBLIC || o->community == OBSERVATION_COMMUNITY_PRIVATE);
	case OBSERVATION_TLS_HANDSHAKE:
		*ret = (struct exposure){ RULE_TLS_BELOW_12, m, false, "tls", "RFC 9325", "3.1.1", NULL };
		ret->seen = vocab_word(&observation_vocab, OBSERVATION_F_tls_version, o->tls_version);
		return observation_has(o, OBSERVATION_F_tls_below_12) && o->tls_below_12;
	case OBSERVATION_TLS_CERTIFICATE:
		return look_certificate(o, ret);
	default:
		return false;
	}
}

/* Whether the bytes came from the side that was called. */
static bool from_server(const struct observation *o)
{
	if (observation_has(o, OBSERVATION_F_certificate_of))
		return o->certificate_of == OBSERVATION_FROM_SERVER;
	return observation_has(o, OBSERVATION_F_speaker) && o->speaker == OBSERVATION_SERVER;
}

void detector_exposure(struct detector *d, const struct observation *o)
{
	struct exposure x;
	if (!look(o, &x))
		return;
	bool server = from_server(o);
	bool snmp = o->head.type == OBSERVATION_SNMP_MESSAGE;
	uint16_t port = server ? o->src.port : o->dst.port;
	/* A trap goes from any port of the agent to one where its manager listens. */
	if (snmp)
		port = o->src.port < o->dst.port ? o->src.port : o->dst.port;
	struct detector_end ends[2];
	unsigned which = x.sender || server ? 0 : 1;
	detector_end_of(d, &o->src.ip, &ends[0]);
	detector_end_of(d, &o->dst.ip, &ends[1]);
	struct event e;
	detector_event(&e, x.rule, o->ts);
	detector_put_device(d, &e, &ends[which]);
	detector_put_peer(d, &e, &ends[!which]);
	/* About the device and its service, whoever it speaks with: the peer shown is the first one. */
	event_unset(&e, EVENT_F_peer_class);
	event_uint(&e, EVENT_F_severity, x.severity);
	event_uint(&e, EVENT_F_confidence, EVENT_CONFIDENCE_HIGH);
	event_uint(&e, EVENT_F_transport, snmp ? OBSERVATION_UDP : OBSERVATION_TCP);
	event_uint(&e, EVENT_F_port, port);
	event_text(&e, EVENT_F_service, span_str(x.service));
	event_uint(&e, EVENT_F_authority, EVENT_AUTH_SENSOR);
	event_text(&e, EVENT_F_document, span_str(x.document));
	if (*x.row)
		event_text(&e, EVENT_F_row, span_str(x.row));
	if (x.seen)
		event_text(&e, EVENT_F_seen, span_str(x.seen));
	event_uint(&e, EVENT_F_flow, o->flow);
	detector_put_packet(&e, o);
	event_uint(&e, EVENT_F_generation, d->generation);
	uint32_t unit = ends[which].host.device;
	unsigned mode = d->policy && unit != POLICY_NONE ? policy_unit_mode(d->policy, unit, o->ts) : POLICY_MODE_ALERT;
	if (mode == POLICY_MODE_LEARN)
		d->stats.v[STATS_verdicts_learning]++;
	else
		detector_say_in(d, &e, mode == POLICY_MODE_REPORT ? EVENT_LANE_TELEMETRY : EVENT_LANE_ALERTS);
}
