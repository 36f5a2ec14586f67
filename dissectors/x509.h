/* x509.h -- the few things of a certificate (RFC 5280) that say what a machine is and for how long. A bounded reader of DER:
 * no recursion, no copies, nothing is verified (whose signature it is cannot be told from one certificate).
 */
#ifndef DISSECTORS_X509_H
#define DISSECTORS_X509_H

#include "core/cursor.h"
#include "core/observation.h"

struct x509 {                           /* spans into the certificate; empty: not there, or no text we read */
	struct span subject_cn, subject_o, issuer_cn, issuer_o;
	struct span names;              /* content of the subject alternative names */
	uint64_t not_before_ns, not_after_ns;   /* after 2554: UINT64_MAX */
	bool has_validity, self_issued; /* self_issued: subject and issuer are the same bytes */
	unsigned key;                   /* OBSERVATION_KEY_* */
	unsigned key_bits;              /* 0: not known */
	unsigned signature;             /* OBSERVATION_SIGNATURE_* */
};

/* False when the bytes are no certificate; *ret is then garbage. */
bool x509_parse(struct span der, struct x509 *ret);
/* The next dNSName of `names`; false after the last. */
bool x509_next_name(struct cursor *names, struct span *ret);

#endif
