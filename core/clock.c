#include "core/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

/* Days from 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March, so
 * that the leap day is the last of a year. */
static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400);
	unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

static void civil_from_days(uint64_t days, unsigned *y, unsigned *m, unsigned *d)
{
	uint64_t z = days + 719468;
	unsigned era = (unsigned)(z / 146097), doe = (unsigned)(z % 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = yoe + era * 400 + (*m <= 2);
}

/* So many digits, from the last to the first, and the character behind them; where the next thing goes. */
static char *put_digits(char *to, unsigned v, int n, char then)
{
	for (int i = n; i--; v /= 10)
		to[i] = (char)('0' + v % 10);
	to[n] = then;
	return to + n + 1;
}

const char *clock_str(uint64_t ts_ns, char out[static CLOCK_STRLEN])
{
	uint64_t s = ts_ns / CLOCK_SECOND;
	unsigned ns = (unsigned)(ts_ns % CLOCK_SECOND), day_s = (unsigned)(s % 86400), y, m, d;
	civil_from_days(s / 86400, &y, &m, &d);
	/* 64 bits of nanoseconds end in 2554: the year always has four digits. */
	char *to = put_digits(out, y, 4, '-');
	to = put_digits(to, m, 2, '-');
	to = put_digits(to, d, 2, 'T');
	to = put_digits(to, day_s / 3600, 2, ':');
	to = put_digits(to, day_s / 60 % 60, 2, ':');
	to = put_digits(to, day_s % 60, 2, '.');
	to = put_digits(to, ns, 9, 'Z');
	*to = 0;
	return out;
}

/* Exactly `n` digits and then `stop` (0: none). */
static unsigned digits(struct cursor *c, size_t n, uint8_t stop)
{
	struct span s = cursor_take(c, n);
	unsigned v = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			c->failed = true;
		v = v * 10 + (unsigned)(s.p[i] - '0');
	}
	if (stop && cursor_u8(c) != stop)
		c->failed = true;
	return v;
}

static bool is_leap(unsigned y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }

/* RFC 3339, 5.6 and 5.7. */
int clock_parse(struct span text, uint64_t *ret_ns)
{
	static const uint8_t month_days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct cursor c = cursor_from(text);
	unsigned y = digits(&c, 4, '-'), mo = digits(&c, 2, '-'), d = digits(&c, 2, 0);
	if (!cursor_ok(&c) || mo < 1 || mo > 12 || d < 1 || d > month_days[mo - 1] + (unsigned)(mo == 2 && is_leap(y)))
		return -EINVAL;
	int64_t s = days_from_civil(y, mo, d) * 86400;
	uint64_t ns = 0;
	if (cursor_left(&c)) {
		uint8_t t = cursor_u8(&c);
		unsigned h = digits(&c, 2, ':'), mi = digits(&c, 2, ':'), sec = digits(&c, 2, 0), oh = 0, om = 0;
		uint8_t z = cursor_u8(&c);
		if (z == '.') {
			uint64_t unit = CLOCK_SECOND;
			for (z = cursor_u8(&c); z >= '0' && z <= '9'; z = cursor_u8(&c)) {
				unit /= 10;
				if (!unit)
					return -EINVAL;
				ns += unit * (uint64_t)(z - '0');
			}
			if (unit == CLOCK_SECOND)
				return -EINVAL;
		}
		if (z == '+' || z == '-') {
			oh = digits(&c, 2, ':');
			om = digits(&c, 2, 0);
		} else if (z != 'Z' && z != 'z') {
			return -EINVAL;
		}
		if (!cursor_ok(&c) || cursor_left(&c) || (t != 'T' && t != 't' && t != ' ') || h > 23 || mi > 59 ||
		    sec > 60 || oh > 23 || om > 59)
			return -EINVAL;
		int64_t offset = (int64_t)(oh * 3600 + om * 60);
		s += (int64_t)(h * 3600 + mi * 60 + sec) + (z == '-' ? offset : -offset);
		/* A leap second only ends a day of UTC; Unix time gives it the number of the second after. */
		if (sec == 60 && s % 86400)
			return -EINVAL;
	}
	if (s < 0 || (uint64_t)s > (UINT64_MAX - ns) / CLOCK_SECOND)
		return -EINVAL;
	*ret_ns = (uint64_t)s * CLOCK_SECOND + ns;
	return 0;
}

static uint64_t now(clockid_t id)
{
	struct timespec t = { 0 };
	(void)clock_gettime(id, &t);    /* cannot fail for these two clocks */
	return (uint64_t)t.tv_sec * CLOCK_SECOND + (uint64_t)t.tv_nsec;
}

uint64_t clock_now_ns(void) { return now(CLOCK_REALTIME); }
uint64_t clock_mono_ns(void) { return now(CLOCK_MONOTONIC); }
