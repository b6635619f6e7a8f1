/* pss.c - Pod Security Standards on anything that YAML or JSON can hold.
 *
 * What restricted finds nothing wrong with, baseline does not, either, as long as
 * the same rules are asked; every violation has words and places; no value passes
 * because it could not be read. */
#include "base/str.h"
#include "core/pss/pss.h"
#include "wire/yaml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool claim)
{
    if (!claim)
        abort();
}

static size_t check(struct arena *arena, const struct json *v, enum pss_level level, int minor)
{
    struct pss_violation *found;
    struct err err = { 0 };
    size_t n;

    insist(pss_check(v, level, minor, arena, &found, &n, &err) == 0);
    for (size_t i = 0; i < n; i++) {
        insist(found[i].id != NULL && found[i].reason[0] != '\0' && found[i].detail != NULL && str_is_utf8(found[i].detail, strlen(found[i].detail)));
        insist(found[i].n_places > 0 && found[i].n_places <= 200);
        for (size_t k = 0; k < found[i].n_places; k++)
            insist(found[i].places[k].path[0] == '$' && found[i].places[k].at != NULL);
    }
    const char *text = pss_message(arena, level, "latest", found, n);
    insist(text != NULL && str_is_utf8(text, strlen(text)));
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct json_opts bounds = { .max_values = 5000 };
    struct err err = { 0 };
    struct arena arena;
    struct json v;

    arena_init(&arena, 512 << 20);
    if (yaml_parse(&arena, data, size, &bounds, &v, &err) == 0) {
        insist(check(&arena, &v, PSS_PRIVILEGED, PSS_LATEST) == 0);
        for (int minor = 0; minor <= PSS_LATEST + 1; minor += 6) {
            size_t baseline = check(&arena, &v, PSS_BASELINE, minor);
            insist(check(&arena, &v, PSS_RESTRICTED, minor) > 0 || baseline == 0);
        }
    }
    arena_clear(&arena);
    return 0;
}
