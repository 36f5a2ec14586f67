/* How a capture ended: what the engine's record says, and what a record is that says nothing. */
#include <CUnit/Basic.h>
#include <string.h>

#include "cli/file_end.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/test.h"

static struct span record(uint8_t mem[64], uint32_t file, int err, uint64_t packets, const char *why)
{
	struct buf b = buf_over(mem, 64);
	(void)buf_u32be(&b, file);
	(void)buf_u32be(&b, (uint32_t)err);
	(void)buf_u64be(&b, packets);
	(void)buf_str(&b, why);
	return buf_span(&b);
}

static void records(void)
{
	uint8_t mem[64];
	struct file_end e = { 0 };
	CU_ASSERT(file_end_read(record(mem, 2, ERR_TRUNCATED, 7, "cut"), 2, &e));
	CU_ASSERT(e.file == 2 && e.err == ERR_TRUNCATED && e.packets == 7 && span_eq(e.why, span_str("cut")));
	CU_ASSERT(file_end_read(record(mem, 1, 0, 9, ""), 1, &e));
	CU_ASSERT(!e.err && e.packets == 9 && !e.why.n);
	/* Of no file, or cut: nothing is touched. */
	struct span whole = record(mem, 3, 0, 1, "");
	CU_ASSERT(!file_end_read(whole, 2, &e) && e.packets == 9);
	CU_ASSERT(!file_end_read(record(mem, 0, 0, 1, ""), 2, &e));
	for (size_t n = 0; n < 16; n++)
		CU_ASSERT(!file_end_read((struct span){ mem, n }, 9, &e));
}

int main(void)
{
	CU_TestInfo tests[] = { { "records", records }, CU_TEST_INFO_NULL };
	return test_run("file_end", tests);
}
