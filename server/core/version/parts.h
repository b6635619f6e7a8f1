/* parts.h - what the schemes share: character classes, runs, and the order of
 * digit strings; and the table of schemes itself.  Only for server/core/version. */
#ifndef KEEP_CORE_VERSION_PARTS_H
#define KEEP_CORE_VERSION_PARTS_H

#include "core/version/version.h"

#include <stddef.h>
#include <string.h>

/* A piece of a version; points into the caller's text. */
struct part {
    const char *ptr;
    size_t len;
};

static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static inline bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || is_upper(c); }
static inline bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
static inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static inline char to_lower(char c) { return is_upper(c) ? (char)(c + 32) : c; }

static inline int sign_of(long long v) { return (v > 0) - (v < 0); }
static inline int order_of(size_t a, size_t b) { return (a > b) - (a < b); }

/* The digits at s, up to end. */
static inline struct part digits_at(const char *s, const char *end)
{
    const char *p = s;

    while (p < end && is_digit(*p))
        p++;
    return (struct part){ s, (size_t)(p - s) };
}

static inline bool all_digits(struct part p)
{
    return p.len > 0 && digits_at(p.ptr, p.ptr + p.len).len == p.len;
}

static inline struct part strip_zeros(struct part p)
{
    while (p.len > 0 && *p.ptr == '0')
        p = (struct part){ p.ptr + 1, p.len - 1 };
    return p;
}

static inline bool is_zero(struct part p) { return strip_zeros(p).len == 0; }

/* Two runs of digits by value; an empty run is 0. */
static inline int compare_numbers(struct part a, struct part b)
{
    a = strip_zeros(a);
    b = strip_zeros(b);
    if (a.len != b.len)
        return order_of(a.len, b.len);
    return a.len == 0 ? 0 : sign_of(memcmp(a.ptr, b.ptr, a.len));
}

static inline int compare_bytes(struct part a, struct part b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

    return c != 0 ? sign_of(c) : order_of(a.len, b.len);
}

static inline int compare_nocase(struct part a, struct part b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        int c = (unsigned char)to_lower(a.ptr[i]) - (unsigned char)to_lower(b.ptr[i]);
        if (c != 0)
            return sign_of(c);
    }
    return order_of(a.len, b.len);
}

static inline struct part part_of(const char *s) { return (struct part){ s, strlen(s) }; }

/* Without white space at both ends. */
static inline struct part trimmed(const char *s)
{
    struct part p = part_of(s);

    while (p.len > 0 && is_space(*p.ptr))
        p = (struct part){ p.ptr + 1, p.len - 1 };
    while (p.len > 0 && is_space(p.ptr[p.len - 1]))
        p.len--;
    return p;
}

/* One implementation per scheme. */
int generic_compare(const char *a, const char *b);
bool generic_is_valid(const char *s);
int deb_compare(const char *a, const char *b);
bool deb_is_valid(const char *s);
int rpm_compare(const char *a, const char *b);
bool rpm_is_valid(const char *s);
int apk_compare(const char *a, const char *b);
bool apk_is_valid(const char *s);
int semver_compare(const char *a, const char *b);
bool semver_is_valid(const char *s);
int pep440_compare(const char *a, const char *b);
bool pep440_is_valid(const char *s);
int maven_compare(const char *a, const char *b);
bool maven_is_valid(const char *s);
int go_compare(const char *a, const char *b);
bool go_is_valid(const char *s);
int gem_compare(const char *a, const char *b);
bool gem_is_valid(const char *s);
int nuget_compare(const char *a, const char *b);
bool nuget_is_valid(const char *s);
int composer_compare(const char *a, const char *b);
bool composer_is_valid(const char *s);

/* Semver's clause 11 over two dotted pre-releases (without the hyphen); none is
 * newer than any.  With `nocase` letters are compared as lower case. */
int prerelease_compare(struct part a, struct part b, bool nocase);
/* Dotted identifiers of [0-9A-Za-z-]; with `strict` numbers have no leading zero. */
bool identifiers_are_valid(struct part p, bool strict);

#endif
