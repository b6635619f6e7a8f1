/* compile.c - a profile as the kernel's maps want it; see compile.h.
 *
 * A trie answers with the longest prefix only.  So that the ports of a shorter one
 * hold for its part, too, each prefix gets the ports of all that cover it. */
#include "agent/wall/compile.h"

#include "agent/wall/wall.h"

#include "base/str.h"
#include "wire/cidr.h"

#include <netinet/in.h>
#include <string.h>

enum { PREFIX_V4 = 96, PORT_DNS = 53 };

static const u8 mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* ---- programs ------------------------------------------------------------- */

static bool path_fits(const char *path, size_t max)
{
    return path && path[0] == '/' && strlen(path) < max && !strstr(path, "//") && !strstr(path, "/../") && !strstr(path, "/./");
}

static int edges_add(const struct profile_executable *e, u32 rule, struct wall_rules *out, struct err *err)
{
    for (size_t i = 0; i < e->n_parents; i++) {
        struct wall_edge_key *edge = &out->edges[out->n_edges++];
        if (!path_fits(e->parents[i], EDGE_PATH))
            return err_set(err, ERR_INVALID, "parent of %.80s: %.80s is not a path of at most %d bytes", e->path, e->parents[i], EDGE_PATH - 1);
        edge->rule = rule;
        memcpy(edge->path, e->parents[i], strlen(e->parents[i]));
    }
    return 0;
}

static int execs_compile(const struct profile *p, struct arena *a, struct wall_rules *out, struct err *err)
{
    size_t n_edges = 0;
    for (size_t i = 0; i < p->n_executables; i++)
        n_edges += p->executables[i].n_parents;
    out->execs = arena_array(a, p->n_executables + 1, sizeof *out->execs);
    out->edges = arena_array(a, n_edges + 1, sizeof *out->edges);
    if (!out->execs || !out->edges)
        return err_nomem(err);
    for (size_t i = 0; i < p->n_executables; i++) {
        const struct profile_executable *e = &p->executables[i];
        struct exec_rule *rule = &out->execs[out->n_execs++];
        if (!path_fits(e->path, RULE_PATH))
            return err_set(err, ERR_INVALID, "executable %.120s: not an absolute path of at most %d bytes", e->path ? e->path : "", RULE_PATH - 1);
        memcpy(rule->key.path, e->path, strlen(e->path));
        rule->rule = (struct wall_rule){ (u32)i + 1, (e->n_parents ? RULE_EDGES : 0u) | (e->sha256 ? RULE_CONTENT : 0u) };
        rule->sha256 = arena_strdup(a, e->sha256);
        if (e->sha256 && !rule->sha256)
            return err_nomem(err);
        if (edges_add(e, rule->rule.id, out, err) != 0)
            return -1;
    }
    out->set.flags |= SET_EXEC | (n_edges ? (u32)SET_EDGES : 0);
    return 0;
}

/* ---- ports and peers ------------------------------------------------------ */

struct prefix {                          /* of one peer */
    struct cidr net;
    bool any_family;                     /* a name: covers IPv4 as well */
    const struct profile_peer *peer;     /* NULL: DNS, for those that have names */
};

static int port_add(struct wall_rules *out, u32 peer, u8 way, int protocol, int64_t port, struct err *err)
{
    static const u8 numbers[] = { IPPROTO_TCP, IPPROTO_UDP };
    for (size_t i = 0; i < 2; i++) {
        if ((protocol == NET_TCP && i == 1) || (protocol == NET_UDP && i == 0))
            continue;
        if (out->n_ports >= RULES_PORTS_MAX)
            return err_set(err, ERR_TOO_LARGE, "more than %d ports", RULES_PORTS_MAX);
        out->ports[out->n_ports++] = (struct wall_port_key){ 0, peer, (u16)port, numbers[i], way };
    }
    return 0;
}

/* "::/0" and the like are IPv6's: they do not cover IPv4's part of the space. */
static bool covers(const struct prefix *wide, const struct prefix *narrow)
{
    return wide->any_family || (wide->net.is_v4 == narrow->net.is_v4 && cidr_contains(&wide->net, &narrow->net));
}

static int peer_ports(struct wall_rules *out, const struct prefix *from, u32 id, u8 way, struct err *err)
{
    if (!from->peer)
        return port_add(out, id, way, NET_ANY, PORT_DNS, err);
    if (from->peer->n_ports == 0)
        return port_add(out, id, way, from->peer->protocol, 0, err);
    for (size_t i = 0; i < from->peer->n_ports; i++) {
        int64_t port = from->peer->ports[i];
        if (port < 1 || port > 65535)
            return err_set(err, ERR_INVALID, "port %lld", (long long)port);
        if (port_add(out, id, way, from->peer->protocol, port, err) != 0)
            return -1;
    }
    return 0;
}

/* The prefixes of one way, each distinct one with an id and the union of ports. */
static int prefixes_compile(const struct prefix *all, size_t n, u8 way, struct wall_rules *out, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        bool is_first = true;
        for (size_t j = 0; j < i && is_first; j++)
            is_first = all[j].net.bits != all[i].net.bits || memcmp(all[j].net.bytes, all[i].net.bytes, 16) != 0;
        if (!is_first)
            continue;
        struct peer_rule *rule = &out->peers[out->n_peers++];
        rule->id = (u32)out->n_peers;
        rule->key.bits = PEER_FIXED + all[i].net.bits;
        rule->key.way = way;
        memcpy(rule->key.address, all[i].net.bytes, 16);
        for (size_t j = 0; j < n; j++) {
            if ((all[j].peer || all[j].any_family) && covers(&all[j], &all[i]) && peer_ports(out, &all[j], rule->id, way, err) != 0)
                return -1;
        }
    }
    return 0;
}

static int peers_compile(const struct profile_peer *peers, size_t n_peers, u8 way, struct arena *a, struct wall_rules *out, struct err *err)
{
    struct prefix *all = arena_array(a, n_peers + 2, sizeof *all);
    size_t n = 0;
    bool has_names = false;

    if (!all)
        return err_nomem(err);
    for (size_t i = 0; i < n_peers; i++, n++) {
        all[n].peer = &peers[i];
        if (!peers[i].cidr)
            has_names = all[n].any_family = true;
        else if (!cidr_parse(peers[i].cidr, &all[n].net))
            return err_set(err, ERR_INVALID, "peer %.80s is not an address with its prefix", peers[i].cidr);
    }
    if (has_names)
        all[n++].any_family = true;      /* DNS */
    out->has_names |= has_names;
    /* IPv4 has a prefix of its own, so that no shorter one of IPv6 answers for it. */
    memcpy(all[n].net.bytes, mapped, sizeof mapped);
    all[n].net.bits = PREFIX_V4;
    all[n++].net.is_v4 = true;
    return prefixes_compile(all, n, way, out, err);
}

static int listens_compile(const struct profile *p, struct wall_rules *out, struct err *err)
{
    for (size_t i = 0; i < p->n_listens; i++) {
        if (p->listens[i].port < 1 || p->listens[i].port > 65535)
            return err_set(err, ERR_INVALID, "port %lld", (long long)p->listens[i].port);
        if (port_add(out, 0, WAY_LISTEN, p->listens[i].protocol, p->listens[i].port, err) != 0)
            return -1;
    }
    out->set.flags |= SET_LISTEN;
    return 0;
}

static int network_fill(const struct profile *p, struct arena *a, struct wall_rules *out, struct err *err)
{
    if (p->has_listens && listens_compile(p, out, err) != 0)
        return -1;
    if (p->has_egress) {
        if (peers_compile(p->egress, p->n_egress, WAY_EGRESS, a, out, err) != 0)
            return -1;
        out->set.flags |= SET_EGRESS;
    }
    if (p->has_ingress) {
        if (peers_compile(p->ingress, p->n_ingress, WAY_INGRESS, a, out, err) != 0)
            return -1;
        out->set.flags |= SET_INGRESS;
    }
    return 0;
}

/* How many ports there will be is known last: they are collected apart and copied. */
static int network_compile(const struct profile *p, struct arena *a, struct wall_rules *out, struct err *err)
{
    struct arena apart;
    arena_init(&apart, sizeof *out->ports * RULES_PORTS_MAX + 64 * 1024);
    out->ports = arena_array(&apart, RULES_PORTS_MAX, sizeof *out->ports);
    out->peers = arena_array(a, p->n_egress + p->n_ingress + 4, sizeof *out->peers);
    int r = out->ports && out->peers ? network_fill(p, a, out, err) : err_nomem(err);
    struct wall_port_key *kept = r == 0 ? arena_array(a, out->n_ports + 1, sizeof *kept) : NULL;
    if (r == 0 && !kept)
        r = err_nomem(err);
    if (r == 0 && out->n_ports > 0)
        memcpy(kept, out->ports, out->n_ports * sizeof *kept);
    out->ports = kept;
    arena_clear(&apart);
    return r;
}

int wall_compile(const struct profile *p, int64_t lease_s, struct arena *a, struct wall_rules *out, struct err *err)
{
    struct wall_rules r = { .set.mode = (u32)p->mode };
    int64_t lease = p->lease_s > 0 ? p->lease_s : lease_s;

    if (p->mode < 0 || p->mode >= PROFILE_MODE_N)
        return err_set(err, ERR_INVALID, "profile %.80s: mode %d", p->name ? p->name : "", p->mode);
    if (p->mode == PROFILE_PROTECT && p->has_executables && p->n_executables == 0)
        return err_set(err, ERR_INVALID, "profile %.80s: protects and names no executable: nothing could run", p->name ? p->name : "");
    r.set.lease_ns = (u64)lease * 1000000000u;
    r.set.flags = p->on_agent_loss == ON_LOSS_CLOSED ? SET_CLOSED : 0;
    if ((p->has_executables && execs_compile(p, a, &r, err) != 0) || network_compile(p, a, &r, err) != 0)
        return err_prefix(err, "profile %.80s", p->name ? p->name : "");
    *out = r;
    return 0;
}

int wall_profile_check(const struct profile *p, struct err *err)
{
    struct wall_rules rules;
    struct arena a;

    if (!p->repository || !p->repository[0])
        return err_set(err, ERR_INVALID, "profile %.80s names no repository", p->name ? p->name : "");
    arena_init(&a, (size_t)64 << 20);
    int r = wall_compile(p, WALL_LEASE_DEFAULT_S, &a, &rules, err);
    arena_clear(&a);
    return r;
}
