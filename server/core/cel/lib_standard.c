/* lib_standard.c - size, substring tests, type, dyn (langdef "Standard Environment"). */
#include "core/cel/internal.h"

static struct cel_value size_of_text(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return cel_pay(run, a->n / 16) ? cel_int((int64_t)utf8_count(a->s, a->n)) : run_stopped(run);
}

static struct cel_value size_of_bytes(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_int(a->n);
}

static struct cel_value size_of_items(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_int(cel_size(a));
}

static struct cel_value contains(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    if (!cel_pay(run, ((uint64_t)a[0].n / 16 + 1) * (a[1].n / 64 + 1)))
        return run_stopped(run);
    return cel_bool(a[1].n == 0 || memmem(a[0].s, a[0].n, a[1].s, a[1].n) != NULL);
}

static struct cel_value starts_with(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    if (!cel_pay(run, a[1].n / 16))
        return run_stopped(run);
    return cel_bool(a[1].n <= a[0].n && memcmp(a[0].s, a[1].s, a[1].n) == 0);
}

static struct cel_value ends_with(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    if (!cel_pay(run, a[1].n / 16))
        return run_stopped(run);
    return cel_bool(a[1].n <= a[0].n && memcmp(a[0].s + a[0].n - a[1].n, a[1].s, a[1].n) == 0);
}

static struct cel_value type_of(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return value_type(a);
}

static struct cel_value itself(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return *a;
}

static const struct cel_function functions[] = {
    FN("size", 1, K_INT, size_of_text, K_STRING),
    FN("size", 1, K_INT, size_of_bytes, K_BYTES),
    FN("size", 1, K_INT, size_of_items, K_LIST | K_MAP),
    METHOD("size", 1, K_INT, size_of_text, K_STRING),
    METHOD("size", 1, K_INT, size_of_bytes, K_BYTES),
    METHOD("size", 1, K_INT, size_of_items, K_LIST | K_MAP),
    METHOD("contains", 2, K_BOOL, contains, K_STRING, K_STRING),
    METHOD("startsWith", 2, K_BOOL, starts_with, K_STRING, K_STRING),
    METHOD("endsWith", 2, K_BOOL, ends_with, K_STRING, K_STRING),
    FN("type", 1, K_TYPE, type_of, CEL_ANY),
    FN("dyn", 1, 0, itself, CEL_ANY),
};

const struct cel_library lib_standard = { functions, N_ITEMS(functions) };
