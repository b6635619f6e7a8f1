/* base64.h - RFC 4648 base64, strict.
 *
 * Refused when decoding: whitespace and any other byte outside the alphabet, a
 * text that mixes the two alphabets, wrong or missing padding, bits left over
 * in the last character that are not zero.  So a text that decodes is one of
 * at most two texts (one per alphabet) for its bytes. */
#ifndef KEEP_BASE_BASE64_H
#define KEEP_BASE_BASE64_H

#include <stddef.h>

enum base64_rule {
    BASE64_STD = 1,           /* '+' and '/' are allowed */
    BASE64_URL = 2,           /* '-' and '_' are allowed */
    BASE64_ANY = 3,           /* one or the other, not both in one text */
    BASE64_PAD_OPTIONAL = 4,  /* either fully padded or not at all */
    BASE64_PAD_NEVER = 8,
};

/* Most bytes that len characters can decode to. */
static inline size_t base64_decoded_max(size_t len)
{
    return len / 4 * 3 + 3;
}

/* Decodes into out (at least base64_decoded_max(len) bytes; may be the text
 * itself).  rules: an alphabet, perhaps with a padding rule; without one the
 * padding is required.  0, or -1 with out's content unspecified. */
int base64_decode(const char *text, size_t len, unsigned rules, void *out, size_t *out_len);

/* Characters base64_encode writes for len bytes, without the NUL. */
static inline size_t base64_encoded_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* Encodes with BASE64_STD or BASE64_URL, padded unless BASE64_PAD_NEVER.
 * out holds base64_encoded_len(len) + 1 bytes; returns the length written. */
size_t base64_encode(const void *bytes, size_t len, unsigned rules, char *out);

#endif
