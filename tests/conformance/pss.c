/* pss.c - Pod Security Standards: `pss FOLDER` reads FOLDER/pss/expected.tsv (file,
 * level, version, pass or fail, the check the file was made for, the checks that
 * fail) and compares the whole list of failing checks. */
#include "core/pss/pss.h"
#include "tests/conformance/set/set.h"
#include "wire/yaml.h"

enum { FILE_, LEVEL, VERSION, EXPECTED, CHECK, FAILING, FIELDS };

/* "pass", or the failing checks with commas between. */
static const char *judge(struct set *s, char *f[], const char **why)
{
    struct bytes text = set_read(s, f[FILE_]);
    struct arena arena;
    struct json object;
    struct pss_violation *v;
    struct err err = { 0 };
    enum pss_level level;
    size_t n;
    int minor;
    char got[1024] = "";

    *why = "";
    arena_init(&arena, 16 << 20);
    if (text.ptr == NULL || !pss_level_from_text(f[LEVEL], &level) || !pss_version_from_text(f[VERSION], &minor)) {
        snprintf(got, sizeof got, "unreadable");
    } else if (yaml_parse(&arena, text.ptr, text.len, NULL, &object, &err) != 0 ||
               pss_check(&object, level, minor, &arena, &v, &n, &err) != 0) {
        snprintf(got, sizeof got, "%s", err.msg);
    } else {
        for (size_t i = 0; i < n; i++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i > 0 ? "," : "", v[i].id);
        if (n > 0)
            *why = arena_strdup(&s->arena, pss_message(&arena, level, f[VERSION], v, n));
    }
    const char *copy = arena_strdup(&s->arena, got);
    arena_clear(&arena);
    return copy;
}

static void run_row(struct set *s, char *f[])
{
    const char *why, *got = judge(s, f, &why);
    const char *expected = str_eq(f[EXPECTED], "fail") && f[FAILING][0] == '\0' ? f[CHECK] : f[FAILING];

    set_check(s, f[FILE_], *expected != '\0' ? expected : "pass", *got != '\0' ? got : "pass", why);
}

int main(int argc, char **argv)
{
    struct set s;

    set_open(&s, argc, argv, "pss");
    struct bytes table = set_read(&s, "expected.tsv");
    char *text = table.ptr != NULL ? arena_strndup(&s.arena, (const char *)table.ptr, table.len) : NULL;
    for (char *line = text != NULL ? strchr(text, '\n') : NULL; line != NULL && line[1] != '\0';) {
        char *row = line + 1, *f[FIELDS];
        line = strchr(row, '\n');
        if (line != NULL)
            *line = '\0';
        set_fields(row, f, FIELDS);
        run_row(&s, f);
    }
    return set_close(&s);
}
