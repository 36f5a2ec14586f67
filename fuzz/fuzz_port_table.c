/* A table of ports out of any CSV: whatever it says, what is made of it passes the loader, and nothing is lost without a word. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "documents/port_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_report rep;
	static struct draft d;
	struct sheet_book *b = NULL;
	struct span bytes = { data, size };
	rep.n = rep.total = 0;
	if (sheet_read_csv(bytes, "x.csv", &b, &rep))
		return 0;
	if (port_table_heading(b, 0) && draft_new(&d, NULL)) {
		int source = draft_source(&d, "port-table", "x.csv", bytes);
		int r = port_table_read(&d, b, 0, (size_t)source, NULL);
		if (!r)
			r = draft_end(&d, &rep);
		/* Only limits stop it: rows, bytes, nodes. */
		if (r && r != -ENOMEM && !(rep.n && (strstr(rep.v[0].what, "at most") || strstr(rep.v[0].what, "more than") ||
		                                     strstr(rep.v[0].what, "larger than"))))
			abort();
		draft_free(&d);
	}
	sheet_free(b);
	return 0;
}
