/* trust.c - roots of trust; see trust.h. */
#include "wire/trust.h"

#include "base/base64.h"
#include "base/time.h"
#include "wire/jsonw.h"
#include "wire/trust_internal.h"

#include <string.h>

static const char *const reason_words[TRUST_REASON_N] = {
    [TRUST_FINE] = "fine", [TRUST_MALFORMED] = "malformed", [TRUST_SIGNATURE] = "signature", [TRUST_VERSION] = "version",
    [TRUST_ROLLBACK] = "rollback", [TRUST_EQUIVOCATION] = "equivocation", [TRUST_EXPIRED] = "expired",
    [TRUST_AUDIENCE] = "audience", [TRUST_ROOT_AHEAD] = "root_ahead", [TRUST_MIXED] = "mixed",
};

const char *trust_reason_word(enum trust_reason reason)
{
    return reason_words[reason];
}

/* ---- what roots and bundles share ----------------------------------------------- */

int trust_envelope(struct arena *arena, const char *what, const char *type, const void *text, size_t len, size_t max,
                   struct envelope *out, struct err *err)
{
    if (len > max)
        return err_set(err, ERR_TOO_LARGE, "%s: %zu bytes, at most %zu expected", what, len, max);
    if (envelope_parse(arena, text, len, out, err) != 0)
        return err_prefix(err, "%s", what);
    if (!str_eq(out->payload_type, type))
        return err_set(err, ERR_INVALID, "%s: payload type %.60s, %s expected", what, out->payload_type, type);
    return 0;
}

int trust_payload(struct arena *arena, const char *what, const void *payload, size_t len, struct json *out, struct err *err)
{
    const struct json_opts bounds = { .max_depth = 8, .max_values = 4096 };

    if (json_parse(arena, payload, len, &bounds, out, err) != 0)
        return err_prefix(err, "%s", what);
    if (!json_is(out, JSON_OBJECT) || !str_eq(json_get_str(out, "_type", NULL), what))
        return err_set(err, ERR_INVALID, "%s: \"_type\" is not \"%s\"", what, what);
    return 0;
}

int trust_integer(const char *what, const struct json *doc, const char *key, int64_t *out, struct err *err)
{
    const struct json *v = json_get(doc, key);

    if (!json_is(v, JSON_INT) || v->i < 1)
        return err_set(err, ERR_INVALID, "%s: \"%s\" is not an integer of 1 or more", what, key);
    *out = v->i;
    return 0;
}

int trust_time(const char *what, const struct json *doc, const char *key, int64_t *out, struct err *err)
{
    const char *text = json_get_str(doc, key, "");
    size_t len = strlen(text);
    int64_t at_ms;

    if (len < 20 || text[10] != 'T' || text[len - 1] != 'Z' || !time_parse(text, &at_ms) || at_ms == TIME_UNKNOWN)
        return err_set(err, ERR_INVALID, "%s: \"%s\" is not a time like 2026-11-25T13:11:58Z", what, key);
    *out = at_ms;
    return 0;
}

int trust_signed_by(const struct envelope *e, const struct trust_role *role, const char *whose, struct err *err)
{
    struct signers who;

    if (envelope_verify(e, role->keys, role->n, role->threshold, &who, err) != 0)
        return err_prefix(err, "%s", whose);
    return 0;
}

/* ---- reading a root ---------------------------------------------------------------- */

/* A key is called by its own fingerprint, so one key cannot have two names. */
static int read_key(const char *name, const struct json *v, struct pubkey *out, struct err *err)
{
    const struct json *pub = json_get(v, "pub");
    uint8_t raw[48];
    size_t n = 0;

    if (!str_eq(json_get_str(v, "alg", NULL), "ed25519"))
        return err_set(err, ERR_INVALID, "root: key %.16s: only ed25519 keys are taken", name);
    if (!json_is(pub, JSON_STRING) || pub->n != 44 || base64_decode(pub->string, pub->n, BASE64_STD, raw, &n) != 0 || n != 32)
        return err_set(err, ERR_INVALID, "root: key %.16s: \"pub\" is not 32 bytes in base64", name);
    if (pubkey_from_ed25519(raw, out, err) != 0)
        return err_prefix(err, "root: key %.16s", name);
    if (!str_eq(name, out->fingerprint))
        return err_set(err, ERR_INVALID, "root: key %.16s is called by a name that is not its fingerprint", name);
    return 0;
}

static int read_keys(struct arena *arena, const struct json *v, struct trust_root *root, struct err *err)
{
    uint32_t n = json_n_members(v);

    if (n == 0 || n > TRUST_KEYS_MAX)
        return err_set(err, ERR_INVALID, "root: \"keys\" has %u members, 1 to %d expected", (unsigned)n, TRUST_KEYS_MAX);
    root->keys = arena_array(arena, n, sizeof *root->keys);
    if (root->keys == NULL)
        return err_nomem(err);
    for (uint32_t i = 0; i < n; i++)
        if (read_key(v->members[i].key, &v->members[i].value, &root->keys[i], err) != 0)
            return -1;
    root->n_keys = n;
    return 0;
}

static const struct pubkey *key_named(const struct trust_root *root, const char *name)
{
    for (size_t i = 0; i < root->n_keys; i++)
        if (str_eq(root->keys[i].fingerprint, name))
            return &root->keys[i];
    return NULL;
}

static bool role_has(const struct trust_role *role, const struct pubkey *key)
{
    for (size_t i = 0; i < role->n; i++)
        if (pubkey_same(role->keys[i], key))
            return true;
    return false;
}

static int read_role(const struct trust_root *root, const char *name, const struct json *v, struct trust_role *out,
                     struct err *err)
{
    const struct json *ids = json_get(v, "keyids");
    struct trust_role role = { 0 };
    int64_t threshold;

    if (json_len(ids) == 0 || json_len(ids) > TRUST_KEYS_MAX)
        return err_set(err, ERR_INVALID, "root: role %s: \"keyids\" is not a list of 1 to %d", name, TRUST_KEYS_MAX);
    for (uint32_t i = 0; i < json_len(ids); i++) {
        const struct pubkey *key = key_named(root, json_str(json_at(ids, i), ""));
        if (key == NULL)
            return err_set(err, ERR_INVALID, "root: role %s: key id %u is not among \"keys\"", name, (unsigned)i);
        if (role_has(&role, key))
            return err_set(err, ERR_INVALID, "root: role %s: key id %u is there twice", name, (unsigned)i);
        role.keys[role.n++] = key;
    }
    if (trust_integer("root", v, "threshold", &threshold, err) != 0)
        return -1;
    if (threshold > (int64_t)role.n)
        return err_set(err, ERR_INVALID, "root: role %s: threshold %lld of %zu keys", name, (long long)threshold, role.n);
    role.threshold = (size_t)threshold;
    *out = role;
    return 0;
}

int trust_root_read(struct arena *arena, const void *payload, size_t len, struct trust_root *out, struct err *err)
{
    struct trust_root root = { 0 };
    struct json doc;

    if (trust_payload(arena, "root", payload, len, &doc, err) != 0 ||
        trust_integer("root", &doc, "version", &root.version, err) != 0 ||
        trust_time("root", &doc, "expires", &root.expires_ms, err) != 0 ||
        read_keys(arena, json_get(&doc, "keys"), &root, err) != 0 ||
        read_role(&root, "root", json_path(&doc, "roles.root"), &root.root, err) != 0 ||
        read_role(&root, "bundle", json_path(&doc, "roles.bundle"), &root.bundle, err) != 0)
        return -1;
    *out = root;
    return 0;
}

/* ---- believing a root ---------------------------------------------------------------- */

/* The first root brings its own judges: that is what pinning it means.  A later one is
 * judged by the root before it first, over the bytes, and only then read. */
static int believe(struct arena *arena, const struct trust_root *before, const void *envelope, size_t len,
                   struct trust_root *out, enum trust_reason *why, struct err *err)
{
    struct trust_root root;
    struct envelope e;

    if (trust_envelope(arena, "root", TRUST_ROOT_TYPE, envelope, len, TRUST_ROOT_MAX, &e, err) != 0)
        return trust_no(why, TRUST_MALFORMED);
    if (before != NULL && trust_signed_by(&e, &before->root, "root: keys of the root before", err) != 0)
        return trust_no(why, TRUST_SIGNATURE);
    if (trust_root_read(arena, e.payload.ptr, e.payload.len, &root, err) != 0)
        return trust_no(why, TRUST_MALFORMED);
    if (before != NULL && (before->version == INT64_MAX || root.version != before->version + 1)) {
        err_set(err, ERR_UNPROCESSABLE, "root: version %lld does not follow %lld", (long long)root.version, (long long)before->version);
        return trust_no(why, TRUST_VERSION);
    }
    if (trust_signed_by(&e, &root.root, "root: its own keys", err) != 0)
        return trust_no(why, TRUST_SIGNATURE);
    *out = root;
    return 0;
}

int trust_root_verify(struct arena *arena, const void *envelope, size_t len, struct trust_root *out,
                      enum trust_reason *why, struct err *err)
{
    return believe(arena, NULL, envelope, len, out, why, err);
}

int trust_root_next(struct arena *arena, const struct trust_root *now, const void *envelope, size_t len,
                    struct trust_root *out, enum trust_reason *why, struct err *err)
{
    return believe(arena, now, envelope, len, out, why, err);
}

bool trust_bundle_role_same(const struct trust_root *a, const struct trust_root *b)
{
    if (a->bundle.threshold != b->bundle.threshold || a->bundle.n != b->bundle.n)
        return false;
    for (size_t i = 0; i < a->bundle.n; i++)
        if (!role_has(&b->bundle, a->bundle.keys[i]))
            return false;
    return true;
}

void trust_floor_follow(struct trust_floor *floor, const struct trust_root *before, const struct trust_root *after)
{
    if (!trust_bundle_role_same(before, after))
        *floor = (struct trust_floor){ 0 };
}

/* ---- writing a root -------------------------------------------------------------------- */

static void write_role(const struct trust_role *role, const char *name, struct jsonw *w)
{
    jsonw_key(w, name);
    jsonw_object(w);
    jsonw_key(w, "keyids");
    jsonw_array(w);
    for (size_t i = 0; i < role->n; i++)
        jsonw_str(w, role->keys[i]->fingerprint);
    jsonw_array_end(w);
    jsonw_kint(w, "threshold", (int64_t)role->threshold);
    jsonw_object_end(w);
}

static void write_key(const struct pubkey *key, struct jsonw *w)
{
    char pub[48];

    base64_encode(pubkey_ed25519(key), 32, BASE64_STD, pub);
    jsonw_key(w, key->fingerprint);
    jsonw_object(w);
    jsonw_kstr(w, "alg", key_alg_word(key->alg));
    jsonw_kstr(w, "pub", pub);
    jsonw_object_end(w);
}

int trust_root_write(const struct trust_root *root, struct buf *out, struct err *err)
{
    struct jsonw w;

    for (size_t i = 0; i < root->n_keys; i++)
        if (root->keys[i].alg != KEY_ED25519)
            return err_set(err, ERR_INVALID, "root: only ed25519 keys are taken");
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_kstr(&w, "_type", "root");
    jsonw_kint(&w, "version", root->version);
    jsonw_ktime(&w, "expires", root->expires_ms);
    jsonw_key(&w, "keys");
    jsonw_object(&w);
    for (size_t i = 0; i < root->n_keys; i++)
        write_key(&root->keys[i], &w);
    jsonw_object_end(&w);
    jsonw_key(&w, "roles");
    jsonw_object(&w);
    write_role(&root->root, "root", &w);
    write_role(&root->bundle, "bundle", &w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    return out->failed ? err_nomem(err) : 0;
}
