/* profile_doc.c - see profile_doc.h. */
#include "wire/profile_doc.h"

#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/imageref.h"
#include "wire/msg/fields.h"
#include "wire/msg/profile.h"
#include "wire/profile_internal.h"
#include "wire/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { YAML_DEPTH = 16, YAML_VALUES = 40000, COMPLAINTS_MAX = 50 };

/* ---- the document as it is written --------------------------------------------------- */

struct metadata { const char *name; };
struct spec {
    const char *image, *lease;
    struct profile p;
};
struct document {
    const char *api_version, *kind;
    struct metadata metadata;
    struct spec spec;
};

#define PARTS(k, member, n, shape, text) \
    { .key = k, .type = FIELD_LIST, .off = offsetof(struct spec, p.member), .off_n = offsetof(struct spec, p.n), \
      .max = PROFILE_ITEMS_MAX, .inner = &shape, .doc = text }
#define PART_TEXTS(k, member, n, text) \
    { .key = k, .type = FIELD_TEXTS, .off = offsetof(struct spec, p.member), .off_n = offsetof(struct spec, p.n), \
      .max = PROFILE_ITEMS_MAX, .doc = text }

static const struct field executable_fields[] = {
    { .key = "path", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct profile_executable, path), .min = 1,
      .max = PROFILE_PATH_MAX, .doc = "As the container sees it." },
    TEXT_F("sha256", struct profile_executable, sha256, "Of its content, hex."),
    { .key = "parents", .type = FIELD_TEXTS, .off = offsetof(struct profile_executable, parents),
      .off_n = offsetof(struct profile_executable, n_parents), .max = 256, .doc = "Who may start it." },
};
static SHAPE(executable_shape, "profile_doc_executable", struct profile_executable, executable_fields);

static const struct field port_fields[] = {
    { .key = "port", .type = FIELD_INT, .flags = FIELD_REQUIRED, .off = offsetof(struct profile_port, port), .min = 1, .max = 65535,
      .doc = "Number." },
    WORD_F("protocol", struct profile_port, protocol, net_protocol_words, "tcp when absent."),
};
static SHAPE(port_shape, "profile_doc_port", struct profile_port, port_fields);

static const struct field peer_fields[] = {
    TEXT_F("service", struct profile_peer, service, "namespace/workload."),
    TEXT_F("cidr", struct profile_peer, cidr, "Network."),
    TEXT_F("dns", struct profile_peer, dns, "Name."),
    { .key = "ports", .type = FIELD_INTS, .off = offsetof(struct profile_peer, ports), .off_n = offsetof(struct profile_peer, n_ports),
      .min = 1, .max = 65535, .doc = "Any when absent." },
    WORD_F("protocol", struct profile_peer, protocol, net_protocol_words, "Any when absent."),
};
static SHAPE(peer_shape, "profile_doc_peer", struct profile_peer, peer_fields);

static const struct field spec_fields[] = {
    TEXT_R("image", struct spec, image, "REPOSITORY, or REPOSITORY@sha256:..."),
    WORD_F("mode", struct spec, p.mode, profile_mode_words, "discover when absent."),
    WORD_F("onAgentLoss", struct spec, p.on_agent_loss, profile_on_loss_words, "open when absent."),
    TEXT_F("lease", struct spec, lease, "Like 60s."),
    PARTS("executables", executables, n_executables, executable_shape, "Programs."),
    PARTS("listens", listens, n_listens, port_shape, "Ports."),
    PARTS("egress", egress, n_egress, peer_shape, "Whom it calls."),
    PARTS("ingress", ingress, n_ingress, peer_shape, "Who calls it."),
    PART_TEXTS("writes", writes, n_writes, "Paths."),
    { .key = "users", .type = FIELD_INTS, .off = offsetof(struct spec, p.users), .off_n = offsetof(struct spec, p.n_users),
      .min = 0, .max = UINT32_MAX - 1, .doc = "User ids." },
    PART_TEXTS("capabilities", capabilities, n_capabilities, "Without CAP_."),
};
static SHAPE(spec_shape, "profile_doc_spec", struct spec, spec_fields);

static const struct field metadata_fields[] = { TEXT_R("name", struct metadata, name, "Name.") };
static SHAPE(metadata_shape, "profile_doc_metadata", struct metadata, metadata_fields);

static const struct field document_fields[] = {
    TEXT_R("apiVersion", struct document, api_version, "keep/v1"),
    TEXT_R("kind", struct document, kind, "Profile"),
    { .key = "metadata", .type = FIELD_INLINE, .flags = FIELD_REQUIRED, .off = offsetof(struct document, metadata), .inner = &metadata_shape },
    { .key = "spec", .type = FIELD_INLINE, .flags = FIELD_REQUIRED, .off = offsetof(struct document, spec), .inner = &spec_shape },
};
static SHAPE(document_shape, "profile_doc", struct document, document_fields);

/* ---- reading ---------------------------------------------------------------------------- */

struct reading {
    const char *text; size_t len;
    const struct json *doc;
    struct arena *arena;
    struct complaints found;
    bool failed;
};

/* The value at "$.a.b[2].c", or the last one on the way that is there. */
static const struct json *value_at(const struct json *v, const char *path)
{
    char key[64];

    for (const char *at = path + (*path == '$'); *at != '\0'; ) {
        const struct json *next = NULL;
        size_t n = strcspn(at + 1, ".[");
        if (*at == '.' && n < sizeof key) {
            memcpy(key, at + 1, n);
            key[n] = '\0';
            next = json_get(v, key);
        } else if (*at == '[') {
            unsigned long i = strtoul(at + 1, NULL, 10);
            next = i < json_len(v) ? json_at(v, (uint32_t)i) : NULL;
        }
        if (next == NULL)
            return v;
        v = next;
        at += 1 + n;
    }
    return v;
}

static void complain_of(struct reading *r, const char *path, const char *what)
{
    complain(&r->found, value_at(r->doc, path)->offset, path, "%s", what);
}

static void say(void *arg, const char *path, const char *what)
{
    struct reading *r = arg;
    const char *place = str_eq(path, "name") ? "$.metadata.name" : str_eq(path, "repository") || str_eq(path, "digest") ? "$.spec.image"
                                                                : arena_printf(r->arena, "$.spec.%s", path);

    if (place == NULL)
        r->failed = true;
    else
        complain_of(r, place, what);
}

static void read_image(struct reading *r, const char *image, struct profile *p)
{
    struct imageref ref;
    struct err err = { 0 };

    if (imageref_parse(r->arena, image, &ref, &err) != 0)
        complain_of(r, "$.spec.image", err.msg);
    else if (ref.is_id || (ref.tag != NULL && !ref.tag_implied))
        complain_of(r, "$.spec.image", "expected REPOSITORY, or REPOSITORY@sha256:...; a tag says nothing lasting");
    else if ((p->repository = imageref_name(r->arena, &ref)) == NULL)
        r->failed = true;
    else
        p->digest = ref.digest;
}

static void read_lease(struct reading *r, const char *lease, struct profile *p)
{
    int64_t ms;

    p->lease_s = PROFILE_LEASE_DEFAULT_S;
    if (lease == NULL)
        return;
    if (!time_parse_duration(lease, &ms) || ms < PROFILE_LEASE_MIN_S * MS_SECOND || ms > PROFILE_LEASE_MAX_S * MS_SECOND)
        complain_of(r, "$.spec.lease", "expected 5s to 24h, like 60s");
    else
        p->lease_s = ms / MS_SECOND;
}

/* An empty value could mean nothing or everything: which, must be said. */
static void read_parts(struct reading *r, struct profile *p)
{
    const struct { const char *key; bool *has; } parts[] = {
        { "executables", &p->has_executables }, { "listens", &p->has_listens }, { "egress", &p->has_egress }, { "ingress", &p->has_ingress },
        { "writes", &p->has_writes }, { "users", &p->has_users }, { "capabilities", &p->has_capabilities },
    };
    const struct json *spec = json_get(r->doc, "spec");
    char path[64];

    for (size_t i = 0; i < N_ITEMS(parts); i++) {
        const struct json *v = json_get(spec, parts[i].key);
        snprintf(path, sizeof path, "$.spec.%s", parts[i].key);
        if (json_is(v, JSON_NULL))
            complain_of(r, path, "nothing is here: write [] to allow nothing, or leave the key out to judge nothing");
        *parts[i].has = json_is(v, JSON_ARRAY);
    }
}

static void name_kinds(const struct profile_peer *peers, size_t n, struct arena *arena, const struct profile_peer **out, bool *failed)
{
    struct profile_peer *copy = arena_array(arena, n, sizeof *copy);

    if (copy == NULL) {
        *failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        copy[i] = peers[i];
        copy[i].kind = peers[i].service != NULL ? PEER_SERVICE : peers[i].cidr != NULL ? PEER_CIDR : peers[i].dns != NULL ? PEER_DNS : PEER_NONE;
    }
    *out = copy;
}

/* CAP_NET_RAW and net_raw mean NET_RAW. */
static void name_capabilities(struct profile *p, struct arena *arena, bool *failed)
{
    const char **names = arena_array(arena, p->n_capabilities, sizeof *names);

    *failed |= names == NULL;
    for (size_t i = 0; !*failed && i < p->n_capabilities; i++) {
        char *s = arena_strdup(arena, p->capabilities[i]);
        if (s == NULL) {
            *failed = true;
            return;
        }
        for (char *at = s; *at != '\0'; at++)
            *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
        names[i] = str_starts(s, "CAP_") ? s + 4 : s;
    }
    p->capabilities = names;
}

static void normalise(struct reading *r, struct profile *p)
{
    struct profile_port *ports = arena_array(r->arena, p->n_listens, sizeof *ports);

    r->failed |= ports == NULL;
    for (size_t i = 0; !r->failed && i < p->n_listens; i++) {
        ports[i] = p->listens[i];
        if (ports[i].protocol == NET_ANY)
            ports[i].protocol = NET_TCP;
    }
    if (!r->failed)
        p->listens = ports;
    name_kinds(p->egress, p->n_egress, r->arena, &p->egress, &r->failed);
    name_kinds(p->ingress, p->n_ingress, r->arena, &p->ingress, &r->failed);
    name_capabilities(p, r->arena, &r->failed);
}

static int report(struct reading *r, struct complaints *all, struct err *err)
{
    unsigned line, column;

    if (r->failed || (r->found.n > 0 && r->found.first == NULL))
        return err_nomem(err);
    if (r->found.n == 0)
        return 0;
    const struct complaint *first = r->found.first;
    for (const struct complaint *w = first; w != NULL && all != NULL; w = w->next) {
        json_position(r->text, r->len, w->offset, &line, &column);
        complain(all, w->offset, w->path, "%u:%u: %s", line, column, w->message);
    }
    json_position(r->text, r->len, first->offset, &line, &column);
    return err_set(err, ERR_INVALID, "%u:%u: %s: %s", line, column, first->path, first->message);
}

static void read_document(struct reading *r, struct document *d)
{
    struct profile_critic critic = { say, r, 0, false };
    struct err ignored = { 0 };

    if (!str_eq(json_get_str(r->doc, "kind", ""), "Profile") || !str_eq(json_get_str(r->doc, "apiVersion", ""), "keep/v1")) {
        complain_of(r, "$.kind", "expected kind Profile of apiVersion keep/v1");
        return;
    }
    if (shape_decode(&document_shape, r->doc, r->arena, d, &r->found, &ignored) != 0) {
        r->failed |= r->found.n == 0;
        return;
    }
    d->spec.p.name = d->metadata.name;
    read_image(r, d->spec.image, &d->spec.p);
    read_lease(r, d->spec.lease, &d->spec.p);
    read_parts(r, &d->spec.p);
    normalise(r, &d->spec.p);
    if (r->failed || r->found.n > 0)
        return;
    profile_criticise(&d->spec.p, &critic);
    r->failed |= critic.no_memory;
}

int profile_doc_parse(const void *text, size_t len, struct arena *arena, struct complaints *all, struct profile *out,
                      struct err *err)
{
    static const struct json_opts opts = { .max_depth = YAML_DEPTH, .max_values = YAML_VALUES };
    struct reading r = { .text = text, .len = len, .arena = arena, .found = { .arena = arena, .max = COMPLAINTS_MAX } };
    struct document d;
    struct json doc;

    if (len > PROFILE_DOC_MAX)
        return err_set(err, ERR_TOO_LARGE, "a profile has at most %d bytes", PROFILE_DOC_MAX);
    if (yaml_parse(arena, text, len, &opts, &doc, err) != 0)
        return -1;
    r.doc = &doc;
    shape_init(&document_shape, &d);
    read_document(&r, &d);
    if (report(&r, all, err) != 0)
        return -1;
    *out = d.spec.p;
    return 0;
}

/* ---- writing ------------------------------------------------------------------------------ */

static void write_strings(struct jsonw *w, const char *key, const char *const *items, size_t n)
{
    jsonw_key(w, key);
    jsonw_array(w);
    for (size_t i = 0; i < n; i++)
        jsonw_str(w, items[i]);
    jsonw_array_end(w);
}

static void write_numbers(struct jsonw *w, const char *key, const int64_t *items, size_t n)
{
    jsonw_key(w, key);
    jsonw_array(w);
    for (size_t i = 0; i < n; i++)
        jsonw_int(w, items[i]);
    jsonw_array_end(w);
}

static void write_executables(struct jsonw *w, const struct profile *p)
{
    jsonw_key(w, "executables");
    jsonw_array(w);
    for (size_t i = 0; i < p->n_executables; i++) {
        const struct profile_executable *e = &p->executables[i];
        jsonw_object(w);
        jsonw_kstr(w, "path", e->path);
        if (e->sha256 != NULL)
            jsonw_kstr(w, "sha256", e->sha256);
        if (e->n_parents > 0)
            write_strings(w, "parents", e->parents, e->n_parents);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_listens(struct jsonw *w, const struct profile *p)
{
    jsonw_key(w, "listens");
    jsonw_array(w);
    for (size_t i = 0; i < p->n_listens; i++) {
        jsonw_object(w);
        jsonw_kint(w, "port", p->listens[i].port);
        jsonw_kstr(w, "protocol", net_protocol_words[p->listens[i].protocol]);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_peers(struct jsonw *w, const char *key, const struct profile_peer *peers, size_t n)
{
    jsonw_key(w, key);
    jsonw_array(w);
    for (size_t i = 0; i < n; i++) {
        const struct profile_peer *e = &peers[i];
        jsonw_object(w);
        if (e->service != NULL)
            jsonw_kstr(w, "service", e->service);
        if (e->cidr != NULL)
            jsonw_kstr(w, "cidr", e->cidr);
        if (e->dns != NULL)
            jsonw_kstr(w, "dns", e->dns);
        if (e->n_ports > 0)
            write_numbers(w, "ports", e->ports, e->n_ports);
        if (e->protocol != NET_ANY)
            jsonw_kstr(w, "protocol", net_protocol_words[e->protocol]);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_spec(struct jsonw *w, const struct profile *p, const char *image)
{
    char lease[32];

    snprintf(lease, sizeof lease, "%llds", (long long)(p->lease_s != 0 ? p->lease_s : PROFILE_LEASE_DEFAULT_S));
    jsonw_kstr(w, "image", image);
    jsonw_kstr(w, "mode", profile_mode_words[p->mode]);
    jsonw_kstr(w, "onAgentLoss", profile_on_loss_words[p->on_agent_loss]);
    jsonw_kstr(w, "lease", lease);
    if (p->has_executables)
        write_executables(w, p);
    if (p->has_listens)
        write_listens(w, p);
    if (p->has_egress)
        write_peers(w, "egress", p->egress, p->n_egress);
    if (p->has_ingress)
        write_peers(w, "ingress", p->ingress, p->n_ingress);
    if (p->has_writes)
        write_strings(w, "writes", p->writes, p->n_writes);
    if (p->has_users)
        write_numbers(w, "users", p->users, p->n_users);
    if (p->has_capabilities)
        write_strings(w, "capabilities", p->capabilities, p->n_capabilities);
}

static void write_document(struct jsonw *w, const struct profile *p, const char *image)
{
    jsonw_object(w);
    jsonw_kstr(w, "apiVersion", "keep/v1");
    jsonw_kstr(w, "kind", "Profile");
    jsonw_key(w, "metadata");
    jsonw_object(w);
    jsonw_kstr(w, "name", p->name);
    jsonw_object_end(w);
    jsonw_key(w, "spec");
    jsonw_object(w);
    write_spec(w, p, image);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

int profile_doc_print(const struct profile *p, struct arena *arena, struct buf *b, struct err *err)
{
    const char *image = p->digest != NULL ? arena_printf(arena, "%s@%s", p->repository, p->digest) : p->repository;
    struct buf text;
    struct jsonw w;
    struct json doc;
    int rc = -1;

    if (image == NULL)
        return err_nomem(err);
    buf_init(&text, 4 * PROFILE_DOC_MAX);
    jsonw_init(&w, &text);
    write_document(&w, p, image);
    if (text.failed)
        err_nomem(err);
    else
        rc = json_parse(arena, text.ptr, text.len, NULL, &doc, err);
    buf_free(&text);
    if (rc != 0)
        return -1;
    yaml_print(&doc, b);
    return b->failed ? err_nomem(err) : 0;
}

void profile_id(const char *repository, const char *digest, char out[PROFILE_ID_LEN + 1])
{
    struct sha256 h;
    uint8_t hash[SHA256_LEN];

    sha256_init(&h);
    sha256_add(&h, repository, strlen(repository) + 1);
    if (digest != NULL)
        sha256_add(&h, digest, strlen(digest));
    sha256_done(&h, hash);
    hex_encode(hash, PROFILE_ID_LEN / 2, out);
}
