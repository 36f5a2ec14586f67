/* pcap: every magic number and version, modified records, cuts and impossible lengths. */
#include "sensor/source_rig.h"

static void reads_every_pcap_magic(void)
{
	static const struct { uint32_t magic; bool big; uint64_t ts_ns; } cases[] = {
		{ 0xa1b2c3d4, false, 1700000000000123000 }, { 0xa1b2c3d4, true, 1700000000000123000 },
		{ 0xa1b23c4d, false, 1700000000000000123 }, { 0xa1b23c4d, true, 1700000000000000123 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct file f = { .big = cases[i].big };
		put_pcap(&f, cases[i].magic, 4, 65535, 1);
		put_record(&f, 1700000000, 123, 61, 1514);
		put_record(&f, 1700000001, 0, 0, 0);
		struct source *s = open_bytes(&f, f.n);
		struct source_packet p = { 0 };
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT_EQUAL(p.bytes.n, 61);
		CU_ASSERT(is_fill(p.bytes, 1700000000u));
		CU_ASSERT_EQUAL(p.wire_len, 1514);
		CU_ASSERT_EQUAL(p.linktype, 1);
		CU_ASSERT_EQUAL(p.ts_ns, cases[i].ts_ns);
		CU_ASSERT_EQUAL(p.number, 1);
		CU_ASSERT_EQUAL(p.file, 1);
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT_EQUAL(p.bytes.n, 0);
		CU_ASSERT_EQUAL(p.number, 2);
		CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
		CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
		CU_ASSERT_EQUAL(source_result(s, 0)->packets, 2);
		CU_ASSERT_EQUAL(source_result(s, 0)->bytes_read, f.n);
		source_close(s);
		drop(&f);
	}
}

static void reads_modified_pcap(void)
{
	struct file f = { 0 };
	put_pcap(&f, 0xa1b2cd34, 4, 65535, 113);
	for (uint32_t i = 0; i < 3; i++) {
		put32(&f, 5 + i);
		put32(&f, 9);
		put32(&f, 4);
		put32(&f, 4);
		put64(&f, 0x1122334455667788);  /* interface, protocol, packet type */
		put_fill(&f, 4, i);
	}
	struct source *s = open_bytes(&f, f.n);
	struct source_packet p;
	for (uint32_t i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT(p.bytes.n == 4 && is_fill(p.bytes, i));
		CU_ASSERT_EQUAL(p.ts_ns, (5 + i) * UINT64_C(1000000000) + 9000);
	}
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
	source_close(s);
	drop(&f);
}

/* `n` of Kuznetzov's records of 30 bytes under the magic number of plain ones. */
static void put_disguised(struct file *f, uint32_t n, uint32_t apart)
{
	put_pcap(f, 0xa1b2c3d4, 4, 262144, 272);
	for (uint32_t i = 0; i < n; i++) {
		put32(f, 1685000000 + i * apart);
		put32(f, 9);
		put32(f, 30);
		put32(f, 30);
		put64(f, 0);
		put_fill(f, 30, i);
	}
}

static void tells_modified_records_under_the_plain_magic_number(void)
{
	for (unsigned big = 0; big < 2; big++) {
		for (uint32_t n = 2; n < 6; n++) {
			struct file f = { .big = big };
			struct source_packet p;
			put_disguised(&f, n, 1);
			struct source *s = open_bytes(&f, f.n);
			for (uint32_t i = 0; i < n; i++) {
				CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
				CU_ASSERT(p.bytes.n == 30 && is_fill(p.bytes, i));
			}
			CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
			CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
			source_close(s);
			drop(&f);
		}
	}
}

/* Nothing is guessed where a plain reading is possible, nor where the longer one is not sound either. */
static void takes_nothing_else_for_modified_records(void)
{
	struct file f = { 0 };
	put_disguised(&f, 4, 1);
	f.b[24 + 54 + 6] = 0xff;                /* microseconds of the second record */
	struct source *s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 1);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, ERR_CORRUPT);
	source_close(s);
	drop(&f);

	put_disguised(&f, 4, 86401);            /* days apart */
	s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(source_result(s, 0)->packets, 0);
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 1);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, ERR_CORRUPT);
	source_close(s);
	drop(&f);

	/* Plain records whose payload is a capture of the other kind. */
	struct file inner = { 0 };
	put_disguised(&inner, 3, 1);
	put_pcap(&f, 0xa1b2c3d4, 4, 262144, 1);
	for (int i = 0; i < 3; i++) {
		put32(&f, 1685000000);
		put32(&f, 0);
		put32(&f, (uint32_t)inner.n);
		put32(&f, (uint32_t)inner.n);
		put(&f, inner.b, inner.n);
	}
	s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 3);
	CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
	source_close(s);
	drop(&f);
	drop(&inner);
}

static void every_prefix_of_disguised_records_ends_well(void)
{
	struct file f = { 0 };
	put_disguised(&f, 3, 1);
	for (size_t n = 0; n <= f.n; n++) {
		struct source *s = open_bytes(&f, n);
		size_t got = drain(s, NULL, 0);
		CU_ASSERT(got <= 3);
		if (n >= 24 + 54 * 2)
			CU_ASSERT_EQUAL(got, n == f.n ? 3 : 2);
		source_close(s);
	}
	drop(&f);
}

static void masks_frame_check_bits_of_the_link_type(void)
{
	struct file f = { 0 };
	struct source_packet p = { 0 };
	put_pcap(&f, 0xa1b2c3d4, 4, 65535, 0x44000001);
	put_record(&f, 1, 1, 1, 1);
	struct source *s = open_bytes(&f, f.n);
	CU_ASSERT_EQUAL(drain(s, &p, 1), 1);
	CU_ASSERT_EQUAL(p.linktype, 1);
	source_close(s);
	drop(&f);
}

static void every_prefix_of_pcap_is_cut_or_whole(void)
{
	struct file f = { 0 };
	size_t ends[4];
	put_pcap(&f, 0xa1b2c3d4, 4, 65535, 1);
	ends[0] = f.n;
	for (uint32_t i = 1; i < 4; i++) {
		put_record(&f, i, 0, 10 * i, 100);
		ends[i] = f.n;
	}
	for (size_t n = 0; n <= f.n; n++) {
		size_t want = 0;
		bool whole = n == ends[0];
		for (size_t i = 1; i < 4; i++) {
			want += n >= ends[i];
			whole = whole || n == ends[i];
		}
		int err;
		CU_ASSERT_EQUAL(count(&f, n, &err), want);
		CU_ASSERT_EQUAL(err, n == 0 ? ERR_UNKNOWN_KIND : whole ? 0 : ERR_TRUNCATED);
	}
	drop(&f);
}

static void rejects_impossible_pcap_length(void)
{
	struct file f = { 0 };
	int err;
	put_pcap(&f, 0xa1b2c3d4, 4, 65535, 1);
	put_record(&f, 1, 0, 10, 10);
	put32(&f, 2);
	put32(&f, 0);
	put32(&f, SOURCE_MAX_PACKET + 1);
	put32(&f, SOURCE_MAX_PACKET + 1);
	put_fill(&f, SOURCE_MAX_PACKET + 1, 0);
	CU_ASSERT_EQUAL(count(&f, f.n, &err), 1);
	CU_ASSERT_EQUAL(err, ERR_CORRUPT);
	drop(&f);
}

static void gives_the_head_of_a_longer_packet(void)
{
	for (int ng = 0; ng < 2; ng++) {
		struct file f = { 0 };
		uint32_t sizes[] = { SOURCE_MAX_PACKET, SOURCE_MAX_PACKET + 1, SOURCE_MAX_PACKET + (200 << 10), 3 << 20, 5 };
		if (ng) {
			put_section(&f, false);
			put_interface(&f, 1, 0, -1, NULL);
		} else {
			put_pcap(&f, 0xa1b2c3d4, 4, 4 << 20, 1);
		}
		for (unsigned i = 0; i < 5; i++) {
			if (ng)
				put_enhanced(&f, 0, i, sizes[i], sizes[i], i);
			else
				put_record(&f, i, 0, sizes[i], sizes[i]);
		}
		struct source *s = open_bytes(&f, f.n);
		for (unsigned i = 0; i < 5; i++) {
			struct source_packet p = { 0 };
			CU_ASSERT_EQUAL(source_next(s, 0, &p), SOURCE_PACKET);
			CU_ASSERT_EQUAL(p.bytes.n, sizes[i] > SOURCE_MAX_PACKET ? SOURCE_MAX_PACKET : sizes[i]);
			CU_ASSERT_EQUAL(p.wire_len, sizes[i]);
			CU_ASSERT(is_fill(p.bytes, i));
		}
		CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
		CU_ASSERT_EQUAL(source_result(s, 0)->err, 0);
		source_close(s);
		/* Cut in the part that was not handed out. */
		int err;
		CU_ASSERT_EQUAL(count(&f, f.n - (ng ? 41 : 22), &err), 4);
		CU_ASSERT_EQUAL(err, ERR_TRUNCATED);
		drop(&f);
	}
}

static void reads_old_pcap_versions(void)
{
	static const struct { unsigned major, minor; uint32_t first, second; uint32_t captured; int err; } cases[] = {
		{ 2, 4, 5, 9, 5, 0 }, { 2, 2, 9, 5, 5, 0 }, { 2, 0, 9, 5, 5, 0 }, { 2, 3, 5, 9, 5, 0 }, { 2, 3, 9, 5, 5, 0 },
		{ 543, 0, 9, 5, 5, 0 }, { 2, 5, 5, 9, 0, ERR_UNKNOWN_KIND }, { 1, 4, 5, 9, 0, ERR_UNKNOWN_KIND },
		{ 3, 0, 5, 9, 0, ERR_UNKNOWN_KIND },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct file f = { 0 };
		struct source_packet p = { 0 };
		put_pcap(&f, 0xa1b2c3d4, cases[i].minor, 65535, 1);
		f.b[4] = (uint8_t)cases[i].major;
		f.b[5] = (uint8_t)(cases[i].major >> 8);
		put32(&f, 1);
		put32(&f, 0);
		put32(&f, cases[i].first);
		put32(&f, cases[i].second);
		put_fill(&f, 5, 1);
		struct source *s = open_bytes(&f, f.n);
		CU_ASSERT_EQUAL(drain(s, &p, 1), cases[i].err ? 0 : 1);
		CU_ASSERT_EQUAL(source_result(s, 0)->err, cases[i].err);
		CU_ASSERT_EQUAL(p.bytes.n, cases[i].captured);
		if (!cases[i].err)
			CU_ASSERT_EQUAL(p.wire_len, 9);
		source_close(s);
		drop(&f);
	}
}

static void records_across_blocks_stay_whole(void)
{
	struct file f = { 0 };
	put_pcap(&f, 0xa1b2c3d4, 4, 262144, 1);
	uint32_t n = 0;
	while (f.n < 5u << 20) {
		uint32_t size = n % 97 == 0 ? SOURCE_MAX_PACKET : (n * 2654435761u) % 9000;
		put_record(&f, n++, 0, size, size);
	}
	struct source *s = open_bytes(&f, f.n);
	struct span last = { 0 };
	uint32_t stayed = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct source_packet p = { 0 };
		bool stays = source_stays(s);
		CU_ASSERT_EQUAL_FATAL(source_next(s, 0, &p), SOURCE_PACKET);
		CU_ASSERT_EQUAL(p.number, i + 1);
		CU_ASSERT_EQUAL(p.bytes.n, p.wire_len);
		CU_ASSERT_FATAL(is_fill(p.bytes, i));
		/* What was promised to stay did. */
		if (stays)
			CU_ASSERT_FATAL(is_fill(last, i - 1));
		stayed += stays;
		last = p.bytes;
	}
	/* All but the first, and a few at the end of each read. */
	CU_ASSERT(stayed < n && stayed > n - 3 * (uint32_t)(f.n >> 18) - 2);
	CU_ASSERT_EQUAL(drain(s, NULL, 0), 0);
	uint64_t got, total;
	source_progress(s, &got, &total);
	CU_ASSERT_EQUAL(got, f.n);
	CU_ASSERT_EQUAL(total, f.n);
	source_close(s);
	drop(&f);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "reads every pcap magic", reads_every_pcap_magic },
		{ "reads modified pcap", reads_modified_pcap },
		{ "tells modified records under the plain magic number", tells_modified_records_under_the_plain_magic_number },
		{ "takes nothing else for modified records", takes_nothing_else_for_modified_records },
		{ "every prefix of disguised records ends well", every_prefix_of_disguised_records_ends_well },
		{ "masks frame check bits of the link type", masks_frame_check_bits_of_the_link_type },
		{ "every prefix of pcap is cut or whole", every_prefix_of_pcap_is_cut_or_whole },
		{ "rejects impossible pcap length", rejects_impossible_pcap_length },
		{ "gives the head of a longer packet", gives_the_head_of_a_longer_packet },
		{ "reads old pcap versions", reads_old_pcap_versions },
		{ "records across blocks stay whole", records_across_blocks_stay_whole },
		CU_TEST_INFO_NULL,
	};
	return test_run("source", tests);
}
