/* envelope.c - any bytes as an envelope and as a bundle.
 *
 * Oracles: the bytes that would be verified are PAE(type, payload); what parses
 * is written again and parses to the same; nothing verifies under a key whose
 * only signature is over one known text, except that text. */
#include "base/base64.h"
#include "wire/bundle.h"
#include "wire/jsonw.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(x) do { if (!(x)) abort(); } while (0)

static void put_base64(struct jsonw *w, struct arena *arena, const char *key, struct bytes b)
{
    char *text = arena_bytes(arena, base64_encoded_len(b.len) + 1);

    REQUIRE(text != NULL);
    base64_encode(b.ptr, b.len, BASE64_URL, text);
    jsonw_kstr(w, key, text);
}

static void write_again(struct arena *arena, const struct envelope *env, struct buf *out)
{
    struct jsonw w;

    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_key(&w, "signatures");
    jsonw_array(&w);
    for (size_t i = 0; i < env->n_sigs; i++) {
        jsonw_object(&w);
        put_base64(&w, arena, "sig", env->sigs[i].sig);
        jsonw_kstr(&w, "keyid", env->sigs[i].keyid);
        jsonw_object_end(&w);
    }
    jsonw_array_end(&w);
    put_base64(&w, arena, "payload", env->payload);
    jsonw_kstr(&w, "payloadType", env->payload_type);
    jsonw_object_end(&w);
    REQUIRE(!out->failed);
}

static void require_same(struct bytes a, struct bytes b)
{
    REQUIRE(a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0);
}

static void check_round_trip(struct arena *arena, const struct envelope *env)
{
    struct envelope again;
    struct buf text;
    struct err err = { 0 };

    buf_init(&text, (size_t)1 << 26);
    write_again(arena, env, &text);
    REQUIRE(envelope_parse(arena, text.ptr, text.len, &again, &err) == 0);
    require_same(env->pae, again.pae);
    require_same(env->payload, again.payload);
    REQUIRE(env->n_sigs == again.n_sigs);
    for (size_t i = 0; i < env->n_sigs; i++) {
        require_same(env->sigs[i].sig, again.sigs[i].sig);
        REQUIRE(str_eq(env->sigs[i].keyid, again.sigs[i].keyid));
    }
    buf_free(&text);
}

static void check_pae(struct arena *arena, const struct envelope *env)
{
    struct bytes pae, type = { (const unsigned char *)env->payload_type, strlen(env->payload_type) };
    struct err err = { 0 };

    REQUIRE(pae_encode(arena, type, env->payload, &pae, &err) == 0);
    require_same(pae, env->pae);
}

/* Of RFC 8032's first test: its owner signed the empty message and nothing else. */
static void check_no_forgery(const struct envelope *env)
{
    static struct pubkey key;
    const struct pubkey *trusted[] = { &key };
    struct signers who;
    uint8_t raw[32];
    struct err err = { 0 };

    REQUIRE(hex_decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", raw, sizeof raw));
    if (key.alg == KEY_NONE)
        REQUIRE(crypto_init(&err) == 0 && pubkey_from_ed25519(raw, &key, &err) == 0);
    REQUIRE(envelope_verify(env, trusted, 1, 1, &who, &err) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct envelope env;
    struct bundle bundle;
    struct err err = { 0 };

    arena_init(&arena, (size_t)64 << 20);
    bool is_envelope = envelope_parse(&arena, data, size, &env, &err) == 0;
    if (is_envelope) {
        check_pae(&arena, &env);
        check_no_forgery(&env);
        check_round_trip(&arena, &env);
    }
    if (bundle_parse(&arena, data, size, &bundle, &err) == 0) {
        REQUIRE(bundle.form != BUNDLE_NONE);
        REQUIRE(bundle.form != BUNDLE_BARE || is_envelope);
        REQUIRE(bundle.form == BUNDLE_BARE || !bundle.has_envelope || bundle.envelope.n_sigs == 1);
    }
    arena_clear(&arena);
    return 0;
}
