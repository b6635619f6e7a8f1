/* envelope.c - envelopes, bundles, detached signatures: who signed what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base64.h"
#include "wire/bundle.h"
#include "wire/detached.h"
#include "wire/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE "application/vnd.in-toto+json"
#define DIGEST "sha256:e0f1a497a93630605f20f99b839c253e526b5eeac63ec567913167dbb6861719"
#define OTHER  "sha256:00f1a497a93630605f20f99b839c253e526b5eeac63ec567913167dbb6861719"

/* Three Ed25519 keys, then one P-256. */
enum { N_KEYS = 4 };
static struct privkey *keys[N_KEYS];
static struct arena arena;

static struct bytes bytes_of(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static const struct pubkey *pub(int i)
{
    return privkey_public(keys[i]);
}

/* An envelope of "payload" signed by the keys whose bits are set. */
static char *signed_by(unsigned mask)
{
    const struct privkey *list[N_KEYS];
    struct buf out;
    struct err err = { 0 };
    size_t n = 0;

    for (int i = 0; i < N_KEYS; i++) {
        if (mask >> i & 1)
            list[n++] = keys[i];
    }
    buf_init(&out, 1 << 20);
    if (envelope_sign(&arena, TYPE, bytes_of("payload"), list, n, &out, &err) != 0)
        fail_msg("%s", err.msg);
    char *text = arena_strndup(&arena, out.ptr, out.len);
    buf_free(&out);
    return text;
}

static int verify(const char *text, const struct pubkey *const trusted[], size_t n, size_t threshold,
                  struct signers *who, struct err *err)
{
    struct envelope env;

    if (envelope_parse(&arena, text, strlen(text), &env, err) != 0)
        return -1;
    return envelope_verify(&env, trusted, n, threshold, who, err);
}

static const char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);

    if (at == NULL)
        fail_msg("no %s in %s", from, text);
    return arena_printf(&arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* ---- PAE ------------------------------------------------------------------------- */

static void lengths_in_the_pae_are_bytes(void **state)
{
    static const struct { const char *type; size_t type_len; const char *body; size_t body_len; const char *pae; size_t len; } cases[] = {
        { "", 0, "", 0, "DSSEv1 0  0 ", 12 },
        { "http://example.com/HelloWorld", 29, "hello world", 11, "DSSEv1 29 http://example.com/HelloWorld 11 hello world", 54 },
        { "\xc3\xa9", 2, "\xe2\x82\xac", 3, "DSSEv1 2 \xc3\xa9 3 \xe2\x82\xac", 17 },
        { "a\0b", 3, "\0", 1, "DSSEv1 3 a\0b 1 \0", 16 },
    };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        struct bytes out;
        assert_int_equal(pae_encode(&arena, (struct bytes){ (const unsigned char *)cases[i].type, cases[i].type_len },
                                    (struct bytes){ (const unsigned char *)cases[i].body, cases[i].body_len }, &out, &err), 0);
        assert_int_equal(out.len, cases[i].len);
        assert_memory_equal(out.ptr, cases[i].pae, out.len);
    }
}

/* ---- envelope -------------------------------------------------------------------- */

static void what_is_signed_verifies_and_gives_the_payload(void **state)
{
    struct envelope env;
    struct signers who;
    struct err err = { 0 };

    (void)state;
    for (int i = 0; i < N_KEYS; i++) {
        const struct pubkey *trusted[] = { pub((i + 1) % N_KEYS), pub(i) };
        char *text = signed_by(1u << i);
        assert_int_equal(envelope_parse(&arena, text, strlen(text), &env, &err), 0);
        assert_string_equal(env.payload_type, TYPE);
        assert_int_equal(env.payload.len, 7);
        assert_memory_equal(env.payload.ptr, "payload", 7);
        assert_string_equal(env.sigs[0].keyid, pub(i)->fingerprint);
        assert_int_equal(envelope_verify(&env, trusted, 2, 1, &who, &err), 0);
        assert_int_equal(who.n, 1);
        assert_int_equal(who.key[0], 1);
    }
}

static void unique_keys_are_counted_and_nothing_else(void **state)
{
    const struct pubkey *all[] = { pub(0), pub(1), pub(2), pub(3) }, *twice[] = { pub(0), pub(0) };
    struct signers who;
    struct err err = { 0 };

    (void)state;
    for (unsigned mask = 1; mask < 1u << N_KEYS; mask++) {
        size_t n = (size_t)__builtin_popcount(mask);
        assert_int_equal(verify(signed_by(mask), all, 4, n, &who, &err), 0);
        assert_int_equal(who.n, n);
        assert_int_equal(verify(signed_by(mask), all, 4, n + 1, &who, &err), -1);
        assert_int_equal(err.kind, ERR_UNPROCESSABLE);
    }
    /* The same signature twice, and two signatures of one ECDSA key. */
    const char *one = signed_by(8), *sigs = strstr(one, "{\"keyid\""), *two = signed_by(8);
    const char *same = replaced(one, "]}", arena_printf(&arena, ",%s", sigs));
    assert_int_equal(verify(same, all, 4, 2, &who, &err), -1);
    const char *both = replaced(one, "]}", arena_printf(&arena, ",%s", strstr(two, "{\"keyid\"")));
    assert_int_equal(verify(both, all, 4, 2, &who, &err), -1);
    assert_int_equal(verify(both, all, 4, 1, &who, &err), 0);
    /* One key listed twice is one key. */
    assert_int_equal(verify(signed_by(1), twice, 2, 2, &who, &err), -1);
    assert_int_equal(verify(signed_by(1), twice, 2, 1, &who, &err), 0);
    assert_int_equal(who.key[0], 0);
}

static void a_threshold_of_zero_or_too_many_keys_is_our_mistake(void **state)
{
    const struct pubkey *trusted[TRUSTED_MAX + 1], *one[] = { pub(0) };
    struct signers who = { .n = 7 };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(trusted); i++)
        trusted[i] = pub(0);
    assert_int_equal(verify(signed_by(1), one, 1, 0, &who, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_int_equal(verify(signed_by(1), trusted, N_ITEMS(trusted), 1, &who, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_int_equal(verify(signed_by(1), one, 0, 1, &who, &err), -1);
    assert_int_equal(err.kind, ERR_UNPROCESSABLE);
    assert_int_equal(who.n, 7);
}

static void a_key_id_decides_nothing(void **state)
{
    const struct pubkey *trusted[] = { pub(0), pub(1) };
    struct signers who;
    struct err err = { 0 };

    (void)state;
    /* The stranger claims a trusted key's id; the trusted key claims another's, or none. */
    const char *stranger = replaced(signed_by(4), pub(2)->fingerprint, pub(0)->fingerprint);
    assert_int_equal(verify(stranger, trusted, 2, 1, &who, &err), -1);
    const char *mislabelled = replaced(signed_by(1), pub(0)->fingerprint, pub(1)->fingerprint);
    assert_int_equal(verify(mislabelled, trusted, 2, 1, &who, &err), 0);
    assert_int_equal(who.key[0], 0);
    const char *unlabelled = replaced(signed_by(1), arena_printf(&arena, "\"keyid\":\"%s\",", pub(0)->fingerprint), "");
    assert_int_equal(verify(unlabelled, trusted, 2, 1, &who, &err), 0);
}

static void a_bad_signature_spoils_no_good_one(void **state)
{
    const struct pubkey *trusted[] = { pub(0), pub(3) };
    struct signers who;
    struct err err = { 0 };

    (void)state;
    const char *text = replaced(signed_by(1), "[{", "[{\"sig\":\"AAAA\"},{\"sig\":\"\"},{");
    assert_int_equal(verify(text, trusted, 2, 1, &who, &err), 0);
    assert_int_equal(who.n, 1);
}

static void any_change_of_what_is_signed_is_noticed(void **state)
{
    const struct pubkey *trusted[] = { pub(0) };
    char *text = signed_by(1);
    struct signers who;
    struct err err = { 0 };

    (void)state;
    /* Whatever single byte changes: it does not parse, or does not verify, or was only the key id. */
    for (size_t i = 0; text[i] != '\0'; i++) {
        struct envelope env;
        char right = text[i];
        text[i] = right == 'A' ? 'B' : 'A';
        if (envelope_parse(&arena, text, strlen(text), &env, &err) == 0 &&
            envelope_verify(&env, trusted, 1, 1, &who, &err) == 0) {
            assert_string_equal(env.payload_type, TYPE);
            assert_memory_equal(env.payload.ptr, "payload", 7);
            assert_string_not_equal(env.sigs[0].keyid, pub(0)->fingerprint);
        }
        text[i] = right;
    }
    assert_int_equal(verify(replaced(text, "in-toto", "in-toto.x"), trusted, 1, 1, &who, &err), -1);
}

static void malformed_envelopes_are_refused(void **state)
{
    static const char *const bad[] = {
        "", "null", "[]", "\"x\"", "{}", "{\"payloadType\":\"t\",\"payload\":\"eA==\"}",
        "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[]}",
        "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":{}}",
        "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[{}]}",
        "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[null]}",
        "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[\"eA==\"]}",
        "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[{\"sig\":1}]}",
        "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[{\"sig\":\"eA\"}]}",
        "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[{\"sig\":\"eA==\",\"keyid\":1}]}",
        "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[{\"sig\":\"eA==\"},{\"sig\":\"e\"}]}",
        "{\"payloadType\":\"t\",\"payload\":\"e A==\",\"signatures\":[{\"sig\":\"eA==\"}]}",
        "{\"payloadType\":\"t\",\"payload\":\"eA\",\"signatures\":[{\"sig\":\"eA==\"}]}",
        "{\"payloadType\":\"t\",\"payload\":\"eB==\",\"signatures\":[{\"sig\":\"eA==\"}]}",
        "{\"payloadType\":\"t\",\"payload\":[120],\"signatures\":[{\"sig\":\"eA==\"}]}",
        "{\"payloadType\":null,\"payload\":\"eA==\",\"signatures\":[{\"sig\":\"eA==\"}]}",
        "{\"payloadType\":\"t\\u0000\",\"payload\":\"eA==\",\"signatures\":[{\"sig\":\"eA==\"}]}",
        "{\"payloadType\":\"t\",\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[{\"sig\":\"eA==\"}]}",
        "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[{\"sig\":\"eA==\",\"sig\":\"eA==\"}]}",
        "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[{\"sig\":\"eA==\"}]} x",
    };
    static const char *const good[] = {
        "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[{\"sig\":\"eA==\"}]}",
        "{\"payloadType\":\"\",\"payload\":\"\",\"signatures\":[{\"sig\":\"\",\"keyid\":null,\"x\":1}],\"y\":{\"z\":[]}}",
        "{\"payloadType\":\"t\",\"payload\":\"-_8=\",\"signatures\":[{\"sig\":\"+/8=\"}]}\n",
    };
    struct envelope env = { .n_sigs = 99 };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        if (envelope_parse(&arena, bad[i], strlen(bad[i]), &env, &err) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.kind, ERR_INVALID);
        assert_int_equal(env.n_sigs, 99);
    }
    for (size_t i = 0; i < N_ITEMS(good); i++) {
        if (envelope_parse(&arena, good[i], strlen(good[i]), &env, &err) != 0)
            fail_msg("%s: %s", good[i], err.msg);
    }
    assert_int_equal(envelope_parse(&arena, good[0], strlen(good[0]) + 1, &env, &err), -1);   /* the NUL */
}

static void more_than_eight_signatures_are_not_looked_at(void **state)
{
    struct envelope env;
    struct buf text;
    struct err err = { 0 };

    (void)state;
    buf_init(&text, 1 << 20);
    for (int n = SIGNATURES_MAX; n <= SIGNATURES_MAX + 1; n++) {
        buf_clear(&text);
        buf_puts(&text, "{\"payloadType\":\"t\",\"payload\":\"eA==\",\"signatures\":[");
        for (int i = 0; i < n; i++)
            buf_printf(&text, "%s{\"sig\":\"eA==\"}", i > 0 ? "," : "");
        buf_puts(&text, "]}");
        assert_int_equal(envelope_parse(&arena, text.ptr, text.len, &env, &err), n > SIGNATURES_MAX ? -1 : 0);
    }
    buf_free(&text);
}

static void the_work_of_verifying_is_bounded(void **state)
{
    enum { N = 80, LEN = 16 << 20 };
    const struct pubkey *trusted[N];
    struct privkey *strangers[N];
    unsigned char *body = calloc(1, LEN);
    uint8_t sig[SIG_MAX];
    size_t n;
    struct signers who;
    struct err err = { 0 };

    (void)state;
    for (int i = 0; i < N; i++) {
        assert_int_equal(privkey_generate(KEY_ED25519, &strangers[i], &err), 0);
        trusted[i] = privkey_public(strangers[i]);
    }
    /* By a key nobody trusts: each try costs a pass over 16 MiB. */
    assert_int_equal(privkey_sign(keys[0], body, LEN, sig, &n, &err), 0);
    struct signature one = { "", { sig, n } };
    assert_int_equal(signature_verify((struct bytes){ body, LEN }, &one, 1, trusted, N, 1, &who, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    /* The right hint makes it one try. */
    assert_int_equal(privkey_sign(strangers[N - 1], body, LEN, sig, &n, &err), 0);
    one.keyid = trusted[N - 1]->fingerprint;
    assert_int_equal(signature_verify((struct bytes){ body, LEN }, &one, 1, trusted, N, 1, &who, &err), 0);
    assert_int_equal(who.key[0], N - 1);
    for (int i = 0; i < N; i++)
        privkey_free(strangers[i]);
    free(body);
}

/* ---- bundles --------------------------------------------------------------------- */

static const char *bundle_text(const char *media_type, const char *material, const char *content)
{
    return arena_printf(&arena, "{\"mediaType\":\"%s\",\"verificationMaterial\":{%s},%s}", media_type, material, content);
}

#define V03 "application/vnd.dev.sigstore.bundle.v0.3+json"
#define HINT "\"publicKey\":{\"hint\":\"k1\"},\"tlogEntries\":[]"

static int parse_bundle(const char *text, struct bundle *b, struct err *err)
{
    return bundle_parse(&arena, text, strlen(text), b, err);
}

static void bundles_of_known_versions_carry_an_envelope(void **state)
{
    static const struct { const char *type; enum bundle_form form; } types[] = {
        { "application/vnd.dev.sigstore.bundle+json;version=0.1", BUNDLE_V01 },
        { "application/vnd.dev.sigstore.bundle+json;version=0.2", BUNDLE_V02 },
        { "application/vnd.dev.sigstore.bundle+json;version=0.3", BUNDLE_V03 },
        { V03, BUNDLE_V03 },
        { "application/vnd.dev.sigstore.bundle+json;version=0.4", BUNDLE_NONE },
        { "application/vnd.dev.sigstore.bundle.v0.4+json", BUNDLE_NONE },
        { "application/vnd.dev.sigstore.bundle+json", BUNDLE_NONE },
        { "application/vnd.dev.sigstore.bundle+json; version=0.1", BUNDLE_NONE },
        { "", BUNDLE_NONE },
    };
    const struct pubkey *trusted[] = { pub(3) }, *others[] = { pub(0) };
    const char *envelope = arena_printf(&arena, "\"dsseEnvelope\":%s",
                                        replaced(signed_by(8), pub(3)->fingerprint, ""));
    struct signers who;
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(types); i++) {
        struct bundle b = { 0 };
        int rc = parse_bundle(bundle_text(types[i].type, HINT, envelope), &b, &err);
        assert_int_equal(rc, types[i].form == BUNDLE_NONE ? -1 : 0);
        assert_int_equal(b.form, types[i].form);
        if (rc != 0)
            continue;
        assert_string_equal(b.key_hint, "k1");
        assert_int_equal(bundle_verify_envelope(&b, trusted, 1, &who, &err), 0);
        assert_int_equal(bundle_verify_envelope(&b, others, 1, &who, &err), -1);
        assert_int_equal(bundle_verify_artifact(&b, bytes_of("payload"), trusted, 1, &who, &err), -1);
    }
}

static void a_bare_envelope_is_evidence_too(void **state)
{
    const struct pubkey *trusted[] = { pub(1) };
    struct bundle b;
    struct signers who;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(parse_bundle(signed_by(3), &b, &err), 0);
    assert_int_equal(b.form, BUNDLE_BARE);
    assert_int_equal(bundle_verify_envelope(&b, trusted, 1, &who, &err), 0);
    assert_int_equal(parse_bundle("{\"SchemaVersion\":2}", &b, &err), -1);
}

static void a_bundle_signs_an_artifact_and_names_its_digest(void **state)
{
    const struct pubkey *trusted[] = { pub(3) };
    uint8_t sig[SIG_MAX], hash[SHA256_LEN];
    char sig64[160], hash64[64];
    struct signers who;
    struct bundle b;
    struct err err = { 0 };
    size_t n;

    (void)state;
    assert_int_equal(privkey_sign(keys[3], "artifact", 8, sig, &n, &err), 0);
    base64_encode(sig, n, BASE64_STD | BASE64_PAD_NEVER, sig64);
    sha256("artifact", 8, hash);
    base64_encode(hash, 32, BASE64_STD, hash64);
    const char *good = arena_printf(&arena, "\"messageSignature\":{\"messageDigest\":{\"algorithm\":\"SHA2_256\",\"digest\":\"%s\"},\"signature\":\"%s\"}", hash64, sig64);
    assert_int_equal(parse_bundle(bundle_text(V03, HINT, good), &b, &err), 0);
    assert_int_equal(bundle_verify_artifact(&b, bytes_of("artifact"), trusted, 1, &who, &err), 0);
    assert_int_equal(bundle_verify_artifact(&b, bytes_of("artefact"), trusted, 1, &who, &err), -1);
    assert_int_equal(bundle_verify_envelope(&b, trusted, 1, &who, &err), -1);
    /* The signature is good, the digest beside it is another's. */
    sha256("artefact", 8, hash);
    char other64[64];
    base64_encode(hash, 32, BASE64_STD, other64);
    assert_int_equal(parse_bundle(bundle_text(V03, HINT, replaced(good, hash64, other64)), &b, &err), 0);
    assert_int_equal(bundle_verify_artifact(&b, bytes_of("artifact"), trusted, 1, &who, &err), -1);
    assert_int_equal(parse_bundle(bundle_text(V03, HINT, replaced(good, "SHA2_256", "SHA2_512")), &b, &err), -1);
    assert_int_equal(parse_bundle(bundle_text(V03, HINT, replaced(good, hash64, "AAAA")), &b, &err), -1);
}

static void ambiguous_bundles_are_refused(void **state)
{
    const char *envelope = arena_printf(&arena, "\"dsseEnvelope\":%s", replaced(signed_by(8), pub(3)->fingerprint, "k1"));
    const char *two = arena_printf(&arena, "\"dsseEnvelope\":%s", signed_by(9));
    const char *message = "\"messageSignature\":{\"signature\":\"AAAA\"}", *cert = "\"certificate\":{\"rawBytes\":\"AAAA\"}";
    const char *chain = "\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\"AAAA\"}]}";
    const struct { const char *material, *content; } bad[] = {
        { HINT, two },
        { HINT, "\"x\":1" },
        { HINT, arena_printf(&arena, "%s,%s", envelope, message) },
        { "\"publicKey\":{\"hint\":\"k2\"}", envelope },
        { "", envelope },
        { "\"publicKey\":{},\"certificate\":{\"rawBytes\":\"AAAA\"}", envelope },
        { "\"publicKey\":{\"hint\":1}", envelope },
        { "\"publicKey\":[]", envelope },
        { "\"certificate\":{\"rawBytes\":\"\"}", envelope },
        { "\"certificate\":{}", envelope },
        { chain, envelope },                           /* not in 0.3 */
    };
    struct bundle b;
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        if (parse_bundle(bundle_text(V03, bad[i].material, bad[i].content), &b, &err) == 0)
            fail_msg("case %zu was taken", i);
    }
    assert_int_equal(parse_bundle(bundle_text(V03, HINT, envelope), &b, &err), 0);
    assert_int_equal(parse_bundle(bundle_text(V03, cert, envelope), &b, &err), 0);
    assert_int_equal(b.certificate.len, 3);
    assert_int_equal(parse_bundle(bundle_text("application/vnd.dev.sigstore.bundle+json;version=0.2", chain, message), &b, &err), 0);
    assert_int_equal(parse_bundle(bundle_text(V03, "\"publicKey\":{}", envelope), &b, &err), 0);
}

/* ---- detached -------------------------------------------------------------------- */

static void a_detached_signature_binds_body_and_subject(void **state)
{
    struct buf header;
    struct signers who;
    struct err err = { 0 };

    (void)state;
    for (int i = 0; i < N_KEYS; i++) {
        const struct pubkey *trusted[] = { pub(i) }, *others[] = { pub((i + 1) % N_KEYS) };
        buf_init(&header, 1024);
        assert_int_equal(detached_sign(&arena, DIGEST, bytes_of("report"), keys[i], &header, &err), 0);
        assert_int_equal(detached_verify(&arena, header.ptr, DIGEST, bytes_of("report"), trusted, 1, &who, &err), 0);
        assert_int_equal(detached_verify(&arena, header.ptr, OTHER, bytes_of("report"), trusted, 1, &who, &err), -1);
        assert_int_equal(detached_verify(&arena, header.ptr, DIGEST, bytes_of("report "), trusted, 1, &who, &err), -1);
        assert_int_equal(detached_verify(&arena, header.ptr, DIGEST, bytes_of("report"), others, 1, &who, &err), -1);
        buf_free(&header);
    }
}

static void a_detached_signature_is_no_envelopes(void **state)
{
    const struct pubkey *trusted[] = { pub(0) };
    struct buf header;
    struct signers who;
    struct err err = { 0 };

    (void)state;
    buf_init(&header, 1024);
    assert_int_equal(detached_sign(&arena, DIGEST, bytes_of("payload"), keys[0], &header, &err), 0);
    const char *sig = strstr(header.ptr, ";sig=") + 5, *text = signed_by(1);
    const char *own = strstr(text, "\"sig\":\"") + 7;
    own = arena_strndup(&arena, own, strcspn(own, "\""));
    assert_int_equal(verify(replaced(text, own, sig), trusted, 1, 1, &who, &err), -1);
    const char *borrowed = arena_printf(&arena, "keyid=%s;sig=%s", pub(0)->fingerprint, own);
    assert_int_equal(detached_verify(&arena, borrowed, DIGEST, bytes_of("payload"), trusted, 1, &who, &err), -1);
    buf_free(&header);
}

static void malformed_signature_headers_and_subjects_are_refused(void **state)
{
    static const char *const bad[] = {
        "", "keyid=", "keyid=x", "keyid=x;", "keyid=x;sig=", "keyid=;sig=AAAA", "sig=AAAA", "sig=AAAA;keyid=x",
        "keyid=x; sig=AAAA", "keyid=x;sig=AAA", "keyid=x;sig=AAAA;", "keyid=x;sig=AA AA", " keyid=x;sig=AAAA", "keyid",
        "k",
    };
    const struct pubkey *trusted[] = { pub(0) };
    struct signers who;
    struct buf header;
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        assert_int_equal(detached_verify(&arena, bad[i], DIGEST, bytes_of("x"), trusted, 1, &who, &err), -1);
        assert_int_equal(err.kind, ERR_INVALID);
    }
    assert_int_equal(detached_verify(&arena, "keyid=x;sig=AAAA", "sha256:1", bytes_of("x"), trusted, 1, &who, &err), -1);
    assert_int_equal(err.kind, ERR_INVALID);
    buf_init(&header, 1024);
    assert_int_equal(detached_sign(&arena, "latest", bytes_of("x"), keys[0], &header, &err), -1);
    buf_free(&header);
}

static void cosigns_image_signature_names_one_image(void **state)
{
    static const char format[] = "{\"critical\":{\"identity\":{\"docker-reference\":\"r\"},\"image\":{%s},\"type\":\"%s\"},\"optional\":null}";
    static const struct { const char *image, *type; bool good; } cases[] = {
        { "\"docker-manifest-digest\":\"" DIGEST "\"", "cosign container image signature", true },
        { "\"Docker-manifest-digest\":\"" DIGEST "\"", "cosign container image signature", true },
        { "\"docker-manifest-digest\":\"" OTHER "\"", "cosign container image signature", false },
        { "\"docker-manifest-digest\":\"" DIGEST "\",\"Docker-manifest-digest\":\"" OTHER "\"", "cosign container image signature", false },
        { "\"docker-manifest-digest\":\"" DIGEST "\"", "atomic container signature", false },
        { "", "cosign container image signature", false },
    };
    const struct pubkey *trusted[] = { pub(3) }, *others[] = { pub(0) };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        char payload[1024], text[160];
        uint8_t sig[SIG_MAX];
        struct signers who;
        struct err err = { 0 };
        size_t n;
        /* format is one of ours: see above */
        snprintf(payload, sizeof payload, format, cases[i].image, cases[i].type);
        assert_int_equal(privkey_sign(keys[3], payload, strlen(payload), sig, &n, &err), 0);
        base64_encode(sig, n, BASE64_STD, text);
        assert_int_equal(simple_signing_verify(&arena, bytes_of(payload), text, DIGEST, trusted, 1, &who, &err),
                         cases[i].good ? 0 : -1);
        assert_int_equal(simple_signing_verify(&arena, bytes_of(payload), text, DIGEST, others, 1, &who, &err), -1);
        assert_int_equal(simple_signing_verify(&arena, bytes_of(payload), "AAA", DIGEST, trusted, 1, &who, &err), -1);
        payload[0] = ' ';
        assert_int_equal(simple_signing_verify(&arena, bytes_of(payload), text, DIGEST, trusted, 1, &who, &err), -1);
    }
}

static int set_up(void **state)
{
    struct err err = { 0 };

    (void)state;
    arena_init(&arena, 256 << 20);
    if (crypto_init(&err) != 0)
        return -1;
    for (int i = 0; i < N_KEYS; i++) {
        if (privkey_generate(i < 3 ? KEY_ED25519 : KEY_P256, &keys[i], &err) != 0)
            return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < N_KEYS; i++)
        privkey_free(keys[i]);
    arena_clear(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_in_the_pae_are_bytes),
        cmocka_unit_test(what_is_signed_verifies_and_gives_the_payload),
        cmocka_unit_test(unique_keys_are_counted_and_nothing_else),
        cmocka_unit_test(a_threshold_of_zero_or_too_many_keys_is_our_mistake),
        cmocka_unit_test(a_key_id_decides_nothing),
        cmocka_unit_test(a_bad_signature_spoils_no_good_one),
        cmocka_unit_test(any_change_of_what_is_signed_is_noticed),
        cmocka_unit_test(malformed_envelopes_are_refused),
        cmocka_unit_test(more_than_eight_signatures_are_not_looked_at),
        cmocka_unit_test(the_work_of_verifying_is_bounded),
        cmocka_unit_test(bundles_of_known_versions_carry_an_envelope),
        cmocka_unit_test(a_bare_envelope_is_evidence_too),
        cmocka_unit_test(a_bundle_signs_an_artifact_and_names_its_digest),
        cmocka_unit_test(ambiguous_bundles_are_refused),
        cmocka_unit_test(a_detached_signature_binds_body_and_subject),
        cmocka_unit_test(a_detached_signature_is_no_envelopes),
        cmocka_unit_test(malformed_signature_headers_and_subjects_are_refused),
        cmocka_unit_test(cosigns_image_signature_names_one_image),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
