/* json.h - a strict, bounded JSON reader (RFC 8259) over an arena.
 *
 * The text is copied once into the arena and decoded in place, so every string
 * is NUL-terminated, contains no NUL, and lives as long as the arena.  Refused
 * always: invalid UTF-8, lone surrogates, control characters in strings,
 * anything after the value, integers beyond int64, reals beyond double, nesting
 * past max_depth, more than max_values values.  Each value knows the byte
 * offset of its first character, for error messages and raw numbers. */
#ifndef KEEP_WIRE_JSON_H
#define KEEP_WIRE_JSON_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum json_type { JSON_NULL = 0, JSON_BOOL, JSON_INT, JSON_REAL, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_member;

struct json {
    uint8_t type;              /* enum json_type */
    uint32_t offset;           /* bytes from the start of the text */
    uint32_t n;                /* bytes of a string, items, members; bytes of a number's text */
    union {
        bool boolean;
        int64_t i;
        double real;
        const char *string;
        const struct json *items;
        const struct json_member *members;    /* in document order */
    };
};

struct json_member {
    const char *key;
    uint32_t key_len;
    uint32_t hash;             /* of objects large enough for an index */
    struct json value;
};

struct json_opts {
    uint32_t max_depth;        /* 0: 64 */
    uint32_t max_values;       /* 0: 2,000,000 */
    bool nul_as_replacement;   /* \u0000 becomes U+FFFD instead of an error (scanner reports) */
    bool skip_bom;             /* a UTF-8 byte order mark in front is stepped over */
    bool duplicate_keys;       /* accepted, the last wins (never for our own messages) */
    bool big_numbers;          /* integers beyond int64 become reals (foreign documents) */
};

/* opts may be NULL: all defaults.  Error messages carry line and column.
 * Fails with ERR_INVALID, ERR_TOO_LARGE (bounds) or ERR_UNAVAILABLE (arena). */
int json_parse(struct arena *arena, const void *text, size_t len, const struct json_opts *opts,
               struct json *out, struct err *err);

/* Member of an object; NULL when v is NULL, not an object, or has no such key.
 * Constant time for large objects. */
const struct json *json_get(const struct json *v, const char *key);

/* json_get along "a.b.c". */
const struct json *json_path(const struct json *v, const char *dotted);

/* The value, or the default when v is NULL or of another type. */
const char *json_str(const struct json *v, const char *otherwise);
int64_t json_int(const struct json *v, int64_t otherwise);
double json_number(const struct json *v, double otherwise);   /* ints, too */
bool json_bool(const struct json *v, bool otherwise);

/* Shorthand for a member. */
const char *json_get_str(const struct json *v, const char *key, const char *otherwise);

static inline bool json_is(const struct json *v, enum json_type type)
{
    return v != NULL && v->type == type;
}

/* Iterate: `for (uint32_t i = 0; i < json_len(v); i++) json_at(v, i)`.
 * json_len is 0 for NULL and for anything but an array. */
static inline uint32_t json_len(const struct json *v)
{
    return json_is(v, JSON_ARRAY) ? v->n : 0;
}
static inline const struct json *json_at(const struct json *v, uint32_t i)
{
    return &v->items[i];
}
static inline uint32_t json_n_members(const struct json *v)
{
    return json_is(v, JSON_OBJECT) ? v->n : 0;
}

/* Line and column (both from 1, columns in bytes) of an offset. */
void json_position(const void *text, size_t len, uint32_t offset, unsigned *line, unsigned *column);

#endif
