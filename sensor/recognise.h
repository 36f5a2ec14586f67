/* recognise.h -- protocols that are only named, not read: by the shape of their first bytes.
 *
 * Asked after every dissector has said no. A port alone proves nothing; where the content is weak (UDP) both
 * port and shape must agree. Pure; reads only through the cursor.
 */
#ifndef SENSOR_RECOGNISE_H
#define SENSOR_RECOGNISE_H

#include "core/cursor.h"
#include "dissectors/dissector.h"

enum recognise_service {
	RECOGNISE_NONE,
	RECOGNISE_SSH,
	RECOGNISE_DNS,
	RECOGNISE_NTP,
	RECOGNISE_DHCP,
	RECOGNISE_SERVICES
};

/* Value of the `service` field; NULL for RECOGNISE_NONE. */
const char *recognise_name(enum recognise_service s);
/* `head`: the first bytes of one direction; midstream: not of the stream. *ret is set with DISSECT_YES only. */
enum dissect_guess recognise_tcp(struct span head, bool midstream, enum recognise_service *ret);
/* One datagram and its ports. */
enum recognise_service recognise_udp(struct span datagram, uint16_t src_port, uint16_t dst_port);

#endif
