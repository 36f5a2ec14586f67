/* source.h -- where packets come from: capture files (our own reader) or live interfaces (libpcap).
 *
 * Everything is opened before the sandbox closes; afterwards reading needs no system call but read,
 * poll and what libpcap's ring needs, and allocates nothing.
 */
#ifndef SENSOR_SOURCE_H
#define SENSOR_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cursor.h"
#include "sensor/stats.h"

enum { SOURCE_MAX_FILES = 256, SOURCE_MAX_PACKET = 256 << 10 /* the largest snap length tcpdump writes */ };

struct source_packet {
	struct span bytes;              /* captured; valid until the next source_next() */
	uint32_t wire_len;              /* length on the wire */
	uint32_t linktype;              /* LINKTYPE_ value (pcap-linktype(7)) */
	uint64_t ts_ns;
	uint64_t number;                /* 1-based, in its file (live: of its interface) */
	uint32_t file;                  /* 1-based; live: the interface, in the order of source_open_live() */
};

/* What a person may choose about live capture; zeroed is the default. */
struct source_live_options {
	size_t buffer_bytes;            /* of the kernel's ring, for each interface; 0: 64 MiB */
	uint32_t snaplen;               /* bytes kept of a packet, from SOURCE_MIN_SNAPLEN; 0: all */
	const char *filter;             /* pcap-filter(7), in the kernel; NULL: none. What it leaves out is not counted. */
	bool adapter_clock;             /* time stamps of the card; an interface without them is refused */
	unsigned rings;                 /* of each interface, at most SOURCE_MAX_RINGS: the kernel spreads its packets over them; 0: 1 */
};
enum { SOURCE_MAX_RINGS = 8 };
enum { SOURCE_MIN_SNAPLEN = 96 };       /* the headers of IPv6 in a VLAN, and the first bytes that tell a protocol */

enum source_status { SOURCE_PACKET, SOURCE_IDLE /* live: nothing for now */, SOURCE_END };

/* How one file ended; `err` 0, -errno, ERR_TRUNCATED, ERR_CORRUPT or ERR_UNKNOWN_KIND. `why`: a line about it,
 * without the file's name; empty with err 0. Live: how an interface failed, if it did. */
struct source_file_result { int err; uint64_t packets, bytes_read; char why[128]; };

struct source;

/* Capture files (at most SOURCE_MAX_FILES) by descriptor (0 may be standard input, a pipe); they become the
 * source's and are closed with it, or stay the caller's when this fails. Nothing is read yet. pcap (both byte
 * orders, us and ns, modified/Kuznetzov header), pcapng (all sections, mixed link types, every timestamp
 * resolution and offset), each also gzip-compressed; the kind is told from the content. Several files are merged
 * by time; equal times in file order. A file that is not one of ours gives no packets and its result says so. A
 * packet without a time (pcapng's simple packets) takes that of the one before it in its file. A record longer
 * than SOURCE_MAX_PACKET gives its first bytes. NULL on ENOMEM. */
struct source *source_open_files(const int *fds, size_t n);
/* Capture files that come one after the other while it runs, each from source_feed(). Between two of them it is
 * SOURCE_IDLE at once. It has one source_result(), of the file at hand or, when source_is_hungry(), of the one that ended. */
struct source *source_open_feed(void);
/* The next file, only when it is hungry; the descriptor becomes the source's. Nothing is allocated. */
void source_feed(struct source *s, int fd);
bool source_is_hungry(const struct source *s);
bool source_is_feed(const struct source *s);
/* Live capture: promiscuous, by a ring for each interface, time in nanoseconds.
 * A link that goes down and up again is waited for. After opening it needs the system calls poll, getsockopt,
 * pread64, getsockname and ioctl(SIOCGIFFLAGS). 0 with *ret, or -errno / -EPERM with a line in `why`, which names the
 * interface. */
int source_open_live(const char *const *interfaces, size_t n, const struct source_live_options *o, struct source **ret,
		     char why[static 256]);
/* The next packet in time order; one that its file stamps earlier than the one before it comes at once.
 * SOURCE_IDLE at most after `wait_ms` (live). SOURCE_END (live): every interface has failed. */
enum source_status source_next(struct source *s, unsigned wait_ms, struct source_packet *ret);
/* The same for several at once, as many as stay where they are: *ret_n from 1 to `max` with SOURCE_PACKET, else 0. All are good
 * until the next call. Ends when their bytes leave less of `room` than SOURCE_MAX_PACKET. Only the first is waited for. */
enum source_status source_batch(struct source *s, unsigned wait_ms, struct source_packet *ret, size_t max, size_t room,
				size_t *ret_n);
/* Whether what the last packets' bytes point at stays as it is over the next source_next(): files only, and not at the end of
 * what was read at once. */
bool source_stays(const struct source *s);
bool source_is_live(const struct source *s);
/* Kernel and interface drops so far, of the file or interface `from` (from 0); what a live capture cannot tell stays 0.
 * Files: what pcapng's statistics blocks say that their writer lost. */
void source_drops(struct source *s, size_t from, uint64_t *ret_kernel, uint64_t *ret_interface);
/* Bytes read and (0 when unknown: a pipe) bytes in all, for progress: of the files as they are on disk. */
void source_progress(const struct source *s, uint64_t *ret_read, uint64_t *ret_total);
size_t source_files(const struct source *s);
const struct source_file_result *source_result(const struct source *s, size_t file);
/* Descriptors it reads from, for the sandbox test; at most `max`. */
size_t source_fds(const struct source *s, int *ret, size_t max);
void source_close(struct source *s);    /* NULL is fine */

#endif
