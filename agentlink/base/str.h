/* str.h - small text helpers shared by everything.  ASCII only where case matters:
 * no locale is ever consulted. */
#ifndef KEEP_BASE_STR_H
#define KEEP_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes somebody else owns; not NUL-terminated. */
struct bytes {
    const unsigned char *ptr;
    size_t len;
};

#define N_ITEMS(a) (sizeof(a) / sizeof *(a))

bool str_eq(const char *a, const char *b);                 /* NULL equals only NULL */
bool str_eq_nocase(const char *a, const char *b);
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
void str_lower(char *s);                                   /* in place, A-Z only */

/* Shell-like pattern: '*' any run, '?' one byte, everything else literal.
 * Linear in strlen(pattern) * strlen(s), no recursion. */
bool str_match(const char *pattern, const char *s);

/* Valid UTF-8 (RFC 3629: shortest form, no surrogates, <= U+10FFFF) without NUL. */
bool str_is_utf8(const char *s, size_t len);

/* Bytes of the valid UTF-8 sequence at s (1 to 4; a NUL counts as 1), or 0 when
 * the len bytes there do not begin with one. */
size_t str_utf8_len(const char *s, size_t len);

/* Decimal without sign, leading zeros or rest; false when not exactly that. */
bool str_to_i64(const char *s, int64_t min, int64_t max, int64_t *out);

/* Lower-case hex.  `out` holds 2 * len + 1 bytes. */
void hex_encode(const void *bytes, size_t len, char *out);
/* Exactly len bytes of lower-case hex digits and nothing after them. */
bool hex_decode(const char *hex, void *out, size_t len);

/* "sha256:" and 64 lower-case hex digits, nothing else. */
bool digest_is_valid(const char *s);
enum { DIGEST_LEN = 71 };                                  /* without the NUL */

/* Edit distance, at most `max` (else max + 1): for "did you mean". */
size_t str_distance(const char *a, const char *b, size_t max);

#endif
