/* call.h - commands that are one call of the API: a row says which, the functions
 * here do it.
 *
 * The target's "{}" are the command's arguments in order; arguments left over go
 * to `arg_key`.  For reading, every other option is a query parameter of its name
 * with '_' for '-'; for writing, `fields` say where it goes in the body. */
#ifndef KEEP_CTL_CALL_H
#define KEEP_CTL_CALL_H

#include "ctl/ctl.h"

enum field_kind { AS_TEXT = 0, AS_TEXTS, AS_FILE, AS_TRUE };

struct api_field {
    const char *option;              /* NULL: the first argument */
    const char *key;
    enum field_kind kind;
    bool required;
};

struct api_call {
    const char *method, *target;
    const struct column *columns; size_t n_columns;      /* of items, or of the object */
    const struct api_field *fields; size_t n_fields;
    const char *arg_key;             /* query parameter of an argument that is not in the target */
    const char *done;                /* said after a write without an answer; "%s": the first argument */
    const char *empty;               /* said when a list is empty */
    const char *next;                /* the command to type after it */
    bool once;
};

int call_list(struct ctl *c);        /* GET, pages by --limit */
int call_show(struct ctl *c);        /* GET one object */
int call_change(struct ctl *c);      /* POST, PUT, DELETE */

/* The command's target, with arguments and (query) options; NULL without memory. */
const char *call_target(struct ctl *c);

/* Shows an object, or its list "items", by the call's columns. */
int call_print(struct ctl *c, const struct json *object);

/* --limit, for every list. */
#define LIMIT_OPTION { "limit", "N", "How many at most (100; 0: all there are).", false }
int limit_of(struct ctl *c, size_t *out);                /* 0, or CODE_LOCAL */

#define ROWS(a) (a), N_ITEMS(a)

#endif
