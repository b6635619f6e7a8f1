/* ca.c - keepd ca: what to trust.  Reads one file; a server may be running. */
#include "cmd/serve.h"

#include "cmd/tls_self.h"

#include <stdio.h>

int cmd_ca(struct command_line *cl)
{
    struct arena arena;
    struct config config;
    struct err err = { 0 };
    const char *pem = NULL;

    arena_init(&arena, 16 << 20);
    if (command_config(cl, &arena, &config) != 0)
        return arena_clear(&arena), 1;
    const char *dir = arena_printf(&arena, "%s/tls", config.data_dir);
    int rc = dir == NULL ? err_nomem(&err) : tls_self_bundle(dir, &arena, &pem, &err);
    if (rc == 0)
        fputs(pem, stdout);
    arena_clear(&arena);
    return rc == 0 ? 0 : command_fail(cl, &err);
}
