/* time.c - calendar arithmetic (proleptic Gregorian) and the text forms of
 * timestamps (RFC 3339, to the nanosecond, years 1 to 9999) and durations
 * ("1h30m", "-1.5s": decimal numbers with unit h m s ms us ns). */
#include "core/cel/internal.h"

#define NANOS INT64_C(1000000000)

/* Days since 1970-01-01.  Years start in March here: leap days come last. */
int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void civil_from_seconds(int64_t seconds, struct cel_civil *out)
{
    int64_t days = seconds / 86400, rest = seconds % 86400;

    if (rest < 0) {
        rest += 86400;
        days--;
    }
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t month = (5 * of_year + 2) / 153;

    out->day = (int)(of_year - (153 * month + 2) / 5 + 1);
    out->month = (int)(month < 10 ? month + 3 : month - 9);
    out->year = years + era * 400 + (out->month <= 2);
    out->hour = (int)(rest / 3600);
    out->minute = (int)(rest / 60 % 60);
    out->second = (int)(rest % 60);
    out->weekday = (int)(((days + 4) % 7 + 7) % 7);
    out->yearday = (int)(days - days_from_civil(out->year, 1, 1));
}

/* ---- RFC 3339 ------------------------------------------------------------------------------- */

struct reader {
    const char *s, *end;
    bool bad;
};

static int digits(struct reader *r, int n)
{
    int v = 0;

    for (int i = 0; i < n; i++) {
        if (r->s >= r->end || *r->s < '0' || *r->s > '9') {
            r->bad = true;
            return 0;
        }
        v = v * 10 + (*r->s++ - '0');
    }
    return v;
}

static void sign(struct reader *r, char c)
{
    if (r->s < r->end && *r->s == c)
        r->s++;
    else
        r->bad = true;
}

static bool at(const struct reader *r, char c)
{
    return r->s < r->end && *r->s == c;
}

static uint32_t fraction(struct reader *r)
{
    uint32_t v = 0, unit = 100000000;

    if (r->s >= r->end || *r->s < '0' || *r->s > '9')
        r->bad = true;
    for (; r->s < r->end && *r->s >= '0' && *r->s <= '9'; r->s++) {
        v += (uint32_t)(*r->s - '0') * unit;
        unit /= 10;
    }
    return v;
}

static int zone(struct reader *r)
{
    if (at(r, 'Z')) {
        r->s++;
        return 0;
    }
    bool west = at(r, '-');
    if (!west && !at(r, '+')) {
        r->bad = true;
        return 0;
    }
    r->s++;
    int hours = digits(r, 2);
    sign(r, ':');
    int minutes = digits(r, 2);
    if (hours > 23 || minutes > 59)
        r->bad = true;
    return (west ? -1 : 1) * (hours * 60 + minutes) * 60;
}

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

bool cel_timestamp_parse(const char *s, size_t n, int64_t *seconds, uint32_t *nanos)
{
    struct reader r = { s, s + n, false };

    int year = digits(&r, 4);
    sign(&r, '-');
    int month = digits(&r, 2);
    sign(&r, '-');
    int day = digits(&r, 2);
    sign(&r, 'T');
    int hour = digits(&r, 2);
    sign(&r, ':');
    int minute = digits(&r, 2);
    sign(&r, ':');
    int second = digits(&r, 2);
    *nanos = 0;
    if (at(&r, '.')) {
        r.s++;
        *nanos = fraction(&r);
    }
    int offset = zone(&r);
    if (r.bad || r.s != r.end || month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour > 23 ||
        minute > 59 || second > 59)
        return false;
    *seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    return *seconds >= TIMESTAMP_MIN && *seconds <= TIMESTAMP_MAX;
}

/* ---- durations -------------------------------------------------------------------------------- */

static const struct { const char *unit; int64_t nanos; } units[] = {
    { "ns", 1 }, { "us", 1000 }, { "\xC2\xB5s", 1000 }, { "\xCE\xBCs", 1000 }, { "ms", 1000000 }, { "s", NANOS },
    { "m", 60 * NANOS }, { "h", 3600 * NANOS },
};

/* The unit at r->s, longest first where one is the start of another. */
static int64_t unit(struct reader *r)
{
    for (size_t i = 0; i < N_ITEMS(units); i++) {
        size_t n = strlen(units[i].unit), left = (size_t)(r->end - r->s);
        if (n <= left && memcmp(r->s, units[i].unit, n) == 0) {
            r->s += n;
            return units[i].nanos;
        }
    }
    r->bad = true;
    return 0;
}

/* One "1.5h"; all in magnitude, as __int128 so that no step overflows. */
static __int128 part(struct reader *r)
{
    __int128 whole = 0, low = 0, scale = 1;
    const char *from = r->s;

    for (; r->s < r->end && *r->s >= '0' && *r->s <= '9'; r->s++) {
        whole = whole * 10 + (*r->s - '0');
        if (whole > INT64_MAX) {
            r->bad = true;
            return 0;
        }
    }
    size_t n = (size_t)(r->s - from);
    if (at(r, '.')) {
        for (r->s++; r->s < r->end && *r->s >= '0' && *r->s <= '9'; r->s++, n++) {
            if (scale < (__int128)NANOS * 1000000000) {
                low = low * 10 + (*r->s - '0');
                scale *= 10;
            }
        }
    }
    if (n == 0)
        r->bad = true;
    int64_t nanos = unit(r);
    return whole * nanos + low * nanos / scale;
}

bool cel_duration_parse(const char *s, size_t n, int64_t *nanos)
{
    struct reader r = { s, s + n, false };
    bool negative = at(&r, '-');
    __int128 total = 0;

    if (negative || at(&r, '+'))
        r.s++;
    if (r.end - r.s == 1 && *r.s == '0') {
        *nanos = 0;
        return true;
    }
    if (r.s == r.end)
        return false;
    while (r.s < r.end && !r.bad) {
        total += part(&r);
        if (total > (__int128)INT64_MAX + negative)
            return false;
    }
    if (r.bad)
        return false;
    *nanos = (int64_t)(negative ? -total : total);
    return true;
}
