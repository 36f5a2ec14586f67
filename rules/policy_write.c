/* The long form of a device type, printed. */
#include "core/conf_make.h"
#include "core/err.h"
#include "rules/policy_model.h"

int policy_write_long(const struct conf_node *form, FILE *to) { return conf_write(form, policy_long_keys, to); }

int policy_write_converted(const char *path, FILE *to, struct conf_report *rep)
{
	struct policy_model m = { 0 };
	struct conf_doc *doc = conf_read_file(path, rep);
	int r = doc ? policy_types_read(&m, doc, path, rep) : ERR_CONFIG;
	if (!r)
		r = policy_write_long(m.types.v[0].form, to);
	policy_load_free(&m);
	conf_free(doc);
	return r;
}
