/* noun_trust.c - trust: roots that nodes believe, made and signed away from the server;
 * bundle: what nodes are told.
 *
 *   keepctl trust init ROOT.json --root-key A.pub --root-key B.pub --root-key C.pub --threshold 2
 *   keepctl trust sign ROOT.json --key A.key        (offline, by each holder)
 *   keepctl trust add ROOT.json
 *
 * ROOT.json is a DSSE envelope; until somebody signed it, with an empty list of signatures. */
#include "base/base64.h"
#include "base/time.h"
#include "ctl/attest.h"
#include "ctl/call.h"
#include "ctl/file.h"
#include "ctl/nouns.h"
#include "wire/envelope.h"
#include "wire/trust.h"

#include <string.h>

static const struct column trust_columns[] = {
    { "ROOT", "version", COLUMN_NUMBER }, { "EXPIRES", "expires", COLUMN_TIME }, { "FINGERPRINT", "fingerprint", COLUMN_TEXT },
    { "ROOT KEYS NEEDED", "root_threshold", COLUMN_NUMBER }, { "BUNDLE KEYS NEEDED", "bundle_threshold", COLUMN_NUMBER },
    { "SERVER SIGNS ROOTS", "can_sign_root", COLUMN_FLAG }, { "SERVER SIGNS BUNDLES", "can_sign_bundles", COLUMN_FLAG },
    { "PROBLEM", "problem", COLUMN_TEXT }, { "NEXT BUNDLE KEY", "next_bundle_key", COLUMN_TEXT },
};
static const struct column bundle_columns[] = {
    { "SCOPE", "scope", COLUMN_TEXT }, { "VERSION", "version", COLUMN_NUMBER }, { "SIGNED", "signed_at", COLUMN_TIME },
    { "EXPIRES", "expires", COLUMN_TIME }, { "EXPIRED", "expired", COLUMN_FLAG }, { "NODES", "nodes", COLUMN_NUMBER },
    { "CURRENT", "current", COLUMN_NUMBER }, { "BYTES", "bytes", COLUMN_NUMBER }, { "CAUSE", "cause", COLUMN_TEXT },
};
static const struct command_option list_options[] = { LIMIT_OPTION };
static const struct command_option init_options[] = {
    { "root-key", "FILE", "PEM file with the public key (Ed25519) of somebody who may sign roots; may be repeated.", true },
    { "threshold", "N", "How many of them must sign (1).", false },
    { "expires-in", "DURATION", "Until when nodes take anything under it (365d).", false },
    { "replace", NULL, "Replace the file when it is there.", false },
};
static const struct command_option sign_options[] = { { "key", "FILE", "PEM file with the private key (Ed25519).", false } };

static const struct api_call show_call = { .method = "GET", .target = "/v1/trust", .columns = trust_columns, .n_columns = N_ITEMS(trust_columns) };
static const struct api_call add_call = { .method = "POST", .target = "/v1/trust/roots", .columns = trust_columns, .n_columns = N_ITEMS(trust_columns) };
static const struct api_call rotate_call = { .method = "POST", .target = "/v1/trust/bundle-key", .columns = trust_columns,
    .n_columns = N_ITEMS(trust_columns), .next = "keepctl trust show" };
static const struct api_call bundle_call = { .method = "GET", .target = "/v1/bundles", .columns = bundle_columns, .n_columns = N_ITEMS(bundle_columns),
    .empty = "no bundles: there are no nodes; keepctl node invite" };

/* ---- init ------------------------------------------------------------------------------- */

struct making {
    struct ctl *c;
    struct trust_root root;
    size_t n_root;
};

static int room_for(struct making *m, struct err *err)
{
    m->root.keys = arena_array(&m->c->arena, TRUST_KEYS_MAX, sizeof *m->root.keys);
    return m->root.keys == NULL ? err_nomem(err) : 0;
}

static int add_key(struct making *m, const char *pem, size_t len, struct trust_role *role, struct err *err)
{
    struct pubkey *key = &m->root.keys[m->root.n_keys];

    if (m->root.n_keys == TRUST_KEYS_MAX)
        return err_set(err, ERR_INVALID, "a root has at most %d keys", TRUST_KEYS_MAX);
    if (pubkey_from_pem(pem, len, key, err) != 0)
        return -1;
    if (key->alg != KEY_ED25519)
        return err_set(err, ERR_INVALID, "only Ed25519 keys sign roots and bundles");
    for (size_t i = 0; i < role->n; i++)
        if (pubkey_same(role->keys[i], key))
            return err_set(err, ERR_INVALID, "the same key twice");
    role->keys[role->n++] = key;
    m->root.n_keys++;
    return 0;
}

static int add_root_keys(struct making *m, struct err *err)
{
    const char *file;

    for (size_t i = 0; (file = command_get_nth(m->c->cl, "root-key", i)) != NULL; i++) {
        struct bytes pem;
        if (file_read(&m->c->arena, file, PEM_MAX, &pem, err) != 0)
            return -1;
        if (add_key(m, (const char *)pem.ptr, pem.len, &m->root.root, err) != 0)
            return err_prefix(err, "%s", file);
    }
    return m->root.root.n == 0 ? err_set(err, ERR_INVALID, "--root-key FILE: whose keys sign roots?") : 0;
}

/* The key that waits to be named, else those that sign now. */
static int add_bundle_keys(struct making *m, const struct json *trust, struct err *err)
{
    const char *next = json_get_str(trust, "next_bundle_key", NULL);
    const struct json *keys = json_get(trust, "keys");

    if (next != NULL)
        return add_key(m, next, strlen(next), &m->root.bundle, err);
    for (uint32_t i = 0; i < json_len(keys); i++) {
        const char *pem = json_get_str(json_at(keys, i), "public_key", "");
        if (str_eq(json_get_str(json_at(keys, i), "role", ""), "bundle") && add_key(m, pem, strlen(pem), &m->root.bundle, err) != 0)
            return -1;
    }
    return m->root.bundle.n == 0 ? err_set(err, ERR_UNPROCESSABLE, "the server names no key that signs bundles") : 0;
}

static int set_terms(struct making *m, const struct json *trust, struct err *err)
{
    const char *threshold = ctl_option(m->c, "threshold"), *life = ctl_option(m->c, "expires-in");
    int64_t n = 1, life_ms = 365 * MS_DAY;

    if (threshold != NULL && !str_to_i64(threshold, 1, (int64_t)m->root.root.n, &n))
        return err_set(err, ERR_INVALID, "--threshold: 1 to %zu, as many as there are root keys", m->root.root.n);
    if (life != NULL && !time_parse_duration(life, &life_ms))
        return err_set(err, ERR_INVALID, "--expires-in: a length of time like 90d is expected");
    m->root.version = json_int(json_get(trust, "version"), 0) + 1;
    m->root.expires_ms = (time_now_ms() + life_ms) / MS_SECOND * MS_SECOND;
    m->root.root.threshold = (size_t)n;
    m->root.bundle.threshold = 1;
    return 0;
}

/* An envelope with these signatures, which are JSON already. */
static int write_envelope(struct ctl *c, const char *file, struct bytes payload, const char *signatures, bool replace, struct err *err)
{
    char *text = arena_bytes(&c->arena, base64_encoded_len(payload.len) + 1);

    if (text == NULL)
        return err_nomem(err);
    base64_encode(payload.ptr, payload.len, BASE64_STD, text);
    const char *all = arena_printf(&c->arena, "{\"payloadType\":\"" TRUST_ROOT_TYPE "\",\"payload\":\"%s\",\"signatures\":[%s]}\n", text, signatures);
    if (all == NULL)
        return err_nomem(err);
    return file_write(file, (struct bytes){ (const unsigned char *)all, strlen(all) }, 0644, replace, err);
}

static int make_root(struct making *m, const struct json *trust, struct err *err)
{
    struct buf payload;

    if (room_for(m, err) != 0 || add_root_keys(m, err) != 0 || add_bundle_keys(m, trust, err) != 0 || set_terms(m, trust, err) != 0)
        return -1;
    buf_init(&payload, TRUST_ROOT_MAX);
    int rc = trust_root_write(&m->root, &payload, err);
    if (rc == 0)
        rc = write_envelope(m->c, ctl_arg(m->c, 0), (struct bytes){ (unsigned char *)payload.ptr, payload.len }, "", ctl_option(m->c, "replace") != NULL, err);
    buf_free(&payload);
    return rc;
}

static int trust_init(struct ctl *c)
{
    struct client_request r = { .method = "GET", .target = "/v1/trust" };
    struct making m = { .c = c };
    struct err err = { 0 };
    struct json trust;

    int rc = ctl_send(c, &r, &trust, NULL);
    if (rc != 0)
        return rc;
    if (make_root(&m, &trust, &err) != 0)
        return ctl_fail(c, &err, NULL);
    ctl_say(c, "root %lld is in %s; %zu of %zu holders sign it: keepctl trust sign %s --key KEY", (long long)m.root.version, ctl_arg(c, 0),
            m.root.root.threshold, m.root.root.n, ctl_arg(c, 0));
    return 0;
}

/* ---- sign ----------------------------------------------------------------------------------- */

struct unsigned_root {
    struct bytes payload, pae;
    const struct json *signatures;
    struct bytes text;
};

/* As an envelope, but perhaps without signatures yet. */
static int read_root(struct ctl *c, struct unsigned_root *out, struct trust_root *root, struct err *err)
{
    static const char type[] = TRUST_ROOT_TYPE;
    struct json *doc = arena_alloc(&c->arena, sizeof *doc);
    size_t n;

    if (doc == NULL)
        return err_nomem(err);
    if (file_read(&c->arena, ctl_arg(c, 0), TRUST_ROOT_MAX, &out->text, err) != 0 ||
        json_parse(&c->arena, out->text.ptr, out->text.len, NULL, doc, err) != 0)
        return -1;
    const struct json *payload = json_get(doc, "payload");
    out->signatures = json_get(doc, "signatures");
    if (!str_eq(json_get_str(doc, "payloadType", ""), type) || !json_is(payload, JSON_STRING) || !json_is(out->signatures, JSON_ARRAY))
        return err_set(err, ERR_INVALID, "%s: not a root of trust (keepctl trust init)", ctl_arg(c, 0));
    unsigned char *bytes = arena_bytes(&c->arena, base64_decoded_max(payload->n));
    if (bytes == NULL)
        return err_nomem(err);
    if (base64_decode(payload->string, payload->n, BASE64_ANY, bytes, &n) != 0)
        return err_set(err, ERR_INVALID, "%s: its payload is not base64", ctl_arg(c, 0));
    out->payload = (struct bytes){ bytes, n };
    if (trust_root_read(&c->arena, bytes, n, root, err) != 0)
        return err_prefix(err, "%s", ctl_arg(c, 0));
    return pae_encode(&c->arena, (struct bytes){ (const unsigned char *)type, sizeof type - 1 }, out->payload, &out->pae, err);
}

/* Those that are there, but for an older one of the same key. */
static void keep_signatures(const struct unsigned_root *u, const char *but, struct buf *out)
{
    for (uint32_t i = 0; i < json_len(u->signatures); i++) {
        const struct json *s = json_at(u->signatures, i);
        const char *keyid = json_get_str(s, "keyid", ""), *sig = json_get_str(s, "sig", "");
        if (!str_eq(keyid, but))
            buf_printf(out, "%s{\"keyid\":\"%s\",\"sig\":\"%s\"}", out->len > 0 ? "," : "", keyid, sig);
    }
}

static int sign_with(struct ctl *c, const struct unsigned_root *u, const struct privkey *key, struct err *err)
{
    const char *name = privkey_public(key)->fingerprint;
    char text[2 * SIG_MAX];
    uint8_t sig[SIG_MAX];
    struct buf all;
    size_t n;

    if (privkey_sign(key, u->pae.ptr, u->pae.len, sig, &n, err) != 0)
        return -1;
    base64_encode(sig, n, BASE64_STD, text);
    buf_init(&all, TRUST_ROOT_MAX);
    keep_signatures(u, name, &all);
    buf_printf(&all, "%s{\"keyid\":\"%s\",\"sig\":\"%s\"}", all.len > 0 ? "," : "", name, text);
    int rc = all.failed ? err_nomem(err) : write_envelope(c, ctl_arg(c, 0), u->payload, all.ptr, true, err);
    buf_free(&all);
    return rc;
}

static bool is_root_key(const struct trust_root *root, const struct pubkey *key)
{
    for (size_t i = 0; i < root->root.n; i++)
        if (pubkey_same(root->root.keys[i], key))
            return true;
    return false;
}

static int read_key(struct ctl *c, struct privkey **out, struct err *err)
{
    const char *file = ctl_option(c, "key");

    return file == NULL ? err_set(err, ERR_INVALID, "--key FILE: with which key?") : key_load(&c->arena, file, out, err);
}

static int trust_sign(struct ctl *c)
{
    struct unsigned_root u;
    struct privkey *key = NULL;
    struct trust_root root;
    struct err err = { 0 };

    if (read_root(c, &u, &root, &err) != 0 || read_key(c, &key, &err) != 0)
        return ctl_fail(c, &err, NULL);
    int rc = privkey_public(key)->alg != KEY_ED25519 ? err_set(&err, ERR_INVALID, "only Ed25519 keys sign roots") : sign_with(c, &u, key, &err);
    if (rc == 0) {
        ctl_say(c, "root %lld is signed by %.16s..., %s", (long long)root.version, privkey_public(key)->fingerprint,
                is_root_key(&root, privkey_public(key)) ? "one of its root keys" : "which is no root key of it: it counts only if the root before lists it");
        ctl_say(c, "next: keepctl trust add %s", ctl_arg(c, 0));
    }
    privkey_free(key);
    return rc == 0 ? 0 : ctl_fail(c, &err, NULL);
}

/* ---- add ------------------------------------------------------------------------------------- */

static int trust_add(struct ctl *c)
{
    struct client_request r = { .method = "POST", .target = "/v1/trust/roots", .content_type = "application/json" };
    struct err err = { 0 };
    struct json answer;

    if (file_read(&c->arena, ctl_arg(c, 0), TRUST_ROOT_MAX, &r.body, &err) != 0)
        return ctl_fail(c, &err, NULL);
    c->body_file = ctl_arg(c, 0);
    int rc = ctl_send(c, &r, &answer, NULL);
    return rc == 0 ? call_print(c, &answer) : rc;
}

static const struct ctl_command rows[] = {
    { PLAIN("trust show", "", 0, 0, "Show the root of trust: its keys, thresholds, end, and what the server can sign."), call_show, &show_call },
    { ROW("trust init", "ROOT.json", 1, 1, "Write the next root, with keys that stay with people, to be signed by them.", init_options, NULL), trust_init, &show_call },
    { ROW("trust sign", "ROOT.json", 1, 1, "Sign a root; needs no server.", sign_options, NULL), trust_sign, NULL },
    { PLAIN("trust add", "ROOT.json", 1, 1, "Hand the signed root to the server, which follows the chain."), trust_add, &add_call },
    { PLAIN("trust rotate", "", 0, 0, "Give the server a new key for bundles; a root must name it, which the server does where it may."), call_change, &rotate_call },
    { ROW("bundle list", "", 0, 0, "List bundles: for whom, which version, until when, and how many nodes run it.", list_options, NULL), call_list, &bundle_call },
};
const struct ctl_commands trust_commands = { rows, N_ITEMS(rows) };
