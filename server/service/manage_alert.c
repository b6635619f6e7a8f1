/* manage_alert.c - alerts as people see and change them. */
#include "base/time.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "service/event_view.h"
#include "service/events.h"
#include "store/alert.h"
#include "wire/msg/alert.h"

#include <inttypes.h>
#include <string.h>

enum { EXAMINE = 20000 };

static const char *or_null(const char *s)
{
    return s != NULL && *s != '\0' ? s : NULL;
}

static void entry_of(const struct alert_row *a, struct alert_entry *out)
{
    *out = (struct alert_entry){
        .id = a->id, .state = a->state, .rule_kind = a->rule_kind, .severity = a->severity, .rule = a->rule, .subject = or_null(a->subject),
        .title = a->title, .repository = or_null(a->repository), .digest = or_null(a->digest), .cluster = or_null(a->cluster),
        .namespace = or_null(a->namespace), .workload = or_null(a->workload), .node = a->node_id, .node_name = a->node_name, .n = a->n,
        .n_denied = a->n_denied, .episode = a->episode, .first_ms = a->first_ms, .last_ms = a->last_ms, .changed_ms = a->changed_ms,
        .changed_by = or_null(a->changed_by), .note = or_null(a->note), .story = a->story,
    };
}

int alert_page(struct call *c, const void *in, void *out, struct err *err)
{
    static const struct alert_query all = { 0 };
    const struct alert_query *q = c->query == NULL ? &all : c->query;
    struct alert_filter f = {
        .state = q->state - 1, .severity = q->severity - 1, .rule = q->rule, .cluster = q->cluster, .namespace = q->namespace,
        .text = or_null(q->q), .before_ms = INT64_MAX, .before_id = INT64_MAX, .limit = page_limit(&q->page) - 1, .examine = EXAMINE,
    };
    struct page *page = out;
    struct alert_row *list;
    int64_t at[2], next_ms, next_id;
    size_t n;

    (void)in;
    if (cursor_numbers(q->page.cursor, at, 2, c->arena, err) != 0)
        return -1;
    if (q->page.cursor != NULL) {
        f.before_ms = at[0];
        f.before_id = at[1];
    }
    if (q->image != NULL)
        *(digest_is_valid(q->image) ? &f.digest : &f.repository) = q->image;
    if (alert_list(c->db, &f, c->arena, &list, &n, &next_ms, &next_id, err) != 0)
        return -1;
    struct alert_entry *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        entry_of(&list[i], &items[i]);
    *page = (struct page){ .items = items, .n_items = n };
    if (next_id != 0 && (page->next = arena_printf(c->arena, "%" PRId64 ".%" PRId64, next_ms, next_id)) == NULL)
        return err_nomem(err);
    return 0;
}

static int id_of(struct call *c, int64_t *id, struct err *err)
{
    return str_to_i64(c->path[0], 1, INT64_MAX, id) ? 0 : err_set(err, ERR_NOT_FOUND, "no such alert");
}

/* Those of its newest events that have not been forgotten. */
static int newest_events(struct call *c, const char *ids, struct alert_entry *out, struct err *err)
{
    struct event_entry *events = arena_array(c->arena, ALERT_NEWEST, sizeof *events);
    struct event_shown row;
    size_t n = 0;

    if (events == NULL)
        return err_nomem(err);
    for (int64_t id; *ids != '\0' && n < ALERT_NEWEST;) {
        size_t len = strcspn(ids, ",");
        const char *text = arena_strndup(c->arena, ids, len);
        if (text == NULL)
            return err_nomem(err);
        ids += len + (ids[len] == ',');
        if (!str_to_i64(text, 1, INT64_MAX, &id))
            continue;
        if (event_get(c->db, id, c->arena, &row, err) == 0)
            event_entry_of(&row, &events[n++]);
        else if (err->kind != ERR_NOT_FOUND)
            return -1;
    }
    out->events = events;
    out->n_events = n;
    return 0;
}

int alert_show(struct call *c, const void *in, void *out, struct err *err)
{
    struct alert_row row;
    int64_t id;

    (void)in;
    if (id_of(c, &id, err) != 0 || alert_get(c->db, id, c->arena, &row, err) != 0)
        return -1;
    entry_of(&row, out);
    return newest_events(c, row.newest, out, err);
}

static int check_note(const char *note, struct err *err)
{
    for (const char *p = note; *p != '\0'; p++) {
        unsigned char ch = (unsigned char)*p;
        if ((ch < 0x20 && ch != '\n' && ch != '\t') || ch == 0x7f)
            return err_set(err, ERR_INVALID, "$.note: control characters are not allowed");
    }
    return 0;
}

int alert_change(struct call *c, const void *in, void *out, struct err *err)
{
    const struct alert_change *asked = in;
    const char *note = asked->note != NULL ? asked->note : "";
    struct alert_row before, after;
    struct alert_entry was;
    int64_t id;

    if (id_of(c, &id, err) != 0 || check_note(note, err) != 0 || alert_get(c->db, id, c->arena, &before, err) != 0 ||
        alert_set_state(c->db, id, asked->state - 1, c->caller->name, note, c->now_ms, err) != 0 ||
        alert_get(c->db, id, c->arena, &after, err) != 0)
        return -1;
    entry_of(&before, &was);
    entry_of(&after, out);
    return audit_change(c, "update", "alert", c->path[0], &alert_shape, &was, out, err);
}

int alert_group_page(struct call *c, const void *in, void *out, struct err *err)
{
    struct alert_group_list *list = out;
    struct alert_group *groups;
    size_t n;

    (void)in;
    if (alert_groups(c->db, PAGE_MAX, c->arena, &groups, &n, err) != 0)
        return -1;
    struct alert_group_entry *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const struct alert_group *g = &groups[i];
        items[i] = (struct alert_group_entry){ g->rule, or_null(g->repository), g->rule_kind, g->severity, g->n_alerts, g->n_open, g->n,
                                               g->first_ms, g->last_ms, g->example };
    }
    *list = (struct alert_group_list){ items, n };
    return 0;
}
