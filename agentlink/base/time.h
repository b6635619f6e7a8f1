/* time.h - times are int64 milliseconds since 1970-01-01T00:00:00Z.
 * Only main, the dispatcher, the housekeeper and the command line read the
 * clock; everything else is handed a time. */
#ifndef KEEP_BASE_TIME_H
#define KEEP_BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS_SECOND INT64_C(1000)
#define MS_MINUTE (60 * MS_SECOND)
#define MS_HOUR   (60 * MS_MINUTE)
#define MS_DAY    (24 * MS_HOUR)

/* No time known.  0001-01-01T00:00:00Z (Go's zero time) decodes to this, too. */
#define TIME_UNKNOWN INT64_MIN

int64_t time_now_ms(void);        /* CLOCK_REALTIME */
int64_t time_monotonic_ms(void);  /* CLOCK_MONOTONIC: for time-outs and rates only */

/* RFC 3339 "2026-11-25T13:11:58Z", with ".mmm" only when not zero.  Years
 * 0..9999; out holds TIME_TEXT bytes.  TIME_UNKNOWN gives "". */
enum { TIME_TEXT = 32 };
void time_format(int64_t at_ms, char out[TIME_TEXT]);

/* RFC 3339 with any fraction (cut to ms) and any offset, 'T' or 't' or a space,
 * 'Z' or 'z'.  Leap second 60 is taken as 59.999.  False when anything else
 * is there, or the time lies outside years 0..9999 of UTC.  The instant of Go's
 * zero time, at any offset, yields TIME_UNKNOWN and true. */
bool time_parse(const char *text, int64_t *at_ms);

/* As time_parse, but a missing zone means UTC and a bare date means midnight:
 * what scanners write. */
bool time_parse_loose(const char *text, int64_t *at_ms);

/* "90s", "15m", "36h", "7d", "2w"; digits and one unit. */
bool time_parse_duration(const char *text, int64_t *ms);

#endif
