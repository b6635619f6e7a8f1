/* overload.c - which functions a call can mean, and what operators accept. */
#include "core/cel/internal.h"

#include <stdio.h>

static const struct cel_library *const libraries[] = {
    &lib_standard, &lib_convert, &lib_string, &lib_format, &lib_math, &lib_list, &lib_aggregate, &lib_set, &lib_time,
    &lib_optional, &lib_encode, &lib_regex, &lib_net, &lib_quantity, &lib_semver, &lib_url, &lib_named,
};

const struct cel_function *function_at(const struct cel_env *env, uint32_t i)
{
    for (size_t l = 0; l < N_ITEMS(libraries); l++) {
        if (i < libraries[l]->n)
            return &libraries[l]->functions[i];
        i -= libraries[l]->n;
    }
    return i < env->n_functions ? &env->functions[i] : NULL;
}

bool function_exists(const struct cel_env *env, const char *name)
{
    const struct cel_function *f;

    for (uint32_t i = 0; (f = function_at(env, i)) != NULL; i++) {
        if (!f->method && strcmp(f->name, name) == 0)
            return true;
    }
    return false;
}

bool namespace_exists(const struct cel_env *env, const char *name)
{
    const struct cel_function *f;
    size_t len = strlen(name);

    for (uint32_t i = 0; (f = function_at(env, i)) != NULL; i++) {
        if (!f->method && strncmp(f->name, name, len) == 0 && f->name[len] == '.')
            return true;
    }
    return false;
}

static bool takes_number(const struct cel_function *f, uint32_t n)
{
    return f->any_number ? n >= f->n_args : n == f->n_args;
}

/* Can the arguments, as far as their shapes are known, be those of f? */
static bool can_take(const struct cel_function *f, const struct cel_node *n)
{
    for (uint32_t i = 0; i < n->n; i++) {
        uint32_t wanted = f->any_number ? f->kinds[0] : f->kinds[i];
        if ((cel_shape_kinds(n->items[i]->shape) & wanted) == 0)
            return false;
    }
    return true;
}

/* A name close to the one written, among functions or among methods. */
int check_unknown_function(struct cel_checker *c, const struct cel_node *n)
{
    static const char *const macros[] = { "has", "all", "exists", "exists_one", "map", "filter", "existsOne",
        "transformList", "transformMap", "transformMapEntry", "optMap", "optFlatMap", "sortBy" };
    const char *names[400];
    char hint[96];
    uint32_t count = 0;
    const struct cel_function *f;

    for (uint32_t i = 0; (f = function_at(c->env, i)) != NULL && count < N_ITEMS(names); i++) {
        if (f->method == (n->sub != 0))
            names[count++] = f->name;
    }
    for (size_t i = 0; i < N_ITEMS(macros) && count < N_ITEMS(names); i++)
        names[count++] = macros[i];
    return check_refuse(c, n, "unknown function '%s'%s", n->name.text, cel_suggest(hint, n->name.text, names, count));
}

static int wrong_arguments(struct cel_checker *c, const struct cel_node *n, bool right_number)
{
    char kinds[120] = "";
    size_t len = 0;

    for (uint32_t i = 0; i < n->n && len < sizeof kinds; i++) {
        uint32_t k = cel_shape_kinds(n->items[i]->shape);
        const char *name = k == CEL_ANY ? "dyn" : (k & (k - 1)) == 0 ?
                           cel_kind_name((enum cel_kind)__builtin_ctz(k)) : "one of several";
        len += (size_t)snprintf(kinds + len, sizeof kinds - len, "%s%s", i > 0 ? ", " : "", name);
    }
    if (!right_number)
        return check_refuse(c, n, "%s() does not take %u argument%s%s", n->name.text, n->n - (n->sub != 0),
                            n->n - (n->sub != 0) == 1 ? "" : "s", n->sub != 0 ? " behind a dot" : "");
    return check_refuse(c, n, "%s() does not take (%s)", n->name.text, kinds);
}

static const struct cel_shape *rule_shape(struct cel_checker *c, const struct cel_function *f, const struct cel_node *n)
{
    const struct cel_shape *first = n->n > 0 ? n->items[0]->shape : &cel_shape_any;
    const struct cel_shape *item = first->items != NULL && first->fields == NULL ? first->items : &cel_shape_any;

    switch ((enum cel_result_rule)f->rule) {
    case CEL_GIVES_SAME: return first;
    case CEL_GIVES_ITEM: return item;
    case CEL_GIVES_OPTIONAL: return cel_shape_of(c->arena, K_OPTIONAL, first);
    case CEL_GIVES_OPTIONAL_ITEM: return cel_shape_of(c->arena, K_OPTIONAL, item);
    case CEL_GIVES_KINDS: break;
    }
    return cel_shape_of_kinds(c->arena, f->gives);
}

/* orValue: the inside of the optional, when the default can be the same. */
static const struct cel_shape *or_value_shape(const struct cel_node *n)
{
    const struct cel_shape *on = n->items[0]->shape, *other = n->items[1]->shape;

    if (on->items == NULL || cel_shape_kinds(on->items) != cel_shape_kinds(other))
        return &cel_shape_any;
    bool bare = other->fields == NULL && (other->items == NULL || other->items == &cel_shape_any);
    return bare ? on->items : &cel_shape_any;
}

static int result_shape(struct cel_checker *c, struct cel_node *n)
{
    uint32_t kinds = 0;

    for (uint32_t i = 0; i < n->n_overloads; i++) {
        const struct cel_shape *s = rule_shape(c, n->overloads[i], n);
        if (s == NULL)
            return err_nomem(c->err);
        n->shape = s;
        kinds |= cel_shape_kinds(s);
    }
    if (n->n_overloads > 1)
        n->shape = cel_shape_of_kinds(c->arena, kinds);
    if (n->two && strcmp(n->name.text, "orValue") == 0)
        n->shape = or_value_shape(n);
    return n->shape == NULL ? err_nomem(c->err) : 0;
}

/* Made of nothing but constants and variables. */
static bool is_plain(const struct cel_node *n)
{
    switch ((enum cel_op)n->op) {
    case OP_CONST:
    case OP_VAR:    return true;
    case OP_SELECT: return is_plain(n->a);
    case OP_INDEX:
    case OP_BINARY: return is_plain(n->a) && is_plain(n->b);
    default:        return false;
    }
}

/* A pattern made of values that are known ahead; what is wrong with it is said when it is used. */
static int warm_known(struct cel_checker *c, const struct cel_node *arg)
{
    const struct cel_activation act = { .values = c->env->known };
    struct cel_value bad = { 0 };

    if (c->env->known == NULL || !is_plain(arg))
        return 0;
    c->fold.budget = 1000000;
    c->fold.act = &act;
    struct cel_value pattern = eval(&c->fold, arg);
    c->fold.act = NULL;
    if (pattern.kind == CEL_STRING)
        regex_get(&c->fold, &pattern, &bad);
    return c->fold.no_memory ? err_nomem(c->err) : 0;
}

/* Patterns and zones that are written in the text are compiled now. */
static int warm(struct cel_checker *c, const struct cel_node *n)
{
    const struct cel_value *arg = n->n >= 2 && n->items[1]->op == OP_CONST ? &n->items[1]->value : NULL;
    bool regex = strcmp(n->name.text, "matches") == 0 || strcmp(n->name.text, "find") == 0 ||
                 strcmp(n->name.text, "findAll") == 0 || str_starts(n->name.text, "regex.");
    bool zone = n->sub != 0 && n->n == 2 && str_starts(n->name.text, "get");
    struct cel_value bad = { 0 };
    int32_t offset;

    if (arg == NULL && regex && n->n >= 2)
        return warm_known(c, n->items[1]);
    if (arg == NULL || arg->kind != CEL_STRING || (!regex && !zone))
        return 0;
    c->fold.budget = 1000000;
    if (regex && regex_get(&c->fold, arg, &bad) == NULL && !c->env->lenient)
        return c->fold.no_memory ? err_nomem(c->err) :
               check_refuse(c, n->items[1], "%s", bad.kind == CEL_ERROR ? bad.s : "the pattern is too costly");
    if (zone && !zone_offset(&c->fold, arg->s, arg->n, 0, &offset) && !c->env->lenient)
        return check_refuse(c, n->items[1], "unknown time zone '%.*s'", arg->n < 60 ? (int)arg->n : 60, arg->s);
    return 0;
}

int check_call(struct cel_checker *c, struct cel_node **node)
{
    struct cel_node *n = *node;
    const struct cel_function *f, *found[64];
    bool named = false, numbered = false;

    for (uint32_t i = 0; (f = function_at(c->env, i)) != NULL; i++) {
        if (f->method != (n->sub != 0) || strcmp(f->name, n->name.text) != 0)
            continue;
        named = true;
        if (!takes_number(f, n->n))
            continue;
        numbered = true;
        if (n->n_overloads < N_ITEMS(found) && (c->env->lenient || can_take(f, n)))
            found[n->n_overloads++] = f;
    }
    if (n->n_overloads == 0 && !c->env->lenient)
        return named ? wrong_arguments(c, n, numbered) : check_unknown_function(c, n);
    const struct cel_function **kept = arena_array(c->arena, n->n_overloads, sizeof *kept);
    if (kept == NULL)
        return err_nomem(c->err);
    memcpy(kept, found, n->n_overloads * sizeof *kept);
    n->overloads = kept;
    n->two = n->sub != 0 && n->n == 2 && (strcmp(n->name.text, "or") == 0 || strcmp(n->name.text, "orValue") == 0);
    return result_shape(c, n) != 0 ? -1 : warm(c, n);
}

/* ---- operators -------------------------------------------------------------------------- */

struct operand_rule {
    uint32_t left, right, gives;
};

static const struct operand_rule adds[] = {
    { K_INT, K_INT, K_INT }, { K_UINT, K_UINT, K_UINT }, { K_DOUBLE, K_DOUBLE, K_DOUBLE },
    { K_STRING, K_STRING, K_STRING }, { K_BYTES, K_BYTES, K_BYTES }, { K_LIST, K_LIST, K_LIST },
    { K_TIME, K_DURATION, K_TIME }, { K_DURATION, K_TIME, K_TIME }, { K_DURATION, K_DURATION, K_DURATION },
};
static const struct operand_rule subs[] = {
    { K_INT, K_INT, K_INT }, { K_UINT, K_UINT, K_UINT }, { K_DOUBLE, K_DOUBLE, K_DOUBLE },
    { K_TIME, K_TIME, K_DURATION }, { K_TIME, K_DURATION, K_TIME }, { K_DURATION, K_DURATION, K_DURATION },
};
static const struct operand_rule muls[] = {
    { K_INT, K_INT, K_INT }, { K_UINT, K_UINT, K_UINT }, { K_DOUBLE, K_DOUBLE, K_DOUBLE },
};
static const struct operand_rule mods[] = { { K_INT, K_INT, K_INT }, { K_UINT, K_UINT, K_UINT } };
static const struct operand_rule orders[] = {
    { CEL_NUMBER, CEL_NUMBER, K_BOOL }, { K_STRING, K_STRING, K_BOOL }, { K_BYTES, K_BYTES, K_BOOL },
    { K_BOOL, K_BOOL, K_BOOL }, { K_TIME, K_TIME, K_BOOL }, { K_DURATION, K_DURATION, K_BOOL },
};
static const struct operand_rule ins[] = {
    { CEL_ANY, K_LIST, K_BOOL }, { K_BOOL | K_STRING | CEL_NUMBER, K_MAP, K_BOOL },
};

static const struct { const struct operand_rule *rules; uint32_t n; } operators[BIN_N] = {
    [BIN_ADD] = { adds, N_ITEMS(adds) }, [BIN_SUB] = { subs, N_ITEMS(subs) }, [BIN_MUL] = { muls, N_ITEMS(muls) },
    [BIN_DIV] = { muls, N_ITEMS(muls) }, [BIN_MOD] = { mods, N_ITEMS(mods) }, [BIN_LT] = { orders, N_ITEMS(orders) },
    [BIN_LE] = { orders, N_ITEMS(orders) }, [BIN_GT] = { orders, N_ITEMS(orders) },
    [BIN_GE] = { orders, N_ITEMS(orders) }, [BIN_IN] = { ins, N_ITEMS(ins) },
};

static const char *kinds_text(uint32_t kinds)
{
    return (kinds & (kinds - 1)) == 0 ? cel_kind_name((enum cel_kind)__builtin_ctz(kinds)) : "dyn";
}

static int refuse_operands(struct cel_checker *c, const struct cel_node *n, uint32_t a, uint32_t b)
{
    return check_refuse(c, n, "'%s' does not take %s and %s", operator_name((enum cel_binary)n->sub),
                        kinds_text(a), kinds_text(b));
}

static int check_binary(struct cel_checker *c, struct cel_node *n)
{
    uint32_t a = cel_shape_kinds(n->a->shape), b = cel_shape_kinds(n->b->shape), gives = 0;

    if (n->sub == BIN_EQ || n->sub == BIN_NE) {
        /* Equality is defined for everything; what can never be equal is a mistake. */
        bool numbers = (a & CEL_NUMBER) != 0 && (b & CEL_NUMBER) != 0;
        if ((a & b) == 0 && !numbers && ((a | b) & K_NULL) == 0 && !c->env->lenient)
            return refuse_operands(c, n, a, b);
        n->shape = cel_shape_of_kinds(c->arena, K_BOOL);
        return 0;
    }
    for (uint32_t i = 0; i < operators[n->sub].n; i++) {
        const struct operand_rule *r = &operators[n->sub].rules[i];
        if ((a & r->left) != 0 && (b & r->right) != 0)
            gives |= r->gives;
    }
    if (gives == 0 && !c->env->lenient)
        return refuse_operands(c, n, a, b);
    bool lists = n->sub == BIN_ADD && a == K_LIST && n->a->shape->items == n->b->shape->items;
    n->shape = lists ? n->a->shape : cel_shape_of_kinds(c->arena, gives);
    return n->shape == NULL ? err_nomem(c->err) : 0;
}

static int wants_bool(struct cel_checker *c, const struct cel_node *n)
{
    if (c->env->lenient || (cel_shape_kinds(n->shape) & K_BOOL) != 0)
        return 0;
    return check_refuse(c, n, "expected a condition, found %s", kinds_text(cel_shape_kinds(n->shape)));
}

int check_operator(struct cel_checker *c, struct cel_node *n)
{
    uint32_t kinds = n->a != NULL ? cel_shape_kinds(n->a->shape) : 0;

    switch (n->op) {
    case OP_BINARY:
        return check_binary(c, n);
    case OP_COND:
        n->shape = n->b->shape == n->c->shape ? n->b->shape :
                   cel_shape_of_kinds(c->arena, cel_shape_kinds(n->b->shape) | cel_shape_kinds(n->c->shape));
        return n->shape == NULL ? err_nomem(c->err) : wants_bool(c, n->a);
    case OP_NEG:
        if ((kinds & (K_INT | K_DOUBLE)) == 0 && !c->env->lenient)
            return check_refuse(c, n, "'-' does not take %s", kinds_text(kinds));
        n->shape = cel_shape_of_kinds(c->arena, kinds & (K_INT | K_DOUBLE));
        return n->shape == NULL ? err_nomem(c->err) : 0;
    case OP_NOT:
        n->shape = cel_shape_of_kinds(c->arena, K_BOOL);
        return wants_bool(c, n->a);
    default:
        n->shape = cel_shape_of_kinds(c->arena, K_BOOL);
        for (uint32_t i = 0; i < n->n; i++) {
            if (wants_bool(c, n->items[i]) != 0)
                return -1;
        }
        return 0;
    }
}
