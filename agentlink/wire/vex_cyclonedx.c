/* vex_cyclonedx.c - CycloneDX vulnerabilities with an analysis as VEX statements.
 *
 * A vulnerability without an analysis says nothing about exploitability: it is
 * a finding (reports/cyclonedx.c), not a statement. */
#include "wire/vex_internal.h"

#include <string.h>

static const struct { const char *state; enum vex_status status; } states[] = {
    { "resolved", VEX_FIXED }, { "resolved_with_pedigree", VEX_FIXED }, { "exploitable", VEX_AFFECTED },
    { "in_triage", VEX_UNDER_INVESTIGATION }, { "false_positive", VEX_NOT_AFFECTED },
    { "not_affected", VEX_NOT_AFFECTED },
};

/* Only where OpenVEX has a word of the same meaning. */
static const struct { const char *word, *ours; } justifications[] = {
    { "code_not_present", "vulnerable_code_not_present" },
    { "code_not_reachable", "vulnerable_code_not_in_execute_path" },
    { "requires_configuration", "vulnerable_code_cannot_be_controlled_by_adversary" },
    { "requires_environment", "vulnerable_code_cannot_be_controlled_by_adversary" },
    { "protected_by_compiler", "inline_mitigations_already_exist" },
    { "protected_at_runtime", "inline_mitigations_already_exist" },
    { "protected_at_perimeter", "inline_mitigations_already_exist" },
    { "protected_by_mitigating_control", "inline_mitigations_already_exist" },
};

struct components {
    struct vex_decode *v;
    struct name_index by_ref;     /* bom-ref -> row of rows */
    const char **purls;
    size_t n, cap;
};

static void components_add(struct components *c, const struct json *list, unsigned depth)
{
    struct decode *d = &c->v->d;

    if (json_len(list) > 0 && depth == MAX_NESTING) {
        decode_fail(d, list, ERR_TOO_LARGE, "components nested more than %d deep", MAX_NESTING);
        return;
    }
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++) {
        const struct json *v = json_at(list, i);
        const char *purl = decode_hint(d, v, "purl"), *ref = decode_hint(d, v, "bom-ref");
        if (purl != NULL && ref != NULL) {
            if (c->n == c->cap) {
                size_t cap = c->cap == 0 ? 64 : c->cap * 2;
                const char **more = arena_array(d->arena, cap, sizeof *more);
                if (more == NULL) {
                    decode_nomem(d);
                    return;
                }
                if (c->n > 0)
                    memcpy(more, c->purls, c->n * sizeof *more);
                c->purls = more;
                c->cap = cap;
            }
            name_index_put(d, &c->by_ref, ref, c->n);
            c->purls[c->n++] = purl;
        }
        components_add(c, json_get(v, "components"), depth + 1);
    }
}

static void product_decode(struct components *c, struct vex_product *p, const struct json *affected)
{
    const char *ref = decode_hint(&c->v->d, affected, "ref");
    const char *hash = ref != NULL && str_starts(ref, "urn:cdx:") ? strchr(ref, '#') : NULL;
    const char *local = hash != NULL ? hash + 1 : ref;
    size_t row = name_index_get(&c->by_ref, local);

    p->id = ref;
    p->purl = row != NO_PACKAGE ? c->purls[row] : local != NULL && str_starts(local, "pkg:") ? local : NULL;
}

static const char *our_justification(const char *word)
{
    for (size_t i = 0; word != NULL && i < N_ITEMS(justifications); i++) {
        if (strcmp(word, justifications[i].word) == 0)
            return justifications[i].ours;
    }
    return word;
}

static void statement_decode(struct components *c, const struct json *v)
{
    struct decode *d = &c->v->d;
    const struct json *analysis = json_get(v, "analysis"), *affects = decode_list(d, v, "affects");
    const struct json *references = json_get(v, "references");
    const char *state = decode_hint(d, analysis, "state");

    if (state == NULL)
        return;
    struct vex_statement *s = vex_add_statement(c->v, decode_text(d, v, "id"));
    struct vex_product *rows = vex_add_products(c->v, affects, json_len(affects));
    if (s == NULL || rows == NULL)
        return;
    s->id = decode_hint(d, v, "bom-ref");
    s->status_word = state;
    for (size_t i = 0; i < N_ITEMS(states); i++) {
        if (strcmp(state, states[i].state) == 0)
            s->status = states[i].status;
    }
    s->justification = our_justification(decode_hint(d, analysis, "justification"));
    s->impact = decode_hint(d, analysis, "detail");
    s->action = decode_join(d, json_get(analysis, "response"), NULL);
    if (json_get(analysis, "firstIssued") != NULL)
        s->timestamp_ms = decode_time(d, analysis, "firstIssued");
    if (json_get(analysis, "lastUpdated") != NULL)
        s->last_updated_ms = decode_time(d, analysis, "lastUpdated");
    for (uint32_t i = 0; i < json_len(references); i++)
        decode_add_name(d, &s->aliases, &s->n_aliases, decode_hint(d, json_at(references, i), "id"));
    for (uint32_t i = 0; i < json_len(affects); i++)
        product_decode(c, &rows[i], json_at(affects, i));
    s->products = rows;
    s->n_products = json_len(affects);
}

void vex_cyclonedx_decode(struct vex_decode *v, const struct json *doc)
{
    struct decode *d = &v->d;
    const struct json *list = decode_list(d, doc, "vulnerabilities"), *meta = json_get(doc, "metadata");
    struct components c = { .v = v };

    v->vex->format_version = decode_hint(d, doc, "specVersion");
    v->vex->id = decode_hint(d, doc, "serialNumber");
    v->vex->version = json_int(json_get(doc, "version"), 0);
    v->vex->author = decode_hint_path(d, meta, "supplier.name");
    v->vex->timestamp_ms = decode_time(d, meta, "timestamp");
    components_add(&c, json_get(doc, "components"), 0);
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        statement_decode(&c, json_at(list, i));
    v->vex->n_vulnerabilities = json_len(list);
}
