/* spanward profile mud: Manufacturer Usage Descriptions, both ways. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "cli/page.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "documents/mud.h"
#include "documents/papers.h"

static const char help[] =
"usage: spanward profile mud [OPTION...] FILE\n"
"\n"
"A MUD file (RFC 8520, JSON) becomes a device type in the long form; a device type (YAML, either form) becomes a MUD file.\n"
"Which it is is told from the content. What one form says and the other cannot is said on standard error, row by row.\n"
"\n"
"      --url URL         address of the MUD file that is written (default: the one that the type names)\n"
"      --date DATE       its last-update, instead of now\n"
"  -o, --output FILE     write there; the file appears when it is whole\n"
"  -q, --quiet           do not say what is lost\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 the file is wrong, 5 it may not be read.\n"
"\n"
"Examples\n"
"  spanward profile mud -o policy/lamp.yaml lamp.json\n"
"  spanward profile mud --url https://mud.example.com/ct-64 -o ct-64.json policy/ct-64.yaml\n";

static const struct cmd this = { "profile mud", "", help, NULL };

enum { OPT_URL = 256, OPT_DATE };

struct asked { const char *url, *output; uint64_t now_ns; bool quiet; };

static void say(void *arg, struct span row, const char *what)
{
	const bool *quiet = arg;
	if (!*quiet)
		log_say("%.*s%s%s", (int)row.n, (const char *)row.p, row.n ? ": " : "", what);
}

static void say_lost(void *arg, struct span row, const char *what)
{
	const bool *quiet = arg;
	if (!*quiet)
		log_say("lost: %.*s%s%s", (int)row.n, (const char *)row.p, row.n ? ": " : "", what);
}

/* The whole of a file, at most one byte more than any is allowed to have. 0 or -errno. */
static int read_file(const char *path, char **ret, size_t *ret_n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err = fd < 0 ? -errno : 0;
	struct stat st;
	if (err)
		return err;
	char *text = malloc(MUD_MAX_BYTES + 1);
	size_t n = 0;
	ssize_t got = 1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		err = -EINVAL;
	else if (!text)
		err = -ENOMEM;
	while (!err && n <= MUD_MAX_BYTES && got > 0) {
		got = read(fd, text + n, MUD_MAX_BYTES + 1 - n);
		if (got < 0)
			err = -errno;
		else
			n += (size_t)got;
	}
	(void)close(fd);
	if (err) {
		free(text);
		return err;
	}
	*ret = text;
	*ret_n = n;
	return 0;
}

static int faults(int err, const struct conf_report *rep)
{
	conf_say(rep);
	if (!rep->total)
		log_say("spanward: %s", err_text(err));
	int code = (int)err_exit_code(err);
	return code == ERR_EXIT_PERMISSION || err == -ENOMEM ? code : ERR_EXIT_CONFIG;
}

/* What the reader made must be what the loader takes: else the file says something that no device type may. */
static int check(const struct conf_doc *doc, const char *path, struct conf_report *rep)
{
	struct policy_model m = { 0 };
	int err = policy_types_read(&m, doc, path, rep);
	policy_load_free(&m);
	return err;
}

static int from_mud(struct asked *a, const char *path, struct span text)
{
	struct conf_report rep = { 0 };
	struct conf_doc *doc = NULL;
	struct page page;
	int err = mud_read(text, path, &doc, &rep, say, &a->quiet);
	if (!err)
		err = check(doc, path, &rep);
	if (err) {
		conf_free(doc);
		return faults(err, &rep);
	}
	page_begin(&page);
	err = page.to ? policy_write_long(conf_root(doc), page.to) : -ENOMEM;
	conf_free(doc);
	return page_end(&page, a->output, err);
}

static int to_mud(struct asked *a, const char *path)
{
	struct policy_model m = { 0 };
	struct conf_report rep = { 0 };
	struct page page;
	int err = papers_read(&path, 1, &m, &rep), code;
	if (err || !m.types.n) {
		code = err ? faults(err, &rep) : ERR_EXIT_CONFIG;
		if (!err)
			log_say("%s: no device type", path);
		policy_load_free(&m);
		return code;
	}
	page_begin(&page);
	err = page.to ? mud_write(&m.types.v[0], a->url, a->now_ns, page.to, say_lost, &a->quiet) : -ENOMEM;
	if (err == -EINVAL) {
		(void)fclose(page.to);
		free(page.text);
		code = cmd_usage(&this, "the device type names no MUD URL: say where the file will be, as in --url "
			"https://mud.example.com/ct-64");
	} else {
		code = page_end(&page, a->output, err);
	}
	policy_load_free(&m);
	return code;
}

/* YAML is a superset of JSON: a device type in JSON has no `ietf-mud:mud`. */
static bool looks_like_json(const char *text, size_t n)
{
	size_t i = n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
	while (i < n && strchr(" \t\r\n", text[i]) && text[i])
		i++;
	return i < n && text[i] == '{';
}

static int convert(struct asked *a, const char *path)
{
	char *text = NULL;
	size_t n = 0;
	struct stat st;
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return cmd_usage(&this, "takes a file, not a directory");
	int err = read_file(path, &text, &n);
	if (err) {
		log_say("%s: cannot be read: %s", path, err_text(err));
		return err == -EACCES || err == -EPERM ? ERR_EXIT_PERMISSION : ERR_EXIT_CONFIG;
	}
	int code = looks_like_json(text, n) ? from_mud(a, path, (struct span){ (const uint8_t *)text, n }) : to_mud(a, path);
	free(text);
	return code;
}

bool cmd_profile_mud_is(const char *path)
{
	char *text = NULL;
	size_t n = 0;
	bool is = !read_file(path, &text, &n) && looks_like_json(text, n) && mud_is((struct span){ (const uint8_t *)text, n });
	free(text);
	return is;
}

int cmd_profile_mud_import(const char *path, const char *output, bool quiet)
{
	struct asked a = { .output = output, .quiet = quiet };
	return convert(&a, path);
}

int cmd_profile_mud(int argc, char **argv)
{
	static const struct option options[] = {
		{ "url", required_argument, NULL, OPT_URL }, { "date", required_argument, NULL, OPT_DATE },
		{ "output", required_argument, NULL, 'o' }, { "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL,
			'h' }, { 0 },
	};
	struct asked a = { .now_ns = clock_now_ns() };
	for (int opt; (opt = getopt_long(argc, argv, ":o:qh", options, NULL)) != -1;) {
		switch (opt) {
		case 'h':
			return cmd_help(&this);
		case 'o':
			a.output = optarg;
			break;
		case 'q':
			a.quiet = true;
			break;
		case OPT_URL:
			a.url = optarg;
			if (strncmp(optarg, "https://", 8) || strlen(optarg) > 253)
				return cmd_usage(&this,
					"--url: a MUD URL begins with https:// (RFC 8520, 5) and has at most 253 bytes");
			break;
		case OPT_DATE:
			if (clock_parse(span_str(optarg), &a.now_ns))
				return cmd_usage(&this, "--date: expected a day, as in 2026-12-01");
			break;
		default:
			return cmd_bad_option(&this, opt, argv, options);
		}
	}
	if (argc - optind != 1)
		return cmd_usage(&this, "which FILE?");
	return convert(&a, argv[optind]);
}
