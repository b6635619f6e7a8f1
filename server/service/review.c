/* review.c - see review.h.
 *
 * The light of this path is that it never waits: no network, no scan, nothing is
 * written before the answer but a refusal.  The API server gives up after three
 * seconds (what `keepctl k8s manifest` sets); we do after half of that. */
#include "service/review.h"

#include "base/time.h"
#include "service/admissions.h"
#include "service/check.h"
#include "service/policies.h"
#include "service/review_judge.h"
#include "store/admission.h"
#include "wire/msg/admission.h"
#include "wire/msg/image.h"

#include <string.h>
#include <time.h>

enum { ANSWER_ARENA = 16 << 20, DEADLINE_MS = 1500, RECORD_MS = 1000, JSON_DEPTH = 200, RECORD_REASONS = 200, RECORD_IMAGES = 200, RECORD_TEXT = 1024 };

typedef int read_fn(const struct json *, const struct admission_scope *, struct arena *, struct complaints *,
                    struct admission_review *, struct err *);

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- recording ----------------------------------------------------------------------- */

static const char *steal(struct buf *b, struct arena *arena)
{
    const char *text = b->failed ? NULL : arena_strndup(arena, b->ptr, b->len);

    buf_free(b);
    return text;
}

static const char *reasons_text(const struct admission_case *d, struct arena *arena)
{
    struct buf b;

    buf_init(&b, 4 << 20);
    buf_putc(&b, '[');
    for (size_t i = 0; i < d->n_reasons && i < RECORD_REASONS; i++) {
        if (i > 0)
            buf_putc(&b, ',');
        shape_encode(&reason_shape, &d->reasons[i], &b);
    }
    buf_putc(&b, ']');
    return steal(&b, arena);
}

static const char *images_text(const struct admission_case *d, struct arena *arena)
{
    struct buf b;

    buf_init(&b, 4 << 20);
    buf_putc(&b, '[');
    for (size_t i = 0; i < d->n_images && i < RECORD_IMAGES; i++) {
        const struct admission_image *m = &d->images[i];
        struct admission_image_answer one = { m->container, m->reference, m->digest, m->by_tag, m->is_known };
        if (i > 0)
            buf_putc(&b, ',');
        shape_encode(&admission_image_shape, &one, &b);
    }
    buf_putc(&b, ']');
    return steal(&b, arena);
}

/* Names are as long as the sender likes; a row is not. */
static const char *short_text(const char *text, struct arena *arena)
{
    size_t len = strlen(text), at = 0;

    if (len <= RECORD_TEXT)
        return text;
    for (size_t step; at < RECORD_TEXT && (step = str_utf8_len(text + at, len - at)) > 0;)
        at += step;
    return arena_strndup(arena, text, at);
}

static int row_of(struct call *c, const struct admission_case *d, const struct admission_answer *a, const char *cluster,
                  struct admission *row, struct err *err)
{
    const struct admission_review *r = d->review;

    *row = (struct admission){
        .at_ms = c->now_ms, .cluster = short_text(cluster != NULL ? cluster : "", c->arena), .namespace = short_text(r->namespace, c->arena),
        .kind = short_text(r->object_kind, c->arena), .name = short_text(r->name, c->arena),
        .operation = short_text(r->operation, c->arena), .username = short_text(r->username, c->arena),
        .uid = short_text(r->uid, c->arena), .outcome = (int)a->outcome, .allowed = a->allowed, .break_glass = a->break_glass,
        .reasons = reasons_text(d, c->arena), .images = images_text(d, c->arena), .policy_version = d->policy_version,
    };
    const char *const texts[] = { row->cluster, row->namespace, row->kind, row->name, row->operation, row->username, row->uid, row->reasons, row->images };
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        if (texts[i] == NULL)
            return err_nomem(err);
    }
    return 0;
}

static const char *glass_json(struct call *c, const struct admission *row, const struct admission_answer *a)
{
    struct buf b;
    struct jsonw w;

    buf_init(&b, 1 << 20);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_kstr(&w, "reason", a->break_glass);
    jsonw_kstr(&w, "user", row->username);
    jsonw_kstr(&w, "cluster", row->cluster);
    jsonw_kstr(&w, "would_be", a->message);
    jsonw_object_end(&w);
    return steal(&b, c->arena);
}

/* Letting in what was refused is an act of somebody: it goes into the audit log. */
static int record_glass(struct call *c, const struct admission *row, const struct admission_answer *a, struct err *err)
{
    struct audit_entry entry = {
        .at_ms = c->now_ms, .actor = c->caller->id, .actor_name = c->caller->name, .role = role_word(c->caller->role),
        .from = c->caller->from, .action = "break_glass", .object_kind = "admission", .request_id = c->request_id,
        .object_id = arena_printf(c->arena, "%.200s/%.80s/%.300s", row->namespace, row->kind, row->name),
        .after = glass_json(c, row, a),
    };

    if (entry.object_id == NULL || entry.after == NULL)
        return err_nomem(err);
    return admissions_record(c->app, row, c->body, &entry, RECORD_MS, err);
}

/* A refusal stands even when its record is late or lost: letting it in would be worse.
 * Glass that cannot be recorded does not break. */
static int record(struct call *c, const struct admission_case *d, const struct admission_answer *a, const char *cluster, struct err *err)
{
    struct err failed = { 0 };
    struct admission row;

    if (a->outcome == ADMISSION_UNTOUCHED || d->review->dry_run)
        return 0;
    if (row_of(c, d, a, cluster, &row, err) != 0)
        return -1;
    switch (a->outcome) {
    case ADMISSION_GLASS_BROKEN:
        return record_glass(c, &row, a, err);
    case ADMISSION_DENIED:
        if (admissions_record(c->app, &row, c->body, NULL, RECORD_MS, &failed) != 0)
            admissions_count_unrecorded(c->app);
        return 0;
    case ADMISSION_WARNED:
    case ADMISSION_ALLOWED:
    case ADMISSION_UNTOUCHED:
    case ADMISSION_OUTCOME_N:
        break;
    }
    admissions_add(c->app, &row, c->body);
    return 0;
}

/* ---- answering ------------------------------------------------------------------------------- */

static int write_answer(struct call *c, const struct admission_review *r, const struct admission_answer *a, struct err *err)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    admission_write(r, a, &b);
    size_t len = b.len;
    const char *text = steal(&b, c->arena);
    if (text == NULL)
        return err_nomem(err);
    c->answer = (struct bytes){ (const unsigned char *)text, len };
    c->answer_type = "application/json";
    return 0;
}

static int conclude(struct call *c, const struct admission_case *d, const char *cluster, int64_t from_us, struct err *err)
{
    struct admission_answer a;

    if (admission_decide(d, c->arena, &a, err) != 0 || record(c, d, &a, cluster, err) != 0 ||
        write_answer(c, d->review, &a, err) != 0)
        return -1;
    admissions_count(c->app, a.outcome, now_us() - from_us);
    return 0;
}

static const char *cluster_of(const struct call *c)
{
    const struct review_query *q = c->query;

    if (c->path != NULL && c->path[0] != NULL)
        return str_is_utf8(c->path[0], strlen(c->path[0])) ? c->path[0] : NULL;
    return q != NULL ? q->cluster : NULL;
}

/* Whoever sends more than can be judged is answered, not failed: a failed call is let
 * in where failurePolicy is Ignore.  The memory for saying so is beyond the bound. */
static void too_large(struct call *c, struct admission_case *d)
{
    static const struct reason reason = {
        .policy = "keep", .rule = "size", .severity = SEVERITY_HIGH, .effect = DECISION_FAIL, .since_ms = TIME_UNKNOWN,
        .message = "the object is too large to be judged", .remediation = "Split it: fewer containers.",
    };

    c->arena->limit += ANSWER_ARENA;
    d->reasons = &reason;
    d->n_reasons = 1;
    d->n_audited = d->n_annotations = 0;
    d->decision = DECISION_FAIL;
    d->images = NULL;
    d->n_images = 0;
}

static bool ran_out_of_memory(const struct err *err)
{
    return err->kind == ERR_UNAVAILABLE && str_eq(err->msg, "out of memory");
}

static int judge(struct call *c, const struct admission_review *r, bool audit, int64_t from_us, struct err *err)
{
    const char *cluster = cluster_of(c);
    const struct settings *settings = &c->app->settings;
    struct admission_case d = { .review = r, .decision = DECISION_PASS };
    const struct policy_set *held;

    if (r->skip != ADMISSION_JUDGED)
        return conclude(c, &d, cluster, from_us, err);
    if (policies_hold(c->app, c->db, &held, err) != 0)
        return -1;
    int rc = review_judge(c, held, r, cluster, from_us / 1000 + DEADLINE_MS, &d, err);
    if (rc != 0 && ran_out_of_memory(err)) {
        too_large(c, &d);
        rc = 0;
    }
    d.refuse_controllers = settings->admission_refuse_controllers;
    d.refuse_nothing = audit;
    d.may_break_glass = settings->admission_break_glass;
    if (rc == 0)
        rc = conclude(c, &d, cluster, from_us, err);
    policies_release(c->app, held);
    return rc;
}

static int answer(struct call *c, read_fn *read, bool audit, struct err *err)
{
    /* A NUL in an annotation must not be a way around us. */
    const struct json_opts opts = { .max_depth = JSON_DEPTH, .nul_as_replacement = true, .skip_bom = true, .big_numbers = true };
    struct admission_review r;
    struct json doc;
    int64_t from_us = now_us();

    if (json_parse(c->arena, c->body.ptr, c->body.len, &opts, &doc, err) != 0 ||
        read(&doc, admissions_scope(c->app), c->arena, &c->complaints, &r, err) != 0)
        return -1;
    return judge(c, &r, audit, from_us, err);
}

int review_validate(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in, (void)out;
    return answer(c, admission_read, false, err);
}

int review_audit(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in, (void)out;
    return answer(c, admission_read, true, err);
}

int review_images(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in, (void)out;
    return answer(c, image_review_read, false, err);
}

/* ---- what was answered ------------------------------------------------------------------------- */

static void page_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    *at_ms = ((const struct admission *)items)[i].id;
    *id = "";
}

int admission_page(struct call *c, const void *in, void *out, struct err *err)
{
    static const struct admission_query all = { 0 };
    const struct admission_query *q = c->query == NULL ? &all : c->query;
    struct admission *items;
    const char *unused;
    int64_t before;
    size_t n;

    (void)in;
    if (page_start(&q->page, c->arena, &before, &unused, err) != 0 ||
        admission_list(c->db, q, before, page_limit(&q->page), c->arena, &items, &n, err) != 0)
        return -1;
    return page_fill(&q->page, c->arena, items, n, page_key, out, err);
}
