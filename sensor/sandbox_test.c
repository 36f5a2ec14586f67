/* sandbox.c: each case runs in a child, which says by its end what it could do. */
#include "sensor/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/test.h"
#include "sensor/control.h"

#ifdef SPANWARD_SANITIZED
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { OK = 0, REFUSED = 40, WRONG = 41, SETUP = 42 };

struct probe {
	enum sandbox_role role;
	bool tight;
	int (*act)(const struct probe *p);      /* in the child: its exit status */
	int control, extra;                     /* kept descriptors */
	unsigned bits;
};

/* Exit status, or 1000 + signal. */
static int run(struct probe p)
{
	int pair[2], status;
	CU_ASSERT_EQUAL_FATAL(control_pair(pair), 0);
	p.control = pair[1];
	p.extra = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
	if (p.extra < 0)
		p.extra = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	struct sandbox *s = NULL;
	CU_ASSERT_EQUAL_FATAL(sandbox_new(p.role, p.control, false, &s), 0);
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		const int keep[] = { p.extra, p.control };
		int err = sandbox_enter(s, parent, keep, 2, &p.bits);
		if (!err && p.tight)
			err = sandbox_tighten(s);
		_exit(err ? SETUP : p.act(&p));
	}
	CU_ASSERT_FATAL(child > 0);
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	sandbox_free(s);
	(void)close(pair[0]);
	(void)close(pair[1]);
	(void)close(p.extra);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int reads_and_talks(const struct probe *p)
{
	char b[8];
	struct timespec t = { 0, 1000 };
	struct control m = { .kind = CONTROL_DONE, .fd = -1 };
	if (read(p->extra, b, 1) != 1 || clock_gettime(CLOCK_MONOTONIC, &t) || control_send(p->control, &m))
		return WRONG;
	void *at = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, p->extra, 0);
	if (at == MAP_FAILED || munmap(at, 1))
		return WRONG;
	if (control_recv(p->control, 1, &m) != 0)
		return WRONG;
	t = (struct timespec){ 0, 1000 };
	return nanosleep(&t, NULL) || close(p->extra) ? WRONG : OK;
}

static int opens(const struct probe *p)
{
	(void)p;
	int fd = open("/etc/passwd", O_RDONLY);
	return fd >= 0 ? WRONG : errno == EACCES ? REFUSED : SETUP;
}

static int makes_socket(const struct probe *p)
{
	(void)p;
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? WRONG : REFUSED;
}

static int makes_packet_socket(const struct probe *p)
{
	(void)p;
	return socket(AF_PACKET, SOCK_RAW, 0) >= 0 ? WRONG : REFUSED;
}

static int runs_a_program(const struct probe *p)
{
	(void)p;
	char *const argv[] = { "true", NULL };
	(void)execv("/bin/true", argv);
	return REFUSED;
}

static int forks(const struct probe *p)
{
	(void)p;
	return fork() >= 0 ? WRONG : REFUSED;
}

static int sends_elsewhere(const struct probe *p)
{
	struct control m = { .kind = CONTROL_DONE, .fd = -1 };
	return control_send(p->extra, &m) == 0 ? WRONG : REFUSED;
}

static int makes_code(const struct probe *p)
{
	(void)p;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ? WRONG : REFUSED;
}

static int is_dressed_down(const struct probe *p)
{
	struct rlimit l;
	for (int fd = 0; fd < 64; fd++) {
		bool open_now = fcntl(fd, F_GETFD) >= 0;
		if (open_now != (fd < 3 || fd == p->extra || fd == p->control))
			return 50 + fd;
	}
	if (getrlimit(RLIMIT_FSIZE, &l) || (l.rlim_max && !SANITIZED) || getrlimit(RLIMIT_CORE, &l) || l.rlim_max)
		return WRONG;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return WRONG;
	int sig = 0;
	if (prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0) || sig != SIGKILL)
		return WRONG;
	if (!(p->bits & SANDBOX_SECCOMP) || !(p->bits & SANDBOX_NO_CAPS))
		return WRONG;
	return OK;
}

static void *nothing(void *arg) { return arg; }

static int starts_a_thread(const struct probe *p)
{
	(void)p;
	pthread_t t;
	void *mem = malloc(8 << 20);
	if (!mem || pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL))
		return WRONG;
	free(mem);
	return OK;
}

static int publishes(const struct probe *p)
{
	(void)p;
	/* To a port of our own that nobody listens on: the refusal proves that the way is open. */
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 && errno != ECONNREFUSED))
		return WRONG;
	return OK;
}

static int writes_a_file(const struct probe *p)
{
	int fd = open("/tmp/spanward-sandbox-test", O_WRONLY | O_CREAT, 0600);
	if (fd >= 0)
		(void)unlink("/tmp/spanward-sandbox-test");
	return fd >= 0 ? WRONG : p->bits & SANDBOX_LANDLOCK ? REFUSED : SETUP;
}

static const enum sandbox_role both[] = { SANDBOX_ENGINE_FILES, SANDBOX_ENGINE_LIVE };
enum { KILLED = 1000 + SIGSYS };

static void engine_can_read_and_talk(void)
{
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(run((struct probe){ .role = both[i], .tight = true, .act = reads_and_talks }), OK);
		CU_ASSERT_EQUAL(run((struct probe){ .role = both[i], .tight = false, .act = reads_and_talks }), OK);
	}
}

static void engine_is_killed_for_open(void)
{
	/* Live capture: libpcap tries in places, so it is a plain no there. */
	CU_ASSERT_EQUAL(run((struct probe){ .role = SANDBOX_ENGINE_FILES, .tight = true, .act = opens }), SANITIZED ? REFUSED : KILLED);
	CU_ASSERT_EQUAL(run((struct probe){ .role = SANDBOX_ENGINE_LIVE, .tight = true, .act = opens }), REFUSED);
}

static void engine_is_killed_for_the_rest(void)
{
	int (*const acts[])(const struct probe *) = { makes_socket, makes_packet_socket, runs_a_program, forks, sends_elsewhere };
	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < sizeof(acts) / sizeof(acts[0]); k++)
			CU_ASSERT_EQUAL(run((struct probe){ .role = both[i], .tight = true, .act = acts[k] }), KILLED);
	if (!SANITIZED)
		CU_ASSERT_EQUAL(run((struct probe){ .role = both[0], .tight = true, .act = makes_code }), KILLED);
}

static void first_filter_lets_threads_begin_and_no_more(void)
{
	CU_ASSERT_EQUAL(run((struct probe){ .role = both[0], .act = starts_a_thread }), OK);
	CU_ASSERT_EQUAL(run((struct probe){ .role = both[0], .act = makes_socket }), KILLED);
	CU_ASSERT_EQUAL(run((struct probe){ .role = both[0], .act = runs_a_program }), KILLED);
	CU_ASSERT_EQUAL(run((struct probe){ .role = both[0], .act = opens }), REFUSED);
}

static void engine_has_nothing_it_was_not_given(void)
{
	CU_ASSERT_EQUAL(run((struct probe){ .role = both[0], .act = is_dressed_down }), OK);
}

static void publisher_has_the_network_only(void)
{
	CU_ASSERT_EQUAL(run((struct probe){ .role = SANDBOX_PUBLISHER, .tight = true, .act = publishes }), OK);
	CU_ASSERT_EQUAL(run((struct probe){ .role = SANDBOX_PUBLISHER, .tight = true, .act = starts_a_thread }), OK);
	CU_ASSERT_EQUAL(run((struct probe){ .role = SANDBOX_PUBLISHER, .tight = true, .act = makes_packet_socket }), KILLED);
	CU_ASSERT_EQUAL(run((struct probe){ .role = SANDBOX_PUBLISHER, .tight = true, .act = runs_a_program }), KILLED);
	int wrote = run((struct probe){ .role = SANDBOX_PUBLISHER, .tight = true, .act = writes_a_file });
	CU_ASSERT(wrote == REFUSED || wrote == SETUP);
}

static void refuses_to_outlive_its_parent(void)
{
	struct sandbox *s = NULL;
	CU_ASSERT_EQUAL_FATAL(sandbox_new(SANDBOX_ENGINE_FILES, 5, false, &s), 0);
	pid_t child = fork();
	if (child == 0) {
		unsigned bits;
		_exit(sandbox_enter(s, 1 << 30, NULL, 0, &bits) == -ESRCH ? OK : WRONG);
	}
	int status = -1;
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	sandbox_free(s);
	sandbox_free(NULL);
}

static void says_in_words_what_is_in_force(void)
{
	char text[SANDBOX_TEXT];
	CU_ASSERT_STRING_EQUAL(sandbox_text(~0u, text), "seccomp, no capabilities, landlock, empty root, user nobody");
	CU_ASSERT_STRING_EQUAL(sandbox_text(SANDBOX_SECCOMP | SANDBOX_NO_CAPS, text),
	                       "seccomp, no capabilities, no landlock in this kernel, user unchanged");
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "engine_can_read_and_talk", engine_can_read_and_talk },
		{ "engine_is_killed_for_open", engine_is_killed_for_open },
		{ "engine_is_killed_for_the_rest", engine_is_killed_for_the_rest },
		{ "first_filter_lets_threads_begin_and_no_more", first_filter_lets_threads_begin_and_no_more },
		{ "engine_has_nothing_it_was_not_given", engine_has_nothing_it_was_not_given },
		{ "publisher_has_the_network_only", publisher_has_the_network_only },
		{ "refuses_to_outlive_its_parent", refuses_to_outlive_its_parent },
		{ "says_in_words_what_is_in_force", says_in_words_what_is_in_force },
		CU_TEST_INFO_NULL,
	};
	return test_run("sandbox", cases);
}
