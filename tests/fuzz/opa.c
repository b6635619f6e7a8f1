/* opa.c - any texts as the four files of a bundle, and any text as a JWS.
 *
 * The input is cut at lines of "---" into manifest, data, module and signatures.
 * Oracles: canonical JSON is a fixed point; nothing verifies under a key that signed
 * nothing; an unsigned bundle is never taken for a signed one. */
#include "core/opa/opa.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(x) do { if (!(x)) abort(); } while (0)

static const char pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
    "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
    "-----END PUBLIC KEY-----\n";

static void check_canonical(struct arena *arena, struct bytes text)
{
    const struct json_opts opts = { .big_numbers = true, .duplicate_keys = true, .max_depth = 128 };
    struct json v, w;
    struct buf one, two;
    struct err err = { 0 };

    if (json_parse(arena, text.ptr, text.len, &opts, &v, &err) != 0)
        return;
    buf_init(&one, 16 << 20);
    buf_init(&two, 16 << 20);
    opa_canonical(&v, (const char *)text.ptr, false, &one);
    REQUIRE(!one.failed && json_parse(arena, one.ptr, one.len, &opts, &w, &err) == 0);
    opa_canonical(&w, one.ptr, false, &two);
    REQUIRE(one.len == two.len && memcmp(one.ptr, two.ptr, one.len) == 0);
    buf_free(&one);
    buf_free(&two);
}

static void check_bundle(struct arena *arena, const struct bytes parts[4], const struct jws_key *key)
{
    const struct tar_file files[] = { { ".manifest", parts[0] }, { "keep/data.json", parts[1] }, { "keep/x.rego", parts[2] },
                                      { ".signatures.json", parts[3] } };
    const struct opa_key keys[] = { { "k", key, NULL } };
    const struct opa_trust none = { 0 }, some = { .is_given = true, .keyid = "k", .keys = keys, .n_keys = 1 },
                           any = { .is_given = true, .keys = keys, .n_keys = 1 };
    struct opa_manifest m;
    struct err err = { 0 };

    REQUIRE(opa_verify(files, 4, &some, arena, &m, &err) != 0);
    REQUIRE(opa_verify(files, 4, &any, arena, &m, &err) != 0);
    REQUIRE(opa_verify(files, 4, &none, arena, &m, &err) != 0);
    REQUIRE(opa_verify(files, 3, &some, arena, &m, &err) != 0);
    if (opa_verify(files, 3, &none, arena, &m, &err) == 0)
        REQUIRE(!m.is_signed && m.revision != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jws_key *key;
    struct arena arena;
    struct bytes parts[4] = { { NULL, 0 } };
    struct jws jws;
    struct err err = { 0 };
    const char *text, *s;

    if (key == NULL)
        REQUIRE(crypto_init(&err) == 0 && jws_key_new(JWS_ES256, pem, sizeof pem - 1, &key, &err) == 0);
    arena_init(&arena, 64 << 20);
    s = text = arena_strndup(&arena, (const char *)data, size);
    for (int i = 0; s != NULL && i < 4; i++) {
        const char *cut = memmem(s, size - (size_t)(s - text), "\n---\n", 5);
        parts[i] = (struct bytes){ (const unsigned char *)s, cut != NULL ? (size_t)(cut - s) : size - (size_t)(s - text) };
        s = cut != NULL ? cut + 5 : NULL;
    }
    for (int i = 0; i < 4; i++) {
        if (parts[i].ptr == NULL)
            parts[i].ptr = (const unsigned char *)"";
        check_canonical(&arena, parts[i]);
    }
    check_bundle(&arena, parts, key);
    if (jws_split((const char *)data, size, &arena, &jws, &err) == 0)
        REQUIRE(!jws_verify(&jws, key));
    arena_clear(&arena);
    return 0;
}
