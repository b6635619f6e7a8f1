/* maven.c - Maven's ComparableVersion (POM reference, "Version Order
 * Specification"): dots separate items, hyphens and changes between digits and
 * letters open a sub-list; rising: alpha beta milestone rc=cr snapshot
 * (nothing)=ga=final=release sp, other words, numbers; case is ignored; zeros that
 * end a list, or stand before a word, do not count.
 *
 * A list can only be continued by its own last sub-list, so a version is one flat
 * row of tokens with a mark where a sub-list opens. */
#include "core/version/parts.h"

#include "base/str.h"

enum kind { NUMBER, WORD, PAIR /* word and number: rc1 */, DROPPED };

/* Offsets, not pointers: 4 Ki tokens must fit on the stack. */
struct token {
    uint16_t start, len;
    uint16_t digits;              /* PAIR: where its number begins */
    uint8_t kind;
    uint16_t opens;               /* sub-lists that start here */
};

struct maven {
    const char *text;
    size_t n;
    bool list_empty;              /* nothing yet in the innermost list */
    bool opening;                 /* the next token opens a sub-list */
    struct token tokens[VERSION_MAX + 1];
};

static void add(struct maven *v, enum kind kind, size_t start, size_t end)
{
    struct token t = { .start = (uint16_t)start, .len = (uint16_t)(end - start), .kind = (uint8_t)kind, .opens = v->opening ? 1 : 0 };

    if (kind == PAIR) {
        size_t i = start;
        while (i < end && !is_digit(v->text[i]))
            i++;
        t.digits = (uint16_t)i;
    }
    v->tokens[v->n++] = t;
    v->opening = v->list_empty = false;
}

static void open_list(struct maven *v)
{
    v->opening = v->list_empty = true;
}

struct scan {
    size_t start;
    bool in_digits, pair;
};

static enum kind kind_of(const struct scan *s)
{
    return s->pair ? PAIR : s->in_digits ? NUMBER : WORD;
}

/* Ends the item before the separator at i. */
static void end_item(struct maven *v, struct scan *s, size_t i)
{
    if (i == s->start)
        add(v, NUMBER, i, i);             /* nothing between separators is 0 */
    else
        add(v, kind_of(s), s->start, i);
    s->start = i + 1;
    s->pair = false;
}

static void scan_char(struct maven *v, struct scan *s, size_t i)
{
    char c = v->text[i];

    if (c == '.') {
        end_item(v, s, i);
    } else if (c == '-') {
        /* rc-1 is rc1 */
        if (i > s->start && !s->in_digits && is_digit(v->text[i + 1])) {
            s->pair = true;
            return;
        }
        end_item(v, s, i);
        open_list(v);
    } else if (is_digit(c)) {
        if (!s->in_digits && i > s->start) {
            s->pair = true;
            if (!v->list_empty)
                open_list(v);
        }
        s->in_digits = true;
    } else {
        if (s->in_digits && i > s->start) {
            end_item(v, s, i);
            s->start = i;
            open_list(v);
        }
        s->in_digits = false;
    }
}

static struct part text_of(const struct maven *v, const struct token *t)
{
    return (struct part){ v->text + t->start, t->len };
}

static bool is_null(const struct maven *v, const struct token *t)
{
    return t->kind == NUMBER && is_zero(text_of(v, t));
}

/* Whether a zero in front of `next` (NULL: nothing) counts for nothing. */
static bool hides_zero(const struct token *next)
{
    if (next == NULL)
        return true;
    return next->opens == 0 ? next->kind == WORD : next->opens == 1 && next->kind != NUMBER;
}

/* From the end: a zero goes when it is last in its list, or before a word of the
 * same list, or before a sub-list that starts with a word.  The lists it opened
 * are opened by what follows. */
static void drop_zeros(struct maven *v)
{
    struct token *kept = NULL;            /* the next token that stays */

    for (size_t i = v->n; i-- > 0;) {
        struct token *t = &v->tokens[i];
        if (!is_null(v, t) || !hides_zero(kept)) {
            kept = t;
            continue;
        }
        t->kind = DROPPED;
        if (kept != NULL)
            kept->opens = (uint16_t)(kept->opens + t->opens);
    }
}

static void parse(struct maven *v, const char *text)
{
    struct scan s = { 0 };
    size_t i;

    v->text = text;
    v->n = 0;
    v->list_empty = true;
    v->opening = false;
    for (i = 0; text[i] != '\0'; i++)
        scan_char(v, &s, i);
    if (i > s.start) {
        if (!s.in_digits && !v->list_empty)
            open_list(v);
        add(v, kind_of(&s), s.start, i);
    }
    drop_zeros(v);
}

/* ---- comparing ----------------------------------------------------------- */

static const char *const qualifiers[] = { "alpha", "beta", "milestone", "rc", "snapshot", "", "sp" };
enum { RELEASE = 5, OTHER = 7 };
static const struct {
    const char *word;
    int rank;
} aliases[] = { { "cr", 3 }, { "ga", RELEASE }, { "final", RELEASE }, { "release", RELEASE } };

static int rank_of(struct part word, bool before_number)
{
    static const char letters[] = "abm";

    if (before_number && word.len == 1) {
        const char *found = strchr(letters, to_lower(*word.ptr));
        if (found != NULL)
            return (int)(found - letters);
    }
    for (size_t i = 0; i < N_ITEMS(qualifiers); i++) {
        if (compare_nocase(word, part_of(qualifiers[i])) == 0)
            return (int)i;
    }
    for (size_t i = 0; i < N_ITEMS(aliases); i++) {
        if (compare_nocase(word, part_of(aliases[i].word)) == 0)
            return aliases[i].rank;
    }
    return OTHER;
}

/* A WORD, or the word of a PAIR without the hyphen before its number. */
struct qualifier {
    struct part word;
    int rank;
};

static struct qualifier qualifier_of(const struct maven *v, const struct token *t)
{
    struct part word = text_of(v, t);

    if (t->kind == PAIR) {
        word.len = (size_t)(t->digits - t->start);
        word.len -= word.len > 0 && word.ptr[word.len - 1] == '-';
    }
    return (struct qualifier){ word, rank_of(word, t->kind == PAIR) };
}

static int compare_qualifier(struct qualifier a, struct qualifier b)
{
    if (a.rank != b.rank || a.rank != OTHER)
        return sign_of(a.rank - b.rank);
    return compare_nocase(a.word, b.word);
}

static struct part number_of(const struct maven *v, const struct token *t)
{
    size_t end = (size_t)t->start + t->len;

    return (struct part){ v->text + t->digits, end - t->digits };
}

static int compare_to_nothing(const struct maven *v, const struct token *t)
{
    if (t->kind == NUMBER)
        return is_null(v, t) ? 0 : 1;
    return sign_of(qualifier_of(v, t).rank - RELEASE);
}

static int compare_scalar(const struct maven *v, const struct token *t, const struct maven *w, const struct token *u)
{
    if (t->kind == NUMBER || u->kind == NUMBER) {
        if (t->kind != u->kind)
            return t->kind == NUMBER ? 1 : -1;
        return compare_numbers(text_of(v, t), text_of(w, u));
    }
    int c = compare_qualifier(qualifier_of(v, t), qualifier_of(w, u));
    if (c == 0 && t->kind == PAIR && u->kind == PAIR)
        c = compare_numbers(number_of(v, t), number_of(w, u));
    return c != 0 ? c : (t->kind == PAIR) - (u->kind == PAIR);
}

/* The next token that stays, or NULL. */
static struct token *next(struct maven *v, size_t *i)
{
    while (*i < v->n && v->tokens[*i].kind == DROPPED)
        ++*i;
    return *i < v->n ? &v->tokens[*i] : NULL;
}

/* Whatever else is in v, against an end. */
static int rest_to_nothing(struct maven *v, size_t i)
{
    for (const struct token *t; (t = next(v, &i)) != NULL; i++) {
        int c = compare_to_nothing(v, t);
        if (c != 0)
            return c;
    }
    return 0;
}

int maven_compare(const char *a, const char *b)
{
    struct maven v, w;
    size_t i = 0, j = 0;

    parse(&v, a);
    parse(&w, b);
    for (;; i++, j++) {
        struct token *t = next(&v, &i), *u = next(&w, &j);
        if (t == NULL || u == NULL)
            return t != NULL ? rest_to_nothing(&v, i) : u != NULL ? -rest_to_nothing(&w, j) : 0;
        /* A sub-list is older than a number and newer than a word. */
        if (t->opens > u->opens)
            return u->kind == NUMBER ? -1 : 1;
        if (t->opens < u->opens)
            return t->kind == NUMBER ? 1 : -1;
        int c = compare_scalar(&v, t, &w, u);
        if (c != 0)
            return c;
    }
}

bool maven_is_valid(const char *s)
{
    return generic_is_valid(s);
}
