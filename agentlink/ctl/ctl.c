/* ctl.c - see ctl.h. */
#include "ctl/ctl.h"

#include "base/crypto.h"
#include "base/time.h"
#include "client/url.h"
#include "ctl/program.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CTL_MEMORY = 1024 * 1024 * 1024, RETRIES = 3, PAGE = 500 };

const char *ctl_option(const struct ctl *c, const char *name)
{
    return command_get(c->cl, name);
}

const char *ctl_arg(const struct ctl *c, size_t i)
{
    return i < c->cl->n_args ? c->cl->args[i] : NULL;
}

/* ---- talking to people ------------------------------------------------------------ */

static void say(const struct look *look, enum colour colour, const char *head, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));
static void say(const struct look *look, enum colour colour, const char *head, const char *fmt, va_list ap)
{
    char text[2048];
    struct buf b;

    vsnprintf(text, sizeof text, fmt, ap);
    buf_init(&b, 16 * 1024);
    put_colour(&b, look, colour, head);
    put_safe(&b, text);
    buf_putc(&b, '\n');
    fflush(stdout);                 /* in a log both come in the order they were written */
    if (!b.failed)
        fwrite(b.ptr, 1, b.len, stderr);
    buf_free(&b);
}

void ctl_say(struct ctl *c, const char *fmt, ...)
{
    va_list ap;

    if (c->quiet)
        return;
    va_start(ap, fmt);
    say(&c->err_look, COLOUR_NONE, "", fmt, ap);
    va_end(ap);
}

void ctl_next(struct ctl *c, const char *fmt, ...)
{
    va_list ap;

    if (c->quiet)
        return;
    va_start(ap, fmt);
    say(&c->err_look, COLOUR_DIM, "next: ", fmt, ap);
    va_end(ap);
}

static void complain_about(const struct look *look, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void complain_about(const struct look *look, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(look, COLOUR_RED, "keepctl: ", fmt, ap);
    va_end(ap);
}

static void suggest(const struct look *look, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void suggest(const struct look *look, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(look, COLOUR_NONE, "try: ", fmt, ap);
    va_end(ap);
}

int ctl_wrong(struct ctl *c, const char *try, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(&c->err_look, COLOUR_RED, "keepctl: ", fmt, ap);
    va_end(ap);
    if (try != NULL)
        suggest(&c->err_look, "%s", try);
    return CODE_LOCAL;
}

/* What to type after a failure of this kind. */
static void suggest_after(struct ctl *c, enum err_kind kind)
{
    static const struct { enum err_kind kind; const char *text; } rows[] = {
        { ERR_UNAUTHENTICATED, "keepctl login %s --token-file FILE" },
        { ERR_UNAVAILABLE, "keepctl version --server %s   (does it answer?); for a private certificate: --ca-file FILE" },
        { ERR_TIMEOUT, "keepctl version --server %s   (does it answer?); or a longer --timeout" },
        { ERR_RATE_LIMITED, "the same again in a while; --retries N waits longer   (%s)" },
    };

    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        char text[700];
        if (rows[i].kind != kind)
            continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, rows[i].text, c->settings.server != NULL ? c->settings.server : "URL");
#pragma GCC diagnostic pop
        suggest(&c->err_look, "%s", text);
    }
    if (kind == ERR_FORBIDDEN)
        suggest(&c->err_look, "a token whose role may do this; yours comes from %s; see: keepctl whoami",
                c->settings.token_from != NULL ? c->settings.token_from : "nowhere");
}

int ctl_fail(struct ctl *c, const struct err *err, const struct client_answer *answer)
{
    bool http = answer != NULL && answer->status != 0;

    if (http && answer->title != NULL)
        complain_about(&c->err_look, "%s (%u): %s", answer->title, answer->status, err->msg);
    else
        complain_about(&c->err_look, "%s", err->msg);
    for (size_t i = 0; http && i < answer->n_problems; i++)
        complain_about(&c->err_look, "  %s: %s", answer->problems[i].path, answer->problems[i].detail);
    if (http && answer->request_id != NULL)
        ctl_say(c, "request %s", answer->request_id);
    if (answer != NULL)
        suggest_after(c, err->kind);
    return exit_of_error(err);
}

/* ---- the connection ---------------------------------------------------------------- */

static void show_progress(void *data, int64_t sent, int64_t total)
{
    struct ctl *c = data;

    if (total >= 1024 * 1024)
        fprintf(stderr, "\r\033[Ksending %" PRId64 "%% of %.1f MiB%s", sent * 100 / total, (double)total / 1048576,
                sent == total ? "\r\033[K" : "");
    (void)c;
}

static void show_retry(void *data, const char *why, int64_t pause_ms)
{
    struct ctl *c = data;

    ctl_say(c, "%s; again in %.1f s", why, (double)pause_ms / 1000);
}

static bool is_loopback(const char *url)
{
    const char *host = url + 7;

    return str_starts(host, "127.") || str_starts(host, "localhost") || str_starts(host, "[::1]");
}

static int read_numbers(struct ctl *c)
{
    const char *timeout = ctl_option(c, "timeout"), *retries = ctl_option(c, "retries");
    int64_t n = RETRIES;

    if (timeout != NULL && (!time_parse_duration(timeout, &c->config.timeout_ms) || c->config.timeout_ms < MS_SECOND ||
                            c->config.timeout_ms > MS_DAY))
        return ctl_wrong(c, NULL, "--timeout: expected a duration like 30s or 5m, got '%s'", timeout);
    if (retries != NULL && !str_to_i64(retries, 0, 20, &n))
        return ctl_wrong(c, NULL, "--retries: expected 0 to 20, got '%s'", retries);
    c->config.retries = (unsigned)n;
    c->config.retry_for_ms = c->config.timeout_ms != 0 ? c->config.timeout_ms : 2 * MS_MINUTE;
    return 0;
}

/* 0 when there is a server to talk to. */
static int ready_config(struct ctl *c)
{
    struct settings_flags flags = { ctl_option(c, "server"), ctl_option(c, "token-file"), ctl_option(c, "ca-file") };
    struct err err = { 0 };

    if (c->config.base_url != NULL)
        return 0;
    if (c->settings.server == NULL && settings_load(&c->arena, &flags, &c->settings, &err) != 0)
        return ctl_fail(c, &err, NULL);
    if (c->settings.server == NULL)
        return ctl_wrong(c, "keepctl login https://HOST --token-file FILE   (or set KEEP_SERVER and KEEP_TOKEN)", "no server is known");
    if (c->settings.token != NULL && str_starts(c->settings.server, "http://") && !is_loopback(c->settings.server))
        ctl_say(c, "warning: the token goes to %s without encryption", c->settings.server);
    c->config.base_url = c->settings.server;
    c->config.token = c->settings.token;
    c->config.ca_file = c->settings.ca_file;
    c->config.agent = "keepctl/" KEEP_VERSION;
    c->config.data = c;
    c->config.retrying = show_retry;
    c->config.progress = c->err_look.terminal && !c->quiet ? show_progress : NULL;
    return read_numbers(c);
}

static int print_curl(struct ctl *c, const struct client_request *r)
{
    struct buf b;

    buf_init(&b, 1024 * 1024);
    client_curl(&c->config, r, c->body_file, &b);
    if (!b.failed)
        fwrite(b.ptr, 1, b.len, stdout);
    buf_free(&b);
    return CTL_PRINTED;
}

/* Sends without telling anybody. */
static int exchange(struct ctl *c, struct client_request *r, struct json *out, struct client_answer *answer, struct err *err)
{
    const struct json_opts opts = { .max_values = 20000000, .big_numbers = true };

    if (c->client == NULL && http_client_open(&c->config, &c->client, err) != 0)
        return -1;
    if (http_client_send(c->client, r, &c->arena, answer, err) != 0)
        return -1;
    if (out == NULL)
        return 0;
    *out = (struct json){ .type = JSON_NULL };
    if (answer->body.len > 0 && json_parse(&c->arena, answer->body.ptr, answer->body.len, &opts, out, err) != 0)
        return err_prefix(err, "the answer of %s is not understood (is it Keep?)", c->config.base_url);
    return 0;
}

int ctl_send(struct ctl *c, struct client_request *r, struct json *out, struct client_answer *answer)
{
    struct client_answer own = { 0 };
    struct err err = { 0 };
    int rc = ready_config(c);

    if (rc != 0)
        return rc;
    if (c->curl)
        return print_curl(c, r);
    if (exchange(c, r, out, answer != NULL ? answer : &own, &err) != 0)
        return ctl_fail(c, &err, answer != NULL ? answer : &own);
    return 0;
}

int ctl_get(struct ctl *c, const char *target, struct json *out)
{
    struct client_request r = { .method = "GET", .target = target };

    return ctl_send(c, &r, out, NULL);
}

int ctl_try(struct ctl *c, const char *target, enum err_kind expected, struct json *out)
{
    struct client_request r = { .method = "GET", .target = target };
    struct client_answer answer = { 0 };
    struct err err = { 0 };
    int rc = ready_config(c);

    if (rc != 0)
        return rc;
    if (c->curl)
        return print_curl(c, &r);
    if (exchange(c, &r, out, &answer, &err) == 0)
        return 0;
    return err.kind == expected ? CODE_PENDING : ctl_fail(c, &err, &answer);
}

/* ---- pages --------------------------------------------------------------------------- */

static int append_items(struct ctl *c, const struct json *page, struct json *all)
{
    const struct json *items = json_get(page, "items");
    uint32_t n = json_len(items);
    struct json *joined = arena_array(&c->arena, (size_t)all->n + n, sizeof *joined);

    if (joined == NULL)
        return -1;
    if (all->n > 0)
        memcpy(joined, all->items, all->n * sizeof *joined);
    if (n > 0)
        memcpy(joined + all->n, items->items, n * sizeof *joined);
    all->items = joined;
    all->n += n;
    return 0;
}

/* The first page's object, with all items and no cursor. */
static int with_items(struct ctl *c, const struct json *first, const struct json *all, struct json *out)
{
    uint32_t n = json_n_members(first);
    struct json_member *members = arena_array(&c->arena, n, sizeof *members);

    if (members == NULL)
        return -1;
    *out = (struct json){ .type = JSON_OBJECT, .members = members };
    for (uint32_t i = 0; i < n; i++) {
        if (str_eq(first->members[i].key, "next"))
            continue;
        members[out->n] = first->members[i];
        if (str_eq(first->members[i].key, "items"))
            members[out->n].value = *all;
        out->n++;
    }
    return 0;
}

static const char *page_target(struct ctl *c, const char *target, size_t left, const char *cursor)
{
    struct buf b;
    char text[24];

    buf_init(&b, 64 * 1024);
    buf_puts(&b, target);
    snprintf(text, sizeof text, "%zu", left == 0 || left > PAGE ? (size_t)PAGE : left);
    url_query(&b, "limit", text);
    url_query(&b, "cursor", cursor);
    char *copy = b.failed ? NULL : arena_strndup(&c->arena, b.ptr, b.len);
    buf_free(&b);
    return copy;
}

int ctl_list(struct ctl *c, const char *target, size_t limit, struct json *out, bool *more)
{
    struct json first = { 0 }, page, all = { .type = JSON_ARRAY };
    const char *cursor = NULL;
    struct err err = { 0 };

    do {
        const char *at = page_target(c, target, limit == 0 ? 0 : limit - all.n, cursor);
        int rc = at == NULL ? ctl_code(err_nomem(&err)) : ctl_get(c, at, &page);
        if (rc != 0)
            return rc;
        if (cursor == NULL)
            first = page;
        cursor = json_get_str(&page, "next", NULL);
        if (append_items(c, &page, &all) != 0 || (cursor != NULL && json_len(json_get(&page, "items")) == 0))
            return ctl_wrong(c, "--limit N", "the list is too long, or does not end");
    } while (cursor != NULL && (limit == 0 || all.n < limit));
    *more = cursor != NULL;
    return with_items(c, &first, &all, out) == 0 ? 0 : ctl_wrong(c, "--limit N", "the list is too long");
}

/* ---- one command ------------------------------------------------------------------------ */

static int open_look(struct ctl *c, struct err *err)
{
    int64_t now = time_now_ms();
    const char *when = ctl_option(c, "color");

    if (look_at(STDOUT_FILENO, when, now, &c->look, err) != 0 || look_at(STDERR_FILENO, when, now, &c->err_look, err) != 0)
        return -1;
    for (size_t i = 0; command_get_nth(c->cl, "output", i) != NULL; i++) {
        if (i == OUT_MAX)
            return err_set(err, ERR_INVALID, "--output: at most %d times", OUT_MAX);
        if (out_parse(command_get_nth(c->cl, "output", i), &c->outs[c->n_outs++], err) != 0)
            return -1;
    }
    if (c->n_outs == 0)
        return out_parse("table", &c->outs[c->n_outs++], err);
    return 0;
}

int ctl_run(struct command_line *cl)
{
    struct ctl c = { .cl = cl, .command = program_find(cl->command->name) };
    struct err err = { 0 };
    int rc;

    arena_init(&c.arena, CTL_MEMORY);
    c.curl = ctl_option(&c, "curl") != NULL;
    c.quiet = ctl_option(&c, "quiet") != NULL;
    if (crypto_init(&err) != 0 || open_look(&c, &err) != 0)
        rc = ctl_fail(&c, &err, NULL);
    else
        rc = ctl_code(c.command->body(&c));
    http_client_close(c.client);
    arena_clear(&c.arena);
    if (fflush(stdout) != 0 && rc == 0)
        rc = CODE_LOCAL;
    return rc;
}
