/* err.h -- one meaning for `int`: 0 is success, a negative errno or a project code is a failure. */
#ifndef CORE_ERR_H
#define CORE_ERR_H

enum err {
	ERR_TRUNCATED = -1001,  /* the input ended inside something it began */
	ERR_CORRUPT = -1002,    /* the input contradicts its own format */
	ERR_UNKNOWN_KIND = -1003, /* not a kind of input that we read */
	ERR_CONFIG = -1004,     /* the operator's file is wrong; a conf_report says where */
	ERR_POLICY = -1005,     /* a sealed policy table that does not verify */
	ERR_SCHEMA = -1006,     /* the store was written by a newer version */
};

/* Exit codes of every program of ours. */
enum err_exit {
	ERR_EXIT_OK = 0,
	ERR_EXIT_FAILURE = 1,
	ERR_EXIT_USAGE = 2,
	ERR_EXIT_CONFIG = 3,
	ERR_EXIT_INPUT = 4,
	ERR_EXIT_PERMISSION = 5,
	ERR_EXIT_FOUND = 10,    /* --fail-on: an alert of that severity or above */
};

/* Words for a person; never NULL. Takes 0, negative errno and project codes. */
const char *err_text(int err);
/* The exit code that fits a failure. */
enum err_exit err_exit_code(int err);

#endif
