/* list.c - see list.h. */
#include "store/list.h"

#include <string.h>

void *list_add(struct list *list)
{
    if (list->failed)
        return NULL;
    if (list->n == list->cap) {
        size_t cap = list->cap == 0 ? 16 : list->cap * 2;
        char *more = arena_array(list->arena, cap, list->size);
        if (more == NULL) {
            list->failed = true;
            return NULL;
        }
        if (list->n > 0)
            memcpy(more, list->items, list->n * list->size);
        list->items = more;
        list->cap = cap;
    }
    return list->items + list->n++ * list->size;
}

int list_done(struct list *list, int rc, void **items, size_t *n, struct err *err)
{
    if (list->failed)
        return err_nomem(err);
    if (rc < 0)
        return -1;
    *items = list->items;
    *n = list->n;
    return 0;
}
