/* policy_scale.c -- what a policy costs as it grows: time to load, memory, table, time of a check. For each number of devices, with
 * 60 rows each, a process of its own, so that its peak memory is its own. Rows are shared by units with equal options ("shared"), or
 * every unit has its own, because its inventory entry moves a port ("own").
 * usage: bench_policy_scale [DEVICES...]          run in the root of the tree; python3 writes the policies */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rules/policy.h"

enum { FLOWS = 1 << 14, CHECKS = 1 << 20 };

static double cpu_s(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put(struct observation *o, enum observation_field f, unsigned a, unsigned b, unsigned c, uint16_t port)
{
	struct endpoint e = { .port = port };
	char text[32];
	(void)snprintf(text, sizeof(text), "10.%u.%u.%u", a, b, c);
	if (addr_parse(span_str(text), &e.ip))
		abort();
	vocab_set_endpoint(&observation_vocab, &o->head, f, &e);
}

/* Five in eight flows are declared; the rest goes to ports, peers and from hosts that nobody declared. */
static void make_flows(struct observation *o, unsigned devices)
{
	static const struct { uint16_t port; unsigned to; } kinds[] = {
		{ 104, 10 }, { 2575, 20 }, { 80, 40 }, { 445, 50 }, { 9191, 80 }, { 22, 10 }, { 104, 99 }, { 104, 10 },
	};
	for (unsigned i = 0; i < FLOWS; i++) {
		unsigned d = devices ? (i * 2654435761u >> 8) % devices : 0, k = i % 8;
		o[i] = (struct observation){ .head.type = OBSERVATION_FLOW_OPEN };
		if (k == 7)
			put(&o[i], OBSERVATION_F_src, 200, 1, i % 200 + 1, 40000);
		else
			put(&o[i], OBSERVATION_F_src, 20 + d / 250 / 256, d / 250 % 256, d % 250 + 1, 40000);
		put(&o[i], OBSERVATION_F_dst, 1, 0, kinds[k].to, kinds[k].port);
		observation_uint(&o[i], OBSERVATION_F_transport, OBSERVATION_TCP);
		observation_uint(&o[i], OBSERVATION_F_initiator_by, OBSERVATION_BY_HANDSHAKE);
		observation_uint(&o[i], OBSERVATION_F_answered, 1);
		observation_uint(&o[i], OBSERVATION_F_ts, UINT64_C(1700000000000000000) + i);
	}
}

static int one(const char *dir, unsigned devices, const char *rows)
{
	static struct conf_report rep;
	static struct observation flows[FLOWS];
	struct policy *p = NULL;
	double begin = cpu_s();
	int r = policy_compile_dir(dir, &p, &rep);
	double loaded = cpu_s();
	if (r) {
		conf_say(&rep);
		return 1;
	}
	struct rusage u;
	(void)getrusage(RUSAGE_SELF, &u);
	make_flows(flows, devices);
	unsigned verdicts = 0;
	double best = 0;
	for (int turn = 0; turn < 3; turn++) {
		double start = cpu_s();
		for (unsigned i = 0; i < CHECKS; i++) {
			struct verdict v[POLICY_MAX_VERDICTS];
			verdicts += policy_check(p, &flows[i * 7919 & (FLOWS - 1)], v);
		}
		double took = (cpu_s() - start) * 1e9 / CHECKS;
		best = !turn || took < best ? took : best;
	}
	printf("%8u  %-6s %9.1f ms %9.1f MiB %9.2f MiB %8.0f ns %10u\n", devices, rows, (loaded - begin) * 1e3,
	       (double)u.ru_maxrss / 1024, (double)policy_size(p) / (1 << 20), best, verdicts / 3);
	free(p);
	return fflush(stdout) != 0;
}

static int make(const char *dir, unsigned devices, bool own)
{
	char command[256];
	(void)snprintf(command, sizeof(command), "rm -rf '%s' && python3 bench/policy.py '%s' %u %s", dir, dir, devices,
		       own ? "own" : "");
	return system(command);
}

int main(int argc, char **argv)
{
	static const unsigned usual[] = { 10, 100, 1000, 10000 };
	char dir[] = "/tmp/spanward-scale-XXXXXX", command[64];
	int bad = !mkdtemp(dir);
	printf("%8s  %-6s %12s %13s %13s %11s %10s\n", "devices", "rows", "load (CPU)", "peak memory", "table", "check", "verdicts");
	(void)fflush(stdout);
	for (int i = 0; !bad && i < (argc > 1 ? argc - 1 : 4); i++)
		for (int own = 0; !bad && own < 2; own++) {
			unsigned n = argc > 1 ? (unsigned)strtoul(argv[i + 1], NULL, 10) : usual[i];
			bad = make(dir, n, own);
			pid_t pid = bad ? -1 : fork();
			if (!pid)
				_exit(one(dir, n, own ? "own" : "shared"));
			int status = 1;
			bad = pid < 0 || waitpid(pid, &status, 0) != pid || status;
		}
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command) || bad;
}
