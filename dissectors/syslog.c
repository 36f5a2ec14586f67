/* syslog.c -- syslog over UDP (RFC 5426) and TCP (RFC 6587), in the forms of RFC 5424 and RFC 3164. Only the priority and
 * the form are told: the rest is what a machine says to its keeper, and its host field is often that of a relayed third. */
#include <string.h>

#include "dissectors/plain.h"

enum { MAX_PRIORITY = 191, MAX_HELD = 2048 };

struct priority {
	unsigned value;
	bool rfc5424;
};

/* "<" one to three digits ">" and a printable byte, or the version of RFC 5424 6.2.2 and a space. */
static enum dissect_guess read_priority(struct span s, struct priority *ret)
{
	size_t i = 1;
	unsigned value = 0;
	if (s.n && s.p[0] != '<')
		return DISSECT_NO;
	for (; i < s.n && i < 4 && plain_digit(s.p[i]); i++)
		value = value * 10 + (unsigned)(s.p[i] - '0');
	if (value > MAX_PRIORITY || (i > 2 && s.p[1] == '0'))
		return DISSECT_NO;
	if (i >= s.n)
		return DISSECT_MAYBE;
	if (i == 1 || s.p[i] != '>')
		return DISSECT_NO;
	if (i + 1 == s.n)
		return DISSECT_MAYBE;
	if (s.p[i + 1] < ' ' || s.p[i + 1] == 0x7f)
		return DISSECT_NO;
	if (s.n < i + 3)
		return DISSECT_MAYBE;
	*ret = (struct priority){ value, s.p[i + 1] == '1' && s.p[i + 2] == ' ' };
	return DISSECT_YES;
}

static bool is_syslog(struct span d)
{
	struct priority p;
	return read_priority(d, &p) == DISSECT_YES;
}

static void emit(struct dissect_ctx *ctx, const struct priority *p, uint64_t framing)
{
	struct observation o = { .head.type = OBSERVATION_SYSLOG_SEEN };
	plain_from(ctx, true);
	observation_text(&o, OBSERVATION_F_protocol_version, span_str(p->rfc5424 ? "RFC 5424" : "RFC 3164"));
	observation_uint(&o, OBSERVATION_F_facility, p->value >> 3);
	observation_uint(&o, OBSERVATION_F_level, p->value & 7);
	observation_uint(&o, OBSERVATION_F_framing, framing);
	ctx->emit(ctx->arg, &o);
}

static enum dissect_status datagram(void *state, struct span d, struct dissect_ctx *ctx)
{
	struct priority p;
	(void)state;
	if (read_priority(d, &p) != DISSECT_YES)
		return DISSECT_BAD;
	emit(ctx, &p, OBSERVATION_DATAGRAM);
	return DISSECT_DONE;
}

/* RFC 6587 3.4.1: a count and a space go before each message, or (3.4.2) a line feed after it. */
static enum dissect_guess stream(struct span s, struct priority *ret, uint64_t *ret_framing)
{
	size_t i = 0;
	while (i < s.n && i < 5 && plain_digit(s.p[i]))
		i++;
	*ret_framing = i ? OBSERVATION_OCTET_COUNTED : OBSERVATION_LINES;
	if (i && s.p[0] == '0')
		return DISSECT_NO;
	if (i && i == s.n)
		return DISSECT_MAYBE;           /* the space may follow also on a fifth digit */
	if (i && s.p[i++] != ' ')
		return DISSECT_NO;
	return read_priority(span_from(s, i), ret);
}

static enum dissect_guess probe(struct span head, bool midstream)
{
	struct priority p;
	uint64_t framing;
	(void)midstream;
	enum dissect_guess g = stream(head, &p, &framing);
	/* Over TCP the shape is asked for more: a stream of the older form must go on like one. */
	if (g != DISSECT_YES || p.rfc5424)
		return g;
	const uint8_t *gt = memchr(head.p, '>', head.n);
	struct span date = span_from(head, (size_t)(gt - head.p) + 1);
	static const char months[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
	if (date.n < 4)
		return DISSECT_MAYBE;
	for (size_t m = 0; m < sizeof(months) - 1; m += 4)
		if (!memcmp(date.p, months + m, 3))
			return date.p[3] == ' ' ? DISSECT_YES : DISSECT_NO;
	return DISSECT_NO;
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct priority p;
	uint64_t framing;
	(void)state;
	switch (stream(in, &p, &framing)) {
	case DISSECT_YES:
		emit(ctx, &p, framing);
		return plain_done(in.n);
	case DISSECT_MAYBE:
		return plain_more(in.n + 1);
	default:
		return plain_bad();
	}
}

const struct dissector syslog_dissector = {
	.name = "syslog",
	.transports = DISSECT_TCP | DISSECT_UDP,
	.ports = { 514, 601, 1514, 5514 },
	.max_message = MAX_HELD,
	.probe = probe,
	.parse = parse,
	.is_datagram = is_syslog,
	.datagram = datagram,
};
