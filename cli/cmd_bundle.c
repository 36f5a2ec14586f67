/* spanward bundle: a policy as one signed file, put in force whole and taken back. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/decided.h"
#include "cli/installed.h"
#include "cli/out.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/err.h"
#include "core/log.h"

static const char help[] =
"usage: spanward bundle key -o KEYFILE\n"
"       spanward bundle make -p DIR --key KEYFILE [--generation N] -o BUNDLE\n"
"       spanward bundle verify BUNDLE|GENERATION_DIR [--trust KEYFILE.pub]\n"
"       spanward bundle activate BUNDLE -p ROOT --trust KEYFILE.pub [--keep-decisions | --drop-decisions]\n"
"       spanward bundle rollback -p ROOT [--keep-decisions | --drop-decisions]\n"
"\n"
"A bundle is a policy directory (device types, inventory, site, decisions) as one file, signed (ed25519), with a\n"
"generation. activate checks signature and signer, refuses an older generation than the one in force, unpacks it beside,\n"
"compiles it, and puts it in force by renaming a link: sensors that run with -p ROOT/current take it by themselves, and see\n"
"the one or the other. When anything is wrong the policy in force stays. rollback goes back to the one before.\n"
"\n"
"  -o, --output FILE     write there: the key (and FILE.pub, which may be given away), or the bundle\n"
"  -p, --policy DIR      policy directory to pack; ROOT to put bundles in force in\n"
"      --key KEYFILE     to sign with\n"
"      --generation N    greater than those before (default: the time, as in 20261201143000)\n"
"      --trust KEYFILE   a signer's public key; may be given several times\n"
"      --keep-decisions  take along what was decided by command since (spanward audit)\n"
"      --drop-decisions  leave it behind; its journal goes on\n"
"      --who NAME        who decides (default: you)\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, not trusted, or not newer, 2 usage, 3 the policy is wrong, 4 no bundle, cut short or not what\n"
"was signed, 5 permission. Except with 0 nothing has changed.\n"
"\n"
"Example: spanward bundle make -p policy/ --key hospital.key -o policy.bundle\n"
"         spanward bundle activate policy.bundle -p /var/lib/spanward/policy --trust hospital.key.pub\n";

enum { OPT_KEY = DECIDED_OWN, OPT_GENERATION, OPT_TRUST, OPT_KEEP, OPT_DROP, MAX_KEYS = 16, KEY_TEXT = 256 };

static const struct option options[] = {
	{ "policy", required_argument, NULL, 'p' }, { "output", required_argument, NULL, 'o' }, { "key", required_argument, NULL, OPT_KEY },
	{ "generation", required_argument, NULL, OPT_GENERATION }, { "trust", required_argument, NULL, OPT_TRUST },
	{ "keep-decisions", no_argument, NULL, OPT_KEEP }, { "drop-decisions", no_argument, NULL, OPT_DROP },
	{ "who", required_argument, NULL, DECIDED_WHO }, { "help", no_argument, NULL, 'h' }, { 0 },
};

static const char secret_head[] = "spanward-ed25519-secret ", public_head[] = "spanward-ed25519-public ";

struct asked {
	struct decided d;
	const char *policy, *output, *key;
	uint64_t generation;
	uint8_t keys[MAX_KEYS][BUNDLE_KEY];
	size_t n_keys;
	enum installed_decisions decisions;
};

/* A key file of a kind; what is wrong with it is said. */
static int read_key(const char *path, const char *head, uint8_t *ret, size_t n)
{
	uint8_t *mem = NULL;
	size_t size = 0, got = 0;
	int err = installed_read(path, KEY_TEXT, &mem, &size);
	struct span s = { mem, err ? 0 : size };
	while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	size_t h = strlen(head);
	bool ok = !err && s.n == h + 2 * n && !memcmp(s.p, head, h) &&
		  !sodium_hex2bin(ret, n, (const char *)s.p + h, 2 * n, NULL, &got, NULL) && got == n;
	if (mem)
		sodium_memzero(mem, size);
	free(mem);
	if (ok)
		return ERR_EXIT_OK;
	log_say("spanward: %s: %s%s%s", path, err ? err_text(err) : "no key file: expected a line that begins with ", err ? "" : head,
		err ? "" : "(spanward bundle key makes both)");
	int code = err ? (int)err_exit_code(err) : ERR_EXIT_INPUT;
	return code == ERR_EXIT_PERMISSION ? code : ERR_EXIT_INPUT;
}

static int take(struct asked *a, int opt, const char *arg)
{
	int code = decided_take(&cmd_bundle, &a->d, opt, arg);
	if (opt != 'p' && code >= 0)
		return code;
	switch (opt) {
	case 'p':
		a->policy = arg;
		return 0;
	case 'o':
		a->output = arg;
		return 0;
	case OPT_KEY:
		a->key = arg;
		return 0;
	case OPT_GENERATION:
		if (!*arg || strlen(arg) > 18 || strspn(arg, "0123456789") != strlen(arg) || !(a->generation = strtoull(arg, NULL, 10)))
			return cmd_usage(&cmd_bundle, "--generation: expected a number from 1");
		return 0;
	case OPT_TRUST:
		if (a->n_keys == MAX_KEYS)
			return cmd_usage(&cmd_bundle, "at most 16 keys");
		return read_key(arg, public_head, a->keys[a->n_keys++], BUNDLE_KEY);
	case OPT_KEEP:
	case OPT_DROP:
		if (a->decisions)
			return cmd_usage(&cmd_bundle, "--keep-decisions or --drop-decisions, not both");
		a->decisions = opt == OPT_KEEP ? INSTALLED_KEEP : INSTALLED_DROP;
		return 0;
	default:
		return cmd_usage(&cmd_bundle, "see above");
	}
}

/* ---- keys ---- */

static int write_key(const char *path, const char *head, const uint8_t *key, size_t n, mode_t mode)
{
	char text[KEY_TEXT];
	size_t h = strlen(head);
	(void)snprintf(text, sizeof(text), "%s", head);
	digest_hex(key, n, text + h);
	text[h + 2 * n] = '\n';
	/* Never over a key that is there: what it signed could not be signed again. */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode), err = fd < 0 ? -errno : 0;
	if (!err && write(fd, text, h + 2 * n + 1) != (ssize_t)(h + 2 * n + 1))
		err = errno ? -errno : -EIO;
	if (!err && fsync(fd))
		err = -errno;
	if (fd >= 0)
		(void)close(fd);
	sodium_memzero(text, sizeof(text));
	if (!err)
		return ERR_EXIT_OK;
	log_say("spanward: %s: %s", path, err == -EEXIST ? "is there already; a key is not written over" : err_text(err));
	return err == -EACCES ? ERR_EXIT_PERMISSION : ERR_EXIT_FAILURE;
}

static int make_key(const struct asked *a)
{
	uint8_t public[BUNDLE_KEY], secret[BUNDLE_SECRET];
	char path[4096], id[INSTALLED_KEY_ID];
	if (bundle_keys(public, secret) || snprintf(path, sizeof(path), "%s.pub", a->output) >= (int)sizeof(path))
		return ERR_EXIT_FAILURE;
	int code = write_key(a->output, secret_head, secret, sizeof(secret), 0600);
	sodium_memzero(secret, sizeof(secret));
	if (!code)
		code = write_key(path, public_head, public, sizeof(public), 0644);
	if (!code)
		(void)printf("key %s: %s (keep it secret), %s\n", installed_key_id(public, id), a->output, path);
	return code;
}

/* ---- making ---- */

/* The time as a number that people can read; seconds, so that the next one is greater. */
static uint64_t generation_now(void)
{
	char text[CLOCK_STRLEN];
	uint64_t v = 0;
	(void)clock_str(clock_now_ns(), text);
	for (size_t i = 0; i < 19; i++)
		if (text[i] >= '0' && text[i] <= '9')
			v = v * 10 + (uint64_t)(text[i] - '0');
	return v;
}

static int pack(const struct asked *a, const uint8_t *secret, DIR *dir)
{
	struct bundle_file *v = calloc(BUNDLE_FILES, sizeof(*v));
	size_t n = 0, size = 0;
	uint8_t *mem = NULL;
	char why[256] = "";
	uint64_t generation = a->generation ? a->generation : generation_now();
	int err = v ? 0 : -ENOMEM, code = 0;
	for (struct dirent *e; !err && (e = readdir(dir));) {
		char path[4096];
		uint8_t *bytes = NULL;
		size_t got = 0;
		size_t len = strlen(e->d_name);
		bool read_by_loader = e->d_name[0] != '.' && ((len > 5 && !strcmp(e->d_name + len - 5, ".yaml")) ||
					(len > 4 && !strcmp(e->d_name + len - 4, ".yml")) || !strcmp(e->d_name, "inventory.csv"));
		if (!read_by_loader)
			continue;
		if (!bundle_name(span_str(e->d_name)) || n == BUNDLE_FILES) {
			log_say("spanward: %s/%s: %s", a->policy, e->d_name, n == BUNDLE_FILES ? "too many files" :
				"a file of that name cannot be bundled: letters, digits and . _ - + @ only");
			code = ERR_EXIT_CONFIG;
			break;
		}
		(void)snprintf(path, sizeof(path), "%s/%s", a->policy, e->d_name);
		err = installed_read(path, BUNDLE_FILE_MAX, &bytes, &got);
		char *name = err ? NULL : strdup(e->d_name);
		if (!err && !name) {
			free(bytes);
			err = -ENOMEM;
		}
		if (!err)
			v[n++] = (struct bundle_file){ span_str(name), { bytes, got } };
	}
	if (!err && !code)
		err = bundle_pack(v, n, generation, clock_now_ns(), secret, &mem, &size);
	if (!err && !code) {
		struct out out;
		err = out_open(&out, a->output, why);
		if (!err) {
			out_put(&out, (struct span){ mem, size });
			err = out_close(&out, true, why);
		}
	}
	if (err) {
		log_say("spanward: %s", why[0] ? why : err_text(err));
		code = (int)err_exit_code(err);
		code = code ? code : ERR_EXIT_FAILURE;
	}
	if (!code)
		(void)printf("generation %llu: %zu files, %zu bytes, %s\n", (unsigned long long)generation, n, size, a->output);
	for (size_t i = 0; i < n; i++) {
		free((void *)(uintptr_t)v[i].name.p);
		free((void *)(uintptr_t)v[i].bytes.p);
	}
	free(v);
	free(mem);
	return code;
}

static int make(const struct asked *a)
{
	uint8_t secret[BUNDLE_SECRET];
	struct conf_report rep = { 0 };
	if (!a->policy || !a->key)
		return cmd_usage(&cmd_bundle, a->policy ? "which key signs? (--key KEYFILE)" : "which policy? (-p DIR)");
	int err = policy_load_try(a->policy, NULL, &rep);
	conf_say(&rep);
	if (err) {
		int code = (int)err_exit_code(err);
		return code == ERR_EXIT_PERMISSION ? code : ERR_EXIT_CONFIG;
	}
	int code = read_key(a->key, secret_head, secret, sizeof(secret));
	DIR *dir = code ? NULL : opendir(a->policy);
	if (!code && !dir)
		code = ERR_EXIT_PERMISSION;
	if (!code)
		code = pack(a, secret, dir);
	if (dir)
		(void)closedir(dir);
	sodium_memzero(secret, sizeof(secret));
	return code;
}

/* ---- looking, and putting in force ---- */

/* A bundle from a file, or the one that an installed generation came from. */
static int open_bundle(const struct asked *a, const char *path, bool is_dir, uint8_t **mem, size_t *n, struct bundle *b)
{
	char whole[4096];
	(void)snprintf(whole, sizeof(whole), is_dir ? "%s/bundle.spanward" : "%s", path);
	int err = installed_read(whole, BUNDLE_MAX, mem, n);
	if (!err)
		err = bundle_open((struct span){ *mem, *n }, a->keys, a->n_keys, b);
	if (!err)
		return ERR_EXIT_OK;
	log_say("spanward: %s: %s", whole, err == ERR_CORRUPT ? "is not what was signed: the signature does not hold" :
		err == ERR_UNKNOWN_KIND ? "no bundle (spanward bundle make writes one)" : err_text(err));
	int code = (int)err_exit_code(err);
	return code == ERR_EXIT_PERMISSION ? code : ERR_EXIT_INPUT;
}

static int verify_or_activate(const struct asked *a, const char *path, bool activate)
{
	struct bundle b = { 0 };
	struct stat st;
	uint8_t *mem = NULL;
	size_t n = 0;
	char id[INSTALLED_KEY_ID], made[DECIDED_LEFT];
	bool is_dir = !stat(path, &st) && S_ISDIR(st.st_mode);
	int code = is_dir && activate ? cmd_usage(&cmd_bundle, "activate takes a BUNDLE") : open_bundle(a, path, is_dir, &mem, &n, &b);
	if (code) {
		free(mem);
		return code;
	}
	(void)installed_key_id(b.key, id);
	if (!activate)
		(void)printf("generation %llu, made %s, signed by %s (%s), %zu files\n", (unsigned long long)b.generation,
			     decided_time(b.made_ns, made), id, b.trusted ? "trusted" : a->n_keys ? "NOT TRUSTED" :
			     "nobody said whom to trust", b.n);
	if ((activate || a->n_keys) && !b.trusted) {
		log_say("spanward: %s: signed by %s, whom no --trust names", path, id);
		code = ERR_EXIT_FAILURE;
	}
	if (!code && activate)
		code = installed_activate(a->policy, &b, (struct span){ mem, n }, a->decisions, a->d.who);
	else if (!code)
		code = is_dir ? installed_check(path, &b) : installed_try(&b);
	bundle_free(&b);
	free(mem);
	return code;
}

static int run(int argc, char **argv)
{
	static struct asked a;
	static const char *const verbs[] = { "key", "make", "verify", "activate", "rollback", NULL };
	decided_defaults(&a.d);
	if (sodium_init() < 0)
		return ERR_EXIT_FAILURE;
	for (int opt; (opt = getopt_long(argc, argv, ":p:o:h", options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&cmd_bundle);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(&cmd_bundle, opt, argv, options);
		int code = take(&a, opt, optarg);
		if (code)
			return code;
	}
	if (optind == argc)
		return cmd_usage(&cmd_bundle, "what is to be done? (key, make, verify, activate, rollback)");
	int verb = cmd_choice(&cmd_bundle, "spanward bundle", argv[optind], verbs), n = argc - optind - 1;
	if (verb < 0)
		return ERR_EXIT_USAGE;
	bool takes = verb == 2 || verb == 3;
	if (n != takes)
		return cmd_usage(&cmd_bundle, takes ? "which BUNDLE?" : "takes no argument but options");
	if (verb < 2 && !a.output)
		return cmd_usage(&cmd_bundle, "where to? (-o FILE)");
	if (verb > 2 && !a.policy)
		return cmd_usage(&cmd_bundle, "in force where? (-p ROOT; sensors run with -p ROOT/current)");
	if (verb == 3 && !a.n_keys)
		return cmd_usage(&cmd_bundle, "whose signature is trusted? (--trust KEYFILE.pub)");
	switch (verb) {
	case 0: return make_key(&a);
	case 1: return make(&a);
	case 4: return installed_rollback(a.policy, a.decisions, a.d.who);
	default: return verify_or_activate(&a, argv[optind + 1], verb == 3);
	}
}

const struct cmd cmd_bundle = { "bundle", "sign a policy as one file, put it in force, go back", help, run };
