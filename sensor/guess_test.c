/* What nDPI is asked and what it costs. */
#include "sensor/guess.h"

#include <string.h>

#include "core/test.h"

static struct guess *g;
static struct guess_pool *pool;

static enum guess_said show(uint16_t slot, bool tcp, bool forth, uint16_t port, const void *bytes, size_t n, uint8_t *ret)
{
	const struct guess_packet p = { .tcp = tcp, .from_initiator = forth, .src_port = forth ? 40000 : port,
					.dst_port = forth ? port : 40000, .ts_ns = 1, .payload = { bytes, n } };
	return guess_show(g, pool, slot, &p, ret);
}

/* The same label whatever the port: content decides. */
static void known_bytes_are_named(void)
{
	static const char mqtt[] = "\x10\x0f\0\4MQTT\4\2\0\x3c\0\3abc";
	static const char redis[] = "*1\r\n$4\r\nPING\r\n", pong[] = "+PONG\r\n";
	uint8_t label = 0;
	uint16_t slot = guess_pool_take(pool, 7, 1);
	CU_ASSERT_EQUAL(show(slot, true, true, 41883, mqtt, sizeof(mqtt) - 1, &label), GUESS_NAMED);
	CU_ASSERT_STRING_EQUAL(guess_name(label), "mqtt");
	guess_pool_give(pool, slot);
	slot = guess_pool_take(pool, 7, 1);
	CU_ASSERT_EQUAL(show(slot, true, true, 46379, redis, sizeof(redis) - 1, &label), GUESS_OPEN);
	CU_ASSERT_EQUAL(show(slot, true, false, 46379, pong, sizeof(pong) - 1, &label), GUESS_NAMED);
	CU_ASSERT_STRING_EQUAL(guess_name(label), "redis");
	guess_pool_give(pool, slot);
}

/* Ports at which nDPI would guess, with bytes of nothing; and a DICOM association, which it calls Cassandra. */
static void a_port_alone_and_dicom_are_not_named(void)
{
	static const uint16_t ports[] = { 1883, 5432, 3306, 20000, 502, 6379, 1433, 104, 9042 };
	static const uint8_t dicom[] = { 1, 0, 0, 0, 0, 205, 0, 1, 0, 0, 'P', 'A', 'C', 'S' };
	uint8_t nothing[32];
	memset(nothing, 0xee, sizeof(nothing));
	for (size_t i = 0; i < 2 * sizeof(ports) / sizeof(ports[0]); i++) {
		uint8_t label = 0;
		uint16_t slot = guess_pool_take(pool, 7, 1);
		bool odd = i & 1;
		enum guess_said said = show(slot, true, true, ports[i / 2], odd ? dicom : nothing, odd ? sizeof(dicom) : sizeof(nothing), &label);
		CU_ASSERT(said == GUESS_OPEN || said == GUESS_NOTHING);
		if (said == GUESS_OPEN)
			CU_ASSERT_EQUAL(guess_finish(g, pool, slot, &label), GUESS_NOTHING);
		CU_ASSERT_EQUAL(label, 0);
		guess_pool_give(pool, slot);
	}
}

static void eight_payloads_are_enough(void)
{
	uint8_t label = 0, nothing[9];
	uint16_t slot = guess_pool_take(pool, 7, 1);
	for (int i = 0; i < GUESS_PACKETS; i++) {
		memset(nothing, 0xe0 + i, sizeof(nothing));
		CU_ASSERT_EQUAL(show(slot, true, !(i & 1), 4701, nothing, sizeof(nothing), &label),
				i + 1 < GUESS_PACKETS ? GUESS_OPEN : GUESS_NOTHING);
	}
	guess_pool_give(pool, slot);
}

static void slots_are_few_and_come_back(void)
{
	uint16_t all[4];
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT((all[i] = guess_pool_take(pool, 7, 1)) > 0);
	CU_ASSERT_EQUAL(guess_pool_take(pool, 7, 1), 0);
	guess_pool_give(pool, all[2]);
	CU_ASSERT_EQUAL(guess_pool_take(pool, 7, 1), all[2]);
	for (unsigned i = 0; i < 4; i++)
		guess_pool_give(pool, all[i]);
	CU_ASSERT_EQUAL(guess_pool_taken(pool), 0);
}

static void the_quietest_slot_is_found(void)
{
	uint16_t a = guess_pool_take(pool, 11, 1000), b = guess_pool_take(pool, 12, 2000);
	uint32_t owner = 0;
	CU_ASSERT_EQUAL(guess_pool_quiet(pool, 999 + GUESS_QUIET_NS, &owner), 0);
	CU_ASSERT_EQUAL(guess_pool_quiet(pool, 999, &owner), 0);
	CU_ASSERT(guess_pool_quiet(pool, 1000 + GUESS_QUIET_NS, &owner) == a && owner == 11);
	guess_pool_shown(pool, a, 3000);
	CU_ASSERT(guess_pool_quiet(pool, 3000 + GUESS_QUIET_NS, &owner) == b && owner == 12);
	guess_pool_give(pool, b);
	CU_ASSERT(guess_pool_quiet(pool, 3000 + GUESS_QUIET_NS, &owner) == a && owner == 11);
	guess_pool_give(pool, a);
	CU_ASSERT_EQUAL(guess_pool_quiet(pool, 3000 + GUESS_QUIET_NS, &owner), 0);
}

static void labels_have_names(void)
{
	CU_ASSERT_PTR_NULL(guess_name(0));
	CU_ASSERT_PTR_NULL(guess_name(255));
	CU_ASSERT_STRING_EQUAL(guess_name(1), "postgresql");
}

/* Built without the library: asked all the same, nothing is said. */
static void without_it_nothing_is_said(void)
{
	static const char redis[] = "*1\r\n$4\r\nPING\r\n";
	uint8_t label = 0;
	uint16_t slot = guess_pool_take(pool, 7, 1);
	CU_ASSERT(!guess_built() && !guess_new() && !guess_bytes());
	CU_ASSERT_EQUAL(show(slot, true, true, 6379, redis, sizeof(redis) - 1, &label), GUESS_NOTHING);
	CU_ASSERT_EQUAL(guess_finish(g, pool, slot, &label), GUESS_NOTHING);
	CU_ASSERT_EQUAL(label, 0);
	guess_pool_give(pool, slot);
	guess_free(g);
}

int main(void)
{
	CU_TestInfo without[] = {
		{ "labels_have_names", labels_have_names },
		{ "slots_are_few_and_come_back", slots_are_few_and_come_back },
		{ "the_quietest_slot_is_found", the_quietest_slot_is_found },
		{ "without_it_nothing_is_said", without_it_nothing_is_said },
		CU_TEST_INFO_NULL,
	};
	CU_TestInfo cases[] = {
		{ "labels_have_names", labels_have_names },
		{ "slots_are_few_and_come_back", slots_are_few_and_come_back },
		{ "the_quietest_slot_is_found", the_quietest_slot_is_found },
		{ "known_bytes_are_named", known_bytes_are_named },
		{ "a_port_alone_and_dicom_are_not_named", a_port_alone_and_dicom_are_not_named },
		{ "eight_payloads_are_enough", eight_payloads_are_enough },
		CU_TEST_INFO_NULL,
	};
	pool = guess_pool_new(4);
	g = guess_new();
	if (!pool || (guess_built() && !g))
		return 1;
	int code = test_run("guess", guess_built() ? cases : without);
	guess_pool_free(pool);
	guess_free(g);
	return code;
}
