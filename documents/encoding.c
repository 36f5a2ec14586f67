#include "documents/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/utf8.h"
#include "rules/policy_model.h"

static bool begins(struct span s, const char *with, size_t n) { return s.n >= n && !memcmp(s.p, with, n); }

/* How far `s` is UTF-8. */
static size_t sound_utf8(struct span s)
{
	size_t i = 0;
	uint32_t cp;
	for (int n; i < s.n && (n = utf8_next(span_from(s, i), &cp)) > 0; i += (size_t)n)
		;
	return i;
}

/* All of `s` from another encoding; *ret_bad: how far it could be read when the answer is -EILSEQ. */
static int convert(struct span s, const char *from, struct span *ret, size_t *ret_bad)
{
	iconv_t cd = iconv_open("UTF-8", from);
	if (cd == (iconv_t)-1)
		return errno == EINVAL ? -ENOSYS : -errno;
	/* Neither CP932 nor UTF-16 takes less than a byte for three of UTF-8. */
	size_t room = s.n * 3 + 4;
	char *out = malloc(room), *to = out, *in = (char *)(uintptr_t)s.p;
	size_t left = s.n, free_n = room;
	int err = !out ? -ENOMEM : iconv(cd, &in, &left, &to, &free_n) == (size_t)-1 ? -errno : 0;
	(void)iconv_close(cd);
	if (err) {
		free(out);
		*ret_bad = s.n - left;
		return err == -EINVAL || err == -E2BIG ? -EILSEQ : err;
	}
	*ret = (struct span){ (uint8_t *)out, room - free_n };
	return 0;
}

/* Line ends and control characters, in place; the text only gets shorter. */
static size_t clean(uint8_t *p, size_t n, size_t *dropped)
{
	size_t to = 0;
	for (size_t i = 0; i < n;) {
		uint32_t cp = 0;
		int len = utf8_next((struct span){ p + i, n - i }, &cp);
		size_t step = len > 0 ? (size_t)len : 1;
		if (cp == '\r') {
			if (i + 1 == n || p[i + 1] != '\n')
				p[to++] = '\n';
		} else if (len <= 0 || (utf8_is_control(cp) && cp != '\n' && cp != '\t') || cp == 0xfeff || cp == 0xfffe ||
			   cp == 0xffff) {
			++*dropped;
		} else {
			memmove(p + to, p + i, step);
			to += step;
		}
		i += step;
	}
	return to;
}

int encoding_text(struct span bytes, const char *file, struct span *ret, const char **ret_name, size_t *ret_dropped,
		  struct conf_report *rep)
{
	struct policy_place at = { .file = file };
	struct span got = { 0 };
	const char *name = "UTF-8";
	size_t bad = 0, dropped = 0;
	int err = 0;
	if (begins(bytes, "\xff\xfe", 2) || begins(bytes, "\xfe\xff", 2)) {
		name = bytes.p[0] == 0xff ? "UTF-16LE" : "UTF-16BE";
		bytes = span_from(bytes, 2);
		err = convert(bytes, name, &got, &bad);
	} else {
		if (begins(bytes, "\xef\xbb\xbf", 3))
			bytes = span_from(bytes, 3);
		const char *kind = conf_no_text(bytes);
		if (kind) {
			policy_load_fault(&at, rep, "%s; expected a text (CSV, UTF-8 or CP932)", kind);
			return ERR_CONFIG;
		}
		bad = sound_utf8(bytes);
		if (bad < bytes.n) {
			size_t bad_utf8 = bad;
			name = "CP932";
			err = convert(bytes, name, &got, &bad);
			if (err == -EILSEQ)
				bad = bad_utf8 > bad ? bad_utf8 : bad;
		} else {
			uint8_t *copy = malloc(bytes.n + 1);
			if (!copy)
				return -ENOMEM;
			if (bytes.n)
				memcpy(copy, bytes.p, bytes.n);
			got = (struct span){ copy, bytes.n };
		}
	}
	if (err == -EILSEQ) {
		at.line = 1;
		at.column = 1;
		for (size_t i = 0; i < bad && i < bytes.n; i++) {
			at.column = bytes.p[i] == '\n' ? 1 : at.column + 1;
			at.line += bytes.p[i] == '\n';
		}
		policy_load_fault(&at, rep, "this byte (0x%02x) is neither UTF-8 nor CP932; save the file as UTF-8",
				  bad < bytes.n ? bytes.p[bad] : 0U);
		return ERR_CONFIG;
	}
	if (err == -ENOSYS) {
		policy_load_fault(&at, rep, "is in %s, which this system cannot convert; save the file as UTF-8", name);
		return ERR_CONFIG;
	}
	if (err)
		return err;
	got.n = clean((uint8_t *)(uintptr_t)got.p, got.n, &dropped);
	*ret = got;
	*ret_name = name;
	*ret_dropped = dropped;
	return 0;
}
