/* lib_convert.c - int, uint, double, string, bool, bytes (langdef "Conversions").
 *
 * Text of numbers is what Go's strconv accepts in base 10; floating text is read
 * and written in the C locale, which the programs never leave. */
#include "core/cel/internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct cel_value itself(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return *a;
}

static struct cel_value cannot(struct cel_run *run, const struct cel_value *a, const char *type)
{
    if (a->kind == CEL_STRING)
        return cel_fail(run, "not %s: '%.*s'", type, a->n < 60 ? (int)a->n : 60, a->s);
    return cel_fail(run, "%s out of range of %s", cel_kind_name((enum cel_kind)a->kind), type);
}

/* Digits only, at least one; false on overflow. */
static bool parse_digits(const char *s, size_t n, uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9' || __builtin_mul_overflow(v, UINT64_C(10), &v) ||
            __builtin_add_overflow(v, (uint64_t)(s[i] - '0'), &v))
            return false;
    }
    *out = v;
    return n > 0;
}

static struct cel_value int_of_text(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    bool minus = a->n > 0 && a->s[0] == '-', sign = minus || (a->n > 0 && a->s[0] == '+');
    uint64_t v;

    (void)n;
    if (!parse_digits(a->s + sign, a->n - sign, &v) || v > (uint64_t)INT64_MAX + minus)
        return cannot(run, a, "an int");
    return cel_int(minus ? (int64_t)(0 - v) : (int64_t)v);
}

static struct cel_value int_of_uint(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return a->u > INT64_MAX ? cannot(run, a, "int") : cel_int(a->i);
}

static struct cel_value int_of_double(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    /* Both ends excluded: langdef "Overflow". */
    return a->d > -0x1p63 && a->d < 0x1p63 ? cel_int((int64_t)a->d) : cannot(run, a, "int");
}

static struct cel_value int_of_time(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_int(a->i);              /* seconds of a timestamp, nanoseconds of a duration */
}

static struct cel_value uint_of_text(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    uint64_t v;

    (void)n;
    return parse_digits(a->s, a->n, &v) ? cel_uint(v) : cannot(run, a, "an unsigned int");
}

static struct cel_value uint_of_int(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return a->i < 0 ? cannot(run, a, "uint") : cel_uint(a->u);
}

static struct cel_value uint_of_double(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return a->d >= 0 && a->d < 0x1p64 ? cel_uint((uint64_t)a->d) : cannot(run, a, "uint");
}

/* A decimal number, or inf, infinity, nan in any case. */
static bool is_float_text(const char *s)
{
    size_t i = *s == '-' || *s == '+', before, after = 0;

    if (str_eq_nocase(s + i, "inf") || str_eq_nocase(s + i, "infinity") || str_eq_nocase(s + i, "nan"))
        return true;
    before = strspn(s + i, "0123456789");
    i += before;
    if (s[i] == '.') {
        after = strspn(s + i + 1, "0123456789");
        i += 1 + after;
    }
    if (before + after == 0)
        return false;
    if (s[i] == 'e' || s[i] == 'E') {
        i += 1u + (s[i + 1] == '-' || s[i + 1] == '+');
        size_t digits = strspn(s + i, "0123456789");
        i += digits;
        if (digits == 0)
            return false;
    }
    return s[i] == '\0';
}

static struct cel_value double_of_text(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    char text[400];

    (void)n;
    if (a->n >= sizeof text || memchr(a->s, '\0', a->n) != NULL)
        return cannot(run, a, "a double");
    memcpy(text, a->s, a->n);
    text[a->n] = '\0';
    if (!is_float_text(text))
        return cannot(run, a, "a double");
    double v = strtod(text, NULL);
    if (isinf(v) && strpbrk(text, "nN") == NULL)
        return cannot(run, a, "a double");
    return cel_double(v);
}

static struct cel_value double_of_int(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_double(a->kind == CEL_INT ? (double)a->i : (double)a->u);
}

static struct cel_value bool_of_text(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    static const char *const words[] = { "0", "f", "F", "false", "FALSE", "False",
                                         "1", "t", "T", "true", "TRUE", "True" };

    (void)n;
    for (size_t i = 0; i < N_ITEMS(words); i++) {
        if (strlen(words[i]) == a->n && memcmp(words[i], a->s, a->n) == 0)
            return cel_bool(i >= N_ITEMS(words) / 2);
    }
    return cannot(run, a, "a bool");
}

static struct cel_value bytes_of_text(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_bytes(a->s, a->n);
}

static struct cel_value text_of_bytes(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    if (!cel_pay(run, a->n / 16))
        return run_stopped(run);
    return utf8_valid(a->s, a->n) ? cel_string(a->s, a->n) : cel_fail(run, "the bytes are not UTF-8");
}

static struct cel_value text_of_double(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    char text[32];

    (void)n;
    double_text(a->d, text);
    return run_string(run, text, strlen(text));
}

static struct cel_value text_of_other(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_text t = { .run = run };

    (void)n;
    value_text(a, &t);
    return text_value(&t);
}

static struct cel_value time_of_text(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    int64_t seconds;
    uint32_t nanos;

    (void)n;
    return cel_timestamp_parse(a->s, a->n, &seconds, &nanos) ? cel_timestamp(seconds, nanos) :
           cannot(run, a, "a timestamp of RFC 3339");
}

static struct cel_value time_of_int(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return a->i < TIMESTAMP_MIN || a->i > TIMESTAMP_MAX ? cannot(run, a, "timestamp") : cel_timestamp(a->i, 0);
}

static struct cel_value duration_of_text(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    int64_t nanos;

    (void)n;
    return cel_duration_parse(a->s, a->n, &nanos) ? cel_duration(nanos) : cannot(run, a, "a duration");
}

static struct cel_value duration_of_int(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    int64_t nanos;

    (void)n;
    return __builtin_mul_overflow(a->i, INT64_C(1000000000), &nanos) ? cannot(run, a, "duration") :
           cel_duration(nanos);
}

static const struct cel_function functions[] = {
    FN("int", 1, K_INT, itself, K_INT),
    FN("int", 1, K_INT, int_of_uint, K_UINT),
    FN("int", 1, K_INT, int_of_double, K_DOUBLE),
    FN("int", 1, K_INT, int_of_text, K_STRING),
    FN("int", 1, K_INT, int_of_time, K_TIME | K_DURATION),
    FN("uint", 1, K_UINT, itself, K_UINT),
    FN("uint", 1, K_UINT, uint_of_int, K_INT),
    FN("uint", 1, K_UINT, uint_of_double, K_DOUBLE),
    FN("uint", 1, K_UINT, uint_of_text, K_STRING),
    FN("double", 1, K_DOUBLE, itself, K_DOUBLE),
    FN("double", 1, K_DOUBLE, double_of_int, K_INT | K_UINT),
    FN("double", 1, K_DOUBLE, double_of_text, K_STRING),
    FN("string", 1, K_STRING, itself, K_STRING),
    FN("string", 1, K_STRING, text_of_bytes, K_BYTES),
    FN("string", 1, K_STRING, text_of_double, K_DOUBLE),
    FN("string", 1, K_STRING, text_of_other, K_BOOL | K_INT | K_UINT | K_TIME | K_DURATION | CEL_K(CEL_IP) |
       CEL_K(CEL_CIDR) | CEL_K(CEL_URL) | CEL_K(CEL_QUANTITY) | CEL_K(CEL_SEMVER)),
    FN("bool", 1, K_BOOL, itself, K_BOOL),
    FN("bool", 1, K_BOOL, bool_of_text, K_STRING),
    FN("bytes", 1, K_BYTES, itself, K_BYTES),
    FN("bytes", 1, K_BYTES, bytes_of_text, K_STRING),
    FN("timestamp", 1, K_TIME, itself, K_TIME),
    FN("timestamp", 1, K_TIME, time_of_text, K_STRING),
    FN("timestamp", 1, K_TIME, time_of_int, K_INT),
    FN("duration", 1, K_DURATION, itself, K_DURATION),
    FN("duration", 1, K_DURATION, duration_of_text, K_STRING),
    FN("duration", 1, K_DURATION, duration_of_int, K_INT),
};

const struct cel_library lib_convert = { functions, N_ITEMS(functions) };
