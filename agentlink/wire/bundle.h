/* bundle.h - Sigstore bundles, and signed evidence in any of its JSON forms.
 *
 * Of a bundle we judge the signature layer: the envelope or the signature over
 * an artifact, against public keys given to us.  A certificate in it tells
 * which key signed; whether its issuer, its dates and the log entries can be
 * trusted is not judged, so a certificate alone never makes anything trusted. */
#ifndef KEEP_WIRE_BUNDLE_H
#define KEEP_WIRE_BUNDLE_H

#include "wire/envelope.h"

enum bundle_form {
    BUNDLE_NONE = 0,      /* not signed evidence */
    BUNDLE_BARE,          /* a DSSE envelope without a bundle around it */
    BUNDLE_V01, BUNDLE_V02, BUNDLE_V03
};

struct bundle {
    enum bundle_form form;
    const char *key_hint;          /* publicKey.hint; NULL none */
    struct bytes certificate;      /* DER of the signer's; len 0 none */
    bool has_envelope;             /* else a message signature */
    struct envelope envelope;      /* of a bundle: exactly one signature */
    struct signature message;      /* signature over an artifact */
    bool has_digest;               /* the bundle names the artifact's SHA-256 */
    uint8_t digest[SHA256_LEN];
};

/* What a document is, by its members; BUNDLE_V03 stands for any bundle, even of
 * a version that bundle_from_json then refuses. */
enum bundle_form bundle_detect(const struct json *doc);

/* doc: parsed with default options.  Versions 0.1, 0.2, 0.3 of the media type;
 * exactly one of dsseEnvelope and messageSignature; a hint of the key and a key
 * id of the signature, where both are given, must be equal.  ERR_INVALID,
 * ERR_UNPROCESSABLE for an unknown version. */
int bundle_from_json(struct arena *arena, const struct json *doc, struct bundle *out, struct err *err);
int bundle_parse(struct arena *arena, const void *text, size_t len, struct bundle *out, struct err *err);

/* One of the keys signed the envelope. */
int bundle_verify_envelope(const struct bundle *bundle, const struct pubkey *const keys[], size_t n_keys,
                           struct signers *who, struct err *err);

/* One of the keys signed the artifact, and the digest, where given, is its. */
int bundle_verify_artifact(const struct bundle *bundle, struct bytes artifact, const struct pubkey *const keys[],
                           size_t n_keys, struct signers *who, struct err *err);

#endif
