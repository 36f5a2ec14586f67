#include "cli/file_end.h"

#include <string.h>

#include "core/err.h"
#include "core/escape.h"
#include "core/log.h"

bool file_end_read(struct span record, size_t n_files, struct file_end *ret)
{
	struct cursor c = cursor_from(record);
	struct file_end e = { .file = cursor_u32be(&c), .err = 0 };
	e.err = (int)cursor_u32be(&c);
	e.packets = cursor_u64be(&c);
	e.why = cursor_rest(&c);
	if (!cursor_ok(&c) || e.file < 1 || e.file > n_files)
		return false;
	*ret = e;
	return true;
}

void file_end_say(const struct file_end *e, const char *typed)
{
	char name[ESCAPE_NAME];
	unsigned long long packets = e->packets;
	(void)escape_name(strcmp(typed, "-") ? typed : "standard input", name);
	const char *advice = e->err == ERR_TRUNCATED ? "copy or capture it again for the rest" :
			     e->err == ERR_CORRUPT ? "copy it again and compare checksums" :
			     e->err == ERR_UNKNOWN_KIND ? "expected pcap or pcapng, also gzip-compressed" :
			     "see whether the disk or the pipe it comes from has a fault";
	if (e->err == ERR_UNKNOWN_KIND && !packets) {
		log_say("spanward: %s: no capture: %.*s; %s", name, (int)e->why.n, (const char *)e->why.p, advice);
		return;
	}
	const char *what = e->err == ERR_TRUNCATED ? "cut short" : e->err == ERR_CORRUPT ? "damaged" : err_text(e->err);
	/* "cut short: cut short after packet 3" says it twice. */
	if (e->err == ERR_TRUNCATED && e->why.n >= 9 && !memcmp(e->why.p, "cut short", 9))
		what = "";
	log_say("spanward: %s: %s%s%.*s; %llu packet%s read before that; %s", name, what, e->why.n && *what ? ": " : "", (int)e->why.n,
		(const char *)e->why.p, packets, packets == 1 ? " was" : "s were", advice);
}
