/* Device types: which form a file is in, and what holds for both. */
#include <errno.h>
#include <string.h>

#include "core/err.h"
#include "rules/policy_model.h"

/* Keys by which somebody would write down what was seen. A declaration that holds its own observation would confirm
 * itself: what is learned stands in a file of its own until a person accepts it. */
static bool says_seen(struct span key)
{
	static const char *const words[] = {
		"observed", "seen", "learned", "learnt", "first_seen", "last_seen", "never_seen", "times_seen", "seen_on",
		"seen_at", "observed_on", "observed_at", "observations", "flows_seen", "packets_seen", "bytes_seen", "hit_count",
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_eq(key, span_str(words[i])))
			return true;
	return false;
}

static void refuse_seen(const struct conf_doc *doc, const struct conf_node *n, struct conf_report *rep)
{
	for (size_t i = 0; i < conf_count(n); i++) {
		const struct conf_node *c = conf_at(n, i);
		struct span key = conf_is_map(n) ? conf_key_at(n, i) : (struct span){ 0 };
		if (key.n && says_seen(key))
			conf_fault(doc, c, rep, "%.*s: what was seen has no place in a declaration; spanward profile learn drafts "
				   "into a file of its own, which a person compares and accepts", (int)key.n, (const char *)key.p);
		else
			refuse_seen(doc, c, rep);
	}
}

int policy_types_refuse_seen(const struct conf_doc *doc, struct conf_report *rep)
{
	size_t before = rep->total;
	refuse_seen(doc, conf_root(doc), rep);
	return rep->total == before ? 0 : ERR_CONFIG;
}

int policy_types_check_format(const struct conf_doc *doc, struct conf_report *rep)
{
	const struct conf_node *root = conf_root(doc), *format = conf_get(root, "format"), *schema = conf_get(root, "schema");
	const struct conf_node *n = format ? format : schema;
	if (format && schema)
		conf_fault(doc, schema, rep, "schema is the older name of format; keep one");
	else if (!n)
		conf_fault(doc, root, rep, "key 'format' is missing: format: spanward/1");
	else if (!span_eq(conf_text(n, ""), span_str("spanward/1")))
		conf_fault(doc, n, rep, "this version reads format spanward/1 only");
	else
		return 0;
	return ERR_CONFIG;
}

/* A file whose form is known, checked by its table and in the long form: `doc` itself or *ret_made. */
static int to_long(const struct conf_doc *doc, const char *file, struct conf_doc **ret_made, struct conf_report *rep)
{
	const struct conf_node *root = conf_root(doc);
	*ret_made = NULL;
	if (conf_is_map(root) && conf_get(root, "device_type")) {
		if (policy_types_refuse_seen(doc, rep))
			return ERR_CONFIG;
		int r = policy_types_check_format(doc, rep), s = policy_short_convert(doc, file, ret_made, rep);
		return s ? s : r;
	}
	const struct conf_node *kind = conf_is_map(root) ? conf_get(root, "kind") : NULL;
	static const char *const known[] = { "device-type", "site", "inventory" };
	/* What else is wrong with such a file, judged as a device type, would only lead astray. */
	if (kind && conf_is_scalar(kind) && !span_eq(conf_text(kind, ""), span_str(known[0]))) {
		const char *near = conf_nearest(conf_text(kind, ""), known, sizeof(known) / sizeof(*known));
		conf_fault(doc, kind, rep, "no such kind of file; expected device-type, site or inventory%s%s%s",
			   near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
		return ERR_CONFIG;
	}
	if (kind) {
		if (policy_types_refuse_seen(doc, rep) || conf_check(doc, root, policy_long_keys, rep))
			return ERR_CONFIG;
		return policy_types_check_format(doc, rep);
	}
	conf_fault(doc, root, rep, "does not say what it is; expected device_type: NAME (a device type in the short form), or "
				   "kind: device-type, site or inventory");
	return ERR_CONFIG;
}

int policy_types_read(struct policy_model *m, const struct conf_doc *doc, const char *file, struct conf_report *rep)
{
	struct conf_doc *made;
	bool is_short = conf_is_map(conf_root(doc)) && conf_get(conf_root(doc), "device_type");
	int r = to_long(doc, file, &made, rep);
	if (made) {
		struct conf_doc **slot = POLICY_MODEL_ADD(&m->docs);
		if (!slot) {
			conf_free(made);
			return -ENOMEM;
		}
		*slot = made;
	}
	if (r && !made)
		return r;
	return policy_long_read(m, is_short ? made : doc, file, rep, r);
}
