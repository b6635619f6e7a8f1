/* out_text.c - a verdict for people: what, why, and what to do about it. */
#include "ctl/out.h"

#include "base/str.h"
#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { REASONS_SHOWN = 40 };

static void put_when(struct buf *b, const char *label, const struct json *o, const char *key, const struct look *look)
{
    int64_t at;

    buf_printf(b, "%s ", label);
    if (!time_parse(json_get_str(o, key, ""), &at) || at == TIME_UNKNOWN) {
        buf_puts(b, "at a time nobody knows");
        return;
    }
    put_age(b, at, look->now_ms);
}

static void put_counts(struct buf *b, const struct json *counts, const struct look *look)
{
    static const char *const keys[] = { "critical", "high", "medium", "low", "secrets", "malware", "kev", "excepted" };
    bool any = false;

    for (size_t i = 0; i < N_ITEMS(keys); i++) {
        int64_t n = json_int(json_get(counts, keys[i]), 0);
        char text[64];
        if (n == 0)
            continue;
        const char *word = str_eq(keys[i], "kev") ? "known exploited" : n == 1 && str_eq(keys[i], "secrets") ? "secret" : keys[i];
        snprintf(text, sizeof text, "%" PRId64 " %s", n, word);
        buf_puts(b, any ? ", " : "");
        put_colour(b, look, i < 2 ? COLOUR_RED : COLOUR_NONE, text);
        any = true;
    }
    buf_puts(b, any ? "" : "no open findings");
}

static void put_facts(const struct assessment *a, const struct look *look, struct buf *b)
{
    const char *signer = json_str(json_path(a->scan, "signer.name"), NULL);
    const char *scanner = json_get_str(a->scan, "scanner", NULL);

    if (str_eq(json_get_str(a->image, "freshness", ""), "never_scanned")) {
        buf_puts(b, "  never scanned\n");
        return;
    }
    buf_puts(b, "  ");
    put_when(b, "scanned", a->image, "scanned_at", look);
    if (scanner != NULL) {
        buf_puts(b, " by ");
        put_safe(b, scanner);
    }
    put_when(b, ", database built", a->image, "db_built_at", look);
    if (a->scan != NULL) {
        buf_puts(b, signer != NULL ? ", signed by " : ", not signed");
        put_safe(b, signer != NULL ? signer : "");
    }
    int64_t packages = json_int(json_get(a->image, "packages"), 0);
    buf_printf(b, "\n  %" PRId64 " package%s, ", packages, packages == 1 ? "" : "s");
    put_counts(b, json_get(a->image, "counts"), look);
    buf_putc(b, '\n');
}

static void put_reason(const struct json *r, const struct look *look, struct buf *b)
{
    const char *effect = json_get_str(r, "effect", "fail"), *severity = json_get_str(r, "severity", "");
    const char *remedy = json_get_str(r, "remediation", "");

    buf_puts(b, "  ");
    put_colour(b, look, colour_of(effect), effect);
    buf_printf(b, "%*s", (int)(8 - (strlen(effect) < 8 ? strlen(effect) : 7)), "");
    put_colour(b, look, colour_of(severity), severity);
    buf_printf(b, "%*s", (int)(10 - (strlen(severity) < 10 ? strlen(severity) : 9)), "");
    put_safe(b, json_get_str(r, "message", ""));
    buf_puts(b, "  [");
    put_safe(b, json_get_str(r, "policy", ""));
    buf_putc(b, '/');
    put_safe(b, json_get_str(r, "rule", ""));
    buf_puts(b, "]\n");
    if (remedy[0] != '\0') {
        buf_puts(b, "                    -> ");
        put_safe(b, remedy);
        buf_putc(b, '\n');
    }
}

/* A policy with 200 reasons is one thing to read, not 200: the remedy is said once per rule. */
static bool is_same_rule(const struct json *a, const struct json *b)
{
    return str_eq(json_get_str(a, "policy", ""), json_get_str(b, "policy", "")) &&
           str_eq(json_get_str(a, "rule", ""), json_get_str(b, "rule", ""));
}

static void put_reasons(const struct json *reasons, const struct look *look, struct buf *b)
{
    uint32_t n = json_len(reasons);

    for (uint32_t i = 0; i < n && i < REASONS_SHOWN; i++) {
        const struct json *r = json_at(reasons, i);
        struct json short_form = *r;
        struct json_member members[32];
        bool repeat = i + 1 < n && is_same_rule(r, json_at(reasons, i + 1));
        if (repeat && r->n <= N_ITEMS(members)) {
            short_form.n = 0;
            for (uint32_t k = 0; k < r->n; k++) {
                if (!str_eq(r->members[k].key, "remediation"))
                    members[short_form.n++] = r->members[k];
            }
            short_form.members = members;
        }
        put_reason(&short_form, look, b);
    }
    if (n > REASONS_SHOWN)
        buf_printf(b, "  and %u more: --output json has them all\n", n - REASONS_SHOWN);
}

static void put_missing(const struct json *missing, struct buf *b)
{
    for (uint32_t i = 0; i < json_len(missing); i++) {
        buf_puts(b, i == 0 ? "  not known: " : ", ");
        put_safe(b, json_str(json_at(missing, i), ""));
    }
    buf_puts(b, json_len(missing) > 0 ? "\n" : "");
}

OUT_ASSESSMENT(out_text_assessment)
{
    const char *decision = json_get_str(a->verdict, "decision", "unknown");
    const char *freshness = json_get_str(a->verdict, "freshness", "unknown");

    (void)arena;
    (void)err;
    put_colour(b, look, colour_of(decision), decision);
    buf_puts(b, "  ");
    put_colour(b, look, COLOUR_BOLD, assessment_name(a));
    buf_puts(b, "  ");
    put_safe(b, json_get_str(a->image, "digest", json_get_str(a->verdict, "image", "")));
    buf_puts(b, "  ");
    put_colour(b, look, colour_of(freshness), freshness);
    buf_putc(b, '\n');
    put_facts(a, look, b);
    put_reasons(json_get(a->verdict, "reasons"), look, b);
    put_missing(json_get(a->verdict, "missing"), b);
    if (json_bool(json_get(a->verdict, "unsigned"), false))
        buf_puts(b, "  this rests on evidence that nobody signed\n");
    return 0;
}
