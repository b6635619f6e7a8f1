/* utf8.c - strings by code point (RFC 3629).  Everything but utf8_valid
 * expects valid UTF-8. */
#include "core/cel/internal.h"

static size_t width(unsigned char c)
{
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

size_t utf8_count(const char *s, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)s[i] & 0xC0) != 0x80;
    return count;
}

size_t utf8_offset(const char *s, size_t n, size_t chars)
{
    size_t at = 0;

    while (chars-- > 0 && at < n)
        at += width((unsigned char)s[at]);
    return at < n ? at : n;
}

uint32_t utf8_get(const char *s, size_t n, size_t *at)
{
    unsigned char c = (unsigned char)s[*at];
    size_t w = width(c);
    uint32_t v = w == 1 ? c : w == 2 ? c & 0x1Fu : w == 3 ? c & 0x0Fu : c & 0x07u;

    for (size_t i = 1; i < w && *at + i < n; i++)
        v = v << 6 | ((unsigned char)s[*at + i] & 0x3Fu);
    *at += w;
    return v;
}

size_t utf8_put(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xC0 | c >> 6);
        to[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xE0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 63));
        to[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    to[0] = (char)(0xF0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 63));
    to[2] = (char)(0x80 | (c >> 6 & 63));
    to[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* Length of the sequence at s, 0 when it is not one. */
static size_t sequence(const unsigned char *s, size_t left)
{
    unsigned char lo = 0x80, hi = 0xBF;
    size_t w;

    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF)
        w = 2;
    else if (s[0] >= 0xE0 && s[0] <= 0xEF)
        w = 3;
    else if (s[0] >= 0xF0 && s[0] <= 0xF4)
        w = 4;
    else
        return 0;
    if (left < w)
        return 0;
    lo = s[0] == 0xE0 ? 0xA0 : s[0] == 0xF0 ? 0x90 : lo;
    hi = s[0] == 0xED ? 0x9F : s[0] == 0xF4 ? 0x8F : hi;
    if (s[1] < lo || s[1] > hi)
        return 0;
    for (size_t i = 2; i < w; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    }
    return w;
}

bool utf8_valid(const char *s, size_t n)
{
    for (size_t at = 0; at < n;) {
        size_t w = sequence((const unsigned char *)s + at, n - at);
        if (w == 0)
            return false;
        at += w;
    }
    return true;
}
