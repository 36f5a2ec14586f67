#include "sensor/source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/err.h"
#include "sensor/source_file.h"
#include "sensor/source_live.h"

/* read() is fastest from here on; and what it has copied is still in a second-level cache, beside the flows, when the packets are
 * looked at: with 1 MiB a capture of small messages took a tenth longer. */
enum { BLOCK = 256 << 10 };

struct source {
	struct source_live *live;       /* or files */
	size_t n;
	struct source_file *file;
	struct source_packet *head;     /* [n]: the next packet of each file */
	size_t *heap;                   /* files that have one, the earliest at 0 */
	size_t heap_n;
	bool primed;                    /* heap[0]'s head has been handed out */
	bool feed, hungry;              /* one file after the other in file[0]; hungry: none at hand */
	uint32_t fed;
	uint64_t before_kernel, before_interface, before_bytes;         /* of the files before it */
	uint64_t total;
};

struct source *source_open_files(const int *fds, size_t n)
{
	assert(n <= SOURCE_MAX_FILES);
	struct source *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	bool all_known = true;
	s->file = calloc(n ? n : 1, sizeof(*s->file));
	s->head = calloc(n ? n : 1, sizeof(*s->head));
	s->heap = calloc(n ? n : 1, sizeof(*s->heap));
	if (!s->file || !s->head || !s->heap)
		goto fail;
	for (; s->n < n; s->n++)
		if (source_file_open(s->file + s->n, fds[s->n], BLOCK))
			goto fail;
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		if (fstat(fds[i], &st) || !S_ISREG(st.st_mode)) {
			all_known = false;
			continue;
		}
		s->total += (uint64_t)st.st_size;
		(void)posix_fadvise(fds[i], 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	if (!all_known)
		s->total = 0;
	return s;
fail:
	for (size_t i = 0; i < s->n; i++)
		s->file[i].in.fd = -1;          /* still the caller's */
	source_close(s);
	return NULL;
}

struct source *source_open_feed(void)
{
	struct source *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->feed = s->hungry = true;
	s->file = calloc(1, sizeof(*s->file));
	if (!s->file || source_file_open(s->file, -1, BLOCK)) {
		free(s->file);
		free(s);
		return NULL;
	}
	s->n = 1;
	return s;
}

void source_feed(struct source *s, int fd)
{
	assert(s->feed && s->hungry);
	s->before_kernel += s->file->drops_kernel;
	s->before_interface += s->file->drops_interface;
	s->before_bytes += s->file->result.bytes_read;
	source_file_again(s->file, fd);
	s->hungry = false;
	s->fed++;
}

bool source_is_hungry(const struct source *s) { return s->hungry; }
bool source_is_feed(const struct source *s) { return s->feed; }

static enum source_status next_fed(struct source *s, struct source_packet *ret)
{
	if (!s->hungry && source_file_next(s->file, ret)) {
		ret->file = s->fed;
		return SOURCE_PACKET;
	}
	s->hungry = true;
	return SOURCE_IDLE;
}

int source_open_live(const char *const *interfaces, size_t n, const struct source_live_options *o, struct source **ret,
		     char why[static 256])
{
	struct source *s = calloc(1, sizeof(*s));
	if (!s) {
		snprintf(why, 256, "%s", err_text(-ENOMEM));
		return -ENOMEM;
	}
	int err = source_live_open(interfaces, n, o, &s->live, why);
	if (err) {
		free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void source_close(struct source *s)
{
	if (!s)
		return;
	source_live_close(s->live);
	for (size_t i = 0; i < s->n; i++)
		source_file_done(s->file + i);
	free(s->file);
	free(s->head);
	free(s->heap);
	free(s);
}

static bool is_earlier(const struct source *s, size_t a, size_t b)
{
	if (s->head[a].ts_ns != s->head[b].ts_ns)
		return s->head[a].ts_ns < s->head[b].ts_ns;
	return a < b;
}

static void sift_down(struct source *s, size_t at)
{
	size_t moved = s->heap[at];
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= s->heap_n)
			break;
		if (child + 1 < s->heap_n && is_earlier(s, s->heap[child + 1], s->heap[child]))
			child++;
		if (!is_earlier(s, s->heap[child], moved))
			break;
		s->heap[at] = s->heap[child];
		at = child;
	}
	s->heap[at] = moved;
}

static bool load(struct source *s, size_t file)
{
	if (!source_file_next(s->file + file, s->head + file))
		return false;
	s->head[file].file = (uint32_t)file + 1;
	return true;
}

/* The packet handed out last makes room for the next one of its file only now: its bytes are in that file's buffer. */
static void advance(struct source *s)
{
	if (!s->primed) {
		s->primed = true;
		for (size_t i = 0; i < s->n; i++)
			if (load(s, i))
				s->heap[s->heap_n++] = i;
		for (size_t i = s->heap_n / 2; i-- > 0;)
			sift_down(s, i);
		return;
	}
	if (!s->heap_n)
		return;
	if (!load(s, s->heap[0]))
		s->heap[0] = s->heap[--s->heap_n];
	if (s->heap_n)
		sift_down(s, 0);
}

enum source_status source_next(struct source *s, unsigned wait_ms, struct source_packet *ret)
{
	if (s->live)
		return source_live_next(s->live, wait_ms, ret);
	if (s->feed)
		return next_fed(s, ret);
	advance(s);
	if (!s->heap_n)
		return SOURCE_END;
	*ret = s->head[s->heap[0]];
	return SOURCE_PACKET;
}

bool source_stays(const struct source *s)
{
	if (s->live || (s->feed && s->hungry))
		return false;
	if (s->feed)
		return source_file_stays(s->file);
	return s->primed && s->heap_n && source_file_stays(&s->file[s->heap[0]]);
}

enum source_status source_batch(struct source *s, unsigned wait_ms, struct source_packet *ret, size_t max, size_t room,
				size_t *ret_n)
{
	*ret_n = 0;
	enum source_status got = source_next(s, wait_ms, ret);
	if (got != SOURCE_PACKET)
		return got;
	size_t n = 1;
	room -= ret->bytes.n < room ? ret->bytes.n : room;
	if (s->n == 1 && !s->live) {
		n += source_file_run(s->file, ret + 1, max - 1, &room);
		for (size_t i = 1; i < n; i++)
			ret[i].file = ret->file;
	}
	for (; n < max && room >= SOURCE_MAX_PACKET && source_stays(s) && source_next(s, 0, ret + n) == SOURCE_PACKET; n++)
		room -= ret[n].bytes.n < room ? ret[n].bytes.n : room;
	*ret_n = n;
	return SOURCE_PACKET;
}

bool source_is_live(const struct source *s) { return s->live != NULL; }

void source_drops(struct source *s, size_t from, uint64_t *ret_kernel, uint64_t *ret_interface)
{
	if (s->live) {
		source_live_drops(s->live, from, ret_kernel, ret_interface);
		return;
	}
	*ret_kernel = from < s->n ? s->before_kernel + s->file[from].drops_kernel : 0;
	*ret_interface = from < s->n ? s->before_interface + s->file[from].drops_interface : 0;
}

void source_progress(const struct source *s, uint64_t *ret_read, uint64_t *ret_total)
{
	uint64_t bytes = s->live ? source_live_bytes(s->live) : s->before_bytes;
	for (size_t i = 0; i < s->n; i++)
		bytes += s->file[i].result.bytes_read;
	*ret_read = bytes;
	*ret_total = s->total;
}

size_t source_files(const struct source *s) { return s->live ? source_live_interfaces(s->live) : s->n; }

const struct source_file_result *source_result(const struct source *s, size_t file)
{
	if (s->live)
		return source_live_result(s->live, file);
	return file < s->n ? &s->file[file].result : NULL;
}

size_t source_fds(const struct source *s, int *ret, size_t max)
{
	if (s->live)
		return source_live_fds(s->live, ret, max);
	size_t n = 0;
	for (; n < s->n && n < max; n++)
		ret[n] = s->file[n].in.fd;
	return n;
}
