/* err.h - the one error value.
 *
 * An error lives on the caller's stack, costs no allocation and has no owner.
 * A function that can fail takes `struct err *err` last and returns 0, or -1
 * after err_set(); outputs are untouched on failure.  `err` may not be NULL.
 * The message states the fact: what was found, what was expected, where. */
#ifndef KEEP_BASE_ERR_H
#define KEEP_BASE_ERR_H

enum err_kind {
    ERR_INTERNAL = 0,      /* our own mistake; a client sees only the request id */
    ERR_INVALID,           /* malformed or out of bounds */
    ERR_UNPROCESSABLE,     /* well-formed, but not acceptable (bad signature, future date) */
    ERR_UNAUTHENTICATED,   /* who are you */
    ERR_FORBIDDEN,         /* you may not */
    ERR_NOT_FOUND,
    ERR_METHOD,            /* path exists, method does not */
    ERR_CONFLICT,          /* unique key, stale version, idempotency key reused */
    ERR_PRECONDITION,      /* If-Match failed */
    ERR_TOO_LARGE,         /* body or element over its bound */
    ERR_MEDIA_TYPE,        /* content type or coding not offered */
    ERR_RATE_LIMITED,
    ERR_UNAVAILABLE,       /* try again: queue full, database busy or lost */
    ERR_STORAGE_FULL,
    ERR_NOT_IMPLEMENTED,   /* refused by the HTTP guard (Transfer-Encoding, method) */
    ERR_TIMEOUT,
    ERR_N
};

struct err {
    enum err_kind kind;
    char msg[240];
};

/* What a kind means at the boundaries; one row per kind, never NULL. */
struct err_info {
    const char *slug;      /* stable last part of the problem `type` */
    const char *title;     /* RFC 9457 title */
    int http_status;
    int exit_code;         /* of keepctl */
};

/* Formats the message (cut at 239 bytes on a UTF-8 boundary); always returns -1. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));

/* Puts "<prefix>: " before the message; always returns -1. */
int err_prefix(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), cold));

/* Out of memory, always -1 (ERR_UNAVAILABLE: the request may be tried again). */
int err_nomem(struct err *err);

const struct err_info *err_info(enum err_kind kind);

#endif
