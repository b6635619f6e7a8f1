/* people.h - what several tests of people's work need: bodies, users, images. */
#ifndef KEEP_TESTS_PEOPLE_H
#define KEEP_TESTS_PEOPLE_H

#include "tests/flow/calls.h"

#include "wire/msg/api_token.h"
#include "wire/msg/exception.h"
#include "wire/msg/signer.h"
#include "wire/msg/user.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define REASON "\"reason\":\"The code path is not reachable\",\"owner\":\"team shop\""

/* ---- tokens and people ---- */

static inline const struct api_token *make_token(struct calls *t, const char *role)
{
    const char *body = arena_printf(&t->arena, "{\"name\":\"build\",\"role\":\"%s\",\"expires_in\":\"90d\","
                                    "\"repositories\":[\"ghcr.io/acme/*\"]}", role);

    return calls_ok(t, "POST", "/v1/tokens", NULL, NULL, body);
}

static inline const char *bearer(struct calls *t, const char *text)
{
    return arena_printf(&t->arena, "Bearer %s", text);
}

static inline const struct user *make_user(struct calls *t, const char *name, const char *role)
{
    return calls_ok(t, "POST", "/v1/users", NULL, NULL,
                    arena_printf(&t->arena, "{\"name\":\"%s\",\"role\":\"%s\"}", name, role));
}

static inline const char *make_link(struct calls *t, const char *user_id)
{
    const struct login_link_made *made = calls_ok(t, "POST", "/v1/users/{id}/login-link", user_id, NULL, NULL);

    assert_true(str_starts(made->link_path, "/login#keep_lnk_"));
    return made->link_path + strlen("/login#");
}

static inline const char *login_body(struct calls *t, const char *link)
{
    return arena_printf(&t->arena, "{\"link\":\"%s\"}", link);
}

static inline struct caller nobody(struct calls *t)
{
    struct caller admin = t->caller;

    t->caller = (struct caller){ .role = WHO_ANYONE, .id = "", .name = "", .from = "192.0.2.8" };
    return admin;
}

/* The cookie header of a browser that has just logged in. */
static inline const char *login_with(struct calls *t, const char *link)
{
    struct caller admin = nobody(t);

    calls_ok(t, "POST", "/v1/login", NULL, NULL, login_body(t, link));
    t->caller = admin;
    assert_non_null(t->set_cookie);
    return arena_strndup(&t->arena, t->set_cookie, strcspn(t->set_cookie, ";"));
}

/* ---- bodies ---- */

static inline const char *new_key(struct calls *t, enum key_alg alg)
{
    struct privkey *key;
    struct buf pem, json;

    ENGINE_OK(privkey_generate(alg, &key, &engine_err));
    buf_init(&pem, 8192);
    buf_init(&json, 8192);
    pubkey_to_pem(privkey_public(key), &pem);
    for (size_t i = 0; i < pem.len; i++)
        if (pem.ptr[i] == '\n')
            buf_puts(&json, "\\n");
        else
            buf_putc(&json, pem.ptr[i]);
    const char *text = arena_strndup(&t->arena, json.ptr, json.len);
    buf_free(&pem);
    buf_free(&json);
    privkey_free(key);
    return text;
}

static inline const char *signer_body(struct calls *t, const char *name, const char *pem)
{
    return arena_printf(&t->arena, "{\"name\":\"%s\",\"public_key\":\"%s\",\"repositories\":[\"acme/*\"],"
                        "\"statements\":[\"vulnerability\",\"sbom\"]}", name, pem);
}

static inline const struct exception *except(struct calls *t, const char *scope)
{
    return calls_ok(t, "POST", "/v1/exceptions", NULL, NULL,
                    arena_printf(&t->arena, "{%s," REASON ",\"expires_in\":\"30d\"}", scope));
}

static inline const char *vex_text(struct calls *t, const char *status, const char *product)
{
    return arena_printf(&t->arena,
        "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"@id\":\"https://acme.example/vex/1\",\"author\":\"Acme PSIRT\","
        "\"timestamp\":\"2026-11-25T00:00:00Z\",\"version\":1,\"statements\":[{\"vulnerability\":{\"name\":\"CVE-2026-0001\"},"
        "\"products\":[%s],\"status\":\"%s\",\"justification\":\"vulnerable_code_not_in_execute_path\","
        "\"action_statement\":\"wait\"}]}", product, status);
}

static inline const char *policy_text(struct calls *t, const char *name, const char *title)
{
    return arena_printf(&t->arena, "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: %s, title: \"%s\"}\n"
                        "spec:\n  stages: [build, deploy]\n  mode: enforce\n  validations:\n"
                        "    - name: one\n      expression: \"true\"\n      message: never\n", name, title);
}

/* ---- images ---- */

static const struct db_query settle = { "test.settle", "", "", "UPDATE images SET next_check_ms = 1, check_cause = NULL" };
static const struct db_query due = { "test.due", "", "i", "SELECT COUNT(*) FROM images WHERE next_check_ms = 0" };

/* Two images with a vulnerable openssl; acme/shop runs in namespace prod. */
static inline void make_images(struct calls *t)
{
    static const char *const repositories[] = { "docker.io/acme/shop", "ghcr.io/other/app" };
    static const char *const digests[] = { D1, D2 };
    struct vulnerability v = { .name = "CVE-2026-0001", .cvss = 98, .epss = -1, .published_ms = TIME_UNKNOWN };
    struct package p = { .name = "openssl", .version = "3.0.11", .ecosystem = "Debian:12" };
    int64_t vulnerability, scanner, package, repository, image;

    ENGINE_OK(db_begin_write(t->db, &engine_err));
    ENGINE_OK(vulnerability_upsert(t->db, &v, &vulnerability, &engine_err));
    ENGINE_OK(scanner_intern(t->db, "trivy", &scanner, &engine_err));
    ENGINE_OK(package_intern(t->db, &p, &package, &engine_err));
    for (int i = 0; i < 2; i++) {
        struct image_finding f = { .vulnerability_id = vulnerability, .package_id = package, .scanner_id = scanner, .since_ms = T0 };
        ENGINE_OK(repository_upsert(t->db, repositories[i], "", T0, &repository, &engine_err));
        ENGINE_OK(image_insert(t->db, digests[i], repository, T0, &image, &engine_err));
        ENGINE_OK(finding_insert(t->db, image, &f, &engine_err));
    }
    ENGINE_OK(db_exec(t->db, &settle, DB_NONE, NULL, &engine_err));
    ENGINE_OK(db_commit(t->db, &engine_err));
}

/* Images to be judged since the last time this was asked. */
static inline int64_t images_due(struct calls *t)
{
    int64_t n;

    ENGINE_OK(db_begin_write(t->db, &engine_err));
    ENGINE_OK(db_int(t->db, &due, DB_NONE, -1, &n, &engine_err));
    ENGINE_OK(db_exec(t->db, &settle, DB_NONE, NULL, &engine_err));
    ENGINE_OK(db_commit(t->db, &engine_err));
    return n;
}

#define T(f) cmocka_unit_test_setup_teardown(f, calls_open, calls_close)

#endif
