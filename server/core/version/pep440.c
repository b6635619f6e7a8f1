/* pep440.c - Python: [N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local] and its
 * alternative spellings (PEP 440, appendix B).  What the rule refuses is older
 * than everything it accepts; among such, the generic order decides. */
#include "core/version/parts.h"

#include "base/str.h"

struct pep440 {
    struct part epoch, release, local;
    int pre;                               /* PRE_*; the order of PEP 440's key */
    bool has_post, has_dev;
    struct part pre_number, post_number, dev_number;
    bool ok;
};

enum { PRE_DEV_ONLY, PRE_A, PRE_B, PRE_RC, PRE_NONE };

struct spelling {
    const char *word;
    int value;
};

/* A longer word stands before the one it starts with. */
static const struct spelling pre_words[] = {
    { "alpha", PRE_A }, { "a", PRE_A }, { "beta", PRE_B }, { "b", PRE_B },
    { "preview", PRE_RC }, { "pre", PRE_RC }, { "c", PRE_RC }, { "rc", PRE_RC },
};
static const struct spelling post_words[] = { { "post", 1 }, { "rev", 1 }, { "r", 1 } };
static const struct spelling dev_words[] = { { "dev", 1 } };

struct cursor {
    const char *at, *end;
};

static bool at_separator(const struct cursor *c)
{
    return c->at < c->end && (*c->at == '.' || *c->at == '-' || *c->at == '_');
}

static struct part take_digits(struct cursor *c)
{
    struct part d = digits_at(c->at, c->end);

    c->at += d.len;
    return d;
}

/* [sep] word [sep] [digits]; 0 and nothing taken when no word is there. */
static int take_word(struct cursor *c, const struct spelling *words, size_t n_words, struct part *number)
{
    struct cursor p = *c;

    if (at_separator(&p))
        p.at++;
    for (size_t i = 0; i < n_words; i++) {
        size_t len = strlen(words[i].word);
        if ((size_t)(p.end - p.at) < len ||
            compare_nocase((struct part){ p.at, len }, (struct part){ words[i].word, len }) != 0)
            continue;
        p.at += len;
        if (at_separator(&p))
            p.at++;
        *number = take_digits(&p);
        *c = p;
        return words[i].value;
    }
    return 0;
}

static void take_post(struct cursor *c, struct pep440 *v)
{
    if (c->end - c->at >= 2 && c->at[0] == '-' && is_digit(c->at[1])) {
        c->at++;
        v->post_number = take_digits(c);
        v->has_post = true;
    } else {
        v->has_post = take_word(c, post_words, N_ITEMS(post_words), &v->post_number) != 0;
    }
}

static bool take_release(struct cursor *c, struct pep440 *v)
{
    struct part first = take_digits(c);

    if (first.len > 0 && c->at < c->end && *c->at == '!') {
        v->epoch = first;
        c->at++;
        first = take_digits(c);
    }
    if (first.len == 0)
        return false;
    while (c->end - c->at >= 2 && c->at[0] == '.' && is_digit(c->at[1])) {
        c->at++;
        take_digits(c);
    }
    v->release = (struct part){ first.ptr, (size_t)(c->at - first.ptr) };
    return true;
}

static bool local_is_valid(struct part p)
{
    for (size_t i = 0; i < p.len; i++) {
        bool separator = p.ptr[i] == '.' || p.ptr[i] == '-' || p.ptr[i] == '_';
        if (!separator && !is_alnum(p.ptr[i]))
            return false;
        if (separator && (i == 0 || i + 1 == p.len || !is_alnum(p.ptr[i + 1])))
            return false;
    }
    return p.len > 0;
}

static struct pep440 parse(const char *text)
{
    struct pep440 v = { .pre = PRE_NONE }, refused = { 0 };
    struct part t = trimmed(text);
    struct cursor c = { t.ptr, t.ptr + t.len };

    if (c.at < c.end && (*c.at == 'v' || *c.at == 'V'))
        c.at++;
    if (!take_release(&c, &v))
        return refused;
    int pre = take_word(&c, pre_words, N_ITEMS(pre_words), &v.pre_number);
    take_post(&c, &v);
    v.has_dev = take_word(&c, dev_words, N_ITEMS(dev_words), &v.dev_number) != 0;
    if (pre != 0)
        v.pre = pre;
    else if (v.has_dev && !v.has_post)
        v.pre = PRE_DEV_ONLY;
    if (c.at < c.end && *c.at == '+') {
        v.local = (struct part){ c.at + 1, (size_t)(c.end - c.at - 1) };
        if (!local_is_valid(v.local))
            return refused;
        c.at = c.end;
    }
    v.ok = c.at == c.end;
    return v;
}

static struct part next_number(struct part *rest)
{
    struct part d = digits_at(rest->ptr, rest->ptr + rest->len);
    size_t used = d.len + (d.len < rest->len);

    if (used > 0)
        *rest = (struct part){ rest->ptr + used, rest->len - used };
    return d;
}

static int compare_release(struct part a, struct part b)
{
    int c = 0;

    while (c == 0 && (a.len > 0 || b.len > 0))
        c = compare_numbers(next_number(&a), next_number(&b));
    return c;
}

static struct part next_segment(struct part *rest)
{
    size_t n = 0;

    while (n < rest->len && is_alnum(rest->ptr[n]))
        n++;
    struct part segment = { rest->ptr, n };
    n += n < rest->len;
    *rest = (struct part){ rest->ptr + n, rest->len - n };
    return segment;
}

static int compare_local(struct part a, struct part b)
{
    while (a.len > 0 && b.len > 0) {
        struct part m = next_segment(&a), n = next_segment(&b);
        bool number = all_digits(m);
        if (number != all_digits(n))
            return number ? 1 : -1;
        int c = number ? compare_numbers(m, n) : compare_nocase(m, n);
        if (c != 0)
            return c;
    }
    return (a.len > 0) - (b.len > 0);
}

int pep440_compare(const char *a, const char *b)
{
    struct pep440 v = parse(a), w = parse(b);
    int c;

    if (!v.ok || !w.ok)
        return v.ok != w.ok ? v.ok - w.ok : generic_compare(a, b);
    if ((c = compare_numbers(v.epoch, w.epoch)) != 0 || (c = compare_release(v.release, w.release)) != 0)
        return c;
    if ((c = sign_of(v.pre - w.pre)) != 0 || (c = compare_numbers(v.pre_number, w.pre_number)) != 0)
        return c;
    if ((c = v.has_post - w.has_post) != 0 || (c = compare_numbers(v.post_number, w.post_number)) != 0)
        return c;
    /* A development release comes before what it leads to. */
    if ((c = w.has_dev - v.has_dev) != 0 || (c = compare_numbers(v.dev_number, w.dev_number)) != 0)
        return c;
    return compare_local(v.local, w.local);
}

bool pep440_is_valid(const char *s)
{
    return parse(s).ok;
}
