/* bundles_internal.h - shared by bundles*.c, bundle_*.c and manage_trust.c only.
 *
 * The thread alone changes what is in memory.  The light path reads slots and roots,
 * which are only ever added, and through the gate what a slot points to, which is
 * replaced: a replaced bundle is dropped when nobody is within the gate that could have
 * seen it (two turns of the gate, as sleepable RCU does it). */
#ifndef KEEP_SERVICE_BUNDLES_INTERNAL_H
#define KEEP_SERVICE_BUNDLES_INTERNAL_H

#include "base/striped.h"
#include "service/bundles.h"
#include "store/bundle.h"
#include "wire/trust.h"

#include <pthread.h>
#include <stdatomic.h>

enum { BUNDLE_BUCKETS = 1024, BUNDLE_ETAG_TEXT = 64, BUNDLE_CAUSE_MAX = 120, BUNDLE_KEYS_MAX = 2 };

#define ROOT_KEY_FILE "trust-root.key"
#define BUNDLE_KEY_FILE "bundle.key"
#define NEXT_KEY_FILE "bundle.next.key"

/* A bundle as it is served. */
struct made {
    int64_t version, signed_ms, expires_ms, root_version;
    char content[2 * SHA256_LEN + 1], etag[BUNDLE_ETAG_TEXT];
    const struct ready *ready;
};

/* A scope; lives until bundles_close. */
struct slot {
    struct slot *next;
    _Atomic(struct made *) made;         /* NULL: none yet */
    atomic_llong generation;             /* moves on with every new bundle: what polls wait for */
    char tag[17];                        /* begins its etags */
    char scope[];
};

struct made_root {
    int64_t version;
    struct arena arena;                  /* of what follows */
    struct trust_root root;
    struct bytes envelope;
    char fingerprint[2 * SHA256_LEN + 1];/* of the payload */
};

struct gate {
    struct striped in[2];
    _Alignas(64) atomic_uint turn;
};

/* The server's own keys; each NULL when it is not there. */
struct own_keys {
    struct privkey *root, *bundle, *next;
};

struct bundles {
    struct app *app;
    const struct ready_ops *ready;
    _Atomic(struct slot *) buckets[BUNDLE_BUCKETS];
    atomic_llong n_slots;
    atomic_llong generation;             /* moves on with every bundle of any scope */
    _Atomic(const struct made_root *) roots[TRUST_ROOTS_MAX + 1];     /* by version */
    atomic_llong newest_root;            /* 0: none */
    struct gate gate;

    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;                /* guards what follows */
    pthread_cond_t wake;
    bool is_dirty, closing;
    char cause[BUNDLE_CAUSE_MAX], problem[240];

    struct db *reader;                   /* the thread's own from here on */
    int64_t seen_policies, seen_profiles, seen_bundles, due_ms;
    atomic_llong n_made, n_failed;
};

/* bundles.c */
struct slot *bundle_slot(struct bundles *b, const char *scope);                 /* NULL: none */
struct slot *bundle_slot_add(struct bundles *b, const char *scope);             /* the thread; NULL: no memory */
void bundle_publish(struct bundles *b, struct slot *s, struct made *made);      /* the thread; drops the one before */
const struct made_root *bundle_root(struct bundles *b, int64_t version);        /* NULL: none */
const struct made_root *bundle_root_newest(struct bundles *b);
void bundles_problem(struct bundles *b, const char *problem);                   /* "": none */

/* bundle_trust.c */
int own_keys_open(const char *data_dir, bool make, struct own_keys *out, struct err *err);
void own_keys_close(struct own_keys *keys);
/* Our keys that may sign bundles under this root; false: too few. */
bool own_bundle_keys(const struct own_keys *keys, const struct trust_root *root, const struct privkey *out[BUNDLE_KEYS_MAX], size_t *n);
bool own_root_key_suffices(const struct own_keys *keys, const struct trust_root *root);
int made_root_new(int64_t version, struct bytes envelope, const struct trust_root *before, struct made_root **out, struct err *err);
void made_root_free(struct made_root *r);
/* A root of our own: after `before` (NULL: the first), with this bundle key, signed with our root key. */
int root_make(const struct own_keys *keys, const struct trust_root *before, const struct pubkey *bundle_key, int64_t expires_ms,
              struct arena *arena, struct bytes *envelope, struct err *err);
/* Adds our root key's signature to an envelope when the root before it lists that key and it has not signed. */
int root_countersign(const struct own_keys *keys, const struct trust_root *before, struct bytes envelope, struct arena *arena,
                     struct bytes *out, struct err *err);

/* bundle_build.c */
enum { CONTENT_FILES = 3 };
struct content {
    struct { const char *name; struct buf text; } files[CONTENT_FILES];
    char hash[2 * SHA256_LEN + 1];
};
int content_build(struct app *app, struct db *db, const char *cluster, struct content *out, struct err *err);
void content_free(struct content *c);
/* Appends the bundle as it is served: envelope, line feed, files. */
int content_sign(const struct content *c, const struct bundle_row *terms, const struct privkey *const keys[], size_t n_keys,
                 struct buf *out, struct err *err);

/* bundle_thread.c */
int bundle_round(struct bundles *b, struct err *err);      /* looks, and makes what is due */
void *bundle_thread(void *bundles);
int bundle_reader_open(struct bundles *b, struct err *err);

#endif
