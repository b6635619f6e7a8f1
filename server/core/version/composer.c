/* composer.c - Composer: a version is first normalised to four numbers and a
 * stability ("2.1b3" is "2.1.0.0-beta3"), then compared as PHP's version_compare
 * does: pieces between dots, a change between digit and letter is a dot too;
 * rising: unknown words, dev, alpha, beta, RC, numbers, pl.  What cannot be
 * normalised (a branch, a foreign spelling) is compared as it is. */
#include "core/version/parts.h"

#include "base/str.h"

enum { TEXT_MAX = VERSION_MAX + 64 };

struct text {
    char s[TEXT_MAX + 1];
    size_t len;
};

static void put(struct text *t, const char *s, size_t n)
{
    if (n > TEXT_MAX - t->len)
        n = TEXT_MAX - t->len;            /* cannot be: the input is bounded, we add < 64 */
    memcpy(t->s + t->len, s, n);
    t->len += n;
    t->s[t->len] = '\0';
}

/* ---- normalising --------------------------------------------------------- */

static const struct {
    const char *word, *full;
} stabilities[] = {
    { "stable", "" }, { "beta", "-beta" }, { "b", "-beta" }, { "rc", "-RC" }, { "alpha", "-alpha" },
    { "a", "-alpha" }, { "patch", "-patch" }, { "pl", "-patch" }, { "p", "-patch" },
};

static bool starts_nocase(const char *s, const char *end, const char *word)
{
    size_t n = strlen(word);

    return (size_t)(end - s) >= n && compare_nocase((struct part){ s, n }, (struct part){ word, n }) == 0;
}

static const char *skip_any(const char *s, const char *end, const char *set)
{
    return s < end && strchr(set, *s) != NULL ? s + 1 : s;
}

/* (?:[.-]?\d+)* from s: where it ends. */
static const char *number_groups(const char *s, const char *end)
{
    for (;;) {
        const char *p = skip_any(s, end, ".-");
        size_t n = digits_at(p, end).len;
        if (n == 0)
            return s;
        s = p + n;
    }
}

/* The rest behind the numbers: [._-]?(stability(numbers)?)?([.-]?dev)?; false when
 * something else is there. */
static bool put_modifier(struct text *t, const char *s, const char *end)
{
    const char *p = skip_any(s, end, "._-");
    bool is_stable = false;

    for (size_t i = 0; i < N_ITEMS(stabilities); i++) {
        if (!starts_nocase(p, end, stabilities[i].word))
            continue;
        p += strlen(stabilities[i].word);
        const char *stop = number_groups(p, end);
        is_stable = stabilities[i].full[0] == '\0';
        if (!is_stable) {
            const char *digits = skip_any(p, stop, ".-");
            put(t, stabilities[i].full, strlen(stabilities[i].full));
            put(t, digits, (size_t)(stop - digits));
        }
        p = stop;
        break;
    }
    if (p == end)
        return true;
    p = skip_any(p, end, ".-");
    if (!starts_nocase(p, end, "dev") || p + 3 != end)
        return false;
    if (!is_stable)
        put(t, "-dev", 4);
    return true;
}

static bool put_classic(struct text *t, const char *s, const char *end)
{
    struct part d = digits_at(s, end);

    if (d.len == 0 || d.len > 5)
        return false;
    put(t, d.ptr, d.len);
    const char *p = s + d.len;
    for (int i = 0; i < 3; i++) {
        size_t n = p < end && *p == '.' ? digits_at(p + 1, end).len : 0;
        if (n > 0)
            put(t, p, n + 1);
        else
            put(t, ".0", 2);
        p += n > 0 ? n + 1 : 0;
    }
    return put_modifier(t, p, end);
}

/* 20240131, 2024.01.31-1, 2024-01-31_12: a year, up to six pairs, up to three digits. */
static bool put_date(struct text *t, const char *s, const char *end)
{
    size_t pairs = 0;

    if (digits_at(s, end).len < 4)
        return false;
    put(t, s, 4);
    for (s += 4; pairs < 6; pairs++) {
        const char *p = skip_any(s, end, ".:-");
        if (digits_at(p, end).len < 2)
            break;
        if (p > s)
            put(t, ".", 1);
        put(t, p, 2);
        s = p + 2;
    }
    const char *p = skip_any(s, end, ".:-");
    size_t n = digits_at(p, end).len;
    if (n > 0 && n <= 3) {
        if (p > s)
            put(t, ".", 1);
        put(t, p, n);
        s = p + n;
    }
    return pairs > 0 && put_modifier(t, s, end);
}

/* "2.x-dev", "2.1-dev": the newest of that line. */
static bool put_branch(struct text *t, const char *s, const char *end)
{
    int n = 0;

    if (end - s < 4 || !starts_nocase(end - 3, end, "dev"))
        return false;
    end -= 3;
    end -= end[-1] == '.' || end[-1] == '-';
    for (; s < end && n < 4; n++) {
        size_t len = digits_at(s, end).len;
        bool any = len == 0 && n > 0 && strchr("xX*", *s) != NULL;
        if (len == 0 && !any)
            return false;
        put(t, ".", n > 0);
        if (any)
            put(t, "9999999", 7);
        else
            put(t, s, len);
        s += any ? 1 : len;
        if (s < end && *s++ != '.')
            return false;
    }
    if (s != end || n == 0)
        return false;
    for (; n < 4; n++)
        put(t, ".9999999", 8);
    put(t, "-dev", 4);
    return true;
}

/* Without "@stability", "+build" and the v. */
static struct part stripped(const char *text)
{
    struct part p = trimmed(text);
    const char *at = p.len == 0 ? NULL : memrchr(p.ptr, '@', p.len);

    if (at != NULL)
        p.len = (size_t)(at - p.ptr);
    const char *plus = p.len == 0 ? NULL : memchr(p.ptr, '+', p.len);
    if (plus != NULL && plus > p.ptr)
        p.len = (size_t)(plus - p.ptr);
    if (p.len > 1 && (*p.ptr == 'v' || *p.ptr == 'V') && is_digit(p.ptr[1]))
        p = (struct part){ p.ptr + 1, p.len - 1 };
    return p;
}

static bool is_branch_name(struct part p)
{
    return starts_nocase(p.ptr, p.ptr + p.len, "dev-") || compare_bytes(p, part_of("master")) == 0 ||
           compare_bytes(p, part_of("trunk")) == 0 || compare_bytes(p, part_of("default")) == 0;
}

static bool normalise(const char *text, struct text *t)
{
    static bool (*const forms[])(struct text *, const char *, const char *) = { put_classic, put_date, put_branch };
    struct part p = stripped(text);

    for (size_t i = 0; i < N_ITEMS(forms) && !is_branch_name(p); i++) {
        t->len = 0;
        if (forms[i](t, p.ptr, p.ptr + p.len))
            return true;
    }
    t->len = 0;
    put(t, p.ptr, p.len);
    return false;
}

/* ---- PHP's version_compare ----------------------------------------------- */

enum { UNKNOWN = -1, DEV, ALPHA, BETA, RC, NUMBER, PL };

static const struct {
    const char *prefix;
    int rank;
} forms[] = {
    { "dev", DEV }, { "alpha", ALPHA }, { "a", ALPHA }, { "beta", BETA }, { "b", BETA }, { "RC", RC }, { "rc", RC }, { "pl", PL }, { "p", PL },
};

static int word_rank(struct part p)
{
    for (size_t i = 0; i < N_ITEMS(forms); i++) {
        size_t n = strlen(forms[i].prefix);
        if (p.len >= n && memcmp(p.ptr, forms[i].prefix, n) == 0)
            return forms[i].rank;
    }
    return UNKNOWN;
}

/* The next run of digits or letters; empty at the end. */
static struct part next_piece(const char **s)
{
    while (**s != '\0' && !is_alnum(**s))
        ++*s;
    const char *start = *s;
    bool number = is_digit(*start);
    while (number ? is_digit(**s) : is_alpha(**s))
        ++*s;
    return (struct part){ start, (size_t)(*s - start) };
}

static int piece_rank(struct part p)
{
    return p.len == 0 || is_digit(*p.ptr) ? NUMBER : word_rank(p);
}

static int php_compare(const char *a, const char *b)
{
    for (;;) {
        struct part p = next_piece(&a), q = next_piece(&b);
        if (p.len == 0 && q.len == 0)
            return 0;
        int c = sign_of(piece_rank(p) - piece_rank(q));
        /* A number more is newer, even when it is 0. */
        if (c == 0 && (p.len == 0 || q.len == 0))
            return p.len == 0 ? -1 : 1;
        if (c == 0 && is_digit(*p.ptr))
            c = compare_numbers(p, q);
        if (c != 0)
            return c;
    }
}

int composer_compare(const char *a, const char *b)
{
    struct text v, w;

    normalise(a, &v);
    normalise(b, &w);
    return php_compare(v.s, w.s);
}

bool composer_is_valid(const char *s)
{
    struct text t;

    return normalise(s, &t) || (is_branch_name(stripped(s)) && generic_is_valid(s));
}
