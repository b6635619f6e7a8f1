/* page.c - see page.h. */
#include "wire/msg/page.h"

static const struct field fields[] = { PAGE_QUERY_FIELDS(0) };

const struct shape page_query_shape = { "page_query", sizeof(struct page_query), fields, N_ITEMS(fields), false };
