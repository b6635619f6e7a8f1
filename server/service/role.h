/* role.h - what is said about roles beyond their words (call.h). */
#ifndef KEEP_SERVICE_ROLE_H
#define KEEP_SERVICE_ROLE_H

#include "service/call.h"

/* Kind of a token's text: keep_<kind>_...; NULL for what no token can have. */
const char *role_token_kind(enum role role);

/* May somebody with the one role make tokens and users of the other? */
bool role_may_grant(enum role granter, enum role granted);

#endif
