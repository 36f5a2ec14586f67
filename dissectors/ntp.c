/* ntp.c -- NTP (RFC 5905, RFC 9327): who gives time, of which stratum, and who is asked for more than the time. */
#include "dissectors/plain.h"

enum { SYMMETRIC_ACTIVE = 1, SYMMETRIC_PASSIVE, CLIENT, SERVER, BROADCAST, CONTROL, PRIVATE };
enum { PACKET = 48, CONTROL_HEADER = 12, PRIVATE_HEADER = 8, MAX_STRATUM = 16 };

/* RFC 5905 7.3, RFC 9327 2. Two bytes' worth of shape: the port must be right too. */
static bool is_ntp(struct span d)
{
	if (d.n < PRIVATE_HEADER)
		return false;
	unsigned version = d.p[0] >> 3 & 7, mode = d.p[0] & 7;
	if (version < 1 || version > 4)
		return false;
	if (mode == CONTROL)
		return d.n >= CONTROL_HEADER;
	return mode == PRIVATE || (mode >= SYMMETRIC_ACTIVE && d.n >= PACKET && d.p[1] <= MAX_STRATUM);
}

static enum dissect_status datagram(void *state, struct span d, struct dissect_ctx *ctx)
{
	static const char *const modes[] = { "", "symmetric-active", "symmetric-passive", "client", "server", "broadcast",
					     "control", "private" };
	(void)state;
	if (!is_ntp(d))
		return DISSECT_BAD;
	unsigned version = d.p[0] >> 3 & 7, mode = d.p[0] & 7;
	bool asks = mode == CLIENT || mode == SYMMETRIC_ACTIVE ||
	            /* The response bit of the modes that manage (RFC 9327 2, ntp_request.h). */
	            (mode == CONTROL && !(d.p[1] & 0x80)) || (mode == PRIVATE && !(d.p[0] & 0x80));
	if (mode != BROADCAST)
		plain_from(ctx, asks);
	if (mode == CLIENT)
		return DISSECT_OK;
	const char text[] = { (char)('0' + version), 0 };
	struct observation o = { .head.type = OBSERVATION_NTP_MODE };
	observation_uint(&o, OBSERVATION_F_speaker, asks ? OBSERVATION_CLIENT : OBSERVATION_SERVER);
	observation_text(&o, OBSERVATION_F_operation, span_str(modes[mode]));
	observation_text(&o, OBSERVATION_F_protocol_version, span_str(text));
	if (mode < CONTROL)
		observation_uint(&o, OBSERVATION_F_stratum, d.p[1]);
	ctx->emit(ctx->arg, &o);
	return DISSECT_DONE;
}

const struct dissector ntp_dissector = {
	.name = "ntp",
	.transports = DISSECT_UDP,
	.ports = { 123 },
	.is_datagram = is_ntp,
	.datagram = datagram,
	.needs_port = true,
};
