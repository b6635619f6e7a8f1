/* nodes_internal.h - what the files about nodes share. */
#ifndef KEEP_DEMO_NODES_INTERNAL_H
#define KEEP_DEMO_NODES_INTERNAL_H

#include "agent/identity.h"
#include "client/http.h"
#include "demo/nodes.h"
#include "wire/json.h"

enum { DEMO_NODES_MAX = 16, NODE_ID_TEXT = 80, NODE_TOKEN_TEXT = 512, HAPPENINGS_MAX = 16 };

struct demo_node {
    const char *cluster, *labels;              /* labels: JSON object */
    unsigned nth, of;                          /* which of the cluster's nodes */
    char name[64];
    struct machine machine;
    struct privkey *key;
    char node_id[NODE_ID_TEXT], token[NODE_TOKEN_TEXT];
    int64_t version;                           /* of the bundle it has */
    bool is_new;
};

struct nodes {
    const struct nodes_config *config;
    const struct fleet *fleet;
    struct arena *arena;
    struct http_client *client;
    struct demo_node node[DEMO_NODES_MAX];
    size_t n;
    bool happened[HAPPENINGS_MAX];
};

/* Sends JSON with this token (NULL: none); doc (may be NULL) is the parsed answer. */
int nodes_post(struct nodes *s, const char *token, const char *target, const struct buf *body, struct json *doc, struct err *err);

/* A container of the fleet: the i-th replica of a workload, on its node. */
struct demo_container {
    const struct demo_workload *workload;
    char id[65], pod[96], workload_name[64];
};
bool container_is_here(const struct demo_node *node, const struct demo_workload *w, int replica, struct demo_container *out);

/* nodes_tell.c */
int node_tell_containers(struct nodes *s, struct demo_node *node, struct err *err);
int node_tell_events(struct nodes *s, struct demo_node *node, struct err *err);
int node_tell_status(struct nodes *s, struct demo_node *node, struct err *err);

/* nodes_profiles.c: declared and, but for one, approved. */
int profiles_declare(struct nodes *s, struct err *err);

#endif
