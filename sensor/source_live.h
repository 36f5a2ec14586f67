/* source_live.h -- packets of network interfaces, through libpcap's ring (TPACKET_V3). Used by source.c.
 *
 * After source_live_open() it needs the system calls poll, getsockopt (the kernel's drop counter), pread64 (the
 * card's), and when a link goes down, to see whether the interface is still there, getsockname and
 * ioctl(SIOCGIFFLAGS); it allocates nothing and opens nothing.
 */
#ifndef SENSOR_SOURCE_LIVE_H
#define SENSOR_SOURCE_LIVE_H

#include <stddef.h>
#include <stdint.h>

#include "sensor/source.h"

struct source_live;

/* As source_open_live(). */
int source_live_open(const char *const *interfaces, size_t n, const struct source_live_options *o, struct source_live **ret,
	char why[static 256]);
/* The earliest of the packets at hand; one interface may be behind another by the ring's 10 ms. SOURCE_END when
 * every interface has failed. */
enum source_status source_live_next(struct source_live *l, unsigned wait_ms, struct source_packet *ret);
/* Of one interface, from 0. */
void source_live_drops(struct source_live *l, size_t interface, uint64_t *ret_kernel, uint64_t *ret_interface);
size_t source_live_interfaces(const struct source_live *l);
const struct source_file_result *source_live_result(const struct source_live *l, size_t interface);
uint64_t source_live_bytes(const struct source_live *l);
size_t source_live_fds(const struct source_live *l, int *ret, size_t max);
void source_live_close(struct source_live *l);

#endif
