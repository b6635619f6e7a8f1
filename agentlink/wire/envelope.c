/* envelope.c - see envelope.h. */
#include "wire/envelope.h"
#include "base/base64.h"
#include "wire/jsonw.h"

#include <stdio.h>
#include <string.h>

/* Room for a body behind the right beginning; NULL without memory. */
static unsigned char *pae_begin(struct arena *arena, struct bytes type, size_t body_len, struct bytes *pae)
{
    char head[48], mid[32];
    int n_head = snprintf(head, sizeof head, "DSSEv1 %zu ", type.len);
    int n_mid = snprintf(mid, sizeof mid, " %zu ", body_len);
    size_t begin = (size_t)n_head + type.len + (size_t)n_mid;
    /* base64_decode may touch up to three bytes behind what it reports. */
    unsigned char *p = arena_bytes(arena, begin + body_len + 3);

    if (p == NULL)
        return NULL;
    memcpy(p, head, (size_t)n_head);
    if (type.len > 0)
        memcpy(p + n_head, type.ptr, type.len);
    memcpy(p + (size_t)n_head + type.len, mid, (size_t)n_mid);
    *pae = (struct bytes){ p, begin + body_len };
    return p + begin;
}

int pae_encode(struct arena *arena, struct bytes type, struct bytes body, struct bytes *out, struct err *err)
{
    unsigned char *to = pae_begin(arena, type, body.len, out);

    if (to == NULL)
        return err_nomem(err);
    if (body.len > 0)
        memcpy(to, body.ptr, body.len);
    return 0;
}

/* ---- parse ---------------------------------------------------------------- */

/* A member that must be a string; NULL after err_set. */
static const struct json *text_member(const struct json *v, const char *key, struct err *err)
{
    const struct json *m = json_get(v, key);

    if (json_is(m, JSON_STRING))
        return m;
    err_set(err, ERR_INVALID, "envelope: \"%s\" is %s", key, m == NULL ? "missing" : "not a string");
    return NULL;
}

static size_t decoded_len(const struct json *text)
{
    size_t n = text->n;

    while (n > 0 && text->string[n - 1] == '=')
        n--;
    return n / 4 * 3 + (n % 4 > 1 ? n % 4 - 1 : 0);
}

static int parse_payload(struct arena *arena, const struct json *text, unsigned rules, struct envelope *env,
                         struct err *err)
{
    struct bytes type = { (const unsigned char *)env->payload_type, strlen(env->payload_type) };
    size_t expected = decoded_len(text), n;

    if (type.len > ENVELOPE_TYPE_MAX || expected > ENVELOPE_PAYLOAD_MAX)
        return err_set(err, ERR_TOO_LARGE, "envelope: payload or its type is over its bound");
    unsigned char *to = pae_begin(arena, type, expected, &env->pae);
    if (to == NULL)
        return err_nomem(err);
    if (base64_decode(text->string, text->n, rules, to, &n) != 0 || n != expected)
        return err_set(err, ERR_INVALID, "envelope: \"payload\" is not strict base64");
    env->payload = (struct bytes){ to, n };
    return 0;
}

static int parse_signature(struct arena *arena, const struct json *v, unsigned rules, struct signature *out,
                           struct err *err)
{
    const struct json *sig = text_member(v, "sig", err), *keyid = json_get(v, "keyid");

    if (sig == NULL)
        return -1;
    if (keyid != NULL && keyid->type != JSON_STRING && keyid->type != JSON_NULL)
        return err_set(err, ERR_INVALID, "envelope: \"keyid\" is not a string");
    if (sig->n > ENVELOPE_SIG_MAX / 3 * 4)
        return err_set(err, ERR_TOO_LARGE, "envelope: \"sig\" of %u characters", (unsigned)sig->n);
    unsigned char *bytes = arena_bytes(arena, base64_decoded_max(sig->n));
    if (bytes == NULL)
        return err_nomem(err);
    size_t n;
    if (base64_decode(sig->string, sig->n, rules, bytes, &n) != 0)
        return err_set(err, ERR_INVALID, "envelope: \"sig\" is not strict base64");
    *out = (struct signature){ json_str(keyid, ""), { bytes, n } };
    return 0;
}

int envelope_from_json(struct arena *arena, const struct json *v, unsigned base64_rules,
                       struct envelope *out, struct err *err)
{
    struct envelope env = { 0 };
    const struct json *type = NULL, *payload = NULL, *sigs = json_get(v, "signatures");

    if (!json_is(v, JSON_OBJECT))
        return err_set(err, ERR_INVALID, "envelope: not an object");
    if ((type = text_member(v, "payloadType", err)) == NULL || (payload = text_member(v, "payload", err)) == NULL)
        return -1;
    if (!json_is(sigs, JSON_ARRAY))
        return err_set(err, ERR_INVALID, "envelope: \"signatures\" is not a list");
    if (sigs->n == 0 || sigs->n > SIGNATURES_MAX)
        return err_set(err, ERR_INVALID, "envelope: %u signatures, 1 to %d expected", (unsigned)sigs->n, SIGNATURES_MAX);
    env.payload_type = type->string;
    for (; env.n_sigs < sigs->n; env.n_sigs++) {
        const struct json *sig = json_at(sigs, (uint32_t)env.n_sigs);
        if (parse_signature(arena, sig, base64_rules, &env.sigs[env.n_sigs], err) != 0)
            return -1;
    }
    if (parse_payload(arena, payload, base64_rules, &env, err) != 0)
        return -1;
    *out = env;
    return 0;
}

int envelope_parse(struct arena *arena, const void *text, size_t len, struct envelope *out, struct err *err)
{
    struct json doc;

    if (len > ENVELOPE_MAX)
        return err_set(err, ERR_TOO_LARGE, "envelope: %zu bytes, at most %d expected", len, ENVELOPE_MAX);
    if (json_parse(arena, text, len, NULL, &doc, err) != 0)
        return err_prefix(err, "envelope");
    return envelope_from_json(arena, &doc, BASE64_ANY, out, err);
}

int envelope_verify(const struct envelope *env, const struct pubkey *const keys[], size_t n_keys,
                    size_t threshold, struct signers *who, struct err *err)
{
    return signature_verify(env->pae, env->sigs, env->n_sigs, keys, n_keys, threshold, who, err);
}

/* ---- sign ----------------------------------------------------------------- */

static void put_base64(struct buf *out, const void *bytes, size_t len)
{
    char *to = buf_room(out, base64_encoded_len(len));

    if (to != NULL)
        buf_grown(out, base64_encode(bytes, len, BASE64_STD, to));
}

int envelope_sign(struct arena *arena, const char *payload_type, struct bytes payload,
                  const struct privkey *const keys[], size_t n_keys, struct buf *out, struct err *err)
{
    struct bytes type = { (const unsigned char *)payload_type, strlen(payload_type) }, pae;
    struct jsonw w;

    if (n_keys == 0 || n_keys > SIGNATURES_MAX)
        return err_set(err, ERR_INTERNAL, "envelope: %zu keys to sign with", n_keys);
    if (payload.len > ENVELOPE_PAYLOAD_MAX || type.len > ENVELOPE_TYPE_MAX)
        return err_set(err, ERR_TOO_LARGE, "envelope: payload or its type is over its bound");
    if (pae_encode(arena, type, payload, &pae, err) != 0)
        return -1;
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_kstr(&w, "payloadType", payload_type);
    jsonw_key(&w, "payload");
    buf_putc(out, '"');
    put_base64(out, payload.ptr, payload.len);
    buf_puts(out, "\",\"signatures\":[");
    for (size_t i = 0; i < n_keys; i++) {
        uint8_t sig[SIG_MAX];
        size_t n;
        if (privkey_sign(keys[i], pae.ptr, pae.len, sig, &n, err) != 0)
            return -1;
        buf_printf(out, "%s{\"keyid\":\"%s\",\"sig\":\"", i > 0 ? "," : "", privkey_public(keys[i])->fingerprint);
        put_base64(out, sig, n);
        buf_puts(out, "\"}");
    }
    buf_puts(out, "]}");
    return out->failed ? err_nomem(err) : 0;
}
