/* node.h - a node for tests: enrolled at a real keepd, with a session. */
#ifndef KEEP_TESTS_NODE_H
#define KEEP_TESTS_NODE_H

#include "agent/identity.h"
#include "tests/support/client.h"

struct test_node {
    struct privkey *key;
    struct machine machine;
    char node_id[64], scope[256];
    char join[128];                      /* the join token it came by */
    char token[256];                     /* of its session, "" none */
    int64_t clock_ms;                    /* how far its clock is off */
};

/* Whatever is refused ends the test program.  labels: JSON object or NULL. */
void test_node_join(struct client *c, const char *admin, const char *cluster, const char *labels, struct test_node *out);
void test_node_session(struct client *c, struct test_node *n);

/* The steps by themselves; the answer's status.  test_node_init makes the key. */
void test_node_init(struct test_node *n);
void test_node_invite(struct client *c, const char *admin, const char *body, char join[128]);    /* body: of POST /v1/join-tokens */
int test_node_enroll(struct client *c, struct test_node *n);            /* with n->join */
int test_node_ask(struct client *c, struct test_node *n);               /* a session; answers a challenge */
void test_node_envelope(struct test_node *n, const char *node_id, const char *challenge, struct buf *out);
int test_node_post(struct client *c, const struct buf *envelope);       /* as it is */
void test_node_free(struct test_node *n);

#endif
