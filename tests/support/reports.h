/* reports.h - for tests of report decoders: a report as C text, in which ' stands for ". */
#ifndef KEEP_TESTS_REPORTS_H
#define KEEP_TESTS_REPORTS_H

#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/report.h"
#include "wire/vex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "sha256:3333333333333333333333333333333333333333333333333333333333333333"

struct fixture {
    struct arena arena;
    struct scan scan;
    struct vex vex;
    struct err err;
};

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (f != NULL)
        arena_init(&f->arena, (size_t)256 << 20);
    *state = f;
    return f == NULL;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    arena_clear(&f->arena);
    free(f);
    return 0;
}

static inline char *quoted(struct fixture *f, const char *text)
{
    char *copy = arena_strdup(&f->arena, text);

    for (char *s = copy; *s != '\0'; s++)
        *s = *s == '\'' ? '"' : *s;
    return copy;
}

static inline struct scan *load(struct fixture *f, const char *text)
{
    char *copy = quoted(f, text);

    if (report_parse(copy, strlen(copy), &f->arena, &f->scan, &f->err) != 0)
        fail_msg("%s", f->err.msg);
    return &f->scan;
}

static inline void refused(struct fixture *f, const char *text, enum err_kind kind, const char *message)
{
    char *copy = quoted(f, text);

    assert_int_equal(report_parse(copy, strlen(copy), &f->arena, &f->scan, &f->err), -1);
    assert_string_equal(f->err.msg, message);
    assert_int_equal(f->err.kind, kind);
}

static inline struct vex *load_vex(struct fixture *f, const char *text)
{
    char *copy = quoted(f, text);

    if (vex_parse(copy, strlen(copy), &f->arena, &f->vex, &f->err) != 0)
        fail_msg("%s", f->err.msg);
    return &f->vex;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
