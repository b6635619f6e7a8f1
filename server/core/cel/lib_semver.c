/* lib_semver.c - versions of semver.org 2.0.0.  Comparisons share their names with
 * quantities: lib_quantity.c has the rows. */
#include "core/cel/internal.h"

#define K_SEMVER CEL_K(CEL_SEMVER)

struct reader {
    const char *s, *end;
};

/* Decimal without leading zeros (unless they are to be dropped). */
static bool number(struct reader *r, bool lenient, uint64_t *out)
{
    const char *from = r->s;
    uint64_t v = 0;

    for (; r->s < r->end && *r->s >= '0' && *r->s <= '9'; r->s++) {
        if (__builtin_mul_overflow(v, UINT64_C(10), &v) || __builtin_add_overflow(v, (uint64_t)(*r->s - '0'), &v))
            return false;
    }
    *out = v;
    return r->s > from && v <= INT64_MAX && (lenient || *from != '0' || r->s - from == 1);
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* Identifiers with dots between; numeric ones without leading zeros in a pre-release. */
static bool identifiers(struct reader *r, bool pre, const char **text, uint32_t *len)
{
    const char *from = r->s;

    for (;;) {
        const char *start = r->s;
        bool digits = true;
        for (; r->s < r->end && is_word(*r->s); r->s++)
            digits &= *r->s >= '0' && *r->s <= '9';
        if (r->s == start || (pre && digits && *start == '0' && r->s - start > 1))
            return false;
        if (r->s >= r->end || *r->s != '.')
            break;
        r->s++;
    }
    *text = from;
    *len = (uint32_t)(r->s - from);
    return true;
}

static bool parse(const struct cel_value *text, bool lenient, struct cel_semver *v)
{
    struct reader r = { text->s, text->s + text->n };
    int parts = 0;

    *v = (struct cel_semver){ .pre = NULL };
    if (lenient && r.s < r.end && *r.s == 'v')
        r.s++;
    for (; parts < 3; parts++) {
        if (parts > 0 && (r.s >= r.end || *r.s != '.'))
            break;
        r.s += parts > 0;
        if (!number(&r, lenient, &v->part[parts]))
            return false;
    }
    if (parts < 3)
        return lenient && r.s == r.end;
    if (r.s < r.end && *r.s == '-' && (r.s++, !identifiers(&r, true, &v->pre, &v->pre_len)))
        return false;
    if (r.s < r.end && *r.s == '+' && (r.s++, !identifiers(&r, false, &v->build, &v->build_len)))
        return false;
    return r.s == r.end;
}

/* The next identifier of a pre-release. */
static bool next(struct reader *r, const char **word, size_t *len)
{
    if (r->s >= r->end)
        return false;
    const char *dot = memchr(r->s, '.', (size_t)(r->end - r->s));
    *word = r->s;
    *len = (size_t)((dot != NULL ? dot : r->end) - r->s);
    r->s = dot != NULL ? dot + 1 : r->end;
    return true;
}

static bool all_digits(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
    }
    return true;
}

static int compare_words(const char *a, size_t n, const char *b, size_t m)
{
    bool x = all_digits(a, n), y = all_digits(b, m);

    if (x != y)
        return x ? -1 : 1;             /* numbers come before words */
    if (x && n != m)
        return n < m ? -1 : 1;         /* no leading zeros: longer is larger */
    int c = memcmp(a, b, n < m ? n : m);
    return c != 0 ? (c > 0) - (c < 0) : (n > m) - (n < m);
}

static int compare_pre(const struct cel_semver *a, const struct cel_semver *b)
{
    struct reader x = { a->pre, a->pre + a->pre_len }, y = { b->pre, b->pre + b->pre_len };
    const char *v = NULL, *w = NULL;
    size_t n = 0, m = 0;

    for (;;) {
        bool more = next(&x, &v, &n), other = next(&y, &w, &m);
        if (!more || !other)
            return more - other;
        int c = compare_words(v, n, w, m);
        if (c != 0)
            return c;
    }
}

int cel_semver_compare(const struct cel_semver *a, const struct cel_semver *b)
{
    for (int i = 0; i < 3; i++) {
        if (a->part[i] != b->part[i])
            return a->part[i] < b->part[i] ? -1 : 1;
    }
    if (a->pre == NULL || b->pre == NULL)
        return (a->pre == NULL) - (b->pre == NULL);
    return compare_pre(a, b);
}

static struct cel_value semver(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_semver v;

    return parse(a, n == 2 && a[1].boolean, &v) ? run_opaque(run, CEL_SEMVER, &v, sizeof v) :
           cel_fail(run, "not a semantic version: '%.*s'", a->n < 60 ? (int)a->n : 60, a->s);
}

static struct cel_value is_semver(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_semver v;

    (void)run;
    return cel_bool(parse(a, n == 2 && a[1].boolean, &v));
}

static struct cel_value part(const struct cel_value *a, int i)
{
    const struct cel_semver *v = a->opaque;

    return cel_int((int64_t)v->part[i]);
}

static struct cel_value major_part(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return part(a, 0);
}

static struct cel_value minor_part(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return part(a, 1);
}

static struct cel_value patch_part(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return part(a, 2);
}

static const struct cel_function functions[] = {
    FN("semver", 1, K_SEMVER, semver, K_STRING),
    FN("semver", 2, K_SEMVER, semver, K_STRING, K_BOOL),
    FN("isSemver", 1, K_BOOL, is_semver, K_STRING),
    FN("isSemver", 2, K_BOOL, is_semver, K_STRING, K_BOOL),
    METHOD("major", 1, K_INT, major_part, K_SEMVER),
    METHOD("minor", 1, K_INT, minor_part, K_SEMVER),
    METHOD("patch", 1, K_INT, patch_part, K_SEMVER),
};

const struct cel_library lib_semver = { functions, N_ITEMS(functions) };
