#include "rules/bundle.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"

enum { HEAD = 8 + 8 + 8 + BUNDLE_KEY };

static const uint8_t magic[8] = { 'S', 'P', 'W', 'B', 'N', 'D', 'L', '1' };

int bundle_keys(uint8_t ret_public[static BUNDLE_KEY], uint8_t ret_secret[static BUNDLE_SECRET])
{
	return sodium_init() < 0 || crypto_sign_keypair(ret_public, ret_secret) ? -EIO : 0;
}

static bool ends_with(struct span s, const char *end)
{
	size_t n = strlen(end);
	return s.n > n && !memcmp(s.p + s.n - n, end, n);
}

bool bundle_name(struct span name)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+@ -";
	if (!name.n || name.n > BUNDLE_NAME || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!memchr(safe, name.p[i], sizeof(safe) - 1) && name.p[i] < 0x80)
			return false;
	return ends_with(name, ".yaml") || ends_with(name, ".yml") || span_eq(name, span_str("inventory.csv"));
}

static int compare(struct span a, struct span b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return c ? c : a.n < b.n ? -1 : a.n > b.n;
}

static int by_name(const void *a, const void *b)
{
	return compare(((const struct bundle_file *)a)->name, ((const struct bundle_file *)b)->name);
}

int bundle_pack(const struct bundle_file *v, size_t n, uint64_t generation, uint64_t made_ns,
		const uint8_t secret[static BUNDLE_SECRET], uint8_t **ret, size_t *ret_n)
{
	size_t size = HEAD + 4 + BUNDLE_SIGNATURE;
	if (sodium_init() < 0)
		return -EIO;
	if (!n || n > BUNDLE_FILES)
		return n ? -EFBIG : -EINVAL;
	struct bundle_file *sorted = calloc(n, sizeof(*sorted));
	int err = sorted ? 0 : -ENOMEM;
	for (size_t i = 0; i < n && !err; i++) {
		sorted[i] = v[i];
		size += 6 + v[i].name.n + v[i].bytes.n;
		if (v[i].bytes.n > BUNDLE_FILE_MAX || size > BUNDLE_MAX)
			err = -EFBIG;
		else if (!bundle_name(v[i].name))
			err = -EINVAL;
	}
	if (!err)
		qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t i = 1; i < n && !err; i++)
		err = compare(sorted[i - 1].name, sorted[i].name) ? 0 : -EINVAL;
	uint8_t *mem = err ? NULL : malloc(size), key[BUNDLE_KEY];
	if (!err && !mem)
		err = -ENOMEM;
	if (!err) {
		struct buf b = buf_over(mem, size);
		(void)crypto_sign_ed25519_sk_to_pk(key, secret);
		(void)buf_put(&b, magic, sizeof(magic));
		(void)buf_u64be(&b, generation);
		(void)buf_u64be(&b, made_ns);
		(void)buf_put(&b, key, sizeof(key));
		(void)buf_u32be(&b, (uint32_t)n);
		for (size_t i = 0; i < n; i++) {
			(void)buf_u16be(&b, (uint16_t)sorted[i].name.n);
			(void)buf_put(&b, sorted[i].name.p, sorted[i].name.n);
			(void)buf_u32be(&b, (uint32_t)sorted[i].bytes.n);
			(void)buf_put(&b, sorted[i].bytes.p, sorted[i].bytes.n);
		}
		(void)crypto_sign_detached(mem + b.len, NULL, mem, b.len, secret);
		*ret = mem;
		*ret_n = size;
	}
	free(sorted);
	return err;
}

/* The files of a bundle whose signature holds: what is wrong with them now, its signer did. */
static int read_files(struct cursor *c, struct bundle *b)
{
	uint32_t n = cursor_u32be(c);
	if (!cursor_ok(c) || !n || n > BUNDLE_FILES)
		return ERR_CORRUPT;
	b->v = calloc(n, sizeof(*b->v));
	if (!b->v)
		return -ENOMEM;
	for (b->n = 0; b->n < n; b->n++) {
		struct bundle_file *f = &b->v[b->n];
		f->name = cursor_take(c, cursor_u16be(c));
		f->bytes = cursor_take(c, cursor_u32be(c));
		if (!cursor_ok(c) || !bundle_name(f->name) || f->bytes.n > BUNDLE_FILE_MAX ||
		    (b->n && compare(b->v[b->n - 1].name, f->name) >= 0))
			return ERR_CORRUPT;
	}
	return cursor_left(c) ? ERR_CORRUPT : 0;
}

int bundle_open(struct span bytes, const uint8_t (*keys)[BUNDLE_KEY], size_t n_keys, struct bundle *ret)
{
	struct bundle b = { 0 };
	if (sodium_init() < 0)
		return -EIO;
	if (bytes.n < sizeof(magic) || memcmp(bytes.p, magic, sizeof(magic)))
		return ERR_UNKNOWN_KIND;
	if (bytes.n < HEAD + 4 + BUNDLE_SIGNATURE)
		return ERR_TRUNCATED;
	if (bytes.n > BUNDLE_MAX)
		return ERR_CORRUPT;
	struct span is_signed = { bytes.p, bytes.n - BUNDLE_SIGNATURE };
	struct cursor c = cursor_from(is_signed);
	(void)cursor_take(&c, sizeof(magic));
	b.generation = cursor_u64be(&c);
	b.made_ns = cursor_u64be(&c);
	memcpy(b.key, cursor_take(&c, BUNDLE_KEY).p, BUNDLE_KEY);
	if (crypto_sign_verify_detached(bytes.p + is_signed.n, is_signed.p, is_signed.n, b.key))
		return ERR_CORRUPT;
	for (size_t i = 0; i < n_keys; i++)
		b.trusted |= !memcmp(keys[i], b.key, BUNDLE_KEY);
	int err = read_files(&c, &b);
	if (err) {
		bundle_free(&b);
		return err;
	}
	*ret = b;
	return 0;
}

void bundle_free(struct bundle *b)
{
	free(b->v);
	b->v = NULL;
	b->n = 0;
}
