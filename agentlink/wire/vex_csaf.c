/* vex_csaf.c - CSAF 2.x security advisories and VEX profiles as VEX.
 *
 * The product tree is flattened into an index of product ids first.  A
 * vulnerability becomes one statement per status it gives to products; products
 * that carry different justifications (flags) are told apart. */
#include "wire/vex_internal.h"

#include <string.h>

bool csaf_detect(const struct json *doc)
{
    return json_get(json_get(doc, "document"), "csaf_version") != NULL;
}

/* ---- the product tree ------------------------------------------------------------------ */

struct tree {
    struct vex_decode *v;
    struct name_index by_id;
    struct vex_product *rows;
    size_t n, cap;
};

static struct vex_product *tree_add(struct tree *t, const char *id)
{
    struct decode *d = &t->v->d;

    if (id == NULL || d->failed)
        return NULL;
    if (t->n == MAX_PACKAGES) {
        decode_fail(d, NULL, ERR_TOO_LARGE, "more than %d products in the tree", MAX_PACKAGES);
        return NULL;
    }
    if (t->n == t->cap) {
        size_t cap = t->cap == 0 ? 64 : t->cap * 2;
        struct vex_product *more = arena_array(d->arena, cap, sizeof *more);
        if (more == NULL)
            return decode_nomem(d), NULL;
        if (t->n > 0)
            memcpy(more, t->rows, t->n * sizeof *more);
        t->rows = more;
        t->cap = cap;
    }
    name_index_put(d, &t->by_id, id, t->n);
    struct vex_product *p = &t->rows[t->n++];
    *p = (struct vex_product){ .id = id };
    return p;
}

static void product_add(struct tree *t, const struct json *product)
{
    struct decode *d = &t->v->d;
    const struct json *helper = json_get(product, "product_identification_helper");
    struct vex_product *p = tree_add(t, decode_hint(d, product, "product_id"));
    const char *purl = decode_hint(d, helper, "purl"), *canonical;
    struct purl_view u;

    if (p == NULL)
        return;
    if (purl == NULL && json_len(json_get(helper, "purls")) > 0)     /* 2.1 */
        purl = json_str(json_at(json_get(helper, "purls"), 0), NULL);
    p->name = decode_hint(d, product, "name");
    p->cpe = decode_hint(d, helper, "cpe");
    if (purl == NULL)
        return;
    if (!purl_view_read(d, purl, &u, &canonical)) {
        d->scan->n_unmapped++;
        return;
    }
    p->purl = canonical;
    if (u.version != NULL && str_starts(u.version, "sha256:"))
        vex_add_digest(t->v, p, u.version);
}

static void branches_add(struct tree *t, const struct json *branches, unsigned depth)
{
    if (json_len(branches) > 0 && depth == MAX_NESTING) {
        decode_fail(&t->v->d, branches, ERR_TOO_LARGE, "branches nested more than %d deep", MAX_NESTING);
        return;
    }
    for (uint32_t i = 0; i < json_len(branches) && !t->v->d.failed; i++) {
        const struct json *b = json_at(branches, i), *product = json_get(b, "product");
        if (json_is(product, JSON_OBJECT))
            product_add(t, product);
        branches_add(t, json_get(b, "branches"), depth + 1);
    }
}

static const struct vex_product *tree_get(const struct tree *t, const char *id)
{
    size_t row = name_index_get(&t->by_id, id);

    return row != NO_PACKAGE ? &t->rows[row] : NULL;
}

/* "A as a component of B": B's image with A inside, or A on the platform B. */
static void relationship_add(struct tree *t, const struct json *r)
{
    struct decode *d = &t->v->d;
    const struct json *full = json_get(r, "full_product_name");
    struct vex_product *p = tree_add(t, decode_hint(d, full, "product_id"));

    if (p == NULL)
        return;
    const struct vex_product *part = tree_get(t, json_get_str(r, "product_reference", NULL));
    const struct vex_product *whole = tree_get(t, json_get_str(r, "relates_to_product_reference", NULL));
    p->name = decode_hint(d, full, "name");
    if (whole != NULL && whole->purl != NULL) {
        const char *id = p->id, *name = p->name;
        *p = *whole;
        p->id = id;
        p->name = name;
        p->subcomponents = NULL;
        p->n_subcomponents = 0;
        if (part != NULL)
            decode_add_name(d, &p->subcomponents, &p->n_subcomponents, part->purl != NULL ? part->purl : part->id);
        return;
    }
    p->cpe = whole != NULL ? whole->cpe : NULL;
    if (part != NULL) {
        p->purl = part->purl;
        p->digests = part->digests;
        p->n_digests = part->n_digests;
    }
}

static void tree_build(struct tree *t, const struct json *doc)
{
    const struct json *tree = decode_object(&t->v->d, doc, "product_tree"), *list;

    list = json_get(tree, "full_product_names");
    for (uint32_t i = 0; i < json_len(list); i++)
        product_add(t, json_at(list, i));
    branches_add(t, json_get(tree, "branches"), 0);
    list = json_get(tree, "relationships");
    for (uint32_t i = 0; i < json_len(list) && !t->v->d.failed; i++)
        relationship_add(t, json_at(list, i));
}

/* ---- statements ------------------------------------------------------------------------- */

static const struct { const char *key; enum vex_status status; } statuses[] = {
    { "known_affected", VEX_AFFECTED }, { "first_affected", VEX_AFFECTED }, { "last_affected", VEX_AFFECTED },
    { "known_not_affected", VEX_NOT_AFFECTED }, { "fixed", VEX_FIXED }, { "first_fixed", VEX_FIXED },
    { "under_investigation", VEX_UNDER_INVESTIGATION },
};

/* A list whose entries speak of products (flags, threats, remediations), indexed. */
struct said {
    const struct json *list;
    struct name_index by_product; /* row of the first entry that names it */
    size_t general;               /* first entry that names none */
};

static struct said said_of(struct decode *d, const struct json *list, const char *category)
{
    struct said s = { .list = list, .general = NO_PACKAGE };

    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *e = json_at(list, i), *ids = json_get(e, "product_ids");
        if (category != NULL && !str_eq(json_get_str(e, "category", NULL), category))
            continue;
        if (json_len(ids) == 0 && json_get(e, "group_ids") == NULL && s.general == NO_PACKAGE)
            s.general = i;
        for (uint32_t k = 0; k < json_len(ids); k++)
            name_index_put(d, &s.by_product, json_str(json_at(ids, k), NULL), i);
    }
    return s;
}

static const char *details_for(struct decode *d, const struct said *s, const char *product)
{
    size_t row = name_index_get(&s->by_product, product);

    if (row == NO_PACKAGE)
        row = s->general;
    return row != NO_PACKAGE ? decode_hint(d, json_at(s->list, (uint32_t)row), "details") : NULL;
}

static const char *vulnerability_name(struct decode *d, const struct json *v)
{
    const struct json *ids = json_get(v, "ids");
    const char *cve = decode_text(d, v, "cve");

    if (cve == NULL && json_len(ids) > 0)
        cve = decode_hint(d, json_at(ids, 0), "text");
    return cve;
}

struct remarks {
    struct said flags, impacts, actions;
};

struct group {
    const char *key;              /* "known_not_affected" */
    enum vex_status status;
    const struct json *ids;
    size_t flag;                  /* row of flags[], or NO_PACKAGE */
};

static void group_decode(struct tree *t, const struct json *vuln, const struct group *g, const struct remarks *said)
{
    const struct name_index *flags = &said->flags.by_product;
    struct decode *d = &t->v->d;
    const struct json *ids = json_get(vuln, "ids");
    size_t n = 0;

    for (uint32_t i = 0; i < json_len(g->ids); i++)
        n += name_index_get(flags, json_str(json_at(g->ids, i), NULL)) == g->flag;
    if (n == 0)
        return;
    struct vex_statement *s = vex_add_statement(t->v, vulnerability_name(d, vuln));
    struct vex_product *rows = vex_add_products(t->v, g->ids, n);
    if (s == NULL || rows == NULL)
        return;
    s->status = g->status;
    s->status_word = g->key;
    for (uint32_t i = 0; i < json_len(ids); i++)
        decode_add_name(d, &s->aliases, &s->n_aliases, json_get_str(json_at(ids, i), "text", NULL));
    for (uint32_t i = 0; i < json_len(g->ids); i++) {
        const char *id = decode_text_of(d, json_at(g->ids, i));
        if (name_index_get(flags, id) != g->flag)
            continue;
        const struct vex_product *known = tree_get(t, id);
        rows[s->n_products++] = known != NULL ? *known : (struct vex_product){ .id = id };
    }
    s->products = rows;
    if (g->flag != NO_PACKAGE)
        s->justification = decode_hint(d, json_at(json_get(vuln, "flags"), (uint32_t)g->flag), "label");
    s->impact = details_for(d, &said->impacts, rows[0].id);
    s->action = details_for(d, &said->actions, rows[0].id);
}

static bool is_known_status(const char *key)
{
    for (size_t i = 0; i < N_ITEMS(statuses); i++) {
        if (strcmp(key, statuses[i].key) == 0)
            return true;
    }
    return false;
}

static void vulnerability_decode(struct tree *t, const struct json *vuln)
{
    struct decode *d = &t->v->d;
    const struct json *status = decode_object(d, vuln, "product_status"), *flags = json_get(vuln, "flags");
    struct remarks said = {
        .flags = said_of(d, flags, NULL),
        .impacts = said_of(d, json_get(vuln, "threats"), "impact"),
        .actions = said_of(d, json_get(vuln, "remediations"), NULL),
    };

    for (size_t k = 0; k < N_ITEMS(statuses) && !d->failed; k++) {
        struct group g = { statuses[k].key, statuses[k].status, decode_list(d, status, statuses[k].key), NO_PACKAGE };
        group_decode(t, vuln, &g, &said);
        for (uint32_t i = 0; g.ids != NULL && i < json_len(flags) && i < MAX_NAMES && !d->failed; i++) {
            g.flag = i;
            group_decode(t, vuln, &g, &said);
        }
    }
    for (uint32_t i = 0; i < json_n_members(status); i++) {      /* "recommended" and what comes later */
        if (!is_known_status(status->members[i].key))
            decode_unplaced(d, &status->members[i].value);
    }
}

void vex_csaf_decode(struct vex_decode *v, const struct json *doc)
{
    struct decode *d = &v->d;
    const struct json *list = decode_list(d, doc, "vulnerabilities"), *document = json_get(doc, "document");
    struct vex *x = v->vex;
    struct tree tree = { .v = v };
    int64_t number;

    x->format_version = decode_text(d, document, "csaf_version");
    x->id = decode_hint_path(d, document, "tracking.id");
    x->author = decode_hint_path(d, document, "publisher.name");
    x->role = decode_hint_path(d, document, "publisher.category");
    x->tooling = decode_hint_path(d, document, "tracking.generator.engine.name");
    x->timestamp_ms = decode_time_of(d, json_path(document, "tracking.initial_release_date"));
    x->last_updated_ms = decode_time_of(d, json_path(document, "tracking.current_release_date"));
    if (str_to_i64(json_str(json_path(document, "tracking.version"), ""), 0, INT64_MAX, &number))
        x->version = number;
    tree_build(&tree, doc);
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        vulnerability_decode(&tree, json_at(list, i));
    x->n_vulnerabilities = json_len(list);
}
