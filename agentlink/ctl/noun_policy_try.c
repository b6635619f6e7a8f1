/* noun_policy_try.c - policy test and explain: policies tried on cases, offline. */
#include "client/url.h"
#include "core/policy_test.h"
#include "ctl/call.h"
#include "ctl/file.h"
#include "ctl/image_facts.h"
#include "ctl/nouns.h"
#include "ctl/policy_files.h"
#include "wire/jsonw.h"
#include "wire/msg/words.h"

#include <string.h>
#include <unistd.h>

struct tried {
    const char *file;
    const struct policy_case *cases; size_t n;
};
struct trial {
    struct tried *files; size_t n_files;
    size_t n, passed;
};

/* Files that a case names lie where the case says, seen from its own file. */
static int read_beside(void *data, const char *name, struct arena *arena, struct bytes *out, struct err *err)
{
    const char *file = data, *slash = strrchr(file, '/');
    const char *path = slash == NULL || name[0] == '/' ? name : arena_printf(arena, "%.*s/%s", (int)(slash - file), file, name);

    return path == NULL ? err_nomem(err) : file_read(arena, path, POLICY_TEXT_MAX, out, err);
}

static int try_file(struct ctl *c, const char *file, struct trial *t, struct err *err)
{
    char *base = arena_strdup(&c->arena, file);
    const struct policy_test_files files = { read_beside, base };
    struct tried *one = &t->files[t->n_files];
    struct policy_case *cases;
    struct bytes text;

    if (base == NULL)
        return err_nomem(err);
    if (file_read(&c->arena, file, DOCUMENTS_FILE_MAX, &text, err) != 0)
        return -1;
    if (policy_test_run(text.ptr, text.len, &files, NULL, 0, &c->arena, &cases, &one->n, err) != 0)
        return err_prefix(err, "%.200s", file);
    one->file = file;
    one->cases = cases;
    for (size_t i = 0; i < one->n; i++)
        t->passed += cases[i].passed;
    t->n += one->n;
    t->n_files++;
    return 0;
}

static int try_all(struct ctl *c, struct trial *t, struct err *err)
{
    const char **list = arena_array(&c->arena, CASE_FILES_MAX, sizeof *list);
    size_t n = 0;

    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < c->cl->n_args; i++) {
        if (case_files_find(&c->arena, c->cl->args[i], list, &n, err) != 0)
            return -1;
    }
    t->files = arena_array(&c->arena, n, sizeof *t->files);
    if (t->files == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (try_file(c, list[i], t, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- how it is shown ----------------------------------------------------------------------- */

/* Lines of ours with values in them: indented, and safe for a terminal. */
static void put_lines(struct buf *b, const char *text, const char *indent)
{
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, "\n");
        struct buf line;
        buf_init(&line, 64 * 1024);
        buf_put(&line, text, len);
        buf_puts(b, indent);
        put_safe(b, line.failed || line.ptr == NULL ? "" : line.ptr);
        buf_putc(b, '\n');
        buf_free(&line);
        text += len + (text[len] == '\n');
    }
}

static void put_table(const struct trial *t, const struct look *look, struct buf *b)
{
    for (size_t i = 0; i < t->n_files; i++) {
        for (size_t k = 0; k < t->files[i].n; k++) {
            const struct policy_case *one = &t->files[i].cases[k];
            put_colour(b, look, one->passed ? COLOUR_GREEN : COLOUR_RED, one->passed ? "ok" : "not ok");
            buf_putc(b, ' ');
            put_safe(b, t->files[i].file);
            buf_printf(b, ":%u: ", one->line);
            put_safe(b, one->name);
            buf_putc(b, '\n');
            for (size_t d = 0; d < one->n_differences; d++)
                put_lines(b, one->differences[d], "    ");
            put_lines(b, one->explanation, "        ");
        }
    }
}

static void put_json_case(struct jsonw *w, const char *file, const struct policy_case *one)
{
    jsonw_object(w);
    jsonw_kstr(w, "file", file);
    jsonw_kint(w, "line", one->line);
    jsonw_kstr(w, "name", one->name);
    jsonw_kbool(w, "passed", one->passed);
    jsonw_key(w, "differences");
    jsonw_array(w);
    for (size_t i = 0; i < one->n_differences; i++)
        jsonw_str(w, one->differences[i]);
    jsonw_array_end(w);
    if (one->explanation != NULL)
        jsonw_kstr(w, "explanation", one->explanation);
    jsonw_object_end(w);
}

static void put_json(const struct trial *t, const struct look *look, struct buf *b)
{
    struct jsonw w;

    (void)look;
    jsonw_init(&w, b);
    jsonw_object(&w);
    jsonw_key(&w, "cases");
    jsonw_array(&w);
    for (size_t i = 0; i < t->n_files; i++) {
        for (size_t k = 0; k < t->files[i].n; k++)
            put_json_case(&w, t->files[i].file, &t->files[i].cases[k]);
    }
    jsonw_array_end(&w);
    jsonw_kint(&w, "total", (int64_t)t->n);
    jsonw_kint(&w, "passed", (int64_t)t->passed);
    jsonw_kint(&w, "failed", (int64_t)(t->n - t->passed));
    jsonw_object_end(&w);
    buf_putc(b, '\n');
}

static void put_junit_case(struct buf *b, const char *file, const struct policy_case *one)
{
    buf_puts(b, "    <testcase classname=\"");
    put_xml(b, file);
    buf_puts(b, "\" name=\"");
    put_xml(b, one->name);
    if (one->passed) {
        buf_puts(b, "\"/>\n");
        return;
    }
    buf_puts(b, "\">\n      <failure message=\"");
    put_xml(b, one->n_differences > 0 ? one->differences[0] : "");
    buf_puts(b, "\">");
    for (size_t i = 1; i < one->n_differences; i++) {
        put_xml(b, one->differences[i]);
        buf_putc(b, '\n');
    }
    put_xml(b, one->explanation != NULL ? one->explanation : "");
    buf_puts(b, "</failure>\n    </testcase>\n");
}

static void put_junit(const struct trial *t, const struct look *look, struct buf *b)
{
    (void)look;
    buf_printf(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"keep\" tests=\"%zu\" failures=\"%zu\">\n", t->n, t->n - t->passed);
    for (size_t i = 0; i < t->n_files; i++) {
        const struct tried *one = &t->files[i];
        size_t failed = 0;
        for (size_t k = 0; k < one->n; k++)
            failed += !one->cases[k].passed;
        buf_puts(b, "  <testsuite name=\"");
        put_xml(b, one->file);
        buf_printf(b, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n", one->n, failed);
        for (size_t k = 0; k < one->n; k++)
            put_junit_case(b, one->file, &one->cases[k]);
        buf_puts(b, "  </testsuite>\n");
    }
    buf_puts(b, "</testsuites>\n");
}

static int show(struct ctl *c, const struct trial *t)
{
    static const struct { const char *name; void (*put)(const struct trial *, const struct look *, struct buf *); } rows[] = {
        { "table", put_table }, { "json", put_json }, { "junit", put_junit },
    };

    for (size_t i = 0; i < c->n_outs; i++) {
        struct look look = c->outs[i].file == NULL ? c->look : (struct look){ .now_ms = c->look.now_ms };
        size_t k = 0;
        while (k < N_ITEMS(rows) && !str_eq(rows[k].name, c->outs[i].format->name))
            k++;
        if (k == N_ITEMS(rows))
            return ctl_wrong(c, "--output table, json or junit", "%s is not for this command", c->outs[i].format->name);
        struct buf b;
        buf_init(&b, OUT_TEXT_MAX);
        rows[k].put(t, &look, &b);
        int rc = out_deliver(c, &c->outs[i], &b);
        buf_free(&b);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int test(struct ctl *c)
{
    struct trial t = { 0 };
    struct err err = { 0 };

    if (try_all(c, &t, &err) != 0)
        return ctl_fail(c, &err, NULL);
    if (t.n == 0)
        return ctl_wrong(c, "a file of cases, or a folder with files named cases.yaml", "no case found");
    if (show(c, &t) != 0)
        return CODE_LOCAL;
    ctl_say(c, "%zu case%s, %zu passed, %zu failed", t.n, t.n == 1 ? "" : "s", t.passed, t.n - t.passed);
    return t.passed == t.n ? CODE_PASS : CODE_POLICY;
}

/* ---- explain --------------------------------------------------------------------------------- */

static void put_explained(struct ctl *c, const struct policy_case *one, struct buf *b)
{
    const char *decision = one->passed ? decision_words[one->verdict.decision] : "not asked";

    put_safe(b, str_eq(one->name, "(no name)") ? "these facts" : one->name);
    buf_puts(b, ": ");
    put_colour(b, &c->look, colour_of(decision), decision);
    buf_putc(b, '\n');
    for (size_t i = 0; i < one->n_differences; i++)
        put_lines(b, one->differences[i], "    ");
    for (size_t i = 0; one->passed && i < one->verdict.n_missing; i++) {
        buf_puts(b, "    not known: ");
        put_safe(b, one->verdict.missing[i]);
        buf_putc(b, '\n');
    }
    put_lines(b, one->passed && one->explanation == NULL ? "every rule that was asked is true" : one->explanation, "    ");
}

struct explaining {
    const struct policy **policies; size_t n;
    bool all_asked;
};

static int explain_text(struct ctl *c, struct explaining *x, const char *what, const void *text, size_t len)
{
    const struct out_spec plain = { &out_formats[0], NULL };
    struct policy_case *cases;
    struct err err = { 0 };
    struct buf b;
    size_t n;

    if (policy_test_explain(text, len, x->policies, x->n, &c->arena, &cases, &n, &err) != 0) {
        err_prefix(&err, "%.200s", what);
        return ctl_fail(c, &err, NULL);
    }
    buf_init(&b, OUT_TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        put_explained(c, &cases[i], &b);
        x->all_asked &= cases[i].passed;
    }
    int rc = out_deliver(c, &plain, &b);
    buf_free(&b);
    return rc;
}

static int explain_each(struct ctl *c, struct explaining *x)
{
    struct err err = { 0 };
    struct bytes text;
    const char *name, *facts;

    for (size_t i = 0; (name = command_get_nth(c->cl, "case", i)) != NULL; i++) {
        if (file_read(&c->arena, name, DOCUMENTS_FILE_MAX, &text, &err) != 0)
            return ctl_fail(c, &err, NULL);
        if (explain_text(c, x, name, text.ptr, text.len) != 0)
            return CODE_LOCAL;
    }
    for (size_t i = 0; (name = command_get_nth(c->cl, "image", i)) != NULL; i++) {
        int rc = image_facts_fetch(c, name, &facts);
        if (rc == 0)
            rc = explain_text(c, x, name, facts, strlen(facts));
        if (rc != 0)
            return rc;
    }
    return x->all_asked ? CODE_PASS : CODE_LOCAL;
}

/* A file; for an image also a policy of the server; else one that comes with Keep. */
static int read_policies(struct ctl *c, const char *name, struct policy_files *out)
{
    struct err err = { 0 };

    if (ctl_option(c, "image") != NULL && access(name, F_OK) != 0) {
        struct json answer;
        struct buf b;
        buf_init(&b, 4096);
        url_path(&b, "/v1/policies/{}", &name, 1);
        int rc = b.failed ? ctl_wrong(c, NULL, "the name is too long") : ctl_get(c, b.ptr, &answer);
        buf_free(&b);
        if (rc != 0)
            return rc;
        return policy_files_add(&c->arena, name, json_get_str(&answer, "document", ""), out, &err) != 0 ? ctl_fail(c, &err, NULL) : 0;
    }
    return policy_files_read(&c->arena, name, out, &err) != 0 ? ctl_fail(c, &err, NULL) : 0;
}

static int explain(struct ctl *c)
{
    struct policy_files files = { 0 };
    struct explaining x = { .all_asked = true };

    if (ctl_option(c, "case") == NULL && ctl_option(c, "image") == NULL)
        return ctl_wrong(c, "keepctl policy explain FILE --case FILE, or keepctl policy explain NAME --image IMAGE", "what is it to be asked about?");
    int rc = read_policies(c, ctl_arg(c, 0), &files);
    if (rc != 0)
        return ctl_code(rc);
    x.policies = arena_array(&c->arena, files.n, sizeof *x.policies);
    if (x.policies == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    for (; x.n < files.n; x.n++)
        x.policies[x.n] = files.items[x.n].policy;
    return ctl_code(explain_each(c, &x));
}

static const struct command_option explain_options[] = {
    { "case", "FILE", "Facts in YAML, as in the cases of policy test; may be repeated.", true },
    { "image", "IMAGE", "What the server knows of this image: a digest or a name; may be repeated.", true },
};

static const struct ctl_command rows[] = {
    { PLAIN("policy test", "FILE|FOLDER...", 1, COMMAND_ARGS_MAX, "Run cases that say what policies must decide, offline. Exit 2 when one is wrong."), test, NULL },
    { ROW("policy explain", "FILE|NAME", 1, 1, "Show why a policy's rules are not true of a case or an image: each expression with its value.", explain_options,
          "NAME is a policy that comes with Keep, or with --image one of the server. With --case alone no server is asked.\n"
          "What a case expects is not compared. Of an image, exceptions and the names of signers are left out: keepctl image why."), explain, NULL },
};
const struct ctl_commands policy_try_commands = { rows, N_ITEMS(rows) };
