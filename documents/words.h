/* words.h -- what people write into the cells of tables, in English and Japanese, as values: full-width and half-width
 * forms, yes and no, dates with Japanese eras, ports with their transports, footnote marks.
 *
 * Nothing is guessed: what does not read in exactly one way does not read.
 */
#ifndef DOCUMENTS_WORDS_H
#define DOCUMENTS_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/cursor.h"

enum {
	WORDS_MAX = 512,        /* bytes of a plain form; what is longer is no label or value */
	WORDS_DATE = 11,        /* "2026-03-20" with its NUL */
	WORDS_PORTS = 64,
	WORDS_MARK = 16,
};

/* The form by which words are compared: full-width letters, digits and signs as ASCII, half-width kana as full-width, lower
 * case, dashes as -, wave dashes as ~, middle dots and line ends as blanks, runs of blanks as one, none at the ends. Cut
 * at a character where `ret` is full. */
struct span words_plain(struct span text, char ret[static WORDS_MAX]);
/* The same, but for a line end or a middle dot, by which lists are parted: a line end. */
struct span words_plain_list(struct span text, char ret[static WORDS_MAX]);

enum words_answer { WORDS_NOTHING, WORDS_YES, WORDS_NO, WORDS_NA, WORDS_SEE_NOTE };
/* Yes, No, N/A and See Note(s) in the ways they are written; WORDS_NOTHING: none of these. Of a plain form. */
enum words_answer words_answer(struct span plain);

/* A date that can be read in one way only: 2026-03-01, 2026/3/1, 2026.3.1, 2026年3月1日, 令和6年3月1日, R6.3.1, 平成元年..,
 * March 1, 2026, 1 Mar 2026. Of a plain form; all of it. */
bool words_date(struct span plain, char ret[static WORDS_DATE]);
/* The first such date anywhere in it. */
bool words_find_date(struct span plain, char ret[static WORDS_DATE]);
/* An Excel serial number (43747) as a date. */
bool words_serial_date(struct span plain, char ret[static WORDS_DATE]);

struct words_ports {
	struct conf_port_range v[WORDS_PORTS];
	size_t n;
	bool tcp, udp, icmp;
	bool configurable;              /* says that the hospital may choose another */
	bool unparted;                  /* "10 4": nothing but a blank between two numbers, so one that is cut in two or both */
	char rest[64];                  /* words that mean nothing here; empty: all was understood */
};
/* "104", "104/11112", "TCP 104", "TCP/UDP 5000-5010", "104、5000〜5010", "443/tcp (configurable)". Of a plain form,
 * better of one of a list.
 * False when a number is no port, or there are too many. */
bool words_read_ports(struct span plain, struct words_ports *ret);

/* A footnote mark at the end of a cell (※1, *1, 注1, (注1), ※): taken away from *text; "" in `ret` when there is none.
 * Of the text as it stands. */
void words_take_mark(struct span *text, char ret[static WORDS_MARK]);
/* A mark at the beginning of a line: the footnote itself follows in *text. */
void words_lead_mark(struct span *text, char ret[static WORDS_MARK]);

/* True when `word` stands in `plain` as a word of its own: no ASCII letter or digit before or after it, unless it is not
 * ASCII itself. */
bool words_has(struct span plain, const char *word);
/* ASCII letters and digits of a plain form, the rest as single hyphens; empty when it holds other letters. At most n - 1
 * bytes. */
const char *words_slug(struct span plain, char *ret, size_t n);

#endif
