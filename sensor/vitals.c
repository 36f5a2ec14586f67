#include "sensor/vitals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/metrics.h"
#include "sensor/account.h"
#include "sensor/sandbox.h"

struct vitals {
	struct account account;
	struct metrics to;
	uint8_t snapshot[RING_SNAPSHOT_MAX];
};

/* Ledgers that close between any two batches; flows that are still open keep the others from it until the end. */
static const enum stats_ledger always[] = { STATS_LEDGER_PACKETS, STATS_LEDGER_FOLLOWED, STATS_LEDGER_EVENTS };

enum { NAME = 32 };

struct vitals *vitals_new(void) { return calloc(1, sizeof(struct vitals)); }
void vitals_free(struct vitals *v) { free(v); }

static const char *number(uint32_t n, char ret[static NAME])
{
	(void)snprintf(ret, NAME, "%u", n);
	return ret;
}

static const char *source_name(const struct vitals_config *c, uint32_t i, char ret[static NAME])
{
	return c->sources && i < c->n_sources ? c->sources[i] : number(i + 1, ret);
}

static void write_process(struct metrics *m, const struct vitals_config *c, const struct ring_progress *p)
{
	static const struct { unsigned bit; const char *name; } parts[] = {
		{ SANDBOX_SECCOMP, "seccomp" }, { SANDBOX_NO_CAPS, "no_capabilities" }, { SANDBOX_LANDLOCK, "landlock" },
		{ SANDBOX_CHROOT, "empty_root" }, { SANDBOX_NOBODY, "nobody" }, { SANDBOX_NO_BOUNDS, "no_bounds" },
	};
	const char *const info[] = { "sensor", c->sensor, "version", SPANWARD_VERSION, NULL };
	metrics_family(m, "sensor_info", METRICS_GAUGE, "this sensor and its version");
	metrics_row(m, info, 1);
	metrics_family(m, "up", METRICS_GAUGE, "1 while an engine watches");
	metrics_row(m, NULL, c->up);
	metrics_family(m, "epoch", METRICS_GAUGE, "run within which event numbers count");
	metrics_row(m, NULL, c->epoch);
	metrics_family(m, "restarts_total", METRICS_COUNTER, "engines that ended with their interface; counters began anew");
	metrics_row(m, NULL, c->restarts);
	metrics_family(m, "policy_generation", METRICS_GAUGE, "policy in force, 0 for none");
	metrics_row(m, NULL, p->generation);
	metrics_family(m, "watermark_seconds", METRICS_GAUGE, "packet time");
	metrics_row_ns(m, NULL, p->ts_ns);
	metrics_family(m, "sandbox", METRICS_GAUGE, "what keeps the engine in: 1 in force, 0 not");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *const labels[] = { "part", parts[i].name, NULL };
		metrics_row(m, labels, !c->no_sandbox && (c->sandbox & parts[i].bit) != 0);
	}
}

static void write_counters(struct metrics *m, const struct account *a)
{
	char names[STATS_COUNTERS][64];
	for (int i = 0; i < STATS_COUNTERS; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%s_total", stats_name((enum stats_counter)i));
		metrics_family(m, names[i], METRICS_COUNTER, stats_doc((enum stats_counter)i));
		metrics_row(m, NULL, a->stats.v[i]);
	}
	metrics_family(m, "ledger_difference", METRICS_GAUGE, "by how much a sum does not close; anything but 0 is a fault");
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		const char *const labels[] = { "ledger", stats_ledger_name(always[i]), NULL };
		int64_t open = stats_ledger_open(&a->stats, always[i]);
		metrics_row(m, labels, (uint64_t)(open < 0 ? -open : open));
	}
}

static void write_sources(struct metrics *m, const struct vitals_config *c, const struct account *a)
{
	enum stats_counter decoded[ACCOUNT_DECODED_MAX];
	size_t n = account_decoded(decoded);
	char name[NAME];
#define ROWS(family, kind, help, row, field) \
	metrics_family(m, family, kind, help); \
	for (uint32_t i = 0; i < a->n_sources; i++) { \
		const char *const labels[] = { "source", source_name(c, i, name), NULL }; \
		row(m, labels, a->sources[i].field); \
	}
	ROWS("source_packets_total", METRICS_COUNTER, "packets read", metrics_row, packets)
	ROWS("source_bytes_total", METRICS_COUNTER, "bytes of those packets on the wire", metrics_row, bytes)
	ROWS("source_kernel_drops_total", METRICS_COUNTER, "packets the kernel dropped", metrics_row, kernel_drops)
	ROWS("source_interface_drops_total", METRICS_COUNTER, "packets the interface dropped", metrics_row, interface_drops)
	ROWS("source_truncated_total", METRICS_COUNTER, "packets captured shorter than they were", metrics_row, truncated)
	ROWS("source_backward_total", METRICS_COUNTER, "packets stamped earlier than the one before", metrics_row, backward)
	ROWS("source_silences_total", METRICS_COUNTER, "times without a packet of five minutes and more", metrics_row, silences)
	ROWS("source_last_packet_seconds", METRICS_GAUGE, "time of the last packet", metrics_row_ns, last_ns)
#undef ROWS
	metrics_family(m, "source_decoded_total", METRICS_COUNTER, "what became of the packets of a source");
	for (uint32_t i = 0; i < a->n_sources; i++)
		for (size_t k = 0; k < n; k++) {
			const char *const labels[] = { "source", source_name(c, i, name), "counter", stats_name(decoded[k]), NULL };
			metrics_row(m, labels, a->decoded[i][k]);
		}
	metrics_family(m, "source_difference", METRICS_GAUGE, "packets of a source in no counter; anything but 0 is a fault");
	for (uint32_t i = 0; i < a->n_sources; i++) {
		const char *const labels[] = { "source", source_name(c, i, name), NULL };
		int64_t open = account_source_open(a, i + 1);
		metrics_row(m, labels, (uint64_t)(open < 0 ? -open : open));
	}
}

static void write_rest(struct metrics *m, const struct account *a)
{
	char name[NAME];
	metrics_family(m, "vlan_packets_total", METRICS_COUNTER, "packets of a VLAN");
	for (uint32_t i = 0; i < MIRROR_VLANS; i++) {
		const char *const labels[] = { "vlan", i ? number(i, name) : "none", NULL };
		if (a->vlans[i])
			metrics_row(m, labels, a->vlans[i]);
	}
	static const char *const families[] = { "worker_decoded_total", "worker_followed_total" };
	static const char *const helps[] = { "packets decoded by a worker", "TCP and UDP packets of the flows of a worker" };
	for (unsigned what = 0; what < 2; what++) {
		metrics_family(m, families[what], METRICS_COUNTER, helps[what]);
		for (uint32_t i = 0; i < a->n_workers; i++) {
			const char *const labels[] = { "worker", number(i + 1, name), NULL };
			metrics_row(m, labels, a->workers[i][what]);
		}
	}
}

int vitals_write(struct vitals *v, const struct vitals_config *c, struct ring *r)
{
	struct ring_progress p;
	size_t n = ring_snapshot_get(r, v->snapshot, sizeof(v->snapshot));
	if (!n)
		return -EAGAIN;
	v->account = (struct account){ .n_sources = 0 };
	if (!account_records(&v->account, (struct span){ v->snapshot, n }))
		return ERR_CORRUPT;
	ring_progress_get(r, &p);
	metrics_begin(&v->to, c->path);
	write_process(&v->to, c, &p);
	write_counters(&v->to, &v->account);
	write_sources(&v->to, c, &v->account);
	write_rest(&v->to, &v->account);
	return metrics_end(&v->to);
}
