#include "sensor/checksum.h"

#include "sensor/decode.h"

static inline uint64_t add_word(uint64_t sum, uint64_t w) { return sum + (w >> 32) + (uint32_t)w; }

/* RFC 9293, 3.1 and RFC 768; RFC 8200, 8.1. */
enum checksum checksum_of(const struct decode *d)
{
	if (d->truncated || d->ip_bytes > CHECKSUM_MAX || !d->segment.n || (d->kind == DECODE_UDP && !d->checksum))
		return CHECKSUM_NONE;
	/* The pseudo-header. Addresses of IPv4 are mapped (core/addr.h): what stands before them adds up to nothing, twice. */
	uint64_t sum = (uint64_t)htobe16((uint16_t)d->segment.n) + htobe16(d->kind == DECODE_TCP ? 6 : 17);
	sum = add_word(add_word(sum, checksum_word(d->src.b)), checksum_word(d->src.b + 8));
	sum = add_word(add_word(sum, checksum_word(d->dst.b)), checksum_word(d->dst.b + 8));
	if (checksum_fold(checksum_add(sum, d->segment)) == 0xffff)
		return CHECKSUM_RIGHT;
	return htobe16(d->checksum) == checksum_fold(sum) ? CHECKSUM_OFFLOADED : CHECKSUM_WRONG;
}
