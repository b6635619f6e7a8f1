/* node.c - the nodes of the tree, their number and height bounded. */
#include "core/cel/internal.h"

struct cel_node *node_new(struct cel_parser *p, enum cel_op op, uint32_t start, uint32_t end)
{
    if (++p->n_nodes > p->max_nodes) {
        err_set(p->err, ERR_TOO_LARGE, "the expression has more than %u parts", p->max_nodes);
        return NULL;
    }
    struct cel_node *n = arena_alloc(p->arena, sizeof *n);
    if (n == NULL) {
        err_nomem(p->err);
        return NULL;
    }
    n->op = (uint8_t)op;
    n->start = n->at = start;
    n->end = end;
    n->height = 1;
    n->shape = &cel_shape_any;
    return n;
}

static void higher(struct cel_node *n, const struct cel_node *child)
{
    if (child != NULL && child->height >= n->height)
        n->height = (uint16_t)(child->height + 1);
}

int node_close(struct cel_parser *p, struct cel_node *n)
{
    higher(n, n->a);
    higher(n, n->b);
    higher(n, n->c);
    for (uint32_t i = 0; i < n->n; i++)
        higher(n, n->items[i]);
    if (n->height <= MAX_HEIGHT)
        return 0;
    return cel_refuse(p->err, p->lex.text, p->lex.len, n->start, "the expression is nested too deeply");
}

int nodes_add(struct cel_parser *p, struct cel_nodes *l, struct cel_node *n)
{
    if (l->n == l->cap) {
        uint32_t cap = l->cap == 0 ? 4 : l->cap * 2;
        struct cel_node **ptr = arena_array(p->arena, cap, sizeof *ptr);
        if (ptr == NULL)
            return err_nomem(p->err);
        if (l->n > 0)
            memcpy(ptr, l->ptr, l->n * sizeof *ptr);
        l->ptr = ptr;
        l->cap = cap;
    }
    l->ptr[l->n++] = n;
    return 0;
}
