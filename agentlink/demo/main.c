/* main.c - keep-demo: a believable fleet for a server that runs.
 *
 * Everything goes through the public API, with reports that are really signed:
 * what `make run` shows is what a real pipeline would have made. */
#include "demo/nodes.h"
#include "demo/seed.h"

#include "base/command.h"
#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"
#include "demo/report.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const struct command_line *cl, const struct err *err)
{
    fprintf(stderr, "%s %s: %s\n", cl->program->name, cl->command->name, err->msg);
    return err_info(err->kind)->exit_code;
}

static int cmd_fill(struct command_line *cl)
{
    const char *url = command_get(cl, "url");
    struct seed_config config = { .url = url != NULL ? url : "http://127.0.0.1:8470", .token = getenv("KEEP_TOKEN"),
                                  .keys_dir = command_get(cl, "keys"), .show_progress = isatty(STDERR_FILENO) == 1 };
    struct err err = { 0 };
    struct arena arena;
    struct fleet fleet;
    struct seed_result result;

    if (config.token == NULL) {
        fprintf(stderr, "keep-demo fill: KEEP_TOKEN is not set: an administrator's token\n");
        return 1;
    }
    arena_init(&arena, 256 << 20);
    int rc = crypto_init(&err);
    if (rc == 0 && (rc = fleet_make(&arena, time_now_ms(), &fleet, &err)) == 0 &&
        (rc = seed_fleet(&config, &fleet, &arena, &result, &err)) == 0)
        printf("%zu images in %zu repositories, %zu signed scans over 90 days, in %.1f s\n", fleet.n_images + fleet.n_unscanned,
               fleet.n_repositories, result.uploads, (double)result.took_ms / 1000);
    arena_clear(&arena);
    return rc == 0 ? 0 : fail(cl, &err);
}

static volatile sig_atomic_t stopping;

static void on_stop(int sig)
{
    (void)sig;
    stopping = 1;
}

static int cmd_nodes(struct command_line *cl)
{
    const char *url = command_get(cl, "url"), *keys = command_get(cl, "keys");
    struct nodes_config config = { .url = url != NULL ? url : "http://127.0.0.1:8470", .token = getenv("KEEP_TOKEN"),
                                   .keys_dir = keys != NULL ? keys : "nodes", .stay = command_get(cl, "stay") != NULL, .stop = &stopping };
    struct err err = { 0 };
    struct arena arena;
    struct fleet fleet;

    if (config.token == NULL) {
        fprintf(stderr, "keep-demo nodes: KEEP_TOKEN is not set: an administrator's token\n");
        return 1;
    }
    signal(SIGTERM, on_stop);
    signal(SIGINT, on_stop);
    arena_init(&arena, 256 << 20);
    int rc = crypto_init(&err);
    if (rc == 0 && (rc = fleet_make(&arena, time_now_ms(), &fleet, &err)) == 0)
        rc = nodes_run(&config, &fleet, &arena, &err);
    arena_clear(&arena);
    return rc == 0 ? 0 : fail(cl, &err);
}

/* The newest report of a repository, to look at or to upload by hand. */
static int cmd_report(struct command_line *cl)
{
    struct err err = { 0 };
    struct arena arena;
    struct fleet fleet;
    struct buf out;
    const struct demo_scan *newest = NULL;

    arena_init(&arena, 256 << 20);
    buf_init(&out, 16 << 20);
    int rc = fleet_make(&arena, time_now_ms(), &fleet, &err);
    for (size_t i = 0; rc == 0 && i < fleet.n_scans; i++) {
        if (str_eq(fleet.scans[i].image->repository->name, cl->args[0]))
            newest = &fleet.scans[i];
    }
    if (rc == 0 && newest == NULL)
        rc = err_set(&err, ERR_NOT_FOUND, "no repository %s", cl->args[0]);
    if (rc == 0) {
        report_write(&fleet, newest, &out);
        puts(out.ptr);
    }
    buf_free(&out);
    arena_clear(&arena);
    return rc == 0 ? 0 : fail(cl, &err);
}

static const struct command_option fill_options[] = {
    { "url", "URL", "The server (http://127.0.0.1:8470).", false },
    { "keys", "DIR", "Where to leave the demo signers' keys.", false },
};

static const struct command_option nodes_options[] = {
    { "url", "URL", "The server (http://127.0.0.1:8470).", false },
    { "keys", "DIR", "Where the nodes' keys are kept, so that they come back as the same nodes (nodes).", false },
    { "stay", NULL, "Go on asking for bundles, as agents do.", false },
};

static const struct command commands[] = {
    { "fill", "", 0, 0, "Fill a new server with the demo fleet.", fill_options, N_ITEMS(fill_options), cmd_fill, NULL },
    { "nodes", "", 0, 0, "Let the demo's nodes join, with what they run and what happened there.", nodes_options, N_ITEMS(nodes_options), cmd_nodes, NULL },
    { "report", "REPOSITORY", 1, 1, "Print a report as the demo's scanners write it.", NULL, 0, cmd_report, NULL },
};

static const struct program program = {
    .name = "keep-demo", .summary = "a believable fleet for a first look at Keep", .version = KEEP_VERSION,
    .commands = commands, .n_commands = N_ITEMS(commands),
    .exit_codes = "  0  done\n  1  failed; the message says why", .environment = "KEEP_TOKEN, an administrator's token.",
    .see_also = "keepd(1)",
};

int main(int argc, char **argv)
{
    return command_main(&program, argc, argv);
}
