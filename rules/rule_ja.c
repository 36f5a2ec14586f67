#include "rules/rule_ja.h"

#include <string.h>

/* `*` is what stands there: in `number` digits, otherwise the rest of the text. One of them in each. */
static const struct { const char *en, *ja; bool number; } phrases[] = {
	{ "no entry for this host", "該当する機器の登録なし", false },
	{ "unused ports closed: yes", "未使用ポートの閉鎖：はい", false },
	{ "external: no", "院外との通信：なし", false },
	{ "encrypted in transmission: yes", "送信時の暗号化：はい", false },
	{ "remote service: no", "遠隔保守：なし", false },
	{ "port list: exhaustive", "ポート一覧：全ポートを記載", false },
	{ "port list: partial", "ポート一覧：一部のみ記載", false },
	{ "port list: unknown", "ポート一覧：網羅性の記載なし", false },
	{ "limits", "上限", false },
	{ "type *", "機器種別 *", false },
	{ "end of life: *", "製品寿命終了：*", false },
	{ "end of life (estimate): *", "製品寿命終了（推定）：*", false },
	{ "end of support: *", "サポート終了：*", false },
	{ "end of network use: *", "ネットワーク使用終了：*", false },
	{ "used by *", "*が使用", false },
	{ "given to *", "*へ割当て", false },
	{ "gives *", "*を配布", false },
	{ "* connections in a minute", "1分間に接続*回", true },
	{ "* associations in a minute", "1分間にアソシエーション*回", true },
	{ "* bytes on one day", "1日に*バイト", true },
	{ "* seconds of one session", "1セッションで*秒", true },
	{ "* seconds and more of silence in one session", "1セッション中に*秒以上の無通信", true },
	{ "* peers", "通信相手*台", true },
};

/* What `*` stands for; false when the phrase is another. */
static bool fits(const char *en, bool number, struct span s, struct span *ret)
{
	const char *star = strchr(en, '*');
	size_t before = star ? (size_t)(star - en) : strlen(en), after = star ? strlen(star + 1) : 0;
	if (s.n < before + after || memcmp(s.p, en, before) || (!star && s.n != before) ||
	    (star && memcmp(s.p + s.n - after, star + 1, after)))
		return false;
	*ret = (struct span){ s.p + before, s.n - before - after };
	for (size_t i = 0; number && i < ret->n; i++)
		if (ret->p[i] < '0' || ret->p[i] > '9')
			return false;
	return !star || ret->n > 0;
}

bool rule_ja_put(struct span s, struct buf *out)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		struct span it;
		if (!s.n || !fits(phrases[i].en, phrases[i].number, s, &it))
			continue;
		for (const char *t = phrases[i].ja; *t; t++)
			(void)(*t == '*' ? buf_put(out, it.p, it.n) : buf_put(out, t, 1));
		return true;
	}
	return false;
}
