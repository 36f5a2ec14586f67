/* audit.h -- whether a mirror port delivers what a sensor needs: the account of a run judged point by point.
 *
 * Pure: facts in, verdicts and sentences in English and Japanese out.
 */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include "core/event.h"
#include "rules/rule.h"
#include "sensor/account.h"

enum { AUDIT_LANGUAGES = 2 /* enum rule_language */, AUDIT_TEXT = 256, AUDIT_SERVICES = 128, AUDIT_NAME = 25 };

enum audit_verdict { AUDIT_OK, AUDIT_LOOK, AUDIT_BAD };

/* AUDIT_POINT(SYMBOL, "id", "title", "題", "what to do when it is not ok", "対処") */
#define AUDIT_POINTS \
	AUDIT_POINT(TRAFFIC, "traffic", "traffic", "受信トラフィック", \
		"check the cable, the mirror session of the switch and the interface's name; watch ten minutes of a working day", \
		"ケーブル、スイッチのミラー設定、インターフェース名を確認し、" \
		"診療時間帯に10分以上観測してください") \
	AUDIT_POINT(MIRROR, "mirror", "a mirror, not an ordinary port", "ミラーポートであること", \
		"without TCP between other hosts this is an ordinary port: make it the destination of the mirror session", \
		"他のホスト間のTCP通信が見えません。" \
		"このポートをミラー（SPAN）の宛先に設定してください") \
	AUDIT_POINT(DIRECTIONS, "directions", "both directions", "双方向の観測", \
		"mirror both directions (rx and tx) of its sources; with a tap watch both of its outputs (-i twice)", \
		"ミラー元の送受信両方向（both）を指定してください。" \
		"タップの場合は両方の出力を -i で指定してください") \
	AUDIT_POINT(DUPLICATES, "duplicates", "packets that come twice", "パケットの重複", \
		"mirror the ports or the VLAN, not both; where both ends are mirrored, one direction each", \
		"ポートとVLANの二重指定を避け、" \
		"両端のポートをミラーする場合は片方向ずつにしてください") \
	AUDIT_POINT(KERNEL, "kernel_loss", "dropped by the kernel", "カーネルによる破棄", \
		"a larger --buffer, more --workers, --rings, or a faster machine", \
		"--buffer の拡大、--workers・--rings の増加、またはより高速な機器を検討してください") \
	AUDIT_POINT(INTERFACE, "interface_loss", "dropped by the interface", "インターフェースによる破棄", \
		"enlarge the card's ring (ethtool -G IFACE rx N); see whether the mirror brings more than the link carries", \
		"受信リングを拡大し（ethtool -G IFACE rx N）、" \
		"ミラーの流量が回線速度を超えていないか確認してください") \
	AUDIT_POINT(GAPS, "gaps", "holes in TCP streams", "TCPストリームの欠落", \
		"lost before they came here: the mirror port is overbooked; mirror less, or use a faster port", \
		"当機器の手前で失われています。ミラー対象を減らすか、" \
		"より高速なポートを使用してください") \
	AUDIT_POINT(TRUNCATED, "truncated", "packets cut short", "途中で切れたパケット", \
		"capture them whole (no --snaplen, tcpdump -s 0); with an encapsulated mirror raise the MTU of its path", \
		"全長を取得してください（--snaplen なし、tcpdump -s 0）。" \
		"カプセル化ミラーでは経路のMTUを拡大してください") \
	AUDIT_POINT(OFFLOAD, "offload", "packets as they were on the wire", "回線上と同じパケット長", \
		"capture on a mirror port, not on the host itself; offloading off: ethtool -K IFACE gro off lro off tso off gso off", \
		"端末上ではなくミラーポートで取得し、" \
		"取得側のオフロードを無効にしてください（ethtool -K IFACE gro off lro off tso off gso off）") \
	AUDIT_POINT(SILENCE, "silence", "no silence", "通信の途絶", \
		"see what happened then: a link down, a mirror session removed, a switch started anew", \
		"該当時刻のリンク断、ミラー設定の解除、スイッチの再起動の有無を確認してください") \
	AUDIT_POINT(VLANS, "vlans", "VLANs", "VLAN", \
		"add what is missing to the mirror session, and to the trunk that carries it", \
		"不足しているVLANをミラー設定と中継するトランクに追加してください") \
	AUDIT_POINT(TIME, "time", "order of time", "時刻の順序", \
		"one clock for all captures (NTP), and captures without packets of another day", \
		"取得元の時刻をNTPで統一してください") \
	AUDIT_POINT(DECODE, "decode", "packets that can be read", "解読できるパケット", \
		"spanward replay --show stats tells which they are; broken headers point to a fault of the mirror", \
		"spanward replay --show stats で内訳を確認してください。" \
		"ヘッダーの破損はミラーの不具合を示します") \
	AUDIT_POINT(MEDICAL, "medical", "medical protocols", "医療用プロトコル", \
		"are the VLANs of modalities and of the HL7 engine mirrored, and were they at work in this time?", \
		"モダリティやHL7連携のVLANがミラー対象か、" \
		"観測時間内に稼働していたかを確認してください") \
	AUDIT_POINT(ACCOUNT, "account", "every packet accounted for", "計数の整合", \
		"a fault of this program: keep the capture and report it", \
		"本ソフトウェアの不具合です。キャプチャを保存して報告してください")

enum audit_point_id {
#define AUDIT_POINT(symbol, id, en, ja, next_en, next_ja) AUDIT_##symbol,
	AUDIT_POINTS
#undef AUDIT_POINT
	AUDIT_N_POINTS
};

struct audit_point {
	enum audit_verdict verdict;
	uint64_t value;                 /* the number it was judged by */
	char seen[AUDIT_LANGUAGES][AUDIT_TEXT];
};

struct audit_service { char name[AUDIT_NAME]; uint64_t flows; };

struct audit {
	struct account account;
	bool live;
	uint64_t hosts, tcp_both, tcp_one, tcp_lossy;   /* TCP flows that were answered: both directions seen, one, with gaps */
	struct audit_service services[AUDIT_SERVICES];
	size_t n_services;
	uint64_t expected[MIRROR_VLANS / 64];           /* a bit for each VLAN that must be seen */
};

/* Asset and flow events are counted, others passed over. */
void audit_event(struct audit *a, const struct event *e);
void audit_expect(struct audit *a, uint32_t vlan);
void audit_judge(const struct audit *a, struct audit_point ret[static AUDIT_N_POINTS]);
/* The worst of them. */
enum audit_verdict audit_worst(const struct audit_point points[static AUDIT_N_POINTS]);
const char *audit_id(enum audit_point_id p);
const char *audit_title(enum audit_point_id p, enum rule_language l);
const char *audit_next(enum audit_point_id p, enum rule_language l);
/* "ok", "look", "bad" for programs; words for people. */
const char *audit_word(enum audit_verdict v);
const char *audit_word_in(enum audit_verdict v, enum rule_language l);
bool audit_is_medical(const char *service);

#endif
