/* vex.c - see vex.h: the table of formats, and OpenVEX in. */
#include "wire/vex.h"

#include "wire/report.h"
#include "wire/vex_internal.h"

#include <string.h>

/* ---- words ---------------------------------------------------------------------- */

static const char *const status_words[VEX_STATUS_N] = {
    [VEX_STATUS_UNKNOWN] = "unknown", [VEX_AFFECTED] = "affected",
    [VEX_UNDER_INVESTIGATION] = "under_investigation", [VEX_NOT_AFFECTED] = "not_affected", [VEX_FIXED] = "fixed",
};

const char *vex_status_word(enum vex_status status)
{
    return (unsigned)status < VEX_STATUS_N ? status_words[status] : status_words[VEX_STATUS_UNKNOWN];
}

static enum vex_status status_of(const char *word)
{
    for (int i = VEX_AFFECTED; word != NULL && i < VEX_STATUS_N; i++) {
        if (strcmp(word, status_words[i]) == 0)
            return (enum vex_status)i;
    }
    return VEX_STATUS_UNKNOWN;
}

bool vex_is_justification(const char *word)
{
    static const char *const words[] = {
        "component_not_present", "vulnerable_code_not_present", "vulnerable_code_not_in_execute_path",
        "vulnerable_code_cannot_be_controlled_by_adversary", "inline_mitigations_already_exist",
    };

    for (size_t i = 0; word != NULL && i < N_ITEMS(words); i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

/* ---- rows ------------------------------------------------------------------------- */

struct vex_statement *vex_add_statement(struct vex_decode *v, const char *vulnerability)
{
    struct vex *x = v->vex;

    if (v->d.failed)
        return NULL;
    if (x->n_statements == MAX_STATEMENTS) {
        decode_fail(&v->d, NULL, ERR_TOO_LARGE, "more than %d statements", MAX_STATEMENTS);
        return NULL;
    }
    if (x->n_statements == v->cap) {
        size_t cap = v->cap == 0 ? 16 : v->cap * 2;
        struct vex_statement *more = arena_array(v->d.arena, cap, sizeof *more);
        if (more == NULL)
            return decode_nomem(&v->d), NULL;
        if (x->n_statements > 0)
            memcpy(more, x->statements, x->n_statements * sizeof *more);
        x->statements = more;
        v->cap = cap;
    }
    struct vex_statement *s = &x->statements[x->n_statements++];
    *s = (struct vex_statement){ .vulnerability = vulnerability != NULL ? vulnerability : NO_ID,
                                 .timestamp_ms = x->timestamp_ms, .last_updated_ms = x->last_updated_ms };
    return s;
}

struct vex_product *vex_add_products(struct vex_decode *v, const struct json *where, size_t n)
{
    if (n > MAX_PRODUCTS - v->n_products) {
        decode_fail(&v->d, where, ERR_TOO_LARGE, "more than %d products", MAX_PRODUCTS);
        return NULL;
    }
    v->n_products += n;
    struct vex_product *p = arena_array(v->d.arena, n, sizeof *p);
    if (p == NULL)
        decode_nomem(&v->d);
    return p;
}

void vex_add_digest(struct vex_decode *v, struct vex_product *p, const char *digest)
{
    if (digest != NULL && digest_is_valid(digest))
        decode_add_name(&v->d, &p->digests, &p->n_digests, digest);
    else if (digest != NULL)
        v->d.scan->n_unmapped++;
}

/* ---- OpenVEX ------------------------------------------------------------------------ */

bool openvex_detect(const struct json *doc)
{
    const struct json *context = json_get(doc, "@context");

    if (json_len(context) > 0)
        context = json_at(context, 0);
    return strstr(json_str(context, ""), "openvex.dev/ns") != NULL && json_get(doc, "@graph") == NULL;
}

/* A purl among the identifiers, else the "@id" when it is one; the digest in it, too. */
static void identify(struct vex_decode *v, struct vex_product *p, const struct json *identifiers)
{
    struct decode *d = &v->d;
    const char *purl = decode_hint(d, identifiers, "purl"), *canonical;
    struct purl_view u;

    if (purl == NULL && p->id != NULL && str_starts(p->id, "pkg:"))
        purl = p->id;
    p->cpe = decode_hint(d, identifiers, "cpe23");
    if (p->cpe == NULL)
        p->cpe = decode_hint(d, identifiers, "cpe22");
    if (purl == NULL)
        return;
    if (!purl_view_read(d, purl, &u, &canonical)) {
        d->scan->n_unmapped++;
        return;
    }
    p->purl = canonical;
    if (u.version != NULL && str_starts(u.version, "sha256:"))
        vex_add_digest(v, p, u.version);
}

static void subcomponents_decode(struct vex_decode *v, struct vex_product *p, const struct json *list)
{
    const char **names = arena_array(v->d.arena, json_len(list), sizeof *names);

    if (names == NULL) {
        decode_nomem(&v->d);
        return;
    }
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *c = json_at(list, i);
        const char *name = json_is(c, JSON_OBJECT) ? decode_hint_path(&v->d, c, "identifiers.purl") : NULL;
        if (name == NULL)
            name = json_is(c, JSON_OBJECT) ? decode_hint(&v->d, c, "@id") : decode_hint_of(&v->d, c);
        if (name != NULL)
            names[p->n_subcomponents++] = name;
    }
    p->subcomponents = names;
}

static void hashes_decode(struct vex_decode *v, struct vex_product *p, const struct json *hashes)
{
    for (uint32_t i = 0; i < json_n_members(hashes); i++) {
        const char *key = hashes->members[i].key, *value = json_str(&hashes->members[i].value, NULL);
        if (value != NULL && (strcmp(key, "sha-256") == 0 || strcmp(key, "sha256") == 0))
            vex_add_digest(v, p, str_starts(value, "sha256:") ? value : decode_printf(&v->d, "sha256:%s", value));
    }
}

static void product_decode(struct vex_decode *v, struct vex_product *p, const struct json *product,
                           const struct json *shared)
{
    const struct json *own = json_get(product, "subcomponents");

    if (product->type != JSON_OBJECT && product->type != JSON_STRING) {
        decode_fail(&v->d, product, ERR_INVALID, "expected text or an object");
        return;
    }
    p->id = product->type == JSON_STRING ? decode_text_of(&v->d, product) : decode_text(&v->d, product, "@id");
    identify(v, p, json_get(product, "identifiers"));
    hashes_decode(v, p, json_get(product, "hashes"));
    subcomponents_decode(v, p, own != NULL ? own : shared);
}

/* 0.0.1 has text, 0.2.0 an object; the name may stand in "@id" alone. */
static const char *vulnerability_of(struct decode *d, const struct json *v)
{
    if (!json_is(v, JSON_OBJECT))
        return decode_text_of(d, v);
    const char *name = decode_text(d, v, "name");
    return name != NULL ? name : decode_text(d, v, "@id");
}

static void statement_decode(struct vex_decode *v, const struct json *s)
{
    struct decode *d = &v->d;
    const struct json *vulnerability = json_get(s, "vulnerability"), *aliases = json_get(vulnerability, "aliases");
    const struct json *products = decode_list(d, s, "products"), *shared = json_get(s, "subcomponents");
    struct vex_statement *out = vex_add_statement(v, vulnerability_of(d, vulnerability));

    if (out == NULL)
        return;
    for (uint32_t i = 0; i < json_len(aliases); i++)
        decode_add_name(d, &out->aliases, &out->n_aliases, json_str(json_at(aliases, i), NULL));
    out->id = decode_hint(d, s, "@id");
    out->status_word = decode_text(d, s, "status");
    out->status = status_of(out->status_word);
    d->scan->n_unmapped += out->status == VEX_STATUS_UNKNOWN;      /* kept, but it says nothing */
    out->justification = decode_hint(d, s, "justification");
    out->impact = decode_hint(d, s, "impact_statement");
    out->action = decode_hint(d, s, "action_statement");
    if (json_get(s, "timestamp") != NULL)
        out->timestamp_ms = decode_time(d, s, "timestamp");
    if (json_get(s, "last_updated") != NULL)
        out->last_updated_ms = decode_time(d, s, "last_updated");
    struct vex_product *rows = vex_add_products(v, products, json_len(products));
    for (uint32_t i = 0; rows != NULL && i < json_len(products) && !d->failed; i++)
        product_decode(v, &rows[i], json_at(products, i), shared);
    out->products = rows;
    out->n_products = rows != NULL ? json_len(products) : 0;
}

static const char *context_version(const struct json *doc)
{
    const struct json *context = json_get(doc, "@context");
    const char *text = json_str(json_len(context) > 0 ? json_at(context, 0) : context, ""), *v = strstr(text, "/ns/v");

    return v != NULL ? v + 5 : "0.0.1";
}

void vex_openvex_decode(struct vex_decode *v, const struct json *doc)
{
    struct decode *d = &v->d;
    const struct json *list = decode_list(d, doc, "statements"), *version = json_get(doc, "version");
    struct vex *x = v->vex;
    int64_t number;

    x->format_version = context_version(doc);
    x->id = decode_text(d, doc, "@id");
    x->author = decode_hint(d, doc, "author");
    x->role = decode_hint(d, doc, "role");
    if (x->role == NULL)
        x->role = decode_hint(d, doc, "author_role");
    x->tooling = decode_hint(d, doc, "tooling");
    x->version = json_int(version, 0);
    if (json_is(version, JSON_STRING) && str_to_i64(version->string, 0, INT64_MAX, &number))
        x->version = number;
    x->timestamp_ms = decode_time(d, doc, "timestamp");
    x->last_updated_ms = decode_time(d, doc, "last_updated");
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        statement_decode(v, json_at(list, i));
    x->n_vulnerabilities = x->n_statements;
}

/* ---- the table ------------------------------------------------------------------------- */

static bool cyclonedx_vex_detect(const struct json *doc)
{
    return cyclonedx_detect(doc) && json_get(doc, "vulnerabilities") != NULL;
}

static const struct format {
    enum vex_format format;
    bool (*detect)(const struct json *doc);
    void (*decode)(struct vex_decode *v, const struct json *doc);
} formats[] = {
    { VEX_OPENVEX, openvex_detect, vex_openvex_decode },
    { VEX_CSAF, csaf_detect, vex_csaf_decode },
    { VEX_CYCLONEDX, cyclonedx_vex_detect, vex_cyclonedx_decode },
};

static const struct format *format_of(const struct json *doc)
{
    for (size_t i = 0; i < N_ITEMS(formats); i++) {
        if (formats[i].detect(doc))
            return &formats[i];
    }
    return NULL;
}

enum vex_format vex_detect(const struct json *doc)
{
    const struct format *f = format_of(doc);

    return f != NULL ? f->format : VEX_UNKNOWN_FORMAT;
}

int vex_decode(const struct json *doc, struct arena *arena, struct vex *out, struct err *err)
{
    const struct format *f = format_of(doc);
    struct scan counter = { 0 };

    if (f == NULL)
        return err_set(err, ERR_UNPROCESSABLE, "no VEX document we know; known: OpenVEX, CSAF 2, CycloneDX");
    struct vex vex = { .format = f->format, .timestamp_ms = TIME_UNKNOWN, .last_updated_ms = TIME_UNKNOWN };
    struct vex_decode v = { .d = { .arena = arena, .scan = &counter, .root = doc, .err = err }, .vex = &vex };
    f->decode(&v, doc);
    if (v.d.failed)
        return -1;
    vex.n_unmapped = counter.n_unmapped;
    *out = vex;
    return 0;
}

int vex_parse(const void *text, size_t len, struct arena *arena, struct vex *out, struct err *err)
{
    struct json *doc = arena_alloc(arena, sizeof *doc);

    if (doc == NULL)
        return err_nomem(err);
    if (json_parse(arena, text, len, &report_json_opts, doc, err) != 0)
        return -1;
    return vex_decode(doc, arena, out, err);
}
