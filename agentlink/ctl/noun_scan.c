/* noun_scan.c - scan: upload a report and take the verdict from the same answer. */
#include "base/time.h"
#include "client/url.h"
#include "ctl/attest.h"
#include "ctl/call.h"
#include "ctl/file.h"
#include "ctl/nouns.h"
#include "ctl/resolve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PIPELINE_MAX = 256 };

static int read_time(struct ctl *c, const char *option, int64_t *out)
{
    const char *text = ctl_option(c, option);

    if (text != NULL && (!time_parse_loose(text, out) || *out == TIME_UNKNOWN))
        return ctl_wrong(c, NULL, "--%s: expected a time like 2026-11-25T13:11:58Z, got '%s'", option, text);
    return 0;
}

static int read_db_built(struct ctl *c, int64_t *out)
{
    const char *path = ctl_option(c, "trivy-version-json");
    struct err err = { 0 };
    struct bytes text;

    if (path != NULL && (file_read(&c->arena, path, 1024 * 1024, &text, &err) != 0 || trivy_version_db(&c->arena, text, out, &err) != 0)) {
        err_prefix(&err, "--trivy-version-json");
        return ctl_fail(c, &err, NULL);
    }
    return read_time(c, "db-built", out);
}

/* When the report does not say: the time its file was written, else now. */
static int64_t written_ms(const struct ctl *c, const char *path)
{
    struct stat st;

    if (!str_eq(path, "-") && stat(path, &st) == 0 && S_ISREG(st.st_mode))
        return (int64_t)st.st_mtim.tv_sec * MS_SECOND + st.st_mtim.tv_nsec / 1000000;
    return c->look.now_ms;
}

/* Where this runs, from what CI systems put into the environment. */
static const char *pipeline_of(struct ctl *c)
{
    static const char *const names[] = { "CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL" };
    const char *server = getenv("GITHUB_SERVER_URL"), *repository = getenv("GITHUB_REPOSITORY"), *run = getenv("GITHUB_RUN_ID");
    const char *text = ctl_option(c, "pipeline");

    if (text == NULL && server != NULL && repository != NULL && run != NULL)
        text = arena_printf(&c->arena, "%s/%s/actions/runs/%s", server, repository, run);
    for (size_t i = 0; i < N_ITEMS(names) && text == NULL; i++)
        text = getenv(names[i]);
    return text == NULL || text[0] == '\0' ? NULL : arena_strndup(&c->arena, text, strnlen(text, PIPELINE_MAX));
}

static const char *upload_target(struct ctl *c, const struct attested *a)
{
    char built[TIME_TEXT];
    struct buf b;

    time_format(a->db_built_ms, built);
    buf_init(&b, 8192);
    buf_puts(&b, "/v1/scans");
    url_query(&b, "image", a->image);
    url_query(&b, "team", ctl_option(c, "team"));
    url_query(&b, "pipeline", pipeline_of(c));
    url_query(&b, "db_built", built[0] != '\0' ? built : NULL);
    char *text = b.failed ? NULL : arena_strndup(&c->arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

static int prepare(struct ctl *c, const char *path, struct attested *out)
{
    struct attest_spec spec = { .image = ctl_option(c, "image"), .digest = ctl_option(c, "digest"), .db_built_ms = TIME_UNKNOWN };
    const char *key_path = ctl_option(c, "key");
    struct privkey *key = NULL;
    struct err err = { 0 };
    int rc = 0;

    spec.scanned_ms = written_ms(c, path);
    if (read_db_built(c, &spec.db_built_ms) != 0 || read_time(c, "scanned-at", &spec.scanned_ms) != 0)
        return CODE_LOCAL;
    if (key_path != NULL)
        rc = key_load(&c->arena, key_path, &key, &err);
    spec.key = key;
    if (rc == 0)
        rc = file_read(&c->arena, path, REPORT_FILE_MAX, &spec.report, &err);
    if (rc == 0 && (rc = attest(&c->arena, &spec, out, &err)) != 0)
        err_prefix(&err, "%s", path);
    privkey_free(key);
    return rc == 0 ? 0 : ctl_fail(c, &err, NULL);
}

static void advise(struct ctl *c, const struct attested *a, const struct json *answer, int code)
{
    const char *digest = json_str(json_path(answer, "image.digest"), "DIGEST");

    if (json_bool(json_get(answer, "superseded"), false))
        ctl_say(c, "a newer scan is known already; this one replaces nothing");
    if (!a->is_signed)
        ctl_say(c, "the report is not signed; with --key it would count as a registered signer's");
    if (code != 0)
        ctl_next(c, "keepctl image why %s", digest);
}

/* The evidence itself, for whoever wants to send or keep it. */
static int save_evidence(struct ctl *c, const struct attested *a, const char *path)
{
    struct err err = { 0 };

    if (file_write(path, a->body, 0644, true, &err) != 0)
        return ctl_fail(c, &err, NULL);
    c->body_file = path;
    return 0;
}

static int judge_upload(struct ctl *c, const char *path, const struct json *answer, const struct gate *gate, int severity, int *code)
{
    struct assessment a = {
        .scan = json_get(answer, "scan"), .image = json_get(answer, "image"), .verdict = json_get(answer, "verdict"),
        .whole = answer, .file = path, .report_severity = severity,
    };

    *code = a.exit_code = gate_decide(gate, a.image, a.verdict, c->look.now_ms, &a.why);
    int rc = fetch_findings(c, json_get_str(a.image, "digest", ""), &a);
    return rc == 0 ? out_assessment(c, &a) : rc;
}

static int scan_upload(struct ctl *c)
{
    const char *path = ctl_arg(c, 0), *save = ctl_option(c, "save");
    struct client_request r = { .method = "POST", .content_type = "application/json" };
    struct attested a;
    struct json answer;
    struct gate gate;
    int severity, code;

    int rc = read_gate(c, &gate, &severity);
    if (rc == 0)
        rc = prepare(c, path, &a);
    c->body_file = rc == 0 && (a.body.len == 0 || !str_eq(a.how, "signed here") || a.signature != NULL) ? path : NULL;
    if (rc == 0 && save != NULL)
        rc = save_evidence(c, &a, save);
    if (rc != 0)
        return rc;
    r.target = upload_target(c, &a);
    r.body = a.body;
    if (r.target == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    if (a.subject != NULL)
        r.headers[r.n_headers++] = (struct client_header){ "Keep-Subject", a.subject };
    if (a.signature != NULL)
        r.headers[r.n_headers++] = (struct client_header){ "Keep-Signature", a.signature };
    rc = ctl_send(c, &r, &answer, NULL);
    if (rc != 0)
        return rc;
    rc = judge_upload(c, path, &answer, &gate, severity, &code);
    advise(c, &a, &answer, code);
    return rc != 0 ? rc : code;
}

static const struct command_option upload_options[] = {
    { "image", "REF", "The image: REPOSITORY[:TAG]@sha256:... (its digest may come from --digest or the report).", false },
    { "digest", "DIGEST", "sha256:... of the image.", false },
    { "key", "FILE", "Sign with this private key (PEM; see: keepctl key generate).", false },
    { "db-built", "TIME", "When the scanner's database was built, if the report does not say.", false },
    { "trivy-version-json", "FILE", "The same from the output of: trivy version --format json.", false },
    { "scanned-at", "TIME", "When it was scanned, if the report does not say (the file's time).", false },
    { "team", "NAME", "Who owns the repository.", false },
    { "pipeline", "TEXT", "Name or address of the CI run; found out by itself in common CI systems.", false },
    { "save", "FILE", "Also write the evidence that is sent to this file.", false },
    GATE_OPTIONS,
};

static const struct column scan_columns[] = {
    { "ID", "id", COLUMN_TEXT }, { "IMAGE", "image", COLUMN_DIGEST }, { "REPOSITORY", "repository", COLUMN_TEXT }, { "SCANNER", "scanner", COLUMN_TEXT },
    { "SCANNED", "scanned_at", COLUMN_TIME }, { "DATABASE", "db_built_at", COLUMN_TIME }, { "RECEIVED", "received_at", COLUMN_TIME },
    { "SIGNER", "signer.name", COLUMN_TEXT }, { "FINDINGS", "findings", COLUMN_NUMBER }, { "CURRENT", "is_current", COLUMN_FLAG },
};
static const struct column scan_detail[] = {
    { "ID", "id", COLUMN_TEXT }, { "IMAGE", "image", COLUMN_DIGEST }, { "REPOSITORY", "repository", COLUMN_TEXT }, { "FORMAT", "format", COLUMN_TEXT },
    { "SCANNER", "scanner", COLUMN_TEXT }, { "VERSION", "scanner_version", COLUMN_TEXT }, { "SCANNED", "scanned_at", COLUMN_TIME },
    { "DATABASE", "db_built_at", COLUMN_TIME }, { "DATABASE VERSION", "db_version", COLUMN_TEXT }, { "RECEIVED", "received_at", COLUMN_TIME },
    { "UPLOADED BY", "uploaded_by", COLUMN_TEXT }, { "PIPELINE", "pipeline", COLUMN_TEXT }, { "SIGNER", "signer.name", COLUMN_TEXT },
    { "CURRENT", "is_current", COLUMN_FLAG }, { "PACKAGES", "packages", COLUMN_NUMBER }, { "EVALUABLE", "evaluable", COLUMN_NUMBER },
    { "FINDINGS", "findings", COLUMN_NUMBER }, { "ISSUES", "issues", COLUMN_NUMBER }, { "UNMAPPED", "unmapped", COLUMN_NUMBER },
    { "EVIDENCE", "evidence", COLUMN_TEXT },
};
static const struct command_option list_options[] = {
    { "image", "DIGEST", "Only of this image.", false }, { "scanner", "NAME", "Only by this scanner.", false }, LIMIT_OPTION,
};
static const struct api_call scan_list = { .method = "GET", .target = "/v1/scans", .columns = scan_columns, .n_columns = N_ITEMS(scan_columns) };
static const struct api_call scan_show = { .method = "GET", .target = "/v1/scans/{}", .columns = scan_detail, .n_columns = N_ITEMS(scan_detail) };

static const struct ctl_command rows[] = {
    { ROW("scan upload", "FILE", 1, 1, "Upload a scanner's report or signed evidence; print the verdict and exit by it.", upload_options,
          "FILE (-: standard input) is a report of Trivy, Grype, Syft, CycloneDX, SPDX, SARIF and others, a DSSE envelope or a\n"
          "Sigstore bundle. With --key a report is put into an in-toto statement about the image's digest and signed."),
      scan_upload, NULL },
    { ROW("scan list", "", 0, 0, "List uploaded scans, newest first.", list_options, NULL), call_list, &scan_list },
    { PLAIN("scan show", "ID", 1, 1, "Show an uploaded scan."), call_show, &scan_show },
};
const struct ctl_commands scan_commands = { rows, N_ITEMS(rows) };
