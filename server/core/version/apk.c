/* apk.c - Alpine: digits{.digits}[letter]{_suffix[digits]}[~hash][-rdigits]
 * (apk-version(8)).  A text that breaks the rule counts up to the bad place. */
#include "core/version/parts.h"

#include "base/str.h"

/* In the order in which a version may hold them: where two versions part, the
 * kind that could have come earlier is newer. */
enum kind { FIRST_NUMBER, NUMBER, LETTER, SUFFIX, SUFFIX_NUMBER, HASH, REVISION, END, BAD };

struct token {
    enum kind kind;
    int suffix;               /* index into suffixes */
    struct part text;
};

static const char *const suffixes[] = { "alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p" };
enum { N_PRE = 4 };           /* the first four are older than no suffix */

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

static struct part run_of(const char *s, bool (*in)(char))
{
    size_t n = 0;

    while (in(s[n]))
        n++;
    return (struct part){ s, n };
}

static int suffix_of(struct part text)
{
    for (size_t i = 0; i < N_ITEMS(suffixes); i++) {
        if (compare_bytes(text, part_of(suffixes[i])) == 0)
            return (int)i;
    }
    return -1;
}

static struct token bad(void) { return (struct token){ .kind = BAD }; }

static struct token number_token(enum kind kind, const char **s)
{
    struct part digits = run_of(*s, is_digit);

    *s += digits.len;
    return digits.len == 0 ? bad() : (struct token){ kind, 0, digits };
}

static struct token suffix_token(const char **s)
{
    struct part text = run_of(*s, is_lower);
    int suffix = suffix_of(text);

    *s += text.len;
    return suffix < 0 ? bad() : (struct token){ SUFFIX, suffix, text };
}

static struct token hash_token(const char **s)
{
    struct part text = run_of(*s, is_hex);

    *s += text.len;
    return text.len == 0 ? bad() : (struct token){ HASH, 0, text };
}

static struct token next(enum kind before, const char **s)
{
    char c = **s;

    if (c == '\0')
        return (struct token){ .kind = END };
    if (is_lower(c))
        return before > NUMBER ? bad() : (struct token){ LETTER, 0, { (*s)++, 1 } };
    if (is_digit(c) && before == SUFFIX)
        return number_token(SUFFIX_NUMBER, s);
    ++*s;
    if (c == '.')
        return before > NUMBER ? bad() : number_token(NUMBER, s);
    if (c == '_')
        return before > SUFFIX_NUMBER ? bad() : suffix_token(s);
    if (c == '~')
        return before >= HASH ? bad() : hash_token(s);
    if (c == '-' && **s == 'r' && before < REVISION) {
        ++*s;
        return number_token(REVISION, s);
    }
    return bad();
}

static int compare_token(const struct token *a, const struct token *b)
{
    switch (a->kind) {
    case NUMBER:
        /* 1.05 is a fraction, as it is for Gentoo. */
        if (*a->text.ptr == '0' || *b->text.ptr == '0')
            return compare_bytes(a->text, b->text);
        return compare_numbers(a->text, b->text);
    case FIRST_NUMBER:
    case SUFFIX_NUMBER:
    case REVISION:
        return compare_numbers(a->text, b->text);
    case SUFFIX:
        return sign_of(a->suffix - b->suffix);
    case LETTER:
    case HASH:
    case END:
    case BAD:
        return compare_bytes(a->text, b->text);
    }
    return 0;
}

static bool is_pre(const struct token *t)
{
    return t->kind == SUFFIX && t->suffix < N_PRE;
}

int apk_compare(const char *a, const char *b)
{
    struct token t = number_token(FIRST_NUMBER, &a), u = number_token(FIRST_NUMBER, &b);

    for (; t.kind == u.kind && t.kind < END; t = next(t.kind, &a), u = next(u.kind, &b)) {
        int c = compare_token(&t, &u);
        if (c != 0)
            return c;
    }
    if (t.kind == u.kind)
        return 0;
    if (is_pre(&t) || is_pre(&u))
        return is_pre(&t) ? -1 : 1;
    return t.kind > u.kind ? -1 : 1;
}

bool apk_is_valid(const char *s)
{
    struct token t = number_token(FIRST_NUMBER, &s);

    while (t.kind < END)
        t = next(t.kind, &s);
    return t.kind == END;
}
