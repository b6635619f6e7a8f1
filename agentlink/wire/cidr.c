/* cidr.c - see cidr.h. */
#include "wire/cidr.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { V4_BITS = 32, ALL_BITS = 128, V4_AT = 12 };

static bool address_parse(const char *text, struct cidr *out)
{
    static const unsigned char mapped[V4_AT] = { [10] = 0xFF, [11] = 0xFF };

    out->is_v4 = strchr(text, ':') == NULL;
    out->bits = ALL_BITS;
    if (!out->is_v4) {
        if (inet_pton(AF_INET6, text, out->bytes) != 1)
            return false;
        out->is_v4 = memcmp(out->bytes, mapped, V4_AT) == 0;      /* ::ffff:10.0.0.1 is 10.0.0.1 */
        return true;
    }
    memcpy(out->bytes, mapped, V4_AT);
    return inet_pton(AF_INET, text, out->bytes + V4_AT) == 1;
}

/* Bits behind the first `bits` are zero. */
static bool is_network(const unsigned char *bytes, unsigned bits)
{
    for (unsigned i = bits; i < ALL_BITS; i++) {
        if ((bytes[i / 8] >> (7 - i % 8) & 1) != 0)
            return false;
    }
    return true;
}

bool cidr_parse(const char *text, struct cidr *out)
{
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    char address[INET6_ADDRSTRLEN];
    struct cidr c;
    int64_t bits;

    if (len == 0 || len >= sizeof address)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (!address_parse(address, &c))
        return false;
    bool short_form = strchr(address, ':') == NULL;
    if (slash != NULL) {
        if (!str_to_i64(slash + 1, 0, short_form ? V4_BITS : ALL_BITS, &bits))
            return false;
        c.bits = (unsigned)bits + (short_form ? ALL_BITS - V4_BITS : 0);
        c.is_v4 = c.is_v4 && c.bits >= ALL_BITS - V4_BITS;
    }
    if (!is_network(c.bytes, c.bits))
        return false;
    *out = c;
    return true;
}

bool cidr_contains(const struct cidr *net, const struct cidr *address)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;

    if (net->bits > address->bits || memcmp(net->bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || ((net->bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0;
}

bool cidr_is_public(const struct cidr *net)
{
    static const char *const special[] = {
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",             /* RFC 1918 */
        "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "0.0.0.0/32", "255.255.255.255/32",
        "::/127", "fc00::/7", "fe80::/10", "ff00::/8",               /* ::/127: unspecified and loopback */
    };
    struct cidr s;

    for (size_t i = 0; i < N_ITEMS(special); i++) {
        if (cidr_parse(special[i], &s) && cidr_contains(&s, net))
            return false;
    }
    return true;
}

void cidr_format(const struct cidr *net, char out[CIDR_TEXT])
{
    char text[INET6_ADDRSTRLEN] = "";
    unsigned all = net->is_v4 ? V4_BITS : ALL_BITS, bits = net->bits - (ALL_BITS - all);

    inet_ntop(net->is_v4 ? AF_INET : AF_INET6, net->is_v4 ? net->bytes + V4_AT : net->bytes, text, sizeof text);
    if (bits == all)
        snprintf(out, CIDR_TEXT, "%s", text);
    else
        snprintf(out, CIDR_TEXT, "%s/%u", text, bits);
}
