/* command_status.c - keep-agent status: the running agent's own words, as a table. */
#include "agent/agent.h"
#include "agent/commands.h"

#include "base/time.h"
#include "wire/json.h"
#include "wire/json_util.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { OLD_MS = 10000, READS = 5 };

/* A row: what it is called, and where it stands. */
static const struct { const char *label, *path; } rows[] = {
    { "node", "node_id" }, { "name", "name" }, { "cluster", "cluster" }, { "server", "server" }, { "version", "version" },
    { "kernel", "kernel" }, { "started", "started_at" },
    { "session", "session.state" }, { "  clock, ms ahead of the server's", "session.clock_skew_ms" }, { "  problem", "session.problem" },
    { "bundle", "bundle.version" }, { "  root of trust", "bundle.root_version" }, { "  signed", "bundle.signed_at" },
    { "  expires", "bundle.expires_at" }, { "  applied", "bundle.applied_at" }, { "  age, s", "bundle.age_s" },
    { "  stale", "bundle.stale" }, { "  last asked", "bundle.polled_at" }, { "  problem", "bundle.problem" },
    { "containers", "inventory.containers" }, { "  problem", "inventory.problem" },
    { "spool, events waiting", "spool.events" }, { "  critical", "spool.critical" }, { "  normal", "spool.normal" }, { "  low", "spool.low" },
    { "  bytes", "spool.bytes" }, { "  sent through", "spool.through" }, { "  last number", "spool.last_seq" },
    { "  full", "spool.full" }, { "  problem", "spool.problem" },
    { "sent, events", "sent.events" }, { "  batches", "sent.batches" }, { "  repeated", "sent.repeats" }, { "  last", "sent.last_at" },
    { "  problem", "sent.problem" },
    { "walls", "walls.rung" }, { "  profiles", "walls.profiles" }, { "  lease, s", "walls.lease_s" }, { "  events lost", "walls.drops" },
    { "memory, KiB", "process.rss_kib" }, { "  most", "process.rss_peak_kib" }, { "  bound", "process.memory_limit_kib" },
    { "cpu, ms", "process.cpu_ms" }, { "  percent now", "process.cpu_percent" }, { "  sources slowed, ms", "process.slowed_ms" },
};

static int file_read(const struct settings *s, struct arena *arena, struct json *out, struct err *err)
{
    char *path = arena_printf(arena, "%s/" STATUS_FILE, s->state_dir), *text = arena_bytes(arena, STATUS_FILE_SIZE);
    int rc = -1;

    if (path == NULL || text == NULL)
        return err_nomem(err);
    for (int i = 0; rc != 0 && i < READS; i++) {       /* it may be written while we read */
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            return err_set(err, ERR_NOT_FOUND, "no agent has run with the state folder %s (--state-dir); start one: keep-agent run", s->state_dir);
        if (fd < 0)
            return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
        ssize_t n = pread(fd, text, STATUS_FILE_SIZE, 0);
        close(fd);
        rc = n <= 0 ? err_set(err, ERR_NOT_FOUND, "%s: nothing there yet", path) :
                      json_parse(arena, text, (size_t)n, NULL, out, err);
        if (rc != 0)
            usleep(20000);
    }
    return rc;
}

static void print_scalar(const struct json *v)
{
    struct buf text;

    buf_init(&text, 4096);
    if (v->type == JSON_STRING)
        for (const char *p = v->string; *p != '\0'; p++)
            buf_putc(&text, (unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p);
    else
        json_print(v, &text);
    fputs(text.ptr != NULL ? text.ptr : "", stdout);
    buf_free(&text);
}

static void print_row(const char *label, const struct json *v)
{
    if (v == NULL || v->type == JSON_NULL || (v->type == JSON_STRING && v->n == 0))
        return;
    printf("%-34s ", label);
    print_scalar(v);
    putchar('\n');
}

static void print_list(const struct json *list, const char *title, const char *const *keys, size_t n)
{
    for (uint32_t i = 0; i < json_len(list); i++) {
        printf("%-34s", i == 0 ? title : "");
        for (size_t k = 0; k < n; k++) {
            const struct json *v = json_get(json_at(list, i), keys[k]);
            if (v == NULL || (v->type == JSON_STRING && v->n == 0))
                continue;
            putchar(' ');
            print_scalar(v);
        }
        putchar('\n');
    }
}

static void print_table(const struct json *doc)
{
    static const char *const drops[] = { "class", "reason", "count" };
    static const char *const sources[] = { "name", "kind", "via", "state", "events", "problem" };
    static const char *const reasons[] = { "rung", "why" };

    for (size_t i = 0; i < N_ITEMS(rows); i++)
        print_row(rows[i].label, json_path(doc, rows[i].path));
    print_list(json_path(doc, "walls.reasons"), "  why no better", reasons, N_ITEMS(reasons));
    print_list(json_get(doc, "dropped"), "dropped", drops, N_ITEMS(drops));
    print_list(json_get(doc, "sources"), "sources", sources, N_ITEMS(sources));
}

static bool is_said(const struct json *doc, const char *path)
{
    return *json_str(json_path(doc, path), "") != '\0';
}

static bool is_well(const struct json *doc)
{
    return str_eq(json_str(json_path(doc, "session.state"), ""), "open") && !is_said(doc, "bundle.problem") &&
           !json_bool(json_path(doc, "bundle.stale"), false) && !is_said(doc, "spool.problem") && !is_said(doc, "sent.problem") &&
           !is_said(doc, "inventory.problem") && !json_bool(json_path(doc, "spool.full"), false);
}

static void print_all(const struct json *doc, bool json)
{
    struct buf out;

    if (!json) {
        print_table(doc);
        return;
    }
    buf_init(&out, 1 << 20);
    json_print(doc, &out);
    puts(out.failed ? "" : out.ptr);
    buf_free(&out);
}

static int judge(const struct json *doc, bool alive_is_enough)
{
    int64_t at = 0;

    time_parse(json_get_str(doc, "written_at", ""), &at);
    int64_t age = time_now_ms() - at;
    if (!json_bool(json_get(doc, "running"), false) || age > OLD_MS || age < -OLD_MS) {
        fprintf(stderr, "keep-agent status: the agent does not run; this is of %s (systemctl start keep-agent)\n",
                json_get_str(doc, "written_at", "an unknown time"));
        return EXIT_AWAY;
    }
    return alive_is_enough || is_well(doc) ? EXIT_OK : EXIT_NOT_WELL;
}

int command_status(struct command_line *cl)
{
    struct settings s;
    struct arena arena;
    struct json doc;
    struct err err = { 0 };
    bool bad, json = command_wants_json(cl, &bad);

    arena_init(&arena, 16 << 20);
    bool alive = command_get(cl, "alive") != NULL;
    int rc = bad || command_settings(cl, &arena, &s) != 0 ? EXIT_FAILED :
             file_read(&s, &arena, &doc, &err) != 0 ? (command_failed(cl, &err), err.kind == ERR_NOT_FOUND ? EXIT_AWAY : EXIT_FAILED) :
             (alive ? (void)0 : print_all(&doc, json), judge(&doc, alive));
    arena_clear(&arena);
    return rc;
}
