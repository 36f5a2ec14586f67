#include "documents/printout.h"

#include <errno.h>
#include <string.h>

#include "core/utf8.h"

static void put(struct printout *s, const char *text) { (void)fputs(text, s->to); }

/* What the format gives a meaning to. NULL: none. */
static const char *special(enum printout_format format, uint32_t c)
{
	if (format == PRINTOUT_CSV)
		return c == '"' ? "\"\"" : c == '\n' ? "\n" : NULL;
	switch (c) {
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '&': return "&amp;";
	case '\n': return format == PRINTOUT_HTML ? "<br>" : " ";
	case '"': return format == PRINTOUT_HTML ? "&quot;" : NULL;
	case '\'': return format == PRINTOUT_HTML ? "&#39;" : NULL;
	default: break;
	}
	if (format == PRINTOUT_MARKDOWN && c < 128 && strchr("|*`[]\\", (int)c)) {
		static char escaped[3] = "\\?";
		escaped[1] = (char)c;
		return escaped;
	}
	return NULL;
}

static void put_text(struct printout *s, struct span text)
{
	while (text.n) {
		uint32_t c = 0;
		int n = utf8_next(text, &c);
		size_t len = (size_t)(n < 0 ? -n : n);
		const char *as = n > 0 ? special(s->format, c) : NULL;
		if (as)
			put(s, as);
		else if (n < 0 || utf8_is_control(c))
			for (size_t i = 0; i < len; i++)
				(void)fprintf(s->to, "\\x%02x", text.p[i]);
		else
			(void)fwrite(text.p, 1, len, s->to);
		text.p += len;
		text.n -= len;
	}
}

static void put_cell(struct printout *s, struct span text, const char *element, bool first)
{
	switch (s->format) {
	case PRINTOUT_CSV:
		put(s, first ? "\"" : ",\"");
		/* A spreadsheet runs what begins like a formula. */
		if (text.n && memchr("=+-@\t\r", text.p[0], 6))
			put(s, "'");
		put_text(s, text);
		put(s, "\"");
		break;
	case PRINTOUT_HTML:
		(void)fprintf(s->to, "<%s>", element);
		put_text(s, text);
		(void)fprintf(s->to, "</%s>", element);
		break;
	case PRINTOUT_MARKDOWN:
		put(s, first ? "| " : " ");
		put_text(s, text);
		put(s, " |");
		break;
	}
}

void printout_begin(struct printout *s, FILE *to, enum printout_format format, const char *language, const char *title)
{
	*s = (struct printout){ .to = to, .format = format };
	if (format == PRINTOUT_CSV) {
		put(s, "\xef\xbb\xbf");
		return;
	}
	if (format == PRINTOUT_MARKDOWN) {
		put(s, "# ");
		put_text(s, span_str(title));
		put(s, "\n");
		return;
	}
	(void)fprintf(to, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n<title>", language);
	put_text(s, span_str(title));
	put(s, "</title>\n<style>\n"
	       "body { font-family: sans-serif; font-size: 10pt; }\n"
	       "table { border-collapse: collapse; width: 100%; margin: 0.5em 0 1.5em; }\n"
	       "th, td { border: 1px solid #666; padding: 3px 5px; text-align: left; vertical-align: top; overflow-wrap: anywhere; }\n"
	       "thead { display: table-header-group; }\nth { background: #eee; }\ntr { break-inside: avoid; }\n"
	       "@page { size: A4 landscape; margin: 12mm; }\n</style>\n</head>\n<body>\n<h1>");
	put_text(s, span_str(title));
	put(s, "</h1>\n");
}

void printout_heading(struct printout *s, unsigned level, struct span text)
{
	if (s->format == PRINTOUT_CSV)
		return;
	if (s->format == PRINTOUT_HTML) {
		(void)fprintf(s->to, "<h%u>", level);
		put_text(s, text);
		(void)fprintf(s->to, "</h%u>\n", level);
		return;
	}
	(void)fprintf(s->to, "\n%.*s ", (int)(level < 6 ? level : 6), "######");
	put_text(s, text);
	put(s, "\n");
}

void printout_line(struct printout *s, const char *label, struct span text)
{
	if (s->format == PRINTOUT_CSV)
		return;
	put(s, s->format == PRINTOUT_HTML ? "<p>" : "\n");
	put_text(s, span_str(label));
	put(s, *label ? ": " : "");
	put_text(s, text);
	put(s, s->format == PRINTOUT_HTML ? "</p>\n" : "\n");
}

void printout_table(struct printout *s, const char *const *heads, size_t n)
{
	put(s, s->format == PRINTOUT_HTML ? "<table>\n<thead><tr>" : s->format == PRINTOUT_MARKDOWN ? "\n" : "");
	for (size_t i = 0; i < n; i++)
		put_cell(s, span_str(heads[i]), "th", !i);
	put(s, s->format == PRINTOUT_HTML ? "</tr></thead>\n<tbody>\n" : s->format == PRINTOUT_CSV ? "\r\n" : "\n");
	for (size_t i = 0; s->format == PRINTOUT_MARKDOWN && i < n; i++)
		put(s, i ? "---|" : "|---|");
	if (s->format == PRINTOUT_MARKDOWN)
		put(s, "\n");
	s->in_table = true;
}

void printout_row(struct printout *s, const struct span *cells, size_t n)
{
	put(s, s->format == PRINTOUT_HTML ? "<tr>" : "");
	for (size_t i = 0; i < n; i++)
		put_cell(s, cells[i], "td", !i);
	put(s, s->format == PRINTOUT_HTML ? "</tr>\n" : s->format == PRINTOUT_CSV ? "\r\n" : "\n");
}

void printout_table_end(struct printout *s)
{
	if (s->in_table && s->format == PRINTOUT_HTML)
		put(s, "</tbody>\n</table>\n");
	s->in_table = false;
}

int printout_end(struct printout *s)
{
	printout_table_end(s);
	if (s->format == PRINTOUT_HTML)
		put(s, "</body>\n</html>\n");
	return fflush(s->to) || ferror(s->to) ? -EIO : 0;
}
