#include "collector/receiver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include "collector/twins.h"
#include "core/addr.h"
#include "core/clock.h"
#include "core/frame.h"

enum {
	PARTS = 3,              /* identity, header, payload */
	QUEUE = 64,             /* whole messages held per sensor, and the sensor waits for its ACKs anyway; ZeroMQ sets no limit to the
				 * parts of one that is not whole yet, so whoever may connect can fill our memory (SECURITY.md) */
	HEARTBEAT_MS = 5000,    /* of ZeroMQ itself, to notice a peer that vanished */
};

struct receiver {
	void *context, *socket;
	bool own_context;
	struct store *store;
	struct receiver_stats stats;
	struct twins twins;
	char endpoint[256];
};

bool receiver_is_local(const char *endpoint)
{
	struct addr a;
	if (!strncmp(endpoint, "ipc://", 6) || !strncmp(endpoint, "inproc://", 9))
		return true;
	if (strncmp(endpoint, "tcp://", 6))
		return false;
	struct span host = span_str(endpoint + 6);
	while (host.n && host.p[host.n - 1] != ':')
		host.n--;
	if (!host.n)
		return false;
	host.n--;
	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = (struct span){ host.p + 1, host.n - 2 };
	/* A name could resolve to anything tomorrow; a wildcard or an interface name is everything. */
	return !addr_parse(host, &a) && addr_is_loopback(&a);
}

/* ZeroMQ removes whatever file is in its way, be it a socket that somebody listens on or not a socket at all: so look and
 * ask first. A socket that nobody answers at was left behind. 0, -EADDRINUSE, or -EEXIST for what is no socket. */
static int is_taken(const char *endpoint)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct stat st;
	if (strncmp(endpoint, "ipc://", 6) || endpoint[6] == '@' || strlen(endpoint + 6) >= sizeof(to.sun_path))
		return 0;
	memcpy(to.sun_path, endpoint + 6, strlen(endpoint + 6));
	if (!lstat(to.sun_path, &st) && !S_ISSOCK(st.st_mode))
		return -EEXIST;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* EAGAIN: somebody listens and is busy (unix(7)). */
	bool taken = fd >= 0 && (!connect(fd, (const struct sockaddr *)&to, sizeof(to)) || errno == EAGAIN);
	if (fd >= 0)
		(void)close(fd);
	return taken ? -EADDRINUSE : 0;
}

int receiver_open(const char *endpoint, void *context, struct store *store, struct receiver **ret, char why[static 256])
{
	int taken = is_taken(endpoint);
	if (taken) {
		(void)snprintf(why, 256, "cannot listen on %.120s: %s, or choose another endpoint", endpoint, taken == -EEXIST ?
			       "what has that name is no socket; remove it yourself" :
			       "another process listens there (a collector?); stop that one");
		return taken;
	}
	struct receiver *r = calloc(1, sizeof(*r));
	if (!r) {
		(void)snprintf(why, 256, "memory is out");
		return -ENOMEM;
	}
	r->store = store;
	r->own_context = !context;
	r->context = context ? context : zmq_ctx_new();
	r->socket = r->context ? zmq_socket(r->context, ZMQ_ROUTER) : NULL;
	const int linger = 1000, queue = QUEUE, heartbeat = HEARTBEAT_MS, v6 = strstr(endpoint, "tcp://[") == endpoint;
	const int64_t most = FRAME_MAX_PAYLOAD;
	size_t n = sizeof(r->endpoint);
	if (!r->socket || zmq_setsockopt(r->socket, ZMQ_LINGER, &linger, sizeof(linger)) ||
	    zmq_setsockopt(r->socket, ZMQ_RCVHWM, &queue, sizeof(queue)) ||
	    zmq_setsockopt(r->socket, ZMQ_SNDHWM, &queue, sizeof(queue)) ||
	    zmq_setsockopt(r->socket, ZMQ_MAXMSGSIZE, &most, sizeof(most)) ||
	    zmq_setsockopt(r->socket, ZMQ_HEARTBEAT_IVL, &heartbeat, sizeof(heartbeat)) ||
	    zmq_setsockopt(r->socket, ZMQ_IPV6, &v6, sizeof(v6)) || zmq_bind(r->socket, endpoint) ||
	    zmq_getsockopt(r->socket, ZMQ_LAST_ENDPOINT, r->endpoint, &n)) {
		int err = zmq_errno();
		(void)snprintf(why, 256, "cannot listen on %s: %s", endpoint, zmq_strerror(err));
		receiver_close(r);
		return -err;
	}
	*ret = r;
	return 0;
}

void receiver_close(struct receiver *r)
{
	if (!r)
		return;
	if (r->socket)
		(void)zmq_close(r->socket);
	if (r->own_context && r->context)
		(void)zmq_ctx_term(r->context);
	free(r);
}

const struct receiver_stats *receiver_stats(const struct receiver *r) { return &r->stats; }
const char *receiver_endpoint(const struct receiver *r) { return r->endpoint; }

static struct span data_of(zmq_msg_t *m) { return (struct span){ zmq_msg_data(m), zmq_msg_size(m) }; }

/* Never waits: an answer that cannot be sent now is one that the sensor will ask for again. */
static void answer(struct receiver *r, struct span identity, const struct frame *to, enum frame_type type, uint8_t lane,
		   uint64_t seq, struct span payload)
{
	uint8_t header[FRAME_HEADER_LEN];
	struct buf b = buf_over(header, sizeof(header));
	struct frame f = *to;
	f.type = type;
	f.lane = lane;
	f.seq = seq;
	f.count = 0;
	f.payload = payload;
	if (frame_encode(&f, &b) || zmq_send(r->socket, identity.p, identity.n, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
	    zmq_send(r->socket, header, b.len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
	    zmq_send(r->socket, payload.n ? (const void *)payload.p : "", payload.n, ZMQ_DONTWAIT) < 0)
		r->stats.unsent++;
}

static void on_batch(struct receiver *r, struct span identity, const struct frame *f)
{
	enum store_batch kind;
	int err = f->type == FRAME_LOST ? store_lost(r->store, f, &kind) : store_batch(r->store, f, &kind);
	if (err) {
		r->stats.failed++;
		r->stats.last_error = err;
		return;
	}
	if (kind == STORE_NEW)
		r->stats.batches++;
	else if (kind == STORE_DUPLICATE)
		r->stats.duplicates++;
	else if (kind == STORE_FOREIGN)
		r->stats.foreign++;
	else
		r->stats.gaps++;
	if (kind == STORE_FOREIGN) {
		/* An ACK would be taken for what another sent. */
		memcpy(r->stats.twin, f->sensor, sizeof(r->stats.twin));
		twins_set_foreign(&r->twins, f->sensor, identity, clock_mono_ns());
		return;
	}
	answer(r, identity, f, FRAME_ACK, f->lane, store_committed(r->store, f->sensor, f->epoch, f->lane), (struct span){ 0 });
}

static void on_frame(struct receiver *r, struct span identity, const struct frame *f)
{
	uint8_t committed[8 * EVENT_LANES];
	struct buf b = buf_over(committed, sizeof(committed));
	switch (f->type) {
	case FRAME_HELLO:
		for (unsigned lane = 0; lane < EVENT_LANES; lane++)
			(void)buf_u64be(&b, twins_is_foreign(&r->twins, f->sensor, identity) ? UINT64_MAX :
					    store_committed(r->store, f->sensor, f->epoch, lane));
		answer(r, identity, f, FRAME_WELCOME, FRAME_NO_LANE, 0, buf_span(&b));
		return;
	case FRAME_BATCH:
	case FRAME_LOST:
		on_batch(r, identity, f);
		return;
	case FRAME_HEARTBEAT:
		if (twins_heard(&r->twins, f->sensor, identity, clock_mono_ns())) {
			r->stats.twins++;
			memcpy(r->stats.twin, f->sensor, sizeof(r->stats.twin));
		}
		if (f->payload.n) {
			struct cursor c = cursor_from(f->payload);
			uint64_t v[6];
			for (int i = 0; i < 6; i++)
				v[i] = cursor_u64be(&c);
			/* The next heartbeat brings the same sums: one that is not written is no loss. */
			if (cursor_ok(&c))
				(void)store_account(r->store, f->sensor, f->epoch, v);
		}
		answer(r, identity, f, FRAME_HEARTBEAT, FRAME_NO_LANE, 0, (struct span){ 0 });
		return;
	case FRAME_BYE:
		return;
	default:
		/* Ours to say, not a sensor's. */
		r->stats.frames--;
		r->stats.refused++;
	}
}

/* One message with all its parts. 1, 0 when there is none, or -errno. */
static int receive(struct receiver *r)
{
	zmq_msg_t part[PARTS];
	size_t n = 0, kept = 0;
	int more = 1, err = 0;
	while (more && !err) {
		zmq_msg_t extra, *m = kept < PARTS ? &part[kept] : &extra;
		(void)zmq_msg_init(m);
		if (zmq_msg_recv(m, r->socket, ZMQ_DONTWAIT) < 0) {
			err = zmq_errno();
			(void)zmq_msg_close(m);
			break;
		}
		more = zmq_msg_more(m);
		n++;
		if (m == &extra)
			(void)zmq_msg_close(m);
		else
			kept++;
	}
	if (!err) {
		struct frame f;
		if (n == PARTS && !frame_decode(data_of(&part[1]), data_of(&part[2]), &f)) {
			r->stats.frames++;
			on_frame(r, data_of(&part[0]), &f);
		} else {
			r->stats.refused++;
		}
	}
	for (size_t i = 0; i < kept; i++)
		(void)zmq_msg_close(&part[i]);
	return !err ? 1 : err == EAGAIN ? 0 : -err;
}

int receiver_poll(struct receiver *r, unsigned wait_ms, unsigned most)
{
	zmq_pollitem_t item = { .socket = r->socket, .events = ZMQ_POLLIN };
	if (zmq_poll(&item, 1, (long)wait_ms) < 0)
		return zmq_errno() == EINTR ? 0 : -zmq_errno();
	int n = 0;
	while ((unsigned)n < most) {
		int got = receive(r);
		if (got < 0)
			return got == -EINTR ? n : got;
		if (!got)
			break;
		n++;
	}
	return n;
}
