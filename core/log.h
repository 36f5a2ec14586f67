/* log.h -- lines for the operator, on stderr. Only mains and process loops log; lower code returns.
 *
 * Text is escaped (escape.h), line breaks too: one call, one line, whatever a file is called.
 * Under systemd (JOURNAL_STREAM set) lines begin with "<N>" priorities. errno is preserved.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Name put before each line ("spanward-sensor"); the pointer is kept. */
void log_open(const char *program, enum log_level most);
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A line of a command to the person who typed it: no program name, no level, never left out; escaped alike. */
void log_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
