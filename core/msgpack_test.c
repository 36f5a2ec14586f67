/* Debian's msgpack-c is the oracle, in both directions. */
#include "core/msgpack.h"

#include <errno.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"

static uint8_t mem[200000];

/* A block of exactly n bytes, so that ASan sees a read one past the end. */
static struct cursor exact(const void *p, size_t n, void **ret_block)
{
	*ret_block = malloc(n ? n : 1);
	memcpy(*ret_block, p, n);
	return cursor_from((struct span){ *ret_block, n });
}

static const uint64_t edges[] = {
	0, 1, 0x7e, 0x7f, 0x80, 0xfe, 0xff, 0x100, 0xfffe, 0xffff, 0x10000, 0xfffffffe, 0xffffffff, 0x100000000, UINT64_MAX
};
enum { EDGES = sizeof(edges) / sizeof(edges[0]) };

static void uints_agree_with_msgpack_c(void)
{
	for (size_t i = 0; i < EDGES; i++) {
		struct buf b = buf_over(mem, sizeof(mem));
		CU_ASSERT(msgpack_put_uint(&b, edges[i]) == 0);
		msgpack_sbuffer s;
		msgpack_packer pk;
		msgpack_sbuffer_init(&s);
		msgpack_packer_init(&pk, &s, msgpack_sbuffer_write);
		msgpack_pack_uint64(&pk, edges[i]);
		CU_ASSERT(s.size == b.len && !memcmp(s.data, b.data, b.len));
		void *block;
		struct cursor c = exact(s.data, s.size, &block);
		CU_ASSERT(msgpack_uint(&c) == edges[i] && cursor_ok(&c) && !cursor_left(&c));
		free(block);
		for (size_t n = 0; n < s.size; n++) {
			c = exact(s.data, n, &block);
			CU_ASSERT(msgpack_uint(&c) == 0 && !cursor_ok(&c));
			free(block);
		}
		msgpack_unpacked u;
		msgpack_unpacked_init(&u);
		CU_ASSERT(msgpack_unpack_next(&u, (char *)b.data, b.len, NULL) == MSGPACK_UNPACK_SUCCESS);
		CU_ASSERT(u.data.type == MSGPACK_OBJECT_POSITIVE_INTEGER && u.data.via.u64 == edges[i]);
		msgpack_unpacked_destroy(&u);
		msgpack_sbuffer_destroy(&s);
	}
}

static void refuses_long_forms_of_uints(void)
{
	for (size_t i = 0; i < EDGES; i++) {
		for (unsigned form = 0; form < 4; form++) {
			unsigned n = 1u << form;
			uint64_t fits = n == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * n) - 1;
			uint64_t shorter = n == 1 ? 0x7f : (UINT64_C(1) << 4 * n) - 1;
			if (edges[i] > fits)
				continue;
			uint8_t w[9] = { (uint8_t)(0xcc + form) };
			for (unsigned k = 1; k <= n; k++)
				w[k] = (uint8_t)(edges[i] >> 8 * (n - k));
			void *block;
			struct cursor c = exact(w, n + 1, &block);
			uint64_t v = msgpack_uint(&c);
			CU_ASSERT(cursor_ok(&c) == (edges[i] > shorter));
			CU_ASSERT(v == (edges[i] > shorter ? edges[i] : 0));
			free(block);
		}
	}
}

static const size_t lengths[] = { 0, 1, 31, 32, 255, 256, 65535, 65536 };

static void texts_and_binaries_agree_with_msgpack_c(void)
{
	static uint8_t text[65536];
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (int binary = 0; binary < 2; binary++) {
			size_t n = lengths[i];
			struct buf b = buf_over(mem, sizeof(mem));
			msgpack_sbuffer s;
			msgpack_packer pk;
			msgpack_sbuffer_init(&s);
			msgpack_packer_init(&pk, &s, msgpack_sbuffer_write);
			if (binary) {
				CU_ASSERT(msgpack_put_bin(&b, text, n) == 0);
				msgpack_pack_bin(&pk, n);
				msgpack_pack_bin_body(&pk, text, n);
			} else {
				CU_ASSERT(msgpack_put_str(&b, (struct span){ text, n }) == 0);
				msgpack_pack_str(&pk, n);
				msgpack_pack_str_body(&pk, text, n);
			}
			CU_ASSERT(s.size == b.len && !memcmp(s.data, b.data, b.len));
			void *block;
			struct cursor c = exact(s.data, s.size, &block);
			struct span got = binary ? msgpack_bin(&c) : msgpack_str(&c);
			CU_ASSERT(cursor_ok(&c) && got.n == n && !cursor_left(&c) && (!n || !memcmp(got.p, text, n)));
			free(block);
			/* one byte short, and read as the other kind */
			c = exact(s.data, s.size - 1, &block);
			got = binary ? msgpack_bin(&c) : msgpack_str(&c);
			CU_ASSERT(!cursor_ok(&c) && !got.n);
			free(block);
			c = exact(s.data, s.size, &block);
			got = binary ? msgpack_str(&c) : msgpack_bin(&c);
			CU_ASSERT(!cursor_ok(&c) && !got.n);
			free(block);
			msgpack_sbuffer_destroy(&s);
		}
	}
}

static void refuses_long_forms_of_lengths(void)
{
	static const struct { uint8_t b[6]; size_t head; } bad[] = {
		{ { 0xd9, 31 }, 2 }, { { 0xda, 0, 255 }, 3 }, { { 0xdb, 0, 0, 0, 255 }, 5 },
		{ { 0xc5, 0, 255 }, 3 }, { { 0xc6, 0, 0, 0, 255 }, 5 },
		{ { 0xdc, 0, 15 }, 3 }, { { 0xdd, 0, 0, 0, 15 }, 5 }, { { 0xde, 0, 15 }, 3 }, { { 0xdf, 0, 0, 0, 15 }, 5 },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t w[600] = { 0 };
		memcpy(w, bad[i].b, bad[i].head);
		struct cursor c = cursor_from((struct span){ w, sizeof(w) });
		uint8_t kind = w[0];
		if (kind >= 0xde)
			(void)msgpack_map(&c);
		else if (kind >= 0xdc)
			(void)msgpack_array(&c);
		else if (kind >= 0xd9)
			(void)msgpack_str(&c);
		else
			(void)msgpack_bin(&c);
		CU_ASSERT(!cursor_ok(&c));
	}
}

static void arrays_and_maps_agree_with_msgpack_c(void)
{
	static const uint32_t counts[] = { 0, 1, 15, 16, 65535, 65536 };
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (uint32_t map = 0; map < 2; map++) {
			uint32_t n = counts[i];
			struct buf b = buf_over(mem, sizeof(mem));
			msgpack_sbuffer s;
			msgpack_packer pk;
			msgpack_sbuffer_init(&s);
			msgpack_packer_init(&pk, &s, msgpack_sbuffer_write);
			(void)(map ? msgpack_put_map(&b, n) : msgpack_put_array(&b, n));
			(void)(map ? msgpack_pack_map(&pk, n) : msgpack_pack_array(&pk, n));
			CU_ASSERT(s.size == b.len && !memcmp(s.data, b.data, b.len));
			uint32_t values = n * (1 + map);
			for (uint32_t k = 0; k < values; k++)
				(void)msgpack_put_bool(&b, k & 1);
			void *block;
			struct cursor c = exact(b.data, b.len, &block);
			CU_ASSERT((map ? msgpack_map(&c) : msgpack_array(&c)) == n && cursor_left(&c) == values);
			for (uint32_t k = 0; k < values; k++)
				CU_ASSERT(msgpack_bool(&c) == (k & 1));
			CU_ASSERT(cursor_ok(&c));
			free(block);
			if (n) {        /* a count that the bytes cannot hold */
				c = exact(b.data, b.len - 1, &block);
				CU_ASSERT((map ? msgpack_map(&c) : msgpack_array(&c)) == 0 && !cursor_ok(&c));
				free(block);
			}
			msgpack_sbuffer_destroy(&s);
		}
	}
}

static void booleans_are_only_booleans(void)
{
	for (unsigned b = 0; b < 256; b++) {
		uint8_t w = (uint8_t)b;
		struct cursor c = cursor_from((struct span){ &w, 1 });
		bool v = msgpack_bool(&c);
		CU_ASSERT(cursor_ok(&c) == (b == 0xc2 || b == 0xc3) && v == (b == 0xc3));
	}
}

/* One random value of any kind by msgpack-c. */
static void pack_random(msgpack_packer *pk, unsigned depth)
{
	uint8_t some[40] = { 0 };
	size_t n = (size_t)rand() % sizeof(some);
	switch (rand() % (depth ? 11 : 9)) {
	case 0: msgpack_pack_nil(pk); break;
	case 1: msgpack_pack_true(pk); break;
	case 2: msgpack_pack_int64(pk, -((int64_t)1 << rand() % 63)); break;
	case 3: msgpack_pack_uint64(pk, UINT64_C(1) << rand() % 64); break;
	case 4: msgpack_pack_double(pk, 1.5); break;
	case 5: msgpack_pack_float(pk, 1.5f); break;
	case 6: msgpack_pack_str(pk, n), msgpack_pack_str_body(pk, some, n); break;
	case 7: msgpack_pack_bin(pk, n), msgpack_pack_bin_body(pk, some, n); break;
	case 8: msgpack_pack_ext(pk, n, 1), msgpack_pack_ext_body(pk, some, n); break;
	case 9:
		msgpack_pack_array(pk, n);
		for (size_t i = 0; i < n; i++)
			pack_random(pk, depth - 1);
		break;
	case 10:
		msgpack_pack_map(pk, n);
		for (size_t i = 0; i < 2 * n; i++)
			pack_random(pk, depth - 1);
		break;
	}
}

static void skips_any_value_of_msgpack_c_exactly(void)
{
	srand(1);
	for (int i = 0; i < 2000; i++) {
		msgpack_sbuffer s;
		msgpack_packer pk;
		msgpack_sbuffer_init(&s);
		msgpack_packer_init(&pk, &s, msgpack_sbuffer_write);
		pack_random(&pk, 2);
		size_t n = s.size;
		msgpack_pack_true(&pk);
		void *block;
		struct cursor c = exact(s.data, s.size, &block);
		msgpack_skip(&c);
		CU_ASSERT(cursor_ok(&c) && cursor_left(&c) == 1);
		free(block);
		size_t cut = (size_t)rand() % n;
		c = exact(s.data, cut, &block);
		msgpack_skip(&c);
		CU_ASSERT(!cursor_ok(&c));
		free(block);
		msgpack_sbuffer_destroy(&s);
	}
}

static void skips_deep_nesting_without_recursion(void)
{
	memset(mem, 0x91, sizeof(mem));         /* arrays of one array of one ... */
	mem[sizeof(mem) - 1] = 0;
	struct cursor c = cursor_from((struct span){ mem, sizeof(mem) });
	msgpack_skip(&c);
	CU_ASSERT(cursor_ok(&c) && !cursor_left(&c));
	c = cursor_from((struct span){ mem, sizeof(mem) - 1 });
	msgpack_skip(&c);
	CU_ASSERT(!cursor_ok(&c));
}

static void writers_stop_at_the_end_of_the_buffer(void)
{
	struct buf b = buf_over(mem, 4);
	CU_ASSERT(msgpack_put_uint(&b, UINT64_MAX) == -ENOBUFS && b.full && b.len == 0);
	buf_rewind(&b, 0);
	CU_ASSERT(msgpack_put_str(&b, span_str("four")) == -ENOBUFS);
	buf_rewind(&b, 0);
	CU_ASSERT(msgpack_put_str(&b, span_str("abc")) == 0 && b.len == 4);
}

int main(void)
{
	CU_pSuite s = test_begin("msgpack");
	CU_ADD_TEST(s, uints_agree_with_msgpack_c);
	CU_ADD_TEST(s, refuses_long_forms_of_uints);
	CU_ADD_TEST(s, texts_and_binaries_agree_with_msgpack_c);
	CU_ADD_TEST(s, refuses_long_forms_of_lengths);
	CU_ADD_TEST(s, arrays_and_maps_agree_with_msgpack_c);
	CU_ADD_TEST(s, booleans_are_only_booleans);
	CU_ADD_TEST(s, skips_any_value_of_msgpack_c_exactly);
	CU_ADD_TEST(s, skips_deep_nesting_without_recursion);
	CU_ADD_TEST(s, writers_stop_at_the_end_of_the_buffer);
	return test_end();
}
