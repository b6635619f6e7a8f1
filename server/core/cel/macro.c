/* macro.c - calls that are not calls: has(), the comprehensions, cel.bind and
 * cel.block (langdef "Macros"; cel-go ext: bindings, comprehensions, optionals,
 * lists).  They become nodes of their own; a call that does not fit a macro's
 * form stays a call. */
#include "core/cel/internal.h"

#include <stdio.h>

struct macro {
    const char *name;
    uint8_t n_args;            /* without the receiver */
    uint8_t kind;              /* enum cel_comp_kind */
    uint8_t n_vars;
    bool filter;               /* an argument before the last is a filter */
};

static const struct macro macros[] = {
    { "all", 2, COMP_ALL, 1, false },
    { "all", 3, COMP_ALL, 2, false },
    { "exists", 2, COMP_EXISTS, 1, false },
    { "exists", 3, COMP_EXISTS, 2, false },
    { "exists_one", 2, COMP_EXISTS_ONE, 1, false },
    { "exists_one", 3, COMP_EXISTS_ONE, 2, false },
    { "existsOne", 2, COMP_EXISTS_ONE, 1, false },
    { "existsOne", 3, COMP_EXISTS_ONE, 2, false },
    { "map", 2, COMP_MAP, 1, false },
    { "map", 3, COMP_MAP, 1, true },
    { "filter", 2, COMP_FILTER, 1, false },
    { "transformList", 3, COMP_TO_LIST, 2, false },
    { "transformList", 4, COMP_TO_LIST, 2, true },
    { "transformMap", 3, COMP_TO_MAP, 2, false },
    { "transformMap", 4, COMP_TO_MAP, 2, true },
    { "transformMapEntry", 3, COMP_TO_ENTRY, 2, false },
    { "transformMapEntry", 4, COMP_TO_ENTRY, 2, true },
    { "sortBy", 2, COMP_SORT_BY, 1, false },
    { "optMap", 2, COMP_OPT_MAP, 1, false },
    { "optFlatMap", 2, COMP_OPT_FLAT_MAP, 1, false },
};

static int refuse(struct cel_parser *p, const struct cel_node *n, const char *what)
{
    return cel_refuse(p->err, p->lex.text, p->lex.len, n->start, "%s", what);
}

static int variable(struct cel_parser *p, const struct cel_node *n, struct cel_name *out)
{
    if (n->op != OP_IDENT || n->rooted)
        return refuse(p, n, "expected a simple name for the variable of the macro");
    *out = n->name;
    return 0;
}

static int comprehension(struct cel_parser *p, const struct macro *m, struct cel_node *n)
{
    struct cel_node **args = n->items;

    if (variable(p, args[1], &n->var) != 0 || (m->n_vars == 2 && variable(p, args[2], &n->var2) != 0))
        return -1;
    if (m->n_vars == 2 && strcmp(n->var.text, n->var2.text) == 0)
        return refuse(p, args[2], "the two variables of the macro have the same name");
    n->op = OP_COMP;
    n->sub = m->kind;
    n->two = m->n_vars == 2;
    n->a = args[0];
    n->b = m->filter ? args[n->n - 2] : NULL;
    n->c = args[n->n - 1];
    n->n = 0;
    n->items = NULL;
    return node_close(p, n);
}

static int has(struct cel_parser *p, struct cel_node **n)
{
    struct cel_node *field = (*n)->items[0];

    if (field->op != OP_SELECT || field->sub != ACCESS_PLAIN)
        return refuse(p, field, "has() wants a field: has(a.b)");
    field->sub = ACCESS_TEST;
    field->start = (*n)->start;
    field->end = (*n)->end;
    *n = field;
    return 0;
}

static int bind(struct cel_parser *p, struct cel_node *n)
{
    if (variable(p, n->items[1], &n->var) != 0)
        return -1;
    n->op = OP_BIND;
    n->sub = 0;
    n->a = n->items[2];
    n->c = n->items[3];
    n->n = 0;
    n->items = NULL;
    return node_close(p, n);
}

static int block(struct cel_parser *p, struct cel_node *n)
{
    struct cel_node *list = n->items[1];

    if (list->op != OP_LIST || list->optional != NULL)
        return refuse(p, list, "cel.block wants a list of expressions");
    n->op = OP_BLOCK;
    n->sub = 0;
    n->c = n->items[2];
    n->items = list->items;
    n->n = list->n;
    return node_close(p, n);
}

/* cel.index(3) becomes the name "@index3", cel.iterVar(1, 0) "@it:1:0": no
 * written name can be like them. */
static int generated_name(struct cel_parser *p, struct cel_node *n, const char *prefix)
{
    char name[64];
    size_t len = (size_t)snprintf(name, sizeof name, "%s", prefix);

    for (uint32_t i = 1; i < n->n; i++) {
        const struct cel_node *arg = n->items[i];
        if (arg->op != OP_CONST || arg->value.kind != CEL_INT || arg->value.i < 0 || arg->value.i >= MAX_LOCALS)
            return refuse(p, arg, "expected a small number");
        len += (size_t)snprintf(name + len, sizeof name - len, i > 1 ? ":%d" : "%d", (int)arg->value.i);
    }
    n->op = OP_IDENT;
    n->sub = 0;
    n->name = (struct cel_name){ arena_strndup(p->arena, name, len), (uint32_t)len };
    n->n = 0;
    n->items = NULL;
    return n->name.text == NULL ? err_nomem(p->err) : 0;
}

static int cel_macro(struct cel_parser *p, struct cel_node *n)
{
    const char *name = n->name.text;

    if (strcmp(name, "bind") == 0 && n->n == 4)
        return bind(p, n);
    if (strcmp(name, "block") == 0 && n->n == 3)
        return block(p, n);
    if (strcmp(name, "index") == 0 && n->n == 2)
        return generated_name(p, n, "@index");
    if (strcmp(name, "iterVar") == 0 && n->n == 3)
        return generated_name(p, n, "@it:");
    if (strcmp(name, "accuVar") == 0 && n->n == 3)
        return generated_name(p, n, "@ac:");
    return 0;
}

int macro_expand(struct cel_parser *p, struct cel_node **node)
{
    struct cel_node *n = *node;

    if (n->sub == 0)
        return strcmp(n->name.text, "has") == 0 && n->n == 1 && !n->rooted ? has(p, node) : 0;
    const struct cel_node *on = n->items[0];
    if (on->op == OP_IDENT && !on->rooted && strcmp(on->name.text, "cel") == 0)
        return cel_macro(p, n);
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++) {
        if (macros[i].n_args + 1u == n->n && strcmp(macros[i].name, n->name.text) == 0)
            return comprehension(p, &macros[i], n);
    }
    return 0;
}
