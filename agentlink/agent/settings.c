/* settings.c - see settings.h. */
#include "agent/settings.h"

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/shape.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AT(member) offsetof(struct settings, member)
#define MIB(n) ((int64_t)(n) << 20)
#define SOURCES "sources"
#define SOURCES_DOC "What to listen to: a list of {name, kind, via, path, from_end}; without it, Falco and others on the receiver."

const struct setting agent_settings[] = {
    { "server", SETTING_TEXT, AT(server), NULL, 0, 0, false, "Address of Keep, https://keep.example.org:8470." },
    { "ca_file", SETTING_TEXT, AT(ca_file), NULL, 0, 0, false, "Certificates to trust instead of the system's (PEM)." },
    { "state_dir", SETTING_TEXT, AT(state_dir), SETTINGS_STATE_DIR, 0, 0, false, "Folder for key, bundle and spool." },
    { "name", SETTING_TEXT, AT(name), NULL, 0, 0, false, "What to call this machine; without it, its host name." },
    { "log.level", SETTING_TEXT, AT(log_level), "info", 0, 0, true, "debug, info, warn or error." },
    { "receive.address", SETTING_TEXT, AT(receive_address), "127.0.0.1", 0, 0, false, "Where the receiver listens. Whoever may connect may report events." },
    { "receive.port", SETTING_INT, AT(receive_port), "2801", 0, 65535, false, "Its port; 0: any free one." },
    { "receive.body", SETTING_BYTES, AT(receive_body), "8MiB", 1024, MIB(64), false, "Bytes of one request to it." },
    { "receive.connections", SETTING_INT, AT(receive_connections), "64", 1, 1024, false, "Connections to it at once." },
    { "spool.bytes", SETTING_BYTES, AT(spool_bytes), "256MiB", MIB(1), INT64_C(1) << 40, false, "Events waiting on the disk, of all classes." },
    { "spool.critical_bytes", SETTING_BYTES, AT(spool_critical), "0", 0, INT64_C(1) << 40, false, "Of these, critical ones; 0: all. They are refused when that is full." },
    { "spool.normal_bytes", SETTING_BYTES, AT(spool_normal), "192MiB", 0, INT64_C(1) << 40, false, "Of these, normal ones; 0: all. The oldest go when that is full." },
    { "spool.low_bytes", SETTING_BYTES, AT(spool_low), "64MiB", 0, INT64_C(1) << 40, false, "Of these, low ones; 0: all. They are the first to go." },
    { "spool.segment_bytes", SETTING_BYTES, AT(spool_segment), "1MiB", 128 << 10, MIB(64), false, "A file of the spool; what goes, goes by files." },
    { "spool.reserve_bytes", SETTING_BYTES, AT(spool_reserve), "2MiB", 0, MIB(1024), false, "Held back on the disk for critical events when it is full." },
    { "send.events", SETTING_INT, AT(send_events), "500", 1, SPOOL_BATCH_MAX, true, "Events of a batch." },
    { "send.bytes", SETTING_BYTES, AT(send_bytes), "1MiB", 64 << 10, (2 << 20) - (64 << 10), true, "Bytes of a batch before compression." },
    { "send.linger", SETTING_DURATION, AT(send_linger_ms), "1s", 0, MS_MINUTE, true, "How long a batch waits to become full; critical events do not wait." },
    { "send.coding", SETTING_TEXT, AT(send_coding), "zstd", 0, 0, true, "How batches are compressed: zstd, gzip or none." },
    { "poll.interval", SETTING_DURATION, AT(poll_interval_ms), "30s", MS_SECOND, MS_DAY, true, "How often to ask for a bundle; the server's setting beats it." },
    { "poll.wait", SETTING_DURATION, AT(poll_wait_ms), "50s", 0, 5 * MS_MINUTE, true, "How long the server may hold the answer until there is news; 0s: not at all." },
    { "inventory.interval", SETTING_DURATION, AT(inventory_interval_ms), "15s", MS_SECOND, MS_DAY, true, "How often to look for containers." },
    { "inventory.root", SETTING_TEXT, AT(inventory_root), NULL, 0, 0, false, "In front of every path of an engine: /host within a DaemonSet." },
    { "status.interval", SETTING_DURATION, AT(status_interval_ms), "60s", MS_SECOND, MS_DAY, true, "How often to report on itself." },
    { "limit.memory", SETTING_BYTES, AT(memory), "192MiB", MIB(32), MIB(16384), false, "Bytes of memory (RLIMIT_DATA); resident, it is watched at three quarters." },
    { "limit.cpu_percent", SETTING_INT, AT(cpu_percent), "50", 1, 6400, true, "Share of one core; past it, sources are read more slowly." },
    { "limit.files", SETTING_INT, AT(files), "1024", 64, 1 << 20, false, "Open files." },
    { "walls.enabled", SETTING_BOOL, AT(walls), "true", 0, 0, false, "See and enforce in the kernel, as far as profiles say so and it is built in." },
    { "walls.cgroup", SETTING_TEXT, AT(walls_cgroup), "/sys/fs/cgroup", 0, 0, false, "Folder of cgroup v2 that all containers are below." },
    { "walls.pins", SETTING_TEXT, AT(walls_pins), "/sys/fs/bpf/keep", 0, 0, false, "Folder in a bpffs for what outlives the agent." },
    { "walls.off_file", SETTING_TEXT, AT(walls_off_file), "/etc/keep/walls-off", 0, 0, false, "While this file exists, no wall stands." },
};
const size_t n_agent_settings = N_ITEMS(agent_settings);

/* Flags that are short for a setting. */
static const struct setting_flag flags[] = {
    { "server", "server" }, { "ca-file", "ca_file" }, { "state-dir", "state_dir" }, { "name", "name" }, { "log-level", "log.level" },
};

/* What is listened to when nothing else is said. */
static const struct source_setting usual[] = {
    { .name = "falco", .kind = SOURCE_FALCO, .via = SOURCE_VIA_HTTP, .path = "/" },
    { .name = "events", .kind = EVENT_SOURCE_N, .via = SOURCE_VIA_HTTP, .path = "/events" },
    { .name = "k8s-audit", .kind = SOURCE_K8SAUDIT, .via = SOURCE_VIA_HTTP, .path = "/k8s-audit" },
};

static int take_sources(void *to, const struct json *v, struct arena *arena, struct err *err)
{
    struct settings *c = to;

    if (v->type != JSON_ARRAY || v->n > SOURCES_MAX)
        return err_set(err, ERR_INVALID, "sources: expected a list of at most %d", SOURCES_MAX);
    c->n_sources = 0;
    c->sources = arena_array(arena, v->n + 1, sizeof *c->sources);
    if (c->sources == NULL)
        return err_nomem(err);
    for (uint32_t i = 0; i < v->n; i++) {
        if (shape_decode(&source_setting_shape, json_at(v, i), arena, &c->sources[i], NULL, err) != 0)
            return err_prefix(err, "sources[%u]", i);
        c->n_sources++;
    }
    return 0;
}

static const struct setting_table table = {
    .rows = agent_settings, .n = N_ITEMS(agent_settings), .flags = flags, .n_flags = N_ITEMS(flags),
    .environment = "KEEP_AGENT_", .list = SOURCES, .take = take_sources, .says_range = true,
};

static int set_usual(struct settings *c, struct err *err)
{
    c->n_sources = N_ITEMS(usual);
    c->sources = arena_alloc(c->arena, sizeof usual);
    if (c->sources == NULL)
        return err_nomem(err);
    memcpy(c->sources, usual, sizeof usual);
    return 0;
}

static int set_name(struct settings *c, struct err *err)
{
    char host[256] = "";

    if (c->name != NULL)
        return 0;
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof host, "unknown");
    c->name = arena_strdup(c->arena, host);
    return c->name != NULL ? 0 : err_nomem(err);
}

static int check(const struct settings *c, struct err *err)
{
    if (log_level_of(c->log_level != NULL ? c->log_level : "info") == LOG_LEVEL_N)
        return err_set(err, ERR_INVALID, "log.level: expected debug, info, warn or error, found %s", c->log_level);
    if (settings_coding(c) == CODING_N)
        return err_set(err, ERR_INVALID, "send.coding: expected zstd, gzip or none, found %s", c->send_coding);
    if (c->state_dir == NULL)
        return err_set(err, ERR_INVALID, "state_dir: expected a folder");
    if (c->spool_bytes < 4 * c->spool_segment)
        return err_set(err, ERR_INVALID, "spool.bytes: less than four of spool.segment_bytes");
    return 0;
}

int agent_settings_load(const char *file, const struct command_line *cl, struct arena *arena, struct settings *out,
                  enum setting_from *from, struct err *err)
{
    enum setting_from unused[N_ITEMS(agent_settings) + 1];
    struct settings c = { .arena = arena };

    if (file == NULL && access(SETTINGS_FILE, F_OK) == 0)
        file = SETTINGS_FILE;
    if (set_usual(&c, err) != 0 || settings_read(&table, file, cl, arena, &c, from != NULL ? from : unused, err) != 0 ||
        set_name(&c, err) != 0 || check(&c, err) != 0)
        return -1;
    *out = c;
    return 0;
}

/* ---- what they say ------------------------------------------------------------------------ */

enum send_coding settings_coding(const struct settings *s)
{
    static const char *const words[CODING_N] = { [CODING_GZIP] = "gzip", [CODING_ZSTD] = "zstd", [CODING_NONE] = "none" };

    for (int i = 0; i < CODING_N; i++) {
        if (str_eq(s->send_coding, words[i]))
            return (enum send_coding)i;
    }
    return CODING_N;
}

struct spool_limits settings_spool(const struct settings *s)
{
    return (struct spool_limits){
        .bytes = s->spool_bytes, .segment_bytes = s->spool_segment, .reserve_bytes = s->spool_reserve,
        .class_bytes = { [SPOOL_CRITICAL] = s->spool_critical, [SPOOL_NORMAL] = s->spool_normal, [SPOOL_LOW] = s->spool_low },
    };
}

void settings_print(const struct settings *c, const enum setting_from *from, struct buf *out)
{
    for (size_t i = 0; i < n_agent_settings; i++) {
        buf_printf(out, "%s: ", agent_settings[i].key);
        setting_print(c, &agent_settings[i], true, out);
        buf_printf(out, "   # %s. %s\n", setting_from_word(from[i]), agent_settings[i].doc);
    }
    buf_printf(out, SOURCES ":   # %s. " SOURCES_DOC "\n", setting_from_word(from[n_agent_settings]));
    for (size_t i = 0; i < c->n_sources; i++) {
        const struct source_setting *s = &c->sources[i];
        buf_printf(out, "  - {name: %s, kind: %s, via: %s, path: \"%s\", from_end: %s}\n", s->name, source_kind_words[s->kind],
                   source_via_words[s->via], s->path != NULL ? s->path : "", s->from_end ? "true" : "false");
    }
}
