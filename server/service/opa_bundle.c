/* opa_bundle.c - bundles in memory; see opa.h.
 *
 * Whether one is still true is asked with three numbers that grow (the last audit
 * record, the generation of policies, the last change of a verdict) and the minute,
 * because time alone makes images stale.  When the numbers have moved the facts are
 * read again; only when those differ a new bundle is made. */
#include "service/opa.h"

#include "base/time.h"
#include "core/opa/opa.h"
#include "service/policies.h"
#include "store/audit.h"
#include "store/image.h"
#include "store/opa.h"
#include "store/policy_doc.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 16, TEAM_MAX = 256, PAGE = 2000, REASONS_SHORT = 5, LIFE_PARTS = 4 };
#define FACTS_MEMORY ((size_t)1 << 30)

struct state { int64_t audit, generation, verdicts, minute; };

struct made {
    struct opa_made open;                /* first: what is held is its bundle */
    char facts[2 * SHA256_LEN + 1];
    struct buf bytes;
    int holders;                         /* under the lock; its slot counts itself once */
};

struct slot {
    char team[TEAM_MAX];                 /* "" all images */
    struct state state;
    struct made *made;                   /* NULL: the slot is free */
    int64_t used_ms, issued;
};

struct opa_bundles {
    pthread_mutex_t lock;
    struct privkey *key;                 /* NULL until first needed */
    struct slot slots[SLOTS];
};

int opa_bundles_open(struct app *app, struct err *err)
{
    struct opa_bundles *b = calloc(1, sizeof *b);

    if (b == NULL)
        return err_nomem(err);
    pthread_mutex_init(&b->lock, NULL);
    app->opa = b;
    return 0;
}

static void drop(struct made *m)
{
    if (m != NULL && --m->holders == 0) {
        buf_free(&m->bytes);
        free(m);
    }
}

void opa_bundles_close(struct app *app)
{
    struct opa_bundles *b = app->opa;

    if (b == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        drop(b->slots[i].made);
    privkey_free(b->key);
    pthread_mutex_destroy(&b->lock);
    free(b);
    app->opa = NULL;
}

static int need_key(struct app *app, struct err *err)
{
    return app->opa->key != NULL ? 0 : opa_key_open(app->data_dir, &app->opa->key, err);
}

int opa_signing_key(struct app *app, const struct privkey **out, struct err *err)
{
    pthread_mutex_lock(&app->opa->lock);
    int rc = need_key(app, err);
    *out = app->opa->key;
    pthread_mutex_unlock(&app->opa->lock);
    return rc;
}

/* ---- facts -------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct opa_image *)a)->image->id, y = ((const struct opa_image *)b)->image->id;

    return (x > y) - (x < y);
}

static int read_images(struct db *db, const char *team, const struct freshness_limits *limits, int64_t now_ms, struct arena *arena,
                       struct opa_image **out, size_t *n, struct err *err)
{
    struct image_filter f = { .team = team, .sort = IMAGE_SORT_NAME, .limit = PAGE, .scanned_until_ms = TIME_UNKNOWN,
                              .scanned_after_ms = TIME_UNKNOWN };
    struct opa_image *list = NULL;
    size_t have = 0, room = 0;

    do {
        struct image *page;
        size_t got;
        int64_t total;
        if (image_list(db, &f, limits, now_ms, arena, &page, &got, &f.cursor, &total, err) != 0)
            return -1;
        if (have + got > room) {
            room = 2 * (have + got);
            struct opa_image *more = arena_array(arena, room, sizeof *more);
            if (more == NULL)
                return err_nomem(err);
            if (have > 0)
                memcpy(more, list, have * sizeof *list);
            list = more;
        }
        for (size_t i = 0; i < got; i++)
            list[have++] = (struct opa_image){ .image = &page[i] };
    } while (f.cursor != NULL);
    if (have > 1)
        qsort(list, have, sizeof *list, by_id);
    *out = list;
    *n = have;
    return 0;
}

/* Both lists are in the order of ids. */
static int add_tags(struct db *db, struct opa_image *images, size_t n, struct arena *arena, struct err *err)
{
    struct opa_text *rows;
    size_t n_rows, at = 0;

    if (opa_all_tags(db, arena, &rows, &n_rows, err) != 0)
        return -1;
    const char **texts = arena_array(arena, n_rows, sizeof *texts);
    if (texts == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n_rows; i++)
        texts[i] = rows[i].text;
    for (size_t i = 0; i < n; i++) {
        while (at < n_rows && rows[at].image_id < images[i].image->id)
            at++;
        images[i].tags = texts + at;
        while (at < n_rows && rows[at].image_id == images[i].image->id) {
            at++;
            images[i].n_tags++;
        }
    }
    return 0;
}

static int add_reasons_of(struct opa_image *o, const char *text, struct arena *arena, struct err *err)
{
    const char **list = arena_array(arena, REASONS_SHORT, sizeof *list);
    struct json doc;

    if (list == NULL)
        return err_nomem(err);
    if (json_parse(arena, text, strlen(text), NULL, &doc, err) != 0)
        return err_prefix(err, "reasons of %s", o->image->digest);
    for (uint32_t i = 0; i < json_len(&doc) && o->n_reasons < REASONS_SHORT; i++) {
        const char *message = json_get_str(json_at(&doc, i), "message", NULL);
        if (message != NULL)
            list[o->n_reasons++] = message;
    }
    o->reasons = list;
    return 0;
}

static int add_reasons(struct db *db, struct opa_image *images, size_t n, struct arena *arena, struct err *err)
{
    struct opa_text *rows;
    size_t n_rows, at = 0;

    if (opa_all_reasons(db, arena, &rows, &n_rows, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        while (at < n_rows && rows[at].image_id < images[i].image->id)
            at++;
        if (at < n_rows && rows[at].image_id == images[i].image->id &&
            add_reasons_of(&images[i], rows[at].text, arena, err) != 0)
            return -1;
    }
    return 0;
}

static int read_facts(struct app *app, struct db *db, const char *team, int64_t now_ms, struct arena *arena, struct opa_facts *f,
                      struct err *err)
{
    struct opa_image *images = NULL;

    *f = (struct opa_facts){ .limits = app_limits(app), .generated_ms = now_ms };
    if (read_images(db, team, &f->limits, now_ms, arena, &images, &f->n, err) != 0)
        return -1;
    if (team != NULL && f->n == 0)
        return err_set(err, ERR_NOT_FOUND, "no bundle of this name: it is keep, or a team that has images");
    f->images = images;
    return add_tags(db, images, f->n, arena, err) != 0 || add_reasons(db, images, f->n, arena, err) != 0 ? -1 : 0;
}

/* ---- making ---------------------------------------------------------------------------- */

/* How long facts may be used: as long as what was fresh when they were written may be. */
static int64_t life_ms(const struct freshness_limits *l)
{
    int64_t life = l->scan_max_age_ms < l->database_max_age_ms ? l->scan_max_age_ms : l->database_max_age_ms;

    return life < MS_HOUR ? MS_HOUR : life > 30 * MS_DAY ? 30 * MS_DAY : life;
}

/* Of the facts, and of which part of a bundle's life it is: a new one comes in time. */
static int facts_hash(const struct opa_facts *f, char hex[2 * SHA256_LEN + 1], struct err *err)
{
    uint8_t hash[SHA256_LEN];
    struct buf b;

    buf_init(&b, OPA_BUNDLE_MAX);
    opa_data(f, true, &b);
    buf_printf(&b, " %" PRId64, f->generated_ms / (life_ms(&f->limits) / LIFE_PARTS));
    if (!b.failed)
        sha256(b.ptr, b.len, hash);
    bool failed = b.failed;
    buf_free(&b);
    if (failed)
        return err_nomem(err);
    hex_encode(hash, sizeof hash, hex);
    return 0;
}

static int make(struct app *app, struct opa_facts *f, const char *hash, struct made **out, struct err *err)
{
    char revision[80];
    struct made *m = calloc(1, sizeof *m);

    if (m == NULL)
        return err_nomem(err);
    if (need_key(app, err) != 0)
        return free(m), -1;
    m->holders = 1;
    f->not_after_ms = f->generated_ms + life_ms(&f->limits);
    memcpy(m->facts, hash, sizeof m->facts);
    snprintf(m->open.etag, sizeof m->open.etag, "\"%.32s\"", hash);
    snprintf(revision, sizeof revision, "%" PRId64 "-%.12s", f->issued, hash);
    buf_init(&m->bytes, OPA_BUNDLE_MAX);
    if (opa_bundle(f, revision, app->opa->key, &m->bytes, err) != 0)
        return drop(m), -1;
    m->open.bytes = (struct bytes){ (const unsigned char *)m->bytes.ptr, m->bytes.len };
    *out = m;
    return 0;
}

static int renew(struct app *app, struct db *db, struct slot *s, const char *team, int64_t now_ms, struct err *err)
{
    char hash[2 * SHA256_LEN + 1];
    struct made *fresh = NULL;
    struct opa_facts facts;
    struct arena arena;

    arena_init(&arena, FACTS_MEMORY);
    int rc = read_facts(app, db, team, now_ms, &arena, &facts, err);
    if (rc == 0)
        rc = facts_hash(&facts, hash, err);
    if (rc == 0 && (s->made == NULL || !str_eq(s->made->facts, hash))) {
        facts.issued = now_ms > s->issued ? now_ms : s->issued + 1;
        rc = make(app, &facts, hash, &fresh, err);
    }
    arena_clear(&arena);
    if (fresh != NULL) {
        drop(s->made);
        s->made = fresh;
        s->issued = facts.issued;
    }
    return rc;
}

/* ---- holding ------------------------------------------------------------------------------- */

static int read_state(struct db *db, int64_t now_ms, struct state *out, struct err *err)
{
    out->minute = now_ms / MS_MINUTE;
    return audit_last(db, &out->audit, err) != 0 || policy_doc_generation(db, &out->generation, err) != 0 ||
           opa_verdicts_changed(db, &out->verdicts, err) != 0 ? -1 : 0;
}

/* A reader whose transaction began earlier does not turn the bundle back. */
static bool is_newer(const struct state *a, const struct state *than)
{
    bool older = a->audit < than->audit || a->generation < than->generation || a->verdicts < than->verdicts || a->minute < than->minute;

    return !older && memcmp(a, than, sizeof *a) != 0;
}

/* The team's slot, or the one that was not asked for the longest. */
static struct slot *slot_of(struct opa_bundles *b, const char *team)
{
    struct slot *oldest = &b->slots[0];

    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &b->slots[i];
        if (s->made != NULL && str_eq(s->team, team))
            return s;
        if (s->made == NULL ? oldest->made != NULL : oldest->made != NULL && s->used_ms < oldest->used_ms)
            oldest = s;
    }
    return oldest;
}

static int hold_in(struct app *app, struct db *db, const char *team, const struct state *state, int64_t now_ms,
                   struct made **out, struct err *err)
{
    const char *name = team != NULL ? team : "";
    struct slot *s = slot_of(app->opa, name), fresh = { .state = *state };
    bool known = s->made != NULL && str_eq(s->team, name);

    if (!known) {
        snprintf(fresh.team, sizeof fresh.team, "%s", name);
        if (renew(app, db, &fresh, team, now_ms, err) != 0)
            return -1;
        drop(s->made);
        *s = fresh;
    } else if (is_newer(state, &s->state)) {
        if (renew(app, db, s, team, now_ms, err) != 0)
            return -1;
        s->state = *state;
    }
    s->used_ms = now_ms;
    s->made->holders++;
    *out = s->made;
    return 0;
}

int opa_bundle_hold(struct app *app, struct db *db, const char *team, int64_t now_ms, const struct opa_made **out, struct err *err)
{
    struct state state = { 0 };
    struct made *made = NULL;

    if (team != NULL && (*team == '\0' || strlen(team) >= TEAM_MAX))
        return err_set(err, ERR_NOT_FOUND, "no bundle of this name: it is keep, or a team that has images");
    if (read_state(db, now_ms, &state, err) != 0)
        return -1;
    pthread_mutex_lock(&app->opa->lock);
    int rc = hold_in(app, db, team, &state, now_ms, &made, err);
    pthread_mutex_unlock(&app->opa->lock);
    if (rc == 0)
        *out = &made->open;
    return rc;
}

void opa_bundle_release(struct app *app, const struct opa_made *made)
{
    pthread_mutex_lock(&app->opa->lock);
    drop((struct made *)(uintptr_t)made);
    pthread_mutex_unlock(&app->opa->lock);
}
