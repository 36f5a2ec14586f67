/* checksum.h -- the Internet checksum (RFC 1071), and what a wrong one means.
 *
 * Where the capture is made beside or on the sender, a packet is seen before the network card has filled in its
 * checksum. So a wrong one says nothing by itself. The rule, per direction of a flow:
 *   - the sum of the pseudo-header alone, not complemented, is what the systems leave for their cards to complete:
 *     offloaded, never wrong; so is an IPv4 header's sum of 0;
 *   - IP packets longer than 1,500 bytes may have been put together by a card or cut by one later: not judged;
 *   - a sender that has shown a right one with payload is a sender whose right ones we see: a wrong one of his is then
 *     damage or an insertion that no receiver takes, and it does not enter the stream; a bare SYN shows nothing: edited
 *     (anonymised) captures have right ones where nothing was edited;
 *   - a sender that has not is believed: always wrong in the same way means offloaded, or an edited capture.
 * The IPv4 header's is looked at in every packet, TCP's and UDP's where somebody reads what is covered: on SYNs, and on
 * payload that is looked at by a recogniser or dissector. What is only counted, or skipped as pixels are, is not summed up.
 */
#ifndef SENSOR_CHECKSUM_H
#define SENSOR_CHECKSUM_H

#include <string.h>

#include "core/bytes.h"
#include "core/cursor.h"

enum checksum { CHECKSUM_RIGHT, CHECKSUM_WRONG, CHECKSUM_OFFLOADED, CHECKSUM_NONE /* none sent, or not to be judged */ };

/* Longest that is judged: what crosses Ethernet without jumbo frames. */
enum { CHECKSUM_MAX = 1500 };

/* In the machine's byte order. */
static inline uint64_t checksum_word(const uint8_t *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof(w));
	return w;
}

/* Adds bytes to a sum, in the machine's byte order: a sum of all ones is the same in both. `s` begins at an even
 * place of what is summed. */
static inline uint64_t checksum_add(uint64_t sum, struct span s)
{
	/* Sixty-four bits at a time, what overflows counted beside: 2^64 is 1 here, as 2^16 is. Two sums, for neither to wait; the
	 * form is one that compilers make an addition with carry of. */
	uint64_t even = 0, odd = 0, over = 0;
	const uint8_t *p = s.p;
	size_t n = s.n;
	for (; n >= 32; n -= 32, p += 32) {
		uint64_t a = checksum_word(p), b = checksum_word(p + 8), c = checksum_word(p + 16), d = checksum_word(p + 24);
		even += a;
		over += even < a;
		odd += b;
		over += odd < b;
		even += c;
		over += even < c;
		odd += d;
		over += odd < d;
	}
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t a = checksum_word(p);
		even += a;
		over += even < a;
	}
	if (n) {
		uint64_t a = 0;
		if (s.n >= 8)                   /* the last eight, without those that were added */
			a = htole64(bytes_load(p + n - 8) >> (8 * (8 - n)));
		else
			memcpy(&a, p, n);
		odd += a;
		over += odd < a;
	}
	/* Room for more sums to come. */
	return sum + over + (even >> 32) + (uint32_t)even + (odd >> 32) + (uint32_t)odd;
}

static inline uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

struct decode;

/* Of the TCP or UDP packet *d. */
enum checksum checksum_of(const struct decode *d);

#endif
