/* program.h - keepctl's one table: every command, gathered from the nouns. */
#ifndef KEEP_CTL_PROGRAM_H
#define KEEP_CTL_PROGRAM_H

#include "ctl/ctl.h"

enum { PROGRAM_COMMANDS_MAX = 192, PROGRAM_TEXT_MAX = 2048 };

/* What base/command.h wants, with the memory it needs. */
struct ctl_program {
    struct program program;
    struct command rows[PROGRAM_COMMANDS_MAX];
    char exit_codes[PROGRAM_TEXT_MAX];
};

void program_init(struct ctl_program *p);
const struct ctl_command *program_find(const char *name);    /* NULL: there is none */

#endif
