/* opaque.c - order and text of the values of libraries. */
#include "core/cel/internal.h"

#include <inttypes.h>
#include <stdio.h>

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int sign(int c)
{
    return (c > 0) - (c < 0);
}

static int compare_ip(const struct cel_ip *a, const struct cel_ip *b)
{
    return a->family != b->family ? ORDER(a->family, b->family) : sign(memcmp(a->bytes, b->bytes, sizeof a->bytes));
}

static int compare_cidr(const struct cel_cidr *a, const struct cel_cidr *b)
{
    int c = compare_ip(&a->ip, &b->ip);

    return c != 0 ? c : ORDER(a->bits, b->bits);
}

static int compare_text(const struct cel_value *a, const struct cel_value *b)
{
    int c = memcmp(a->s, b->s, a->n < b->n ? a->n : b->n);

    return c != 0 ? sign(c) : ORDER(a->n, b->n);
}

int opaque_compare(const struct cel_value *a, const struct cel_value *b)
{
    const void *x = a->opaque, *y = b->opaque;

    switch ((enum cel_kind)a->kind) {
    case CEL_IP:
        return compare_ip(x, y);
    case CEL_CIDR:
        return compare_cidr(x, y);
    case CEL_URL:
        return compare_text(&((const struct cel_url *)x)->text, &((const struct cel_url *)y)->text);
    case CEL_QUANTITY:
        return ORDER(((const struct cel_quantity *)x)->nano, ((const struct cel_quantity *)y)->nano);
    case CEL_SEMVER:
        return cel_semver_compare(x, y);
    case CEL_FORMAT:
        return sign(strcmp(format_name(a), format_name(b)));
    default:
        return 0;
    }
}

/* Decimal, with as many digits behind the point as are needed. */
static void quantity_text(const struct cel_quantity *q, struct cel_text *out)
{
    unsigned __int128 v = q->nano < 0 ? (unsigned __int128)-q->nano : (unsigned __int128)q->nano;
    unsigned __int128 whole = v / 1000000000;
    char digits[48], *at = digits + sizeof digits;
    uint32_t nano = (uint32_t)(v % 1000000000);

    do {
        *--at = (char)('0' + (int)(whole % 10));
        whole /= 10;
    } while (whole != 0);
    if (q->nano < 0)
        *--at = '-';
    text_put(out, at, (size_t)(digits + sizeof digits - at));
    if (nano != 0) {
        char fraction[16];
        size_t n = (size_t)snprintf(fraction, sizeof fraction, ".%09" PRIu32, nano);
        while (fraction[n - 1] == '0')
            n--;
        text_put(out, fraction, n);
    }
}

static void semver_text(const struct cel_semver *v, struct cel_text *out)
{
    text_printf(out, "%" PRIu64 ".%" PRIu64 ".%" PRIu64, v->part[0], v->part[1], v->part[2]);
    if (v->pre != NULL) {
        text_putc(out, '-');
        text_put(out, v->pre, v->pre_len);
    }
    if (v->build != NULL) {
        text_putc(out, '+');
        text_put(out, v->build, v->build_len);
    }
}

void opaque_text(const struct cel_value *v, struct cel_text *out)
{
    const struct cel_cidr *cidr = v->opaque;
    const struct cel_url *url = v->opaque;
    char ip[46];

    switch ((enum cel_kind)v->kind) {
    case CEL_IP:
        ip_text(v->opaque, ip);
        text_puts(out, ip);
        return;
    case CEL_CIDR:
        ip_text(&cidr->ip, ip);
        text_printf(out, "%s/%u", ip, cidr->bits);
        return;
    case CEL_URL:
        text_put(out, url->text.s, url->text.n);
        return;
    case CEL_QUANTITY:
        quantity_text(v->opaque, out);
        return;
    case CEL_SEMVER:
        semver_text(v->opaque, out);
        return;
    case CEL_FORMAT:
        text_puts(out, format_name(v));
        return;
    default:
        text_puts(out, cel_kind_name((enum cel_kind)v->kind));
    }
}
