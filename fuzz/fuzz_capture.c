/* A capture file of any kind, read twice: in large blocks and in tiny ones, as from a slow pipe. Both must yield the
 * same. Below source.c, whose buffers of a megabyte would take most of the time. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/err.h"
#include "sensor/decode.h"
#include "sensor/source_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome { uint64_t packets, bytes, times, payload; int err; };

static struct outcome run(const uint8_t *data, size_t size, size_t block)
{
	struct outcome o = { 0 };
	struct source_file f;
	struct source_packet p;
	int fd = memfd_create("capture", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) || source_file_open(&f, fd, block))
		abort();
	while (source_file_next(&f, &p)) {
		struct decode d;
		if (p.number != ++o.packets || p.bytes.n > SOURCE_MAX_PACKET)
			abort();
		/* Each takes bytes of the file, or of what gzip made of them: 1032 times as many at most. */
		if (o.packets > size * 1032)
			abort();
		decode_packet(p.linktype, p.bytes, p.wire_len, &d);
		o.bytes += p.bytes.n;
		o.times += p.ts_ns;
		o.payload += d.payload.n;
	}
	const struct source_file_result *r = &f.result;
	o.err = r->err;
	if (r->packets != o.packets || r->bytes_read > size || (r->err == 0) != (r->why[0] == 0))
		abort();
	if (r->err && r->err != ERR_TRUNCATED && r->err != ERR_CORRUPT && r->err != ERR_UNKNOWN_KIND)
		abort();
	if (source_file_next(&f, &p))
		abort();
	source_file_done(&f);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome large = run(data, size, 64 << 10), tiny = run(data, size, 13);
	if (large.packets != tiny.packets || large.bytes != tiny.bytes || large.times != tiny.times ||
	    large.payload != tiny.payload || large.err != tiny.err)
		abort();
	return 0;
}
