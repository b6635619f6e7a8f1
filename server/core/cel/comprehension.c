/* comprehension.c - the macros that loop (langdef "Macros", cel-go ext).
 *
 * all and exists are && and || over the items: one item can decide whatever the
 * others do, errors and unknowns included.  All others fail with the first item
 * that fails.  A map is walked by its keys. */
#include "core/cel/internal.h"

#include <stdlib.h>

struct round {
    struct cel_run *run;
    const struct cel_node *n;
    struct cel_value range;
    uint32_t size;
};

/* Binds the variables to item i; CEL_ABSENT, or what went wrong. */
static struct cel_value bind_item(struct round *r, uint32_t i)
{
    struct cel_value *locals = r->run->locals, key, value;
    bool list = r->range.kind == CEL_LIST;

    if (!cel_pay(r->run, 1))
        return run_stopped(r->run);
    key = list ? cel_int(i) : cel_key_at(r->run, &r->range, i);
    if (is_bad(key))
        return key;
    value = key;
    if (list)
        value = cel_at(r->run, &r->range, i);
    else if (r->n->two)
        value = cel_get(r->run, &r->range, &key);
    /* A missing item is the body's business: it may not be needed. */
    locals[r->n->slot] = r->n->two ? key : value;
    if (r->n->two)
        locals[r->n->slot2] = value;
    if (r->run->tracer != NULL)
        trace_note(r->run, r->n, &key, &value);
    return (struct cel_value){ .kind = CEL_ABSENT };
}

/* Evaluates a condition for the bound item: 1, 0, or -1 with *bad. */
static int test(struct round *r, const struct cel_node *condition, struct cel_value *bad)
{
    struct cel_value v = eval(r->run, condition);

    if (r->run->budget < 0)
        v = run_stopped(r->run);
    if (v.kind == CEL_BOOL)
        return v.boolean;
    r->run->at = condition->at;
    *bad = is_bad(v) ? v : cel_fail(r->run, "expected a bool, found %s", cel_kind_name((enum cel_kind)v.kind));
    return -1;
}

static struct cel_value all_or_exists(struct round *r, bool decides)
{
    struct cel_value bad = { 0 };

    for (uint32_t i = 0; i < r->size; i++) {
        struct cel_value v = bind_item(r, i);
        int is = is_bad(v) && v.kind != CEL_ABSENT ? -1 : test(r, r->n->c, &v);
        if (r->run->budget < 0)
            return run_stopped(r->run);
        if (is == (int)decides)
            return cel_bool(decides);
        if (is < 0)
            bad = merge_bad(r->run, bad, v);
    }
    return bad.kind != CEL_ABSENT ? bad : cel_bool(!decides);
}

static struct cel_value exists_one(struct round *r)
{
    struct cel_value bad = { 0 };
    uint32_t count = 0;

    for (uint32_t i = 0; i < r->size; i++) {
        struct cel_value v = bind_item(r, i);
        int is = v.kind != CEL_ABSENT ? -1 : test(r, r->n->c, &v);
        if (is < 0 && v.kind != CEL_UNKNOWN)
            return v;
        if (is < 0)
            bad = merge_bad(r->run, bad, v);
        else
            count += (uint32_t)is;
    }
    return bad.kind != CEL_ABSENT ? bad : cel_bool(count == 1);
}

/* Binds item i and applies the filter: 1 take it, 0 not, -1 *bad. */
static int step(struct round *r, uint32_t i, const struct cel_node *filter, struct cel_value *bad)
{
    *bad = bind_item(r, i);
    if (bad->kind != CEL_ABSENT)
        return -1;
    return filter == NULL ? 1 : test(r, filter, bad);
}

static struct cel_value to_list(struct round *r, const struct cel_node *filter, const struct cel_node *body)
{
    struct cel_items out = { 0 };
    struct cel_value bad = { 0 }, v;

    for (uint32_t i = 0; i < r->size; i++) {
        int take = step(r, i, filter, &v);
        if (take > 0)
            v = body != NULL ? eval(r->run, body) : r->run->locals[r->n->slot];
        if (take > 0 && !is_bad(v)) {
            if (!items_add(r->run, &out, v))
                return run_stopped(r->run);
        } else if (take != 0) {
            if (v.kind != CEL_UNKNOWN || r->run->budget < 0)
                return v;
            bad = merge_bad(r->run, bad, v);       /* go on: name everything that is missing */
        }
    }
    return bad.kind != CEL_ABSENT ? bad : cel_list(out.ptr, out.n);
}

/* Adds the entries of what the body made; CEL_ABSENT when all is well. */
static struct cel_value add_entries(struct round *r, struct cel_map_builder *b, struct cel_value v)
{
    if (v.kind != CEL_MAP)
        return cel_fail(r->run, "transformMapEntry wants a map, found %s", cel_kind_name((enum cel_kind)v.kind));
    for (uint32_t j = 0; j < cel_size(&v); j++) {
        struct cel_value key = cel_key_at(r->run, &v, j), value = is_bad(key) ? key : cel_get(r->run, &v, &key);
        if (is_bad(value))
            return value;
        if (map_add(r->run, b, key, value) > 0)
            return cel_fail(r->run, "transformMapEntry makes a key twice");
    }
    return (struct cel_value){ .kind = CEL_ABSENT };
}

static struct cel_value to_map(struct round *r, bool entries)
{
    struct cel_map_builder b = { 0 };
    struct cel_value v;

    for (uint32_t i = 0; i < r->size; i++) {
        int take = step(r, i, r->n->b, &v);
        if (take < 0)
            return v;
        if (take == 0)
            continue;
        v = eval(r->run, r->n->c);
        if (is_bad(v))
            return v;
        r->run->at = r->n->c->at;
        struct cel_value done = { 0 };
        if (entries)
            done = add_entries(r, &b, v);
        else
            map_add(r->run, &b, r->run->locals[r->n->slot], v);
        if (done.kind != CEL_ABSENT)
            return done;
    }
    return map_finish(r->run, &b);
}

/* Merge sort of `order` by keys: stable, no recursion. */
static void sort_order(const struct cel_value *keys, uint32_t *order, uint32_t *spare, uint32_t n)
{
    for (uint32_t width = 1; width < n; width *= 2) {
        for (uint32_t lo = 0; lo < n; lo += 2 * width) {
            uint32_t mid = lo + width < n ? lo + width : n, hi = mid + width < n ? mid + width : n;
            for (uint32_t a = lo, b = mid, k = lo; k < hi; k++) {
                int cmp = 1;
                if (a < mid && b < hi)
                    value_compare(&keys[order[a]], &keys[order[b]], &cmp);
                spare[k] = b >= hi || (a < mid && cmp <= 0) ? order[a++] : order[b++];
            }
        }
        memcpy(order, spare, n * sizeof *order);
    }
}

struct cel_value list_sort_by(struct cel_run *run, const struct cel_value *list, const struct cel_value *keys)
{
    const uint32_t comparable = CEL_NUMBER | K_BOOL | K_STRING | K_BYTES | K_TIME | K_DURATION;
    uint32_t n = cel_size(list);
    struct cel_value *by = run_alloc(run, n, sizeof *by), *out = run_alloc(run, n, sizeof *out);
    uint32_t *order = run_alloc(run, n, 2 * sizeof *order);

    if (by == NULL || out == NULL || order == NULL || !cel_pay(run, (uint64_t)n * 8))
        return run_stopped(run);
    for (uint32_t i = 0; i < n; i++) {
        by[i] = cel_at(run, keys, i);
        order[i] = i;
        if (is_bad(by[i]))
            return by[i];
        if (by[i].kind != by[0].kind || !is_kind(by[i], comparable))
            return cel_fail(run, "only items of one comparable type can be sorted");
        if ((by[i].kind == CEL_STRING || by[i].kind == CEL_BYTES) && !cel_pay(run, by[i].n / 4))
            return run_stopped(run);
    }
    sort_order(by, order, order + n, n);
    for (uint32_t i = 0; i < n; i++)
        out[i] = cel_at(run, list, order[i]);
    return cel_list(out, n);
}

static struct cel_value sort_by(struct round *r)
{
    if (r->range.kind != CEL_LIST)
        return cel_fail(r->run, "sortBy wants a list");
    struct cel_value keys = to_list(r, NULL, r->n->c);
    return is_bad(keys) ? keys : list_sort_by(r->run, &r->range, &keys);
}

static struct cel_value opt_map(struct cel_run *run, const struct cel_node *n, struct cel_value on)
{
    if (on.kind != CEL_OPTIONAL)
        return cel_fail(run, "expected an optional value, found %s", cel_kind_name((enum cel_kind)on.kind));
    if (on.some == NULL)
        return on;
    run->locals[n->slot] = *on.some;
    struct cel_value v = eval(run, n->c);
    if (is_bad(v) || n->sub == COMP_OPT_MAP)
        return is_bad(v) ? v : run_optional(run, v);
    run->at = n->c->at;
    return v.kind == CEL_OPTIONAL ? v : cel_fail(run, "optFlatMap wants an optional value");
}

struct cel_value eval_comp(struct cel_run *run, const struct cel_node *n)
{
    struct round r = { .run = run, .n = n, .range = eval(run, n->a) };

    if (is_bad(r.range))
        return r.range;
    run->at = n->at;
    if (n->sub == COMP_OPT_MAP || n->sub == COMP_OPT_FLAT_MAP)
        return opt_map(run, n, r.range);
    if (r.range.kind != CEL_LIST && r.range.kind != CEL_MAP)
        return cel_fail(run, "%s cannot be iterated", cel_kind_name((enum cel_kind)r.range.kind));
    r.size = cel_size(&r.range);
    switch ((enum cel_comp_kind)n->sub) {
    case COMP_ALL: return all_or_exists(&r, false);
    case COMP_EXISTS: return all_or_exists(&r, true);
    case COMP_EXISTS_ONE: return exists_one(&r);
    case COMP_MAP: case COMP_TO_LIST: return to_list(&r, n->b, n->c);
    case COMP_FILTER: return to_list(&r, n->c, NULL);
    case COMP_TO_MAP: return to_map(&r, false);
    case COMP_TO_ENTRY: return to_map(&r, true);
    case COMP_SORT_BY: return sort_by(&r);
    case COMP_OPT_MAP: case COMP_OPT_FLAT_MAP: break;
    }
    return run_stopped(run);
}
