/* A device type, in either form, with a site and one unit of that type: read and compiled. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "rules/policy_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char site[] = "schema: spanward/1\nkind: site\nroles: {pacs: [{ip: 10.1.0.10}], ntp: [{ip: 10.1.0.4}]}\n";

/* What the writer prints is read again, and printed the same. */
static void check_writer(const struct conf_node *form)
{
	static struct conf_report rep;
	char *text[2] = { NULL, NULL };
	size_t n[2] = { 0, 0 };
	struct policy_model m = { 0 };
	FILE *to = open_memstream(&text[0], &n[0]);
	if (!to || policy_write_long(form, to) || fclose(to))
		abort();
	rep.n = rep.total = 0;
	struct conf_doc *doc = conf_parse((struct span){ (const uint8_t *)text[0], n[0] }, "y.yaml", &rep);
	/* What was just below a limit of the parser may be just above it in the longer form. */
	if (!doc || policy_types_read(&m, doc, "y.yaml", &rep)) {
		if (n[0] <= CONF_MAX_BYTES && rep.n && !strstr(rep.v[0].what, "more than"))
			abort();
	} else {
		to = open_memstream(&text[1], &n[1]);
		if (!to || policy_write_long(m.types.v[0].form, to) || fclose(to))
			abort();
		if (n[0] != n[1] || memcmp(text[0], text[1], n[0]))
			abort();
	}
	policy_load_free(&m);
	conf_free(doc);
	free(text[0]);
	free(text[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_report rep;
	struct policy_model m = { 0 };
	rep.n = rep.total = 0;
	struct conf_doc *doc = conf_parse((struct span){ data, size }, "x.yaml", &rep);
	struct conf_doc *where = conf_parse(span_str(site), "site.yaml", &rep);
	struct policy *p = NULL;
	if (!doc || !where)
		goto out;
	/* Any of the kinds of file */
	const struct conf_node *kind = conf_is_map(conf_root(doc)) ? conf_get(conf_root(doc), "kind") : NULL;
	struct span k = kind && conf_is_scalar(kind) ? conf_text(kind, "") : (struct span){ 0 };
	int r = span_eq(k, span_str("site")) ? policy_site_read(&m, doc, "x.yaml", &rep)
	        : span_eq(k, span_str("inventory")) ? policy_inventory_read(&m, doc, "x.yaml", &rep)
	        : span_eq(k, span_str("decisions")) ? policy_decisions_read(&m, doc, "x.yaml", &rep)
	        : policy_types_read(&m, doc, "x.yaml", &rep);
	if (r != -ENOMEM && (r == 0) != (rep.total == 0))
		abort();
	if (!r && m.types.n)
		check_writer(m.types.v[0].form);
	if (!r && !m.has_site)
		r = policy_site_read(&m, where, "site.yaml", &rep);
	if (!r && m.types.n) {
		struct policy_model_unit *u = POLICY_MODEL_ADD(&m.units);
		struct policy_select *s = u ? POLICY_MODEL_ADD(&u->selects) : NULL;
		if (!s)
			goto out;
		u->id = span_str("unit");
		u->type = m.types.v[0].id;
		u->at.file = "x";
		s->has_ip = !addr_parse(span_str("10.20.0.1"), &s->ip);
	}
	if (!r)
		r = policy_decisions_swap(&m, &rep);
	if (!r)
		r = policy_decisions_modes(&m, &rep);
	if (!r && policy_compile_model(&m, &p, &rep) == ERR_POLICY)
		abort();
out:
	free(p);
	policy_load_free(&m);
	conf_free(doc);
	conf_free(where);
	return 0;
}
