/* near.h -- the file that someone who mistyped a name may have meant. */
#ifndef CORE_NEAR_H
#define CORE_NEAR_H

enum { NEAR_TEXT = 200 };

/* "; did you mean monday.pcap?" when there is such a name where `path`, which does not exist, would be; the first
 * part of the path that is missing is what is looked for. Else "". The name is escaped. */
const char *near_file(const char *path, char ret[static NEAR_TEXT]);

#endif
