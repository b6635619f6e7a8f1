/* gem.c - RubyGems: segments of digits or letters, '-' stands for ".pre."; a
 * word is older than a number; zeros at the end of the leading numbers and at
 * the very end do not count (Gem::Version).  A platform behind the version
 * (1.2.3-x86_64-linux) is not part of it. */
#include "core/version/parts.h"

#include "base/str.h"

static const char *const platforms[] = {
    "aarch64", "aarch64_be", "arm", "arm64", "i386", "i586", "i686", "java", "jruby", "mingw32", "mswin32", "mswin64",
    "powerpc", "ppc64le", "riscv64", "ruby", "s390x", "universal", "x64", "x86", "x86_64",
};

static bool is_platform(const char *s, const char *end)
{
    struct part cpu = { s, 0 };

    while (s + cpu.len < end && s[cpu.len] != '-')
        cpu.len++;
    for (size_t i = 0; i < N_ITEMS(platforms); i++) {
        if (compare_nocase(cpu, part_of(platforms[i])) == 0)
            return true;
    }
    return false;
}

static struct part without_platform(const char *text)
{
    struct part s = trimmed(text);
    const char *dash = s.len == 0 ? NULL : memchr(s.ptr, '-', s.len);

    if (dash != NULL && is_platform(dash + 1, s.ptr + s.len))
        s.len = (size_t)(dash - s.ptr);
    return s;
}

/* Walks the segments; a hyphen yields "pre". */
struct cursor {
    const char *at, *end;
    bool in_words;            /* a word was seen: the leading numbers are over */
};

static bool at_end(struct cursor *c)
{
    while (c->at < c->end && !is_alnum(*c->at) && *c->at != '-')
        c->at++;
    return c->at >= c->end;
}

static struct part next_raw(struct cursor *c)
{
    const char *start = c->at;

    if (*c->at == '-') {
        c->at++;
        return part_of("pre");
    }
    bool number = is_digit(*c->at);
    while (c->at < c->end && (number ? is_digit(*c->at) : is_alpha(*c->at)))
        c->at++;
    return (struct part){ start, (size_t)(c->at - start) };
}

/* The next segment that counts; an empty one at the end.  A run of zeros counts
 * unless it ends the version or the leading numbers. */
static struct part next_segment(struct cursor *c)
{
    if (at_end(c))
        return (struct part){ c->end, 0 };
    struct part first = next_raw(c);
    if (!is_digit(*first.ptr)) {
        c->in_words = true;
        return first;
    }
    if (!is_zero(first))
        return first;
    struct cursor ahead = *c;
    while (!at_end(&ahead)) {
        struct part p = next_raw(&ahead);
        if (is_digit(*p.ptr) && is_zero(p))
            continue;
        if (is_digit(*p.ptr) || c->in_words)
            return first;
        *c = ahead;                       /* zeros between the numbers and the first word */
        c->in_words = true;
        return p;
    }
    *c = ahead;
    return (struct part){ c->end, 0 };
}

static int compare_segment(struct part a, struct part b)
{
    /* The end weighs as 0, and no zero at the end is left. */
    bool a_word = a.len > 0 && !is_digit(*a.ptr), b_word = b.len > 0 && !is_digit(*b.ptr);

    if (a_word != b_word)
        return a_word ? -1 : 1;
    return a_word ? compare_bytes(a, b) : compare_numbers(a, b);
}

static bool accepted(struct part s)
{
    const char *dash = s.len == 0 ? NULL : memchr(s.ptr, '-', s.len);
    struct part main = { s.ptr, dash != NULL ? (size_t)(dash - s.ptr) : s.len };

    if (s.len == 0)
        return true;
    if (!is_digit(*s.ptr) || !identifiers_are_valid(main, false))
        return false;
    /* The first segment is digits only. */
    size_t first = digits_at(main.ptr, main.ptr + main.len).len;
    if (first < main.len && main.ptr[first] != '.')
        return false;
    return dash == NULL || identifiers_are_valid((struct part){ dash + 1, s.len - main.len - 1 }, false);
}

int gem_compare(const char *a, const char *b)
{
    struct part s = without_platform(a), t = without_platform(b);
    bool ok = accepted(s), other_ok = accepted(t);

    if (!ok || !other_ok)
        return ok != other_ok ? ok - other_ok : generic_compare(a, b);
    struct cursor p = { s.ptr, s.ptr + s.len, false }, q = { t.ptr, t.ptr + t.len, false };
    for (;;) {
        struct part m = next_segment(&p), n = next_segment(&q);
        int c = compare_segment(m, n);
        if (c != 0 || (m.len == 0 && n.len == 0))
            return c;
    }
}

bool gem_is_valid(const char *s)
{
    return accepted(without_platform(s));
}
