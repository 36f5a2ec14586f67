/* snmp.c -- SNMP 1, 2c and 3 (RFC 1157, RFC 3416, RFC 3412). Of a community it is told whether it is one of the two that
 * every scanner tries; the string itself, the user of version 3, object names and values stay where they are. */
#include "dissectors/ber.h"
#include "dissectors/plain.h"

enum { V1 = 0, V2C = 1, V3 = 3, FIRST_PDU = 0xa0, AUTH = 1, PRIV = 2 };

static const char *const pdus[] = { "get", "get-next", "response", "set", "trap-v1", "get-bulk", "inform", "trap-v2", "report" };
enum { PDUS = sizeof(pdus) / sizeof(pdus[0]), RESPONSE = 2, TRAP_V1 = 4, INFORM = 6, TRAP_V2 = 7, REPORT = 8 };

struct message {
	uint32_t version;
	struct span community;
	unsigned pdu;                   /* PDUS: encrypted */
	unsigned flags;                 /* v3: RFC 3412 6.4 */
	bool discovery;                 /* v3: the engine's id is being asked for */
};

static bool read_v3(struct cursor *m, struct message *ret)
{
	uint8_t tag;
	struct span v, engine;
	struct cursor global = ber_enter(m, BER_SEQUENCE);
	if (!ber_next(&global, &tag, &v) || !ber_next(&global, &tag, &v) || !ber_next(&global, &tag, &v) || tag != BER_OCTETS ||
	    v.n != 1)
		return false;
	ret->flags = v.p[0] & 3;
	if (!ber_next(m, &tag, &v) || tag != BER_OCTETS)
		return false;
	/* RFC 3414 2.4; another security model has another form, and discovery of its own. */
	struct cursor params = cursor_from(v), usm = ber_enter(&params, BER_SEQUENCE);
	ret->discovery = ber_next(&usm, &tag, &engine) && tag == BER_OCTETS && !engine.n;
	ret->pdu = PDUS;
	if (!ber_next(m, &tag, &v))
		return false;
	if (tag != BER_SEQUENCE)
		return tag == BER_OCTETS;       /* encrypted */
	struct cursor scoped = cursor_from(v);
	if (!ber_next(&scoped, &tag, &v) || !ber_next(&scoped, &tag, &v) || !ber_next(&scoped, &tag, &v))
		return false;
	ret->pdu = tag - (unsigned)FIRST_PDU;
	return ret->pdu < PDUS;
}

static bool read_message(struct span d, struct message *ret)
{
	uint8_t tag;
	struct span v;
	*ret = (struct message){ 0 };
	struct cursor c = cursor_from(d), m = ber_enter(&c, BER_SEQUENCE);
	if (!ber_next(&m, &tag, &v) || tag != BER_INTEGER)
		return false;
	ret->version = ber_uint(v);
	if (ret->version == V3)
		return read_v3(&m, ret);
	if (ret->version > V2C || !ber_next(&m, &tag, &ret->community) || tag != BER_OCTETS || !ber_next(&m, &tag, &v))
		return false;
	ret->pdu = tag - (unsigned)FIRST_PDU;
	return ret->pdu < PDUS;
}

static bool is_snmp(struct span d)
{
	struct message m;
	return d.n && d.p[0] == BER_SEQUENCE && read_message(d, &m);
}

static enum dissect_status datagram(void *state, struct span d, struct dissect_ctx *ctx)
{
	static const char *const versions[] = { "1", "2c", "2", "3" };
	static const char *const levels[] = { "noAuthNoPriv", "authNoPriv", "privNoAuth", "authPriv" };
	static const unsigned securities[] = { OBSERVATION_SECURITY_NONE, OBSERVATION_AUTHENTICATED, OBSERVATION_ENCRYPTED,
					       OBSERVATION_ENCRYPTED };
	struct message m;
	(void)state;
	if (!read_message(d, &m))
		return DISSECT_BAD;
	bool trap = m.pdu == TRAP_V1 || m.pdu == TRAP_V2 || m.pdu == INFORM, answer = m.pdu == RESPONSE || m.pdu == REPORT;
	if (m.pdu < PDUS)
		plain_from(ctx, !answer);
	/* Version 3 begins with a question and a report in the clear whatever follows (RFC 3414 4). */
	if (m.version == V3 && (m.discovery || m.pdu == REPORT))
		return DISSECT_OK;
	struct observation o = { .head.type = OBSERVATION_SNMP_MESSAGE };
	if (m.pdu < PDUS) {
		observation_uint(&o, OBSERVATION_F_speaker, trap || answer ? OBSERVATION_SERVER : OBSERVATION_CLIENT);
		observation_text(&o, OBSERVATION_F_operation, span_str(pdus[m.pdu]));
	}
	observation_text(&o, OBSERVATION_F_protocol_version, span_str(versions[m.version]));
	if (m.version == V3) {
		observation_uint(&o, OBSERVATION_F_security, securities[m.flags]);
		observation_text(&o, OBSERVATION_F_auth, span_str(levels[m.flags]));
	} else {
		observation_uint(&o, OBSERVATION_F_security, OBSERVATION_CLEAR_TEXT);
		observation_uint(&o, OBSERVATION_F_community,
				 !m.community.n                                ? OBSERVATION_COMMUNITY_EMPTY
				 : span_eq(m.community, span_str("public"))  ? OBSERVATION_COMMUNITY_PUBLIC
				 : span_eq(m.community, span_str("private")) ? OBSERVATION_COMMUNITY_PRIVATE
									     : OBSERVATION_COMMUNITY_OTHER);
	}
	ctx->emit(ctx->arg, &o);
	return DISSECT_DONE;
}

const struct dissector snmp_dissector = {
	.name = "snmp",
	.transports = DISSECT_UDP,
	.ports = { 161, 162 },
	.is_datagram = is_snmp,
	.datagram = datagram,
};
