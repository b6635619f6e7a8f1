/* exception.c - see exception.h. */
#include "core/exception.h"
#include "base/str.h"
#include "base/time.h"
#include "core/life.h"

#include <string.h>

/* Bytes of text before its version: up to the last '@' that is not the first
 * character and has no '/' behind it (npm: @acme/ui@1.0). */
static size_t name_len(const char *text, size_t len)
{
    for (size_t i = len; i-- > 1;) {
        if (text[i] == '@')
            return i;
        if (text[i] == '/')
            break;
    }
    return len;
}

static bool same_bytes(const char *a, size_t n, const char *b, size_t m)
{
    return n == m && memcmp(a, b, n) == 0;
}

/* "k=v&k=v" has every pair of `wanted`. */
static bool has_qualifiers(const char *have, size_t have_len, const char *wanted, size_t wanted_len)
{
    for (size_t i = 0; i < wanted_len;) {
        size_t n = strcspn(wanted + i, "&#");
        bool found = false;
        for (size_t j = 0; j < have_len && !found;) {
            size_t m = strcspn(have + j, "&#");
            found = same_bytes(wanted + i, n, have + j, m);
            j += m + 1;
        }
        if (!found)
            return false;
        i += n + 1;
    }
    return true;
}

/* A purl's text in three pieces: base, qualifiers, subpath. */
struct pieces {
    const char *qualifiers, *subpath;
    size_t base_len, qualifiers_len;
};

static struct pieces split(const char *purl)
{
    struct pieces p = { .base_len = strcspn(purl, "?#") };
    const char *rest = purl + p.base_len;

    p.qualifiers = rest + (*rest == '?');
    p.qualifiers_len = *rest == '?' ? strcspn(p.qualifiers, "#") : 0;
    p.subpath = p.qualifiers + p.qualifiers_len;
    return p;
}

static bool purl_matches(const char *scope, const char *purl)
{
    struct pieces want = split(scope), have = split(purl);
    size_t want_name = name_len(scope, want.base_len);
    bool any_version = want_name == want.base_len;
    size_t compare = any_version ? name_len(purl, have.base_len) : have.base_len;

    return same_bytes(scope, want.base_len, purl, compare) &&
           has_qualifiers(have.qualifiers, have.qualifiers_len, want.qualifiers, want.qualifiers_len) &&
           (*want.subpath == '\0' || str_eq(want.subpath, have.subpath));
}

bool exception_package_matches(const char *scope, const char *name, const char *version, const char *purl)
{
    if (str_starts(scope, "pkg:"))
        return purl != NULL && purl_matches(scope, purl);
    if (name == NULL)
        return false;
    size_t len = strlen(scope), n = name_len(scope, len);
    if (!same_bytes(scope, n, name, strlen(name)))
        return str_eq(scope, name);
    return n == len || str_eq(scope + n + 1, version);
}

const char *exception_package_name(struct arena *arena, const char *scope)
{
    if (!str_starts(scope, "pkg:"))
        return arena_strndup(arena, scope, name_len(scope, strlen(scope)));
    size_t n = name_len(scope, strcspn(scope, "?#")), start = n;
    while (start > 0 && scope[start - 1] != '/')
        start--;
    return arena_strndup(arena, scope + start, n - start);
}

static bool one_of(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(word, list[i]))
            return true;
    return false;
}

static bool is_subject(const struct exception *e, const struct exception_target *t)
{
    if (e->rule != NULL)
        return e->vulnerability == NULL && str_eq(e->rule, t->rule);
    return e->vulnerability != NULL && t->vulnerability != NULL &&
           (str_eq(e->vulnerability, t->vulnerability) || one_of(e->vulnerability, t->aliases, t->n_aliases));
}

bool exception_matches(const struct exception *e, const struct exception_target *t, int64_t now_ms)
{
    if (life_at(TIME_UNKNOWN, e->expires_ms, e->revoked_ms, now_ms) != LIFE_LIVE || !is_subject(e, t))
        return false;
    if (e->repository != NULL && (t->repository == NULL || !str_match(e->repository, t->repository)))
        return false;
    if (e->digest != NULL && !one_of(e->digest, t->digests, t->n_digests))
        return false;
    if (e->package != NULL && !exception_package_matches(e->package, t->package, t->version, t->purl))
        return false;
    return e->namespace == NULL || str_eq(e->namespace, t->namespace);
}
