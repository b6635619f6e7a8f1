/* people_login.c - login links and sessions: who is let in, and who no more. */
#include "tests/flow/people.h"

#include "service/setup.h"
#include "wire/msg/session.h"

#include <pthread.h>

static void login_link_works_once(void **state)
{
    struct calls *t = *state;
    struct caller who;
    const struct user *user = make_user(t, "anna", "analyst");
    const char *link = make_link(t, user->id), *cookie = login_with(t, link);

    assert_int_equal(calls_identify(t, NULL, cookie, &who), 0);
    assert_int_equal(who.role, ROLE_ANALYST);
    assert_true(who.is_session);
    assert_string_equal(who.id, user->id);
    nobody(t);
    calls_refused(t, ERR_UNAUTHENTICATED, "POST", "/v1/login", NULL, NULL, login_body(t, link));
}

static void login_link_expires(void **state)
{
    struct calls *t = *state;
    const struct user *user = make_user(t, "anna", "analyst");
    const struct login_link_made *made = calls_ok(t, "POST", "/v1/users/{id}/login-link", user->id, NULL, NULL);

    t->now_ms = made->expires_ms;
    nobody(t);
    calls_refused(t, ERR_UNAUTHENTICATED, "POST", "/v1/login", NULL, NULL, login_body(t, made->link_path + 7));
}

static void new_login_link_ends_the_one_before(void **state)
{
    struct calls *t = *state;
    const struct user *user = make_user(t, "anna", "analyst");
    const char *old = make_link(t, user->id), *link = make_link(t, user->id);

    struct caller admin = nobody(t);
    calls_refused(t, ERR_UNAUTHENTICATED, "POST", "/v1/login", NULL, NULL, login_body(t, old));
    t->caller = admin;
    login_with(t, link);
}

static void token_is_no_login_link(void **state)
{
    struct calls *t = *state;
    const char *text = make_token(t, "admin")->text;

    nobody(t);
    calls_refused(t, ERR_UNAUTHENTICATED, "POST", "/v1/login", NULL, NULL, login_body(t, text));
}

static void cookie_has_all_its_attributes(void **state)
{
    struct calls *t = *state;
    const struct user *user = make_user(t, "anna", "viewer");

    login_with(t, make_link(t, user->id));
    assert_true(str_starts(t->set_cookie, "keep_session="));
    assert_true(str_ends(t->set_cookie, "; Max-Age=604800; Path=/; HttpOnly; SameSite=Strict"));
    t->app.settings.secure_cookies = true;
    login_with(t, make_link(t, user->id));
    assert_true(str_starts(t->set_cookie, "__Host-keep_session="));
    assert_true(str_ends(t->set_cookie, "; Max-Age=604800; Path=/; HttpOnly; SameSite=Strict; Secure"));
}

static void every_login_makes_another_session(void **state)
{
    struct calls *t = *state;
    const struct user *user = make_user(t, "anna", "viewer");
    const char *a = login_with(t, make_link(t, user->id)), *b = login_with(t, make_link(t, user->id));

    assert_string_not_equal(a, b);
}

static void assert_anyone(struct calls *t, const char *cookie)
{
    struct caller who;

    assert_int_equal(calls_identify(t, NULL, cookie, &who), 0);
    assert_int_equal(who.role, WHO_ANYONE);
    assert_false(who.is_session);
    assert_string_equal(who.id, "");
}

static void idle_session_ends(void **state)
{
    struct calls *t = *state;
    struct caller who;
    const char *cookie = login_with(t, make_link(t, make_user(t, "anna", "viewer")->id));

    for (int i = 0; i < 3; i++) {
        t->now_ms += 12 * MS_HOUR - 1;
        assert_int_equal(calls_identify(t, NULL, cookie, &who), 0);
        assert_int_equal(who.role, ROLE_VIEWER);        /* remembered in memory, not yet written */
    }
    t->now_ms += 12 * MS_HOUR;
    assert_anyone(t, cookie);
}

static void session_ends_at_its_absolute_limit(void **state)
{
    struct calls *t = *state;
    struct caller who;
    const char *cookie = login_with(t, make_link(t, make_user(t, "anna", "viewer")->id));

    for (t->now_ms = T0; t->now_ms < T0 + 7 * MS_DAY; t->now_ms += 8 * MS_HOUR) {
        assert_int_equal(calls_identify(t, NULL, cookie, &who), 0);
        assert_int_equal(who.role, ROLE_VIEWER);
    }
    t->now_ms = T0 + 7 * MS_DAY;
    assert_anyone(t, cookie);
}

static void damaged_or_doubled_cookie_is_nobody(void **state)
{
    struct calls *t = *state;
    const char *cookie = login_with(t, make_link(t, make_user(t, "anna", "viewer")->id));
    char *other = arena_strdup(&t->arena, cookie);
    size_t last = strlen(other) - 1;
    struct caller who;

    other[last] = other[last] == '0' ? '1' : '0';
    assert_anyone(t, other);
    assert_anyone(t, arena_printf(&t->arena, "%s; %s", cookie, cookie));
    assert_anyone(t, arena_printf(&t->arena, "x%s", cookie));
    assert_anyone(t, arena_strndup(&t->arena, cookie, last));
    assert_int_equal(calls_identify(t, NULL, arena_printf(&t->arena, "theme=dark; %s ; x=1", cookie), &who), 0);
    assert_int_equal(who.role, ROLE_VIEWER);
    t->app.settings.secure_cookies = true;
    assert_anyone(t, cookie);
}

static void logging_out_ends_the_session_on_the_server(void **state)
{
    struct calls *t = *state;
    const char *cookie = login_with(t, make_link(t, make_user(t, "anna", "viewer")->id));

    assert_int_equal(calls_identify(t, NULL, cookie, &t->caller), 0);
    calls_ok(t, "DELETE", "/v1/session", NULL, NULL, NULL);
    assert_int_equal(t->status, 204);
    assert_non_null(strstr(t->set_cookie, "keep_session=; Max-Age=0;"));
    assert_anyone(t, cookie);
}

static void session_write_needs_its_csrf_token(void **state)
{
    struct calls *t = *state;
    struct caller who;
    const char *cookie = login_with(t, make_link(t, make_user(t, "anna", "viewer")->id));
    struct credentials cred = { .cookie = cookie };

    assert_int_equal(calls_identify(t, NULL, cookie, &who), 0);
    assert_int_equal(strlen(who.csrf), 64);
    assert_int_equal(auth_check_csrf(&who, &cred, &t->err), -1);
    assert_int_equal(t->err.kind, ERR_FORBIDDEN);
    cred.csrf = "";
    assert_int_equal(auth_check_csrf(&who, &cred, &t->err), -1);
    cred.csrf = arena_printf(&t->arena, "%sx", who.csrf);
    assert_int_equal(auth_check_csrf(&who, &cred, &t->err), -1);
    cred.csrf = who.csrf;
    assert_int_equal(auth_check_csrf(&who, &cred, &t->err), 0);
}

static void session_shows_who_is_asking(void **state)
{
    struct calls *t = *state;
    const struct api_token *token = make_token(t, "ci");
    const char *cookie = login_with(t, make_link(t, make_user(t, "anna", "policy")->id));

    assert_int_equal(calls_identify(t, NULL, cookie, &t->caller), 0);
    const struct session_info *s = calls_ok(t, "GET", "/v1/session", NULL, NULL, NULL);
    assert_string_equal(s->user->name, "anna");
    assert_string_equal(s->user->role, "policy");
    assert_string_equal(s->csrf, t->caller.csrf);
    assert_int_equal(s->expires_ms, T0 + 7 * MS_DAY);
    assert_int_equal(calls_identify(t, bearer(t, token->text), NULL, &t->caller), 0);
    s = calls_ok(t, "GET", "/v1/session", NULL, NULL, NULL);
    assert_string_equal(s->user->name, "build");
    assert_null(s->csrf);
    assert_int_equal(s->expires_ms, token->expires_ms);
    nobody(t);
    calls_refused(t, ERR_UNAUTHENTICATED, "GET", "/v1/session", NULL, NULL, NULL);
}

static void disabling_a_user_ends_everything_at_once(void **state)
{
    struct calls *t = *state;
    const struct user *user = make_user(t, "anna", "viewer");
    const char *cookie = login_with(t, make_link(t, user->id)), *link = make_link(t, user->id);

    calls_ok(t, "DELETE", "/v1/users/{id}", user->id, NULL, NULL);
    assert_anyone(t, cookie);
    calls_refused(t, ERR_CONFLICT, "POST", "/v1/users/{id}/login-link", user->id, NULL, NULL);
    struct caller admin = nobody(t);
    calls_refused(t, ERR_UNAUTHENTICATED, "POST", "/v1/login", NULL, NULL, login_body(t, link));
    t->caller = admin;
    calls_ok(t, "PUT", "/v1/users/{id}", user->id, NULL, "{\"enabled\":true}");
    assert_anyone(t, cookie);
    login_with(t, make_link(t, user->id));
}

static void change_of_role_holds_at_once(void **state)
{
    struct calls *t = *state;
    struct caller who;
    const struct user *user = make_user(t, "anna", "policy");
    const char *cookie = login_with(t, make_link(t, user->id));

    calls_ok(t, "PUT", "/v1/users/{id}", user->id, NULL, "{\"role\":\"viewer\"}");
    assert_int_equal(calls_identify(t, NULL, cookie, &who), 0);
    assert_int_equal(who.role, ROLE_VIEWER);
}

static void last_admin_stays(void **state)
{
    struct calls *t = *state;
    const struct user *a = make_user(t, "a", "admin");

    calls_refused(t, ERR_CONFLICT, "DELETE", "/v1/users/{id}", a->id, NULL, NULL);
    calls_refused(t, ERR_CONFLICT, "PUT", "/v1/users/{id}", a->id, NULL, "{\"role\":\"policy\"}");
    const struct user *b = make_user(t, "b", "admin");
    calls_ok(t, "DELETE", "/v1/users/{id}", b->id, NULL, NULL);
    calls_refused(t, ERR_CONFLICT, "DELETE", "/v1/users/{id}", a->id, NULL, NULL);    /* b cannot log in */
    calls_ok(t, "PUT", "/v1/users/{id}", b->id, NULL, "{\"enabled\":true}");
    calls_ok(t, "PUT", "/v1/users/{id}", a->id, NULL, "{\"role\":\"policy\",\"name\":\"aa\"}");
    calls_refused(t, ERR_CONFLICT, "DELETE", "/v1/users/{id}", b->id, NULL, NULL);
}

static void user_names_are_unique(void **state)
{
    struct calls *t = *state;
    const struct user *a = make_user(t, "a", "viewer");

    make_user(t, "b", "viewer");
    calls_refused(t, ERR_CONFLICT, "POST", "/v1/users", NULL, NULL, "{\"name\":\"a\",\"role\":\"viewer\"}");
    calls_refused(t, ERR_CONFLICT, "PUT", "/v1/users/{id}", a->id, NULL, "{\"name\":\"b\"}");
    calls_ok(t, "PUT", "/v1/users/{id}", a->id, NULL, "{\"name\":\"a\"}");
    calls_refused(t, ERR_NOT_FOUND, "GET", "/v1/users/{id}", "usr_none", NULL, NULL);
}

/* ---- two at once --------------------------------------------------------------- */

struct racer {
    struct calls *t;
    struct arena arena;
    const char *link;
    struct caller nobody;
    int rc;
};

static int race_run(struct db *db, void *arg, struct err *err)
{
    struct racer *r = arg;
    struct login asked = { r->link };
    struct session_info info;
    struct call c = { .app = &r->t->app, .db = db, .arena = &r->arena, .caller = &r->nobody, .now_ms = T0 + 1, .request_id = "r" };

    return route_of("POST", "/v1/login")->run(&c, &asked, &info, err);
}

static void *race(void *arg)
{
    struct racer *r = arg;
    struct err err;

    r->rc = writer_call(r->t->app.writer, race_run, r, &err);
    return NULL;
}

static void two_uses_of_one_link_at_once_make_one_session(void **state)
{
    enum { RACERS = 8 };
    struct calls *t = *state;
    const struct db_queries sets[] = { user_queries, session_queries, login_link_queries, audit_queries };
    const char *link = make_link(t, make_user(t, "anna", "viewer")->id);
    static const struct db_query count = { "test.sessions", "", "i", "SELECT COUNT(*) FROM sessions" };
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    int64_t sessions;
    int won = 0;

    db_close(t->db);
    ENGINE_OK(writer_open(t->engine.url, sets, 4, 64, 64, &t->app.writer, &engine_err));
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){ .t = t, .link = link, .nobody = { .role = WHO_ANYONE, .id = "", .name = "", .from = "x" } };
        arena_init(&racers[i].arena, 1 << 20);
        pthread_create(&threads[i], NULL, race, &racers[i]);
    }
    for (int i = 0; i < RACERS; i++) {
        pthread_join(threads[i], NULL);
        won += racers[i].rc == 0;
        arena_clear(&racers[i].arena);
    }
    writer_close(t->app.writer);
    t->db = engine_open(t->engine.url, DB_WRITER);
    ENGINE_OK(db_begin_read(t->db, &engine_err));
    ENGINE_OK(db_int(t->db, &count, DB_NONE, -1, &sessions, &engine_err));
    db_rollback(t->db);
    assert_int_equal(won, 1);
    assert_int_equal(sessions, 1);
}

static void sweep_deletes_what_is_over(void **state)
{
    struct calls *t = *state;
    const struct db_queries sets[] = { user_queries, session_queries, login_link_queries, api_token_queries, idempotency_queries };
    static const struct db_query count = { "test.both", "", "i",
        "SELECT (SELECT COUNT(*) FROM sessions) * 100 + (SELECT COUNT(*) FROM login_links)" };
    const struct user *user = make_user(t, "anna", "viewer");
    int64_t n;

    login_with(t, make_link(t, user->id));
    make_link(t, make_user(t, "b", "viewer")->id);
    db_close(t->db);
    ENGINE_OK(writer_open(t->engine.url, sets, 5, 64, 64, &t->app.writer, &engine_err));
    ENGINE_OK(auth_sweep(&t->app, T0 + MS_HOUR, &engine_err));
    struct db *reader = engine_open(t->engine.url, DB_READER);
    ENGINE_OK(db_begin_read(reader, &engine_err));
    ENGINE_OK(db_int(reader, &count, DB_NONE, -1, &n, &engine_err));
    db_rollback(reader);
    assert_int_equal(n, 102);
    ENGINE_OK(auth_sweep(&t->app, T0 + 25 * MS_HOUR, &engine_err));
    ENGINE_OK(db_begin_read(reader, &engine_err));
    ENGINE_OK(db_int(reader, &count, DB_NONE, -1, &n, &engine_err));
    db_rollback(reader);
    assert_int_equal(n, 0);
    db_close(reader);
    writer_close(t->app.writer);
    t->db = engine_open(t->engine.url, DB_WRITER);
}

/* ---- setup ------------------------------------------------------------------------ */

static void first_admin_is_made_once_and_can_log_in(void **state)
{
    struct calls *t = *state;
    struct caller who;
    const char *link, *text;

    ENGINE_OK(db_begin_write(t->db, &engine_err));
    ENGINE_OK(setup_first_admin(t->db, &t->arena, "root", T0, &link, &engine_err));
    ENGINE_OK(setup_token(t->db, &t->arena, "ci", "demo", 90 * MS_DAY, T0, &text, &engine_err));
    ENGINE_OK(db_commit(t->db, &engine_err));
    assert_int_equal(calls_identify(t, NULL, login_with(t, link + strlen("/login#")), &who), 0);
    assert_int_equal(who.role, ROLE_ADMIN);
    assert_int_equal(calls_identify(t, bearer(t, text), NULL, &who), 0);
    assert_int_equal(who.role, ROLE_CI);
    ENGINE_OK(db_begin_write(t->db, &engine_err));
    assert_int_equal(setup_first_admin(t->db, &t->arena, "root2", T0, &link, &t->err), -1);
    assert_int_equal(t->err.kind, ERR_CONFLICT);
    ENGINE_OK(setup_login_link(t->db, &t->arena, "root", T0, &link, &engine_err));
    db_rollback(t->db);
    assert_int_equal(calls_audit_last(t), 4);      /* user, link, token, login */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(login_link_works_once), T(login_link_expires), T(new_login_link_ends_the_one_before),
        T(token_is_no_login_link), T(cookie_has_all_its_attributes), T(every_login_makes_another_session),
        T(idle_session_ends), T(session_ends_at_its_absolute_limit), T(damaged_or_doubled_cookie_is_nobody),
        T(logging_out_ends_the_session_on_the_server), T(session_write_needs_its_csrf_token),
        T(session_shows_who_is_asking), T(disabling_a_user_ends_everything_at_once), T(change_of_role_holds_at_once),
        T(last_admin_stays), T(user_names_are_unique), T(two_uses_of_one_link_at_once_make_one_session),
        T(sweep_deletes_what_is_over), T(first_admin_is_made_once_and_can_log_in),
    };

    CALLS_RUN(tests);
}
