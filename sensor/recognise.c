#include "sensor/recognise.h"

#include "dissectors/plain.h"

enum { MAX_LINE = 512 };        /* RFC 5321, 4.5.3.1.5 */

const char *recognise_name(enum recognise_service s)
{
	static const char *const names[RECOGNISE_SERVICES] = {
		[RECOGNISE_SMTP] = "smtp", [RECOGNISE_POP3] = "pop3", [RECOGNISE_IMAP] = "imap",
	};
	return (unsigned)s < RECOGNISE_SERVICES ? names[s] : NULL;
}

/* RFC 5321, 4.2: a greeting 220, which FTP has too, that says what it is; or the client's first command. */
static enum dissect_guess smtp(struct span head)
{
	enum dissect_guess g = plain_begins(head, "EHLO "), helo = plain_begins(head, "HELO ");
	if (g != DISSECT_NO || helo != DISSECT_NO)
		return g == DISSECT_YES || helo == DISSECT_YES ? DISSECT_YES : DISSECT_MAYBE;
	g = plain_begins(head, "220");
	if (g != DISSECT_YES)
		return g;
	struct span line;
	if (!plain_line(head, &line))
		return head.n < MAX_LINE ? DISSECT_MAYBE : DISSECT_NO;
	return line.n < MAX_LINE - 2 && plain_has(line, "smtp") ? DISSECT_YES : DISSECT_NO;
}

enum dissect_guess recognise_tcp(struct span head, bool midstream, enum recognise_service *ret)
{
	(void)midstream;        /* all of these are known by how they begin only */
	const struct { enum recognise_service service; enum dissect_guess guess; } all[] = {
		{ RECOGNISE_SMTP, smtp(head) },
		{ RECOGNISE_POP3, plain_begins(head, "+OK ") }, /* RFC 1939, 4 */
		{ RECOGNISE_IMAP, plain_begins(head, "* OK ") },        /* RFC 9051, 7.1 */
	};
	enum dissect_guess best = DISSECT_NO;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].guess == DISSECT_YES) {
			*ret = all[i].service;
			return DISSECT_YES;
		}
		if (all[i].guess == DISSECT_MAYBE)
			best = DISSECT_MAYBE;
	}
	return best;
}
