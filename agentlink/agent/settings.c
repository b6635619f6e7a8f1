/* settings.c - see settings.h. */
#include "agent/settings.h"

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/shape.h"
#include "wire/yaml.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
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
static const struct { const char *flag, *key; } flags[] = {
    { "server", "server" }, { "ca-file", "ca_file" }, { "state-dir", "state_dir" }, { "name", "name" }, { "log-level", "log.level" },
};

/* What is listened to when nothing else is said. */
static const struct source_setting usual[] = {
    { .name = "falco", .kind = SOURCE_FALCO, .via = SOURCE_VIA_HTTP, .path = "/" },
    { .name = "events", .kind = EVENT_SOURCE_N, .via = SOURCE_VIA_HTTP, .path = "/events" },
    { .name = "k8s-audit", .kind = SOURCE_K8SAUDIT, .via = SOURCE_VIA_HTTP, .path = "/k8s-audit" },
};

static bool parse_bytes(const char *text, int64_t *out)
{
    static const struct { const char *unit; int shift; } units[] = { { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 }, { "", 0 } };
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    for (size_t i = 0; errno == 0 && n < 1 << 30 && i < N_ITEMS(units); i++) {
        if (str_eq(end, units[i].unit))
            return *out = (int64_t)n << units[i].shift, true;
    }
    return false;
}

static int set_number(const struct setting *s, int64_t value, int64_t *to, const char *text, struct err *err)
{
    if (value < s->min || value > s->max)
        return err_set(err, ERR_INVALID, "%s: %s is out of range (%lld to %lld)", s->key, text, (long long)s->min, (long long)s->max);
    *to = value;
    return 0;
}

static int set_value(struct settings *c, const struct setting *s, const char *text, struct err *err)
{
    char *base = (char *)c + s->off;
    int64_t n = 0;

    switch (s->type) {
    case SETTING_TEXT:
        *(const char **)(void *)base = *text != '\0' ? text : NULL;
        return 0;
    case SETTING_BOOL:
        if (!str_eq(text, "true") && !str_eq(text, "false"))
            return err_set(err, ERR_INVALID, "%s: expected true or false, found %s", s->key, text);
        *(bool *)base = str_eq(text, "true");
        return 0;
    case SETTING_INT:
        if (!str_to_i64(text, 0, INT64_MAX, &n))
            return err_set(err, ERR_INVALID, "%s: expected a number, found %s", s->key, text);
        break;
    case SETTING_DURATION:
        if (!time_parse_duration(text, &n))
            return err_set(err, ERR_INVALID, "%s: expected a length of time like 90s, 15m, 36h, 7d, found %s", s->key, text);
        break;
    case SETTING_BYTES:
        if (!parse_bytes(text, &n))
            return err_set(err, ERR_INVALID, "%s: expected bytes like 65536, 64KiB, 64MiB, found %s", s->key, text);
        break;
    }
    return set_number(s, n, (int64_t *)(void *)base, text, err);
}

static const struct setting *find(const char *key)
{
    for (size_t i = 0; i < n_agent_settings; i++) {
        if (str_eq(agent_settings[i].key, key))
            return &agent_settings[i];
    }
    return NULL;
}

static const char *nearest(const char *key)
{
    const char *best = NULL;
    size_t distance = 6;

    for (size_t i = 0; i < n_agent_settings; i++) {
        size_t d = str_distance(key, agent_settings[i].key, 5);
        if (d < distance) {
            distance = d;
            best = agent_settings[i].key;
        }
    }
    return best;
}

/* ---- the file ------------------------------------------------------------------- */

struct reading {
    struct settings *settings;
    enum setting_from *from;
    const char *file, *text;
    size_t len;
    struct err *err;
};

static int wrong(struct reading *r, uint32_t offset, const char *what, const char *key)
{
    unsigned line, column;
    const char *near = nearest(key);

    json_position(r->text, r->len, offset, &line, &column);
    return err_set(r->err, ERR_INVALID, "%s line %u: %s %s%s%s%s", r->file, line, what, key, near != NULL ? "; did you mean " : "",
                   near != NULL ? near : "", near != NULL ? "?" : "");
}

static int take_sources(struct reading *r, const struct json *v)
{
    struct settings *c = r->settings;

    if (v->type != JSON_ARRAY || v->n > SOURCES_MAX)
        return err_set(r->err, ERR_INVALID, "sources: expected a list of at most %d", SOURCES_MAX);
    c->n_sources = 0;
    c->sources = arena_array(c->arena, v->n + 1, sizeof *c->sources);
    if (c->sources == NULL)
        return err_nomem(r->err);
    for (uint32_t i = 0; i < v->n; i++) {
        if (shape_decode(&source_setting_shape, json_at(v, i), c->arena, &c->sources[i], NULL, r->err) != 0)
            return err_prefix(r->err, "sources[%u]", i);
        c->n_sources++;
    }
    return 0;
}

static int take(struct reading *r, const char *key, const struct json *v)
{
    const struct setting *s = find(key);
    char number[32];
    const char *text = number;

    if (s == NULL)
        return wrong(r, v->offset, "unknown setting", key);
    if (v->type == JSON_STRING)
        text = v->string;
    else if (v->type == JSON_BOOL)
        text = v->boolean ? "true" : "false";
    else if (v->type == JSON_INT)
        snprintf(number, sizeof number, "%lld", (long long)v->i);
    else
        return wrong(r, v->offset, "expected one value for", key);
    text = arena_strdup(r->settings->arena, text);
    if (text == NULL)
        return err_nomem(r->err);
    r->from[s - agent_settings] = FROM_FILE;
    return set_value(r->settings, s, text, r->err) != 0 ? err_prefix(r->err, "%s", r->file) : 0;
}

static int walk(struct reading *r, const char *prefix, const struct json *v)
{
    for (uint32_t i = 0; i < json_n_members(v); i++) {
        const struct json_member *m = &v->members[i];
        const char *key = *prefix != '\0' ? arena_printf(r->settings->arena, "%s.%s", prefix, m->key) : m->key;
        int rc;
        if (key == NULL)
            return err_nomem(r->err);
        if (str_eq(key, SOURCES)) {
            r->from[n_agent_settings] = FROM_FILE;
            rc = take_sources(r, &m->value) != 0 ? err_prefix(r->err, "%s", r->file) : 0;
        } else {
            rc = m->value.type == JSON_OBJECT ? walk(r, key, &m->value) : take(r, key, &m->value);
        }
        if (rc != 0)
            return -1;
    }
    return 0;
}

static int read_file(const char *file, struct reading *r)
{
    enum { FILE_MAX = 1 << 20 };
    struct json doc;
    FILE *f = fopen(file, "re");

    if (f == NULL)
        return err_set(r->err, ERR_INVALID, "%s: %s", file, strerror(errno));
    char *text = arena_bytes(r->settings->arena, FILE_MAX);
    r->len = text != NULL ? fread(text, 1, FILE_MAX, f) : 0;
    fclose(f);
    if (text == NULL)
        return err_nomem(r->err);
    if (r->len == FILE_MAX)
        return err_set(r->err, ERR_TOO_LARGE, "%s: longer than 1 MiB", file);
    r->text = text;
    r->file = file;
    if (yaml_parse(r->settings->arena, text, r->len, NULL, &doc, r->err) != 0)
        return err_prefix(r->err, "%s", file);
    if (doc.type != JSON_OBJECT && doc.type != JSON_NULL)
        return err_set(r->err, ERR_INVALID, "%s: expected settings, key: value", file);
    return walk(r, "", &doc);
}

/* ---- environment and flags ------------------------------------------------------------ */

/* spool.low_bytes -> KEEP_AGENT_SPOOL_LOW_BYTES */
static const char *from_environment(const char *key)
{
    char name[64] = "KEEP_AGENT_";
    size_t n = strlen(name);

    for (const char *k = key; *k != '\0' && n + 1 < sizeof name; k++)
        name[n++] = *k == '.' ? '_' : *k >= 'a' && *k <= 'z' ? (char)(*k - 32) : *k;
    name[n] = '\0';
    return getenv(name);
}

static int read_environment(struct reading *r)
{
    const char *text;
    struct json doc;

    for (size_t i = 0; i < n_agent_settings; i++) {
        if ((text = from_environment(agent_settings[i].key)) == NULL)
            continue;
        r->from[i] = FROM_ENVIRONMENT;
        if (set_value(r->settings, &agent_settings[i], text, r->err) != 0)
            return err_prefix(r->err, "environment");
    }
    if ((text = from_environment(SOURCES)) == NULL)
        return 0;
    r->from[n_agent_settings] = FROM_ENVIRONMENT;
    if (yaml_parse(r->settings->arena, text, strlen(text), NULL, &doc, r->err) != 0 || take_sources(r, &doc) != 0)
        return err_prefix(r->err, "environment");
    return 0;
}

static int read_flags(struct reading *r, const struct command_line *cl)
{
    for (size_t i = 0; cl != NULL && i < N_ITEMS(flags); i++) {
        const char *text = command_get(cl, flags[i].flag);
        const struct setting *s = find(flags[i].key);
        if (text == NULL)
            continue;
        r->from[s - agent_settings] = FROM_FLAG;
        if (set_value(r->settings, s, text, r->err) != 0)
            return -1;
    }
    return 0;
}

static int set_defaults(struct settings *c, struct err *err)
{
    for (size_t i = 0; i < n_agent_settings; i++) {
        const struct setting *s = &agent_settings[i];
        if (s->otherwise != NULL && set_value(c, s, s->otherwise, err) != 0)
            return -1;
    }
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
    enum setting_from unused[N_ITEMS(agent_settings) + 1] = { FROM_DEFAULT };
    struct settings c = { .arena = arena };
    struct reading r = { .settings = &c, .from = from != NULL ? from : unused, .err = err };

    if (from != NULL)
        memcpy(from, unused, sizeof unused);
    if (file == NULL && access(SETTINGS_FILE, F_OK) == 0)
        file = SETTINGS_FILE;
    if (set_defaults(&c, err) != 0 || (file != NULL && read_file(file, &r) != 0) || read_environment(&r) != 0 ||
        read_flags(&r, cl) != 0 || set_name(&c, err) != 0 || check(&c, err) != 0)
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

bool agent_setting_equal(const struct settings *a, const struct settings *b, const struct setting *s)
{
    const void *x = (const char *)a + s->off, *y = (const char *)b + s->off;

    switch (s->type) {
    case SETTING_TEXT: return str_eq(*(const char *const *)x, *(const char *const *)y);
    case SETTING_BOOL: return *(const bool *)x == *(const bool *)y;
    case SETTING_INT:
    case SETTING_DURATION:
    case SETTING_BYTES: return *(const int64_t *)x == *(const int64_t *)y;
    }
    return false;
}

static void print_value(const struct settings *c, const struct setting *s, struct buf *out)
{
    const void *base = (const char *)c + s->off;
    const char *text;

    switch (s->type) {
    case SETTING_TEXT:
        text = *(const char *const *)base;
        buf_printf(out, "\"%s\"", text != NULL ? text : "");
        return;
    case SETTING_BOOL:
        buf_puts(out, *(const bool *)base ? "true" : "false");
        return;
    case SETTING_DURATION:
        buf_printf(out, "%llds", (long long)(*(const int64_t *)base / MS_SECOND));
        return;
    case SETTING_INT:
    case SETTING_BYTES:
        buf_printf(out, "%lld", (long long)*(const int64_t *)base);
        return;
    }
}

static const char *from_word(enum setting_from from)
{
    static const char *const words[] = { "default", "file", "environment", "flag" };

    return words[from];
}

void settings_print(const struct settings *c, const enum setting_from *from, struct buf *out)
{
    for (size_t i = 0; i < n_agent_settings; i++) {
        buf_printf(out, "%s: ", agent_settings[i].key);
        print_value(c, &agent_settings[i], out);
        buf_printf(out, "   # %s. %s\n", from_word(from[i]), agent_settings[i].doc);
    }
    buf_printf(out, SOURCES ":   # %s. " SOURCES_DOC "\n", from_word(from[n_agent_settings]));
    for (size_t i = 0; i < c->n_sources; i++) {
        const struct source_setting *s = &c->sources[i];
        buf_printf(out, "  - {name: %s, kind: %s, via: %s, path: \"%s\", from_end: %s}\n", s->name, source_kind_words[s->kind],
                   source_via_words[s->via], s->path != NULL ? s->path : "", s->from_end ? "true" : "false");
    }
}
