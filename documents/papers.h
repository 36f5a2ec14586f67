/* papers.h -- device types as they stand in files, for whoever compares, prints or asks: no table is made of them.
 *
 * What a type says of itself is in its model (rules/policy_model.h); what no verdict rests on is found in its tree, by key.
 */
#ifndef DOCUMENTS_PAPERS_H
#define DOCUMENTS_PAPERS_H

#include "rules/policy_model.h"

/* Reads files of device types, and directories with all that is in them, into one model. 0, ERR_CONFIG or -errno with every
 * fault in *rep; the model is to be freed either way. */
int papers_read(const char *const *paths, size_t n, struct policy_model *m, struct conf_report *rep);

/* What the maker answered to a question of the MDS2 form. */
enum papers_answer {
	PAPERS_ABSENT,                  /* the question is not there */
	PAPERS_BLANK,                   /* it is, without an answer */
	PAPERS_YES, PAPERS_NO, PAPERS_NA, PAPERS_SEE_NOTE,
	PAPERS_TEXT,                    /* something else */
};
enum papers_answer papers_answer(const struct policy_model_type *t, const char *question);
enum papers_answer papers_answer_of(const struct conf_node *answer);
/* Where answers stand: the form, and the question as its row. */
struct policy_source papers_answer_at(const struct policy_model_type *t, struct span question);
/* Index of a document by its short name; POLICY_NO_DOCUMENT. */
uint32_t papers_find(const struct policy_model_type *t, struct span key);
/* First of its `sources`, and the row. */
struct policy_source papers_source(const struct policy_model_type *t, const struct conf_node *fact);
/* The document at an index; NULL. */
const struct policy_document *papers_document(const struct policy_model_type *t, uint32_t document);

/* Whom to ask: for vulnerabilities, else for inquiries, else the dealer; empty when nobody is named. */
struct span papers_contact(const struct policy_model_type *t);

/* A row's peers may be outside the hospital, as far as their names say: a host name, a public address, a maker's role. */
bool papers_row_outside(const struct policy_model_row *r);
bool papers_peer_outside(const struct policy_peer *p);
/* Bytes of patients pass: the row says so, or its protocol is for that and the row does not deny it. */
bool papers_row_personal(const struct policy_model_row *r);
/* "104, 5000-5010". Cut to the buffer. */
const char *papers_row_ports(const struct policy_model_row *r, char *out, size_t room);
/* "tcp", "udp", "icmp", or what the row says it is ("sctp", "ip:50"). */
struct span papers_row_transport(const struct policy_model_row *r);
/* "role pacs, 10.1.0.0/24". Cut to the buffer. */
const char *papers_row_peers(const struct policy_model_row *r, char *out, size_t room);

#endif
