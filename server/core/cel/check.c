/* check.c - from a parsed tree to one that can be evaluated: every name becomes
 * a slot, a type or a set of overloads; shapes are inferred; constants folded.
 *
 * Names (langdef "Name Resolution"): the innermost comprehension variable wins,
 * then the longest qualified name that is declared, tried in the container and
 * in each of its parents.  A leading dot means the root.
 *
 * Strict environments refuse unknown names, fields, functions and impossible
 * types; lenient ones leave all that to the evaluation. */
#include "core/cel/internal.h"

#include <stdarg.h>
#include <stdio.h>

int check_refuse(struct cel_checker *c, const struct cel_node *n, const char *fmt, ...)
{
    char what[200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return cel_refuse(c->err, c->program->text, c->program->len, n->at, "%s", what);
}

/* ---- names ----------------------------------------------------------------------- */

enum { MAX_PATH = 256 };

/* "a.b.c" of a chain of plain selections; false when it is none or too long. */
static bool path_text(const struct cel_node *n, char out[MAX_PATH], const struct cel_node **root)
{
    size_t at = MAX_PATH - 1;

    out[at] = '\0';
    for (;; n = n->a) {
        bool select = n->op == OP_SELECT && n->sub == ACCESS_PLAIN && !n->two;
        if ((!select && n->op != OP_IDENT) || n->name.len + 1 > at)
            return false;
        at -= n->name.len;
        memcpy(out + at, n->name.text, n->name.len);
        if (!select)
            break;
        out[--at] = '.';
    }
    *root = n;
    memmove(out, out + at, MAX_PATH - at);
    return true;
}

static struct cel_scope *local_find(const struct cel_checker *c, const struct cel_node *root)
{
    if (root->rooted)
        return NULL;
    for (struct cel_scope *s = c->scope; s != NULL; s = s->outer) {
        if (s->name.len == root->name.len && memcmp(s->name.text, root->name.text, s->name.len) == 0)
            return s;
    }
    return NULL;
}

static int var_find(const struct cel_env *env, const char *name)
{
    for (uint32_t i = 0; i < env->n_vars; i++) {
        if (strcmp(env->vars[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

static const char *type_find(const char *name)
{
    for (int k = CEL_NULL; k < CEL_KINDS; k++) {
        if (strcmp(cel_kind_name((enum cel_kind)k), name) == 0)
            return cel_kind_name((enum cel_kind)k);
    }
    return NULL;
}

/* Calls `try` with the name in the container, in its parents, and alone. */
static bool in_containers(struct cel_checker *c, const char *name, bool rooted,
                          bool (*try)(struct cel_checker *, const char *, void *), void *arg)
{
    char full[2 * MAX_PATH];
    const char *container = c->env->container != NULL && !rooted ? c->env->container : "";
    size_t len = strlen(container);

    while (len > 0) {
        if (len + strlen(name) + 2 <= sizeof full) {
            snprintf(full, sizeof full, "%.*s.%s", (int)len, container, name);
            if (try(c, full, arg))
                return true;
        }
        while (len > 0 && container[--len] != '.')
            ;
    }
    return try(c, name, arg);
}

static bool name_is_known(struct cel_checker *c, const char *name, void *arg)
{
    struct cel_node *n = arg;
    int var = var_find(c->env, name);

    if (var >= 0) {
        const struct cel_shape *shape = c->env->vars[var].shape;
        n->op = OP_VAR;
        n->slot = (uint32_t)var;
        n->shape = shape != NULL && !c->env->lenient ? shape : &cel_shape_any;
        c->program->used[var / 64] |= UINT64_C(1) << (var % 64);
        return true;
    }
    const char *type = type_find(name);
    if (type == NULL)
        return false;
    n->op = OP_CONST;
    n->value = cel_text(type);
    n->value.kind = CEL_TYPE;
    n->shape = cel_shape_of_kinds(c->arena, K_TYPE);
    return true;
}

/* 1 resolved (n is another node now), 0 not this name as a whole. */
static int resolve(struct cel_checker *c, struct cel_node *n)
{
    char path[MAX_PATH];
    const struct cel_node *root;

    if (!path_text(n, path, &root))
        return 0;
    struct cel_scope *local = local_find(c, root);
    if (local != NULL) {
        if (n != root)
            return 0;
        n->op = OP_LOCAL;
        n->slot = local->slot;
        n->shape = local->shape;
        return 1;
    }
    return in_containers(c, path, root->rooted, name_is_known, n);
}

static int unknown_name(struct cel_checker *c, struct cel_node *n)
{
    const char *names[128];
    char hint[96];
    uint32_t count = 0;

    if (c->env->lenient)
        return 0;
    for (uint32_t i = 0; i < c->env->n_vars && count < N_ITEMS(names); i++)
        names[count++] = c->env->vars[i].name;
    for (struct cel_scope *s = c->scope; s != NULL && count < N_ITEMS(names); s = s->outer)
        names[count++] = s->name.text;
    return check_refuse(c, n, "unknown name '%s'%s", n->name.text, cel_suggest(hint, n->name.text, names, count));
}

/* ---- fields ----------------------------------------------------------------------- */

static int unknown_field(struct cel_checker *c, const struct cel_node *n, const char *field,
                         const struct cel_shape *on)
{
    const char *names[256];
    char hint[96];
    uint32_t count = 0;
    int len = (int)(n->a->end - n->a->start);

    for (uint32_t i = 0; i < on->n_fields && count < N_ITEMS(names); i++)
        names[count++] = on->fields[i].name;
    return check_refuse(c, n, "%.*s has no field '%s'%s", len < 60 ? len : 60, c->program->text + n->a->start,
                        field, cel_suggest(hint, field, names, count));
}

/* The shape of a member by that name. */
static int member_shape(struct cel_checker *c, const struct cel_node *n, const char *field,
                        const struct cel_shape *on, const struct cel_shape **out)
{
    *out = on->items != NULL && on->fields == NULL ? on->items : &cel_shape_any;
    if (on->fields == NULL)
        return 0;
    const struct cel_field *f = cel_shape_field(on, field);
    if (f == NULL && !on->open)
        return unknown_field(c, n, field, on);
    if (f != NULL && f->shape != NULL)
        *out = f->shape;
    return 0;
}

/* Behind .name, .?name, [key], [?key]: the shape of what is there. */
static int access_shape(struct cel_checker *c, struct cel_node *n, const char *field)
{
    const struct cel_shape *on = n->a->shape;
    uint32_t kinds = cel_shape_kinds(on);
    bool optional = n->sub == ACCESS_OPTIONAL || kinds == K_OPTIONAL;

    if (c->env->lenient)
        return 0;
    if (kinds == K_OPTIONAL && on->items != NULL)
        on = on->items;
    uint32_t wanted = K_OPTIONAL | K_MAP | (n->op == OP_INDEX ? K_LIST : 0);
    if ((cel_shape_kinds(on) & wanted) == 0)
        return check_refuse(c, n, "a value that is not a map has no '%s'", field != NULL ? field : "[...]");
    const struct cel_shape *found = on->items != NULL && on->fields == NULL ? on->items : &cel_shape_any;
    if (field != NULL && member_shape(c, n, field, on, &found) != 0)
        return -1;
    if (n->op == OP_SELECT && n->sub == ACCESS_TEST)
        n->shape = cel_shape_of_kinds(c->arena, K_BOOL);
    else
        n->shape = optional ? cel_shape_of(c->arena, K_OPTIONAL, found) : found;
    return n->shape == NULL ? err_nomem(c->err) : 0;
}

static int check_select(struct cel_checker *c, struct cel_node *n)
{
    if (n->sub == ACCESS_PLAIN && resolve(c, n) > 0)
        return 0;
    return check_node(c, &n->a) != 0 ? -1 : access_shape(c, n, n->name.text);
}

static int check_index(struct cel_checker *c, struct cel_node *n)
{
    if (check_node(c, &n->a) != 0 || check_node(c, &n->b) != 0)
        return -1;
    const struct cel_value *key = &n->b->value;
    bool named = n->b->op == OP_CONST && key->kind == CEL_STRING && memchr(key->s, '\0', key->n) == NULL;
    char *field = named ? arena_strndup(c->arena, key->s, key->n) : NULL;
    return named && field == NULL ? err_nomem(c->err) : access_shape(c, n, field);
}

/* ---- calls -------------------------------------------------------------------------- */

static bool function_is_known(struct cel_checker *c, const char *name, void *arg)
{
    struct cel_node *n = arg;

    if (!function_exists(c->env, name))
        return false;
    n->name.len = (uint32_t)strlen(name);
    n->name.text = arena_strndup(c->arena, name, n->name.len);
    return n->name.text != NULL;
}

/* math.abs(x) is written like a method: when "math.abs" is a function, it is one. */
static bool qualified_function(struct cel_checker *c, struct cel_node *n)
{
    char path[2 * MAX_PATH];
    const struct cel_node *root;

    if (!path_text(n->items[0], path, &root) || local_find(c, root) != NULL)
        return false;
    size_t len = strlen(path);
    if (len + n->name.len + 2 > sizeof path)
        return false;
    snprintf(path + len, sizeof path - len, ".%s", n->name.text);
    if (!in_containers(c, path, root->rooted, function_is_known, n))
        return false;
    n->sub = 0;
    n->items++;
    n->n--;
    return true;
}

/* math.gretest(x): the namespace is known, the function in it is not. */
static int check_namespace(struct cel_checker *c, struct cel_node *n)
{
    char path[MAX_PATH];
    const struct cel_node *root;

    if (c->env->lenient || n->sub == 0 || !path_text(n->items[0], path, &root) || local_find(c, root) != NULL ||
        var_find(c->env, root->name.text) >= 0 || var_find(c->env, path) >= 0 || !namespace_exists(c->env, path))
        return 0;
    n->name.text = arena_printf(c->arena, "%s.%s", path, n->name.text);
    n->sub = 0;
    return n->name.text == NULL ? err_nomem(c->err) : check_unknown_function(c, n);
}

static int check_items(struct cel_checker *c, struct cel_node *n)
{
    for (uint32_t i = 0; i < n->n; i++) {
        if (check_node(c, &n->items[i]) != 0)
            return -1;
    }
    return 0;
}

static int check_call_node(struct cel_checker *c, struct cel_node **node)
{
    struct cel_node *n = *node;

    if (n->sub == 0)
        in_containers(c, n->name.text, n->rooted, function_is_known, n);
    else if (!qualified_function(c, n) && check_namespace(c, n) != 0)
        return -1;
    return check_items(c, n) != 0 ? -1 : check_call(c, node);
}

/* ---- aggregates, comprehensions ------------------------------------------------------- */

static const struct cel_shape *common_shape(struct cel_node **items, uint32_t from, uint32_t step, uint32_t n)
{
    const struct cel_shape *s = from < n ? items[from]->shape : &cel_shape_any;

    for (uint32_t i = from; i < n; i += step) {
        if (items[i]->shape != s)
            return &cel_shape_any;
    }
    return s;
}

static int check_aggregate(struct cel_checker *c, struct cel_node *n)
{
    bool map = n->op == OP_MAP;

    if (check_items(c, n) != 0)
        return -1;
    const struct cel_shape *items = n->optional != NULL ? &cel_shape_any :
                                    common_shape(n->items, map, map ? 2 : 1, n->n);
    n->shape = cel_shape_of(c->arena, map ? K_MAP : K_LIST, items);
    return n->shape == NULL ? err_nomem(c->err) : 0;
}

static int scope_push(struct cel_checker *c, const struct cel_node *n, struct cel_name name,
                      const struct cel_shape *shape, uint32_t *slot)
{
    struct cel_scope *s = arena_alloc(c->arena, sizeof *s);

    if (s == NULL)
        return err_nomem(c->err);
    if (c->depth_locals >= MAX_LOCALS)
        return check_refuse(c, n, "more than %d names are bound here", MAX_LOCALS);
    *slot = c->depth_locals++;
    *s = (struct cel_scope){ name, *slot, shape, c->scope };
    c->scope = s;
    if (c->depth_locals > c->program->n_locals)
        c->program->n_locals = c->depth_locals;
    return 0;
}

static void scope_pop(struct cel_checker *c, uint32_t n)
{
    for (; n > 0; n--) {
        c->scope = c->scope->outer;
        c->depth_locals--;
    }
}

static const struct cel_shape *items_shape(const struct cel_shape *s)
{
    return s->items != NULL && s->fields == NULL ? s->items : &cel_shape_any;
}

/* What the variables of the comprehension stand for. */
static int push_variables(struct cel_checker *c, struct cel_node *n)
{
    const struct cel_shape *range = n->a->shape, *item = items_shape(range);
    uint32_t kinds = cel_shape_kinds(range);
    bool optional = n->sub == COMP_OPT_MAP || n->sub == COMP_OPT_FLAT_MAP;

    if (!c->env->lenient && (kinds & (optional ? K_OPTIONAL : K_LIST | K_MAP)) == 0)
        return check_refuse(c, n, optional ? "this macro wants an optional value" : "this macro wants a list or map");
    const struct cel_shape *key = kinds == K_LIST ? cel_shape_of_kinds(c->arena, K_INT) : &cel_shape_any;
    if (n->two)
        return scope_push(c, n, n->var, key, &n->slot) != 0 ||
               scope_push(c, n, n->var2, item, &n->slot2) != 0 ? -1 : 0;
    return scope_push(c, n, n->var, kinds == K_LIST || optional ? item : &cel_shape_any, &n->slot);
}

static const struct cel_shape *comp_shape(struct cel_checker *c, const struct cel_node *n)
{
    switch ((enum cel_comp_kind)n->sub) {
    case COMP_ALL: case COMP_EXISTS: case COMP_EXISTS_ONE:
        return cel_shape_of_kinds(c->arena, K_BOOL);
    case COMP_MAP: case COMP_TO_LIST:
        return cel_shape_of(c->arena, K_LIST, n->c->shape);
    case COMP_FILTER:
        return cel_shape_kinds(n->a->shape) == K_LIST ? n->a->shape : cel_shape_of(c->arena, K_LIST, &cel_shape_any);
    case COMP_TO_MAP:
        return cel_shape_of(c->arena, K_MAP, n->c->shape);
    case COMP_TO_ENTRY:
        return cel_shape_of(c->arena, K_MAP, &cel_shape_any);
    case COMP_SORT_BY:
        return n->a->shape;
    case COMP_OPT_MAP:
        return cel_shape_of(c->arena, K_OPTIONAL, n->c->shape);
    case COMP_OPT_FLAT_MAP:
        return n->c->shape;
    }
    return &cel_shape_any;
}

static int check_comp(struct cel_checker *c, struct cel_node *n)
{
    if (check_node(c, &n->a) != 0 || push_variables(c, n) != 0 ||
        (n->b != NULL && check_node(c, &n->b) != 0) || check_node(c, &n->c) != 0)
        return -1;
    scope_pop(c, n->two ? 2 : 1);
    bool predicate = n->sub <= COMP_EXISTS_ONE || n->sub == COMP_FILTER;
    const struct cel_node *test = predicate ? n->c : n->b;
    if (!c->env->lenient && test != NULL && (cel_shape_kinds(test->shape) & K_BOOL) == 0)
        return check_refuse(c, test, "expected a condition: this is never a bool");
    n->shape = comp_shape(c, n);
    return n->shape == NULL ? err_nomem(c->err) : 0;
}

static int check_bind(struct cel_checker *c, struct cel_node *n)
{
    if (check_node(c, &n->a) != 0 || scope_push(c, n, n->var, n->a->shape, &n->slot) != 0 ||
        check_node(c, &n->c) != 0)
        return -1;
    scope_pop(c, 1);
    n->shape = n->c->shape;
    return 0;
}

/* Entry i may use the entries before it: they come into scope one by one. */
static int check_block(struct cel_checker *c, struct cel_node *n)
{
    for (uint32_t i = 0; i < n->n; i++) {
        uint32_t slot;
        char *name = arena_printf(c->arena, "@index%u", i);
        if (name == NULL)
            return err_nomem(c->err);
        struct cel_name as = { name, (uint32_t)strlen(name) };
        if (check_node(c, &n->items[i]) != 0 || scope_push(c, n, as, n->items[i]->shape, &slot) != 0)
            return -1;
        if (i == 0)
            n->slot = slot;
    }
    if (check_node(c, &n->c) != 0)
        return -1;
    scope_pop(c, n->n);
    n->shape = n->c->shape;
    return 0;
}

static int check_struct(struct cel_checker *c, struct cel_node *n)
{
    if (!c->env->lenient)
        return check_refuse(c, n, "there is no message type '%s'", n->name.text);
    return check_items(c, n);
}

static int check_operands(struct cel_checker *c, struct cel_node *n)
{
    if ((n->a != NULL && check_node(c, &n->a) != 0) || (n->b != NULL && check_node(c, &n->b) != 0) ||
        (n->c != NULL && check_node(c, &n->c) != 0) || check_items(c, n) != 0)
        return -1;
    return check_operator(c, n);
}

static int check_one(struct cel_checker *c, struct cel_node **node)
{
    struct cel_node *n = *node;

    switch ((enum cel_op)n->op) {
    case OP_CONST:
        n->shape = cel_shape_of_kinds(c->arena, CEL_K(n->value.kind));
        return n->shape == NULL ? err_nomem(c->err) : 0;
    case OP_IDENT:
        return resolve(c, n) > 0 ? 0 : unknown_name(c, n);
    case OP_SELECT: return check_select(c, n);
    case OP_INDEX:  return check_index(c, n);
    case OP_CALL:   return check_call_node(c, node);
    case OP_LIST: case OP_MAP: return check_aggregate(c, n);
    case OP_STRUCT: return check_struct(c, n);
    case OP_COMP:   return check_comp(c, n);
    case OP_BIND:   return check_bind(c, n);
    case OP_BLOCK:  return check_block(c, n);
    case OP_AND: case OP_OR: case OP_COND: case OP_NOT: case OP_NEG: case OP_BINARY:
        return check_operands(c, n);
    case OP_LOCAL: case OP_VAR: case OP_N:
        break;
    }
    return 0;
}

int check_node(struct cel_checker *c, struct cel_node **n)
{
    return check_one(c, n) != 0 ? -1 : fold_node(c, n);
}
