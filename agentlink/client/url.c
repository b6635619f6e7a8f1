/* url.c - see url.h. */
#include "client/url.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static void put_encoded(struct buf *b, const char *s, const char *also)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *s != '\0'; s++) {
        if (strchr(unreserved, *s) != NULL || strchr(also, *s) != NULL)
            buf_putc(b, *s);
        else
            buf_printf(b, "%%%02X", (unsigned)(unsigned char)*s);
    }
}

void url_path(struct buf *b, const char *template, const char *const *values, size_t n)
{
    size_t used = 0;

    for (const char *s = template; *s != '\0'; s++) {
        if (s[0] != '{' || s[1] != '}') {
            buf_putc(b, *s);
            continue;
        }
        if (used < n)
            put_encoded(b, values[used++], ":@");
        s++;
    }
}

void url_query(struct buf *b, const char *key, const char *value)
{
    if (value == NULL)
        return;
    buf_putc(b, b->ptr != NULL && memchr(b->ptr, '?', b->len) != NULL ? '&' : '?');
    buf_puts(b, key);
    buf_putc(b, '=');
    put_encoded(b, value, ":/");
}

int url_base(const char *text, char **out, struct err *err)
{
    const char *host = str_starts(text, "https://") ? text + 8 : str_starts(text, "http://") ? text + 7 : NULL;
    size_t len = strlen(text);

    if (host == NULL)
        return err_set(err, ERR_INVALID, "server: expected https://HOST or http://HOST, got '%.80s'", text);
    if (*host == '\0' || *host == '/' || *host == ':')
        return err_set(err, ERR_INVALID, "server: no host in '%.80s'", text);
    for (const char *s = host; *s != '\0'; s++) {
        if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7F || strchr("@?#\\\"<>^`{|}'", *s) != NULL)
            return err_set(err, ERR_INVALID, "server: only host, port and path are allowed in '%.80s'", text);
    }
    if (strstr(host, "/..") != NULL || len > 512)
        return err_set(err, ERR_INVALID, "server: not a usable address: '%.80s'", text);
    while (text[len - 1] == '/')
        len--;
    char *copy = strndup(text, len);
    if (copy == NULL)
        return err_nomem(err);
    *out = copy;
    return 0;
}
