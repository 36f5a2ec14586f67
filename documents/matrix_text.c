#include "documents/matrix_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "documents/papers.h"
#include "rules/policy_table.h"

enum { LINE_MAX_BYTES = 16 << 10 };

static const struct { const char *id, *word[2]; } states[] = {
	[MATRIX_SEEN] = { "seen", { "as declared", "開示資料どおり" } },
	[MATRIX_DIFFERENT] = { "seen_differently", { "seen differently", "開示資料と相違" } },
	[MATRIX_DISABLED_USED] = { "disabled_but_used", { "disabled, but used", "無効のはずの機能を使用" } },
	[MATRIX_UNDECLARED] = { "undeclared", { "not declared", "開示資料に記載なし" } },
	[MATRIX_FORBIDDEN] = { "forbidden", { "forbidden", "禁止通信" } },
	[MATRIX_CANNOT_SAY] = { "cannot_say", { "cannot say", "判定不能" } },
	[MATRIX_NOT_SEEN] = { "not_seen", { "not seen in the time watched", "観測期間内に通信なし" } },
	[MATRIX_OFF] = { "off", { "off", "無効" } },
	[MATRIX_NOT_OBSERVABLE] = { "not_observable", { "not observable", "観測不能" } },
	[MATRIX_UNWATCHED] = { "unwatched", { "not watched", "未観測" } },
};
static const struct { const char *id, *word[2]; } whys[] = {
	[MATRIX_WHY_NONE] = { "", { "", "" } },
	[MATRIX_WHY_UNIT] = { "unit_not_seen", { "nothing of this unit was seen: off, or not on this mirror port",
						 "この機器の通信を未観測（電源断、またはミラー対象外）" } },
	[MATRIX_WHY_TRANSPORT] = { "transport", { "transport that is not judged", "判定対象外のトランスポート" } },
	[MATRIX_WHY_INTERFACE] = { "interface", { "not on the network", "ネットワーク外のインタフェース" } },
};

const char *const matrix_text_heads[2][MATRIX_TEXT_CELLS] = {
	{ "unit", "device type", "model", "place", "direction", "transport", "port", "protocol", "encryption", "peers", "function",
	  "document", "revision", "row", "declared/seen", "detail", "flows", "packets", "bytes", "first (UTC)", "last (UTC)",
	"seen with" },
	{ "機器", "機器種別", "型式", "設置場所", "方向", "トランスポート", "ポート", "プロトコル",
		"暗号化", "相手", "機能",
	  "資料", "版", "該当箇所", "開示／観測", "詳細", "通信数", "パケット数", "バイト数",
	"初回 (UTC)", "最終 (UTC)", "観測した相手" },
};
static const char *const ids[MATRIX_TEXT_CELLS] = {
	"unit", "type", "model", "place", "direction", "transport", "port", "protocol", "encryption", "peers", "function", "document",
	"revision", "row", "state", "detail", "flows", "packets", "bytes", "first", "last", "seen_with",
};

const char *matrix_text_state_id(enum matrix_state s) { return s < MATRIX_STATES ? states[s].id : ""; }
const char *matrix_text_state_word(enum matrix_state s, enum rule_language language)
{
	return s < MATRIX_STATES ? states[s].word[language == RULE_JA] : "";
}
const char *matrix_text_why_id(enum matrix_why w) { return w < MATRIX_WHYS ? whys[w].id : ""; }
const char *matrix_text_why_word(enum matrix_why w, enum rule_language language)
{
	return w < MATRIX_WHYS ? whys[w].word[language == RULE_JA] : "";
}

/* What was put into `b` since `from`. */
static struct span since(const struct buf *b, size_t from) { return (struct span){ b->data + from, b->len - from }; }

static struct span put_time(struct buf *b, uint64_t at_ns, bool machine)
{
	char text[CLOCK_STRLEN];
	size_t from = b->len;
	if (!at_ns)
		return (struct span){ 0 };
	(void)clock_str(at_ns, text);
	if (machine)
		return (void)buf_str(b, text), since(b, from);
	text[10] = ' ';
	(void)buf_put(b, text, 19);
	return since(b, from);
}

static struct span put_number(struct buf *b, uint64_t v)
{
	size_t from = b->len;
	(void)buf_printf(b, "%llu", (unsigned long long)v);
	return since(b, from);
}

static struct span put_seen_with(const struct matrix *x, const struct matrix_line *l, struct buf *b)
{
	size_t from = b->len;
	for (uint32_t i = 0; i < l->n_peers && i < MATRIX_PEERS; i++) {
		struct policy_host h;
		char ip[ADDR_STRLEN];
		policy_host(matrix_policy(x), &l->peers[i], NULL, 0, &h);
		struct span name = h.device != POLICY_NONE ? h.id : h.role;
		(void)buf_printf(b, "%s%s", i ? ", " : "", addr_str(&l->peers[i], ip));
		if (name.n)
			(void)buf_printf(b, " (%.*s)", (int)name.n, (const char *)name.p);
	}
	if (l->n_peers > MATRIX_PEERS)
		(void)buf_str(b, ", ...");
	return since(b, from);
}

static struct span put_peers(const struct matrix *x, const struct matrix_line *l, struct buf *b)
{
	char text[1024];
	size_t from = b->len;
	if (l->declared) {
		(void)buf_str(b, papers_row_peers(l->declared, text, sizeof(text)));
		return since(b, from);
	}
	if (l->row == POLICY_NONE)
		return (struct span){ 0 };
	const struct policy_row *r = POLICY_TABLE_SECTION(matrix_policy(x), ROWS, struct policy_row) + l->row;
	const struct policy_role *roles = POLICY_TABLE_SECTION(matrix_policy(x), ROLES, struct policy_role);
	const char *all = (const char *)POLICY_TABLE_SECTION(matrix_policy(x), TEXT, uint8_t);
	if (r->flags & (POLICY_ROW_ANY | POLICY_ROW_LOCAL))
		(void)buf_str(b, r->flags & POLICY_ROW_ANY ? "any" : "local_networks");
	for (unsigned i = 0; i < 64 && i < POLICY_TABLE_COUNT(matrix_policy(x), ROLES); i++)
		if (r->roles >> i & 1)
			(void)buf_printf(b, "%s%.*s", b->len > from ? ", " : "", (int)roles[i].name.n, all + roles[i].name.at);
	return since(b, from);
}

static struct span put_detail(const struct matrix_line *l, enum rule_language language, bool machine, struct buf *b)
{
	size_t from = b->len;
	bool says = l->state == MATRIX_DIFFERENT || l->state == MATRIX_UNDECLARED || l->state == MATRIX_CANNOT_SAY ||
		l->state == MATRIX_FORBIDDEN;
	if (says && l->what)
		(void)buf_str(b, machine ? vocab_word(&event_vocab, EVENT_F_what, l->what) : rule_what_word((enum event_what)l->what,
			language));
	if (l->why)
		(void)buf_str(b, machine ? matrix_text_why_id((enum matrix_why)l->why) : matrix_text_why_word((enum matrix_why)l->why,
			language));
	if (l->unanswered && !machine)
		(void)buf_printf(b, language == RULE_JA ? "%s応答なし%llu回" : "%sunanswered: %llu", b->len > from ? "; " : "",
				 (unsigned long long)l->unanswered);
	return since(b, from);
}

static struct span put_ports(const struct matrix_line *l, struct buf *b)
{
	size_t from = b->len;
	if (l->transport == OBSERVATION_ICMP || l->interface)
		return (struct span){ 0 };
	if (l->row == POLICY_NONE && l->declared) {
		char text[256];
		(void)buf_str(b, papers_row_ports(l->declared, text, sizeof(text)));
		return since(b, from);
	}
	(void)buf_printf(b, "%u", l->lo);
	if (l->hi != l->lo)
		(void)buf_printf(b, "-%u", l->hi);
	return since(b, from);
}

static const char *encryption_of(const struct matrix *x, const struct matrix_line *l, bool ja, bool machine)
{
	static const char *const words[][3] = { { "none", "clear text", "平文" }, { "tls", "TLS", "TLS" }, { "optional", "optional",
		"任意" } };
	if (l->row == POLICY_NONE)
		return "";
	const struct policy_row *r = POLICY_TABLE_SECTION(matrix_policy(x), ROWS, struct policy_row) + l->row;
	return words[r->tls <= POLICY_TLS_OPTIONAL ? r->tls : 0][machine ? 0 : ja ? 2 : 1];
}

static void cells(const struct matrix *x, const struct matrix_line *l, enum rule_language language, bool machine, struct buf *mem,
		  struct span *ret)
{
	static const char *const transports[] = { "tcp", "udp", "icmp", "" };
	static const char *const directions[2][2] = { { "out", "in" }, { "発信", "着信" } };
	const struct policy *p = matrix_policy(x);
	bool ja = language == RULE_JA && !machine;
	struct policy_device d;
	struct policy_cite c = { .authority = EVENT_AUTH_SENSOR };
	policy_device(p, l->device, &d);
	if (l->cite != POLICY_NONE)
		policy_cite(p, l->cite, &c);
	const struct policy_row *r = l->row == POLICY_NONE ? NULL : POLICY_TABLE_SECTION(p, ROWS, struct policy_row) + l->row;
	for (unsigned i = 0; i < MATRIX_TEXT_CELLS; i++)
		ret[i] = (struct span){ 0 };
	ret[MATRIX_TEXT_UNIT] = d.id;
	ret[MATRIX_TEXT_TYPE] = d.type;
	ret[MATRIX_TEXT_MODEL] = d.model;
	ret[MATRIX_TEXT_PLACE] = matrix_place(x, l->device);
	if (!l->interface)
		ret[MATRIX_TEXT_DIRECTION] = span_str(directions[ja][l->side & 1]);
	ret[MATRIX_TEXT_TRANSPORT] = l->interface ? conf_text(conf_get(l->interface, "type"), "")
				     : l->declared && !r ? papers_row_transport(l->declared) : span_str(transports[l->transport & 3]);
	ret[MATRIX_TEXT_PORT] = put_ports(l, mem);
	if (r || l->service)
		ret[MATRIX_TEXT_PROTOCOL] = span_str(policy_proto_name(r ? r->proto : l->service - 1u));
	ret[MATRIX_TEXT_ENCRYPTION] = span_str(encryption_of(x, l, ja, machine));
	ret[MATRIX_TEXT_PEERS] = put_peers(x, l, mem);
	if (l->declared)
		ret[MATRIX_TEXT_FUNCTION] = conf_text(conf_get(l->declared->at.node, "function"), "");
	else if (l->interface)
		ret[MATRIX_TEXT_FUNCTION] = conf_text(conf_get(l->interface, "detail"), "");
	else if (r)
		ret[MATRIX_TEXT_FUNCTION] = c.said;
	ret[MATRIX_TEXT_DOCUMENT] = c.document;
	ret[MATRIX_TEXT_REVISION] = c.revision;
	ret[MATRIX_TEXT_ROW] = c.row;
	ret[MATRIX_TEXT_STATE] = span_str(machine ? matrix_text_state_id((enum matrix_state)l->state)
						  : matrix_text_state_word((enum matrix_state)l->state, language));
	ret[MATRIX_TEXT_DETAIL] = put_detail(l, language, machine, mem);
	ret[MATRIX_TEXT_FLOWS] = put_number(mem, l->flows);
	ret[MATRIX_TEXT_PACKETS] = put_number(mem, l->packets);
	ret[MATRIX_TEXT_BYTES] = put_number(mem, l->bytes);
	ret[MATRIX_TEXT_FIRST] = put_time(mem, l->first_ns, machine);
	ret[MATRIX_TEXT_LAST] = put_time(mem, l->last_ns, machine);
	ret[MATRIX_TEXT_SEEN_WITH] = put_seen_with(x, l, mem);
}

void matrix_text_cells(const struct matrix *x, const struct matrix_line *l, enum rule_language language, struct buf *mem,
		       struct span ret[static MATRIX_TEXT_CELLS])
{
	cells(x, l, language, false, mem, ret);
}

int matrix_text_print(const struct matrix *x, enum printout_format format, enum rule_language language, FILE *to)
{
	bool ja = language == RULE_JA;
	struct printout p;
	uint8_t *bytes = malloc(LINE_MAX_BYTES);
	uint32_t last = POLICY_NONE;
	if (!bytes)
		return -ENOMEM;
	printout_begin(&p, to, format, ja ? "ja" : "en", ja ? "通信マトリクス" : "Communication matrix");
	if (format == PRINTOUT_CSV)
		printout_table(&p, matrix_text_heads[ja], MATRIX_TEXT_CELLS);
	for (size_t i = 0; i < matrix_count(x); i++) {
		const struct matrix_line *l = matrix_at(x, i);
		struct buf mem = buf_over(bytes, LINE_MAX_BYTES);
		struct span c[MATRIX_TEXT_CELLS];
		cells(x, l, language, false, &mem, c);
		if (format == PRINTOUT_CSV) {
			printout_row(&p, c, MATRIX_TEXT_CELLS);
			continue;
		}
		/* To read, a table per unit: what is the same in every line stands above it. */
		if (l->device != last) {
			uint8_t text[512];
			struct buf b = buf_over(text, sizeof(text));
			printout_table_end(&p);
			printout_heading(&p, 2, c[MATRIX_TEXT_UNIT]);
			for (unsigned k = MATRIX_TEXT_TYPE; k <= MATRIX_TEXT_PLACE; k++)
				if (c[k].n)
					(void)buf_printf(&b, "%s%.*s", b.len ? ", " : "", (int)c[k].n, (const char *)c[k].p);
			printout_line(&p, "", buf_span(&b));
			printout_table(&p, matrix_text_heads[ja] + MATRIX_TEXT_DIRECTION, MATRIX_TEXT_CELLS - MATRIX_TEXT_DIRECTION);
			last = l->device;
		}
		printout_row(&p, c + MATRIX_TEXT_DIRECTION, MATRIX_TEXT_CELLS - MATRIX_TEXT_DIRECTION);
	}
	free(bytes);
	return printout_end(&p);
}

int matrix_text_json(const struct matrix *x, FILE *to)
{
	uint8_t *bytes = malloc(LINE_MAX_BYTES), *out = malloc(4 * LINE_MAX_BYTES);
	for (size_t i = 0; bytes && out && i < matrix_count(x); i++) {
		const struct matrix_line *l = matrix_at(x, i);
		struct buf mem = buf_over(bytes, LINE_MAX_BYTES), b = buf_over(out, 4 * LINE_MAX_BYTES);
		struct span c[MATRIX_TEXT_CELLS];
		cells(x, l, RULE_EN, true, &mem, c);
		(void)buf_u8(&b, '{');
		for (unsigned k = 0; k < MATRIX_TEXT_CELLS; k++) {
			bool number = k == MATRIX_TEXT_FLOWS || k == MATRIX_TEXT_PACKETS || k == MATRIX_TEXT_BYTES;
			if (!c[k].n)
				continue;
			(void)json_key(&b, ids[k]);
			if (number)
				(void)buf_put(&b, c[k].p, c[k].n);
			else
				(void)json_string(&b, c[k]);
		}
		if (l->differently) {
			(void)json_key(&b, "differently");
			(void)json_uint(&b, l->differently);
		}
		if (l->unanswered) {
			(void)json_key(&b, "unanswered");
			(void)json_uint(&b, l->unanswered);
		}
		(void)buf_str(&b, "}\n");
		(void)fwrite(out, 1, b.len, to);
	}
	bool ok = bytes && out;
	free(bytes);
	free(out);
	return !ok ? -ENOMEM : ferror(to) ? -EIO : 0;
}
