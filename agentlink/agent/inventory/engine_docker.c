/* engine_docker.c - Docker: /var/lib/docker/containers/ID/config.v2.json as the daemon
 * keeps it (what its API answers comes from there), hostconfig.json beside it, and
 * image/DRIVER/repositories.json, which knows the digests images were pulled by. */
#include "agent/inventory/census.h"
#include "agent/inventory/engines.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

static const char CONTAINERS[] = "/var/lib/docker/containers";

/* "web:1.25@sha256:..." -> what was written; an image id is no name. */
static void read_config(struct census *s, struct found *f, const struct json *root)
{
    const struct json *config = json_get(root, "Config"), *state = json_get(root, "State"), *labels = json_get(config, "Labels");
    const char *name = json_get_str(root, "Name", ""), *image = json_get_str(config, "Image", "");

    found_text(s, &f->c.name, *name == '/' ? name + 1 : name);
    found_image(s, f, str_starts(image, "sha256:") ? NULL : image);
    found_digest(s, &f->c.image_id, json_get_str(root, "Image", NULL));
    found_digest(s, &f->c.digest, json_get_str(json_get(root, "ImageManifest"), "digest", NULL));
    found_pid(f, json_bool(json_get(state, "Running"), false) ? json_int(json_get(state, "Pid"), 0) : 0, 0);
    found_started(f, json_get_str(state, "StartedAt", NULL));
    found_text(s, &f->c.service, json_get_str(labels, "com.docker.compose.service", NULL));
    found_labels(s, f, labels);
    found_text(s, &f->c.apparmor, json_get_str(root, "AppArmorProfile", NULL));
}

/* Docker says itself what it made privileged. */
static void read_host(struct census *s, struct found *f, const struct json *host)
{
    f->c.is_privileged |= json_bool(json_get(host, "Privileged"), false);
    found_runtime(s, f, json_get_str(host, "Runtime", NULL));
}

static void one(struct census *s, const char *id, void *data)
{
    char path[CENSUS_PATH_MAX];
    struct json config, host;

    (void)data;
    arena_reset(&s->scratch);
    snprintf(path, sizeof path, "%s/%s/config.v2.json", CONTAINERS, id);
    if (census_json(s, path, CENSUS_CONFIG_MAX, &config) != 0 || !json_bool(json_path(&config, "State.Running"), false))
        return;
    struct found *f = found_at(s, id);
    if (f == NULL)
        return;
    read_config(s, f, &config);
    snprintf(path, sizeof path, "%s/%s/hostconfig.json", CONTAINERS, id);
    if (census_json(s, path, CENSUS_CONFIG_MAX, &host) == 0)
        read_host(s, f, &host);
}

/* ---- digests ------------------------------------------------------------------------------ */

/* {"Repositories": {"web": {"web:1": "sha256:ID", "web@sha256:...": "sha256:ID"}}} */
static void digests_of(struct census *s, struct found *f, const struct json *repositories)
{
    for (uint32_t i = 0; i < json_n_members(repositories) && f->c.digest == NULL; i++) {
        const struct json *names = &repositories->members[i].value;
        for (uint32_t k = 0; k < json_n_members(names); k++) {
            const char *name = names->members[k].key, *at = strchr(name, '@');
            if (at != NULL && str_eq(json_str(&names->members[k].value, NULL), f->c.image_id))
                found_digest(s, &f->c.digest, at + 1);
        }
    }
}

static void of_driver(struct census *s, const char *driver, void *data)
{
    char path[CENSUS_PATH_MAX];
    struct json root;

    (void)data;
    arena_reset(&s->scratch);
    snprintf(path, sizeof path, "/var/lib/docker/image/%s/repositories.json", driver);
    if (census_json(s, path, CENSUS_CONFIG_MAX, &root) != 0)
        return;
    for (size_t i = 0; i < s->n; i++)
        if (s->all[i]->c.image_id != NULL && s->all[i]->c.digest == NULL && str_eq(s->all[i]->c.engine, "docker"))
            digests_of(s, s->all[i], json_get(&root, "Repositories"));
}

void engine_docker(struct census *s)
{
    s->engine->is_there = census_folder(s, CONTAINERS, one, NULL);
    if (s->engine->n > 0)
        (void)census_folder(s, "/var/lib/docker/image", of_driver, NULL);
}
