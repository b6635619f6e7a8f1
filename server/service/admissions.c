/* admissions.c - see admissions.h: two batches, one being filled, one being written. */
#include "service/admissions.h"

#include "base/compress.h"
#include "base/time.h"
#include "service/facts_cache.h"
#include "store/admission.h"
#include "wire/msg/admission.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH_MAX = 4096, BATCH_BYTES = 16 << 20, BATCH_AT_ONCE = 256, FLUSH_MS = 250, EXCLUDED_MAX = 64, ZSTD_LEVEL = 1 };

static const int64_t bounds_us[] = { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 100000, 500000, 1000000, 2500000 };
enum { N_BOUNDS = sizeof bounds_us / sizeof *bounds_us };

struct batch {
    struct arena arena;
    struct admission rows[BATCH_MAX];
    size_t n, from;                      /* rows from `from` on are still to be written */
};

struct admissions {
    struct app *app;
    struct arena arena;
    struct admission_scope scope;
    struct facts_cache *facts;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, written;
    bool closing, hurry;
    struct batch *filling, *writing;
    int64_t n_added, n_done;             /* rows ever; n_done counts lost ones, too */
    atomic_llong outcomes[ADMISSION_OUTCOME_N], buckets[N_BOUNDS + 1], sum_us, dropped, unrecorded, recorded;
};

/* ---- the batch --------------------------------------------------------------------- */

static bool keep(struct batch *b, const struct admission *row, struct bytes review)
{
    struct admission *to = &b->rows[b->n];
    struct admission copy = *row;
    bool failed = false;

    const char **texts[] = { &copy.cluster, &copy.namespace, &copy.kind, &copy.name, &copy.operation, &copy.username, &copy.uid,
                             &copy.break_glass, &copy.reasons, &copy.images };
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        if (*texts[i] != NULL && (*texts[i] = arena_strdup(&b->arena, *texts[i])) == NULL)
            failed = true;
    }
    copy.review = (struct bytes){ NULL, 0 };
    if (review.len > 0 && review.len <= ADMISSIONS_REVIEW_MAX) {
        unsigned char *bytes = arena_bytes(&b->arena, review.len);
        if (bytes != NULL)
            memcpy(bytes, review.ptr, review.len);
        failed |= bytes == NULL;
        copy.review = (struct bytes){ bytes, review.len };
    }
    if (failed)
        return false;
    *to = copy;
    b->n++;
    return true;
}

void admissions_add(struct app *app, const struct admission *row, struct bytes review)
{
    struct admissions *a = app->admissions;

    pthread_mutex_lock(&a->lock);
    if (a->filling->n < BATCH_MAX && keep(a->filling, row, review))
        a->n_added++;
    else
        atomic_fetch_add(&a->dropped, 1);
    if (a->filling->n == BATCH_AT_ONCE)
        pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
}

/* In place: the packed review lies in `packed`, which must live as long as the row. */
static void pack(struct admission *row, struct bytes review, struct buf *packed)
{
    struct err ignored = { 0 };
    size_t at = packed->len;

    row->review = (struct bytes){ NULL, 0 };
    if (review.len == 0 || review.len > ADMISSIONS_REVIEW_MAX || zstd_deflate(review.ptr, review.len, ZSTD_LEVEL, packed, &ignored) != 0)
        return;
    row->review = (struct bytes){ (const unsigned char *)packed->ptr + at, packed->len - at };
}

/* As many rows as one job takes: others must get their turn at the writer. */
static int write_some(struct db *db, void *arg, struct err *err)
{
    const struct batch *b = arg;

    for (size_t i = b->from; i < b->n && i < b->from + BATCH_AT_ONCE; i++) {
        if (admission_insert(db, &b->rows[i], err) != 0)
            return -1;
    }
    return 0;
}

static void pack_batch(struct batch *b)
{
    struct buf one;

    buf_init(&one, 2 * ADMISSIONS_REVIEW_MAX);
    for (size_t i = 0; i < b->n; i++) {
        buf_clear(&one);
        struct bytes review = b->rows[i].review;
        pack(&b->rows[i], review, &one);
        if (b->rows[i].review.ptr == NULL)
            continue;
        /* Back into the place of what it was made of: compressed text is smaller, or not kept. */
        if (one.len <= review.len)
            memcpy((unsigned char *)(uintptr_t)review.ptr, one.ptr, one.len);
        b->rows[i].review = one.len <= review.len ? (struct bytes){ review.ptr, one.len } : (struct bytes){ NULL, 0 };
    }
    buf_free(&one);
}

static void write_batch(struct admissions *a, struct batch *b)
{
    pack_batch(b);
    for (b->from = 0; b->from < b->n; b->from += BATCH_AT_ONCE) {
        size_t n = b->n - b->from < BATCH_AT_ONCE ? b->n - b->from : BATCH_AT_ONCE;
        struct err err = { 0 };
        bool ok = writer_call(a->app->writer, write_some, b, &err) == 0;
        atomic_fetch_add(ok ? &a->recorded : &a->dropped, (long long)n);
    }
    b->n = 0;
    arena_reset(&b->arena);
}

static void wait_for_work(struct admissions *a)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += FLUSH_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    if (!a->closing && !a->hurry && a->filling->n < BATCH_AT_ONCE)
        pthread_cond_timedwait(&a->wake, &a->lock, &until);
    a->hurry = false;
}

static void *run(void *arg)
{
    struct admissions *a = arg;

    pthread_mutex_lock(&a->lock);
    for (;;) {
        wait_for_work(a);
        struct batch *full = a->filling;
        if (full->n == 0 && a->closing)
            break;
        if (full->n == 0)
            continue;
        size_t n = full->n;
        a->filling = a->writing;
        a->writing = full;
        pthread_mutex_unlock(&a->lock);
        write_batch(a, full);
        pthread_mutex_lock(&a->lock);
        a->n_done += (int64_t)n;
        pthread_cond_broadcast(&a->written);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

void admissions_flush(struct app *app)
{
    struct admissions *a = app->admissions;

    pthread_mutex_lock(&a->lock);
    int64_t goal = a->n_added;
    while (a->n_done < goal) {
        a->hurry = true;
        pthread_cond_signal(&a->wake);
        pthread_cond_wait(&a->written, &a->lock);
    }
    pthread_mutex_unlock(&a->lock);
}

/* ---- life ------------------------------------------------------------------------------ */

/* "a, b*,c" */
static int read_scope(struct admissions *a, const char *text, struct err *err)
{
    const char **list = arena_array(&a->arena, EXCLUDED_MAX, sizeof *list);
    size_t n = 0;

    if (list == NULL)
        return err_nomem(err);
    for (const char *s = text != NULL ? text : ""; *s != '\0';) {
        s += strspn(s, ", \t");
        size_t len = strcspn(s, ", \t");
        if (len == 0)
            break;
        if (n == EXCLUDED_MAX)
            return err_set(err, ERR_INVALID, "admission.excluded_namespaces: more than %d", EXCLUDED_MAX);
        list[n] = arena_strndup(&a->arena, s, len);
        if (list[n++] == NULL)
            return err_nomem(err);
        s += len;
    }
    a->scope = (struct admission_scope){ list, n };
    return 0;
}

static void release(struct admissions *a)
{
    struct batch *batches[] = { a->filling, a->writing };

    for (size_t i = 0; i < N_ITEMS(batches); i++) {
        if (batches[i] != NULL)
            arena_clear(&batches[i]->arena);
        free(batches[i]);
    }
    facts_cache_free(a->facts);
    arena_clear(&a->arena);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->wake);
    pthread_cond_destroy(&a->written);
    free(a);
}

int admissions_open(struct app *app, struct err *err)
{
    struct admissions *a = calloc(1, sizeof *a);

    if (a == NULL)
        return err_nomem(err);
    a->app = app;
    a->filling = calloc(1, sizeof *a->filling);
    a->writing = calloc(1, sizeof *a->writing);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->wake, NULL);
    pthread_cond_init(&a->written, NULL);
    arena_init(&a->arena, 1 << 20);
    int rc = a->filling == NULL || a->writing == NULL ? err_nomem(err) : read_scope(a, app->settings.admission_excluded, err);
    if (rc == 0)
        rc = facts_cache_new(&a->facts, err);
    if (rc == 0) {
        arena_init(&a->filling->arena, BATCH_BYTES);
        arena_init(&a->writing->arena, BATCH_BYTES);
        if (pthread_create(&a->thread, NULL, run, a) != 0)
            rc = err_set(err, ERR_UNAVAILABLE, "cannot start a thread");
    }
    if (rc != 0)
        return release(a), -1;
    app->admissions = a;
    return 0;
}

void admissions_close(struct app *app)
{
    struct admissions *a = app->admissions;

    if (a == NULL)
        return;
    pthread_mutex_lock(&a->lock);
    a->closing = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    release(a);
    app->admissions = NULL;
}

const struct admission_scope *admissions_scope(const struct app *app)
{
    return &app->admissions->scope;
}

struct facts_cache *admissions_facts(const struct app *app)
{
    return app->admissions != NULL ? app->admissions->facts : NULL;
}

/* ---- at once ------------------------------------------------------------------------------ */

/* Belongs to whoever waits and to the writer; the last one frees it. */
struct pending {
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct write_job job;
    struct arena arena;
    struct admission row;
    struct audit_entry audit;
    bool has_audit, is_done, left;
    int rc;
    struct err err;
};

static int write_pending(struct db *db, void *arg, struct err *err)
{
    const struct pending *p = arg;

    if (admission_insert(db, &p->row, err) != 0)
        return -1;
    return p->has_audit ? audit_append(db, &p->audit, err) : 0;
}

static void pending_free(struct pending *p)
{
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->done);
    arena_clear(&p->arena);
    free(p);
}

static void pending_done(void *arg, int rc, const struct err *err)
{
    struct pending *p = arg;

    pthread_mutex_lock(&p->lock);
    p->rc = rc;
    if (rc != 0)
        p->err = *err;
    p->is_done = true;
    bool left = p->left;
    pthread_cond_signal(&p->done);
    pthread_mutex_unlock(&p->lock);
    if (left)
        pending_free(p);
}

static bool copy_texts(struct pending *p)
{
    struct admission *r = &p->row;
    struct audit_entry *e = &p->audit;
    const char **texts[] = {
        &r->cluster, &r->namespace, &r->kind, &r->name, &r->operation, &r->username, &r->uid, &r->break_glass, &r->reasons, &r->images,
        &e->actor, &e->actor_name, &e->role, &e->from, &e->action, &e->object_kind, &e->object_id, &e->before, &e->after, &e->request_id,
    };

    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        if (*texts[i] != NULL && (*texts[i] = arena_strdup(&p->arena, *texts[i])) == NULL)
            return false;
    }
    return true;
}

static struct pending *pending_new(const struct admission *row, struct bytes review, const struct audit_entry *audit)
{
    struct pending *p = calloc(1, sizeof *p);
    struct buf packed;

    if (p == NULL)
        return NULL;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->done, NULL);
    arena_init(&p->arena, BATCH_BYTES);
    p->row = *row;
    p->has_audit = audit != NULL;
    if (audit != NULL)
        p->audit = *audit;
    buf_init(&packed, 2 * ADMISSIONS_REVIEW_MAX);
    pack(&p->row, review, &packed);
    char *copy = p->row.review.ptr != NULL ? arena_strndup(&p->arena, packed.ptr, packed.len) : NULL;
    p->row.review = (struct bytes){ (unsigned char *)copy, copy != NULL ? packed.len : 0 };
    buf_free(&packed);
    if (copy_texts(p))
        return p;
    pending_free(p);
    return NULL;
}

/* 0 or -1 with err; p is no longer ours afterwards. */
static int wait_for(struct pending *p, int64_t within_ms, struct err *err)
{
    struct timespec until;
    int rc;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += within_ms / 1000;
    until.tv_nsec += within_ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&p->lock);
    while (!p->is_done && pthread_cond_timedwait(&p->done, &p->lock, &until) == 0)
        ;
    bool is_done = p->is_done;
    p->left = true;
    rc = is_done ? p->rc : err_set(err, ERR_TIMEOUT, "the record is still being written");
    if (is_done && rc != 0)
        *err = p->err;
    pthread_mutex_unlock(&p->lock);
    if (is_done)
        pending_free(p);
    return rc;
}

int admissions_record(struct app *app, const struct admission *row, struct bytes review, const struct audit_entry *audit,
                      int64_t within_ms, struct err *err)
{
    struct pending *p = pending_new(row, review, audit);

    if (p == NULL)
        return err_nomem(err);
    p->job = (struct write_job){ .run = write_pending, .done = pending_done, .arg = p };
    if (writer_submit(app->writer, &p->job, err) != 0)
        return pending_free(p), -1;
    if (wait_for(p, within_ms, err) != 0)
        return -1;
    atomic_fetch_add(&app->admissions->recorded, 1);
    return 0;
}

/* ---- counting ------------------------------------------------------------------------------- */

void admissions_count(struct app *app, enum admission_outcome outcome, int64_t us)
{
    struct admissions *a = app->admissions;
    size_t i = 0;

    while (i < N_BOUNDS && us > bounds_us[i])
        i++;
    atomic_fetch_add_explicit(&a->outcomes[outcome], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&a->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&a->sum_us, us, memory_order_relaxed);
}

void admissions_count_unrecorded(struct app *app)
{
    atomic_fetch_add(&app->admissions->unrecorded, 1);
}

static void put_histogram(const struct admissions *a, struct buf *out)
{
    long long n = 0, us = atomic_load(&a->sum_us);

    buf_puts(out, "# HELP keepd_admission_seconds Time from a decoded request to its answer.\n# TYPE keepd_admission_seconds histogram\n");
    for (size_t i = 0; i < N_BOUNDS; i++) {
        n += atomic_load(&a->buckets[i]);
        buf_printf(out, "keepd_admission_seconds_bucket{le=\"%lld.%06lld\"} %lld\n", (long long)bounds_us[i] / 1000000,
                   (long long)bounds_us[i] % 1000000, n);
    }
    n += atomic_load(&a->buckets[N_BOUNDS]);
    buf_printf(out, "keepd_admission_seconds_bucket{le=\"+Inf\"} %lld\nkeepd_admission_seconds_sum %lld.%06lld\n"
                    "keepd_admission_seconds_count %lld\n", n, us / 1000000, us % 1000000, n);
}

void admissions_metrics(const struct app *app, struct buf *out)
{
    const struct admissions *a = app->admissions;

    if (a == NULL)
        return;
    buf_puts(out, "# HELP keepd_admission_reviews_total Reviews answered, by outcome.\n# TYPE keepd_admission_reviews_total counter\n");
    for (size_t i = 0; i < ADMISSION_OUTCOME_N; i++)
        buf_printf(out, "keepd_admission_reviews_total{outcome=\"%s\"} %lld\n", admission_outcome_words[i], atomic_load(&a->outcomes[i]));
    const struct { const char *name, *help; const atomic_llong *value; } rows[] = {
        { "keepd_admission_recorded_total", "Reviews recorded.", &a->recorded },
        { "keepd_admission_dropped_total", "Reviews that were let in and not recorded: the batch was full, or could not be written.", &a->dropped },
        { "keepd_admission_unrecorded_total", "Refusals answered before their record was durable: storage was too slow or failed.", &a->unrecorded },
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        buf_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s %lld\n", rows[i].name, rows[i].help, rows[i].name, rows[i].name,
                   atomic_load(rows[i].value));
    int64_t hits, misses;
    facts_cache_counts(a->facts, &hits, &misses);
    buf_printf(out, "# HELP keepd_admission_images_total Images asked for, by whether they were in memory.\n"
                    "# TYPE keepd_admission_images_total counter\nkeepd_admission_images_total{from=\"memory\"} %lld\n"
                    "keepd_admission_images_total{from=\"database\"} %lld\n", (long long)hits, (long long)misses);
    put_histogram(a, out);
}
