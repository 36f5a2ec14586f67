/* hl7_vendor.c -- whose HL7 it is, where the maker documents how its products write it. Only what is documented or was
 * found the same in independent programs that talk to the product is here; GE CARESCAPE and Philips IntelliVue send what
 * their gateway is configured to send, and have no line.
 */
#include <string.h>

#include "dissectors/hl7.h"

/* Prefixes of MSH-3 and MSH-4, in any case; NULL: anything. MSH-3.2 for those who leave MSH-3.1 empty. */
static const struct {
	unsigned vendor;
	const char *app, *app_id, *facility;
} headers[] = {
	/* eGateway, IHE PCD messages: MINDRAY_EGATEWAY^(EUI-64)^EUI-64 (VSCaptureMindray and zato's live examples) */
	{ OBSERVATION_VENDOR_MINDRAY_EGATEWAY, "MINDRAY_EGATEWAY", NULL, NULL },
	/* PDS gateway and HYPERVISOR central station: Patient Data Share Protocol, Programmer's Guide, revision 10 */
	{ OBSERVATION_VENDOR_MINDRAY_PDS, "MINDRAY", NULL, "GATEWAY" },
	/* chemistry and haematology analysers: BS-200 Host Interface Manual, v1.2; BC-20s Communication Protocol, v1.0 */
	{ OBSERVATION_VENDOR_MINDRAY_ANALYZER, "MINDRAY", NULL, "BS-" },
	{ OBSERVATION_VENDOR_MINDRAY_ANALYZER, "MINDRAY", NULL, "BC-" },
	/* Efficia CM Series, Data Export Guide, 2-7: ^EfficiaCM */
	{ OBSERVATION_VENDOR_PHILIPS_EFFICIA, "", "EFFICIACM", NULL },
	/* monitors and central stations: the same name in MSH-3 and MSH-4, v2.4 (found in four programs that read it) */
	{ OBSERVATION_VENDOR_NIHON_KOHDEN, "NIHON KOHDEN", NULL, "NIHON KOHDEN" },
};

static bool begins(struct span s, const char *with)
{
	size_t n = strlen(with);
	if (s.n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t b = s.p[i] >= 'a' && s.p[i] <= 'z' ? (uint8_t)(s.p[i] - 'a' + 'A') : s.p[i];
		if (b != (uint8_t)with[i])
			return false;
	}
	return n || !s.n;
}

unsigned hl7_vendor_of_header(const struct hl7_msh *m)
{
	/* Nearly every application: none of the names above begins like it. Without a name it may have an identifier. */
	struct span rest = m->field[3];
	uint8_t first = rest.n && rest.p[0] != m->component ? rest.p[0] & 0xdf : 0;
	if (rest.n && first && first != 'M' && first != 'N')
		return HL7_VENDOR_UNKNOWN;
	struct span app = hl7_msh_next(&rest, m->component, m->family), id = hl7_msh_next(&rest, m->component, m->family);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (begins(app, headers[i].app) && (!headers[i].app_id || begins(id, headers[i].app_id)) &&
		    (!headers[i].facility || begins(m->field[4], headers[i].facility)))
			return headers[i].vendor;
	return HL7_VENDOR_UNKNOWN;
}

unsigned hl7_vendor_of_coding(struct span coding_system)
{
	/* Philips' own nomenclature, in Efficia and SureSigns alike (Efficia Data Export Guide, 3-10) */
	return coding_system.n == HL7_CODING && !memcmp(coding_system.p, "MDIL", HL7_CODING) ? OBSERVATION_VENDOR_PHILIPS_MDIL
									   : HL7_VENDOR_UNKNOWN;
}

struct span hl7_vendor_serial(unsigned vendor, struct span control_id)
{
	/* Ten characters of serial number, then ten of a counter in hexadecimal digits (Efficia Data Export Guide, 2-8). */
	enum { SERIAL = 10, COUNTER = 10 };
	if (vendor != OBSERVATION_VENDOR_PHILIPS_EFFICIA || control_id.n != SERIAL + COUNTER)
		return (struct span){ 0 };
	for (size_t i = SERIAL; i < control_id.n; i++)
		if (!hl7_digit(control_id.p[i]) && !(control_id.p[i] >= 'A' && control_id.p[i] <= 'F'))
			return (struct span){ 0 };
	return span_trim((struct span){ control_id.p, SERIAL });
}
