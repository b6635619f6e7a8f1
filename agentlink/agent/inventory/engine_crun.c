/* engine_crun.c - crun, alone or below an engine: /run/crun/ID/status, with the
 * bundle's config.json beside it.
 *
 *     {"pid", "process-start-time" (ticks since boot), "cgroup-path", "bundle", "created"} */
#include "agent/inventory/census.h"
#include "agent/inventory/engines.h"

#include "base/str.h"

#include <stdio.h>

static void one(struct census *s, const char *id, void *folder)
{
    char path[CENSUS_PATH_MAX];
    struct json status;

    arena_reset(&s->scratch);
    snprintf(path, sizeof path, "%s/%s/status", (const char *)folder, id);
    if (census_json(s, path, CENSUS_CONFIG_MAX, &status) != 0)
        return;
    struct found *f = found_at(s, id);
    if (f == NULL)
        return;
    found_pid(f, json_int(json_get(&status, "pid"), 0), json_int(json_get(&status, "process-start-time"), 0));
    found_started(f, json_get_str(&status, "created", NULL));
    found_text(s, &f->cgroups_path, json_get_str(&status, "cgroup-path", NULL));
    found_runtime(s, f, "crun");
    snprintf(path, sizeof path, "%s/%s/config.json", (const char *)folder, id);
    found_config(s, f, path, str_eq(f->c.engine, "crun") ? annotations_claimed : NULL);
}

void engine_crun(struct census *s)
{
    static char folder[] = "/run/crun";

    s->engine->is_there = census_folder(s, folder, one, folder);
}
