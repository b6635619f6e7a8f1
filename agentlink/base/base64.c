/* base64.c - see base64.h. */
#include "base/base64.h"

#include <stdbool.h>
#include <stdint.h>

/* 0: not in any alphabet; else value + 1, and the alphabet it belongs to alone. */
enum { IS_STD = 0x100, IS_URL = 0x200 };

static const uint16_t value[256] = {
    ['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    ['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
    ['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
    ['+'] = 63 | IS_STD, ['/'] = 64 | IS_STD,
    ['-'] = 63 | IS_URL, ['_'] = 64 | IS_URL,
};

static uint32_t six(unsigned v)
{
    return (v - 1) & 63;
}

/* Takes the padding off; false when it breaks the rule. */
static bool strip_padding(const char *text, size_t *len, unsigned rules)
{
    size_t n = *len, pads = 0;

    while (pads < 2 && n > 0 && text[n - 1] == '=') {
        n--;
        pads++;
    }
    bool padded = n % 4 == 0 ? pads == 0 : n % 4 + pads == 4;
    if (n % 4 == 1)
        return false;
    *len = n;
    if (rules & BASE64_PAD_NEVER)
        return pads == 0;
    return padded || (pads == 0 && (rules & BASE64_PAD_OPTIONAL));
}

int base64_decode(const char *text, size_t len, unsigned rules, void *out, size_t *out_len)
{
    uint8_t *to = out;
    unsigned seen = 0;
    size_t i = 0;

    if (!strip_padding(text, &len, rules))
        return -1;
    for (; len - i >= 4; i += 4, to += 3) {
        unsigned a = value[(uint8_t)text[i]], b = value[(uint8_t)text[i + 1]];
        unsigned c = value[(uint8_t)text[i + 2]], d = value[(uint8_t)text[i + 3]];
        if (a == 0 || b == 0 || c == 0 || d == 0)
            return -1;
        seen |= a | b | c | d;
        uint32_t bits = six(a) << 18 | six(b) << 12 | six(c) << 6 | six(d);
        to[0] = (uint8_t)(bits >> 16);
        to[1] = (uint8_t)(bits >> 8);
        to[2] = (uint8_t)bits;
    }
    if (len - i != 0) {
        unsigned a = value[(uint8_t)text[i]], b = value[(uint8_t)text[i + 1]];
        unsigned c = len - i == 3 ? value[(uint8_t)text[i + 2]] : value['A'];
        if (a == 0 || b == 0 || c == 0)
            return -1;
        seen |= a | b | c;
        uint32_t bits = six(a) << 18 | six(b) << 12 | six(c) << 6;
        *to++ = (uint8_t)(bits >> 16);
        if (len - i == 3)
            *to++ = (uint8_t)(bits >> 8);
        if (bits & (len - i == 3 ? 0xFF : 0xFFFF))
            return -1;
    }
    if ((seen & IS_STD && seen & IS_URL) || (seen & IS_STD && !(rules & BASE64_STD)) ||
        (seen & IS_URL && !(rules & BASE64_URL)))
        return -1;
    *out_len = (size_t)(to - (uint8_t *)out);
    return 0;
}

size_t base64_encode(const void *bytes, size_t len, unsigned rules, char *out)
{
    static const char std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *alphabet = rules & BASE64_URL ? url : std;
    const uint8_t *p = bytes;
    char *to = out;
    size_t i = 0;

    for (; len - i >= 3; i += 3) {
        uint32_t bits = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
        *to++ = alphabet[bits >> 18];
        *to++ = alphabet[bits >> 12 & 63];
        *to++ = alphabet[bits >> 6 & 63];
        *to++ = alphabet[bits & 63];
    }
    if (len - i != 0) {
        uint32_t bits = (uint32_t)p[i] << 16 | (len - i == 2 ? (uint32_t)p[i + 1] << 8 : 0);
        *to++ = alphabet[bits >> 18];
        *to++ = alphabet[bits >> 12 & 63];
        if (len - i == 2)
            *to++ = alphabet[bits >> 6 & 63];
        for (size_t pad = len - i; pad < 3 && !(rules & BASE64_PAD_NEVER); pad++)
            *to++ = '=';
    }
    *to = '\0';
    return (size_t)(to - out);
}
