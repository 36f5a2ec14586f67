/* Every capture of a folder of public captures, through the reader and the decoder. The folder is not part of the
 * project: ../shared/captures next to the source root, or SPANWARD_CAPTURES; without it this is skipped.
 *
 * MANIFEST.tsv there says of most files how many packets another program found; that is compared for files that
 * end well. Of damaged files it says what could be read of them in other ways, so those only must not crash.
 */
#include <CUnit/Basic.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "sensor/decode.h"
#include "sensor/source.h"

/* The walk of nftw() has no argument to carry these. */
static struct { unsigned long files, packets, ended_badly, compared; uint64_t counters[STATS_COUNTERS]; } total;

static bool is_capture(const char *path)
{
	static const char *const ends[] = { ".pcap", ".pcapng", ".cap", ".3pcap", ".dmp", ".gz" };
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t n = strlen(path), e = strlen(ends[i]);
		if (n > e && !strcmp(path + n - e, ends[i]))
			return true;
	}
	return strstr(path, "/pcap/") != NULL;
}

/* Reads one file wholly; its result is copied to *ret. */
static bool read_capture(const char *path, struct source_file_result *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct source *s = fd < 0 ? NULL : source_open_files(&fd, 1);
	if (!s)
		return false;
	struct source_packet p;
	uint64_t packets = 0;
	while (source_next(s, 0, &p) == SOURCE_PACKET) {
		/* A copy of exactly its size: one byte over is seen. */
		uint8_t *exact = malloc(p.bytes.n ? p.bytes.n : 1);
		if (!exact)
			abort();
		if (p.bytes.n)
			memcpy(exact, p.bytes.p, p.bytes.n);
		struct decode d;
		decode_packet(p.linktype, (struct span){ exact, p.bytes.n }, p.wire_len, &d);
		CU_ASSERT(p.bytes.n <= SOURCE_MAX_PACKET);
		CU_ASSERT_EQUAL(p.number, ++packets);
		CU_ASSERT(d.counter < STATS_COUNTERS);
		CU_ASSERT(d.payload.n <= d.payload_wire);
		if (d.payload.n)
			CU_ASSERT(d.payload.p >= exact && d.payload.p + d.payload.n <= exact + p.bytes.n);
		total.counters[d.counter]++;
		free(exact);
	}
	*ret = *source_result(s, 0);
	CU_ASSERT_EQUAL(ret->packets, packets);
	source_close(s);
	return true;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	struct source_file_result r;
	if (type != FTW_F || !is_capture(path))
		return 0;
	CU_ASSERT_FATAL(read_capture(path, &r));
	CU_ASSERT(r.err == 0 || r.err == ERR_TRUNCATED || r.err == ERR_CORRUPT || r.err == ERR_UNKNOWN_KIND);
	if (r.err && getenv("VERBOSE"))
		printf("%s: %llu packets, %s\n", path, (unsigned long long)r.packets, r.why);
	total.files++;
	total.packets += r.packets;
	total.ended_badly += r.err != 0;
	return 0;
}

static const char *folder(void)
{
	const char *at = getenv("SPANWARD_CAPTURES");
	return at ? at : "../shared/captures";
}

static void reads_every_capture(void)
{
	CU_ASSERT_EQUAL(nftw(folder(), visit, 16, FTW_PHYS), 0);
	CU_ASSERT(total.files > 0);
	printf("\n%lu files, %lu packets, %lu files broken or of other kinds\n", total.files, total.packets,
		total.ended_badly);
	for (size_t i = 0; i < STATS_COUNTERS; i++)
		if (total.counters[i])
			printf("  %-22s %llu\n", stats_name((enum stats_counter)i), (unsigned long long)total.counters[i]);
}

static void agrees_with_the_manifest(void)
{
	char path[16384], line[8192];
	if (snprintf(path, sizeof(path), "%s/MANIFEST.tsv", folder()) >= (int)sizeof(path))
		abort();
	FILE *f = fopen(path, "r");
	CU_ASSERT_FATAL(f != NULL);
	while (fgets(line, sizeof(line), f)) {
		/* file, origin, commit, path, licence, republish, bytes, sha256, what: "64 pkts, ether; ... [tshark]" */
		char *column[9] = { line };
		size_t n = 1;
		for (char *c = line; *c && n < 9; c++) {
			if (*c == '\t') {
				*c = 0;
				column[n++] = c + 1;
			}
		}
		unsigned long long want;
		int used = 0;
		if (n < 9 || !is_capture(line) || !strstr(column[8], "[tshark]") ||
		    sscanf(column[8], "%llu pkts,%n", &want, &used) != 1 || !used)
			continue;
		struct source_file_result r;
		if (snprintf(path, sizeof(path), "%s/%s", folder(), line) >= (int)sizeof(path))
			abort();
		CU_ASSERT_FATAL(read_capture(path, &r));
		if (r.err)
			continue;
		total.compared++;
		if (r.packets != want)
			printf("\n%s: %llu packets, the manifest says %llu", line, (unsigned long long)r.packets, want);
		CU_ASSERT_EQUAL(r.packets, want);
	}
	fclose(f);
	printf("\n%lu files compared\n", total.compared);
	CU_ASSERT(total.compared > 0);
}

int main(void)
{
	struct stat st;
	if (stat(folder(), &st)) {
		printf("skipped: no folder %s\n", folder());
		return 77;
	}
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	CU_pSuite s = CU_add_suite("sensor/source_captures", NULL, NULL);
	CU_add_test(s, "reads_every_capture", reads_every_capture);
	CU_add_test(s, "agrees_with_the_manifest", agrees_with_the_manifest);
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
