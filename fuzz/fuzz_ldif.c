/* A DICOM configuration as LDIF: every failure has a message, what is made of it passes the loader. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "documents/encoding.h"
#include "documents/ldif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_report rep;
	static struct draft d;
	struct span bytes = { data, size }, text = { 0 };
	const char *encoding;
	size_t dropped;
	rep.n = rep.total = 0;
	if (encoding_text(bytes, "x.ldif", &text, &encoding, &dropped, &rep))
		return 0;
	(void)ldif_is(text);
	if (draft_new(&d, NULL)) {
		int r = ldif_read(&d, text, "x.ldif", (size_t)draft_source(&d, "ldif", "x.ldif", bytes), NULL, &rep);
		if (r == ERR_CONFIG && !rep.total)
			abort();
		if (!r) {
			r = draft_end(&d, &rep);
			if (r && r != -ENOMEM && !(rep.n && (strstr(rep.v[0].what, "at most") || strstr(rep.v[0].what, "more than") ||
			                                     strstr(rep.v[0].what, "larger than"))))
				abort();
		}
		draft_free(&d);
	}
	free((void *)(uintptr_t)text.p);
	return 0;
}
