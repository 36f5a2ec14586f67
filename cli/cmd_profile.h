/* cmd_profile.h -- the actions of `spanward profile`: a file and a row in cmd_profile.c each. argv[0] is the action's name;
 * the result is the exit code.
 */
#ifndef CLI_CMD_PROFILE_H
#define CLI_CMD_PROFILE_H

#include <stdbool.h>

int cmd_profile_import(int argc, char **argv);
int cmd_profile_lint(int argc, char **argv);
int cmd_profile_inquiry(int argc, char **argv);
int cmd_profile_matrix(int argc, char **argv);
int cmd_profile_coverage(int argc, char **argv);
int cmd_profile_firewall(int argc, char **argv);
int cmd_profile_what_if(int argc, char **argv);
int cmd_profile_mud(int argc, char **argv);
int cmd_profile_learn(int argc, char **argv);
int cmd_profile_diff(int argc, char **argv);
/* For `import`: whether a file is a MUD file, and making a device type of it. */
bool cmd_profile_mud_is(const char *path);
int cmd_profile_mud_import(const char *path, const char *output, bool quiet);

#endif
