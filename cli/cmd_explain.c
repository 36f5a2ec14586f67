/* spanward explain: one alert in a sentence of each language, and all that it rests on. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/stored.h"
#include "cli/where.h"
#include "cli/writer.h"
#include "collector/store.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/log.h"
#include "core/utf8.h"

static const char help[] =
"usage: spanward explain ALERT_ID [--from FILE]\n"
"\n"
"Says in one English and one Japanese sentence what happened, what was declared where and whom to ask, and\n"
"then shows what the sentence rests on. The beginning of an ALERT_ID is enough when only one alert begins so.\n"
"\n"
"      --from FILE    a store, or alerts in JSON Lines as spanward replay writes them (- is standard input);\n"
"                     default: the store of spanward run\n"
"      --lang en|ja   only that language\n"
"  -h, --help         this text\n"
"\n"
"Exit codes: 0 ok, 1 no such alert, 2 usage, 4 the file is unreadable or not of these kinds, 5 permission.\n"
"\n"
"Example: spanward replay -p policy/ --format jsonl -o alerts.jsonl monday.pcapng\n"
"         spanward explain 3f2a9c0d --from alerts.jsonl\n";

enum { OPT_FROM = 256, OPT_LANG, LINE_MAX_BYTES = 64 << 10 };

struct explain {
	const char *id;
	size_t id_len;
	int only;               /* a language, or -1 */
	unsigned found;
	int err;
};

/* Text of a file goes to a terminal here: nothing in it may move the cursor. */
static void put_text(struct span s)
{
	while (s.n) {
		uint32_t cp = 0;
		int n = utf8_next(s, &cp);
		size_t used = (size_t)(n < 0 ? -n : n);
		if (n <= 0 || utf8_is_control(cp))
			(void)fputs("\xef\xbf\xbd", stdout);
		else
			(void)fwrite(s.p, 1, used, stdout);
		s = span_from(s, used);
	}
}

static void put_pair(struct span key, struct span value)
{
	(void)fputs("  ", stdout);
	put_text(key);
	for (size_t n = key.n; n < 22; n++)
		(void)fputc(' ', stdout);
	(void)fputc(' ', stdout);
	put_text(value);
	(void)fputc('\n', stdout);
}

/* A line of JSON is also a YAML document in flow style, and our strict reader of that refuses the rest. */
static int explain_line(struct explain *x, struct span line, bool print)
{
	struct conf_report rep = { 0 };
	struct conf_doc *doc = conf_parse(line, "alert", &rep);
	if (!doc)
		return ERR_CORRUPT;
	const struct conf_node *root = conf_root(doc);
	if (!conf_is_map(root) || !conf_is_scalar(conf_get(root, "id"))) {
		conf_free(doc);
		return ERR_UNKNOWN_KIND;
	}
	struct span id = conf_text(conf_get(root, "id"), "");
	if (id.n < x->id_len || memcmp(id.p, x->id, x->id_len)) {
		conf_free(doc);
		return 0;
	}
	x->found++;
	if (print) {
		const char *const sentences[] = { "explain_en", "explain_ja" };
		for (int l = 0; l < 2; l++) {
			const struct conf_node *n = conf_get(root, sentences[l]);
			if (!conf_is_scalar(n) || (x->only >= 0 && x->only != l))
				continue;
			put_text(conf_text(n, ""));
			(void)fputs("\n\n", stdout);
		}
		for (size_t i = 0; i < conf_count(root); i++) {
			struct span key = conf_key_at(root, i);
			if (conf_is_scalar(conf_at(root, i)) && !(key.n > 8 && !memcmp(key.p, "explain_", 8)))
				put_pair(key, conf_text(conf_at(root, i), ""));
		}
	}
	conf_free(doc);
	return 0;
}

static int on_alert(void *arg, const struct alert *a)
{
	struct explain *x = arg;
	static uint8_t mem[LINE_MAX_BYTES];
	if (strncmp(a->id, x->id, x->id_len))
		return 0;
	struct buf b = buf_over(mem, sizeof(mem));
	x->err = alert_json(a, &b);
	if (!x->err)
		x->err = explain_line(x, buf_span(&b), x->found == 0);
	return x->err ? 1 : 0;
}

static int from_store(struct explain *x, const char *path)
{
	struct store *s = NULL;
	int code = stored_open(path, "--from", &s), err;
	if (code)
		return code;
	const struct store_filter all = { .state = -2, .at_least = EVENT_INFO };
	err = store_alerts(s, &all, on_alert, x);
	store_close(s);
	if (err < 0 || x->err) {
		log_say("spanward: %s: %s", path, err_text(err < 0 ? err : x->err));
		return ERR_EXIT_FAILURE;
	}
	return ERR_EXIT_OK;
}

static int from_lines(struct explain *x, FILE *f, const char *path)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	unsigned number = 0;
	int code = ERR_EXIT_OK;
	while (!code && (n = out_line(f, &line, &cap)) >= 0) {
		number++;
		if (n && line[n - 1] == '\n')
			n--;
		if (!n)
			continue;
		struct span text = { (const uint8_t *)line, (size_t)n };
		int err = n > LINE_MAX_BYTES ? ERR_CORRUPT : explain_line(x, text, x->found == 0);
		if (err) {
			log_say("spanward: %s:%u: not an alert in JSON (spanward replay --show alerts --format jsonl "
			              "writes them)", path, number);
			code = ERR_EXIT_INPUT;
		}
	}
	free(line);
	if (!code && ferror(f)) {
		log_say("spanward: %s: %s", path, err_text(errno ? -errno : -EIO));
		code = ERR_EXIT_INPUT;
	}
	return code;
}

static int from_file(struct explain *x, const char *path)
{
	static const char sqlite[] = "SQLite format 3";
	char head[sizeof(sqlite)] = "";
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	if (!f) {
		int err = -errno;
		log_say("spanward: %s: %s", path, err_text(err));
		return (int)err_exit_code(err);
	}
	bool is_store = f != stdin && fread(head, 1, sizeof(head), f) == sizeof(head) && !memcmp(head, sqlite, sizeof(sqlite));
	if (f != stdin)
		rewind(f);
	int code = is_store ? from_store(x, path) : from_lines(x, f, path);
	if (f != stdin)
		(void)fclose(f);
	return code;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, OPT_FROM }, { "lang", required_argument, NULL, OPT_LANG },
		{ "help", no_argument, NULL, 'h' }, { 0 },
	};
	static char store[WHERE_MAX];
	struct explain x = { .only = -1 };
	const char *from = NULL;
	enum rule_language l;
	for (int opt; (opt = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&cmd_explain);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(&cmd_explain, opt, argv, options);
		if (opt == OPT_FROM)
			from = optarg;
		else if (opt == OPT_LANG && writer_parse_language(optarg, &l))
			x.only = l == RULE_JA;
		else
			return cmd_usage(&cmd_explain, "--lang: expected en or ja");
	}
	if (argc - optind != 1)
		return cmd_usage(&cmd_explain, argc == optind ? "which ALERT_ID?" : "one ALERT_ID at a time");
	x.id = argv[optind];
	x.id_len = strlen(x.id);
	if (x.id_len < 4 || x.id_len > ALERT_ID_LEN || strspn(x.id, "0123456789abcdef") != x.id_len)
		return cmd_usage(&cmd_explain, "an ALERT_ID is 16 digits of 0-9 and a-f, or at least the first 4 of them");
	int code;
	if (from)
		code = from_file(&x, from);
	else if (where_store(store))
		code = cmd_usage(&cmd_explain, "no home directory: say where the alert is with --from FILE");
	else
		code = from_store(&x, store);
	if (code)
		return code;
	if (!x.found) {
		log_say("spanward: no alert %s in %s", x.id, from ? from : store);
		return ERR_EXIT_FAILURE;
	}
	if (x.found > 1)
		(void)fprintf(stderr, "spanward: %u alerts begin with %s; this is the first: give more digits\n", x.found, x.id);
	return fflush(stdout) ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
}

const struct cmd cmd_explain = { "explain", "say what one alert means, in English and Japanese", help, run };
