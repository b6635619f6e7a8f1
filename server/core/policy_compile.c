/* policy_compile.c - what compiling has in common for all kinds of policies. */
#include "core/policy_internal.h"
#include "wire/msg/fields.h"

#include <string.h>

static const struct field variable_fields[] = {
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct variable_doc, name), .min = 1, .max = 64, .doc = "Used as variables.NAME." },
    { .key = "expression", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct variable_doc, expression), .min = 1, .max = POLICY_EXPRESSION_MAX, .doc = "CEL." },
};
SHAPE(policy_variable_shape, "policy_variable", struct variable_doc, variable_fields);

/* ---- complaints -------------------------------------------------------------------- */

static void wrong_at(struct compiler *c, uint32_t offset, const char *path, const char *message)
{
    unsigned line, column;

    if (path == NULL) {
        c->failed = true;
        return;
    }
    json_position(c->text, c->len, offset, &line, &column);
    complain(&c->found, offset, path, "%u:%u: %s", line, column, message);
}

void policy_wrong(struct compiler *c, const char *path, const char *message)
{
    wrong_at(c, policy_doc_at(c->doc, path)->offset, path, message);
}

/* The engine says "LINE:COLUMN: what" of the expression, columns in characters:
 * both become a byte of the decoded text. */
static size_t byte_of(const char *text, unsigned line, unsigned column)
{
    const char *s = text;

    for (; line > 1 && *s != '\0'; s++)
        line -= *s == '\n';
    for (; column > 1 && *s != '\0'; column--) {
        do
            s++;
        while (((unsigned char)*s & 0xC0) == 0x80);
    }
    return (size_t)(s - text);
}

static unsigned number_at(const char **s)
{
    unsigned n = 0;

    for (; **s >= '0' && **s <= '9'; (*s)++)
        n = n < 1000000 ? n * 10 + (unsigned)(**s - '0') : n;
    return n;
}

static void wrong_within(struct compiler *c, const char *text, const char *path, const char *message)
{
    const char *s = message;
    unsigned line = number_at(&s);
    uint32_t scalar = policy_doc_at(c->doc, path)->offset;

    if (line == 0 || *s != ':') {
        wrong_at(c, scalar, path, message);
        return;
    }
    s++;
    unsigned column = number_at(&s);
    if (strncmp(s, ": ", 2) == 0)
        s += 2;
    wrong_at(c, policy_source_offset(c->text, c->len, scalar, text, byte_of(text, line, column)), path, s);
}

/* ---- documents that are partly wrong ------------------------------------------------ */

/* The value without what `path` (past "$") names; shared parts stay as they are.
 * False: there is no such thing, or the arena is full. */
static bool without(struct arena *arena, const struct json *v, const char *path, unsigned depth, struct json *out)
{
    char key[64];
    size_t n;
    uint32_t at = 0, count = v->type == JSON_ARRAY || v->type == JSON_OBJECT ? v->n : 0;

    if (depth > 64)
        return false;
    *out = *v;
    if (*path == '[' && v->type == JSON_ARRAY) {
        for (path++; *path >= '0' && *path <= '9'; path++)
            at = at < 1000000 ? at * 10 + (uint32_t)(*path - '0') : at;
        path += *path == ']';
    } else if (*path == '.' && v->type == JSON_OBJECT && (n = strcspn(path + 1, ".[")) < sizeof key) {
        memcpy(key, path + 1, n);
        key[n] = '\0';
        path += 1 + n;
        while (at < count && !str_eq(v->members[at].key, key))
            at++;
    } else {
        return false;
    }
    if (at >= count)
        return false;
    struct json_member *members = v->type == JSON_OBJECT ? arena_array(arena, count, sizeof *members) : NULL;
    struct json *items = v->type == JSON_ARRAY ? arena_array(arena, count, sizeof *items) : NULL;
    if (members == NULL && items == NULL)
        return false;
    if (members != NULL)
        out->members = memcpy(members, v->members, count * sizeof *members);
    else
        out->items = memcpy(items, v->items, count * sizeof *items);
    if (*path != '\0')
        return without(arena, members != NULL ? &v->members[at].value : &v->items[at], path, depth + 1,
                       members != NULL ? &members[at].value : &items[at]);
    if (members != NULL)
        memmove(&members[at], &members[at + 1], (count - at - 1) * sizeof *members);
    else
        memmove(&items[at], &items[at + 1], (count - at - 1) * sizeof *items);
    out->n--;
    return true;
}

/* Last complaints first, so that items of lists keep their numbers. */
static bool remove_wrong(struct compiler *c, const struct complaint *w, struct json *doc)
{
    struct json less;

    if (w == NULL)
        return true;
    if (!remove_wrong(c, w->next, doc) || w->path[0] != '$' || !without(c->arena, doc, w->path + 1, 0, &less))
        return false;
    *doc = less;
    return true;
}

int policy_decode(struct compiler *c, const struct shape *shape, void *out, bool *decoded)
{
    struct err err = { 0 };
    struct complaints found = { .arena = c->arena, .max = c->found.max };
    struct json less = *c->doc;

    *decoded = shape_decode(shape, c->doc, c->arena, out, &found, &err) == 0;
    if (*decoded)
        return 0;
    if (err.kind == ERR_UNAVAILABLE)
        return -1;
    for (const struct complaint *w = found.first; w != NULL; w = w->next)
        wrong_at(c, w->offset, w->path, w->message);
    if (found.n <= found.max && remove_wrong(c, found.first, &less)) {
        struct json *kept = arena_alloc(c->arena, sizeof *kept);
        if (kept == NULL)
            return -1;
        *kept = less;
        *decoded = shape_decode(shape, kept, c->arena, out, NULL, &err) == 0;
    }
    return 0;
}

/* ---- expressions ------------------------------------------------------------------- */

static const char *kind_wanted(uint32_t kinds)
{
    return kinds == CEL_K(CEL_BOOL) ? "must give true or false" : kinds == CEL_K(CEL_LIST) ? "must give a list" : "must give a text";
}

const struct cel_program *policy_expression(struct compiler *c, const char *text, const char *path, uint32_t kinds)
{
    const struct cel_program *program = NULL;
    struct err err = { 0 };

    if (text == NULL)
        return NULL;
    if (cel_compile(c->env, text, strlen(text), c->arena, &program, &err) != 0) {
        if (err.kind == ERR_UNAVAILABLE)
            c->failed = true;
        wrong_within(c, text, path, err.msg);
        return NULL;
    }
    if ((cel_program_kinds(program) & kinds) == 0)
        policy_wrong(c, path, kind_wanted(kinds));
    return program;
}

bool policy_is_name(const char *s, bool identifier)
{
    if (!((*s >= 'a' && *s <= 'z') || (identifier && ((*s >= 'A' && *s <= 'Z') || *s == '_'))))
        return false;
    for (; *s != '\0'; s++) {
        bool ok = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') ||
                  (identifier ? (*s >= 'A' && *s <= 'Z') || *s == '_' : *s == '-' || *s == '.');
        if (!ok)
            return false;
    }
    return true;
}

unsigned policy_uses(const struct rule_set *set, const struct cel_program *program)
{
    unsigned uses = 0;

    if (program == NULL)
        return 0;
    uses |= cel_program_uses(program, VAR_IMAGE) ? USES_IMAGE : 0;
    uses |= cel_program_uses(program, VAR_POD) || cel_program_uses(program, VAR_CONTAINERS) ? USES_POD : 0;
    uses |= cel_program_uses(program, VAR_ITEM) ? USES_ITEM : 0;
    uses |= cel_program_uses(program, VAR_EVENT) ? USES_EVENT : 0;
    uses |= cel_program_uses(program, VAR_CONTAINER) ? USES_CONTAINER : 0;
    for (uint32_t i = 0; i < set->n_variables && VAR_FIXED_N + i < set->n_vars; i++)
        uses |= cel_program_uses(program, VAR_FIXED_N + i) ? set->variable_uses[i] : 0;
    return uses;
}

/* Each program keeps the environment it was compiled with, and with it the number
 * of names there were: so each variable makes a new one. */
static int env_extend(struct compiler *c, struct cel_var *vars, uint32_t n)
{
    struct cel_env *env = arena_alloc(c->arena, sizeof *env);
    struct cel_value *known = arena_array(c->arena, n, sizeof *known);

    if (env == NULL || known == NULL) {
        c->failed = true;
        return -1;
    }
    if (c->policy->info.kind == POLICY_KEEP)
        known[VAR_PARAMS] = cel_json(c->policy->params);
    *env = (struct cel_env){ .vars = vars, .n_vars = n, .functions = c->functions, .n_functions = c->n_functions, .known = known };
    c->env = env;
    return 0;
}

static void check_variable_name(struct compiler *c, const struct variable_doc *docs, size_t i, const char *path)
{
    if (!policy_is_name(docs[i].name, true))
        policy_wrong(c, path, "expected a letter, then letters, digits and '_'");
    for (size_t k = 0; k < i; k++) {
        if (str_eq(docs[k].name, docs[i].name))
            policy_wrong(c, path, "the same name twice");
    }
}

int policy_variables(struct compiler *c, const struct cel_var *fixed, const struct variable_doc *docs, size_t n,
                     struct rule_set *set, const char *path)
{
    struct cel_var *vars = arena_array(c->arena, VAR_FIXED_N + n, sizeof *vars);
    const struct cel_program **programs = arena_array(c->arena, n, sizeof *programs);
    const char **names = arena_array(c->arena, n, sizeof *names);

    if (vars == NULL || programs == NULL || names == NULL || env_extend(c, vars, VAR_FIXED_N) != 0) {
        c->failed = true;
        return -1;
    }
    memcpy(vars, fixed, VAR_FIXED_N * sizeof *vars);
    set->variables = programs;
    set->variable_names = names;
    for (size_t i = 0; i < n; i++) {
        check_variable_name(c, docs, i, arena_printf(c->arena, "%s[%zu].name", path, i));
        const char *where = arena_printf(c->arena, "%s[%zu].expression", path, i);
        programs[i] = policy_expression(c, docs[i].expression, where, CEL_ANY);
        struct cel_shape *shape = arena_alloc(c->arena, sizeof *shape);
        vars[VAR_FIXED_N + i].name = names[i] = arena_printf(c->arena, "variables.%s", docs[i].name);
        if (shape == NULL || vars[VAR_FIXED_N + i].name == NULL) {
            c->failed = true;
            return -1;
        }
        /* A variable that was refused may be anything, so that one mistake is one complaint. */
        shape->kinds = programs[i] != NULL ? cel_program_kinds(programs[i]) : 0;
        vars[VAR_FIXED_N + i].shape = shape->kinds == CEL_ANY ? NULL : shape;
        set->n_vars = VAR_FIXED_N + (uint32_t)i;
        set->n_variables = i;
        set->variable_uses[i] = policy_uses(set, programs[i]);
        if (env_extend(c, vars, VAR_FIXED_N + (uint32_t)i + 1) != 0)
            return -1;
    }
    set->n_variables = n;
    set->n_vars = VAR_FIXED_N + (uint32_t)n;
    return 0;
}
