/* draft.h -- a device type being made of documents, and what there is to say about it.
 *
 * Importers add sources, rows and answers; facts that stand once (maker, model, revision of a document) are collected and
 * written when the draft ends. Every remark names its place. What is not understood is kept under extensions; where a
 * direction or a peer is not said, a remark asks, and nothing is assumed in silence.
 */
#ifndef DOCUMENTS_DRAFT_H
#define DOCUMENTS_DRAFT_H

#include <stdio.h>

#include "core/conf_make.h"
#include "documents/sheet.h"

enum draft_kind { DRAFT_UNDERSTOOD, DRAFT_NOT_UNDERSTOOD, DRAFT_CONTRADICTS, DRAFT_ASK, DRAFT_KINDS };
enum draft_remark {
#define REMARK(SYM, ...) DRAFT_SAY_##SYM,
#include "documents/remark.def"
#undef REMARK
	DRAFT_SAYS
};
enum { DRAFT_MAX_REMARKS = 100000, DRAFT_SOURCES = 64, DRAFT_NAME = 65, DRAFT_LABEL = 129, DRAFT_SHA256 = 65 };

struct draft_said {
	enum draft_remark what;
	size_t source;
	char where[SHEET_WHERE];        /* cell, row or line; "" : the whole document */
	char *text, *args[2];           /* as printed in the document; NULL */
};

struct draft_source {
	char id[24], type[24], file[ESCAPE_NAME], sha256[DRAFT_SHA256];
	char doc_id[97], revision[33], date[12], title[DRAFT_LABEL], note[256];
	struct conf_node *extensions;   /* made when first needed */
};

struct draft_port { uint8_t transport; uint16_t lo, hi; bool out, in; char protocol[24], where[SHEET_WHERE]; size_t source; };

/* A row of a table that a person has to confirm. */
struct draft_preview {
	uint32_t number;
	char where[SHEET_WHERE];
	char *printed, *as;             /* as it stands there, and as it was understood; NULL */
	enum draft_remark why;          /* when `as` is NULL: why it declares nothing */
};

struct policy_model;

/* What is known better than the documents say it; NULL: not said. */
struct draft_options {
	const char *id, *maker, *model, *doc_id, *revision, *date;
	const char *device;             /* of a configuration that holds several: dicomDeviceName */
	const struct policy_model *types;       /* for the units of a register */
};

struct draft {
	struct draft_options options;
	struct conf_doc *doc;
	struct conf_node *root, *ports, *extensions, *infrastructure, *interfaces, *conflicts;
	struct draft_source sources[DRAFT_SOURCES];
	size_t n_sources;
	char maker[DRAFT_LABEL], model[DRAFT_LABEL], declared_on[12];
	char completeness[16];
	size_t list_source;             /* the first port table; n_sources when there is none */
	bool has_list;
	struct draft_said *said;
	size_t n_said, said_room;
	struct draft_port *rows;        /* a line for each port of each row, for comparing */
	size_t n_rows, rows_room, n_ids;
	size_t counts[DRAFT_KINDS];
	struct draft_preview *preview;  /* of pasted text */
	size_t n_preview, preview_room;
	char *inventory;                /* CSV, when a register was read instead of a maker's documents; NULL */
	size_t inventory_n;
	bool rows_missing;              /* a row of a table could not be placed */
	bool no_memory;
};

/* False without memory. draft_free either way. */
bool draft_new(struct draft *d, const struct draft_options *o);
void draft_free(struct draft *d);
/* A document. Its index, or -E2BIG, -ENOMEM. `bytes` give the hash. */
int draft_source(struct draft *d, const char *type, const char *file, struct span bytes);
void draft_say(struct draft *d, enum draft_remark what, size_t source, const char *where, struct span text, const char *arg0,
	       const char *arg1);

/* A text as a leaf: line ends become the sign U+21B5, tabs blanks; cut at `max` bytes (0: 4096), the rest of it then
 * stands under extensions. NULL without memory. */
struct conf_node *draft_text(struct draft *d, struct conf_node *parent, const char *key, struct span text, size_t max);
/* The same with a key out of the document. */
struct conf_node *draft_text_at(struct draft *d, struct conf_node *parent, struct span key, struct span text, size_t max);
/* A map under `parent` by a key of ours. */
struct conf_node *draft_map(struct draft *d, struct conf_node *parent, const char *key);
struct conf_node *draft_list(struct draft *d, struct conf_node *parent, const char *key);
/* The branch of extensions that belongs to a source, and a list in it, both made when first needed. */
struct conf_node *draft_extensions(struct draft *d, size_t source);
struct conf_node *draft_kept(struct draft *d, size_t source, const char *list);

/* A fact that one document says and another may say otherwise: the first is kept, a difference is a remark. */
void draft_fact(struct draft *d, char *slot, size_t room, const char *field, size_t source, const char *where, struct span text);
/* A row for the preview. */
void draft_show(struct draft *d, uint32_t number, const char *where, const char *printed, const char *as, enum draft_remark why);
/* Remembers a row's ports, for draft_end to compare. A name for a row that no other has, from `base`. */
void draft_note_port(struct draft *d, const struct draft_port *p);
const char *draft_row_id(struct draft *d, const char *base, char ret[static DRAFT_NAME]);

/* Writes what was collected into the tree and checks it with the loader. 0; ERR_CONFIG with faults; -ENOMEM. */
int draft_end(struct draft *d, struct conf_report *rep);
/* After draft_end: the YAML, with what is to be asked as comments on top. 0 or -EIO. */
int draft_write(const struct draft *d, FILE *to);

/* Of remarks: their kind, code, and sentence ("" arguments are left out). */
enum draft_kind draft_kind(enum draft_remark what);
const char *draft_code(enum draft_remark what);
const char *draft_kind_name(enum draft_kind kind, bool japanese);
void draft_sentence(const struct draft_said *s, bool japanese, char *ret, size_t n);

#endif
