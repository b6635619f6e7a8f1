/* re2.c - from the syntax CEL means (RE2) to the one PCRE2 reads.
 *
 * Accepted and translated: what RE2 documents.  Refused: what only PCRE has
 * (look-around, back references, possessive and atomic groups, recursion,
 * conditions, comments, verbs), \C, repeat counts over 1000, a repeat of a repeat.
 *
 * Differences that remain: \pN classes know the Unicode version of PCRE2; (?i)
 * folds as PCRE2 does. */
#include "core/cel/internal.h"

enum { MAX_GROUPS = 100, MAX_REPEAT = 1000 };

struct translator {
    const char *s, *end;
    char *to;                  /* has room: no construct grows to more than 16 times itself */
    const char *why;
    uint32_t depth;
    bool repeatable;           /* something to repeat is in front */
    bool repeated;             /* and it is a repeat already */
};

static bool refuse(struct translator *t, const char *why)
{
    t->why = why;
    return false;
}

static void put(struct translator *t, const char *s)
{
    size_t n = strlen(s);

    memcpy(t->to, s, n);
    t->to += n;
}

static void put_code(struct translator *t, uint32_t code)
{
    static const char digits[] = "0123456789abcdef";

    put(t, "\\x{");
    for (int shift = 20; shift >= 0; shift -= 4)
        *t->to++ = digits[code >> shift & 15];
    *t->to++ = '}';
}

static int peek(const struct translator *t)
{
    return t->s < t->end ? (unsigned char)*t->s : -1;
}

static bool is_alnum(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hex(int c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Behind \x */
static bool hex_escape(struct translator *t)
{
    uint32_t code = 0;
    int n = 0;

    if (peek(t) == '{') {
        for (t->s++; hex(peek(t)) >= 0 && n < 8; n++)
            code = code << 4 | (uint32_t)hex((unsigned char)*t->s++);
        if (n == 0 || peek(t) != '}')
            return refuse(t, "malformed \\x escape");
        t->s++;
    } else {
        for (; n < 2 && hex(peek(t)) >= 0; n++)
            code = code << 4 | (uint32_t)hex((unsigned char)*t->s++);
        if (n != 2)
            return refuse(t, "malformed \\x escape");
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return refuse(t, "\\x escape is not a character");
    put_code(t, code);
    return true;
}

/* \1 to \7 need a second octal digit, else they would be back references. */
static bool octal_escape(struct translator *t, int first)
{
    uint32_t code = (uint32_t)(first - '0');

    if (first != '0' && (first > '7' || peek(t) < '0' || peek(t) > '7'))
        return refuse(t, "back references are not part of RE2");
    for (int i = 0; i < 2 && peek(t) >= '0' && peek(t) <= '7'; i++)
        code = code * 8 + (uint32_t)(*t->s++ - '0');
    put_code(t, code);
    return true;
}

/* Behind \p or \P: one letter, or {Name}, {^Name}. */
static bool property(struct translator *t, char letter)
{
    const char *from = t->s;
    bool braces = peek(t) == '{';

    if (braces) {
        for (t->s++; peek(t) != '}'; t->s++) {
            if (!is_alnum(peek(t)) && peek(t) != '_' && peek(t) != '^')
                return refuse(t, "malformed \\p class");
        }
    } else if (!is_alnum(peek(t))) {
        return refuse(t, "malformed \\p class");
    }
    t->s++;
    *t->to++ = '\\';
    *t->to++ = letter;
    memcpy(t->to, from, (size_t)(t->s - from));
    t->to += t->s - from;
    return true;
}

/* Letters whose meaning is the same or can be written out.  NULL in a class: not there. */
static const struct { char letter; const char *outside, *inside; bool width; } letters[] = {
    { 'a', "\\x07", "\\x07", true }, { 'f', "\\f", "\\f", true }, { 't', "\\t", "\\t", true },
    { 'n', "\\n", "\\n", true }, { 'r', "\\r", "\\r", true }, { 'v', "\\x0b", "\\x0b", true },
    { 'd', "[0-9]", "0-9", true }, { 'D', "[^0-9]", "\\D", true },
    { 'w', "[0-9A-Za-z_]", "0-9A-Za-z_", true }, { 'W', "[^0-9A-Za-z_]", "\\W", true },
    { 's', "[\\t\\n\\f\\r ]", "\\t\\n\\f\\r ", true }, { 'S', "[^\\t\\n\\f\\r ]", "\\S\\x0b", true },
    { 'A', "\\A", NULL, false }, { 'z', "\\z", NULL, false }, { 'b', "\\b", NULL, false }, { 'B', "\\B", NULL, false },
};

static bool quoted_run(struct translator *t)
{
    while (t->s < t->end) {
        if (t->end - t->s >= 2 && t->s[0] == '\\' && t->s[1] == 'E') {
            t->s += 2;
            return true;
        }
        if (!is_alnum(peek(t)) && peek(t) < 0x80)
            *t->to++ = '\\';
        *t->to++ = *t->s++;
    }
    return true;
}

/* Behind a backslash. */
static bool escape(struct translator *t, bool in_class)
{
    int c = peek(t);

    if (c < 0)
        return refuse(t, "a backslash at the end");
    t->s++;
    t->repeatable = true;
    if (c == 'x')
        return hex_escape(t);
    if (c >= '0' && c <= '9')
        return octal_escape(t, c);
    if (c == 'p' || c == 'P')
        return property(t, (char)c);
    if (c == 'Q' && !in_class)
        return quoted_run(t);
    for (size_t i = 0; i < N_ITEMS(letters); i++) {
        const char *text = in_class ? letters[i].inside : letters[i].outside;
        if (letters[i].letter == c && text != NULL) {
            put(t, text);
            return true;
        }
    }
    if (is_alnum(c) || c >= 0x80)
        return refuse(t, "unknown escape sequence");
    *t->to++ = '\\';
    *t->to++ = (char)c;
    return true;
}

/* Behind "[". */
static bool class_set(struct translator *t)
{
    bool first = true;

    *t->to++ = '[';
    if (peek(t) == '^')
        *t->to++ = *t->s++;
    for (;; first = false) {
        int c = peek(t);
        if (c < 0)
            return refuse(t, "a character class is not closed");
        t->s++;
        if (c == ']' && !first)
            break;
        if (c == '\\') {
            if (!escape(t, true))
                return false;
        } else if (c == '[') {
            const char *close = peek(t) == ':' ? memmem(t->s, (size_t)(t->end - t->s), ":]", 2) : NULL;
            if (close == NULL) {
                put(t, "\\[");
                continue;
            }
            *t->to++ = '[';
            while (t->s < close + 2)
                *t->to++ = *t->s++;
        } else {
            if (c == ']')
                *t->to++ = '\\';
            *t->to++ = (char)c;
        }
    }
    *t->to++ = ']';
    t->repeatable = true;
    return true;
}

/* Behind "(?" of flags: "i)", "i-s:", "-U)". */
static bool flags(struct translator *t)
{
    for (;; t->s++) {
        int c = peek(t);
        if (c == ')' || c == ':') {
            t->repeatable = false;
            t->depth += c == ':';
            *t->to++ = *t->s++;
            return true;
        }
        if (c < 0 || strchr("imsU-", c) == NULL)
            return refuse(t, "this kind of group is not part of RE2");
        *t->to++ = (char)c;
    }
}

/* Behind "(". */
static bool open_group(struct translator *t)
{
    *t->to++ = '(';
    t->repeatable = false;
    if (peek(t) == '*')
        return refuse(t, "nothing to repeat before '*'");
    if (peek(t) != '?') {
        t->depth++;
    } else {
        *t->to++ = *t->s++;
        bool p = peek(t) == 'P';
        const char *name = t->s + p;
        if (name < t->end && *name == '<' && name + 1 < t->end && name[1] != '=' && name[1] != '!') {
            t->depth++;
            while (t->s <= name)
                *t->to++ = *t->s++;
        } else if (!flags(t)) {
            return false;
        }
    }
    return t->depth <= MAX_GROUPS ? true : refuse(t, "the groups are nested too deeply");
}

/* "{n}", "{n,}", "{n,m}" behind "{"; 0 it is none: a plain brace. */
static int counted(const struct translator *t, int *least, int *most)
{
    const char *s = t->s;
    int v[2] = { 0, 0 }, n = 0;

    for (int i = 0; i < 2; i++) {
        const char *from = s;
        for (; s < t->end && *s >= '0' && *s <= '9' && v[i] <= MAX_REPEAT; s++)
            v[i] = v[i] * 10 + (*s - '0');
        if (s == from && i == 0)
            return 0;
        n = i;
        if (i == 1 && s == from)
            v[1] = -1;
        if (s >= t->end || *s != ',' || i == 1)
            break;
        s++;
    }
    if (s >= t->end || *s != '}')
        return v[0] > MAX_REPEAT || v[1] > MAX_REPEAT ? -1 : 0;
    *least = v[0];
    *most = n == 0 ? v[0] : v[1];
    return (int)(s + 1 - t->s);
}

static bool repeat(struct translator *t, int c)
{
    int least = 0, most = 0, n = c == '{' ? counted(t, &least, &most) : 0;

    if (c == '{' && n == 0) {
        put(t, "\\{");
        t->repeatable = true;
        t->repeated = false;
        return true;
    }
    if (n < 0 || least > MAX_REPEAT || most > MAX_REPEAT || (most >= 0 && least > most))
        return refuse(t, "repeat count is out of range");
    if (!t->repeatable)
        return refuse(t, "nothing to repeat");
    if (t->repeated)
        return refuse(t, "a repeat of a repeat");
    *t->to++ = (char)c;
    for (; n > 0; n--)
        *t->to++ = *t->s++;
    if (peek(t) == '?')
        *t->to++ = *t->s++;
    t->repeated = true;
    return true;
}

static bool one(struct translator *t)
{
    int c = (unsigned char)*t->s++;

    if (c == '*' || c == '+' || c == '?' || c == '{')
        return repeat(t, c);
    t->repeated = false;
    switch (c) {
    case '\\': return escape(t, false);
    case '[':  return class_set(t);
    case '(':  return open_group(t);
    case ')':
        if (t->depth == 0)
            return refuse(t, "unexpected ')'");
        t->depth--;
        t->repeatable = true;
        break;
    case '|':
        t->repeatable = false;
        break;
    case '#': case ' ': case '}':
        *t->to++ = '\\';
        t->repeatable = true;
        break;
    default:
        t->repeatable = true;
    }
    *t->to++ = (char)c;
    return true;
}

char *re2_translate(struct arena *arena, const char *s, size_t n, size_t *out_len, const char **why)
{
    char *out = arena_bytes(arena, n * 16 + 16);
    struct translator t = { .s = s, .end = s + n, .to = out };

    *why = NULL;
    if (out == NULL)
        return NULL;
    while (t.s < t.end) {
        if (!one(&t)) {
            *why = t.why;
            return NULL;
        }
    }
    if (t.depth > 0) {
        *why = "a group is not closed";
        return NULL;
    }
    *out_len = (size_t)(t.to - out);
    return out;
}
