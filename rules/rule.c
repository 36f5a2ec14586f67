#include "rules/rule.h"
#include "rules/rule_ja.h"

#include <errno.h>

static const struct rule rules[RULE_COUNT] = {
#define RULE(SYM, id_, FAMILY, rows_, mds2_, en, ja) \
	{ .id = id_, .id_n = sizeof(id_) - 1, .family = EVENT_##FAMILY, .rows = rows_, .mds2 = mds2_, .title_en = en, .title_ja = ja },
#include "rules/rule.def"
#undef RULE
};

const struct rule *rule_get(enum rule_id id) { return (unsigned)id < RULE_COUNT ? &rules[id] : NULL; }

const struct rule *rule_find(struct span id)
{
	for (unsigned i = 0; i < RULE_COUNT; i++)
		if (span_eq(id, span_str(rules[i].id)))
			return &rules[i];
	return NULL;
}

/* ---- words (docs/terms.md): one place, so that a hospital's correction is one edit ---- */

static const char *const severity_words[][2] = {
	[EVENT_INFO] = { "info", "情報" },
	[EVENT_LOW] = { "low", "低" },
	[EVENT_MEDIUM] = { "medium", "中" },
	[EVENT_HIGH] = { "high", "高" },
	[EVENT_CRITICAL] = { "critical", "緊急" },
};

static const char *const verdict_words[EVENT_VERDICTS][2] = {
	[EVENT_DECLARED] = { "as declared", "開示資料どおり" },
	[EVENT_UNDECLARED] = { "not declared", "開示資料に記載なし" },
	[EVENT_DISABLED_BUT_USED] = { "declared as disabled, but used", "無効のはずの機能を使用" },
	[EVENT_SEEN_DIFFERENTLY] = { "seen differently than declared", "開示資料と相違" },
	[EVENT_FORBIDDEN] = { "forbidden", "禁止通信" },
	[EVENT_UNKNOWN_DEVICE] = { "unknown device", "台帳未登録機器" },
	[EVENT_CANNOT_SAY] = { "cannot say", "判定不能" },
	[EVENT_NEVER_SEEN] = { "not seen in the time watched", "観測期間内に通信なし" },
};

static const char *const what_words[EVENT_WHATS][2] = {
	[EVENT_WHAT_NONE] = { "nothing", "なし" },
	[EVENT_WHAT_PROTOCOL] = { "protocol", "プロトコル" },
	[EVENT_WHAT_CLEAR_TEXT] = { "encryption", "暗号化" },
	[EVENT_WHAT_INITIATOR] = { "side that opens the connection", "接続を開始する側" },
	[EVENT_WHAT_PEER] = { "peer", "通信相手" },
	[EVENT_WHAT_AE_TITLE] = { "AE title", "AEタイトル" },
	[EVENT_WHAT_LISTENER] = { "listening service", "応答するサービス" },
	[EVENT_WHAT_INTERNET] = { "internet", "インターネット" },
	[EVENT_WHAT_LOSS] = { "packets were lost", "パケットの欠落" },
	[EVENT_WHAT_ONE_SIDED] = { "only one direction was captured", "片方向のみ観測" },
	[EVENT_WHAT_MIDSTREAM] = { "the beginning was not captured", "通信の途中から観測" },
	[EVENT_WHAT_SOP_CLASS] = { "SOP class", "SOPクラス" },
	[EVENT_WHAT_HL7_TYPE] = { "HL7 message type", "HL7メッセージ種別" },
	[EVENT_WHAT_TLS_VERSION] = { "TLS version", "TLSバージョン" },
	[EVENT_WHAT_ROLE] = { "role", "役割" },
	[EVENT_WHAT_HL7_APP] = { "HL7 application, facility or version", "HL7アプリケーション・施設・版" },
	[EVENT_WHAT_ENCRYPTED] = { "what is said inside is encrypted", "暗号化により内容を観測不可" },
	[EVENT_WHAT_ROUTER] = { "a router hides the hardware address", "ルーターの背後のため機器を識別不可" },
	[EVENT_WHAT_ANSWER] = { "answer of the maker", "製造販売業者の回答" },
	[EVENT_WHAT_LIMIT] = { "limit", "上限" },
	[EVENT_WHAT_SCHEDULE] = { "hours", "時間帯" },
	[EVENT_WHAT_PEERS] = { "number of peers", "通信相手の数" },
};

static const char *const family_words[EVENT_TYPES][2] = {
	[EVENT_CONFIG_CHANGE] = { "configuration change", "設定変更" },
	[EVENT_NETWORK_ANOMALY] = { "network anomaly", "ネットワーク異常" },
	[EVENT_LOGIN_ATTEMPT] = { "login attempt", "ログイン試行" },
	[EVENT_ANOMALOUS_TRAFFIC] = { "anomalous traffic", "異常トラフィック" },
	[EVENT_LIFECYCLE] = { "life cycle", "ライフサイクル" },
	[EVENT_CONTROL] = { "compensating control", "補完的対策" },
	[EVENT_DOCUMENT] = { "declarations", "開示資料" },
	[EVENT_ASSET] = { "asset", "機器" },
	[EVENT_FLOW] = { "flow", "通信" },
	[EVENT_SENSOR] = { "sensor", "センサー" },
};

#define WORD(table, i, lang) \
	((size_t)(i) < sizeof(table) / sizeof((table)[0]) && (table)[i][0] ? (table)[i][(lang) == RULE_JA] : "?")

const char *rule_severity_word(enum event_severity s, enum rule_language lang) { return WORD(severity_words, s, lang); }
const char *rule_verdict_word(enum event_verdict v, enum rule_language lang) { return WORD(verdict_words, v, lang); }
const char *rule_what_word(enum event_what what, enum rule_language lang)
{
	return what < EVENT_WHATS && what_words[what][lang == RULE_JA] ? what_words[what][lang == RULE_JA] : "";
}

const char *rule_family_word(enum event_type family, enum rule_language lang) { return WORD(family_words, family, lang); }

/* ---- sentences ----
 * A template per rule and language: what was seen, and what to ask whom. In between stands what was declared
 * where. %d device, %p peer, %s service (tcp/104), %h what differs, %g what was seen there, %w the same with its
 * port, %a the calling AE title. */

struct sentence {
	enum rule_id id;
	const char *seen_en, *ask_en, *seen_ja, *ask_ja;
};

static const struct sentence sentences[] = {
	{ RULE_UNDECLARED_LISTENER,
	  "%d answered %p on %s, a service that no document declares",
	  "ask the manufacturer what the service is for and whether it can be switched off",
	  "%dが%pに対して%sで応答しましたが、このサービスは開示資料に記載がありません",
	  "用途と無効化の可否を製造販売業者へ照会してください" },
	{ RULE_UNDECLARED_TRAFFIC,
	  "%d connected to %p on %s, which no document declares",
	  "ask the manufacturer what the traffic is for",
	  "%dが%pの%sへ接続しましたが、この通信は開示資料に記載がありません",
	  "用途を製造販売業者へ照会してください" },
	{ RULE_UNDECLARED_PEER,
	  "%d spoke with %p on the declared service %s, but nobody declared this peer",
	  "check with the system's owner whether the peer belongs there, and enter it in the site file if it does",
	  "%dが開示資料にあるサービス%sを、開示資料・施設設定にない相手%pと使用しました",
	  "相手の妥当性をシステム管理者へ確認し、妥当であれば施設設定へ登録してください" },
	{ RULE_DISABLED_USED,
	  "%d uses %s with %p, which is declared as switched off and not enabled in the inventory",
	  "ask who switched it on, and enable it in the inventory if that was agreed",
	  "%dが無効のはずの機能%sを%pと使用しています",
	  "有効化の経緯を確認し、合意済みであれば台帳で有効にしてください" },
	{ RULE_DIFFERENT_PROTOCOL,
	  "%d and %p speak another protocol on %s than the one declared (seen: %g)",
	  "ask the manufacturer which protocol belongs there",
	  "%dと%pの間の%sで、開示資料と異なるプロトコル（観測：%g）が使われています",
	  "正しいプロトコルを製造販売業者へ照会してください" },
	{ RULE_CLEAR_TEXT,
	  "%d and %p speak clear text on %s where encryption is declared (seen: %g)",
	  "ask the manufacturer how encryption is switched on",
	  "%dと%pの間の%sは暗号化されると開示されていますが、平文（観測：%g）で通信しています",
	  "暗号化の設定方法を製造販売業者へ照会してください" },
	{ RULE_WRONG_INITIATOR,
	  "the connection between %d and %p on %s was opened by the other side than declared",
	  "ask the manufacturer which side is meant to connect",
	  "%dと%pの間の%sで、開示資料と逆の側が接続を開始しました",
	  "発信・着信の別を製造販売業者へ照会してください" },
	{ RULE_INTERNET,
	  "%d, declared to stay inside the hospital, talks to %p on the internet (%s)",
	  "ask the manufacturer what the connection is for and tell the network's owner",
	  "院内限定と開示された%dが、インターネット上の%pと通信しています（%s）",
	  "用途を製造販売業者へ照会し、ネットワーク管理者へ連絡してください" },
	{ RULE_FORBIDDEN,
	  "traffic between %d and %p on %s is forbidden",
	  "ask the owner of the rule and of the device which of them has to change",
	  "%dと%pの間の%sは禁止通信です",
	  "規程と機器の管理者へ確認してください" },
	{ RULE_UNKNOWN_AE,
	  "the AE title %a, which nobody declared, called %d (with %p, %s)",
	  "find out whose title it is and enter it in the inventory if it belongs there",
	  "開示資料・台帳にないAEタイトル%aから%dへ接続要求がありました（相手：%p、%s）",
	  "使用者を確認し、妥当であれば台帳へ登録してください" },
	{ RULE_AE_IMPERSONATION,
	  "%p, a host other than %d, says the AE title %a of %d (%s)",
	  "check whether the unit was moved or its address changed, and if not, who uses its title",
	  "%dのAEタイトル%aを、別のホスト%pが名乗っています（%s）",
	  "機器の移設やアドレス変更の有無を確認し、なければ使用者を調べてください" },
	{ RULE_HL7_MESSAGE,
	  "%d and %p exchange an HL7 message on %s that the declaration does not name (seen: %w)",
	  "ask the interface's owner whether it belongs there",
	  "%dと%pの間の%sで、開示資料に記載のないHL7メッセージ（観測：%w）が使われています",
	  "連携の担当者へ確認してください" },
	{ RULE_UNKNOWN_DEVICE,
	  "%d, a host that stands in no register, talks with %p (seen: %w)",
	  "find out what it is and enter it in the inventory",
	  "台帳にない機器%dが%pと通信しています（観測：%w）",
	  "機器を特定し、ME機器台帳へ登録してください" },
	{ RULE_SCAN,
	  "%d tries many addresses or ports that do not answer (last: %s)",
	  "ask its owner whether it is an authorised scanner, and have it examined if it is not",
	  "%dが、応答のない多数のアドレスまたはポートへ接続を試みています（最後：%s）",
	  "許可された検査かを管理者へ確認し、そうでなければ機器を調べてください" },
	{ RULE_FLOOD,
	  "%d gets very many connection attempts that come to nothing (%s)",
	  "check whether the device still serves its users, and find out with the network's owner where they come from",
	  "%dが、成立しない大量の接続試行を受けています（%s）",
	  "機器の稼働状況を確認し、発信元をネットワーク管理者と調べてください" },
	{ RULE_DICOM_PREAMBLE,
	  "%d sent %p a DICOM file that is also another kind of file (seen: %w; CVE-2019-11687)",
	  "keep the file from being opened outside the DICOM software, and find out where it came from",
	  "%dから%pへ、別の形式（観測：%w、CVE-2019-11687）を兼ねるDICOMファイルが転送されました",
	  "DICOMソフトウェア以外で開かず、入手元を確認してください" },
	{ RULE_CONFLICT,
	  "%d sent other bytes to %p for a place of the stream it had sent before (%s)",
	  "ask the network's owner whether a proxy or a faulty link stands in between, or somebody hides data from sensors",
	  "%dが%pへ、送信済みの位置に異なる内容を再送しました（%s）",
	  "中継装置や回線の異常か検知回避かをネットワーク管理者へ確認してください" },
	{ RULE_SOP_CLASS,
	  "%d and %p use a DICOM service on %s that the declaration does not name (seen: %w)",
	  "ask the manufacturer for the current conformance statement",
	  "%dと%pの間の%sで、開示資料に記載のないDICOMサービス（観測：%w）が使われています",
	  "最新の適合性宣言書を製造販売業者へ照会してください" },
	{ RULE_DICOM_ROLE,
	  "%d takes the other role of a DICOM service with %p on %s than the one declared (seen: %w)",
	  "ask the manufacturer which role the device has",
	  "%dが%pとの%sで、開示資料と逆の役割（観測：%w）でDICOMサービスを使用しています",
	  "機器の役割を製造販売業者へ照会してください" },
	{ RULE_ANSWER_ENCRYPTED,
	  "%d and %p speak %g in clear text on %s, though the maker answers that what is sent is encrypted",
	  "ask the manufacturer what the answer covers",
	  "%dと%pの間の%sは平文（%g）ですが、製造販売業者は送信時に暗号化すると回答しています",
	  "回答の範囲を製造販売業者へ照会してください" },
	{ RULE_ANSWER_REMOTE,
	  "%d was reached by %p for remote work (%g, %s), though the maker answers that there is no remote service",
	  "ask the manufacturer what the service is for, and find out who worked on the device",
	  "%dが%pから遠隔操作（%g、%s）を受けましたが、製造販売業者は遠隔保守なしと回答しています",
	  "用途を製造販売業者へ照会し、作業者を確認してください" },
	{ RULE_NEVER_SEEN,
	  "%d did not use a declared service in the time watched; a backup or an emergency access is normally not seen",
	  "ask the manufacturer whether it is needed",
	  "%dの開示済みサービスは、観測期間内に通信がありません"
	  "（バックアップや緊急用の口は普段見えません）",
	  "要否を製造販売業者へ照会してください" },
	{ RULE_OVER_LIMIT,
	  "%d exceeds with %p on %s what the declaration allows (seen: %w)",
	  "ask the manufacturer whether the limit still holds, and the device's users what has changed",
	  "%dと%pの間の%sの通信が、開示資料の上限を超えています（観測：%w）",
	  "上限の妥当性を製造販売業者へ、利用状況の変化を使用部門へ確認してください" },
	{ RULE_OFF_SCHEDULE,
	  "%d spoke with %p on %s outside the hours that the declaration names",
	  "find out who was at work, and ask the manufacturer whether the hours still hold",
	  "%dが%pと、開示資料の時間帯を外れて%sで通信しました",
	  "作業の有無を確認し、時間帯を製造販売業者へ照会してください" },
	{ RULE_TOO_MANY_PEERS,
	  "%d speaks with more peers than the declaration allows (%w), now also with %p on %s",
	  "check with the system's owner whether the peer belongs there",
	  "%dの通信相手の数が開示資料の上限を超えました（観測：%w、新たな相手：%p、%s）",
	  "相手の妥当性をシステム管理者へ確認してください" },
	{ RULE_LIMITED_SUPPORT,
	  "%d is in use after its end of life: support is limited until it ends",
	  "plan its replacement with the manufacturer, or a compensating control",
	  "%dは製品寿命終了（EOL）後に使用されています（限定的サポート期間）",
	  "更新または補完的対策の計画を製造販売業者と相談してください" },
	{ RULE_SUPPORT_ENDED,
	  "%d is in use after its end of support",
	  "record who answers for its further use and until when, and which controls protect it",
	  "%dはサポート終了（EOS）後に使用されています",
	  "継続使用の責任者と期限、補完的対策を記録してください" },
	{ RULE_NETWORK_USE_ENDED,
	  "%d is on the network after the noted end of its network use (with %p, %w)",
	  "check with its users whether it is still needed, and re-assess how it is protected until it is replaced",
	  "%dが、ネットワーク使用終了日より後に通信しています（相手：%p、%w）",
	  "使用の要否を使用部門へ確認し、更新までの保護方法を再評価してください" },
	{ RULE_CONTROL_BYPASS,
	  "%d and %p spoke on %s, which a compensating control should have stopped",
	  "check the control's configuration, and re-assess with the manufacturer whether the device is still protected",
	  "%dと%pの間で、補完的対策が遮断するはずの%sを観測しました",
	  "対策の設定を確認し、保護の有効性を製造販売業者と再評価してください" },
	{ RULE_HL7_REPLAY,
	  "%d got an HL7 message from %p on %s under a control id that it had answered, from elsewhere or with other content",
	  "ask the interface's owner whether a second sender was put into service, and if not, who sends in its name",
	  "%dが応答済みのHL7制御IDを%pから再び受信しました（%s、送信元か内容が相違）",
	  "送信系の切替えの有無を連携の担当者へ確認し、なければ送信元を調べてください" },
	{ RULE_HL7_ORDER_CHANGED,
	  "%d got an order from %p on %s with the number of one that another host had placed, and other content",
	  "compare the order with the system that placed it, and ask the interface's owner who may change orders",
	  "%dが、別ホスト発行のものと同じ番号で内容の異なるオーダーを%pから受信しました（%s）",
	  "発行元システムの内容と照合し、変更の権限を連携の担当者へ確認してください" },
	{ RULE_HL7_UNANSWERED,
	  "%d did not answer an HL7 message of %p on %s, where it had answered others",
	  "ask the interface's owner whether it is stuck",
	  "%dが%pのHL7メッセージに応答していません（%s、以前は応答あり）",
	  "連携の停止の有無を担当者へ確認してください" },
	{ RULE_TLS_VERSION,
	  "%d and %p agreed on an older version of TLS on %s than the one declared (seen: %w)",
	  "ask the manufacturer how the older versions are switched off, and check the peer's settings",
	  "%dと%pの間の%sで、開示資料より古いTLS（観測：%w）が使われています",
	  "古いバージョンの無効化を製造販売業者へ照会し、相手側の設定を確認してください" },
	{ RULE_IDENTITY_CONFLICT,
	  "%d says of itself what the inventory does not (seen: %w)",
	  "check whether the unit was exchanged or set up anew, and correct the inventory, or find out who uses its name",
	  "%dの自称する情報が台帳と一致しません（観測：%w）",
	  "機器の交換や再設定を確認して台帳を訂正するか、名称の使用者を調べてください" },
	{ RULE_LEASE_CONFLICT,
	  "what is known of %d contradicts: its address was %w",
	  "check whether the unit was exchanged or its address given away, and correct the inventory or the DHCP server",
	  "%dのアドレスについて、割当てと台帳または通信が一致しません（観測：%w）",
	  "機器の交換やアドレスの再割当てを確認し、台帳またはDHCPサーバーを訂正してください" },
	{ RULE_DHCP_SERVER,
	  "%d gives addresses to others, though the site names other hosts for that (seen: %w)",
	  "find out with the network's owner what it is; if it is one of the hospital's, enter it in the site file",
	  "%dが、施設設定にないままアドレスを配布しています（観測：%w）",
	  "ネットワーク管理者と機器を特定し、院内のものであれば施設設定へ登録してください" },
	{ RULE_CLEAR_TEXT_LOGIN,
	  "somebody at %p logged in to %d on %s with a password in clear text (seen: %w)",
	  "ask the manufacturer for an encrypted way, and change the password once it is in use",
	  "%pから%dの%sへ、パスワードが平文のログイン（観測：%w）がありました",
	  "暗号化できる方法を製造販売業者へ照会し、移行後にパスワードを変更してください" },
	{ RULE_NO_LOGIN,
	  "%d let %p onto its screen on %s without any log-in (seen: %w)",
	  "ask the manufacturer how a password is set, and find out who worked on the device",
	  "%dが、認証なしで%pに画面操作を許しました（%s、観測：%w）",
	  "パスワードの設定方法を製造販売業者へ照会し、操作者を確認してください" },
	{ RULE_SMB1,
	  "%d speaks the first version of SMB with %p on %s",
	  "ask the manufacturer whether it can be switched off",
	  "%dが%pとの%sでSMBバージョン1を使用しています",
	  "無効化できるかを製造販売業者へ照会してください" },
	{ RULE_SNMP_DEFAULT_COMMUNITY,
	  "%d spoke SNMP with %p on %s under a community that everybody knows",
	  "have the community changed, or version 3 used",
	  "%dが%pとの%sで、既定のコミュニティ名のSNMPを使用しました",
	  "コミュニティ名の変更かバージョン3への移行を管理者へ依頼してください" },
	{ RULE_CERTIFICATE_EXPIRED,
	  "%d showed %p a certificate on %s that has expired",
	  "ask the manufacturer for a new one",
	  "%dが%pへ、有効期限切れの証明書を提示しました（%s）",
	  "証明書の更新を製造販売業者へ照会してください" },
	{ RULE_CERTIFICATE_SELF_SIGNED,
	  "%d showed %p a certificate on %s that it signed itself",
	  "check with the manufacturer how its peers make sure that it is the right one",
	  "%dが%pへ、自己署名証明書を提示しました（%s）",
	  "相手側での真正性の確認方法を製造販売業者へ照会してください" },
	{ RULE_TLS_BELOW_12,
	  "%d agreed with %p on a version of TLS below 1.2 on %s (seen: %w)",
	  "ask the manufacturer whether TLS 1.2 or 1.3 can be switched on",
	  "%dが%pとの%sでTLS 1.2未満（観測：%w）を使用しています",
	  "TLS 1.2以上を有効にできるかを製造販売業者へ照会してください" },
	{ RULE_CANNOT_SAY,
	  "whether the traffic between %d and %p on %s is as declared cannot be said (%h)",
	  "check that the mirror port shows the whole traffic",
	  "%dと%pの間の%sが開示資料どおりかは判定できません（理由：%h）",
	  "ミラーポートで全通信が見えているか確認してください" },
	{ RULE_FLOW_DECLARED,
	  "%d speaks with %p on %s as declared",
	  "nothing is to be done",
	  "%dと%pの間の%sは開示資料どおりです",
	  "対応は不要です" },
};

/* Of what differs, or why nothing can be said, where that asks for another sentence. */
static const struct { enum event_what what; struct sentence is; } particular[] = {
	{ EVENT_WHAT_HL7_APP, { RULE_HL7_MESSAGE,
	  "%d and %p exchange an HL7 message on %s whose version, application or facility is another than declared (seen: %w)",
	  "ask the interface's owner whether one of the two systems was updated or set up anew",
	  "%dと%pの間の%sで、HL7メッセージの版・アプリケーション・施設が"
	  "開示資料と異なります（観測：%w）",
	  "システムの更新や設定変更の有無を連携の担当者へ確認してください" } },
	/* The mirror port is not at fault in these three. */
	{ EVENT_WHAT_ENCRYPTED, { RULE_CANNOT_SAY,
	  "whether the traffic between %d and %p on %s is as declared cannot be said: what is said inside is encrypted",
	  "ask whoever administers the two systems what they exchange, where that matters",
	  "%dと%pの間の%sが開示資料どおりかは、内容が暗号化されており判定できません",
	  "必要であれば、交換している内容を両システムの管理者へ確認してください" } },
	{ EVENT_WHAT_ROUTER, { RULE_CANNOT_SAY,
	  "whether the traffic between %d and %p on %s is as declared cannot be said: the host is behind a router, which hides its "
	  "hardware address",
	  "enter the IP address of the unit in the inventory, or mirror the network on its own side of the router",
	  "%dと%pの間の%sが開示資料どおりかは、"
	  "機器がルーターの背後にありMACアドレスで識別できないため判定できません",
	  "台帳に機器のIPアドレスを登録するか、ルーターより機器側をミラーしてください" } },
	{ EVENT_WHAT_PEER, { RULE_CANNOT_SAY,
	  "whether the traffic between %d and %p on %s is as declared cannot be said: the document names the peer by a host name, which is "
	  "not looked up",
	  "ask the manufacturer for the addresses behind that name, and give them a role in the site file",
	  "%dと%pの間の%sが開示資料どおりかは、"
	  "接続先がホスト名で記載されており照合できないため判定できません",
	  "接続先のアドレスを製造販売業者へ照会し、施設設定に役割として登録してください" } },
};

static void put_span(struct buf *out, struct span s) { (void)buf_put(out, s.p, s.n); }

static void put_addr(struct buf *out, const struct addr *a)
{
	char text[ADDR_STRLEN];
	(void)buf_str(out, addr_str(a, text));
}

static void put_device(const struct event *e, struct buf *out, bool ja)
{
	if (event_has(e, EVENT_F_device) && e->device.n)
		put_span(out, e->device);
	else if (event_has(e, EVENT_F_device_addr))
		put_addr(out, &e->device_addr);
	else
		(void)buf_str(out, ja ? "不明な機器" : "an unknown host");
}

static void put_peer(const struct event *e, struct buf *out, bool ja)
{
	bool named = event_has(e, EVENT_F_peer) && e->peer.n;
	if (named)
		put_span(out, e->peer);
	if (!event_has(e, EVENT_F_peer_addr)) {
		if (!named && event_has(e, EVENT_F_peer_class)) {
			(void)buf_str(out, ja ? "複数のホスト（" : "several hosts (");
			put_span(out, e->peer_class);
			(void)buf_str(out, ja ? "）" : ")");
		} else if (!named) {
			(void)buf_str(out, ja ? "不明な相手" : "an unknown peer");
		}
		return;
	}
	if (named)
		(void)buf_str(out, ja ? "（" : " (");
	put_addr(out, &e->peer_addr);
	if (named)
		(void)buf_str(out, ja ? "）" : ")");
}

static void put_service(const struct event *e, struct buf *out, bool ja)
{
	const char *transport = event_has(e, EVENT_F_transport)
	                                ? vocab_word(&event_vocab, EVENT_F_transport, e->transport) : NULL;
	if (transport && event_has(e, EVENT_F_port))
		(void)buf_printf(out, "%s/%llu", transport, (unsigned long long)e->port);
	else if (event_has(e, EVENT_F_port))
		(void)buf_printf(out, ja ? "ポート%llu" : "port %llu", (unsigned long long)e->port);
	else
		(void)buf_str(out, transport ? transport : ja ? "ポート不明" : "an unknown port");
}

static void put_words(struct span s, struct buf *out, bool ja)
{
	if (!ja || !rule_ja_put(s, out))
		put_span(out, s);
}

static void put_seen(const struct event *e, struct buf *out, bool ja)
{
	if (event_has(e, EVENT_F_service) && e->service.n)
		put_span(out, e->service);
	else if (event_has(e, EVENT_F_seen) && e->seen.n)
		put_words(e->seen, out, ja);
	else
		(void)buf_str(out, ja ? "不明" : "unknown");
}

static void put_template(const struct event *e, const char *t, struct buf *out, bool ja)
{
	for (; *t; t++) {
		if (*t != '%') {
			(void)buf_put(out, t, 1);
			continue;
		}
		switch (*++t) {
		case 'd': put_device(e, out, ja); break;
		case 'p': put_peer(e, out, ja); break;
		case 's': put_service(e, out, ja); break;
		case 'g': put_seen(e, out, ja); break;
		case 'w':
			if (event_has(e, EVENT_F_seen) && e->seen.n)
				put_words(e->seen, out, ja);
			else
				put_service(e, out, ja);
			break;
		case 'h': (void)buf_str(out, WORD(what_words, e->what, ja ? RULE_JA : RULE_EN)); break;
		case 'a':
			if (event_has(e, EVENT_F_calling_ae))
				put_span(out, e->calling_ae);
			else
				(void)buf_str(out, "?");
			break;
		default: return;
		}
	}
}

static const char *const authority_words[][2] = {
	[EVENT_AUTH_DOCUMENT] = { "the document ", "開示資料" },
	[EVENT_AUTH_INVENTORY] = { "the inventory ", "台帳" },
	[EVENT_AUTH_SITE] = { "the site file ", "施設設定" },
	/* What the sensor judges by itself, it judges by a standard. */
	[EVENT_AUTH_SENSOR] = { "the standard ", "標準規格" },
};

/* English, after what was seen: `; the document IFU-ER400 (revision 3), X-1, says "dicom tcp/104 to pacs"`.
 * Japanese, before it: 「IFU-ER400」 and so on in the light of which. */
static void put_authority(const struct event *e, struct buf *out, bool ja)
{
	bool row = event_has(e, EVENT_F_row) && e->row.n, said = event_has(e, EVENT_F_said) && e->said.n;
	bool revision = event_has(e, EVENT_F_revision) && e->revision.n;
	if (!event_has(e, EVENT_F_document) || !e->document.n)
		return;
	unsigned a = event_has(e, EVENT_F_authority) ? (unsigned)e->authority : EVENT_AUTH_DOCUMENT;
	if (!ja) {
		(void)buf_str(out, "; ");
		(void)buf_str(out, WORD(authority_words, a, RULE_EN));
		put_span(out, e->document);
		if (revision) {
			(void)buf_str(out, " (revision ");
			put_span(out, e->revision);
			(void)buf_str(out, ")");
		}
		if (row) {
			(void)buf_str(out, ", ");
			put_span(out, e->row);
		}
		if (said) {
			(void)buf_str(out, row ? ", says \"" : " says \"");
			put_span(out, e->said);
			(void)buf_str(out, "\"");
		}
		return;
	}
	(void)buf_str(out, WORD(authority_words, a, RULE_JA));
	(void)buf_str(out, "「");
	put_span(out, e->document);
	(void)buf_str(out, "」");
	if (revision || row || said) {
		const char *before = "（";
		if (revision) {
			(void)buf_str(out, "（版：");
			put_span(out, e->revision);
			before = "、";
		}
		if (row) {
			(void)buf_str(out, before);
			put_span(out, e->row);
			before = "、";
		}
		if (said) {
			(void)buf_str(out, before);
			(void)buf_str(out, "記載：");
			put_words(e->said, out, true);
		}
		(void)buf_str(out, "）");
	}
	(void)buf_str(out, "に照らすと、");
}

static const struct sentence *find_sentence(const struct event *e, const struct rule *r)
{
	for (size_t i = 0; i < sizeof(particular) / sizeof(particular[0]); i++)
		if (r == &rules[particular[i].is.id] && event_has(e, EVENT_F_what) && e->what == particular[i].what)
			return &particular[i].is;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (r == &rules[sentences[i].id])
			return &sentences[i];
	return NULL;
}

int rule_explain(const struct event *e, enum rule_language lang, struct buf *out)
{
	bool ja = lang == RULE_JA;
	size_t mark = out->len;
	const struct rule *r = event_has(e, EVENT_F_rule) ? rule_find(e->rule) : NULL;
	const struct sentence *is = find_sentence(e, r);
	if (!is) {
		/* A newer sensor's rule, or one that asks nothing of anybody: its title, or its name. */
		put_device(e, out, ja);
		(void)buf_str(out, ja ? "：" : ": ");
		if (r)
			(void)buf_str(out, ja ? r->title_ja : r->title_en);
		else if (event_has(e, EVENT_F_rule))
			put_span(out, e->rule);
		(void)buf_str(out, ja ? "。" : ".");
	} else {
		if (ja)
			put_authority(e, out, true);
		put_template(e, ja ? is->seen_ja : is->seen_en, out, ja);
		if (!ja)
			put_authority(e, out, false);
		(void)buf_str(out, ja ? "ので、" : "; ");
		(void)buf_str(out, ja ? is->ask_ja : is->ask_en);
		(void)buf_str(out, ja ? "。" : ".");
	}
	if (out->full) {
		buf_rewind(out, mark);
		return -ENOBUFS;
	}
	return 0;
}
