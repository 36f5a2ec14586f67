/* A capture file of any kind: the bytes as a regular file, and a second time through a pipe, where read() returns
 * other pieces. Both must yield the same. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/err.h"
#include "sensor/decode.h"
#include "sensor/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome { uint64_t packets, bytes, times, payload; int err; };

static struct outcome run(int fd)
{
	struct outcome o = { 0 };
	struct source *s = source_open_files(&fd, 1);
	if (!s)
		abort();
	struct source_packet p;
	while (source_next(s, 0, &p) == SOURCE_PACKET) {
		struct decode d;
		if (p.number != ++o.packets || p.bytes.n > SOURCE_MAX_PACKET)
			abort();
		decode_packet(p.linktype, p.bytes, p.wire_len, &d);
		o.bytes += p.bytes.n;
		o.times += p.ts_ns;
		o.payload += d.payload.n;
	}
	const struct source_file_result *r = source_result(s, 0);
	o.err = r->err;
	if (r->packets != o.packets || (r->err == 0) != (r->why[0] == 0))
		abort();
	if (r->err && r->err != ERR_TRUNCATED && r->err != ERR_CORRUPT && r->err != ERR_UNKNOWN_KIND)
		abort();
	source_close(s);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { PIPE_ROOM = 4096 };
	int fd = memfd_create("capture", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		abort();
	struct outcome file = run(fd);
	int ends[2];
	if (size > PIPE_ROOM)           /* more could fill the pipe, and nobody reads yet */
		return 0;
	if (pipe2(ends, O_CLOEXEC | O_DIRECT) || write(ends[1], data, size / 3) < 0 ||
	    write(ends[1], data + size / 3, size - size / 3) < 0)
		abort();
	close(ends[1]);
	struct outcome piped = run(ends[0]);
	if (file.packets != piped.packets || file.bytes != piped.bytes || file.times != piped.times ||
	    file.payload != piped.payload || file.err != piped.err)
		abort();
	return 0;
}
