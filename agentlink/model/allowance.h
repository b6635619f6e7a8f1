/* allowance.h - repositories whose evidence may come without a signature, for a while. */
#ifndef KEEP_MODEL_ALLOWANCE_H
#define KEEP_MODEL_ALLOWANCE_H

#include <stdint.h>

struct allowance {
    const char *pattern;             /* of repositories; the identity */
    const char *reason;
    int64_t created_ms;
    const char *created_by;
    int64_t expires_ms;
    const char *state;               /* active, expired */
};

#endif
