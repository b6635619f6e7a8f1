/* compose.c - Compose files as the tool itself would see them: variables filled in,
 * override files merged, `extends` followed within the files given, profiles
 * obeyed; then each service becomes a box (box_compose.c).
 *
 * Follows the Compose Specification: interpolation, merge, extends, profiles.
 * Files of version 1 (no `services:`) are refused. */
#include "core/config/compose.h"

#include <string.h>

enum { EXTENDS_MAX = 16, SERVICES_MAX = 1000 };

struct composing {
    struct reading *r;
    struct env_file env;
    const struct json *parts;          /* as r->parts, filled in */
    struct json merged;
};

/* ---- variables -------------------------------------------------------------------------- */

static int fill_scalar(void *data, const char *key, struct json *v, struct err *err)
{
    struct composing *c = data;
    const char *text;

    (void)key;
    if (v->type != JSON_STRING)
        return 0;
    if (interpolate(c->r->arena, &c->env, v->string, v->n, &text, err) != 0) {
        struct err why = *err;
        return why.kind == ERR_UNAVAILABLE ? -1 : reading_refuse(c->r, v->offset, why.msg, err);
    }
    if (text != v->string)
        *v = make_text(text, v->offset);
    return 0;
}

/* ---- merging ------------------------------------------------------------------------------ */

/* Lists that a later file replaces; all others grow. */
static bool is_replaced(const char *key)
{
    return str_eq(key, "command") || str_eq(key, "entrypoint") || str_eq(key, "test");
}

/* {A: 1} as ["A=1"]: what the two forms of environment, labels, ... have in common. */
static struct json as_list(struct arena *a, const struct json *v)
{
    struct maker m = { .arena = a };

    for (uint32_t i = 0; i < json_n_members(v); i++) {
        const char *value = text_of(a, &v->members[i].value);
        const char *text = value != NULL ? arena_printf(a, "%s=%s", v->members[i].key, value) : v->members[i].key;
        make_item(&m, make_text(text != NULL ? text : "", v->members[i].value.offset));
        m.failed |= text == NULL;
    }
    return make_list(&m, v->offset);
}

static int merge(struct arena *a, const char *key, const struct json *base, const struct json *over, struct json *out, struct err *err);

static int merge_objects(struct arena *a, const struct json *base, const struct json *over, struct json *out, struct err *err)
{
    struct maker m = { .arena = a };

    for (uint32_t i = 0; i < base->n; i++) {
        const struct json_member *one = &base->members[i];
        const struct json *other = json_get(over, one->key);
        struct json v = one->value;
        if (other != NULL && merge(a, one->key, &one->value, other, &v, err) != 0)
            return -1;
        make_member(&m, one->key, v);
    }
    for (uint32_t i = 0; i < over->n; i++) {
        if (json_get(base, over->members[i].key) == NULL)
            make_member(&m, over->members[i].key, over->members[i].value);
    }
    *out = make_object(&m, over->offset);
    return m.failed ? err_nomem(err) : 0;
}

static int merge(struct arena *a, const char *key, const struct json *base, const struct json *over, struct json *out, struct err *err)
{
    struct maker m = { .arena = a };
    struct json left = *base, right = *over;

    if (left.type == JSON_OBJECT && right.type == JSON_OBJECT)
        return merge_objects(a, base, over, out, err);
    bool lists = (left.type == JSON_ARRAY || left.type == JSON_OBJECT) && (right.type == JSON_ARRAY || right.type == JSON_OBJECT);
    if (!lists || is_replaced(key)) {
        *out = *over;
        return 0;
    }
    if (left.type == JSON_OBJECT)
        left = as_list(a, base);
    if (right.type == JSON_OBJECT)
        right = as_list(a, over);
    for (uint32_t i = 0; i < json_len(&left); i++)
        make_item(&m, *json_at(&left, i));
    for (uint32_t i = 0; i < json_len(&right); i++)
        make_item(&m, *json_at(&right, i));
    *out = make_list(&m, right.offset);
    return m.failed ? err_nomem(err) : 0;
}

/* ---- extends ------------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* The services of the file that `extends` names: given ones only. */
static const struct json *services_of(const struct composing *c, const char *file)
{
    if (file == NULL)
        return json_get(&c->merged, "services");
    for (size_t i = 0; i < c->r->n_parts; i++) {
        if (str_eq(base_name(c->r->in->files[c->r->parts[i].file].name), base_name(file)))
            return json_get(&c->parts[i], "services");
    }
    return NULL;
}

/* *out: the service with what it extends below it. */
static int extend(struct composing *c, const struct json *services, const struct json *service, unsigned depth, struct json *out,
                  struct err *err)
{
    const struct json *how = json_get(service, "extends");
    const char *name = json_is(how, JSON_STRING) ? how->string : json_get_str(how, "service", NULL);
    const char *file = json_get_str(how, "file", NULL);
    struct json base;

    *out = *service;
    if (how == NULL || how->type == JSON_NULL)
        return 0;
    if (depth == EXTENDS_MAX)
        return reading_refuse(c->r, how->offset, "extends goes round in circles, or too deep", err);
    const struct json *from = file != NULL ? services_of(c, file) : services;
    const struct json *found = name != NULL && !is_unknown(name) && !is_unknown(file) ? json_get(from, name) : NULL;
    if (!json_is(found, JSON_OBJECT)) {
        const char *text = arena_printf(c->r->arena, "extends %s%s%s, which is not among the files given", name != NULL ? plain(c->r->arena, name) : "?",
                                        file != NULL ? " of " : "", file != NULL ? plain(c->r->arena, file) : "");
        return reading_gap(c->r, how->offset, "$.services", text, err);
    }
    if (extend(c, from, found, depth + 1, &base, err) != 0)
        return -1;
    return merge(c->r->arena, "", &base, service, out, err);
}

/* ---- services ------------------------------------------------------------------------------- */

static bool is_active(const struct reading *r, const struct json *service)
{
    const struct json *profiles = json_get(service, "profiles");

    if (r->in->n_profiles == 0 || json_len(profiles) == 0)
        return true;
    for (uint32_t i = 0; i < json_len(profiles); i++) {
        for (size_t k = 0; k < r->in->n_profiles; k++) {
            if (str_eq(json_str(json_at(profiles, i), ""), r->in->profiles[k]))
                return true;
        }
    }
    return false;
}

static int read_service(struct composing *c, const char *name, const struct json *given, struct err *err)
{
    struct arena *a = c->r->arena;
    struct json *service = arena_alloc(a, sizeof *service);
    struct box *box = arena_alloc(a, sizeof *box);
    const char *path = path_join(a, "$.services", name);

    if (service == NULL || box == NULL || path == NULL)
        return err_nomem(err);
    if (!json_is(given, JSON_OBJECT))
        return reading_refuse(c->r, given->offset, "a service is a mapping", err);
    if (extend(c, json_get(&c->merged, "services"), given, 0, service, err) != 0)
        return -1;
    if (!is_active(c->r, service)) {
        c->r->out->n_other++;
        return 0;
    }
    *box = (struct box){ .name = name, .path = path, .at = given->offset };
    if (compose_box(a, &c->merged, service, box, err) != 0)
        return -1;
    return reading_box(c->r, CONFIG_COMPOSE, arena_printf(a, "service %s", name), box, err);
}

/* ---- the files --------------------------------------------------------------------------------- */

static int check_root(struct composing *c, const struct json *root, struct err *err)
{
    if (!json_is(root, JSON_OBJECT))
        return reading_refuse(c->r, root->offset, "a Compose file is a mapping", err);
    const struct json *services = json_get(root, "services");
    if (services != NULL && services->type != JSON_OBJECT && services->type != JSON_NULL)
        return reading_refuse(c->r, services->offset, "services is not a mapping", err);
    for (uint32_t i = 0; services == NULL && i < root->n; i++) {
        const struct json *v = &root->members[i].value;
        if (json_get(v, "image") != NULL || json_get(v, "build") != NULL)
            return reading_refuse(c->r, v->offset, "a Compose file of version 1 (services at the top level): no tool runs these any more; "
                                  "put them under `services:`", err);
    }
    if (services == NULL && json_get(root, "include") == NULL)
        return reading_refuse(c->r, root->offset, "a Compose file without `services:`", err);
    return 0;
}

static int note_include(struct composing *c, struct err *err)
{
    const struct json *include = json_get(&c->merged, "include");

    if (include == NULL || include->type == JSON_NULL)
        return 0;
    return reading_gap(c->r, include->offset, "$.include", "include: the files named here are not read; check them, too", err);
}

int read_compose(struct reading *r, struct err *err)
{
    struct composing c = { .r = r };
    struct json *parts = arena_array(r->arena, r->n_parts, sizeof *parts), next;

    if (parts == NULL)
        return err_nomem(err);
    c.parts = parts;
    if (env_file_read(r->arena, r->in->env, &c.env, err) != 0)
        return -1;
    for (size_t i = 0; i < r->n_parts; i++) {
        if (check_root(&c, r->parts[i].root, err) != 0 || tree_copy(r->arena, r->parts[i].root, 0, false, fill_scalar, &c, &parts[i], err) != 0)
            return -1;
        if (i > 0 && merge(r->arena, "", &c.merged, &parts[i], &next, err) != 0)
            return -1;
        c.merged = i > 0 ? next : parts[i];
    }
    const struct json *services = json_get(&c.merged, "services");
    if (json_n_members(services) > SERVICES_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d services", SERVICES_MAX);
    for (uint32_t i = 0; i < json_n_members(services); i++) {
        if (read_service(&c, services->members[i].key, &services->members[i].value, err) != 0)
            return -1;
    }
    return note_include(&c, err);
}
