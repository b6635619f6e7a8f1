/* syft.c - Syft's JSON, schemas 1 to 16: an inventory without a time.
 *
 * Source, distro, licences and CPEs changed their shape between schemas; a
 * package that an operating system's package owns by its files stays in the
 * list but is not evaluated a second time. */
#include "wire/reports/decode.h"

#include <string.h>

bool syft_detect(const struct json *doc)
{
    return json_get(doc, "artifacts") != NULL &&
           (json_get(doc, "schema") != NULL || json_get(doc, "descriptor") != NULL || json_get(doc, "source") != NULL);
}

struct syft {
    struct decode *d;
    struct name_index owned;      /* ids of packages that another one owns */
    const char *os_family, *os_version;
};

static bool is_system(const char *type)
{
    return str_eq(type, "deb") || str_eq(type, "apk") || str_eq(type, "rpm") || str_eq(type, "alpm");
}

/* Ids of the children of an "ownership-by-file-overlap" whose parent is of the system. */
static void ownership_decode(struct syft *s, const struct json *doc, const struct json *artifacts)
{
    const struct json *list = json_get(doc, "artifactRelationships");
    struct name_index systems = { 0 };

    if (json_len(list) == 0)
        return;
    for (uint32_t i = 0; i < json_len(artifacts); i++) {
        const struct json *a = json_at(artifacts, i);
        if (is_system(json_get_str(a, "type", NULL)))
            name_index_put(s->d, &systems, json_get_str(a, "id", NULL), i);
    }
    for (uint32_t i = 0; i < json_len(list) && !s->d->failed; i++) {
        const struct json *r = json_at(list, i);
        if (str_eq(json_get_str(r, "type", NULL), "ownership-by-file-overlap") &&
            name_index_get(&systems, json_get_str(r, "parent", NULL)) != NO_PACKAGE)
            name_index_put(s->d, &s->owned, json_get_str(r, "child", NULL), i);
    }
}

static void source_package(struct decode *d, struct package *p, const struct json *meta)
{
    const char *source = decode_hint(d, meta, "source"), *origin = decode_hint(d, meta, "originPackage");

    p->source_name = source != NULL ? source : origin;
    p->source_version = source != NULL ? decode_hint(d, meta, "sourceVersion") : NULL;
    p->arch = decode_hint(d, meta, "architecture");
    if (p->arch == NULL)
        p->arch = decode_hint(d, meta, "arch");
}

static void artifact_decode(struct syft *s, const struct json *a)
{
    struct decode *d = s->d;
    struct package *p = decode_add_package(d);
    const struct json *locations = json_get(a, "locations");

    if (p == NULL)
        return;
    const char *type = decode_hint(d, a, "type"), *id = json_get_str(a, "id", NULL);
    p->name = decode_text(d, a, "name");
    p->version = decode_text(d, a, "version");
    p->licences = decode_join(d, json_get(a, "licenses"), "value");
    if (json_len(locations) > 0) {
        const struct json *first = json_at(locations, 0);
        p->path = json_is(first, JSON_STRING) ? decode_hint_of(d, first) : decode_hint(d, first, "path");
    }
    if (is_system(type))
        source_package(d, p, json_get(a, "metadata"));
    bool is_owned = id != NULL && name_index_get(&s->owned, id) != NO_PACKAGE;
    package_finish(d, p, &(struct package_hints){
        .purl = decode_hint(d, a, "purl"), .type = type, .os_family = s->os_family, .os_version = s->os_version,
        .not_package = is_owned && !is_system(type) ? "owned by a package of the system" : NULL });
}

static void image_decode(struct decode *d, const struct json *source)
{
    const struct json *t = json_get(source, "metadata"), *list;

    if (!json_is(t, JSON_OBJECT))
        t = json_get(source, "target");      /* before schema 9 */
    if (!json_is(t, JSON_OBJECT)) {
        d->scan->image.reference = json_str(t, decode_hint(d, source, "name"));
        return;
    }
    image_add_digest(d, decode_hint(d, t, "manifestDigest"));
    list = json_get(t, "repoDigests");
    for (uint32_t i = 0; i < json_len(list); i++)
        image_add_digest(d, json_str(json_at(list, i), NULL));
    list = json_get(t, "tags");
    for (uint32_t i = 0; i < json_len(list); i++)
        image_add_name(d, json_str(json_at(list, i), NULL));
    image_set_config(d, decode_hint(d, t, "imageID"));
    d->scan->image.arch = decode_hint(d, t, "architecture");
    d->scan->image.base_image = decode_hint(d, json_get(t, "labels"), "org.opencontainers.image.base.name");
    const char *input = decode_hint(d, t, "userInput");
    if (input != NULL)
        image_set_reference(d, input);
    else
        d->scan->image.reference = decode_hint(d, t, "path");
}

static void distro_decode(struct syft *s, const struct json *doc)
{
    const struct json *distro = json_get(doc, "distro");

    s->os_family = decode_hint(s->d, distro, "id");
    s->os_version = decode_hint(s->d, distro, "versionID");
    if (s->os_family == NULL)                /* before schema 3 */
        s->os_family = decode_hint(s->d, distro, "name");
    if (s->os_version == NULL)
        s->os_version = decode_hint(s->d, distro, "version");
    image_set_os(s->d, s->os_family, s->os_version);
}

void syft_decode(struct decode *d, const struct json *doc)
{
    static const char *const known[] = { "artifacts", "artifactRelationships", "source", "distro", "descriptor", "schema",
                                         "files", NULL };
    const struct json *artifacts = decode_list(d, doc, "artifacts");
    struct syft s = { .d = d };

    decode_unknown_members(d, doc, known);
    decode_unplaced(d, json_get(doc, "files"));
    d->scan->format_version = decode_hint_path(d, doc, "schema.version");
    d->scan->scanner = decode_hint_path(d, doc, "descriptor.name");
    if (d->scan->scanner == NULL)
        d->scan->scanner = "syft";
    d->scan->scanner_version = decode_hint_path(d, doc, "descriptor.version");
    d->scan->has_inventory = true;
    image_decode(d, json_get(doc, "source"));
    distro_decode(&s, doc);
    ownership_decode(&s, doc, artifacts);
    decode_expect(d, artifacts);
    for (uint32_t i = 0; i < json_len(artifacts) && !d->failed; i++)
        artifact_decode(&s, json_at(artifacts, i));
}
