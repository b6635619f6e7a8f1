/* semver.c - Semantic Versioning 2.0.0, tolerant; also NuGet's variant of it.
 *
 * Accepted for comparison: blanks, '=' and 'v' in front; any number of dotted
 * numbers (missing ones are 0); a pre-release without its hyphen (1.0.0rc1);
 * build metadata, which is ignored.  What has no number at all sorts first. */
#include "core/version/parts.h"

struct semver {
    struct part core;           /* dotted numbers */
    struct part prerelease;
};

static struct semver split(const char *text)
{
    struct part s = trimmed(text);
    const char *p = s.ptr, *end = s.ptr + s.len;
    struct semver v = { 0 };

    while (p < end && (*p == '=' || *p == 'v' || *p == 'V' || is_space(*p)))
        p++;
    const char *plus = memchr(p, '+', (size_t)(end - p));
    if (plus != NULL)
        end = plus;
    const char *core = p;
    while (p < end && (is_digit(*p) || (*p == '.' && p > core && p + 1 < end && is_digit(p[1]))))
        p++;
    v.core = (struct part){ core, (size_t)(p - core) };
    /* A hyphen alone is an identifier, too. */
    if (end - p > 1 && (*p == '-' || *p == '.'))
        p++;
    v.prerelease = (struct part){ p, (size_t)(end - p) };
    return v;
}

/* The next dotted piece; `rest` moves behind its dot. */
static struct part next_piece(struct part *rest)
{
    const char *dot = rest->len == 0 ? NULL : memchr(rest->ptr, '.', rest->len);
    struct part piece = { rest->ptr, dot != NULL ? (size_t)(dot - rest->ptr) : rest->len };
    size_t used = piece.len + (dot != NULL);

    if (used > 0)
        *rest = (struct part){ rest->ptr + used, rest->len - used };
    return piece;
}

static int compare_core(struct part a, struct part b)
{
    int c = 0;

    while (c == 0 && (a.len > 0 || b.len > 0))
        c = compare_numbers(next_piece(&a), next_piece(&b));
    return c;
}

static int compare_identifier(struct part a, struct part b, bool nocase)
{
    bool number = all_digits(a);

    if (number != all_digits(b))
        return number ? -1 : 1;
    return number ? compare_numbers(a, b) : nocase ? compare_nocase(a, b) : compare_bytes(a, b);
}

int prerelease_compare(struct part a, struct part b, bool nocase)
{
    if (a.len == 0 || b.len == 0)
        return (a.len == 0) - (b.len == 0);
    while (a.len > 0 && b.len > 0) {
        int c = compare_identifier(next_piece(&a), next_piece(&b), nocase);
        if (c != 0)
            return c;
    }
    return (a.len > 0) - (b.len > 0);
}

static int compare(const char *a, const char *b, bool nocase)
{
    struct semver v = split(a), w = split(b);

    if (v.core.len == 0 || w.core.len == 0) {
        int c = (v.core.len > 0) - (w.core.len > 0);
        return c != 0 ? c : prerelease_compare(v.prerelease, w.prerelease, nocase);
    }
    int c = compare_core(v.core, w.core);
    return c != 0 ? c : prerelease_compare(v.prerelease, w.prerelease, nocase);
}

int semver_compare(const char *a, const char *b)
{
    return compare(a, b, false);
}

int nuget_compare(const char *a, const char *b)
{
    return compare(a, b, true);
}

bool identifiers_are_valid(struct part p, bool strict)
{
    struct part rest = p;

    if (p.len == 0 || p.ptr[p.len - 1] == '.')
        return false;
    while (rest.len > 0) {
        struct part id = next_piece(&rest);
        if (id.len == 0 || (strict && id.len > 1 && *id.ptr == '0' && all_digits(id)))
            return false;
        for (size_t i = 0; i < id.len; i++) {
            if (!is_alnum(id.ptr[i]) && id.ptr[i] != '-')
                return false;
        }
    }
    return true;
}

/* min..max dotted numbers at *s, then the optional -pre and +build. */
static bool is_valid(struct part s, size_t min, size_t max, bool strict)
{
    const char *p = s.ptr, *end = s.ptr + s.len;
    size_t n = 0;

    do {
        struct part d = digits_at(p, end);
        if (d.len == 0 || (strict && d.len > 1 && *d.ptr == '0'))
            return false;
        p += d.len;
        n++;
    } while (p < end && *p == '.' && p++);
    if (n < min || n > max)
        return false;
    const char *plus = memchr(p, '+', (size_t)(end - p));
    const char *stop = plus != NULL ? plus : end;
    if (p < stop && (*p != '-' || !identifiers_are_valid((struct part){ p + 1, (size_t)(stop - p - 1) }, strict)))
        return false;
    return plus == NULL || identifiers_are_valid((struct part){ plus + 1, (size_t)(end - plus - 1) }, false);
}

bool semver_is_valid(const char *s)
{
    struct part p = trimmed(s);

    if (p.len > 0 && *p.ptr == 'v')
        p = (struct part){ p.ptr + 1, p.len - 1 };
    return is_valid(p, 3, 3, true);
}

bool nuget_is_valid(const char *s)
{
    return is_valid(trimmed(s), 1, 4, false);
}
