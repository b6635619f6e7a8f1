/* check.c - see check.h. */
#include "service/check.h"
#include "base/base64.h"
#include "base/crypto.h"
#include "wire/imageref.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { REASON_MIN = 10, PATTERN_MAX = 200 };

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

int check_name(const char *path, const char *text, struct err *err)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if (is_control((unsigned char)text[i]))
            return err_set(err, ERR_INVALID, "%s: control characters are not allowed", path);
    if (len == 0 || text[0] == ' ' || text[len - 1] == ' ')
        return err_set(err, ERR_INVALID, "%s: may not be empty or begin or end with a blank", path);
    return 0;
}

/* A character is a byte that does not continue a UTF-8 sequence. */
int check_reason(const char *path, const char *text, struct err *err)
{
    size_t n = 0;

    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (is_control(c) && c != '\n' && c != '\t')
            return err_set(err, ERR_INVALID, "%s: control characters are not allowed", path);
        n += !is_control(c) && c != ' ' && (c & 0xc0) != 0x80;
    }
    if (n < REASON_MIN)
        return err_set(err, ERR_INVALID, "%s: %zu characters; at least %d are needed", path, n, REASON_MIN);
    return 0;
}

int check_pattern(const char *path, const char *pattern, struct arena *arena, const char **out, struct err *err)
{
    if (strlen(pattern) > PATTERN_MAX)
        return err_set(err, ERR_INVALID, "%s: a pattern has at most %d bytes", path, PATTERN_MAX);
    if (imageref_pattern_parse(arena, pattern, out, err) != 0)
        return err_prefix(err, "%s", path);
    return 0;
}

int check_patterns(const char *path, const char *const *patterns, size_t n, struct arena *arena,
                   const char *const **out, struct err *err)
{
    const char **full = arena_array(arena, n, sizeof *full);
    char at[64];

    if (full == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        snprintf(at, sizeof at, "%s[%zu]", path, i);
        if (check_pattern(at, patterns[i], arena, &full[i], err) != 0)
            return -1;
    }
    *out = full;
    return 0;
}

static bool is_given(int64_t at_ms)
{
    return at_ms != TIME_UNKNOWN && at_ms != 0;
}

int check_expiry(const char *in, int64_t at_ms, const char *otherwise, int64_t max_ms, int64_t now_ms,
                 int64_t *expires_ms, struct err *err)
{
    int64_t span;

    if (in != NULL && is_given(at_ms))
        return err_set(err, ERR_INVALID, "$.expires_at: not together with expires_in");
    if (in == NULL && !is_given(at_ms)) {
        if (otherwise == NULL)
            return err_set(err, ERR_INVALID, "$.expires_at: this or expires_in is required");
        in = otherwise;
    }
    if (in != NULL && !time_parse_duration(in, &span))
        return err_set(err, ERR_INVALID, "$.expires_in: a duration like 12h or 90d is expected");
    if (in == NULL)
        span = at_ms < now_ms ? -1 : at_ms - now_ms;
    if (span <= 0)
        return err_set(err, ERR_INVALID, "$.expires_%s: lies not in the future", in != NULL ? "in" : "at");
    if (span > max_ms)
        return err_set(err, ERR_INVALID, "$.expires_%s: more than %" PRId64 " days away, the most that is allowed",
                       in != NULL ? "in" : "at", max_ms / MS_DAY);
    *expires_ms = now_ms + span;
    return 0;
}

const char *id_new(struct arena *arena, const char *prefix)
{
    unsigned char random[16];
    char hex[2 * sizeof random + 1];

    random_bytes(random, sizeof random);
    hex_encode(random, sizeof random, hex);
    return arena_printf(arena, "%s%s", prefix, hex);
}

static int64_t page_size(const struct page_query *q)
{
    return q == NULL || q->limit <= 0 ? PAGE_DEFAULT : q->limit > PAGE_MAX ? PAGE_MAX : q->limit;
}

int64_t page_limit(const struct page_query *q)
{
    return page_size(q) + 1;
}

static int not_ours(struct err *err)
{
    return err_set(err, ERR_INVALID, "query.cursor: not one of ours; start without one");
}

int cursor_numbers(const char *cursor, int64_t *out, size_t n, struct arena *arena, struct err *err)
{
    const char *s = cursor;

    memset(out, 0, n * sizeof *out);
    for (size_t i = 0; s != NULL && i < n; i++) {
        size_t len = strcspn(s, ".");
        const char *number = arena_strndup(arena, s, len);
        if (number == NULL)
            return err_nomem(err);
        if (!str_to_i64(number, 0, INT64_MAX, &out[i]) || (s[len] == '.') != (i + 1 < n))
            return not_ours(err);
        s += len + 1;
    }
    return 0;
}

const char *cursor_of(struct arena *arena, const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    char *cursor = text != NULL ? arena_bytes(arena, base64_encoded_len(len) + 1) : NULL;

    if (cursor != NULL)
        base64_encode(text, len, BASE64_URL | BASE64_PAD_NEVER, cursor);
    return cursor;
}

int cursor_text(const char *cursor, struct arena *arena, char **out, struct err *err)
{
    size_t len = strlen(cursor), n;
    char *text = arena_bytes(arena, base64_decoded_max(len) + 1);

    if (text == NULL)
        return err_nomem(err);
    if (base64_decode(cursor, len, BASE64_URL | BASE64_PAD_NEVER, text, &n) != 0 || !str_is_utf8(text, n))
        return not_ours(err);
    text[n] = '\0';
    *out = text;
    return 0;
}

/* A cursor is base64url of "<at_ms>/<id>". */
int page_start(const struct page_query *q, struct arena *arena, int64_t *at_ms, const char **id, struct err *err)
{
    char *text;

    if (q == NULL || q->cursor == NULL) {
        *at_ms = INT64_MAX;
        *id = "";
        return 0;
    }
    if (cursor_text(q->cursor, arena, &text, err) != 0)
        return -1;
    char *slash = strchr(text, '/');
    if (slash != NULL)
        *slash = '\0';
    if (slash == NULL || !str_to_i64(text, 0, INT64_MAX, at_ms))
        return not_ours(err);
    *id = slash + 1;
    return 0;
}

int page_fill(const struct page_query *q, struct arena *arena, const void *items, size_t n, page_key_fn *key,
              struct page *out, struct err *err)
{
    size_t size = (size_t)page_size(q);
    int64_t at_ms = 0;
    const char *id = "";

    *out = (struct page){ .items = items, .n_items = n < size ? n : size };
    if (n <= size)
        return 0;
    key(items, size - 1, &at_ms, &id);
    out->next = cursor_of(arena, arena_printf(arena, "%" PRId64 "/%s", at_ms, id));
    return out->next != NULL ? 0 : err_nomem(err);
}
