#include "cli/ledger.h"

#include <stdio.h>

/* "closes: tcp + udp = flow_packets + ..." or by how much it does not. */
static void write_ledger(const struct account *a, struct writer *w, enum stats_ledger l)
{
	char text[512];
	const char *names[STATS_COUNTERS + 3];
	uint64_t values[STATS_COUNTERS + 3];
	size_t n = 0;
	names[n] = "total";
	values[n++] = stats_ledger_total(&a->stats, l);
	int64_t open = stats_ledger_open(&a->stats, l);
	for (int i = 0; i < STATS_COUNTERS; i++)
		if (stats_ledger((enum stats_counter)i) == l) {
			names[n] = stats_name((enum stats_counter)i);
			values[n++] = a->stats.v[i];
		}
	if (open)
		(void)snprintf(text, sizeof(text), "DOES NOT CLOSE: %lld %s than its parts; %s", (long long)(open < 0 ? -open : open),
			       open < 0 ? "less" : "more", stats_ledger_doc(l));
	else
		(void)snprintf(text, sizeof(text), "closes: %s", stats_ledger_doc(l));
	names[n] = "difference";
	values[n++] = (uint64_t)(open < 0 ? -open : open);
	writer_fact(w, "ledger", stats_ledger_name(l), names, values, n, text);
}

/* A source: what is known of it, what became of its packets, and whether that is all of them. */
static void write_source(const struct account *a, struct writer *w, uint32_t i, const char *meaning)
{
	const struct mirror_source *s = &a->sources[i];
	enum stats_counter decoded[ACCOUNT_DECODED_MAX];
	const char *names[MIRROR_SOURCE_FACTS + ACCOUNT_DECODED_MAX + 1];
	uint64_t v[MIRROR_SOURCE_FACTS + ACCOUNT_DECODED_MAX + 1];
	size_t n = 0, n_decoded = account_decoded(decoded);
	char id[16];
#define MIRROR_FACT(name, doc) v[n++] = s->name;
	MIRROR_FACTS
#undef MIRROR_FACT
	for (size_t k = 0; k < n; k++)
		names[k] = mirror_fact_names[k];
	for (size_t k = 0; k < n_decoded; k++) {
		names[n] = stats_name(decoded[k]);
		v[n++] = a->decoded[i][k];
	}
	int64_t open = account_source_open(a, i + 1);
	names[n] = "difference";
	v[n++] = (uint64_t)(open < 0 ? -open : open);
	(void)snprintf(id, sizeof(id), "%u", i + 1);
	writer_fact(w, "source", id, names, v, n, meaning);
}

void ledger_write(const struct account *a, struct writer *w, const char *const *files, size_t n_files)
{
	for (int i = 0; i < STATS_COUNTERS; i++)
		writer_stat(w, (enum stats_counter)i, a->stats.v[i]);
	for (int l = 1; l < STATS_LEDGERS; l++)
		write_ledger(a, w, (enum stats_ledger)l);
	for (uint32_t i = 0; i < a->n_sources; i++)
		write_source(a, w, i, files && i < n_files ? files[i] : "packets of this source");
	static const char *const packets[] = { "packets" };
	for (unsigned i = 0; i < MIRROR_VLANS; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "%u", i);
		if (a->vlans[i])
			writer_fact(w, "vlan", i ? id : "none", packets, &a->vlans[i], 1, "packets of this VLAN");
	}
	static const char *const bytes[] = { "gap_bytes" };
	for (size_t i = 0; i < a->n_losses; i++)
		writer_fact(w, "loss", a->losses[i].device[0] ? a->losses[i].device : "others", bytes, &a->losses[i].bytes, 1,
			    "stream bytes of this device's flows that were never seen");
}

void ledger_write_workers(const struct account *a, struct writer *w)
{
	static const char *const names[] = { "decoded", "followed" };
	static const char *const sums[] = { "decoded", "decoded_difference", "followed", "followed_difference" };
	for (uint32_t i = 0; i < a->n_workers; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "%u", i + 1);
		writer_fact(w, "worker", id, names, a->workers[i], 2, "packets decoded by this worker, packets of its flows");
	}
	uint64_t v[4] = { a->stats.v[STATS_packets], 0, stats_ledger_total(&a->stats, STATS_LEDGER_FOLLOWED), 0 };
	for (unsigned what = 0; what < 2; what++) {
		int64_t open = account_workers_open(a, what);
		v[2 * what + 1] = (uint64_t)(open < 0 ? -open : open);
	}
	writer_fact(w, "ledger", "workers", sums, v, 4,
		    v[1] || v[3] ? "DOES NOT CLOSE: every packet is decoded by one worker, every packet with a flow followed by one" :
		    "closes: every packet is decoded by one worker, every packet with a flow followed by one");
}
