/* lex.c - text to tokens (cel-spec langdef, "Syntax").
 *
 * One token at a time, into the lexer itself.  The text is valid UTF-8
 * (parse_program checks), so a decoded string is, too. */
#include "core/cel/internal.h"

#include <stdarg.h>
#include <stdio.h>

int cel_refuse(struct err *err, const char *text, uint32_t len, uint32_t offset, const char *fmt, ...)
{
    char what[200];
    va_list ap;
    uint32_t line = 1, start = 0;

    if (offset > len)
        offset = len;
    for (uint32_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return err_set(err, ERR_INVALID, "%u:%zu: %s", line, utf8_count(text + start, offset - start) + 1, what);
}

static int refuse(struct cel_lexer *lex, uint32_t at, const char *what)
{
    return cel_refuse(lex->err, lex->text, lex->len, at, "%s", what);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static int hex_value(char c)
{
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* NUL behind the end.  One within the text is only accepted in a string. */
static char peek(const struct cel_lexer *lex, uint32_t ahead)
{
    return lex->next + ahead < lex->len ? lex->text[lex->next + ahead] : '\0';
}

static void skip_space(struct cel_lexer *lex)
{
    for (;;) {
        char c = peek(lex, 0);
        if (c == '/' && peek(lex, 1) == '/') {
            while (lex->next < lex->len && lex->text[lex->next] != '\n')
                lex->next++;
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            lex->next++;
        } else {
            return;
        }
    }
}

/* digits of a code, exactly n of them; -1 when they are not there. */
static int64_t code_digits(struct cel_lexer *lex, int n, int base)
{
    int64_t v = 0;

    for (int i = 0; i < n; i++) {
        int d = hex_value(peek(lex, 0));
        if (d < 0 || d >= base)
            return -1;
        v = v * base + d;
        lex->next++;
    }
    return v;
}

/* lex->next is behind the backslash. */
static int escape(struct cel_lexer *lex, bool bytes, char **to)
{
    static const char from[] = "abfnrtv\\?\"'`", into[] = "\a\b\f\n\r\t\v\\?\"'`";
    uint32_t at = lex->next - 1;
    char c = peek(lex, 0);
    int64_t code;

    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found != NULL) {
        lex->next++;
        *(*to)++ = into[found - from];
        return 0;
    }
    if (c >= '0' && c <= '3') {
        code = code_digits(lex, 3, 8);
    } else if (c == 'x' || c == 'X') {
        lex->next++;
        code = code_digits(lex, 2, 16);
    } else if ((c == 'u' || c == 'U') && !bytes) {
        lex->next++;
        code = code_digits(lex, c == 'u' ? 4 : 8, 16);
    } else {
        return refuse(lex, at, "unknown escape sequence");
    }
    if (code < 0)
        return refuse(lex, at, "incomplete escape sequence");
    if (bytes) {
        *(*to)++ = (char)code;
        return 0;
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return refuse(lex, at, "escape sequence is not a Unicode character");
    *to += utf8_put(*to, (uint32_t)code);
    return 0;
}

static bool at_quote(const struct cel_lexer *lex, char quote, bool triple)
{
    return peek(lex, 0) == quote && (!triple || (peek(lex, 1) == quote && peek(lex, 2) == quote));
}

/* Where the string ends whose first character is lex->next; 0 when it does not. */
static uint32_t string_end(struct cel_lexer *lex, char quote, bool triple, bool raw)
{
    uint32_t from = lex->next, end = 0;

    while (lex->next < lex->len && end == 0) {
        char c = peek(lex, 0);
        if (at_quote(lex, quote, triple))
            end = lex->next;
        else if (!triple && (c == '\n' || c == '\r'))
            break;
        lex->next += c == '\\' && !raw ? 2 : 1;
    }
    lex->next = from;
    return end;
}

/* lex->next is at the quote; the prefix has been read. */
static int string(struct cel_lexer *lex, bool raw, bool bytes)
{
    char quote = peek(lex, 0);
    bool triple = peek(lex, 1) == quote && peek(lex, 2) == quote;

    lex->next += triple ? 3 : 1;
    uint32_t end = string_end(lex, quote, triple, raw);
    if (end == 0)
        return refuse(lex, lex->start, "string has no closing quote");
    /* No escape sequence decodes to more than it is long. */
    char *s = arena_bytes(lex->arena, end - lex->next + 1), *to = s;
    if (s == NULL)
        return err_nomem(lex->err);
    while (lex->next < end) {
        char c = lex->text[lex->next++];
        if (c != '\\' || raw)
            *to++ = c;
        else if (escape(lex, bytes, &to) != 0)
            return -1;
    }
    lex->next = end + (triple ? 3 : 1);
    *to = '\0';
    lex->type = bytes ? T_BYTES : T_STRING;
    lex->s = s;
    lex->n = (uint32_t)(to - s);
    return 0;
}

/* 0 no string here, 1 a string, -1 refused. */
static int prefixed_string(struct cel_lexer *lex)
{
    bool raw = false, bytes = false;
    uint32_t n = 0;
    char c = peek(lex, 0);

    if (c == 'b' || c == 'B') {
        bytes = true;
        c = peek(lex, ++n);
    }
    if (c == 'r' || c == 'R') {
        raw = true;
        c = peek(lex, ++n);
    }
    if (c != '"' && c != '\'')
        return 0;
    lex->next += n;
    return string(lex, raw, bytes) != 0 ? -1 : 1;
}

static void digits(struct cel_lexer *lex)
{
    while (is_digit(peek(lex, 0)))
        lex->next++;
}

static int number(struct cel_lexer *lex)
{
    lex->type = T_INT;
    lex->hex = peek(lex, 0) == '0' && (peek(lex, 1) == 'x') && hex_value(peek(lex, 2)) >= 0;
    if (lex->hex) {
        lex->next += 2;
        while (hex_value(peek(lex, 0)) >= 0)
            lex->next++;
    } else {
        digits(lex);
        if (peek(lex, 0) == '.' && is_digit(peek(lex, 1))) {
            lex->type = T_DOUBLE;
            lex->next++;
            digits(lex);
        }
        uint32_t sign = peek(lex, 1) == '+' || peek(lex, 1) == '-';
        if ((peek(lex, 0) == 'e' || peek(lex, 0) == 'E') && is_digit(peek(lex, 1 + sign))) {
            lex->type = T_DOUBLE;
            lex->next += 1 + sign;
            digits(lex);
        }
    }
    if (lex->type == T_INT && (peek(lex, 0) == 'u' || peek(lex, 0) == 'U')) {
        lex->type = T_UINT;
        lex->next++;
    }
    if (is_letter(peek(lex, 0)))
        return refuse(lex, lex->start, "malformed number");
    return 0;
}

static int quoted_identifier(struct cel_lexer *lex)
{
    lex->next++;
    uint32_t from = lex->next;
    while (is_letter(peek(lex, 0)) || is_digit(peek(lex, 0)) ||
           (peek(lex, 0) != '\0' && strchr("./- ", peek(lex, 0)) != NULL))
        lex->next++;
    if (peek(lex, 0) != '`' || lex->next == from)
        return refuse(lex, lex->start, "malformed quoted identifier");
    lex->n = lex->next++ - from;
    lex->s = arena_strndup(lex->arena, lex->text + from, lex->n);
    lex->type = T_QUOTED;
    return lex->s == NULL ? err_nomem(lex->err) : 0;
}

static int identifier(struct cel_lexer *lex)
{
    static const struct { const char *word; enum token token; } words[] = {
        { "true", T_TRUE }, { "false", T_FALSE }, { "null", T_NULL }, { "in", T_IN },
    };

    while (is_letter(peek(lex, 0)) || is_digit(peek(lex, 0)))
        lex->next++;
    lex->n = lex->next - lex->start;
    lex->s = arena_strndup(lex->arena, lex->text + lex->start, lex->n);
    if (lex->s == NULL)
        return err_nomem(lex->err);
    lex->type = T_IDENT;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(lex->s, words[i].word) == 0)
            lex->type = words[i].token;
    }
    return 0;
}

static const struct { const char *text; enum token token; } signs[] = {
    { "==", T_EQ }, { "!=", T_NE }, { "<=", T_LE }, { ">=", T_GE }, { "&&", T_AND }, { "||", T_OR },
    { "<", T_LT }, { ">", T_GT }, { "[", T_LBRACKET }, { "]", T_RBRACKET }, { "{", T_LBRACE },
    { "}", T_RBRACE }, { "(", T_LPAREN }, { ")", T_RPAREN }, { ".", T_DOT }, { ",", T_COMMA },
    { "-", T_MINUS }, { "!", T_NOT }, { "?", T_QUESTION }, { ":", T_COLON }, { "+", T_PLUS },
    { "*", T_STAR }, { "/", T_SLASH }, { "%", T_PERCENT },
};

const char *token_text(enum token t)
{
    static const char *const words[] = {
        [T_END] = "the end", [T_INT] = "an integer", [T_UINT] = "an unsigned integer", [T_DOUBLE] = "a number",
        [T_STRING] = "a string", [T_BYTES] = "bytes", [T_IDENT] = "a name", [T_QUOTED] = "a quoted name",
        [T_TRUE] = "'true'", [T_FALSE] = "'false'", [T_NULL] = "'null'", [T_IN] = "'in'",
    };

    if (t <= T_IN)
        return words[t];
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (signs[i].token == t)
            return signs[i].text;
    }
    return "?";
}

static int sign(struct cel_lexer *lex)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        const char *s = signs[i].text;
        if (peek(lex, 0) == s[0] && (s[1] == '\0' || peek(lex, 1) == s[1])) {
            lex->type = signs[i].token;
            lex->next += s[1] == '\0' ? 1 : 2;
            return 0;
        }
    }
    return refuse(lex, lex->start, "unexpected character");
}

int lex_next(struct cel_lexer *lex)
{
    skip_space(lex);
    lex->start = lex->next;
    char c = peek(lex, 0);
    int rc;

    if (lex->next >= lex->len) {
        lex->type = T_END;
        lex->end = lex->start;
        return 0;
    }
    int text = prefixed_string(lex);
    if (text != 0)
        rc = text > 0 ? 0 : -1;
    else if (is_letter(c))
        rc = identifier(lex);
    else if (is_digit(c) || (c == '.' && is_digit(peek(lex, 1))))
        rc = number(lex);
    else if (c == '`')
        rc = quoted_identifier(lex);
    else
        rc = sign(lex);
    lex->end = lex->next;
    return rc;
}
