/* show_profile.c - profiles as people look at them: lists, columns, versions. */
#include "service/profiles.h"

#include "base/time.h"
#include "service/check.h"
#include "service/policies.h"
#include "service/views.h"
#include "store/image.h"
#include "store/observation.h"
#include "wire/msg/profile.h"

#include <string.h>

enum { EXAMINED_MAX = 2000 };           /* profiles looked at for a page of those asked for */

/* ---- one in short ------------------------------------------------------------------------ */

static int put_parts(const struct profile *p, struct arena *arena, struct profile_summary *out, struct err *err)
{
    const char **yes = arena_array(arena, PROFILE_PART_N, sizeof *yes), **no = arena_array(arena, PROFILE_PART_N, sizeof *no);

    if (yes == NULL || no == NULL)
        return err_nomem(err);
    for (int part = 0; part < PROFILE_PART_N; part++) {
        if (p != NULL && profile_covers(p, (enum profile_part)part))
            yes[out->n_covers++] = profile_part_words[part];
        else
            no[out->n_not_covered++] = profile_part_words[part];
    }
    out->covers = yes;
    out->not_covered = no;
    return 0;
}

/* Everything declared is enforced, as text. */
static int includes(const struct profile *enforced, const struct profile *declared, struct arena *arena, bool *out, struct err *err)
{
    struct profile_item *e, *d;
    size_t n_e, n_d;

    *out = (profile_parts(declared) & ~profile_parts(enforced)) == 0;
    if (items_of_profile(enforced, arena, &e, &n_e, err) != 0 || items_of_profile(declared, arena, &d, &n_d, err) != 0)
        return -1;
    for (size_t i = 0; i < n_d && *out; i++) {
        bool found = false;
        for (size_t k = 0; k < n_e && !found; k++)
            found = d[i].part == e[k].part && str_eq(d[i].text, e[k].text) && str_eq(d[i].parent, e[k].parent);
        *out = found;
    }
    return 0;
}

static int is_pending(struct call *c, const struct profile_state *s, bool *out, struct err *err)
{
    const struct profile *declared = profile_state_get(s, PROFILE_DECLARED), *enforced = profile_state_get(s, PROFILE_ENFORCED);
    bool held;

    *out = declared != NULL && enforced == NULL;
    if (declared == NULL || enforced == NULL)
        return 0;
    if (includes(enforced, declared, c->arena, &held, err) != 0)
        return -1;
    *out = !held;
    if (held && s->rows[PROFILE_DECLARED].id > s->rows[PROFILE_ENFORCED].id) {       /* declared anew, perhaps with less */
        if (includes(declared, enforced, c->arena, &held, err) != 0)
            return -1;
        *out = !held;
    }
    return 0;
}

static int summarise(struct call *c, const struct profile_state *s, struct profile_summary *out, struct err *err)
{
    const struct profile *enforced = profile_state_get(s, PROFILE_ENFORCED);

    *out = (struct profile_summary){
        .id = s->id, .repository = s->repository, .digest = s->digest[0] != '\0' ? s->digest : NULL,
        .mode = enforced != NULL ? enforced->mode : PROFILE_MODE_N, .declared = s->rows[PROFILE_DECLARED].version,
        .learned = s->rows[PROFILE_LEARNED].version, .enforced = s->rows[PROFILE_ENFORCED].version, .changed_ms = TIME_UNKNOWN,
    };
    for (int i = 0; i < PROFILE_SOURCE_N; i++) {
        if (s->rows[i].id != 0 && s->rows[i].created_ms > out->changed_ms)
            out->changed_ms = s->rows[i].created_ms;
    }
    return is_pending(c, s, &out->is_pending, err) != 0 ? -1 : put_parts(enforced, c->arena, out, err);
}

/* The cursor is the last repository and digest with a blank between. */
static int page_from(struct call *c, const struct page_query *q, const char **repository, const char **digest, struct err *err)
{
    char *text, *space;

    *repository = *digest = "";
    if (q == NULL || q->cursor == NULL)
        return 0;
    if (cursor_text(q->cursor, c->arena, &text, err) != 0)
        return -1;
    if ((space = strchr(text, ' ')) == NULL)
        return err_set(err, ERR_INVALID, "query.cursor: not one of ours");
    *space = '\0';
    *repository = text;
    *digest = space + 1;
    return 0;
}

static bool is_asked_for(const struct profile_query *q, const struct profile_summary *s)
{
    return (q->q == NULL || str_starts(s->repository, q->q)) && (q->mode == 0 || q->mode - 1 == s->mode) && (!q->pending || s->is_pending);
}

/* Up to `limit` of those asked for, looking at EXAMINED_MAX at most. */
static int collect(struct call *c, const struct profile_query *q, const char *repository, const char *digest, int64_t limit,
                   struct page *out, struct err *err)
{
    struct profile_summary *items = arena_array(c->arena, (size_t)limit, sizeof *items);
    struct profile_subject *subjects;
    size_t n = 1, shown = 0, examined = 0;
    const char *next = NULL;

    while (items != NULL && n > 0 && next == NULL) {
        if (profile_subjects(c->db, repository, digest, limit, c->arena, &subjects, &n, err) != 0)
            return -1;
        for (size_t i = 0; i < n && next == NULL; i++, examined++) {
            struct profile_state s;
            if (shown == (size_t)limit - 1 || examined == EXAMINED_MAX) {
                next = arena_printf(c->arena, "%s %s", repository, digest);
                continue;
            }
            repository = subjects[i].repository;
            digest = subjects[i].digest;
            if (!may_see(c, repository) || (q->q != NULL && !str_starts(repository, q->q)))
                continue;
            if (profile_state_load(c, subjects[i].profile_id, &s, err) != 0 || summarise(c, &s, &items[shown], err) != 0)
                return -1;
            shown += is_asked_for(q, &items[shown]);
        }
    }
    if (items == NULL)
        return err_nomem(err);
    *out = (struct page){ items, shown, cursor_of(c->arena, next) };
    return next != NULL && out->next == NULL ? err_nomem(err) : 0;
}

int profile_page(struct call *c, const void *in, void *out, struct err *err)
{
    const struct profile_query *q = c->query;
    const char *repository, *digest;

    (void)in;
    return page_from(c, &q->page, &repository, &digest, err) != 0 ? -1 :
           collect(c, q, repository, digest, page_limit(&q->page), out, err);
}

/* ---- one in full ---------------------------------------------------------------------------- */

static const struct profile_version *version_of(struct call *c, const struct profile_state *s, int source, struct err *err, bool *failed)
{
    struct profile_version *v = s->rows[source].id != 0 ? arena_alloc(c->arena, sizeof *v) : NULL;

    if (v != NULL)
        profile_version_of(&s->rows[source], v);
    else if (s->rows[source].id != 0)
        *failed = err_nomem(err) != 0;
    return v;
}

static int view_promotion(struct call *c, const struct profile_state *s, const struct profile_evidence *e,
                          const struct promotion_answer **out, struct err *err)
{
    struct promotion_answer *answer = arena_alloc(c->arena, sizeof *answer);
    int mode = s->rows[PROFILE_ENFORCED].mode;
    struct promotion p;

    if (answer == NULL)
        return err_nomem(err);
    if (profile_promotion(c, s, e, mode + 1, &p, err) != 0)
        return -1;
    struct promotion_check_answer *checks = arena_array(c->arena, p.n_checks + 1, sizeof *checks);
    if (checks == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < p.n_checks; i++)
        checks[i] = (struct promotion_check_answer){ p.checks[i].rule, p.checks[i].is_met, p.checks[i].text };
    *answer = (struct promotion_answer){ p.from, p.to, p.is_ready, checks, p.n_checks };
    *out = answer;
    return 0;
}

static int load(struct call *c, struct profile_state *s, struct profile_evidence *e, struct err *err)
{
    return profile_state_load(c, c->path[0], s, err) != 0 || profile_evidence_load(c, s->repository, s->digest, NULL, 0, e, err) != 0 ? -1 : 0;
}

static int rows_of(struct call *c, const struct profile_state *s, const struct profile_evidence *e, struct diff_row **rows, size_t *n, struct err *err)
{
    return diff_make(profile_state_get(s, PROFILE_DECLARED), profile_state_get(s, PROFILE_ENFORCED), e->items, e->n, c->arena, rows, n, err);
}

int profile_show(struct call *c, const void *in, void *out_, struct err *err)
{
    struct profile_detail *out = out_;
    struct profile_evidence e;
    struct profile_state s;
    struct diff_row *rows;
    bool failed = false;
    size_t n;

    (void)in;
    if (load(c, &s, &e, err) != 0 || summarise(c, &s, &out->summary, err) != 0 || rows_of(c, &s, &e, &rows, &n, err) != 0)
        return -1;
    out->declared = version_of(c, &s, PROFILE_DECLARED, err, &failed);
    out->learned = version_of(c, &s, PROFILE_LEARNED, err, &failed);
    out->enforced = version_of(c, &s, PROFILE_ENFORCED, err, &failed);
    out->observed = (int64_t)e.n;
    for (size_t i = 0; i < n; i++)
        out->doubted += rows[i].seen != NULL && rows[i].seen->doubts != 0 && rows[i].enforced != DIFF_YES;
    if (failed)
        return -1;
    if (s.rows[PROFILE_ENFORCED].id == 0 || s.rows[PROFILE_ENFORCED].mode >= PROFILE_PROTECT)
        return 0;
    return view_promotion(c, &s, &e, &out->promotion, err);
}

static int doubts_of(const struct learned_item *seen, struct arena *arena, struct profile_diff_row *out, struct err *err)
{
    const char **words = arena_array(arena, DOUBT_N, sizeof *words);

    if (words == NULL)
        return err_nomem(err);
    for (unsigned i = 0; i < DOUBT_N; i++) {
        if ((seen->doubts >> i & 1) != 0)
            words[out->n_doubts++] = doubt_words[i];
    }
    out->doubts = words;
    return 0;
}

int profile_diff(struct call *c, const void *in, void *out_, struct err *err)
{
    struct profile_diff_answer *out = out_;
    struct profile_summary summary;
    struct profile_evidence e;
    struct profile_state s;
    struct diff_row *rows;
    size_t n;

    (void)in;
    if (load(c, &s, &e, err) != 0 || rows_of(c, &s, &e, &rows, &n, err) != 0 || summarise(c, &s, &summary, err) != 0)
        return -1;
    struct profile_diff_row *list = arena_array(c->arena, n + 1, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const struct diff_row *r = &rows[i];
        list[i] = (struct profile_diff_row){ .part = r->part, .item = r->item, .parent = r->parent[0] != '\0' ? r->parent : NULL,
            .declared = r->declared, .observed = r->observed, .enforced = r->enforced, .note = r->note, .last_ms = TIME_UNKNOWN };
        if (r->seen == NULL)
            continue;
        list[i].n = r->seen->seen->n;
        list[i].last_ms = r->seen->seen->last_ms;
        if (doubts_of(r->seen, c->arena, &list[i], err) != 0)
            return -1;
    }
    *out = (struct profile_diff_answer){ list, n, summary.not_covered, summary.n_not_covered };
    return 0;
}

int profile_observed(struct call *c, const void *in, void *out_, struct err *err)
{
    struct observations_answer *out = out_;
    struct profile_evidence e;
    struct profile_state s;

    (void)in;
    if (load(c, &s, &e, err) != 0)
        return -1;
    return profile_observations_view(e.items, e.n, false, c->arena, &out->items, &out->n_items, err);
}

int image_observed(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct freshness_limits limits = app_limits(c->app);
    struct observations_answer *out = out_;
    struct profile_evidence e;
    struct image image;

    (void)in;
    int rc = image_find(c->db, c->path[0], &limits, c->now_ms, c->arena, &image, err);
    if (rc < 0)
        return -1;
    if (rc == 0 || !may_see(c, image.repository))
        return err_set(err, ERR_NOT_FOUND, "no such image");
    if (profile_evidence_load(c, image.repository, image.digest, NULL, 0, &e, err) != 0)
        return -1;
    return profile_observations_view(e.items, e.n, false, c->arena, &out->items, &out->n_items, err);
}

static void version_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    *at_ms = ((const struct profile_row *)items)[i].id;
    *id = "";
}

int profile_history(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct page_query *q = c->query;
    struct page *out = out_;
    struct profile_state s;
    struct profile_row *rows;
    const char *unused;
    int64_t before;
    size_t n;

    (void)in;
    if (profile_state_load(c, c->path[0], &s, err) != 0 || page_start(q, c->arena, &before, &unused, err) != 0 ||
        profile_versions(c->db, s.id, before, page_limit(q), c->arena, &rows, &n, err) != 0 ||
        page_fill(q, c->arena, rows, n, version_key, out, err) != 0)
        return -1;
    struct profile_version *list = arena_array(c->arena, out->n_items + 1, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < out->n_items; i++)
        profile_version_of(&rows[i], &list[i]);
    out->items = list;
    return 0;
}
