/* Roots of trust and bundles: what is believed, and why the rest is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/time.h"
#include "wire/envelope.h"
#include "wire/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 12 };
#define NOW INT64_C(1893456000000)                   /* 2030-01-01 */
#define DAY MS_DAY

static struct privkey *keys[KEYS];
static struct arena arena;

static int set_up(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_int_equal(crypto_init(&err), 0);
    arena_init(&arena, 256 << 20);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(privkey_generate(KEY_ED25519, &keys[i], &err), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < KEYS; i++)
        privkey_free(keys[i]);
    arena_clear(&arena);
    return 0;
}

/* Keys are bits of a set. */
static void role_of_set(struct trust_root *r, struct trust_role *role, unsigned set, size_t threshold)
{
    struct err err = { 0 };

    role->threshold = threshold;
    for (int i = 0; i < KEYS; i++) {
        if (!(set >> i & 1))
            continue;
        assert_int_equal(pubkey_from_ed25519(pubkey_ed25519(privkey_public(keys[i])), &r->keys[r->n_keys], &err), 0);
        role->keys[role->n++] = &r->keys[r->n_keys++];
    }
}

static struct trust_root *root_of(int64_t version, unsigned root, size_t root_threshold, unsigned bundle)
{
    struct trust_root *r = arena_alloc(&arena, sizeof *r);

    r->version = version;
    r->expires_ms = NOW + 365 * DAY;
    r->keys = arena_array(&arena, 2 * KEYS, sizeof *r->keys);
    role_of_set(r, &r->root, root, root_threshold);
    role_of_set(r, &r->bundle, bundle, 1);
    return r;
}

static struct bytes sign(const char *type, const char *payload, size_t len, unsigned by)
{
    const struct privkey *list[KEYS];
    struct err err = { 0 };
    struct buf out;
    size_t n = 0;

    for (int i = 0; i < KEYS; i++)
        if (by >> i & 1)
            list[n++] = keys[i];
    buf_init(&out, 1 << 20);
    assert_int_equal(envelope_sign(&arena, type, (struct bytes){ (const unsigned char *)payload, len }, list, n, &out, &err), 0);
    char *copy = arena_strndup(&arena, out.ptr, out.len);
    size_t length = out.len;
    buf_free(&out);
    return (struct bytes){ (unsigned char *)copy, length };
}

static struct bytes signed_root(const struct trust_root *r, unsigned by)
{
    struct err err = { 0 };
    struct buf b;

    buf_init(&b, 1 << 20);
    assert_int_equal(trust_root_write(r, &b, &err), 0);
    struct bytes out = sign(TRUST_ROOT_TYPE, b.ptr, b.len, by);
    buf_free(&b);
    return out;
}

static enum trust_reason next_of(const struct trust_root *now, struct bytes envelope)
{
    enum trust_reason why = TRUST_FINE;
    struct err err = { 0 };
    struct trust_root out;

    return trust_root_next(&arena, now, envelope.ptr, envelope.len, &out, &why, &err) == 0 ? TRUST_FINE : why;
}

static struct bytes bundle(const char *members, unsigned by)
{
    char *text = arena_printf(&arena, "{\"_type\":\"bundle\",\"files\":[],%s}", members);

    return sign(TRUST_BUNDLE_TYPE, text, strlen(text), by);
}

#define GOOD "\"root_version\":1,\"scope\":\"prod\",\"signed_at\":\"2030-01-01T00:00:00Z\",\"expires\":\"2030-01-08T00:00:00Z\""

/* 1 new, 0 the same, else minus the reason. */
static int judged(struct bytes envelope, const struct trust_floor *floor, int64_t now)
{
    const struct trust_root *r = root_of(1, 1, 1, 2);
    enum trust_reason why = TRUST_FINE;
    struct err err = { 0 };
    struct trust_bundle out;

    int rc = trust_bundle_verify(&arena, r, "prod", floor, trust_now(floor, now), envelope.ptr, envelope.len, &out, &why, &err);
    return rc < 0 ? -(int)why : rc;
}

static int judged_new(const char *members)
{
    return judged(bundle(members, 2), &(struct trust_floor){ 0 }, NOW);
}

/* ---- roots ----------------------------------------------------------------------------- */

static void a_root_follows_by_both_thresholds(void **state)
{
    const struct trust_root *now = root_of(1, 07, 2, 1 << 5), *next = root_of(2, 070, 2, 1 << 6);

    (void)state;
    assert_int_equal(next_of(now, signed_root(next, 033)), TRUST_FINE);
    assert_int_equal(next_of(now, signed_root(next, 030)), TRUST_SIGNATURE);      /* the new alone */
    assert_int_equal(next_of(now, signed_root(next, 003)), TRUST_SIGNATURE);      /* the old alone */
    assert_int_equal(next_of(now, signed_root(next, 031)), TRUST_SIGNATURE);      /* one old, two new */
}

static void only_the_next_version_follows(void **state)
{
    const struct trust_root *now = root_of(3, 1, 1, 2);

    (void)state;
    assert_int_equal(next_of(now, signed_root(root_of(4, 1, 1, 2), 1)), TRUST_FINE);
    assert_int_equal(next_of(now, signed_root(root_of(3, 1, 1, 2), 1)), TRUST_VERSION);
    assert_int_equal(next_of(now, signed_root(root_of(5, 1, 1, 2), 1)), TRUST_VERSION);
    assert_int_equal(next_of(now, signed_root(root_of(2, 1, 1, 2), 1)), TRUST_VERSION);
}

static void five_keys_that_all_change_need_ten_signatures(void **state)
{
    const struct trust_root *now = root_of(1, 037, 5, 1 << 10), *next = root_of(2, 01740, 5, 1 << 10);

    (void)state;
    assert_int_equal(next_of(now, signed_root(next, 01777)), TRUST_FINE);
    assert_int_equal(next_of(now, signed_root(next, 01776)), TRUST_SIGNATURE);
}

static void a_threshold_that_nobody_or_nothing_meets_is_refused(void **state)
{
    const struct trust_root *now = root_of(1, 1, 1, 2);

    (void)state;
    struct trust_root *zero = root_of(2, 3, 0, 4), *over = root_of(2, 3, 3, 4);
    assert_int_equal(next_of(now, signed_root(zero, 3)), TRUST_MALFORMED);
    assert_int_equal(next_of(now, signed_root(over, 3)), TRUST_MALFORMED);
}

static void a_key_named_twice_is_refused(void **state)
{
    struct trust_root *twice = root_of(2, 1, 1, 2);

    (void)state;
    twice->root.keys[1] = twice->root.keys[0];
    twice->root.n = 2;
    assert_int_equal(next_of(root_of(1, 1, 1, 2), signed_root(twice, 1)), TRUST_MALFORMED);
}

static void a_key_goes_by_its_fingerprint_alone(void **state)
{
    struct trust_root *r = root_of(2, 1, 1, 2);

    (void)state;
    memset(r->keys[0].fingerprint, 'a', 8);
    assert_int_equal(next_of(root_of(1, 1, 1, 2), signed_root(r, 1)), TRUST_MALFORMED);
}

/* ---- bundles ----------------------------------------------------------------------------- */

static void a_good_bundle_is_new_and_then_the_same(void **state)
{
    struct trust_floor floor = { 0 };
    struct trust_bundle out;
    enum trust_reason why;
    struct err err = { 0 };
    struct bytes b = bundle("\"version\":5," GOOD, 2);

    (void)state;
    assert_int_equal(trust_bundle_verify(&arena, root_of(1, 1, 1, 2), "prod", &floor, NOW, b.ptr, b.len, &out, &why, &err), 1);
    trust_floor_raise(&floor, &out);
    assert_int_equal(judged(b, &floor, NOW), 0);
    assert_int_equal(judged(bundle("\"version\":4," GOOD, 2), &floor, NOW), -TRUST_ROLLBACK);
    assert_int_equal(judged(bundle("\"version\":5,\"more\":1," GOOD, 2), &floor, NOW), -TRUST_EQUIVOCATION);
    assert_int_equal(judged(bundle("\"version\":6," GOOD, 2), &floor, NOW), 1);
}

static void a_version_is_an_integer(void **state)
{
    static const struct { const char *members; int expected; } rows[] = {
        { "\"version\":1," GOOD, 1 }, { "\"version\":9223372036854775807," GOOD, 1 }, { "\"version\":9223372036854775808," GOOD, -TRUST_MALFORMED },
        { "\"version\":\"2\"," GOOD, -TRUST_MALFORMED }, { "\"version\":2.0," GOOD, -TRUST_MALFORMED }, { "\"version\":2e0," GOOD, -TRUST_MALFORMED },
        { "\"version\":0," GOOD, -TRUST_MALFORMED }, { "\"version\":-1," GOOD, -TRUST_MALFORMED }, { "\"version\":null," GOOD, -TRUST_MALFORMED },
        { "\"version\":1,\"version\":2," GOOD, -TRUST_MALFORMED }, { GOOD, -TRUST_MALFORMED },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        if (judged_new(rows[i].members) != rows[i].expected)
            fail_msg("%s: %d", rows[i].members, judged_new(rows[i].members));
}

static void versions_near_2_to_53_are_not_confused(void **state)
{
    struct trust_floor floor = { .version = INT64_C(9007199254740992) };

    (void)state;
    assert_int_equal(judged(bundle("\"version\":9007199254740993," GOOD, 2), &floor, NOW), 1);
    floor.version++;
    assert_int_equal(judged(bundle("\"version\":9007199254740992," GOOD, 2), &floor, NOW), -TRUST_ROLLBACK);
}

static void a_time_is_one_of_ours(void **state)
{
#define AT(t) "\"version\":1,\"root_version\":1,\"scope\":\"prod\",\"signed_at\":\"2030-01-01T00:00:00Z\",\"expires\":" t
    static const struct { const char *members; int expected; } rows[] = {
        { AT("\"2030-01-08T00:00:00Z\""), 1 }, { AT("\"2030-01-08T00:00:00.250Z\""), 1 }, { AT("\"9999-12-31T23:59:59Z\""), 1 },
        { AT("\"10000-01-01T00:00:00Z\""), -TRUST_MALFORMED }, { AT("\"2030-01-08 00:00:00Z\""), -TRUST_MALFORMED },
        { AT("\"2030-01-08T00:00:00+00:00\""), -TRUST_MALFORMED }, { AT("\"2030-01-08t00:00:00z\""), -TRUST_MALFORMED },
        { AT("\"2030-02-30T00:00:00Z\""), -TRUST_MALFORMED }, { AT("1893456000"), -TRUST_MALFORMED }, { AT("\"0001-01-01T00:00:00Z\""), -TRUST_MALFORMED },
        { AT("\"2029-12-31T23:59:59Z\""), -TRUST_EXPIRED }, { AT("\"2030-01-01T00:00:00Z\""), -TRUST_EXPIRED },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        if (judged_new(rows[i].members) != rows[i].expected)
            fail_msg("%s: %d", rows[i].members, judged_new(rows[i].members));
}

static void signatures_count_by_key(void **state)
{
    struct trust_root *r = root_of(1, 1, 1, 2 | 4);
    struct trust_floor none = { 0 };
    struct trust_bundle out;
    enum trust_reason why;
    struct err err = { 0 };

    (void)state;
    r->bundle.threshold = 2;
    const unsigned sets[] = { 2 | 4, 2, 4, 2 | 8, 1 | 2 };
    for (size_t i = 0; i < N_ITEMS(sets); i++) {
        struct bytes b = bundle("\"version\":1," GOOD, sets[i]);
        assert_int_equal(trust_bundle_verify(&arena, r, "prod", &none, NOW, b.ptr, b.len, &out, &why, &err), i == 0 ? 1 : -1);
    }
    /* One key, two signatures: the list of signatures doubled. */
    struct bytes b = bundle("\"version\":1," GOOD, 2);
    char *text = arena_strndup(&arena, (const char *)b.ptr, b.len), *list = strstr(text, "\"signatures\":[") + 14;
    char *twice = arena_printf(&arena, "%.*s%.*s,%s", (int)(list - text), text, (int)(strlen(list) - 2), list, list);
    assert_int_equal(trust_bundle_verify(&arena, r, "prod", &none, NOW, twice, strlen(twice), &out, &why, &err), -1);
    assert_int_equal(why, TRUST_SIGNATURE);
}

static void a_bundle_is_for_its_scope_and_its_root(void **state)
{
    (void)state;
    assert_int_equal(judged_new("\"version\":1,\"root_version\":1,\"scope\":\"prod/a=b\",\"signed_at\":\"2030-01-01T00:00:00Z\",\"expires\":\"2030-01-08T00:00:00Z\""),
                     -TRUST_AUDIENCE);
    assert_int_equal(judged_new("\"version\":1,\"root_version\":2,\"scope\":\"prod\",\"signed_at\":\"2030-01-01T00:00:00Z\",\"expires\":\"2030-01-08T00:00:00Z\""),
                     -TRUST_ROOT_AHEAD);
}

static void the_clock_has_a_floor(void **state)
{
    struct trust_floor floor = { .clock_ms = NOW + 10 * DAY };

    (void)state;
    assert_int_equal(judged(bundle("\"version\":1," GOOD, 2), &floor, NOW), -TRUST_EXPIRED);
    assert_int_equal(trust_now(&floor, NOW), NOW + 10 * DAY);
    assert_int_equal(trust_now(&floor, NOW + 11 * DAY), NOW + 11 * DAY);
}

static void other_bundle_keys_forget_the_floor(void **state)
{
    struct trust_floor floor = { .version = INT64_MAX, .clock_ms = NOW };

    (void)state;
    trust_floor_follow(&floor, root_of(1, 1, 1, 2), root_of(2, 4, 1, 2));
    assert_true(floor.version == INT64_MAX);
    trust_floor_follow(&floor, root_of(1, 1, 1, 2), root_of(2, 1, 1, 8));
    assert_true(floor.version == 0 && floor.clock_ms == 0);
}

static void names_lead_nowhere_else(void **state)
{
    static const char *const bad[] = { "", "..", "../x", "a/b", ".etag", "bundle.json", "A", "a b", "\\u00e9" };
    char zeros[65];

    (void)state;
    memset(zeros, '0', 64);
    zeros[64] = '\0';
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        char *text = arena_printf(&arena, "{\"_type\":\"bundle\",\"version\":1," GOOD ",\"files\":[{\"name\":\"%s\",\"length\":1,\"sha256\":\"%s\"}]}", bad[i], zeros);
        assert_int_equal(judged(sign(TRUST_BUNDLE_TYPE, text, strlen(text), 2), &(struct trust_floor){ 0 }, NOW), -TRUST_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_root_follows_by_both_thresholds), cmocka_unit_test(only_the_next_version_follows),
        cmocka_unit_test(five_keys_that_all_change_need_ten_signatures), cmocka_unit_test(a_threshold_that_nobody_or_nothing_meets_is_refused),
        cmocka_unit_test(a_key_named_twice_is_refused), cmocka_unit_test(a_key_goes_by_its_fingerprint_alone),
        cmocka_unit_test(a_good_bundle_is_new_and_then_the_same), cmocka_unit_test(a_version_is_an_integer),
        cmocka_unit_test(versions_near_2_to_53_are_not_confused), cmocka_unit_test(a_time_is_one_of_ours),
        cmocka_unit_test(signatures_count_by_key), cmocka_unit_test(a_bundle_is_for_its_scope_and_its_root),
        cmocka_unit_test(the_clock_has_a_floor), cmocka_unit_test(other_bundle_keys_forget_the_floor), cmocka_unit_test(names_lead_nowhere_else),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
