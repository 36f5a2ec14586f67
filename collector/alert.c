#include "collector/alert.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "rules/rule.h"

enum { EXPLAIN_MAX = 2048 };    /* one sentence; the fields it names are 96 bytes at most, ten of them */

static const char *const states[] = { "open", "acknowledged", "closed", "muted" };

const char *alert_state_word(enum alert_state s)
{
	return (size_t)s < sizeof(states) / sizeof(*states) ? states[s] : NULL;
}

static void hash_text(crypto_hash_sha256_state *h, const struct event *e, enum event_field f, struct span s)
{
	/* No text field admits a NUL, so it ends each part without doubt. An absent field is an empty one. */
	if (event_has(e, f) && s.n)
		crypto_hash_sha256_update(h, s.p, s.n);
	crypto_hash_sha256_update(h, (const uint8_t *)"", 1);
}

bool alert_id(const struct event *e, char ret[static ALERT_ID_LEN + 1])
{
	crypto_hash_sha256_state h;
	uint8_t digest[crypto_hash_sha256_BYTES], tail[10];
	struct buf b = buf_over(tail, sizeof(tail));
	if (!event_has(e, EVENT_F_lane) || e->lane != EVENT_LANE_ALERTS || !event_has(e, EVENT_F_rule))
		return false;
	crypto_hash_sha256_init(&h);
	hash_text(&h, e, EVENT_F_rule, e->rule);
	hash_text(&h, e, EVENT_F_device, e->device);
	hash_text(&h, e, EVENT_F_peer_class, e->peer_class);
	(void)buf_u8(&b, event_has(e, EVENT_F_transport) ? (uint8_t)e->transport : 0xff);
	(void)buf_u8(&b, event_has(e, EVENT_F_port));
	(void)buf_u64be(&b, event_has(e, EVENT_F_port) ? e->port : 0);
	crypto_hash_sha256_update(&h, tail, b.len);
	crypto_hash_sha256_final(&h, digest);
	sodium_bin2hex(ret, ALERT_ID_LEN + 1, digest, ALERT_ID_LEN / 2);
	return true;
}

static uint64_t last_of(const struct event *e) { return event_has(e, EVENT_F_ts) ? e->ts : 0; }
static uint64_t first_of(const struct event *e) { return event_has(e, EVENT_F_ts_first) ? e->ts_first : last_of(e); }
static uint64_t count_of(const struct event *e) { return event_has(e, EVENT_F_count) ? e->count : 1; }

static enum event_severity severity_of(const struct event *e)
{
	return event_has(e, EVENT_F_severity) ? (enum event_severity)e->severity : EVENT_INFO;
}

bool alert_from(const struct event *e, struct alert *ret)
{
	char id[ALERT_ID_LEN + 1];
	if (!alert_id(e, id))
		return false;
	*ret = (struct alert){ .state = ALERT_OPEN, .first_ns = first_of(e), .last_ns = last_of(e), .count = count_of(e),
			       .severity = severity_of(e), .event = *e };
	memcpy(ret->id, id, sizeof(id));
	return true;
}

bool alert_fold(struct alert *a, const struct event *e)
{
	bool other = event_has(&a->event, EVENT_F_peer_addr) &&
		     (!event_has(e, EVENT_F_peer_addr) || memcmp(&a->event.peer_addr, &e->peer_addr, sizeof(e->peer_addr)) != 0);
	/* Not one peer but several of its class: to name the first would blame it for all. */
	if (other) {
		event_unset(&a->event, EVENT_F_peer_addr);
		if (!event_has(e, EVENT_F_peer) || !event_has(&a->event, EVENT_F_peer) || !span_eq(a->event.peer, e->peer))
			event_unset(&a->event, EVENT_F_peer);
	}
	if (first_of(e) < a->first_ns)
		a->first_ns = first_of(e);
	if (last_of(e) > a->last_ns)
		a->last_ns = last_of(e);
	if (severity_of(e) > a->severity)
		a->severity = severity_of(e);
	if (__builtin_add_overflow(a->count, count_of(e), &a->count))
		a->count = UINT64_MAX;
	return other;
}

static void json_time(struct buf *out, const char *key, uint64_t ns)
{
	char s[CLOCK_STRLEN];
	(void)json_key(out, key);
	(void)json_str(out, clock_str(ns, s));
}

static void json_explain(struct buf *out, const char *key, const struct event *e, enum rule_language lang)
{
	uint8_t text[EXPLAIN_MAX];
	struct buf b = buf_over(text, sizeof(text));
	if (rule_explain(e, lang, &b))
		buf_rewind(&b, 0);
	(void)json_key(out, key);
	(void)json_string(out, buf_span(&b));
}

int alert_json(const struct alert *a, struct buf *out)
{
	/* What tells one event from another of the same finding, or one run from another. */
	static const enum event_field left_out[] = {
		EVENT_F_sensor, EVENT_F_epoch, EVENT_F_lane, EVENT_F_seq, EVENT_F_ts, EVENT_F_ts_first, EVENT_F_count,
		EVENT_F_severity, EVENT_F_flow, EVENT_F_packet, EVENT_F_file, EVENT_F_generation,
	};
	struct event e = a->event;
	size_t mark = out->len;
	for (size_t i = 0; i < sizeof(left_out) / sizeof(*left_out); i++)
		event_unset(&e, left_out[i]);
	const char *state = alert_state_word(a->state);
	const char *severity = vocab_word(&event_vocab, EVENT_F_severity, a->severity);
	(void)buf_u8(out, '{');
	(void)json_key(out, "id");
	(void)json_str(out, a->id);
	(void)json_key(out, "state");
	(void)json_str(out, state ? state : "open");
	if (a->until_ns)
		json_time(out, "until", a->until_ns);
	json_time(out, "first", a->first_ns);
	json_time(out, "last", a->last_ns);
	(void)json_key(out, "count");
	(void)json_uint(out, a->count);
	(void)json_key(out, "severity");
	(void)json_str(out, severity ? severity : "info");
	/* The event's own object becomes the rest of this one. */
	size_t at = out->len;
	if (!out->full && !vocab_json(&event_vocab, &e.head, out)) {
		out->data[at] = ',';
		buf_rewind(out, out->len - 1);
		json_explain(out, "explain_en", &a->event, RULE_EN);
		json_explain(out, "explain_ja", &a->event, RULE_JA);
		if (!buf_u8(out, '}'))
			return 0;
	}
	buf_rewind(out, mark);
	return -ENOBUFS;
}
