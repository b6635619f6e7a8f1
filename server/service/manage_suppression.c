/* manage_suppression.c - alerts somebody does not want to see, for a reason and a while. */
#include "base/time.h"
#include "core/life.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "service/events.h"
#include "store/suppression.h"
#include "wire/msg/alert.h"

#include <string.h>

static void set_state(struct suppression *s, int64_t now_ms)
{
    s->state = life_word(life_at(TIME_UNKNOWN, s->expires_ms, s->revoked_ms, now_ms), "active");
}

static void suppression_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    const struct suppression *s = items;

    *at_ms = s[i].created_ms;
    *id = s[i].id;
}

int suppression_page(struct call *c, const void *in, void *out, struct err *err)
{
    static const struct suppression_query all = { 0 };
    const struct suppression_query *q = c->query == NULL ? &all : c->query;
    struct suppression *list;
    const char *before_id;
    int64_t before_ms;
    size_t n;

    (void)in;
    if (page_start(&q->page, c->arena, &before_ms, &before_id, err) != 0 ||
        suppression_list(c->db, q->state == 0 ? NULL : suppression_state_words[q->state], c->now_ms, before_ms, before_id,
                         page_limit(&q->page), c->arena, &list, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        set_state(&list[i], c->now_ms);
    return page_fill(&q->page, c->arena, list, n, suppression_key, out, err);
}

/* It must say something: one that silences everything is a mistake. */
static int check_scope(struct call *c, const struct suppression_new *asked, struct suppression *s, struct err *err)
{
    const struct { const char *path, *text; } parts[] = {
        { "$.rule", asked->rule }, { "$.cluster", asked->cluster }, { "$.namespace", asked->namespace }, { "$.workload", asked->workload },
        { "$.subject", asked->subject },
    };
    bool says = asked->repository != NULL;

    for (size_t i = 0; i < N_ITEMS(parts); i++) {
        if (parts[i].text != NULL && check_name(parts[i].path, parts[i].text, err) != 0)
            return -1;
        says |= parts[i].text != NULL && parts[i].text[strspn(parts[i].text, "*")] != '\0';
    }
    if (!says)
        return err_set(err, ERR_INVALID, "$.rule: at least one of rule, repository, cluster, namespace, workload and subject is expected");
    return asked->repository == NULL ? 0 : check_pattern("$.repository", asked->repository, c->arena, &s->repository, err);
}

int suppression_create(struct call *c, const void *in, void *out, struct err *err)
{
    const struct suppression_new *asked = in;
    struct suppression s = {
        .rule = asked->rule, .cluster = asked->cluster, .namespace = asked->namespace, .workload = asked->workload,
        .subject = asked->subject, .reason = asked->reason, .created_ms = c->now_ms, .created_by = c->caller->name,
        .revoked_ms = TIME_UNKNOWN,
    };
    int64_t n;

    if (check_scope(c, asked, &s, err) != 0 || check_reason("$.reason", s.reason, err) != 0 ||
        check_expiry(asked->expires_in, asked->expires_ms, NULL, c->app->settings.exception_max_ms, c->now_ms, &s.expires_ms, err) != 0 ||
        suppression_count_active(c->db, c->now_ms, &n, err) != 0)
        return -1;
    if (n >= SUPPRESSIONS_ACTIVE_MAX)
        return err_set(err, ERR_CONFLICT, "there are %d active suppressions, the most that is allowed", SUPPRESSIONS_ACTIVE_MAX);
    s.id = id_new(c->arena, "sup_");
    if (s.id == NULL)
        return err_nomem(err);
    set_state(&s, c->now_ms);
    if (suppression_insert(c->db, &s, err) != 0 ||
        audit_change(c, "create", "suppression", s.id, &suppression_shape, NULL, &s, err) != 0)
        return -1;
    c->status = 201;
    c->location = arena_printf(c->arena, "/v1/suppressions/%s", s.id);
    *(struct suppression *)out = s;
    return 0;
}

int suppression_end(struct call *c, const void *in, void *out, struct err *err)
{
    struct suppression before, after;
    bool changed;

    (void)in, (void)out;
    c->status = 204;
    if (suppression_get(c->db, c->path[0], c->arena, &before, err) != 0 ||
        suppression_revoke(c->db, c->path[0], c->now_ms, &changed, err) != 0)
        return -1;
    if (!changed)
        return 0;
    after = before;
    after.revoked_ms = c->now_ms;
    set_state(&before, c->now_ms);
    set_state(&after, c->now_ms);
    return audit_change(c, "revoke", "suppression", before.id, &suppression_shape, &before, &after, err);
}
