/* json_util.h - comparing and printing whole values. */
#ifndef KEEP_WIRE_JSON_UTIL_H
#define KEEP_WIRE_JSON_UTIL_H

#include "base/buf.h"
#include "wire/json.h"

/* The same value: same types all the way down (1 is not 1.0), objects in any
 * order of members.  Where a key stands twice, the last one is its value. */
bool json_same(const struct json *a, const struct json *b);

/* Appends v in compact form; check b->failed at the end. */
void json_print(const struct json *v, struct buf *b);

#endif
