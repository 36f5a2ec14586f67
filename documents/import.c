#include "documents/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "core/near.h"
#include "documents/device_register.h"
#include "documents/encoding.h"
#include "documents/ldif.h"
#include "documents/mds2.h"
#include "documents/mud.h"
#include "documents/sheet_pasted.h"
#include "documents/sheet_xlsx.h"
#include "rules/policy_model.h"

/* The whole file, at most SHEET_MAX_FILE bytes of it. */
static int read_file(const char *path, struct span *ret, struct conf_report *rep)
{
	struct policy_place at = { .file = path };
	struct stat st;
	char near[NEAR_TEXT];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = 0;
	if (fd < 0 || fstat(fd, &st)) {
		r = -errno;
		policy_load_fault(&at, rep, "cannot be read: %s%s", strerrordesc_np(-r), r == -ENOENT ? near_file(path, near) : "");
	} else if (!S_ISREG(st.st_mode)) {
		policy_load_fault(&at, rep, "is a %s; expected a file", S_ISDIR(st.st_mode) ? "directory" : "pipe, socket or device");
		r = ERR_CONFIG;
	} else if (st.st_size > SHEET_MAX_FILE) {
		policy_load_fault(&at, rep, "is larger than %d MiB", SHEET_MAX_FILE >> 20);
		r = ERR_CONFIG;
	}
	uint8_t *p = r ? NULL : malloc((size_t)st.st_size + 1);
	size_t n = 0;
	if (!r && !p)
		r = -ENOMEM;
	while (!r && n < (size_t)st.st_size) {
		ssize_t got = read(fd, p + n, (size_t)st.st_size - n);
		if (got < 0) {
			r = -errno;
			policy_load_fault(&at, rep, "cannot be read: %s", strerrordesc_np(-r));
		} else if (!got) {
			break;
		} else {
			n += (size_t)got;
		}
	}
	if (fd >= 0)
		(void)close(fd);
	if (r) {
		free(p);
		return r;
	}
	*ret = (struct span){ p, n };
	return 0;
}

static bool begins(struct span s, const char *with) { return s.n >= strlen(with) && !memcmp(s.p, with, strlen(with)); }

/* An object, empty or with a name: no table begins so. */
static bool is_json(struct span s)
{
	size_t i = begins(s, "\xef\xbb\xbf") ? 3 : 0;
	for (int sign = 0; sign < 2; sign++) {
		while (i < s.n && s.p[i] && strchr(" \t\r\n", s.p[i]))
			i++;
		if (i == s.n || (sign ? s.p[i] != '"' && s.p[i] != '}' : s.p[i] != '{'))
			return false;
		i++;
	}
	return true;
}

/* A sheet of no known kind: kept cell by cell. */
static void keep_sheet(struct draft *d, const struct sheet_book *b, size_t sheet, size_t source)
{
	size_t n;
	const struct sheet_cell *c = sheet_cells(b, sheet, &n);
	if (!n)
		return;
	struct conf_node *kept = draft_map(d, draft_kept(d, source, "sheets"), NULL);
	(void)draft_text(d, kept, "sheet", span_str(b->names[sheet]), 0);
	struct conf_node *cells = draft_map(d, kept, "cells");
	for (size_t i = 0; i < n; i++) {
		char where[SHEET_WHERE];
		const char *bang = strrchr(sheet_where(b, sheet, c[i].row, c[i].column, where), '!');
		(void)draft_text(d, cells, bang ? bang + 1 : where, sheet_text(b, &c[i]), 0);
	}
	draft_say(d, DRAFT_SAY_SHEET, source, b->names[sheet], (struct span){ 0 }, NULL, NULL);
}

/* A document of a kind, made when the first of its sheets is met; -1 with a fault. */
static int source_of(struct draft *d, int *slot, const char *kind, const char *path, struct span bytes, struct conf_report *rep)
{
	struct policy_place at = { .file = path };
	if (*slot < 0)
		*slot = draft_source(d, kind, path, bytes);
	if (*slot < 0)
		policy_load_fault(&at, rep, "more than %d documents at once", DRAFT_SOURCES);
	return *slot;
}

static void say_count(struct draft *d, enum draft_remark what, int source, size_t n)
{
	char count[24];
	(void)snprintf(count, sizeof(count), "%zu", n);
	if (n)
		draft_say(d, what, (size_t)source, "", (struct span){ 0 }, count, NULL);
}

enum kind { KIND_UNKNOWN, KIND_PORTS, KIND_MDS2, KIND_REGISTER };

static enum kind kind_of(const struct sheet_book *b, size_t sheet)
{
	return mds2_sheet_is(b, sheet) ? KIND_MDS2 : port_table_heading(b, sheet) ? KIND_PORTS :
	       device_register_heading(b, sheet) ? KIND_REGISTER : KIND_UNKNOWN;
}

/* Every register in the book, behind what was read of others; the whole is read back as the loader will. */
static int read_registers(struct draft *d, const struct sheet_book *b, const char *path, struct span bytes, struct conf_report *rep)
{
	struct policy_place at = { .file = path };
	char *text = NULL;
	size_t n = 0, cells;
	bool first = !d->inventory;
	int source = draft_source(d, "register", path, bytes), r = 0;
	FILE *to = source < 0 ? NULL : open_memstream(&text, &n);
	if (!to)
		return -ENOMEM;
	if (!first)
		(void)fwrite(d->inventory, 1, d->inventory_n, to);
	for (size_t i = 0; i < b->n_sheets && !r; i++)
		if (kind_of(b, i) == KIND_REGISTER) {
			r = device_register_read(d, b, i, (size_t)source, d->options.types, first, to);
			first = false;
		} else if (sheet_cells(b, i, &cells)) {
			draft_say(d, DRAFT_SAY_NO_REGISTER, (size_t)source, b->names[i], (struct span){ 0 }, NULL, NULL);
		}
	if (fclose(to) || r) {
		free(text);
		return -ENOMEM;
	}
	free(d->inventory);
	d->inventory = text;
	d->inventory_n = n;
	struct policy_model m = { 0 };
	char *copy = strdup(text);
	r = copy ? policy_inventory_read_csv(&m, (struct span){ (uint8_t *)copy, n }, "the inventory made of it", rep) : -ENOMEM;
	policy_load_free(&m);
	free(copy);
	if (r == ERR_CONFIG)
		policy_load_fault(&at, rep, "the inventory made of it would not be read");
	return r;
}

static int read_book(struct draft *d, const struct sheet_book *b, const char *path, struct span bytes,
		     const struct port_table_choice *choice, struct conf_report *rep)
{
	int ports = -1, mds2 = -1, first = -1, r = 0;
	size_t registers = 0;
	for (size_t i = 0; i < b->n_sheets && !r; i++) {
		enum kind kind = kind_of(b, i);
		if (kind == KIND_REGISTER) {
			registers++;
			continue;
		}
		int *slot = kind == KIND_MDS2 ? &mds2 : &ports;
		if (kind == KIND_UNKNOWN)
			continue;
		if (source_of(d, slot, kind == KIND_MDS2 ? mds2_sheet_kind(b, i) : "port-table", path, bytes, rep) < 0)
			return ERR_CONFIG;
		first = first < 0 ? *slot : first;
		r = kind == KIND_MDS2 ? mds2_read_sheet(d, b, i, (size_t)*slot) : port_table_read(d, b, i, (size_t)*slot, choice);
	}
	if (registers && first < 0 && (d->inventory || !d->n_sources))
		return read_registers(d, b, path, bytes, rep);
	if (registers || (d->inventory && first >= 0)) {
		sheet_fault(b, 0, 0, 0, rep, "a device register becomes an inventory, makers' documents become a device type: import them "
			    "one by one");
		return ERR_CONFIG;
	}
	if (first < 0) {
		sheet_fault(b, 0, 0, 0, rep, "holds nothing that is known: a table of ports needs a row of headings with a port "
			    "(ポート番号) and one more, such as protocol or direction (方向); an MDS2 form its question IDs; a "
				"device register an address (IPアドレス) "
			    "and a number or name");
		return ERR_CONFIG;
	}
	for (size_t i = 0; i < b->n_sheets && !r; i++)
		if (kind_of(b, i) == KIND_UNKNOWN)
			keep_sheet(d, b, i, (size_t)first);
	say_count(d, DRAFT_SAY_CONTROLS, first, b->dropped);
	say_count(d, DRAFT_SAY_FILLED, first, b->filled);
	return r;
}

/* What is no workbook: a table as CSV, or a form as text. */
static int read_text(struct draft *d, const char *path, struct span bytes, const struct port_table_choice *choice,
		     struct conf_report *rep)
{
	static struct conf_report quiet;
	struct sheet_book *b = NULL;
	struct span text = { 0 };
	const char *encoding;
	size_t dropped;
	int r = encoding_text(bytes, path, &text, &encoding, &dropped, rep);
	if (r)
		return r;
	if (ldif_is(text)) {
		int source = -1;
		r = source_of(d, &source, "ldif", path, bytes, rep) < 0 ? ERR_CONFIG :
		    ldif_read(d, text, path, (size_t)source, d->options.device, rep);
		if (!r)
			say_count(d, DRAFT_SAY_CONTROLS, source, dropped);
		free((void *)(uintptr_t)text.p);
		return r;
	}
	bool form = mds2_text_is(text), pasted = false;
	/* A form as text is no sound CSV as a rule, so its faults as one say nothing. */
	quiet.n = quiet.total = 0;
	r = sheet_read_csv(bytes, path, &b, &quiet);
	/* Nor is a table pasted out of a PDF: its columns are found otherwise. */
	if (!form && r != -ENOMEM && (r || kind_of(b, 0) == KIND_UNKNOWN)) {
		struct sheet_book *columns = NULL;
		int s = sheet_pasted_read(text, path, &columns, rep);
		pasted = !s && port_table_heading(columns, 0);
		if (pasted) {
			sheet_free(b);
			b = columns;
			r = 0;
		} else {
			sheet_free(columns);
			if (r)
				r = sheet_read_csv(bytes, path, &b, rep);       /* again, to say what is wrong */
		}
	}
	if (!r && (!form || mds2_sheet_is(b, 0) || r == -ENOMEM)) {
		r = read_book(d, b, path, bytes, pasted ? choice : NULL, rep);
	} else if (form && r != -ENOMEM) {
		int source = -1;
		r = source_of(d, &source, mds2_text_kind(text), path, bytes, rep) < 0 ? ERR_CONFIG : mds2_read_text(d, text,
			(size_t)source);
		if (!r)
			say_count(d, DRAFT_SAY_CONTROLS, source, dropped);
	}
	sheet_free(b);
	free((void *)(uintptr_t)text.p);
	return r;
}

int import_file(struct draft *d, const char *path, const struct port_table_choice *choice, struct conf_report *rep)
{
	struct span bytes = { 0 };
	struct policy_place at = { .file = path };
	struct sheet_book *b = NULL;
	int r = read_file(path, &bytes, rep);
	if (r)
		return r;
	if (begins(bytes, "%PDF")) {
		policy_load_fault(&at, rep, "is a PDF: select its table in a viewer, paste it into a text file, and import that");
		r = ERR_CONFIG;
	} else if (is_json(bytes)) {
		policy_load_fault(&at, rep, "is JSON%s", mud_is(bytes) ? ", a MUD file: that is a device type by itself; import it alone, "
				  "or with spanward profile mud" : ": of JSON files only MUD files (RFC 8520) are read");
		r = ERR_CONFIG;
	} else if (!bytes.n) {
		policy_load_fault(&at, rep, "is empty");
		r = ERR_CONFIG;
	} else if (sheet_xlsx_is(bytes)) {
		r = sheet_xlsx_read(bytes, path, &b, rep);
		if (!r)
			r = read_book(d, b, path, bytes, NULL, rep);
		sheet_free(b);
	} else {
		r = read_text(d, path, bytes, choice, rep);
	}
	free((void *)(uintptr_t)bytes.p);
	return r;
}
