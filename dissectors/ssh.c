/* ssh.c -- SSH: the identification strings (RFC 4253 4.2), which name the software of both ends. */
#include <string.h>

#include "dissectors/plain.h"

enum { MAX_LINE = 255 };

struct state {
	bool seen[2];
};

static enum dissect_guess probe(struct span head, bool midstream)
{
	(void)midstream;
	return plain_begins(head, "SSH-");
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct state *s = state;
	struct span line = { 0 };
	if (s->seen[ctx->dir])
		return plain_ok(in.n);
	size_t n = plain_line(in, &line);
	if (!n && in.n < MAX_LINE)
		return plain_more(in.n + 1);
	if (!n || n > MAX_LINE || plain_begins(line, "SSH-") != DISSECT_YES)
		return plain_bad();
	line = span_from(line, 4);
	const uint8_t *dash = line.n ? memchr(line.p, '-', line.n) : NULL;
	if (!dash)
		return plain_bad();
	struct observation o = { .head.type = OBSERVATION_SSH_VERSION };
	if (ctx->client != DISSECT_CLIENT_UNKNOWN)
		observation_uint(&o, OBSERVATION_F_speaker,
				 ctx->client == (enum dissect_client)ctx->dir ? OBSERVATION_CLIENT : OBSERVATION_SERVER);
	(void)plain_text(&o, OBSERVATION_F_protocol_version, (struct span){ line.p, (size_t)(dash - line.p) });
	/* softwareversion ends at a space; the comments behind it are whatever somebody wrote. */
	struct span software = span_from(line, (size_t)(dash - line.p) + 1);
	const uint8_t *space = software.n ? memchr(software.p, ' ', software.n) : NULL;
	if (space)
		software.n = (size_t)(space - software.p);
	(void)plain_text(&o, OBSERVATION_F_product, software);
	ctx->emit(ctx->arg, &o);
	s->seen[ctx->dir] = true;
	return s->seen[!ctx->dir] ? plain_done(n) : plain_ok(n);
}

const struct dissector ssh_dissector = {
	.name = "ssh",
	.transports = DISSECT_TCP,
	.ports = { 22 },
	.state_size = sizeof(struct state),
	.max_message = MAX_LINE,
	.probe = probe,
	.parse = parse,
};
