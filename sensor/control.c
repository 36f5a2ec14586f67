#include "sensor/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/cursor.h"

/* u32 kind, u32 err (two's complement), u64 number, u64 count, text to the end. */
enum { WIRE_FIXED = 24, WIRE_MAX = WIRE_FIXED + CONTROL_TEXT };

union fd_message {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(int))];
};

int control_pair(int ret[static 2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0 ? -errno : 0;
}

int control_send(int fd, const struct control *m)
{
	uint8_t wire[WIRE_MAX];
	struct buf b = buf_over(wire, sizeof(wire));
	(void)buf_u32be(&b, (uint32_t)m->kind);
	(void)buf_u32be(&b, (uint32_t)m->err);
	(void)buf_u64be(&b, m->number);
	(void)buf_u64be(&b, m->count);
	(void)buf_put(&b, m->text, strnlen(m->text, CONTROL_TEXT - 1));
	struct iovec iov = { .iov_base = b.data, .iov_len = b.len };
	union fd_message c = { 0 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (m->fd >= 0) {
		h.msg_control = c.room;
		h.msg_controllen = sizeof(c.room);
		struct cmsghdr *head = CMSG_FIRSTHDR(&h);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &m->fd, sizeof(int));
	}
	ssize_t n;
	do
		n = sendmsg(fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	return errno == ECONNRESET ? -EPIPE : -errno;
}

static int parse(struct span wire, struct control *m)
{
	struct cursor c = cursor_from(wire);
	uint32_t kind = cursor_u32be(&c);
	m->err = (int)cursor_u32be(&c);
	m->number = cursor_u64be(&c);
	m->count = cursor_u64be(&c);
	struct span text = cursor_rest(&c);
	if (!cursor_ok(&c) || !kind || kind >= CONTROL_KINDS || text.n >= CONTROL_TEXT)
		return -EBADMSG;
	m->kind = (enum control_kind)kind;
	if (text.n)
		memcpy(m->text, text.p, text.n);
	m->text[text.n] = '\0';
	return 1;
}

int control_recv(int fd, unsigned wait_ms, struct control *ret)
{
	if (wait_ms) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int ready = poll(&p, 1, (int)wait_ms);
		if (ready <= 0)
			return ready == 0 || errno == EINTR ? 0 : -errno;
	}
	uint8_t wire[WIRE_MAX];
	struct iovec iov = { .iov_base = wire, .iov_len = sizeof(wire) };
	union fd_message c = { 0 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.room, .msg_controllen = sizeof(c.room) };
	ssize_t n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return 0;
		return errno == ECONNRESET ? -EPIPE : -errno;
	}
	struct control m = { .fd = -1 };
	struct cmsghdr *head = h.msg_controllen ? CMSG_FIRSTHDR(&h) : NULL;
	bool rights = head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS, too_many = false;
	/* The padding of the room has place for a second descriptor: it is nobody's and must not stay open. */
	for (size_t at = 0; rights && CMSG_LEN(at + sizeof(int)) <= head->cmsg_len; at += sizeof(int)) {
		int fd_at;
		memcpy(&fd_at, CMSG_DATA(head) + at, sizeof(int));
		if (at == 0) {
			m.fd = fd_at;
		} else {
			(void)close(fd_at);
			too_many = true;
		}
	}
	int got = -EBADMSG;
	if (n == 0)
		got = -EPIPE;
	else if (!too_many && !(h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		got = parse((struct span){ wire, (size_t)n }, &m);
	if (got < 0) {
		if (m.fd >= 0)
			(void)close(m.fd);
		return got;
	}
	*ret = m;
	return 1;
}
