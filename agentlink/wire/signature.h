/* signature.h - who of those we trust signed these bytes?
 *
 * What is counted is unique public keys: not signatures, not key ids, not list
 * entries.  A key id is an unauthenticated hint: it decides which key is tried
 * first and nothing else.  A wrong signature is skipped, it spoils no other. */
#ifndef KEEP_WIRE_SIGNATURE_H
#define KEEP_WIRE_SIGNATURE_H

#include "base/arena.h"
#include "base/crypto.h"
#include "base/str.h"

enum { SIGNATURES_MAX = 16, TRUSTED_MAX = 128 };

struct signature {
    const char *keyid;          /* never NULL; "" when the document has none */
    struct bytes sig;
};

struct signers {
    size_t n;                   /* unique keys that signed */
    size_t key[SIGNATURES_MAX]; /* their indexes in the list that was given */
};

/* True when the hint names this key: its fingerprint, perhaps after "sha256:". */
bool signature_hints_at(const char *keyid, const struct pubkey *key);

/* Succeeds when at least `threshold` unique keys of `keys` (at most TRUSTED_MAX)
 * signed message.  ERR_INTERNAL when the threshold is 0 or the list too long,
 * ERR_UNPROCESSABLE when fewer signed or there are fewer keys than that,
 * ERR_TOO_LARGE when finding out would hash more than 1 GiB. */
int signature_verify(struct bytes message, const struct signature *sigs, size_t n_sigs,
                     const struct pubkey *const keys[], size_t n_keys, size_t threshold,
                     struct signers *who, struct err *err);

#endif
