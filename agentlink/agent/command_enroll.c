/* command_enroll.c - keep-agent enroll and simulate: what needs a join token. */
#include "agent/commands.h"
#include "agent/identity.h"
#include "agent/simulate.h"

#include "base/crypto.h"
#include "base/time.h"
#include "client/url.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_TEXT = 256 };

/* --token, or the first line of --token-file. */
static int token_read(const struct command_line *cl, char out[TOKEN_TEXT], struct err *err)
{
    const char *text = command_get(cl, "token"), *file = command_get(cl, "token-file");

    out[0] = '\0';
    if (text != NULL) {
        snprintf(out, TOKEN_TEXT, "%s", text);
    } else if (file != NULL) {
        FILE *f = str_eq(file, "-") ? stdin : fopen(file, "re");
        if (f == NULL)
            return err_set(err, ERR_INVALID, "%s: %s", file, strerror(errno));
        if (fgets(out, TOKEN_TEXT, f) != NULL)
            out[strcspn(out, " \t\r\n")] = '\0';
        if (f != stdin)
            fclose(f);
    }
    return out[0] != '\0' ? 0 : err_set(err, ERR_INVALID, "no join token (--token or --token-file; keepctl node invite makes one)");
}

static bool is_enrolled(const struct settings *s, const struct machine *machine)
{
    struct identity *id;
    struct err ignored = { 0 };

    if (identity_open(s->state_dir, machine, &id, &ignored) != 0)
        return false;
    identity_close(id);
    return true;
}

static int enroll(struct command_line *cl, const struct settings *s, struct arena *arena, struct err *err)
{
    struct enroll_request r = {
        .dir = s->state_dir, .trust = command_get(cl, "trust"), .ca_pin = command_get(cl, "ca-pin"), .ca_file = s->ca_file,
        .cert_file = command_get(cl, "cert-file"), .key_file = command_get(cl, "key-file"), .name = s->name,
    };
    struct machine machine;
    struct enrolled done;
    char token[TOKEN_TEXT], *server = NULL;

    machine_read(KEEP_VERSION, &machine);
    if (command_get(cl, "if-needed") != NULL && is_enrolled(s, &machine))
        return 0;
    if (s->server == NULL)
        return err_set(err, ERR_INVALID, "no server (--server https://...)");
    if (token_read(cl, token, err) != 0 || url_base(s->server, &server, err) != 0)
        return -1;
    r.server = server;
    r.token = token;
    int rc = identity_enroll(&r, &machine, arena, &done, err);
    free(server);
    crypto_wipe(token, sizeof token);
    if (rc != 0)
        return -1;
    printf("node %s of cluster %s\n", done.node_id, done.cluster);
    if (done.root_version > 0)
        printf("root of trust %lld, %s\n", (long long)done.root_version, done.root);
    else
        printf("the server has no root of trust yet: bundles come when it has one and this machine enrols again\n");
    if (done.clock_skew_ms > MS_MINUTE || done.clock_skew_ms < -MS_MINUTE)
        printf("this machine's clock is off by %lld s\n", (long long)(done.clock_skew_ms / MS_SECOND));
    printf("next: systemctl enable --now keep-agent   (or: keep-agent run)\n");
    return 0;
}

int command_enroll(struct command_line *cl)
{
    struct settings s;
    struct arena arena;
    struct err err = { 0 };

    arena_init(&arena, 16 << 20);
    int rc = crypto_init(&err);
    if (rc != 0)
        command_failed(cl, &err);
    else if ((rc = command_settings(cl, &arena, &s)) == 0 && (rc = enroll(cl, &s, &arena, &err)) != 0)
        command_failed(cl, &err);
    arena_clear(&arena);
    return rc == 0 ? EXIT_OK : err.kind == ERR_UNAVAILABLE || err.kind == ERR_TIMEOUT ? EXIT_AWAY : EXIT_FAILED;
}

/* ---- simulate --------------------------------------------------------------------------- */

struct number { const char *option; size_t off; bool is_time; int64_t min, max; const char *otherwise; };

static const struct number numbers[] = {
    { "nodes", offsetof(struct simulate_config, nodes), false, 1, 100000, "100" },
    { "events-per-second", offsetof(struct simulate_config, events_per_s), false, 0, 10000000, "0" },
    { "batch", offsetof(struct simulate_config, batch), false, 1, 1000, "100" },
    { "duration", offsetof(struct simulate_config, duration_ms), true, 0, MS_DAY, "30s" },
    { "wait", offsetof(struct simulate_config, wait_s), false, 0, 300, "50" },
    { "poll-interval", offsetof(struct simulate_config, poll_interval_ms), true, 1, MS_DAY, "30s" },
    { "containers", offsetof(struct simulate_config, containers), false, 0, 256, "0" },
    { "inventory-interval", offsetof(struct simulate_config, inventory_interval_ms), true, 1, MS_DAY, "60s" },
    { "at-once", offsetof(struct simulate_config, at_once), false, 1, 10000, "64" },
};

static int numbers_read(const struct command_line *cl, struct simulate_config *c, struct err *err)
{
    for (size_t i = 0; i < N_ITEMS(numbers); i++) {
        const struct number *n = &numbers[i];
        const char *text = command_get(cl, n->option) != NULL ? command_get(cl, n->option) : n->otherwise;
        int64_t value;
        bool ok = n->is_time ? time_parse_duration(text, &value) : str_to_i64(text, 0, INT64_MAX, &value);
        if (!ok || value < n->min || value > n->max)
            return err_set(err, ERR_INVALID, "--%s: %s is not %s from %lld to %lld", n->option, text, n->is_time ? "a time (ms)" : "a number",
                           (long long)n->min, (long long)n->max);
        *(int64_t *)(void *)((char *)c + n->off) = value;
    }
    return 0;
}

static bool is_told_to_stop;

static void on_signal(int sig)
{
    (void)sig;
    is_told_to_stop = true;
}

static int simulate(struct command_line *cl, bool json, struct err *err)
{
    struct simulate_config c = { .ca_file = command_get(cl, "ca-file"), .prefix = command_get(cl, "prefix") };
    struct simulate_result *r = calloc(1, sizeof *r);
    char token[TOKEN_TEXT], *server = NULL;
    const char *url = command_get(cl, "server");
    struct buf out;

    if (r == NULL)
        return err_nomem(err);
    if (c.prefix == NULL)
        c.prefix = "sim";
    int rc = url == NULL ? err_set(err, ERR_INVALID, "no server (--server URL)") : url_base(url, &server, err);
    if (rc == 0)
        rc = numbers_read(cl, &c, err);
    if (rc == 0)
        rc = token_read(cl, token, err);
    if (rc == 0) {
        c.server = server;
        c.token = token;
        rc = simulate_run(&c, &is_told_to_stop, r, err);
    }
    buf_init(&out, 1 << 20);
    if (rc == 0 && json) {
        simulate_json(&c, r, &out);
        fputs(out.failed ? "" : out.ptr, stdout);
    } else if (rc == 0) {
        simulate_print(&c, r, stdout);
    }
    buf_free(&out);
    free(server);
    free(r);
    return rc;
}

int command_simulate(struct command_line *cl)
{
    struct sigaction act = { .sa_handler = on_signal };
    struct err err = { 0 };
    bool bad, json = command_wants_json(cl, &bad);

    if (bad)
        return EXIT_FAILED;
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    act.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &act, NULL);
    if (crypto_init(&err) != 0 || simulate(cl, json, &err) != 0)
        return command_failed(cl, &err);
    return EXIT_OK;
}
