/* show_events.c - lists of events, newest first. */
#include "base/time.h"
#include "service/check.h"
#include "service/event_view.h"
#include "service/events.h"
#include "service/policies.h"
#include "store/event.h"
#include "store/image.h"
#include "wire/msg/alert.h"

#include <inttypes.h>

enum { EXAMINE = 20000 };

void event_entry_of(const struct event_shown *e, struct event_entry *out)
{
    *out = (struct event_entry){
        .id = e->row.id, .seq = e->row.seq, .alert = e->row.alert_id, .node = e->node_id, .node_name = e->node_name,
        .repository = e->repository, .digest = e->digest, .image_by = e->row.image_by, .event = (const char *)e->row.document.ptr,
    };
}

/* 1: found or not asked for; 0: there is none, so the list is empty. */
static int name_things(struct call *c, const struct event_query *q, struct event_filter *f, struct err *err)
{
    const struct freshness_limits limits = app_limits(c->app);
    struct image image;
    int rc = 1;

    if (q->node != NULL && (event_node_named(c->db, q->node, &f->node, err) != 0 || f->node == 0))
        return f->node == 0 && q->node != NULL ? 0 : -1;
    if (q->image == NULL)
        return 1;
    if (!digest_is_valid(q->image))
        return err_set(err, ERR_INVALID, "query.image: a digest is expected, sha256:...");
    rc = image_find(c->db, q->image, &limits, c->now_ms, c->arena, &image, err);
    f->image_id = rc == 1 ? image.id : 0;
    return rc;
}

static int filter_of(struct call *c, const struct event_query *q, struct event_filter *f, struct err *err)
{
    int64_t at[2];

    if (cursor_numbers(q->page.cursor, at, 2, c->arena, err) != 0)
        return -1;
    *f = (struct event_filter){
        .alert_id = q->alert, .kind = q->kind - 1, .severity = q->severity - 1, .container = q->container, .since_ms = q->since_ms,
        .before_ms = q->until_ms != TIME_UNKNOWN ? q->until_ms : INT64_MAX, .before_id = q->until_ms != TIME_UNKNOWN ? 0 : INT64_MAX,
        .limit = page_limit(&q->page) - 1, .examine = EXAMINE,
    };
    if (q->page.cursor != NULL) {
        f->before_ms = at[0];
        f->before_id = at[1];
    }
    return name_things(c, q, f, err);
}

int event_page(struct call *c, const void *in, void *out, struct err *err)
{
    static const struct event_query all = { .since_ms = TIME_UNKNOWN, .until_ms = TIME_UNKNOWN };
    const struct event_query *q = c->query == NULL ? &all : c->query;
    struct page *page = out;
    struct event_shown *list;
    struct event_filter f;
    int64_t next_ms, next_id;
    size_t n;

    (void)in;
    int rc = filter_of(c, q, &f, err);
    if (rc != 1)
        return rc;
    if (event_list(c->db, &f, c->arena, &list, &n, &next_ms, &next_id, err) != 0)
        return -1;
    struct event_entry *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        event_entry_of(&list[i], &items[i]);
    *page = (struct page){ .items = items, .n_items = n };
    if (next_id != 0 && (page->next = arena_printf(c->arena, "%" PRId64 ".%" PRId64, next_ms, next_id)) == NULL)
        return err_nomem(err);
    return 0;
}
