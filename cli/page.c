#include "cli/page.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/out.h"
#include "core/err.h"
#include "core/log.h"

void page_begin(struct page *p)
{
	*p = (struct page){ 0 };
	p->to = open_memstream(&p->text, &p->n);
}

int page_end(struct page *p, const char *path, int err)
{
	struct out out;
	char why[256] = "";
	if (!p->to || fclose(p->to))
		err = -ENOMEM;
	if (err) {
		log_say("spanward: %s", err_text(err));
		free(p->text);
		return ERR_EXIT_FAILURE;
	}
	err = out_open(&out, path, why);
	if (!err) {
		out_put(&out, (struct span){ (const uint8_t *)p->text, p->n });
		err = out_close(&out, true, why);
		if (out.closed)
			err = 0;
	}
	free(p->text);
	if (err)
		log_say("spanward: %s", why[0] ? why : err_text(err));
	return !err ? ERR_EXIT_OK : err == -EACCES || err == -EPERM ? ERR_EXIT_PERMISSION : ERR_EXIT_FAILURE;
}
