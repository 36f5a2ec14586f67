/* What an engine says beside events: progress, accounts of each source, VLAN and worker, snapshots and results. */
#include <assert.h>
#include <string.h>

#include "core/clock.h"
#include "sensor/account.h"
#include "sensor/engine_state.h"
#include "sensor/sandbox.h"

bool engine_put(struct engine *e, enum ring_kind kind, struct span bytes)
{
	if (e->err)
		return false;
	int err = ring_put(e->ring, kind, bytes, e->wait);
	/* Live: -EAGAIN is an event lost for want of room; whoever reads the ring sees its number missing. */
	if (err && err != -EAGAIN)
		e->err = err;
	return !err;
}

static void sum_drops(struct engine *e, struct source *s)
{
	uint64_t sum[2] = { 0 };
	for (size_t i = 0; i < source_files(s); i++) {
		uint64_t kernel = 0, interface = 0;
		source_drops(s, i, &kernel, &interface);
		mirror_drops(e->mirror, (uint32_t)i + 1, kernel, interface);
		sum[0] += kernel;
		sum[1] += interface;
	}
	e->st.v[STATS_kernel_drops] = sum[0];
	e->st.v[STATS_interface_drops] = sum[1];
}

/* What the workers counted of a source. */
static void sum_source(const struct engine *e, size_t source, struct stats *ret)
{
	for (unsigned w = 0; w < e->c.workers; w++)
		stats_add(ret, &e->workers[w].st[source]);
}

static size_t n_sources(const struct source *s)
{
	return source_files(s) < MIRROR_SOURCES ? source_files(s) : MIRROR_SOURCES;
}

void engine_sum(struct engine *e, struct source *s, struct stats *ret)
{
	sum_drops(e, s);
	e->st.v[STATS_syscalls_refused] = sandbox_refused();
	*ret = e->st;
	stats_add(ret, defrag_stats(e->defrag));
	for (size_t i = 0; i < n_sources(s); i++)
		sum_source(e, i, ret);
	for (unsigned i = 0; i < ENGINE_SHARDS; i++)
		stats_add(ret, shard_stats(e->shards[i]));
}

void engine_put_progress(struct engine *e, struct source *s)
{
	sum_drops(e, s);
	struct ring_progress p = {
		.packets = e->st.v[STATS_packets], .ts_ns = e->watermark, .generation = e->generation,
		.events = detector_stats(e->detector)->v[STATS_events],
		.kernel_drops = e->st.v[STATS_kernel_drops], .interface_drops = e->st.v[STATS_interface_drops],
	};
	source_progress(s, &p.bytes_read, &p.bytes_total);
	ring_progress_set(e->ring, &p);
}

static void sum_vlans(const struct engine *e, uint64_t ret[static MIRROR_VLANS])
{
	memset(ret, 0, MIRROR_VLANS * sizeof(*ret));
	for (unsigned w = 0; w < e->c.workers; w++)
		for (unsigned i = 0; i < MIRROR_VLANS; i++)
			ret[i] += e->workers[w].vlans[i];
}

void engine_judge_mirror(struct engine *e)
{
	if (!e->watermark || !mirror_due(e->mirror, e->watermark))
		return;
	uint64_t vlans[MIRROR_VLANS];
	sum_vlans(e, vlans);
	uint64_t duplicates = 0;
	for (unsigned i = 0; i < ENGINE_SHARDS; i++)
		duplicates += shard_stats(e->shards[i])->v[STATS_duplicates];
	mirror_judge(e->mirror, e->watermark, vlans, e->st.v[STATS_packets], duplicates);
}

/* Where a record of the account goes: into the ring at the end, into the snapshot while it runs. */
typedef void account_to(struct engine *e, struct span record);

static void to_ring(struct engine *e, struct span record) { (void)engine_put(e, RING_ACCOUNT, record); }

static void to_snapshot(struct engine *e, struct span record)
{
	(void)buf_u16be(&e->snapshot, (uint16_t)record.n);
	(void)buf_put(&e->snapshot, record.p, record.n);
}

static void give_accounts(struct engine *e, const struct source *s, account_to *give)
{
	uint8_t mem[8 + sizeof(struct mirror_source) + sizeof(struct stats)];
	for (uint32_t i = 1; i <= n_sources(s); i++) {
		struct buf b = buf_over(mem, sizeof(mem));
		account_put_source(&b, i, mirror_of(e->mirror, i));
		give(e, buf_span(&b));
		struct stats st = { { 0 } };
		sum_source(e, i - 1, &st);
		b = buf_over(mem, sizeof(mem));
		account_put_decoded(&b, i, &st);
		give(e, buf_span(&b));
	}
	uint64_t vlans[MIRROR_VLANS];
	sum_vlans(e, vlans);
	for (uint32_t i = 0; i < MIRROR_VLANS; i++) {
		if (!vlans[i])
			continue;
		struct buf b = buf_over(mem, sizeof(mem));
		account_put(&b, ACCOUNT_VLAN, i, &vlans[i], 1);
		give(e, buf_span(&b));
	}
	for (unsigned w = 0; w < e->c.workers; w++) {
		uint64_t v[2] = { e->workers[w].decoded, 0 };
		for (unsigned i = 0; i < ENGINE_SHARDS; i++) {
			if (e->owner[i] != w)
				continue;
			const struct stats *st = shard_stats(e->shards[i]);
			for (int k = 0; k < STATS_COUNTERS; k++)
				if (stats_ledger((enum stats_counter)k) == STATS_LEDGER_FOLLOWED)
					v[1] += st->v[k];
		}
		struct buf b = buf_over(mem, sizeof(mem));
		account_put(&b, ACCOUNT_WORKER, w + 1, v, 2);
		give(e, buf_span(&b));
	}
}

/* Between two batches, so that its sums close but for flows that are still open. */
void engine_put_snapshot(struct engine *e, struct source *s, bool last)
{
	uint64_t now = clock_mono_ns();
	if (!last && now - e->snapshot_ns < CLOCK_SECOND)
		return;
	e->snapshot_ns = now;
	struct stats sum;
	engine_sum(e, s, &sum);
	stats_add(&sum, detector_stats(e->detector));
	uint8_t mem[8 + sizeof(sum)];
	struct buf b = buf_over(mem, sizeof(mem));
	account_put(&b, ACCOUNT_STATS, 0, sum.v, STATS_COUNTERS);
	buf_rewind(&e->snapshot, 0);
	to_snapshot(e, buf_span(&b));
	give_accounts(e, s, to_snapshot);
	if (!e->snapshot.full)
		ring_snapshot_set(e->ring, buf_span(&e->snapshot));
}

void engine_put_results(struct engine *e, struct source *s, const struct stats *sum)
{
	uint8_t mem[sizeof(*sum) + 256];
	for (size_t i = 0; !source_is_live(s) && i < source_files(s); i++) {
		const struct source_file_result *r = source_result(s, i);
		struct buf b = buf_over(mem, sizeof(mem));
		buf_u32be(&b, (uint32_t)i + 1);
		buf_u32be(&b, (uint32_t)r->err);
		buf_u64be(&b, r->packets);
		buf_str(&b, r->why);
		(void)engine_put(e, RING_FILE_RESULT, buf_span(&b));
	}
	struct buf b = buf_over(mem, sizeof(mem));
	for (int i = 0; i < STATS_COUNTERS; i++)
		buf_u64be(&b, sum->v[i]);
	assert(!b.full);
	give_accounts(e, s, to_ring);
	(void)engine_put(e, RING_STATS, buf_span(&b));
	(void)engine_put(e, RING_END, (struct span){ 0 });
}
