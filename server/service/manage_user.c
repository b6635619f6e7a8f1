/* manage_user.c - who may log in, as what. */
#include "base/token.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "service/manage.h"
#include "service/role.h"
#include "store/login_link.h"
#include "store/session.h"
#include "store/user.h"
#include "wire/msg/roles.h"
#include "wire/msg/user.h"

static const int64_t link_life_ms = 24 * MS_HOUR;

static void user_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    *at_ms = 0;
    *id = ((const struct user *)items)[i].name;
}

int user_page(struct call *c, const void *in, void *out, struct err *err)
{
    const struct page_query *q = c->query;
    struct user *users;
    const char *after;
    int64_t unused;
    size_t n;

    (void)in;
    if (page_start(q, c->arena, &unused, &after, err) != 0 ||
        user_list(c->db, after, page_limit(q), c->arena, &users, &n, err) != 0)
        return -1;
    return page_fill(q, c->arena, users, n, user_key, out, err);
}

int user_show(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in;
    return user_get(c->db, c->path[0], c->arena, out, err);
}

/* The name must be free (but for the user who has it). */
static int name_is_free(struct call *c, const char *name, const char *own_id, struct err *err)
{
    struct user other;

    if (check_name("$.name", name, err) != 0)
        return -1;
    if (user_get_by_name(c->db, name, c->arena, &other, err) != 0)
        return err->kind == ERR_NOT_FOUND ? 0 : -1;
    if (own_id != NULL && str_eq(other.id, own_id))
        return 0;
    return err_set(err, ERR_CONFLICT, "$.name: there is a user of this name already");
}

int user_create(struct call *c, const void *in, void *out, struct err *err)
{
    const struct user_new *asked = in;
    struct user user = {
        .id = id_new(c->arena, "usr_"), .name = asked->name, .role = user_role_words[asked->role],
        .created_ms = c->now_ms, .created_by = c->caller->name,
        .disabled_ms = TIME_UNKNOWN, .last_login_ms = TIME_UNKNOWN,
    };

    if (user.id == NULL)
        return err_nomem(err);
    if (name_is_free(c, user.name, NULL, err) != 0)
        return -1;
    if (!role_may_grant(c->caller->role, role_of(user.role)))
        return err_set(err, ERR_FORBIDDEN, "%s may not make users of role %s", role_word(c->caller->role), user.role);
    if (user_insert(c->db, &user, err) != 0)
        return -1;
    c->status = 201;
    c->location = arena_printf(c->arena, "/v1/users/%s", user.id);
    *(struct user *)out = user;
    return audit_change(c, "create", "user", user.id, &user_shape, NULL, &user, err);
}

/* Without an admin nobody could ever let anybody in again. */
static int not_the_last_admin(struct call *c, const struct user *user, struct err *err)
{
    int64_t others;

    if (role_of(user->role) != ROLE_ADMIN || user->disabled_ms != TIME_UNKNOWN)
        return 0;
    if (user_count_others(c->db, user->role, user->id, &others, err) != 0)
        return -1;
    if (others == 0)
        return err_set(err, ERR_CONFLICT, "%s is the last admin: make another one first", user->name);
    return 0;
}

int user_change(struct call *c, const void *in, void *out, struct err *err)
{
    const struct user_change *asked = in;
    struct user before, after;

    if (user_get(c->db, c->path[0], c->arena, &before, err) != 0)
        return -1;
    after = before;
    if (asked->name != NULL) {
        if (name_is_free(c, asked->name, before.id, err) != 0)
            return -1;
        after.name = asked->name;
    }
    if (asked->role != 0)
        after.role = user_role_words[asked->role];
    if (asked->enabled)
        after.disabled_ms = TIME_UNKNOWN;
    if (!role_may_grant(c->caller->role, role_of(after.role)))
        return err_set(err, ERR_FORBIDDEN, "%s may not give the role %s", role_word(c->caller->role), after.role);
    if (role_of(after.role) != ROLE_ADMIN && not_the_last_admin(c, &before, err) != 0)
        return -1;
    if (user_update(c->db, &after, err) != 0)
        return -1;
    *(struct user *)out = after;
    return audit_change(c, "update", "user", after.id, &user_shape, &before, &after, err);
}

int user_disable(struct call *c, const void *in, void *out, struct err *err)
{
    struct user before, after;
    int64_t ended;

    (void)in, (void)out;
    if (user_get(c->db, c->path[0], c->arena, &before, err) != 0 || not_the_last_admin(c, &before, err) != 0)
        return -1;
    after = before;
    if (after.disabled_ms == TIME_UNKNOWN)
        after.disabled_ms = c->now_ms;
    if (user_update(c->db, &after, err) != 0 ||
        session_delete_of(c->db, after.id, &ended, err) != 0 ||
        login_link_delete_of(c->db, after.id, err) != 0)
        return -1;
    c->status = 204;
    return audit_change(c, "disable", "user", after.id, &user_shape, &before, &after, err);
}

/* A new link takes the place of those not used yet. */
int user_login_link(struct call *c, const void *in, void *out, struct err *err)
{
    char text[TOKEN_TEXT_MAX + 1];
    struct token token;
    struct user user;
    struct login_link_made made = { .expires_ms = c->now_ms + link_life_ms };

    (void)in;
    if (user_get(c->db, c->path[0], c->arena, &user, err) != 0)
        return -1;
    if (user.disabled_ms != TIME_UNKNOWN)
        return err_set(err, ERR_CONFLICT, "%s is disabled", user.name);
    if (!token_make("lnk", text, &token))
        return err_set(err, ERR_INTERNAL, "no login link could be made");
    struct login_link link = { token.id, user.id, c->now_ms, made.expires_ms, TIME_UNKNOWN };
    made.link_path = arena_printf(c->arena, "/login#%s", text);
    if (made.link_path == NULL)
        return err_nomem(err);
    if (login_link_delete_of(c->db, user.id, err) != 0 ||
        login_link_insert(c->db, &link, token.hash, err) != 0)
        return -1;
    c->status = 201;
    *(struct login_link_made *)out = made;
    return audit_change(c, "invite", "user", user.id, &user_shape, NULL, &user, err);
}
