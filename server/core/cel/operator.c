/* operator.c - arithmetic with overflow as an error, order, membership
 * (langdef "Arithmetic Operators", "Comparison Operators", "Overflow").
 *
 * int, uint and double are compared on one number line; like the reference
 * implementations, an integer beside a double is compared as the nearest
 * double when the double is within the integer's range. */
#include "core/cel/internal.h"

#include <math.h>

static const char *const names[BIN_N] = {
    [BIN_ADD] = "+", [BIN_SUB] = "-", [BIN_MUL] = "*", [BIN_DIV] = "/", [BIN_MOD] = "%", [BIN_EQ] = "==",
    [BIN_NE] = "!=", [BIN_LT] = "<", [BIN_LE] = "<=", [BIN_GT] = ">", [BIN_GE] = ">=", [BIN_IN] = "in",
};

const char *operator_name(enum cel_binary op)
{
    return names[op];
}

static struct cel_value overflow(struct cel_run *run, const char *type)
{
    return cel_fail(run, "%s overflow", type);
}

/* ---- order -------------------------------------------------------------------------------------- */

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

static int order_double(double a, double b)
{
    return isnan(a) || isnan(b) ? 2 : ORDER(a, b);
}

static int order_int_double(int64_t i, double d)
{
    return isnan(d) ? 2 : d < -0x1p63 ? 1 : d > 0x1p63 ? -1 : order_double((double)i, d);
}

static int order_uint_double(uint64_t u, double d)
{
    return isnan(d) ? 2 : d < 0 ? 1 : d > 0x1p64 ? -1 : order_double((double)u, d);
}

static int order_int_uint(int64_t i, uint64_t u)
{
    return i < 0 || u > INT64_MAX ? -1 : ORDER(i, (int64_t)u);
}

static int reversed(int order)
{
    return order == 2 ? 2 : -order;
}

static int order_numbers(const struct cel_value *a, const struct cel_value *b)
{
    switch ((enum cel_kind)a->kind) {
    case CEL_INT:
        return b->kind == CEL_INT ? ORDER(a->i, b->i) : b->kind == CEL_UINT ? order_int_uint(a->i, b->u) :
               order_int_double(a->i, b->d);
    case CEL_UINT:
        return b->kind == CEL_UINT ? ORDER(a->u, b->u) : b->kind == CEL_INT ? reversed(order_int_uint(b->i, a->u)) :
               order_uint_double(a->u, b->d);
    default:
        return b->kind == CEL_DOUBLE ? order_double(a->d, b->d) :
               b->kind == CEL_INT ? reversed(order_int_double(b->i, a->d)) : reversed(order_uint_double(b->u, a->d));
    }
}

static int order_bytes(const struct cel_value *a, const struct cel_value *b)
{
    uint32_t n = a->n < b->n ? a->n : b->n;
    int c = n > 0 ? memcmp(a->s, b->s, n) : 0;

    return c != 0 ? ORDER(c, 0) : ORDER(a->n, b->n);
}

bool value_compare(const struct cel_value *a, const struct cel_value *b, int *order)
{
    if (is_kind(*a, CEL_NUMBER) && is_kind(*b, CEL_NUMBER)) {
        *order = order_numbers(a, b);
        return true;
    }
    if (a->kind != b->kind)
        return false;
    switch ((enum cel_kind)a->kind) {
    case CEL_BOOL:
        *order = ORDER(a->boolean, b->boolean);
        return true;
    case CEL_STRING: case CEL_BYTES:
        *order = order_bytes(a, b);
        return true;
    case CEL_TIMESTAMP:
        *order = a->i != b->i ? ORDER(a->i, b->i) : ORDER(a->n, b->n);
        return true;
    case CEL_DURATION:
        *order = ORDER(a->i, b->i);
        return true;
    case CEL_IP: case CEL_CIDR: case CEL_URL: case CEL_QUANTITY: case CEL_SEMVER: case CEL_FORMAT:
        *order = opaque_compare(a, b);
        return true;
    default:
        return false;
    }
}

static struct cel_value compare(struct cel_run *run, enum cel_binary op, const struct cel_value *a,
                                const struct cel_value *b)
{
    const uint32_t ordered = CEL_NUMBER | K_BOOL | K_STRING | K_BYTES | K_TIME | K_DURATION;
    int order = 2;

    if (!is_kind(*a, ordered) || !value_compare(a, b, &order))
        return no_overload(run, names[op], (struct cel_value[]){ *a, *b }, 2);
    if ((a->kind == CEL_STRING || a->kind == CEL_BYTES) && !cel_pay(run, (a->n < b->n ? a->n : b->n) / 16))
        return run_stopped(run);
    switch (op) {
    case BIN_LT: return cel_bool(order == -1);
    case BIN_LE: return cel_bool(order == -1 || order == 0);
    case BIN_GT: return cel_bool(order == 1);
    default:     return cel_bool(order == 1 || order == 0);
    }
}

static struct cel_value member(struct cel_run *run, const struct cel_value *item, const struct cel_value *in)
{
    if (in->kind == CEL_LIST) {
        for (uint32_t i = 0, n = cel_size(in); i < n; i++) {
            struct cel_value v = cel_at(run, in, i);
            if (is_bad(v))
                return v;
            if (value_equal(run, item, &v))
                return cel_bool(true);
            if (run->budget < 0)
                return run_stopped(run);
        }
        return cel_bool(false);
    }
    struct cel_value key = number_key(*item);
    if (in->kind != CEL_MAP || (!is_map_key(&key) && key.kind != CEL_DOUBLE))
        return no_overload(run, "in", (struct cel_value[]){ *item, *in }, 2);
    struct cel_value v = cel_get(run, in, &key);
    return v.kind == CEL_ABSENT ? cel_bool(false) : is_bad(v) ? v : cel_bool(true);
}

/* ---- arithmetic ------------------------------------------------------------------------------------ */

static struct cel_value int_math(struct cel_run *run, enum cel_binary op, int64_t a, int64_t b)
{
    int64_t r = 0;
    bool over = false;

    if ((op == BIN_DIV || op == BIN_MOD) && b == 0)
        return cel_fail(run, op == BIN_DIV ? "division by zero" : "modulus by zero");
    switch (op) {
    case BIN_ADD: over = __builtin_add_overflow(a, b, &r); break;
    case BIN_SUB: over = __builtin_sub_overflow(a, b, &r); break;
    case BIN_MUL: over = __builtin_mul_overflow(a, b, &r); break;
    default:
        over = a == INT64_MIN && b == -1;
        r = over ? 0 : op == BIN_DIV ? a / b : a % b;
    }
    return over ? overflow(run, "int") : cel_int(r);
}

static struct cel_value uint_math(struct cel_run *run, enum cel_binary op, uint64_t a, uint64_t b)
{
    uint64_t r = 0;
    bool over = false;

    if ((op == BIN_DIV || op == BIN_MOD) && b == 0)
        return cel_fail(run, op == BIN_DIV ? "division by zero" : "modulus by zero");
    switch (op) {
    case BIN_ADD: over = __builtin_add_overflow(a, b, &r); break;
    case BIN_SUB: over = __builtin_sub_overflow(a, b, &r); break;
    case BIN_MUL: over = __builtin_mul_overflow(a, b, &r); break;
    default: r = op == BIN_DIV ? a / b : a % b;
    }
    return over ? overflow(run, "uint") : cel_uint(r);
}

static struct cel_value double_math(enum cel_binary op, double a, double b)
{
    switch (op) {
    case BIN_ADD: return cel_double(a + b);
    case BIN_SUB: return cel_double(a - b);
    case BIN_MUL: return cel_double(a * b);
    default:      return cel_double(a / b);
    }
}

static struct cel_value duration_math(struct cel_run *run, enum cel_binary op, int64_t a, int64_t b)
{
    int64_t r;
    bool over = op == BIN_ADD ? __builtin_add_overflow(a, b, &r) : __builtin_sub_overflow(a, b, &r);

    return over ? overflow(run, "duration") : cel_duration(r);
}

#define NANOS INT64_C(1000000000)

static struct cel_value move_time(struct cel_run *run, const struct cel_value *t, int64_t by, bool back)
{
    int64_t seconds = by / NANOS, nanos = by % NANOS;

    if (back) {
        seconds = -seconds;
        nanos = -nanos;
    }
    seconds += t->i;
    nanos += t->n;
    if (nanos < 0 || nanos >= NANOS) {
        seconds += nanos < 0 ? -1 : 1;
        nanos += nanos < 0 ? NANOS : -NANOS;
    }
    if (seconds < TIMESTAMP_MIN || seconds > TIMESTAMP_MAX)
        return overflow(run, "timestamp");
    return cel_timestamp(seconds, (uint32_t)nanos);
}

static struct cel_value time_difference(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
    int64_t nanos;

    if (__builtin_mul_overflow(a->i - b->i, NANOS, &nanos) ||
        __builtin_add_overflow(nanos, (int64_t)a->n - (int64_t)b->n, &nanos))
        return overflow(run, "duration");
    return cel_duration(nanos);
}

static struct cel_value time_math(struct cel_run *run, enum cel_binary op, const struct cel_value *a,
                                  const struct cel_value *b)
{
    bool add = op == BIN_ADD;

    if ((!add && op != BIN_SUB) || !is_kind(*b, K_TIME | K_DURATION))
        return no_overload(run, names[op], (struct cel_value[]){ *a, *b }, 2);
    if (a->kind == CEL_DURATION && b->kind == CEL_DURATION)
        return duration_math(run, op, a->i, b->i);
    if (a->kind == CEL_TIMESTAMP && b->kind == CEL_DURATION)
        return move_time(run, a, b->i, !add);
    if (a->kind == CEL_DURATION && add)
        return move_time(run, b, a->i, false);
    if (a->kind == CEL_TIMESTAMP && b->kind == CEL_TIMESTAMP && !add)
        return time_difference(run, a, b);
    return no_overload(run, names[op], (struct cel_value[]){ *a, *b }, 2);
}

/* ---- concatenation ------------------------------------------------------------------------------------ */

static struct cel_value join_bytes(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
    char *s = run_bytes(run, (size_t)a->n + b->n + 1);

    if (s == NULL)
        return run_stopped(run);
    memcpy(s, a->s, a->n);
    memcpy(s + a->n, b->s, b->n);
    s[a->n + b->n] = '\0';
    struct cel_value v = cel_string(s, (size_t)a->n + b->n);
    v.kind = a->kind;
    return v;
}

static struct cel_value join_lists(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
    uint32_t n = cel_size(a), m = cel_size(b);
    struct cel_value *items = n + m > MAX_ITEMS ? NULL : run_alloc(run, n + m, sizeof *items);

    if (items == NULL)
        return run_stopped(run);
    for (uint32_t i = 0; i < n + m; i++) {
        items[i] = i < n ? cel_at(run, a, i) : cel_at(run, b, i - n);
        if (is_bad(items[i]))
            return items[i];
    }
    return cel_list(items, n + m);
}

static struct cel_value arithmetic(struct cel_run *run, enum cel_binary op, const struct cel_value *a,
                                   const struct cel_value *b)
{
    if (is_kind(*a, K_TIME | K_DURATION))
        return time_math(run, op, a, b);
    if (a->kind == b->kind) {
        if (a->kind == CEL_INT)
            return int_math(run, op, a->i, b->i);
        if (a->kind == CEL_UINT)
            return uint_math(run, op, a->u, b->u);
        if (a->kind == CEL_DOUBLE && op != BIN_MOD)
            return double_math(op, a->d, b->d);
        if (op == BIN_ADD && is_kind(*a, K_STRING | K_BYTES))
            return join_bytes(run, a, b);
        if (op == BIN_ADD && a->kind == CEL_LIST)
            return join_lists(run, a, b);
    }
    return no_overload(run, names[op], (struct cel_value[]){ *a, *b }, 2);
}

struct cel_value operate(struct cel_run *run, enum cel_binary op, const struct cel_value *a, const struct cel_value *b)
{
    switch (op) {
    case BIN_EQ: case BIN_NE: {
        bool same = value_equal(run, a, b);
        return run->budget < 0 ? run_stopped(run) : cel_bool(same == (op == BIN_EQ));
    }
    case BIN_LT: case BIN_LE: case BIN_GT: case BIN_GE:
        return compare(run, op, a, b);
    case BIN_IN:
        return member(run, a, b);
    default:
        return arithmetic(run, op, a, b);
    }
}

struct cel_value value_negate(struct cel_run *run, struct cel_value v)
{
    if (v.kind == CEL_DOUBLE)
        return cel_double(-v.d);
    if (v.kind == CEL_INT)
        return v.i == INT64_MIN ? overflow(run, "int") : cel_int(-v.i);
    return no_overload(run, "-_", &v, 1);
}
