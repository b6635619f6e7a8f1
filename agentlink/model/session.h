/* session.h - a logged-in browser, and the link that logs it in.  Secrets are
 * never here: the store has only their SHA-256. */
#ifndef KEEP_MODEL_SESSION_H
#define KEEP_MODEL_SESSION_H

#include <stdint.h>

struct session {
    const char *id;                  /* public part */
    const char *csrf;                /* sent back by the page with every write */
    const char *user_id;
    int64_t created_ms, expires_ms;  /* absolute limit */
    int64_t last_used_ms;            /* idle limit counts from here */
    const char *from;                /* address it was made from */
    const char *user_name, *user_role;
    int64_t user_disabled_ms;
};

struct login_link {
    const char *id, *user_id;
    int64_t created_ms, expires_ms, used_ms;
};

#endif
