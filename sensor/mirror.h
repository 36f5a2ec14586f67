/* mirror.h -- what the mirror port delivers: counted per source and VLAN, and whether it still comes.
 *
 * One thread. Counting costs an addition or two per packet; the judgement is made once per MIRROR_WINDOW_NS of packet
 * time, at a batch boundary, so that it does not depend on the number of workers.
 */
#ifndef SENSOR_MIRROR_H
#define SENSOR_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/source.h"
#include "sensor/stats.h"

enum { MIRROR_VLANS = 4096 /* 0: untagged */, MIRROR_SOURCES = 256 /* files or interfaces */ };

#define MIRROR_WINDOW_NS UINT64_C(60000000000)
/* A port that carries hosts is never silent for five minutes: ARP, NTP, keep-alives and discovery see to it. */
#define MIRROR_SILENCE_NS UINT64_C(300000000000)

/* MIRROR_FACT(name, "meaning"): what is known of a source. */
#define MIRROR_FACTS \
	MIRROR_FACT(packets, "packets read") \
	MIRROR_FACT(bytes, "bytes of those packets on the wire") \
	MIRROR_FACT(first_ns, "time of the first packet") \
	MIRROR_FACT(last_ns, "time of the last packet") \
	MIRROR_FACT(silence_ns, "longest time without a packet") \
	MIRROR_FACT(silence_at_ns, "when that began") \
	MIRROR_FACT(silences, "times without a packet of five minutes and more") \
	MIRROR_FACT(backward, "packets stamped earlier than the one before them") \
	MIRROR_FACT(truncated, "packets captured shorter than they were on the wire") \
	MIRROR_FACT(longest, "bytes of the longest packet on the wire") \
	MIRROR_FACT(kernel_drops, "packets of it that the kernel dropped before they were read") \
	MIRROR_FACT(interface_drops, "packets of it that the interface dropped")

struct mirror_source {
#define MIRROR_FACT(name, doc) uint64_t name;
	MIRROR_FACTS
#undef MIRROR_FACT
};
enum { MIRROR_SOURCE_FACTS = sizeof(struct mirror_source) / sizeof(uint64_t) };
extern const char *const mirror_fact_names[MIRROR_SOURCE_FACTS];

enum mirror_finding {
	MIRROR_SILENT,                  /* a source gives nothing any more; value: seconds */
	MIRROR_VLAN_LOST,               /* a VLAN gives nothing any more while others do; value: its number */
	MIRROR_ONE_DIRECTION,           /* answered TCP flows show one direction only; value: per cent of them */
	MIRROR_DUPLICATES,              /* packets come twice; value: per cent */
};

struct mirror_config {
	/* `source`: 1-based, 0 when the finding is about all. */
	void (*found)(void *arg, enum mirror_finding f, uint32_t source, uint64_t value, uint64_t ts_ns);
	void *arg;
};

struct mirror;

struct mirror *mirror_new(const struct mirror_config *c);       /* NULL on ENOMEM */
size_t mirror_bytes(void);                                      /* what mirror_new takes */
void mirror_free(struct mirror *m);                             /* NULL is fine */
/* Packets of `source` (1-based; above MIRROR_SOURCES counts with the last), one after the other. `ts_ns`: the time of each,
 * never before an earlier one; p->ts_ns is as stamped. */
void mirror_packets(struct mirror *m, uint32_t source, const struct source_packet *p, const uint64_t *ts_ns, size_t n);
/* What was lost of a source so far, before it could be read. */
void mirror_drops(struct mirror *m, uint32_t source, uint64_t kernel, uint64_t interface);
/* An answered TCP flow ended, seen in both directions or in one. */
void mirror_flow(struct mirror *m, bool one_sided);
/* True when it is time for mirror_judge. */
bool mirror_due(const struct mirror *m, uint64_t watermark_ns);
/* `vlans`: packets by VLAN so far; `packets`, `duplicates`: so far, of all sources. */
void mirror_judge(struct mirror *m, uint64_t watermark_ns, const uint64_t vlans[static MIRROR_VLANS], uint64_t packets,
		  uint64_t duplicates);
const struct mirror_source *mirror_of(const struct mirror *m, uint32_t source); /* 1-based */

#endif
