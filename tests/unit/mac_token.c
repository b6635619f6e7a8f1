/* Session tokens of nodes, and what node states may follow which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/mac_token.h"
#include "base/str.h"
#include "base/time.h"
#include "core/node_state.h"

static const uint8_t key[MAC_TOKEN_KEY_LEN] = { 1, 2, 3, 4 }, other_key[MAC_TOKEN_KEY_LEN] = { 1, 2, 3, 5 };
static const struct mac_claims claims = { .node = 77, .issued_ms = 1000000, .expires_ms = 2000000, .scope = 0x0102030405060708, .certificate = { 9 } };

static void a_token_reads_back_as_it_was_made(void **state)
{
    char text[MAC_TOKEN_TEXT + 1];
    struct mac_claims got;

    (void)state;
    mac_token_make(key, &claims, text);
    assert_int_equal(strlen(text), MAC_TOKEN_TEXT);
    assert_true(mac_token_looks_like(text));
    assert_int_equal(mac_token_check(key, text, 1500000, &got), MAC_TOKEN_GOOD);
    assert_int_equal(got.node, 77);
    assert_int_equal(got.issued_ms, 1000000);
    assert_int_equal(got.expires_ms, 2000000);
    assert_true(got.scope == claims.scope);
    assert_memory_equal(got.certificate, claims.certificate, sizeof got.certificate);
}

static void every_flipped_bit_is_refused(void **state)
{
    char text[MAC_TOKEN_TEXT + 1];
    struct mac_claims got = { .node = -1 };

    (void)state;
    mac_token_make(key, &claims, text);
    for (size_t i = 0; i < MAC_TOKEN_TEXT; i++)
        for (int bit = 0; bit < 8; bit++) {
            text[i] = (char)(text[i] ^ (1 << bit));
            if (mac_token_check(key, text, 1500000, &got) != MAC_TOKEN_BAD)
                fail_msg("bit %d of byte %zu", bit, i);
            text[i] = (char)(text[i] ^ (1 << bit));
        }
    assert_int_equal(got.node, -1);
    assert_int_equal(mac_token_check(key, text, 1500000, &got), MAC_TOKEN_GOOD);
}

static void another_length_or_key_is_refused(void **state)
{
    char text[MAC_TOKEN_TEXT + 8] = "";
    struct mac_claims got;

    (void)state;
    mac_token_make(key, &claims, text);
    assert_int_equal(mac_token_check(other_key, text, 1500000, &got), MAC_TOKEN_BAD);
    text[MAC_TOKEN_TEXT] = 'A';
    assert_int_equal(mac_token_check(key, text, 1500000, &got), MAC_TOKEN_BAD);
    for (size_t n = MAC_TOKEN_TEXT; n-- > 0;) {
        text[n] = '\0';
        assert_int_equal(mac_token_check(key, text, 1500000, &got), MAC_TOKEN_BAD);
    }
}

/* A right MAC over a version or a length that is not ours. */
static void claims_of_another_version_are_refused(void **state)
{
    char text[MAC_TOKEN_TEXT + 1];
    uint8_t raw[64], mac[SHA256_LEN];
    struct mac_claims got;
    size_t len;

    (void)state;
    mac_token_make(key, &claims, text);
    assert_int_equal(base64_decode(text + 6, 66, BASE64_URL | BASE64_PAD_NEVER, raw, &len), 0);
    raw[0] = 2;
    base64_encode(raw, len, BASE64_URL | BASE64_PAD_NEVER, text + 6);
    hmac_sha256(key, sizeof key, text, 72, mac);
    text[72] = '.';
    base64_encode(mac, sizeof mac, BASE64_URL | BASE64_PAD_NEVER, text + 73);
    assert_int_equal(mac_token_check(key, text, 1500000, &got), MAC_TOKEN_BAD);
}

static void a_token_ends_at_its_millisecond(void **state)
{
    char text[MAC_TOKEN_TEXT + 1];
    struct mac_claims got;

    (void)state;
    mac_token_make(key, &claims, text);
    assert_int_equal(mac_token_check(key, text, 1999999, &got), MAC_TOKEN_GOOD);
    assert_int_equal(mac_token_check(key, text, 2000000, &got), MAC_TOKEN_EXPIRED);
    assert_int_equal(mac_token_check(key, text, INT64_MAX, &got), MAC_TOKEN_EXPIRED);
    assert_int_equal(mac_token_check(key, text, 1000000 - MAC_TOKEN_SKEW_MS, &got), MAC_TOKEN_GOOD);
    assert_int_equal(mac_token_check(key, text, 1000000 - MAC_TOKEN_SKEW_MS - 1, &got), MAC_TOKEN_EARLY);
}

/* ---- states -------------------------------------------------------------------------- */

static void nothing_comes_back_from_revoked(void **state)
{
    static const struct { enum node_state from, to; bool may; } rows[] = {
        { NODE_INVITED, NODE_ENROLLED, true }, { NODE_INVITED, NODE_REVOKED, true }, { NODE_INVITED, NODE_SILENT, false },
        { NODE_ENROLLED, NODE_SILENT, true }, { NODE_ENROLLED, NODE_REVOKED, true }, { NODE_ENROLLED, NODE_INVITED, false },
        { NODE_SILENT, NODE_ENROLLED, true }, { NODE_SILENT, NODE_REVOKED, true }, { NODE_SILENT, NODE_INVITED, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(node_state_may(rows[i].from, rows[i].to), rows[i].may);
    for (int to = 0; to < NODE_STATE_N; to++)
        assert_false(node_state_may(NODE_REVOKED, (enum node_state)to));
    assert_false(node_state_may(NODE_STATE_N, NODE_ENROLLED));
    assert_false(node_state_may(NODE_ENROLLED, NODE_STATE_N));
}

static void the_state_follows_from_the_times(void **state)
{
    struct node n = { .enrolled_ms = TIME_UNKNOWN, .revoked_ms = TIME_UNKNOWN, .last_seen_ms = TIME_UNKNOWN };

    (void)state;
    assert_int_equal(node_state_at(&n, 1000, 5000), NODE_INVITED);
    n.enrolled_ms = n.last_seen_ms = 4000;
    assert_int_equal(node_state_at(&n, 1000, 5000), NODE_ENROLLED);
    assert_int_equal(node_state_at(&n, 1000, 5001), NODE_SILENT);
    n.last_seen_ms = TIME_UNKNOWN;
    assert_int_equal(node_state_at(&n, 1000, 4001), NODE_SILENT);
    n.revoked_ms = 4500;
    n.last_seen_ms = 5000;
    assert_int_equal(node_state_at(&n, 1000, 5000), NODE_REVOKED);
}

static void a_problem_is_said_in_words(void **state)
{
    char text[NODE_PROBLEM_MAX + 1], hostile[400];
    struct node_signs signs = { .clock_skew_ms = TIME_UNKNOWN };

    (void)state;
    node_problem(&signs, text);
    assert_string_equal(text, "");
    signs.clock_skew_ms = NODE_SKEW_MAX_MS;
    node_problem(&signs, text);
    assert_string_equal(text, "");
    signs.clock_skew_ms = -MS_DAY;
    node_problem(&signs, text);
    assert_string_equal(text, "clock: 24 h 0 min behind");
    signs.is_cloned = true;
    signs.bundle_problem = "expired";
    signs.spool_dropped = 3;
    node_problem(&signs, text);
    assert_non_null(strstr(text, "cloned"));
    assert_non_null(strstr(text, "bundle: expired"));
    assert_non_null(strstr(text, "3 dropped"));
    for (size_t i = 0; i + 2 < sizeof hostile; i += 2)
        memcpy(hostile + i, "\xc3\xa9", 3);
    signs.bundle_problem = hostile;
    for (size_t cut = 0; cut < 4; cut++) {
        signs.bundle_problem = hostile + 2 * cut;
        node_problem(&signs, text);
        assert_true(strlen(text) <= NODE_PROBLEM_MAX);
        assert_true(str_is_utf8(text, strlen(text)));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_reads_back_as_it_was_made),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(another_length_or_key_is_refused),
        cmocka_unit_test(claims_of_another_version_are_refused),
        cmocka_unit_test(a_token_ends_at_its_millisecond),
        cmocka_unit_test(nothing_comes_back_from_revoked),
        cmocka_unit_test(the_state_follows_from_the_times),
        cmocka_unit_test(a_problem_is_said_in_words),
    };

    return cmocka_run_group_tests_name("node tokens and states", tests, NULL, NULL);
}
