/* decide.h -- changing a policy directory by a command: one file of decisions, a journal that only grows, one command at a time.
 *
 * `spanward device`, `window` and `accept` never touch a file that a person wrote. They keep what was decided in decisions.yaml, items
 * with names in lists (swaps, modes, windows, acceptances). A change is checked with all other files before it is put in place, and is
 * put in place whole (written beside, synced, renamed) or not at all. What was changed stands in journal.jsonl before it is in force:
 * a line each with who, when, what, the item before and after, the digest of the file that came of it and that of the line before.
 */
#ifndef CLI_DECIDE_H
#define CLI_DECIDE_H

#include "core/conf_make.h"
#include "rules/policy_model.h"

#define DECIDE_DIR "/etc/spanward/policy"

enum { DECIDE_NAME = 128, DECIDE_WHAT = 512 };

struct decide;

/* Opens, and makes, a file of ours in a directory: mode 0640, and 0660 where the directory's group may write in it and the file is that
 * group's, for what the one leaves behind the other has to write. -1 with errno. */
int decide_open_file(int dirfd, const char *name, int how);
/* The lock of a policy directory, waited for a while; *ret is to be closed. `path` is for messages. */
int decide_lock(const char *path, int dirfd, int *ret);
/* ERR_EXIT_OK with *ret, or the exit code with the reason said. For a change it is locked until decide_close(). */
int decide_open(const char *dir, bool change, struct decide **ret);
void decide_close(struct decide *d);    /* NULL is fine */
/* An item as it is now, NULL when there is none; a whole list. */
const struct conf_node *decide_item(const struct decide *d, const char *list, const char *id);
const struct conf_node *decide_list(const struct decide *d, const char *list);
/* All files of the directory as they are now; NULL when they have faults, which are said. Kept until decide_close(). */
const struct policy_model *decide_model(struct decide *d);
/* The number of the next line of the journal, for names of items. */
uint64_t decide_next(const struct decide *d);

/* A map to be filled with decide_set(), for decide_put(). */
struct conf_node *decide_new(struct decide *d);
void decide_set(struct decide *d, struct conf_node *map, const char *key, const char *value);
void decide_set_list(struct decide *d, struct conf_node *map, const char *key, const char *const *values, size_t n);
/* A copy of an item without one of its keys. */
struct conf_node *decide_copy(struct decide *d, const struct conf_node *item, const char *without);
void decide_set_time(struct decide *d, struct conf_node *map, const char *key, uint64_t ns);
/* Puts an item in place of what has its name; NULL takes it out. `command`: "window open"; `what`: a sentence for people. The exit
 * code: ERR_EXIT_CONFIG with the faults said when the directory would be wrong with it, and nothing is changed then. */
int decide_put(struct decide *d, const char *list, const char *id, struct conf_node *item, const char *command, const char *who,
	       const char *what);
/* Takes back change `n` (0: the last that was not taken back). Its number in *ret_n, what it was in `ret_what`. */
int decide_undo(struct decide *d, uint64_t n, const char *who, uint64_t *ret_n, char ret_what[static DECIDE_WHAT]);

/* The journal, oldest first. */
struct decide_entry {
	uint64_t n, at_ns, undoes;      /* undoes: the change that it takes back, 0 none */
	uint64_t undone_by;             /* 0: not */
	struct span who, command, what, list, item;
	const struct conf_node *before, *after; /* NULL: none */
	bool void_;                     /* it was never put in place */
};
size_t decide_entries(const struct decide *d);
void decide_entry(const struct decide *d, size_t i, struct decide_entry *ret);
/* An item of the journal as JSON. */
void decide_text(struct buf *out, const struct conf_node *item);
/* Whether every line follows from the one before, and the file is what the last one says. A line in `why` when not. */
bool decide_holds(const struct decide *d, char why[static 256]);

#endif
