/* An MDS2 form as text or CSV: whatever it says, what is made of it passes the loader. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "documents/encoding.h"
#include "documents/mds2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conf_report rep;
static struct draft d;

/* Only limits stop it: bytes, nodes. */
static void finish(int r)
{
	if (!r)
		r = draft_end(&d, &rep);
	if (r && r != -ENOMEM && !(rep.n && (strstr(rep.v[0].what, "at most") || strstr(rep.v[0].what, "more than") ||
	                                     strstr(rep.v[0].what, "larger than"))))
		abort();
	draft_free(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sheet_book *b = NULL;
	struct span bytes = { data, size }, text = { 0 };
	const char *encoding;
	size_t dropped;
	rep.n = rep.total = 0;
	if (encoding_text(bytes, "x.txt", &text, &encoding, &dropped, &rep))
		return 0;
	/* The readers take what they are given, whether it looks like a form or not. */
	if (text.n && draft_new(&d, NULL))
		finish(mds2_read_text(&d, text, (size_t)draft_source(&d, mds2_text_kind(text), "x.txt", bytes)));
	free((void *)(uintptr_t)text.p);
	rep.n = rep.total = 0;
	if (!sheet_read_csv(bytes, "x.csv", &b, &rep) && draft_new(&d, NULL))
		finish(mds2_read_sheet(&d, b, 0, (size_t)draft_source(&d, mds2_sheet_kind(b, 0), "x.csv", bytes)));
	sheet_free(b);
	return 0;
}
