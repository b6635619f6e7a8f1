/* kill -9 while clients upload: what was acknowledged is there afterwards, byte for
 * byte, nothing is there by half, and the database verifies.  KEEP_ROUNDS says how
 * often (12).  And SIGTERM under load: what was accepted is answered, exit code 0. */
#include "tests/flow/upload.h"

#include <pthread.h>
#include <stdatomic.h>

enum { CLIENTS = 6, ACKED_MAX = 200000 };

struct acked { char scan[40], evidence[72]; uint8_t sha[SHA256_LEN]; int64_t findings; };

struct crowd {
    struct keepd *keepd;
    atomic_bool stop;
    atomic_int next_image, lost, refused;
    pthread_mutex_t lock;
    struct acked *acked;
    size_t n, checked;
};

static uint32_t any(uint32_t from, uint32_t to)
{
    uint32_t r;

    random_bytes(&r, sizeof r);
    return from + r % (to - from);
}

/* Most uploads are new images; some are a newer scan of one that is there. */
static void make_upload(struct crowd *w, struct buf *body, int64_t *findings)
{
    int last = atomic_load(&w->next_image);
    struct report_spec s = spec_of(last > 4 && any(0, 4) == 0 ? (int)any(1, (uint32_t)last) : atomic_fetch_add(&w->next_image, 1));

    s.packages = (int)any(5, 60);
    s.findings = (int)any(1, 40);
    s.variant = (int)any(0, 5);
    s.padding = any(0, 20000);
    s.scanned_ms = time_now_ms() - 1000;
    buf_clear(body);
    envelope_make(&s, w->keepd->key, false, body);
    *findings = s.findings;
}

static void remember(struct crowd *w, const struct json *answer, const struct buf *body, int64_t findings)
{
    struct acked a = { .findings = findings };

    snprintf(a.scan, sizeof a.scan, "%s", text_at(answer, "scan.id"));
    snprintf(a.evidence, sizeof a.evidence, "%s", text_at(answer, "scan.evidence"));
    sha256(body->ptr, body->len, a.sha);
    pthread_mutex_lock(&w->lock);
    if (w->n < ACKED_MAX)
        w->acked[w->n++] = a;
    pthread_mutex_unlock(&w->lock);
}

static void *upload_on(void *arg)
{
    struct crowd *w = arg;
    struct client c;
    struct buf body;
    int64_t findings;

    client_init(&c, w->keepd->port);
    c.timeout_ms = 20000;
    buf_init(&body, 64 << 20);
    while (!atomic_load(&w->stop)) {
        make_upload(w, &body, &findings);
        struct ask ask = { "POST", "/v1/scans", keepd_token(w->keepd, ROLE_CI), NULL, body.ptr, body.len };
        struct reply r = client_send(&c, &ask);
        if (r.status == 201 || r.status == 200)
            remember(w, client_json(&c, &r), &body, findings);
        else if (r.status == 503)
            atomic_fetch_add(&w->refused, 1);
        else if (r.status == 0 && (atomic_fetch_add(&w->lost, 1), true))
            break;                              /* killed: this one may be either */
        else
            fail_msg("an upload was answered %d: %.*s", r.status, (int)(r.len < 300 ? r.len : 300), r.body);
    }
    buf_free(&body);
    client_free(&c);
    return NULL;
}

static void crowd_start(struct crowd *w, pthread_t threads[CLIENTS])
{
    atomic_store(&w->stop, false);
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, upload_on, w), 0);
}

static void crowd_join(struct crowd *w, pthread_t threads[CLIENTS])
{
    atomic_store(&w->stop, true);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- afterwards ----------------------------------------------------------------- */

static void check_acked(struct client *c, const struct keepd *k, const struct acked *a)
{
    char path[120];
    uint8_t sha[SHA256_LEN];

    snprintf(path, sizeof path, "/v1/evidence/%s", a->evidence);
    struct ask ask = { "GET", path, keepd_token(k, ROLE_VIEWER), NULL, NULL, 0 };
    struct reply r = client_send(c, &ask);
    if (r.status != 200)
        fail_msg("acknowledged evidence %s: %d", a->evidence, r.status);
    sha256(r.body, r.len, sha);
    assert_memory_equal(sha, a->sha, sizeof sha);
    snprintf(path, sizeof path, "/v1/scans/%s", a->scan);
    const struct json *scan = keepd_ask(c, keepd_token(k, ROLE_VIEWER), "GET", path, NULL, 200);
    assert_int_equal(json_int(json_get(scan, "findings"), -1), a->findings);
}

/* Each query counts what must not be. */
static const struct db_query nothing[] = {
    { "findings.other", "", "i", "SELECT COUNT(*) FROM scans s WHERE s.is_current = 1 AND s.n_findings <> "
      "(SELECT COUNT(*) FROM findings f WHERE f.image_id = s.image_id AND f.scanner_id = s.scanner_id)" },
    { "packages.other", "", "i", "SELECT COUNT(*) FROM images i WHERE i.n_packages <> "
      "(SELECT COUNT(*) FROM image_packages p WHERE p.image_id = i.id)" },
    { "images.bare", "", "i", "SELECT COUNT(*) FROM images i WHERE NOT EXISTS (SELECT 1 FROM scans s WHERE s.image_id = i.id)" },
    { "scans.current", "", "i", "SELECT COUNT(*) FROM (SELECT image_id, scanner_id FROM scans GROUP BY image_id, scanner_id "
      "HAVING SUM(is_current) <> 1) q" },
    { "evidence.unused", "", "i", "SELECT COUNT(*) FROM evidence e WHERE NOT EXISTS (SELECT 1 FROM scans s WHERE s.evidence_id = e.id)" },
    { "audit.missing", "", "i", "SELECT COUNT(*) FROM scans s WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.object_kind = 'scan' "
      "AND a.object_id = s.id AND a.action = 'upload')" },
    { "verdicts.missing", "", "i", "SELECT COUNT(*) FROM images i WHERE NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.image_id = i.id)" },
};

static void check_nothing_by_half(const struct keepd *k)
{
    struct err err;
    struct db *db;
    int64_t n;

    assert_int_equal(db_open(k->db, DB_READER, &db, &err), 0);
    assert_int_equal(db_begin_read(db, &err), 0);
    for (size_t i = 0; i < N_ITEMS(nothing); i++) {
        if (db_int(db, &nothing[i], DB_NONE, -1, &n, &err) != 0)
            fail_msg("%s", err.msg);
        if (n != 0)
            fail_msg("%s: %lld", nothing[i].name, (long long)n);
    }
    db_rollback(db);
    db_close(db);
}

static void check_all(struct crowd *w, size_t from)
{
    struct client c;

    client_init(&c, w->keepd->port);
    for (size_t i = from; i < w->n; i++)
        check_acked(&c, w->keepd, &w->acked[i]);
    client_free(&c);
}

static void one_round(struct crowd *w)
{
    static const char *const verify[] = { "verify", NULL };
    pthread_t threads[CLIENTS];
    char said[4096];
    size_t from = w->n;

    crowd_start(w, threads);
    nap_ms(any(20, 500));
    assert_int_equal(keepd_stop(w->keepd, SIGKILL, 10000), 128 + SIGKILL);
    crowd_join(w, threads);
    if (any(0, 2) == 0 && keepd_run(w->keepd, verify, said, sizeof said) != 0)      /* before anybody repairs anything */
        fail_msg("keepd verify: %s", said);
    keepd_start(w->keepd);
    check_all(w, from);
    check_nothing_by_half(w->keepd);
}

static int rounds(void)
{
    const char *text = getenv("KEEP_ROUNDS");
    int64_t n;

    return text != NULL && str_to_i64(text, 1, 100000, &n) ? (int)n : 12;
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
    static const char *const verify[] = { "verify", NULL };
    struct fixture *t = *state;
    struct crowd w = { .keepd = &t->keepd, .next_image = 1, .lock = PTHREAD_MUTEX_INITIALIZER };
    char said[4096];

    w.acked = calloc(ACKED_MAX, sizeof *w.acked);
    assert_non_null(w.acked);
    for (int i = 0; i < rounds(); i++)
        one_round(&w);
    check_all(&w, 0);
    client_close(&t->client);
    assert_int_equal(keepd_stop(&t->keepd, SIGTERM, 20000), 0);
    assert_int_equal(keepd_run(&t->keepd, verify, said, sizeof said), 0);
    keepd_start(&t->keepd);
    t->client.port = t->keepd.port;
    printf("kill -9: %d rounds, %zu acknowledged, %d unanswered, %d refused; 0 lost, 0 by half\n", rounds(), w.n,
           atomic_load(&w.lost), atomic_load(&w.refused));
    free(w.acked);
}

static int64_t count_scans(const struct keepd *k)
{
    struct table_counts counts;
    int64_t n = -1;

    keepd_count(k, &counts);
    for (size_t i = 0; i < counts.n; i++)
        if (strcmp(counts.name[i], "scans") == 0)
            n = counts.rows[i];
    return n;
}

/* A client whose connection is closed before its request is taken gets no answer;
 * but what is in the store afterwards, its client was told. */
static void sigterm_under_load_answers_what_was_accepted(void **state)
{
    struct fixture *t = *state;
    pthread_t threads[CLIENTS];

    for (int i = 0; i < 3; i++) {
        struct crowd w = { .keepd = &t->keepd, .next_image = 500000 + i * 1000, .lock = PTHREAD_MUTEX_INITIALIZER };
        struct timespec from, to;
        w.acked = calloc(ACKED_MAX, sizeof *w.acked);
        assert_non_null(w.acked);
        client_close(&t->client);
        int64_t before = count_scans(&t->keepd);
        crowd_start(&w, threads);
        nap_ms(any(200, 500));
        clock_gettime(CLOCK_MONOTONIC, &from);
        assert_int_equal(keepd_stop(&t->keepd, SIGTERM, 15000), 0);
        clock_gettime(CLOCK_MONOTONIC, &to);
        crowd_join(&w, threads);
        assert_true(to.tv_sec - from.tv_sec < 11);
        keepd_start(&t->keepd);
        t->client.port = t->keepd.port;
        check_all(&w, 0);
        check_nothing_by_half(&t->keepd);
        assert_true(w.n > 0);
        assert_int_equal(count_scans(&t->keepd) - before, w.n);
        free(w.acked);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_kill_9),
        cmocka_unit_test(sigterm_under_load_answers_what_was_accepted),
    };

    return cmocka_run_group_tests_name("kill", tests, fixture_open, fixture_close);
}
