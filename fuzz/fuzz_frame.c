/* A header and a payload as they come from the network: what is accepted encodes to the same header. */
#include "core/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size < FRAME_HEADER_LEN ? size : FRAME_HEADER_LEN;
	struct frame f;
	if (frame_decode((struct span){ data, n }, (struct span){ data + n, size - n }, &f))
		return 0;
	uint8_t again[FRAME_HEADER_LEN];
	struct buf b = buf_over(again, sizeof(again));
	if (frame_encode(&f, &b) || n != sizeof(again) || memcmp(again, data, n))
		abort();
	return 0;
}
