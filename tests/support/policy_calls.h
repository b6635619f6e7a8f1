/* policy_calls.h - compiling and asking policies in unit tests. */
#ifndef KEEP_TESTS_POLICY_CALLS_H
#define KEEP_TESTS_POLICY_CALLS_H

#include "base/str.h"
#include "core/policy.h"
#include "wire/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct asking {
    struct arena arena;
    struct policy *policy;
    struct policy_request target;
    struct policy_input in;
    struct verdict verdict;
};

static inline int asking_open(void **state)
{
    struct asking *t = calloc(1, sizeof *t);

    if (t == NULL)
        abort();
    arena_init(&t->arena, 256 << 20);
    t->in.stage = STAGE_DEPLOY;
    *state = t;
    return 0;
}

static inline int asking_close(void **state)
{
    struct asking *t = *state;

    arena_clear(&t->arena);
    free(t);
    return 0;
}

static inline const struct json *yaml_of(struct asking *t, const char *text)
{
    struct json *doc = arena_alloc(&t->arena, sizeof *doc);
    struct err err;

    if (yaml_parse(&t->arena, text, strlen(text), NULL, doc, &err) != 0)
        fail_msg("%s in %s", err.msg, text);
    return doc;
}

static inline const struct policy_info *compile(struct asking *t, const char *text)
{
    struct err err;

    if (policy_compile(text, strlen(text), &t->arena, NULL, &t->policy, &err) != 0)
        fail_msg("%s", err.msg);
    return policy_info(t->policy);
}

/* The document must be refused, and each of the texts (NULL-terminated) be part of a complaint "PATH: MESSAGE". */
static inline void refused(struct asking *t, const char *text, const char *const *parts)
{
    struct complaints found = { .arena = &t->arena };
    struct policy *p = NULL;
    struct err err = { 0 };

    if (policy_compile(text, strlen(text), &t->arena, &found, &p, &err) == 0)
        fail_msg("accepted: %s", text);
    assert_int_equal(err.kind, ERR_INVALID);
    for (; *parts != NULL; parts++) {
        bool any = strstr(err.msg, *parts) != NULL;
        for (const struct complaint *w = found.first; w != NULL; w = w->next)
            any |= strstr(arena_printf(&t->arena, "%s: %s", w->path, w->message), *parts) != NULL;
        if (!any) {
            for (const struct complaint *w = found.first; w != NULL; w = w->next)
                print_error("%s: %s\n", w->path, w->message);
            fail_msg("not said: %s", *parts);
        }
    }
}
#define REFUSED(t, text, ...) refused(t, text, (const char *const[]){ __VA_ARGS__, NULL })

/* What the policy says to t->in; the verdict stays in t->verdict. */
static inline const char *ask(struct asking *t)
{
    const struct policy *items[] = { t->policy };
    const struct policy_set set = { .items = items, .n = 1, .limits = { INT64_C(604800000), INT64_C(259200000) } };
    struct policy_explanation why;
    struct err err;

    if (verdict_decide(&set, &t->in, &t->arena, &t->verdict, &err) != 0 || policy_explain(&set, &t->in, &t->arena, &why, &err) != 0)
        fail_msg("%s", err.msg);
    return policy_result_words[why.results[0]];
}

/* The same for an object in YAML that is created. */
static inline const char *ask_object(struct asking *t, const char *object)
{
    t->in.object = yaml_of(t, object);
    return ask(t);
}

#endif
