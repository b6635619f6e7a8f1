/* commands.h - what keep-agent does when it is typed, beside running: one function a row
 * of the table in main.c. */
#ifndef KEEP_AGENT_COMMANDS_H
#define KEEP_AGENT_COMMANDS_H

#include "agent/settings.h"
#include "base/command.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_NOT_WELL = 2, EXIT_AWAY = 3 };

int command_enroll(struct command_line *cl);
int command_status(struct command_line *cl);
int command_doctor(struct command_line *cl);
int command_simulate(struct command_line *cl);
int command_walls(struct command_line *cl);

/* Settings of the command line, or the reason on stderr; -1. */
int command_settings(struct command_line *cl, struct arena *arena, struct settings *out);
/* Says it on stderr; EXIT_FAILED. */
int command_failed(const struct command_line *cl, const struct err *err);
/* -o json or --output json: true.  Anything else but table: *bad. */
bool command_wants_json(const struct command_line *cl, bool *bad);

#endif
