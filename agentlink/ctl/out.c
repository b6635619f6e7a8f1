/* out.c - see out.h: choosing writers, and what they share. */
#include "ctl/out.h"

#include "base/crypto.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/file.h"
#include "ctl/out_check.h"
#include "model/severity.h"
#include "wire/msg/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const struct out_format out_formats[] = {
    { "table", out_table_list, out_text_assessment, out_text_check, false, "for people (the default)" },
    { "json", out_json_list, out_json_assessment, out_json_check, false, "the server's answer" },
    { "markdown", out_markdown_list, out_markdown_assessment, out_markdown_check, true, "for a comment or a page" },
    { "sarif", NULL, out_sarif_assessment, out_sarif_check, true, "SARIF 2.1.0, for code scanning" },
    { "junit", NULL, out_junit_assessment, out_junit_check, true, "JUnit XML, for test reports" },
    { "gitlab", NULL, out_gitlab_assessment, out_gitlab_check, true, "GitLab container scanning report 15" },
    { "codequality", NULL, out_codequality_assessment, out_codequality_check, true, "GitLab Code Quality report" },
    { "github", NULL, out_github_assessment, out_github_check, true, "annotations for a GitHub Actions log; with GITHUB_STEP_SUMMARY also its summary" },
};
const size_t n_out_formats = N_ITEMS(out_formats);

static int unknown_format(const char *text, struct err *err)
{
    struct buf names;

    buf_init(&names, 512);
    for (size_t i = 0; i < n_out_formats; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", out_formats[i].name);
    err_set(err, ERR_INVALID, "--output: no format '%.40s'; there are %s", text, names.ptr);
    buf_free(&names);
    return -1;
}

int out_parse(const char *text, struct out_spec *out, struct err *err)
{
    const char *equals = strchr(text, '=');
    size_t len = equals != NULL ? (size_t)(equals - text) : strlen(text);

    if (equals != NULL && equals[1] == '\0')
        return err_set(err, ERR_INVALID, "--output %s: no file after '='", text);
    for (size_t i = 0; i < n_out_formats; i++) {
        if (strncmp(out_formats[i].name, text, len) != 0 || out_formats[i].name[len] != '\0')
            continue;
        *out = (struct out_spec){ &out_formats[i], equals != NULL ? equals + 1 : NULL };
        return 0;
    }
    return unknown_format(text, err);
}

/* ---- where text goes ------------------------------------------------------------ */

int out_deliver(struct ctl *c, const struct out_spec *spec, const struct buf *b)
{
    struct bytes text = { (const unsigned char *)(b->ptr != NULL ? b->ptr : ""), b->len };
    struct err err = { 0 };

    if (b->failed)
        return ctl_wrong(c, NULL, "--output %s: too much output", spec->format->name);
    if (spec->file == NULL)
        return fwrite(text.ptr, 1, text.len, stdout) == text.len ? 0 : ctl_wrong(c, NULL, "standard output cannot be written");
    if (file_write(spec->file, text, 0644, true, &err) != 0)
        return ctl_fail(c, &err, NULL);
    return 0;
}

/* Files have no colours and no terminal. */
static struct look look_of(const struct ctl *c, const struct out_spec *spec)
{
    return spec->file == NULL ? c->look : (struct look){ .now_ms = c->look.now_ms };
}

int out_list(struct ctl *c, const struct listing *l)
{
    int code = 0;

    for (size_t i = 0; i < c->n_outs; i++) {
        struct look look = look_of(c, &c->outs[i]);
        struct err err = { 0 };
        struct buf b;
        buf_init(&b, OUT_TEXT_MAX);
        if (c->outs[i].format->list == NULL)
            code = ctl_wrong(c, "--output table, json or markdown", "%s is for verdicts, not for this command", c->outs[i].format->name);
        else if (c->outs[i].format->list(l, &look, &c->arena, &b, &err) != 0)
            code = ctl_fail(c, &err, NULL);
        else if (out_deliver(c, &c->outs[i], &b) != 0)
            code = CODE_LOCAL;
        buf_free(&b);
    }
    return code;
}

/* GitHub shows a job's summary from the file it names. */
static int write_step_summary(struct ctl *c, const struct assessment *a)
{
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    struct look look = { .now_ms = c->look.now_ms };
    struct err err = { 0 };
    struct buf b;
    int code = 0;

    if (path == NULL || path[0] == '\0')
        return 0;
    buf_init(&b, OUT_TEXT_MAX);
    FILE *f = fopen(path, "a");
    if (f == NULL || out_markdown_assessment(a, &look, &c->arena, &b, &err) != 0 || b.failed ||
        fwrite(b.ptr, 1, b.len, f) != b.len)
        code = ctl_wrong(c, NULL, "%s: the step summary cannot be written", path);
    if (f != NULL && fclose(f) != 0)
        code = CODE_LOCAL;
    buf_free(&b);
    return code;
}

int out_assessment(struct ctl *c, const struct assessment *a)
{
    int code = 0;

    for (size_t i = 0; i < c->n_outs; i++) {
        struct look look = look_of(c, &c->outs[i]);
        struct err err = { 0 };
        struct buf b;
        buf_init(&b, OUT_TEXT_MAX);
        if (c->outs[i].format->assessment(a, &look, &c->arena, &b, &err) != 0)
            code = ctl_fail(c, &err, NULL);
        else if (out_deliver(c, &c->outs[i], &b) != 0)
            code = CODE_LOCAL;
        buf_free(&b);
        if (str_eq(c->outs[i].format->name, "github") && write_step_summary(c, a) != 0)
            code = CODE_LOCAL;
    }
    return code;
}

int out_check(struct ctl *c, const struct json *answer, const char *why)
{
    int code = 0;

    for (size_t i = 0; i < c->n_outs; i++) {
        struct look look = look_of(c, &c->outs[i]);
        struct err err = { 0 };
        struct buf b;
        buf_init(&b, OUT_TEXT_MAX);
        if (c->outs[i].format->check(answer, why, &look, &c->arena, &b, &err) != 0)
            code = ctl_fail(c, &err, NULL);
        else if (out_deliver(c, &c->outs[i], &b) != 0)
            code = CODE_LOCAL;
        buf_free(&b);
    }
    return code;
}

/* ---- what writers share ------------------------------------------------------------- */

int severity_index(const char *word)
{
    for (int i = 0; i < SEVERITY_N; i++) {
        if (str_eq(severity_words[i], word))
            return i;
    }
    return SEVERITY_UNKNOWN;
}

bool finding_is_reported(const struct assessment *a, const struct json *finding)
{
    const char *status = json_get_str(finding, "status", "");

    if (json_is(json_get(finding, "exception"), JSON_OBJECT) || json_is(json_get(finding, "suppressed"), JSON_STRING))
        return false;
    if (str_eq(status, "not_affected"))
        return false;
    return severity_index(json_get_str(finding, "severity", "")) >= a->report_severity;
}

char *finding_sentence(const struct json *f, struct arena *arena)
{
    const char *package = json_get_str(f, "package", NULL), *fixed = json_get_str(f, "fixed_version", NULL);
    bool in = package != NULL && package[0] != '\0', has_fix = fixed != NULL && fixed[0] != '\0';

    return arena_printf(arena, "%s %s%s%s%s%s%s%s", json_get_str(f, "severity", "unknown"),
                        json_get_str(f, "vulnerability", "finding"), in ? " in " : "", in ? package : "", in ? " " : "",
                        in ? json_get_str(f, "version", "") : "", has_fix ? ", fixed in " : "", has_fix ? fixed : "");
}

const char *assessment_name(const struct assessment *a)
{
    const char *name = json_get_str(a->image, "reference", NULL);

    if (name == NULL || name[0] == '\0')
        name = json_get_str(a->image, "digest", json_get_str(a->verdict, "image", "image"));
    return name;
}

const char *assessment_location(const struct assessment *a, struct arena *arena)
{
    char *copy = arena_strdup(arena, a->file != NULL && !str_eq(a->file, "-") ? a->file : assessment_name(a));

    for (char *s = copy; s != NULL && *s != '\0'; s++) {
        if (!isalnum((unsigned char)*s) && strchr("._-/", *s) == NULL)
            *s = '_';
    }
    while (copy != NULL && (*copy == '/' || str_starts(copy, "./")))
        copy++;
    return copy == NULL || *copy == '\0' ? "image" : copy;
}

char *fingerprint_of(struct arena *arena, const char *const *parts, size_t n)
{
    struct sha256 hash;
    uint8_t sum[SHA256_LEN];
    char *hex = arena_bytes(arena, 2 * SHA256_LEN + 1);

    if (hex == NULL)
        return NULL;
    sha256_init(&hash);
    for (size_t i = 0; i < n; i++)
        sha256_add(&hash, parts[i] != NULL ? parts[i] : "", (parts[i] != NULL ? strlen(parts[i]) : 0) + 1);
    sha256_done(&hash, sum);
    hex_encode(sum, sizeof sum, hex);
    return hex;
}
