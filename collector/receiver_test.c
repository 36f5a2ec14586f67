#include "collector/receiver.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "core/test.h"

/* A sensor's end: a real DEALER. */
struct peer { void *context, *socket; struct store *store; struct receiver *r; };

static char why[256];

static void dial(struct peer *p)
{
	const int zero = 0, wait = 5000;
	p->socket = zmq_socket(p->context, ZMQ_DEALER);
	zmq_setsockopt(p->socket, ZMQ_LINGER, &zero, sizeof(zero));
	zmq_setsockopt(p->socket, ZMQ_RCVTIMEO, &wait, sizeof(wait));
	CU_ASSERT_EQUAL_FATAL(zmq_connect(p->socket, receiver_endpoint(p->r)), 0);
}

static struct peer open_on(const char *endpoint)
{
	struct peer p = { .context = zmq_ctx_new() };
	CU_ASSERT_EQUAL_FATAL(store_open(":memory:", &p.store, why), 0);
	int err = receiver_open(endpoint, p.context, p.store, &p.r, why);
	if (err)
		fprintf(stderr, "%s\n", why);
	CU_ASSERT_EQUAL_FATAL(err, 0);
	dial(&p);
	return p;
}

static void close_all(struct peer *p)
{
	zmq_close(p->socket);
	receiver_close(p->r);
	store_close(p->store);
	zmq_ctx_term(p->context);
}

static struct frame a_frame(enum frame_type type)
{
	return (struct frame){ .type = type, .lane = FRAME_NO_LANE, .sensor_len = 2, .sensor = "s1", .epoch = 7 };
}

static void send_frame(struct peer *p, const struct frame *f)
{
	uint8_t header[FRAME_HEADER_LEN];
	struct buf b = buf_over(header, sizeof(header));
	CU_ASSERT_EQUAL_FATAL(frame_encode(f, &b), 0);
	CU_ASSERT(zmq_send(p->socket, header, b.len, ZMQ_SNDMORE) >= 0);
	CU_ASSERT(zmq_send(p->socket, f->payload.n ? (const void *)f->payload.p : "", f->payload.n, 0) >= 0);
}

/* Lets the receiver work until one more message was handled. */
static void handle(struct peer *p)
{
	for (int i = 0; i < 100; i++) {
		int n = receiver_poll(p->r, 100, 1);
		CU_ASSERT(n >= 0);
		if (n)
			return;
	}
	CU_FAIL("nothing came");
}

/* The answer: type 0 when there is none. */
static struct frame answer(struct peer *p)
{
	static uint8_t header[FRAME_HEADER_LEN + 1], payload[256];
	struct frame f = { 0 };
	int n = zmq_recv(p->socket, header, sizeof(header), 0);
	int m = n < 0 ? -1 : zmq_recv(p->socket, payload, sizeof(payload), 0);
	if (m < 0 || frame_decode((struct span){ header, (size_t)n }, (struct span){ payload, (size_t)m }, &f))
		return (struct frame){ 0 };
	return f;
}

static void send_batch_of(struct peer *p, const char *sensor, const char *device, uint64_t from, uint32_t n)
{
	uint8_t *mem = malloc(n * 200u);
	struct buf b = buf_over(mem, n * 200u);
	for (uint32_t i = 0; i < n; i++) {
		struct event e = { .head.type = EVENT_ANOMALOUS_TRAFFIC };
		event_text(&e, EVENT_F_sensor, span_str(sensor));
		event_uint(&e, EVENT_F_epoch, 7);
		event_uint(&e, EVENT_F_lane, EVENT_LANE_ALERTS);
		event_uint(&e, EVENT_F_seq, from + i);
		event_text(&e, EVENT_F_rule, span_str("policy.undeclared_peer"));
		event_text(&e, EVENT_F_device, span_str(device));
		CU_ASSERT_EQUAL_FATAL(vocab_encode(&event_vocab, &e.head, &b), 0);
	}
	struct frame f = a_frame(FRAME_BATCH);
	snprintf(f.sensor, sizeof(f.sensor), "%s", sensor);
	f.lane = EVENT_LANE_ALERTS;
	f.seq = from;
	f.count = n;
	f.payload = buf_span(&b);
	send_frame(p, &f);
	free(mem);
}

static void send_batch_from(struct peer *p, const char *sensor, uint64_t from, uint32_t n)
{
	send_batch_of(p, sensor, "ct-1", from, n);
}

static void send_batch(struct peer *p, uint64_t from, uint32_t n) { send_batch_from(p, "s1", from, n); }

/* Sends a batch and expects an ACK of that sequence. */
static void batch_gives_ack(struct peer *p, uint64_t from, uint32_t n, uint64_t acked)
{
	send_batch(p, from, n);
	handle(p);
	struct frame f = answer(p);
	CU_ASSERT_EQUAL(f.type, FRAME_ACK);
	CU_ASSERT_EQUAL(f.lane, EVENT_LANE_ALERTS);
	CU_ASSERT_EQUAL(f.seq, acked);
	CU_ASSERT(f.epoch == 7 && !strcmp(f.sensor, "s1"));
}

static int count_one(void *arg, const struct alert *a)
{
	*(uint64_t *)arg += a->count;
	return 0;
}

static uint64_t stored(struct peer *p)
{
	uint64_t n = 0;
	struct store_filter all = { .state = -2, .at_least = EVENT_INFO };
	CU_ASSERT_EQUAL(store_alerts(p->store, &all, count_one, &n), 0);
	return n;
}

/* HELLO, batches, a duplicate, a gap, the resend: on each transport. */
static void the_whole_talk(const char *endpoint)
{
	struct peer p = open_on(endpoint);
	const uint8_t made[16] = { [7] = 9 };
	struct frame f = a_frame(FRAME_HELLO);
	f.payload = (struct span){ made, sizeof(made) };
	send_frame(&p, &f);
	handle(&p);
	f = answer(&p);
	CU_ASSERT_EQUAL(f.type, FRAME_WELCOME);
	struct cursor c = cursor_from(f.payload);
	CU_ASSERT(cursor_u64be(&c) == 0 && cursor_u64be(&c) == 0 && cursor_ok(&c));

	batch_gives_ack(&p, 1, 3, 3);
	batch_gives_ack(&p, 1, 3, 3);           /* the ACK was lost: the same again */
	batch_gives_ack(&p, 6, 2, 3);           /* 4 and 5 are missing: no more than what is committed */
	batch_gives_ack(&p, 4, 4, 7);           /* sent again from there */
	batch_gives_ack(&p, 6, 4, 9);           /* begins inside what is held */
	CU_ASSERT_EQUAL(stored(&p), 9);
	const struct receiver_stats *s = receiver_stats(p.r);
	CU_ASSERT(s->batches == 3 && s->duplicates == 1 && s->gaps == 1 && !s->failed && !s->refused && !s->unsent);

	struct frame lost = a_frame(FRAME_LOST);
	lost.lane = EVENT_LANE_ALERTS, lost.seq = 10, lost.count = 5;
	send_frame(&p, &lost);
	handle(&p);
	f = answer(&p);
	CU_ASSERT(f.type == FRAME_ACK && f.seq == 14);
	CU_ASSERT_EQUAL(store_lost_total(p.store, "s1", 7, 0), 5);

	/* A new connection is told where the store is, without anything remembered of the old one. */
	zmq_close(p.socket);
	dial(&p);
	batch_gives_ack(&p, 15, 1, 15);
	f = a_frame(FRAME_HELLO);
	f.payload = (struct span){ made, sizeof(made) };
	send_frame(&p, &f);
	handle(&p);
	f = answer(&p);
	c = cursor_from(f.payload);
	CU_ASSERT(f.type == FRAME_WELCOME && cursor_u64be(&c) == 15 && cursor_u64be(&c) == 0);
	close_all(&p);
}

/* Two sensors with one id and epoch at the same moment: what the second sends under numbers that are taken is not stored, not acknowledged,
 * and its next WELCOME tells it. The first goes on as ever, also after a connection of its own broke. */
static void another_sensor_is_not_a_duplicate(void)
{
	struct peer first = open_on("inproc://receiver-test"), second = first;
	const uint8_t made[16] = { 0 };
	const int soon = 300;
	dial(&second);
	zmq_setsockopt(second.socket, ZMQ_RCVTIMEO, &soon, sizeof(soon));
	struct frame hello = a_frame(FRAME_HELLO);
	hello.payload = (struct span){ made, sizeof(made) };
	for (int i = 0; i < 2; i++) {
		struct peer *p = i ? &second : &first;
		send_frame(p, &hello);
		handle(p);
		struct frame f = answer(p);
		struct cursor c = cursor_from(f.payload);
		CU_ASSERT(f.type == FRAME_WELCOME && cursor_u64be(&c) == 0);
	}
	batch_gives_ack(&first, 1, 3, 3);
	send_batch_of(&second, "s1", "ct-2", 1, 3);
	handle(&second);
	CU_ASSERT_EQUAL(answer(&second).type, 0);
	/* One that begins with numbers that are taken, and goes on with new ones. */
	send_batch_of(&second, "s1", "ct-2", 2, 9);
	handle(&second);
	CU_ASSERT_EQUAL(answer(&second).type, 0);
	send_frame(&second, &hello);
	handle(&second);
	struct frame f = answer(&second);
	struct cursor c = cursor_from(f.payload);
	CU_ASSERT(f.type == FRAME_WELCOME && cursor_u64be(&c) == UINT64_MAX && cursor_u64be(&c) == UINT64_MAX);
	const struct receiver_stats *s = receiver_stats(first.r);
	CU_ASSERT(s->foreign == 2 && !s->duplicates && s->batches == 1 && !strcmp(s->twin, "s1"));
	CU_ASSERT_EQUAL(stored(&first), 3);
	zmq_close(first.socket);
	dial(&first);
	batch_gives_ack(&first, 1, 3, 3);
	batch_gives_ack(&first, 3, 3, 5);
	CU_ASSERT(s->foreign == 2 && s->duplicates == 1 && stored(&first) == 5);
	zmq_close(second.socket);
	close_all(&first);
}

static void talks_in_process(void) { the_whole_talk("inproc://receiver-test"); }
static void talks_over_loopback(void) { the_whole_talk("tcp://127.0.0.1:*"); }

static void talks_over_a_socket_file(void)
{
	char dir[] = "/tmp/spanward-receiver-XXXXXX", endpoint[128];
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/s", dir);
	the_whole_talk(endpoint);
	unlink(endpoint + 6);
	rmdir(dir);
}

static void a_heartbeat_brings_the_account_and_is_answered(void)
{
	struct peer p = open_on("inproc://receiver-test");
	uint8_t mem[48];
	uint64_t got[6];
	struct buf b = buf_over(mem, sizeof(mem));
	for (uint64_t i = 1; i <= 6; i++)
		(void)buf_u64be(&b, i * 10);
	struct frame f = a_frame(FRAME_HEARTBEAT);
	f.payload = buf_span(&b);
	send_frame(&p, &f);
	handle(&p);
	f = answer(&p);
	CU_ASSERT(f.type == FRAME_HEARTBEAT && f.lane == FRAME_NO_LANE && !f.payload.n);
	CU_ASSERT_EQUAL_FATAL(store_account_get(p.store, "s1", 7, got), 0);
	CU_ASSERT(got[0] == 10 && got[5] == 60);
	/* An empty one is answered too; BYE needs no answer. */
	f = a_frame(FRAME_HEARTBEAT);
	send_frame(&p, &f);
	handle(&p);
	CU_ASSERT_EQUAL(answer(&p).type, FRAME_HEARTBEAT);
	f = a_frame(FRAME_BYE);
	send_frame(&p, &f);
	handle(&p);
	const int now = 0;
	zmq_setsockopt(p.socket, ZMQ_RCVTIMEO, &now, sizeof(now));
	CU_ASSERT_EQUAL(answer(&p).type, 0);
	CU_ASSERT_EQUAL(receiver_stats(p.r)->frames, 3);
	close_all(&p);
}

static void broken_frames_are_refused_and_counted(void)
{
	struct peer p = open_on("inproc://receiver-test");
	uint8_t header[FRAME_HEADER_LEN];
	struct buf b = buf_over(header, sizeof(header));
	struct frame f = a_frame(FRAME_HEARTBEAT);
	const int now = 0;
	CU_ASSERT_EQUAL_FATAL(frame_encode(&f, &b), 0);
	/* The wrong number of parts: one, three, many. */
	for (int parts = 1; parts <= 9; parts++) {
		if (parts == 2)
			continue;
		for (int i = 1; i <= parts; i++)
			CU_ASSERT(zmq_send(p.socket, header, i == 1 ? sizeof(header) : 0, i < parts ? ZMQ_SNDMORE : 0) >= 0);
		handle(&p);
	}
	CU_ASSERT_EQUAL(receiver_stats(p.r)->refused, 8);
	/* Every cut of the header, one wrong byte at each place of its fixed part, the collector's own types. */
	for (size_t n = 0; n < sizeof(header); n++) {
		zmq_send(p.socket, header, n, ZMQ_SNDMORE);
		zmq_send(p.socket, "", 0, 0);
		handle(&p);
	}
	CU_ASSERT_EQUAL(receiver_stats(p.r)->refused, 8 + 48);
	for (size_t i = 0; i < 8; i++) {
		header[i] ^= 0x40;
		zmq_send(p.socket, header, sizeof(header), ZMQ_SNDMORE);
		zmq_send(p.socket, "", 0, 0);
		handle(&p);
		header[i] ^= 0x40;
	}
	CU_ASSERT_EQUAL(receiver_stats(p.r)->refused, 8 + 48 + 8);
	const uint8_t two[16] = { 0 };
	f = a_frame(FRAME_WELCOME);
	f.payload = (struct span){ two, sizeof(two) };
	send_frame(&p, &f);
	handle(&p);
	f = a_frame(FRAME_ACK);
	f.lane = 0, f.seq = 5;
	send_frame(&p, &f);
	handle(&p);
	CU_ASSERT_EQUAL(receiver_stats(p.r)->refused, 8 + 48 + 8 + 2);
	CU_ASSERT_EQUAL(receiver_stats(p.r)->frames, 0);
	zmq_setsockopt(p.socket, ZMQ_RCVTIMEO, &now, sizeof(now));
	CU_ASSERT_EQUAL(answer(&p).type, 0);    /* none of it was answered */
	/* And the next good one is. */
	const int wait = 5000;
	zmq_setsockopt(p.socket, ZMQ_RCVTIMEO, &wait, sizeof(wait));
	batch_gives_ack(&p, 1, 1, 1);
	close_all(&p);
}

static void a_part_past_the_limit_never_arrives(void)
{
	struct peer p = open_on("tcp://127.0.0.1:*");
	uint8_t *big = calloc(1, FRAME_MAX_PAYLOAD + 1);
	zmq_send(p.socket, big, FRAME_HEADER_LEN, ZMQ_SNDMORE);
	zmq_send(p.socket, big, FRAME_MAX_PAYLOAD + 1, 0);
	CU_ASSERT_EQUAL(receiver_poll(p.r, 300, 10), 0);
	free(big);
	/* ZeroMQ closed that connection; a new one works. */
	zmq_close(p.socket);
	dial(&p);
	batch_gives_ack(&p, 1, 1, 1);
	close_all(&p);
}

static void sensors_do_not_mix(void)
{
	struct peer p = open_on("inproc://receiver-test"), q = p;
	dial(&q);
	batch_gives_ack(&p, 1, 4, 4);
	send_batch_from(&q, "s2", 1, 2);
	handle(&q);
	struct frame f = answer(&q);
	CU_ASSERT(f.type == FRAME_ACK && f.seq == 2 && !strcmp(f.sensor, "s2"));
	CU_ASSERT_EQUAL(store_committed(p.store, "s1", 7, 0), 4);
	CU_ASSERT_EQUAL(store_committed(p.store, "s2", 7, 0), 2);
	CU_ASSERT_EQUAL(stored(&p), 6);         /* one finding, seen by both */
	zmq_close(q.socket);
	close_all(&p);
}

static void a_sensor_that_has_gone_holds_nothing_up(void)
{
	struct peer p = open_on("tcp://127.0.0.1:*");
	/* It says something and does not wait for the answer. */
	batch_gives_ack(&p, 1, 1, 1);
	send_batch(&p, 2, 1);
	send_batch(&p, 3, 1);
	usleep(100000);
	zmq_close(p.socket);
	usleep(100000);
	for (int i = 0; i < 50 && store_committed(p.store, "s1", 7, 0) < 3; i++)
		CU_ASSERT(receiver_poll(p.r, 20, 10) >= 0);
	CU_ASSERT_EQUAL(store_committed(p.store, "s1", 7, 0), 3);
	dial(&p);
	batch_gives_ack(&p, 4, 1, 4);
	close_all(&p);
}

/* A collector in a process of its own, until it is killed. */
static pid_t spawn(const char *endpoint, const char *path)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	struct store *s;
	struct receiver *r;
	if (store_open(path, &s, why) || receiver_open(endpoint, NULL, s, &r, why)) {
		fprintf(stderr, "%s\n", why);
		_exit(1);
	}
	for (;;)
		(void)receiver_poll(r, 1000, 100);
}

/* kill -9 at moments that the collector does not choose; the sensor resends what was not acknowledged. */
static void a_killed_collector_loses_and_doubles_nothing(void)
{
	enum { ROUNDS = 8, TOTAL = 400, EACH = 5 };
	char dir[] = "/tmp/spanward-receiver-XXXXXX", endpoint[128], path[128], remove_all[64];
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/s", dir);
	snprintf(path, sizeof(path), "%s/db", dir);
	pid_t pid = spawn(endpoint, path);
	struct peer p = { .context = zmq_ctx_new(), .socket = NULL };
	p.socket = zmq_socket(p.context, ZMQ_DEALER);
	const int zero = 0, wait = 200, again = 10;
	zmq_setsockopt(p.socket, ZMQ_LINGER, &zero, sizeof(zero));
	zmq_setsockopt(p.socket, ZMQ_RCVTIMEO, &wait, sizeof(wait));
	zmq_setsockopt(p.socket, ZMQ_RECONNECT_IVL, &again, sizeof(again));
	CU_ASSERT_EQUAL_FATAL(zmq_connect(p.socket, endpoint), 0);
	uint64_t acked = 0, sent = 0, kills = 0;
	for (int step = 0; step < 3000 && acked < TOTAL; step++) {
		/* Up to four batches ahead of the last ACK. */
		while (sent < TOTAL && sent < acked + 4 * EACH) {
			send_batch(&p, sent + 1, EACH);
			sent += EACH;
		}
		if (kills < ROUNDS && acked >= kills * (TOTAL / ROUNDS)) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			pid = spawn(endpoint, path);
			kills++;
		}
		struct frame f = answer(&p);
		if (!f.type) {
			sent = acked;           /* silence: from the last ACK on once more */
		} else if (f.type == FRAME_ACK) {
			CU_ASSERT(f.seq <= sent || f.seq <= TOTAL);
			CU_ASSERT(f.seq % EACH == 0);
			acked = f.seq > acked ? f.seq : acked;
		}
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CU_ASSERT_EQUAL(acked, TOTAL);
	CU_ASSERT_EQUAL(kills, ROUNDS);
	zmq_close(p.socket);
	zmq_ctx_term(p.context);
	CU_ASSERT_EQUAL_FATAL(store_open(path, &p.store, why), 0);
	CU_ASSERT_EQUAL(store_committed(p.store, "s1", 7, 0), TOTAL);
	CU_ASSERT_EQUAL(stored(&p), TOTAL);
	store_close(p.store);
	snprintf(remove_all, sizeof(remove_all), "rm -rf '%s'", dir);
	CU_ASSERT_EQUAL(system(remove_all), 0);
}

static void only_loopback_is_local(void)
{
	static const char *const local[] = { "tcp://127.0.0.1:5577", "tcp://127.9.9.9:*", "tcp://[::1]:5577", "ipc:///run/x",
					     "inproc://x" };
	static const char *const remote[] = { "tcp://0.0.0.0:5577", "tcp://*:5577", "tcp://eth0:5577", "tcp://10.0.0.1:5577",
					      "tcp://[::]:5577", "tcp://localhost:5577", "tcp://127.0.0.1.example:1", "tcp://",
					      "tcp://127.0.0.1", "udp://127.0.0.1:1", "", "pgm://x", "tcp://[127.0.0.1:1" };
	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
		CU_ASSERT_TRUE(receiver_is_local(local[i]));
	for (size_t i = 0; i < sizeof(remote) / sizeof(*remote); i++)
		CU_ASSERT_FALSE(receiver_is_local(remote[i]));
}

static void an_endpoint_that_cannot_be_bound_is_said(void)
{
	struct receiver *r = NULL;
	struct peer p = open_on("tcp://127.0.0.1:*");
	CU_ASSERT_EQUAL(receiver_open(receiver_endpoint(p.r), NULL, p.store, &r, why), -EADDRINUSE);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "cannot listen on tcp://127.0.0.1:"));
	CU_ASSERT(receiver_open("nonsense", NULL, p.store, &r, why) < 0);
	CU_ASSERT_PTR_NULL(r);
	close_all(&p);
	receiver_close(NULL);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "another_sensor_is_not_a_duplicate", another_sensor_is_not_a_duplicate },
		{ "talks_in_process", talks_in_process },
		{ "talks_over_loopback", talks_over_loopback },
		{ "talks_over_a_socket_file", talks_over_a_socket_file },
		{ "a_heartbeat_brings_the_account_and_is_answered", a_heartbeat_brings_the_account_and_is_answered },
		{ "broken_frames_are_refused_and_counted", broken_frames_are_refused_and_counted },
		{ "a_part_past_the_limit_never_arrives", a_part_past_the_limit_never_arrives },
		{ "sensors_do_not_mix", sensors_do_not_mix },
		{ "a_sensor_that_has_gone_holds_nothing_up", a_sensor_that_has_gone_holds_nothing_up },
		{ "a_killed_collector_loses_and_doubles_nothing", a_killed_collector_loses_and_doubles_nothing },
		{ "only_loopback_is_local", only_loopback_is_local },
		{ "an_endpoint_that_cannot_be_bound_is_said", an_endpoint_that_cannot_be_bound_is_said },
		CU_TEST_INFO_NULL,
	};
	if (sodium_init() < 0)
		return 1;
	return test_run("receiver", tests);
}
