/* noun_image.c - image: what Keep knows of images, and whether they may pass. */
#include "base/time.h"
#include "ctl/call.h"
#include "ctl/nouns.h"
#include "ctl/resolve.h"

#include <string.h>
#include <time.h>

enum { WAIT_STEP_S = 3, HISTORY_SHOWN = 5, EXCEPTED_MAX = 500 };

/* ---- check ------------------------------------------------------------------------------ */

static const char *verdict_target(struct ctl *c, const char *digest)
{
    const char *stage = ctl_option(c, "stage");

    if (stage == NULL)
        return image_target(c, digest, "/verdict");
    for (const char *s = stage; *s != '\0'; s++) {
        if (*s < 'a' || *s > 'z')
            return image_target(c, digest, "/verdict?stage=invalid");
    }
    return arena_printf(&c->arena, "/v1/images/%s/verdict?stage=%.16s", digest, stage);
}

/* The image and its verdict; CODE_PENDING when Keep does not know it (not told). */
static int get_assessment(struct ctl *c, const char *digest, struct assessment *a)
{
    struct json *answers = arena_array(&c->arena, 2, sizeof *answers);
    const char *image = image_target(c, digest, ""), *verdict = verdict_target(c, digest);

    if (answers == NULL || image == NULL || verdict == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    int rc = c->curl ? 0 : ctl_try(c, image, ERR_NOT_FOUND, &answers[0]);
    if (rc == 0)
        rc = ctl_try(c, verdict, ERR_NOT_FOUND, &answers[1]);
    if (rc != 0)
        return rc;
    a->image = &answers[0];
    a->verdict = a->whole = &answers[1];
    return 0;
}

/* With --wait an image that is unknown or not scanned may yet come. */
static int wait_for(struct ctl *c, const char *digest, struct assessment *a)
{
    const char *text = ctl_option(c, "wait");
    int64_t wait_ms = 0, started = time_monotonic_ms();

    if (text != NULL && (!time_parse_duration(text, &wait_ms) || wait_ms > MS_DAY))
        return ctl_wrong(c, NULL, "--wait: expected a duration like 60s or 5m, got '%s'", text);
    for (;;) {
        int rc = get_assessment(c, digest, a);
        bool is_there = rc == 0 && !str_eq(json_get_str(a->image, "freshness", ""), "never_scanned");
        if (is_there || (rc != 0 && rc != CODE_PENDING) || (rc == 0 && text == NULL))
            return rc;
        if (text == NULL)
            return CODE_NO_SCAN;
        if (time_monotonic_ms() - started + WAIT_STEP_S * MS_SECOND > wait_ms)
            return CODE_PENDING;
        ctl_say(c, "not scanned yet; looking again in %d s", WAIT_STEP_S);
        nanosleep(&(struct timespec){ .tv_sec = WAIT_STEP_S }, NULL);
    }
}

static int tell_absent(struct ctl *c, const char *digest, int code)
{
    if (code == CODE_PENDING)
        ctl_wrong(c, "keepctl image check --wait 5m ...   (a longer wait)", "%s is not scanned yet", digest);
    else
        ctl_wrong(c, "keepctl scan upload FILE --image REF@sha256:...", "Keep knows no image %s: it was never scanned or registered", digest);
    return code;
}

static int image_check(struct ctl *c)
{
    struct assessment a = { 0 };
    const char *digest;
    struct gate gate;

    int rc = read_gate(c, &gate, &a.report_severity);
    if (rc == 0)
        rc = resolve_image(c, ctl_arg(c, 0), &digest);
    if (rc != 0)
        return rc;
    rc = wait_for(c, digest, &a);
    if (rc == CODE_PENDING || rc == CODE_NO_SCAN)
        return tell_absent(c, digest, rc);
    if (rc != 0)
        return rc;
    a.exit_code = gate_decide(&gate, a.image, a.verdict, c->look.now_ms, &a.why);
    rc = fetch_findings(c, digest, &a);
    if (rc == 0)
        rc = out_assessment(c, &a);
    if (rc != 0)
        return rc;
    if (a.exit_code != 0) {
        ctl_say(c, "exit %d: %s", a.exit_code, a.why);
        if (a.exit_code == CODE_NO_SCAN)
            ctl_next(c, "keepctl scan upload FILE --image REF@%s", digest);
        else
            ctl_next(c, "keepctl image why %s", digest);
    }
    return a.exit_code;
}

/* ---- why ---------------------------------------------------------------------------------- */

static const struct column excepted_columns[] = {
    { "EXCEPTED", "vulnerability", COLUMN_TEXT }, { "PACKAGE", "package", COLUMN_TEXT }, { "SEVERITY", "severity", COLUMN_WORD },
    { "UNTIL", "exception.expires_at", COLUMN_TIME }, { "REASON", "exception.reason", COLUMN_TEXT }, { "EXCEPTION", "exception.id", COLUMN_TEXT },
};
static const struct column history_columns[] = {
    { "SINCE", "at", COLUMN_TIME }, { "VERDICT", "decision", COLUMN_WORD }, { "CAUSE", "cause", COLUMN_TEXT },
};
static const struct column clock_columns[] = {
    { "PACKAGES LISTED", "inventory_at", COLUMN_TIME }, { "SCANNED", "scanned_at", COLUMN_TIME }, { "DATABASE BUILT", "db_built_at", COLUMN_TIME },
    { "VERDICT SINCE", "verdict_since", COLUMN_TIME }, { "FIRST SEEN", "first_seen_at", COLUMN_TIME },
};

static int print_section(struct ctl *c, const struct column *columns, size_t n, const struct json *items)
{
    const struct listing l = { columns, n, items, items };
    struct err err = { 0 };
    struct buf b;

    if (json_is(items, JSON_ARRAY) && items->n == 0)
        return 0;
    buf_init(&b, OUT_TEXT_MAX);
    buf_putc(&b, '\n');
    int rc = out_table_list(&l, &c->look, &c->arena, &b, &err);
    if (rc == 0 && !b.failed)
        fwrite(b.ptr, 1, b.len, stdout);
    buf_free(&b);
    return rc == 0 ? 0 : ctl_fail(c, &err, NULL);
}

/* Those of the findings that an exception covers. */
static int print_excepted(struct ctl *c, const char *digest)
{
    struct json answer, kept = { .type = JSON_ARRAY };
    bool more;

    int rc = ctl_list(c, image_target(c, digest, "/findings"), EXCEPTED_MAX, &answer, &more);
    if (rc != 0)
        return rc;
    const struct json *items = json_get(&answer, "items");
    struct json *some = arena_array(&c->arena, json_len(items), sizeof *some);
    for (uint32_t i = 0; some != NULL && i < json_len(items); i++) {
        if (json_is(json_get(json_at(items, i), "exception"), JSON_OBJECT))
            some[kept.n++] = *json_at(items, i);
    }
    kept.items = some;
    return print_section(c, excepted_columns, N_ITEMS(excepted_columns), &kept);
}

static int print_more(struct ctl *c, const char *digest, const struct assessment *a)
{
    struct json history;
    bool more;

    int rc = print_section(c, clock_columns, N_ITEMS(clock_columns), a->image);
    if (rc == 0 && json_get_str(a->verdict, "valid_until", NULL) != NULL) {
        static const struct column until[] = { { "HOLDS UNTIL", "valid_until", COLUMN_TIME } };
        rc = print_section(c, until, 1, a->verdict);
    }
    if (rc == 0 && json_int(json_get(a->verdict, "excepted"), 0) > 0)
        rc = print_excepted(c, digest);
    if (rc == 0)
        rc = ctl_list(c, image_target(c, digest, "/verdicts"), HISTORY_SHOWN, &history, &more);
    return rc == 0 ? print_section(c, history_columns, N_ITEMS(history_columns), json_get(&history, "items")) : rc;
}

static int image_why(struct ctl *c)
{
    struct assessment a = { .why = "only asked" };
    const char *digest;

    int rc = resolve_image(c, ctl_arg(c, 0), &digest);
    if (rc == 0)
        rc = get_assessment(c, digest, &a);
    if (rc == CODE_PENDING)
        return tell_absent(c, digest, CODE_NO_SCAN);
    if (rc == 0)
        rc = fetch_findings(c, digest, &a);
    if (rc == 0)
        rc = out_assessment(c, &a);
    if (rc == 0 && str_eq(c->outs[0].format->name, "table") && c->outs[0].file == NULL)
        rc = print_more(c, digest, &a);
    if (rc == 0 && json_len(json_get(a.verdict, "reasons")) > 0)
        ctl_next(c, "keepctl exception create --vulnerability ID --digest %s --reason TEXT --owner NAME --expires-in 30d   (to accept a risk)", digest);
    return rc;
}

/* ---- lists of one image: "{}" is what resolve_image makes of the argument ------------------- */

static int with_digest(struct ctl *c, int (*run)(struct ctl *))
{
    const char *digest;
    int rc = resolve_image(c, ctl_arg(c, 0), &digest);

    if (rc != 0)
        return rc;
    c->cl->args[0] = digest;
    return run(c);
}

static int image_list_of(struct ctl *c)
{
    return with_digest(c, call_list);
}

static int image_show(struct ctl *c)
{
    return with_digest(c, call_show);
}

static const struct column image_columns[] = {
    { "IMAGE", "reference|repository", COLUMN_TEXT }, { "DIGEST", "digest", COLUMN_DIGEST }, { "VERDICT", "verdict", COLUMN_WORD },
    { "FRESHNESS", "freshness", COLUMN_WORD }, { "SCANNED", "scanned_at", COLUMN_TIME }, { "DATABASE", "db_built_at", COLUMN_TIME },
    { "CRIT", "counts.critical", COLUMN_NUMBER }, { "HIGH", "counts.high", COLUMN_NUMBER }, { "KEV", "counts.kev", COLUMN_NUMBER },
    { "RUNS", "running", COLUMN_NUMBER }, { "SIGNED", "signed", COLUMN_FLAG }, { "TEAM", "team", COLUMN_TEXT },
};
static const struct column detail_columns[] = {
    { "DIGEST", "digest", COLUMN_DIGEST }, { "REFERENCE", "reference", COLUMN_TEXT }, { "TAGS", "tags", COLUMN_TEXTS }, { "TEAM", "team", COLUMN_TEXT },
    { "VERDICT", "verdict", COLUMN_WORD }, { "SINCE", "verdict_since", COLUMN_TIME }, { "FRESHNESS", "freshness", COLUMN_WORD },
    { "SCANNED", "scanned_at", COLUMN_TIME }, { "DATABASE", "db_built_at", COLUMN_TIME }, { "PACKAGES LISTED", "inventory_at", COLUMN_TIME },
    { "PACKAGES", "packages", COLUMN_NUMBER }, { "EVALUABLE", "evaluable", COLUMN_NUMBER }, { "CRITICAL", "counts.critical", COLUMN_NUMBER },
    { "HIGH", "counts.high", COLUMN_NUMBER }, { "MEDIUM", "counts.medium", COLUMN_NUMBER }, { "LOW", "counts.low", COLUMN_NUMBER },
    { "FIXABLE", "counts.fixable", COLUMN_NUMBER }, { "KNOWN EXPLOITED", "counts.kev", COLUMN_NUMBER }, { "SECRETS", "counts.secrets", COLUMN_NUMBER },
    { "MALWARE", "counts.malware", COLUMN_NUMBER }, { "EXCEPTED", "counts.excepted", COLUMN_NUMBER }, { "SIGNED", "signed", COLUMN_FLAG },
    { "RUNNING", "running", COLUMN_NUMBER }, { "SYSTEM", "os.family", COLUMN_TEXT }, { "SYSTEM VERSION", "os.version", COLUMN_TEXT },
    { "ARCHITECTURE", "arch", COLUMN_TEXT }, { "BASE IMAGE", "base_image", COLUMN_TEXT }, { "FIRST SEEN", "first_seen_at", COLUMN_TIME },
    { "LAST SEEN", "last_seen_at", COLUMN_TIME },
};
static const struct column finding_columns[] = {
    { "VULNERABILITY", "vulnerability", COLUMN_TEXT }, { "SEVERITY", "severity", COLUMN_WORD }, { "CVSS", "cvss", COLUMN_SCORE }, { "EPSS", "epss", COLUMN_PERCENT },
    { "KEV", "kev", COLUMN_FLAG }, { "PACKAGE", "package", COLUMN_TEXT }, { "INSTALLED", "version", COLUMN_TEXT }, { "FIXED IN", "fixed_version", COLUMN_TEXT },
    { "SINCE", "since", COLUMN_TIME }, { "SCANNER", "scanner", COLUMN_TEXT }, { "EXCEPTED UNTIL", "exception.expires_at", COLUMN_TIME },
};
static const struct column package_columns[] = {
    { "PACKAGE", "name", COLUMN_TEXT }, { "VERSION", "version", COLUMN_TEXT }, { "ECOSYSTEM", "ecosystem", COLUMN_TEXT }, { "LICENCES", "licences", COLUMN_TEXT },
    { "PATH", "path", COLUMN_TEXT }, { "NOT EVALUABLE", "not_evaluable", COLUMN_TEXT },
};
static const struct column issue_columns[] = {
    { "KIND", "kind", COLUMN_TEXT }, { "SEVERITY", "severity", COLUMN_WORD }, { "RULE", "rule", COLUMN_TEXT }, { "STATUS", "status", COLUMN_TEXT },
    { "TITLE", "title|message", COLUMN_TEXT }, { "FILE", "file", COLUMN_TEXT }, { "LINE", "line", COLUMN_NUMBER },
};
static const struct column verdict_columns[] = { { "SINCE", "at", COLUMN_TIME }, { "VERDICT", "decision", COLUMN_WORD }, { "CAUSE", "cause", COLUMN_TEXT } };
static const struct column change_columns[] = {
    { "AT", "at", COLUMN_TIME }, { "CHANGE", "change", COLUMN_TEXT }, { "VULNERABILITY", "vulnerability", COLUMN_TEXT }, { "PACKAGE", "package", COLUMN_TEXT },
    { "CAUSE", "cause", COLUMN_TEXT }, { "DETAIL", "detail", COLUMN_TEXT }, { "SCANNER", "scanner", COLUMN_TEXT },
};

static const struct command_option list_options[] = {
    { "freshness", "STATE", "fresh, stale_scan, stale_database, never_scanned or unknown.", false },
    { "stale", NULL, "Only those that are stale by either clock, or were never scanned.", false },
    { "verdict", "VERDICT", "pass, warn, fail or unknown.", false }, { "team", "NAME", "Only of this team.", false },
    { "repository", "PATTERN", "Only in these repositories: * within a segment, ** across.", false },
    { "cve", "ID", "Only with this vulnerability.", false }, { "package", "NAME", "Only with this package.", false },
    { "running", NULL, "Only those that run somewhere.", false }, { "cluster", "NAME", "Only those that run in this cluster.", false },
    { "unsigned", NULL, "Only those judged on unsigned evidence.", false }, { "q", "TEXT", "Beginning of the repository or digest.", false },
    { "sort", "ORDER", "stale (default), risk, name or recent.", false }, LIMIT_OPTION,
};
static const struct command_option check_options[] = {
    GATE_OPTIONS,
    { "stage", "STAGE", "Judge for build, deploy or run.", false },
    { "wait", "DURATION", "Wait for an image that is not scanned yet; exit 8 when it is not by then.", false },
};
static const struct command_option finding_options[] = {
    { "severity", "SEVERITY", "Only this severity.", false }, { "fixable", NULL, "Only those with a fix.", false },
    { "open", NULL, "Only those that count: not excepted, not suppressed.", false }, LIMIT_OPTION,
};
static const struct command_option package_options[] = { { "q", "TEXT", "Beginning of the name.", false }, LIMIT_OPTION };
static const struct command_option limit_only[] = { LIMIT_OPTION };
static const struct command_option register_options[] = {
    { "digest", "DIGEST", "sha256:... when the reference has none.", false }, { "team", "NAME", "Who owns the repository.", false },
};
static const struct api_field register_fields[] = {
    { NULL, "image", AS_TEXT, true }, { "digest", "digest", AS_TEXT, false }, { "team", "team", AS_TEXT, false },
};

static const struct api_call list = { .method = "GET", .target = "/v1/images", .columns = image_columns, .n_columns = N_ITEMS(image_columns), .next = "keepctl image why IMAGE" };
static const struct api_call show = { .method = "GET", .target = "/v1/images/{}", .columns = detail_columns, .n_columns = N_ITEMS(detail_columns) };
static const struct api_call findings = { .method = "GET", .target = "/v1/images/{}/findings", .columns = finding_columns, .n_columns = N_ITEMS(finding_columns) };
static const struct api_call packages = { .method = "GET", .target = "/v1/images/{}/packages", .columns = package_columns, .n_columns = N_ITEMS(package_columns) };
static const struct api_call issues = { .method = "GET", .target = "/v1/images/{}/issues", .columns = issue_columns, .n_columns = N_ITEMS(issue_columns) };
static const struct api_call verdicts = { .method = "GET", .target = "/v1/images/{}/verdicts", .columns = verdict_columns, .n_columns = N_ITEMS(verdict_columns) };
static const struct api_call changes = { .method = "GET", .target = "/v1/images/{}/changes", .columns = change_columns, .n_columns = N_ITEMS(change_columns) };
static const struct api_call enrol = { .method = "POST", .target = "/v1/images", .columns = image_columns, .n_columns = N_ITEMS(image_columns),
    .fields = register_fields, .n_fields = N_ITEMS(register_fields), .next = "keepctl scan upload FILE --image REF@sha256:..." };

static const struct ctl_command rows[] = {
    { ROW("image list", "", 0, 0, "List images, the longest unscanned first.", list_options, NULL), call_list, &list },
    { PLAIN("image show", "IMAGE", 1, 1, "Show an image: clocks, counts, tags, where it runs."), image_show, &show },
    { ROW("image check", "IMAGE", 1, 1, "Judge an image now and exit by the verdict.", check_options,
          "IMAGE is a digest, the beginning of one, REPOSITORY@sha256:..., or REPOSITORY[:TAG]."), image_check, NULL },
    { PLAIN("image why", "IMAGE", 1, 1, "Explain an image's verdict: reasons, missing facts, exceptions, clocks, history."), image_why, NULL },
    { ROW("image findings", "IMAGE", 1, 1, "List an image's vulnerabilities, worst first.", finding_options, NULL), image_list_of, &findings },
    { ROW("image packages", "IMAGE", 1, 1, "List an image's packages.", package_options, NULL), image_list_of, &packages },
    { PLAIN("image issues", "IMAGE", 1, 1, "List misconfigurations, secrets, licences and malware of an image."), image_show, &issues },
    { ROW("image verdicts", "IMAGE", 1, 1, "List how an image was judged before.", limit_only, NULL), image_list_of, &verdicts },
    { PLAIN("image changes", "IMAGE", 1, 1, "List how an image's findings came and went."), image_show, &changes },
    { ROW("image register", "REF", 1, 1, "Tell Keep of an image that is not scanned yet.", register_options, NULL), call_change, &enrol },
};
const struct ctl_commands image_commands = { rows, N_ITEMS(rows) };
