/* people_audit.c - policies, the audit log, secrets, and the table of routes. */
#include "tests/flow/people.h"

#include "service/setup.h"
#include "wire/json.h"
#include "wire/msg/audit.h"
#include "wire/msg/policy_doc.h"

/* ---- policies ------------------------------------------------------------------------------ */

static void policy_versions_only_grow(void **state)
{
    struct calls *t = *state;
    int64_t generation[2];

    make_images(t);
    const struct policy_doc *p = calls_ok(t, "PUT", "/v1/policies/{name}", "base", NULL, policy_text(t, "base", "A"));
    assert_int_equal(t->status, 201);
    assert_int_equal(p->version, 1);
    assert_true(p->enabled);
    assert_string_equal(p->title, "A");
    assert_string_equal(p->mode, "enforce");
    assert_int_equal(p->n_stages, 2);
    assert_int_equal(p->rules, 1);
    assert_int_equal(images_due(t), 2);
    p = calls_ok(t, "POST", "/v1/policies/{name}/disable", "base", NULL, NULL);
    assert_false(p->enabled);
    assert_int_equal(images_due(t), 2);
    p = calls_ok(t, "PUT", "/v1/policies/{name}", "base", NULL, policy_text(t, "base", "B"));
    assert_int_equal(t->status, 200);
    assert_int_equal(p->version, 2);
    assert_false(p->enabled);                   /* as it was */
    ENGINE_OK(db_begin_read(t->db, &engine_err));
    ENGINE_OK(policy_doc_generation(t->db, &generation[0], &engine_err));
    db_rollback(t->db);
    calls_ok(t, "DELETE", "/v1/policies/{name}", "base", NULL, NULL);
    ENGINE_OK(db_begin_read(t->db, &engine_err));
    ENGINE_OK(policy_doc_generation(t->db, &generation[1], &engine_err));
    db_rollback(t->db);
    assert_int_equal(generation[0], 3);
    assert_int_equal(generation[1], 4);
    calls_refused(t, ERR_NOT_FOUND, "GET", "/v1/policies/{name}", "base", NULL, NULL);
    p = calls_ok(t, "PUT", "/v1/policies/{name}", "base", NULL, policy_text(t, "base", "C"));
    assert_int_equal(p->version, 3);
    const struct page *page = calls_ok(t, "GET", "/v1/policies/{name}/versions", "base", "limit=2", NULL);
    assert_int_equal(page->n_items, 2);
    assert_int_equal(((const struct policy_version *)page->items)->version, 3);
    page = calls_ok(t, "GET", "/v1/policies/{name}/versions", "base",
                    arena_printf(&t->arena, "limit=2&cursor=%s", page->next), NULL);
    assert_int_equal(page->n_items, 1);
    assert_null(page->next);
    p = calls_ok(t, "GET", "/v1/policies/{name}", "base", NULL, NULL);
    assert_string_equal(p->document, policy_text(t, "base", "C"));
}

static void what_is_no_policy_is_not_stored(void **state)
{
    struct calls *t = *state;

    calls_refused(t, ERR_INVALID, "PUT", "/v1/policies/{name}", "base", NULL, policy_text(t, "other", "A"));
    calls_refused(t, ERR_INVALID, "PUT", "/v1/policies/{name}", "base", NULL, "hello: world\n");
    calls_refused(t, ERR_INVALID, "PUT", "/v1/policies/{name}", "base", NULL, "");
    calls_refused(t, ERR_INVALID, "PUT", "/v1/policies/{name}", "base", NULL, "a: \xff\n");
    calls_refused(t, ERR_INVALID, "PUT", "/v1/policies/{name}", "../etc", NULL, policy_text(t, "../etc", "A"));
    const struct page *page = calls_ok(t, "GET", "/v1/policies", NULL, NULL, NULL);
    assert_int_equal(page->n_items, 0);
}

static size_t ship(struct calls *t, const char *name, const char *title)
{
    struct shipped_policy s = { name, policy_text(t, name, title), false };
    size_t changed;

    ENGINE_OK(db_begin_write(t->db, &engine_err));
    ENGINE_OK(setup_policies(t->db, &t->arena, &s, 1, t->now_ms, &changed, &engine_err));
    ENGINE_OK(db_commit(t->db, &engine_err));
    return changed;
}

static void shipped_policies_respect_what_people_did(void **state)
{
    struct calls *t = *state;

    assert_int_equal(ship(t, "base", "1"), 1);
    assert_int_equal(ship(t, "base", "1"), 0);
    const struct policy_doc *p = calls_ok(t, "POST", "/v1/policies/{name}/enable", "base", NULL, NULL);
    assert_true(p->shipped);
    assert_int_equal(ship(t, "base", "2"), 1);          /* switched on is not edited */
    p = calls_ok(t, "GET", "/v1/policies/{name}", "base", NULL, NULL);
    assert_true(p->enabled);
    assert_string_equal(p->title, "2");
    calls_ok(t, "PUT", "/v1/policies/{name}", "base", NULL, policy_text(t, "base", "mine"));
    assert_int_equal(ship(t, "base", "3"), 0);
    assert_int_equal(ship(t, "gone", "1"), 1);
    calls_ok(t, "DELETE", "/v1/policies/{name}", "gone", NULL, NULL);
    assert_int_equal(ship(t, "gone", "2"), 0);
    calls_refused(t, ERR_NOT_FOUND, "GET", "/v1/policies/{name}", "gone", NULL, NULL);
}

/* ---- audit ----------------------------------------------------------------------------------- */

/* How to call each write route so that it changes something. */
struct scenario {
    const char *method, *path, *value, *body;
};

static void every_write_route_leaves_an_audit_record(void **state)
{
    struct calls *t = *state;
    const struct user *u = calls_ok(t, "POST", "/v1/users", NULL, NULL, "{\"name\":\"u\",\"role\":\"admin\"}");
    const struct user *other = calls_ok(t, "POST", "/v1/users", NULL, NULL, "{\"name\":\"v\",\"role\":\"admin\"}");
    const struct login_link_made *link = calls_ok(t, "POST", "/v1/users/{id}/login-link", u->id, NULL, NULL);
    const struct api_token *token = calls_ok(t, "POST", "/v1/tokens", NULL, NULL, "{\"name\":\"t\",\"role\":\"ci\"}");
    const struct signer *s = calls_ok(t, "POST", "/v1/signers", NULL, NULL, signer_body(t, "s", new_key(t, KEY_P256)));
    const struct exception *e = except(t, "\"vulnerability\":\"CVE-2026-0001\"");
    const struct scenario scenarios[] = {
        { "POST", "/v1/login", NULL, arena_printf(&t->arena, "{\"link\":\"%s\"}", link->link_path + strlen("/login#")) },
        { "DELETE", "/v1/session", NULL, NULL },
        { "POST", "/v1/users", NULL, "{\"name\":\"w\",\"role\":\"viewer\"}" },
        { "PUT", "/v1/users/{id}", u->id, "{\"name\":\"uu\"}" },
        { "POST", "/v1/users/{id}/login-link", u->id, NULL },
        { "DELETE", "/v1/users/{id}", other->id, NULL },
        { "POST", "/v1/tokens", NULL, "{\"name\":\"t2\",\"role\":\"agent\",\"expires_in\":\"12h\"}" },
        { "DELETE", "/v1/tokens/{id}", token->id, NULL },
        { "POST", "/v1/signers", NULL, signer_body(t, "s2", new_key(t, KEY_P256)) },
        { "DELETE", "/v1/signers/{id}", s->id, NULL },
        { "POST", "/v1/unsigned-allowances", NULL,
          "{\"pattern\":\"ghcr.io/**\",\"reason\":\"Legacy pipeline without keys\",\"expires_in\":\"30d\"}" },
        { "DELETE", "/v1/unsigned-allowances/{pattern}", "ghcr.io/**", NULL },
        { "POST", "/v1/exceptions", NULL, "{\"rule\":\"base/one\"," REASON ",\"expires_in\":\"30d\"}" },
        { "DELETE", "/v1/exceptions/{id}", e->id, NULL },
        { "POST", "/v1/vex", NULL, vex_text(t, "under_investigation", "{\"@id\":\"pkg:oci/x\"}") },
        { "PUT", "/v1/policies/{name}", "base", policy_text(t, "base", "A") },
        { "POST", "/v1/policies/{name}/disable", "base", NULL },
        { "POST", "/v1/policies/{name}/enable", "base", NULL },
        { "DELETE", "/v1/policies/{name}", "base", NULL },
    };
    size_t covered = 0;

    for (size_t i = 0; i < n_routes_people; i++)
        covered += routes_people[i].class == CLASS_WRITE;
    assert_int_equal(covered, N_ITEMS(scenarios));
    t->caller.is_session = true;
    t->caller.session_id = "none";
    for (size_t i = 0; i < N_ITEMS(scenarios); i++) {
        const struct scenario *sc = &scenarios[i];
        int64_t before = calls_audit_last(t);
        assert_int_equal(route_of(sc->method, sc->path)->class, CLASS_WRITE);
        calls_ok(t, sc->method, sc->path, sc->value, NULL, sc->body);
        assert_true(calls_audit_last(t) > before);
        /* What is refused leaves nothing. */
        before = calls_audit_last(t);
        if (sc->value != NULL && calls_run(t, sc->method, sc->path, "none-such", NULL, sc->body, NULL) != 0)
            assert_int_equal(calls_audit_last(t), before);
    }
}

static void audit_tells_who_did_what(void **state)
{
    struct calls *t = *state;
    const struct user *u = calls_ok(t, "POST", "/v1/users", NULL, NULL, "{\"name\":\"u\",\"role\":\"viewer\"}");

    calls_ok(t, "PUT", "/v1/users/{id}", u->id, NULL, "{\"role\":\"analyst\"}");
    except(t, "\"vulnerability\":\"CVE-2026-0001\"");
    const struct page *p = calls_ok(t, "GET", "/v1/audit", NULL,
                                    arena_printf(&t->arena, "kind=user&object=%s&action=update", u->id), NULL);
    assert_int_equal(p->n_items, 1);
    const struct audit_item *a = p->items;
    assert_int_equal(a->seq, 2);
    assert_int_equal(a->at_ms, t->now_ms);
    assert_string_equal(a->actor, "usr_test");
    assert_string_equal(a->actor_name, "tess");
    assert_string_equal(a->role, "admin");
    assert_string_equal(a->from, "192.0.2.7");
    assert_string_equal(a->request_id, "req-1");
    assert_string_equal(json_get_str(a->before, "role", ""), "viewer");
    assert_string_equal(json_get_str(a->after, "role", ""), "analyst");
    calls_ok(t, "GET", "/v1/audit/{seq}/record", "2", NULL, NULL);
    uint8_t leaf[32];
    char hex[65];
    audit_leaf(t->answer.ptr, t->answer.len, leaf);
    hex_encode(leaf, sizeof leaf, hex);
    assert_string_equal(hex, a->leaf);
    assert_true(str_starts((const char *)t->answer.ptr, "{\"seq\":2,\"at\":\""));
    assert_int_equal(((struct page *)calls_ok(t, "GET", "/v1/audit", NULL, "actor=usr_test", NULL))->n_items, 3);
    assert_int_equal(((struct page *)calls_ok(t, "GET", "/v1/audit", NULL, "actor=usr_x", NULL))->n_items, 0);
    assert_int_equal(((struct page *)calls_ok(t, "GET", "/v1/audit", NULL, "kind=exception", NULL))->n_items, 1);
    assert_int_equal(((struct page *)calls_ok(t, "GET", "/v1/audit", NULL, "before=3", NULL))->n_items, 2);
    calls_refused(t, ERR_INVALID, "GET", "/v1/audit", NULL, "object=x", NULL);
    calls_refused(t, ERR_NOT_FOUND, "GET", "/v1/audit/{seq}/record", "99", NULL, NULL);
    calls_refused(t, ERR_NOT_FOUND, "GET", "/v1/audit/{seq}/record", "-1", NULL, NULL);
    p = calls_ok(t, "GET", "/v1/audit", NULL, "limit=2", NULL);
    p = calls_ok(t, "GET", "/v1/audit", NULL, arena_printf(&t->arena, "limit=2&cursor=%s", p->next), NULL);
    assert_int_equal(p->n_items, 1);
    assert_null(p->next);
}

/* ---- secrets --------------------------------------------------------------------------------- */

static bool file_has(const char *file, const char *needle, size_t len)
{
    FILE *f = fopen(file, "rb");
    static char bytes[16 << 20];

    if (f == NULL)
        return false;
    size_t n = fread(bytes, 1, sizeof bytes, f);
    assert_true(feof(f));
    fclose(f);
    return memmem(bytes, n, needle, len) != NULL;
}

static bool database_has(struct calls *t, const char *needle, size_t len)
{
    char wal[600];

    snprintf(wal, sizeof wal, "%s-wal", t->engine.url);
    return file_has(t->engine.url, needle, len) || file_has(wal, needle, len);
}

/* The bytes of the file hold every column of every row, and what was deleted. */
static void no_secret_lies_in_the_database(void **state)
{
    struct calls *t = *state;

    if (t->engine.is_pg)
        skip();                      /* its files are not ours to read */
    const struct api_token *token = calls_ok(t, "POST", "/v1/tokens", NULL, NULL, "{\"name\":\"build-token\",\"role\":\"ci\"}");
    const struct user *u = calls_ok(t, "POST", "/v1/users", NULL, NULL, "{\"name\":\"u\",\"role\":\"admin\"}");
    const struct login_link_made *link = calls_ok(t, "POST", "/v1/users/{id}/login-link", u->id, NULL, NULL);
    const char *text = link->link_path + strlen("/login#");

    calls_ok(t, "POST", "/v1/login", NULL, NULL, arena_printf(&t->arena, "{\"link\":\"%s\"}", text));
    const char *cookie = strchr(t->set_cookie, '=') + 1;
    calls_ok(t, "DELETE", "/v1/tokens/{id}", token->id, NULL, NULL);
    /* found: the public parts; not found: 16 characters out of each secret */
    assert_true(database_has(t, token->id, strlen(token->id)));
    assert_true(database_has(t, "build-token", 11));
    assert_true(database_has(t, cookie, 32));
    assert_false(database_has(t, token->text + strlen("keep_ci_") + 13 + 4, 16));
    assert_false(database_has(t, text + strlen("keep_lnk_") + 13 + 4, 16));
    assert_false(database_has(t, cookie + 33, 16));
    assert_false(database_has(t, cookie + 33 + 16, 16));
}

/* ---- routes ------------------------------------------------------------------------------------ */

static void routes_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_routes_people; i++) {
        const struct route *r = &routes_people[i];
        const struct shape *shapes[] = { r->query, r->in, r->out };
        assert_true(r->who != 0);
        assert_true(r->class == CLASS_READ || r->class == CLASS_WRITE);
        assert_false(r->class == CLASS_WRITE && str_eq(r->method, "GET"));
        assert_non_null(r->run);
        assert_true(str_ends(r->summary, "."));
        assert_int_equal(r->body == BODY_NONE, r->max_body == 0);
        assert_int_equal(r->body == BODY_JSON, r->in != NULL);
        for (size_t j = 0; j < 3; j++)
            if (shapes[j] != NULL && shape_check(shapes[j]) != NULL)
                fail_msg("%s %s: %s: %s", r->method, r->path, shapes[j]->name, shape_check(shapes[j]));
    }
}

static void only_admins_touch_users_tokens_and_signers(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_routes_people; i++) {
        const struct route *r = &routes_people[i];
        if (str_starts(r->path, "/v1/users") || str_starts(r->path, "/v1/tokens"))
            assert_int_equal(r->who, ROLE_ADMIN);
        if (r->class == CLASS_WRITE && (str_starts(r->path, "/v1/signers") || str_starts(r->path, "/v1/unsigned")))
            assert_int_equal(r->who, ROLE_ADMIN);
        if (r->class == CLASS_WRITE && !str_eq(r->path, "/v1/login") && !str_eq(r->path, "/v1/session"))
            assert_int_equal(r->who & (ROLE_VIEWER | ROLE_CI | ROLE_ADMISSION | ROLE_AGENT | WHO_ANYONE), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(policy_versions_only_grow), T(what_is_no_policy_is_not_stored), T(shipped_policies_respect_what_people_did),
        T(every_write_route_leaves_an_audit_record), T(audit_tells_who_did_what), T(no_secret_lies_in_the_database),
        T(routes_are_whole), T(only_admins_touch_users_tokens_and_signers),
    };

    CALLS_RUN(tests);
}
