/* ctl_make.c - what keepctl makes before it sends: statements, documents, differences,
 * curl lines, addresses, and its own table. */
#include "base/time.h"
#include "client/http.h"
#include "client/url.h"
#include "ctl/attest.h"
#include "ctl/compare.h"
#include "ctl/documents.h"
#include "ctl/program.h"
#include "wire/bundle.h"
#include "wire/detached.h"
#include "wire/statement.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const char trivy[] =
    "{\"SchemaVersion\":2,\"ArtifactName\":\"r.example/a:1\",\"ArtifactType\":\"container_image\","
    "\"Metadata\":{\"RepoDigests\":[\"r.example/a@" DIGEST_A "\"]},\"Results\":[{\"Target\":\"x\",\"Class\":\"os-pkgs\",\"Type\":\"debian\"}]}";
static const char cyclonedx[] =
    "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"components\":[]}";
static const char spdx_text[] =
    "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: a\n"
    "DocumentNamespace: https://example.org/a\nCreator: Tool: x\nCreated: 2025-11-24T12:00:00Z\n";

struct fixture {
    struct arena arena;
    struct buf b;
    struct err err;
    struct privkey *key;
};

static int open(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    arena_init(&f.arena, 64 << 20);
    buf_init(&f.b, 1 << 20);
    assert_int_equal(crypto_init(&f.err), 0);
    assert_int_equal(privkey_generate(KEY_ED25519, &f.key, &f.err), 0);
    *state = &f;
    return 0;
}

static int done(void **state)
{
    struct fixture *f = *state;

    privkey_free(f->key);
    buf_free(&f->b);
    arena_clear(&f->arena);
    return 0;
}

static struct attest_spec spec_of(const char *text)
{
    return (struct attest_spec){ .report = { (const unsigned char *)text, strlen(text) }, .db_built_ms = TIME_UNKNOWN,
                                 .scanned_ms = INT64_C(1764000000000) };
}

/* ---- attest ------------------------------------------------------------------------- */

/* The envelope verifies, and this is its statement. */
static struct statement open_signed(struct fixture *f, const struct attested *a)
{
    const struct pubkey *keys[] = { privkey_public(f->key) };
    struct statement st;
    struct bundle bundle;
    struct signers who;

    assert_int_equal(bundle_parse(&f->arena, a->body.ptr, a->body.len, &bundle, &f->err), 0);
    assert_int_equal(bundle_verify_envelope(&bundle, keys, 1, &who, &f->err), 0);
    assert_int_equal(statement_parse(&f->arena, bundle.envelope.payload_type, bundle.envelope.payload, &st, &f->err), 0);
    return st;
}

static void a_scan_is_signed_as_a_statement_about_the_digest(void **state)
{
    struct fixture *f = *state;
    struct attest_spec spec = spec_of(trivy);
    struct attested a;

    spec.key = f->key;
    spec.image = "r.example/a:1";
    spec.db_built_ms = INT64_C(1763990000000);
    assert_int_equal(attest(&f->arena, &spec, &a, &f->err), 0);
    assert_true(a.is_signed);
    assert_string_equal(a.image, "r.example/a:1");
    struct statement st = open_signed(f, &a);
    assert_true(st.is_v1);
    assert_int_equal(st.kind, PREDICATE_COSIGN_VULN);
    assert_true(statement_matches(&st, DIGEST_A));
    assert_int_equal(st.db_updated_ms, INT64_C(1763990000000));
    assert_int_equal(st.finished_ms, INT64_C(1764000000000));
    assert_string_equal(st.subjects[0].name, "r.example/a");
}

static void an_sbom_keeps_its_own_predicate(void **state)
{
    struct fixture *f = *state;
    struct attest_spec spec = spec_of(cyclonedx);
    struct attested a;

    spec.key = f->key;
    spec.image = "r.example/a@" DIGEST_B;
    assert_int_equal(attest(&f->arena, &spec, &a, &f->err), 0);
    struct statement st = open_signed(f, &a);
    assert_string_equal(st.predicate_type, "https://cyclonedx.org/bom");
    assert_true(statement_matches(&st, DIGEST_B));
}

static void text_that_is_no_json_is_signed_beside_its_bytes(void **state)
{
    struct fixture *f = *state;
    struct attest_spec spec = spec_of(spdx_text);
    const struct pubkey *keys[] = { privkey_public(f->key) };
    struct attested a;
    struct signers who;

    spec.key = f->key;
    spec.digest = DIGEST_B;
    assert_int_equal(attest(&f->arena, &spec, &a, &f->err), 0);
    assert_non_null(a.signature);
    assert_int_equal(a.body.len, strlen(spdx_text));
    assert_int_equal(detached_verify(&f->arena, a.signature, a.subject, a.body, keys, 1, &who, &f->err), 0);
}

static void without_a_key_the_report_goes_as_it_is(void **state)
{
    struct fixture *f = *state;
    struct attest_spec spec = spec_of(trivy);
    struct attested a;

    assert_int_equal(attest(&f->arena, &spec, &a, &f->err), 0);
    assert_false(a.is_signed);
    assert_ptr_equal(a.body.ptr, trivy);
    assert_string_equal(a.subject, DIGEST_A);
}

static void what_is_signed_already_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct attest_spec spec = spec_of(trivy);
    struct attested first, second;

    spec.key = f->key;
    assert_int_equal(attest(&f->arena, &spec, &first, &f->err), 0);
    spec.report = first.body;
    assert_int_equal(attest(&f->arena, &spec, &second, &f->err), 0);
    assert_ptr_equal(second.body.ptr, first.body.ptr);
    assert_string_equal(second.how, "already signed");
}

static void an_image_nobody_names_is_asked_for(void **state)
{
    struct fixture *f = *state;
    struct attest_spec spec = spec_of(cyclonedx);
    struct attested a;

    assert_int_equal(attest(&f->arena, &spec, &a, &f->err), -1);
    assert_non_null(strstr(f->err.msg, "--image"));
    spec.image = "r.example/a@" DIGEST_A;
    spec.digest = DIGEST_B;
    assert_int_equal(attest(&f->arena, &spec, &a, &f->err), -1);
    spec.digest = "sha256:short";
    assert_int_equal(attest(&f->arena, &spec, &a, &f->err), -1);
    spec = spec_of("{\"a\":1}");
    assert_int_equal(attest(&f->arena, &spec, &a, &f->err), -1);
}

static void trivys_own_version_says_how_old_the_database_is(void **state)
{
    struct fixture *f = *state;
    static const char good[] = "{\"Version\":\"0.57\",\"VulnerabilityDB\":{\"UpdatedAt\":\"2025-11-24T16:00:00Z\"}}", bad[] = "{\"Version\":\"1\"}";
    int64_t at = 0;

    assert_int_equal(trivy_version_db(&f->arena, (struct bytes){ (const unsigned char *)good, strlen(good) }, &at, &f->err), 0);
    assert_int_equal(at, INT64_C(1764000000000));
    assert_int_equal(trivy_version_db(&f->arena, (struct bytes){ (const unsigned char *)bad, strlen(bad) }, &at, &f->err), -1);
}

/* ---- documents ------------------------------------------------------------------------ */

static void a_file_is_cut_at_its_markers(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "# nothing here\n---\na: 1\n---\n---   # empty\n\n--- {b: 2}\nc: |\n  ---\n  x\n----\n";
    struct documents docs = { 0 };

    assert_int_equal(documents_split(&f->arena, "f", (struct bytes){ (const unsigned char *)text, strlen(text) }, &docs, &f->err), 0);
    assert_int_equal(docs.n, 2);
    assert_int_equal(docs.items[0].line, 2);
    assert_int_equal(docs.items[0].text.len, strlen("\na: 1\n"));
    assert_int_equal(docs.items[1].line, 7);
    assert_memory_equal(docs.items[1].text.ptr, " {b: 2}\nc: |", 12);
    assert_int_equal(docs.items[1].text.ptr[docs.items[1].text.len], '\0');
}

static struct json value(struct fixture *f, const char *text)
{
    struct json v;

    assert_int_equal(json_parse(&f->arena, text, strlen(text), NULL, &v, &f->err), 0);
    return v;
}

static void differences_are_named_by_their_place(void **state)
{
    struct fixture *f = *state;
    struct json a = value(f, "{\"x\":1,\"y\":{\"z\":[1,2]},\"gone\":true}"), b = value(f, "{\"y\":{\"z\":[1,3,4]},\"x\":1}");

    assert_int_equal(compare_values(&a, &b, "$", &f->b), 3);
    assert_string_equal(f->b.ptr, "    $.y.z[1]: 2 -> 3\n    $.y.z[2]: (none) -> 4\n    $.gone: true -> (none)\n");
    assert_int_equal(compare_values(&a, &a, "$", &f->b), 0);
}

static void forms_that_mean_the_same_are_the_same(void **state)
{
    struct fixture *f = *state;
    struct json t1 = value(f, "\"2025-11-24T16:00:00Z\""), t2 = value(f, "\"2025-11-24T17:00:00.000+01:00\"");
    struct json p1 = value(f, "\"key\\n\""), p2 = value(f, "\"key\""), none = value(f, "[]"), one = value(f, "[\"x\"]");

    assert_true(compare_same(&t1, &t2));
    assert_true(compare_same(&p1, &p2));
    assert_true(compare_same(&none, NULL));
    assert_false(compare_same(&one, NULL));
    assert_false(compare_same(&p1, &t1));
    assert_true(compare_pattern(&f->arena, "nginx", "docker.io/library/nginx"));
    assert_false(compare_pattern(&f->arena, "nginx", "ghcr.io/nginx"));
}

/* ---- the client's pure parts ------------------------------------------------------------ */

static void targets_are_encoded(void **state)
{
    struct fixture *f = *state;
    const char *values[] = { "a/b c", DIGEST_A };

    url_path(&f->b, "/v1/x/{}/y/{}", values, 2);
    url_query(&f->b, "q", "1&2=\xc3\xa9");
    url_query(&f->b, "none", NULL);
    url_query(&f->b, "r", "a/b:c");
    assert_string_equal(f->b.ptr, "/v1/x/a%2Fb%20c/y/" DIGEST_A "?q=1%262%3D%C3%A9&r=a/b:c");
}

static void a_base_is_an_address_and_nothing_more(void **state)
{
    static const char *const bad[] = { "ftp://x", "keep.example", "https://", "https:///x", "https://u@x", "http://x?y", "http://x/#", "http://x/../y", "http://x y", "" };
    struct fixture *f = *state;
    char *base = NULL;

    assert_int_equal(url_base("https://keep.example:8443/sub//", &base, &f->err), 0);
    assert_string_equal(base, "https://keep.example:8443/sub");
    free(base);
    for (size_t i = 0; i < N_ITEMS(bad); i++)
        assert_int_equal(url_base(bad[i], &base, &f->err), -1);
}

static void a_curl_line_quotes_everything_and_shows_no_token(void **state)
{
    struct fixture *f = *state;
    const struct client_config config = { .base_url = "https://keep.example", .token = "keep_ci_secret", .ca_file = "a b.pem" };
    static const char body[] = "{\"a\":\"it's\"}";
    struct client_request r = { .method = "POST", .target = "/v1/x?a=b", .body = { (const unsigned char *)body, strlen(body) },
                                .content_type = "application/json", .headers = { { "Keep-Subject", "$(rm)" } }, .n_headers = 1 };

    client_curl(&config, &r, NULL, &f->b);
    assert_null(strstr(f->b.ptr, "keep_ci_secret"));
    assert_non_null(strstr(f->b.ptr, "\"Authorization: Bearer $KEEP_TOKEN\""));
    assert_non_null(strstr(f->b.ptr, "'{\"a\":\"it'\\''s\"}'"));
    assert_non_null(strstr(f->b.ptr, "'Keep-Subject: $(rm)'"));
    assert_non_null(strstr(f->b.ptr, "--cacert 'a b.pem'"));
    assert_non_null(strstr(f->b.ptr, "'https://keep.example/v1/x?a=b'"));
    buf_clear(&f->b);
    client_curl(&config, &r, "scan.json", &f->b);
    assert_non_null(strstr(f->b.ptr, "--data-binary '@scan.json'"));
}

static void pauses_grow_and_obey_the_server(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 40; n++) {
        int64_t low = client_pause_ms(n, 0, 0), high = client_pause_ms(n, 0, UINT32_MAX);
        assert_true(low >= 500 && high <= 20000 && low <= high);
        assert_true(client_pause_ms(n + 1, 0, 0) >= low);
    }
    assert_int_equal(client_pause_ms(1, 30000, 0), 30000);
    assert_int_equal(client_pause_ms(1, INT64_C(86400000), 0), 120000);
}

static void a_problem_becomes_an_error_with_all_its_parts(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "{\"type\":\"/problems/invalid\",\"title\":\"Invalid request\",\"status\":400,\"detail\":\"$.a: is required\","
                               "\"request_id\":\"r1\",\"errors\":[{\"path\":\"$.a\",\"detail\":\"is required\"},{\"path\":\"$.b\",\"detail\":\"unknown key\"}]}";
    static const struct { unsigned status; int code; } rows[] = { { 401, 4 }, { 403, 4 }, { 404, 1 }, { 429, 3 }, { 500, 3 }, { 502, 3 }, { 503, 3 }, { 507, 3 }, { 301, 1 }, { 418, 1 } };
    struct client_answer a = { 0 };

    assert_int_equal(client_problem_read(400, (struct bytes){ (const unsigned char *)text, strlen(text) }, &f->arena, &a, &f->err), -1);
    assert_int_equal(f->err.kind, ERR_INVALID);
    assert_string_equal(f->err.msg, "$.a: is required");
    assert_int_equal(a.n_problems, 2);
    assert_string_equal(a.problems[1].path, "$.b");
    assert_string_equal(a.request_id, "r1");
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct client_answer other = { 0 };
        client_problem_read(rows[i].status, (struct bytes){ (const unsigned char *)"<html>", 6 }, &f->arena, &other, &f->err);
        assert_int_equal(exit_of_error(&f->err), rows[i].code);
    }
}

/* ---- the table --------------------------------------------------------------------------- */

static void the_table_of_commands_is_sound(void **state)
{
    static struct ctl_program p;

    (void)state;
    program_init(&p);
    assert_null(command_check(&p.program));
    assert_true(p.program.n_commands < PROGRAM_COMMANDS_MAX);
    for (size_t i = 0; i < p.program.n_commands; i++) {
        const struct ctl_command *c = program_find(p.rows[i].name);
        assert_non_null(c);
        assert_non_null(c->body);
        assert_string_equal(c->row.name, p.rows[i].name);
        for (size_t k = 0; k < p.rows[i].n_options; k++)
            assert_true(str_ends(p.rows[i].options[k].doc, ".") || str_ends(p.rows[i].options[k].doc, ")"));
        assert_true(str_ends(p.rows[i].summary, "."));
    }
}

static void unsafe_text_is_made_safe(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(safe_text(&f->arena, "a\033[2Jb\xc2\x9b" "c\xe2\x80\xae" "d\ne\xff\xc3\xa9"), "a?[2Jb?c?d e?\xc3\xa9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, open, done)
        T(a_scan_is_signed_as_a_statement_about_the_digest),
        T(an_sbom_keeps_its_own_predicate),
        T(text_that_is_no_json_is_signed_beside_its_bytes),
        T(without_a_key_the_report_goes_as_it_is),
        T(what_is_signed_already_is_left_alone),
        T(an_image_nobody_names_is_asked_for),
        T(trivys_own_version_says_how_old_the_database_is),
        T(a_file_is_cut_at_its_markers),
        T(differences_are_named_by_their_place),
        T(forms_that_mean_the_same_are_the_same),
        T(targets_are_encoded),
        T(a_base_is_an_address_and_nothing_more),
        T(a_curl_line_quotes_everything_and_shows_no_token),
        T(pauses_grow_and_obey_the_server),
        T(a_problem_becomes_an_error_with_all_its_parts),
        T(the_table_of_commands_is_sound),
        T(unsafe_text_is_made_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
