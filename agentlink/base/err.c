/* err.c - see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct err_info infos[ERR_N] = {
    [ERR_INTERNAL]        = { "internal",         "Internal error",           500, 1 },
    [ERR_INVALID]         = { "invalid",          "Invalid request",          400, 1 },
    [ERR_UNPROCESSABLE]   = { "unprocessable",    "Not acceptable as sent",   422, 1 },
    [ERR_UNAUTHENTICATED] = { "unauthenticated",  "Authentication required",  401, 4 },
    [ERR_FORBIDDEN]       = { "forbidden",        "Not allowed",              403, 4 },
    [ERR_NOT_FOUND]       = { "not-found",        "Not found",                404, 1 },
    [ERR_METHOD]          = { "method",           "Method not allowed",       405, 1 },
    [ERR_CONFLICT]        = { "conflict",         "Conflict",                 409, 1 },
    [ERR_PRECONDITION]    = { "precondition",     "Precondition failed",      412, 1 },
    [ERR_TOO_LARGE]       = { "too-large",        "Too large",                413, 1 },
    [ERR_MEDIA_TYPE]      = { "media-type",       "Unsupported media type",   415, 1 },
    [ERR_RATE_LIMITED]    = { "rate-limited",     "Too many requests",        429, 3 },
    [ERR_UNAVAILABLE]     = { "unavailable",      "Temporarily unavailable",  503, 3 },
    [ERR_STORAGE_FULL]    = { "storage-full",     "Storage is full",          507, 3 },
    [ERR_NOT_IMPLEMENTED] = { "not-implemented",  "Not implemented",          501, 1 },
    [ERR_TIMEOUT]         = { "timeout",          "Timed out",                408, 3 },
};

/* A cut must not leave half a UTF-8 sequence: the message goes into JSON. */
static void trim_utf8(char *s)
{
    size_t n = strlen(s), i = n;

    while (i > 0 && n - i < 4 && ((unsigned char)s[i - 1] & 0xC0) == 0x80)
        i--;
    if (i == 0)
        return;
    unsigned char lead = (unsigned char)s[i - 1];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (n - (i - 1) < need)
        s[i - 1] = '\0';
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    va_list ap;

    err->kind = kind;
    va_start(ap, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    if (n >= (int)sizeof err->msg)
        trim_utf8(err->msg);
    return -1;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
    char old[sizeof err->msg];
    va_list ap;

    memcpy(old, err->msg, sizeof old);
    va_start(ap, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    if (n < 0 || n >= (int)sizeof err->msg)
        n = (int)strlen(err->msg);
    size_t room = sizeof err->msg - (size_t)n;
    int m = snprintf(err->msg + n, room, ": %s", old);
    if (m >= (int)room)
        trim_utf8(err->msg);
    return -1;
}

int err_nomem(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "out of memory");
}

const struct err_info *err_info(enum err_kind kind)
{
    return &infos[(unsigned)kind < ERR_N ? kind : ERR_INTERNAL];
}
