/* finding.h -- one alert by its id, from a store or from alerts in JSON Lines, for commands that decide about it. */
#ifndef CLI_FINDING_H
#define CLI_FINDING_H

#include "collector/alert.h"
#include "collector/store.h"

enum { FINDING_TEXT = 104 };

struct finding {
	char id[ALERT_ID_LEN + 1];
	char rule[FINDING_TEXT], device[FINDING_TEXT], peer[FINDING_TEXT] /* unit, role, zone, 'internet' or address */,
		peer_name[FINDING_TEXT] /* unit or role */, transport[16], port[8], severity[16], said[FINDING_TEXT], seen[FINDING_TEXT];
	uint64_t last_ns;
};

/* `id`: all of it, or its beginning when only one alert begins so. `from`: a store or JSON Lines ("-": standard input). ERR_EXIT_OK, or
 * the exit code with the reason said. */
int finding_get(const char *from, const char *id, struct finding *ret);

#endif
