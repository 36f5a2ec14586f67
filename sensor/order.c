#include "sensor/order.h"

#include <assert.h>
#include <stdlib.h>

struct port_mask {
	uint16_t port;
	uint64_t who;
};

struct order {
	uint64_t tcp, udp, needs_port;
	uint64_t may[2][256];           /* [midstream][first byte] of a stream */
	size_t n_ports;
	struct port_mask ports[ORDER_MAX * 8];
};

/* Where the port stands or would stand. */
static size_t place(const struct order *o, uint16_t port)
{
	size_t lo = 0, hi = o->n_ports;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (o->ports[mid].port < port)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint64_t mask_of(const struct order *o, uint16_t port)
{
	size_t at = place(o, port);
	return at < o->n_ports && o->ports[at].port == port ? o->ports[at].who : 0;
}

static void add_port(struct order *o, uint16_t port, uint64_t bit)
{
	size_t at = place(o, port);
	if (at == o->n_ports || o->ports[at].port != port) {
		for (size_t i = o->n_ports++; i > at; i--)
			o->ports[i] = o->ports[i - 1];
		o->ports[at] = (struct port_mask){ .port = port };
	}
	o->ports[at].who |= bit;
}

struct order *order_new(const struct dissector *const *list)
{
	struct order *o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	for (unsigned k = 0; list[k]; k++) {
		const struct dissector *d = list[k];
		uint64_t bit = UINT64_C(1) << k;
		assert(k < ORDER_MAX);
		for (size_t i = 0; i < sizeof(d->ports) / sizeof(d->ports[0]) && d->ports[i]; i++)
			add_port(o, d->ports[i], bit);
		if (d->transports & DISSECT_UDP) {
			o->udp |= bit;
			o->needs_port |= d->needs_port ? bit : 0;
		}
		if (!(d->transports & DISSECT_TCP))
			continue;
		o->tcp |= bit;
		for (unsigned mid = 0; mid < 2; mid++)
			for (unsigned b = 0; b < 256; b++) {
				uint8_t byte = (uint8_t)b;
				if (d->probe((struct span){ &byte, 1 }, mid) != DISSECT_NO)
					o->may[mid][b] |= bit;
			}
	}
	return o;
}

void order_free(struct order *o) { free(o); }

size_t order_bytes(void) { return sizeof(struct order); }

bool order_has_port(const struct order *o, uint16_t port) { return mask_of(o, port) != 0; }

struct order_turns order_stream(const struct order *o, const uint16_t port[2], struct span head, bool midstream)
{
	uint64_t may = head.n ? o->may[midstream][head.p[0]] : o->tcp;
	uint64_t hits = mask_of(o, port[0]) | mask_of(o, port[1]);
	return (struct order_turns){ may & hits, may & ~hits };
}

struct order_turns order_datagram(const struct order *o, const uint16_t port[2])
{
	uint64_t hits = mask_of(o, port[0]) | mask_of(o, port[1]);
	return (struct order_turns){ o->udp & hits, o->udp & ~hits & ~o->needs_port };
}

unsigned order_next(const struct order_turns *t, unsigned at, unsigned *ret)
{
	for (; at < ORDER_END; at++) {
		uint64_t left = (at < ORDER_MAX ? t->first : t->then) >> (at & (ORDER_MAX - 1));
		if (!left) {
			at |= ORDER_MAX - 1;
			continue;
		}
		at += (unsigned)__builtin_ctzll(left);
		*ret = at & (ORDER_MAX - 1);
		return at;
	}
	return ORDER_END;
}
