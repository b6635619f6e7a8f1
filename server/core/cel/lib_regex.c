/* lib_regex.c - matches (langdef), find and findAll (Kubernetes), and regex.replace,
 * extract, extractAll (cel-go ext: regex). */
#include "core/cel/internal.h"

static struct cel_value matches(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_value bad = { 0 };
    const struct cel_regex *re = regex_get(run, &a[1], &bad);
    int is = re != NULL ? regex_match(run, re, a, 0, NULL, &bad) : -1;

    (void)n;
    return is < 0 ? bad : cel_bool(is);
}

/* Matches one after another, without overlap; an empty one directly behind the
 * last does not count (as in Go). */
struct matches {
    struct cel_run *run;
    const struct cel_regex *re;
    const struct cel_value *text;
    size_t next, last_end;
    size_t at[REGEX_OVECTOR];
    struct cel_value bad;
};

static bool begin(struct matches *m, struct cel_run *run, const struct cel_value *a)
{
    *m = (struct matches){ .run = run, .text = a, .last_end = SIZE_MAX };
    m->re = regex_get(run, &a[1], &m->bad);
    return m->re != NULL;
}

/* 1, 0 at the end, -1 with bad. */
static int next(struct matches *m)
{
    while (m->next <= m->text->n) {
        int is = regex_match(m->run, m->re, m->text, m->next, m->at, &m->bad);
        if (is <= 0)
            return is;
        bool empty = m->at[0] == m->at[1], again = empty && m->at[0] == m->last_end;
        m->next = m->last_end = m->at[1];
        if (empty) {
            size_t step = m->next;
            if (step < m->text->n)
                utf8_get(m->text->s, m->text->n, &step);
            m->next = step > m->next ? step : step + 1;
        }
        if (!again)
            return 1;
    }
    return 0;
}

static struct cel_value group(const struct matches *m, uint32_t i)
{
    if (m->at[2 * i] == SIZE_MAX)
        return cel_string("", 0);
    return cel_string(m->text->s + m->at[2 * i], m->at[2 * i + 1] - m->at[2 * i]);
}

static struct cel_value find(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct matches m;
    int is = begin(&m, run, a) ? next(&m) : -1;

    (void)n;
    return is < 0 ? m.bad : is == 0 ? cel_string("", 0) : group(&m, 0);
}

static struct cel_value find_all(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct matches m;
    struct cel_items out = { 0 };
    int64_t left = n == 3 ? a[2].i : -1;
    int is = 0;

    if (!begin(&m, run, a))
        return m.bad;
    while (left != 0 && (is = next(&m)) > 0) {
        if (!items_add(run, &out, group(&m, 0)))
            return run_stopped(run);
        left -= left > 0;
    }
    return is < 0 ? m.bad : cel_list(out.ptr, out.n);
}

static struct cel_value extract(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct matches m;

    (void)n;
    if (!begin(&m, run, a))
        return m.bad;
    if (regex_groups(m.re) > 1)
        return cel_fail(run, "the pattern has more than one group");
    int is = next(&m);
    if (is <= 0)
        return is < 0 ? m.bad : optional_none();
    struct cel_value v = group(&m, regex_groups(m.re));
    return regex_groups(m.re) == 1 && v.n == 0 ? optional_none() : run_optional(run, v);
}

static struct cel_value extract_all(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct matches m;
    struct cel_items out = { 0 };
    int is;

    (void)n;
    if (!begin(&m, run, a))
        return m.bad;
    if (regex_groups(m.re) > 1)
        return cel_fail(run, "the pattern has more than one group");
    while ((is = next(&m)) > 0) {
        struct cel_value v = group(&m, regex_groups(m.re));
        bool left_out = regex_groups(m.re) == 1 && v.n == 0;
        if (!left_out && !items_add(run, &out, v))
            return run_stopped(run);
    }
    return is < 0 ? m.bad : cel_list(out.ptr, out.n);
}

/* The replacement with \0 to \9 filled in; CEL_ABSENT when all is well. */
static struct cel_value substitute(struct matches *m, const struct cel_value *with, struct cel_text *out)
{
    for (uint32_t i = 0; i < with->n; i++) {
        if (with->s[i] != '\\') {
            text_putc(out, with->s[i]);
            continue;
        }
        char c = ++i < with->n ? with->s[i] : '\0';
        if (c == '\\') {
            text_putc(out, c);
        } else if (c < '0' || c > '9') {
            return cel_fail(m->run, "in a replacement a backslash is followed by a digit or a backslash");
        } else if ((uint32_t)(c - '0') > regex_groups(m->re)) {
            return cel_fail(m->run, "the replacement names group %c, the pattern has %u", c, regex_groups(m->re));
        } else {
            struct cel_value v = group(m, (uint32_t)(c - '0'));
            text_put(out, v.s, v.n);
        }
    }
    return (struct cel_value){ .kind = CEL_ABSENT };
}

static struct cel_value replace(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct matches m;
    struct cel_text out = { .run = run };
    int64_t left = n == 4 ? a[3].i : -1;
    size_t copied = 0;
    int is = 0;

    if (!begin(&m, run, a))
        return m.bad;
    while (left != 0 && (is = next(&m)) > 0) {
        text_put(&out, a->s + copied, m.at[0] - copied);
        struct cel_value bad = substitute(&m, &a[2], &out);
        if (bad.kind != CEL_ABSENT)
            return bad;
        copied = m.at[1];
        left -= left > 0;
        if (out.full)
            return run_stopped(run);
    }
    if (is < 0)
        return m.bad;
    text_put(&out, a->s + copied, a->n - copied);
    return text_value(&out);
}

static const struct cel_function functions[] = {
    FN("matches", 2, K_BOOL, matches, K_STRING, K_STRING),
    METHOD("matches", 2, K_BOOL, matches, K_STRING, K_STRING),
    METHOD("find", 2, K_STRING, find, K_STRING, K_STRING),
    METHOD("findAll", 2, K_LIST, find_all, K_STRING, K_STRING),
    METHOD("findAll", 3, K_LIST, find_all, K_STRING, K_STRING, K_INT),
    FN("regex.extract", 2, K_OPTIONAL, extract, K_STRING, K_STRING),
    FN("regex.extractAll", 2, K_LIST, extract_all, K_STRING, K_STRING),
    FN("regex.replace", 3, K_STRING, replace, K_STRING, K_STRING, K_STRING),
    FN("regex.replace", 4, K_STRING, replace, K_STRING, K_STRING, K_STRING, K_INT),
};

const struct cel_library lib_regex = { functions, N_ITEMS(functions) };
