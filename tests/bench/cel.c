/* cel.c - nanoseconds per evaluation of a few policy expressions over an admission
 * review, beside the same check written by hand in C over the same JSON value. */
#include "core/cel/cel.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char review[] =
    "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"7a1\",\"operation\":\"CREATE\","
    "\"namespace\":\"shop\",\"userInfo\":{\"username\":\"system:serviceaccount:ci:deployer\",\"groups\":[\"a\",\"b\"]},"
    "\"object\":{\"metadata\":{\"name\":\"cart\",\"labels\":{\"app\":\"cart\",\"team\":\"checkout\",\"tier\":\"web\"}},"
    "\"spec\":{\"hostNetwork\":false,\"securityContext\":{\"runAsNonRoot\":true,\"seccompProfile\":{\"type\":\"RuntimeDefault\"}},"
    "\"containers\":[{\"name\":\"cart\",\"image\":\"registry.example.com/shop/cart:1.4.2\",\"securityContext\":"
    "{\"privileged\":false,\"allowPrivilegeEscalation\":false,\"capabilities\":{\"drop\":[\"ALL\"]}},"
    "\"resources\":{\"limits\":{\"memory\":\"512Mi\",\"cpu\":\"500m\"}}},"
    "{\"name\":\"proxy\",\"image\":\"registry.example.com/mesh/proxy:2.0\",\"securityContext\":"
    "{\"privileged\":false,\"allowPrivilegeEscalation\":false,\"capabilities\":{\"drop\":[\"ALL\"],\"add\":[\"NET_BIND_SERVICE\"]}},"
    "\"resources\":{\"limits\":{\"memory\":\"128Mi\",\"cpu\":\"100m\"}}}]}}}}";

static const struct json *containers_of(const struct json *object)
{
    return json_path(object, "spec.containers");
}

static bool privileged(const struct json *object)
{
    const struct json *all = containers_of(object);

    for (uint32_t i = 0; i < json_len(all); i++) {
        if (json_bool(json_path(json_at(all, i), "securityContext.privileged"), false))
            return false;
    }
    return true;
}

static bool registry(const struct json *object)
{
    const struct json *all = containers_of(object);

    for (uint32_t i = 0; i < json_len(all); i++) {
        const char *image = json_get_str(json_at(all, i), "image", "");
        if (!str_starts(image, "registry.example.com/") || str_ends(image, ":latest"))
            return false;
    }
    return true;
}

static bool drops_all(const struct json *object)
{
    const struct json *all = containers_of(object);

    for (uint32_t i = 0; i < json_len(all); i++) {
        const struct json *drop = json_path(json_at(all, i), "securityContext.capabilities.drop");
        bool found = false;
        for (uint32_t j = 0; j < json_len(drop); j++)
            found |= str_eq(json_str(json_at(drop, j), NULL), "ALL");
        if (!found)
            return false;
    }
    return true;
}

static bool has_labels(const struct json *object)
{
    const struct json *labels = json_path(object, "metadata.labels");

    return json_get(labels, "team") != NULL && json_get(labels, "app") != NULL;
}

static bool one_field(const struct json *object)
{
    return !json_bool(json_path(object, "spec.hostNetwork"), false);
}

static const struct {
    const char *name, *expr;
    bool (*by_hand)(const struct json *object);
} rows[] = {
    { "one field", "!object.spec.hostNetwork", one_field },
    { "two labels", "has(object.metadata.labels.team) && has(object.metadata.labels.app)", has_labels },
    { "no privileged container", "object.spec.containers.all(c, !has(c.securityContext) || "
      "!has(c.securityContext.privileged) || !c.securityContext.privileged)", privileged },
    { "the same, optional", "object.spec.containers.all(c, !c.?securityContext.privileged.orValue(false))", privileged },
    { "registry and tag", "object.spec.containers.all(c, c.image.startsWith('registry.example.com/') && "
      "!c.image.endsWith(':latest'))", registry },
    { "drops ALL", "object.spec.containers.all(c, 'ALL' in c.securityContext.capabilities.drop)", drops_all },
    { "pattern", "object.spec.containers.all(c, c.image.matches('^registry\\\\.example\\\\.com/[a-z/]+:[0-9.]+$'))", NULL },
    { "quantity", "object.spec.containers.all(c, quantity(c.resources.limits.memory)"
      ".isLessThan(quantity('1Gi')))", NULL },
    { "missing fact", "image.scan.critical == 0 || object.spec.hostNetwork", NULL },
};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

enum { ROUNDS = 100000 };

static double bench_cel(const struct cel_program *p, const struct cel_value *values, struct arena *scratch)
{
    struct cel_activation act = { .values = values };
    struct cel_value v;
    struct err err;
    double from = now_ns();

    for (int i = 0; i < ROUNDS; i++) {
        arena_reset(scratch);
        if (cel_eval(p, &act, scratch, CEL_BUDGET, &v, &err) != 0)
            exit(1);
    }
    return (now_ns() - from) / ROUNDS;
}

static double bench_hand(bool (*check)(const struct json *), const struct json *object)
{
    volatile unsigned passed = 0;
    double from = now_ns();

    for (int i = 0; i < ROUNDS; i++)
        passed += check(object);
    double ns = (now_ns() - from) / ROUNDS;
    return passed <= ROUNDS ? ns : 0;
}

static double bench_compile(const struct cel_env *env, const char *expr, struct arena *scratch)
{
    const struct cel_program *p;
    struct err err;
    double from = now_ns();

    for (int i = 0; i < ROUNDS / 100; i++) {
        arena_reset(scratch);
        if (cel_compile(env, expr, strlen(expr), scratch, &p, &err) != 0)
            exit(1);
    }
    return (now_ns() - from) / (ROUNDS / 100);
}

int main(void)
{
    static const struct cel_var vars[] = { { "object", NULL }, { "image", NULL } };
    static const struct cel_env env = { .vars = vars, .n_vars = 2 };
    struct arena arena, scratch;
    struct json doc;
    struct err err = { 0 };

    arena_init(&arena, 64u * 1024 * 1024);
    arena_init(&scratch, 64u * 1024 * 1024);
    if (json_parse(&arena, review, sizeof review - 1, NULL, &doc, &err) != 0)
        return fprintf(stderr, "%s\n", err.msg), 1;
    const struct json *object = json_path(&doc, "request.object");
    struct cel_value values[] = { cel_json(object), cel_missing(&arena, "image facts") };
    printf("%-26s %12s %12s %8s %14s\n", "expression", "eval ns", "by hand ns", "ratio", "compile ns");
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        const struct cel_program *p;
        if (cel_compile(&env, rows[i].expr, strlen(rows[i].expr), &arena, &p, &err) != 0)
            return fprintf(stderr, "%s\n", err.msg), 1;
        double ns = bench_cel(p, values, &scratch), compile = bench_compile(&env, rows[i].expr, &scratch);
        double hand = rows[i].by_hand != NULL ? bench_hand(rows[i].by_hand, object) : 0;
        if (hand > 0)
            printf("%-26s %12.0f %12.0f %8.1f %14.0f\n", rows[i].name, ns, hand, ns / hand, compile);
        else
            printf("%-26s %12.0f %12s %8s %14.0f\n", rows[i].name, ns, "-", "-", compile);
    }
    arena_clear(&arena);
    arena_clear(&scratch);
    return 0;
}
