#include "sensor/checksum.h"

#include "sensor/decode.h"

/* RFC 9293, 3.1 and RFC 768; RFC 8200, 8.1. */
enum checksum checksum_of(const struct decode *d)
{
	if (d->truncated || d->ip_bytes > CHECKSUM_MAX || !d->segment.n || (d->kind == DECODE_UDP && !d->checksum))
		return CHECKSUM_NONE;
	bool v4 = addr_is_v4(&d->src);
	uint8_t rest[8] = { 0, 0, (uint8_t)(d->segment.n >> 8), (uint8_t)d->segment.n, [7] = d->kind == DECODE_TCP ? 6 : 17 };
	uint64_t sum = checksum_add(0, (struct span){ d->src.b + (v4 ? 12 : 0), v4 ? 4 : 16 });
	sum = checksum_add(sum, (struct span){ d->dst.b + (v4 ? 12 : 0), v4 ? 4 : 16 });
	sum = checksum_add(sum, (struct span){ rest, sizeof(rest) });
	if (checksum_fold(checksum_add(sum, d->segment)) == 0xffff)
		return CHECKSUM_RIGHT;
	const uint8_t left[2] = { (uint8_t)(d->checksum >> 8), (uint8_t)d->checksum };
	uint16_t field;
	memcpy(&field, left, sizeof(field));
	return field == checksum_fold(sum) ? CHECKSUM_OFFLOADED : CHECKSUM_WRONG;
}
