/* The proposal for a firewall, in both forms: what is in it, what is left out and says so. */
/* Covers: R110 R111 R114 */
#include "documents/firewall.h"

#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "documents/papers.h"
#include "rules/policy_fixture.h"

static struct policy *policy;
static struct policy_model model;
static struct matrix *matrix;

static char *print(enum firewall_form form, bool drops, const char *unit, struct firewall_count *n)
{
	char *text = NULL;
	size_t len = 0;
	const struct firewall_options o = { .form = form, .drops = drops, .units = &unit, .n_units = unit != NULL };
	FILE *to = open_memstream(&text, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	CU_ASSERT_EQUAL(firewall_print(matrix, &o, to, n), 0);
	(void)fclose(to);
	return text;
}

static void holds(const char *text, const char *const *wanted)
{
	for (; *wanted; wanted++) {
		if (!strstr(text, *wanted))
			(void)printf("missing: %s\nin: %s\n", *wanted, text);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, *wanted));
	}
}
#define HOLDS(TEXT, ...) holds(TEXT, (const char *const[]){ __VA_ARGS__, NULL })

static void nftables(void)
{
	struct firewall_count n = { 0 };
	char *text = print(FIREWALL_NFTABLES, true, NULL, &n);
	HOLDS(text, "chain u0_out {", "ip daddr { 10.1.0.0/24 } tcp dport 104 return comment \"IFU (2) 1\"",
	      "meta nfproto ipv6 tcp dport 5000-5010 return comment \"IFU (2) 2 ??\"", "ip saddr { 10.1.0.10 } tcp dport 22 return",
	      "# left out: IFU (2) 4, tcp 443: the peer is given by host name", "# left out: IFU (2) 5, tcp 80: optional or disabled",
	      "ip saddr { 10.20.0.1 } jump u0_out", "ip6 daddr { 2001:db8::1 } jump u0_in", "drop\n", "left out: the inventory has no address",
	      "icmp type echo-request return");
	CU_ASSERT_PTR_NULL(strstr(text, "a.example.com"));
	CU_ASSERT(n.units == 1 && n.left_out == 3);
	free(text);
}

static void acl(void)
{
	struct firewall_count n = { 0 };
	char *text = print(FIREWALL_ACL, false, "a", &n);
	HOLDS(text, "permit tcp 10.20.0.1 any -> 10.1.0.0/24 104 # IFU (2) 1\n", "permit tcp 2001:db8::1 any -> any 5000-5010 # ",
	      "permit tcp 10.1.0.10 any -> 10.20.0.1 22 # IFU (2) 3\n", "log ip 10.20.0.1 -> any\n", "permit icmp any -> 10.20.0.1 echo-request # ");
	CU_ASSERT_PTR_NULL(strstr(text, "deny"));
	CU_ASSERT_PTR_NULL(strstr(text, "no address for it"));
	free(text);
}

int main(void)
{
	static struct conf_report rep;
	struct policy_fixture f;
	policy_fixture_make(&f);
	policy_fixture_text(&f, "site.yaml", "format: spanward/1\nkind: site\nroles: {pacs: [{ip: 10.1.0.10}, {cidr: 10.1.0.0/28}]}\n");
	policy_fixture_text(&f, "inventory.yaml",
			    "format: spanward/1\nkind: inventory\ndevices:\n  - {id: a, type: x, select: [{ip: 10.20.0.1}, {ip: '2001:db8::1'}]}\n"
			    "  - {id: b, type: x, select: [{mac: '02:00:5e:00:00:01'}]}\n");
	policy_fixture_text(&f, "x.yaml",
			    "format: spanward/1\ndevice_type: x\nmaker: M\nmodel: X\ndocuments: {i: {id: IFU, revision: 2}}\nport_list: exhaustive\n"
			    "infrastructure: [icmp-echo-reply]\n"
			    "out:\n  r: {tcp: 104, to: [pacs, 10.1.0.0/24], cite: i 1}\n  s: {tcp: 5000-5010, to: any, cite: 'i 2 \"\\'}\n"
			    "  t: {tcp: 443, to: a.example.com, cite: i 4}\n  u: {tcp: 80, to: pacs, optional: yes, cite: i 5}\n"
			    "in:\n  v: {tcp: 22, from: 10.1.0.10, cite: i 3}\n");
	const char *dir = f.dir;
	int r = policy_compile_dir(dir, &policy, &rep);
	if (!r)
		r = papers_read(&dir, 1, &model, &rep);
	if (!r)
		r = matrix_new(policy, &model, &matrix);
	policy_fixture_print(&rep);
	policy_fixture_done(&f);
	if (r)
		return 1;
	matrix_settle(matrix, false);
	CU_TestInfo tests[] = { { "nftables", nftables }, { "access list", acl }, CU_TEST_INFO_NULL };
	r = test_run("firewall", tests);
	matrix_free(matrix);
	policy_load_free(&model);
	free(policy);
	return r;
}
