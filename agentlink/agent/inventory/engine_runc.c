/* engine_runc.c - runc, alone or below an engine: state.json of each container.
 *
 *     {"id", "init_process_pid", "init_process_start" (ticks since boot), "created",
 *      "config": {"labels": ["bundle=/path", ...], "rootfs", ...}} */
#include "agent/inventory/census.h"
#include "agent/inventory/engines.h"

#include "base/str.h"

#include <stdio.h>

static void one(struct census *s, const char *id, void *folder)
{
    char path[CENSUS_PATH_MAX];
    struct json state;

    arena_reset(&s->scratch);
    snprintf(path, sizeof path, "%s/%s/state.json", (const char *)folder, id);
    if (census_json(s, path, CENSUS_CONFIG_MAX, &state) != 0)
        return;
    const char *own = json_get_str(&state, "id", NULL);
    struct found *f = own != NULL && !str_eq(own, id) ? NULL : found_at(s, id);
    if (f == NULL)
        return;
    found_pid(f, json_int(json_get(&state, "init_process_pid"), 0), json_int(json_get(&state, "init_process_start"), 0));
    found_started(f, json_get_str(&state, "created", NULL));
    found_runtime(s, f, "runc");
    const struct json *labels = json_path(&state, "config.labels");
    for (uint32_t i = 0; i < json_len(labels); i++) {
        const char *label = json_str(json_at(labels, i), "");
        if (!f->has_config && str_starts(label, "bundle=")) {
            snprintf(path, sizeof path, "%s/config.json", label + 7);
            found_config(s, f, path, str_eq(f->c.engine, "runc") ? annotations_claimed : NULL);
        }
    }
}

static void of_namespace(struct census *s, const char *name, void *folder)
{
    char path[CENSUS_PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", (const char *)folder, name);
    (void)census_folder(s, path, one, path);
}

void engine_runc(struct census *s)
{
    static char roots[][24] = { "/run/runc", "/run/runc-ctrs" }, shared[][32] = { "/run/containerd/runc", "/run/docker/runtime-runc" };

    for (size_t i = 0; i < N_ITEMS(roots); i++)
        s->engine->is_there |= census_folder(s, roots[i], one, roots[i]);
    for (size_t i = 0; i < N_ITEMS(shared); i++)
        s->engine->is_there |= census_folder(s, shared[i], of_namespace, shared[i]);
}
