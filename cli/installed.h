/* installed.h -- policies as bundles put them in place: a directory per generation, a link to the one in force.
 *
 *   ROOT/gen-12/            the files, as signed, and bundle.spanward, the bundle itself
 *   ROOT/current -> gen-12  what a sensor is given as its policy directory (-p ROOT/current)
 *   ROOT/previous -> gen-11 where a rollback goes
 *   ROOT/bundles.jsonl      what was put in force, when, by whom; it only grows
 *
 * A generation is unpacked beside, synced, compiled, and put in force by renaming a link: a sensor sees the one or the other, never
 * half of each.
 */
#ifndef CLI_INSTALLED_H
#define CLI_INSTALLED_H

#include "rules/bundle.h"

/* What becomes of decisions (decisions.yaml) that were made by command since the generation in force was put there. */
enum installed_decisions { INSTALLED_ASK, INSTALLED_KEEP, INSTALLED_DROP };

/* All of them: the exit code, with the reason said; then nothing has changed. */
int installed_activate(const char *root, const struct bundle *b, struct span bytes, enum installed_decisions decisions, const char *who);
int installed_rollback(const char *root, enum installed_decisions decisions, const char *who);
/* Whether the files of an installed generation are those that were signed; decisions apart. Says which are not. */
int installed_check(const char *dir, const struct bundle *b);
/* Unpacks somewhere and compiles. */
int installed_try(const struct bundle *b);
/* The bundle that an installed generation came from; malloc'd. -ENOENT: none. */
int installed_read(const char *path, size_t most, uint8_t **ret, size_t *ret_n);
/* "0a1b2c3d4e5f6071": the beginning of a key's SHA-256. */
enum { INSTALLED_KEY_ID = 17 };
const char *installed_key_id(const uint8_t key[static BUNDLE_KEY], char ret[static INSTALLED_KEY_ID]);

#endif
