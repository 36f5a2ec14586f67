/* coverage.h -- how far the documents explain what was seen, and how far what they say was seen: a matrix added up, per row of
 * each device type, per device type and per place (ward or zone).
 */
#ifndef DOCUMENTS_COVERAGE_H
#define DOCUMENTS_COVERAGE_H

#include "documents/matrix.h"

enum coverage_kind { COVERAGE_ROW, COVERAGE_TYPE, COVERAGE_PLACE, COVERAGE_ALL, COVERAGE_KINDS };
extern const char *const coverage_kinds[];      /* row, type, place, all */

struct coverage_line {
	enum coverage_kind kind;
	struct span type, name;         /* of a row: its type and id; of a place: name alone */
	uint32_t cite;                  /* of a row; POLICY_NONE */
	uint64_t units, units_seen;
	uint64_t lines[MATRIX_STATES];  /* of the matrix, by state */
	uint64_t flows, explained, bytes, explained_bytes;      /* of units; not of rows */
};

struct coverage { struct coverage_line *v; size_t n, room; };

/* Of a settled matrix, which must live as long. 0 or -ENOMEM. */
int coverage_make(const struct matrix *x, struct coverage *ret);
void coverage_free(struct coverage *c);
/* Flows or bytes in per mille; -1 when there were none. */
int coverage_share(uint64_t part, uint64_t whole);

#endif
