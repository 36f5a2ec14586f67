/* mud.h -- Manufacturer Usage Descriptions (RFC 8520, with the TLS profiles of RFC 9761), read into the long form of a device
 * type and written from it.
 *
 * Read: both places for the lists (`acls` of RFC 8519 and the older `access-lists`), both names of the TLS profiles. An entry
 * of each direction that mean one thing become one row; an entry without its counterpart is `one_way`. What drops is kept
 * under `deny`, what is not understood under `extensions`: nothing is dropped. A MUD file says what is allowed and that
 * nothing else is: the list is exhaustive.
 * Written: what MUD cannot say is told to the caller, row by row.
 */
#ifndef DOCUMENTS_MUD_H
#define DOCUMENTS_MUD_H

#include "rules/policy_model.h"

enum { MUD_MAX_BYTES = 4 << 20, MUD_MAX_DEPTH = 20 };

/* A line for a person: what was not understood, or what is lost. `row`: empty when it is about the whole. */
typedef void mud_note(void *arg, struct span row, const char *what);

/* Whether bytes look like a MUD file: JSON with a `mud` container, or bytes that name one and are no sound JSON. */
bool mud_is(struct span text);
/* `name` stands in messages and as the file of its source. 0 with *ret a tree in the long form (caller frees, conf_free), or
 * ERR_CONFIG with faults, -ENOMEM. What it gives is yet to be read by policy_long_read or checked as any file is. */
int mud_read(struct span text, const char *name, struct conf_doc **ret, struct conf_report *rep, mud_note *note, void *arg);
/* `url`: of the MUD file itself; NULL: the one that the type names. 0, -EINVAL (no URL), -ENOMEM or -EIO. */
int mud_write(const struct policy_model_type *t, const char *url, uint64_t now_ns, FILE *to, mud_note *lost, void *arg);

#endif
