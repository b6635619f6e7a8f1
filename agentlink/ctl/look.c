/* look.c - see look.h. */
#include "ctl/look.h"

#include "base/str.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct { const char *name, *on; } colours[COLOUR_N] = {
    [COLOUR_RED] = { "red", "\033[31m" }, [COLOUR_YELLOW] = { "brown", "\033[33m" }, [COLOUR_GREEN] = { "green", "\033[32m" },
    [COLOUR_CYAN] = { "cyan", "\033[36m" }, [COLOUR_DIM] = { "darkgray", "\033[90m" }, [COLOUR_BOLD] = { "bold", "\033[1m" },
};

static bool is_set(const char *name)
{
    const char *v = getenv(name);

    return v != NULL && v[0] != '\0';
}

int look_at(int fd, const char *when, int64_t now_ms, struct look *out, struct err *err)
{
    struct winsize size = { 0 };
    bool terminal = isatty(fd) != 0;
    bool forced = is_set("CLICOLOR_FORCE") && !str_eq(getenv("CLICOLOR_FORCE"), "0");
    bool colour = (terminal || forced) && !is_set("NO_COLOR") && !str_eq(getenv("TERM"), "dumb");

    if (when != NULL && !str_eq(when, "auto")) {
        if (!str_eq(when, "always") && !str_eq(when, "never"))
            return err_set(err, ERR_INVALID, "--color: expected auto, always or never, got '%.40s'", when);
        colour = str_eq(when, "always");
    }
    *out = (struct look){ .terminal = terminal, .colour = colour, .now_ms = now_ms };
    if (terminal)
        out->width = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    return 0;
}

const char *colour_name(enum colour c)
{
    return (unsigned)c < COLOUR_N ? colours[c].name : NULL;
}

void put_colour(struct buf *b, const struct look *look, enum colour c, const char *text)
{
    bool on = look->colour && c != COLOUR_NONE;

    if (on)
        buf_puts(b, colours[c].on);
    put_safe(b, text);
    if (on)
        buf_puts(b, "\033[0m");
}

void put_age(struct buf *b, int64_t at_ms, int64_t now_ms)
{
    static const struct { int64_t from, unit; const char *one, *many; } units[] = {
        { 2 * MS_DAY, MS_DAY, "day", "days" }, { MS_HOUR, MS_HOUR, "hour", "hours" }, { MS_MINUTE, MS_MINUTE, "minute", "minutes" },
    };
    if (at_ms == TIME_UNKNOWN)
        return;
    bool past = at_ms <= now_ms;
    int64_t gap = past ? now_ms - at_ms : at_ms - now_ms;

    for (size_t i = 0; i < N_ITEMS(units); i++) {
        if (gap < units[i].from)
            continue;
        int64_t n = gap / units[i].unit;
        buf_printf(b, "%s%lld %s%s", past ? "" : "in ", (long long)n, n == 1 ? units[i].one : units[i].many, past ? " ago" : "");
        return;
    }
    buf_puts(b, past ? "just now" : "in a moment");
}

void put_short_age(struct buf *b, int64_t at_ms, int64_t now_ms)
{
    static const struct { int64_t unit; char letter; } units[] = { { MS_DAY, 'd' }, { MS_HOUR, 'h' }, { MS_MINUTE, 'm' } };

    if (at_ms == TIME_UNKNOWN)
        return;
    bool past = at_ms <= now_ms;
    int64_t gap = past ? now_ms - at_ms : at_ms - now_ms;
    for (size_t i = 0; i < N_ITEMS(units); i++) {
        if (gap < units[i].unit)
            continue;
        buf_printf(b, "%s%lld%c%s", past ? "" : "in ", (long long)(gap / units[i].unit), units[i].letter, past ? " ago" : "");
        return;
    }
    buf_puts(b, "now");
}

/* C1 controls, and the characters that turn text around or hide it. */
static bool is_unsafe(const unsigned char *s, size_t n)
{
    if (n == 1)
        return s[0] < 0x20 || s[0] == 0x7F;
    if (n == 2)
        return s[0] == 0xC2 && s[1] < 0xA0;
    if (n != 3 || s[0] != 0xE2)
        return n == 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0;
    return (s[1] == 0x80 && (s[2] == 0x8B || s[2] == 0x8E || s[2] == 0x8F || (s[2] >= 0xA8 && s[2] <= 0xAE))) ||
           (s[1] == 0x81 && s[2] >= 0xA6 && s[2] <= 0xA9);
}

void put_safe(struct buf *b, const char *s)
{
    size_t left = strlen(s), n;

    for (; left > 0; s += n, left -= n) {
        n = str_utf8_len(s, left);
        if (n == 0) {
            buf_putc(b, '?');
            n = 1;
        } else if (*s == '\n' || *s == '\t') {
            buf_putc(b, ' ');
        } else if (is_unsafe((const unsigned char *)s, n)) {
            buf_putc(b, '?');
        } else {
            buf_put(b, s, n);
        }
    }
}

char *safe_text(struct arena *arena, const char *s)
{
    struct buf b;

    buf_init(&b, strlen(s) + 1);
    put_safe(&b, s);
    char *copy = b.failed ? NULL : arena_strndup(arena, b.ptr != NULL ? b.ptr : "", b.len);
    buf_free(&b);
    return copy;
}

enum colour colour_of(const char *word)
{
    static const struct { const char *word; enum colour colour; } rows[] = {
        { "pass", COLOUR_GREEN }, { "warn", COLOUR_YELLOW }, { "fail", COLOUR_RED }, { "unknown", COLOUR_CYAN },
        { "critical", COLOUR_RED }, { "high", COLOUR_RED }, { "medium", COLOUR_YELLOW }, { "low", COLOUR_DIM },
        { "negligible", COLOUR_DIM }, { "none", COLOUR_DIM },
        { "fresh", COLOUR_GREEN }, { "stale_scan", COLOUR_YELLOW }, { "stale_database", COLOUR_YELLOW }, { "never_scanned", COLOUR_RED },
        { "active", COLOUR_GREEN }, { "valid", COLOUR_GREEN }, { "expired", COLOUR_YELLOW }, { "revoked", COLOUR_RED }, { "not_yet", COLOUR_CYAN },
    };

    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        if (str_eq(rows[i].word, word))
            return rows[i].colour;
    }
    return COLOUR_NONE;
}
