/* A table of conf.h as JSON Schema, draft 2020-12. */
#include <errno.h>

#include "core/conf_make.h"
#include "core/conf_tree.h"

static void put_string(FILE *to, const char *s)
{
	(void)fputc('"', to);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			(void)fputc('\\', to);
		(void)fputc(*s, to);
	}
	(void)fputc('"', to);
}

static void indent(FILE *to, unsigned depth)
{
	(void)fputc('\n', to);
	for (unsigned i = 0; i < depth; i++)
		(void)fputc(' ', to);
}

static void put_words(FILE *to, const char *const *words, bool booleans)
{
	(void)fputs("\"enum\": [", to);
	for (size_t i = 0; words && words[i]; i++) {
		(void)fputs(i ? ", " : "", to);
		put_string(to, words[i]);
	}
	(void)fputs(booleans ? ", true, false]" : "]", to);
}

static void put_bounds(FILE *to, const struct conf_key *k, const char *least, const char *most)
{
	if (k->min)
		(void)fprintf(to, ", \"%s\": %llu", least, (unsigned long long)k->min);
	if (k->max)
		(void)fprintf(to, ", \"%s\": %llu", most, (unsigned long long)k->max);
}

static void put_value(FILE *to, const struct conf_key *k, unsigned depth);

static void put_map(FILE *to, const struct conf_key *keys, unsigned depth)
{
	bool some = false;
	(void)fputs("\"type\": \"object\", \"additionalProperties\": false, \"properties\": {", to);
	for (const struct conf_key *k = keys; k->name; k++) {
		bool again = false;
		for (const struct conf_key *o = keys; o != k && !again; o++)
			again = span_eq(span_str(o->name), span_str(k->name));
		if (again || k->kind == CONF_REFUSED)
			continue; /* the first entry of a name counts */
		(void)fputs(some ? "," : "", to);
		some = true;
		indent(to, depth + 1);
		put_string(to, k->name);
		(void)fputs(": {", to);
		if (k->doc) {
			(void)fputs("\"description\": ", to);
			put_string(to, k->doc);
			(void)fputs(k->kind == CONF_ANY ? "" : ", ", to);
		}
		put_value(to, k, depth + 1);
		(void)fputc('}', to);
	}
	indent(to, depth);
	(void)fputc('}', to);
	some = false;
	for (const struct conf_key *k = keys; k->name; k++)
		if (k->required) {
			(void)fputs(some ? ", " : ", \"required\": [", to);
			put_string(to, k->name);
			some = true;
		}
	(void)fputs(some ? "]" : "", to);
}

/* The inside of an object that describes a value. */
static void put_value(FILE *to, const struct conf_key *k, unsigned depth)
{
	switch (k->kind) {
	case CONF_ANY:
	case CONF_REFUSED:
		break;
	case CONF_TEXT:
		(void)fputs("\"type\": [\"string\", \"number\"]", to);
		put_bounds(to, k, "minLength", "maxLength");
		break;
	case CONF_UINT:
		(void)fputs("\"type\": \"integer\"", to);
		(void)fprintf(to, ", \"minimum\": %llu", (unsigned long long)k->min);
		if (k->max)
			(void)fprintf(to, ", \"maximum\": %llu", (unsigned long long)k->max);
		break;
	case CONF_BOOL:
		(void)fputs("\"type\": \"boolean\"", to);
		break;
	case CONF_TRI:
		put_words(to, conf_value_tri_words, true);
		break;
	case CONF_WORD:
		put_words(to, k->words, false);
		break;
	case CONF_DATE:
		(void)fprintf(to, "\"type\": \"string\", \"pattern\": \"^%s[0-9]{4}-[0-9]{2}-[0-9]{2}(T.+)?%s$\"",
			      k->min ? "" : "(", k->min ? "" : ")?");
		break;
	case CONF_PORTS:
		(void)fputs("\"type\": [\"string\", \"integer\"], \"pattern\": \"^[0-9]+(-[0-9]+)?(, ?[0-9]+(-[0-9]+)?)*$\"",
			    to);
		break;
	case CONF_ADDR:
	case CONF_PREFIX:
		(void)fputs("\"type\": \"string\", \"pattern\": \"^[0-9A-Fa-f:.]+(/[0-9]+)?$\"", to);
		break;
	case CONF_MAC:
		(void)fputs("\"type\": \"string\", \"pattern\": \"^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$\"", to);
		break;
	case CONF_DURATION:
		(void)fputs("\"type\": \"string\", \"pattern\": \"^[0-9]+[smhd]$\"", to);
		break;
	case CONF_SIZE:
		(void)fputs("\"type\": \"string\", \"pattern\": \"^[0-9]+(KiB|MiB|GiB)$\"", to);
		break;
	case CONF_MAP:
		put_map(to, k->keys, depth);
		break;
	case CONF_MAP_OF:
		(void)fputs("\"type\": \"object\", \"additionalProperties\": {", to);
		put_value(to, k->keys, depth);
		(void)fputc('}', to);
		put_bounds(to, k, "minProperties", "maxProperties");
		break;
	case CONF_LIST:
		(void)fputs("\"type\": \"array\", \"items\": {", to);
		put_value(to, k->keys, depth);
		(void)fputc('}', to);
		put_bounds(to, k, "minItems", "maxItems");
		break;
	case CONF_ONE_OF:
		(void)fputs("\"anyOf\": [", to);
		for (const struct conf_key *o = k->keys; o->name; o++) {
			(void)fputs(o == k->keys ? "{" : ", {", to);
			put_value(to, o, depth);
			(void)fputc('}', to);
		}
		(void)fputc(']', to);
		break;
	}
}

int conf_schema(const struct conf_key *keys, const char *title, const char *description, FILE *to)
{
	(void)fputs("{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"title\": ", to);
	put_string(to, title);
	(void)fputs(",\n \"description\": ", to);
	put_string(to, description);
	(void)fputs(",\n ", to);
	put_map(to, keys, 0);
	(void)fputs("}\n", to);
	return ferror(to) ? -EIO : 0;
}
