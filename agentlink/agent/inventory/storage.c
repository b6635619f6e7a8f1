/* storage.c - containers/storage, which CRI-O and Podman share: lists of containers and
 * images, and per container userdata with the bundle's config.json.
 *
 *     overlay-containers/containers.json   [{"id", "names", "image", "metadata" (JSON text)}]
 *     overlay-images/images.json           [{"id", "digest", "names"}]
 *
 * Whose a container is says the annotation io.container.manager, which each of them
 * writes last, over whatever a person may have asked for. */
#include "agent/inventory/storage.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

static const char USERDATA[] = "/run/containers/storage/overlay-containers";
static const char *const LISTS[] = { "/var/lib/containers/storage/overlay-containers/containers.json",
                                     "/run/containers/storage/overlay-containers/volatile-containers.json",
                                     "/var/lib/containers/storage/overlay-containers/volatile-containers.json" };

/* The folder's config.json decides whose it is. */
struct of { const char *manager; annotations_fn *annotations; };

static const char *first_line(struct census *s, const char *path)
{
    struct bytes text;

    if (census_file(s, path, 4096, &text) != 0)
        return "";
    char *line = (char *)(uintptr_t)text.ptr;
    line[strcspn(line, "\n")] = '\0';
    return line;
}

static bool is_whose(struct census *s, const char *path, const char *manager)
{
    struct json config;

    return census_json(s, path, CENSUS_CONFIG_MAX, &config) == 0 &&
           str_eq(json_get_str(json_get(&config, "annotations"), "io.container.manager", ""), manager);
}

static void one(struct census *s, const char *id, void *data)
{
    const struct of *of = data;
    char path[CENSUS_PATH_MAX];
    int64_t pid;

    arena_reset(&s->scratch);
    snprintf(path, sizeof path, "%s/%s/userdata/config.json", USERDATA, id);
    if (!census_exists(s, path) || !is_whose(s, path, of->manager))
        return;
    struct found *f = found_at(s, id);
    if (f == NULL)
        return;
    found_config(s, f, path, of->annotations);
    snprintf(path, sizeof path, "%s/%s/userdata/pidfile", USERDATA, id);
    if (str_to_i64(first_line(s, path), 1, INT32_MAX, &pid))
        found_pid(f, pid, 0);
}

/* ---- the lists ------------------------------------------------------------------------------ */

static void read_row(struct census *s, struct found *f, const struct json *row)
{
    static const struct json_opts opts = { .duplicate_keys = true, .big_numbers = true };
    const char *text = json_get_str(row, "metadata", "");
    const struct json *names = json_get(row, "names");
    struct json metadata;
    struct err ignored = { 0 };

    found_digest(s, &f->c.image_id, json_get_str(row, "image", NULL));
    if (*text != '\0' && json_parse(&s->scratch, text, strlen(text), &opts, &metadata, &ignored) == 0) {
        found_image(s, f, json_get_str(&metadata, "image-name", NULL));
        found_text(s, &f->c.pod, json_get_str(&metadata, "pod-name", NULL));
        found_text(s, &f->c.name, json_get_str(&metadata, "name", NULL));
    }
    if (json_len(names) > 0)
        found_text(s, &f->c.name, json_str(json_at(names, 0), NULL));
}

static void read_containers(struct census *s, const char *engine)
{
    struct json list;

    for (size_t i = 0; i < N_ITEMS(LISTS); i++) {
        arena_reset(&s->scratch);
        if (census_json(s, LISTS[i], CENSUS_STORE_MAX, &list) != 0)
            continue;
        for (uint32_t k = 0; k < json_len(&list); k++) {
            struct found *f = found_get(s, json_get_str(json_at(&list, k), "id", NULL));
            if (f != NULL && str_eq(f->c.engine, engine))
                read_row(s, f, json_at(&list, k));
        }
    }
}

/* "sha256:..." of the configuration, or its bare 64 digits, as the list has it. */
static bool is_image(const struct json *row, const char *image_id)
{
    return image_id != NULL && str_eq(json_get_str(row, "id", NULL), image_id + 7);
}

static void read_images(struct census *s, const char *engine)
{
    struct json list;

    arena_reset(&s->scratch);
    if (census_json(s, "/var/lib/containers/storage/overlay-images/images.json", CENSUS_STORE_MAX, &list) != 0)
        return;
    for (size_t i = 0; i < s->n; i++) {
        struct found *f = s->all[i];
        for (uint32_t k = 0; str_eq(f->c.engine, engine) && k < json_len(&list); k++) {
            const struct json *row = json_at(&list, k);
            if (!is_image(row, f->c.image_id))
                continue;
            found_digest(s, &f->c.digest, json_get_str(row, "digest", NULL));
            const struct json *names = json_get(row, "names");
            if (json_len(names) > 0)
                found_image(s, f, json_str(json_at(names, 0), NULL));
        }
    }
}

void storage_scan(struct census *s, const char *manager, annotations_fn *annotations)
{
    struct of of = { manager, annotations };

    s->engine->is_there = census_folder(s, USERDATA, one, &of) && s->engine->n > 0;
    if (s->engine->n == 0)
        return;
    read_containers(s, s->engine->name);
    read_images(s, s->engine->name);
}
