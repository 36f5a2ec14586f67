#include "cli/watched.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file_end.h"
#include "cli/progress.h"
#include "core/err.h"
#include "core/escape.h"
#include "core/log.h"
#include "documents/flows.h"
#include "documents/papers.h"
#include "sensor/account.h"
#include "sensor/ring.h"
#include "sensor/session.h"

static int faults(int err, const struct conf_report *rep)
{
	conf_say(rep);
	if (!rep->total)
		log_say("spanward: %s", err_text(err));
	int code = (int)err_exit_code(err);
	return code == ERR_EXIT_PERMISSION || err == -ENOMEM ? code : ERR_EXIT_CONFIG;
}

static void take(void *arg, const struct observation *o)
{
	struct watched *w = arg;
	w->flows += o->head.type == OBSERVATION_FLOW_END;
	matrix_observe(w->matrix, o);
	if (w->whatif)
		whatif_observe(w->whatif, o);
}

static void take_observation(struct watched *w, struct span bytes)
{
	static struct vocab_scratch scratch;
	struct observation o;
	struct cursor c = cursor_from(bytes);
	if (vocab_decode(&observation_vocab, &o.head, &scratch, &c, NULL) || cursor_left(&c)) {
		w->lost_records++;
		return;
	}
	take(w, &o);
}

static int pump(struct watched *w, const char *const *captures, size_t n, bool quiet)
{
	uint8_t *mem = malloc(RING_MAX_RECORD);
	struct progress progress;
	struct account account = { 0 };
	enum ring_kind kind;
	size_t got_n = 0;
	int got, input = 0;
	if (!mem)
		return -ENOMEM;
	progress_begin(&progress);
	progress.on = progress.on && !quiet;
	while ((got = session_get(w->engine, 100, &kind, mem, &got_n)) >= 0) {
		struct span bytes = { mem, got_n };
		if (got && kind == RING_OBSERVATION) {
			take_observation(w, bytes);
		} else if (got && kind == RING_FILE_RESULT) {
			struct file_end e;
			if (!file_end_read(bytes, n, &e)) {
				w->lost_records++;
			} else if (e.err) {
				progress_end(&progress);
				file_end_say(&e, captures[e.file - 1]);
				input = input ? input : e.err;
			}
		} else if (got && kind == RING_STATS) {
			w->lost_records += !account_stats(&account, bytes);
		}
		struct ring_progress at;
		ring_progress_get(session_ring(w->engine), &at);
		progress_step(&progress, &at);
	}
	progress_end(&progress);
	w->packets = account.stats.v[STATS_packets];
	free(mem);
	return got == -EPIPE ? input : got;
}

static const struct policy *table(const struct watched *w) { return w->engine ? session_policy(w->engine) : w->compiled; }

/* What is compared with: the model, the matrix and the proposal. */
static int prepare(struct watched *w, const char *policy, const char *proposed)
{
	struct conf_report rep = { 0 };
	int err = papers_read(&policy, 1, &w->model, &rep);
	if (!err && proposed)
		err = policy_compile_dir(proposed, &w->proposed, &rep);
	if (err)
		return faults(err, &rep);
	err = matrix_new(table(w), &w->model, &w->matrix);
	if (!err && proposed)
		err = whatif_new(table(w), w->proposed, &w->whatif);
	if (err)
		log_say("spanward: %s", err_text(err));
	return err ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
}

static int begin_engine(struct watched *w, const char *policy, const char *const *captures, size_t n)
{
	struct session_config c = { .files = captures, .n_files = n, .policy_dir = policy };
	struct conf_report rep = { 0 };
	char why[256] = "";
	engine_defaults(&c.engine);
	c.engine.sensor = "matrix";
	c.engine.epoch = 1;
	c.engine.workers = 1;
	c.engine.observations = true;
	int err = session_start(&c, &w->engine, &rep, why);
	if (!err)
		return ERR_EXIT_OK;
	conf_say(&rep);
	if (!rep.total)
		log_say("spanward: %s", why[0] ? why : err_text(err));
	return (int)err_exit_code(err);
}

static int end_engine(struct watched *w, int err)
{
	char why[256] = "";
	int sig = 0, ended = session_wait(w->engine, &sig, why);
	if (ended) {
		log_say("spanward: %s", why);
		return ERR_EXIT_FAILURE;
	}
	if (w->lost_records)
		log_say("spanward: %llu records of the engine do not decode: a fault or an attack; keep the capture and report it",
			w->lost_records);
	return w->lost_records ? ERR_EXIT_FAILURE : err ? (int)err_exit_code(err) : ERR_EXIT_OK;
}

static int read_flows(struct watched *w, const char *path)
{
	struct conf_report rep = { 0 };
	FILE *from = fopen(path, "re");
	int err = from ? flows_read(from, path, take, w, &rep) : -errno;
	if (from)
		(void)fclose(from);
	conf_say(&rep);
	if (err && !rep.total)
		log_say("spanward: %s: %s", path, err_text(err));
	return err ? (int)err_exit_code(err) : ERR_EXIT_OK;
}

/* Captures first, in one session and merged by time; then the flows that were kept. */
static int read_files(struct watched *w, const char *policy, const char *proposed, const char **files, size_t captures, size_t n,
	bool quiet)
{
	struct conf_report rep = { 0 };
	int code = captures ? begin_engine(w, policy, files, captures) : ERR_EXIT_OK;
	if (code)
		return code;
	if (!captures) {
		int err = policy_compile_dir(policy, &w->compiled, &rep);
		if (err)
			return faults(err, &rep);
	}
	code = prepare(w, policy, proposed);
	if (!code && captures)
		code = end_engine(w, pump(w, files, captures, quiet));
	for (size_t i = captures; i < n && (!code || code == ERR_EXIT_INPUT); i++) {
		int one = read_flows(w, files[i]);
		code = code ? code : one;
	}
	return code;
}

int watched_compare(struct watched *w, const char *policy, const char *proposed, const char *const *files, size_t n, bool quiet)
{
	*w = (struct watched){ 0 };
	const char **order = calloc(n + 1, sizeof(*order));
	size_t captures = 0, flows = n;
	if (!order || sodium_init() < 0) {
		free(order);
		return ERR_EXIT_FAILURE;
	}
	for (size_t i = 0; i < n; i++)
		order[flows_is(files[i]) ? --flows : captures++] = files[i];
	int code = read_files(w, policy, proposed, order, captures, n, quiet);
	free(order);
	if (w->matrix)
		matrix_settle(w->matrix, n > 0);
	if (w->whatif)
		whatif_settle(w->whatif);
	return code;
}

int watched_read(struct watched *w, const char *policy, const char *const *files, size_t n, bool quiet)
{
	return watched_compare(w, policy, NULL, files, n, quiet);
}

void watched_end(struct watched *w)
{
	matrix_free(w->matrix);
	whatif_free(w->whatif);
	policy_load_free(&w->model);
	free(w->compiled);
	free(w->proposed);
	session_free(w->engine);
}
