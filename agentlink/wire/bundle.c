/* bundle.c - see bundle.h. */
#include "wire/bundle.h"
#include "base/base64.h"

#include <string.h>

/* Bundles are protobuf JSON, whose base64 may do without padding. */
enum { BUNDLE_BASE64 = BASE64_ANY | BASE64_PAD_OPTIONAL, CERTIFICATES_MAX = 16 };

static const struct {
    const char *media_type;
    enum bundle_form form;
} versions[] = {
    { "application/vnd.dev.sigstore.bundle+json;version=0.1", BUNDLE_V01 },
    { "application/vnd.dev.sigstore.bundle+json;version=0.2", BUNDLE_V02 },
    { "application/vnd.dev.sigstore.bundle+json;version=0.3", BUNDLE_V03 },
    { "application/vnd.dev.sigstore.bundle.v0.3+json", BUNDLE_V03 },
};

enum bundle_form bundle_detect(const struct json *doc)
{
    if (json_get(doc, "verificationMaterial") != NULL ||
        str_starts(json_get_str(doc, "mediaType", ""), "application/vnd.dev.sigstore.bundle"))
        return BUNDLE_V03;
    return json_get(doc, "payloadType") != NULL && json_get(doc, "signatures") != NULL ? BUNDLE_BARE : BUNDLE_NONE;
}

static enum bundle_form version_of(const char *media_type)
{
    for (size_t i = 0; i < N_ITEMS(versions); i++) {
        if (str_eq(media_type, versions[i].media_type))
            return versions[i].form;
    }
    return BUNDLE_NONE;
}

/* A base64 member, decoded into the arena. */
static int bytes_member(struct arena *arena, const struct json *v, const char *key, size_t max, struct bytes *out,
                        struct err *err)
{
    const struct json *text = json_get(v, key);
    size_t n;

    if (!json_is(text, JSON_STRING) || text->n == 0 || text->n / 4 * 3 > max)
        return err_set(err, ERR_INVALID, "bundle: \"%s\" is missing or out of bounds", key);
    unsigned char *p = arena_bytes(arena, base64_decoded_max(text->n));
    if (p == NULL)
        return err_nomem(err);
    if (base64_decode(text->string, text->n, BUNDLE_BASE64, p, &n) != 0)
        return err_set(err, ERR_INVALID, "bundle: \"%s\" is not strict base64", key);
    *out = (struct bytes){ p, n };
    return 0;
}

/* ---- verificationMaterial -------------------------------------------------- */

static int parse_chain(struct arena *arena, const struct json *chain, struct bundle *b, struct err *err)
{
    const struct json *certificates = json_get(chain, "certificates");
    uint32_t n = json_len(certificates);

    if (b->form == BUNDLE_V03)
        return err_set(err, ERR_INVALID, "bundle: version 0.3 carries one certificate, not a chain");
    if (n == 0 || n > CERTIFICATES_MAX)
        return err_set(err, ERR_INVALID, "bundle: %u certificates, 1 to %d expected", (unsigned)n, CERTIFICATES_MAX);
    return bytes_member(arena, json_at(certificates, 0), "rawBytes", 64 * 1024, &b->certificate, err);
}

/* Exactly one of publicKey, certificate, x509CertificateChain. */
static int parse_material(struct arena *arena, const struct json *v, struct bundle *b, struct err *err)
{
    const struct json *key = json_get(v, "publicKey"), *certificate = json_get(v, "certificate");
    const struct json *chain = json_get(v, "x509CertificateChain");

    if ((key != NULL) + (certificate != NULL) + (chain != NULL) != 1)
        return err_set(err, ERR_INVALID, "bundle: exactly one of publicKey, certificate and chain is expected");
    if (certificate != NULL)
        return bytes_member(arena, certificate, "rawBytes", 64 * 1024, &b->certificate, err);
    if (chain != NULL)
        return parse_chain(arena, chain, b, err);
    const struct json *hint = json_get(key, "hint");
    if (!json_is(key, JSON_OBJECT) || (hint != NULL && hint->type != JSON_STRING))
        return err_set(err, ERR_INVALID, "bundle: \"publicKey\" is not an object with a hint");
    b->key_hint = json_str(hint, NULL);
    return 0;
}

/* ---- content ---------------------------------------------------------------- */

static int parse_envelope(struct arena *arena, const struct json *v, struct bundle *b, struct err *err)
{
    if (envelope_from_json(arena, v, BUNDLE_BASE64, &b->envelope, err) != 0)
        return -1;
    if (b->envelope.n_sigs != 1)
        return err_set(err, ERR_INVALID, "bundle: %zu signatures, exactly one expected", b->envelope.n_sigs);
    const char *keyid = b->envelope.sigs[0].keyid;
    if (keyid[0] != '\0' && b->key_hint != NULL && b->key_hint[0] != '\0' && !str_eq(keyid, b->key_hint))
        return err_set(err, ERR_INVALID, "bundle: key hint and key id differ");
    b->has_envelope = true;
    return 0;
}

static int parse_message(struct arena *arena, const struct json *v, struct bundle *b, struct err *err)
{
    const struct json *digest = json_get(v, "messageDigest");
    struct bytes hash;

    if (bytes_member(arena, v, "signature", ENVELOPE_SIG_MAX, &b->message.sig, err) != 0)
        return -1;
    b->message.keyid = b->key_hint != NULL ? b->key_hint : "";
    if (digest == NULL || digest->type == JSON_NULL)
        return 0;
    if (!str_eq(json_get_str(digest, "algorithm", ""), "SHA2_256"))
        return err_set(err, ERR_INVALID, "bundle: the message digest is not SHA2_256");
    if (bytes_member(arena, digest, "digest", 64, &hash, err) != 0)
        return -1;
    if (hash.len != sizeof b->digest)
        return err_set(err, ERR_INVALID, "bundle: the message digest is not 32 bytes long");
    memcpy(b->digest, hash.ptr, hash.len);
    b->has_digest = true;
    return 0;
}

int bundle_from_json(struct arena *arena, const struct json *doc, struct bundle *out, struct err *err)
{
    struct bundle b = { .form = bundle_detect(doc) };

    if (b.form == BUNDLE_NONE)
        return err_set(err, ERR_INVALID, "neither a DSSE envelope nor a Sigstore bundle");
    if (b.form == BUNDLE_BARE) {
        b.has_envelope = true;
        if (envelope_from_json(arena, doc, BASE64_ANY, &b.envelope, err) != 0)
            return -1;
        *out = b;
        return 0;
    }
    b.form = version_of(json_get_str(doc, "mediaType", ""));
    if (b.form == BUNDLE_NONE)
        return err_set(err, ERR_UNPROCESSABLE, "bundle: not a media type of version 0.1, 0.2 or 0.3");
    const struct json *envelope = json_get(doc, "dsseEnvelope"), *message = json_get(doc, "messageSignature");
    if ((envelope != NULL) == (message != NULL))
        return err_set(err, ERR_INVALID, "bundle: exactly one of dsseEnvelope and messageSignature is expected");
    if (parse_material(arena, json_get(doc, "verificationMaterial"), &b, err) != 0)
        return -1;
    if ((envelope != NULL ? parse_envelope(arena, envelope, &b, err) : parse_message(arena, message, &b, err)) != 0)
        return -1;
    *out = b;
    return 0;
}

int bundle_parse(struct arena *arena, const void *text, size_t len, struct bundle *out, struct err *err)
{
    struct json doc;

    if (len > ENVELOPE_MAX)
        return err_set(err, ERR_TOO_LARGE, "bundle: %zu bytes, at most %d expected", len, ENVELOPE_MAX);
    if (json_parse(arena, text, len, NULL, &doc, err) != 0)
        return err_prefix(err, "bundle");
    return bundle_from_json(arena, &doc, out, err);
}

/* ---- verify ----------------------------------------------------------------- */

int bundle_verify_envelope(const struct bundle *bundle, const struct pubkey *const keys[], size_t n_keys,
                           struct signers *who, struct err *err)
{
    if (!bundle->has_envelope)
        return err_set(err, ERR_UNPROCESSABLE, "bundle: signs an artifact, not a statement");
    return envelope_verify(&bundle->envelope, keys, n_keys, 1, who, err);
}

int bundle_verify_artifact(const struct bundle *bundle, struct bytes artifact, const struct pubkey *const keys[],
                           size_t n_keys, struct signers *who, struct err *err)
{
    uint8_t hash[SHA256_LEN];

    if (bundle->has_envelope)
        return err_set(err, ERR_UNPROCESSABLE, "bundle: signs a statement, not an artifact");
    sha256(artifact.ptr, artifact.len, hash);
    if (bundle->has_digest && !crypto_equal(hash, bundle->digest, sizeof hash))
        return err_set(err, ERR_UNPROCESSABLE, "bundle: the message digest is of another artifact");
    return signature_verify(artifact, &bundle->message, 1, keys, n_keys, 1, who, err);
}
