/* profile.h - what an image is expected to do: programs, ports, peers, files, users,
 * capabilities.
 *
 * A part that a profile leaves out (has_... false) is not judged, and is shown as
 * not covered; a part that is there and empty allows nothing. */
#ifndef KEEP_MODEL_PROFILE_H
#define KEEP_MODEL_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where it comes from.  What counts is the enforced one. */
enum profile_source { PROFILE_DECLARED = 0, PROFILE_LEARNED, PROFILE_ENFORCED, PROFILE_SOURCE_N };

/* discover: learn, say nothing; monitor: report what departs from it; protect: deny it, too. */
enum profile_mode { PROFILE_DISCOVER = 0, PROFILE_MONITOR, PROFILE_PROTECT, PROFILE_MODE_N };

/* What becomes of a wall whose agent has been silent for longer than its lease. */
enum profile_on_loss { ON_LOSS_OPEN = 0, ON_LOSS_CLOSED, ON_LOSS_N };

enum profile_part {
    PART_EXECUTABLE = 0, PART_LISTEN, PART_EGRESS, PART_INGRESS, PART_WRITE, PART_USER, PART_CAPABILITY, PROFILE_PART_N
};

enum net_protocol { NET_ANY = 0, NET_TCP, NET_UDP, NET_PROTOCOL_N };

struct profile_executable {
    const char *path;                    /* as the container sees it, absolute */
    const char *sha256;                  /* 64 hex; NULL: any content */
    const char *const *parents; size_t n_parents;     /* paths that may start it; 0: any */
};

struct profile_port {
    int protocol;                        /* enum net_protocol */
    int64_t port;                        /* 1..65535 */
};

enum peer_kind { PEER_NONE = 0, PEER_SERVICE, PEER_CIDR, PEER_DNS, PEER_KIND_N };

struct profile_peer {
    int kind;                            /* enum peer_kind: exactly one of the three is given */
    const char *service;                 /* "namespace/workload"; either may be "*" */
    const char *cidr;                    /* "10.0.0.0/8", "fd00::/8" */
    const char *dns;                     /* "api.example.com", "*.example.com" */
    const int64_t *ports; size_t n_ports;             /* 0: any */
    int protocol;
};

struct profile {
    const char *name;
    const char *repository;              /* canonical: docker.io/acme/shop */
    const char *digest;                  /* NULL: every image of the repository */
    int mode;                            /* enum profile_mode */
    int on_agent_loss;                   /* enum profile_on_loss */
    int64_t lease_s;                     /* seconds of silence before that; 0: the default, 60 */
    bool has_executables, has_listens, has_egress, has_ingress, has_writes, has_users, has_capabilities;
    const struct profile_executable *executables; size_t n_executables;
    const struct profile_port *listens; size_t n_listens;
    const struct profile_peer *egress; size_t n_egress;
    const struct profile_peer *ingress; size_t n_ingress;   /* who may open connections to it */
    const char *const *writes; size_t n_writes;       /* absolute paths; two stars at the end: everything below */
    const int64_t *users; size_t n_users;
    const char *const *capabilities; size_t n_capabilities;  /* "NET_BIND_SERVICE" */
};

#endif
