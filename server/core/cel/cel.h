/* cel.h - the Common Expression Language: compile once, evaluate many times.
 *
 * Language: cel-spec `langdef` without protocol buffer messages, with optional
 * values, two-variable comprehensions, cel.bind, cel.block and the extension
 * libraries strings, math, lists, sets, encoders, regex, network, and those of
 * Kubernetes (url, quantity, semver, format, list and regex helpers).
 *
 * Pure: no clock, no network, no global state.  The only file ever read is a
 * time zone of the system's database, for getHours('Europe/Berlin') and its
 * like, by a strictly checked name (zone.c).  All memory comes from the arena
 * the caller gives; every evaluation ends, because each step is paid from a
 * budget.  A program is immutable and may be evaluated by many threads.
 *
 * Errors of an expression are values (CEL_ERROR), as the language has them: an
 * error may be absorbed by && and ||.  A fact that is missing is CEL_UNKNOWN: it
 * spreads like an error and wins over errors, but `true || unknown` is true and
 * `false && unknown` is false; the value names everything that was missing.
 *
 * Strings are valid UTF-8, may contain NUL, and are not NUL-terminated. */
#ifndef KEEP_CORE_CEL_H
#define KEEP_CORE_CEL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The order matters: everything before CEL_NULL is not a value of the language. */
enum cel_kind {
    CEL_ABSENT = 0,            /* nothing: an unbound variable, a field that is not there */
    CEL_ERROR, CEL_UNKNOWN,
    CEL_NULL, CEL_BOOL, CEL_INT, CEL_UINT, CEL_DOUBLE, CEL_STRING, CEL_BYTES,
    CEL_TIMESTAMP, CEL_DURATION, CEL_TYPE, CEL_LIST, CEL_MAP, CEL_OPTIONAL,
    CEL_IP, CEL_CIDR, CEL_URL, CEL_QUANTITY, CEL_SEMVER, CEL_FORMAT,
    CEL_KINDS
};

/* Sets of kinds. */
#define CEL_K(kind) (1u << (kind))
#define CEL_ANY     (~0u << CEL_NULL)
#define CEL_NUMBER  (CEL_K(CEL_INT) | CEL_K(CEL_UINT) | CEL_K(CEL_DOUBLE))

/* Who holds the items of a list or map. */
enum cel_form { CEL_NATIVE = 0, CEL_JSON, CEL_OBJECT };

struct cel_map;
struct cel_object;
struct cel_run;
struct cel_program;
struct cel_unknowns;

struct cel_value {
    uint8_t kind;              /* enum cel_kind */
    uint8_t form;              /* enum cel_form, of lists and maps */
    uint32_t n;                /* bytes of a string, bytes, type; items of a list; nanoseconds of
                                  a timestamp; offset in the text of an error */
    union {
        bool boolean;
        int64_t i;             /* int; seconds of a timestamp; nanoseconds of a duration */
        uint64_t u;
        double d;
        const char *s;         /* string, bytes, name of a type, message of an error */
        const struct cel_value *items;         /* native list */
        const struct cel_value *some;          /* optional; NULL: none */
        const struct cel_map *map;
        const struct json *json;
        const struct cel_object *object;
        const struct cel_unknowns *missing;
        const void *opaque;
    };
};

/* A list or map that lives in a struct of the host. */
struct cel_class {
    const char *name;
    /* Map: the field, or CEL_ABSENT; may answer CEL_UNKNOWN or CEL_ERROR. */
    struct cel_value (*get)(struct cel_run *run, const void *self, const char *key, uint32_t len);
    /* List: item i < n.  Map: key i < n, a string; NULL when it cannot be iterated. */
    struct cel_value (*at)(struct cel_run *run, const void *self, uint32_t i);
};
struct cel_object {
    const struct cel_class *cls;
    const void *self;
    uint32_t n;                /* items or keys */
};

/* Names of facts that were missing; at most CEL_MAX_MISSING are kept. */
enum { CEL_MAX_MISSING = 8 };
struct cel_unknowns {
    uint32_t n;
    const char *names[CEL_MAX_MISSING];
};

static inline struct cel_value cel_null(void) { return (struct cel_value){ .kind = CEL_NULL }; }
static inline struct cel_value cel_bool(bool v) { return (struct cel_value){ .kind = CEL_BOOL, .boolean = v }; }
static inline struct cel_value cel_int(int64_t v) { return (struct cel_value){ .kind = CEL_INT, .i = v }; }
static inline struct cel_value cel_uint(uint64_t v) { return (struct cel_value){ .kind = CEL_UINT, .u = v }; }
static inline struct cel_value cel_double(double v) { return (struct cel_value){ .kind = CEL_DOUBLE, .d = v }; }
static inline struct cel_value cel_string(const char *s, size_t n)
{
    return (struct cel_value){ .kind = CEL_STRING, .n = (uint32_t)n, .s = s };
}
static inline struct cel_value cel_text(const char *s) { return cel_string(s, strlen(s)); }
static inline struct cel_value cel_bytes(const char *s, size_t n)
{
    return (struct cel_value){ .kind = CEL_BYTES, .n = (uint32_t)n, .s = s };
}
static inline struct cel_value cel_list(const struct cel_value *items, size_t n)
{
    return (struct cel_value){ .kind = CEL_LIST, .n = (uint32_t)n, .items = items };
}
static inline struct cel_value cel_timestamp(int64_t seconds, uint32_t nanos)
{
    return (struct cel_value){ .kind = CEL_TIMESTAMP, .n = nanos, .i = seconds };
}
static inline struct cel_value cel_duration(int64_t nanos)
{
    return (struct cel_value){ .kind = CEL_DURATION, .i = nanos };
}
static inline struct cel_value cel_object_map(const struct cel_object *o)
{
    return (struct cel_value){ .kind = CEL_MAP, .form = CEL_OBJECT, .n = o->n, .object = o };
}
static inline struct cel_value cel_object_list(const struct cel_object *o)
{
    return (struct cel_value){ .kind = CEL_LIST, .form = CEL_OBJECT, .n = o->n, .object = o };
}

/* A JSON value as it lies there; nothing is copied.  NULL gives CEL_ABSENT.
 * Numbers are int when written so, else double. */
struct cel_value cel_json(const struct json *v);

/* A fact that is missing; `name` is kept, not copied.  CEL_ERROR when the arena is full. */
struct cel_value cel_missing(struct arena *arena, const char *name);

/* "int", "map", "net.IP" ...: what type() answers; "error", "unknown" for those. */
const char *cel_kind_name(enum cel_kind kind);

/* The value as text, cut after `max` bytes ("..." follows): for messages. */
void cel_render(const struct cel_value *v, size_t max, struct buf *out);

/* ---- what an expression may name ------------------------------------------- */

/* What is known about a value.  A shape with fields refuses, at compile time,
 * every field it does not list, unless it is open. */
struct cel_shape {
    uint32_t kinds;                        /* CEL_K bits; 0 means any */
    const struct cel_field *fields;        /* of a map; NULL: any key */
    uint32_t n_fields;
    bool open;                             /* other keys may be there, too */
    const struct cel_shape *items;         /* of a list, values of a map, inside of an optional */
};
struct cel_field {
    const char *name;
    const struct cel_shape *shape;         /* NULL: anything */
};
struct cel_var {
    const char *name;                      /* may be qualified: "request.auth" */
    const struct cel_shape *shape;         /* NULL: anything */
};

typedef struct cel_value cel_call(struct cel_run *run, const struct cel_value *args, uint32_t n);

enum cel_result_rule {
    CEL_GIVES_KINDS = 0,       /* one of .gives */
    CEL_GIVES_SAME,            /* what argument 0 is */
    CEL_GIVES_ITEM,            /* an item of argument 0 */
    CEL_GIVES_OPTIONAL,        /* an optional of argument 0 */
    CEL_GIVES_OPTIONAL_ITEM
};
enum { CEL_MAX_ARGS = 4 };

/* One overload.  Arguments arrive with the kinds named, never as error or
 * unknown.  A method's receiver is argument 0 and counts in n_args. */
struct cel_function {
    const char *name;          /* qualified: "math.abs" */
    bool method;
    uint8_t n_args;
    uint32_t kinds[CEL_MAX_ARGS];
    uint32_t gives;            /* CEL_K bits of the result; 0 means any */
    cel_call *call;
    uint8_t rule;              /* enum cel_result_rule */
    bool impure;               /* not to be folded (reads the activation, or data) */
    bool any_number;           /* n_args or more arguments, all of kinds[0] */
};

struct cel_env {
    const struct cel_var *vars;
    uint32_t n_vars;
    const struct cel_function *functions;  /* the host's, besides the libraries */
    uint32_t n_functions;
    const struct cel_value *known;         /* NULL, or values of vars that will be the same in every evaluation
                                              (CEL_ABSENT: others): patterns made of them are compiled ahead */
    const char *container;                 /* for names: "a.b" makes x mean a.b.x, a.x, x */
    bool lenient;              /* unknown names are errors when evaluated, and types are not
                                  checked: the language without its checker */
    uint32_t max_text;         /* bytes; 0: 32 KiB */
    uint32_t max_nodes;        /* 0: 10,000 */
};

/* Compiles.  Everything the program needs is copied into `arena`, except `env`
 * itself (names, shapes, functions), which must outlive it.  ERR_INVALID with
 * "LINE:COLUMN: what" (columns in characters, from 1) when the text is refused,
 * ERR_TOO_LARGE over a bound, ERR_UNAVAILABLE when the arena is full. */
int cel_compile(const struct cel_env *env, const char *text, size_t len, struct arena *arena,
                const struct cel_program **out, struct err *err);

/* CEL_K bits of what the program can evaluate to (CEL_ANY when not known). */
uint32_t cel_program_kinds(const struct cel_program *p);

/* Does the expression mention variable number `var` of its environment? */
bool cel_program_uses(const struct cel_program *p, uint32_t var);

const char *cel_program_text(const struct cel_program *p);

/* ---- evaluation --------------------------------------------------------------- */

struct cel_activation {
    const struct cel_value *values;        /* env->n_vars of them, in that order */
    /* Asked for variables that are CEL_ABSENT; NULL: they are errors. */
    struct cel_value (*lookup)(struct cel_run *run, void *data, uint32_t var);
    void *data;                            /* for lookup and for host functions */
};

/* Cost: about one per step of the expression, item, and 16 bytes of text. */
#define CEL_BUDGET UINT64_C(1000000)

/* Evaluates.  0 with the value, which may be CEL_ERROR or CEL_UNKNOWN.  -1 when
 * there is none: ERR_TOO_LARGE over the budget, ERR_UNAVAILABLE arena full.
 * The value lives in `arena`, the program and the activation. */
int cel_eval(const struct cel_program *p, const struct cel_activation *act, struct arena *arena,
             uint64_t budget, struct cel_value *result, struct err *err);

/* "LINE:COLUMN: message" of an error, "missing: a, b" of an unknown. */
void cel_reason(const struct cel_program *p, const struct cel_value *v, struct buf *out);

/* One evaluated sub-expression.  Literals are left out. */
struct cel_explained {
    uint32_t offset, len;                  /* where in the text, bytes */
    uint32_t depth;                        /* 0 is the whole expression */
    const char *value;                     /* rendered, at most 160 bytes */
    uint8_t kind;                          /* enum cel_kind */
    const char *note;                      /* "x = 3" for a round of a comprehension, or NULL */
};
struct cel_explanation {
    struct cel_explained *steps;           /* the tree in pre-order */
    uint32_t n;
    bool truncated;                        /* there were more than CEL_MAX_STEPS */
};
enum { CEL_MAX_STEPS = 400 };

/* Evaluates and tells how: same result, same errors as cel_eval. */
int cel_explain(const struct cel_program *p, const struct cel_activation *act, struct arena *arena,
                uint64_t budget, struct cel_explanation *out, struct err *err);

/* The explanation as indented lines "text  =>  value". */
void cel_explanation_print(const struct cel_program *p, const struct cel_explanation *e, struct buf *out);

/* ---- for functions of the host ------------------------------------------------ */

struct arena *cel_arena(struct cel_run *run);
void *cel_data(struct cel_run *run);                      /* of the activation */
struct cel_value cel_fail(struct cel_run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));
/* Pays; false when the budget is gone: then return anything, at once. */
bool cel_pay(struct cel_run *run, uint64_t cost);
/* Another program within this evaluation: same arena, same budget.  Depth is bounded. */
struct cel_value cel_eval_within(struct cel_run *run, const struct cel_program *p, const struct cel_activation *act);

/* Items and members of any list or map, whoever holds it. */
uint32_t cel_size(const struct cel_value *v);
struct cel_value cel_at(struct cel_run *run, const struct cel_value *list, uint32_t i);
struct cel_value cel_key_at(struct cel_run *run, const struct cel_value *map, uint32_t i);
/* CEL_ABSENT when there is no such key. */
struct cel_value cel_get(struct cel_run *run, const struct cel_value *map, const struct cel_value *key);
struct cel_value cel_field(struct cel_run *run, const struct cel_value *map, const char *name);
/* Item i of a list that an evaluation gave, outside of it. */
struct cel_value cel_item(struct arena *arena, const struct cel_value *list, uint32_t i);

#endif
