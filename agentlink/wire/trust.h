/* trust.h - whom a node believes: roots of trust and signed bundles.
 *
 * The Update Framework (1.0.34) reduced to two roles.  A root says which keys may
 * sign the next root and which may sign bundles, and how many of each must.  A
 * bundle is the list of files a node is to use: names, lengths, SHA-256.  Both are
 * DSSE envelopes:
 *
 *   application/vnd.keep.root+json    {"_type":"root", "version", "expires",
 *       "keys": {FINGERPRINT: {"alg": "ed25519", "pub": BASE64}},
 *       "roles": {"root": {"keyids": [...], "threshold": t}, "bundle": {...}}}
 *   application/vnd.keep.bundle+json  {"_type":"bundle", "version", "root_version",
 *       "scope", "signed_at", "expires", "files": [{"name", "length", "sha256"}]}
 *
 * Everything here is pure: bytes and a time in, a decision out.  Signatures are
 * verified over the bytes before the payload is parsed.  What is counted is unique
 * keys.  Versions are integers 1 .. 2^63-1 and compared as such: reals, texts and
 * 2^63 are no versions.
 *
 * Fast-forward: whoever holds a bundle key can make nodes trust version 2^63-1, and
 * no later one can be newer.  What bounds the harm is the root: a root whose bundle
 * role has other keys (or another threshold) drops the floor (trust_floor_follow),
 * so that counting starts anew. */
#ifndef KEEP_WIRE_TRUST_H
#define KEEP_WIRE_TRUST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/signature.h"

#define TRUST_ROOT_TYPE "application/vnd.keep.root+json"
#define TRUST_BUNDLE_TYPE "application/vnd.keep.bundle+json"

enum {
    TRUST_ROOT_MAX = 64 * 1024,          /* bytes of an envelope */
    TRUST_BUNDLE_MAX = 256 * 1024,
    TRUST_KEYS_MAX = 32,                 /* of a root */
    TRUST_FILES_MAX = 32,                /* of a bundle */
    TRUST_FILES_BYTES = 16 * 1024 * 1024,/* of all its files together */
    TRUST_NAME_MAX = 64,                 /* of a file: a-z 0-9 . - _, not beginning with a dot */
    TRUST_SCOPE_MAX = 1024,
};

/* Why something was not believed; the words of trust_reason_word are stable. */
enum trust_reason {
    TRUST_FINE = 0,
    TRUST_MALFORMED,       /* not the format, or out of bounds */
    TRUST_SIGNATURE,       /* too few of the right keys signed */
    TRUST_VERSION,         /* a root that is not the next one */
    TRUST_ROLLBACK,        /* older than what was trusted before */
    TRUST_EQUIVOCATION,    /* the same version with other content */
    TRUST_EXPIRED,         /* its time is over: somebody may be holding newer ones back */
    TRUST_AUDIENCE,        /* made for others */
    TRUST_ROOT_AHEAD,      /* made under a root we do not have */
    TRUST_MIXED,           /* a file that is not the one of the list */
    TRUST_REASON_N
};
const char *trust_reason_word(enum trust_reason reason);     /* "rollback", ... */

struct trust_role {
    size_t threshold;                    /* 1 .. n */
    size_t n;
    const struct pubkey *keys[TRUST_KEYS_MAX];   /* unique */
};

struct trust_root {
    int64_t version, expires_ms;
    struct trust_role root, bundle;
    struct pubkey *keys; size_t n_keys;  /* Ed25519: nothing to clear; the arena's */
};

/* A root that is trusted already, or is to be looked at: its own root keys signed it.
 * Its expiry is not judged.  `why` is set on failure (never NULL). */
int trust_root_verify(struct arena *arena, const void *envelope, size_t len, struct trust_root *out,
                      enum trust_reason *why, struct err *err);

/* The root after `now`: version now->version + 1, signed by the thresholds of both. */
int trust_root_next(struct arena *arena, const struct trust_root *now, const void *envelope, size_t len,
                    struct trust_root *out, enum trust_reason *why, struct err *err);

/* Reads a root's payload without looking at signatures: for making one.  Never trust it. */
int trust_root_read(struct arena *arena, const void *payload, size_t len, struct trust_root *out, struct err *err);

/* Appends the payload of a root. */
int trust_root_write(const struct trust_root *root, struct buf *out, struct err *err);

/* The same keys and threshold for bundles? */
bool trust_bundle_role_same(const struct trust_root *a, const struct trust_root *b);

struct trust_file {
    const char *name;
    int64_t length;
    uint8_t sha256[SHA256_LEN];
};

struct trust_bundle {
    int64_t version, root_version, signed_ms, expires_ms;
    const char *scope;
    struct trust_file *files; size_t n_files;    /* names unique */
    uint8_t hash[SHA256_LEN];            /* of the payload */
};

/* What a node remembers, so that it cannot be led back. */
struct trust_floor {
    int64_t version;                     /* of the newest trusted bundle; 0: none */
    uint8_t hash[SHA256_LEN];            /* of its payload */
    int64_t clock_ms;                    /* newest signed_at seen: it cannot be earlier than that; 0: none */
};

/* Time as it is believed: the clock, or the floor when the clock is behind it. */
int64_t trust_now(const struct trust_floor *floor, int64_t clock_ms);

/* Is the bundle for us, newer, in time, and signed by enough keys of the root's bundle
 * role?  1: new; 0: the one we have; -1: refused, `why` and err say why.  The floor is
 * not moved; now_ms as trust_now gives it. */
int trust_bundle_verify(struct arena *arena, const struct trust_root *root, const char *scope,
                        const struct trust_floor *floor, int64_t now_ms, const void *envelope, size_t len,
                        struct trust_bundle *out, enum trust_reason *why, struct err *err);

/* Reads a bundle that was believed before and lies in our own folder, whatever has become
 * of the keys since.  No signature is looked at: never for what comes over a network. */
int trust_bundle_read(struct arena *arena, const void *envelope, size_t len, struct trust_bundle *out, struct err *err);

/* Moves the floor to a bundle that was accepted. */
void trust_floor_raise(struct trust_floor *floor, const struct trust_bundle *accepted);

/* A new root was accepted: when its bundle role differs the floor is forgotten (recovery
 * from fast-forward, and from bundles signed by a clock that was ahead). */
void trust_floor_follow(struct trust_floor *floor, const struct trust_root *before, const struct trust_root *after);

/* Appends the payload of a bundle. */
int trust_bundle_write(const struct trust_bundle *bundle, struct buf *out, struct err *err);

/* The file is the one of the list. */
bool trust_file_is(const struct trust_file *file, const void *bytes, size_t len);

#endif
