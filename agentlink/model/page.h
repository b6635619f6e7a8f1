/* page.h - what every list has in common: ?limit= and ?cursor= in, items and
 * "next" out. */
#ifndef KEEP_MODEL_PAGE_H
#define KEEP_MODEL_PAGE_H

#include <stddef.h>
#include <stdint.h>

enum { PAGE_DEFAULT = 50, PAGE_MAX = 500 };

struct page_query {
    int64_t limit;               /* 0: PAGE_DEFAULT */
    const char *cursor;          /* NULL: from the start */
};

/* A page of any noun: the shape says of which. */
struct page {
    const void *items;
    size_t n_items;
    const char *next;            /* NULL: that was all */
};

#endif
