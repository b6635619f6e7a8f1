/* etag.c - see etag.h. */
#include "http/etag.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

void etag_of(const void *bytes, size_t len, char out[ETAG_TEXT])
{
    const unsigned char *s = bytes;
    const u128 prime = ((u128)1 << 88) + 0x13B;
    u128 h = ((u128)0x6c62272e07bb0142ULL << 64) | 0x62b821756295c58dULL;

    for (size_t i = 0; i < len; i++)
        h = (h ^ s[i]) * prime;
    snprintf(out, ETAG_TEXT, "\"%016llx%016llx\"", (unsigned long long)(h >> 64), (unsigned long long)h);
}

void etag_with(const char *etag, const char *suffix, char out[ETAG_TEXT])
{
    size_t n = strlen(etag);

    if (n < 2 || etag[n - 1] != '"')
        n++;                                       /* not a quoted tag: keep it as it is */
    snprintf(out, ETAG_TEXT, "%.*s%s\"", (int)(n - 1), etag, suffix);
}

/* The tag's text without quotes and without the suffix of a coded form. */
static struct bytes bare(const char *tag, size_t len)
{
    if (len > 3 && (memcmp(tag + len - 3, "-gz", 3) == 0 || memcmp(tag + len - 3, "-br", 3) == 0))
        len -= 3;
    return (struct bytes){ (const unsigned char *)tag, len };
}

bool etag_matches(const char *if_none_match, const char *etag)
{
    size_t n = strlen(etag);
    const char *s = if_none_match;

    if (n < 2)
        return false;
    struct bytes want = bare(etag + 1, n - 2);
    s += strspn(s, " \t");
    if (*s == '*')
        return s[1 + strspn(s + 1, " \t")] == '\0';
    while (*s != '\0') {
        if (s[0] == 'W' && s[1] == '/')
            s += 2;
        if (*s != '"')
            return false;
        const char *end = strchr(s + 1, '"');
        if (end == NULL)
            return false;
        struct bytes have = bare(s + 1, (size_t)(end - s - 1));
        if (have.len == want.len && memcmp(have.ptr, want.ptr, want.len) == 0)
            return true;
        s = end + 1;
        s += strspn(s, " \t,");
    }
    return false;
}
