/* vocab.c -- prints what the vocabularies and the table of rules say, as schemas and as Markdown.
 * usage: tool_vocab events-schema|observations-schema|events-md|observations-md|rules-md */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/event.h"
#include "core/observation.h"

enum { MAX_TEXT = 1 << 20 };    /* of one document; the largest is about 50 kB */

static void cell(struct buf *out, const char *s)
{
	(void)buf_str(out, " | ");
	(void)buf_str(out, *s ? s : "-");
}

static int rules_md(struct buf *out)
{
	static const struct { const char *id; enum event_type family; const char *rows, *mds2, *en, *ja; } rules[] = {
#define RULE(SYM, id_, FAMILY, rows_, mds2_, en_, ja_) { id_, EVENT_##FAMILY, rows_, mds2_, en_, ja_ },
#include "rules/rule.def"
#undef RULE
	};
	(void)buf_str(out, "| rule | family | meaning | 日本語 | requirements | MDS2 |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		(void)buf_printf(out, "| `%s`", rules[i].id);
		cell(out, event_vocab.types[rules[i].family].name);
		cell(out, rules[i].en);
		cell(out, rules[i].ja);
		cell(out, rules[i].rows);
		cell(out, rules[i].mds2);
		(void)buf_str(out, " |\n");
	}
	return out->full ? -1 : 0;
}

int main(int argc, char **argv)
{
	static uint8_t mem[MAX_TEXT];
	struct buf out = buf_over(mem, sizeof(mem));
	const char *what = argc == 2 ? argv[1] : "";
	int r;
	if (!strcmp(what, "events-schema"))
		r = vocab_schema(&event_vocab, &out);
	else if (!strcmp(what, "observations-schema"))
		r = vocab_schema(&observation_vocab, &out);
	else if (!strcmp(what, "events-md"))
		r = vocab_catalogue(&event_vocab, &out);
	else if (!strcmp(what, "observations-md"))
		r = vocab_catalogue(&observation_vocab, &out);
	else if (!strcmp(what, "rules-md"))
		r = rules_md(&out);
	else {
		fprintf(stderr, "usage: tool_vocab events-schema|observations-schema|events-md|observations-md|rules-md\n");
		return ERR_EXIT_USAGE;
	}
	if (r || fwrite(mem, 1, out.len, stdout) != out.len || fflush(stdout)) {
		fprintf(stderr, "tool_vocab: cannot write %s\n", what);
		return ERR_EXIT_FAILURE;
	}
	return ERR_EXIT_OK;
}
