/* What the lines of the journal did, for a Japanese table: made of the items before and after, which say all of it. */
#include <stdio.h>
#include <string.h>

#include "cli/decided.h"
#include "core/conf.h"

/* A text of an item for "%.*s"; its beginning. */
#define SHOW(s) (int)((s).n > 128 ? 128 : (s).n), (const char *)(s).p

static struct span said(const struct conf_node *item, const char *key) { return conf_text(conf_get(item, key), ""); }

static const char *until(const struct conf_node *item, const char *key, char ret[static DECIDED_LEFT])
{
	return decided_time(conf_date_ns(conf_get(item, key), 0), ret);
}

static void mode(const struct decide_entry *e, char ret[static DECIDE_WHAT])
{
	static const struct { const char *word, *ja; } modes[] = {
		{ "alert", "通常監視" }, { "report", "報告のみ" }, { "learn", "学習" },
	};
	char when[DECIDED_LEFT];
	struct span word = said(e->after, "mode");
	if (!e->after)
		(void)snprintf(ret, DECIDE_WHAT, "%.*sのモードを台帳の記載に戻した", SHOW(e->item));
	for (size_t i = 0; e->after && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (span_eq(word, span_str(modes[i].word))) {
			(void)until(e->after, "until", when);
			(void)snprintf(ret, DECIDE_WHAT, "%.*sのモード：%s%s%s", SHOW(e->item), modes[i].ja,
				       when[0] ? "、期限 " : "", when);
		}
}

void decided_what_ja(const struct decide_entry *e, char ret[static DECIDE_WHAT])
{
	char when[DECIDED_LEFT];
	const struct conf_node *a = e->after, *b = e->before;
	ret[0] = '\0';
	if (e->undoes)
		(void)snprintf(ret, DECIDE_WHAT, "変更%lluの取消し", (unsigned long long)e->undoes);
	else if (span_eq(e->command, span_str("device swap")) && a)
		(void)snprintf(ret, DECIDE_WHAT, "%.*sを%.*sに交替%s%.*s", SHOW(said(a, "was")), SHOW(said(a, "now")),
			       said(a, "serial").n ? "、製造番号 " : "", SHOW(said(a, "serial")));
	else if (span_eq(e->command, span_str("device mode")))
		mode(e, ret);
	else if (span_eq(e->command, span_str("window open")) && a)
		(void)snprintf(ret, DECIDE_WHAT, "%.*sの作業期間%.*s（終了 %s、作業者 %.*s、整理番号 %.*s）",
			       SHOW(said(a, "device")), SHOW(e->item), until(a, "to", when), SHOW(said(a, "by")), SHOW(said(a, "ticket")));
	else if (span_eq(e->command, span_str("window close")) && b)
		(void)snprintf(ret, DECIDE_WHAT, "%.*sの作業期間%.*sを終了", SHOW(said(b, "device")), SHOW(e->item));
	else if (span_eq(e->command, span_str("accept")) && a)
		(void)snprintf(ret, DECIDE_WHAT, "アラート%.*s（%.*s、%.*s）を受容、期限 %s、責任者 %.*s", SHOW(e->item),
			       SHOW(said(a, "rule")), SHOW(said(a, "device")), until(a, "until", when), SHOW(said(a, "owner")));
	else if (span_eq(e->command, span_str("accept --end")))
		(void)snprintf(ret, DECIDE_WHAT, "アラート%.*sの受容を終了", SHOW(e->item));
}
