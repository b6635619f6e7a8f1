/* query.c - the rules a query must keep so that one text means the same on both
 * engines, checked without either.
 *
 * PostgreSQL numbers `$n` by its digits, SQLite takes it as a name and numbers it
 * by first appearance: the two agree exactly when the numbers first appear in
 * ascending order without a gap. */
#include "db/driver.h"

#include <string.h>

static const char *skip_quoted(const char *s)
{
    const char *end = strchr(s + 1, *s);

    return end != NULL ? end + 1 : s + strlen(s);      /* '' reads as two strings, which is fine here */
}

/* s is behind "$"; the number, or 0 when there is none or it is absurd. */
static size_t parameter_number(const char **s)
{
    size_t n = 0;

    for (; **s >= '0' && **s <= '9'; ++*s)
        n = n > DB_PARAMS_MAX ? n : n * 10 + (size_t)(**s - '0');
    return n;
}

static int check_parameters(const struct db_query *q, struct err *err)
{
    size_t seen = 0;

    for (const char *s = q->sql; *s != '\0';) {
        if (*s == '\'' || *s == '"') {
            s = skip_quoted(s);
        } else if (s[0] == '-' && s[1] == '-') {
            s += strcspn(s, "\n");
        } else if (*s == '?' || *s == '@' || *s == ':' || *s == ';') {
            return err_set(err, ERR_INTERNAL, "query %s: '%c' is not in the common subset", q->name, *s);
        } else if (*s++ == '$') {
            size_t n = parameter_number(&s);
            if (n == 0 || n > seen + 1)
                return err_set(err, ERR_INTERNAL, "query %s: found $%zu where $%zu or less should be: "
                               "parameters first appear in ascending order", q->name, n, seen + 1);
            seen = n > seen ? n : seen;
        }
    }
    if (seen != strlen(q->in))
        return err_set(err, ERR_INTERNAL, "query %s: the text uses %zu parameters, its letters say %zu",
                       q->name, seen, strlen(q->in));
    return 0;
}

int query_check(const struct db_query *q, struct err *err)
{
    if (q->name == NULL || q->in == NULL || q->out == NULL || q->sql == NULL)
        return err_set(err, ERR_INTERNAL, "query %s: a row with an empty field", q->name ? q->name : "(unnamed)");
    if (q->in[strspn(q->in, "itb")] != '\0' || q->out[strspn(q->out, "itb")] != '\0')
        return err_set(err, ERR_INTERNAL, "query %s: letters are i, t, b", q->name);
    if (strlen(q->in) > DB_PARAMS_MAX || strlen(q->out) > DB_COLUMNS_MAX)
        return err_set(err, ERR_INTERNAL, "query %s: too many parameters or columns", q->name);
    return check_parameters(q, err);
}

int query_check_values(const struct db_query *q, const struct db_value *in, size_t n, struct err *err)
{
    if (n != strlen(q->in))
        return err_set(err, ERR_INTERNAL, "%s: got %zu parameters, takes %zu", q->name, n, strlen(q->in));
    for (size_t i = 0; i < n; i++) {
        if (in[i].letter != q->in[i])
            return err_set(err, ERR_INTERNAL, "%s: parameter %zu is '%c', takes '%c'",
                           q->name, i + 1, in[i].letter, q->in[i]);
        /* SQLite would store anything, PostgreSQL refuses: refuse on both. */
        if (in[i].letter == 't' && !in[i].null && !str_is_utf8(in[i].ptr, strlen(in[i].ptr)))
            return err_set(err, ERR_INVALID, "%s: parameter %zu is not UTF-8 text", q->name, i + 1);
    }
    return 0;
}
