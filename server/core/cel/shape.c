/* shape.c - what is known about values ahead of evaluation, and "did you mean". */
#include "core/cel/internal.h"

#include <stdio.h>

const struct cel_shape cel_shape_any = { .kinds = 0 };

/* One shape per kind, so that equal shapes are the same pointer where it matters. */
static const struct cel_shape one_kind[CEL_KINDS] = {
    [CEL_NULL] = { .kinds = CEL_K(CEL_NULL) },
    [CEL_BOOL] = { .kinds = CEL_K(CEL_BOOL) },
    [CEL_INT] = { .kinds = CEL_K(CEL_INT) },
    [CEL_UINT] = { .kinds = CEL_K(CEL_UINT) },
    [CEL_DOUBLE] = { .kinds = CEL_K(CEL_DOUBLE) },
    [CEL_STRING] = { .kinds = CEL_K(CEL_STRING) },
    [CEL_BYTES] = { .kinds = CEL_K(CEL_BYTES) },
    [CEL_TIMESTAMP] = { .kinds = CEL_K(CEL_TIMESTAMP) },
    [CEL_DURATION] = { .kinds = CEL_K(CEL_DURATION) },
    [CEL_TYPE] = { .kinds = CEL_K(CEL_TYPE) },
    [CEL_LIST] = { .kinds = CEL_K(CEL_LIST) },
    [CEL_MAP] = { .kinds = CEL_K(CEL_MAP) },
    [CEL_OPTIONAL] = { .kinds = CEL_K(CEL_OPTIONAL) },
    [CEL_IP] = { .kinds = CEL_K(CEL_IP) },
    [CEL_CIDR] = { .kinds = CEL_K(CEL_CIDR) },
    [CEL_URL] = { .kinds = CEL_K(CEL_URL) },
    [CEL_QUANTITY] = { .kinds = CEL_K(CEL_QUANTITY) },
    [CEL_SEMVER] = { .kinds = CEL_K(CEL_SEMVER) },
    [CEL_FORMAT] = { .kinds = CEL_K(CEL_FORMAT) },
};

const struct cel_shape *cel_shape_of(struct arena *arena, uint32_t kinds, const struct cel_shape *items)
{
    struct cel_shape *s = arena_alloc(arena, sizeof *s);

    if (s != NULL)
        *s = (struct cel_shape){ .kinds = kinds, .items = items };
    return s;
}

const struct cel_shape *cel_shape_of_kinds(struct arena *arena, uint32_t kinds)
{
    if (kinds == 0 || (kinds & CEL_ANY) == CEL_ANY)
        return &cel_shape_any;
    for (int k = CEL_NULL; k < CEL_KINDS; k++) {
        if (kinds == CEL_K(k))
            return &one_kind[k];
    }
    return cel_shape_of(arena, kinds, NULL);
}

const struct cel_field *cel_shape_field(const struct cel_shape *s, const char *name)
{
    for (uint32_t i = 0; i < s->n_fields; i++) {
        if (strcmp(s->fields[i].name, name) == 0)
            return &s->fields[i];
    }
    return NULL;
}

const char *cel_suggest(char out[96], const char *wanted, const char *const *names, uint32_t n)
{
    size_t most = strlen(wanted) / 3 + 1, best = most + 1;
    const char *found = NULL;

    out[0] = '\0';
    for (uint32_t i = 0; i < n; i++) {
        size_t d = names[i][0] == '@' ? best : str_distance(wanted, names[i], most);
        if (d < best) {
            best = d;
            found = names[i];
        }
    }
    if (found != NULL)
        snprintf(out, 96, "; did you mean '%s'?", found);
    return out;
}
