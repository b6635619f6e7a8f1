/* life.h - is it valid now?  One rule for tokens, links, signers, exceptions, allowances.
 *
 * A span is half open: it begins with from_ms and is over AT until_ms, in that
 * very millisecond.  Whoever was revoked stays revoked, whatever the clock does. */
#ifndef KEEP_CORE_LIFE_H
#define KEEP_CORE_LIFE_H

#include <stdint.h>

enum life { LIFE_REVOKED = 0, LIFE_EXPIRED, LIFE_NOT_YET, LIFE_LIVE };

/* TIME_UNKNOWN: from always, for ever, not revoked. */
enum life life_at(int64_t from_ms, int64_t until_ms, int64_t revoked_ms, int64_t now_ms);

/* "revoked", "expired", "not_yet"; a living one is called `live` ("active", "valid"). */
const char *life_word(enum life life, const char *live);

#endif
