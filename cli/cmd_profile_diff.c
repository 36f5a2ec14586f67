/* spanward profile diff: declared, observed, accepted, side by side. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "cli/decided.h"
#include "cli/listing.h"
#include "cli/watched.h"
#include "cli/writer.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "documents/matrix_text.h"
#include "documents/observed.h"

static const char help[] =
"usage: spanward profile diff -p DIR [OPTION...] OBSERVED...\n"
"\n"
"Compares what the documents declare with what was observed (files of spanward profile learn) and what the hospital has\n"
"accepted (spanward accept), per unit, direction and port:\n"
"\n"
"  declared_seen    declared, and seen so           declared_unseen  declared, and not in these files\n"
"  differs          on a declared port, otherwise   undeclared       seen, and declared nowhere\n"
"  accepted         seen, not declared, accepted    accepted_unseen  accepted, and not in these files\n"
"\n"
"  -p, --policy DIR      device types, inventory, site and decisions\n"
"      --device DEVICE   only this unit\n"
"      --all             also what is declared and seen so\n"
"      --format FORMAT   table (default on a terminal), jsonl (default on a pipe)\n"
"      --lang en|ja      language of the table and of the summary\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 a file is wrong, 5 permission.\n"
"\n"
"Example: spanward profile diff -p policy/ november.observed.yaml\n";

static const struct cmd this = { "profile diff", "", help, NULL };

enum { OPT_DEVICE = 256, OPT_ALL, OPT_FORMAT, OPT_LANG };
enum state { DECLARED_SEEN, DECLARED_UNSEEN, DIFFERS, UNDECLARED, ACCEPTED, ACCEPTED_UNSEEN };

static const char *const words[][2] = {
	[DECLARED_SEEN] = { "declared_seen", "開示あり・観測あり" },
	[DECLARED_UNSEEN] = { "declared_unseen", "開示あり・観測なし" },
	[DIFFERS] = { "differs", "開示資料と相違" },
	[UNDECLARED] = { "undeclared", "開示なし・観測あり" },
	[ACCEPTED] = { "accepted", "受容済み" },
	[ACCEPTED_UNSEEN] = { "accepted_unseen", "受容済み・観測なし" },
};

struct diff {
	struct watched w;
	struct observed seen;
	struct listing out;
	const char *device, *format;
	enum rule_language language;
	bool all;
	bool *used;                     /* acceptances that an observed row needs */
	size_t n[ACCEPTED_UNSEEN + 1];
};

static const char *transport_of(const struct matrix_line *l)
{
	static const char *const names[] = { "tcp", "udp", "icmp", "other" };
	return names[l->transport < 4 ? l->transport : 3];
}

static bool on_line(const struct matrix_line *l, struct span unit, const struct observed_row *r)
{
	return span_eq(unit, r->unit) && span_eq(r->transport, span_str(transport_of(l))) && l->lo <= r->lo && r->hi <= l->hi &&
	       span_eq(r->direction, span_str(l->side == POLICY_SIDE_OUT ? "out" : "in"));
}

/* An acceptance of this unit for that port, with one of these peers. */
static const struct policy_model_acceptance *accepted(struct diff *d, const struct observed_row *r)
{
	static const char *const names[] = { "tcp", "udp", "icmp", "other" };
	for (size_t i = 0; i < d->w.model.acceptances.n; i++) {
		const struct policy_model_acceptance *a = &d->w.model.acceptances.v[i];
		bool peer = !a->peer.n;
		for (size_t k = 0; k < r->n_peers && !peer; k++)
			peer = span_eq(a->peer, r->peers[k]);
		/* A peer without a name folds by its zone; then the port has to do. */
		for (size_t k = 0; k < d->w.model.zones.n && !peer; k++)
			peer = span_eq(a->peer, d->w.model.zones.v[k].name);
		if (!span_eq(a->device, r->unit) || !peer || a->until_ns <= clock_now_ns() ||
		    (a->has_port && (a->port < r->lo || a->port > r->hi)) ||
		    (a->transport < 4 && !span_eq(r->transport, span_str(names[a->transport]))))
			continue;
		d->used[i] = true;
		return a;
	}
	return NULL;
}

/* A table is for people, in their language; JSON is English. */
static enum rule_language people(const struct diff *d) { return d->out.table ? d->language : RULE_EN; }

static void put(struct diff *d, enum state s, struct span unit, struct span direction, struct span service, struct span protocol,
		struct span peers, struct span document, struct span row, uint64_t flows, uint64_t first_ns, uint64_t last_ns,
		const struct policy_model_acceptance *a)
{
	char n[24] = "", first[DECIDED_LEFT], last[DECIDED_LEFT], until[DECIDED_LEFT];
	d->n[s]++;
	if (s == DECLARED_SEEN && !d->all)
		return;
	if (flows)
		(void)snprintf(n, sizeof(n), "%llu", (unsigned long long)flows);
	const struct span values[] = {
		unit, span_str(words[s][d->language == RULE_JA && d->out.table]), direction, service, protocol, peers, document, row,
		span_str(n), span_str(decided_time(first_ns, first)), span_str(decided_time(last_ns, last)),
		a ? a->owner : (struct span){ 0 }, span_str(a ? decided_time(a->until_ns, until) : ""), a ? a->reason : (struct span){ 0 },
	};
	listing_row(&d->out, values);
}

static void declared_line(struct diff *d, const struct matrix_line *l)
{
	struct policy_device unit;
	uint64_t flows = 0, first = 0, last = 0;
	bool otherwise = false;
	uint8_t mem[4096];
	struct buf b = buf_over(mem, sizeof(mem));
	struct span cells[MATRIX_TEXT_CELLS];
	char service[40];
	policy_device(d->w.compiled, l->device, &unit);
	if (d->device && !span_eq(unit.id, span_str(d->device)))
		return;
	for (size_t i = 0; i < d->seen.rows.n; i++) {
		const struct observed_row *r = &d->seen.rows.v[i];
		if (!on_line(l, unit.id, r))
			continue;
		/* Used, though not as declared: that has a line of its own. With another peer the declared one was not seen. */
		otherwise |= span_eq(r->state, span_str("seen_differently")) || span_eq(r->state, span_str("disabled_but_used"));
		if (!span_eq(r->state, span_str("seen")))
			continue;
		flows += r->flows;
		first = r->first_ns && (!first || r->first_ns < first) ? r->first_ns : first;
		last = r->last_ns > last ? r->last_ns : last;
	}
	/* Off, not on the network, or a built-in row that needs no use: nothing is missing. */
	if (!flows && (otherwise || l->state != MATRIX_UNWATCHED || !l->declared))
		return;
	matrix_text_cells(d->w.matrix, l, people(d), &b, cells);
	(void)snprintf(service, sizeof(service), "%s/%.*s", transport_of(l), (int)cells[MATRIX_TEXT_PORT].n,
		       (const char *)cells[MATRIX_TEXT_PORT].p);
	put(d, flows ? DECLARED_SEEN : DECLARED_UNSEEN, unit.id, cells[MATRIX_TEXT_DIRECTION], span_str(service),
	    cells[MATRIX_TEXT_PROTOCOL], cells[MATRIX_TEXT_PEERS], cells[MATRIX_TEXT_DOCUMENT], cells[MATRIX_TEXT_ROW], flows, first, last,
	    NULL);
}

static void observed_line(struct diff *d, const struct observed_row *r)
{
	const struct matrix_line *on = NULL;
	uint8_t mem[4096], peers_mem[512];
	struct buf b = buf_over(mem, sizeof(mem)), peers = buf_over(peers_mem, sizeof(peers_mem));
	struct span cells[MATRIX_TEXT_CELLS] = { { 0 } };
	char service[40];
	if (span_eq(r->state, span_str("seen")) || span_eq(r->state, span_str("cannot_say")) ||
	    (d->device && !span_eq(r->unit, span_str(d->device))))
		return;
	for (size_t i = 0; i < matrix_count(d->w.matrix) && !on; i++) {
		const struct matrix_line *l = matrix_at(d->w.matrix, i);
		struct policy_device unit;
		policy_device(d->w.compiled, l->device, &unit);
		on = on_line(l, unit.id, r) ? l : NULL;
	}
	if (on)
		matrix_text_cells(d->w.matrix, on, people(d), &b, cells);
	for (size_t i = 0; i < r->n_peers; i++) {
		(void)buf_str(&peers, i ? ", " : "");
		(void)buf_put(&peers, r->peers[i].p, r->peers[i].n);
	}
	(void)snprintf(service, sizeof(service), "%.*s/%.*s", (int)r->transport.n, (const char *)r->transport.p, (int)r->port.n,
		       (const char *)r->port.p);
	const struct policy_model_acceptance *a = accepted(d, r);
	struct span direction = r->direction;
	if (people(d) != RULE_EN)
		direction = span_str(span_eq(direction, span_str("out")) ? "発信" : "着信");
	put(d, a ? ACCEPTED : on ? DIFFERS : UNDECLARED, r->unit, direction, span_str(service), r->protocol, buf_span(&peers),
	    cells[MATRIX_TEXT_DOCUMENT], cells[MATRIX_TEXT_ROW], r->flows, r->first_ns, r->last_ns, a);
}

static int compare(struct diff *d)
{
	static const struct listing_column columns[] = {
		{ "unit", "unit", "機器" }, { "state", "state", "状態" }, { "direction", "direction", "方向" },
		{ "service", "service", "サービス" }, { "protocol", "protocol", "プロトコル" }, { "peers", "peers", "相手" },
		{ "document", "document", "資料" }, { "row", "row", "該当箇所" }, { "flows", "flows", "通信数" },
		{ "first", NULL, NULL }, { "last", "last", "最終" }, { "owner", "accepted by", "責任者" }, { "until", NULL, NULL },
		{ "reason", NULL, NULL },
	};
	size_t n = d->w.model.acceptances.n;
	d->used = calloc(n ? n : 1, sizeof(*d->used));
	if (!d->used)
		return ERR_EXIT_FAILURE;
	(void)listing_begin(&d->out, d->format, d->language, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < matrix_count(d->w.matrix); i++)
		declared_line(d, matrix_at(d->w.matrix, i));
	for (size_t i = 0; i < d->seen.rows.n; i++)
		observed_line(d, &d->seen.rows.v[i]);
	for (size_t i = 0; i < n; i++) {
		const struct policy_model_acceptance *a = &d->w.model.acceptances.v[i];
		struct span none = { 0 };
		if (!d->used[i] && a->until_ns > clock_now_ns() && (!d->device || span_eq(a->device, span_str(d->device))))
			put(d, ACCEPTED_UNSEEN, a->device, none, a->rule, none, a->peer, none, none, 0, 0, 0, a);
	}
	int code = listing_end(&d->out);
	free(d->used);
	if (d->language == RULE_JA) {
		log_say("%s%zu、%s%zu、%s%zu、%s%zu、%s%zu、%s%zu", words[DECLARED_SEEN][1], d->n[DECLARED_SEEN],
			words[DECLARED_UNSEEN][1], d->n[DECLARED_UNSEEN], words[DIFFERS][1], d->n[DIFFERS], words[UNDECLARED][1],
			d->n[UNDECLARED], words[ACCEPTED][1], d->n[ACCEPTED], words[ACCEPTED_UNSEEN][1], d->n[ACCEPTED_UNSEEN]);
		return code;
	}
	log_say("declared and seen %zu, declared and not seen %zu, differs %zu, undeclared %zu, accepted %zu, accepted and not seen %zu",
		d->n[DECLARED_SEEN], d->n[DECLARED_UNSEEN], d->n[DIFFERS], d->n[UNDECLARED], d->n[ACCEPTED], d->n[ACCEPTED_UNSEEN]);
	return code;
}

int cmd_profile_diff(int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' }, { "device", required_argument, NULL, OPT_DEVICE },
		{ "all", no_argument, NULL, OPT_ALL }, { "format", required_argument, NULL, OPT_FORMAT },
		{ "lang", required_argument, NULL, OPT_LANG }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	struct diff d = { .language = writer_language() };
	const char *policy = NULL;
	for (int opt; (opt = getopt_long(argc, argv, ":p:h", options, NULL)) != -1;) {
		switch (opt) {
		case 'h':
			return cmd_help(&this);
		case 'p':
			policy = optarg;
			break;
		case OPT_DEVICE:
			d.device = optarg;
			break;
		case OPT_ALL:
			d.all = true;
			break;
		case OPT_FORMAT:
			d.format = optarg;
			if (strcmp(optarg, "table") && strcmp(optarg, "jsonl"))
				return cmd_usage(&this, "--format: expected table or jsonl");
			break;
		case OPT_LANG:
			if (!writer_parse_language(optarg, &d.language))
				return cmd_usage(&this, "--lang: expected en or ja");
			break;
		default:
			return cmd_bad_option(&this, opt, argv, options);
		}
	}
	if (!policy)
		return cmd_usage(&this, "which policy? (-p DIR)");
	if (optind == argc)
		return cmd_usage(&this, "which OBSERVED? (spanward profile learn writes one)");
	struct conf_report rep = { 0 };
	int code = watched_read(&d.w, policy, NULL, 0, true);
	for (int i = optind; i < argc && !code; i++) {
		int err = observed_read(argv[i], &d.seen, &rep);
		conf_say(&rep);
		code = err ? (int)err_exit_code(err) : 0;
		code = !code || code == ERR_EXIT_PERMISSION ? code : ERR_EXIT_CONFIG;
	}
	if (!code)
		code = compare(&d);
	observed_free(&d.seen);
	watched_end(&d.w);
	return code;
}
