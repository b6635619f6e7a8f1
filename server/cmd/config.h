/* config.h - keepd's settings: one table of rows.
 *
 * The rows are read as wire/settings.h says (listen is KEEP_LISTEN) and print
 * `keepd config --show` and the man page.  Secrets are names of files. */
#ifndef KEEP_CMD_CONFIG_H
#define KEEP_CMD_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/command.h"
#include "base/err.h"
#include "service/app.h"
#include "wire/settings.h"

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

/* Offsets are in struct config. */
extern const struct setting settings_table[];
extern const size_t n_settings_table;

/* file may be NULL.  Everything lives in the arena.  from[i] (may be NULL) says where
 * the i-th value came from. */
int config_load(const char *file, const struct command_line *cl, struct arena *arena, struct config *out,
                enum setting_from *from, struct err *err);

/* "key: value   # where from, what it is" */
void config_print(const struct config *c, const enum setting_from *from, struct buf *out);

#endif
