/* doctor.c - keep-agent doctor: one check after another, each with the command to type
 * next.  Changes nothing that the agent would not, and may run beside it. */
#include "agent/commands.h"
#include "agent/identity.h"
#include "agent/inventory/inventory.h"
#include "agent/spool.h"
#include "agent/update.h"

#include "base/time.h"
#include "client/http.h"
#include "wire/jsonw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SKEW_WARN_MS = 60000, FSYNC_WARN_MS = 200, HEALTH_TIMEOUT_MS = 15000 };

enum grade { GRADE_OK = 0, GRADE_NOTE, GRADE_WARN, GRADE_FAIL, GRADE_N };

struct finding {
    enum grade grade;
    char text[300], next[200];
};

struct patient {
    struct arena arena;
    struct settings settings;
    struct machine machine;
    struct identity *identity;           /* NULL: not enrolled */
    const char *server;
    bool is_running;                     /* an agent holds the spool */
    bool is_reached;
};

static void say(struct finding *f, enum grade grade, const char *next, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void say(struct finding *f, enum grade grade, const char *next, const char *fmt, ...)
{
    va_list ap;

    f->grade = grade;
    va_start(ap, fmt);
    vsnprintf(f->text, sizeof f->text, fmt, ap);
    va_end(ap);
    snprintf(f->next, sizeof f->next, "%s", next);
}

/* ---- the folder ------------------------------------------------------------------------- */

static void check_folder(struct patient *p, struct finding *f)
{
    const char *dir = p->settings.state_dir;
    char next[160];
    struct stat st;

    snprintf(next, sizeof next, "install -d -m 700 %.100s", dir);
    if (stat(dir, &st) != 0)
        say(f, GRADE_FAIL, next, "%s: %s", dir, strerror(errno));
    else if (!S_ISDIR(st.st_mode) || access(dir, W_OK | X_OK) != 0)
        say(f, GRADE_FAIL, "run this as root", "%s: cannot be written to", dir);
    else if ((st.st_mode & 077) != 0)
        say(f, GRADE_WARN, next, "%s: others may look into it (mode %o)", dir, st.st_mode & 0777u);
    else
        say(f, GRADE_OK, "", "%s", dir);
}

static void check_fsync(struct patient *p, struct finding *f)
{
    char *path = arena_printf(&p->arena, "%s/.doctor", p->settings.state_dir);
    int fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    int64_t from = time_monotonic_ms();
    bool ok = fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0;
    int why = errno;

    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    int64_t took = time_monotonic_ms() - from;
    if (!ok)
        say(f, GRADE_FAIL, "df -h; dmesg | tail", "a file cannot be made durable there: %s", strerror(why));
    else if (took > FSYNC_WARN_MS)
        say(f, GRADE_WARN, "move state_dir to a faster disk", "fsync took %lld ms", (long long)took);
    else
        say(f, GRADE_OK, "", "fsync works, %lld ms", (long long)took);
}

static void check_space(struct patient *p, struct finding *f)
{
    struct statvfs v;

    if (statvfs(p->settings.state_dir, &v) != 0) {
        say(f, GRADE_FAIL, "df -h", "%s", strerror(errno));
        return;
    }
    int64_t free_mib = (int64_t)v.f_bavail * (int64_t)v.f_frsize >> 20, want = p->settings.spool_bytes >> 20;
    if (free_mib < want)
        say(f, GRADE_WARN, "free some space, or lower spool.bytes", "%lld MiB are free, the spool may need %lld", (long long)free_mib,
            (long long)want);
    else
        say(f, GRADE_OK, "", "%lld MiB are free, the spool needs at most %lld", (long long)free_mib, (long long)want);
}

static void check_spool(struct patient *p, struct finding *f)
{
    char *path = arena_printf(&p->arena, "%s/spool", p->settings.state_dir);
    struct spool_limits limits = settings_spool(&p->settings);
    struct spool *s;
    struct spool_status st;
    struct err err = { 0 };

    if (path == NULL || access(path, F_OK) != 0) {
        say(f, GRADE_NOTE, "", "not there yet: the agent makes it");
        return;
    }
    if (spool_open(path, &limits, &s, &err) != 0) {
        p->is_running = err.kind == ERR_CONFLICT;
        if (p->is_running)
            say(f, GRADE_OK, "", "a running agent uses it (keep-agent status)");
        else
            say(f, GRADE_FAIL, "", "%s", err.msg);
        return;
    }
    spool_status(s, &st);
    spool_close(s);
    say(f, GRADE_OK, "", "%lld events wait, %lld bytes", (long long)st.events, (long long)st.bytes);
}

/* ---- the server ----------------------------------------------------------------------------- */

static void check_enrolled(struct patient *p, struct finding *f)
{
    struct err err = { 0 };

    if (identity_open(p->settings.state_dir, &p->machine, &p->identity, &err) != 0) {
        p->identity = NULL;
        p->server = p->settings.server;
        say(f, GRADE_FAIL, "keep-agent enroll --server URL --token TOKEN   (keepctl node invite prints it)", "%s", err.msg);
        return;
    }
    const struct identity_facts *facts = identity_facts(p->identity);
    p->server = p->settings.server != NULL ? p->settings.server : facts->server;
    say(f, GRADE_OK, "", "node %s of cluster %s, at %s", facts->node_id, facts->cluster, p->server);
}

static bool is_loopback(const char *server)
{
    return strstr(server, "//127.") != NULL || strstr(server, "//localhost") != NULL || strstr(server, "//[::1]") != NULL;
}

static void check_server(struct patient *p, struct finding *f)
{
    const struct identity_facts *facts = p->identity != NULL ? identity_facts(p->identity) : NULL;
    struct client_config config = { .base_url = p->server, .ca_file = p->settings.ca_file != NULL ? p->settings.ca_file :
                                    facts != NULL ? facts->ca_file : NULL, .timeout_ms = HEALTH_TIMEOUT_MS };
    struct client_request r = { .method = "GET", .target = "/healthz" };
    struct client_answer a = { .status = 0 };
    struct http_client *client;
    struct err err = { 0 };

    if (p->server == NULL) {
        say(f, GRADE_FAIL, "keep-agent enroll --server URL --token TOKEN", "no server is known");
        return;
    }
    if (http_client_open(&config, &client, &err) != 0 || http_client_send(client, &r, &p->arena, &a, &err) != 0)
        say(f, GRADE_FAIL, "curl -v the address; is the CA right (--ca-file, --ca-pin)?", "%s", err.msg);
    else if (!str_starts(p->server, "https://") && !is_loopback(p->server))
        say(f, GRADE_WARN, "give the server TLS: keepd serve --tls-self-managed NAMES", "%s answers, without TLS", p->server);
    else
        say(f, GRADE_OK, "", "%s answers%s", p->server, str_starts(p->server, "https://") ? ", its certificate is trusted" : "");
    p->is_reached = a.status != 0;
    http_client_close(client);
}

static void check_session(struct patient *p, struct finding *f)
{
    struct session s;
    struct err err = { 0 };

    if (p->identity == NULL || !p->is_reached)
        say(f, GRADE_NOTE, "", "not tried");
    else if (identity_session(p->identity, true, &s, &err) != 0)
        say(f, GRADE_FAIL, err.kind == ERR_FORBIDDEN ? "enroll again with a new join token" : "see the server's log", "%s", err.msg);
    else if (s.clock_skew_ms > SKEW_WARN_MS || s.clock_skew_ms < -SKEW_WARN_MS)
        say(f, GRADE_WARN, "timedatectl set-ntp true", "the server gives a session; this clock is off by %lld s", (long long)(s.clock_skew_ms / 1000));
    else
        say(f, GRADE_OK, "", "the server gives a session; the clocks differ by %lld ms", (long long)s.clock_skew_ms);
}

static void check_bundle(struct patient *p, struct finding *f)
{
    struct update_config config = { .dir = p->settings.state_dir };
    struct update_state state;
    struct update *u;
    struct err err = { 0 };

    if (p->identity == NULL) {
        say(f, GRADE_NOTE, "", "not enrolled");
        return;
    }
    config.scope = identity_facts(p->identity)->scope;
    if (update_open(&config, &u, &err) != 0) {
        say(f, GRADE_WARN, "enroll again, once the server has a root of trust", "%s", err.msg);
        return;
    }
    update_state(u, time_now_ms(), &state);
    if (state.version == 0)
        say(f, GRADE_WARN, "keep-agent run; keep-agent status", "none yet");
    else if (state.is_stale)
        say(f, GRADE_WARN, "keep-agent status: when did the server answer last?", "version %lld is stale, and enforced all the same", (long long)state.version);
    else
        say(f, GRADE_OK, "", "version %lld, signed %lld s ago", (long long)state.version, (long long)(state.age_ms / 1000));
    update_close(u);
}

/* ---- the machine ------------------------------------------------------------------------------ */

static void check_runtimes(struct patient *p, struct finding *f)
{
    struct inventory_roots roots = { .root = p->settings.inventory_root };
    struct inventory now;
    struct err err = { 0 };
    char found[160] = "";
    const char *problem = "";

    if (inventory_scan(&roots, &p->arena, &now, &err) != 0) {
        say(f, GRADE_FAIL, "", "%s", err.msg);
        return;
    }
    for (size_t i = 0; i < now.n_engines; i++) {
        size_t len = strlen(found);
        if (now.engines[i].is_there)
            snprintf(found + len, sizeof found - len, "%s%s", len > 0 ? ", " : "", now.engines[i].name);
        if (now.engines[i].problem[0] != '\0')
            problem = now.engines[i].problem;
    }
    if (found[0] == '\0')
        say(f, GRADE_WARN, "inventory.root, when this runs in a container", "no container engine was found");
    else if (problem[0] != '\0')
        say(f, GRADE_WARN, "run this as root", "%s; %zu containers; %s", found, now.n, problem);
    else
        say(f, GRADE_OK, "", "%s; %zu containers", found, now.n);
}

static bool port_is_open(const struct settings *s)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)s->receive_port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (inet_pton(AF_INET, s->receive_address, &at.sin_addr) != 1)
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool yes = fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0)
        close(fd);
    return yes;
}

static void check_sources(struct patient *p, struct finding *f)
{
    bool has_http = false;
    char waiting[160] = "";

    for (size_t i = 0; i < p->settings.n_sources; i++) {
        const struct source_setting *s = &p->settings.sources[i];
        size_t len = strlen(waiting);
        has_http |= s->via == SOURCE_VIA_HTTP;
        if (s->via == SOURCE_VIA_FILE && access(s->path, R_OK) != 0)
            snprintf(waiting + len, sizeof waiting - len, "%s%s (%s)", len > 0 ? ", " : "", s->path, strerror(errno));
    }
    if (waiting[0] != '\0')
        say(f, GRADE_WARN, "is that where it writes? keep-agent config", "cannot be read: %s", waiting);
    else if (has_http && p->settings.receive_port == 0)
        say(f, GRADE_OK, "", "%zu; the receiver takes any free port (keep-agent status --output json)", p->settings.n_sources);
    else if (has_http && p->is_running && !port_is_open(&p->settings))
        say(f, GRADE_FAIL, "keep-agent status", "nobody listens on %s:%lld", p->settings.receive_address, (long long)p->settings.receive_port);
    else if (has_http && !p->is_running && port_is_open(&p->settings))
        say(f, GRADE_FAIL, "receive.port", "somebody else listens on %s:%lld", p->settings.receive_address, (long long)p->settings.receive_port);
    else
        say(f, GRADE_OK, "", "%zu; Falco: http_output.url http://%s:%lld/", p->settings.n_sources, p->settings.receive_address,
            (long long)p->settings.receive_port);
}

static bool file_has(const char *path, const char *word)
{
    char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    return strstr(text, word) != NULL;
}

static void check_kernel(struct patient *p, struct finding *f)
{
    const struct { const char *what; bool is_there; } features[] = {
        { "cgroup v2", access("/sys/fs/cgroup/cgroup.controllers", R_OK) == 0 || access("/sys/fs/cgroup/unified/cgroup.controllers", R_OK) == 0 },
        { "BTF", access("/sys/kernel/btf/vmlinux", R_OK) == 0 },
        { "bpffs", access("/sys/fs/bpf", W_OK) == 0 },
        { "BPF LSM", file_has("/sys/kernel/security/lsm", "bpf") },
    };
    char there[120] = "", missing[120] = "";

    for (size_t i = 0; i < N_ITEMS(features); i++) {
        char *to = features[i].is_there ? there : missing;
        size_t len = strlen(to);
        snprintf(to + len, sizeof there - len, "%s%s", len > 0 ? ", " : "", features[i].what);
    }
    if (missing[0] == '\0')
        say(f, GRADE_OK, "", "%s: %s", p->machine.kernel, there);
    else
        say(f, GRADE_NOTE, "", "%s: %s; not there, so walls are lower: %s", p->machine.kernel, there[0] != '\0' ? there : "nothing", missing);
}

/* Effective capabilities, by their bits. */
static void check_rights(struct patient *p, struct finding *f)
{
    static const struct { const char *name; int bit; } wanted[] = { { "DAC_READ_SEARCH", 2 }, { "SYS_PTRACE", 19 } };
    char line[256], missing[80] = "";
    unsigned long long has = 0;
    FILE *file = fopen("/proc/self/status", "re");

    (void)p;
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "CapEff:", 7) == 0)
            has = strtoull(line + 7, NULL, 16);
    if (file != NULL)
        fclose(file);
    for (size_t i = 0; i < N_ITEMS(wanted); i++) {
        size_t len = strlen(missing);
        if ((has >> wanted[i].bit & 1) == 0)
            snprintf(missing + len, sizeof missing - len, "%s%s", len > 0 ? ", " : "", wanted[i].name);
    }
    if (missing[0] != '\0')
        say(f, GRADE_WARN, "run this as root; the unit file says what the agent needs", "without %s other users' containers stay hidden", missing);
    else
        say(f, GRADE_OK, "", "may read what engines and containers keep");
}

/* ---- all ---------------------------------------------------------------------------------------- */

static const struct { const char *name; void (*check)(struct patient *p, struct finding *f); } checks[] = {
    { "state folder", check_folder }, { "disk", check_fsync }, { "space", check_space }, { "spool", check_spool },
    { "enrolled", check_enrolled }, { "server", check_server }, { "session, clock", check_session }, { "bundle", check_bundle },
    { "container engines", check_runtimes }, { "sources", check_sources }, { "kernel", check_kernel }, { "rights", check_rights },
};

static const char *const grades[GRADE_N] = { "ok", "note", "warn", "FAIL" };

static void print_one(const char *name, const struct finding *f)
{
    printf("%-5s %-18s %s\n", grades[f->grade], name, f->text);
    if (f->next[0] != '\0')
        printf("%-24s next: %s\n", "", f->next);
}

static void write_one(const char *name, const struct finding *f, struct jsonw *w)
{
    jsonw_object(w);
    jsonw_kstr(w, "check", name);
    jsonw_kstr(w, "result", f->grade == GRADE_FAIL ? "fail" : grades[f->grade]);
    jsonw_kstr(w, "text", f->text);
    jsonw_kstr(w, "next", f->next);
    jsonw_object_end(w);
}

static int check_all(struct patient *p, bool json)
{
    enum grade worst = GRADE_OK;
    struct jsonw w;
    struct buf out;

    buf_init(&out, 1 << 20);
    jsonw_init(&w, &out);
    jsonw_array(&w);
    for (size_t i = 0; i < N_ITEMS(checks); i++) {
        struct finding f = { .grade = GRADE_OK };
        checks[i].check(p, &f);
        worst = f.grade > worst ? f.grade : worst;
        if (json)
            write_one(checks[i].name, &f, &w);
        else
            print_one(checks[i].name, &f);
    }
    jsonw_array_end(&w);
    if (json)
        puts(out.failed ? "" : out.ptr);
    buf_free(&out);
    return worst == GRADE_FAIL ? EXIT_FAILED : EXIT_OK;
}

int command_doctor(struct command_line *cl)
{
    struct patient p = { .identity = NULL };
    struct err err = { 0 };
    bool bad, json = command_wants_json(cl, &bad);
    int rc = EXIT_FAILED;

    arena_init(&p.arena, INVENTORY_ARENA);
    if (!bad && crypto_init(&err) != 0)
        command_failed(cl, &err);
    else if (!bad && command_settings(cl, &p.arena, &p.settings) == 0) {
        machine_read(KEEP_VERSION, &p.machine);
        rc = check_all(&p, json);
    }
    identity_close(p.identity);
    arena_clear(&p.arena);
    return rc;
}
