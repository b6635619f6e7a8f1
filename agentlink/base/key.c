/* key.c - key pairs and signatures; see crypto.h.
 *
 * The encodings we accept have one fixed prefix each (RFC 8410 section 10.1,
 * RFC 5480 section 2.1.1), so a public key is compared, not parsed. */
#include "base/crypto.h"
#include "base/pem.h"
#include "base/str.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/x509.h>
#include <sodium.h>

#include <string.h>

struct privkey {
    struct pubkey pub;
    uint8_t ed25519[crypto_sign_SECRETKEYBYTES];   /* seed and public key */
};

enum { ED25519_SEED = 32, PKCS8_MAX = 512 };

static const char *const alg_words[KEY_ALG_N] = {
    [KEY_NONE] = "none", [KEY_ED25519] = "ed25519", [KEY_P256] = "ecdsa-p256",
    [KEY_P384] = "ecdsa-p384",
};

static const struct encoding {
    enum key_alg alg;
    uint8_t len, prefix_len;
    uint8_t prefix[27];
} encodings[] = {
    { KEY_ED25519, 44, 12, { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 } },
    { KEY_P256, 91, 27,
      { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
        0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 } },
    { KEY_P384, 120, 24,
      { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
        0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04 } },
};

static const uint8_t ed25519_pkcs8[16] = {
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
};

const char *key_alg_word(enum key_alg alg)
{
    return alg_words[(unsigned)alg < KEY_ALG_N ? alg : KEY_NONE];
}

bool key_alg_from_word(const char *word, enum key_alg *alg)
{
    for (unsigned i = KEY_NONE + 1; i < KEY_ALG_N; i++) {
        if (str_eq(word, alg_words[i]))
            return *alg = (enum key_alg)i, true;
    }
    return false;
}

/* ---- public keys ---------------------------------------------------------- */

static const struct encoding *encoding_of(const uint8_t *der, size_t len)
{
    for (size_t i = 0; i < N_ITEMS(encodings); i++) {
        const struct encoding *e = &encodings[i];
        if (len == e->len && memcmp(der, e->prefix, e->prefix_len) == 0)
            return e;
    }
    return NULL;
}

/* A point of the curve, 0x04 || x || y; NULL when it is not on it.  Seven times
 * as fast as having libcrypto find out what kind of DER it is. */
static EVP_PKEY *evp_from_point(const char *curve, const uint8_t *point, size_t len)
{
    char group[16];
    uint8_t encoded[2 * 48 + 1];
    EVP_PKEY *evp = NULL;

    memcpy(group, curve, strlen(curve) + 1);
    memcpy(encoded, point, len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded, len),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &evp, EVP_PKEY_PUBLIC_KEY, params) != 1)
        evp = NULL;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return evp;
}

int pubkey_from_spki(const void *der, size_t len, struct pubkey *out, struct err *err)
{
    const struct encoding *e = encoding_of(der, len);
    struct pubkey key = { 0 };

    if (e == NULL)
        return err_set(err, ERR_INVALID, "public key: neither Ed25519 nor uncompressed ECDSA P-256 or P-384");
    key.alg = e->alg;
    key.spki_len = e->len;
    memcpy(key.spki, der, len);
    if (key.alg == KEY_ED25519 && !crypto_core_ed25519_is_valid_point(key.spki + e->prefix_len))
        return err_set(err, ERR_INVALID, "public key: not a point of the Ed25519 group");
    if (key.alg != KEY_ED25519) {
        const uint8_t *point = key.spki + e->prefix_len - 1;     /* the 0x04 ends the prefix */
        key.evp = evp_from_point(key.alg == KEY_P256 ? "P-256" : "P-384", point, len - e->prefix_len + 1);
        if (key.evp == NULL)
            return err_set(err, ERR_INVALID, "public key: not a point of its curve");
    }
    uint8_t hash[SHA256_LEN];
    sha256(der, len, hash);
    hex_encode(hash, sizeof hash, key.fingerprint);
    *out = key;
    return 0;
}

int pubkey_from_pem(const char *pem, size_t len, struct pubkey *out, struct err *err)
{
    uint8_t der[SPKI_MAX];
    size_t n;

    if (pem_decode(pem, len, "PUBLIC KEY", der, sizeof der, &n, err) != 0)
        return -1;
    return pubkey_from_spki(der, n, out, err);
}

int pubkey_from_certificate(const void *der, size_t len, struct pubkey *out, struct err *err)
{
    const unsigned char *p = der;
    unsigned char *spki = NULL;

    if (len > 64 * 1024)
        return err_set(err, ERR_TOO_LARGE, "certificate: %zu bytes, at most 65536 expected", len);
    X509 *cert = d2i_X509(NULL, &p, (long)len);
    bool whole = cert != NULL && p == (const unsigned char *)der + len;
    int n = whole ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki) : -1;
    X509_free(cert);
    ERR_clear_error();
    if (n < 0)
        return err_set(err, ERR_INVALID, "certificate: not exactly one X.509 certificate");
    int rc = pubkey_from_spki(spki, (size_t)n, out, err);
    OPENSSL_free(spki);
    return rc;
}

int pubkey_from_ed25519(const uint8_t raw[32], struct pubkey *out, struct err *err)
{
    uint8_t der[44];

    memcpy(der, encodings[0].prefix, 12);
    memcpy(der + 12, raw, 32);
    return pubkey_from_spki(der, sizeof der, out, err);
}

const uint8_t *pubkey_ed25519(const struct pubkey *key)
{
    return key->alg == KEY_ED25519 ? key->spki + 12 : NULL;
}

void pubkey_to_pem(const struct pubkey *key, struct buf *out)
{
    pem_encode("PUBLIC KEY", key->spki, key->spki_len, out);
}

bool pubkey_same(const struct pubkey *a, const struct pubkey *b)
{
    return a->spki_len == b->spki_len && memcmp(a->spki, b->spki, a->spki_len) == 0;
}

void pubkey_clear(struct pubkey *key)
{
    EVP_PKEY_free(key->evp);
    *key = (struct pubkey){ 0 };
}

/* ---- ECDSA ---------------------------------------------------------------- */

/* Bytes of r, and of s. */
static int scalar_len(enum key_alg alg)
{
    return alg == KEY_P384 ? 48 : 32;
}

/* r || s, n bytes each, to DER. */
static bool der_from_raw(const uint8_t *raw, int n, uint8_t der[SIG_MAX], size_t *der_len)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, n, NULL), *s = BN_bin2bn(raw + n, n, NULL);
    int len = -1;

    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL;
        if (i2d_ECDSA_SIG(sig, NULL) <= SIG_MAX)
            len = i2d_ECDSA_SIG(sig, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    *der_len = len > 0 ? (size_t)len : 0;
    return len > 0;
}

static bool raw_from_der(const uint8_t *der, size_t len, uint8_t raw[64])
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32) == 32 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32) == 32;

    ECDSA_SIG_free(sig);
    return ok;
}

static bool ecdsa_verify(const struct pubkey *key, const uint8_t hash[SHA256_LEN], const uint8_t *sig, size_t len)
{
    uint8_t der[SIG_MAX];

    if (key->form == SIG_RAW) {
        int n = scalar_len(key->alg);
        if (len != 2 * (size_t)n || !der_from_raw(sig, n, der, &len))
            return false;
        sig = der;
    }
    if (len > SIG_MAX)
        return false;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->evp, NULL);
    bool ok = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
              EVP_PKEY_verify(ctx, sig, len, hash, SHA256_LEN) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

bool pubkey_verify_hashed(const struct pubkey *key, const void *msg, size_t len,
                          const uint8_t hash[SHA256_LEN], const void *sig, size_t sig_len)
{
    switch (key->alg) {
    case KEY_ED25519:
        return sig_len == crypto_sign_BYTES &&
               crypto_sign_verify_detached(sig, msg, len, pubkey_ed25519(key)) == 0;
    case KEY_P256:
    case KEY_P384:
        return ecdsa_verify(key, hash, sig, sig_len);
    case KEY_NONE:
    case KEY_ALG_N:
        break;
    }
    return false;
}

bool pubkey_verify(const struct pubkey *key, const void *msg, size_t len, const void *sig, size_t sig_len)
{
    uint8_t hash[SHA256_LEN] = { 0 };

    if (key->alg != KEY_ED25519)
        sha256(msg, len, hash);
    return pubkey_verify_hashed(key, msg, len, hash, sig, sig_len);
}

/* ---- private keys --------------------------------------------------------- */

static struct privkey *privkey_new(struct err *err)
{
    struct privkey *key = sodium_malloc(sizeof *key);

    if (key == NULL)
        err_nomem(err);
    else
        *key = (struct privkey){ 0 };
    return key;
}

void privkey_free(struct privkey *key)
{
    if (key == NULL)
        return;
    sodium_mprotect_readwrite(key);
    pubkey_clear(&key->pub);           /* libcrypto wipes its half */
    sodium_free(key);                  /* wipes ours */
}

static int finish(struct privkey *key, struct privkey **out)
{
    sodium_mprotect_readonly(key);
    *out = key;
    return 0;
}

static int ed25519_from_seed(const uint8_t seed[ED25519_SEED], struct privkey **out, struct err *err)
{
    uint8_t pub[crypto_sign_PUBLICKEYBYTES];
    struct privkey *key = privkey_new(err);

    if (key == NULL)
        return -1;
    crypto_sign_seed_keypair(pub, key->ed25519, seed);
    if (pubkey_from_ed25519(pub, &key->pub, err) != 0)
        return privkey_free(key), -1;
    return finish(key, out);
}

/* Takes evp, which holds both halves. */
static int p256_from_evp(EVP_PKEY *evp, struct privkey **out, struct err *err)
{
    struct privkey *key = privkey_new(err);
    uint8_t *spki = NULL;
    int n = key != NULL ? i2d_PUBKEY(evp, &spki) : -1;
    int rc = n > 0 ? pubkey_from_spki(spki, (size_t)n, &key->pub, err) : -1;

    OPENSSL_free(spki);
    if (rc != 0 || key->pub.alg != KEY_P256) {
        EVP_PKEY_free(evp);
        privkey_free(key);
        return err_set(err, ERR_INVALID, "private key: neither Ed25519 nor ECDSA P-256");
    }
    EVP_PKEY_free(key->pub.evp);
    key->pub.evp = evp;
    return finish(key, out);
}

int privkey_generate(enum key_alg alg, struct privkey **out, struct err *err)
{
    uint8_t seed[ED25519_SEED];

    if (alg == KEY_P256) {
        EVP_PKEY *evp = EVP_EC_gen("P-256");
        return evp != NULL ? p256_from_evp(evp, out, err) : err_nomem(err);
    }
    if (alg != KEY_ED25519)
        return err_set(err, ERR_INVALID, "key pairs are ed25519 or ecdsa-p256");
    random_bytes(seed, sizeof seed);
    int rc = ed25519_from_seed(seed, out, err);
    crypto_wipe(seed, sizeof seed);
    return rc;
}

/* PKCS#8 with nothing behind it, and both halves belonging together. */
static EVP_PKEY *evp_from_pkcs8(const uint8_t *der, size_t len)
{
    const unsigned char *p = der;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)len);
    EVP_PKEY *evp = info != NULL && p == der + len ? EVP_PKCS82PKEY(info) : NULL;
    EVP_PKEY_CTX *ctx = evp != NULL && EVP_PKEY_is_a(evp, "EC") ? EVP_PKEY_CTX_new(evp, NULL) : NULL;

    if (ctx == NULL || EVP_PKEY_check(ctx) != 1) {
        EVP_PKEY_free(evp);
        evp = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    return evp;
}

int privkey_from_pem(const char *pem, size_t len, struct privkey **out, struct err *err)
{
    uint8_t der[PKCS8_MAX];
    size_t n;
    int rc;

    if (pem_decode(pem, len, "PRIVATE KEY", der, sizeof der, &n, err) != 0)
        return -1;
    if (n == sizeof ed25519_pkcs8 + ED25519_SEED && memcmp(der, ed25519_pkcs8, sizeof ed25519_pkcs8) == 0) {
        rc = ed25519_from_seed(der + sizeof ed25519_pkcs8, out, err);
    } else {
        EVP_PKEY *evp = evp_from_pkcs8(der, n);
        rc = evp != NULL ? p256_from_evp(evp, out, err)
                         : err_set(err, ERR_INVALID, "private key: not PKCS#8 of an Ed25519 or ECDSA P-256 key");
    }
    crypto_wipe(der, sizeof der);
    return rc;
}

static int p256_to_pem(const struct privkey *key, struct buf *out, struct err *err)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pub.evp);
    unsigned char *der = NULL;
    int n = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;

    PKCS8_PRIV_KEY_INFO_free(info);
    if (n < 0)
        return err_nomem(err);
    pem_encode("PRIVATE KEY", der, (size_t)n, out);
    OPENSSL_clear_free(der, (size_t)n);
    return 0;
}

int privkey_to_pem(const struct privkey *key, struct buf *out, struct err *err)
{
    uint8_t der[sizeof ed25519_pkcs8 + ED25519_SEED];

    if (key->pub.alg == KEY_P256)
        return p256_to_pem(key, out, err);
    memcpy(der, ed25519_pkcs8, sizeof ed25519_pkcs8);
    memcpy(der + sizeof ed25519_pkcs8, key->ed25519, ED25519_SEED);
    pem_encode("PRIVATE KEY", der, sizeof der, out);
    crypto_wipe(der, sizeof der);
    return 0;
}

const struct pubkey *privkey_public(const struct privkey *key)
{
    return &key->pub;
}

void privkey_set_form(struct privkey *key, enum sig_form form)
{
    sodium_mprotect_readwrite(key);
    key->pub.form = form;
    sodium_mprotect_readonly(key);
}

static int ecdsa_sign(const struct privkey *key, const void *msg, size_t len,
                      uint8_t sig[SIG_MAX], size_t *sig_len, struct err *err)
{
    uint8_t hash[SHA256_LEN], der[SIG_MAX];
    size_t n = sizeof der;

    sha256(msg, len, hash);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pub.evp, NULL);
    bool ok = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_sign(ctx, der, &n, hash, sizeof hash) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    if (!ok)
        return err_set(err, ERR_INTERNAL, "ECDSA P-256 signing failed");
    if (key->pub.form == SIG_RAW) {
        *sig_len = 64;
        return raw_from_der(der, n, sig) ? 0 : err_nomem(err);
    }
    memcpy(sig, der, n);
    *sig_len = n;
    return 0;
}

int privkey_sign(const struct privkey *key, const void *msg, size_t len,
                 uint8_t sig[SIG_MAX], size_t *sig_len, struct err *err)
{
    if (key->pub.alg == KEY_P256)
        return ecdsa_sign(key, msg, len, sig, sig_len, err);
    crypto_sign_detached(sig, NULL, msg, len, key->ed25519);
    *sig_len = crypto_sign_BYTES;
    return 0;
}
