/* settings.c - see settings.h. */
#include "wire/settings.h"

#include "base/str.h"
#include "base/time.h"
#include "wire/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    const struct setting_table *table;
    struct arena *arena;
    void *to;                            /* the program's struct */
    enum setting_from *from;
    const char *file, *text;
    size_t len;
    struct err *err;
};

static bool parse_bytes(const char *text, int64_t *out)
{
    static const struct { const char *unit; int shift; } units[] = { { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 }, { "", 0 } };
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    for (size_t i = 0; errno == 0 && n < 1 << 30 && i < N_ITEMS(units); i++) {
        if (str_eq(end, units[i].unit))
            return *out = (int64_t)n << units[i].shift, true;
    }
    return false;
}

static int set_number(struct reading *r, const struct setting *s, int64_t value, const char *text)
{
    if ((value < s->min || value > s->max) && r->table->says_range)
        return err_set(r->err, ERR_INVALID, "%s: %s is out of range (%lld to %lld)", s->key, text, (long long)s->min, (long long)s->max);
    if (value < s->min || value > s->max)
        return err_set(r->err, ERR_INVALID, "%s: %s is out of range", s->key, text);
    *(int64_t *)(void *)((char *)r->to + s->off) = value;
    return 0;
}

static int set_bool(struct reading *r, const struct setting *s, const char *text)
{
    bool is_true = str_eq(text, "true") || (*text == '\0' && r->table->empty_is_true);

    if (!is_true && !str_eq(text, "false"))
        return err_set(r->err, ERR_INVALID, "%s: expected true or false, found %s", s->key, text);
    *(bool *)((char *)r->to + s->off) = is_true;
    return 0;
}

static int set_value(struct reading *r, const struct setting *s, const char *text)
{
    int64_t n = 0;

    switch (s->type) {
    case SETTING_TEXT:
        *(const char **)(void *)((char *)r->to + s->off) = *text != '\0' ? text : NULL;
        return 0;
    case SETTING_BOOL:
        return set_bool(r, s, text);
    case SETTING_INT:
        if (!str_to_i64(text, 0, INT64_MAX, &n))
            return err_set(r->err, ERR_INVALID, "%s: expected a number, found %s", s->key, text);
        break;
    case SETTING_DURATION:
        if (!time_parse_duration(text, &n))
            return err_set(r->err, ERR_INVALID, "%s: expected a length of time like 90s, 15m, 36h, 7d, found %s", s->key, text);
        break;
    case SETTING_BYTES:
        if (!parse_bytes(text, &n))
            return err_set(r->err, ERR_INVALID, "%s: expected bytes like 65536, 64KiB, 64MiB, found %s", s->key, text);
        break;
    }
    return set_number(r, s, n, text);
}

static const struct setting *find(const struct setting_table *t, const char *key)
{
    for (size_t i = 0; i < t->n; i++) {
        if (str_eq(t->rows[i].key, key))
            return &t->rows[i];
    }
    return NULL;
}

static const char *nearest(const struct setting_table *t, const char *key)
{
    const char *best = NULL;
    size_t distance = 6;

    for (size_t i = 0; i < t->n; i++) {
        size_t d = str_distance(key, t->rows[i].key, 5);
        if (d < distance) {
            distance = d;
            best = t->rows[i].key;
        }
    }
    return best;
}

/* ---- the file ------------------------------------------------------------------- */

static int wrong(struct reading *r, uint32_t offset, const char *what, const char *key)
{
    unsigned line, column;
    const char *near = nearest(r->table, key);

    json_position(r->text, r->len, offset, &line, &column);
    return err_set(r->err, ERR_INVALID, "%s line %u: %s %s%s%s%s", r->file, line, what, key, near != NULL ? "; did you mean " : "",
                   near != NULL ? near : "", near != NULL ? "?" : "");
}

static int take(struct reading *r, const char *key, const struct json *v)
{
    const struct setting *s = find(r->table, key);
    char number[32];
    const char *text = number;

    if (s == NULL)
        return wrong(r, v->offset, "unknown setting", key);
    if (v->type == JSON_STRING)
        text = v->string;
    else if (v->type == JSON_BOOL)
        text = v->boolean ? "true" : "false";
    else if (v->type == JSON_INT)
        snprintf(number, sizeof number, "%lld", (long long)v->i);
    else
        return wrong(r, v->offset, "expected one value for", key);
    text = arena_strdup(r->arena, text);
    if (text == NULL)
        return err_nomem(r->err);
    r->from[s - r->table->rows] = FROM_FILE;
    return set_value(r, s, text) != 0 ? err_prefix(r->err, "%s", r->file) : 0;
}

static int take_list(struct reading *r, const struct json *v, enum setting_from from)
{
    r->from[r->table->n] = from;
    return r->table->take(r->to, v, r->arena, r->err);
}

static int walk(struct reading *r, const char *prefix, const struct json *v)
{
    for (uint32_t i = 0; i < json_n_members(v); i++) {
        const struct json_member *m = &v->members[i];
        const char *key = *prefix != '\0' ? arena_printf(r->arena, "%s.%s", prefix, m->key) : m->key;
        int rc;
        if (key == NULL)
            return err_nomem(r->err);
        if (str_eq(key, r->table->list))
            rc = take_list(r, &m->value, FROM_FILE) != 0 ? err_prefix(r->err, "%s", r->file) : 0;
        else
            rc = m->value.type == JSON_OBJECT ? walk(r, key, &m->value) : take(r, key, &m->value);
        if (rc != 0)
            return -1;
    }
    return 0;
}

static int read_file(const char *file, struct reading *r)
{
    enum { FILE_MAX = 1 << 20 };
    struct json doc;
    FILE *f = fopen(file, "re");

    if (f == NULL)
        return err_set(r->err, ERR_INVALID, "%s: %s", file, strerror(errno));
    char *text = arena_bytes(r->arena, FILE_MAX);
    r->len = text != NULL ? fread(text, 1, FILE_MAX, f) : 0;
    fclose(f);
    if (text == NULL)
        return err_nomem(r->err);
    if (r->len == FILE_MAX)
        return err_set(r->err, ERR_TOO_LARGE, "%s: longer than 1 MiB", file);
    r->text = text;
    r->file = file;
    if (yaml_parse(r->arena, text, r->len, NULL, &doc, r->err) != 0)
        return err_prefix(r->err, "%s", file);
    if (doc.type != JSON_OBJECT && doc.type != JSON_NULL)
        return err_set(r->err, ERR_INVALID, "%s: expected settings, key: value", file);
    return walk(r, "", &doc);
}

/* ---- environment and flags ------------------------------------------------------------ */

/* spool.low_bytes -> KEEP_AGENT_SPOOL_LOW_BYTES */
static const char *from_environment(const struct setting_table *t, const char *key)
{
    char name[64];
    size_t n = strlen(t->environment);

    if (n >= sizeof name)
        return NULL;
    memcpy(name, t->environment, n);
    for (const char *k = key; *k != '\0' && n + 1 < sizeof name; k++)
        name[n++] = *k == '.' ? '_' : *k >= 'a' && *k <= 'z' ? (char)(*k - 32) : *k;
    name[n] = '\0';
    return getenv(name);
}

static int read_list(struct reading *r)
{
    const char *text = from_environment(r->table, r->table->list);
    struct json doc;

    if (text == NULL)
        return 0;
    if (yaml_parse(r->arena, text, strlen(text), NULL, &doc, r->err) != 0 || take_list(r, &doc, FROM_ENVIRONMENT) != 0)
        return err_prefix(r->err, "environment");
    return 0;
}

static int read_environment(struct reading *r)
{
    const struct setting_table *t = r->table;

    for (size_t i = 0; i < t->n; i++) {
        const char *text = from_environment(t, t->rows[i].key);
        if (text == NULL)
            continue;
        r->from[i] = FROM_ENVIRONMENT;
        if (set_value(r, &t->rows[i], text) != 0)
            return err_prefix(r->err, "environment");
    }
    return t->list != NULL ? read_list(r) : 0;
}

static int read_flags(struct reading *r, const struct command_line *cl)
{
    const struct setting_table *t = r->table;

    for (size_t i = 0; i < t->n_flags; i++) {
        const char *text = command_get(cl, t->flags[i].flag);
        const struct setting *s = find(t, t->flags[i].key);
        if (text == NULL)
            continue;
        r->from[s - t->rows] = FROM_FLAG;
        if (set_value(r, s, s->type == SETTING_BOOL ? "true" : text) != 0)
            return t->says_flag ? err_prefix(r->err, "--%s", t->flags[i].flag) : -1;
    }
    return 0;
}

static int set_defaults(struct reading *r)
{
    const struct setting_table *t = r->table;

    for (size_t i = 0; i < t->n; i++) {
        r->from[i] = FROM_DEFAULT;
        if (t->rows[i].otherwise != NULL && set_value(r, &t->rows[i], t->rows[i].otherwise) != 0)
            return -1;
    }
    if (t->list != NULL)
        r->from[t->n] = FROM_DEFAULT;
    return 0;
}

int settings_read(const struct setting_table *t, const char *file, const struct command_line *cl, struct arena *arena, void *to,
                  enum setting_from *from, struct err *err)
{
    struct reading r = { .table = t, .arena = arena, .to = to, .from = from, .err = err };

    if (set_defaults(&r) != 0 || (file != NULL && read_file(file, &r) != 0) || read_environment(&r) != 0)
        return -1;
    return cl != NULL ? read_flags(&r, cl) : 0;
}

/* ---- what they say ------------------------------------------------------------------------ */

bool setting_equal(const void *a, const void *b, const struct setting *s)
{
    const void *x = (const char *)a + s->off, *y = (const char *)b + s->off;

    switch (s->type) {
    case SETTING_TEXT: return str_eq(*(const char *const *)x, *(const char *const *)y);
    case SETTING_BOOL: return *(const bool *)x == *(const bool *)y;
    case SETTING_INT:
    case SETTING_DURATION:
    case SETTING_BYTES: return *(const int64_t *)x == *(const int64_t *)y;
    }
    return false;
}

void setting_print(const void *from, const struct setting *s, bool quoted, struct buf *out)
{
    const void *base = (const char *)from + s->off;
    const char *text;

    switch (s->type) {
    case SETTING_TEXT:
        text = *(const char *const *)base;
        buf_printf(out, quoted || text == NULL ? "\"%s\"" : "%s", text != NULL ? text : "");
        return;
    case SETTING_BOOL:
        buf_puts(out, *(const bool *)base ? "true" : "false");
        return;
    case SETTING_DURATION:
        buf_printf(out, "%llds", (long long)(*(const int64_t *)base / MS_SECOND));
        return;
    case SETTING_INT:
    case SETTING_BYTES:
        buf_printf(out, "%lld", (long long)*(const int64_t *)base);
        return;
    }
}

const char *setting_from_word(enum setting_from from)
{
    static const char *const words[] = { "default", "file", "environment", "flag" };

    return words[from];
}
