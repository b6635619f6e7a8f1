/* generic.c - the order for versions of no known ecosystem.
 *
 * Runs of digits and runs of letters, whatever separates them.  Rising: '~',
 * known pre-release words, the end, other words, numbers.  Zeros before a word
 * or the end do not count, so 1, 1.0 and v1.0.0 are the same. */
#include "core/version/parts.h"

#include "base/str.h"

static const char *const pre_words[] = { "dev", "snapshot", "alpha", "a", "beta", "b", "milestone", "pre", "preview", "rc", "cr" };
/* The order of the words above; equal numbers are the same thing. */
static const int pre_ranks[] = { 0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 5 };

enum rank { TILDE, PRE, END, WORD, NUMBER };

struct token {
    enum rank rank;
    int pre;
    struct part text;
};

static struct token word_token(struct part text)
{
    for (size_t i = 0; i < N_ITEMS(pre_words); i++) {
        if (compare_nocase(text, part_of(pre_words[i])) == 0)
            return (struct token){ PRE, pre_ranks[i], text };
    }
    return (struct token){ WORD, 0, text };
}

static struct token next_raw(const char **s)
{
    const char *p = *s;

    /* Bytes above ASCII are letters of some language. */
    while (*p != '\0' && *p != '~' && !is_alnum(*p) && (unsigned char)*p < 0x80)
        p++;
    const char *start = p;
    if (*p == '\0' || *p == '~') {
        *s = p + (*p == '~');
        return (struct token){ *p == '~' ? TILDE : END, 0, { p, 0 } };
    }
    bool number = is_digit(*p);
    while (number ? is_digit(*p) : is_alpha(*p) || (unsigned char)*p >= 0x80)
        p++;
    *s = p;
    struct part text = { start, (size_t)(p - start) };
    return number ? (struct token){ NUMBER, 0, text } : word_token(text);
}

static struct token next(const char **s)
{
    struct token first = next_raw(s);

    if (first.rank != NUMBER || !is_zero(first.text))
        return first;
    const char *ahead = *s;
    struct token t;
    do
        t = next_raw(&ahead);
    while (t.rank == NUMBER && is_zero(t.text));
    if (t.rank == NUMBER)
        return first;
    *s = ahead;
    return t;
}

static int compare_token(const struct token *a, const struct token *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->rank == PRE)
        return sign_of(a->pre - b->pre);
    return a->rank == NUMBER ? compare_numbers(a->text, b->text) : compare_nocase(a->text, b->text);
}

static const char *skip_v(const char *s)
{
    return (*s == 'v' || *s == 'V') && is_digit(s[1]) ? s + 1 : s;
}

int generic_compare(const char *a, const char *b)
{
    a = skip_v(a);
    b = skip_v(b);
    for (;;) {
        struct token t = next(&a), u = next(&b);
        int c = compare_token(&t, &u);
        if (c != 0 || t.rank == END)
            return c;
    }
}

bool generic_is_valid(const char *s)
{
    bool any = false;

    for (; *s != '\0'; s++) {
        if ((unsigned char)*s <= ' ' || *s == 0x7F)
            return false;
        any = any || is_alnum(*s);
    }
    return any;
}
