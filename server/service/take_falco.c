/* take_falco.c - POST /v1/falco: one event as Falco's http_output sends it, and as
 * falcosidekick takes it.
 *
 * There is no stream: what makes two events the same is Falco's event id, and without
 * one all of the bytes (they hold a time in nanoseconds).  Falco waits for nothing and
 * sends nothing twice; whoever must lose nothing points it at a keep-agent. */
#include "service/ingest.h"

#include "base/crypto.h"
#include "store/event.h"
#include "wire/event/event.h"
#include "wire/msg/alert.h"

#include <string.h>

static const char stream[] = "falco";

/* Each node has ids of its own: nobody's event is taken for one that somebody else sent. */
static void key_of(const struct event *e, int64_t node, struct bytes body, unsigned char key[EVENT_KEY_LEN])
{
    unsigned char sum[SHA256_LEN];
    struct sha256 s;

    sha256_init(&s);
    if (node != 0)
        sha256_add(&s, &node, sizeof node);
    if (e->event_id != NULL)
        sha256_add(&s, e->event_id, strlen(e->event_id));
    else
        sha256_add(&s, body.ptr, body.len);
    sha256_done(&s, sum);
    memcpy(key, sum, EVENT_KEY_LEN);
}

/* A node that sends itself, or the one that goes by the name Falco gives. */
static int who_sent(struct call *c, const struct event *e, struct judged_batch *b, struct err *err)
{
    b->node = c->caller->node;
    b->lookup = b->node;
    if (b->node == 0 && e->node != NULL && event_node_named(c->db, e->node, &b->lookup, err) != 0)
        return -1;
    return b->lookup != 0 ? event_node_get(c->db, b->lookup, c->arena, &b->facts, err) : 0;
}

int falco_prepare(struct call *c, const void *in, void *out, struct err *err)
{
    struct judged_batch *b = arena_alloc(c->arena, sizeof *b);
    struct event *e = arena_alloc(c->arena, sizeof *e);

    (void)in, (void)out;
    if (b == NULL || e == NULL)
        return err_nomem(err);
    c->prepared = b;
    int rc = event_decode(SOURCE_FALCO, c->body.ptr, c->body.len, c->arena, e, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    e->seq = 0;                          /* ours to give */
    if (who_sent(c, e, b, err) != 0 || judge_events(c, e, 1, b, err) != 0)
        return -1;
    key_of(e, b->node, c->body, b->events[0].key);
    b->events[0].has_key = true;
    return 0;
}

int falco_accept(struct call *c, const void *in, void *out, struct err *err)
{
    struct judged_batch *b = c->prepared;
    struct falco_taken *taken = out;
    int64_t through;
    bool has = false, is_new;

    (void)in;
    *taken = (struct falco_taken){ .stored = false };
    if (b->n_events == 0)
        return 0;
    if (event_has_key(c->db, b->events[0].key, &has, err) != 0 || event_stream_get(c->db, b->node, stream, &through, &is_new, err) != 0)
        return -1;
    if (has) {
        ingest_count(c->app, INGEST_REPEATED, 1);
        return 0;
    }
    if (record_events(c, b, through, err) != 0 || event_stream_put(c->db, b->node, stream, through + 1, c->now_ms, err) != 0)
        return -1;
    ingest_count_batch(c->app, b, 0);
    taken->stored = true;
    return 0;
}
