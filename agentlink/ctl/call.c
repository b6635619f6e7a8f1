/* call.c - see call.h. */
#include "ctl/call.h"

#include "client/url.h"
#include "ctl/file.h"
#include "wire/jsonw.h"

#include <string.h>

enum { LIMIT_DEFAULT = 100, FILE_MAX = 1024 * 1024, ARGS_SHOWN = 4 };

int limit_of(struct ctl *c, size_t *out)
{
    const char *text = ctl_option(c, "limit");
    int64_t n = LIMIT_DEFAULT;

    if (text != NULL && !str_to_i64(text, 0, 10000000, &n))
        return ctl_wrong(c, NULL, "--limit: expected a number, got '%s'", text);
    *out = (size_t)n;
    return 0;
}

static size_t count_slots(const char *target)
{
    size_t n = 0;

    for (const char *s = target; (s = strstr(s, "{}")) != NULL; s += 2)
        n++;
    return n;
}

static void put_options(struct ctl *c, struct buf *b)
{
    const struct command *row = c->cl->command;

    for (size_t i = 0; i < row->n_options; i++) {
        const char *value = ctl_option(c, row->options[i].name);
        char key[64];
        if (value == NULL || str_eq(row->options[i].name, "limit"))
            continue;
        snprintf(key, sizeof key, "%s", row->options[i].name);
        for (char *s = key; *s != '\0'; s++)
            *s = *s == '-' ? '_' : *s;
        url_query(b, key, row->options[i].value == NULL ? "true" : value);
    }
}

const char *call_target(struct ctl *c)
{
    const struct api_call *call = c->command->call;
    size_t slots = count_slots(call->target);
    struct buf b;

    buf_init(&b, 64 * 1024);
    url_path(&b, call->target, c->cl->args, c->cl->n_args);
    if (call->arg_key != NULL && c->cl->n_args > slots)
        url_query(&b, call->arg_key, c->cl->args[slots]);
    if (str_eq(call->method, "GET"))
        put_options(c, &b);
    char *text = b.failed ? NULL : arena_strndup(&c->arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

int call_print(struct ctl *c, const struct json *object)
{
    const struct api_call *call = c->command->call;
    const struct json *items = json_get(object, "items");
    const struct listing l = { call->columns, call->n_columns, json_is(items, JSON_ARRAY) ? items : object, object };

    return out_list(c, &l);
}

int call_list(struct ctl *c)
{
    const struct api_call *call = c->command->call;
    const char *target = call_target(c);
    struct json answer;
    size_t limit;
    bool more = false;

    int rc = limit_of(c, &limit);
    if (rc == 0)
        rc = target != NULL ? ctl_list(c, target, limit, &answer, &more) : ctl_wrong(c, NULL, "out of memory");
    if (rc != 0)
        return rc;
    const struct listing l = { call->columns, call->n_columns, json_get(&answer, "items"), &answer };
    rc = out_list(c, &l);
    if (json_len(l.items) == 0)
        ctl_say(c, "%s", call->empty != NULL ? call->empty : "nothing found");
    if (more)
        ctl_say(c, "there is more: --limit 0 shows all");
    else if (call->next != NULL && json_len(l.items) > 0 && c->look.terminal)
        ctl_next(c, "%s", call->next);
    return rc;
}

int call_show(struct ctl *c)
{
    const char *target = call_target(c);
    struct json answer;

    int rc = target != NULL ? ctl_get(c, target, &answer) : ctl_wrong(c, NULL, "out of memory");
    if (rc != 0)
        return rc;
    const struct json *items = json_get(&answer, "items");
    if (json_is(items, JSON_ARRAY) && items->n == 0)
        ctl_say(c, "%s", c->command->call->empty != NULL ? c->command->call->empty : "nothing found");
    return call_print(c, &answer);
}

/* ---- writing ------------------------------------------------------------------------ */

static int put_field(struct ctl *c, const struct api_field *f, struct jsonw *w)
{
    const char *value = f->option == NULL ? ctl_arg(c, 0) : ctl_option(c, f->option);
    struct err err = { 0 };
    struct bytes text;

    if (value == NULL && f->required)
        return ctl_wrong(c, NULL, "%s needs --%s; see: keepctl %s --help", c->cl->command->name, f->option, c->cl->command->name);
    if (value == NULL)
        return 0;
    jsonw_key(w, f->key);
    switch (f->kind) {
    case AS_TEXT:
        jsonw_str(w, value);
        break;
    case AS_TRUE:
        jsonw_bool(w, true);
        break;
    case AS_TEXTS:
        jsonw_array(w);
        for (size_t i = 0; (value = command_get_nth(c->cl, f->option, i)) != NULL; i++)
            jsonw_str(w, value);
        jsonw_array_end(w);
        break;
    case AS_FILE:
        if (file_read(&c->arena, value, FILE_MAX, &text, &err) != 0)
            return ctl_fail(c, &err, NULL);
        jsonw_strn(w, (const char *)text.ptr, text.len);
        break;
    }
    return 0;
}

static int build_body(struct ctl *c, struct bytes *out)
{
    const struct api_call *call = c->command->call;
    struct jsonw w;
    struct buf b;
    int rc = 0;

    buf_init(&b, 4 * FILE_MAX);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    for (size_t i = 0; i < call->n_fields && rc == 0; i++)
        rc = put_field(c, &call->fields[i], &w);
    jsonw_object_end(&w);
    char *copy = rc == 0 && !b.failed ? arena_strndup(&c->arena, b.ptr, b.len) : NULL;
    if (rc == 0 && copy == NULL)
        rc = ctl_wrong(c, NULL, "out of memory");
    if (copy != NULL)
        *out = (struct bytes){ (const unsigned char *)copy, b.len };
    buf_free(&b);
    return rc;
}

static void say_done(struct ctl *c)
{
    const struct api_call *call = c->command->call;
    const char *hole = call->done != NULL ? strstr(call->done, "%s") : NULL;

    if (call->done == NULL)
        return;
    if (hole == NULL)
        ctl_say(c, "%s", call->done);
    else
        ctl_say(c, "%.*s%s%s", (int)(hole - call->done), call->done, ctl_arg(c, 0) != NULL ? ctl_arg(c, 0) : "", hole + 2);
}

int call_change(struct ctl *c)
{
    const struct api_call *call = c->command->call;
    struct client_request r = { .method = call->method, .target = call_target(c), .once = call->once };
    struct json answer = { 0 };

    int rc = r.target != NULL ? 0 : ctl_wrong(c, NULL, "out of memory");
    if (rc == 0 && call->n_fields > 0) {
        r.content_type = "application/json";
        rc = build_body(c, &r.body);
    }
    if (rc == 0)
        rc = ctl_send(c, &r, &answer, NULL);
    if (rc == 0 && json_is(&answer, JSON_OBJECT) && call->n_columns > 0)
        rc = call_print(c, &answer);
    if (rc != 0)
        return rc;
    say_done(c);
    if (call->next != NULL)
        ctl_next(c, "%s", call->next);
    return 0;
}
