/* ctl_unified.c - differences of texts, as diff -u writes them. */
#include "ctl/unified.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static void differ(const char *a, const char *b, const char *expected)
{
    struct arena arena;
    struct err err = { 0 };
    struct buf out;

    arena_init(&arena, 64 << 20);
    buf_init(&out, 1 << 20);
    const struct bytes x = { (const unsigned char *)a, strlen(a) }, y = { (const unsigned char *)b, strlen(b) };
    assert_int_equal(unified_diff(&arena, "a", x, "b", y, &out, &err), 0);
    assert_string_equal(out.ptr != NULL ? out.ptr : "", expected);
    buf_free(&out);
    arena_clear(&arena);
}

static void equal_texts_have_no_difference(void **state)
{
    (void)state;
    differ("", "", "");
    differ("a\nb\n", "a\nb\n", "");
}

static void a_changed_line_stands_in_its_context(void **state)
{
    (void)state;
    differ("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
           "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

static void distant_changes_are_hunks_of_their_own(void **state)
{
    (void)state;
    differ("a\n1\n2\n3\n4\n5\n6\n7\n8\nb\n", "1\n2\n3\n4\n5\n6\n7\n8\nb\nc\n",
           "--- a\n+++ b\n@@ -1,4 +1,3 @@\n-a\n 1\n 2\n 3\n@@ -8,3 +7,4 @@\n 7\n 8\n b\n+c\n");
}

static void a_text_that_begins_or_ends_is_all_added_or_removed(void **state)
{
    (void)state;
    differ("", "x\ny\n", "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+x\n+y\n");
    differ("x\n", "", "--- a\n+++ b\n@@ -1,1 +0,0 @@\n-x\n");
}

static void the_fewest_lines_change(void **state)
{
    (void)state;
    differ("a\nb\nc\nd\n", "a\nc\nx\nd\n", "--- a\n+++ b\n@@ -1,4 +1,4 @@\n a\n-b\n c\n+x\n d\n");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
    (void)state;
    differ("", "\033[31m\n", "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+?[31m\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_texts_have_no_difference), cmocka_unit_test(a_changed_line_stands_in_its_context),
        cmocka_unit_test(distant_changes_are_hunks_of_their_own), cmocka_unit_test(a_text_that_begins_or_ends_is_all_added_or_removed),
        cmocka_unit_test(the_fewest_lines_change), cmocka_unit_test(control_characters_do_not_reach_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
