/* vocab_rig.h -- for tests only: records of both vocabularies, drawn at random. */
#ifndef CORE_VOCAB_RIG_H
#define CORE_VOCAB_RIG_H

#include <string.h>

#include "core/event.h"
#include "core/observation.h"

static const struct vocab *const vocab_rig_all[] = { &observation_vocab, &event_vocab };

union vocab_rig { struct vocab_head head; struct observation o; struct event e; };

/* Texts vocab_rig_made for a record live as long as the record. */
static uint8_t vocab_rig_texts[1 << 18];
static size_t vocab_rig_used;
static struct vocab_scratch vocab_rig_made;

static uint32_t vocab_rig_state = 1;
static inline uint32_t vocab_rig_below(uint32_t below)
{
	vocab_rig_state = vocab_rig_state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(vocab_rig_state ^ vocab_rig_state >> 15) % below);
}

static inline struct span vocab_rig_text(enum vocab_grammar g, size_t max)
{
	static const char *const letters[] = {
		[VOCAB_G_ID] = "abcXYZ019._:+/-", [VOCAB_G_AE] = "ABC xyz!\"/[]~09", [VOCAB_G_UID] = "0123456789.",
		[VOCAB_G_VERSION] = "aZ0 ._/+():,-", [VOCAB_G_HL7_HD] = "aZ0 ._:&/+()@-", [VOCAB_G_HL7_TYPE] = "AZ09_^",
		[VOCAB_G_HL7_ID] = "aZ0._:/+|@-", [VOCAB_G_CHARSET] = "aZ0 /._~-", [VOCAB_G_HOST] = "aZ0._-",
		[VOCAB_G_LABEL] = "aZ0._- ()/;,", [VOCAB_G_CODE] = "AZ09 _", [VOCAB_G_KEYS] = "aZ0,",
		[VOCAB_G_TOKEN] = "0123456789abcdef", [VOCAB_G_HEX] = "0123456789abcdef",
		[VOCAB_G_DNS] = "aZ0._*,-",
	};
	size_t n = g == VOCAB_G_TOKEN ? 32 : 1 + vocab_rig_below((uint32_t)max);
	struct span s = { vocab_rig_texts + vocab_rig_used, 0 };
	if (g == VOCAB_G_NAME) {
		while (s.n + 3 <= n) {
			static const char *const some[] = { "\xe6\x94\xbe", "\xe7\xb7\x9a", "CT1", "\"\\<", "\xc3\xa9x" };
			memcpy(vocab_rig_texts + vocab_rig_used + s.n, some[vocab_rig_below(5)], 3);
			s.n += 3;
		}
	} else {
		vocab_rig_texts[vocab_rig_used] = g == VOCAB_G_UID || g >= VOCAB_G_TOKEN ? '1' : 'A';
		for (s.n = 1; s.n < n; s.n++)
			vocab_rig_texts[vocab_rig_used + s.n] = (uint8_t)letters[g][vocab_rig_below((uint32_t)strlen(letters[g]))];
	}
	vocab_rig_used += s.n;
	return s;
}

static inline uint64_t vocab_rig_u64(void)
{
	uint64_t v = (uint64_t)vocab_rig_below(UINT32_MAX) << 32 | vocab_rig_below(UINT32_MAX);
	return v >> vocab_rig_below(64);
}

static inline struct vocab_contexts vocab_rig_contexts(void)
{
	struct vocab_contexts c = { vocab_rig_made.contexts, vocab_rig_made.syntaxes, (uint16_t)vocab_rig_below(40), 0 };
	for (uint16_t i = 0; i < c.n; i++) {
		uint16_t n = (uint16_t)vocab_rig_below(20);
		vocab_rig_made.contexts[i] = (struct vocab_context){
			.id = (uint8_t)(2 * i + 1), .result = vocab_rig_below(2) ? VOCAB_NO_RESULT : (uint8_t)vocab_rig_below(5),
			.first = c.n_syntaxes, .n = n,
			.abstract_syntax = vocab_rig_below(5) ? vocab_rig_text(VOCAB_G_UID, 64) : (struct span){ 0 },
		};
		while (n--)
			vocab_rig_made.syntaxes[c.n_syntaxes++] = vocab_rig_text(VOCAB_G_UID, 64);
	}
	return c;
}

/* A record of that type, with one field in so many of those that it may carry. */
static inline void vocab_rig_fill(const struct vocab *v, union vocab_rig *rec, uint32_t type, uint32_t often)
{
	vocab_rig_used = 0;
	memset(rec, 0, sizeof(*rec));
	rec->head.type = (uint16_t)type;
	const struct vocab_type *t = &v->types[type];
	for (size_t i = 0; i < t->n_fields; i++) {
		unsigned f = t->fields[i];
		struct endpoint e = { .port = (uint16_t)vocab_rig_below(65536) };
		struct mac m = { { 2, (uint8_t)vocab_rig_below(256), 3, 4, 5, (uint8_t)vocab_rig_below(256) } };
		if (vocab_rig_below(often))
			continue;
		if (vocab_rig_below(2))
			e.ip = addr_from_v4((uint8_t[4]){ 10, 0, (uint8_t)vocab_rig_below(3), (uint8_t)vocab_rig_below(256) });
		else
			for (int k = 0; k < 16; k++)
				e.ip.b[k] = (uint8_t)vocab_rig_below(256);
		switch (v->fields[f].kind) {
		case VOCAB_UINT:
		case VOCAB_TIME: vocab_set_uint(v, &rec->head, f, vocab_rig_u64()); break;
		case VOCAB_HEX16: vocab_set_uint(v, &rec->head, f, vocab_rig_u64() & 0xffff); break;
		case VOCAB_BOOL: vocab_set_uint(v, &rec->head, f, vocab_rig_below(2)); break;
		case VOCAB_WORD: {
			uint32_t n = 0;
			while (v->fields[f].words[n])
				n++;
			vocab_set_uint(v, &rec->head, f, vocab_rig_below(n));
			break;
		}
		case VOCAB_TEXT:
			if (!vocab_set_text(v, &rec->head, f, vocab_rig_text(v->fields[f].grammar, v->fields[f].max)))
				rec->head.type = UINT16_MAX;    /* every use of the record fails */
			break;
		case VOCAB_ADDR: vocab_set_addr(v, &rec->head, f, &e.ip); break;
		case VOCAB_ENDPOINT: vocab_set_endpoint(v, &rec->head, f, &e); break;
		case VOCAB_MAC: vocab_set_mac(v, &rec->head, f, &m); break;
		case VOCAB_CONTEXTS: {
			struct vocab_contexts c = vocab_rig_contexts();
			vocab_set_contexts(v, &rec->head, f, &c);
			break;
		}
		}
	}
}

static inline void vocab_rig_record(const struct vocab *v, union vocab_rig *rec)
{
	uint32_t type = vocab_rig_below((uint32_t)v->n_types);
	vocab_rig_fill(v, rec, type, 1 + vocab_rig_below(4));
}

#endif
