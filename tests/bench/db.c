/* Group commit: how many durable writes a second from 1, 8 and 64 submitters,
 * against the engine without us: a transaction for every row, and one transaction
 * for all rows (the floor: no waiting for the disk).
 *
 * Rows have an id, a name of 40 bytes and 200 bytes; 64 submitters are 64 jobs
 * under way at once, kept up by 8 threads with 8 each.  Prints one line
 * a measurement: engine, what, rows/s, commits/s, rows per commit. */
#include "base/time.h"
#include "db/writer.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUN_MS = 3000, RAW_LEN = 200 };

static const struct db_query add = {
    "row.add", "itb", "", "INSERT INTO things (id, name, raw) VALUES ($1, $2, $3)" };
static const struct db_queries sets[] = { { &add, 1 } };
static const char raw[RAW_LEN] = "raw";
static const char name[] = "registry.example.org/team/service:1.2.3";

static char url[512];
static const char *engine;
static struct err err;

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void report(const char *what, int64_t rows, int64_t commits, int64_t ms)
{
    double s = (double)ms / 1000, r = (double)rows, c = (double)commits;

    printf("%-10s  %-34s %9.0f rows/s  %8.0f commits/s  %7.1f rows/commit\n", engine, what, r / s, c / s, r / c);
}

static void fresh_table(void)
{
    struct db *db;

    if (db_open(url, DB_MIGRATOR, &db, &err) != 0 ||
        db_script(db, db_is_postgres(db)
                  ? "DROP TABLE IF EXISTS things; CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT, raw BYTEA)"
                  : "DROP TABLE IF EXISTS things; CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, raw BLOB) STRICT",
                  &err) != 0)
        die("table", err.msg);
    db_close(db);
}

/* ---- through the writer -------------------------------------------------------- */

struct slot {
    struct write_job job;
    struct load *load;
    int64_t id;
};

struct load {
    struct writer *w;
    int64_t next, step, end_ms, rows;
    sem_t free;
    struct slot *ready[8];              /* slots that may be submitted again */
    int n_ready, n_slots;
    pthread_mutex_t lock;
    struct slot slots[8];
};

static int run(struct db *db, void *arg, struct err *e)
{
    const struct slot *s = arg;

    return db_exec(db, &add, DB_IN(db_i(s->id), db_t(name), db_b(raw, RAW_LEN)), NULL, e);
}

static void done(void *arg, int rc, const struct err *e)
{
    struct slot *s = arg;
    struct load *l = s->load;

    if (rc != 0)
        die("write", e->msg);
    pthread_mutex_lock(&l->lock);
    l->ready[l->n_ready++] = s;
    l->rows++;
    pthread_mutex_unlock(&l->lock);
    sem_post(&l->free);
}

static void *submit(void *arg)
{
    struct load *l = arg;
    struct err e;

    while (time_monotonic_ms() < l->end_ms) {
        sem_wait(&l->free);
        pthread_mutex_lock(&l->lock);
        struct slot *s = l->ready[--l->n_ready];
        pthread_mutex_unlock(&l->lock);
        s->id = l->next += l->step;
        if (writer_submit(l->w, &s->job, &e) != 0)
            die("submit", e.msg);
    }
    for (int i = 0; i < l->n_slots; i++)         /* all but those never taken come back */
        sem_wait(&l->free);
    return NULL;
}

static void through_writer(int submitters)
{
    int n = submitters < 8 ? submitters : 8;
    struct load *loads = calloc((size_t)n, sizeof *loads);
    pthread_t *threads = calloc((size_t)n, sizeof *threads);
    struct writer *w;
    struct writer_stats stats;
    int64_t rows = 0;
    char what[40];

    fresh_table();
    if (loads == NULL || threads == NULL || writer_open(url, sets, 1, 1024, 256, &w, &err) != 0)
        die("writer", err.msg);
    int64_t start = time_monotonic_ms();
    for (int i = 0; i < n; i++) {
        struct load *l = &loads[i];
        l->w = w;
        l->next = i;
        l->step = n;
        l->end_ms = start + RUN_MS;
        l->n_slots = submitters / n;
        pthread_mutex_init(&l->lock, NULL);
        sem_init(&l->free, 0, (unsigned)l->n_slots);
        for (int k = 0; k < l->n_slots; k++) {
            l->slots[k] = (struct slot){ .load = l, .job = { .run = run, .done = done, .arg = &l->slots[k] } };
            l->ready[l->n_ready++] = &l->slots[k];
        }
        pthread_create(&threads[i], NULL, submit, l);
    }
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        rows += loads[i].rows;
    }
    int64_t ms = time_monotonic_ms() - start;
    writer_stats(w, &stats);
    writer_close(w);
    snprintf(what, sizeof what, "writer, %d submitters", submitters);
    report(what, rows, stats.batches, ms);
    free(loads);
    free(threads);
}

/* ---- the engine alone -------------------------------------------------------------- */

static void raw_sqlite(bool each)
{
    sqlite3 *h;
    sqlite3_stmt *s, *begin, *commit;
    int64_t rows = 0, commits = 1;

    fresh_table();
    if (sqlite3_open_v2(url, &h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_exec(h, "PRAGMA synchronous=FULL; PRAGMA cache_size=-16000", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(h, add.sql, -1, &s, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(h, "BEGIN IMMEDIATE", -1, &begin, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(h, "COMMIT", -1, &commit, NULL) != SQLITE_OK)
        die("sqlite", sqlite3_errmsg(h));
    int64_t start = time_monotonic_ms();
    sqlite3_step(begin);
    sqlite3_reset(begin);
    while ((rows & 63) != 0 || time_monotonic_ms() < start + RUN_MS) {
        sqlite3_bind_int64(s, 1, rows++);
        sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
        sqlite3_bind_blob(s, 3, raw, RAW_LEN, SQLITE_STATIC);
        if (sqlite3_step(s) != SQLITE_DONE)
            die("sqlite", sqlite3_errmsg(h));
        sqlite3_reset(s);
        if (each) {
            sqlite3_step(commit);
            sqlite3_reset(commit);
            sqlite3_step(begin);
            sqlite3_reset(begin);
            commits++;
        }
    }
    sqlite3_step(commit);
    report(each ? "raw, a transaction a row" : "raw, one transaction", rows, commits, time_monotonic_ms() - start);
    sqlite3_finalize(s);
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    sqlite3_close(h);
}

static void raw_pg(bool each)
{
    PGconn *c = PQconnectdb(url);
    int64_t rows = 0, commits = 1;
    char id[24];
    const char *const values[] = { id, name, raw };
    const int lengths[] = { 0, 0, RAW_LEN }, formats[] = { 0, 0, 1 };

    fresh_table();
    PQclear(PQprepare(c, "add", add.sql, 3, (const Oid[]){ 20, 25, 17 }));
    int64_t start = time_monotonic_ms();
    if (!each)
        PQclear(PQexec(c, "BEGIN"));
    while ((rows & 63) != 0 || time_monotonic_ms() < start + RUN_MS) {
        snprintf(id, sizeof id, "%lld", (long long)rows++);
        PGresult *res = PQexecPrepared(c, "add", 3, values, lengths, formats, 1);
        if (PQresultStatus(res) != PGRES_COMMAND_OK)
            die("postgresql", PQerrorMessage(c));
        PQclear(res);
        commits += each;
    }
    if (!each)
        PQclear(PQexec(c, "COMMIT"));
    report(each ? "raw, a transaction a row" : "raw, one transaction", rows, commits, time_monotonic_ms() - start);
    PQfinish(c);
}

static void all(void (*raw_engine)(bool))
{
    static const int submitters[] = { 1, 8, 64 };

    raw_engine(true);
    for (size_t i = 0; i < N_ITEMS(submitters); i++)
        through_writer(submitters[i]);
    raw_engine(false);
}

int main(void)
{
    char dir[] = "/tmp/keep-bench-XXXXXX";
    const char *pg = getenv("KEEP_TEST_PG");

    if (mkdtemp(dir) == NULL)
        return 1;
    engine = "sqlite";
    snprintf(url, sizeof url, "%s/keep.db", dir);
    all(raw_sqlite);
    for (const char *const *s = (const char *const[]){ "", "-wal", "-shm", NULL }; *s != NULL; s++) {
        char file[600];
        snprintf(file, sizeof file, "%s%s", url, *s);
        unlink(file);
    }
    rmdir(dir);
    if (pg == NULL) {
        printf("PostgreSQL: skipped, KEEP_TEST_PG not set\n");
        return 0;
    }
    engine = "postgresql";
    snprintf(url, sizeof url, "%s", pg);
    all(raw_pg);
    return 0;
}
