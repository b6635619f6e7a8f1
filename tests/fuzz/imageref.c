/* imageref.c - canonical and familiar text read back as the same reference; an
 * image matches its own name as a pattern, with any segment starred; pattern
 * matching agrees with a plain recursive reading of its rule.
 * Input: a reference, or a pattern, newline, and a reference. */
#include "wire/imageref.h"

#include "base/str.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_same(const struct imageref *a, const struct imageref *b)
{
    check(str_eq(a->registry, b->registry) && str_eq(a->repository, b->repository));
    check(str_eq(a->tag, b->tag) && str_eq(a->digest, b->digest) && a->is_id == b->is_id);
}

static void check_read_back(struct arena *a, const struct imageref *ref, const char *text)
{
    struct imageref again;
    struct err err;

    check(text != NULL && imageref_parse(a, text, &again, &err) == 0);
    check_same(ref, &again);
    check(imageref_equal(ref, &again));
    check(str_eq(imageref_canonical(a, &again), imageref_canonical(a, ref)));
}

static void check_pattern_of_itself(struct arena *a, const struct imageref *ref)
{
    const char *name = imageref_name(a, ref), *full;
    struct err err;

    if (name == NULL)
        return;
    if (imageref_pattern_parse(a, name, &full, &err) != 0) {
        check(strlen(name) > IMAGEREF_PATTERN_MAX);
        return;
    }
    check(str_eq(full, name) && imageref_pattern_match(full, ref));
    const char *starred = arena_printf(a, "%.*s*", (int)(strrchr(name, '/') + 1 - name), name);
    check(starred != NULL && imageref_pattern_match(starred, ref));
    check(imageref_pattern_match("**", ref) && !imageref_pattern_match("*", ref));
}

/* Slow and obvious; `fuel` keeps hostile patterns cheap. -1: fuel is out. */
static int slow_match(const char *p, const char *s, int *fuel)
{
    if (--*fuel < 0)
        return -1;
    if (*p == '\0')
        return *s == '\0';
    if (*p != '*')
        return *s == *p ? slow_match(p + 1, s + 1, fuel) : 0;
    bool crosses = p[1] == '*';
    for (;; s++) {
        int m = slow_match(p + 1 + crosses, s, fuel);
        if (m != 0)
            return m;
        if (*s == '\0' || (*s == '/' && !crosses))
            return 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct imageref ref;
    struct err err;

    if (size > 8192)
        return 0;
    arena_init(&a, 1 << 20);
    char *text = arena_strndup(&a, (const char *)data, size);
    check(text != NULL);
    char *nl = strchr(text, '\n');
    const char *reference = nl != NULL ? nl + 1 : text, *full = NULL, *again;
    if (nl != NULL)
        *nl = '\0';
    if (imageref_pattern_parse(&a, text, &full, &err) == 0)
        check(imageref_pattern_parse(&a, full, &again, &err) != 0 || str_eq(full, again));
    if (imageref_parse(&a, reference, &ref, &err) == 0) {
        check_read_back(&a, &ref, imageref_canonical(&a, &ref));
        check_read_back(&a, &ref, imageref_familiar(&a, &ref));
        check_pattern_of_itself(&a, &ref);
        int fuel = 20000;
        const char *name = imageref_name(&a, &ref);
        int slow = full != NULL && name != NULL ? slow_match(full, name, &fuel) : -1;
        check(slow < 0 || (slow == 1) == imageref_pattern_match(full, &ref));
    }
    arena_clear(&a);
    return 0;
}
