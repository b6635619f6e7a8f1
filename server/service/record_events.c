/* record_events.c - see judge_events.h: from judged events to rows.  On the writer, so
 * nothing here looks anything up per event. */
#include "service/judge_events.h"

#include "base/time.h"
#include "core/profile/item.h"
#include "service/ingest.h"
#include "service/drift_state.h"
#include "store/suppression.h"
#include "wire/msg/event.h"

#include <string.h>

enum { FUTURE_MS = 5 * 60 * 1000 };

/* The time it is listed under: a clock that is ahead must not keep it on top for ever. */
static int64_t listed_at(const struct event *e, int64_t now_ms)
{
    return e->at_ms == TIME_UNKNOWN || e->at_ms < 0 || e->at_ms > now_ms + FUTURE_MS ? now_ms : e->at_ms;
}

static bool is_denied(const struct event *e)
{
    return e->verdict == VERDICT_DENIED || e->verdict == VERDICT_KILLED || e->verdict == VERDICT_DROPPED;
}

static void count_strike(struct draft *d, const struct event *e, int64_t id, int64_t at_ms)
{
    struct alert_signal *s = &d->signal;

    if (s->n == 0) {
        s->first_ms = s->last_ms = at_ms;
    } else {
        s->first_ms = at_ms < s->first_ms ? at_ms : s->first_ms;
        s->last_ms = at_ms > s->last_ms ? at_ms : s->last_ms;
    }
    s->n += event_weight(e);
    s->n_denied += is_denied(e) ? event_weight(e) : 0;
    if (d->n_newest == N_ITEMS(d->newest))
        memmove(d->newest, d->newest + 1, (--d->n_newest) * sizeof *d->newest);
    d->newest[d->n_newest++] = id;
}

/* The writer may run a job again: counting starts anew. */
static void reset(struct judged_batch *b)
{
    b->n_new = b->n_alerting = b->n_silenced = 0;
    for (size_t i = 0; i < b->n_drafts; i++) {
        struct draft *d = &b->drafts[i];
        d->signal.n = d->signal.n_denied = d->signal.first_ms = d->signal.last_ms = 0;
        d->n_newest = 0;
        d->alert_id = 0;
    }
    if (b->n_suppressions > 0)
        memset(b->hits, 0, b->n_suppressions * sizeof *b->hits);
}

static bool is_new(const struct event *e, int64_t through)
{
    return e->seq == 0 || e->seq > through;
}

static void count_all(struct judged_batch *b, int64_t through, int64_t now_ms)
{
    for (size_t i = 0; i < b->n_events; i++) {
        const struct judged_event *item = &b->events[i];
        if (!is_new(item->event, through))
            continue;
        int64_t id = b->first_id + b->n_new++;
        for (const struct strike *s = item->strikes; s != NULL; s = s->next)
            count_strike(&b->drafts[s->draft], item->event, id, listed_at(item->event, now_ms));
        for (const struct silenced *s = item->silenced; s != NULL; s = s->next)
            b->hits[s->suppression]++;
        b->n_alerting += item->strikes != NULL;
        b->n_silenced += item->silenced != NULL;
    }
}

/* Past its budget a node only adds to alerts that are there. */
static int raise_draft(struct call *c, struct judged_batch *b, struct draft *d, struct err *err)
{
    int rc = alert_add(c->db, &d->signal, c->now_ms, c->arena, &d->alert_id, err);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (ingest_may_raise(c->app, b->node, c->now_ms)) {
        ingest_raised(c->app, b->node, c->now_ms);
        return alert_raise(c->db, &d->signal, c->now_ms, c->arena, &d->alert_id, err);
    }
    struct alert_signal flood = d->signal;
    flood.rule_kind = alert_flood.rule_kind;
    flood.rule = alert_flood.rule;
    flood.subject = alert_flood.subject;
    flood.title = alert_flood.title;
    flood.severity = alert_flood.severity;
    flood.repository = flood.digest = flood.namespace = flood.workload = flood.story = NULL;
    flood.image = b->facts.node_id;
    flood.image_id = flood.n_denied = 0;
    return alert_raise(c->db, &flood, c->now_ms, c->arena, &d->alert_id, err);
}

static int raise_all(struct call *c, struct judged_batch *b, struct err *err)
{
    for (size_t i = 0; i < b->n_drafts; i++) {
        struct draft *d = &b->drafts[i];
        if (d->signal.n == 0)
            continue;
        d->signal.events = d->newest;
        d->signal.n_events = d->n_newest;
        if (raise_draft(c, b, d, err) != 0)
            return -1;
    }
    for (size_t i = 0; i < b->n_suppressions; i++) {
        if (b->hits[i] > 0 && suppression_hit(c->db, b->suppressions[i].id, b->hits[i], err) != 0)
            return -1;
    }
    return 0;
}

/* The gravest of those it raised. */
static int64_t alert_of(const struct judged_batch *b, const struct judged_event *item)
{
    const struct draft *best = NULL;

    for (const struct strike *s = item->strikes; s != NULL; s = s->next) {
        const struct draft *d = &b->drafts[s->draft];
        if (best == NULL || d->signal.severity < best->signal.severity)
            best = d;
    }
    return best != NULL ? best->alert_id : 0;
}

static struct event_row row_of(const struct judged_batch *b, const struct judged_event *item, int64_t id, int64_t seq, int64_t now_ms)
{
    const struct event *e = item->event;

    return (struct event_row){
        .id = id, .node = b->node, .seq = seq, .at_ms = listed_at(e, now_ms), .kind = e->kind, .severity = (int)e->severity,
        .image_id = item->subject->image_id, .image_by = item->subject->by, .alert_id = alert_of(b, item),
        .source_key = item->has_key ? item->key : NULL, .document = item->document,
    };
}

/* What a source lost before the agent could read it. */
static int account_source(struct call *c, const struct judged_batch *b, const struct event *e, struct err *err)
{
    if (e->kind != EVENT_DROP || b->node == 0)
        return 0;
    if (event_drop_add(c->db, b->node, event_source_words[e->source], "lost by the source", event_weight(e), c->now_ms, err) != 0)
        return -1;
    return alert_node(c->db, b->node, "node/source_drops", event_source_words[e->source], 5,
                      arena_printf(c->arena, "%s lost events", event_source_words[e->source]), c->now_ms, c->arena, err);
}

static int add_rows(struct call *c, struct judged_batch *b, int64_t through, struct err *err)
{
    struct event_row *rows = arena_array(c->arena, (size_t)b->n_new, sizeof *rows);
    int64_t n = 0;

    if (rows == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < b->n_events; i++) {
        const struct judged_event *item = &b->events[i];
        if (!is_new(item->event, through))
            continue;
        int64_t seq = item->event->seq != 0 ? item->event->seq : through + n + 1;
        rows[n] = row_of(b, item, b->first_id + n, seq, c->now_ms);
        n++;
        if (account_source(c, b, item->event, err) != 0)
            return -1;
        bool departs = item->strikes != NULL || item->silenced != NULL;      /* then it is not learned by itself */
        if (c->app->drift != NULL &&
            drift_state_observe(c->app, c->db, item->subject->image_id, b->node, item->event, departs, err) != 0)
            return -1;
    }
    return event_insert(c->db, rows, (size_t)n, err);
}

int record_events(struct call *c, struct judged_batch *b, int64_t through, struct err *err)
{
    int64_t last;

    reset(b);
    if (event_last(c->db, &last, err) != 0)
        return -1;
    b->first_id = last + 1;
    count_all(b, through, c->now_ms);
    if (b->n_new == 0)
        return 0;
    if (raise_all(c, b, err) != 0 || event_mark(c->db, b->first_id, c->now_ms, err) != 0)
        return -1;
    return add_rows(c, b, through, err);
}
