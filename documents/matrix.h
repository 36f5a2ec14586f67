/* matrix.h -- the communication matrix (通信マトリクス): per unit, port and direction what was declared against what was seen.
 *
 * A line per unit and row of its documents in force or not, and a line per unit, port, peer and verdict for what no row
 * declares. Fed with the observations of an engine; every flow is judged as the detector judges it (rules/policy.h), from
 * what is known of it at its end. What was not seen says whether it could have been.
 */
#ifndef DOCUMENTS_MATRIX_H
#define DOCUMENTS_MATRIX_H

#include "core/observation.h"
#include "rules/policy_model.h"

enum matrix_state {
	MATRIX_SEEN,                    /* as declared */
	MATRIX_DIFFERENT,               /* seen_differently, at least once */
	MATRIX_DISABLED_USED,
	MATRIX_UNDECLARED, MATRIX_FORBIDDEN,
	MATRIX_CANNOT_SAY,              /* flows that fit it, of which too little was seen */
	MATRIX_NOT_SEEN,                /* the unit was seen, this not */
	MATRIX_OFF,                     /* optional or disabled, and not enabled in the inventory: nothing to see */
	MATRIX_NOT_OBSERVABLE,          /* `why` says */
	MATRIX_UNWATCHED,               /* no capture was read */
	MATRIX_STATES
};

enum matrix_why {
	MATRIX_WHY_NONE,
	MATRIX_WHY_UNIT,                /* nothing of the unit was seen: off, or not on this mirror */
	MATRIX_WHY_TRANSPORT,           /* a transport that is not judged */
	MATRIX_WHY_INTERFACE,           /* not a network: USB, serial, video */
	MATRIX_WHYS
};

enum { MATRIX_PEERS = 4, MATRIX_MAX_LINES = 4000000, MATRIX_MAX_UNDECLARED = 100000 };

struct matrix_line {
	uint32_t device;
	uint32_t row;                   /* of the table; POLICY_NONE: no row fits, or it is not in the table */
	const struct policy_model_row *declared;        /* NULL: a built-in row, an interface, or undeclared */
	const struct conf_node *interface;              /* NULL: none */
	uint8_t side, transport, what;  /* enum policy_side, enum event_what */
	uint8_t state, why;
	uint8_t service;                /* seen, of enum policy_proto, + 1; 0: none of them */
	uint32_t cite;                  /* where it stands; POLICY_NONE: nowhere */
	uint16_t lo, hi;
	uint64_t flows, differently, cannot, unanswered, packets, bytes;        /* flows: all that were judged by it */
	uint64_t declared_flows;
	uint64_t first_ns, last_ns;     /* 0: never */
	struct addr peers[MATRIX_PEERS];
	uint32_t n_peers;               /* that were told apart, at most MATRIX_PEERS + 1: then there are more */
};

/* What a unit did as a whole. */
struct matrix_unit { uint64_t flows, explained, bytes, explained_bytes; bool seen; };

struct matrix;

/* `p` is the table of the model; both are borrowed. 0, -ENOMEM or -EOVERFLOW (more than MATRIX_MAX_LINES). */
int matrix_new(const struct policy *p, const struct policy_model *m, struct matrix **ret);
void matrix_observe(struct matrix *x, const struct observation *o);
/* Says what each line has come to. `watched`: captures were read. */
void matrix_settle(struct matrix *x, bool watched);
const struct policy *matrix_policy(const struct matrix *x);
const struct policy_model *matrix_model(const struct matrix *x);
size_t matrix_count(const struct matrix *x);
const struct matrix_line *matrix_at(const struct matrix *x, size_t i);  /* by unit, then rows, then the undeclared */
const struct matrix_unit *matrix_unit(const struct matrix *x, uint32_t device);
/* Where a unit stands: its place, else its zone; empty. */
struct span matrix_place(const struct matrix *x, uint32_t device);
uint64_t matrix_lost(const struct matrix *x);   /* undeclared flows for which there was no line left */
void matrix_free(struct matrix *x);             /* NULL is fine */

#endif
