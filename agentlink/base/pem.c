/* pem.c - see pem.h. */
#include "base/pem.h"
#include "base/base64.h"
#include "base/crypto.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct span {
    const char *at, *end;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void trim(struct span *s)
{
    while (s->at < s->end && is_space(*s->at))
        s->at++;
    while (s->at < s->end && is_space(s->end[-1]))
        s->end--;
}

/* "-----BEGIN label-----" and its line end off the front. */
static bool take_begin(struct span *s, const char *label)
{
    char line[64];
    int n = snprintf(line, sizeof line, "-----BEGIN %s-----", label);

    if (n < 0 || s->end - s->at <= n || memcmp(s->at, line, (size_t)n) != 0)
        return false;
    s->at += n;
    if (*s->at == '\r' && s->end - s->at > 1)
        s->at++;
    return *s->at == '\n' ? s->at++, true : false;
}

/* "-----END label-----" off the back. */
static bool take_end(struct span *s, const char *label)
{
    char line[64];
    int n = snprintf(line, sizeof line, "\n-----END %s-----", label);

    if (n < 0 || s->end - s->at < n || memcmp(s->end - n, line, (size_t)n) != 0)
        return false;
    s->end -= n - 1;                   /* keep the LF: it ends the last line */
    return true;
}

/* The base64 text without its line ends; false when it does not fit. */
static bool join_lines(struct span s, char *text, size_t max, size_t *len)
{
    size_t n = 0;

    while (s.at < s.end) {
        const char *eol = memchr(s.at, '\n', (size_t)(s.end - s.at));
        size_t line = (size_t)(eol - s.at);
        if (line > 0 && s.at[line - 1] == '\r')
            line--;
        if (line == 0 || line > max - n)
            return false;
        memcpy(text + n, s.at, line);
        n += line;
        s.at = eol + 1;
    }
    *len = n;
    return true;
}

int pem_decode(const char *pem, size_t len, const char *label, uint8_t *out, size_t max, size_t *out_len,
               struct err *err)
{
    struct span s = { pem, pem + len };
    char text[1024];
    uint8_t der[sizeof text / 4 * 3 + 3];
    size_t n = 0, n_der = 0;

    if (len > PEM_MAX)
        return err_set(err, ERR_TOO_LARGE, "PEM: %zu bytes, at most %d expected", len, PEM_MAX);
    trim(&s);
    if (!take_begin(&s, label) || !take_end(&s, label))
        return err_set(err, ERR_INVALID, "PEM: exactly one \"%s\" block is expected", label);
    bool ok = join_lines(s, text, sizeof text, &n) && base64_decode(text, n, BASE64_STD, der, &n_der) == 0;
    if (ok && n_der <= max) {
        memcpy(out, der, n_der);
        *out_len = n_der;
    }
    crypto_wipe(text, sizeof text);
    crypto_wipe(der, sizeof der);
    if (!ok)
        return err_set(err, ERR_INVALID, "PEM: the \"%s\" block is not strict base64", label);
    return n_der <= max ? 0 : err_set(err, ERR_TOO_LARGE, "PEM: the \"%s\" block is too long", label);
}

void pem_encode(const char *label, const uint8_t *der, size_t len, struct buf *out)
{
    char line[65];

    buf_printf(out, "-----BEGIN %s-----\n", label);
    for (size_t i = 0; i < len; i += 48) {
        size_t n = base64_encode(der + i, len - i < 48 ? len - i : 48, BASE64_STD, line);
        buf_put(out, line, n);
        buf_putc(out, '\n');
    }
    buf_printf(out, "-----END %s-----\n", label);
    crypto_wipe(line, sizeof line);
}
