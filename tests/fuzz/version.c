/* version.c - an order must be one: reflexive, the same from both sides, equal
 * versions equal towards every third; and ranges agree with comparing.
 * Input: one byte of scheme, then lines: a, b, c. */
#include "core/version/version.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* Exactly as long as the text, so that a read past the end is seen. */
static char *take_line(const uint8_t **p, const uint8_t *end)
{
    const uint8_t *nl = *p < end ? memchr(*p, '\n', (size_t)(end - *p)) : NULL;
    size_t len = (size_t)((nl != NULL ? nl : end) - *p);
    char *s = malloc(len + 1);

    check(s != NULL);
    memcpy(s, *p, len);
    s[len] = '\0';
    *p += len + (nl != NULL);
    return s;
}

/* Maven's own order is not one: "1-ga1" and "1-ga2" are both equal to "1". */
static bool is_transitive(enum version_scheme s)
{
    return s != VERSION_MAVEN;
}

static void check_range(enum version_scheme s, const char *a, const char *b, int c)
{
    static const char *const ops[] = { "<", "<=", "=", ">=", ">", "!=" };
    const bool want[] = { c < 0, c <= 0, c == 0, c >= 0, c > 0, c != 0 };
    char range[VERSION_MAX + 8];
    struct err err;

    if (a[0] == '\0' || b[0] == '\0' || strlen(a) > VERSION_MAX || strlen(b) > VERSION_MAX || strpbrk(b, " \t\r\n\v\f,|<>=^~!([*") != NULL)
        return;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        bool inside;
        size_t n = strlen(ops[i]);
        memcpy(range, ops[i], n);
        memcpy(range + n, b, strlen(b) + 1);
        check(version_in_range(s, a, range, &inside, &err) == 0);
        check(inside == want[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    enum version_scheme s = (enum version_scheme)(data[0] % VERSION_N);
    const uint8_t *p = data + 1, *end = data + size;
    char *a = take_line(&p, end), *b = take_line(&p, end), *c = take_line(&p, end);
    bool inside;
    struct err err;

    int ab = version_compare(s, a, b), ac = version_compare(s, a, c), bc = version_compare(s, b, c);
    check(version_compare(s, a, a) == 0 && version_compare(s, b, b) == 0);
    check(version_compare(s, b, a) == -ab && version_compare(s, c, a) == -ac && version_compare(s, c, b) == -bc);
    if (is_transitive(s)) {
        check(ab != 0 || ac == bc);
        check(!(ab <= 0 && bc <= 0) || ac <= 0);
    }
    (void)version_is_valid(s, a);
    (void)version_scheme_of(a);
    check_range(s, a, b, ab);
    (void)version_in_range(s, a, b, &inside, &err);
    free(a);
    free(b);
    free(c);
    return 0;
}
