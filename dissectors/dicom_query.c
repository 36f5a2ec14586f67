/* dicom_query.c -- the identifier of a C-FIND, C-GET or C-MOVE (PS3.4 C.2.2.2, K.2.2.1): which keys, never their values. */
#include "dissectors/dicom.h"

#include <string.h>

/* PS3.6: the attributes that PS3.4 lists as keys of queries and worklists, ascending. */
static const struct { uint32_t tag; const char *keyword; } keywords[] = {
	{ 0x00080016, "SOPClassUID" },
	{ 0x00080018, "SOPInstanceUID" },
	{ 0x00080020, "StudyDate" },
	{ 0x00080021, "SeriesDate" },
	{ 0x00080022, "AcquisitionDate" },
	{ 0x00080023, "ContentDate" },
	{ 0x00080030, "StudyTime" },
	{ 0x00080031, "SeriesTime" },
	{ 0x00080050, "AccessionNumber" },
	{ 0x00080054, "RetrieveAETitle" },
	{ 0x00080056, "InstanceAvailability" },
	{ 0x00080060, "Modality" },
	{ 0x00080061, "ModalitiesInStudy" },
	{ 0x00080062, "SOPClassesInStudy" },
	{ 0x00080070, "Manufacturer" },
	{ 0x00080080, "InstitutionName" },
	{ 0x00080090, "ReferringPhysicianName" },
	{ 0x00081010, "StationName" },
	{ 0x00081030, "StudyDescription" },
	{ 0x0008103e, "SeriesDescription" },
	{ 0x00081040, "InstitutionalDepartmentName" },
	{ 0x00081048, "PhysiciansOfRecord" },
	{ 0x00081060, "NameOfPhysiciansReadingStudy" },
	{ 0x00081090, "ManufacturerModelName" },
	{ 0x00081110, "ReferencedStudySequence" },
	{ 0x00081115, "ReferencedSeriesSequence" },
	{ 0x00081120, "ReferencedPatientSequence" },
	{ 0x00081150, "ReferencedSOPClassUID" },
	{ 0x00081155, "ReferencedSOPInstanceUID" },
	{ 0x00100010, "PatientName" },
	{ 0x00100020, "PatientID" },
	{ 0x00100021, "IssuerOfPatientID" },
	{ 0x00100030, "PatientBirthDate" },
	{ 0x00100032, "PatientBirthTime" },
	{ 0x00100040, "PatientSex" },
	{ 0x00101000, "OtherPatientIDs" },
	{ 0x00101001, "OtherPatientNames" },
	{ 0x00101010, "PatientAge" },
	{ 0x00101030, "PatientWeight" },
	{ 0x00102000, "MedicalAlerts" },
	{ 0x00102110, "Allergies" },
	{ 0x001021c0, "PregnancyStatus" },
	{ 0x00104000, "PatientComments" },
	{ 0x00180015, "BodyPartExamined" },
	{ 0x00181000, "DeviceSerialNumber" },
	{ 0x00181030, "ProtocolName" },
	{ 0x0020000d, "StudyInstanceUID" },
	{ 0x0020000e, "SeriesInstanceUID" },
	{ 0x00200010, "StudyID" },
	{ 0x00200011, "SeriesNumber" },
	{ 0x00200013, "InstanceNumber" },
	{ 0x00201200, "NumberOfPatientRelatedStudies" },
	{ 0x00201202, "NumberOfPatientRelatedSeries" },
	{ 0x00201204, "NumberOfPatientRelatedInstances" },
	{ 0x00201206, "NumberOfStudyRelatedSeries" },
	{ 0x00201208, "NumberOfStudyRelatedInstances" },
	{ 0x00201209, "NumberOfSeriesRelatedInstances" },
	{ 0x00280008, "NumberOfFrames" },
	{ 0x00321032, "RequestingPhysician" },
	{ 0x00321060, "RequestedProcedureDescription" },
	{ 0x00321064, "RequestedProcedureCodeSequence" },
	{ 0x00380010, "AdmissionID" },
	{ 0x00380300, "CurrentPatientLocation" },
	{ 0x00380500, "PatientState" },
	{ 0x00400001, "ScheduledStationAETitle" },
	{ 0x00400002, "ScheduledProcedureStepStartDate" },
	{ 0x00400003, "ScheduledProcedureStepStartTime" },
	{ 0x00400006, "ScheduledPerformingPhysicianName" },
	{ 0x00400007, "ScheduledProcedureStepDescription" },
	{ 0x00400009, "ScheduledProcedureStepID" },
	{ 0x00400010, "ScheduledStationName" },
	{ 0x00400011, "ScheduledProcedureStepLocation" },
	{ 0x00400100, "ScheduledProcedureStepSequence" },
	{ 0x00400244, "PerformedProcedureStepStartDate" },
	{ 0x00400245, "PerformedProcedureStepStartTime" },
	{ 0x00400275, "RequestAttributesSequence" },
	{ 0x00401001, "RequestedProcedureID" },
	{ 0x00401003, "RequestedProcedurePriority" },
};

/* A comma, and the keyword or the tag in hexadecimal; left out when it does not fit. */
static void add_name(struct buf *list, uint32_t tag)
{
	static const char digits[] = "0123456789abcdef";
	size_t mark = list->len, low = 0, high = sizeof(keywords) / sizeof(keywords[0]);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (keywords[middle].tag < tag)
			low = middle + 1;
		else
			high = middle;
	}
	if (mark)
		(void)buf_u8(list, ',');
	if (low < sizeof(keywords) / sizeof(keywords[0]) && keywords[low].tag == tag)
		(void)buf_str(list, keywords[low].keyword);
	else
		for (int shift = 28; shift >= 0; shift -= 4)
			(void)buf_u8(list, (uint8_t)digits[tag >> shift & 15]);
	if (list->full)
		buf_rewind(list, mark);
}

static uint64_t level_of(struct span value)
{
	static const char *const words[] = { "PATIENT", "STUDY", "SERIES", "IMAGE", "FRAME" };
	value = span_trim(dicom_trim(value));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_eq(value, span_str(words[i])))
			return i;
	return OBSERVATION_LEVEL_OTHER;
}

enum match { MATCH_NOTHING, MATCH_WILDCARD, MATCH_NARROW };

/* PS3.4 C.2.2.2.4: * and ? alone match what an empty key matches. */
static enum match match_of(const struct dicom_element *e)
{
	enum match m = MATCH_NOTHING;
	if (e->passed_over)
		return MATCH_NARROW;
	for (size_t i = 0; i < e->value.n; i++) {
		uint8_t b = e->value.p[i];
		if (b == '*' || b == '?')
			m = MATCH_WILDCARD;
		else if (b && b != ' ' && b != '\\' && b != '"')        /* "" is the empty value of PS3.4 C.2.2.2.7 */
			return MATCH_NARROW;
	}
	return m;
}

enum dicom_walk_status dicom_query_read(struct dicom_walk *w, struct buf *texts, struct observation *o)
{
	enum { MOST = 256 };            /* `max` of the fields */
	struct buf match = buf_over(texts->data, MOST), wildcard = buf_over(texts->data + MOST, MOST);
	enum dicom_walk_status status;
	struct dicom_element e;
	uint64_t keys = 0;
	while ((status = dicom_walk_next(w, &e)) == DICOM_WALK_ELEMENT) {
		if (e.sequence || !(e.tag & 0xffff))    /* group lengths are none; of a sequence its keys are */
			continue;
		if (e.tag == 0x00080052) {
			if (dicom_trim(e.value).n)      /* worklists have none (PS3.4 K.4) */
				observation_uint(o, OBSERVATION_F_query_level, level_of(e.value));
			continue;
		}
		/* Specific Character Set, Query/Retrieve View, Timezone Offset: they describe the identifier (PS3.4 C.4.1.1.3). */
		if (e.tag == 0x00080005 || e.tag == 0x00080053 || e.tag == 0x00080201)
			continue;
		keys++;
		enum match m = match_of(&e);
		if (m == MATCH_NARROW)
			add_name(&match, e.tag);
		else if (m == MATCH_WILDCARD)
			add_name(&wildcard, e.tag);
	}
	observation_uint(o, OBSERVATION_F_keys, keys);
	if (match.len)
		observation_text(o, OBSERVATION_F_match_keys, buf_span(&match));
	if (wildcard.len)
		observation_text(o, OBSERVATION_F_wildcard_keys, buf_span(&wildcard));
	return status;
}
