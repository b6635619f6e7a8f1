/* people_manage.c - signers, allowances, exceptions and VEX. */
#include "tests/flow/people.h"

#include "core/tally.h"
#include "wire/msg/allowance.h"
#include "wire/vex.h"

/* ---- signers ---------------------------------------------------------------------- */

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
        assert_int_equal(exception_covers(e, &facts, &f, NULL, t->now_ms), !over);
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
    struct image_finding f = { .vulnerability = "CVE-2026-0001", .package = "openssl", .version = "3.0.11",
                               .purl = "pkg:deb/debian/openssl@3.0.11?arch=amd64" };
    struct image_facts facts = { .image = { .digest = D1, .repository = "docker.io/acme/shop" }, .findings = &f, .n_findings = 1 };
    assert_true(exception_covers(e, &facts, &f, NULL, t->now_ms));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(signer_is_its_key), T(signer_has_its_time), T(bad_signers_are_refused),
        T(exceptions_mark_the_images_in_scope), T(signers_and_allowances_mark_their_repositories),
        T(exception_is_over_at_its_very_millisecond), T(exception_needs_all_its_parts),
        T(exceptions_are_listed_by_filter_and_page), T(vex_becomes_exceptions_and_is_taken_back),
        T(vex_products_become_no_wider_scopes), T(exceptions_go_out_as_openvex),
    };

    CALLS_RUN(tests);
}
