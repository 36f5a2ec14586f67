#include "cli/watched.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cli/progress.h"
#include "core/err.h"
#include "core/escape.h"
#include "core/log.h"
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

static void take_observation(struct watched *w, struct span bytes)
{
	static struct vocab_scratch scratch;
	struct observation o;
	struct cursor c = cursor_from(bytes);
	if (vocab_decode(&observation_vocab, &o.head, &scratch, &c, NULL) || cursor_left(&c)) {
		w->lost_records++;
		return;
	}
	w->flows += o.head.type == OBSERVATION_FLOW_END;
	matrix_observe(w->matrix, &o);
}

/* How a file ended: 0, or what was wrong with it, said. */
static int take_file(const char *const *captures, size_t n, struct span bytes)
{
	struct cursor c = cursor_from(bytes);
	uint32_t file = cursor_u32be(&c);
	int err = (int)cursor_u32be(&c);
	unsigned long long packets = cursor_u64be(&c);
	struct span why = cursor_rest(&c);
	char name[ESCAPE_NAME];
	if (!cursor_ok(&c) || file < 1 || file > n || !err)
		return 0;
	log_say("spanward: %s: %.*s%s%s; %llu packets were read before that", escape_name(captures[file - 1], name), (int)why.n,
		(const char *)why.p, why.n ? ": " : "", err_text(err), packets);
	return err;
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
			int err = take_file(captures, n, bytes);
			input = input ? input : err;
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

static int read_captures(struct watched *w, const char *policy, const char *const *captures, size_t n, bool quiet)
{
	struct session_config c = { .files = captures, .n_files = n, .policy_dir = policy };
	struct conf_report rep = { 0 };
	char why[256] = "";
	int sig = 0;
	engine_defaults(&c.engine);
	c.engine.sensor = "matrix";
	c.engine.epoch = 1;
	c.engine.workers = 1;
	c.engine.observations = true;
	int err = session_start(&c, &w->engine, &rep, why);
	if (err) {
		conf_say(&rep);
		if (!rep.total)
			log_say("spanward: %s", why[0] ? why : err_text(err));
		return (int)err_exit_code(err);
	}
	rep.n = rep.total = 0;
	err = papers_read(&policy, 1, &w->model, &rep);
	if (err)
		return faults(err, &rep);
	err = matrix_new(session_policy(w->engine), &w->model, &w->matrix);
	if (err) {
		log_say("spanward: %s", err_text(err));
		return ERR_EXIT_FAILURE;
	}
	err = pump(w, captures, n, quiet);
	int ended = session_wait(w->engine, &sig, why);
	if (ended) {
		log_say("spanward: %s", why);
		return ERR_EXIT_FAILURE;
	}
	if (w->lost_records)
		log_say("spanward: %llu records of the engine do not decode: a fault or an attack; keep the capture and report it",
			w->lost_records);
	return w->lost_records ? ERR_EXIT_FAILURE : err ? (int)err_exit_code(err) : ERR_EXIT_OK;
}

int watched_read(struct watched *w, const char *policy, const char *const *captures, size_t n, bool quiet)
{
	*w = (struct watched){ 0 };
	if (sodium_init() < 0)
		return ERR_EXIT_FAILURE;
	int code = ERR_EXIT_OK;
	if (n) {
		code = read_captures(w, policy, captures, n, quiet);
	} else {
		struct conf_report rep = { 0 };
		int err = policy_compile_dir(policy, &w->compiled, &rep);
		if (!err)
			err = papers_read(&policy, 1, &w->model, &rep);
		if (err)
			return faults(err, &rep);
		err = matrix_new(w->compiled, &w->model, &w->matrix);
		if (err) {
			log_say("spanward: %s", err_text(err));
			code = ERR_EXIT_FAILURE;
		}
	}
	if (w->matrix)
		matrix_settle(w->matrix, n > 0);
	return code;
}

void watched_end(struct watched *w)
{
	matrix_free(w->matrix);
	policy_load_free(&w->model);
	free(w->compiled);
	session_free(w->engine);
}
