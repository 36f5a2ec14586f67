#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "core/clock.h"

enum { FIRST_NS = 1000000000, EACH_NS = 200000000 };

void progress_begin(struct progress *p)
{
	uint64_t now = clock_mono_ns();
	*p = (struct progress){ .on = isatty(STDERR_FILENO), .begun_ns = now, .next_ns = now + FIRST_NS };
}

/* 950, "1.2 k", "310 k", "4.5 M". */
static void short_number(double v, char ret[static 16])
{
	const char *unit = "";
	if (v >= 999500) {
		v /= 1e6;
		unit = " M";
	} else if (v >= 1000) {
		v /= 1e3;
		unit = " k";
	}
	(void)snprintf(ret, 16, v < 10 && *unit ? "%.1f%s" : "%.0f%s", v, unit);
}

const char *progress_text(const struct ring_progress *at, uint64_t elapsed_ns, char ret[static PROGRESS_TEXT])
{
	double seconds = (double)elapsed_ns / 1e9;
	char packets[16], rate[16], left[32] = "", part[16] = "";
	short_number((double)at->packets, packets);
	short_number(seconds > 0 ? (double)at->packets / seconds : 0, rate);
	if (at->bytes_total && at->bytes_read <= at->bytes_total) {
		double done = (double)at->bytes_read / (double)at->bytes_total;
		(void)snprintf(part, sizeof(part), "%3.0f%%  ", done * 100);
		if (done > 0 && seconds > 0) {
			double s = seconds / done - seconds;
			unsigned long whole = s < 359999 ? (unsigned long)(s + 0.5) : 359999;
			if (whole >= 3600)
				(void)snprintf(left, sizeof(left), "  %lu:%02lu:%02lu left", whole / 3600, whole / 60 % 60, whole % 60);
			else
				(void)snprintf(left, sizeof(left), "  %lu:%02lu left", whole / 60, whole % 60);
		}
	}
	(void)snprintf(ret, PROGRESS_TEXT, "%s%s packets  %s packets/s%s", part, packets, rate, left);
	return ret;
}

void progress_step(struct progress *p, const struct ring_progress *at)
{
	if (!p->on)
		return;
	uint64_t now = clock_mono_ns();
	if (now < p->next_ns)
		return;
	char text[PROGRESS_TEXT];
	(void)fprintf(stderr, "\r%s\033[K", progress_text(at, now - p->begun_ns, text));
	(void)fflush(stderr);
	p->drawn = true;
	p->next_ns = now + EACH_NS;
}

void progress_end(struct progress *p)
{
	if (p->drawn)
		(void)fputs("\r\033[K", stderr);
	p->drawn = false;
}
