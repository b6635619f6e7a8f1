/* lib_optional.c - optional values (cel-go OptionalTypes).  or and orValue only
 * evaluate their argument when it is needed: see eval.c. */
#include "core/cel/internal.h"

static struct cel_value of(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return run_optional(run, *a);
}

static struct cel_value of_non_zero(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return value_is_zero(a) ? optional_none() : run_optional(run, *a);
}

static struct cel_value none(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)a, (void)n;
    return optional_none();
}

static struct cel_value has_value(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_bool(a->some != NULL);
}

static struct cel_value value(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return a->some != NULL ? *a->some : cel_fail(run, "optional.none() has no value");
}

static struct cel_value or_else(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return a[0].some != NULL ? a[0] : a[1];
}

static struct cel_value or_value(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return a[0].some != NULL ? *a[0].some : a[1];
}

static struct cel_value unwrap(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_items out = { 0 };

    (void)n;
    for (uint32_t i = 0, size = cel_size(a); i < size; i++) {
        struct cel_value v = cel_at(run, a, i);
        if (is_bad(v))
            return v;
        if (v.kind != CEL_OPTIONAL)
            return cel_fail(run, "expected optional values, found %s", cel_kind_name((enum cel_kind)v.kind));
        if (!cel_pay(run, 1) || (v.some != NULL && !items_add(run, &out, *v.some)))
            return run_stopped(run);
    }
    return cel_list(out.ptr, out.n);
}

static const struct cel_function functions[] = {
    { .name = "optional.of", .n_args = 1, .kinds = { CEL_ANY }, .call = of, .rule = CEL_GIVES_OPTIONAL },
    { .name = "optional.ofNonZeroValue", .n_args = 1, .kinds = { CEL_ANY }, .call = of_non_zero,
      .rule = CEL_GIVES_OPTIONAL },
    FN("optional.none", 0, K_OPTIONAL, none, 0),
    FN("optional.unwrap", 1, K_LIST, unwrap, K_LIST),
    METHOD("unwrapOpt", 1, K_LIST, unwrap, K_LIST),
    METHOD("hasValue", 1, K_BOOL, has_value, K_OPTIONAL),
    { .name = "value", .method = true, .n_args = 1, .kinds = { K_OPTIONAL }, .call = value, .rule = CEL_GIVES_ITEM },
    { .name = "or", .method = true, .n_args = 2, .kinds = { K_OPTIONAL, K_OPTIONAL }, .call = or_else,
      .rule = CEL_GIVES_SAME },
    METHOD("orValue", 2, 0, or_value, K_OPTIONAL, CEL_ANY),
};

const struct cel_library lib_optional = { functions, N_ITEMS(functions) };
