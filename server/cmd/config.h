/* config.h - keepd's settings: one table of rows.
 *
 * A row has a key, a type with bounds, a default and a sentence; the same rows read
 * the file, the environment and the flags, print `keepd config --show` and the man
 * page.  Flag beats environment beats file beats default.  An unknown key stops the
 * start, with its place and the nearest that exists.  Secrets are names of files. */
#ifndef KEEP_CMD_CONFIG_H
#define KEEP_CMD_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/command.h"
#include "base/err.h"
#include "service/app.h"

#include <stdbool.h>
#include <stdint.h>

struct config {
    struct arena *arena;
    const char *data_dir, *listen, *listen_reserve, *listen_nodes, *db_url, *tls_cert, *tls_key, *tls_self, *log_level, *public_url, *client_ca;
    bool insecure_plaintext, secure_cookies, client_required;
    int64_t loops, workers, max_connections, max_per_address, rate, burst, connection_memory;
    int64_t writer_queue, writer_batch, work_queue, work_bytes;
    struct settings settings;
};

enum setting_type { SETTING_TEXT = 0, SETTING_BOOL, SETTING_INT, SETTING_DURATION, SETTING_BYTES };
enum setting_from { FROM_DEFAULT = 0, FROM_FILE, FROM_ENVIRONMENT, FROM_FLAG };

struct setting {
    const char *key;                     /* "freshness.scan_max_age" */
    enum setting_type type;
    size_t off;                          /* in struct config */
    const char *otherwise;               /* default, as written; NULL: none */
    int64_t min, max;
    bool reloadable;                     /* SIGHUP takes a new value; a change of others is logged */
    const char *doc;
};
extern const struct setting settings_table[];
extern const size_t n_settings_table;

/* file may be NULL.  Everything lives in the arena.  from[i] (may be NULL) says where
 * the i-th value came from. */
int config_load(const char *file, const struct command_line *cl, struct arena *arena, struct config *out,
                enum setting_from *from, struct err *err);

/* The same value in both. */
bool setting_equal(const struct config *a, const struct config *b, const struct setting *s);

/* "key: value   # where from, what it is" */
void config_print(const struct config *c, const enum setting_from *from, struct buf *out);

#endif
