/* pem.c - any bytes as a public key, a private key, a verifier key, a signed
 * note, a token.
 *
 * Oracles: a key that is read is written and read again as the same key, and a
 * private key that is read signs what its public half verifies; no note is
 * signed by a key that signs none. */
#include "base/arena.h"
#include "base/note.h"
#include "base/token.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(x) do { if (!(x)) abort(); } while (0)

static void check_public(const char *pem, size_t len)
{
    struct pubkey key, again;
    struct buf out;
    struct err err = { 0 };

    if (pubkey_from_pem(pem, len, &key, &err) != 0)
        return;
    buf_init(&out, PEM_MAX);
    pubkey_to_pem(&key, &out);
    REQUIRE(pubkey_from_pem(out.ptr, out.len, &again, &err) == 0);
    REQUIRE(pubkey_same(&key, &again) && strcmp(key.fingerprint, again.fingerprint) == 0);
    pubkey_clear(&key);
    pubkey_clear(&again);
    buf_free(&out);
}

static void check_private(const char *pem, size_t len)
{
    struct privkey *key, *again;
    struct buf out;
    uint8_t sig[SIG_MAX];
    size_t n;
    struct err err = { 0 };

    if (privkey_from_pem(pem, len, &key, &err) != 0)
        return;
    buf_init(&out, PEM_MAX);
    REQUIRE(privkey_to_pem(key, &out, &err) == 0);
    REQUIRE(privkey_from_pem(out.ptr, out.len, &again, &err) == 0);
    REQUIRE(privkey_sign(again, "m", 1, sig, &n, &err) == 0);
    REQUIRE(pubkey_verify(privkey_public(key), "m", 1, sig, n));
    privkey_free(key);
    privkey_free(again);
    buf_free(&out);
}

static void check_note(const char *text, size_t len)
{
    struct note_key key;
    struct checkpoint c;
    struct bytes body;
    struct err err = { 0 };

    REQUIRE(note_key_parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", &key, &err) == 0);
    if (note_verify(text, len, &key, &body, &err) == 0)
        REQUIRE(body.len == 28 && memcmp(body.ptr, "This is an example message.\n", 28) == 0);
    note_key_clear(&key);
    if (checkpoint_parse((struct bytes){ (const unsigned char *)text, len }, &c, &err) == 0)
        REQUIRE(c.size >= 0 && c.origin.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct note_key key;
    struct token token;
    struct err err = { 0 };

    REQUIRE(crypto_init(&err) == 0);
    arena_init(&arena, (size_t)16 << 20);
    const char *text = arena_strndup(&arena, (const char *)data, size);
    REQUIRE(text != NULL);
    check_public(text, size);
    check_private(text, size);
    check_note(text, size);
    if (note_key_parse(text, &key, &err) == 0) {
        struct buf out;
        buf_init(&out, 1024);
        note_key_print(&key, &out);
        REQUIRE(strcmp(out.ptr, text) == 0);
        buf_free(&out);
        note_key_clear(&key);
    }
    if (token_parse(text, &token))
        REQUIRE(strlen(token.id) == TOKEN_ID_LEN && strlen(token.kind) >= 2 && strlen(text) <= TOKEN_TEXT_MAX);
    arena_clear(&arena);
    return 0;
}
