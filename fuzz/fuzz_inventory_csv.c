/* The inventory as CSV: read and, where it is right, compiled. Every failure has a message. */
#include <errno.h>
#include <stdlib.h>

#include "core/err.h"
#include "rules/policy_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_report rep;
	struct policy_model m = { 0 };
	rep.n = rep.total = 0;
	int r = policy_inventory_read_csv(&m, (struct span){ data, size }, "inventory.csv", &rep);
	if (r != -ENOMEM && (r == 0) != (rep.total == 0))
		abort();
	for (size_t i = 0; i < rep.n; i++)
		if (!rep.v[i].line || !rep.v[i].column || !rep.v[i].what[0])
			abort();
	struct policy *p = NULL;
	if (!r && policy_compile_model(&m, &p, &rep) == ERR_POLICY)
		abort();
	free(p);
	policy_load_free(&m);
	return 0;
}
