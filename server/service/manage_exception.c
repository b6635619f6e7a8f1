/* manage_exception.c - risks somebody accepts, for a reason and for a while. */
#include "service/check.h"
#include "service/exception_make.h"
#include "service/manage.h"
#include "store/exception.h"
#include "wire/msg/exception.h"

#include <string.h>

static void exception_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    const struct exception *e = items;

    *at_ms = e[i].created_ms;
    *id = e[i].id;
}

static int filter_of(struct call *c, const struct exception_query *q, struct exception_filter *f, struct err *err)
{
    int64_t within = 0;

    *f = (struct exception_filter){
        .rule = q->rule, .owner = q->owner, .expires_before_ms = TIME_UNKNOWN,
        .state = q->state == 0 ? NULL : exception_state_words[q->state],
    };
    if (q->vulnerability != NULL &&
        vulnerability_name(c, "query.vulnerability", q->vulnerability, &f->vulnerability, err) != 0)
        return -1;
    if (q->expiring_within == NULL)
        return 0;
    if (!time_parse_duration(q->expiring_within, &within))
        return err_set(err, ERR_INVALID, "query.expiring_within: a duration like 7d is expected");
    f->expires_before_ms = c->now_ms + within;
    return 0;
}

int exception_page(struct call *c, const void *in, void *out, struct err *err)
{
    static const struct exception_query all = { 0 };
    const struct exception_query *q = c->query == NULL ? &all : c->query;
    struct exception_filter filter;
    struct exception *list;
    const char *before_id;
    int64_t before_ms;
    size_t n;

    (void)in;
    if (filter_of(c, q, &filter, err) != 0 || page_start(&q->page, c->arena, &before_ms, &before_id, err) != 0 ||
        exception_list(c->db, &filter, c->now_ms, before_ms, before_id, page_limit(&q->page), c->arena,
                       &list, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        exception_set_state(&list[i], c->now_ms);
    return page_fill(&q->page, c->arena, list, n, exception_key, out, err);
}

int exception_show(struct call *c, const void *in, void *out, struct err *err)
{
    struct exception e;
    struct recheck_scope scope;

    (void)in;
    if (exception_get(c->db, c->path[0], c->arena, &e, err) != 0 || exception_scope(c, &e, &scope, err) != 0 ||
        recheck_count(c->db, &scope, &e.applies_to, err) != 0)
        return -1;
    exception_set_state(&e, c->now_ms);
    *(struct exception *)out = e;
    return 0;
}

static int check_rule(const char *rule, struct err *err)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";
    const char *slash = strchr(rule, '/');

    if (slash == NULL || slash == rule || slash[1] == '\0' || rule[strspn(rule, allowed)] != '\0')
        return err_set(err, ERR_INVALID, "$.rule: policy/validation is expected");
    return 0;
}

static int check_scope(struct call *c, const struct exception_new *asked, struct exception *e, struct err *err)
{
    if (asked->repository != NULL &&
        check_pattern("$.repository", asked->repository, c->arena, &e->repository, err) != 0)
        return -1;
    if (asked->package != NULL && check_name("$.package", asked->package, err) != 0)
        return -1;
    return asked->namespace == NULL ? 0 : check_name("$.namespace", asked->namespace, err);
}

int exception_create(struct call *c, const void *in, void *out, struct err *err)
{
    const struct exception_new *asked = in;
    struct exception e = {
        .rule = asked->rule, .digest = asked->digest, .package = asked->package,
        .namespace = asked->namespace, .reason = asked->reason, .owner = asked->owner, .source = "manual",
        .applies_to = -1,
    };

    if ((asked->vulnerability == NULL) == (asked->rule == NULL))
        return err_set(err, ERR_INVALID, "$.vulnerability: exactly one of vulnerability and rule is expected");
    if (asked->vulnerability != NULL &&
        vulnerability_name(c, "$.vulnerability", asked->vulnerability, &e.vulnerability, err) != 0)
        return -1;
    if (asked->rule != NULL && check_rule(asked->rule, err) != 0)
        return -1;
    if (check_scope(c, asked, &e, err) != 0 || check_reason("$.reason", e.reason, err) != 0 ||
        check_name("$.owner", e.owner, err) != 0 ||
        check_expiry(asked->expires_in, asked->expires_ms, NULL, c->app->settings.exception_max_ms, c->now_ms,
                     &e.expires_ms, err) != 0 ||
        exception_make(c, &e, err) != 0)
        return -1;
    c->status = 201;
    c->location = arena_printf(c->arena, "/v1/exceptions/%s", e.id);
    *(struct exception *)out = e;
    return 0;
}

int exception_end(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in, (void)out;
    c->status = 204;
    return exception_take_back(c, c->path[0], err);
}
