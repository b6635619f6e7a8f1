/* token.h - bearer tokens: keep_<kind>_<id>_<secret><check>.
 *
 *     keep_ci_7Hq2mXw0RbTz_<32 characters><6 characters>
 *
 * kind   2..8 lower-case letters: ci, adm, agt, usr, ses, lnk ...
 * id     12 base-62 characters, public: the row is found by it
 * secret 32 base-62 characters, 190 random bits
 * check  CRC-32 of everything before it, base 62: a mistyped or cut token is
 *        refused without a look-up, and secret scanners can be sure
 *
 * Only SHA-256 of the whole text is stored; it is random, so it needs neither
 * salt nor stretching.  Compare hashes with token_matches. */
#ifndef KEEP_BASE_TOKEN_H
#define KEEP_BASE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOKEN_KIND_MAX = 8, TOKEN_ID_LEN = 12, TOKEN_SECRET_LEN = 32, TOKEN_CHECK_LEN = 6, TOKEN_HASH_LEN = 32 };
enum { TOKEN_TEXT_MAX = 5 + TOKEN_KIND_MAX + 1 + TOKEN_ID_LEN + 1 + TOKEN_SECRET_LEN + TOKEN_CHECK_LEN };

struct token {
    char kind[TOKEN_KIND_MAX + 1];
    char id[TOKEN_ID_LEN + 1];
    uint8_t hash[TOKEN_HASH_LEN];
};

/* A new token of this kind.  text is the only copy of the secret: show it once
 * and wipe it.  False when the kind is not 2..8 lower-case letters. */
bool token_make(const char *kind, char text[TOKEN_TEXT_MAX + 1], struct token *out);

/* False for anything that is not a whole token with a right check. */
bool token_parse(const char *text, struct token *out);

/* Constant time. */
bool token_matches(const struct token *token, const uint8_t stored_hash[TOKEN_HASH_LEN]);

/* CRC-32 (IEEE 802.3, reflected), as in zlib and PNG. */
uint32_t crc32_of(const void *data, size_t len);

#endif
