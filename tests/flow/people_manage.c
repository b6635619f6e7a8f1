/* people_manage.c - signers, allowances, exceptions, VEX, policies, the audit log. */
#include "tests/flow/calls.h"

#include "core/tally.h"
#include "service/setup.h"
#include "wire/json.h"
#include "wire/msg/allowance.h"
#include "wire/msg/audit.h"
#include "wire/msg/exception.h"
#include "wire/msg/policy_doc.h"
#include "wire/msg/signer.h"
#include "wire/msg/user.h"
#include "wire/vex.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define REASON "\"reason\":\"The code path is not reachable\",\"owner\":\"team shop\""

/* ---- signers ---------------------------------------------------------------------- */

static const char *new_key(struct calls *t, enum key_alg alg)
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

static const char *signer_body(struct calls *t, const char *name, const char *pem)
{
    return arena_printf(&t->arena, "{\"name\":\"%s\",\"public_key\":\"%s\",\"repositories\":[\"acme/*\"],"
                        "\"statements\":[\"vulnerability\",\"sbom\"]}", name, pem);
}

static void signer_is_its_key(void **state)
{
    struct calls *t = *state;
    const char *pem = new_key(t, KEY_P256);
    const struct signer *s = calls_ok(t, "POST", "/v1/signers", NULL, NULL, signer_body(t, "ci", pem));

    assert_int_equal(strlen(s->id), 64);
    assert_string_equal(s->algorithm, "ecdsa-p256");
    assert_string_equal(s->state, "valid");
    assert_string_equal(s->repositories[0], "docker.io/acme/*");
    calls_refused(t, ERR_CONFLICT, "POST", "/v1/signers", NULL, NULL, signer_body(t, "other", pem));
    calls_refused(t, ERR_CONFLICT, "POST", "/v1/signers", NULL, NULL, signer_body(t, "ci", new_key(t, KEY_ED25519)));
    calls_ok(t, "DELETE", "/v1/signers/{id}", s->id, NULL, NULL);
    const struct signer *after = calls_ok(t, "GET", "/v1/signers/{id}", s->id, NULL, NULL);
    assert_string_equal(after->state, "revoked");
    assert_int_equal(after->revoked_ms, t->now_ms);
    calls_refused(t, ERR_CONFLICT, "POST", "/v1/signers", NULL, NULL, signer_body(t, "again", pem));
}

static void signer_has_its_time(void **state)
{
    struct calls *t = *state;
    const char *body = arena_printf(&t->arena, "{\"name\":\"ci\",\"public_key\":\"%s\",\"not_before\":\"2027-01-01T00:00:00Z\","
                                    "\"not_after\":\"2027-02-01T00:00:00Z\"}", new_key(t, KEY_ED25519));
    const struct signer *s = calls_ok(t, "POST", "/v1/signers", NULL, NULL, body);

    assert_string_equal(s->state, "not_yet");
    t->now_ms = s->not_before_ms;
    assert_string_equal(((struct signer *)calls_ok(t, "GET", "/v1/signers/{id}", s->id, NULL, NULL))->state, "valid");
    t->now_ms = s->not_after_ms;
    assert_string_equal(((struct signer *)calls_ok(t, "GET", "/v1/signers/{id}", s->id, NULL, NULL))->state, "expired");
}

static void bad_signers_are_refused(void **state)
{
    struct calls *t = *state;
    const char *pem = new_key(t, KEY_ED25519);

    calls_refused(t, ERR_INVALID, "POST", "/v1/signers", NULL, NULL, "{\"name\":\"a\",\"public_key\":\"hello\"}");
    assert_true(str_starts(t->err.msg, "$.public_key"));
    calls_refused(t, ERR_INVALID, "POST", "/v1/signers", NULL, NULL,
                  arena_printf(&t->arena, "{\"name\":\"a\",\"public_key\":\"%s\",\"statements\":[\"everything\"]}", pem));
    calls_refused(t, ERR_INVALID, "POST", "/v1/signers", NULL, NULL,
                  arena_printf(&t->arena, "{\"name\":\"a\",\"public_key\":\"%s\",\"not_before\":\"2027-01-01T00:00:00Z\","
                               "\"not_after\":\"2027-01-01T00:00:00Z\"}", pem));
}

/* ---- what is judged anew ----------------------------------------------------------- */

static const struct db_query settle = { "test.settle", "", "", "UPDATE images SET next_check_ms = 1, check_cause = NULL" };
static const struct db_query due = { "test.due", "", "i", "SELECT COUNT(*) FROM images WHERE next_check_ms = 0" };

/* Two images with a vulnerable openssl; acme/shop runs in namespace prod. */
static void make_images(struct calls *t)
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
static int64_t images_due(struct calls *t)
{
    int64_t n;

    ENGINE_OK(db_begin_write(t->db, &engine_err));
    ENGINE_OK(db_int(t->db, &due, DB_NONE, -1, &n, &engine_err));
    ENGINE_OK(db_exec(t->db, &settle, DB_NONE, NULL, &engine_err));
    ENGINE_OK(db_commit(t->db, &engine_err));
    return n;
}

static const struct exception *except(struct calls *t, const char *scope)
{
    return calls_ok(t, "POST", "/v1/exceptions", NULL, NULL,
                    arena_printf(&t->arena, "{%s," REASON ",\"expires_in\":\"30d\"}", scope));
}

static void exceptions_mark_the_images_in_scope(void **state)
{
    static const struct { const char *scope; int64_t images; } cases[] = {
        { "\"vulnerability\":\"cve-2026-0001\"", 2 },
        { "\"vulnerability\":\"CVE-2026-0002\"", 0 },
        { "\"vulnerability\":\"CVE-2026-0001\",\"repository\":\"acme/*\"", 1 },
        { "\"vulnerability\":\"CVE-2026-0001\",\"repository\":\"acme/*\",\"package\":\"openssl\"", 1 },
        { "\"vulnerability\":\"CVE-2026-0001\",\"package\":\"openssl@3.0.11\"", 2 },
        { "\"vulnerability\":\"CVE-2026-0001\",\"package\":\"zlib\"", 0 },
        { "\"vulnerability\":\"CVE-2026-0001\",\"digest\":\"" D2 "\"", 1 },
        { "\"vulnerability\":\"CVE-2026-0001\",\"digest\":\"" D2 "\",\"package\":\"zlib\"", 0 },
        { "\"vulnerability\":\"CVE-2026-0001\",\"namespace\":\"prod\"", 0 },
        { "\"rule\":\"baseline/no-critical\"", 2 },
        { "\"rule\":\"baseline/no-critical\",\"repository\":\"ghcr.io/**\"", 1 },
    };
    struct calls *t = *state;

    make_images(t);
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        const struct exception *e = except(t, cases[i].scope);
        assert_int_equal(images_due(t), cases[i].images);
        const struct exception *shown = calls_ok(t, "GET", "/v1/exceptions/{id}", e->id, NULL, NULL);
        assert_int_equal(shown->applies_to, cases[i].images);
        calls_ok(t, "DELETE", "/v1/exceptions/{id}", e->id, NULL, NULL);
        assert_int_equal(images_due(t), cases[i].images);
        calls_ok(t, "DELETE", "/v1/exceptions/{id}", e->id, NULL, NULL);      /* again: nothing changes */
        assert_int_equal(images_due(t), 0);
    }
}

static void signers_and_allowances_mark_their_repositories(void **state)
{
    struct calls *t = *state;

    make_images(t);
    const struct signer *s = calls_ok(t, "POST", "/v1/signers", NULL, NULL, signer_body(t, "ci", new_key(t, KEY_ED25519)));
    assert_int_equal(images_due(t), 1);
    calls_ok(t, "DELETE", "/v1/signers/{id}", s->id, NULL, NULL);
    assert_int_equal(images_due(t), 1);
    const struct allowance *a = calls_ok(t, "POST", "/v1/unsigned-allowances", NULL, NULL,
        "{\"pattern\":\"ghcr.io/**\",\"reason\":\"Legacy pipeline without keys\",\"expires_in\":\"30d\"}");
    assert_int_equal(images_due(t), 1);
    calls_ok(t, "DELETE", "/v1/unsigned-allowances/{pattern}", a->pattern, NULL, NULL);
    assert_int_equal(images_due(t), 1);
}

/* ---- exceptions --------------------------------------------------------------------- */

static void exception_is_over_at_its_very_millisecond(void **state)
{
    struct calls *t = *state;
    const struct exception *e = except(t, "\"vulnerability\":\"CVE-2026-0001\"");
    struct image_finding f = { .vulnerability = "CVE-2026-0001" };
    struct image_facts facts = { .image = { .digest = D1, .repository = "docker.io/acme/shop" }, .findings = &f, .n_findings = 1 };
    struct exception *active;
    size_t n;

    assert_string_equal(e->state, "active");
    for (int over = 0; over < 2; over++) {
        t->now_ms = e->expires_ms - 1 + over;
        ENGINE_OK(db_begin_read(t->db, &engine_err));
        ENGINE_OK(exception_list_active(t->db, t->now_ms, &t->arena, &active, &n, &engine_err));
        db_rollback(t->db);
        assert_int_equal(n, over ? 0 : 1);
        assert_int_equal(exception_covers(e, &facts, &f, t->now_ms), !over);
        const struct exception *shown = calls_ok(t, "GET", "/v1/exceptions/{id}", e->id, NULL, NULL);
        assert_string_equal(shown->state, over ? "expired" : "active");
        const struct page *page = calls_ok(t, "GET", "/v1/exceptions", NULL, "state=active", NULL);
        assert_int_equal(page->n_items, over ? 0 : 1);
        page = calls_ok(t, "GET", "/v1/exceptions", NULL, "state=expired", NULL);
        assert_int_equal(page->n_items, over ? 1 : 0);
    }
}

static void exception_needs_all_its_parts(void **state)
{
    static const char *const bad[] = {
        "{" REASON ",\"expires_in\":\"30d\"}",
        "{\"vulnerability\":\"CVE-1-1\",\"rule\":\"a/b\"," REASON ",\"expires_in\":\"30d\"}",
        "{\"vulnerability\":\"CVE-1-1\"," REASON "}",
        "{\"vulnerability\":\"CVE-1-1\"," REASON ",\"expires_in\":\"30d\",\"expires_at\":\"2027-01-01T00:00:00Z\"}",
        "{\"vulnerability\":\"CVE-1-1\"," REASON ",\"expires_in\":\"366d\"}",
        "{\"vulnerability\":\"CVE-1-1\"," REASON ",\"expires_at\":\"2020-01-01T00:00:00Z\"}",
        "{\"vulnerability\":\"CVE-1-1\"," REASON ",\"expires_in\":\"for ever\"}",
        "{\"vulnerability\":\"CVE-1-1\",\"reason\":\"a         \",\"owner\":\"x\",\"expires_in\":\"30d\"}",
        "{\"vulnerability\":\"CVE-1-1\",\"reason\":\"too short\",\"owner\":\"x\",\"expires_in\":\"30d\"}",
        "{\"vulnerability\":\"CVE-1-1\",\"reason\":\"The code is not reachable\",\"expires_in\":\"30d\"}",
        "{\"vulnerability\":\"CVE 1\"," REASON ",\"expires_in\":\"30d\"}",
        "{\"rule\":\"norule\"," REASON ",\"expires_in\":\"30d\"}",
        "{\"vulnerability\":\"CVE-1-1\",\"repository\":\"UPPER CASE\"," REASON ",\"expires_in\":\"30d\"}",
        "{\"vulnerability\":\"CVE-1-1\",\"digest\":\"sha256:12\"," REASON ",\"expires_in\":\"30d\"}",
        "{\"vulnerability\":\"CVE-1-1\",\"package\":\"a\\u0007b\"," REASON ",\"expires_in\":\"30d\"}",
    };
    struct calls *t = *state;
    int64_t before = calls_audit_last(t);

    for (size_t i = 0; i < N_ITEMS(bad); i++)
        calls_refused(t, ERR_INVALID, "POST", "/v1/exceptions", NULL, NULL, bad[i]);
    assert_int_equal(calls_audit_last(t), before);
}

static void exceptions_are_listed_by_filter_and_page(void **state)
{
    struct calls *t = *state;
    const char *cursor = "";
    size_t seen = 0;

    for (int i = 0; i < 7; i++) {
        t->now_ms += i % 2;                         /* some in the same millisecond */
        except(t, arena_printf(&t->arena, "\"vulnerability\":\"CVE-2026-%04d\"", i));
    }
    do {
        const struct page *p = calls_ok(t, "GET", "/v1/exceptions", NULL,
                                        arena_printf(&t->arena, "limit=3%s%s", *cursor ? "&cursor=" : "", cursor), NULL);
        seen += p->n_items;
        cursor = p->next;
    } while (cursor != NULL);
    assert_int_equal(seen, 7);
    const struct page *p = calls_ok(t, "GET", "/v1/exceptions", NULL, "vulnerability=cve-2026-0003", NULL);
    assert_int_equal(p->n_items, 1);
    p = calls_ok(t, "GET", "/v1/exceptions", NULL, "owner=nobody", NULL);
    assert_int_equal(p->n_items, 0);
    p = calls_ok(t, "GET", "/v1/exceptions", NULL, "expiring_within=29d", NULL);
    assert_int_equal(p->n_items, 0);
    p = calls_ok(t, "GET", "/v1/exceptions", NULL, "expiring_within=31d&state=active", NULL);
    assert_int_equal(p->n_items, 7);
    calls_refused(t, ERR_INVALID, "GET", "/v1/exceptions", NULL, "cursor=abc*", NULL);
    calls_refused(t, ERR_INVALID, "GET", "/v1/exceptions", NULL, "expiring_within=soon", NULL);
}

/* ---- VEX -------------------------------------------------------------------------------- */

static const char *vex_text(struct calls *t, const char *status, const char *product)
{
    return arena_printf(&t->arena,
        "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"@id\":\"https://acme.example/vex/1\",\"author\":\"Acme PSIRT\","
        "\"timestamp\":\"2026-11-25T00:00:00Z\",\"version\":1,\"statements\":[{\"vulnerability\":{\"name\":\"CVE-2026-0001\"},"
        "\"products\":[%s],\"status\":\"%s\",\"justification\":\"vulnerable_code_not_in_execute_path\","
        "\"action_statement\":\"wait\"}]}", product, status);
}

static void vex_becomes_exceptions_and_is_taken_back(void **state)
{
    static const char product[] = "{\"@id\":\"pkg:oci/shop@" D1 "?repository_url=docker.io%2Facme%2Fshop\","
                                  "\"subcomponents\":[{\"@id\":\"pkg:deb/debian/openssl@3.0.11?arch=amd64\"}]}";
    struct calls *t = *state;

    make_images(t);
    const struct vex_taken *v = calls_ok(t, "POST", "/v1/vex", NULL, NULL, vex_text(t, "not_affected", product));
    assert_int_equal(v->statements, 1);
    assert_int_equal(v->n_exceptions, 1);
    assert_int_equal(v->matched, 1);
    assert_int_equal(v->n_unmatched, 0);
    assert_int_equal(images_due(t), 1);
    const struct exception *e = calls_ok(t, "GET", "/v1/exceptions/{id}", v->exceptions[0], NULL, NULL);
    assert_string_equal(e->source, "openvex");
    assert_string_equal(e->vex_status, "not_affected");
    assert_string_equal(e->digest, D1);
    assert_string_equal(e->package, "pkg:deb/debian/openssl@3.0.11");
    assert_string_equal(e->owner, "Acme PSIRT");
    assert_int_equal(e->expires_ms, t->now_ms + 90 * MS_DAY);
    struct image_finding f = { .vulnerability = "CVE-2026-0001", .package = "openssl", .version = "3.0.11" };
    struct image_facts facts = { .image = { .digest = D1, .repository = "docker.io/acme/shop" }, .findings = &f, .n_findings = 1 };
    assert_true(exception_covers(e, &facts, &f, t->now_ms));
    /* The same again replaces; "affected" takes back. */
    const struct vex_taken *w = calls_ok(t, "POST", "/v1/vex", NULL, "owner=sam&expires_in=7d", vex_text(t, "not_affected", product));
    assert_int_equal(w->n_exceptions, 1);
    const struct page *p = calls_ok(t, "GET", "/v1/exceptions", NULL, "state=active", NULL);
    assert_int_equal(p->n_items, 1);
    assert_string_equal(((const struct exception *)p->items)->owner, "sam");
    w = calls_ok(t, "POST", "/v1/vex", NULL, NULL, vex_text(t, "affected", product));
    assert_int_equal(w->n_exceptions, 0);
    p = calls_ok(t, "GET", "/v1/exceptions", NULL, "state=active", NULL);
    assert_int_equal(p->n_items, 0);
    assert_int_equal(images_due(t), 1);
}

static void vex_products_become_no_wider_scopes(void **state)
{
    static const struct { const char *product, *repository, *digest, *package; bool matched, known; } cases[] = {
        { "{\"@id\":\"pkg:oci/shop?repository_url=docker.io/acme\"}", "docker.io/acme/shop", NULL, NULL, true, true },
        { "{\"@id\":\"pkg:oci/shop?repository_url=docker.io/acme/shop\"}", "docker.io/acme/shop", NULL, NULL, true, true },
        { "{\"@id\":\"pkg:oci/shop?tag=1.0\"}", NULL, NULL, NULL, false, false },
        { "{\"@id\":\"pkg:oci/shop@1.0\"}", NULL, NULL, NULL, false, false },
        { "{\"@id\":\"pkg:oci/nothing\"}", "**/nothing", NULL, NULL, false, true },
        { "{\"@id\":\"docker.io/acme/shop@" D1 "\"}", NULL, D1, NULL, true, true },
        { "{\"@id\":\"pkg:deb/debian/openssl@3.0.11\"}", NULL, NULL, "pkg:deb/debian/openssl@3.0.11", true, true },
        { "{\"@id\":\"pkg:deb/debian/openssl?distro=debian-12\"}", NULL, NULL, NULL, false, false },
        { "{\"@id\":\"https://acme.example/products/1\"}", NULL, NULL, NULL, false, false },
        { "{\"@id\":\"pkg:oci/%2A?repository_url=docker.io/acme\"}", NULL, NULL, NULL, false, false },
    };
    struct calls *t = *state;

    make_images(t);
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        const struct vex_taken *v = calls_ok(t, "POST", "/v1/vex", NULL, NULL, vex_text(t, "fixed", cases[i].product));
        assert_int_equal(v->n_exceptions, cases[i].known);
        assert_int_equal(v->matched, cases[i].matched);
        assert_int_equal(v->n_unmatched, !cases[i].matched);
        if (!cases[i].known)
            continue;
        const struct exception *e = calls_ok(t, "GET", "/v1/exceptions/{id}", v->exceptions[0], NULL, NULL);
        assert_true(str_eq(e->repository, cases[i].repository));
        assert_true(str_eq(e->digest, cases[i].digest));
        assert_true(str_eq(e->package, cases[i].package));
    }
}

static void exceptions_go_out_as_openvex(void **state)
{
    struct calls *t = *state;
    struct vex vex;

    make_images(t);
    except(t, "\"vulnerability\":\"CVE-2026-0001\",\"repository\":\"acme/*\",\"package\":\"openssl\"");
    except(t, "\"rule\":\"baseline/no-critical\"");
    calls_ok(t, "POST", "/v1/vex", NULL, NULL, vex_text(t, "not_affected", "{\"@id\":\"ghcr.io/other/app@" D2 "\"}"));
    calls_ok(t, "GET", "/v1/vex", NULL, NULL, NULL);
    ENGINE_OK(vex_parse(t->answer.ptr, t->answer.len, &t->arena, &vex, &engine_err));
    assert_int_equal(vex.format, VEX_OPENVEX);
    assert_int_equal(vex.n_statements, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct vex_statement *s = &vex.statements[i];
        bool manual = s->status == VEX_AFFECTED;
        assert_int_equal(s->n_products, 1);
        assert_string_equal(s->products[0].digests[0], manual ? D1 : D2);
        assert_int_equal(s->products[0].n_subcomponents, manual ? 1 : 0);
        if (!manual)
            assert_string_equal(s->justification, "vulnerable_code_not_in_execute_path");
    }
    calls_ok(t, "GET", "/v1/vex", NULL, "repository=ghcr.io/**", NULL);
    ENGINE_OK(vex_parse(t->answer.ptr, t->answer.len, &t->arena, &vex, &engine_err));
    assert_int_equal(vex.n_statements, 1);
    calls_ok(t, "GET", "/v1/vex", NULL, "digest=" D1, NULL);
    ENGINE_OK(vex_parse(t->answer.ptr, t->answer.len, &t->arena, &vex, &engine_err));
    assert_int_equal(vex.n_statements, 1);
}

/* ---- policies ------------------------------------------------------------------------------ */

static const char *policy_text(struct calls *t, const char *name, const char *title)
{
    return arena_printf(&t->arena, "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: %s, title: \"%s\"}\n"
                        "spec:\n  stages: [build, deploy]\n  mode: enforce\n  validations:\n"
                        "    - name: one\n      expression: \"true\"\n      message: never\n", name, title);
}

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
        assert_int_equal(r->class == CLASS_WRITE, !str_eq(r->method, "GET"));
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

#define T(f) cmocka_unit_test_setup_teardown(f, calls_open, calls_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(signer_is_its_key), T(signer_has_its_time), T(bad_signers_are_refused),
        T(exceptions_mark_the_images_in_scope), T(signers_and_allowances_mark_their_repositories),
        T(exception_is_over_at_its_very_millisecond), T(exception_needs_all_its_parts),
        T(exceptions_are_listed_by_filter_and_page),
        T(vex_becomes_exceptions_and_is_taken_back), T(vex_products_become_no_wider_scopes), T(exceptions_go_out_as_openvex),
        T(policy_versions_only_grow), T(what_is_no_policy_is_not_stored), T(shipped_policies_respect_what_people_did),
        T(every_write_route_leaves_an_audit_record), T(audit_tells_who_did_what), T(no_secret_lies_in_the_database),
        T(routes_are_whole), T(only_admins_touch_users_tokens_and_signers),
    };

    CALLS_RUN(tests);
}
