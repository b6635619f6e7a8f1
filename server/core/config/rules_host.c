/* rules_host.c - what of the host is within reach. */
#include "core/config/rules.h"

#include <string.h>

static void judge_flag(struct judging_box *j, const char *id, const struct setting *s, const char *what)
{
    if (is_unknown(s->s))
        undecided(j, id, s);
    else if (is_yes(s->s))
        on(j, id, s, what);
    else if (s->s != NULL && !is_no(s->s) && *s->s != '\0')
        on(j, "unreadable", s, arena_printf(j->f->arena, "%s is neither true nor false", s->s));
}

static void judge_namespaces(struct judging_box *j)
{
    const struct box *b = j->b;
    const struct { const char *id, *what; const struct setting *s; } rows[] = {
        { "host-network", "network mode host", &b->network }, { "host-pid", "pid mode host", &b->pid },
        { "host-ipc", "ipc mode host", &b->ipc }, { "host-uts", "uts mode host", &b->uts },
        { "host-userns", "user namespace host", &b->userns }, { "host-cgroup", "cgroup namespace host", &b->cgroup },
    };

    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        if (is_unknown(rows[i].s->s))
            undecided(j, rows[i].id, rows[i].s);
        else if (str_eq(rows[i].s->s, "host"))
            on(j, rows[i].id, rows[i].s, rows[i].what);
    }
}

/* ---- mounts -------------------------------------------------------------------------------- */

static void judge_source(struct judging_box *j, const struct mount *m, const struct setting *s)
{
    const char *clean = path_clean(j->f->arena, m->source), *target = path_clean(j->f->arena, m->target);

    if (clean == NULL || target == NULL) {
        j->f->failed = true;
        return;
    }
    /* Mounted where a socket belongs, it is one, whatever the variable says. */
    if (path_is_socket(clean) || (is_unknown(m->source) && path_names_socket(target))) {
        on(j, "engine-socket", s, arena_printf(j->f->arena, "mounts %s", m->source));
        if (path_weight(clean) != PATH_ROOT || m->read_only)
            return;
    }
    if (is_unknown(m->source)) {
        undecided(j, "engine-socket", s);
        return;
    }
    enum path_weight weight = path_weight(clean);
    if (weight == PATH_ROOT && !m->read_only)
        on(j, "host-path-root", s, arena_printf(j->f->arena, "mounts %s, writable", m->source));
    else if (weight != PATH_ORDINARY)
        on(j, "host-path-sensitive", s, arena_printf(j->f->arena, "mounts %s%s", m->source, m->read_only ? " read-only" : ""));
}

static void judge_mounts(struct judging_box *j)
{
    for (size_t i = 0; i < j->b->n_mounts && !j->f->failed; i++) {
        const struct mount *m = &j->b->mounts[i];
        struct setting s = { m->source, m->path, m->at };
        if (m->kind == MOUNT_BIND && *m->source != '\0')
            judge_source(j, m, &s);
        if (m->kind == MOUNT_BIND && (has_word(m->options, "shared") || has_word(m->options, "rshared")))
            on(j, "propagation-shared", &s, arena_printf(j->f->arena, "mounts %s with shared propagation", m->source));
        if (m->kind == MOUNT_TMPFS && (has_word(m->options, "exec") || has_word(m->options, "suid")))
            on(j, "tmpfs-exec", &s, arena_printf(j->f->arena, "tmpfs %s", m->target));
    }
}

/* ---- devices and groups ------------------------------------------------------------------------ */

static const char *const raw_devices[] = {
    "/dev/mem", "/dev/kmem", "/dev/port", "/dev/sd", "/dev/hd", "/dev/vd", "/dev/xvd", "/dev/nvme", "/dev/mmcblk", "/dev/dm-", "/dev/mapper",
    "/dev/md", "/dev/disk", "/dev/loop", "/dev/kcore",
};

static void judge_device(struct judging_box *j, const struct setting *s)
{
    size_t len = strcspn(s->s, ":");
    const char *host = arena_strndup(j->f->arena, s->s, len);
    const char *clean = host != NULL ? path_clean(j->f->arena, host) : NULL;

    if (clean == NULL) {
        j->f->failed = true;
        return;
    }
    if (is_unknown(host)) {
        undecided(j, "device-host", s);
        return;
    }
    for (size_t i = 0; i < N_ITEMS(raw_devices); i++) {
        if (str_starts(clean, raw_devices[i]) || str_eq(clean, "/dev") || str_eq(clean, "/")) {
            on(j, "device-host", s, arena_printf(j->f->arena, "device %s", host));
            return;
        }
    }
    on(j, "device", s, arena_printf(j->f->arena, "device %s", host));
}

static void judge_device_rule(struct judging_box *j, const struct setting *s)
{
    if (is_unknown(s->s))
        undecided(j, "device-rule", s);
    else if (str_starts(s->s, "a") || strstr(s->s, "*:") != NULL || strstr(s->s, "8:") != NULL)
        on(j, "device-rule", s, arena_printf(j->f->arena, "device rule \"%s\"", s->s));
}

static void judge_group(struct judging_box *j, const struct setting *s)
{
    static const char *const groups[] = { "docker", "disk", "shadow", "root", "sudo", "wheel", "lxd", "libvirt", "kmem", "0" };

    if (is_unknown(s->s)) {
        undecided(j, "group-privileged", s);
        return;
    }
    for (size_t i = 0; i < N_ITEMS(groups); i++) {
        if (str_eq(s->s, groups[i]) && !j->b->is_oci)
            on(j, "group-privileged", s, arena_printf(j->f->arena, "group %s", s->s));
    }
}

void judge_host(struct judging_box *j)
{
    const struct box *b = j->b;

    judge_flag(j, "privileged", &b->privileged, "privileged");
    judge_flag(j, "engine-socket", &b->api_socket, "use_api_socket");
    judge_flag(j, "build-privileged", &b->build_privileged, "build.privileged");
    judge_namespaces(j);
    judge_mounts(j);
    for (size_t i = 0; i < b->devices.n; i++)
        judge_device(j, &b->devices.items[i]);
    for (size_t i = 0; i < b->device_rules.n; i++)
        judge_device_rule(j, &b->device_rules.items[i]);
    for (size_t i = 0; i < b->groups.n; i++)
        judge_group(j, &b->groups.items[i]);
    for (size_t i = 0; i < b->volumes_from.n; i++)
        on(j, "mounts-from", &b->volumes_from.items[i], arena_printf(j->f->arena, "volumes from %s", b->volumes_from.items[i].s));
}
