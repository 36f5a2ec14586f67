/* recognise.h -- protocols that are only named, not read: by the first bytes of a stream.
 *
 * Asked after every dissector has said no. A port alone proves nothing. Pure.
 */
#ifndef SENSOR_RECOGNISE_H
#define SENSOR_RECOGNISE_H

#include "core/cursor.h"
#include "dissectors/dissector.h"

enum recognise_service {
	RECOGNISE_NONE,
	RECOGNISE_SMTP,
	RECOGNISE_POP3,
	RECOGNISE_IMAP,
	RECOGNISE_SERVICES
};

/* Value of the `service` field; NULL for RECOGNISE_NONE. */
const char *recognise_name(enum recognise_service s);
/* `head`: the first bytes of one direction; midstream: not of the stream. *ret is set with DISSECT_YES only. */
enum dissect_guess recognise_tcp(struct span head, bool midstream, enum recognise_service *ret);

#endif
