#include "collector/store.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/store_schema.h"
#include "core/clock.h"
#include "core/err.h"

/* --- a folder of our own, and events --- */

static char dir[] = "/tmp/spanward-store-XXXXXX";
static char path[128], why[256];

static const char *fresh_path(void)
{
	static int n;
	snprintf(path, sizeof(path), "%s/%d.db", dir, n++);
	return path;
}

static struct store *open_store(const char *p)
{
	struct store *s = NULL;
	int err = store_open(p, &s, why);
	if (err)
		fprintf(stderr, "%s\n", why);
	CU_ASSERT_EQUAL_FATAL(err, 0);
	return s;
}

static struct event an_event(uint64_t seq, const char *rule, const char *device, unsigned severity)
{
	struct event e = { .head.type = EVENT_ANOMALOUS_TRAFFIC };
	event_text(&e, EVENT_F_sensor, span_str("s1"));
	event_uint(&e, EVENT_F_epoch, 7);
	event_uint(&e, EVENT_F_lane, EVENT_LANE_ALERTS);
	event_uint(&e, EVENT_F_seq, seq);
	event_uint(&e, EVENT_F_ts, seq * CLOCK_SECOND);
	event_text(&e, EVENT_F_rule, span_str(rule));
	event_uint(&e, EVENT_F_severity, severity);
	event_text(&e, EVENT_F_device, span_str(device));
	event_uint(&e, EVENT_F_count, 1);
	return e;
}

/* A batch of alerts about "ct-1": sequences from .. from + n - 1. The payload is heap of exactly its size. */
static struct frame a_batch(uint64_t from, uint32_t n)
{
	static uint8_t mem[FRAME_MAX_PAYLOAD];
	struct buf b = buf_over(mem, sizeof(mem));
	for (uint32_t i = 0; i < n; i++) {
		struct event e = an_event(from + i, "policy.undeclared_peer", "ct-1", EVENT_MEDIUM);
		if (vocab_encode(&event_vocab, &e.head, &b))
			abort();
	}
	uint8_t *p = malloc(b.len ? b.len : 1);
	memcpy(p, mem, b.len);
	return (struct frame){ .type = FRAME_BATCH, .lane = EVENT_LANE_ALERTS, .sensor_len = 2, .sensor = "s1", .epoch = 7,
			       .seq = from, .count = n, .payload = { p, b.len } };
}

static void done(struct frame *f) { free((void *)(uintptr_t)f->payload.p); }

/* Puts a batch and frees it. */
static int put(struct store *s, uint64_t from, uint32_t n, enum store_batch *ret)
{
	struct frame f = a_batch(from, n);
	int err = store_batch(s, &f, ret);
	done(&f);
	return err;
}

struct seen { size_t n; struct { char id[ALERT_ID_LEN + 1]; enum alert_state state; uint64_t count; unsigned severity;
	char device[65]; uint64_t change; } v[64]; int stop_with; };

static int see_change(void *arg, uint64_t change, const struct alert *a)
{
	struct seen *s = arg;
	if (s->stop_with)
		return s->stop_with;
	if (s->n < 64) {
		memcpy(s->v[s->n].id, a->id, sizeof(a->id));
		s->v[s->n].state = a->state;
		s->v[s->n].count = a->count;
		s->v[s->n].severity = a->severity;
		s->v[s->n].change = change;
		snprintf(s->v[s->n].device, 65, "%.*s", (int)a->event.device.n, (const char *)a->event.device.p);
	}
	s->n++;
	return 0;
}

static int see(void *arg, const struct alert *a) { return see_change(arg, 0, a); }

static struct seen alerts(struct store *s, int state)
{
	struct seen seen = { 0 };
	struct store_filter f = { .state = state, .at_least = EVENT_INFO };
	CU_ASSERT_EQUAL(store_alerts(s, &f, see, &seen), 0);
	return seen;
}

static int64_t count_rows(const char *p, const char *table)
{
	char q[64];
	sqlite3 *db;
	sqlite3_stmt *st;
	snprintf(q, sizeof(q), "SELECT count(*) FROM %s", table);
	if (sqlite3_open(p, &db) || sqlite3_prepare_v2(db, q, -1, &st, NULL) || sqlite3_step(st) != SQLITE_ROW)
		abort();
	int64_t n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

/* --- cases --- */

static void a_batch_is_committed_and_projected(void)
{
	enum store_batch kind = STORE_GAP;
	struct store *s = open_store(fresh_path());
	CU_ASSERT_EQUAL(store_committed(s, "s1", 7, 0), 0);
	CU_ASSERT_EQUAL(put(s, 1, 5, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_NEW);
	CU_ASSERT_EQUAL(store_committed(s, "s1", 7, 0), 5);
	CU_ASSERT_EQUAL(store_committed(s, "s1", 7, 1), 0);
	CU_ASSERT_EQUAL(store_committed(s, "s1", 8, 0), 0);
	CU_ASSERT_EQUAL(store_committed(s, "s2", 7, 0), 0);
	struct seen a = alerts(s, -2);
	CU_ASSERT_EQUAL(a.n, 1);
	CU_ASSERT_EQUAL(a.v[0].count, 5);
	CU_ASSERT_STRING_EQUAL(a.v[0].device, "ct-1");
	store_close(s);
	CU_ASSERT_EQUAL(count_rows(path, "batch"), 1);
	CU_ASSERT_EQUAL(count_rows(path, "event"), 5);
	s = open_store(path);
	CU_ASSERT_EQUAL(store_committed(s, "s1", 7, 0), 5);
	CU_ASSERT_EQUAL(alerts(s, -2).n, 1);
	store_close(s);
	struct stat st;
	CU_ASSERT(!stat(path, &st) && (st.st_mode & 0777 & ~0640u) == 0);
}

static void a_duplicate_changes_nothing(void)
{
	enum store_batch kind = STORE_GAP;
	struct store *s = open_store(fresh_path());
	CU_ASSERT_EQUAL(put(s, 1, 5, &kind), 0);
	CU_ASSERT_EQUAL(put(s, 1, 5, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_DUPLICATE);
	CU_ASSERT_EQUAL(put(s, 2, 3, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_DUPLICATE);
	CU_ASSERT_EQUAL(alerts(s, -2).v[0].count, 5);
	CU_ASSERT_EQUAL(store_committed(s, "s1", 7, 0), 5);
	store_close(s);
	CU_ASSERT_EQUAL(count_rows(path, "batch"), 1);
}

static void a_gap_is_not_stored(void)
{
	enum store_batch kind = STORE_NEW;
	struct store *s = open_store(fresh_path());
	CU_ASSERT_EQUAL(put(s, 2, 3, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_GAP);
	CU_ASSERT_EQUAL(store_committed(s, "s1", 7, 0), 0);
	CU_ASSERT_EQUAL(alerts(s, -2).n, 0);
	CU_ASSERT_EQUAL(put(s, 1, 1, &kind), 0);
	CU_ASSERT_EQUAL(put(s, 3, 1, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_GAP);
	store_close(s);
	CU_ASSERT_EQUAL(count_rows(path, "batch"), 1);
}

static void a_partly_held_batch_is_stored_from_its_first_new_event(void)
{
	enum store_batch kind;
	struct store *s = open_store(fresh_path());
	CU_ASSERT_EQUAL(put(s, 1, 3, &kind), 0);
	CU_ASSERT_EQUAL(put(s, 2, 4, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_NEW);
	CU_ASSERT_EQUAL(store_committed(s, "s1", 7, 0), 5);
	CU_ASSERT_EQUAL(alerts(s, -2).v[0].count, 5);
	CU_ASSERT_EQUAL(store_undecodable(s, "s1", 7, 0), 0);
	store_close(s);
	CU_ASSERT_EQUAL(count_rows(path, "event"), 5);
	CU_ASSERT_EQUAL(count_rows(path, "batch WHERE seq = 4 AND count = 2"), 1);
}

static void what_does_not_decode_is_kept_counted_and_skipped(void)
{
	enum store_batch kind;
	struct store *s = open_store(fresh_path());
	/* One event that says another sensor, one of another number, one that is a bare integer, one good. */
	uint8_t mem[4096];
	struct buf b = buf_over(mem, sizeof(mem));
	struct event e = an_event(1, "policy.undeclared_peer", "ct-1", EVENT_LOW);
	event_text(&e, EVENT_F_sensor, span_str("s2"));
	CU_ASSERT_EQUAL(vocab_encode(&event_vocab, &e.head, &b), 0);
	e = an_event(9, "policy.undeclared_peer", "ct-1", EVENT_LOW);
	CU_ASSERT_EQUAL(vocab_encode(&event_vocab, &e.head, &b), 0);
	buf_u8(&b, 5);
	e = an_event(4, "policy.undeclared_peer", "ct-1", EVENT_LOW);
	CU_ASSERT_EQUAL(vocab_encode(&event_vocab, &e.head, &b), 0);
	struct frame f = a_batch(1, 1);
	done(&f);
	f.count = 4;
	f.payload = buf_span(&b);
	CU_ASSERT_EQUAL(store_batch(s, &f, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_NEW);
	CU_ASSERT_EQUAL(store_undecodable(s, "s1", 7, 0), 3);
	CU_ASSERT_EQUAL(store_committed(s, "s1", 7, 0), 4);
	CU_ASSERT_EQUAL(alerts(s, -2).v[0].count, 1);
	/* Broken bytes: whatever follows has no beginning. */
	f = a_batch(5, 3);
	((uint8_t *)(uintptr_t)f.payload.p)[f.payload.n / 3] = 0xc1;
	CU_ASSERT_EQUAL(store_batch(s, &f, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_NEW);
	CU_ASSERT_EQUAL(store_committed(s, "s1", 7, 0), 7);
	CU_ASSERT(store_undecodable(s, "s1", 7, 0) > 3);
	done(&f);
	store_close(s);
	CU_ASSERT_EQUAL(count_rows(path, "batch"), 2);
}

static void every_cut_and_one_wrong_byte_is_taken_whole(void)
{
	struct store *s = open_store(":memory:");
	struct frame f = a_batch(1, 2);
	uint64_t epoch = 100;
	enum store_batch kind;
	for (size_t n = 0; n <= f.payload.n; n++) {
		uint8_t *p = malloc(n ? n : 1);
		memcpy(p, f.payload.p, n);
		struct frame cut = f;
		cut.payload = (struct span){ p, n };
		cut.epoch = epoch++;
		CU_ASSERT_EQUAL(store_batch(s, &cut, &kind), 0);
		CU_ASSERT_EQUAL(store_committed(s, "s1", cut.epoch, 0), 2);
		CU_ASSERT(store_undecodable(s, "s1", cut.epoch, 0) > 0);        /* the epoch is another one, too */
		free(p);
	}
	for (size_t i = 0; i < f.payload.n; i++) {
		uint8_t *p = malloc(f.payload.n);
		memcpy(p, f.payload.p, f.payload.n);
		p[i] ^= 0x80;
		struct frame wrong = f;
		wrong.payload.p = p;
		wrong.epoch = epoch++;
		CU_ASSERT_EQUAL(store_batch(s, &wrong, &kind), 0);
		CU_ASSERT_EQUAL(store_committed(s, "s1", wrong.epoch, 0), 2);
		free(p);
	}
	done(&f);
	store_close(s);
}

static void a_loss_lets_the_lane_go_on(void)
{
	enum store_batch kind;
	struct store *s = open_store(fresh_path());
	struct frame lost = { .type = FRAME_LOST, .lane = 0, .sensor_len = 2, .sensor = "s1", .epoch = 7, .seq = 2, .count = 4 };
	CU_ASSERT_EQUAL(store_lost(s, &lost, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_GAP);
	CU_ASSERT_EQUAL(put(s, 1, 2, &kind), 0);
	CU_ASSERT_EQUAL(store_lost(s, &lost, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_NEW);
	CU_ASSERT_EQUAL(store_committed(s, "s1", 7, 0), 5);
	CU_ASSERT_EQUAL(store_lost_total(s, "s1", 7, 0), 3);
	CU_ASSERT_EQUAL(store_lost(s, &lost, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_DUPLICATE);
	CU_ASSERT_EQUAL(put(s, 6, 1, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_NEW);
	CU_ASSERT_EQUAL(store_batch(s, &lost, &kind), -EINVAL);
	lost.type = FRAME_BATCH;
	CU_ASSERT_EQUAL(store_lost(s, &lost, &kind), -EINVAL);
	store_close(s);
	CU_ASSERT_EQUAL(count_rows(path, "loss WHERE seq = 3 AND count = 3"), 1);
}

static void sequences_at_their_end_do_not_wrap(void)
{
	enum store_batch kind = STORE_NEW;
	struct store *s = open_store(":memory:");
	struct frame f = a_batch(1, 1);
	f.seq = UINT64_MAX;
	CU_ASSERT_EQUAL(store_batch(s, &f, &kind), 0);
	CU_ASSERT_EQUAL(kind, STORE_GAP);
	f.count = 2;
	CU_ASSERT_EQUAL(store_batch(s, &f, &kind), -EINVAL);
	f.seq = 0;
	CU_ASSERT_EQUAL(store_batch(s, &f, &kind), -EINVAL);
	f.seq = 1, f.count = 0;
	CU_ASSERT_EQUAL(store_batch(s, &f, &kind), -EINVAL);
	f.type = FRAME_LOST, f.count = UINT32_MAX, f.epoch = UINT64_MAX;
	CU_ASSERT_EQUAL(store_lost(s, &f, &kind), 0);
	CU_ASSERT_EQUAL(store_committed(s, "s1", UINT64_MAX, 0), UINT32_MAX);
	done(&f);
	store_close(s);
}

/* In a child, so that the limit ends with it: a disk that takes nothing more. */
static void a_full_disk_stores_nothing_of_the_batch(void)
{
	enum store_batch kind;
	struct store *s = open_store(fresh_path());
	CU_ASSERT_EQUAL(put(s, 1, 2, &kind), 0);
	store_close(s);
	pid_t pid = fork();
	if (!pid) {
		struct rlimit old, no;
		kind = STORE_GAP;
		signal(SIGXFSZ, SIG_IGN);
		if (store_open(path, &s, why) || getrlimit(RLIMIT_FSIZE, &old))
			_exit(2);
		no = old;
		no.rlim_cur = 512;
		if (setrlimit(RLIMIT_FSIZE, &no))
			_exit(3);
		int err = put(s, 3, 2000, &kind);
		if (err >= 0 || kind != STORE_GAP)
			_exit(4);
		if (store_committed(s, "s1", 7, 0) != 2 || alerts(s, -2).v[0].count != 2)
			_exit(5);
		if (setrlimit(RLIMIT_FSIZE, &old))
			_exit(6);
		/* With room again the same batch goes in. */
		if (put(s, 3, 2000, &kind) || kind != STORE_NEW || store_committed(s, "s1", 7, 0) != 2002)
			_exit(7);
		store_close(s);
		_exit(CU_get_number_of_failures() ? 8 : 0);
	}
	int status = -1;
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_TRUE(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
	CU_ASSERT_EQUAL(count_rows(path, "event"), 2002);
	CU_ASSERT_EQUAL(count_rows(path, "batch"), 2);
}

static void a_killed_process_leaves_whole_batches(void)
{
	fresh_path();
	int p[2];
	CU_ASSERT_EQUAL_FATAL(pipe(p), 0);
	pid_t pid = fork();
	if (!pid) {
		struct store *s;
		enum store_batch kind;
		if (store_open(path, &s, why))
			_exit(2);
		for (uint64_t seq = 1;; seq += 10) {
			if (put(s, seq, 10, &kind) || kind != STORE_NEW)
				_exit(3);
			/* Told only after the commit: what the parent has read must be there. */
			if (write(p[1], &seq, sizeof(seq)) != sizeof(seq))
				_exit(4);
		}
	}
	close(p[1]);
	uint64_t told = 0;
	for (int i = 0; i < 20; i++)
		CU_ASSERT_EQUAL_FATAL(read(p[0], &told, sizeof(told)), sizeof(told));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(p[0]);
	struct store *s = open_store(path);
	uint64_t committed = store_committed(s, "s1", 7, 0);
	CU_ASSERT(committed >= told + 9 && committed % 10 == 0);
	CU_ASSERT_EQUAL(alerts(s, -2).v[0].count, committed);
	store_close(s);
	CU_ASSERT_EQUAL((uint64_t)count_rows(path, "event"), committed);
	CU_ASSERT_EQUAL((uint64_t)count_rows(path, "batch"), committed / 10);
}

static void events_of_a_replay_fold_the_same(void)
{
	struct store *s = open_store(":memory:");
	struct event e = an_event(1, "policy.undeclared_peer", "ct-1", EVENT_MEDIUM);
	CU_ASSERT_EQUAL(store_event(s, &e), 0);
	CU_ASSERT_EQUAL(store_event(s, &e), 0);                 /* the same event again */
	event_uint(&e, EVENT_F_seq, 2);
	CU_ASSERT_EQUAL(store_event(s, &e), 0);
	struct seen a = alerts(s, -2);
	CU_ASSERT(a.n == 1 && a.v[0].count == 2);
	e = (struct event){ .head.type = EVENT_ANOMALOUS_TRAFFIC };
	CU_ASSERT_EQUAL(store_event(s, &e), -EINVAL);
	store_close(s);
}

static void alerts_come_worst_first_then_newest(void)
{
	struct store *s = open_store(":memory:");
	static const struct { const char *device; unsigned severity; uint64_t seq; } in[] = {
		{ "a", EVENT_LOW, 1 }, { "b", EVENT_HIGH, 2 }, { "c", EVENT_HIGH, 3 }, { "d", EVENT_INFO, 4 },
	};
	for (size_t i = 0; i < 4; i++) {
		struct event e = an_event(in[i].seq, "policy.undeclared_peer", in[i].device, in[i].severity);
		CU_ASSERT_EQUAL(store_event(s, &e), 0);
	}
	struct seen a = alerts(s, -1);
	CU_ASSERT_EQUAL_FATAL(a.n, 4);
	CU_ASSERT(a.v[0].device[0] == 'c' && a.v[1].device[0] == 'b' && a.v[2].device[0] == 'a' && a.v[3].device[0] == 'd');
	struct seen some = { 0 };
	struct store_filter f = { .state = -1, .at_least = EVENT_HIGH };
	CU_ASSERT_EQUAL(store_alerts(s, &f, see, &some), 0);
	CU_ASSERT_EQUAL(some.n, 2);
	struct seen stopped = { .stop_with = 42 };
	CU_ASSERT_EQUAL(store_alerts(s, &f, see, &stopped), 42);
	struct seen one = { 0 };
	CU_ASSERT_EQUAL(store_alert(s, a.v[2].id, see, &one), 0);
	CU_ASSERT(one.n == 1 && one.v[0].device[0] == 'a');
	CU_ASSERT_EQUAL(store_alert(s, "0000000000000000", see, &one), -ENOENT);
	store_close(s);
}

static int see_audit(void *arg, const struct store_audit *a)
{
	char *log = arg;
	size_t n = strlen(log);
	snprintf(log + n, 1024 - n, "%.*s<%.*s by %.*s (%.*s);", (int)a->action.n, (const char *)a->action.p, (int)a->before.n,
		 (const char *)a->before.p, (int)a->who.n, (const char *)a->who.p, (int)a->reason.n, (const char *)a->reason.p);
	return 0;
}

static void decisions_change_the_state_and_are_recorded(void)
{
	struct store *s = open_store(fresh_path());
	struct event e = an_event(1, "policy.undeclared_peer", "ct-1", EVENT_MEDIUM);
	uint64_t now = clock_now_ns();
	char log[1024] = "";
	CU_ASSERT_EQUAL(store_event(s, &e), 0);
	struct seen a = alerts(s, -1);
	const char *id = a.v[0].id;
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_ACK, "yamada", NULL, 0, now), 0);
	CU_ASSERT_EQUAL(alerts(s, -1).v[0].state, ALERT_ACKNOWLEDGED);
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_CLOSE, "yamada", "業者確認済み", 0, now), 0);
	CU_ASSERT_EQUAL(alerts(s, -1).n, 0);
	CU_ASSERT_EQUAL(alerts(s, ALERT_CLOSED).n, 1);
	/* It happens again. */
	event_uint(&e, EVENT_F_seq, 2);
	CU_ASSERT_EQUAL(store_event(s, &e), 0);
	CU_ASSERT_EQUAL(alerts(s, -1).v[0].state, ALERT_OPEN);
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_MUTE, "sato", "test", now + 3600 * CLOCK_SECOND, now), 0);
	CU_ASSERT_EQUAL(alerts(s, -1).n, 0);
	CU_ASSERT_EQUAL(alerts(s, ALERT_MUTED).n, 1);
	event_uint(&e, EVENT_F_seq, 3);
	CU_ASSERT_EQUAL(store_event(s, &e), 0);
	CU_ASSERT_EQUAL(alerts(s, ALERT_MUTED).v[0].count, 3);          /* counted all the same */
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_UNMUTE, "sato", "", 0, now), 0);
	CU_ASSERT_EQUAL(alerts(s, ALERT_OPEN).n, 1);
	/* What is refused changes and records nothing. */
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_MUTE, "sato", "", now + 1000, now), -EINVAL);
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_MUTE, "sato", "x", 0, now), -EINVAL);
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_MUTE, "sato", "x", now, now), -EINVAL);
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_MUTE, "", "x", now + 1000, now), -EINVAL);
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_ACK, NULL, "x", 0, now), -EINVAL);
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_ACK, "a\x1b[31m", "x", 0, now), -EINVAL);
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_ACK, "a", "x\ny", 0, now), -EINVAL);
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_UNMUTE, "sato", "x", 0, now), -EALREADY);
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_REOPEN, "sato", "x", 0, now), -EALREADY);
	CU_ASSERT_EQUAL(store_decide(s, id, STORE_REOPEN, "sato", "x", now + 1000, now), -EINVAL);
	CU_ASSERT_EQUAL(store_decide(s, "0000000000000000", STORE_ACK, "a", "x", 0, now), -ENOENT);
	CU_ASSERT_EQUAL(store_audit(s, see_audit, log), 0);
	CU_ASSERT_STRING_EQUAL(log, "ack<open by yamada ();close<acknowledged by yamada (業者確認済み);"
			       "reopen<closed by collector (it happened again);mute<open by sato (test);unmute<muted by sato ();");
	store_close(s);
	/* Nobody rewrites the record, not even with SQL. */
	sqlite3 *db;
	CU_ASSERT_EQUAL(sqlite3_open(path, &db), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(db, "UPDATE audit SET who = 'x'", NULL, NULL, NULL), SQLITE_CONSTRAINT);
	CU_ASSERT_EQUAL(sqlite3_exec(db, "DELETE FROM audit", NULL, NULL, NULL), SQLITE_CONSTRAINT);
	sqlite3_close(db);
}

static void the_outbox_has_a_durable_cursor_per_sink(void)
{
	struct store *s = open_store(fresh_path());
	for (uint64_t i = 1; i <= 3; i++) {
		char device[] = { 'd', (char)('0' + i), '\0' };
		struct event e = an_event(i, "policy.undeclared_peer", device, EVENT_LOW);
		CU_ASSERT_EQUAL(store_event(s, &e), 0);
	}
	struct seen a = { 0 };
	CU_ASSERT_EQUAL(store_outbox(s, "x", 2, see_change, &a), 0);
	CU_ASSERT_EQUAL_FATAL(a.n, 2);
	CU_ASSERT_STRING_EQUAL(a.v[0].device, "d1");
	CU_ASSERT_EQUAL(store_outbox_done(s, "x", a.v[0].change), 0);
	store_close(s);
	s = open_store(path);
	a = (struct seen){ 0 };
	CU_ASSERT_EQUAL(store_outbox(s, "x", 10, see_change, &a), 0);
	CU_ASSERT(a.n == 2 && a.v[0].device[1] == '2');
	struct seen other = { 0 };
	CU_ASSERT_EQUAL(store_outbox(s, "y", 10, see_change, &other), 0);
	CU_ASSERT_EQUAL(other.n, 3);
	CU_ASSERT_EQUAL(store_outbox_done(s, "x", a.v[1].change), 0);
	CU_ASSERT_EQUAL(store_outbox_done(s, "x", 1), 0);               /* never back */
	a = (struct seen){ 0 };
	CU_ASSERT_EQUAL(store_outbox(s, "x", 10, see_change, &a), 0);
	CU_ASSERT_EQUAL(a.n, 0);
	/* A muted alert counts, but does not go out; its change does not hold up the others. */
	uint64_t now = clock_now_ns();
	CU_ASSERT_EQUAL(store_decide(s, other.v[0].id, STORE_MUTE, "sato", "test", now + CLOCK_SECOND / 5, now), 0);
	struct event e = an_event(4, "policy.undeclared_peer", "d1", EVENT_LOW);
	CU_ASSERT_EQUAL(store_event(s, &e), 0);
	e = an_event(5, "policy.undeclared_peer", "d2", EVENT_LOW);
	CU_ASSERT_EQUAL(store_event(s, &e), 0);
	CU_ASSERT_EQUAL(store_outbox(s, "x", 10, see_change, &a), 0);
	CU_ASSERT(a.n == 1 && a.v[0].device[1] == '2');
	CU_ASSERT_EQUAL(store_outbox_done(s, "x", a.v[0].change), 0);
	/* Past the end of the mute it goes out, with what was counted meanwhile, and the record says so. */
	while (clock_now_ns() <= now + CLOCK_SECOND / 5)
		usleep(20000);
	a = (struct seen){ 0 };
	CU_ASSERT_EQUAL(store_outbox(s, "x", 10, see_change, &a), 0);
	CU_ASSERT(a.n == 1 && a.v[0].device[1] == '1' && a.v[0].count == 2 && a.v[0].state == ALERT_OPEN);
	char log[1024] = "";
	CU_ASSERT_EQUAL(store_audit(s, see_audit, log), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(log, "expire<muted by collector"));
	store_close(s);
}

static int see_asset(void *arg, const struct store_asset *a)
{
	char *log = arg;
	size_t n = strlen(log);
	snprintf(log + n, 4096 - n, "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%llu-%llu\n", (int)a->addr.n, (const char *)a->addr.p,
		 (int)a->device.n, (const char *)a->device.p, (int)a->mac.n, (const char *)a->mac.p, (int)a->names.n,
		 (const char *)a->names.p, (int)a->services.n, (const char *)a->services.p, (int)a->clients.n,
		 (const char *)a->clients.p, (unsigned long long)a->first_ns, (unsigned long long)a->last_ns);
	return 0;
}

static int put_asset(struct store *s, uint64_t seq, uint8_t host, const char *rule, const char *service, unsigned port,
		     const char *ae)
{
	const uint8_t v4[] = { 10, 0, 0, host };
	struct addr a = addr_from_v4(v4);
	struct event e = { .head.type = EVENT_ASSET };
	event_text(&e, EVENT_F_sensor, span_str("s1"));
	event_uint(&e, EVENT_F_epoch, 7);
	event_uint(&e, EVENT_F_lane, EVENT_LANE_TELEMETRY);
	event_uint(&e, EVENT_F_seq, seq);
	event_uint(&e, EVENT_F_ts, seq);
	event_text(&e, EVENT_F_rule, span_str(rule));
	event_text(&e, EVENT_F_device, span_str("unit"));
	vocab_set_addr(&event_vocab, &e.head, EVENT_F_device_addr, &a);
	if (service) {
		event_uint(&e, EVENT_F_transport, 0);
		event_uint(&e, EVENT_F_port, port);
		event_text(&e, EVENT_F_service, span_str(service));
	}
	if (ae)
		event_text(&e, EVENT_F_ae_title, span_str(ae));
	return store_event(s, &e);
}

static void assets_gather_what_is_said_of_a_host(void)
{
	struct store *s = open_store(":memory:");
	char log[4096] = "";
	CU_ASSERT_EQUAL(put_asset(s, 1, 10, "asset.seen", NULL, 0, NULL), 0);
	CU_ASSERT_EQUAL(put_asset(s, 2, 9, "asset.service", "dicom", 104, NULL), 0);
	CU_ASSERT_EQUAL(put_asset(s, 3, 9, "asset.service", "dicom", 11112, NULL), 0);
	CU_ASSERT_EQUAL(put_asset(s, 4, 9, "asset.service", "dicom", 104, NULL), 0);
	CU_ASSERT_EQUAL(put_asset(s, 5, 10, "asset.client", "dicom", 104, NULL), 0);
	CU_ASSERT_EQUAL(put_asset(s, 6, 10, "asset.name", NULL, 0, "CT1"), 0);
	CU_ASSERT_EQUAL(put_asset(s, 7, 10, "asset.name", NULL, 0, "CT1 "), 0);
	CU_ASSERT_EQUAL(store_assets(s, see_asset, log), 0);
	CU_ASSERT_STRING_EQUAL(log, "10.0.0.9|unit|||dicom tcp/104, dicom tcp/11112||2-4\n"
			       "10.0.0.10|unit||CT1||dicom tcp|1-7\n");
	/* A host that answers on every port fills a list, not the disk. */
	for (unsigned port = 1; port <= 200; port++)
		CU_ASSERT_EQUAL(put_asset(s, 100 + port, 11, "asset.service", "x", port, NULL), 0);
	log[0] = '\0';
	CU_ASSERT_EQUAL(store_assets(s, see_asset, log), 0);
	size_t commas = 0;
	for (const char *c = strstr(log, "10.0.0.11"); c && *c; c++)
		commas += *c == ',';
	CU_ASSERT_EQUAL(commas, 63);
	store_close(s);
}

static void accounts_are_kept_per_epoch(void)
{
	struct store *s = open_store(":memory:");
	const uint64_t v[6] = { 1, 2, 3, 4, 5, UINT64_MAX }, w[6] = { 9, 2, 3, 4, 5, 6 };
	uint64_t got[6];
	CU_ASSERT_EQUAL(store_account_get(s, "s1", 7, got), -ENOENT);
	CU_ASSERT_EQUAL(store_account(s, "s1", 7, v), 0);
	CU_ASSERT_EQUAL(store_account(s, "s1", 8, w), 0);
	CU_ASSERT(!store_account_get(s, "s1", 7, got) && !memcmp(got, v, sizeof(v)));
	CU_ASSERT_EQUAL(store_account(s, "s1", 7, w), 0);
	CU_ASSERT(!store_account_get(s, "s1", 7, got) && !memcmp(got, w, sizeof(w)));
	store_close(s);
}

static void a_store_of_version_1_is_brought_forward(void)
{
	sqlite3 *db;
	enum store_batch kind;
	CU_ASSERT_EQUAL(sqlite3_open(fresh_path(), &db), SQLITE_OK);
	CU_ASSERT_EQUAL(store_schema_migrate(db, 1), 0);
	/* As the first version wrote it. */
	struct event e = an_event(1, "policy.undeclared_peer", "ct-1", EVENT_HIGH);
	struct alert a;
	uint8_t mem[ALERT_EVENT_MAX];
	struct buf b = buf_over(mem, sizeof(mem));
	CU_ASSERT_TRUE(alert_from(&e, &a));
	CU_ASSERT_EQUAL(vocab_encode(&event_vocab, &e.head, &b), 0);
	sqlite3_stmt *q;
	CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, "INSERT INTO alert VALUES (?1, 0, 1, 2, 3, 3, 1, ?2)", -1, &q, NULL), 0);
	sqlite3_bind_text(q, 1, a.id, -1, SQLITE_STATIC);
	sqlite3_bind_blob(q, 2, mem, (int)b.len, SQLITE_STATIC);
	CU_ASSERT_EQUAL(sqlite3_step(q), SQLITE_DONE);
	sqlite3_finalize(q);
	CU_ASSERT_EQUAL(sqlite3_exec(db, "INSERT INTO progress VALUES ('s1', 7, 0, 1, 0)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	struct store *s = open_store(path);
	struct seen seen = alerts(s, -1);
	CU_ASSERT(seen.n == 1 && seen.v[0].count == 3 && !strcmp(seen.v[0].device, "ct-1"));
	CU_ASSERT_EQUAL(store_committed(s, "s1", 7, 0), 1);
	CU_ASSERT_EQUAL(put(s, 2, 1, &kind), 0);
	CU_ASSERT_EQUAL(alerts(s, -1).v[0].count, 4);
	CU_ASSERT_EQUAL(store_decide(s, a.id, STORE_ACK, "x", NULL, 0, clock_now_ns()), 0);
	store_close(s);
	CU_ASSERT_EQUAL(count_rows(path, "pragma_user_version WHERE user_version = 2"), 1);
}

static void stores_of_others_are_left_alone(void)
{
	sqlite3 *db;
	struct store *s = NULL;
	/* A newer version's. */
	store_close(open_store(fresh_path()));
	CU_ASSERT_EQUAL(sqlite3_open(path, &db), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(db, "PRAGMA user_version = 3", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	CU_ASSERT_EQUAL(store_open(path, &s, why), ERR_SCHEMA);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "newer version"));
	/* Another program's database. */
	CU_ASSERT_EQUAL(sqlite3_open(fresh_path(), &db), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	CU_ASSERT_EQUAL(store_open(path, &s, why), ERR_UNKNOWN_KIND);
	CU_ASSERT_EQUAL(count_rows(path, "sqlite_master"), 1);
	/* No database at all. */
	FILE *f = fopen(fresh_path(), "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	for (int i = 0; i < 1000; i++)
		fputs("not a database\n", f);
	fclose(f);
	CU_ASSERT_EQUAL(store_open(path, &s, why), ERR_UNKNOWN_KIND);
	CU_ASSERT_EQUAL(store_open(dir, &s, why), -EISDIR);
	CU_ASSERT_EQUAL(store_open("/nonexistent/x.db", &s, why), -ENOENT);
	CU_ASSERT_PTR_NULL(s);
	store_close(NULL);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a_batch_is_committed_and_projected", a_batch_is_committed_and_projected },
		{ "a_duplicate_changes_nothing", a_duplicate_changes_nothing },
		{ "a_gap_is_not_stored", a_gap_is_not_stored },
		{ "a_partly_held_batch_is_stored_from_its_first_new_event", a_partly_held_batch_is_stored_from_its_first_new_event },
		{ "what_does_not_decode_is_kept_counted_and_skipped", what_does_not_decode_is_kept_counted_and_skipped },
		{ "every_cut_and_one_wrong_byte_is_taken_whole", every_cut_and_one_wrong_byte_is_taken_whole },
		{ "a_loss_lets_the_lane_go_on", a_loss_lets_the_lane_go_on },
		{ "sequences_at_their_end_do_not_wrap", sequences_at_their_end_do_not_wrap },
		{ "a_full_disk_stores_nothing_of_the_batch", a_full_disk_stores_nothing_of_the_batch },
		{ "a_killed_process_leaves_whole_batches", a_killed_process_leaves_whole_batches },
		{ "events_of_a_replay_fold_the_same", events_of_a_replay_fold_the_same },
		{ "alerts_come_worst_first_then_newest", alerts_come_worst_first_then_newest },
		{ "decisions_change_the_state_and_are_recorded", decisions_change_the_state_and_are_recorded },
		{ "the_outbox_has_a_durable_cursor_per_sink", the_outbox_has_a_durable_cursor_per_sink },
		{ "assets_gather_what_is_said_of_a_host", assets_gather_what_is_said_of_a_host },
		{ "accounts_are_kept_per_epoch", accounts_are_kept_per_epoch },
		{ "a_store_of_version_1_is_brought_forward", a_store_of_version_1_is_brought_forward },
		{ "stores_of_others_are_left_alone", stores_of_others_are_left_alone },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "store", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	if (sodium_init() < 0 || !mkdtemp(dir) || CU_initialize_registry() || CU_register_suites(suites) ||
	    CU_basic_run_tests())
		return 1;
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	/* Files of a failed run stay for a look. */
	char remove_all[64];
	snprintf(remove_all, sizeof(remove_all), "rm -rf '%s'", dir);
	if (!failures && system(remove_all))
		return 1;
	return failures != 0;
}
