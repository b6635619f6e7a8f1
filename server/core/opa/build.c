/* build.c - a bundle of what Keep knows of images; see opa.h.
 *
 * Text that came from outside is stripped of control characters: the encoders of
 * different OPA versions escape some of them differently, and a hash must not depend
 * on who computes it. */
#include "core/opa/opa.h"

#include "base/time.h"
#include "wire/jsonw.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX_LEN = 300, REASONS_MAX = 5 };

static const char *const verdict_names[DECISION_N] = { "unknown", "fail", "warn", "pass" };
static const char *const freshness_names[FRESHNESS_N] = { "unknown", "never_scanned", "stale_scan", "stale_database", "fresh" };

void opa_key_id(const struct pubkey *key, char out[OPA_KEY_ID])
{
    memcpy(out, "keep-", 5);
    memcpy(out + 5, key->fingerprint, 16);
    out[21] = '\0';
}

/* Cut between characters. */
static void put_text(struct jsonw *w, const char *key, const char *text)
{
    char clean[TEXT_MAX_LEN + 8];
    size_t n = 0;

    for (const char *s = text != NULL ? text : ""; *s != '\0';) {
        size_t len = str_utf8_len(s, strlen(s));
        if (len == 0 || n + len > TEXT_MAX_LEN)
            break;
        memcpy(clean + n, s, len);
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            clean[n] = ' ';
        n += len;
        s += len;
    }
    if (key != NULL)
        jsonw_key(w, key);
    jsonw_strn(w, clean, n);
}

static void put_counts(struct jsonw *w, const struct image_counts *c)
{
    const struct { const char *key; int64_t n; } rows[] = {
        { "critical", c->critical }, { "high", c->high }, { "medium", c->medium }, { "low", c->low }, { "other", c->other },
        { "fixable", c->fixable }, { "kev", c->kev }, { "secrets", c->secrets }, { "malware", c->malware },
        { "misconfigurations", c->misconfigurations }, { "excepted", c->excepted },
    };

    jsonw_key(w, "counts");
    jsonw_object(w);
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        jsonw_kint(w, rows[i].key, rows[i].n);
    jsonw_object_end(w);
}

static void put_image(struct jsonw *w, const struct opa_image *o)
{
    const struct image *m = o->image;

    jsonw_key(w, m->digest);
    jsonw_object(w);
    put_text(w, "repository", m->repository);
    put_text(w, "tag", m->tag);
    put_text(w, "reference", m->reference);
    put_text(w, "team", m->team);
    jsonw_kstr(w, "verdict", verdict_names[m->verdict]);
    jsonw_kstr(w, "freshness", freshness_names[m->freshness]);
    jsonw_ktime(w, "scanned_at", m->scanned_ms);
    jsonw_ktime(w, "database_built_at", m->db_built_ms);
    jsonw_kbool(w, "signed", m->is_signed);
    put_counts(w, &m->counts);
    jsonw_key(w, "reasons");
    jsonw_array(w);
    for (size_t i = 0; i < o->n_reasons && i < REASONS_MAX; i++)
        put_text(w, NULL, o->reasons[i]);
    jsonw_array_end(w);
    jsonw_object_end(w);
}

/* A tag of a repository belongs to one image: no key comes twice. */
static void put_tags(struct jsonw *w, const struct opa_facts *f, struct buf *b)
{
    jsonw_key(w, "tags");
    jsonw_object(w);
    for (size_t i = 0; i < f->n && !b->failed; i++) {
        for (size_t k = 0; k < f->images[i].n_tags; k++)
            jsonw_kstr(w, f->images[i].tags[k], f->images[i].image->digest);
    }
    jsonw_object_end(w);
}

void opa_data(const struct opa_facts *f, bool without_clock, struct buf *out)
{
    struct jsonw w;

    jsonw_init(&w, out);
    jsonw_object(&w);
    if (!without_clock) {
        jsonw_ktime(&w, "generated_at", f->generated_ms);
        jsonw_ktime(&w, "not_after", f->not_after_ms);
    }
    jsonw_key(&w, "images");
    jsonw_object(&w);
    for (size_t i = 0; i < f->n && !out->failed; i++)
        put_image(&w, &f->images[i]);
    jsonw_object_end(&w);
    jsonw_key(&w, "limits");
    jsonw_object(&w);
    jsonw_kint(&w, "scan_max_age_seconds", f->limits.scan_max_age_ms / MS_SECOND);
    jsonw_kint(&w, "database_max_age_seconds", f->limits.database_max_age_ms / MS_SECOND);
    jsonw_object_end(&w);
    put_tags(&w, f, out);
    jsonw_object_end(&w);
}

static void put_manifest(const struct opa_facts *f, const char *revision, struct buf *out)
{
    struct jsonw w;

    jsonw_init(&w, out);
    jsonw_object(&w);
    put_text(&w, "revision", revision);
    jsonw_key(&w, "roots");
    jsonw_array(&w);
    jsonw_str(&w, "keep");
    jsonw_array_end(&w);
    jsonw_kint(&w, "rego_version", 1);
    jsonw_key(&w, "metadata");
    jsonw_object(&w);
    jsonw_kint(&w, "revision", f->issued);
    jsonw_ktime(&w, "not_after", f->not_after_ms);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
}

/* ---- signing ---------------------------------------------------------------------- */

static int hash_of(const struct tar_file *f, char hex[2 * SHA256_LEN + 1], struct err *err)
{
    struct bytes what = f->content;
    uint8_t hash[SHA256_LEN];
    struct arena arena;
    struct json doc;
    struct buf b = { 0 };
    int rc = 0;

    arena_init(&arena, 24 * what.len + (1 << 20));
    if (opa_is_structured(f->name)) {
        const struct json_opts opts = { .max_values = UINT32_MAX };
        buf_init(&b, OPA_BUNDLE_MAX);
        rc = json_parse(&arena, what.ptr, what.len, &opts, &doc, err);
        if (rc == 0)
            opa_canonical(&doc, (const char *)what.ptr, false, &b);
        what = (struct bytes){ (const unsigned char *)b.ptr, b.len };
        if (b.failed)
            rc = err_nomem(err);
    }
    if (rc == 0) {
        sha256(what.ptr, what.len, hash);
        hex_encode(hash, sizeof hash, hex);
    }
    buf_free(&b);
    arena_clear(&arena);
    return rc;
}

static int put_signatures(const struct tar_file *files, size_t n, const struct privkey *key, struct buf *out, struct err *err)
{
    char hex[2 * SHA256_LEN + 1], kid[OPA_KEY_ID], header[100];
    struct buf payload, token;
    struct jsonw w;
    int rc = 0;

    buf_init(&payload, 1 << 20);
    buf_init(&token, 2 << 20);
    opa_key_id(privkey_public(key), kid);
    snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"%s\"}", kid);
    jsonw_init(&w, &payload);
    jsonw_object(&w);
    jsonw_key(&w, "files");
    jsonw_array(&w);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if ((rc = hash_of(&files[i], hex, err)) != 0)
            break;
        jsonw_object(&w);
        jsonw_kstr(&w, "name", files[i].name);
        jsonw_kstr(&w, "hash", hex);
        jsonw_kstr(&w, "algorithm", "SHA-256");
        jsonw_object_end(&w);
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    if (rc == 0 && payload.failed)
        rc = err_nomem(err);
    if (rc == 0)
        rc = jws_sign(key, header, (struct bytes){ (const unsigned char *)payload.ptr, payload.len }, &token, err);
    if (rc == 0)
        buf_printf(out, "{\"signatures\":[\"%s\"]}", token.ptr);
    buf_free(&payload);
    buf_free(&token);
    return rc == 0 && out->failed ? err_nomem(err) : rc;
}

int opa_bundle(const struct opa_facts *facts, const char *revision, const struct privkey *key, struct buf *out, struct err *err)
{
    struct buf manifest, data, signatures;

    buf_init(&manifest, 4096);
    buf_init(&data, OPA_BUNDLE_MAX);
    buf_init(&signatures, 4 << 20);
    put_manifest(facts, revision, &manifest);
    opa_data(facts, false, &data);
    struct tar_file files[] = {
        { ".manifest", { (const unsigned char *)manifest.ptr, manifest.len } },
        { "keep/data.json", { (const unsigned char *)data.ptr, data.len } },
        { "keep/lib.rego", { (const unsigned char *)opa_library, strlen(opa_library) } },
        { ".signatures.json", { NULL, 0 } },
    };
    int rc = manifest.failed || data.failed ? err_nomem(err) : put_signatures(files, 3, key, &signatures, err);
    files[3].content = (struct bytes){ (const unsigned char *)signatures.ptr, signatures.len };
    if (rc == 0)
        rc = tar_gz_write(files, N_ITEMS(files), out, err);
    buf_free(&manifest);
    buf_free(&data);
    buf_free(&signatures);
    return rc;
}
