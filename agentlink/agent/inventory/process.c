/* process.c - what the kernel says of a container's first process. */
#include "agent/inventory/census.h"

#include "base/str.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CAP_SYS_MODULE_BIT = 16, CAP_SYS_RAWIO_BIT = 17, CAP_SYS_ADMIN_BIT = 21, PROC_TEXT = 8192 };

/* ---- small files ------------------------------------------------------------------------- */

static bool read_text(const char *path, char *out, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n = 0;

    if (fd < 0)
        return false;
    while (len + 1 < max && ((n = read(fd, out + len, max - len - 1)) > 0 || (n < 0 && errno == EINTR)))
        len += n > 0 ? (size_t)n : 0;
    close(fd);
    out[len] = '\0';
    return len > 0;
}

static bool read_proc(const struct inventory_roots *roots, int64_t pid, const char *name, char *out, size_t max)
{
    char path[CENSUS_PATH_MAX];

    snprintf(path, sizeof path, "%s/%lld/%s", roots->proc, (long long)pid, name);
    return read_text(path, out, max);
}

static void read_namespace(const struct inventory_roots *roots, int64_t pid, const char *name, char out[64])
{
    char path[CENSUS_PATH_MAX];

    snprintf(path, sizeof path, "%s/%lld/ns/%s", roots->proc, (long long)pid, name);
    ssize_t n = readlink(path, out, 63);
    out[n < 0 ? 0 : n] = '\0';
}

void process_machine(struct census *s)
{
    char path[CENSUS_PATH_MAX], text[PROC_TEXT];

    read_namespace(&s->roots, 1, "net", s->host_net);
    read_namespace(&s->roots, 1, "pid", s->host_pid);
    read_namespace(&s->roots, 1, "ipc", s->host_ipc);
    read_namespace(&s->roots, 1, "user", s->host_user);
    snprintf(path, sizeof path, "%s/uptime", s->roots.proc);
    s->boot_ms = TIME_UNKNOWN;
    if (read_text(path, text, sizeof text))
        s->boot_ms = time_now_ms() - (int64_t)(strtod(text, NULL) * 1000);
}

/* ---- is it there ----------------------------------------------------------------------------- */

/* State and start of a process: fields 3 and 22 of its stat; its name may hold anything. */
static bool read_stat(const char *text, char *state, int64_t *start)
{
    const char *p = strrchr(text, ')');

    if (p == NULL || p[1] != ' ' || p[2] == '\0')
        return false;
    *state = p[2];
    p += 2;
    for (int field = 3; field < 22; field++)
        if ((p = strchr(p + 1, ' ')) == NULL)
            return false;
    *start = strtoll(p + 1, NULL, 10);
    return *start > 0;
}

/* The unified line, else the one of a controller: "/keep/a". */
static void read_cgroup(const char *text, char *out, size_t max)
{
    const char *line = strstr(text, "0::");

    out[0] = '\0';
    if (line == NULL || (line != text && line[-1] != '\n') || line[3] != '/' || line[4] == '\n' || line[4] == '\0') {
        line = strstr(text, ":pids:");
        line = line != NULL ? line + 3 : NULL;
    }
    if (line == NULL)
        return;
    line += 3;
    snprintf(out, max, "%.*s", (int)strcspn(line, "\n"), line);
}

bool process_cgroup(const struct inventory_roots *roots, int64_t pid, char *out, size_t max)
{
    char text[PROC_TEXT];

    if (!read_proc(roots, pid, "cgroup", text, sizeof text))
        return false;
    read_cgroup(text, out, max);
    return out[0] != '\0';
}

static bool is_sandboxed(const struct found *f)
{
    return f->c.sandbox != NULL && *f->c.sandbox != '\0';
}

/* A pid of which the runtime did not note when it started may be another's by now;
 * then its cgroup must be the container's. Sandboxes keep theirs under other names. */
static bool is_its_cgroup(const struct found *f, const char *cgroup)
{
    const char *last = f->cgroups_path != NULL ? strrchr(f->cgroups_path, '/') : NULL;

    if (last == NULL && f->cgroups_path != NULL)
        last = strrchr(f->cgroups_path, ':');              /* systemd's form: SLICE:PREFIX:NAME */
    if (is_sandboxed(f))
        return true;
    return strstr(cgroup, f->c.id) != NULL || (last != NULL && last[1] != '\0' && strstr(cgroup, last + 1) != NULL);
}

/* ---- what it says ----------------------------------------------------------------------------- */

static const char *status_line(const char *status, const char *name)
{
    const char *at = strstr(status, name);

    return at != NULL && (at == status || at[-1] == '\n') ? at + strlen(name) : NULL;
}

static bool is_as_root(uint64_t capabilities)
{
    const uint64_t all = UINT64_C(1) << CAP_SYS_MODULE_BIT | UINT64_C(1) << CAP_SYS_RAWIO_BIT | UINT64_C(1) << CAP_SYS_ADMIN_BIT;

    return (capabilities & all) == all;
}

static bool has_capability(const struct found *f, const char *name)
{
    for (size_t i = 0; i < f->c.n_capabilities; i++)
        if (str_eq(f->c.capabilities[i], name))
            return true;
    return false;
}

static void read_status(struct census *s, struct found *f, const char *status)
{
    const char *effective = status_line(status, "CapEff:"), *bounding = status_line(status, "CapBnd:");
    const char *seccomp = status_line(status, "Seccomp:"), *uid = status_line(status, "Uid:"), *no_new = status_line(status, "NoNewPrivs:");
    bool filtered = seccomp != NULL && strtol(seccomp, NULL, 10) != 0;
    uint64_t bits = effective != NULL ? strtoull(effective, NULL, 16) : 0;

    /* A first process that gave up root may get back what is in its bounding set. */
    if (bounding != NULL && bits != 0)
        bits |= strtoull(bounding, NULL, 16);
    if (seccomp != NULL && !filtered)
        f->c.seccomp = "unconfined";
    else if (filtered)
        found_text(s, &f->c.seccomp, "custom");
    if (f->has_config)
        return;
    f->c.is_privileged |= is_as_root(bits) && !filtered;
    if (uid != NULL && f->c.user_id < 0)
        f->c.user_id = strtoll(uid, NULL, 10);
    f->c.no_new_privileges |= no_new != NULL && strtol(no_new, NULL, 10) == 1;
}

static bool is_hosts(const char *its, const char *host, bool own)
{
    return *its != '\0' && *host != '\0' ? str_eq(its, host) : !own;
}

static void read_namespaces(struct census *s, struct found *f)
{
    char net[64], pid[64], ipc[64], user[64];

    read_namespace(&s->roots, f->c.pid, "net", net);
    read_namespace(&s->roots, f->c.pid, "pid", pid);
    read_namespace(&s->roots, f->c.pid, "ipc", ipc);
    read_namespace(&s->roots, f->c.pid, "user", user);
    if (!f->has_config && *net == '\0')
        return;                                            /* nobody says */
    f->c.host_network = is_hosts(net, s->host_net, f->own_network);
    f->c.host_pid = is_hosts(pid, s->host_pid, f->own_pid);
    f->c.host_ipc = is_hosts(ipc, s->host_ipc, f->own_ipc);
    if (*user != '\0' && *s->host_user != '\0')
        f->c.has_user_namespace = !str_eq(user, s->host_user);
}

static void read_command(struct census *s, struct found *f)
{
    char text[PROC_TEXT];
    size_t n = 0;

    if (f->c.n_command > 0 || !read_proc(&s->roots, f->c.pid, "cmdline", text, sizeof text))
        return;
    const char **words = arena_array(s->arena, CONTAINER_WORDS_MAX, sizeof *words);
    if (words == NULL) {
        s->failed = true;
        return;
    }
    for (const char *p = text; p < text + sizeof text - 1 && *p != '\0' && n < CONTAINER_WORDS_MAX; p += strlen(p) + 1) {
        const char *word = NULL;
        found_text(s, &word, p);
        if (word != NULL)
            words[n++] = word;
    }
    f->c.command = words;
    f->c.n_command = n;
}

/* The process of a sandbox is the sandbox: what holds inside only the configuration says. */
static void complete_sandboxed(struct found *f)
{
    f->c.host_network = f->has_config && !f->own_network;
    f->c.host_pid = f->has_config && !f->own_pid;
    f->c.host_ipc = f->has_config && !f->own_ipc;
}

static void complete(struct census *s, struct found *f)
{
    char text[PROC_TEXT];

    if (is_sandboxed(f))
        complete_sandboxed(f);
    else if (read_proc(&s->roots, f->c.pid, "status", text, sizeof text))
        read_status(s, f, text);
    else
        found_unknown(s, f, "process");
    if (!is_sandboxed(f))
        read_namespaces(s, f);
    if (f->has_config && !f->has_masked_paths)
        f->c.is_privileged |= has_capability(f, "SYS_ADMIN") && has_capability(f, "SYS_MODULE") && has_capability(f, "SYS_RAWIO");
    if (!f->has_config) {
        memset(text, 0, sizeof text);
        read_command(s, f);
        found_unknown(s, f, "config");
    }
    if (f->c.apparmor == NULL && read_proc(&s->roots, f->c.pid, "attr/current", text, sizeof text)) {
        text[strcspn(text, " \n")] = '\0';
        found_text(s, &f->c.apparmor, text);
    }
    long hz = sysconf(_SC_CLK_TCK);
    if (f->c.started_ms == TIME_UNKNOWN && s->boot_ms != TIME_UNKNOWN && hz > 0)
        f->c.started_ms = (s->boot_ms + f->c.start_ticks * 1000 / hz) / MS_SECOND * MS_SECOND;
}

bool process_read(struct census *s, struct found *f)
{
    char text[PROC_TEXT], cgroup[CONTAINER_TEXT_MAX + 1] = "", state = '?';
    int64_t start = 0;

    if (!f->has_pid || !read_proc(&s->roots, f->c.pid, "stat", text, sizeof text) || !read_stat(text, &state, &start))
        return false;
    if (state == 'Z' || state == 'X')
        return false;
    (void)process_cgroup(&s->roots, f->c.pid, cgroup, sizeof cgroup);
    if (f->c.start_ticks != 0 ? f->c.start_ticks != start : !is_its_cgroup(f, cgroup))
        return false;
    f->c.start_ticks = start;
    found_text(s, &f->c.cgroup, cgroup);
    complete(s, f);
    return true;
}

/* ---- Kubernetes' names ------------------------------------------------------------------------ */

/* Random parts are of letters and digits that spell no words. */
static bool is_random(const char *text, size_t len)
{
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";

    for (size_t i = 0; i < len; i++)
        if (strchr(alphabet, text[i]) == NULL)
            return false;
    return len > 0;
}

static bool is_number(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

void pod_workload(const char *pod, char out[CONTAINER_TEXT_MAX])
{
    snprintf(out, CONTAINER_TEXT_MAX, "%s", pod);
    char *dash = strrchr(out, '-');
    if (dash == NULL || dash == out)
        return;
    if (is_number(dash + 1) && strlen(dash + 1) <= 5) {    /* of a StatefulSet */
        *dash = '\0';
        return;
    }
    if (strlen(dash + 1) != 5 || !is_random(dash + 1, 5))
        return;
    *dash = '\0';
    char *before = strrchr(out, '-');                      /* of a ReplicaSet: its hash, too */
    size_t len = before != NULL ? strlen(before + 1) : 0;
    if (before != NULL && before != out && len >= 6 && len <= 10 && is_random(before + 1, len))
        *before = '\0';
}
