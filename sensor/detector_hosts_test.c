/* Who a host is: its names, leases, cards and networks, and what is forgotten of it. */
#include "sensor/detector_rig.h"

static void an_unanswered_address_is_no_asset(void)
{
	struct detector *d = fresh(false);
	struct observation o = flow(OBSERVATION_FLOW_OPEN, 1, 5, 6, 104);
	observation_uint(&o, OBSERVATION_F_answered, 0);
	detector_observe(d, &o);
	CU_ASSERT_EQUAL(count("asset.seen"), 1);
	detector_free(d);
}

static void named(struct detector *d, enum observation_type type, uint64_t number, struct endpoint src, const char *hostname)
{
	struct observation o = { .head.type = (uint16_t)type };
	observation_uint(&o, OBSERVATION_F_packet, number);
	observation_uint(&o, OBSERVATION_F_ts, number * STEP_NS);
	struct endpoint dst = at(255, 67);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &src);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &dst);
	observation_uint(&o, OBSERVATION_F_flow, number);
	observation_text(&o, OBSERVATION_F_operation, span_str(hostname ? "REQUEST" : "ACK"));
	if (hostname)
		observation_text(&o, OBSERVATION_F_hostname, span_str(hostname));
	if (type == OBSERVATION_DHCP_MESSAGE) {
		const struct mac card = { { 2, 0, 0, 0, 0, 9 } };
		struct addr given = at(50, 0).ip;
		observation_uint(&o, OBSERVATION_F_speaker, hostname ? OBSERVATION_CLIENT : OBSERVATION_SERVER);
		vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_mac, &card);
		if (!hostname)
			vocab_set_addr(&observation_vocab, &o.head, OBSERVATION_F_address, &given);
	}
	detector_observe(d, &o);
}

/* Covers: R023 */
static void a_host_is_called_what_it_calls_itself(void)
{
	struct detector *d = fresh(false);
	named(d, OBSERVATION_NAME_CLAIMED, 1, at(7, 5353), "viewer7");
	named(d, OBSERVATION_NAME_CLAIMED, 2, at(7, 5353), "viewer7");
	CU_ASSERT_EQUAL(count("asset.name"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("asset.name"), "\"device\":\"10.0.0.7\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("asset.name"), "\"hostname\":\"viewer7\""));
	detector_free(d);
}

static void a_lease_ties_name_address_and_card(void)
{
	struct detector *d = fresh(false);
	struct endpoint nobody = { .port = 68 };
	named(d, OBSERVATION_DHCP_MESSAGE, 1, nobody, "ct-2");
	CU_ASSERT_EQUAL(count("asset.name"), 0);
	named(d, OBSERVATION_DHCP_MESSAGE, 2, at(1, 67), NULL);
	named(d, OBSERVATION_DHCP_MESSAGE, 3, at(1, 67), NULL);
	CU_ASSERT_EQUAL(count("asset.name"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("asset.name"), "\"device\":\"10.0.0.50\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("asset.name"), "\"device_mac\":\"02:00:00:00:00:09\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("asset.name"), "\"hostname\":\"ct-2\""));
	detector_free(d);
}

/* A message of a server (last octet) or of the card itself, about 10.0.0.50. */
static void dhcp(struct detector *d, uint64_t number, uint8_t from, uint8_t card, const char *what, uint64_t seconds)
{
	struct observation o = { .head.type = OBSERVATION_DHCP_MESSAGE };
	struct endpoint src = at(from, 67), dst = at(255, 68);
	const struct mac mac = { { 2, 0, 0, 0, 0, card } };
	struct addr given = at(50, 0).ip;
	observation_uint(&o, OBSERVATION_F_packet, number);
	observation_uint(&o, OBSERVATION_F_ts, number * STEP_NS);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &src);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &dst);
	observation_uint(&o, OBSERVATION_F_flow, number);
	observation_text(&o, OBSERVATION_F_operation, span_str(what));
	observation_uint(&o, OBSERVATION_F_speaker, strcmp(what, "ACK") ? OBSERVATION_CLIENT : OBSERVATION_SERVER);
	vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_mac, &mac);
	vocab_set_addr(&observation_vocab, &o.head, OBSERVATION_F_address, &given);
	observation_uint(&o, OBSERVATION_F_lease_s, seconds);
	detector_observe(d, &o);
}

/* The card that speaks for 10.0.0.50 in the summary of a flow, as its last octet; 0: none. */
static unsigned card_of(struct detector *d, uint64_t number, uint8_t seen)
{
	struct observation o = flow(OBSERVATION_FLOW_OPEN, number, 50, 60, 104);
	const struct mac mac = { { 2, 0, 0, 0, 0, seen } };
	if (seen)
		vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_src_mac, &mac);
	detector_observe(d, &o);
	n_lines = 0;
	o = flow(OBSERVATION_FLOW_END, number, 50, 60, 104);
	detector_observe(d, &o);
	const char *m = strstr(first("flow.summary"), "\"device_mac\":\"02:00:00:00:00:");
	unsigned card = 0;
	return m && sscanf(m + 30, "%2x", &card) == 1 ? card : 0;
}

static void a_lease_speaks_for_an_address_in_its_time(void)
{
	/* Without a server named, any lease speaks where nothing else does. */
	struct detector *d = fresh(true);
	dhcp(d, 1, 1, 9, "ACK", 1);
	CU_ASSERT_EQUAL(card_of(d, 2, 0), 9);
	CU_ASSERT_EQUAL(card_of(d, 3, 7), 7);
	detector_free(d);
	/* The site's own server's speaks also against a hardware address that may be a router's, until it runs out. */
	plays = POLICY_PLAYS_YES;
	d = fresh(true);
	dhcp(d, 1, 1, 9, "ACK", 1);
	CU_ASSERT_EQUAL(card_of(d, 2, 0), 9);
	CU_ASSERT_EQUAL(card_of(d, 3, 7), 9);
	CU_ASSERT_EQUAL(card_of(d, 1002, 7), 7);
	/* A stranger's does not, and is told; nor does it take the server's away. */
	n_lines = 0;
	dhcp(d, 1003, 2, 8, "ACK", 1);
	CU_ASSERT_EQUAL(count("network.dhcp_server"), 1);
	CU_ASSERT_EQUAL(card_of(d, 1004, 7), 7);
	dhcp(d, 1005, 1, 9, "ACK", 100);
	dhcp(d, 1006, 2, 8, "ACK", 100);
	CU_ASSERT_EQUAL(card_of(d, 1007, 7), 9);
	/* Once the card itself was seen there, another one is another one, and told. */
	CU_ASSERT_EQUAL(card_of(d, 1008, 9), 9);
	struct observation o = flow(OBSERVATION_FLOW_OPEN, 1009, 50, 60, 104);
	const struct mac other = { { 2, 0, 0, 0, 0, 7 } };
	vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_src_mac, &other);
	n_lines = 0;
	detector_observe(d, &o);
	CU_ASSERT_EQUAL(count("identity.lease_conflict"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("identity.lease_conflict"), "used by 02:00:00:00:00:07"));
	CU_ASSERT_EQUAL(card_of(d, 1010, 7), 7);
	/* Given back by its card; not by another. */
	dhcp(d, 1011, 1, 5, "ACK", 100);
	dhcp(d, 1012, 50, 6, "RELEASE", 0);
	CU_ASSERT_EQUAL(card_of(d, 1013, 7), 5);
	dhcp(d, 1014, 50, 5, "RELEASE", 0);
	CU_ASSERT_EQUAL(card_of(d, 1015, 7), 7);
	detector_free(d);
	plays = POLICY_PLAYS_UNSAID;
}

/* A flow of 10.0.0.50 whose frames bear that card (0: none) and VLAN (0: none). */
static struct observation borne(enum observation_type type, uint64_t number, uint8_t card, uint16_t vlan)
{
	struct observation o = flow(type, number, 50, 60, 104);
	const struct mac mac = { { 2, 0, 0, 0, 0, card } };
	if (card)
		vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_src_mac, &mac);
	if (vlan)
		observation_uint(&o, OBSERVATION_F_vlan, vlan);
	return o;
}

/* The same observation in a network whose addresses overlap. */
static struct observation in(struct observation o, const char *space)
{
	observation_text(&o, OBSERVATION_F_space, span_str(space));
	return o;
}

static void the_same_address_elsewhere_is_another_host(void)
{
	char why[256];
	CU_ASSERT_EQUAL(spaces_take(&networks, "vlan:100,vni:5000", why), 0);
	struct detector *d = fresh(true);
	/* 10.0.0.50 of each network is met once, with its own card. */
	static const char *const names[] = { "", "vlan:100", "vni:5000" };
	for (uint64_t i = 0; i < 6; i++) {
		struct observation o = borne(OBSERVATION_FLOW_OPEN, 1 + i, (uint8_t)(1 + i % 3), i % 3 == 1 ? 100 : 0);
		o = i % 3 ? in(o, names[i % 3]) : o;
		detector_observe(d, &o);
		/* Whoever asks the policy asks of this network: an entry has to name the VLAN. */
		CU_ASSERT_EQUAL(asked[0].zone >> 16, i % 3 == 0 ? 0 : i % 3 == 1 ? POLICY_VLAN_ONLY | 100 : POLICY_VLAN_ONLY);
		CU_ASSERT_EQUAL(asked[0].zone >> 8 & 0xff, 1 + i % 3);
	}
	CU_ASSERT_EQUAL(count("asset.seen"), 6);                /* both ends, in three networks */
	CU_ASSERT_EQUAL(count("\"device\":\"10.0.0.50%vlan:100\""), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("\"device\":\"10.0.0.50%vlan:100\""), "\"space\":\"vlan:100\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("\"device\":\"10.0.0.50%vni:5000\""), "\"device_mac\":\"02:00:00:00:00:03\""));
	/* A message has no evidence of its own: what the host of its network was met with is lent to it. */
	for (uint64_t i = 0; i < 3; i++) {
		struct observation o = { .head.type = OBSERVATION_HL7_MESSAGE };
		struct endpoint src = at(50, 40000), dst = at(60, 2575);
		observation_uint(&o, OBSERVATION_F_packet, 10 + i);
		observation_uint(&o, OBSERVATION_F_ts, (10 + i) * STEP_NS);
		vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &src);
		vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &dst);
		observation_uint(&o, OBSERVATION_F_flow, 4 + i);
		o = i ? in(o, names[i]) : o;
		detector_observe(d, &o);
		CU_ASSERT_EQUAL(asked[0].zone >> 8 & 0xff, 1 + i);
	}
	detector_free(d);
	/* A lease speaks in its network only. */
	d = fresh(true);
	struct observation o = borne(OBSERVATION_FLOW_OPEN, 20, 0, 0);
	dhcp(d, 19, 1, 9, "ACK", 100);
	detector_observe(d, &o);
	CU_ASSERT_EQUAL(asked[0].zone >> 8 & 0xff, 9);
	o = in(borne(OBSERVATION_FLOW_OPEN, 21, 0, 0), "vlan:100");
	detector_observe(d, &o);
	CU_ASSERT_EQUAL(asked[0].zone >> 8 & 0xff, 0xff);
	detector_free(d);
	networks = (struct spaces){ 0 };
}

/* What policy_who_find() was asked with for the side that opened. */
static uint32_t evidence(uint8_t card, uint16_t vlan) { return 50u | (uint32_t)(card ? card : 0xff) << 8 | (uint32_t)vlan << 16; }

static void who_a_host_is_is_found_again_when_what_it_rests_on_changes(void)
{
	static const uint64_t other = 1;
	struct detector *d = fresh(true);
	observe(d, borne(OBSERVATION_FLOW_OPEN, 1, 7, 3));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(7, 3));
	finds = 0;
	observe(d, borne(OBSERVATION_FLOW_OPEN, 2, 7, 3));
	CU_ASSERT_EQUAL(finds, 0);
	CU_ASSERT_EQUAL(asked[0].zone, evidence(7, 3));
	/* Another card, another VLAN, none of either. */
	observe(d, borne(OBSERVATION_FLOW_OPEN, 3, 8, 3));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(8, 3));
	observe(d, borne(OBSERVATION_FLOW_OPEN, 4, 8, 4));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(8, 4));
	observe(d, borne(OBSERVATION_FLOW_OPEN, 5, 0, 0));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(0, 0));
	/* Another policy: nothing of what the one before said is left. */
	unit_at_1 = NULL;
	finds = 0;
	observe(d, borne(OBSERVATION_FLOW_OPEN, 6, 0, 0));
	CU_ASSERT_EQUAL(finds, 0);
	detector_policy(d, (const struct policy *)(const void *)&other, 4, 2);
	observe(d, borne(OBSERVATION_FLOW_OPEN, 7, 0, 0));
	CU_ASSERT(finds >= 2);
	unit_at_1 = "ct-1";
	/* A lease that speaks for it, and its end. */
	dhcp(d, 8, 1, 9, "ACK", 1);
	observe(d, borne(OBSERVATION_FLOW_OPEN, 9, 0, 0));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(9, 0));
	observe(d, borne(OBSERVATION_FLOW_OPEN, 1009, 0, 0));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(0, 0));
	/* The card turns out to be a router's: it says nothing of who is behind it. */
	observe(d, borne(OBSERVATION_FLOW_OPEN, 1010, 7, 0));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(7, 0));
	for (uint8_t i = 1; i <= 4; i++) {
		struct observation o = borne(OBSERVATION_FLOW_OPEN, 1010u + i, 7, 0);
		o.src.ip.b[14] = i;
		observe(d, o);
	}
	CU_ASSERT_EQUAL(count("identity.router"), 1);
	observe(d, borne(OBSERVATION_FLOW_OPEN, 1020, 7, 0));
	CU_ASSERT_EQUAL(asked[0].zone, 50);     /* zeros */
	detector_free(d);
}

/* Of an address that nobody answered from nothing is known, until somebody does. */
static void an_address_that_was_nobodys_is_somebodys_once_it_answers(void)
{
	struct detector *d = fresh(true);
	for (uint64_t i = 1; i <= 3; i++) {
		struct observation o = flow(OBSERVATION_FLOW_OPEN, i, 5, 60, 104);
		observation_uint(&o, OBSERVATION_F_answered, i == 3);
		observe(d, o);
		CU_ASSERT_EQUAL(count("\"device\":\"10.0.0.60\""), i == 3);
	}
	finds = 0;
	observe(d, flow(OBSERVATION_FLOW_OPEN, 4, 5, 60, 104));
	CU_ASSERT_EQUAL(finds, 0);
	CU_ASSERT_EQUAL(count("asset.seen"), 2);
	detector_free(d);
}

static void a_unit_is_told_by_what_it_is_now(void)
{
	static const uint64_t other = 1;
	struct detector *d = fresh(true);
	observe(d, flow(OBSERVATION_FLOW_OPEN, 1, 1, 2, 104));
	observe(d, flow(OBSERVATION_FLOW_END, 1, 1, 2, 104));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("flow.summary"), "\"device\":\"ct-1\""));
	unit_at_1 = "ct-9";
	detector_policy(d, (const struct policy *)(const void *)&other, 4, 2);
	n_lines = 0;
	observe(d, flow(OBSERVATION_FLOW_END, 1, 1, 2, 104));
	CU_ASSERT_EQUAL(count("\"device\":\"ct-9\""), 1);
	detector_policy(d, NULL, 5, 3);
	n_lines = 0;
	observe(d, flow(OBSERVATION_FLOW_END, 1, 1, 2, 104));
	CU_ASSERT_EQUAL(count("\"device\":\"10.0.0.1\""), 1);
	unit_at_1 = "ct-1";
	detector_free(d);
}

/* What a flow said before is not looked up again; what it says anew is. */
static void what_a_flow_says_anew_is_learned(void)
{
	struct detector *d = fresh(false);
	struct observation o = flow(OBSERVATION_FLOW_SERVICE, 1, 5, 6, 104);
	observation_text(&o, OBSERVATION_F_service, span_str("unknown"));
	observation_uint(&o, OBSERVATION_F_answered, 0);
	observe(d, o);
	CU_ASSERT_EQUAL(count("asset.service"), 0);
	/* The same, but answered; then with a name. */
	o.answered = 1;
	observe(d, o);
	CU_ASSERT_EQUAL(count("asset.service"), 1);
	observation_text(&o, OBSERVATION_F_service, span_str("dicom"));
	observe(d, o);
	observe(d, o);
	CU_ASSERT_EQUAL(count("asset.service"), 2);
	CU_ASSERT_EQUAL(count("asset.client"), 2);
	/* The other end's name, and another name of the same. */
	for (unsigned i = 0; i < 2; i++) {
		named(d, OBSERVATION_NAME_CLAIMED, 1, at(5, 40000), "viewer5");
		named(d, OBSERVATION_NAME_CLAIMED, 1, at(6, 104), "pacs6");
	}
	CU_ASSERT_EQUAL(count("asset.name"), 2);
	named(d, OBSERVATION_NAME_CLAIMED, 1, at(5, 40000), "viewer-five");
	CU_ASSERT_EQUAL(count("asset.name"), 3);
	detector_free(d);
}

/* Two hosts share a place in the table: neither is taken for the other. */
static void a_host_that_made_room_is_not_what_took_its_place(void)
{
	struct detector *d = fresh(true);
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 1; i <= 250; i++) {
			struct observation o = flow(OBSERVATION_FLOW_OPEN, i, (uint8_t)i, 60, 104);
			const struct mac mac = { { 2, 0, 0, 0, 0, (uint8_t)i } };
			vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_src_mac, &mac);
			observe(d, o);
			CU_ASSERT_EQUAL(asked[0].zone, i | i << 8);
			CU_ASSERT_EQUAL(asked[1].zone & 0xff, 60);
			n_lines = 0;
		}
	CU_ASSERT(detector_stats(d)->v[STATS_assets_evicted] > 0);
	detector_free(d);
}

static void a_full_asset_table_evicts_and_says_so(void)
{
	struct detector *d = fresh(false);
	struct stats s = { 0 };
	for (uint64_t i = 1; i <= 2000; i++) {
		struct observation o = flow(OBSERVATION_FLOW_OPEN, i, 5, 6, 104);
		o.src.ip.b[14] = (uint8_t)(i >> 8), o.src.ip.b[15] = (uint8_t)i;
		detector_observe(d, &o);
		n_lines = 0;
	}
	CU_ASSERT(detector_stats(d)->v[STATS_assets_evicted] > 1000);
	detector_finish(d, &s, 3000 * STEP_NS);
	CU_ASSERT_EQUAL(count("\"counter\":\"assets_evicted\""), 1);
	detector_free(d);
}

int main(void)
{
	CU_pSuite s = test_begin("detector_hosts");
	CU_ADD_TEST(s, an_unanswered_address_is_no_asset);
	CU_ADD_TEST(s, a_host_is_called_what_it_calls_itself);
	CU_ADD_TEST(s, a_lease_ties_name_address_and_card);
	CU_ADD_TEST(s, a_lease_speaks_for_an_address_in_its_time);
	CU_ADD_TEST(s, the_same_address_elsewhere_is_another_host);
	CU_ADD_TEST(s, who_a_host_is_is_found_again_when_what_it_rests_on_changes);
	CU_ADD_TEST(s, an_address_that_was_nobodys_is_somebodys_once_it_answers);
	CU_ADD_TEST(s, a_unit_is_told_by_what_it_is_now);
	CU_ADD_TEST(s, what_a_flow_says_anew_is_learned);
	CU_ADD_TEST(s, a_host_that_made_room_is_not_what_took_its_place);
	CU_ADD_TEST(s, a_full_asset_table_evicts_and_says_so);
	return test_end();
}
