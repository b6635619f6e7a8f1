/* config.c - config.json of the OCI runtime specification: what the runtime was told. */
#include "agent/inventory/census.h"

#include "base/str.h"

#include <string.h>

static void read_user(struct found *f, const struct json *process)
{
    const struct json *user = json_get(process, "user");

    if (user == NULL || f->c.user_id >= 0)
        return;
    f->c.user_id = json_int(json_get(user, "uid"), 0);     /* 0 is left out by some writers */
    f->c.group_id = json_int(json_get(user, "gid"), 0);
}

/* In effect once its program runs: "effective" where it is root, else what it could
 * get back is "bounding"; runtimes write both alike. */
static void read_capabilities(struct census *s, struct found *f, const struct json *capabilities)
{
    const struct json *list = json_get(capabilities, "effective");

    if (json_len(list) == 0)
        list = json_get(capabilities, "bounding");
    found_words(s, &f->c.capabilities, &f->c.n_capabilities, list, CONTAINER_WORDS_MAX);
    const char **names = (const char **)(uintptr_t)f->c.capabilities;
    for (size_t i = 0; i < f->c.n_capabilities; i++)
        names[i] = str_starts(names[i], "CAP_") ? names[i] + 4 : names[i];
}

static void read_process(struct census *s, struct found *f, const struct json *process)
{
    found_words(s, &f->c.command, &f->c.n_command, json_get(process, "args"), CONTAINER_WORDS_MAX);
    read_user(f, process);
    read_capabilities(s, f, json_get(process, "capabilities"));
    f->c.no_new_privileges = json_bool(json_get(process, "noNewPrivileges"), false);
    found_text(s, &f->c.apparmor, json_get_str(process, "apparmorProfile", NULL));
}

static bool has_word(const struct json *list, const char *word)
{
    for (uint32_t i = 0; i < json_len(list); i++)
        if (str_eq(json_str(json_at(list, i), NULL), word))
            return true;
    return false;
}

/* Of the many mounts of a container those that show files of the node. */
static bool is_bind(const struct json *mount)
{
    const struct json *options = json_get(mount, "options");

    return str_eq(json_get_str(mount, "type", ""), "bind") || has_word(options, "bind") || has_word(options, "rbind");
}

static void read_mounts(struct census *s, struct found *f, const struct json *list)
{
    size_t max = json_len(list) < CONTAINER_MOUNTS_MAX ? json_len(list) : CONTAINER_MOUNTS_MAX, n = 0;

    if (f->c.n_mounts > 0 || max == 0)
        return;
    struct container_mount *mounts = arena_array(s->arena, max, sizeof *mounts);
    if (mounts == NULL) {
        s->failed = true;
        return;
    }
    for (uint32_t i = 0; i < json_len(list) && n < max; i++) {
        const struct json *m = json_at(list, i);
        if (!is_bind(m))
            continue;
        struct container_mount *out = &mounts[n++];
        out->type = "bind";
        out->is_read_only = has_word(json_get(m, "options"), "ro");
        found_text(s, &out->source, json_get_str(m, "source", NULL));
        found_text(s, &out->destination, json_get_str(m, "destination", NULL));
    }
    f->c.mounts = mounts;
    f->c.n_mounts = n;
}

/* The engines' default allows some 300 calls by name and refuses the rest. */
static const char *seccomp_word(const struct json *seccomp)
{
    enum { DEFAULT_ALLOWS = 250 };
    size_t allowed = 0;

    if (!json_is(seccomp, JSON_OBJECT))
        return "unconfined";
    const struct json *calls = json_get(seccomp, "syscalls");
    for (uint32_t i = 0; i < json_len(calls); i++)
        if (str_eq(json_get_str(json_at(calls, i), "action", ""), "SCMP_ACT_ALLOW"))
            allowed += json_len(json_get(json_at(calls, i), "names"));
    if (str_eq(json_get_str(seccomp, "defaultAction", ""), "SCMP_ACT_ALLOW") && json_len(calls) == 0)
        return "unconfined";
    return allowed >= DEFAULT_ALLOWS ? "default" : "custom";
}

static void read_namespaces(struct found *f, const struct json *list)
{
    for (uint32_t i = 0; i < json_len(list); i++) {
        const char *type = json_get_str(json_at(list, i), "type", "");
        f->own_network |= str_eq(type, "network");
        f->own_pid |= str_eq(type, "pid");
        f->own_ipc |= str_eq(type, "ipc");
        f->c.has_user_namespace |= str_eq(type, "user");
    }
}

void found_config(struct census *s, struct found *f, const char *path, annotations_fn *annotations)
{
    struct json config;

    if (f->has_config || census_json(s, path, CENSUS_CONFIG_MAX, &config) != 0)
        return;
    const struct json *os = json_get(&config, "linux");
    f->has_config = true;
    if (annotations != NULL)
        annotations(s, f, json_get(&config, "annotations"));
    read_process(s, f, json_get(&config, "process"));
    read_mounts(s, f, json_get(&config, "mounts"));
    read_namespaces(f, json_get(os, "namespaces"));
    f->c.is_read_only = json_bool(json_path(&config, "root.readonly"), false);
    f->has_masked_paths = json_len(json_get(os, "maskedPaths")) > 0;
    found_text(s, &f->cgroups_path, json_get_str(os, "cgroupsPath", NULL));
    found_text(s, &f->c.seccomp, seccomp_word(json_get(os, "seccomp")));
}

/* ---- annotations anybody may have written ---------------------------------------------- */

void annotations_claimed(struct census *s, struct found *f, const struct json *a)
{
    static const char *const images[] = { "keep/image", "io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName",
                                          "org.opencontainers.image.ref.name" };
    static const char *const digests[] = { "keep/image-digest", "org.opencontainers.image.digest" };
    const struct { const char **field, *keys[2]; } rows[] = {
        { &f->c.name, { "io.kubernetes.cri.container-name", "io.kubernetes.container.name" } },
        { &f->c.pod, { "io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name" } },
        { &f->c.namespace, { "io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace" } },
        { &f->c.pod_uid, { "io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid" } },
    };

    for (size_t i = 0; i < N_ITEMS(images); i++)
        found_image(s, f, json_get_str(a, images[i], NULL));
    for (size_t i = 0; i < N_ITEMS(digests); i++)
        found_digest(s, &f->c.digest, json_get_str(a, digests[i], NULL));
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        for (size_t k = 0; k < N_ITEMS(rows[i].keys); k++)
            found_text(s, rows[i].field, json_get_str(a, rows[i].keys[k], NULL));
    found_labels(s, f, a);
}
