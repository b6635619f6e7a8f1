/* merkle.c - the tree against its definition, proofs against every change, notes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/merkle.h"
#include "base/note.h"

#include <stdio.h>
#include <string.h>

enum { N = 70, LEVELS = 8 };

typedef const uint8_t (*hashes)[MERKLE_HASH];

/* Every complete node of a tree of N leaves, as merkle_add reports them. */
static uint8_t nodes[LEVELS][N][MERKLE_HASH], roots[N + 1][MERKLE_HASH];

static int stored_node(void *ctx, unsigned level, uint64_t index, uint8_t out[MERKLE_HASH], struct err *err)
{
    (void)ctx;
    if (level >= LEVELS || index >= (uint64_t)N >> level)
        return err_set(err, ERR_NOT_FOUND, "node %u %llu", level, (unsigned long long)index);
    memcpy(out, nodes[level][index], MERKLE_HASH);
    return 0;
}

static const struct merkle_source source = { stored_node, NULL };

/* MTH of RFC 6962 section 2.1, word for word. */
static void definition(size_t begin, size_t n, uint8_t out[MERKLE_HASH])
{
    uint8_t left[MERKLE_HASH], right[MERKLE_HASH];
    size_t k = 1;

    if (n == 0) {
        sha256("", 0, out);
        return;
    }
    if (n == 1) {
        uint8_t record = (uint8_t)begin;
        merkle_leaf(&record, 1, out);
        return;
    }
    while (2 * k < n)
        k *= 2;
    definition(begin, k, left);
    definition(begin + k, n - k, right);
    merkle_node(left, right, out);
}

static int set_up(void **state)
{
    struct merkle_tree tree = { 0 };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N; i++) {
        uint8_t leaf[MERKLE_HASH], done[MERKLE_LEVELS + 1][MERKLE_HASH], record = (uint8_t)i;
        merkle_root(&tree, roots[i]);
        merkle_leaf(&record, 1, leaf);
        size_t n = merkle_add(&tree, leaf, done);
        for (size_t level = 0; level < n; level++)
            memcpy(nodes[level][i >> level], done[level], MERKLE_HASH);
    }
    merkle_root(&tree, roots[N]);
    return crypto_init(&err);
}

static void the_growing_tree_has_the_defined_roots(void **state)
{
    struct err err = { 0 };

    (void)state;
    for (size_t n = 0; n <= N; n++) {
        uint8_t want[MERKLE_HASH], got[MERKLE_HASH];
        definition(0, n, want);
        assert_memory_equal(roots[n], want, MERKLE_HASH);
        assert_int_equal(merkle_source_root(&source, n, got, &err), 0);
        assert_memory_equal(got, want, MERKLE_HASH);
    }
}

static void every_leaf_of_every_tree_has_a_proof_and_only_at_its_place(void **state)
{
    struct err err = { 0 };

    (void)state;
    for (uint64_t size = 1; size <= N; size++) {
        for (uint64_t i = 0; i < size; i++) {
            uint8_t path[MERKLE_PATH_MAX][MERKLE_HASH];
            size_t n;
            assert_int_equal(merkle_prove_inclusion(&source, i, size, path, &n, &err), 0);
            assert_true(merkle_verify_inclusion(i, size, nodes[0][i], (hashes)path, n, roots[size]));
            for (uint64_t other = 0; other < size; other++) {
                if (other != i) {
                    assert_false(merkle_verify_inclusion(other, size, nodes[0][i], (hashes)path, n, roots[size]));
                    assert_false(merkle_verify_inclusion(i, size, nodes[0][other], (hashes)path, n, roots[size]));
                }
            }
            assert_false(merkle_verify_inclusion(i, size, nodes[0][i], (hashes)path, n, roots[size - 1]));
            assert_false(merkle_verify_inclusion(i, size, nodes[0][i], (hashes)path, n + 1, roots[size]));
            if (n > 0) {
                assert_false(merkle_verify_inclusion(i, size, nodes[0][i], (hashes)path, n - 1, roots[size]));
                path[n / 2][5] ^= 4;
                assert_false(merkle_verify_inclusion(i, size, nodes[0][i], (hashes)path, n, roots[size]));
            }
        }
    }
}

static void every_tree_is_shown_to_begin_every_later_one(void **state)
{
    struct err err = { 0 };

    (void)state;
    for (uint64_t a = 1; a <= N; a++) {
        for (uint64_t b = a; b <= N; b++) {
            uint8_t proof[MERKLE_PATH_MAX][MERKLE_HASH];
            size_t n;
            assert_int_equal(merkle_prove_consistency(&source, a, b, proof, &n, &err), 0);
            assert_true(merkle_verify_consistency(a, b, roots[a], roots[b], (hashes)proof, n));
            assert_false(merkle_verify_consistency(a, b, roots[a - 1], roots[b], (hashes)proof, n));
            assert_false(merkle_verify_consistency(a, b, roots[a], roots[b - 1], (hashes)proof, n));
            assert_false(merkle_verify_consistency(a, b, roots[a], roots[b], (hashes)proof, n + 1));
            if (a != b)
                assert_false(merkle_verify_consistency(b, a, roots[b], roots[a], (hashes)proof, n));
            if (n > 0) {
                assert_false(merkle_verify_consistency(a, b, roots[a], roots[b], (hashes)proof, n - 1));
                proof[n / 2][0] ^= 1;
                assert_false(merkle_verify_consistency(a, b, roots[a], roots[b], (hashes)proof, n));
            }
        }
    }
}

static void empty_trees_and_impossible_sizes_prove_nothing(void **state)
{
    uint8_t path[MERKLE_PATH_MAX][MERKLE_HASH] = { { 0 } };
    size_t n;
    struct err err = { 0 };

    (void)state;
    assert_false(merkle_verify_consistency(0, 0, roots[0], roots[0], (hashes)path, 0));
    assert_false(merkle_verify_consistency(0, 1, roots[0], roots[1], (hashes)path, 0));
    assert_false(merkle_verify_consistency(2, 1, roots[2], roots[1], (hashes)path, 0));
    assert_false(merkle_verify_consistency(1, UINT64_MAX, roots[1], roots[2], (hashes)path, 65));
    assert_false(merkle_verify_inclusion(0, 0, nodes[0][0], (hashes)path, 0, roots[0]));
    assert_false(merkle_verify_inclusion(UINT64_MAX - 1, UINT64_MAX, nodes[0][0], (hashes)path, 64, roots[1]));
    assert_int_equal(merkle_prove_inclusion(&source, 3, 3, path, &n, &err), -1);
    assert_int_equal(merkle_prove_consistency(&source, 0, 3, path, &n, &err), -1);
    assert_int_equal(merkle_prove_consistency(&source, 4, 3, path, &n, &err), -1);
    assert_int_equal(merkle_prove_inclusion(&source, 3, 3000, path, &n, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static void a_record_is_no_node(void **state)
{
    uint8_t both[2 * MERKLE_HASH], as_leaf[MERKLE_HASH], as_node[MERKLE_HASH];

    (void)state;
    memcpy(both, nodes[0][0], MERKLE_HASH);
    memcpy(both + MERKLE_HASH, nodes[0][1], MERKLE_HASH);
    merkle_leaf(both, sizeof both, as_leaf);
    merkle_node(nodes[0][0], nodes[0][1], as_node);
    assert_memory_not_equal(as_leaf, as_node, MERKLE_HASH);
}

/* ---- notes ------------------------------------------------------------------------ */

static void a_checkpoint_opens_with_its_key_only(void **state)
{
    struct privkey *key, *stranger;
    struct note_key ours, same_name, other_name;
    struct checkpoint c;
    struct buf note, vkey;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(privkey_generate(KEY_ED25519, &key, &err), 0);
    assert_int_equal(privkey_generate(KEY_ED25519, &stranger, &err), 0);
    buf_init(&note, NOTE_MAX);
    buf_init(&vkey, NOTE_MAX);
    assert_int_equal(checkpoint_sign("keep.example/audit", N, roots[N], key, &note, &err), 0);
    assert_int_equal(note_key_init("keep.example/audit", privkey_public(key), &ours, &err), 0);
    note_key_print(&ours, &vkey);
    note_key_clear(&ours);
    assert_int_equal(note_key_parse(vkey.ptr, &ours, &err), 0);
    assert_int_equal(checkpoint_open(note.ptr, note.len, &ours, &c, &err), 0);
    assert_int_equal(c.size, N);
    assert_memory_equal(c.root, roots[N], MERKLE_HASH);
    assert_int_equal(note_key_init("keep.example/audit", privkey_public(stranger), &same_name, &err), 0);
    assert_int_equal(checkpoint_open(note.ptr, note.len, &same_name, &c, &err), -1);
    assert_int_equal(err.kind, ERR_UNPROCESSABLE);
    assert_int_equal(note_key_init("keep.example/other", privkey_public(key), &other_name, &err), 0);
    assert_int_equal(checkpoint_open(note.ptr, note.len, &other_name, &c, &err), -1);
    for (size_t i = 0; i < note.len; i++) {
        note.ptr[i] ^= 1;
        assert_int_equal(checkpoint_open(note.ptr, note.len, &ours, &c, &err), -1);
        note.ptr[i] ^= 1;
        assert_int_equal(checkpoint_open(note.ptr, i, &ours, &c, &err), -1);
    }
    note_key_clear(&ours);
    note_key_clear(&same_name);
    note_key_clear(&other_name);
    buf_free(&note);
    buf_free(&vkey);
    privkey_free(key);
    privkey_free(stranger);
}

static void the_origin_is_the_keys_name(void **state)
{
    struct privkey *key;
    struct note_key ours;
    struct checkpoint c;
    struct bytes text;
    struct buf note;
    struct err err = { 0 };
    static const char body[] = "another.log\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    (void)state;
    assert_int_equal(privkey_generate(KEY_ED25519, &key, &err), 0);
    assert_int_equal(note_key_init("keep", privkey_public(key), &ours, &err), 0);
    buf_init(&note, NOTE_MAX);
    assert_int_equal(note_sign(body, sizeof body - 1, "keep", key, &note, &err), 0);
    assert_int_equal(note_verify(note.ptr, note.len, &ours, &text, &err), 0);
    assert_int_equal(text.len, sizeof body - 1);
    assert_memory_equal(text.ptr, body, text.len);
    assert_int_equal(checkpoint_open(note.ptr, note.len, &ours, &c, &err), -1);
    note_key_clear(&ours);
    buf_free(&note);
    privkey_free(key);
}

static void strangers_lines_are_stepped_over_and_broken_ones_are_not(void **state)
{
    static const struct { const char *line; bool good; } cases[] = {
        { "\xe2\x80\x94 witness.example AAAAAAAA\n", true },
        { "\xe2\x80\x94 witness.example AAAAAAA\n", false },
        { "\xe2\x80\x94 witness.example\n", false },
        { "\xe2\x80\x94  AAAAAAAA\n", false },
        { "- witness.example AAAAAAAA\n", false },
        { "\n", false },
        { "text\n", false },
    };
    struct privkey *key;
    struct note_key ours;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(privkey_generate(KEY_ED25519, &key, &err), 0);
    assert_int_equal(note_key_init("keep", privkey_public(key), &ours, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf note;
        struct bytes text;
        buf_init(&note, NOTE_MAX);
        assert_int_equal(note_sign("text\n", 5, "keep", key, &note, &err), 0);
        buf_puts(&note, cases[i].line);
        if ((note_verify(note.ptr, note.len, &ours, &text, &err) == 0) != cases[i].good)
            fail_msg("case %zu: %s", i, err.msg);
        buf_free(&note);
    }
    note_key_clear(&ours);
    privkey_free(key);
}

static void signature_lines_are_bounded(void **state)
{
    struct privkey *key;
    struct note_key ours;
    struct buf note;
    struct bytes text;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(privkey_generate(KEY_ED25519, &key, &err), 0);
    assert_int_equal(note_key_init("keep", privkey_public(key), &ours, &err), 0);
    buf_init(&note, NOTE_MAX);
    assert_int_equal(note_sign("text\n", 5, "keep", key, &note, &err), 0);
    for (int i = 1; i < NOTE_SIGS_MAX; i++)
        buf_puts(&note, "\xe2\x80\x94 w AAAAAAAA\n");
    assert_int_equal(note_verify(note.ptr, note.len, &ours, &text, &err), 0);
    buf_puts(&note, "\xe2\x80\x94 w AAAAAAAA\n");
    assert_int_equal(note_verify(note.ptr, note.len, &ours, &text, &err), -1);
    note_key_clear(&ours);
    buf_free(&note);
    privkey_free(key);
}

static void bad_names_texts_and_keys_are_refused(void **state)
{
    static const char *const names[] = { "", "a b", "a+b", "a\n", "\xff", "a\x7f" };
    static const char *const vkeys[] = {
        "", "a", "a+", "a+00000000", "a+00000000+", "a+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    };
    struct privkey *key, *ec;
    struct note_key out;
    struct buf note;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(privkey_generate(KEY_ED25519, &key, &err), 0);
    assert_int_equal(privkey_generate(KEY_P256, &ec, &err), 0);
    buf_init(&note, NOTE_MAX);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(note_key_init(names[i], privkey_public(key), &out, &err), -1);
    for (size_t i = 0; i < sizeof vkeys / sizeof *vkeys; i++)
        assert_int_equal(note_key_parse(vkeys[i], &out, &err), -1);
    assert_int_equal(note_key_init("keep", privkey_public(ec), &out, &err), -1);
    assert_int_equal(note_sign("text", 4, "keep", key, &note, &err), -1);
    assert_int_equal(note_sign("", 0, "keep", key, &note, &err), -1);
    assert_int_equal(note_sign("a\rb\n", 4, "keep", key, &note, &err), -1);
    assert_int_equal(note_sign("text\n", 5, "keep", ec, &note, &err), -1);
    assert_int_equal(checkpoint_sign("keep", -1, roots[1], key, &note, &err), -1);
    assert_int_equal(note.len, 0);
    buf_free(&note);
    privkey_free(key);
    privkey_free(ec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_growing_tree_has_the_defined_roots),
        cmocka_unit_test(every_leaf_of_every_tree_has_a_proof_and_only_at_its_place),
        cmocka_unit_test(every_tree_is_shown_to_begin_every_later_one),
        cmocka_unit_test(empty_trees_and_impossible_sizes_prove_nothing),
        cmocka_unit_test(a_record_is_no_node),
        cmocka_unit_test(a_checkpoint_opens_with_its_key_only),
        cmocka_unit_test(the_origin_is_the_keys_name),
        cmocka_unit_test(strangers_lines_are_stepped_over_and_broken_ones_are_not),
        cmocka_unit_test(signature_lines_are_bounded),
        cmocka_unit_test(bad_names_texts_and_keys_are_refused),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
