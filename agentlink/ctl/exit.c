/* exit.c - see exit.h. */
#include "ctl/exit.h"

#include "base/str.h"
#include "base/time.h"
#include "model/severity.h"
#include "wire/msg/words.h"

#include <stdio.h>

const struct exit_row exit_rows[] = {
    { CODE_PASS,    "pass",         "The answer is yes: passed, done, or nothing to change." },
    { CODE_LOCAL,   "local error",  "The command line, a file or what was sent is wrong." },
    { CODE_POLICY,  "failed",       "The answer is no: a policy failed, a signature does not hold, a document has errors." },
    { CODE_SERVER,  "server",       "The server cannot be reached, is too busy or did not answer in time." },
    { CODE_AUTH,    "not allowed",  "The server does not know the token, or the token may not do this." },
    { CODE_NO_SCAN, "no fresh scan", "The image was never scanned, or its scan is too old to decide." },
    { CODE_PENDING, "pending",      "Not yet: the image is not judged so far, or there are changes to apply." },
};
const size_t n_exit_rows = N_ITEMS(exit_rows);

void exit_text(char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < n_exit_rows && used < size; i++) {
        int n = snprintf(out + used, size - used, "%s  %d  %-14s %s", i > 0 ? "\n" : "", (int)exit_rows[i].code,
                         exit_rows[i].word, exit_rows[i].meaning);
        used += n > 0 ? (size_t)n : 0;
    }
}

int exit_of_error(const struct err *err)
{
    return err_info(err->kind)->exit_code;
}

static int word_index(const char *const *words, const char *word)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (str_eq(words[i], word))
            return i;
    }
    return -1;
}

int gate_parse(const char *fail_on, const char *max_scan_age, struct gate *out, struct err *err)
{
    struct gate g = { 0 };
    int severity = fail_on != NULL ? word_index(severity_words, fail_on) : -1;

    g.warn = str_eq(fail_on, "warn");
    g.never = str_eq(fail_on, "never");
    g.severity = severity >= SEVERITY_LOW ? severity : 0;
    if (fail_on != NULL && !g.warn && !g.never && g.severity == 0 && !str_eq(fail_on, "fail"))
        return err_set(err, ERR_INVALID, "--fail-on: expected fail, warn, never, critical, high, medium or low, got '%.40s'", fail_on);
    if (max_scan_age != NULL && (!time_parse_duration(max_scan_age, &g.max_scan_age_ms) || g.max_scan_age_ms <= 0))
        return err_set(err, ERR_INVALID, "--max-scan-age: expected a duration like 36h or 7d, got '%.40s'", max_scan_age);
    *out = g;
    return 0;
}

static bool has_worse(const struct json *image, int severity)
{
    static const struct { int severity; const char *key; } counts[] = {
        { SEVERITY_CRITICAL, "critical" }, { SEVERITY_HIGH, "high" }, { SEVERITY_MEDIUM, "medium" }, { SEVERITY_LOW, "low" },
    };
    const struct json *c = json_get(image, "counts");

    for (size_t i = 0; i < N_ITEMS(counts); i++) {
        if (counts[i].severity >= severity && json_int(json_get(c, counts[i].key), 0) > 0)
            return true;
    }
    return false;
}

static bool is_too_old(const struct json *image, int64_t max_age_ms, int64_t now_ms)
{
    int64_t at = TIME_UNKNOWN;

    if (max_age_ms == 0)
        return false;
    return !time_parse(json_get_str(image, "scanned_at", ""), &at) || at == TIME_UNKNOWN || now_ms - at > max_age_ms;
}

int gate_decide(const struct gate *gate, const struct json *image, const struct json *verdict, int64_t now_ms,
                const char **why)
{
    const char *decision = json_get_str(verdict, "decision", "unknown");
    const char *freshness = json_get_str(verdict, "freshness", json_get_str(image, "freshness", "unknown"));
    bool never = str_eq(freshness, "never_scanned"), fresh = str_eq(freshness, "fresh");
    bool unknown = !str_eq(decision, "pass") && !str_eq(decision, "warn") && !str_eq(decision, "fail");
    /* The first row that holds decides. */
    const struct { bool holds; int code; const char *why; } rows[] = {
        { gate->never, CODE_PASS, "nothing is to fail this run (--fail-on never)" },
        { never, CODE_NO_SCAN, "the image was never scanned" },
        { str_eq(decision, "fail"), CODE_POLICY, "a policy failed" },
        { gate->severity != 0 && has_worse(image, gate->severity), CODE_POLICY, "there are open findings of a severity named by --fail-on" },
        { gate->warn && str_eq(decision, "warn"), CODE_POLICY, "a policy warned (--fail-on warn)" },
        { is_too_old(image, gate->max_scan_age_ms, now_ms), CODE_NO_SCAN, "the scan is older than --max-scan-age, or its time is not known" },
        { unknown && !fresh, CODE_NO_SCAN, "there is no fresh scan to decide by" },
        { unknown, CODE_POLICY, "facts are missing that a policy needs" },
        { true, CODE_PASS, "the policies passed" },
    };
    size_t i = 0;

    while (!rows[i].holds)
        i++;
    *why = rows[i].why;
    return rows[i].code;
}
