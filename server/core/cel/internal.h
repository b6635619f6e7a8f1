/* internal.h - what the files of the expression engine share; nobody else
 * includes it.
 *
 * The tree: parse.c builds nodes and expands the macros into nodes of their own
 * (comprehension, bind, block); check.c resolves every name to a slot or to its
 * overloads, infers shapes and folds constants; eval.c walks the tree.  The
 * height of a tree is bounded (MAX_HEIGHT), and with it every recursion here. */
#ifndef KEEP_CORE_CEL_INTERNAL_H
#define KEEP_CORE_CEL_INTERNAL_H

#include "base/str.h"
#include "core/cel/cel.h"

enum {
    MAX_NEST = 120,            /* nested parentheses, calls, indices while parsing */
    MAX_HEIGHT = 300,          /* height of a tree; also depth of a value */
    MAX_LOCALS = 256,          /* names bound at one place, block entries included */
    MAX_WITHIN = 4,            /* programs evaluated within programs */
    MAX_ITEMS = 1000000        /* of a list an expression makes */
};

enum cel_op {
    OP_CONST = 0, OP_IDENT, OP_LOCAL, OP_VAR, OP_SELECT, OP_INDEX, OP_CALL, OP_AND, OP_OR, OP_COND,
    OP_NOT, OP_NEG, OP_BINARY, OP_LIST, OP_MAP, OP_STRUCT, OP_COMP, OP_BIND, OP_BLOCK, OP_N
};
enum cel_access { ACCESS_PLAIN = 0, ACCESS_OPTIONAL, ACCESS_TEST };      /* of OP_SELECT, OP_INDEX */
enum cel_binary { BIN_ADD = 0, BIN_SUB, BIN_MUL, BIN_DIV, BIN_MOD, BIN_EQ, BIN_NE, BIN_LT, BIN_LE, BIN_GT,
                  BIN_GE, BIN_IN, BIN_N };
enum cel_comp_kind { COMP_ALL = 0, COMP_EXISTS, COMP_EXISTS_ONE, COMP_MAP, COMP_FILTER, COMP_TO_LIST,
                     COMP_TO_MAP, COMP_TO_ENTRY, COMP_SORT_BY, COMP_OPT_MAP, COMP_OPT_FLAT_MAP };

struct cel_name {
    const char *text;          /* NUL-terminated */
    uint32_t len;
};

struct cel_node {
    uint8_t op;                /* enum cel_op */
    uint8_t sub;               /* enum cel_access, cel_binary, cel_comp_kind */
    bool rooted;               /* identifier written with a leading dot */
    bool two;                  /* comprehension over key and value */
    uint16_t height;
    uint32_t start, end;       /* bytes in the text */
    uint32_t at;               /* where to point when it fails */
    uint32_t n;                /* of items */
    struct cel_name name;      /* of an identifier, field, function; qualified: see check.c */
    uint32_t slot, slot2;      /* variable or local */
    const struct cel_shape *shape;         /* inferred; never NULL after check.c */
    struct cel_node *a, *b, *c;            /* operands; of a comprehension: range, filter, body */
    struct cel_node **items;               /* arguments (receiver first), items, keys and values in turn */
    const bool *optional;                  /* of list items and map entries; NULL: none is */
    const struct cel_function *const *overloads;
    uint32_t n_overloads;
    struct cel_name var, var2; /* of a comprehension or bind */
    struct cel_value value;    /* of a constant */
};

struct cel_zone;
struct cel_regex;

struct cel_program {
    const char *text;          /* NUL-terminated copy */
    uint32_t len;
    const struct cel_env *env;
    const struct cel_node *root;
    uint32_t n_locals;
    uint64_t *used;            /* bit per variable */
    const struct cel_zone *zones;          /* compiled ahead: lists */
    const struct cel_regex *regexes;
};

struct cel_tracer;

struct cel_run {
    int64_t budget;            /* below zero: stop */
    struct arena *arena;
    const struct cel_program *program;
    const struct cel_activation *act;
    struct cel_value *locals;
    struct cel_tracer *tracer; /* NULL unless explaining */
    uint32_t at;               /* offset of what is being evaluated */
    uint32_t within;
    bool no_memory;
    const struct cel_zone *zones;
    const struct cel_regex *regexes;
    uint32_t n_regexes;
    void *matcher;             /* of regex.c */
};

/* ---- lex.c ---- */
enum token {
    T_END = 0, T_INT, T_UINT, T_DOUBLE, T_STRING, T_BYTES, T_IDENT, T_QUOTED, T_TRUE, T_FALSE, T_NULL, T_IN,
    T_EQ, T_NE, T_LT, T_LE, T_GT, T_GE, T_AND, T_OR, T_LBRACKET, T_RBRACKET, T_LBRACE, T_RBRACE, T_LPAREN,
    T_RPAREN, T_DOT, T_COMMA, T_MINUS, T_NOT, T_QUESTION, T_COLON, T_PLUS, T_STAR, T_SLASH, T_PERCENT
};
struct cel_lexer {
    const char *text;
    uint32_t len, next;        /* bytes */
    struct arena *arena;
    struct err *err;
    /* the current token */
    enum token type;
    uint32_t start, end;
    bool hex;                  /* integer written 0x... */
    const char *s;             /* of strings, bytes, quoted identifiers: decoded */
    uint32_t n;
};
/* Reads the next token into the lexer's fields. */
int lex_next(struct cel_lexer *lex);
const char *token_text(enum token t);
/* "LINE:COLUMN: message", always -1. */
int cel_refuse(struct err *err, const char *text, uint32_t len, uint32_t offset, const char *fmt, ...)
    __attribute__((format(printf, 5, 6), cold));

/* ---- node.c, parse.c, macro.c ---- */
struct cel_parser {
    struct cel_lexer lex;
    struct arena *arena;
    struct err *err;
    uint32_t depth, n_nodes, max_nodes;
};
int parse_program(struct cel_parser *p, struct cel_node **root);
struct cel_node *node_new(struct cel_parser *p, enum cel_op op, uint32_t start, uint32_t end);
/* Sets the height from the children; -1 when too high. */
int node_close(struct cel_parser *p, struct cel_node *n);
struct cel_nodes {
    struct cel_node **ptr;
    uint32_t n, cap;
};
int nodes_add(struct cel_parser *p, struct cel_nodes *l, struct cel_node *n);
/* Turns a parsed call into what its macro means; *n stays when it is none. */
int macro_expand(struct cel_parser *p, struct cel_node **n);

/* ---- check.c, overload.c, fold.c ---- */
struct cel_scope {
    struct cel_name name;
    uint32_t slot;
    const struct cel_shape *shape;
    struct cel_scope *outer;
};
struct cel_checker {
    const struct cel_env *env;
    struct cel_program *program;
    struct arena *arena;
    struct err *err;
    struct cel_scope *scope;
    uint32_t depth_locals;     /* slots in use here */
    struct cel_node *block;    /* the cel.block around, NULL */
    uint32_t block_first, block_ready;     /* its slots; entries that may be used */
    struct cel_run fold;       /* to evaluate constants with */
};
int check_node(struct cel_checker *c, struct cel_node **n);
int check_refuse(struct cel_checker *c, const struct cel_node *n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));
/* "; did you mean 'x'?" or "" */
const char *cel_suggest(char out[96], const char *wanted, const char *const *names, uint32_t n);
int check_call(struct cel_checker *c, struct cel_node **n);            /* arguments checked */
int check_operator(struct cel_checker *c, struct cel_node *n);
bool function_exists(const struct cel_env *env, const char *name);     /* as a function, not a method */
bool namespace_exists(const struct cel_env *env, const char *name);    /* is there a function name.x */
int check_unknown_function(struct cel_checker *c, const struct cel_node *n);
int fold_node(struct cel_checker *c, struct cel_node **n);
extern const struct cel_shape cel_shape_any;
const struct cel_shape *cel_shape_of_kinds(struct arena *arena, uint32_t kinds);
const struct cel_shape *cel_shape_of(struct arena *arena, uint32_t kinds, const struct cel_shape *items);
const struct cel_field *cel_shape_field(const struct cel_shape *s, const char *name);
static inline uint32_t cel_shape_kinds(const struct cel_shape *s) { return s->kinds != 0 ? s->kinds : CEL_ANY; }

/* ---- run.c, eval.c ---- */
int run_program(const struct cel_program *p, const struct cel_activation *act, struct arena *arena, uint64_t budget,
                struct cel_tracer *tracer, struct cel_value *result, struct err *err);
struct cel_value eval(struct cel_run *run, const struct cel_node *n);
struct cel_value eval_comp(struct cel_run *run, const struct cel_node *n);
struct cel_value eval_traced(struct cel_run *run, const struct cel_node *n);
struct cel_value eval_untraced(struct cel_run *run, const struct cel_node *n);
void trace_note(struct cel_run *run, const struct cel_node *n, const struct cel_value *k, const struct cel_value *v);
static inline bool is_bad(struct cel_value v) { return v.kind < CEL_NULL; }
static inline bool is_kind(struct cel_value v, uint32_t kinds) { return (CEL_K(v.kind) & kinds) != 0; }
/* Unknown wins over error; two unknowns are joined. `a` may be CEL_ABSENT. */
struct cel_value merge_bad(struct cel_run *run, struct cel_value a, struct cel_value b);
struct cel_value run_stopped(struct cel_run *run);
struct cel_value index_value(struct cel_run *run, struct cel_value on, struct cel_value key, enum cel_access how);
struct cel_value no_overload(struct cel_run *run, const char *name, const struct cel_value *args, uint32_t n);

/* Memory of the evaluation, paid for; NULL when it is over. */
void *run_alloc(struct cel_run *run, size_t n, size_t size);
char *run_bytes(struct cel_run *run, size_t n);
struct cel_value run_string(struct cel_run *run, const char *s, size_t n);      /* a copy */
struct cel_value run_optional(struct cel_run *run, struct cel_value v);
struct cel_value optional_none(void);
struct cel_value run_opaque(struct cel_run *run, enum cel_kind kind, const void *data, size_t size);

/* A list that grows. */
struct cel_items {
    struct cel_value *ptr;
    uint32_t n, cap;
};
bool items_add(struct cel_run *run, struct cel_items *l, struct cel_value v);

/* ---- operator.c ---- */
struct cel_value operate(struct cel_run *run, enum cel_binary op, const struct cel_value *a, const struct cel_value *b);
const char *operator_name(enum cel_binary op);
/* -1, 0, 1; false when they cannot be ordered (2 for NaN). */
bool value_compare(const struct cel_value *a, const struct cel_value *b, int *order);
struct cel_value value_negate(struct cel_run *run, struct cel_value v);
/* The items of list in the order of their keys (same number). */
struct cel_value list_sort_by(struct cel_run *run, const struct cel_value *list, const struct cel_value *keys);

/* Order of two IPs, CIDRs, URLs, quantities, versions, formats. */
int opaque_compare(const struct cel_value *a, const struct cel_value *b);

/* ---- value.c, map.c ---- */
/* Language equality; false as well when the run is stopped. */
bool value_equal(struct cel_run *run, const struct cel_value *a, const struct cel_value *b);
bool value_is_zero(const struct cel_value *v);
struct cel_value value_type(const struct cel_value *v);
struct cel_entry {
    struct cel_value key, value;
};
struct cel_map {
    uint32_t n;
    uint32_t mask;             /* of the index; 0: none */
    const struct cel_entry *entries;
    const uint32_t *index;     /* entry + 1, open addressing */
};
struct cel_map_builder {
    struct cel_entry *entries;
    uint32_t n, cap;
    uint32_t *index, mask;
};
/* 0; 1 when the key is there already; -1 stopped.  The key must be a valid one. */
int map_add(struct cel_run *run, struct cel_map_builder *b, struct cel_value key, struct cel_value value);
struct cel_value map_finish(struct cel_run *run, struct cel_map_builder *b);
const struct cel_value *map_find(const struct cel_map *m, const struct cel_value *key);
bool is_map_key(const struct cel_value *v);
/* A double that is a whole number becomes int or uint; others stay. */
struct cel_value number_key(struct cel_value v);
/* Member of any map by a name that is known ahead. */
struct cel_value map_member(struct cel_run *run, const struct cel_value *map, const struct cel_name *name);

/* ---- text.c, render.c, utf8.c ---- */
/* Text that grows in the arena of a run, or (run NULL) fills a fixed room and
 * then is full.  Checked once, at the end. */
struct cel_text {
    struct cel_run *run;
    char *ptr;
    size_t len, cap;
    bool full;                 /* cut, or the run was stopped */
};
void text_put(struct cel_text *t, const void *p, size_t n);
void text_puts(struct cel_text *t, const char *s);
void text_putc(struct cel_text *t, char c);
void text_printf(struct cel_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));     /* < 128 bytes */
/* The text as a string value of its run; nothing is copied. */
struct cel_value text_value(struct cel_text *t);
size_t utf8_count(const char *s, size_t n);
size_t utf8_offset(const char *s, size_t n, size_t chars);    /* bytes before character number `chars` */
uint32_t utf8_get(const char *s, size_t n, size_t *at);       /* of valid UTF-8 */
size_t utf8_put(char *to, uint32_t c);
bool utf8_valid(const char *s, size_t n);                     /* NUL is fine */
void double_text(double v, char out[32]);                     /* shortest, as Go's %g */
void double_plain(double v, struct cel_text *out);            /* shortest, never with an exponent */
void duration_text(int64_t nanos, struct cel_text *out);
void timestamp_text(int64_t seconds, uint32_t nanos, char out[40]);
/* The value as string.format's %s has it. */
void value_text(const struct cel_value *v, struct cel_text *out);
/* As people should see it: strings in quotes.  `out` has a fixed room. */
void value_message(const struct cel_value *v, struct cel_text *out);

/* ---- time.c, zone.c ---- */
struct cel_civil { int64_t year; int month, day, hour, minute, second, weekday, yearday; };
void civil_from_seconds(int64_t seconds, struct cel_civil *out);
int64_t days_from_civil(int64_t year, int month, int day);
bool cel_timestamp_parse(const char *s, size_t n, int64_t *seconds, uint32_t *nanos);
bool cel_duration_parse(const char *s, size_t n, int64_t *nanos);
#define TIMESTAMP_MIN INT64_C(-62135596800)
#define TIMESTAMP_MAX INT64_C(253402300799)
/* Seconds east of UTC at that time; false when there is no such zone. */
bool zone_offset(struct cel_run *run, const char *name, size_t len, int64_t seconds, int32_t *offset);

/* ---- regex.c, re2.c ---- */
/* RE2 text to PCRE2 text; NULL with *why when it is not RE2. */
char *re2_translate(struct arena *arena, const char *s, size_t n, size_t *out_len, const char **why);
/* The compiled pattern: from the program, from this run, or new.  NULL with an error in *bad. */
const struct cel_regex *regex_get(struct cel_run *run, const struct cel_value *pattern, struct cel_value *bad);
uint32_t regex_groups(const struct cel_regex *re);
/* 1 match, 0 none, -1 too costly or stopped (*bad).  `ovector` gets the offsets of the whole
 * and of groups 1 to 9, SIZE_MAX where one did not take part; NULL: only whether it matches. */
enum { REGEX_OVECTOR = 20 };
int regex_match(struct cel_run *run, const struct cel_regex *re, const struct cel_value *text, size_t from,
                size_t ovector[REGEX_OVECTOR], struct cel_value *bad);

/* ---- opaque.c: values that only their library looks into ---- */
struct cel_ip {
    uint8_t family;            /* 4, 6 */
    uint8_t bytes[16];         /* IPv4: the first four, the rest zero */
};
struct cel_cidr {
    struct cel_ip ip;
    uint8_t bits;
};
struct cel_quantity {
    __int128 nano;
};
struct cel_semver {
    uint64_t part[3];
    const char *pre;           /* without the '-'; NULL: a release */
    const char *build;
    uint32_t pre_len, build_len;
};
struct cel_url {
    struct cel_value scheme, host, hostname, port, path, query, text;
};
int cel_semver_compare(const struct cel_semver *a, const struct cel_semver *b);
/* As text, for string() and messages. */
struct cel_text;
void opaque_text(const struct cel_value *v, struct cel_text *out);
void ip_text(const struct cel_ip *ip, char out[46]);
const char *format_name(const struct cel_value *v);
/* NULL when it is an absolute URI or path, else what is wrong. */
const char *cel_url_check(const char *s, size_t n);

struct cel_library {
    const struct cel_function *functions;
    uint32_t n;
};
extern const struct cel_library lib_standard, lib_convert, lib_string, lib_format, lib_math, lib_list, lib_aggregate,
    lib_set, lib_time, lib_optional, lib_encode, lib_regex, lib_net, lib_quantity, lib_semver, lib_url, lib_named;
/* Overload number i, libraries first, then the host's; NULL behind the last. */
const struct cel_function *function_at(const struct cel_env *env, uint32_t i);

#define FN(fname, nargs, result, fn, ...) \
    { .name = (fname), .n_args = (nargs), .gives = (result), .call = (fn), .kinds = { __VA_ARGS__ } }
#define METHOD(fname, nargs, result, fn, ...) \
    { .name = (fname), .method = true, .n_args = (nargs), .gives = (result), .call = (fn), .kinds = { __VA_ARGS__ } }

#define K_BOOL CEL_K(CEL_BOOL)
#define K_INT CEL_K(CEL_INT)
#define K_UINT CEL_K(CEL_UINT)
#define K_DOUBLE CEL_K(CEL_DOUBLE)
#define K_STRING CEL_K(CEL_STRING)
#define K_BYTES CEL_K(CEL_BYTES)
#define K_TIME CEL_K(CEL_TIMESTAMP)
#define K_DURATION CEL_K(CEL_DURATION)
#define K_LIST CEL_K(CEL_LIST)
#define K_MAP CEL_K(CEL_MAP)
#define K_TYPE CEL_K(CEL_TYPE)
#define K_OPTIONAL CEL_K(CEL_OPTIONAL)
#define K_NULL CEL_K(CEL_NULL)

#endif
