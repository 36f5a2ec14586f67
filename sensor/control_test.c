/* control.c: messages and descriptors cross; what is not a message is refused and leaves nothing open. */
#include "sensor/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/test.h"

static void carries_every_field(void)
{
	int p[2];
	CU_ASSERT_EQUAL_FATAL(control_pair(p), 0);
	struct control m = { .kind = CONTROL_FILE, .err = -1002, .number = 7, .count = UINT64_MAX, .fd = -1, .text = "bad block" };
	struct control got = { 0 };
	CU_ASSERT_EQUAL(control_recv(p[0], 0, &got), 0);
	CU_ASSERT_EQUAL(control_send(p[1], &m), 0);
	CU_ASSERT_EQUAL(control_recv(p[0], 1000, &got), 1);
	CU_ASSERT(got.kind == m.kind && got.err == m.err && got.number == 7 && got.count == UINT64_MAX && got.fd == -1);
	CU_ASSERT_STRING_EQUAL(got.text, "bad block");
	(void)close(p[0]);
	(void)close(p[1]);
}

static void passes_a_descriptor(void)
{
	int p[2];
	char text[4] = "";
	CU_ASSERT_EQUAL_FATAL(control_pair(p), 0);
	int fd = memfd_create("x", MFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL(write(fd, "abc", 3), 3);
	struct control m = { .kind = CONTROL_POLICY, .number = 2, .fd = fd }, got = { 0 };
	CU_ASSERT_EQUAL(control_send(p[0], &m), 0);
	(void)close(fd);
	CU_ASSERT_EQUAL_FATAL(control_recv(p[1], 0, &got), 1);
	CU_ASSERT_FATAL(got.fd >= 0);
	CU_ASSERT_EQUAL(fcntl(got.fd, F_GETFD), FD_CLOEXEC);
	CU_ASSERT_EQUAL(pread(got.fd, text, 3, 0), 3);
	CU_ASSERT_STRING_EQUAL(text, "abc");
	(void)close(got.fd);
	(void)close(p[0]);
	(void)close(p[1]);
}

static void says_when_the_other_end_is_gone(void)
{
	int p[2];
	struct control m = { .kind = CONTROL_STOP, .fd = -1 }, got = { 0 };
	CU_ASSERT_EQUAL_FATAL(control_pair(p), 0);
	CU_ASSERT_EQUAL(control_send(p[0], &m), 0);
	(void)close(p[0]);
	CU_ASSERT_EQUAL(control_recv(p[1], 0, &got), 1);
	CU_ASSERT_EQUAL(control_recv(p[1], 0, &got), -EPIPE);
	CU_ASSERT_EQUAL(control_send(p[1], &m), -EPIPE);
	(void)close(p[1]);
}

static void does_not_wait_when_full(void)
{
	int p[2], err = 0;
	struct control m = { .kind = CONTROL_STOP, .fd = -1 };
	CU_ASSERT_EQUAL_FATAL(control_pair(p), 0);
	for (int i = 0; i < 1000000 && !err; i++)
		err = control_send(p[0], &m);
	CU_ASSERT_EQUAL(err, -EAGAIN);
	(void)close(p[0]);
	(void)close(p[1]);
}

static int recv_raw(const void *bytes, size_t n)
{
	int p[2];
	struct control got = { 0 };
	CU_ASSERT_EQUAL_FATAL(control_pair(p), 0);
	CU_ASSERT_EQUAL_FATAL(send(p[0], bytes, n, 0), (ssize_t)n);
	int r = control_recv(p[1], 0, &got);
	(void)close(p[0]);
	(void)close(p[1]);
	return r;
}

static void rejects_what_is_no_message(void)
{
	uint8_t wire[24 + CONTROL_TEXT + 1] = { 0, 0, 0, CONTROL_STOP };
	CU_ASSERT_EQUAL(recv_raw(wire, 24), 1);
	for (size_t n = 1; n < 24; n++)
		CU_ASSERT_EQUAL(recv_raw(wire, n), -EBADMSG);
	CU_ASSERT_EQUAL(recv_raw(wire, 24 + CONTROL_TEXT - 1), 1);
	CU_ASSERT_EQUAL(recv_raw(wire, 24 + CONTROL_TEXT), -EBADMSG);
	CU_ASSERT_EQUAL(recv_raw(wire, sizeof(wire)), -EBADMSG);
	wire[3] = 0;
	CU_ASSERT_EQUAL(recv_raw(wire, 24), -EBADMSG);
	wire[3] = CONTROL_KINDS;
	CU_ASSERT_EQUAL(recv_raw(wire, 24), -EBADMSG);
	wire[3] = CONTROL_STOP;
	wire[0] = 1;
	CU_ASSERT_EQUAL(recv_raw(wire, 24), -EBADMSG);
}

/* Two descriptors where one has room: the kernel drops the second and says so; neither may stay open. */
static void closes_what_comes_with_nonsense(void)
{
	int p[2];
	CU_ASSERT_EQUAL_FATAL(control_pair(p), 0);
	int lowest = dup(0);
	(void)close(lowest);
	int fds[2] = { p[0], p[1] };
	union { struct cmsghdr align; char room[CMSG_SPACE(sizeof(fds))]; } c = { 0 };
	uint8_t wire[3] = { 0 };
	struct iovec iov = { wire, sizeof(wire) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.room, .msg_controllen = sizeof(c.room) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&h);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	for (size_t n = 1; n <= 2; n++) {
		head->cmsg_len = CMSG_LEN(n * sizeof(int));
		h.msg_controllen = CMSG_SPACE(n * sizeof(int));
		memcpy(CMSG_DATA(head), fds, n * sizeof(int));
		CU_ASSERT_EQUAL(sendmsg(p[0], &h, 0), 3);
		struct control got = { 0 };
		CU_ASSERT_EQUAL(control_recv(p[1], 0, &got), -EBADMSG);
		int now = dup(0);
		(void)close(now);
		CU_ASSERT_EQUAL(now, lowest);
	}
	(void)close(p[0]);
	(void)close(p[1]);
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "carries_every_field", carries_every_field },
		{ "passes_a_descriptor", passes_a_descriptor },
		{ "says_when_the_other_end_is_gone", says_when_the_other_end_is_gone },
		{ "does_not_wait_when_full", does_not_wait_when_full },
		{ "rejects_what_is_no_message", rejects_what_is_no_message },
		{ "closes_what_comes_with_nonsense", closes_what_comes_with_nonsense },
		CU_TEST_INFO_NULL,
	};
	return test_run("control", cases);
}
