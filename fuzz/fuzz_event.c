/* Bytes as an encoded event: what is accepted must encode to the same bytes again, and print as JSON; said straight from
 * its bytes it reads the same, and what is refused is refused there too. */
#include "core/event.h"
#include "core/recite.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As recite says it, which remembers what it said of the inputs before: the same verdict, and the same words. */
static void compare(struct span bytes, const struct vocab_head *rec)
{
	static struct recite *r;
	static uint8_t said[1 << 18], json[1 << 18];
	struct buf b = buf_over(said, sizeof(said)), j = buf_over(json, sizeof(json));
	if (!r)
		r = recite_new(&event_vocab);
	int err = r ? recite_record(r, bytes, &b) : 0;
	if (!r || (err != 0) != (rec == NULL))
		abort();
	if (rec && (vocab_json(&event_vocab, rec, &j) || b.len != j.len || memcmp(said, json, j.len)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vocab_scratch scratch;
	static uint8_t again[1 << 16];
	struct event rec;
	struct cursor in = cursor_from((struct span){ data, size });
	unsigned unknown = 0;
	if (vocab_decode(&event_vocab, &rec.head, &scratch, &in, &unknown)) {
		compare((struct span){ data, size }, NULL);
		return 0;
	}
	size_t n = size - cursor_left(&in);
	struct buf b = buf_over(again, sizeof(again));
	int r = vocab_encode(&event_vocab, &rec.head, &b);
	if (!unknown && n <= sizeof(again) && (r || b.len != n || memcmp(data, again, n)))
		abort();
	/* The longest escape is six bytes for one; names and punctuation are bounded by the table. */
	if (size < 8192)
		compare((struct span){ data, size }, cursor_left(&in) ? NULL : &rec.head);
	return 0;
}
