/* node_status.c - how a node says it is, and what of that is a problem. */
#include "base/time.h"
#include "core/node_state.h"
#include "service/nodes.h"
#include "store/node.h"
#include "wire/json.h"
#include "wire/json_util.h"
#include "wire/msg/node.h"

#include <string.h>

enum { STATUS_TEXT_MAX = 256 * 1024 };
#define CLONE_SHOWN_MS MS_DAY

static const struct json *parse(const char *status, struct arena *arena)
{
    struct json *doc = status != NULL ? arena_alloc(arena, sizeof *doc) : NULL;
    struct err ignored = { 0 };

    return doc != NULL && json_parse(arena, status, strlen(status), NULL, doc, &ignored) == 0 ? doc : NULL;
}

const char *node_problem_text(const struct node *node, int64_t dropped, struct arena *arena, int64_t now_ms)
{
    const struct json *status = parse(node->status, arena);
    char *text = arena_bytes(arena, NODE_PROBLEM_MAX + 1);
    const struct node_signs signs = {
        .is_cloned = node->cloned_ms != TIME_UNKNOWN && now_ms - node->cloned_ms < CLONE_SHOWN_MS,
        .clock_skew_ms = node->clock_skew_ms,
        .bundle_problem = status != NULL ? json_get_str(status, "bundle_problem", NULL) : NULL,
        .spool_dropped = dropped,
    };

    if (text != NULL)
        node_problem(&signs, text);
    return text;
}

static int64_t dropped_in(const struct json *status)
{
    const struct json *list = status != NULL ? json_get(status, "drops") : NULL;
    int64_t n = 0;

    for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < json_len(list); i++) {
        const struct json *count = json_get(&list->items[i], "count");
        n += count != NULL && count->type == JSON_INT && count->i > 0 ? count->i : 0;
    }
    return n;
}

static const char *encode(const struct node_status_report *in, struct arena *arena)
{
    struct node_status_report report = *in;
    struct buf b;

    if (report.started_ms == 0)
        report.started_ms = TIME_UNKNOWN;
    buf_init(&b, STATUS_TEXT_MAX);
    shape_encode(&node_status_report_shape, &report, &b);
    const char *text = b.failed ? NULL : arena_strndup(arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

int node_status(struct call *c, const void *in, void *out, struct err *err)
{
    const struct node_status_report *report = in;
    struct node node;

    if (node_get_stored(c->db, c->caller->node, c->arena, &node, err) != 0)
        return -1;
    int64_t before = dropped_in(parse(node.status, c->arena));
    node.status = encode(report, c->arena);
    if (node.status == NULL)
        return err_nomem(err);
    int64_t dropped = dropped_in(parse(node.status, c->arena)) - before;
    if (report->bundle_version != node.bundle_version)
        node.bundle_applied_ms = c->now_ms;
    node.bundle_version = report->bundle_version;
    node.status_ms = node.last_seen_ms = c->now_ms;
    node.last_from = c->caller->from;
    node.problem = node_problem_text(&node, dropped, c->arena, c->now_ms);
    if (node.problem == NULL)
        return err_nomem(err);
    if (node_update_status(c->db, &node, err) != 0)
        return -1;
    nodes_seen(c->app->nodes, node.id, c->now_ms, c->caller->from, report->bundle_version);
    *(struct node_status_answer *)out = (struct node_status_answer){ c->app->settings.node_poll_ms / MS_SECOND, c->now_ms };
    return 0;
}
