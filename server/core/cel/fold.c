/* fold.c - constants are computed once, when the program is compiled; and
 * cel_compile itself. */
#include "core/cel/internal.h"

enum { FOLD_BUDGET = 20000, FOLD_TEXT = 4096, DEFAULT_TEXT = 32 * 1024, DEFAULT_NODES = 10000 };

static bool all_const(const struct cel_node *n)
{
    if ((n->a != NULL && n->a->op != OP_CONST) || (n->b != NULL && n->b->op != OP_CONST) ||
        (n->c != NULL && n->c->op != OP_CONST))
        return false;
    for (uint32_t i = 0; i < n->n; i++) {
        if (n->items[i]->op != OP_CONST)
            return false;
    }
    return true;
}

static bool is_foldable(const struct cel_node *n)
{
    switch ((enum cel_op)n->op) {
    case OP_SELECT: case OP_INDEX: case OP_AND: case OP_OR: case OP_COND: case OP_NOT: case OP_NEG: case OP_BINARY:
    case OP_LIST: case OP_MAP:
        return all_const(n);
    case OP_CALL:
        for (uint32_t i = 0; i < n->n_overloads; i++) {
            if (n->overloads[i]->impure)
                return false;
        }
        return n->n_overloads > 0 && all_const(n);
    default:
        return false;
    }
}

/* A conversion of a literal that fails will always fail: better said now. */
static int refuse_constant(struct cel_checker *c, const struct cel_node *n, const struct cel_value *v)
{
    if (c->env->lenient || n->op != OP_CALL || v->kind != CEL_ERROR)
        return 0;
    return check_refuse(c, n, "%s", v->s);
}

int fold_node(struct cel_checker *c, struct cel_node **node)
{
    struct cel_node *n = *node;

    /* c ? a : b with a known condition is a branch. */
    if (n->op == OP_COND && n->a->op == OP_CONST && n->a->value.kind == CEL_BOOL) {
        *node = n->a->value.boolean ? n->b : n->c;
        return 0;
    }
    if (!is_foldable(n))
        return 0;
    c->fold.budget = FOLD_BUDGET;
    struct cel_value v = eval(&c->fold, n);
    if (c->fold.no_memory)
        return err_nomem(c->err);
    if (c->fold.budget < 0)
        return 0;
    if (is_bad(v))
        return refuse_constant(c, n, &v);
    if ((v.kind == CEL_STRING || v.kind == CEL_BYTES) && v.n > FOLD_TEXT)
        return 0;
    n->op = OP_CONST;
    n->value = v;
    return 0;
}

static int bounds(const struct cel_env *env, size_t len, struct err *err)
{
    uint32_t most = env->max_text != 0 ? env->max_text : DEFAULT_TEXT;

    if (len > most)
        return err_set(err, ERR_TOO_LARGE, "the expression has %zu bytes, more than %u", len, most);
    return 0;
}

static struct cel_program *program_new(const struct cel_env *env, const char *text, size_t len, struct arena *arena)
{
    struct cel_program *p = arena_alloc(arena, sizeof *p);

    if (p == NULL)
        return NULL;
    p->text = arena_strndup(arena, text, len);
    p->len = (uint32_t)len;
    p->env = env;
    p->used = arena_array(arena, env->n_vars / 64 + 1, sizeof *p->used);
    return p->text == NULL || p->used == NULL ? NULL : p;
}

int cel_compile(const struct cel_env *env, const char *text, size_t len, struct arena *arena,
                const struct cel_program **out, struct err *err)
{
    struct cel_node *root;

    if (bounds(env, len, err) != 0)
        return -1;
    struct cel_program *p = program_new(env, text, len, arena);
    if (p == NULL)
        return err_nomem(err);
    struct cel_parser parser = {
        .lex = { .text = p->text, .len = p->len, .arena = arena, .err = err },
        .arena = arena, .err = err, .max_nodes = env->max_nodes != 0 ? env->max_nodes : DEFAULT_NODES,
    };
    if (parse_program(&parser, &root) != 0)
        return -1;
    struct cel_checker c = {
        .env = env, .program = p, .arena = arena, .err = err,
        .fold = { .arena = arena, .program = p },
    };
    if (check_node(&c, &root) != 0)
        return -1;
    p->root = root;
    p->zones = c.fold.zones;
    p->regexes = c.fold.regexes;
    *out = p;
    return 0;
}

uint32_t cel_program_kinds(const struct cel_program *p)
{
    return cel_shape_kinds(p->root->shape);
}

bool cel_program_uses(const struct cel_program *p, uint32_t var)
{
    return var < p->env->n_vars && (p->used[var / 64] >> (var % 64) & 1) != 0;
}

const char *cel_program_text(const struct cel_program *p)
{
    return p->text;
}
