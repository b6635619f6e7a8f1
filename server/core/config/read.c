/* read.c - which kind a file is, its documents, and where everything stands. */
#include "core/config/config_internal.h"

#include "wire/yaml.h"

#include <string.h>

const char *const config_kind_words[] = { "auto", "kubernetes", "compose", "inspect", "oci", "run", NULL };

/* ---- places: all files one after the other ------------------------------------------- */

/* The last of `starts` that is not behind `at`. */
static size_t last_before(const uint32_t *starts, size_t n, uint32_t at)
{
    size_t low = 0, high = n;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (starts[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

struct place config_place(const struct config *c, uint32_t at)
{
    if (c->n_files == 0)
        return (struct place){ "", 1, 1 };
    size_t file = last_before(c->bases, c->n_files, at), line = last_before(c->lines, c->n_lines, at);
    size_t first = last_before(c->lines, c->n_lines, c->bases[file]);
    return (struct place){ c->files[file].name, (unsigned)(line - first) + 1, at - c->lines[line] + 1 };
}

/* Every file begins a line, and every line break within it but one at its very end. */
static int index_lines(struct reading *r, struct err *err)
{
    struct config *c = r->out;
    size_t n = 0;

    for (size_t i = 0; i < c->n_files; i++) {
        n++;
        for (const char *p = c->files[i].text, *end = p + c->files[i].len; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
            n++;
    }
    uint32_t *lines = arena_array(r->arena, n, sizeof *lines);
    if (lines == NULL)
        return err_nomem(err);
    n = 0;
    for (size_t i = 0; i < c->n_files; i++) {
        const char *text = c->files[i].text;
        lines[n++] = c->bases[i];
        for (const char *p = text, *end = p + c->files[i].len; p + 1 < end && (p = memchr(p, '\n', (size_t)(end - p - 1))) != NULL; p++)
            lines[n++] = c->bases[i] + (uint32_t)(p - text) + 1;
    }
    c->lines = lines;
    c->n_lines = n;
    return 0;
}

int reading_refuse(const struct reading *r, uint32_t at, const char *what, struct err *err)
{
    struct place p = config_place(r->out, at);

    return err_set(err, ERR_INVALID, "%.80s:%u:%u: %s", p.file, p.line, p.column, what);
}

/* ---- gathering ------------------------------------------------------------------------- */

int reading_object(struct reading *r, struct config_object one, struct err *err)
{
    struct config *c = r->out;

    if (c->n_objects == CONFIG_OBJECTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d objects", CONFIG_OBJECTS_MAX);
    if (c->n_objects == r->cap_objects) {
        size_t cap = r->cap_objects == 0 ? 8 : r->cap_objects * 2;
        struct config_object *more = arena_array(r->arena, cap, sizeof *more);
        if (more == NULL)
            return err_nomem(err);
        if (c->n_objects > 0)
            memcpy(more, c->objects, c->n_objects * sizeof *more);
        c->objects = more;
        r->cap_objects = cap;
    }
    c->objects[c->n_objects++] = one;
    return 0;
}

int reading_gap(struct reading *r, uint32_t at, const char *path, const char *message, struct err *err)
{
    struct config *c = r->out;

    if (path == NULL || message == NULL)
        return err_nomem(err);
    if (c->n_gaps == CONFIG_OBJECTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d parts that cannot be judged", CONFIG_OBJECTS_MAX);
    if (c->n_gaps == r->cap_gaps) {
        size_t cap = r->cap_gaps == 0 ? 8 : r->cap_gaps * 2;
        struct config_gap *more = arena_array(r->arena, cap, sizeof *more);
        if (more == NULL)
            return err_nomem(err);
        if (c->n_gaps > 0)
            memcpy(more, c->gaps, c->n_gaps * sizeof *more);
        c->gaps = more;
        r->cap_gaps = cap;
    }
    c->gaps[c->n_gaps++] = (struct config_gap){ at, path, message };
    return 0;
}

int reading_box(struct reading *r, enum config_kind kind, const char *name, struct box *box, struct err *err)
{
    struct config_image *image = arena_alloc(r->arena, sizeof *image);
    const struct json *pod;

    if (image == NULL || name == NULL)
        return err_nomem(err);
    if (box_to_pod(box, r->arena, &pod, err) != 0)
        return -1;
    *image = (struct config_image){ .container = box->name, .reference = plain(r->arena, box->image.s), .at = box->image.at,
                                    .is_known = !is_unknown(box->image.s) };
    return reading_object(r, (struct config_object){ .name = name, .kind = kind, .object = pod, .root = box->path, .at = box->at,
                                                     .images = image, .n_images = box->image.s != NULL && !box->has_build,
                                                     .box = box }, err);
}

/* ---- documents --------------------------------------------------------------------------- */

int reading_docs(struct reading *r, size_t file, const struct json **docs, size_t *n, struct err *err)
{
    static const struct json_opts opts = { .max_values = 200000, .big_numbers = true };
    const struct config_file *f = &r->in->files[file];
    const struct json *raw;

    if (yaml_parse_all(r->arena, f->text, f->len, &opts, CONFIG_DOCS_MAX, &raw, n, err) != 0) {
        if (err->kind == ERR_INVALID && f->len > 0 && memmem(f->text, f->len, "{{", 2) != NULL)
            return err_set(err, ERR_INVALID, "%.80s: this is a template ({{ ... }}); render it first (helm template, kustomize build)",
                           f->name);
        return err_prefix(err, "%.80s", f->name);
    }
    *docs = raw;
    if (r->out->bases[file] == 0)                          /* the first file's places are right as they are */
        return 0;
    struct json *moved = arena_array(r->arena, *n, sizeof *moved);
    if (moved == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < *n; i++) {
        if (tree_copy(r->arena, &raw[i], r->out->bases[file], false, NULL, NULL, &moved[i], err) != 0)
            return -1;
    }
    *docs = moved;
    return 0;
}

static bool is_oci(const struct json *doc)
{
    return json_is(json_get(doc, "ociVersion"), JSON_STRING) || (json_is(json_get(doc, "process"), JSON_OBJECT) && json_get(doc, "root") != NULL);
}

static bool is_compose_v1(const struct json *doc)
{
    for (uint32_t i = 0; i < json_n_members(doc); i++) {
        const struct json *v = &doc->members[i].value;
        if (json_get(v, "image") != NULL || json_get(v, "build") != NULL)
            return true;
    }
    return false;
}

enum config_kind kind_of(const struct json *docs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct json *first = json_len(&docs[i]) > 0 ? json_at(&docs[i], 0) : &docs[i];
        if (json_get(first, "HostConfig") != NULL || (json_get(first, "RootFS") != NULL && json_get(first, "Config") != NULL))
            return CONFIG_INSPECT;
        if (json_is(json_get(first, "kind"), JSON_STRING) && json_get(first, "apiVersion") != NULL)
            return CONFIG_KUBERNETES;
        if (is_oci(first))
            return CONFIG_OCI;
        if (json_get(&docs[i], "services") != NULL || json_get(&docs[i], "include") != NULL || is_compose_v1(&docs[i]))
            return CONFIG_COMPOSE;
    }
    return CONFIG_AUTO;
}

/* A command line is no YAML to speak of: it is known by its first words. */
static bool is_command(const struct config_file *f)
{
    size_t at = 0;

    while (at < f->len && (f->text[at] == ' ' || f->text[at] == '\n' || f->text[at] == '\t'))
        at++;
    static const char *const names[] = { "docker ", "podman ", "nerdctl ", "sudo docker ", "sudo podman ", "$ docker " };
    for (size_t i = 0; i < N_ITEMS(names); i++) {
        size_t len = strlen(names[i]);
        if (f->len - at > len && memcmp(f->text + at, names[i], len) == 0)
            return true;
    }
    return false;
}

/* Documents of a Compose file override one another, as files do. */
static int gather_compose(struct reading *r, size_t file, const struct json *docs, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (docs[i].type == JSON_NULL)
            continue;
        if (r->n_parts == COMPOSE_PARTS_MAX)
            return err_set(err, ERR_TOO_LARGE, "more than %d Compose documents", COMPOSE_PARTS_MAX);
        r->parts[r->n_parts++] = (struct compose_part){ file, &docs[i] };
    }
    return 0;
}

static int read_file(struct reading *r, size_t file, struct err *err)
{
    enum config_kind kind = r->in->kind != CONFIG_AUTO ? r->in->kind : is_command(&r->in->files[file]) ? CONFIG_RUN : CONFIG_AUTO;
    const struct json *docs;
    size_t n;

    if (kind == CONFIG_RUN)
        return read_run(r, file, err);
    if (reading_docs(r, file, &docs, &n, err) != 0)
        return -1;
    if (kind == CONFIG_AUTO)
        kind = kind_of(docs, n);
    switch (kind) {
    case CONFIG_KUBERNETES: return read_kubernetes(r, file, docs, n, err);
    case CONFIG_INSPECT:    return read_inspect(r, file, docs, n, err);
    case CONFIG_OCI:        return read_oci(r, file, docs, n, err);
    case CONFIG_COMPOSE:    return gather_compose(r, file, docs, n, err);
    case CONFIG_AUTO: case CONFIG_RUN: case CONFIG_KIND_N: break;
    }
    return reading_refuse(r, r->out->bases[file],
                          "neither Kubernetes manifests, a Compose file, docker inspect, nor an OCI config.json; say which with kind", err);
}

static int open_files(struct reading *r, struct err *err)
{
    const struct config_input *in = r->in;
    uint32_t *bases = arena_array(r->arena, in->n_files + 1, sizeof *bases);
    uint64_t at = 0;

    if (bases == NULL)
        return err_nomem(err);
    if (in->n_files > CONFIG_FILES_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d files", CONFIG_FILES_MAX);
    for (size_t i = 0; i < in->n_files; i++) {
        if (in->files[i].len > CONFIG_FILE_MAX)
            return err_set(err, ERR_TOO_LARGE, "%.80s: more than %d bytes", in->files[i].name, CONFIG_FILE_MAX);
        bases[i] = (uint32_t)at;
        at += in->files[i].len + 1;
    }
    *r->out = (struct config){ .files = in->files, .n_files = in->n_files, .bases = bases };
    return index_lines(r, err);
}

int config_read(const struct config_input *in, struct arena *arena, struct config *out, struct err *err)
{
    struct config made = { 0 };
    struct reading r = { .arena = arena, .in = in, .out = &made };

    if (open_files(&r, err) != 0)
        return -1;
    for (size_t i = 0; i < in->n_files; i++) {
        if (read_file(&r, i, err) != 0)
            return -1;
    }
    if (r.n_parts > 0 && read_compose(&r, err) != 0)
        return -1;
    *out = made;
    return 0;
}
