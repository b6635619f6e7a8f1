/* box_compose.c - a Compose service as a box. */
#include "core/config/compose.h"

#include <string.h>

struct filling_box {
    struct arena *a;
    const struct json *root, *service;
    struct box *b;
    bool failed;
};

static const char *kept(struct filling_box *f, const char *text)
{
    f->failed |= text == NULL;
    return text != NULL ? text : "";
}

/* ---- single values and lists of texts, by table ------------------------------------------ */

static const struct { const char *path; size_t off; } singles[] = {
    { "image", offsetof(struct box, image) }, { "user", offsetof(struct box, user) }, { "network_mode", offsetof(struct box, network) },
    { "pid", offsetof(struct box, pid) }, { "ipc", offsetof(struct box, ipc) }, { "uts", offsetof(struct box, uts) },
    { "userns_mode", offsetof(struct box, userns) }, { "cgroup", offsetof(struct box, cgroup) }, { "runtime", offsetof(struct box, runtime) },
    { "logging.driver", offsetof(struct box, log_driver) },
    { "privileged", offsetof(struct box, privileged) }, { "read_only", offsetof(struct box, read_only) },
    { "mem_limit", offsetof(struct box, memory) }, { "deploy.resources.limits.memory", offsetof(struct box, memory) },
    { "cpus", offsetof(struct box, cpus) }, { "cpu_quota", offsetof(struct box, cpus) }, { "deploy.resources.limits.cpus", offsetof(struct box, cpus) },
    { "pids_limit", offsetof(struct box, pids) }, { "deploy.resources.limits.pids", offsetof(struct box, pids) },
    { "oom_kill_disable", offsetof(struct box, oom_kill_disable) }, { "oom_score_adj", offsetof(struct box, oom_score) },
    { "use_api_socket", offsetof(struct box, api_socket) }, { "build.privileged", offsetof(struct box, build_privileged) },
};

static struct setting setting_of(struct filling_box *f, const struct json *v, const char *path)
{
    const char *text = text_of(f->a, v);

    return (struct setting){ .s = text, .path = kept(f, path), .at = v != NULL ? v->offset : f->b->at };
}

static void fill_singles(struct filling_box *f)
{
    for (size_t i = 0; i < N_ITEMS(singles); i++) {
        const struct json *v = json_path(f->service, singles[i].path);
        struct setting *to = (struct setting *)(void *)((char *)f->b + singles[i].off);
        if (v != NULL && v->type <= JSON_STRING && v->type != JSON_NULL)
            *to = setting_of(f, v, arena_printf(f->a, "%s.%s", f->b->path, singles[i].path));
    }
}

static const struct { const char *path; size_t off; } lists[] = {
    { "cap_add", offsetof(struct box, cap_add) }, { "cap_drop", offsetof(struct box, cap_drop) },
    { "security_opt", offsetof(struct box, security_opt) }, { "device_cgroup_rules", offsetof(struct box, device_rules) },
    { "group_add", offsetof(struct box, groups) }, { "volumes_from", offsetof(struct box, volumes_from) },
    { "labels", offsetof(struct box, labels) }, { "annotations", offsetof(struct box, annotations) },
    { "sysctls", offsetof(struct box, sysctls) },
};

/* ["a", "b"] or {a: 1}; a single text counts as a list of one. */
static void fill_list(struct filling_box *f, const struct json *v, const char *path, struct settings *to)
{
    if (json_is(v, JSON_STRING) && !settings_add(f->a, to, setting_of(f, v, path)))
        f->failed = true;
    for (uint32_t i = 0; i < json_len(v) && !f->failed; i++) {
        struct setting one = setting_of(f, json_at(v, i), path_index(f->a, path, i));
        if (one.s != NULL && !settings_add(f->a, to, one))
            f->failed = true;
    }
    for (uint32_t i = 0; i < json_n_members(v) && !f->failed; i++) {
        const struct json_member *m = &v->members[i];
        const char *value = text_of(f->a, &m->value);
        struct setting one = { .s = arena_printf(f->a, "%s=%s", m->key, value != NULL ? value : ""), .path = path_join(f->a, path, m->key),
                               .at = m->value.offset };
        if (one.s == NULL || one.path == NULL || !settings_add(f->a, to, one))
            f->failed = true;
    }
}

static void fill_lists(struct filling_box *f)
{
    for (size_t i = 0; i < N_ITEMS(lists) && !f->failed; i++)
        fill_list(f, json_get(f->service, lists[i].path), kept(f, path_join(f->a, f->b->path, lists[i].path)),
                  (struct settings *)(void *)((char *)f->b + lists[i].off));
}

/* A list, or a single text as if it were one: Compose refuses that, but what a
 * variable hides there should not go unseen. */
static const struct json *items_of(struct filling_box *f, const char *key, struct json *one)
{
    const struct json *v = json_get(f->service, key);

    if (!json_is(v, JSON_STRING))
        return v;
    *one = (struct json){ .type = JSON_ARRAY, .offset = v->offset, .n = 1, .items = v };
    return one;
}

/* ---- mounts --------------------------------------------------------------------------------- */

/* A named volume may be a path of the host in disguise: driver local, o: bind, device: /path. */
static void see_through_volume(struct filling_box *f, struct mount *m)
{
    const struct json *volume = m->kind == MOUNT_VOLUME && *m->source != '\0' ? json_get(json_get(f->root, "volumes"), m->source) : NULL;
    const char *device = json_get_str(json_get(volume, "driver_opts"), "device", NULL);
    const char *o = json_get_str(json_get(volume, "driver_opts"), "o", "");

    if (device == NULL || !(has_word(o, "bind") || has_word(o, "rbind") || is_unknown(o)))
        return;
    m->kind = MOUNT_BIND;
    m->source = device;
}

static struct mount long_mount(struct filling_box *f, const struct json *v)
{
    const char *type = json_get_str(v, "type", "volume"), *propagation = json_get_str(json_get(v, "bind"), "propagation", "");
    const char *read_only = text_of(f->a, json_get(v, "read_only"));

    return (struct mount){
        .kind = str_eq(type, "bind") || is_unknown(type) || str_eq(type, "npipe") ? MOUNT_BIND : str_eq(type, "tmpfs") ? MOUNT_TMPFS :
                str_eq(type, "volume") ? MOUNT_VOLUME : MOUNT_OTHER,
        .source = json_get_str(v, "source", ""), .target = json_get_str(v, "target", ""), .options = propagation,
        .read_only = is_yes(read_only),
    };
}

static void fill_mounts(struct filling_box *f)
{
    struct json one;
    const struct json *list = items_of(f, "volumes", &one), *tmpfs = json_get(f->service, "tmpfs");
    struct settings mounts = { 0 };

    for (uint32_t i = 0; i < json_len(list) && !f->failed; i++) {
        const struct json *v = json_at(list, i);
        struct mount m = { .source = "", .target = "", .options = "" };
        if (json_is(v, JSON_OBJECT))
            m = long_mount(f, v);
        else if (!json_is(v, JSON_STRING) || !mount_read(f->a, v->string, &m))
            continue;
        m.path = kept(f, arena_printf(f->a, "%s.volumes[%u]", f->b->path, i));
        m.at = v->offset;
        see_through_volume(f, &m);
        f->failed |= !mount_add(f->a, f->b, m);
    }
    fill_list(f, tmpfs, kept(f, path_join(f->a, f->b->path, "tmpfs")), &mounts);
    for (size_t i = 0; i < mounts.n && !f->failed; i++) {
        const char *colon = strchr(mounts.items[i].s, ':');
        struct mount m = { .kind = MOUNT_TMPFS, .source = "", .options = colon != NULL ? colon + 1 : "", .path = mounts.items[i].path,
                           .at = mounts.items[i].at };
        m.target = colon != NULL ? kept(f, arena_strndup(f->a, mounts.items[i].s, (size_t)(colon - mounts.items[i].s))) : mounts.items[i].s;
        f->failed |= !mount_add(f->a, f->b, m);
    }
}

/* ---- ports, devices, environment ---------------------------------------------------------------- */

static void fill_ports(struct filling_box *f)
{
    struct json one;
    const struct json *list = items_of(f, "ports", &one);

    for (uint32_t i = 0; i < json_len(list) && !f->failed; i++) {
        const struct json *v = json_at(list, i);
        struct port p = { .ip = "", .host = "", .container = "" };
        if (json_is(v, JSON_OBJECT)) {
            const char *published = text_of(f->a, json_get(v, "published")), *target = text_of(f->a, json_get(v, "target"));
            p.ip = json_get_str(v, "host_ip", "");
            p.host = published != NULL ? published : "";
            p.container = target != NULL ? target : "";
        } else if (!port_read(f->a, kept(f, text_of(f->a, v)), &p)) {
            f->failed = true;
        }
        p.path = kept(f, arena_printf(f->a, "%s.ports[%u]", f->b->path, i));
        p.at = v->offset;
        f->failed |= !port_add(f->a, f->b, p);
    }
}

static void fill_devices(struct filling_box *f)
{
    struct json single;
    const struct json *list = items_of(f, "devices", &single);

    for (uint32_t i = 0; i < json_len(list) && !f->failed; i++) {
        const struct json *v = json_at(list, i);
        const char *text = json_is(v, JSON_OBJECT) ? json_get_str(v, "source", NULL) : text_of(f->a, v);
        struct setting one = { .s = text, .path = arena_printf(f->a, "%s.devices[%u]", f->b->path, i), .at = v->offset };
        if (text != NULL)
            f->failed |= one.path == NULL || !settings_add(f->a, &f->b->devices, one);
    }
}

static void fill_env(struct filling_box *f, const struct json *v, const char *path)
{
    struct settings texts = { 0 };

    for (uint32_t i = 0; i < json_n_members(v) && !f->failed; i++) {
        const struct json_member *m = &v->members[i];
        struct variable one = { .name = m->key, .value = text_of(f->a, &m->value), .path = kept(f, path_join(f->a, path, m->key)),
                                .at = m->value.offset };
        f->failed |= !env_add(f->a, f->b, one);
    }
    if (!json_is(v, JSON_ARRAY))
        return;
    fill_list(f, v, path, &texts);
    for (size_t i = 0; i < texts.n && !f->failed; i++) {
        struct variable one = { .path = texts.items[i].path, .at = texts.items[i].at };
        f->failed |= !env_read(f->a, texts.items[i].s, &one) || !env_add(f->a, f->b, one);
    }
}

/* Hooks that run in the container with more rights than it has. */
static void fill_hooks(struct filling_box *f)
{
    static const char *const hooks[] = { "post_start", "pre_stop" };

    for (size_t i = 0; i < N_ITEMS(hooks); i++) {
        const struct json *list = json_get(f->service, hooks[i]);
        for (uint32_t k = 0; k < json_len(list); k++) {
            const struct json *v = json_get(json_at(list, k), "privileged");
            const char *text = text_of(f->a, v);
            if (is_yes(text) && !is_yes(f->b->privileged.s))
                f->b->privileged = setting_of(f, v, arena_printf(f->a, "%s.%s[%u].privileged", f->b->path, hooks[i], k));
        }
    }
}

static void fill_health(struct filling_box *f)
{
    const struct json *v = json_get(f->service, "healthcheck"), *test = json_get(v, "test");
    const char *first = json_is(test, JSON_STRING) ? test->string : json_len(test) > 0 ? json_str(json_at(test, 0), "") : "";

    if (v == NULL)
        return;
    f->b->health = (struct setting){ .s = is_yes(text_of(f->a, json_get(v, "disable"))) || str_eq(first, "NONE") ? "none" : "yes",
                                     .path = kept(f, path_join(f->a, f->b->path, "healthcheck")), .at = v->offset };
}

int compose_box(struct arena *a, const struct json *root, const struct json *service, struct box *b, struct err *err)
{
    struct filling_box f = { .a = a, .root = root, .service = service, .b = b };
    const struct json *build = json_get(service, "build");

    b->has_build = build != NULL && build->type != JSON_NULL;
    fill_singles(&f);
    fill_lists(&f);
    fill_mounts(&f);
    fill_ports(&f);
    fill_devices(&f);
    fill_env(&f, json_get(build, "args"), kept(&f, path_join(a, b->path, "build.args")));
    fill_env(&f, json_get(service, "environment"), kept(&f, path_join(a, b->path, "environment")));
    fill_hooks(&f);
    fill_health(&f);
    return f.failed ? err_nomem(err) : 0;
}
