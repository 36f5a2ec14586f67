/* The long form of a device type: every fact that a maker's papers state, each with the document and row it stands in.
 * docs/profiles.md says what each means; docs/schema/device-type.schema.json is printed from here. */
#include "rules/policy_keys.h"

#include "rules/policy_table.h"

enum { NAME = POLICY_KEYS_NAME, LABEL = POLICY_KEYS_LABEL, TEXT = POLICY_KEYS_TEXT };

#define MAP(name_, keys_) { .name = name_, .kind = CONF_MAP, .keys = keys_ }
#define LIST(name_, item_) { .name = name_, .kind = CONF_LIST, .keys = item_ }
#define ITEM(var, keys_) static const struct conf_key var[] = { { .name = "item", .kind = CONF_MAP, .keys = keys_ }, { 0 } }

static const struct conf_key name_item[] = { { .name = "name", .kind = CONF_TEXT, .min = 1, .max = NAME }, { 0 } };
static const struct conf_key text_item[] = { { .name = "text", .kind = CONF_TEXT, .min = 1, .max = TEXT }, { 0 } };
static const struct conf_key title_item[] = {
	{ .name = "AE title", .kind = CONF_TEXT, .min = 1, .max = POLICY_TABLE_AE }, { 0 }
};
static const struct conf_key ports_item[] = { { .name = "port", .kind = CONF_PORTS }, { 0 } };
static const struct conf_key names_or_one[] = {
	{ .name = "one", .kind = CONF_TEXT, .min = 1, .max = NAME },
	{ .name = "list", .kind = CONF_LIST, .keys = name_item, .min = 1 },
	{ 0 }
};
static const struct conf_key titles_or_one[] = {
	{ .name = "one", .kind = CONF_TEXT, .min = 1, .max = POLICY_TABLE_AE },
	{ .name = "list", .kind = CONF_LIST, .keys = title_item },
	{ 0 }
};

/* Where a fact stands. */
#define SOURCES_DOC "documents of `sources` that say so"
#define PROVENANCE                                                                                                 \
	{ .name = "sources", .kind = CONF_LIST, .keys = name_item, .doc = SOURCES_DOC },                           \
	{ .name = "row", .kind = CONF_TEXT, .max = NAME, .doc = "row, section or question in the first of them" }, \
	{ .name = "note", .kind = CONF_TEXT, .max = TEXT }

static const struct conf_key provenance[] = { PROVENANCE, { 0 } };
ITEM(provenance_item, provenance);

static const struct conf_key dated_fact[] = { { .name = "date", .kind = CONF_DATE, .required = true, .min = 1 }, PROVENANCE, { 0 } };
static const struct conf_key date_or_fact[] = {
	{ .name = "date", .kind = CONF_DATE }, { .name = "fact", .kind = CONF_MAP, .keys = dated_fact }, { 0 }
};
#define DATED(name_, doc_) { .name = name_, .kind = CONF_ONE_OF, .keys = date_or_fact, .doc = doc_ }

static const struct conf_key claim[] = { { .name = "answer", .kind = CONF_TRI, .required = true }, PROVENANCE, { 0 } };

/* ---- who and what ---- */

static const struct conf_key source[] = {
	{ .name = "id", .kind = CONF_TEXT, .required = true, .min = 1, .max = NAME, .doc = "what rows call it" },
	{ .name = "type", .kind = CONF_TEXT, .required = true, .min = 1, .max = NAME,
	  .doc = "mds2-2019, mds2-2013, mds-jahis, port-table, dicom-cs, ldif, mud, ifu, white-paper, ..." },
	{ .name = "doc_id", .kind = CONF_TEXT, .required = true, .min = 1, .max = POLICY_KEYS_DOCUMENT, .doc = "number or title" },
	{ .name = "revision", .kind = CONF_TEXT, .required = true, .min = 1, .max = POLICY_KEYS_REVISION },
	{ .name = "date", .kind = CONF_DATE },
	{ .name = "title", .kind = CONF_TEXT }, { .name = "file", .kind = CONF_TEXT }, { .name = "sha256", .kind = CONF_TEXT },
	{ .name = "url", .kind = CONF_TEXT }, { .name = "language", .kind = CONF_TEXT },
	{ .name = "note", .kind = CONF_TEXT, .max = TEXT },
	{ 0 }
};
ITEM(source_item, source);

static const struct conf_key contact[] = {
	{ .name = "name", .kind = CONF_TEXT }, { .name = "email", .kind = CONF_TEXT }, { .name = "tel", .kind = CONF_TEXT },
	{ .name = "url", .kind = CONF_TEXT }, { .name = "text", .kind = CONF_TEXT, .doc = "as written, when it is none of these" },
	{ .name = "pgp", .kind = CONF_TEXT }, { .name = "hours", .kind = CONF_TEXT }, PROVENANCE, { 0 }
};
static const struct conf_key contacts[] = {
	{ .name = "psirt", .kind = CONF_MAP, .keys = contact, .doc = "whom to tell of a vulnerability" },
	{ .name = "inquiry", .kind = CONF_MAP, .keys = contact, .doc = "whom to ask" },
	{ .name = "dealer", .kind = CONF_MAP, .keys = contact }, { .name = "lessor", .kind = CONF_MAP, .keys = contact },
	{ .name = "repairer", .kind = CONF_MAP, .keys = contact },
	{ 0 }
};
static const struct conf_key cvd[] = {
	{ .name = "policy_url", .kind = CONF_TEXT }, { .name = "mds2", .kind = CONF_TEXT }, PROVENANCE, { 0 }
};
static const struct conf_key manufacturer[] = {
	{ .name = "name", .kind = CONF_TEXT, .required = true, .min = 1, .max = LABEL },
	MAP("contacts", contacts), MAP("cvd", cvd),
	{ .name = "isao_member", .kind = CONF_TRI },
	{ 0 }
};
static const struct conf_key software[] = {
	{ .name = "name", .kind = CONF_TEXT, .min = 1 }, { .name = "versions", .kind = CONF_TEXT },
	DATED("eos", "end of support of this part"), PROVENANCE, { 0 }
};
ITEM(software_item, software);
static const struct conf_key os[] = {
	{ .name = "name", .kind = CONF_TEXT }, { .name = "version", .kind = CONF_TEXT },
	DATED("eos", "end of support of the system"), PROVENANCE, { 0 }
};
static const struct conf_key model_keys[] = {
	{ .name = "name", .kind = CONF_TEXT, .required = true, .min = 1, .max = LABEL },
	LIST("udi_di", text_item),
	{ .name = "jmdn_code", .kind = CONF_TEXT },
	LIST("software", software_item), MAP("os", os),
	{ 0 }
};

static const struct conf_key identify_dicom[] = {
	LIST("impl_class_uid", text_item), LIST("impl_version", text_item), { .name = "manufacturer_tag", .kind = CONF_TEXT }, { 0 }
};
static const struct conf_key identify_dhcp[] = {
	{ .name = "vendor_class", .kind = CONF_TEXT }, { .name = "mud_url", .kind = CONF_TEXT }, { 0 }
};
static const struct conf_key identify[] = {
	LIST("oui", text_item), MAP("dicom", identify_dicom), LIST("http_server", text_item), MAP("dhcp", identify_dhcp),
	{ .name = "tls", .kind = CONF_ANY },
	{ 0 }
};

static const char *const degrees[] = { "none", "low", "medium", "high", "unknown", NULL };
static const struct conf_key impact[] = {
	{ .name = "diagnosis", .kind = CONF_WORD, .words = degrees }, { .name = "therapy", .kind = CONF_WORD, .words = degrees },
	{ .name = "workflow", .kind = CONF_WORD, .words = degrees }, { .name = "privacy", .kind = CONF_WORD, .words = degrees },
	{ 0 }
};
static const struct conf_key clinical[] = {
	{ .name = "function", .kind = CONF_TEXT },
	{ .name = "class_jp", .kind = CONF_TEXT, .doc = "shown, never computed with" },
	MAP("impact", impact),
	{ .name = "safe_degradation", .kind = CONF_TEXT, .max = TEXT },
	{ .name = "never_block", .kind = CONF_BOOL },
	PROVENANCE, { 0 }
};
static const struct conf_key environment[] = {
	{ .name = "zone", .kind = CONF_TEXT, .max = NAME }, { .name = "internet", .kind = CONF_TRI },
	{ .name = "network", .kind = CONF_TEXT, .max = TEXT }, PROVENANCE, { 0 }
};

/* ---- how long ---- */

const char *const policy_long_keys_network_uses[] = { "permitted", "not_guaranteed", "ends", NULL };
const char *const policy_long_keys_legacy_states[] = { "unknown", "not_legacy", "presumed_legacy", "legacy", NULL };
static const struct conf_key lifecycle[] = {
	DATED("release", NULL), DATED("eol", "end of life"), DATED("eos", "end of support"),
	{ .name = "eol_estimated", .kind = CONF_BOOL, .doc = "the date is end of sale plus service life, not a notice" },
	DATED("eol_notified", "when the maker told"), DATED("eos_notified", "when the maker told"),
	{ .name = "legacy_state", .kind = CONF_WORD, .words = policy_long_keys_legacy_states, .doc = "said, never computed from age" },
	{ .name = "legacy_reason", .kind = CONF_TEXT, .max = TEXT },
	{ .name = "network_use_after_eos", .kind = CONF_WORD, .words = policy_long_keys_network_uses },
	DATED("network_use_ends", "noted end of use on a network"),
	{ .name = "components", .kind = CONF_LIST, .keys = software_item },
	PROVENANCE, { 0 }
};

/* ---- ports ---- */

const char *const policy_long_keys_completes[] = { "unknown", "partial", "exhaustive", NULL };
const char *const policy_long_keys_states[] = { "enabled", "disabled", "configurable", NULL };
const char *const policy_long_keys_initiators[] = { "device", "peer", "either", NULL };
const char *const policy_long_keys_listeners[] = { "device", "peer", NULL };
const char *const policy_long_keys_encryptions[] = { "none", "optional", "tls", "vpn", "conflict", NULL };
const char *const policy_long_keys_tls_versions[] = { "1.0", "1.1", "1.2", "1.3", NULL };
const char *const policy_long_keys_days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL };
static const char *const data_flows[] = { "in", "out", "both", NULL };
static const char *const dicom_roles[] = { "scu", "scp", "both", NULL };
static const char *const hl7_roles[] = { "sender", "receiver", "both", NULL };
static const char *const mllps[] = { "mllp", "mllps", "other", NULL };
static const char *const owners[] = { "manufacturer", "hospital", "dealer", "other", NULL };

static const struct conf_key port_value[] = {
	{ .name = "value", .kind = CONF_PORTS }, { .name = "range", .kind = CONF_PORTS },
	{ .name = "configurable", .kind = CONF_BOOL, .doc = "the hospital may choose another; it writes it into the inventory" },
	LIST("typical", ports_item),
	{ 0 }
};
ITEM(port_item, port_value);

static const struct conf_key sop_class[] = {
	{ .name = "uid", .kind = CONF_TEXT, .required = true, .min = 1, .max = 64 },
	{ .name = "role", .kind = CONF_WORD, .words = dicom_roles }, { .name = "name", .kind = CONF_TEXT }, { 0 }
};
static const struct conf_key sop_class_or_uid[] = {
	{ .name = "uid", .kind = CONF_TEXT, .min = 1, .max = 64 }, { .name = "map", .kind = CONF_MAP, .keys = sop_class }, { 0 }
};
static const struct conf_key sop_class_item[] = { { .name = "class", .kind = CONF_ONE_OF, .keys = sop_class_or_uid }, { 0 } };
static const struct conf_key app_dicom[] = {
	{ .name = "role", .kind = CONF_WORD, .words = dicom_roles, .doc = "of the device, for all SOP classes that name none" },
	{ .name = "calling_ae", .kind = CONF_ONE_OF, .keys = titles_or_one, .doc = "site: the hospital gives it" },
	{ .name = "called_ae", .kind = CONF_ONE_OF, .keys = titles_or_one },
	{ .name = "sop_classes", .kind = CONF_LIST, .keys = sop_class_item, .doc = "a UID ending in .* covers what is below it" },
	LIST("transfer_syntaxes", text_item),
	{ .name = "max_pdu", .kind = CONF_UINT }, { .name = "max_associations", .kind = CONF_UINT },
	{ .name = "impl_class_uid", .kind = CONF_ONE_OF, .keys = names_or_one },
	{ .name = "impl_version", .kind = CONF_ONE_OF, .keys = names_or_one },
	{ .name = "user_identity", .kind = CONF_TRI },
	PROVENANCE, { 0 }
};
static const struct conf_key app_hl7[] = {
	{ .name = "transport", .kind = CONF_WORD, .words = mllps }, { .name = "role", .kind = CONF_WORD, .words = hl7_roles },
	{ .name = "messages", .kind = CONF_ONE_OF, .keys = names_or_one, .doc = "ADT^A01, ADT for any event, *" },
	{ .name = "versions", .kind = CONF_ONE_OF, .keys = names_or_one, .doc = "MSH-12: 2.5, 2.5.1" },
	{ .name = "sending_app", .kind = CONF_ONE_OF, .keys = names_or_one, .doc = "MSH-3" },
	{ .name = "sending_fac", .kind = CONF_ONE_OF, .keys = names_or_one, .doc = "MSH-4" },
	{ .name = "receiving_app", .kind = CONF_ONE_OF, .keys = names_or_one, .doc = "MSH-5" },
	{ .name = "receiving_fac", .kind = CONF_ONE_OF, .keys = names_or_one, .doc = "MSH-6" },
	{ .name = "charset", .kind = CONF_ONE_OF, .keys = names_or_one, .doc = "MSH-18" },
	PROVENANCE, { 0 }
};
static const struct conf_key operation[] = {
	{ .name = "method", .kind = CONF_TEXT, .min = 1, .max = 16 }, { .name = "path", .kind = CONF_TEXT, .max = 256 },
	{ .name = "authenticated", .kind = CONF_TRI }, { .name = "function", .kind = CONF_TEXT }, { 0 }
};
ITEM(operation_item, operation);
static const struct conf_key app_http[] = {
	LIST("methods", name_item), LIST("path_prefix", text_item), LIST("host", text_item), LIST("operations", operation_item),
	PROVENANCE, { 0 }
};
static const struct conf_key tls_cert[] = {
	{ .name = "subject", .kind = CONF_TEXT }, { .name = "issuer", .kind = CONF_TEXT }, LIST("spki_sha256", text_item), { 0 }
};
static const struct conf_key tls[] = {
	{ .name = "min_version", .kind = CONF_WORD, .words = policy_long_keys_tls_versions },
	LIST("ciphers", text_item), LIST("sni", text_item), MAP("cert", tls_cert),
	{ .name = "client_certificate", .kind = CONF_TRI }, { .name = "profiles", .kind = CONF_ANY, .doc = "RFC 9761, as imported" },
	PROVENANCE, { 0 }
};
static const struct conf_key app[] = {
	{ .name = "protocol", .kind = CONF_TEXT, .required = true, .min = 1, .max = 24 },
	MAP("dicom", app_dicom), MAP("hl7", app_hl7), MAP("http", app_http), MAP("tls", tls),
	{ .name = "smb", .kind = CONF_ANY }, { .name = "dns", .kind = CONF_ANY }, { .name = "vendor", .kind = CONF_ANY },
	{ 0 }
};
static const struct conf_key encryption[] = {
	{ .name = "declared", .kind = CONF_WORD, .required = true, .words = policy_long_keys_encryptions },
	MAP("tls", tls), PROVENANCE, { 0 }
};
static const struct conf_key authentication[] = {
	{ .name = "node", .kind = CONF_TEXT, .doc = "none, ae-title, certificate, ..." },
	{ .name = "user", .kind = CONF_TEXT, .doc = "none, password, ..." }, PROVENANCE, { 0 }
};
static const struct conf_key peer[] = {
	{ .name = "role", .kind = CONF_TEXT, .min = 1, .max = NAME }, { .name = "cidr", .kind = CONF_PREFIX },
	{ .name = "ip", .kind = CONF_ADDR },
	{ .name = "fqdn", .kind = CONF_TEXT, .min = 1, .max = 253 }, { .name = "same_manufacturer", .kind = CONF_BOOL },
	{ .name = "local_networks", .kind = CONF_BOOL }, { .name = "any", .kind = CONF_BOOL },
	{ .name = "role_uri", .kind = CONF_TEXT, .doc = "controller of a MUD file" },
	{ .name = "max", .kind = CONF_UINT, .doc = "how many hosts of this role at most" },
	{ 0 }
};
ITEM(peer_item, peer);
static const struct conf_key limits[] = {
	{ .name = "max_session_s", .kind = CONF_UINT }, { .name = "max_idle_s", .kind = CONF_UINT },
	{ .name = "max_bytes_per_day", .kind = CONF_UINT }, { .name = "max_conn_per_min", .kind = CONF_UINT },
	{ .name = "max_assoc_per_min", .kind = CONF_UINT }, PROVENANCE, { 0 }
};
static const struct conf_key day_item[] = { { .name = "day", .kind = CONF_WORD, .words = policy_long_keys_days }, { 0 } };
static const struct conf_key span[] = {
	{ .name = "days", .kind = CONF_LIST, .keys = day_item, .doc = "absent: every day" },
	{ .name = "from", .kind = CONF_TEXT, .required = true, .min = 5, .max = 5, .doc = "\"20:00\", the site's time" },
	{ .name = "to", .kind = CONF_TEXT, .required = true, .min = 5, .max = 5, .doc = "before `from`: on the next day" },
	PROVENANCE, { 0 }
};
ITEM(span_item, span);
static const struct conf_key conflict[] = {
	{ .name = "field", .kind = CONF_TEXT, .required = true, .max = NAME },
	{ .name = "by", .kind = CONF_TEXT, .required = true, .max = NAME, .doc = "the document that says otherwise" },
	{ .name = "row", .kind = CONF_TEXT, .max = NAME },
	{ .name = "said", .kind = CONF_TEXT, .max = TEXT }, { .name = "kept", .kind = CONF_TEXT, .max = TEXT },
	{ .name = "why", .kind = CONF_TEXT, .max = TEXT },
	{ 0 }
};
ITEM(conflict_item, conflict);

static const struct conf_key port_keys[] = {
	{ .name = "id", .kind = CONF_TEXT, .required = true, .min = 1, .max = NAME },
	{ .name = "function", .kind = CONF_TEXT, .max = TEXT },
	{ .name = "required", .kind = CONF_BOOL, .doc = "false: the device does its work without it" },
	{ .name = "default_state", .kind = CONF_WORD, .words = policy_long_keys_states,
	  .doc = "disabled and configurable: off unless the inventory enables it" },
	{ .name = "transport", .kind = CONF_TEXT, .required = true, .max = 24, .doc = "tcp, udp, icmp, sctp, ip:N, eth:0xNNNN" },
	{ .name = "initiator", .kind = CONF_WORD, .required = true, .words = policy_long_keys_initiators,
	  .doc = "who opens the connection" },
	{ .name = "listen_on", .kind = CONF_WORD, .words = policy_long_keys_listeners, .doc = "whose port it is" },
	LIST("port", port_item), LIST("local_port", port_item),
	{ .name = "data_flow", .kind = CONF_WORD, .words = data_flows },
	MAP("app", app), MAP("encryption", encryption), MAP("authentication", authentication),
	{ .name = "phi", .kind = CONF_TRI },
	{ .name = "peers", .kind = CONF_LIST, .keys = peer_item, .required = true },
	{ .name = "max_peers", .kind = CONF_UINT, .min = 1, .max = 65535, .doc = "how many hosts at most, over all peers" },
	MAP("limits", limits),
	{ .name = "schedule", .kind = CONF_LIST, .keys = span_item, .doc = "when it may happen; absent: always" },
	{ .name = "one_way", .kind = CONF_BOOL, .doc = "a MUD rule without its counterpart" },
	{ .name = "responsibility", .kind = CONF_WORD, .words = owners },
	{ .name = "sources", .kind = CONF_LIST, .keys = name_item, .required = true, .min = 1, .doc = SOURCES_DOC },
	{ .name = "row", .kind = CONF_TEXT, .max = NAME },
	{ .name = "provenance", .kind = CONF_MAP_OF, .keys = provenance_item, .doc = "of single facts of this row, by their key" },
	LIST("conflicts", conflict_item),
	{ .name = "note", .kind = CONF_TEXT, .max = TEXT },
	{ .name = "extensions", .kind = CONF_ANY },
	{ 0 }
};
ITEM(ports_list, port_keys);

static const struct conf_key long_list[] = {
	{ .name = "completeness", .kind = CONF_WORD, .required = true, .words = policy_long_keys_completes },
	{ .name = "unused_ports_closed", .kind = CONF_TRI },
	PROVENANCE, { 0 }
};
static const struct conf_key claims[] = {
	{ .name = "external", .kind = CONF_MAP, .keys = claim, .doc = "talks to hosts outside the hospital (MDS2 CONN-4)" },
	{ .name = "unused_ports_closed", .kind = CONF_MAP, .keys = claim, .doc = "MDS2 SAHD-8" },
	{ .name = "encryption", .kind = CONF_MAP, .keys = claim, .doc = "personal data are encrypted on the way (MDS2 TXCF-2)" },
	{ .name = "remote_service", .kind = CONF_MAP, .keys = claim, .doc = "can be serviced from afar (MDS2 RMOT-1)" },
	{ 0 }
};

/* ---- around the ports ---- */

static const struct conf_key remote_service[] = {
	{ .name = "permitted", .kind = CONF_TRI }, LIST("peers", peer_item), LIST("ports", name_item),
	{ .name = "needs_ticket", .kind = CONF_BOOL }, { .name = "owner_initiates", .kind = CONF_TRI },
	{ .name = "indicator", .kind = CONF_TRI }, { .name = "phi_visible", .kind = CONF_TRI }, { .name = "vpn", .kind = CONF_TRI },
	LIST("mds2", name_item), PROVENANCE, { 0 }
};
static const struct conf_key updates[] = {
	{ .name = "remote", .kind = CONF_TRI }, { .name = "automatic", .kind = CONF_TRI }, LIST("by", name_item),
	LIST("peers", peer_item), LIST("ports", name_item), { .name = "signed", .kind = CONF_TRI },
	LIST("mds2", name_item), PROVENANCE, { 0 }
};
static const struct conf_key backup[] = {
	{ .name = "remote", .kind = CONF_TRI }, { .name = "media", .kind = CONF_TRI }, LIST("ports", name_item),
	LIST("peers", peer_item), { .name = "every", .kind = CONF_DURATION }, { .name = "procedure", .kind = CONF_TEXT, .max = TEXT },
	LIST("mds2", name_item), PROVENANCE, { 0 }
};
static const struct conf_key logging[] = {
	{ .name = "syslog", .kind = CONF_TRI }, { .name = "atna", .kind = CONF_TRI }, { .name = "encrypted", .kind = CONF_TRI },
	LIST("ports", name_item), LIST("peers", peer_item), LIST("mds2", name_item), PROVENANCE, { 0 }
};
static const struct conf_key hardening[] = {
	{ .name = "id", .kind = CONF_TEXT, .max = NAME }, { .name = "text", .kind = CONF_TEXT, .required = true, .max = TEXT },
	{ .name = "responsibility", .kind = CONF_WORD, .words = owners }, PROVENANCE, { 0 }
};
ITEM(hardening_item, hardening);
static const struct conf_key interface[] = {
	{ .name = "type", .kind = CONF_TEXT, .required = true, .min = 1, .max = NAME,
	  .doc = "ethernet, wifi, usb, serial, bluetooth, video, ..." },
	{ .name = "count", .kind = CONF_UINT }, { .name = "present", .kind = CONF_TRI }, { .name = "detail", .kind = CONF_TEXT },
	{ .name = "phi", .kind = CONF_TRI }, { .name = "lockable", .kind = CONF_TRI },
	{ .name = "monitorable", .kind = CONF_BOOL, .doc = "whether it shows on a mirrored port at all" },
	{ .name = "mds2", .kind = CONF_TEXT }, PROVENANCE, { 0 }
};
ITEM(interface_item, interface);

static const struct conf_key answer[] = {
	{ .name = "a", .kind = CONF_TEXT, .max = TEXT,
	  .doc = "yes, no, na, see_note, unknown, or the text of a question that asks for one" },
	{ .name = "note", .kind = CONF_TEXT, .max = TEXT },
	{ .name = "raw", .kind = CONF_TEXT, .max = TEXT, .doc = "as printed in the form, when `a` is not" },
	{ .name = "ref", .kind = CONF_TEXT, .doc = "as printed beside it: See Note 3" },
	{ 0 }
};
ITEM(answer_item, answer);
static const struct conf_key note_item[] = { { .name = "note", .kind = CONF_TEXT, .max = TEXT }, { 0 } };
static const struct conf_key answers[] = {
	{ .name = "form", .kind = CONF_TEXT, .doc = "HN 1-2019, HN 1-2013, JAHIS 24-005, ..." },
	LIST("sources", name_item),
	{ .name = "answers", .kind = CONF_MAP_OF, .keys = answer_item, .doc = "by the question's ID as printed" },
	{ .name = "notes", .kind = CONF_MAP_OF, .keys = note_item, .doc = "the form's notes, by number or name" },
	{ .name = "other", .kind = CONF_TEXT, .max = TEXT, .doc = "OTHR" },
	{ .name = "lint", .kind = CONF_ANY, .doc = "not read: spanward profile lint finds anew" },
	{ .name = "extensions", .kind = CONF_ANY },
	{ 0 }
};

static const char *const effects[] = { "asserted", "failed", NULL };
static const struct conf_key control[] = {
	{ .name = "id", .kind = CONF_TEXT, .required = true, .min = 1, .max = NAME },
	{ .name = "kind", .kind = CONF_TEXT, .doc = "firewall, gateway, segment, ..." },
	{ .name = "make", .kind = CONF_TEXT }, { .name = "model", .kind = CONF_TEXT },
	{ .name = "spec", .kind = CONF_TEXT, .max = TEXT }, { .name = "config", .kind = CONF_TEXT, .max = TEXT },
	{ .name = "config_sha256", .kind = CONF_TEXT },
	{ .name = "protects", .kind = CONF_LIST, .keys = name_item, .doc = "rows; absent: the device as a whole" },
	{ .name = "permits", .kind = CONF_LIST, .keys = peer_item, .doc = "whom it lets through to them; absent: the rows' own peers" },
	{ .name = "designated_by", .kind = CONF_WORD, .words = owners },
	{ .name = "document", .kind = CONF_TEXT },
	{ .name = "effective", .kind = CONF_WORD, .words = effects, .doc = "what papers say; what was seen is an event" },
	DATED("valid_from", NULL), DATED("valid_until", NULL),
	PROVENANCE, { 0 }
};
ITEM(control_item, control);

static const struct conf_key sbom[] = {
	{ .name = "format", .kind = CONF_TEXT }, { .name = "version", .kind = CONF_TEXT }, { .name = "file", .kind = CONF_TEXT },
	{ .name = "url", .kind = CONF_TEXT }, { .name = "sha256", .kind = CONF_TEXT }, { .name = "covers", .kind = CONF_TEXT },
	{ .name = "date", .kind = CONF_DATE }, PROVENANCE, { 0 }
};
ITEM(sbom_item, sbom);
static const char *const vexes[] = { "not_affected", "affected", "fixed", "under_investigation", "no_statement", NULL };
static const struct conf_key rubric_item[] = { { .name = "value", .kind = CONF_TEXT }, { 0 } };
static const struct conf_key score[] = {
	{ .name = "base", .kind = CONF_TEXT }, { .name = "rescored", .kind = CONF_TEXT },
	{ .name = "rubric", .kind = CONF_MAP_OF, .keys = rubric_item, .doc = "MITRE's rubric for medical devices, as answered" },
	{ .name = "by", .kind = CONF_TEXT }, { .name = "on", .kind = CONF_DATE }, { 0 }
};
ITEM(score_item, score);
static const struct conf_key score_or_list[] = {
	{ .name = "one", .kind = CONF_MAP, .keys = score },
	{ .name = "list", .kind = CONF_LIST, .keys = score_item, .doc = "oldest first" },
	{ 0 }
};
static const struct conf_key advisory[] = {
	{ .name = "id", .kind = CONF_TEXT, .required = true, .min = 1, .max = NAME },
	LIST("cve", name_item), { .name = "revision", .kind = CONF_TEXT }, { .name = "url", .kind = CONF_TEXT },
	{ .name = "versions", .kind = CONF_TEXT }, { .name = "component", .kind = CONF_TEXT },
	{ .name = "vex", .kind = CONF_WORD, .words = vexes }, { .name = "justification", .kind = CONF_TEXT, .max = TEXT },
	{ .name = "cvss", .kind = CONF_ONE_OF, .keys = score_or_list },
	{ .name = "published", .kind = CONF_DATE }, { .name = "patch_due", .kind = CONF_DATE },
	{ .name = "patch", .kind = CONF_TRI }, { .name = "mitigation", .kind = CONF_TEXT, .max = TEXT },
	{ .name = "exploited", .kind = CONF_TRI },
	PROVENANCE, { 0 }
};
ITEM(advisory_item, advisory);
static const struct conf_key paper[] = {
	{ .name = "id", .kind = CONF_TEXT }, { .name = "revision", .kind = CONF_TEXT }, { .name = "date", .kind = CONF_DATE },
	{ .name = "file", .kind = CONF_TEXT }, { .name = "url", .kind = CONF_TEXT }, { .name = "sha256", .kind = CONF_TEXT },
	{ .name = "missing", .kind = CONF_BOOL, .doc = "asked for and not given" }, PROVENANCE, { 0 }
};
ITEM(paper_item, paper);
static const struct conf_key signature[] = {
	{ .name = "alg", .kind = CONF_TEXT }, { .name = "key_id", .kind = CONF_TEXT }, { .name = "value", .kind = CONF_TEXT }, { 0 }
};

static const char *const kinds[] = { "device-type", NULL };
const struct conf_key policy_long_keys[] = {
	{ .name = "format", .kind = CONF_TEXT, .doc = "spanward/1" },
	{ .name = "schema", .kind = CONF_TEXT, .doc = "older name of format" },
	{ .name = "kind", .kind = CONF_WORD, .required = true, .words = kinds },
	{ .name = "id", .kind = CONF_TEXT, .required = true, .min = 1, .max = NAME },
	{ .name = "revision", .kind = CONF_TEXT, .required = true, .max = POLICY_KEYS_REVISION, .doc = "of this file" },
	{ .name = "declared_on", .kind = CONF_DATE },
	{ .name = "sources", .kind = CONF_LIST, .keys = source_item, .required = true, .min = 1 },
	{ .name = "manufacturer", .kind = CONF_MAP, .keys = manufacturer, .required = true },
	{ .name = "model", .kind = CONF_MAP, .keys = model_keys, .required = true },
	MAP("identify", identify), MAP("clinical", clinical), MAP("intended_environment", environment),
	MAP("lifecycle", lifecycle),
	{ .name = "port_list", .kind = CONF_MAP, .keys = long_list, .required = true },
	MAP("claims", claims),
	{ .name = "ports", .kind = CONF_LIST, .keys = ports_list, .required = true },
	{ .name = "deny", .kind = CONF_ANY, .doc = "rules of a MUD file that drop" },
	LIST("infrastructure", name_item),
	MAP("remote_service", remote_service), MAP("updates", updates), MAP("backup", backup), MAP("logging", logging),
	LIST("hardening", hardening_item), LIST("interfaces", interface_item),
	MAP("mds2", answers), MAP("mds_jahis", answers),
	LIST("compensating_controls", control_item), LIST("sbom", sbom_item), LIST("advisories", advisory_item),
	{ .name = "documents", .kind = CONF_MAP_OF, .keys = paper_item, .doc = "diagram, ifu, hardening_guide, ..." },
	{ .name = "conflicts", .kind = CONF_LIST, .keys = conflict_item, .doc = "between documents, of no single row" },
	MAP("signature", signature),
	{ .name = "note", .kind = CONF_TEXT, .max = TEXT },
	{ .name = "extensions", .kind = CONF_ANY, .doc = "what an importer understood nothing of, as it stood" },
	{ 0 }
};
