/* A policy table that came from outside: policy_open() refuses it, or every lookup in it stays inside.
 * The first 8 bytes steer the lookups; then each 4 bytes change one byte of a good table (offset in 24 bits,
 * little endian, and the value), so that an input stays meaningful when the layout changes. */
#include <stdlib.h>
#include <string.h>

#include "rules/policy_model.h"
#include "rules/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct policy *p, struct span s, size_t n)
{
	static volatile uint8_t sink;
	/* A span from a verified table lies in the table. */
	const uint8_t *base = (const uint8_t *)p;
	if (s.n && (s.p < base || s.n > n || (size_t)(s.p - base) > n - s.n))
		abort();
	for (size_t i = 0; i < s.n; i++)
		sink = s.p[i];
	(void)sink;
}

static void judge(const struct policy *p, const struct observation *o, size_t n)
{
	struct verdict v[POLICY_MAX_VERDICTS];
	unsigned k = policy_check(p, o, v);
	if (k > POLICY_MAX_VERDICTS)
		abort();
	while (k--) {
		struct policy_cite c;
		struct policy_device d;
		if (v[k].kind >= EVENT_VERDICTS || v[k].what >= EVENT_WHATS || v[k].rule >= RULE_COUNT ||
		    v[k].severity > EVENT_CRITICAL)
			abort();
		policy_cite(p, v[k].cite, &c);
		use(p, c.document, n);
		use(p, c.said, n);
		policy_device(p, v[k].device, &d);
		use(p, d.id, n);
		use(p, d.maker, n);
	}
}

static const char site[] =
	"schema: spanward/1\nkind: site\nlocal_networks: [10.0.0.0/8]\n"
	"zones: {imaging: {cidr: 10.20.0.0/16, vlan: 3}, wards: {cidr: 10.30.0.0/16, internet: 'no'}}\n"
	"roles: {pacs: [{ip: 10.1.0.10, ae_title: PACS01}], bench: [{cidr: 10.9.0.0/28}]}\n"
	"forbid: [{id: S1, from: zone wards, to: role pacs, tcp: 23, text: no telnet}]\n";
static const char type[] =
	"schema: spanward/1\ndevice_type: t\nmaker: M\nmodel: X\ndocuments: {ifu: {id: I, revision: 3}}\n"
	"port_list: exhaustive\nexternal: {answer: no, cite: ifu 1}\ninfrastructure: [dns-client]\n"
	"out:\n  store: {dicom: '104,11112', to: [pacs, 192.0.2.0/24], optional: yes, cite: ifu 2}\n"
	"  hl7: {hl7: 2575, tls: yes, to: pacs, messages: [ORU^R01, ADT], cite: ifu 3}\n"
	"in:\n  ui: {https: 3333-3400, from: [bench, same_manufacturer], cite: ifu 4}\n";
static const char units[] =
	"id,type,ip,mac,vlan,ae_title,options,ward\nct,t,10.20.3.41,00:00:5e:00:53:01,3,CT01,store,W\n"
	"us,t,10.20.1.10,,,US01,,\nold,,10.30.5.1,,,,,\n";

static struct policy *good_table(void)
{
	static struct conf_report rep;
	struct policy_model m = { 0 };
	struct policy *p = NULL;
	struct conf_doc *a = conf_parse(span_str(site), "site.yaml", &rep), *b = conf_parse(span_str(type), "t.yaml", &rep);
	if (!a || !b || policy_site_read(&m, a, "site.yaml", &rep) || policy_types_read(&m, b, "t.yaml", &rep) ||
	    policy_inventory_read_csv(&m, span_str(units), "inventory.csv", &rep) || policy_compile_model(&m, &p, &rep))
		abort();
	policy_load_free(&m);
	conf_free(a);
	conf_free(b);
	return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy *good;
	if (size < 8)
		return 0;
	if (!good)
		good = good_table();
	size_t n = policy_size(good);
	uint8_t *copy = malloc(n);
	if (!copy)
		return 0;
	memcpy(copy, good, n);
	for (size_t i = 8; i + 4 <= size; i += 4)
		copy[(data[i] | (size_t)data[i + 1] << 8 | (size_t)data[i + 2] << 16) % n] = data[i + 3];
	const struct policy *p = policy_open((struct span){ copy, n });
	if (!p) {
		free(copy);
		return 0;
	}
	static const char *const ips[] = { "10.20.3.41", "10.1.0.10", "10.20.1.10", "10.9.0.2", "203.0.113.5", "10.30.9.9",
	                                   "10.30.5.1", "224.0.0.251" };
	struct observation o = { .head.type = OBSERVATION_FLOW_SERVICE };
	(void)addr_parse(span_str(ips[data[0] & 7]), &o.src.ip);
	(void)addr_parse(span_str(ips[data[1] & 7]), &o.dst.ip);
	o.src.port = 40000;
	o.dst.port = (uint16_t)(data[2] | data[3] << 8);
	observation_uint(&o, OBSERVATION_F_transport, data[4] & 3);
	observation_uint(&o, OBSERVATION_F_initiator_by, data[4] >> 2 & 3);
	observation_uint(&o, OBSERVATION_F_midstream, data[4] >> 4 & 1);
	observation_uint(&o, OBSERVATION_F_answered, data[4] >> 5 & 1);
	observation_uint(&o, OBSERVATION_F_vlan, data[5]);
	struct mac mac = { { 0, 0, 0x5e, 0, 0x53, data[6] } };
	vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_src_mac, &mac);
	static const char *const services[] = { "dicom", "hl7", "tls", "unknown" };
	(void)observation_text(&o, OBSERVATION_F_service, span_str(services[data[7] & 3]));
	judge(p, &o, n);
	struct observation a = { .head.type = OBSERVATION_DICOM_ASSOCIATE_REQUEST, .src = o.src, .dst = o.dst };
	(void)observation_text(&a, OBSERVATION_F_calling_ae, span_str(data[7] & 4 ? "CT01" : "NOBODY"));
	judge(p, &a, n);
	struct observation m = { .head.type = OBSERVATION_HL7_MESSAGE, .src = o.src, .dst = o.dst };
	(void)observation_text(&m, OBSERVATION_F_message_type, span_str("ORU^R01"));
	judge(p, &m, n);
	struct policy_host h;
	policy_host(p, &o.src.ip, &mac, data[5], &h);
	use(p, h.id, n);
	use(p, h.type, n);
	use(p, h.role, n);
	use(p, h.zone, n);
	for (uint32_t i = 0; i < policy_devices(p) && i < 64; i++) {
		struct policy_device d;
		policy_device(p, i, &d);
		use(p, d.location, n);
		use(p, d.psirt, n);
	}
	(void)policy_digest(p);
	free(copy);
	return 0;
}
