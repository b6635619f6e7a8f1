/* noun_login.c - login, logout, whoami. */
#include "ctl/call.h"
#include "ctl/nouns.h"

#include <stdlib.h>

static const struct column who_columns[] = {
    { "NAME", "user.name", COLUMN_TEXT }, { "ROLE", "user.role", COLUMN_TEXT }, { "ID", "user.id", COLUMN_TEXT }, { "EXPIRES", "expires_at", COLUMN_TIME },
};
static const struct api_call who_call = { .method = "GET", .target = "/v1/session", .columns = who_columns, .n_columns = N_ITEMS(who_columns) };

/* The server of the argument, with the token of --token-file or KEEP_TOKEN. */
static int read_login(struct ctl *c, struct settings *s)
{
    struct settings_flags flags = { ctl_arg(c, 0), ctl_option(c, "token-file"), ctl_option(c, "ca-file") };
    struct err err = { 0 };

    if (str_starts(flags.server, "keep_"))
        return ctl_wrong(c, "keepctl login https://HOST --token-file FILE", "a token on the command line can be seen by everybody on this machine");
    if (settings_load(&c->arena, &flags, s, &err) != 0)
        return ctl_fail(c, &err, NULL);
    if (s->token == NULL)
        return ctl_wrong(c, "keepctl login URL --token-file FILE   (-: standard input)", "a token is needed: make one with keepctl token create, or ask an administrator");
    if (s->ca_file != NULL) {
        char *full = realpath(s->ca_file, NULL);
        s->ca_file = full != NULL ? arena_strdup(&c->arena, full) : s->ca_file;
        free(full);
    }
    return 0;
}

static int login(struct ctl *c)
{
    struct settings s = { 0 };
    struct json answer;
    struct err err = { 0 };
    const char *path;

    int rc = read_login(c, &s);
    if (rc != 0)
        return rc;
    c->settings = s;
    rc = ctl_get(c, "/v1/session", &answer);       /* a token that does not work is not kept */
    if (rc != 0)
        return rc;
    if (settings_save(&c->arena, &s, &path, &err) != 0)
        return ctl_fail(c, &err, NULL);
    ctl_say(c, "logged in to %s as %s (%s); kept in %s", s.server, json_str(json_path(&answer, "user.name"), "?"),
            json_str(json_path(&answer, "user.role"), "?"), path);
    return 0;
}

static int logout(struct ctl *c)
{
    struct settings_flags flags = { 0 };
    struct settings s = { 0 };
    struct err err = { 0 };
    const char *path;

    if (settings_load(&c->arena, &flags, &s, &err) != 0)
        return ctl_fail(c, &err, NULL);
    if (s.server == NULL)
        return 0;
    s.token = NULL;
    if (settings_save(&c->arena, &s, &path, &err) != 0)
        return ctl_fail(c, &err, NULL);
    ctl_say(c, "the token is gone from %s; on the server it still works: keepctl token revoke ID", path);
    return 0;
}

static const struct ctl_command rows[] = {
    { PLAIN("login", "URL", 1, 1, "Keep a server's address and the token of --token-file for later."), login, NULL },
    { PLAIN("logout", "", 0, 0, "Forget the kept token."), logout, NULL },
    { PLAIN("whoami", "", 0, 0, "Say whom the server takes the token for."), call_show, &who_call },
};
const struct ctl_commands login_commands = { rows, N_ITEMS(rows) };
