/* statement.c - in-toto statements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/time.h"
#include "wire/statement.h"

#include <string.h>

#define HEX "e0f1a497a93630605f20f99b839c253e526b5eeac63ec567913167dbb6861719"
#define HEX512 HEX HEX
#define V1 "\"_type\":\"https://in-toto.io/Statement/v1\""
#define SUBJECT "\"subject\":[{\"name\":\"app\",\"digest\":{\"sha256\":\"" HEX "\"}}]"
#define OTHER_TYPE "\"predicateType\":\"https://example.org/p\""
#define TIMES(start, end) "\"metadata\":{\"scanStartedOn\":\"" start "\",\"scanFinishedOn\":\"" end "\"}"
#define NORMAL TIMES("2026-01-02T03:04:05Z", "2026-01-02T03:05:05Z")
#define VULNS02 "\"predicateType\":\"https://in-toto.io/attestation/vulns/v0.2\""
#define SCANNER02 "\"scanner\":{\"uri\":\"u\",\"db\":{\"lastUpdate\":\"2026-01-01T00:00:00Z\"},\"result\":[]}"

static struct arena arena;

static int parse(const char *text, struct statement *st, struct err *err)
{
    return statement_parse(&arena, STATEMENT_PAYLOAD_TYPE,
                           (struct bytes){ (const unsigned char *)text, strlen(text) }, st, err);
}

static int64_t at(const char *time)
{
    int64_t ms = 0;

    assert_true(time_parse(time, &ms));
    return ms;
}

static void both_versions_are_read(void **state)
{
    static const char *const types[] = { "https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1" };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(types); i++) {
        struct statement st;
        const char *text = arena_printf(&arena, "{\"_type\":\"%s\"," SUBJECT "," VULNS02 ",\"predicate\":{" SCANNER02 "," NORMAL "},\"x\":1}", types[i]);
        assert_int_equal(parse(text, &st, &err), 0);
        assert_int_equal(st.is_v1, i == 1);
        assert_int_equal(st.n_subjects, 1);
        assert_string_equal(st.subjects[0].name, "app");
        assert_string_equal(st.subjects[0].sha256, HEX);
        assert_int_equal(st.kind, PREDICATE_INTOTO_VULNS);
        assert_int_equal(st.started_ms, at("2026-01-02T03:04:05Z"));
        assert_int_equal(st.finished_ms, at("2026-01-02T03:05:05Z"));
        assert_int_equal(st.db_updated_ms, at("2026-01-01T00:00:00Z"));
        assert_true(json_is(json_path(st.predicate, "scanner.result"), JSON_ARRAY));
    }
}

static void malformed_statements_are_refused(void **state)
{
    static const char *const bad[] = {
        "", "[]", "{}", "{" SUBJECT "," OTHER_TYPE "}",
        "{\"_type\":\"https://in-toto.io/Statement/v1/\"," SUBJECT "," OTHER_TYPE "}",
        "{\"_type\":\"https://in-toto.io/Statement/V1\"," SUBJECT "," OTHER_TYPE "}",
        "{\"_type\":\"https://in-toto.io/Statement/v1\\u0000\"," SUBJECT "," OTHER_TYPE "}",
        "{\"_type\":1," SUBJECT "," OTHER_TYPE "}",
        "{" V1 "," OTHER_TYPE "}", "{" V1 ",\"subject\":[]," OTHER_TYPE "}", "{" V1 ",\"subject\":{}," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[1]," OTHER_TYPE "}", "{" V1 ",\"subject\":[{}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"name\":\"a\",\"digest\":{}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"name\":\"a\",\"digest\":\"sha256:" HEX "\"}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"digest\":{\"sha1\":\"5835544ca568b757a8ecae5c153f317e5736700e\"}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"digest\":{\"md5\":\"5835544ca568b757a8ecae5c153f317e\"}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"digest\":{\"sha256\":\"" HEX "0\"}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"digest\":{\"sha256\":\"E0F1A497A93630605F20F99B839C253E526B5EEAC63EC567913167DBB6861719\"}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"digest\":{\"sha256\":\"sha256:" HEX "\"}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"digest\":{\"sha256\":\"\"}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"digest\":{\"sha256\":null}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"digest\":{\"sha512\":\"" HEX "\"}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"digest\":{\"sha512\":\"" HEX512 "\",\"sha256\":\"x\"}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"digest\":{\"sha256\":\"" HEX "\",\"sha256\":\"" HEX "\"}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"digest\":{\"sha256\":\"" HEX "\",\"x\":1}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"digest\":{\"SHA256\":\"" HEX "\"}}]," OTHER_TYPE "}",
        "{" V1 ",\"subject\":[{\"name\":7,\"digest\":{\"sha256\":\"" HEX "\"}}]," OTHER_TYPE "}",
        "{" V1 "," SUBJECT "}", "{" V1 "," SUBJECT ",\"predicateType\":\"\"}", "{" V1 "," SUBJECT ",\"predicateType\":[]}",
        "{" V1 "," SUBJECT "," OTHER_TYPE ",\"predicate\":[]}", "{" V1 "," SUBJECT "," OTHER_TYPE ",\"predicate\":1}",
        "{" V1 "," SUBJECT "," OTHER_TYPE "} {}",
    };
    struct statement st = { .n_subjects = 77 };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        if (parse(bad[i], &st, &err) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.kind, ERR_INVALID);
        assert_int_equal(st.n_subjects, 77);
    }
}

static void predicates_may_be_objects_strings_or_absent(void **state)
{
    static const struct { const char *predicate; bool is_there; } good[] = {
        { ",\"predicate\":{}", true }, { ",\"predicate\":\"text\"", true }, { ",\"predicate\":null", false }, { "", false },
        { ",\"predicate\":{\"n\":123456789012345678901234567890,\"s\":\"a\\u0000b\"}", true },
    };
    struct statement st;
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(good); i++) {
        if (parse(arena_printf(&arena, "{" V1 "," SUBJECT "," OTHER_TYPE "%s}", good[i].predicate), &st, &err) != 0)
            fail_msg("%s", err.msg);
        assert_int_equal(st.predicate != NULL, good[i].is_there);
        assert_int_equal(st.kind, PREDICATE_OTHER);
        assert_int_equal(st.finished_ms, TIME_UNKNOWN);
    }
}

static void a_scan_without_its_times_is_refused(void **state)
{
    static const char *const bad[] = {
        VULNS02 ",\"predicate\":{" SCANNER02 "}",
        VULNS02 ",\"predicate\":{" SCANNER02 ",\"metadata\":{\"scanStartedOn\":\"2026-01-02T03:04:05Z\"}}",
        VULNS02 ",\"predicate\":{" SCANNER02 "," TIMES("2026-01-02", "2026-01-02T03:05:05Z") "}",
        VULNS02 ",\"predicate\":{" SCANNER02 "," TIMES("2026-01-02T03:04:05Z", "yesterday") "}",
        VULNS02 ",\"predicate\":{\"scanner\":{\"result\":[]}," NORMAL "}",
        VULNS02 ",\"predicate\":{\"scanner\":{\"db\":{\"lastUpdate\":\"2026-01-01T00:00:00Z\"}}," NORMAL "}",
        VULNS02 ",\"predicate\":{\"scanner\":{\"db\":{\"lastUpdate\":\"2026-01-01T00:00:00Z\"},\"result\":null}," NORMAL "}",
        VULNS02 ",\"predicate\":\"text\"", VULNS02,
        "\"predicateType\":\"" COSIGN_VULN_TYPE "\",\"predicate\":{\"scanner\":{}}",
    };
    static const char *const good[] = {
        "\"predicateType\":\"https://in-toto.io/attestation/vulns/v0.1\",\"predicate\":{\"scanner\":{}," NORMAL "}",
        "\"predicateType\":\"" COSIGN_VULN_TYPE "\",\"predicate\":{\"scanner\":{\"result\":null}," NORMAL "}",
        "\"predicateType\":\"cosign.sigstore.dev/attestation/vuln/v1\",\"predicate\":{" NORMAL "}",
    };
    struct statement st;
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        if (parse(arena_printf(&arena, "{" V1 "," SUBJECT ",%s}", bad[i]), &st, &err) == 0)
            fail_msg("taken: %s", bad[i]);
    }
    for (size_t i = 0; i < N_ITEMS(good); i++) {
        if (parse(arena_printf(&arena, "{" V1 "," SUBJECT ",%s}", good[i]), &st, &err) != 0)
            fail_msg("%s: %s", good[i], err.msg);
        assert_int_equal(st.db_updated_ms, TIME_UNKNOWN);
    }
}

static void gos_zero_time_is_no_time(void **state)
{
    struct statement st;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(parse("{" V1 "," SUBJECT ",\"predicateType\":\"" COSIGN_VULN_TYPE "\",\"predicate\":{"
                           TIMES("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z") "}}", &st, &err), 0);
    assert_int_equal(st.finished_ms, TIME_UNKNOWN);
    assert_int_equal(statement_check_times(&st, at("2026-01-03T00:00:00Z"), &err), 0);
}

static void times_must_be_in_order_and_not_in_the_future(void **state)
{
    const int64_t now = at("2026-01-03T00:00:00Z");
    const struct { int64_t started, finished, db; bool good; } cases[] = {
        { now - 2, now - 1, now - 3, true },
        { now, now, now, true },
        { now + 5 * MS_MINUTE, now + 5 * MS_MINUTE, TIME_UNKNOWN, true },
        { now, now + 5 * MS_MINUTE + 1, TIME_UNKNOWN, false },
        { now + 6 * MS_MINUTE, now, TIME_UNKNOWN, false },
        { now, now - 1, TIME_UNKNOWN, false },
        { TIME_UNKNOWN, now, TIME_UNKNOWN, true },
        { now, TIME_UNKNOWN, TIME_UNKNOWN, true },
        { TIME_UNKNOWN, TIME_UNKNOWN, TIME_UNKNOWN, true },
        { now - 2, now - 1, now + MS_HOUR, false },
    };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        struct statement st = { .started_ms = cases[i].started, .finished_ms = cases[i].finished, .db_updated_ms = cases[i].db };
        if ((statement_check_times(&st, now, &err) == 0) != cases[i].good)
            fail_msg("case %zu", i);
    }
}

static void only_digests_match(void **state)
{
    struct statement st;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(parse("{" V1 ",\"subject\":[{\"digest\":{\"sha512\":\"" HEX512 "\",\"gitCommit\":\"x\"}},"
                           "{\"name\":\"b\",\"digest\":{\"sha256\":\"" HEX "\"}}]," OTHER_TYPE "}", &st, &err), 0);
    assert_true(statement_matches(&st, "sha256:" HEX));
    assert_true(statement_matches(&st, "sha512:" HEX512));
    assert_false(statement_matches(&st, "sha512:" HEX));
    assert_false(statement_matches(&st, "sha256:" HEX512));
    assert_false(statement_matches(&st, HEX));
    assert_false(statement_matches(&st, "gitCommit:x"));
    assert_false(statement_matches(&st, "b"));
    assert_false(statement_matches(&st, ""));
    assert_false(statement_matches(&st, "sha256:"));
}

static void subjects_are_bounded(void **state)
{
    struct statement st;
    struct buf text;
    struct err err = { 0 };

    (void)state;
    buf_init(&text, 1 << 20);
    for (int n = SUBJECTS_MAX; n <= SUBJECTS_MAX + 1; n++) {
        buf_clear(&text);
        buf_puts(&text, "{" V1 ",\"subject\":[");
        for (int i = 0; i < n; i++)
            buf_printf(&text, "%s{\"digest\":{\"sha256\":\"" HEX "\"}}", i > 0 ? "," : "");
        buf_puts(&text, "]," OTHER_TYPE "}");
        assert_int_equal(parse(text.ptr, &st, &err), n > SUBJECTS_MAX ? -1 : 0);
    }
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    buf_free(&text);
}

static void payload_types_are_compared_exactly(void **state)
{
    static const struct { const char *type; bool ours; } cases[] = {
        { "application/vnd.in-toto+json", true }, { "application/vnd.in-toto.vulns+json", true },
        { "application/vnd.in-toto.slsa.v1+json", true }, { "application/vnd.in-toto.+json", false },
        { "application/vnd.in-toto", false }, { "application/vnd.in-totox+json", false },
        { "application/vnd.in-toto.a b+json", false }, { "application/vnd.in-toto.a+b+json", false },
        { "Application/vnd.in-toto+json", false }, { "application/json", false }, { "", false },
        { "application/vnd.in-toto+json;charset=utf-8", false }, { "application/vnd.in-toto.a/../b+json", false },
    };
    struct statement st;
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        if (statement_type_is_ours(cases[i].type) != cases[i].ours)
            fail_msg("%s", cases[i].type);
    }
    assert_int_equal(statement_parse(&arena, "application/json", (struct bytes){ (const unsigned char *)"{}", 2 }, &st, &err), -1);
    assert_int_equal(err.kind, ERR_UNPROCESSABLE);
}

static void predicate_types_are_compared_exactly(void **state)
{
    static const struct { const char *uri; enum predicate kind; } cases[] = {
        { COSIGN_VULN_TYPE, PREDICATE_COSIGN_VULN }, { "https://cyclonedx.org/bom", PREDICATE_CYCLONEDX },
        { "https://cyclonedx.org/bom/", PREDICATE_OTHER }, { "https://spdx.dev/Document", PREDICATE_SPDX },
        { "https://spdx.dev/document", PREDICATE_OTHER }, { "https://syft.dev/bom", PREDICATE_SYFT },
        { "https://openvex.dev/ns/v0.2.0", PREDICATE_OPENVEX }, { "https://slsa.dev/provenance/v1", PREDICATE_SLSA_PROVENANCE },
        { "https://slsa.dev/verification_summary/v1", PREDICATE_SLSA_VSA },
        { "https://cosign.sigstore.dev/attestation/v1", PREDICATE_COSIGN_CUSTOM }, { "", PREDICATE_OTHER },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++)
        assert_int_equal(predicate_from_type(cases[i].uri), cases[i].kind);
    for (int k = 0; k < PREDICATE_N; k++)
        assert_non_null(predicate_word((enum predicate)k));
}

static void a_built_statement_reads_back(void **state)
{
    static const char report[] = "\xef\xbb\xbf{\"SchemaVersion\":2,\"Results\":[],\"note\":\"</script>\\u0000\"}";
    struct scan_spec scan = { .scanner_uri = "pkg:generic/trivy@1", .scanner_version = "1 \"quoted\"",
                              .db_updated_ms = at("2026-01-01T00:00:00Z"), .started_ms = at("2026-01-02T00:00:00Z"),
                              .finished_ms = at("2026-01-02T00:00:09.5Z"),
                              .report = { (const unsigned char *)report, sizeof report - 1 } };
    struct statement st;
    struct buf predicate, text;
    struct err err = { 0 };

    (void)state;
    buf_init(&predicate, 1 << 20);
    buf_init(&text, 1 << 20);
    assert_int_equal(statement_scan_predicate(&arena, &scan, &predicate, &err), 0);
    struct statement_spec spec = { "reg.io/a\"b\n", "sha256:" HEX, COSIGN_VULN_TYPE,
                                   { (const unsigned char *)predicate.ptr, predicate.len } };
    assert_int_equal(statement_build(&arena, &spec, &text, &err), 0);
    assert_int_equal(parse(text.ptr, &st, &err), 0);
    assert_string_equal(st.subjects[0].name, "reg.io/a\"b\n");
    assert_true(statement_matches(&st, "sha256:" HEX));
    assert_int_equal(st.finished_ms, scan.finished_ms);
    assert_int_equal(st.db_updated_ms, scan.db_updated_ms);
    assert_int_equal(json_int(json_path(st.predicate, "scanner.result.SchemaVersion"), 0), 2);
    assert_string_equal(json_str(json_path(st.predicate, "scanner.version"), ""), "1 \"quoted\"");
    buf_free(&predicate);
    buf_free(&text);
}

static void what_does_not_fit_is_not_built(void **state)
{
    static const struct statement_spec bad[] = {
        { NULL, "sha256:" HEX "0", "t", { (const unsigned char *)"{}", 2 } },
        { NULL, "sha512:" HEX, "t", { (const unsigned char *)"{}", 2 } },
        { NULL, "sha256:" HEX, "", { (const unsigned char *)"{}", 2 } },
        { NULL, "sha256:" HEX, "t", { (const unsigned char *)"", 0 } },
        { NULL, "sha256:" HEX, "t", { (const unsigned char *)"[]", 2 } },
        { NULL, "sha256:" HEX, "t", { (const unsigned char *)"{},\"x\":{}", 9 } },       /* would end the object */
        { NULL, "sha256:" HEX, COSIGN_VULN_TYPE, { (const unsigned char *)"{}", 2 } },   /* no times */
    };
    struct buf text;
    struct err err = { 0 };

    (void)state;
    buf_init(&text, 1 << 20);
    buf_puts(&text, "kept");
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        if (statement_build(&arena, &bad[i], &text, &err) == 0)
            fail_msg("case %zu was built", i);
        assert_string_equal(text.ptr, "kept");
        assert_int_equal(text.len, 4);
    }
    struct scan_spec scan = { .started_ms = 0, .finished_ms = TIME_UNKNOWN, .report = { (const unsigned char *)"{}", 2 } };
    assert_int_equal(statement_scan_predicate(&arena, &scan, &text, &err), -1);
    scan.finished_ms = 1;
    scan.report = (struct bytes){ (const unsigned char *)"{},\"x\":1", 8 };
    assert_int_equal(statement_scan_predicate(&arena, &scan, &text, &err), -1);
    buf_free(&text);
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_are_read),
        cmocka_unit_test(malformed_statements_are_refused),
        cmocka_unit_test(predicates_may_be_objects_strings_or_absent),
        cmocka_unit_test(a_scan_without_its_times_is_refused),
        cmocka_unit_test(gos_zero_time_is_no_time),
        cmocka_unit_test(times_must_be_in_order_and_not_in_the_future),
        cmocka_unit_test(only_digests_match),
        cmocka_unit_test(subjects_are_bounded),
        cmocka_unit_test(payload_types_are_compared_exactly),
        cmocka_unit_test(predicate_types_are_compared_exactly),
        cmocka_unit_test(a_built_statement_reads_back),
        cmocka_unit_test(what_does_not_fit_is_not_built),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
