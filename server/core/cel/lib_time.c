/* lib_time.c - parts of timestamps and durations (langdef "Date/Time Functions"). */
#include "core/cel/internal.h"

/* The civil time of a[0] in the zone a[1] (UTC without). */
static bool civil(struct cel_run *run, const struct cel_value *a, uint32_t n, struct cel_civil *t, struct cel_value *bad)
{
    int32_t offset = 0;

    if (n == 2 && !zone_offset(run, a[1].s, a[1].n, a[0].i, &offset)) {
        *bad = cel_fail(run, "unknown time zone '%.*s'", a[1].n < 60 ? (int)a[1].n : 60, a[1].s);
        return false;
    }
    civil_from_seconds(a[0].i + offset, t);
    return true;
}

#define CIVIL_FN(name, expr)                                                                  \
    static struct cel_value name(struct cel_run *run, const struct cel_value *a, uint32_t n)  \
    {                                                                                         \
        struct cel_civil t;                                                                   \
        struct cel_value bad = { 0 };                                                         \
        return civil(run, a, n, &t, &bad) ? cel_int(expr) : bad;                              \
    }

CIVIL_FN(full_year, t.year)
CIVIL_FN(month, t.month - 1)
CIVIL_FN(day_of_month, t.day - 1)
CIVIL_FN(date, t.day)
CIVIL_FN(day_of_week, t.weekday)
CIVIL_FN(day_of_year, t.yearday)
CIVIL_FN(hours, t.hour)
CIVIL_FN(minutes, t.minute)
CIVIL_FN(seconds, t.second)

static struct cel_value milliseconds(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_civil t;
    struct cel_value bad = { 0 };

    return civil(run, a, n, &t, &bad) ? cel_int(a->n / 1000000) : bad;
}

#define NANOS INT64_C(1000000000)

#define DURATION_FN(name, expr)                                                               \
    static struct cel_value name(struct cel_run *run, const struct cel_value *a, uint32_t n)  \
    {                                                                                         \
        (void)run, (void)n;                                                                   \
        return cel_int(expr);                                                                 \
    }

DURATION_FN(in_hours, a->i / (3600 * NANOS))
DURATION_FN(in_minutes, a->i / (60 * NANOS))
DURATION_FN(in_seconds, a->i / NANOS)
DURATION_FN(milliseconds_left, a->i % NANOS / 1000000)

#define TIME_METHOD(name, fn) METHOD(name, 1, K_INT, fn, K_TIME), METHOD(name, 2, K_INT, fn, K_TIME, K_STRING)

static const struct cel_function functions[] = {
    TIME_METHOD("getFullYear", full_year),
    TIME_METHOD("getMonth", month),
    TIME_METHOD("getDayOfMonth", day_of_month),
    TIME_METHOD("getDate", date),
    TIME_METHOD("getDayOfWeek", day_of_week),
    TIME_METHOD("getDayOfYear", day_of_year),
    TIME_METHOD("getHours", hours),
    TIME_METHOD("getMinutes", minutes),
    TIME_METHOD("getSeconds", seconds),
    TIME_METHOD("getMilliseconds", milliseconds),
    METHOD("getHours", 1, K_INT, in_hours, K_DURATION),
    METHOD("getMinutes", 1, K_INT, in_minutes, K_DURATION),
    METHOD("getSeconds", 1, K_INT, in_seconds, K_DURATION),
    METHOD("getMilliseconds", 1, K_INT, milliseconds_left, K_DURATION),
};

const struct cel_library lib_time = { functions, N_ITEMS(functions) };
