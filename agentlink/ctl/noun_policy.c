/* noun_policy.c - policy: what is in force, and whether a document would be. */
#include "client/url.h"
#include "core/policy_test.h"
#include "ctl/call.h"
#include "ctl/nouns.h"
#include "ctl/policy_files.h"

#include <string.h>

static const struct column policy_columns[] = {
    { "NAME", "name", COLUMN_TEXT }, { "ENABLED", "enabled", COLUMN_FLAG }, { "MODE", "mode", COLUMN_TEXT }, { "STAGES", "stages", COLUMN_TEXTS },
    { "RULES", "rules", COLUMN_NUMBER }, { "VERSION", "version", COLUMN_NUMBER }, { "SHIPPED", "shipped", COLUMN_FLAG },
    { "UPDATED", "updated_at", COLUMN_TIME }, { "BY", "updated_by", COLUMN_TEXT }, { "TITLE", "title", COLUMN_TEXT },
};
static const struct column version_columns[] = {
    { "VERSION", "version", COLUMN_NUMBER }, { "AT", "at", COLUMN_TIME }, { "BY", "author", COLUMN_TEXT },
};
static const struct command_option limit_only[] = { LIMIT_OPTION };
static const struct command_option show_options[] = { { "document", NULL, "Print the document as it was written.", false } };
static const struct api_call list = { .method = "GET", .target = "/v1/policies", .columns = policy_columns, .n_columns = N_ITEMS(policy_columns) };
static const struct api_call show = { .method = "GET", .target = "/v1/policies/{}", .columns = policy_columns, .n_columns = N_ITEMS(policy_columns) };
static const struct api_call enable = { .method = "POST", .target = "/v1/policies/{}/enable", .done = "policy %s takes part in verdicts" };
static const struct api_call disable = { .method = "POST", .target = "/v1/policies/{}/disable", .done = "policy %s is left out of verdicts" };
static const struct api_call erase = { .method = "DELETE", .target = "/v1/policies/{}", .done = "policy %s is deleted; its versions stay" };
static const struct api_call versions = { .method = "GET", .target = "/v1/policies/{}/versions", .columns = version_columns, .n_columns = N_ITEMS(version_columns) };

static int policy_show(struct ctl *c)
{
    struct json answer;
    struct buf b;

    if (ctl_option(c, "document") == NULL)
        return call_show(c);
    buf_init(&b, 4096);
    url_path(&b, show.target, c->cl->args, 1);      /* without the options as a query */
    int rc = b.failed ? ctl_wrong(c, NULL, "the name is too long") : ctl_get(c, b.ptr, &answer);
    buf_free(&b);
    if (rc == 0)
        fputs(json_get_str(&answer, "document", ""), stdout);
    return rc;
}

/* ---- lint: the same compiler as the server's, without a server --------------------------- */

static void print_complaint(const struct document *d, const char *path, const char *message, uint32_t offset)
{
    unsigned line = 1, column = 1;
    char within[32];
    struct buf b;

    json_position(d->text.ptr, d->text.len, offset, &line, &column);
    /* The compiler says the place within its document; here it is that of the file. */
    int n = snprintf(within, sizeof within, "%u:%u: ", line, column);
    message += str_starts(message, within) ? n : 0;
    buf_init(&b, 16 * 1024);
    put_safe(&b, d->file);
    buf_printf(&b, ":%u:%u: ", d->line + line - 1, column);
    put_safe(&b, path);
    buf_puts(&b, ": ");
    put_safe(&b, message);
    buf_putc(&b, '\n');
    if (!b.failed)
        fwrite(b.ptr, 1, b.len, stdout);
    buf_free(&b);
}

struct lint_sum { size_t documents, complaints, notes; };

static int lint_document(struct ctl *c, const struct document *d, struct lint_sum *sum)
{
    struct policy_lint found;
    struct err err = { 0 };

    if (policy_lint(d->text.ptr, d->text.len, &c->arena, &found, &err) != 0)
        return ctl_fail(c, &err, NULL);
    for (const struct complaint *one = found.complaints.first; one != NULL; one = one->next)
        print_complaint(d, one->path, one->message, one->offset);
    for (size_t i = 0; i < found.n_notes; i++)
        print_complaint(d, "note", found.notes[i], 0);
    sum->documents++;
    sum->complaints += found.complaints.n;
    sum->notes += found.n_notes;
    return 0;
}

static int lint(struct ctl *c)
{
    struct lint_sum sum = { 0 };

    for (size_t i = 0; i < c->cl->n_args; i++) {
        struct documents docs = { 0 };
        struct err err = { 0 };
        if (policy_documents(&c->arena, c->cl->args[i], &docs, &err) != 0)
            return ctl_fail(c, &err, NULL);
        for (size_t k = 0; k < docs.n; k++) {
            int rc = lint_document(c, &docs.items[k], &sum);
            if (rc != 0)
                return rc;
        }
    }
    if (sum.documents == 0)
        return ctl_wrong(c, NULL, "no document found");
    ctl_say(c, "%zu polic%s, %zu error%s, %zu note%s", sum.documents, sum.documents == 1 ? "y" : "ies",
            sum.complaints, sum.complaints == 1 ? "" : "s", sum.notes, sum.notes == 1 ? "" : "s");
    if (sum.complaints == 0)
        ctl_next(c, "keepctl policy diff FILE --impact");
    return sum.complaints == 0 ? CODE_PASS : CODE_POLICY;
}

static const struct ctl_command rows[] = {
    { ROW("policy list", "", 0, 0, "List policies.", limit_only, NULL), call_list, &list },
    { ROW("policy show", "NAME", 1, 1, "Show a policy.", show_options, NULL), policy_show, &show },
    { PLAIN("policy lint", "FILE...", 1, COMMAND_ARGS_MAX, "Check policy documents offline; every error with its line, and notes. Exit 2 when there is an error."), lint, NULL },
    { PLAIN("policy enable", "NAME", 1, 1, "Let a policy take part in verdicts."), call_change, &enable },
    { PLAIN("policy disable", "NAME", 1, 1, "Leave a policy out of verdicts."), call_change, &disable },
    { PLAIN("policy delete", "NAME", 1, 1, "Delete a policy."), call_change, &erase },
    { ROW("policy versions", "NAME", 1, 1, "List a policy's versions, newest first.", limit_only, NULL), call_list, &versions },
};
const struct ctl_commands policy_commands = { rows, N_ITEMS(rows) };
