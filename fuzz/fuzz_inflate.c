/* Raw deflate and the character sets: bounded output, valid UTF-8, and a prefix of the input gives a prefix of the output. */
#include <stdlib.h>
#include <string.h>

#include "core/charset.h"
#include "core/inflate.h"
#include "core/utf8.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t whole_mem[8192], part_mem[8192], text_mem[512];
	static const char *const terms[] = { "", "ISO_IR 13", "\\ISO 2022 IR 87", "\\ISO 2022 IR 149", "\\ISO 2022 IR 58",
		                             "ISO_IR 100", "ISO_IR 192", "GB18030" };
	if (!size)
		return 0;
	struct span in = { data + 1, size - 1 };
	struct buf whole = buf_over(whole_mem, sizeof(whole_mem)), part = buf_over(part_mem, sizeof(part_mem));
	enum inflate_status status = inflate_raw(in, &whole);
	size_t n = in.n * (data[0] & 15) / 16;
	enum inflate_status early = inflate_raw((struct span){ in.p, n }, &part);
	check(part.len <= whole.len && !memcmp(part.data, whole.data, part.len));
	check(early == INFLATE_MORE || (early == status && part.len == whole.len));

	struct charset c;
	check(!charset_dicom(span_str(terms[data[0] >> 4 & 7]), &c));
	if (data[0] & 0x80)
		c.kind = CHARSET_SHIFT_JIS;
	struct buf text = buf_over(text_mem, sizeof(text_mem));
	bool sound = charset_decode(c, in, ';', &text);
	check(utf8_valid(buf_span(&text)) && !(sound && text.full));
	return 0;
}
