#include "sensor/source_live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"

enum {
	/* A tenth of a second of a full 10 Gbit/s wire is 125 MB; half of that was enough for 240,000 packets/s with
	 * the reader held up. */
	DEFAULT_BUFFER = 64 << 20,
	/* The kernel hands over a block that is not full after this long: the floor of the delay of an alert. Not
	 * immediate mode: that gives up TPACKET_V3 and its large ring. */
	BLOCK_MS = 10,
	CARD_COUNTERS = 2,
};

/* What the card lost, as libpcap counts it (pcap-linux.c, linux_if_drops). */
static const char *const card_counters[CARD_COUNTERS] = { "rx_missed_errors", "rx_fifo_errors" };

/* A ring of an interface. An interface has several when asked (packet(7), PACKET_FANOUT); the first of them counts for
 * all. */
struct interface {
	pcap_t *pcap;
	struct interface *first;
	uint64_t from_ns;               /* packets before this came to another ring too */
	uint32_t linktype;
	bool loaded, failed;            /* loaded: `head` is a packet not yet handed out */
	struct source_packet head;
	uint8_t *bytes;                 /* SOURCE_MAX_PACKET: libpcap gives a block of its ring back to the kernel
	                                 * before pcap_next_ex() returns the last packet in it */
	uint64_t kernel_drops, card_drops;
	int card_fd[CARD_COUNTERS];     /* -1: none */
	uint64_t card_start[CARD_COUNTERS];
	struct source_file_result result;
	char name[IF_NAMESIZE];
};

struct source_live {
	size_t rings;                   /* of each interface: interface k has those from k * rings on */
	size_t n, from;                 /* n: rings in all; from: one whose head was handed out; n: none */
	struct interface *interface;
	struct pollfd *poll;
};

/* The number in a sysfs file; 0 when there is none. */
static uint64_t read_counter(int fd)
{
	char text[32];
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = 0;
	return strtoull(text, NULL, 10);
}

static void open_counters(struct interface *i)
{
	for (size_t k = 0; k < CARD_COUNTERS; k++) {
		char path[128];
		snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", i->name, card_counters[k]);
		i->card_fd[k] = open(path, O_RDONLY | O_CLOEXEC);
		i->card_start[k] = read_counter(i->card_fd[k]);
	}
}

static int pcap_error(int status)
{
	switch (status) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return -EPERM;
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return -ENODEV;
	case PCAP_ERROR_IFACE_NOT_UP:
		return -ENETDOWN;
	default:
		return -EIO;
	}
}

/* Why an interface cannot be watched, and what to do. The library's words for what we do not know better. */
static void tell(const char *name, int status, const char *more, char why[static 256])
{
	char list[160];
	struct buf b = buf_over(list, sizeof(list) - 1);
	const char *words = pcap_statustostr(status);
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE: {
		struct if_nameindex *all = if_nameindex();
		for (size_t i = 0; all && all[i].if_name; i++)
			(void)buf_printf(&b, "%s%s", i ? ", " : "", all[i].if_name);
		if_freenameindex(all);
		list[b.len] = '\0';
		snprintf(why, 256, "%s: no such interface%s%s", name, b.len ? "; there are: " : "", list);
		break;
	}
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		snprintf(why, 256, "%s: no right to capture from it; run this as root or with CAP_NET_RAW", name);
		break;
	default:
		snprintf(why, 256, "%s: %.80s%s%.140s", name, words, *more && strcmp(more, words) ? ": " : "",
			 strcmp(more, words) ? more : "");
	}
}

/* Before activation. 0, or -ENOTSUP with `why` when the card does not stamp packets. */
static int use_adapter_clock(pcap_t *p, const char *name, char why[static 256])
{
	int *types = NULL, n = pcap_list_tstamp_types(p, &types), best = -1;
	for (int k = 0; k < n; k++)
		if (types[k] == PCAP_TSTAMP_ADAPTER || (types[k] == PCAP_TSTAMP_ADAPTER_UNSYNCED && best < 0))
			best = types[k];
	if (n > 0)
		pcap_free_tstamp_types(types);
	if (best >= 0 && pcap_set_tstamp_type(p, best) == 0)
		return 0;
	snprintf(why, 256, "%s: its card does not stamp packets; leave --timestamps at host", name);
	return -ENOTSUP;
}

static int set_filter(pcap_t *p, const char *filter, char why[static 256])
{
	struct bpf_program b;
	if (pcap_compile(p, &b, filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		snprintf(why, 256, "--filter: %.160s (pcap-filter(7) says how to write one)", pcap_geterr(p));
		return -EINVAL;
	}
	int status = pcap_setfilter(p, &b);
	pcap_freecode(&b);
	if (status < 0)
		snprintf(why, 256, "--filter: %.200s", pcap_geterr(p));
	return status < 0 ? -EIO : 0;
}

/* The rings of an interface share its packets by a hash of their addresses and ports, the same for both directions
 * (PACKET_FANOUT_HASH). Without the kernel's defragmentation: it would hide how many packets came. */
static int join(struct interface *i, int *group, const struct source_live_options *o, char why[static 256])
{
	int value = *group < 0 ? (PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_UNIQUEID) << 16 : *group | PACKET_FANOUT_HASH << 16;
	socklen_t len = sizeof(value);
	int fd = pcap_fileno(i->pcap);
	/* Until here this ring got all packets, those of the rings before it too. The card's clock is another one. */
	i->from_ns = *group < 0 || o->adapter_clock ? 0 : clock_now_ns();
	int err = setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, sizeof(value)) < 0 ? -errno : 0;
	if (!err && *group < 0) {
		if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, &len) < 0)
			err = -errno;
		*group = value & 0xffff;
	}
	if (err)
		snprintf(why, 256, "%s: its packets cannot be shared by rings (%s); leave --rings at 1", i->name, err_text(err));
	return err;
}

static int open_interface(struct interface *i, const char *name, const struct source_live_options *o, char why[static 256])
{
	char text[PCAP_ERRBUF_SIZE] = "";
	if (strlen(name) >= sizeof(i->name)) {
		snprintf(why, 256, "%.64s: no such interface", name);
		return -ENODEV;
	}
	memcpy(i->name, name, strlen(name) + 1);
	i->bytes = malloc(SOURCE_MAX_PACKET);
	i->pcap = i->bytes ? pcap_create(name, text) : NULL;
	if (!i->pcap) {
		snprintf(why, 256, "%s: %.200s", name, i->bytes ? text : err_text(-ENOMEM));
		return -ENOMEM;
	}
	(void)pcap_set_snaplen(i->pcap, o->snaplen ? (int)o->snaplen : SOURCE_MAX_PACKET);
	(void)pcap_set_promisc(i->pcap, 1);
	(void)pcap_set_timeout(i->pcap, BLOCK_MS);
	size_t ring = o->buffer_bytes ? o->buffer_bytes : DEFAULT_BUFFER;
	(void)pcap_set_buffer_size(i->pcap, ring < INT32_MAX ? (int)ring : INT32_MAX);
	int err = o->adapter_clock ? use_adapter_clock(i->pcap, name, why) : 0;
	if (err)
		return err;
	(void)pcap_set_tstamp_precision(i->pcap, PCAP_TSTAMP_PRECISION_NANO);
	int status = pcap_activate(i->pcap);
	if (status < 0) {
		tell(name, status, pcap_geterr(i->pcap), why);
		return pcap_error(status);
	}
	if (pcap_setnonblock(i->pcap, 1, text) < 0 || pcap_get_selectable_fd(i->pcap) < 0) {
		snprintf(why, 256, "%s: cannot wait for its packets: %.160s", name, text);
		return -EIO;
	}
	err = o->filter ? set_filter(i->pcap, o->filter, why) : 0;
	if (err)
		return err;
	/* The DLT_ numbers of the link types that we read are their LINKTYPE_ numbers, RAW's too (see decode.h). */
	i->linktype = (uint32_t)pcap_datalink(i->pcap);
	if (i->first == i)
		open_counters(i);
	return 0;
}

int source_live_open(const char *const *interfaces, size_t n, const struct source_live_options *o, struct source_live **ret,
	char why[static 256])
{
	struct source_live *l = calloc(1, sizeof(*l));
	int err = -ENOMEM, group = -1;
	snprintf(why, 256, "%s", err_text(err));
	if (!l)
		return err;
	l->rings = o->rings ? o->rings : 1;
	n *= l->rings;
	l->interface = calloc(n ? n : 1, sizeof(*l->interface));
	l->poll = calloc(n ? n : 1, sizeof(*l->poll));
	if (!l->interface || !l->poll)
		goto fail;
	for (; l->n < n; l->n++) {
		struct interface *i = l->interface + l->n;
		i->first = l->interface + l->n / l->rings * l->rings;
		for (size_t k = 0; k < CARD_COUNTERS; k++)
			i->card_fd[k] = -1;
	}
	l->from = n;
	for (size_t k = 0, group_of = n; k < n; k++) {
		err = open_interface(l->interface + k, interfaces[k / l->rings], o, why);
		if (!err && l->rings > 1) {
			if (k / l->rings != group_of)
				group = -1;
			group_of = k / l->rings;
			err = join(l->interface + k, &group, o, why);
		}
		if (err)
			goto fail;
		l->poll[k] = (struct pollfd){ .fd = pcap_get_selectable_fd(l->interface[k].pcap), .events = POLLIN };
	}
	why[0] = 0;
	*ret = l;
	return 0;
fail:
	source_live_close(l);
	return err;
}

void source_live_close(struct source_live *l)
{
	if (!l)
		return;
	for (size_t k = 0; k < l->n; k++) {
		struct interface *i = l->interface + k;
		if (i->pcap)
			pcap_close(i->pcap);
		for (size_t c = 0; c < CARD_COUNTERS; c++)
			if (i->card_fd[c] >= 0)
				(void)close(i->card_fd[c]);
		free(i->bytes);
	}
	free(l->interface);
	free(l->poll);
	free(l);
}

static void keep(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct interface *i = (struct interface *)(void *)user;
	size_t n = h->caplen < SOURCE_MAX_PACKET ? h->caplen : SOURCE_MAX_PACKET;
	/* With nanosecond precision libpcap keeps them in tv_usec (pcap_set_tstamp_precision(3PCAP)). */
	uint64_t ts_ns = (uint64_t)h->ts.tv_sec * CLOCK_SECOND + (uint64_t)h->ts.tv_usec;
	if (ts_ns < i->from_ns)
		return;
	memcpy(i->bytes, bytes, n);
	i->head.bytes = (struct span){ i->bytes, n };
	i->head.wire_len = h->len;
	i->head.linktype = i->linktype;
	i->head.ts_ns = ts_ns;
	i->loaded = true;
}

static void load(struct interface *i)
{
	if (i->loaded || i->failed)
		return;
	int got;
	do {
		got = pcap_dispatch(i->pcap, 1, keep, (u_char *)(void *)i);
	} while (got > 0 && !i->loaded);
	if (got < 0 && got != PCAP_ERROR_BREAK) {
		i->failed = true;
		i->first->result.err = pcap_error(got);
		snprintf(i->first->result.why, sizeof(i->result.why), "%s: %.100s", i->name, pcap_geterr(i->pcap));
	}
}

/* The interface with the earliest packet at hand, or n. */
static size_t earliest(struct source_live *l)
{
	size_t best = l->n;
	for (size_t k = 0; k < l->n; k++) {
		load(l->interface + k);
		if (l->interface[k].loaded &&
		    (best == l->n || l->interface[k].head.ts_ns < l->interface[best].head.ts_ns))
			best = k;
	}
	return best;
}

static bool all_failed(const struct source_live *l)
{
	for (size_t k = 0; k < l->n; k++)
		if (!l->interface[k].failed)
			return false;
	return true;
}

enum source_status source_live_next(struct source_live *l, unsigned wait_ms, struct source_packet *ret)
{
	if (l->from < l->n)
		l->interface[l->from].loaded = false;
	l->from = earliest(l);
	if (l->from == l->n && !all_failed(l)) {
		for (size_t k = 0; k < l->n; k++)
			if (l->interface[k].failed)
				l->poll[k].fd = -1;     /* or its POLLERR would keep poll() from waiting */
		if (poll(l->poll, l->n, wait_ms < INT32_MAX ? (int)wait_ms : INT32_MAX) > 0)
			l->from = earliest(l);
	}
	if (l->from == l->n)
		return all_failed(l) ? SOURCE_END : SOURCE_IDLE;
	struct interface *first = l->interface[l->from].first;
	*ret = l->interface[l->from].head;
	/* Numbered in the order in which they are handed out. */
	ret->number = ++first->result.packets;
	first->result.bytes_read += ret->bytes.n;
	ret->file = (uint32_t)(l->from / l->rings) + 1;
	return SOURCE_PACKET;
}

void source_live_drops(struct source_live *l, size_t interface, uint64_t *ret_kernel, uint64_t *ret_interface)
{
	uint64_t kernel = 0, card = 0;
	for (size_t k = interface * l->rings; k < (interface + 1) * l->rings && k < l->n; k++) {
		struct interface *i = l->interface + k;
		/* Not pcap_stats(): it opens files. Reading them sets the kernel's counters to 0 (packet(7)). */
		struct tpacket_stats_v3 s = { 0 };
		socklen_t len = sizeof(s);
		if (getsockopt(pcap_fileno(i->pcap), SOL_PACKET, PACKET_STATISTICS, &s, &len) == 0)
			i->kernel_drops += s.tp_drops;
		uint64_t lost = 0;
		for (size_t c = 0; c < CARD_COUNTERS; c++) {
			uint64_t now = read_counter(i->card_fd[c]);
			lost += now > i->card_start[c] ? now - i->card_start[c] : 0;
		}
		if (lost > i->card_drops)
			i->card_drops = lost;
		kernel += i->kernel_drops;
		card += i->card_drops;
	}
	*ret_kernel = kernel;
	*ret_interface = card;
}

size_t source_live_interfaces(const struct source_live *l) { return l->n / l->rings; }

const struct source_file_result *source_live_result(const struct source_live *l, size_t interface)
{
	return interface < l->n / l->rings ? &l->interface[interface * l->rings].result : NULL;
}

uint64_t source_live_bytes(const struct source_live *l)
{
	uint64_t sum = 0;
	for (size_t k = 0; k < l->n; k++)
		sum += l->interface[k].result.bytes_read;
	return sum;
}

size_t source_live_fds(const struct source_live *l, int *ret, size_t max)
{
	size_t n = 0;
	for (size_t k = 0; k < l->n; k++) {
		const struct interface *i = l->interface + k;
		if (n < max)
			ret[n++] = pcap_fileno(i->pcap);
		for (size_t c = 0; c < CARD_COUNTERS; c++)
			if (i->card_fd[c] >= 0 && n < max)
				ret[n++] = i->card_fd[c];
	}
	return n;
}
