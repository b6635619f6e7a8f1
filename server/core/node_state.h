/* node_state.h - the life of a node, and what is wrong with it.  Pure. */
#ifndef KEEP_CORE_NODE_STATE_H
#define KEEP_CORE_NODE_STATE_H

#include "model/node.h"

#include <stdbool.h>
#include <stdint.h>

extern const char *const node_state_words[];         /* by enum node_state; NULL-terminated */

/* The table: may a node in `from` become `to`?  Nothing comes back from revoked. */
bool node_state_may(enum node_state from, enum node_state to);

/* The state at now of a node that is what its times say. */
enum node_state node_state_at(const struct node *node, int64_t silent_ms, int64_t now_ms);

/* What is wrong with it, in one sentence for people; "" when nothing is. */
struct node_signs {
    bool is_cloned;                      /* two machines use this identity */
    int64_t clock_skew_ms;               /* TIME_UNKNOWN: not measured */
    const char *bundle_problem;          /* of its last report; NULL or "": none */
    int64_t spool_dropped;               /* events lost since the report before */
};
enum { NODE_SKEW_MAX_MS = 60000, NODE_PROBLEM_MAX = 240 };
void node_problem(const struct node_signs *signs, char out[NODE_PROBLEM_MAX + 1]);

#endif
