/* policy.c - policies of all kinds from any text: compiling is deterministic, says
 * why not, and what was compiled can be asked of anything without harm. */
#include "core/policy_test.h"
#include "wire/yaml.h"

#include <stdlib.h>
#include <string.h>

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* What is asked of every policy that compiles: a pod, a controller that is half one, nothing. */
static const char *const objects[] = {
    "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: n, labels: {a: b}}, spec: {hostPID: true, containers: [{name: c, image: 'a:b', "
    "securityContext: {privileged: true}, env: [{name: X, value: y}]}], volumes: [{name: v, hostPath: {path: /run}}]}}",
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 3, template: {spec: 7}}}", NULL,
};

static bool same_reasons(const struct verdict *a, const struct verdict *b)
{
    check(a->n_reasons == b->n_reasons && a->decision == b->decision && a->n_audited == b->n_audited && a->n_missing == b->n_missing);
    for (size_t i = 0; i < a->n_reasons; i++)
        check(strcmp(a->reasons[i].message, b->reasons[i].message) == 0 && strcmp(a->reasons[i].policy, b->reasons[i].policy) == 0);
    return true;
}

static void ask(const struct policy *p, const struct policy *q, struct arena *arena)
{
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        const struct policy *one[] = { p }, *two[] = { q };
        struct policy_set a = { .items = one, .n = 1 }, b = { .items = two, .n = 1 };
        struct policy_input in = { .stage = STAGE_DEPLOY, .now_ms = 1 };
        struct verdict v, w;
        struct policy_explanation why;
        struct json object;
        struct err err;
        if (objects[i] != NULL) {
            check(yaml_parse(arena, objects[i], strlen(objects[i]), NULL, &object, &err) == 0);
            in.object = &object;
        }
        if (verdict_decide(&a, &in, arena, &v, &err) != 0 || verdict_decide(&b, &in, arena, &w, &err) != 0)
            continue;                                        /* arena full */
        same_reasons(&v, &w);
        check(v.decision == DECISION_PASS ? v.n_reasons == 0 : v.n_reasons > 0);
        if (policy_explain(&a, &in, arena, &why, &err) != 0)
            continue;
        if (why.results[0] == POLICY_SKIP)
            check(v.n_reasons == 0 && why.n == 0);
        if (v.n_reasons > 0)
            check(why.results[0] != POLICY_PASS);
    }
}

static void info_is_consistent(const struct policy_info *info)
{
    check(info->name != NULL && *info->name != '\0' && info->title != NULL);
    check(info->stages != 0 && info->n_stage_list > 0 && info->mode >= 0 && info->mode <= MODE_ENFORCE);
    check(info->kind < POLICY_KIND_N && (info->kind != POLICY_KEEP || info->n_rules > 0));
    check(!info->is_inert || info->note != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena first, second;
    struct policy *p = NULL, *q = NULL;
    struct err err = { 0 }, again = { 0 };

    if (size > 16384)
        return 0;
    arena_init(&first, 64 << 20);
    arena_init(&second, 64 << 20);
    struct complaints found = { .arena = &first };
    int rc = policy_compile(data, size, &first, &found, &p, &err);
    check(rc == policy_compile(data, size, &second, NULL, &q, &again));
    if (rc == 0) {
        info_is_consistent(policy_info(p));
        check(strcmp(policy_info(p)->name, policy_info(q)->name) == 0 && found.n == 0);
        ask(p, q, &first);
    } else {
        check(err.kind == again.kind && strcmp(err.msg, again.msg) == 0 && err.msg[0] != '\0');
        for (const struct complaint *w = found.first; w != NULL; w = w->next)
            check(w->offset <= size && w->message[0] >= '0' && w->message[0] <= '9');     /* LINE:COLUMN: */
    }
    arena_clear(&first);
    arena_clear(&second);
    return 0;
}
