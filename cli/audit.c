#include "cli/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/observation.h"

enum {
	ENOUGH_PACKETS = 1000, ENOUGH_S = 60,   /* for a word about a network */
	ENOUGH_FLOWS = 10,
	ONE_SIDED_BAD = 900, ONE_SIDED_LOOK = 100,      /* of a thousand flows; asymmetric routes are a few */
	REPEATED_BAD = 250, REPEATED_LOOK = 50, /* of a thousand stream bytes: a doubled mirror gives 500, retransmission few */
	TWICE_BAD = 100, TWICE_LOOK = 10,       /* of a thousand packets recognised as another copy; as sensor/mirror.c has it */
	OFFLOADED_LOOK = 10,                    /* of a thousand packets: more were captured where they were sent */
	LOSS_BAD = 1,                           /* of a thousand: a message of twenty packets is whole 98 times in 100 */
	CUT_BAD = 10, ODD_LOOK = 10,            /* of a thousand packets */
	BACKWARD_LOOK = 10,                     /* of a thousand packets; rings and interfaces are behind each other by 10 ms */
	JUMBO = 9216 + 50,                      /* the longest frame that switches carry, with the headers of a mirror around it */
};

static const struct { const char *id, *title[AUDIT_LANGUAGES], *next[AUDIT_LANGUAGES]; } texts[] = {
#define AUDIT_POINT(symbol, id, en, ja, next_en, next_ja) { id, { en, ja }, { next_en, next_ja } },
	AUDIT_POINTS
#undef AUDIT_POINT
};

static const char *const words[][1 + AUDIT_LANGUAGES] = {
	[AUDIT_OK] = { "ok", "ok", "良" }, [AUDIT_LOOK] = { "look", "look", "要確認" }, [AUDIT_BAD] = { "bad", "bad", "不良" },
};

const char *audit_id(enum audit_point_id p) { return texts[p].id; }
const char *audit_title(enum audit_point_id p, enum rule_language l) { return texts[p].title[l]; }
const char *audit_next(enum audit_point_id p, enum rule_language l) { return texts[p].next[l]; }
const char *audit_word(enum audit_verdict v) { return words[v][0]; }
const char *audit_word_in(enum audit_verdict v, enum rule_language l) { return words[v][1 + l]; }

bool audit_is_medical(const char *service)
{
	return !strncmp(service, "dicom", 5) || !strncmp(service, "hl7", 3);
}

void audit_expect(struct audit *a, uint32_t vlan) { a->expected[vlan / 64 % (MIRROR_VLANS / 64)] |= UINT64_C(1) << (vlan % 64); }

static void count_service(struct audit *a, struct span name)
{
	size_t i = 0;
	while (i < a->n_services && !span_eq(name, span_str(a->services[i].name)))
		i++;
	if (i == AUDIT_SERVICES || name.n >= AUDIT_NAME)
		return;
	if (i == a->n_services) {
		(void)snprintf(a->services[i].name, AUDIT_NAME, "%.*s", (int)name.n, (const char *)name.p);
		a->n_services++;
	}
	a->services[i].flows++;
}

void audit_event(struct audit *a, const struct event *e)
{
	account_event(&a->account, e);
	if (e->head.type == EVENT_ASSET && span_eq(e->rule, span_str(rule_get(RULE_ASSET_SEEN)->id)))
		a->hosts++;
	if (e->head.type != EVENT_FLOW)
		return;
	if (event_has(e, EVENT_F_service) && e->service.n)
		count_service(a, e->service);
	if (e->transport != OBSERVATION_TCP)
		return;
	a->tcp_lossy += e->loss;
	/* Bytes of one side alone: somebody took them, or TCP would not have sent them. A SYN without an answer says nothing. */
	if (!e->one_sided)
		a->tcp_both++;
	else if (e->bytes_out || e->bytes_in)
		a->tcp_one++;
}

/* ---- judging ---- */

static uint64_t per_thousand(uint64_t part, uint64_t all) { return all ? (uint64_t)((double)part * 1000 / (double)all + 0.5) : 0; }

__attribute__((format(printf, 3, 4)))
static void seen(struct audit_point *p, enum rule_language l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(p->seen[l], AUDIT_TEXT, fmt, ap);
	va_end(ap);
}

/* "0.3 %" of `part` in `all`, in `text`. */
static const char *share(uint64_t part, uint64_t all, char text[static 32])
{
	double percent = all ? (double)part * 100 / (double)all : 0;
	(void)snprintf(text, 32, part && percent < 0.01 ? "%.0e %%" : "%.2f %%", percent);
	return text;
}

struct span_of_time { uint64_t first_ns, last_ns; };

static struct span_of_time whole_time(const struct account *c)
{
	struct span_of_time t = { UINT64_MAX, 0 };
	for (uint32_t i = 0; i < c->n_sources; i++) {
		if (!c->sources[i].packets)
			continue;
		t.first_ns = c->sources[i].first_ns < t.first_ns ? c->sources[i].first_ns : t.first_ns;
		t.last_ns = c->sources[i].last_ns > t.last_ns ? c->sources[i].last_ns : t.last_ns;
	}
	if (t.first_ns > t.last_ns)
		t.first_ns = t.last_ns;
	return t;
}

static uint64_t sum(const struct account *c, size_t offset)
{
	uint64_t s = 0;
	for (uint32_t i = 0; i < c->n_sources; i++)
		s += *(const uint64_t *)(const void *)((const char *)&c->sources[i] + offset);
	return s;
}

#define SUM(c, field) sum(c, offsetof(struct mirror_source, field))

static void judge_traffic(const struct audit *a, struct audit_point *p)
{
	const struct account *c = &a->account;
	struct span_of_time t = whole_time(c);
	uint64_t packets = c->stats.v[STATS_packets], s = (t.last_ns - t.first_ns) / CLOCK_SECOND;
	unsigned empty = 0;
	for (uint32_t i = 0; i < c->n_sources; i++)
		empty += !c->sources[i].packets;
	p->value = packets;
	p->verdict = !packets || empty ? AUDIT_BAD : packets < ENOUGH_PACKETS || s < ENOUGH_S ? AUDIT_LOOK : AUDIT_OK;
	double rate = s ? (double)packets / (double)s : (double)packets;
	double mbit = (double)c->stats.v[STATS_bytes] * 8 / 1e6 / (s ? (double)s : 1);
	seen(p, RULE_EN, "%" PRIu64 " packets in %" PRIu64 " s: %.1f packets/s, %.2f Mbit/s, %" PRIu64 " hosts", packets, s, rate, mbit,
	     a->hosts);
	seen(p, RULE_JA, "%" PRIu64 " 秒間に %" PRIu64 " パケット（%.1f パケット/秒、%.2f Mbit/s）、"
	     "ホスト %" PRIu64 " 台", s, packets, rate, mbit, a->hosts);
	if (packets && empty) {
		seen(p, RULE_EN, "%u of %u sources gave nothing", empty, c->n_sources);
		seen(p, RULE_JA, "%u 件の入力のうち %u 件でパケットなし", c->n_sources, empty);
	}
}

static void judge_mirror(const struct audit *a, struct audit_point *p)
{
	const struct stats *s = &a->account.stats;
	p->value = s->v[STATS_tcp];
	p->verdict = p->value ? AUDIT_OK : s->v[STATS_packets] < ENOUGH_PACKETS ? AUDIT_LOOK : AUDIT_BAD;
	seen(p, RULE_EN, "%" PRIu64 " TCP packets, %" PRIu64 " UDP, %" PRIu64 " ARP", s->v[STATS_tcp], s->v[STATS_udp], s->v[STATS_arp]);
	seen(p, RULE_JA, "TCP %" PRIu64 "、UDP %" PRIu64 "、ARP %" PRIu64 " パケット", s->v[STATS_tcp], s->v[STATS_udp],
	     s->v[STATS_arp]);
}

static void judge_directions(const struct audit *a, struct audit_point *p)
{
	uint64_t all = a->tcp_both + a->tcp_one;
	p->value = per_thousand(a->tcp_one, all);
	p->verdict = all < ENOUGH_FLOWS ? AUDIT_LOOK : p->value >= ONE_SIDED_BAD ? AUDIT_BAD :
		     p->value >= ONE_SIDED_LOOK ? AUDIT_LOOK : AUDIT_OK;
	seen(p, RULE_EN, "%" PRIu64 " of %" PRIu64 " TCP flows show one direction only%s", a->tcp_one, all,
	     all < ENOUGH_FLOWS ? " (too few to say)" : "");
	seen(p, RULE_JA, "TCP通信 %" PRIu64 " 件中 %" PRIu64 " 件が片方向のみ%s", all, a->tcp_one,
	     all < ENOUGH_FLOWS ? "（判定には不足）" : "");
}

static void judge_duplicates(const struct audit *a, struct audit_point *p)
{
	const struct stats *s = &a->account.stats;
	char text[32];
	uint64_t bytes = s->v[STATS_tcp_bytes], again = s->v[STATS_stream_overlap_bytes];
	uint64_t twice = s->v[STATS_duplicates], repeated = per_thousand(again, bytes);
	p->value = per_thousand(twice, s->v[STATS_tcp] + s->v[STATS_udp]);
	p->verdict = p->value >= TWICE_BAD || repeated >= REPEATED_BAD ? AUDIT_BAD :
		     p->value >= TWICE_LOOK || repeated >= REPEATED_LOOK ? AUDIT_LOOK : AUDIT_OK;
	(void)share(again, bytes, text);
	seen(p, RULE_EN, "%" PRIu64 " packets are another's copy; %s of the stream bytes were sent again", twice, text);
	seen(p, RULE_JA, "複製 %" PRIu64 " パケット、ストリームの %s が再送", twice, text);
}

static void judge_loss(const struct audit *a, uint64_t lost, struct audit_point *p)
{
	uint64_t all = a->account.stats.v[STATS_packets] + lost;
	char text[32];
	p->value = lost;
	p->verdict = !lost ? AUDIT_OK : per_thousand(lost, all) >= LOSS_BAD ? AUDIT_BAD : AUDIT_LOOK;
	(void)share(lost, all, text);
	seen(p, RULE_EN, "%" PRIu64 " packets (%s)", lost, text);
	seen(p, RULE_JA, "%" PRIu64 " パケット（%s）", lost, text);
}

static void judge_gaps(const struct audit *a, struct audit_point *p)
{
	const struct stats *s = &a->account.stats;
	uint64_t gap = s->v[STATS_stream_gap_bytes], all = s->v[STATS_tcp_bytes] + gap;
	char text[32];
	p->value = gap;
	p->verdict = !gap ? AUDIT_OK : per_thousand(gap, all) >= LOSS_BAD ? AUDIT_BAD : AUDIT_LOOK;
	/* Most of what is missing may be the other direction, or what was cut off: those have points of their own. */
	if (p->verdict == AUDIT_BAD && (per_thousand(a->tcp_one, a->tcp_one + a->tcp_both) >= ONE_SIDED_LOOK ||
					per_thousand(SUM(&a->account, truncated), s->v[STATS_packets]) >= CUT_BAD))
		p->verdict = AUDIT_LOOK;
	(void)share(gap, all, text);
	seen(p, RULE_EN, "%" PRIu64 " stream bytes never seen (%s), in %" PRIu64 " flows", gap, text, a->tcp_lossy);
	seen(p, RULE_JA, "未観測 %" PRIu64 " バイト（%s）、%" PRIu64 " 件の通信", gap, text, a->tcp_lossy);
}

static void judge_truncated(const struct audit *a, struct audit_point *p)
{
	uint64_t cut = SUM(&a->account, truncated), all = a->account.stats.v[STATS_packets];
	char text[32];
	p->value = cut;
	p->verdict = !cut ? AUDIT_OK : per_thousand(cut, all) >= CUT_BAD ? AUDIT_BAD : AUDIT_LOOK;
	(void)share(cut, all, text);
	seen(p, RULE_EN, "%" PRIu64 " packets (%s)", cut, text);
	seen(p, RULE_JA, "%" PRIu64 " パケット（%s）", cut, text);
}

/* Receivers that join packets hand over frames that no wire carries; then packet counts are the card's, not the network's. */
static void judge_offload(const struct audit *a, struct audit_point *p)
{
	for (uint32_t i = 0; i < a->account.n_sources; i++)
		if (a->account.sources[i].longest > p->value)
			p->value = a->account.sources[i].longest;
	const struct stats *s = &a->account.stats;
	uint64_t unfilled = s->v[STATS_checksum_offloaded] + s->v[STATS_checksum_unproven];
	bool many = per_thousand(unfilled, s->v[STATS_tcp] + s->v[STATS_udp]) >= OFFLOADED_LOOK;
	p->verdict = p->value > JUMBO || many ? AUDIT_LOOK : AUDIT_OK;
	seen(p, RULE_EN, "the longest has %" PRIu64 " bytes; %" PRIu64 " checksums were not filled in", p->value, unfilled);
	seen(p, RULE_JA, "最長 %" PRIu64 " バイト、チェックサム未計算 %" PRIu64 " パケット", p->value, unfilled);
}

static void judge_silence(const struct audit *a, struct audit_point *p)
{
	uint64_t longest_ns = 0, at_ns = 0;
	char when[CLOCK_STRLEN];
	for (uint32_t i = 0; i < a->account.n_sources; i++)
		if (a->account.sources[i].silence_ns > longest_ns) {
			longest_ns = a->account.sources[i].silence_ns;
			at_ns = a->account.sources[i].silence_at_ns;
		}
	p->value = longest_ns / CLOCK_SECOND;
	p->verdict = longest_ns < MIRROR_SILENCE_NS ? AUDIT_OK : AUDIT_LOOK;
	(void)clock_str(at_ns, when);
	seen(p, RULE_EN, "the longest: %" PRIu64 " s%s%s", p->value, p->value ? ", from " : "", p->value ? when : "");
	seen(p, RULE_JA, "最長 %" PRIu64 " 秒%s%s", p->value, p->value ? "、開始 " : "", p->value ? when : "");
}

static void judge_vlans(const struct audit *a, struct audit_point *p)
{
	char list[2][AUDIT_TEXT / 2] = { "", "" };
	size_t at[2] = { 0 };
	/* What bears no tag has a name, not a number. */
	bool untagged[2] = { a->account.vlans[0], !a->account.vlans[0] && a->expected[0] & 1 };
	p->value = untagged[1];
	for (uint32_t i = 1; i < MIRROR_VLANS; i++) {
		bool wanted = a->expected[i / 64] >> (i % 64) & 1;
		unsigned which = a->account.vlans[i] ? 0 : 1;
		if (which && !wanted)
			continue;
		p->value += which;
		if (at[which] < sizeof(list[0]) - 16) {
			at[which] += (size_t)snprintf(list[which] + at[which], 16, "%s%u", at[which] || untagged[which] ? " " : "", i);
		} else if (list[which][at[which] - 1] != '.') {
			at[which] += (size_t)snprintf(list[which] + at[which], 16, " ...");
		}
	}
	p->verdict = p->value ? AUDIT_BAD : AUDIT_OK;
	seen(p, RULE_EN, "%s%s%s%s%s", untagged[0] ? "untagged" : at[0] ? "" : "none", list[0], p->value ? "; missing: " : "",
	     untagged[1] ? "untagged" : "", list[1]);
	seen(p, RULE_JA, "%s%s%s%s%s", untagged[0] ? "タグなし" : at[0] ? "" : "なし", list[0], p->value ? "、未観測: " : "",
	     untagged[1] ? "タグなし" : "", list[1]);
}

static void judge_time(const struct audit *a, struct audit_point *p)
{
	const struct stats *s = &a->account.stats;
	uint64_t backward = SUM(&a->account, backward), outliers = s->v[STATS_time_outlier], all = s->v[STATS_packets];
	char text[32];
	p->value = backward + outliers;
	p->verdict = outliers || per_thousand(backward, all) >= BACKWARD_LOOK ? AUDIT_LOOK : AUDIT_OK;
	(void)share(backward, all, text);
	seen(p, RULE_EN, "%" PRIu64 " packets before their predecessor (%s), %" PRIu64 " a day off", backward, text, outliers);
	seen(p, RULE_JA, "時刻の逆行 %" PRIu64 " パケット（%s）、1日以上のずれ %" PRIu64, backward, text, outliers);
}

static void judge_decode(const struct audit *a, struct audit_point *p)
{
	const struct stats *s = &a->account.stats;
	uint64_t all = s->v[STATS_packets], odd = 0;
	char text[32];
	/* What decoding lost, whatever it is called. */
	for (int c = 0; c < STATS_COUNTERS; c++)
		if (stats_ledger((enum stats_counter)c) == STATS_LEDGER_PACKETS && stats_is_loss((enum stats_counter)c))
			odd += s->v[c];
	odd += s->v[STATS_checksum_wrong];
	p->value = odd;
	p->verdict = per_thousand(odd, all) >= ODD_LOOK ? AUDIT_LOOK : AUDIT_OK;
	(void)share(odd, all, text);
	seen(p, RULE_EN, "%" PRIu64 " packets are not (%s)", odd, text);
	seen(p, RULE_JA, "解読不能 %" PRIu64 " パケット（%s）", odd, text);
}

static void judge_medical(const struct audit *a, struct audit_point *p)
{
	char list[AUDIT_TEXT - 32] = "";
	size_t at = 0;
	for (size_t i = 0; i < a->n_services; i++) {
		if (!audit_is_medical(a->services[i].name))
			continue;
		p->value += a->services[i].flows;
		if (at < sizeof(list) - 64)
			at += (size_t)snprintf(list + at, 64, "%s%s %" PRIu64, at ? ", " : "", a->services[i].name, a->services[i].flows);
	}
	p->verdict = p->value ? AUDIT_OK : AUDIT_LOOK;
	seen(p, RULE_EN, "%s", at ? list : "no DICOM, no HL7");
	seen(p, RULE_JA, "%s", at ? list : "DICOM・HL7なし");
}

static void judge_account(const struct audit *a, struct audit_point *p)
{
	int64_t open = 0;
	for (int l = 1; l < STATS_LEDGERS; l++)
		open |= stats_ledger_open(&a->account.stats, (enum stats_ledger)l);
	for (uint32_t i = 1; i <= a->account.n_sources; i++)
		open |= account_source_open(&a->account, i);
	open |= account_workers_open(&a->account, 0) | account_workers_open(&a->account, 1);
	p->value = open != 0;
	p->verdict = open ? AUDIT_BAD : AUDIT_OK;
	seen(p, RULE_EN, open ? "sums do not close" : "every sum closes");
	seen(p, RULE_JA, open ? "合計が一致しません" : "すべての合計が一致");
}

void audit_judge(const struct audit *a, struct audit_point ret[static AUDIT_N_POINTS])
{
	static void (*const judges[])(const struct audit *, struct audit_point *) = {
		[AUDIT_TRAFFIC] = judge_traffic, [AUDIT_MIRROR] = judge_mirror, [AUDIT_DIRECTIONS] = judge_directions,
		[AUDIT_DUPLICATES] = judge_duplicates, [AUDIT_GAPS] = judge_gaps, [AUDIT_TRUNCATED] = judge_truncated,
		[AUDIT_OFFLOAD] = judge_offload, [AUDIT_SILENCE] = judge_silence, [AUDIT_VLANS] = judge_vlans,
		[AUDIT_TIME] = judge_time, [AUDIT_DECODE] = judge_decode, [AUDIT_MEDICAL] = judge_medical,
		[AUDIT_ACCOUNT] = judge_account,
	};
	memset(ret, 0, AUDIT_N_POINTS * sizeof(*ret));
	for (size_t i = 0; i < AUDIT_N_POINTS; i++)
		if (i != AUDIT_KERNEL && i != AUDIT_INTERFACE)
			judges[i](a, &ret[i]);
	judge_loss(a, a->account.stats.v[STATS_kernel_drops], &ret[AUDIT_KERNEL]);
	judge_loss(a, a->account.stats.v[STATS_interface_drops], &ret[AUDIT_INTERFACE]);
}

enum audit_verdict audit_worst(const struct audit_point points[static AUDIT_N_POINTS])
{
	enum audit_verdict worst = AUDIT_OK;
	for (size_t i = 0; i < AUDIT_N_POINTS; i++)
		worst = points[i].verdict > worst ? points[i].verdict : worst;
	return worst;
}
