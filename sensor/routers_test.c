/* Which hardware addresses stand for many hosts. */
/* Covers: R033 */
#include "sensor/routers.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/test.h"

static bool take(struct routers *r, const char *mac, const char *ip)
{
	struct mac m;
	struct addr a;
	if (addr_parse_mac(span_str(mac), &m) || addr_parse(span_str(ip), &a))
		abort();
	return routers_take(r, &m, &a);
}

static bool is(struct routers *r, const char *mac)
{
	struct mac m;
	if (addr_parse_mac(span_str(mac), &m))
		abort();
	return routers_is(r, &m);
}

static struct routers *fresh(void)
{
	static const struct siphash_key key = { 3, 4 };
	struct routers *r = routers_new(&key);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	return r;
}

static void hosts_of_several_networks_make_a_router(void)
{
	struct routers *r = fresh();
	const char *m = "02:00:00:00:00:01";
	CU_ASSERT(!take(r, m, "10.1.0.1"));
	CU_ASSERT(!take(r, m, "10.2.0.1"));
	CU_ASSERT(!take(r, m, "10.2.0.1"));
	CU_ASSERT(!take(r, m, "10.2.0.2"));
	CU_ASSERT(!is(r, m));
	CU_ASSERT(take(r, m, "10.3.0.1"));
	CU_ASSERT(is(r, m));
	/* told once */
	CU_ASSERT(!take(r, m, "10.4.0.1"));
	CU_ASSERT(!is(r, "02:00:00:00:00:02"));
	routers_free(r);
	routers_free(NULL);
}

static void many_hosts_of_one_network_do_not(void)
{
	struct routers *r = fresh();
	char ip[32];
	for (int i = 1; i < 100; i++) {
		(void)snprintf(ip, sizeof(ip), "10.1.0.%d", i);
		CU_ASSERT(!take(r, "02:00:00:00:00:01", ip));
	}
	CU_ASSERT(!is(r, "02:00:00:00:00:01"));
	/* a host of another network shows what it is */
	CU_ASSERT(take(r, "02:00:00:00:00:01", "192.0.2.1"));
	routers_free(r);
}

/* An address of each family, a link-local one, one in a second network: still one host. */
static void a_host_with_several_addresses_is_none(void)
{
	struct routers *r = fresh();
	const char *m = "02:00:00:00:00:01";
	CU_ASSERT(!take(r, m, "10.1.0.1"));
	CU_ASSERT(!take(r, m, "2001:db8:1::1"));
	CU_ASSERT(!take(r, m, "fe80::1"));
	CU_ASSERT(!take(r, m, "10.2.0.1"));
	CU_ASSERT(!is(r, m));
	routers_free(r);
}

static void a_full_table_forgets(void)
{
	struct routers *r = fresh();
	for (unsigned i = 0; i < 4 * ROUTERS_ENTRIES; i++) {
		struct mac m = { { 2, 0, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } };
		struct addr a = { 0 };
		a.b[14] = (uint8_t)(i >> 8);
		a.b[15] = (uint8_t)i;
		CU_ASSERT(!routers_take(r, &m, &a));
	}
	routers_free(r);
}

/* What was answered before is not answered from memory once it has changed. */
static void an_answer_is_forgotten_when_it_changes(void)
{
	struct routers *r = fresh();
	const char *m = "02:00:00:00:00:01";
	char mac[32], ip[32];
	/* A host asked about again and again, before and after. */
	for (int i = 0; i < 3; i++) {
		CU_ASSERT(!is(r, m));
		CU_ASSERT(!take(r, m, "10.1.0.1"));
	}
	CU_ASSERT(!take(r, m, "10.2.0.1"));
	CU_ASSERT(!take(r, m, "10.2.0.2"));
	CU_ASSERT(!is(r, m));
	CU_ASSERT(take(r, m, "10.3.0.1"));
	CU_ASSERT(is(r, m));
	/* It gives way to others: the same host is taken anew, and three more make it a router again. */
	for (int i = 0; i < 16 * ROUTERS_ENTRIES; i++) {
		(void)snprintf(mac, sizeof(mac), "02:00:01:%02x:%02x:%02x", i >> 16 & 255, i >> 8 & 255, i & 255);
		(void)snprintf(ip, sizeof(ip), "10.9.%d.%d", i >> 8 & 255, i & 255);
		(void)take(r, mac, ip);
	}
	CU_ASSERT(!is(r, m));
	CU_ASSERT(!take(r, m, "10.1.0.1"));
	CU_ASSERT(!take(r, m, "10.2.0.1"));
	CU_ASSERT(!take(r, m, "10.2.0.2"));
	CU_ASSERT(take(r, m, "10.3.0.1"));
	CU_ASSERT(is(r, m));
	/* Whoever is seen all the time stays, from memory too. */
	for (int i = 0; i < 16 * ROUTERS_ENTRIES; i++) {
		(void)snprintf(mac, sizeof(mac), "02:00:02:%02x:%02x:%02x", i >> 16 & 255, i >> 8 & 255, i & 255);
		(void)take(r, mac, ip);
		CU_ASSERT_FALSE(take(r, m, "10.1.0.1"));
	}
	CU_ASSERT(is(r, m));
	routers_free(r);
}

int main(void)
{
	CU_pSuite s = test_begin("routers");
#define T(name) CU_add_test(s, #name, name)
	T(hosts_of_several_networks_make_a_router);
	T(many_hosts_of_one_network_do_not);
	T(an_answer_is_forgotten_when_it_changes);
	T(a_host_with_several_addresses_is_none);
	T(a_full_table_forgets);
#undef T
	return test_end();
}
