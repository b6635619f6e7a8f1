/* problem.c - see problem.h. */
#include "http/problem.h"
#include "base/str.h"

#include <stdio.h>

enum { MAX_ERRORS = 50 };

struct problem_item {
    const char *path, *detail;
};

struct problem {
    const char *type, *title, *detail, *request_id;
    int64_t status;
    const struct problem_item *errors;
    size_t n_errors;
};

static const struct field item_fields[] = {
    { "path", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct problem_item, path), 0, 0, 0, NULL, NULL,
      "Where in the document, as $.a.b[1]." },
    { "detail", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct problem_item, detail), 0, 0, 0, NULL, NULL,
      "What is wrong there." },
};
static const struct shape item_shape = {
    "problem_error", sizeof(struct problem_item), item_fields, N_ITEMS(item_fields), false,
};

static const struct field fields[] = {
    { "type", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct problem, type), 0, 0, 0, NULL, NULL,
      "Stable kind of the problem: /problems/ and one word." },
    { "title", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct problem, title), 0, 0, 0, NULL, NULL,
      "The kind in words." },
    { "status", FIELD_INT, FIELD_REQUIRED, offsetof(struct problem, status), 0, 100, 599, NULL, NULL,
      "The HTTP status." },
    { "detail", FIELD_TEXT, 0, offsetof(struct problem, detail), 0, 0, 0, NULL, NULL,
      "What was found and what was expected." },
    { "request_id", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct problem, request_id), 0, 0, 0, NULL, NULL,
      "Names this request in the server's log." },
    { "errors", FIELD_LIST, FIELD_OMIT_EMPTY, offsetof(struct problem, errors), offsetof(struct problem, n_errors),
      0, MAX_ERRORS, &item_shape, NULL, "Everything that is wrong with the document." },
};
const struct shape problem_shape = { "problem", sizeof(struct problem), fields, N_ITEMS(fields), false };

void problem_write(struct buf *b, unsigned status, const struct err *err, const char *request_id,
                   const struct complaints *all)
{
    struct problem_item items[MAX_ERRORS];
    const struct err_info *info = err_info(err->kind);
    struct problem p = {
        .title = info->title, .status = status != 0 ? (int64_t)status : info->http_status, .request_id = request_id,
        .detail = err->kind == ERR_INTERNAL || err->msg[0] == '\0' ? NULL : err->msg, .errors = items,
    };
    char type[64];

    snprintf(type, sizeof type, "/problems/%s", info->slug);
    p.type = type;
    for (const struct complaint *c = all == NULL ? NULL : all->first; c != NULL && p.n_errors < MAX_ERRORS; c = c->next)
        items[p.n_errors++] = (struct problem_item){ c->path, c->message };
    shape_encode(&problem_shape, &p, b);
}
