/* interpolate.c - Compose's variables: $X, ${X}, ${X:-d}, ${X-d}, ${X:?e}, ${X?e},
 * ${X:+a}, ${X+a}, $$; defaults may hold variables again.  The only values known
 * are those of the .env file given: what is in nobody's environment here may be in
 * somebody's there, so a variable without value and default stays a mark. */
#include "core/config/config_internal.h"

#include "base/buf.h"

#include <string.h>

enum { DEPTH_MAX = 8, TEXT_MAX = 256 * 1024, ENV_MAX = 2000 };

struct filling {
    const struct env_file *env;
    struct buf out;
    struct err *err;
};

static const char *value_of(const struct env_file *env, const char *name, size_t len)
{
    for (size_t i = env->n; i-- > 0;) {
        if (strlen(env->items[i].name) == len && memcmp(env->items[i].name, name, len) == 0)
            return env->items[i].value;
    }
    return NULL;
}

static size_t name_length(const char *s, size_t len)
{
    size_t n = 0;

    while (n < len && ((s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') || s[n] == '_' || (n > 0 && s[n] >= '0' && s[n] <= '9')))
        n++;
    return n;
}

static void put_unknown(struct filling *f, const char *name, size_t len)
{
    buf_putc(&f->out, BOX_UNKNOWN);
    buf_put(&f->out, name, len);
    buf_putc(&f->out, BOX_UNKNOWN_END);
}

/* The '}' that closes what begins at s, over nested ${...}; len when there is none. */
static size_t closing(const char *s, size_t len)
{
    unsigned depth = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '$' && i + 1 < len && s[i + 1] == '{') {
            depth++;
            i++;
        } else if (s[i] == '}' && depth-- == 0) {
            return i;
        }
    }
    return len;
}

static int fill(struct filling *f, const char *s, size_t len, unsigned depth);

/* What stands between "${" and "}". */
static int fill_braced(struct filling *f, const char *s, size_t len, unsigned depth)
{
    size_t n = name_length(s, len);
    const char *value = value_of(f->env, s, n), *rest = s + n;
    size_t rest_len = len - n;
    bool empty_counts = rest_len > 0 && *rest == ':';

    if (n == 0)
        return err_set(f->err, ERR_INVALID, "a variable without a name: ${%.*s}", (int)(len < 40 ? len : 40), s);
    if (empty_counts) {
        rest++;
        rest_len--;
    }
    char how = rest_len > 0 ? *rest : '\0';
    bool has = value != NULL && !(empty_counts && *value == '\0');
    if (rest_len > 0 && (how == '-' || how == '+')) {
        /* With "+" the text stands in when the variable is set, which only somebody else may know. */
        if (how == '-')
            return has ? buf_puts(&f->out, value), 0 : fill(f, rest + 1, rest_len - 1, depth + 1);
        return has ? fill(f, rest + 1, rest_len - 1, depth + 1) : (put_unknown(f, s, n), 0);
    }
    if ((rest_len > 0 && how != '?') || (rest_len == 0 && empty_counts))
        return err_set(f->err, ERR_INVALID, "not understood: ${%.*s}", (int)(len < 40 ? len : 40), s);
    if (has)
        buf_puts(&f->out, value);
    else
        put_unknown(f, s, n);
    return 0;
}

static int fill(struct filling *f, const char *s, size_t len, unsigned depth)
{
    if (depth > DEPTH_MAX)
        return err_set(f->err, ERR_TOO_LARGE, "variables nested more than %d deep", DEPTH_MAX);
    for (size_t i = 0; i < len; i++) {
        if (s[i] != '$') {
            buf_putc(&f->out, s[i]);
            continue;
        }
        const char *after = s + i + 1;
        size_t left = len - i - 1, n = name_length(after, left);
        if (left > 0 && *after == '$') {
            buf_putc(&f->out, '$');
            i++;
        } else if (left > 0 && *after == '{') {
            size_t end = closing(after + 1, left - 1);
            if (end == left - 1)
                return err_set(f->err, ERR_INVALID, "a variable that does not end: $%.*s", (int)(left < 40 ? left : 40), after);
            if (fill_braced(f, after + 1, end, depth) != 0)
                return -1;
            i += end + 2;
        } else if (n > 0) {
            const char *value = value_of(f->env, after, n);
            if (value != NULL)
                buf_puts(&f->out, value);
            else
                put_unknown(f, after, n);
            i += n;
        } else {
            buf_putc(&f->out, '$');
        }
    }
    return 0;
}

int interpolate(struct arena *a, const struct env_file *env, const char *text, size_t len, const char **out, struct err *err)
{
    struct filling f = { .env = env, .err = err };

    if (memchr(text, '$', len) == NULL) {
        *out = text;
        return 0;
    }
    buf_init(&f.out, TEXT_MAX);
    int rc = fill(&f, text, len, 0);
    if (rc == 0 && f.out.failed)
        rc = err_set(err, ERR_TOO_LARGE, "a text of more than %d bytes", TEXT_MAX);
    if (rc == 0) {
        const char *made = arena_strndup(a, f.out.ptr != NULL ? f.out.ptr : "", f.out.len);
        rc = made != NULL ? 0 : err_nomem(err);
        if (rc == 0)
            *out = made;
    }
    buf_free(&f.out);
    return rc;
}

/* ---- .env --------------------------------------------------------------------------------- */

/* 'as it is', "with \n", or up to " #". */
static const char *env_value(struct arena *a, const char *s, size_t len)
{
    char quote = len > 0 && (*s == '"' || *s == '\'') ? *s : '\0';
    char *out = arena_bytes(a, len + 1);
    size_t n = 0;

    if (out == NULL)
        return NULL;
    for (size_t i = quote != '\0'; i < len; i++) {
        if (quote != '\0' && s[i] == quote)
            break;
        if (quote == '\0' && s[i] == '#' && i > 0 && (s[i - 1] == ' ' || s[i - 1] == '\t'))
            break;
        if (quote == '"' && s[i] == '\\' && i + 1 < len) {
            i++;
            out[n++] = s[i] == 'n' ? '\n' : s[i];
            continue;
        }
        out[n++] = s[i];
    }
    while (quote == '\0' && n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\t' || out[n - 1] == '\r'))
        n--;
    out[n] = '\0';
    return out;
}

int env_file_read(struct arena *a, const struct config_file *f, struct env_file *out, struct err *err)
{
    struct dotenv *items = NULL;
    size_t n = 0;

    *out = (struct env_file){ 0 };
    if (f == NULL)
        return 0;
    if (f->len > TEXT_MAX || !str_is_utf8(f->text, f->len))
        return err_set(err, ERR_INVALID, "%.80s: not a text of at most %d bytes", f->name, TEXT_MAX);
    items = arena_array(a, ENV_MAX, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (const char *p = f->text, *end = f->text + f->len, *stop; p < end; p = stop + 1) {
        stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop != NULL ? stop : end;
        while (p < stop && (*p == ' ' || *p == '\t'))
            p++;
        if (stop - p > 7 && memcmp(p, "export ", 7) == 0)
            p += 7;
        size_t len = name_length(p, (size_t)(stop - p));
        if (len == 0 || p + len == stop || p[len] != '=')
            continue;
        if (n == ENV_MAX)
            return err_set(err, ERR_TOO_LARGE, "%.80s: more than %d variables", f->name, ENV_MAX);
        const char *from = p + len + 1;
        while (from < stop && (*from == ' ' || *from == '\t'))
            from++;
        items[n].name = arena_strndup(a, p, len);
        items[n].value = env_value(a, from, (size_t)(stop - from));
        if (items[n].name == NULL || items[n].value == NULL)
            return err_nomem(err);
        n++;
    }
    *out = (struct env_file){ items, n };
    return 0;
}
