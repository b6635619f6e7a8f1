/* parse.c - tokens to a tree (cel-spec langdef, "Syntax"), by precedence
 * climbing.  Nesting is bounded by MAX_NEST, the height of the tree (long chains
 * such as 1 + 1 + 1 + ...) by MAX_HEIGHT, its size by max_nodes.  && and || are
 * nodes with many items, so their chains add no height. */
#include "core/cel/internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static int parse_expr(struct cel_parser *p, struct cel_node **out);

static int refuse(struct cel_parser *p, uint32_t at, const char *what)
{
    return cel_refuse(p->err, p->lex.text, p->lex.len, at, "%s", what);
}

static int unexpected(struct cel_parser *p, const char *wanted)
{
    return cel_refuse(p->err, p->lex.text, p->lex.len, p->lex.start, "unexpected %s, expected %s",
                      token_text(p->lex.type), wanted);
}

static bool is(const struct cel_parser *p, enum token t)
{
    return p->lex.type == t;
}

static int advance(struct cel_parser *p)
{
    return lex_next(&p->lex);
}

static int expect(struct cel_parser *p, enum token t, uint32_t *end)
{
    if (!is(p, t))
        return unexpected(p, token_text(t));
    if (end != NULL)
        *end = p->lex.end;
    return advance(p);
}

/* 1 and stepped over when it is there. */
static int accept(struct cel_parser *p, enum token t)
{
    if (!is(p, t))
        return 0;
    return advance(p) != 0 ? -1 : 1;
}

static bool is_reserved(const char *word)
{
    static const char *const words[] = { "as", "break", "const", "continue", "else", "for", "function", "if",
        "import", "let", "loop", "package", "namespace", "return", "var", "void", "while" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

/* ---- literals ---------------------------------------------------------------- */

static int number_value(struct cel_parser *p, bool negative, struct cel_value *v)
{
    uint32_t len = p->lex.end - p->lex.start;
    char *text = arena_strndup(p->arena, p->lex.text + p->lex.start, len);

    if (text == NULL)
        return err_nomem(p->err);
    if (is(p, T_DOUBLE)) {
        double d = strtod(text, NULL);
        *v = cel_double(negative ? -d : d);
        return isinf(d) ? refuse(p, p->lex.start, "number is out of range of double") : 0;
    }
    errno = 0;
    uint64_t u = strtoull(text, NULL, p->lex.hex ? 16 : 10);
    if (is(p, T_UINT)) {
        *v = cel_uint(u);
        return errno != 0 || negative ? refuse(p, p->lex.start, "number is out of range of uint") : 0;
    }
    if (errno != 0 || u > (uint64_t)INT64_MAX + negative)
        return refuse(p, p->lex.start, "number is out of range of int");
    *v = cel_int(negative ? (int64_t)(0 - u) : (int64_t)u);
    return 0;
}

static bool is_number(const struct cel_parser *p)
{
    return is(p, T_INT) || is(p, T_UINT) || is(p, T_DOUBLE);
}

static int parse_literal(struct cel_parser *p, bool negative, uint32_t start, struct cel_node **out)
{
    struct cel_node *n = node_new(p, OP_CONST, start, p->lex.end);

    if (n == NULL)
        return -1;
    switch (p->lex.type) {
    case T_INT: case T_UINT: case T_DOUBLE:
        if (number_value(p, negative, &n->value) != 0)
            return -1;
        break;
    case T_STRING: n->value = cel_string(p->lex.s, p->lex.n); break;
    case T_BYTES:  n->value = cel_bytes(p->lex.s, p->lex.n); break;
    case T_TRUE:   n->value = cel_bool(true); break;
    case T_FALSE:  n->value = cel_bool(false); break;
    case T_NULL:   n->value = cel_null(); break;
    default:
        return unexpected(p, "an expression");
    }
    *out = n;
    return advance(p);
}

/* Items up to the closing token; `pairs`: "key: value", both put in turn. */
static int parse_items(struct cel_parser *p, struct cel_node *n, enum token close, bool pairs)
{
    struct cel_nodes l = { 0 }, opt = { 0 };
    bool any = false;

    while (!is(p, close)) {
        struct cel_node *item;
        int optional = accept(p, T_QUESTION);
        if (optional < 0 || parse_expr(p, &item) != 0 || nodes_add(p, &l, item) != 0 ||
            nodes_add(p, &opt, optional > 0 ? item : NULL) != 0)
            return -1;
        any |= optional > 0;
        if (pairs && (expect(p, T_COLON, NULL) != 0 || parse_expr(p, &item) != 0 || nodes_add(p, &l, item) != 0))
            return -1;
        int comma = accept(p, T_COMMA);
        if (comma < 0)
            return -1;
        if (comma == 0)
            break;
    }
    if (any) {
        bool *flags = arena_alloc(p->arena, opt.n);
        if (flags == NULL)
            return err_nomem(p->err);
        for (uint32_t i = 0; i < opt.n; i++)
            flags[i] = opt.ptr[i] != NULL;
        n->optional = flags;
    }
    n->items = l.ptr;
    n->n = l.n;
    return expect(p, close, &n->end) != 0 ? -1 : node_close(p, n);
}

static int parse_aggregate(struct cel_parser *p, enum cel_op op, enum token close, struct cel_node **out)
{
    struct cel_node *n = node_new(p, op, p->lex.start, p->lex.end);

    if (n == NULL || advance(p) != 0 || parse_items(p, n, close, op == OP_MAP) != 0)
        return -1;
    *out = n;
    return 0;
}

/* ---- names, calls -------------------------------------------------------------- */

/* At the opening parenthesis; the receiver, if any, is put first. */
static int parse_call(struct cel_parser *p, struct cel_node *n, struct cel_node *receiver)
{
    struct cel_nodes l = { 0 };

    if (receiver != NULL && nodes_add(p, &l, receiver) != 0)
        return -1;
    if (advance(p) != 0)
        return -1;
    for (int more = !is(p, T_RPAREN); more != 0;) {
        struct cel_node *item;
        if (parse_expr(p, &item) != 0 || nodes_add(p, &l, item) != 0 || (more = accept(p, T_COMMA)) < 0)
            return -1;
    }
    n->items = l.ptr;
    n->n = l.n;
    n->sub = receiver != NULL;
    return expect(p, T_RPAREN, &n->end) != 0 ? -1 : node_close(p, n);
}

/* Call nodes: sub is 1 for a method, its receiver is items[0]. */
static int parse_ident(struct cel_parser *p, struct cel_node **out)
{
    uint32_t start = p->lex.start;
    int rooted = accept(p, T_DOT);

    if (rooted < 0)
        return -1;
    if (!is(p, T_IDENT))
        return unexpected(p, "a name");
    struct cel_node *n = node_new(p, OP_IDENT, start, p->lex.end);
    if (n == NULL)
        return -1;
    n->rooted = rooted > 0;
    n->name = (struct cel_name){ p->lex.s, p->lex.n };
    if (is_reserved(n->name.text))
        return cel_refuse(p->err, p->lex.text, p->lex.len, p->lex.start, "'%s' is a reserved word", n->name.text);
    *out = n;
    if (advance(p) != 0)
        return -1;
    if (!is(p, T_LPAREN))
        return 0;
    n->op = OP_CALL;
    return parse_call(p, n, NULL) != 0 ? -1 : macro_expand(p, out);
}

static int parse_primary(struct cel_parser *p, bool negative, uint32_t start, struct cel_node **out)
{
    switch (p->lex.type) {
    case T_DOT:
    case T_IDENT:
        return parse_ident(p, out);
    case T_LPAREN:
        return advance(p) != 0 || parse_expr(p, out) != 0 ? -1 : expect(p, T_RPAREN, NULL);
    case T_LBRACKET:
        return parse_aggregate(p, OP_LIST, T_RBRACKET, out);
    case T_LBRACE:
        return parse_aggregate(p, OP_MAP, T_RBRACE, out);
    default:
        return parse_literal(p, negative, start, out);
    }
}

/* Behind a dot: .name  .?name  .name(...) */
static int parse_select(struct cel_parser *p, struct cel_node **on)
{
    int optional = accept(p, T_QUESTION);

    if (optional < 0)
        return -1;
    if (!is(p, T_IDENT) && !is(p, T_QUOTED))
        return unexpected(p, "a field name");
    struct cel_node *n = node_new(p, OP_SELECT, (*on)->start, p->lex.end);
    if (n == NULL)
        return -1;
    bool quoted = is(p, T_QUOTED);
    n->at = p->lex.start;
    n->name = (struct cel_name){ p->lex.s, p->lex.n };
    n->sub = optional > 0 ? ACCESS_OPTIONAL : ACCESS_PLAIN;
    n->two = quoted;                   /* not part of a qualified name */
    if (advance(p) != 0)
        return -1;
    if (is(p, T_LPAREN) && optional == 0 && !quoted) {
        n->op = OP_CALL;
        if (parse_call(p, n, *on) != 0)
            return -1;
        *on = n;
        return macro_expand(p, on);
    }
    n->a = *on;
    *on = n;
    return node_close(p, n);
}

static int parse_index(struct cel_parser *p, struct cel_node **on)
{
    int optional = accept(p, T_QUESTION);
    struct cel_node *n = optional < 0 ? NULL : node_new(p, OP_INDEX, (*on)->start, p->lex.start);

    if (n == NULL)
        return -1;
    n->at = p->lex.start;
    n->sub = optional > 0 ? ACCESS_OPTIONAL : ACCESS_PLAIN;
    n->a = *on;
    *on = n;
    if (parse_expr(p, &n->b) != 0 || expect(p, T_RBRACKET, &n->end) != 0)
        return -1;
    return node_close(p, n);
}

static bool is_path(const struct cel_node *n)
{
    while (n->op == OP_SELECT && n->sub == ACCESS_PLAIN && !n->two)
        n = n->a;
    return n->op == OP_IDENT;
}

/* Message construction.  There are no message types; check.c says so. */
static int parse_struct(struct cel_parser *p, struct cel_node **path)
{
    struct cel_node *n = node_new(p, OP_STRUCT, (*path)->start, p->lex.end), *value;

    if (n == NULL)
        return -1;
    n->name.len = (*path)->end - n->start;
    n->name.text = arena_strndup(p->arena, p->lex.text + n->start, n->name.len);
    if (n->name.text == NULL)
        return err_nomem(p->err);
    struct cel_nodes l = { 0 };
    if (advance(p) != 0)
        return -1;
    for (int more = !is(p, T_RBRACE); more != 0 && !is(p, T_RBRACE);) {
        if (accept(p, T_QUESTION) < 0)
            return -1;
        if (!is(p, T_IDENT) && !is(p, T_QUOTED))
            return unexpected(p, "a field name");
        if (advance(p) != 0 || expect(p, T_COLON, NULL) != 0 || parse_expr(p, &value) != 0 ||
            nodes_add(p, &l, value) != 0 || (more = accept(p, T_COMMA)) < 0)
            return -1;
    }
    n->items = l.ptr;
    n->n = l.n;
    *path = n;
    return expect(p, T_RBRACE, &n->end) != 0 ? -1 : node_close(p, n);
}

static int parse_member(struct cel_parser *p, bool negative, uint32_t start, struct cel_node **out)
{
    if (parse_primary(p, negative, start, out) != 0)
        return -1;
    for (;;) {
        int rc = 0;
        if (is(p, T_DOT))
            rc = advance(p) != 0 ? -1 : parse_select(p, out);
        else if (is(p, T_LBRACKET))
            rc = advance(p) != 0 ? -1 : parse_index(p, out);
        else if (is(p, T_LBRACE) && is_path(*out))
            rc = parse_struct(p, out);
        else
            return 0;
        if (rc != 0)
            return -1;
    }
}

/* ---- operators ------------------------------------------------------------------ */

static int parse_unary(struct cel_parser *p, struct cel_node **out)
{
    enum token sign = p->lex.type;
    uint32_t start = p->lex.start;
    bool odd = false;

    if (sign != T_NOT && sign != T_MINUS)
        return parse_member(p, false, start, out);
    while (is(p, sign)) {
        odd = !odd;
        if (advance(p) != 0)
            return -1;
    }
    /* A minus belongs to the number behind it: -9223372036854775808 is one. */
    if (sign == T_MINUS && odd && is_number(p))
        return parse_member(p, true, start, out);
    if (parse_member(p, false, p->lex.start, out) != 0)
        return -1;
    if (!odd)
        return 0;
    struct cel_node *n = node_new(p, sign == T_NOT ? OP_NOT : OP_NEG, start, (*out)->end);
    if (n == NULL)
        return -1;
    n->a = *out;
    *out = n;
    return node_close(p, n);
}

/* Priority of a token as a binary operator, 0 for none. */
static int priority(enum token t)
{
    switch (t) {
    case T_OR: return 1;
    case T_AND: return 2;
    case T_EQ: case T_NE: case T_LT: case T_LE: case T_GT: case T_GE: case T_IN: return 3;
    case T_PLUS: case T_MINUS: return 4;
    case T_STAR: case T_SLASH: case T_PERCENT: return 5;
    default: return 0;
    }
}

static enum cel_binary binary_of(enum token t)
{
    switch (t) {
    case T_EQ: return BIN_EQ;
    case T_NE: return BIN_NE;
    case T_LT: return BIN_LT;
    case T_LE: return BIN_LE;
    case T_GT: return BIN_GT;
    case T_GE: return BIN_GE;
    case T_IN: return BIN_IN;
    case T_MINUS: return BIN_SUB;
    case T_STAR: return BIN_MUL;
    case T_SLASH: return BIN_DIV;
    case T_PERCENT: return BIN_MOD;
    default: return BIN_ADD;
    }
}

static int combine(struct cel_parser *p, enum token t, uint32_t at, struct cel_node **left, struct cel_node *right)
{
    enum cel_op op = t == T_OR ? OP_OR : t == T_AND ? OP_AND : OP_BINARY;
    struct cel_node *n = node_new(p, op, (*left)->start, right->end);

    if (n == NULL)
        return -1;
    n->at = at;
    if (op == OP_BINARY) {
        n->sub = (uint8_t)binary_of(t);
        n->a = *left;
        n->b = right;
    } else {
        /* A chain grows its items by doubling: the capacity is the power of two below. */
        bool chain = (*left)->op == op;
        struct cel_nodes l = { chain ? (*left)->items : NULL, chain ? (*left)->n : 0, 0 };
        for (l.cap = l.n == 0 ? 0 : 4; l.cap < l.n;)
            l.cap *= 2;
        if ((!chain && nodes_add(p, &l, *left) != 0) || nodes_add(p, &l, right) != 0)
            return -1;
        n->items = l.ptr;
        n->n = l.n;
    }
    *left = n;
    return node_close(p, n);
}

static int parse_binary(struct cel_parser *p, int least, struct cel_node **out)
{
    if (parse_unary(p, out) != 0)
        return -1;
    for (int prio; (prio = priority(p->lex.type)) >= least && prio > 0;) {
        enum token t = p->lex.type;
        uint32_t at = p->lex.start;
        struct cel_node *right;
        if (advance(p) != 0 || parse_binary(p, prio + 1, &right) != 0 || combine(p, t, at, out, right) != 0)
            return -1;
    }
    return 0;
}

static int parse_conditional(struct cel_parser *p, struct cel_node **out)
{
    if (parse_binary(p, 1, out) != 0)
        return -1;
    int question = accept(p, T_QUESTION);
    if (question <= 0)
        return question;
    struct cel_node *n = node_new(p, OP_COND, (*out)->start, p->lex.start);
    if (n == NULL)
        return -1;
    n->a = *out;
    if (parse_binary(p, 1, &n->b) != 0 || expect(p, T_COLON, NULL) != 0 || parse_expr(p, &n->c) != 0)
        return -1;
    n->end = n->c->end;
    *out = n;
    return node_close(p, n);
}

static int parse_expr(struct cel_parser *p, struct cel_node **out)
{
    if (++p->depth > MAX_NEST)
        return refuse(p, p->lex.start, "the expression is nested too deeply");
    int rc = parse_conditional(p, out);
    p->depth--;
    return rc;
}

int parse_program(struct cel_parser *p, struct cel_node **root)
{
    struct cel_lexer *lex = &p->lex;

    if (!utf8_valid(lex->text, lex->len))
        return err_set(p->err, ERR_INVALID, "1:1: the expression is not valid UTF-8");
    if (advance(p) != 0 || parse_expr(p, root) != 0)
        return -1;
    return is(p, T_END) ? 0 : unexpected(p, "an operator or the end");
}
