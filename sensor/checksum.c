#include "sensor/checksum.h"

#include "sensor/decode.h"

/* RFC 9293, 3.1 and RFC 768; RFC 8200, 8.1. */
enum checksum checksum_of(const struct decode *d)
{
	if (d->truncated || d->ip_bytes > CHECKSUM_MAX || !d->segment.n || (d->kind == DECODE_UDP && !d->checksum))
		return CHECKSUM_NONE;
	/* The pseudo-header. Addresses of IPv4 are mapped (core/addr.h): what stands before them adds up to nothing, twice. */
	uint64_t ip[4], sum = (uint64_t)htobe16((uint16_t)d->segment.n) + htobe16(d->kind == DECODE_TCP ? 6 : 17);
	memcpy(ip, d->src.b, sizeof(d->src.b));
	memcpy(ip + 2, d->dst.b, sizeof(d->dst.b));
	for (int i = 0; i < 4; i++)
		sum += (ip[i] >> 32) + (uint32_t)ip[i];
	if (checksum_fold(checksum_add(sum, d->segment)) == 0xffff)
		return CHECKSUM_RIGHT;
	return htobe16(d->checksum) == checksum_fold(sum) ? CHECKSUM_OFFLOADED : CHECKSUM_WRONG;
}
