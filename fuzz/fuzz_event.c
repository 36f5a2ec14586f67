/* Bytes as an encoded event: what is accepted must encode to the same bytes again, and print as JSON. */
#include "core/event.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vocab_scratch scratch;
	static uint8_t again[1 << 16], json[1 << 18];
	struct event rec;
	struct cursor in = cursor_from((struct span){ data, size });
	unsigned unknown = 0;
	if (vocab_decode(&event_vocab, &rec.head, &scratch, &in, &unknown))
		return 0;
	size_t n = size - cursor_left(&in);
	struct buf b = buf_over(again, sizeof(again)), j = buf_over(json, sizeof(json));
	int r = vocab_encode(&event_vocab, &rec.head, &b);
	if (!unknown && n <= sizeof(again) && (r || b.len != n || memcmp(data, again, n)))
		abort();
	/* The longest escape is six bytes for one; names and punctuation are bounded by the table. */
	if (size < 8192 && vocab_json(&event_vocab, &rec.head, &j))
		abort();
	return 0;
}
