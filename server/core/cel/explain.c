/* explain.c - evaluates while writing down what every sub-expression came to.
 *
 * Steps are kept in the order they begin (pre-order), so depth alone says the
 * tree.  A round of a comprehension is a step of its own ("x = 3") above what
 * was evaluated in it.  After CEL_MAX_STEPS nothing more is written down. */
#include "core/cel/internal.h"

enum { SHOWN = 160 };

struct cel_tracer {
    struct cel_explanation *out;
    struct arena *arena;
    uint32_t depth;
    const char *note;          /* for the next step */
    bool failed;
};

/* The value as text of its own; NULL when the arena is full. */
static const char *shown(struct cel_tracer *t, const struct cel_value *v)
{
    char room[SHOWN];
    struct cel_text out = { .ptr = room, .cap = sizeof room };

    value_message(v, &out);
    const char *text = arena_printf(t->arena, "%.*s%s", (int)out.len, room, out.full ? "..." : "");
    t->failed |= text == NULL;
    return text;
}

static struct cel_explained *step_new(struct cel_tracer *t, const struct cel_node *n)
{
    struct cel_explanation *e = t->out;

    if (e->n == CEL_MAX_STEPS) {
        e->truncated = true;
        return NULL;
    }
    struct cel_explained *s = &e->steps[e->n++];
    *s = (struct cel_explained){ .offset = n->start, .len = n->end - n->start, .depth = t->depth, .note = t->note };
    t->note = NULL;
    return s;
}

void trace_note(struct cel_run *run, const struct cel_node *n, const struct cel_value *key, const struct cel_value *v)
{
    struct cel_tracer *t = run->tracer;

    if (t->out->n == CEL_MAX_STEPS)
        return;
    const char *value = shown(t, v), *at = n->two ? shown(t, key) : NULL;
    if (value == NULL || (n->two && at == NULL))
        return;
    if (n->two)
        t->note = arena_printf(t->arena, "%s = %s, %s = %s", n->var.text, at, n->var2.text, value);
    else
        t->note = arena_printf(t->arena, "%s = %s", n->var.text, value);
}

struct cel_value eval_traced(struct cel_run *run, const struct cel_node *n)
{
    struct cel_tracer *t = run->tracer;

    if (n->op == OP_CONST)
        return n->value;
    struct cel_explained *s = step_new(t, n);
    t->depth++;
    struct cel_value v = eval_untraced(run, n);
    t->depth--;
    if (s != NULL && run->budget >= 0) {
        s->kind = v.kind;
        s->value = shown(t, &v);
    }
    return v;
}

int cel_explain(const struct cel_program *p, const struct cel_activation *act, struct arena *arena,
                uint64_t budget, struct cel_explanation *out, struct err *err)
{
    struct cel_explanation e = { .steps = arena_array(arena, CEL_MAX_STEPS, sizeof *e.steps) };
    struct cel_tracer tracer = { .out = &e, .arena = arena };
    struct cel_value result;

    if (e.steps == NULL)
        return err_nomem(err);
    if (run_program(p, act, arena, budget, &tracer, &result, err) != 0)
        return -1;
    if (tracer.failed)
        return err_nomem(err);
    if (e.n == 0) {                    /* the whole expression is a constant */
        struct cel_explained *s = step_new(&tracer, p->root);
        s->kind = result.kind;
        if ((s->value = shown(&tracer, &result)) == NULL)
            return err_nomem(err);
    }
    *out = e;
    return 0;
}

/* How many parentheses the text closes without opening them, and leaves open. */
static void unmatched(const char *s, uint32_t len, uint32_t *closed, uint32_t *opened)
{
    char quote = '\0';

    *closed = *opened = 0;
    for (uint32_t i = 0; i < len; i++) {
        if (quote != '\0') {
            if (s[i] == '\\')
                i++;                                       /* what is escaped */
            else if (s[i] == quote)
                quote = '\0';
        } else if (s[i] == '"' || s[i] == '\'') {
            quote = s[i];
        } else if (s[i] == '(') {
            ++*opened;
        } else if (s[i] == ')') {
            if (*opened > 0)
                --*opened;
            else
                ++*closed;
        }
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A node spans its operands without the parentheses around them: people want them back. */
static void widen(const struct cel_program *p, uint32_t *from, uint32_t *to)
{
    uint32_t closed, opened;

    unmatched(p->text + *from, *to - *from, &closed, &opened);
    for (uint32_t at = *to; opened > 0 && at < p->len && (is_blank(p->text[at]) || p->text[at] == ')'); at++) {
        if (p->text[at] == ')') {
            *to = at + 1;
            opened--;
        }
    }
    for (uint32_t at = *from; closed > 0 && at > 0 && (is_blank(p->text[at - 1]) || p->text[at - 1] == '('); at--) {
        if (p->text[at - 1] == '(') {
            *from = at - 1;
            closed--;
        }
    }
}

void cel_explanation_print(const struct cel_program *p, const struct cel_explanation *e, struct buf *out)
{
    for (uint32_t i = 0; i < e->n; i++) {
        const struct cel_explained *s = &e->steps[i];
        for (uint32_t d = 0; d < s->depth; d++)
            buf_puts(out, "  ");
        if (s->note != NULL)
            buf_printf(out, "[%s] ", s->note);
        uint32_t from = s->offset, to = s->offset + s->len;
        widen(p, &from, &to);
        for (uint32_t j = from; j < to; j++)
            buf_putc(out, p->text[j] == '\n' || p->text[j] == '\r' ? ' ' : p->text[j]);
        buf_printf(out, "  =>  %s\n", s->value != NULL ? s->value : "(not reached)");
    }
    if (e->truncated)
        buf_puts(out, "...\n");
}
