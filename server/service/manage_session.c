/* manage_session.c - logging in with a one-time link, and out. */
#include "base/crypto.h"
#include "base/time.h"
#include "base/token.h"
#include "core/life.h"
#include "service/audit_change.h"
#include "service/manage.h"
#include "service/session_cookie.h"
#include "store/api_token.h"
#include "store/login_link.h"
#include "store/session.h"
#include "store/user.h"
#include "wire/msg/session.h"

#include <string.h>

static int refuse(struct err *err)
{
    return err_set(err, ERR_UNAUTHENTICATED, "the login link is not valid, was used already or has expired");
}

/* The user of the link, which is used up by this.  Whoever comes second, in
 * whatever order things happen, finds it used. */
static int use_link(struct call *c, const char *text, struct user *user, struct err *err)
{
    struct token token;
    struct login_link link;
    uint8_t hash[LINK_HASH_LEN];
    static const uint8_t nobody[LINK_HASH_LEN];
    bool won;

    if (!token_parse(text, &token) || !str_eq(token.kind, "lnk"))
        return refuse(err);
    if (login_link_get(c->db, token.id, c->arena, &link, hash, err) != 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        (void)token_matches(&token, nobody);
        return refuse(err);
    }
    if (!token_matches(&token, hash))
        return refuse(err);
    if (login_link_use(c->db, link.id, c->now_ms, &won, err) != 0 ||
        user_get(c->db, link.user_id, c->arena, user, err) != 0)
        return -1;
    if (!won || user->disabled_ms != TIME_UNKNOWN || (role_of(user->role) & WHO_PEOPLE) == 0)
        return refuse(err);
    return 0;
}

static const char *new_csrf(struct arena *arena)
{
    uint8_t random[32];
    char *text = arena_bytes(arena, 2 * sizeof random + 1);

    random_bytes(random, sizeof random);
    if (text != NULL)
        hex_encode(random, sizeof random, text);
    return text;
}

/* A new session of this user; its secret goes into the Set-Cookie header and
 * nowhere else. */
static int session_start(struct call *c, const struct user *user, struct session *out, struct err *err)
{
    char text[SESSION_TEXT_LEN + 1];
    struct session_key key;
    bool secure = c->app->settings.secure_cookies;

    session_key_make(text, &key);
    *out = (struct session){
        .id = arena_strdup(c->arena, key.id), .csrf = new_csrf(c->arena), .user_id = user->id,
        .created_ms = c->now_ms, .expires_ms = c->now_ms + c->app->settings.session_max_ms,
        .last_used_ms = c->now_ms, .from = c->caller->from,
    };
    char *cookie = arena_bytes(c->arena, SET_COOKIE_MAX);
    if (out->id == NULL || out->csrf == NULL || cookie == NULL)
        return err_nomem(err);
    session_cookie_set(secure, text, c->app->settings.session_max_ms / MS_SECOND, cookie);
    crypto_wipe(text, sizeof text);
    c->set_cookie = cookie;
    return session_insert(c->db, out, key.hash, err);
}

static int info_fill(struct call *c, const char *id, const char *name, const char *role, const char *csrf,
                     int64_t expires_ms, struct session_info *out, struct err *err)
{
    struct session_user *user = arena_alloc(c->arena, sizeof *user);

    if (user == NULL)
        return err_nomem(err);
    *user = (struct session_user){ id, name, role };
    *out = (struct session_info){ user, csrf, expires_ms };
    return 0;
}

int login(struct call *c, const void *in, void *out, struct err *err)
{
    const struct login *login = in;
    struct user user;
    struct session session;

    if (use_link(c, login->link, &user, err) != 0 ||
        session_start(c, &user, &session, err) != 0 ||
        user_logged_in(c->db, user.id, c->now_ms, err) != 0 ||
        info_fill(c, user.id, user.name, user.role, session.csrf, session.expires_ms, out, err) != 0)
        return -1;
    struct caller by = { .role = role_of(user.role), .id = user.id, .name = user.name, .from = c->caller->from };
    return audit_change_by(c, &by, "login", "session", session.id, NULL, NULL, NULL, err);
}

int session_show(struct call *c, const void *in, void *out, struct err *err)
{
    const struct caller *who = c->caller;
    struct session session;
    struct api_token token;
    uint8_t hash[SESSION_HASH_LEN];
    int64_t expires_ms;

    (void)in;
    if (who->role == WHO_ANYONE)
        return err_set(err, ERR_UNAUTHENTICATED, "nobody is logged in");
    if (who->is_session) {
        if (session_get(c->db, who->session_id, c->arena, &session, hash, err) != 0)
            return -1;
        expires_ms = session.expires_ms;
    } else {
        if (api_token_get(c->db, who->id, c->arena, &token, NULL, err) != 0)
            return -1;
        expires_ms = token.expires_ms;
    }
    return info_fill(c, who->id, who->name, role_word(who->role), who->csrf, expires_ms, out, err);
}

int logout(struct call *c, const void *in, void *out, struct err *err)
{
    char *cookie = arena_bytes(c->arena, SET_COOKIE_MAX);

    (void)in, (void)out;
    if (!c->caller->is_session)
        return err_set(err, ERR_UNPROCESSABLE, "a token has no session to end; it can be revoked");
    if (cookie == NULL)
        return err_nomem(err);
    if (session_delete(c->db, c->caller->session_id, err) != 0)
        return -1;
    session_cookie_set(c->app->settings.secure_cookies, "", 0, cookie);
    c->set_cookie = cookie;
    c->status = 204;
    return audit_change(c, "logout", "session", c->caller->session_id, NULL, NULL, NULL, err);
}
