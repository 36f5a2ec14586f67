/* summary.h -- what stands under the output of spanward replay: what was read, what was found, what was not seen, what to do next. */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include <stdbool.h>
#include <stdio.h>

#include "collector/alert.h"
#include "rules/rule.h"
#include "sensor/account.h"

struct summary {
	const struct account *account;
	enum rule_language language;
	bool judged;                    /* there was a policy, and alerts were counted */
	bool interrupted;
	unsigned long long events, alerts, by_severity[EVENT_CRITICAL + 1];
	const char *digest;             /* of the events, in hex */
	/* For the next command. */
	const char *policy_dir;         /* NULL: without one */
	const char *const *files;
	size_t n_files;
	const char *worst_id;           /* of the alerts that were shown; "": none */
};

void summary_print(const struct summary *s, FILE *to);
/* What a counter of something that was not seen means, for people. */
const char *summary_loss(enum stats_counter c, enum rule_language language);

#endif
