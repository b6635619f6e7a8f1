/* box_inspect.c - what `docker inspect` (or podman's) says of a container, as a box. */
#include "core/config/config_internal.h"

#include <string.h>

static const struct { const char *path; size_t off; } singles[] = {
    { "Config.Image", offsetof(struct box, image) }, { "Config.User", offsetof(struct box, user) },
    { "HostConfig.NetworkMode", offsetof(struct box, network) }, { "HostConfig.PidMode", offsetof(struct box, pid) },
    { "HostConfig.IpcMode", offsetof(struct box, ipc) }, { "HostConfig.UTSMode", offsetof(struct box, uts) },
    { "HostConfig.UsernsMode", offsetof(struct box, userns) }, { "HostConfig.CgroupnsMode", offsetof(struct box, cgroup) },
    { "HostConfig.Runtime", offsetof(struct box, runtime) }, 
    { "HostConfig.LogConfig.Type", offsetof(struct box, log_driver) }, { "HostConfig.Privileged", offsetof(struct box, privileged) },
    { "HostConfig.ReadonlyRootfs", offsetof(struct box, read_only) }, { "HostConfig.Memory", offsetof(struct box, memory) },
    { "HostConfig.NanoCpus", offsetof(struct box, cpus) }, { "HostConfig.PidsLimit", offsetof(struct box, pids) },
    { "HostConfig.OomKillDisable", offsetof(struct box, oom_kill_disable) }, { "HostConfig.OomScoreAdj", offsetof(struct box, oom_score) },
};

static const struct { const char *path; size_t off; } lists[] = {
    { "HostConfig.CapAdd", offsetof(struct box, cap_add) }, { "HostConfig.CapDrop", offsetof(struct box, cap_drop) },
    { "HostConfig.SecurityOpt", offsetof(struct box, security_opt) }, { "HostConfig.DeviceCgroupRules", offsetof(struct box, device_rules) },
    { "HostConfig.GroupAdd", offsetof(struct box, groups) }, { "HostConfig.VolumesFrom", offsetof(struct box, volumes_from) },
};

struct inspecting { struct arena *a; const struct json *v; struct box *b; bool failed; };

static const char *kept(struct inspecting *f, const char *text)
{
    f->failed |= text == NULL;
    return text != NULL ? text : "";
}

static const char *path_at(struct inspecting *f, const char *path, uint32_t i)
{
    return kept(f, arena_printf(f->a, "%s.%s[%u]", f->b->path, path, i));
}

static void fill_table(struct inspecting *f)
{
    for (size_t i = 0; i < N_ITEMS(singles); i++) {
        const struct json *v = json_path(f->v, singles[i].path);
        struct setting *to = (struct setting *)(void *)((char *)f->b + singles[i].off);
        if (v != NULL && v->type <= JSON_STRING && v->type != JSON_NULL)
            *to = (struct setting){ text_of(f->a, v), kept(f, arena_printf(f->a, "%s.%s", f->b->path, singles[i].path)), v->offset };
    }
    for (size_t i = 0; i < N_ITEMS(lists); i++) {
        const struct json *list = json_path(f->v, lists[i].path);
        for (uint32_t k = 0; k < json_len(list); k++) {
            struct setting one = { text_of(f->a, json_at(list, k)), path_at(f, lists[i].path, k), json_at(list, k)->offset };
            f->failed |= one.s != NULL && !settings_add(f->a, (struct settings *)(void *)((char *)f->b + lists[i].off), one);
        }
    }
}

/* Binds are what was asked for, Mounts what came of it: both, each target once. */
static void fill_mounts(struct inspecting *f)
{
    const struct json *binds = json_path(f->v, "HostConfig.Binds"), *mounts = json_get(f->v, "Mounts");
    const struct json *tmpfs = json_path(f->v, "HostConfig.Tmpfs");

    for (uint32_t i = 0; i < json_len(binds); i++) {
        struct mount m = { .path = path_at(f, "HostConfig.Binds", i), .at = json_at(binds, i)->offset };
        if (json_is(json_at(binds, i), JSON_STRING))
            f->failed |= !mount_read(f->a, json_at(binds, i)->string, &m) || !mount_add(f->a, f->b, m);
    }
    for (uint32_t i = 0; i < json_len(mounts); i++) {
        const struct json *v = json_at(mounts, i);
        const char *type = json_get_str(v, "Type", "bind");
        f->failed |= !mount_add(f->a, f->b, (struct mount){
            .kind = str_eq(type, "volume") ? MOUNT_VOLUME : str_eq(type, "tmpfs") ? MOUNT_TMPFS : MOUNT_BIND,
            .source = json_get_str(v, "Source", ""), .target = json_get_str(v, "Destination", ""),
            .options = json_get_str(v, "Propagation", ""), .read_only = !json_bool(json_get(v, "RW"), true),
            .path = path_at(f, "Mounts", i), .at = v->offset });
    }
    for (uint32_t i = 0; i < json_n_members(tmpfs); i++) {
        const struct json_member *m = &tmpfs->members[i];
        f->failed |= !mount_add(f->a, f->b, (struct mount){
            .kind = MOUNT_TMPFS, .source = "", .target = m->key, .options = json_str(&m->value, ""),
            .path = kept(f, path_join(f->a, kept(f, arena_printf(f->a, "%s.HostConfig.Tmpfs", f->b->path)), m->key)), .at = m->value.offset });
    }
}

static void fill_ports(struct inspecting *f)
{
    const struct json *bindings = json_path(f->v, "HostConfig.PortBindings");

    for (uint32_t i = 0; i < json_n_members(bindings); i++) {
        const struct json_member *m = &bindings->members[i];
        const char *path = kept(f, path_join(f->a, kept(f, arena_printf(f->a, "%s.HostConfig.PortBindings", f->b->path)), m->key));
        for (uint32_t k = 0; k < json_len(&m->value); k++) {
            const struct json *one = json_at(&m->value, k);
            size_t len = strcspn(m->key, "/");
            f->failed |= !port_add(f->a, f->b, (struct port){
                .ip = json_get_str(one, "HostIp", ""), .host = json_get_str(one, "HostPort", ""),
                .container = kept(f, arena_strndup(f->a, m->key, len)), .path = kept(f, path_index(f->a, path, k)), .at = one->offset });
        }
    }
}

static void fill_rest(struct inspecting *f)
{
    const struct json *devices = json_path(f->v, "HostConfig.Devices"), *env = json_path(f->v, "Config.Env");
    const struct json *test = json_path(f->v, "Config.Healthcheck.Test"), *masked = json_path(f->v, "HostConfig.MaskedPaths");
    const struct json *quota = json_path(f->v, "HostConfig.CpuQuota");

    for (uint32_t i = 0; i < json_len(devices); i++) {
        const struct json *v = json_at(devices, i);
        struct setting one = { json_get_str(v, "PathOnHost", NULL), path_at(f, "HostConfig.Devices", i), v->offset };
        f->failed |= one.s != NULL && !settings_add(f->a, &f->b->devices, one);
    }
    for (uint32_t i = 0; i < json_len(env); i++) {
        struct variable one = { .path = path_at(f, "Config.Env", i), .at = json_at(env, i)->offset };
        if (json_is(json_at(env, i), JSON_STRING))
            f->failed |= !env_read(f->a, json_at(env, i)->string, &one) || !env_add(f->a, f->b, one);
    }
    if (json_len(test) > 0)
        f->b->health = (struct setting){ str_eq(json_str(json_at(test, 0), ""), "NONE") ? "none" : "yes", f->b->path, test->offset };
    if (json_is(masked, JSON_ARRAY) && masked->n == 0 && !is_yes(f->b->privileged.s))
        f->failed |= !settings_add(f->a, &f->b->security_opt, (struct setting){ "systempaths=unconfined", kept(f, arena_printf(f->a, "%s.HostConfig.MaskedPaths", f->b->path)), masked->offset });
    if (json_int(quota, 0) > 0)
        f->b->cpus = (struct setting){ text_of(f->a, quota), f->b->path, quota->offset };
}

static int read_one(struct reading *r, const struct json *v, const char *path, struct err *err)
{
    struct box *b = arena_alloc(r->arena, sizeof *b);
    const char *name = json_get_str(v, "Name", json_get_str(v, "Id", "container"));

    if (b == NULL || path == NULL)
        return err_nomem(err);
    if (!json_is(v, JSON_OBJECT) || !json_is(json_get(v, "HostConfig"), JSON_OBJECT))
        return reading_refuse(r, v->offset, json_get(v, "RootFS") != NULL ? "this describes an image, not a container: nothing of how it runs is in it"
                                                                          : "not what docker inspect says of a container: HostConfig is missing", err);
    *b = (struct box){ .name = *name == '/' ? name + 1 : name, .path = path, .at = v->offset, .is_live = true };
    struct inspecting f = { .a = r->arena, .v = v, .b = b };
    fill_table(&f);
    fill_mounts(&f);
    fill_ports(&f);
    fill_rest(&f);
    return f.failed ? err_nomem(err) : reading_box(r, CONFIG_INSPECT, arena_printf(r->arena, "container %s", b->name), b, err);
}

int read_inspect(struct reading *r, size_t file, const struct json *docs, size_t n, struct err *err)
{
    (void)file;
    for (size_t i = 0; i < n; i++) {
        if (!json_is(&docs[i], JSON_ARRAY)) {
            if (read_one(r, &docs[i], "$", err) != 0)
                return -1;
            continue;
        }
        for (uint32_t k = 0; k < docs[i].n; k++) {
            if (read_one(r, json_at(&docs[i], k), arena_printf(r->arena, "$[%u]", k), err) != 0)
                return -1;
        }
    }
    return 0;
}
