/* policy_pss.c - podSecurity(object, level, version): the Pod Security Standards
 * as a function of the expression language.
 *
 * Gives a list of violations, each with `check`, `reason`, `detail`, `path` and
 * `message`; an empty list for what bears no pod.  Level and version are texts
 * ('baseline', 'latest'); others are errors. */
#include "core/policy_internal.h"

#include "core/pss/pss.h"

#include <string.h>

static struct cel_value violation_get(struct cel_run *run, const void *self, const char *key, uint32_t len)
{
    const struct pss_violation *v = self;
    const struct { const char *key, *value; } members[] = {
        { "check", v->id }, { "reason", v->reason }, { "detail", v->detail }, { "path", v->n_places > 0 ? v->places[0].path : "" },
    };

    for (size_t i = 0; i < N_ITEMS(members); i++) {
        if (strlen(members[i].key) == len && memcmp(members[i].key, key, len) == 0)
            return cel_text(members[i].value);
    }
    if (len != strlen("message") || memcmp(key, "message", len) != 0)
        return (struct cel_value){ 0 };
    const char *text = v->detail[0] == '\0' ? v->reason : arena_printf(cel_arena(run), "%s (%s)", v->reason, v->detail);
    return text != NULL ? cel_text(text) : cel_fail(run, "out of memory");
}

static struct cel_value violation_key(struct cel_run *run, const void *self, uint32_t i)
{
    static const char *const keys[] = { "check", "reason", "detail", "path", "message" };

    (void)run, (void)self;
    return cel_text(keys[i < N_ITEMS(keys) ? i : 0]);
}
static const struct cel_class violation_class = { "podSecurity", violation_get, violation_key };

const char *policy_violation_path(const struct cel_value *item)
{
    bool is = item->kind == CEL_MAP && item->form == CEL_OBJECT && item->object->cls == &violation_class;
    const struct pss_violation *v = is ? item->object->self : NULL;

    return v != NULL && v->n_places > 0 ? v->places[0].path : NULL;
}

static struct cel_value as_list(struct cel_run *run, const struct pss_violation *v, size_t n)
{
    struct cel_object *objects = arena_array(cel_arena(run), n, sizeof *objects);
    struct cel_value *items = arena_array(cel_arena(run), n, sizeof *items);

    if (objects == NULL || items == NULL)
        return cel_fail(run, "out of memory");
    for (size_t i = 0; i < n; i++) {
        objects[i] = (struct cel_object){ &violation_class, &v[i], 5 };
        items[i] = cel_object_map(&objects[i]);
    }
    return cel_list(items, n);
}

static const char *text_of(struct cel_run *run, const struct cel_value *v)
{
    return arena_strndup(cel_arena(run), v->s, v->n);
}

static struct cel_value pod_security(struct cel_run *run, const struct cel_value *args, uint32_t n_args)
{
    struct pss_violation *v;
    struct err err = { 0 };
    enum pss_level level;
    size_t n;
    int minor;

    (void)n_args;
    if (args[0].form != CEL_JSON || !cel_pay(run, 2000))
        return cel_fail(run, "podSecurity needs an object as it was sent");
    const char *level_text = text_of(run, &args[1]), *version = text_of(run, &args[2]);
    if (level_text == NULL || version == NULL)
        return cel_fail(run, "out of memory");
    if (!pss_level_from_text(level_text, &level))
        return cel_fail(run, "podSecurity knows privileged, baseline and restricted, not '%.40s'", level_text);
    if (!pss_version_from_text(version, &minor))
        return cel_fail(run, "podSecurity knows 'latest' and versions like 'v1.30', not '%.40s'", version);
    if (pss_check(args[0].json, level, minor, cel_arena(run), &v, &n, &err) != 0)
        return cel_fail(run, "%s", err.msg);
    return as_list(run, v, n);
}

const struct cel_function policy_functions[] = {
    { .name = "podSecurity", .n_args = 3, .kinds = { CEL_K(CEL_MAP), CEL_K(CEL_STRING), CEL_K(CEL_STRING) },
      .gives = CEL_K(CEL_LIST), .call = pod_security, .impure = true },
};
const uint32_t n_policy_functions = N_ITEMS(policy_functions);
