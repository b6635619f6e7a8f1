/* rules.c - the rules of one profile in and out of the kernel's maps; see internal.h.
 *
 * A set is filled before anything refers to it and emptied after nothing does, so a
 * program never sees half of one. */
#include "agent/wall/internal.h"
#include "agent/wall/built.h"

#ifdef KEEP_WALL_BUILT
#include "agent/wall/wall.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

static int put(int map, const void *key, const void *value, const char *what, struct err *err)
{
    if (bpf_map_update_elem(map, key, value, BPF_ANY) == 0)
        return 0;
    return err_set(err, errno == E2BIG || errno == ENOSPC ? ERR_TOO_LARGE : ERR_UNAVAILABLE, "the kernel's map of %s: %s", what,
                   strerror(errno));
}

static int execs_load(struct wall *w, const struct wall_rules *r, u32 set, struct err *err)
{
    const u8 yes = 1;
    for (size_t i = 0; i < r->n_execs; i++) {
        struct wall_rule_key key = r->execs[i].key;
        struct wall_rule rule = r->execs[i].rule;
        key.set = set;
        if (!w->status.edges)
            rule.flags &= ~(u32)RULE_EDGES;
        if (put(bpf_map__fd(w->bpf->maps.rules), &key, &rule, "programs", err) != 0)
            return -1;
    }
    for (size_t i = 0; i < r->n_edges; i++) {
        struct wall_edge_key key = r->edges[i];
        key.set = set;
        if (put(bpf_map__fd(w->bpf->maps.edges), &key, &yes, "parents", err) != 0)
            return -1;
    }
    return 0;
}

static int network_load(struct wall *w, const struct wall_rules *r, u32 set, struct err *err)
{
    const u8 yes = 1;
    for (size_t i = 0; i < r->n_ports; i++) {
        struct wall_port_key key = r->ports[i];
        key.set = set;
        if (put(bpf_map__fd(w->bpf->maps.ports), &key, &yes, "ports", err) != 0)
            return -1;
    }
    for (size_t i = 0; i < r->n_peers; i++) {
        struct wall_peer_key key = r->peers[i].key;
        key.set = set;
        if (put(bpf_map__fd(w->bpf->maps.peers), &key, &r->peers[i].id, "peers", err) != 0)
            return -1;
    }
    return 0;
}

void rules_unload(struct wall *w, const struct wall_rules *r, u32 set)
{
    if (!w->bpf)
        return;
    bpf_map_delete_elem(bpf_map__fd(w->bpf->maps.sets), &set);
    for (size_t i = 0; i < r->n_execs; i++) {
        struct wall_rule_key key = r->execs[i].key;
        key.set = set;
        bpf_map_delete_elem(bpf_map__fd(w->bpf->maps.rules), &key);
    }
    for (size_t i = 0; i < r->n_edges; i++) {
        struct wall_edge_key key = r->edges[i];
        key.set = set;
        bpf_map_delete_elem(bpf_map__fd(w->bpf->maps.edges), &key);
    }
    for (size_t i = 0; i < r->n_ports; i++) {
        struct wall_port_key key = r->ports[i];
        key.set = set;
        bpf_map_delete_elem(bpf_map__fd(w->bpf->maps.ports), &key);
    }
    for (size_t i = 0; i < r->n_peers; i++) {
        struct wall_peer_key key = r->peers[i].key;
        key.set = set;
        bpf_map_delete_elem(bpf_map__fd(w->bpf->maps.peers), &key);
    }
}

int rules_load(struct wall *w, const struct wall_rules *r, u32 set, struct err *err)
{
    struct wall_set head = r->set;
    if (!w->bpf)
        return 0;
    if (w->set.no_network)
        head.flags &= ~(u32)(SET_LISTEN | SET_EGRESS | SET_INGRESS);
    if (w->status.rung == WALL_FANOTIFY || w->status.rung == WALL_NONE)
        head.flags |= SET_TELL;
    if (!w->status.edges)
        head.flags &= ~(u32)SET_EDGES;
    if (execs_load(w, r, set, err) == 0 && network_load(w, r, set, err) == 0 &&
        put(bpf_map__fd(w->bpf->maps.sets), &set, &head, "profiles", err) == 0)
        return 0;
    rules_unload(w, r, set);
    return -1;
}
#endif
