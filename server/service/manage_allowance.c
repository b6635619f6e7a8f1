/* manage_allowance.c - where evidence may come unsigned, for a while. */
#include "core/life.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "service/judge.h"
#include "service/manage.h"
#include "store/allowance.h"
#include "wire/msg/allowance.h"

static void set_state(struct allowance *a, int64_t now_ms)
{
    a->state = life_word(life_at(TIME_UNKNOWN, a->expires_ms, TIME_UNKNOWN, now_ms), "active");
}

static void allowance_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    *at_ms = 0;
    *id = ((const struct allowance *)items)[i].pattern;
}

int allowance_page(struct call *c, const void *in, void *out, struct err *err)
{
    const struct page_query *q = c->query;
    struct allowance *list;
    const char *after;
    int64_t unused;
    size_t n;

    (void)in;
    if (page_start(q, c->arena, &unused, &after, err) != 0 ||
        allowance_list(c->db, after, page_limit(q), c->arena, &list, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        set_state(&list[i], c->now_ms);
    return page_fill(q, c->arena, list, n, allowance_key, out, err);
}

static int judge_pattern(struct call *c, const char *pattern, struct err *err)
{
    struct recheck_scope scope = { .repository = pattern };
    const char *cause = arena_printf(c->arena, "unsigned allowance %s", pattern);

    return cause == NULL ? err_nomem(err) : judge_affected(c, cause, &scope, err);
}

/* One that is over gives way to a new one for the same pattern. */
static int make_room(struct call *c, const char *pattern, struct err *err)
{
    struct allowance old;

    if (allowance_get(c->db, pattern, c->arena, &old, err) != 0)
        return err->kind == ERR_NOT_FOUND ? 0 : -1;
    if (c->now_ms < old.expires_ms)
        return err_set(err, ERR_CONFLICT, "$.pattern: there is an allowance for it already; end it first");
    return allowance_delete(c->db, pattern, err);
}

int allowance_create(struct call *c, const void *in, void *out, struct err *err)
{
    const struct allowance_new *asked = in;
    struct allowance a = {
        .reason = asked->reason,
        .created_ms = c->now_ms, .created_by = c->caller->name, .state = "active",
    };

    if (check_pattern("$.pattern", asked->pattern, c->arena, &a.pattern, err) != 0 || check_reason("$.reason", a.reason, err) != 0 ||
        check_expiry(asked->expires_in, asked->expires_ms, NULL, c->app->settings.exception_max_ms, c->now_ms,
                     &a.expires_ms, err) != 0 ||
        make_room(c, a.pattern, err) != 0 || allowance_insert(c->db, &a, err) != 0 ||
        judge_pattern(c, a.pattern, err) != 0)
        return -1;
    c->status = 201;
    *(struct allowance *)out = a;
    return audit_change(c, "create", "unsigned_allowance", a.pattern, &allowance_shape, NULL, &a, err);
}

int allowance_end(struct call *c, const void *in, void *out, struct err *err)
{
    const struct allowance_which *q = c->query;
    const char *pattern = q != NULL && q->pattern != NULL ? q->pattern : c->path[0];
    struct allowance before;

    (void)in, (void)out;
    if (allowance_get(c->db, pattern, c->arena, &before, err) != 0 ||
        allowance_delete(c->db, before.pattern, err) != 0 || judge_pattern(c, before.pattern, err) != 0)
        return -1;
    set_state(&before, c->now_ms);
    c->status = 204;
    return audit_change(c, "delete", "unsigned_allowance", before.pattern, &allowance_shape, &before, NULL, err);
}
