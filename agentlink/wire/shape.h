/* shape.h - JSON <-> struct by table.
 *
 * One const table per message decodes, encodes, bounds and documents it.  What
 * was not declared does not exist: a closed shape refuses unknown keys (with a
 * "did you mean"); an open one (foreign documents) skips them.  Decoding
 * reports every error with its JSON path, not only the first.  After
 * shape_decode the struct is valid: bounded, typed, UTF-8.
 *
 * Optional fields that are absent leave the struct's member as it was (callers
 * start from a zeroed or defaulted struct); `null` counts as absent.  Encoding
 * leaves out optional members that are empty: NULL text, TIME_UNKNOWN, NULL
 * object, and lists only when FIELD_OMIT_EMPTY is set. */
#ifndef KEEP_WIRE_SHAPE_H
#define KEEP_WIRE_SHAPE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/json.h"
#include "wire/jsonw.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
    FIELD_NONE = 0,
    FIELD_BOOL,        /* bool */
    FIELD_INT,         /* int64_t, min..max */
    FIELD_NUMBER,      /* double */
    FIELD_TEXT,        /* const char *, min..max bytes */
    FIELD_WORD,        /* int, one of words[]: the index is the value */
    FIELD_TIME,        /* int64_t ms, RFC 3339 on the wire */
    FIELD_DIGEST,      /* const char *, "sha256:" + 64 hex */
    FIELD_OBJECT,      /* const struct inner *, NULL when absent */
    FIELD_INLINE,      /* struct inner, embedded by value: always there */
    FIELD_LIST,        /* const struct inner *, count at off_n; min..max items */
    FIELD_TEXTS,       /* const char *const *, count at off_n; min..max items, each 1..1024 bytes */
    FIELD_INTS,        /* const int64_t *, count at off_n; at most 1,000 items, each min..max */
    FIELD_ANY,         /* const struct json *: any value, bounded by the parse; encodes what is there */
    FIELD_RAW,         /* const char *: JSON text written as it is (encode only) */
    FIELD_TYPE_N
};

enum {
    FIELD_REQUIRED   = 1,    /* zero: optional */
    FIELD_OMIT_EMPTY = 2,    /* encode: leave out an empty list, 0, false, an inline object of nothing but empty members */
    FIELD_OUT_ONLY   = 4,    /* never decoded: an unknown key when it comes in */
    FIELD_MINUS_ONE  = 8,    /* of an integer: -1 is "not known"; shape_init sets it, encoding leaves it out */
};

struct shape;

struct field {
    const char *key;                 /* snake_case */
    enum field_type type;
    unsigned flags;
    size_t off, off_n;               /* offsetof */
    int64_t min, max;                /* max 0: the type's default bound (text 1,024 bytes, lists 1,000 items,
                                        numbers unbounded above, and below too when min is also 0) */
    const struct shape *inner;
    const char *const *words;        /* NULL-terminated; [0] may be "" for the unset value, never decoded */
    const char *doc;                 /* one sentence: OpenAPI, man pages */
};

struct shape {
    const char *name;                /* "exception_new": OpenAPI component */
    size_t size;                     /* sizeof the struct */
    const struct field *fields;
    size_t n_fields;
    bool open;
};

/* Everything wrong with a document, in document order. */
struct complaint {
    const char *path;                /* "$.events[1].kind" */
    const char *message;
    uint32_t offset;
    struct complaint *next;
};
struct complaints {
    struct arena *arena;
    struct complaint *first, *last;
    size_t n, max;                   /* at most max are kept (0: 50), n counts all */
};
/* Adds one (formatted), kept sorted by offset; used by hand-written checks, too.
 * Both texts are copied into the arena.  Always returns -1. */
int complain(struct complaints *c, uint32_t offset, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Makes *out the empty message: zeroed, but times TIME_UNKNOWN and FIELD_MINUS_ONE -1.  Where a caller
 * has no defaults of its own, decoding starts from this; inner objects do. */
void shape_init(const struct shape *shape, void *out);

/* Decodes into *out (shape->size bytes), which is untouched on failure; then err
 * holds the first complaint ("$.path: message") and, when `all` is not NULL, all
 * of them.  Text and FIELD_ANY point into `doc` and live as long as it; the rest
 * is the arena's.  An inner object that is already there (a default) is copied
 * and then decoded into.  ERR_INVALID, or ERR_UNAVAILABLE (arena). */
int shape_decode(const struct shape *shape, const struct json *doc, struct arena *arena, void *out,
                 struct complaints *all, struct err *err);

/* A query string ("a=1&b=x%20y", without '?'; NULL: none) through a flat shape:
 * bool, int, text, word, time, digest only; percent-decoding strict, '+' is a
 * space (as forms write it), each key once, at most 64 of them.  Text is the
 * arena's.  Errors as shape_decode, with paths like "query.limit". */
int shape_decode_query(const struct shape *shape, const char *query, struct arena *arena, void *out, struct err *err);

/* Appends the struct as JSON; check b->failed at the end. */
void shape_encode(const struct shape *shape, const void *in, struct buf *b);
void shape_write(const struct shape *shape, const void *in, struct jsonw *w);   /* as one value of a larger text */

/* Does encoding write the field of *in, or leave it out? */
bool shape_writes(const struct field *f, const void *in);

/* A JSON Schema (2020-12) of the shape, inner shapes as #/components/schemas/NAME. */
void shape_schema(const struct shape *shape, struct buf *b);

/* Start-up self check: keys unique and snake_case (or camelCase), offsets within size, inner and
 * words present where needed.  Returns NULL or what is wrong (static text). */
const char *shape_check(const struct shape *shape);

#endif
