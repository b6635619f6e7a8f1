/* bundle_trust.c - the server's own keys and the roots it can make; see bundles_internal.h. */
#include "service/bundles_internal.h"

#include "base/base64.h"
#include "base/time.h"
#include "service/key_file.h"
#include "wire/envelope.h"
#include "wire/jsonw.h"

#include <stdlib.h>
#include <string.h>

int own_keys_open(const char *data_dir, bool make, struct own_keys *out, struct err *err)
{
    struct own_keys k = { 0 };
    int rc = make ? key_file_open(data_dir, ROOT_KEY_FILE, KEY_ED25519, &k.root, err)
                  : key_file_read(data_dir, ROOT_KEY_FILE, &k.root, err);

    if (rc == 0)
        rc = make ? key_file_open(data_dir, BUNDLE_KEY_FILE, KEY_ED25519, &k.bundle, err)
                  : key_file_read(data_dir, BUNDLE_KEY_FILE, &k.bundle, err);
    if (rc == 0)
        rc = key_file_read(data_dir, NEXT_KEY_FILE, &k.next, err);
    if (rc != 0) {
        own_keys_close(&k);
        return -1;
    }
    *out = k;
    return 0;
}

void own_keys_close(struct own_keys *keys)
{
    privkey_free(keys->root);
    privkey_free(keys->bundle);
    privkey_free(keys->next);
    *keys = (struct own_keys){ 0 };
}

static bool role_lists(const struct trust_role *role, const struct privkey *key)
{
    for (size_t i = 0; key != NULL && i < role->n; i++)
        if (pubkey_same(role->keys[i], privkey_public(key)))
            return true;
    return false;
}

bool own_bundle_keys(const struct own_keys *keys, const struct trust_root *root, const struct privkey *out[BUNDLE_KEYS_MAX], size_t *n)
{
    *n = 0;
    if (role_lists(&root->bundle, keys->bundle))
        out[(*n)++] = keys->bundle;
    if (role_lists(&root->bundle, keys->next))
        out[(*n)++] = keys->next;
    return *n >= root->bundle.threshold;
}

bool own_root_key_suffices(const struct own_keys *keys, const struct trust_root *root)
{
    return root->root.threshold == 1 && role_lists(&root->root, keys->root);
}

/* ---- roots in memory ----------------------------------------------------------------- */

static int payload_print(struct made_root *r, struct err *err)
{
    uint8_t hash[SHA256_LEN];
    struct envelope e;

    if (envelope_parse(&r->arena, r->envelope.ptr, r->envelope.len, &e, err) != 0)
        return -1;
    sha256(e.payload.ptr, e.payload.len, hash);
    hex_encode(hash, sizeof hash, r->fingerprint);
    return 0;
}

int made_root_new(int64_t version, struct bytes envelope, const struct trust_root *before, struct made_root **out, struct err *err)
{
    struct made_root *r = calloc(1, sizeof *r);
    enum trust_reason why;

    if (r == NULL)
        return err_nomem(err);
    arena_init(&r->arena, 4 << 20);
    char *copy = arena_strndup(&r->arena, (const char *)envelope.ptr, envelope.len);
    r->envelope = (struct bytes){ (unsigned char *)copy, envelope.len };
    r->version = version;
    int rc = copy == NULL ? err_nomem(err)
           : before != NULL ? trust_root_next(&r->arena, before, envelope.ptr, envelope.len, &r->root, &why, err)
                            : trust_root_verify(&r->arena, envelope.ptr, envelope.len, &r->root, &why, err);
    if (rc == 0 && r->root.version != version)
        rc = err_set(err, ERR_INTERNAL, "root %lld is stored as %lld", (long long)r->root.version, (long long)version);
    if (rc != 0 || payload_print(r, err) != 0) {
        made_root_free(r);
        return -1;
    }
    *out = r;
    return 0;
}

void made_root_free(struct made_root *r)
{
    if (r == NULL)
        return;
    arena_clear(&r->arena);
    free(r);
}

/* ---- making roots ---------------------------------------------------------------------- */

/* Keys of the new root: the root keys of the one before, and the one bundle key. */
static int compose(const struct own_keys *keys, const struct trust_root *before, const struct pubkey *bundle_key,
                   struct arena *arena, struct trust_root *out, struct err *err)
{
    struct trust_root r = { .version = before == NULL ? 1 : before->version + 1 };
    const struct trust_role first = { .threshold = 1, .n = 1, .keys = { privkey_public(keys->root) } };
    const struct trust_role *root = before == NULL ? &first : &before->root;

    r.keys = arena_array(arena, root->n + 1, sizeof *r.keys);
    if (r.keys == NULL)
        return err_nomem(err);
    r.root = (struct trust_role){ .threshold = root->threshold, .n = root->n };
    for (size_t i = 0; i < root->n; i++) {
        if (pubkey_from_ed25519(pubkey_ed25519(root->keys[i]), &r.keys[i], err) != 0)
            return -1;
        r.root.keys[i] = &r.keys[i];
    }
    if (pubkey_from_ed25519(pubkey_ed25519(bundle_key), &r.keys[root->n], err) != 0)
        return -1;
    r.bundle = (struct trust_role){ .threshold = 1, .n = 1, .keys = { &r.keys[root->n] } };
    r.n_keys = root->n + 1;
    *out = r;
    return 0;
}

int root_make(const struct own_keys *keys, const struct trust_root *before, const struct pubkey *bundle_key, int64_t expires_ms,
              struct arena *arena, struct bytes *envelope, struct err *err)
{
    struct buf payload, signed_root;
    struct trust_root r;

    if (compose(keys, before, bundle_key, arena, &r, err) != 0)
        return -1;
    r.expires_ms = expires_ms / MS_SECOND * MS_SECOND;
    buf_init(&payload, TRUST_ROOT_MAX);
    buf_init(&signed_root, TRUST_ROOT_MAX);
    const struct privkey *const by[] = { keys->root };
    int rc = trust_root_write(&r, &payload, err);
    if (rc == 0)
        rc = envelope_sign(arena, TRUST_ROOT_TYPE, (struct bytes){ (unsigned char *)payload.ptr, payload.len }, by, 1, &signed_root, err);
    const char *copy = rc == 0 ? arena_strndup(arena, signed_root.ptr, signed_root.len) : NULL;
    if (rc == 0 && copy == NULL)
        rc = err_nomem(err);
    if (rc == 0)
        *envelope = (struct bytes){ (const unsigned char *)copy, signed_root.len };
    buf_free(&payload);
    buf_free(&signed_root);
    return rc;
}

/* ---- the server's own signature on a root made elsewhere -------------------------------- */

static void write_signature(struct jsonw *w, const char *keyid, struct bytes sig, struct arena *arena, bool *failed)
{
    char *text = arena_bytes(arena, base64_encoded_len(sig.len) + 1);

    if (text == NULL) {
        *failed = true;
        return;
    }
    base64_encode(sig.ptr, sig.len, BASE64_STD, text);
    jsonw_object(w);
    jsonw_kstr(w, "keyid", keyid);
    jsonw_kstr(w, "sig", text);
    jsonw_object_end(w);
}

static int rewrite(const struct envelope *e, const char *keyid, struct bytes sig, struct arena *arena, struct bytes *out, struct err *err)
{
    char *payload = arena_bytes(arena, base64_encoded_len(e->payload.len) + 1);
    bool failed = payload == NULL;
    struct jsonw w;
    struct buf b;

    if (failed)
        return err_nomem(err);
    base64_encode(e->payload.ptr, e->payload.len, BASE64_STD, payload);
    buf_init(&b, TRUST_ROOT_MAX);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_kstr(&w, "payloadType", e->payload_type);
    jsonw_kstr(&w, "payload", payload);
    jsonw_key(&w, "signatures");
    jsonw_array(&w);
    for (size_t i = 0; i < e->n_sigs; i++)
        write_signature(&w, e->sigs[i].keyid, e->sigs[i].sig, arena, &failed);
    write_signature(&w, keyid, sig, arena, &failed);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    const char *copy = b.failed || failed ? NULL : arena_strndup(arena, b.ptr, b.len);
    *out = (struct bytes){ (const unsigned char *)copy, b.len };
    buf_free(&b);
    return copy == NULL ? err_nomem(err) : 0;
}

int root_countersign(const struct own_keys *keys, const struct trust_root *before, struct bytes envelope, struct arena *arena,
                     struct bytes *out, struct err *err)
{
    struct signers who;
    struct envelope e;
    uint8_t sig[SIG_MAX];
    size_t n;

    if (envelope_parse(arena, envelope.ptr, envelope.len, &e, err) != 0)
        return -1;
    *out = envelope;
    if (!role_lists(&before->root, keys->root) || e.n_sigs >= SIGNATURES_MAX)
        return 0;
    const struct pubkey *ours = privkey_public(keys->root);
    struct err ignored = { 0 };
    if (envelope_verify(&e, &ours, 1, 1, &who, &ignored) == 0)
        return 0;
    if (privkey_sign(keys->root, e.pae.ptr, e.pae.len, sig, &n, err) != 0)
        return -1;
    return rewrite(&e, ours->fingerprint, (struct bytes){ sig, n }, arena, out, err);
}
