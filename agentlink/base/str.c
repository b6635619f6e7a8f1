/* str.c - see str.h. */
#include "base/str.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_eq(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool str_eq_nocase(const char *a, const char *b)
{
    for (; *a != '\0' && lower(*a) == lower(*b); a++, b++)
        ;
    return lower(*a) == lower(*b);
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

void str_lower(char *s)
{
    for (; *s != '\0'; s++)
        *s = lower(*s);
}

bool str_match(const char *pattern, const char *s)
{
    const char *star = NULL, *retry = NULL;

    while (*s != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            retry = s;
        } else if (*pattern == '?' || *pattern == *s) {
            pattern++;
            s++;
        } else if (star != NULL) {
            pattern = star + 1;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* Length of the sequence that starts with c, 0 when c cannot start one;
 * lo..hi bound the second byte (this is what excludes overlong forms,
 * surrogates and values past U+10FFFF). */
static size_t utf8_lead(unsigned char c, unsigned char *lo, unsigned char *hi)
{
    *lo = 0x80;
    *hi = 0xBF;
    if (c >= 0xC2 && c <= 0xDF)
        return 2;
    if (c >= 0xE0 && c <= 0xEF) {
        *lo = c == 0xE0 ? 0xA0 : 0x80;
        *hi = c == 0xED ? 0x9F : 0xBF;
        return 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        *lo = c == 0xF0 ? 0x90 : 0x80;
        *hi = c == 0xF4 ? 0x8F : 0xBF;
        return 4;
    }
    return 0;
}

size_t str_utf8_len(const char *str, size_t len)
{
    const unsigned char *s = (const unsigned char *)str;
    unsigned char lo, hi;

    if (len == 0 || *s < 0x80)
        return len == 0 ? 0 : 1;
    size_t n = utf8_lead(*s, &lo, &hi);
    if (n == 0 || len < n || s[1] < lo || s[1] > hi)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    }
    return n;
}

bool str_is_utf8(const char *s, size_t len)
{
    for (size_t n; len > 0; s += n, len -= n) {
        n = str_utf8_len(s, len);
        if (n == 0 || *s == '\0')
            return false;
    }
    return true;
}

bool str_to_i64(const char *s, int64_t min, int64_t max, int64_t *out)
{
    int64_t v = 0;

    if (*s < '0' || *s > '9' || (s[0] == '0' && s[1] != '\0'))
        return false;
    for (; *s != '\0'; s++) {
        if (*s < '0' || *s > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, *s - '0', &v))
            return false;
    }
    if (v < min || v > max)
        return false;
    *out = v;
    return true;
}

void hex_encode(const void *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[p[i] >> 4];
        *out++ = digits[p[i] & 15];
    }
    *out = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(const char *hex, void *out, size_t len)
{
    unsigned char *p = out;

    for (size_t i = 0; i < len; i++) {
        int hi = hex_digit(hex[2 * i]);
        int lo = hi < 0 ? -1 : hex_digit(hex[2 * i + 1]);
        if (lo < 0)
            return false;
        p[i] = (unsigned char)(hi << 4 | lo);
    }
    return hex[2 * len] == '\0';
}

bool digest_is_valid(const char *s)
{
    unsigned char ignored[32];

    return s != NULL && str_starts(s, "sha256:") && hex_decode(s + 7, ignored, 32);
}

size_t str_distance(const char *a, const char *b, size_t max)
{
    enum { WIDEST = 64 };
    size_t n = strlen(a), m = strlen(b), row[WIDEST + 1];

    if (n > WIDEST || m > WIDEST)
        return max + 1;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[m] <= max ? row[m] : max + 1;
}
