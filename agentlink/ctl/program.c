/* program.c - see program.h. */
#include "ctl/program.h"

#include "ctl/nouns.h"

#include <string.h>

static const struct ctl_commands *const nouns[] = {
    &login_commands, &scan_commands, &image_commands, &fleet_commands, &container_commands, &evidence_commands, &vex_commands,
    &people_commands, &policy_commands, &policy_try_commands, &policy_change_commands, &profile_commands, &profile_make_commands, &check_commands, &declare_commands, &k8s_commands, &opa_commands, &alert_commands, &node_commands, &trust_commands, &tool_commands,
};

static const struct command_option common[] = {
    { "server", "URL", "Address of Keep; else KEEP_SERVER, else what login wrote.", false },
    { "token-file", "FILE", "File with the token (-: standard input); else KEEP_TOKEN, KEEP_TOKEN_FILE, else what login wrote.", false },
    { "ca-file", "FILE", "Certificates to trust instead of the system's (PEM); else KEEP_CA_FILE.", false },
    { "output", "FORMAT[=FILE]", "table, json, markdown; for verdicts also sarif, junit, gitlab, codequality, github. May be repeated.", true },
    { "color", "WHEN", "auto, always or never; NO_COLOR is obeyed.", false },
    { "curl", NULL, "Send nothing; print the curl command that does the same.", false },
    { "timeout", "DURATION", "Longest time for one request, and for trying again (5m; 2m).", false },
    { "retries", "N", "How often to try again when the server is busy or away (3).", false },
    { "quiet", NULL, "Say nothing but results and errors.", false },
};

static const char environment[] =
    "KEEP_SERVER      address of the server\n"
    "KEEP_TOKEN       the token (KEEP_TOKEN_FILE: a file with it)\n"
    "KEEP_CA_FILE     certificates to trust\n"
    "KEEP_CONFIG      configuration file (~/.config/keep/config.yaml)\n"
    "NO_COLOR         no colours\n"
    "CLICOLOR_FORCE   colours even without a terminal\n"
    "GITHUB_STEP_SUMMARY   file the summary is appended to by --output github";

void program_init(struct ctl_program *p)
{
    size_t n = 0;

    memset(p, 0, sizeof *p);
    for (size_t i = 0; i < N_ITEMS(nouns); i++) {
        for (size_t k = 0; k < nouns[i]->n && n < PROGRAM_COMMANDS_MAX; k++) {
            p->rows[n] = nouns[i]->rows[k].row;
            p->rows[n++].run = ctl_run;
        }
    }
    exit_text(p->exit_codes, sizeof p->exit_codes);
    p->program = (struct program){
        .name = "keepctl", .summary = "ask Keep about container images, and tell it about scans", .version = KEEP_VERSION,
        .commands = p->rows, .n_commands = n, .common = common, .n_common = N_ITEMS(common),
        .exit_codes = p->exit_codes, .environment = environment, .see_also = "keepd(8)",
    };
}

const struct ctl_command *program_find(const char *name)
{
    for (size_t i = 0; i < N_ITEMS(nouns); i++) {
        for (size_t k = 0; k < nouns[i]->n; k++) {
            if (str_eq(nouns[i]->rows[k].row.name, name))
                return &nouns[i]->rows[k];
        }
    }
    return NULL;
}
