#include "core/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/escape.h"

/* The log's level and name: the only changeable globals that the style allows. */
static const char *log_program = "spanward";
static enum log_level log_most = LOG_LEVEL_INFO;
static bool log_journal;

/* A message longer than this is cut: the longest path and what is said about it. Four output bytes per input byte
 * when all of it is escaped. */
enum { LOG_TEXT_MAX = 6144, LOG_LINE_MAX = 4 * LOG_TEXT_MAX + 128 };

void log_open(const char *program, enum log_level most)
{
	log_program = program;
	log_most = most;
	log_journal = getenv("JOURNAL_STREAM") != NULL;         /* systemd.exec(5) */
}

/* One line: `before` as it is, the message escaped. */
__attribute__((format(printf, 2, 0))) static void put_line(const char *before, const char *fmt, va_list ap)
{
	int saved = errno;
	char text[LOG_TEXT_MAX];
	uint8_t line[LOG_LINE_MAX];
	struct buf out = buf_over(line, sizeof(line) - 1);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	(void)buf_str(&out, before);
	if (n > 0)
		escape_put(&out, (struct span){ (const uint8_t *)text,
						(size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 });
	line[out.len++] = '\n';
	/* One write, so that lines of several processes do not mix; nobody can be told that it failed. */
	ssize_t ignored = write(STDERR_FILENO, line, out.len);
	(void)ignored;
	errno = saved;
}

__attribute__((format(printf, 2, 0))) static void put(enum log_level level, const char *fmt, va_list ap)
{
	static const char *const words[] = { "error: ", "warning: ", "", "debug: " };
	static const char priorities[] = { '3', '4', '6', '7' };        /* RFC 5424, 6.2.1 */
	char before[64], priority[4] = "";
	if (level > log_most)
		return;
	if (log_journal)
		(void)snprintf(priority, sizeof(priority), "<%c>", priorities[level]);
	(void)snprintf(before, sizeof(before), "%s%.32s: %s", priority, log_program, words[level]);
	put_line(before, fmt, ap);
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

void log_say(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	put_line("", fmt, ap);
	va_end(ap);
}
