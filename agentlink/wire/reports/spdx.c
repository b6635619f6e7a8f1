/* spdx.c - SPDX 2.2 and 2.3 as JSON, and the packages of an SPDX 3 graph.
 *
 * Trivy writes what it knows of the image into attribution texts (later:
 * annotations) of the package that stands for it, and a package's source into
 * free text. */
#include "wire/reports/decode.h"

#include <string.h>

bool spdx_detect(const struct json *doc)
{
    const struct json *context = json_get(doc, "@context");
    const char *first = json_is(context, JSON_ARRAY) && json_len(context) > 0 ? json_str(json_at(context, 0), NULL)
                                                                              : json_str(context, NULL);

    if (str_starts(json_get_str(doc, "spdxVersion", ""), "SPDX-"))
        return true;
    return json_get(doc, "@graph") != NULL && first != NULL && strstr(first, "spdx.org/rdf/3") != NULL;
}

/* ---- SPDX 2 ------------------------------------------------------------------------ */

static const char *external_purl(struct decode *d, const struct json *p)
{
    const struct json *refs = json_get(p, "externalRefs");

    for (uint32_t i = 0; i < json_len(refs); i++) {
        const struct json *r = json_at(refs, i);
        if (str_eq(json_get_str(r, "referenceType", NULL), "purl"))
            return decode_hint(d, r, "referenceLocator");
    }
    return NULL;
}

static const char *licence_of(struct decode *d, const struct json *p)
{
    static const char *const keys[] = { "licenseConcluded", "licenseDeclared" };

    for (size_t i = 0; i < N_ITEMS(keys); i++) {
        const char *s = decode_hint(d, p, keys[i]);
        if (s != NULL && strcmp(s, "NOASSERTION") != 0 && strcmp(s, "NONE") != 0)
            return s;
    }
    return NULL;
}

/* "built package from: openssl 1.1.1n-0+deb11u4" */
static void source_info(struct decode *d, struct package *p, const char *text)
{
    static const char prefix[] = "built package from: ";

    if (text == NULL || !str_starts(text, prefix))
        return;
    text += sizeof prefix - 1;
    size_t n = strcspn(text, " ");
    if (n == 0)
        return;
    p->source_name = decode_strndup(d, text, n);
    p->source_version = text[n] == ' ' && text[n + 1] != '\0' ? text + n + 1 : NULL;
}

static bool is_system(const struct json *p)
{
    return str_eq_nocase(json_get_str(p, "primaryPackagePurpose", ""), "OPERATING-SYSTEM") ||
           str_starts(json_get_str(p, "SPDXID", ""), "SPDXRef-OperatingSystem");
}

static bool is_image(const struct json *p)
{
    return str_eq_nocase(json_get_str(p, "primaryPackagePurpose", ""), "CONTAINER") ||
           str_starts(json_get_str(p, "SPDXID", ""), "SPDXRef-ContainerImage");
}

static void image_fact(struct decode *d, const char *text)
{
    static const struct { const char *word; void (*take)(struct decode *, const char *); } facts[] = {
        { "RepoDigest: ", image_add_digest }, { "RepoTag: ", image_add_name }, { "ImageID: ", image_set_config },
    };

    for (size_t i = 0; text != NULL && i < N_ITEMS(facts); i++) {
        if (str_starts(text, facts[i].word))
            facts[i].take(d, text + strlen(facts[i].word));
    }
}

static void image_decode(struct decode *d, const struct json *p, const char *purl)
{
    const struct json *texts = json_get(p, "attributionTexts"), *notes = json_get(p, "annotations");
    const char *version = decode_hint(d, p, "versionInfo"), *canonical;
    struct purl_view u;

    image_set_reference(d, decode_hint(d, p, "name"));
    for (uint32_t i = 0; i < json_len(texts); i++)
        image_fact(d, json_str(json_at(texts, i), NULL));
    for (uint32_t i = 0; i < json_len(notes); i++)
        image_fact(d, json_get_str(json_at(notes, i), "comment", NULL));
    if (version != NULL && digest_is_valid(version))
        image_add_digest(d, version);
    if (purl == NULL || !purl_view_read(d, purl, &u, &canonical))
        return;
    if (u.version != NULL && str_starts(u.version, "sha256:"))
        image_add_digest(d, u.version);
    d->scan->image.arch = u.arch;
    if (u.repository_url != NULL && u.tag != NULL)
        image_add_name(d, decode_printf(d, "%s:%s", u.repository_url, u.tag));
}

static void package_decode(struct decode *d, const struct json *v)
{
    const char *purl = external_purl(d, v);
    struct package *p = decode_add_package(d);
    bool is_other = is_system(v) || is_image(v) || (purl != NULL && str_starts(purl, "pkg:oci/"));

    if (p == NULL)
        return;
    p->name = decode_text(d, v, "name");
    p->version = decode_text(d, v, "versionInfo");
    if (str_eq(p->version, "NOASSERTION"))
        p->version = NULL;
    p->licences = licence_of(d, v);
    source_info(d, p, decode_hint(d, v, "sourceInfo"));
    package_finish(d, p, &(struct package_hints){
        .purl = purl, .os_family = d->scan->image.os_family, .os_version = d->scan->image.os_version,
        .not_package = is_other ? "not a package" : NULL });
}

static void creators_decode(struct decode *d, const struct json *info)
{
    const struct json *list = json_get(info, "creators");

    for (uint32_t i = 0; i < json_len(list); i++) {
        const char *s = json_str(json_at(list, i), "");
        if (!str_starts(s, "Tool: "))
            continue;
        s += 6;
        const char *dash = strrchr(s, '-');
        bool has_version = dash != NULL && dash > s && (dash[1] == 'v' || (dash[1] >= '0' && dash[1] <= '9'));
        d->scan->scanner = has_version ? decode_strndup(d, s, (size_t)(dash - s)) : s;
        d->scan->scanner_version = has_version ? dash + 1 : NULL;
        return;
    }
}

/* The image and the system first: packages are read in their light. */
static void surroundings_decode(struct decode *d, const struct json *packages)
{
    for (uint32_t i = 0; i < json_len(packages) && !d->failed; i++) {
        const struct json *p = json_at(packages, i);
        const char *purl = external_purl(d, p);
        if (is_system(p))
            image_set_os(d, decode_hint(d, p, "name"), decode_hint(d, p, "versionInfo"));
        else if (is_image(p) || (purl != NULL && str_starts(purl, "pkg:oci/")))
            image_decode(d, p, purl);
    }
}

/* ---- SPDX 3 ---------------------------------------------------------------------------- */

static const char *graph_purl(struct decode *d, const struct json *e)
{
    const char *purl = decode_hint(d, e, "software_packageUrl");
    const struct json *ids = json_get(e, "externalIdentifier");

    for (uint32_t i = 0; purl == NULL && i < json_len(ids); i++) {
        const struct json *id = json_at(ids, i);
        if (str_eq(json_get_str(id, "externalIdentifierType", NULL), "packageUrl"))
            purl = decode_hint(d, id, "identifier");
    }
    return purl;
}

static void graph_decode(struct decode *d, const struct json *graph)
{
    for (uint32_t i = 0; i < json_len(graph) && !d->failed; i++) {
        const struct json *e = json_at(graph, i);
        const char *type = json_get_str(e, "type", "");
        if (str_eq(type, "CreationInfo"))
            d->scan->scanned_ms = decode_time(d, e, "created");
        if (!str_eq(type, "software_Package")) {
            d->scan->n_unmapped++;
            continue;
        }
        struct package *p = decode_add_package(d);
        if (p == NULL)
            return;
        p->name = decode_text(d, e, "name");
        p->version = decode_text(d, e, "software_packageVersion");
        package_finish(d, p, &(struct package_hints){ .purl = graph_purl(d, e) });
    }
}

void spdx_decode(struct decode *d, const struct json *doc)
{
    static const char *const known[] = { "spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace",
                                         "creationInfo", "packages", "files", "relationships", "documentDescribes",
                                         "@context", "@graph", "comment", NULL };
    const struct json *packages = decode_list(d, doc, "packages"), *graph = decode_list(d, doc, "@graph");

    decode_unknown_members(d, doc, known);
    decode_unplaced(d, json_get(doc, "files"));
    d->scan->format_version = decode_hint(d, doc, "spdxVersion");
    if (graph != NULL)
        d->scan->format_version = "SPDX-3.0";
    d->scan->has_inventory = true;
    d->scan->scanned_ms = decode_time_of(d, json_path(doc, "creationInfo.created"));
    creators_decode(d, json_get(doc, "creationInfo"));
    surroundings_decode(d, packages);
    if (d->scan->image.reference == NULL)
        d->scan->image.reference = decode_hint(d, doc, "name");
    decode_expect(d, packages);
    for (uint32_t i = 0; i < json_len(packages) && !d->failed; i++)
        package_decode(d, json_at(packages, i));
    graph_decode(d, graph);
}
