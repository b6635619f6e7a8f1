/* purl_view.c - see decode.h: the parts of a package URL that decoders look at. */
#include "wire/reports/decode.h"

#include <string.h>

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *decoded(struct decode *d, const char *s, size_t len)
{
    char *out = arena_bytes(d->arena, len + 1);
    size_t n = 0;

    if (out == NULL)
        return decode_nomem(d), NULL;
    for (size_t i = 0; i < len; i++) {
        int hi = s[i] == '%' && i + 2 < len + 0 ? hex_digit(s[i + 1]) : -1, lo = hi >= 0 ? hex_digit(s[i + 2]) : -1;
        out[n++] = lo >= 0 ? (char)(hi << 4 | lo) : s[i];
        i += lo >= 0 ? 2 : 0;
    }
    out[n] = '\0';
    return n > 0 && str_is_utf8(out, n) ? out : NULL;
}

static void qualifiers(struct decode *d, const char *s, size_t len, struct purl_view *out)
{
    static const struct { const char *key; size_t at; } known[] = {
        { "arch", offsetof(struct purl_view, arch) }, { "distro", offsetof(struct purl_view, distro) },
        { "upstream", offsetof(struct purl_view, upstream) }, { "epoch", offsetof(struct purl_view, epoch) },
        { "repository_url", offsetof(struct purl_view, repository_url) }, { "tag", offsetof(struct purl_view, tag) },
    };

    for (const char *end = s + len; s < end;) {
        const char *amp = memchr(s, '&', (size_t)(end - s)), *stop = amp != NULL ? amp : end;
        const char *eq = memchr(s, '=', (size_t)(stop - s));
        for (size_t i = 0; eq != NULL && i < N_ITEMS(known); i++) {
            if (strlen(known[i].key) == (size_t)(eq - s) && strncasecmp(known[i].key, s, (size_t)(eq - s)) == 0)
                *(const char **)((char *)out + known[i].at) = decoded(d, eq + 1, (size_t)(stop - eq - 1));
        }
        s = stop + 1;
    }
}

bool purl_view_read(struct decode *d, const char *text, struct purl_view *out, const char **canonical)
{
    const char *s = text;

    if (strncmp(s, "pkg:", 4) != 0)
        return false;
    s += 4 + strspn(s + 4, "/");
    size_t len = strcspn(s, "#");
    const char *question = memchr(s, '?', len);
    size_t body = question != NULL ? (size_t)(question - s) : len;
    const char *slash = memchr(s, '/', body);
    if (slash == NULL || slash == s)
        return false;
    struct purl_view u = { .type = decode_strndup(d, s, (size_t)(slash - s)) };
    const char *rest = slash + 1, *end = s + body;
    const char *at = memrchr(rest, '@', (size_t)(end - rest));
    const char *name_end = at != NULL && at > rest && at[-1] != '/' ? at : end;
    if (name_end == at)
        u.version = decoded(d, at + 1, (size_t)(end - at - 1));
    const char *last = memrchr(rest, '/', (size_t)(name_end - rest));
    u.name = decoded(d, last != NULL ? last + 1 : rest, (size_t)(name_end - (last != NULL ? last + 1 : rest)));
    if (last != NULL && last > rest)
        u.space = decoded(d, rest, (size_t)(last - rest));
    if (question != NULL)
        qualifiers(d, question + 1, (size_t)(s + len - question - 1), &u);
    if (u.name == NULL || u.type == NULL)
        return false;
    *out = u;
    *canonical = text;
    return true;
}
