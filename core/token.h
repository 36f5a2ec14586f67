/* token.h -- what stands for a value that must not leave: 32 hexadecimal digits, made with the site's key.
 *
 * Equal values give equal tokens, so that whoever reads them can tell "the same again" from "another"; without the
 * key nobody can try values out (an order number has few digits). Fields of the privacy class VOCAB_TOKEN admit nothing
 * else. 128 bits of SipHash-2-4: a message authentication code by its design, and the packet path can pay for it.
 */
#ifndef CORE_TOKEN_H
#define CORE_TOKEN_H

#include "core/cursor.h"
#include "core/siphash.h"

enum { TOKEN_LEN = 32 };

/* What a token was made of. Add-only: the number goes into the token, so that an order number and a control id that look
 * alike do not. */
enum token_of {
	TOKEN_ORDER = 1, /* HL7: placer or filler order number */
	TOKEN_CONTENT,   /* HL7: hash of a message or of an order in it */
	TOKEN_KINDS,
};

/* The keys of every kind that were made so far of one site's key: they cost more than the token itself. Zeroed before its first
 * use, of one thread. */
struct token_memo {
	struct siphash_key site;
	struct siphash_key half[TOKEN_KINDS][2];
	bool made[TOKEN_KINDS];
};

/* Writes TOKEN_LEN digits, no NUL; returns them as a span. */
struct span token_make(const struct siphash_key *key, enum token_of what, struct span value,
		       char ret[static TOKEN_LEN]);
/* The same, with what is remembered. */
struct span token_recall(struct token_memo *memo, const struct siphash_key *key, enum token_of what, struct span value,
			 char ret[static TOKEN_LEN]);

#endif
