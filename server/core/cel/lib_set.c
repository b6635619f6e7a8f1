/* lib_set.c - lists as sets (cel-go ext: sets). */
#include "core/cel/internal.h"

/* 1 every item of `b` is in `a` (any: at least one), 0 not, -1 *bad. */
static int contained(struct cel_run *run, const struct cel_value *a, const struct cel_value *b, bool any,
                     struct cel_value *bad)
{
    for (uint32_t i = 0, n = cel_size(b); i < n; i++) {
        struct cel_value item = cel_at(run, b, i);
        struct cel_value in = is_bad(item) ? item : operate(run, BIN_IN, &item, a);
        if (is_bad(in)) {
            *bad = in;
            return -1;
        }
        if (in.boolean == any)
            return any;
    }
    return !any;
}

static struct cel_value answer(int is, struct cel_value bad)
{
    return is < 0 ? bad : cel_bool(is);
}

static struct cel_value contains(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_value bad = { 0 };

    (void)n;
    int is = contained(run, &a[0], &a[1], false, &bad);
    return answer(is, bad);
}

static struct cel_value equivalent(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_value bad = { 0 };

    (void)n;
    int is = contained(run, &a[0], &a[1], false, &bad);
    if (is > 0)
        is = contained(run, &a[1], &a[0], false, &bad);
    return answer(is, bad);
}

static struct cel_value intersects(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_value bad = { 0 };

    (void)n;
    int is = contained(run, &a[0], &a[1], true, &bad);
    return answer(is, bad);
}

static const struct cel_function functions[] = {
    FN("sets.contains", 2, K_BOOL, contains, K_LIST, K_LIST),
    FN("sets.equivalent", 2, K_BOOL, equivalent, K_LIST, K_LIST),
    FN("sets.intersects", 2, K_BOOL, intersects, K_LIST, K_LIST),
};

const struct cel_library lib_set = { functions, N_ITEMS(functions) };
