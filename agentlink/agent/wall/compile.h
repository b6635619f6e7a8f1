/* compile.h - a profile as the kernel's maps want it.  Pure.
 *
 * Peers that have a name (DNS, a service) have no address here: what they allow is
 * any address on their ports, and DNS itself.  has_names says that this was so. */
#ifndef KEEP_AGENT_WALL_COMPILE_H
#define KEEP_AGENT_WALL_COMPILE_H

#include "agent/wall/layout.h"
#include "base/arena.h"
#include "base/err.h"
#include "model/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RULES_PORTS_MAX = 16384 };

struct exec_rule {
    struct wall_rule_key key;            /* .set is 0 in all of these: the loader fills it in */
    struct wall_rule rule;
    const char *sha256;                  /* 64 hex, borrowed from the arena; NULL any */
};

struct peer_rule {
    struct wall_peer_key key;
    u32 id;
};

struct wall_rules {
    struct wall_set set;
    struct exec_rule *execs; size_t n_execs;
    struct wall_edge_key *edges; size_t n_edges;
    struct wall_port_key *ports; size_t n_ports;
    struct peer_rule *peers; size_t n_peers;
    bool has_names;
};

/* Everything in the arena.  lease_s: for profiles that name none.  ERR_INVALID names
 * what cannot be enforced as it is written: a path that is not absolute or too long,
 * a CIDR that is none, protect mode that would let nothing run.  ERR_TOO_LARGE. */
int wall_compile(const struct profile *p, int64_t lease_s, struct arena *a, struct wall_rules *out, struct err *err);

#endif
