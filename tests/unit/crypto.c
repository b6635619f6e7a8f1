/* crypto.c - hashes, base64, keys, signatures.  The key pairs, the certificate
 * and the signatures were made with the openssl command for this test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/pem.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static const char message[] = "the bytes that are signed";
enum { MESSAGE_LEN = sizeof message - 1 };

static const char ed_pub[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAgWbZDD0dVc37upuspJ8AM+uLyaFDusEJ01cEIWTTnXk=\n"
    "-----END PUBLIC KEY-----\n";
static const char ec_pub[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaRwwRHRaxcgU7lQibfe4L/ae3zk0\n"
    "UuIpolW6ij7hwRSVZ+KMbnbSTMI6s0l9vxGa0uX9lJWTu64juEENsz0lXw==\n"
    "-----END PUBLIC KEY-----\n";
static const char ec384_pub[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEvUhxq/jlxf/vKU+ZRDNA3Jq7XcAi2Jad\n"
    "hSPbor9AWuf2Jgo+B8iljRCoKSg07vRwtvB37xMDNjoN+mGVy+9NQfcI1o2LV2Jb\n"
    "GhmNy8ifovPH0NwGse77tPnpvHpQtR41\n"
    "-----END PUBLIC KEY-----\n";
static const char ed_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIMjme8Bi4W3LI3W4+0T6V6i6Vdmq9rZTlWts+Lv0cC2Y\n"
    "-----END PRIVATE KEY-----\n";
static const char ec_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0z2p0fhPwgXFboN6\n"
    "l4J4SVscIHeQLeskkGwSq0BZa5uhRANCAARpHDBEdFrFyBTuVCJt97gv9p7fOTRS\n"
    "4imiVbqKPuHBFJVn4oxudtJMwjqzSX2/EZrS5f2UlZO7riO4QQ2zPSVf\n"
    "-----END PRIVATE KEY-----\n";
static const char certificate[] =
    "MIIBeTCCAR+gAwIBAgIUXn2k0TqUTsiS1e9S8lvTHCbZSBIwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGc2lnbmVyMCAXDTI2MTEyNTEzNDEz"
    "N1oYDzIxMjYxMTAxMTM0MTM3WjARMQ8wDQYDVQQDDAZzaWduZXIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARpHDBEdFrFyBTuVCJt97gv"
    "9p7fOTRS4imiVbqKPuHBFJVn4oxudtJMwjqzSX2/EZrS5f2UlZO7riO4QQ2zPSVfo1MwUTAdBgNVHQ4EFgQU6Vyd9q8maE+l67p00aOjVs8m"
    "tvswHwYDVR0jBBgwFoAU6Vyd9q8maE+l67p00aOjVs8mtvswDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBs5oqkKhaWgQ3M"
    "CwcyY2AJkczaTdEmVxey7UQ+5cviKgIhAK3jo4X3xgHwHU12wMc1fUXG74cJNRD++Tq5KAJu268i";

static const struct known {
    enum key_alg alg;
    const char *pem, *fingerprint, *sig;
} known[] = {
    { KEY_ED25519, ed_pub, "2cfd882d57f4e98d8d9d0cc47a2638a6a92fc3dd500eec80677c0bf339262b9b",
      "VnZx1s4V0/lNIuengHiEcz8F/zKhFDp3g9q+4JyimGfNQboQvNqfKf1hQuDIUjnQ5uCtWwOAl7HberWF10ESCw==" },
    { KEY_P256, ec_pub, "160f9ca382b59a7f2113505b019e263c5512b09110b681699341f4b0ea7a9113",
      "MEQCIE5Dd3F1YJ+b904/rKZEL+CjHgLwzjhmHPIV3zJQ6bFQAiBHq4ccfUGP6MMTUDuQ+3uF2LraplEiihe9f7zSLyJrvQ==" },
    { KEY_P384, ec384_pub, "dcc8668d2ace61404dc8bd01140d0a2f95f3648e0a0452e18fed5ad00029668e",
      "MGUCMQD1BouGyG6MYwlctoicvoBdrNkHhZlDkoNYdAzBep7dVaxom1l1bT6ghXOgZ1kzhVsCMEy41jmyIPW2Tj7AZeuTHdEKk1QL+jOncMoo"
      "M2oDG5XPFBAtTY4TtVDoslJDjE1/BQ==" },
};

static struct pubkey read_pub(const char *pem)
{
    struct pubkey key;
    struct err err = { 0 };

    if (pubkey_from_pem(pem, strlen(pem), &key, &err) != 0)
        fail_msg("%s", err.msg);
    return key;
}

static struct privkey *read_key(const char *pem)
{
    struct privkey *key = NULL;
    struct err err = { 0 };

    if (privkey_from_pem(pem, strlen(pem), &key, &err) != 0)
        fail_msg("%s", err.msg);
    return key;
}

static size_t decode(const char *text, uint8_t *out)
{
    size_t n = 0;

    assert_int_equal(base64_decode(text, strlen(text), BASE64_STD, out, &n), 0);
    return n;
}

/* ---- hashes --------------------------------------------------------------------- */

static void sha256_of_abc_is_the_published_value(void **state)
{
    char digest[72];

    (void)state;
    sha256_digest("abc", 3, digest);
    assert_string_equal(digest, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void streaming_and_one_call_hash_alike_at_every_length(void **state)
{
    uint8_t data[1300], one[SHA256_LEN], many[SHA256_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t len = 0; len <= sizeof data; len += 13) {
        struct sha256 s;
        sha256_init(&s);
        for (size_t at = 0; at < len; at += 100)
            sha256_add(&s, data + at, len - at < 100 ? len - at : 100);
        sha256_done(&s, many);
        sha256(data, len, one);
        assert_memory_equal(one, many, SHA256_LEN);
    }
}

static void hmac_is_that_of_rfc_4231_and_may_be_cut_to_half(void **state)
{
    static const char data[] = "what do ya want for nothing?";
    uint8_t tag[SHA256_LEN];
    char hex[65];

    (void)state;
    hmac_sha256("Jefe", 4, data, sizeof data - 1, tag);
    hex_encode(tag, sizeof tag, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_true(hmac_sha256_verify("Jefe", 4, data, sizeof data - 1, tag, 32));
    assert_true(hmac_sha256_verify("Jefe", 4, data, sizeof data - 1, tag, 16));
    assert_false(hmac_sha256_verify("Jefe", 4, data, sizeof data - 1, tag, 15));
    assert_false(hmac_sha256_verify("Jefe", 4, data, sizeof data - 1, tag, 0));
    assert_false(hmac_sha256_verify("jefe", 4, data, sizeof data - 1, tag, 32));
    tag[31] ^= 1;
    assert_false(hmac_sha256_verify("Jefe", 4, data, sizeof data - 1, tag, 32));
}

static void wiped_memory_holds_nothing(void **state)
{
    char secret[] = "secret";

    (void)state;
    crypto_wipe(secret, sizeof secret);
    assert_memory_equal(secret, "\0\0\0\0\0\0\0", sizeof secret);
}

/* ---- base64 --------------------------------------------------------------------- */

static void base64_gives_back_what_it_took_at_every_length(void **state)
{
    static const unsigned rules[] = { BASE64_STD, BASE64_URL, BASE64_STD | BASE64_PAD_NEVER, BASE64_URL | BASE64_PAD_NEVER };
    uint8_t data[100], back[128];
    char text[160];

    (void)state;
    random_bytes(data, sizeof data);
    for (size_t r = 0; r < N_ITEMS(rules); r++) {
        for (size_t len = 0; len <= sizeof data; len++) {
            size_t n = base64_encode(data, len, rules[r], text), got;
            assert_int_equal(strlen(text), n);
            assert_int_equal(base64_decode(text, n, rules[r], back, &got), 0);
            assert_int_equal(got, len);
            assert_memory_equal(back, data, len);
        }
    }
}

static void base64_knows_the_vectors_of_rfc_4648(void **state)
{
    static const char *const pairs[][2] = {
        { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff", "+/8=" },
    };
    char text[16];

    (void)state;
    for (size_t i = 0; i < N_ITEMS(pairs); i++) {
        base64_encode(pairs[i][0], strlen(pairs[i][0]), BASE64_STD, text);
        assert_string_equal(text, pairs[i][1]);
    }
}

static void base64_refuses_everything_that_is_not_strict(void **state)
{
    static const struct { const char *text; unsigned rules; } bad[] = {
        { "Zg", BASE64_ANY }, { "Zg=", BASE64_ANY }, { "Zg===", BASE64_ANY }, { "Zm9v=", BASE64_ANY },
        { "Zm9v====", BASE64_ANY }, { "=", BASE64_ANY }, { "==", BASE64_ANY }, { "====", BASE64_ANY },
        { "Zh==", BASE64_ANY }, { "Zm9=", BASE64_ANY },             /* bits left over */
        { "Zm9v\n", BASE64_ANY }, { "Zm 9v", BASE64_ANY }, { "Zm9v ", BASE64_ANY }, { "\tZm9v", BASE64_ANY },
        { "Zm*v", BASE64_ANY }, { "Zm9\xc3", BASE64_ANY }, { "Z=9v", BASE64_ANY }, { "Z", BASE64_ANY },
        { "+_8=", BASE64_ANY }, { "-/8=", BASE64_ANY },             /* two alphabets */
        { "+/8=", BASE64_URL }, { "-_8=", BASE64_STD },
        { "Zg=", BASE64_ANY | BASE64_PAD_OPTIONAL }, { "Z", BASE64_ANY | BASE64_PAD_OPTIONAL },
        { "Zg==", BASE64_ANY | BASE64_PAD_NEVER },
    };
    uint8_t out[32];
    size_t n;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        if (base64_decode(bad[i].text, strlen(bad[i].text), bad[i].rules, out, &n) == 0)
            fail_msg("\"%s\" was taken", bad[i].text);
    }
    assert_int_equal(base64_decode("Zm\0v", 4, BASE64_ANY, out, &n), -1);
    assert_int_equal(base64_decode("Zg", 2, BASE64_ANY | BASE64_PAD_OPTIONAL, out, &n), 0);
    assert_int_equal(base64_decode("-_8=", 4, BASE64_ANY, out, &n), 0);
}

/* ---- keys ----------------------------------------------------------------------- */

static void keys_of_openssl_are_read_and_its_signatures_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ITEMS(known); i++) {
        struct pubkey key = read_pub(known[i].pem);
        uint8_t sig[160];
        size_t n = decode(known[i].sig, sig);
        assert_int_equal(key.alg, known[i].alg);
        assert_string_equal(key.fingerprint, known[i].fingerprint);
        assert_true(pubkey_verify(&key, message, MESSAGE_LEN, sig, n));
        assert_false(pubkey_verify(&key, message, MESSAGE_LEN - 1, sig, n));
        assert_false(pubkey_verify(&key, message, MESSAGE_LEN, sig, n - 1));
        sig[n / 2] ^= 1;
        assert_false(pubkey_verify(&key, message, MESSAGE_LEN, sig, n));
        pubkey_clear(&key);
        pubkey_clear(&key);
        assert_false(pubkey_verify(&key, message, MESSAGE_LEN, sig, n));
    }
}

static void a_signature_is_good_for_no_other_kind_of_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ITEMS(known); i++) {
        for (size_t j = 0; j < N_ITEMS(known); j++) {
            struct pubkey key = read_pub(known[j].pem);
            uint8_t sig[160];
            size_t n = decode(known[i].sig, sig);
            assert_int_equal(pubkey_verify(&key, message, MESSAGE_LEN, sig, n), i == j);
            pubkey_clear(&key);
        }
    }
}

static void ed25519_signs_as_in_rfc_8032(void **state)
{
    uint8_t der[48], raw[32], sig[SIG_MAX];
    struct buf pem;
    struct err err = { 0 };
    char hex[129];
    size_t n;

    (void)state;
    assert_true(hex_decode("302e020100300506032b6570042204204ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                           der, sizeof der));
    assert_true(hex_decode("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", raw, sizeof raw));
    buf_init(&pem, PEM_MAX);
    pem_encode("PRIVATE KEY", der, sizeof der, &pem);
    struct privkey *key = read_key(pem.ptr);
    assert_memory_equal(pubkey_ed25519(privkey_public(key)), raw, 32);
    assert_int_equal(privkey_sign(key, "\x72", 1, sig, &n, &err), 0);
    hex_encode(sig, n, hex);
    assert_string_equal(hex, "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                             "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    privkey_free(key);
    buf_free(&pem);
}

static void fresh_keys_sign_and_survive_being_written(void **state)
{
    static const enum key_alg algs[] = { KEY_ED25519, KEY_P256 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(algs); i++) {
        struct privkey *key = NULL;
        struct err err = { 0 };
        struct buf secret, public;
        uint8_t sig[SIG_MAX];
        size_t n;
        buf_init(&secret, PEM_MAX);
        buf_init(&public, PEM_MAX);
        assert_int_equal(privkey_generate(algs[i], &key, &err), 0);
        assert_int_equal(privkey_to_pem(key, &secret, &err), 0);
        pubkey_to_pem(privkey_public(key), &public);
        struct privkey *again = read_key(secret.ptr);
        struct pubkey pub = read_pub(public.ptr);
        assert_int_equal(privkey_sign(again, message, MESSAGE_LEN, sig, &n, &err), 0);
        assert_true(pubkey_verify(&pub, message, MESSAGE_LEN, sig, n));
        assert_true(pubkey_same(&pub, privkey_public(key)));
        privkey_free(key);
        privkey_free(again);
        pubkey_clear(&pub);
        buf_free(&secret);
        buf_free(&public);
    }
    privkey_free(NULL);
}

static void private_keys_are_written_as_openssl_writes_them(void **state)
{
    static const char *const pems[] = { ed_key, ec_key };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(pems); i++) {
        struct privkey *key = read_key(pems[i]);
        struct buf out;
        struct err err = { 0 };
        buf_init(&out, PEM_MAX);
        assert_int_equal(privkey_to_pem(key, &out, &err), 0);
        assert_string_equal(out.ptr, pems[i]);
        assert_string_equal(privkey_public(key)->fingerprint, known[i].fingerprint);
        buf_free(&out);
        privkey_free(key);
    }
}

static void the_form_of_ecdsa_belongs_to_the_key(void **state)
{
    struct privkey *key = read_key(ec_key);
    struct pubkey der = read_pub(ec_pub), raw = read_pub(ec_pub);
    struct err err = { 0 };
    uint8_t sig[SIG_MAX];
    size_t n;

    (void)state;
    raw.form = SIG_RAW;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(privkey_sign(key, message, MESSAGE_LEN, sig, &n, &err), 0);
        assert_true(pubkey_verify(&der, message, MESSAGE_LEN, sig, n));
        assert_false(pubkey_verify(&raw, message, MESSAGE_LEN, sig, n));
    }
    privkey_set_form(key, SIG_RAW);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(privkey_sign(key, message, MESSAGE_LEN, sig, &n, &err), 0);
        assert_int_equal(n, 64);
        assert_true(pubkey_verify(&raw, message, MESSAGE_LEN, sig, n));
        assert_false(pubkey_verify(&der, message, MESSAGE_LEN, sig, n));
    }
    privkey_free(key);
    pubkey_clear(&der);
    pubkey_clear(&raw);
}

static void zero_signatures_are_never_good(void **state)
{
    uint8_t zero[96] = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(known); i++) {
        struct pubkey key = read_pub(known[i].pem);
        for (int form = SIG_DER; form <= SIG_RAW; form++) {
            key.form = (enum sig_form)form;
            assert_false(pubkey_verify(&key, message, MESSAGE_LEN, zero, 64));
            assert_false(pubkey_verify(&key, message, MESSAGE_LEN, zero, 96));
            assert_false(pubkey_verify(&key, message, MESSAGE_LEN, zero, 0));
        }
        pubkey_clear(&key);
    }
}

static void other_keys_and_bad_points_are_refused(void **state)
{
    static const char *const spki_hex[] = {
        /* P-256: compressed point; a point off the curve */
        "3039301306072a8648ce3d020106082a8648ce3d03010703220003691c3044745ac5c814ee54226df7b82ff69edf393452e229a255ba8a3ee1c114",
        ("3059301306072a8648ce3d020106082a8648ce3d03010703420004691c3044745ac5c814ee54226df7b82ff69edf393452e229a255ba8a3ee1c114"
         "9567e28c6e76d24cc23ab3497dbf119ad2e5fd949593bbae23b8410db33d255e"),
        /* Ed25519: the identity, a point of order 8, y not below the prime */
        "302a300506032b65700321000100000000000000000000000000000000000000000000000000000000000000",
        "302a300506032b6570032100c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "302a300506032b6570032100f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        /* X25519; cut short; one byte too many */
        "302a300506032b656e0321008166d90c3d1d55cdfbba9baca49f0033eb8bc9a143bac109d357042164d39d79",
        "302a300506032b65700321008166d90c3d1d55cdfbba9baca49f0033eb8bc9a143bac109d357042164d39d",
        "302a300506032b65700321008166d90c3d1d55cdfbba9baca49f0033eb8bc9a143bac109d357042164d39d7900",
    };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(spki_hex); i++) {
        uint8_t der[256];
        struct pubkey key = { 0 };
        size_t n = strlen(spki_hex[i]) / 2;
        assert_true(hex_decode(spki_hex[i], der, n));
        assert_int_equal(pubkey_from_spki(der, n, &key, &err), -1);
        assert_int_equal(err.kind, ERR_INVALID);
        assert_int_equal(key.alg, KEY_NONE);
    }
}

static void pem_is_one_block_and_nothing_else(void **state)
{
    static const char body[] = "MCowBQYDK2VwAyEAgWbZDD0dVc37upuspJ8AM+uLyaFDusEJ01cEIWTTnXk=";
    static const struct { const char *format; bool good; } cases[] = {
        { "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", true },
        { "-----BEGIN PUBLIC KEY-----\r\n%s\r\n-----END PUBLIC KEY-----\r\n", true },
        { "\n \t-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY----- \n\n", true },
        { "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----", true },
        { "-----BEGIN PUBLIC KEY-----%s\n-----END PUBLIC KEY-----\n", false },
        { "-----BEGIN PUBLIC KEY-----\n%s-----END PUBLIC KEY-----\n", false },
        { "-----BEGIN PUBLIC KEY-----\n\n%s\n-----END PUBLIC KEY-----\n", false },
        { "-----BEGIN PUBLIC KEY-----\n %s\n-----END PUBLIC KEY-----\n", false },
        { "-----BEGIN PUBLIC KEY-----\n%s \n-----END PUBLIC KEY-----\n", false },
        { "-----BEGIN PUBLIC KEY-----\nComment: x\n\n%s\n-----END PUBLIC KEY-----\n", false },
        { "-----BEGIN EC PUBLIC KEY-----\n%s\n-----END EC PUBLIC KEY-----\n", false },
        { "-----BEGIN PUBLIC KEY-----\n%s\n-----END PRIVATE KEY-----\n", false },
        { "----BEGIN PUBLIC KEY----\n%s\n----END PUBLIC KEY----\n", false },
        { "x-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", false },
        { "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\nx", false },
        { "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n%s", false },
        { "%s", false },
    };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        struct buf pem;
        struct pubkey key = { 0 };
        const char *hole = strstr(cases[i].format, "%s");
        buf_init(&pem, PEM_MAX);
        buf_put(&pem, cases[i].format, (size_t)(hole - cases[i].format));
        buf_puts(&pem, body);
        buf_puts(&pem, hole + 2);
        if ((pubkey_from_pem(pem.ptr, pem.len, &key, &err) == 0) != cases[i].good)
            fail_msg("case %zu", i);
        pubkey_clear(&key);
        buf_free(&pem);
    }
}

static void two_keys_a_nul_and_an_endless_file_are_no_pem(void **state)
{
    static char twice[2 * sizeof ed_pub], nul[] = "-----BEGIN PUBLIC KEY-----\nMCow\0QYDK2VwAyEAgWbZDD0dVc37upuspJ8AM+"
                                                  "uLyaFDusEJ01cEIWTTnXk=\n-----END PUBLIC KEY-----\n";
    struct pubkey key = { 0 };
    struct err err = { 0 };
    char *big = malloc(PEM_MAX + 1);

    (void)state;
    memcpy(twice, ed_pub, sizeof ed_pub - 1);
    memcpy(twice + sizeof ed_pub - 1, ed_pub, sizeof ed_pub);
    assert_int_equal(pubkey_from_pem(twice, strlen(twice), &key, &err), -1);
    assert_int_equal(pubkey_from_pem(nul, sizeof nul - 1, &key, &err), -1);
    memset(big, '\n', PEM_MAX + 1);
    assert_int_equal(pubkey_from_pem(big, PEM_MAX + 1, &key, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_int_equal(pubkey_from_pem(big, PEM_MAX, &key, &err), -1);
    assert_int_equal(pubkey_from_pem("", 0, &key, &err), -1);
    free(big);
}

static void a_private_key_whose_halves_differ_is_refused(void **state)
{
    uint8_t der[256];
    struct buf pem;
    struct privkey *key = NULL;
    struct err err = { 0 };
    size_t n;

    (void)state;
    assert_int_equal(pem_decode(ec_key, strlen(ec_key), "PRIVATE KEY", der, sizeof der, &n, &err), 0);
    /* The public half of Wycheproof's kind of trap: another point of the curve. */
    struct privkey *other = NULL;
    assert_int_equal(privkey_generate(KEY_P256, &other, &err), 0);
    memcpy(der + n - 64, privkey_public(other)->spki + 27, 64);
    privkey_free(other);
    buf_init(&pem, PEM_MAX);
    pem_encode("PRIVATE KEY", der, n, &pem);
    assert_int_equal(privkey_from_pem(pem.ptr, pem.len, &key, &err), -1);
    assert_null(key);
    buf_clear(&pem);
    pem_encode("PRIVATE KEY", der, n - 1, &pem);
    assert_int_equal(privkey_from_pem(pem.ptr, pem.len, &key, &err), -1);
    buf_free(&pem);
}

static void a_certificate_tells_its_key_and_nothing_more(void **state)
{
    uint8_t der[512];
    size_t n = decode(certificate, der);
    struct pubkey key = { 0 }, same = read_pub(ec_pub);
    struct err err = { 0 };

    (void)state;
    assert_int_equal(pubkey_from_certificate(der, n, &key, &err), 0);
    assert_true(pubkey_same(&key, &same));
    pubkey_clear(&key);
    pubkey_clear(&same);
    assert_int_equal(pubkey_from_certificate(der, n - 1, &key, &err), -1);
    der[n] = 0;
    assert_int_equal(pubkey_from_certificate(der, n + 1, &key, &err), -1);
    assert_int_equal(pubkey_from_certificate("", 0, &key, &err), -1);
}

static void words_of_algorithms_go_both_ways(void **state)
{
    enum key_alg alg = KEY_NONE;

    (void)state;
    assert_true(key_alg_from_word("ecdsa-p256", &alg) && alg == KEY_P256);
    assert_true(key_alg_from_word("ed25519", &alg) && alg == KEY_ED25519);
    assert_false(key_alg_from_word("none", &alg));
    assert_false(key_alg_from_word("rsa", &alg));
    assert_string_equal(key_alg_word(KEY_P384), "ecdsa-p384");
}

static int set_up(void **state)
{
    struct err err = { 0 };

    (void)state;
    return crypto_init(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_abc_is_the_published_value),
        cmocka_unit_test(streaming_and_one_call_hash_alike_at_every_length),
        cmocka_unit_test(hmac_is_that_of_rfc_4231_and_may_be_cut_to_half),
        cmocka_unit_test(wiped_memory_holds_nothing),
        cmocka_unit_test(base64_gives_back_what_it_took_at_every_length),
        cmocka_unit_test(base64_knows_the_vectors_of_rfc_4648),
        cmocka_unit_test(base64_refuses_everything_that_is_not_strict),
        cmocka_unit_test(keys_of_openssl_are_read_and_its_signatures_verified),
        cmocka_unit_test(a_signature_is_good_for_no_other_kind_of_key),
        cmocka_unit_test(ed25519_signs_as_in_rfc_8032),
        cmocka_unit_test(fresh_keys_sign_and_survive_being_written),
        cmocka_unit_test(private_keys_are_written_as_openssl_writes_them),
        cmocka_unit_test(the_form_of_ecdsa_belongs_to_the_key),
        cmocka_unit_test(zero_signatures_are_never_good),
        cmocka_unit_test(other_keys_and_bad_points_are_refused),
        cmocka_unit_test(pem_is_one_block_and_nothing_else),
        cmocka_unit_test(two_keys_a_nul_and_an_endless_file_are_no_pem),
        cmocka_unit_test(a_private_key_whose_halves_differ_is_refused),
        cmocka_unit_test(a_certificate_tells_its_key_and_nothing_more),
        cmocka_unit_test(words_of_algorithms_go_both_ways),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
