/* rpc.c -- ONC RPC (RFC 5531) over UDP and TCP, with NFS as a service of its own: which program is called, and how the
 * caller makes himself known. Credentials (host name, user and group numbers) and arguments are not read. */
#include "dissectors/plain.h"

enum {
	CALL = 0, RPC_VERSION = 2, HEADER = 32, MARK = 4,
	FIRST_PROGRAM = 100000, LAST_PROGRAM = 0x3fffffff, PORTMAP = 100000, NFS = 100003,      /* RFC 5531 8.3, 13 */
	MAX_PROCEDURE = 255, MAX_PROGRAM_VERSION = 16, MAX_CREDENTIAL = 400,                    /* 8.2: opaque body<400> */
};

struct state {
	bool passed[2];                 /* this side does not begin with a call */
};

struct call {
	uint32_t program, version, flavor;
};

/* A call's head: its constants and ranges, in order. */
static enum dissect_guess read_call(struct span s, struct call *ret)
{
	struct cursor c = cursor_from(s);
	cursor_skip(&c, 4);
	uint32_t kind = cursor_u32be(&c);
	if (cursor_ok(&c) && kind != CALL)
		return DISSECT_NO;
	uint32_t rpc = cursor_u32be(&c);
	if (cursor_ok(&c) && rpc != RPC_VERSION)
		return DISSECT_NO;
	ret->program = cursor_u32be(&c);
	if (cursor_ok(&c) && (ret->program < FIRST_PROGRAM || ret->program > LAST_PROGRAM))
		return DISSECT_NO;
	ret->version = cursor_u32be(&c);
	if (cursor_ok(&c) && ret->version > MAX_PROGRAM_VERSION)
		return DISSECT_NO;
	uint32_t procedure = cursor_u32be(&c);
	if (cursor_ok(&c) && procedure > MAX_PROCEDURE)
		return DISSECT_NO;
	ret->flavor = cursor_u32be(&c);
	if (cursor_ok(&c) && ret->flavor > 6)
		return DISSECT_NO;
	uint32_t credential = cursor_u32be(&c);
	if (!cursor_ok(&c))
		return DISSECT_MAYBE;
	return credential > MAX_CREDENTIAL ? DISSECT_NO : DISSECT_YES;
}

static enum dissect_guess shape(struct span s, bool nfs)
{
	struct call call;
	enum dissect_guess g = read_call(s, &call);
	return g == DISSECT_YES && (call.program == NFS) != nfs ? DISSECT_NO : g;
}

static bool is_nfs(struct span d) { return shape(d, true) == DISSECT_YES; }
static bool is_rpc(struct span d) { return shape(d, false) == DISSECT_YES; }

static const char *program_name(uint32_t program)
{
	switch (program) {
	case PORTMAP: return "portmap";
	case NFS: return "nfs";
	case 100005: return "mount";
	case 100004: return "ypserv";
	case 100021: return "nlockmgr";
	case 100024: return "status";
	case 100227: return "nfs-acl";
	default: return "other";
	}
}

static void emit(const struct call *call, struct dissect_ctx *ctx)
{
	static const char *const flavors[] = { "none", "sys", "short", "dh", "other", "other", "gss" };
	uint8_t text[12];
	struct buf b = buf_over(text, sizeof(text));
	struct observation o = { .head.type = OBSERVATION_RPC_CALL };
	plain_from(ctx, true);
	observation_uint(&o, OBSERVATION_F_speaker, OBSERVATION_CLIENT);
	observation_text(&o, OBSERVATION_F_operation, span_str(program_name(call->program)));
	observation_uint(&o, OBSERVATION_F_program, call->program);
	if (!buf_printf(&b, "%u", (unsigned)call->version))
		observation_text(&o, OBSERVATION_F_protocol_version, buf_span(&b));
	observation_text(&o, OBSERVATION_F_auth, span_str(flavors[call->flavor]));
	ctx->emit(ctx->arg, &o);
}

static enum dissect_status datagram(void *state, struct span d, struct dissect_ctx *ctx)
{
	struct call call;
	(void)state;
	if (read_call(d, &call) != DISSECT_YES)
		return DISSECT_BAD;
	emit(&call, ctx);
	return DISSECT_DONE;
}

/* RFC 5531 11: a mark goes before each fragment, its top bit set in the last. */
static enum dissect_guess probe_record(struct span head, bool nfs)
{
	if (head.n && (head.p[0] & 0x7f) > 1)
		return DISSECT_NO;
	if (head.n < MARK)
		return DISSECT_MAYBE;
	return shape(span_from(head, MARK), nfs);
}

static enum dissect_guess nfs_probe(struct span head, bool midstream) { return (void)midstream, probe_record(head, true); }
static enum dissect_guess rpc_probe(struct span head, bool midstream) { return (void)midstream, probe_record(head, false); }

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct state *s = state;
	struct call call;
	if (s->passed[ctx->dir])
		return plain_ok(in.n);
	if (in.n < MARK + HEADER)
		return plain_more(MARK + HEADER);
	/* The server's side came first, or the call was not captured. */
	if (read_call(span_from(in, MARK), &call) != DISSECT_YES) {
		s->passed[ctx->dir] = true;
		return plain_ok(in.n);
	}
	emit(&call, ctx);
	return plain_done(in.n);
}

const struct dissector nfs_dissector = {
	.name = "nfs",
	.transports = DISSECT_TCP | DISSECT_UDP,
	.ports = { 2049 },
	.state_size = sizeof(struct state),
	.max_message = MARK + HEADER,
	.probe = nfs_probe,
	.parse = parse,
	.is_datagram = is_nfs,
	.datagram = datagram,
};

const struct dissector rpc_dissector = {
	.name = "rpc",
	.transports = DISSECT_TCP | DISSECT_UDP,
	.ports = { 111 },
	.state_size = sizeof(struct state),
	.max_message = MARK + HEADER,
	.probe = rpc_probe,
	.parse = parse,
	.is_datagram = is_rpc,
	.datagram = datagram,
};
