/* noun_declare.c - apply, diff and delete --file: documents kept in git, made so. */
#include "ctl/call.h"
#include "ctl/nouns.h"
#include "ctl/plan.h"

struct plans { struct plan *items; size_t n; };

static int read_documents(struct ctl *c, struct documents *docs)
{
    struct err err = { 0 };
    size_t n = 0;

    for (; command_get_nth(c->cl, "file", n) != NULL; n++) {
        if (documents_read(&c->arena, command_get_nth(c->cl, "file", n), docs, &err) != 0)
            return ctl_fail(c, &err, NULL);
    }
    for (size_t i = 0; i < c->cl->n_args; i++, n++) {
        if (documents_read(&c->arena, c->cl->args[i], docs, &err) != 0)
            return ctl_fail(c, &err, NULL);
    }
    if (n == 0)
        return ctl_wrong(c, "--file FILE   (-: standard input)", "which documents?");
    return 0;
}

/* Every document is looked at, so that every mistake is told. */
static int make_plans(struct ctl *c, int (*one)(struct ctl *, const struct document *, struct plan *), struct plans *out)
{
    struct documents *docs = arena_alloc(&c->arena, sizeof *docs);
    int code = docs != NULL ? read_documents(c, docs) : ctl_wrong(c, NULL, "out of memory");

    if (code != 0)
        return code;
    out->items = arena_array(&c->arena, docs->n, sizeof *out->items);
    if (out->items == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    for (size_t i = 0; i < docs->n; i++) {
        int rc = one(c, &docs->items[i], &out->items[i]);
        if (rc != 0 && rc != CODE_LOCAL)
            return rc;
        code = rc != 0 ? rc : code;
    }
    out->n = docs->n;
    return code;
}

static void print_plan(struct ctl *c, const struct plan *p, const char *word, enum colour colour)
{
    struct buf b;

    buf_init(&b, OUT_TEXT_MAX);
    put_colour(&b, &c->look, colour, word);
    buf_putc(&b, ' ');
    put_safe(&b, p->doc->kind);
    buf_putc(&b, ' ');
    put_safe(&b, p->doc->name[0] != '\0' ? p->doc->name : "(unnamed)");
    buf_putc(&b, '\n');
    for (const char *s = p->detail; *s != '\0'; s++)       /* lines of ours, values as JSON */
        buf_putc(&b, *s == '\n' || (unsigned char)*s >= ' ' ? *s : '?');
    if (!b.failed)
        fwrite(b.ptr, 1, b.len, stdout);
    buf_free(&b);
}

/* ---- diff ------------------------------------------------------------------------------------ */

static int diff(struct ctl *c)
{
    static const struct { const char *mark; enum colour colour; } marks[] = {
        [PLAN_SAME] = { "=", COLOUR_DIM }, [PLAN_CREATE] = { "+", COLOUR_GREEN }, [PLAN_UPDATE] = { "~", COLOUR_YELLOW },
        [PLAN_DELETE] = { "-", COLOUR_RED }, [PLAN_ABSENT] = { "=", COLOUR_DIM }, [PLAN_REFUSED] = { "!", COLOUR_RED },
    };
    struct plans plans = { 0 };
    size_t changes = 0, refused = 0;

    int rc = make_plans(c, plan_apply, &plans);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < plans.n; i++) {
        enum plan_action a = plans.items[i].action;
        changes += a == PLAN_CREATE || a == PLAN_UPDATE;
        refused += a == PLAN_REFUSED;
        if (a != PLAN_SAME)
            print_plan(c, &plans.items[i], marks[a].mark, marks[a].colour);
    }
    ctl_say(c, "%zu of %zu would change", changes, plans.n);
    if (refused > 0)
        return ctl_wrong(c, "keepctl signer revoke ID, then a new name and key", "%zu cannot be changed in place", refused);
    if (changes > 0)
        ctl_next(c, "keepctl apply --file FILE");
    return changes > 0 ? CODE_PENDING : CODE_PASS;
}

/* ---- apply, delete ------------------------------------------------------------------------------ */

static int run_plan(struct ctl *c, struct plan *p)
{
    for (size_t i = 0; i < p->n_steps; i++) {
        struct json ignored;
        int rc = ctl_send(c, &p->steps[i], &ignored, NULL);
        if (rc != 0 && rc != CTL_PRINTED) {
            ctl_say(c, "at %s:%u: %s %s", p->doc->file, p->doc->line, p->doc->kind, p->doc->name);
            return rc;
        }
    }
    if (!c->curl)
        print_plan(c, p, plan_word(p->action), COLOUR_NONE);
    return 0;
}

static int run_plans(struct ctl *c, const struct plans *plans)
{
    size_t refused = 0;

    for (size_t i = 0; i < plans->n; i++)
        refused += plans->items[i].action == PLAN_REFUSED;
    if (refused > 0)
        return ctl_wrong(c, "keepctl diff --file FILE", "%zu of the documents cannot be done; nothing was", refused);
    for (size_t i = 0; i < plans->n; i++) {
        int rc = run_plan(c, &plans->items[i]);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int apply(struct ctl *c)
{
    struct plans plans = { 0 };
    int rc = make_plans(c, plan_apply, &plans);

    return rc != 0 ? rc : run_plans(c, &plans);
}

static int erase(struct ctl *c)
{
    struct plans plans = { 0 };
    int rc = make_plans(c, plan_delete, &plans);

    return rc != 0 ? rc : run_plans(c, &plans);
}

static const struct command_option options[] = {
    { "file", "FILE", "YAML or JSON documents (-: standard input); may be repeated. Files may also be given as arguments.", true },
};

static const struct ctl_command rows[] = {
    { ROW("apply", "[FILE...]", 0, COMMAND_ARGS_MAX, "Make what documents declare: policies, signers, exceptions, allowances, teams.", options,
          "Kinds: Policy, Signer, Exception, UnsignedAllowance, Repository, all with apiVersion keep/v1. All documents are\n"
          "checked before the first is applied; what is so already stays untouched."), apply, NULL },
    { ROW("diff", "[FILE...]", 0, COMMAND_ARGS_MAX, "Show what apply would change. Exit 8 when there is something.", options, NULL), diff, NULL },
    { ROW("delete", "[FILE...]", 0, COMMAND_ARGS_MAX, "Delete or revoke what documents declare.", options, NULL), erase, NULL },
};
const struct ctl_commands declare_commands = { rows, N_ITEMS(rows) };
