/* OPA bundles: archives, signatures, canonical JSON, what is made verifies and what is
 * changed does not. */
#include "base/base64.h"
#include "base/compress.h"
#include "base/time.h"
#include "core/opa/opa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FILES = 4 };

struct fixture {
    struct arena arena;
    struct privkey *key;
    struct jws_key *public;
    char kid[OPA_KEY_ID];
    struct opa_key keys[1];
    struct opa_trust trust;
    struct buf bundle;
    const struct tar_file *files;
    size_t n;
    struct err err;
};

static struct bytes bytes_of(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static const struct image image = {
    .id = 1, .digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111", .repository = "shop.example/app",
    .tag = "1.0", .reference = "shop.example/app:1.0", .team = "shop", .verdict = DECISION_FAIL, .freshness = FRESHNESS_FRESH,
    .scanned_ms = 1700000000000, .db_built_ms = TIME_UNKNOWN, .counts = { .critical = 2 },
};
static const char *const tags[] = { "shop.example/app:1.0" };
static const char *const reasons[] = { "a \"quoted\" reason \b\f\x01 <&> \xe2\x80\xa8 with everything", "second" };

static int up(void **state)
{
    struct fixture *t = calloc(1, sizeof *t);
    struct buf pem;

    arena_init(&t->arena, 64 << 20);
    assert_int_equal(crypto_init(&t->err), 0);
    assert_int_equal(privkey_generate(KEY_P256, &t->key, &t->err), 0);
    buf_init(&pem, PEM_MAX);
    pubkey_to_pem(privkey_public(t->key), &pem);
    assert_int_equal(jws_key_new(JWS_ES256, pem.ptr, pem.len, &t->public, &t->err), 0);
    buf_free(&pem);
    opa_key_id(privkey_public(t->key), t->kid);
    t->keys[0] = (struct opa_key){ t->kid, t->public, NULL };
    t->trust = (struct opa_trust){ .is_given = true, .keyid = t->kid, .keys = t->keys, .n_keys = 1 };
    const struct opa_image images[] = { { &image, tags, 1, reasons, 2 } };
    const struct opa_facts facts = { .images = images, .n = 1, .limits = { 7 * MS_DAY, 3 * MS_DAY }, .generated_ms = 1700000000000,
                                     .not_after_ms = 1700000000000 + MS_DAY, .issued = 42 };
    buf_init(&t->bundle, 16 << 20);
    assert_int_equal(opa_bundle(&facts, "42-abc", t->key, &t->bundle, &t->err), 0);
    assert_int_equal(tar_gz_read(t->bundle.ptr, t->bundle.len, NULL, &t->arena, &t->files, &t->n, &t->err), 0);
    assert_int_equal(t->n, FILES);
    *state = t;
    return 0;
}

static int down(void **state)
{
    struct fixture *t = *state;

    buf_free(&t->bundle);
    jws_key_free(t->public);
    privkey_free(t->key);
    arena_clear(&t->arena);
    free(t);
    return 0;
}

static int verify(struct fixture *t, const struct tar_file *files, size_t n)
{
    struct opa_manifest m;

    return opa_verify(files, n, &t->trust, &t->arena, &m, &t->err);
}

/* ---- bundles ----------------------------------------------------------------------- */

static void what_is_made_verifies(void **state)
{
    struct fixture *t = *state;
    struct opa_manifest m;

    assert_int_equal(opa_verify(t->files, t->n, &t->trust, &t->arena, &m, &t->err), 0);
    assert_true(m.is_signed);
    assert_string_equal(m.revision, "42-abc");
    assert_int_equal(m.issued, 42);
    assert_int_equal(m.n_roots, 1);
    assert_string_equal(m.roots[0], "keep");
    assert_int_equal(opa_fresh(&m, 42, 1700000000000, &t->err), 0);
    assert_int_equal(opa_fresh(&m, 43, 1700000000000, &t->err), -1);
    assert_int_equal(opa_fresh(&m, -1, 1700000000001 + MS_DAY, &t->err), -1);
}

static void control_characters_do_not_get_into_the_data(void **state)
{
    struct fixture *t = *state;

    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->files[i].name, "keep/data.json") != 0)
            continue;
        assert_null(strstr((const char *)t->files[i].content.ptr, "\\b"));
        assert_null(strstr((const char *)t->files[i].content.ptr, "\\u0001"));
        assert_non_null(strstr((const char *)t->files[i].content.ptr, "second"));
    }
}

static void any_changed_file_is_noticed(void **state)
{
    struct fixture *t = *state;

    for (size_t i = 0; i < t->n; i++) {
        struct tar_file copy[FILES];
        unsigned char *content = arena_bytes(&t->arena, t->files[i].content.len);
        memcpy(copy, t->files, sizeof copy);
        memcpy(content, t->files[i].content.ptr, t->files[i].content.len);
        unsigned char *digit = content + t->files[i].content.len / 2;
        *digit = *digit == 'x' ? 'y' : 'x';
        copy[i].content.ptr = content;
        assert_int_equal(verify(t, copy, t->n), -1);
    }
}

static void missing_and_additional_files_are_noticed(void **state)
{
    struct fixture *t = *state;
    struct tar_file more[FILES + 1];

    memcpy(more, t->files, FILES * sizeof *more);
    more[FILES] = (struct tar_file){ "README.md", bytes_of("hello") };
    assert_int_equal(verify(t, more, FILES + 1), -1);
    for (size_t i = 0; i < FILES; i++) {
        size_t n = 0;
        for (size_t k = 0; k < FILES; k++) {
            if (k != i)
                more[n++] = t->files[k];
        }
        assert_int_equal(verify(t, more, n), -1);
    }
}

static void white_space_of_the_manifest_does_not_count(void **state)
{
    struct fixture *t = *state;
    struct tar_file copy[FILES];

    memcpy(copy, t->files, sizeof copy);
    assert_string_equal(copy[0].name, ".manifest");
    char *spaced = arena_printf(&t->arena, " { %.*s\n", (int)copy[0].content.len - 1, (const char *)copy[0].content.ptr + 1);
    copy[0].content = bytes_of(spaced);
    assert_int_equal(verify(t, copy, t->n), 0);
}

static void another_key_another_scope_and_no_trust_are_refused(void **state)
{
    struct fixture *t = *state;
    struct opa_trust was = t->trust;

    t->trust.keyid = "other";
    assert_int_equal(verify(t, t->files, t->n), -1);
    t->trust = was;
    t->trust.scope = "prod";
    assert_int_equal(verify(t, t->files, t->n), -1);
    t->trust = (struct opa_trust){ .is_given = false };
    assert_int_equal(verify(t, t->files, t->n), -1);
    t->trust = was;
    t->trust.keyid = NULL;                      /* then the header's kid finds the key */
    assert_int_equal(verify(t, t->files, t->n), 0);
    t->trust = was;
}

static const char manifest[] = "{\"revision\":\"r\",\"roots\":[\"a/b\"]}";

static void roots_must_cover_packages_and_data(void **state)
{
    static const struct { const char *name, *text; int rc; } rows[] = {
        { "x.rego", "# comment\n\n  package a.b.c\n", 0 },
        { "x.rego", "package a.b", 0 },
        { "x.rego", "package a.bc", -1 },
        { "x.rego", "package a[\"b\"].c # why\n", 0 },
        { "x.rego", "package a", -1 },
        { "x.rego", "packages a.b", -1 },
        { "x.rego", "", -1 },
        { "a/b/data.json", "{\"anything\":1}", 0 },
        { "data.json", "{\"a\":{\"b\":{\"c\":1}}}", 0 },
        { "data.json", "{\"a\":{\"x\":1}}", -1 },
        { "data.json", "{}", 0 },
        { "data.json", "7", -1 },
        { "c/data.json", "{\"d\":1}", -1 },
        { "data.json", "{\"a\":", -1 },
    };
    struct fixture *t = *state;
    const struct opa_trust none = { 0 };
    struct opa_manifest m;

    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        const struct tar_file files[] = { { ".manifest", bytes_of(manifest) }, { rows[i].name, bytes_of(rows[i].text) } };
        int rc = opa_verify(files, 2, &none, &t->arena, &m, &t->err);
        if (rc != rows[i].rc)
            fail_msg("%s %s: %d", rows[i].name, rows[i].text, rc);
    }
}

/* ---- canonical JSON ---------------------------------------------------------------------- */

static void the_canonical_form_is_gos(void **state)
{
    static const struct { const char *in, *out; bool old; } rows[] = {
        { " { \"b\" : 1.0 , \"a\" : [ 1e3 , 12345678901234567890, -0 ] } ", "{\"a\":[1e3,12345678901234567890,-0],\"b\":1.0}", false },
        { "{\"B\":1,\"a\":2,\"A\":3,\"\":4,\"aa\":5}", "{\"\":4,\"A\":3,\"B\":1,\"a\":2,\"aa\":5}", false },
        { "\"<&>\\/\\u003c\\u0041\"", "\"<&>/<A\"", false },
        { "\"\\u2028\\u2029\\u202a\"", "\"\\u2028\\u2029\xe2\x80\xaa\"", false },
        { "\"\\n\\r\\t\\\"\\\\\"", "\"\\n\\r\\t\\\"\\\\\"", false },
        { "\"\\b\\f\\u0001\\u007f\"", "\"\\b\\f\\u0001\x7f\"", false },
        { "\"\\b\\f\"", "\"\\u0008\\u000c\"", true },
        { "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}", false },
        { "[null,true,false,\"\",{},[]]", "[null,true,false,\"\",{},[]]", false },
    };
    struct fixture *t = *state;
    const struct json_opts opts = { .big_numbers = true, .duplicate_keys = true };

    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct json v;
        struct buf b;
        buf_init(&b, 4096);
        assert_int_equal(json_parse(&t->arena, rows[i].in, strlen(rows[i].in), &opts, &v, &t->err), 0);
        opa_canonical(&v, rows[i].in, rows[i].old, &b);
        assert_string_equal(b.ptr, rows[i].out);
        buf_free(&b);
    }
}

/* ---- archives ------------------------------------------------------------------------------ */

static void archives_are_reproducible_and_sorted(void **state)
{
    struct fixture *t = *state;
    const struct tar_file files[] = { { "b", bytes_of("2") }, { "a/c", bytes_of("") }, { ".x", bytes_of("1") } };
    const struct tar_file turned[] = { files[2], files[0], files[1] };
    const struct tar_file *back;
    struct buf one, two;
    size_t n;

    buf_init(&one, 1 << 20);
    buf_init(&two, 1 << 20);
    assert_int_equal(tar_gz_write(files, 3, &one, &t->err), 0);
    assert_int_equal(tar_gz_write(turned, 3, &two, &t->err), 0);
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.ptr, two.ptr, one.len);
    assert_int_equal(tar_gz_read(one.ptr, one.len, NULL, &t->arena, &back, &n, &t->err), 0);
    assert_int_equal(n, 3);
    assert_string_equal(back[0].name, ".x");
    assert_string_equal(back[1].name, "a/c");
    assert_int_equal(back[1].content.len, 0);
    assert_memory_equal(back[2].content.ptr, "2", 1);
    buf_free(&one);
    buf_free(&two);
}

static void names_that_are_not_plain_are_not_written(void **state)
{
    static const char *const names[] = { "", "/a", "./a", "a/../b", "..", "a//b", "a/", "\xff",
        "12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901" };
    struct fixture *t = *state;
    struct buf out;

    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < N_ITEMS(names); i++) {
        const struct tar_file f = { names[i], bytes_of("x") };
        assert_int_equal(tar_gz_write(&f, 1, &out, &t->err), -1);
    }
    const struct tar_file twice[] = { { "a", bytes_of("x") }, { "a", bytes_of("y") } };
    assert_int_equal(tar_gz_write(twice, 2, &out, &t->err), -1);
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

static void reading_is_bounded(void **state)
{
    struct fixture *t = *state;
    const struct tar_bounds files = { .max_files = FILES - 1 }, size = { .max_file = 100 }, total = { .max_total = 2048 };
    const struct tar_bounds *const all[] = { &files, &size, &total };
    const struct tar_file *back;
    size_t n;

    for (size_t i = 0; i < N_ITEMS(all); i++) {
        assert_int_equal(tar_gz_read(t->bundle.ptr, t->bundle.len, all[i], &t->arena, &back, &n, &t->err), -1);
        assert_int_equal(t->err.kind, ERR_TOO_LARGE);
    }
    for (size_t len = 0; len < t->bundle.len; len += 97)
        assert_int_equal(tar_gz_read(t->bundle.ptr, len, NULL, &t->arena, &back, &n, &t->err), -1);
}

/* A header of ustar with this type and name; the rest is zero. */
static void put_header(struct buf *b, const char *name, char type)
{
    unsigned char h[512] = { 0 };
    unsigned sum = 0;

    snprintf((char *)h, 100, "%s", name);
    memcpy(h + 100, "0000644", 8);
    memcpy(h + 124, "00000000000", 12);
    memcpy(h + 136, "00000000000", 12);
    memset(h + 148, ' ', 8);
    h[156] = (unsigned char)type;
    memcpy(h + 157, "target", 6);
    memcpy(h + 257, "ustar\00000", 8);
    for (size_t i = 0; i < sizeof h; i++)
        sum += h[i];
    snprintf((char *)h + 148, 8, "%06o", sum);
    buf_put(b, h, sizeof h);
}

static void only_files_and_folders_are_read(void **state)
{
    static const struct { char type; int rc; } rows[] = { { '0', 0 }, { '5', 0 }, { '1', -1 }, { '2', -1 }, { '3', -1 }, { '6', -1 } };
    struct fixture *t = *state;
    static const char zeros[1024];

    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        const struct tar_file *back;
        struct buf tar, packed;
        size_t n;
        buf_init(&tar, 1 << 20);
        buf_init(&packed, 1 << 20);
        put_header(&tar, "x", rows[i].type);
        buf_put(&tar, zeros, sizeof zeros);
        assert_int_equal(gzip_deflate(tar.ptr, tar.len, 6, &packed, &t->err), 0);
        int rc = tar_gz_read(packed.ptr, packed.len, NULL, &t->arena, &back, &n, &t->err);
        if (rc != rows[i].rc)
            fail_msg("type %c: %d (%s)", rows[i].type, rc, t->err.msg);
        buf_free(&tar);
        buf_free(&packed);
    }
}

/* ---- signatures -------------------------------------------------------------------------------- */

static struct jws split(struct fixture *t, const char *text)
{
    struct jws jws;

    assert_int_equal(jws_split(text, strlen(text), &t->arena, &jws, &t->err), 0);
    return jws;
}

static void a_signature_is_of_its_key_and_text_alone(void **state)
{
    struct fixture *t = *state;
    struct privkey *other;
    struct buf b, c;

    buf_init(&b, 1 << 20);
    buf_init(&c, 1 << 20);
    assert_int_equal(privkey_generate(KEY_P256, &other, &t->err), 0);
    assert_int_equal(jws_sign(t->key, "{\"alg\":\"ES256\"}", bytes_of("{}"), &b, &t->err), 0);
    assert_int_equal(jws_sign(other, "{\"alg\":\"ES256\"}", bytes_of("{}"), &c, &t->err), 0);
    struct jws good = split(t, b.ptr), bad = split(t, c.ptr);
    assert_int_equal(good.signature.len, 64);
    assert_true(jws_verify(&good, t->public));
    assert_false(jws_verify(&bad, t->public));
    assert_false(jws_verify(&good, NULL));
    b.ptr[3] = b.ptr[3] == 'A' ? 'B' : 'A';
    struct jws changed = good;
    assert_false(jws_verify(&changed, t->public));
    privkey_free(other);
    buf_free(&b);
    buf_free(&c);
}

/* RFC 7515, appendix A.1: HS256 over a key of 64 bytes; A.3: ES256. */
static void the_examples_of_the_rfc_verify(void **state)
{
    static const char hs[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    static const char hs_key[] = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    static const char es[] = "eyJhbGciOiJFUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    static const char x[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    struct fixture *t = *state;
    uint8_t secret[80], spki[91] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
                                     0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };
    struct jws_key *key;
    struct pubkey public;
    struct buf pem;
    size_t n;

    assert_int_equal(base64_decode(hs_key, strlen(hs_key), BASE64_URL | BASE64_PAD_NEVER, secret, &n), 0);
    assert_int_equal(jws_key_new(JWS_HS256, secret, n, &key, &t->err), 0);
    struct jws jws = split(t, hs);
    assert_true(jws_verify(&jws, key));
    jws_key_free(key);
    assert_int_equal(jws_key_new(JWS_HS512, secret, n, &key, &t->err), 0);
    assert_false(jws_verify(&jws, key));
    jws_key_free(key);
    uint8_t point[40];
    assert_int_equal(base64_decode(x, strlen(x), BASE64_URL | BASE64_PAD_NEVER, point, &n), 0);
    memcpy(spki + 27, point, 32);
    assert_int_equal(base64_decode(y, strlen(y), BASE64_URL | BASE64_PAD_NEVER, point, &n), 0);
    memcpy(spki + 59, point, 32);
    assert_int_equal(pubkey_from_spki(spki, sizeof spki, &public, &t->err), 0);
    buf_init(&pem, PEM_MAX);
    pubkey_to_pem(&public, &pem);
    assert_int_equal(jws_key_new(JWS_ES256, pem.ptr, pem.len, &key, &t->err), 0);
    jws = split(t, es);
    assert_true(jws_verify(&jws, key));
    /* The public key's text as a shared secret: the algorithm is the key's, so it is none. */
    struct jws confused = split(t, hs);
    assert_false(jws_verify(&confused, key));
    jws_key_free(key);
    assert_int_equal(jws_key_new(JWS_ES384, pem.ptr, pem.len, &key, &t->err), -1);
    assert_int_equal(jws_key_new(JWS_RS256, pem.ptr, pem.len, &key, &t->err), -1);
    assert_int_equal(jws_key_new(jws_alg_of("EdDSA"), pem.ptr, pem.len, &key, &t->err), -1);
    buf_free(&pem);
    pubkey_clear(&public);
}

static void texts_that_are_no_compact_signature_are_refused(void **state)
{
    static const char *const texts[] = { "", ".", "a.b", "a.b.c.d", "e30.e30.!", "e30=.e30.e30", "e3 0.e30.e30" };
    struct fixture *t = *state;
    struct jws jws;

    for (size_t i = 0; i < N_ITEMS(texts); i++)
        assert_int_equal(jws_split(texts[i], strlen(texts[i]), &t->arena, &jws, &t->err), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_verifies),
        cmocka_unit_test(control_characters_do_not_get_into_the_data),
        cmocka_unit_test(any_changed_file_is_noticed),
        cmocka_unit_test(missing_and_additional_files_are_noticed),
        cmocka_unit_test(white_space_of_the_manifest_does_not_count),
        cmocka_unit_test(another_key_another_scope_and_no_trust_are_refused),
        cmocka_unit_test(roots_must_cover_packages_and_data),
        cmocka_unit_test(the_canonical_form_is_gos),
        cmocka_unit_test(archives_are_reproducible_and_sorted),
        cmocka_unit_test(names_that_are_not_plain_are_not_written),
        cmocka_unit_test(reading_is_bounded),
        cmocka_unit_test(only_files_and_folders_are_read),
        cmocka_unit_test(a_signature_is_of_its_key_and_text_alone),
        cmocka_unit_test(the_examples_of_the_rfc_verify),
        cmocka_unit_test(texts_that_are_no_compact_signature_are_refused),
    };

    return cmocka_run_group_tests_name("opa", tests, up, down);
}
