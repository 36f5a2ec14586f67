#include "documents/flows.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/err.h"
#include "rules/policy_model.h"

/* False when the value is none of the field's. The text lives as long as `v`. */
static bool set(struct observation *o, unsigned field, const json_t *v)
{
	const struct vocab_field *f = &observation_vocab.fields[field];
	const char *s = json_string_value(v);
	struct span text = { (const uint8_t *)s, json_string_length(v) };
	struct endpoint e;
	struct addr a;
	struct mac m;
	uint64_t n;
	switch (f->kind) {
	case VOCAB_UINT:
		if (!json_is_integer(v) || json_integer_value(v) < 0)
			return false;
		observation_uint(o, (enum observation_field)field, (uint64_t)json_integer_value(v));
		return true;
	case VOCAB_BOOL:
		if (json_is_boolean(v))
			observation_uint(o, (enum observation_field)field, json_is_true(v));
		return json_is_boolean(v);
	case VOCAB_TIME:
		if (!s || clock_parse(text, &n))
			return false;
		observation_uint(o, (enum observation_field)field, n);
		return true;
	case VOCAB_WORD:
		for (n = 0; s && f->words[n]; n++)
			if (!strcmp(f->words[n], s)) {
				observation_uint(o, (enum observation_field)field, n);
				return true;
			}
		return false;
	case VOCAB_TEXT:
		return s && observation_text(o, (enum observation_field)field, text);
	case VOCAB_ENDPOINT:
		if (!s || (addr_parse_endpoint(text, &e) && (addr_parse(text, &e.ip) || (e.port = 0))))
			return false;
		vocab_set_endpoint(&observation_vocab, &o->head, field, &e);
		return true;
	case VOCAB_MAC:
		if (!s || addr_parse_mac(text, &m))
			return false;
		vocab_set_mac(&observation_vocab, &o->head, field, &m);
		return true;
	case VOCAB_ADDR:
		if (!s || addr_parse(text, &a))
			return false;
		vocab_set_addr(&observation_vocab, &o->head, field, &a);
		return true;
	default:
		return false;
	}
}

/* NULL, or what is wrong. */
static const char *read_line(const json_t *line, struct observation *o, char why[static 96])
{
	static const uint8_t needed[] = { OBSERVATION_F_ts, OBSERVATION_F_started, OBSERVATION_F_src, OBSERVATION_F_dst,
					  OBSERVATION_F_transport };
	const struct vocab_type *t = &observation_vocab.types[OBSERVATION_FLOW_END];
	*o = (struct observation){ .head.type = OBSERVATION_FLOW_END };
	for (size_t i = 0; i < t->n_fields; i++) {
		const char *name = observation_vocab.fields[t->fields[i]].name;
		const json_t *v = json_object_get(line, name);
		if (v && !set(o, t->fields[i], v)) {
			(void)snprintf(why, 96, "%s is not what it must be (docs/events.md)", name);
			return why;
		}
	}
	for (size_t i = 0; i < sizeof(needed); i++)
		if (!observation_has(o, (enum observation_field)needed[i])) {
			(void)snprintf(why, 96, "%s is missing", observation_vocab.fields[needed[i]].name);
			return why;
		}
	return NULL;
}

int flows_read(FILE *from, const char *name, flows_take *take, void *arg, struct conf_report *rep)
{
	static char text[FLOWS_LINE];
	struct policy_place at = { .file = name };
	int result = 0;
	while (!result && fgets(text, sizeof(text), from)) {
		size_t n = strlen(text);
		json_error_t e;
		char why[96];
		const char *wrong = NULL;
		at.line++;
		at.column = 0;
		if (n == sizeof(text) - 1 && text[n - 1] != '\n')
			wrong = "longer than any line of flows";
		json_t *line = wrong ? NULL : json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);
		if (!line && !wrong) {
			at.column = e.column > 0 ? (unsigned)e.column : 0;
			wrong = "no line of JSON";
		}
		const char *type = json_string_value(json_object_get(line, "type"));
		struct observation o;
		if (!wrong && !type)
			wrong = "has no type: expected what spanward replay --show flows --format jsonl prints";
		else if (!wrong && !strcmp(type, "flow.end") && !(wrong = read_line(line, &o, why)))
			take(arg, &o);
		json_decref(line);
		if (wrong) {
			policy_load_fault(&at, rep, "%s", wrong);
			result = ERR_CORRUPT;
		}
	}
	return result ? result : ferror(from) ? -EIO : 0;
}

bool flows_is(const char *path)
{
	char first = 0;
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
	bool is = fd >= 0 && read(fd, &first, 1) == 1 && first == '{';
	if (fd >= 0)
		(void)close(fd);
	return is;
}
