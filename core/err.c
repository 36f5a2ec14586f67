#include "core/err.h"

#include <errno.h>
#include <string.h>

const char *err_text(int err)
{
	switch (err) {
	case 0:
		return "success";
	case ERR_TRUNCATED:
		return "the input ends in the middle of something";
	case ERR_CORRUPT:
		return "the input contradicts its own format";
	case ERR_UNKNOWN_KIND:
		return "not a kind of input that can be read";
	case ERR_CONFIG:
		return "the configuration is wrong";
	case ERR_POLICY:
		return "the policy table does not verify";
	case ERR_SCHEMA:
		return "the store was written by a newer version";
	}
	/* strerror() may share a buffer between threads; this one does not, and is not translated. */
	const char *s = err < 0 && err > -4096 ? strerrordesc_np(-err) : NULL;
	return s ? s : "unknown error";
}

enum err_exit err_exit_code(int err)
{
	switch (err) {
	case 0:
		return ERR_EXIT_OK;
	case ERR_CONFIG:
		return ERR_EXIT_CONFIG;
	case ERR_TRUNCATED:
	case ERR_CORRUPT:
	case ERR_UNKNOWN_KIND:
	case -ENOENT:
	case -EISDIR:
	case -ENOTDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
	case -EIO:
		return ERR_EXIT_INPUT;
	case -EPERM:
	case -EACCES:
		return ERR_EXIT_PERMISSION;
	default:
		return ERR_EXIT_FAILURE;
	}
}
