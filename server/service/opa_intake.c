/* opa_intake.c - what OPA agents report: their status and their decisions.
 *
 * Decoding runs on a worker; the writer only inserts.  An agent keeps what was not
 * answered with 2xx and sends it again, so that answer comes after the commit, and a
 * decision that is there already is no error.  Of a status 47 of 48 KB are metrics of
 * the agent's own process, which are dropped. */
#include "service/opa.h"

#include "base/time.h"
#include "service/check.h"
#include "store/opa.h"
#include "wire/json_util.h"
#include "wire/jsonw.h"

#include <string.h>

enum { ID_MAX = 256, NAME_MAX_LEN = 512, DOCUMENT_MAX = 64 << 10, INPUT_MAX = 32 << 10, RESULT_MAX = 32 << 10, DECISIONS_MAX = 5000 };

static const struct json_opts opts = { .max_depth = 128, .max_values = 500000, .big_numbers = true, .duplicate_keys = true };

struct decisions { struct opa_decision *items; size_t n; };

static int parse(struct call *c, struct json *out, struct err *err)
{
    return json_parse(c->arena, c->body.ptr, c->body.len, &opts, out, err) != 0 ? err_prefix(err, "body") : 0;
}

static bool is_id(const char *s, size_t max)
{
    size_t len = s != NULL ? strlen(s) : 0;

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    }
    return len > 0 && len <= max;
}

static int partition_of(const struct call *c, const char **out, struct err *err)
{
    *out = c->path != NULL && c->path[0] != NULL ? c->path[0] : "";
    if (**out != '\0' && !is_id(*out, ID_MAX))
        return err_set(err, ERR_INVALID, "partition: at most %d bytes without control characters", ID_MAX);
    return 0;
}

/* A text of the agent's, or "" when it is none that can be kept. */
static const char *text_of(const struct json *v, const char *key)
{
    const char *s = json_get_str(v, key, "");

    return strlen(s) <= NAME_MAX_LEN ? s : "";
}

/* ---- status ---------------------------------------------------------------------- */

static void put_member(struct jsonw *w, const struct json_member *m)
{
    if (!str_eq(m->key, "metrics") || !json_is(&m->value, JSON_OBJECT)) {
        jsonw_key(w, m->key);
        jsonw_value(w, &m->value);
        return;
    }
    jsonw_key(w, m->key);
    jsonw_object(w);
    for (uint32_t i = 0; i < m->value.n; i++) {
        if (str_eq(m->value.members[i].key, "prometheus"))
            continue;
        jsonw_key(w, m->value.members[i].key);
        jsonw_value(w, &m->value.members[i].value);
    }
    jsonw_object_end(w);
}

static const char *document_of(const struct json *doc, struct arena *arena, struct err *err)
{
    struct jsonw w;
    struct buf b;

    buf_init(&b, DOCUMENT_MAX);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    for (uint32_t i = 0; i < doc->n; i++)
        put_member(&w, &doc->members[i]);
    jsonw_object_end(&w);
    const char *text = b.failed ? NULL : arena_strndup(arena, b.ptr, b.len);
    if (b.failed)
        err_set(err, ERR_TOO_LARGE, "status: more than %d bytes without its metrics", DOCUMENT_MAX);
    else if (text == NULL)
        err_nomem(err);
    buf_free(&b);
    return text;
}

/* Our bundle among the agent's: the one named keep, else the first that has a
 * revision.  Whatever bundle is in trouble is told. */
static void look_at_bundles(const struct json *bundles, struct arena *arena, struct opa_status *s)
{
    bool found = false;

    s->revision = s->problem = "";
    for (uint32_t i = 0; i < json_n_members(bundles); i++) {
        const struct json_member *m = &bundles->members[i];
        const char *revision = text_of(&m->value, "active_revision"), *code = text_of(&m->value, "code");
        if (!found && *revision != '\0' && (*s->revision == '\0' || str_eq(m->key, "keep"))) {
            s->revision = revision;
            found = str_eq(m->key, "keep");
        }
        if (*code != '\0' && *s->problem == '\0')
            s->problem = arena_printf(arena, "%.100s: %.400s", code, text_of(&m->value, "message"));
    }
}

int opa_status_prepare(struct call *c, const void *in, void *out, struct err *err)
{
    struct opa_status *s = arena_alloc(c->arena, sizeof *s);
    struct json doc;

    (void)in, (void)out;
    if (s == NULL)
        return err_nomem(err);
    if (partition_of(c, &s->partition, err) != 0 || parse(c, &doc, err) != 0)
        return -1;
    const struct json *labels = json_get(&doc, "labels");
    s->instance = json_get_str(labels, "id", NULL);
    if (!is_id(s->instance, ID_MAX))
        return err_set(err, ERR_INVALID, "$.labels.id: the agent's id is expected, 1 to %d bytes", ID_MAX);
    s->version = text_of(labels, "version");
    s->seen_ms = c->now_ms;
    look_at_bundles(json_get(&doc, "bundles"), c->arena, s);
    s->document = document_of(&doc, c->arena, err);
    if (s->document == NULL)
        return -1;
    if (s->problem == NULL)
        return err_nomem(err);
    c->prepared = s;
    return 0;
}

int opa_status_take(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in, (void)out;
    c->status = 204;
    return opa_status_put(c->db, c->prepared, err);
}

/* ---- decisions ------------------------------------------------------------------------ */

/* Compact, or NULL when absent or too large. */
static int keep_value(const struct json *v, size_t max, struct arena *arena, const char **out, struct err *err)
{
    struct buf b;

    *out = NULL;
    if (v == NULL)
        return 0;
    buf_init(&b, max);
    json_print(v, &b);
    if (!b.failed && (*out = arena_strndup(arena, b.ptr, b.len)) == NULL)
        return buf_free(&b), err_nomem(err);
    buf_free(&b);
    return 0;
}

/* Of the bundle named keep, else of the first. */
static const char *revision_of(const struct json *bundles)
{
    const struct json *ours = json_get(bundles, "keep");

    if (ours == NULL && json_n_members(bundles) > 0)
        ours = &bundles->members[0].value;
    return text_of(ours, "revision");
}

static int read_decision(struct call *c, const struct json *v, uint32_t i, struct opa_decision *d, struct err *err)
{
    d->decision_id = json_get_str(v, "decision_id", NULL);
    if (!is_id(d->decision_id, ID_MAX))
        return err_set(err, ERR_INVALID, "$[%u].decision_id: 1 to %d bytes are expected", i, ID_MAX);
    d->received_ms = c->now_ms;
    d->instance = text_of(json_get(v, "labels"), "id");
    d->path = text_of(v, "path");
    d->path += *d->path == '/';
    d->revision = revision_of(json_get(v, "bundles"));
    d->requested_by = text_of(v, "requested_by");
    if (!time_parse(json_get_str(v, "timestamp", ""), &d->at_ms) || d->at_ms == TIME_UNKNOWN)
        d->at_ms = c->now_ms;
    return keep_value(json_get(v, "input"), INPUT_MAX, c->arena, &d->input, err) != 0 ||
           keep_value(json_get(v, "result"), RESULT_MAX, c->arena, &d->result, err) != 0 ? -1 : 0;
}

int opa_logs_prepare(struct call *c, const void *in, void *out, struct err *err)
{
    struct decisions *list = arena_alloc(c->arena, sizeof *list);
    const char *partition;
    struct json doc;

    (void)in, (void)out;
    if (list == NULL)
        return err_nomem(err);
    if (partition_of(c, &partition, err) != 0 || parse(c, &doc, err) != 0)
        return -1;
    if (!json_is(&doc, JSON_ARRAY))
        return err_set(err, ERR_INVALID, "$: a list of decisions is expected");
    if (json_len(&doc) > DECISIONS_MAX)
        return err_set(err, ERR_TOO_LARGE, "$: %u decisions, at most %d are taken at once", json_len(&doc), DECISIONS_MAX);
    list->items = arena_array(c->arena, json_len(&doc), sizeof *list->items);
    if (list->items == NULL)
        return err_nomem(err);
    for (; list->n < json_len(&doc); list->n++) {
        struct opa_decision *d = &list->items[list->n];
        d->partition = partition;
        if (read_decision(c, json_at(&doc, (uint32_t)list->n), (uint32_t)list->n, d, err) != 0)
            return -1;
    }
    c->prepared = list;
    return 0;
}

int opa_logs_take(struct call *c, const void *in, void *out, struct err *err)
{
    const struct decisions *list = c->prepared;

    (void)in, (void)out;
    for (size_t i = 0; i < list->n; i++) {
        if (opa_decision_insert(c->db, &list->items[i], NULL, err) != 0)
            return -1;
    }
    c->status = 204;
    return 0;
}

/* ---- what people see ---------------------------------------------------------------------- */

static void status_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    const struct opa_status *s = items;

    *at_ms = s[i].seen_ms;
    *id = s[i].instance;
}

int opa_status_page(struct call *c, const void *in, void *out, struct err *err)
{
    const struct page_query *q = c->query;
    struct opa_status *items;
    const char *before;
    int64_t before_ms;
    size_t n;

    (void)in;
    if (page_start(q, c->arena, &before_ms, &before, err) != 0 ||
        opa_status_list(c->db, before_ms, before, page_limit(q), c->arena, &items, &n, err) != 0)
        return -1;
    return page_fill(q, c->arena, items, n, status_key, out, err);
}

static void decision_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    *at_ms = ((const struct opa_decision *)items)[i].id;
    *id = "";
}

int opa_decision_page(struct call *c, const void *in, void *out, struct err *err)
{
    static const struct opa_decision_query all = { 0 };
    const struct opa_decision_query *q = c->query != NULL ? c->query : &all;
    struct opa_decision *items;
    const char *unused;
    int64_t before;
    size_t n;

    (void)in;
    if (page_start(&q->page, c->arena, &before, &unused, err) != 0 ||
        opa_decision_list(c->db, q, before, page_limit(&q->page), c->arena, &items, &n, err) != 0)
        return -1;
    return page_fill(&q->page, c->arena, items, n, decision_key, out, err);
}
