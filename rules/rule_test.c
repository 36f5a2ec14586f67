/* Words and sentences for people. */
/* Covers: R064 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "core/utf8.h"
#include "rules/rule.h"

static void ids_are_unique_and_found(void)
{
	for (unsigned i = 0; i < RULE_COUNT; i++) {
		const struct rule *r = rule_get((enum rule_id)i);
		CU_ASSERT_PTR_NOT_NULL_FATAL(r);
		CU_ASSERT_PTR_EQUAL(rule_find(span_str(r->id)), r);
		CU_ASSERT(vocab_fits(VOCAB_G_ID, 48, span_str(r->id)));
		CU_ASSERT(r->title_en[0] && r->title_ja[0] && utf8_valid(span_str(r->title_ja)));
	}
	CU_ASSERT_PTR_NULL(rule_find(span_str("no.such.rule")));
	CU_ASSERT_PTR_NULL(rule_get(RULE_COUNT));
}

static void words(void)
{
	CU_ASSERT_STRING_EQUAL(rule_severity_word(EVENT_HIGH, RULE_JA), "高");
	CU_ASSERT_STRING_EQUAL(rule_severity_word(EVENT_CRITICAL, RULE_JA), "緊急");
	CU_ASSERT_STRING_EQUAL(rule_severity_word(EVENT_CRITICAL, RULE_EN), "critical");
	CU_ASSERT_STRING_EQUAL(rule_verdict_word(EVENT_UNDECLARED, RULE_JA), "開示資料に記載なし");
	CU_ASSERT_STRING_EQUAL(rule_verdict_word(EVENT_UNKNOWN_DEVICE, RULE_JA), "台帳未登録機器");
	CU_ASSERT_STRING_EQUAL(rule_family_word(EVENT_ANOMALOUS_TRAFFIC, RULE_JA), "異常トラフィック");
	CU_ASSERT_STRING_EQUAL(rule_family_word(EVENT_CONFIG_CHANGE, RULE_EN), "configuration change");
	/* a number from a newer version */
	CU_ASSERT_STRING_EQUAL(rule_severity_word((enum event_severity)99, RULE_JA), "?");
	CU_ASSERT_STRING_EQUAL(rule_verdict_word((enum event_verdict)99, RULE_EN), "?");
	CU_ASSERT_STRING_EQUAL(rule_family_word((enum event_type)99, RULE_EN), "?");
	for (unsigned i = 0; i < EVENT_VERDICTS; i++)
		CU_ASSERT_STRING_NOT_EQUAL(rule_verdict_word((enum event_verdict)i, RULE_JA), "?");
	for (unsigned i = 0; i < EVENT_TYPES; i++)
		CU_ASSERT_STRING_NOT_EQUAL(rule_family_word((enum event_type)i, RULE_JA), "?");
}

static struct event listener(void)
{
	static struct addr ip, peer;
	struct event e = { .head.type = EVENT_CONFIG_CHANGE };
	(void)addr_parse(span_str("10.20.1.10"), &ip);
	(void)addr_parse(span_str("10.9.0.2"), &peer);
	(void)event_text(&e, EVENT_F_rule, span_str("policy.undeclared_listener"));
	(void)event_text(&e, EVENT_F_device, span_str("ct-01"));
	vocab_set_addr(&event_vocab, &e.head, EVENT_F_device_addr, &ip);
	vocab_set_addr(&event_vocab, &e.head, EVENT_F_peer_addr, &peer);
	event_uint(&e, EVENT_F_transport, 0);
	event_uint(&e, EVENT_F_port, 8080);
	event_uint(&e, EVENT_F_authority, EVENT_AUTH_DOCUMENT);
	(void)event_text(&e, EVENT_F_document, span_str("MDS2-CT64"));
	(void)event_text(&e, EVENT_F_revision, span_str("4"));
	(void)event_text(&e, EVENT_F_row, span_str("SAHD-8"));
	(void)event_text(&e, EVENT_F_said, span_str("unused ports closed: yes"));
	return e;
}

static const char *explain(const struct event *e, enum rule_language lang)
{
	static char out[2048];
	struct buf b = buf_over(out, sizeof(out) - 1);
	CU_ASSERT_EQUAL(rule_explain(e, lang, &b), 0);
	out[b.len] = 0;
	return out;
}

static void whole_sentences(void)
{
	struct event e = listener();
	CU_ASSERT_STRING_EQUAL(explain(&e, RULE_EN),
		"ct-01 answered 10.9.0.2 on tcp/8080, a service that no document declares; the document MDS2-CT64 "
		"(revision 4), SAHD-8, says \"unused ports closed: yes\"; ask the manufacturer what the service is for and "
		"whether it can be switched off.");
	CU_ASSERT_STRING_EQUAL(explain(&e, RULE_JA),
		"開示資料「MDS2-CT64」（版：4、SAHD-8、記載：未使用ポートの閉鎖：はい）に照らすと、ct-01が10.9.0.2に対して"
		"tcp/8080で応答しましたが、このサービスは開示資料に記載がありませんので、用途と無効化の可否を製造販売業者へ"
		"照会してください。");
	(void)event_text(&e, EVENT_F_peer, span_str("biomed-workstation"));
	CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_EN), "biomed-workstation (10.9.0.2)"));
}

static struct event about(const char *rule, enum event_what what, const char *seen, const char *said)
{
	struct event e = listener();
	(void)event_text(&e, EVENT_F_rule, span_str(rule));
	event_uint(&e, EVENT_F_what, what);
	if (seen)
		(void)event_text(&e, EVENT_F_seen, span_str(seen));
	if (said)
		(void)event_text(&e, EVENT_F_said, span_str(said));
	return e;
}

/* What cannot be said has its reason and an advice of its own: only where packets are missing the mirror port is asked about. */
static void cannot_say_advises_by_its_reason(void)
{
	static const struct { enum event_what what; const char *en, *ja; } t[] = {
		{ EVENT_WHAT_ENCRYPTED, "what is said inside is encrypted; ", "内容が暗号化されており判定できませんので、" },
		{ EVENT_WHAT_ROUTER, "enter the IP address of the unit in the inventory", "台帳に機器のIPアドレスを登録" },
		{ EVENT_WHAT_PEER, "names the peer by a host name", "接続先がホスト名で記載されており照合できない" },
		{ EVENT_WHAT_LOSS, "check that the mirror port shows the whole traffic", "（理由：パケットの欠落）" },
		{ EVENT_WHAT_ONE_SIDED, "check that the mirror port shows the whole traffic", "ミラーポートで全通信が見えているか" },
		{ EVENT_WHAT_MIDSTREAM, "check that the mirror port shows the whole traffic", "ミラーポートで全通信が見えているか" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct event e = about("policy.cannot_say", t[i].what, NULL, NULL);
		CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_EN), t[i].en));
		CU_ASSERT((strstr(explain(&e, RULE_EN), "mirror port") != NULL) == (i > 2));
		CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_JA), t[i].ja));
		CU_ASSERT((strstr(explain(&e, RULE_JA), "ミラーポート") != NULL) == (i > 2));
	}
}

static void what_was_seen_stands_in_the_language(void)
{
	struct event e = about("policy.hl7_message", EVENT_WHAT_HL7_TYPE, "ADT^A01, version 2.5", NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_EN), "that the declaration does not name (seen: ADT^A01, version 2.5)"));
	CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_JA), "開示資料に記載のないHL7メッセージ（観測：ADT^A01, version 2.5）が使われています"));
	e = about("policy.hl7_message", EVENT_WHAT_HL7_APP, "ORU^R01, version 2.3", NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_EN), "whose version, application or facility is another than declared (seen: ORU^R01"));
	CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_JA), "HL7メッセージの版・アプリケーション・施設が開示資料と異なります"));
	e = about("policy.over_limit", EVENT_WHAT_LIMIT, "16968 bytes on one day", "limits");
	CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_JA), "記載：上限）に照らすと、ct-01と10.9.0.2の間のtcp/8080の通信が、開示資料の上限を超えて"
							     "います（観測：1日に16968バイト）"));
	CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_EN), "(seen: 16968 bytes on one day)"));
	e = about("policy.too_many_peers", EVENT_WHAT_PEERS, "3 peers", "x peers");
	CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_JA), "記載：x peers）に照らすと、ct-01の通信相手の数が"));
	CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_JA), "開示資料の上限を超えました（観測：通信相手3台、新たな相手："));
	/* A standing event of one device: its last peer, and no port of its own. */
	e = (struct event){ .head.type = EVENT_LIFECYCLE };
	(void)event_text(&e, EVENT_F_rule, span_str("lifecycle.network_use_ended"));
	(void)event_text(&e, EVENT_F_peer, span_str("pacs"));
	(void)event_text(&e, EVENT_F_document, span_str("IFU-X"));
	(void)event_text(&e, EVENT_F_said, span_str("end of network use: 2026-11-01"));
	(void)event_text(&e, EVENT_F_seen, span_str("tcp/104"));
	CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_JA), "（相手：pacs、tcp/104）"));
	CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_JA), "記載：ネットワーク使用終了：2026-11-01"));
	CU_ASSERT_PTR_NOT_NULL(strstr(explain(&e, RULE_EN), "(with pacs, tcp/104)"));
	CU_ASSERT_STRING_EQUAL(rule_what_word(EVENT_WHAT_PEERS, RULE_JA), "通信相手の数");
}

static void every_rule_has_a_sentence_from_the_barest_event(void)
{
	for (unsigned i = 0; i < RULE_COUNT; i++)
		for (int lang = RULE_EN; lang <= RULE_JA; lang++) {
			const struct rule *r = rule_get((enum rule_id)i);
			struct event e = { .head.type = (uint16_t)r->family };
			(void)event_text(&e, EVENT_F_rule, span_str(r->id));
			const char *s = explain(&e, (enum rule_language)lang);
			size_t n = strlen(s);
			CU_ASSERT(n > 10 && !strchr(s, '%') && utf8_valid(span_str(s)));
			/* One sentence, ended; never an order to disconnect what may be attached to a patient. */
			if (lang == RULE_EN) {
				CU_ASSERT(s[n - 1] == '.');
				CU_ASSERT_PTR_NULL(strstr(s, "isconnect"));
			} else {
				CU_ASSERT_STRING_EQUAL(s + n - strlen("。"), "。");
				CU_ASSERT_PTR_EQUAL(strstr(s, "。"), s + n - strlen("。"));
				CU_ASSERT_PTR_NULL(strstr(s, "切断"));
			}
			/* Words that mean something else in a hospital (docs/terms.md). */
			static const char *const avoid[] = { "警告", "禁忌", "致命的", "アラーム", "申告", "届出" };
			for (size_t k = 0; k < sizeof(avoid) / sizeof(avoid[0]); k++)
				CU_ASSERT_PTR_NULL(strstr(s, avoid[k]));
		}
	struct event none = { .head.type = EVENT_SENSOR };
	CU_ASSERT_STRING_EQUAL(explain(&none, RULE_EN), "an unknown host: .");
	(void)event_text(&none, EVENT_F_rule, span_str("from.the.future"));
	CU_ASSERT_STRING_EQUAL(explain(&none, RULE_EN), "an unknown host: from.the.future.");
}

static void too_little_room_leaves_nothing(void)
{
	struct event e = listener();
	size_t whole = strlen(explain(&e, RULE_JA));
	for (size_t room = 0; room < whole; room++) {
		char *mem = malloc(room ? room : 1);
		CU_ASSERT_PTR_NOT_NULL_FATAL(mem);
		struct buf b = buf_over(mem, room);
		CU_ASSERT_EQUAL(rule_explain(&e, RULE_JA, &b), -ENOBUFS);
		CU_ASSERT_EQUAL(b.len, 0);
		free(mem);
	}
}

int main(void)
{
	CU_pSuite s = test_begin("rule");
#define T(name) CU_add_test(s, #name, name)
	T(ids_are_unique_and_found);
	T(words);
	T(whole_sentences);
	T(cannot_say_advises_by_its_reason);
	T(what_was_seen_stands_in_the_language);
	T(every_rule_has_a_sentence_from_the_barest_event);
	T(too_little_room_leaves_nothing);
#undef T
	return test_end();
}
