/* noun_vex.c - vex: statements that a vulnerability does not matter, in and out. */
#include "client/url.h"
#include "ctl/call.h"
#include "ctl/file.h"
#include "ctl/nouns.h"

enum { VEX_MAX = 8 * 1024 * 1024 };

static const struct column taken_columns[] = {
    { "STATEMENTS", "statements", COLUMN_NUMBER }, { "EXCEPTIONS", "exceptions", COLUMN_TEXTS }, { "MATCHED", "matched", COLUMN_NUMBER },
};
static const struct command_option upload_options[] = {
    { "owner", "NAME", "Who answers for it; absent: the document's author.", false },
    { "expires-in", "DURATION", "How long the exceptions hold (90d).", false },
};
static const struct command_option export_options[] = {
    { "repository", "PATTERN", "Of these repositories; this or --digest.", false }, { "digest", "DIGEST", "Of one image; this or --repository.", false },
    { "save", "FILE", "Write it to this file instead of standard output.", false },
};
static const struct api_call upload_call = { .method = "POST", .target = "/v1/vex", .columns = taken_columns, .n_columns = N_ITEMS(taken_columns) };
static const struct api_call export_call = { .method = "GET", .target = "/v1/vex" };

static const char *vex_target(struct ctl *c, const char *const *options, size_t n)
{
    struct buf b;

    buf_init(&b, 8192);
    buf_puts(&b, "/v1/vex");
    for (size_t i = 0; i < n; i++)
        url_query(&b, str_eq(options[i], "expires-in") ? "expires_in" : options[i], ctl_option(c, options[i]));
    char *text = b.failed ? NULL : arena_strndup(&c->arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

static int vex_upload(struct ctl *c)
{
    static const char *const options[] = { "owner", "expires-in" };
    struct client_request r = { .method = "POST", .target = vex_target(c, ROWS(options)), .content_type = "application/json" };
    struct json answer;
    struct err err = { 0 };

    if (r.target == NULL || file_read(&c->arena, ctl_arg(c, 0), VEX_MAX, &r.body, &err) != 0)
        return ctl_fail(c, &err, NULL);
    c->body_file = ctl_arg(c, 0);
    int rc = ctl_send(c, &r, &answer, NULL);
    if (rc == 0)
        rc = call_print(c, &answer);
    const struct json *unmatched = rc == 0 ? json_get(&answer, "unmatched") : NULL;
    for (uint32_t i = 0; i < json_len(unmatched); i++)
        ctl_say(c, "no image known now: %s in %s", json_get_str(json_at(unmatched, i), "vulnerability", "?"),
                json_get_str(json_at(unmatched, i), "product", "?"));
    return rc;
}

static int vex_export(struct ctl *c)
{
    static const char *const options[] = { "repository", "digest" };
    struct client_request r = { .method = "GET", .target = vex_target(c, ROWS(options)) };
    struct client_answer answer = { 0 };
    const char *save = ctl_option(c, "save");
    struct err err = { 0 };

    int rc = r.target != NULL ? ctl_send(c, &r, NULL, &answer) : ctl_wrong(c, NULL, "out of memory");
    if (rc != 0)
        return rc;
    if (save != NULL)
        return file_write(save, answer.body, 0644, true, &err) == 0 ? 0 : ctl_fail(c, &err, NULL);
    return fwrite(answer.body.ptr, 1, answer.body.len, stdout) == answer.body.len && putchar('\n') != EOF ? 0 : CODE_LOCAL;
}

static const struct ctl_command rows[] = {
    { ROW("vex upload", "FILE", 1, 1, "Make exceptions of a VEX document (OpenVEX).", upload_options, NULL), vex_upload, &upload_call },
    { ROW("vex export", "", 0, 0, "Print active exceptions as an OpenVEX document.", export_options, NULL), vex_export, &export_call },
};
const struct ctl_commands vex_commands = { rows, N_ITEMS(rows) };
