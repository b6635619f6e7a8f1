/* lib_format.c - string.format (cel-spec doc/extensions/strings.md):
 * %[.precision](s d f e x X o b) and %%. */
#include "core/cel/internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { MAX_PRECISION = 100 };

struct formatter {
    struct cel_run *run;
    struct cel_text out;
    int precision;
};

/* Why v cannot be written by this clause; CEL_ABSENT when it was. */
typedef struct cel_value clause(struct formatter *f, const struct cel_value *v, char letter);

static const struct cel_value fine = { .kind = CEL_ABSENT };

static struct cel_value refuse(struct formatter *f, const struct cel_value *v, char letter)
{
    return cel_fail(f->run, "%%%c does not take %s", letter, cel_kind_name((enum cel_kind)v->kind));
}

static struct cel_value as_text(struct formatter *f, const struct cel_value *v, char letter)
{
    (void)letter;
    value_text(v, &f->out);
    return fine;
}

static struct cel_value as_decimal(struct formatter *f, const struct cel_value *v, char letter)
{
    if (!is_kind(*v, CEL_NUMBER))
        return refuse(f, v, letter);
    value_text(v, &f->out);
    return fine;
}

static struct cel_value as_real(struct formatter *f, const struct cel_value *v, char letter)
{
    char text[512];
    double d = v->kind == CEL_INT ? (double)v->i : v->kind == CEL_UINT ? (double)v->u : v->d;
    int n;

    if (!is_kind(*v, CEL_NUMBER))
        return refuse(f, v, letter);
    if (isnan(d) || isinf(d)) {
        double_plain(d, &f->out);
        return fine;
    }
    if (letter == 'f')
        n = snprintf(text, sizeof text, "%.*f", f->precision, d);
    else
        n = snprintf(text, sizeof text, "%.*e", f->precision, d);
    text_put(&f->out, text, n > 0 && (size_t)n < sizeof text ? (size_t)n : 0);
    return fine;
}

static void in_base(struct cel_text *out, uint64_t v, bool minus, unsigned base, const char *digits)
{
    char text[70], *at = text + sizeof text;

    do {
        *--at = digits[v % base];
        v /= base;
    } while (v != 0);
    if (minus)
        *--at = '-';
    text_put(out, at, (size_t)(text + sizeof text - at));
}

static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";

static struct cel_value as_base(struct formatter *f, const struct cel_value *v, char letter)
{
    unsigned base = letter == 'b' ? 2 : letter == 'o' ? 8 : 16;
    const char *digits = letter == 'X' ? upper : lower;

    if (v->kind == CEL_INT) {
        uint64_t u = v->i < 0 ? 0 - v->u : v->u;
        in_base(&f->out, u, v->i < 0, base, digits);
    } else if (v->kind == CEL_UINT) {
        in_base(&f->out, v->u, false, base, digits);
    } else if (v->kind == CEL_BOOL && base == 2) {
        text_putc(&f->out, v->boolean ? '1' : '0');
    } else if (is_kind(*v, K_STRING | K_BYTES) && base == 16) {
        for (uint32_t i = 0; i < v->n && !f->out.full; i++) {
            unsigned char c = (unsigned char)v->s[i];
            text_putc(&f->out, digits[c >> 4]);
            text_putc(&f->out, digits[c & 15]);
        }
    } else {
        return refuse(f, v, letter);
    }
    return fine;
}

static const struct { char letter; clause *write; } clauses[] = {
    { 's', as_text }, { 'd', as_decimal }, { 'f', as_real }, { 'e', as_real },
    { 'b', as_base }, { 'x', as_base }, { 'X', as_base }, { 'o', as_base },
};

static clause *clause_of(char letter)
{
    for (size_t i = 0; i < N_ITEMS(clauses); i++) {
        if (clauses[i].letter == letter)
            return clauses[i].write;
    }
    return NULL;
}

/* ".12" at *at; false when it is malformed. */
static bool precision(struct formatter *f, const struct cel_value *format, uint32_t *at)
{
    uint32_t from;

    f->precision = 6;
    if (*at >= format->n || format->s[*at] != '.')
        return true;
    f->precision = 0;
    for (from = ++*at; *at < format->n && format->s[*at] >= '0' && format->s[*at] <= '9'; ++*at) {
        f->precision = f->precision * 10 + (format->s[*at] - '0');
        if (f->precision > MAX_PRECISION)
            return false;
    }
    return *at > from;
}

static struct cel_value format_next(struct formatter *f, const struct cel_value *format, uint32_t *at,
                                    const struct cel_value *list, uint32_t *used)
{
    if (!precision(f, format, at))
        return cel_fail(f->run, "malformed precision in the format");
    if (*at >= format->n)
        return cel_fail(f->run, "the format ends within a clause");
    char letter = format->s[(*at)++];
    clause *write = clause_of(letter);
    if (write == NULL)
        return cel_fail(f->run, "unknown clause in the format: %%%c", letter >= ' ' && letter <= '~' ? letter : '?');
    if (*used >= cel_size(list))
        return cel_fail(f->run, "the format wants more than %u arguments", cel_size(list));
    struct cel_value v = cel_at(f->run, list, (*used)++);
    return is_bad(v) ? v : write(f, &v, letter);
}

static struct cel_value format(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct formatter f = { .run = run, .out = { .run = run } };
    uint32_t used = 0;

    (void)n;
    for (uint32_t at = 0; at < a->n && !f.out.full;) {
        char c = a->s[at++];
        if (c != '%') {
            text_putc(&f.out, c);
        } else if (at < a->n && a->s[at] == '%') {
            text_putc(&f.out, '%');
            at++;
        } else {
            struct cel_value bad = format_next(&f, a, &at, &a[1], &used);
            if (bad.kind != CEL_ABSENT)
                return bad;
        }
    }
    return text_value(&f.out);
}

static const struct cel_function functions[] = {
    METHOD("format", 2, K_STRING, format, K_STRING, K_LIST),
};

const struct cel_library lib_format = { functions, N_ITEMS(functions) };
