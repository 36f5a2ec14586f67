/* What the maker answered in the MDS2 form, against the rows, the other chapters and the other answers. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "documents/lint_run.h"

enum { QUESTION_MAX = 32 };

static bool says(const struct lint_run *r, const char *question, enum papers_answer a) { return papers_answer(r->t, question) == a; }

static void begin_at(struct lint_run *r, enum lint_rule rule, const char *question)
{
	lint_run_begin(r, rule);
	lint_run_place(r, papers_answer_at(r->t, span_str(question)));
}

/* What a row is, for a sentence: its row in the document, and "dicom tcp/104". */
static void row_words(struct lint_run *r, const struct policy_model_row *row)
{
	char ports[128];
	struct span transport = papers_row_transport(row);
	lint_run_word(r, lint_run_label(row));
	lint_run_words(r, "%s %.*s/%s", policy_proto_name(row->proto), (int)transport.n, (const char *)transport.p,
		       papers_row_ports(row, ports, sizeof(ports)));
}

static void about_row(struct lint_run *r, enum lint_rule rule, const char *question, const struct policy_model_row *row)
{
	begin_at(r, rule, question);
	lint_run_place(r, lint_run_row(row));
	row_words(r, row);
}

/* A claim may stand in other papers than the form: it is cited where it stands. */
static void about_claim(struct lint_run *r, enum lint_rule rule, enum policy_claim_kind which, const struct policy_model_row *row)
{
	lint_run_begin(r, rule);
	lint_run_place(r, r->t->claims[which].source);
	if (row) {
		lint_run_place(r, lint_run_row(row));
		row_words(r, row);
	}
}

static bool has_protocol(const struct policy_model_row *row, const char *words)
{
	const char *name = policy_proto_name(row->proto);
	size_t n = strlen(name);
	for (const char *p = words; (p = strstr(p, name)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

static bool has_infrastructure(const struct policy_model_type *t, const char *name)
{
	for (size_t i = 0; name && i < t->infrastructure.n; i++)
		if (span_eq(conf_text(t->infrastructure.v[i].node, ""), span_str(name)))
			return true;
	return false;
}

static bool any_row(const struct policy_model_type *t, const char *protocols)
{
	for (size_t i = 0; i < t->rows.n; i++)
		if (has_protocol(&t->rows.v[i], protocols))
			return true;
	return false;
}

/* ---- encryption, outside, remote service ---- */

static bool in_clear(const struct policy_model_row *row) { return row->tls == POLICY_TLS_NO; }

static void encryption(struct lint_run *r)
{
	const struct policy_model_type *t = r->t;
	bool tls = false;
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct policy_model_row *row = &t->rows.v[i];
		tls = tls || row->tls != POLICY_TLS_NO;
		if (t->claims[POLICY_CLAIM_ENCRYPTION].answer == CONF_TRI_YES && papers_row_personal(row)) {
			if (in_clear(row)) {
				about_claim(r, LINT_ENCRYPTED_CLEAR, POLICY_CLAIM_ENCRYPTION, row);
				lint_run_end(r);
			} else if (row->tls == POLICY_TLS_OPTIONAL) {
				about_claim(r, LINT_ENCRYPTED_OPTIONAL, POLICY_CLAIM_ENCRYPTION, row);
				lint_run_end(r);
			}
		}
		if (says(r, "CONN-7", PAPERS_NO) && row->tls == POLICY_TLS_YES) {
			about_row(r, LINT_TLS_UNSUPPORTED, "CONN-7", row);
			lint_run_end(r);
		}
	}
	if (says(r, "CONN-7", PAPERS_YES) && t->rows.n && !tls) {
		begin_at(r, LINT_TLS_NOWHERE, "CONN-7");
		lint_run_end(r);
	}
}

static bool peers_outside(const struct conf_node *peers)
{
	for (size_t i = 0; i < conf_count(peers); i++) {
		const struct conf_node *n = conf_at(peers, i), *role = conf_get(n, "role"), *fqdn = conf_get(n, "fqdn");
		struct policy_peer p = { .kind = fqdn ? POLICY_PEER_NAME : role ? POLICY_PEER_ROLE : POLICY_PEER_ANY,
					 .name = conf_text(fqdn ? fqdn : role, "") };
		if (papers_peer_outside(&p))
			return true;
	}
	return false;
}

static void outside(struct lint_run *r)
{
	const struct policy_model_type *t = r->t;
	const struct policy_claim *c = &t->claims[POLICY_CLAIM_EXTERNAL];
	bool named = peers_outside(conf_get(conf_get(t->form, "remote_service"), "peers")) ||
		     peers_outside(conf_get(conf_get(t->form, "updates"), "peers"));
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct policy_model_row *row = &t->rows.v[i];
		bool any = false;
		for (size_t k = 0; k < row->peers.n; k++)
			any = any || row->peers.v[k].kind == POLICY_PEER_ANY;
		named = named || any || papers_row_outside(row);
		if (c->answer == CONF_TRI_NO && papers_row_outside(row)) {
			char peers[160];
			about_claim(r, LINT_EXTERNAL_PEER, POLICY_CLAIM_EXTERNAL, row);
			lint_run_words(r, "%s", papers_row_peers(row, peers, sizeof(peers)));
			lint_run_end(r);
		}
		if (any && row->out && says(r, "TXCF-3", PAPERS_YES)) {
			about_row(r, LINT_FIXED_ANY, "TXCF-3", row);
			lint_run_end(r);
		}
	}
	if (c->answer == CONF_TRI_YES && t->rows.n && !named) {
		about_claim(r, LINT_EXTERNAL_NOWHERE, POLICY_CLAIM_EXTERNAL, NULL);
		lint_run_end(r);
	}
	if (c->answer == CONF_TRI_NO && says(r, "CONN-6", PAPERS_YES)) {
		begin_at(r, LINT_INTERNET_NEEDED, "CONN-6");
		lint_run_place(r, c->source);
		lint_run_end(r);
	}
	const struct conf_node *environment = conf_get(t->form, "intended_environment");
	enum conf_tri internet = conf_tri(conf_get(environment, "internet"));
	enum papers_answer needed = papers_answer(t, "CONN-6");
	if ((internet == CONF_TRI_YES && needed == PAPERS_NO) || (internet == CONF_TRI_NO && needed == PAPERS_YES)) {
		begin_at(r, LINT_INTERNET_ENVIRONMENT, "CONN-6");
		lint_run_place(r, papers_source(t, environment));
		lint_run_words(r, "%s", needed == PAPERS_YES ? "yes" : "no");
		lint_run_words(r, "%s", internet == CONF_TRI_YES ? "yes" : "no");
		lint_run_end(r);
	}
}

static void remote(struct lint_run *r)
{
	const struct policy_model_type *t = r->t;
	const struct policy_claim *c = &t->claims[POLICY_CLAIM_REMOTE_SERVICE];
	const struct conf_node *chapter = conf_get(t->form, "remote_service");
	bool named = conf_count(conf_get(chapter, "ports")) > 0;
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct policy_model_row *row = &t->rows.v[i];
		bool is = row->in && has_protocol(row, "rdp vnc ssh telnet");
		for (size_t k = 0; k < row->peers.n; k++)
			is = is || (row->peers.v[k].kind == POLICY_PEER_ROLE && papers_peer_outside(&row->peers.v[k]));
		named = named || is;
		if (is && c->answer == CONF_TRI_NO) {
			about_claim(r, LINT_REMOTE_ROW, POLICY_CLAIM_REMOTE_SERVICE, row);
			lint_run_end(r);
		}
	}
	if (c->answer == CONF_TRI_YES && t->rows.n && !named) {
		about_claim(r, LINT_REMOTE_NOWHERE, POLICY_CLAIM_REMOTE_SERVICE, NULL);
		lint_run_end(r);
	}
}

/* ---- answers that a row denies ---- */

static void denied_by_rows(struct lint_run *r)
{
	static const char *const silent[] = { "TXCF-1", "MPII-3.5" };   /* the second: PII over a wired network */
	static const char *const node[] = { "TXCF-4", "NAUT-1" };
	for (size_t i = 0; i < r->t->rows.n; i++) {
		const struct policy_model_row *row = &r->t->rows.v[i];
		bool phi = conf_tri(conf_get(row->at.node, "phi")) == CONF_TRI_YES;
		for (size_t k = 0; k < 2; k++) {
			if (!phi || papers_answer(r->t, silent[k]) != (k ? PAPERS_NO : PAPERS_YES))
				continue;
			begin_at(r, LINT_CABLE_ONLY, silent[k]);
			lint_run_place(r, lint_run_row(row));
			lint_run_word(r, span_str(silent[k]));
			row_words(r, row);
			lint_run_end(r);
		}
		struct span how = conf_text(conf_get(conf_get(row->at.node, "authentication"), "node"), "");
		for (size_t k = 0; k < 2; k++) {
			if (!phi || !span_eq(how, span_str("none")) || !says(r, node[k], PAPERS_YES))
				continue;
			begin_at(r, LINT_NODE_OPEN, node[k]);
			lint_run_place(r, lint_run_row(row));
			lint_run_word(r, span_str(node[k]));
			row_words(r, row);
			lint_run_end(r);
		}
		if (row->in && !row->optional && !row->disabled && has_protocol(row, "telnet ftp tftp") && says(r, "SAHD-9",
			PAPERS_YES)) {
			about_row(r, LINT_UNUSED_TELNET, "SAHD-9", row);
			lint_run_end(r);
		}
		const struct conf_node *calls = conf_get(conf_get(conf_get(row->at.node, "app"), "http"), "operations");
		for (size_t k = 0; says(r, "AUTH-4", PAPERS_YES) && k < conf_count(calls); k++) {
			const struct conf_node *call = conf_at(calls, k);
			if (conf_tri(conf_get(call, "authenticated")) != CONF_TRI_NO)
				continue;
			struct span method = conf_text(conf_get(call, "method"), ""), path = conf_text(conf_get(call, "path"), "");
			begin_at(r, LINT_API_OPEN, "AUTH-4");
			lint_run_place(r, lint_run_row(row));
			lint_run_word(r, lint_run_label(row));
			lint_run_words(r, "%.*s %.*s", (int)method.n, (const char *)method.p, (int)(path.n < 100 ? path.n : 100),
				       (const char *)path.p);
			lint_run_end(r);
		}
	}
}

/* ---- answers that no row carries ---- */

static void no_row(struct lint_run *r)
{
	static const struct { const char *question, *protocols, *built_in, *what[2]; } expected[] = {
		{ "AUTH-1.1", "ldap ldaps kerberos radius http https", NULL, { "federated log-in",
			"外部認証基盤による認証" } },
		{ "PAUT-2", "ldap ldaps kerberos radius", NULL, { "authentication by another service",
			"外部の認証サービスの利用" } },
		{ "PAUT-9", "ldap ldaps kerberos http https", NULL, { "single sign-on", "シングルサインオン" } },
		{ "AUDT-4.1.1", "ntp", "ntp-client", { "synchronised time", "時刻同期" } },
		{ "AUDT-5.2", "syslog syslog-tls", NULL, { "audit records to a collector", "監査ログの転送" } },
		{ "DTBK-4", "smb nfs ftp ssh http https dicom dicom-tls vendor", NULL, { "backup to a remote store",
			"遠隔保存先へのバックアップ" } },
		{ "STCF-4", "sql vendor tcp", NULL, { "a database outside the device", "機器外のデータベース" } },
		{ "CONN-5", "http https", NULL, { "calls of an API", "API呼出し" } },
		{ "CSUP-8", "http https ftp smb tls vendor", NULL, { "automatic updates", "自動アップデート" } },
		{ "RMOT-2", "http https tls ssh vendor smtp", NULL, { "data for predictive maintenance",
			"予防保全データの送信" } },
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (!r->t->rows.n || !says(r, expected[i].question, PAPERS_YES) || any_row(r->t, expected[i].protocols) ||
		    has_infrastructure(r->t, expected[i].built_in))
			continue;
		begin_at(r, LINT_ANSWERED_NO_ROW, expected[i].question);
		lint_run_place(r, r->t->list);
		/* A list that says it is complete cannot leave it out. */
		if (r->t->complete == POLICY_COMPLETE_EXHAUSTIVE)
			lint_run_grade(r, LINT_CONTRADICTION);
		lint_run_word(r, span_str(expected[i].question));
		lint_run_word(r, span_str(expected[i].protocols));
		lint_run_word(r, span_str(expected[i].what[0]));
		lint_run_word(r, span_str(expected[i].what[1]));
		lint_run_end(r);
	}
}

static void port_list(struct lint_run *r)
{
	const struct policy_model_type *t = r->t;
	bool table = t->rows.n > 0;
	if (t->claims[POLICY_CLAIM_UNUSED_CLOSED].answer == CONF_TRI_YES && t->complete == POLICY_COMPLETE_PARTIAL) {
		about_claim(r, LINT_CLOSED_PARTIAL, POLICY_CLAIM_UNUSED_CLOSED, NULL);
		lint_run_place(r, t->list);
		lint_run_end(r);
	}
	if (!table && says(r, "CONN-2", PAPERS_YES)) {
		begin_at(r, LINT_LIST_MISSING, "CONN-2");
		lint_run_end(r);
	} else if (table && says(r, "CONN-2", PAPERS_NO)) {
		begin_at(r, LINT_LIST_DENIED, "CONN-2");
		lint_run_place(r, t->list);
		lint_run_end(r);
	}
	static const char *const networked[] = { "CONN-3", "CONN-1.2.1", "CONN-1.1.1", "CONN-1" };
	for (size_t i = 0; !table && i < 4; i++) {
		if (!says(r, networked[i], PAPERS_YES))
			continue;
		begin_at(r, LINT_NO_ROWS, networked[i]);
		lint_run_word(r, span_str(networked[i]));
		lint_run_end(r);
		return;
	}
}

/* ---- answers against other answers and chapters ---- */

static const char *tri_word(enum conf_tri v) { return v == CONF_TRI_YES ? "yes" : v == CONF_TRI_NO ? "no" : "na"; }

static bool differ(enum conf_tri fact, enum papers_answer answer)
{
	return (fact == CONF_TRI_YES && answer == PAPERS_NO) || (fact == CONF_TRI_NO && answer == PAPERS_YES);
}

static void fact_against(struct lint_run *r, enum lint_rule rule, const char *name, enum conf_tri fact, struct policy_source at,
			 const char *question)
{
	enum papers_answer a = papers_answer(r->t, question);
	if (!differ(fact, a))
		return;
	lint_run_begin(r, rule);
	lint_run_place(r, at);
	lint_run_place(r, papers_answer_at(r->t, span_str(question)));
	lint_run_word(r, span_str(name));
	lint_run_word(r, span_str(tri_word(fact)));
	lint_run_word(r, span_str(question));
	lint_run_word(r, span_str(a == PAPERS_YES ? "yes" : "no"));
	lint_run_end(r);
}

static void chapters(struct lint_run *r)
{
	static const struct { const char *chapter, *key, *question; } facts[] = {
		{ "remote_service", "permitted", "RMOT-1" },      { "remote_service", "owner_initiates", "RMOT-1.1" },
		{ "remote_service", "indicator", "RMOT-1.2" },    { "remote_service", "phi_visible", "RMOT-1.3" },
		{ "updates", "remote", "CSUP-2.3" },              { "updates", "remote", "CSUP-3.3" },
		{ "updates", "remote", "RMOT-3" },                { "updates", "automatic", "CSUP-8" },
		{ "backup", "media", "DTBK-3" },                  { "backup", "remote", "DTBK-4" },
		{ "logging", "atna", "AUDT-5.2" },                { "logging", "encrypted", "AUDT-5.4" },
	};
	static const struct { enum policy_claim_kind which; const char *name, *question; } claims[] = {
		{ POLICY_CLAIM_EXTERNAL, "external", "CONN-4" },
		{ POLICY_CLAIM_UNUSED_CLOSED, "unused_ports_closed", "SAHD-8" },
		{ POLICY_CLAIM_ENCRYPTION, "encryption", "TXCF-2" },
		{ POLICY_CLAIM_REMOTE_SERVICE, "remote_service", "RMOT-1" },
	};
	const struct policy_model_type *t = r->t;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		const struct conf_node *chapter = conf_get(t->form, facts[i].chapter);
		char name[64];
		(void)snprintf(name, sizeof(name), "%s.%s", facts[i].chapter, facts[i].key);
		fact_against(r, LINT_SECTION_ANSWER, name, conf_tri(conf_get(chapter, facts[i].key)), papers_source(t, chapter),
			     facts[i].question);
	}
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		fact_against(r, LINT_CLAIM_ANSWER, claims[i].name, t->claims[claims[i].which].answer, t->claims[claims[i].which].source,
			     claims[i].question);
	const struct conf_node *list = conf_get(t->form, "port_list");
	fact_against(r, LINT_CLAIM_ANSWER, "port_list.unused_ports_closed", conf_tri(conf_get(list, "unused_ports_closed")), t->list,
		     "SAHD-8");
	const struct conf_node *interfaces = conf_get(t->form, "interfaces");
	for (size_t i = 0; i < conf_count(interfaces); i++) {
		const struct conf_node *n = conf_at(interfaces, i);
		struct span question = conf_text(conf_get(n, "mds2"), ""), type = conf_text(conf_get(n, "type"), "");
		char q[QUESTION_MAX], name[64];
		if (!question.n || question.n >= sizeof(q))
			continue;
		(void)snprintf(q, sizeof(q), "%.*s", (int)question.n, (const char *)question.p);
		(void)snprintf(name, sizeof(name), "%.*s", (int)type.n, (const char *)type.p);
		fact_against(r, LINT_INTERFACE, name, conf_tri(conf_get(n, "present")), papers_source(t, n), q);
	}
	static const char *const media[] = { "MPII-3.3", "DTBK-3" };
	for (size_t i = 0; i < 2; i++) {
		if (!says(r, media[i], PAPERS_YES) || !says(r, "CONN-1.2.3", PAPERS_NO))
			continue;
		begin_at(r, LINT_MEDIA, media[i]);
		lint_run_place(r, papers_answer_at(t, span_str("CONN-1.2.3")));
		lint_run_word(r, span_str(media[i]));
		lint_run_end(r);
	}
}

/* A note is there when the answer has one, or one of the form's notes is named by its reference. */
static bool has_note(const struct conf_node *form, const struct conf_node *answer)
{
	if (conf_text(conf_get(answer, "note"), "").n)
		return true;
	struct span ref = conf_text(conf_get(answer, "ref"), "");
	const struct conf_node *notes = conf_get(form, "notes");
	char digits[QUESTION_MAX];
	size_t n = 0;
	for (size_t i = 0; i < ref.n && n < sizeof(digits) - 1; i++)
		if (ref.p[i] >= '0' && ref.p[i] <= '9')
			digits[n++] = (char)ref.p[i];
	for (size_t i = 0; n && i < conf_count(notes); i++) {
		struct span key = conf_key_at(notes, i);
		if (key.n >= n && !memcmp(key.p + key.n - n, digits, n) && (key.n == n || key.p[key.n - n - 1] < '0' ||
			key.p[key.n - n - 1] > '9'))
			return conf_text(conf_at(notes, i), "").n > 0;
	}
	return false;
}

/* Questions that a verdict, a limit or a reader of alerts rests on. */
static bool bears_on_network(struct span id)
{
	static const char *const sections[] = { "CONN-", "TXCF-", "RMOT-", "NAUT-", "SAHD-", "SHAD-", "MPII-3", "AUDT-4", "AUDT-5",
		"AUTH-", "PAUT-2" };
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		size_t n = strlen(sections[i]);
		if (id.n >= n && !memcmp(id.p, sections[i], n))
			return true;
	}
	return false;
}

/* Where an answer stands: of the JAHIS/JIRA form in its own document, when the file says which. */
static struct policy_source place_of(const struct lint_run *r, const struct conf_node *form, bool mds2, struct span id)
{
	struct policy_source s = papers_source(r->t, form);
	s.row = id;
	return mds2 ? papers_answer_at(r->t, id) : s;
}

static void each_answer(struct lint_run *r, const char *key)
{
	const struct conf_node *form = conf_get(r->t->form, key), *answers = conf_get(form, "answers");
	bool mds2 = !strcmp(key, "mds2");
	for (size_t i = 0; i < conf_count(answers); i++) {
		struct span id = conf_key_at(answers, i);
		const struct conf_node *a = conf_at(answers, i);
		enum papers_answer is = papers_answer_of(a);
		bool noted = has_note(form, a);
		/* A note may be all that is answered. */
		if (is == PAPERS_BLANK && !noted && (!mds2 || bears_on_network(id))) {
			lint_run_begin(r, LINT_BLANK_ANSWER);
			lint_run_place(r, place_of(r, form, mds2, id));
			lint_run_word(r, id);
			lint_run_end(r);
		}
		if ((is == PAPERS_SEE_NOTE || conf_text(conf_get(a, "ref"), "").n) && !noted) {
			lint_run_begin(r, LINT_NOTE_MISSING);
			lint_run_place(r, place_of(r, form, mds2, id));
			lint_run_word(r, id);
			lint_run_end(r);
		}
		/* "CONN-1.1.1" is a part of "CONN-1.1". */
		size_t dot = id.n;
		while (dot && id.p[dot - 1] != '.')
			dot--;
		char whole[QUESTION_MAX];
		if (!mds2 || is != PAPERS_YES || dot < 2 || dot > sizeof(whole))
			continue;
		(void)snprintf(whole, sizeof(whole), "%.*s", (int)(dot - 1), (const char *)id.p);
		if (!says(r, whole, PAPERS_NO))
			continue;
		begin_at(r, LINT_CHILD_ANSWER, whole);
		lint_run_place(r, papers_answer_at(r->t, id));
		lint_run_words(r, "%s", whole);
		lint_run_word(r, id);
		lint_run_end(r);
	}
}

void lint_answers_all(struct lint_run *r)
{
	encryption(r);
	outside(r);
	remote(r);
	denied_by_rows(r);
	no_row(r);
	port_list(r);
	chapters(r);
	each_answer(r, "mds2");
	each_answer(r, "mds_jahis");
}
