#include "documents/papers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/near.h"

/* ---- reading ---- */

static char *keep(struct policy_model *m, const char *text)
{
	char *copy = strdup(text), **slot = copy ? POLICY_MODEL_ADD(&m->memory) : NULL;
	if (!slot) {
		free(copy);
		return NULL;
	}
	return *slot = copy;
}

static int read_file(const char *path, struct policy_model *m, struct conf_report *rep)
{
	char *file = keep(m, path);
	if (!file)
		return -ENOMEM;
	struct conf_doc *doc = conf_read_file(path, rep);
	if (!doc)
		return access(path, R_OK) && errno == EACCES ? -EACCES : ERR_CONFIG;
	struct conf_doc **slot = POLICY_MODEL_ADD(&m->docs);
	if (!slot) {
		conf_free(doc);
		return -ENOMEM;
	}
	*slot = doc;
	const struct conf_node *root = conf_root(doc), *kind = conf_is_map(root) ? conf_get(root, "kind") : NULL;
	struct span k = kind && conf_is_scalar(kind) ? conf_text(kind, "") : (struct span){ 0 };
	if (span_eq(k, span_str("site")))
		return policy_site_read(m, doc, file, rep);
	if (span_eq(k, span_str("inventory")))
		return policy_inventory_read(m, doc, file, rep);
	return policy_types_read(m, doc, file, rep);
}

int papers_read(const char *const *paths, size_t n, struct policy_model *m, struct conf_report *rep)
{
	int result = 0;
	for (size_t i = 0; i < n && result != -ENOMEM; i++) {
		struct stat st;
		int r = 0;
		if (stat(paths[i], &st)) {
			struct policy_place at = { .file = paths[i] };
			char near[NEAR_TEXT];
			r = -errno;
			policy_load_fault(&at, rep, "cannot be read: %s%s", strerrordesc_np(-r), near_file(paths[i], near));
		} else {
			r = S_ISDIR(st.st_mode) ? policy_load_dir(paths[i], m, rep) : read_file(paths[i], m, rep);
		}
		if (r && (r == -ENOMEM || result != ERR_CONFIG))
			result = r;
	}
	return result;
}

/* ---- answers and where facts stand ---- */

enum papers_answer papers_answer_of(const struct conf_node *answer)
{
	static const struct { const char *word; enum papers_answer is; } words[] = {
		{ "", PAPERS_BLANK }, { "unknown", PAPERS_BLANK }, { "yes", PAPERS_YES }, { "no", PAPERS_NO }, { "na", PAPERS_NA },
		{ "n/a", PAPERS_NA }, { "see_note", PAPERS_SEE_NOTE }, { "see note", PAPERS_SEE_NOTE }, { "see notes", PAPERS_SEE_NOTE },
	};
	if (!answer)
		return PAPERS_ABSENT;
	struct span s = conf_text(conf_get(answer, "a"), "");
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '_'))
		s.n--;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (s.n == strlen(words[i].word) && (!s.n || !strncasecmp((const char *)s.p, words[i].word, s.n)))
			return words[i].is;
	return PAPERS_TEXT;
}

enum papers_answer papers_answer(const struct policy_model_type *t, const char *question)
{
	const struct conf_node *answers = conf_get(conf_get(t->form, "mds2"), "answers");
	const struct conf_node *a = conf_get(answers, question);
	/* The official form's own misprint. */
	if (!a && !strcmp(question, "SAHD-15"))
		a = conf_get(answers, "SHAD-15");
	return papers_answer_of(a);
}

uint32_t papers_find(const struct policy_model_type *t, struct span key)
{
	for (size_t i = 0; i < t->documents.n; i++)
		if (span_eq(t->documents.v[i].key, key))
			return (uint32_t)i;
	return POLICY_NO_DOCUMENT;
}

struct policy_source papers_answer_at(const struct policy_model_type *t, struct span question)
{
	struct policy_source s = { POLICY_NO_DOCUMENT, question };
	const struct conf_node *sources = conf_get(conf_get(t->form, "mds2"), "sources");
	if (conf_count(sources))
		s.document = papers_find(t, conf_text(conf_at(sources, 0), ""));
	for (size_t i = 0; i < t->documents.n && s.document == POLICY_NO_DOCUMENT; i++)
		if (t->documents.v[i].type.n >= 4 && !memcmp(t->documents.v[i].type.p, "mds2", 4))
			s.document = (uint32_t)i;
	return s;
}

struct policy_source papers_source(const struct policy_model_type *t, const struct conf_node *fact)
{
	struct policy_source s = { POLICY_NO_DOCUMENT, conf_text(conf_get(fact, "row"), "") };
	const struct conf_node *sources = conf_get(fact, "sources");
	if (conf_count(sources))
		s.document = papers_find(t, conf_text(conf_at(sources, 0), ""));
	return s;
}

const struct policy_document *papers_document(const struct policy_model_type *t, uint32_t document)
{
	return document < t->documents.n ? &t->documents.v[document] : NULL;
}

struct span papers_contact(const struct policy_model_type *t)
{
	static const char *const who[] = { "inquiry", "dealer" }, *const ways[] = { "email", "tel", "url", "text" };
	const struct conf_node *contacts = conf_get(conf_get(t->form, "manufacturer"), "contacts");
	struct span s = t->psirt;
	for (size_t i = 0; i < 2 && !s.n; i++)
		for (size_t k = 0; k < 4 && !s.n; k++)
			s = conf_text(conf_get(conf_get(contacts, who[i]), ways[k]), "");
	return s;
}

/* ---- rows ---- */

static bool holds(struct span s, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= s.n; i++)
		if (!strncasecmp((const char *)s.p + i, word, n))
			return true;
	return false;
}

bool papers_peer_outside(const struct policy_peer *p)
{
	static const char *const words[] = { "vendor", "maker", "manufacturer", "internet", "cloud" };
	if (p->kind == POLICY_PEER_NAME)
		return !holds(p->name, ".local") && !holds(p->name, ".internal");
	if (p->kind == POLICY_PEER_PREFIX)
		return !addr_is_private(&p->prefix.ip);
	for (size_t i = 0; p->kind == POLICY_PEER_ROLE && i < sizeof(words) / sizeof(words[0]); i++)
		if (holds(p->name, words[i]))
			return true;
	return false;
}

bool papers_row_outside(const struct policy_model_row *r)
{
	for (size_t i = 0; i < r->peers.n; i++)
		if (papers_peer_outside(&r->peers.v[i]))
			return true;
	return false;
}

bool papers_row_personal(const struct policy_model_row *r)
{
	enum conf_tri phi = conf_tri(conf_get(r->at.node, "phi"));
	unsigned base = policy_proto_base(r->proto);
	return phi == CONF_TRI_YES || (phi != CONF_TRI_NO && phi != CONF_TRI_NA && (base == POLICY_PROTO_DICOM ||
		base == POLICY_PROTO_HL7));
}

const char *papers_row_ports(const struct policy_model_row *r, char *out, size_t room)
{
	struct buf b = buf_over(out, room - 1);
	for (size_t i = 0; i < r->n_ports && r->transport != OBSERVATION_ICMP; i++) {
		(void)buf_printf(&b, "%s%u", i ? "," : "", r->ports[i].lo);
		if (r->ports[i].hi != r->ports[i].lo)
			(void)buf_printf(&b, "-%u", r->ports[i].hi);
	}
	out[b.len] = 0;
	return out;
}

struct span papers_row_transport(const struct policy_model_row *r) { return conf_text(conf_get(r->at.node, "transport"), ""); }

static void put_address(struct buf *b, const struct prefix *p)
{
	char text[ADDR_STRLEN];
	(void)buf_str(b, addr_str(&p->ip, text));
	unsigned all = addr_is_v4(&p->ip) ? 32 : 128, bits = addr_is_v4(&p->ip) ? p->bits - 96u : p->bits;
	if (bits < all)
		(void)buf_printf(b, "/%u", bits);
}

const char *papers_row_peers(const struct policy_model_row *r, char *out, size_t room)
{
	struct buf b = buf_over(out, room - 1);
	for (size_t i = 0; i < r->peers.n; i++) {
		const struct policy_peer *p = &r->peers.v[i];
		size_t mark = b.len;
		if (i)
			(void)buf_str(&b, ", ");
		switch (p->kind) {
		case POLICY_PEER_ANY: (void)buf_str(&b, "any"); break;
		case POLICY_PEER_LOCAL: (void)buf_str(&b, "local_networks"); break;
		case POLICY_PEER_MAKER: (void)buf_str(&b, "same_manufacturer"); break;
		case POLICY_PEER_PREFIX: put_address(&b, &p->prefix); break;
		case POLICY_PEER_ROLE: case POLICY_PEER_NAME: (void)buf_put(&b, p->name.p, p->name.n); break;
		}
		if (b.full) {
			buf_rewind(&b, mark);
			break;
		}
	}
	out[b.len] = 0;
	return out;
}
