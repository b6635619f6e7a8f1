/* eval.c - walks the tree.
 *
 * Every node costs one; whoever does more pays more (cel_pay).  When the budget
 * is gone it stays below zero, every eval() answers at once, and cel_eval turns
 * that into its error: nothing in the language can absorb it.  The recursion is
 * as deep as the tree, which is bounded. */
#include "core/cel/internal.h"

#include <stdarg.h>
#include <stdio.h>

struct cel_value run_stopped(struct cel_run *run)
{
    if (run->budget >= 0)
        run->budget = -1;
    return (struct cel_value){ .kind = CEL_ERROR, .n = run->at, .s = "stopped" };
}

bool cel_pay(struct cel_run *run, uint64_t cost)
{
    if (run->budget < 0 || cost > (uint64_t)run->budget) {
        run->budget = -1;
        return false;
    }
    run->budget -= (int64_t)cost;
    return true;
}

struct arena *cel_arena(struct cel_run *run)
{
    return run->arena;
}

void *cel_data(struct cel_run *run)
{
    return run->act != NULL ? run->act->data : NULL;
}

static struct cel_value out_of_memory(struct cel_run *run)
{
    run->no_memory = true;
    return run_stopped(run);
}

void *run_alloc(struct cel_run *run, size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total) || !cel_pay(run, total / 64 + 1))
        return run_stopped(run), NULL;
    void *p = arena_alloc(run->arena, total);
    if (p == NULL)
        out_of_memory(run);
    return p;
}

char *run_bytes(struct cel_run *run, size_t n)
{
    if (n > UINT32_MAX / 2 || !cel_pay(run, n / 16 + 1))
        return run_stopped(run), NULL;
    char *p = arena_bytes(run->arena, n);
    if (p == NULL)
        out_of_memory(run);
    return p;
}

struct cel_value cel_fail(struct cel_run *run, const char *fmt, ...)
{
    char text[200];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!cel_pay(run, 4))
        return run_stopped(run);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    while (len > 0 && !utf8_valid(text, len))
        len--;
    char *kept = arena_strndup(run->arena, text, len);
    if (kept == NULL)
        return out_of_memory(run);
    return (struct cel_value){ .kind = CEL_ERROR, .n = run->at, .s = kept };
}

struct cel_value no_overload(struct cel_run *run, const char *name, const struct cel_value *args, uint32_t n)
{
    char kinds[96] = "";
    size_t len = 0;

    for (uint32_t i = 0; i < n && len < sizeof kinds; i++)
        len += (size_t)snprintf(kinds + len, sizeof kinds - len, "%s%s", i > 0 ? ", " : "",
                                cel_kind_name((enum cel_kind)args[i].kind));
    return cel_fail(run, "no such overload: %s(%s)", name, kinds);
}

/* ---- bad values -------------------------------------------------------------------------- */

static void add_names(struct cel_unknowns *to, const struct cel_unknowns *from)
{
    for (uint32_t i = 0; i < from->n; i++) {
        bool there = false;
        for (uint32_t j = 0; j < to->n; j++)
            there |= strcmp(to->names[j], from->names[i]) == 0;
        if (!there && to->n < CEL_MAX_MISSING)
            to->names[to->n++] = from->names[i];
    }
}

struct cel_value merge_bad(struct cel_run *run, struct cel_value a, struct cel_value b)
{
    if (a.kind == CEL_ABSENT || (a.kind == CEL_ERROR && b.kind == CEL_UNKNOWN))
        return b;
    if (a.kind != CEL_UNKNOWN || b.kind != CEL_UNKNOWN || a.missing == b.missing)
        return a;
    struct cel_unknowns *both = run_alloc(run, 1, sizeof *both);
    if (both == NULL)
        return run_stopped(run);
    *both = *a.missing;
    add_names(both, b.missing);
    a.missing = both;
    return a;
}

/* ---- leaves ------------------------------------------------------------------------------- */

static struct cel_value eval_var(struct cel_run *run, const struct cel_node *n)
{
    const struct cel_activation *act = run->act;
    struct cel_value v = { 0 };

    if (act != NULL && act->values != NULL)
        v = act->values[n->slot];
    if (v.kind == CEL_ABSENT && act != NULL && act->lookup != NULL)
        v = act->lookup(run, act->data, n->slot);
    if (v.kind != CEL_ABSENT)
        return v;
    run->at = n->at;
    return cel_fail(run, "no value for '%s'", run->program->env->vars[n->slot].name);
}

static struct cel_value eval_ident(struct cel_run *run, const struct cel_node *n)
{
    run->at = n->at;
    return cel_fail(run, "unknown name '%s'", n->name.text);
}

/* ---- access --------------------------------------------------------------------------------- */

/* What has no fields at all (null, where a file says nothing) has not this one
 * either: cel-go's answer to has() and `?.`, on which policies rest. */
static struct cel_value no_member(struct cel_run *run, struct cel_value on, const struct cel_name *name,
                                  enum cel_access how)
{
    if (how == ACCESS_TEST)
        return cel_bool(false);
    if (how == ACCESS_OPTIONAL)
        return optional_none();
    if (on.kind == CEL_MAP)
        return cel_fail(run, "no such key: %s", name->text);
    return cel_fail(run, "%s has no field '%s'", cel_kind_name((enum cel_kind)on.kind), name->text);
}

static struct cel_value select_value(struct cel_run *run, struct cel_value on, const struct cel_node *n)
{
    enum cel_access how = (enum cel_access)n->sub;

    if (on.kind == CEL_OPTIONAL) {
        if (on.some == NULL)
            return how == ACCESS_TEST ? cel_bool(false) : on;
        on = *on.some;
        how = how == ACCESS_PLAIN ? ACCESS_OPTIONAL : how;
    }
    struct cel_value v = { 0 };
    if (on.kind == CEL_MAP)
        v = map_member(run, &on, &n->name);
    if (v.kind == CEL_ABSENT) {
        run->at = n->at;
        return no_member(run, on, &n->name, how);
    }
    if (is_bad(v))
        return v;
    return how == ACCESS_PLAIN ? v : how == ACCESS_TEST ? cel_bool(true) : run_optional(run, v);
}

static struct cel_value eval_select(struct cel_run *run, const struct cel_node *n)
{
    struct cel_value on = eval(run, n->a);

    return is_bad(on) ? on : select_value(run, on, n);
}

/* CEL_ABSENT when the index is out of range. */
static struct cel_value list_item(struct cel_run *run, struct cel_value on, struct cel_value key)
{
    struct cel_value at = number_key(key);

    if (at.kind != CEL_INT && at.kind != CEL_UINT)
        return cel_fail(run, "a list is not indexed by %s", cel_kind_name((enum cel_kind)key.kind));
    if ((at.kind == CEL_INT && at.i < 0) || at.u >= cel_size(&on))
        return (struct cel_value){ .kind = CEL_ABSENT };
    return cel_at(run, &on, (uint32_t)at.u);
}

static struct cel_value index_list(struct cel_run *run, struct cel_value on, struct cel_value key, enum cel_access how)
{
    struct cel_value v = list_item(run, on, key);

    if (v.kind == CEL_ABSENT && how != ACCESS_OPTIONAL)
        return cel_fail(run, "index out of range of %u items", cel_size(&on));
    if (v.kind == CEL_ABSENT)
        return optional_none();
    return is_bad(v) || how != ACCESS_OPTIONAL ? v : run_optional(run, v);
}

struct cel_value index_value(struct cel_run *run, struct cel_value on, struct cel_value key, enum cel_access how)
{
    if (on.kind == CEL_OPTIONAL) {
        if (on.some == NULL)
            return on;
        on = *on.some;
        how = ACCESS_OPTIONAL;
    }
    if (on.kind == CEL_LIST)
        return index_list(run, on, key, how);
    if (on.kind != CEL_MAP && how == ACCESS_OPTIONAL)
        return optional_none();
    if (on.kind != CEL_MAP)
        return no_overload(run, "_[_]", (struct cel_value[]){ on, key }, 2);
    struct cel_value at = number_key(key);
    if (!is_map_key(&at) && key.kind != CEL_DOUBLE)
        return cel_fail(run, "a map is not indexed by %s", cel_kind_name((enum cel_kind)key.kind));
    struct cel_value v = cel_get(run, &on, &at);
    if (v.kind == CEL_ABSENT && how == ACCESS_OPTIONAL)
        return optional_none();
    if (v.kind == CEL_ABSENT)
        return cel_fail(run, key.kind == CEL_STRING ? "no such key: %.*s" : "no such key",
                        key.kind == CEL_STRING ? (int)(key.n < 80 ? key.n : 80) : 0, key.s);
    return is_bad(v) || how != ACCESS_OPTIONAL ? v : run_optional(run, v);
}

static struct cel_value eval_index(struct cel_run *run, const struct cel_node *n)
{
    struct cel_value on = eval(run, n->a), key = eval(run, n->b);

    if (is_bad(on))
        return is_bad(key) ? merge_bad(run, on, key) : on;
    if (is_bad(key))
        return key;
    run->at = n->at;
    return index_value(run, on, key, (enum cel_access)n->sub);
}

/* ---- calls and operators ---------------------------------------------------------------------- */

static bool takes(const struct cel_function *f, const struct cel_value *args, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!is_kind(args[i], f->any_number ? f->kinds[0] : f->kinds[i]))
            return false;
    }
    return true;
}

/* optional.or and orValue: the argument is evaluated only when it is needed. */
static struct cel_value eval_or_value(struct cel_run *run, const struct cel_node *n)
{
    struct cel_value on = eval(run, n->items[0]);
    bool value = n->name.len == 7;         /* orValue */

    if (is_bad(on))
        return on;
    run->at = n->at;
    if (on.kind != CEL_OPTIONAL)           /* of a type not known ahead: it is there, as cel-go has it */
        return on;
    if (on.some != NULL)
        return value ? *on.some : on;
    struct cel_value other = eval(run, n->items[1]);
    run->at = n->at;
    return is_bad(other) || value || other.kind == CEL_OPTIONAL ? other : no_overload(run, "or", &other, 1);
}

static struct cel_value eval_call(struct cel_run *run, const struct cel_node *n)
{
    struct cel_value few[CEL_MAX_ARGS + 1], *args = few, bad = { 0 };

    if (n->two)
        return eval_or_value(run, n);
    if (n->n > N_ITEMS(few) && (args = run_alloc(run, n->n, sizeof *args)) == NULL)
        return run_stopped(run);
    for (uint32_t i = 0; i < n->n; i++) {
        args[i] = eval(run, n->items[i]);
        if (is_bad(args[i]))
            bad = merge_bad(run, bad, args[i]);
    }
    if (bad.kind != CEL_ABSENT)
        return bad;
    run->at = n->at;
    for (uint32_t i = 0; i < n->n_overloads; i++) {
        if (takes(n->overloads[i], args, n->n))
            return n->overloads[i]->call(run, args, n->n);
    }
    return no_overload(run, n->name.text, args, n->n);
}

static struct cel_value eval_binary(struct cel_run *run, const struct cel_node *n)
{
    struct cel_value a = eval(run, n->a), b = eval(run, n->b);

    if (is_bad(a))
        return is_bad(b) ? merge_bad(run, a, b) : a;
    if (is_bad(b))
        return b;
    run->at = n->at;
    return operate(run, (enum cel_binary)n->sub, &a, &b);
}

/* One operand of && (decides: false) or || (decides: true). */
static struct cel_value eval_logic(struct cel_run *run, const struct cel_node *n, bool decides)
{
    struct cel_value bad = { 0 };

    for (uint32_t i = 0; i < n->n; i++) {
        struct cel_value v = eval(run, n->items[i]);
        if (run->budget < 0)
            return run_stopped(run);
        if (v.kind == CEL_BOOL && v.boolean == decides)
            return v;
        if (v.kind == CEL_BOOL)
            continue;
        run->at = n->at;
        bad = merge_bad(run, bad, is_bad(v) ? v : no_overload(run, decides ? "_||_" : "_&&_", &v, 1));
    }
    return bad.kind != CEL_ABSENT ? bad : cel_bool(!decides);
}

static struct cel_value eval_cond(struct cel_run *run, const struct cel_node *n)
{
    struct cel_value v = eval(run, n->a);

    if (is_bad(v))
        return v;
    if (v.kind == CEL_BOOL)
        return eval(run, v.boolean ? n->b : n->c);
    run->at = n->at;
    return no_overload(run, "_?_:_", &v, 1);
}

static struct cel_value eval_not(struct cel_run *run, const struct cel_node *n)
{
    struct cel_value v = eval(run, n->a);

    if (is_bad(v))
        return v;
    run->at = n->at;
    return v.kind == CEL_BOOL ? cel_bool(!v.boolean) : no_overload(run, "!_", &v, 1);
}

static struct cel_value eval_neg(struct cel_run *run, const struct cel_node *n)
{
    struct cel_value v = eval(run, n->a);

    run->at = n->at;
    return is_bad(v) ? v : value_negate(run, v);
}

/* ---- aggregates ------------------------------------------------------------------------------- */

/* 1 keep *v, 0 leave it out, -1 *v is what comes out of the whole. */
static int take_optional(struct cel_run *run, const struct cel_node *n, bool optional, struct cel_value *v)
{
    if (!optional)
        return 1;
    if (v->kind != CEL_OPTIONAL) {
        run->at = n->at;
        *v = cel_fail(run, "'?' wants an optional value, found %s", cel_kind_name((enum cel_kind)v->kind));
        return -1;
    }
    if (v->some == NULL)
        return 0;
    *v = *v->some;
    return 1;
}

static struct cel_value eval_list(struct cel_run *run, const struct cel_node *n)
{
    struct cel_value *items = run_alloc(run, n->n, sizeof *items), bad = { 0 };
    uint32_t count = 0;

    if (items == NULL)
        return run_stopped(run);
    for (uint32_t i = 0; i < n->n; i++) {
        struct cel_value v = eval(run, n->items[i]);
        int keep = is_bad(v) ? -1 : take_optional(run, n->items[i], n->optional != NULL && n->optional[i], &v);
        if (keep < 0)
            bad = merge_bad(run, bad, v);
        else if (keep > 0)
            items[count++] = v;
    }
    return bad.kind != CEL_ABSENT ? bad : cel_list(items, count);
}

static struct cel_value eval_map(struct cel_run *run, const struct cel_node *n)
{
    struct cel_map_builder b = { 0 };
    struct cel_value bad = { 0 };

    for (uint32_t i = 0; i < n->n; i += 2) {
        struct cel_value key = eval(run, n->items[i]), v = eval(run, n->items[i + 1]);
        if (is_bad(key) || is_bad(v)) {
            bad = merge_bad(run, bad, is_bad(key) ? key : v);
            continue;
        }
        run->at = n->items[i]->at;
        int keep = take_optional(run, n->items[i], n->optional != NULL && n->optional[i / 2], &v);
        if (keep < 0)
            bad = merge_bad(run, bad, v);
        else if (!is_map_key(&key))
            bad = merge_bad(run, bad, cel_fail(run, "%s cannot be a key", cel_kind_name((enum cel_kind)key.kind)));
        else if (keep > 0 && map_add(run, &b, key, v) > 0)
            bad = merge_bad(run, bad, cel_fail(run, "the key is there twice"));
    }
    return bad.kind != CEL_ABSENT ? bad : map_finish(run, &b);
}

static struct cel_value eval_bind(struct cel_run *run, const struct cel_node *n)
{
    /* An error bound but never used does no harm. */
    run->locals[n->slot] = eval(run, n->a);
    return eval(run, n->c);
}

static struct cel_value eval_block(struct cel_run *run, const struct cel_node *n)
{
    for (uint32_t i = 0; i < n->n; i++)
        run->locals[n->slot + i] = eval(run, n->items[i]);
    return eval(run, n->c);
}

static struct cel_value eval_struct(struct cel_run *run, const struct cel_node *n)
{
    run->at = n->at;
    return cel_fail(run, "there is no message type '%s'", n->name.text);
}

/* ---- the walk ------------------------------------------------------------------------------------ */

struct cel_value eval_untraced(struct cel_run *run, const struct cel_node *n)
{
    switch ((enum cel_op)n->op) {
    case OP_CONST:  return n->value;
    case OP_LOCAL:  return run->locals[n->slot];
    case OP_VAR:    return eval_var(run, n);
    case OP_SELECT: return eval_select(run, n);
    case OP_INDEX:  return eval_index(run, n);
    case OP_CALL:   return eval_call(run, n);
    case OP_AND:    return eval_logic(run, n, false);
    case OP_OR:     return eval_logic(run, n, true);
    case OP_COND:   return eval_cond(run, n);
    case OP_NOT:    return eval_not(run, n);
    case OP_NEG:    return eval_neg(run, n);
    case OP_BINARY: return eval_binary(run, n);
    case OP_LIST:   return eval_list(run, n);
    case OP_MAP:    return eval_map(run, n);
    case OP_COMP:   return eval_comp(run, n);
    case OP_BIND:   return eval_bind(run, n);
    case OP_BLOCK:  return eval_block(run, n);
    case OP_STRUCT: return eval_struct(run, n);
    case OP_IDENT:  return eval_ident(run, n);
    case OP_N:      break;
    }
    return eval_ident(run, n);
}

struct cel_value eval(struct cel_run *run, const struct cel_node *n)
{
    if (--run->budget < 0)
        return run_stopped(run);
    return run->tracer != NULL ? eval_traced(run, n) : eval_untraced(run, n);
}
