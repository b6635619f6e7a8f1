/* lib_list.c - the lists extension (cel-go ext: lists; first, last, unwrap of the
 * optional library).  What Kubernetes adds is in lib_aggregate.c. */
#include "core/cel/internal.h"

static struct cel_value slice(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    int64_t from = a[1].i, to = a[2].i, size = cel_size(a);

    (void)n;
    if (from < 0 || to < from || to > size)
        return cel_fail(run, "cannot slice(%lld, %lld) a list of %lld items", (long long)from, (long long)to,
                        (long long)size);
    struct cel_value *items = run_alloc(run, (size_t)(to - from), sizeof *items);
    if (items == NULL)
        return run_stopped(run);
    for (int64_t i = from; i < to; i++) {
        items[i - from] = cel_at(run, a, (uint32_t)i);
        if (is_bad(items[i - from]))
            return items[i - from];
    }
    return cel_list(items, (size_t)(to - from));
}

static struct cel_value reverse(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    uint32_t size = cel_size(a);
    struct cel_value *items = run_alloc(run, size, sizeof *items);

    (void)n;
    if (items == NULL)
        return run_stopped(run);
    for (uint32_t i = 0; i < size; i++) {
        items[i] = cel_at(run, a, size - 1 - i);
        if (is_bad(items[i]))
            return items[i];
    }
    return cel_list(items, size);
}

/* Depth-first without recursion: lists within lists are as deep as MAX_HEIGHT. */
struct level {
    struct cel_value list;
    uint32_t next;
};

static struct cel_value flatten_to(struct cel_run *run, const struct cel_value *a, int64_t depth)
{
    struct cel_items out = { 0 };
    uint32_t most = depth < MAX_HEIGHT ? (uint32_t)depth : MAX_HEIGHT, level = 0;
    struct level *levels = run_alloc(run, most + 1, sizeof *levels);

    if (levels == NULL)
        return run_stopped(run);
    levels[0] = (struct level){ *a, 0 };
    for (;;) {
        struct level *l = &levels[level];
        if (l->next == cel_size(&l->list)) {
            if (level-- == 0)
                return cel_list(out.ptr, out.n);
            continue;
        }
        struct cel_value v = cel_at(run, &l->list, l->next++);
        if (is_bad(v))
            return v;
        if (!cel_pay(run, 1))
            return run_stopped(run);
        if (v.kind == CEL_LIST && level < most)
            levels[++level] = (struct level){ v, 0 };
        else if (!items_add(run, &out, v))
            return run_stopped(run);
    }
}

static struct cel_value flatten(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    int64_t depth = n == 2 ? a[1].i : 1;

    return depth < 0 ? cel_fail(run, "the depth of flatten is negative") : flatten_to(run, a, depth);
}

static struct cel_value sort(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return list_sort_by(run, a, a);
}

static struct cel_value distinct(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_items out = { 0 };

    (void)n;
    for (uint32_t i = 0, size = cel_size(a); i < size; i++) {
        struct cel_value v = cel_at(run, a, i);
        bool seen = false;
        if (is_bad(v))
            return v;
        for (uint32_t j = 0; j < out.n && !seen; j++)
            seen = value_equal(run, &v, &out.ptr[j]);
        if (run->budget < 0 || (!seen && !items_add(run, &out, v)))
            return run_stopped(run);
    }
    return cel_list(out.ptr, out.n);
}

static struct cel_value range(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    int64_t count = a->i < 0 ? 0 : a->i;

    (void)n;
    if (count > MAX_ITEMS)
        return cel_fail(run, "lists.range makes at most %d items", MAX_ITEMS);
    struct cel_value *items = cel_pay(run, (uint64_t)count) ? run_alloc(run, (size_t)count, sizeof *items) : NULL;
    if (items == NULL)
        return run_stopped(run);
    for (int64_t i = 0; i < count; i++)
        items[i] = cel_int(i);
    return cel_list(items, (size_t)count);
}

static struct cel_value optional_item(struct cel_run *run, const struct cel_value *list, uint32_t i)
{
    struct cel_value v = cel_at(run, list, i);

    return is_bad(v) ? v : run_optional(run, v);
}

static struct cel_value first(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return cel_size(a) == 0 ? optional_none() : optional_item(run, a, 0);
}

static struct cel_value last(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return cel_size(a) == 0 ? optional_none() : optional_item(run, a, cel_size(a) - 1);
}

static const struct cel_function functions[] = {
    { .name = "slice", .method = true, .n_args = 3, .kinds = { K_LIST, K_INT, K_INT }, .call = slice,
      .rule = CEL_GIVES_SAME },
    { .name = "reverse", .method = true, .n_args = 1, .kinds = { K_LIST }, .call = reverse, .rule = CEL_GIVES_SAME },
    METHOD("flatten", 1, K_LIST, flatten, K_LIST),
    METHOD("flatten", 2, K_LIST, flatten, K_LIST, K_INT),
    { .name = "sort", .method = true, .n_args = 1, .kinds = { K_LIST }, .call = sort, .rule = CEL_GIVES_SAME },
    { .name = "distinct", .method = true, .n_args = 1, .kinds = { K_LIST }, .call = distinct, .rule = CEL_GIVES_SAME },
    FN("lists.range", 1, K_LIST, range, K_INT),
    { .name = "first", .method = true, .n_args = 1, .kinds = { K_LIST }, .call = first,
      .rule = CEL_GIVES_OPTIONAL_ITEM },
    { .name = "last", .method = true, .n_args = 1, .kinds = { K_LIST }, .call = last,
      .rule = CEL_GIVES_OPTIONAL_ITEM },
};

const struct cel_library lib_list = { functions, N_ITEMS(functions) };
