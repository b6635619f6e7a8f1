/* deb.c - Debian: [epoch:]upstream[-revision] (Debian policy 5.6.12). */
#include "core/version/parts.h"

struct deb {
    struct part epoch, upstream, revision;
    bool has_revision;
};

static struct deb split(const char *s)
{
    const char *end = s + strlen(s);
    struct deb v = { 0 };
    struct part epoch = digits_at(s, end);

    if (epoch.len > 0 && s[epoch.len] == ':') {
        v.epoch = epoch;
        s += epoch.len + 1;
    }
    const char *dash = memrchr(s, '-', (size_t)(end - s));
    v.upstream = (struct part){ s, (size_t)((dash != NULL ? dash : end) - s) };
    v.has_revision = dash != NULL;
    v.revision = dash != NULL ? (struct part){ dash + 1, (size_t)(end - dash - 1) } : (struct part){ end, 0 };
    return v;
}

/* '~' before the end, letters before everything else; digits weigh as the end
 * because a run of non-digits stops there. */
static int weight(const char *s, const char *end)
{
    if (s >= end || is_digit(*s))
        return 0;
    if (*s == '~')
        return -1;
    return is_alpha(*s) ? (unsigned char)*s : (unsigned char)*s + 256;
}

static int compare_part(struct part a, struct part b)
{
    const char *p = a.ptr, *q = b.ptr, *p_end = p + a.len, *q_end = q + b.len;

    while (p < p_end || q < q_end) {
        while ((p < p_end && !is_digit(*p)) || (q < q_end && !is_digit(*q))) {
            int c = weight(p, p_end) - weight(q, q_end);
            if (c != 0)
                return sign_of(c);
            p++;
            q++;
        }
        struct part m = digits_at(p, p_end), n = digits_at(q, q_end);
        int c = compare_numbers(m, n);
        if (c != 0)
            return c;
        p += m.len;
        q += n.len;
    }
    return 0;
}

int deb_compare(const char *a, const char *b)
{
    struct deb v = split(a), w = split(b);
    int c = compare_numbers(v.epoch, w.epoch);

    if (c == 0)
        c = compare_part(v.upstream, w.upstream);
    return c != 0 ? c : compare_part(v.revision, w.revision);
}

static bool only(struct part p, const char *punctuation)
{
    for (size_t i = 0; i < p.len; i++) {
        if (!is_alnum(p.ptr[i]) && strchr(punctuation, p.ptr[i]) == NULL)
            return false;
    }
    return true;
}

bool deb_is_valid(const char *s)
{
    struct deb v = split(s);

    return compare_numbers(v.epoch, part_of("2147483647")) <= 0 && v.upstream.len > 0 && is_digit(v.upstream.ptr[0]) &&
           only(v.upstream, v.epoch.len > 0 ? ".+-~:" : ".+-~") && only(v.revision, ".+~") &&
           (!v.has_revision || v.revision.len > 0);
}
