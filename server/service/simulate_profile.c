/* simulate_profile.c - "would have denied these three flows": a profile over the events
 * that are stored of its images. */
#include "service/profiles.h"

#include "base/time.h"
#include "core/profile/simulate.h"
#include "service/policies.h"
#include "service/views.h"
#include "store/event.h"
#include "store/image.h"
#include "store/observation.h"
#include "wire/msg/event.h"
#include "wire/profile_doc.h"

enum { EVENTS_MAX = 20000, PAGE = 500, IMAGES_MAX = 20, PAGE_ARENA = 64 << 20, HOURS_DEFAULT = 24 };

struct walk {
    struct call *c;
    struct simulation *s;
    int64_t since_ms;
    size_t n;                            /* events looked at */
    bool is_complete;
};

static int take(struct walk *w, const struct event_shown *row, struct arena *arena, struct err *err)
{
    struct event event;
    struct json doc;

    shape_init(&event_shape, &event);
    if (json_parse(arena, row->row.document.ptr, row->row.document.len, NULL, &doc, err) != 0 ||
        shape_decode(&event_shape, &doc, arena, &event, NULL, err) != 0)
        return err->kind == ERR_UNAVAILABLE ? -1 : 0;       /* stored by a version that knew more: it says nothing here */
    w->n++;
    return simulation_add(w->s, &event, err);
}

static int walk_image(struct walk *w, int64_t image_id, struct err *err)
{
    struct event_filter f = { .image_id = image_id, .kind = -1, .severity = -1, .since_ms = w->since_ms, .before_ms = INT64_MAX,
                              .before_id = INT64_MAX, .limit = PAGE, .examine = PAGE };
    struct event_shown *rows;
    struct arena arena;
    int rc = 0;
    size_t n;

    arena_init(&arena, PAGE_ARENA);
    while (rc == 0 && f.before_id != 0) {
        if (w->n >= EVENTS_MAX) {
            w->is_complete = false;
            break;
        }
        rc = event_list(w->c->db, &f, &arena, &rows, &n, &f.before_ms, &f.before_id, err);
        for (size_t i = 0; rc == 0 && i < n; i++)
            rc = take(w, &rows[i], &arena, err);
        arena_reset(&arena);
    }
    arena_clear(&arena);
    return rc;
}

static int images_of(struct call *c, const struct profile *p, int64_t **ids, size_t *n, struct err *err)
{
    const struct freshness_limits limits = app_limits(c->app);
    struct image image;

    if (p->digest == NULL)
        return observation_images(c->db, p->repository, IMAGES_MAX, c->arena, ids, n, err);
    int rc = image_find(c->db, p->digest, &limits, c->now_ms, c->arena, &image, err);
    if (rc < 0 || (*ids = arena_alloc(c->arena, sizeof **ids)) == NULL)
        return rc < 0 ? -1 : err_nomem(err);
    **ids = image.id;
    *n = (size_t)rc;
    return 0;
}

static int view(struct walk *w, struct simulation_answer *out, struct err *err)
{
    const struct simulation *s = w->s;
    struct departure_answer *list = arena_array(w->c->arena, s->n + 1, sizeof *list);

    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < s->n; i++) {
        const struct departure *d = &s->departures[i];
        list[i] = (struct departure_answer){
            .rule = drift_rule_words[d->finding.rule], .subject = d->finding.subject, .message = d->finding.message,
            .expected = d->finding.expected, .severity = d->finding.severity, .n = d->n, .first_ms = d->first_ms, .last_ms = d->last_ms,
            .workloads = d->workloads, .n_workloads = d->n_workloads,
        };
    }
    *out = (struct simulation_answer){ s->examined, s->examined - s->departing, s->departing, w->is_complete && !s->is_cut, list, s->n };
    return 0;
}

static int simulate(struct call *c, const struct profile *p, int64_t hours, struct simulation_answer *out, struct err *err)
{
    struct profile_compiled *compiled;
    struct simulation s;
    struct walk w = { c, &s, c->now_ms - (hours > 0 ? hours : HOURS_DEFAULT) * MS_HOUR, 0, true };
    int64_t *ids;
    size_t n;

    if (profile_compile(p, c->arena, &compiled, err) != 0 || simulation_init(&s, compiled, c->arena, err) != 0 ||
        images_of(c, p, &ids, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (walk_image(&w, ids[i], err) != 0)
            return -1;
    }
    simulation_sort(&s);
    return view(&w, out, err);
}

int profile_simulate(struct call *c, const void *in, void *out, struct err *err)
{
    const struct profile_simulate_query *q = c->query;
    const struct profile *p;
    struct profile_state s;

    (void)in;
    if (profile_state_load(c, c->path[0], &s, err) != 0 || profile_source_asked(&s, q->source, &p, err) != 0)
        return -1;
    return simulate(c, p, q->hours, out, err);
}

/* A profile that nobody has declared yet. */
int profile_simulate_document(struct call *c, const void *in, void *out, struct err *err)
{
    const struct profile_simulate_query *q = c->query;
    struct profile p;

    (void)in;
    if (profile_doc_parse(c->body.ptr, c->body.len, c->arena, &c->complaints, &p, err) != 0)
        return -1;
    if (!may_see(c, p.repository))
        return err_set(err, ERR_FORBIDDEN, "you may not see repository %s", p.repository);
    return simulate(c, &p, q->hours, out, err);
}
