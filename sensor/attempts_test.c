/* Covers: R024 R034 R067 */
#include "sensor/attempts.h"

#include <CUnit/Basic.h>

static const struct siphash_key key = { 1, 2 };
static const uint64_t second = UINT64_C(1000000000), again = 900 * UINT64_C(1000000000);

static struct addr host(uint32_t n)
{
	struct addr a = { .b = { [10] = 0xff, [11] = 0xff, [12] = 10, [13] = (uint8_t)(n >> 16), [14] = (uint8_t)(n >> 8),
				 [15] = (uint8_t)n } };
	return a;
}

struct said { unsigned scans, floods, folded, explained; uint64_t count; };

static struct attempts_try probe(uint32_t src, uint32_t dst, uint16_t port, uint64_t ns)
{
	return (struct attempts_try){ .src = host(src), .dst = host(dst), .port = port, .transport = 1, .started_ns = ns, .probe = true };
}

static void take_it(struct attempts *a, struct attempts_try t, struct said *s)
{
	uint64_t n = 0;
	bool explains = false;
	enum attempts_what w = attempts_take(a, &t, &n, &explains);
	s->scans += w == ATTEMPTS_SCAN;
	s->floods += w == ATTEMPTS_FLOOD_BEGINS;
	s->folded += w == ATTEMPTS_FOLDED;
	s->explained += explains;
	CU_ASSERT(!explains || w == ATTEMPTS_SCAN || w == ATTEMPTS_FOLDED);
	if (w == ATTEMPTS_SCAN || w == ATTEMPTS_FLOOD_BEGINS)
		s->count = n;
}

static void take(struct attempts *a, uint32_t src, uint32_t dst, uint16_t port, uint64_t ns, struct said *s)
{
	take_it(a, probe(src, dst, port, ns), s);
}

/* As many probes of different ports, from that card; mac 0: unknown. */
static void scan_from(struct attempts *a, unsigned n, uint8_t mac, uint64_t ns, struct said *s)
{
	for (unsigned i = 0; i < n; i++) {
		struct attempts_try t = probe(3, 4, (uint16_t)(1 + i), ns);
		t.known = mac != 0;
		t.mac.b[5] = mac;
		take_it(a, t, s);
	}
}

static void a_flood_of_many_sources_is_said_once(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	for (uint32_t i = 0; i < 300000; i++)
		take(a, 0x10000 + i, 7, 104, second + i * (second / 10000), &s);
	CU_ASSERT_EQUAL(s.floods, 1);
	CU_ASSERT_EQUAL(s.scans, 0);
	CU_ASSERT_EQUAL(s.count, ATTEMPTS_FLOOD);
	CU_ASSERT_EQUAL(s.folded, 300000 - ATTEMPTS_FLOOD);
	attempts_free(a);
}

static void a_flood_that_goes_on_is_said_again(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	for (uint32_t i = 0; i < 2000 * 200; i++)
		take(a, 0x10000 + i % 5000, 7, 104, i * (second / 200), &s);
	CU_ASSERT_EQUAL(s.floods, 3);           /* 2,000 s at 900 s */
	attempts_free(a);
}

static void fewer_than_a_flood_are_nothing(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	for (uint32_t i = 0; i < 100000; i++)
		take(a, 0x10000 + i, 7, 104, i * (second / 50), &s);
	CU_ASSERT_EQUAL(s.floods + s.scans + s.folded, 0);
	attempts_free(a);
}

static void a_scan_is_said_of_its_source_beside_a_flood(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	for (uint32_t i = 0; i < 200000; i++) {
		take(a, 0x10000 + i, 7, 104, i * (second / 10000), &s);
		if (i % 100 == 0)
			take(a, 3, 1000 + i / 100, 22, i * (second / 10000), &s);
	}
	CU_ASSERT_EQUAL(s.floods, 1);
	CU_ASSERT_EQUAL(s.scans, 1);
	attempts_free(a);
}

static void a_port_scan_is_no_flood(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	for (uint32_t port = 1; port < 65536; port++)
		take(a, 3, 4, (uint16_t)port, port * (second / 10000), &s);
	CU_ASSERT_EQUAL(s.scans, 1);
	CU_ASSERT_EQUAL(s.floods, 0);
	CU_ASSERT(s.count >= ATTEMPTS_SCAN_BITS && s.count < 100);
	attempts_free(a);
}

static void one_service_that_is_down_is_no_scan(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	for (uint32_t i = 0; i < 5000; i++)
		take(a, 3, 4 + i % 40, 104, i * (second / 10), &s);
	CU_ASSERT_EQUAL(s.scans + s.floods, 0);
	attempts_free(a);
}

static bool waits(struct attempts *a, uint32_t src, uint32_t dst, uint16_t port, uint64_t ns)
{
	struct addr from = host(src), to = host(dst);
	return attempts_waits(a, &from, &to, port, ns);
}

static void what_a_scan_comes_to_is_told(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	struct attempts_scan more;
	size_t at = 0;
	for (uint32_t i = 0; i < 1000; i++)
		take(a, 3, 4, (uint16_t)(1 + i), second + i, &s);
	CU_ASSERT_EQUAL(s.scans, 1);
	/* Not yet; then all of them, once. */
	CU_ASSERT_FALSE(attempts_next(a, &at, second + again, &more) && more.count);
	at = 0;
	CU_ASSERT_TRUE(attempts_next(a, &at, 2 * second + again, &more));
	const struct addr src = host(3);
	CU_ASSERT_EQUAL(addr_cmp(&more.src, &src), 0);
	CU_ASSERT_EQUAL(more.count + s.count, 1000);
	CU_ASSERT_EQUAL(more.last_ns, second + 999);
	CU_ASSERT_EQUAL(more.transport, 1);
	CU_ASSERT_FALSE(attempts_next(a, &at, 2 * second + again, &more));
	at = 0;
	CU_ASSERT_FALSE(attempts_next(a, &at, UINT64_MAX, &more));
	/* Said again, with what came meanwhile. */
	for (uint32_t i = 0; i < 50; i++)
		take(a, 3, 5, (uint16_t)(1 + i), 2 * second, &s);
	for (uint32_t i = 0; i < 200; i++)
		take(a, 3, 5, (uint16_t)(1 + i), 2 * again, &s);
	CU_ASSERT_EQUAL(s.scans, 2);
	CU_ASSERT(s.count >= 50 + ATTEMPTS_SCAN_BITS);
	attempts_free(a);
}

static void what_is_said_of_a_scanner_waits_until_its_scan_is_over(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	for (uint32_t i = 0; i < 100; i++)
		take(a, 3, 4, (uint16_t)(1 + i), second, &s);
	CU_ASSERT_TRUE(waits(a, 3, 4, 1, 2 * second));
	CU_ASSERT_TRUE(waits(a, 3, 4, 1, again));
	CU_ASSERT_FALSE(waits(a, 5, 4, 1, 2 * second));
	/* Single attempts later do not make a scan that is over go on. */
	for (uint64_t ns = again; ns < 10 * again; ns += again / 2)
		take(a, 3, 4, 1, ns, &s);
	CU_ASSERT_EQUAL(s.scans, 1);
	CU_ASSERT_FALSE(waits(a, 3, 4, 1, 10 * again));
	/* A scan that goes on is one in the next window as well, before it has tried as many pairs there. */
	s = (struct said){ 0 };
	uint64_t begin = 20 * ATTEMPTS_SCAN_WINDOW_NS;
	for (uint32_t i = 0; i < 8000; i++) {
		take(a, 7, 4, (uint16_t)(1 + i), begin + i * (second / 4), &s);
		CU_ASSERT(i < 100 || s.scans + s.folded >= i - 99);
	}
	CU_ASSERT_EQUAL(s.floods, 0);
	CU_ASSERT_EQUAL(s.scans, 3);            /* 2,000 s at 900 s */
	attempts_free(a);
}

static void many_open_flows_wait_like_a_scans(void)
{
	struct attempts *a = attempts_new(&key, again);
	unsigned n = 0;
	for (uint32_t i = 0; i < 1000; i++)
		n += !waits(a, 3, 4, (uint16_t)(1 + i), second);
	CU_ASSERT(n >= ATTEMPTS_SCAN_BITS && n < 100);
	/* The same again is nothing new. */
	for (uint32_t i = 0; i < 1000; i++)
		CU_ASSERT_FALSE(waits(a, 6, 4 + i % 40, 104, second));
	/* Another time, another window. */
	CU_ASSERT_FALSE(waits(a, 3, 4, 1, 2 * ATTEMPTS_SCAN_WINDOW_NS));
	attempts_free(a);
}

static void what_carries_more_than_a_probe_is_no_scans(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	for (uint32_t i = 0; i < 200; i++) {
		struct attempts_try t = probe(3, 4, (uint16_t)(1 + i), second);
		t.probe = false;
		take_it(a, t, &s);
	}
	CU_ASSERT_EQUAL(s.scans + s.folded + s.explained, 0);
	scan_from(a, 200, 0, second, &s);
	CU_ASSERT_EQUAL(s.scans, 1);
	CU_ASSERT_EQUAL(s.explained, s.scans + s.folded);
	unsigned explained = s.explained;
	struct attempts_try t = probe(3, 40, 514, second);
	t.probe = false;
	take_it(a, t, &s);
	CU_ASSERT_EQUAL(s.explained, explained);
	/* A flood is told as one; what its sources do is told all the same. */
	s = (struct said){ 0 };
	for (uint32_t i = 0; i < 2 * ATTEMPTS_FLOOD; i++)
		take_it(a, t, &s);
	CU_ASSERT_EQUAL(s.floods, 1);
	CU_ASSERT(s.folded >= ATTEMPTS_FLOOD);
	CU_ASSERT_EQUAL(s.explained, 0);
	attempts_free(a);
}

static void what_is_tried_again_and_again_is_no_scans(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	scan_from(a, 200, 0, second, &s);
	s = (struct said){ 0 };
	for (uint32_t i = 0; i < 100; i++) {
		take(a, 3, 40, 514, second + i, &s);
		/* The scan goes on meanwhile, over more pairs than are counted. */
		for (uint32_t j = 0; j < 100; j++)
			take(a, 3, 50, (uint16_t)(1 + i * 100 + j), second + i, &s);
	}
	CU_ASSERT_EQUAL(s.explained, 100 * 100 + ATTEMPTS_TRIES - 1);
	CU_ASSERT_EQUAL(s.floods, 0);
	/* What is no attempt is tried as well. */
	struct attempts_try again_and_again = probe(3, 41, 514, second);
	for (uint32_t i = 0; i < 20; i++) {
		CU_ASSERT_TRUE(attempts_scans(a, &again_and_again));
		CU_ASSERT_EQUAL(attempts_explains(a, &again_and_again), i + 1 < ATTEMPTS_TRIES);
	}
	/* Another transport, another network: another pair. */
	s = (struct said){ 0 };
	struct attempts_try t = probe(3, 40, 514, second);
	t.transport = 2;
	take_it(a, t, &s);
	CU_ASSERT_EQUAL(s.explained, 1);
	/* Passes that lie far apart do not add up. */
	for (uint32_t pass = 0; pass < 20; pass++) {
		s = (struct said){ 0 };
		for (uint32_t i = 0; i < 200; i++)
			take(a, 6, 4, (uint16_t)(1 + i), (1 + pass) * 2 * ATTEMPTS_TRIES_NS, &s);
		CU_ASSERT(s.explained > 100);
	}
	attempts_free(a);
}

/* A little for each port of one host. */
static void what_probes_bring_to_a_host_adds_up(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	scan_from(a, 200, 0, second, &s);
	s = (struct said){ 0 };
	struct attempts_try t = probe(3, 40, 1, second), other = probe(3, 41, 1, second);
	t.carried = other.carried = 512;
	for (uint32_t i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(attempts_carried(a, &t), i * 512 > ATTEMPTS_CARRIED);
		t.port = (uint16_t)(1 + i);
		take_it(a, t, &s);
	}
	CU_ASSERT_EQUAL(s.explained, ATTEMPTS_CARRIED / 512);
	CU_ASSERT_FALSE(attempts_carried(a, &other));
	/* Many hosts, little for each. */
	s = (struct said){ 0 };
	for (uint32_t i = 0; i < 5000; i++) {
		other.dst = host(1000 + i);
		take_it(a, other, &s);
	}
	CU_ASSERT_EQUAL(s.explained, 5000);
	CU_ASSERT_TRUE(attempts_carried(a, &t));
	t.started_ns += 2 * ATTEMPTS_TRIES_NS;
	CU_ASSERT_FALSE(attempts_carried(a, &t));
	attempts_free(a);
}

static bool is_explained(struct attempts *a, uint8_t mac, bool routed, uint16_t port, uint64_t ns)
{
	struct said s = { 0 };
	struct attempts_try t = probe(3, 40, port, ns);
	t.known = mac != 0;
	t.routed = routed;
	t.mac.b[5] = mac;
	take_it(a, t, &s);
	return s.explained;
}

static void a_scan_speaks_for_its_own_card(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	/* Another's probes among the forged ones, even the one that makes it a scan, do not make it his. */
	for (unsigned i = 0; i < 200 && !s.scans; i++) {
		struct attempts_try t = probe(3, 4, (uint16_t)(1 + i), second);
		t.known = true;
		t.mac.b[5] = i % 4 ? 66 : 21;
		take_it(a, t, &s);
	}
	CU_ASSERT_EQUAL(s.scans, 1);
	CU_ASSERT_TRUE(is_explained(a, 66, false, 514, second));
	CU_ASSERT_FALSE(is_explained(a, 21, false, 514, second));
	CU_ASSERT_TRUE(is_explained(a, 0, false, 515, second));
	CU_ASSERT_FALSE(is_explained(a, 7, true, 516, second));
	struct attempts_try victim = probe(3, 40, 518, second);
	CU_ASSERT_TRUE(attempts_scans(a, &victim));
	victim.known = true;
	victim.mac.b[5] = 21;
	CU_ASSERT_FALSE(attempts_scans(a, &victim) || attempts_explains(a, &victim));
	/* It became known as a router's since. */
	CU_ASSERT_TRUE(is_explained(a, 66, true, 517, second));
	/* Said again, it is whose it is now; one of a router's is any router's, and no card's. */
	s = (struct said){ 0 };
	for (unsigned i = 0; i < 200; i++) {
		struct attempts_try t = probe(3, 4, (uint16_t)(1 + i), 2 * again);
		t.known = t.routed = true;
		t.mac.b[5] = (uint8_t)(1 + i % 2);
		take_it(a, t, &s);
	}
	CU_ASSERT_EQUAL(s.scans, 1);
	CU_ASSERT_TRUE(is_explained(a, 9, true, 600, 2 * again));
	CU_ASSERT_FALSE(is_explained(a, 66, false, 601, 2 * again));
	attempts_free(a);
}

/* The same address elsewhere is another host: neither its scans nor its floods are the first one's. */
static void networks_count_for_themselves(void)
{
	struct attempts *a = attempts_new(&key, again);
	struct said s = { 0 };
	for (uint32_t i = 0; i < 3 * 60; i++) {
		attempts_in(a, (uint8_t)(i % 3));
		take(a, 3, 4, (uint16_t)(1 + i), second, &s);
	}
	CU_ASSERT_EQUAL(s.scans + s.folded, 0);
	for (uint32_t i = 0; i < 3 * (ATTEMPTS_FLOOD - 1); i++) {
		attempts_in(a, (uint8_t)(i % 3));
		take(a, 0x10000 + i, 7, 104, second, &s);
	}
	CU_ASSERT_EQUAL(s.floods, 0);
	attempts_in(a, 2);
	for (uint32_t i = 0; i < 200; i++)
		take(a, 3, 4, (uint16_t)(1000 + i), second, &s);
	CU_ASSERT_EQUAL(s.scans, 1);
	struct attempts_scan more;
	size_t at = 0;
	CU_ASSERT_TRUE(attempts_next(a, &at, UINT64_MAX, &more));
	CU_ASSERT_EQUAL(more.space, 2);
	struct attempts_try t = probe(3, 4, 1, second);
	CU_ASSERT_TRUE(attempts_scans(a, &t));
	attempts_in(a, 0);
	CU_ASSERT_FALSE(attempts_scans(a, &t));
	attempts_free(a);
}

int main(void)
{
	static const struct { const char *name; void (*run)(void); } cases[] = {
#define CASE(f) { #f, f }
		CASE(a_flood_of_many_sources_is_said_once),
		CASE(a_flood_that_goes_on_is_said_again),
		CASE(fewer_than_a_flood_are_nothing),
		CASE(a_scan_is_said_of_its_source_beside_a_flood),
		CASE(a_port_scan_is_no_flood),
		CASE(one_service_that_is_down_is_no_scan),
		CASE(what_a_scan_comes_to_is_told),
		CASE(what_is_said_of_a_scanner_waits_until_its_scan_is_over),
		CASE(many_open_flows_wait_like_a_scans),
		CASE(what_carries_more_than_a_probe_is_no_scans),
		CASE(what_is_tried_again_and_again_is_no_scans),
		CASE(what_probes_bring_to_a_host_adds_up),
		CASE(a_scan_speaks_for_its_own_card),
		CASE(networks_count_for_themselves),
	};
	CU_initialize_registry();
	CU_pSuite suite = CU_add_suite("attempts", NULL, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!suite || !CU_add_test(suite, cases[i].name, cases[i].run))
			return 1;
	CU_basic_run_tests();
	unsigned failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
