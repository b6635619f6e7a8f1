/* session.h - messages about logging in. */
#ifndef KEEP_WIRE_MSG_SESSION_H
#define KEEP_WIRE_MSG_SESSION_H

#include "base/str.h"
#include "wire/shape.h"

struct login {
    const char *link;                /* keep_lnk_... */
};

struct session_user {
    const char *id, *name, *role;
};

struct session_info {
    const struct session_user *user;
    const char *csrf;                /* NULL for bearer tokens */
    int64_t expires_ms;
};

extern const struct shape login_shape;
extern const struct shape session_info_shape;

#endif
