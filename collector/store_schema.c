#include "collector/store_schema.h"

#include <stddef.h>

#include "core/err.h"

/* u64 values (epochs, sequences) are kept as the signed 64 bits with the same pattern; times are clamped to
 * what is positive (2262) so that they sort. */
static const char *const steps[STORE_SCHEMA_VERSION] = {
	/* 1: the batch log, how far each lane is committed, and what people read of it. */
	"CREATE TABLE batch (id INTEGER PRIMARY KEY, sensor TEXT NOT NULL, epoch INTEGER NOT NULL, lane INTEGER NOT NULL,"
	" seq INTEGER NOT NULL, count INTEGER NOT NULL, received_ns INTEGER NOT NULL, payload BLOB NOT NULL);"
	"CREATE TABLE progress (sensor TEXT NOT NULL, epoch INTEGER NOT NULL, lane INTEGER NOT NULL,"
	" committed INTEGER NOT NULL, undecodable INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (sensor, epoch, lane)) WITHOUT ROWID;"
	"CREATE TABLE event (sensor TEXT NOT NULL, epoch INTEGER NOT NULL, lane INTEGER NOT NULL, seq INTEGER NOT NULL,"
	" ts_ns INTEGER NOT NULL, type INTEGER NOT NULL, rule TEXT, alert TEXT, batch INTEGER, at INTEGER, n INTEGER,"
	" PRIMARY KEY (sensor, epoch, lane, seq)) WITHOUT ROWID;"
	"CREATE INDEX event_alert ON event (alert) WHERE alert IS NOT NULL;"
	"CREATE TABLE alert (id TEXT PRIMARY KEY, state INTEGER NOT NULL, first_ns INTEGER NOT NULL,"
	" last_ns INTEGER NOT NULL, count INTEGER NOT NULL, severity INTEGER NOT NULL, change INTEGER NOT NULL,"
	" event BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE asset (addr BLOB PRIMARY KEY, device TEXT, device_type TEXT, zone TEXT, mac TEXT,"
	" first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE asset_fact (addr BLOB NOT NULL, kind INTEGER NOT NULL, value TEXT NOT NULL,"
	" PRIMARY KEY (addr, kind, value)) WITHOUT ROWID;"
	"CREATE TABLE account (sensor TEXT NOT NULL, epoch INTEGER NOT NULL, v0 INTEGER NOT NULL, v1 INTEGER NOT NULL,"
	" v2 INTEGER NOT NULL, v3 INTEGER NOT NULL, v4 INTEGER NOT NULL, v5 INTEGER NOT NULL, heard_ns INTEGER NOT NULL,"
	" PRIMARY KEY (sensor, epoch)) WITHOUT ROWID;"
	"CREATE TABLE outbox (sink TEXT PRIMARY KEY, change INTEGER NOT NULL) WITHOUT ROWID;",

	/* 2: decisions of people that end by themselves, and the record of them that nobody can rewrite; ranges of a
	 * lane that a sensor made but could not keep. */
	"CREATE TABLE loss (id INTEGER PRIMARY KEY, sensor TEXT NOT NULL, epoch INTEGER NOT NULL, lane INTEGER NOT NULL,"
	" seq INTEGER NOT NULL, count INTEGER NOT NULL, received_ns INTEGER NOT NULL);"
	"ALTER TABLE progress ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE alert ADD COLUMN until_ns INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX alert_change ON alert (change);"
	"CREATE INDEX alert_until ON alert (until_ns) WHERE until_ns > 0;"
	"CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER NOT NULL, alert TEXT NOT NULL,"
	" action TEXT NOT NULL, before TEXT NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL, until_ns INTEGER NOT NULL);"
	"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit table only grows'); END;"
	"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit table only grows'); END;",
};

static int pragma_int(sqlite3 *db, const char *sql, int *ret)
{
	sqlite3_stmt *q;
	int r = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
	if (r != SQLITE_OK)
		return r;
	r = sqlite3_step(q);
	if (r == SQLITE_ROW)
		*ret = sqlite3_column_int(q, 0);
	(void)sqlite3_finalize(q);
	return r == SQLITE_ROW ? 0 : r == SQLITE_DONE ? SQLITE_ERROR : r;
}

static int migrate_in_transaction(sqlite3 *db, int to)
{
	int version = 0, application = 0, tables = 0, r;
	if ((r = pragma_int(db, "PRAGMA user_version", &version)) ||
	    (r = pragma_int(db, "PRAGMA application_id", &application)) ||
	    (r = pragma_int(db, "SELECT count(*) FROM sqlite_master", &tables)))
		return r;
	if (application != STORE_SCHEMA_APPLICATION && (tables || version || application))
		return ERR_UNKNOWN_KIND;
	if (version < 0 || version > STORE_SCHEMA_VERSION)
		return ERR_SCHEMA;
	for (; version < to; version++) {
		char *set = sqlite3_mprintf("PRAGMA user_version = %d; PRAGMA application_id = %d;", version + 1,
					    (int)STORE_SCHEMA_APPLICATION);
		if (!set)
			return SQLITE_NOMEM;
		r = sqlite3_exec(db, steps[version], NULL, NULL, NULL);
		if (r == SQLITE_OK)
			r = sqlite3_exec(db, set, NULL, NULL, NULL);
		sqlite3_free(set);
		if (r != SQLITE_OK)
			return r;
	}
	return 0;
}

int store_schema_migrate(sqlite3 *db, int to)
{
	/* Taken before looking, so that two programs that open a new store at once do not both build it. All
	 * steps together or none: a store is never left between versions. */
	int r = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (r != SQLITE_OK)
		return r;
	int result = migrate_in_transaction(db, to);
	r = sqlite3_exec(db, result ? "ROLLBACK" : "COMMIT", NULL, NULL, NULL);
	return result ? result : r;
}
