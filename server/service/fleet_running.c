/* fleet_running.c - what runs where, repositories and their owners. */
#include "service/fleet.h"

#include "base/time.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "service/image_seen.h"
#include "service/policies.h"
#include "service/views.h"
#include "store/container.h"
#include "store/image.h"
#include "store/posture.h"
#include "wire/imageref.h"
#include "wire/msg/fleet.h"

#include <stdlib.h>
#include <string.h>

/* ---- a cluster's report ------------------------------------------------------------------- */

static int image_of(struct call *c, const struct workload_in *w, size_t at, int64_t *id, bool *is_new, struct err *err)
{
    const struct freshness_limits limits = app_limits(c->app);
    struct imageref ref;
    struct image known;

    if (imageref_parse(c->arena, w->image, &ref, err) != 0)
        return err_prefix(err, "$.workloads[%zu].image", at);
    *is_new = false;
    if (ref.digest == NULL) {
        const char *name = imageref_name(c->arena, &ref);
        int rc = name == NULL ? err_nomem(err) : image_find_by_tag(c->db, name, ref.tag, id, err);
        if (rc != 0)
            return rc < 0 ? -1 : 0;
        return err_set(err, ERR_INVALID, "$.workloads[%zu].image: expected a digest (REPOSITORY@sha256:...), or a tag that is known", at);
    }
    int rc = image_find(c->db, ref.digest, &limits, c->now_ms, c->arena, &known, err);
    if (rc != 0) {
        *id = known.id;
        return rc < 0 ? -1 : 0;
    }
    if (ref.is_id || !digest_is_valid(ref.digest))
        return err_set(err, ERR_INVALID, "$.workloads[%zu].image: an unknown image needs its repository and a sha256 digest", at);
    const char *name = imageref_name(c->arena, &ref);
    *is_new = true;
    return name == NULL ? err_nomem(err) : image_seen(c->app, c->db, ref.digest, name, ref.tag, c->now_ms, c->arena, id, err);
}

/* Names are shown on terminals and stand in cursors, one to a line. */
static int check_places(const struct running_in *in, struct err *err)
{
    if (check_name("$.cluster", in->cluster, err) != 0)
        return -1;
    for (size_t i = 0; i < in->n_workloads; i++) {
        const struct workload_in *w = &in->workloads[i];
        if ((*w->namespace != '\0' && check_name("namespace", w->namespace, err) != 0) ||
            check_name("workload", w->workload, err) != 0 || check_name("container", w->container, err) != 0)
            return err_prefix(err, "$.workloads[%zu]", i);
    }
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Sorts the ids. */
static int64_t count_different(int64_t *ids, size_t n)
{
    int64_t different = n > 0;

    if (n > 1)
        qsort(ids, n, sizeof *ids, by_number);
    for (size_t i = 1; i < n; i++)
        different += ids[i] != ids[i - 1];
    return different;
}

int running_report(struct call *c, const void *in_, void *out_, struct err *err)
{
    const struct running_in *in = in_;
    struct running_result *out = out_;

    if (c->caller->n_repositories > 0)
        return err_set(err, ERR_FORBIDDEN, "token %s is limited to repositories; a report is about everything in a cluster", c->caller->name);
    bool has_nodes;
    if (container_cluster_has(c->db, in->cluster, &has_nodes, err) != 0)
        return -1;
    if (has_nodes)
        return err_set(err, ERR_CONFLICT, "what runs in cluster %s is reported by its nodes' agents", in->cluster);
    *out = (struct running_result){ .cluster = in->cluster, .containers = (int64_t)in->n_workloads };
    int64_t *ids = arena_array(c->arena, in->n_workloads, sizeof *ids);
    if (ids == NULL)
        return err_nomem(err);
    if (check_places(in, err) != 0 || running_clear(c->db, in->cluster, err) != 0)
        return -1;
    for (size_t i = 0; i < in->n_workloads; i++) {
        const struct workload_in *w = &in->workloads[i];
        bool is_new = false;
        if (image_of(c, w, i, &ids[i], &is_new, err) != 0)
            return -1;
        out->unknown_images += is_new;
        struct running r = { .cluster = in->cluster, .namespace = w->namespace, .workload = w->workload, .container = w->container,
                             .image_id = ids[i], .replicas = w->replicas > 0 ? w->replicas : 1, .seen_ms = c->now_ms };
        if (running_add(c->db, &r, err) != 0)
            return -1;
    }
    out->images = count_different(ids, in->n_workloads);
    if (running_recount(c->db, in->cluster, err) != 0)
        return -1;
    return audit_change(c, "report", "cluster", in->cluster, &running_result_shape, NULL, out, err);
}

/* The cursor is the four parts of the last place and its image, one to a line. */
static int place_cursor(struct call *c, const char *cursor, struct running_filter *f, struct err *err)
{
    char *rest;

    if (cursor_text(cursor, c->arena, &rest, err) != 0)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        if (rest == NULL)
            return err_set(err, ERR_INVALID, "query.cursor: not one of ours; start without one");
        f->after[i] = strsep(&rest, "\n");
    }
    if (rest == NULL || !str_to_i64(rest, 0, INT64_MAX, &f->after_image))
        return err_set(err, ERR_INVALID, "query.cursor: not one of ours; start without one");
    return 0;
}

int running_page(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct running_query *q = c->query;
    struct running_list_answer *out = out_;
    const struct freshness_limits limits = app_limits(c->app);
    int64_t limit = page_limit(&q->page);
    struct running_filter f = { .cluster = q->cluster, .namespace = q->namespace, .image = q->image, .verdict = q->verdict,
                                .stale = q->stale, .limit = limit };
    struct running *rows;
    size_t n, shown = 0;

    (void)in;
    if (q->page.cursor != NULL && place_cursor(c, q->page.cursor, &f, err) != 0)
        return -1;
    if (running_list(c->db, &f, &limits, c->now_ms, c->arena, &rows, &n, err) != 0)
        return -1;
    bool more = n == (size_t)limit;
    n -= more;
    struct running_answer *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const struct running *r = &rows[i];
        if (!may_see(c, r->repository))
            continue;
        struct running_answer *a = &items[shown++];
        a->place = (struct place_answer){ r->cluster, r->namespace, r->workload, r->container, r->replicas };
        a->seen_ms = r->seen_ms;
        struct image image = { .digest = r->digest, .repository = r->repository, .tag = r->tag, .running = r->replicas, .verdict = r->verdict };
        if (brief_view(c, &image, &a->image, err) != 0)
            return -1;
        a->image.freshness = r->freshness;
    }
    const char *next = NULL;
    if (more) {
        const struct running *r = &rows[n - 1];
        next = cursor_of(c->arena, arena_printf(c->arena, "%s\n%s\n%s\n%s\n%lld", r->cluster, r->namespace, r->workload, r->container,
                                                 (long long)r->image_id));
        if (next == NULL)
            return err_nomem(err);
    }
    *out = (struct running_list_answer){ items, shown, next };
    return 0;
}

/* ---- repositories ----------------------------------------------------------------------------- */

int repository_page(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct repository_query *q = c->query;
    struct repository_list_answer *out = out_;
    struct repository *rows;
    int64_t limit = page_limit(&q->page);
    size_t n, shown = 0;

    (void)in;
    if (repository_list(c->db, q->q, q->page.cursor, limit, c->arena, &rows, &n, err) != 0)
        return -1;
    bool more = n == (size_t)limit;
    n -= more;
    struct repository_answer *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (may_see(c, rows[i].name))
            items[shown++] = (struct repository_answer){ rows[i].name, rows[i].team, rows[i].images, rows[i].failing };
    }
    *out = (struct repository_list_answer){ items, shown, more ? rows[n - 1].name : NULL };
    return 0;
}

int repository_set(struct call *c, const void *in_, void *out_, struct err *err)
{
    const struct repository_in *in = in_;
    struct repository_answer *out = out_;
    struct imageref ref;
    int64_t id;

    if (imageref_parse(c->arena, in->name, &ref, err) != 0)
        return err_prefix(err, "$.name");
    const char *name = ref.is_id ? NULL : imageref_name(c->arena, &ref);
    if (name == NULL)
        return err_set(err, ERR_INVALID, "$.name: expected a repository");
    if (!may_see(c, name))
        return err_set(err, ERR_FORBIDDEN, "%s may not speak of repository %s", c->caller->name, name);
    if (repository_upsert(c->db, name, in->team, c->now_ms, &id, err) != 0 ||
        repository_set_team(c->db, name, in->team, c->now_ms, err) < 0)
        return -1;
    *out = (struct repository_answer){ .name = name, .team = in->team };
    return audit_change(c, "update", "repository", name, &repository_shape, NULL, out, err);
}
