/* events.h - batches of events as an agent sends them, for tests and benchmarks. */
#ifndef KEEP_TESTS_EVENTS_H
#define KEEP_TESTS_EVENTS_H

#include "base/compress.h"
#include "base/time.h"
#include "tests/support/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct batch_spec {
    const char *stream;                  /* 32 hex */
    int64_t first;                       /* seq of the first event */
    size_t n;
    int64_t at_ms;
    const char *container;               /* id of the containers: 60 digits, the last four count */
    int containers;                      /* so many different ones; 0: 1 */
    const char *image;                   /* reference */
    int strange_every;                   /* every n-th starts a program nobody expects; 0: none */
    const char *verdict;                 /* of the strange ones; NULL: observed */
    int severity;                        /* of the strange ones; 0: 6 */
    const char *rule;                    /* of the strange ones; NULL: none */
    const char *dropped;                 /* whole JSON list; NULL: none */
    int64_t n_dropped;                   /* numbers at the end that it accounts for */
};

static inline void batch_event(const struct batch_spec *s, size_t i, struct buf *out)
{
    char at[TIME_TEXT];
    bool strange = s->strange_every > 0 && i % (size_t)s->strange_every == 0;
    int container = s->containers > 1 ? (int)(i % (size_t)s->containers) : 0;
    const char *exe = strange ? "/tmp/stranger" : i % 3 == 0 ? "/usr/local/bin/shop" : i % 3 == 1 ? "/usr/bin/env" : "/usr/local/bin/worker";

    time_format(s->at_ms + (int64_t)i, at);
    buf_printf(out, "{\"seq\":%" PRId64 ",\"at\":\"%s\",\"source\":\"falco\",\"kind\":\"exec\",\"verdict\":\"%s\",\"severity\":%d,"
               "\"node\":\"worker-17.prod.example\",", s->first + (int64_t)i, at, strange && s->verdict != NULL ? s->verdict : "observed",
               strange && s->severity != 0 ? s->severity : 6);
    if (strange && s->rule != NULL)
        buf_printf(out, "\"rule\":\"%s\",", s->rule);
    buf_printf(out, "\"container\":{\"id\":\"%.60s%04d\",\"name\":\"shop\",\"image\":\"%s\",\"runtime\":\"containerd\"},"
               "\"place\":{\"namespace\":\"shop\",\"pod\":\"shop-6d4f8c9b7f-%04d\",\"workload\":\"shop\"},", s->container, container, s->image, container);
    buf_printf(out, "\"process\":{\"exe\":\"%s\",\"name\":\"%s\",\"args\":\"--listen 0.0.0.0:8080 --cache /var/cache/shop --request %" PRId64 "\","
               "\"cwd\":\"/srv/shop\",\"user\":\"shop\",\"pid\":%d,\"ppid\":%d,\"uid\":1000,\"parent_exe\":\"/usr/local/bin/shop\",\"parent_name\":\"shop\"},"
               "\"chain\":[{\"exe\":\"/usr/local/bin/shop\",\"pid\":4711},{\"exe\":\"/usr/bin/containerd-shim-runc-v2\",\"pid\":4690}],\"count\":1}",
               exe, strrchr(exe, '/') + 1, s->first + (int64_t)i, 5000 + (int)(i % 900), 4711);
}

static inline void batch_make(const struct batch_spec *s, struct buf *out)
{
    buf_clear(out);
    buf_printf(out, "{\"stream\":\"%s\",\"first_seq\":%" PRId64 ",\"last_seq\":%" PRId64 ",\"events\":[", s->stream, s->first,
               s->first + (int64_t)s->n - 1 + s->n_dropped);
    for (size_t i = 0; i < s->n; i++) {
        buf_puts(out, i > 0 ? "," : "");
        batch_event(s, i, out);
    }
    buf_printf(out, "]%s%s}", s->dropped != NULL ? ",\"dropped\":" : "", s->dropped != NULL ? s->dropped : "");
    if (out->failed)
        abort();
}

/* Sends it zstd-coded, as an agent does. */
static inline struct reply batch_post_zstd(struct client *c, const char *token, const struct buf *json)
{
    struct err err = { 0 };
    struct buf packed;

    buf_init(&packed, json->len + 4096);
    if (zstd_deflate(json->ptr, json->len, 3, &packed, &err) != 0)
        abort();
    struct ask ask = { "POST", "/v1/agent/events", token, "Content-Type: application/json\r\nContent-Encoding: zstd\r\n", packed.ptr, packed.len };
    struct reply r = client_send(c, &ask);
    buf_free(&packed);
    return r;
}

/* Sends it as it is, or gzip-coded. */
static inline struct reply batch_post(struct client *c, const char *token, const struct buf *json, bool gzip)
{
    struct ask ask = { "POST", "/v1/agent/events", token, "Content-Type: application/json\r\n", json->ptr, json->len };
    struct err err = { 0 };
    struct buf packed;

    buf_init(&packed, json->len + 4096);
    if (gzip) {
        if (gzip_deflate(json->ptr, json->len, 6, &packed, &err) != 0)
            abort();
        ask = (struct ask){ "POST", "/v1/agent/events", token, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", packed.ptr, packed.len };
    }
    struct reply r = client_send(c, &ask);
    buf_free(&packed);
    return r;
}

#endif
