/* lib_aggregate.c - what Kubernetes adds to lists: sum, min, max, isSorted,
 * indexOf, lastIndexOf, includes. */
#include "core/cel/internal.h"

static struct cel_value sum(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    uint32_t size = cel_size(a);
    struct cel_value total = cel_int(0);

    (void)n;
    for (uint32_t i = 0; i < size; i++) {
        struct cel_value v = cel_at(run, a, i);
        if (is_bad(v))
            return v;
        if (!is_kind(v, CEL_NUMBER | K_DURATION))
            return cel_fail(run, "sum wants numbers or durations, found %s", cel_kind_name((enum cel_kind)v.kind));
        total = i == 0 ? v : operate(run, BIN_ADD, &total, &v);
        if (is_bad(total) || !cel_pay(run, 1))
            return total;
    }
    return total;
}

/* Walks the list once: `wanted` is the order a new item must have to be taken. */
static struct cel_value extreme(struct cel_run *run, const struct cel_value *a, int wanted)
{
    struct cel_value found = { 0 };

    for (uint32_t i = 0, size = cel_size(a); i < size; i++) {
        struct cel_value v = cel_at(run, a, i);
        int order = wanted;
        if (is_bad(v))
            return v;
        if (i > 0 && !value_compare(&v, &found, &order))
            return no_overload(run, wanted > 0 ? "max" : "min", (struct cel_value[]){ v, found }, 2);
        if (order == wanted)
            found = v;
        if (!cel_pay(run, 1 + (v.kind == CEL_STRING ? v.n / 16 : 0)))
            return run_stopped(run);
    }
    return found.kind != CEL_ABSENT ? found : cel_fail(run, "%s of an empty list", wanted > 0 ? "max" : "min");
}

static struct cel_value do_min(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return extreme(run, a, -1);
}

static struct cel_value do_max(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return extreme(run, a, 1);
}

static struct cel_value is_sorted(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_value before = { 0 };

    (void)n;
    for (uint32_t i = 0, size = cel_size(a); i < size; i++) {
        struct cel_value v = cel_at(run, a, i);
        int order = 0;
        if (is_bad(v))
            return v;
        if (i > 0 && !value_compare(&before, &v, &order))
            return no_overload(run, "isSorted", (struct cel_value[]){ before, v }, 2);
        if (order > 0)
            return cel_bool(false);
        before = v;
        if (!cel_pay(run, 1 + (v.kind == CEL_STRING ? v.n / 16 : 0)))
            return run_stopped(run);
    }
    return cel_bool(true);
}

static struct cel_value position(struct cel_run *run, const struct cel_value *a, bool last)
{
    uint32_t size = cel_size(a);

    for (uint32_t i = 0; i < size; i++) {
        uint32_t at = last ? size - 1 - i : i;
        struct cel_value v = cel_at(run, a, at);
        if (is_bad(v))
            return v;
        if (value_equal(run, &v, &a[1]))
            return cel_int(at);
        if (run->budget < 0)
            return run_stopped(run);
    }
    return cel_int(-1);
}

static struct cel_value index_of(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return position(run, a, false);
}

static struct cel_value last_index_of(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return position(run, a, true);
}

static struct cel_value includes(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return operate(run, a->kind == CEL_LIST ? BIN_IN : BIN_EQ, a->kind == CEL_LIST ? &a[1] : a,
                   a->kind == CEL_LIST ? a : &a[1]);
}

static const struct cel_function functions[] = {
    METHOD("sum", 1, CEL_NUMBER | K_DURATION, sum, K_LIST),
    { .name = "min", .method = true, .n_args = 1, .kinds = { K_LIST }, .call = do_min, .rule = CEL_GIVES_ITEM },
    { .name = "max", .method = true, .n_args = 1, .kinds = { K_LIST }, .call = do_max, .rule = CEL_GIVES_ITEM },
    METHOD("isSorted", 1, K_BOOL, is_sorted, K_LIST),
    METHOD("indexOf", 2, K_INT, index_of, K_LIST, CEL_ANY),
    METHOD("lastIndexOf", 2, K_INT, last_index_of, K_LIST, CEL_ANY),
    METHOD("includes", 2, K_BOOL, includes, CEL_ANY, CEL_ANY),
};

const struct cel_library lib_aggregate = { functions, N_ITEMS(functions) };
