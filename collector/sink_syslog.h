/* sink_syslog.h -- alerts as RFC 5424 messages over TCP, octet-counted (RFC 6587, 3.4.1). Target: tcp:HOST:PORT,
 * with an IPv6 address in brackets.
 *
 * Plain syslog over TCP has no acknowledgement: what the peer's TCP had not confirmed, or had confirmed only just
 * before a connection broke, is sent again on the next one. A receiver may see an alert twice (same id, same
 * count), never not at all while it answers.
 */
#ifndef COLLECTOR_SINK_SYSLOG_H
#define COLLECTOR_SINK_SYSLOG_H

#include "collector/sink.h"

extern const struct sink_ops sink_syslog;

/* One message without its octet count. `host`: HOSTNAME, "-" when unknown. 0 or -ENOBUFS. */
int sink_syslog_format(const struct alert *a, const char *host, struct buf *out);

#endif
