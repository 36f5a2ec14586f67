/* Covers: R067 */
#include "sensor/mirror.h"

#include <string.h>

#include <CUnit/Basic.h>

static const uint64_t second = UINT64_C(1000000000);

struct rig {
	struct mirror *m;
	unsigned n[4];
	uint32_t source;
	uint64_t value, now, packets, vlans[MIRROR_VLANS];
};

static void found(void *arg, enum mirror_finding f, uint32_t source, uint64_t value, uint64_t ts_ns)
{
	struct rig *r = arg;
	(void)ts_ns;
	r->n[f]++;
	r->source = source;
	r->value = value;
}

static void setup(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	const struct mirror_config c = { found, r };
	r->m = mirror_new(&c);
	r->now = 1000 * second;
	CU_ASSERT_PTR_NOT_NULL_FATAL(r->m);
}

static void packet(struct rig *r, uint32_t source, uint64_t ts_ns, uint64_t stamp_ns, uint32_t wire_len, size_t n)
{
	const struct source_packet p = { .bytes.n = n, .wire_len = wire_len, .ts_ns = stamp_ns };
	mirror_packets(r->m, source, &p, &ts_ns, 1);
}

/* `seconds` of ten packets a second of a source and VLAN. */
static void traffic(struct rig *r, uint32_t source, unsigned vlan, unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 10; i++) {
		r->now += second / 10;
		packet(r, source, r->now, r->now, 100, 100);
		r->packets++;
		r->vlans[vlan]++;
		if (mirror_due(r->m, r->now))
			mirror_judge(r->m, r->now, r->vlans, r->packets, 0);
	}
}

static void facts_of_a_source(void)
{
	struct rig r;
	setup(&r);
	traffic(&r, 2, 0, 1);
	packet(&r, 2, r.now, r.now - 5, 1500, 96);
	packet(&r, 2, r.now + 7 * second, r.now + 7 * second, 60, 60);
	const struct mirror_source *f = mirror_of(r.m, 2);
	CU_ASSERT_EQUAL(f->packets, 12);
	CU_ASSERT_EQUAL(f->bytes, 1000 + 1500 + 60);
	CU_ASSERT_EQUAL(f->backward, 1);
	CU_ASSERT_EQUAL(f->truncated, 1);
	CU_ASSERT_EQUAL(f->silence_ns, 7 * second);
	CU_ASSERT_EQUAL(f->silence_at_ns, r.now);
	CU_ASSERT_EQUAL(f->silences, 0);
	CU_ASSERT_EQUAL(mirror_of(r.m, 1)->packets, 0);
	mirror_free(r.m);
}

static void a_busy_source_that_falls_silent_is_said_once(void)
{
	struct rig r;
	setup(&r);
	traffic(&r, 1, 0, 200);
	for (int i = 0; i < 20; i++) {
		r.now += 60 * second;
		if (mirror_due(r.m, r.now))
			mirror_judge(r.m, r.now, r.vlans, r.packets, 0);
	}
	CU_ASSERT_EQUAL(r.n[MIRROR_SILENT], 1);
	CU_ASSERT_EQUAL(r.source, 1);
	traffic(&r, 1, 0, 200);
	CU_ASSERT_EQUAL(r.n[MIRROR_SILENT], 1);
	r.now += 400 * second;                  /* a capture file: the next packet tells */
	traffic(&r, 1, 0, 1);
	CU_ASSERT_EQUAL(r.n[MIRROR_SILENT], 2);
	CU_ASSERT_EQUAL(r.value, 400);
	CU_ASSERT_EQUAL(mirror_of(r.m, 1)->silences, 2);
	mirror_free(r.m);
}

static void a_quiet_source_may_be_silent(void)
{
	struct rig r;
	setup(&r);
	for (int i = 0; i < 20; i++) {
		r.now += 60 * second;
		packet(&r, 1, r.now, r.now, 100, 100);
		mirror_judge(r.m, r.now, r.vlans, ++r.packets, 0);
	}
	r.now += 4000 * second;
	mirror_judge(r.m, r.now, r.vlans, r.packets, 0);
	CU_ASSERT_EQUAL(r.n[MIRROR_SILENT], 0);
	mirror_free(r.m);
}

static void a_vlan_that_vanishes_while_others_go_on(void)
{
	struct rig r;
	setup(&r);
	for (int i = 0; i < 50; i++) {
		traffic(&r, 1, 10, 10);
		traffic(&r, 1, 20, 10);
	}
	CU_ASSERT_EQUAL(r.n[MIRROR_VLAN_LOST], 0);
	traffic(&r, 1, 10, 900);
	CU_ASSERT_EQUAL(r.n[MIRROR_VLAN_LOST], 1);
	CU_ASSERT_EQUAL(r.value, 20);
	CU_ASSERT_EQUAL(r.n[MIRROR_SILENT], 0);
	mirror_free(r.m);
}

static void one_direction_is_said_of_many_flows_only(void)
{
	struct rig r;
	setup(&r);
	for (int i = 0; i < 49; i++)
		mirror_flow(r.m, true);
	traffic(&r, 1, 0, 130);
	CU_ASSERT_EQUAL(r.n[MIRROR_ONE_DIRECTION], 0);
	for (int i = 0; i < 20; i++)
		mirror_flow(r.m, true);
	traffic(&r, 1, 0, 130);
	CU_ASSERT_EQUAL(r.n[MIRROR_ONE_DIRECTION], 1);
	CU_ASSERT_EQUAL(r.value, 100);
	for (int i = 0; i < 100; i++)
		mirror_flow(r.m, i % 5 == 0);
	traffic(&r, 1, 0, 130);
	CU_ASSERT_EQUAL(r.n[MIRROR_ONE_DIRECTION], 1);
	mirror_free(r.m);
}

static void doubled_packets_are_said_while_they_begin(void)
{
	struct rig r;
	setup(&r);
	mirror_judge(r.m, r.now, r.vlans, 0, 0);
	for (uint64_t i = 1; i <= 5; i++)
		mirror_judge(r.m, r.now + i * MIRROR_WINDOW_NS, r.vlans, i * 5000, i * 2500);
	CU_ASSERT_EQUAL(r.n[MIRROR_DUPLICATES], 1);
	CU_ASSERT_EQUAL(r.value, 50);
	mirror_free(r.m);
}

int main(void)
{
	static const struct { const char *name; void (*run)(void); } cases[] = {
#define CASE(f) { #f, f }
		CASE(facts_of_a_source),
		CASE(a_busy_source_that_falls_silent_is_said_once),
		CASE(a_quiet_source_may_be_silent),
		CASE(a_vlan_that_vanishes_while_others_go_on),
		CASE(one_direction_is_said_of_many_flows_only),
		CASE(doubled_packets_are_said_while_they_begin),
	};
	CU_initialize_registry();
	CU_pSuite suite = CU_add_suite("mirror", NULL, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!suite || !CU_add_test(suite, cases[i].name, cases[i].run))
			return 1;
	CU_basic_run_tests();
	unsigned failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
