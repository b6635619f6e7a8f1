/* mac_token.c - see mac_token.h. */
#include "base/mac_token.h"
#include "base/base64.h"
#include "base/crypto.h"
#include "base/str.h"

#include <string.h>

enum { VERSION = 1, PREFIX_LEN = 6, CLAIMS_TEXT = 66, SIGNED_LEN = PREFIX_LEN + CLAIMS_TEXT, MAC_TEXT = 43 };

static const char prefix[] = "keepn_";

static uint8_t *put64(uint8_t *to, uint64_t v)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *to++ = (uint8_t)(v >> shift);
    return to;
}

static uint64_t get64(const uint8_t *from)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | from[i];
    return v;
}

void mac_token_make(const uint8_t key[MAC_TOKEN_KEY_LEN], const struct mac_claims *claims, char text[MAC_TOKEN_TEXT + 1])
{
    uint8_t raw[MAC_TOKEN_CLAIMS_LEN], mac[SHA256_LEN];
    uint8_t *to = raw;

    *to++ = VERSION;
    to = put64(to, (uint64_t)claims->node);
    to = put64(to, (uint64_t)claims->issued_ms);
    to = put64(to, (uint64_t)claims->expires_ms);
    to = put64(to, claims->scope);
    memcpy(to, claims->certificate, sizeof claims->certificate);
    memcpy(text, prefix, PREFIX_LEN);
    base64_encode(raw, sizeof raw, BASE64_URL | BASE64_PAD_NEVER, text + PREFIX_LEN);
    hmac_sha256(key, MAC_TOKEN_KEY_LEN, text, SIGNED_LEN, mac);
    text[SIGNED_LEN] = '.';
    base64_encode(mac, sizeof mac, BASE64_URL | BASE64_PAD_NEVER, text + SIGNED_LEN + 1);
}

bool mac_token_looks_like(const char *text)
{
    return str_starts(text, prefix);
}

static bool is_proved(const uint8_t *key, const char *text)
{
    uint8_t mac[MAC_TEXT / 4 * 3 + 3];
    size_t len;

    return strnlen(text, MAC_TOKEN_TEXT + 1) == MAC_TOKEN_TEXT && mac_token_looks_like(text) && text[SIGNED_LEN] == '.' &&
           base64_decode(text + SIGNED_LEN + 1, MAC_TEXT, BASE64_URL | BASE64_PAD_NEVER, mac, &len) == 0 && len == SHA256_LEN &&
           hmac_sha256_verify(key, MAC_TOKEN_KEY_LEN, text, SIGNED_LEN, mac, len);
}

enum mac_token_result mac_token_check(const uint8_t key[MAC_TOKEN_KEY_LEN], const char *text, int64_t now_ms,
                                      struct mac_claims *out)
{
    uint8_t raw[CLAIMS_TEXT / 4 * 3 + 3];
    struct mac_claims c;
    size_t len;

    if (!is_proved(key, text) ||
        base64_decode(text + PREFIX_LEN, CLAIMS_TEXT, BASE64_URL | BASE64_PAD_NEVER, raw, &len) != 0 ||
        len != MAC_TOKEN_CLAIMS_LEN || raw[0] != VERSION)
        return MAC_TOKEN_BAD;
    c.node = (int64_t)get64(raw + 1);
    c.issued_ms = (int64_t)get64(raw + 9);
    c.expires_ms = (int64_t)get64(raw + 17);
    c.scope = get64(raw + 25);
    memcpy(c.certificate, raw + 33, sizeof c.certificate);
    *out = c;
    if (now_ms < INT64_MAX - MAC_TOKEN_SKEW_MS && c.issued_ms > now_ms + MAC_TOKEN_SKEW_MS)
        return MAC_TOKEN_EARLY;
    return now_ms < c.expires_ms ? MAC_TOKEN_GOOD : MAC_TOKEN_EXPIRED;
}

uint64_t mac_token_scope(const char *scope)
{
    uint8_t hash[SHA256_LEN];

    sha256(scope, strlen(scope), hash);
    return get64(hash);
}
