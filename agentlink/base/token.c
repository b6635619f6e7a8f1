/* token.c - see token.h. */
#include "base/token.h"
#include "base/crypto.h"

#include <string.h>

static const char prefix[] = "keep_";
static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum { PREFIX_LEN = sizeof prefix - 1 };

uint32_t crc32_of(const void *data, size_t len)
{
    static const uint32_t nibble[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const uint8_t *p = data;
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ nibble[crc & 15];
        crc = crc >> 4 ^ nibble[crc & 15];
    }
    return ~crc;
}

/* Uniform: bytes from 248 (= 4 * 62) up are thrown away. */
static void put_random(char *to, size_t n)
{
    uint8_t pool[64];
    size_t left = 0;

    while (n > 0) {
        if (left == 0) {
            random_bytes(pool, sizeof pool);
            left = sizeof pool;
        }
        if (pool[--left] < 248) {
            *to++ = base62[pool[left] % 62];
            n--;
        }
    }
    crypto_wipe(pool, sizeof pool);
}

static void put_check(const char *text, size_t len, char out[TOKEN_CHECK_LEN])
{
    uint32_t crc = crc32_of(text, len);

    for (size_t i = TOKEN_CHECK_LEN; i-- > 0; crc /= 62)
        out[i] = base62[crc % 62];
}

/* Length of the leading run of lower-case letters, or 0 when it is no kind. */
static size_t kind_len(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz");

    return n >= 2 && n <= TOKEN_KIND_MAX ? n : 0;
}

bool token_make(const char *kind, char text[TOKEN_TEXT_MAX + 1], struct token *out)
{
    size_t n = kind_len(kind), at = PREFIX_LEN;

    if (n == 0 || kind[n] != '\0')
        return false;
    memcpy(text, prefix, PREFIX_LEN);
    memcpy(text + at, kind, n);
    at += n;
    text[at++] = '_';
    put_random(text + at, TOKEN_ID_LEN);
    at += TOKEN_ID_LEN;
    text[at++] = '_';
    put_random(text + at, TOKEN_SECRET_LEN);
    at += TOKEN_SECRET_LEN;
    put_check(text, at, text + at);
    text[at + TOKEN_CHECK_LEN] = '\0';
    return token_parse(text, out);
}

bool token_parse(const char *text, struct token *out)
{
    char check[TOKEN_CHECK_LEN];
    struct token t = { 0 };

    if (strncmp(text, prefix, PREFIX_LEN) != 0)
        return false;
    size_t n = kind_len(text + PREFIX_LEN);
    const char *id = text + PREFIX_LEN + n + 1;
    if (n == 0 || id[-1] != '_' || strspn(id, base62) != TOKEN_ID_LEN || id[TOKEN_ID_LEN] != '_')
        return false;
    const char *secret = id + TOKEN_ID_LEN + 1;
    size_t rest = strspn(secret, base62);
    if (rest != TOKEN_SECRET_LEN + TOKEN_CHECK_LEN || secret[rest] != '\0')
        return false;
    put_check(text, (size_t)(secret - text) + TOKEN_SECRET_LEN, check);
    if (!crypto_equal(check, secret + TOKEN_SECRET_LEN, sizeof check))
        return false;
    memcpy(t.kind, text + PREFIX_LEN, n);
    memcpy(t.id, id, TOKEN_ID_LEN);
    sha256(text, strlen(text), t.hash);
    *out = t;
    return true;
}

bool token_matches(const struct token *token, const uint8_t stored_hash[TOKEN_HASH_LEN])
{
    return crypto_equal(token->hash, stored_hash, TOKEN_HASH_LEN);
}
