/* load.c - the ladder: what this kernel lets us load, and why not the rest; see
 * internal.h. */
#include "agent/wall/internal.h"
#include "base/str.h"
#include "base/time.h"
#include "agent/wall/built.h"

#ifdef KEEP_WALL_BUILT
#include "agent/wall/wall.skel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

void reason_add(struct wall *w, enum wall_rung rung, const char *why)
{
    struct wall_reason *r = &w->status.reasons[w->status.n_reasons++];
    r->rung = rung;
    snprintf(r->why, sizeof r->why, "%s", why);
}

static bool has_tracepoint(const char *type)
{
    struct btf *btf = btf__load_vmlinux_btf();
    bool found = btf && btf__find_by_name(btf, type) > 0;
    btf__free(btf);
    return found;
}

static struct wall_bpf *skeleton_load(const struct wall *w, bool with_lsm, int *cause)
{
    struct wall_bpf *s = wall_bpf__open();
    if (!s) {
        *cause = errno;
        return NULL;
    }
    bool prepare = !with_lsm && has_tracepoint("btf_trace_sched_prepare_exec");
    bpf_program__set_autoload(s->progs.deny_exec, with_lsm);
    bpf_program__set_autoload(s->progs.see_prepare, prepare);
    bpf_map__set_max_entries(s->maps.ring, (uint32_t)w->set.ring_bytes);
    int r = wall_bpf__load(s);
    if (r == 0)
        return s;
    *cause = -r;
    wall_bpf__destroy(s);
    return NULL;
}

/* "bpf" must be among the kernel's active security modules; unreadable: try. */
static bool lsm_is_listed(void)
{
    char text[512] = "";
    int fd = open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    return n <= 0 || strstr(text, "bpf") != NULL;
}

static struct wall_bpf *lsm_try(struct wall *w)
{
    char why[WALL_WHY_MAX];
    int cause = 0;
    struct wall_bpf *s;

    if (w->set.refuse & 1u << WALL_LSM) {
        reason_add(w, WALL_LSM, "not wanted by the settings");
        return NULL;
    }
    if (!lsm_is_listed()) {
        reason_add(w, WALL_LSM, "bpf is not among the active security modules (kernel parameter lsm=...,bpf)");
        return NULL;
    }
    s = skeleton_load(w, true, &cause);
    if (s) {
        s->links.deny_exec = bpf_program__attach(s->progs.deny_exec);
        if (s->links.deny_exec)
            return s;
        cause = errno;
        wall_bpf__destroy(s);
    }
    snprintf(why, sizeof why, "the kernel refuses a program at bprm_check_security: %s%s", strerror(cause),
             cause == EPERM ? " (no BPF trampolines: locked down, or no CAP_PERFMON)" : "");
    reason_add(w, WALL_LSM, why);
    return NULL;
}

static uint32_t host_mounts(void)
{
    struct stat st;
    if (stat("/proc/1/ns/mnt", &st) != 0 && stat("/proc/self/ns/mnt", &st) != 0)
        return 0;
    return (uint32_t)st.st_ino;
}

static int control_map(struct wall *w, struct err *err)
{
    void *p = mmap(NULL, sizeof *w->control, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(w->bpf->maps.control), 0);
    if (p == MAP_FAILED)
        return err_set(err, ERR_UNAVAILABLE, "walls: mapping of the control page: %s", strerror(errno));
    w->control = p;
    w->control->host_mounts = host_mounts();
    w->control->is_lsm = w->status.rung == WALL_LSM;
    return 0;
}

/* Sensors: without them we are blind, and say so. */
static int sensors_attach(struct wall *w, struct err *err)
{
    struct { struct bpf_program *p; struct bpf_link **link; } all[] = {
        { w->bpf->progs.see_exec, &w->bpf->links.see_exec }, { w->bpf->progs.see_exit, &w->bpf->links.see_exit },
        { w->bpf->progs.see_state, &w->bpf->links.see_state }, { w->bpf->progs.see_prepare, &w->bpf->links.see_prepare },
    };
    for (size_t i = 0; i < N_ITEMS(all); i++) {
        if (bpf_program__fd(all[i].p) < 0)
            continue;
        *all[i].link = bpf_program__attach(all[i].p);
        if (!*all[i].link)
            return err_set(err, ERR_UNAVAILABLE, "blind: %s cannot be attached: %s", bpf_program__name(all[i].p), strerror(errno));
    }
    return 0;
}

static void network_attach(struct wall *w)
{
    struct wall_bpf *s = w->bpf;
    struct { struct bpf_program *p; struct bpf_link **link; } all[] = {
        { s->progs.connect4, &s->links.connect4 }, { s->progs.connect6, &s->links.connect6 },
        { s->progs.sendmsg4, &s->links.sendmsg4 }, { s->progs.sendmsg6, &s->links.sendmsg6 },
        { s->progs.bind4, &s->links.bind4 }, { s->progs.bind6, &s->links.bind6 },
        { s->progs.inbound, &s->links.inbound }, { s->progs.sock_create, &s->links.sock_create },
    };
    if (w->set.refuse & WALL_REFUSE_CGROUP) {
        snprintf(w->status.network_why, sizeof w->status.network_why, "not wanted by the settings");
        return;
    }
    int fd = open(w->set.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    w->status.network = fd >= 0;
    if (fd < 0)
        snprintf(w->status.network_why, sizeof w->status.network_why, "%.120s: %s", w->set.cgroup, strerror(errno));
    for (size_t i = 0; fd >= 0 && i < N_ITEMS(all) && w->status.network; i++) {
        *all[i].link = bpf_program__attach_cgroup(all[i].p, fd);
        if (*all[i].link)
            continue;
        w->status.network = false;
        snprintf(w->status.network_why, sizeof w->status.network_why, "%s cannot be attached at %.120s: %s",
                 bpf_program__name(all[i].p), w->set.cgroup, strerror(errno));
    }
    for (size_t i = 0; i < N_ITEMS(all) && !w->status.network; i++) {
        bpf_link__destroy(*all[i].link);           /* all of them, or none: half a wall is none */
        *all[i].link = NULL;
    }
    if (fd >= 0)
        close(fd);
}

static int told_raw(void *arg, void *data, size_t len)
{
    raw_tell(arg, data, len);
    return 0;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level, (void)format, (void)args;
    return 0;
}

static void rung_choose(struct wall *w)
{
    if (bpf_program__fd(w->bpf->progs.deny_exec) >= 0) {
        w->status.rung = WALL_LSM;
    } else if (w->set.refuse & 1u << WALL_SIGKILL) {
        reason_add(w, WALL_SIGKILL, "not wanted by the settings");
        w->status.rung = WALL_NONE;
    } else {
        w->status.rung = WALL_SIGKILL;
    }
    w->status.edges = w->status.rung == WALL_LSM || bpf_program__fd(w->bpf->progs.see_prepare) >= 0;
    if (!w->status.edges)
        snprintf(w->status.edges_why, sizeof w->status.edges_why,
                 "this kernel has no tracepoint sched_prepare_exec (6.10): who starts a program is not judged");
}

int kernel_open(struct wall *w, struct err *err)
{
    struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
    int cause = 0;

    libbpf_set_print(quiet);
    if (w->set.refuse & 1u << WALL_NONE)
        return err_set(err, ERR_UNAVAILABLE, "blind: BPF is not wanted by the settings");
    (void)setrlimit(RLIMIT_MEMLOCK, &all);        /* kernels before 5.11 count maps there */
    w->bpf = lsm_try(w);
    if (!w->bpf)
        w->bpf = skeleton_load(w, false, &cause);
    if (!w->bpf)
        return err_set(err, ERR_UNAVAILABLE, "blind: the kernel takes no BPF programs: %s", strerror(cause));
    rung_choose(w);
    if (control_map(w, err) != 0)
        return -1;
    w->control->beat_ns = (u64)time_monotonic_ms() * 1000000u;
    w->ring = ring_buffer__new(bpf_map__fd(w->bpf->maps.ring), told_raw, w, NULL);
    if (!w->ring)
        return err_set(err, ERR_UNAVAILABLE, "blind: no ring: %s", strerror(errno));
    if (sensors_attach(w, err) != 0)
        return -1;
    w->status.sensors = true;
    if (w->set.no_network)
        snprintf(w->status.network_why, sizeof w->status.network_why, "not wanted by the settings");
    network_attach(w);
    return 0;
}

void kernel_close(struct wall *w)
{
    if (w->ring)
        ring_buffer__free(w->ring);
    if (w->control)
        munmap(w->control, sizeof *w->control);
    if (w->bpf)
        wall_bpf__destroy(w->bpf);
    w->ring = NULL;
    w->control = NULL;
    w->bpf = NULL;
}

void stats_read(struct wall *w, struct wall_stats *out)
{
    int n = libbpf_num_possible_cpus();
    struct wall_stats *each = n > 0 ? calloc((size_t)n, sizeof *each) : NULL;
    u32 zero = 0;
    *out = (struct wall_stats){ 0 };
    if (!w->bpf) {
        free(each);
        return;
    }
    if (each && bpf_map_lookup_elem(bpf_map__fd(w->bpf->maps.stats), &zero, each) == 0) {
        for (int i = 0; i < n; i++) {
            out->seen += each[i].seen;
            out->emitted += each[i].emitted;
            out->folded += each[i].folded;
            out->dropped += each[i].dropped;
            out->denied += each[i].denied;
        }
    }
    free(each);
}
#endif
