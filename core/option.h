/* option.h -- what is wrong with an option that getopt_long(3) refused, in our words: getopt's own message repeats
 * what was typed byte for byte, and knows no nearest name. */
#ifndef CORE_OPTION_H
#define CORE_OPTION_H

#include <getopt.h>

/* `opt` is '?' or ':', as getopt_long returned it just now with a short option string that begins with ':'.
 * A line for a person in `why`, which whoever prints it escapes (log_say). */
const char *option_fault(int opt, char *const *argv, const struct option *options, char why[static 256]);
/* "--workers" of what getopt_long returned for it, for the beginning of a message about its value. */
enum { OPTION_NAME = 64 };
const char *option_typed(int opt, const struct option *options, char ret[static OPTION_NAME]);

#endif
