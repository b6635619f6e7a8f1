/* merkle.c - see merkle.h. */
#include "base/merkle.h"
#include "base/crypto.h"

#include <string.h>

#define SIZE_LIMIT ((uint64_t)INT64_MAX)

void merkle_leaf(const void *record, size_t len, uint8_t out[MERKLE_HASH])
{
    struct sha256 s;

    sha256_init(&s);
    sha256_add(&s, "\x00", 1);
    sha256_add(&s, record, len);
    sha256_done(&s, out);
}

void merkle_node(const uint8_t left[MERKLE_HASH], const uint8_t right[MERKLE_HASH], uint8_t out[MERKLE_HASH])
{
    uint8_t both[1 + 2 * MERKLE_HASH] = { 0x01 };

    memcpy(both + 1, left, MERKLE_HASH);
    memcpy(both + 1 + MERKLE_HASH, right, MERKLE_HASH);
    sha256(both, sizeof both, out);
}

size_t merkle_add(struct merkle_tree *tree, const uint8_t leaf[MERKLE_HASH],
                  uint8_t done[MERKLE_LEVELS + 1][MERKLE_HASH])
{
    uint8_t carry[MERKLE_HASH];
    size_t level = 0;

    if (tree->size >= SIZE_LIMIT)
        return 0;
    memcpy(carry, leaf, sizeof carry);
    for (;; level++) {
        if (done != NULL)
            memcpy(done[level], carry, sizeof carry);
        if (!(tree->size >> level & 1))
            break;
        merkle_node(tree->peak[level], carry, carry);
    }
    memcpy(tree->peak[level], carry, sizeof carry);
    tree->size++;
    return level + 1;
}

void merkle_root(const struct merkle_tree *tree, uint8_t out[MERKLE_HASH])
{
    bool any = false;

    if (tree->size == 0)
        sha256("", 0, out);
    for (size_t level = 0; level < MERKLE_LEVELS; level++) {
        if (!(tree->size >> level & 1))
            continue;
        if (any)
            merkle_node(tree->peak[level], out, out);
        else
            memcpy(out, tree->peak[level], MERKLE_HASH);
        any = true;
    }
}

/* ---- verification --------------------------------------------------------- */

bool merkle_verify_inclusion(uint64_t index, uint64_t size, const uint8_t leaf[MERKLE_HASH],
                             const uint8_t path[][MERKLE_HASH], size_t n_path, const uint8_t root[MERKLE_HASH])
{
    uint64_t fn = index, sn = size - 1;
    uint8_t r[MERKLE_HASH];

    if (index >= size || size > SIZE_LIMIT || n_path > MERKLE_PATH_MAX)
        return false;
    memcpy(r, leaf, sizeof r);
    for (size_t i = 0; i < n_path; i++) {
        if (sn == 0)
            return false;
        if (fn & 1 || fn == sn) {
            merkle_node(path[i], r, r);
            for (; !(fn & 1) && fn != 0; fn >>= 1)
                sn >>= 1;
        } else {
            merkle_node(r, path[i], r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(r, root, sizeof r) == 0;
}

bool merkle_verify_consistency(uint64_t size1, uint64_t size2, const uint8_t root1[MERKLE_HASH],
                               const uint8_t root2[MERKLE_HASH], const uint8_t proof[][MERKLE_HASH], size_t n_proof)
{
    uint64_t fn = size1 - 1, sn = size2 - 1;
    uint8_t fr[MERKLE_HASH], sr[MERKLE_HASH];

    if (size1 == 0 || size1 > size2 || size2 > SIZE_LIMIT || n_proof > MERKLE_PATH_MAX)
        return false;
    if (size1 == size2)
        return n_proof == 0 && memcmp(root1, root2, MERKLE_HASH) == 0;
    if (n_proof == 0)
        return false;
    for (; fn & 1; fn >>= 1)
        sn >>= 1;
    /* A power of two is a complete subtree itself: its root starts the path. */
    bool is_complete = (size1 & (size1 - 1)) == 0;
    memcpy(fr, is_complete ? root1 : proof[0], sizeof fr);
    memcpy(sr, fr, sizeof sr);
    for (size_t i = is_complete ? 0 : 1; i < n_proof; i++) {
        if (sn == 0)
            return false;
        if (fn & 1 || fn == sn) {
            merkle_node(proof[i], fr, fr);
            merkle_node(proof[i], sr, sr);
            for (; !(fn & 1) && fn != 0; fn >>= 1)
                sn >>= 1;
        } else {
            merkle_node(sr, proof[i], sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(fr, root1, sizeof fr) == 0 && memcmp(sr, root2, sizeof sr) == 0;
}

/* ---- proofs --------------------------------------------------------------- */

/* Largest power of two below n; n >= 2. */
static uint64_t split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* Root of the leaves [begin, end), at least one, begin aligned as the tree's own splits are:
 * the complete subtrees from left to right, folded from the right. */
static int range_root(const struct merkle_source *source, uint64_t begin, uint64_t end,
                      uint8_t out[MERKLE_HASH], struct err *err)
{
    uint8_t peaks[MERKLE_LEVELS][MERKLE_HASH];
    size_t n = 0;

    do {
        unsigned level = (unsigned)(63 - __builtin_clzll(end - begin));
        if (source->node(source->ctx, level, begin >> level, peaks[n], err) != 0)
            return -1;
        n++;
        begin += UINT64_C(1) << level;
    } while (begin < end);
    memcpy(out, peaks[n - 1], MERKLE_HASH);
    for (n--; n > 0; n--)
        merkle_node(peaks[n - 1], out, out);
    return 0;
}

static void reverse(uint8_t list[][MERKLE_HASH], size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        uint8_t keep[MERKLE_HASH];
        memcpy(keep, list[i], sizeof keep);
        memcpy(list[i], list[n - 1 - i], sizeof keep);
        memcpy(list[n - 1 - i], keep, sizeof keep);
    }
}

int merkle_prove_inclusion(const struct merkle_source *source, uint64_t index, uint64_t size,
                           uint8_t path[][MERKLE_HASH], size_t *n_path, struct err *err)
{
    uint64_t begin = 0, end = size;
    size_t n = 0;

    if (index >= size || size > SIZE_LIMIT)
        return err_set(err, ERR_INVALID, "no leaf %llu in a tree of %llu", (unsigned long long)index,
                       (unsigned long long)size);
    while (end - begin > 1) {
        uint64_t middle = begin + split(end - begin);
        bool left = index < middle;
        if (range_root(source, left ? middle : begin, left ? end : middle, path[n++], err) != 0)
            return -1;
        if (left)
            end = middle;
        else
            begin = middle;
    }
    reverse(path, n);
    *n_path = n;
    return 0;
}

int merkle_prove_consistency(const struct merkle_source *source, uint64_t size1, uint64_t size2,
                             uint8_t proof[][MERKLE_HASH], size_t *n_proof, struct err *err)
{
    uint64_t begin = 0, end = size2;
    size_t n = 0;

    if (size1 == 0 || size1 > size2 || size2 > SIZE_LIMIT)
        return err_set(err, ERR_INVALID, "no proof from size %llu to %llu", (unsigned long long)size1,
                       (unsigned long long)size2);
    while (end != size1) {
        uint64_t middle = begin + split(end - begin);
        bool left = size1 <= middle;
        if (range_root(source, left ? middle : begin, left ? end : middle, proof[n++], err) != 0)
            return -1;
        if (left)
            end = middle;
        else
            begin = middle;
    }
    /* Not the old tree as a whole: the verifier needs this subtree, too. */
    if (begin != 0 && range_root(source, begin, end, proof[n++], err) != 0)
        return -1;
    reverse(proof, n);
    *n_proof = n;
    return 0;
}

int merkle_source_root(const struct merkle_source *source, uint64_t size, uint8_t out[MERKLE_HASH],
                       struct err *err)
{
    if (size == 0)
        return sha256("", 0, out), 0;
    return range_root(source, 0, size, out, err);
}
