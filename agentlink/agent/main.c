/* main.c - keep-agent: the table of its commands. */
#include "agent/agent.h"
#include "agent/commands.h"

#include "base/str.h"

#include <stdlib.h>

#define CONFIG    { "config", "FILE", "Settings, YAML (" SETTINGS_FILE "); see: keep-agent config", false }
#define STATE_DIR { "state-dir", "DIR", "Folder for key, bundle and spool (" SETTINGS_STATE_DIR ").", false }
#define OUTPUT    { "output", "FORMAT", "table or json.", false }
#define CA_FILE   { "ca-file", "FILE", "Certificates to trust instead of the system's (PEM).", false }

static const struct command_option run_options[] = {
    CONFIG, STATE_DIR, CA_FILE,
    { "server", "URL", "Another address than the one enrolled at.", false },
    { "name", "NAME", "What to call this machine (its host name).", false },
    { "log-level", "LEVEL", "debug, info, warn, error.", false },
};
static const struct command_option enroll_options[] = {
    CONFIG, STATE_DIR, CA_FILE,
    { "server", "URL", "Address of Keep.", false },
    { "token", "TOKEN", "The join token (keepctl node invite prints the whole command).", false },
    { "token-file", "FILE", "A file with it; -: standard input.", false },
    { "trust", "sha256:HEX", "The root of trust to expect; without it, the server's first word is believed.", false },
    { "ca-pin", "sha256:HEX", "A key in the server's certificate chain, instead of a CA the system knows.", false },
    { "cert-file", "FILE", "Client certificate for TLS (PEM).", false },
    { "key-file", "FILE", "Its private key (PEM).", false },
    { "name", "NAME", "What to call this machine (its host name).", false },
    { "if-needed", NULL, "Enrolled already: done.", false },
};
static const struct command_option doctor_options[] = { CONFIG, STATE_DIR, CA_FILE, OUTPUT, { "server", "URL", "Another address than the one enrolled at.", false } };
static const struct command_option status_options[] = {
    CONFIG, STATE_DIR, OUTPUT, { "alive", NULL, "Print nothing; 0 when the agent runs, however well.", false },
};
static const struct command_option config_options[] = { CONFIG, STATE_DIR };
static const struct command_option simulate_options[] = {
    OUTPUT, CA_FILE,
    { "server", "URL", "Address of Keep.", false },
    { "token", "TOKEN", "A join token with enough uses.", false },
    { "token-file", "FILE", "A file with it.", false },
    { "nodes", "N", "How many agents (100).", false },
    { "events-per-second", "N", "Events of all together (0).", false },
    { "batch", "N", "Events of a batch (100).", false },
    { "duration", "TIME", "How long, after all have come in (30s).", false },
    { "wait", "SECONDS", "How long polls are held (50); 0: not at all.", false },
    { "poll-interval", "TIME", "Between polls that are not held (30s).", false },
    { "containers", "N", "Containers of each agent's inventory, at most 256 (0).", false },
    { "inventory-interval", "TIME", "Between inventories (60s).", false },
    { "at-once", "N", "Enrolments and sessions under way at once (64).", false },
    { "prefix", "NAME", "What the agents are called: NAME-000000 ... (sim).", false },
};

int command_settings(struct command_line *cl, struct arena *arena, struct settings *out)
{
    struct err err = { 0 };

    if (agent_settings_load(command_get(cl, "config"), cl, arena, out, NULL, &err) == 0)
        return 0;
    command_failed(cl, &err);
    return -1;
}

int command_failed(const struct command_line *cl, const struct err *err)
{
    fprintf(stderr, "keep-agent %s: %s\n", cl->command->name, err->msg);
    return EXIT_FAILED;
}

bool command_wants_json(const struct command_line *cl, bool *bad)
{
    const char *output = command_get(cl, "output");

    *bad = output != NULL && !str_eq(output, "json") && !str_eq(output, "table");
    if (*bad)
        fprintf(stderr, "keep-agent %s: --output: expected table or json, found %s\n", cl->command->name, output);
    return str_eq(output, "json");
}

static int run(struct command_line *cl)
{
    return agent_run(command_get(cl, "config"), cl);
}

static int config(struct command_line *cl)
{
    enum setting_from *from = calloc(n_agent_settings + 1, sizeof *from);
    struct settings s;
    struct arena arena;
    struct buf out;
    struct err err = { 0 };

    arena_init(&arena, 8 << 20);
    buf_init(&out, 1 << 20);
    int rc = from == NULL ? err_nomem(&err) : agent_settings_load(command_get(cl, "config"), cl, &arena, &s, from, &err);
    if (rc == 0) {
        settings_print(&s, from, &out);
        fputs(out.failed ? "" : out.ptr, stdout);
    }
    buf_free(&out);
    arena_clear(&arena);
    free(from);
    return rc == 0 ? EXIT_OK : command_failed(cl, &err);
}

static int version(struct command_line *cl)
{
    printf("keep-agent %s\n", cl->program->version);
    return EXIT_OK;
}

static int man(struct command_line *cl)
{
    command_man(cl->program, stdout);
    return EXIT_OK;
}

static int completion(struct command_line *cl)
{
    if (!str_eq(cl->args[0], "bash") && !str_eq(cl->args[0], "zsh") && !str_eq(cl->args[0], "fish")) {
        fprintf(stderr, "keep-agent completion: expected bash, zsh or fish, found %s\n", cl->args[0]);
        return EXIT_FAILED;
    }
    command_completion(cl->program, cl->args[0], stdout);
    return EXIT_OK;
}

#define OPTIONS(table) table, N_ITEMS(table)

static const struct command commands[] = {
    { "run", "", 0, 0, "Run the agent.", OPTIONS(run_options), run,
      "Collects what runs and what happens here, sends it, and keeps the newest signed bundle in force, until\n"
      "SIGTERM: then what waits is sent for five seconds more; the rest stays in the spool. SIGHUP reads the\n"
      "settings again. Without its server the agent goes on, for as long as it takes." },
    { "enroll", "", 0, 0, "Make this machine a node, with a join token.", OPTIONS(enroll_options), command_enroll,
      "The node's key is made here and never leaves the machine. May be repeated after a failure." },
    { "status", "", 0, 0, "How the agent is: bundle, session, spool, drops, sources, walls.", OPTIONS(status_options), command_status,
      "Reads what the running agent writes every second. Exit code 2: it runs and is not well." },
    { "walls", "on|off", 1, 1, "Switch the walls of this node off, or on again.", OPTIONS(config_options), command_walls,
      "Needs neither the server nor a running agent: writes walls.off_file and removes what is pinned." },
    { "doctor", "", 0, 0, "Check everything the agent needs, one after another.", OPTIONS(doctor_options), command_doctor,
      "For each thing that is not as it should be, the command to type next." },
    { "simulate", "", 0, 0, "Be a fleet of agents, to see what a server bears.", OPTIONS(simulate_options), command_simulate,
      "Honest agents: each enrols with a key of its own, keeps its session, polls, sends events and inventories,\n"
      "and repeats what was not answered. Only for servers made for it: the nodes stay in its database." },
    { "config", "", 0, 0, "Print every setting: value, where it comes from, what it is.", OPTIONS(config_options), config, NULL },
    { "version", "", 0, 0, "Print the version.", NULL, 0, version, NULL },
    { "man", "", 0, 0, "Print the man page.", NULL, 0, man, NULL },
    { "completion", "SHELL", 1, 1, "Print completion for bash, zsh or fish.", NULL, 0, completion, NULL },
};

static const struct program program = {
    .name = "keep-agent", .summary = "Keep on a node: what runs, what happens, and what may", .version = KEEP_VERSION,
    .commands = commands, .n_commands = N_ITEMS(commands),
    .exit_codes = "  0  done\n  1  failed; the message says why\n  2  the agent runs, and is not well\n  3  it does not run, or no server answers",
    .environment = "KEEP_AGENT_<SETTING>, for every setting of `keep-agent config`: spool.bytes is\nKEEP_AGENT_SPOOL_BYTES.",
    .see_also = "keepd(8), keepctl(1)",
};

int main(int argc, char **argv)
{
    return command_main(&program, argc, argv);
}
