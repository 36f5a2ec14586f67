#include "collector/report.h"

#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"

enum { EVERY_S = 60 };

void report_receiver(struct report *r, const struct receiver_stats *s, uint64_t now_ns, bool last)
{
	const struct receiver_stats *t = &r->told;
	/* Once it is good again that is said, whenever the minute ends: somebody may have started to repair a disk. */
	bool again = r->failing && s->failed == t->failed && s->batches != t->batches;
	bool news = again || s->failed != t->failed || s->refused != t->refused || s->gaps != t->gaps ||
		    s->foreign != t->foreign || s->twins != t->twins;
	if (!last && (!news || (r->told_ns && !again && now_ns - r->told_ns < EVERY_S * CLOCK_SECOND)))
		return;
	if (s->failed != t->failed)
		log_error("%llu batches could not be stored and were not acknowledged (the sensor keeps them and sends them again): %s",
			  (unsigned long long)(s->failed - t->failed), err_text(s->last_error));
	if (again)
		log_info("batches are stored again");
	if (s->refused != t->refused)
		log_warn("%llu broken frames refused", (unsigned long long)(s->refused - t->refused));
	if (s->gaps != t->gaps)
		log_warn("%llu batches came before what precedes them", (unsigned long long)(s->gaps - t->gaps));
	if (s->twins != t->twins)
		log_error("two sensors send as '%s' at the same time: what either sees is stored, but nobody can tell which of them saw "
			  "it; give each a --sensor-id of its own", s->twin);
	if (s->foreign != t->foreign)
		log_error("%llu batches of sensor '%s' have the numbers of others that are stored: a second sensor has its id and --epoch. "
			  "They were not stored, and it is told; give each a --sensor-id of its own, and leave --epoch away",
			  (unsigned long long)(s->foreign - t->foreign), s->twin);
	if (last)
		log_info("%llu frames, %llu batches stored, %llu held already", (unsigned long long)s->frames,
			 (unsigned long long)s->batches, (unsigned long long)s->duplicates);
	r->failing = s->failed != t->failed;
	r->told = *s;
	r->told_ns = now_ns;
}
