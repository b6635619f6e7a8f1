/* setup.c - see setup.h: the handlers, called by the program itself. */
#include "service/setup.h"
#include "base/time.h"
#include "service/audit_change.h"
#include "service/judge.h"
#include "service/manage.h"
#include "service/policy_facts.h"
#include "store/policy_doc.h"
#include "store/user.h"
#include "wire/msg/api_token.h"
#include "wire/msg/policy_doc.h"
#include "wire/msg/roles.h"
#include "wire/msg/user.h"

#include <inttypes.h>

static const struct caller keep = { .role = ROLE_ADMIN, .id = "keep", .name = "keep", .from = "local" };

static struct app setup_app(void)
{
    return (struct app){ .settings.token_max_ms = 400 * MS_DAY };
}

static struct call setup_call(struct app *app, struct db *db, struct arena *arena, int64_t now_ms)
{
    return (struct call){
        .app = app, .db = db, .arena = arena, .caller = &keep, .now_ms = now_ms, .request_id = "setup",
    };
}

static int word_index(const char *const *words, const char *word)
{
    for (int i = 1; words[i] != NULL; i++)
        if (str_eq(words[i], word))
            return i;
    return 0;
}

static int link_for(struct call *c, const char *user_id, const char **link, struct err *err)
{
    const char *const path[] = { user_id };
    struct login_link_made made;

    c->path = path;
    if (user_login_link(c, NULL, &made, err) != 0)
        return -1;
    *link = made.link_path;
    return 0;
}

int setup_first_admin(struct db *db, struct arena *arena, const char *name, int64_t now_ms,
                      const char **link, struct err *err)
{
    struct app app = setup_app();
    struct call c = setup_call(&app, db, arena, now_ms);
    struct user_new asked = { name, word_index(user_role_words, "admin") };
    struct user *users, made;
    size_t n;

    if (user_list(db, "", 1, arena, &users, &n, err) != 0)
        return -1;
    if (n > 0)
        return err_set(err, ERR_CONFLICT, "there are users already");
    if (user_create(&c, &asked, &made, err) != 0)
        return -1;
    return link_for(&c, made.id, link, err);
}

int setup_login_link(struct db *db, struct arena *arena, const char *name, int64_t now_ms,
                     const char **link, struct err *err)
{
    struct app app = setup_app();
    struct call c = setup_call(&app, db, arena, now_ms);
    struct user user;

    if (user_get_by_name(db, name, arena, &user, err) != 0)
        return -1;
    return link_for(&c, user.id, link, err);
}

int setup_token(struct db *db, struct arena *arena, const char *role, const char *name, int64_t life_ms,
                int64_t now_ms, const char **text, struct err *err)
{
    struct app app = setup_app();
    struct call c = setup_call(&app, db, arena, now_ms);
    struct api_token_new asked = { .name = name, .role = word_index(token_role_words, role) };
    struct api_token made;

    bool is_long = life_ms >= 7 * MS_DAY;            /* durations have few digits */
    asked.expires_in = arena_printf(arena, "%" PRId64 "%c", life_ms / (is_long ? MS_HOUR : MS_SECOND), is_long ? 'h' : 's');
    if (asked.expires_in == NULL)
        return err_nomem(err);
    if (asked.role == 0)
        return err_set(err, ERR_INVALID, "%s is not a role", role);
    if (token_create(&c, &asked, &made, err) != 0)
        return -1;
    *text = made.text;
    return 0;
}

/* 1: to be written, 0: left alone. */
static int is_due(struct call *c, const struct shipped_policy *s, struct policy_doc *before, bool *is_new, struct err *err)
{
    struct policy_version *newest;
    size_t n;

    if (policy_doc_versions(c->db, s->name, INT64_MAX, 1, c->arena, &newest, &n, err) != 0)
        return -1;
    *is_new = n == 0;
    if (n == 0)
        return 1;
    if (!str_eq(newest[0].author, keep.name) || str_eq(newest[0].document, s->document))
        return 0;
    if (policy_doc_get(c->db, s->name, c->arena, before, err) != 0)
        return err->kind == ERR_NOT_FOUND ? 0 : -1;
    return 1;
}

static int ship(struct call *c, const struct shipped_policy *s, size_t *changed, struct err *err)
{
    struct policy_doc before, p = {
        .name = s->name, .document = s->document, .enabled = s->enabled, .shipped = true,
        .updated_ms = c->now_ms, .updated_by = keep.name,
    };
    bool is_new;
    int due = is_due(c, s, &before, &is_new, err);

    if (due <= 0)
        return due;
    if (policy_facts(&p, c->arena, NULL, err) != 0)
        return err_prefix(err, "shipped policy %s", s->name);
    if (!is_new)
        p.enabled = before.enabled;
    if (policy_doc_put(c->db, &p, err) != 0)
        return -1;
    p.document = before.document = NULL;
    const char *cause = arena_printf(c->arena, "policy %s version %" PRId64, p.name, p.version);
    if (cause == NULL)
        return err_nomem(err);
    if (judge_affected(c, cause, NULL, err) != 0)
        return -1;
    (*changed)++;
    return audit_change(c, is_new ? "create" : "update", "policy", p.name, &policy_doc_shape,
                        is_new ? NULL : &before, &p, err);
}

int setup_policies(struct db *db, struct arena *arena, const struct shipped_policy *shipped, size_t n,
                   int64_t now_ms, size_t *changed, struct err *err)
{
    struct app app = setup_app();
    struct call c = setup_call(&app, db, arena, now_ms);

    *changed = 0;
    for (size_t i = 0; i < n; i++)
        if (ship(&c, &shipped[i], changed, err) != 0)
            return -1;
    return 0;
}
