#include "dissectors/drive.h"

#include <CUnit/Basic.h>

#include "core/test.h"

/* A protocol of the test's own: a message is one byte. 'd' is the last of interest, 'b' breaks, others are said. */
static enum dissect_guess toy_probe(struct span head, bool midstream)
{
	(void)midstream;
	return !head.n ? DISSECT_MAYBE : head.p[0] == '?' ? DISSECT_NO : DISSECT_YES;
}

static struct dissect_result toy_parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	(void)state;
	struct observation o = { .head.type = OBSERVATION_HL7_MESSAGE };
	observation_text(&o, OBSERVATION_F_control_id, (struct span){ in.p, 1 });
	ctx->emit(ctx->arg, &o);
	if (in.p[0] == 'b')
		return (struct dissect_result){ DISSECT_BAD, 0, 0 };
	if (in.p[0] == 'd')
		return (struct dissect_result){ DISSECT_DONE, 1, 0 };
	return (struct dissect_result){ DISSECT_OK, 1, 0 };
}

static enum dissect_status toy_gap(void *state, uint64_t n, struct dissect_ctx *ctx)
{
	(void)state;
	(void)n;
	struct observation o = { .head.type = OBSERVATION_HL7_ACK };
	ctx->emit(ctx->arg, &o);
	return DISSECT_OK;
}

static void toy_finish(void *state, struct span rest, struct dissect_ctx *ctx)
{
	(void)rest;
	(void)toy_gap(state, 0, ctx);
}

static const struct dissector toy = {
	.name = "toy",
	.transports = DISSECT_TCP,
	.state_size = 1,
	.max_message = 16,
	.probe = toy_probe,
	.parse = toy_parse,
	.gap = toy_gap,
	.finish = toy_finish,
};

#define MESSAGE(dir, id) dir " {\"type\":\"hl7.message\",\"control_id\":\"" id "\"}\n"

static void nothing_is_handed_over_after_done(void)
{
	struct drive *d = drive_new(&toy, DRIVE_KNOWN);
	drive_feed(d, 0, span_str("ad"), 0);
	CU_ASSERT(d->done);
	drive_feed(d, 0, span_str("x"), 0);
	drive_feed(d, 1, span_str("b"), 0);
	drive_gap(d, 1, 5);
	drive_finish(d);
	CU_ASSERT_STRING_EQUAL(drive_text(d), MESSAGE("0", "a") MESSAGE("0", "d"));
	CU_ASSERT(!d->bad);
	drive_free(d);
}

static void done_while_probing_stops_the_other_direction(void)
{
	struct drive *d = drive_new(&toy, DRIVE_PROBE);
	drive_feed(d, 1, span_str("?x"), 0);
	drive_feed(d, 0, span_str("da"), 0);
	drive_finish(d);
	CU_ASSERT(d->done && !d->bad);
	drive_free(d);
}

static void broken_is_not_done(void)
{
	struct drive *d = drive_new(&toy, DRIVE_KNOWN);
	drive_feed(d, 0, span_str("bd"), 0);
	CU_ASSERT(d->bad && !d->done);
	CU_ASSERT_STRING_EQUAL(drive_text(d), MESSAGE("0", "b"));
	drive_free(d);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "nothing_is_handed_over_after_done", nothing_is_handed_over_after_done },
		{ "done_while_probing_stops_the_other_direction", done_while_probing_stops_the_other_direction },
		{ "broken_is_not_done", broken_is_not_done },
		CU_TEST_INFO_NULL,
	};
	return test_run("drive", tests);
}
