/* serve.h - what every command of keepd needs of a running or resting server. */
#ifndef KEEP_CMD_SERVE_H
#define KEEP_CMD_SERVE_H

#include "base/command.h"
#include "cmd/config.h"
#include "db/db.h"
#include "service/call.h"

/* Every query of every store: prepared, and so checked, at start. */
extern const struct db_queries *const all_queries[];
size_t queries_gather(struct db_queries *out, size_t max);

/* The whole route table, in one array that lives for ever. */
const struct route *routes_gather(size_t *n);

/* Reads the configuration of a command line (--data, --config, flags); creates
 * nothing.  On failure says so on stderr and returns -1. */
int command_config(const struct command_line *cl, struct arena *arena, struct config *out);

/* The database of a configuration: its --db URL, or DIR/keep.db. */
const char *config_database(const struct config *c, struct arena *arena);

int command_fail(const struct command_line *cl, const struct err *err);     /* prints, returns an exit code */

int cmd_serve(struct command_line *cl), cmd_init(struct command_line *cl), cmd_login_link(struct command_line *cl),
    cmd_token(struct command_line *cl), cmd_migrate(struct command_line *cl), cmd_backup(struct command_line *cl),
    cmd_restore(struct command_line *cl), cmd_verify(struct command_line *cl), cmd_config(struct command_line *cl),
    cmd_routes(struct command_line *cl), cmd_openapi(struct command_line *cl), cmd_man(struct command_line *cl),
    cmd_completion(struct command_line *cl), cmd_ca(struct command_line *cl);

#endif
