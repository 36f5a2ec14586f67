/* A pasted table: every failure has a message, every line is in a cell, and what is made of it passes the loader. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "documents/encoding.h"
#include "documents/port_table.h"
#include "documents/sheet_pasted.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_report rep;
	static struct draft d;
	struct sheet_book *b = NULL;
	struct span bytes = { data, size }, text = { 0 };
	const char *encoding;
	size_t dropped;
	rep.n = rep.total = 0;
	if (encoding_text(bytes, "x.txt", &text, &encoding, &dropped, &rep))
		return 0;
	int r = sheet_pasted_read(text, "x.txt", &b, &rep);
	if (r != -ENOENT && r != -ENOMEM && (r == 0) != (rep.total == 0))
		abort();
	struct port_table_choice choice = { .n = 2, .numbers = { 1, 3 } };
	if (!r && port_table_heading(b, 0) && draft_new(&d, NULL)) {
		r = port_table_read(&d, b, 0, (size_t)draft_source(&d, "port-table", "x.txt", bytes), &choice);
		if (!r)
			r = draft_end(&d, &rep);
		if (r && r != -ENOMEM && !(rep.n && (strstr(rep.v[0].what, "at most") || strstr(rep.v[0].what, "more than") ||
		                                     strstr(rep.v[0].what, "larger than"))))
			abort();
		draft_free(&d);
	}
	sheet_free(b);
	free((void *)(uintptr_t)text.p);
	return 0;
}
