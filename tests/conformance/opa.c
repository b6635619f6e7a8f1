/* opa.c - signed and tampered bundles: do we say what OPA was observed to say?
 *
 * compat.tsv: case, version of OPA, expected, observed, signing configuration.  Keys
 * are es (ES256), rs (RS256), ps (PS256, the same RSA key) and ed (EdDSA, which OPA
 * refuses); the secrets of hs (HS256) and hs5 (HS512) are read from hs.secret and
 * hs5.secret.  Where those are missing nobody can verify, which is said and counted as
 * a disagreement, but does not fail. */
#include "tests/conformance/set/set.h"

#include "core/opa/opa.h"

enum { KEYS = 6 };

struct keys {
    struct opa_key rows[KEYS];
    bool has_secret[KEYS];
};

static const struct { const char *id, *alg, *file; bool secret; } known[KEYS] = {
    { "es", "ES256", "es256.pub", false }, { "rs", "RS256", "rs256.pub", false }, { "ps", "PS256", "rs256.pub", false },
    { "hs", "HS256", "hs.secret", true }, { "hs5", "HS512", "hs5.secret", true }, { "ed", "EdDSA", "ed25519.pub", false },
};

static void load(struct set *s, struct keys *k)
{
    struct err err = { 0 };

    for (size_t i = 0; i < KEYS; i++) {
        struct bytes text = set_read(s, known[i].file);
        struct jws_key *key = NULL;
        if (text.ptr != NULL)
            (void)jws_key_new(jws_alg_of(known[i].alg), text.ptr, text.len, &key, &err);
        k->rows[i] = (struct opa_key){ known[i].id, key, NULL };
        k->has_secret[i] = !known[i].secret || key != NULL;
    }
}

static const char *judge(struct set *s, const struct keys *keys, const char *name, const struct json *config, struct err *err)
{
    char path[300];
    const struct tar_file *files;
    struct opa_manifest m;
    size_t n;
    struct opa_trust trust = { .is_given = json_is(config, JSON_OBJECT), .keyid = json_get_str(config, "keyid", NULL),
                               .scope = json_get_str(config, "scope", NULL), .keys = keys->rows, .n_keys = KEYS };

    snprintf(path, sizeof path, "cases/%s.tar.gz", name);
    struct bytes bundle = set_read(s, path);
    if (bundle.ptr == NULL)
        return err_set(err, ERR_NOT_FOUND, "no such file"), "missing";
    if (tar_gz_read(bundle.ptr, bundle.len, NULL, &s->arena, &files, &n, err) != 0 || opa_verify(files, n, &trust, &s->arena, &m, err) != 0)
        return "error";
    return arena_printf(&s->arena, "ok rev=%s", m.revision);
}

/* Only that the secret is missing? */
static bool is_explained(const struct keys *keys, const struct json *config, const char *got)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (str_eq(json_get_str(config, "keyid", ""), known[i].id) && !keys->has_secret[i])
            return str_eq(got, "error");
    }
    return false;
}

int main(int argc, char **argv)
{
    struct set s;
    struct keys keys;
    struct err err = { 0 };
    unsigned explained = 0;

    set_open(&s, argc, argv, "opa");
    if (crypto_init(&err) != 0)
        return 1;
    load(&s, &keys);
    struct bytes table = set_read(&s, "compat.tsv");
    char *text = table.ptr != NULL ? arena_strndup(&s.arena, (const char *)table.ptr, table.len) : NULL;
    for (char *line = text != NULL ? strchr(text, '\n') : NULL; line != NULL && line[1] != '\0';) {
        char *row = line + 1, *f[5], where[200];
        struct json config;
        line = strchr(row, '\n');
        if (line != NULL)
            *line = '\0';
        set_fields(row, f, N_ITEMS(f));
        if (json_parse(&s.arena, f[4], strlen(f[4]), NULL, &config, &err) != 0)
            return 1;
        const char *expected = str_starts(f[3], "ok") ? f[3] : "error", *got = judge(&s, &keys, f[0], &config, &err);
        snprintf(where, sizeof where, "%s (OPA %s)", f[0], f[1]);
        bool missing = strcmp(expected, got) != 0 && is_explained(&keys, &config, got);
        explained += missing;
        set_check(&s, where, expected, got, missing ? "explained: the shared secret is not in the folder, so the MAC cannot be verified" : err.msg);
    }
    for (size_t i = 0; i < KEYS; i++)
        jws_key_free((struct jws_key *)(uintptr_t)keys.rows[i].key);
    unsigned left = s.cases - s.agreed - explained;
    (void)set_close(&s);
    return left > 0;
}
