#include "collector/sink_syslog.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/utf8.h"
#include "rules/rule.h"

enum {
	MESSAGE_MAX = 8000,     /* rsyslog's and syslog-ng's default limits are 8 KiB; RFC 5424, 6.1 asks 480 */
	KEPT_MAX = 48 << 10,    /* bytes kept until confirmed: a screenful of alerts */
	KEPT_MESSAGES = 64,
	ADDRESSES = 4,          /* of one name, tried in turn */
	FACILITY = 20,          /* local4: RFC 5424, 6.2.1 has none for alarms of appliances */
};
#define SETTLE_NS (2 * CLOCK_SECOND)    /* confirmed by TCP for this long without a reset: it was read */
#define BACKOFF_MAX_NS (30 * CLOCK_SECOND)
#define CONNECT_MAX_NS (10 * CLOCK_SECOND)

struct syslog {
	int fd;                         /* -1 without a connection; 0 until opened */
	bool opened, connected;
	int trouble;                    /* -errno that ended the last connection or attempt; 0 with a connection */
	char host[256];
	struct sockaddr_storage to[ADDRESSES];
	socklen_t to_len[ADDRESSES];
	unsigned n_to, next_to;
	uint64_t retry_ns, backoff_ns, began_ns;        /* monotonic */
	/* Messages from the first unconfirmed one on, framed. */
	size_t len, sent;
	struct { size_t end; uint64_t acked_ns; } m[KEPT_MESSAGES];     /* acked_ns: since when TCP confirms it; 0: not yet */
	size_t n;
	bool waiting;                   /* the last message is not wholly sent: its alert has not been taken */
	uint8_t kept[KEPT_MAX];
};

_Static_assert(sizeof(struct syslog) <= (size_t)SINK_SELF_MAX, "fits the block that sinks get");

/* --- the message --- */

/* RFC 5424, 6.3.3: '"', '\' and ']' are escaped, nothing else; control characters never leave. */
static void put_value(struct buf *out, struct span s)
{
	while (s.n) {
		uint32_t cp;
		int len = utf8_next(s, &cp);
		size_t n = (size_t)(len < 0 ? -len : len);
		if (len < 0 || utf8_is_control(cp)) {
			(void)buf_u8(out, '?');
		} else {
			if (cp == '"' || cp == '\\' || cp == ']')
				(void)buf_u8(out, '\\');
			(void)buf_put(out, s.p, n);
		}
		s = span_from(s, n);
	}
}

static void put_param(struct buf *out, const char *name, struct span value)
{
	if (!value.n)
		return;
	(void)buf_printf(out, " %s=\"", name);
	put_value(out, value);
	(void)buf_u8(out, '"');
}

static void put_field(struct buf *out, const struct event *e, enum event_field f)
{
	const struct vocab_field *d = &event_vocab.fields[f];
	const uint8_t *at = (const uint8_t *)e + d->offset;
	char text[ADDR_STRLEN];
	uint64_t u;
	struct span s;
	struct addr a;
	if (!event_has(e, f))
		return;
	switch (d->kind) {
	case VOCAB_TEXT:
		memcpy(&s, at, sizeof(s));
		put_param(out, d->name, s);
		break;
	case VOCAB_WORD:
		memcpy(&u, at, sizeof(u));
		if (vocab_word(&event_vocab, f, u))
			put_param(out, d->name, span_str(vocab_word(&event_vocab, f, u)));
		break;
	case VOCAB_UINT:
		memcpy(&u, at, sizeof(u));
		(void)buf_printf(out, " %s=\"%llu\"", d->name, (unsigned long long)u);
		break;
	case VOCAB_ADDR:
		memcpy(&a, at, sizeof(a));
		put_param(out, d->name, span_str(addr_str(&a, text)));
		break;
	default:
		break;
	}
}

int sink_syslog_format(const struct alert *a, const char *host, struct buf *out)
{
	/* RFC 5424, Table 2: critical, error, warning, notice, informational. */
	static const unsigned levels[] = { [EVENT_INFO] = 6, [EVENT_LOW] = 5, [EVENT_MEDIUM] = 4, [EVENT_HIGH] = 3,
					   [EVENT_CRITICAL] = 2 };
	static const enum event_field fields[] = {
		EVENT_F_rule, EVENT_F_verdict, EVENT_F_what, EVENT_F_confidence, EVENT_F_device, EVENT_F_device_type,
		EVENT_F_device_addr, EVENT_F_device_zone, EVENT_F_peer, EVENT_F_peer_class, EVENT_F_peer_addr,
		EVENT_F_initiator, EVENT_F_transport, EVENT_F_port, EVENT_F_service, EVENT_F_authority, EVENT_F_document,
		EVENT_F_revision, EVENT_F_row, EVENT_F_said, EVENT_F_seen, EVENT_F_space,
	};
	size_t mark = out->len;
	char last[CLOCK_STRLEN], first[CLOCK_STRLEN];
	unsigned level = (size_t)a->severity < sizeof(levels) / sizeof(*levels) ? levels[a->severity] : 6;
	clock_str(a->last_ns, last);
	clock_str(a->first_ns, first);
	const char *family = a->event.head.type < event_vocab.n_types ? event_vocab.types[a->event.head.type].name : "-";
	const char *severity = vocab_word(&event_vocab, EVENT_F_severity, a->severity);
	const char *state = alert_state_word(a->state);
	/* TIME-SECFRAC has at most six digits (6.2.3). The SD-ID's number is RFC 5612's for examples until this
	 * project has one of its own. */
	(void)buf_printf(out, "<%u>1 %.26sZ %s spanward - %s [alert@32473", FACILITY * 8 + level, last, host, family);
	put_param(out, "id", span_str(a->id));
	put_param(out, "state", span_str(state ? state : "open"));
	put_param(out, "severity", span_str(severity ? severity : "info"));
	(void)buf_printf(out, " count=\"%llu\" first=\"%s\" last=\"%s\"", (unsigned long long)a->count, first, last);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		put_field(out, &a->event, fields[i]);
	(void)buf_str(out, "] ");
	/* No byte order mark before the text: rsyslog leaves it inside the message, where people see it. */
	uint8_t text[2048];
	struct buf b = buf_over(text, sizeof(text));
	if (!rule_explain(&a->event, RULE_EN, &b))
		for (struct span s = buf_span(&b); s.n;) {
			uint32_t cp;
			int len = utf8_next(s, &cp);
			size_t n = (size_t)(len < 0 ? -len : len);
			(void)buf_put(out, len < 0 || utf8_is_control(cp) ? (const uint8_t *)"?" : s.p,
				      len < 0 || utf8_is_control(cp) ? 1 : n);
			s = span_from(s, n);
		}
	if (!out->full)
		return 0;
	buf_rewind(out, mark);
	return -ENOBUFS;
}

/* --- the connection --- */

static int syslog_open(void *self, const char *target, char why[static 256])
{
	struct syslog *s = self;
	char host[256], port[6];
	s->fd = -1;
	s->opened = true;
	const char *colon = strrchr(target, ':');
	size_t n = colon && !strncmp(target, "tcp:", 4) && colon > target + 4 ? (size_t)(colon - target) - 4 : 0;
	if (!n || n >= sizeof(host) || strlen(colon + 1) >= sizeof(port)) {
		(void)snprintf(why, 256, "syslog: expected tcp:HOST:PORT, found '%s'", target);
		return -EINVAL;
	}
	const char *name = target + 4;
	bool bracketed = name[0] == '[' && name[n - 1] == ']';
	(void)snprintf(host, sizeof(host), "%.*s", (int)(n - (bracketed ? 2 : 0)), name + bracketed);
	(void)snprintf(port, sizeof(port), "%s", colon + 1);
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	/* Once, here: a name server that is slow later must not hold up what comes in. */
	int r = getaddrinfo(host, port, &hints, &list);
	if (r) {
		(void)snprintf(why, 256, "syslog: %s: %s", target, gai_strerror(r));
		return r == EAI_MEMORY ? -ENOMEM : -EINVAL;
	}
	for (const struct addrinfo *i = list; i && s->n_to < ADDRESSES; i = i->ai_next) {
		memcpy(&s->to[s->n_to], i->ai_addr, i->ai_addrlen);
		s->to_len[s->n_to++] = i->ai_addrlen;
	}
	freeaddrinfo(list);
	/* RFC 5424, 6.2.4: printable ASCII without spaces. */
	if (gethostname(s->host, sizeof(s->host) - 1) || !s->host[0])
		(void)snprintf(s->host, sizeof(s->host), "-");
	for (char *c = s->host; *c; c++)
		if (*c <= ' ' || *c > '~')
			*c = '?';
	return 0;
}

/* The connection is gone: all that is not surely read goes out again on the next one. */
static void broke(struct syslog *s, uint64_t now, int err)
{
	s->trouble = err;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->connected = false;
	s->sent = 0;
	for (size_t i = 0; i < s->n; i++)
		s->m[i].acked_ns = 0;
	s->next_to = (s->next_to + 1) % (s->n_to ? s->n_to : 1);
	s->backoff_ns = s->backoff_ns ? s->backoff_ns * 2 : CLOCK_SECOND / 4;
	if (s->backoff_ns > BACKOFF_MAX_NS)
		s->backoff_ns = BACKOFF_MAX_NS;
	s->retry_ns = now + s->backoff_ns;
}

static int ensure_connected(struct syslog *s, uint64_t now)
{
	if (s->connected) {
		/* A log server says nothing; the end of its side means that it has gone. */
		char c;
		ssize_t n = recv(s->fd, &c, 1, MSG_DONTWAIT);
		if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)))
			return 0;
		broke(s, now, n < 0 ? -errno : -ECONNRESET);
		return -EAGAIN;
	}
	if (s->fd < 0) {
		if (now < s->retry_ns || !s->n_to)
			return -EAGAIN;
		const struct sockaddr *to = (const struct sockaddr *)&s->to[s->next_to];
		const int on = 1;
		s->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (s->fd < 0 || (connect(s->fd, to, s->to_len[s->next_to]) && errno != EINPROGRESS)) {
			broke(s, now, -errno);
			return -EAGAIN;
		}
		(void)setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		s->began_ns = now;
	}
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };
	int err = 0;
	socklen_t n = sizeof(err);
	if (poll(&p, 1, 0) <= 0) {
		if (now - s->began_ns > CONNECT_MAX_NS)
			broke(s, now, -ETIMEDOUT);
		return -EAGAIN;
	}
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &n) || err) {
		broke(s, now, err ? -err : -EIO);
		return -EAGAIN;
	}
	s->connected = true;
	s->trouble = 0;
	s->backoff_ns = 0;
	return 0;
}

/* Notes what the peer's TCP has confirmed, and lets go of what has been so for a while. */
static void settle(struct syslog *s, uint64_t now)
{
	int queued;
	if (!s->connected || ioctl(s->fd, SIOCOUTQ, &queued) || queued < 0 || (size_t)queued > s->sent)
		return;
	size_t confirmed = s->sent - (size_t)queued, drop = 0;
	for (size_t i = 0; i < s->n && s->m[i].end <= confirmed; i++) {
		if (!s->m[i].acked_ns)
			s->m[i].acked_ns = now;
		if (drop == i && now - s->m[i].acked_ns >= SETTLE_NS)
			drop = i + 1;
	}
	/* The alert of the last message is still being asked about. */
	if (drop == s->n && s->waiting && drop)
		drop--;
	if (!drop)
		return;
	size_t bytes = s->m[drop - 1].end;
	memmove(s->kept, s->kept + bytes, s->len - bytes);
	memmove(s->m, s->m + drop, (s->n - drop) * sizeof(s->m[0]));
	s->n -= drop;
	s->len -= bytes;
	s->sent -= bytes;
	for (size_t i = 0; i < s->n; i++)
		s->m[i].end -= bytes;
}

static int flush(struct syslog *s, uint64_t now)
{
	while (s->sent < s->len) {
		ssize_t n = send(s->fd, s->kept + s->sent, s->len - s->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				broke(s, now, -errno);
			return -EAGAIN;
		}
		s->sent += (size_t)n;
	}
	return 0;
}

/* The oldest message goes, confirmed or not: for new ones when the keeping room is used up by those that were at
 * least handed to the peer's TCP. */
static bool make_room(struct syslog *s, size_t bytes)
{
	while (s->n && (s->n == KEPT_MESSAGES || s->len + bytes > KEPT_MAX)) {
		size_t end = s->m[0].end;
		if (!s->m[0].acked_ns || end > s->sent)
			return false;
		memmove(s->kept, s->kept + end, s->len - end);
		memmove(s->m, s->m + 1, (s->n - 1) * sizeof(s->m[0]));
		s->n--;
		s->len -= end;
		s->sent -= end;
		for (size_t i = 0; i < s->n; i++)
			s->m[i].end -= end;
	}
	return s->n < KEPT_MESSAGES && s->len + bytes <= KEPT_MAX;
}

static int syslog_send(void *self, const struct alert *a)
{
	struct syslog *s = self;
	uint8_t message[MESSAGE_MAX], framed[MESSAGE_MAX + 8];
	struct buf m = buf_over(message, sizeof(message)), b = buf_over(framed, sizeof(framed));
	uint64_t now = clock_mono_ns();
	if (sink_syslog_format(a, s->host, &m) || buf_printf(&b, "%zu ", m.len) || buf_put(&b, m.data, m.len))
		return -EMSGSIZE;
	if (ensure_connected(s, now) || flush(s, now))
		return -EAGAIN;
	settle(s, now);
	if (s->waiting) {
		/* The message that had not left wholly has now; was it this alert as it still is? */
		size_t begin = s->n > 1 ? s->m[s->n - 2].end : 0;
		bool same = s->n && s->m[s->n - 1].end - begin == b.len && !memcmp(s->kept + begin, b.data, b.len);
		s->waiting = false;
		if (same)
			return 0;
	}
	if (!make_room(s, b.len))
		return -EAGAIN;
	memcpy(s->kept + s->len, b.data, b.len);
	s->len += b.len;
	s->m[s->n].end = s->len;
	s->m[s->n++].acked_ns = 0;
	s->waiting = flush(s, now) != 0;
	return s->waiting ? -EAGAIN : 0;
}

static int syslog_poll_fd(void *self)
{
	struct syslog *s = self;
	uint64_t now = clock_mono_ns();
	/* Called in every round: the place to notice a lost connection while no alert comes, and to resend. */
	if (s->n && !ensure_connected(s, now) && !flush(s, now))
		settle(s, now);
	return s->fd;
}

static int syslog_trouble(void *self) { return ((const struct syslog *)self)->trouble; }

static void syslog_close(void *self)
{
	struct syslog *s = self;
	if (s->opened && s->fd >= 0)
		close(s->fd);
	s->opened = false;
	s->fd = -1;
}

const struct sink_ops sink_syslog = {
	.name = "syslog", .self_size = sizeof(struct syslog), .open = syslog_open, .send = syslog_send,
	.poll_fd = syslog_poll_fd, .trouble = syslog_trouble, .close = syslog_close,
};
