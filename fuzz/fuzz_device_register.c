/* A device register out of any CSV: whatever it says, the inventory that is made of it is read by the loader. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "documents/device_register.h"

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
	if (device_register_heading(b, 0) && draft_new(&d, NULL)) {
		char *text = NULL;
		size_t n = 0;
		FILE *to = open_memstream(&text, &n);
		int source = draft_source(&d, "register", "x.csv", bytes);
		if (!to || device_register_read(&d, b, 0, (size_t)source, NULL, true, to) || fclose(to))
			abort();
		struct policy_model m = { 0 };
		if (policy_inventory_read_csv(&m, (struct span){ (uint8_t *)text, n }, "inventory.csv", &rep) == 0 ? 0 :
		    !strstr(rep.v[0].what, "larger than"))
			abort();
		policy_load_free(&m);
		free(text);
		draft_free(&d);
	}
	sheet_free(b);
	return 0;
}
