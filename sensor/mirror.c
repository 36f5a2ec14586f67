#include "sensor/mirror.h"

#include <stdlib.h>

enum {
	BUSY = 60,              /* packets in a window: one a second is traffic, less may be one chatty host */
	BUSY_WINDOWS = 5,       /* so long was it there, and so long must it be gone */
	FLOWS_ENOUGH = 50,      /* to say something of all of them */
	ONE_SIDED_PERCENT = 90, /* asymmetric routing of some is not the mirror's doing */
	PACKETS_ENOUGH = 1000,
	/* Retransmission and both-ports mirroring of a few hosts stay below; a doubly mirrored VLAN does not. */
	DUPLICATE_PERCENT = 10,
};

const char *const mirror_fact_names[MIRROR_SOURCE_FACTS] = {
#define MIRROR_FACT(name, doc) #name,
	MIRROR_FACTS
#undef MIRROR_FACT
};

struct vlan { uint64_t before; uint8_t busy, quiet; bool said; };
struct source { uint64_t stamp_ns, window_packets, resumed_ns, silent_ns; bool was_busy, said; };

struct mirror {
	struct mirror_config c;
	struct mirror_source facts[MIRROR_SOURCES];
	struct source sources[MIRROR_SOURCES];
	struct vlan vlans[MIRROR_VLANS];
	uint64_t due_ns, window_packets, packets, duplicates;
	uint32_t last_source;           /* highest that gave a packet */
	uint64_t flows[2];              /* both directions seen, one */
	bool one_sided_said, duplicates_said;
};

struct mirror *mirror_new(const struct mirror_config *c)
{
	struct mirror *m = calloc(1, sizeof(*m));
	if (m)
		m->c = *c;
	return m;
}

size_t mirror_bytes(void) { return sizeof(struct mirror); }

void mirror_free(struct mirror *m) { free(m); }

const struct mirror_source *mirror_of(const struct mirror *m, uint32_t source)
{
	return &m->facts[(source && source <= MIRROR_SOURCES ? source : MIRROR_SOURCES) - 1];
}

static void say_silent(struct mirror *m, uint32_t i, uint64_t silent_ns, uint64_t now_ns)
{
	if (silent_ns < MIRROR_SILENCE_NS || !m->sources[i].was_busy || m->sources[i].said)
		return;
	m->sources[i].said = true;
	m->c.found(m->c.arg, MIRROR_SILENT, i + 1, silent_ns / UINT64_C(1000000000), now_ns);
}

void mirror_packets(struct mirror *m, uint32_t source, const struct source_packet *p, const uint64_t *ts_ns, size_t n)
{
	uint32_t i = (source && source <= MIRROR_SOURCES ? source : MIRROR_SOURCES) - 1;
	struct mirror_source *f = &m->facts[i];
	struct source *s = &m->sources[i];
	if (!n)
		return;
	if (!f->packets) {
		f->first_ns = f->last_ns = ts_ns[0];
		if (i >= m->last_source)
			m->last_source = i + 1;
	}
	uint64_t last_ns = f->last_ns, stamp_ns = s->stamp_ns, bytes = 0, longest = f->longest, backward = 0, truncated = 0;
	for (size_t k = 0; k < n; k++) {
		uint64_t quiet_ns = ts_ns[k] - last_ns;
		if (quiet_ns > f->silence_ns) {
			f->silence_ns = quiet_ns;
			f->silence_at_ns = last_ns;
		}
		if (quiet_ns >= MIRROR_SILENCE_NS) {
			f->silences++;
			s->was_busy |= s->window_packets + k >= BUSY;
			if (!s->resumed_ns) {
				s->resumed_ns = ts_ns[k];       /* said when it is time to judge */
				s->silent_ns = quiet_ns;
			}
		}
		last_ns = ts_ns[k];
		bytes += p[k].wire_len;
		longest = p[k].wire_len > longest ? p[k].wire_len : longest;
		backward += p[k].ts_ns < stamp_ns;
		stamp_ns = p[k].ts_ns;
		truncated += p[k].bytes.n < p[k].wire_len;
	}
	f->packets += n;
	f->bytes += bytes;
	f->longest = longest;
	f->last_ns = last_ns;
	f->backward += backward;
	f->truncated += truncated;
	s->stamp_ns = stamp_ns;
	s->window_packets += n;
}

void mirror_drops(struct mirror *m, uint32_t source, uint64_t kernel, uint64_t interface)
{
	struct mirror_source *f = &m->facts[(source && source <= MIRROR_SOURCES ? source : MIRROR_SOURCES) - 1];
	f->kernel_drops = kernel;
	f->interface_drops = interface;
}

void mirror_flow(struct mirror *m, bool one_sided) { m->flows[one_sided]++; }
bool mirror_due(const struct mirror *m, uint64_t watermark_ns) { return watermark_ns >= m->due_ns; }

static void judge_vlan(struct mirror *m, uint32_t i, uint64_t total, bool others, uint64_t now_ns)
{
	struct vlan *v = &m->vlans[i];
	uint64_t n = total - v->before;
	v->before = total;
	if (n) {
		v->busy = n < BUSY ? 0 : v->busy < BUSY_WINDOWS ? v->busy + 1 : v->busy;
		v->quiet = 0;
		v->said = false;
		return;
	}
	/* Frames without a tag are whatever the switch's native VLAN is: they too can be lost. */
	if (v->busy < BUSY_WINDOWS || v->said || !others || ++v->quiet < BUSY_WINDOWS)
		return;
	v->said = true;
	v->busy = 0;
	m->c.found(m->c.arg, MIRROR_VLAN_LOST, 0, i, now_ns);
}

/* Says it once per time that it is so. */
static void judge_share(struct mirror *m, enum mirror_finding f, uint64_t part, uint64_t all, unsigned percent, bool *said,
			uint64_t now_ns)
{
	bool is = part * 100 >= all * percent;
	if (is && !*said)
		m->c.found(m->c.arg, f, 0, part * 100 / all, now_ns);
	*said = is;
}

void mirror_judge(struct mirror *m, uint64_t watermark_ns, const uint64_t vlans[static MIRROR_VLANS], uint64_t packets,
		  uint64_t duplicates)
{
	bool first = !m->due_ns;
	m->due_ns = watermark_ns + MIRROR_WINDOW_NS;
	if (first)
		return;
	bool others = packets - m->window_packets >= BUSY;
	m->window_packets = packets;
	for (uint32_t i = 0; i < m->last_source; i++) {
		struct source *s = &m->sources[i];
		uint64_t quiet_ns = watermark_ns > m->facts[i].last_ns ? watermark_ns - m->facts[i].last_ns : 0;
		if (s->resumed_ns) {
			say_silent(m, i, s->silent_ns, s->resumed_ns);
			s->said = false;
			s->resumed_ns = 0;
		}
		if (s->window_packets)
			s->was_busy = s->window_packets >= BUSY;
		s->window_packets = 0;
		say_silent(m, i, quiet_ns, watermark_ns);
	}
	for (uint32_t i = 0; i < MIRROR_VLANS; i++)
		if (vlans[i])
			judge_vlan(m, i, vlans[i], others, watermark_ns);
	if (m->flows[0] + m->flows[1] >= FLOWS_ENOUGH) {
		judge_share(m, MIRROR_ONE_DIRECTION, m->flows[1], m->flows[0] + m->flows[1], ONE_SIDED_PERCENT,
			    &m->one_sided_said, watermark_ns);
		m->flows[0] = m->flows[1] = 0;
	}
	uint64_t n = packets - m->packets;
	if (n >= PACKETS_ENOUGH) {
		judge_share(m, MIRROR_DUPLICATES, duplicates - m->duplicates, n, DUPLICATE_PERCENT, &m->duplicates_said,
			    watermark_ns);
		m->packets = packets;
		m->duplicates = duplicates;
	}
}
