/* lib_encode.c - base64 (RFC 4648; padding may be left out when decoding). */
#include "core/cel/internal.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static struct cel_value encode(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    char *s = run_bytes(run, ((size_t)a->n + 2) / 3 * 4 + 1), *to = s;
    const unsigned char *p = (const unsigned char *)a->s;

    (void)n;
    if (s == NULL)
        return run_stopped(run);
    for (uint32_t i = 0; i < a->n; i += 3) {
        uint32_t left = a->n - i, v = (uint32_t)p[i] << 16;
        v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        v |= left > 2 ? p[i + 2] : 0;
        *to++ = alphabet[v >> 18];
        *to++ = alphabet[v >> 12 & 63];
        *to++ = left > 1 ? alphabet[v >> 6 & 63] : '=';
        *to++ = left > 2 ? alphabet[v & 63] : '=';
    }
    *to = '\0';
    return cel_string(s, (size_t)(to - s));
}

static int digit(char c)
{
    const char *found = c != '\0' ? strchr(alphabet, c) : NULL;

    return found != NULL ? (int)(found - alphabet) : -1;
}

static struct cel_value decode(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    char *s = run_bytes(run, (size_t)a->n / 4 * 3 + 4), *to = s;
    uint32_t len = a->n, v = 0;

    (void)n;
    if (s == NULL)
        return run_stopped(run);
    if (len % 4 == 0 && len > 0 && a->s[len - 1] == '=')
        len -= a->s[len - 2] == '=' ? 2 : 1;
    if (len % 4 == 1)
        return cel_fail(run, "not base64: wrong length");
    for (uint32_t i = 0; i < len; i++) {
        int d = digit(a->s[i]);
        if (d < 0)
            return cel_fail(run, "not base64: unexpected character at %u", i);
        v = v << 6 | (uint32_t)d;
        if (i % 4 == 1)
            *to++ = (char)(v >> 4);
        else if (i % 4 == 2)
            *to++ = (char)(v >> 2);
        else if (i % 4 == 3)
            *to++ = (char)v;
    }
    return cel_bytes(s, (size_t)(to - s));
}

static const struct cel_function functions[] = {
    FN("base64.encode", 1, K_STRING, encode, K_BYTES),
    FN("base64.decode", 1, K_BYTES, decode, K_STRING),
};

const struct cel_library lib_encode = { functions, N_ITEMS(functions) };
