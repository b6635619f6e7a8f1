/* life.c - see life.h. */
#include "core/life.h"
#include "base/time.h"

enum life life_at(int64_t from_ms, int64_t until_ms, int64_t revoked_ms, int64_t now_ms)
{
    if (revoked_ms != TIME_UNKNOWN)
        return LIFE_REVOKED;
    if (until_ms != TIME_UNKNOWN && now_ms >= until_ms)
        return LIFE_EXPIRED;
    if (from_ms != TIME_UNKNOWN && now_ms < from_ms)
        return LIFE_NOT_YET;
    return LIFE_LIVE;
}

const char *life_word(enum life life, const char *live)
{
    switch (life) {
    case LIFE_REVOKED: return "revoked";
    case LIFE_EXPIRED: return "expired";
    case LIFE_NOT_YET: return "not_yet";
    case LIFE_LIVE:    return live;
    }
    return "revoked";
}
