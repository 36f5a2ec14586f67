/* policy_table.h -- the layout of a compiled policy: what policy_compile.c writes and policy.c reads in place.
 *
 * A head, then sections of fixed-size records; records name each other by index and texts by offset, so the
 * bytes mean the same wherever they are mapped. Numbers are the host's own: the table is made and read on one
 * machine and never stored. policy_open() tests every index and offset once; lookups trust them afterwards.
 */
#ifndef RULES_POLICY_TABLE_H
#define RULES_POLICY_TABLE_H

#include "core/addr.h"
#include "rules/policy.h"

enum {
	POLICY_TABLE_VERSION = 4,
	POLICY_TABLE_ALIGN = 8,
	POLICY_TABLE_MAX_BYTES = 512 << 20,     /* 10,000 units with 60 rows of their own are 30 MiB */
	POLICY_TABLE_MAX_ROLES = 64,            /* a bit each in a row and in an address's entry */
	POLICY_TABLE_MAX_PROBES = 32,           /* of a hash table; the compiler grows it until this holds */
	POLICY_TABLE_AE = 16,                   /* PS3.5 6.2: an AE title has at most 16 characters */
};

/* Transports as in observations; ANY only in a site's forbid rows. */
enum { POLICY_TABLE_ANY_TRANSPORT = 0xff };

enum policy_side {
	POLICY_SIDE_OUT,                /* the device opens to a port of the peer (hasshin) */
	POLICY_SIDE_IN,                 /* the peer opens to a port of the device (chakushin) */
};

/* Protocols that a row may declare. */
enum policy_proto {
#define POLICY_PROTO_LIST(X)                                                                                   \
	X(TCP, "tcp", TCP, NO, 0)               /* any protocol over it */                                     \
	X(UDP, "udp", UDP, NO, 0)                                                                              \
	X(DICOM, "dicom", TCP, NO, 1)                                                                          \
	X(DICOM_TLS, "dicom-tls", TCP, YES, 1)                                                                 \
	X(HL7, "hl7", TCP, NO, 1)                                                                              \
	X(HL7_TLS, "hl7-tls", TCP, YES, 1)                                                                     \
	X(HTTP, "http", TCP, NO, 1)                                                                            \
	X(HTTPS, "https", TCP, YES, 1)                                                                         \
	X(TLS, "tls", TCP, YES, 0)              /* something inside TLS */                                     \
	X(SSH, "ssh", TCP, NO, 1)                                                                              \
	X(TELNET, "telnet", TCP, NO, 0)                                                                        \
	X(FTP, "ftp", TCP, NO, 0)                                                                              \
	X(SMB, "smb", TCP, NO, 0)                                                                              \
	X(RDP, "rdp", TCP, NO, 0)                                                                              \
	X(VNC, "vnc", TCP, NO, 0)                                                                              \
	X(LDAP, "ldap", TCP, NO, 0)                                                                            \
	X(LDAPS, "ldaps", TCP, YES, 0)                                                                         \
	X(SMTP, "smtp", TCP, NO, 0)                                                                            \
	X(SQL, "sql", TCP, NO, 0)               /* a database of any maker */                                  \
	X(PRINT, "print", TCP, NO, 0)                                                                          \
	X(NFS, "nfs", TCP, NO, 0)                                                                              \
	X(KERBEROS, "kerberos", TCP, NO, 0)                                                                    \
	X(VENDOR, "vendor", TCP, NO, 0)         /* the maker's own */                                          \
	X(SYSLOG_TLS, "syslog-tls", TCP, YES, 0)                                                               \
	X(SYSLOG, "syslog", UDP, NO, 0)                                                                        \
	X(NTP, "ntp", UDP, NO, 0)                                                                              \
	X(DNS, "dns", UDP, NO, 0)                                                                              \
	X(DHCP, "dhcp", UDP, NO, 0)                                                                            \
	X(SNMP, "snmp", UDP, NO, 0)                                                                            \
	X(TFTP, "tftp", UDP, NO, 0)                                                                            \
	X(MDNS, "mdns", UDP, NO, 0)                                                                            \
	X(RADIUS, "radius", UDP, NO, 0)                                                                        \
	X(ICMP, "icmp", ICMP, NO, 0)
#define X(SYM, ...) POLICY_PROTO_##SYM,
	POLICY_PROTO_LIST(X)
#undef X
	POLICY_PROTOS
};

enum policy_tls { POLICY_TLS_NO, POLICY_TLS_YES, POLICY_TLS_OPTIONAL };
enum policy_tls_version { POLICY_TLS_UNSAID, POLICY_TLS_1_0, POLICY_TLS_1_1, POLICY_TLS_1_2, POLICY_TLS_1_3 };
enum policy_dicom_role { POLICY_DICOM_UNSAID, POLICY_DICOM_SCU, POLICY_DICOM_SCP, POLICY_DICOM_BOTH };
enum policy_complete { POLICY_COMPLETE_UNKNOWN, POLICY_COMPLETE_PARTIAL, POLICY_COMPLETE_EXHAUSTIVE };
/* UNSAID: before defaults are applied, never in a table. */
enum policy_mode { POLICY_MODE_ALERT, POLICY_MODE_REPORT, POLICY_MODE_LEARN, POLICY_MODE_UNSAID };

enum policy_row_flag {
	POLICY_ROW_OFF = 1,             /* optional or disabled by the maker, and not enabled in the inventory */
	POLICY_ROW_ANY = 2,             /* any peer */
	POLICY_ROW_LOCAL = 4,           /* any peer inside local_networks */
	POLICY_ROW_NAME = 8,            /* a peer given by host name: whether it fits cannot be said */
	POLICY_ROW_MAKER = 16,          /* units of the same maker */
	POLICY_ROW_CLEAR = 32,          /* says itself that it is not encrypted */
};

/* What a row constrains in messages: runs of words, one after the other from words_first. */
enum policy_words {
	POLICY_W_TYPES,                 /* HL7 message types */
	POLICY_W_SENDING_APPS, POLICY_W_SENDING_FACS, POLICY_W_RECEIVING_APPS, POLICY_W_RECEIVING_FACS, POLICY_W_VERSIONS,
	POLICY_W_SOPS,                  /* a digit (enum policy_dicom_role) and a UID, or the head of one and .* */
	POLICY_W_CALLED,                /* AE titles that the device calls */
	POLICY_WORDS
};

enum policy_end_kind {                  /* of a forbid row */
	POLICY_END_ANY, POLICY_END_ZONE, POLICY_END_ROLE, POLICY_END_INTERNET, POLICY_END_UNIT, POLICY_END_TYPE,
	POLICY_END_KINDS
};

enum policy_section {
	POLICY_S_TEXT,                  /* bytes */
	POLICY_S_DEVICES, POLICY_S_TYPES, POLICY_S_ROWSETS, POLICY_S_ROWS, POLICY_S_KEYS, POLICY_S_PREFIXES,
	POLICY_S_WORDS,
	POLICY_S_SLOTS, POLICY_S_MACS, POLICY_S_INFOS, POLICY_S_RANGES, POLICY_S_VLANS, POLICY_S_AES,
	POLICY_S_FORBIDS, POLICY_S_CITES, POLICY_S_ROLES, POLICY_S_ZONES,
	POLICY_S_MORES, POLICY_S_LIMITS, POLICY_S_SPANS, POLICY_S_WINDOWS, POLICY_S_CONTROLS,
	POLICY_S_ACCEPTS, POLICY_S_MARKS,
	POLICY_SECTIONS
};

struct policy {
	uint8_t magic[8];
	uint32_t version, size;
	uint32_t cite_inventory;        /* the register as a whole; POLICY_NONE without one */
	uint32_t titles;                /* 1: somebody declared AE titles, so an unknown one means something */
	uint32_t by_mac;                /* 1: some unit is selected by hardware address alone */
	int32_t utc_offset_min;         /* of the site's clocks */
	struct { uint32_t at, n; } s[POLICY_SECTIONS];
};

struct policy_text { uint32_t at, n; };

struct policy_unit {                    /* POLICY_S_DEVICES */
	struct policy_text id, location;
	uint32_t type, rowset;          /* POLICY_NONE: a unit nobody described */
	uint32_t zone, cite;
	uint8_t mode;
	uint8_t by_mac;                 /* selected by hardware address alone somewhere: unseen where no MAC is known */
	uint8_t titles;                 /* the inventory gives it an AE title */
	uint8_t behind;                 /* a router or the like: seen with the hardware address of another */
	uint32_t marks;                 /* bits of enum policy_mark_kind: what the inventory says that it says of itself */
	uint64_t mode_until_ns;         /* 0: no end; from then on it is alert */
	uint64_t network_ends_ns;       /* noted end of use on the network, 0: none */
};

struct policy_type {
	struct policy_text id, maker, model, psirt;
	uint32_t maker_group;           /* equal for types of one maker */
	uint32_t cite_list;             /* the port list; POLICY_NONE when no document is one */
	uint32_t cite_unused;           /* "unused ports are closed: yes" */
	uint32_t cite_external;
	uint8_t complete;               /* enum policy_complete */
	uint8_t external;               /* enum conf_tri: talks outside the hospital */
	uint8_t eol_estimated;
	uint8_t unsure_after_support;   /* network use after the end of support is not guaranteed */
	uint32_t cite_encrypted;        /* "what is sent is encrypted: yes" */
	uint32_t cite_no_remote;        /* "remote service: no" */
	uint32_t control;               /* of the device as a whole; POLICY_NONE */
	uint32_t cite_eol, cite_eos, cite_ends;
	uint64_t eol_ns, eos_ns, ends_ns;       /* 0: not said */
};

struct policy_rowset { uint32_t first, n; };    /* rows sorted by (transport, side, lo, hi) */

struct policy_row {                     /* what every check reads: forty bytes */
	uint64_t roles;
	uint32_t cite;
	uint32_t prefix_first;
	uint32_t more;                  /* POLICY_NONE: a built-in row */
	uint16_t prefix_n;
	uint16_t lo, hi;
	uint16_t max_hi;                /* greatest hi of this and the rows before it with its transport and side */
	uint8_t transport, side, proto, tls, flags;
	uint8_t pad[3];
};

struct policy_more {                    /* what is asked of a row once it was found; one for all units of the type */
	struct policy_text id;
	uint32_t words_first;
	uint32_t limits;                /* POLICY_NONE: none */
	uint32_t control;               /* that protects it; POLICY_NONE */
	uint16_t words_n[POLICY_WORDS]; /* 0: not constrained */
	uint16_t max_peers;             /* 0: not said */
	uint8_t tls_min;                /* enum policy_tls_version */
	uint8_t role;                   /* enum policy_dicom_role */
};

struct policy_limit {                   /* of a row; 0: not said */
	uint64_t session_ns, bytes_day;
	uint32_t conns_min, associations_min;
	uint32_t cite;
	uint32_t span_first, span_n;    /* its schedule */
	uint32_t idle_s;
};

struct policy_hours { uint16_t from, to; uint8_t days, pad[3]; };      /* POLICY_S_SPANS: minutes; to <= from: overnight */

struct policy_window {                  /* of the site; ascending by from_ns */
	uint64_t from_ns, to_ns, roles; /* roles 0: whoever */
	uint32_t device;                /* POLICY_NONE: all */
	uint32_t cite;
	uint32_t exercise, pad;
};

struct policy_mark_record { uint64_t key; uint32_t device, kind; };     /* ascending by key; rules/policy_mark.h */

struct policy_acceptance {              /* of one finding, for a time; ascending by key */
	uint64_t key;                   /* rules/policy_accept.h */
	uint64_t from_ns, until_ns;
	struct policy_text id;          /* of the alert */
};

struct policy_control {                 /* a compensating control */
	uint64_t from_ns, until_ns;     /* 0: open */
	uint64_t roles;                 /* whom it lets through */
	uint32_t cite;
	uint32_t prefix_first;
	uint16_t prefix_n;
	uint8_t by_maker;
	uint8_t flags;                  /* enum policy_row_flag: ANY, LOCAL */
	uint8_t own_peers;              /* 1: lets through whom the rows name */
	uint8_t pad[3];
};

/* POLICY_S_KEYS: one per row, at the row's index: the search reads sixty of these in four cache lines. */
static inline uint32_t policy_table_key(uint8_t transport, uint8_t side, uint16_t port)
{
	return (uint32_t)transport << 17 | (uint32_t)(side & 1) << 16 | port;
}

struct policy_slot {                    /* POLICY_S_SLOTS: open addressing by address, a power of two */
	uint8_t ip[16];
	uint8_t mac[6];                 /* zero: not asked for */
	uint16_t vlan;                  /* 0: not asked for */
	uint32_t device;                /* POLICY_NONE: an address with a role or a zone only */
	uint32_t info;                  /* POLICY_NONE: an empty slot */
};

struct policy_mac_slot { uint8_t mac[6]; uint16_t vlan; uint32_t device; };      /* POLICY_NONE: empty */

struct policy_info {                    /* what the site says of an address */
	uint64_t roles;
	uint32_t role, zone;            /* the first role; POLICY_NONE */
	uint32_t local;
	uint32_t pad;
};

struct policy_range { uint8_t lo[16], hi[16]; uint32_t info, pad; };    /* disjoint, ascending */

struct policy_vlan { uint32_t vlan, zone; };                            /* ascending */

struct policy_ae {                      /* ascending by title, spaces trimmed, padded with NUL */
	uint8_t title[POLICY_TABLE_AE];
	uint64_t roles;                 /* site roles whose entries give this title */
	uint32_t device;                /* POLICY_NONE: none, or several */
	uint32_t several;
};

struct policy_forbid {
	uint32_t from, to, cite;        /* index of zone, role, unit or type */
	uint8_t from_kind, to_kind, transport;
	uint8_t when_unsaid;            /* a zone's `internet: no`: speaks where the device's documents do not */
	uint16_t lo, hi;
};

struct policy_cite_rec {
	struct policy_text document, revision, row, said;
	uint32_t authority;
};

struct policy_role {
	struct policy_text name;
	uint32_t cite;
	uint32_t titles;                /* its entries give AE titles: a DICOM role */
};

struct policy_zone { struct policy_text name; };

/* Where the hash tables look first. The keys are the operator's, so no secret is needed: an attacker's
 * address can only be looked up, never inserted. */
static inline uint32_t policy_table_mix(uint64_t x)
{
	x ^= x >> 31;
	x *= UINT64_C(0x9e3779b97f4a7c15);
	x ^= x >> 29;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(x >> 32);
}

/* A section as an array. Only of a table whose sections have been tested (policy_open) or that we made; it is
 * aligned, and nothing that came from a packet is ever read this way. */
#define POLICY_TABLE_SECTION(p, sec, type) \
	((const type *)(const void *)((const uint8_t *)(p) + (p)->s[POLICY_S_##sec].at))
#define POLICY_TABLE_COUNT(p, sec) ((p)->s[POLICY_S_##sec].n)

size_t policy_record_size(unsigned section);
/* The records of a table whose sections lie inside it. */
bool policy_verify_records(const struct policy *p);
void policy_head(struct policy *p);             /* magic and version */
uint32_t policy_hash_addr(const uint8_t ip[static 16]);
uint32_t policy_hash_mac(const uint8_t mac[static 6]);

/* By index; the protocol's name, transport and whether TLS is what it says. NULL past the end. */
const char *policy_proto_name(unsigned proto);
unsigned policy_proto_transport(unsigned proto);
enum policy_tls policy_proto_tls(unsigned proto);
bool policy_proto_probed(unsigned proto);       /* the sensor knows it by content, so "unknown" is not it */
unsigned policy_proto_base(unsigned proto);     /* the protocol inside the TLS */
int policy_proto_find(struct span name);        /* -1 */

#endif
