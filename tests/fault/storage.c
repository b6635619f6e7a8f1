/* The n-th database call of a request fails, for every n until the request gets
 * through: the error comes out, nothing of the request is in the store, and the next
 * request works.  Handlers run as the dispatcher runs them, without HTTP. */
#include "tests/flow/upload.h"
#include "tests/store/engine.h"

#include "cmd/serve.h"
#include "db/fault.h"
#include "db/migrate.h"
#include "service/app.h"
#include "service/policies.h"
#include "service/setup.h"
#include "service/shipped.h"
#include "service/touched.h"

#include <fcntl.h>

struct request {
    const char *method, *path, *value, *query, *body;     /* body "@scan": a signed scan */
    int64_t max_calls;                                     /* a bound for the loop, not a claim */
};

static const char digest_1[] = "sha256:@1";               /* replaced by the digest of image 1 */

static const struct request requests[] = {
    { "POST", "/v1/scans", NULL, NULL, "@scan", 900 },
    { "POST", "/v1/images", NULL, NULL, "{\"image\":\"shop.example/new:2@sha256:00000000000000000000000000000000000000000000000000000000000000aa\",\"team\":\"shop\"}", 300 },
    { "POST", "/v1/running", NULL, NULL, "{\"cluster\":\"prod\",\"workloads\":[{\"namespace\":\"n\",\"workload\":\"w\",\"container\":\"c\",\"image\":\"shop.example/x@sha256:00000000000000000000000000000000000000000000000000000000000000ab\"}]}", 300 },
    { "POST", "/v1/repositories", NULL, NULL, "{\"name\":\"shop.example/app\",\"team\":\"shop\"}", 100 },
    { "POST", "/v1/exceptions", NULL, NULL, "{\"vulnerability\":\"CVE-2026-0001\",\"reason\":\"not reachable here\",\"owner\":\"team-a\",\"expires_in\":\"1d\"}", 100 },
    { "POST", "/v1/tokens", NULL, NULL, "{\"name\":\"t\",\"role\":\"ci\",\"expires_in\":\"1d\"}", 100 },
    { "POST", "/v1/users", NULL, NULL, "{\"name\":\"ada\",\"role\":\"viewer\"}", 100 },
    { "POST", "/v1/unsigned-allowances", NULL, NULL, "{\"pattern\":\"team.example/*\",\"reason\":\"only for tests\",\"expires_in\":\"1d\"}", 100 },
    { "PUT", "/v1/policies/{name}", "scan-age", NULL, "apiVersion: keep/v1\nkind: Policy\nmetadata:\n  name: scan-age\n  title: Recent\nspec:\n  stages: [build]\n  mode: enforce\n  unknown: deny\n  validations:\n    - name: few\n      expression: image.packages < 5\n      message: too many\n      severity: low\n", 200 },
    { "POST", "/v1/policies/{name}/disable", "scan-age", NULL, NULL, 100 },
    { "GET", "/v1/images", NULL, "sort=risk", NULL, 50 },
    { "GET", "/v1/images/{digest}", digest_1, NULL, NULL, 50 },
    { "GET", "/v1/images/{digest}/verdict", digest_1, NULL, NULL, 100 },
    { "GET", "/v1/images/{digest}/findings", digest_1, NULL, NULL, 100 },
    { "GET", "/v1/images/{digest}/packages", digest_1, NULL, NULL, 50 },
    { "GET", "/v1/images/{digest}/verdicts", digest_1, NULL, NULL, 50 },
    { "GET", "/v1/images/{digest}/changes", digest_1, NULL, NULL, 50 },
    { "GET", "/v1/findings", NULL, "vulnerability=CVE-2026-0001", NULL, 50 },
    { "GET", "/v1/packages", NULL, "name=libcore0", NULL, 50 },
    { "GET", "/v1/vulnerabilities", NULL, NULL, NULL, 50 },
    { "GET", "/v1/posture", NULL, NULL, NULL, 100 },
    { "GET", "/v1/posture/trend", NULL, NULL, NULL, 50 },
    { "GET", "/v1/scans", NULL, NULL, NULL, 50 },
    { "GET", "/v1/running", NULL, NULL, NULL, 50 },
    { "GET", "/v1/audit", NULL, NULL, NULL, 50 },
    { "GET", "/v1/exceptions", NULL, NULL, NULL, 50 },
};

static struct {
    struct engine engine;
    struct app app;
    struct privkey *key;
    struct buf scan, file;                                 /* an upload; the seeded database, as bytes */
    char digest[72];
    struct err err;
} T;

static const struct route *route_of(const struct request *q)
{
    size_t n;
    const struct route *all = routes_gather(&n);

    for (size_t i = 0; i < n; i++)
        if (str_eq(all[i].method, q->method) && str_eq(all[i].path, q->path))
            return &all[i];
    fail_msg("no route %s %s", q->method, q->path);
    return NULL;
}

static int decode(struct call *c, const struct route *r, const struct request *q, void **in, void **asked, struct err *err)
{
    struct json doc;

    if (r->body == BODY_JSON) {
        *in = arena_alloc(c->arena, r->in->size);
        shape_init(r->in, *in);
        if (json_parse(c->arena, q->body, strlen(q->body), NULL, &doc, err) != 0 || shape_decode(r->in, &doc, c->arena, *in, NULL, err) != 0)
            return -1;
    } else if (q->body != NULL) {
        bool scan = str_eq(q->body, "@scan");
        c->body = (struct bytes){ (const unsigned char *)(scan ? T.scan.ptr : q->body), scan ? T.scan.len : strlen(q->body) };
    }
    if (r->query == NULL)
        return 0;
    *asked = arena_alloc(c->arena, r->query->size);
    shape_init(r->query, *asked);
    return shape_decode_query(r->query, q->query != NULL ? q->query : "", c->arena, *asked, err);
}

/* The request as a transaction on this connection. */
static int run(struct db *db, const struct request *q, struct err *err)
{
    static const char *const no_headers[8];
    const struct route *r = route_of(q);
    struct arena arena;
    struct caller caller = { .role = ROLE_ADMIN, .id = "usr_test", .name = "tess", .from = "192.0.2.7" };
    const char *value = q->value == digest_1 ? T.digest : q->value;
    void *in = NULL, *asked = NULL;

    arena_init(&arena, (size_t)256 << 20);
    struct call c = { .app = &T.app, .db = db, .arena = &arena, .caller = &caller, .now_ms = time_now_ms(), .request_id = "req-1",
                      .path = &value, .headers = no_headers, .content_type = "text/yaml", .complaints.arena = &arena };
    void *out = r->out != NULL ? arena_alloc(&arena, r->out->size) : NULL;
    int rc = decode(&c, r, q, &in, &asked, err);
    if (rc != 0)
        fail_msg("%s %s: %s", q->method, q->path, err->msg);
    c.query = asked;
    if ((rc = r->class == CLASS_WRITE ? db_begin_write(db, err) : db_begin_read(db, err)) == 0) {
        rc = r->prepare != NULL ? r->prepare(&c, in, out, err) : 0;
        if (rc == 0)
            rc = r->run(&c, in, out, err);
        if (rc == 0)
            rc = db_commit(db, err);
        else
            db_rollback(db);
    }
    arena_clear(&arena);
    return rc;
}

/* ---- a database to start from, again and again ------------------------------------ */

static void write_file(const char *path, const struct buf *bytes)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes->ptr, 1, bytes->len, f), bytes->len);
    assert_int_equal(fclose(f), 0);
}

static void read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "r");
    char part[65536];
    size_t n;

    assert_non_null(f);
    buf_clear(out);
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        buf_put(out, part, n);
    fclose(f);
}

static void count_all(struct table_counts *out)
{
    struct keepd k = { 0 };

    snprintf(k.db, sizeof k.db, "%s", T.engine.url);
    keepd_count(&k, out);
}

static void restore(void)
{
    char path[600];

    snprintf(path, sizeof path, "%s-wal", T.engine.url);
    unlink(path);
    snprintf(path, sizeof path, "%s-shm", T.engine.url);
    unlink(path);
    write_file(T.engine.url, &T.file);
}

static void must(int rc)
{
    if (rc != 0)
        fail_msg("%s", T.err.msg);
}

static void seed(struct db *db)
{
    struct arena arena;
    struct report_spec s = spec_of(1);
    size_t changed;

    arena_init(&arena, 64 << 20);
    must(db_begin_write(db, &T.err));
    must(setup_policies(db, &arena, shipped_policies, n_shipped_policies, 1, &changed, &T.err));
    must(db_commit(db, &T.err));
    must(run(db, &(struct request){ "POST", "/v1/unsigned-allowances", NULL, NULL, "{\"pattern\":\"shop.example/*\",\"reason\":\"only for tests\",\"expires_in\":\"1d\"}", 0 }, &T.err));
    s.packages = s.findings = 4;
    report_make(&s, &T.scan);
    must(run(db, &(struct request){ "POST", "/v1/scans", NULL, NULL, "@scan", 0 }, &T.err));
    s.variant = 1;                                         /* what the requests upload is newer, and different */
    s.findings = 6;
    s.scanned_ms += 5000;
    buf_clear(&T.scan);
    report_make(&s, &T.scan);
    arena_clear(&arena);
}

static int setup(void **state)
{
    int applied;

    (void)state;
    must(crypto_init(&T.err));
    db_fault_enable();
    engine_fresh(&T.engine, NULL);
    buf_init(&T.scan, 64 << 20);
    buf_init(&T.file, 256 << 20);
    image_digest(1, T.digest);
    T.app.settings = (struct settings){ .session_idle_ms = 12 * MS_HOUR, .session_max_ms = 7 * MS_DAY, .token_max_ms = 400 * MS_DAY,
        .exception_max_ms = 365 * MS_DAY, .scan_max_age_ms = 7 * MS_DAY, .database_max_age_ms = 3 * MS_DAY, .clock_skew_ms = MS_MINUTE };
    T.app.touched = touched_new();
    must(policies_open(&T.app, &T.err));
    must(migrate_run(T.engine.url, migrations, 1, &applied, &T.err));
    struct db *db = engine_open(T.engine.url, DB_WRITER);
    seed(db);
    must(db_checkpoint(db, true, &T.err));
    db_close(db);
    read_file(T.engine.url, &T.file);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    policies_close(&T.app);
    touched_free(T.app.touched);
    buf_free(&T.scan);
    buf_free(&T.file);
    engine_clear(&T.engine);
    return 0;
}

/* ---- the loop -------------------------------------------------------------------- */

/* False when the request got through without its n-th call failing. */
static bool fails_at(const struct request *q, int64_t n, const char *kind, enum err_kind expected, const struct table_counts *before)
{
    char url[700];
    struct db *db = NULL;
    struct table_counts after;
    struct err err = { 0 };
    int64_t fired = db_fault_fired();

    restore();
    snprintf(url, sizeof url, "fault:%lld:%s:%s", (long long)n, kind, T.engine.url);
    must(db_open(url, DB_WRITER, &db, &err));
    int rc = run(db, q, &err);
    db_close(db);
    bool struck = db_fault_fired() > fired;
    if (rc == 0)
        return struck;                                     /* rolled back quietly inside, or not struck at all */
    if (!struck || err.kind != expected)
        fail_msg("%s %s, call %lld: %s", q->method, q->path, (long long)n, err.msg);
    count_all(&after);
    if (!table_counts_equal(before, &after, NULL))
        fail_msg("%s %s, call %lld: left something behind", q->method, q->path, (long long)n);
    db = engine_open(T.engine.url, DB_WRITER);
    if (run(db, q, &err) != 0)
        fail_msg("%s %s after call %lld had failed: %s", q->method, q->path, (long long)n, err.msg);
    db_close(db);
    return true;
}

static void every_call(const char *kind, enum err_kind expected, bool reads)
{
    struct table_counts before;

    restore();
    count_all(&before);
    for (size_t i = 0; i < N_ITEMS(requests); i++) {
        if (!reads && str_eq(requests[i].method, "GET"))
            continue;
        int64_t n = 1;
        while (n < requests[i].max_calls && fails_at(&requests[i], n, kind, expected, &before))
            n++;
        if (n == 1 || n == requests[i].max_calls)
            fail_msg("%s %s: %lld calls", requests[i].method, requests[i].path, (long long)n);
        printf("%-4s %-34s %4lld calls\n", requests[i].method, requests[i].path, (long long)n - 1);
    }
}

static void every_call_may_be_unavailable(void **state)
{
    (void)state;
    every_call("unavailable", ERR_UNAVAILABLE, true);
}

static void every_call_may_find_the_disk_full(void **state)
{
    (void)state;
    every_call("storage-full", ERR_STORAGE_FULL, false);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_may_be_unavailable),
        cmocka_unit_test(every_call_may_find_the_disk_full),
    };

    return cmocka_run_group_tests_name("storage", tests, setup, teardown);
}
