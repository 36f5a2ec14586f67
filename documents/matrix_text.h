/* matrix_text.h -- a matrix for people and for programs: words, cells, and the forms it is printed in. */
#ifndef DOCUMENTS_MATRIX_TEXT_H
#define DOCUMENTS_MATRIX_TEXT_H

#include "core/buf.h"
#include "documents/matrix.h"
#include "documents/printout.h"
#include "rules/rule.h"

const char *matrix_text_state_id(enum matrix_state s);       /* for machines: "not_seen" */
const char *matrix_text_state_word(enum matrix_state s, enum rule_language language);
const char *matrix_text_why_id(enum matrix_why w);
const char *matrix_text_why_word(enum matrix_why w, enum rule_language language);

/* The cells of a line, as texts in `mem`; MATRIX_TEXT_CELLS of them under the heads of that language. */
enum { MATRIX_TEXT_CELLS = 22 };
extern const char *const matrix_text_heads[2][MATRIX_TEXT_CELLS];
enum matrix_text_cell {
	MATRIX_TEXT_UNIT, MATRIX_TEXT_TYPE, MATRIX_TEXT_MODEL, MATRIX_TEXT_PLACE, MATRIX_TEXT_DIRECTION, MATRIX_TEXT_TRANSPORT,
		MATRIX_TEXT_PORT,
	MATRIX_TEXT_PROTOCOL, MATRIX_TEXT_ENCRYPTION, MATRIX_TEXT_PEERS, MATRIX_TEXT_FUNCTION, MATRIX_TEXT_DOCUMENT,
		MATRIX_TEXT_REVISION, MATRIX_TEXT_ROW,
	MATRIX_TEXT_STATE, MATRIX_TEXT_DETAIL, MATRIX_TEXT_FLOWS, MATRIX_TEXT_PACKETS, MATRIX_TEXT_BYTES, MATRIX_TEXT_FIRST,
		MATRIX_TEXT_LAST,
	MATRIX_TEXT_SEEN_WITH,
};
void matrix_text_cells(const struct matrix *x, const struct matrix_line *l, enum rule_language language, struct buf *mem,
		  struct span ret[static MATRIX_TEXT_CELLS]);
/* CSV, HTML or Markdown. 0 or -EIO. */
int matrix_text_print(const struct matrix *x, enum printout_format format, enum rule_language language, FILE *to);
/* JSON Lines: words are those for machines, whatever the language. 0 or -EIO. */
int matrix_text_json(const struct matrix *x, FILE *to);

#endif
