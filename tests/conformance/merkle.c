/* merkle.c - inclusion and consistency proofs, roots, checkpoints, signed notes. */
#include "base/merkle.h"
#include "base/base64.h"
#include "base/note.h"
#include "tests/conformance/set/set.h"
#include "wire/json.h"

/* The vectors put short texts where no hash is computed from: filled with zeros
 * they stay equal or different.  Longer than a hash can be nothing. */
static bool hash_from(const struct json *v, uint8_t out[MERKLE_HASH])
{
    uint8_t bytes[128];
    const char *text = json_str(v, "");
    size_t n;

    memset(out, 0, MERKLE_HASH);
    if (strlen(text) > 160 || base64_decode(text, strlen(text), BASE64_STD, bytes, &n) != 0 || n > MERKLE_HASH)
        return false;
    memcpy(out, bytes, n);
    return true;
}

/* Numbers up to 2^64 - 1 come as reals: the text says it exactly. */
static bool u64_from(struct bytes text, const struct json *v, uint64_t *out)
{
    if (v == NULL || (v->type != JSON_INT && v->type != JSON_REAL) || text.ptr[v->offset] == '-')
        return false;
    *out = strtoull((const char *)text.ptr + v->offset, NULL, 10);
    return true;
}

static bool path_from(const struct json *list, uint8_t path[][MERKLE_HASH], size_t *n)
{
    *n = json_len(list);
    if (*n > MERKLE_PATH_MAX)
        return false;
    for (uint32_t i = 0; i < *n; i++) {
        if (!hash_from(json_at(list, i), path[i]))
            return false;
    }
    return true;
}

static bool inclusion_holds(struct bytes text, const struct json *v)
{
    uint8_t leaf[MERKLE_HASH], root[MERKLE_HASH], path[MERKLE_PATH_MAX][MERKLE_HASH];
    uint64_t index, size;
    size_t n;

    return u64_from(text, json_get(v, "leafIdx"), &index) && u64_from(text, json_get(v, "treeSize"), &size) &&
           hash_from(json_get(v, "leafHash"), leaf) && hash_from(json_get(v, "root"), root) &&
           path_from(json_get(v, "proof"), path, &n) &&
           merkle_verify_inclusion(index, size, leaf, (const uint8_t (*)[MERKLE_HASH])path, n, root);
}

static bool consistency_holds(struct bytes text, const struct json *v)
{
    uint8_t root1[MERKLE_HASH], root2[MERKLE_HASH], proof[MERKLE_PATH_MAX][MERKLE_HASH];
    uint64_t size1, size2;
    size_t n;

    return u64_from(text, json_get(v, "size1"), &size1) && u64_from(text, json_get(v, "size2"), &size2) &&
           hash_from(json_get(v, "root1"), root1) && hash_from(json_get(v, "root2"), root2) &&
           path_from(json_get(v, "proof"), proof, &n) &&
           merkle_verify_consistency(size1, size2, root1, root2, (const uint8_t (*)[MERKLE_HASH])proof, n);
}

static void check_hash(struct set *s, const char *where, const struct json *expected, const uint8_t got[MERKLE_HASH])
{
    char hex[2 * MERKLE_HASH + 1];

    hex_encode(got, MERKLE_HASH, hex);
    set_check(s, where, json_str(expected, ""), hex, "hash");
}

static void run_roots(struct set *s, const char *path, const struct json *v)
{
    const struct json *leaves = json_get(v, "leaves_hex"), *roots = json_get(v, "roots_hex");
    struct merkle_tree tree = { 0 };
    uint8_t hash[MERKLE_HASH];

    for (uint32_t i = 0; i < json_len(roots); i++) {
        merkle_root(&tree, hash);
        check_hash(s, path, json_at(roots, i), hash);
        if (i >= json_len(leaves))
            break;
        const char *hex = json_str(json_at(leaves, i), "");
        uint8_t record[256];
        if (strlen(hex) > 2 * sizeof record || !hex_decode(hex, record, strlen(hex) / 2))
            abort();
        merkle_leaf(record, strlen(hex) / 2, hash);
        merkle_add(&tree, hash, NULL);
    }
    sha256("", 0, hash);
    check_hash(s, path, json_get(v, "hash_empty"), hash);
    merkle_leaf("L123456", 7, hash);
    check_hash(s, path, json_get(v, "leaf_L123456"), hash);
    /* The vector's "node" is over texts of four bytes; nodes of ours are hashes. */
    sha256("\x01N123N456", 9, hash);
    check_hash(s, path, json_get(v, "node_N123_N456"), hash);
}

/* Where the set leaves it to policy, ours: a root is 32 bytes, extension lines are allowed. */
static void run_checkpoints(struct set *s, const char *path, const struct json *list)
{
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *v = json_at(list, i);
        const char *text = json_get_str(v, "note_text", ""), *expected = json_get_str(v, "expected", "");
        struct checkpoint c;
        struct err err = { .msg = "well-formed" };
        char where[64];
        bool good = checkpoint_parse((struct bytes){ (const unsigned char *)text, strlen(text) }, &c, &err) == 0;
        snprintf(where, sizeof where, "%s#%u", path, i);
        set_check(s, where, str_eq(expected, "policy") ? set_verdict(good) : expected, set_verdict(good), err.msg);
    }
}

static void run_note(struct set *s, const char *path, const struct json *v)
{
    const char *note = json_get_str(v, "note", "");
    struct note_key key = { 0 };
    struct err err = { .msg = "signed" };
    struct bytes text;
    bool good = note_key_parse(json_get_str(v, "vkey", ""), &key, &err) == 0 &&
                note_verify(note, strlen(note), &key, &text, &err) == 0;

    set_check(s, path, json_get_str(v, "expected", ""), set_verdict(good), err.msg);
    note_key_clear(&key);
}

static void run_row(struct set *s, const char *path, const char *expected, const char *what)
{
    static const struct json_opts opts = { .big_numbers = true };
    struct bytes text = set_read(s, path);
    struct err err = { 0 };
    struct json v;

    if (text.ptr == NULL || json_parse(&s->arena, text.ptr, text.len, &opts, &v, &err) != 0)
        set_check(s, path, "readable", "unreadable", err.msg);
    else if (str_starts(path, "inclusion/"))
        set_check(s, path, expected, set_verdict(inclusion_holds(text, &v)), what);
    else if (str_starts(path, "consistency/"))
        set_check(s, path, expected, set_verdict(consistency_holds(text, &v)), what);
    else if (str_starts(path, "rfc6962"))
        run_roots(s, path, &v);
    else if (str_starts(path, "checkpoints"))
        run_checkpoints(s, path, &v);
    else if (str_starts(path, "signed_note"))
        run_note(s, path, &v);
    else
        set_check(s, path, "a known kind of case", "an unknown one", "merkle.c");
}

int main(int argc, char **argv)
{
    struct set s;
    struct err err = { 0 };

    if (crypto_init(&err) != 0)
        return fprintf(stderr, "%s\n", err.msg), 1;
    set_open(&s, argc, argv, "merkle");
    set_each_row(&s, run_row);
    return set_close(&s);
}
