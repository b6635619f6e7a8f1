/* config_fixture.h - what the tests of configuration checks share: read, judge, find. */
#ifndef KEEP_TESTS_CONFIG_FIXTURE_H
#define KEEP_TESTS_CONFIG_FIXTURE_H

#include "base/str.h"
#include "core/config/config.h"
#include "model/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct checked { struct arena arena; struct config config; struct check_answer answer; struct err err; };

static struct checked now;

static inline int read_files(enum config_kind kind, const struct config_file *files, size_t n, const char *env, const char *profile)
{
    struct config_file dotenv = { ".env", env, env != NULL ? strlen(env) : 0 };
    struct config_input in = { .kind = kind, .files = files, .n_files = n, .env = env != NULL ? &dotenv : NULL,
                               .profiles = &profile, .n_profiles = profile != NULL };

    return config_read(&in, &now.arena, &now.config, &now.err);
}

static inline void judge(void)
{
    struct config_judge how = { .fail_at = PSS_BASELINE };

    if (config_judge(&now.config, &how, &now.arena, &now.answer, &now.err) != 0)
        fail_msg("%s", now.err.msg);
}

/* One file, judged. */
static inline void check(enum config_kind kind, const char *text)
{
    struct config_file *file = arena_alloc(&now.arena, sizeof *file);

    *file = (struct config_file){ "f", text, strlen(text) };
    if (read_files(kind, file, 1, NULL, NULL) != 0)
        fail_msg("%s", now.err.msg);
    judge();
}

/* The first reason of this rule; NULL: there is none. */
static inline const struct check_reason *reason(const char *rule)
{
    for (size_t i = 0; i < now.answer.n_reasons; i++) {
        if (str_eq(now.answer.reasons[i].rule, rule))
            return &now.answer.reasons[i];
    }
    return NULL;
}

static inline size_t count(const char *rule, int effect)
{
    size_t n = 0;

    for (size_t i = 0; i < now.answer.n_reasons; i++)
        n += str_eq(now.answer.reasons[i].rule, rule) && now.answer.reasons[i].effect == effect;
    return n;
}

static inline void assert_at(const char *rule, int effect, int64_t line, const char *path)
{
    const struct check_reason *r = reason(rule);

    if (r == NULL)
        fail_msg("no reason says %s", rule);
    assert_int_equal(r->effect, effect);
    assert_int_equal(r->line, line);
    assert_string_equal(r->path, path);
}

static inline void assert_refused(enum config_kind kind, const char *text, const char *says)
{
    struct config_file file = { "f", text, strlen(text) };

    assert_int_equal(read_files(kind, &file, 1, NULL, NULL), -1);
    assert_int_equal(now.err.kind, ERR_INVALID);
    if (strstr(now.err.msg, says) == NULL)
        fail_msg("expected '%s' in '%s'", says, now.err.msg);
}

static inline int set_up(void **state)
{
    (void)state;
    now = (struct checked){ 0 };
    arena_init(&now.arena, 64 << 20);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    arena_clear(&now.arena);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
