/* tls_self.h - a CA and a serving certificate that look after themselves.
 *
 * In DIR (mode 0700): ca.pem and ca-next.pem (certificate and key), ca-old.pem,
 * server.pem (certificate, CA, key), bundle.pem (all CA certificates that may
 * have signed what is served: what a client trusts).
 *
 *   day 0        a CA for two years; server certificates of it for 90 days, made
 *                anew after two thirds of their life, or when the names change
 *   2/3 of two   the next CA is made and added to the bundle, and signs nothing yet:
 *   years        thirty days to carry the new bundle to those who trust the old one
 *   30 days on   it takes over; the old one stays in the bundle until it ends
 *
 * Every file is replaced whole (written beside, synced, renamed): a crash between
 * two of them leaves a state from which the next call goes on. */
#ifndef KEEP_CMD_TLS_SELF_H
#define KEEP_CMD_TLS_SELF_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_self {
    const char *dir;
    const char *const *names; size_t n;
};

/* "a.b.svc, 10.0.0.1" split; texts of the arena.  ERR_INVALID names the bad one. */
int tls_self_names(const char *text, struct arena *arena, const char *const **names, size_t *n, struct err *err);

/* Makes and renews what is due at now.  *changed: what is served is new. */
int tls_self_ensure(const struct tls_self *t, int64_t now_ms, bool *changed, struct err *err);

/* The bundle, PEM, in the arena.  ERR_NOT_FOUND before the first tls_self_ensure. */
int tls_self_bundle(const char *dir, struct arena *arena, const char **pem, struct err *err);

#endif
