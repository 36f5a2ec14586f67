/* conduct.h -- how units keep to what their rows limit, over time: connections and associations in a minute, bytes in a day,
 * how long a session lasts, how many peers; and which rows were never used.
 *
 * Fixed memory, one thread, packet time. What is counted longest ago gives way, so that a limit may be missed when far more rows are
 * in use than there is room for, never said in error. The marks of used rows are exact for the first CONDUCT_ROWS rows of all units
 * together; of rows behind them nothing is said.
 */
#ifndef SENSOR_CONDUCT_H
#define SENSOR_CONDUCT_H

#include <stdbool.h>

#include "core/addr.h"
#include "core/siphash.h"
#include "rules/policy.h"

enum {
	CONDUCT_ENTRIES = 1 << 14,      /* (unit, row) pairs whose traffic is counted */
	CONDUCT_PEERS = 16,             /* of a pair, told apart exactly; a limit above that is not watched */
	CONDUCT_UNITS = 1 << 16,
	CONDUCT_ROWS = 1 << 20,
};

struct conduct;

enum conduct_finding {
	CONDUCT_NOTHING, CONDUCT_CONNECTIONS, CONDUCT_ASSOCIATIONS, CONDUCT_BYTES, CONDUCT_SESSION, CONDUCT_IDLE, CONDUCT_TOO_MANY_PEERS,
};

/* What conduct_new() takes. */
size_t conduct_bytes(void);
struct conduct *conduct_new(const struct siphash_key *key);    /* NULL on ENOMEM */
void conduct_free(struct conduct *c);                           /* NULL is fine */
/* Another policy: rows have other numbers, so everything begins anew. NULL: none. */
void conduct_policy(struct conduct *c, const struct policy *p, uint64_t ts_ns);

/* A row was used: by a flow that began, by an association, by a flow that ended with so many bytes after so long,
 * within which it was silent for longer than `silent_s`. What it exceeds
 * by that, with the number reached. */
enum conduct_finding conduct_open(struct conduct *c, uint32_t device, uint32_t row, const struct policy_row_limits *l,
				  const struct addr *peer, uint64_t ts_ns, uint64_t *ret_value);
enum conduct_finding conduct_association(struct conduct *c, uint32_t device, uint32_t row, const struct policy_row_limits *l,
					 uint64_t ts_ns, uint64_t *ret_value);
enum conduct_finding conduct_end(struct conduct *c, uint32_t device, uint32_t row, const struct policy_row_limits *l, uint64_t bytes,
				 uint64_t lasted_ns, uint64_t silent_s, uint64_t ts_ns, uint64_t *ret_value);

/* The unit was seen at all; its row was used. */
void conduct_met(struct conduct *c, uint32_t device);
void conduct_used(struct conduct *c, uint32_t device, uint32_t row);
/* Since when rows are watched (conduct_policy's time, or the first use). */
uint64_t conduct_since(const struct conduct *c);
/* Whether the unit was seen while its row was not; false too where nothing can be said. */
bool conduct_unused(const struct conduct *c, uint32_t device, uint32_t row);

#endif
