/* manage_node.c - nodes as people see them. */
#include "base/time.h"
#include "core/node_state.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "service/nodes.h"
#include "store/node.h"
#include "wire/msg/node.h"

static void node_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    const struct node *n = items;

    *at_ms = n[i].id;
    *id = n[i].name;
}

int node_page(struct call *c, const void *in, void *out, struct err *err)
{
    const struct node_query *q = c->query;
    struct node_filter filter = {
        .cluster = q->cluster, .state = q->state - 1, .q = q->q, .has_problem = q->problem,
        .bundle_version = -1, .silent_before_ms = c->now_ms - c->app->settings.node_silent_ms,
    };
    struct node *nodes;
    const char *after_name;
    int64_t after_id;
    size_t n;

    (void)in;
    if (q->bundle_version != NULL && !str_to_i64(q->bundle_version, 0, INT64_MAX, &filter.bundle_version))
        return err_set(err, ERR_INVALID, "query.bundle_version: a number expected");
    if (page_start(&q->page, c->arena, &after_id, &after_name, err) != 0 ||
        node_list(c->db, &filter, after_name, after_id, page_limit(&q->page), c->arena, &nodes, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        nodes_overlay(c->app, &nodes[i], c->now_ms);
    return page_fill(&q->page, c->arena, nodes, n, node_key, out, err);
}

int node_show(struct call *c, const void *in, void *out, struct err *err)
{
    struct node_detail detail = { 0 };
    struct node_drop *drops;

    (void)in;
    if (node_get(c->db, c->path[0], c->arena, &detail.node, err) != 0 ||
        node_drop_list(c->db, detail.node.id, c->arena, &drops, &detail.n_drops, err) != 0)
        return -1;
    struct node_drops_row *rows = arena_array(c->arena, detail.n_drops, sizeof *rows);
    if (rows == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < detail.n_drops; i++)
        rows[i] = (struct node_drops_row){ drops[i].class, drops[i].reason, drops[i].n, drops[i].last_ms };
    detail.drops = rows;
    nodes_overlay(c->app, &detail.node, c->now_ms);
    *(struct node_detail *)out = detail;
    return 0;
}

static int read_node(struct call *c, struct node *out, struct err *err)
{
    if (node_get(c->db, c->path[0], c->arena, out, err) != 0)
        return -1;
    out->state = (int)node_state_at(out, c->app->settings.node_silent_ms, c->now_ms);
    return 0;
}

/* Memory first: from here on it is refused, and should the commit fail, the housekeeper
 * finds out and lets it in again. */
int node_revoke(struct call *c, const void *in, void *out, struct err *err)
{
    struct node before, after;
    bool changed;

    (void)in, (void)out;
    if (read_node(c, &before, err) != 0)
        return -1;
    c->status = 204;
    if (!node_state_may((enum node_state)before.state, NODE_REVOKED))
        return 0;
    if (node_end(c->db, before.id, c->now_ms, c->caller->name, &changed, err) != 0 || read_node(c, &after, err) != 0)
        return -1;
    nodes_revoke(c->app->nodes, before.id);
    return audit_change(c, "revoke", "node", before.node_id, &node_shape, &before, &after, err);
}
