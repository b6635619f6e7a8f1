/* out_junit.c - JUnit XML as CI systems read it: a suite for the verdict, with a
 * case for each rule that has reasons (a fail is a failure, a warning is text),
 * and a suite of the open findings, which are skipped cases: they are reported
 * and fail nothing by themselves. */
#include "ctl/out.h"

#include "base/str.h"
#include "ctl/out_check.h"

#include <string.h>

void put_xml(struct buf *b, const char *s)
{
    static const struct { char c; const char *as; } entities[] = {
        { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" },
    };
    struct buf safe;

    buf_init(&safe, 256 * 1024);
    put_safe(&safe, s);
    for (size_t i = 0; i < safe.len; i++) {
        size_t k = 0;
        while (k < N_ITEMS(entities) && entities[k].c != safe.ptr[i])
            k++;
        if (k < N_ITEMS(entities))
            buf_puts(b, entities[k].as);
        else
            buf_putc(b, safe.ptr[i]);
    }
    buf_free(&safe);
}

static void put_case(struct buf *b, const char *class, const char *name)
{
    buf_puts(b, "    <testcase classname=\"");
    put_xml(b, class);
    buf_puts(b, "\" name=\"");
    put_xml(b, name);
    buf_puts(b, "\"");
}

static void put_child(struct buf *b, const char *tag, const char *message, const char *text)
{
    buf_printf(b, ">\n      <%s message=\"", tag);
    put_xml(b, message);
    buf_puts(b, "\">");
    put_xml(b, text);
    buf_printf(b, "</%s>\n    </testcase>\n", tag);
}

/* Failing: what made this run fail; the rest is said, not counted. */
static bool is_failure(const struct assessment *a, const struct json *reason)
{
    return a->exit_code != 0 && !str_eq(json_get_str(reason, "effect", "fail"), "warn");
}

static void put_reasons(const struct assessment *a, struct arena *arena, struct buf *b)
{
    const struct json *reasons = json_get(a->verdict, "reasons");

    for (uint32_t i = 0; i < json_len(reasons); i++) {
        const struct json *r = json_at(reasons, i);
        const char *class = arena_printf(arena, "%s.%s", json_get_str(r, "policy", "policy"), json_get_str(r, "rule", "rule"));
        const char *message = json_get_str(r, "message", "");
        put_case(b, class != NULL ? class : "policy", message);
        if (is_failure(a, r)) {
            put_child(b, "failure", message, json_get_str(r, "remediation", ""));
            continue;
        }
        buf_puts(b, "><system-out>");
        put_xml(b, json_get_str(r, "remediation", message));
        buf_puts(b, "</system-out></testcase>\n");
    }
}

static void put_verdict_case(const struct assessment *a, struct buf *b)
{
    put_case(b, "verdict", assessment_name(a));
    if (a->exit_code == 0)
        buf_puts(b, "/>\n");
    else
        put_child(b, "failure", a->why, json_get_str(a->verdict, "decision", "unknown"));
}

static uint32_t count_reported(const struct assessment *a)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < json_len(a->findings); i++)
        n += finding_is_reported(a, json_at(a->findings, i));
    return n;
}

static void put_findings(const struct assessment *a, struct arena *arena, struct buf *b)
{
    for (uint32_t i = 0; i < json_len(a->findings); i++) {
        const struct json *f = json_at(a->findings, i);
        char *sentence = finding_is_reported(a, f) ? finding_sentence(f, arena) : NULL;
        if (sentence == NULL)
            continue;
        put_case(b, json_get_str(f, "package", "image"), sentence);
        buf_puts(b, "><skipped/></testcase>\n");
    }
}

static uint32_t count_failures(const struct assessment *a)
{
    const struct json *reasons = json_get(a->verdict, "reasons");
    uint32_t n = a->exit_code != 0;

    for (uint32_t i = 0; i < json_len(reasons); i++)
        n += is_failure(a, json_at(reasons, i));
    return n;
}

OUT_ASSESSMENT(out_junit_assessment)
{
    uint32_t n = json_len(json_get(a->verdict, "reasons")) + 1, failures = count_failures(a), reported = count_reported(a);

    (void)look;
    (void)err;
    buf_printf(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"keep\" tests=\"%u\" failures=\"%u\">\n"
                  "  <testsuite name=\"keep: verdict\" tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"0\">\n",
               n + reported, failures, n, failures);
    put_verdict_case(a, b);
    put_reasons(a, arena, b);
    buf_printf(b, "  </testsuite>\n  <testsuite name=\"keep: open findings\" tests=\"%u\" failures=\"0\" errors=\"0\" skipped=\"%u\">\n",
               reported, reported);
    put_findings(a, arena, b);
    buf_puts(b, "  </testsuite>\n</testsuites>\n");
    return 0;
}

/* ---- configuration checks ---------------------------------------------------------------- */

static void put_check_case(struct buf *b, const struct json *r, struct arena *arena)
{
    const char *class = arena_printf(arena, "%s.%s", json_get_str(r, "policy", "policy"), json_get_str(r, "rule", "rule"));
    const char *name = arena_printf(arena, "%s:%lld %s", json_get_str(r, "file", ""), (long long)json_int(json_get(r, "line"), 1), json_get_str(r, "object", ""));
    const char *message = json_get_str(r, "message", "");

    put_case(b, class != NULL ? class : "policy", name != NULL ? name : "");
    if (!str_eq(json_get_str(r, "effect", ""), "warn")) {
        put_child(b, "failure", message, json_get_str(r, "remediation", ""));
        return;
    }
    buf_puts(b, "><system-out>");
    put_xml(b, message);
    buf_puts(b, "</system-out></testcase>\n");
}

OUT_CHECK(out_junit_check)
{
    const struct json *reasons = json_get(answer, "reasons");
    uint32_t n = json_len(reasons), failures = 0;

    (void)look, (void)why, (void)err;
    for (uint32_t i = 0; i < n; i++)
        failures += !str_eq(json_get_str(json_at(reasons, i), "effect", ""), "warn");
    uint32_t shown = n == 0 ? 1 : n;                       /* a suite without a case counts as broken in places */
    buf_printf(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"keep\" tests=\"%u\" failures=\"%u\">\n"
                  "  <testsuite name=\"keep: configuration\" tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"0\">\n", shown, failures, shown, failures);
    for (uint32_t i = 0; i < n; i++)
        put_check_case(b, json_at(reasons, i), arena);
    if (n == 0) {
        put_case(b, "configuration", "check");
        buf_puts(b, "/>\n");
    }
    buf_puts(b, "  </testsuite>\n</testsuites>\n");
    return 0;
}
