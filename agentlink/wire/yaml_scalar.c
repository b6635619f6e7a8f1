/* yaml_scalar.c - see yaml_scalar.h. */
#include "wire/yaml_scalar.h"

#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_one_of(const char *s, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(s, *words) == 0)
            return true;
    }
    return false;
}

static bool is_null(const char *s)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };

    return is_one_of(s, words);
}

static bool is_true(const char *s)
{
    static const char *const words[] = { "true", "True", "TRUE", NULL };

    return is_one_of(s, words);
}

static bool is_false(const char *s)
{
    static const char *const words[] = { "false", "False", "FALSE", NULL };

    return is_one_of(s, words);
}

static bool is_infinite_or_nan(const char *s)
{
    static const char *const words[] = { ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL };

    return is_one_of(s + (*s == '+' || *s == '-'), words);
}

/* Base of an integer, and where its digits begin; 0 when it is none. */
static int int_base(const char *s, const char **digits)
{
    static const char hex[] = "0123456789abcdefABCDEF";
    bool is_signed = *s == '+' || *s == '-';
    int base = strncmp(s, "0o", 2) == 0 ? 8 : strncmp(s, "0x", 2) == 0 ? 16 : 10;

    *digits = base == 10 ? s + is_signed : s + 2;
    size_t n = base == 10 ? strspn(*digits, "0123456789") : base == 8 ? strspn(*digits, "01234567") : strspn(*digits, hex);
    return n > 0 && (*digits)[n] == '\0' ? base : 0;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_float(const char *s)
{
    s += *s == '+' || *s == '-';
    size_t whole = strspn(s, "0123456789"), fraction = 0;
    s += whole;
    if (*s == '.') {
        fraction = strspn(++s, "0123456789");
        s += fraction;
    }
    if (whole == 0 && fraction == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '+' || *s == '-';
        size_t exponent = strspn(s, "0123456789");
        if (exponent == 0)
            return false;
        s += exponent;
    }
    return *s == '\0';
}

static const char *resolve_real(const char *s, struct json *out)
{
    double v = strtod(s, NULL);

    if (v - v != 0)
        return "number out of range";
    out->type = JSON_REAL;
    out->real = v;
    return NULL;
}

static const char *resolve_int(const char *s, const char *digits, int base, bool big_numbers, struct json *out)
{
    errno = 0;
    long long v = strtoll(base == 10 ? s : digits, NULL, base);
    if (errno == ERANGE)
        return big_numbers && base == 10 ? resolve_real(s, out) : "integer beyond 64 bits";
    out->type = JSON_INT;
    out->i = v;
    return NULL;
}

static bool wants(enum yaml_kind wanted, enum yaml_kind kind)
{
    return wanted == YAML_KIND_ANY || wanted == kind;
}

const char *yaml_resolve(const char *s, size_t len, enum yaml_kind wanted, bool big_numbers, struct json *out)
{
    const char *digits;
    int base;

    if (strlen(s) != len)
        return "text with a NUL";
    out->n = (uint32_t)len;
    if (wants(wanted, YAML_KIND_NULL) && is_null(s)) {
        out->type = JSON_NULL;
        return NULL;
    }
    if (wants(wanted, YAML_KIND_BOOL) && (is_true(s) || is_false(s))) {
        out->type = JSON_BOOL;
        out->boolean = is_true(s);
        return NULL;
    }
    if (wants(wanted, YAML_KIND_INT) && (base = int_base(s, &digits)) != 0)
        return resolve_int(s, digits, base, big_numbers, out);
    if (wants(wanted, YAML_KIND_REAL) && is_float(s))
        return resolve_real(s, out);
    if (wants(wanted, YAML_KIND_REAL) && is_infinite_or_nan(s))
        return "JSON has no .inf and no .nan";
    if (wanted != YAML_KIND_ANY)
        return "value is not what its tag says";
    out->type = JSON_STRING;
    return NULL;
}
