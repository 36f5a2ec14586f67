/* http_web.c -- what a request is for, by its path: DICOMweb (PS3.18, 8 to 11), FHIR (R4, 3.1.0), others by kind.
 *
 * A segment is compared with closed lists; what is not in them is nobody's business and leaves no trace.
 */
#include <string.h>
#include <strings.h>

#include "dissectors/http.h"

/* FHIR R4, 2.26, and those new in R5 that devices and hospitals use. */
static const char *const types[] = {
	"Account", "ActivityDefinition", "AdverseEvent", "AllergyIntolerance", "Appointment", "AppointmentResponse", "AuditEvent",
	"Basic", "Binary", "BiologicallyDerivedProduct", "BodyStructure", "Bundle", "CapabilityStatement", "CarePlan", "CareTeam",
	"CatalogEntry", "ChargeItem", "ChargeItemDefinition", "Claim", "ClaimResponse", "ClinicalImpression", "CodeSystem",
	"Communication", "CommunicationRequest", "CompartmentDefinition", "Composition", "ConceptMap", "Condition", "Consent",
	"Contract", "Coverage", "CoverageEligibilityRequest", "CoverageEligibilityResponse", "DetectedIssue", "Device",
	"DeviceAssociation", "DeviceDefinition", "DeviceDispense", "DeviceMetric", "DeviceRequest", "DeviceUsage",
	"DeviceUseStatement", "DiagnosticReport", "DocumentManifest", "DocumentReference", "EffectEvidenceSynthesis", "Encounter",
	"Endpoint", "EnrollmentRequest", "EnrollmentResponse", "EpisodeOfCare", "EventDefinition", "Evidence", "EvidenceVariable",
	"ExampleScenario", "ExplanationOfBenefit", "FamilyMemberHistory", "Flag", "Goal", "GraphDefinition", "Group",
	"GuidanceResponse", "HealthcareService", "ImagingSelection", "ImagingStudy", "Immunization", "ImmunizationEvaluation",
	"ImmunizationRecommendation", "ImplementationGuide", "InsurancePlan", "InventoryItem", "Invoice", "Library", "Linkage",
	"List", "Location", "Measure", "MeasureReport", "Media", "Medication", "MedicationAdministration", "MedicationDispense",
	"MedicationKnowledge", "MedicationRequest", "MedicationStatement", "MessageDefinition", "MessageHeader",
	"MolecularSequence", "NamingSystem", "NutritionOrder", "Observation", "ObservationDefinition", "OperationDefinition",
	"OperationOutcome", "Organization", "OrganizationAffiliation", "Parameters", "Patient", "PaymentNotice",
	"PaymentReconciliation", "Person", "PlanDefinition", "Practitioner", "PractitionerRole", "Procedure", "Provenance",
	"Questionnaire", "QuestionnaireResponse", "RelatedPerson", "RequestGroup", "ResearchStudy", "ResearchSubject",
	"RiskAssessment", "Schedule", "SearchParameter", "ServiceRequest", "Slot", "Specimen", "SpecimenDefinition",
	"StructureDefinition", "StructureMap", "Subscription", "SubscriptionStatus", "Substance", "SupplyDelivery",
	"SupplyRequest", "Task", "TerminologyCapabilities", "TestReport", "TestScript", "Transport", "ValueSet",
	"VerificationResult", "VisionPrescription",
};
enum { TYPES = sizeof(types) / sizeof(types[0]), MAX_SEGMENTS = 24, MAX_QUERY_KEYS = 64 };
_Static_assert((int)TYPES < 256, "a type is a byte");

enum key_kind { KEY_DICOM, KEY_FHIR };
static const struct {
	uint8_t kind;
	const char *in, *out;
	bool narrows;
} keys[] = {
#define X(KIND, in, out, narrows) { KEY_##KIND, in, out, narrows },
	HTTP_KEYS(X)
#undef X
};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };
_Static_assert((int)KEYS <= 64, "a key is a bit");

struct path {
	struct span s[MAX_SEGMENTS];
	size_t n;
	struct span query;
};

static bool is(struct span s, const char *text) { return span_eq(s, span_str(text)); }
static struct span at(const struct path *p, size_t i) { return i < p->n ? p->s[i] : (struct span){ 0 }; }

/* RFC 9112, 3.2: origin form, or absolute form as proxies get it. */
static void split(struct span target, struct path *ret)
{
	*ret = (struct path){ .n = 0 };
	if (target.n > 8 && (!memcmp(target.p, "http://", 7) || !memcmp(target.p, "https://", 8))) {
		size_t n = target.p[4] == 's' ? 8 : 7;
		while (n < target.n && target.p[n] != '/')
			n++;
		target = span_from(target, n);
	}
	size_t end = 0;
	while (end < target.n && target.p[end] != '?' && target.p[end] != '#')
		end++;
	ret->query = span_from(target, end + 1);
	for (size_t i = 0; i < end && ret->n < MAX_SEGMENTS;) {
		size_t from = i;
		while (i < end && target.p[i] != '/')
			i++;
		if (i > from)
			ret->s[ret->n++] = (struct span){ target.p + from, i - from };
		i++;
	}
}

static bool is_uid(struct span s)
{
	size_t dots = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.')
			dots++;
		else if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 4 && s.n <= 64 && dots > 1;
}

static void read_keys(struct span query, enum key_kind kind, struct http_request *r)
{
	for (int i = 0; i < MAX_QUERY_KEYS && query.n; i++) {
		size_t n = 0;
		while (n < query.n && query.p[n] != '&')
			n++;
		struct span name = { query.p, n };
		query = span_from(query, n + 1);
		for (n = 0; n < name.n && name.p[n] != '=' && name.p[n] != ':' && name.p[n] != '.' && name.p[n] != '%'; n++)
			;
		name.n = n;
		if (!name.n)
			continue;
		r->n_keys++;
		for (size_t k = 0; k < KEYS; k++)
			if (keys[k].kind == kind && name.n == strlen(keys[k].in) &&
			    !strncasecmp((const char *)name.p, keys[k].in, name.n))
				r->keys |= UINT64_C(1) << k;
	}
}

void http_web_keys(uint64_t set, struct buf *out, bool *ret_narrow)
{
	*ret_narrow = false;
	for (size_t k = 0; k < KEYS; k++) {
		if (!(set >> k & 1))
			continue;
		*ret_narrow |= keys[k].narrows;
		/* A tag and its keyword are one name; they stand beside each other. */
		if (k && set >> (k - 1) & 1 && !strcmp(keys[k].out, keys[k - 1].out))
			continue;
		if (out->len + 1 + strlen(keys[k].out) > out->cap)
			continue;
		(void)buf_str(out, out->len ? "," : "");
		(void)buf_str(out, keys[k].out);
	}
}

struct span http_web_type(uint8_t type)
{
	return type && type <= TYPES ? span_str(types[type - 1]) : (struct span){ 0 };
}

/* ---- DICOMweb ---- */

static bool wado_uri(const struct path *p)      /* PS3.18, 9.1.1 */
{
	struct span q = p->query;
	while (q.n) {
		size_t n = 0;
		while (n < q.n && q.p[n] != '&')
			n++;
		if (n == 16 && !strncasecmp((const char *)q.p, "requestType=WADO", 16))
			return true;
		q = span_from(q, n + 1);
	}
	return false;
}

static const char *const levels[] = { "studies", "series", "instances", "frames" };
static const uint8_t level_words[] = { OBSERVATION_LEVEL_STUDY, OBSERVATION_LEVEL_SERIES, OBSERVATION_LEVEL_IMAGE,
				       OBSERVATION_LEVEL_FRAME };

static unsigned retrieve(struct span last)      /* PS3.18, 10.4.1 */
{
	static const struct {
		const char *name;
		uint8_t operation;
	} kinds[] = {
		{ "metadata", OBSERVATION_WEB_METADATA }, { "rendered", OBSERVATION_WEB_RENDERED },
		{ "thumbnail", OBSERVATION_WEB_RENDERED }, { "bulkdata", OBSERVATION_WEB_BULKDATA },
		{ "bulk", OBSERVATION_WEB_BULKDATA }, { "pixeldata", OBSERVATION_WEB_BULKDATA },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (is(last, kinds[i].name))
			return kinds[i].operation;
	return OBSERVATION_WEB_RETRIEVE;
}

/* A path of a web server that has nothing to do with DICOM may hold "series": something else must speak for it, a UID, a media
 * type, the name of the service in the path, or a key of DICOM. */
static bool dicomweb(const struct http_head *h, const struct path *p, struct http_request *r)
{
	if (wado_uri(p)) {
		r->operation = OBSERVATION_WEB_WADO_URI;
		r->level = OBSERVATION_LEVEL_IMAGE;
		read_keys(p->query, KEY_DICOM, r);
		return true;
	}
	size_t first = 0;
	bool named = h->dicom_type;
	for (; first < p->n; first++) {
		struct span s = p->s[first];
		if (is(s, "studies") || is(s, "workitems") || ((is(s, "series") || is(s, "instances")) && first + 1 == p->n))
			break;
		named |= is(s, "dicom-web") || is(s, "dicomweb") || is(s, "dicomWeb") || is(s, "dcm4chee-arc") || is(s, "aets") ||
			 is(s, "wado-rs") || is(s, "qido-rs") || is(s, "stow-rs");
	}
	if (first == p->n)
		return false;
	read_keys(p->query, KEY_DICOM, r);
	if (!named && !is_uid(at(p, first + 1)) && !r->keys) {
		r->n_keys = 0;
		return false;
	}
	struct span last = at(p, p->n - 1);
	bool get = h->method == OBSERVATION_HTTP_GET || h->method == OBSERVATION_HTTP_HEAD;
	r->level = OBSERVATION_LEVEL_OTHER;
	r->within = is_uid(at(p, first + 1));
	for (size_t i = first; i < p->n; i++)
		for (size_t k = 0; k < sizeof(levels) / sizeof(levels[0]); k++)
			if (is(p->s[i], levels[k]))
				r->level = level_words[k];
	if (h->method == OBSERVATION_HTTP_OPTIONS)
		r->operation = OBSERVATION_WEB_CAPABILITIES;
	else if (h->method == OBSERVATION_HTTP_DELETE)
		r->operation = OBSERVATION_WEB_DELETE;
	else if (is(p->s[first], "workitems"))
		r->operation = OBSERVATION_WEB_UPS;
	else if (h->method == OBSERVATION_HTTP_POST && first + 2 >= p->n)
		r->operation = OBSERVATION_WEB_STOW;
	else if (!get)
		r->operation = OBSERVATION_WEB_OTHER;
	else if (is(last, "studies") || is(last, "series") || is(last, "instances"))
		r->operation = OBSERVATION_WEB_QIDO;
	else
		r->operation = (uint8_t)retrieve(last);
	return true;
}

/* ---- FHIR ---- */

static uint8_t find_type(struct span s)
{
	for (size_t i = 0; i < TYPES; i++)
		if (is(s, types[i]))
			return (uint8_t)(i + 1);
	return 0;
}

static uint8_t interaction(const struct http_head *h, const struct path *p, size_t type_at, bool has_type)
{
	struct span last = at(p, p->n ? p->n - 1 : 0);
	if (last.n && last.p[0] == '$')
		return OBSERVATION_FHIR_OPERATION;
	if (is(last, "metadata") || is(last, ".well-known"))
		return OBSERVATION_FHIR_CAPABILITIES;
	if (is(last, "_search"))
		return OBSERVATION_FHIR_SEARCH;
	if (is(last, "_history"))
		return OBSERVATION_FHIR_HISTORY;
	bool instance = has_type && type_at + 1 < p->n;
	switch (h->method) {
	case OBSERVATION_HTTP_GET:
	case OBSERVATION_HTTP_HEAD:
		if (is(at(p, type_at + 2), "_history"))
			return OBSERVATION_FHIR_VREAD;
		/* A compartment: Patient/1/Observation. */
		return instance && type_at + 2 >= p->n ? OBSERVATION_FHIR_READ : OBSERVATION_FHIR_SEARCH;
	case OBSERVATION_HTTP_POST: return has_type ? OBSERVATION_FHIR_CREATE : OBSERVATION_FHIR_BATCH;
	case OBSERVATION_HTTP_PUT: return OBSERVATION_FHIR_UPDATE;
	case OBSERVATION_HTTP_PATCH: return OBSERVATION_FHIR_PATCH;
	case OBSERVATION_HTTP_DELETE: return OBSERVATION_FHIR_DELETE;
	default: return OBSERVATION_FHIR_OTHER;
	}
}

static bool fhir(const struct http_head *h, const struct path *p, struct http_request *r)
{
	bool named = h->fhir_type;
	size_t type_at = p->n;
	for (size_t i = 0; i < p->n; i++) {
		struct span s = p->s[i];
		named |= s.n >= 4 && !strncasecmp((const char *)s.p, "fhir", 4);
		if (type_at == p->n && find_type(s))
			type_at = i;
	}
	if (!named)
		return false;
	/* The last type in the path is what is asked for (compartments). */
	for (size_t i = type_at; i < p->n; i++)
		if (find_type(p->s[i]) && (i == type_at || i == type_at + 2))
			r->type = find_type(p->s[i]);
	r->operation = interaction(h, p, type_at, type_at < p->n);
	read_keys(p->query, KEY_FHIR, r);
	return true;
}

/* ---- others ---- */

static uint8_t kind_of(const struct http_head *h, const struct path *p)
{
	static const struct {
		const char *ending;
		uint8_t kind;
	} endings[] = {
		{ ".dcm", OBSERVATION_RESOURCE_DICOM_FILE }, { ".exe", OBSERVATION_RESOURCE_PROGRAM },
		{ ".dll", OBSERVATION_RESOURCE_PROGRAM }, { ".msi", OBSERVATION_RESOURCE_PROGRAM },
		{ ".ps1", OBSERVATION_RESOURCE_PROGRAM }, { ".bat", OBSERVATION_RESOURCE_PROGRAM },
		{ ".vbs", OBSERVATION_RESOURCE_PROGRAM }, { ".hta", OBSERVATION_RESOURCE_PROGRAM },
		{ ".jar", OBSERVATION_RESOURCE_PROGRAM }, { ".sh", OBSERVATION_RESOURCE_PROGRAM },
		{ ".elf", OBSERVATION_RESOURCE_PROGRAM }, { ".css", OBSERVATION_RESOURCE_STATIC },
		{ ".js", OBSERVATION_RESOURCE_STATIC }, { ".png", OBSERVATION_RESOURCE_STATIC },
		{ ".jpg", OBSERVATION_RESOURCE_STATIC }, { ".gif", OBSERVATION_RESOURCE_STATIC },
		{ ".svg", OBSERVATION_RESOURCE_STATIC }, { ".ico", OBSERVATION_RESOURCE_STATIC },
		{ ".woff2", OBSERVATION_RESOURCE_STATIC }, { ".html", OBSERVATION_RESOURCE_STATIC },
	};
	if (h->action.n)
		return OBSERVATION_RESOURCE_SOAP;
	if (!p->n)
		return OBSERVATION_RESOURCE_ROOT;
	struct span last = p->s[p->n - 1];
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t n = strlen(endings[i].ending);
		if (last.n > n && !strncasecmp((const char *)last.p + last.n - n, endings[i].ending, n))
			return endings[i].kind;
	}
	return OBSERVATION_RESOURCE_OTHER;
}

void http_web_classify(const struct http_head *h, struct http_request *ret)
{
	struct path p;
	*ret = (struct http_request){ .known = true, .method = h->method, .authentication = h->authentication };
	split(h->target, &p);
	if (h->method == OBSERVATION_HTTP_CONNECT) {
		ret->resource = OBSERVATION_RESOURCE_OTHER;
	} else if (dicomweb(h, &p, ret)) {
		ret->web = HTTP_DICOMWEB;
		ret->resource = OBSERVATION_RESOURCE_DICOMWEB;
	} else if (fhir(h, &p, ret)) {
		ret->web = HTTP_FHIR;
		ret->resource = OBSERVATION_RESOURCE_FHIR;
	} else {
		ret->resource = kind_of(h, &p);
	}
}
