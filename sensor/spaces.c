#include "sensor/spaces.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { VLAN_MAX = 4094, OVERLAY_MAX = 0xffffff };

/* A number of at most eight digits; *at moves behind it. */
static bool number(const char **at, uint32_t *ret)
{
	uint32_t v = 0;
	const char *p = *at;
	for (; *p >= '0' && *p <= '9' && p - *at < 8; p++)
		v = v * 10 + (uint32_t)(*p - '0');
	bool some = p > *at;
	*at = p;
	*ret = v;
	return some;
}

static uint8_t overlay_find(const struct spaces *s, uint32_t id)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->one[i].overlay && s->one[i].id == id)
			return (uint8_t)(i + 1);
	return 0;
}

static int add(struct spaces *s, bool overlay, uint32_t id, char why[static 256])
{
	if (overlay ? overlay_find(s, id) : s->vlan[id])
		return 0;
	if (s->n == SPACES_MAX) {
		(void)snprintf(why, 256, "at most %d overlapping networks", SPACES_MAX);
		return -EINVAL;
	}
	struct spaces_one *one = &s->one[s->n++];
	*one = (struct spaces_one){ .id = id, .overlay = overlay };
	(void)snprintf(one->name, sizeof(one->name), "%s:%u", overlay ? "vni" : "vlan", (unsigned)id);
	if (overlay)
		s->overlays = true;
	else
		s->vlan[id] = (uint8_t)s->n;
	return 0;
}

int spaces_take(struct spaces *s, const char *text, char why[static 256])
{
	struct spaces whole = *s;
	const char *at = text;
	for (bool more = true; more;) {
		bool overlay = !strncmp(at, "vni:", 4);
		uint32_t first = 0, last = 0, max = overlay ? OVERLAY_MAX : VLAN_MAX;
		bool fine = overlay || !strncmp(at, "vlan:", 5);
		at += fine ? (overlay ? 4 : 5) : 0;
		fine = fine && number(&at, &first);
		last = first;
		if (fine && !overlay && *at == '-') {
			at++;
			fine = number(&at, &last);
		}
		if (!fine || !first || first > last || last > max || (*at && *at != ',')) {
			(void)snprintf(why, 256,
			               "'%.60s': expected vlan:1 to vlan:4094, vlan:100-110 or vni:1 to vni:16777215, commas between",
			               text);
			return -EINVAL;
		}
		for (uint32_t id = first; id <= last; id++)
			if (add(&whole, overlay, id, why))
				return -EINVAL;
		more = *at++ == ',';
	}
	*s = whole;
	return 0;
}

uint8_t spaces_of(const struct spaces *s, const struct decode *d)
{
	if (!s->n)
		return 0;
	uint8_t space = s->overlays && d->overlay ? overlay_find(s, d->overlay) : 0;
	if (!space)
		space = s->vlan[d->vlan & 0x0fff];
	return space ? space : s->vlan[d->inner_vlan & 0x0fff];
}

struct span spaces_name(const struct spaces *s, unsigned space)
{
	return space && space <= s->n ? span_str(s->one[space - 1].name) : (struct span){ 0 };
}

uint8_t spaces_find(const struct spaces *s, struct span name)
{
	for (unsigned i = 0; i < s->n; i++)
		if (span_eq(name, span_str(s->one[i].name)))
			return (uint8_t)(i + 1);
	return 0;
}

uint16_t spaces_vlan(const struct spaces *s, unsigned space)
{
	return space && space <= s->n && !s->one[space - 1].overlay ? (uint16_t)s->one[space - 1].id : 0;
}
