/* detached.c - see detached.h. */
#include "wire/detached.h"
#include "base/base64.h"
#include "wire/envelope.h"

#include <string.h>

enum { KEYID_MAX = 128, SIG_TEXT_MAX = 144 };

/* "keyid=K;sig=S" */
static int parse_header(struct arena *arena, const char *header, struct signature *out, struct err *err)
{
    size_t keyid_len = str_starts(header, "keyid=") ? strcspn(header + 6, ";") : 0;
    const char *text = keyid_len > 0 && str_starts(header + 6 + keyid_len, ";sig=") ? header + 6 + keyid_len + 5 : "";
    size_t n, text_len = strlen(text);

    if (keyid_len > KEYID_MAX || text_len == 0 || text_len > SIG_TEXT_MAX)
        return err_set(err, ERR_INVALID, "signature header: keyid=<fingerprint>;sig=<base64> is expected");
    char *keyid = arena_strndup(arena, header + 6, keyid_len);
    unsigned char *sig = arena_bytes(arena, base64_decoded_max(text_len));
    if (keyid == NULL || sig == NULL)
        return err_nomem(err);
    if (base64_decode(text, text_len, BASE64_ANY, sig, &n) != 0)
        return err_set(err, ERR_INVALID, "signature header: sig is not strict base64");
    *out = (struct signature){ keyid, { sig, n } };
    return 0;
}

static int signed_bytes(struct arena *arena, const char *subject, struct bytes body, struct bytes *out,
                        struct err *err)
{
    if (!digest_is_valid(subject))
        return err_set(err, ERR_INVALID, "subject: sha256: and 64 lower-case hex digits are expected");
    const char *type = arena_printf(arena, DETACHED_TYPE "%s", subject);
    if (type == NULL)
        return err_nomem(err);
    return pae_encode(arena, (struct bytes){ (const unsigned char *)type, strlen(type) }, body, out, err);
}

int detached_verify(struct arena *arena, const char *header, const char *subject, struct bytes body,
                    const struct pubkey *const keys[], size_t n_keys, struct signers *who, struct err *err)
{
    struct signature sig;
    struct bytes message;

    if (parse_header(arena, header, &sig, err) != 0 || signed_bytes(arena, subject, body, &message, err) != 0)
        return -1;
    return signature_verify(message, &sig, 1, keys, n_keys, 1, who, err);
}

int detached_sign(struct arena *arena, const char *subject, struct bytes body, const struct privkey *key,
                  struct buf *header, struct err *err)
{
    char text[SIG_TEXT_MAX];
    uint8_t sig[SIG_MAX];
    struct bytes message;
    size_t n;

    if (signed_bytes(arena, subject, body, &message, err) != 0 ||
        privkey_sign(key, message.ptr, message.len, sig, &n, err) != 0)
        return -1;
    base64_encode(sig, n, BASE64_STD, text);
    buf_printf(header, "keyid=%s;sig=%s", privkey_public(key)->fingerprint, text);
    return header->failed ? err_nomem(err) : 0;
}

/* ---- cosign ------------------------------------------------------------------ */

/* The specification writes "Docker-manifest-digest", cosign "docker-manifest-digest". */
static const char *manifest_digest(const struct json *doc)
{
    const struct json *image = json_path(doc, "critical.image");
    const char *upper = json_get_str(image, "Docker-manifest-digest", NULL);
    const char *lower = json_get_str(image, "docker-manifest-digest", NULL);

    if (upper != NULL && lower != NULL && !str_eq(upper, lower))
        return NULL;
    return upper != NULL ? upper : lower;
}

static int check_simple_signing(struct arena *arena, struct bytes payload, const char *digest, struct err *err)
{
    struct json doc;

    if (json_parse(arena, payload.ptr, payload.len, NULL, &doc, err) != 0)
        return err_prefix(err, "simple signing");
    if (!str_eq(json_str(json_path(&doc, "critical.type"), NULL), "cosign container image signature"))
        return err_set(err, ERR_UNPROCESSABLE, "simple signing: not a cosign container image signature");
    if (!digest_is_valid(digest) || !str_eq(manifest_digest(&doc), digest))
        return err_set(err, ERR_UNPROCESSABLE, "simple signing: of another image");
    return 0;
}

int simple_signing_verify(struct arena *arena, struct bytes payload, const char *sig, const char *digest,
                          const struct pubkey *const keys[], size_t n_keys, struct signers *who, struct err *err)
{
    unsigned char bytes[SIG_TEXT_MAX + 3];
    struct signers found;
    size_t n;

    if (strlen(sig) > SIG_TEXT_MAX || base64_decode(sig, strlen(sig), BASE64_ANY, bytes, &n) != 0)
        return err_set(err, ERR_INVALID, "simple signing: the signature is not strict base64");
    struct signature one = { "", { bytes, n } };
    if (signature_verify(payload, &one, 1, keys, n_keys, 1, &found, err) != 0 ||
        check_simple_signing(arena, payload, digest, err) != 0)
        return -1;
    *who = found;
    return 0;
}
