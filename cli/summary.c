#include "cli/summary.h"

#include <string.h>

#include "cli/cmd.h"
#include "core/escape.h"

static const char *const losses_ja[STATS_COUNTERS] = {
	[STATS_kernel_drops] = "カーネルが破棄したパケット（実時間の取得時）",
	[STATS_interface_drops] = "インターフェースが破棄したパケット（実時間の取得時）",
	[STATS_packets_truncated] = "取得時にヘッダーの途中で切られたパケット",
	[STATS_payload_truncated] = "取得時にペイロードの途中で切られたパケット",
	[STATS_link_unknown] = "未対応のリンク種別のパケット",
	[STATS_link_malformed] = "リンクヘッダーが壊れたパケット",
	[STATS_ip_malformed] = "IPヘッダーが壊れたパケット",
	[STATS_transport_malformed] = "TCP・UDPヘッダーが壊れたパケット",
	[STATS_wlan_encrypted] = "暗号化された802.11データフレーム",
	[STATS_wlan_unread] = "分割または集約された802.11データフレーム",
	[STATS_tunnels_malformed] = "トンネルのヘッダーが壊れたパケット",
	[STATS_tunnels_too_deep] = "トンネルの重なりが上限を超えたパケット",
	[STATS_tunnels_in_pieces] = "CAPWAP自身で分割され、組み立てないパケット",
	[STATS_fragments_overlapping] = "重なりのため破棄したIPフラグメント",
	[STATS_fragments_malformed] = "長さが不正なIPフラグメント",
	[STATS_fragments_cut] = "取得時に切られたIPフラグメント",
	[STATS_fragments_timed_out] = "残りが時間内に届かなかったIPフラグメント",
	[STATS_fragments_evicted] = "領域不足のため破棄したIPフラグメント",
	[STATS_fragments_at_end] = "終了時に残りが届いていないIPフラグメント",
	[STATS_checksum_wrong] = "正しい値を送る機器からの、チェックサムが誤ったパケット",
	[STATS_flows_evicted] = "領域不足のため途中で終えた通信",
	[STATS_stream_gap_bytes] = "観測できなかったストリームのバイト数",
	[STATS_stream_gaps] = "観測できなかったストリームの箇所",
	[STATS_stream_dropped_bytes] = "領域不足のため保持できなかったストリームのバイト数",
	[STATS_probe_dropped] = "領域不足のためプロトコルを判別しなかった通信",
	[STATS_state_dropped] = "領域不足のため解読しなかった通信",
	[STATS_dissector_limit] = "プロトコルの上限を超えたメッセージ",
	[STATS_observations_dropped] = "一つのパケットから多すぎたため破棄した観測",
	[STATS_events_dropped] = "受け取られずに破棄したイベント",
	[STATS_assets_evicted] = "領域不足のため破棄したホストの記録",
	[STATS_syscalls_refused] = "サンドボックスが拒否したシステムコール（試験用の構成でのみ数える）",
};

const char *summary_loss(enum stats_counter c, enum rule_language language)
{
	return language == RULE_JA && losses_ja[c] ? losses_ja[c] : stats_doc(c);
}

/* What was not seen, so that silence is not taken for health. */
static void print_losses(const struct summary *s, FILE *to)
{
	for (int i = 0; i < STATS_COUNTERS; i++)
		if (stats_is_loss((enum stats_counter)i) && s->account->stats.v[i])
			(void)fprintf(to, s->language == RULE_JA ? "未観測：%s %llu（%s）\n" : "not seen: %s %llu (%s)\n",
				      stats_name((enum stats_counter)i), (unsigned long long)s->account->stats.v[i],
				      summary_loss((enum stats_counter)i, s->language));
}

static void print_next(const struct summary *s, FILE *to)
{
	/* What was piped in cannot be read again, and a list of files need not be repeated to be understood. */
	bool one = s->n_files == 1 && strcmp(s->files[0], "-"), ja = s->language == RULE_JA;
	char file[ESCAPE_SHELL], dir[ESCAPE_SHELL], program[ESCAPE_SHELL];
	if (!s->account->stats.v[STATS_packets])
		return;
	if (one)
		(void)escape_shell(s->files[0], file);
	else
		(void)snprintf(file, sizeof(file), "CAPTURE...");
	(void)cmd_program(program);
	if (!s->policy_dir)
		(void)fprintf(to, "%s %s replay -p POLICY_DIR %s   %s\n", ja ? "次：" : "next:", program, file,
			      ja ? "（開示資料と照合する。書き方は docs/profiles.md）" :
			      "(compares this with what the makers declared; docs/profiles.md says how to write that down)");
	else if (s->worst_id[0])
		(void)fprintf(to, "%s %s replay -p %s --format jsonl -o alerts.jsonl %s && %s explain %s --from alerts.jsonl\n",
			      ja ? "次：" : "next:", program, escape_shell(s->policy_dir, dir), file, program, s->worst_id);
}

static void print_alerts(const struct summary *s, FILE *to)
{
	bool ja = s->language == RULE_JA;
	const char *before = ja ? "（" : " (";
	(void)fprintf(to, ja ? "、アラート%llu" : ", %llu alerts", s->alerts);
	for (int i = EVENT_CRITICAL; i >= 0; i--) {
		const char *word = rule_severity_word((enum event_severity)i, s->language);
		if (!s->by_severity[i])
			continue;
		if (ja)
			(void)fprintf(to, "%s%s%llu", before, word, s->by_severity[i]);
		else
			(void)fprintf(to, "%s%llu %s", before, s->by_severity[i], word);
		before = ja ? "、" : ", ";
	}
	if (s->alerts)
		(void)fputs(ja ? "）" : ")", to);
}

void summary_print(const struct summary *s, FILE *to)
{
	bool ja = s->language == RULE_JA;
	(void)fprintf(to, ja ? "パケット%llu、通信%llu、観測%llu" : "%llu packets, %llu flows, %llu observations",
		      (unsigned long long)s->account->stats.v[STATS_packets], (unsigned long long)s->account->stats.v[STATS_flows],
		      (unsigned long long)s->account->stats.v[STATS_observations]);
	if (s->judged)
		print_alerts(s, to);
	(void)fputc('\n', to);
	print_losses(s, to);
	if (s->interrupted)
		(void)fputs(ja ? "中断：ここまでに読んだ分の結果\n"
			       : "interrupted: this is what had been read by then\n", to);
	print_next(s, to);
	(void)fprintf(to, ja ? "イベント%llu sha256 %s\n" : "events %llu sha256 %s\n", s->events, s->digest);
	(void)fflush(to);
}
