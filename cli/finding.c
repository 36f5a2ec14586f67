#include "cli/finding.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/stored.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/log.h"

enum { LINE_MAX_BYTES = 64 << 10 };

struct search { const char *id; size_t n; unsigned found; struct finding *ret; int err; };

/* A line of JSON is also a YAML document in flow style. */
static int look(struct search *s, struct span line)
{
	struct conf_report rep = { 0 };
	struct conf_doc *doc = conf_parse(line, "alert", &rep);
	const struct conf_node *root = doc ? conf_root(doc) : NULL;
	struct span id = root && conf_is_map(root) ? conf_text(conf_get(root, "id"), "") : (struct span){ 0 };
	struct finding *f = s->ret;
	int err = id.n == ALERT_ID_LEN ? 0 : ERR_CORRUPT;
	if (!err && !memcmp(id.p, s->id, s->n) && !s->found++) {
		const struct { const char *key; char *to; size_t room; } texts[] = {
			{ "id", f->id, sizeof(f->id) }, { "rule", f->rule, sizeof(f->rule) }, { "device", f->device, sizeof(f->device) },
			{ "peer_class", f->peer, sizeof(f->peer) }, { "peer", f->peer_name, sizeof(f->peer_name) },
			{ "transport", f->transport, sizeof(f->transport) },
			{ "port", f->port, sizeof(f->port) }, { "severity", f->severity, sizeof(f->severity) },
			{ "said", f->said, sizeof(f->said) }, { "seen", f->seen, sizeof(f->seen) },
		};
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			struct span v = conf_text(conf_get(root, texts[i].key), "");
			(void)snprintf(texts[i].to, texts[i].room, "%.*s", (int)v.n, (const char *)v.p);
		}
		(void)clock_parse(conf_text(conf_get(root, "last"), ""), &f->last_ns);
	}
	conf_free(doc);
	return err;
}

static int on_alert(void *arg, const struct alert *a)
{
	static uint8_t mem[LINE_MAX_BYTES];
	struct search *s = arg;
	if (strncmp(a->id, s->id, s->n))
		return 0;
	struct buf b = buf_over(mem, sizeof(mem));
	s->err = alert_json(a, &b);
	if (!s->err)
		s->err = look(s, buf_span(&b));
	return s->err != 0;
}

static int from_store(struct search *s, const char *path)
{
	struct store *store = NULL;
	int code = stored_open(path, "--from", &store);
	if (code)
		return code;
	const struct store_filter all = { .state = -2, .at_least = EVENT_INFO };
	int err = store_alerts(store, &all, on_alert, s);
	store_close(store);
	if (err >= 0 && !s->err)
		return ERR_EXIT_OK;
	log_say("spanward: %s: %s", path, err_text(err < 0 ? err : s->err));
	return ERR_EXIT_FAILURE;
}

static int from_lines(struct search *s, FILE *f, const char *path)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int code = ERR_EXIT_OK;
	for (unsigned number = 1; !code && (n = getline(&line, &cap, f)) >= 0; number++) {
		n -= n && line[n - 1] == '\n';
		if (n && (n > LINE_MAX_BYTES || look(s, (struct span){ (const uint8_t *)line, (size_t)n }))) {
			log_say("spanward: %s:%u: not an alert in JSON (spanward replay --show alerts --format jsonl writes them)", path,
				number);
			code = ERR_EXIT_INPUT;
		}
	}
	free(line);
	return code;
}

int finding_get(const char *from, const char *id, struct finding *ret)
{
	static const char sqlite[] = "SQLite format 3";
	char head[sizeof(sqlite)] = "";
	struct finding f = { .rule = "" };
	struct search s = { .id = id, .n = strlen(id), .ret = &f };
	FILE *in = strcmp(from, "-") ? fopen(from, "re") : stdin;
	int code;
	if (!in && errno != ENOENT) {
		int err = -errno;
		log_say("spanward: %s: %s", from, err_text(err));
		return (int)err_exit_code(err);
	}
	bool is_store = !in || (in != stdin && fread(head, 1, sizeof(head), in) == sizeof(head) && !memcmp(head, sqlite, sizeof(sqlite)));
	if (in && in != stdin)
		rewind(in);
	code = is_store ? from_store(&s, from) : from_lines(&s, in, from);
	if (in && in != stdin)
		(void)fclose(in);
	if (code)
		return code;
	if (s.found == 1) {
		*ret = f;
		return ERR_EXIT_OK;
	}
	if (s.found)
		log_say("spanward: %u alerts begin with %s: give more digits", s.found, id);
	else
		log_say("spanward: no alert %s in %s", id, from);
	return ERR_EXIT_FAILURE;
}
