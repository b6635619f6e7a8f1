/* time.c - see time.h. */
#include "base/time.h"

#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t time_now_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t time_monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a proleptic Gregorian date, and back: eras of 400
 * years beginning in March, so that the leap day is the last of its year. */
static int64_t days_from_date(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return era * 146097 + doe - 719468;
}

static void date_from_days(int64_t days, int *y, int *m, int *d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *d = (int)(doy - (153 * mp + 2) / 5 + 1);
    *m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y = (int)(yoe + era * 400 + (*m <= 2));
}

void time_format(int64_t at_ms, char out[TIME_TEXT])
{
    int y, m, d;

    out[0] = '\0';
    if (at_ms == TIME_UNKNOWN)
        return;
    int64_t days = at_ms / MS_DAY, rest = at_ms % MS_DAY;
    if (rest < 0) {
        rest += MS_DAY;
        days--;
    }
    date_from_days(days, &y, &m, &d);
    if (y < 0 || y > 9999)
        return;
    int n = snprintf(out, TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", y, m, d, (int)(rest / MS_HOUR),
                     (int)(rest / MS_MINUTE % 60), (int)(rest / MS_SECOND % 60));
    if (rest % 1000 != 0)
        n += snprintf(out + n, TIME_TEXT - (size_t)n, ".%03d", (int)(rest % 1000));
    snprintf(out + n, TIME_TEXT - (size_t)n, "Z");
}

/* Exactly n digits. */
static bool digits(const char **s, int n, int *out)
{
    int v = 0;

    for (; n > 0; n--, (*s)++) {
        if (**s < '0' || **s > '9')
            return false;
        v = v * 10 + (**s - '0');
    }
    *out = v;
    return true;
}

static bool literal(const char **s, char c)
{
    return **s == c ? (*s)++, true : false;
}

static bool parse_date(const char **s, int64_t *days)
{
    static const int last[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int y, m, d;

    if (!digits(s, 4, &y) || !literal(s, '-') || !digits(s, 2, &m) || !literal(s, '-') || !digits(s, 2, &d))
        return false;
    if (m < 1 || m > 12 || d < 1)
        return false;
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (d > last[m - 1] + (m == 2 && leap))
        return false;
    *days = days_from_date(y, m, d);
    return true;
}

static bool parse_clock(const char **s, int64_t *ms)
{
    int h, min, sec, frac = 0, scale = 100;

    if (!digits(s, 2, &h) || !literal(s, ':') || !digits(s, 2, &min) || !literal(s, ':') || !digits(s, 2, &sec))
        return false;
    if (h > 23 || min > 59 || sec > 60)
        return false;
    if (literal(s, '.')) {
        if (**s < '0' || **s > '9')
            return false;
        for (; **s >= '0' && **s <= '9'; (*s)++, scale /= 10)
            frac += (**s - '0') * scale;
    }
    if (sec == 60) {
        sec = 59;
        frac = 999;
    }
    *ms = h * MS_HOUR + min * MS_MINUTE + sec * MS_SECOND + frac;
    return true;
}

static bool parse_zone(const char **s, int64_t *offset_ms)
{
    int sign = **s == '+' ? 1 : **s == '-' ? -1 : 0, h, m;

    if (sign == 0)
        return *offset_ms = 0, literal(s, 'Z') || literal(s, 'z');
    (*s)++;
    if (!digits(s, 2, &h) || !literal(s, ':') || !digits(s, 2, &m) || h > 23 || m > 59)
        return false;
    *offset_ms = sign * (h * MS_HOUR + m * MS_MINUTE);
    return true;
}

static bool parse(const char *s, bool loose, int64_t *at_ms)
{
    int64_t days, ms = 0, offset = 0;

    if (!parse_date(&s, &days))
        return false;
    if (loose && *s == '\0')
        goto done;
    if (!literal(&s, 'T') && !literal(&s, 't') && !literal(&s, ' '))
        return false;
    if (!parse_clock(&s, &ms))
        return false;
    if (loose && *s == '\0')
        goto done;
    if (!parse_zone(&s, &offset) || *s != '\0')
        return false;
done:
    ms += days * MS_DAY - offset;
    if (ms < days_from_date(0, 1, 1) * MS_DAY || ms >= days_from_date(10000, 1, 1) * MS_DAY)
        return false;                   /* an offset led out of the years we can write */
    *at_ms = ms == days_from_date(1, 1, 1) * MS_DAY ? TIME_UNKNOWN : ms;
    return true;
}

bool time_parse(const char *text, int64_t *at_ms)
{
    return parse(text, false, at_ms);
}

bool time_parse_loose(const char *text, int64_t *at_ms)
{
    return parse(text, true, at_ms);
}

bool time_parse_duration(const char *text, int64_t *ms)
{
    static const struct { char unit; int64_t ms; } units[] = {
        { 's', MS_SECOND }, { 'm', MS_MINUTE }, { 'h', MS_HOUR }, { 'd', MS_DAY }, { 'w', 7 * MS_DAY },
    };
    int64_t n = 0;
    const char *s = text;

    for (; *s >= '0' && *s <= '9'; s++) {
        n = n * 10 + (*s - '0');
        if (n > 1000000)
            return false;
    }
    for (size_t i = 0; s != text && i < sizeof units / sizeof *units; i++) {
        if (s[0] == units[i].unit && s[1] == '\0')
            return *ms = n * units[i].ms, true;
    }
    return false;
}
