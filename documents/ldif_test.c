/* DICOM configurations: AEs, their connections, those they call. */
/* Covers: R056 */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/test.h"
#include "documents/ldif.h"

#define BASE "cn=Devices,cn=DICOM Configuration,dc=x"
#define DEVICE(name) "dn: dicomDeviceName=" name "," BASE "\nobjectClass: dicomDevice\ndicomDeviceName: " name "\n"
#define CONNECTION(cn, name) "\ndn: cn=" cn ",dicomDeviceName=" name "," BASE "\nobjectClass: dicomNetworkConnection\n"
#define AE(title, name) "\ndn: dicomAETitle=" title ",dicomDeviceName=" name "," BASE "\nobjectClass: dicomNetworkAE\ndicomAETitle: " title "\n"
#define REFERS(cn, name) "dicomNetworkConnectionReference: cn=" cn ",dicomDeviceName=" name "," BASE "\n"

static struct draft d;
static struct conf_report rep;

static int read_ldif(const char *text, const char *device)
{
	draft_free(&d);
	memset(&rep, 0, sizeof(rep));
	CU_ASSERT_FATAL(draft_new(&d, NULL));
	CU_ASSERT_EQUAL_FATAL(draft_source(&d, "ldif", "x.ldif", span_str(text)), 0);
	int r = ldif_read(&d, span_str(text), "x.ldif", 0, device, &rep);
	if (!r)
		r = draft_end(&d, &rep);
	for (size_t i = 0; i < rep.n; i++)
		fprintf(stderr, "  %s:%u: %s\n", rep.v[i].file, rep.v[i].line, rep.v[i].what);
	return r;
}

static const struct conf_node *walk(const struct conf_node *n, const char *path)
{
	char key[64];
	while (n && *path) {
		size_t k = strcspn(path, "/");
		snprintf(key, sizeof(key), "%.*s", (int)k, path);
		n = conf_is_list(n) ? conf_at(n, (size_t)(key[0] - '0')) : conf_get(n, key);
		path += k + (path[k] == '/');
	}
	return n;
}

static void is(size_t row, const char *path, const char *want)
{
	struct span got = conf_text(walk(conf_at(d.ports, row), path), "");
	if (!span_eq(got, span_str(want)))
		fprintf(stderr, "  %zu %s: '%.*s', not '%s'\n", row, path, (int)got.n, (const char *)got.p, want);
	CU_ASSERT(span_eq(got, span_str(want)));
}

static size_t said(enum draft_remark what)
{
	size_t n = 0;
	for (size_t i = 0; i < d.n_said; i++)
		n += d.said[i].what == what;
	return n;
}

static const char two[] =
	"version: 1\n# invented\n" DEVICE("ct") "dicomManufacturer: Exam\n ple\ndicomManufacturerModelName:: Q1QtNjQ=\n"
	CONNECTION("dicom", "ct") "dicomPort: 104\n"
	AE("CT64", "ct") "dicomAssociationInitiator: TRUE\ndicomAssociationAcceptor: true\ndicomPeerAETitle: PACS01\ndicomPeerAETitle: RIS\n"
	REFERS("dicom", "ct")
	"\ndn: cn=store,dicomAETitle=CT64,dicomDeviceName=ct," BASE "\nobjectClass: dicomTransferCapability\n"
	"dicomSOPClass: 1.2.840.10008.5.1.4.1.1.2\ndicomTransferRole: SCU\n"
	CONNECTION("lonely", "ct") "dicomPort: 2575\n"
	DEVICE("pacs") "dicomInstalled: FALSE\n"
	CONNECTION("tls", "pacs") "dicomHostname: 10.1.0.10\ndicomPort: 2762\ndicomTLSCipherSuite: TLS_AES_128_GCM_SHA256\n"
	AE("PACS01", "pacs") "dicomAssociationAcceptor: TRUE\n" REFERS("tls", "pacs");

static void rows(void)
{
	CU_ASSERT_EQUAL(read_ldif(two, "ct"), 0);
	CU_ASSERT_EQUAL(conf_count(d.ports), 2);
	CU_ASSERT_STRING_EQUAL(d.maker, "Example");
	CU_ASSERT_STRING_EQUAL(d.model, "CT-64");
	is(0, "initiator", "peer");
	is(0, "port/0/value", "104");
	is(0, "app/dicom/calling_ae", "CT64");
	is(0, "app/dicom/sop_classes/0/uid", "1.2.840.10008.5.1.4.1.1.2");
	is(0, "app/dicom/sop_classes/0/role", "scu");
	is(0, "encryption/declared", "none");
	is(1, "initiator", "device");
	is(1, "port/0/value", "2762");
	is(1, "app/dicom/called_ae", "PACS01");
	is(1, "encryption/declared", "tls");
	is(1, "peers/0/ip", "10.1.0.10");
	/* RIS stands nowhere; the lonely connection belongs to no AE. */
	CU_ASSERT_EQUAL(said(DRAFT_SAY_CALLED_PORT), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_ENTRY), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_PEER), 1);
	/* The other device: not installed is off. */
	CU_ASSERT_EQUAL(read_ldif(two, "PACS"), 0);
	CU_ASSERT_EQUAL(conf_count(d.ports), 1);
	is(0, "default_state", "disabled");
	is(0, "encryption/declared", "tls");
}

static void asked(void)
{
	CU_ASSERT_EQUAL(read_ldif(DEVICE("a") CONNECTION("c", "a") AE("A", "a") "dicomAssociationInitiator: TRUE\ndicomAssociationAcceptor: TRUE\n"
	                          REFERS("c", "a"), NULL), 0);
	CU_ASSERT_EQUAL(conf_count(d.ports), 0);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_PORT), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_CALLED_WHO), 1);
	struct span complete = conf_text(walk(d.root, "port_list/completeness"), "");
	CU_ASSERT(span_eq(complete, span_str("partial")));
}

static void faults(void)
{
	CU_ASSERT_EQUAL(read_ldif(two, NULL), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "--device: ct, pacs"));
	CU_ASSERT_EQUAL(read_ldif(two, "mri"), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "no dicomDevice of the name mri"));
	CU_ASSERT_EQUAL(read_ldif("dn: x\nno colon here\n", NULL), ERR_CONFIG);
	CU_ASSERT_EQUAL(rep.v[0].line, 2);
	CU_ASSERT_EQUAL(read_ldif("cn: x\ndn: y\n", NULL), ERR_CONFIG);
	CU_ASSERT_EQUAL(rep.v[0].line, 1);
	CU_ASSERT(ldif_is(span_str(two)));
	CU_ASSERT(!ldif_is(span_str("dn: cn=x\nobjectClass: person\n")));
	CU_ASSERT(!ldif_is(span_str("Port,Protocol\n")));
	CU_ASSERT(!ldif_is(span_str("")));
	draft_free(&d);
}

int main(void)
{
	CU_TestInfo tests[] = { { "rows", rows }, { "asked", asked }, { "faults", faults }, CU_TEST_INFO_NULL };
	return test_run("ldif", tests);
}
