/* diff.c - see diff.h.
 *
 * A row is something seen, or something allowed that nothing seen falls under.  "Allowed"
 * is asked of the items of a profile, not compared as text: 10.1.2.3 is within 10.0.0.0/8. */
#include "core/profile/diff.h"

#include <stdlib.h>
#include <string.h>

const char *const diff_cell_words[] = { "not covered", "no", "yes", NULL };

/* A profile's items, taken apart. */
struct side {
    const struct profile *profile;       /* NULL: there is none */
    struct profile_item *items;
    struct item_parts *parts;
    bool *used;
    size_t n;
};

static int side_make(const struct profile *p, struct arena *arena, struct side *out, struct err *err)
{
    *out = (struct side){ .profile = p };
    if (p == NULL)
        return 0;
    if (items_of_profile(p, arena, &out->items, &out->n, err) != 0)
        return -1;
    out->parts = arena_array(arena, out->n + 1, sizeof *out->parts);
    out->used = arena_array(arena, out->n + 1, sizeof *out->used);
    if (out->parts == NULL || out->used == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < out->n; i++) {
        if (!item_parse(out->items[i].part, out->items[i].text, out->items[i].parent, &out->parts[i]))
            out->parts[i].part = -1;       /* longer than items may be: covers nothing */
    }
    return 0;
}

/* Marks what covers it as used: all of them, they are all needed to say so. */
static int ask(struct side *s, const struct item_parts *seen)
{
    int cell = DIFF_NO;

    if (s->profile == NULL || !profile_covers(s->profile, (enum profile_part)seen->part))
        return DIFF_NOT_COVERED;
    for (size_t i = 0; i < s->n; i++) {
        if (item_covers(&s->parts[i], seen)) {
            s->used[i] = true;
            cell = DIFF_YES;
        }
    }
    return cell;
}

static const char *note_of(const struct diff_row *r)
{
    if (r->observed == DIFF_NO)
        return r->enforced == DIFF_YES ? "allowed, never seen" : "declared, never seen";
    if (r->enforced == DIFF_NO)
        return r->declared == DIFF_YES ? "seen and declared, not approved" : "seen, not allowed";
    if (r->declared == DIFF_NO)
        return "seen, not declared";
    return r->enforced == DIFF_NOT_COVERED ? "not judged" : NULL;
}

struct rows {
    struct diff_row *list;
    size_t n;
};

static void add_seen(struct rows *rows, const struct learned_item *seen, struct side *declared, struct side *enforced)
{
    const struct observation *o = seen->seen;
    struct item_parts parts;

    if (!item_parse(o->part, o->item, o->parent, &parts))
        return;
    struct diff_row *r = &rows->list[rows->n++];
    *r = (struct diff_row){ .part = o->part, .item = o->item, .parent = o->parent, .observed = DIFF_YES, .seen = seen };
    r->declared = ask(declared, &parts);
    r->enforced = ask(enforced, &parts);
    r->note = note_of(r);
}

/* Is the very same item in the other profile? */
static int same_in(struct side *s, const struct profile_item *item)
{
    if (s->profile == NULL || !profile_covers(s->profile, (enum profile_part)item->part))
        return DIFF_NOT_COVERED;
    for (size_t i = 0; i < s->n; i++) {
        const struct profile_item *x = &s->items[i];
        if (x->part == item->part && str_eq(x->text, item->text) && str_eq(x->parent, item->parent)) {
            s->used[i] = true;             /* one row for both */
            return DIFF_YES;
        }
    }
    return DIFF_NO;
}

static void add_unseen(struct rows *rows, struct side *of, struct side *other, bool of_declared)
{
    for (size_t i = 0; i < of->n; i++) {
        const struct profile_item *item = &of->items[i];
        if (of->used[i] || !profile_covers(of->profile, (enum profile_part)item->part))
            continue;
        int there = same_in(other, item);
        struct diff_row *r = &rows->list[rows->n++];
        *r = (struct diff_row){ .part = item->part, .item = item->text, .parent = item->parent, .observed = DIFF_NO,
                                .declared = of_declared ? DIFF_YES : there, .enforced = of_declared ? there : DIFF_YES };
        r->note = note_of(r);
    }
}

static int by_place(const void *a, const void *b)
{
    const struct diff_row *x = a, *y = b;
    int order = x->part != y->part ? x->part - y->part : strcmp(x->item, y->item);

    return order != 0 ? order : strcmp(x->parent, y->parent);
}

int diff_make(const struct profile *declared, const struct profile *enforced, const struct learned_item *seen, size_t n_seen,
              struct arena *arena, struct diff_row **out, size_t *n, struct err *err)
{
    struct side d, e;

    if (side_make(declared, arena, &d, err) != 0 || side_make(enforced, arena, &e, err) != 0)
        return -1;
    struct rows rows = { arena_array(arena, n_seen + d.n + e.n + 1, sizeof *rows.list), 0 };
    if (rows.list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n_seen; i++)
        add_seen(&rows, &seen[i], &d, &e);
    add_unseen(&rows, &d, &e, true);
    add_unseen(&rows, &e, &d, false);
    if (rows.n > 1)
        qsort(rows.list, rows.n, sizeof *rows.list, by_place);
    *out = rows.list;
    *n = rows.n;
    return 0;
}
