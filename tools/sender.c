/* sender -- packets for the tests of live capture: COUNT frames on IFACE, RATE a second (0: as fast as it goes), and says
 * how many the kernel took. The frames are UDP from 198.18.0.0/15 (RFC 2544), 1000 flows, discarded by whoever gets
 * them. Only for interfaces in network namespaces of a test's own. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 61, BATCH = 32, FLOWS = 1000, TRIES = 1000000 };

static uint64_t now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void make(uint8_t *f, unsigned flow)
{
	static const uint8_t head[] = {
		0x02, 0, 0, 0, 0, 0x0b, 0x02, 0, 0, 0, 0, 0x0a, 0x08, 0x00,
		0x45, 0, 0, SIZE - 14, 0, 0, 0x40, 0, 64, 17, 0, 0, 198, 18, 0, 1, 198, 19, 0, 1,
		0, 0, 0, 9, 0, SIZE - 34, 0, 0,
	};
	memset(f, 'x', SIZE);
	memcpy(f, head, sizeof(head));
	f[34] = (uint8_t)(0x80 | flow >> 8);
	f[35] = (uint8_t)flow;
}

int main(int argc, char **argv)
{
	unsigned long long count = argc == 4 ? strtoull(argv[2], NULL, 10) : 0, rate = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	if (!count) {
		fprintf(stderr, "usage: sender IFACE COUNT RATE\n");
		return 2;
	}
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[1]) };
	const int bypass = 1;
	if (fd < 0 || !to.sll_ifindex || bind(fd, (struct sockaddr *)&to, sizeof(to))) {
		fprintf(stderr, "sender: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	(void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass));
	static uint8_t frames[FLOWS][SIZE];
	static struct iovec iov[FLOWS];
	for (unsigned i = 0; i < FLOWS; i++) {
		make(frames[i], i);
		iov[i] = (struct iovec){ frames[i], SIZE };
	}
	uint64_t began = now_ns();
	unsigned long long sent = 0, tries = 0;
	while (sent < count && tries < TRIES) {
		struct mmsghdr m[BATCH];
		unsigned n = count - sent < BATCH ? (unsigned)(count - sent) : BATCH;
		if (rate) {
			uint64_t due = began + sent * 1000000000u / rate;
			struct timespec t = { (time_t)(due / 1000000000u), (long)(due % 1000000000u) };
			(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		}
		memset(m, 0, sizeof(m));
		for (unsigned i = 0; i < n; i++) {
			m[i].msg_hdr.msg_iov = &iov[(sent + i) % FLOWS];
			m[i].msg_hdr.msg_iovlen = 1;
		}
		int did = sendmmsg(fd, m, n, 0);
		if (did > 0)
			sent += (unsigned)did;
		else if (errno == ENOBUFS || errno == EAGAIN || errno == EINTR)
			tries++;
		else
			break;
	}
	uint64_t took = now_ns() - began;
	printf("%llu %llu\n", sent, took ? sent * 1000000000u / took : 0);
	return sent == count ? 0 : 1;
}
