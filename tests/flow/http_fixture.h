/* http_fixture.h - a real server on a loopback port with a small route table,
 * shared by flow, conformance and bench. */
#ifndef KEEP_TEST_HTTP_FIXTURE_H
#define KEEP_TEST_HTTP_FIXTURE_H

#include "base/buf.h"
#include "base/compress.h"
#include "base/time.h"
#include "db/db.h"
#include "http/routes.h"
#include "http/server.h"
#include "tests/flow/http_client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- an application: one table, a few handlers ---------------------------------- */

struct app {
    atomic_int ran, smuggled, slow_running, prepared, identified;
    atomic_bool hold;                       /* handlers of /slow wait while it is set */
    atomic_bool ask_db;                     /* identify cannot answer from memory */
    atomic_int busy;                        /* so many runs answer "busy" first */
};

struct note {
    const char *text;
    int64_t n;
};

static const struct field note_fields[] = {
    { .key = "text", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct note, text), .max = 200000 },
    { .key = "n", .type = FIELD_INT, .off = offsetof(struct note, n) },
};
static const struct shape note_shape = { "note", sizeof(struct note), note_fields, N_ITEMS(note_fields), false };

struct ask {
    int64_t n;
    const char *q;
};
static const struct field ask_fields[] = {
    { .key = "n", .type = FIELD_INT, .off = offsetof(struct ask, n), .min = 0, .max = 1000000 },
    { .key = "q", .type = FIELD_TEXT, .off = offsetof(struct ask, q), .max = 100 },
};
static const struct shape ask_shape = { "ask", sizeof(struct ask), ask_fields, N_ITEMS(ask_fields), false };

enum { Q_ADD, Q_COUNT, Q_KEEP, Q_KEPT };
static const struct db_query fixture_q[] = {
    [Q_ADD] = { "note.add", "ti", "", "INSERT INTO notes (text, n) VALUES ($1, $2)" },
    [Q_COUNT] = { "note.count", "", "i", "SELECT COUNT(*) FROM notes" },
    [Q_KEEP] = { "kept.add", "ttbib", "",
                 "INSERT INTO kept (caller, k, request, status, answer) VALUES ($1, $2, $3, $4, $5)" },
    [Q_KEPT] = { "kept.get", "tt", "bib", "SELECT request, status, answer FROM kept WHERE caller = $1 AND k = $2" },
};
static const struct db_queries fixture_queries = { fixture_q, N_ITEMS(fixture_q) };
static const char fixture_schema[] =
    "CREATE TABLE notes (text TEXT NOT NULL, n INTEGER NOT NULL) STRICT;"
    "CREATE TABLE kept (caller TEXT NOT NULL, k TEXT NOT NULL, request BLOB NOT NULL, status INTEGER NOT NULL,"
    " answer BLOB NOT NULL, PRIMARY KEY (caller, k)) STRICT;";

static int fx_light(struct call *c, const void *in, void *out, struct err *err)
{
    struct note *n = out;

    (void)in;
    (void)err;
    atomic_fetch_add(&c->app->ran, 1);
    n->text = "light";
    return 0;
}

static int fx_smuggled(struct call *c, const void *in, void *out, struct err *err)
{
    atomic_fetch_add(&c->app->smuggled, 1);
    return fx_light(c, in, out, err);
}

static int fx_bundle(struct call *c, const void *in, void *out, struct err *err)
{
    static const char bytes[] = "{\"bundle\":\"a rather short one, but bytes all the same\"}";

    (void)in;
    (void)out;
    (void)err;
    atomic_fetch_add(&c->app->ran, 1);
    c->answer = (struct bytes){ (const unsigned char *)bytes, sizeof bytes - 1 };
    c->answer_type = "application/json";
    c->answer_etag = "\"bundle-1\"";
    return 0;
}

static int fx_read(struct call *c, const void *in, void *out, struct err *err)
{
    const struct ask *ask = c->query;
    struct note *n = out;

    (void)in;
    (void)err;
    atomic_fetch_add(&c->app->ran, 1);
    if (atomic_load(&c->app->busy) > 0 && atomic_fetch_sub(&c->app->busy, 1) > 0)
        return err_set(err, ERR_UNAVAILABLE, "note.read: database is busy");
    n->text = c->path[0];
    n->n = ask->n;
    return 0;
}

static int fx_echo(struct call *c, const void *in, void *out, struct err *err)
{
    (void)err;
    atomic_fetch_add(&c->app->ran, 1);
    *(struct note *)out = *(const struct note *)in;
    return 0;
}

static int fx_raw(struct call *c, const void *in, void *out, struct err *err)
{
    struct note *n = out;
    uint32_t h = 2166136261u;

    (void)in;
    (void)err;
    for (size_t i = 0; i < c->body.len; i++)
        h = (h ^ c->body.ptr[i]) * 16777619u;
    atomic_fetch_add(&c->app->ran, 1);
    n->text = arena_printf(c->arena, "%08x", h);
    n->n = (int64_t)c->body.len;
    return n->text == NULL ? err_nomem(err) : 0;
}

static int fx_slow(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in;
    atomic_fetch_add(&c->app->slow_running, 1);
    while (atomic_load(&c->app->hold))
        nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    atomic_fetch_sub(&c->app->slow_running, 1);
    return fx_light(c, in, out, err);
}

static int fx_count(struct call *c, const void *in, void *out, struct err *err)
{
    struct note *n = out;

    (void)in;
    n->text = "notes";
    return db_int(c->db, &fixture_q[Q_COUNT], DB_NONE, 0, &n->n, err);
}

static int fx_prepare(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in;
    (void)out;
    atomic_fetch_add(&c->app->prepared, 1);
    c->prepared = arena_strdup(c->arena, "prepared");
    return c->prepared == NULL ? err_nomem(err) : 0;
}

static int fx_write(struct call *c, const void *in, void *out, struct err *err)
{
    const struct note *n = in;

    atomic_fetch_add(&c->app->ran, 1);
    if (c->prepared == NULL)
        return err_set(err, ERR_INTERNAL, "not prepared");
    if (atomic_load(&c->app->busy) > 0 && atomic_fetch_sub(&c->app->busy, 1) > 0)
        return err_set(err, ERR_UNAVAILABLE, "note.add: database is busy");
    if (db_exec(c->db, &fixture_q[Q_ADD], DB_IN(db_t(n->text), db_i(n->n)), NULL, err) != 0)
        return -1;
    if (n->n < 0)
        return err_set(err, ERR_UNPROCESSABLE, "n: negative numbers are taken back");
    *(struct note *)out = *n;
    c->status = 201;
    c->location = "/notes/1";
    return 0;
}

static int fx_big(struct call *c, const void *in, void *out, struct err *err)
{
    struct note *n = out;
    char *text = arena_bytes(c->arena, 100001);

    (void)in;
    if (text == NULL)
        return err_nomem(err);
    memset(text, 'x', 100000);
    text[100000] = '\0';
    n->text = text;
    return 0;
}

static int fx_broken(struct call *c, const void *in, void *out, struct err *err)
{
    (void)c;
    (void)in;
    (void)out;
    return err_set(err, ERR_INTERNAL, "secret inside: index 7 of table foo");
}

static int fx_nothing(struct call *c, const void *in, void *out, struct err *err)
{
    (void)c;
    (void)in;
    (void)out;
    (void)err;
    return 0;
}

static const char *const fx_extra_headers[] = { "If-Match", "Prefer", NULL };

static int fx_headers(struct call *c, const void *in, void *out, struct err *err)
{
    struct note *n = out;

    (void)in;
    (void)err;
    n->text = c->headers[1] == NULL ? "none" : c->headers[1];
    c->file_name = "a \"b\"\r\nX: y.txt";
    return 0;
}

#define FX(m, p, w, k) .method = m, .path = p, .who = w, .class = k, .summary = "Test."
static const struct route fx_routes[] = {
    { FX("GET", "/healthz", WHO_ANYONE, CLASS_LIGHT), .out = &health_shape, .run = health },
    { FX("GET", "/readyz", WHO_ANYONE, CLASS_LIGHT), .out = &health_shape, .run = ready },
    { FX("GET", "/metrics", WHO_ANYONE, CLASS_LIGHT), .run = metrics },
    { FX("GET", "/v1/openapi.json", WHO_ANYONE, CLASS_LIGHT), .run = openapi },
    { FX("GET", "/v1/light", WHO_ANYONE, CLASS_LIGHT), .out = &note_shape, .run = fx_light },
    { FX("GET", "/SMUGGLED", WHO_ANYONE, CLASS_LIGHT), .out = &note_shape, .run = fx_smuggled },
    { FX("GET", "/v1/bundle", ROLE_AGENT, CLASS_LIGHT), .run = fx_bundle },
    { FX("GET", "/v1/open-bundle", WHO_ANYONE, CLASS_LIGHT), .run = fx_bundle },
    { FX("GET", "/v1/read/{name}", WHO_ANYONE, CLASS_READ), .query = &ask_shape, .out = &note_shape, .run = fx_read },
    { FX("GET", "/v1/read/{name}/headers", WHO_ANYONE, CLASS_READ), .out = &note_shape, .run = fx_headers,
      .headers = fx_extra_headers },
    { FX("POST", "/v1/echo", WHO_ANYONE, CLASS_READ), .body = BODY_JSON, .max_body = 256 << 10, .in = &note_shape,
      .out = &note_shape, .run = fx_echo },
    { FX("POST", "/v1/raw", ROLE_CI, CLASS_READ), .body = BODY_RAW, .max_body = 16 << 20, .out = &note_shape,
      .run = fx_raw },
    { FX("GET", "/v1/slow", WHO_ANYONE, CLASS_READ), .out = &note_shape, .run = fx_slow },
    { FX("GET", "/v1/big", WHO_ANYONE, CLASS_READ), .out = &note_shape, .run = fx_big },
    { FX("GET", "/v1/broken", WHO_ANYONE, CLASS_READ), .out = &note_shape, .run = fx_broken },
    { FX("GET", "/v1/notes", WHO_ANYONE, CLASS_READ), .out = &note_shape, .run = fx_count },
    { FX("POST", "/v1/notes", ROLE_CI | ROLE_ADMIN, CLASS_WRITE), .body = BODY_JSON, .max_body = 64 << 10,
      .in = &note_shape, .out = &note_shape, .prepare = fx_prepare, .run = fx_write, .flags = ROUTE_IDEMPOTENT },
    { FX("DELETE", "/v1/notes", ROLE_ADMIN, CLASS_WRITE), .run = fx_nothing },
    { FX("GET", "/api/v1/tokens", ROLE_ADMIN, CLASS_READ), .out = &note_shape, .run = fx_light },
};

/* Tokens of the test: "<role word>-token"; a cookie "session=1" is an administrator's session. */
static int fx_identify(struct app *app, struct db *reader, const struct credentials *given, struct arena *arena,
                       int64_t now_ms, struct caller *out, struct err *err)
{
    (void)arena;
    (void)now_ms;
    if (reader == NULL && atomic_load(&app->ask_db))
        return IDENTIFY_ASK_DB;
    atomic_fetch_add(&app->identified, 1);
    if (given->cookie != NULL && strcmp(given->cookie, "session=1") == 0) {
        *out = (struct caller){ .role = ROLE_ADMIN, .id = "u1", .name = "ann", .is_session = true, .csrf = "c5rf",
                                .from = given->from };
        return IDENTIFY_OK;
    }
    const char *token = given->authorization != NULL && strncmp(given->authorization, "Bearer ", 7) == 0
                            ? given->authorization + 7 : "";
    static const struct { const char *token; enum role role; } known[] = {
        { "ci-token", ROLE_CI }, { "agent-token", ROLE_AGENT }, { "admin-token", ROLE_ADMIN },
    };
    for (size_t i = 0; i < N_ITEMS(known); i++) {
        if (strcmp(token, known[i].token) == 0) {
            *out = (struct caller){ .role = known[i].role, .id = known[i].token, .name = "t", .from = given->from };
            return IDENTIFY_OK;
        }
    }
    return err_set(err, ERR_UNAUTHENTICATED, "unknown token");
}

static int fx_keep_get(struct db *db, const char *caller, const char *key, const uint8_t *request,
                       struct arena *arena, struct kept_answer *out, struct err *err)
{
    struct db_rows rows = { 0 };

    int rc = db_row(db, &fixture_q[Q_KEPT], DB_IN(db_t(caller), db_t(key)), &rows, err);
    if (rc != 1)
        return rc;
    struct bytes hash = db_col_b(&rows, 0), answer = db_col_b(&rows, 2);
    bool same = hash.len == REQUEST_HASH_LEN && memcmp(hash.ptr, request, hash.len) == 0;
    out->status = (int)db_col_i(&rows, 1);
    out->body = (struct bytes){ (const unsigned char *)arena_strndup(arena, (const char *)answer.ptr, answer.len),
                                answer.len };
    db_rows_close(&rows);
    return same ? 1 : err_set(err, ERR_CONFLICT, "Idempotency-Key: used for another request");
}

static int fx_keep_put(struct db *db, const char *caller, const char *key, const uint8_t *request,
                       const struct kept_answer *answer, int64_t now_ms, struct err *err)
{
    (void)now_ms;
    return db_exec(db, &fixture_q[Q_KEEP],
                   DB_IN(db_t(caller), db_t(key), db_b(request, REQUEST_HASH_LEN), db_i(answer->status),
                         db_b(answer->body.ptr, answer->body.len)), NULL, err);
}

static const struct http_hooks fx_hooks = { .identify = fx_identify, .keep = { fx_keep_get, fx_keep_put } };

/* ---- the server ------------------------------------------------------------------- */

struct fixture {
    struct app app;
    struct http_server *server;
    struct work_pool *work;
    struct writer *writer;
    struct metrics *metrics;
    struct log log;
    char dir[64], db[96];
    int port;
};

static inline void fx_must(int rc, const struct err *err, const char *what)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, err->msg);
    exit(2);
}

static inline void fx_database(struct fixture *f)
{
    struct err err = { 0 };
    struct db *db = NULL;

    snprintf(f->dir, sizeof f->dir, "/tmp/keep-http-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        exit(2);
    snprintf(f->db, sizeof f->db, "%s/t.db", f->dir);
    fx_must(db_open(f->db, DB_MIGRATOR, &db, &err), &err, "migrator");
    fx_must(db_begin_write(db, &err), &err, "begin");
    fx_must(db_script(db, fixture_schema, &err), &err, "schema");
    fx_must(db_commit(db, &err), &err, "commit");
    db_close(db);
}

/* files may be NULL. */
static inline void fx_start_with(struct fixture *f, const struct http_config *cfg, const struct work_config *work,
                                 const struct web_file *files, size_t n_files,
                                 const struct route *table, size_t n_table)
{
    struct err err = { 0 };
    struct work_config w = *work;
    struct http_config c = *cfg;

    memset(f, 0, sizeof *f);
    fx_database(f);
    f->log = (struct log){ -1, LOG_INFO };
    w.db_url = f->db;
    w.sets = &fixture_queries;
    w.n_sets = 1;
    fx_must(writer_open(f->db, &fixture_queries, 1, 1000, 100, &f->writer, &err), &err, "writer");
    fx_must(work_open(&w, &f->work, &err), &err, "work");
    fx_must(metrics_new(&f->metrics, &err), &err, "metrics");
    if (c.listen == NULL)
        c.listen = "127.0.0.1:0";
    struct http_back back = { .app = &f->app, .hooks = &fx_hooks, .routes = table, .n_routes = n_table,
                              .files = files, .n_files = n_files, .work = f->work, .writer = f->writer,
                              .log = &f->log, .metrics = f->metrics };
    fx_must(http_open(&c, &back, &f->server, &err), &err, "server");
    f->port = http_port(f->server, false);
}

static inline void fx_start(struct fixture *f, const struct http_config *cfg, const struct work_config *work,
                            const struct web_file *files, size_t n_files)
{
    fx_start_with(f, cfg, work, files, n_files, fx_routes, N_ITEMS(fx_routes));
}

static inline void fx_stop(struct fixture *f)
{
    char cmd[3][160];

    atomic_store(&f->app.hold, false);
    http_close(f->server);
    work_close(f->work);
    writer_close(f->writer);
    metrics_free(f->metrics);
    snprintf(cmd[0], sizeof cmd[0], "%s", f->db);
    snprintf(cmd[1], sizeof cmd[1], "%s-wal", f->db);
    snprintf(cmd[2], sizeof cmd[2], "%s-shm", f->db);
    for (int i = 0; i < 3; i++)
        unlink(cmd[i]);
    rmdir(f->dir);
}

#endif
