/* set.h - what the programs that judge us by a conformance set have in common:
 * read its files, compare, count.  A missing folder is an empty set. */
#ifndef KEEP_TESTS_CONFORMANCE_SET_H
#define KEEP_TESTS_CONFORMANCE_SET_H

#include "base/arena.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct set {
    const char *name;
    char root[512];            /* folder of the set */
    struct arena arena;        /* cleared by nobody before the end */
    unsigned cases, agreed;
};

static inline void set_open(struct set *s, int argc, char **argv, const char *name)
{
    *s = (struct set){ .name = name };
    arena_init(&s->arena, (size_t)1 << 30);
    snprintf(s->root, sizeof s->root, "%s/%s", argc > 1 ? argv[1] : ".", name);
}

/* The file's bytes with a NUL behind them; ptr NULL when it cannot be read. */
static inline struct bytes set_read(struct set *s, const char *relative)
{
    char path[1024];

    snprintf(path, sizeof path, "%s/%s", s->root, relative);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return (struct bytes){ NULL, 0 };
    fseek(f, 0, SEEK_END);
    size_t len = (size_t)ftell(f);
    rewind(f);
    char *text = arena_bytes(&s->arena, len + 1);
    if (text == NULL || fread(text, 1, len, f) != len)
        abort();
    fclose(f);
    text[len] = '\0';
    return (struct bytes){ (unsigned char *)text, len };
}

/* As set_read, for "<folder>/<name>". */
static inline struct bytes set_read_in(struct set *s, const char *folder, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return set_read(s, path);
}

static inline void set_check(struct set *s, const char *where, const char *expected, const char *got, const char *why)
{
    s->cases++;
    if (strcmp(expected, got) == 0)
        s->agreed++;
    else
        printf("%s: %s: expected %s, got %s (%s)\n", s->name, where, expected, got, why);
}

static inline const char *set_verdict(bool accepted)
{
    return accepted ? "accept" : "reject";
}

/* Cuts a line of tab-separated fields in place; missing ones are "". */
static inline void set_fields(char *line, char *fields[], size_t n)
{
    static char none[] = "";

    for (size_t i = 0; i < n; i++) {
        fields[i] = line != NULL ? line : none;
        line = line != NULL ? strchr(line, '\t') : NULL;
        if (line != NULL)
            *line++ = '\0';
    }
}

/* Runs `run` on each row of expected.tsv: path, expected (4th field), what (5th). */
static inline void set_each_row(struct set *s, void (*run)(struct set *, const char *path, const char *expected, const char *what))
{
    struct bytes table = set_read(s, "expected.tsv");
    char *text = table.ptr != NULL ? arena_strndup(&s->arena, (const char *)table.ptr, table.len) : NULL;

    for (char *line = text != NULL ? strchr(text, '\n') : NULL; line != NULL && line[1] != '\0';) {
        char *row = line + 1, *f[5];
        line = strchr(row, '\n');
        if (line != NULL)
            *line = '\0';
        set_fields(row, f, N_ITEMS(f));
        run(s, f[0], f[3], f[4]);
    }
}

static inline int set_close(struct set *s)
{
    printf("%s\t%u\t%u\t%u\n", s->name, s->cases, s->agreed, s->cases - s->agreed);
    arena_clear(&s->arena);
    return s->cases != s->agreed;
}

#endif
