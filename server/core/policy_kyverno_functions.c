/* policy_kyverno_functions.c - the functions Kyverno adds to the language that
 * need neither cluster nor network. */
#include "core/policy_internal.h"

#include <string.h>

struct account { const char *name, *namespace; };

static struct cel_value account_get(struct cel_run *run, const void *self, const char *key, uint32_t len)
{
    const struct account *a = self;

    (void)run;
    if (len == 4 && memcmp(key, "Name", 4) == 0)
        return cel_text(a->name);
    return len == 9 && memcmp(key, "Namespace", 9) == 0 ? cel_text(a->namespace) : (struct cel_value){ 0 };
}
static const struct cel_class account_class = { "ServiceAccount", account_get, NULL };

/* "system:serviceaccount:NAMESPACE:NAME"; both empty for anybody else. */
static struct cel_value parse_service_account(struct cel_run *run, const struct cel_value *args, uint32_t n)
{
    static const char prefix[] = "system:serviceaccount:";
    struct arena *arena = cel_arena(run);
    struct account *a = arena_alloc(arena, sizeof *a);
    struct cel_object *o = arena_alloc(arena, sizeof *o);
    const char *text = arena_strndup(arena, args[0].s, args[0].n);

    (void)n;
    if (a == NULL || o == NULL || text == NULL)
        return cel_fail(run, "out of memory");
    *a = (struct account){ "", "" };
    const char *rest = str_starts(text, prefix) ? text + sizeof prefix - 1 : "", *colon = strchr(rest, ':');
    if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        a->namespace = arena_strndup(arena, rest, (size_t)(colon - rest));
        a->name = colon + 1;
        if (a->namespace == NULL)
            return cel_fail(run, "out of memory");
    }
    *o = (struct cel_object){ &account_class, a, 0 };
    return cel_object_map(o);
}

const struct cel_function policy_kyverno_functions[] = {
    { .name = "parseServiceAccount", .n_args = 1, .kinds = { CEL_K(CEL_STRING) }, .gives = CEL_K(CEL_MAP), .call = parse_service_account },
};
const uint32_t n_policy_kyverno_functions = N_ITEMS(policy_kyverno_functions);
