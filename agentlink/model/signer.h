/* signer.h - a public key whose statements count, for what, and from when to when. */
#ifndef KEEP_MODEL_SIGNER_H
#define KEEP_MODEL_SIGNER_H

#include <stddef.h>
#include <stdint.h>

struct signer {
    const char *id;                  /* SHA-256 of the key's SPKI, hex */
    const char *name;
    const char *algorithm;           /* ed25519, ecdsa-p256 */
    const char *public_key;          /* PEM */
    const char *const *repositories; size_t n_repositories;   /* patterns; 0: all */
    const char *const *statements; size_t n_statements;       /* words; 0: all */
    int64_t not_before_ms;
    int64_t not_after_ms;            /* TIME_UNKNOWN: no end */
    int64_t created_ms;
    const char *created_by;
    int64_t revoked_ms;
    const char *state;               /* valid, not_yet, expired, revoked: computed when asked */
};

#endif
