/* range.c - "is this version inside that range?"; the syntax is in version.h.
 * No Boolean short cut: a range with an error is an error for every version. */
#include "core/version/parts.h"

#include "base/str.h"

enum { CONDITIONS_MAX = 64 };

enum op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };

static const struct {
    const char *text;
    enum op op;
} ops[] = { { "<=", OP_LE }, { ">=", OP_GE }, { "==", OP_EQ }, { "!=", OP_NE }, { "<", OP_LT }, { ">", OP_GT }, { "=", OP_EQ } };

struct reader {
    enum version_scheme scheme;
    const char *version;
    const char *range, *at;
    unsigned n;
    struct err *err;
};

static int fail(const struct reader *r, const char *what)
{
    return err_set(r->err, ERR_INVALID, "version range column %zu: %s", (size_t)(r->at - r->range) + 1, what);
}

static void skip_space(struct reader *r)
{
    while (is_space(*r->at))
        r->at++;
}

static enum op take_op(struct reader *r)
{
    for (size_t i = 0; i < N_ITEMS(ops); i++) {
        if (str_starts(r->at, ops[i].text)) {
            r->at += strlen(ops[i].text);
            return ops[i].op;
        }
    }
    return OP_EQ;
}

static bool holds(enum op op, int c)
{
    switch (op) {
    case OP_EQ: return c == 0;
    case OP_NE: return c != 0;
    case OP_LT: return c < 0;
    case OP_LE: return c <= 0;
    case OP_GT: return c > 0;
    case OP_GE: return c >= 0;
    }
    return false;
}

static int read_condition(struct reader *r, bool *ok)
{
    char bound[VERSION_MAX + 1];

    if (++r->n > CONDITIONS_MAX)
        return fail(r, "more than 64 conditions");
    if (*r->at == '*') {
        r->at++;
        *ok = true;
        return 0;
    }
    const char *start = r->at;
    enum op op = take_op(r);
    skip_space(r);
    size_t len = strcspn(r->at, " \t\r\n\v\f,|<>=");
    if (len == 0)
        return fail(r, r->at > start ? "expected a version after the operator" : "expected a condition such as \"< 2.17.1\"");
    if (strchr("^~!([", *r->at) != NULL)
        return fail(r, "unknown operator; use < <= > >= = !=");
    if (len > VERSION_MAX)
        return fail(r, "version longer than 4096 bytes");
    memcpy(bound, r->at, len);
    bound[len] = '\0';
    r->at += len;
    *ok = holds(op, version_compare(r->scheme, r->version, bound));
    return 0;
}

/* All conditions up to "||" or the end. */
static int read_alternative(struct reader *r, bool *all)
{
    *all = true;
    for (;;) {
        bool ok;
        skip_space(r);
        if (read_condition(r, &ok) != 0)
            return -1;
        *all = *all && ok;
        skip_space(r);
        if (*r->at == ',')
            r->at++;
        else if (*r->at == '\0' || *r->at == '|')
            return 0;
    }
}

int version_in_range(enum version_scheme scheme, const char *version, const char *range,
                     bool *inside, struct err *err)
{
    struct reader r = { .scheme = scheme, .version = version, .range = range, .at = range, .err = err };
    bool any = false;

    if (version[0] == '\0' || strnlen(version, VERSION_MAX + 1) > VERSION_MAX)
        return err_set(err, ERR_INVALID, "a version has 1 to %d bytes", VERSION_MAX);
    for (;;) {
        bool all;
        if (read_alternative(&r, &all) != 0)
            return -1;
        any = any || all;
        if (*r.at == '\0')
            break;
        if (r.at[1] != '|')
            return fail(&r, "expected \"||\"");
        r.at += 2;
    }
    *inside = any;
    return 0;
}
