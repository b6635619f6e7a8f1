/* What it costs to know a node by its session token: the MAC alone, and with the look
 * into memory, as every poll pays it. */
#include "base/crypto.h"
#include "base/mac_token.h"
#include "base/time.h"
#include "service/nodes_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 7, CALLS = 200000, NODES = 10000 };

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *v)
{
    qsort(v, ROUNDS, sizeof *v, by_value);
    return v[ROUNDS / 2];
}

static void fill(struct nodes *nodes)
{
    struct err err = { 0 };

    for (int i = 1; i <= NODES; i++) {
        char id[32];
        snprintf(id, sizeof id, "node%d", i);
        const struct node n = { .id = i, .node_id = id, .name = id, .cluster = "c", .scope = "c/zone=a", .revoked_ms = TIME_UNKNOWN,
                                .last_seen_ms = TIME_UNKNOWN };
        if (nodes_put(nodes, &n, &err) != 0)
            abort();
    }
}

int main(void)
{
    static struct nodes nodes;
    static char tokens[NODES][MAC_TOKEN_TEXT + 1];
    struct app app = { .nodes = &nodes };
    struct arena arena;
    struct mac_claims claims;
    struct caller caller;
    struct err err = { 0 };
    double mac[ROUNDS], whole[ROUNDS];

    if (crypto_init(&err) != 0)
        return 1;
    pthread_mutex_init(&nodes.lock, NULL);
    arena_init(&nodes.texts, 64 << 20);
    arena_init(&arena, 64 << 20);
    fill(&nodes);
    for (int i = 0; i < NODES; i++)
        memcpy(tokens[i], nodes_token(&nodes, nodes_facts(&nodes, i + 1), NULL, 1000, 1000000, &arena), MAC_TOKEN_TEXT + 1);
    for (int r = 0; r < ROUNDS; r++) {
        double from = now_us();
        for (int i = 0; i < CALLS; i++)
            if (mac_token_check(nodes.key, tokens[i % NODES], 2000, &claims) != MAC_TOKEN_GOOD)
                return 1;
        mac[r] = (now_us() - from) / CALLS;
        from = now_us();
        for (int i = 0; i < CALLS; i++)
            if (nodes_identify(&app, NULL, tokens[i % NODES], NULL, "10.0.0.1", &arena, 2000, &caller, &err) != 0)
                return 1;
        whole[r] = (now_us() - from) / CALLS;
    }
    printf("node_token\tMAC alone\t%.2f us\nnode_token\tidentified, %d nodes in memory\t%.2f us\n", median(mac), NODES, median(whole));
    return 0;
}
