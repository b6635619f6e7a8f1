/* settings.h - which server, with which token: flag > environment > file.
 *
 * The file is ~/.config/keep/config.yaml (XDG_CONFIG_HOME and KEEP_CONFIG are
 * obeyed), mode 0600, written by `keepctl login`.  Its token goes to the server
 * named beside it and to no other. */
#ifndef KEEP_CTL_SETTINGS_H
#define KEEP_CTL_SETTINGS_H

#include "base/arena.h"
#include "base/err.h"

struct settings {
    const char *server;              /* NULL: none is known */
    const char *token;               /* NULL: none */
    const char *ca_file;
    const char *server_from, *token_from;    /* where they come from, for messages */
};

/* Of the command line; NULL: not given.  A token itself is never an argument. */
struct settings_flags { const char *server, *token_file, *ca_file; };

/* Everything lives in the arena.  ERR_INVALID: a file that cannot be read, says
 * nonsense, or lets others read the token. */
int settings_load(struct arena *arena, const struct settings_flags *flags, struct settings *out, struct err *err);

/* Writes the file (and its folder) for this user alone; replaces it as a whole. */
int settings_save(struct arena *arena, const struct settings *s, const char **path, struct err *err);

/* The token in a file ("-": standard input): one line, white space around it dropped. */
int token_read(struct arena *arena, const char *path, const char **out, struct err *err);

#endif
