/* ldif.h -- a device out of a DICOM configuration (PS3.15, Application Configuration Management Profiles) as LDIF (RFC 2849).
 *
 * Network AEs that accept associations become rows of their connections' ports; those that initiate become rows to the ports of the
 * peers that they name, where these stand in the same file. What the profile does not define is kept under extensions.
 */
#ifndef DOCUMENTS_LDIF_H
#define DOCUMENTS_LDIF_H

#include "documents/draft.h"

/* True when a text begins like LDIF and names a DICOM device. */
bool ldif_is(struct span text);
/* `device`: dicomDeviceName of the one that is meant; NULL when there is only one. 0; ERR_CONFIG with a fault that names the
 * devices, or the line that is no LDIF; -ENOMEM. */
int ldif_read(struct draft *d, struct span text, const char *file, size_t source, const char *device, struct conf_report *rep);

#endif
