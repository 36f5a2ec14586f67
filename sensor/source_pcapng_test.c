/* pcapng: sections, blocks, interfaces, timestamp resolutions, statistics. */
#include "sensor/source_rig.h"

static void reads_pcapng_sections_of_both_byte_orders(void)
{
	struct file f = { 0 };
	for (int round = 0; round < 2; round++) {
		for (int big = 0; big < 2; big++) {
			put_section(&f, big);
			put_interface(&f, 1, 65535, -1, NULL);
			put_interface(&f, 113 + 163 * (unsigned)big, 65535, 9, NULL);
			put_enhanced(&f, 0, 1700000000000001, 13, 99, 1);
			put_enhanced(&f, 1, 1700000000000000007, 14, 98, 2);
		}
	}
	struct source *s = open_bytes(&f, f.n);
	struct source_packet p = { 0 };
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT(p.bytes.n == 13 && is_fill(p.bytes, 1));
		CU_ASSERT_EQUAL(p.wire_len, 99);
		CU_ASSERT_EQUAL(p.linktype, 1);
		CU_ASSERT_EQUAL(p.ts_ns, 1700000000000001000);
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT(p.bytes.n == 14 && is_fill(p.bytes, 2));
		CU_ASSERT_EQUAL(p.linktype, i % 2 ? 276 : 113);
		CU_ASSERT_EQUAL(p.ts_ns, 1700000000000000007);
		CU_ASSERT_EQUAL(p.number, 2 * i + 2);
	}
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
	source_close(s);
	drop(&f);
}

static void every_prefix_of_pcapng_is_cut_or_whole(void)
{
	for (int big = 0; big < 2; big++) {
		struct file f = { 0 };
		size_t ends[6];
		put_section(&f, big);
		ends[0] = f.n;
		put_interface(&f, 1, 65535, 6, NULL);
		ends[1] = f.n;
		put_enhanced(&f, 0, 5, 11, 11, 0);
		ends[2] = f.n;
		put_simple(&f, 6, 6, 0);
		ends[3] = f.n;
		put_block(&f, 0x1234, &(struct file){ .b = (uint8_t *)"unknown", .n = 7 });
		ends[4] = f.n;
		put_enhanced(&f, 0, 5, 1, 1, 0);
		ends[5] = f.n;
		for (size_t n = 1; n <= f.n; n++) {
			bool whole = false;
			for (size_t i = 0; i < 6; i++)
				whole = whole || n == ends[i];
			int err;
			size_t want = (size_t)(n >= ends[2]) + (n >= ends[3]) + (n >= ends[5]);
			CU_ASSERT_EQUAL(count(&f, n, &err), want);
			CU_ASSERT_EQUAL(err, whole ? 0 : ERR_TRUNCATED);
		}
		drop(&f);
	}
}

static uint64_t time_with(int resolution, const int64_t *offset, uint64_t ticks)
{
	struct file f = { 0 };
	struct source_packet p = { 0 };
	put_section(&f, false);
	put_interface(&f, 1, 0, resolution, offset);
	put_enhanced(&f, 0, ticks, 1, 1, 0);
	struct source *s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, &p, 1), 1);
	source_close(s);
	drop(&f);
	return p.ts_ns;
}

static void reads_every_timestamp_resolution(void)
{
	static const struct { int resolution; uint64_t ticks, ns; } cases[] = {
		{ -1, 1700000000123456, 1700000000123456000 },
		{ 0, 1700000000, 1700000000000000000 },
		{ 3, 1700000000123, 1700000000123000000 },
		{ 6, 1700000000123456, 1700000000123456000 },
		{ 8, 170000000012345678, 1700000000123456780 },
		{ 9, 1700000000123456789, 1700000000123456789 },
		{ 10, 17000000001234567899u, 1700000000123456789 },
		{ 12, 1700000000123456789, 1700000000123456 },
		{ 19, UINT64_MAX, 1844674407 },
		{ 28, UINT64_MAX, 1 },
		{ 29, UINT64_MAX, 0 },
		{ 127, UINT64_MAX, 0 },
		{ 0x80, 1700000000, 1700000000000000000 },
		{ 0x80 | 1, 3, 1500000000 },
		{ 0x80 | 10, UINT64_C(1700000000) << 10 | 512, 1700000000500000000 },
		{ 0x80 | 32, UINT64_C(1700000000) << 32 | 1u << 31, 1700000000500000000 },
		{ 0x80 | 40, 3 * (UINT64_C(1) << 39), 1500000000 },
		{ 0x80 | 63, UINT64_C(1) << 63, 1000000000 },
		{ 0x80 | 64, UINT64_C(1) << 63, 500000000 },
		{ 0x80 | 93, UINT64_MAX, 1 },
		{ 0x80 | 127, UINT64_MAX, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CU_ASSERT_EQUAL(time_with(cases[i].resolution, NULL, cases[i].ticks), cases[i].ns);
}

static void clamps_times_that_do_not_fit(void)
{
	static const struct { int resolution; int64_t offset; uint64_t ticks, ns; } cases[] = {
		{ 6, 1700000000, 5, 1700000000000005000 },
		{ 6, -1, 1700000000000000, 1699999999000000000 },
		{ 9, -1700000001, 1700000000000000000, 0 },
		{ 9, INT64_MIN, UINT64_MAX, 0 },
		{ 9, INT64_MAX, 0, UINT64_MAX },
		{ 0, INT64_MAX, UINT64_MAX, UINT64_MAX },
		{ 0, 0, UINT64_MAX, UINT64_MAX },
		{ 6, 0, UINT64_MAX, UINT64_MAX },
		{ 0x80, 0, UINT64_MAX, UINT64_MAX },
		{ 9, 0, UINT64_MAX, UINT64_MAX },
		{ 9, 1, UINT64_MAX, UINT64_MAX },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CU_ASSERT_EQUAL(time_with(cases[i].resolution, &cases[i].offset, cases[i].ticks), cases[i].ns);
}

static void reads_simple_and_obsolete_packets(void)
{
	for (int big = 0; big < 2; big++) {
		struct file f = { 0 };
		put_section(&f, big);
		put_interface(&f, 1, 20, -1, NULL);
		put_interface(&f, 101, 0, -1, NULL);
		struct file b = { .big = big };
		put16(&b, 1);           /* interface */
		put16(&b, 3);           /* drops */
		put32(&b, 0);
		put32(&b, 77);
		put32(&b, 7);
		put32(&b, 1000);
		put_fill(&b, 7, 5);
		put_block(&f, 2, &b);
		drop(&b);
		put_simple(&f, 20, 1500, 6);    /* cut at the snap length */
		put_simple(&f, 10, 10, 7);
		struct source *s = open_bytes(&f, f.n);
		struct source_packet p = { 0 };
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT(p.bytes.n == 7 && is_fill(p.bytes, 5));
		CU_ASSERT_EQUAL(p.linktype, 101);
		CU_ASSERT_EQUAL(p.ts_ns, 77000);
		CU_ASSERT_EQUAL(p.wire_len, 1000);
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT(p.bytes.n == 20 && is_fill(p.bytes, 6));
		CU_ASSERT_EQUAL(p.wire_len, 1500);
		CU_ASSERT_EQUAL(p.linktype, 1);
		CU_ASSERT_EQUAL(p.ts_ns, 77000);
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT(p.bytes.n == 10 && is_fill(p.bytes, 7));
		CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
		CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
		source_close(s);
		drop(&f);
	}
}

static void expect_corrupt_after_one(struct file *f)
{
	int err;
	CU_ASSERT_EQUAL(count(f, f->n, &err), 1);
	CU_ASSERT_EQUAL(err, ERR_CORRUPT);
	drop(f);
}

static void rejects_broken_blocks(void)
{
	static const uint32_t lengths[] = { 0, 4, 8, 11, 13, 14, 15, 33, 0xffffffff };
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct file f = begun();
		put32(&f, 6);
		put32(&f, lengths[i]);
		put_fill(&f, 64, 0);
		expect_corrupt_after_one(&f);
	}
	for (unsigned type = 1; type <= 7; type++) {            /* every type: the second length counts too */
		struct file f = begun();
		put_block(&f, type, &(struct file){ .b = (uint8_t[64]){ 0 }, .n = 64 });
		f.b[f.n - 4] ^= 4;
		expect_corrupt_after_one(&f);
	}
	for (size_t n = 0; n < 20; n += 4) {                    /* too short for its header */
		struct file f = begun();
		put_block(&f, 6, &(struct file){ .b = (uint8_t[64]){ 0 }, .n = n });
		expect_corrupt_after_one(&f);
	}
	struct file f = begun();
	put_block(&f, 3, &(struct file){ 0 });
	expect_corrupt_after_one(&f);
	f = begun();
	put_enhanced(&f, 1, 1, 8, 8, 0);                        /* no such interface */
	expect_corrupt_after_one(&f);
	f = begun();
	size_t at = f.n;
	put_enhanced(&f, 0, 1, 8, 8, 0);
	f.b[at + 20] = 9;                                       /* captured > what the block holds */
	expect_corrupt_after_one(&f);
	f = begun();
	put_simple(&f, 8, 9, 0);
	expect_corrupt_after_one(&f);
	f = begun();
	put_section(&f, false);
	put_enhanced(&f, 0, 1, 8, 8, 0);                        /* the interface was the last section's */
	expect_corrupt_after_one(&f);
	f = begun();
	at = f.n;
	put_section(&f, false);
	f.b[at + 12] = 3;                                       /* version */
	expect_corrupt_after_one(&f);
	f = begun();
	at = f.n;
	put_section(&f, false);
	f.b[at + 8] ^= 1;                                       /* byte order mark */
	expect_corrupt_after_one(&f);
	f = begun();
	put(&f, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	expect_corrupt_after_one(&f);
}

static void rejects_broken_interface_options(void)
{
	static const struct { unsigned code, length; size_t room; bool bad; } cases[] = {
		{ 9, 1, 4, false }, { 9, 2, 4, true }, { 9, 0, 4, true }, { 14, 4, 4, true }, { 14, 8, 8, false },
		{ 2, 4, 4, false }, { 2, 5, 4, true }, { 2, 0xffff, 4, true }, { 0, 0xffff, 4, true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct file f = begun(), b = { 0 };
		put16(&b, 1);
		put16(&b, 0);
		put32(&b, 0);
		put16(&b, cases[i].code);
		put16(&b, cases[i].length);
		put_fill(&b, cases[i].room, 0);
		put_block(&f, 1, &b);
		drop(&b);
		if (cases[i].bad) {
			expect_corrupt_after_one(&f);
		} else {
			CU_ASSERT_EQUAL(error_of(&f), 0);
			drop(&f);
		}
	}
}

static void limits_interfaces(void)
{
	struct file f = { 0 };
	put_section(&f, false);
	for (unsigned i = 0; i < 1024; i++)
		put_interface(&f, i, 0, -1, NULL);
	put_enhanced(&f, 1023, 1, 1, 1, 0);
	struct source_packet p = { 0 };
	struct source *s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, &p, 1), 1);
	CU_ASSERT_EQUAL(p.linktype, 1023);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
	source_close(s);
	put_interface(&f, 1, 0, -1, NULL);
	expect_corrupt_after_one(&f);
}

static void skips_long_blocks_and_options(void)
{
	struct file f = begun();
	uint8_t *zero = calloc(1, 3 << 20);
	if (!zero)
		abort();
	put_block(&f, 0x0bad, &(struct file){ .b = zero, .n = 3 << 20 });
	put_block(&f, 5, &(struct file){ .b = zero, .n = 1 << 20 });
	zero[12] = zero[16] = 6;        /* an enhanced packet with a megabyte of options */
	put_block(&f, 6, &(struct file){ .b = zero, .n = 1 << 20 });
	put_enhanced(&f, 0, 9, 3, 3, 1);
	struct source_packet p[3] = { 0 };
	struct source *s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, p, 3), 3);
	CU_ASSERT_EQUAL(p[1].bytes.n, 6);
	CU_ASSERT_EQUAL(p[2].ts_ns, 9000);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
	source_close(s);
	put_block(&f, 1, &(struct file){ .b = zero, .n = 1 << 20 });
	CU_ASSERT_EQUAL(error_of(&f), ERR_CORRUPT);
	free(zero);
	drop(&f);
}

static void sums_drops_of_statistics_blocks(void)
{
	struct file f = { 0 };
	put_section(&f, true);
	for (int i = 0; i < 2; i++)
		put_interface(&f, 1, 0, -1, NULL);
	for (uint32_t i = 0; i < 5; i++) {              /* interface 0, 1, 0, 1 and one that is not there */
		struct file b = { .big = true };
		put32(&b, i == 4 ? 7 : i % 2);
		put64(&b, 0);
		put16(&b, 5);
		put16(&b, 8);
		put64(&b, 10 + i);
		put16(&b, 7);
		put16(&b, 8);
		put64(&b, 100 + i);
		put32(&b, 0);
		put_block(&f, 5, &b);
		drop(&b);
	}
	struct source *s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
	uint64_t kernel, interface;
	source_drops(s, 0, &kernel, &interface);
	CU_ASSERT_EQUAL(kernel, 102 + 103);
	CU_ASSERT_EQUAL(interface, 12 + 13);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
	source_close(s);
	drop(&f);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "reads pcapng sections of both byte orders", reads_pcapng_sections_of_both_byte_orders },
		{ "every prefix of pcapng is cut or whole", every_prefix_of_pcapng_is_cut_or_whole },
		{ "reads every timestamp resolution", reads_every_timestamp_resolution },
		{ "clamps times that do not fit", clamps_times_that_do_not_fit },
		{ "reads simple and obsolete packets", reads_simple_and_obsolete_packets },
		{ "rejects broken blocks", rejects_broken_blocks },
		{ "rejects broken interface options", rejects_broken_interface_options },
		{ "limits interfaces", limits_interfaces },
		{ "skips long blocks and options", skips_long_blocks_and_options },
		{ "sums drops of statistics blocks", sums_drops_of_statistics_blocks },
		CU_TEST_INFO_NULL,
	};
	return test_run("source_pcapng", tests);
}
