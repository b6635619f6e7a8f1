/* crypto.h - the one door to libsodium and to OpenSSL's libcrypto.
 *
 * Ed25519 (RFC 8032) is libsodium's on both ends of the link, so that server
 * and agent agree on every edge case; ECDSA (FIPS 186-5) on P-256 and, to verify
 * only, P-384 is libcrypto's, which checks the DER encoding strictly.  The hash
 * is SHA-256 on both curves: that is what cosign signs with.  How an ECDSA
 * signature is encoded belongs to the key and is never guessed from the signature.
 *
 * Public keys are checked when they are read: on the curve, and for Ed25519 in
 * the prime-order subgroup.  Secrets are wiped when they are freed. */
#ifndef KEEP_BASE_CRYPTO_H
#define KEEP_BASE_CRYPTO_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once per process, before threads and before anything below.  May be called
 * again.  Fails only when the library cannot get randomness. */
int crypto_init(struct err *err);

void random_bytes(void *out, size_t len);
void crypto_wipe(void *p, size_t len);                       /* not optimised away */
bool crypto_equal(const void *a, const void *b, size_t len); /* constant time in len */

/* ---- SHA-256, HMAC-SHA-256 ------------------------------------------------ */

enum { SHA256_LEN = 32 };

void sha256(const void *data, size_t len, uint8_t out[SHA256_LEN]);

/* "sha256:<hex>" of the bytes; out holds DIGEST_LEN + 1 bytes. */
void sha256_digest(const void *data, size_t len, char out[72]);

/* Streaming: init, add any number of times, done once. */
struct sha256 {
    uint64_t state[14];
};
void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
void sha256_done(struct sha256 *s, uint8_t out[SHA256_LEN]);

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[SHA256_LEN]);

/* Constant time.  tag_len 16..32 (RFC 2104 section 5 allows cutting to half);
 * any other length is false. */
bool hmac_sha256_verify(const void *key, size_t key_len, const void *data, size_t len,
                        const uint8_t *tag, size_t tag_len);

/* ---- keys ----------------------------------------------------------------- */

enum key_alg { KEY_NONE = 0, KEY_ED25519, KEY_P256, KEY_P384, KEY_ALG_N };

/* Encoding of an ECDSA key's signatures (raw: r and s, of fixed length);
 * Ed25519 has only one. */
enum sig_form { SIG_DER = 0, SIG_RAW };

enum { SIG_MAX = 104, SPKI_MAX = 120, FINGERPRINT_LEN = 64, PEM_MAX = 8192 };

/* The zero value is "no key" and verifies nothing.  Holds a reference to
 * library memory: do not copy, clear once. */
struct pubkey {
    enum key_alg alg;
    enum sig_form form;                   /* the caller may set it after reading */
    uint8_t spki[SPKI_MAX];               /* DER SubjectPublicKeyInfo (RFC 5480, RFC 8410) */
    uint8_t spki_len;
    char fingerprint[FINGERPRINT_LEN + 1]; /* lower-case hex of SHA-256(spki) */
    void *evp;                            /* ECDSA */
};

const char *key_alg_word(enum key_alg alg);      /* "ed25519", "ecdsa-p256", "ecdsa-p384"; "none" */
bool key_alg_from_word(const char *word, enum key_alg *alg);

/* DER, exactly one key and nothing behind it; ECDSA points uncompressed. ERR_INVALID. */
int pubkey_from_spki(const void *der, size_t len, struct pubkey *out, struct err *err);

/* Exactly one "PUBLIC KEY" block (RFC 7468), at most PEM_MAX bytes, only white
 * space around it. */
int pubkey_from_pem(const char *pem, size_t len, struct pubkey *out, struct err *err);

/* The key of an X.509 certificate (DER).  The certificate itself - its issuer,
 * dates, names - is NOT checked: this says which key, never whether to trust it. */
int pubkey_from_certificate(const void *der, size_t len, struct pubkey *out, struct err *err);

/* 32 bytes of an Ed25519 key. */
int pubkey_from_ed25519(const uint8_t raw[32], struct pubkey *out, struct err *err);
const uint8_t *pubkey_ed25519(const struct pubkey *key);    /* those bytes; NULL for other keys */

void pubkey_to_pem(const struct pubkey *key, struct buf *out);
bool pubkey_same(const struct pubkey *a, const struct pubkey *b);  /* by public key, not form */
void pubkey_clear(struct pubkey *key);           /* safe on a zeroed or cleared key */

/* True only for a signature by this key over exactly these bytes. */
bool pubkey_verify(const struct pubkey *key, const void *msg, size_t len, const void *sig, size_t sig_len);

/* The same when SHA-256 of msg is known already: several ECDSA keys then share
 * one hash.  Ed25519 reads msg, ECDSA reads hash. */
bool pubkey_verify_hashed(const struct pubkey *key, const void *msg, size_t len,
                          const uint8_t hash[SHA256_LEN], const void *sig, size_t sig_len);

/* Opaque; in guarded memory, wiped by privkey_free (NULL-safe). */
struct privkey;

/* KEY_ED25519 or KEY_P256. */
int privkey_generate(enum key_alg alg, struct privkey **out, struct err *err);

/* Exactly one "PRIVATE KEY" block: PKCS#8 (RFC 5958), not encrypted. */
int privkey_from_pem(const char *pem, size_t len, struct privkey **out, struct err *err);

/* PKCS#8.  The buffer then holds the secret: crypto_wipe it.  Who writes it to a
 * file sees to mode 0600. */
int privkey_to_pem(const struct privkey *key, struct buf *out, struct err *err);

const struct pubkey *privkey_public(const struct privkey *key);   /* lives as long as the key */
void privkey_set_form(struct privkey *key, enum sig_form form);

int privkey_sign(const struct privkey *key, const void *msg, size_t len,
                 uint8_t sig[SIG_MAX], size_t *sig_len, struct err *err);

void privkey_free(struct privkey *key);

#endif
