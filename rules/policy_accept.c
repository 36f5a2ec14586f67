#include "rules/policy_accept.h"

#include "core/buf.h"
#include "core/siphash.h"
#include "rules/policy_judge.h"

uint64_t policy_accept_key(struct span rule, struct span device, struct span peer, unsigned transport, int port)
{
	/* The operator chooses what is in the table; a packet can only be looked up. */
	static const struct siphash_key key = { 0x616363657074, 0x616e636573 };
	const struct span parts[] = { rule, device, peer };
	uint8_t mem[512];
	struct buf b = buf_over(mem, sizeof(mem));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)buf_u16be(&b, (uint16_t)parts[i].n);
		(void)buf_put(&b, parts[i].p, parts[i].n);
	}
	(void)buf_u8(&b, (uint8_t)transport);
	(void)buf_u32be(&b, (uint32_t)port);
	return siphash_13(&key, b.data, b.len);
}

bool policy_accept_find(const struct policy *p, const struct event *e, struct span *ret_id)
{
	const struct policy_acceptance *a = POLICY_TABLE_SECTION(p, ACCEPTS, struct policy_acceptance);
	uint32_t lo = 0, hi = POLICY_TABLE_COUNT(p, ACCEPTS), n = hi;
	if (!n)
		return false;
	struct span peer = event_has(e, EVENT_F_peer_class) ? e->peer_class : (struct span){ 0 };
	uint64_t key = policy_accept_key(e->rule, e->device, peer, event_has(e, EVENT_F_transport) ? (unsigned)e->transport : 0xff,
					 event_has(e, EVENT_F_port) ? (int)e->port : -1);
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (a[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < n && a[lo].key == key; lo++)
		if (a[lo].from_ns <= e->ts && e->ts < a[lo].until_ns) {
			*ret_id = policy_judge_text(p, a[lo].id);
			return true;
		}
	return false;
}
