/* lib_net.c - ip and cidr (cel-go ext: network; Kubernetes).  IPv6 with a zone and
 * IPv4 mapped into IPv6 are refused. */
#include "core/cel/internal.h"

#include <stdio.h>

#define K_IP CEL_K(CEL_IP)
#define K_CIDR CEL_K(CEL_CIDR)

/* Four decimal numbers without leading zeros. */
static bool parse_v4(const char *s, size_t n, uint8_t out[4])
{
    size_t at = 0;

    for (int i = 0; i < 4; i++) {
        unsigned v = 0;
        size_t from = at;
        for (; at < n && s[at] >= '0' && s[at] <= '9' && at - from < 3; at++)
            v = v * 10 + (unsigned)(s[at] - '0');
        if (at == from || v > 255 || (at - from > 1 && s[from] == '0'))
            return false;
        out[i] = (uint8_t)v;
        if (i < 3 && (at >= n || s[at++] != '.'))
            return false;
    }
    return at == n;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One group of up to four hex digits; bytes read, 0 when there is none. */
static size_t group16(const char *s, size_t n, unsigned *out)
{
    size_t i = 0;

    for (*out = 0; i < n && i < 5 && hex(s[i]) >= 0; i++)
        *out = *out << 4 | (unsigned)hex(s[i]);
    return i <= 4 ? i : 0;
}

/* RFC 4291, section 2.2. */
static bool parse_v6(const char *s, size_t n, uint8_t out[16])
{
    size_t at = 0, len = 0;
    int gap = -1;

    memset(out, 0, 16);
    if (n >= 2 && s[0] == ':' && s[1] == ':') {
        gap = 0;
        at = 2;
    }
    while (at < n) {
        unsigned v;
        size_t used = group16(s + at, n - at, &v);
        if (used == 0 || len > 14)
            return false;
        if (at + used < n && s[at + used] == '.') {            /* the last 32 bits as IPv4 */
            if (len > 12 || !parse_v4(s + at, n - at, out + len))
                return false;
            len += 4;
            break;
        }
        out[len++] = (uint8_t)(v >> 8);
        out[len++] = (uint8_t)v;
        at += used;
        if (at == n)
            break;
        if (s[at++] != ':' || at == n)
            return false;
        if (s[at] == ':') {
            if (gap >= 0)
                return false;
            gap = (int)len;
            at++;
        }
    }
    if (gap < 0)
        return len == 16;
    if (len > 14)
        return false;
    memmove(out + 16 - (len - (size_t)gap), out + gap, len - (size_t)gap);
    memset(out + gap, 0, 16 - len);
    return true;
}

static bool parse_ip(const char *s, size_t n, struct cel_ip *ip)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };

    *ip = (struct cel_ip){ .family = 6 };
    if (memchr(s, ':', n) == NULL) {
        ip->family = 4;
        return parse_v4(s, n, ip->bytes);
    }
    return parse_v6(s, n, ip->bytes) && memcmp(ip->bytes, mapped, sizeof mapped) != 0;
}

static bool parse_cidr(const char *s, size_t n, struct cel_cidr *c)
{
    const char *slash = memchr(s, '/', n);
    unsigned bits = 0;

    if (slash == NULL || !parse_ip(s, (size_t)(slash - s), &c->ip))
        return false;
    const char *d = slash + 1, *end = s + n;
    if (d == end || end - d > 3 || (*d == '0' && end - d > 1))
        return false;
    for (; d < end; d++) {
        if (*d < '0' || *d > '9')
            return false;
        bits = bits * 10 + (unsigned)(*d - '0');
    }
    c->bits = (uint8_t)bits;
    return bits <= (c->ip.family == 4 ? 32 : 128);
}

/* RFC 5952. */
void ip_text(const struct cel_ip *ip, char out[46])
{
    const uint8_t *b = ip->bytes;
    int best = -1, best_len = 1;
    size_t len = 0;

    if (ip->family == 4) {
        snprintf(out, 46, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
        return;
    }
    for (int i = 0; i < 8; i++) {                      /* the longest run of zero groups */
        int run = 0;
        while (i + run < 8 && b[2 * (i + run)] == 0 && b[2 * (i + run) + 1] == 0)
            run++;
        if (run > best_len) {
            best = i;
            best_len = run;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            len += (size_t)snprintf(out + len, 46 - len, "::");
            i += best_len - 1;
            continue;
        }
        bool colon = i > 0 && i != best + (best >= 0 ? best_len : 0);
        if (best < 0)
            colon = i > 0;
        len += (size_t)snprintf(out + len, 46 - len, "%s%x", colon ? ":" : "", (unsigned)b[2 * i] << 8 | b[2 * i + 1]);
    }
}

static const struct cel_ip *ip_of(const struct cel_value *v) { return v->opaque; }
static const struct cel_cidr *cidr_of(const struct cel_value *v) { return v->opaque; }

static struct cel_value not_a(struct cel_run *run, const char *what, const struct cel_value *s)
{
    return cel_fail(run, "not %s: '%.*s'", what, s->n < 60 ? (int)s->n : 60, s->s);
}

static struct cel_value ip(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_ip v;

    (void)n;
    return parse_ip(a->s, a->n, &v) ? run_opaque(run, CEL_IP, &v, sizeof v) : not_a(run, "an IP address", a);
}

static struct cel_value cidr(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_cidr v;

    (void)n;
    return parse_cidr(a->s, a->n, &v) ? run_opaque(run, CEL_CIDR, &v, sizeof v) : not_a(run, "a CIDR", a);
}

static struct cel_value is_ip(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_ip v;

    (void)run, (void)n;
    return cel_bool(parse_ip(a->s, a->n, &v));
}

static struct cel_value is_cidr(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_cidr v;

    (void)run, (void)n;
    return cel_bool(parse_cidr(a->s, a->n, &v));
}

static struct cel_value is_canonical(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_ip v;
    char text[46];

    (void)n;
    if (!parse_ip(a->s, a->n, &v))
        return not_a(run, "an IP address", a);
    ip_text(&v, text);
    return cel_bool(strlen(text) == a->n && memcmp(text, a->s, a->n) == 0);
}

/* ---- what an address is ------------------------------------------------------------------- */

static bool starts(const struct cel_ip *v, uint8_t first, uint8_t second, uint8_t mask)
{
    return v->bytes[0] == first && (v->bytes[1] & mask) == second;
}

static bool all_zero(const struct cel_ip *v, int from, int to)
{
    for (int i = from; i < to; i++) {
        if (v->bytes[i] != 0)
            return false;
    }
    return true;
}

static bool unspecified(const struct cel_ip *v) { return all_zero(v, 0, 16); }
static bool loopback(const struct cel_ip *v)
{
    return v->family == 4 ? v->bytes[0] == 127 : all_zero(v, 0, 15) && v->bytes[15] == 1;
}
static bool multicast(const struct cel_ip *v)
{
    return v->family == 4 ? (v->bytes[0] & 0xF0) == 0xE0 : v->bytes[0] == 0xFF;
}
static bool link_local_multicast(const struct cel_ip *v)
{
    return v->family == 4 ? starts(v, 224, 0, 0xFF) && v->bytes[2] == 0 : starts(v, 0xFF, 2, 0x0F);
}
static bool link_local_unicast(const struct cel_ip *v)
{
    return v->family == 4 ? starts(v, 169, 254, 0xFF) : starts(v, 0xFE, 0x80, 0xC0);
}
static bool global_unicast(const struct cel_ip *v)
{
    bool broadcast = v->family == 4 && memcmp(v->bytes, "\xFF\xFF\xFF\xFF", 4) == 0;

    return !broadcast && !unspecified(v) && !loopback(v) && !multicast(v) && !link_local_unicast(v);
}

#define IP_TEST(name, test)                                                                  \
    static struct cel_value name(struct cel_run *run, const struct cel_value *a, uint32_t n) \
    {                                                                                        \
        (void)run, (void)n;                                                                  \
        return cel_bool(test(ip_of(a)));                                                     \
    }

IP_TEST(is_unspecified, unspecified)
IP_TEST(is_loopback, loopback)
IP_TEST(is_link_local_multicast, link_local_multicast)
IP_TEST(is_link_local_unicast, link_local_unicast)
IP_TEST(is_global_unicast, global_unicast)

static struct cel_value family(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_int(ip_of(a)->family);
}

/* ---- networks ---------------------------------------------------------------------------------- */

static bool same_prefix(const struct cel_ip *a, const struct cel_ip *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (a->family != b->family || memcmp(a->bytes, b->bytes, whole) != 0)
        return false;
    return rest == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

static struct cel_value contains_ip(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_ip v;

    (void)n;
    if (a[1].kind == CEL_IP)
        v = *ip_of(&a[1]);
    else if (!parse_ip(a[1].s, a[1].n, &v))
        return not_a(run, "an IP address", &a[1]);
    return cel_bool(same_prefix(&cidr_of(a)->ip, &v, cidr_of(a)->bits));
}

static struct cel_value contains_cidr(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_cidr v;

    (void)n;
    if (a[1].kind == CEL_CIDR)
        v = *cidr_of(&a[1]);
    else if (!parse_cidr(a[1].s, a[1].n, &v))
        return not_a(run, "a CIDR", &a[1]);
    return cel_bool(v.bits >= cidr_of(a)->bits && same_prefix(&cidr_of(a)->ip, &v.ip, cidr_of(a)->bits));
}

static struct cel_cidr mask(const struct cel_cidr *c)
{
    struct cel_cidr m = *c;

    for (unsigned i = 0; i < 16; i++) {
        unsigned left = c->bits > i * 8 ? c->bits - i * 8 : 0;
        unsigned keep = left >= 8 ? 0xFF : 0xFF00u >> left;
        m.ip.bytes[i] = (uint8_t)(m.ip.bytes[i] & keep);
    }
    return m;
}

static struct cel_value cidr_ip(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return run_opaque(run, CEL_IP, &cidr_of(a)->ip, sizeof(struct cel_ip));
}

static struct cel_value masked(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_cidr m = mask(cidr_of(a));

    (void)n;
    return run_opaque(run, CEL_CIDR, &m, sizeof m);
}

static struct cel_value is_mask(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_cidr m = mask(cidr_of(a));

    (void)run, (void)n;
    return cel_bool(memcmp(m.ip.bytes, cidr_of(a)->ip.bytes, 16) == 0);
}

static struct cel_value prefix_length(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)run, (void)n;
    return cel_int(cidr_of(a)->bits);
}

static const struct cel_function functions[] = {
    FN("ip", 1, K_IP, ip, K_STRING),
    FN("cidr", 1, K_CIDR, cidr, K_STRING),
    FN("isIP", 1, K_BOOL, is_ip, K_STRING),
    FN("isCIDR", 1, K_BOOL, is_cidr, K_STRING),
    FN("ip.isCanonical", 1, K_BOOL, is_canonical, K_STRING),
    METHOD("family", 1, K_INT, family, K_IP),
    METHOD("isUnspecified", 1, K_BOOL, is_unspecified, K_IP),
    METHOD("isLoopback", 1, K_BOOL, is_loopback, K_IP),
    METHOD("isLinkLocalMulticast", 1, K_BOOL, is_link_local_multicast, K_IP),
    METHOD("isLinkLocalUnicast", 1, K_BOOL, is_link_local_unicast, K_IP),
    METHOD("isGlobalUnicast", 1, K_BOOL, is_global_unicast, K_IP),
    METHOD("containsIP", 2, K_BOOL, contains_ip, K_CIDR, K_IP | K_STRING),
    METHOD("containsCIDR", 2, K_BOOL, contains_cidr, K_CIDR, K_CIDR | K_STRING),
    METHOD("ip", 1, K_IP, cidr_ip, K_CIDR),
    METHOD("masked", 1, K_CIDR, masked, K_CIDR),
    METHOD("isMask", 1, K_BOOL, is_mask, K_CIDR),
    METHOD("prefixLength", 1, K_INT, prefix_length, K_CIDR),
};

const struct cel_library lib_net = { functions, N_ITEMS(functions) };
