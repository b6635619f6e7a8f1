/* dsse.c - envelopes: the encoding that is signed, thresholds, statements. */
#include "base/base64.h"
#include "base/time.h"
#include "tests/conformance/set/set.h"
#include "wire/envelope.h"
#include "wire/statement.h"

/* The set's scans are of the days before this one; "old" is more than a month. */
#define NOW "2026-01-03T00:00:00Z"
#define OLD (30 * MS_DAY)

static bool parse(struct set *s, const char *path, struct json *doc)
{
    struct bytes text = set_read(s, path);
    struct err err = { 0 };

    if (text.ptr != NULL && json_parse(&s->arena, text.ptr, text.len, NULL, doc, &err) == 0)
        return true;
    set_check(s, path, "readable", "unreadable", err.msg);
    return false;
}

static struct bytes base64_member(struct set *s, const struct json *v, const char *key)
{
    const char *text = json_get_str(v, key, "");
    unsigned char *p = arena_bytes(&s->arena, base64_decoded_max(strlen(text)));
    size_t n;

    if (p == NULL || base64_decode(text, strlen(text), BASE64_ANY, p, &n) != 0)
        abort();
    return (struct bytes){ p, n };
}

static void run_pae(struct set *s, const char *path)
{
    struct json doc;
    struct err err = { 0 };

    if (!parse(s, path, &doc))
        return;
    for (uint32_t i = 0; i < json_len(&doc); i++) {
        const struct json *v = json_at(&doc, i);
        struct bytes pae;
        uint8_t hash[SHA256_LEN];
        char hex[2 * SHA256_LEN + 1], where[64];
        if (pae_encode(&s->arena, base64_member(s, v, "type_b64"), base64_member(s, v, "body_b64"), &pae, &err) != 0)
            abort();
        sha256(pae.ptr, pae.len, hash);
        hex_encode(hash, sizeof hash, hex);
        snprintf(where, sizeof where, "%s#%u", path, i);
        set_check(s, where, json_get_str(v, "pae_sha256", ""), hex, json_get_str(v, "source", ""));
    }
}

/* A decimal number as 32 big-endian bytes. */
static void decimal_to_bytes(const char *decimal, uint8_t out[32])
{
    memset(out, 0, 32);
    for (; *decimal != '\0'; decimal++) {
        unsigned carry = (unsigned)(*decimal - '0');
        for (int i = 31; i >= 0; i--) {
            carry += out[i] * 10u;
            out[i] = (uint8_t)carry;
            carry >>= 8;
        }
    }
}

static void run_spec_vector(struct set *s, const char *path, const char *expected)
{
    uint8_t spki[91] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                         0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };
    struct json v;
    struct pubkey key;
    struct bytes pae;
    struct err err = { 0 };

    if (!parse(s, path, &v))
        return;
    decimal_to_bytes(json_get_str(&v, "x", "0"), spki + 27);
    decimal_to_bytes(json_get_str(&v, "y", "0"), spki + 59);
    const char *type = json_get_str(&v, "payloadType", "");
    struct bytes sig = base64_member(s, &v, "sig_p1363_b64");
    if (pubkey_from_spki(spki, sizeof spki, &key, &err) != 0 ||
        pae_encode(&s->arena, (struct bytes){ (const unsigned char *)type, strlen(type) },
                   base64_member(s, &v, "payload"), &pae, &err) != 0)
        abort();
    key.form = SIG_RAW;
    set_check(s, path, expected, set_verdict(pubkey_verify(&key, pae.ptr, pae.len, sig.ptr, sig.len)), "raw form");
    key.form = SIG_DER;
    set_check(s, path, "reject", set_verdict(pubkey_verify(&key, pae.ptr, pae.len, sig.ptr, sig.len)),
              "a key for DER must not take raw");
    pubkey_clear(&key);
}

/* "trusted": names of files in keys/. */
static size_t read_keys(struct set *s, const struct json *names, struct pubkey keys[], const struct pubkey *list[])
{
    size_t n = 0;
    struct err err = { 0 };

    for (uint32_t i = 0; i < json_len(names) && n < SIGNATURES_MAX; i++) {
        char path[64];
        snprintf(path, sizeof path, "keys/%s.pub", json_str(json_at(names, i), ""));
        struct bytes pem = set_read(s, path);
        if (pem.ptr == NULL || pubkey_from_pem((const char *)pem.ptr, pem.len, &keys[n], &err) != 0)
            abort();
        list[n] = &keys[n];
        n++;
    }
    return n;
}

/* Some cases leave the encoding of ECDSA signatures to policy.  Ours: DER unless
 * the key says otherwise, so they must fail with keys as they are, and be good
 * with keys set to raw. */
static void run_threshold(struct set *s, const char *path, const char *expected)
{
    struct pubkey keys[SIGNATURES_MAX] = { 0 };
    const struct pubkey *list[SIGNATURES_MAX];
    struct envelope env;
    struct signers who;
    struct json doc;
    struct err err = { 0 };

    if (!parse(s, path, &doc))
        return;
    size_t n = read_keys(s, json_get(&doc, "trusted"), keys, list);
    int64_t threshold = json_int(json_get(&doc, "threshold"), 0);
    bool parsed = envelope_from_json(&s->arena, json_get(&doc, "envelope"), BASE64_ANY, &env, &err) == 0;
    bool good = parsed && threshold >= 0 && envelope_verify(&env, list, n, (size_t)threshold, &who, &err) == 0 &&
                statement_type_is_ours(env.payload_type);
    bool is_policy = str_eq(expected, "policy");
    set_check(s, path, is_policy ? "reject" : expected, set_verdict(good), good ? "signed" : err.msg);
    for (size_t i = 0; is_policy && i < n; i++)
        keys[i].form = SIG_RAW;
    if (is_policy)
        set_check(s, path, "accept", set_verdict(parsed && envelope_verify(&env, list, n, 1, &who, &err) == 0), "raw");
    for (size_t i = 0; i < n; i++)
        pubkey_clear(&keys[i]);
}

static void run_statement(struct set *s, const char *path, const char *expected)
{
    struct statement st;
    struct err err = { 0 };
    int64_t now;

    time_parse(NOW, &now);
    bool good = statement_parse(&s->arena, STATEMENT_PAYLOAD_TYPE, set_read(s, path), &st, &err) == 0 &&
                statement_check_times(&st, now, &err) == 0;
    /* "accept; ..." and "store; deny when ..." say what follows. */
    bool to_accept = str_starts(expected, "accept") || str_starts(expected, "store");
    set_check(s, path, set_verdict(to_accept), set_verdict(good), good ? "no fault found" : err.msg);
    if (good && strstr(expected, "max_age") != NULL)
        set_check(s, path, "old", now - st.finished_ms > OLD ? "old" : "fresh", "age of the scan");
    if (good && strstr(expected, "max_db_age") != NULL)
        set_check(s, path, "old", now - st.db_updated_ms > OLD ? "old" : "fresh", "age of the database");
}

static void run_row(struct set *s, const char *path, const char *expected, const char *what)
{
    (void)what;
    if (str_eq(path, "pae.json"))
        run_pae(s, path);
    else if (str_eq(path, "spec_vector.json"))
        run_spec_vector(s, path, expected);
    else if (str_starts(path, "threshold/"))
        run_threshold(s, path, expected);
    else if (str_starts(path, "statements/"))
        run_statement(s, path, expected);
    else
        set_check(s, path, "a known kind of case", "an unknown one", "dsse.c");
}

int main(int argc, char **argv)
{
    struct set s;
    struct err err = { 0 };

    if (crypto_init(&err) != 0)
        return fprintf(stderr, "%s\n", err.msg), 1;
    set_open(&s, argc, argv, "dsse");
    set_each_row(&s, run_row);
    return set_close(&s);
}
