/* jsonw.h - write JSON straight into a buffer.
 *
 * Tracks commas; nesting at most 32, past it the buffer fails (a value written
 * by jsonw_value may be as deep as the parser allows); strings are escaped per
 * RFC 8259 and must be UTF-8 (anything else is written as U+FFFD).  Errors: the
 * buffer's. */
#ifndef KEEP_WIRE_JSONW_H
#define KEEP_WIRE_JSONW_H

#include "base/buf.h"
#include "wire/json.h"

#include <stdbool.h>
#include <stdint.h>

struct jsonw {
    struct buf *buf;
    uint32_t depth;
    bool comma[33];            /* a comma is due at this depth */
};

void jsonw_init(struct jsonw *w, struct buf *buf);
void jsonw_object(struct jsonw *w);           /* { */
void jsonw_object_end(struct jsonw *w);
void jsonw_array(struct jsonw *w);            /* [ */
void jsonw_array_end(struct jsonw *w);
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_str(struct jsonw *w, const char *s);          /* NULL writes null */
void jsonw_strn(struct jsonw *w, const char *s, size_t n);
void jsonw_int(struct jsonw *w, int64_t v);
void jsonw_num(struct jsonw *w, double v);               /* shortest that reads back; not finite: null */
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
void jsonw_raw(struct jsonw *w, const char *text, size_t n);   /* one value, already JSON */
void jsonw_value(struct jsonw *w, const struct json *v);       /* a parsed value */

/* key + value in one call */
void jsonw_kstr(struct jsonw *w, const char *key, const char *s);
void jsonw_kint(struct jsonw *w, const char *key, int64_t v);
void jsonw_kbool(struct jsonw *w, const char *key, bool v);
void jsonw_ktime(struct jsonw *w, const char *key, int64_t at_ms);  /* TIME_UNKNOWN: null */

#endif
