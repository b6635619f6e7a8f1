/* jsontestsuite.c - what the strict reader takes and refuses, as it is used for
 * our own messages: json_parse without options. */
#include "tests/conformance/set/set.h"

#include "wire/json.h"
#include "wire/json_util.h"

/* What was accepted must print to a text that reads back equal. */
static bool reads_back(const struct json *v, struct arena *arena)
{
    struct err err = { 0 };
    struct json again;
    struct buf b;

    buf_init(&b, 64 << 20);
    json_print(v, &b);
    bool same = !b.failed && json_parse(arena, b.ptr, b.len, NULL, &again, &err) == 0 && json_same(v, &again);
    buf_free(&b);
    return same;
}

static void run(struct set *s, const char *path, const char *suite, const char *policy)
{
    struct bytes text = set_read(s, path);
    struct err err = { 0 };
    struct arena arena;
    struct json v;

    (void)suite;
    if (text.ptr == NULL) {
        set_check(s, path, "a file", "none", "cannot be read");
        return;
    }
    arena_init(&arena, 64 << 20);
    bool accepted = json_parse(&arena, text.ptr, text.len, NULL, &v, &err) == 0;
    bool sound = accepted ? reads_back(&v, &arena) : err.kind == ERR_INVALID || err.kind == ERR_TOO_LARGE;
    if (!sound)
        set_check(s, path, policy, "unsound", accepted ? "does not read back equal" : err.msg);
    else if (str_starts(policy, "no-crash"))
        set_check(s, path, policy, policy, "either");
    else
        set_check(s, path, policy, set_verdict(accepted), accepted ? "accepted" : err.msg);
    arena_clear(&arena);
}

int main(int argc, char **argv)
{
    struct set set;

    set_open(&set, argc, argv, "jsontestsuite");
    set_each_row(&set, run);
    return set_close(&set);
}
