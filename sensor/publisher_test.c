/* The publisher against a collector in a thread that loses, repeats, delays and forgets. */
#include "sensor/publisher.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "core/event.h"
#include "core/frame.h"

#ifdef SPANWARD_SANITIZED
/* libzmq 4.3.4 leaks the decoder's buffer when a ROUTER is closed with messages unread, which is what the restarted
 * collector below does on purpose. Our own side never holds a zmq_msg_t. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libzmq.so"; }
#endif

enum { MOST = 20000 };
static char folder[] = "/tmp/spanward-publisher-XXXXXX";
static char endpoint[64];

struct collector {
	/* faults: every n-th, 0 never */
	unsigned lose_batch, lose_ack, repeat_ack, hold_ack;
	unsigned restart_after;         /* events committed, each time */
	unsigned restarts;              /* how often */
	bool forget;                    /* a restart loses the store */
	bool hostile;                   /* says nonsense beside every ACK */
	uint64_t committed[2];

	/* what it saw */
	uint64_t *got[2], lost[2];      /* sequences in the order committed */
	size_t n_got[2];
	uint64_t account[6];
	unsigned fresh, hellos, byes, batches, acks, gaps, bad, widest;

	atomic_bool stop;
	pthread_t thread;
	void *context, *socket;
};

static void c_open(struct collector *c)
{
	int zero = 0;
	c->socket = zmq_socket(c->context, ZMQ_ROUTER);
	zmq_setsockopt(c->socket, ZMQ_LINGER, &zero, sizeof(zero));
	while (zmq_bind(c->socket, endpoint) && !c->stop)
		usleep(1000);
}

static void c_send(struct collector *c, const uint8_t *id, size_t id_len, const struct frame *q, enum frame_type type,
		   uint8_t lane, uint64_t seq, struct span payload)
{
	uint8_t head[FRAME_HEADER_LEN];
	struct buf b = buf_over(head, sizeof(head));
	struct frame f = *q;
	f.type = type, f.lane = lane, f.seq = seq, f.count = 0, f.payload = payload;
	(void)frame_encode(&f, &b);
	zmq_send(c->socket, id, id_len, ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(c->socket, head, b.len, ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(c->socket, payload.n ? (const void *)payload.p : "", payload.n, ZMQ_DONTWAIT);
}

static void c_nonsense(struct collector *c, const uint8_t *id, size_t id_len, const struct frame *q)
{
	struct frame other = *q;
	c_send(c, id, id_len, q, FRAME_ACK, q->lane, UINT64_MAX, (struct span){ 0 });  /* never sent */
	other.epoch++;
	c_send(c, id, id_len, &other, FRAME_ACK, q->lane, 1u << 20, (struct span){ 0 });
	other = *q, memcpy(other.sensor, "zzz", 3);
	c_send(c, id, id_len, &other, FRAME_ACK, q->lane, q->seq, (struct span){ 0 });
	c_send(c, id, id_len, q, FRAME_CONFIG, FRAME_NO_LANE, 0, (struct span){ 0 });
	c_send(c, id, id_len, q, FRAME_ACK, 7, 1, (struct span){ 0 });
	zmq_send(c->socket, id, id_len, ZMQ_SNDMORE);
	zmq_send(c->socket, "x", 1, 0);
	static const uint8_t big[300];
	for (int parts = 0; parts < 5; parts++)
		zmq_send(c->socket, parts ? big : id, parts ? sizeof(big) : id_len, parts < 4 ? ZMQ_SNDMORE : 0);
}

/* Commits events or a loss from `seq` on, as the store does: repeats are passed over, gaps refused. */
static void c_commit(struct collector *c, const struct frame *f)
{
	struct cursor in = cursor_from(f->payload);
	uint64_t *done = &c->committed[f->lane];
	if (f->seq > *done + 1) {
		c->gaps++;
		return;
	}
	for (uint64_t seq = f->seq; seq < f->seq + f->count; seq++) {
		struct event e;
		if (f->type == FRAME_BATCH &&
		    (vocab_decode(&event_vocab, &e.head, NULL, &in, NULL) || e.seq != seq || e.lane != f->lane))
			c->bad++;
		if (seq <= *done)
			continue;
		*done = seq;
		c->fresh++;
		if (f->type == FRAME_LOST)
			c->lost[f->lane]++;
		else if (c->n_got[f->lane] < MOST)
			c->got[f->lane][c->n_got[f->lane]++] = seq;
	}
	if (cursor_left(&in))
		c->bad++;
}

static void c_frame(struct collector *c, const uint8_t *id, size_t id_len, const struct frame *f)
{
	uint8_t held[16];
	struct buf b = buf_over(held, sizeof(held));
	switch (f->type) {
	case FRAME_HELLO:
		c->hellos++;
		(void)buf_u64be(&b, c->committed[0]);
		(void)buf_u64be(&b, c->committed[1]);
		c_send(c, id, id_len, f, FRAME_WELCOME, FRAME_NO_LANE, 0, buf_span(&b));
		break;
	case FRAME_BATCH:
	case FRAME_LOST:
		c->batches++;
		if (f->type == FRAME_BATCH && f->count > c->widest)
			c->widest = f->count;
		if (c->lose_batch && c->batches % c->lose_batch == 0)
			break;
		c_commit(c, f);
		c->acks++;
		if (c->hostile)
			c_nonsense(c, id, id_len, f);
		if ((c->lose_ack && c->acks % c->lose_ack == 0) || (c->hold_ack && c->acks % c->hold_ack))
			break;          /* a held one is made up for by the next: they are cumulative */
		c_send(c, id, id_len, f, FRAME_ACK, f->lane, c->committed[f->lane], (struct span){ 0 });
		if (c->repeat_ack && c->acks % c->repeat_ack == 0)
			c_send(c, id, id_len, f, FRAME_ACK, f->lane, c->committed[f->lane], (struct span){ 0 });
		break;
	case FRAME_HEARTBEAT: {
		struct cursor in = cursor_from(f->payload);
		for (int i = 0; i < 6; i++)
			c->account[i] = cursor_u64be(&in);
		break;
	}
	case FRAME_BYE:
		c->byes++;
		break;
	default:
		c->bad++;
	}
}

static void *c_run(void *arg)
{
	struct collector *c = arg;
	static _Thread_local uint8_t payload[FRAME_MAX_PAYLOAD];
	c_open(c);
	for (;;) {
		uint8_t id[256], head[FRAME_HEADER_LEN];
		zmq_pollitem_t item = { .socket = c->socket, .events = ZMQ_POLLIN };
		if (zmq_poll(&item, 1, 5) <= 0) {
			if (c->stop)
				break;          /* only when nothing is left to read */
			continue;
		}
		int i = zmq_recv(c->socket, id, sizeof(id), 0), h = zmq_recv(c->socket, head, sizeof(head), 0);
		int p = zmq_recv(c->socket, payload, sizeof(payload), 0);
		struct frame f;
		if (i <= 0 || h < 0 || p < 0 ||
		    frame_decode((struct span){ head, (size_t)h }, (struct span){ payload, (size_t)p }, &f)) {
			c->bad++;
			continue;
		}
		c_frame(c, id, (size_t)i, &f);
		if (c->restarts && c->fresh >= c->restart_after) {
			c->restarts--;
			c->fresh = 0;
			zmq_close(c->socket);
			if (c->forget)
				memset(c->committed, 0, sizeof(c->committed));
			c_open(c);
		}
	}
	zmq_close(c->socket);
	return NULL;
}

static void c_start(struct collector *c)
{
	c->context = zmq_ctx_new();
	for (int i = 0; i < 2; i++)
		c->got[i] = calloc(MOST, sizeof(uint64_t));
	pthread_create(&c->thread, NULL, c_run, c);
}

static void c_stop(struct collector *c)
{
	c->stop = true;
	pthread_join(c->thread, NULL);
	zmq_ctx_term(c->context);
}

static void c_free(struct collector *c)
{
	free(c->got[0]);
	free(c->got[1]);
}

/* Whether the lane holds 1 .. n, each once, in order. */
static bool got_all(const struct collector *c, int lane, uint64_t n)
{
	if (c->n_got[lane] != n)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (c->got[lane][i] != i + 1)
			return false;
	}
	return true;
}

/* The sensor's side: a ring, and the publisher in a thread. */
struct sensor {
	struct publisher_config c;
	struct ring *ring;
	struct publisher_account account;
	uint64_t seq[2];
	int result;
	pthread_t thread;
};

static void *s_run(void *arg)
{
	struct sensor *s = arg;
	s->result = publisher_run(&s->c, s->ring, &s->account);
	return NULL;
}

static void s_start(struct sensor *s, size_t ring_bytes)
{
	s->c.endpoint = s->c.endpoint ? s->c.endpoint : endpoint;
	s->c.sensor = s->c.sensor ? s->c.sensor : "ward3";
	s->c.epoch = 9;
	s->c.window_bytes = s->c.window_bytes ? s->c.window_bytes : 8 << 20;
	CU_ASSERT_FATAL(ring_new(ring_bytes, &s->ring) == 0);
	pthread_create(&s->thread, NULL, s_run, s);
}

static struct span encoded(uint8_t *mem, size_t cap, const char *sensor, uint64_t epoch, uint64_t lane, uint64_t seq)
{
	struct buf b = buf_over(mem, cap);
	struct event e = { .head.type = EVENT_FLOW };
	event_text(&e, EVENT_F_sensor, span_str(sensor));
	event_uint(&e, EVENT_F_epoch, epoch);
	event_uint(&e, EVENT_F_lane, lane);
	event_uint(&e, EVENT_F_seq, seq);
	event_text(&e, EVENT_F_rule, span_str("flow.summary"));
	CU_ASSERT(vocab_encode(&event_vocab, &e.head, &b) == 0);
	return buf_span(&b);
}

static void s_put(struct sensor *s, int lane, uint64_t seq)
{
	uint8_t mem[256];
	(void)ring_put(s->ring, lane ? RING_EVENT_TELEMETRY : RING_EVENT_ALERTS,
		       encoded(mem, sizeof(mem), "ward3", 9, (uint64_t)lane, seq), true);
}

static void s_events(struct sensor *s, int lane, unsigned n)
{
	while (n--)
		s_put(s, lane, ++s->seq[lane]);
}

static void s_finish(struct sensor *s)
{
	(void)ring_put(s->ring, RING_END, (struct span){ 0 }, true);
	pthread_join(s->thread, NULL);
	/* libzmq has sent BYE and the last heartbeat before publisher_run returned: the collector drains them first. */
	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(s->account.made[i], s->account.committed[i] + s->account.pending[i] + s->account.dropped[i]);
	ring_free(s->ring);
}

static void delivers_both_lanes_in_order(void)
{
	struct collector c = { 0 };
	struct sensor s = { .c.linger_s = 60 };
	uint8_t stats[64] = { 0 };
	c_start(&c);
	s_start(&s, 1 << 20);
	for (int i = 0; i < 20; i++) {
		s_events(&s, 0, 100);
		s_events(&s, 1, 150);
		/* for others: passed over */
		(void)ring_put(s.ring, RING_STATS, (struct span){ stats, sizeof(stats) }, true);
		(void)ring_put(s.ring, RING_OBSERVATION, (struct span){ stats, 9 }, true);
	}
	s_finish(&s);
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(got_all(&c, 0, 2000) && got_all(&c, 1, 3000));
	CU_ASSERT(s.account.committed[0] == 2000 && s.account.committed[1] == 3000 && !s.account.invalid);
	CU_ASSERT(!c.bad && !c.gaps && c.byes == 1 && c.widest <= 50 && c.widest > 1);
	CU_ASSERT(c.account[0] == 2000 && c.account[3] == 3000 && !c.account[1] && !c.account[2]);
	c_free(&c);
}

static void survives_lost_repeated_and_delayed_messages(void)
{
	struct collector c = { .lose_batch = 17, .lose_ack = 5, .repeat_ack = 2, .hold_ack = 3 };
	struct sensor s = { .c.linger_s = 120, .c.resend_ms = 50 };
	c_start(&c);
	s_start(&s, 1 << 20);
	for (int i = 0; i < 20; i++) {
		s_events(&s, 0, 40);
		s_events(&s, 1, 60);
	}
	s_finish(&s);
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(got_all(&c, 0, 800) && got_all(&c, 1, 1200));
	CU_ASSERT(s.account.committed[0] == 800 && s.account.committed[1] == 1200);
	CU_ASSERT(!c.bad && c.hellos > 1);
	c_free(&c);
}

static void survives_restarts_of_the_collector(void)
{
	struct collector c = { .restart_after = 400, .restarts = 3 };
	struct sensor s = { .c.linger_s = 120, .c.resend_ms = 300 };
	c_start(&c);
	s_start(&s, 1 << 20);
	for (int i = 0; i < 20; i++) {
		s_events(&s, 0, 100);
		s_events(&s, 1, 100);
	}
	s_finish(&s);
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(got_all(&c, 0, 2000) && got_all(&c, 1, 2000));
	CU_ASSERT(!c.bad && !c.restarts && c.hellos >= 4);
	c_free(&c);
}

/* What it committed and forgot cannot be sent again: it is told, and the lane goes on. */
static void goes_on_with_a_collector_that_lost_its_store(void)
{
	struct collector c = { .restart_after = 1000, .restarts = 1, .forget = true };
	/* The window is far smaller than what was committed: that is gone on both sides. */
	struct sensor s = { .c.linger_s = 120, .c.resend_ms = 300, .c.window_bytes = 24 << 10, .c.wait = true };
	c_start(&c);
	s_start(&s, 4096);
	s_events(&s, 0, 3000);
	s_finish(&s);
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(s.account.committed[0] == 3000 && c.committed[0] == 3000 && !c.bad && !c.restarts);
	CU_ASSERT(c.lost[0] > 0 && c.n_got[0] >= 3000 - c.lost[0]);
	c_free(&c);
}

static void keeps_events_until_a_collector_comes(void)
{
	struct collector c = { 0 };
	struct sensor s = { .c.linger_s = 120 };
	s_start(&s, 4096);
	s_events(&s, 0, 500);
	s_events(&s, 1, 500);
	c_start(&c);
	s_finish(&s);
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(got_all(&c, 0, 500) && got_all(&c, 1, 500));
	c_free(&c);
}

static void says_what_is_left_when_nobody_comes(void)
{
	struct sensor s = { .c.linger_s = 0 };
	s_start(&s, 1 << 20);
	s_events(&s, 0, 20);
	s_events(&s, 1, 30);
	s_finish(&s);
	CU_ASSERT_EQUAL(s.result, -ETIMEDOUT);
	CU_ASSERT(s.account.pending[0] == 20 && s.account.pending[1] == 30 && !s.account.committed[0]);
}

static void full_window_drops_telemetry_and_tells(void)
{
	struct collector c = { 0 };
	struct sensor s = { .c.linger_s = 120, .c.window_bytes = 64 << 10 };
	s_start(&s, 4096);
	s_events(&s, 1, 3000);          /* more than the window holds */
	s_events(&s, 0, 300);
	c_start(&c);
	s_events(&s, 1, 1);
	s_finish(&s);
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(got_all(&c, 0, 300) && !s.account.dropped[0]);
	CU_ASSERT(s.account.dropped[1] > 1000 && s.account.committed[1] > 100);
	CU_ASSERT(c.committed[1] == 3001 && c.lost[1] == s.account.dropped[1] && c.n_got[1] == s.account.committed[1]);
	CU_ASSERT(c.account[3] == 3001 && c.account[4] + c.account[5] == s.account.dropped[1]);
	c_free(&c);
}

static void alerts_take_the_room_of_telemetry(void)
{
	struct collector c = { 0 };
	struct sensor s = { .c.linger_s = 120, .c.window_bytes = 64 << 10 };
	s_start(&s, 4096);
	s_events(&s, 1, 400);           /* fits */
	s_events(&s, 0, 1500);          /* more than their own window, less than both */
	c_start(&c);
	s_finish(&s);
	c_stop(&c);
	/* An entry is a head of 48 bytes and an event of 32 here: 400 and 1500 of them do not fit into 2 * 64 KiB. */
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(got_all(&c, 0, 1500) && !s.account.dropped[0]);
	CU_ASSERT(s.account.dropped[1] > 0 && c.account[5] == s.account.dropped[1] && c.account[4] == 0);
	CU_ASSERT(c.committed[1] == 400 && c.lost[1] == s.account.dropped[1]);
	c_free(&c);
}

static void alerts_are_dropped_last_and_counted(void)
{
	struct collector c = { 0 };
	struct sensor s = { .c.linger_s = 120, .c.window_bytes = 32 << 10 };
	s_start(&s, 4096);
	s_events(&s, 1, 100);
	s_events(&s, 0, 3000);
	c_start(&c);
	s_finish(&s);
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(s.account.dropped[1] == 100 && s.account.dropped[0] > 1000 && s.account.committed[0] > 100);
	CU_ASSERT(c.committed[0] == 3000 && c.lost[0] == s.account.dropped[0] && !c.bad);
	c_free(&c);
}

static void waiting_holds_up_the_ring_and_loses_nothing(void)
{
	struct collector c = { .hold_ack = 2 };
	struct sensor s = { .c.linger_s = 120, .c.window_bytes = 24 << 10, .c.wait = true, .c.resend_ms = 50 };
	c_start(&c);
	s_start(&s, 4096);
	for (int i = 0; i < 20; i++) {
		s_events(&s, 1, 100);
		s_events(&s, 0, 20);
	}
	s_finish(&s);
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(got_all(&c, 0, 400) && got_all(&c, 1, 2000));
	CU_ASSERT(!s.account.dropped[0] && !s.account.dropped[1]);
	c_free(&c);
}

static void holes_before_the_ring_are_told(void)
{
	static const uint64_t seqs[] = { 3, 4, 7, 8, 200000 };
	struct collector c = { 0 };
	struct sensor s = { .c.linger_s = 120 };
	c_start(&c);
	s_start(&s, 1 << 20);
	for (size_t i = 0; i < 5; i++)
		s_put(&s, 1, seqs[i]);
	s_finish(&s);
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(c.n_got[1] == 5 && !memcmp(c.got[1], seqs, sizeof(seqs)));
	CU_ASSERT(c.lost[1] == 200000 - 5 && s.account.made[1] == 200000 && s.account.dropped[1] == 200000 - 5);
	CU_ASSERT(!c.bad && !c.gaps);
	c_free(&c);
}

static void records_that_are_no_event_of_ours_are_counted(void)
{
	struct collector c = { 0 };
	struct sensor s = { .c.linger_s = 120 };
	uint8_t mem[256];
	c_start(&c);
	s_start(&s, 1 << 20);
	s_put(&s, 0, 1);
#define PUT(kind, ...) (void)ring_put(s.ring, kind, __VA_ARGS__, true)
	PUT(RING_EVENT_ALERTS, (struct span){ 0 });
	PUT(RING_EVENT_ALERTS, span_str("garbage"));
	PUT(RING_EVENT_ALERTS, encoded(mem, sizeof(mem), "ward3", 9, 1, 2));            /* lane */
	PUT(RING_EVENT_ALERTS, encoded(mem, sizeof(mem), "ward3", 8, 0, 2));            /* epoch */
	PUT(RING_EVENT_ALERTS, encoded(mem, sizeof(mem), "ward4", 9, 0, 2));            /* sensor */
	PUT(RING_EVENT_ALERTS, encoded(mem, sizeof(mem), "ward3", 9, 0, 1));            /* repeated */
	PUT(RING_EVENT_ALERTS, encoded(mem, sizeof(mem), "ward3", 9, 0, 0));
	PUT(RING_EVENT_ALERTS, encoded(mem, sizeof(mem), "ward3", 9, 0, UINT64_MAX));   /* out of reach */
	struct span twice = encoded(mem, sizeof(mem), "ward3", 9, 0, 2);
	mem[twice.n] = 0xc0;
	PUT(RING_EVENT_ALERTS, (struct span){ mem, twice.n + 1 });                      /* trailing byte */
	PUT(RING_EVENT_ALERTS, (struct span){ mem, twice.n - 1 });
	s_put(&s, 0, 2);
	s_finish(&s);
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(s.account.invalid == 10 && got_all(&c, 0, 2) && !c.lost[0] && !c.bad);
	c_free(&c);
}

static void a_used_epoch_is_refused(void)
{
	struct collector c = { .committed = { 0, 100000 } };
	struct sensor s = { .c.linger_s = 120 };
	c_start(&c);
	s_start(&s, 1 << 20);
	s_events(&s, 1, 50);
	s_finish(&s);
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, -EEXIST);
	CU_ASSERT(!c.batches && s.account.committed[1] == 0);
	c_free(&c);
}

static void nonsense_from_the_collector_changes_nothing(void)
{
	struct collector c = { .hostile = true };
	struct sensor s = { .c.linger_s = 120 };
	c_start(&c);
	s_start(&s, 1 << 20);
	s_events(&s, 0, 500);
	s_events(&s, 1, 500);
	s_finish(&s);
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(got_all(&c, 0, 500) && got_all(&c, 1, 500) && s.account.committed[0] == 500);
	c_free(&c);
}

static void stop_sends_what_is_there(void)
{
	struct collector c = { 0 };
	static volatile int stop;
	struct sensor s = { .c.linger_s = 120, .c.stop = &stop };
	c_start(&c);
	s_start(&s, 1 << 20);
	s_events(&s, 0, 500);
	stop = 1;
	pthread_join(s.thread, NULL);           /* without RING_END */
	c_stop(&c);
	CU_ASSERT_EQUAL(s.result, 0);
	CU_ASSERT(got_all(&c, 0, 500));
	/* and the producer is told that nobody reads any more */
	CU_ASSERT_EQUAL(ring_put(s.ring, RING_END, (struct span){ 0 }, true), -EPIPE);
	ring_free(s.ring);
	c_free(&c);
}

static void stop_ends_a_publisher_that_holds_up_the_ring(void)
{
	static volatile int stop;
	struct sensor s = { .c.linger_s = 0, .c.stop = &stop, .c.window_bytes = 20 << 10, .c.wait = true };
	s_start(&s, 4096);
	s_events(&s, 0, 20);                    /* nobody takes them */
	stop = 1;
	pthread_join(s.thread, NULL);
	CU_ASSERT(s.result == -ETIMEDOUT && s.account.pending[0] > 0);
	ring_free(s.ring);
}

static void wrong_configuration_is_refused(void)
{
	static const char *const names[] = { "", "-x", "a b", "abcdefghijklmnopq" };
	struct publisher_account account;
	struct ring *ring;
	for (size_t i = 0; i < 4; i++) {
		struct publisher_config c = { .endpoint = endpoint, .sensor = names[i], .window_bytes = 1 << 20 };
		CU_ASSERT_FATAL(ring_new(4096, &ring) == 0);
		CU_ASSERT_EQUAL(publisher_run(&c, ring, &account), -EINVAL);
		ring_free(ring);
	}
	struct publisher_config c = { .endpoint = "nonsense", .sensor = "ward3", .window_bytes = 1 << 20 };
	CU_ASSERT_FATAL(ring_new(4096, &ring) == 0);
	CU_ASSERT(publisher_run(&c, ring, &account) < 0);
	CU_ASSERT_EQUAL(ring_put(ring, RING_END, (struct span){ 0 }, false), -EPIPE);
	ring_free(ring);
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/s", folder);
	CU_initialize_registry();
	CU_pSuite s = CU_add_suite("publisher", NULL, NULL);
	CU_ADD_TEST(s, delivers_both_lanes_in_order);
	CU_ADD_TEST(s, survives_lost_repeated_and_delayed_messages);
	CU_ADD_TEST(s, survives_restarts_of_the_collector);
	CU_ADD_TEST(s, goes_on_with_a_collector_that_lost_its_store);
	CU_ADD_TEST(s, keeps_events_until_a_collector_comes);
	CU_ADD_TEST(s, says_what_is_left_when_nobody_comes);
	CU_ADD_TEST(s, full_window_drops_telemetry_and_tells);
	CU_ADD_TEST(s, alerts_take_the_room_of_telemetry);
	CU_ADD_TEST(s, alerts_are_dropped_last_and_counted);
	CU_ADD_TEST(s, waiting_holds_up_the_ring_and_loses_nothing);
	CU_ADD_TEST(s, holes_before_the_ring_are_told);
	CU_ADD_TEST(s, records_that_are_no_event_of_ours_are_counted);
	CU_ADD_TEST(s, a_used_epoch_is_refused);
	CU_ADD_TEST(s, nonsense_from_the_collector_changes_nothing);
	CU_ADD_TEST(s, stop_sends_what_is_there);
	CU_ADD_TEST(s, stop_ends_a_publisher_that_holds_up_the_ring);
	CU_ADD_TEST(s, wrong_configuration_is_refused);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	char path[64];
	snprintf(path, sizeof(path), "%s/s", folder);
	(void)unlink(path);
	(void)rmdir(folder);
	return CU_get_number_of_failures() != 0;
}
