/* bundle_thread.c - the one that looks whether bundles are still right, once a second or
 * when woken, and makes those that are not; see bundles.h.
 *
 * What it reads and what it writes are two transactions: the content is read and signed
 * outside of the writer, for the version after the newest it saw.  The write transaction
 * looks again: if another server took that version, or what bundles are made of has moved
 * on, nothing is written and the next round begins anew.  So no server ever puts older
 * content over newer, and no version has two contents. */
#include "service/bundles_internal.h"

#include "base/compress.h"
#include "base/time.h"
#include "service/key_file.h"
#include "store/policy_doc.h"
#include "store/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TICK_MS = 100, LOOK_MS = 1000, AGAIN_MS = 5000, ROUND_ARENA = 64 << 20, GZIP_LEVEL = 6, TRIES = 4 };
#define BYTES_MAX ((size_t)TRUST_BUNDLE_MAX + TRUST_FILES_BYTES + 4096)

int bundle_reader_open(struct bundles *b, struct err *err)
{
    const struct db_queries sets[] = { bundle_queries, policy_doc_queries, profile_queries };

    return db_open(b->app->db_url, DB_READER, &b->reader, err) != 0 ? -1 : db_prepare_all(b->reader, sets, N_ITEMS(sets), err);
}

/* What bundles are made of, as numbers that grow. */
struct sources { int64_t policies, profiles, root; };

static int read_sources(struct db *db, struct sources *out, struct err *err)
{
    return policy_doc_generation(db, &out->policies, err) != 0 || profile_generation(db, &out->profiles, err) != 0 ||
           root_last(db, &out->root, err) != 0 ? -1 : 0;
}

struct round {
    struct bundles *b;
    int64_t now_ms;
    bool is_dirty;
    char cause[BUNDLE_CAUSE_MAX];
    struct arena arena;
    struct arena newest;                 /* the bundle of one scope at a time: all of them would be many */
    struct own_keys keys;
    struct sources sources;
    const char **scopes; size_t n_scopes;
};

/* ---- roots ------------------------------------------------------------------------------ */

static int load_roots(struct round *r, struct err *err)
{
    struct bundles *b = r->b;
    const struct made_root *last = bundle_root_newest(b);
    struct root_row *rows;
    size_t n;

    if (root_list(b->reader, last == NULL ? 0 : last->version, &r->arena, &rows, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct made_root *fresh;
        if (rows[i].version > TRUST_ROOTS_MAX)
            return err_set(err, ERR_TOO_LARGE, "more than %d roots", TRUST_ROOTS_MAX);
        if (made_root_new(rows[i].version, rows[i].envelope, last == NULL ? NULL : &last->root, &fresh, err) != 0)
            return err_prefix(err, "root %lld", (long long)rows[i].version);
        atomic_store(&b->roots[fresh->version], fresh);
        atomic_store(&b->newest_root, fresh->version);
        last = fresh;
    }
    return 0;
}

struct root_job { struct root_row row; };

static int add_root(struct db *db, void *arg, struct err *err)
{
    struct root_job *j = arg;
    int64_t last;

    if (root_last(db, &last, err) != 0)
        return -1;
    if (last + 1 != j->row.version)
        return 0;                        /* another server was first: its root is read in the next look */
    return root_insert(db, &j->row, err);
}

/* The first root, or the same again with a longer life. */
static int make_root(struct round *r, const struct trust_root *before, struct err *err)
{
    struct root_job job = { .row = { .version = before == NULL ? 1 : before->version + 1, .created_ms = r->now_ms, .created_by = "keep" } };
    const struct pubkey *bundle_key = before == NULL ? privkey_public(r->keys.bundle) : before->bundle.keys[0];

    if (root_make(&r->keys, before, bundle_key, r->now_ms + r->b->app->settings.root_life_ms, &r->arena, &job.row.envelope, err) != 0)
        return -1;
    return writer_call(r->b->app->writer, add_root, &job, err);
}

static int read_again(struct round *r, struct err *err)
{
    if (db_begin_read(r->b->reader, err) != 0)
        return -1;
    int rc = load_roots(r, err);
    db_rollback(r->b->reader);
    return rc;
}

/* Before anything is signed: a root, and one that lasts. */
static int need_root(struct round *r, struct err *err)
{
    const struct made_root *root = bundle_root_newest(r->b);
    bool is_first = root == NULL;

    own_keys_close(&r->keys);
    if (own_keys_open(r->b->app->data_dir, is_first, &r->keys, err) != 0)
        return -1;
    if (!is_first && (root->root.expires_ms - r->now_ms > r->b->app->settings.root_life_ms / 3 || root->root.bundle.n != 1 ||
                      !own_root_key_suffices(&r->keys, &root->root)))
        return 0;
    return make_root(r, is_first ? NULL : &root->root, err) != 0 ? -1 : read_again(r, err);
}

/* A root that names the next key and no longer the one before makes it the key. */
static int settle_keys(struct round *r, struct err *err)
{
    const struct made_root *root = bundle_root_newest(r->b);
    const struct privkey *list[BUNDLE_KEYS_MAX];
    size_t n = 0;

    if (r->keys.next == NULL)
        return 0;
    own_bundle_keys(&r->keys, &root->root, list, &n);
    if (n != 1 || list[0] != r->keys.next)
        return 0;
    if (key_file_rename(r->b->app->data_dir, NEXT_KEY_FILE, BUNDLE_KEY_FILE, err) != 0)
        return -1;
    privkey_free(r->keys.bundle);
    r->keys.bundle = r->keys.next;
    r->keys.next = NULL;
    return 0;
}

/* ---- memory ---------------------------------------------------------------------------- */

static int publish(struct round *r, const struct bundle_row *row, struct err *err)
{
    struct slot *s = bundle_slot_add(r->b, row->scope);
    struct made *made = calloc(1, sizeof *made);
    char etag[BUNDLE_ETAG_TEXT];
    struct buf gzip;

    if (s == NULL || made == NULL) {
        free(made);
        return err_set(err, ERR_UNAVAILABLE, "no memory for a bundle, or more than %d scopes", BUNDLE_SCOPES_MAX);
    }
    *made = (struct made){ .version = row->version, .signed_ms = row->signed_ms, .expires_ms = row->expires_ms, .root_version = row->root_version };
    snprintf(made->content, sizeof made->content, "%s", row->content_hash);
    snprintf(etag, sizeof etag, "\"%s-%lld\"", s->tag, (long long)row->version);
    buf_init(&gzip, BYTES_MAX + 65536);
    int rc = gzip_deflate(row->bytes.ptr, row->bytes.len, GZIP_LEVEL, &gzip, err);
    struct ready_form form = { .body = row->bytes, .gzip = { (const unsigned char *)gzip.ptr, gzip.len },
                               .type = "application/octet-stream", .etag = etag };
    if (rc == 0 && (made->ready = r->b->ready->make(&form)) == NULL)
        rc = err_nomem(err);
    buf_free(&gzip);
    if (rc != 0) {
        free(made);
        return -1;
    }
    bundle_publish(r->b, s, made);
    return 0;
}

static int64_t version_in_memory(struct bundles *b, const char *scope)
{
    const struct slot *s = bundle_slot(b, scope);
    const struct made *made = s == NULL ? NULL : atomic_load(&s->made);     /* only this thread replaces it */

    return made == NULL ? 0 : made->version;
}

/* ---- making --------------------------------------------------------------------------------- */

struct bundle_job {
    struct bundle_row row;
    struct sources sources;
    bool is_late;                        /* somebody else was first, or the content has moved on */
};

static int add_bundle(struct db *db, void *arg, struct err *err)
{
    struct bundle_job *j = arg;
    struct bundle_row newest;
    struct sources now;
    struct arena arena;

    arena_init(&arena, ROUND_ARENA);
    int rc = read_sources(db, &now, err);
    if (rc == 0)
        rc = bundle_newest(db, j->row.scope, &arena, &newest, err);
    if (rc == 0)
        j->is_late = newest.version + 1 != j->row.version || memcmp(&now, &j->sources, sizeof now) != 0;
    arena_clear(&arena);
    return rc != 0 ? -1 : j->is_late ? 0 : bundle_insert(db, &j->row, err);
}

/* Signed for the version after the newest.  1: too late, look again. */
static int make(struct round *r, const struct bundle_row *newest, const struct content *c, const char *cause, struct err *err)
{
    struct bundles *b = r->b;
    const struct made_root *root = bundle_root_newest(b);
    const struct privkey *keys[BUNDLE_KEYS_MAX];
    size_t n;
    struct bundle_job job = { .sources = r->sources, .row = {
        .scope = newest->scope, .version = newest->version + 1, .content_hash = c->hash, .root_version = root->version, .cause = cause,
        .signed_ms = r->now_ms / MS_SECOND * MS_SECOND } };

    if (!own_bundle_keys(&r->keys, &root->root, keys, &n))
        return err_set(err, ERR_UNAVAILABLE, "this server has %zu of the %zu keys that must sign bundles under root %lld", n,
                       root->root.bundle.threshold, (long long)root->version);
    job.row.expires_ms = job.row.signed_ms + b->app->settings.bundle_life_ms;
    struct buf bytes;
    buf_init(&bytes, BYTES_MAX);
    int rc = content_sign(c, &job.row, keys, n, &bytes, err);
    job.row.bytes = (struct bytes){ (const unsigned char *)bytes.ptr, bytes.len };
    job.row.length = (int64_t)bytes.len;
    if (rc == 0)
        rc = writer_call(b->app->writer, add_bundle, &job, err);
    if (rc == 0 && !job.is_late) {
        atomic_fetch_add(&b->n_made, 1);
        rc = publish(r, &job.row, err);
    }
    buf_free(&bytes);
    return rc != 0 ? -1 : job.is_late;
}

static bool is_half_over(const struct bundle_row *row, int64_t now_ms)
{
    return now_ms >= row->signed_ms + (row->expires_ms - row->signed_ms) / 2;
}

/* Contents differ by cluster only: one is kept while scopes of one cluster follow each other. */
struct contents {
    char cluster[TRUST_SCOPE_MAX + 1];
    bool is_there;
    struct content content;
};

static int content_for(struct round *r, const char *scope, struct contents *k, struct err *err)
{
    char cluster[TRUST_SCOPE_MAX + 1];

    snprintf(cluster, sizeof cluster, "%.*s", (int)strcspn(scope, "/"), scope);
    if (k->is_there && str_eq(k->cluster, cluster))
        return 0;
    if (k->is_there)
        content_free(&k->content);
    k->is_there = false;
    if (content_build(r->b->app, r->b->reader, cluster, &k->content, err) != 0)
        return -1;
    memcpy(k->cluster, cluster, sizeof cluster);
    k->is_there = true;
    return 0;
}

/* Why a new one is needed; NULL: it is not. */
static const char *why_new(const struct round *r, const struct bundle_row *row, const struct content *c)
{
    if (row->version == 0)
        return "first of this scope";
    if (!str_eq(row->content_hash, c->hash))
        return r->cause[0] != '\0' ? r->cause : "content changed";
    if (row->root_version != bundle_root_newest(r->b)->version)
        return "signed under a new root";
    return is_half_over(row, r->now_ms) ? "signed again before it expires" : NULL;
}

/* 1: look again. */
static int scope_round(struct round *r, const char *scope, struct contents *k, struct err *err)
{
    struct bundle_row newest;

    arena_reset(&r->newest);
    /* The content is read in the transaction that told us the sources. */
    if (bundle_newest(r->b->reader, scope, &r->newest, &newest, err) != 0 || content_for(r, scope, k, err) != 0)
        return -1;
    newest.scope = scope;
    const char *why = why_new(r, &newest, &k->content);
    if (newest.version > version_in_memory(r->b, scope) && newest.bytes.ptr != NULL && publish(r, &newest, err) != 0)
        return -1;
    if (why == NULL) {
        int64_t half = newest.signed_ms + (newest.expires_ms - newest.signed_ms) / 2;
        if (half < r->b->due_ms)
            r->b->due_ms = half;
        return 0;
    }
    int rc = make(r, &newest, &k->content, why, err);
    int64_t half = r->now_ms + r->b->app->settings.bundle_life_ms / 2;
    if (rc == 0 && half < r->b->due_ms)
        r->b->due_ms = half;
    return rc;
}

/* One that cannot be made (its content is too large, say) does not keep the others from
 * theirs; the first of these is told. */
static int all_scopes(struct round *r, struct err *err)
{
    struct contents k = { 0 };
    struct err further;
    bool again = false, failed = false;

    r->b->due_ms = INT64_MAX;
    for (size_t i = 0; i < r->n_scopes; i++) {
        int rc = scope_round(r, r->scopes[i], &k, failed ? &further : err);
        if (rc < 0 && !failed)
            err_prefix(err, "scope %s", r->scopes[i]);
        again = again || rc == 1;
        failed = failed || rc < 0;
    }
    if (k.is_there)
        content_free(&k.content);
    return failed ? -1 : again;
}

/* ---- a round ------------------------------------------------------------------------------------ */

/* In one read transaction; making happens within it, too: a reader never blocks the writer. */
static int look(struct round *r, struct err *err)
{
    struct bundles *b = r->b;

    if (read_sources(b->reader, &r->sources, err) != 0)
        return -1;
    const struct made_root *root = bundle_root_newest(b);
    if ((root == NULL || r->sources.root > root->version) && load_roots(r, err) != 0)
        return -1;
    if (bundle_scopes(b->reader, &r->arena, &r->scopes, &r->n_scopes, err) != 0)
        return -1;
    return all_scopes(r, err);
}

static int one_look(struct round *r, struct err *err)
{
    if (read_again(r, err) != 0 || need_root(r, err) != 0 || settle_keys(r, err) != 0)
        return -1;
    if (db_begin_read(r->b->reader, err) != 0)
        return -1;
    int rc = look(r, err);
    db_rollback(r->b->reader);
    return rc;
}

static void take_cause(struct round *r)
{
    struct bundles *b = r->b;

    pthread_mutex_lock(&b->lock);
    r->is_dirty = b->is_dirty;
    memcpy(r->cause, b->cause, sizeof r->cause);
    b->is_dirty = false;
    b->cause[0] = '\0';
    pthread_mutex_unlock(&b->lock);
}

/* Nobody said why: what moved says it. */
static void guess_cause(struct round *r)
{
    const struct bundles *b = r->b;
    const char *cause = r->sources.policies != b->seen_policies ? "policies changed" : r->sources.profiles != b->seen_profiles ? "profiles changed" : "";

    if (r->cause[0] == '\0')
        snprintf(r->cause, sizeof r->cause, "%s", cause);
}

/* Did anything move since the last round: cheap numbers, asked every second. */
static int has_moved(struct round *r, bool *moved, struct err *err)
{
    struct bundles *b = r->b;
    int64_t bundles = 0;

    if (db_begin_read(b->reader, err) != 0)
        return -1;
    int rc = read_sources(b->reader, &r->sources, err);
    if (rc == 0)
        rc = bundle_generation(b->reader, &bundles, err);
    db_rollback(b->reader);
    const struct made_root *root = bundle_root_newest(b);
    *moved = r->is_dirty || r->now_ms >= b->due_ms || root == NULL || r->sources.root > root->version ||
             r->sources.policies != b->seen_policies || r->sources.profiles != b->seen_profiles || bundles != b->seen_bundles;
    guess_cause(r);
    b->seen_policies = r->sources.policies;
    b->seen_profiles = r->sources.profiles;
    b->seen_bundles = bundles;
    return rc;
}

int bundle_round(struct bundles *b, struct err *err)
{
    struct round r = { .b = b, .now_ms = time_now_ms() };
    bool moved = false;

    take_cause(&r);
    arena_init(&r.arena, ROUND_ARENA);
    arena_init(&r.newest, ROUND_ARENA);
    int rc = has_moved(&r, &moved, err);
    for (int i = 0; rc == 0 && moved && i < TRIES; i++) {
        arena_reset(&r.arena);
        rc = one_look(&r, err);
        moved = rc == 1;
        rc = rc == 1 ? 0 : rc;
    }
    own_keys_close(&r.keys);
    arena_clear(&r.arena);
    arena_clear(&r.newest);
    if (rc != 0) {
        atomic_fetch_add(&b->n_failed, 1);
        b->due_ms = r.now_ms + AGAIN_MS;
    }
    bundles_problem(b, rc != 0 ? err->msg : "");
    return rc;
}

/* Nothing was committed here since the last look: then only another server could have
 * changed something, and a second is soon enough for that. */
static bool worth_a_look(struct bundles *b, int64_t *batches, int64_t *looked_ms)
{
    struct writer_stats stats;
    int64_t now_ms = time_monotonic_ms();

    writer_stats(b->app->writer, &stats);
    if (stats.batches == *batches && now_ms - *looked_ms < LOOK_MS)
        return false;
    *batches = stats.batches;
    *looked_ms = now_ms;
    return true;
}

static void wait_a_tick(struct bundles *b)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (!b->closing && !b->is_dirty && pthread_cond_timedwait(&b->wake, &b->lock, &until) == 0)
        ;
}

void *bundle_thread(void *bundles)
{
    struct bundles *b = bundles;
    int64_t batches = -1, looked_ms = 0;

    pthread_mutex_lock(&b->lock);
    while (!b->closing) {
        wait_a_tick(b);
        bool look = b->is_dirty;
        pthread_mutex_unlock(&b->lock);
        struct err err = { 0 };
        if (look || worth_a_look(b, &batches, &looked_ms))
            bundle_round(b, &err);
        pthread_mutex_lock(&b->lock);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}
