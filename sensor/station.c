#include "sensor/station.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "sensor/follow.h"
#include "sensor/links.h"
#include "sensor/publisher.h"
#include "sensor/sandbox.h"
#include "sensor/vitals.h"

enum {
	WINDOW_DEFAULT = 32 << 20,      /* about 100,000 events while the collector is away */
	STOP_GRACE_S = 10,              /* an engine that waits for a file that never ends cannot be asked */
	PUBLISHER_GRACE_S = 5,          /* beyond the linger time */
	LINKS_MS = 1000,                /* between looks at the interfaces: three system calls each */
	REOPEN_MS = 500,                /* between attempts to open interfaces that are not there */
	DROPS_S = 60,                   /* a line a minute at most about packets that were lost */
};

/* Set by signals alone; the one thing a handler may do. */
static volatile sig_atomic_t station_reload, station_stops;
static volatile int station_publisher_stop;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		station_reload = 1;
	else if (sig != SIGCHLD)
		station_stops++;
}

static void on_publisher_signal(int sig)
{
	(void)sig;
	station_publisher_stop = 1;
}

static void handle(int sig, void (*f)(int))
{
	/* No SA_RESTART: a signal ends a wait, so that it is acted on at once. */
	struct sigaction a = { .sa_handler = f };
	(void)sigemptyset(&a.sa_mask);
	(void)sigaction(sig, &a, NULL);
}

void station_log_report(const struct conf_report *rep)
{
	for (size_t i = 0; i < rep->n; i++)
		if (rep->v[i].line)
			log_error("%s:%u:%u: %s", rep->v[i].file, rep->v[i].line, rep->v[i].column, rep->v[i].what);
		else
			log_error("%s: %s", rep->v[i].file, rep->v[i].what);
	if (rep->total > rep->n)
		log_error("and %zu more", rep->total - rep->n);
}

static _Noreturn void publisher_main(const struct station_config *c, struct ring *ring, const struct sandbox *box, pid_t parent)
{
	/* The parent decides what a signal to the whole group means; USR1 is how it says so. */
	handle(SIGINT, SIG_IGN);
	handle(SIGTERM, SIG_IGN);
	handle(SIGHUP, SIG_IGN);
	handle(SIGCHLD, SIG_DFL);
	handle(SIGUSR1, on_publisher_signal);
	(void)prctl(PR_SET_NAME, "spanward-publ", 0, 0, 0);
	int err = 0;
	unsigned bits = 0;
	if (box) {
		err = sandbox_enter(box, parent, NULL, 0, &bits);
		if (err) {
			log_error("publisher: cannot enter its sandbox: %s", err_text(err));
			_exit(ERR_EXIT_FAILURE);
		}
	} else {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	}
	const struct publisher_config p = {
		.endpoint = c->endpoint,
		.sensor = c->session.engine.sensor,
		.epoch = c->session.engine.epoch,
		.window_bytes = c->window_bytes ? c->window_bytes : WINDOW_DEFAULT,
		.linger_s = c->linger_s,
		.stop = &station_publisher_stop,
		.wait = !c->session.n_interfaces,
	};
	struct publisher_account a = { 0 };
	err = publisher_run(&p, ring, &a);
	ring_abandon(ring);
	unsigned long long pending = a.pending[0] + a.pending[1], dropped = a.dropped[0] + a.dropped[1];
	log_info("events made %llu, committed by the collector %llu, undelivered %llu, dropped %llu, invalid %llu",
	         (unsigned long long)(a.made[0] + a.made[1]), (unsigned long long)(a.committed[0] + a.committed[1]), pending,
	         dropped, (unsigned long long)a.invalid);
	if (err == -ETIMEDOUT)
		log_error("%llu events were not acknowledged within %u s: is a collector running at %s? (--linger waits longer)",
		          pending, c->linger_s, c->endpoint);
	else if (err == -EEXIST)
		log_error("the collector at %s has events of sensor %s, epoch %llu, that this one never made: does another sensor have the "
			  "same --sensor-id? If this run was repeated with the same --epoch, leave --epoch away", c->endpoint,
			  c->session.engine.sensor, (unsigned long long)c->session.engine.epoch);
	else if (err)
		log_error("publisher: %s: %s", c->endpoint, err_text(err));
	if (a.invalid)
		log_error("the engine put %llu records that are not events: a fault or an attack; keep the capture and report it",
		          (unsigned long long)a.invalid);
	_exit(err || a.invalid ? ERR_EXIT_FAILURE : ERR_EXIT_OK);
}

static int start_publisher(const struct station_config *c, struct session *s, pid_t *ret)
{
	struct sandbox *box = NULL;
	/* A socket in a directory of ours is reached as the user that made it. */
	bool keep_user = !strncmp(c->endpoint, "ipc://", 6);
	if (!c->session.no_sandbox) {
		int err = sandbox_new(SANDBOX_PUBLISHER, -1, keep_user, &box);
		if (err)
			return err;
	}
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		publisher_main(c, session_ring(s), box, parent);
	int err = pid < 0 ? -errno : 0;
	sandbox_free(box);
	if (!err)
		*ret = pid;
	return err;
}

/* True when it is done, with whatever end. */
static bool reload(struct session *s)
{
	struct conf_report rep = { 0 };
	int err = session_reload(s, &rep);
	if (err == -EAGAIN)
		return false;
	if (!err) {
		log_info("policy read again; the engine takes it at its next batch");
		return true;
	}
	station_log_report(&rep);
	if (err == -ENOENT && !rep.n)
		log_warn("SIGHUP: there is no policy to read again (start with --policy DIR)");
	else
		log_error("the new policy was not taken (%s); the old one stays in force", err_text(err));
	return true;
}

static void log_generation(const struct session *s, uint64_t *seen, uint64_t *seen_refused)
{
	uint64_t refused, now = session_generation(s, &refused);
	if (now != *seen)
		log_info("policy generation %llu is in force", (unsigned long long)now);
	if (refused != *seen_refused)
		log_error("the engine refused policy generation %llu; the old one stays in force", (unsigned long long)refused);
	*seen = now;
	*seen_refused = refused;
}

/* True once when `since` (0: not yet begun, then it begins) is more than `s` seconds ago. */
static bool overdue(uint64_t *since, unsigned s)
{
	if (!*since)
		*since = clock_mono_ns();
	return clock_mono_ns() - *since > s * CLOCK_SECOND;
}

/* What is true of a whole run, whatever number of engines it takes. */
struct station {
	const struct station_config *c;
	struct session_config session;  /* of the engine at hand */
	struct links links;
	bool again;                     /* the engine was stopped to be started anew */
	uint64_t looked_ns, told_ns, told_drops;
	uint64_t decided_ns;            /* when decisions.yaml was looked at last */
	struct stat decided;            /* how it was; zeroed: not there */
	struct stat policy;             /* the directory itself, which may be a link to a generation (spanward bundle) */
	struct follow *follow;          /* NULL: no directory */
	char file[FOLLOW_NAME];         /* the file at hand */
	uint64_t files, bad_files;
	struct vitals *vitals;          /* NULL: none are kept */
	uint64_t vitals_ns;
	int vitals_err;                 /* that was said last */
	struct ring_progress before;    /* sums of the engines that have ended */
};

/* Packets and losses of all engines so far. */
static struct ring_progress so_far(const struct station *t, struct session *s)
{
	struct ring_progress p;
	ring_progress_get(session_ring(s), &p);
	p.packets += t->before.packets;
	p.kernel_drops += t->before.kernel_drops;
	p.interface_drops += t->before.interface_drops;
	return p;
}

/* Packets that were lost since the last word about them; once a minute, and at the end of an engine. */
static void tell_drops(struct station *t, struct session *s, uint64_t now, bool last)
{
	struct ring_progress p = so_far(t, s);
	uint64_t drops = p.kernel_drops + p.interface_drops;
	if (drops <= t->told_drops || (!last && t->told_ns && now - t->told_ns < DROPS_S * CLOCK_SECOND))
		return;
	log_warn("%llu packets were lost before they could be read (%llu of %llu dropped by the kernel); a larger --buffer or fewer "
		 "packets help", (unsigned long long)(drops - t->told_drops), (unsigned long long)p.kernel_drops,
		 (unsigned long long)(p.packets + p.kernel_drops));
	t->told_ns = now;
	t->told_drops = drops;
}

/* Writes the metrics when it is time, and at the end of an engine. */
static void keep_vitals(struct station *t, struct session *s, bool up)
{
	uint64_t now = clock_mono_ns();
	if (!t->vitals || (up && t->vitals_ns && now - t->vitals_ns < t->c->metrics_s * CLOCK_SECOND))
		return;
	const struct vitals_config v = {
		.path = t->c->metrics, .sensor = t->session.engine.sensor, .epoch = t->session.engine.epoch,
		.restarts = t->session.engine.restarts, .sandbox = session_sandbox(s), .no_sandbox = t->session.no_sandbox,
		.up = up, .sources = t->follow ? &t->c->follow : t->c->session.n_interfaces ? t->c->session.interfaces :
			t->c->session.files,
		.n_sources = t->follow ? 1 : t->c->session.n_interfaces ? t->c->session.n_interfaces : t->c->session.n_files,
	};
	int err = vitals_write(t->vitals, &v, session_ring(s));
	if (err == -EAGAIN)
		return;         /* an engine that has just begun: at the next look */
	t->vitals_ns = now;
	if (err && err != t->vitals_err)
		log_error("the metrics cannot be written: %s: %s", t->c->metrics, err_text(err));
	t->vitals_err = err;
}

/* Live: tells of losses while they happen, and stops the engine when an interface that it holds is not that of its name
 * any more. */
static void look(struct station *t, struct session *s, bool *asked)
{
	uint64_t now = clock_mono_ns();
	if (!t->links.n || now - t->looked_ns < LINKS_MS * UINT64_C(1000000))
		return;
	t->looked_ns = now;
	tell_drops(t, s, now, false);
	char text[LINKS_TEXT];
	enum links_news news;
	while ((news = links_look(&t->links, text)) != LINKS_SAME) {
		log_warn("%s", text);
		if (news == LINKS_REPLACED && !*asked) {
			session_stop(s);
			t->again = *asked = true;
		}
	}
}

/* What commands decided (spanward device, window, accept) was checked by them and is put in place whole: nobody need send a signal. */
static void look_for_decisions(struct station *t)
{
	char path[4096];
	struct stat st = { 0 }, dir = { 0 };
	uint64_t now = clock_mono_ns();
	if (!t->c->session.policy_dir || (t->decided_ns && now - t->decided_ns < LINKS_MS * UINT64_C(1000000)))
		return;
	if (snprintf(path, sizeof(path), "%s/decisions.yaml", t->c->session.policy_dir) >= (int)sizeof(path) || stat(path, &st))
		st = (struct stat){ 0 };
	bool same = st.st_ino == t->decided.st_ino && st.st_mtim.tv_sec == t->decided.st_mtim.tv_sec &&
		    st.st_mtim.tv_nsec == t->decided.st_mtim.tv_nsec && st.st_size == t->decided.st_size;
	/* A directory that is not there for a moment is no other one. */
	if (stat(t->c->session.policy_dir, &dir))
		dir = t->policy;
	bool moved = dir.st_ino != t->policy.st_ino || dir.st_dev != t->policy.st_dev;
	if (t->decided_ns && (!same || moved)) {
		log_info(moved ? "another policy was put in force" : "decisions.yaml has changed");
		station_reload = 1;
	}
	t->policy = dir;
	t->decided_ns = now;
	t->decided = st;
}

/* A directory: how the last file ended, and the next one. */
static void follow_on(struct station *t, struct session *s, bool asked)
{
	uint64_t packets = 0;
	int err = 0, fd = -1;
	char why[256] = "";
	if (!t->follow)
		return;
	if (session_fed(s, &packets, &err, why)) {
		t->files++;
		t->bad_files += err != 0;
		if (err)
			log_error("%s/%s: %s%s%s; %llu packets were read before that", t->c->follow, t->file, err_text(err),
				  why[0] ? ": " : "", why, (unsigned long long)packets);
		else
			log_info("%s/%s: %llu packets", t->c->follow, t->file, (unsigned long long)packets);
	}
	if (asked || !session_is_hungry(s) || follow_next(t->follow, &fd, t->file) != 1)
		return;
	err = session_feed(s, fd);
	(void)close(fd);
	if (err)
		log_error("%s/%s: cannot be handed to the engine: %s", t->c->follow, t->file, err_text(err));
}

/* Both children until both have ended. */
static int supervise(struct station *t, struct session *s, pid_t publisher)
{
	const struct station_config *c = t->c;
	int code = ERR_EXIT_OK, status;
	uint64_t stop_since = 0, end_since = 0, generation = 0, refused = 0;
	bool engine = true, asked = false, told = false;
	while (engine || publisher) {
		if (engine)
			engine = session_attend(s, 200);
		else
			(void)poll(NULL, 0, 50);
		log_generation(s, &generation, &refused);
		if (engine) {
			look(t, s, &asked);
			keep_vitals(t, s, true);
			follow_on(t, s, asked);
		}
		look_for_decisions(t);
		if (station_reload) {
			station_reload = 0;
			if (!reload(s))
				station_reload = 1;
		}
		if (station_stops && engine && (!asked || t->again)) {
			log_info("stopping");
			session_stop(s);
			asked = true;
			t->again = false;
		}
		if (engine && asked && (station_stops > 1 || overdue(&stop_since, STOP_GRACE_S))) {
			log_warn("the engine did not stop in time and is killed; what it was about to say is lost");
			(void)kill(session_engine_pid(s), SIGKILL);
			stop_since = clock_mono_ns();
		}
		/* Without an engine a publisher has its linger time, then less: it may hang in a library. */
		if (!engine && publisher && (station_stops > 1 || overdue(&end_since, c->linger_s + PUBLISHER_GRACE_S))) {
			(void)kill(publisher, told ? SIGKILL : SIGUSR1);
			told = true;
			end_since = clock_mono_ns();
		}
		if (publisher && waitpid(publisher, &status, WNOHANG) == publisher) {
			publisher = 0;
			if (!WIFEXITED(status) || WEXITSTATUS(status)) {
				code = ERR_EXIT_FAILURE;
				if (WIFSIGNALED(status))
					log_error("the publisher was killed by signal %d (%s)", WTERMSIG(status),
					          strsignal(WTERMSIG(status)));
			}
			/* Nobody takes events any more: watching on would be pretence. */
			ring_abandon(session_ring(s));
			if (engine)
				session_stop(s);
			asked = true;
		}
	}
	int sig = 0, err, bad;
	char why[256] = "";
	err = session_wait(s, &sig, why);
	if (err) {
		log_error("%s", why);
		return err == -ECHILD ? ERR_EXIT_FAILURE : (int)err_exit_code(err);
	}
	uint32_t file = session_bad_file(s, &bad, why);
	if (file && c->session.n_files >= file) {
		log_error("%s: %s: %s", c->session.files[file - 1], err_text(bad), why);
		return code ? code : ERR_EXIT_INPUT;
	}
	return code;
}

/* One engine and its publisher, from start to end. */
static int run_once(struct station *t, struct session *s)
{
	const struct station_config *c = t->c;
	char text[SANDBOX_TEXT];
	if (c->session.no_sandbox)
		log_warn("engine %ld runs WITHOUT a sandbox (--no-sandbox)", (long)session_engine_pid(s));
	else
		log_info("engine %ld: %s", (long)session_engine_pid(s), sandbox_text(session_sandbox(s), text));
	pid_t publisher = 0;
	struct station_config now = *c;
	now.session.engine.epoch = t->session.engine.epoch;
	int err = start_publisher(&now, s, &publisher);
	if (err) {
		log_error("cannot start the publisher: %s", err_text(err));
		return ERR_EXIT_FAILURE;
	}
	log_info("sensor %s, epoch %llu, events to %s", c->session.engine.sensor,
		 (unsigned long long)now.session.engine.epoch, c->endpoint);
	int code = supervise(t, s, publisher);
	keep_vitals(t, s, false);
	if (t->links.n)
		tell_drops(t, s, clock_mono_ns(), true);
	t->before = so_far(t, s);
	return code;
}

/* Opens the interfaces again when those that were watched have gone. ERR_EXIT_OK with *ret, or with NULL when a signal came
 * first. */
static int reopen(struct station *t, struct session **ret)
{
	struct conf_report rep = { 0 };
	char why[256] = "";
	const char *names[LINKS_MAX];
	bool told = false;
	for (*ret = NULL; !station_stops; (void)poll(NULL, 0, REOPEN_MS)) {
		uint64_t epoch = clock_now_ns() / 1000;
		t->session.engine.epoch = epoch > t->session.engine.epoch ? epoch : t->session.engine.epoch + 1;
		links_names(&t->links, names);
		t->session.interfaces = names;
		rep.n = rep.total = 0;
		int err = session_start(&t->session, ret, &rep, why);
		t->session.interfaces = NULL;
		if (!err) {
			links_note(&t->links, names);
			if (rep.total) {
				station_log_report(&rep);
				log_error("the policy is judged by as it was before: its files are wrong now");
			}
			log_info("watching again; flows that were open before are forgotten");
			return ERR_EXIT_OK;
		}
		if (err != -ENODEV && err != -ENETDOWN) {
			station_log_report(&rep);
			log_error("%s", why);
			return (int)err_exit_code(err);
		}
		if (!told)
			log_warn("%.160s; waiting for it", why);
		told = true;
	}
	return ERR_EXIT_OK;
}

int station_run(const struct station_config *c)
{
	struct station t = { .c = c, .session = c->session };
	struct session *s = NULL;
	struct conf_report rep = { 0 };
	char why[256] = "";
	int err;
	station_reload = 0;
	station_stops = 0;
	handle(SIGHUP, on_signal);
	handle(SIGTERM, on_signal);
	handle(SIGINT, on_signal);
	handle(SIGCHLD, on_signal);
	handle(SIGPIPE, SIG_IGN);
	/* Before the engine, so that it does not begin for nothing; it keeps no descriptor of it. */
	err = c->follow ? follow_open(c->follow, &t.follow, why) : 0;
	if (err) {
		log_error("%s", why);
		return err == -ENOENT || err == -ENOTDIR ? ERR_EXIT_USAGE : (int)err_exit_code(err);
	}
	t.session.engine.unsandboxed = c->session.no_sandbox;
	err = session_start(&t.session, &s, &rep, why);
	if (err) {
		station_log_report(&rep);
		/* What is wrong with a policy has been said, line by line. */
		if (!rep.total)
			log_error("%s", why);
		return err == -EINVAL ? ERR_EXIT_USAGE : (int)err_exit_code(err);
	}
	if (c->metrics && !(t.vitals = vitals_new()))
		log_error("no metrics are kept: %s", err_text(-ENOMEM));
	links_open(&t.links, c->session.interfaces, c->session.n_interfaces);
	if (t.links.n && c->session.live.filter)
		log_warn("only what passes the filter is watched (%s); what it leaves out is not counted", c->session.live.filter);
	struct policy *last_good = NULL;
	int code;
	for (;;) {
		code = run_once(&t, s);
		/* Files that are wrong when the interface comes back must not end what watched well before. */
		free(last_good);
		t.session.last_good = last_good = session_take_policy(s);
		session_free(s);
		s = NULL;
		/* A live engine ends of itself only when every interface has gone from under it. */
		if (!t.links.n || station_stops || code)
			break;
		t.again = false;
		t.session.engine.restarts++;
		code = reopen(&t, &s);
		if (code || !s)
			break;
	}
	if (t.links.n)
		log_info("packets read %llu, dropped by the kernel %llu, dropped by the interface %llu",
			 (unsigned long long)t.before.packets, (unsigned long long)t.before.kernel_drops,
			 (unsigned long long)t.before.interface_drops);
	if (t.follow)
		log_info("captures read %llu, of them %llu not to their end; packets %llu", (unsigned long long)t.files,
			 (unsigned long long)t.bad_files, (unsigned long long)t.before.packets);
	free(last_good);
	follow_free(t.follow);
	vitals_free(t.vitals);
	return code;
}
