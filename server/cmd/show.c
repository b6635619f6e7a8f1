/* show.c - keepd config, routes, openapi, man, completion: what the tables say. */
#include "cmd/serve.h"

#include "http/openapi.h"
#include "http/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int command_fail(const struct command_line *cl, const struct err *err)
{
    fprintf(stderr, "%s %s: %s\n", cl->program->name, cl->command->name, err->msg);
    return err_info(err->kind)->exit_code;
}

int command_config(const struct command_line *cl, struct arena *arena, struct config *out)
{
    struct err err = { 0 };

    if (config_load(command_get(cl, "config"), cl, arena, out, NULL, &err) != 0) {
        command_fail(cl, &err);
        return -1;
    }
    if (out->data_dir == NULL) {
        fprintf(stderr, "%s %s: --data DIR is missing: the folder for the database and keys\n", cl->program->name, cl->command->name);
        return -1;
    }
    return 0;
}

const char *config_database(const struct config *c, struct arena *arena)
{
    return c->db_url != NULL ? c->db_url : arena_printf(arena, "%s/keep.db", c->data_dir);
}

int cmd_config(struct command_line *cl)
{
    struct arena arena;
    struct config config;
    struct err err = { 0 };
    struct buf out;
    enum setting_from from[64];

    arena_init(&arena, 16 << 20);
    buf_init(&out, 1 << 20);
    int rc = config_load(command_get(cl, "config"), cl, &arena, &config, from, &err);
    if (rc == 0) {
        config_print(&config, from, &out);
        fputs(out.ptr, stdout);
    }
    buf_free(&out);
    arena_clear(&arena);
    return rc == 0 ? 0 : command_fail(cl, &err);
}

static void print_roles(unsigned who)
{
    const char *comma = "";

    for (unsigned bit = 1; bit <= WHO_ANYONE; bit <<= 1) {
        if ((who & bit) == 0)
            continue;
        printf("%s%s", comma, role_word((enum role)bit));
        comma = ",";
    }
}

int cmd_routes(struct command_line *cl)
{
    static const char *const classes[] = { "none", "light", "read", "write" };
    size_t n;
    const struct route *all = routes_gather(&n);

    (void)cl;
    for (size_t i = 0; i < n; i++) {
        printf("%-7s %-40s %-6s ", all[i].method, all[i].path, classes[all[i].class]);
        print_roles(all[i].who);
        printf("\n        %s\n", all[i].summary);
    }
    return 0;
}

int cmd_openapi(struct command_line *cl)
{
    struct err err = { 0 };
    struct buf out;
    size_t n;
    const struct route *all = routes_gather(&n);

    buf_init(&out, 8 << 20);
    int rc = route_check(all, n, &err);
    if (rc == 0)
        rc = openapi_write(all, n, "Keep", KEEP_VERSION, &out, &err);
    if (rc == 0 && !out.failed)
        puts(out.ptr);
    buf_free(&out);
    return rc == 0 ? 0 : command_fail(cl, &err);
}

int cmd_man(struct command_line *cl)
{
    command_man(cl->program, stdout);
    return 0;
}

int cmd_completion(struct command_line *cl)
{
    command_completion(cl->program, cl->args[0], stdout);
    return 0;
}
