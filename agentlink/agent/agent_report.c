/* agent_report.c - the reporter: what runs here, by differences, and how the agent is. */
#include "agent/agent.h"

#include "base/time.h"
#include "wire/json.h"
#include "wire/msg/container.h"

#include <string.h>

enum { SEND_TIMEOUT_MS = 60000, ANSWER_MAX = 256 * 1024, REPORT_ARENA = 16 << 20, DELTAS_MAX = 64 };

struct reporter {
    struct agent *a;
    struct link link;
    struct arena arena;
    struct inventory_track track;
    int64_t inventory_due_ms, status_due_ms;         /* monotonic */
    unsigned inventory_failures, status_failures;
};

static int post(struct reporter *r, const char *target, const struct shape *shape, const void *message, struct arena *arena,
                struct client_answer *out, struct err *err)
{
    struct client_request ask = { .method = "POST", .target = target, .content_type = "application/json", .key = "",
                                  .timeout_ms = SEND_TIMEOUT_MS, .answer_max = ANSWER_MAX };
    struct buf body;

    buf_init(&body, INVENTORY_BODY_MAX);
    shape_encode(shape, message, &body);
    ask.body = (struct bytes){ (const unsigned char *)body.ptr, body.len };
    int rc = body.failed ? err_nomem(err) : link_send(&r->link, &ask, arena, out, err);
    buf_free(&body);
    return rc;
}

/* ---- inventory ---------------------------------------------------------------------- */

static int send_delta(struct reporter *r, const struct inventory_delta *d, struct err *err)
{
    struct inventory_report report = { .generation = d->generation, .base = d->base, .containers = d->containers,
                                       .n_containers = d->n_containers, .gone = d->gone, .n_gone = d->n_gone };
    struct client_answer answer = { .status = 0 };
    struct arena arena;

    arena_init(&arena, 1 << 20);
    int rc = post(r, "/v1/agent/inventory", &inventory_report_shape, &report, &arena, &answer, err);
    if (rc == 0)
        rc = inventory_acknowledge(&r->track, d, err);
    else if (answer.status == 409)
        inventory_forget(&r->track);                 /* it knows another state of us: everything, next */
    arena_clear(&arena);
    return rc != 0 && answer.status == 409 ? 1 : rc;
}

/* 0 all is sent, -1 not. */
static int inventory_round(struct reporter *r, struct err *err)
{
    struct agent *a = r->a;
    struct inventory_roots roots = { .root = a->settings.inventory_root };
    struct inventory now;
    struct inventory_delta delta = { .has_more = true };
    int rc = 0;

    arena_reset(&r->arena);
    if (inventory_scan(&roots, &r->arena, &now, err) != 0)
        return -1;
    walls_inventory(a->walls, &now);
    for (int i = 0; i < DELTAS_MAX && rc >= 0 && delta.has_more; i++) {
        if (inventory_diff(&r->track, &now, &r->arena, &delta, err) != 0)
            return -1;
        if (delta.is_empty)
            break;
        rc = send_delta(r, &delta, err);
        delta.has_more |= rc == 1;
    }
    pthread_mutex_lock(&a->lock);
    a->shared.containers = (int64_t)now.n;
    a->shared.containers_left_out = (int64_t)now.n_left_out;
    a->shared.generation = r->track.generation;
    a->shared.inventory_ms = time_now_ms();
    pthread_mutex_unlock(&a->lock);
    return rc < 0 ? -1 : 0;
}

/* ---- status ----------------------------------------------------------------------------- */

static int status_round(struct reporter *r, struct err *err)
{
    struct node_status_report report;
    struct client_answer answer = { .status = 0 };
    struct arena arena;

    arena_init(&arena, 4 << 20);
    int rc = agent_report(r->a, &arena, &report, err);
    if (rc == 0)
        rc = post(r, "/v1/agent/status", &node_status_report_shape, &report, &arena, &answer, err);
    arena_clear(&arena);
    return rc;
}

/* ---- both --------------------------------------------------------------------------------- */

static void told(struct agent *a, char problem[200], const char *what, int rc, const struct err *err)
{
    pthread_mutex_lock(&a->lock);
    bool is_new = rc != 0 && problem[0] == '\0';
    snprintf(problem, 200, "%.190s", rc != 0 ? err->msg : "");
    pthread_mutex_unlock(&a->lock);
    if (is_new)
        LOG(&a->log, LOG_WARN, what, LOG_TEXT("error", err->msg));
}

static int64_t next_due(int rc, unsigned *failures, int64_t interval_ms)
{
    *failures = rc == 0 ? 0 : *failures + 1;
    return time_monotonic_ms() + (rc == 0 ? interval_ms : backoff_ms(*failures, 1000, AGENT_PAUSE_MOST_MS, random_u32()));
}

static void report_round(struct reporter *r)
{
    struct agent *a = r->a;
    struct err err = { 0 };
    int64_t now = time_monotonic_ms();

    if (now >= r->inventory_due_ms) {
        int rc = inventory_round(r, &err);
        told(a, a->shared.inventory_problem, "the inventory is not sent", rc, &err);
        r->inventory_due_ms = next_due(rc, &r->inventory_failures, a->pace.inventory_interval_ms);
    }
    if (now >= r->status_due_ms) {
        err = (struct err){ 0 };
        int rc = status_round(r, &err);
        told(a, a->shared.report_problem, "the status is not sent", rc, &err);
        r->status_due_ms = next_due(rc, &r->status_failures, a->pace.status_interval_ms);
    }
}

void *agent_report_main(void *arg)
{
    struct agent *a = arg;
    struct reporter r = { .a = a };
    struct client_config config = agent_client(a, agent_is_over);
    struct err err = { 0 };

    if (link_open(&r.link, &config, a->pass, &err) != 0) {
        LOG(&a->log, LOG_ERROR, "no client for reports", LOG_TEXT("error", err.msg));
        return NULL;
    }
    arena_init(&r.arena, INVENTORY_ARENA);
    while (!a->is_stopping) {
        if (!agent_is_revoked(a))
            report_round(&r);
        int64_t due = r.inventory_due_ms < r.status_due_ms ? r.inventory_due_ms : r.status_due_ms, now = time_monotonic_ms();
        agent_pause(a, due > now + 100 ? due - now : 100);
    }
    if (!agent_is_revoked(a))
        status_round(&r, &err);                      /* the last word */
    inventory_track_clear(&r.track);
    arena_clear(&r.arena);
    link_close(&r.link);
    return NULL;
}
