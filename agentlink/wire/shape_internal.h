/* shape_internal.h - what the shape_*.c files share and nobody else includes. */
#ifndef KEEP_WIRE_SHAPE_INTERNAL_H
#define KEEP_WIRE_SHAPE_INTERNAL_H

#include "wire/shape.h"

#include <stdarg.h>

enum { TEXT_MAX = 1024, LIST_MAX = 1000, WORDS_MAX = 256, SHAPE_FIELDS_MAX = 256, SHOWN = 64 };

/* Where we are in a document: a chain on the stack, made text only for a complaint. */
struct step {
    const struct step *up;         /* NULL: the root */
    const char *key;               /* NULL: an item */
    size_t index;
};

struct decoder {
    struct arena *arena;
    struct complaints *complaints;
    bool no_memory;                /* the message is not to blame */
};

static inline const void *member_in(const void *base, size_t off)
{
    return (const char *)base + off;
}

static inline void *member_of(void *base, size_t off)
{
    return (char *)base + off;
}

/* The bounds of a field, with the type's defaults. */
int64_t field_min(const struct field *f);
int64_t field_max(const struct field *f);

size_t words_count(const char *const *words);

/* A copy of at most SHOWN bytes of s that is safe to print: control characters
 * become '?', a longer text ends in "...". */
void show_text(const char *s, char out[SHOWN + 4]);

/* Field of that key that may be decoded, or NULL; looks at *hint first and
 * leaves the index behind the found one there (documents keep an order). */
const struct field *field_find(const struct shape *shape, const char *key, size_t *hint);

int complain_v(struct complaints *c, uint32_t offset, const char *path, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

/* "unknown key", with what may have been meant. */
int complain_unknown(struct decoder *d, const struct shape *shape, const struct step *at, uint32_t offset);
int complain_at(struct decoder *d, const struct step *at, uint32_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Decodes one value into the member of *out, or complains. */
int field_decode(struct decoder *d, const struct field *f, const struct json *v, const struct step *at, void *out);

/* Complains about each required field that is not in `seen` (a bit per field). */
int check_required(struct decoder *d, const struct shape *shape, const uint64_t *seen, const struct step *at,
                   uint32_t offset);

/* Ends a decoding: 0, or -1 with the first complaint in err. */
int decode_result(const struct decoder *d, size_t n_before, struct err *err);

#endif
