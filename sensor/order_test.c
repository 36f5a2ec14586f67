#include "sensor/order.h"

#include "core/test.h"

static enum dissect_guess begins(struct span head, uint8_t with)
{
	return !head.n ? DISSECT_MAYBE : head.p[0] != with ? DISSECT_NO : head.n > 1 ? DISSECT_YES : DISSECT_MAYBE;
}

static enum dissect_guess probe_a(struct span head, bool midstream) { return midstream ? DISSECT_MAYBE : begins(head, 'a'); }
static enum dissect_guess probe_b(struct span head, bool midstream) { return (void)midstream, begins(head, 'b'); }

static const struct dissector list[] = {
	{ .name = "a", .transports = DISSECT_TCP, .ports = { 10, 20 }, .probe = probe_a },
	{ .name = "b", .transports = DISSECT_TCP, .ports = { 20, 30 }, .probe = probe_b },
	{ .name = "c", .transports = DISSECT_UDP, .ports = { 5 }, .needs_port = true },
	{ .name = "d", .transports = DISSECT_UDP, .ports = { 10 } },
	{ .name = "e", .transports = DISSECT_TCP | DISSECT_UDP, .ports = { 30 }, .probe = probe_a },
};
static const struct dissector *const all[] = { &list[0], &list[1], &list[2], &list[3], &list[4], NULL };

/* The names of those asked, in order. */
static const char *names(const struct order_turns *t)
{
	static char text[16];
	size_t n = 0;
	unsigned index = 0;
	for (unsigned at = 0; (at = order_next(t, at, &index)) < ORDER_END; at++)
		text[n++] = list[index].name[0];
	text[n] = 0;
	return text;
}

static const char *stream(const struct order *o, uint16_t p0, uint16_t p1, const char *head, bool midstream)
{
	const uint16_t port[2] = { p0, p1 };
	struct order_turns t = order_stream(o, port, span_str(head), midstream);
	return names(&t);
}

static const char *datagram(const struct order *o, uint16_t p0, uint16_t p1)
{
	const uint16_t port[2] = { p0, p1 };
	struct order_turns t = order_datagram(o, port);
	return names(&t);
}

static void ports_first_and_no_first_byte_for_nothing(void)
{
	struct order *o = order_new(all);
	CU_ASSERT_STRING_EQUAL(stream(o, 1, 2, "", false), "abe");
	CU_ASSERT_STRING_EQUAL(stream(o, 30, 2, "", false), "bea");
	CU_ASSERT_STRING_EQUAL(stream(o, 2, 30, "", false), "bea");
	CU_ASSERT_STRING_EQUAL(stream(o, 10, 30, "", false), "abe");
	CU_ASSERT_STRING_EQUAL(stream(o, 1, 2, "ax", false), "ae");
	CU_ASSERT_STRING_EQUAL(stream(o, 1, 30, "ax", false), "ea");
	CU_ASSERT_STRING_EQUAL(stream(o, 1, 2, "bx", false), "b");
	CU_ASSERT_STRING_EQUAL(stream(o, 1, 2, "bx", true), "abe");
	CU_ASSERT_STRING_EQUAL(stream(o, 1, 2, "zx", false), "");
	CU_ASSERT(order_has_port(o, 10) && order_has_port(o, 20) && order_has_port(o, 5) && !order_has_port(o, 11));
	order_free(o);
}

static void weak_datagrams_need_their_port(void)
{
	struct order *o = order_new(all);
	CU_ASSERT_STRING_EQUAL(datagram(o, 1, 2), "de");
	CU_ASSERT_STRING_EQUAL(datagram(o, 1, 5), "cde");
	CU_ASSERT_STRING_EQUAL(datagram(o, 30, 1), "ed");
	order_free(o);
}

static void the_last_place_is_reached(void)
{
	struct order_turns t = { .first = UINT64_C(1) << 63, .then = UINT64_C(1) << 63 | 1 };
	unsigned index = 0;
	CU_ASSERT_EQUAL(order_next(&t, 0, &index), 63);
	CU_ASSERT_EQUAL(index, 63);
	CU_ASSERT_EQUAL(order_next(&t, 64, &index), 64);
	CU_ASSERT_EQUAL(index, 0);
	CU_ASSERT_EQUAL(order_next(&t, 65, &index), 127);
	CU_ASSERT_EQUAL(index, 63);
	CU_ASSERT_EQUAL(order_next(&t, 128, &index), ORDER_END);
	t = (struct order_turns){ 0 };
	CU_ASSERT_EQUAL(order_next(&t, 0, &index), ORDER_END);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "ports first and no first byte for nothing", ports_first_and_no_first_byte_for_nothing },
		{ "weak datagrams need their port", weak_datagrams_need_their_port },
		{ "the last place is reached", the_last_place_is_reached },
		CU_TEST_INFO_NULL,
	};
	return test_run("order", tests);
}
