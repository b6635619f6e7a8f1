/* lib_quantity.c - Kubernetes' resource.Quantity: "1.5Gi", "200m", "1e3".
 *
 * Exact in nanos, in 128 bits; finer parts are rounded away from zero, larger
 * numbers cut at 2^63-1, both as Kubernetes does. */
#include "core/cel/internal.h"

#define K_QUANTITY CEL_K(CEL_QUANTITY)
#define NANO ((__int128)1000000000)
#define MOST ((__int128)INT64_MAX * NANO)

static const struct { const char *text; int32_t exp10; int shift; } suffixes[] = {
    { "", 0, 0 }, { "n", -9, 0 }, { "u", -6, 0 }, { "m", -3, 0 }, { "k", 3, 0 }, { "M", 6, 0 }, { "G", 9, 0 },
    { "T", 12, 0 }, { "P", 15, 0 }, { "E", 18, 0 }, { "Ki", 0, 10 }, { "Mi", 0, 20 }, { "Gi", 0, 30 },
    { "Ti", 0, 40 }, { "Pi", 0, 50 }, { "Ei", 0, 60 },
};

/* "k", "Mi", "e3", "E-2": the powers of ten and two; false when it is none. */
static bool parse_suffix(const char *s, size_t n, int32_t *exp10, int *shift)
{
    for (size_t i = 0; i < N_ITEMS(suffixes); i++) {
        if (strlen(suffixes[i].text) == n && memcmp(suffixes[i].text, s, n) == 0) {
            *exp10 = suffixes[i].exp10;
            *shift = suffixes[i].shift;
            return true;
        }
    }
    bool minus = n > 1 && s[1] == '-';
    size_t at = 1u + (n > 1 && (s[1] == '-' || s[1] == '+'));
    int32_t v = 0;
    if (n <= at || (s[0] != 'e' && s[0] != 'E'))
        return false;
    for (; at < n; at++) {
        if (s[at] < '0' || s[at] > '9')
            return false;
        if (v < 1000)
            v = v * 10 + (s[at] - '0');
    }
    *exp10 = minus ? -v : v;
    *shift = 0;
    return true;
}

/* digits * 10^exp10 * 2^shift in nanos, rounded up, cut at MOST. */
static __int128 scale(__int128 digits, int32_t exp10, int shift)
{
    bool rest = false;

    for (; shift > 0; shift--) {
        if (digits > MOST * 512)       /* far over the bound whatever the exponent of a fraction */
            break;
        digits *= 2;
    }
    for (exp10 += 9; exp10 > 0 && digits > 0; exp10--) {
        if (digits > MOST)
            return MOST;
        digits *= 10;
    }
    for (; exp10 < 0 && digits > 0; exp10++) {
        rest |= digits % 10 != 0;
        digits /= 10;
    }
    digits += rest;
    for (; shift > 0 && digits <= MOST; shift--)
        digits *= 2;
    return digits > MOST ? MOST : digits;
}

static bool parse(const char *s, size_t n, struct cel_quantity *out)
{
    bool minus = n > 0 && s[0] == '-';
    size_t at = minus || (n > 0 && s[0] == '+'), count = 0;
    __int128 digits = 0;
    int32_t lost = 0, exp10;
    bool point = false, rest = false;
    int shift;

    for (; at < n && ((s[at] >= '0' && s[at] <= '9') || (s[at] == '.' && !point)); at++) {
        if (s[at] == '.') {
            point = true;
            continue;
        }
        count++;
        /* Enough digits for any value in range: more only move the point. */
        bool room = digits < (__int128)1000000000000000000 * 1000;
        if (room)
            digits = digits * 10 + (s[at] - '0');
        else
            rest |= s[at] != '0';
        lost += room ? -(int32_t)point : !point;
    }
    if (count == 0 || n > 200 || !parse_suffix(s + at, n - at, &exp10, &shift))
        return false;
    __int128 v = scale(digits + (rest && digits > 0), exp10 + lost, shift);
    out->nano = minus ? -v : v;
    return true;
}

static const struct cel_quantity *of(const struct cel_value *v)
{
    return v->opaque;
}

static struct cel_value quantity(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_quantity q;

    (void)n;
    return parse(a->s, a->n, &q) ? run_opaque(run, CEL_QUANTITY, &q, sizeof q) :
           cel_fail(run, "not a quantity: '%.*s'", a->n < 60 ? (int)a->n : 60, a->s);
}

static struct cel_value is_quantity(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_quantity q;

    (void)run, (void)n;
    return cel_bool(parse(a->s, a->n, &q));
}

static bool whole(const struct cel_quantity *q)
{
    /* What was cut at the bound is not the number that was written. */
    return q->nano % NANO == 0 && q->nano < MOST && q->nano > -MOST;
}

static struct cel_value is_integer(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_bool(whole(of(a)));
}

static struct cel_value as_integer(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return whole(of(a)) ? cel_int((int64_t)(of(a)->nano / NANO)) : cel_fail(run, "the quantity is not an integer");
}

static struct cel_value as_float(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_double((double)(of(a)->nano / NANO) + (double)(of(a)->nano % NANO) / 1e9);
}

static struct cel_value sign(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_int((of(a)->nano > 0) - (of(a)->nano < 0));
}

static struct cel_value sum(struct cel_run *run, const struct cel_value *a, bool minus)
{
    __int128 other = a[1].kind == CEL_INT ? (__int128)a[1].i * NANO : of(&a[1])->nano;
    struct cel_quantity q = { minus ? of(a)->nano - other : of(a)->nano + other };

    if (q.nano > MOST * 1000 || q.nano < -MOST * 1000)
        return cel_fail(run, "quantity overflow");
    return run_opaque(run, CEL_QUANTITY, &q, sizeof q);
}

static struct cel_value add(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return sum(run, a, false);
}

static struct cel_value sub(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return sum(run, a, true);
}

/* For quantities and versions alike. */
static int order(const struct cel_value *a)
{
    return opaque_compare(&a[0], &a[1]);
}

static struct cel_value is_less(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_bool(order(a) < 0);
}

static struct cel_value is_greater(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_bool(order(a) > 0);
}

static struct cel_value compare_to(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_int(order(a));
}

#define K_SEMVER CEL_K(CEL_SEMVER)

static const struct cel_function functions[] = {
    FN("quantity", 1, K_QUANTITY, quantity, K_STRING),
    FN("isQuantity", 1, K_BOOL, is_quantity, K_STRING),
    METHOD("isInteger", 1, K_BOOL, is_integer, K_QUANTITY),
    METHOD("asInteger", 1, K_INT, as_integer, K_QUANTITY),
    METHOD("asApproximateFloat", 1, K_DOUBLE, as_float, K_QUANTITY),
    METHOD("sign", 1, K_INT, sign, K_QUANTITY),
    METHOD("add", 2, K_QUANTITY, add, K_QUANTITY, K_QUANTITY | K_INT),
    METHOD("sub", 2, K_QUANTITY, sub, K_QUANTITY, K_QUANTITY | K_INT),
    METHOD("isLessThan", 2, K_BOOL, is_less, K_QUANTITY, K_QUANTITY),
    METHOD("isLessThan", 2, K_BOOL, is_less, K_SEMVER, K_SEMVER),
    METHOD("isGreaterThan", 2, K_BOOL, is_greater, K_QUANTITY, K_QUANTITY),
    METHOD("isGreaterThan", 2, K_BOOL, is_greater, K_SEMVER, K_SEMVER),
    METHOD("compareTo", 2, K_INT, compare_to, K_QUANTITY, K_QUANTITY),
    METHOD("compareTo", 2, K_INT, compare_to, K_SEMVER, K_SEMVER),
};

const struct cel_library lib_quantity = { functions, N_ITEMS(functions) };
