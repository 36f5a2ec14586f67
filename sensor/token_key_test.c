#include "sensor/token_key.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "core/test.h"

static char dir[] = "/tmp/spanward-token-key-XXXXXX", path[64];

static int get(struct siphash_key *k)
{
	char why[256] = "";
	int err = token_key_get(path, k, why);
	CU_ASSERT(!err == !why[0]);
	return err;
}

static void put(const char *text, mode_t mode)
{
	(void)unlink(path);     /* what may only be read cannot be opened to write */
	FILE *f = fopen(path, "we");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	(void)fputs(text, f);
	(void)fclose(f);
	CU_ASSERT_EQUAL(chmod(path, mode), 0);
}

static void is_made_once_and_stays(void)
{
	struct siphash_key a = { 0 }, b = { 0 }, c = { 0 };
	struct stat st;
	(void)unlink(path);
	CU_ASSERT_EQUAL(get(&a), 0);
	CU_ASSERT_EQUAL(get(&b), 0);
	CU_ASSERT(a.k0 == b.k0 && a.k1 == b.k1);
	CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_size == 33);
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(get(&c), 0);
	CU_ASSERT(c.k0 != a.k0 && c.k1 != a.k1);
}

static void is_what_the_file_says(void)
{
	struct siphash_key k = { 0 };
	put("000102030405060708090a0b0c0d0e0f\n", 0600);
	CU_ASSERT_EQUAL(get(&k), 0);
	CU_ASSERT(k.k0 == UINT64_C(0x0001020304050607) && k.k1 == UINT64_C(0x08090a0b0c0d0e0f));
	put("000102030405060708090A0B0C0D0E0F", 0400);
	CU_ASSERT_EQUAL(get(&k), 0);
}

static void is_refused_when_it_is_no_key(void)
{
	static const char *const wrong[] = { "", "\n", "00", "000102030405060708090a0b0c0d0e0", "000102030405060708090a0b0c0d0e0g\n",
					     "000102030405060708090a0b0c0d0e0f0\n", "000102030405060708090a0b0c0d0e0f\n\n" };
	struct siphash_key k = { 7, 8 };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		put(wrong[i], 0600);
		CU_ASSERT_EQUAL(get(&k), ERR_CORRUPT);
	}
	put("000102030405060708090a0b0c0d0e0f\n", 0640);
	CU_ASSERT_EQUAL(get(&k), -EACCES);
	CU_ASSERT(k.k0 == 7 && k.k1 == 8);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/none/key", dir);
	CU_ASSERT_EQUAL(get(&k), -ENOENT);
	(void)snprintf(path, sizeof(path), "%s", dir);
	CU_ASSERT_EQUAL(get(&k), -EACCES);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "is made once and stays", is_made_once_and_stays },
		{ "is what the file says", is_what_the_file_says },
		{ "is refused when it is no key", is_refused_when_it_is_no_key },
		CU_TEST_INFO_NULL,
	};
	if (!mkdtemp(dir))
		return 1;
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	int code = test_run("token_key", tests);
	(void)rmdir(dir);
	return code;
}
