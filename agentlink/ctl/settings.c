/* settings.c - see settings.h. */
#include "ctl/settings.h"

#include "base/buf.h"
#include "base/crypto.h"
#include "base/str.h"
#include "client/url.h"
#include "ctl/file.h"
#include "wire/jsonw.h"
#include "wire/shape.h"
#include "wire/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CONFIG_MAX = 64 * 1024, TOKEN_MAX = 512 };

static const struct field fields[] = {
    { "server", FIELD_TEXT, 0, offsetof(struct settings, server), 0, 1, 512, NULL, NULL, "Address of the server." },
    { "token", FIELD_TEXT, 0, offsetof(struct settings, token), 0, 1, TOKEN_MAX, NULL, NULL, "Token for that server." },
    { "ca_file", FIELD_TEXT, 0, offsetof(struct settings, ca_file), 0, 1, 1024, NULL, NULL, "Certificates to trust." },
};
static const struct shape config_shape = { "config", sizeof(struct settings), fields, N_ITEMS(fields), false };

static const char *env(const char *name)
{
    const char *v = getenv(name);

    return v != NULL && v[0] != '\0' ? v : NULL;
}

static const char *config_path(struct arena *arena)
{
    if (env("KEEP_CONFIG") != NULL)
        return arena_strdup(arena, env("KEEP_CONFIG"));
    if (env("XDG_CONFIG_HOME") != NULL)
        return arena_printf(arena, "%s/keep/config.yaml", env("XDG_CONFIG_HOME"));
    return env("HOME") != NULL ? arena_printf(arena, "%s/.config/keep/config.yaml", env("HOME")) : NULL;
}

static bool is_token(const char *s)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] >= 0x7F)
            return false;
    }
    return n > 0 && n <= TOKEN_MAX;
}

int token_read(struct arena *arena, const char *path, const char **out, struct err *err)
{
    struct bytes text;

    if (file_read(arena, path, TOKEN_MAX + 64, &text, err) != 0)
        return -1;
    const char *s = (const char *)text.ptr;
    size_t n = text.len;
    while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
        n--;
    while (n > 0 && strchr(" \t\r\n", *s) != NULL)
        s++, n--;
    char *token = arena_strndup(arena, s, n);
    if (token == NULL)
        return err_nomem(err);
    if (!is_token(token))
        return err_set(err, ERR_INVALID, "%s: no token in it (one line, like keep_ci_...)", path);
    *out = token;
    return 0;
}

/* No file is no error. */
static int read_config(struct arena *arena, struct settings *out, const char **path, struct err *err)
{
    struct bytes text;
    struct json doc;
    struct stat st;

    *path = config_path(arena);
    if (*path == NULL || (stat(*path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR)))
        return 0;
    if (file_read(arena, *path, CONFIG_MAX, &text, err) != 0)
        return -1;
    if (yaml_parse(arena, text.ptr, text.len, NULL, &doc, err) != 0 ||
        shape_decode(&config_shape, &doc, arena, out, NULL, err) != 0)
        return err_prefix(err, "%s", *path);
    if (out->token != NULL && (st.st_mode & 077) != 0)
        return err_set(err, ERR_INVALID, "%s holds a token and others may read it; type: chmod 600 %s", *path, *path);
    return 0;
}

static int pick_server(struct arena *arena, const char *flag, const struct settings *file, const char *path,
                       struct settings *out, struct err *err)
{
    const struct { const char *value, *from; } places[] = {
        { flag, "--server" }, { env("KEEP_SERVER"), "KEEP_SERVER" }, { file->server, path },
    };
    char *base = NULL;

    for (size_t i = 0; i < N_ITEMS(places); i++) {
        if (places[i].value == NULL)
            continue;
        if (url_base(places[i].value, &base, err) != 0)
            return err_prefix(err, "%s", places[i].from);
        out->server = arena_strdup(arena, base);
        out->server_from = places[i].from;
        free(base);
        return out->server != NULL ? 0 : err_nomem(err);
    }
    return 0;
}

static int pick_token(struct arena *arena, const char *flag, const struct settings *file, const char *path,
                      struct settings *out, struct err *err)
{
    const char *from_env = env("KEEP_TOKEN"), *token_file = flag != NULL ? flag : from_env == NULL ? env("KEEP_TOKEN_FILE") : NULL;

    if (token_file != NULL) {
        out->token_from = token_file;
        return token_read(arena, token_file, &out->token, err);
    }
    if (from_env != NULL) {
        if (!is_token(from_env))
            return err_set(err, ERR_INVALID, "KEEP_TOKEN: not a token");
        out->token = from_env;
        out->token_from = "KEEP_TOKEN";
        return 0;
    }
    if (file->token != NULL && str_eq(out->server, file->server)) {
        out->token = file->token;
        out->token_from = path;
    }
    return 0;
}

int settings_load(struct arena *arena, const struct settings_flags *flags, struct settings *out, struct err *err)
{
    struct settings file = { 0 }, s = { 0 };
    const char *path = NULL;

    if (read_config(arena, &file, &path, err) != 0 ||
        pick_server(arena, flags->server, &file, path, &s, err) != 0 ||
        pick_token(arena, flags->token_file, &file, path, &s, err) != 0)
        return -1;
    s.ca_file = flags->ca_file != NULL ? flags->ca_file : env("KEEP_CA_FILE") != NULL ? env("KEEP_CA_FILE") : file.ca_file;
    *out = s;
    return 0;
}

static void put_line(struct buf *b, const char *key, const char *value)
{
    struct jsonw w;

    if (value == NULL)
        return;
    buf_printf(b, "%s: ", key);
    jsonw_init(&w, b);
    jsonw_str(&w, value);        /* a JSON string is a YAML string */
    buf_putc(b, '\n');
}

static int make_folders(char *path, struct err *err)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int rc = mkdir(path, 0700);
        *slash = '/';
        if (rc != 0 && errno != EEXIST)
            return err_set(err, ERR_INVALID, "%s: cannot make its folder: %s", path, strerror(errno));
    }
    return 0;
}

int settings_save(struct arena *arena, const struct settings *s, const char **path, struct err *err)
{
    struct buf b;
    char *to = arena_strdup(arena, config_path(arena));

    if (to == NULL)
        return err_set(err, ERR_INVALID, "no place for the configuration: set HOME or KEEP_CONFIG");
    if (make_folders(to, err) != 0)
        return -1;
    buf_init(&b, CONFIG_MAX);
    put_line(&b, "server", s->server);
    put_line(&b, "token", s->token);
    put_line(&b, "ca_file", s->ca_file);
    int rc = b.failed ? err_nomem(err) : file_write(to, (struct bytes){ (unsigned char *)b.ptr, b.len }, 0600, true, err);
    if (b.ptr != NULL)
        crypto_wipe(b.ptr, b.len);
    buf_free(&b);
    if (rc == 0)
        *path = to;
    return rc;
}
