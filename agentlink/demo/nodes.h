/* nodes.h - the demo's nodes: they join, tell what they run and what happened, and stay. */
#ifndef KEEP_DEMO_NODES_H
#define KEEP_DEMO_NODES_H

#include "demo/fleet.h"

#include <signal.h>

struct nodes_config {
    const char *url, *token;                   /* of an administrator */
    const char *keys_dir;                      /* the nodes' keys and names are kept there */
    bool stay;                                 /* go on asking for bundles until `stop`, or until the server is gone */
    const volatile sig_atomic_t *stop;
};

/* Joins what is not in keys_dir yet.  Nodes that join tell their containers and a few
 * hours of events, and profiles are declared and approved first. */
int nodes_run(const struct nodes_config *config, const struct fleet *fleet, struct arena *arena, struct err *err);

/* Clusters whose nodes have agents: nobody else reports what runs there. */
bool cluster_has_agents(const char *cluster);

#endif
