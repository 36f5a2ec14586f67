#include "collector/twins.h"

#include <stdio.h>
#include <string.h>

static bool is_peer(const struct twins_peer *p, struct span identity)
{
	size_t n = identity.n < TWINS_ID ? identity.n : TWINS_ID;
	return p->n == identity.n && !memcmp(p->id, identity.p, n);
}

static struct twins_sensor *sensor_of(struct twins *t, const char *sensor, uint64_t now_ns)
{
	size_t oldest = 0;
	for (size_t i = 0; i < t->n; i++) {
		if (!strcmp(t->v[i].sensor, sensor))
			return &t->v[i];
		oldest = t->v[i].heard_ns < t->v[oldest].heard_ns ? i : oldest;
	}
	struct twins_sensor *s = &t->v[t->n < TWINS_SENSORS ? t->n++ : oldest];
	*s = (struct twins_sensor){ .heard_ns = now_ns };
	(void)snprintf(s->sensor, sizeof(s->sensor), "%s", sensor);
	return s;
}

/* Its place; a new connection takes that of the one behind which most came. */
static size_t peer_of(struct twins_sensor *s, struct span identity, bool *ret_known)
{
	for (size_t i = 0; i < s->n_peers; i++)
		if (is_peer(&s->peers[i], identity)) {
			*ret_known = true;
			return i;
		}
	*ret_known = false;
	size_t i = s->n_peers < TWINS_PEERS ? s->n_peers++ : (s->last + 1) % TWINS_PEERS;
	s->peers[i] = (struct twins_peer){ .n = identity.n };
	memcpy(s->peers[i].id, identity.p, identity.n < TWINS_ID ? identity.n : TWINS_ID);
	return i;
}

bool twins_heard(struct twins *t, const char *sensor, struct span identity, uint64_t now_ns)
{
	bool known = false;
	struct twins_sensor *s = sensor_of(t, sensor, now_ns);
	size_t i = peer_of(s, identity, &known);
	bool again = known && i != s->last && now_ns - s->turned_ns >= TWINS_APART_NS;
	s->heard_ns = now_ns;
	if (again) {
		s->turns += s->turns < TWINS_TURNS;
		s->turned_ns = now_ns;
	} else if (!known) {
		/* One that comes anew begins the count anew. */
		s->turns = 0;
		s->turned_ns = now_ns;
	}
	s->last = i;
	return again && s->turns == TWINS_TURNS;
}

void twins_set_foreign(struct twins *t, const char *sensor, struct span identity, uint64_t now_ns)
{
	bool known;
	struct twins_sensor *s = sensor_of(t, sensor, now_ns);
	s->peers[peer_of(s, identity, &known)].foreign = true;
}

bool twins_is_foreign(const struct twins *t, const char *sensor, struct span identity)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; !strcmp(t->v[i].sensor, sensor) && k < t->v[i].n_peers; k++)
			if (is_peer(&t->v[i].peers[k], identity))
				return t->v[i].peers[k].foreign;
	return false;
}
