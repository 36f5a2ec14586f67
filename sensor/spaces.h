/* spaces.h -- networks whose addresses overlap: which VLANs and overlays a site says are address spaces of their own.
 *
 * The same address in two such networks is two hosts. Only what is listed is kept apart: a mirror shows the packets of one
 * conversation under several VLANs (both sides of a router), and without a list those are one flow.
 */
#ifndef SENSOR_SPACES_H
#define SENSOR_SPACES_H

#include "core/cursor.h"
#include "sensor/decode.h"

enum { SPACES_MAX = 255, SPACES_NAME = 16 };    /* a name: "vni:16777215", with the NUL */

/* Begins zeroed: none, everything is space 0. Spaces are numbered from 1 in the order in which they were named. */
struct spaces {
	unsigned n;
	uint8_t vlan[4096];             /* number of the space of that VLAN */
	bool overlays;                  /* some space is an overlay's */
	struct spaces_one { uint32_t id; bool overlay; char name[SPACES_NAME]; } one[SPACES_MAX];
};

/* Takes "vlan:100", "vlan:100-110" (each a space of its own) or "vni:5000" (VXLAN, NVGRE, GENEVE), or several with commas between. 0,
 * or -EINVAL with a line in `why`; nothing is changed then. */
int spaces_take(struct spaces *s, const char *text, char why[static 256]);
/* Where a packet belongs: its overlay, else its outermost tag, else the one behind that, whichever is listed first; 0 none. Inside
 * a tunnel that carries frames the tags are the inner frame's. */
uint8_t spaces_of(const struct spaces *s, const struct decode *d);
/* The name of a space, as it was given: "vlan:100"; empty for 0. */
struct span spaces_name(const struct spaces *s, unsigned space);
/* The space with that name, 0: none. */
uint8_t spaces_find(const struct spaces *s, struct span name);
/* The VLAN that a space is, 0: an overlay or none. */
uint16_t spaces_vlan(const struct spaces *s, unsigned space);

#endif
