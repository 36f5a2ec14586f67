/* firewall.h -- what a firewall in front of each unit would let through: a proposal from the declarations, for the compensating
 * control that section 6.6 of the handbook speaks of. Every rule cites its document, revision and row.
 *
 * Only rows in force, with the site's addresses of their peers and the inventory's of the unit. What cannot be written (a peer
 * by host name, a unit without an address, another transport) stands there as a comment. Nothing is applied by us.
 */
#ifndef DOCUMENTS_FIREWALL_H
#define DOCUMENTS_FIREWALL_H

#include "documents/matrix.h"

enum firewall_form {
	FIREWALL_NFTABLES,      /* nft -f */
	FIREWALL_ACL,           /* a line per rule in words of any access list, addresses written out */
};

struct firewall_options {
	enum firewall_form form;
	bool drops;                     /* what no row allows is dropped; else it is logged and let through */
	const char *const *units;       /* ids; n_units 0: all that have a type */
	size_t n_units;
};

struct firewall_count { size_t units, rules, left_out; };

/* `x`: of the policy, settled. 0, -ENOMEM or -EIO. */
int firewall_print(const struct matrix *x, const struct firewall_options *o, FILE *to, struct firewall_count *ret);

#endif
