/* What a library of others (sensor/guess.h) makes of flows that no recogniser of ours knows. */
#include "sensor/shard_run.h"

enum { NOT_ASKED, ASKING, ASKED, TOLD };

static void stop(struct shard_run *r, enum guess_said said)
{
	struct flow_rest *rest = shard_rest(r);
	uint64_t *v = r->h->st.v;
	guess_pool_give(r->h->guesses, rest->guess);
	rest->guess = 0;
	rest->guess_phase = ASKED;
	v[said == GUESS_NAMED ? STATS_ndpi_named : said == GUESS_EXHAUSTED ? STATS_ndpi_exhausted : STATS_ndpi_unknown]++;
	shard_guess_tell(r);
}

void shard_guess_tell(struct shard_run *r)
{
	struct flow_rest *rest = shard_rest(r);
	/* Ours decides: what was recognised after all has its name already. */
	if (rest->guess_phase != ASKED || !rest->app || !r->f->said_service || r->f->service != SHARD_SERVICE_UNKNOWN)
		return;
	rest->guess_phase = TOLD;
	struct observation o;
	shard_say_begin(&o, OBSERVATION_FLOW_APP);
	shard_say_place(r, &o, r->f->initiator);
	SHARD_SAY(&o, transport, shard_say_transport(r));
	observation_text(&o, OBSERVATION_F_app, span_str(guess_name(rest->app)));
	shard_say_put(r, &o);
}

/* A flow that has been silent for long is told as far as it is known, and its slot is another's. */
static bool make_room(const struct shard_run *r)
{
	uint32_t owner;
	if (!guess_pool_quiet(r->h->guesses, r->ts_ns, &owner))
		return false;
	struct shard_run x = shard_flow_run(r, owner);
	shard_guess_end(&x);
	return true;
}

bool shard_guess_begin(struct shard_run *r)
{
	if (!r->out->guess || !r->h->guesses)
		return false;
	struct flow_rest *rest = shard_rest(r);
	if (rest->guess_phase != NOT_ASKED || r->f->midstream || r->f->unread)
		return rest->guess_phase == ASKING;
	rest->guess = guess_pool_take(r->h->guesses, r->i, r->ts_ns);
	if (!rest->guess && make_room(r))
		rest->guess = guess_pool_take(r->h->guesses, r->i, r->ts_ns);
	rest->guess_phase = rest->guess ? ASKING : ASKED;
	r->h->st.v[rest->guess ? STATS_ndpi_flows : STATS_ndpi_no_room]++;
	return rest->guess;
}

void shard_guess_show(struct shard_run *r, unsigned dir, struct span payload)
{
	/* Most packets end here, without a look at the colder half of the flow. */
	if (!payload.n || r->f->service != SHARD_SERVICE_UNKNOWN || !r->h->guesses)
		return;
	struct flow_rest *rest = shard_rest(r);
	if (!rest->guess)
		return;
	const struct flow *f = r->f;
	const struct guess_packet p = {
		.tcp = f->key.proto == DECODE_TCP, .from_initiator = dir == f->initiator, .src_port = f->key.port[dir],
		.dst_port = f->key.port[!dir], .ts_ns = r->ts_ns, .payload = payload,
	};
	r->h->st.v[STATS_ndpi_packets]++;
	guess_pool_shown(r->h->guesses, rest->guess, r->ts_ns);
	enum guess_said said = guess_show(r->out->guess, r->h->guesses, rest->guess, &p, &rest->app);
	if (said != GUESS_OPEN)
		stop(r, said);
}

void shard_guess_end(struct shard_run *r)
{
	if (!r->h->guesses)
		return;
	struct flow_rest *rest = shard_rest(r);
	if (rest->guess)
		stop(r, guess_finish(r->out->guess, r->h->guesses, rest->guess, &rest->app));
}
