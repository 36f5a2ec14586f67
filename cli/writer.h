/* writer.h -- one kind of rows in one format: a table for people, JSON and CSV for programs.
 *
 * JSON Lines and CSV are what the tables of core/ and collector/ say, complete; the table form leaves out.
 */
#ifndef CLI_WRITER_H
#define CLI_WRITER_H

#include <stdbool.h>

#include "cli/out.h"
#include "collector/store.h"
#include "core/event.h"
#include "core/observation.h"
#include "core/recite.h"
#include "rules/rule.h"
#include "sensor/stats.h"

enum writer_format { WRITER_TABLE, WRITER_JSON, WRITER_JSONL, WRITER_CSV };
enum writer_rows { WRITER_ALERTS, WRITER_EVENTS, WRITER_OBSERVATIONS, WRITER_FLOWS, WRITER_ASSETS, WRITER_STATS,
		   WRITER_WORKERS, WRITER_AUDIT };

extern const char *const writer_formats[];      /* words of the enums in their order, NULL-terminated */
extern const char *const writer_kinds[];

struct writer_config {
	struct out *out;                /* borrowed */
	enum writer_format format;
	enum writer_rows rows;
	enum rule_language language;    /* of the tables */
	bool color;
	unsigned width;                 /* of the terminal; 0: no limit */
};

struct writer;

/* NULL on ENOMEM. */
struct writer *writer_new(const struct writer_config *c);
/* A row. The kind must be the one that the writer was made for. Trouble shows in the out. */
void writer_alert(struct writer *w, const struct alert *a);
void writer_event(struct writer *w, const struct event *e);
void writer_observation(struct writer *w, const struct observation *o);         /* flows too */
bool writer_says_json(const struct writer *w);
/* A row of JSON straight from an event or observation as it came, for a writer that says JSON. As recite_record(), but that trouble
 * with the row shows in the out. */
int writer_encoded(struct writer *w, struct recite *r, struct span record);
void writer_asset(struct writer *w, const struct store_asset *a);
void writer_audit(struct writer *w, const struct store_audit *a);
void writer_stat(struct writer *w, enum stats_counter c, uint64_t value);
/* A row beside the counters: what it is about (`group` and `id`), `n` names with their values, and what that means. */
void writer_fact(struct writer *w, const char *group, const char *id, const char *const *names, const uint64_t *values,
		 size_t n, const char *meaning);
unsigned long long writer_rows(const struct writer *w);
/* What was held back goes out now, for rows that come one by one: those whose columns were to be aligned, and those that were to be
 * many. */
void writer_flush(struct writer *w);
/* The end of the table, list or file. Before it, rows may not have gone out yet. */
void writer_end(struct writer *w);
void writer_free(struct writer *w);     /* NULL is fine */

/* Japanese when the locale (LC_ALL, LC_MESSAGES, LANG) says so. */
enum rule_language writer_language(void);
/* "en" or "ja"; false for any other. */
bool writer_parse_language(const char *text, enum rule_language *ret);
/* Index into a NULL-terminated list of words, -1 when it is none of them. */
int writer_choice(const char *const *words, const char *text);

#endif
