/* noun_policy_change.c - policy impact, diff and apply: a policy's file against the server. */
#include "client/url.h"
#include "ctl/call.h"
#include "ctl/nouns.h"
#include "ctl/policy_files.h"
#include "ctl/unified.h"

#include <inttypes.h>
#include <string.h>

enum { GROUPS_SHOWN = 20 };

static const char *target_of(struct ctl *c, const struct policy_file *p, const char *pattern)
{
    struct buf b;

    buf_init(&b, 4096);
    url_path(&b, pattern, &p->name, 1);
    char *text = b.failed ? NULL : arena_strndup(&c->arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

/* All files are read and compiled before anything is asked or done. */
static int read_files(struct ctl *c, struct policy_files *out)
{
    struct err err = { 0 };

    for (size_t i = 0; i < c->cl->n_args; i++) {
        if (policy_files_read(&c->arena, c->cl->args[i], out, &err) != 0) {
            int code = ctl_fail(c, &err, NULL);
            ctl_say(c, "try: keepctl policy lint %s", c->cl->args[i]);
            return code;
        }
    }
    return 0;
}

/* ---- impact ------------------------------------------------------------------------------- */

static int64_t count(const struct json *v, const char *key)
{
    return json_int(json_get(v, key), 0);
}

static void put_counts(struct buf *b, const char *what, const struct json *v)
{
    buf_printf(b, "%-12s %7" PRId64 " examined: %" PRId64 " newly failing, %" PRId64 " newly passing, %" PRId64 " newly warned, %" PRId64
               " no longer warned, %" PRId64 " for other reasons, %" PRId64 " unchanged", what, count(v, "examined"), count(v, "newly_failing"),
               count(v, "newly_passing"), count(v, "newly_warned"), count(v, "no_longer_warned"), count(v, "reasons_changed"), count(v, "unchanged"));
    if (count(v, "unreadable") > 0)
        buf_printf(b, ", %" PRId64 " unreadable", count(v, "unreadable"));
    buf_putc(b, '\n');
}

static void put_groups(struct buf *b, const struct json *groups)
{
    uint32_t n = json_len(groups);

    if (n > 0)
        buf_puts(b, "\nwho is concerned\n");
    for (uint32_t i = 0; i < n && i < GROUPS_SHOWN; i++) {
        const struct json *g = json_at(groups, i);
        bool of_image = json_get(g, "repository") != NULL && json_get_str(g, "repository", NULL) != NULL;
        const char *first = json_get_str(g, of_image ? "team" : "cluster", ""), *second = json_get_str(g, of_image ? "repository" : "namespace", "");
        buf_puts(b, of_image ? "  team " : "  cluster ");
        put_safe(b, first[0] != '\0' ? first : "-");
        buf_puts(b, of_image ? ", " : ", namespace ");
        put_safe(b, second[0] != '\0' ? second : "-");
        buf_printf(b, ": %" PRId64 " newly failing, %" PRId64 " newly passing\n", count(g, "newly_failing"), count(g, "newly_passing"));
    }
    if (n > GROUPS_SHOWN)
        buf_printf(b, "  and %u more; all with --output json\n", n - GROUPS_SHOWN);
}

static void put_examples(struct buf *b, const struct look *look, const struct json *examples)
{
    if (json_len(examples) > 0)
        buf_puts(b, "\nfor example\n");
    for (uint32_t i = 0; i < json_len(examples); i++) {
        const struct json *e = json_at(examples, i), *reasons = json_get(e, "reasons");
        const char *before = json_get_str(e, "before", "?"), *after = json_get_str(e, "after", "?");
        buf_puts(b, "  ");
        put_colour(b, look, colour_of(before), before);
        buf_puts(b, " -> ");
        put_colour(b, look, colour_of(after), after);
        buf_puts(b, "  ");
        put_safe(b, json_get_str(e, "name", ""));
        buf_putc(b, '\n');
        for (uint32_t k = 0; k < json_len(reasons); k++) {
            buf_puts(b, "      ");
            put_safe(b, json_get_str(json_at(reasons, k), "rule", ""));
            buf_puts(b, ": ");
            put_safe(b, json_get_str(json_at(reasons, k), "message", ""));
            buf_putc(b, '\n');
        }
    }
}

static void put_impact(struct buf *b, const struct look *look, const struct json *v)
{
    buf_puts(b, "policy ");
    put_safe(b, json_get_str(v, "policy", ""));
    buf_puts(b, json_bool(json_get(v, "is_new"), false) ? " (new)\n" : "\n");
    put_counts(b, "images", json_get(v, "images"));
    put_counts(b, "admissions", json_get(v, "admissions"));
    put_groups(b, json_get(v, "groups"));
    put_examples(b, look, json_get(v, "examples"));
    if (!json_bool(json_get(v, "is_complete"), true))
        buf_puts(b, "\nthe time was up before everything had been tried: what is said holds for what was examined\n");
}

static int show_impact(struct ctl *c, const struct json *answer)
{
    for (size_t i = 0; i < c->n_outs; i++) {
        struct look look = c->outs[i].file == NULL ? c->look : (struct look){ .now_ms = c->look.now_ms };
        const struct listing l = { .items = answer, .whole = answer };
        struct err err = { 0 };
        struct buf b;
        int rc = 0;

        buf_init(&b, OUT_TEXT_MAX);
        if (str_eq(c->outs[i].format->name, "table"))
            put_impact(&b, &look, answer);
        else if (str_eq(c->outs[i].format->name, "json"))
            rc = out_json_list(&l, &look, &c->arena, &b, &err) != 0 ? ctl_fail(c, &err, NULL) : 0;
        else
            rc = ctl_wrong(c, "--output table or json", "%s is not for this command", c->outs[i].format->name);
        rc = rc == 0 ? out_deliver(c, &c->outs[i], &b) : rc;
        buf_free(&b);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int ask_impact(struct ctl *c, const struct policy_file *p)
{
    struct client_request r = { .method = "POST", .target = target_of(c, p, "/v1/policies/{}/impact"), .body = p->text, .content_type = "text/yaml" };
    struct json answer;

    if (r.target == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    int rc = ctl_send(c, &r, &answer, NULL);
    return rc != 0 ? ctl_code(rc) : show_impact(c, &answer);
}

static int impact(struct ctl *c)
{
    struct policy_files files = { 0 };
    int rc = read_files(c, &files);

    for (size_t i = 0; rc == 0 && i < files.n; i++)
        rc = ask_impact(c, &files.items[i]);
    if (rc == 0 && !c->curl)
        ctl_next(c, "keepctl policy apply FILE");
    return rc;
}

/* ---- diff ------------------------------------------------------------------------------------- */

/* What the server has, empty when it has none. */
static int fetch(struct ctl *c, const struct policy_file *p, struct bytes *out, bool *is_there)
{
    const char *target = target_of(c, p, "/v1/policies/{}");
    struct json answer;

    if (target == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    int rc = ctl_try(c, target, ERR_NOT_FOUND, &answer);
    *is_there = rc == 0;
    const char *text = rc == 0 ? json_get_str(&answer, "document", "") : "";
    *out = (struct bytes){ (const unsigned char *)text, strlen(text) };
    return rc == CODE_PENDING ? 0 : rc;
}

static int diff_one(struct ctl *c, const struct policy_file *p, bool *differs)
{
    const struct out_spec plain = { &out_formats[0], NULL };
    struct err err = { 0 };
    struct bytes held;
    struct buf b;
    bool is_there;

    int rc = fetch(c, p, &held, &is_there);
    if (rc != 0)
        return rc;
    const char *name = is_there ? arena_printf(&c->arena, "server: policy %s", p->name) : "server: no such policy";
    if (name == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    buf_init(&b, OUT_TEXT_MAX);
    rc = unified_diff(&c->arena, name, held, p->file, p->text, &b, &err) != 0 ? ctl_fail(c, &err, NULL) : 0;
    *differs = b.len > 0;
    rc = rc == 0 ? out_deliver(c, &plain, &b) : rc;
    buf_free(&b);
    return rc == 0 && *differs && ctl_option(c, "impact") != NULL ? ask_impact(c, p) : rc;
}

static int diff(struct ctl *c)
{
    struct policy_files files = { 0 };
    size_t changes = 0;
    int rc = read_files(c, &files);

    if (c->curl)
        return ctl_wrong(c, "keepctl policy show NAME --document --curl", "a comparison is more than one request");
    for (size_t i = 0; rc == 0 && i < files.n; i++) {
        bool differs = false;
        rc = diff_one(c, &files.items[i], &differs);
        changes += differs;
    }
    if (rc != 0)
        return rc;
    ctl_say(c, "%zu of %zu would change", changes, files.n);
    return changes > 0 ? CODE_PENDING : CODE_PASS;
}

/* ---- apply --------------------------------------------------------------------------------------- */

static int apply_one(struct ctl *c, const struct policy_file *p)
{
    struct client_request r = { .method = "PUT", .target = target_of(c, p, "/v1/policies/{}"), .body = p->text, .content_type = "text/yaml" };
    struct bytes held = { NULL, 0 };
    bool is_there = false;
    struct json ignored;

    if (r.target == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    int rc = c->curl ? 0 : fetch(c, p, &held, &is_there);
    if (rc != 0)
        return rc;
    bool same = is_there && held.len == p->text.len && memcmp(held.ptr, p->text.ptr, held.len) == 0;
    if (!same && (rc = ctl_send(c, &r, &ignored, NULL)) != 0)
        return rc == CTL_PRINTED ? 0 : rc;
    printf("%s policy %s\n", same ? "unchanged" : is_there ? "changed" : "created", p->name);
    return 0;
}

static int apply(struct ctl *c)
{
    struct policy_files files = { 0 };
    int rc = read_files(c, &files);

    for (size_t i = 0; rc == 0 && i < files.n; i++)
        rc = apply_one(c, &files.items[i]);
    return rc;
}

static const struct command_option diff_options[] = { { "impact", NULL, "Also ask what would change for known images and recorded admissions.", false } };

static const struct ctl_command rows[] = {
    { PLAIN("policy impact", "FILE...", 1, COMMAND_ARGS_MAX, "Ask what a policy would change, before it does: known images and recorded admissions, judged again."), impact, NULL },
    { ROW("policy diff", "FILE...", 1, COMMAND_ARGS_MAX, "Compare policies with the server's, line by line. Exit 8 when they differ.", diff_options, NULL), diff, NULL },
    { PLAIN("policy apply", "FILE...", 1, COMMAND_ARGS_MAX, "Store policies of all three kinds; what is so already stays untouched."), apply, NULL },
};
const struct ctl_commands policy_change_commands = { rows, N_ITEMS(rows) };
