/* user.h - messages about users. */
#ifndef KEEP_WIRE_MSG_USER_H
#define KEEP_WIRE_MSG_USER_H

#include "model/user.h"
#include "wire/msg/page.h"

struct user_new {
    const char *name;
    int role;                        /* index of user_role_words */
};

/* Absent: stays as it is. */
struct user_change {
    const char *name;
    int role;
    bool enabled;                    /* true: lets a disabled user in again */
};

struct login_link_made {
    const char *link_path;           /* "/login#keep_lnk_..." : the only copy */
    int64_t expires_ms;
};

extern const struct shape user_shape;              /* struct user */
extern const struct shape user_list_shape;         /* struct page */
extern const struct shape user_new_shape;
extern const struct shape user_change_shape;
extern const struct shape login_link_made_shape;

#endif
