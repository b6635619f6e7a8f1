/* jws.c - see jws.h. */
#include "base/jws.h"

#include "base/base64.h"
#include "base/pem.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <stdlib.h>
#include <string.h>

enum family { FAMILY_NONE = 0, FAMILY_EC, FAMILY_RSA, FAMILY_PSS, FAMILY_MAC };
enum { DER_MAX = 4096, RSA_MIN = 2048, RSA_MAX = 16384, SECRET_MAX = 4096, RAW_MAX = 2 * 66, JWS_MAX = 64 << 20 };

static const struct kind {
    const char *word, *hash, *curve;
    enum family family;
    int n;                               /* bytes of r, and of s */
} kinds[JWS_ALG_N] = {
    [JWS_NONE]  = { "none", NULL, NULL, FAMILY_NONE, 0 },
    [JWS_ES256] = { "ES256", "SHA2-256", "prime256v1", FAMILY_EC, 32 },
    [JWS_ES384] = { "ES384", "SHA2-384", "secp384r1", FAMILY_EC, 48 },
    [JWS_ES512] = { "ES512", "SHA2-512", "secp521r1", FAMILY_EC, 66 },
    [JWS_RS256] = { "RS256", "SHA2-256", NULL, FAMILY_RSA, 0 },
    [JWS_RS384] = { "RS384", "SHA2-384", NULL, FAMILY_RSA, 0 },
    [JWS_RS512] = { "RS512", "SHA2-512", NULL, FAMILY_RSA, 0 },
    [JWS_PS256] = { "PS256", "SHA2-256", NULL, FAMILY_PSS, 0 },
    [JWS_PS384] = { "PS384", "SHA2-384", NULL, FAMILY_PSS, 0 },
    [JWS_PS512] = { "PS512", "SHA2-512", NULL, FAMILY_PSS, 0 },
    [JWS_HS256] = { "HS256", "SHA2-256", NULL, FAMILY_MAC, 0 },
    [JWS_HS384] = { "HS384", "SHA2-384", NULL, FAMILY_MAC, 0 },
    [JWS_HS512] = { "HS512", "SHA2-512", NULL, FAMILY_MAC, 0 },
};

struct jws_key {
    const struct kind *kind;
    EVP_PKEY *evp;
    size_t len;                          /* of the secret */
    uint8_t secret[SECRET_MAX];
};

const char *jws_alg_word(enum jws_alg alg)
{
    return kinds[(unsigned)alg < JWS_ALG_N ? alg : JWS_NONE].word;
}

enum jws_alg jws_alg_of(const char *word)
{
    for (unsigned i = JWS_NONE + 1; i < JWS_ALG_N; i++) {
        if (str_eq(word, kinds[i].word))
            return (enum jws_alg)i;
    }
    return JWS_NONE;
}

/* ---- keys ------------------------------------------------------------------------- */

static bool is_of_kind(const EVP_PKEY *evp, const struct kind *kind)
{
    char group[32];
    size_t len;

    if (kind->family != FAMILY_EC) {
        int bits = EVP_PKEY_get_bits(evp);
        return EVP_PKEY_is_a(evp, "RSA") && bits >= RSA_MIN && bits <= RSA_MAX;
    }
    return EVP_PKEY_is_a(evp, "EC") && EVP_PKEY_get_group_name(evp, group, sizeof group, &len) == 1 && str_eq(group, kind->curve);
}

static EVP_PKEY *read_public(const char *pem, size_t len, struct err *err)
{
    uint8_t der[DER_MAX];
    const unsigned char *p = der;
    size_t n;

    if (pem_decode(pem, len, "PUBLIC KEY", der, sizeof der, &n, err) != 0)
        return NULL;
    EVP_PKEY *evp = d2i_PUBKEY(NULL, &p, (long)n);
    if (evp != NULL && p != der + n) {
        EVP_PKEY_free(evp);
        evp = NULL;
    }
    if (evp == NULL)
        err_set(err, ERR_INVALID, "public key: not one that can be read");
    ERR_clear_error();
    return evp;
}

int jws_key_new(enum jws_alg alg, const void *text, size_t len, struct jws_key **out, struct err *err)
{
    const struct kind *kind = &kinds[(unsigned)alg < JWS_ALG_N ? alg : JWS_NONE];

    if (kind->family == FAMILY_NONE)
        return err_set(err, ERR_INVALID, "key: its algorithm is none of ES, RS, PS, HS with 256, 384 or 512");
    if (kind->family == FAMILY_MAC && (len == 0 || len > SECRET_MAX))
        return err_set(err, ERR_INVALID, "key: a secret of 1 to %d bytes is expected", SECRET_MAX);
    struct jws_key *key = calloc(1, sizeof *key);
    if (key == NULL)
        return err_nomem(err);
    key->kind = kind;
    if (kind->family == FAMILY_MAC) {
        memcpy(key->secret, text, len);
        key->len = len;
    } else if ((key->evp = read_public(text, len, err)) == NULL) {
        return jws_key_free(key), -1;
    } else if (!is_of_kind(key->evp, kind)) {
        jws_key_free(key);
        return err_set(err, ERR_INVALID, "public key: not one for %s", kind->word);
    }
    *out = key;
    return 0;
}

void jws_key_free(struct jws_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->evp);
    crypto_wipe(key, sizeof *key);
    free(key);
}

/* ---- reading and verifying ------------------------------------------------------------ */

static int part(const char *text, size_t len, struct arena *arena, struct bytes *out, struct err *err)
{
    unsigned char *to = arena_bytes(arena, base64_decoded_max(len) + 1);
    size_t n;

    if (to == NULL)
        return err_nomem(err);
    if (base64_decode(text, len, BASE64_URL | BASE64_PAD_NEVER, to, &n) != 0)
        return err_set(err, ERR_INVALID, "signature: a part is not base64url");
    to[n] = '\0';
    *out = (struct bytes){ to, n };
    return 0;
}

int jws_split(const char *text, size_t len, struct arena *arena, struct jws *out, struct err *err)
{
    const char *first = len <= JWS_MAX ? memchr(text, '.', len) : NULL;
    const char *second = first != NULL ? memchr(first + 1, '.', len - (size_t)(first + 1 - text)) : NULL;
    struct jws jws;

    if (second == NULL)
        return err_set(err, ERR_INVALID, "signature: three parts between dots are expected");
    jws.input = (struct bytes){ (const unsigned char *)text, (size_t)(second - text) };
    if (part(text, (size_t)(first - text), arena, &jws.header, err) != 0 ||
        part(first + 1, (size_t)(second - first - 1), arena, &jws.payload, err) != 0 ||
        part(second + 1, len - (size_t)(second + 1 - text), arena, &jws.signature, err) != 0)
        return -1;
    *out = jws;
    return 0;
}

static bool mac_is(const struct jws *j, const struct jws_key *key)
{
    uint8_t want[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_MD *md = EVP_MD_fetch(NULL, key->kind->hash, NULL);
    bool ok = md != NULL && HMAC(md, key->secret, (int)key->len, j->input.ptr, j->input.len, want, &n) != NULL &&
              n == j->signature.len && crypto_equal(want, j->signature.ptr, n);

    EVP_MD_free(md);
    crypto_wipe(want, sizeof want);
    return ok;
}

/* r || s, n bytes each, to DER; 0 when it cannot be. */
static size_t der_of(struct bytes raw, int n, uint8_t der[2 * RAW_MAX])
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r, *s;
    int len = 0;

    if (sig == NULL || raw.len != 2 * (size_t)n)
        return ECDSA_SIG_free(sig), (size_t)0;
    r = BN_bin2bn(raw.ptr, n, NULL);
    s = BN_bin2bn(raw.ptr + n, n, NULL);
    if (r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL;
        len = i2d_ECDSA_SIG(sig, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len > 0 ? (size_t)len : 0;
}

static bool public_verify(const struct jws *j, const struct jws_key *key)
{
    const struct kind *kind = key->kind;
    uint8_t der[2 * RAW_MAX];
    struct bytes sig = j->signature;
    EVP_PKEY_CTX *how = NULL;

    if (kind->family == FAMILY_EC)
        sig = (struct bytes){ der, der_of(j->signature, kind->n, der) };
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = sig.len > 0 && ctx != NULL && EVP_DigestVerifyInit_ex(ctx, &how, kind->hash, NULL, NULL, key->evp, NULL) == 1;
    if (ok && kind->family == FAMILY_PSS)
        ok = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_AUTO) == 1;
    ok = ok && EVP_DigestVerify(ctx, sig.ptr, sig.len, j->input.ptr, j->input.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

bool jws_verify(const struct jws *jws, const struct jws_key *key)
{
    if (key == NULL || jws->signature.len == 0)
        return false;
    return key->kind->family == FAMILY_MAC ? mac_is(jws, key) : public_verify(jws, key);
}

/* ---- signing ------------------------------------------------------------------------------ */

static void put_part(struct buf *b, const void *bytes, size_t len)
{
    char *to = buf_room(b, base64_encoded_len(len) + 1);

    if (to != NULL)
        buf_grown(b, base64_encode(bytes, len, BASE64_URL | BASE64_PAD_NEVER, to));
}

/* A strict DER signature's r and s (both below the curve's order) at their full length. */
static bool raw_of(const uint8_t *der, size_t len, uint8_t raw[64])
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32) == 32 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32) == 32;

    ECDSA_SIG_free(sig);
    return ok;
}

int jws_sign(const struct privkey *key, const char *header, struct bytes payload, struct buf *out, struct err *err)
{
    const struct pubkey *public = privkey_public(key);
    uint8_t sig[SIG_MAX], raw[64];
    size_t from = out->len, n;

    if (public->alg != KEY_P256)
        return err_set(err, ERR_INVALID, "signing key: ECDSA P-256 is expected, found %s", key_alg_word(public->alg));
    put_part(out, header, strlen(header));
    buf_putc(out, '.');
    put_part(out, payload.ptr, payload.len);
    if (out->failed)
        return err_nomem(err);
    if (privkey_sign(key, out->ptr + from, out->len - from, sig, &n, err) != 0)
        return -1;
    if (public->form == SIG_RAW && n == sizeof raw)
        memcpy(raw, sig, sizeof raw);
    else if (!raw_of(sig, n, raw))
        return err_nomem(err);
    buf_putc(out, '.');
    put_part(out, raw, sizeof raw);
    return out->failed ? err_nomem(err) : 0;
}
