/* mac_token.h - the session token of a node: proved by a MAC, without a look-up.
 *
 *     keepn_<base64url(claims)>.<base64url(HMAC-SHA-256(key, "keepn_<base64url(claims)>"))>
 *
 * claims, 49 bytes, big-endian: version (1), node (8), issued ms (8), expires ms (8),
 * scope (8: the first bytes of its SHA-256), certificate (16: the first bytes of the
 * SHA-256 of the client's TLS key that the token is bound to; zero: to none).
 *
 * A text that is accepted has exactly one form: base64 is strict, lengths are fixed,
 * and the MAC covers the text, not what it decodes to. */
#ifndef KEEP_BASE_MAC_TOKEN_H
#define KEEP_BASE_MAC_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MAC_TOKEN_KEY_LEN = 32, MAC_TOKEN_CERTIFICATE_LEN = 16, MAC_TOKEN_CLAIMS_LEN = 49,
    MAC_TOKEN_TEXT = 6 + 66 + 1 + 43,    /* characters, without the NUL */
};

struct mac_claims {
    int64_t node;                        /* > 0 */
    int64_t issued_ms, expires_ms;
    uint64_t scope;
    uint8_t certificate[MAC_TOKEN_CERTIFICATE_LEN];
};

enum mac_token_result { MAC_TOKEN_BAD = 0, MAC_TOKEN_EXPIRED, MAC_TOKEN_EARLY, MAC_TOKEN_GOOD };

/* A token from further in the future than this is not taken: the server's clock was
 * set back, and its life could not be trusted to end. */
enum { MAC_TOKEN_SKEW_MS = 300000 };

void mac_token_make(const uint8_t key[MAC_TOKEN_KEY_LEN], const struct mac_claims *claims, char text[MAC_TOKEN_TEXT + 1]);

/* *out is set unless BAD.  The comparison takes constant time. */
enum mac_token_result mac_token_check(const uint8_t key[MAC_TOKEN_KEY_LEN], const char *text, int64_t now_ms,
                                      struct mac_claims *out);

bool mac_token_looks_like(const char *text);    /* begins with keepn_ */

/* The first eight bytes of SHA-256. */
uint64_t mac_token_scope(const char *scope);

#endif
