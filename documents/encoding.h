/* encoding.h -- text files as offices send them, into UTF-8: UTF-8 with or without a byte order mark, CP932 (what Excel
 * in Japan writes as "CSV"), UTF-16 with a byte order mark (Excel's "Unicode text").
 *
 * iconv(3) is used, which loads files while it runs: for the command line only, not for the sensor (core/charset.h).
 */
#ifndef DOCUMENTS_ENCODING_H
#define DOCUMENTS_ENCODING_H

#include "core/conf.h"

/* The text of `bytes` without its byte order mark, in memory of its own (free() it), with the encoding's name. Line ends
 * become \n. Control characters other than tab and line end, and characters that reorder text, are taken away and
 * counted. 0; ERR_CONFIG with a fault that names line and byte; -ENOMEM. */
int encoding_text(struct span bytes, const char *file, struct span *ret, const char **ret_name, size_t *ret_dropped,
		  struct conf_report *rep);

#endif
