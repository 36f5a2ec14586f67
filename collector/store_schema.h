/* store_schema.h -- the store's tables, version by version. A version that has been released is never
 * changed; a new one is a new step. PRAGMA user_version holds the version, PRAGMA application_id says it is ours. */
#ifndef COLLECTOR_STORE_SCHEMA_H
#define COLLECTOR_STORE_SCHEMA_H

#include <sqlite3.h>

enum { STORE_SCHEMA_VERSION = 2, STORE_SCHEMA_APPLICATION = 0x53505731 /* "SPW1" */ };

/* Brings the database to version `to` in one transaction: all of it or nothing. 0,
 * ERR_SCHEMA (a newer version wrote it), ERR_UNKNOWN_KIND (a database of somebody else), or an SQLite code (> 0). */
int store_schema_migrate(sqlite3 *db, int to);

#endif
