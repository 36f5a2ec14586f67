#include "cli/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "core/clock.h"
#include "core/json.h"

/* A DICOM association may list 128 contexts with 1024 syntaxes of 64 bytes; nothing else comes near. Rows are handed on when so much
 * has gathered: a system call each would cost more than the rows. */
enum { RECORD_MAX = 256 << 10, GATHERED = 256 << 10, CELL_MAX = 512 };

const char *const writer_formats[] = { "table", "json", "jsonl", "csv", NULL };
const char *const writer_kinds[] = { "alerts", "events", "observations", "flows", "assets", "stats", "workers", NULL };

struct writer {
	struct writer_config c;
	struct table *table;
	unsigned long long rows;
	bool at_once;                   /* every row goes out by itself: a person is waiting */
	struct buf buf;                 /* whole rows, and the one that is made */
	uint8_t mem[GATHERED + RECORD_MAX];
};

static const struct table_column alert_columns[2][8] = {
	{ { "LAST SEEN (UTC)", 0 }, { "SEVERITY", 0 }, { "DEVICE", 0 }, { "PEER", 0 }, { "SERVICE", 0 }, { "COUNT", 1 },
	  { "ALERT", 0 }, { "WHAT", 0 } },
	{ { "最終検知 (UTC)", 0 }, { "重要度", 0 }, { "機器", 0 }, { "相手", 0 }, { "サービス", 0 }, { "回数", 1 },
	  { "アラートID", 0 }, { "内容", 0 } },
};
static const struct table_column audit_columns[2][7] = {
	{ { "WHEN (UTC)", 0 }, { "WHO", 0 }, { "DID", 0 }, { "ALERT", 0 }, { "WAS", 0 }, { "UNTIL (UTC)", 0 }, { "WHY", 0 } },
	{ { "日時 (UTC)", 0 }, { "判断者", 0 }, { "判断", 0 }, { "アラートID", 0 }, { "前の状態", 0 }, { "期限 (UTC)", 0 },
	  { "理由", 0 } },
};
static const struct table_column event_columns[2][8] = {
	{ { "TIME", 0 }, { "SEVERITY", 0 }, { "FAMILY", 0 }, { "DEVICE", 0 }, { "PEER", 0 }, { "SERVICE", 0 }, { "RULE", 0 },
	  { "DETAILS", 0 } },
	{ { "時刻", 0 }, { "重要度", 0 }, { "種類", 0 }, { "機器", 0 }, { "相手", 0 }, { "サービス", 0 },
	  { "規則", 0 }, { "詳細", 0 } },
};
static const struct table_column observation_columns[2][6] = {
	{ { "PACKET", 1 }, { "TIME", 0 }, { "FROM", 0 }, { "TO", 0 }, { "TYPE", 0 }, { "DETAILS", 0 } },
	{ { "パケット", 1 }, { "時刻", 0 }, { "送信元", 0 }, { "宛先", 0 }, { "種類", 0 }, { "詳細", 0 } },
};
static const struct table_column flow_columns[2][9] = {
	{ { "STARTED", 0 }, { "FROM", 0 }, { "TO", 0 }, { "SERVICE", 0 }, { "PACKETS", 1 }, { "BYTES OUT", 1 }, { "BYTES IN", 1 },
	  { "END", 0 }, { "NOTES", 0 } },
	{ { "開始", 0 }, { "発信側", 0 }, { "着信側", 0 }, { "サービス", 0 }, { "パケット数", 1 },
	  { "送信バイト", 1 }, { "受信バイト", 1 }, { "終わり方", 0 }, { "備考", 0 } },
};
static const struct table_column asset_columns[2][6] = {
	{ { "ADDRESS", 0 }, { "DEVICE", 0 }, { "MAC", 0 }, { "OFFERS", 0 }, { "USES", 0 }, { "NAMES", 0 } },
	{ { "アドレス", 0 }, { "機器", 0 }, { "MAC", 0 }, { "提供サービス", 0 }, { "利用サービス", 0 }, { "名称", 0 } },
};
static const struct table_column stat_columns[2][3] = {
	{ { "COUNTER", 0 }, { "VALUE", 1 }, { "MEANING", 0 } },
	{ { "カウンター", 0 }, { "値", 1 }, { "意味", 0 } },
};

#define COLUMNS(c) c, sizeof(c) / sizeof((c)[0])

int writer_choice(const char *const *words, const char *text)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	return -1;
}

bool writer_parse_language(const char *text, enum rule_language *ret)
{
	static const char *const words[] = { "en", "ja", NULL };
	int i = writer_choice(words, text);
	if (i < 0)
		return false;
	*ret = i ? RULE_JA : RULE_EN;
	return true;
}

enum rule_language writer_language(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *v = getenv(names[i]);
		if (v && *v)
			return strncmp(v, "ja", 2) ? RULE_EN : RULE_JA;
	}
	return RULE_EN;
}

/* ---- values as text ---- */

static void put_contexts(struct buf *b, const struct vocab_contexts *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct vocab_context *x = &c->v[i];
		(void)buf_printf(b, "%s%u", i ? " " : "", x->id);
		if (x->abstract_syntax.n) {
			(void)buf_u8(b, ':');
			(void)buf_put(b, x->abstract_syntax.p, x->abstract_syntax.n);
		}
		for (size_t k = 0; k < x->n; k++) {
			(void)buf_u8(b, k ? '|' : ':');
			(void)buf_put(b, c->syntaxes[x->first + k].p, c->syntaxes[x->first + k].n);
		}
		if (x->result != VOCAB_NO_RESULT)
			(void)buf_printf(b, "=%u", x->result);
	}
}

/* The bare value; nothing when the record does not have the field. */
static void put_field(struct buf *b, const struct vocab *v, const struct vocab_head *rec, unsigned field)
{
	if (!vocab_has(rec, field))
		return;
	const uint8_t *p = (const uint8_t *)rec + v->fields[field].offset;
	uint64_t u = 0;
	struct span text;
	struct endpoint e;
	struct addr a;
	struct mac m;
	struct vocab_contexts c;
	char s[64];
	switch (v->fields[field].kind) {
	case VOCAB_UINT:
		memcpy(&u, p, sizeof(u));
		(void)buf_printf(b, "%llu", (unsigned long long)u);
		break;
	case VOCAB_HEX16:
		memcpy(&u, p, sizeof(u));
		(void)buf_printf(b, "0x%04x", (unsigned)(u & 0xffff));
		break;
	case VOCAB_TIME:
		memcpy(&u, p, sizeof(u));
		(void)buf_str(b, clock_str(u, s));
		break;
	case VOCAB_BOOL:
		memcpy(&u, p, sizeof(u));
		(void)buf_str(b, u ? "true" : "false");
		break;
	case VOCAB_WORD: {
		memcpy(&u, p, sizeof(u));
		const char *word = vocab_word(v, field, u);
		(void)buf_str(b, word ? word : "");
		break;
	}
	case VOCAB_TEXT:
		memcpy(&text, p, sizeof(text));
		(void)buf_put(b, text.p, text.n);
		break;
	case VOCAB_ADDR:
		memcpy(&a, p, sizeof(a));
		(void)buf_str(b, addr_str(&a, s));
		break;
	case VOCAB_ENDPOINT:
		memcpy(&e, p, sizeof(e));
		(void)buf_str(b, addr_endpoint_str(&e, s));
		break;
	case VOCAB_MAC:
		memcpy(&m, p, sizeof(m));
		(void)buf_str(b, addr_mac_str(&m, s));
		break;
	case VOCAB_CONTEXTS:
		memcpy(&c, p, sizeof(c));
		put_contexts(b, &c);
		break;
	}
}

/* "2026-11-22 21:46:20.123": what a person compares. */
static void put_time(struct buf *b, uint64_t ts_ns)
{
	char s[CLOCK_STRLEN];
	(void)clock_str(ts_ns, s);
	s[10] = ' ';
	(void)buf_put(b, s, 23);
}

/* To the minute: what a person compares with a calendar. */
static void put_minute(struct buf *b, uint64_t ts_ns)
{
	char s[CLOCK_STRLEN];
	(void)clock_str(ts_ns, s);
	s[10] = ' ';
	(void)buf_put(b, s, 16);
}

/* ---- CSV (RFC 4180) ---- */

static void put_csv(struct buf *b, struct span s, bool first)
{
	if (!first)
		(void)buf_u8(b, ',');
	/* A spreadsheet runs what begins like a formula; a text that someone sent must not become one. */
	bool formula = s.n && memchr("=+-@\t\r", s.p[0], 6);
	bool quote = formula;
	for (size_t i = 0; i < s.n && !quote; i++)
		quote = s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r';
	if (quote)
		(void)buf_u8(b, '"');
	if (formula)
		(void)buf_u8(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			(void)buf_u8(b, '"');
		(void)buf_u8(b, s.p[i]);
	}
	if (quote)
		(void)buf_u8(b, '"');
}

static void put_csv_str(struct buf *b, const char *s, bool first) { put_csv(b, span_str(s), first); }

static void put_csv_field(struct writer *w, const struct vocab *v, const struct vocab_head *rec, unsigned field)
{
	uint8_t *mem = malloc(RECORD_MAX);
	struct buf cell = buf_over(mem, mem ? RECORD_MAX : 0);
	put_field(&cell, v, rec, field);
	put_csv(&w->buf, buf_span(&cell), false);
	free(mem);
}

/* Alerts do not have what belongs to one run of one sensor (collector/alert.h), nor twice what stands in front. */
static bool is_alert_field(unsigned f)
{
	switch (f) {
	case EVENT_F_sensor: case EVENT_F_epoch: case EVENT_F_lane: case EVENT_F_seq: case EVENT_F_ts: case EVENT_F_ts_first:
	case EVENT_F_count: case EVENT_F_flow: case EVENT_F_packet: case EVENT_F_file: case EVENT_F_generation:
	case EVENT_F_severity:
		return false;
	default:
		break;
	}
	const struct vocab_type *t = &event_vocab.types[EVENT_ANOMALOUS_TRAFFIC];
	for (size_t i = 0; i < t->n_fields; i++)
		if (t->fields[i] == f)
			return true;
	return false;
}

static bool is_column(const struct writer *w, unsigned f)
{
	if (w->c.rows == WRITER_ALERTS)
		return is_alert_field(f);
	if (w->c.rows != WRITER_FLOWS)
		return true;
	const struct vocab_type *t = &observation_vocab.types[OBSERVATION_FLOW_END];
	for (size_t i = 0; i < t->n_fields; i++)
		if (t->fields[i] == f)
			return true;
	return false;
}

static void put_csv_head(struct writer *w)
{
	static const char *const assets[] = {
		"device", "device_type", "zone", "mac", "names", "services", "clients", "first", "last",
		"space"
	};
	static const char *const alerts[] = { "state", "first", "last", "count", "severity", "type" };
	bool event = w->c.rows == WRITER_ALERTS || w->c.rows == WRITER_EVENTS;
	const struct vocab *v = event ? &event_vocab : &observation_vocab;
	struct buf *b = &w->buf;
	if (w->c.rows == WRITER_STATS || w->c.rows == WRITER_WORKERS) {
		(void)buf_str(b, "counter,value,loss,meaning");
	} else if (w->c.rows == WRITER_AUDIT) {
		(void)buf_str(b, "at,who,action,alert,before,until,reason");
	} else if (w->c.rows == WRITER_ASSETS) {
		put_csv_str(b, "addr", true);
		for (size_t i = 0; i < sizeof(assets) / sizeof(assets[0]); i++)
			put_csv_str(b, assets[i], false);
	} else {
		put_csv_str(b, w->c.rows == WRITER_ALERTS ? "id" : "type", true);
		for (size_t i = 0; w->c.rows == WRITER_ALERTS && i < sizeof(alerts) / sizeof(alerts[0]); i++)
			put_csv_str(b, alerts[i], false);
		for (unsigned f = 0; f < v->n_fields; f++)
			if (is_column(w, f))
				put_csv_str(b, v->fields[f].name, false);
		if (w->c.rows == WRITER_ALERTS)
			(void)buf_str(b, ",explain_en,explain_ja");
	}
}

/* ---- rows ---- */

/* The rows that have gathered. */
static void hand_on(struct writer *w)
{
	if (!w->buf.full)
		out_put(w->c.out, buf_span(&w->buf));
	w->buf = buf_over(w->mem, sizeof(w->mem));
}

/* What was put into the buffer since the last row becomes one of the format. */
static void put_row(struct writer *w)
{
	if (w->c.format == WRITER_JSON)
		out_str(w->c.out, w->rows ? ",\n" : "[\n");
	else
		(void)buf_u8(&w->buf, '\n');
	if (w->buf.full && !w->c.out->err)
		w->c.out->err = -EMSGSIZE;
	if (w->at_once || w->buf.full || w->buf.len >= GATHERED)
		hand_on(w);
	w->rows += !w->c.out->err;
}

struct writer *writer_new(const struct writer_config *c)
{
	struct writer *w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->c = *c;
	w->buf = buf_over(w->mem, sizeof(w->mem));
	/* In a list the commas stand between rows, behind which nothing may have been held back. */
	w->at_once = c->format == WRITER_JSON || out_is_terminal(c->out);
	if (c->format == WRITER_CSV) {
		put_csv_head(w);
		put_row(w);
		w->rows = 0;
	}
	if (c->format != WRITER_TABLE)
		return w;
	switch (c->rows) {
	case WRITER_ALERTS:
		w->table = table_new(c->out, COLUMNS(alert_columns[c->language == RULE_JA]), c->color, c->width);
		break;
	case WRITER_EVENTS:
		w->table = table_new(c->out, COLUMNS(event_columns[c->language == RULE_JA]), c->color, c->width);
		break;
	case WRITER_OBSERVATIONS:
		w->table = table_new(c->out, COLUMNS(observation_columns[c->language == RULE_JA]), c->color, c->width);
		break;
	case WRITER_FLOWS:
		w->table = table_new(c->out, COLUMNS(flow_columns[c->language == RULE_JA]), c->color, c->width);
		break;
	case WRITER_ASSETS:
		w->table = table_new(c->out, COLUMNS(asset_columns[c->language == RULE_JA]), c->color, c->width);
		break;
	case WRITER_STATS:
	case WRITER_WORKERS:
		w->table = table_new(c->out, COLUMNS(stat_columns[c->language == RULE_JA]), c->color, c->width);
		break;
	case WRITER_AUDIT:
		w->table = table_new(c->out, COLUMNS(audit_columns[c->language == RULE_JA]), c->color, c->width);
		break;
	}
	if (!w->table) {
		free(w);
		return NULL;
	}
	return w;
}

/* The cells of a row, each in its own small memory. */
struct row {
	struct table_cell cells[TABLE_MAX_COLUMNS];
	struct buf bufs[TABLE_MAX_COLUMNS];
	uint8_t mem[TABLE_MAX_COLUMNS][CELL_MAX];
};

static void row_begin(struct row *r)
{
	memset(r->cells, 0, sizeof(r->cells));
	for (size_t i = 0; i < TABLE_MAX_COLUMNS; i++)
		r->bufs[i] = buf_over(r->mem[i], CELL_MAX);
}

static void row_end(struct writer *w, struct row *r)
{
	for (size_t i = 0; i < TABLE_MAX_COLUMNS; i++)
		r->cells[i].text = buf_span(&r->bufs[i]);
	if (table_row(w->table, r->cells) && !w->c.out->err)
		w->c.out->err = -ENOMEM;
	w->rows++;
}

static enum table_color severity_color(uint64_t s)
{
	return s >= EVENT_HIGH ? TABLE_RED : s == EVENT_MEDIUM ? TABLE_YELLOW : TABLE_PLAIN;
}

static void put_peer(struct buf *b, const struct event *e)
{
	put_field(b, &event_vocab, &e->head, event_has(e, EVENT_F_peer) ? EVENT_F_peer : EVENT_F_peer_addr);
}

/* "dicom tcp/104" */
static void put_service(struct buf *b, const struct event *e)
{
	if (event_has(e, EVENT_F_service)) {
		put_field(b, &event_vocab, &e->head, EVENT_F_service);
		(void)buf_u8(b, ' ');
	}
	if (!event_has(e, EVENT_F_port))
		return;
	put_field(b, &event_vocab, &e->head, EVENT_F_transport);
	(void)buf_u8(b, '/');
	put_field(b, &event_vocab, &e->head, EVENT_F_port);
}

static void put_rule(struct buf *b, const struct event *e, enum rule_language language)
{
	const struct rule *r = event_has(e, EVENT_F_rule) ? rule_find(e->rule) : NULL;
	if (r)
		(void)buf_str(b, language == RULE_JA ? r->title_ja : r->title_en);
	else
		put_field(b, &event_vocab, &e->head, EVENT_F_rule);
}

static void alert_row(struct writer *w, const struct alert *a)
{
	struct row r;
	const struct event *e = &a->event;
	row_begin(&r);
	put_minute(&r.bufs[0], a->last_ns);
	(void)buf_str(&r.bufs[1], w->c.language == RULE_JA ? rule_severity_word(a->severity, RULE_JA) :
	              vocab_word(&event_vocab, EVENT_F_severity, a->severity));
	r.cells[1].color = severity_color(a->severity);
	put_field(&r.bufs[2], &event_vocab, &e->head, EVENT_F_device);
	r.cells[2].color = TABLE_BOLD;
	put_peer(&r.bufs[3], e);
	put_service(&r.bufs[4], e);
	(void)buf_printf(&r.bufs[5], "%llu", (unsigned long long)a->count);
	(void)buf_str(&r.bufs[6], a->id);
	r.cells[6].color = TABLE_DIM;
	put_rule(&r.bufs[7], e, w->c.language);
	static const char *const states[2][4] = {
		{ "", " (acknowledged", " (closed", " (muted" }, { "", "（確認済み", "（対応完了", "（通知停止中" },
	};
	bool ja = w->c.language == RULE_JA;
	if (a->state) {
		(void)buf_str(&r.bufs[7], states[ja][a->state & 3]);
		if (a->until_ns) {
			(void)buf_str(&r.bufs[7], ja ? "、期限 " : " until ");
			put_minute(&r.bufs[7], a->until_ns);
		}
		(void)buf_str(&r.bufs[7], ja ? "）" : ")");
	}
	row_end(w, &r);
}

static void put_explanation(struct writer *w, const struct event *e, enum rule_language l, bool first)
{
	uint8_t mem[4096];
	struct buf b = buf_over(mem, sizeof(mem));
	(void)rule_explain(e, l, &b);
	put_csv(&w->buf, buf_span(&b), first);
}

static void alert_csv(struct writer *w, const struct alert *a)
{
	static const char *const states[] = { "open", "acknowledged", "closed", "muted" };
	char first[CLOCK_STRLEN], last[CLOCK_STRLEN];
	const struct event *e = &a->event;
	struct buf *b = &w->buf;
	(void)buf_printf(b, "%s,%s,%s,%s,%llu,%s,%s", a->id, states[a->state & 3], clock_str(a->first_ns, first),
	                 clock_str(a->last_ns, last), (unsigned long long)a->count,
	                 vocab_word(&event_vocab, EVENT_F_severity, a->severity), event_vocab.types[e->head.type].name);
	for (unsigned f = 0; f < EVENT_FIELDS; f++)
		if (is_alert_field(f))
			put_csv_field(w, &event_vocab, &e->head, f);
	put_explanation(w, e, RULE_EN, false);
	put_explanation(w, e, RULE_JA, false);
}

void writer_alert(struct writer *w, const struct alert *a)
{
	if (w->c.format == WRITER_TABLE) {
		alert_row(w, a);
		return;
	}
	if (w->c.format == WRITER_CSV)
		alert_csv(w, a);
	else
		(void)alert_json(a, &w->buf);
	put_row(w);
}

static void record_csv(struct writer *w, const struct vocab *v, const struct vocab_head *rec)
{
	put_csv_str(&w->buf, v->types[rec->type].name, true);
	for (unsigned f = 0; f < v->n_fields; f++)
		if (is_column(w, f))
			put_csv_field(w, v, rec, f);
}

bool writer_says_json(const struct writer *w) { return w->c.format == WRITER_JSON || w->c.format == WRITER_JSONL; }

int writer_encoded(struct writer *w, struct recite *r, struct span record)
{
	int err = recite_record(r, record, &w->buf);
	if (err == -ENOBUFS) {
		w->buf.full = true;
		err = 0;
	}
	if (!err)
		put_row(w);
	return err;
}

static void record_row(struct writer *w, const struct vocab *v, const struct vocab_head *rec)
{
	if (w->c.format == WRITER_CSV)
		record_csv(w, v, rec);
	else
		(void)vocab_json(v, rec, &w->buf);
	put_row(w);
}

/* "key=value" of every field that no column has. */
static void put_details(struct buf *b, const struct vocab *v, const struct vocab_head *rec, bool (*elsewhere)(unsigned))
{
	for (unsigned f = 0; f < v->n_fields; f++) {
		if (!vocab_has(rec, f) || elsewhere(f))
			continue;
		(void)buf_printf(b, "%s%s=", b->len ? " " : "", v->fields[f].name);
		if (v->fields[f].kind == VOCAB_CONTEXTS) {
			struct vocab_contexts c;
			memcpy(&c, (const uint8_t *)rec + v->fields[f].offset, sizeof(c));
			(void)buf_printf(b, "%u", c.n);
		} else {
			put_field(b, v, rec, f);
		}
	}
}

static bool event_elsewhere(unsigned f)
{
	switch (f) {
	case EVENT_F_verdict: case EVENT_F_what: case EVENT_F_said: case EVENT_F_seen: case EVENT_F_calling_ae:
	case EVENT_F_called_ae: case EVENT_F_counter: case EVENT_F_value: case EVENT_F_hostname: case EVENT_F_ae_title:
	case EVENT_F_implementation_version: case EVENT_F_hl7_app: case EVENT_F_loss: case EVENT_F_midstream: case EVENT_F_one_sided:
		return false;
	default:
		return true;
	}
}

void writer_event(struct writer *w, const struct event *e)
{
	if (w->c.format != WRITER_TABLE) {
		record_row(w, &event_vocab, &e->head);
		return;
	}
	struct row r;
	row_begin(&r);
	put_time(&r.bufs[0], e->ts);
	put_field(&r.bufs[1], &event_vocab, &e->head, EVENT_F_severity);
	r.cells[1].color = severity_color(event_has(e, EVENT_F_severity) ? e->severity : 0);
	(void)buf_str(&r.bufs[2], event_vocab.types[e->head.type].name);
	put_field(&r.bufs[3], &event_vocab, &e->head, EVENT_F_device);
	put_peer(&r.bufs[4], e);
	put_service(&r.bufs[5], e);
	put_field(&r.bufs[6], &event_vocab, &e->head, EVENT_F_rule);
	put_details(&r.bufs[7], &event_vocab, &e->head, event_elsewhere);
	row_end(w, &r);
}

static bool observation_elsewhere(unsigned f)
{
	switch (f) {
	case OBSERVATION_F_packet: case OBSERVATION_F_file: case OBSERVATION_F_ts: case OBSERVATION_F_src: case OBSERVATION_F_dst:
	case OBSERVATION_F_flow: case OBSERVATION_F_transport: case OBSERVATION_F_service: case OBSERVATION_F_started:
	case OBSERVATION_F_packets_in: case OBSERVATION_F_packets_out: case OBSERVATION_F_bytes_in: case OBSERVATION_F_bytes_out:
	case OBSERVATION_F_end: case OBSERVATION_F_src_mac: case OBSERVATION_F_dst_mac: case OBSERVATION_F_initiator_by:
		return true;
	default:
		return false;
	}
}

static void flow_row(struct writer *w, const struct observation *o)
{
	const struct vocab *v = &observation_vocab;
	struct row r;
	row_begin(&r);
	put_time(&r.bufs[0], observation_has(o, OBSERVATION_F_started) ? o->started : o->ts);
	put_field(&r.bufs[1], v, &o->head, OBSERVATION_F_src);
	put_field(&r.bufs[2], v, &o->head, OBSERVATION_F_dst);
	put_field(&r.bufs[3], v, &o->head, OBSERVATION_F_transport);
	if (observation_has(o, OBSERVATION_F_service)) {
		(void)buf_u8(&r.bufs[3], ' ');
		put_field(&r.bufs[3], v, &o->head, OBSERVATION_F_service);
	}
	(void)buf_printf(&r.bufs[4], "%llu", (unsigned long long)(o->packets_out + o->packets_in));
	put_field(&r.bufs[5], v, &o->head, OBSERVATION_F_bytes_out);
	put_field(&r.bufs[6], v, &o->head, OBSERVATION_F_bytes_in);
	put_field(&r.bufs[7], v, &o->head, OBSERVATION_F_end);
	put_details(&r.bufs[8], v, &o->head, observation_elsewhere);
	row_end(w, &r);
}

void writer_observation(struct writer *w, const struct observation *o)
{
	if (w->c.format != WRITER_TABLE) {
		record_row(w, &observation_vocab, &o->head);
		return;
	}
	if (w->c.rows == WRITER_FLOWS) {
		flow_row(w, o);
		return;
	}
	struct row r;
	row_begin(&r);
	if (observation_has(o, OBSERVATION_F_file))
		(void)buf_printf(&r.bufs[0], "%llu:", (unsigned long long)o->file);
	put_field(&r.bufs[0], &observation_vocab, &o->head, OBSERVATION_F_packet);
	put_time(&r.bufs[1], o->ts);
	put_field(&r.bufs[2], &observation_vocab, &o->head, OBSERVATION_F_src);
	put_field(&r.bufs[3], &observation_vocab, &o->head, OBSERVATION_F_dst);
	(void)buf_str(&r.bufs[4], observation_vocab.types[o->head.type].name);
	r.cells[4].color = TABLE_BOLD;
	put_details(&r.bufs[5], &observation_vocab, &o->head, observation_elsewhere);
	row_end(w, &r);
}

/* "a, b" as a JSON array. */
static void put_list(struct buf *b, const char *key, struct span list)
{
	(void)json_key(b, key);
	(void)buf_u8(b, '[');
	while (list.n) {
		size_t n = 0;
		while (n < list.n && !(list.p[n] == ',' && n + 1 < list.n && list.p[n + 1] == ' '))
			n++;
		(void)json_next(b);
		(void)json_string(b, (struct span){ list.p, n });
		list = span_from(list, n + 2 <= list.n ? n + 2 : list.n);
	}
	(void)buf_u8(b, ']');
}

static void put_text_key(struct buf *b, const char *key, struct span s)
{
	if (!s.n)
		return;
	(void)json_key(b, key);
	(void)json_string(b, s);
}

static void asset_json(struct buf *b, const struct store_asset *a, const char *first, const char *last)
{
	(void)buf_u8(b, '{');
	put_text_key(b, "addr", a->addr);
	put_text_key(b, "space", a->space);
	put_text_key(b, "device", a->device);
	put_text_key(b, "device_type", a->device_type);
	put_text_key(b, "zone", a->zone);
	put_text_key(b, "mac", a->mac);
	put_list(b, "names", a->names);
	put_list(b, "services", a->services);
	put_list(b, "clients", a->clients);
	put_text_key(b, "first", span_str(first));
	put_text_key(b, "last", span_str(last));
	(void)buf_u8(b, '}');
}

static void put_span(struct buf *b, struct span s) { (void)buf_put(b, s.p, s.n < CELL_MAX ? s.n : CELL_MAX); }

void writer_asset(struct writer *w, const struct store_asset *a)
{
	char first[CLOCK_STRLEN], last[CLOCK_STRLEN];
	(void)clock_str(a->first_ns, first);
	(void)clock_str(a->last_ns, last);
	if (w->c.format == WRITER_TABLE) {
		struct row r;
		row_begin(&r);
		put_span(&r.bufs[0], a->addr);
		if (a->space.n)
			(void)buf_u8(&r.bufs[0], '%');
		put_span(&r.bufs[0], a->space);
		put_span(&r.bufs[1], a->device);
		r.cells[1].color = TABLE_BOLD;
		put_span(&r.bufs[2], a->mac);
		put_span(&r.bufs[3], a->services);
		put_span(&r.bufs[4], a->clients);
		put_span(&r.bufs[5], a->names);
		row_end(w, &r);
		return;
	}
	if (w->c.format == WRITER_CSV) {
		const struct span cells[] = { a->device, a->device_type, a->zone, a->mac, a->names, a->services, a->clients,
		                              span_str(first), span_str(last), a->space };
		put_csv(&w->buf, a->addr, true);
		for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
			put_csv(&w->buf, cells[i], false);
	} else {
		asset_json(&w->buf, a, first, last);
	}
	put_row(w);
}

void writer_audit(struct writer *w, const struct store_audit *a)
{
	char at[CLOCK_STRLEN], until[CLOCK_STRLEN] = "";
	(void)clock_str(a->at_ns, at);
	if (a->until_ns)
		(void)clock_str(a->until_ns, until);
	if (w->c.format == WRITER_TABLE) {
		struct row r;
		row_begin(&r);
		put_minute(&r.bufs[0], a->at_ns);
		put_span(&r.bufs[1], a->who);
		put_span(&r.bufs[2], a->action);
		r.cells[2].color = TABLE_BOLD;
		put_span(&r.bufs[3], a->alert);
		r.cells[3].color = TABLE_DIM;
		put_span(&r.bufs[4], a->before);
		if (a->until_ns)
			put_minute(&r.bufs[5], a->until_ns);
		put_span(&r.bufs[6], a->reason);
		row_end(w, &r);
		return;
	}
	if (w->c.format == WRITER_CSV) {
		const struct span cells[] = { a->who, a->action, a->alert, a->before, span_str(until), a->reason };
		put_csv_str(&w->buf, at, true);
		for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
			put_csv(&w->buf, cells[i], false);
	} else {
		struct buf *b = &w->buf;
		(void)buf_u8(b, '{');
		put_text_key(b, "at", span_str(at));
		put_text_key(b, "who", a->who);
		put_text_key(b, "action", a->action);
		put_text_key(b, "alert", a->alert);
		put_text_key(b, "before", a->before);
		put_text_key(b, "until", span_str(until));
		put_text_key(b, "reason", a->reason);
		(void)buf_u8(b, '}');
	}
	put_row(w);
}

void writer_stat(struct writer *w, enum stats_counter c, uint64_t value)
{
	if (w->c.format == WRITER_TABLE) {
		if (!value)
			return;
		struct row r;
		row_begin(&r);
		(void)buf_str(&r.bufs[0], stats_name(c));
		(void)buf_printf(&r.bufs[1], "%llu", (unsigned long long)value);
		r.cells[1].color = stats_is_loss(c) ? TABLE_YELLOW : TABLE_PLAIN;
		(void)buf_printf(&r.bufs[2], "%s%s", stats_doc(c), stats_is_loss(c) ? " (not seen)" : "");
		row_end(w, &r);
		return;
	}
	struct buf *b = &w->buf;
	if (w->c.format == WRITER_CSV) {
		(void)buf_printf(b, "%s,%llu,%s", stats_name(c), (unsigned long long)value, stats_is_loss(c) ? "true" : "false");
		put_csv_str(b, stats_doc(c), false);
	} else {
		(void)buf_u8(b, '{');
		(void)json_key(b, "counter");
		(void)json_str(b, stats_name(c));
		(void)json_key(b, "value");
		(void)json_uint(b, value);
		(void)json_key(b, "loss");
		(void)json_bool(b, stats_is_loss(c));
		(void)json_key(b, "meaning");
		(void)json_str(b, stats_doc(c));
		(void)buf_u8(b, '}');
	}
	put_row(w);
}

static bool is_time(const char *name) { return strlen(name) > 3 && !strcmp(name + strlen(name) - 3, "_ns"); }

/* In tables points of time and spans of time as people write them; what is 0 is left out. */
static void fact_row(struct writer *w, const char *group, const char *id, const char *const *names, const uint64_t *values,
		     size_t n, const char *meaning)
{
	struct row r;
	row_begin(&r);
	(void)buf_printf(&r.bufs[0], "%s %s", group, id);
	(void)buf_printf(&r.bufs[1], "%llu", (unsigned long long)values[0]);
	(void)buf_str(&r.bufs[2], meaning);
	for (size_t i = 1; i < n; i++) {
		if (!values[i])
			continue;
		(void)buf_str(&r.bufs[2], ", ");
		(void)buf_str(&r.bufs[2], names[i]);
		(void)buf_u8(&r.bufs[2], ' ');
		if (is_time(names[i]) && values[i] > UINT64_C(1000000000) * 86400 * 365)
			put_time(&r.bufs[2], values[i]);
		else if (is_time(names[i]))
			(void)buf_printf(&r.bufs[2], "%.3f s", (double)values[i] / 1e9);
		else
			(void)buf_printf(&r.bufs[2], "%llu", (unsigned long long)values[i]);
	}
	row_end(w, &r);
}

void writer_fact(struct writer *w, const char *group, const char *id, const char *const *names, const uint64_t *values,
		 size_t n, const char *meaning)
{
	if (w->c.format == WRITER_TABLE) {
		fact_row(w, group, id, names, values, n, meaning);
		return;
	}
	struct buf *b = &w->buf;
	if (w->c.format == WRITER_CSV) {
		for (size_t i = 0; i < n; i++) {
			(void)buf_printf(b, "%s.%s.%s,%llu,false", group, id, names[i], (unsigned long long)values[i]);
			put_csv_str(b, meaning, false);
			put_row(w);
		}
		return;
	}
	(void)buf_u8(b, '{');
	(void)json_key(b, group);
	(void)json_str(b, id);
	for (size_t i = 0; i < n; i++) {
		(void)json_key(b, names[i]);
		(void)json_uint(b, values[i]);
	}
	(void)json_key(b, "meaning");
	(void)json_str(b, meaning);
	(void)buf_u8(b, '}');
	put_row(w);
}

unsigned long long writer_rows(const struct writer *w) { return w->rows; }

void writer_flush(struct writer *w)
{
	if (w->table)
		table_end(w->table);
	hand_on(w);
	out_flush(w->c.out);
}

void writer_end(struct writer *w)
{
	if (w->table)
		table_end(w->table);
	hand_on(w);
	if (w->c.format == WRITER_JSON)
		out_str(w->c.out, w->rows ? "\n]\n" : "[]\n");
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	table_free(w->table);
	free(w);
}
