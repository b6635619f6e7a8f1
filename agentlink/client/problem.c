/* problem.c - what an answer that is no success means (RFC 9457). */
#include "client/http.h"

#include "wire/json.h"

enum { PROBLEMS_MAX = 100 };

static const struct { unsigned status; enum err_kind kind; } kinds[] = {
    { 400, ERR_INVALID }, { 401, ERR_UNAUTHENTICATED }, { 403, ERR_FORBIDDEN }, { 404, ERR_NOT_FOUND },
    { 405, ERR_METHOD }, { 408, ERR_TIMEOUT }, { 409, ERR_CONFLICT }, { 412, ERR_PRECONDITION },
    { 413, ERR_TOO_LARGE }, { 415, ERR_MEDIA_TYPE }, { 422, ERR_UNPROCESSABLE }, { 429, ERR_RATE_LIMITED },
    { 501, ERR_NOT_IMPLEMENTED }, { 507, ERR_STORAGE_FULL },
};

/* What is not in the table: our mistake below 500, the server's trouble above. */
static enum err_kind kind_of(unsigned status)
{
    for (size_t i = 0; i < N_ITEMS(kinds); i++) {
        if (kinds[i].status == status)
            return kinds[i].kind;
    }
    return status >= 500 ? ERR_UNAVAILABLE : ERR_INVALID;
}

static void take_problems(const struct json *list, struct arena *arena, struct client_answer *out)
{
    uint32_t n = json_len(list) < PROBLEMS_MAX ? json_len(list) : PROBLEMS_MAX;
    struct client_problem *items = arena_array(arena, n, sizeof *items);

    for (uint32_t i = 0; items != NULL && i < n; i++)
        items[i] = (struct client_problem){ json_get_str(json_at(list, i), "path", ""),
                                            json_get_str(json_at(list, i), "detail", "") };
    out->problems = items;
    out->n_problems = items != NULL ? n : 0;
}

int client_problem_read(unsigned status, struct bytes body, struct arena *arena, struct client_answer *out,
                        struct err *err)
{
    struct json doc;
    struct err ignored = { 0 };
    const struct json_opts opts = { .max_depth = 8, .max_values = 2000 };

    out->status = status;
    if (body.len == 0 || json_parse(arena, body.ptr, body.len, &opts, &doc, &ignored) != 0 || doc.type != JSON_OBJECT)
        return err_set(err, kind_of(status), "the server answered %u%s", status,
                       status >= 300 && status < 400 ? ": a redirect, which is not followed; give the final address" : "");
    out->title = json_get_str(&doc, "title", NULL);
    out->request_id = json_get_str(&doc, "request_id", NULL);
    take_problems(json_get(&doc, "errors"), arena, out);
    return err_set(err, kind_of(status), "%s",
                   json_get_str(&doc, "detail", out->title != NULL ? out->title : "no details given"));
}
