/* The summary of a replay, in both languages. */
#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "cli/summary.h"
#include "core/test.h"

static char *printed(const struct summary *s)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	summary_print(s, to);
	(void)fclose(to);
	return text;
}

static void languages(void)
{
	static struct account account;
	static const char *const files[] = { "a b.pcap" };
	struct summary s = { .account = &account, .judged = true, .interrupted = true, .events = 5, .alerts = 3, .digest = "00ff",
			     .by_severity = { [EVENT_CRITICAL] = 1, [EVENT_LOW] = 2 }, .policy_dir = "policy", .files = files, .n_files = 1,
			     .worst_id = "0123456789abcdef" };
	account.stats.v[STATS_packets] = 9;
	account.stats.v[STATS_kernel_drops] = 4;
	char *text = printed(&s);
	CU_ASSERT(strstr(text, "9 packets, 0 flows, 0 observations, 3 alerts (1 critical, 2 low)\nnot seen: kernel_drops 4 (packets the kernel") ==
		  text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ninterrupted: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nnext: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nevents 5 sha256 00ff\n"));
	free(text);
	s.language = RULE_JA;
	text = printed(&s);
	CU_ASSERT(strstr(text, "パケット9、通信0、観測0、アラート3（緊急1、低2）\n未観測：kernel_drops 4（カーネルが破棄した") == text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n中断："));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n次： "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "-o alerts.jsonl 'a b.pcap' && "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nイベント5 sha256 00ff\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "not seen"));
	free(text);
	/* Without a policy: what one is for. */
	s.policy_dir = NULL;
	text = printed(&s);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "（開示資料と照合する。"));
	free(text);
}

/* Whatever may be lost is said in Japanese too. */
static void losses(void)
{
	for (int i = 0; i < STATS_COUNTERS; i++) {
		const char *ja = summary_loss((enum stats_counter)i, RULE_JA);
		CU_ASSERT_STRING_EQUAL(summary_loss((enum stats_counter)i, RULE_EN), stats_doc((enum stats_counter)i));
		if (stats_is_loss((enum stats_counter)i) && !strcmp(ja, stats_doc((enum stats_counter)i))) {
			(void)fprintf(stderr, "  %s has no Japanese\n", stats_name((enum stats_counter)i));
			CU_FAIL("a counter without Japanese");
		}
	}
}

int main(void)
{
	CU_TestInfo tests[] = { { "languages", languages }, { "losses", losses }, CU_TEST_INFO_NULL };
	return test_run("summary", tests);
}
