/* api_token.h - what a program shows to be let in.  The text itself is shown
 * once, when it is made; base/token.h says how it is built. */
#ifndef KEEP_MODEL_API_TOKEN_H
#define KEEP_MODEL_API_TOKEN_H

#include <stddef.h>
#include <stdint.h>

struct api_token {
    const char *id, *name, *role;
    const char *const *repositories; size_t n_repositories;   /* patterns; 0: all */
    int64_t created_ms;
    const char *created_by;
    int64_t expires_ms;
    int64_t last_used_ms;            /* TIME_UNKNOWN: never */
    const char *last_used_from;
    int64_t revoked_ms;
    const char *state;               /* active, expired, revoked: computed when asked */
    const char *text;                /* only in the answer that makes it */
};

#endif
