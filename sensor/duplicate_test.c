#include "sensor/duplicate.h"

#include "core/test.h"

#define MS UINT64_C(1000000)

static struct duplicate table;

static struct decode segment(void)
{
	return (struct decode){ .kind = DECODE_TCP, .ip_id = 7, .checksum = 0x1234, .seq = 100, .ack = 200, .window = 300,
				.flags = DECODE_ACK, .payload_wire = 10, .ttl = 64, .vlan = 5 };
}

static bool seen(const struct decode *d, uint64_t at_ns) { return duplicate_seen(&table, d, 99, 3, 0, at_ns); }

static void what_a_router_changes_does_not_matter(void)
{
	table = (struct duplicate){ 0 };
	struct decode d = segment();
	CU_ASSERT_FALSE(seen(&d, 0));
	d.ttl = 63;
	d.vlan = 30;
	d.src_mac.b[0] = 2;
	d.ip_sum = 1;
	CU_ASSERT_TRUE(seen(&d, DUPLICATE_NS));
	CU_ASSERT_FALSE(seen(&d, DUPLICATE_NS + 1));    /* too late: another one, and remembered as such */
	CU_ASSERT_TRUE(seen(&d, 2 * DUPLICATE_NS));
}

static void every_other_difference_does(void)
{
	for (unsigned i = 0; i < 12; i++) {
		table = (struct duplicate){ 0 };
		struct decode d = segment();
		uint32_t flow = 99;
		unsigned side = 0;
		CU_ASSERT_FALSE(duplicate_seen(&table, &d, 0, flow, side, 0));
		d.seq += i == 0;
		d.ack += i == 1;
		d.window = (uint16_t)(d.window + (i == 2));
		d.flags |= i == 3 ? DECODE_PSH : 0;
		d.ip_id = (uint16_t)(d.ip_id + (i == 4));
		d.checksum = (uint16_t)(d.checksum + (i == 5));
		d.payload_wire += i == 6;
		d.kind = i == 7 ? DECODE_UDP : DECODE_TCP;
		flow += i == 8;
		side += i == 9;
		CU_ASSERT_EQUAL(duplicate_seen(&table, &d, 0, flow, side, 0), i >= 10);
	}
}

/* RFC 5681, 3.2: three equal acknowledgements mean something. RFC 6864: the identification may be 0. */
static void without_identification_only_what_says_something(void)
{
	struct decode d = segment();
	d.ip_id = 0;
	table = (struct duplicate){ 0 };
	CU_ASSERT_FALSE(seen(&d, MS));
	CU_ASSERT_TRUE(seen(&d, MS + DUPLICATE_PLAIN_NS));
	CU_ASSERT_FALSE(seen(&d, MS + DUPLICATE_PLAIN_NS + 1));
	d.payload_wire = 0;
	CU_ASSERT_FALSE(seen(&d, 9 * MS));
	CU_ASSERT_FALSE(seen(&d, 9 * MS));
	d.flags |= DECODE_FIN;
	CU_ASSERT_FALSE(seen(&d, 9 * MS));
	CU_ASSERT_TRUE(seen(&d, 9 * MS));
	d.checksum = 0;
	CU_ASSERT_FALSE(seen(&d, 9 * MS));
	CU_ASSERT_FALSE(seen(&d, 9 * MS));
}

/* Copies that come behind others in between, as a full queue delivers them. */
static void copies_may_be_apart(void)
{
	table = (struct duplicate){ 0 };
	struct decode d = segment();
	unsigned found = 0;
	for (uint16_t round = 0; round < 2; round++)
		for (uint16_t i = 1; i <= 16; i++) {
			d.ip_id = i;
			d.seq = i * 1000u;
			found += seen(&d, round * MS);
		}
	CU_ASSERT(found >= 10 && found <= 16);  /* the same every time; some share a slot */
}

/* A first packet has no flow yet; its copy comes when there is one. */
static void the_packet_that_begins_a_flow_has_copies_too(void)
{
	table = (struct duplicate){ 0 };
	struct decode d = segment();
	CU_ASSERT_FALSE(duplicate_seen(&table, &d, 99, UINT32_MAX, 0, 0));
	duplicate_begins(&table, &d, 5);
	CU_ASSERT_TRUE(duplicate_seen(&table, &d, 99, 5, 0, MS));
	CU_ASSERT_FALSE(duplicate_seen(&table, &d, 99, 6, 0, MS));      /* the same hash, another flow */
	d.ip_id = d.checksum = 0;
	CU_ASSERT_FALSE(duplicate_seen(&table, &d, 99, UINT32_MAX, 0, 2 * MS));
	duplicate_begins(&table, &d, 7);        /* was not remembered: nothing to change */
	CU_ASSERT_FALSE(duplicate_seen(&table, &d, 99, 7, 0, 2 * MS));
}

int main(void)
{
	CU_pSuite s = test_begin("duplicate");
	CU_ADD_TEST(s, what_a_router_changes_does_not_matter);
	CU_ADD_TEST(s, every_other_difference_does);
	CU_ADD_TEST(s, without_identification_only_what_says_something);
	CU_ADD_TEST(s, copies_may_be_apart);
	CU_ADD_TEST(s, the_packet_that_begins_a_flow_has_copies_too);
	return test_end();
}
