/* list.h - rows gathered into an array of the arena. */
#ifndef KEEP_STORE_LIST_H
#define KEEP_STORE_LIST_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct arena *arena;
    size_t size;            /* of an item */
    char *items;
    size_t n, cap;
    bool failed;            /* the arena is full */
};

#define LIST_OF(type, where) { .arena = (where), .size = sizeof(type) }

/* A zeroed new item, or NULL when the arena is full. */
void *list_add(struct list *list);

/* Hands the items over: rc is what the last db_rows_next returned. */
int list_done(struct list *list, int rc, void **items, size_t *n, struct err *err);

#endif
