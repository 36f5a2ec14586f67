#include "sensor/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/escape.h"
#include "core/near.h"
#include "core/utf8.h"
#include "rules/policy_reload.h"
#include "sensor/control.h"
#include "sensor/sandbox.h"

enum {
	RING_DEFAULT = 16 << 20,        /* some seconds of the busiest capture we have measured */
	HUNGRY_MS = 200,                /* an engine that follows a directory sleeps so long, unless something comes */
	RELOAD_S = 20,                  /* a policy directory that does not rest for so long is not read */
	MAX_FDS = 1024,                 /* descriptors looked at for those a capture library opened */
};

struct session {
	struct ring *ring;
	int control;
	pid_t pid;
	bool running, stopping;
	unsigned sandbox;
	int err, signal;                /* how the engine ended */
	char why[256];
	bool done;                      /* it said so itself */
	struct policy *policy;
	char *policy_dir;
	uint64_t sent, adopted, refused; /* policy generations */
	uint64_t reload_ns;             /* since when a reload waits for the files to rest; 0: none does */
	bool follow, hungry, ate;       /* ate: how a file ended has not been asked for */
	uint64_t fed, fed_packets;
	int fed_err;
	uint32_t bad_file;
	int bad_err;
	char bad_why[CONTROL_TEXT];
};

/* ---- in the engine ---- */

struct mapping { void *at; size_t n; };

struct child {
	const struct session_config *c;
	struct ring *ring;
	int control;
	struct engine *engine;
	struct source *source;
	struct mapping current, next;
	uint64_t next_generation;
	uint64_t fed, eaten;            /* files of a feed that have been told of */
};

static void say(int control, enum control_kind kind, uint64_t number, int err, const char *text)
{
	struct control m = { .kind = kind, .number = number, .err = err, .fd = -1 };
	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	/* A full socket means that the parent does not attend; then nobody can be told. */
	(void)control_send(control, &m);
}

static _Noreturn void fail(const struct child *k, int err, const char *at)
{
	say(k->control, CONTROL_FAILED, 0, err, at);
	ring_done(k->ring);
	_exit(ERR_EXIT_FAILURE);
}

static void unmap(struct mapping *m)
{
	if (m->at)
		(void)munmap(m->at, m->n);
	*m = (struct mapping){ 0 };
}

/* Maps and verifies a table and gives it to the engine, which takes it at its next batch boundary. */
static void take_policy(struct child *k, int fd, uint64_t generation)
{
	struct stat st;
	struct mapping m = { 0 };
	const struct policy *p = NULL;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		m.n = (size_t)st.st_size;
		/* Private: a sealed memfd cannot be mapped shared on kernels before 6.7, not even to read. */
		m.at = mmap(NULL, m.n, PROT_READ, MAP_PRIVATE, fd, 0);
		if (m.at == MAP_FAILED)
			m.at = NULL;
		else
			p = policy_open((struct span){ m.at, m.n });
	}
	(void)close(fd);
	if (!p) {
		unmap(&m);
		say(k->control, CONTROL_REFUSED, generation, ERR_POLICY, "the table does not verify");
		engine_policy_kept(k->engine, "the table does not verify");
		return;
	}
	engine_policy(k->engine, p, generation);
	k->next = m;
	k->next_generation = generation;
}

/* The old table goes once the engine says that it judges by the new one. */
static void settle_policy(struct child *k)
{
	if (!k->next.at || engine_policy_current(k->engine) != k->next_generation)
		return;
	unmap(&k->current);
	k->current = k->next;
	k->next = (struct mapping){ 0 };
	say(k->control, CONTROL_ADOPTED, k->next_generation, 0, "");
}

static void say_file(struct child *k, uint64_t number, const struct source_file_result *r)
{
	struct control m = { .kind = CONTROL_FILE, .number = number, .count = r->packets, .err = r->err, .fd = -1 };
	(void)snprintf(m.text, sizeof(m.text), "%s", r->why);
	(void)control_send(k->control, &m);
}

/* Between batches. Non-zero stops the engine. */
static int between_batches(void *arg)
{
	struct child *k = arg;
	struct control m;
	int got;
	settle_policy(k);
	if (source_is_hungry(k->source) && k->eaten < k->fed) {
		k->eaten = k->fed;
		say_file(k, k->eaten, source_result(k->source, 0));
	}
	/* While one table is on its way the next one waits in the socket. */
	while (!k->next.at && (got = control_recv(k->control, source_is_hungry(k->source) ? HUNGRY_MS : 0, &m)) != 0) {
		if (got < 0 || m.kind == CONTROL_STOP)
			return 1;
		if (m.kind == CONTROL_POLICY && m.fd >= 0) {
			take_policy(k, m.fd, m.number);
		} else if (m.kind == CONTROL_KEPT && m.fd < 0) {
			engine_policy_kept(k->engine, m.text);
		} else if (m.kind == CONTROL_INPUT && m.fd >= 0 && source_is_hungry(k->source)) {
			source_feed(k->source, m.fd);
			k->fed = m.number;
		}
		else if (m.fd >= 0)
			(void)close(m.fd);
	}
	return 0;
}

#ifdef SPANWARD_PLANT
static void planted(const struct session_config *c)
{
	if (c->plant && (!strcmp(c->plant, "open") || !strcmp(c->plant, "counted-open")))
		(void)open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	if (c->plant && !strcmp(c->plant, "overread")) {
		volatile char *volatile block = malloc(16);
		volatile size_t n = 16;
		if (block && block[n])
			block[0] = 1;
	}
	if (c->plant && (!strcmp(c->plant, "socket") || !strcmp(c->plant, "counted-open")))
		(void)socket(AF_INET, SOCK_STREAM, 0);
}
#endif

static void engine_signals(void)
{
	/* The parent decides what a signal to the group means; we hear of it at a batch boundary. */
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2 };
	struct sigaction a = { .sa_handler = SIG_IGN };
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)sigaction(ignored[i], &a, NULL);
	a.sa_handler = SIG_DFL;
	(void)sigaction(SIGCHLD, &a, NULL);
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void report_files(struct child *k)
{
	for (size_t i = 0; k->c->n_files && i < source_files(k->source); i++) {
		const struct source_file_result *r = source_result(k->source, i);
		if (!r->err)
			continue;
		say_file(k, i + 1, r);
		break;                  /* the first one decides; the ring has them all */
	}
}

static _Noreturn void engine_main(struct child *k, const struct sandbox *box, pid_t parent, const int *fds, size_t n_fds,
	struct source *live)
{
	unsigned bits = 0;
	int err = 0;
	engine_signals();
	(void)prctl(PR_SET_NAME, "spanward-engine", 0, 0, 0);
	if (box) {
		int keep[SANDBOX_MAX_KEEP];
		if (n_fds >= SANDBOX_MAX_KEEP)
			fail(k, -E2BIG, "descriptors for the sandbox");
		if (n_fds)
			memcpy(keep, fds, n_fds * sizeof(keep[0]));
		keep[n_fds] = k->control;
		err = sandbox_enter(box, parent, keep, n_fds + 1, &bits);
		if (err)
			fail(k, err, "entering the sandbox");
	} else {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != parent)
			_exit(ERR_EXIT_FAILURE);
	}
	k->engine = engine_new(&k->c->engine);
	if (!k->engine)
		fail(k, -ENOMEM, "memory for the engine's tables");
	for (struct control m = { 0 }; m.kind != CONTROL_GO;) {
		int got = control_recv(k->control, 1000, &m);
		if (got < 0)
			fail(k, got, "waiting for the policy");
		if (got && m.kind == CONTROL_POLICY && m.fd >= 0)
			take_policy(k, m.fd, m.number);
	}
	err = engine_start(k->engine);
	if (err)
		fail(k, err, "starting threads");
	k->source = live ? live : k->c->follow ? source_open_feed() : source_open_files(fds, n_fds);
	if (!k->source)
		fail(k, -ENOMEM, "memory for reading capture files");
	if (box) {
		err = sandbox_tighten(box);
		if (err)
			fail(k, err, "closing the sandbox");
	}
#ifdef SPANWARD_PLANT
	planted(k->c);
#endif
	char text[SANDBOX_TEXT];
	say(k->control, CONTROL_READY, bits, 0, sandbox_text(bits, text));
	err = engine_run(k->engine, k->source, k->ring, between_batches, k);
	settle_policy(k);
	report_files(k);
	if (err && err != -EPIPE)
		fail(k, err, "reading packets");
	say(k->control, CONTROL_DONE, 0, err, "");
	ring_done(k->ring);
	/* Neither threads nor tables are taken down: nothing of ours may run any more, and the kernel is faster. */
	_exit(ERR_EXIT_OK);
}

/* ---- in the parent ---- */

/* Descriptors 0 to 2 are replaced in the engine, so what it is to keep must be above. */
static int above_standard(int fd)
{
	if (fd < 0 || fd > 2)
		return fd;
	int up = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	(void)close(fd);
	return up;
}

static int open_file(const char *name, int *ret, char why[static 256])
{
	int fd;
	struct stat st;
	char shown[ESCAPE_NAME], near[NEAR_TEXT];
	bool piped = !strcmp(name, "-");
	(void)escape_name(piped ? "standard input" : name, shown);
	if (piped)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = above_standard(open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY));
	if (fd < 0) {
		int err = -errno;
		(void)near_file(piped ? "" : name, near);
		const char *advice = err == -EACCES ? "; ask for the right to read it" :
			err == -ENOENT && !near[0] ? "; check the name" : near;
		(void)snprintf(why, 256, "%s: cannot be read: %.40s%.60s", shown, err_text(err), advice);
		return err;
	}
	int err = fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : 0;
	if (err) {
		(void)close(fd);
		if (err == -EISDIR)
			(void)snprintf(why, 256, "%s: is a directory; name the capture files in it (.../*.pcap)", shown);
		else
			(void)snprintf(why, 256, "%s: cannot be read: %s", shown, err_text(err));
		return err;
	}
	*ret = fd;
	return 0;
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
}

/* A table in memory that nobody can change any more, neither the engine nor we. */
static int seal(const struct policy *p, int *ret)
{
	int fd = above_standard(memfd_create("spanward-policy", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	if (fd < 0)
		return -errno;
	const uint8_t *at = (const uint8_t *)p;
	size_t left = policy_size(p);
	int err = 0;
	while (left && !err) {
		ssize_t n = write(fd, at, left);
		if (n > 0) {
			at += n;
			left -= (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			err = n == 0 ? -EIO : -errno;
		}
	}
	if (!err && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		err = -errno;
	if (err) {
		(void)close(fd);
		return err;
	}
	*ret = fd;
	return 0;
}

static int send_policy(struct session *s, const struct policy *p)
{
	struct control m = { .kind = CONTROL_POLICY, .number = s->sent + 1 };
	int err = seal(p, &m.fd);
	if (err)
		return err;
	err = control_send(s->control, &m);
	(void)close(m.fd);
	if (!err)
		s->sent++;
	return err;
}

static size_t open_descriptors(bool open_now[static MAX_FDS])
{
	size_t n = 0;
	for (int fd = 3; fd < MAX_FDS; fd++)
		if ((open_now[fd] = fcntl(fd, F_GETFD) >= 0))
			n++;
	return n;
}

/* Opens capture files or interfaces. *fds get what the engine is to keep; *live a source for interfaces. */
static int open_input(const struct session_config *c, int *fds, size_t *n_fds, struct source **live, char why[static 256])
{
	if (c->follow) {
		*n_fds = 0;
		return 0;
	}
	if (!c->n_interfaces) {
		if (!c->n_files || c->n_files > SOURCE_MAX_FILES) {
			(void)snprintf(why, 256, "1 to %d capture files", SOURCE_MAX_FILES);
			return -EINVAL;
		}
		for (*n_fds = 0; *n_fds < c->n_files; (*n_fds)++) {
			int err = open_file(c->files[*n_fds], &fds[*n_fds], why);
			if (err)
				return err;
		}
		return 0;
	}
	/* The capture library opens more than its socket (an eventfd to be woken by) and does not say what. */
	static const size_t most = SANDBOX_MAX_KEEP - 1;
	bool before[MAX_FDS], after[MAX_FDS];
	(void)open_descriptors(before);
	int err = source_open_live(c->interfaces, c->n_interfaces, &c->live, live, why);
	if (err)
		return err;
	(void)open_descriptors(after);
	*n_fds = 0;
	for (int fd = 3; fd < MAX_FDS && *n_fds < most; fd++)
		if (after[fd] && !before[fd])
			fds[(*n_fds)++] = fd;
	return 0;
}

static void note(struct session *s, const struct control *m)
{
	switch (m->kind) {
	case CONTROL_READY:
		s->sandbox = (unsigned)m->number;
		break;
	case CONTROL_ADOPTED:
		s->adopted = m->number;
		break;
	case CONTROL_REFUSED:
		s->refused = m->number;
		break;
	case CONTROL_FILE:
		if (s->follow) {
			s->hungry = s->ate = true;
			s->fed_packets = m->count;
			s->fed_err = m->err;
			(void)snprintf(s->bad_why, sizeof(s->bad_why), "%s", m->text);
			break;
		}
		if (s->bad_file || m->number > SOURCE_MAX_FILES)
			break;
		s->bad_file = (uint32_t)m->number;
		s->bad_err = m->err;
		(void)snprintf(s->bad_why, sizeof(s->bad_why), "%s", m->text);
		break;
	case CONTROL_FAILED:
		s->err = m->err < 0 ? m->err : -EIO;
		(void)snprintf(s->why, sizeof(s->why), "the engine stopped at %s: %s", m->text, err_text(s->err));
		break;
	case CONTROL_DONE:
		s->done = true;
		break;
	default:
		break;          /* an engine that talks nonsense is judged by how it ends */
	}
}

static void ended(struct session *s, int status)
{
	s->running = false;
	ring_done(s->ring);
	struct control m;
	while (control_recv(s->control, 0, &m) == 1) {
		if (m.fd >= 0)
			(void)close(m.fd);
		note(s, &m);
	}
	if (WIFSIGNALED(status)) {
		s->signal = WTERMSIG(status);
		s->err = -ECHILD;
		if (s->signal == SIGSYS)
			(void)snprintf(s->why, sizeof(s->why), "the engine was killed by its sandbox (SIGSYS): it made a system call "
			               "that it has no business with; this is a fault or an attack: keep the capture and report it");
		else
			(void)snprintf(s->why, sizeof(s->why), "the engine was killed by signal %d (%s)", s->signal, strsignal(s->signal));
	} else if (!s->err && (WEXITSTATUS(status) != 0 || !s->done)) {
		s->err = -ECHILD;
		(void)snprintf(s->why, sizeof(s->why), "the engine ended with status %d without a word", WEXITSTATUS(status));
	}
}

/* Takes what the engine has said and looks whether it lives. */
static void attend(struct session *s, unsigned wait_ms)
{
	struct control m;
	int got, status;
	while ((got = control_recv(s->control, wait_ms, &m)) == 1) {
		if (m.fd >= 0)
			(void)close(m.fd);
		note(s, &m);
		wait_ms = 0;
	}
	/* Its end closes the socket just before it can be waited for; anything else on it means no good. */
	if (got < 0 && got != -EPIPE)
		(void)kill(s->pid, SIGKILL);
	pid_t w = waitpid(s->pid, &status, got < 0 ? 0 : WNOHANG);
	if (w == s->pid)
		ended(s, status);
}

bool session_attend(struct session *s, unsigned wait_ms)
{
	if (s->running)
		attend(s, wait_ms);
	return s->running;
}

int session_get(struct session *s, unsigned wait_ms, enum ring_kind *kind, void *mem, size_t *n)
{
	int got = ring_get(s->ring, wait_ms, kind, mem, n);
	if (got == 0)
		(void)session_attend(s, 0);
	return got;
}

/* Why a policy was not taken, for the event: the first fault, its file without directories. */
static void tell_kept(struct session *s, int err, const struct conf_report *rep)
{
	struct control m = { .kind = CONTROL_KEPT, .fd = -1 };
	const struct conf_error *e = &rep->v[0];
	const char *base = rep->n ? strrchr(e->file, '/') : NULL;
	char more[48] = "", line[32] = "", text[CONTROL_TEXT * 2];
	if (rep->total > 1)
		(void)snprintf(more, sizeof(more), " (and %zu more)", rep->total - 1);
	if (rep->n && e->line)
		(void)snprintf(line, sizeof(line), ":%u:%u", e->line, e->column);
	if (rep->n)
		(void)snprintf(text, sizeof(text), "%.40s%s: %.90s%s", base ? base + 1 : e->file, line, e->what, more);
	else
		(void)snprintf(text, sizeof(text), "%s", err_text(err));
	(void)snprintf(m.text, sizeof(m.text), "%.*s", CONTROL_TEXT - 1, text);
	/* Cut inside of a character, it would not be text. */
	for (size_t n = strlen(m.text); n && !utf8_valid(span_str(m.text));)
		m.text[--n] = '\0';
	(void)control_send(s->control, &m);
}

static int begin(struct session *s, const struct session_config *c, struct conf_report *rep, char why[static 256])
{
	int fds[SANDBOX_MAX_KEEP], pair[2] = { -1, -1 };
	size_t n_fds = 0;
	struct source *live = NULL;
	struct sandbox *box = NULL;
	const char *at = "";
	int err, kept = 0;
	if (c->policy_dir) {
		err = policy_compile_dir(c->policy_dir, &s->policy, rep);
		kept = err && c->last_good ? err : 0;
		if (kept) {
			s->policy = malloc(policy_size(c->last_good));
			if (s->policy)
				memcpy(s->policy, c->last_good, policy_size(c->last_good));
			err = s->policy ? 0 : -ENOMEM;
		}
		if (err) {
			(void)snprintf(why, 256, "policy %s: %s", c->policy_dir, err_text(err));
			/* A directory that is not there is the operator's configuration, not the input. */
			return err == -ENOENT || err == -ENOTDIR ? ERR_CONFIG : err;
		}
		s->policy_dir = strdup(c->policy_dir);
		if (!s->policy_dir)
			return -ENOMEM;
	}
	why[0] = '\0';
	err = open_input(c, fds, &n_fds, &live, why);
	if (err)
		goto out;
	at = "shared memory";
	err = ring_new(c->ring_bytes ? c->ring_bytes : RING_DEFAULT, &s->ring);
	if (err)
		goto out;
	at = "the control socket";
	err = control_pair(pair);
	if (err)
		goto out;
	s->control = pair[0];
	pair[1] = above_standard(pair[1]);
	at = "the sandbox's filters";
	if (!c->no_sandbox) {
		sandbox_count(c->plant && !strncmp(c->plant, "counted-", 8));
		err = sandbox_new(live ? SANDBOX_ENGINE_LIVE : SANDBOX_ENGINE_FILES, pair[1], false, &box);
		if (err)
			goto out;
	}
	/* Both wait in the socket until the engine looks. */
	at = "handing over the policy";
	if (s->policy)
		err = send_policy(s, s->policy);
	if (!err)
		err = control_send(s->control, &(struct control){ .kind = CONTROL_GO, .fd = -1 });
	if (err)
		goto out;
	at = "starting the engine process";
	pid_t parent = getpid();
	(void)fflush(NULL);
	s->pid = fork();
	if (s->pid == 0) {
		(void)close(s->control);
		struct child k = { .c = c, .ring = s->ring, .control = pair[1] };
		engine_main(&k, box, parent, fds, n_fds, live);
	}
	if (s->pid < 0)
		err = -errno;
	else
		s->running = true;
	if (!err && kept)
		tell_kept(s, kept, rep);
out:
	if (err && !why[0])
		(void)snprintf(why, 256, "%s: %s", at, err_text(err));
	sandbox_free(box);
	if (pair[1] >= 0)
		(void)close(pair[1]);
	/* The engine has its own copies; the parent keeps no packet handle. */
	if (live)
		source_close(live);
	else
		close_all(fds, n_fds);
	return err;
}

int session_start(const struct session_config *c, struct session **ret, struct conf_report *rep, char why[static 256])
{
	struct session *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->control = -1;
	s->follow = s->hungry = c->follow;
	struct engine_config tables = c->engine;
	int err = c->engine.memory ? engine_budget(&tables, c->engine.memory) : 0;
	if (err) {
		(void)snprintf(why, 256, "%zu MiB of memory are too few for the smallest tables with %u workers", c->engine.memory >> 20,
			       c->engine.workers);
		err = -EINVAL;
	}
	if (!err)
		err = begin(s, c, rep, why);
	struct control m = { 0 };
	while (!err && s->running && m.kind != CONTROL_READY) {
		int got = control_recv(s->control, 1000, &m);
		if (got == 1) {
			if (m.fd >= 0)
				(void)close(m.fd);
			note(s, &m);
		} else {
			attend(s, 0);
		}
	}
	/* An engine may be through with a short file before we look; it has failed only if it says so or died. */
	if (!err && !s->running && s->err) {
		err = s->err;
		(void)snprintf(why, 256, "%s", s->why);
	}
	if (err) {
		session_free(s);
		return err;
	}
	*ret = s;
	return 0;
}

struct ring *session_ring(struct session *s) { return s->ring; }
pid_t session_engine_pid(const struct session *s) { return s->pid; }
unsigned session_sandbox(const struct session *s) { return s->sandbox; }
const struct policy *session_policy(const struct session *s) { return s->policy; }

struct policy *session_take_policy(struct session *s)
{
	struct policy *p = s->policy;
	s->policy = NULL;
	return p;
}

uint64_t session_generation(const struct session *s, uint64_t *ret_refused)
{
	*ret_refused = s->refused;
	return s->adopted;
}

/* What is wrong with the directory as a whole, added to the report. */
static void fault(struct session *s, struct conf_report *rep, const char *what, const char *lost)
{
	char name[ESCAPE_NAME];
	rep->total++;
	if (rep->n == CONF_MAX_ERRORS)
		return;
	struct conf_error *e = &rep->v[rep->n++];
	*e = (struct conf_error){ 0 };
	(void)snprintf(e->file, sizeof(e->file), "%s", escape_name(s->policy_dir, name));
	(void)snprintf(e->what, sizeof(e->what), what, lost);
}

/* -EAGAIN while somebody writes. */
static int read_again(struct session *s, struct policy **ret, struct conf_report *rep)
{
	struct policy_reload_state before, after;
	struct conf_report found = { 0 };
	struct policy *p = NULL;
	int err = policy_reload_state(s->policy_dir, &before), state_err;
	uint64_t now = clock_now_ns();
	if (!err && now > before.changed_ns && now - before.changed_ns < POLICY_RELOAD_REST_NS)
		return -EAGAIN;
	err = policy_compile_dir(s->policy_dir, &p, &found);
	state_err = policy_reload_state(s->policy_dir, &after);
	if (!state_err && (before.hash != after.hash || before.changed_ns != after.changed_ns)) {
		free(p);
		return -EAGAIN;
	}
	const char *lost = p && s->policy ? policy_reload_loses(s->policy, p) : NULL;
	*rep = found;
	if (lost) {
		fault(s, rep, "has no %s any more, which the policy in force has: is a file missing? If that is meant, start anew", lost);
		free(p);
		return ERR_CONFIG;
	}
	if (!err)
		*ret = p;
	return err;
}

int session_reload(struct session *s, struct conf_report *rep)
{
	struct policy *p = NULL;
	if (!s->policy_dir)
		return -ENOENT;
	uint64_t now = clock_mono_ns();
	s->reload_ns = s->reload_ns ? s->reload_ns : now;
	int err = read_again(s, &p, rep);
	if (err == -EAGAIN && now - s->reload_ns < RELOAD_S * CLOCK_SECOND)
		return err;
	if (err == -EAGAIN) {
		fault(s, rep, "is written to all the time%s: nothing was read", "");
		err = ERR_CONFIG;
	}
	if (!err)
		err = send_policy(s, p);
	if (err == -EAGAIN && now - s->reload_ns < RELOAD_S * CLOCK_SECOND) {
		free(p);
		return err;     /* the engine does not attend at the moment */
	}
	s->reload_ns = 0;
	if (err) {
		free(p);
		tell_kept(s, err, rep);
		return err;
	}
	free(s->policy);
	s->policy = p;
	return 0;
}

void session_stop(struct session *s)
{
	(void)control_send(s->control, &(struct control){ .kind = CONTROL_STOP, .fd = -1 });
}

bool session_is_hungry(const struct session *s) { return s->hungry && s->running; }

int session_feed(struct session *s, int fd)
{
	int err = control_send(s->control, &(struct control){ .kind = CONTROL_INPUT, .number = s->fed + 1, .fd = fd });
	if (err)
		return err;
	s->fed++;
	s->hungry = false;
	return 0;
}

bool session_fed(struct session *s, uint64_t *ret_packets, int *ret_err, char why[static 256])
{
	if (!s->ate)
		return false;
	s->ate = false;
	*ret_packets = s->fed_packets;
	*ret_err = s->fed_err;
	(void)snprintf(why, 256, "%s", s->bad_why);
	return true;
}

int session_wait(struct session *s, int *ret_signal, char why[static 256])
{
	while (s->running)
		attend(s, 1000);
	*ret_signal = s->signal;
	if (s->err)
		(void)snprintf(why, 256, "%s", s->why);
	return s->err;
}

uint32_t session_bad_file(const struct session *s, int *ret_err, char why[static 256])
{
	*ret_err = s->bad_err;
	(void)snprintf(why, 256, "%s", s->bad_why);
	return s->bad_file;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	if (s->running) {
		(void)kill(s->pid, SIGKILL);
		(void)waitpid(s->pid, NULL, 0);
	}
	if (s->control >= 0)
		(void)close(s->control);
	ring_free(s->ring);
	free(s->policy);
	free(s->policy_dir);
	free(s);
}
