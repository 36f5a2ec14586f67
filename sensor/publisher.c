#include "sensor/publisher.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/event.h"
#include "core/frame.h"
#include "core/log.h"

enum {
	LANES = EVENT_LANES,
	BATCH_EVENTS = 50,              /* the collector commits a batch in one transaction */
	BATCH_BYTES = 256 << 10,        /* a quarter of what a frame may carry: 50 events have never needed it */
	FLIGHT_BYTES = 1 << 20,         /* sent but not acknowledged, per lane: keeps libzmq's own queue shallow */
	RING_BURST = 256,               /* records taken before the socket is looked at again */
};

/* In nanoseconds. */
#define MS UINT64_C(1000000)
#define BATCH_AGE (10 * MS)             /* an event waits this long for company */
#define HEARTBEAT_EVERY (1000 * MS)
#define HELLO_EVERY (1000 * MS)
#define RESEND_AFTER (2000 * MS)
/* A lane cannot jump further than one LOST frame can say; a sequence beyond is the engine's fault or an attack. */
#define MAX_HOLE UINT32_MAX

enum kind {
	EVENT,                          /* one encoded event */
	LOST,                           /* `count` sequences that nobody will see; counted when they were lost */
	GONE,                           /* committed once, by a collector that has since lost its store */
};

struct entry {
	struct entry *next, *prev;
	uint64_t seq, count;
	uint64_t at_ns;                 /* when it came out of the ring */
	enum kind kind;
	uint32_t len;
	uint8_t bytes[];
};

/* A lane's window: what was made and is not committed, by sequence, without holes. */
struct lane {
	struct entry *first, *last;
	struct entry *unsent;           /* the next to send; NULL: all was sent since the last rewind */
	size_t bytes;                   /* of all entries, with their heads */
	size_t flight_bytes;            /* of those before `unsent` */
	uint64_t acked, sent;           /* highest sequences acknowledged; ever sent */
	uint64_t made, committed, pending, dropped, evicted;
	uint64_t progress_ns;           /* when an acknowledgement last helped, or sending began */
};

struct publisher {
	const struct publisher_config *c;
	void *context, *socket, *monitor;
	struct lane lanes[LANES];
	uint64_t invalid, now_ns, heartbeat_ns, hello_ns, ended_ns, stop_ns, resend_ns;
	bool welcomed, ended, reused, stopping;
	bool told_late;                 /* said once that the collector does not answer, until it does */
	struct vocab_scratch scratch;
	uint8_t record[RING_MAX_RECORD];
	uint8_t payload[BATCH_BYTES + RING_MAX_RECORD];
};

static size_t cost(const struct entry *e) { return sizeof(*e) + e->len; }
static uint64_t last_seq(const struct entry *e) { return e->seq + (e->count - 1); }

/* -- the window -- */

static struct entry *entry_new(const struct publisher *p, enum kind kind, uint64_t seq, uint64_t count, struct span bytes)
{
	struct entry *e = malloc(sizeof(*e) + bytes.n);
	if (!e)
		return NULL;
	*e = (struct entry){ .kind = kind, .seq = seq, .count = count, .at_ns = p->now_ns, .len = (uint32_t)bytes.n };
	if (bytes.n)
		memcpy(e->bytes, bytes.p, bytes.n);
	return e;
}

static void append(struct lane *l, struct entry *e)
{
	e->prev = l->last;
	e->next = NULL;
	if (l->last)
		l->last->next = e;
	else
		l->first = e;
	l->last = e;
	if (!l->unsent)
		l->unsent = e;
	l->bytes += cost(e);
}

static void unlink_entry(struct lane *l, struct entry *e)
{
	if (e->prev)
		e->prev->next = e->next;
	else
		l->first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		l->last = e->prev;
	if (l->unsent == e)
		l->unsent = e->next;
	l->bytes -= cost(e);
	free(e);
}

/* Notes that `count` sequences from `seq` are lost, at the end of the lane. */
static int append_lost(const struct publisher *p, struct lane *l, uint64_t seq, uint64_t count)
{
	struct entry *last = l->last;
	/* Into the same entry, unless that one was told already. */
	if (last && last->kind == LOST && l->unsent && last->seq > l->sent && last->count + count <= MAX_HOLE) {
		last->count += count;
		return 0;
	}
	struct entry *e = entry_new(p, LOST, seq, count, (struct span){ 0 });
	if (!e)
		return -ENOMEM;
	append(l, e);
	return 0;
}

/* Turns the newest telemetry into a loss until `need` bytes are free. What was ever sent is not taken back: the
 * collector may have committed it. False when that is not enough. */
static bool evict(struct lane *l, size_t need)
{
	struct entry *e = l->last;
	size_t freed = 0;
	while (e && freed < need && e->seq > l->sent && l->unsent) {
		struct entry *prev = e->prev;
		if (e->kind == EVENT) {
			struct entry *next = e->next;
			bool joins = next && next->kind == LOST && next->count < MAX_HOLE;
			freed += e->len;
			l->pending--;
			l->dropped++;
			l->evicted++;
			if (joins) {
				next->seq--;
				next->count++;
				freed += sizeof(*e);
				unlink_entry(l, e);
			} else {
				l->bytes -= e->len;
				e->kind = LOST;
				e->len = 0;
			}
		}
		e = prev;
	}
	return freed >= need;
}

/* Room for a record of that many bytes in the lane, made if it must be. */
static bool make_room(struct publisher *p, enum event_lane lane, size_t bytes)
{
	struct lane *alerts = &p->lanes[EVENT_LANE_ALERTS], *telemetry = &p->lanes[EVENT_LANE_TELEMETRY];
	size_t each = p->c->window_bytes, need = sizeof(struct entry) + bytes;
	if (p->lanes[lane].bytes + need <= each)
		return true;
	if (lane == EVENT_LANE_TELEMETRY)
		return false;
	/* Alerts may use the telemetry's half, too. */
	if (alerts->bytes + telemetry->bytes + need <= 2 * each)
		return true;
	size_t over = alerts->bytes + telemetry->bytes + need - 2 * each;
	return evict(telemetry, over);
}

/* In wait mode: whether any event may be taken from the ring. An event is far below this; should one not be, it is
 * dropped like in live mode. */
static bool has_room(const struct publisher *p)
{
	enum { MOST = 16 << 10 };
	for (int i = 0; i < LANES; i++) {
		if (p->lanes[i].first && p->lanes[i].bytes + sizeof(struct entry) + MOST > p->c->window_bytes)
			return false;
	}
	return true;
}

/* Everything up to `seq` is committed. */
static void commit(struct publisher *p, struct lane *l, uint64_t seq)
{
	if (seq <= l->acked)
		return;
	l->acked = seq;
	/* A collector that still commits is worth waiting for: the time to linger counts from here too. */
	l->progress_ns = p->ended_ns = p->now_ns;
	while (l->first && l->first->seq <= seq) {
		struct entry *e = l->first;
		if (last_seq(e) > seq) {        /* a collector that takes losses in parts */
			e->count -= seq + 1 - e->seq;
			e->seq = seq + 1;
			break;
		}
		bool in_flight = !l->unsent || e->seq < l->unsent->seq;
		if (in_flight)
			l->flight_bytes -= cost(e);
		if (e->kind == EVENT) {
			l->pending--;
			l->committed++;
		}
		unlink_entry(l, e);
	}
}

/* Everything not committed is to be sent again. */
static void rewind_lane(struct publisher *p, struct lane *l)
{
	l->unsent = l->first;
	l->flight_bytes = 0;
	l->progress_ns = p->now_ns;
}

/* -- from the ring -- */

/* Takes one encoded event: 0 whether it was kept, dropped or invalid; -ENOMEM. */
static int take_event(struct publisher *p, enum event_lane lane, struct span bytes)
{
	struct lane *l = &p->lanes[lane];
	struct event e;
	struct cursor in = cursor_from(bytes);
	unsigned unknown = 0;
	/* The ring is the engine's, and the engine parses hostile bytes: nothing of it goes out unread. */
	bool good = !vocab_decode(&event_vocab, &e.head, &p->scratch, &in, &unknown) && !cursor_left(&in) && !unknown &&
		    event_has(&e, EVENT_F_lane) && e.lane == (uint64_t)lane && event_has(&e, EVENT_F_epoch) &&
		    e.epoch == p->c->epoch && event_has(&e, EVENT_F_sensor) &&
		    span_eq(e.sensor, span_str(p->c->sensor)) && event_has(&e, EVENT_F_seq) && e.seq > l->made &&
		    e.seq - l->made - 1 <= MAX_HOLE && bytes.n <= FRAME_MAX_PAYLOAD;
	if (!good) {
		p->invalid++;
		return 0;
	}
	uint64_t hole = e.seq - l->made - 1;
	if (hole) {                             /* dropped between the detector and here */
		if (append_lost(p, l, l->made + 1, hole))
			return -ENOMEM;
		l->dropped += hole;
		l->made += hole;
	}
	struct entry *entry = NULL;
	if (make_room(p, lane, bytes.n))
		entry = entry_new(p, EVENT, e.seq, 1, bytes);
	if (entry) {
		if (!l->first)
			l->progress_ns = p->now_ns;
		append(l, entry);
		l->pending++;
	} else {
		if (append_lost(p, l, e.seq, 1))
			return -ENOMEM;
		l->dropped++;
	}
	l->made = e.seq;
	return 0;
}

static void end(struct publisher *p)
{
	p->ended = true;
	p->ended_ns = clock_mono_ns();
}

static void look_for_stop(struct publisher *p)
{
	if (!p->stopping && p->c->stop && *p->c->stop) {
		p->stopping = true;
		p->stop_ns = p->now_ns;
	}
	/* A producer that goes on after the signal does not hold us for longer than a silent collector may. */
	if (p->stopping && !p->ended && p->now_ns - p->stop_ns > (uint64_t)p->c->linger_s * 1000 * MS)
		end(p);
}

/* True while a full window holds up the ring. Not once we are to stop: what is there is then taken or dropped. */
static bool held_up(const struct publisher *p) { return p->c->wait && !p->stopping && !has_room(p); }

/* Takes what the ring has, waiting for the first record at most. 0; ERR_CORRUPT; -ENOMEM. */
static int take_records(struct publisher *p, struct ring *r, unsigned wait_ms)
{
	for (int i = 0; i < RING_BURST && !p->ended && !held_up(p); i++) {
		enum ring_kind kind;
		size_t n;
		int got = ring_get(r, i || p->stopping ? 0 : wait_ms, &kind, p->record, &n);
		if (got < 0 || (got && kind == RING_END) || (!got && p->stopping)) {
			end(p);
			return got < 0 && got != -EPIPE ? got : 0;
		}
		if (!got)
			break;
		/* Statistics, file results and observations are for those who live in the sensor. */
		if (kind != RING_EVENT_ALERTS && kind != RING_EVENT_TELEMETRY)
			continue;
		int err = take_event(p, kind == RING_EVENT_ALERTS ? EVENT_LANE_ALERTS : EVENT_LANE_TELEMETRY,
				     (struct span){ p->record, n });
		if (err)
			return err;
	}
	return 0;
}

/* -- to the collector -- */

/* 0, or -EAGAIN when there is nobody to send to. Never blocks. */
static int send_frame(struct publisher *p, enum frame_type type, uint8_t lane, uint64_t seq, uint64_t count,
		      struct span payload)
{
	uint8_t head[FRAME_HEADER_LEN];
	struct buf b = buf_over(head, sizeof(head));
	struct frame f = { .type = type, .lane = lane, .epoch = p->c->epoch, .seq = seq, .count = (uint32_t)count,
			   .payload = payload, .sensor_len = (uint8_t)strlen(p->c->sensor) };
	memcpy(f.sensor, p->c->sensor, f.sensor_len);
	if (frame_encode(&f, &b))
		return -EAGAIN;
	if (zmq_send(p->socket, head, b.len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
		return -EAGAIN;
	/* The parts of a message go to one pipe; once the first was taken the others do not wait. */
	return zmq_send(p->socket, payload.p ? (const void *)payload.p : "", payload.n, ZMQ_DONTWAIT) < 0 ? -EAGAIN : 0;
}

static void send_hello(struct publisher *p)
{
	uint8_t made[8 * LANES];
	struct buf b = buf_over(made, sizeof(made));
	for (int i = 0; i < LANES; i++)
		(void)buf_u64be(&b, p->lanes[i].made);
	(void)send_frame(p, FRAME_HELLO, FRAME_NO_LANE, 0, 0, buf_span(&b));
	p->hello_ns = p->now_ns;
}

/* The invariant of the header: nothing is lost without being counted. */
static void check_account(const struct publisher *p)
{
	for (int i = 0; i < LANES; i++) {
		const struct lane *l = &p->lanes[i];
		bool adds_up = l->made == l->committed + l->pending + l->dropped;
		if (!adds_up)
			log_error("publisher: lane %d does not add up: made %llu, committed %llu, pending %llu, dropped %llu", i,
				  (unsigned long long)l->made, (unsigned long long)l->committed,
				  (unsigned long long)l->pending, (unsigned long long)l->dropped);
		assert(adds_up);
	}
}

static void send_heartbeat(struct publisher *p)
{
	check_account(p);
	uint8_t account[24 * LANES];
	struct buf b = buf_over(account, sizeof(account));
	for (int i = 0; i < LANES; i++) {
		(void)buf_u64be(&b, p->lanes[i].made);
		(void)buf_u64be(&b, p->lanes[i].dropped - p->lanes[i].evicted);
		(void)buf_u64be(&b, p->lanes[i].evicted);
	}
	(void)send_frame(p, FRAME_HEARTBEAT, FRAME_NO_LANE, 0, 0, buf_span(&b));
	p->heartbeat_ns = p->now_ns;
}

/* Moves `unsent` past what was just sent: everything before `to`. */
static void mark_sent(struct publisher *p, struct lane *l, struct entry *to)
{
	if (!l->flight_bytes)
		l->progress_ns = p->now_ns;
	while (l->unsent != to) {
		l->flight_bytes += cost(l->unsent);
		if (last_seq(l->unsent) > l->sent)
			l->sent = last_seq(l->unsent);
		l->unsent = l->unsent->next;
	}
}

/* One batch, or one loss. True when something was sent. */
static bool send_next(struct publisher *p, uint8_t lane)
{
	struct lane *l = &p->lanes[lane];
	struct entry *first = l->unsent, *e = first;
	if (!first || l->flight_bytes >= FLIGHT_BYTES)
		return false;
	if (first->kind != EVENT) {
		if (send_frame(p, FRAME_LOST, lane, first->seq, first->count, (struct span){ 0 }))
			return false;
		mark_sent(p, l, first->next);
		return true;
	}
	struct buf b = buf_over(p->payload, sizeof(p->payload));
	uint64_t n = 0;
	while (e && e->kind == EVENT && n < BATCH_EVENTS && (!n || b.len + e->len <= BATCH_BYTES)) {
		(void)buf_put(&b, e->bytes, e->len);
		e = e->next;
		n++;
	}
	/* More may come to fill it, but the first one must not grow old. */
	if (!e && n < BATCH_EVENTS && !p->ended && p->now_ns - first->at_ns < BATCH_AGE)
		return false;
	if (send_frame(p, FRAME_BATCH, lane, first->seq, n, buf_span(&b)))
		return false;
	mark_sent(p, l, e);
	return true;
}

static void send_all(struct publisher *p)
{
	bool more = p->welcomed && !p->reused;
	while (more) {
		/* Alerts first: telemetry gets the wire when no alert is ready. */
		more = send_next(p, EVENT_LANE_ALERTS) || send_next(p, EVENT_LANE_TELEMETRY);
	}
}

/* -- from the collector -- */

/* What the collector holds of a lane, by its WELCOME. */
static int welcome_lane(struct publisher *p, struct lane *l, uint64_t held)
{
	if (held > l->made) {
		p->reused = true;
		return 0;
	}
	if (held > l->sent)
		l->sent = held;         /* of an earlier connection whose ACK was lost, or of a restarted publisher */
	commit(p, l, held);
	if (held < l->acked) {
		/* Its store was lost or restored from a backup: what it committed and forgot we no longer hold. */
		uint64_t first = l->first ? l->first->seq : l->made + 1;
		if (l->first && l->first->kind == GONE) {
			l->first->count += l->first->seq - (held + 1);
			l->first->seq = held + 1;
		} else {
			struct entry *e = entry_new(p, GONE, held + 1, first - (held + 1), (struct span){ 0 });
			if (!e)
				return -ENOMEM;
			e->next = l->first;
			if (l->first)
				l->first->prev = e;
			else
				l->last = e;
			l->first = e;
			l->bytes += cost(e);
		}
		l->acked = held;
	}
	rewind_lane(p, l);
	return 0;
}

static int take_frame(struct publisher *p, const struct frame *f)
{
	/* Another sensor's or another epoch's: late answers to who used this address before. */
	if (f->epoch != p->c->epoch || strcmp(f->sensor, p->c->sensor))
		return 0;
	if (f->type == FRAME_ACK) {
		struct lane *l = &p->lanes[f->lane];
		if (f->seq <= l->sent)
			commit(p, l, f->seq);
		return 0;
	}
	if (f->type != FRAME_WELCOME || p->welcomed)
		return 0;
	struct cursor c = cursor_from(f->payload);
	for (int i = 0; i < LANES; i++) {
		int err = welcome_lane(p, &p->lanes[i], cursor_u64be(&c));
		if (err)
			return err;
	}
	p->welcomed = true;
	if (p->told_late)
		log_info("publisher: the collector answers again");
	p->told_late = false;
	if (p->reused)
		log_error("publisher: the collector holds more of epoch %llu than was made in it", (unsigned long long)p->c->epoch);
	else
		send_heartbeat(p);      /* so that losses are known at once */
	return 0;
}

/* Reads one message of exactly two parts into head and payload. False when there is none. */
static bool receive(struct publisher *p, struct span *head, struct span *payload, bool *ret_good)
{
	static const size_t most = 64;  /* WELCOME carries 16 bytes; nothing we act on carries more */
	struct span *parts[2] = { head, payload };
	size_t n = 0;
	int more = 1;
	*ret_good = true;
	while (more) {
		uint8_t *mem = p->record + most * (n < 2 ? n : 1);
		int got = zmq_recv(p->socket, mem, most, ZMQ_DONTWAIT);
		if (got < 0)
			return false;
		if (n >= 2 || (size_t)got > most)
			*ret_good = false;
		else
			*parts[n] = (struct span){ mem, (size_t)got };
		n++;
		size_t size = sizeof(more);
		if (zmq_getsockopt(p->socket, ZMQ_RCVMORE, &more, &size))
			return false;
	}
	if (n != 2)
		*ret_good = false;
	return true;
}

static int receive_all(struct publisher *p)
{
	struct span head = { 0 }, payload = { 0 };
	struct frame f;
	bool good;
	while (receive(p, &head, &payload, &good)) {
		if (!good || frame_decode(head, payload, &f))
			continue;       /* not for this version, or not a frame: the collector's account shows it */
		int err = take_frame(p, &f);
		if (err)
			return err;
	}
	return 0;
}

/* A connection that came back begins with HELLO: the collector may be another process by now. */
static void watch_connection(struct publisher *p)
{
	uint8_t event[6], address[256];
	bool connected = false;
	while (zmq_recv(p->monitor, event, sizeof(event), ZMQ_DONTWAIT) >= 0) {
		/* u16 event, u32 value, in host order (zmq_socket_monitor(3)) */
		uint16_t kind;
		memcpy(&kind, event, sizeof(kind));
		if (kind == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
			connected = true;
		(void)zmq_recv(p->monitor, address, sizeof(address), ZMQ_DONTWAIT);
	}
	if (connected) {
		p->welcomed = false;
		send_hello(p);
	}
}

static void run_timers(struct publisher *p)
{
	for (int i = 0; i < LANES && p->welcomed; i++) {
		struct lane *l = &p->lanes[i];
		if (!l->flight_bytes || p->now_ns - l->progress_ns < p->resend_ns)
			continue;
		/* Ask rather than repeat blindly: the WELCOME says where to go on, and rewinds. */
		p->welcomed = false;
		send_hello(p);
	}
	uint64_t every = p->resend_ns < HELLO_EVERY ? p->resend_ns : HELLO_EVERY;
	if (!p->welcomed && p->now_ns - p->hello_ns >= every) {
		if (!p->told_late && p->hello_ns) {
			log_warn("publisher: no answer from the collector at %s; events are kept", p->c->endpoint);
			p->told_late = true;
		}
		send_hello(p);
	}
	if (p->welcomed && p->now_ns - p->heartbeat_ns >= HEARTBEAT_EVERY)
		send_heartbeat(p);
}

/* -- the whole -- */

static void account(const struct publisher *p, struct publisher_account *ret)
{
	struct publisher_account a = { .invalid = p->invalid };
	for (int i = 0; i < LANES; i++) {
		const struct lane *l = &p->lanes[i];
		a.made[i] = l->made;
		a.committed[i] = l->committed;
		a.pending[i] = l->pending;
		a.dropped[i] = l->dropped;
	}
	check_account(p);
	*ret = a;
}

static bool all_committed(const struct publisher *p)
{
	for (int i = 0; i < LANES; i++) {
		if (p->lanes[i].first)
			return false;
	}
	return true;
}

static int set(void *socket, int option, int value) { return zmq_setsockopt(socket, option, &value, sizeof(value)); }

static int open_socket(struct publisher *p)
{
	/* The context is ours alone, so the name is, too. */
	static const char monitor[] = "inproc://publisher-monitor";
	p->context = zmq_ctx_new();
	if (!p->context)
		return -ENOMEM;
	p->socket = zmq_socket(p->context, ZMQ_DEALER);
	p->monitor = zmq_socket(p->context, ZMQ_PAIR);
	if (!p->socket || !p->monitor)
		return -errno;
	/* IMMEDIATE: nothing is queued for a peer that is not there; the window is the queue. The heartbeats notice
	 * a peer that vanished without a word. LINGER: only for what is in libzmq when we leave, the BYE. */
	if (set(p->socket, ZMQ_IMMEDIATE, 1) || set(p->socket, ZMQ_LINGER, 200) || set(p->monitor, ZMQ_LINGER, 0) ||
	    set(p->socket, ZMQ_RECONNECT_IVL, 100) || set(p->socket, ZMQ_RECONNECT_IVL_MAX, 5000) ||
	    set(p->socket, ZMQ_HEARTBEAT_IVL, 2000) || set(p->socket, ZMQ_HEARTBEAT_TIMEOUT, 6000) ||
	    zmq_socket_monitor(p->socket, monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED) || zmq_connect(p->monitor, monitor) ||
	    zmq_connect(p->socket, p->c->endpoint))
		return -errno;
	return 0;
}

static int run(struct publisher *p, struct ring *r)
{
	int corrupt = 0;
	for (;;) {
		p->now_ns = clock_mono_ns();
		look_for_stop(p);
		bool idle = p->ended || held_up(p);
		if (idle) {
			/* Nothing comes from the ring: the collector is what we wait for. */
			zmq_pollitem_t item = { .socket = p->socket, .events = ZMQ_POLLIN };
			(void)zmq_poll(&item, 1, 10);
		}
		p->now_ns = clock_mono_ns();
		/* Short waits: acknowledgements are looked at in between. */
		int err = take_records(p, r, idle ? 0 : 5);
		if (err == -ENOMEM)
			return err;
		if (err)
			corrupt = err;
		p->now_ns = clock_mono_ns();
		watch_connection(p);
		err = receive_all(p);
		if (err)
			return err;
		if (p->reused)
			return -EEXIST;
		run_timers(p);
		send_all(p);
		if (!p->ended)
			continue;
		if (all_committed(p)) {
			if (p->welcomed) {
				send_heartbeat(p);
				(void)send_frame(p, FRAME_BYE, FRAME_NO_LANE, 0, 0, (struct span){ 0 });
			}
			return corrupt;
		}
		if (p->now_ns - p->ended_ns >= (uint64_t)p->c->linger_s * 1000 * MS)
			return corrupt ? corrupt : -ETIMEDOUT;
	}
}

int publisher_run(const struct publisher_config *c, struct ring *r, struct publisher_account *ret)
{
	*ret = (struct publisher_account){ 0 };
	struct publisher *p = NULL;
	int err = -EINVAL;
	/* Two windows and the ring's largest record must be countable. */
	if (vocab_fits(VOCAB_G_ID, FRAME_SENSOR_LEN, span_str(c->sensor)) && c->window_bytes <= SIZE_MAX / 4) {
		p = calloc(1, sizeof(*p));
		err = p ? 0 : -ENOMEM;
	}
	if (!err) {
		p->c = c;
		p->resend_ns = c->resend_ms ? c->resend_ms * MS : RESEND_AFTER;
		p->now_ns = clock_mono_ns();
		err = open_socket(p);
	}
	if (!err)
		err = run(p, r);
	ring_abandon(r);
	if (!p)
		return err;
	account(p, ret);
	for (int i = 0; i < LANES; i++) {
		while (p->lanes[i].first)
			unlink_entry(&p->lanes[i], p->lanes[i].first);
	}
	if (p->socket)
		(void)zmq_close(p->socket);
	if (p->monitor)
		(void)zmq_close(p->monitor);
	if (p->context)
		(void)zmq_ctx_term(p->context);
	free(p);
	return err;
}
