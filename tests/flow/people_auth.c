/* people_auth.c - API tokens: who is let in, and who no more. */
#include "tests/flow/people.h"

#include "base/token.h"

static void assert_refused(struct calls *t, const char *authorization)
{
    struct caller who = { .role = ROLE_AGENT };

    assert_int_equal(calls_identify(t, authorization, NULL, &who), -1);
    assert_int_equal(t->err.kind, ERR_UNAUTHENTICATED);
    assert_string_equal(t->err.msg, "the token is not valid, has expired or was revoked");
    assert_int_equal(who.role, ROLE_AGENT);
}

static void token_names_its_caller(void **state)
{
    struct calls *t = *state;
    struct caller who;
    const struct api_token *token = make_token(t, "ci");

    assert_true(str_starts(token->text, "keep_ci_"));
    assert_int_equal(t->status, 201);
    assert_int_equal(calls_identify(t, bearer(t, token->text), NULL, &who), 0);
    assert_int_equal(who.role, ROLE_CI);
    assert_string_equal(who.id, token->id);
    assert_string_equal(who.name, "build");
    assert_int_equal(who.n_repositories, 1);
    assert_string_equal(who.repositories[0], "ghcr.io/acme/*");
    assert_false(who.is_session);
}

static void every_role_can_have_a_token(void **state)
{
    static const char *const roles[] = { "viewer", "analyst", "policy", "admin", "ci", "admission", "agent" };
    struct calls *t = *state;
    struct caller who;

    for (size_t i = 0; i < N_ITEMS(roles); i++) {
        assert_int_equal(calls_identify(t, bearer(t, make_token(t, roles[i])->text), NULL, &who), 0);
        assert_string_equal(role_word(who.role), roles[i]);
    }
}

static void token_answer_is_the_only_place_of_the_secret(void **state)
{
    struct calls *t = *state;
    const struct api_token *token = make_token(t, "ci");

    assert_non_null(strstr(calls_json(t, &api_token_made_shape, token), token->text));
    const struct api_token *shown = calls_ok(t, "GET", "/v1/tokens/{id}", token->id, NULL, NULL);
    assert_null(shown->text);
    assert_string_equal(shown->state, "active");
    assert_null(strstr(calls_json(t, &api_token_shape, token), token->text));
}

static void revoked_token_is_refused_at_once(void **state)
{
    struct calls *t = *state;
    struct caller who;
    const struct api_token *token = make_token(t, "ci");

    assert_int_equal(calls_identify(t, bearer(t, token->text), NULL, &who), 0);
    calls_ok(t, "DELETE", "/v1/tokens/{id}", token->id, NULL, NULL);
    assert_refused(t, bearer(t, token->text));
}

static void token_is_over_at_its_very_millisecond(void **state)
{
    struct calls *t = *state;
    struct caller who;
    const struct api_token *token = make_token(t, "ci");

    t->now_ms = token->expires_ms - 1;
    assert_int_equal(calls_identify(t, bearer(t, token->text), NULL, &who), 0);
    t->now_ms = token->expires_ms;
    assert_refused(t, bearer(t, token->text));
}

static void mistyped_token_is_refused(void **state)
{
    struct calls *t = *state;
    char *text = arena_strdup(&t->arena, make_token(t, "ci")->text);
    size_t last = strlen(text) - 1;

    text[last] = text[last] == '0' ? '1' : '0';
    assert_refused(t, bearer(t, text));
}

static void same_id_with_another_secret_is_refused(void **state)
{
    struct calls *t = *state;
    const struct api_token *token = make_token(t, "ci");
    char other[TOKEN_TEXT_MAX + 1], mixed[TOKEN_TEXT_MAX + 8];
    struct token parsed;
    static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /* keep_ci_<id of one>_<secret of another><right check> */
    assert_true(token_make("ci", other, &parsed));
    size_t head = strlen("keep_ci_") + TOKEN_ID_LEN + 1, body = head + TOKEN_SECRET_LEN;
    snprintf(mixed, sizeof mixed, "%.*s%.*s", (int)head, token->text, TOKEN_SECRET_LEN, other + head);
    uint32_t crc = crc32_of(mixed, body);
    for (size_t i = TOKEN_CHECK_LEN; i-- > 0; crc /= 62)
        mixed[body + i] = base62[crc % 62];
    mixed[body + TOKEN_CHECK_LEN] = '\0';
    assert_true(token_parse(mixed, &parsed));
    assert_string_equal(parsed.id, token->id);
    assert_refused(t, bearer(t, mixed));
    assert_true(token_make("ci", other, &parsed));
    assert_refused(t, bearer(t, other));
}

static void other_authorization_is_refused_and_never_a_session(void **state)
{
    static const char *const bad[] = { "", "Bearer", "Bearer ", "Basic YWRtaW46YWRtaW4=", "Bearer keep_ci_", "bearer\tx" };
    struct calls *t = *state;

    for (size_t i = 0; i < N_ITEMS(bad); i++)
        assert_refused(t, bad[i]);
}

static void without_a_reader_only_look_ups_wait(void **state)
{
    struct calls *t = *state;
    struct caller who;
    struct credentials cred = { .from = "x" };

    assert_int_equal(identify(&t->app, NULL, &cred, &t->arena, t->now_ms, &who, &t->err), 0);
    assert_int_equal(who.role, WHO_ANYONE);
    cred.cookie = "keep_session=nonsense";
    assert_int_equal(identify(&t->app, NULL, &cred, &t->arena, t->now_ms, &who, &t->err), 0);
    cred.authorization = "Bearer nonsense";
    assert_int_equal(identify(&t->app, NULL, &cred, &t->arena, t->now_ms, &who, &t->err), -1);
    cred.authorization = bearer(t, make_token(t, "ci")->text);
    assert_int_equal(identify(&t->app, NULL, &cred, &t->arena, t->now_ms, &who, &t->err), 1);
}

static void unreadable_repositories_are_not_all_repositories(void **state)
{
    static const struct db_query damage = { "test.damage", "t", "", "UPDATE tokens SET repositories = $1" };
    struct calls *t = *state;
    struct caller who;
    const struct api_token *token = make_token(t, "ci");

    ENGINE_OK(db_begin_write(t->db, &engine_err));
    ENGINE_OK(db_exec(t->db, &damage, DB_IN(db_t("[\"a")), NULL, &engine_err));
    ENGINE_OK(db_commit(t->db, &engine_err));
    assert_int_equal(calls_identify(t, bearer(t, token->text), NULL, &who), -1);
}

static void tokens_live_no_longer_than_allowed(void **state)
{
    struct calls *t = *state;

    t->app.settings.token_max_ms = 90 * MS_DAY;
    calls_refused(t, ERR_INVALID, "POST", "/v1/tokens", NULL, NULL, "{\"name\":\"a\",\"role\":\"ci\",\"expires_in\":\"91d\"}");
    calls_refused(t, ERR_INVALID, "POST", "/v1/tokens", NULL, NULL, "{\"name\":\"a\",\"role\":\"ci\",\"expires_in\":\"0d\"}");
    calls_refused(t, ERR_INVALID, "POST", "/v1/tokens", NULL, NULL, "{\"name\":\"a\",\"role\":\"king\"}");
    calls_refused(t, ERR_INVALID, "POST", "/v1/tokens", NULL, NULL, "{\"name\":\"a\\u001b[1m\",\"role\":\"ci\"}");
    calls_refused(t, ERR_INVALID, "POST", "/v1/tokens", NULL, NULL,
                  "{\"name\":\"a\",\"role\":\"ci\",\"repositories\":[\"no such pattern\"]}");
}

static void nobody_grants_what_he_may_not(void **state)
{
    struct calls *t = *state;

    t->caller.role = ROLE_POLICY;
    calls_refused(t, ERR_FORBIDDEN, "POST", "/v1/tokens", NULL, NULL, "{\"name\":\"a\",\"role\":\"viewer\"}");
    calls_refused(t, ERR_FORBIDDEN, "POST", "/v1/users", NULL, NULL, "{\"name\":\"a\",\"role\":\"viewer\"}");
}

static void last_use_is_remembered_then_written(void **state)
{
    struct calls *t = *state;
    struct caller who;
    const struct db_queries sets[] = { api_token_queries, session_queries };
    const struct api_token *token = make_token(t, "ci");

    t->now_ms += 5000;
    assert_int_equal(calls_identify(t, bearer(t, token->text), NULL, &who), 0);
    const struct api_token *shown = calls_ok(t, "GET", "/v1/tokens/{id}", token->id, NULL, NULL);
    assert_true(shown->last_used_ms == TIME_UNKNOWN);
    db_close(t->db);
    ENGINE_OK(writer_open(t->engine.url, sets, 2, 16, 16, &t->app.writer, &engine_err));
    ENGINE_OK(auth_flush_touched(&t->app, &engine_err));
    writer_close(t->app.writer);
    t->db = engine_open(t->engine.url, DB_WRITER);
    shown = calls_ok(t, "GET", "/v1/tokens/{id}", token->id, NULL, NULL);
    assert_int_equal(shown->last_used_ms, t->now_ms);
    assert_string_equal(shown->last_used_from, "192.0.2.9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(token_names_its_caller), T(every_role_can_have_a_token), T(token_answer_is_the_only_place_of_the_secret),
        T(revoked_token_is_refused_at_once), T(token_is_over_at_its_very_millisecond), T(mistyped_token_is_refused),
        T(same_id_with_another_secret_is_refused), T(other_authorization_is_refused_and_never_a_session),
        T(without_a_reader_only_look_ups_wait), T(unreadable_repositories_are_not_all_repositories), T(tokens_live_no_longer_than_allowed),
        T(nobody_grants_what_he_may_not), T(last_use_is_remembered_then_written),
    };

    CALLS_RUN(tests);
}
