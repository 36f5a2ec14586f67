/* source_file.h -- one capture file: pcap and pcapng, read forward only. Used by source.c. */
#ifndef SENSOR_SOURCE_FILE_H
#define SENSOR_SOURCE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/source.h"
#include "sensor/source_input.h"

/* A machine with many containers captures on a few hundred interfaces at once. */
enum { SOURCE_FILE_MAX_INTERFACES = 1024 };

/* pcapng's Interface Description Block, or the one of a pcap file. */
struct source_file_interface {
	uint32_t linktype, snaplen;
	uint64_t mul, div;              /* ns = ticks * mul / div; div 0: always 0 */
	uint8_t shift;                  /* or, when not 0: ns = ticks * 10^9 >> shift */
	int64_t offset_s;
	uint64_t drops_kernel, drops_interface; /* as its last statistics block says */
};

enum source_file_kind { SOURCE_FILE_NEW, SOURCE_FILE_PCAP, SOURCE_FILE_PCAPNG, SOURCE_FILE_ENDED };

struct source_file {
	struct source_input in;
	enum source_file_kind kind;
	bool little;                    /* byte order of the file, or of the section at hand */
	bool modified;                  /* Kuznetzov's pcap: 8 more bytes a record */
	bool unsure;                    /* whether it is one is told by its first records */
	enum { SOURCE_FILE_LENGTHS_NEW, SOURCE_FILE_LENGTHS_OLD, SOURCE_FILE_LENGTHS_EITHER } lengths;
	bool owed;                      /* the packet handed out last was cut: the rest of its record comes first */
	uint64_t owed_bytes;
	uint32_t owed_trailer;          /* block length that must follow; 0 for pcap */
	uint64_t last_ts_ns;
	size_t interfaces;
	struct source_file_interface *interface; /* [SOURCE_FILE_MAX_INTERFACES] */
	uint64_t drops_kernel, drops_interface;
	struct source_file_result result;
};

/* 0 or -ENOMEM; nothing is read. The descriptor becomes the file's on success. `block`: bytes read at once. */
int source_file_open(struct source_file *f, int fd, size_t block);
void source_file_done(struct source_file *f);
/* Closes what it read and begins with another file, without allocating. */
void source_file_again(struct source_file *f, int fd);
/* Whether the next record is a packet that source_file_next() gives from the bytes at hand, so that those of the packets
 * before it stay where they are. */
bool source_file_stays(const struct source_file *f);
/* The next packets, while source_file_stays(), at most `max`, and none once *room, from which their bytes are taken, is below
 * SOURCE_MAX_PACKET. How many; all but `file` of each is set. */
size_t source_file_run(struct source_file *f, struct source_packet *ret, size_t max, size_t *room);
/* The next record; all but `file` of *ret is set. False: it has ended, f->result says how. */
bool source_file_next(struct source_file *f, struct source_packet *ret);

#endif
