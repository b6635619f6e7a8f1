/* calls.h - handlers called as the dispatcher calls them, without HTTP: body
 * decoded by the route's shape, prepare, one write transaction, run. */
#ifndef KEEP_TESTS_CALLS_H
#define KEEP_TESTS_CALLS_H

#include "tests/store/engine.h"

#include "base/crypto.h"
#include "base/time.h"
#include "db/migrate.h"
#include "http/routes_people.h"
#include "service/auth.h"
#include "store/api_token.h"
#include "store/allowance.h"
#include "store/audit.h"
#include "store/exception.h"
#include "store/finding.h"
#include "store/idempotency.h"
#include "store/image.h"
#include "store/login_link.h"
#include "store/package.h"
#include "store/policy_doc.h"
#include "store/recheck.h"
#include "store/session.h"
#include "store/signer.h"
#include "store/user.h"

struct calls {
    struct engine engine;
    struct db *db;
    struct app app;
    struct arena arena;
    struct caller caller;
    int64_t now_ms;
    struct err err;              /* of the last call */
    int status;
    const char *set_cookie;
    struct bytes answer;
};

/* The engine of the next fixture; NULL: SQLite. */
static const char *calls_pg_url;

static const int64_t T0 = INT64_C(1796000000000);

static inline int calls_open(void **state)
{
    struct calls *t = calloc(1, sizeof *t);
    int applied;

    if (t == NULL)
        abort();
    ENGINE_OK(crypto_init(&engine_err));
    engine_fresh(&t->engine, calls_pg_url);
    ENGINE_OK(migrate_run(t->engine.url, migrations, T0, &applied, &engine_err));
    t->db = engine_open(t->engine.url, DB_WRITER);
    arena_init(&t->arena, 256 << 20);
    t->now_ms = T0;
    t->app.settings = (struct settings){
        .session_idle_ms = 12 * MS_HOUR, .session_max_ms = 7 * MS_DAY, .token_max_ms = 400 * MS_DAY,
        .exception_max_ms = 365 * MS_DAY, .scan_max_age_ms = 7 * MS_DAY, .database_max_age_ms = 3 * MS_DAY,
    };
    t->app.touched = touched_new();
    t->caller = (struct caller){ .role = ROLE_ADMIN, .id = "usr_test", .name = "tess", .from = "192.0.2.7" };
    *state = t;
    return 0;
}

static inline int calls_close(void **state)
{
    struct calls *t = *state;

    db_close(t->db);
    touched_free(t->app.touched);
    arena_clear(&t->arena);
    engine_clear(&t->engine);
    free(t);
    return 0;
}

static inline const struct route *route_of(const char *method, const char *path)
{
    for (size_t i = 0; i < n_routes_people; i++)
        if (str_eq(routes_people[i].method, method) && str_eq(routes_people[i].path, path))
            return &routes_people[i];
    fprintf(stderr, "no route %s %s\n", method, path);
    abort();
}

/* The struct a JSON text or a query string stands for. */
static inline int calls_decode(struct calls *t, const struct shape *shape, const char *text, bool is_query, void **out)
{
    struct json doc;

    *out = arena_alloc(&t->arena, shape->size);
    shape_init(shape, *out);
    if (is_query)
        return shape_decode_query(shape, text, &t->arena, *out, &t->err);
    if (json_parse(&t->arena, text, strlen(text), NULL, &doc, &t->err) != 0)
        return -1;
    return shape_decode(shape, &doc, &t->arena, *out, NULL, &t->err);
}

/* 0, or -1 with t->err; *out is the answer struct (NULL for routes without). */
static inline int calls_run(struct calls *t, const char *method, const char *path, const char *value,
                            const char *query, const char *body, void **out)
{
    const struct route *r = route_of(method, path);
    const char *const values[] = { value };
    struct call c = {
        .app = &t->app, .db = t->db, .arena = &t->arena, .caller = &t->caller, .now_ms = t->now_ms,
        .request_id = "req-1", .path = values, .complaints.arena = &t->arena,
    };
    void *in = NULL, *asked = NULL, *made = r->out == NULL ? NULL : arena_alloc(&t->arena, r->out->size);

    if (r->body == BODY_JSON && calls_decode(t, r->in, body, false, &in) != 0)
        return -1;
    if (r->body == BODY_RAW)
        c.body = (struct bytes){ (const unsigned char *)body, strlen(body) };
    if (r->query != NULL && query != NULL && calls_decode(t, r->query, query, true, &asked) != 0)
        return -1;
    c.query = asked;
    bool writes = r->class == CLASS_WRITE;
    ENGINE_OK(writes ? db_begin_write(t->db, &engine_err) : db_begin_read(t->db, &engine_err));
    int rc = r->prepare == NULL ? 0 : r->prepare(&c, in, made, &t->err);
    if (rc == 0)
        rc = r->run(&c, in, made, &t->err);
    if (rc == 0)
        ENGINE_OK(db_commit(t->db, &engine_err));
    else
        db_rollback(t->db);
    t->status = c.status == 0 ? 200 : c.status;
    t->set_cookie = c.set_cookie;
    t->answer = c.answer;
    if (out != NULL)
        *out = made;
    return rc;
}

/* Must succeed. */
static inline void *calls_ok(struct calls *t, const char *method, const char *path, const char *value,
                             const char *query, const char *body)
{
    void *out;

    if (calls_run(t, method, path, value, query, body, &out) != 0) {
        fprintf(stderr, "%s %s %s: %s\n", method, path, body == NULL ? "" : body, t->err.msg);
        abort();
    }
    return out;
}

/* Must fail with this kind. */
#define calls_refused(t, kind_, ...) do { \
        assert_int_equal(calls_run((t), __VA_ARGS__, NULL), -1); \
        if ((t)->err.kind != (kind_)) fprintf(stderr, "%s\n", (t)->err.msg); \
        assert_int_equal((t)->err.kind, (kind_)); \
    } while (0)

/* The answer as JSON. */
static inline const char *calls_json(struct calls *t, const struct shape *shape, const void *out)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    shape_encode(shape, out, &b);
    const char *text = arena_strndup(&t->arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

static inline int64_t calls_audit_last(struct calls *t)
{
    int64_t seq;

    ENGINE_OK(db_begin_read(t->db, &engine_err));
    ENGINE_OK(audit_last(t->db, &seq, &engine_err));
    db_rollback(t->db);
    return seq;
}

static inline int calls_identify(struct calls *t, const char *authorization, const char *cookie, struct caller *out)
{
    struct credentials cred = { .authorization = authorization, .cookie = cookie, .from = "192.0.2.9" };

    ENGINE_OK(db_begin_read(t->db, &engine_err));
    int rc = identify(&t->app, t->db, &cred, &t->arena, t->now_ms, out, &t->err);
    db_rollback(t->db);
    return rc;
}

/* Once on SQLite, and once more on PostgreSQL when there is one. */
#define CALLS_RUN(tests) do { \
        int failed_ = cmocka_run_group_tests(tests, NULL, NULL); \
        calls_pg_url = engine_pg_url(); \
        if (calls_pg_url != NULL) \
            failed_ += cmocka_run_group_tests_name("PostgreSQL", tests, NULL, NULL); \
        return failed_; \
    } while (0)

#endif
