/* settings.h - keep-agent's settings: one table of rows, one file, the environment.
 *
 * The rows are read as wire/settings.h says (spool.bytes is KEEP_AGENT_SPOOL_BYTES)
 * and print `keep-agent config`.  Secrets are names of files.  "sources" is a list,
 * read by its own table (agent/source.h). */
#ifndef KEEP_AGENT_SETTINGS_H
#define KEEP_AGENT_SETTINGS_H

#include "agent/source.h"
#include "agent/spool.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/command.h"
#include "base/err.h"
#include "wire/settings.h"

#include <stdbool.h>
#include <stdint.h>

#define SETTINGS_FILE "/etc/keep/agent.yaml"
#define SETTINGS_STATE_DIR "/var/lib/keep-agent"

enum send_coding { CODING_GZIP = 0, CODING_ZSTD, CODING_NONE, CODING_N };

struct settings {
    struct arena *arena;
    const char *server, *ca_file, *state_dir, *name, *log_level;
    const char *receive_address;
    int64_t receive_port, receive_body, receive_connections;
    int64_t spool_bytes, spool_critical, spool_normal, spool_low, spool_segment, spool_reserve;
    int64_t send_events, send_bytes, send_linger_ms;
    const char *send_coding;
    int64_t poll_interval_ms, poll_wait_ms;
    int64_t inventory_interval_ms, status_interval_ms;
    const char *inventory_root;
    int64_t memory, cpu_percent, files;
    const char *walls_pins, *walls_off_file, *walls_cgroup;
    bool walls;
    struct source_setting *sources; size_t n_sources;
};

/* Offsets are in struct settings. */
extern const struct setting agent_settings[];
extern const size_t n_agent_settings;

/* file NULL: SETTINGS_FILE if it is there.  cl may be NULL.  Everything lives in the
 * arena.  from (may be NULL; n_agent_settings + 1 items, the last for the sources)
 * says where values came from.  ERR_INVALID. */
int agent_settings_load(const char *file, const struct command_line *cl, struct arena *arena, struct settings *out,
                  enum setting_from *from, struct err *err);

enum send_coding settings_coding(const struct settings *s);
struct spool_limits settings_spool(const struct settings *s);

/* "key: value   # where from, what it is" */
void settings_print(const struct settings *s, const enum setting_from *from, struct buf *out);

#endif
