#include "documents/sheet_xlsx.h"

#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zip.h>

#include "core/err.h"

enum { CHUNK = 32 << 10, PATH = 256, ID = 64, MAX_STYLES = 65536, MAX_FORMATS = 4096, MAX_MERGES = 4096, MAX_MERGED = 1000 };

struct format { unsigned id; bool date; };
struct shared { uint32_t at, n; };
struct strings { struct shared *v; size_t n, room; uint8_t *text; size_t n_text, text_room; };

struct xlsx {
	struct sheet_book *book;
	struct conf_report *rep;
	zip_t *zip;
	uint64_t unzipped;              /* of all parts so far */
	bool macros, date1904;
	struct { char path[PATH], name[SHEET_NAME], id[ID]; } sheets[SHEET_MAX_SHEETS];
	size_t n_sheets;
	char strings_path[PATH], styles_path[PATH];
	struct strings strings;
	struct format formats[MAX_FORMATS];     /* of the workbook's own */
	size_t n_formats;
	uint8_t *date_style;            /* by index of cellXfs: 1, shown as a date */
	size_t n_styles;
	struct { uint32_t sheet, column, from, to; } merges[MAX_MERGES];       /* down a column */
	size_t n_merges;
};

/* One part being parsed. */
struct part {
	struct xlsx *x;
	XML_Parser xml;
	const char *path;
	void (*start)(struct part *p, const char *name, const char **attributes);
	void (*end)(struct part *p, const char *name);
	unsigned depth;
	int result;                     /* 0, or why parsing was stopped */
	/* Text is gathered only where `gather` is set. */
	bool gather;
	uint8_t *text;
	size_t n_text;
	/* A sheet's place, and the cell that is open. */
	uint32_t row, column, last_row, last_column;
	char type[16];
	unsigned style;
	bool in_cell, phonetic, in_cell_formats;
	/* Relations: which part's they are. */
	const char *base;
};

static void stop(struct part *p, int why)
{
	if (!p->result)
		p->result = why;
	(void)XML_StopParser(p->xml, XML_FALSE);
}

#define REFUSE(p, ...)                                                                        \
	do {                                                                                  \
		sheet_fault((p)->x->book, 0, 0, 0, (p)->x->rep, __VA_ARGS__);                 \
		stop((p), ERR_CONFIG);                                                        \
	} while (0)

static const char *attribute(const char **attributes, const char *name)
{
	for (; attributes[0]; attributes += 2)
		if (!strcmp(attributes[0], name))
			return attributes[1];
	return NULL;
}

/* Names without their prefix: whether a writer says <row> or <x:row> means nothing. */
static const char *local(const char *name)
{
	const char *colon = strrchr(name, ':');
	return colon ? colon + 1 : name;
}

static const char *local_attribute(const char **attributes, const char *name)
{
	for (; attributes[0]; attributes += 2)
		if (strchr(attributes[0], ':') && !strcmp(local(attributes[0]), name))
			return attributes[1];
	return NULL;
}

static unsigned number(const char *s, unsigned otherwise, unsigned max)
{
	if (!s || *s < '0' || *s > '9')
		return otherwise;
	char *end;
	errno = 0;
	unsigned long v = strtoul(s, &end, 10);
	return *end || errno || v > max ? otherwise : (unsigned)v;
}

/* ---- relations, workbook ---- */

/* A target of a relation as a path in the container: relative to the folder of `base`. */
static bool resolve(const char *base, const char *target, char ret[static PATH])
{
	if (*target == '/')
		return (size_t)snprintf(ret, PATH, "%s", target + 1) < PATH;
	const char *slash = strrchr(base, '/');
	int n = slash ? (int)(slash + 1 - base) : 0;
	while (!strncmp(target, "../", 3)) {
		target += 3;
		while (n && base[n - 1] == '/')
			n--;
		while (n && base[n - 1] != '/')
			n--;
	}
	return (size_t)snprintf(ret, PATH, "%.*s%s", n, base, target) < PATH;
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), k = strlen(with);
	return n >= k && !strcmp(s + n - k, with);
}

static void relation_start(struct part *p, const char *name, const char **attributes)
{
	if (strcmp(name, "Relationship"))
		return;
	const char *id = attribute(attributes, "Id"), *type = attribute(attributes, "Type"), *target = attribute(attributes, "Target");
	const char *mode = attribute(attributes, "TargetMode");
	struct xlsx *x = p->x;
	char path[PATH];
	if (!type || !target || (mode && !strcmp(mode, "External")))
		return;
	if (ends(type, "/vbaProject") || ends(type, "/xlMacrosheet"))
		x->macros = true;
	if (!resolve(p->base, target, path)) {
		REFUSE(p, "%s: a path is longer than %d bytes", p->path, PATH - 1);
		return;
	}
	if (ends(type, "/sharedStrings"))
		memcpy(x->strings_path, path, sizeof(path));
	else if (ends(type, "/styles"))
		memcpy(x->styles_path, path, sizeof(path));
	else if (ends(type, "/worksheet") && id)
		for (size_t i = 0; i < x->n_sheets; i++)
			if (!strcmp(x->sheets[i].id, id))
				memcpy(x->sheets[i].path, path, sizeof(path));
}

static void workbook_start(struct part *p, const char *name, const char **attributes)
{
	struct xlsx *x = p->x;
	if (!strcmp(name, "workbookPr")) {
		const char *v = attribute(attributes, "date1904");
		x->date1904 = v && (!strcmp(v, "1") || !strcmp(v, "true"));
	} else if (!strcmp(name, "sheet")) {
		const char *title = attribute(attributes, "name"), *id = local_attribute(attributes, "id");
		if (x->n_sheets == SHEET_MAX_SHEETS) {
			REFUSE(p, "has more than %d sheets", SHEET_MAX_SHEETS);
			return;
		}
		if (!title || !id || strlen(id) >= ID) {
			REFUSE(p, "%s: a sheet without name or part; the file is damaged", p->path);
			return;
		}
		(void)snprintf(x->sheets[x->n_sheets].name, SHEET_NAME, "%s", title);
		(void)snprintf(x->sheets[x->n_sheets++].id, ID, "%s", id);
	}
}

/* The part with the workbook, from the container's own relations. */
static void root_start(struct part *p, const char *name, const char **attributes)
{
	const char *type = attribute(attributes, "Type"), *target = attribute(attributes, "Target");
	if (!strcmp(name, "Relationship") && type && target && ends(type, "/officeDocument") && !resolve("", target, (char *)p->text))
		REFUSE(p, "%s: a path is longer than %d bytes", p->path, PATH - 1);
}

/* ---- styles: which numbers are dates ---- */

/* ISO/IEC 29500-1, 18.8.30: built-in formats 14 to 22 and 45 to 47 are dates and times, 27 to 36 and 50 to 58 in East
 * Asian systems. */
static bool builtin_date(unsigned id)
{
	return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
}

/* A format of the workbook's own is a date when it asks for year, month, day or era outside quotes and brackets. */
static bool date_format(const char *code)
{
	bool quoted = false, bracket = false;
	for (; *code; code++) {
		if (*code == '"')
			quoted = !quoted;
		else if (!quoted && *code == '[')
			bracket = true;
		else if (!quoted && *code == ']')
			bracket = false;
		else if (!quoted && !bracket && *code == '\\' && code[1])
			code++;
		else if (!quoted && !bracket && strchr("yYdDgG", *code) && strncasecmp(code, "General", 7) != 0)
			return true;
		else if (!quoted && !bracket && !strncasecmp(code, "General", 7))
			code += 6;
	}
	return false;
}

static void styles_start(struct part *p, const char *name, const char **attributes)
{
	struct xlsx *x = p->x;
	if (!strcmp(name, "numFmt") && x->n_formats < MAX_FORMATS) {
		const char *code = attribute(attributes, "formatCode");
		x->formats[x->n_formats++] = (struct format){ number(attribute(attributes, "numFmtId"), 0, 1 << 30),
			                                      code && date_format(code) };
	} else if (!strcmp(name, "cellXfs")) {
		p->in_cell_formats = true;
	} else if (!strcmp(name, "xf") && p->in_cell_formats && x->n_styles < MAX_STYLES) {
		unsigned id = number(attribute(attributes, "numFmtId"), 0, 1 << 30);
		bool date = builtin_date(id);
		for (size_t i = 0; i < x->n_formats; i++)
			if (x->formats[i].id == id)
				date = x->formats[i].date;
		x->date_style[x->n_styles++] = date;
	}
}

static void styles_end(struct part *p, const char *name)
{
	if (!strcmp(name, "cellXfs"))
		p->in_cell_formats = false;
}

/* ---- shared strings ---- */

static void strings_start(struct part *p, const char *name, const char **attributes)
{
	(void)attributes;
	if (!strcmp(name, "si")) {
		p->n_text = 0;
		p->phonetic = false;
	} else if (!strcmp(name, "rPh")) {
		p->phonetic = true;     /* how it is pronounced: Japanese workbooks are full of it */
	} else if (!strcmp(name, "t")) {
		p->gather = !p->phonetic;
	}
}

static void strings_end(struct part *p, const char *name)
{
	struct strings *s = &p->x->strings;
	if (!strcmp(name, "t")) {
		p->gather = false;
	} else if (!strcmp(name, "rPh")) {
		p->phonetic = false;
	} else if (!strcmp(name, "si")) {
		if (s->n >= SHEET_MAX_CELLS || p->n_text > SHEET_MAX_TEXT - s->n_text) {
			REFUSE(p, "%s: more than %d texts or %d MiB", p->path, SHEET_MAX_CELLS, SHEET_MAX_TEXT >> 20);
			return;
		}
		if (s->n == s->room) {
			size_t room = s->room ? s->room * 2 : 1024;
			void *v = reallocarray(s->v, room, sizeof(*s->v));
			if (!v) {
				stop(p, -ENOMEM);
				return;
			}
			s->v = v;
			s->room = room;
		}
		while (p->n_text > s->text_room - s->n_text) {
			size_t room = s->text_room ? s->text_room * 2 : 1 << 16;
			void *v = realloc(s->text, room);
			if (!v) {
				stop(p, -ENOMEM);
				return;
			}
			s->text = v;
			s->text_room = room;
		}
		if (p->n_text)
			memcpy(s->text + s->n_text, p->text, p->n_text);
		s->v[s->n].at = (uint32_t)s->n_text;
		s->v[s->n++].n = (uint32_t)p->n_text;
		s->n_text += p->n_text;
	}
}

/* ---- sheets ---- */

/* "B7" into row and column. */
static bool parse_ref(const char *ref, uint32_t *row, uint32_t *column)
{
	uint32_t c = 0, r = 0;
	for (; *ref >= 'A' && *ref <= 'Z' && c <= SHEET_MAX_COLUMNS; ref++)
		c = c * 26 + (uint32_t)(*ref - 'A' + 1);
	for (; *ref >= '0' && *ref <= '9' && r <= SHEET_MAX_ROWS; ref++)
		r = r * 10 + (uint32_t)(*ref - '0');
	if (*ref || !c || !r || c > SHEET_MAX_COLUMNS || r > SHEET_MAX_ROWS)
		return false;
	*row = r;
	*column = c;
	return true;
}

/* "A2:A4": what stands in A2 is meant for the rows below too. Cells merged sideways hold one text once. */
static void merge(struct part *p, const char *ref)
{
	struct xlsx *x = p->x;
	char first[16];
	const char *colon = ref ? strchr(ref, ':') : NULL;
	uint32_t top, left, bottom, right;
	if (!colon || (size_t)(colon - ref) >= sizeof(first) || x->n_merges == MAX_MERGES)
		return;
	(void)snprintf(first, sizeof(first), "%.*s", (int)(colon - ref), ref);
	if (!parse_ref(first, &top, &left) || !parse_ref(colon + 1, &bottom, &right) || bottom <= top)
		return;
	x->merges[x->n_merges].sheet = (uint32_t)x->book->n_sheets - 1;
	x->merges[x->n_merges].column = left;
	x->merges[x->n_merges].from = top;
	x->merges[x->n_merges++].to = bottom;
}

static void sheet_start(struct part *p, const char *name, const char **attributes)
{
	if (!strcmp(name, "row")) {
		p->row = number(attribute(attributes, "r"), p->last_row + 1, SHEET_MAX_ROWS);
		p->last_row = p->row;
		p->last_column = 0;
	} else if (!strcmp(name, "c")) {
		const char *ref = attribute(attributes, "r"), *type = attribute(attributes, "t");
		p->column = p->last_column + 1;
		if (ref && !parse_ref(ref, &p->row, &p->column)) {
			REFUSE(p, "%s: '%.20s' is no cell; the file is damaged", p->path, ref);
			return;
		}
		p->last_column = p->column;
		p->in_cell = true;
		p->phonetic = false;
		p->n_text = 0;
		(void)snprintf(p->type, sizeof(p->type), "%s", type ? type : "n");
		p->style = number(attribute(attributes, "s"), 0, MAX_STYLES);
	} else if (!strcmp(name, "mergeCell")) {
		merge(p, attribute(attributes, "ref"));
	} else if (p->in_cell && !strcmp(name, "rPh")) {
		p->phonetic = true;
	} else if (p->in_cell && (!strcmp(name, "v") || !strcmp(name, "t"))) {
		p->gather = !p->phonetic;
	}
}

/* Days since 1899-12-30 (or 1904-01-01) as a date; the day that 1900 did not have (60) is given away. */
static bool date_text(const struct xlsx *x, double days, char ret[static 32])
{
	if (!(days >= 0 && days < 2958466))
		return false;
	long whole = (long)days;
	long seconds = (long)((days - (double)whole) * 86400 + 0.5);
	time_t t = (time_t)(whole + (x->date1904 ? 1462 : 0) - 25569 + (!x->date1904 && whole < 60)) * 86400 + seconds;
	struct tm tm;
	if (!gmtime_r(&t, &tm))
		return false;
	return strftime(ret, 32, whole && !seconds ? "%Y-%m-%d" : whole ? "%Y-%m-%dT%H:%M:%S" : "%H:%M:%S", &tm) > 0;
}

static void cell_end(struct part *p)
{
	struct xlsx *x = p->x;
	struct span text = { p->text, p->n_text };
	char made[32];
	p->in_cell = false;
	p->gather = false;
	if (!text.n)
		return;
	if (!strcmp(p->type, "s")) {
		char digits[16] = "";
		if (text.n < sizeof(digits))
			memcpy(digits, text.p, text.n);
		unsigned i = number(digits, SHEET_MAX_CELLS, SHEET_MAX_CELLS);
		if (i >= x->strings.n) {
			char where[SHEET_WHERE];
			REFUSE(p, "%s: refers to a text that is not there; the file is damaged",
			       sheet_where(x->book, x->book->n_sheets - 1, p->row, p->column, where));
			return;
		}
		text = (struct span){ x->strings.text + x->strings.v[i].at, x->strings.v[i].n };
	} else if (!strcmp(p->type, "b")) {
		text = span_str(text.p[0] == '1' || text.p[0] == 't' ? "TRUE" : "FALSE");
	} else if (!strcmp(p->type, "n") && text.n < sizeof(made)) {
		char digits[32], *end;
		memcpy(digits, text.p, text.n);
		digits[text.n] = 0;
		double v = strtod(digits, &end);
		if (!*end && p->style < x->n_styles && x->date_style[p->style] && date_text(x, v, made))
			text = span_str(made);
		else if (!*end && strpbrk(digits, ".eE") && v >= -1e15 && v <= 1e15 && v == (double)(long long)v) {
			/* 104.0 and 1.04E2 are 104. */
			(void)snprintf(made, sizeof(made), "%lld", (long long)v);
			text = span_str(made);
		}
	}
	int r = sheet_put(x->book, p->row, p->column, text, x->rep);
	if (r)
		stop(p, r == -ENOMEM ? r : ERR_CONFIG);
}

static void sheet_end(struct part *p, const char *name)
{
	if (!strcmp(name, "c") && p->in_cell)
		cell_end(p);
	else if (!strcmp(name, "rPh"))
		p->phonetic = false;
	else if (!strcmp(name, "v") || !strcmp(name, "t"))
		p->gather = false;
}

/* ---- a part, through unzip and parser ---- */

static void XMLCALL on_start(void *user, const char *name, const char **attributes)
{
	struct part *p = user;
	if (++p->depth > SHEET_XLSX_MAX_DEPTH) {
		REFUSE(p, "%s: XML nested more than %d deep", p->path, SHEET_XLSX_MAX_DEPTH);
		return;
	}
	p->start(p, local(name), attributes);
}

static void XMLCALL on_end(void *user, const char *name)
{
	struct part *p = user;
	p->depth--;
	if (p->end && !p->result)
		p->end(p, local(name));
}

static void XMLCALL on_text(void *user, const char *s, int n)
{
	struct part *p = user;
	if (!p->gather || p->result)
		return;
	if ((size_t)n > SHEET_MAX_CELL - p->n_text) {
		REFUSE(p, "%s: a text of more than %d KiB", p->path, SHEET_MAX_CELL >> 10);
		return;
	}
	memcpy(p->text + p->n_text, s, (size_t)n);
	p->n_text += (size_t)n;
}

static void XMLCALL on_doctype(void *user, const char *name, const char *system, const char *public, int internal)
{
	struct part *p = user;
	(void)name, (void)system, (void)public, (void)internal;
	REFUSE(p, "%s: holds a document type declaration, which no spreadsheet program writes (an entity bomb?); not read", p->path);
}

/* Feeds the parser from the container. What comes out is counted, whatever the directory says. */
static int feed(struct part *p, zip_file_t *f, uint64_t packed)
{
	struct xlsx *x = p->x;
	uint8_t chunk[CHUNK];
	uint64_t n = 0;
	for (;;) {
		zip_int64_t got = zip_fread(f, chunk, sizeof(chunk));
		if (got < 0) {
			REFUSE(p, "%s: cannot be unzipped (%s); the file is damaged", p->path, zip_file_strerror(f));
			return p->result;
		}
		n += (uint64_t)got;
		x->unzipped += (uint64_t)got;
		if (n > SHEET_XLSX_MAX_PART || x->unzipped > SHEET_XLSX_MAX_ALL || (n > 4 << 20 && n / 400 > packed)) {
			REFUSE(p, "%s: unzips to more than is reasonable (a zip bomb?); at most %d MiB are read", p->path,
			       SHEET_XLSX_MAX_PART >> 20);
			return p->result;
		}
		if (XML_Parse(p->xml, (const char *)chunk, (int)got, got == 0) == XML_STATUS_ERROR) {
			if (p->result)
				return p->result;
			if (XML_GetErrorCode(p->xml) == XML_ERROR_NO_MEMORY)
				return p->result = -ENOMEM;
			REFUSE(p, "%s:%lu: %s; the file is damaged", p->path, (unsigned long)XML_GetCurrentLineNumber(p->xml),
			       XML_ErrorString(XML_GetErrorCode(p->xml)));
			return p->result;
		}
		if (!got)
			return p->result;
		XML_Index at = XML_GetCurrentByteIndex(p->xml);
		if (at >= 0 && n - (uint64_t)at > SHEET_XLSX_MAX_TOKEN) {
			REFUSE(p, "%s: more than %d KiB without a tag; not read", p->path, SHEET_XLSX_MAX_TOKEN >> 10);
			return p->result;
		}
	}
}

/* Parses one part. -ENOENT when it is not there, without a fault. */
static int parse(struct part *p, const char *path)
{
	struct xlsx *x = p->x;
	zip_stat_t st;
	p->path = path;
	zip_int64_t i = zip_name_locate(x->zip, path, ZIP_FL_NOCASE);
	if (i < 0 || zip_stat_index(x->zip, (zip_uint64_t)i, 0, &st))
		return -ENOENT;
	p->xml = XML_ParserCreate(NULL);
	if (!p->xml)
		return -ENOMEM;
	XML_SetUserData(p->xml, p);
	XML_SetElementHandler(p->xml, on_start, on_end);
	XML_SetCharacterDataHandler(p->xml, on_text);
	XML_SetStartDoctypeDeclHandler(p->xml, on_doctype);
	zip_file_t *f = zip_fopen_index(x->zip, (zip_uint64_t)i, 0);
	if (!f)
		REFUSE(p, "%s: cannot be unzipped (%s)", path, zip_strerror(x->zip));
	else
		(void)feed(p, f, st.comp_size ? st.comp_size : 1);
	if (f)
		(void)zip_fclose(f);
	XML_ParserFree(p->xml);
	p->xml = NULL;
	return p->result;
}

/* Everything that the directory says, before anything is unzipped. */
static int check_directory(struct xlsx *x)
{
	zip_int64_t n = zip_get_num_entries(x->zip, 0);
	uint64_t all = 0;
	if (n < 0 || n > SHEET_XLSX_MAX_FILES) {
		sheet_fault(x->book, 0, 0, 0, x->rep, "holds more than %d files; no workbook does", SHEET_XLSX_MAX_FILES);
		return ERR_CONFIG;
	}
	for (zip_uint64_t i = 0; i < (zip_uint64_t)n; i++) {
		zip_stat_t st;
		char name[ESCAPE_NAME];
		if (zip_stat_index(x->zip, i, 0, &st) || !(st.valid & ZIP_STAT_NAME) || !(st.valid & ZIP_STAT_SIZE)) {
			sheet_fault(x->book, 0, 0, 0, x->rep, "its directory cannot be read; the file is damaged");
			return ERR_CONFIG;
		}
		(void)escape_name(st.name, name);
		if ((st.valid & ZIP_STAT_ENCRYPTION_METHOD) && st.encryption_method != ZIP_EM_NONE) {
			sheet_fault(x->book, 0, 0, 0, x->rep, "%s: is encrypted; save the workbook without a password", name);
			return ERR_CONFIG;
		}
		const char *base = strrchr(st.name, '/');
		if (!strncasecmp(base ? base + 1 : st.name, "vbaProject", 10))
			x->macros = true;
		/* Pictures and the like are never unzipped, but a total that cannot be is a sign. */
		if (st.size > SHEET_XLSX_MAX_PART || (all += st.size) > SHEET_XLSX_MAX_ALL) {
			sheet_fault(x->book, 0, 0, 0, x->rep, "%s: unzips to %llu bytes (a zip bomb?); at most %d MiB are read", name,
				    (unsigned long long)st.size, SHEET_XLSX_MAX_PART >> 20);
			return ERR_CONFIG;
		}
	}
	return 0;
}

static int refuse_macros(struct xlsx *x)
{
	sheet_fault(x->book, 0, 0, 0, x->rep, "holds macros (vbaProject); a declaration needs none. Save it as .xlsx and check "
		    "who sent it");
	return ERR_CONFIG;
}

static int damaged(struct xlsx *x, const char *what)
{
	sheet_fault(x->book, 0, 0, 0, x->rep, "%s is not in the file; it is damaged or no workbook (.xlsx)", what);
	return ERR_CONFIG;
}

/* Merged cells, once the book is in order: what is empty below takes the text above. */
static int fill(struct xlsx *x)
{
	struct sheet_book *b = x->book;
	struct place { size_t merge; uint32_t row; } *v = NULL;
	size_t n = 0, room = 0;
	uint8_t *text = malloc(SHEET_MAX_CELL);
	int r = text ? 0 : -ENOMEM;
	for (size_t i = 0; i < x->n_merges && !r; i++)
		for (uint32_t row = x->merges[i].from + 1; row <= x->merges[i].to && !r; row++) {
			if (row - x->merges[i].from > MAX_MERGED || sheet_at(b, x->merges[i].sheet, row, x->merges[i].column).n)
				continue;
			if (n == SHEET_MAX_CELLS) {
				sheet_fault(b, 0, 0, 0, x->rep, "merges more than %d cells", SHEET_MAX_CELLS);
				r = ERR_CONFIG;
			} else if (n == room) {
				room = room ? room * 2 : 256;
				void *more = reallocarray(v, room, sizeof(*v));
				r = more ? 0 : -ENOMEM;
				v = more ? more : v;
			}
			if (!r)
				v[n++] = (struct place){ i, row };
		}
	/* The book is not in order while cells are added, so the text above is looked up among those that were there. */
	size_t before = b->n_cells;
	for (size_t i = 0; i < n && !r; i++) {
		size_t all = b->n_cells;
		b->n_cells = before;
		struct span top = sheet_at(b, x->merges[v[i].merge].sheet, x->merges[v[i].merge].from, x->merges[v[i].merge].column);
		b->n_cells = all;
		if (!top.n)
			continue;
		memcpy(text, top.p, top.n);
		r = sheet_put_at(b, x->merges[v[i].merge].sheet, v[i].row, x->merges[v[i].merge].column, (struct span){ text, top.n },
				 x->rep);
		b->filled++;
	}
	free(v);
	free(text);
	if (!r)
		r = sheet_sort(b, x->rep);
	return r == -ENOMEM ? r : r ? ERR_CONFIG : 0;
}

static int read_sheets(struct xlsx *x, uint8_t *scratch)
{
	for (size_t i = 0; i < x->n_sheets; i++) {
		int r = sheet_add(x->book, span_str(x->sheets[i].name), x->rep);
		if (r)
			return ERR_CONFIG;
		/* A chart has no cells and stands in no worksheet relation. */
		if (!x->sheets[i].path[0])
			continue;
		struct part p = { .x = x, .text = scratch, .start = sheet_start, .end = sheet_end };
		r = parse(&p, x->sheets[i].path);
		if (r == -ENOENT)
			return damaged(x, x->sheets[i].path);
		if (r)
			return r;
	}
	return sheet_sort(x->book, x->rep) ? ERR_CONFIG : fill(x);
}

static int read_workbook(struct xlsx *x, uint8_t *scratch)
{
	char workbook[PATH] = "", relations[PATH + 16], found[PATH] = "";
	int r = check_directory(x);
	if (r)
		return r;
	struct part root = { .x = x, .text = (uint8_t *)found, .start = root_start };
	r = parse(&root, "_rels/.rels");
	if (r == -ENOENT || (!r && !found[0]))
		return damaged(x, "_rels/.rels");
	if (r)
		return r;
	memcpy(workbook, found, sizeof(workbook));
	struct part book = { .x = x, .text = scratch, .start = workbook_start };
	r = parse(&book, workbook);
	if (r == -ENOENT)
		return damaged(x, "the workbook");
	if (r)
		return r;
	const char *slash = strrchr(workbook, '/');
	int n = slash ? (int)(slash + 1 - workbook) : 0;
	(void)snprintf(relations, sizeof(relations), "%.*s_rels/%s.rels", n, workbook, workbook + n);
	struct part links = { .x = x, .text = scratch, .start = relation_start, .base = workbook };
	r = parse(&links, relations);
	if (r && r != -ENOENT)
		return r;
	if (x->macros)
		return refuse_macros(x);
	if (!x->n_sheets || r == -ENOENT)
		return damaged(x, "a sheet");
	struct part styles = { .x = x, .text = scratch, .start = styles_start, .end = styles_end };
	if (x->styles_path[0] && (r = parse(&styles, x->styles_path)) && r != -ENOENT)
		return r;
	struct part strings = { .x = x, .text = scratch, .start = strings_start, .end = strings_end };
	if (x->strings_path[0] && (r = parse(&strings, x->strings_path)) && r != -ENOENT)
		return r;
	return read_sheets(x, scratch);
}

bool sheet_xlsx_is(struct span s)
{
	return s.n >= 4 && (!memcmp(s.p, "PK\3\4", 4) || !memcmp(s.p, "PK\5\6", 4) || !memcmp(s.p, "\xd0\xcf\x11\xe0", 4));
}

/* Entries that the end of the directory counts: libzip keeps one in memory for each, so they are counted first. Zip64,
 * which is for more than 65,535 of them or 4 GiB, is not for workbooks. */
static bool too_many(struct span s)
{
	size_t least = s.n > 65557 ? s.n - 65557 : 0;
	for (size_t at = s.n >= 22 ? s.n - 22 : 0; at + 22 <= s.n && at >= least; at--) {
		struct cursor c = cursor_from(span_from(s, at));
		if (cursor_u32le(&c) == 0x06054b50) {
			cursor_skip(&c, 6);
			if (cursor_u16le(&c) > SHEET_XLSX_MAX_FILES)
				return true;
		}
		if (!at)
			break;
	}
	return false;
}

static int open_zip(struct xlsx *x, struct span bytes)
{
	zip_error_t e;
	zip_error_init(&e);
	int r = 0;
	zip_source_t *from = zip_source_buffer_create(bytes.p, bytes.n, 0, &e);
	if (from)
		x->zip = zip_open_from_source(from, ZIP_RDONLY, &e);
	if (!x->zip) {
		r = zip_error_code_zip(&e) == ZIP_ER_MEMORY ? -ENOMEM : ERR_CONFIG;
		if (r == ERR_CONFIG)
			sheet_fault(x->book, 0, 0, 0, x->rep, "cannot be unzipped (%s); it is damaged or was cut short",
				    zip_error_strerror(&e));
		zip_source_free(from);
	}
	zip_error_fini(&e);
	return r;
}

int sheet_xlsx_read(struct span bytes, const char *file, struct sheet_book **ret, struct conf_report *rep)
{
	struct xlsx *x = calloc(1, sizeof(*x));
	uint8_t *scratch = malloc(SHEET_MAX_CELL);
	int r = x && scratch && (x->book = sheet_new(file)) && (x->date_style = calloc(1, MAX_STYLES)) ? 0 : -ENOMEM;
	if (!r) {
		x->rep = rep;
		const char *why = bytes.n > SHEET_MAX_FILE ? "is larger than 32 MiB"
				  : bytes.n >= 4 && !memcmp(bytes.p, "\xd0\xcf\x11\xe0", 4) ?
				  "is an old workbook (.xls) or one with a password; save it as .xlsx without a password"
				  : too_many(bytes) ? "holds more files than any workbook does" : NULL;
		if (why) {
			sheet_fault(x->book, 0, 0, 0, rep, "%s", why);
			r = ERR_CONFIG;
		}
	}
	if (!r)
		r = open_zip(x, bytes);
	if (!r)
		r = read_workbook(x, scratch);
	if (x && x->zip)
		zip_discard(x->zip);
	if (!r) {
		*ret = x->book;
		x->book = NULL;
	}
	if (x) {
		sheet_free(x->book);
		free(x->date_style);
		free(x->strings.v);
		free(x->strings.text);
	}
	free(scratch);
	free(x);
	return r;
}
