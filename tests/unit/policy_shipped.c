/* Shipped policies: every case below tests/policies holds; every policy has cases,
 * a title, a description and remediations. */
#include "core/policy_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char cases_root[] = "tests/policies", policies_root[] = "schema/policies";

static int read_path(const char *path, struct arena *arena, struct bytes *out, struct err *err)
{
    FILE *f = fopen(path, "rb");
    char *text = arena_bytes(arena, 1 << 20);

    if (f == NULL || text == NULL) {
        if (f != NULL)
            fclose(f);
        return err_set(err, ERR_NOT_FOUND, "%s: cannot be read", path);
    }
    out->len = fread(text, 1, 1 << 20, f);
    out->ptr = (const unsigned char *)text;
    fclose(f);
    return 0;
}

static int read_beside(void *data, const char *name, struct arena *arena, struct bytes *out, struct err *err)
{
    char path[1024];

    snprintf(path, sizeof path, "%s/%s", (const char *)data, name);
    return read_path(path, arena, out, err);
}

static int each_name(const char *folder, const char *suffix, int (*run)(const char *folder, const char *name))
{
    struct dirent **names;
    int failures = 0, n = scandir(folder, &names, NULL, alphasort);

    assert_true(n > 2);
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.' && str_ends(names[i]->d_name, suffix))
            failures += run(folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return failures;
}

static int run_file(const char *folder, const char *name)
{
    char path[1024];
    struct arena arena;
    struct bytes text;
    struct policy_case *cases;
    struct err err = { 0 };
    size_t n = 0;
    int failures = 0;

    arena_init(&arena, 256 << 20);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct policy_test_files files = { read_beside, (void *)(uintptr_t)folder };
    if (read_path(path, &arena, &text, &err) != 0 || policy_test_run(text.ptr, text.len, &files, NULL, 0, &arena, &cases, &n, &err) != 0) {
        print_error("%s: %s\n", path, err.msg);
        failures++;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < cases[i].n_differences; k++)
            print_error("%s:%u: %s: %s\n", path, cases[i].line, cases[i].name, cases[i].differences[k]);
        failures += !cases[i].passed;
    }
    arena_clear(&arena);
    return failures;
}

static int run_folder(const char *folder, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return each_name(path, ".yaml", run_file);
}

static int check_policy(const char *folder, const char *name)
{
    char path[512];
    struct arena arena;
    struct bytes text;
    struct policy_lint lint;
    struct err err = { 0 };

    arena_init(&arena, 64 << 20);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(read_path(path, &arena, &text, &err), 0);
    assert_int_equal(policy_lint(text.ptr, text.len, &arena, &lint, &err), 0);
    int failures = lint.info == NULL || lint.n_notes > 0;
    for (size_t i = 0; i < lint.n_notes; i++)
        print_error("%s: %s\n", path, lint.notes[i]);
    if (lint.info != NULL && (str_eq(lint.info->title, lint.info->name) || strncmp(lint.info->name, name, strlen(lint.info->name)) != 0)) {
        print_error("%s: no title, or another name than the file's\n", path);
        failures++;
    }
    snprintf(path, sizeof path, "%s/%.*s/cases.yaml", cases_root, (int)(strlen(name) - strlen(".yaml")), name);
    if (read_path(path, &arena, &text, &err) != 0) {
        print_error("%s: no cases\n", path);
        failures++;
    }
    arena_clear(&arena);
    return failures;
}

static void every_case_holds(void **state)
{
    (void)state;
    assert_int_equal(each_name(cases_root, "", run_folder), 0);
}

static void every_policy_is_described_and_has_cases(void **state)
{
    (void)state;
    assert_int_equal(each_name(policies_root, ".yaml", check_policy), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_holds),
        cmocka_unit_test(every_policy_is_described_and_has_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
