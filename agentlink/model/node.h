/* node.h - a machine that runs containers, and the invitation it came by. */
#ifndef KEEP_MODEL_NODE_H
#define KEEP_MODEL_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* invited: a key came with a join token; enrolled: it proved to hold it; silent: not
 * heard of for some time; revoked: refused from then on, for ever. */
enum node_state { NODE_REVOKED = 0, NODE_INVITED, NODE_SILENT, NODE_ENROLLED, NODE_STATE_N };

struct node {
    int64_t id;                          /* of the store; never shown */
    const char *node_id, *name, *cluster, *scope;
    const char *labels;                  /* JSON object */
    const char *fingerprint, *public_key, *join_token;
    int64_t created_ms, enrolled_ms, revoked_ms, last_seen_ms;
    const char *revoked_by, *last_from;
    const char *agent_version, *kernel, *arch;
    int64_t clock_skew_ms;               /* TIME_UNKNOWN: not measured */
    int64_t session_ms, challenge_ms;    /* its clock at its last session; when the challenge it answered was made */
    const char *session_nonce;
    const char *instances;               /* JSON list of the machine's last boots, newest first */
    int64_t cloned_ms;                   /* two machines were seen to use this identity */
    const char *certificate;             /* fingerprint of its TLS client key, "" none */
    int64_t bundle_version;              /* 0 none */
    int64_t bundle_applied_ms;
    const char *problem, *status;
    int64_t status_ms;
    const char *stream;
    int64_t through_seq, n_events, n_dropped, n_refused, inventory_generation, n_containers;
    int state;                           /* enum node_state, as of the time it was read */
};

struct join_token {
    const char *id, *name, *cluster;
    const char *labels;                  /* JSON object */
    int64_t created_ms, expires_ms, revoked_ms, max_uses, n_used;
    const char *created_by, *state;
    const char *text;                    /* only in the answer that makes it */
};

#endif
