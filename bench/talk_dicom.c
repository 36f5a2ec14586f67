/* DICOM: associations, verification, queries, objects that are stored. */
#include <stdlib.h>

#include "bench/talk.h"

static struct put templates[2][2];              /* C-STORE of CT and CR, in PDUs of 16 KiB and 128 KiB */

static const char *const sop_store[] = { "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.1.1" };
#define SOP_ECHO "1.2.840.10008.1.1"
#define SOP_FIND "1.2.840.10008.5.1.4.1.2.2.1"

static void item(struct put *b, unsigned kind, const char *value)
{
	put_8(b, kind);
	put_8(b, 0);
	put_16(b, (unsigned)strlen(value));
	put_text(b, value);
}

static size_t open_length(struct put *b, unsigned kind, int wide)
{
	put_8(b, kind);
	put_8(b, 0);
	put_bytes(b, "\0\0\0", wide ? 4 : 2);
	return b->n;
}

static void close_length(struct put *b, size_t from, int wide)
{
	struct put back = { b->p + from - (wide ? 4 : 2), 0 };
	if (wide)
		put_32(&back, (uint32_t)(b->n - from));
	else
		put_16(&back, (unsigned)(b->n - from));
}

static void associate(struct conv *c, int request, const char *const *sop, unsigned n_sop)
{
	char ae[17];
	struct put *b = &c->own;
	b->n = 0;
	size_t pdu = open_length(b, request ? 1 : 2, 1);
	put_16(b, 1);
	put_16(b, 0);
	put_padded(b, "PACS01", 16);
	(void)snprintf(ae, sizeof(ae), "DEV%u", c->client);
	put_padded(b, ae, 16);
	memset(b->p + b->n, 0, 32);
	b->n += 32;
	item(b, 0x10, "1.2.840.10008.3.1.1.1");
	for (unsigned i = 0; i < n_sop; i++) {
		size_t context = open_length(b, request ? 0x20 : 0x21, 0);
		put_8(b, 2 * i + 1);
		put_bytes(b, "\0\0\0", 3);
		if (request)
			item(b, 0x30, sop[i]);
		item(b, 0x40, "1.2.840.10008.1.2");
		if (request)
			item(b, 0x40, "1.2.840.10008.1.2.1");
		close_length(b, context, 0);
	}
	size_t user = open_length(b, 0x50, 0);
	size_t longest = open_length(b, 0x51, 0);
	put_32(b, c->size > 1 ? 131072 : 16384);
	close_length(b, longest, 0);
	item(b, 0x52, "1.2.826.0.1.3680043.10.1");
	item(b, 0x55, "BENCH_1");
	close_length(b, user, 0);
	close_length(b, pdu, 1);
	conv_turn_is(c, !request);
}

static void element(struct put *b, unsigned group, unsigned tag, const void *v, size_t n)
{
	put_16le(b, group);
	put_16le(b, tag);
	put_32le(b, (uint32_t)(n + (n & 1)));
	put_bytes(b, v, n);
	if (n & 1)
		put_8(b, 0);
}

static void element16(struct put *b, unsigned tag, unsigned v)
{
	uint8_t le[2] = { (uint8_t)(v & 0xff), (uint8_t)(v >> 8) };
	element(b, 0, tag, le, 2);
}

/* A P-DATA-TF with one command. */
static void command(struct put *b, unsigned code, unsigned id, const char *sop, int dataset, unsigned status, int context)
{
	size_t pdu = open_length(b, 4, 1);
	size_t pdv = b->n;
	put_32(b, 0);
	put_8(b, (unsigned)context);
	put_8(b, 3);
	size_t group = b->n;
	element(b, 0, 0, "\0\0\0", 4);
	element(b, 0, 2, sop, strlen(sop));
	element16(b, 0x100, code);
	element16(b, code & 0x8000 ? 0x120 : 0x110, id);
	if (!(code & 0x8000) && code != 0x30)
		element16(b, 0x700, 0);
	element16(b, 0x800, dataset ? 0 : 0x101);
	if (code & 0x8000)
		element16(b, 0x900, status);
	struct put back = { b->p + group + 8, 0 };
	put_32le(&back, (uint32_t)(b->n - group - 12));
	back = (struct put){ b->p + pdv, 0 };
	put_32(&back, (uint32_t)(b->n - pdv - 4));
	close_length(b, pdu, 1);
}

static void dataset(struct put *b, size_t n, int context)
{
	size_t pdu = open_length(b, 4, 1);
	put_32(b, (uint32_t)n + 2);
	put_8(b, (unsigned)context);
	put_8(b, 2);
	size_t from = b->n;
	element(b, 8, 0x52, "STUDY ", 6);
	element(b, 8, 0x60, "CT", 2);
	while (b->n - from + 10 <= n) {
		char value[64];
		size_t k = n - (b->n - from) - 8;
		memset(value, 'X', sizeof(value));
		element(b, 0x10, 0x10, value, (k < sizeof(value) ? k : sizeof(value)) & ~(size_t)1);
	}
	while (b->n - from < n)
		put_8(b, 0);
	close_length(b, pdu, 1);
}

static void release(struct conv *c, int request)
{
	c->own.n = 0;
	put_16(&c->own, request ? 0x0500 : 0x0600);
	put_32(&c->own, 4);
	put_32(&c->own, 0);
	conv_turn_is(c, !request);
}

static int end(struct conv *c, unsigned step)
{
	if (step > 1)
		return 0;
	release(c, step == 0);
	return 1;
}

int talk_dicom_echo(struct conv *c)
{
	static const char *const sop[] = { SOP_ECHO };
	unsigned step = c->step++;
	c->own.n = 0;
	if (step < 2) {
		associate(c, step == 0, sop, 1);
		return 1;
	}
	if (step < 4) {
		command(&c->own, step == 2 ? 0x30 : 0x8030, 1, SOP_ECHO, 0, 0, 1);
		conv_turn_is(c, step == 3);
		return 1;
	}
	return end(c, step - 4);
}

int talk_dicom_find(struct conv *c)
{
	static const char *const sop[] = { SOP_FIND };
	unsigned step = c->step++;
	c->own.n = 0;
	if (step < 2) {
		associate(c, step == 0, sop, 1);
		return 1;
	}
	if (step == 2) {
		command(&c->own, 0x20, 1, SOP_FIND, 1, 0, 1);
		dataset(&c->own, 200, 1);
		conv_turn_is(c, 0);
		return 1;
	}
	if (step < 3 + c->rounds) {
		command(&c->own, 0x8020, 1, SOP_FIND, 1, 0xff00, 1);
		dataset(&c->own, 600, 1);
		conv_turn_is(c, 1);
		return 1;
	}
	if (step == 3 + c->rounds) {
		command(&c->own, 0x8020, 1, SOP_FIND, 0, 0, 1);
		conv_turn_is(c, 1);
		return 1;
	}
	return end(c, step - 4 - c->rounds);
}

/* `size`: template, plus two for PDUs of 128 KiB. `rounds` objects in one association. */
int talk_dicom_store(struct conv *c)
{
	unsigned step = c->step++, which = c->size & 1, at = step - 2;
	c->own.n = 0;
	if (step < 2) {
		associate(c, step == 0, sop_store, 2);
		return 1;
	}
	if (at < 3 * c->rounds) {
		switch (at % 3) {
		case 0:
			command(&c->own, 1, ++c->message, sop_store[which], 1, 0, (int)(2 * which + 1));
			conv_turn_is(c, 0);
			return 1;
		case 1:
			c->dir = 0;
			c->at = templates[which][c->size >> 1].p;
			c->left = templates[which][c->size >> 1].n;
			return 1;
		default:
			command(&c->own, 0x8001, c->message, sop_store[which], 0, 0, (int)(2 * which + 1));
			conv_turn_is(c, 1);
			return 1;
		}
	}
	return end(c, at - 3 * c->rounds);
}

/* The data set of an object: a short head, then noise as pixel data, in P-DATA-TF of at most `longest`. */
static void make_template(struct put *b, size_t object, uint32_t longest, int context)
{
	b->p = malloc(object + object / 1000 + (1 << 20));
	struct put head = { malloc(4096), 0 };
	if (!b->p || !head.p)
		exit(1);
	element(&head, 8, 0x60, "CT", 2);
	element(&head, 0x10, 0x10, "BENCH^NOBODY", 12);
	put_16le(&head, 0x7fe0);
	put_16le(&head, 0x10);
	put_32le(&head, (uint32_t)object);
	size_t all = head.n + object, done = 0;
	while (done < all) {
		uint32_t n = longest - 6;
		if (n > all - done)
			n = (uint32_t)(all - done);
		put_16(b, 0x0400);
		put_32(b, n + 6);
		put_32(b, n + 2);
		put_8(b, (unsigned)context);
		put_8(b, done + n == all ? 2 : 0);
		size_t from = done < head.n ? head.n - done : 0;
		put_bytes(b, head.p + done * (from > 0), from);
		put_noise(b, n - from);
		done += n;
	}
	free(head.p);
}

void talk_dicom_objects(void)
{
	for (int which = 0; which < 2; which++)
		for (int wide = 0; wide < 2; wide++)
			make_template(&templates[which][wide], which ? 10240000 : 524288, wide ? 131072 : 16384, 2 * which + 1);
}
