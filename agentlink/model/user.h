/* user.h - somebody who looks at Keep: no password, a role, one-time login links. */
#ifndef KEEP_MODEL_USER_H
#define KEEP_MODEL_USER_H

#include <stdint.h>

struct user {
    const char *id, *name;
    const char *role;                /* viewer, analyst, policy, admin */
    int64_t created_ms;
    const char *created_by;
    int64_t disabled_ms;             /* TIME_UNKNOWN: may log in */
    int64_t last_login_ms;
};

#endif
