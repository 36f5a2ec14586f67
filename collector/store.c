#include "collector/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/store_schema.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/escape.h"
#include "core/msgpack.h"
#include "core/utf8.h"
#include "rules/rule.h"

enum {
	BUSY_MS = 5000,         /* `spanward alerts ack` beside a collector: a commit takes milliseconds */
	HOST_KEY = 16 + 15,     /* an address, and a network's name (core/event.def, space) */
	FACTS_MAX = 64,         /* names, services or clients kept per host: a scanner must not fill the disk */
	DECISION_TEXT_MAX = 1024,
	EXPIRE_MOST = 256,      /* decisions that end, per look */
};

enum fact { FACT_NAME, FACT_SERVICE, FACT_CLIENT };

/* Statements that run per event or batch; made once, at first use. */
enum statement {
	BEGIN, COMMIT, ROLLBACK, COMMITTED, PROGRESS, LOG, LOSS, ADD_EVENT, FIND_ALERT, ADD_ALERT, FOLD_ALERT, ADD_ASSET,
	ADD_FACT, ACCOUNT, HELD, ADD_AUDIT, SET_STATE, DUE, DELIVERED, STATEMENTS
};

#define NEXT_CHANGE "(SELECT coalesce(max(change), 0) + 1 FROM alert)"

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[COMMITTED] = "SELECT committed, undecodable, lost FROM progress WHERE sensor = ?1 AND epoch = ?2 AND lane = ?3",
	[PROGRESS] = "INSERT INTO progress (sensor, epoch, lane, committed, undecodable, lost)"
		     " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE"
		     " SET committed = ?4, undecodable = undecodable + ?5, lost = lost + ?6",
	[LOG] = "INSERT INTO batch (sensor, epoch, lane, seq, count, received_ns, payload)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[LOSS] = "INSERT INTO loss (sensor, epoch, lane, seq, count, received_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[ADD_EVENT] = "INSERT OR IGNORE INTO event (sensor, epoch, lane, seq, ts_ns, type, rule, alert, batch, at, n)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	[FIND_ALERT] = "SELECT state, first_ns, last_ns, count, severity, until_ns FROM alert WHERE id = ?1",
	[ADD_ALERT] = "INSERT INTO alert (id, state, first_ns, last_ns, count, severity, change, event)"
		      " VALUES (?1, 0, ?2, ?3, ?4, ?5, " NEXT_CHANGE ", ?6)",
	[FOLD_ALERT] = "UPDATE alert SET first_ns = ?2, last_ns = ?3, count = ?4, severity = ?5, event = coalesce(?6, event),"
		       " change = " NEXT_CHANGE " WHERE id = ?1",
	[ADD_ASSET] = "INSERT INTO asset (addr, device, device_type, zone, mac, first_ns, last_ns)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET"
		      " device = coalesce(?2, device), device_type = coalesce(?3, device_type),"
		      " zone = coalesce(?4, zone), mac = coalesce(?5, mac),"
		      " first_ns = min(first_ns, ?6), last_ns = max(last_ns, ?7)",
	[ADD_FACT] = "INSERT OR IGNORE INTO asset_fact (addr, kind, value) SELECT ?1, ?2, ?3"
		     " WHERE (SELECT count(*) FROM asset_fact WHERE addr = ?1 AND kind = ?2) < ?4",
	[ACCOUNT] = "INSERT INTO account (sensor, epoch, v0, v1, v2, v3, v4, v5, heard_ns)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET"
		    " v0 = ?3, v1 = ?4, v2 = ?5, v3 = ?6, v4 = ?7, v5 = ?8, heard_ns = ?9",
	[HELD] = "SELECT substr(b.payload, e.at + 1, e.n) FROM event e JOIN batch b ON b.id = e.batch"
		 " WHERE e.sensor = ?1 AND e.epoch = ?2 AND e.lane = ?3 AND e.seq = ?4",
	[ADD_AUDIT] = "INSERT INTO audit (at_ns, alert, action, before, who, reason, until_ns)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SET_STATE] = "UPDATE alert SET state = ?2, until_ns = ?3, change = " NEXT_CHANGE " WHERE id = ?1",
	[DUE] = "SELECT id, state FROM alert WHERE until_ns > 0 AND until_ns <= ?1 LIMIT ?2",
	[DELIVERED] = "INSERT INTO outbox (sink, change) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET change = max(change, ?2)",
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *q[STATEMENTS];
};

/* --- SQLite in our terms --- */

static int error_of(sqlite3 *db, int r)
{
	switch (r & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return db && sqlite3_system_errno(db) ? -sqlite3_system_errno(db) : -EIO;
	case SQLITE_NOTADB:
		return ERR_UNKNOWN_KIND;
	case SQLITE_CORRUPT:
		return ERR_CORRUPT;
	default:
		return -EIO;
	}
}

static int64_t i64(uint64_t v) { return (int64_t)v; }
static int64_t clamped(uint64_t v) { return v > INT64_MAX ? INT64_MAX : (int64_t)v; }

/* A statement ready to be bound; NULL when it cannot be made. */
static sqlite3_stmt *statement(struct store *s, enum statement i)
{
	if (!s->q[i] && sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->q[i], NULL) != SQLITE_OK)
		return NULL;
	return s->q[i];
}

static int run(struct store *s, sqlite3_stmt *q)
{
	int r = sqlite3_step(q);
	(void)sqlite3_reset(q);
	(void)sqlite3_clear_bindings(q);
	return error_of(s->db, r);
}

static int simple(struct store *s, enum statement i)
{
	sqlite3_stmt *q = statement(s, i);
	return q ? run(s, q) : error_of(s->db, sqlite3_errcode(s->db));
}

static void bind_text(sqlite3_stmt *q, int at, struct span t)
{
	if (t.n)
		(void)sqlite3_bind_text(q, at, (const char *)t.p, (int)t.n, SQLITE_STATIC);
}

static void bind_str(sqlite3_stmt *q, int at, const char *t) { (void)sqlite3_bind_text(q, at, t, -1, SQLITE_STATIC); }

static struct span column_text(sqlite3_stmt *q, int at)
{
	const uint8_t *p = sqlite3_column_text(q, at);
	return (struct span){ p, p ? (size_t)sqlite3_column_bytes(q, at) : 0 };
}

static uint64_t column_u64(sqlite3_stmt *q, int at) { return (uint64_t)sqlite3_column_int64(q, at); }

/* Ends a transaction: nothing of it stays when anything went wrong. */
static int finish(struct store *s, int err)
{
	if (!err)
		err = simple(s, COMMIT);
	if (err && !sqlite3_get_autocommit(s->db))
		(void)simple(s, ROLLBACK);
	return err;
}

/* --- opening --- */

static int setup(struct store *s)
{
	/* FULL: a commit is on the disk when it returns; the acknowledgement to the sensor says no less. */
	int r = sqlite3_exec(s->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;",
			     NULL, NULL, NULL);
	if (r != SQLITE_OK)
		return error_of(s->db, r);
	r = store_schema_migrate(s->db, STORE_SCHEMA_VERSION);
	return r > 0 ? error_of(s->db, r) : r;
}

int store_open(const char *path, struct store **ret, char why[static 256])
{
	struct store *s = calloc(1, sizeof(*s));
	int err = s ? 0 : -ENOMEM;
	/* Made here rather than by SQLite: for its mode, and to know why when it cannot be. */
	if (!err && strcmp(path, ":memory:")) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
		err = fd < 0 ? -errno : 0;
		if (fd >= 0)
			close(fd);
	}
	if (!err) {
		int r = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
		err = error_of(s->db, r);
	}
	if (!err) {
		(void)sqlite3_busy_timeout(s->db, BUSY_MS);
		err = setup(s);
	}
	if (err) {
		char name[ESCAPE_NAME];
		(void)snprintf(why, 256, "store %s: %s", escape_name(path, name),
			       err == ERR_UNKNOWN_KIND ? "a file, but not a store of this program" :
			       err == -ENOENT ? "its directory does not exist; make it first" : err_text(err));
		store_close(s);
		return err;
	}
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(s->q[i]);
	(void)sqlite3_close(s->db);
	free(s);
}

/* --- projection: inside a transaction --- */

static int add_audit(struct store *s, uint64_t at_ns, const char *alert, const char *action, enum alert_state before,
		     const char *who, const char *reason, uint64_t until_ns)
{
	sqlite3_stmt *q = statement(s, ADD_AUDIT);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	const char *word = alert_state_word(before);
	(void)sqlite3_bind_int64(q, 1, clamped(at_ns));
	bind_str(q, 2, alert);
	bind_str(q, 3, action);
	bind_str(q, 4, word ? word : "");
	bind_str(q, 5, who);
	bind_str(q, 6, reason ? reason : "");
	(void)sqlite3_bind_int64(q, 7, clamped(until_ns));
	return run(s, q);
}

static int set_state(struct store *s, const char *id, enum alert_state state, uint64_t until_ns)
{
	sqlite3_stmt *q = statement(s, SET_STATE);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	bind_str(q, 1, id);
	(void)sqlite3_bind_int(q, 2, (int)state);
	(void)sqlite3_bind_int64(q, 3, clamped(until_ns));
	return run(s, q);
}

/* 0 with *ret (all but the event), -ENOENT, or an error. */
static int find_alert(struct store *s, const char *id, struct alert *ret, uint64_t *ret_until)
{
	sqlite3_stmt *q = statement(s, FIND_ALERT);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	bind_str(q, 1, id);
	int r = sqlite3_step(q);
	if (r == SQLITE_ROW) {
		*ret = (struct alert){ .state = (enum alert_state)sqlite3_column_int(q, 0), .first_ns = column_u64(q, 1),
				       .last_ns = column_u64(q, 2), .count = column_u64(q, 3),
				       .severity = (enum event_severity)sqlite3_column_int(q, 4) };
		*ret_until = column_u64(q, 5);
	}
	(void)sqlite3_reset(q);
	(void)sqlite3_clear_bindings(q);
	return r == SQLITE_ROW ? 0 : r == SQLITE_DONE ? -ENOENT : error_of(s->db, r);
}

static int project_alert(struct store *s, const struct alert *fresh)
{
	struct alert a;
	uint64_t until;
	uint8_t bytes[ALERT_EVENT_MAX];
	struct buf b = buf_over(bytes, sizeof(bytes));
	int err = find_alert(s, fresh->id, &a, &until);
	if (err && err != -ENOENT)
		return err;
	bool is_new = err == -ENOENT;
	if (is_new) {
		a = *fresh;
		err = vocab_encode(&event_vocab, &fresh->event.head, &b);
		if (err)
			return err;
	} else if (alert_fold(&a, &fresh->event)) {
		err = vocab_encode(&event_vocab, &a.event.head, &b);
		if (err)
			return err;
	}
	sqlite3_stmt *q = statement(s, is_new ? ADD_ALERT : FOLD_ALERT);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	bind_str(q, 1, fresh->id);
	(void)sqlite3_bind_int64(q, 2, clamped(a.first_ns));
	(void)sqlite3_bind_int64(q, 3, clamped(a.last_ns));
	(void)sqlite3_bind_int64(q, 4, clamped(a.count));
	(void)sqlite3_bind_int(q, 5, (int)a.severity);
	if (b.len)
		(void)sqlite3_bind_blob(q, 6, bytes, (int)b.len, SQLITE_STATIC);
	err = run(s, q);
	/* It was closed and happens again: a person has to look once more. */
	if (!err && !is_new && a.state == ALERT_CLOSED) {
		err = set_state(s, fresh->id, ALERT_OPEN, 0);
		if (!err)
			err = add_audit(s, clock_now_ns(), fresh->id, "reopen", ALERT_CLOSED, "collector", "it happened again", 0);
	}
	return err;
}

/* What a host is known by: its address, and behind it the network where addresses overlap. */
static struct span host_key(const struct event *e, uint8_t ret[static HOST_KEY])
{
	struct buf b = buf_over(ret, HOST_KEY);
	(void)buf_put(&b, e->device_addr.b, sizeof(e->device_addr.b));
	if (event_has(e, EVENT_F_space))
		(void)buf_put(&b, e->space.p, e->space.n);
	return buf_span(&b);
}

static int add_fact(struct store *s, const struct event *e, enum fact kind, struct span value)
{
	uint8_t key[HOST_KEY];
	struct span host = host_key(e, key);
	sqlite3_stmt *q = statement(s, ADD_FACT);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	(void)sqlite3_bind_blob(q, 1, host.p, (int)host.n, SQLITE_STATIC);
	(void)sqlite3_bind_int(q, 2, (int)kind);
	bind_text(q, 3, value);
	(void)sqlite3_bind_int(q, 4, FACTS_MAX);
	return run(s, q);
}

static struct span text_of(const struct event *e, enum event_field f, struct span s)
{
	return event_has(e, f) ? s : (struct span){ 0 };
}

/* "dicom tcp/104", or without the port. */
static int add_service(struct store *s, const struct event *e, enum fact kind)
{
	char text[64];
	struct buf b = buf_over(text, sizeof(text));
	const char *transport = event_has(e, EVENT_F_transport) ? vocab_word(&event_vocab, EVENT_F_transport, e->transport) : NULL;
	struct span service = text_of(e, EVENT_F_service, e->service);
	(void)buf_put(&b, service.p, service.n);
	if (transport)
		(void)buf_printf(&b, "%s%s", b.len ? " " : "", transport);
	if (event_has(e, EVENT_F_port) && kind == FACT_SERVICE)
		(void)buf_printf(&b, "/%llu", (unsigned long long)e->port);
	return b.len ? add_fact(s, e, kind, buf_span(&b)) : 0;
}

static int project_asset(struct store *s, const struct event *e)
{
	char mac[ADDR_MAC_STRLEN];
	uint8_t key[HOST_KEY];
	struct span host = host_key(e, key);
	sqlite3_stmt *q = statement(s, ADD_ASSET);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	uint64_t last = event_has(e, EVENT_F_ts) ? e->ts : 0;
	uint64_t first = event_has(e, EVENT_F_ts_first) ? e->ts_first : last;
	(void)sqlite3_bind_blob(q, 1, host.p, (int)host.n, SQLITE_STATIC);
	bind_text(q, 2, text_of(e, EVENT_F_device, e->device));
	bind_text(q, 3, text_of(e, EVENT_F_device_type, e->device_type));
	bind_text(q, 4, text_of(e, EVENT_F_device_zone, e->device_zone));
	if (event_has(e, EVENT_F_device_mac))
		bind_str(q, 5, addr_mac_str(&e->device_mac, mac));
	(void)sqlite3_bind_int64(q, 6, clamped(first));
	(void)sqlite3_bind_int64(q, 7, clamped(last));
	int err = run(s, q);
	const struct span names[] = { text_of(e, EVENT_F_hostname, e->hostname), text_of(e, EVENT_F_ae_title, e->ae_title),
				      text_of(e, EVENT_F_hl7_app, e->hl7_app) };
	for (size_t i = 0; !err && i < sizeof(names) / sizeof(*names); i++)
		if (span_trim(names[i]).n)
			err = add_fact(s, e, FACT_NAME, span_trim(names[i]));
	struct span rule = text_of(e, EVENT_F_rule, e->rule);
	if (!err && span_eq(rule, span_str(rule_get(RULE_ASSET_SERVICE)->id)))
		err = add_service(s, e, FACT_SERVICE);
	if (!err && span_eq(rule, span_str(rule_get(RULE_ASSET_CLIENT)->id)))
		err = add_service(s, e, FACT_CLIENT);
	return err;
}

/* Where an event stands: its number, and its bytes in the log (batch 0: nowhere). */
struct place {
	struct span sensor;
	uint64_t epoch, lane, seq;
	int64_t batch;
	size_t at, n;
};

static int project(struct store *s, const struct event *e, const struct place *p)
{
	struct alert a;
	bool is_alert = alert_from(e, &a);
	sqlite3_stmt *q = statement(s, ADD_EVENT);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	bind_text(q, 1, p->sensor);
	(void)sqlite3_bind_int64(q, 2, i64(p->epoch));
	(void)sqlite3_bind_int64(q, 3, i64(p->lane));
	(void)sqlite3_bind_int64(q, 4, i64(p->seq));
	(void)sqlite3_bind_int64(q, 5, clamped(event_has(e, EVENT_F_ts) ? e->ts : 0));
	(void)sqlite3_bind_int(q, 6, e->head.type);
	bind_text(q, 7, text_of(e, EVENT_F_rule, e->rule));
	if (is_alert)
		bind_str(q, 8, a.id);
	if (p->batch) {
		(void)sqlite3_bind_int64(q, 9, p->batch);
		(void)sqlite3_bind_int64(q, 10, (int64_t)p->at);
		(void)sqlite3_bind_int64(q, 11, (int64_t)p->n);
	}
	int err = run(s, q);
	/* Already there: what follows from it is there too. */
	if (err || !sqlite3_changes(s->db))
		return err;
	if (is_alert)
		err = project_alert(s, &a);
	if (!err && e->head.type == EVENT_ASSET && event_has(e, EVENT_F_device_addr))
		err = project_asset(s, e);
	return err;
}

int store_event(struct store *s, const struct event *e)
{
	if (!event_has(e, EVENT_F_sensor) || !event_has(e, EVENT_F_epoch) || !event_has(e, EVENT_F_lane) ||
	    !event_has(e, EVENT_F_seq) || !e->sensor.n)
		return -EINVAL;
	struct place p = { .sensor = e->sensor, .epoch = e->epoch, .lane = e->lane, .seq = e->seq };
	int err = simple(s, BEGIN);
	return err ? err : finish(s, project(s, e, &p));
}

/* --- batches --- */

struct lane { uint64_t committed, undecodable, lost; };

/* How far a lane is; zeros for one never heard of. */
static int read_lane(struct store *s, const char *sensor, uint64_t epoch, unsigned lane, struct lane *ret)
{
	*ret = (struct lane){ 0 };
	sqlite3_stmt *q = statement(s, COMMITTED);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	bind_str(q, 1, sensor);
	(void)sqlite3_bind_int64(q, 2, i64(epoch));
	(void)sqlite3_bind_int64(q, 3, lane);
	int r = sqlite3_step(q);
	if (r == SQLITE_ROW)
		*ret = (struct lane){ column_u64(q, 0), column_u64(q, 1), column_u64(q, 2) };
	(void)sqlite3_reset(q);
	(void)sqlite3_clear_bindings(q);
	return error_of(s->db, r);
}

static int add_to_lane(struct store *s, const struct frame *f, uint64_t undecodable, uint64_t lost)
{
	sqlite3_stmt *q = statement(s, PROGRESS);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	bind_str(q, 1, f->sensor);
	(void)sqlite3_bind_int64(q, 2, i64(f->epoch));
	(void)sqlite3_bind_int64(q, 3, f->lane);
	(void)sqlite3_bind_int64(q, 4, i64(f->seq + (f->count - 1)));
	(void)sqlite3_bind_int64(q, 5, i64(undecodable));
	(void)sqlite3_bind_int64(q, 6, i64(lost));
	return run(s, q);
}

uint64_t store_committed(struct store *s, const char *sensor, uint64_t epoch, unsigned lane)
{
	struct lane l;
	return read_lane(s, sensor, epoch, lane, &l) ? 0 : l.committed;
}

uint64_t store_undecodable(struct store *s, const char *sensor, uint64_t epoch, unsigned lane)
{
	struct lane l;
	return read_lane(s, sensor, epoch, lane, &l) ? 0 : l.undecodable;
}

uint64_t store_lost_total(struct store *s, const char *sensor, uint64_t epoch, unsigned lane)
{
	struct lane l;
	return read_lane(s, sensor, epoch, lane, &l) ? 0 : l.lost;
}

static int add_batch(struct store *s, const struct frame *f, uint64_t seq, uint64_t count, struct span payload)
{
	sqlite3_stmt *q = statement(s, LOG);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	bind_str(q, 1, f->sensor);
	(void)sqlite3_bind_int64(q, 2, i64(f->epoch));
	(void)sqlite3_bind_int64(q, 3, f->lane);
	(void)sqlite3_bind_int64(q, 4, i64(seq));
	(void)sqlite3_bind_int64(q, 5, i64(count));
	(void)sqlite3_bind_int64(q, 6, clamped(clock_now_ns()));
	(void)sqlite3_bind_blob(q, 7, payload.n ? (const void *)payload.p : "", (int)payload.n, SQLITE_STATIC);
	return run(s, q);
}

/* One event of a batch, from exactly its bytes. False when it is none, or says that it belongs elsewhere. */
static bool read_event(const struct frame *f, uint64_t seq, struct span bytes, struct event *ret)
{
	struct cursor c = cursor_from(bytes);
	return !vocab_decode(&event_vocab, &ret->head, NULL, &c, NULL) && !cursor_left(&c) &&
	       event_has(ret, EVENT_F_sensor) && span_eq(ret->sensor, span_str(f->sensor)) &&
	       event_has(ret, EVENT_F_epoch) && ret->epoch == f->epoch && event_has(ret, EVENT_F_lane) && ret->lane == f->lane &&
	       event_has(ret, EVENT_F_seq) && ret->seq == seq;
}

static int commit_batch(struct store *s, const struct frame *f, uint64_t skip)
{
	struct cursor c = cursor_from(f->payload);
	uint64_t undecodable = 0, at = 0;
	for (; at < skip && cursor_ok(&c); at++)
		msgpack_skip(&c);
	/* The log keeps the bytes from the first new event on; all of them when nobody can tell where that is. */
	bool whole = !cursor_ok(&c);
	struct span kept = whole ? f->payload : (struct span){ c.p, cursor_left(&c) };
	int err = add_batch(s, f, whole ? f->seq : f->seq + skip, whole ? f->count : f->count - skip, kept);
	if (err)
		return err;
	int64_t batch = sqlite3_last_insert_rowid(s->db);
	for (at = skip; at < f->count && !err; at++) {
		const uint8_t *begin = c.p;
		if (cursor_ok(&c))
			msgpack_skip(&c);
		/* Past broken bytes no event has a beginning: the rest counts as undecodable. */
		if (!cursor_ok(&c)) {
			undecodable += f->count - at;
			break;
		}
		struct event e;
		struct span bytes = { begin, (size_t)(c.p - begin) };
		struct place p = { .sensor = span_str(f->sensor), .epoch = f->epoch, .lane = f->lane, .seq = f->seq + at,
				   .batch = batch, .at = (size_t)(begin - kept.p), .n = bytes.n };
		if (read_event(f, f->seq + at, bytes, &e))
			err = project(s, &e, &p);
		else
			undecodable++;
	}
	return err ? err : add_to_lane(s, f, undecodable, 0);
}

static int commit_loss(struct store *s, const struct frame *f, uint64_t skip)
{
	sqlite3_stmt *q = statement(s, LOSS);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	bind_str(q, 1, f->sensor);
	(void)sqlite3_bind_int64(q, 2, i64(f->epoch));
	(void)sqlite3_bind_int64(q, 3, f->lane);
	(void)sqlite3_bind_int64(q, 4, i64(f->seq + skip));
	(void)sqlite3_bind_int64(q, 5, i64(f->count - skip));
	(void)sqlite3_bind_int64(q, 6, clamped(clock_now_ns()));
	int err = run(s, q);
	return err ? err : add_to_lane(s, f, 0, f->count - skip);
}

/* Whether an event that is held has other bytes; one that is only in the log, or lost, cannot be compared. */
static int differs(struct store *s, const struct frame *f, uint64_t seq, struct span bytes, bool *ret)
{
	sqlite3_stmt *q = statement(s, HELD);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	bind_str(q, 1, f->sensor);
	(void)sqlite3_bind_int64(q, 2, i64(f->epoch));
	(void)sqlite3_bind_int64(q, 3, f->lane);
	(void)sqlite3_bind_int64(q, 4, i64(seq));
	int r = sqlite3_step(q);
	if (r == SQLITE_ROW) {
		const uint8_t *p = sqlite3_column_blob(q, 0);
		*ret = !span_eq((struct span){ p, p ? (size_t)sqlite3_column_bytes(q, 0) : 0 }, bytes);
	}
	(void)sqlite3_reset(q);
	(void)sqlite3_clear_bindings(q);
	return r == SQLITE_ROW || r == SQLITE_DONE ? 0 : error_of(s->db, r);
}

/* Whether what is held already of a batch was this sensor's. */
static int is_foreign(struct store *s, const struct frame *f, uint64_t committed, bool *ret)
{
	struct cursor c = cursor_from(f->payload);
	int err = 0;
	for (uint64_t at = 0; at < f->count && f->seq + at <= committed && !err && !*ret; at++) {
		const uint8_t *begin = c.p;
		msgpack_skip(&c);
		if (!cursor_ok(&c))
			break;
		err = differs(s, f, f->seq + at, (struct span){ begin, (size_t)(c.p - begin) }, ret);
	}
	return err;
}

/* `commit` takes the part of the range that begins `skip` past its first sequence. */
static int take_range(struct store *s, const struct frame *f, enum store_batch *ret,
		      int (*commit)(struct store *s, const struct frame *f, uint64_t skip))
{
	struct lane lane;
	if (!f->count || !f->seq || f->seq > UINT64_MAX - (f->count - 1))
		return -EINVAL;
	int err = simple(s, BEGIN);
	if (err)
		return err;
	enum store_batch kind = STORE_NEW;
	err = read_lane(s, f->sensor, f->epoch, f->lane, &lane);
	bool foreign = false;
	if (!err && f->type == FRAME_BATCH)
		err = is_foreign(s, f, lane.committed, &foreign);
	if (!err && foreign)
		kind = STORE_FOREIGN;
	else if (!err && f->seq + (f->count - 1) <= lane.committed)
		kind = STORE_DUPLICATE;
	else if (!err && f->seq - 1 > lane.committed)
		kind = STORE_GAP;
	else if (!err)
		err = commit(s, f, lane.committed - (f->seq - 1));
	err = finish(s, err);
	if (!err)
		*ret = kind;
	return err;
}

int store_batch(struct store *s, const struct frame *f, enum store_batch *ret)
{
	return f->type == FRAME_BATCH ? take_range(s, f, ret, commit_batch) : -EINVAL;
}

int store_lost(struct store *s, const struct frame *f, enum store_batch *ret)
{
	return f->type == FRAME_LOST ? take_range(s, f, ret, commit_loss) : -EINVAL;
}

int store_account(struct store *s, const char *sensor, uint64_t epoch, const uint64_t v[static 6])
{
	sqlite3_stmt *q = statement(s, ACCOUNT);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	bind_str(q, 1, sensor);
	(void)sqlite3_bind_int64(q, 2, i64(epoch));
	for (int i = 0; i < 6; i++)
		(void)sqlite3_bind_int64(q, 3 + i, i64(v[i]));
	(void)sqlite3_bind_int64(q, 9, clamped(clock_now_ns()));
	return run(s, q);
}

/* --- reading: statements of their own, so that a row's callback may use the store --- */

static int prepare(struct store *s, const char *text, sqlite3_stmt **ret)
{
	return error_of(s->db, sqlite3_prepare_v2(s->db, text, -1, ret, NULL));
}

int store_account_get(struct store *s, const char *sensor, uint64_t epoch, uint64_t ret[static 6])
{
	sqlite3_stmt *q;
	int err = prepare(s, "SELECT v0, v1, v2, v3, v4, v5 FROM account WHERE sensor = ?1 AND epoch = ?2", &q);
	if (err)
		return err;
	bind_str(q, 1, sensor);
	(void)sqlite3_bind_int64(q, 2, i64(epoch));
	int r = sqlite3_step(q);
	for (int i = 0; i < 6 && r == SQLITE_ROW; i++)
		ret[i] = column_u64(q, i);
	(void)sqlite3_finalize(q);
	return r == SQLITE_ROW ? 0 : r == SQLITE_DONE ? -ENOENT : error_of(s->db, r);
}

/* Columns of every query that gives alerts. A decision past its end does not hold any more. ?1 is now. */
#define ALERT_COLUMNS                                                                                                \
	"id, CASE WHEN until_ns > 0 AND until_ns <= ?1 THEN 0 ELSE state END AS now_state, first_ns, last_ns, count," \
	" severity, event, change, CASE WHEN until_ns > ?1 THEN until_ns ELSE 0 END FROM alert"

static int read_alert(sqlite3_stmt *q, struct alert *ret)
{
	struct span id = column_text(q, 0);
	*ret = (struct alert){ .state = (enum alert_state)sqlite3_column_int(q, 1), .first_ns = column_u64(q, 2),
			       .last_ns = column_u64(q, 3), .count = column_u64(q, 4),
			       .severity = (enum event_severity)sqlite3_column_int(q, 5), .until_ns = column_u64(q, 8) };
	struct cursor c = cursor_from((struct span){ sqlite3_column_blob(q, 6), (size_t)sqlite3_column_bytes(q, 6) });
	if (id.n != ALERT_ID_LEN || vocab_decode(&event_vocab, &ret->event.head, NULL, &c, NULL))
		return ERR_CORRUPT;
	memcpy(ret->id, id.p, id.n);
	return 0;
}

struct alert_rows {
	int (*row)(void *arg, const struct alert *a);
	int (*change)(void *arg, uint64_t change, const struct alert *a);
	void *arg;
	size_t n;
};

/* Runs and finalizes a query of ALERT_COLUMNS. */
static int alert_rows(struct store *s, sqlite3_stmt *q, struct alert_rows *rows)
{
	int r, err = 0;
	while (!err && (r = sqlite3_step(q)) == SQLITE_ROW) {
		struct alert a;
		err = read_alert(q, &a);
		if (!err)
			err = rows->row ? rows->row(rows->arg, &a) : rows->change(rows->arg, column_u64(q, 7), &a);
		rows->n++;
	}
	if (!err)
		err = error_of(s->db, r);
	(void)sqlite3_finalize(q);
	return err;
}

int store_alerts(struct store *s, const struct store_filter *f, int (*row)(void *arg, const struct alert *a), void *arg)
{
	sqlite3_stmt *q;
	struct alert_rows rows = { .row = row, .arg = arg };
	int err = prepare(s, "SELECT " ALERT_COLUMNS " WHERE severity >= ?2 AND"
			  " (?3 = -2 OR now_state = ?3 OR (?3 = -1 AND now_state NOT IN (2, 3)))"
			  " ORDER BY severity DESC, last_ns DESC, id", &q);
	if (err)
		return err;
	(void)sqlite3_bind_int64(q, 1, clamped(clock_now_ns()));
	(void)sqlite3_bind_int(q, 2, (int)f->at_least);
	(void)sqlite3_bind_int(q, 3, f->state);
	return alert_rows(s, q, &rows);
}

int store_alert(struct store *s, const char *id, int (*row)(void *arg, const struct alert *a), void *arg)
{
	sqlite3_stmt *q;
	struct alert_rows rows = { .row = row, .arg = arg };
	int err = prepare(s, "SELECT " ALERT_COLUMNS " WHERE id = ?2", &q);
	if (err)
		return err;
	(void)sqlite3_bind_int64(q, 1, clamped(clock_now_ns()));
	bind_str(q, 2, id);
	err = alert_rows(s, q, &rows);
	return err ? err : rows.n ? 0 : -ENOENT;
}

/* --- decisions --- */

static bool admits(const char *text, bool needed)
{
	size_t n = text ? strlen(text) : 0;
	if (!n)
		return !needed;
	if (n > DECISION_TEXT_MAX)
		return false;
	for (struct span s = { (const uint8_t *)text, n }; s.n;) {
		uint32_t cp;
		int len = utf8_next(s, &cp);
		if (len < 0 || utf8_is_control(cp))
			return false;
		s = span_from(s, (size_t)len);
	}
	return true;
}

int store_decide(struct store *s, const char *id, enum store_action a, const char *who, const char *reason,
		 uint64_t until_ns, uint64_t now_ns)
{
	static const struct { const char *word; enum alert_state state; bool ends; } actions[] = {
		[STORE_ACK] = { "ack", ALERT_ACKNOWLEDGED, true }, [STORE_CLOSE] = { "close", ALERT_CLOSED, true },
		[STORE_MUTE] = { "mute", ALERT_MUTED, true }, [STORE_UNMUTE] = { "unmute", ALERT_OPEN, false },
		[STORE_REOPEN] = { "reopen", ALERT_OPEN, false },
	};
	struct alert was;
	uint64_t until;
	if ((size_t)a >= sizeof(actions) / sizeof(*actions) || !admits(who, true) || !admits(reason, a == STORE_MUTE) ||
	    (a == STORE_MUTE && !until_ns) || (until_ns && (!actions[a].ends || until_ns <= now_ns)))
		return -EINVAL;
	int err = simple(s, BEGIN);
	if (err)
		return err;
	err = find_alert(s, id, &was, &until);
	/* A decision past its end does not hold any more, whether or not the collector has noted it. */
	bool holds = !err && !(until && until <= now_ns);
	if (!err && ((a == STORE_UNMUTE && !(holds && was.state == ALERT_MUTED)) ||
		     (a == STORE_REOPEN && !(holds && (was.state == ALERT_ACKNOWLEDGED || was.state == ALERT_CLOSED)))))
		err = -EALREADY;
	if (!err)
		err = set_state(s, id, actions[a].state, until_ns);
	if (!err)
		err = add_audit(s, now_ns, id, actions[a].word, was.state, who, reason, until_ns);
	return finish(s, err);
}

int store_audit(struct store *s, int (*row)(void *arg, const struct store_audit *a), void *arg)
{
	sqlite3_stmt *q;
	int r, err = prepare(s, "SELECT at_ns, until_ns, alert, action, before, who, reason FROM audit ORDER BY id", &q);
	if (err)
		return err;
	while (!err && (r = sqlite3_step(q)) == SQLITE_ROW) {
		struct store_audit a = { column_u64(q, 0), column_u64(q, 1), column_text(q, 2), column_text(q, 3),
					 column_text(q, 4), column_text(q, 5), column_text(q, 6) };
		err = row(arg, &a);
	}
	if (!err)
		err = error_of(s->db, r);
	(void)sqlite3_finalize(q);
	return err;
}

/* Decisions whose end has come: the alert is open, changed, and so goes to the sinks again. */
static int expire(struct store *s, uint64_t now_ns)
{
	struct { char id[ALERT_ID_LEN + 1]; enum alert_state was; } due[EXPIRE_MOST];
	size_t n = 0;
	int r, err;
	sqlite3_stmt *q = statement(s, DUE);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	(void)sqlite3_bind_int64(q, 1, clamped(now_ns));
	(void)sqlite3_bind_int(q, 2, EXPIRE_MOST);
	while ((r = sqlite3_step(q)) == SQLITE_ROW && n < EXPIRE_MOST) {
		struct span id = column_text(q, 0);
		if (id.n != ALERT_ID_LEN)
			continue;
		memcpy(due[n].id, id.p, id.n);
		due[n].id[id.n] = '\0';
		due[n++].was = (enum alert_state)sqlite3_column_int(q, 1);
	}
	(void)sqlite3_reset(q);
	(void)sqlite3_clear_bindings(q);
	if ((err = error_of(s->db, r)) || !n || (err = simple(s, BEGIN)))
		return err;
	for (size_t i = 0; i < n && !err; i++) {
		err = set_state(s, due[i].id, ALERT_OPEN, 0);
		if (!err)
			err = add_audit(s, now_ns, due[i].id, "expire", due[i].was, "collector", "the decision's end has come", 0);
	}
	return finish(s, err);
}

/* --- assets and the outbox --- */

#define FACTS(kind) "(SELECT group_concat(value, ', ') FROM (SELECT value FROM asset_fact f" \
	" WHERE f.addr = asset.addr AND f.kind = " kind " ORDER BY value))"

int store_assets(struct store *s, int (*row)(void *arg, const struct store_asset *a), void *arg)
{
	sqlite3_stmt *q;
	int r, err = prepare(s, "SELECT addr, device, device_type, zone, mac, first_ns, last_ns, " FACTS("0") ", " FACTS("1")
			     ", " FACTS("2") " FROM asset ORDER BY addr", &q);
	if (err)
		return err;
	while (!err && (r = sqlite3_step(q)) == SQLITE_ROW) {
		char text[ADDR_STRLEN];
		struct addr ip;
		struct span host = { sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0) };
		if (host.n < sizeof(ip.b) || host.n > HOST_KEY) {
			err = ERR_CORRUPT;
			break;
		}
		memcpy(ip.b, host.p, sizeof(ip.b));
		struct store_asset a = {
			.addr = span_str(addr_str(&ip, text)), .device = column_text(q, 1), .device_type = column_text(q, 2),
			.zone = column_text(q, 3), .mac = column_text(q, 4), .first_ns = column_u64(q, 5),
			.last_ns = column_u64(q, 6), .names = column_text(q, 7), .services = column_text(q, 8),
			.clients = column_text(q, 9), .space = { host.p + sizeof(ip.b), host.n - sizeof(ip.b) },
		};
		err = row(arg, &a);
	}
	if (!err)
		err = error_of(s->db, r);
	(void)sqlite3_finalize(q);
	return err;
}

int store_outbox(struct store *s, const char *sink, size_t most,
		 int (*row)(void *arg, uint64_t change, const struct alert *a), void *arg)
{
	sqlite3_stmt *q;
	struct alert_rows rows = { .change = row, .arg = arg };
	uint64_t now_ns = clock_now_ns();
	int err = expire(s, now_ns);
	if (!err)
		err = prepare(s, "SELECT " ALERT_COLUMNS " WHERE change > coalesce((SELECT change FROM outbox WHERE sink = ?2), 0)"
			      " AND now_state <> 3 ORDER BY change LIMIT ?3", &q);
	if (err)
		return err;
	(void)sqlite3_bind_int64(q, 1, clamped(now_ns));
	bind_str(q, 2, sink);
	(void)sqlite3_bind_int64(q, 3, clamped(most));
	return alert_rows(s, q, &rows);
}

int store_outbox_left(struct store *s, const char *sink, uint64_t *ret)
{
	sqlite3_stmt *q;
	int err = prepare(s, "SELECT count(*) FROM alert WHERE change > coalesce((SELECT change FROM outbox WHERE sink = ?1), 0)"
			  " AND (state <> 3 OR (until_ns > 0 AND until_ns <= ?2))", &q);
	if (err)
		return err;
	bind_str(q, 1, sink);
	(void)sqlite3_bind_int64(q, 2, clamped(clock_now_ns()));
	int r = sqlite3_step(q);
	if (r == SQLITE_ROW)
		*ret = column_u64(q, 0);
	err = r == SQLITE_ROW ? 0 : error_of(s->db, r);
	(void)sqlite3_finalize(q);
	return err;
}

int store_outbox_done(struct store *s, const char *sink, uint64_t change)
{
	sqlite3_stmt *q = statement(s, DELIVERED);
	if (!q)
		return error_of(s->db, sqlite3_errcode(s->db));
	bind_str(q, 1, sink);
	(void)sqlite3_bind_int64(q, 2, clamped(change));
	return run(s, q);
}
