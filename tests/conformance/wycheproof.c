/* wycheproof.c - signatures and MACs against Wycheproof's vectors. */
#include "base/crypto.h"
#include "tests/conformance/set/set.h"
#include "wire/json.h"

/* Hex member of a test, decoded into the arena. */
static struct bytes hex_member(struct set *s, const struct json *v, const char *key)
{
    const char *hex = json_get_str(v, key, "");
    size_t n = strlen(hex) / 2;
    unsigned char *p = arena_bytes(&s->arena, n + 1);

    if (p == NULL || !hex_decode(hex, p, n))
        abort();
    return (struct bytes){ p, n };
}

static bool mac_is_good(struct set *s, const struct json *group, const struct json *test)
{
    struct bytes key = hex_member(s, test, "key"), msg = hex_member(s, test, "msg"), tag = hex_member(s, test, "tag");

    return (int64_t)tag.len * 8 == json_int(json_get(group, "tagSize"), 0) &&
           hmac_sha256_verify(key.ptr, key.len, msg.ptr, msg.len, tag.ptr, tag.len);
}

static bool signature_is_good(struct set *s, const struct pubkey *key, const struct json *test)
{
    struct bytes msg = hex_member(s, test, "msg"), sig = hex_member(s, test, "sig");

    return pubkey_verify(key, msg.ptr, msg.len, sig.ptr, sig.len);
}

static void run_group(struct set *s, const char *file, const struct json *group)
{
    const char *type = json_get_str(group, "type", ""), *pem = json_get_str(group, "publicKeyPem", "");
    const struct json *tests = json_get(group, "tests");
    bool is_mac = str_eq(type, "MacTest");
    struct pubkey key = { 0 };
    struct err err = { 0 };

    if (!is_mac && pubkey_from_pem(pem, strlen(pem), &key, &err) == 0)
        key.form = str_eq(type, "EcdsaP1363Verify") ? SIG_RAW : SIG_DER;
    for (uint32_t i = 0; i < json_len(tests); i++) {
        const struct json *test = json_at(tests, i);
        bool good = is_mac ? mac_is_good(s, group, test) : signature_is_good(s, &key, test);
        char where[128];
        snprintf(where, sizeof where, "%s#%lld", file, (long long)json_int(json_get(test, "tcId"), -1));
        set_check(s, where, json_get_str(test, "result", ""), good ? "valid" : "invalid",
                  json_get_str(test, "comment", ""));
    }
    pubkey_clear(&key);
}

static void run_file(struct set *s, const char *path, const char *expected, const char *what)
{
    struct bytes text = set_read(s, path);
    struct json doc;
    struct err err = { 0 };

    (void)expected;
    (void)what;
    if (text.ptr == NULL || json_parse(&s->arena, text.ptr, text.len, NULL, &doc, &err) != 0) {
        set_check(s, path, "vectors", "no vectors", err.msg);
        return;
    }
    const struct json *groups = json_get(&doc, "testGroups");
    for (uint32_t i = 0; i < json_len(groups); i++)
        run_group(s, path, json_at(groups, i));
}

int main(int argc, char **argv)
{
    struct set s;
    struct err err = { 0 };

    if (crypto_init(&err) != 0)
        return fprintf(stderr, "%s\n", err.msg), 1;
    set_open(&s, argc, argv, "wycheproof");
    set_each_row(&s, run_file);
    return set_close(&s);
}
