#include "documents/port_heading.h"

#include <stdio.h>
#include <string.h>

#include "documents/words.h"
#include "rules/policy_table.h"

static const struct { enum port_heading heading; const char *words; } names[] = {
	{ PORT_HEADING_PORT, "port|ports|default tcp/ip port|port number|port numbers|port no|port no.|tcp port|udp port|tcp/udp port|"
		"tcp/ip port|server port|"
	  "destination port|dst port|listening port|default port|ポート|ポート番号|ポートno|ポートno.|使用ポート|"
		"使用ポート番号|待受ポート|"
	  "宛先ポート|宛先ポート番号|接続先ポート|サーバポート|既定ポート" },
	{ PORT_HEADING_LOCAL_PORT, "source port|src port|local port|送信元ポート|送信元ポート番号|自ポート" },
	{ PORT_HEADING_PROTOCOL, "protocol|protocols|application protocol|network protocol|プロトコル|通信プロトコル|"
		"上位プロトコル|"
	  "アプリケーションプロトコル" },
	{ PORT_HEADING_TRANSPORT, "transport|transport protocol|transport layer|tcp/udp|l4|トランスポート|tcp/udpの別|tcp udp" },
	{ PORT_HEADING_SERVICE, "service|services|service name|application entity|application entity name|comms service|application|"
		"サービス|サービス名|通信サービス|"
		"アプリケーション" },
	{ PORT_HEADING_DIRECTION, "direction|directions|inbound/outbound|incoming/outgoing|in/out|方向|通信方向|接続方向|"
		"着信/発信|発信/着信|"
	  "発着信|着信 発信|発信 着信" },
	{ PORT_HEADING_INBOUND, "inbound|incoming|着信" },
	{ PORT_HEADING_OUTBOUND, "outbound|outgoing|発信" },
	{ PORT_HEADING_ROLE, "role|client/server|server/client|scu/scp|dicom role|役割|サーバ/クライアント|"
		"クライアント/サーバ|"
	  "サーバー/クライアント|クライアント/サーバー" },
	{ PORT_HEADING_PURPOSE, "purpose|function|port function|description|usage|use|用途|目的|説明|機能|ポート機能|"
		"通信内容|内容|利用目的|使用目的" },
	{ PORT_HEADING_PEER, "peer|peers|to|peer system|宛先機器|宛先ip|宛先ipアドレス|remote host|remote system|remote|"
		"destination|destinations|approved destination|"
	  "approved destinations|connects to|host|hostname|host name|ip address|ip|address|接続先|接続先機器|接続相手|"
		"通信相手|通信先|相手|相手先|宛先|"
	  "対向|対向機器|接続機器|接続元/接続先|接続先/接続元|ipアドレス|ホスト名" },
	{ PORT_HEADING_FROM, "source|from|initiator|source host|source device|送信元|発信元|接続元|送信元機器|送信元ip|"
		"送信元ipアドレス" },
	{ PORT_HEADING_ENCRYPTION, "encryption|encrypted|tls|tls/ssl|ssl/tls|secure|暗号化|暗号|暗号化の有無|暗号化有無|"
		"暗号通信" },
	{ PORT_HEADING_STATE, "default|default state|default value|default setting|status|state|enabled|enabled by default|初期値|"
		"初期状態|初期設定|"
	  "状態|既定|既定値|デフォルト|出荷時|出荷時設定|出荷時状態|工場出荷時" },
	{ PORT_HEADING_REQUIRED, "required|mandatory|必須|必須/任意|必要性|要否" },
	{ PORT_HEADING_PHI, "phi|ephi|pii|contains phi|personal data|個人情報|患者情報|個人情報の有無" },
	{ PORT_HEADING_AE, "ae title|ae|aet|aetitle|default ae title|local ae title|aeタイトル|自aeタイトル" },
	{ PORT_HEADING_CALLED_AE, "called ae|called ae title|remote ae|remote ae title|相手aeタイトル|接続先aeタイトル" },
	{ PORT_HEADING_NUMBER, "no|no.|#|id|row|item|項番|番号|行" },
	{ PORT_HEADING_NOTES, "notes|note|remark|remarks|comment|comments|備考|注記|補足|コメント|特記事項" },
	{ PORT_HEADING_CONFIGURABLE, "configurable|changeable|変更可否|変更可|変更可能|設定変更|変更の可否" },
};

static enum port_heading find(struct span text, bool whole)
{
	char memory[WORDS_MAX], mark[WORDS_MARK];
	words_take_mark(&text, mark);
	struct span p = words_plain(text, memory);
	/* What stands in brackets explains. */
	for (size_t i = 0; i < p.n; i++)
		if (p.p[i] == '(' && i) {
			p.n = i;
			break;
		}
	while (p.n && (p.p[p.n - 1] == ' ' || p.p[p.n - 1] == ':'))
		p.n--;
	if (!p.n || p.n > 64)
		return PORT_HEADING_NONE;
	/* The whole heading, or its beginning up to a blank: the longest that fits. */
	enum port_heading best = PORT_HEADING_NONE;
	size_t best_n = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (const char *w = names[i].words; *w;) {
			size_t n = strcspn(w, "|");
			bool fits = n <= p.n && !memcmp(w, p.p, n) && (n == p.n || (!whole && (p.p[n] == ' ' || p.p[n] == ',')));
			if (fits && n > best_n) {
				best = names[i].heading;
				best_n = n;
			}
			w += n + (w[n] == '|');
		}
	return best;
}

enum port_heading port_heading_read(struct span text) { return find(text, false); }
bool port_heading_is(struct span text) { return find(text, true) != PORT_HEADING_NONE; }

size_t port_heading_row(const struct sheet_book *b, size_t sheet, uint32_t row, enum port_heading ret[static PORT_HEADING_COLUMNS])
{
	size_t n, known = 0;
	bool have[PORT_HEADINGS] = { false };
	const struct sheet_cell *c = sheet_row(b, sheet, row, &n);
	for (size_t i = 0; i < PORT_HEADING_COLUMNS; i++)
		ret[i] = PORT_HEADING_NONE;
	for (size_t i = 0; i < n && i < PORT_HEADING_COLUMNS; i++) {
		ret[i] = port_heading_read(sheet_text(b, &c[i]));
		known += ret[i] != PORT_HEADING_NONE && !have[ret[i]];
		have[ret[i]] = true;
	}
	return known >= 2 && have[PORT_HEADING_PORT] ? known : 0;
}

/* ---- services ---- */

static const struct { const char *word; int proto; } services[] = {
	{ "dicom", POLICY_PROTO_DICOM }, { "dicom-tls", POLICY_PROTO_DICOM_TLS }, { "dimse", POLICY_PROTO_DICOM }, { "mwl",
		POLICY_PROTO_DICOM },
	{ "mpps", POLICY_PROTO_DICOM }, { "modality worklist", POLICY_PROTO_DICOM }, { "c-store", POLICY_PROTO_DICOM },
	{ "c-find", POLICY_PROTO_DICOM }, { "c-move", POLICY_PROTO_DICOM },
	{ "hl7", POLICY_PROTO_HL7 }, { "mllp", POLICY_PROTO_HL7 }, { "mllps", POLICY_PROTO_HL7_TLS },
	{ "http", POLICY_PROTO_HTTP }, { "https", POLICY_PROTO_HTTPS }, { "dicomweb", POLICY_PROTO_HTTP }, { "fhir", POLICY_PROTO_HTTP },
	{ "ssh", POLICY_PROTO_SSH }, { "sftp", POLICY_PROTO_SSH }, { "scp (ssh)", POLICY_PROTO_SSH }, { "telnet", POLICY_PROTO_TELNET },
	{ "ftp", POLICY_PROTO_FTP }, { "smb", POLICY_PROTO_SMB }, { "cifs", POLICY_PROTO_SMB }, { "samba", POLICY_PROTO_SMB },
	{ "windows file sharing", POLICY_PROTO_SMB }, { "ファイル共有", POLICY_PROTO_SMB },
	{ "rdp", POLICY_PROTO_RDP }, { "remote desktop", POLICY_PROTO_RDP }, { "リモートデスクトップ", POLICY_PROTO_RDP },
	{ "vnc", POLICY_PROTO_VNC }, { "ldap", POLICY_PROTO_LDAP }, { "ldaps", POLICY_PROTO_LDAPS },
	{ "smtp", POLICY_PROTO_SMTP }, { "sql", POLICY_PROTO_SQL }, { "mssql", POLICY_PROTO_SQL }, { "mysql", POLICY_PROTO_SQL },
	{ "postgresql", POLICY_PROTO_SQL }, { "oracle", POLICY_PROTO_SQL }, { "lpr", POLICY_PROTO_PRINT }, { "lpd", POLICY_PROTO_PRINT },
	{ "ipp", POLICY_PROTO_PRINT }, { "nfs", POLICY_PROTO_NFS }, { "kerberos", POLICY_PROTO_KERBEROS },
	{ "syslog", POLICY_PROTO_SYSLOG }, { "ntp", POLICY_PROTO_NTP }, { "sntp", POLICY_PROTO_NTP }, { "dns", POLICY_PROTO_DNS },
	{ "dhcp", POLICY_PROTO_DHCP }, { "bootp", POLICY_PROTO_DHCP }, { "snmp", POLICY_PROTO_SNMP }, { "tftp", POLICY_PROTO_TFTP },
	{ "mdns", POLICY_PROTO_MDNS }, { "bonjour", POLICY_PROTO_MDNS }, { "radius", POLICY_PROTO_RADIUS },
	{ "icmp", POLICY_PROTO_ICMP }, { "ping", POLICY_PROTO_ICMP }, { "proprietary", POLICY_PROTO_VENDOR }, { "vendor",
		POLICY_PROTO_VENDOR },
	{ "独自", POLICY_PROTO_VENDOR }, { "メーカー独自", POLICY_PROTO_VENDOR },
};

struct port_heading_service port_heading_service(struct span plain)
{
	struct port_heading_service r = { .proto = -1 };
	static const char *const tls[] = { "tls", "ssl", "dtls", "tls1", "tlsv1" };
	for (size_t i = 0; i < sizeof(tls) / sizeof(tls[0]); i++)
		r.tls = r.tls || words_has(plain, tls[i]);
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		if (!words_has(plain, services[i].word))
			continue;
		int base = (int)policy_proto_base((unsigned)services[i].proto);
		bool secure = policy_proto_tls((unsigned)services[i].proto) == POLICY_TLS_YES;
		r.tls = r.tls || secure;
		/* "dicom-tls" holds the word dicom. */
		r.clear = r.clear || (!secure && services[i].proto != POLICY_PROTO_DICOM);
		if (r.proto >= 0 && (int)policy_proto_base((unsigned)r.proto) != base)
			r.several = true;
		else if (r.proto < 0 || !secure)
			r.proto = services[i].proto;
	}
	if (r.proto == POLICY_PROTO_DICOM)
		r.clear = !r.tls;
	/* FTP over TLS and the like are not told from the plain one: the encryption says it. */
	if (r.tls && r.clear && r.proto >= 0 && !memchr(plain.p, '/', plain.n))
		r.clear = false;
	return r;
}

/* ---- roles ---- */

static const struct { const char *word, *role; } roles[] = {
	{ "pacs", "pacs" }, { "画像サーバ", "pacs" }, { "ris", "ris" }, { "放射線情報システム", "ris" }, { "his", "his" },
	{ "電子カルテ", "emr" }, { "emr", "emr" }, { "ehr", "emr" }, { "オーダリング", "his" }, { "modality", "modality" },
	{ "モダリティ", "modality" }, { "ntp", "ntp" }, { "時刻サーバ", "ntp" }, { "タイムサーバ", "ntp" }, { "time",
		"ntp" }, { "dns", "dns" },
	{ "dhcp", "dhcp" }, { "active directory", "ad" }, { "ad", "ad" }, { "ドメインコントローラ", "ad" },
		{ "domain controller", "ad" },
	{ "printer", "printer" }, { "プリンタ", "printer" }, { "プリンター", "printer" }, { "syslog", "syslog" }, { "siem",
		"syslog" },
	{ "ファイル", "file-server" }, { "file", "file-server" }, { "検査システム", "lis" }, { "lis", "lis" },
	{ "workstation", "workstation" }, { "ワークステーション", "workstation" }, { "保守端末", "service-terminal" },
	{ "保守用pc", "service-terminal" }, { "service pc", "service-terminal" }, { "service laptop", "service-terminal" },
	{ "管理端末", "admin-terminal" }, { "リモートセンター", "vendor" }, { "リモート保守センター", "vendor" },
		{ "保守センター", "vendor" },
	{ "メーカー", "vendor" }, { "サービスセンター", "vendor" }, { "manufacturer", "vendor" }, { "vendor", "vendor" },
	{ "service center", "vendor" },
};

const char *port_heading_role(struct span p, char *ret, size_t n)
{
	static const char *const tails[] = { " servers", " server", " system", " systems", "サーバー", "サーバ", "システム",
		"装置", " host" };
	ret[0] = 0;
	for (int again = 0; again < 2; again++)
		for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
			size_t k = strlen(tails[i]);
			if (p.n > k && !memcmp(p.p + p.n - k, tails[i], k))
				p.n -= k;
		}
	while (p.n && p.p[p.n - 1] == ' ')
		p.n--;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		struct span w = span_str(roles[i].word);
		/* With or without the tail that was taken. */
		size_t k = w.n;
		if (k > strlen("サーバ") && !memcmp(w.p + k - strlen("サーバ"), "サーバ", strlen("サーバ")))
			k -= strlen("サーバ");
		if (span_eq(p, w) || span_eq(p, (struct span){ w.p, k })) {
			(void)snprintf(ret, n, "%s", roles[i].role);
			break;
		}
	}
	return ret;
}
