#include "collector/sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/outbox.h"
#include "collector/sink_syslog.h"
#include "core/clock.h"
#include "core/test.h"

static char why[256];

static struct alert an_alert(const char *device)
{
	static const uint8_t v4[] = { 10, 20, 3, 41 };
	struct addr ip = addr_from_v4(v4);
	struct alert a;
	struct event e = { .head.type = EVENT_CONFIG_CHANGE };
	event_text(&e, EVENT_F_sensor, span_str("s1"));
	event_uint(&e, EVENT_F_lane, EVENT_LANE_ALERTS);
	event_uint(&e, EVENT_F_ts, 1500000000);
	event_text(&e, EVENT_F_rule, span_str("policy.undeclared_listener"));
	event_uint(&e, EVENT_F_severity, EVENT_HIGH);
	event_uint(&e, EVENT_F_verdict, EVENT_UNDECLARED);
	event_uint(&e, EVENT_F_authority, EVENT_AUTH_DOCUMENT);
	event_text(&e, EVENT_F_device, span_str(device));
	vocab_set_addr(&event_vocab, &e.head, EVENT_F_device_addr, &ip);
	event_uint(&e, EVENT_F_transport, 0);
	event_uint(&e, EVENT_F_port, 8080);
	event_text(&e, EVENT_F_row, span_str("X-1"));
	if (!alert_from(&e, &a))
		abort();
	return a;
}

/* --- the message --- */

static void syslog_message_is_rfc_5424(void)
{
	char mem[8192], want[256];
	struct buf b = buf_over(mem, sizeof(mem) - 1);
	struct alert a = an_alert("CT\"1\\ [a]");
	CU_ASSERT_EQUAL(sink_syslog_format(&a, "host", &b), 0);
	mem[b.len] = '\0';
	/* local4 (20) * 8 + error (3); six decimals; the three escapes of 6.3.3 and no other. */
	snprintf(want, sizeof(want), "<163>1 1970-01-01T00:00:01.500000Z host spanward - config_change [alert@32473 id=\"%s\" "
		 "state=\"open\" severity=\"high\" count=\"1\" ", a.id);
	CU_ASSERT_EQUAL(strncmp(mem, want, strlen(want)), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(mem, " device=\"CT\\\"1\\\\ [a\\]\" "));
	CU_ASSERT_PTR_NOT_NULL(strstr(mem, " rule=\"policy.undeclared_listener\" verdict=\"undeclared\" "));
	CU_ASSERT_PTR_NOT_NULL(strstr(mem, " device_addr=\"10.20.3.41\" "));
	CU_ASSERT_PTR_NOT_NULL(strstr(mem, " transport=\"tcp\" port=\"8080\" authority=\"document\" row=\"X-1\"] "));
	for (size_t i = 0; i < b.len; i++)
		CU_ASSERT((uint8_t)mem[i] >= 0x20 && mem[i] != 0x7f);
	/* Japanese stays; what does not fit leaves nothing. */
	a = an_alert("超音波診断装置");
	b = buf_over(mem, sizeof(mem) - 1);
	CU_ASSERT_EQUAL(sink_syslog_format(&a, "-", &b), 0);
	mem[b.len] = '\0';
	CU_ASSERT_PTR_NOT_NULL(strstr(mem, " device=\"超音波診断装置\" "));
	size_t whole = b.len;
	for (size_t n = 0; n < whole; n += 7) {
		char *small = malloc(n ? n : 1);
		b = buf_over(small, n);
		CU_ASSERT_EQUAL(sink_syslog_format(&a, "-", &b), -ENOBUFS);
		CU_ASSERT_EQUAL(b.len, 0);
		free(small);
	}
}

static void control_characters_never_leave(void)
{
	char mem[8192];
	struct buf b = buf_over(mem, sizeof(mem));
	struct alert a = an_alert("x");
	/* As if a text had come around the vocabulary's grammars. */
	a.event.device = span_str("a\nb\x1b[31m\x7f\xc2\x9b\xff");
	CU_ASSERT_EQUAL(sink_syslog_format(&a, "-", &b), 0);
	for (size_t i = 0; i < b.len; i++)
		CU_ASSERT((uint8_t)mem[i] >= 0x20 && mem[i] != 0x7f);
	CU_ASSERT_PTR_NOT_NULL(memmem(mem, b.len, "device=\"a?b?[31m???\"", 20));
}

/* --- syslog over a real connection --- */

struct server { int listener, fd; char target[64]; uint8_t got[1 << 18]; size_t n; };

static void listen_on(struct server *s, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	const int on = 1;
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	CU_ASSERT_EQUAL_FATAL(bind(s->listener, (struct sockaddr *)&at, n), 0);
	CU_ASSERT_EQUAL_FATAL(listen(s->listener, 4), 0);
	CU_ASSERT_EQUAL(getsockname(s->listener, (struct sockaddr *)&at, &n), 0);
	snprintf(s->target, sizeof(s->target), "tcp:127.0.0.1:%u", ntohs(at.sin_port));
	s->fd = -1;
}

/* Takes a connection and reads what is there. */
static void serve(struct server *s)
{
	struct pollfd p = { .fd = s->fd < 0 ? s->listener : s->fd, .events = POLLIN };
	while (poll(&p, 1, 5) > 0) {
		if (s->fd < 0) {
			s->fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
			p.fd = s->fd;
			continue;
		}
		ssize_t n = recv(s->fd, s->got + s->n, sizeof(s->got) - s->n, MSG_DONTWAIT);
		if (n <= 0)
			break;
		s->n += (size_t)n;
	}
}

/* Sends until the sink takes it; false when it never does. */
static bool deliver(void *self, struct server *s, const struct alert *a)
{
	for (int i = 0; i < 400; i++) {
		int err = sink_find("syslog")->send(self, a);
		if (s)
			serve(s);
		if (!err)
			return true;
		CU_ASSERT_EQUAL_FATAL(err, -EAGAIN);
		usleep(5000);
	}
	return false;
}

/* Walks the octet-counted frames; how many name that device. Fails when a frame does not add up. */
static size_t frames_of(const struct server *s, const char *device)
{
	char want[64];
	size_t at = 0, found = 0;
	snprintf(want, sizeof(want), " device=\"%s\"", device);
	while (at < s->n) {
		size_t len = 0, digits = 0;
		for (; at < s->n && s->got[at] >= '0' && s->got[at] <= '9'; at++, digits++)
			len = len * 10 + (size_t)(s->got[at] - '0');
		CU_ASSERT_FATAL(digits > 0 && at < s->n && s->got[at] == ' ');
		at++;
		CU_ASSERT_FATAL(len > 0 && len <= s->n - at && s->got[at] == '<');
		found += memmem(s->got + at, len, want, strlen(want)) != NULL;
		at += len;
	}
	return found;
}

static void syslog_counts_octets(void)
{
	static struct server s;
	memset(&s, 0, sizeof(s));
	const struct sink_ops *ops = sink_find("syslog");
	void *self = calloc(1, ops->self_size);
	listen_on(&s, 0);
	CU_ASSERT_EQUAL_FATAL(ops->open(self, s.target, why), 0);
	for (int i = 0; i < 200; i++) {
		char name[32];
		snprintf(name, sizeof(name), "unit-%03d", i);
		struct alert a = an_alert(name);
		CU_ASSERT_TRUE(deliver(self, &s, &a));
	}
	for (int i = 0; i < 20; i++)
		serve(&s);
	CU_ASSERT_EQUAL(frames_of(&s, "unit-000"), 1);
	CU_ASSERT_EQUAL(frames_of(&s, "unit-199"), 1);
	ops->close(self);
	free(self);
	close(s.fd);
	close(s.listener);
}

static void syslog_reconnects_and_sends_again_what_was_not_confirmed(void)
{
	static struct server s;
	memset(&s, 0, sizeof(s));
	const struct sink_ops *ops = sink_find("syslog");
	void *self = calloc(1, ops->self_size);
	struct alert a = an_alert("first"), b = an_alert("second"), c = an_alert("third");
	listen_on(&s, 0);
	uint16_t port = (uint16_t)strtoul(strrchr(s.target, 58) + 1, NULL, 10);
	CU_ASSERT_EQUAL_FATAL(ops->open(self, s.target, why), 0);
	CU_ASSERT_TRUE(deliver(self, &s, &a));
	for (int i = 0; i < 20 && !s.n; i++)
		serve(&s);
	CU_ASSERT_EQUAL(frames_of(&s, "first"), 1);
	/* The server takes the second into its buffers and dies without reading: to TCP it was confirmed. */
	CU_ASSERT_TRUE(deliver(self, NULL, &b));
	usleep(20000);
	for (int i = 0; i < 3; i++)
		CU_ASSERT(ops->poll_fd(self) >= 0);     /* sees the confirmation, and does not trust it yet */
	const struct linger rst = { .l_onoff = 1 };
	setsockopt(s.fd, SOL_SOCKET, SO_LINGER, &rst, sizeof(rst));
	close(s.fd);
	close(s.listener);
	CU_ASSERT_EQUAL(ops->send(self, &c), -EAGAIN);
	/* It comes back at the same place. */
	s.n = 0;
	listen_on(&s, port);
	CU_ASSERT_TRUE(deliver(self, &s, &c));
	for (int i = 0; i < 20; i++)
		serve(&s);
	CU_ASSERT_EQUAL(frames_of(&s, "second"), 1);
	CU_ASSERT_EQUAL(frames_of(&s, "third"), 1);
	ops->close(self);
	free(self);
	close(s.fd);
	close(s.listener);
}

static void syslog_that_does_not_read_holds_nothing_up(void)
{
	static struct server s;
	memset(&s, 0, sizeof(s));
	const struct sink_ops *ops = sink_find("syslog");
	void *self = calloc(1, ops->self_size);
	listen_on(&s, 0);
	CU_ASSERT_EQUAL_FATAL(ops->open(self, s.target, why), 0);
	size_t taken = 0, refusals = 0;
	/* Until its buffers, the server's and the sink's are full: then -EAGAIN, at once, for ever. */
	for (size_t i = 0; i < 200000 && refusals < 200; i++) {
		char name[32];
		snprintf(name, sizeof(name), "unit-%06zu", taken);
		struct alert a = an_alert(name);
		int err = ops->send(self, &a);
		if (!err)
			taken++, refusals = 0;
		else
			refusals++, usleep(1000);
		if (s.fd < 0 && (i & 63) == 63)
			s.fd = accept4(s.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	}
	CU_ASSERT(taken > 10);
	CU_ASSERT_EQUAL(refusals, 200);
	ops->close(self);
	free(self);
	if (s.fd >= 0)
		close(s.fd);
	close(s.listener);
}

static void syslog_targets_are_checked(void)
{
	static const char *const bad[] = { "", "tcp:", "tcp:host", "udp:127.0.0.1:514", "tcp::514", "tcp:127.0.0.1:x",
					   "tcp:127.0.0.1:123456", "127.0.0.1:514" };
	const struct sink_ops *ops = sink_find("syslog");
	void *self = calloc(1, ops->self_size);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		memset(self, 0, ops->self_size);
		CU_ASSERT(ops->open(self, bad[i], why) < 0);
		CU_ASSERT(why[0]);
		ops->close(self);
	}
	/* Nobody there: not an error of the operator's; it is tried again. */
	memset(self, 0, ops->self_size);
	CU_ASSERT_EQUAL(ops->open(self, "tcp:127.0.0.1:1", why), 0);
	struct alert a = an_alert("x");
	for (int i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(ops->send(self, &a), -EAGAIN);
		usleep(2000);
	}
	ops->close(self);
	memset(self, 0, ops->self_size);
	CU_ASSERT_EQUAL(ops->open(self, "tcp:[::1]:1", why), 0);
	ops->close(self);
	free(self);
}

/* --- JSON Lines --- */

static size_t read_file(const char *path, char *out, size_t cap)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(out, 1, cap - 1, f) : 0;
	if (f)
		fclose(f);
	out[n] = '\0';
	return n;
}

static void jsonl_appends_whole_lines(void)
{
	char path[] = "/tmp/spanward-sink-XXXXXX", text[16384], want[8192];
	const struct sink_ops *ops = sink_find("jsonl");
	void *self = calloc(1, ops->self_size);
	struct alert a = an_alert("a"), b = an_alert("b");
	close(mkstemp(path));
	CU_ASSERT_EQUAL_FATAL(ops->open(self, path, why), 0);
	CU_ASSERT_EQUAL(ops->send(self, &a), 0);
	ops->close(self);
	memset(self, 0, ops->self_size);
	CU_ASSERT_EQUAL_FATAL(ops->open(self, path, why), 0);
	CU_ASSERT_EQUAL(ops->send(self, &b), 0);
	CU_ASSERT_EQUAL(ops->poll_fd(self), -1);
	ops->close(self);
	struct buf w = buf_over(want, sizeof(want) - 1);
	CU_ASSERT(!alert_json(&a, &w) && !buf_u8(&w, '\n') && !alert_json(&b, &w) && !buf_u8(&w, '\n'));
	want[w.len] = '\0';
	read_file(path, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, want);
	unlink(path);
	memset(self, 0, ops->self_size);
	CU_ASSERT_EQUAL(ops->open(self, "/nonexistent/x", why), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nonexistent/x"));
	ops->close(self);
	free(self);
}

/* Longer than the vocabulary lets a field be: the sink must not depend on lines staying below PIPE_BUF. */
static void make_long(struct alert *a)
{
	static char text[5000];
	memset(text, 'x', sizeof(text));
	CU_ASSERT_TRUE(event_text(&a->event, EVENT_F_document, span_str("x")));
	a->event.document = (struct span){ (const uint8_t *)text, sizeof(text) };
}

static void jsonl_into_a_full_pipe_waits_without_blocking(void)
{
	int p[2], saved = dup(STDOUT_FILENO);
	const struct sink_ops *ops = sink_find("jsonl");
	void *self = calloc(1, ops->self_size);
	static char got[4 << 20];
	size_t n = 0, taken = 0, lines = 0;
	fflush(stdout);
	CU_ASSERT_EQUAL_FATAL(pipe2(p, O_CLOEXEC), 0);
	CU_ASSERT(fcntl(p[1], F_SETPIPE_SZ, 8192) >= 0);
	CU_ASSERT(dup2(p[1], STDOUT_FILENO) >= 0);
	int err = ops->open(self, "-", why);
	/* 500 alerts through a pipe of 8 KiB that is read only when it is full; each is longer than what the pipe
	 * takes at once (PIPE_BUF), so that lines stop in their middle. */
	while (!err && taken < 500) {
		char name[32];
		snprintf(name, sizeof(name), "unit-%03zu", taken);
		struct alert a = an_alert(name);
		make_long(&a);
		err = ops->send(self, &a);
		if (!err) {
			taken++;
		} else if (err == -EAGAIN && n < sizeof(got) - 4096) {
			ssize_t r = read(p[0], got + n, 4096);
			n += r > 0 ? (size_t)r : 0;
			err = 0;
		}
	}
	ops->close(self);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(p[1]);
	for (ssize_t r; n < sizeof(got) && (r = read(p[0], got + n, sizeof(got) - n)) > 0;)
		n += (size_t)r;
	close(p[0]);
	CU_ASSERT_EQUAL(err, 0);
	/* Each one once, in order, none torn. */
	for (size_t at = 0; at < n; lines++) {
		char want[64];
		const char *end = memchr(got + at, '\n', n - at);
		CU_ASSERT_PTR_NOT_NULL_FATAL(end);
		snprintf(want, sizeof(want), "\"device\":\"unit-%03zu\"", lines);
		CU_ASSERT(got[at] == '{' && end[-1] == '}' && memmem(got + at, (size_t)(end - got) - at, want, strlen(want)));
		at = (size_t)(end - got) + 1;
	}
	CU_ASSERT_EQUAL(lines, 500);
	free(self);
}

/* --- the outbox --- */

static void the_outbox_goes_on_where_it_was(void)
{
	char path[] = "/tmp/spanward-sink-XXXXXX", spec[64], text[16384];
	struct store *s;
	struct outbox *o = NULL;
	close(mkstemp(path));
	snprintf(spec, sizeof(spec), "jsonl:%s", path);
	CU_ASSERT_EQUAL_FATAL(store_open(":memory:", &s, why), 0);
	for (uint64_t i = 1; i <= 5; i++) {
		char name[] = { 'd', (char)('0' + i), '\0' };
		struct alert a = an_alert(name);
		event_uint(&a.event, EVENT_F_epoch, 7);
		event_uint(&a.event, EVENT_F_seq, i);
		CU_ASSERT_EQUAL(store_event(s, &a.event), 0);
	}
	CU_ASSERT_EQUAL_FATAL(outbox_open(spec, s, &o, why), 0);
	CU_ASSERT_EQUAL(outbox_run(o, 3, NULL), 1);             /* as many as asked: there may be more */
	outbox_close(o);
	CU_ASSERT_EQUAL_FATAL(outbox_open(spec, s, &o, why), 0);
	bool waiting = true;
	CU_ASSERT_EQUAL(outbox_run(o, 3, &waiting), 0);
	CU_ASSERT_FALSE(waiting);
	CU_ASSERT_EQUAL(outbox_stats(o)->delivered, 2);
	CU_ASSERT_EQUAL(outbox_run(o, 3, NULL), 0);
	CU_ASSERT_EQUAL(outbox_stats(o)->delivered, 2);
	CU_ASSERT_STRING_EQUAL(outbox_name(o), spec);
	outbox_close(o);
	read_file(path, text, sizeof(text));
	size_t lines = 0;
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	CU_ASSERT_EQUAL(lines, 5);
	unlink(path);
	/* A sink that waits keeps its alerts in the store. */
	CU_ASSERT_EQUAL_FATAL(outbox_open("syslog:tcp:127.0.0.1:1", s, &o, why), 0);
	CU_ASSERT_EQUAL(outbox_run(o, 3, &waiting), 0);
	CU_ASSERT_TRUE(waiting);
	CU_ASSERT_EQUAL(outbox_stats(o)->delivered, 0);
	outbox_close(o);
	store_close(s);
}

static void wrong_sinks_are_said(void)
{
	struct outbox *o = NULL;
	struct store *s;
	static const char *const bad[] = { "", "jsonl", "jsonl:", ":x", "nope:x", "averyveryveryveryverylongsinkname:x" };
	CU_ASSERT_EQUAL_FATAL(store_open(":memory:", &s, why), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CU_ASSERT_EQUAL(outbox_open(bad[i], s, &o, why), -EINVAL);
	CU_ASSERT_EQUAL(outbox_open("nope:x", s, &o, why), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "no sink is called 'nope'; there are jsonl, syslog");
	CU_ASSERT_EQUAL(outbox_open("jsonl:/nonexistent/x", s, &o, why), -ENOENT);
	CU_ASSERT_PTR_NULL(o);
	CU_ASSERT_PTR_NULL(sink_find("nope"));
	outbox_close(NULL);
	store_close(s);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "syslog_message_is_rfc_5424", syslog_message_is_rfc_5424 },
		{ "control_characters_never_leave", control_characters_never_leave },
		{ "syslog_counts_octets", syslog_counts_octets },
		{ "syslog_reconnects_and_sends_again_what_was_not_confirmed",
		  syslog_reconnects_and_sends_again_what_was_not_confirmed },
		{ "syslog_that_does_not_read_holds_nothing_up", syslog_that_does_not_read_holds_nothing_up },
		{ "syslog_targets_are_checked", syslog_targets_are_checked },
		{ "jsonl_appends_whole_lines", jsonl_appends_whole_lines },
		{ "jsonl_into_a_full_pipe_waits_without_blocking", jsonl_into_a_full_pipe_waits_without_blocking },
		{ "the_outbox_goes_on_where_it_was", the_outbox_goes_on_where_it_was },
		{ "wrong_sinks_are_said", wrong_sinks_are_said },
		CU_TEST_INFO_NULL,
	};
	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0)
		return 1;
	return test_run("sink", tests);
}
