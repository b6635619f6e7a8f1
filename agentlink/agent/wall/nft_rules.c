/* nft_rules.c - ports and peers as text for nftables; see nft_rules.h.
 *
 * Peers with the same ports share a rule and its sets of networks, so that what a
 * packet costs grows with the number of different lists of ports, not of networks. */
#include "agent/wall/nft_rules.h"

#include "wire/cidr.h"

#include <stdlib.h>
#include <string.h>

enum { V4_BITS = 96, PORTS = 65536, PORT_DNS = 53 };

const char nft_rules_none[] = "delete counter inet keep keep_walls\ndelete table inet keep\n";

static const int64_t dns_ports[] = { PORT_DNS };
static const struct profile_peer dns_peer = { .kind = PEER_DNS, .ports = dns_ports, .n_ports = 1, .protocol = NET_ANY };

struct group {                           /* peers with the same protocol and ports */
    const struct profile_peer *peer;     /* one of them */
    struct cidr *nets[2]; size_t n[2];   /* IPv4, IPv6: by address, none within another */
    bool is_any;                         /* any address */
};

struct way {
    const char *set, *address;
    struct group *groups; size_t n;
};

/* ---- peers -> groups ------------------------------------------------------- */

static bool same_ports(const struct profile_peer *a, const struct profile_peer *b)
{
    return a->protocol == b->protocol && a->n_ports == b->n_ports &&
           (a->n_ports == 0 || memcmp(a->ports, b->ports, a->n_ports * sizeof *a->ports) == 0);
}

static struct group *group_for(struct way *w, const struct profile_peer *peer, size_t n_peers, struct arena *a)
{
    for (size_t i = 0; i < w->n; i++) {
        if (same_ports(w->groups[i].peer, peer))
            return &w->groups[i];
    }
    struct group *g = &w->groups[w->n];
    g->peer = peer;
    for (int f = 0; f < 2; f++) {
        size_t room = 0;                 /* no more than peers of the same ports */
        for (size_t i = 0; i < n_peers; i++)
            room += same_ports(&peer[i], peer);
        g->nets[f] = arena_array(a, room + 1, sizeof *g->nets[f]);
        if (!g->nets[f])
            return NULL;
    }
    w->n++;
    return g;
}

static int net_order(const void *x, const void *y)
{
    const struct cidr *a = x, *b = y;
    int order = memcmp(a->bytes, b->bytes, sizeof a->bytes);
    return order != 0 ? order : a->bits < b->bits ? -1 : a->bits > b->bits;
}

/* nftables takes no networks that overlap: those within another one go. */
static size_t nets_reduce(struct cidr *nets, size_t n)
{
    size_t kept = 0;
    qsort(nets, n, sizeof *nets, net_order);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !cidr_contains(&nets[kept - 1], &nets[i]))
            nets[kept++] = nets[i];
    }
    return kept;
}

static int peer_take(struct way *w, const struct profile_peer *peer, size_t n_left, struct arena *a, struct err *err)
{
    struct group *g = group_for(w, peer, n_left, a);
    struct cidr net = { 0 };
    if (!g)
        return err_nomem(err);
    if (!peer->cidr) {
        g->is_any = true;
        return 0;
    }
    if (!cidr_parse(peer->cidr, &net))
        return err_set(err, ERR_INVALID, "peer %.80s is not an address with its prefix", peer->cidr);
    int f = net.is_v4 ? 0 : 1;
    g->nets[f][g->n[f]++] = net;
    return 0;
}

static int way_make(struct way *w, const struct profile_peer *peers, size_t n, struct arena *a, struct err *err)
{
    bool has_names = false;
    if (n > NFT_PEERS_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d peers", NFT_PEERS_MAX);
    w->groups = arena_array(a, n + 1, sizeof *w->groups);
    if (!w->groups)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        has_names |= !peers[i].cidr;
        if (peer_take(w, &peers[i], n - i, a, err) != 0)
            return -1;
    }
    if (has_names && peer_take(w, &dns_peer, 1, a, err) != 0)
        return -1;
    for (size_t i = 0; i < w->n; i++) {
        for (int f = 0; f < 2; f++)
            w->groups[i].n[f] = nets_reduce(w->groups[i].nets[f], w->groups[i].n[f]);
    }
    return 0;
}

/* ---- text ------------------------------------------------------------------ */

static void net_put(struct buf *out, const struct cidr *c)
{
    const unsigned char *b = c->bytes;
    if (c->is_v4) {
        buf_printf(out, "%u.%u.%u.%u/%u", b[12], b[13], b[14], b[15], c->bits - V4_BITS);
        return;
    }
    for (int i = 0; i < 16; i += 2)
        buf_printf(out, "%s%x", i ? ":" : "", (unsigned)(b[i] << 8 | b[i + 1]));
    buf_printf(out, "/%u", c->bits);
}

/* A network that is the whole family needs no set. */
static bool is_family(const struct group *g, int f)
{
    return g->n[f] > 0 && g->nets[f][0].bits == (f == 0 ? V4_BITS : 0);
}

static void sets_put(struct buf *out, const struct way *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct group *g = &w->groups[i];
        for (int f = 0; f < 2; f++) {
            if (g->is_any || g->n[f] == 0 || is_family(g, f))
                continue;
            buf_printf(out, "\tset %s%zu_%d { type %s; flags interval; elements = { ", w->set, i, f ? 6 : 4, f ? "ipv6_addr" : "ipv4_addr");
            for (size_t k = 0; k < g->n[f]; k++) {
                if (k)
                    buf_puts(out, ", ");
                net_put(out, &g->nets[f][k]);
            }
            buf_puts(out, " } }\n");
        }
    }
}

static void bit_set(unsigned char *bits, int64_t port)
{
    bits[port / 8] = (unsigned char)(bits[port / 8] | 1u << (port % 8));
}

/* "{ 80, 443 }", each once, in order. */
static void ports_put(struct buf *out, const unsigned char *bits)
{
    const char *before = "{ ";
    for (unsigned port = 1; port < PORTS; port++) {
        if (bits[port / 8] & 1u << (port % 8)) {
            buf_printf(out, "%s%u", before, port);
            before = ", ";
        }
    }
    buf_puts(out, " }");
}

static int match_put(struct buf *out, const struct profile_peer *p, struct err *err)
{
    static const char *const any[] = { "meta l4proto { tcp, udp } ", "meta l4proto tcp ", "meta l4proto udp " };
    static const char *const some[] = { "meta l4proto { tcp, udp } th dport ", "tcp dport ", "udp dport " };
    unsigned char bits[PORTS / 8] = { 0 };
    if (p->protocol < 0 || p->protocol >= NET_PROTOCOL_N)
        return err_set(err, ERR_INVALID, "protocol %d", p->protocol);
    if (p->n_ports == 0) {
        buf_puts(out, any[p->protocol]);
        return 0;
    }
    for (size_t i = 0; i < p->n_ports; i++) {
        if (p->ports[i] < 1 || p->ports[i] >= PORTS)
            return err_set(err, ERR_INVALID, "port %lld", (long long)p->ports[i]);
        bit_set(bits, p->ports[i]);
    }
    buf_puts(out, some[p->protocol]);
    ports_put(out, bits);
    buf_putc(out, ' ');
    return 0;
}

static int group_put(struct buf *out, const struct way *w, size_t i, struct err *err)
{
    const struct group *g = &w->groups[i];
    for (int f = 0; f < 2; f++) {
        if (g->is_any ? f != 0 : g->n[f] == 0)
            continue;
        buf_puts(out, "\t\t");
        if (!g->is_any && is_family(g, f))
            buf_printf(out, "meta nfproto %s ", f ? "ipv6" : "ipv4");
        else if (!g->is_any)
            buf_printf(out, "%s %s @%s%zu_%d ", f ? "ip6" : "ip", w->address, w->set, i, f ? 6 : 4);
        if (match_put(out, g->peer, err) != 0)
            return -1;
        buf_puts(out, "accept\n");
    }
    return 0;
}

static int groups_put(struct buf *out, const struct way *w, struct err *err)
{
    for (size_t i = 0; i < w->n; i++) {
        if (group_put(out, w, i, err) != 0)
            return -1;
    }
    return 0;
}

/* What is not listened on is not reached: for each protocol, all ports but these. */
static int listens_put(struct buf *out, const struct profile *p, struct err *err)
{
    static const char *const names[] = { "tcp", "udp" };
    for (int i = 0; i < 2; i++) {
        unsigned char bits[PORTS / 8] = { 0 };
        bool has_some = false;
        for (size_t k = 0; k < p->n_listens; k++) {
            const struct profile_port *l = &p->listens[k];
            if (l->port < 1 || l->port >= PORTS)
                return err_set(err, ERR_INVALID, "port %lld", (long long)l->port);
            if (l->protocol == (i == 0 ? NET_UDP : NET_TCP))
                continue;
            bit_set(bits, l->port);
            has_some = true;
        }
        buf_printf(out, has_some ? "\t\t%s dport != " : "\t\tmeta l4proto %s", names[i]);
        if (has_some)
            ports_put(out, bits);
        buf_puts(out, " drop\n");
    }
    return 0;
}

/* TCP is judged by its first packet, without regard to what connection tracking thinks.
 * Of UDP only answers pass unjudged, so that a rule that is gone is gone for exchanges
 * that are under way, too. */
static void chain_begin(struct buf *out, const char *name, const char *interface, const char *refuse, bool has_lease)
{
    buf_printf(out, "\tchain %s {\n\t\ttype filter hook %s priority -10; policy accept;\n\t\t%s \"lo\" accept\n", name, name, interface);
    if (has_lease)
        buf_puts(out, "\t\tmeta nfproto != @lease accept\n");
    buf_printf(out, "\t\tmeta l4proto { icmp, igmp, ipv6-icmp } accept\n\t\tmeta l4proto != { tcp, udp } %s\n"
                    "\t\ttcp flags & (syn | ack) != syn accept\n\t\tmeta l4proto udp ct direction reply accept\n", refuse);
}

static int table_put(const struct profile *p, int64_t lease_s, const struct way *in, const struct way *to, struct buf *out, struct err *err)
{
    static const char refuse[] = "reject with icmpx admin-prohibited";     /* the program is told at once */
    buf_puts(out, "add table inet keep\ndelete table inet keep\ntable inet keep {\n\tcounter keep_walls { }\n");
    if (lease_s > 0)
        buf_printf(out, "\tset lease { type nf_proto; flags timeout; elements = { ipv4 timeout %llds, ipv6 timeout %llds } }\n",
                   (long long)lease_s, (long long)lease_s);
    sets_put(out, in);
    sets_put(out, to);
    if (p->has_listens || p->has_ingress) {
        chain_begin(out, "input", "iif", "drop", lease_s > 0);
        if ((p->has_listens && listens_put(out, p, err) != 0) || groups_put(out, in, err) != 0)
            return -1;
        buf_puts(out, p->has_ingress ? "\t\tdrop\n\t}\n" : "\t}\n");
    }
    if (p->has_egress) {
        chain_begin(out, "output", "oif", refuse, lease_s > 0);
        if (groups_put(out, to, err) != 0)
            return -1;
        buf_printf(out, "\t\tmeta l4proto tcp reject with tcp reset\n\t\t%s\n\t}\n", refuse);
    }
    buf_puts(out, "}\n");
    return 0;
}

int nft_rules_write(const struct profile *p, int64_t lease_s, struct arena *a, struct buf *out, struct err *err)
{
    struct way in = { .set = "in", .address = "saddr" }, to = { .set = "to", .address = "daddr" };

    buf_clear(out);
    if (p->mode != PROFILE_PROTECT || !(p->has_listens || p->has_ingress || p->has_egress))
        return 0;
    if ((p->has_ingress && way_make(&in, p->ingress, p->n_ingress, a, err) != 0) ||
        (p->has_egress && way_make(&to, p->egress, p->n_egress, a, err) != 0) || table_put(p, lease_s, &in, &to, out, err) != 0) {
        buf_clear(out);
        return -1;
    }
    if (!out->failed && out->len <= NFT_TEXT_MAX)
        return 0;
    buf_clear(out);
    return err_set(err, ERR_TOO_LARGE, "the rules for nftables are longer than %d bytes", NFT_TEXT_MAX);
}
