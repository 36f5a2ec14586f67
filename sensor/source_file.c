#include "sensor/source_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/err.h"

/* https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html ("pcap") and
 * https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html ("pcapng"). */
enum {
	/* A packet of the largest size with its block's header and options: comments are at most 64 KiB each. */
	NEED_MAX = SOURCE_MAX_PACKET + (128 << 10),
	/* libpcap's largest snap length for any link type; a longer record is not a record. */
	RECORD_MAX = 128 << 20,
	PCAP_HEADER = 24,
	LOOK_AHEAD_MAX = 64 << 10,      /* longer records than IP packets are not looked behind; two fit in NEED_MAX */
	LINKTYPE_MASK = 0x03ffffff,     /* pcap, 4: the bits above tell of the frame check sequence */
};

#define MAGIC_US UINT32_C(0xa1b2c3d4)
#define MAGIC_NS UINT32_C(0xa1b23c4d)
#define MAGIC_MODIFIED UINT32_C(0xa1b2cd34)
#define MAGIC_PCAPNG UINT32_C(0x0a0d0d0a)       /* reads alike in both byte orders */
#define BYTE_ORDER_MAGIC UINT32_C(0x1a2b3c4d)

enum block_type {
	BLOCK_INTERFACE = 1, BLOCK_PACKET = 2 /* obsolete */, BLOCK_SIMPLE = 3, BLOCK_STATISTICS = 5, BLOCK_ENHANCED = 6,
	BLOCK_SECTION = MAGIC_PCAPNG,
};

__attribute__((format(printf, 3, 4)))
static bool finish(struct source_file *f, int err, const char *why, ...)
{
	va_list ap;
	va_start(ap, why);
	vsnprintf(f->result.why, sizeof(f->result.why), why, ap);
	va_end(ap);
	f->result.err = err;
	f->kind = SOURCE_FILE_ENDED;
	return false;
}

static uint64_t place(const struct source_file *f) { return f->in.base + f->in.at; }

static bool corrupt(struct source_file *f, const char *what)
{
	return finish(f, ERR_CORRUPT, "%s before byte %" PRIu64, what, place(f));
}

/* The input ended; `inside` something, or between two records. */
static bool ended(struct source_file *f, bool inside)
{
	if (f->in.err)
		return finish(f, f->in.err, "%s", f->in.why ? f->in.why : err_text(f->in.err));
	if (inside || f->in.len > f->in.at)
		return finish(f, ERR_TRUNCATED, "cut short after packet %" PRIu64, f->result.packets);
	return finish(f, 0, "%s", "");
}

static uint16_t u16(const struct source_file *f, struct cursor *c)
{
	return f->little ? cursor_u16le(c) : cursor_u16be(c);
}

static uint32_t u32(const struct source_file *f, struct cursor *c)
{
	return f->little ? cursor_u32le(c) : cursor_u32be(c);
}

static uint64_t u64(const struct source_file *f, struct cursor *c)
{
	return f->little ? cursor_u64le(c) : cursor_u64be(c);
}

int source_file_open(struct source_file *f, int fd, size_t block)
{
	*f = (struct source_file){ .kind = SOURCE_FILE_NEW };
	int err = source_input_open(&f->in, fd, block, NEED_MAX);
	if (err)
		return err;
	f->interface = calloc(SOURCE_FILE_MAX_INTERFACES, sizeof(*f->interface));
	if (!f->interface) {
		source_input_done(&f->in);
		return -ENOMEM;
	}
	return 0;
}

void source_file_done(struct source_file *f)
{
	if (f->in.fd >= 0)
		(void)close(f->in.fd);
	source_input_done(&f->in);
	free(f->interface);
	f->interface = NULL;
}

void source_file_again(struct source_file *f, int fd)
{
	if (f->in.fd >= 0)
		(void)close(f->in.fd);
	struct source_file_interface *interface = f->interface;
	struct source_input in = f->in;
	source_input_again(&in, fd);
	*f = (struct source_file){ .kind = SOURCE_FILE_NEW, .in = in, .interface = interface };
}

/* Timestamps ------------------------------------------------------------------------------------------- */

/* pcapng, 4.2, if_tsresol: the high bit chooses a power of 2 or of 10. */
static void set_resolution(struct source_file_interface *i, uint8_t resolution)
{
	unsigned power = resolution & 0x7f;
	i->mul = i->div = 1;
	i->shift = 0;
	if (resolution & 0x80) {
		i->shift = (uint8_t)power;
		if (!power)
			i->mul = CLOCK_SECOND;
	} else if (power <= 9) {
		for (; power < 9; power++)
			i->mul *= 10;
	} else if (power <= 28) {
		for (; power > 9; power--)
			i->div *= 10;
	} else {
		i->div = 0;                     /* 2^64 such ticks are below a nanosecond */
	}
}

/* Nanoseconds since 1970; what does not fit is the nearest that does. */
static uint64_t to_ns(const struct source_file_interface *i, uint64_t ticks)
{
	__extension__ typedef unsigned __int128 wide;
	__extension__ typedef __int128 swide;
	wide ns;
	if (i->shift)
		ns = (wide)ticks * CLOCK_SECOND >> i->shift;
	else if (i->div == 1)
		ns = (wide)ticks * i->mul;
	else
		ns = i->div ? ticks / i->div : 0;
	if (i->offset_s)
		ns = (wide)((swide)ns + (swide)i->offset_s * (swide)CLOCK_SECOND);
	if ((swide)ns < 0)
		return 0;
	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

/* Records ---------------------------------------------------------------------------------------------- */

/* Hands out `data`, which is captured bytes and stands in the window. */
static bool give(struct source_file *f, const struct source_file_interface *i, struct span data, uint32_t wire_len,
	uint64_t ts_ns, struct source_packet *ret)
{
	f->last_ts_ns = ts_ns;
	*ret = (struct source_packet){
		.bytes = data, .wire_len = wire_len, .linktype = i->linktype, .ts_ns = ts_ns, .number = ++f->result.packets,
	};
	return true;
}

/* What was left of a record whose packet was longer than we hand out. */
static bool pay_owed(struct source_file *f)
{
	f->owed = false;
	if (!source_input_skip(&f->in, f->owed_bytes))
		return ended(f, true);
	if (!f->owed_trailer)
		return true;
	if (!source_input_need(&f->in, 4))
		return ended(f, true);
	struct cursor c = cursor_from(source_input_take(&f->in, 4));
	return u32(f, &c) == f->owed_trailer || corrupt(f, "two block lengths that differ");
}

/* A record header `at` bytes ahead, which stand in the window. */
static struct cursor ahead(const struct source_file *f, size_t at)
{
	return cursor_from((struct span){ f->in.buf + f->in.at + at, 16 });
}

/* Could a record of the same capture begin `at` bytes ahead, a day from `seconds` at most? *ret_captured its length. */
static bool is_record(struct source_file *f, size_t at, uint32_t seconds, size_t *ret_captured)
{
	if (!source_input_need(&f->in, at + 16))
		return false;
	struct cursor c = ahead(f, at);
	uint32_t s = u32(f, &c), fraction = u32(f, &c), captured = u32(f, &c), wire = u32(f, &c);
	uint32_t apart = s > seconds ? s - seconds : seconds - s;
	*ret_captured = captured;
	return apart <= 86400 && fraction < 1000000 && captured && captured <= wire && captured <= LOOK_AHEAD_MAX;
}

/* Some programs (Nordic's sniffer of Bluetooth among them) write Kuznetzov's longer records under the plain magic
 * number; Wireshark's wiretap/libpcap.c tells them by looking whether records follow each other, and so do we. Only
 * what could not be read otherwise is taken for it: read plainly, the second record has an impossible length; read as
 * the longer kind, the second and third are sound. */
static bool is_modified(struct source_file *f)
{
	size_t first, second, third;
	struct cursor c;
	if (!source_input_need(&f->in, 16))
		return false;
	c = ahead(f, 0);
	uint32_t seconds = u32(f, &c);
	if (!is_record(f, 0, seconds, &first) || !source_input_need(&f->in, 16 + first + 16))
		return false;
	c = ahead(f, 16 + first);
	cursor_skip(&c, 8);
	if (u32(f, &c) <= SOURCE_MAX_PACKET)
		return false;
	if (!is_record(f, 24 + first, seconds, &second))
		return false;
	/* A capture of two, or cut short in its third, is still told. */
	if (!source_input_need(&f->in, 24 + first + 24 + second + 16))
		return source_input_need(&f->in, 24 + first + 24 + second);
	return is_record(f, 24 + first + 24 + second, seconds, &third);
}

static bool next_pcap(struct source_file *f, struct source_packet *ret)
{
	if (f->unsure) {
		f->unsure = false;
		f->modified = is_modified(f);
	}
	size_t header = f->modified ? 24 : 16;
	if (!source_input_need(&f->in, header))
		return ended(f, false);
	struct cursor c = cursor_from(source_input_take(&f->in, header));
	uint64_t seconds = u32(f, &c);
	uint64_t fraction = u32(f, &c);
	uint32_t captured = u32(f, &c);
	uint32_t wire = u32(f, &c);
	/* Before version 2.3 the two lengths stood the other way round, and in 2.3 one cannot know (libpcap,
	 * sf-pcap.c). */
	if (f->lengths == SOURCE_FILE_LENGTHS_OLD || (f->lengths == SOURCE_FILE_LENGTHS_EITHER && captured > wire)) {
		uint32_t swap = captured;
		captured = wire;
		wire = swap;
	}
	const struct source_file_interface *i = f->interface;
	size_t take = captured;
	if (captured > SOURCE_MAX_PACKET) {
		if (captured > i->snaplen || captured > RECORD_MAX)
			return corrupt(f, "an impossible packet length");
		take = SOURCE_MAX_PACKET;
		f->owed = true;
		f->owed_bytes = captured - take;
		f->owed_trailer = 0;
	}
	if (!source_input_need(&f->in, take))
		return ended(f, true);
	return give(f, i, source_input_take(&f->in, take), wire, seconds * CLOCK_SECOND + fraction * i->mul, ret);
}

static bool open_pcap(struct source_file *f, uint32_t magic)
{
	if (!source_input_need(&f->in, PCAP_HEADER))
		return ended(f, true);
	struct cursor c = cursor_from(source_input_take(&f->in, PCAP_HEADER));
	cursor_skip(&c, 4);
	uint16_t major = u16(f, &c), minor = u16(f, &c);
	cursor_skip(&c, 8);                     /* time zone and accuracy: never set */
	struct source_file_interface *i = f->interface;
	i->snaplen = u32(f, &c);
	i->linktype = u32(f, &c) & LINKTYPE_MASK;
	/* 543.0 is DG/UX's tcpdump (libpcap, sf-pcap.c). */
	bool dgux = major == 543 && minor == 0;
	if (!dgux && (major != 2 || minor > 4))
		return finish(f, ERR_UNKNOWN_KIND, "pcap of version %u.%u", major, minor);
	f->lengths = dgux || minor < 3 ? SOURCE_FILE_LENGTHS_OLD :
		minor == 3 ? SOURCE_FILE_LENGTHS_EITHER : SOURCE_FILE_LENGTHS_NEW;
	f->modified = magic == MAGIC_MODIFIED;
	f->unsure = magic == MAGIC_US && f->lengths == SOURCE_FILE_LENGTHS_NEW;
	set_resolution(i, magic == MAGIC_NS ? 9 : 6);
	f->interfaces = 1;
	f->kind = SOURCE_FILE_PCAP;
	return true;
}

/* pcapng, 4.2. `c` is at the block's body. */
static bool read_interface(struct source_file *f, struct cursor c)
{
	if (f->interfaces == SOURCE_FILE_MAX_INTERFACES)
		return corrupt(f, "more than 1024 interfaces");
	struct source_file_interface i = { 0 };
	i.linktype = u16(f, &c);
	cursor_skip(&c, 2);
	i.snaplen = u32(f, &c);
	set_resolution(&i, 6);
	while (cursor_left(&c)) {               /* options may end without their end mark: 3.5 */
		uint16_t code = u16(f, &c), length = u16(f, &c);
		struct cursor value = cursor_sub(&c, length);
		if (code == 0)
			break;
		cursor_skip(&c, -(size_t)length & 3);
		if (!cursor_ok(&c) || (code == 9 && length != 1) || (code == 14 && length != 8))
			return corrupt(f, "a broken interface option");
		if (code == 9)
			set_resolution(&i, cursor_u8(&value));
		else if (code == 14)
			i.offset_s = (int64_t)u64(f, &value);
	}
	if (!cursor_ok(&c))
		return corrupt(f, "a broken interface block");
	f->interface[f->interfaces++] = i;
	return true;
}

/* pcapng, 4.6: what the writer of the file lost. Counters only; a broken block costs nothing but them. */
static void read_statistics(struct source_file *f, struct cursor c)
{
	uint32_t id = u32(f, &c);
	cursor_skip(&c, 8);
	if (!cursor_ok(&c) || id >= f->interfaces)
		return;
	struct source_file_interface *i = f->interface + id;
	while (cursor_left(&c)) {
		uint16_t code = u16(f, &c), length = u16(f, &c);
		struct cursor value = cursor_sub(&c, length);
		cursor_skip(&c, -(size_t)length & 3);
		if (!cursor_ok(&c) || code == 0)
			return;
		if (length != 8 || (code != 5 && code != 7))
			continue;
		uint64_t *last = code == 5 ? &i->drops_interface : &i->drops_kernel;
		uint64_t *sum = code == 5 ? &f->drops_interface : &f->drops_kernel;
		uint64_t now = u64(f, &value);
		if (now > *last) {              /* counted since the capture began */
			*sum += now - *last;
			*last = now;
		}
	}
}

/* pcapng, 4.1. `f->in` is at the block. */
static bool read_section(struct source_file *f)
{
	bool first = f->kind == SOURCE_FILE_NEW;
	if (!source_input_need(&f->in, 28))
		return ended(f, true);
	struct cursor c = cursor_from(source_input_take(&f->in, 16));
	cursor_skip(&c, 4);
	struct cursor magic = c;
	cursor_skip(&magic, 4);
	uint32_t order = cursor_u32be(&magic);
	if (order != BYTE_ORDER_MAGIC && order != __builtin_bswap32(BYTE_ORDER_MAGIC))
		return first ? finish(f, ERR_UNKNOWN_KIND, "begins like pcapng, but has no byte order mark") :
			corrupt(f, "a section without byte order mark");
	f->little = order != BYTE_ORDER_MAGIC;
	uint32_t total = u32(f, &c);
	uint16_t major = u16(f, &magic), minor = u16(f, &magic);
	/* 1.2 says nothing new: some writers put it there (pcapng, 4.1). */
	if (major != 1 || (minor != 0 && minor != 2))
		return first ? finish(f, ERR_UNKNOWN_KIND, "pcapng of version %u.%u", major, minor) :
			corrupt(f, "a section of an unknown version");
	if (total < 28 || total % 4)
		return corrupt(f, "an impossible block length");
	f->kind = SOURCE_FILE_PCAPNG;
	f->interfaces = 0;
	f->owed_bytes = total - 16 - 4;
	f->owed_trailer = total;
	return pay_owed(f);
}

/* The packet at the head of a block's body; `header` bytes of the block come before its bytes. */
static bool give_block(struct source_file *f, uint32_t id, uint64_t ticks, bool stamped, uint32_t captured, uint32_t wire,
	uint32_t total, size_t header, struct source_packet *ret)
{
	if (id >= f->interfaces)
		return corrupt(f, "a packet of an interface that was not described");
	if (captured > total - header - 4)
		return corrupt(f, "a packet longer than its block");
	const struct source_file_interface *i = f->interface + id;
	size_t take = captured > SOURCE_MAX_PACKET ? SOURCE_MAX_PACKET : captured;
	struct span data;
	if (total > NEED_MAX) {         /* too long to be looked at as a whole: its end is seen to afterwards */
		if (!source_input_need(&f->in, header + take))
			return ended(f, true);
		data = source_input_take(&f->in, header + take);
		f->owed = true;
		f->owed_bytes = total - header - take - 4;
		f->owed_trailer = total;
	} else {
		data = source_input_take(&f->in, total);
	}
	data = (struct span){ data.p + header, take };
	/* pcapng, 4.4: a simple packet has no time; that of the packet before it keeps the order. */
	return give(f, i, data, wire, stamped ? to_ns(i, ticks) : f->last_ts_ns, ret);
}

static bool next_pcapng(struct source_file *f, struct source_packet *ret)
{
	for (;;) {
		if (!source_input_need(&f->in, 12))
			return ended(f, false);
		struct cursor c = cursor_from((struct span){ f->in.buf + f->in.at, 12 });
		uint32_t type = u32(f, &c);
		if (type == BLOCK_SECTION) {
			if (!read_section(f))
				return false;
			continue;
		}
		uint32_t total = u32(f, &c);
		if (total < 12 || total % 4)
			return corrupt(f, "an impossible block length");
		bool packet = type == BLOCK_ENHANCED || type == BLOCK_SIMPLE || type == BLOCK_PACKET;
		bool ours = packet || type == BLOCK_INTERFACE || type == BLOCK_STATISTICS;
		if (!ours || (total > NEED_MAX && !packet)) {
			if (type == BLOCK_INTERFACE)
				return corrupt(f, "an interface block too long to be one");
			f->in.at += 8;
			f->owed_bytes = total - 12;
			f->owed_trailer = total;
			if (!pay_owed(f))
				return false;
			continue;
		}
		size_t want = total > NEED_MAX ? 28 : total;
		if (!source_input_need(&f->in, want))
			return ended(f, true);
		c = cursor_from((struct span){ f->in.buf + f->in.at, want });
		if (total <= NEED_MAX) {
			struct cursor trailer = c;
			cursor_skip(&trailer, total - 4);
			if (u32(f, &trailer) != total)
				return corrupt(f, "two block lengths that differ");
			c = cursor_from((struct span){ f->in.buf + f->in.at, total - 4 });
		}
		cursor_skip(&c, 8);
		if (!packet) {
			f->in.at += total;
			if (type == BLOCK_STATISTICS)
				read_statistics(f, c);
			else if (!read_interface(f, c))
				return false;
			continue;
		}
		uint32_t id = 0, captured, wire;
		uint64_t ticks = 0;
		size_t header = 28;
		if (type == BLOCK_SIMPLE) {             /* pcapng, 4.4 */
			header = 12;
			captured = wire = u32(f, &c);
			if (f->interfaces && f->interface->snaplen && captured > f->interface->snaplen)
				captured = f->interface->snaplen;
		} else {                                /* pcapng, 4.3 and appendix A */
			if (type == BLOCK_ENHANCED) {
				id = u32(f, &c);
			} else {
				id = u16(f, &c);
				cursor_skip(&c, 2);
			}
			ticks = (uint64_t)u32(f, &c) << 32;
			ticks |= u32(f, &c);
			captured = u32(f, &c);
			wire = u32(f, &c);
		}
		if (!cursor_ok(&c))
			return corrupt(f, "a packet block too short for its header");
		return give_block(f, id, ticks, type != BLOCK_SIMPLE, captured, wire, total, header, ret);
	}
}

/* Which kind --------------------------------------------------------------------------------------------- */

static bool unknown(struct source_file *f, struct span head)
{
	static const struct { const char *magic; size_t n; const char *is; } known[] = {
#define KIND(magic, is) { magic, sizeof(magic) - 1, is }
		KIND("\x1f\x8b", "gzip within gzip; unpack it first"),
		KIND("\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
		KIND("\x04\x22\x4d\x18", "compressed with lz4; unpack it first"),
		KIND("\xfd" "7zXZ", "compressed with xz; unpack it first"),
		KIND("BZh", "compressed with bzip2; unpack it first"),
		KIND("PK\x03\x04", "a zip archive; unpack it first"),
		KIND("7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
		KIND("GMBU", "a Microsoft Network Monitor capture; convert it with editcap"),
		KIND("RTSS", "a Microsoft Network Monitor capture; convert it with editcap"),
		KIND("snoop\0\0\0", "a snoop capture; convert it with editcap"),
		KIND("XCP\0", "a NetXRay capture; convert it with editcap"),
		KIND("TRSNIFF data", "a Sniffer capture; convert it with editcap"),
		KIND("\x7f" "ELF", "a program"),
		KIND("%PDF", "a PDF document"),
#undef KIND
	};
	if (!head.n)
		return finish(f, ERR_UNKNOWN_KIND, "an empty file");
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (head.n >= known[i].n && !memcmp(head.p, known[i].magic, known[i].n))
			return finish(f, ERR_UNKNOWN_KIND, "%s", known[i].is);
	bool text = true;
	for (size_t i = 0; i < head.n; i++)
		text = text && ((head.p[i] >= 0x20 && head.p[i] < 0x7f) || (head.p[i] >= 9 && head.p[i] <= 13));
	return finish(f, ERR_UNKNOWN_KIND, "%s", text ? "a text file" : "neither pcap nor pcapng");
}

/* Fewer than 4 bytes: could they begin a capture? */
static bool is_begun(struct span head)
{
	static const uint32_t magics[] = { MAGIC_US, MAGIC_NS, MAGIC_MODIFIED, MAGIC_PCAPNG };
	for (size_t i = 0; head.n && i < sizeof(magics) / sizeof(*magics); i++) {
		bool big = true, little = true;
		for (unsigned at = 0; at < head.n; at++) {
			big = big && head.p[at] == (uint8_t)(magics[i] >> (24 - 8 * at));
			little = little && head.p[at] == (uint8_t)(magics[i] >> 8 * at);
		}
		if (big || little)
			return true;
	}
	return false;
}

static bool open_kind(struct source_file *f)
{
	(void)source_input_need(&f->in, 16);            /* more than a magic number, for unknown() */
	struct span head = { f->in.buf + f->in.at, f->in.len - f->in.at };
	if (head.n > 16)
		head.n = 16;
	if (head.n < 4) {
		if (f->in.err || is_begun(head))
			return ended(f, true);
		return unknown(f, head);
	}
	struct cursor c = cursor_from(head);
	uint32_t magic = cursor_u32be(&c);
	if (magic == MAGIC_PCAPNG)
		return read_section(f);
	for (int little = 0; little < 2; little++, magic = __builtin_bswap32(magic)) {
		if (magic == MAGIC_US || magic == MAGIC_NS || magic == MAGIC_MODIFIED) {
			f->little = little;
			return open_pcap(f, magic);
		}
	}
	return unknown(f, head);
}

bool source_file_stays(const struct source_file *f)
{
	struct span at = { f->in.buf + f->in.at, f->in.len - f->in.at };
	struct cursor c = cursor_from(at);
	if (f->owed)
		return false;
	if (f->kind == SOURCE_FILE_PCAP) {
		size_t header = f->modified ? 24 : 16;
		cursor_skip(&c, 8);
		uint32_t captured = u32(f, &c);
		return !f->unsure && f->lengths == SOURCE_FILE_LENGTHS_NEW && cursor_ok(&c) && captured <= SOURCE_MAX_PACKET &&
		       at.n >= header + captured;
	}
	uint32_t type = u32(f, &c), total = u32(f, &c);
	return f->kind == SOURCE_FILE_PCAPNG && cursor_ok(&c) && type == BLOCK_ENHANCED && total >= 12 && total <= NEED_MAX &&
	       at.n >= total;
}

/* Records of a plain kind of pcap, which are all that stands in the window. */
static size_t run_pcap(struct source_file *f, struct source_packet *ret, size_t max, size_t *room)
{
	const struct source_file_interface *i = f->interface;
	const size_t header = f->modified ? 24 : 16;
	const bool little = f->little;
	const uint64_t mul = i->mul;
	const uint32_t linktype = i->linktype;
	struct cursor c = cursor_from((struct span){ f->in.buf + f->in.at, f->in.len - f->in.at });
	uint64_t number = f->result.packets;
	size_t n = 0, left = *room, passed = 0;
	for (; n < max && left >= SOURCE_MAX_PACKET; n++) {
		const uint8_t *h = cursor_take(&c, header).p;
		if (!h)
			break;
		uint32_t seconds = bytes_u32le(h), fraction = bytes_u32le(h + 4), captured = bytes_u32le(h + 8);
		uint32_t wire = bytes_u32le(h + 12);
		if (!little) {
			seconds = __builtin_bswap32(seconds);
			fraction = __builtin_bswap32(fraction);
			captured = __builtin_bswap32(captured);
			wire = __builtin_bswap32(wire);
		}
		struct span data = cursor_take(&c, captured);
		if (captured > SOURCE_MAX_PACKET || !data.p)
			break;
		ret[n] = (struct source_packet){ .bytes = data, .wire_len = wire, .linktype = linktype,
						 .ts_ns = seconds * CLOCK_SECOND + fraction * mul, .number = ++number };
		passed += header + captured;
		left -= captured;
	}
	if (n)
		f->last_ts_ns = ret[n - 1].ts_ns;
	f->in.at += passed;
	f->result.packets = number;
	*room = left;
	return n;
}

size_t source_file_run(struct source_file *f, struct source_packet *ret, size_t max, size_t *room)
{
	if (f->kind == SOURCE_FILE_PCAP && !f->owed && !f->unsure && f->lengths == SOURCE_FILE_LENGTHS_NEW)
		return run_pcap(f, ret, max, room);
	size_t n = 0;
	for (; n < max && *room >= SOURCE_MAX_PACKET && source_file_stays(f) && source_file_next(f, ret + n); n++)
		*room -= ret[n].bytes.n;
	return n;
}

bool source_file_next(struct source_file *f, struct source_packet *ret)
{
	bool got = false;
	if (f->kind != SOURCE_FILE_ENDED && (f->kind != SOURCE_FILE_NEW || open_kind(f)) && (!f->owed || pay_owed(f)))
		got = f->kind == SOURCE_FILE_PCAP ? next_pcap(f, ret) : next_pcapng(f, ret);
	f->result.bytes_read = f->in.bytes_read;
	return got;
}
