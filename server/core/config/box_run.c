/* box_run.c - `docker run ...` (podman, nerdctl) as a box: one table of options.
 *
 * The text is split into words as a shell would, without running anything: what a
 * variable or a command substitution would give is unknown. */
#include "core/config/config_internal.h"

#include "base/buf.h"

#include <string.h>

enum { WORDS_MAX = 2000 };

struct word { const char *s; uint32_t at; };
struct words { struct word *items; size_t n; };

/* ---- words ------------------------------------------------------------------------------- */

static size_t variable_end(const char *s, size_t len, size_t i)
{
    if (i + 1 < len && (s[i + 1] == '{' || s[i + 1] == '(')) {
        const char *close = memchr(s + i, s[i + 1] == '{' ? '}' : ')', len - i);
        return close != NULL ? (size_t)(close - s) + 1 : len;
    }
    size_t end = i + 1;
    while (end < len && ((s[end] >= 'a' && s[end] <= 'z') || (s[end] >= 'A' && s[end] <= 'Z') || (s[end] >= '0' && s[end] <= '9') || s[end] == '_'))
        end++;
    return end;
}

/* A variable's name, or "..." for what is more than one. */
static void put_mark(struct buf *b, const char *s, size_t len)
{
    bool simple = len > 0;
    size_t from = len > 1 && s[1] == '{' ? 2 : 1, end = from == 2 && len > 2 ? len - 1 : len;

    for (size_t i = from; i < end; i++)
        simple = simple && s[i] != '(' && s[i] != ' ';
    buf_putc(b, BOX_UNKNOWN);
    if (simple && end > from)
        buf_put(b, s + from, end - from);
    else
        buf_puts(b, "...");
    buf_putc(b, BOX_UNKNOWN_END);
}

/* One word beginning at *i, which is no blank; moves *i behind it. */
static const char *read_word(struct arena *a, const char *s, size_t len, size_t *i)
{
    struct buf b;
    char quote = '\0';

    buf_init(&b, 64 * 1024);
    for (; *i < len; ++*i) {
        char c = s[*i];
        if (quote == '\0' && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
            break;
        if (quote == '\0' && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == quote && quote != '\0') {
            quote = '\0';
        } else if (c == '\\' && quote != '\'' && *i + 1 < len) {
            if (s[++*i] != '\n')
                buf_putc(&b, s[*i]);
        } else if ((c == '$' || c == '`') && quote != '\'') {
            const char *close = c == '`' ? memchr(s + *i + 1, '`', len - *i - 1) : NULL;
            size_t end = c == '$' ? variable_end(s, len, *i) : close != NULL ? (size_t)(close - s) + 1 : len;
            put_mark(&b, c == '$' ? s + *i : "", c == '$' ? end - *i : 0);
            *i = end - 1;
        } else {
            buf_putc(&b, c);
        }
    }
    const char *word = b.failed ? NULL : arena_strndup(a, b.ptr != NULL ? b.ptr : "", b.len);
    buf_free(&b);
    return word;
}

static int split(struct reading *r, const struct config_file *f, uint32_t base, struct words *out, struct err *err)
{
    out->items = arena_array(r->arena, WORDS_MAX, sizeof *out->items);
    if (out->items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < f->len;) {
        char c = f->text[i];
        bool continued = c == '\\' && i + 1 < f->len && (f->text[i + 1] == '\n' || f->text[i + 1] == '\r');
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || continued) {
            i += continued ? 2 : 1;
            continue;
        }
        if (out->n == WORDS_MAX)
            return err_set(err, ERR_TOO_LARGE, "%.80s: more than %d words", f->name, WORDS_MAX);
        size_t start = i;
        const char *s = read_word(r->arena, f->text, f->len, &i);
        if (s == NULL)
            return err_nomem(err);
        out->items[out->n++] = (struct word){ s, base + (uint32_t)start };
    }
    return 0;
}

/* ---- options ------------------------------------------------------------------------------- */

enum option_kind { O_VALUE = 0, O_FLAG, O_TEXT, O_SWITCH, O_LIST, O_VOLUME, O_MOUNT, O_PORT, O_ENV, O_TMPFS, O_HEALTH_OFF, O_HEALTH };

static const struct option { const char *name; char letter; enum option_kind kind; size_t off; } options[] = {
    { "privileged", 0, O_SWITCH, offsetof(struct box, privileged) }, { "read-only", 0, O_SWITCH, offsetof(struct box, read_only) },
    { "oom-kill-disable", 0, O_SWITCH, offsetof(struct box, oom_kill_disable) }, { "use-api-socket", 0, O_SWITCH, offsetof(struct box, api_socket) },
    { "user", 'u', O_TEXT, offsetof(struct box, user) }, { "network", 0, O_TEXT, offsetof(struct box, network) },
    { "net", 0, O_TEXT, offsetof(struct box, network) }, { "pid", 0, O_TEXT, offsetof(struct box, pid) }, { "ipc", 0, O_TEXT, offsetof(struct box, ipc) },
    { "uts", 0, O_TEXT, offsetof(struct box, uts) }, { "userns", 0, O_TEXT, offsetof(struct box, userns) },
    { "cgroupns", 0, O_TEXT, offsetof(struct box, cgroup) }, { "runtime", 0, O_TEXT, offsetof(struct box, runtime) },
    { "restart", 0, O_VALUE, 0 }, { "log-driver", 0, O_TEXT, offsetof(struct box, log_driver) },
    { "memory", 'm', O_TEXT, offsetof(struct box, memory) }, { "cpus", 0, O_TEXT, offsetof(struct box, cpus) },
    { "cpu-quota", 0, O_TEXT, offsetof(struct box, cpus) }, { "pids-limit", 0, O_TEXT, offsetof(struct box, pids) },
    { "oom-score-adj", 0, O_TEXT, offsetof(struct box, oom_score) },
    { "cap-add", 0, O_LIST, offsetof(struct box, cap_add) }, { "cap-drop", 0, O_LIST, offsetof(struct box, cap_drop) },
    { "security-opt", 0, O_LIST, offsetof(struct box, security_opt) }, { "device", 0, O_LIST, offsetof(struct box, devices) },
    { "device-cgroup-rule", 0, O_LIST, offsetof(struct box, device_rules) }, { "group-add", 0, O_LIST, offsetof(struct box, groups) },
    { "volumes-from", 0, O_LIST, offsetof(struct box, volumes_from) }, { "label", 'l', O_LIST, offsetof(struct box, labels) },
    { "annotation", 0, O_LIST, offsetof(struct box, annotations) }, { "sysctl", 0, O_LIST, offsetof(struct box, sysctls) },
    { "volume", 'v', O_VOLUME, 0 }, { "mount", 0, O_MOUNT, 0 }, { "publish", 'p', O_PORT, 0 }, { "env", 'e', O_ENV, 0 },
    { "tmpfs", 0, O_TMPFS, 0 }, { "no-healthcheck", 0, O_HEALTH_OFF, 0 }, { "health-cmd", 0, O_HEALTH, 0 },
    { "detach", 'd', O_FLAG, 0 }, { "interactive", 'i', O_FLAG, 0 }, { "tty", 't', O_FLAG, 0 }, { "rm", 0, O_FLAG, 0 },
    { "init", 0, O_FLAG, 0 }, { "publish-all", 'P', O_FLAG, 0 }, { "sig-proxy", 0, O_FLAG, 0 }, { "quiet", 'q', O_FLAG, 0 },
    { "disable-content-trust", 0, O_FLAG, 0 }, { "replace", 0, O_FLAG, 0 }, { "no-hosts", 0, O_FLAG, 0 }, { "help", 0, O_FLAG, 0 },
    { "name", 0, O_VALUE, 0 }, { "hostname", 'h', O_VALUE, 0 }, { "workdir", 'w', O_VALUE, 0 }, { "attach", 'a', O_VALUE, 0 },
    { "entrypoint", 0, O_VALUE, 0 }, { "env-file", 0, O_VALUE, 0 }, { "label-file", 0, O_VALUE, 0 }, { "add-host", 0, O_VALUE, 0 },
    { "blkio-weight", 0, O_VALUE, 0 }, { "blkio-weight-device", 0, O_VALUE, 0 }, { "cgroup-parent", 0, O_VALUE, 0 }, { "cidfile", 0, O_VALUE, 0 },
    { "cpu-count", 0, O_VALUE, 0 }, { "cpu-percent", 0, O_VALUE, 0 }, { "cpu-period", 0, O_VALUE, 0 }, { "cpu-rt-period", 0, O_VALUE, 0 },
    { "cpu-rt-runtime", 0, O_VALUE, 0 }, { "cpu-shares", 'c', O_VALUE, 0 }, { "cpuset-cpus", 0, O_VALUE, 0 }, { "cpuset-mems", 0, O_VALUE, 0 },
    { "detach-keys", 0, O_VALUE, 0 }, { "device-read-bps", 0, O_VALUE, 0 }, { "device-read-iops", 0, O_VALUE, 0 },
    { "device-write-bps", 0, O_VALUE, 0 }, { "device-write-iops", 0, O_VALUE, 0 }, { "dns", 0, O_VALUE, 0 }, { "dns-opt", 0, O_VALUE, 0 },
    { "dns-option", 0, O_VALUE, 0 }, { "dns-search", 0, O_VALUE, 0 }, { "domainname", 0, O_VALUE, 0 }, { "expose", 0, O_VALUE, 0 },
    { "gpus", 0, O_VALUE, 0 }, { "health-interval", 0, O_VALUE, 0 }, { "health-retries", 0, O_VALUE, 0 }, { "health-timeout", 0, O_VALUE, 0 },
    { "health-start-period", 0, O_VALUE, 0 }, { "health-start-interval", 0, O_VALUE, 0 }, { "ip", 0, O_VALUE, 0 }, { "ip6", 0, O_VALUE, 0 },
    { "isolation", 0, O_VALUE, 0 }, { "kernel-memory", 0, O_VALUE, 0 }, { "link", 0, O_VALUE, 0 }, { "link-local-ip", 0, O_VALUE, 0 },
    { "log-opt", 0, O_VALUE, 0 }, { "mac-address", 0, O_VALUE, 0 }, { "memory-reservation", 0, O_VALUE, 0 }, { "memory-swap", 0, O_VALUE, 0 },
    { "memory-swappiness", 0, O_VALUE, 0 }, { "network-alias", 0, O_VALUE, 0 }, { "net-alias", 0, O_VALUE, 0 }, { "platform", 0, O_VALUE, 0 },
    { "pull", 0, O_VALUE, 0 }, { "shm-size", 0, O_VALUE, 0 }, { "stop-signal", 0, O_VALUE, 0 }, { "stop-timeout", 0, O_VALUE, 0 },
    { "storage-opt", 0, O_VALUE, 0 }, { "ulimit", 0, O_VALUE, 0 }, { "volume-driver", 0, O_VALUE, 0 }, { "io-maxbandwidth", 0, O_VALUE, 0 },
    { "io-maxiops", 0, O_VALUE, 0 }, { "arch", 0, O_VALUE, 0 }, { "os", 0, O_VALUE, 0 }, { "pod", 0, O_VALUE, 0 }, { "secret", 0, O_VALUE, 0 },
};

struct running { struct reading *r; struct arena *a; struct box *b; const char *name; };

static const struct option *option_named(const char *name, size_t len, char letter)
{
    for (size_t i = 0; i < N_ITEMS(options); i++) {
        if (letter != 0 ? options[i].letter == letter : (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0))
            return &options[i];
    }
    return NULL;
}

static bool takes_value(const struct option *o)
{
    return o->kind != O_FLAG && o->kind != O_SWITCH && o->kind != O_HEALTH_OFF;
}

static bool apply_tmpfs(struct running *run, const char *value, const char *path, uint32_t at)
{
    size_t len = strcspn(value, ":");
    struct mount m = { .kind = MOUNT_TMPFS, .source = "", .target = arena_strndup(run->a, value, len),
                       .options = value[len] == ':' ? value + len + 1 : "", .path = path, .at = at };

    return m.target != NULL && mount_add(run->a, run->b, m);
}

/* False: the arena is full. */
static bool apply(struct running *run, const struct option *o, const char *value, uint32_t at)
{
    struct arena *a = run->a;
    struct box *b = run->b;
    const char *path = arena_printf(a, "--%s", o->name);
    struct setting one = { value, path, at };
    struct mount m = { .source = "", .target = "", .options = "", .path = path, .at = at };
    struct port p = { .path = path, .at = at };
    struct variable v = { .path = path, .at = at };
    char *field = (char *)b + o->off;

    if (path == NULL)
        return false;
    switch (o->kind) {
    case O_VALUE:
        if (str_eq(o->name, "name"))
            run->name = value;
        return true;
    case O_FLAG:       return true;
    case O_TEXT: case O_SWITCH: *(struct setting *)(void *)field = one; return true;
    case O_LIST:       return settings_add(a, (struct settings *)(void *)field, one);
    case O_VOLUME:     return mount_read(a, value, &m) && mount_add(a, b, m);
    case O_MOUNT:      return mount_read_fields(a, value, &m) && mount_add(a, b, m);
    case O_PORT:       return port_read(a, value, &p) && port_add(a, b, p);
    case O_ENV:        return env_read(a, value, &v) && env_add(a, b, v);
    case O_TMPFS:      return apply_tmpfs(run, value, path, at);
    case O_HEALTH_OFF: b->health = (struct setting){ "none", path, at }; return true;
    case O_HEALTH:     b->health = (struct setting){ "yes", path, at }; return true;
    }
    return true;
}

/* "-it", "-p80:80", "-p 80:80": letters in one word, the last may take the rest or the next. */
static int read_letters(struct running *run, const struct words *w, size_t *i, struct err *err)
{
    const struct word *word = &w->items[*i];

    for (const char *p = word->s + 1; *p != '\0'; p++) {
        const struct option *o = option_named("", 0, *p);
        if (o == NULL)
            return reading_refuse(run->r, word->at, "an option that docker run does not have", err);
        if (!takes_value(o)) {
            if (!apply(run, o, "true", word->at))
                return err_nomem(err);
            continue;
        }
        const char *value = p[1] == '=' ? p + 2 : p + 1;
        if (*value == '\0') {
            if (*i + 1 == w->n)
                return reading_refuse(run->r, word->at, "an option without its value", err);
            value = w->items[++*i].s;
        }
        return apply(run, o, value, word->at) ? 0 : err_nomem(err);
    }
    return 0;
}

static int read_long(struct running *run, const struct words *w, size_t *i, struct err *err)
{
    const struct word *word = &w->items[*i];
    size_t len = strcspn(word->s + 2, "=");
    const struct option *o = option_named(word->s + 2, len, 0);
    const char *value = word->s[2 + len] == '=' ? word->s + 3 + len : NULL;

    if (o == NULL)
        return reading_refuse(run->r, word->at, "an option that docker run does not have", err);
    if (value == NULL && takes_value(o)) {
        if (*i + 1 == w->n)
            return reading_refuse(run->r, word->at, "an option without its value", err);
        value = w->items[++*i].s;
    }
    return apply(run, o, value != NULL ? value : "true", word->at) ? 0 : err_nomem(err);
}

/* Past "sudo docker --host X container run": what follows are the options of run. */
static size_t skip_command(const struct words *w)
{
    for (size_t i = 0; i < w->n && i < 12; i++) {
        if (str_eq(w->items[i].s, "run") || str_eq(w->items[i].s, "create"))
            return i + 1;
    }
    return 0;
}

int read_run(struct reading *r, size_t file, struct err *err)
{
    const struct config_file *f = &r->in->files[file];
    struct box *b = arena_alloc(r->arena, sizeof *b);
    struct running run = { .r = r, .a = r->arena, .b = b };
    struct words w = { 0 };

    if (b == NULL)
        return err_nomem(err);
    if (!str_is_utf8(f->text, f->len))
        return err_set(err, ERR_INVALID, "%.80s: not UTF-8", f->name);
    if (split(r, f, r->out->bases[file], &w, err) != 0)
        return -1;
    *b = (struct box){ .path = "$", .at = r->out->bases[file] };
    size_t i = skip_command(&w);
    for (; i < w.n && w.items[i].s[0] == '-' && w.items[i].s[1] != '\0'; i++) {
        if (str_eq(w.items[i].s, "--")) {
            i++;
            break;
        }
        if ((w.items[i].s[1] == '-' ? read_long : read_letters)(&run, &w, &i, err) != 0)
            return -1;
    }
    if (i >= w.n)
        return reading_refuse(r, w.n > 0 ? w.items[w.n - 1].at : b->at, "no image is named", err);
    b->image = (struct setting){ w.items[i].s, "$.image", w.items[i].at };
    b->name = run.name != NULL ? plain(r->arena, run.name) : "container";
    return reading_box(r, CONFIG_RUN, arena_printf(r->arena, "docker run %s", plain(r->arena, b->image.s)), b, err);
}

const char *config_command_text(struct arena *arena, const char *const *argv, size_t n)
{
    struct buf b;

    buf_init(&b, CONFIG_FILE_MAX);
    for (size_t i = 0; i < n; i++) {
        buf_puts(&b, i > 0 ? " '" : "'");
        for (const char *p = argv[i]; *p != '\0'; p++) {
            if (*p == '\'')
                buf_puts(&b, "'\\''");
            else
                buf_putc(&b, *p);
        }
        buf_putc(&b, '\'');
    }
    const char *text = b.failed ? NULL : arena_strndup(arena, b.ptr != NULL ? b.ptr : "", b.len);
    buf_free(&b);
    return text;
}
