/* merkle.h - the tree behind the audit log (RFC 6962, RFC 9162 section 2.1).
 *
 *     leaf = SHA-256(0x00 | record)     node = SHA-256(0x01 | left | right)
 *     root of n > 1 leaves = node(root of the first k, root of the rest),
 *     k the largest power of two below n; root of none = SHA-256()
 *
 * Leaf i at level 0 has index i; the complete subtree over the leaves
 * [index << level, (index + 1) << level) is node (level, index) and never
 * changes again.  Nothing here allocates. */
#ifndef KEEP_BASE_MERKLE_H
#define KEEP_BASE_MERKLE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MERKLE_HASH = 32, MERKLE_LEVELS = 63, MERKLE_PATH_MAX = 65 };

void merkle_leaf(const void *record, size_t len, uint8_t out[MERKLE_HASH]);
void merkle_node(const uint8_t left[MERKLE_HASH], const uint8_t right[MERKLE_HASH], uint8_t out[MERKLE_HASH]);

/* A tree that only grows: the roots of its complete subtrees.  Zeroed, it is
 * empty.  peak[l] counts when bit l of size is set. */
struct merkle_tree {
    uint64_t size;
    uint8_t peak[MERKLE_LEVELS][MERKLE_HASH];
};

/* Adds leaf number tree->size.  done[l] becomes the node that it completed on
 * level l, for l below the number returned (>= 1: done[0] is the leaf): node
 * (l, leaf number >> l).  done may be NULL.  0 when the tree is full (2^63 - 1). */
size_t merkle_add(struct merkle_tree *tree, const uint8_t leaf[MERKLE_HASH],
                  uint8_t done[MERKLE_LEVELS + 1][MERKLE_HASH]);

void merkle_root(const struct merkle_tree *tree, uint8_t out[MERKLE_HASH]);

/* True when the leaf with this hash is number `index` of the tree (size, root). */
bool merkle_verify_inclusion(uint64_t index, uint64_t size, const uint8_t leaf[MERKLE_HASH],
                             const uint8_t path[][MERKLE_HASH], size_t n_path, const uint8_t root[MERKLE_HASH]);

/* True when the tree (size1, root1) is the beginning of the tree (size2, root2).
 * size1 == 0 is never shown by a proof: false. */
bool merkle_verify_consistency(uint64_t size1, uint64_t size2, const uint8_t root1[MERKLE_HASH],
                               const uint8_t root2[MERKLE_HASH], const uint8_t proof[][MERKLE_HASH], size_t n_proof);

/* Where complete nodes are kept: 0, or -1 with err. */
struct merkle_source {
    int (*node)(void *ctx, unsigned level, uint64_t index, uint8_t out[MERKLE_HASH], struct err *err);
    void *ctx;
};

/* The proofs the functions above accept.  path holds MERKLE_PATH_MAX hashes.
 * ERR_INVALID when index >= size, or not 0 < size1 <= size2; else the source's. */
int merkle_prove_inclusion(const struct merkle_source *source, uint64_t index, uint64_t size,
                           uint8_t path[][MERKLE_HASH], size_t *n_path, struct err *err);
int merkle_prove_consistency(const struct merkle_source *source, uint64_t size1, uint64_t size2,
                             uint8_t proof[][MERKLE_HASH], size_t *n_proof, struct err *err);

/* Root of the first `size` leaves, from the source. */
int merkle_source_root(const struct merkle_source *source, uint64_t size, uint8_t out[MERKLE_HASH],
                       struct err *err);

#endif
