/* events.h - a keepd with a node that runs containers of a known image, for the flow
 * tests of events and alerts. */
#ifndef KEEP_TESTS_FLOW_EVENTS_H
#define KEEP_TESTS_FLOW_EVENTS_H

#include "tests/flow/upload.h"
#include "tests/support/events.h"
#include "tests/support/node.h"

static const char container_base[] = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ff";
static const char stream_a[] = "0123456789abcdef0123456789abcdef", stream_b[] = "fedcba9876543210fedcba9876543210";

struct node_fixture {
    struct fixture f;                    /* first: the helpers of upload.h take it */
    struct test_node node;
    struct buf json;
};

static inline const char *as(struct node_fixture *t, enum role role)
{
    return keepd_token(&t->f.keepd, role);
}

static inline void node_fixture_reconnect(struct node_fixture *t)
{
    client_free(&t->f.client);
    client_init(&t->f.client, t->f.keepd.port);
}

static inline void report_container(struct node_fixture *t, int64_t base, int i, const char *image)
{
    char body[1024];

    snprintf(body, sizeof body, "{\"generation\":%" PRId64 ",\"base\":%" PRId64 ",\"containers\":[{\"id\":\"%s%04d\",\"name\":\"shop\",\"image\":\"%s\","
             "\"engine\":\"containerd\",\"namespace\":\"shop\",\"pod\":\"shop-%d\",\"workload\":\"shop\",\"pid\":1000}]}",
             base + 1, base, container_base, i, image, i);
    keepd_ask(&t->f.client, t->node.token, "POST", "/v1/agent/inventory", body, 200);
}

static inline void node_fixture_start(struct node_fixture *t, const char *const *settings)
{
    struct report_spec s = spec_of(1);

    keepd_open(&t->f.keepd, settings, getenv("KEEP_FLOW_PG") != NULL);
    client_init(&t->f.client, t->f.keepd.port);
    buf_init(&t->f.body, (size_t)256 << 20);
    buf_init(&t->json, 64 << 20);
    envelope_make(&s, t->f.keepd.key, false, &t->f.body);
    post_body(&t->f, "?image=shop.example/app:1.0", NULL, 201);      /* so that the tag is known */
    test_node_join(&t->f.client, as(t, ROLE_ADMIN), "prod", NULL, &t->node);
    report_container(t, 0, 0, "shop.example/app:1.0");
}

static inline int node_fixture_open(void **state)
{
    struct node_fixture *t = calloc(1, sizeof *t);

    if (t == NULL)
        abort();
    node_fixture_start(t, NULL);
    *state = t;
    return 0;
}

static inline int node_fixture_close(void **state)
{
    struct node_fixture *t = *state;

    client_free(&t->f.client);
    buf_free(&t->f.body);
    buf_free(&t->json);
    test_node_free(&t->node);
    keepd_close(&t->f.keepd);
    free(t);
    return 0;
}

static inline struct batch_spec batch_of(const char *stream, int64_t first, size_t n)
{
    return (struct batch_spec){ .stream = stream, .first = first, .n = n, .at_ms = time_now_ms() - 10000, .container = container_base,
                                .image = "shop.example/app:1.0" };
}

/* Must be answered with this status; the answer. */
static inline const struct json *send_batch(struct node_fixture *t, const struct batch_spec *s, int status)
{
    batch_make(s, &t->json);
    struct reply r = batch_post(&t->f.client, t->node.token, &t->json, true);
    if (r.status != status) {
        fprintf(stderr, "batch: expected %d, got %d: %.*s\n", status, r.status, (int)(r.len < 600 ? r.len : 600), r.body != NULL ? r.body : "");
        fail();
    }
    return client_json(&t->f.client, &r);
}

static inline void send_expect_through(struct node_fixture *t, const struct batch_spec *s, int64_t through)
{
    assert_int_equal(json_int(json_get(send_batch(t, s, 200), "accepted_through"), -1), through);
}

static inline int64_t rows_of(const struct node_fixture *t, const char *table)
{
    struct table_counts counts;

    keepd_count(&t->f.keepd, &counts);
    for (size_t i = 0; i < counts.n; i++) {
        if (strcmp(counts.name[i], table) == 0)
            return counts.rows[i];
    }
    return -1;
}

static inline const struct json *first_item(const struct json *list)
{
    const struct json *items = json_get(list, "items");

    return json_len(items) > 0 ? json_at(items, 0) : NULL;
}

#endif
