/* A session token: the first byte of the input says how an own token is changed by the
 * rest, or that the rest is the token.  Whatever is accepted must be, byte for byte, the
 * token that is made again of its claims: there is one text per set of claims. */
#include "base/mac_token.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t key[MAC_TOKEN_KEY_LEN] = "a key only for this fuzzer.....";

static void check(const char *text, int64_t now_ms)
{
    struct mac_claims claims;
    char again[MAC_TOKEN_TEXT + 1];
    enum mac_token_result rc = mac_token_check(key, text, now_ms, &claims);

    if (rc == MAC_TOKEN_BAD)
        return;
    mac_token_make(key, &claims, again);
    if (strcmp(again, text) != 0)
        abort();
    if (rc == MAC_TOKEN_GOOD && now_ms >= claims.expires_ms)
        abort();
}

static void changed(const uint8_t *data, size_t size)
{
    struct mac_claims claims = { .node = 5, .issued_ms = 100, .expires_ms = 200 };
    char text[MAC_TOKEN_TEXT + 1], kept[MAC_TOKEN_TEXT + 1];

    mac_token_make(key, &claims, text);
    memcpy(kept, text, sizeof kept);
    for (size_t i = 0; i + 1 < size; i += 2)
        text[data[i] % MAC_TOKEN_TEXT] = (char)data[i + 1];
    if (strcmp(text, kept) != 0 && mac_token_check(key, text, 150, &claims) != MAC_TOKEN_BAD)
        abort();
    check(text, 150);
}

/* Claims of all sorts survive the way there and back. */
static void made(const uint8_t *data, size_t size)
{
    struct mac_claims claims = { 0 }, got;
    uint8_t raw[48] = { 0 };
    char text[MAC_TOKEN_TEXT + 1];

    memcpy(raw, data, size < sizeof raw ? size : sizeof raw);
    memcpy(&claims.node, raw, 8);
    memcpy(&claims.issued_ms, raw + 8, 8);
    memcpy(&claims.expires_ms, raw + 16, 8);
    memcpy(&claims.scope, raw + 24, 8);
    memcpy(claims.certificate, raw + 32, 16);
    mac_token_make(key, &claims, text);
    if (mac_token_check(key, text, 0, &got) == MAC_TOKEN_BAD || got.node != claims.node || got.issued_ms != claims.issued_ms ||
        got.expires_ms != claims.expires_ms || got.scope != claims.scope || memcmp(got.certificate, claims.certificate, 16) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256];

    if (size == 0)
        return 0;
    if (data[0] % 3 == 0) {
        changed(data + 1, size - 1);
    } else if (data[0] % 3 == 1) {
        made(data + 1, size - 1);
    } else {
        size_t n = size - 1 < sizeof text - 1 ? size - 1 : sizeof text - 1;
        memcpy(text, data + 1, n);
        text[n] = '\0';
        check(text, 150);
    }
    return 0;
}
