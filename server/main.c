/* main.c - keepd: the table of its commands.
 *
 *~ The tour starts here: serve (cmd/serve.c) -> the route tables (http/routes*.c) ->
 *~ service/ingest_scan.c -> core/verdict.c -> store/scan.c -> db/db.h. */
#include "cmd/serve.h"

#include "base/str.h"

#define DATA     { "data", "DIR", "Folder for the database, its lock and its ballast.", false }
#define DATABASE { "db", "URL", "postgresql://... instead of the file in the data folder.", false }
#define CONFIG   { "config", "FILE", "Settings, YAML; see: keepd config --show", false }

static const struct command_option serve_options[] = {
    DATA, DATABASE, CONFIG,
    { "listen", "ADDR:PORT", "Where to listen (127.0.0.1:8470).", false },
    { "tls-cert", "FILE", "Certificate chain, PEM; SIGHUP reads it again.", false },
    { "tls-key", "FILE", "Its private key, PEM.", false },
    { "tls-self-managed", "NAMES", "Make and renew a certificate for these names, separated by commas; see: keepd ca", false },
    { "insecure-plaintext", NULL, "Serve plain HTTP to other machines: tokens can then be read on the way.", false },
    { "log-level", "LEVEL", "debug, info, warn, error.", false },
};
static const struct command_option init_options[] = {
    DATA, DATABASE, CONFIG,
    { "listen", "ADDR:PORT", "Address in the printed link.", false },
    { "admin", "NAME", "Name of the first admin (admin).", false },
    { "json", NULL, "Print JSON, with an admin token beside the link.", false },
};
static const struct command_option rest_options[] = { DATA, DATABASE, CONFIG, { "listen", "ADDR:PORT", "Address in the printed link.", false } };
static const struct command_option token_options[] = {
    DATA, DATABASE, CONFIG,
    { "role", "ROLE", "viewer, analyst, policy, admin, ci, admission or agent.", false },
    { "name", "NAME", "What to call it.", false },
    { "expires-in", "TIME", "Life (90d).", false },
};
static const struct command_option config_options[] = {
    CONFIG, DATA, DATABASE, { "show", NULL, "Print every setting: value, where it comes from, what it is.", false },
};

#define OPTIONS(table) table, N_ITEMS(table)

static const struct command commands[] = {
    { "serve", "", 0, 0, "Run the server.", OPTIONS(serve_options), cmd_serve,
      "Serves the API and the web pages until SIGTERM: then answers what was accepted, checkpoints, exits 0.\n"
      "SIGHUP reads certificate and configuration again. Plain HTTP is served on loopback only." },
    { "init", "", 0, 0, "Make the database and the first admin; prints a one-time login link.", OPTIONS(init_options), cmd_init, NULL },
    { "login-link", "USER", 1, 1, "Print a new one-time login link for a user (server stopped).", OPTIONS(rest_options), cmd_login_link, NULL },
    { "token", "", 0, 0, "Print a new API token (server stopped).", OPTIONS(token_options), cmd_token, NULL },
    { "migrate", "", 0, 0, "Bring the schema up to date.", OPTIONS(rest_options), cmd_migrate, NULL },
    { "backup", "FILE", 1, 1, "Copy the database, consistent, into a new file.", OPTIONS(rest_options), cmd_backup, NULL },
    { "restore", "FILE", 1, 1, "Check a backup and put it in place; the old database is kept.", OPTIONS(rest_options), cmd_restore, NULL },
    { "verify", "", 0, 0, "Check the structure of the database and every leaf of the audit log.", OPTIONS(rest_options), cmd_verify, NULL },
    { "ca", "", 0, 0, "Print the certificates to trust for a self-managed certificate.", OPTIONS(rest_options), cmd_ca,
      "PEM, for caBundle and --ca-file. While the CA changes hands the next one is there thirty days before it signs,\n"
      "and the old one until it ends: apply the output again when it changes (keepctl k8s status says so)." },
    { "config", "", 0, 0, "Print the settings in force.", OPTIONS(config_options), cmd_config, NULL },
    { "routes", "", 0, 0, "Print the route table: method, path, class, roles.", NULL, 0, cmd_routes, NULL },
    { "openapi", "", 0, 0, "Print the OpenAPI 3.1 description of the API.", NULL, 0, cmd_openapi, NULL },
    { "man", "", 0, 0, "Print the man page.", NULL, 0, cmd_man, NULL },
    { "completion", "SHELL", 1, 1, "Print completion for bash, zsh or fish.", NULL, 0, cmd_completion, NULL },
};

static const struct program program = {
    .name = "keepd", .summary = "container-security control plane: signed scan results in, verdicts out", .version = KEEP_VERSION,
    .commands = commands, .n_commands = N_ITEMS(commands),
    .exit_codes = "  0  done\n  1  failed; the message says why\n  3  storage or network not available",
    .environment = "KEEP_<SETTING>, for every setting of `keepd config --show`: freshness.scan_max_age is\nKEEP_FRESHNESS_SCAN_MAX_AGE.",
    .see_also = "keepctl(1)",
};

int main(int argc, char **argv)
{
    return command_main(&program, argc, argv);
}
