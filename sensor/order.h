/* order.h -- which dissectors are asked about a flow, and in which order.
 *
 * First those whose ports the flow uses, then the others, both in the order of the list. What cannot begin with the
 * byte that a stream begins with is not asked at all: probe() of that one byte has said no, and what it says of a prefix
 * it says of all (dissectors/dissector.h), so the answer is the same and a scan or an unknown protocol costs little.
 */
#ifndef SENSOR_ORDER_H
#define SENSOR_ORDER_H

#include "dissectors/dissector.h"

enum { ORDER_MAX = 64, ORDER_END = 2 * ORDER_MAX };

struct order;

struct order *order_new(const struct dissector *const *list);   /* at most ORDER_MAX of them; NULL on ENOMEM */
void order_free(struct order *o);                               /* NULL is fine */
size_t order_bytes(void);

/* Who is asked about one stream or datagram: a bit per dissector. */
struct order_turns { uint64_t first, then; };
struct order_turns order_stream(const struct order *o, const uint16_t port[2], struct span head, bool midstream);
struct order_turns order_datagram(const struct order *o, const uint16_t port[2]);
/* The place at or after `at` that is to be asked, ORDER_END after the last; *ret is its dissector. */
unsigned order_next(const struct order_turns *t, unsigned at, unsigned *ret);
bool order_has_port(const struct order *o, uint16_t port);

#endif
