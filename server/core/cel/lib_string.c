/* lib_string.c - the strings extension (cel-spec doc/extensions/strings.md, cel-go
 * ext), by code point.  format is in lib_format.c.
 *
 * Indices beyond the end are errors, as the conformance data has it. */
#include "core/cel/internal.h"

static struct cel_value out_of_range(struct cel_run *run, int64_t at)
{
    return cel_fail(run, "index out of range: %lld", (long long)at);
}

/* Pays for looking at all of the arguments; false when stopped. */
static bool pay_text(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    uint64_t cost = 0;

    for (uint32_t i = 0; i < n; i++)
        cost += a[i].kind == CEL_STRING ? a[i].n / 16 : 0;
    return cel_pay(run, cost);
}

static struct cel_value char_at(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    if (!pay_text(run, a, n))
        return run_stopped(run);
    int64_t chars = (int64_t)utf8_count(a->s, a->n);
    if (a[1].i < 0 || a[1].i > chars)
        return out_of_range(run, a[1].i);
    size_t at = utf8_offset(a->s, a->n, (size_t)a[1].i), next = at;
    if (at < a->n)
        utf8_get(a->s, a->n, &next);
    return cel_string(a->s + at, next - at);
}

static struct cel_value index_of(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    int64_t from = n == 3 ? a[2].i : 0;

    if (!pay_text(run, a, n) || !cel_pay(run, a[0].n / 16 * (a[1].n / 64)))
        return run_stopped(run);
    if (from < 0 || from > (int64_t)utf8_count(a->s, a->n))
        return out_of_range(run, from);
    size_t at = utf8_offset(a->s, a->n, (size_t)from);
    const char *found = a[1].n == 0 ? a->s + at : memmem(a->s + at, a->n - at, a[1].s, a[1].n);
    return cel_int(found == NULL ? -1 : (int64_t)utf8_count(a->s, (size_t)(found - a->s)));
}

static struct cel_value last_index_of(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    int64_t chars = (int64_t)utf8_count(a->s, a->n), from = n == 3 ? a[2].i : chars;

    if (!pay_text(run, a, n) || !cel_pay(run, (uint64_t)a[0].n / 16 * (a[1].n / 64 + 1)))
        return run_stopped(run);
    if (from < 0 || from > chars)
        return out_of_range(run, from);
    if (a[1].n > a->n)
        return cel_int(-1);
    size_t at = utf8_offset(a->s, a->n, (size_t)from);
    if (at > a->n - a[1].n)
        at = a->n - a[1].n;
    /* A match can only begin where a character begins, since both are UTF-8. */
    for (;; at--) {
        if (memcmp(a->s + at, a[1].s, a[1].n) == 0)
            return cel_int((int64_t)utf8_count(a->s, at));
        if (at == 0)
            return cel_int(-1);
    }
}

static struct cel_value ascii_case(struct cel_run *run, const struct cel_value *a, char first, char last, int shift)
{
    char *s = run_bytes(run, (size_t)a->n + 1);

    if (s == NULL)
        return run_stopped(run);
    for (uint32_t i = 0; i < a->n; i++)
        s[i] = a->s[i] >= first && a->s[i] <= last ? (char)(a->s[i] + shift) : a->s[i];
    s[a->n] = '\0';
    return cel_string(s, a->n);
}

static struct cel_value lower_ascii(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return ascii_case(run, a, 'A', 'Z', 'a' - 'A');
}

static struct cel_value upper_ascii(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return ascii_case(run, a, 'a', 'z', 'A' - 'a');
}

/* Where the next occurrence begins at or after `from`; an empty needle is found
 * before every character and at the end. */
static bool next_occurrence(const struct cel_value *a, const struct cel_value *needle, size_t from, size_t *at)
{
    if (from > a->n)
        return false;
    const char *found = needle->n == 0 ? a->s + from : memmem(a->s + from, a->n - from, needle->s, needle->n);
    if (found != NULL)
        *at = (size_t)(found - a->s);
    return found != NULL;
}

/* Steps over one character: behind an empty match. */
static size_t after(const struct cel_value *a, size_t at)
{
    if (at >= a->n)
        return at + 1;
    utf8_get(a->s, a->n, &at);
    return at;
}

static struct cel_value replace(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_text t = { .run = run };
    int64_t left = n == 4 ? a[3].i : -1;
    size_t copied = 0, at = 0, from = 0;

    if (!pay_text(run, a, n))
        return run_stopped(run);
    while (left != 0 && next_occurrence(a, &a[1], from, &at)) {
        text_put(&t, a->s + copied, at - copied);
        text_put(&t, a[2].s, a[2].n);
        copied = at + a[1].n;
        from = a[1].n == 0 ? after(a, at) : copied;
        left -= left > 0;
        if (t.full || !cel_pay(run, 1))
            return run_stopped(run);
    }
    text_put(&t, a->s + copied, a->n - copied);
    return text_value(&t);
}

/* Go's SplitN: an empty separator splits into characters. */
static struct cel_value split(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_items out = { 0 };
    int64_t most = n == 3 ? a[2].i : -1;
    size_t from = 0, at = 0;

    if (!pay_text(run, a, n))
        return run_stopped(run);
    if (most == 0)
        return cel_list(NULL, 0);
    while (most < 0 || out.n + 1 < most) {
        bool found = a[1].n > 0 ? next_occurrence(a, &a[1], from, &at) : after(a, from) < a->n;
        if (!found)
            break;
        if (a[1].n == 0)
            at = after(a, from);
        if (!cel_pay(run, 1) || !items_add(run, &out, cel_string(a->s + from, at - from)))
            return run_stopped(run);
        from = at + a[1].n;
    }
    if (a[1].n == 0 && a->n == 0)
        return cel_list(NULL, 0);
    return items_add(run, &out, cel_string(a->s + from, a->n - from)) ? cel_list(out.ptr, out.n) : run_stopped(run);
}

static struct cel_value substring(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    if (!pay_text(run, a, n))
        return run_stopped(run);
    int64_t chars = (int64_t)utf8_count(a->s, a->n), from = a[1].i, to = n == 3 ? a[2].i : chars;
    if (from < 0 || from > chars)
        return out_of_range(run, from);
    if (to < from || to > chars)
        return out_of_range(run, to);
    size_t start = utf8_offset(a->s, a->n, (size_t)from);
    size_t len = utf8_offset(a->s + start, a->n - start, (size_t)(to - from));
    return cel_string(a->s + start, len);
}

/* White_Space of Unicode. */
static bool is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

static struct cel_value trim(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    size_t start = 0, end = 0;
    bool begun = false;

    if (!pay_text(run, a, n))
        return run_stopped(run);
    for (size_t at = 0; at < a->n;) {
        size_t next = at;
        bool space = is_space(utf8_get(a->s, a->n, &next));
        if (!space && !begun) {
            begun = true;
            start = at;
        }
        if (!space)
            end = next;
        at = next;
    }
    return cel_string(a->s + start, begun ? end - start : 0);
}

static struct cel_value reverse(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    char *s = run_bytes(run, (size_t)a->n + 1);
    size_t to = a->n;

    (void)n;
    if (s == NULL)
        return run_stopped(run);
    for (size_t at = 0, next = 0; at < a->n; at = next) {
        utf8_get(a->s, a->n, &next);
        to -= next - at;
        memcpy(s + to, a->s + at, next - at);
    }
    s[a->n] = '\0';
    return cel_string(s, a->n);
}

static struct cel_value join(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_text t = { .run = run };

    for (uint32_t i = 0, items = cel_size(a); i < items; i++) {
        struct cel_value v = cel_at(run, a, i);
        if (is_bad(v))
            return v;
        if (v.kind != CEL_STRING)
            return cel_fail(run, "join wants strings, found %s", cel_kind_name((enum cel_kind)v.kind));
        if (i > 0 && n == 2)
            text_put(&t, a[1].s, a[1].n);
        text_put(&t, v.s, v.n);
        if (t.full || !cel_pay(run, 1))
            return run_stopped(run);
    }
    return text_value(&t);
}

static struct cel_value quote(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    static const char from[] = "\"\\\a\b\f\n\r\t\v", into[] = "\"\\abfnrtv";
    struct cel_text t = { .run = run };

    (void)n;
    text_putc(&t, '"');
    for (uint32_t i = 0; i < a->n && !t.full; i++) {
        const char *found = a->s[i] != '\0' ? strchr(from, a->s[i]) : NULL;
        if (found != NULL)
            text_putc(&t, '\\');
        text_putc(&t, found != NULL ? into[found - from] : a->s[i]);
    }
    text_putc(&t, '"');
    return text_value(&t);
}

static const struct cel_function functions[] = {
    METHOD("charAt", 2, K_STRING, char_at, K_STRING, K_INT),
    METHOD("indexOf", 2, K_INT, index_of, K_STRING, K_STRING),
    METHOD("indexOf", 3, K_INT, index_of, K_STRING, K_STRING, K_INT),
    METHOD("lastIndexOf", 2, K_INT, last_index_of, K_STRING, K_STRING),
    METHOD("lastIndexOf", 3, K_INT, last_index_of, K_STRING, K_STRING, K_INT),
    METHOD("lowerAscii", 1, K_STRING, lower_ascii, K_STRING),
    METHOD("upperAscii", 1, K_STRING, upper_ascii, K_STRING),
    METHOD("replace", 3, K_STRING, replace, K_STRING, K_STRING, K_STRING),
    METHOD("replace", 4, K_STRING, replace, K_STRING, K_STRING, K_STRING, K_INT),
    METHOD("split", 2, K_LIST, split, K_STRING, K_STRING),
    METHOD("split", 3, K_LIST, split, K_STRING, K_STRING, K_INT),
    METHOD("substring", 2, K_STRING, substring, K_STRING, K_INT),
    METHOD("substring", 3, K_STRING, substring, K_STRING, K_INT, K_INT),
    METHOD("trim", 1, K_STRING, trim, K_STRING),
    METHOD("reverse", 1, K_STRING, reverse, K_STRING),
    METHOD("join", 1, K_STRING, join, K_LIST),
    METHOD("join", 2, K_STRING, join, K_LIST, K_STRING),
    FN("strings.quote", 1, K_STRING, quote, K_STRING),
};

const struct cel_library lib_string = { functions, N_ITEMS(functions) };
