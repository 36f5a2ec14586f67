/* mds2_form.h -- what the readers of MDS2 forms share: one answer after the other goes in, the form comes out. */
#ifndef DOCUMENTS_MDS2_FORM_H
#define DOCUMENTS_MDS2_FORM_H

#include "documents/mds2.h"

struct mds2_form {
	struct draft *d;
	size_t source;
	bool old;                       /* HN 1-2013 */
	struct conf_node *form, *answers, *notes;
	bool full;                      /* more answers than any form has */
	bool second;                    /* another form was read before */
	bool have[MDS2_QUESTIONS];
	size_t n, yes, no, na, blank, other;
	char refs[64][MDS2_ID];         /* notes that answers refer to */
	char ref_at[64][SHEET_WHERE];
	size_t n_refs;
};

/* What stands about one question, as printed; empty spans where nothing does. */
struct mds2_line { char id[MDS2_ID]; struct span question, answer, note; const char *where; };

void mds2_form_begin(struct mds2_form *f, struct draft *d, size_t source, bool old);
void mds2_form_answer(struct mds2_form *f, const struct mds2_line *line);
/* "Note 3" and its text. True when `label` is one. */
bool mds2_form_note(struct mds2_form *f, struct span label, struct span text, const char *where);
/* Free text of the form: under OTHR, or beside it. */
void mds2_form_other(struct mds2_form *f, struct span text);
void mds2_form_text(struct mds2_form *f, struct span text, const char *where);
/* A column that is none of the form's. */
void mds2_form_column(struct mds2_form *f, const char *heading, const char *id, struct span text);
int mds2_form_end(struct mds2_form *f);

/* "See Note 3", "Note #3", "3": the note's number; "" when it is none. Of a plain form. */
const char *mds2_form_ref(struct span plain, char ret[static MDS2_ID]);
/* Underscores and blanks: the form's way of saying nothing. */
bool mds2_form_blank(struct span text);
/* The heading of a chapter: "CONNECTIVITY CAPABILITIES (CONN)". OTHR too. */
bool mds2_form_heading(struct span text, bool *ret_other);

#endif
