#include "cli/stored.h"

#include <errno.h>
#include <unistd.h>

#include "core/err.h"
#include "core/escape.h"
#include "core/log.h"

int stored_open(const char *path, const char *option, struct store **ret)
{
	char why[256] = "", name[ESCAPE_NAME];
	int err = access(path, R_OK) ? -errno : store_open(path, ret, why);
	if (!err)
		return ERR_EXIT_OK;
	if (err == -ENOENT)
		log_say("spanward: no store at %s; spanward run or spanward-collector makes one, %s names another",
			escape_name(path, name), option);
	else if (why[0])
		log_say("spanward: %s", why);
	else
		log_say("spanward: store %s: %s", escape_name(path, name), err_text(err));
	return (int)err_exit_code(err);
}
