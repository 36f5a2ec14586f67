/* setup.c: what the file says, what the command line says, and who wins. */
#include "sensor/setup.c"

#include <CUnit/Basic.h>
#include <unistd.h>

#include "core/test.h"

static struct setup s;
static struct conf_report rep;
static char path[] = "/tmp/spanward-setup-XXXXXX";

static int read_text(const char *text)
{
	FILE *f = fopen(path, "we");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	(void)fputs(text, f);
	(void)fclose(f);
	setup_free(&s);
	setup_defaults(&s);
	rep = (struct conf_report){ 0 };
	return setup_config(&s, path, &rep);
}

#define HEAD "schema: spanward/1\nkind: sensor\n"

static void reads_the_example(void)
{
	char why[256] = "";
	setup_defaults(&s);
	rep = (struct conf_report){ 0 };
	CU_ASSERT_EQUAL(setup_config(&s, "docs/examples/sensor.yaml", &rep), 0);
	CU_ASSERT_EQUAL(setup_finish(&s, why), 0);
	const struct session_config *c = &s.station.session;
	CU_ASSERT(c->n_interfaces == 2 && !c->n_files);
	CU_ASSERT_STRING_EQUAL(c->interfaces[1], "eth2");
	CU_ASSERT_STRING_EQUAL(c->engine.sensor, "radiology-1");
	CU_ASSERT_STRING_EQUAL(c->policy_dir, "/etc/spanward/policy");
	CU_ASSERT_STRING_EQUAL(c->live.filter, "not (tcp port 22 and host 192.0.2.10)");
	CU_ASSERT_STRING_EQUAL(s.station.endpoint, "tcp://127.0.0.1:5577");
	CU_ASSERT_EQUAL(c->live.buffer_bytes, 256 << 20);
	CU_ASSERT_EQUAL(c->live.rings, 1);
	CU_ASSERT_EQUAL(c->live.snaplen, 65535);
	CU_ASSERT_FALSE(c->live.adapter_clock);
	CU_ASSERT_EQUAL(c->engine.workers, 2);
	CU_ASSERT_EQUAL(c->engine.flows, 262144);
	CU_ASSERT_EQUAL(c->engine.tcp_idle_ns, 7200 * CLOCK_SECOND);
	CU_ASSERT_EQUAL(s.station.linger_s, 10);
	CU_ASSERT_STRING_EQUAL(s.station.metrics, "/run/spanward/sensor.prom");
	CU_ASSERT_EQUAL(s.station.metrics_s, 30);
	setup_free(&s);
}

static void one_key_for_the_tokens_of_every_start(void)
{
	char why[256] = "", key[] = "/tmp/spanward-setup-key-XXXXXX";
	int fd = mkstemp(key);
	CU_ASSERT_FATAL(fd >= 0 && write(fd, "000102030405060708090a0b0c0d0e0f\n", 33) == 33);
	(void)close(fd);
	setup_free(&s);
	setup_defaults(&s);
	CU_ASSERT(!setup_take(&s, 'i', "eth1", why) && !setup_take(&s, SETUP_TOKEN_KEY, key, why));
	CU_ASSERT_EQUAL(setup_finish(&s, why), 0);
	CU_ASSERT_EQUAL(s.station.session.engine.tokens.k0, UINT64_C(0x0001020304050607));
	(void)unlink(key);
	(void)snprintf(key, sizeof(key), "/none");
	CU_ASSERT_EQUAL(setup_take(&s, SETUP_TOKEN_KEY, "/none/key", why), 0);
	CU_ASSERT_EQUAL(setup_finish(&s, why), -ENOENT);
	setup_free(&s);
}

static void the_command_line_overrides_the_file(void)
{
	char why[256] = "";
	CU_ASSERT_EQUAL(read_text(HEAD "interfaces: [eth1, eth2]\nworkers: 4\nbuffer: 8MiB\n"), 0);
	CU_ASSERT_EQUAL(setup_take(&s, SETUP_WORKERS, "2", why), 0);
	CU_ASSERT_EQUAL(setup_take(&s, 'r', "a.pcap", why), 0);
	CU_ASSERT_EQUAL(setup_take(&s, 'r', "b.pcap", why), 0);
	CU_ASSERT_EQUAL(setup_finish(&s, why), 0);
	const struct session_config *c = &s.station.session;
	CU_ASSERT(c->engine.workers == 2 && c->live.buffer_bytes == 8 << 20);
	CU_ASSERT(!c->n_interfaces && c->n_files == 2);
	CU_ASSERT_STRING_EQUAL(c->files[1], "b.pcap");
	/* Both kinds typed is still a fault, and so is neither. */
	CU_ASSERT_EQUAL(setup_take(&s, 'i', "eth0", why), 0);
	CU_ASSERT_EQUAL(setup_finish(&s, why), -EINVAL);
	CU_ASSERT_EQUAL(read_text(HEAD), 0);
	CU_ASSERT_EQUAL(setup_finish(&s, why), -EINVAL);
	static char command[] = "x", option[] = "--config", value[] = "f.yaml", last[] = "--workers", three[] = "3";
	char *argv[] = { command, option, value, last, three, NULL };
	static const struct option options[] = { SETUP_OPTIONS, { 0 } };
	CU_ASSERT_STRING_EQUAL(setup_typed_config(5, argv, ":i:r:p:", options), "f.yaml");
	CU_ASSERT_EQUAL(getopt_long(5, argv, ":i:r:p:", options, NULL), SETUP_CONFIG);  /* from the beginning */
}

static void networks_whose_addresses_overlap(void)
{
	char why[256] = "";
	const struct spaces *x = &s.station.session.engine.spaces;
	CU_ASSERT_EQUAL(read_text(HEAD "interfaces: [eth1]\noverlapping: [vlan:100-101, vni:5000]\n"), 0);
	CU_ASSERT(x->n == 3 && spaces_find(x, span_str("vni:5000")) == 3);
	/* The command line overrides the file as a whole, and may be typed several times. */
	CU_ASSERT_EQUAL(setup_take(&s, SETUP_OVERLAPPING, "vlan:7", why), 0);
	CU_ASSERT_EQUAL(setup_take(&s, SETUP_OVERLAPPING, "vlan:8", why), 0);
	CU_ASSERT(x->n == 2 && !spaces_find(x, span_str("vni:5000")));
	CU_ASSERT_EQUAL(setup_take(&s, SETUP_OVERLAPPING, "vlan:9,vlan:0", why), -EINVAL);
	CU_ASSERT_EQUAL(x->n, 2);
}

static void says_what_is_wrong_and_where(void)
{
	static const struct { const char *text; unsigned line; const char *what; } wrong[] = {
		{ "interfaces: [a]\n", 1, "schema" },
		{ HEAD "interface: eth1\n", 3, "interfaces" },
		{ HEAD "interfaces: []\n", 3, "" },
		{ HEAD "interfaces: [a]\nread: [b]\n", 4, "one of interfaces" },
		{ HEAD "workers: 17\n", 3, "from 1 to 16" },
		{ HEAD "rings: 9\n", 3, "from 1 to 8" },
		{ HEAD "snaplen: 95\n", 3, "from 96" },
		{ HEAD "buffer: 1KiB\n", 3, "" },
		{ HEAD "timestamps: card\n", 3, "adapter" },
		{ HEAD "sensor_id: 'a b'\n", 3, "expected 1 to 16" },
		{ HEAD "overlapping: [vlan:100, 200]\n", 3, "vlan:1 to vlan:4094" },
		{ HEAD "overlapping: vlan:100\n", 3, "" },
		{ HEAD "budget: {flows: 0}\n", 3, "flows" },
		{ HEAD "budget: {tcp_idle: 3s}\n", 3, "tcp_idle" },
		{ HEAD "timers: {tcp_idle: 37000d}\n", 3, "" },
		{ HEAD "metrics: {every: 5s}\n", 3, "file" },
		{ HEAD "metrics: {file: m, every: 0s}\n", 3, "1s" },
		{ HEAD "no_sandbox: true\n", 3, "no_sandbox" },
		{ "schema: spanward/1\nkind: site\n", 2, "" },
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CU_ASSERT_EQUAL(read_text(wrong[i].text), ERR_CONFIG);
		CU_ASSERT(rep.n >= 1 && strstr(rep.v[0].what, wrong[i].what) != NULL);
		CU_ASSERT_EQUAL(rep.v[0].line, wrong[i].line);
	}
	rep = (struct conf_report){ 0 };
	CU_ASSERT_EQUAL(setup_config(&s, "/nonexistent.yaml", &rep), ERR_CONFIG);
	CU_ASSERT_EQUAL(rep.total, 1);
}

static void knows_its_kind(void)
{
	CU_ASSERT(setup_is_config("docs/examples/sensor.yaml"));
	CU_ASSERT_FALSE(setup_is_config("test-pcaps/demo/policy/site.yaml"));
	CU_ASSERT_FALSE(setup_is_config("test-pcaps/demo"));
	CU_ASSERT_FALSE(setup_is_config("/nonexistent"));
}

/* Every key stands in the documentation. */
static void is_documented(void)
{
	static char text[64 << 10];
	FILE *f = fopen("docs/configuration.md", "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	const struct conf_key *const tables[] = { keys, budget_keys, timer_keys, metrics_keys };
	for (size_t t = 0; t < 4; t++)
		for (const struct conf_key *k = tables[t]; k->name; k++) {
			char quoted[64];
			(void)snprintf(quoted, sizeof(quoted), "`%s`", k->name);
			CU_ASSERT_PTR_NOT_NULL(strstr(text, quoted));
		}
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "reads_the_example", reads_the_example },
		{ "one_key_for_the_tokens_of_every_start", one_key_for_the_tokens_of_every_start },
		{ "the_command_line_overrides_the_file", the_command_line_overrides_the_file },
		{ "networks_whose_addresses_overlap", networks_whose_addresses_overlap },
		{ "says_what_is_wrong_and_where", says_what_is_wrong_and_where },
		{ "knows_its_kind", knows_its_kind },
		{ "is_documented", is_documented },
		CU_TEST_INFO_NULL,
	};
	int fd = mkstemp(path);
	if (fd < 0)
		return 1;
	(void)close(fd);
	int code = test_run("setup", cases);
	(void)unlink(path);
	return code;
}
