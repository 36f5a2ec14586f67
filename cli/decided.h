/* decided.h -- what the commands that change a policy share: their common options, times and names as people type them. */
#ifndef CLI_DECIDED_H
#define CLI_DECIDED_H

#include "cli/cmd.h"
#include "cli/decide.h"
#include "cli/where.h"
#include "rules/rule.h"

/* For the option table: -p, --who, --reason, --for, --until, --format, --lang, --help. */
enum { DECIDED_WHO = 512, DECIDED_REASON, DECIDED_FOR, DECIDED_UNTIL, DECIDED_FORMAT, DECIDED_LANG, DECIDED_OWN };
#define DECIDED_OPTIONS \
	{ "policy", required_argument, NULL, 'p' }, { "who", required_argument, NULL, DECIDED_WHO }, \
	{ "reason", required_argument, NULL, DECIDED_REASON }, { "for", required_argument, NULL, DECIDED_FOR }, \
	{ "until", required_argument, NULL, DECIDED_UNTIL }, { "format", required_argument, NULL, DECIDED_FORMAT }, \
	{ "lang", required_argument, NULL, DECIDED_LANG }, { "help", no_argument, NULL, 'h' }

/* A time as it was typed. A day, and a time without a zone, are of the site's clocks (utc_offset in site.yaml): known when its policy
 * is read. */
struct decided_when {
	const char *text;               /* NULL: none was */
	uint64_t ns;                    /* as if in UTC */
	bool day, local;                /* a day alone; a time without a zone */
};
/* For the help of every option that takes one, behind its name and before what it does. */
#define DECIDED_TIMES \
	"                        TIME: 2026-12-31 (as that day begins), 2026-12-31T18:00, both by the site's clocks (utc_offset\n" \
	"                        in site.yaml; without it a day is one of UTC), or with a zone: 2026-12-31T18:00:00+09:00\n"

struct decided {
	const char *dir, *reason, *format;
	char who[DECIDE_NAME];
	uint64_t for_s;
	struct decided_when until;
	enum rule_language language;
};

void decided_defaults(struct decided *d);
/* One of the common options. 0, the exit code with the reason said, or -1: not one of them. */
int decided_take(const struct cmd *c, struct decided *d, int opt, const char *arg);
/* Whether a text that stands in the file and the journal can: UTF-8 without control characters, at most `most` bytes. */
bool decided_is_text(const char *text, size_t most);
/* A time that was typed for that option: 0, or ERR_EXIT_USAGE with the reason said. `arg` is kept. */
int decided_take_time(const struct cmd *c, const char *option, const char *arg, struct decided_when *ret);
/* What it means by the clocks of this policy's site; 0 in *ret when none was typed. 0, or the exit code with the reason said. */
int decided_time_of(const struct cmd *c, const char *option, const struct decided_when *w, struct decide *d, uint64_t *ret);
/* The end that was typed, as time; 0 in *ret when none was. As above. */
int decided_end(const struct cmd *c, const struct decided *v, struct decide *d, uint64_t now_ns, uint64_t *ret);
/* "13d 4h", "2h 5m", "40m"; "over". */
enum { DECIDED_LEFT = 24 };
const char *decided_left(uint64_t until_ns, uint64_t now_ns, char ret[static DECIDED_LEFT]);
/* "2026-12-01 02:00Z" */
const char *decided_time(uint64_t ns, char ret[static DECIDED_LEFT]);
/* decided_what.c: what a change did, in Japanese (the journal keeps it in English); "" for a command that nobody knows. */
void decided_what_ja(const struct decide_entry *e, char ret[static DECIDE_WHAT]);
/* The name of a unit that exists, else said with the nearest: NULL. */
const struct policy_model_unit *decided_unit(struct decide *d, const char *name);

#endif
