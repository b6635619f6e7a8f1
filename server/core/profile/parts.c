/* parts.c - items taken apart and compared, see item.h. */
#include "core/profile/item.h"

#include "base/str.h"
#include "core/profile/compile.h"
#include "wire/msg/profile.h"

#include <string.h>

/* "tcp/8080" */
static bool read_port(const char *s, int *protocol, int64_t *port)
{
    const char *slash = strchr(s, '/');

    for (int i = 0; slash != NULL && i < NET_PROTOCOL_N; i++) {
        if (strlen(net_protocol_words[i]) == (size_t)(slash - s) && strncmp(s, net_protocol_words[i], (size_t)(slash - s)) == 0) {
            *protocol = i;
            return str_to_i64(slash + 1, 1, 65535, port);
        }
    }
    return false;
}

static bool read_key(const char *s, size_t n, struct item_parts *out)
{
    if (n == 0 || n >= sizeof out->key)
        return false;
    memcpy(out->key, s, n);
    out->key[n] = '\0';
    return true;
}

/* "service shop/catalogue tcp/5432"; the port may be missing */
static bool read_peer(const char *s, struct item_parts *out)
{
    static const char *const kinds[] = { [PEER_SERVICE] = "service", [PEER_CIDR] = "cidr", [PEER_DNS] = "dns" };
    size_t n = strcspn(s, " ");

    for (int kind = PEER_SERVICE; kind < PEER_KIND_N && s[n] == ' '; kind++) {
        if (strlen(kinds[kind]) != n || strncmp(s, kinds[kind], n) != 0)
            continue;
        const char *who = s + n + 1;
        size_t len = strcspn(who, " ");
        out->kind = kind;
        return read_key(who, len, out) && (kind != PEER_CIDR || cidr_parse(out->key, &out->net)) &&
               (kind != PEER_SERVICE || strchr(out->key, '/') != NULL) &&
               (who[len] == '\0' || read_port(who + len + 1, &out->protocol, &out->number));
    }
    return false;
}

bool item_parse(int part, const char *text, const char *parent, struct item_parts *out)
{
    out->part = part;
    out->kind = PEER_NONE;
    out->protocol = NET_ANY;
    out->number = 0;
    out->key[0] = '\0';
    out->parent = part == PART_EXECUTABLE && parent != NULL ? parent : "";
    switch (part) {
    case PART_LISTEN:
        return read_port(text, &out->protocol, &out->number);
    case PART_EGRESS:
    case PART_INGRESS:
        return read_peer(text, out);
    case PART_USER:
        return str_to_i64(text, 0, UINT32_MAX - 1, &out->number);
    case PART_EXECUTABLE:
    case PART_WRITE:
        return text[0] == '/' && read_key(text, strlen(text), out);
    case PART_CAPABILITY:
        return read_key(text, strlen(text), out);
    default:
        return false;
    }
}

static bool same_protocol(const struct item_parts *a, const struct item_parts *s)
{
    return a->protocol == s->protocol || a->protocol == NET_ANY || s->protocol == NET_ANY;
}

static bool star_or_equal(const char *p, size_t n_p, const char *s, size_t n_s)
{
    return (n_p == 1 && *p == '*') || (n_p == n_s && memcmp(p, s, n_s) == 0);
}

static bool covers_service(const char *pattern, const char *service)
{
    const char *p = strchr(pattern, '/'), *s = strchr(service, '/');

    return p != NULL && s != NULL && star_or_equal(pattern, (size_t)(p - pattern), service, (size_t)(s - service)) &&
           star_or_equal(p + 1, strlen(p + 1), s + 1, strlen(s + 1));
}

static bool covers_peer(const struct item_parts *a, const struct item_parts *s)
{
    if (a->kind != s->kind || !same_protocol(a, s) || (a->number != 0 && s->number != 0 && a->number != s->number))
        return false;
    return a->kind == PEER_SERVICE ? covers_service(a->key, s->key) : a->kind == PEER_DNS ? dns_match(a->key, s->key) :
           a->kind == PEER_CIDR && cidr_contains(&a->net, &s->net);
}

/* A folder that was seen being written to is one for any name in it. */
static bool covers_write(const char *pattern, const char *seen)
{
    return str_eq(pattern, seen) || path_match(pattern, seen);
}

bool item_covers(const struct item_parts *a, const struct item_parts *s)
{
    if (a->part != s->part)
        return false;
    switch (a->part) {
    case PART_EXECUTABLE:
        return str_eq(a->key, s->key) && (a->parent[0] == '\0' || s->parent[0] == '\0' || str_eq(a->parent, s->parent));
    case PART_LISTEN:
        return a->number == s->number && same_protocol(a, s);
    case PART_EGRESS:
    case PART_INGRESS:
        return covers_peer(a, s);
    case PART_WRITE:
        return covers_write(a->key, s->key);
    case PART_USER:
        return a->number == s->number;
    case PART_CAPABILITY:
        return str_eq_nocase(a->key, s->key);
    default:
        return false;
    }
}

unsigned profile_parts(const struct profile *p)
{
    unsigned parts = 0;

    for (int part = 0; part < PROFILE_PART_N; part++)
        parts |= profile_covers(p, (enum profile_part)part) ? 1u << part : 0;
    return parts;
}
