/* shape.c - what all uses of shapes share: bounds, complaints, the self check.
 * See shape.h; decoding, encoding, queries and schemas are in shape_*.c. */
#include "wire/shape.h"

#include "base/str.h"
#include "base/time.h"
#include "wire/shape_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { COMPLAINTS_KEPT = 50, NESTING_MAX = 16 };

int64_t field_min(const struct field *f)
{
    bool numeric = f->type == FIELD_INT || f->type == FIELD_NUMBER || f->type == FIELD_INTS;

    return numeric && f->min == 0 && f->max == 0 ? INT64_MIN : f->min;
}

int64_t field_max(const struct field *f)
{
    if (f->max != 0)
        return f->max;
    switch (f->type) {
    case FIELD_TEXT:
        return TEXT_MAX;
    case FIELD_LIST:
    case FIELD_TEXTS:
        return LIST_MAX;
    default:
        return INT64_MAX;
    }
}

size_t words_count(const char *const *words)
{
    size_t n = 0;

    while (n < WORDS_MAX && words[n] != NULL)
        n++;
    return n;
}

void shape_init(const struct shape *shape, void *out)
{
    memset(out, 0, shape->size);
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (f->type == FIELD_TIME)
            *(int64_t *)member_of(out, f->off) = TIME_UNKNOWN;
        else if (f->type == FIELD_INT && (f->flags & FIELD_MINUS_ONE) != 0)
            *(int64_t *)member_of(out, f->off) = -1;
        else if (f->type == FIELD_INLINE)
            shape_init(f->inner, member_of(out, f->off));
    }
}

__attribute__((format(printf, 2, 0)))
static char *print_to_arena(struct arena *arena, const char *fmt, va_list ap)
{
    va_list again;

    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *text = n < 0 ? NULL : arena_bytes(arena, (size_t)n + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

/* Behind all with the same or a smaller offset. */
static void insert_sorted(struct complaints *c, struct complaint *new)
{
    struct complaint **at = &c->first;

    if (c->last != NULL && c->last->offset <= new->offset)
        at = &c->last->next;
    while (*at != NULL && (*at)->offset <= new->offset)
        at = &(*at)->next;
    new->next = *at;
    *at = new;
    if (new->next == NULL)
        c->last = new;
}

int complain_v(struct complaints *c, uint32_t offset, const char *path, const char *fmt, va_list ap)
{
    size_t max = c->max == 0 ? COMPLAINTS_KEPT : c->max;

    if (c->n++ >= max)
        return -1;
    struct complaint *new = arena_alloc(c->arena, sizeof *new);
    char *where = arena_strdup(c->arena, path), *what = print_to_arena(c->arena, fmt, ap);
    if (new == NULL || where == NULL || what == NULL)
        return -1;                      /* counted, so still a failure */
    *new = (struct complaint){ where, what, offset, NULL };
    insert_sorted(c, new);
    return -1;
}

int complain(struct complaints *c, uint32_t offset, const char *path, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    complain_v(c, offset, path, fmt, ap);
    va_end(ap);
    return -1;
}

/* ---- the self check -------------------------------------------------------- */

static const struct { size_t size, align; bool decodes; } types[FIELD_TYPE_N] = {
    [FIELD_BOOL]   = { sizeof(bool), _Alignof(bool), true },
    [FIELD_INT]    = { sizeof(int64_t), _Alignof(int64_t), true },
    [FIELD_NUMBER] = { sizeof(double), _Alignof(double), true },
    [FIELD_TEXT]   = { sizeof(char *), _Alignof(char *), true },
    [FIELD_WORD]   = { sizeof(int), _Alignof(int), true },
    [FIELD_TIME]   = { sizeof(int64_t), _Alignof(int64_t), true },
    [FIELD_DIGEST] = { sizeof(char *), _Alignof(char *), true },
    [FIELD_OBJECT] = { sizeof(void *), _Alignof(void *), true },
    [FIELD_INLINE] = { 1, 1, true },
    [FIELD_LIST]   = { sizeof(void *), _Alignof(void *), true },
    [FIELD_TEXTS]  = { sizeof(void *), _Alignof(void *), true },
    [FIELD_INTS]   = { sizeof(void *), _Alignof(void *), true },
    [FIELD_ANY]    = { sizeof(void *), _Alignof(void *), true },
    [FIELD_RAW]    = { sizeof(char *), _Alignof(char *), false },
};

/* snake_case; camelCase for documents that people write beside Kubernetes' own. */
static bool is_plain_key(const char *key)
{
    if (*key < 'a' || *key > 'z')
        return false;
    for (; *key != '\0'; key++) {
        if (!((*key >= 'a' && *key <= 'z') || (*key >= 'A' && *key <= 'Z') || (*key >= '0' && *key <= '9') || *key == '_'))
            return false;
    }
    return true;
}

static const char *check_words(const struct field *f)
{
    size_t n = words_count(f->words);

    if (n == 0 || n == WORDS_MAX)
        return "a word field without words, or with too many";
    for (size_t i = 0; i < n; i++) {
        if (f->words[i][0] == '\0' && i > 0)
            return "only the first word may be empty";
        for (size_t j = 0; j < i; j++) {
            if (str_eq(f->words[i], f->words[j]))
                return "the same word twice";
        }
    }
    return NULL;
}

static bool fits(const struct shape *s, size_t off, size_t size, size_t align)
{
    return off % align == 0 && off <= s->size && size <= s->size - off;
}

static const char *check_field(const struct shape *s, const struct field *f)
{
    bool counted = f->type == FIELD_LIST || f->type == FIELD_TEXTS || f->type == FIELD_INTS;
    bool inner = f->type == FIELD_LIST || f->type == FIELD_OBJECT || f->type == FIELD_INLINE;

    if (f->key == NULL || f->key[0] == '\0')
        return "a field without a key";
    if (!s->open && !is_plain_key(f->key))
        return "a key that is neither snake_case nor camelCase";
    if (f->type <= FIELD_NONE || f->type >= FIELD_TYPE_N)
        return "a field without a type";
    if (!fits(s, f->off, types[f->type].size, types[f->type].align))
        return "a field outside its struct";
    if (counted && !fits(s, f->off_n, sizeof(size_t), _Alignof(size_t)))
        return "a count outside its struct";
    if (f->type == FIELD_INLINE && f->inner != NULL && (f->inner == s || !fits(s, f->off, f->inner->size, 1)))
        return "an embedded struct outside its struct";
    if (counted && f->off_n == f->off)
        return "a count in the place of its list";
    if (inner != (f->inner != NULL))
        return "an inner shape missing, or where none belongs";
    if ((f->type == FIELD_WORD) != (f->words != NULL))
        return "words missing, or where none belong";
    if (field_min(f) > field_max(f))
        return "a minimum above its maximum";
    if (!types[f->type].decodes && (f->flags & FIELD_OUT_ONLY) == 0)
        return "a raw field must be FIELD_OUT_ONLY";
    return f->words != NULL ? check_words(f) : NULL;
}

static const char *check(const struct shape *s, int depth)
{
    if (s->name == NULL || s->size == 0 || s->n_fields > SHAPE_FIELDS_MAX || (s->n_fields > 0 && s->fields == NULL))
        return "a shape without a name or a size, or with too many fields";
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct field *f = &s->fields[i];
        const char *wrong = check_field(s, f);
        if (wrong != NULL)
            return wrong;
        for (size_t j = 0; j < i; j++) {
            if (str_eq(s->fields[j].key, f->key))
                return "the same key twice";
        }
        if (f->inner != NULL && f->inner != s && depth < NESTING_MAX && (wrong = check(f->inner, depth + 1)) != NULL)
            return wrong;
    }
    return NULL;
}

const char *shape_check(const struct shape *shape)
{
    return check(shape, 0);
}
