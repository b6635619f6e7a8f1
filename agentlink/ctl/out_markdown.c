/* out_markdown.c - tables and verdicts for comments and pages (GitHub's and GitLab's
 * Markdown).  Nothing that comes from outside can end a cell or become HTML. */
#include "ctl/out.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum { FINDINGS_SHOWN = 50 };

static void put_cell(struct buf *b, const char *s)
{
    struct buf safe;

    buf_init(&safe, 64 * 1024);
    put_safe(&safe, s);
    for (size_t i = 0; i < safe.len; i++) {
        if (strchr("\\|`*_[]<>&#~@", safe.ptr[i]) != NULL)
            buf_puts(b, safe.ptr[i] == '<' ? "&lt;" : safe.ptr[i] == '>' ? "&gt;" : safe.ptr[i] == '&' ? "&amp;" : "\\");
        if (strchr("<>&", safe.ptr[i]) == NULL)
            buf_putc(b, safe.ptr[i]);
    }
    buf_free(&safe);
}

static void put_head(struct buf *b, const char *const *titles, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "| %s ", titles[i]);
    buf_puts(b, "|\n");
    for (size_t i = 0; i < n; i++)
        buf_puts(b, "|---");
    buf_puts(b, "|\n");
}

static void put_row(struct buf *b, const char *const *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_puts(b, "| ");
        put_cell(b, cells[i] != NULL ? cells[i] : "");
        buf_putc(b, ' ');
    }
    buf_puts(b, "|\n");
}

static int put_item(const struct listing *l, const struct json *item, const struct look *look, struct arena *arena, struct buf *b,
                    struct err *err)
{
    const char **cells = arena_array(arena, l->n_columns, sizeof *cells);

    if (cells == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < l->n_columns; i++)
        cells[i] = column_text(&l->columns[i], item, look, arena);
    put_row(b, cells, l->n_columns);
    return 0;
}

OUT_LIST(out_markdown_list)
{
    const char **titles = arena_array(arena, l->n_columns, sizeof *titles);
    static const char *const pair[] = { "", "" };

    if (titles == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < l->n_columns; i++)
        titles[i] = l->columns[i].title;
    if (json_is(l->items, JSON_ARRAY)) {
        put_head(b, titles, l->n_columns);
        for (uint32_t i = 0; i < json_len(l->items); i++) {
            if (put_item(l, json_at(l->items, i), look, arena, b, err) != 0)
                return -1;
        }
        return 0;
    }
    put_head(b, pair, 2);
    for (size_t i = 0; i < l->n_columns; i++)
        put_row(b, (const char *const[]){ titles[i], column_text(&l->columns[i], l->items, look, arena) }, 2);
    return 0;
}

/* ---- an assessment ---------------------------------------------------------------- */

static void put_reasons(const struct assessment *a, struct buf *b)
{
    static const char *const titles[] = { "Effect", "Severity", "Reason", "Rule", "What to do" };
    const struct json *reasons = json_get(a->verdict, "reasons");

    if (json_len(reasons) == 0)
        return;
    buf_puts(b, "\n### Reasons\n\n");
    put_head(b, titles, N_ITEMS(titles));
    for (uint32_t i = 0; i < json_len(reasons) && i < FINDINGS_SHOWN; i++) {
        const struct json *r = json_at(reasons, i);
        char rule[200];
        snprintf(rule, sizeof rule, "%s/%s", json_get_str(r, "policy", ""), json_get_str(r, "rule", ""));
        put_row(b, (const char *const[]){ json_get_str(r, "effect", ""), json_get_str(r, "severity", ""),
                                          json_get_str(r, "message", ""), rule, json_get_str(r, "remediation", "") }, 5);
    }
    if (json_len(reasons) > FINDINGS_SHOWN)
        buf_printf(b, "\n%u more reasons.\n", json_len(reasons) - FINDINGS_SHOWN);
}

static void put_findings(const struct assessment *a, struct buf *b)
{
    static const char *const titles[] = { "Severity", "Vulnerability", "Package", "Installed", "Fixed in" };
    uint32_t shown = 0, reported = 0;

    for (uint32_t i = 0; i < json_len(a->findings); i++) {
        const struct json *f = json_at(a->findings, i);
        if (!finding_is_reported(a, f) || ++reported > FINDINGS_SHOWN)
            continue;
        if (shown++ == 0) {
            buf_puts(b, "\n### Open findings\n\n");
            put_head(b, titles, N_ITEMS(titles));
        }
        put_row(b, (const char *const[]){ json_get_str(f, "severity", ""), json_get_str(f, "vulnerability", ""),
                                          json_get_str(f, "package", ""), json_get_str(f, "version", ""),
                                          json_get_str(f, "fixed_version", "") }, 5);
    }
    if (reported > shown)
        buf_printf(b, "\n%u more findings.\n", reported - shown);
}

OUT_ASSESSMENT(out_markdown_assessment)
{
    const char *decision = json_get_str(a->verdict, "decision", "unknown");
    const struct json *missing = json_get(a->verdict, "missing");

    (void)look;
    (void)arena;
    (void)err;
    buf_printf(b, "## %s ", str_eq(decision, "pass") ? "✅" : str_eq(decision, "warn") ? "⚠️" : str_eq(decision, "fail") ? "❌" : "❔");
    put_cell(b, decision);
    buf_puts(b, ": ");
    put_cell(b, assessment_name(a));
    buf_puts(b, "\n\n");
    put_cell(b, json_get_str(a->image, "digest", json_get_str(a->verdict, "image", "")));
    buf_printf(b, "\n\nExit code %d: %s.\n", a->exit_code, a->why);
    put_reasons(a, b);
    for (uint32_t i = 0; i < json_len(missing); i++) {
        buf_puts(b, i == 0 ? "\nNot known: " : ", ");
        put_cell(b, json_str(json_at(missing, i), ""));
    }
    buf_puts(b, json_len(missing) > 0 ? "\n" : "");
    put_findings(a, b);
    return 0;
}
