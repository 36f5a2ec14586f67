/* try.h -- for tests only: conversations written down in text, driven through one dissector in every segmentation.
 *
 *	TRY_STREAM(&foo_dissector, "0 {...}\n", { 0, "'SSH-2.0-x' 0d0a" }, { 1, "00ff" });
 *
 * A part is a direction and its bytes: pairs of hexadecimal digits and text in '...'. TRY_DATAGRAMS takes each part for a
 * datagram. Both also run every prefix of the conversation and every byte of it changed, for what ASan and the contract in
 * drive.h have to say.
 */
#ifndef DISSECTORS_TRY_H
#define DISSECTORS_TRY_H

#include "core/test.h"
#include "dissectors/drive.h"

enum { TRY_PARTS = 16, TRY_BYTES = 8192 };

struct try_part {
	unsigned dir;
	const char *text;               /* NULL ends */
};

struct try_bytes {
	size_t n;
	uint8_t b[TRY_BYTES];
};

static inline unsigned try_nibble(char c)
{
	return c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
}

static inline void try_read(const char *text, struct try_bytes *ret)
{
	ret->n = 0;
	while (*text) {
		if (*text == '\'') {
			for (text++; *text != '\''; text++) {
				if (!*text || ret->n == TRY_BYTES)
					abort();
				ret->b[ret->n++] = (uint8_t)*text;
			}
			text++;
		} else if (*text == ' ') {
			text++;
		} else {
			if (try_nibble(text[0]) > 15 || try_nibble(text[1]) > 15 || ret->n == TRY_BYTES)
				abort();
			ret->b[ret->n++] = (uint8_t)(try_nibble(text[0]) << 4 | try_nibble(text[1]));
			text += 2;
		}
	}
}

/* At most `cut` bytes of all; the byte `flip` (SIZE_MAX: none) is changed. */
static inline struct drive *try_play(const struct dissector *d, unsigned mode, bool datagrams, const struct try_part *parts,
				     size_t segment, size_t cut, size_t flip)
{
	static struct try_bytes bytes;
	struct drive *v = drive_new(d, mode);
	size_t at = 0;
	for (; parts->text && at < cut; parts++) {
		try_read(parts->text, &bytes);
		if (flip >= at && flip - at < bytes.n)
			bytes.b[flip - at] ^= 0x55;
		size_t n = bytes.n < cut - at ? bytes.n : cut - at;
		if (datagrams)
			drive_datagram(v, parts->dir, (struct span){ bytes.b, n });
		else
			drive_feed(v, parts->dir, (struct span){ bytes.b, n }, segment);
		at += bytes.n;
	}
	if (!datagrams)
		drive_finish(v);
	return v;
}

static inline void try_expect(const struct dissector *d, unsigned mode, bool datagrams, const char *name, const char *want,
			      const struct try_part *parts)
{
	static const size_t segments[] = { 0, 1, 2, 3, 5, 7, 10, 64, 536 };
	static struct try_bytes bytes;
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		struct drive *v = try_play(d, mode, datagrams, parts, segments[i], SIZE_MAX, SIZE_MAX);
		if (strcmp(drive_text(v), want))
			fprintf(stderr, "%s, segments of %zu:\n%swanted:\n%s", name, segments[i], drive_text(v), want);
		CU_ASSERT_STRING_EQUAL(drive_text(v), want);
		drive_free(v);
	}
	size_t all = 0;
	for (const struct try_part *p = parts; p->text; p++) {
		try_read(p->text, &bytes);
		all += bytes.n;
	}
	for (size_t n = 0; n < all; n++) {
		drive_free(try_play(d, mode, datagrams, parts, 0, n, SIZE_MAX));
		struct drive *whole = try_play(d, mode, datagrams, parts, 0, SIZE_MAX, n);
		struct drive *cut = try_play(d, mode, datagrams, parts, 3, SIZE_MAX, n);
		CU_ASSERT_STRING_EQUAL(drive_text(whole), drive_text(cut));
		drive_free(whole);
		drive_free(cut);
	}
}

#define TRY_STREAM(d, want, ...) \
	try_expect(d, DRIVE_PROBE, false, __func__, want, (const struct try_part[]){ __VA_ARGS__, { 0, NULL } })
#define TRY_DATAGRAMS(d, want, ...) \
	try_expect(d, DRIVE_PROBE, true, __func__, want, (const struct try_part[]){ __VA_ARGS__, { 0, NULL } })

/* What probe() says of these bytes and of all their beginnings, which must not contradict each other. */
static inline enum dissect_guess try_probe(const struct dissector *d, const char *text, bool midstream)
{
	static struct try_bytes bytes;
	enum dissect_guess was = DISSECT_MAYBE;
	try_read(text, &bytes);
	for (size_t n = 0; n <= bytes.n; n++) {
		uint8_t *exact = drive_copy(bytes.b, n);
		enum dissect_guess is = d->probe((struct span){ exact, n }, midstream);
		free(exact);
		CU_ASSERT(was == DISSECT_MAYBE || is == was);
		was = is;
	}
	return was;
}

static inline bool try_is(const struct dissector *d, const char *text)
{
	static struct try_bytes bytes;
	try_read(text, &bytes);
	uint8_t *exact = drive_copy(bytes.b, bytes.n);
	bool is = d->is_datagram((struct span){ exact, bytes.n });
	free(exact);
	return is;
}

#endif
