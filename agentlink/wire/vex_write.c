/* vex_write.c - struct vex -> OpenVEX 0.2.0. */
#include "wire/vex.h"

#include "base/str.h"
#include "base/time.h"
#include "wire/jsonw.h"

#include <string.h>

static int statement_check(const struct vex_statement *s, size_t i, struct err *err)
{
    const char *missing = NULL;

    if (s->vulnerability == NULL || *s->vulnerability == '\0')
        missing = "a vulnerability";
    else if (s->n_products == 0)
        missing = "a product";
    else if (s->status <= VEX_STATUS_UNKNOWN || s->status >= VEX_STATUS_N)
        missing = "a status";
    else if (s->status == VEX_NOT_AFFECTED && !vex_is_justification(s->justification) && s->impact == NULL)
        missing = "a justification or an impact";
    else if (s->status == VEX_AFFECTED && s->action == NULL)
        missing = "an action";
    for (size_t k = 0; missing == NULL && k < s->n_products; k++) {
        if (s->products[k].id == NULL && s->products[k].purl == NULL)
            missing = "a product's id or purl";
    }
    return missing != NULL ? err_set(err, ERR_INVALID, "statement %zu lacks %s", i, missing) : 0;
}

static int check(const struct vex *vex, struct err *err)
{
    if (vex->id == NULL || vex->author == NULL || vex->timestamp_ms == TIME_UNKNOWN)
        return err_set(err, ERR_INVALID, "a VEX document needs an id, an author and a timestamp");
    if (vex->n_statements == 0)
        return err_set(err, ERR_INVALID, "a VEX document needs a statement");
    for (size_t i = 0; i < vex->n_statements; i++) {
        if (statement_check(&vex->statements[i], i, err) != 0)
            return -1;
    }
    return 0;
}

static void text(struct jsonw *w, const char *key, const char *value)
{
    if (value != NULL)
        jsonw_kstr(w, key, value);
}

static void time_of(struct jsonw *w, const char *key, int64_t at_ms)
{
    if (at_ms != TIME_UNKNOWN)
        jsonw_ktime(w, key, at_ms);
}

static void identifiers_encode(struct jsonw *w, const struct vex_product *p)
{
    if (p->purl == NULL && p->cpe == NULL)
        return;
    jsonw_key(w, "identifiers");
    jsonw_object(w);
    text(w, "purl", p->purl);
    text(w, p->cpe != NULL && str_starts(p->cpe, "cpe:2.3:") ? "cpe23" : "cpe22", p->cpe);
    jsonw_object_end(w);
}

static void product_encode(struct jsonw *w, const struct vex_product *p)
{
    jsonw_object(w);
    jsonw_kstr(w, "@id", p->id != NULL ? p->id : p->purl);
    identifiers_encode(w, p);
    if (p->n_digests > 0) {                  /* one per algorithm */
        jsonw_key(w, "hashes");
        jsonw_object(w);
        jsonw_kstr(w, "sha-256", p->digests[0] + strlen("sha256:"));
        jsonw_object_end(w);
    }
    if (p->n_subcomponents > 0) {
        jsonw_key(w, "subcomponents");
        jsonw_array(w);
        for (size_t i = 0; i < p->n_subcomponents; i++) {
            jsonw_object(w);
            jsonw_kstr(w, "@id", p->subcomponents[i]);
            jsonw_object_end(w);
        }
        jsonw_array_end(w);
    }
    jsonw_object_end(w);
}

static void vulnerability_encode(struct jsonw *w, const struct vex_statement *s)
{
    jsonw_key(w, "vulnerability");
    jsonw_object(w);
    jsonw_kstr(w, "name", s->vulnerability);
    if (s->n_aliases > 0) {
        jsonw_key(w, "aliases");
        jsonw_array(w);
        for (size_t i = 0; i < s->n_aliases; i++)
            jsonw_str(w, s->aliases[i]);
        jsonw_array_end(w);
    }
    jsonw_object_end(w);
}

static void statement_encode(struct jsonw *w, const struct vex_statement *s)
{
    jsonw_object(w);
    text(w, "@id", s->id);
    vulnerability_encode(w, s);
    time_of(w, "timestamp", s->timestamp_ms);
    time_of(w, "last_updated", s->last_updated_ms);
    jsonw_key(w, "products");
    jsonw_array(w);
    for (size_t i = 0; i < s->n_products; i++)
        product_encode(w, &s->products[i]);
    jsonw_array_end(w);
    jsonw_kstr(w, "status", vex_status_word(s->status));
    if (s->status == VEX_NOT_AFFECTED && vex_is_justification(s->justification))
        jsonw_kstr(w, "justification", s->justification);
    text(w, "impact_statement", s->impact);
    text(w, "action_statement", s->action);
    jsonw_object_end(w);
}

int vex_encode(const struct vex *vex, struct buf *out, struct err *err)
{
    struct jsonw w;

    if (check(vex, err) != 0)
        return -1;
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_kstr(&w, "@context", "https://openvex.dev/ns/v0.2.0");
    jsonw_kstr(&w, "@id", vex->id);
    jsonw_kstr(&w, "author", vex->author);
    text(&w, "role", vex->role);
    jsonw_ktime(&w, "timestamp", vex->timestamp_ms);
    time_of(&w, "last_updated", vex->last_updated_ms);
    jsonw_kint(&w, "version", vex->version > 0 ? vex->version : 1);
    text(&w, "tooling", vex->tooling);
    jsonw_key(&w, "statements");
    jsonw_array(&w);
    for (size_t i = 0; i < vex->n_statements; i++)
        statement_encode(&w, &vex->statements[i]);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return out->failed ? err_set(err, ERR_TOO_LARGE, "the VEX document does not fit") : 0;
}
