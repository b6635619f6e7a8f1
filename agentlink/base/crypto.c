/* crypto.c - randomness, hashes, MACs; see crypto.h.  Keys are in key.c. */
#define OPENSSL_SUPPRESS_DEPRECATED 1     /* the plain SHA-256 functions, see below */
#include "base/crypto.h"
#include "base/str.h"

#include <openssl/sha.h>
#include <sodium.h>

#include <string.h>

_Static_assert(sizeof(struct sha256) >= sizeof(SHA256_CTX), "room for libcrypto's state");
_Static_assert(DIGEST_LEN + 1 == 72, "size in the header");

int crypto_init(struct err *err)
{
    return sodium_init() < 0 ? err_set(err, ERR_INTERNAL, "libsodium cannot be initialised") : 0;
}

void random_bytes(void *out, size_t len)
{
    randombytes_buf(out, len);
}

void crypto_wipe(void *p, size_t len)
{
    if (len > 0)
        sodium_memzero(p, len);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

/* libcrypto's, not libsodium's: with the processor's own instructions it is several
 * times as fast.  These functions, old as they are, because those of EVP allocate. */
static SHA256_CTX *state_of(struct sha256 *s)
{
    return (SHA256_CTX *)(void *)s->state;
}

void sha256_init(struct sha256 *s)
{
    SHA256_Init(state_of(s));
}

void sha256_add(struct sha256 *s, const void *data, size_t len)
{
    if (len > 0)
        SHA256_Update(state_of(s), data, len);
}

void sha256_done(struct sha256 *s, uint8_t out[SHA256_LEN])
{
    SHA256_Final(out, state_of(s));
}

void sha256(const void *data, size_t len, uint8_t out[SHA256_LEN])
{
    struct sha256 s;

    sha256_init(&s);
    sha256_add(&s, data, len);
    sha256_done(&s, out);
}

void sha256_digest(const void *data, size_t len, char out[72])
{
    uint8_t hash[SHA256_LEN];

    sha256(data, len, hash);
    memcpy(out, "sha256:", 7);
    hex_encode(hash, sizeof hash, out + 7);
}

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[SHA256_LEN])
{
    crypto_auth_hmacsha256_state s;

    crypto_auth_hmacsha256_init(&s, key, key_len);
    crypto_auth_hmacsha256_update(&s, data, len);
    crypto_auth_hmacsha256_final(&s, out);
    sodium_memzero(&s, sizeof s);
}

bool hmac_sha256_verify(const void *key, size_t key_len, const void *data, size_t len,
                        const uint8_t *tag, size_t tag_len)
{
    uint8_t want[SHA256_LEN];

    if (tag_len < 16 || tag_len > sizeof want)
        return false;
    hmac_sha256(key, key_len, data, len, want);
    bool same = crypto_equal(want, tag, tag_len);
    sodium_memzero(want, sizeof want);
    return same;
}
