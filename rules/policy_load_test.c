/* What the loaders accept, and every message they give: file, line, column, words. */
/* Covers: R039 R056 R057 R061 R075 R081 */
#include <errno.h>
#include <sys/stat.h>

#include "core/err.h"
#include "core/test.h"
#include "rules/policy_fixture.h"

/* A site, a type and an inventory that are right; cases replace one of them. */
static const char site[] =
	"schema: spanward/1\n"
	"kind: site\n"
	"local_networks: [10.0.0.0/8]\n"
	"zones: {imaging: {cidr: 10.20.0.0/16, vlan: 203}}\n"
	"roles:\n"
	"  pacs: [{ip: 10.1.0.10, ae_title: PACS01}]\n"
	"  biomed-workstation: [{cidr: 10.9.0.0/28}]\n";
static const char type[] =
	"schema: spanward/1\n"
	"device_type: example.x\n"
	"maker: Example\n"
	"model: X\n"
	"documents:\n"
	"  ifu: {id: IFU-X, revision: 3}\n"
	"port_list: exhaustive\n"
	"out:\n"
	"  store: {dicom: 104, to: pacs, optional: yes, cite: ifu X-1}\n";
static const char inventory[] =
	"schema: spanward/1\n"
	"kind: inventory\n"
	"devices:\n"
	"  - {id: a, type: example.x, select: [{ip: 10.20.0.1}], enabled: [store]}\n";

struct one { const char *name, *text; };

static int compile(const struct one *files, size_t n, struct conf_report *rep, struct policy **ret)
{
	struct policy_fixture f;
	policy_fixture_make(&f);
	for (size_t i = 0; i < n; i++)
		policy_fixture_text(&f, files[i].name, files[i].text);
	memset(rep, 0, sizeof(*rep));
	int r = policy_compile_dir(f.dir, ret, rep);
	policy_fixture_done(&f);
	return r;
}

/* The report has one fault that is said so: "site.yaml:3:1: words that the message contains". */
static void expect(int line, const struct one *files, size_t n, const char *wanted)
{
	static struct conf_report rep;
	struct policy *p = NULL;
	int r = compile(files, n, &rep, &p);
	CU_ASSERT_EQUAL(r, ERR_CONFIG);
	if (!r)
		free(p);
	const char *words = strstr(wanted, ": ");
	bool found = false;
	for (size_t i = 0; i < rep.n; i++) {
		const char *base = strrchr(rep.v[i].file, '/');
		char place[512];
		(void)snprintf(place, sizeof(place), "%s:%u:%u", base ? base + 1 : rep.v[i].file, rep.v[i].line,
		               rep.v[i].column);
		found = found || (strlen(place) == (size_t)(words - wanted) && !memcmp(place, wanted, strlen(place)) &&
		                  strstr(rep.v[i].what, words + 2));
	}
	if (!found || rep.total != 1) {
		fprintf(stderr, "\nline %d: expected %s\n", line, wanted);
		policy_fixture_print(&rep);
	}
	CU_ASSERT(found);
	CU_ASSERT_EQUAL(rep.total, 1);
}

static void one_site(int line, const char *text, const char *wanted)
{
	struct one f[] = { { "site.yaml", text }, { "x.yaml", type }, { "inventory.yaml", inventory } };
	expect(line, f, 3, wanted);
}

static void one_type(int line, const char *text, const char *wanted)
{
	struct one f[] = { { "site.yaml", site }, { "x.yaml", text } };
	expect(line, f, 2, wanted);
}

static void one_inventory(int line, const char *text, const char *wanted)
{
	struct one f[] = { { "site.yaml", site }, { "x.yaml", type }, { "inventory.yaml", text } };
	expect(line, f, 3, wanted);
}

static void one_csv(int line, const char *text, const char *wanted)
{
	struct one f[] = { { "site.yaml", site }, { "x.yaml", type }, { "inventory.csv", text } };
	expect(line, f, 3, wanted);
}

#define SITE(text, wanted) one_site(__LINE__, "schema: spanward/1\nkind: site\n" text, wanted)
#define HEAD "schema: spanward/1\ndevice_type: example.x\nmaker: E\nmodel: X\ndocuments:\n  ifu: {id: I, revision: 3}\n"
#define TYPE(text, wanted) one_type(__LINE__, HEAD text, wanted)
#define UNIT(text, wanted) one_inventory(__LINE__, "schema: spanward/1\nkind: inventory\ndevices:\n" text, wanted)
#define CSV(text, wanted) one_csv(__LINE__, text, wanted)

static void good_files_load(void)
{
	struct one f[] = { { "site.yaml", site }, { "x.yaml", type }, { "inventory.yaml", inventory } };
	static struct conf_report rep;
	struct policy *p = NULL;
	CU_ASSERT_EQUAL_FATAL(compile(f, 3, &rep, &p), 0);
	CU_ASSERT_EQUAL(policy_devices(p), 1);
	struct policy_device d;
	policy_device(p, 0, &d);
	CU_ASSERT(span_eq(d.maker, span_str("Example")));
	policy_device(p, 1, &d);
	CU_ASSERT_EQUAL(d.id.n, 0);
	free(p);
}

static void short_form_faults(void)
{
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 104, to: pacz, cite: ifu 1}\n",
	     "x.yaml:9:23: no role is called pacz in site.yaml; did you mean pacs?");
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 104, to: biomed, cite: ifu 1}\n",
	     "x.yaml:9:23: no role is called biomed in site.yaml; did you mean biomed-workstation?");
	static const char *const mistyped[] = { "10.1.0.300", "10.1.0", "10.1.0.0/33", "10.1.0.10-10.1.0.20", "\"10.1.0.10:104\"",
						"１０.1.0.10", "10.1.0.10.3", "pacs..example.org", ".org", "pacs.example.org.", "-a.org" };
	for (size_t i = 0; i < sizeof(mistyped) / sizeof(mistyped[0]); i++) {
		char text[1024];
		(void)snprintf(text, sizeof(text), HEAD "port_list: exhaustive\nout:\n  s: {dicom: 104, to: %s, cite: ifu 1}\n", mistyped[i]);
		one_type(__LINE__, text, "x.yaml:9:23: is neither an address nor a host name; expected 192.0.2.10, 192.0.2.0/24, pacs.example.org or a role");
	}
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 104, to: [pacs, biomed], cite: ifu 1}\n",
	     "x.yaml:9:30: no role is called biomed");
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 104, to: pacs, cite: ifo 1}\n",
	     "x.yaml:9:35: no document is called ifo here; did you mean ifu?");
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 104, to: pacs, cite: ifu}\n",
	     "x.yaml:9:35: a citation is a document and a row in it, as in: ifu X-1");
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 104, to: pacs, cite: T-1}\n", "x.yaml:9:35: as in: ifu T-1");
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 104, from: pacs, to: pacs, cite: ifu 1}\n",
	     "x.yaml:9:19: unknown key 'from'; a row under out has 'to'");
	TYPE("port_list: exhaustive\nin:\n  s: {icmp: 8, from: any, cite: ifu 1}\n", "x.yaml:9:13: expected one of yes, found '8'");
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 104, to: pacs, disabled: true, cite: ifu 1}\n", "x.yaml:9:39: did you mean yes?");
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 104,11112, to: pacs, cite: ifu 1}\n",
	     "x.yaml:9:18: several ports are one text in quotes");
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 104, to: pacs}\n", "x.yaml:9:6: cite");
	TYPE("port_list: exhaustive\nout:\n  s: {to: pacs, cite: ifu 1}\n", "x.yaml:9:6: row s names no protocol");
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 104, hl7: 2575, to: pacs, cite: ifu 1}\n",
	     "x.yaml:9:24: a row declares one protocol");
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 99999, to: pacs, cite: ifu 1}\n", "x.yaml:9:14: expected ports");
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 0, to: pacs, cite: ifu 1}\n", "x.yaml:9:14: expected ports");
	TYPE("port_list: exhaustive\nout:\n  s: {dicom: 200-100, to: pacs, cite: ifu 1}\n", "x.yaml:9:14: expected ports");
	TYPE("port_list: exhaustive\nout:\n  s: {dicon: 104, to: pacs, cite: ifu 1}\n", "x.yaml:9:7: dicom");
	TYPE("port_list: exhaustive\nin:\n  s: {dicom: 104, from: pacs, to: pacs, cite: ifu 1}\n", "x.yaml:9:31: unknown key 'to'");
	TYPE("port_list: exhaustive\nin:\n  s: {https: 443, tls: no, from: any, cite: ifu 1}\n",
	     "x.yaml:9:24: https is encrypted by its name, yet the row says tls: no");
	TYPE("port_list: exhaustive\nin:\n  s: {hl7: 443, tls: maybe, from: any, cite: ifu 1}\n",
	     "x.yaml:9:22: expected the port of a TLS service, or yes or no");
	TYPE("port_list: exhaustive\nin:\n  s: {tcp: 443, from: any, cite: ifu 1}\nout:\n  s: {tcp: 443, to: any, cite: ifu 2}\n",
	     "x.yaml:9:6: a row named s stands at x.yaml:11 already");
	TYPE("port_list: exhaustve\n", "x.yaml:7:12: exhaustive");
	TYPE("port_list: {completeness: partial, cite: dcs 1}\n", "x.yaml:7:42: no document is called dcs here");
	TYPE("port_list: partial\nexternal: {answer: maybe, cite: ifu 2}\n", "x.yaml:8:20: yes");
	TYPE("port_list: partial\nexternal: {answer: no}\n", "x.yaml:8:11: cite");
	TYPE("port_list: partial\nexternal: {answer: no, cite: mds2 CONN-4}\n", "x.yaml:8:30: no document is called mds2");
	TYPE("port_list: partial\ninfrastructure: [arp, dhcp-clint]\n",
	     "x.yaml:8:23: no built-in set is called dhcp-clint; did you mean dhcp-client?");
	TYPE("port_list: partial\nout:\n  s: {tcp: 1, to: 10.0.0.1/8, cite: ifu 1}\n", "x.yaml:9:19: 10.0.0.1/8 has bits set");
	TYPE("port_list: partial\nout:\n  s: {dicom: 104, ae: 'A\\B', to: pacs, cite: ifu 1}\n", "x.yaml:9:6: is not an AE title");
	TYPE("port_list: partial\nport_lst: partial\n", "x.yaml:8:1: unknown key 'port_lst'; did you mean port_list?");
}

static void other_type_faults(void)
{
	one_type(__LINE__, "schema: spanward/2\ndevice_type: x\nmaker: E\nmodel: X\ndocuments: {d: {id: I, revision: 1}}\n"
	                   "port_list: partial\n", "x.yaml:1:9: this version reads format spanward/1 only");
	one_type(__LINE__, "colour: blue\n", "x.yaml:1:1: does not say what it is");
	one_type(__LINE__, "- a\n- b\n", "x.yaml:1:1: does not say what it is");
	one_type(__LINE__, "schema: spanward/1\nkind: site\nroles: {}\n", "x.yaml:1:1: this is a site, but a file of this name");
	struct one twice[] = { { "site.yaml", site }, { "x.yaml", type }, { "y.yaml", type } };
	expect(__LINE__, twice, 3, "y.yaml:1:1: device type example.x is declared at x.yaml:1 already");
	struct one alone[] = { { "x.yaml", type } };
	expect(__LINE__, alone, 1, "x.yaml:9:27: role pacs: there is no site.yaml");
	struct one wrong[] = { { "site.yaml", inventory } };
	expect(__LINE__, wrong, 1, "site.yaml:1:1: this is an inventory, but a file of this name must be a site");
}

#define LONG_HEAD                                                                                                    \
	"schema: spanward/1\nkind: device-type\nid: example.l\nrevision: 1\n"                                        \
	"sources:\n  - {id: p, type: port-table, doc_id: P, revision: 1}\nmanufacturer: {name: E}\nmodel: {name: L}\n" \
	"port_list: {completeness: partial}\nports:\n"
#define LONG(text, wanted) one_type(__LINE__, LONG_HEAD text, wanted)

static void long_form_faults(void)
{
	LONG("  - {id: a, transport: tcp, initiator: device, port: [{value: 1}], peers: [{role: pac}], sources: [p]}\n",
	     "x.yaml:11:83: no role is called pac in site.yaml; did you mean pacs?");
	LONG("  - {id: a, transport: tcp, initiator: device, port: [{value: 1}], peers: [{role: pacs}], sources: [q]}\n",
	     "x.yaml:11:101: no document is called q here; there is p");
	LONG("  - {id: a, transport: tpc, initiator: device, port: [{value: 1}], peers: [{any: true}], sources: [p]}\n",
	     "x.yaml:11:24: expected tcp, udp, icmp, sctp, ip:N or eth:0xNNNN, found tpc");
	LONG("  - {id: a, transport: tcp, initiator: device, listen_on: device, port: [{value: 1}], peers: [{any: true}], sources: [p]}\n",
	     "x.yaml:11:59: the side that opens the connection cannot be the one that listens");
	LONG("  - {id: a, transport: tcp, initiator: device, port: [{value: 1, range: 1-2}], peers: [{any: true}], sources: [p]}\n",
	     "x.yaml:11:55: a port has either a value or a range");
	LONG("  - {id: a, transport: tcp, initiator: device, peers: [{any: true}], sources: [p]}\n", "x.yaml:11:5: row a names no port");
	LONG("  - {id: a, transport: tcp, initiator: device, port: [{value: 1}], peers: [{any: true, role: pacs}], sources: [p]}\n",
	     "x.yaml:11:76: a peer is one of");
	LONG("  - {id: a, transport: tcp, initiator: device, port: [{value: 1}], peers: [], sources: [p]}\n",
	     "x.yaml:11:5: row a has no peer");
	LONG("  - {id: a, transport: tcp, initiator: device, port: [{value: 1}], app: {protocol: dicon}, peers: [{any: true}], sources: [p]}\n",
	     "x.yaml:11:84: no protocol is called dicon (the maker's own is: vendor); did you mean dicom?");
	LONG("  - {id: a, transport: tcp, initiator: device, port: [{value: 1}], app: {protocol: https}, encryption: {declared: none}, peers: [{any: true}], sources: [p]}\n",
	     "x.yaml:11:115: https is encrypted by its name, yet the row declares none");
	LONG("  - {id: a, transport: tcp, initiator: device, port: [{value: 1}], peers: [{any: true}], sources: [p]}\n"
	     "  - {id: a, transport: tcp, initiator: device, port: [{value: 2}], peers: [{any: true}], sources: [p]}\n",
	     "x.yaml:12:5: a row named a stands at x.yaml:11 already");
}

static void site_faults(void)
{
	SITE("roles: {pacs: [{ip: 10.1.0.10}], local: [{ip: 10.1.0.1}]}\n", "site.yaml:3:41: local cannot be the name of a role");
	SITE("roles: {pacs: [{}]}\n", "site.yaml:3:16: an address is either ip or cidr");
	SITE("roles: {pacs: [{ip: 10.1.0.1, cidr: 10.1.0.0/24}]}\n", "site.yaml:3:16: an address is either ip or cidr");
	SITE("roles: {pacs: [{ip: 10.1.0.256}]}\n", "site.yaml:3:21: expected an IP address");
	SITE("roles: {pacs: [{cidr: 10.1.0.1/24}]}\n", "site.yaml:3:23: '10.1.0.1/24' has host bits set");
	SITE("roles: {pacs: []}\n", "site.yaml:3:15: role pacs has no address");
	SITE("roles: {pacs: [{ip: 10.1.0.1, ae_title: 'SEVENTEEN_LETTERS'}]}\n", "site.yaml:3:41: 16");
	SITE("roles: {pacs: [{ip: 10.1.0.1, aetitle: A}]}\n", "site.yaml:3:31: ae_title");
	SITE("roles: {pacs: [{ip: 10.1.0.1}], a.b: [{ip: 10.1.0.1}]}\n", "site.yaml:3:38: the name of a role has at most 64 bytes");
	SITE("zones: {z: {internet: 'no'}}\nroles: {pacs: [{ip: 10.1.0.1}]}\n", "site.yaml:3:12: zone z has neither cidr nor vlan");
	SITE("zones: {z: {vlan: 5}, y: {vlan: 5}}\nroles: {pacs: [{ip: 10.1.0.1}]}\n", "site.yaml:3:33: VLAN 5 belongs to zone z already");
	SITE("windows: {w: {from: '2026-12-02T00:00:00Z', to: '2026-12-01T00:00:00Z'}}\nroles: {pacs: [{ip: 10.1.0.1}]}\n",
	     "site.yaml:3:49: window w ends before it begins");
	SITE("windows: {w: {device: b, from: '2026-12-01T00:00:00Z', to: '2026-12-02T00:00:00Z'}}\nroles: {pacs: [{ip: 10.1.0.1}]}\n",
	     "site.yaml:3:23: no unit is called b in the inventory; there is a");
	SITE("windows: {w: {roles: [pac], from: '2026-12-01T00:00:00Z', to: '2026-12-02T00:00:00Z'}}\nroles: {pacs: [{ip: 10.1.0.1}]}\n",
	     "site.yaml:3:23: no role is called pac in site.yaml; did you mean pacs?");
	SITE("scanners: [{ip: 10.9.0.5, windows: [nightly]}]\nroles: {pacs: [{ip: 10.1.0.1}]}\n", "site.yaml:3:37: no window is called nightly");
	SITE("roles: {pacs: [{ip: 10.1.0.1}]}\nforbid:\n  - {id: R1, text: all}\n", "site.yaml:5:5: rule R1 says neither from nor to");
	SITE("roles: {pacs: [{ip: 10.1.0.1}]}\nforbid:\n  - {id: R1, from: pac, text: t}\n",
	     "site.yaml:5:20: no zone and no role is called pac; did you mean pacs?");
	SITE("roles: {pacs: [{ip: 10.1.0.1}]}\nforbid:\n  - {id: R1, from: zone guests, text: t}\n", "site.yaml:5:20: no zone is called guests");
	SITE("roles: {pacs: [{ip: 10.1.0.1}]}\nforbid:\n  - {id: R1, from: unit b, text: t}\n", "site.yaml:5:20: no unit is called b");
	SITE("roles: {pacs: [{ip: 10.1.0.1}]}\nforbid:\n  - {id: R1, to: type y, text: t}\n", "site.yaml:5:18: no device type is called y");
	SITE("zones: {pacs: {vlan: 7}}\nroles: {pacs: [{ip: 10.1.0.1}]}\nforbid:\n  - {id: R1, to: pacs, text: t}\n",
	     "site.yaml:6:18: pacs is both a zone and a role");
	SITE("roles: {pacs: [{ip: 10.1.0.1}]}\nforbid:\n  - {id: R1, to: internet, text: t}\n  - {id: R1, to: pacs, text: t}\n",
	     "site.yaml:6:5: a rule with the id R1 stands at line 5 already");
	SITE("roles: {pacs: [{ip: 10.1.0.1}]}\nforbid:\n  - {to: internet, text: t}\n", "site.yaml:5:5: id");
}

static void inventory_faults(void)
{
	UNIT("  - {id: a, type: example.y, select: [{ip: 10.20.0.1}]}\n",
	     "inventory.yaml:4:19: no device type is called example.y; did you mean example.x?");
	UNIT("  - {id: a, type: example.x, select: [{ip: 10.20.0.1}], enabled: [stor]}\n",
	     "inventory.yaml:4:67: device type example.x has no option stor; did you mean store?");
	UNIT("  - {id: a, type: example.x, select: [{ip: 10.20.0.1}], override: {stor: {port: 105}}}\n",
	     "inventory.yaml:4:74: device type example.x has no row stor to override; did you mean store?");
	UNIT("  - {id: a, select: [{ip: 10.20.0.1}]}\n  - {id: b, select: [{ip: 10.20.0.1}]}\n",
	     "inventory.yaml:5:22: unit b has the address 10.20.0.1 of unit a at inventory.yaml:4");
	UNIT("  - {id: a, select: [{ip: 10.20.0.1}]}\n  - {id: b, select: [{ip: 10.20.0.1, vlan: 203}]}\n",
	     "inventory.yaml:5:22: unit b has the address 10.20.0.1 of unit a at inventory.yaml:4");
	UNIT("  - {id: a, select: [{mac: '00:00:5e:00:53:01'}]}\n  - {id: b, select: [{mac: '00-00-5e-00-53-01'}]}\n",
	     "inventory.yaml:5:22: unit b has the hardware address 00:00:5e:00:53:01 of unit a at inventory.yaml:4");
	UNIT("  - {id: a, select: [{ip: 10.20.0.1}]}\n  - {id: a, select: [{ip: 10.20.0.2}]}\n",
	     "inventory.yaml:5:5: unit a stands at inventory.yaml:4 already");
	UNIT("  - {id: a, select: [{ip: 10.20.0.1}], zone: imagin}\n",
	     "inventory.yaml:4:46: no zone is called imagin in site.yaml; did you mean imaging?");
	UNIT("  - {id: a, select: [{ae_title: CT}]}\n",
	     "inventory.yaml:4:33: ae_title is what a device says of itself, so it cannot assign one");
	UNIT("  - {id: a, select: [{vlan: 5}]}\n", "inventory.yaml:4:22: an entry of select needs an ip or a mac");
	UNIT("  - {id: a, select: []}\n", "inventory.yaml:4:21: 1");
	UNIT("  - {id: a, select: [{ip: 10.20.0}]}\n", "inventory.yaml:4:27: expected an IP address");
	UNIT("  - {id: a, select: [{ip: 224.0.0.1}]}\n", "inventory.yaml:4:22: this is not the address of one unit");
	UNIT("  - {id: a, select: [{ip: 127.0.0.1}]}\n", "inventory.yaml:4:22: this is not the address of one unit");
	UNIT("  - {id: a, select: [{mac: 'ff:ff:ff:ff:ff:ff'}]}\n", "inventory.yaml:4:22: this is not the hardware address of one unit");
	UNIT("  - {id: a, select: [{mac: '00:00:00:00:00:00'}]}\n", "inventory.yaml:4:22: this is not the hardware address of one unit");
	UNIT("  - {id: a, select: [{mac: '01:00:5e:00:00:01'}]}\n", "inventory.yaml:4:22: this is not the hardware address of one unit");
	UNIT("  - {id: a, select: [{ip: 10.20.0.1}], enabled: [x]}\n", "inventory.yaml:4:5: unit a has options but no type");
	UNIT("  - {id: a, select: [{ip: 10.20.0.1}], mode: loud}\n", "inventory.yaml:4:46: alert");
	UNIT("  - {select: [{ip: 10.20.0.1}]}\n", "inventory.yaml:4:5: id");
	UNIT("  - {id: a, select: [{ip: 10.20.0.1}], corroborate: {ae_title: 'A\\B'}}\n", "inventory.yaml:4:64: is not an AE title");
}

static void csv_faults(void)
{
	CSV("", "inventory.csv:1:1: the first line must name the columns");
	CSV("\n\n", "inventory.csv:1:1: the first line must name the columns");
	CSV("type,ip\n", "inventory.csv:1:1: the column id is missing");
	CSV("a,example.x,10.20.0.1\n", "inventory.csv:1:1: the first line must name the columns, and names none of them: id,type,ip,mac,");
	CSV("id;type;ip\na;example.x;10.20.0.1\n", "inventory.csv:1:1: the fields are separated by ';'; expected ','");
	CSV("id\ttype\tip\na\texample.x\t10.20.0.1\n", "inventory.csv:1:1: the fields are separated by tabs; expected ','");
	CSV("機器ID,type,ip\na,example.x,10.20.0.1\n",
	    "inventory.csv:1:1: no column is called \"機器ID\"; there are: id,type,ip,mac,vlan,ae_title,options,");
	CSV("id,type,ip\na,example.x,10.20.0.1\n,,\nb,,\n", "inventory.csv:4:1: unit b has neither ip nor mac");
	CSV("id,tpye,ip\n", "inventory.csv:1:4: no column is called \"tpye\"; did you mean type?");
	CSV("id,ip,ip\n", "inventory.csv:1:7: column ip says the same as column 2");
	CSV("id,ip,ward,location\n", "inventory.csv:1:12: column location says the same as column 3");
	CSV("id,ip\na,10.20.0.1,x\n", "inventory.csv:2:1: this line has 3 fields, the header has 2");
	CSV("id,ip\na\n", "inventory.csv:2:1: this line has 1 fields, the header has 2");
	CSV("id,ip\n,10.20.0.1\n", "inventory.csv:2:1: this line has no id");
	CSV("id,ip\na,\n", "inventory.csv:2:1: unit a has neither ip nor mac");
	CSV("id,ip\na,10.20.0\n", "inventory.csv:2:3: \"10.20.0\" is not an IP address");
	CSV("id,mac\na,00:11\n", "inventory.csv:2:3: \"00:11\" is not a hardware address");
	CSV("id,ip,vlan\na,10.20.0.1,4095\n", "inventory.csv:2:13: expected a VLAN from 1 to 4094");
	CSV("id,ip,vlan\na,10.20.0.1,1x\n", "inventory.csv:2:13: expected a VLAN from 1 to 4094");
	CSV("id,ip,mode\na,10.20.0.1,loud\n", "inventory.csv:2:13: expected alert, report or learn, found \"loud\"");
	CSV("id,ip,ae_title\na,10.20.0.1,SEVENTEEN_LETTERS\n", "inventory.csv:2:13: an AE title has at most 16 characters");
	CSV("id,ip,note\na,10.20.0.1,\"open\n", "inventory.csv:2:13: this quote is never closed");
	CSV("id,ip,note\na,10.20.0.1,\"x\"y\n", "inventory.csv:2:16: text after a closing quote");
	CSV("id,ip,note\na,10.20.0.1,x\"y\n", "inventory.csv:2:14: a quote inside a field that is not quoted");
	CSV("id,ip\na,10.20.0.1\rb,10.20.0.2\n", "inventory.csv:2:13: a carriage return that no line feed follows");
	CSV("id,ip,note\na,10.20.0.1,\x83\x6e\n", "inventory.csv:2:13: this byte is not UTF-8 (0x83)");
	CSV("id,ip,note\n\xe7\x97\x85,10.20.0.1,\x1b[2J\n", "inventory.csv:2:13: a control character (U+001B) is not allowed");
	CSV("id,type,ip\na,example.y,10.20.0.1\n", "inventory.csv:2:3: no device type is called example.y; did you mean example.x?");
	CSV("id,type,ip,options\na,example.x,10.20.0.1,stor\n",
	    "inventory.csv:2:23: device type example.x has no option stor; did you mean store?");
	CSV("id,ip\na,10.20.0.1\n\"b\nc\",10.20.0.2\nd,10.20.0.1\n",
	    "inventory.csv:5:3: unit d has the address 10.20.0.1 of unit a at inventory.csv:2");
	CSV("id,ip,zone\na,10.20.0.1,imagin\n", "inventory.csv:2:13: no zone is called imagin in site.yaml; did you mean imaging?");
}

static void csv_forms(void)
{
	static const char *const texts[] = {
		"id,type,ip,ward,options\na,example.x,10.20.0.1,W,store\n",
		"\xef\xbb\xbfid,type,ip,ward,options\r\na,example.x,10.20.0.1,W,store\r\n",
		"id,type,ip,ward,options\na,example.x,10.20.0.1,W,store",
		"\"id\",\"type\",\"ip\",\"ward\",\"options\"\n\"a\",\"example.x\",\"10.20.0.1\",\"W\",\"store\"\n\n",
		"id,type,ip,ward,options\na,example.x,10.20.0.1,W,store\n,,,,\n , ,,,\n",
		" id , type , ip , ward , options \n a , example.x , 10.20.0.1 , W , store+store \n",
	};
	static struct conf_report rep;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct one f[] = { { "site.yaml", site }, { "x.yaml", type }, { "inventory.csv", texts[i] } };
		struct policy *p = NULL;
		struct policy_device d;
		CU_ASSERT_EQUAL_FATAL(compile(f, 3, &rep, &p), 0);
		CU_ASSERT_EQUAL(policy_devices(p), 1);
		policy_device(p, 0, &d);
		CU_ASSERT(span_eq(d.id, span_str("a")) && span_eq(d.type, span_str("example.x")));
		CU_ASSERT(span_eq(d.location, span_str("W")));
		free(p);
	}
	struct one quoted[] = { { "inventory.csv", "id,ip,ward\na,10.20.0.1,\"5 \"\"east\"\", \n\xe7\x97\x85\xe6\xa3\x9f\"\n" } };
	struct policy *p = NULL;
	struct policy_device d;
	CU_ASSERT_EQUAL_FATAL(compile(quoted, 1, &rep, &p), 0);
	policy_device(p, 0, &d);
	CU_ASSERT(span_eq(d.location, span_str("5 \"east\", \n\xe7\x97\x85\xe6\xa3\x9f")));
	free(p);
}

static void every_prefix_of_a_csv_is_answered(void)
{
	static const char text[] = "id,type,ip,ward,options\r\na,example.x,10.20.0.1,\"W, \"\"5\"\"\",store\r\n";
	static struct conf_report rep;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct policy_fixture f;
		policy_fixture_make(&f);
		const char *path = policy_fixture_put(&f, "inventory.csv", text, n);
		memset(&rep, 0, sizeof(rep));
		int r = policy_check_path(path, &rep);
		CU_ASSERT((r == 0) == (rep.total == 0));
		CU_ASSERT(r == 0 || r == ERR_CONFIG);
		policy_fixture_done(&f);
	}
}

static void paths(void)
{
	static struct conf_report rep;
	struct policy_fixture f;
	policy_fixture_make(&f);
	struct policy *p = NULL;
	CU_ASSERT_EQUAL(policy_compile_dir(f.dir, &p, &rep), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "holds no policy: expected site.yaml"));
	/* a workbook that somebody took for the inventory is not passed over */
	(void)policy_fixture_put(&f, "inventory.xlsx", "", 0);
	memset(&rep, 0, sizeof(rep));
	CU_ASSERT_EQUAL(policy_compile_dir(f.dir, &p, &rep), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "inventory.xlsx is not read from here"));
	memset(&rep, 0, sizeof(rep));
	CU_ASSERT_EQUAL(policy_check_path("/nowhere/at/all", &rep), -ENOENT);
	CU_ASSERT_EQUAL(rep.total, 1);
	CU_ASSERT_EQUAL(policy_compile_dir("/nowhere/at/all", &p, &rep), -ENOENT);
	CU_ASSERT_PTR_NULL(p);
	/* one file by itself: its own words are checked, names in other files are not */
	memset(&rep, 0, sizeof(rep));
	CU_ASSERT_EQUAL(policy_check_path(policy_fixture_put(&f, "alone.yaml", type, strlen(type)), &rep), 0);
	CU_ASSERT_EQUAL(policy_check_path(policy_fixture_put(&f, "where.yaml", site, strlen(site)), &rep), 0);
	CU_ASSERT_EQUAL(policy_check_path(policy_fixture_put(&f, "units.yaml", inventory, strlen(inventory)), &rep), 0);
	CU_ASSERT_EQUAL(rep.total, 0);
	policy_fixture_done(&f);
	CU_ASSERT_EQUAL(policy_check_path("rules/profiles/example-hospital", &rep), 0);
	CU_ASSERT_EQUAL(rep.total, 0);
}

/* The long form and the short one of one device give the same rows. */
static void both_forms_give_the_same_verdicts(void)
{
	static const char longer[] =
		"schema: \"spanward/1\"\nkind: \"device-type\"\nid: \"example.x\"\nrevision: 1\nsources:\n"
		"  - {id: ifu, type: port-table, doc_id: IFU-X, revision: \"3\"}\n"
		"manufacturer: {name: Example}\nmodel: {name: X}\nport_list: {completeness: exhaustive}\nports:\n"
		"  - {id: store, transport: tcp, initiator: device, listen_on: peer, port: [{value: \"104\"}], default_state: disabled,\n"
		"     app: {protocol: dicom}, encryption: {declared: none}, peers: [{role: pacs}], sources: [ifu], row: X-1}\n";
	static struct conf_report rep;
	struct one a[] = { { "site.yaml", site }, { "x.yaml", type }, { "inventory.yaml", inventory } };
	struct one b[] = { { "site.yaml", site }, { "x.yaml", longer }, { "inventory.yaml", inventory } };
	struct policy *p = NULL, *q = NULL;
	CU_ASSERT_EQUAL_FATAL(compile(a, 3, &rep, &p), 0);
	CU_ASSERT_EQUAL_FATAL(compile(b, 3, &rep, &q), 0);
	policy_fixture_print(&rep);
	for (unsigned port = 100; port < 110; port++) {
		struct observation o = { .head.type = OBSERVATION_FLOW_OPEN, .transport = OBSERVATION_TCP, .answered = 1 };
		struct verdict v[POLICY_MAX_VERDICTS], w[POLICY_MAX_VERDICTS];
		(void)addr_parse(span_str("10.20.0.1"), &o.src.ip);
		(void)addr_parse(span_str("10.1.0.10"), &o.dst.ip);
		o.dst.port = (uint16_t)port;
		CU_ASSERT_EQUAL_FATAL(policy_check(p, &o, v), policy_check(q, &o, w));
		CU_ASSERT_EQUAL(v[0].kind, w[0].kind);
		CU_ASSERT_EQUAL(v[0].rule, w[0].rule);
		CU_ASSERT_EQUAL(v[0].severity, w[0].severity);
		struct policy_cite c, d;
		policy_cite(p, v[0].cite, &c);
		policy_cite(q, w[0].cite, &d);
		CU_ASSERT(span_eq(c.document, d.document) && span_eq(c.revision, d.revision) && span_eq(c.row, d.row));
	}
	free(p);
	free(q);
}

/* The examples of another place, when it stands beside this tree. */
static void shared_examples(void)
{
	static const char *const good[] = { "site.yaml", "inventory.yaml", "profile-endorec.yaml" };
	static const char *const role[] = { "site.yaml", "inventory.csv", "short-endorec-400.yaml" };
	char path[512];
	struct stat st;
	if (stat("../shared/data/profiles", &st)) {
		fprintf(stderr, "skipped: no ../shared/data/profiles\n");
		return;
	}
	for (unsigned which = 0; which < 2; which++) {
		struct policy_fixture f;
		static struct conf_report rep;
		struct policy *p = NULL;
		policy_fixture_make(&f);
		for (unsigned i = 0; i < 3; i++) {
			const char *name = which ? role[i] : good[i];
			static char text[1 << 16];
			(void)snprintf(path, sizeof(path), "../shared/data/profiles/%s", name);
			FILE *in = fopen(path, "rb");
			CU_ASSERT_PTR_NOT_NULL_FATAL(in);
			size_t n = fread(text, 1, sizeof(text), in);
			(void)fclose(in);
			(void)policy_fixture_put(&f, name, text, n);
		}
		memset(&rep, 0, sizeof(rep));
		int r = policy_compile_dir(f.dir, &p, &rep);
		if (!which) {
			policy_fixture_print(&rep);
			CU_ASSERT_EQUAL(r, 0);
			free(p);
		} else {
			CU_ASSERT_EQUAL(r, ERR_CONFIG);
			CU_ASSERT_EQUAL(rep.total, 1);
			CU_ASSERT_EQUAL(rep.v[0].line, 16);
			CU_ASSERT_STRING_EQUAL(rep.v[0].what,
			                       "no role is called biomed in site.yaml; did you mean biomed-workstation?");
		}
		policy_fixture_done(&f);
	}
}

int main(void)
{
	CU_pSuite s = test_begin("policy_load");
#define T(name) CU_add_test(s, #name, name)
	T(good_files_load);
	T(short_form_faults);
	T(other_type_faults);
	T(long_form_faults);
	T(site_faults);
	T(inventory_faults);
	T(csv_faults);
	T(csv_forms);
	T(every_prefix_of_a_csv_is_answered);
	T(paths);
	T(both_forms_give_the_same_verdicts);
	T(shared_examples);
#undef T
	return test_end();
}
