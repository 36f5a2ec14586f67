/* io -- what the kernel takes for bytes, for ./dev bench:
 *
 *   map CAPTURE        the file mapped into memory instead of read, stepping from one packet's header to the next
 *   write EVENTS OUT   as many bytes as EVENTS has, written to OUT in blocks of 256 KiB
 *
 * Neither looks at what the bytes say. It believes the capture (our own: bench/gen.c). */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 256 << 10, FILE_HEAD = 24, PACKET_HEAD = 16 };

static int map(int fd, size_t n)
{
	unsigned long long packets = 0, sum = 0;
	const uint8_t *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		return 1;
	for (size_t at = FILE_HEAD; at + PACKET_HEAD < n; packets++) {
		uint32_t length;
		memcpy(&length, p + at + 8, sizeof(length));
		sum += p[at + PACKET_HEAD];
		at += PACKET_HEAD + length;
	}
	printf("%llu packets, sum %llu\n", packets, sum);
	return 0;
}

static int copy(int fd, size_t n, const char *to)
{
	uint8_t *block = malloc(BLOCK);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (!block || out < 0 || read(fd, block, BLOCK) < (ssize_t)(n < BLOCK ? n : BLOCK))
		return 1;
	for (size_t left = n; left;) {
		ssize_t put = write(out, block, left < BLOCK ? left : BLOCK);
		if (put <= 0)
			return 1;
		left -= (size_t)put;
	}
	free(block);
	return close(out) != 0;
}

int main(int argc, char **argv)
{
	struct stat st;
	int writes = argc == 4 && !strcmp(argv[1], "write"), maps = argc == 3 && !strcmp(argv[1], "map");
	int fd = writes || maps ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "usage: bench_io map CAPTURE | write EVENTS OUT\n");
		return 2;
	}
	int failed = writes ? copy(fd, (size_t)st.st_size, argv[3]) : map(fd, (size_t)st.st_size);
	if (failed)
		perror("bench_io");
	return failed;
}
