#include "dissectors/x509.h"

#include <stdlib.h>
#include <string.h>

#include "core/test.h"

/* O=Test Hospital, CN=ct.hospital.example, self-signed, P-256, names ct.hospital.example, 192.0.2.1 and *.ct.hospital.example;
 * made by openssl req -x509. */
static const char certificate[] =
	"\x30\x82\x02\x00\x30\x82\x01\xa6\xa0\x03\x02\x01\x02\x02\x14\x02\xb3\x94\xde\x81\xaa\xba\xe9\xb6\xc7\x2a\xf8"
	"\xa0\x6d\xeb\x93\xf8\x41\x9d\xb0\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x30\x36\x31\x16\x30\x14\x06"
	"\x03\x55\x04\x0a\x0c\x0d\x54\x65\x73\x74\x20\x48\x6f\x73\x70\x69\x74\x61\x6c\x31\x1c\x30\x1a\x06\x03\x55\x04"
	"\x03\x0c\x13\x63\x74\x2e\x68\x6f\x73\x70\x69\x74\x61\x6c\x2e\x65\x78\x61\x6d\x70\x6c\x65\x30\x1e\x17\x0d\x32"
	"\x36\x31\x31\x32\x35\x30\x32\x33\x39\x32\x32\x5a\x17\x0d\x33\x36\x31\x31\x32\x32\x30\x32\x33\x39\x32\x32\x5a"
	"\x30\x36\x31\x16\x30\x14\x06\x03\x55\x04\x0a\x0c\x0d\x54\x65\x73\x74\x20\x48\x6f\x73\x70\x69\x74\x61\x6c\x31"
	"\x1c\x30\x1a\x06\x03\x55\x04\x03\x0c\x13\x63\x74\x2e\x68\x6f\x73\x70\x69\x74\x61\x6c\x2e\x65\x78\x61\x6d\x70"
	"\x6c\x65\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42"
	"\x00\x04\x74\xb0\x24\xd1\x27\x3d\x5c\x2d\x0b\xc0\x47\xb8\xb0\x9e\x3c\x41\x07\x99\x80\xc4\xab\x8c\xc0\x48\xe3"
	"\x2c\x51\x59\xde\x0d\x2d\xae\xda\xbf\x43\xfb\x0b\x68\x51\x64\x5d\x8b\xd2\xa6\x74\xd4\x4b\x9c\x70\x24\xe8\xe5"
	"\x45\x24\x66\xd5\xfc\x4e\x89\x75\xf6\x31\xb7\x53\xa3\x81\x91\x30\x81\x8e\x30\x1d\x06\x03\x55\x1d\x0e\x04\x16"
	"\x04\x14\xd6\x6e\x97\xad\x8c\x3f\x22\xb3\x68\xbf\xa2\xb0\x2d\x12\xe7\x1c\xa5\x32\x0b\xfa\x30\x1f\x06\x03\x55"
	"\x1d\x23\x04\x18\x30\x16\x80\x14\xd6\x6e\x97\xad\x8c\x3f\x22\xb3\x68\xbf\xa2\xb0\x2d\x12\xe7\x1c\xa5\x32\x0b"
	"\xfa\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff\x30\x3b\x06\x03\x55\x1d\x11\x04\x34"
	"\x30\x32\x82\x13\x63\x74\x2e\x68\x6f\x73\x70\x69\x74\x61\x6c\x2e\x65\x78\x61\x6d\x70\x6c\x65\x87\x04\xc0\x00"
	"\x02\x01\x82\x15\x2a\x2e\x63\x74\x2e\x68\x6f\x73\x70\x69\x74\x61\x6c\x2e\x65\x78\x61\x6d\x70\x6c\x65\x30\x0a"
	"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x03\x48\x00\x30\x45\x02\x21\x00\xbb\x16\x86\xbf\xa9\x98\x85\x92\xec"
	"\x70\xfd\xb0\xcc\xe1\xe9\xca\x29\x2a\x09\x81\xce\x27\x2f\x48\x20\x2a\xaa\xcb\x4f\x69\x05\x70\x02\x20\x2f\x45"
	"\x0e\x37\x44\x81\x28\xbc\xf6\xff\xd0\xf0\x02\xbf\xed\x19\x4e\x75\xb7\xab\x7d\xd2\xdc\xb6\xcf\x78\x95\x4f\x86"
	"\x04\xa2\xa3";
enum { BYTES = sizeof(certificate) - 1 };

static bool parse(const void *der, size_t n, struct x509 *ret, struct span *ret_name)
{
	uint8_t *exact = malloc(n ? n : 1);
	if (n)
		memcpy(exact, der, n);
	bool ok = x509_parse((struct span){ exact, n }, ret);
	if (ok) {
		/* Everything it points to is inside. */
		const struct span parts[] = { ret->subject_cn, ret->subject_o, ret->issuer_cn, ret->issuer_o, ret->names };
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			CU_ASSERT(!parts[i].n || (parts[i].p >= exact && parts[i].p + parts[i].n <= exact + n));
		struct cursor c = cursor_from(ret->names);
		int names = 0;
		while (x509_next_name(&c, ret_name))
			names++;
		CU_ASSERT(names <= BYTES);
	}
	free(exact);
	return ok;
}

static void reads_a_certificate(void)
{
	struct x509 x;
	CU_ASSERT_FATAL(x509_parse((struct span){ (const uint8_t *)certificate, BYTES }, &x));
	CU_ASSERT(span_eq(x.subject_cn, span_str("ct.hospital.example")) && span_eq(x.issuer_cn, x.subject_cn));
	CU_ASSERT(span_eq(x.subject_o, span_str("Test Hospital")) && span_eq(x.issuer_o, x.subject_o));
	CU_ASSERT(x.self_issued && x.has_validity);
	CU_ASSERT_EQUAL(x.not_before_ns, UINT64_C(1795574362000000000));
	CU_ASSERT_EQUAL(x.not_after_ns, UINT64_C(2110934362000000000));
	CU_ASSERT_EQUAL(x.key, OBSERVATION_KEY_EC);
	CU_ASSERT_EQUAL(x.key_bits, 256);
	CU_ASSERT_EQUAL(x.signature, OBSERVATION_SIGNATURE_SHA256_ECDSA);
	struct cursor c = cursor_from(x.names);
	struct span name;
	CU_ASSERT(x509_next_name(&c, &name) && span_eq(name, span_str("ct.hospital.example")));
	CU_ASSERT(x509_next_name(&c, &name) && span_eq(name, span_str("*.ct.hospital.example")));
	CU_ASSERT(!x509_next_name(&c, &name));
}

static void no_prefix_is_a_certificate(void)
{
	struct x509 x;
	struct span name;
	for (size_t n = 0; n < BYTES; n++)
		CU_ASSERT(!parse(certificate, n, &x, &name));
	CU_ASSERT(parse(certificate, BYTES, &x, &name));
}

/* Whatever a byte says, nothing outside is read and every loop ends. */
static void one_wrong_byte_stays_inside(void)
{
	struct x509 x;
	struct span name;
	unsigned good = 0;
	char wrong[BYTES];
	for (size_t i = 0; i < BYTES; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(wrong, certificate, BYTES);
			wrong[i] = (char)((uint8_t)wrong[i] ^ 1u << bit);
			good += parse(wrong, BYTES, &x, &name);
		}
	CU_ASSERT(good > 0 && good < BYTES * 8);
}

/* Lengths in the certificate replaced by the largest that three bytes can say. */
static void huge_lengths_are_refused(void)
{
	struct x509 x;
	struct span name;
	char wrong[BYTES];
	memcpy(wrong, certificate, BYTES);
	wrong[1] = (char)0x83;
	CU_ASSERT(!parse(wrong, BYTES, &x, &name));
	wrong[1] = (char)0x84;
	CU_ASSERT(!parse(wrong, BYTES, &x, &name));
	wrong[1] = (char)0x80;
	CU_ASSERT(!parse(wrong, BYTES, &x, &name));
}

static void a_month_13_is_no_time(void)
{
	static const char time_none[] = "\x17\x0d" "201301000000Z";
	char der[BYTES];
	memcpy(der, certificate, BYTES);
	char *at = memmem(der, BYTES, "\x17\x0d", 2);
	CU_ASSERT_FATAL(at != NULL);
	memcpy(at, time_none, sizeof(time_none) - 1);
	struct x509 x;
	struct span name;
	CU_ASSERT(parse(der, BYTES, &x, &name) && !x.has_validity);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "reads_a_certificate", reads_a_certificate },
		{ "no_prefix_is_a_certificate", no_prefix_is_a_certificate },
		{ "one_wrong_byte_stays_inside", one_wrong_byte_stays_inside },
		{ "huge_lengths_are_refused", huge_lengths_are_refused },
		{ "a_month_13_is_no_time", a_month_13_is_no_time },
		CU_TEST_INFO_NULL,
	};
	return test_run("x509", tests);
}
