/* rule_ja.h -- what the programs themselves put into an event for people ("unused ports closed: yes", "3 peers"), in Japanese. */
#ifndef RULES_RULE_JA_H
#define RULES_RULE_JA_H

#include <stdbool.h>

#include "core/buf.h"

/* Writes `s` in Japanese. False, and nothing is written, when it is none of these phrases: then it stands as it is. */
bool rule_ja_put(struct span s, struct buf *out);

#endif
