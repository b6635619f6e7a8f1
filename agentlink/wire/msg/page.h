/* page.h - what every list has in common: ?limit= and ?cursor=, and the answer's
 * {"items":[...],"next":"..."}. */
#ifndef KEEP_WIRE_MSG_PAGE_H
#define KEEP_WIRE_MSG_PAGE_H

#include "base/str.h"
#include "model/page.h"
#include "wire/shape.h"

extern const struct shape page_query_shape;

/* The two rows of a query shape whose struct holds a struct page_query. */
#define PAGE_QUERY_FIELDS(off_page) \
    { "limit", FIELD_INT, 0, (off_page) + offsetof(struct page_query, limit), 0, 1, PAGE_MAX, NULL, NULL, \
      "How many items at most; 50 when absent." }, \
    { "cursor", FIELD_TEXT, 0, (off_page) + offsetof(struct page_query, cursor), 0, 1, 512, NULL, NULL, \
      "`next` of the page before." }

/* The two rows of a list shape over struct page. */
#define PAGE_FIELDS(item_shape) \
    { "items", FIELD_LIST, FIELD_REQUIRED, offsetof(struct page, items), offsetof(struct page, n_items), 0, PAGE_MAX, \
      &(item_shape), NULL, "The items." }, \
    { "next", FIELD_TEXT, 0, offsetof(struct page, next), 0, 0, 1024, NULL, NULL, \
      "Cursor of the next page; absent at the end." }

#endif
