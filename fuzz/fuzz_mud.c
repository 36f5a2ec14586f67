/* A MUD file: read, checked as a device type, and written again; what is written is read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/err.h"
#include "documents/mud.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note(void *arg, struct span row, const char *what)
{
	(void)row;
	*(size_t *)arg += what[0] != 0;
}

static void write_again(const struct policy_model_type *t)
{
	static struct conf_report rep;
	char *text = NULL;
	size_t n = 0, notes = 0;
	struct conf_doc *doc = NULL;
	FILE *to = open_memstream(&text, &n);
	if (!to || mud_write(t, "https://mud.example.com/x", 1, to, note, &notes) || fclose(to))
		abort();
	rep.n = rep.total = 0;
	/* Both directions and both families of an entry: a file below the limit may be above it then. */
	if (n <= MUD_MAX_BYTES && mud_read((struct span){ (const uint8_t *)text, n }, "y.json", &doc, &rep, note, &notes) && !rep.total)
		abort();
	conf_free(doc);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_report rep;
	struct policy_model m = { 0 };
	struct conf_doc *doc = NULL;
	size_t notes = 0;
	rep.n = rep.total = 0;
	int r = mud_read((struct span){ data, size }, "x.json", &doc, &rep, note, &notes);
	if (r != -ENOMEM && (r == 0) != (rep.total == 0))
		abort();
	if ((r == 0) != (doc != NULL))
		abort();
	if (!r && !policy_types_read(&m, doc, "x.json", &rep))
		write_again(&m.types.v[0]);
	policy_load_free(&m);
	conf_free(doc);
	return 0;
}
