/* port_heading.h -- the headings of tables of ports, and the words for services in them. */
#ifndef DOCUMENTS_PORT_HEADING_H
#define DOCUMENTS_PORT_HEADING_H

#include "documents/sheet.h"

enum port_heading {
	PORT_HEADING_NONE, PORT_HEADING_PORT, PORT_HEADING_LOCAL_PORT, PORT_HEADING_PROTOCOL, PORT_HEADING_TRANSPORT,
	PORT_HEADING_SERVICE, PORT_HEADING_DIRECTION, PORT_HEADING_INBOUND, PORT_HEADING_OUTBOUND, PORT_HEADING_ROLE,
	PORT_HEADING_PURPOSE, PORT_HEADING_PEER, PORT_HEADING_FROM, PORT_HEADING_ENCRYPTION, PORT_HEADING_STATE, PORT_HEADING_REQUIRED,
	PORT_HEADING_PHI, PORT_HEADING_AE, PORT_HEADING_CALLED_AE, PORT_HEADING_NUMBER, PORT_HEADING_NOTES,
	PORT_HEADING_CONFIGURABLE, PORT_HEADINGS
};
enum { PORT_HEADING_COLUMNS = 64 };

/* What a heading names. */
enum port_heading port_heading_read(struct span text);
/* Whether all of it is one that is known, with nothing behind it. */
bool port_heading_is(struct span text);
/* The columns of a row of headings: `ret[i]` for its i-th cell. The number of different known ones; 0 when no port column is
 * among them, or only one is known. */
size_t port_heading_row(const struct sheet_book *b, size_t sheet, uint32_t row, enum port_heading ret[static PORT_HEADING_COLUMNS]);

struct port_heading_service {
	int proto;                      /* enum policy_proto; -1: none is named */
	bool several;                   /* more than one, and different */
	bool tls, clear;                /* named with TLS; named without */
};
/* The service that a plain text names. */
struct port_heading_service port_heading_service(struct span plain);
/* The role of the site's that a plain text names, in `ret`; "" when it is none that is known. */
const char *port_heading_role(struct span plain, char *ret, size_t n);

#endif
