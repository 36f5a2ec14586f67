#include "sensor/spaces.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/test.h"
#include "sensor/flow.h"

static struct spaces s;
static char why[256];

static uint8_t of(uint16_t vlan, uint16_t inner, uint32_t overlay)
{
	struct decode d = { .vlan = vlan, .inner_vlan = inner, .overlay = overlay };
	return spaces_of(&s, &d);
}

static void without_a_list_all_is_one(void)
{
	memset(&s, 0, sizeof(s));
	CU_ASSERT_EQUAL(of(0, 0, 0), 0);
	CU_ASSERT_EQUAL(of(100, 200, 5000), 0);
	CU_ASSERT_EQUAL(spaces_name(&s, 0).n, 0);
	CU_ASSERT_EQUAL(spaces_name(&s, 1).n, 0);
}

static void what_is_listed_is_told_apart(void)
{
	memset(&s, 0, sizeof(s));
	CU_ASSERT_EQUAL(spaces_take(&s, "vlan:100,vni:5000", why), 0);
	CU_ASSERT_EQUAL(spaces_take(&s, "vlan:200-202,vlan:100", why), 0);      /* twice is once */
	CU_ASSERT_EQUAL(s.n, 5);
	CU_ASSERT_EQUAL(of(100, 0, 0), 1);
	CU_ASSERT_EQUAL(of(0, 0, 5000), 2);
	CU_ASSERT_EQUAL(of(100, 0, 5000), 2);           /* the overlay is nearer to the hosts */
	CU_ASSERT_EQUAL(of(100, 0, 5001), 1);
	CU_ASSERT_EQUAL(of(201, 100, 0), 4);            /* the outermost that is listed */
	CU_ASSERT_EQUAL(of(10, 202, 0), 5);             /* a provider's tag around it */
	CU_ASSERT_EQUAL(of(10, 11, 0), 0);
	for (unsigned i = 0; i <= s.n; i++)
		CU_ASSERT_EQUAL(spaces_find(&s, spaces_name(&s, i)), i);
	CU_ASSERT(span_eq(spaces_name(&s, 4), span_str("vlan:201")));
	CU_ASSERT_EQUAL(spaces_find(&s, span_str("vlan:20")), 0);
	CU_ASSERT_EQUAL(spaces_vlan(&s, 4), 201);
	CU_ASSERT_EQUAL(spaces_vlan(&s, 2), 0);
	CU_ASSERT_EQUAL(spaces_vlan(&s, 0), 0);
}

static void nonsense_changes_nothing(void)
{
	static const char *const wrong[] = { "", ",", "vlan", "vlan:", "vlan:0", "vlan:4095", "vlan:1,", "vlan:1 ", "vlan:2-1", "vlan:1-", "vni:0",
					     "vni:16777216", "vni:1-2", "100", "vlan:99999999999999999999", "vlan:1;vlan:2", "VLAN:1" };
	memset(&s, 0, sizeof(s));
	CU_ASSERT_EQUAL(spaces_take(&s, "vlan:7", why), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct spaces before = s;
		why[0] = 0;
		CU_ASSERT_EQUAL(spaces_take(&s, wrong[i], why), -EINVAL);
		CU_ASSERT(why[0] && !memcmp(&before, &s, sizeof(s)));
	}
	CU_ASSERT_EQUAL(spaces_take(&s, "vlan:1-300", why), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "255"));
	CU_ASSERT_EQUAL(s.n, 1);
	CU_ASSERT_EQUAL(spaces_take(&s, "vlan:1-255", why), 0);
	CU_ASSERT_EQUAL(s.n, 255);
}

static void a_flow_belongs_to_its_space(void)
{
	struct decode d = { .kind = DECODE_TCP, .src_port = 1, .dst_port = 2, .src.b[15] = 1, .dst.b[15] = 2 };
	struct flow_key a, b;
	const struct flow_hash_key key = flow_hash_key_make(&(const struct siphash_key){ 1, 2 });
	(void)flow_key_make(&d, &a);
	d.space = 3;
	(void)flow_key_make(&d, &b);
	CU_ASSERT(memcmp(&a, &b, sizeof(a)) != 0 && flow_key_hash(&key, &a) != flow_key_hash(&key, &b));
	d.kind = DECODE_ICMP_ERROR;                     /* about a packet of the same space */
	d.quoted = DECODE_TCP;
	(void)flow_key_make(&d, &a);
	CU_ASSERT(!memcmp(&a, &b, sizeof(a)));
}

int main(void)
{
	CU_pSuite s_ = test_begin("spaces");
	CU_ADD_TEST(s_, without_a_list_all_is_one);
	CU_ADD_TEST(s_, what_is_listed_is_told_apart);
	CU_ADD_TEST(s_, nonsense_changes_nothing);
	CU_ADD_TEST(s_, a_flow_belongs_to_its_space);
	return test_end();
}
