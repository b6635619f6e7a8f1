/* shape.c - messages by table: what is accepted, refused, said and written. */
#include "wire/shape.h"

#include "base/str.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---- a message with a field of each type ------------------------------------- */

static const char *const colours[] = { "", "red", "green", "blue", NULL };
static const char *const modes[] = { "audit", "warn", "enforce", NULL };

struct part {
    const char *name;
    int64_t count;
    int64_t seen_at;
    const struct part *inside;
};

static const struct shape part_shape;
static const struct field part_fields[] = {
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct part, name), .min = 1, .max = 8 },
    { .key = "count", .type = FIELD_INT, .off = offsetof(struct part, count), .min = 1, .max = 10 },
    { .key = "seen_at", .type = FIELD_TIME, .off = offsetof(struct part, seen_at) },
    { .key = "inside", .type = FIELD_OBJECT, .off = offsetof(struct part, inside), .inner = &part_shape },
};
static const struct shape part_shape = { "part", sizeof(struct part), part_fields, N_ITEMS(part_fields), false };

struct thing {
    bool on;
    int64_t size, any_size;
    double ratio;
    const char *title;
    int colour, mode;
    int64_t at_ms;
    const char *digest;
    const struct part *part;
    const struct part *parts; size_t n_parts;
    const char *const *tags; size_t n_tags;
    const struct json *extra;
    const char *raw;
    const char *id;
};

static const struct field thing_fields[] = {
    { .key = "on", .type = FIELD_BOOL, .off = offsetof(struct thing, on), .doc = "Whether it is on." },
    { .key = "size", .type = FIELD_INT, .off = offsetof(struct thing, size), .min = 1, .max = 500 },
    { .key = "any_size", .type = FIELD_INT, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct thing, any_size) },
    { .key = "ratio", .type = FIELD_NUMBER, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct thing, ratio), .min = 0, .max = 1 },
    { .key = "title", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct thing, title), .min = 1 },
    { .key = "colour", .type = FIELD_WORD, .off = offsetof(struct thing, colour), .words = colours },
    { .key = "mode", .type = FIELD_WORD, .off = offsetof(struct thing, mode), .words = modes },
    { .key = "at", .type = FIELD_TIME, .off = offsetof(struct thing, at_ms) },
    { .key = "digest", .type = FIELD_DIGEST, .off = offsetof(struct thing, digest) },
    { .key = "part", .type = FIELD_OBJECT, .off = offsetof(struct thing, part), .inner = &part_shape },
    { .key = "parts", .type = FIELD_LIST, .off = offsetof(struct thing, parts), .off_n = offsetof(struct thing, n_parts),
      .inner = &part_shape, .max = 3 },
    { .key = "tags", .type = FIELD_TEXTS, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct thing, tags),
      .off_n = offsetof(struct thing, n_tags), .min = 1, .max = 3 },
    { .key = "extra", .type = FIELD_ANY, .off = offsetof(struct thing, extra) },
    { .key = "raw", .type = FIELD_RAW, .flags = FIELD_OUT_ONLY, .off = offsetof(struct thing, raw) },
    { .key = "id", .type = FIELD_TEXT, .flags = FIELD_OUT_ONLY, .off = offsetof(struct thing, id) },
};
static const struct shape thing_shape = { "thing", sizeof(struct thing), thing_fields, N_ITEMS(thing_fields), false };

struct loose {
    const char *api_version;
    int64_t n;
};
static const struct field loose_fields[] = {
    { .key = "apiVersion", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct loose, api_version) },
    { .key = "n", .type = FIELD_INT, .off = offsetof(struct loose, n) },
};
static const struct shape loose_shape = { "loose", sizeof(struct loose), loose_fields, N_ITEMS(loose_fields), true };

/* ---- helpers -------------------------------------------------------------------- */

struct fixture {
    struct arena arena;
    struct complaints all;
    struct err err;
    struct thing thing;
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    arena_init(&f.arena, 8 << 20);
    f.all.arena = &f.arena;
    shape_init(&thing_shape, &f.thing);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    arena_clear(&((struct fixture *)*state)->arena);
    return 0;
}

static int decode_as(struct fixture *f, const struct shape *shape, const char *text, void *out)
{
    struct json doc;

    f->all = (struct complaints){ .arena = &f->arena, .max = f->all.max };
    assert_int_equal(json_parse(&f->arena, text, strlen(text), NULL, &doc, &f->err), 0);
    return shape_decode(shape, &doc, &f->arena, out, &f->all, &f->err);
}

static void accepts(struct fixture *f, const char *text)
{
    f->err.msg[0] = '\0';
    int rc = decode_as(f, &thing_shape, text, &f->thing);
    if (rc != 0)
        print_error("%s\n", f->err.msg);
    assert_int_equal(rc, 0);
    assert_int_equal(f->all.n, 0);
}

static void refuses(struct fixture *f, const char *text, const char *message)
{
    struct thing before = f->thing;

    assert_int_equal(decode_as(f, &thing_shape, text, &f->thing), -1);
    assert_int_equal(f->err.kind, ERR_INVALID);
    assert_string_equal(f->err.msg, message);
    assert_memory_equal(&before, &f->thing, sizeof before);
}

static void encodes(struct fixture *f, const char *text)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    shape_encode(&thing_shape, &f->thing, &b);
    assert_false(b.failed);
    assert_string_equal(b.ptr, text);
    buf_free(&b);
}

/* ---- decoding --------------------------------------------------------------------- */

static void a_message_of_every_type_decodes_and_encodes_equal(void **state)
{
    static const char text[] =
        "{\"on\":true,\"size\":500,\"any_size\":-7,\"ratio\":0.5,\"title\":\"T\xC3\xA4\",\"colour\":\"blue\","
        "\"mode\":\"warn\",\"at\":\"2026-11-25T13:11:58Z\",\"digest\":\"" DIGEST "\","
        "\"part\":{\"name\":\"p\",\"count\":1,\"seen_at\":\"1999-12-31T23:59:59.500Z\","
        "\"inside\":{\"name\":\"q\",\"count\":2}},"
        "\"parts\":[{\"name\":\"a\",\"count\":3},{\"name\":\"b\",\"count\":4}],"
        "\"tags\":[\"x\",\"y\"],\"extra\":{\"free\":[1,{}]}}";
    struct fixture *f = *state;

    accepts(f, text);
    assert_true(f->thing.on);
    assert_int_equal(f->thing.colour, 3);
    assert_int_equal(f->thing.mode, 1);
    assert_int_equal(f->thing.n_parts, 2);
    assert_string_equal(f->thing.parts[1].name, "b");
    assert_string_equal(f->thing.part->inside->name, "q");
    assert_string_equal(f->thing.tags[1], "y");
    assert_int_equal(json_len(json_get(f->thing.extra, "free")), 2);
    encodes(f, text);
}

static void absent_optional_members_stay_as_they_were(void **state)
{
    struct fixture *f = *state;

    f->thing.size = 42;
    f->thing.mode = 2;
    f->thing.digest = "default";
    accepts(f, "{\"title\":\"t\",\"mode\":null,\"parts\":null}");
    assert_int_equal(f->thing.size, 42);
    assert_int_equal(f->thing.mode, 2);
    assert_string_equal(f->thing.digest, "default");
    assert_int_equal(f->thing.at_ms, TIME_UNKNOWN);
}

static void an_inner_default_is_copied_and_completed(void **state)
{
    static const struct part standard = { .name = "std", .count = 5, .seen_at = TIME_UNKNOWN };
    struct fixture *f = *state;

    f->thing.part = &standard;
    accepts(f, "{\"title\":\"t\",\"part\":{\"name\":\"new\"}}");
    assert_string_equal(f->thing.part->name, "new");
    assert_int_equal(f->thing.part->count, 5);
    assert_string_equal(standard.name, "std");
}

static void times_of_inner_objects_start_unknown(void **state)
{
    struct fixture *f = *state;

    accepts(f, "{\"title\":\"t\",\"part\":{\"name\":\"n\"},\"parts\":[{\"name\":\"n\"}]}");
    assert_int_equal(f->thing.part->seen_at, TIME_UNKNOWN);
    assert_int_equal(f->thing.parts[0].seen_at, TIME_UNKNOWN);
}

static void unknown_keys_are_refused_with_a_suggestion(void **state)
{
    struct fixture *f = *state;

    refuses(f, "{\"title\":\"t\",\"colr\":\"red\"}", "$.colr: unknown key (did you mean \"colour\"?)");
    refuses(f, "{\"title\":\"t\",\"qwertyuiop\":1}", "$.qwertyuiop: unknown key");
    refuses(f, "{\"title\":\"t\",\"q\":1}", "$.q: unknown key");
    refuses(f, "{\"title\":\"t\",\"\":1}", "$[\"\"]: unknown key");
    refuses(f, "{\"title\":\"t\",\"part\":{\"name\":\"n\",\"cuont\":1}}",
            "$.part.cuont: unknown key (did you mean \"count\"?)");
}

static void output_only_members_are_unknown_on_the_way_in(void **state)
{
    struct fixture *f = *state;

    refuses(f, "{\"title\":\"t\",\"id\":\"x\"}", "$.id: unknown key");
    refuses(f, "{\"title\":\"t\",\"raw\":\"x\"}", "$.raw: unknown key");
}

static void hostile_keys_are_shown_harmless(void **state)
{
    char text[400] = "{\"title\":\"t\",\"\\u001b[2J\\n", want[200] = "$[\"?[2J?";
    struct fixture *f = *state;

    for (int i = 0; i < 100; i++)
        strcat(text, "k");
    strcat(text, "\":1}");
    for (int i = 0; i < 59; i++)
        strcat(want, "k");
    strcat(want, "...\"]: unknown key");
    refuses(f, text, want);
}

static void missing_required_members_are_named(void **state)
{
    struct fixture *f = *state;

    refuses(f, "{}", "$.title: is required");
    refuses(f, "{\"title\":null}", "$.title: is required");
    refuses(f, "{\"title\":\"t\",\"parts\":[{\"name\":\"a\"},{\"count\":1}]}", "$.parts[1].name: is required");
}

static void wrong_types_say_what_was_found(void **state)
{
    struct fixture *f = *state;

    refuses(f, "[]", "$: expected an object, found a list");
    refuses(f, "null", "$: expected an object, found null");
    refuses(f, "{\"title\":1}", "$.title: expected a string, found an integer");
    refuses(f, "{\"title\":\"t\",\"on\":\"true\"}", "$.on: expected a boolean, found a string");
    refuses(f, "{\"title\":\"t\",\"on\":1}", "$.on: expected a boolean, found an integer");
    refuses(f, "{\"title\":\"t\",\"size\":1.0}", "$.size: expected an integer, found a fraction");
    refuses(f, "{\"title\":\"t\",\"ratio\":\"1\"}", "$.ratio: expected a number, found a string");
    refuses(f, "{\"title\":\"t\",\"colour\":3}", "$.colour: expected a string, found an integer");
    refuses(f, "{\"title\":\"t\",\"at\":0}", "$.at: expected a time as a string, found an integer");
    refuses(f, "{\"title\":\"t\",\"digest\":{}}", "$.digest: expected a digest as a string, found an object");
    refuses(f, "{\"title\":\"t\",\"part\":[]}", "$.part: expected an object, found a list");
    refuses(f, "{\"title\":\"t\",\"parts\":{}}", "$.parts: expected a list, found an object");
    refuses(f, "{\"title\":\"t\",\"parts\":[null]}", "$.parts[0]: expected an object, found null");
    refuses(f, "{\"title\":\"t\",\"tags\":[true]}", "$.tags[0]: expected a string, found a boolean");
}

static void bounds_say_what_was_found_and_what_is_allowed(void **state)
{
    struct fixture *f = *state;

    refuses(f, "{\"title\":\"t\",\"size\":0}", "$.size: is 0; 1 to 500 allowed");
    refuses(f, "{\"title\":\"t\",\"size\":501}", "$.size: is 501; 1 to 500 allowed");
    refuses(f, "{\"title\":\"t\",\"ratio\":1.5}", "$.ratio: is 1.5; 0 to 1 allowed");
    refuses(f, "{\"title\":\"t\",\"ratio\":-1}", "$.ratio: is -1; 0 to 1 allowed");
    refuses(f, "{\"title\":\"\"}", "$.title: has 0 bytes; 1 to 1024 allowed");
    refuses(f, "{\"title\":\"t\",\"part\":{\"name\":\"123456789\"}}", "$.part.name: has 9 bytes; 1 to 8 allowed");
    refuses(f, "{\"title\":\"t\",\"parts\":[{},{},{},{}]}", "$.parts: has 4 items; at most 3 allowed");
    refuses(f, "{\"title\":\"t\",\"tags\":[]}", "$.tags: has 0 items; 1 to 3 allowed");
    refuses(f, "{\"title\":\"t\",\"tags\":[\"\"]}", "$.tags[0]: has 0 bytes; 1 to 1024 allowed");
    accepts(f, "{\"title\":\"t\",\"size\":1,\"ratio\":1,\"any_size\":-9223372036854775808}");
}

static void words_times_and_digests_are_checked(void **state)
{
    struct fixture *f = *state;

    refuses(f, "{\"title\":\"t\",\"colour\":\"rde\"}", "$.colour: \"rde\" is not one of: red, green, blue");
    refuses(f, "{\"title\":\"t\",\"colour\":\"\"}", "$.colour: \"\" is not one of: red, green, blue");
    refuses(f, "{\"title\":\"t\",\"mode\":\"WARN\"}", "$.mode: \"WARN\" is not one of: audit, warn, enforce");
    refuses(f, "{\"title\":\"t\",\"at\":\"yesterday\"}",
            "$.at: \"yesterday\" is not an RFC 3339 time like 2026-11-25T13:11:58Z");
    refuses(f, "{\"title\":\"t\",\"digest\":\"sha256:00\"}",
            "$.digest: \"sha256:00\" is not sha256: and 64 lower-case hex digits");
}

static void all_errors_are_reported_in_document_order(void **state)
{
    static const char *const paths[] = { "$.title", "$.size", "$.parts[0].name", "$.parts[0].count",
                                         "$.parts[2].name", "$.extraa", "$.on" };
    struct fixture *f = *state;
    size_t n = 0;

    assert_int_equal(decode_as(f, &thing_shape,
                               "{\"size\":0,\"parts\":[{\"count\":99},{\"name\":\"b\"},{\"name\":1}],\"extraa\":1,\"on\":3}",
                               &f->thing), -1);
    assert_int_equal(f->all.n, N_ITEMS(paths));
    for (const struct complaint *c = f->all.first; c != NULL; c = c->next)
        assert_string_equal(c->path, paths[n++]);
    assert_int_equal(n, N_ITEMS(paths));
    assert_string_equal(f->err.msg, "$.title: is required");
}

static void complaints_are_bounded_and_counted(void **state)
{
    struct fixture *f = *state;
    size_t n = 0;

    f->all.max = 2;
    assert_int_equal(decode_as(f, &thing_shape, "{\"title\":\"t\",\"a1\":1,\"b1\":1,\"c1\":1,\"d1\":1}", &f->thing), -1);
    for (const struct complaint *c = f->all.first; c != NULL; c = c->next)
        n++;
    assert_int_equal(n, 2);
    assert_int_equal(f->all.n, 4);
}

static void hand_written_complaints_sort_in(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(complain(&f->all, 20, "$.b", "%d", 2), -1);
    complain(&f->all, 10, "$.a", "1");
    complain(&f->all, 20, "$.c", "3");
    assert_string_equal(f->all.first->path, "$.a");
    assert_string_equal(f->all.first->next->message, "2");
    assert_string_equal(f->all.last->path, "$.c");
}

static void open_shapes_skip_what_they_do_not_know(void **state)
{
    struct fixture *f = *state;
    struct loose loose = { 0 };

    assert_int_equal(decode_as(f, &loose_shape, "{\"kind\":\"X\",\"apiVersion\":\"v1\",\"n\":3,\"m\":[{}]}", &loose), 0);
    assert_string_equal(loose.api_version, "v1");
    assert_int_equal(loose.n, 3);
    assert_int_equal(decode_as(f, &loose_shape, "{\"kind\":\"X\"}", &loose), -1);
}

static void a_key_given_twice_is_refused_even_when_the_parser_lets_it_pass(void **state)
{
    static const char text[] = "{\"apiVersion\":\"v1\",\"apiVersion\":\"v2\"}";
    struct fixture *f = *state;
    struct loose loose = { 0 };
    struct json doc;

    assert_int_equal(json_parse(&f->arena, text, strlen(text), &(struct json_opts){ .duplicate_keys = true }, &doc, &f->err), 0);
    assert_int_equal(shape_decode(&loose_shape, &doc, &f->arena, &loose, NULL, &f->err), -1);
    assert_string_equal(f->err.msg, "$.apiVersion: is given twice");
}

static void decoding_survives_an_arena_that_ends_anywhere(void **state)
{
    static const char text[] = "{\"title\":\"t\",\"part\":{\"name\":\"n\",\"inside\":{\"name\":\"m\"}},\"parts\":[{\"name\":\"x\"}],"
                               "\"tags\":[\"a\"]}";
    struct fixture *f = *state;
    struct json doc;
    bool succeeded = false;

    assert_int_equal(json_parse(&f->arena, text, strlen(text), NULL, &doc, &f->err), 0);
    for (size_t limit = 0; limit < 4096 && !succeeded; limit += 16) {
        struct arena small;
        struct thing thing;
        arena_init(&small, limit);
        shape_init(&thing_shape, &thing);
        succeeded = shape_decode(&thing_shape, &doc, &small, &thing, NULL, &f->err) == 0;
        if (!succeeded) {
            assert_null(thing.title);
            assert_int_equal(f->err.kind, ERR_UNAVAILABLE);
        }
        arena_clear(&small);
    }
    assert_true(succeeded);
}

/* ---- structs by value ---------------------------------------------------------------- */

struct holder {
    int64_t n;
    struct part part;
};
static const struct field holder_fields[] = {
    { .key = "n", .type = FIELD_INT, .off = offsetof(struct holder, n) },
    { .key = "part", .type = FIELD_INLINE, .off = offsetof(struct holder, part), .inner = &part_shape },
};
static const struct shape holder_shape = { "holder", sizeof(struct holder), holder_fields, N_ITEMS(holder_fields), false };

static void a_struct_by_value_is_filled_in_place(void **state)
{
    struct fixture *f = *state;
    struct holder h;
    struct buf b;

    shape_init(&holder_shape, &h);
    assert_int_equal(h.part.seen_at, TIME_UNKNOWN);
    h.part.count = 7;
    assert_int_equal(decode_as(f, &holder_shape, "{\"n\":1,\"part\":{\"name\":\"x\"}}", &h), 0);
    assert_string_equal(h.part.name, "x");
    assert_int_equal(h.part.count, 7);
    assert_int_equal(decode_as(f, &holder_shape, "{\"part\":{\"name\":\"y\",\"count\":99}}", &h), -1);
    assert_string_equal(f->err.msg, "$.part.count: is 99; 1 to 10 allowed");
    assert_string_equal(h.part.name, "x");
    buf_init(&b, 4096);
    shape_encode(&holder_shape, &h, &b);
    assert_string_equal(b.ptr, "{\"n\":1,\"part\":{\"name\":\"x\",\"count\":7}}");
    buf_free(&b);
    assert_null(shape_check(&holder_shape));
}

/* ---- queries ----------------------------------------------------------------------- */

struct query {
    int64_t limit;
    bool all;
    const char *q;
    int colour;
    int64_t since_ms;
    const char *digest;
};
static const struct field query_fields[] = {
    { .key = "limit", .type = FIELD_INT, .off = offsetof(struct query, limit), .min = 1, .max = 500 },
    { .key = "all", .type = FIELD_BOOL, .off = offsetof(struct query, all) },
    { .key = "q", .type = FIELD_TEXT, .off = offsetof(struct query, q), .max = 20 },
    { .key = "colour", .type = FIELD_WORD, .off = offsetof(struct query, colour), .words = colours },
    { .key = "since", .type = FIELD_TIME, .off = offsetof(struct query, since_ms) },
    { .key = "digest", .type = FIELD_DIGEST, .off = offsetof(struct query, digest) },
};
static const struct shape query_shape = { "query", sizeof(struct query), query_fields, N_ITEMS(query_fields), false };

static void a_query_decodes(void **state)
{
    struct fixture *f = *state;
    struct query q = { .limit = 50, .since_ms = TIME_UNKNOWN };

    assert_int_equal(shape_decode_query(&query_shape, NULL, &f->arena, &q, &f->err), 0);
    assert_int_equal(shape_decode_query(&query_shape, "", &f->arena, &q, &f->err), 0);
    assert_int_equal(q.limit, 50);
    assert_int_equal(shape_decode_query(&query_shape,
        "limit=7&all=true&q=a%20b%26c%3Dd=+e&colour=red&since=2026-01-02T03%3A04%3A05%2B01:00&digest=" DIGEST,
        &f->arena, &q, &f->err), 0);
    assert_int_equal(q.limit, 7);
    assert_true(q.all);
    assert_string_equal(q.q, "a b&c=d= e");
    assert_int_equal(q.colour, 1);
    assert_int_equal(q.since_ms, INT64_C(1767319445000));
    assert_string_equal(q.digest, DIGEST);
}

static void bad_queries_are_refused(void **state)
{
    static const struct { const char *query, *message; } cases[] = {
        { "limit=0", "query.limit: is 0; 1 to 500 allowed" },
        { "limit=-1", "query.limit: is -1; 1 to 500 allowed" },
        { "limit=07", "query.limit: expected an integer, found a string" },
        { "limit=", "query.limit: expected an integer, found a string" },
        { "limit=99999999999999999999", "query.limit: expected an integer, found a string" },
        { "limit=1&limit=1", "query.limit: is given twice" },
        { "limti=1", "query.limti: unknown key (did you mean \"limit\"?)" },
        { "all=1", "query.all: expected a boolean, found a string" },
        { "colour=pink", "query.colour: \"pink\" is not one of: red, green, blue" },
        { "q=%", "query: % without two hex digits" },
        { "q=%2", "query: % without two hex digits" },
        { "q=%zz", "query: % without two hex digits" },
        { "q=%00", "query: not UTF-8 text" },
        { "q=%ff", "query: not UTF-8 text" },
        { "q=%ed%a0%80", "query: not UTF-8 text" },
        { "q", "query: expected name=value" },
        { "=x", "query: expected name=value" },
        { "&q=x", "query: expected name=value" },
        { "q=x&", "query: expected name=value" },
        { "q=x&&all=true", "query: expected name=value" },
        { "q=123456789012345678901", "query.q: has 21 bytes; at most 20 allowed" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        struct query q = { .limit = 50 }, before = q;
        assert_int_equal(shape_decode_query(&query_shape, cases[i].query, &f->arena, &q, &f->err), -1);
        assert_string_equal(f->err.msg, cases[i].message);
        assert_memory_equal(&q, &before, sizeof q);
    }
}

static void a_query_of_too_many_parameters_is_refused(void **state)
{
    struct fixture *f = *state;
    struct loose loose = { 0 };
    struct buf b;

    buf_init(&b, 4096);
    for (int i = 0; i < 65; i++)
        buf_printf(&b, "%sx%d=1", i > 0 ? "&" : "", i);
    assert_int_equal(shape_decode_query(&loose_shape, b.ptr, &f->arena, &loose, &f->err), -1);
    assert_int_equal(f->err.kind, ERR_TOO_LARGE);
    buf_free(&b);
}

static void a_field_no_query_can_carry_is_our_mistake(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(shape_decode_query(&thing_shape, "title=t&tags=x", &f->arena, &f->thing, &f->err), -1);
    assert_int_equal(f->err.kind, ERR_INTERNAL);
}

/* ---- encoding, schema, self check ----------------------------------------------------- */

static void empty_optional_members_are_left_out(void **state)
{
    struct fixture *f = *state;

    f->thing.title = "t";
    f->thing.size = 1;
    encodes(f, "{\"on\":false,\"size\":1,\"title\":\"t\",\"mode\":\"audit\",\"parts\":[]}");
}

static void raw_text_is_written_as_it_is(void **state)
{
    struct fixture *f = *state;

    f->thing.title = "t";
    f->thing.raw = "{\"a\": [1]}";
    f->thing.id = "i";
    encodes(f, "{\"on\":false,\"size\":0,\"title\":\"t\",\"mode\":\"audit\",\"parts\":[],\"raw\":{\"a\": [1]},\"id\":\"i\"}");
}

static void a_word_outside_its_table_fails_the_buffer(void **state)
{
    struct fixture *f = *state;
    struct buf b;

    f->thing.title = "t";
    f->thing.colour = 4;
    buf_init(&b, 4096);
    shape_encode(&thing_shape, &f->thing, &b);
    assert_true(b.failed);
    buf_free(&b);
}

static void the_schema_says_what_decoding_enforces(void **state)
{
    struct fixture *f = *state;
    struct buf b;
    struct json v;

    buf_init(&b, 1 << 16);
    shape_schema(&thing_shape, &b);
    assert_false(b.failed);
    assert_int_equal(json_parse(&f->arena, b.ptr, b.len, NULL, &v, &f->err), 0);
    assert_string_equal(json_str(json_path(&v, "type"), ""), "object");
    assert_int_equal(json_int(json_path(&v, "properties.size.minimum"), 0), 1);
    assert_int_equal(json_int(json_path(&v, "properties.size.maximum"), 0), 500);
    assert_null(json_path(&v, "properties.any_size.minimum"));
    assert_int_equal(json_int(json_path(&v, "properties.title.maxLength"), 0), 1024);
    assert_int_equal(json_len(json_path(&v, "properties.colour.enum")), 3);
    assert_int_equal(json_len(json_path(&v, "properties.mode.enum")), 3);
    assert_string_equal(json_str(json_path(&v, "properties.part.$ref"), ""), "#/components/schemas/part");
    assert_string_equal(json_str(json_path(&v, "properties.parts.items.$ref"), ""), "#/components/schemas/part");
    assert_int_equal(json_int(json_path(&v, "properties.parts.maxItems"), 0), 3);
    assert_int_equal(json_int(json_path(&v, "properties.tags.minItems"), 0), 1);
    assert_true(json_bool(json_path(&v, "properties.id.readOnly"), false));
    assert_int_equal(json_n_members(json_path(&v, "properties.extra")), 0);
    assert_string_equal(json_str(json_path(&v, "properties.on.description"), ""), "Whether it is on.");
    assert_int_equal(json_len(json_path(&v, "required")), 1);
    assert_false(json_bool(json_path(&v, "additionalProperties"), true));
    buf_free(&b);
}

static void sound_shapes_pass_the_self_check(void **state)
{
    (void)state;
    assert_null(shape_check(&thing_shape));
    assert_null(shape_check(&loose_shape));
    assert_null(shape_check(&query_shape));
}

static void unsound_shapes_fail_the_self_check(void **state)
{
    static const char *const none[] = { NULL }, *const twice[] = { "a", "a", NULL }, *const hole[] = { "a", "", NULL };
    static const struct field bad[] = {
        { .type = FIELD_BOOL },
        { .key = "", .type = FIELD_BOOL },
        { .key = "with-dash", .type = FIELD_BOOL },
        { .key = "a" },
        { .key = "a", .type = FIELD_TYPE_N },
        { .key = "a", .type = FIELD_INT, .off = sizeof(struct thing) },
        { .key = "a", .type = FIELD_INT, .off = 1 },
        { .key = "a", .type = FIELD_TEXTS, .off = 0, .off_n = 0 },
        { .key = "a", .type = FIELD_TEXTS, .off = 0, .off_n = sizeof(struct thing) },
        { .key = "a", .type = FIELD_LIST, .off = 0, .off_n = 8 },
        { .key = "a", .type = FIELD_OBJECT },
        { .key = "a", .type = FIELD_INLINE },
        { .key = "a", .type = FIELD_INLINE, .off = sizeof(struct thing) - 8, .inner = &part_shape },
        { .key = "a", .type = FIELD_TEXT, .inner = &part_shape },
        { .key = "a", .type = FIELD_WORD },
        { .key = "a", .type = FIELD_WORD, .words = none },
        { .key = "a", .type = FIELD_WORD, .words = twice },
        { .key = "a", .type = FIELD_WORD, .words = hole },
        { .key = "a", .type = FIELD_TEXT, .words = colours },
        { .key = "a", .type = FIELD_TEXT, .min = 5, .max = 4 },
        { .key = "a", .type = FIELD_RAW },
    };
    static const struct field same[] = { { .key = "a", .type = FIELD_BOOL }, { .key = "a", .type = FIELD_INT } };
    static const struct shape broken = { "broken", 0, NULL, 0, false };
    static const struct field holder[] = { { .key = "a", .type = FIELD_OBJECT, .inner = &broken } };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        if (shape_check(&(struct shape){ "bad", sizeof(struct thing), &bad[i], 1, false }) == NULL)
            fail_msg("row %zu passed", i);
    }
    assert_non_null(shape_check(&(struct shape){ "same", sizeof(struct thing), same, 2, false }));
    assert_non_null(shape_check(&(struct shape){ "holder", sizeof(struct thing), holder, 1, false }));
}

struct numbers { const int64_t *ints; size_t n; };
static const struct field numbers_fields[] = {
    { .key = "ints", .type = FIELD_INTS, .off = offsetof(struct numbers, ints), .off_n = offsetof(struct numbers, n), .min = 1, .max = 9 },
};
static const struct shape numbers_shape = { "numbers", sizeof(struct numbers), numbers_fields, N_ITEMS(numbers_fields), false };

static void numbers_come_back_and_each_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct numbers n = { NULL, 0 };
    struct buf b;

    assert_null(shape_check(&numbers_shape));
    assert_int_equal(decode_as(f, &numbers_shape, "{\"ints\":[1,9]}", &n), 0);
    assert_int_equal(n.n, 2);
    assert_int_equal(n.ints[1], 9);
    buf_init(&b, 1024);
    shape_encode(&numbers_shape, &n, &b);
    assert_string_equal(b.ptr, "{\"ints\":[1,9]}");
    buf_free(&b);
    assert_int_equal(decode_as(f, &numbers_shape, "{\"ints\":[1,10]}", &n), -1);
    assert_string_equal(f->err.msg, "$.ints[1]: is 10; 1 to 9 allowed");
    assert_int_equal(decode_as(f, &numbers_shape, "{\"ints\":[\"1\"]}", &n), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(numbers_come_back_and_each_is_bounded),
        TEST(a_message_of_every_type_decodes_and_encodes_equal),
        TEST(absent_optional_members_stay_as_they_were),
        TEST(an_inner_default_is_copied_and_completed),
        TEST(times_of_inner_objects_start_unknown),
        TEST(unknown_keys_are_refused_with_a_suggestion),
        TEST(output_only_members_are_unknown_on_the_way_in),
        TEST(hostile_keys_are_shown_harmless),
        TEST(missing_required_members_are_named),
        TEST(wrong_types_say_what_was_found),
        TEST(bounds_say_what_was_found_and_what_is_allowed),
        TEST(words_times_and_digests_are_checked),
        TEST(all_errors_are_reported_in_document_order),
        TEST(complaints_are_bounded_and_counted),
        TEST(hand_written_complaints_sort_in),
        TEST(open_shapes_skip_what_they_do_not_know),
        TEST(a_key_given_twice_is_refused_even_when_the_parser_lets_it_pass),
        TEST(decoding_survives_an_arena_that_ends_anywhere),
        TEST(a_struct_by_value_is_filled_in_place),
        TEST(a_query_decodes),
        TEST(bad_queries_are_refused),
        TEST(a_query_of_too_many_parameters_is_refused),
        TEST(a_field_no_query_can_carry_is_our_mistake),
        TEST(empty_optional_members_are_left_out),
        TEST(raw_text_is_written_as_it_is),
        TEST(a_word_outside_its_table_fails_the_buffer),
        TEST(the_schema_says_what_decoding_enforces),
        TEST(sound_shapes_pass_the_self_check),
        TEST(unsound_shapes_fail_the_self_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
