/* nodes_internal.h - private to nodes*.c: how the memory of nodes is laid out. */
#ifndef KEEP_SERVICE_NODES_INTERNAL_H
#define KEEP_SERVICE_NODES_INTERNAL_H

#include "base/arena.h"
#include "base/mac_token.h"
#include "service/nodes.h"

#include <pthread.h>
#include <stdatomic.h>

enum { PLACES_IN_CHUNK = 1024, CHUNKS_MAX = 4096, FROM_MAX = 48, TRIES_N = 4096 };

/* One node.  Everything but the address is read and written without a lock. */
struct place {
    _Atomic(const struct node_facts *) facts;    /* NULL: not known; set once */
    atomic_bool revoked;
    atomic_bool doubtful;                        /* revoked by a transaction that may not have come through */
    atomic_llong seen_ms, version;               /* INT64_MIN and -1: not known */
    atomic_llong written_ms, written_version;    /* what the store has of these */
    atomic_llong issued_ms;                      /* newest session token that this process gave out */
    atomic_ullong from_hash;                     /* of `from`: only another address takes the lock */
    char from[FROM_MAX];
};

struct chunk { struct place places[PLACES_IN_CHUNK]; };

struct try_bucket { uint64_t key; int64_t at_ms, milli; };

struct nodes {
    uint8_t key[MAC_TOKEN_KEY_LEN];
    _Atomic(struct chunk *) chunks[CHUNKS_MAX];
    atomic_llong highest;                        /* largest number that is known */
    pthread_mutex_t lock;                        /* of those who add, of the texts, and of addresses */
    struct arena texts;
    bool is_shared;                              /* other processes write the same database */
    int64_t refreshed_ms;                        /* of the housekeeper alone */
    pthread_mutex_t tries_lock;
    struct try_bucket tries[TRIES_N];
    uint64_t seed;
    atomic_llong sessions, enrolments, refused[NODES_REFUSAL_N];
    atomic_llong by_state[NODE_STATE_N];         /* as the last refresh counted */
};

/* NULL: no such place (yet). */
struct place *nodes_place(struct nodes *nodes, int64_t node);

/* nodes_key.c: 32 bytes from DATA/agent-session.key, made at first. */
int nodes_key_open(const char *data_dir, uint8_t key[MAC_TOKEN_KEY_LEN], struct err *err);

/* FNV-1a with a seed nobody outside knows; never 0. */
uint64_t nodes_hash(const struct nodes *nodes, const char *text);

#endif
