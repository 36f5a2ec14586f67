/* http_web.c -- what a request is for, by its path: DICOMweb (PS3.18, 8 to 11), FHIR (R4, 3.1.0), others by kind.
 *
 * A segment is compared with closed lists; what is not in them is nobody's business and leaves no trace.
 */
#include <string.h>
#include <strings.h>

#include "dissectors/http.h"

/* FHIR R4, 2.26, and those new in R5 that devices and hospitals use; sorted. */
static const struct text { const char *p; uint8_t n; } types[] = {
#define T(name) { name, sizeof(name) - 1 }
	T("Account"), T("ActivityDefinition"), T("AdverseEvent"), T("AllergyIntolerance"), T("Appointment"),
	T("AppointmentResponse"), T("AuditEvent"), T("Basic"), T("Binary"), T("BiologicallyDerivedProduct"), T("BodyStructure"),
	T("Bundle"), T("CapabilityStatement"), T("CarePlan"), T("CareTeam"), T("CatalogEntry"), T("ChargeItem"),
	T("ChargeItemDefinition"), T("Claim"), T("ClaimResponse"), T("ClinicalImpression"), T("CodeSystem"), T("Communication"),
	T("CommunicationRequest"), T("CompartmentDefinition"), T("Composition"), T("ConceptMap"), T("Condition"), T("Consent"),
	T("Contract"), T("Coverage"), T("CoverageEligibilityRequest"), T("CoverageEligibilityResponse"), T("DetectedIssue"),
	T("Device"), T("DeviceAssociation"), T("DeviceDefinition"), T("DeviceDispense"), T("DeviceMetric"), T("DeviceRequest"),
	T("DeviceUsage"), T("DeviceUseStatement"), T("DiagnosticReport"), T("DocumentManifest"), T("DocumentReference"),
	T("EffectEvidenceSynthesis"), T("Encounter"), T("Endpoint"), T("EnrollmentRequest"), T("EnrollmentResponse"),
	T("EpisodeOfCare"), T("EventDefinition"), T("Evidence"), T("EvidenceVariable"), T("ExampleScenario"),
	T("ExplanationOfBenefit"), T("FamilyMemberHistory"), T("Flag"), T("Goal"), T("GraphDefinition"), T("Group"),
	T("GuidanceResponse"), T("HealthcareService"), T("ImagingSelection"), T("ImagingStudy"), T("Immunization"),
	T("ImmunizationEvaluation"), T("ImmunizationRecommendation"), T("ImplementationGuide"), T("InsurancePlan"),
	T("InventoryItem"), T("Invoice"), T("Library"), T("Linkage"), T("List"), T("Location"), T("Measure"), T("MeasureReport"),
	T("Media"), T("Medication"), T("MedicationAdministration"), T("MedicationDispense"), T("MedicationKnowledge"),
	T("MedicationRequest"), T("MedicationStatement"), T("MessageDefinition"), T("MessageHeader"), T("MolecularSequence"),
	T("NamingSystem"), T("NutritionOrder"), T("Observation"), T("ObservationDefinition"), T("OperationDefinition"),
	T("OperationOutcome"), T("Organization"), T("OrganizationAffiliation"), T("Parameters"), T("Patient"), T("PaymentNotice"),
	T("PaymentReconciliation"), T("Person"), T("PlanDefinition"), T("Practitioner"), T("PractitionerRole"), T("Procedure"),
	T("Provenance"), T("Questionnaire"), T("QuestionnaireResponse"), T("RelatedPerson"), T("RequestGroup"),
	T("ResearchStudy"), T("ResearchSubject"), T("RiskAssessment"), T("Schedule"), T("SearchParameter"), T("ServiceRequest"),
	T("Slot"), T("Specimen"), T("SpecimenDefinition"), T("StructureDefinition"), T("StructureMap"), T("Subscription"),
	T("SubscriptionStatus"), T("Substance"), T("SupplyDelivery"), T("SupplyRequest"), T("Task"), T("TerminologyCapabilities"),
	T("TestReport"), T("TestScript"), T("Transport"), T("ValueSet"), T("VerificationResult"), T("VisionPrescription"),
#undef T
};
enum { TYPES = sizeof(types) / sizeof(types[0]), MAX_SEGMENTS = 24, MAX_QUERY_KEYS = 64 };
_Static_assert((int)TYPES < 256, "a type is a byte");

enum key_kind { KEY_DICOM, KEY_FHIR };
static const struct {
	uint8_t kind;
	uint8_t n;              /* of `in` */
	const char *in, *out;
	bool narrows;
} keys[] = {
#define X(KIND, in, out, narrows) { KEY_##KIND, sizeof(in) - 1, in, out, narrows },
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

static inline bool is_text(struct span s, const char *text, size_t n) { return s.n == n && !memcmp(s.p, text, n); }
#define is(s, text) is_text(s, text, sizeof(text) - 1)  /* of a literal, whose length is known */
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
			if (keys[k].kind == kind && name.n == keys[k].n &&
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
	return type && type <= TYPES ? (struct span){ (const uint8_t *)types[type - 1].p, types[type - 1].n } : (struct span){ 0 };
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


static unsigned retrieve(struct span last)      /* PS3.18, 10.4.1 */
{
	if (is(last, "metadata"))
		return OBSERVATION_WEB_METADATA;
	if (is(last, "rendered") || is(last, "thumbnail"))
		return OBSERVATION_WEB_RENDERED;
	if (is(last, "bulkdata") || is(last, "bulk") || is(last, "pixeldata"))
		return OBSERVATION_WEB_BULKDATA;
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
		r->level = is(p->s[i], "studies")     ? OBSERVATION_LEVEL_STUDY
			   : is(p->s[i], "series")    ? OBSERVATION_LEVEL_SERIES
			   : is(p->s[i], "instances") ? OBSERVATION_LEVEL_IMAGE
			   : is(p->s[i], "frames")    ? OBSERVATION_LEVEL_FRAME
						      : r->level;
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
	size_t from = 0, to = TYPES;
	while (s.n && from < to) {
		size_t i = (from + to) / 2, n = s.n < types[i].n ? s.n : types[i].n;
		int order = memcmp(s.p, types[i].p, n);
		if (!order && s.n == types[i].n)
			return (uint8_t)(i + 1);
		if (order > 0 || (!order && s.n > types[i].n))
			from = i + 1;
		else
			to = i;
	}
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
	size_t type_at = 0;
	for (size_t i = 0; i < p->n && !named; i++)
		named = p->s[i].n >= 4 && !strncasecmp((const char *)p->s[i].p, "fhir", 4);
	if (!named)
		return false;
	while (type_at < p->n && !find_type(p->s[type_at]))
		type_at++;
	/* The last type in the path is what is asked for (compartments). */
	for (size_t i = type_at; i < p->n && i <= type_at + 2; i += 2) {
		uint8_t type = find_type(p->s[i]);
		r->type = type ? type : r->type;
	}
	r->operation = interaction(h, p, type_at, type_at < p->n);
	read_keys(p->query, KEY_FHIR, r);
	return true;
}

/* ---- others ---- */

static uint8_t kind_of(const struct http_head *h, const struct path *p)
{
	static const struct {
		struct text ending;
		uint8_t kind;
	} endings[] = {
#define E(ending, kind) { { ending, sizeof(ending) - 1 }, OBSERVATION_RESOURCE_##kind }
		E(".dcm", DICOM_FILE), E(".exe", PROGRAM), E(".dll", PROGRAM), E(".msi", PROGRAM), E(".ps1", PROGRAM),
		E(".bat", PROGRAM), E(".vbs", PROGRAM), E(".hta", PROGRAM), E(".jar", PROGRAM), E(".sh", PROGRAM),
		E(".elf", PROGRAM), E(".css", STATIC), E(".js", STATIC), E(".png", STATIC), E(".jpg", STATIC), E(".gif", STATIC),
		E(".svg", STATIC), E(".ico", STATIC), E(".woff2", STATIC), E(".html", STATIC),
#undef E
	};
	if (h->action.n)
		return OBSERVATION_RESOURCE_SOAP;
	if (!p->n)
		return OBSERVATION_RESOURCE_ROOT;
	struct span last = p->s[p->n - 1];
	const uint8_t *dot = memrchr(last.p, '.', last.n);
	size_t n = dot ? (size_t)(last.p + last.n - dot) : 0;
	for (size_t i = 0; n && n < last.n && i < sizeof(endings) / sizeof(endings[0]); i++)
		if (endings[i].ending.n == n && !strncasecmp((const char *)dot, endings[i].ending.p, n))
			return endings[i].kind;
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
