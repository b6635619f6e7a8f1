/* report_hostile.c - wrong types, bounds, and text that is no report. */
#include "tests/support/reports.h"

static void a_wrong_type_is_named_with_its_path(void **state)
{
    struct fixture *f = *state;

    refused(f, "{'SchemaVersion':2,'Results':[{'Target':'a'},{'Target':'b','Vulnerabilities':[{'VulnerabilityID':'x'},{'VulnerabilityID':['y']}]}]}",
            ERR_INVALID, "$.Results[1].Vulnerabilities[1].VulnerabilityID: expected text, found a list");
    refused(f, "{'SchemaVersion':2,'Results':{}}", ERR_INVALID, "$.Results: expected a list, found an object");
    refused(f, "{'bomFormat':'CycloneDX','components':[1]}", ERR_INVALID, "$.components[0]: expected an object");
    refused(f, "{'matches':[{'artifact':'x'}],'source':{}}", ERR_INVALID, "$.matches[0].artifact: expected an object, found text");
}

static void a_strangers_key_is_not_repeated(void **state)
{
    struct fixture *f = *state;

    refused(f, "{'manifest_hash':'" D1 "','packages':{'<b>':{'name':{}}}}", ERR_INVALID,
            "$.packages.(member 1).name: expected text, found an object");
}

static void a_number_where_text_belongs_is_its_text(void **state)
{
    struct scan *s = load(*state, "{'bomFormat':'CycloneDX','components':[{'name':'a','version':5}]}");

    assert_string_equal(s->packages[0].version, "5");
}

static void odd_shapes_in_unimportant_places_are_counted(void **state)
{
    struct scan *s = load(*state, "{'SchemaVersion':2,'ArtifactName':'a','CreatedAt':'yesterday','Results':[{'Target':'t','Vulnerabilities':[{'VulnerabilityID':'C','Title':['x'],'CVSS':[],'VendorIDs':{}}]}]}");

    assert_int_equal(s->n_findings, 1);
    assert_null(s->findings[0].title);
    assert_true(s->scanned_ms == TIME_UNKNOWN);
    assert_int_equal(s->n_unmapped, 2);
}

static void text_that_is_no_report_lists_what_is_known(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = { "{}", "[]", "1", "null", "'x'", "{'a':1}", "[[]]", "[{}]" };

    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        char *copy = quoted(f, texts[i]);
        assert_int_equal(report_parse(copy, strlen(copy), &f->arena, &f->scan, &f->err), -1);
        assert_int_equal(f->err.kind, ERR_UNPROCESSABLE);
        assert_non_null(strstr(f->err.msg, "trivy, "));
    }
    assert_int_equal(report_parse("", 0, &f->arena, &f->scan, &f->err), -1);
    assert_int_equal(f->err.kind, ERR_INVALID);
}

static void a_vex_document_is_not_a_scan(void **state)
{
    refused(*state, "{'@context':'https://openvex.dev/ns/v0.2.0','statements':[]}", ERR_UNPROCESSABLE,
            "a VEX document (openvex) is not a scan");
}

static void a_mark_in_front_and_a_nul_inside_are_tolerated(void **state)
{
    struct scan *s = load(*state, "\xEF\xBB\xBF{'bomFormat':'CycloneDX','components':[{'name':'a\\u0000b'}]}");

    assert_string_equal(s->packages[0].name, "a\xEF\xBF\xBD" "b");
}

static void long_text_is_refused(void **state)
{
    struct fixture *f = *state;
    struct buf text;

    buf_init(&text, 4 << 20);
    buf_puts(&text, "{\"bomFormat\":\"CycloneDX\",\"components\":[{\"name\":\"");
    for (size_t i = 0; i <= 1024 * 1024; i++)
        buf_putc(&text, 'x');
    buf_puts(&text, "\"}]}");
    assert_int_equal(report_parse(text.ptr, text.len, &f->arena, &f->scan, &f->err), -1);
    assert_int_equal(f->err.kind, ERR_TOO_LARGE);
    buf_free(&text);
}

static void too_many_packages_are_refused(void **state)
{
    struct fixture *f = *state;
    struct buf text;

    buf_init(&text, 4 << 20);
    buf_puts(&text, "{\"bomFormat\":\"CycloneDX\",\"components\":[{}");
    for (size_t i = 0; i < 200000; i++)
        buf_puts(&text, ",{}");
    buf_puts(&text, "]}");
    assert_int_equal(report_parse(text.ptr, text.len, &f->arena, &f->scan, &f->err), -1);
    assert_int_equal(f->err.kind, ERR_TOO_LARGE);
    assert_string_equal(f->err.msg, "$: more than 200000 packages");
    buf_free(&text);
}

static void without_memory_the_answer_is_try_again(void **state)
{
    struct fixture *f = *state;
    const char *text = quoted(f, "{'bomFormat':'CycloneDX','components':[{'name':'a','purl':'pkg:npm/a@1','bom-ref':'r'},{'name':'b'}],'vulnerabilities':[{'id':'C','affects':[{'ref':'r'}]}]}");
    int rc = -1;

    for (size_t limit = 64; rc != 0; limit += 64) {
        struct arena small;
        arena_init(&small, limit);
        rc = report_parse(text, strlen(text), &small, &f->scan, &f->err);
        if (rc != 0)
            assert_int_equal(f->err.kind, ERR_UNAVAILABLE);
        arena_clear(&small);
        assert_true(limit < (1 << 20));
    }
}

static void outputs_are_untouched_on_failure(void **state)
{
    struct fixture *f = *state;

    f->scan.n_packages = 77;
    assert_int_equal(report_parse("{}", 2, &f->arena, &f->scan, &f->err), -1);
    assert_int_equal(f->scan.n_packages, 77);
}

static void every_format_has_one_word(void **state)
{
    (void)state;
    for (int i = REPORT_TRIVY; i < REPORT_N; i++) {
        assert_string_not_equal(report_format_word((enum report_format)i), "unknown");
        for (int k = REPORT_TRIVY; k < i; k++)
            assert_string_not_equal(report_format_word((enum report_format)i), report_format_word((enum report_format)k));
    }
    assert_string_equal(report_format_word(REPORT_UNKNOWN), "unknown");
    assert_false(report_format_is_scan(REPORT_UNKNOWN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_wrong_type_is_named_with_its_path), CASE(a_strangers_key_is_not_repeated),
        CASE(a_number_where_text_belongs_is_its_text), CASE(odd_shapes_in_unimportant_places_are_counted),
        CASE(text_that_is_no_report_lists_what_is_known), CASE(a_vex_document_is_not_a_scan),
        CASE(a_mark_in_front_and_a_nul_inside_are_tolerated), CASE(long_text_is_refused),
        CASE(too_many_packages_are_refused), CASE(without_memory_the_answer_is_try_again),
        CASE(outputs_are_untouched_on_failure), CASE(every_format_has_one_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
