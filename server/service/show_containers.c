/* show_containers.c - which running containers carry CVE-X, run a stale image, break a policy. */
#include "service/containers.h"

#include "core/node_state.h"
#include "service/check.h"
#include "service/nodes.h"
#include "service/policies.h"
#include "service/views.h"
#include "store/container.h"
#include "store/finding.h"
#include "store/image.h"
#include "wire/imageref.h"
#include "wire/msg/container.h"

#include <string.h>

static const char *node_state(const struct call *c, const struct container_shown *s)
{
    struct node node = { .id = s->node, .enrolled_ms = s->node_enrolled_ms, .revoked_ms = s->node_revoked_ms, .last_seen_ms = s->node_seen_ms };

    nodes_overlay(c->app, &node, c->now_ms);
    return node_state_words[node.state];
}

static int view(struct call *c, struct container_shown *s, struct container_answer *out, struct err *err)
{
    *out = s->answer;
    out->node_state = node_state(c, s);
    if (s->image.id == 0)
        return 0;
    struct image_brief *brief = arena_alloc(c->arena, sizeof *brief);
    out->image = brief;
    return brief == NULL ? err_nomem(err) : brief_view(c, &s->image, brief, err);
}

/* Who may see only some repositories sees nothing whose repository is not known. */
static bool is_visible(const struct call *c, const struct container_shown *s)
{
    return s->image.id != 0 ? may_see(c, s->image.repository) : c->caller->n_repositories == 0;
}

/* ---- what is asked for -------------------------------------------------------------------- */

static int find_image(struct call *c, const char *text, int64_t *id, struct err *err)
{
    const struct freshness_limits limits = app_limits(c->app);
    struct imageref ref;
    struct image image;

    *id = 0;
    if (imageref_parse(c->arena, text, &ref, err) != 0)
        return err_prefix(err, "query.image");
    if (ref.digest == NULL) {
        const char *name = imageref_name(c->arena, &ref);
        return name == NULL ? err_nomem(err) : image_find_by_tag(c->db, name, ref.tag, id, err) < 0 ? -1 : 0;
    }
    int rc = image_find(c->db, ref.digest, &limits, c->now_ms, c->arena, &image, err);
    if (rc == 1)
        *id = image.id;
    return rc < 0 ? -1 : 0;
}

static int split_policy(struct call *c, const char *text, struct container_filter *f, struct err *err)
{
    const char *slash = text != NULL ? strchr(text, '/') : NULL;

    f->policy = slash == NULL ? text : arena_strndup(c->arena, text, (size_t)(slash - text));
    f->rule = slash == NULL ? NULL : slash + 1;
    return text != NULL && f->policy == NULL ? err_nomem(err) : 0;
}

/* "NODE/ID" of the last row of the page before. */
static int read_cursor(struct call *c, const char *cursor, struct container_filter *f, struct err *err)
{
    char *text, *slash;

    if (cursor == NULL)
        return 0;
    if (cursor_text(cursor, c->arena, &text, err) != 0)
        return -1;
    if ((slash = strchr(text, '/')) != NULL)
        *slash = '\0';
    if (slash == NULL || !str_to_i64(text, 0, INT64_MAX, &f->after_node))
        return err_set(err, ERR_INVALID, "query.cursor: not one of ours; start without one");
    f->after_id = slash + 1;
    return 0;
}

/* 1: there can be an answer; 0: Keep has never heard of what is asked for. */
static int read_query(struct call *c, const struct container_query *q, struct container_filter *f, struct err *err)
{
    *f = (struct container_filter){
        .package = q->package, .cluster = q->cluster, .namespace = q->namespace, .node = q->node, .sandbox = q->sandbox, .q = q->q,
        .stale = q->stale, .privileged = q->privileged, .verdict = q->verdict, .limit = page_limit(&q->page),
    };
    if (read_cursor(c, q->page.cursor, f, err) != 0 || split_policy(c, q->policy, f, err) != 0 ||
        (q->cve != NULL && vulnerability_find(c->db, q->cve, &f->vulnerability, err) != 0) ||
        (q->image != NULL && find_image(c, q->image, &f->image_id, err) != 0))
        return -1;
    return (q->cve == NULL || f->vulnerability != 0) && (q->image == NULL || f->image_id != 0);
}

/* ---- answers ------------------------------------------------------------------------------- */

static int answer_list(struct call *c, const struct container_query *q, struct container_list_answer *out, struct err *err)
{
    const struct freshness_limits limits = app_limits(c->app);
    struct container_filter filter;
    struct container_shown *rows = NULL;
    size_t n = 0, shown = 0;
    const char *next = NULL;
    int rc = read_query(c, q, &filter, err);

    if (rc < 0 || (rc == 1 && container_list(c->db, &filter, &limits, c->now_ms, c->arena, &rows, &n, err) != 0))
        return -1;
    if (rc == 1 && n == (size_t)filter.limit) {
        n--;
        next = cursor_of(c->arena, arena_printf(c->arena, "%lld/%s", (long long)rows[n - 1].node, rows[n - 1].answer.id));
        if (next == NULL)
            return err_nomem(err);
    }
    struct container_answer *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (is_visible(c, &rows[i]) && view(c, &rows[i], &items[shown++], err) != 0)
            return -1;
    *out = (struct container_list_answer){ items, shown, next };
    return 0;
}

int container_page(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in;
    return answer_list(c, c->query, out, err);
}

int node_container_page(struct call *c, const void *in, void *out, struct err *err)
{
    const struct page_query *page = c->query;
    const struct container_query q = { .page = *page, .node = c->path[0] };

    (void)in;
    return answer_list(c, &q, out, err);
}

int container_show(struct call *c, const void *in, void *out_, struct err *err)
{
    struct container_answer *out = out_;
    struct container *detail = arena_alloc(c->arena, sizeof *detail);
    struct container_shown shown;
    struct json document;

    (void)in;
    if (detail == NULL)
        return err_nomem(err);
    int rc = container_get(c->db, c->path[0], c->path[1], c->arena, &shown, err);
    if (rc < 0)
        return -1;
    if (rc == 0 || !is_visible(c, &shown))
        return err_set(err, ERR_NOT_FOUND, "no such container");
    shape_init(&container_shape, detail);
    if (json_parse(c->arena, shown.document, strlen(shown.document), NULL, &document, err) != 0 ||
        shape_decode(&container_shape, &document, c->arena, detail, NULL, err) != 0 || view(c, &shown, out, err) != 0)
        return -1;
    out->detail = detail;
    return 0;
}
