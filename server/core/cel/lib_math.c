/* lib_math.c - the math extension (cel-go ext: math). */
#include "core/cel/internal.h"

#include <math.h>

static struct cel_value best(struct cel_run *run, const struct cel_value *a, uint32_t n, int wanted)
{
    struct cel_value found = { 0 };
    bool list = n == 1 && a->kind == CEL_LIST;
    uint32_t count = list ? cel_size(a) : n;

    for (uint32_t i = 0; i < count; i++) {
        struct cel_value v = list ? cel_at(run, a, i) : a[i];
        int order = 0;
        if (is_bad(v))
            return v;
        if (!is_kind(v, CEL_NUMBER))
            return cel_fail(run, "expected numbers, found %s", cel_kind_name((enum cel_kind)v.kind));
        if (i == 0 || (value_compare(&v, &found, &order) && order == wanted))
            found = v;
        if (!cel_pay(run, 1))
            return run_stopped(run);
    }
    return count == 0 ? cel_fail(run, "expected at least one number") : found;
}

static struct cel_value greatest(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    return best(run, a, n, 1);
}

static struct cel_value least(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    return best(run, a, n, -1);
}

#define DOUBLE_FN(name, expr)                                                             \
    static struct cel_value name(struct cel_run *run, const struct cel_value *a, uint32_t n) \
    {                                                                                     \
        (void)run, (void)n;                                                               \
        return expr;                                                                      \
    }

DOUBLE_FN(do_ceil, cel_double(ceil(a->d)))
DOUBLE_FN(do_floor, cel_double(floor(a->d)))
DOUBLE_FN(do_round, cel_double(round(a->d)))
DOUBLE_FN(do_trunc, cel_double(trunc(a->d)))
DOUBLE_FN(do_is_nan, cel_bool(isnan(a->d)))
DOUBLE_FN(do_is_inf, cel_bool(isinf(a->d)))
DOUBLE_FN(do_is_finite, cel_bool(isfinite(a->d)))
DOUBLE_FN(do_sqrt, cel_double(sqrt(a->kind == CEL_INT ? (double)a->i : a->kind == CEL_UINT ? (double)a->u : a->d)))

static struct cel_value do_abs(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    if (a->kind == CEL_DOUBLE)
        return cel_double(fabs(a->d));
    if (a->kind == CEL_INT && a->i < 0)
        return value_negate(run, *a);
    return *a;
}

static struct cel_value do_sign(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    if (a->kind == CEL_INT)
        return cel_int((a->i > 0) - (a->i < 0));
    if (a->kind == CEL_UINT)
        return cel_uint(a->u > 0);
    return isnan(a->d) ? *a : cel_double((a->d > 0) - (a->d < 0));
}

/* The same bits, as what a is. */
static struct cel_value bits(const struct cel_value *a, uint64_t v)
{
    struct cel_value out = cel_uint(v);

    out.kind = a->kind;
    return out;
}

static struct cel_value bit_and(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return bits(a, a[0].u & a[1].u);
}

static struct cel_value bit_or(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return bits(a, a[0].u | a[1].u);
}

static struct cel_value bit_xor(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return bits(a, a[0].u ^ a[1].u);
}

static struct cel_value bit_not(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return bits(a, ~a->u);
}

static struct cel_value shift_left(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    if (a[1].i < 0)
        return cel_fail(run, "negative shift: %lld", (long long)a[1].i);
    return bits(a, a[1].i >= 64 ? 0 : a->u << a[1].i);
}

static struct cel_value shift_right(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    if (a[1].i < 0)
        return cel_fail(run, "negative shift: %lld", (long long)a[1].i);
    return bits(a, a[1].i >= 64 ? 0 : a->u >> a[1].i);
}

static const struct cel_function functions[] = {
    { .name = "math.greatest", .n_args = 1, .any_number = true, .kinds = { CEL_NUMBER | K_LIST }, .gives = CEL_NUMBER,
      .call = greatest },
    { .name = "math.least", .n_args = 1, .any_number = true, .kinds = { CEL_NUMBER | K_LIST }, .gives = CEL_NUMBER,
      .call = least },
    FN("math.ceil", 1, K_DOUBLE, do_ceil, K_DOUBLE),
    FN("math.floor", 1, K_DOUBLE, do_floor, K_DOUBLE),
    FN("math.round", 1, K_DOUBLE, do_round, K_DOUBLE),
    FN("math.trunc", 1, K_DOUBLE, do_trunc, K_DOUBLE),
    FN("math.isNaN", 1, K_BOOL, do_is_nan, K_DOUBLE),
    FN("math.isInf", 1, K_BOOL, do_is_inf, K_DOUBLE),
    FN("math.isFinite", 1, K_BOOL, do_is_finite, K_DOUBLE),
    FN("math.sqrt", 1, K_DOUBLE, do_sqrt, CEL_NUMBER),
    FN("math.abs", 1, K_INT, do_abs, K_INT),
    FN("math.abs", 1, K_UINT, do_abs, K_UINT),
    FN("math.abs", 1, K_DOUBLE, do_abs, K_DOUBLE),
    FN("math.sign", 1, K_INT, do_sign, K_INT),
    FN("math.sign", 1, K_UINT, do_sign, K_UINT),
    FN("math.sign", 1, K_DOUBLE, do_sign, K_DOUBLE),
    FN("math.bitAnd", 2, K_INT, bit_and, K_INT, K_INT),
    FN("math.bitAnd", 2, K_UINT, bit_and, K_UINT, K_UINT),
    FN("math.bitOr", 2, K_INT, bit_or, K_INT, K_INT),
    FN("math.bitOr", 2, K_UINT, bit_or, K_UINT, K_UINT),
    FN("math.bitXor", 2, K_INT, bit_xor, K_INT, K_INT),
    FN("math.bitXor", 2, K_UINT, bit_xor, K_UINT, K_UINT),
    FN("math.bitNot", 1, K_INT, bit_not, K_INT),
    FN("math.bitNot", 1, K_UINT, bit_not, K_UINT),
    FN("math.bitShiftLeft", 2, K_INT, shift_left, K_INT, K_INT),
    FN("math.bitShiftLeft", 2, K_UINT, shift_left, K_UINT, K_INT),
    FN("math.bitShiftRight", 2, K_INT, shift_right, K_INT, K_INT),
    FN("math.bitShiftRight", 2, K_UINT, shift_right, K_UINT, K_INT),
};

const struct cel_library lib_math = { functions, N_ITEMS(functions) };
