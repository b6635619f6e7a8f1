/* Roots and bundles from hostile bytes.
 *
 * The input is read as envelopes, and as payloads put into well signed envelopes, so that
 * what lies behind the signature is reached.  What is read must print and read back as
 * the same; a bundle that is accepted obeys every rule it was judged by. */
#include "base/time.h"
#include "wire/envelope.h"
#include "wire/trust.h"

#include <stdlib.h>
#include <string.h>

static struct privkey *key;
static struct trust_root root;
static struct pubkey root_keys[1];

static void set_up(void)
{
    static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n";
    struct err err = { 0 };

    if (key != NULL)
        return;
    if (crypto_init(&err) != 0 || privkey_from_pem(pem, sizeof pem - 1, &key, &err) != 0 ||
        pubkey_from_ed25519(pubkey_ed25519(privkey_public(key)), &root_keys[0], &err) != 0)
        abort();
    root = (struct trust_root){ .version = 1, .expires_ms = INT64_C(4102444800000), .keys = root_keys, .n_keys = 1,
                                .root = { .threshold = 1, .n = 1, .keys = { &root_keys[0] } },
                                .bundle = { .threshold = 1, .n = 1, .keys = { &root_keys[0] } } };
}

static void judge_bundle(struct arena *arena, const void *text, size_t len)
{
    struct trust_floor floor = { .version = 5, .clock_ms = INT64_C(1893456000000) };
    struct trust_bundle b;
    enum trust_reason why;
    struct err err;

    int rc = trust_bundle_verify(arena, &root, "prod", &floor, trust_now(&floor, 0), text, len, &b, &why, &err);
    if (rc == -1 && (why <= TRUST_FINE || why >= TRUST_REASON_N))
        abort();
    if (rc < 0)
        return;
    int64_t sum = 0;
    for (size_t i = 0; i < b.n_files; i++)
        sum += b.files[i].length;
    if (b.version < 6 || b.root_version > 1 || b.expires_ms <= floor.clock_ms || strcmp(b.scope, "prod") != 0 || sum > TRUST_FILES_BYTES)
        abort();
}

/* What was read prints, and reads back as the same. */
static void round_trip(struct arena *arena, const void *payload, size_t len)
{
    struct trust_root a, b;
    struct buf text, again;
    struct err err;

    if (trust_root_read(arena, payload, len, &a, &err) != 0)
        return;
    if (a.version < 1 || a.root.threshold < 1 || a.root.threshold > a.root.n || a.bundle.threshold < 1 || a.bundle.threshold > a.bundle.n)
        abort();
    buf_init(&text, 1 << 20);
    buf_init(&again, 1 << 20);
    if (trust_root_write(&a, &text, &err) != 0 || trust_root_read(arena, text.ptr, text.len, &b, &err) != 0 ||
        trust_root_write(&b, &again, &err) != 0 || text.len != again.len || memcmp(text.ptr, again.ptr, text.len) != 0)
        abort();
    if (!trust_bundle_role_same(&a, &b))
        abort();
    buf_free(&text);
    buf_free(&again);
}

static void behind_a_signature(struct arena *arena, const uint8_t *data, size_t size)
{
    static const char *const types[] = { TRUST_BUNDLE_TYPE, TRUST_ROOT_TYPE };
    const struct privkey *by[] = { key };

    for (size_t i = 0; i < N_ITEMS(types); i++) {
        struct trust_root next;
        enum trust_reason why = TRUST_FINE;
        struct err err;
        struct buf out;

        buf_init(&out, 1 << 20);
        if (envelope_sign(arena, types[i], (struct bytes){ data, size }, by, 1, &out, &err) != 0)
            abort();
        if (i == 0)
            judge_bundle(arena, out.ptr, out.len);
        else if (trust_root_next(arena, &root, out.ptr, out.len, &next, &why, &err) == 0 && next.version != 2)
            abort();
        buf_free(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trust_root first;
    enum trust_reason why;
    struct arena arena;
    struct err err;

    if (size > 100000)
        return 0;
    set_up();
    arena_init(&arena, 32 << 20);
    judge_bundle(&arena, data, size);
    if (trust_root_verify(&arena, data, size, &first, &why, &err) == 0 && first.version < 1)
        abort();
    round_trip(&arena, data, size);
    behind_a_signature(&arena, data, size);
    arena_clear(&arena);
    return 0;
}
