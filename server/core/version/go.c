/* go.c - Go modules: vMAJOR[.MINOR[.PATCH[-pre][+build]]] (Go modules
 * reference, "Versions"), the v optional because OSV drops it.  The tool chain's
 * own versions (go1.22.3, 1.21rc2) are read as pre-releases of the same number.
 * Everything else is refused: older than any version, all alike. */
#include "core/version/parts.h"

#include "base/str.h"

struct go {
    struct part number[3];
    struct part prerelease;
    bool ok;
};

static const char *skip_prefix(const char *s)
{
    if (s[0] == 'v')
        return s + 1;
    return s[0] == 'g' && s[1] == 'o' && is_digit(s[2]) ? s + 2 : s;
}

/* "rc2", "beta1": the tool chain's pre-releases. */
static bool is_toolchain_pre(struct part p)
{
    static const char *const words[] = { "rc", "beta", "alpha" };

    for (size_t i = 0; i < N_ITEMS(words); i++) {
        size_t n = strlen(words[i]);
        if (p.len > n && memcmp(p.ptr, words[i], n) == 0)
            return all_digits((struct part){ p.ptr + n, p.len - n });
    }
    return false;
}

static struct go split(const char *text)
{
    struct go v = { 0 }, refused = { 0 };
    const char *s = skip_prefix(text), *end = s + strlen(s);
    size_t n = 0;

    do {
        struct part d = digits_at(s, end);
        if (n == 3 || d.len == 0 || (d.len > 1 && *d.ptr == '0'))
            return refused;
        v.number[n++] = d;
        s += d.len;
    } while (*s == '.' && s++);
    const char *plus = memchr(s, '+', (size_t)(end - s));
    const char *stop = plus != NULL ? plus : end;
    struct part pre = { s, (size_t)(stop - s) };
    if (pre.len > 0 && *s == '-') {
        pre = (struct part){ s + 1, pre.len - 1 };
        if (n < 3 || !identifiers_are_valid(pre, true))
            return refused;
    } else if (pre.len > 0 && (text[0] == 'v' || !is_toolchain_pre(pre))) {
        return refused;
    }
    if (plus != NULL && (n < 3 || !identifiers_are_valid((struct part){ plus + 1, (size_t)(end - plus - 1) }, false)))
        return refused;
    v.prerelease = pre;
    v.ok = true;
    return v;
}

int go_compare(const char *a, const char *b)
{
    struct go v = split(a), w = split(b);

    if (!v.ok || !w.ok)
        return v.ok - w.ok;
    for (size_t i = 0; i < 3; i++) {
        int c = compare_numbers(v.number[i], w.number[i]);
        if (c != 0)
            return c;
    }
    return prerelease_compare(v.prerelease, w.prerelease, false);
}

bool go_is_valid(const char *s)
{
    return split(s).ok;
}
