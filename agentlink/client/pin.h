/* pin.h - the first contact with a server whose CA we do not have: a key that somebody
 * told us vouches for it. */
#ifndef KEEP_CLIENT_PIN_H
#define KEEP_CLIENT_PIN_H

#include "base/arena.h"
#include "base/err.h"

/* Connects once, sends nothing, and gives the certificate of the server's chain whose key
 * has this fingerprint (64 hex digits), PEM, in the arena.  The chain is NOT verified
 * here: the caller verifies every later connection against this certificate alone.
 * ERR_FORBIDDEN: the server has another chain; ERR_UNAVAILABLE; ERR_INVALID (no https). */
int client_pin_find(const char *base_url, const char *pin, struct arena *arena, const char **pem, struct err *err);

#endif
