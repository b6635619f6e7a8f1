/* build.c - items -> profile, see item.h.  Items are gathered, sorted, and read off:
 * what belongs together then stands together. */
#include "core/profile/item.h"

#include "base/str.h"
#include "wire/msg/profile.h"
#include "wire/profile_doc.h"

#include <stdlib.h>
#include <string.h>

enum { BUILD_MAX = 64 * 1024 };

struct built {
    int part;
    const char *key;                     /* path, peer's name, folder, number as text */
    const char *parent;
    int kind, protocol;                  /* of peers and ports */
    int64_t number;                      /* port or user; 0 of a peer: any */
};

struct item_builder {
    struct arena *arena;
    struct built *items;
    size_t n, cap;
};

struct item_builder *item_builder_new(struct arena *arena)
{
    struct item_builder *b = arena_alloc(arena, sizeof *b);

    if (b != NULL)
        b->arena = arena;
    return b;
}

static int grow(struct item_builder *b, struct err *err)
{
    size_t cap = b->cap == 0 ? 64 : 2 * b->cap;

    if (b->n < b->cap)
        return 0;
    if (b->n >= BUILD_MAX)
        return err_set(err, ERR_TOO_LARGE, "a profile of more than %d items", BUILD_MAX);
    struct built *items = arena_array(b->arena, cap, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    if (b->n > 0)
        memcpy(items, b->items, b->n * sizeof *items);
    b->items = items;
    b->cap = cap;
    return 0;
}

int item_builder_add(struct item_builder *b, int part, const char *text, const char *parent, struct err *err)
{
    struct item_parts parts;

    if (grow(b, err) != 0)
        return -1;
    if (!item_parse(part, text, parent, &parts))
        return err_set(err, ERR_INVALID, "\"%.100s\" is not an item of that part of a profile", text);
    struct built item = { .part = part, .kind = parts.kind, .protocol = parts.protocol, .number = parts.number,
                          .key = arena_strdup(b->arena, parts.key), .parent = arena_strdup(b->arena, parts.parent) };
    if (item.key == NULL || item.parent == NULL)
        return err_nomem(err);
    b->items[b->n++] = item;
    return 0;
}

/* ---- sorted, and read off ------------------------------------------------------------------ */

static int compare(const struct built *x, const struct built *y)
{
    int order = x->part != y->part ? x->part - y->part : x->kind != y->kind ? x->kind - y->kind : strcmp(x->key, y->key);

    if (order == 0)
        order = x->protocol != y->protocol ? x->protocol - y->protocol : strcmp(x->parent, y->parent);
    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static int by_all(const void *a, const void *b)
{
    return compare(a, b);
}

static bool same_group(const struct built *x, const struct built *y)
{
    if (x->part != y->part || x->kind != y->kind || !str_eq(x->key, y->key))
        return false;
    return x->part == PART_EXECUTABLE || x->protocol == y->protocol;
}

static size_t group_end(const struct item_builder *b, size_t from)
{
    size_t to = from + 1;

    while (to < b->n && same_group(&b->items[from], &b->items[to]))
        to++;
    return to;
}

static size_t part_end(const struct item_builder *b, size_t from, int part)
{
    while (from < b->n && b->items[from].part == part)
        from++;
    return from;
}

/* An executable that was once started by nobody known may be started by anybody. */
static bool read_parents(struct item_builder *b, size_t from, size_t to, struct profile_executable *out)
{
    const char **parents = arena_array(b->arena, to - from, sizeof *parents);

    if (parents == NULL)
        return false;
    out->path = b->items[from].key;
    out->parents = parents;
    for (size_t i = from; i < to && b->items[from].parent[0] != '\0'; i++)
        parents[out->n_parents++] = b->items[i].parent;
    return true;
}

static bool read_executables(struct item_builder *b, size_t from, size_t to, struct profile *p)
{
    struct profile_executable *list = arena_array(b->arena, to - from, sizeof *list);

    if (list == NULL)
        return false;
    p->executables = list;
    for (size_t end; from < to; from = end) {
        end = group_end(b, from);
        if (!read_parents(b, from, end, &list[p->n_executables++]))
            return false;
    }
    return true;
}

static bool read_ports(struct item_builder *b, size_t from, size_t to, struct profile_peer *out)
{
    const struct built *first = &b->items[from];
    int64_t *ports = arena_array(b->arena, to - from, sizeof *ports);

    if (ports == NULL)
        return false;
    out->kind = first->kind;
    out->protocol = first->protocol;
    *(first->kind == PEER_SERVICE ? &out->service : first->kind == PEER_CIDR ? &out->cidr : &out->dns) = first->key;
    out->ports = ports;
    for (size_t i = from; i < to && first->number != 0; i++)
        ports[out->n_ports++] = b->items[i].number;
    return true;
}

static bool read_peers(struct item_builder *b, size_t from, size_t to, const struct profile_peer **out, size_t *n)
{
    struct profile_peer *list = arena_array(b->arena, to - from, sizeof *list);

    if (list == NULL)
        return false;
    *out = list;
    *n = 0;
    for (size_t end; from < to; from = end) {
        end = group_end(b, from);
        if (!read_ports(b, from, end, &list[(*n)++]))
            return false;
    }
    return true;
}

static bool read_listens(struct item_builder *b, size_t from, size_t to, struct profile *p)
{
    struct profile_port *list = arena_array(b->arena, to - from, sizeof *list);

    p->listens = list;
    for (; list != NULL && from < to; from++)
        list[p->n_listens++] = (struct profile_port){ b->items[from].protocol, b->items[from].number };
    return list != NULL;
}

static bool read_texts(struct item_builder *b, size_t from, size_t to, const char *const **out, size_t *n)
{
    const char **list = arena_array(b->arena, to - from, sizeof *list);

    *out = list;
    *n = 0;
    for (; list != NULL && from < to; from++)
        list[(*n)++] = b->items[from].key;
    return list != NULL;
}

static bool read_users(struct item_builder *b, size_t from, size_t to, struct profile *p)
{
    int64_t *list = arena_array(b->arena, to - from, sizeof *list);

    p->users = list;
    for (; list != NULL && from < to; from++)
        list[p->n_users++] = b->items[from].number;
    return list != NULL;
}

static bool read_part(struct item_builder *b, int part, size_t from, size_t to, struct profile *p)
{
    switch (part) {
    case PART_EXECUTABLE: return read_executables(b, from, to, p);
    case PART_LISTEN:     return read_listens(b, from, to, p);
    case PART_EGRESS:     return read_peers(b, from, to, &p->egress, &p->n_egress);
    case PART_INGRESS:    return read_peers(b, from, to, &p->ingress, &p->n_ingress);
    case PART_WRITE:      return read_texts(b, from, to, &p->writes, &p->n_writes);
    case PART_USER:       return read_users(b, from, to, p);
    case PART_CAPABILITY: return read_texts(b, from, to, &p->capabilities, &p->n_capabilities);
    default:              return true;
    }
}

static void remove_twins(struct item_builder *b)
{
    size_t kept = 0;

    for (size_t i = 0; i < b->n; i++) {
        if (kept == 0 || compare(&b->items[kept - 1], &b->items[i]) != 0)
            b->items[kept++] = b->items[i];
    }
    b->n = kept;
}

static void set_covers(struct profile *p, unsigned covers)
{
    bool *const has[PROFILE_PART_N] = {
        [PART_EXECUTABLE] = &p->has_executables, [PART_LISTEN] = &p->has_listens, [PART_EGRESS] = &p->has_egress,
        [PART_INGRESS] = &p->has_ingress, [PART_WRITE] = &p->has_writes, [PART_USER] = &p->has_users, [PART_CAPABILITY] = &p->has_capabilities,
    };

    for (unsigned part = 0; part < PROFILE_PART_N; part++)
        *has[part] = (covers >> part & 1) != 0;
}

int item_builder_done(struct item_builder *b, unsigned covers, struct profile *p, struct err *err)
{
    struct profile built = *p;
    size_t from = 0;

    built.n_executables = built.n_listens = built.n_egress = built.n_ingress = built.n_writes = built.n_users = built.n_capabilities = 0;
    if (b->n > 1)
        qsort(b->items, b->n, sizeof *b->items, by_all);
    remove_twins(b);
    for (int part = 0; part < PROFILE_PART_N; part++) {
        size_t to = part_end(b, from, part);
        if (to - from > PROFILE_ITEMS_MAX)
            return err_set(err, ERR_TOO_LARGE, "a profile names at most %d of each part; here are %zu of part %s", PROFILE_ITEMS_MAX,
                           to - from, profile_part_words[part]);
        if (!read_part(b, part, from, to, &built))
            return err_nomem(err);
        from = to;
    }
    set_covers(&built, covers);
    *p = built;
    return 0;
}
