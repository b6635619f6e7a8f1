/* out_table.c - tables for people: the one door to libsmartcols. */
#include "ctl/out.h"

#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>

static bool is_text(const struct column *c)
{
    return c->kind == COLUMN_TEXT || c->kind == COLUMN_TEXTS;
}

/* Where room is short the last text gives way (a title, a reason), never what the
 * row is about. */
static int add_columns(struct libscols_table *t, const struct listing *l)
{
    size_t last = 0;

    for (size_t i = 0; i < l->n_columns; i++)
        last = is_text(&l->columns[i]) ? i : last;
    for (size_t i = 0; i < l->n_columns; i++) {
        bool right = l->columns[i].kind == COLUMN_NUMBER || l->columns[i].kind == COLUMN_SCORE || l->columns[i].kind == COLUMN_PERCENT;
        int flags = (i == last && i > 0 ? SCOLS_FL_TRUNC : 0) | (right ? SCOLS_FL_RIGHT : 0);
        if (scols_table_new_column(t, l->columns[i].title, 0, flags) == NULL)
            return -1;
    }
    return 0;
}

static int add_line(struct libscols_table *t, const struct listing *l, const struct json *item, const struct look *look,
                    struct arena *arena)
{
    struct libscols_line *line = scols_table_new_line(t, NULL);

    for (size_t i = 0; line != NULL && i < l->n_columns; i++) {
        const char *text = column_text(&l->columns[i], item, look, arena);
        enum colour colour = look->colour && l->columns[i].kind == COLUMN_WORD ? colour_of(text) : COLOUR_NONE;
        if (scols_line_set_data(line, i, text) != 0)
            return -1;
        if (colour != COLOUR_NONE)
            scols_cell_set_color(scols_line_get_cell(line, i), colour_name(colour));
    }
    return line != NULL ? 0 : -1;
}

static int fill(struct libscols_table *t, const struct listing *l, const struct look *look, struct arena *arena)
{
    scols_table_enable_colors(t, look->colour);
    scols_table_set_termforce(t, look->width > 0 ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
    if (look->width > 0)
        scols_table_set_termwidth(t, look->width);
    if (add_columns(t, l) != 0)
        return -1;
    for (uint32_t i = 0; i < json_len(l->items); i++) {
        if (add_line(t, l, json_at(l->items, i), look, arena) != 0)
            return -1;
    }
    return 0;
}

/* On a terminal room is dear: columns without any text are left out. */
static int drop_empty(struct listing *l, const struct look *look, struct arena *arena)
{
    struct column *kept = arena_array(arena, l->n_columns, sizeof *kept);
    size_t n = 0;

    if (kept == NULL)
        return -1;
    for (size_t i = 0; i < l->n_columns; i++) {
        bool any = i == 0 || !look->terminal;
        for (uint32_t k = 0; k < json_len(l->items) && !any; k++)
            any = column_text(&l->columns[i], json_at(l->items, k), look, arena)[0] != '\0';
        if (any)
            kept[n++] = l->columns[i];
    }
    l->columns = kept;
    l->n_columns = n;
    return 0;
}

static int put_table(const struct listing *l, const struct look *look, struct arena *arena, struct buf *b, struct err *err)
{
    struct libscols_table *t = scols_new_table();
    struct listing shown = *l;
    char *text = NULL;

    int rc = t != NULL && drop_empty(&shown, look, arena) == 0 && fill(t, &shown, look, arena) == 0 && scols_print_table_to_string(t, &text) == 0 ? 0 : err_nomem(err);
    if (rc == 0) {
        buf_puts(b, text);
        buf_putc(b, '\n');
    }
    free(text);
    scols_unref_table(t);
    return rc;
}

/* One object: a line for each of its columns. */
static int put_lines(const struct listing *l, const struct look *look, struct arena *arena, struct buf *b)
{
    size_t widest = 0;

    for (size_t i = 0; i < l->n_columns; i++)
        widest = strlen(l->columns[i].title) > widest ? strlen(l->columns[i].title) : widest;
    struct look whole = *look;
    for (size_t i = 0; i < l->n_columns; i++) {
        struct column column = l->columns[i];
        if (column.kind == COLUMN_DIGEST)
            column.kind = COLUMN_TEXT;             /* here is room for all of it */
        const char *text = column_text(&column, l->items, &whole, arena);
        if (text[0] == '\0')
            continue;
        buf_printf(b, "%-*s  ", (int)widest, l->columns[i].title);
        put_colour(b, look, column.kind == COLUMN_WORD ? colour_of(text) : COLOUR_NONE, text);
        buf_putc(b, '\n');
    }
    return 0;
}

OUT_LIST(out_table_list)
{
    if (!json_is(l->items, JSON_ARRAY))
        return put_lines(l, look, arena, b);
    if (json_len(l->items) == 0)
        return 0;
    return put_table(l, look, arena, b, err);
}
