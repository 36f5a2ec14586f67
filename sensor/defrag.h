/* defrag.h -- IP fragments put together again, before anybody asks for ports.
 *
 * One thread, in packet order, at packet time: the outcome depends on the fragments alone, not on the number of workers.
 * All memory is taken by defrag_new: `datagrams` of 64 KiB each, of which pages are touched as bytes come in. When they are
 * all in use the one begun first is given up: a datagram's fragments follow each other within milliseconds, so who floods
 * with first halves displaces other halves.
 *
 * Overlaps. IPv6: a datagram whose fragments overlap is discarded, with what still comes of it (RFC 5722, 4; RFC 8200, 4.5).
 * IPv4 leaves it to the host: the first copy of a byte wins here, and a later copy that differs is a conflict. An exact
 * copy of what is there already is no overlap in either (RFC 8200 allows that; mirrors of two ports deliver everything twice).
 *
 * Every fragment ends in exactly one counter of the ledger `fragments`. The one that completes a datagram counts among
 * the packets as what the datagram is, the others as ip_fragments.
 */
#ifndef SENSOR_DEFRAG_H
#define SENSOR_DEFRAG_H

#include "core/siphash.h"
#include "sensor/decode.h"

/* How long a datagram waits for its fragments: RFC 8200, 4.5; half of that for IPv4 as hosts do (Linux ipfrag_time). */
#define DEFRAG_V6_NS UINT64_C(60000000000)
#define DEFRAG_V4_NS UINT64_C(30000000000)
/* How long a copy of a fragment may come after its datagram is whole: a mirror's second port is microseconds late, and
 * IPv4 identifications come round again after 65,536 packets. */
#define DEFRAG_COPY_NS UINT64_C(1000000000)

struct defrag;

struct defrag *defrag_new(size_t datagrams, const struct siphash_key *key);     /* NULL on ENOMEM */
size_t defrag_bytes(size_t datagrams);    /* what defrag_new takes, all of it */
void defrag_free(struct defrag *g);     /* NULL is fine */
/* A fragment (*d of kind DECODE_FRAGMENT). True when it made a datagram whole: *ret_bytes, good until defrag_release, and the
 * protocol it carries; then *d has become the first fragment's, for decode_datagram. */
bool defrag_add(struct defrag *g, struct decode *d, uint64_t ts_ns, struct span *ret_bytes, uint8_t *ret_proto);
/* At a batch boundary: the bytes handed out are no longer used, and what is too old is given up. */
void defrag_release(struct defrag *g, uint64_t watermark_ns);
/* The end of the input: what waits is counted. */
void defrag_finish(struct defrag *g);
const struct stats *defrag_stats(const struct defrag *g);

#endif
