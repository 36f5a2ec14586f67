#include "documents/device_register.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/addr.h"
#include "documents/words.h"

enum { LOOK = 200, COLUMNS = 64, ADDRESSES = 8, MAX_UNITS = 20000, HEADING = 256 };

/* In the order of the inventory's columns. */
enum field {
	F_NONE, F_ID, F_TYPE, F_IP, F_MAC, F_VLAN, F_AE, F_ZONE, F_LOCATION, F_DEPARTMENT, F_SERIAL, F_HOSTNAME, F_SOFTWARE, F_OWNER,
	F_ACQUIRED, F_ENDS, F_ASSET, F_NOTE,
	/* What the inventory has no column for. */
	F_NAME, F_MODEL, F_MAKER, FIELDS
};
static const char *const out_names[] = {
	[F_ID] = "id", [F_TYPE] = "type", [F_IP] = "ip", [F_MAC] = "mac", [F_VLAN] = "vlan", [F_AE] = "ae_title", [F_ZONE] = "zone",
	[F_LOCATION] = "location", [F_DEPARTMENT] = "department", [F_SERIAL] = "serial", [F_HOSTNAME] = "hostname",
	[F_SOFTWARE] = "software_version", [F_OWNER] = "owner", [F_ACQUIRED] = "acquired", [F_ENDS] = "network_ends",
	[F_ASSET] = "asset_number", [F_NOTE] = "note",
};

static const struct { enum field field; const char *words; } headings[] = {
	{ F_ID, "id|device id|unit id|me番号|me管理番号|機器番号|機器id|機器管理番号|管理番号|管理no|管理no." },
	{ F_TYPE, "type|device type|機種id|機種コード" },
	{ F_IP, "ip|ip address|ipアドレス|ipv4|ipv4アドレス|ip addr" },
	{ F_MAC, "mac|mac address|macアドレス|物理アドレス" },
	{ F_VLAN, "vlan|vlan id|vlan番号" },
	{ F_AE, "ae|ae title|aet|aeタイトル|aetitle" },
	{ F_ZONE, "zone|network zone|ゾーン|ネットワーク区分|セグメント" },
	{ F_LOCATION, "location|ward|room|place|設置場所|設置部署|設置部門|病棟|部屋|場所|保管場所|使用場所" },
	{ F_DEPARTMENT, "department|dept|部署|部門|診療科|使用部署|所属|管理部署" },
	{ F_SERIAL, "serial|serial no|serial no.|serial number|s/n|sn|製造番号|シリアル|シリアル番号|シリアルno|"
		"シリアルno.|機番" },
	{ F_HOSTNAME, "hostname|host name|host|ホスト名|コンピュータ名|コンピューター名" },
	{ F_SOFTWARE, "software|software version|version|firmware|ソフトウェアバージョン|バージョン|ソフトウェア|"
		"ファームウェア" },
	{ F_OWNER, "owner|ownership|所有区分|所有|取得区分|契約区分" },
	{ F_ACQUIRED, "acquired|purchased|purchase date|installed|購入日|購入年月日|導入日|導入年月日|納入日|"
		"納入年月日|取得日|取得年月日|設置日" },
	{ F_ENDS, "network ends|使用終了日|接続終了日|撤去日|撤去予定日|廃棄日|廃棄予定日" },
	{ F_ASSET, "asset|asset no|asset no.|asset number|asset tag|資産番号|固定資産番号|備品番号" },
	{ F_NOTE, "note|notes|remarks|comment|備考|特記事項|摘要" },
	{ F_NAME, "name|device|device name|equipment|equipment name|機器名|機器名称|品名|名称|装置名|一般的名称|"
		"販売名|製品名" },
	{ F_MODEL, "model|model name|model no|model no.|model number|型式|型名|型番|機種|機種名|モデル|形式" },
	{ F_MAKER, "manufacturer|maker|vendor|メーカー|メーカ|メーカー名|製造販売業者|製造業者|製造元|会社名|"
		"製造会社" },
};

static enum field find_heading(struct span text)
{
	char memory[WORDS_MAX];
	struct span p = words_plain(text, memory);
	for (size_t i = 0; i < p.n; i++)
		if (p.p[i] == '(' && i) {
			p.n = i;
			break;
		}
	while (p.n && (p.p[p.n - 1] == ' ' || p.p[p.n - 1] == ':'))
		p.n--;
	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
		for (const char *w = headings[i].words; *w;) {
			size_t n = strcspn(w, "|");
			if (p.n == n && !memcmp(p.p, w, n))
				return headings[i].field;
			w += n + (w[n] == '|');
		}
	return F_NONE;
}

uint32_t device_register_heading(const struct sheet_book *b, size_t sheet)
{
	for (uint32_t row = 1; row <= LOOK; row++) {
		size_t n, known = 0;
		bool have[FIELDS] = { false };
		const struct sheet_cell *c = sheet_row(b, sheet, row, &n);
		for (size_t i = 0; i < n; i++) {
			enum field f = find_heading(sheet_text(b, &c[i]));
			known += f && !have[f];
			have[f] = true;
		}
		/* An address, and something that tells units apart. */
		if (known >= 3 && (have[F_IP] || have[F_MAC]) && (have[F_ID] || have[F_SERIAL] || have[F_ASSET] || have[F_NAME] ||
			have[F_MODEL]))
			return row;
	}
	return 0;
}

/* ---- a unit ---- */

struct seen { char id[65]; char address[46]; char vlan[8]; };     /* IP or MAC */

struct reg {
	struct draft *d;
	const struct sheet_book *b;
	size_t sheet, source;
	const struct policy_model *types;
	FILE *to;
	struct { uint32_t column; enum field is; struct span text; } columns[COLUMNS];
	size_t n_columns;
	struct seen *units;             /* an entry for each address, for finding it again */
	size_t n_units, room, written, left_out;
};

struct unit {
	struct reg *r;
	uint32_t row;
	struct span cell[FIELDS];
	char out[FIELDS][256];
	char note[4000];
	size_t n_note;
};

static void say(struct unit *u, enum draft_remark what, enum field field, const char *arg0, const char *arg1)
{
	char where[SHEET_WHERE];
	uint32_t column = 0;
	for (size_t i = 0; i < u->r->n_columns; i++)
		if (field && u->r->columns[i].is == field)
			column = u->r->columns[i].column;
	(void)sheet_where(u->r->b, u->r->sheet, u->row, column, where);
	draft_say(u->r->d, what, u->r->source, where, u->cell[field], arg0, arg1);
}

/* The cells of a row that gives no unit, for the report: they stand in no other file that comes of the import. */
static void say_row(struct reg *r, uint32_t row, enum draft_remark what)
{
	char where[SHEET_WHERE];
	size_t n, room = 1;
	const struct sheet_cell *c = sheet_row(r->b, r->sheet, row, &n);
	(void)sheet_where(r->b, r->sheet, row, 0, where);
	for (size_t i = 0; i < n; i++)
		room += c[i].n + HEADING + 4;
	uint8_t *mem = malloc(room);
	if (!mem) {
		r->d->no_memory = true;
		return;
	}
	struct buf b = buf_over(mem, room);
	for (size_t i = 0; i < n; i++) {
		struct span heading = { 0 };
		for (size_t k = 0; what != DRAFT_SAY_LINE && k < r->n_columns && !heading.n; k++)
			heading = r->columns[k].column == c[i].column ? r->columns[k].text : heading;
		if (b.len)
			(void)buf_str(&b, "; ");
		if (heading.n && heading.n <= HEADING) {
			(void)buf_put(&b, heading.p, heading.n);
			(void)buf_str(&b, ": ");
		}
		struct span text = sheet_text(r->b, &c[i]);
		(void)buf_put(&b, text.p, text.n);
	}
	draft_say(r->d, what, r->source, where, buf_span(&b), NULL, NULL);
	free(mem);
}

/* "heading: text" into the note, where it fits. */
static void add_note(struct unit *u, struct span heading, struct span text)
{
	struct buf b = { .data = (uint8_t *)u->note, .len = u->n_note, .cap = sizeof(u->note) - 1 };
	if (b.len)
		(void)buf_str(&b, "; ");
	if (heading.n) {
		(void)buf_put(&b, heading.p, heading.n);
		(void)buf_str(&b, ": ");
	}
	(void)buf_put(&b, text.p, text.n);
	if (b.full) {
		char where[SHEET_WHERE];
		draft_say(u->r->d, DRAFT_SAY_LONG, u->r->source, sheet_where(u->r->b, u->r->sheet, u->row, 0, where), text, NULL, NULL);
		return;
	}
	u->n_note = b.len;
}

static void keep(struct unit *u, enum field f)
{
	for (size_t i = 0; i < u->r->n_columns; i++)
		if (u->r->columns[i].is == f)
			add_note(u, u->r->columns[i].text, u->cell[f]);
	say(u, DRAFT_SAY_CELL, f, NULL, NULL);
}

static void put(struct unit *u, enum field f, struct span text)
{
	if (text.n < sizeof(u->out[f])) {
		if (text.n)
			memcpy(u->out[f], text.p, text.n);
		u->out[f][text.n] = 0;
	} else {
		keep(u, f);
	}
}

/* Pieces of a plain cell, parted by blanks and signs. */
static struct span take_piece(struct span *s)
{
	while (s->n && (strchr(" ,;/+", s->p[0]) || (s->n >= 3 && !memcmp(s->p, "、", 3))))
		*s = span_from(*s, s->p[0] < 0x80 ? 1 : 3);
	size_t n = 0;
	while (n < s->n && !strchr(" ,;/+", s->p[n]) && !(n + 3 <= s->n && !memcmp(s->p + n, "、", 3)))
		n++;
	struct span piece = { s->p, n };
	*s = span_from(*s, n);
	return piece;
}

/* Hardware addresses in the ways they are written: with colons, hyphens, dots, or nothing between. */
static bool read_mac(struct span s, struct mac *ret)
{
	uint8_t digits[12];
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		if (c == ':' || c == '-' || c == '.')
			continue;
		int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (v < 0 || n == 12)
			return false;
		digits[n++] = (uint8_t)v;
	}
	for (size_t i = 0; i < 6 && n == 12; i++)
		ret->b[i] = (uint8_t)(digits[2 * i] << 4 | digits[2 * i + 1]);
	return n == 12;
}

static bool taken(struct unit *u, enum field f, const char *address)
{
	for (size_t i = 0; i < u->r->n_units; i++)
		if (!strcmp(u->r->units[i].address, address) && !strcmp(u->r->units[i].vlan, u->out[F_VLAN])) {
			say(u, DRAFT_SAY_SAME_ADDRESS, f, address, u->r->units[i].id);
			return true;
		}
	return false;
}

static void read_addresses(struct unit *u)
{
	char memory[WORDS_MAX], text[ADDR_STRLEN], hw[ADDR_MAC_STRLEN];
	struct span s = words_plain(u->cell[F_IP], memory);
	bool odd = false, both = false;
	for (unsigned k = 0; s.n; k++) {
		struct addr ip;
		struct span one = take_piece(&s);
		size_t at = strlen(u->out[F_IP]);
		if (!one.n)
			break;
		if (addr_parse(one, &ip)) {
			/* DHCP says that there is no address of its own. */
			odd = odd || !(span_eq(one, span_str("dhcp")) || span_eq(one, span_str("-")) || span_eq(one, span_str("自動")) ||
			               span_eq(one, span_str("なし")) || span_eq(one, span_str("無")) || span_eq(one,
				span_str("自動取得")));
			continue;
		}
		/* A network ("10.20.3.0/24") and what belongs to no one unit are not guessed at. */
		struct span rest = s, mask = take_piece(&rest);
		struct prefix network;
		bool slash = mask.n && s.p[0] == '/' && mask.p == s.p + 1 && !span_eq(mask, span_str("32")) &&
			     !span_eq(mask, span_str("128"));
		if (slash && !addr_parse_prefix((struct span){ one.p, one.n + 1 + mask.n }, &network)) {
			odd = true;
			s = rest;
			continue;
		}
		if (addr_is_zero(&ip) || addr_is_multicast(&ip) || addr_is_broadcast(&ip)) {
			odd = true;
			continue;
		}
		(void)addr_str(&ip, text);
		if (taken(u, F_IP, text))
			both = true;
		else if (k < ADDRESSES && at + strlen(text) + 2 < sizeof(u->out[0]))
			(void)snprintf(u->out[F_IP] + at, sizeof(u->out[0]) - at, "%s%s", at ? "+" : "", text);
	}
	if (odd)
		keep(u, F_IP);
	else if (both)
		add_note(u, span_str("ip"), u->cell[F_IP]);
	odd = both = false;
	s = words_plain(u->cell[F_MAC], memory);
	for (unsigned k = 0; s.n; k++) {
		struct mac mac;
		struct span one = take_piece(&s);
		size_t at = strlen(u->out[F_MAC]);
		if (!one.n)
			break;
		if (!read_mac(one, &mac))
			odd = odd || !(span_eq(one, span_str("-")) || span_eq(one, span_str("なし")) || span_eq(one, span_str("無")));
		else if (taken(u, F_MAC, addr_mac_str(&mac, hw)))
			both = true;
		else if (k < ADDRESSES)
			(void)snprintf(u->out[F_MAC] + at, sizeof(u->out[0]) - at, "%s%s", at ? "+" : "", hw);
	}
	if (odd)
		keep(u, F_MAC);
	else if (both)
		add_note(u, span_str("mac"), u->cell[F_MAC]);
}

/* How well a device type fits a unit's model and maker: 0 not at all; the model as a whole word of the other's name counts less
 * than the same name, and another maker's counts for nothing where the makers can be compared. */
static unsigned fit(const struct unit *u, const struct policy_model_type *t)
{
	char a[WORDS_MAX], b[WORDS_MAX], c[WORDS_MAX], e[WORDS_MAX];
	struct span model = words_plain(u->cell[F_MODEL].n ? u->cell[F_MODEL] : u->cell[F_NAME], a), its = words_plain(t->model, b);
	struct span maker = words_plain(u->cell[F_MAKER], c), its_maker = words_plain(t->maker, e);
	if (u->cell[F_TYPE].n)
		return span_eq(t->id, u->cell[F_TYPE]) ? 8 : 0;
	if (!model.n || !its.n)
		return 0;
	unsigned score = span_eq(model, its) ? 4 : words_has(its, a) || words_has(model, b) ? 2 : 0;
	bool same_maker = maker.n && its_maker.n && (words_has(its_maker, c) || words_has(maker, e));
	return score ? score + same_maker : 0;
}

static void find_type(struct unit *u)
{
	const struct policy_model *m = u->r->types;
	char several[256] = "";
	struct span found = { 0 };
	unsigned best = 0;
	size_t fits = 0;
	for (size_t i = 0; m && i < m->types.n; i++) {
		const struct policy_model_type *t = &m->types.v[i];
		unsigned score = fit(u, t);
		if (!score || score < best)
			continue;
		if (score > best) {
			fits = 0;
			several[0] = 0;
		}
		best = score;
		size_t n = strlen(several);
		(void)snprintf(several + n, sizeof(several) - n, "%s%.*s", fits ? ", " : "", (int)t->id.n, (const char *)t->id.p);
		found = t->id;
		fits++;
	}
	if (fits == 1)
		put(u, F_TYPE, found);
	else if (fits > 1)
		say(u, DRAFT_SAY_TYPES, F_MODEL, several, NULL);
	else if (u->cell[F_TYPE].n && !m && u->cell[F_TYPE].n <= 64)
		put(u, F_TYPE, u->cell[F_TYPE]);
	else
		say(u, DRAFT_SAY_NO_TYPE, F_MODEL, NULL, NULL);
	if (!u->out[F_TYPE][0] && u->cell[F_TYPE].n)
		keep(u, F_TYPE);
}

static void read_date(struct unit *u, enum field f)
{
	char memory[WORDS_MAX], date[WORDS_DATE];
	struct span p = words_plain(u->cell[f], memory);
	if (!p.n)
		return;
	if (words_date(p, date) || words_serial_date(p, date))
		put(u, f, span_str(date));
	else
		keep(u, f);
}

static void read_owner(struct unit *u)
{
	static const struct { const char *word, *is; } words[] = {
		{ "所有", "owned" }, { "購入", "owned" }, { "自院", "owned" }, { "owned", "owned" }, { "リース", "leased" },
			{ "leased", "leased" },
		{ "lease", "leased" }, { "レンタル", "loaner" }, { "貸出", "loaner" }, { "貸与", "loaner" }, { "loaner", "loaner" },
		{ "中古", "used" }, { "used", "used" },
	};
	char memory[WORDS_MAX];
	struct span p = words_plain(u->cell[F_OWNER], memory);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words_has(p, words[i].word)) {
			put(u, F_OWNER, span_str(words[i].is));
			return;
		}
	put(u, F_OWNER, u->cell[F_OWNER]);
}

/* The unit's name: what the register manages it by, else its asset or serial number, else its place in the register. */
static void find_id(struct unit *u)
{
	static const enum field by[] = { F_ID, F_ASSET, F_SERIAL, F_HOSTNAME };
	char id[60] = "";
	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]) && !id[0]; i++) {
		struct span s = u->cell[by[i]];
		if (!s.n || s.n >= sizeof(id))
			continue;
		memcpy(id, s.p, s.n);
		id[s.n] = 0;
		for (char *p = id; *p; p++)
			if (*p == '\n' || *p == '\t')
				*p = ' ';
	}
	if (!id[0])
		(void)snprintf(id, sizeof(id), "unit-%u", (unsigned)u->row);
	/* One look over the units: "ME-1-2" is the second ME-1. */
	unsigned long last = 0;
	size_t n = strlen(id);
	for (size_t i = 0; i < u->r->n_units; i++) {
		const char *other = u->r->units[i].id;
		char *end;
		if (strncmp(other, id, n))
			continue;
		last = !other[n] && !last ? 1 : last;
		unsigned long k = other[n] == '-' && other[n + 1] >= '0' && other[n + 1] <= '9' ? strtoul(other + n + 1, &end, 10) : 0;
		if (k && !*end && k > last)
			last = k;
	}
	(void)snprintf(u->out[F_ID], 65, "%s", id);
	if (!last)
		return;
	(void)snprintf(u->out[F_ID], 65, "%.48s-%lu", id, (last + 1) % 1000000);
	say(u, DRAFT_SAY_SAME_ID, F_ID, id, u->out[F_ID]);
}

static void remember_one(struct unit *u, const char *addresses)
{
	struct reg *r = u->r;
	struct span s = span_str(addresses);
	while (s.n) {
		if (r->n_units == r->room) {
			size_t room = r->room ? r->room * 2 : 256;
			void *v = reallocarray(r->units, room, sizeof(*r->units));
			if (!v) {
				r->d->no_memory = true;
				return;
			}
			r->units = v;
			r->room = room;
		}
		struct seen *n = &r->units[r->n_units++];
		struct span one = take_piece(&s);
		*n = (struct seen){ 0 };
		(void)snprintf(n->id, sizeof(n->id), "%.64s", u->out[F_ID]);
		(void)snprintf(n->address, sizeof(n->address), "%.*s", (int)(one.n < 45 ? one.n : 45), one.n ? (const char *)one.p : "");
		(void)snprintf(n->vlan, sizeof(n->vlan), "%.7s", u->out[F_VLAN]);
	}
}

static void write_field(FILE *to, const char *s)
{
	bool quote = strpbrk(s, ",\"\n\r") != NULL;
	if (quote)
		(void)fputc('"', to);
	for (; *s; s++) {
		if (*s == '"')
			(void)fputc('"', to);
		(void)fputc(*s == '\n' || *s == '\t' ? ' ' : *s, to);
	}
	if (quote)
		(void)fputc('"', to);
}

static void write_unit(struct unit *u)
{
	for (enum field f = F_ID; f <= F_NOTE; f++) {
		if (f > F_ID)
			(void)fputc(',', u->r->to);
		write_field(u->r->to, f == F_NOTE ? u->note : u->out[f]);
	}
	(void)fputc('\n', u->r->to);
}

/* Cells in columns that have no heading. */
static void keep_unheaded(struct unit *u)
{
	const struct reg *r = u->r;
	size_t n;
	const struct sheet_cell *c = sheet_row(r->b, r->sheet, u->row, &n);
	for (size_t i = 0; i < n; i++) {
		char where[SHEET_WHERE];
		bool headed = false;
		for (size_t k = 0; k < r->n_columns && !headed; k++)
			headed = r->columns[k].column == c[i].column;
		if (headed)
			continue;
		add_note(u, (struct span){ 0 }, sheet_text(r->b, &c[i]));
		draft_say(r->d, DRAFT_SAY_TO_NOTE, r->source, sheet_where(r->b, r->sheet, u->row, c[i].column, where),
			  sheet_text(r->b, &c[i]), NULL, NULL);
	}
}

static void read_unit(struct reg *r, uint32_t row)
{
	struct unit *u = calloc(1, sizeof(*u));
	char memory[WORDS_MAX];
	if (!u) {
		r->d->no_memory = true;
		return;
	}
	u->r = r;
	u->row = row;
	size_t filled = 0;
	for (size_t i = 0; i < r->n_columns; i++) {
		struct span text = sheet_at(r->b, r->sheet, row, r->columns[i].column);
		filled += text.n > 0;
		if (r->columns[i].is)
			u->cell[r->columns[i].is] = text;
	}
	/* A line of text below the table, not a unit. */
	if (filled < 2) {
		say_row(r, row, DRAFT_SAY_LINE);
		free(u);
		return;
	}
	struct span vlan = words_plain(u->cell[F_VLAN], memory);
	struct words_ports number;
	if (vlan.n && words_read_ports(vlan, &number) && number.n == 1 && number.v[0].lo == number.v[0].hi && number.v[0].lo <= 4094)
		(void)snprintf(u->out[F_VLAN], sizeof(u->out[0]), "%u", number.v[0].lo);
	else if (vlan.n)
		keep(u, F_VLAN);
	read_addresses(u);
	if (!u->out[F_IP][0] && !u->out[F_MAC][0]) {
		say_row(r, row, DRAFT_SAY_NO_ADDRESS);
		r->left_out++;
		free(u);
		return;
	}
	find_id(u);
	find_type(u);
	static const enum field plain[] = { F_LOCATION, F_DEPARTMENT, F_SERIAL, F_HOSTNAME, F_SOFTWARE, F_ASSET };
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (u->cell[plain[i]].n && (plain[i] != F_LOCATION || u->cell[F_LOCATION].n <= 128))
			put(u, plain[i], u->cell[plain[i]]);
	if (u->cell[F_LOCATION].n > 128)
		keep(u, F_LOCATION);
	/* A zone of the site has the register's name only by chance: it is kept as a word. */
	if (u->cell[F_ZONE].n)
		keep(u, F_ZONE);
	if (u->cell[F_AE].n && u->cell[F_AE].n <= 16)
		put(u, F_AE, u->cell[F_AE]);
	else if (u->cell[F_AE].n)
		keep(u, F_AE);
	read_owner(u);
	read_date(u, F_ACQUIRED);
	read_date(u, F_ENDS);
	if (u->cell[F_NOTE].n)
		add_note(u, (struct span){ 0 }, u->cell[F_NOTE]);
	for (size_t i = 0; i < r->n_columns; i++) {
		enum field is = r->columns[i].is;
		struct span text = sheet_at(r->b, r->sheet, row, r->columns[i].column);
		if (text.n && (!is || is == F_NAME || is == F_MODEL || is == F_MAKER))
			add_note(u, r->columns[i].text, text);
	}
	keep_unheaded(u);
	remember_one(u, u->out[F_IP]);
	remember_one(u, u->out[F_MAC]);
	write_unit(u);
	r->written++;
	free(u);
}

int device_register_read(struct draft *d, const struct sheet_book *b, size_t sheet, size_t source,
			 const struct policy_model *types, bool first, FILE *to)
{
	struct reg r = { .d = d, .b = b, .sheet = sheet, .source = source, .types = types, .to = to };
	uint32_t heading = device_register_heading(b, sheet);
	size_t n;
	bool have[FIELDS] = { false };
	char where[SHEET_WHERE], count[24], left_out[24];
	const struct sheet_cell *c = sheet_row(b, sheet, heading, &n);
	for (size_t i = 0; i < n && r.n_columns < COLUMNS; i++) {
		struct span text = sheet_text(b, &c[i]);
		enum field is = find_heading(text);
		(void)sheet_where(b, sheet, heading, c[i].column, where);
		if (!is || have[is]) {
			draft_say(d, DRAFT_SAY_TO_NOTE, source, where, text, NULL, NULL);
			is = F_NONE;
		}
		have[is] = true;
		r.columns[r.n_columns].column = c[i].column;
		r.columns[r.n_columns].is = is;
		r.columns[r.n_columns++].text = text;
	}
	for (enum field f = F_ID; first && f <= F_NOTE; f++)
		(void)fprintf(to, "%s%s", f > F_ID ? "," : "", out_names[f]);
	if (first)
		(void)fputc('\n', to);
	c = sheet_cells(b, sheet, &n);
	for (size_t i = 0; i < n && !d->no_memory; i++)
		if (r.written == MAX_UNITS) {
			draft_say(d, DRAFT_SAY_TOO_MANY, source, sheet_where(b, sheet, c[i].row, 0, where), (struct span){ 0 }, "20000",
				NULL);
			break;
		} else if (c[i].row != heading && (!i || c[i - 1].row != c[i].row)) {
			if (c[i].row > heading)
				read_unit(&r, c[i].row);
			else
				say_row(&r, c[i].row, DRAFT_SAY_LINE);
		}
	(void)snprintf(count, sizeof(count), "%zu", r.written);
	(void)snprintf(left_out, sizeof(left_out), "%zu", r.left_out);
	draft_say(d, DRAFT_SAY_UNITS, source, b->names[sheet], (struct span){ 0 }, count, left_out);
	free(r.units);
	return d->no_memory ? -ENOMEM : ferror(to) ? -EIO : 0;
}
