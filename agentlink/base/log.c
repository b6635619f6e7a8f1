/* log.c - see log.h.  No allocation: a line is built on the stack. */
#include "base/log.h"
#include "base/time.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const words[LOG_LEVEL_N] = { "debug", "info", "warn", "error" };

const char *log_level_word(enum log_level level)
{
    return (unsigned)level < LOG_LEVEL_N ? words[level] : "error";
}

enum log_level log_level_of(const char *word)
{
    for (unsigned i = 0; i < LOG_LEVEL_N; i++)
        if (str_eq(word, words[i]))
            return (enum log_level)i;
    return LOG_LEVEL_N;
}

/* A line being written; `full` once something did not fit. */
struct line {
    char *out;
    size_t len, max;
    bool full;
};

static void put(struct line *l, const char *s, size_t n)
{
    if (l->full || n > l->max - l->len) {
        l->full = true;
        return;
    }
    memcpy(l->out + l->len, s, n);
    l->len += n;
}

static void puts_raw(struct line *l, const char *s)
{
    put(l, s, strlen(s));
}

/* Bytes of the UTF-8 sequence at s (1..4), 0 when it is not valid. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
    size_t n = *s < 0x80 ? 1 : *s >= 0xF0 ? 4 : *s >= 0xE0 ? 3 : 2;

    return n <= left && str_is_utf8((const char *)s, n) ? n : 0;
}

/* C0, DEL, C1 and the two line separators could forge a line on a terminal. */
static bool must_escape(const unsigned char *s, size_t n, unsigned *code)
{
    if (n == 1) {
        *code = *s;
        return *s < 0x20 || *s == 0x7F || *s == '"' || *s == '\\';
    }
    if (n == 2)
        *code = ((s[0] & 0x1Fu) << 6) | (s[1] & 0x3Fu);
    else if (n == 3)
        *code = ((s[0] & 0x0Fu) << 12) | ((s[1] & 0x3Fu) << 6) | (s[2] & 0x3Fu);
    else
        return false;
    return *code < 0xA0 || *code == 0x2028 || *code == 0x2029;
}

static void put_text(struct line *l, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t len = strnlen(text, LOG_VALUE_MAX + 1);
    bool cut = len > LOG_VALUE_MAX;
    char esc[8];
    unsigned code = 0;

    if (cut)
        len = LOG_VALUE_MAX;
    puts_raw(l, "\"");
    for (size_t i = 0; i < len;) {
        size_t n = s[i] == 0 ? 1 : utf8_len(s + i, len - i);
        if (n == 0) {
            puts_raw(l, "\xEF\xBF\xBD");
            i++;
        } else if (must_escape(s + i, n, &code)) {
            snprintf(esc, sizeof esc, "\\u%04x", code);
            puts_raw(l, esc);
            i += n;
        } else {
            put(l, text + i, n);
            i += n;
        }
    }
    puts_raw(l, cut ? "...\"" : "\"");
}

static void put_field(struct line *l, const struct log_field *f)
{
    char number[24];
    size_t before = l->len;

    puts_raw(l, ",\"");
    puts_raw(l, f->key);
    puts_raw(l, "\":");
    if (f->is_text && f->text == NULL) {
        puts_raw(l, "null");
    } else if (f->is_text) {
        put_text(l, f->text);
    } else {
        snprintf(number, sizeof number, "%" PRId64, f->number);
        puts_raw(l, number);
    }
    if (l->full) {              /* the field goes as a whole, the line stays valid */
        l->len = before;
        l->full = false;
    }
}

size_t log_format(char *out, int64_t at_ms, enum log_level level, const char *event,
                  const struct log_field *fields, size_t n)
{
    struct line l = { .out = out, .max = LOG_LINE_MAX - 2 };
    char when[TIME_TEXT];

    time_format(at_ms, when);
    puts_raw(&l, "{\"time\":\"");
    puts_raw(&l, when);
    puts_raw(&l, "\",\"level\":\"");
    puts_raw(&l, log_level_word(level));
    puts_raw(&l, "\"");
    put_field(&l, &(struct log_field){ "event", event, 0, 1 });
    for (size_t i = 0; i < n; i++)
        put_field(&l, &fields[i]);
    out[l.len++] = '}';
    out[l.len++] = '\n';
    return l.len;
}

void log_write(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t n)
{
    char line[LOG_LINE_MAX];

    if (log == NULL || log->fd < 0 || (int)level < log->min)
        return;
    size_t len = log_format(line, time_now_ms(), level, event, fields, n);
    /* A log that cannot be written must not stop the server: the result is dropped. */
    ssize_t done = write(log->fd, line, len);
    (void)done;
}
