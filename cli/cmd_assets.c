/* spanward assets: which hosts were seen, and what they offer and use. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/stored.h"
#include "cli/table.h"
#include "cli/where.h"
#include "cli/writer.h"
#include "collector/store.h"
#include "core/err.h"
#include "core/log.h"

static const char help[] =
"usage: spanward assets [OPTION...]\n"
"\n"
"Lists the hosts in a store: address, unit of the inventory, hardware address, services offered and used,\n"
"and the names they give themselves.\n"
"\n"
"      --store FILE      store of a collector or of spanward run (default: where spanward run keeps it)\n"
"      --format FORMAT   table (default on a terminal), jsonl (default on a pipe), json, csv\n"
"  -o, --output FILE     write there\n"
"      --lang en|ja      language of the table (default: by the locale)\n"
"      --color WHEN      auto, always, never\n"
"  -h, --help            this text\n"
"\n"
"For a capture: spanward replay --show assets CAPTURE\n";

enum { OPT_STORE = 256, OPT_FORMAT, OPT_COLOR, OPT_LANG };

struct assets { struct out out; struct writer *writer; };

static int show(void *arg, const struct store_asset *asset)
{
	struct assets *a = arg;
	writer_asset(a->writer, asset);
	return out_stopped(&a->out);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "store", required_argument, NULL, OPT_STORE }, { "format", required_argument, NULL, OPT_FORMAT },
		{ "output", required_argument, NULL, 'o' }, { "color", required_argument, NULL, OPT_COLOR },
		{ "lang", required_argument, NULL, OPT_LANG }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	static const char *const colors[] = { "auto", "always", "never", NULL };
	static char path[WHERE_MAX];
	const char *output = NULL, *color = NULL;
	int format = -1;
	enum rule_language language = writer_language();
	for (int opt; (opt = getopt_long(argc, argv, ":o:h", options, NULL)) != -1;) {
		switch (opt) {
		case 'h':
			return cmd_help(&cmd_assets);
		case OPT_STORE:
			(void)snprintf(path, sizeof(path), "%s", optarg);
			break;
		case OPT_FORMAT:
			if ((format = cmd_choice(&cmd_assets, "--format", optarg, writer_formats)) < 0)
				return ERR_EXIT_USAGE;
			break;
		case OPT_COLOR:
			color = optarg;
			if (cmd_choice(&cmd_assets, "--color", color, colors) < 0)
				return ERR_EXIT_USAGE;
			break;
		case OPT_LANG:
			if (!writer_parse_language(optarg, &language))
				return cmd_usage(&cmd_assets, "--lang: expected en or ja");
			break;
		case 'o':
			output = optarg;
			break;
		default:
			return cmd_bad_option(&cmd_assets, opt, argv, options);
		}
	}
	if (optind < argc)
		return cmd_usage(&cmd_assets, "takes no argument (for a capture: spanward replay --show assets CAPTURE)");
	if (!path[0] && where_store(path))
		return cmd_usage(&cmd_assets, "no home directory: say which with --store FILE");
	struct store *s = NULL;
	struct assets a = { 0 };
	char why[256] = "";
	int code = stored_open(path, "--store", &s), err;
	if (code)
		return code;
	err = out_open(&a.out, output, why);
	if (err) {
		log_say("spanward: %s", why);
		store_close(s);
		return err == -EACCES ? ERR_EXIT_PERMISSION : ERR_EXIT_FAILURE;
	}
	bool terminal = !output && out_is_terminal(&a.out);
	const struct writer_config w = {
		.out = &a.out,
		.format = format >= 0 ? (enum writer_format)format : terminal ? WRITER_TABLE : WRITER_JSONL,
		.rows = WRITER_ASSETS,
		.language = language,
		.color = table_wants_color(color, terminal),
		.width = terminal ? table_terminal_width(STDOUT_FILENO) : 0,
	};
	a.writer = writer_new(&w);
	if (a.writer) {
		err = store_assets(s, show, &a);
		writer_end(a.writer);
		if (err < 0)
			log_say("spanward: %s: %s", path, err_text(err));
	}
	bool closed = a.out.closed;
	if (out_close(&a.out, a.writer && err >= 0, why) && !closed)
		log_say("spanward: %s", why);
	bool bad = !a.writer || err < 0 || (a.out.err && !closed);
	writer_free(a.writer);
	store_close(s);
	return bad ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
}

const struct cmd cmd_assets = { "assets", "list the hosts that were seen", help, run };
