/* yaml.c - YAML text -> values, see yaml.h.  Printing is in yaml_print.c.
 *
 * libyaml delivers events; nodes are composed by recursion no deeper than
 * max_depth.  A value an anchor names is shared by its aliases, never copied,
 * but whoever walks the tree walks it once per alias: so each use is measured
 * and counted as if it were written out. */
#include "wire/yaml.h"

#include "base/str.h"
#include "wire/json_tree.h"
#include "wire/yaml_scalar.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_DEFAULT = 64, DEPTH_MAX = 1024, VALUES_DEFAULT = 2000000, ANCHORS_MAX = 1000, MERGED_MAX = 4096 };

struct anchor {
    const char *name;
    struct json value;
};

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct err *err;
    const char *text;
    size_t len;
    size_t chars, bytes;               /* the same place, for libyaml counts characters */
    uint32_t max_depth, max_values, n_values;
    bool big_numbers;
    struct json_stack stack;           /* children of open containers */
    struct anchor *anchors;            /* malloc'ed, ANCHORS_MAX of them */
    size_t n_anchors;
};

#define CLEAN_EVENT __attribute__((cleanup(yaml_event_delete))) yaml_event_t

/* ---- where, and what is wrong ----------------------------------------------------- */

/* Places are asked for nearly in order, so the walk from the last one is short. */
static uint32_t byte_offset(struct reader *r, size_t chars)
{
    const unsigned char *s = (const unsigned char *)r->text;

    for (; r->chars < chars && r->bytes < r->len; r->chars++) {
        do
            r->bytes++;
        while (r->bytes < r->len && (s[r->bytes] & 0xC0) == 0x80);
    }
    for (; r->chars > chars; r->chars--) {
        do
            r->bytes--;
        while ((s[r->bytes] & 0xC0) == 0x80);
    }
    return (uint32_t)r->bytes;
}

static int fail(struct reader *r, size_t at_char, enum err_kind kind, const char *what)
{
    unsigned line, column;

    json_position(r->text, r->len, byte_offset(r, at_char), &line, &column);
    return err_set(r->err, kind, "YAML line %u column %u: %s", line, column, what);
}

static int fail_parser(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem != NULL ? p->problem : "not YAML";

    if (p->error == YAML_MEMORY_ERROR)
        return err_nomem(r->err);
    /* The reader stage knows a byte, the later ones a character. */
    if (p->error == YAML_READER_ERROR) {
        unsigned line, column;
        json_position(r->text, r->len, (uint32_t)p->problem_offset, &line, &column);
        return err_set(r->err, ERR_INVALID, "YAML line %u column %u: %s", line, column, problem);
    }
    return fail(r, p->problem_mark.index, ERR_INVALID, problem);
}

static int next_event(struct reader *r, yaml_event_t *event)
{
    return yaml_parser_parse(&r->parser, event) ? 0 : fail_parser(r);
}

/* ---- counting ----------------------------------------------------------------------- */

static int count_values(struct reader *r, size_t at_char, uint32_t n)
{
    r->n_values += n;
    if (r->n_values > r->max_values || r->n_values < n)
        return fail(r, at_char, ERR_TOO_LARGE, "too many values (aliases count at every use)");
    return 0;
}

/* Counts v, used once more at that depth, with everything in it; a long text
 * counts for more, since whoever copies the tree copies it. */
static int count_again(struct reader *r, size_t at_char, const struct json *v, uint32_t depth)
{
    bool container = v->type == JSON_ARRAY || v->type == JSON_OBJECT;

    if (count_values(r, at_char, 1 + (v->type == JSON_STRING ? v->n / 256 : 0)) != 0)
        return -1;
    if (container && depth >= r->max_depth)
        return fail(r, at_char, ERR_TOO_LARGE, "nested too deeply");
    for (uint32_t i = 0; container && i < v->n; i++) {
        const struct json *child = v->type == JSON_ARRAY ? &v->items[i] : &v->members[i].value;
        if (count_again(r, at_char, child, depth + 1) != 0)
            return -1;
    }
    return 0;
}

/* ---- anchors --------------------------------------------------------------------------- */

static int anchor_add(struct reader *r, size_t at_char, const yaml_char_t *name, const struct json *value)
{
    if (name == NULL)
        return 0;
    if (r->anchors == NULL && (r->anchors = calloc(ANCHORS_MAX, sizeof *r->anchors)) == NULL)
        return err_nomem(r->err);
    if (r->n_anchors == ANCHORS_MAX)
        return fail(r, at_char, ERR_TOO_LARGE, "more than 1000 anchors");
    char *copy = arena_strdup(r->arena, (const char *)name);
    if (copy == NULL)
        return err_nomem(r->err);
    r->anchors[r->n_anchors++] = (struct anchor){ copy, *value };
    return 0;
}

/* A name may be given again: the last one before the alias counts.  A value is
 * known only once it is complete, so nothing can contain itself. */
static int alias_value(struct reader *r, const yaml_event_t *event, uint32_t depth, struct json *out)
{
    size_t at = event->start_mark.index;

    for (size_t i = r->n_anchors; i-- > 0;) {
        if (str_eq(r->anchors[i].name, (const char *)event->data.alias.anchor)) {
            *out = r->anchors[i].value;
            return count_again(r, at, out, depth);
        }
    }
    return fail(r, at, ERR_INVALID, "alias of an unknown anchor");
}

/* ---- scalars ------------------------------------------------------------------------------ */

static int copy_string(struct reader *r, const yaml_event_t *event, const char **text, uint32_t *n)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;

    if (!str_is_utf8(value, len))
        return fail(r, event->start_mark.index, ERR_INVALID, "text with a NUL or not UTF-8");
    char *copy = arena_strndup(r->arena, value, len);
    if (copy == NULL)
        return err_nomem(r->err);
    *text = copy;
    *n = (uint32_t)len;
    return 0;
}

/* The core tags; whatever else is asked for is refused. */
static int scalar_tag(struct reader *r, const yaml_event_t *event, enum yaml_kind *wanted)
{
    static const struct { const char *tag; enum yaml_kind kind; } tags[] = {
        { YAML_STR_TAG, YAML_KIND_STRING }, { YAML_INT_TAG, YAML_KIND_INT },   { YAML_FLOAT_TAG, YAML_KIND_REAL },
        { YAML_BOOL_TAG, YAML_KIND_BOOL },  { YAML_NULL_TAG, YAML_KIND_NULL },
    };
    const char *tag = (const char *)event->data.scalar.tag;

    *wanted = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? YAML_KIND_ANY : YAML_KIND_STRING;
    if (tag == NULL)
        return 0;
    for (size_t i = 0; i < N_ITEMS(tags); i++) {
        if (str_eq(tag, tags[i].tag))
            return *wanted = tags[i].kind, 0;
    }
    return fail(r, event->start_mark.index, ERR_INVALID, "tag that is not one of !!str !!int !!float !!bool !!null");
}

static int scalar_value(struct reader *r, const yaml_event_t *event, struct json *out)
{
    size_t at = event->start_mark.index, len = event->data.scalar.length;
    enum yaml_kind wanted;
    const char *wrong;

    if (scalar_tag(r, event, &wanted) != 0)
        return -1;
    out->type = JSON_STRING;
    if (wanted != YAML_KIND_STRING &&
        (wrong = yaml_resolve((const char *)event->data.scalar.value, len, wanted, r->big_numbers, out)) != NULL)
        return fail(r, at, ERR_INVALID, wrong);
    if (out->type == JSON_STRING)
        return copy_string(r, event, &out->string, &out->n);
    /* Behind anchor and tag: where the number itself is written. */
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        out->offset = byte_offset(r, event->end_mark.index - len);
    return 0;
}

/* ---- containers ---------------------------------------------------------------------------- */

static int compose(struct reader *r, const yaml_event_t *event, uint32_t depth, struct json *out);

static int check_tag(struct reader *r, const yaml_event_t *event, const yaml_char_t *tag, const char *core)
{
    if (tag == NULL || str_eq((const char *)tag, core) || str_eq((const char *)tag, "!"))
        return 0;
    return fail(r, event->start_mark.index, ERR_INVALID, "tag that is not !!map or !!seq");
}

static int push_value(struct reader *r, const struct json_member *m)
{
    struct json_member *slot = json_push(&r->stack, r->arena);

    if (slot == NULL)
        return err_nomem(r->err);
    *slot = *m;
    return 0;
}

static int compose_list(struct reader *r, const yaml_event_t *start, uint32_t depth, struct json *out)
{
    size_t first = r->stack.n;

    if (check_tag(r, start, start->data.sequence_start.tag, YAML_SEQ_TAG) != 0)
        return -1;
    for (;;) {
        CLEAN_EVENT event = { 0 };
        struct json_member m = { 0 };
        if (next_event(r, &event) != 0)
            return -1;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        if (compose(r, &event, depth, &m.value) != 0 || push_value(r, &m) != 0)
            return -1;
    }
    uint32_t n = (uint32_t)(r->stack.n - first);
    if (json_make_array(r->arena, n > 0 ? r->stack.items + first : NULL, n, out) != JSON_MADE)
        return err_nomem(r->err);
    r->stack.n = first;
    return 0;
}

static bool is_merge_key(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           event->data.scalar.tag == NULL && str_eq((const char *)event->data.scalar.value, "<<");
}

/* Adds the members of one merged mapping that the stack from `first` lacks. */
static int merge_mapping(struct reader *r, size_t at, size_t first, const struct json *from, uint32_t depth)
{
    if (from->type != JSON_OBJECT)
        return fail(r, at, ERR_INVALID, "<< merges a mapping or a list of mappings");
    for (uint32_t i = 0; i < from->n; i++) {
        bool known = false;
        if (r->stack.n - first > MERGED_MAX)
            return fail(r, at, ERR_TOO_LARGE, "more than 4096 keys in a mapping with <<");
        for (size_t j = first; j < r->stack.n && !known; j++)
            known = json_same_key(&r->stack.items[j], &from->members[i]);
        if (known)
            continue;
        if (count_again(r, at, &from->members[i].value, depth) != 0 || push_value(r, &from->members[i]) != 0)
            return -1;
    }
    return 0;
}

static int merge(struct reader *r, size_t at, size_t first, const struct json *from, uint32_t depth)
{
    if (from->type != JSON_ARRAY)
        return merge_mapping(r, at, first, from, depth);
    for (uint32_t i = 0; i < from->n; i++) {
        if (merge_mapping(r, at, first, &from->items[i], depth) != 0)
            return -1;
    }
    return 0;
}

static int compose_key(struct reader *r, const yaml_event_t *event, struct json_member *m)
{
    size_t at = event->start_mark.index;
    enum yaml_kind ignored;

    if (event->type == YAML_ALIAS_EVENT)
        return fail(r, at, ERR_INVALID, "a key must be written out, not an alias");
    if (event->type != YAML_SCALAR_EVENT)
        return fail(r, at, ERR_INVALID, "a key must be a string");
    if (event->data.scalar.anchor != NULL)
        return fail(r, at, ERR_INVALID, "an anchor on a key");
    if (event->data.scalar.length == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return fail(r, at, ERR_INVALID, "a key is missing");
    return scalar_tag(r, event, &ignored) != 0 ? -1 : copy_string(r, event, &m->key, &m->key_len);
}

/* One key and its value; *merged is set instead for a `<<`. */
static int compose_pair(struct reader *r, const yaml_event_t *key, uint32_t depth, struct json *merged)
{
    CLEAN_EVENT event = { 0 };
    struct json_member m = { 0 };

    if (is_merge_key(key)) {
        if (merged->type != JSON_NULL)
            return fail(r, key->start_mark.index, ERR_INVALID, "duplicate key <<");
        if (next_event(r, &event) != 0 || compose(r, &event, depth, merged) != 0)
            return -1;
        bool right = merged->type == JSON_OBJECT || merged->type == JSON_ARRAY;
        return right ? 0 : fail(r, event.start_mark.index, ERR_INVALID, "<< merges a mapping or a list of mappings");
    }
    if (compose_key(r, key, &m) != 0 || next_event(r, &event) != 0 || compose(r, &event, depth, &m.value) != 0)
        return -1;
    return push_value(r, &m);
}

static int close_mapping(struct reader *r, size_t first, struct json *out)
{
    uint32_t n = (uint32_t)(r->stack.n - first), bad = 0;
    const struct json_member *m = n > 0 ? r->stack.items + first : NULL;
    unsigned line, column;

    switch (json_make_object(r->arena, m, n, false, out, &bad)) {
    case JSON_MADE:
        r->stack.n = first;
        return 0;
    case JSON_NO_MEMORY:
        return err_nomem(r->err);
    case JSON_DUPLICATE:
        json_position(r->text, r->len, m[bad].value.offset, &line, &column);
        return err_set(r->err, ERR_INVALID, "YAML line %u column %u: value of a duplicate key", line, column);
    case JSON_FLOOD:
        return err_set(r->err, ERR_TOO_LARGE, "YAML: too many keys with one hash");
    }
    return -1;
}

static int compose_mapping(struct reader *r, const yaml_event_t *start, uint32_t depth, struct json *out)
{
    size_t first = r->stack.n;
    struct json merged = { 0 };

    if (check_tag(r, start, start->data.mapping_start.tag, YAML_MAP_TAG) != 0)
        return -1;
    for (;;) {
        CLEAN_EVENT key = { 0 };
        if (next_event(r, &key) != 0)
            return -1;
        if (key.type == YAML_MAPPING_END_EVENT)
            break;
        if (compose_pair(r, &key, depth, &merged) != 0)
            return -1;
    }
    if (merged.type != JSON_NULL && merge(r, start->start_mark.index, first, &merged, depth) != 0)
        return -1;
    return close_mapping(r, first, out);
}

/* The node an event begins; depth counts the containers around it. */
static int compose(struct reader *r, const yaml_event_t *event, uint32_t depth, struct json *out)
{
    size_t at = event->start_mark.index;
    const yaml_char_t *anchor;

    if (event->type == YAML_ALIAS_EVENT)
        return alias_value(r, event, depth, out);
    if (count_values(r, at, 1) != 0)
        return -1;
    out->offset = byte_offset(r, at);
    if (event->type == YAML_SCALAR_EVENT) {
        if (scalar_value(r, event, out) != 0)
            return -1;
        return anchor_add(r, at, event->data.scalar.anchor, out);
    }
    if (depth == r->max_depth)
        return fail(r, at, ERR_TOO_LARGE, "nested too deeply");
    if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        return compose_list(r, event, depth + 1, out) != 0 ? -1 : anchor_add(r, at, anchor, out);
    }
    if (event->type != YAML_MAPPING_START_EVENT)
        return fail(r, at, ERR_INTERNAL, "unexpected event");
    anchor = event->data.mapping_start.anchor;
    return compose_mapping(r, event, depth + 1, out) != 0 ? -1 : anchor_add(r, at, anchor, out);
}

/* ---- documents ------------------------------------------------------------------------------- */

/* 1: a document, 0: the stream's end. */
static int read_document(struct reader *r, struct json *out)
{
    CLEAN_EVENT start = { 0 };
    CLEAN_EVENT node = { 0 };
    CLEAN_EVENT end = { 0 };

    if (next_event(r, &start) != 0)
        return -1;
    if (start.type == YAML_STREAM_END_EVENT)
        return 0;
    r->n_anchors = 0;
    *out = (struct json){ 0 };
    if (next_event(r, &node) != 0 || compose(r, &node, 0, out) != 0 || next_event(r, &end) != 0)
        return -1;
    return 1;
}

static int read_stream(struct reader *r, size_t max_docs, const struct json **docs, size_t *n_docs)
{
    CLEAN_EVENT start = { 0 };
    struct json_member doc = { 0 };
    struct json list;
    int rc = next_event(r, &start);

    while (rc == 0 && (rc = read_document(r, &doc.value)) == 1) {
        if (r->stack.n == max_docs)
            return fail(r, r->parser.mark.index, ERR_TOO_LARGE, max_docs == 1 ? "more than one document" : "too many documents");
        rc = push_value(r, &doc);
    }
    if (rc != 0)
        return -1;
    if (json_make_array(r->arena, r->stack.items, (uint32_t)r->stack.n, &list) != JSON_MADE)
        return err_nomem(r->err);
    *docs = list.items;
    *n_docs = list.n;
    return 0;
}

static bool looks_like_json(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (memchr(" \t\r\n", text[i], 4) == NULL)
            return text[i] == '{' || text[i] == '[';
    }
    return false;
}

static int parse_json(struct arena *arena, const char *text, size_t len, const struct json_opts *opts,
                      const struct json **docs, size_t *n_docs, struct err *err)
{
    struct json *doc = arena_alloc(arena, sizeof *doc);

    if (doc == NULL)
        return err_nomem(err);
    if (json_parse(arena, text, len, opts, doc, err) != 0)
        return -1;
    *docs = doc;
    *n_docs = 1;
    return 0;
}

static int parse_yaml(struct arena *arena, const char *text, size_t len, const struct json_opts *opts, size_t max_docs,
                      const struct json **docs, size_t *n_docs, struct err *err)
{
    struct reader r = { .arena = arena, .err = err, .text = text, .len = len, .big_numbers = opts->big_numbers };

    r.max_depth = opts->max_depth == 0 ? DEPTH_DEFAULT : opts->max_depth > DEPTH_MAX ? DEPTH_MAX : opts->max_depth;
    r.max_values = opts->max_values == 0 ? VALUES_DEFAULT : opts->max_values;
    if (!yaml_parser_initialize(&r.parser))
        return err_nomem(err);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    int rc = read_stream(&r, max_docs, docs, n_docs);
    yaml_parser_delete(&r.parser);
    json_stack_free(&r.stack);
    free(r.anchors);
    return rc;
}

int yaml_parse_all(struct arena *arena, const void *text, size_t len, const struct json_opts *opts, size_t max_docs,
                   const struct json **docs, size_t *n_docs, struct err *err)
{
    struct json_opts o = { 0 };
    struct err from_json = { 0 };

    if (opts != NULL) {
        o.max_depth = opts->max_depth;
        o.max_values = opts->max_values;
        o.big_numbers = opts->big_numbers;
    }
    if (len >= UINT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "YAML text of 4 GiB or more");
    if (!looks_like_json(text, len))
        return parse_yaml(arena, text, len, &o, max_docs, docs, n_docs, err);
    if (parse_json(arena, text, len, &o, docs, n_docs, &from_json) == 0)
        return 0;
    /* Flow style begins like JSON; if it is not that either, JSON was meant. */
    if (from_json.kind == ERR_INVALID && parse_yaml(arena, text, len, &o, max_docs, docs, n_docs, err) == 0)
        return 0;
    *err = from_json;
    return -1;
}

int yaml_parse(struct arena *arena, const void *text, size_t len, const struct json_opts *opts, struct json *out,
               struct err *err)
{
    const struct json *docs;
    size_t n;

    if (yaml_parse_all(arena, text, len, opts, 1, &docs, &n, err) != 0)
        return -1;
    *out = n == 1 ? docs[0] : (struct json){ .type = JSON_NULL };
    return 0;
}
