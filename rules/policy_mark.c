#include "rules/policy_mark.h"

#include <string.h>

#include "core/siphash.h"
#include "rules/policy_table.h"

uint64_t policy_mark_key(enum policy_mark_kind kind, struct span value)
{
	/* The operator chooses what is in the table; a packet can only be looked up. */
	static const struct siphash_key key = { 0x6d61726b73, 1 };
	uint8_t mem[256];
	size_t n = 0;
	if (kind == POLICY_MARK_CERTIFICATE && value.n > 7 && !memcmp(value.p, "sha256:", 7))
		value = span_from(value, 7);
	for (size_t i = 0; i < value.n && n < sizeof(mem) - 1; i++) {
		uint8_t c = value.p[i];
		if (kind == POLICY_MARK_HOSTNAME && c == '.')
			break;
		if (kind == POLICY_MARK_CERTIFICATE && (c == ':' || c == ' '))
			continue;
		mem[n++] = kind != POLICY_MARK_HL7_APP && c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
	}
	if (!n)
		return 0;
	mem[n++] = (uint8_t)kind;
	uint64_t h = siphash_13(&key, mem, n);
	return h ? h : 1;
}

enum policy_mark policy_mark(const struct policy *p, uint32_t device, enum policy_mark_kind kind, struct span value, uint32_t *ret_unit,
			     uint32_t *ret_cite)
{
	const struct policy_mark_record *m = POLICY_TABLE_SECTION(p, MARKS, struct policy_mark_record);
	const struct policy_unit *units = POLICY_TABLE_SECTION(p, DEVICES, struct policy_unit);
	uint32_t lo = 0, n = POLICY_TABLE_COUNT(p, MARKS), hi = n, owner = POLICY_NONE;
	*ret_unit = *ret_cite = POLICY_NONE;
	uint64_t key = n ? policy_mark_key(kind, value) : 0;
	if (!key)
		return POLICY_MARK_UNSAID;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (m[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < n && m[lo].key == key; lo++) {
		if (m[lo].device == device)
			return POLICY_MARK_FITS;
		owner = m[lo].device;
	}
	bool own = device < POLICY_TABLE_COUNT(p, DEVICES) && units[device].marks >> kind & 1;
	if (owner != POLICY_NONE && kind != POLICY_MARK_HL7_APP) {
		*ret_unit = owner;
		*ret_cite = units[owner].cite;
		return POLICY_MARK_ANOTHERS;
	}
	if (!own)
		return POLICY_MARK_UNSAID;
	*ret_unit = device;
	*ret_cite = units[device].cite;
	return POLICY_MARK_DIFFERS;
}

bool policy_mark_any(const struct policy *p) { return POLICY_TABLE_COUNT(p, MARKS) != 0; }
