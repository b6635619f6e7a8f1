/* cases.c - see cases.h. */
#include "core/cel/cases.h"
#include "core/cel/internal.h"

#include <stdlib.h>

enum { MAX_LINE = 1024 * 1024, MAX_VARS = 64, CASE_MEMORY = 64 * 1024 * 1024 };

static int decode(struct cel_run *run, const struct json *v, struct cel_value *out, struct err *err, int depth);

/* The reader refuses \u0000; it is read as U+FFFF, and put back here. */
static struct cel_value with_nul(struct cel_run *run, const char *s, size_t n)
{
    char *to = run_bytes(run, n + 1);
    size_t len = 0;

    if (to == NULL)
        return run_stopped(run);
    for (size_t i = 0; i < n; i++) {
        bool nul = n - i >= 3 && memcmp(s + i, "\xEF\xBF\xBF", 3) == 0;
        to[len++] = nul ? '\0' : s[i];
        i += nul ? 2 : 0;
    }
    to[len] = '\0';
    return cel_string(to, len);
}

static int decode_bytes(struct cel_run *run, const struct json *v, struct cel_value *out, struct err *err)
{
    char *to = run_bytes(run, v->n / 2 + 1);

    if (to == NULL)
        return err_nomem(err);
    if (v->n % 2 != 0 || !hex_decode(v->string, to, v->n / 2))
        return err_set(err, ERR_INVALID, "bytes are written in hex");
    *out = cel_bytes(to, v->n / 2);
    return 0;
}

static int decode_text(struct cel_run *run, const char *kind, const struct json *v, struct cel_value *out,
                       struct err *err)
{
    char *end = NULL;

    if (v->type != JSON_STRING)
        return err_set(err, ERR_INVALID, "%s is written as a string", kind);
    if (strcmp(kind, "string") == 0)
        *out = with_nul(run, v->string, v->n);
    else if (strcmp(kind, "bytes") == 0)
        return decode_bytes(run, v, out, err);
    else if (strcmp(kind, "int") == 0)
        *out = cel_int(strtoll(v->string, &end, 10));
    else if (strcmp(kind, "uint") == 0)
        *out = cel_uint(strtoull(v->string, &end, 10));
    else if (strcmp(kind, "double") == 0)
        *out = cel_double(strtod(v->string, &end));
    else
        *out = (struct cel_value){ .kind = CEL_TYPE, .n = v->n, .s = v->string };
    if (end != NULL && (end == v->string || *end != '\0'))
        return err_set(err, ERR_INVALID, "not %s: '%.40s'", kind, v->string);
    return 0;
}

static int decode_list(struct cel_run *run, const struct json *v, struct cel_value *out, struct err *err, int depth)
{
    struct cel_value *items = run_alloc(run, json_len(v), sizeof *items);

    if (items == NULL)
        return err_nomem(err);
    for (uint32_t i = 0; i < json_len(v); i++) {
        if (decode(run, json_at(v, i), &items[i], err, depth + 1) != 0)
            return -1;
    }
    *out = cel_list(items, json_len(v));
    return 0;
}

static int decode_map(struct cel_run *run, const struct json *v, struct cel_value *out, struct err *err, int depth)
{
    struct cel_map_builder b = { 0 };

    for (uint32_t i = 0; i < json_len(v); i++) {
        const struct json *pair = json_at(v, i);
        struct cel_value key, value;
        if (json_len(pair) != 2)
            return err_set(err, ERR_INVALID, "an entry of a map is a pair");
        if (decode(run, json_at(pair, 0), &key, err, depth + 1) != 0 ||
            decode(run, json_at(pair, 1), &value, err, depth + 1) != 0)
            return -1;
        if (!is_map_key(&key) || map_add(run, &b, key, value) != 0)
            return err_set(err, ERR_INVALID, "malformed key of a map");
    }
    *out = map_finish(run, &b);
    return is_bad(*out) ? err_nomem(err) : 0;
}

static int64_t number_at(const struct json *v, uint32_t i)
{
    const struct json *n = i < json_len(v) ? json_at(v, i) : NULL;

    return json_is(n, JSON_STRING) ? strtoll(n->string, NULL, 10) : json_int(n, 0);
}

static int decode(struct cel_run *run, const struct json *v, struct cel_value *out, struct err *err, int depth)
{
    if (depth > 64 || json_n_members(v) != 1)
        return err_set(err, ERR_INVALID, "a typed value is an object with one member");
    const char *kind = v->members[0].key;
    const struct json *of = &v->members[0].value;

    if (strcmp(kind, "bool") == 0 && of->type == JSON_BOOL)
        *out = cel_bool(of->boolean);
    else if (strcmp(kind, "null") == 0)
        *out = cel_null();
    else if (strcmp(kind, "list") == 0 && of->type == JSON_ARRAY)
        return decode_list(run, of, out, err, depth);
    else if (strcmp(kind, "map") == 0 && of->type == JSON_ARRAY)
        return decode_map(run, of, out, err, depth);
    else if (strcmp(kind, "timestamp") == 0)
        *out = cel_timestamp(number_at(of, 0), (uint32_t)number_at(of, 1));
    else if (strcmp(kind, "duration") == 0)
        *out = cel_duration(number_at(of, 0) * 1000000000 + number_at(of, 1));
    else if (strcmp(kind, "int") == 0 || strcmp(kind, "uint") == 0 || strcmp(kind, "double") == 0 ||
             strcmp(kind, "string") == 0 || strcmp(kind, "bytes") == 0 || strcmp(kind, "type") == 0)
        return decode_text(run, kind, of, out, err);
    else
        return err_set(err, ERR_INVALID, "unknown kind of value '%.40s'", kind);
    return 0;
}

static struct cel_run plain_run(struct arena *arena)
{
    return (struct cel_run){ .arena = arena, .budget = INT64_MAX / 2 };
}

int cel_case_value(const struct json *v, struct arena *arena, struct cel_value *out, struct err *err)
{
    struct cel_run run = plain_run(arena);

    return decode(&run, v, out, err, 0);
}

/* Same type and same value, all the way down; NaN is NaN here. */
static bool same(struct cel_run *run, const struct cel_value *a, const struct cel_value *b, int depth)
{
    if (a->kind != b->kind || depth > 64)
        return false;
    if (a->kind == CEL_DOUBLE)
        return (a->d >= b->d && a->d <= b->d) || (a->d != a->d && b->d != b->d);
    if (a->kind != CEL_LIST && a->kind != CEL_MAP)
        return value_equal(run, a, b);
    if (cel_size(a) != cel_size(b))
        return false;
    for (uint32_t i = 0; i < cel_size(a); i++) {
        struct cel_value x, y;
        if (a->kind == CEL_LIST) {
            x = cel_at(run, a, i);
            y = cel_at(run, b, i);
        } else {
            struct cel_value key = cel_key_at(run, a, i);
            x = cel_get(run, a, &key);
            y = cel_get(run, b, &key);
        }
        if (!same(run, &x, &y, depth + 1))
            return false;
    }
    return true;
}

static int decode_vars(const struct json *vars, struct arena *arena, struct cel_var *names, struct cel_value *values,
                       struct err *err)
{
    for (uint32_t i = 0; i < json_n_members(vars); i++) {
        names[i] = (struct cel_var){ vars->members[i].key, NULL };
        if (i >= MAX_VARS - 1)
            return err_set(err, ERR_TOO_LARGE, "more than %d variables", MAX_VARS - 1);
        if (cel_case_value(&vars->members[i].value, arena, &values[i], err) != 0)
            return -1;
    }
    return 0;
}

/* The value, or CEL_ERROR with the reason when it is refused or has no end. */
static struct cel_value evaluate(struct cel_env *env, const struct cel_value *expr, const struct cel_value *values,
                                 struct arena *arena)
{
    const struct cel_program *p;
    struct cel_activation act = { .values = values };
    struct cel_value v;
    struct err err = { 0 };

    if (cel_compile(env, expr->s, expr->n, arena, &p, &err) == 0 &&
        cel_eval(p, &act, arena, CEL_BUDGET, &v, &err) == 0)
        return v;
    char *why = arena_printf(arena, "%s", err.msg);
    return (struct cel_value){ .kind = CEL_ERROR, .s = why != NULL ? why : "out of memory" };
}

static const char *text_of(const struct cel_value *v, struct arena *arena)
{
    char room[200];
    struct cel_text t = { .ptr = room, .cap = sizeof room };

    value_message(v, &t);
    return arena_printf(arena, "%s: %.*s", cel_kind_name((enum cel_kind)v->kind), (int)t.len, room);
}

static int run_case(const struct json *c, struct arena *arena, struct cel_case *out, struct err *err)
{
    const struct json *want = json_get(c, "want"), *expr = json_get(c, "expr");
    struct cel_var names[MAX_VARS];
    struct cel_value values[MAX_VARS], expected = { .kind = CEL_ERROR, .s = "any" };
    struct cel_run run = plain_run(arena);

    if (!json_is(expr, JSON_STRING))
        return err_set(err, ERR_INVALID, "a case has an \"expr\"");
    if (decode_vars(json_get(c, "vars"), arena, names, values, err) != 0 ||
        (want != NULL && decode(&run, want, &expected, err, 0) != 0))
        return -1;
    struct cel_env env = {
        .vars = names, .n_vars = json_n_members(json_get(c, "vars")), .lenient = true,
        .container = json_get_str(c, "container", NULL),
    };
    struct cel_value text = with_nul(&run, expr->string, expr->n);
    struct cel_value got = evaluate(&env, &text, values, arena);
    *out = (struct cel_case){
        .name = arena_printf(arena, "%s/%s/%s", json_get_str(c, "file", ""), json_get_str(c, "section", ""),
                             json_get_str(c, "name", "")),
        .expr = expr->string,
        .agreed = want == NULL ? got.kind == CEL_ERROR : same(&run, &expected, &got, 0),
        .expected = text_of(&expected, arena), .got = text_of(&got, arena),
    };
    return out->name == NULL || out->expected == NULL || out->got == NULL ? err_nomem(err) : 0;
}

/* \u0000 becomes \uffff, unless that is in the line already. */
static void hide_nul(char *line, size_t len)
{
    if (memmem(line, len, "\xEF\xBF\xBF", 3) != NULL || memmem(line, len, "\\uffff", 6) != NULL)
        return;
    for (size_t i = 0; i + 6 <= len; i++) {
        if (line[i] != '\\')
            continue;
        if (memcmp(line + i, "\\u0000", 6) == 0)
            memcpy(line + i, "\\uffff", 6);
        i++;                           /* whatever is escaped is stepped over */
    }
}

int cel_case_run(const char *line, size_t len, struct arena *arena, struct cel_case *out, struct err *err)
{
    char *copy = arena_strndup(arena, line, len);
    struct json c;

    if (copy == NULL)
        return err_nomem(err);
    hide_nul(copy, len);
    return json_parse(arena, copy, len, NULL, &c, err) != 0 ? -1 : run_case(&c, arena, out, err);
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t\r\n")] == '\0';
}

int cel_cases_run(FILE *in, void (*report)(void *data, const struct cel_case *c), void *data,
                  struct cel_cases_sum *sum, struct err *err)
{
    struct arena arena;
    struct cel_case c;
    char *line = NULL;
    size_t cap = 0;
    unsigned number = 0;
    int rc = 0;

    *sum = (struct cel_cases_sum){ 0 };
    arena_init(&arena, CASE_MEMORY);
    for (ssize_t n; rc == 0 && (n = getline(&line, &cap, in)) > 0; arena_reset(&arena)) {
        number++;
        if (is_blank(line))
            continue;
        if (n > MAX_LINE)
            rc = err_set(err, ERR_TOO_LARGE, "line %u is too long", number);
        else if (cel_case_run(line, (size_t)n, &arena, &c, err) != 0)
            rc = err_prefix(err, "line %u", number);
        if (rc != 0)
            continue;
        sum->n++;
        sum->agreed += c.agreed;
        sum->disagreed += !c.agreed;
        report(data, &c);
    }
    free(line);
    arena_clear(&arena);
    return rc;
}
