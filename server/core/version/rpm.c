/* rpm.c - RPM: [epoch:]version[-release] (rpm-version(7)).  A missing epoch is 0,
 * a missing release is older than any. */
#include "core/version/parts.h"

struct rpm {
    struct part epoch, version, release;
};

static struct rpm split(const char *s)
{
    const char *end = s + strlen(s);
    struct rpm v = { .epoch = digits_at(s, end) };

    if (s + v.epoch.len < end && s[v.epoch.len] == ':')
        s += v.epoch.len + 1;
    else
        v.epoch.len = 0;
    const char *dash = memrchr(s, '-', (size_t)(end - s));
    v.version = (struct part){ s, (size_t)((dash != NULL ? dash : end) - s) };
    if (dash != NULL)
        v.release = (struct part){ dash + 1, (size_t)(end - dash - 1) };
    return v;
}

static const char *skip_separators(const char *s, const char *end)
{
    while (s < end && !is_alnum(*s) && *s != '~' && *s != '^')
        s++;
    return s;
}

static struct part segment_at(const char *s, const char *end)
{
    const char *p = s;

    if (is_digit(*s))
        return digits_at(s, end);
    while (p < end && is_alpha(*p))
        p++;
    return (struct part){ s, (size_t)(p - s) };
}

/* Both at a letter or digit. */
static int compare_segment(struct part a, struct part b)
{
    bool number = is_digit(*a.ptr);

    if (number != is_digit(*b.ptr))
        return number ? 1 : -1;
    return number ? compare_numbers(a, b) : compare_bytes(a, b);
}

/* '~' is before everything, even the end; '^' is behind the end, but before
 * whatever else may follow.  2: neither is here. */
static int compare_marks(const char *p, const char *p_end, const char *q, const char *q_end)
{
    char c = p < p_end ? *p : '\0', d = q < q_end ? *q : '\0';

    if (c == '~' || d == '~')
        return c != '~' ? 1 : d != '~' ? -1 : 0;
    if (c == '^' || d == '^')
        return c == d ? 0 : c == '\0' ? -1 : d == '\0' ? 1 : c != '^' ? 1 : -1;
    return 2;
}

static int compare_part(struct part a, struct part b)
{
    const char *p = a.ptr, *q = b.ptr, *p_end = p + a.len, *q_end = q + b.len;

    while (p < p_end || q < q_end) {
        p = skip_separators(p, p_end);
        q = skip_separators(q, q_end);
        int c = compare_marks(p, p_end, q, q_end);
        if (c == 0) {
            p++;
            q++;
            continue;
        }
        if (c != 2)
            return c;
        if (p == p_end || q == q_end)
            break;
        struct part m = segment_at(p, p_end), n = segment_at(q, q_end);
        c = compare_segment(m, n);
        if (c != 0)
            return c;
        p += m.len;
        q += n.len;
    }
    return (p < p_end) - (q < q_end);
}

int rpm_compare(const char *a, const char *b)
{
    struct rpm v = split(a), w = split(b);
    int c = compare_numbers(v.epoch, w.epoch);

    if (c == 0)
        c = compare_part(v.version, w.version);
    if (c != 0)
        return c;
    if (v.release.ptr == NULL || w.release.ptr == NULL)
        return (v.release.ptr != NULL) - (w.release.ptr != NULL);
    return compare_part(v.release, w.release);
}

static bool only_rpm(struct part p)
{
    for (size_t i = 0; i < p.len; i++) {
        if (!is_alnum(p.ptr[i]) && strchr("._+%{}~^", p.ptr[i]) == NULL)
            return false;
    }
    return p.len > 0;
}

bool rpm_is_valid(const char *s)
{
    struct rpm v = split(s);

    return only_rpm(v.version) && (v.release.ptr == NULL || only_rpm(v.release));
}
