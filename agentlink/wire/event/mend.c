/* mend.c - foreign text that is almost JSON, made JSON.
 *
 * Whoever names a file may put bytes into an event that no strict reader takes; to
 * refuse such an event would let him hide it.  Only what stands within strings is
 * touched. */
#include "wire/event/map.h"

#include "base/str.h"

#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD";

static int hex_value(const char *s)
{
    int v = 0;

    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef", *d = s[i] != '\0' ? strchr(digits, s[i] | (s[i] >= 'A' ? 0x20 : 0)) : NULL;
        if (d == NULL)
            return -1;
        v = v << 4 | (int)(d - digits);
    }
    return v;
}

/* s is at "\u"; returns how many bytes of it were taken. */
static size_t mend_unicode(const char *s, size_t left, struct buf *out)
{
    int hi = left >= 6 ? hex_value(s + 2) : -1;
    int lo = hi >= 0xD800 && hi < 0xDC00 && left >= 12 && s[6] == '\\' && s[7] == 'u' ? hex_value(s + 8) : -1;

    if (hi < 0) {
        buf_puts(out, "\\\\u");
        return 2;
    }
    if (lo >= 0xDC00 && lo <= 0xDFFF) {
        buf_put(out, s, 12);
        return 12;
    }
    if (hi == 0 || (hi >= 0xD800 && hi <= 0xDFFF))
        buf_puts(out, replacement);
    else
        buf_put(out, s, 6);
    return 6;
}

static size_t mend_escape(const char *s, size_t left, struct buf *out)
{
    if (left >= 2 && s[1] == 'u')
        return mend_unicode(s, left, out);
    if (left >= 2 && s[1] != '\0' && strchr("\"\\/bfnrt", s[1]) != NULL) {
        buf_put(out, s, 2);
        return 2;
    }
    buf_puts(out, "\\\\");                              /* a backslash that escapes nothing is one */
    return 1;
}

/* One character of a string. */
static size_t mend_one(const char *s, size_t left, struct buf *out)
{
    unsigned char c = (unsigned char)*s;

    if (c == '\\')
        return mend_escape(s, left, out);
    if (c == '\0')
        return buf_puts(out, replacement), 1;
    if (c < 0x20)
        return buf_printf(out, "\\u%04x", c), 1;
    size_t n = str_utf8_len(s, left);
    if (n == 0)
        return buf_puts(out, replacement), 1;
    return buf_put(out, s, n), n;
}

int event_mend(const char *text, size_t len, struct buf *out)
{
    bool in_string = false;

    for (size_t i = 0; i < len && !out->failed;) {
        if (text[i] == '"') {
            in_string = !in_string;
            buf_putc(out, text[i++]);
        } else if (!in_string) {
            buf_putc(out, text[i++]);
        } else {
            i += mend_one(text + i, len - i, out);
        }
    }
    return out->failed ? -1 : 0;
}
