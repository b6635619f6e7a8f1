/* column.c - see column.h. */
#include "ctl/column.h"

#include "base/str.h"
#include "base/time.h"

#include <string.h>

enum { SHORT_DIGEST = 19, PATH_MAX_LEN = 64 };

static const struct json *find(const struct json *item, const char *path)
{
    char one[PATH_MAX_LEN];

    while (*path != '\0') {
        size_t n = strcspn(path, "|");
        if (n < sizeof one) {
            memcpy(one, path, n);
            one[n] = '\0';
            const struct json *v = json_path(item, one);
            if (v != NULL && v->type != JSON_NULL)
                return v;
        }
        path += n + (path[n] == '|');
    }
    return NULL;
}

static const char *joined(const struct json *list, struct arena *arena)
{
    struct buf b;

    buf_init(&b, 64 * 1024);
    for (uint32_t i = 0; i < json_len(list); i++) {
        buf_puts(&b, i > 0 ? ", " : "");
        put_safe(&b, json_str(json_at(list, i), "?"));
    }
    char *text = arena_strndup(arena, b.ptr != NULL ? b.ptr : "", b.len);
    buf_free(&b);
    return text != NULL ? text : "";
}

static const char *time_text(const char *text, const struct look *look, struct arena *arena)
{
    struct buf b;
    int64_t at;

    if (!look->terminal || !time_parse(text, &at))
        return safe_text(arena, text);
    buf_init(&b, 64);
    put_short_age(&b, at, look->now_ms);
    char *age = arena_strndup(arena, b.ptr != NULL ? b.ptr : "", b.len);
    buf_free(&b);
    return age;
}

static const char *plain(const struct json *v, struct arena *arena)
{
    switch ((enum json_type)v->type) {
    case JSON_STRING:
        return safe_text(arena, v->string);
    case JSON_INT:
        return arena_printf(arena, "%lld", (long long)v->i);
    case JSON_REAL:
        return arena_printf(arena, "%g", v->real);
    case JSON_BOOL:
        return v->boolean ? "yes" : "no";
    case JSON_ARRAY:
        return joined(v, arena);
    case JSON_NULL:
    case JSON_OBJECT:
        break;
    }
    return "";
}

static const char *text_of(const struct column *c, const struct json *v, const struct look *look, struct arena *arena)
{
    switch (c->kind) {
    case COLUMN_TIME:
        return v->type == JSON_STRING ? time_text(v->string, look, arena) : "";
    case COLUMN_DIGEST:
        if (look->terminal && v->type == JSON_STRING && digest_is_valid(v->string))
            return arena_strndup(arena, v->string, SHORT_DIGEST);
        return plain(v, arena);
    case COLUMN_FLAG:
        return json_bool(v, false) ? "yes" : "";
    case COLUMN_SCORE:
        return arena_printf(arena, "%.1f", json_number(v, 0));
    case COLUMN_PERCENT:
        return arena_printf(arena, "%.1f%%", 100 * json_number(v, 0));
    case COLUMN_TEXT:
    case COLUMN_NUMBER:
    case COLUMN_WORD:
    case COLUMN_TEXTS:
        break;
    }
    return plain(v, arena);
}

const char *column_text(const struct column *c, const struct json *item, const struct look *look, struct arena *arena)
{
    const struct json *v = find(item, c->path);
    const char *text = v != NULL ? text_of(c, v, look, arena) : "";

    return text != NULL ? text : "";
}
