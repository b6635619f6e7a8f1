/* fields.h - short forms for shape tables of the messages in this folder. */
#ifndef KEEP_WIRE_MSG_FIELDS_H
#define KEEP_WIRE_MSG_FIELDS_H

#include "wire/shape.h"

#define N_OF(a) (sizeof(a) / sizeof *(a))
#define SHAPE(variable, label, T, table) \
    const struct shape variable = { .name = label, .size = sizeof(T), .fields = table, .n_fields = N_OF(table) }

/* limit and cursor of a query struct with a member `page`. */
#define PAGE_OF(T) \
    { .key = "limit", .type = FIELD_INT, .off = offsetof(T, page.limit), .min = 1, .max = 500, .doc = "How many at most (50)." }, \
    { .key = "cursor", .type = FIELD_TEXT, .off = offsetof(T, page.cursor), .max = 2048, .doc = "`next` of the page before." }

#define NEXT_FIELD(T) \
    { .key = "next", .type = FIELD_TEXT, .flags = FIELD_OUT_ONLY, .off = offsetof(T, next), .doc = "Cursor of the next page; absent at the end." }

#define TEXT_F(k, T, member, text)  { .key = k, .type = FIELD_TEXT, .off = offsetof(T, member), .doc = text }
#define TEXT_R(k, T, member, text)  { .key = k, .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(T, member), .doc = text }
#define INT_F(k, T, member, text)   { .key = k, .type = FIELD_INT, .off = offsetof(T, member), .doc = text }
#define NUM_F(k, T, member, text)   { .key = k, .type = FIELD_NUMBER, .off = offsetof(T, member), .doc = text }
#define BOOL_F(k, T, member, text)  { .key = k, .type = FIELD_BOOL, .off = offsetof(T, member), .doc = text }
#define TIME_F(k, T, member, text)  { .key = k, .type = FIELD_TIME, .off = offsetof(T, member), .doc = text }
#define DIGEST_F(k, T, member, text) { .key = k, .type = FIELD_DIGEST, .off = offsetof(T, member), .doc = text }
#define WORD_F(k, T, member, list, text) { .key = k, .type = FIELD_WORD, .off = offsetof(T, member), .words = list, .doc = text }
#define INLINE_F(k, T, member, shape, text) { .key = k, .type = FIELD_INLINE, .off = offsetof(T, member), .inner = &shape, .doc = text }
#define OBJECT_F(k, T, member, shape, text) { .key = k, .type = FIELD_OBJECT, .off = offsetof(T, member), .inner = &shape, .doc = text }
#define LIST_F(k, T, member, n, shape, text) \
    { .key = k, .type = FIELD_LIST, .off = offsetof(T, member), .off_n = offsetof(T, n), .max = 100000, .inner = &shape, .doc = text }
#define TEXTS_F(k, T, member, n, text) \
    { .key = k, .type = FIELD_TEXTS, .off = offsetof(T, member), .off_n = offsetof(T, n), .doc = text }

#endif
