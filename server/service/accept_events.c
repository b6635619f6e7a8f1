/* accept_events.c - POST /v1/agent/events: a batch of a node's stream.
 *
 *~ The numbers of a stream have no gaps: every one of them is stored or accounted for
 *~ as dropped, exactly once, whatever is sent twice, late or overlapping.  The writer
 *~ alone decides that; the worker's look at the stream only saves work. */
#include "service/ingest.h"

#include "base/time.h"
#include "store/event.h"
#include "wire/jsonw.h"
#include "wire/msg/alert.h"
#include "wire/msg/event.h"

#include <inttypes.h>

enum { STREAMS_KEPT = 100, QUEUE_EASY = 8, SLOW_PER_JOB_MS = 10, SLOW_MAX_MS = 2000, PROBLEM_MAX = 2048 };

/* ---- the account of a batch, by itself ------------------------------------------- */

static int check_stream(const struct event_batch *batch, struct err *err)
{
    unsigned char bytes[STREAM_LEN / 2];

    return hex_decode(batch->stream, bytes, sizeof bytes) ? 0 : err_set(err, ERR_INVALID, "$.stream: 32 lower-case hex digits are expected");
}

static int check_seqs(const struct event_batch *batch, struct err *err)
{
    int64_t before = batch->first_seq - 1;

    for (size_t i = 0; i < batch->n_events; i++) {
        int64_t seq = batch->events[i].seq;
        if (seq <= before || seq > batch->last_seq)
            return err_set(err, ERR_INVALID, "$.events[%zu].seq: %" PRId64 " is not between %" PRId64 " and %" PRId64, i, seq, before + 1,
                           batch->last_seq);
        before = seq;
    }
    return 0;
}

static int check_account(const struct event_batch *batch, struct err *err)
{
    if (batch->last_seq < batch->first_seq)
        return err_set(err, ERR_INVALID, "$.last_seq: lies before first_seq");
    int64_t rest = batch->last_seq - batch->first_seq - (int64_t)batch->n_events + 1;
    for (size_t i = 0; i < batch->n_dropped && rest >= 0; i++)
        rest = batch->dropped[i].count > rest ? -1 : rest - batch->dropped[i].count;
    if (rest != 0)
        return err_set(err, ERR_INVALID, "$.last_seq: the numbers from first_seq to last_seq are not the events and what was dropped");
    return check_seqs(batch, err);
}

/* ---- on a worker -------------------------------------------------------------------- */

int events_prepare(struct call *c, const void *in, void *out, struct err *err)
{
    const struct event_batch *batch = in;
    struct judged_batch *b = arena_alloc(c->arena, sizeof *b);
    int64_t through;
    bool is_new;
    size_t known = 0;

    (void)out;
    if (b == NULL)
        return err_nomem(err);
    b->node = b->lookup = c->caller->node;
    if (check_stream(batch, err) != 0 || check_account(batch, err) != 0 ||
        event_node_get(c->db, b->node, c->arena, &b->facts, err) != 0 ||
        event_stream_get(c->db, b->node, batch->stream, &through, &is_new, err) != 0)
        return -1;
    while (known < batch->n_events && batch->events[known].seq <= through)
        known++;
    c->prepared = b;
    return judge_events(c, batch->events + known, batch->n_events - known, b, err);
}

/* ---- on the writer -------------------------------------------------------------------- */

static int64_t slow_ms(struct call *c)
{
    struct writer_stats stats = { 0 };

    if (c->app->writer != NULL)
        writer_stats(c->app->writer, &stats);
    return stats.queue <= QUEUE_EASY ? 0 : stats.queue * SLOW_PER_JOB_MS > SLOW_MAX_MS ? SLOW_MAX_MS : stats.queue * SLOW_PER_JOB_MS;
}

/* The refusal is remembered, so it is an answer and not an error. */
static int refuse(struct call *c, const struct event_batch *batch, int64_t expected, struct err *err)
{
    const struct err_info *info = err_info(ERR_CONFLICT);
    struct jsonw w;
    struct buf b;

    const char *detail = arena_printf(c->arena, "the stream goes on at %" PRId64 ", the batch begins at %" PRId64, expected, batch->first_seq);
    const char *title = arena_printf(c->arena, "a batch left out numbers of its stream: %" PRId64 " was expected, %" PRId64 " came", expected,
                                     batch->first_seq);
    if (detail == NULL || title == NULL)
        return err_nomem(err);
    if (event_node_refused(c->db, c->caller->node, err) != 0 ||
        alert_node(c->db, c->caller->node, "node/sequence_jump", "", 4, title, c->now_ms, c->arena, err) != 0)
        return -1;
    buf_init(&b, PROBLEM_MAX);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_kstr(&w, "type", arena_printf(c->arena, "/problems/%s", info->slug));
    jsonw_kstr(&w, "title", info->title);
    jsonw_kint(&w, "status", info->http_status);
    jsonw_kstr(&w, "detail", detail);
    jsonw_kstr(&w, "request_id", c->request_id != NULL ? c->request_id : "");
    jsonw_kint(&w, "expected_seq", expected);
    jsonw_object_end(&w);
    char *copy = b.failed ? NULL : arena_strndup(c->arena, b.ptr, b.len);
    c->answer = (struct bytes){ (unsigned char *)copy, b.len };
    buf_free(&b);
    c->answer_type = "application/problem+json";
    c->status = info->http_status;
    ingest_count(c->app, INGEST_REFUSED, 1);
    return copy != NULL ? 0 : err_nomem(err);
}

/* Streams and classes are words of the node's own: an alert each would be a flood of its. */
static const char *class_of(const struct event_drop *d)
{
    for (size_t i = 0; event_class_words[i] != NULL; i++) {
        if (str_eq(event_class_words[i], d->class))
            return event_class_words[i];
    }
    return "other";
}

/* What of the dropped lies behind `through`: all, or in a batch that overlaps the last so many. */
static int record_drops(struct call *c, const struct event_batch *batch, int64_t n, struct err *err)
{
    for (size_t i = batch->n_dropped; i > 0 && n > 0; i--) {
        const struct event_drop *d = &batch->dropped[i - 1];
        int64_t part = d->count < n ? d->count : n;
        const char *title = arena_printf(c->arena, "events were lost (%s): %s", d->class, d->reason);
        if (title == NULL)
            return err_nomem(err);
        if (event_drop_add(c->db, c->caller->node, d->class, d->reason, part, c->now_ms, err) != 0 ||
            alert_node(c->db, c->caller->node, "node/drops", class_of(d), str_eq(d->class, "critical") ? 3 : 4, title, c->now_ms, c->arena,
                       err) != 0)
            return -1;
        n -= part;
    }
    return 0;
}

static int note_stream(struct call *c, const struct judged_batch *b, const struct event_batch *batch, struct err *err)
{
    if (event_stream_prune(c->db, b->node, STREAMS_KEPT - 1, err) != 0)
        return -1;
    if (b->facts.stream[0] == '\0' || str_eq(b->facts.stream, batch->stream))
        return 0;
    return alert_node(c->db, b->node, "node/new_stream", "", 5,
                      "began a new stream: its spool was lost or replaced", c->now_ms, c->arena, err);
}

int events_accept(struct call *c, const void *in, void *out, struct err *err)
{
    const struct event_batch *batch = in;
    struct judged_batch *b = c->prepared;
    struct event_accepted *accepted = out;
    int64_t through;
    bool is_new;

    if (event_stream_get(c->db, b->node, batch->stream, &through, &is_new, err) != 0)
        return -1;
    if (batch->first_seq > through + 1)
        return refuse(c, batch, through + 1, err);
    *accepted = (struct event_accepted){ through, slow_ms(c) };
    if (batch->last_seq <= through) {
        ingest_count(c->app, INGEST_REPEATED, 1);
        return 0;
    }
    if ((is_new && note_stream(c, b, batch, err) != 0) || record_events(c, b, through, err) != 0)
        return -1;
    int64_t dropped = batch->last_seq - through - b->n_new;
    if (record_drops(c, batch, dropped, err) != 0 ||
        event_stream_put(c->db, b->node, batch->stream, batch->last_seq, c->now_ms, err) != 0 ||
        event_node_account(c->db, b->node, batch->stream, batch->last_seq, b->n_new, dropped, err) != 0)
        return -1;
    ingest_count_batch(c->app, b, dropped);
    accepted->accepted_through = batch->last_seq;
    return 0;
}
