/* Live capture in a network namespace of its own, so that nothing but this test's packets is there and nothing of
 * this machine is seen. Needs the right to make one (root, or user namespaces). */
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "sensor/decode.h"
#include "sensor/source.h"

enum { PACKETS = 2000, PORT = 40000 };

static int set_up(const char *interface, bool up)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { 0 };
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", interface);
	int err = fd < 0 || ioctl(fd, SIOCGIFFLAGS, &r);
	r.ifr_flags = (short)(up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
	err = err || ioctl(fd, SIOCSIFFLAGS, &r);
	if (fd >= 0)
		close(fd);
	return err ? -1 : 0;
}

/* Datagrams of `size` bytes that begin with their number. */
static void send_numbered(uint32_t from, uint32_t n, size_t size)
{
	static uint8_t bytes[60000];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (uint32_t i = from; i < from + n; i++) {
		uint32_t number = htonl(i);
		memcpy(bytes, &number, sizeof(number));
		/* No one listens: the ICMP error of an earlier one may be the answer here. */
		if (sendto(fd, bytes, size, 0, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != ECONNREFUSED)
			CU_FAIL("sendto");
	}
	close(fd);
}

static struct source *open_lo(size_t buffer)
{
	const char *name = "lo";
	char why[256] = "";
	struct source *s = NULL;
	int err = source_open_live(&name, 1, &(struct source_live_options){ .buffer_bytes = buffer }, &s, why);
	if (err)
		fprintf(stderr, "%s\n", why);
	CU_ASSERT_EQUAL_FATAL(err, 0);
	return s;
}

/* Reads what there is; counts our datagrams, which must come in order. */
static uint32_t read_numbered(struct source *s, uint64_t *ret_all)
{
	uint32_t ours = 0, next = 0;
	uint64_t all = 0, last = 0;
	struct source_packet p;
	/* Silence for ten of the ring's delays is the end. */
	while (source_next(s, 100, &p) == SOURCE_PACKET) {
		struct decode d;
		CU_ASSERT_EQUAL(p.number, ++all);
		CU_ASSERT_EQUAL(p.file, 1);
		CU_ASSERT_EQUAL(p.linktype, 1);
		CU_ASSERT(p.ts_ns >= last);
		last = p.ts_ns;
		decode_packet(p.linktype, p.bytes, p.wire_len, &d);
		if (d.kind != DECODE_UDP || d.dst_port != PORT)
			continue;
		struct cursor c = cursor_from(d.payload);
		uint32_t number = cursor_u32be(&c);
		CU_ASSERT(number >= next);
		next = number + 1;
		ours++;
		CU_ASSERT(!d.truncated);
	}
	*ret_all = all;
	return ours;
}

static void captures_every_packet_once(void)
{
	struct source *s = open_lo(0);
	struct source_packet p;
	CU_ASSERT(source_is_live(s));
	CU_ASSERT_EQUAL(source_files(s), 1);
	int fds[8];
	size_t n = source_fds(s, fds, 8);
	CU_ASSERT(n >= 1 && n <= 3);
	CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_IDLE);
	uint64_t all, before = clock_now_ns();
	send_numbered(0, PACKETS, 500);
	CU_ASSERT_EQUAL(read_numbered(s, &all), PACKETS);
	CU_ASSERT_EQUAL(source_next(s, 1, &p), SOURCE_IDLE);
	uint64_t kernel = 1, card = 1, bytes, total;
	source_drops(s, 0, &kernel, &card);
	CU_ASSERT_EQUAL(kernel, 0);
	CU_ASSERT_EQUAL(card, 0);
	source_progress(s, &bytes, &total);
	CU_ASSERT(bytes >= PACKETS * 542);
	CU_ASSERT_EQUAL(total, 0);
	CU_ASSERT_EQUAL(source_result(s, 0)->packets, all);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
	/* Stamped in nanoseconds of this decade, not of another unit. */
	send_numbered(0, 1, 4);
	CU_ASSERT_EQUAL(source_next(s, 1000, &p), SOURCE_PACKET);
	CU_ASSERT(p.ts_ns >= before && p.ts_ns <= clock_now_ns());
	source_close(s);
}

static void captures_large_packets_whole(void)
{
	struct source *s = open_lo(0);
	uint64_t all;
	send_numbered(0, 20, 59000);
	CU_ASSERT_EQUAL(read_numbered(s, &all), 20);
	source_close(s);
}

/* A ring far too small: what is lost is counted, all of it, and what comes is in order. */
static void counts_what_the_kernel_dropped(void)
{
	struct source *s = open_lo(1 << 20);
	uint64_t all, kernel, card, again;
	send_numbered(0, 8000, 1400);
	uint32_t ours = read_numbered(s, &all);
	source_drops(s, 0, &kernel, &card);
	CU_ASSERT(ours > 0);
	CU_ASSERT(kernel > 0);
	/* Each datagram also makes an ICMP answer, as far as the kernel's rate limit lets it. */
	CU_ASSERT(all + kernel >= 8000);
	CU_ASSERT(ours + kernel >= 8000);
	source_drops(s, 0, &again, &card);
	CU_ASSERT_EQUAL(again, kernel);         /* read again, not lost and not counted twice */
	source_close(s);
}

static void says_why_it_cannot_open(void)
{
	static const char *const names[] = { "nosuch0", "a-name-longer-than-any-interface", "" };
	for (size_t i = 0; i < 3; i++) {
		const char *both[] = { "lo", names[i] };
		char why[256] = "";
		struct source *s = NULL;
		CU_ASSERT_EQUAL(source_open_live(both, 2, &(struct source_live_options){ .buffer_bytes = 0 }, &s, why), -ENODEV);
		CU_ASSERT_PTR_NULL(s);
		CU_ASSERT(why[0] && strstr(why, names[i]) != NULL);
	}
}

static void reads_several_interfaces(void)
{
	const char *both[] = { "lo", "any" };
	char why[256];
	struct source *s = NULL;
	CU_ASSERT_EQUAL_FATAL(source_open_live(both, 2, &(struct source_live_options){ .buffer_bytes = 4 << 20 }, &s, why), 0);
	CU_ASSERT_EQUAL(source_files(s), 2);
	send_numbered(0, 100, 100);
	uint64_t seen[3] = { 0 };
	struct source_packet p;
	while (source_next(s, 100, &p) == SOURCE_PACKET) {
		CU_ASSERT_FATAL(p.file == 1 || p.file == 2);
		CU_ASSERT_EQUAL(p.linktype, p.file == 1 ? 1 : 113);
		seen[p.file]++;
	}
	CU_ASSERT(seen[1] >= 100 && seen[2] >= 100);
	source_close(s);
}

/* Four rings for one interface: each packet comes once, numbered and counted as of one interface. */
static void spreads_an_interface_over_rings(void)
{
	const char *names[] = { "lo" };
	const struct source_live_options o = { .buffer_bytes = 4 << 20, .rings = 4 };
	char why[256];
	struct source *s = NULL;
	CU_ASSERT_EQUAL_FATAL(source_open_live(names, 1, &o, &s, why), 0);
	CU_ASSERT_EQUAL(source_files(s), 1);
	int fds[32];
	CU_ASSERT(source_fds(s, fds, 32) >= 4);
	uint64_t all = 0, kernel = 1, card = 1;
	uint32_t ours = 0, last = 0;
	/* Each from a port of its own, so that the kernel's hash has something to spread. */
	for (uint32_t i = 0; i < 400; i++)
		send_numbered(i, 1, 60);
	struct source_packet p;
	while (source_next(s, 100, &p) == SOURCE_PACKET) {
		struct decode d;
		CU_ASSERT_EQUAL(p.number, ++all);
		CU_ASSERT_EQUAL(p.file, 1);
		decode_packet(p.linktype, p.bytes, p.wire_len, &d);
		ours += d.kind == DECODE_UDP && d.dst_port == PORT;
		last += d.kind == DECODE_UDP && d.dst_port == PORT && !d.truncated;
	}
	CU_ASSERT_EQUAL(ours, 400);
	CU_ASSERT_EQUAL(last, 400);
	source_drops(s, 0, &kernel, &card);
	CU_ASSERT_EQUAL(kernel, 0);
	CU_ASSERT_EQUAL(source_result(s, 0)->packets, all);
	source_close(s);
}

/* A cable pulled and put back is not the end of a capture. */
static void outlives_a_link_that_goes_down(void)
{
	struct source *s = open_lo(0);
	struct source_packet p;
	uint64_t all;
	CU_ASSERT_EQUAL(set_up("lo", false), 0);
	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(source_next(s, 5, &p), SOURCE_IDLE);
	CU_ASSERT_EQUAL(set_up("lo", true), 0);
	send_numbered(0, 50, 100);
	CU_ASSERT_EQUAL(read_numbered(s, &all), 50);
	source_close(s);
}

static void ends_when_the_interface_is_gone(void)
{
	if (system("ip link add sw0 type veth peer name sw1 && ip link set sw0 up")) {
		printf("not tried: no veth interface\n");
		return;
	}
	const char *names[] = { "sw0", "lo" };
	char why[256];
	struct source *s = NULL;
	struct source_packet p;
	CU_ASSERT_EQUAL_FATAL(source_open_live(names, 2, &(struct source_live_options){ .buffer_bytes = 4 << 20 }, &s, why), 0);
	CU_ASSERT_EQUAL(system("ip link del sw0"), 0);
	for (int i = 0; i < 20 && !source_result(s, 0)->err; i++)
		while (source_next(s, 10, &p) == SOURCE_PACKET)
			;
	CU_ASSERT_EQUAL(source_result(s, 0)->err, -EIO);
	CU_ASSERT(strstr(source_result(s, 0)->why, "sw0") != NULL);
	CU_ASSERT_EQUAL(source_result(s, 1)->err, 0);   /* the other goes on */
	send_numbered(0, 50, 100);
	uint32_t seen = 0;
	while (source_next(s, 100, &p) == SOURCE_PACKET)
		seen += p.file == 2;
	CU_ASSERT(seen >= 50);
	CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_IDLE);
	source_close(s);
}

int main(void)
{
	if ((unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) || set_up("lo", true)) {
		printf("skipped: cannot make a network namespace: %s\n", strerror(errno));
		return 77;
	}
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	CU_pSuite s = CU_add_suite("sensor/source_live", NULL, NULL);
#define CASE(f) CU_add_test(s, #f, f)
	CASE(captures_every_packet_once);
	CASE(captures_large_packets_whole);
	CASE(counts_what_the_kernel_dropped);
	CASE(says_why_it_cannot_open);
	CASE(reads_several_interfaces);
	CASE(spreads_an_interface_over_rings);
	CASE(outlives_a_link_that_goes_down);
	CASE(ends_when_the_interface_is_gone);
#undef CASE
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
