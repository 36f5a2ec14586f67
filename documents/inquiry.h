/* inquiry.h -- the inquiry sheet (照会票): what a hospital asks the makers about their documents, each question with the
 * document, revision and row that it is about, and a place for the answer.
 */
#ifndef DOCUMENTS_INQUIRY_H
#define DOCUMENTS_INQUIRY_H

#include "documents/lint.h"
#include "documents/printout.h"

struct inquiry_options {
	enum printout_format format;
	enum rule_language language;
	uint64_t today_ns;              /* date of the sheet, and of what lint judges by */
	enum lint_grade least;          /* findings below are left out */
	const char *maker;              /* NULL: a part for each */
	const char *from;               /* whose sheet it is; NULL: a blank to fill in */
};

/* A part per maker, in the order of their names, and in it one per device type. 0 with *ret_questions, -ENOMEM or -EIO. */
int inquiry_print(const struct policy_model *m, const struct inquiry_options *o, FILE *to, size_t *ret_questions);

/* "IFU-ER400 (3), row X-1; MDS2-ER400 (1), TXCF-2" of a finding. */
void inquiry_places(const struct lint_finding *f, enum rule_language language, struct buf *out);

#endif
