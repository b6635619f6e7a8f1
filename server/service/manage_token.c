/* manage_token.c - what programs show to be let in. */
#include "base/token.h"
#include "core/life.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "service/manage.h"
#include "service/role.h"
#include "store/api_token.h"
#include "wire/msg/api_token.h"
#include "wire/msg/roles.h"

static void set_state(struct api_token *t, int64_t now_ms)
{
    t->state = life_word(life_at(TIME_UNKNOWN, t->expires_ms, t->revoked_ms, now_ms), "active");
}

static void token_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    const struct api_token *t = items;

    *at_ms = t[i].created_ms;
    *id = t[i].id;
}

int token_page(struct call *c, const void *in, void *out, struct err *err)
{
    const struct page_query *q = c->query;
    struct api_token *tokens;
    const char *before_id;
    int64_t before_ms;
    size_t n;

    (void)in;
    if (page_start(q, c->arena, &before_ms, &before_id, err) != 0 ||
        api_token_list(c->db, before_ms, before_id, page_limit(q), c->arena, &tokens, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        set_state(&tokens[i], c->now_ms);
    return page_fill(q, c->arena, tokens, n, token_key, out, err);
}

static int token_read(struct call *c, struct api_token *out, struct err *err)
{
    if (api_token_get(c->db, c->path[0], c->arena, out, NULL, err) != 0)
        return -1;
    set_state(out, c->now_ms);
    return 0;
}

int token_show(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in;
    return token_read(c, out, err);
}

static int check_new(struct call *c, const struct api_token_new *asked, const char *const **repositories,
                     int64_t *expires_ms, struct err *err)
{
    const char *role = token_role_words[asked->role];

    if (check_name("$.name", asked->name, err) != 0 ||
        check_patterns("$.repositories", asked->repositories, asked->n_repositories, c->arena, repositories, err) != 0 ||
        check_expiry(asked->expires_in, TIME_UNKNOWN, "90d", c->app->settings.token_max_ms, c->now_ms,
                     expires_ms, err) != 0)
        return -1;
    if (!role_may_grant(c->caller->role, role_of(role)))
        return err_set(err, ERR_FORBIDDEN, "%s may not make tokens of role %s", role_word(c->caller->role), role);
    return 0;
}

int token_create(struct call *c, const void *in, void *out, struct err *err)
{
    const struct api_token_new *asked = in;
    char text[TOKEN_TEXT_MAX + 1];
    struct token token;
    const char *const *repositories;
    int64_t expires_ms;

    if (check_new(c, asked, &repositories, &expires_ms, err) != 0)
        return -1;
    const char *role = token_role_words[asked->role];
    const char *kind = role_token_kind(role_of(role));
    if (kind == NULL || !token_make(kind, text, &token))
        return err_set(err, ERR_INTERNAL, "no token of role %s can be made", role);
    struct api_token row = {
        .id = arena_strdup(c->arena, token.id), .name = asked->name, .role = role,
        .repositories = repositories, .n_repositories = asked->n_repositories,
        .created_ms = c->now_ms, .created_by = c->caller->name, .expires_ms = expires_ms,
        .last_used_ms = TIME_UNKNOWN, .revoked_ms = TIME_UNKNOWN, .state = "active",
        .text = arena_strdup(c->arena, text),
    };
    if (row.id == NULL || row.text == NULL)
        return err_nomem(err);
    if (api_token_insert(c->db, &row, token.hash, c->arena, err) != 0)
        return -1;
    c->status = 201;
    c->location = arena_printf(c->arena, "/v1/tokens/%s", row.id);
    *(struct api_token *)out = row;
    return audit_change(c, "create", "token", row.id, &api_token_shape, NULL, &row, err);
}

int token_revoke(struct call *c, const void *in, void *out, struct err *err)
{
    struct api_token before, after;
    bool changed;

    (void)in, (void)out;
    if (token_read(c, &before, err) != 0 ||
        api_token_revoke(c->db, before.id, c->now_ms, &changed, err) != 0 ||
        token_read(c, &after, err) != 0)
        return -1;
    c->status = 204;
    return audit_change(c, "revoke", "token", after.id, &api_token_shape, &before, &after, err);
}
