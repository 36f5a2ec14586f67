#include "core/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/utf8.h"

/* The log's level and name: the only changeable globals that the style allows. */
static const char *log_program = "spanward";
static enum log_level log_most = LOG_LEVEL_INFO;
static bool log_journal;

/* A message longer than this is cut; four output bytes per input byte when all of it is escaped. */
enum { LOG_TEXT_MAX = 2048, LOG_LINE_MAX = 4 * LOG_TEXT_MAX + 128 };

void log_open(const char *program, enum log_level most)
{
	log_program = program;
	log_most = most;
	log_journal = getenv("JOURNAL_STREAM") != NULL;         /* systemd.exec(5) */
}

/* What a terminal would obey (0x9b alone begins an escape sequence on some) and what is no UTF-8 become \xNN. */
static void put_escaped(struct buf *out, struct span s)
{
	while (s.n) {
		uint32_t cp;
		int len = utf8_next(s, &cp);
		size_t n = (size_t)(len < 0 ? -len : len);
		if (len > 0 && !utf8_is_control(cp)) {
			(void)buf_put(out, s.p, n);
		} else {
			for (size_t i = 0; i < n; i++)
				(void)buf_printf(out, "\\x%02x", s.p[i]);
		}
		s = span_from(s, n);
	}
}

__attribute__((format(printf, 2, 0))) static void put(enum log_level level, const char *fmt, va_list ap)
{
	static const char *const words[] = { "error: ", "warning: ", "", "debug: " };
	static const char priorities[] = { '3', '4', '6', '7' };        /* RFC 5424, 6.2.1 */
	if (level > log_most)
		return;
	int saved = errno;
	char text[LOG_TEXT_MAX];
	uint8_t line[LOG_LINE_MAX];
	struct buf out = buf_over(line, sizeof(line) - 1);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	if (log_journal)
		(void)buf_printf(&out, "<%c>", priorities[level]);
	(void)buf_printf(&out, "%s: %s", log_program, words[level]);
	if (n > 0)
		put_escaped(&out, (struct span){ (const uint8_t *)text,
						 (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 });
	line[out.len++] = '\n';
	/* One write, so that lines of several processes do not mix; nobody can be told that it failed. */
	ssize_t ignored = write(STDERR_FILENO, line, out.len);
	(void)ignored;
	errno = saved;
}

#define LOG_AT(name, level)                     \
	void name(const char *fmt, ...)         \
	{                                       \
		va_list ap;                     \
		va_start(ap, fmt);              \
		put(level, fmt, ap);            \
		va_end(ap);                     \
	}

LOG_AT(log_error, LOG_LEVEL_ERROR)
LOG_AT(log_warn, LOG_LEVEL_WARN)
LOG_AT(log_info, LOG_LEVEL_INFO)
LOG_AT(log_debug, LOG_LEVEL_DEBUG)
