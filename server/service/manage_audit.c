/* manage_audit.c - reading the audit log. */
#include "service/check.h"
#include "service/manage.h"
#include "store/audit.h"
#include "wire/json.h"
#include "wire/msg/audit.h"

static void item_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    *at_ms = ((const struct audit_item *)items)[i].seq;
    *id = "";
}

/* The parts of a stored record.  What we wrote ourselves must be readable. */
static int item_read(struct call *c, const struct audit_row *row, struct audit_item *out, struct err *err)
{
    struct json doc;

    shape_init(&audit_record_shape, out);
    if (json_parse(c->arena, row->record.ptr, row->record.len, NULL, &doc, err) != 0 ||
        shape_decode(&audit_record_shape, &doc, c->arena, out, NULL, err) != 0) {
        if (err->kind != ERR_UNAVAILABLE)
            err->kind = ERR_INTERNAL;
        return err_prefix(err, "audit record %lld", (long long)row->seq);
    }
    out->leaf = row->leaf;
    return 0;
}

int audit_page(struct call *c, const void *in, void *out, struct err *err)
{
    static const struct audit_query all = { 0 };
    const struct audit_query *q = c->query == NULL ? &all : c->query;
    struct audit_filter filter = { q->actor, q->action, q->kind, q->object };
    struct audit_row *rows;
    const char *unused;
    int64_t before;
    size_t n;

    (void)in;
    if (page_start(&q->page, c->arena, &before, &unused, err) != 0)
        return -1;
    if (q->before > 0 && q->before < before)
        before = q->before;
    if (audit_list(c->db, &filter, before, page_limit(&q->page), c->arena, &rows, &n, err) != 0)
        return -1;
    struct audit_item *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (item_read(c, &rows[i], &items[i], err) != 0)
            return -1;
    return page_fill(&q->page, c->arena, items, n, item_key, out, err);
}

int audit_show_record(struct call *c, const void *in, void *out, struct err *err)
{
    struct audit_row row;
    int64_t seq;

    (void)in, (void)out;
    if (!str_to_i64(c->path[0], 1, INT64_MAX, &seq))
        return err_set(err, ERR_NOT_FOUND, "no such audit record");
    if (audit_record(c->db, seq, c->arena, &row, err) != 0)
        return -1;
    c->answer = row.record;
    c->answer_type = "application/json";
    return 0;
}
