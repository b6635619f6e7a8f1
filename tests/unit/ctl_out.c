/* ctl_out.c - the writers, on small answers made by hand. */
#include "ctl/out.h"
#include "base/str.h"
#include "base/time.h"
#include "model/severity.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* Everything that comes from outside is hostile here. */
static const char answer_text[] =
    "{\"scan\":{\"scanner\":\"trivy\",\"signer\":{\"id\":\"f\",\"name\":\"ci\"}},"
    "\"image\":{\"digest\":\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"repository\":\"r.example/a\","
    "\"reference\":\"r.example/a:1\",\"scanned_at\":\"2025-11-24T12:00:00Z\",\"freshness\":\"fresh\",\"packages\":3,\"counts\":{\"critical\":1,\"low\":1}},"
    "\"verdict\":{\"image\":\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"decision\":\"fail\",\"freshness\":\"fresh\",\"reasons\":["
    "{\"policy\":\"p1\",\"rule\":\"fixable\",\"severity\":\"critical\",\"effect\":\"fail\",\"message\":\"critical CVE-1 in x\",\"remediation\":\"update\","
    "\"finding\":{\"vulnerability\":\"CVE-1\",\"package\":\"x\",\"version\":\"1\"}},"
    "{\"policy\":\"p2\",\"rule\":\"secret\",\"severity\":\"high\",\"effect\":\"fail\",\"message\":\"a | <b>secret</b>\\n::error::no\\u001b[31m]]>\",\"remediation\":\"revoke % it\"},"
    "{\"policy\":\"p3\",\"rule\":\"age\",\"severity\":\"low\",\"effect\":\"warn\",\"message\":\"old\",\"remediation\":\"scan\"}],\"missing\":[\"database build time\"]}}";
static const char findings_text[] =
    "[{\"vulnerability\":\"CVE-1\",\"package\":\"x\",\"version\":\"1\",\"fixed_version\":\"2\",\"severity\":\"critical\",\"status\":\"fixed\",\"cvss\":9.8,"
    "\"title\":\"t|<i>\",\"url\":\"https://example.org/1\"},"
    "{\"vulnerability\":\"CVE-2\",\"package\":\"y\",\"version\":\"1\",\"severity\":\"low\",\"status\":\"affected\",\"url\":\"javascript:alert(1)\"},"
    "{\"vulnerability\":\"CVE-3\",\"package\":\"z\",\"version\":\"1\",\"severity\":\"high\",\"status\":\"affected\",\"exception\":{\"id\":\"e\",\"reason\":\"r\"}},"
    "{\"vulnerability\":\"CVE-4\",\"package\":\"z\",\"version\":\"1\",\"severity\":\"high\",\"status\":\"not_affected\"}]";
static const char issues_text[] =
    "[{\"kind\":\"secret\",\"rule\":\"aws\",\"severity\":\"critical\",\"title\":\"AWS key\",\"file\":\"app/.env\",\"line\":3},"
    "{\"kind\":\"misconfiguration\",\"rule\":\"DS1\",\"severity\":\"high\",\"status\":\"PASS\",\"title\":\"fine\"}]";

struct fixture {
    struct arena arena;
    struct buf b;
    struct err err;
    struct json answer, findings, issues, parsed;
    struct assessment a;
    struct look look;
};

static struct json parse(struct fixture *f, const char *text)
{
    struct json v;

    assert_int_equal(json_parse(&f->arena, text, strlen(text), NULL, &v, &f->err), 0);
    return v;
}

static int open(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    arena_init(&f.arena, 64 << 20);
    buf_init(&f.b, 1 << 20);
    f.answer = parse(&f, answer_text);
    f.findings = parse(&f, findings_text);
    f.issues = parse(&f, issues_text);
    f.look = (struct look){ .now_ms = INT64_C(1764000000000) };
    f.a = (struct assessment){
        .scan = json_get(&f.answer, "scan"), .image = json_get(&f.answer, "image"), .verdict = json_get(&f.answer, "verdict"),
        .findings = &f.findings, .issues = &f.issues, .whole = &f.answer, .file = "reports/scan.json", .exit_code = 2, .why = "a policy failed",
    };
    *state = &f;
    return 0;
}

static int done(void **state)
{
    struct fixture *f = *state;

    buf_free(&f->b);
    arena_clear(&f->arena);
    return 0;
}

static const char *write_with(struct fixture *f, const char *format)
{
    struct out_spec spec;

    buf_clear(&f->b);
    assert_int_equal(out_parse(format, &spec, &f->err), 0);
    assert_int_equal(spec.format->assessment(&f->a, &f->look, &f->arena, &f->b, &f->err), 0);
    assert_false(f->b.failed);
    return f->b.ptr;
}

static const struct json *write_json(struct fixture *f, const char *format)
{
    const char *text = write_with(f, format);

    f->parsed = parse(f, text);
    return &f->parsed;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *s = text; (s = strstr(s, what)) != NULL; s += strlen(what))
        n++;
    return n;
}

static void every_format_is_written_and_has_no_control_characters(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < n_out_formats; i++) {
        const char *text = write_with(f, out_formats[i].name);
        for (const char *s = text; *s != '\0'; s++)
            assert_true(*s == '\n' || (unsigned char)*s >= ' ');
        assert_true(str_is_utf8(text, strlen(text)));
    }
}

static void sarif_has_rules_locations_and_fingerprints(void **state)
{
    struct fixture *f = *state;
    const struct json *doc = write_json(f, "sarif"), *run = json_at(json_get(doc, "runs"), 0);
    const struct json *results = json_get(run, "results"), *rules = json_path(run, "tool.driver.rules");

    assert_string_equal(json_get_str(doc, "version", ""), "2.1.0");
    /* Two reasons about no finding, one secret, two open findings. */
    assert_int_equal(json_len(results), 5);
    assert_int_equal(json_len(rules), 5);
    for (uint32_t i = 0; i < json_len(results); i++) {
        const struct json *r = json_at(results, i), *place = json_get(json_at(json_get(r, "locations"), 0), "physicalLocation");
        assert_string_equal(json_str(json_path(place, "artifactLocation.uri"), ""), "reports/scan.json");
        assert_true(json_int(json_path(place, "region.startLine"), 0) >= 1);
        assert_int_equal(strlen(json_get_str(json_get(r, "partialFingerprints"), "keep/v1", "")), 64);
        bool known = false;
        for (uint32_t k = 0; k < json_len(rules); k++)
            known |= str_eq(json_get_str(json_at(rules, k), "id", ""), json_get_str(r, "ruleId", "?"));
        assert_true(known);
    }
    assert_null(strstr(f->b.ptr, "javascript:"));
    assert_null(strstr(f->b.ptr, "CVE-3"));
    assert_null(strstr(f->b.ptr, "CVE-4"));
}

static void what_is_reported_is_not_what_fails(void **state)
{
    struct fixture *f = *state;

    f->a.report_severity = SEVERITY_HIGH;
    assert_null(strstr(write_with(f, "sarif"), "CVE-2"));
    assert_null(strstr(write_with(f, "gitlab"), "CVE-2"));
    assert_null(strstr(write_with(f, "codequality"), "CVE-2"));
    assert_non_null(strstr(write_with(f, "junit"), "<failure"));
    assert_int_equal(json_int(json_get(write_json(f, "json"), "exit_code"), -1), 2);
}

static void junit_counts_what_it_lists(void **state)
{
    struct fixture *f = *state;
    const char *text = write_with(f, "junit");

    assert_int_equal(count(text, "<testcase "), 6);           /* verdict, three reasons, two findings */
    assert_int_equal(count(text, "<failure "), 3);
    assert_int_equal(count(text, "<skipped/>"), 2);
    assert_non_null(strstr(text, "tests=\"6\" failures=\"3\""));
    assert_null(strstr(text, "<b>"));
    assert_null(strstr(text, "]]>"));
    f->a.exit_code = 0;
    assert_int_equal(count(write_with(f, "junit"), "<failure "), 0);
}

static void gitlab_reports_open_findings_with_stable_ids(void **state)
{
    struct fixture *f = *state;
    const struct json *list = json_get(write_json(f, "gitlab"), "vulnerabilities"), *one = json_at(list, 0);

    assert_int_equal(json_len(list), 2);
    assert_string_equal(json_get_str(one, "severity", ""), "Critical");
    assert_int_equal(strlen(json_get_str(one, "id", "")), 36);
    assert_string_equal(json_str(json_path(one, "location.image"), ""), "r.example/a:1");
    assert_string_equal(json_str(json_path(&f->parsed, "scan.start_time"), ""), "2025-11-24T12:00:00");
    char id[64];
    snprintf(id, sizeof id, "%s", json_get_str(one, "id", ""));
    assert_string_equal(json_get_str(json_at(json_get(write_json(f, "gitlab"), "vulnerabilities"), 0), "id", ""), id);
}

static void code_quality_is_a_list_with_severities_it_knows(void **state)
{
    struct fixture *f = *state;
    const struct json *list = write_json(f, "codequality");

    assert_int_equal(json_len(list), 5);
    for (uint32_t i = 0; i < json_len(list); i++) {
        const char *s = json_get_str(json_at(list, i), "severity", "");
        assert_true(str_eq(s, "info") || str_eq(s, "minor") || str_eq(s, "major") || str_eq(s, "critical") || str_eq(s, "blocker"));
        assert_non_null(json_path(json_at(list, i), "location.lines.begin"));
    }
}

static void annotations_cannot_be_forged(void **state)
{
    struct fixture *f = *state;
    const char *text = write_with(f, "github");

    assert_int_equal(count(text, "\n"), 4);
    for (const char *s = text; *s != '\0'; s = strchr(s, '\n') + 1)
        assert_true(str_starts(s, "::error ") || str_starts(s, "::warning "));
    assert_non_null(strstr(text, "revoke %25 it"));
}

static void markdown_cells_stay_cells(void **state)
{
    struct fixture *f = *state;
    const char *text = write_with(f, "markdown");

    assert_null(strstr(text, "<b>"));
    assert_non_null(strstr(text, "a \\| &lt;b&gt;secret&lt;/b&gt;"));
    assert_non_null(strstr(text, "Not known: database build time"));
}

static void the_text_says_what_why_and_what_to_do(void **state)
{
    struct fixture *f = *state;
    const char *text = write_with(f, "table");

    assert_true(str_starts(text, "fail  r.example/a:1  sha256:"));
    assert_non_null(strstr(text, "scanned 4 hours ago by trivy"));
    assert_non_null(strstr(text, "signed by ci"));
    assert_non_null(strstr(text, "[p1/fixable]"));
    assert_non_null(strstr(text, "-> update"));
    assert_null(strstr(text, "\033"));
    f->look.colour = true;
    assert_non_null(strstr(write_with(f, "table"), "\033[31mfail\033[0m"));
}

static void lists_are_tables_lines_and_markdown(void **state)
{
    static const struct column columns[] = {
        { "NAME", "user.name", COLUMN_TEXT }, { "STATE", "state", COLUMN_WORD }, { "AT", "at", COLUMN_TIME }, { "N", "n|m", COLUMN_NUMBER },
        { "D", "d", COLUMN_DIGEST }, { "P", "p", COLUMN_PERCENT },
    };
    struct fixture *f = *state;
    const struct json items = parse(f, "[{\"user\":{\"name\":\"a\\u001b]0;x\\u0007b\"},\"state\":\"valid\",\"at\":\"2025-11-24T15:00:00Z\",\"m\":7,\"p\":0.5,"
                                       "\"d\":\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]");
    struct listing l = { columns, N_ITEMS(columns), &items, &items };

    assert_int_equal(out_table_list(&l, &f->look, &f->arena, &f->b, &f->err), 0);
    assert_non_null(strstr(f->b.ptr, "a?]0;x?b"));
    assert_non_null(strstr(f->b.ptr, "2025-11-24T15:00:00Z"));
    assert_non_null(strstr(f->b.ptr, "50.0%"));
    buf_clear(&f->b);
    f->look.terminal = true;
    f->look.width = 120;
    assert_int_equal(out_table_list(&l, &f->look, &f->arena, &f->b, &f->err), 0);
    assert_non_null(strstr(f->b.ptr, "1h ago"));
    assert_non_null(strstr(f->b.ptr, "sha256:aaaaaaaaaaaa "));
    buf_clear(&f->b);
    l.items = json_at(&items, 0);
    assert_int_equal(out_table_list(&l, &f->look, &f->arena, &f->b, &f->err), 0);
    assert_true(str_starts(f->b.ptr, "NAME   a?"));
    buf_clear(&f->b);
    assert_int_equal(out_markdown_list(&l, &f->look, &f->arena, &f->b, &f->err), 0);
    assert_non_null(strstr(f->b.ptr, "| NAME |"));
}

static void output_options_are_parsed_and_refused(void **state)
{
    struct fixture *f = *state;
    struct out_spec spec;

    assert_int_equal(out_parse("sarif=a=b", &spec, &f->err), 0);
    assert_string_equal(spec.file, "a=b");
    assert_int_equal(out_parse("json", &spec, &f->err), 0);
    assert_null(spec.file);
    assert_int_equal(out_parse("jso", &spec, &f->err), -1);
    assert_non_null(strstr(f->err.msg, "sarif"));
    assert_int_equal(out_parse("json=", &spec, &f->err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, open, done)
        T(every_format_is_written_and_has_no_control_characters),
        T(sarif_has_rules_locations_and_fingerprints),
        T(what_is_reported_is_not_what_fails),
        T(junit_counts_what_it_lists),
        T(gitlab_reports_open_findings_with_stable_ids),
        T(code_quality_is_a_list_with_severities_it_knows),
        T(annotations_cannot_be_forged),
        T(markdown_cells_stay_cells),
        T(the_text_says_what_why_and_what_to_do),
        T(lists_are_tables_lines_and_markdown),
        T(output_options_are_parsed_and_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
