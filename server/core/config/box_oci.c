/* box_oci.c - an OCI runtime configuration (config.json of a bundle) as a box.
 *
 * Here everything is written out and nothing has a default: a namespace that is
 * not listed is the host's, no seccomp section means no filter. */
#include "core/config/config_internal.h"

#include <string.h>

struct oci { struct arena *a; const struct json *v; struct box *b; bool failed; };

static struct setting set(const char *s, const char *path, const struct json *v, uint32_t otherwise)
{
    return (struct setting){ s, path, v != NULL ? v->offset : otherwise };
}

static void add(struct oci *f, struct settings *l, struct setting one)
{
    f->failed |= one.s == NULL || one.path == NULL || !settings_add(f->a, l, one);
}

static bool has_namespace(const struct json *list, const char *type)
{
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *path = json_get(json_at(list, i), "path");
        if (str_eq(json_get_str(json_at(list, i), "type", ""), type))
            return !str_starts(json_str(path, ""), "/proc/1/ns/");
    }
    return false;
}

static void fill_namespaces(struct oci *f, const struct json *linux_part)
{
    const struct json *list = json_get(linux_part, "namespaces");
    const struct { const char *type; struct setting *to; } kinds[] = {
        { "network", &f->b->network }, { "pid", &f->b->pid }, { "ipc", &f->b->ipc }, { "uts", &f->b->uts }, { "cgroup", &f->b->cgroup },
    };

    for (size_t i = 0; i < N_ITEMS(kinds); i++) {
        if (!has_namespace(list, kinds[i].type))
            *kinds[i].to = set("host", "$.linux.namespaces", list != NULL ? list : linux_part, f->v->offset);
    }
}

/* Exactly what the process may keep: nothing is added to a default set. */
static void fill_capabilities(struct oci *f, const struct json *process)
{
    static const char *const sets[] = { "bounding", "effective", "permitted", "ambient", "inheritable" };
    const struct json *all = json_get(process, "capabilities");

    add(f, &f->b->cap_drop, set("ALL", "$.process.capabilities", all, f->v->offset));
    for (size_t i = 0; i < 2; i++) {
        const struct json *list = json_get(all, sets[i]);
        for (uint32_t k = 0; k < json_len(list); k++) {
            if (json_is(json_at(list, k), JSON_STRING))
                add(f, &f->b->cap_add, set(json_at(list, k)->string, arena_printf(f->a, "$.process.capabilities.%s[%u]", sets[i], k), json_at(list, k), 0));
        }
        if (json_len(list) > 0)
            break;
    }
}

static void fill_security(struct oci *f, const struct json *process, const struct json *linux_part)
{
    const struct json *nnp = json_get(process, "noNewPrivileges"), *seccomp = json_get(linux_part, "seccomp");
    const struct json *masked = json_get(linux_part, "maskedPaths");
    struct settings *opts = &f->b->security_opt;

    if (json_bool(nnp, false))
        add(f, opts, set("no-new-privileges", "$.process.noNewPrivileges", nnp, 0));
    if (!json_is(seccomp, JSON_OBJECT))
        add(f, opts, set("seccomp=unconfined", "$.linux.seccomp", linux_part, f->v->offset));
    else if (str_eq(json_get_str(seccomp, "defaultAction", ""), "SCMP_ACT_ALLOW") && json_len(json_get(seccomp, "syscalls")) == 0)
        add(f, opts, set("seccomp=unconfined", "$.linux.seccomp.defaultAction", seccomp, 0));
    if (str_eq(json_get_str(process, "apparmorProfile", ""), "unconfined"))
        add(f, opts, set("apparmor=unconfined", "$.process.apparmorProfile", json_get(process, "apparmorProfile"), 0));
    if (json_len(masked) == 0)
        add(f, opts, set("systempaths=unconfined", "$.linux.maskedPaths", masked != NULL ? masked : linux_part, f->v->offset));
}

static const char *joined(struct oci *f, const struct json *list)
{
    const char *text = "";

    for (uint32_t i = 0; i < json_len(list) && i < 50 && text != NULL; i++)
        text = arena_printf(f->a, "%s%s%s", text, i > 0 ? "," : "", json_str(json_at(list, i), ""));
    f->failed |= text == NULL;
    return text != NULL ? text : "";
}

static void fill_mounts(struct oci *f)
{
    const struct json *list = json_get(f->v, "mounts");

    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *v = json_at(list, i);
        const char *options = joined(f, json_get(v, "options")), *type = json_get_str(v, "type", "");
        bool bind = str_eq(type, "bind") || has_word(options, "bind") || has_word(options, "rbind");
        struct mount m = { .kind = bind ? MOUNT_BIND : str_eq(type, "tmpfs") ? MOUNT_TMPFS : MOUNT_OTHER, .source = json_get_str(v, "source", ""),
                           .target = json_get_str(v, "destination", ""), .options = options, .read_only = has_word(options, "ro"),
                           .path = path_index(f->a, "$.mounts", i), .at = v->offset };
        /* The usual tmpfs mounts of every container are nosuid; /dev has no noexec, and needs none. */
        if (m.kind == MOUNT_OTHER || (m.kind == MOUNT_TMPFS && (str_eq(m.target, "/dev") || str_starts(m.target, "/dev/") || str_eq(m.target, "/run"))))
            continue;
        f->failed |= m.path == NULL || !mount_add(f->a, f->b, m);
    }
}

static void fill_limits(struct oci *f, const struct json *linux_part)
{
    const struct json *resources = json_get(linux_part, "resources");
    const struct json *memory = json_get(json_get(resources, "memory"), "limit"), *pids = json_get(json_get(resources, "pids"), "limit");
    const struct json *quota = json_get(json_get(resources, "cpu"), "quota"), *devices = json_get(resources, "devices");

    if (memory != NULL)
        f->b->memory = set(text_of(f->a, memory), "$.linux.resources.memory.limit", memory, 0);
    if (pids != NULL)
        f->b->pids = set(text_of(f->a, pids), "$.linux.resources.pids.limit", pids, 0);
    if (quota != NULL)
        f->b->cpus = set(text_of(f->a, quota), "$.linux.resources.cpu.quota", quota, 0);
    for (uint32_t i = 0; i < json_len(devices); i++) {
        const struct json *d = json_at(devices, i);
        if (json_bool(json_get(d, "allow"), false) && json_get(d, "major") == NULL && json_get(d, "minor") == NULL)
            add(f, &f->b->device_rules, set(arena_printf(f->a, "%s *:* %s", json_get_str(d, "type", "a"), json_get_str(d, "access", "rwm")),
                                            path_index(f->a, "$.linux.resources.devices", i), d, 0));
    }
    devices = json_get(linux_part, "devices");
    for (uint32_t i = 0; i < json_len(devices); i++) {
        const struct json *path = json_get(json_at(devices, i), "path");
        if (json_is(path, JSON_STRING))
            add(f, &f->b->devices, set(path->string, path_index(f->a, "$.linux.devices", i), path, 0));
    }
}

static void fill_process(struct oci *f, const struct json *process)
{
    const struct json *uid = json_path(process, "user.uid"), *env = json_get(process, "env"), *gids = json_path(process, "user.additionalGids");
    const struct json *read_only = json_path(f->v, "root.readonly"), *score = json_get(process, "oomScoreAdj");

    f->b->user = set(json_is(uid, JSON_INT) ? text_of(f->a, uid) : "0", "$.process.user.uid", uid, process != NULL ? process->offset : f->v->offset);
    if (read_only != NULL)
        f->b->read_only = set(text_of(f->a, read_only), "$.root.readonly", read_only, 0);
    if (score != NULL)
        f->b->oom_score = set(text_of(f->a, score), "$.process.oomScoreAdj", score, 0);
    for (uint32_t i = 0; i < json_len(gids); i++)
        add(f, &f->b->groups, set(text_of(f->a, json_at(gids, i)), path_index(f->a, "$.process.user.additionalGids", i), json_at(gids, i), 0));
    for (uint32_t i = 0; i < json_len(env); i++) {
        struct variable one = { .path = path_index(f->a, "$.process.env", i), .at = json_at(env, i)->offset };
        if (json_is(json_at(env, i), JSON_STRING))
            f->failed |= one.path == NULL || !env_read(f->a, json_at(env, i)->string, &one) || !env_add(f->a, f->b, one);
    }
}

int read_oci(struct reading *r, size_t file, const struct json *docs, size_t n, struct err *err)
{
    (void)file;
    for (size_t i = 0; i < n; i++) {
        struct box *b = arena_alloc(r->arena, sizeof *b);
        const struct json *v = &docs[i], *linux_part = json_get(v, "linux"), *process = json_get(v, "process");
        struct oci f = { .a = r->arena, .v = v, .b = b };

        if (b == NULL)
            return err_nomem(err);
        if (!json_is(v, JSON_OBJECT))
            return reading_refuse(r, v->offset, "an OCI runtime configuration is an object", err);
        if (json_get(v, "windows") != NULL && linux_part == NULL)
            return reading_refuse(r, v->offset, "an OCI configuration for Windows: only Linux is judged", err);
        *b = (struct box){ .name = json_get_str(v, "hostname", "container"), .path = "$", .at = v->offset, .is_live = true, .is_oci = true };
        fill_namespaces(&f, linux_part);
        fill_capabilities(&f, process);
        fill_security(&f, process, linux_part);
        fill_mounts(&f);
        fill_limits(&f, linux_part);
        fill_process(&f, process);
        if (f.failed)
            return err_nomem(err);
        if (reading_box(r, CONFIG_OCI, arena_printf(r->arena, "container %s", b->name), b, err) != 0)
            return -1;
    }
    return 0;
}
