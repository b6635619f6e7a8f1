/* trust_internal.h - what roots and bundles share in reading; only for trust*.c. */
#ifndef KEEP_WIRE_TRUST_INTERNAL_H
#define KEEP_WIRE_TRUST_INTERNAL_H

#include "wire/envelope.h"
#include "wire/trust.h"

/* Notes the reason, passes the failure on. */
static inline int trust_no(enum trust_reason *why, enum trust_reason reason)
{
    *why = reason;
    return -1;
}

/* An envelope of this payload type, its payload still unread. */
int trust_envelope(struct arena *arena, const char *what, const char *type, const void *text, size_t len, size_t max,
                   struct envelope *out, struct err *err);

/* The payload as an object whose "_type" is `what`. */
int trust_payload(struct arena *arena, const char *what, const void *payload, size_t len, struct json *out, struct err *err);

/* Members: an integer 1 .. 2^63-1, and a time as we write it (UTC, 'T', 'Z', four digits of year). */
int trust_integer(const char *what, const struct json *doc, const char *key, int64_t *out, struct err *err);
int trust_time(const char *what, const struct json *doc, const char *key, int64_t *out, struct err *err);

/* Enough unique keys of the role signed. */
int trust_signed_by(const struct envelope *e, const struct trust_role *role, const char *whose, struct err *err);

#endif
