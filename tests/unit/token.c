/* token.c - bearer tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/crypto.h"
#include "base/str.h"
#include "base/token.h"

#include <string.h>

static void crc_of_the_check_string_is_the_published_one(void **state)
{
    (void)state;
    assert_int_equal(crc32_of("123456789", 9), 0xcbf43926);
    assert_int_equal(crc32_of("", 0), 0);
}

static void what_is_made_is_parsed(void **state)
{
    static const char *const kinds[] = { "ci", "adm", "agt", "usr", "ses", "lnk", "abcdefgh" };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(kinds); i++) {
        char text[TOKEN_TEXT_MAX + 1];
        uint8_t hash[TOKEN_HASH_LEN];
        struct token made, parsed;
        assert_true(token_make(kinds[i], text, &made));
        assert_true(token_parse(text, &parsed));
        assert_string_equal(parsed.kind, kinds[i]);
        assert_string_equal(parsed.id, made.id);
        assert_int_equal(strlen(parsed.id), TOKEN_ID_LEN);
        assert_true(token_matches(&parsed, made.hash));
        sha256(text, strlen(text), hash);
        assert_memory_equal(hash, made.hash, sizeof hash);
        assert_null(strstr(made.id, text + strlen(text) - TOKEN_SECRET_LEN));
    }
}

static void any_wrong_character_is_noticed(void **state)
{
    char text[TOKEN_TEXT_MAX + 1];
    struct token t;

    (void)state;
    assert_true(token_make("ci", text, &t));
    for (size_t i = 0; text[i] != '\0'; i++) {
        char right = text[i];
        static const char others[] = "a0Z_- ";
        for (const char *o = others; *o != '\0'; o++) {
            if (*o == right)
                continue;
            text[i] = *o;
            assert_false(token_parse(text, &t));
        }
        text[i] = right;
    }
    assert_true(token_parse(text, &t));
}

static void a_cut_or_lengthened_token_is_refused(void **state)
{
    char text[TOKEN_TEXT_MAX + 2];
    struct token t;

    (void)state;
    assert_true(token_make("ci", text, &t));
    size_t n = strlen(text);
    text[n] = 'x';
    text[n + 1] = '\0';
    assert_false(token_parse(text, &t));
    text[n] = '\0';
    for (size_t cut = 0; cut < n; cut++) {
        char part[TOKEN_TEXT_MAX + 2];
        memcpy(part, text, cut);
        part[cut] = '\0';
        assert_false(token_parse(part, &t));
    }
}

static void two_characters_swapped_are_noticed(void **state)
{
    char text[TOKEN_TEXT_MAX + 1];
    struct token t;

    (void)state;
    assert_true(token_make("agt", text, &t));
    for (size_t i = 0; text[i + 1] != '\0'; i++) {
        char a = text[i], b = text[i + 1];
        if (a == b)
            continue;
        text[i] = b;
        text[i + 1] = a;
        assert_false(token_parse(text, &t));
        text[i] = a;
        text[i + 1] = b;
    }
}

static void kinds_that_are_none_make_no_token(void **state)
{
    static const char *const bad[] = { "", "c", "CI", "c1", "c_i", "abcdefghi", "ci ", "\xc3\xa9x" };
    char text[TOKEN_TEXT_MAX + 1];
    struct token t;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++)
        assert_false(token_make(bad[i], text, &t));
}

static void no_two_tokens_are_alike(void **state)
{
    char a[TOKEN_TEXT_MAX + 1], b[TOKEN_TEXT_MAX + 1];
    struct token x, y;

    (void)state;
    for (int i = 0; i < 200; i++) {
        assert_true(token_make("ci", a, &x) && token_make("ci", b, &y));
        assert_string_not_equal(x.id, y.id);
        assert_false(token_matches(&x, y.hash));
    }
}

/* 200,000 draws: each of 62 characters within 10 % of its share. */
static void characters_are_drawn_evenly(void **state)
{
    unsigned count[256] = { 0 };
    const unsigned rounds = 6250, share = rounds * TOKEN_SECRET_LEN / 62;

    (void)state;
    for (unsigned i = 0; i < rounds; i++) {
        char text[TOKEN_TEXT_MAX + 1];
        struct token t;
        assert_true(token_make("ci", text, &t));
        const char *secret = text + strlen("keep_ci_") + TOKEN_ID_LEN + 1;
        for (int k = 0; k < TOKEN_SECRET_LEN; k++)
            count[(unsigned char)secret[k]]++;
    }
    unsigned kinds = 0;
    for (int c = 0; c < 256; c++) {
        if (count[c] == 0)
            continue;
        kinds++;
        assert_in_range(count[c], share - share / 10, share + share / 10);
    }
    assert_int_equal(kinds, 62);
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
        cmocka_unit_test(crc_of_the_check_string_is_the_published_one),
        cmocka_unit_test(what_is_made_is_parsed),
        cmocka_unit_test(any_wrong_character_is_noticed),
        cmocka_unit_test(a_cut_or_lengthened_token_is_refused),
        cmocka_unit_test(two_characters_swapped_are_noticed),
        cmocka_unit_test(kinds_that_are_none_make_no_token),
        cmocka_unit_test(no_two_tokens_are_alike),
        cmocka_unit_test(characters_are_drawn_evenly),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
