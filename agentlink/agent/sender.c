/* sender.c - see sender.h. */
#include "agent/sender.h"

#include "base/compress.h"
#include "base/time.h"
#include "wire/json.h"
#include "wire/jsonw.h"

#include <string.h>

enum {
    ARENA_MAX = 8 << 20, BODY_MAX = 4 << 20, ANSWER_MAX = 64 << 10, ZSTD_LEVEL = 3, GZIP_LEVEL = 5,
    PAUSE_LEAST_MS = 1000, PAUSE_MOST_MS = 300000, SLOW_MOST_MS = 60000,
};

void sender_init(struct sender *s, struct spool *spool, struct link *link, const struct settings *settings)
{
    memset(s, 0, sizeof *s);
    s->spool = spool;
    s->link = link;
    arena_init(&s->arena, ARENA_MAX);
    sender_take_settings(s, settings);
}

void sender_clear(struct sender *s)
{
    arena_clear(&s->arena);
}

void sender_take_settings(struct sender *s, const struct settings *settings)
{
    s->coding = settings_coding(settings);
    s->max_events = (size_t)settings->send_events;
    s->max_bytes = (size_t)settings->send_bytes;
    s->events_now = s->max_events;
}

/* ---- the message ------------------------------------------------------------------- */

static void write_event(const struct spool_event *e, struct buf *out)
{
    bool is_empty = e->json[1] == '}';

    buf_printf(out, "{\"seq\":%lld%s", (long long)e->seq, is_empty ? "" : ",");
    buf_put(out, e->json + 1, e->len - 1);
}

static void write_drops(const struct spool_batch *b, struct jsonw *w)
{
    jsonw_array(w);
    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        for (int r = 0; r < SPOOL_REASON_N; r++) {
            if (b->dropped[c][r] == 0)
                continue;
            jsonw_object(w);
            jsonw_kstr(w, "class", spool_class_word((enum spool_class)c));
            jsonw_kstr(w, "reason", spool_reason_word((enum spool_reason)r));
            jsonw_kint(w, "count", b->dropped[c][r]);
            jsonw_object_end(w);
        }
    }
    jsonw_array_end(w);
}

void batch_write(const struct spool_batch *b, struct buf *out)
{
    struct jsonw w;

    buf_printf(out, "{\"stream\":\"%s\",\"first_seq\":%lld,\"last_seq\":%lld,\"events\":[", b->stream, (long long)b->first,
               (long long)b->last);
    for (size_t i = 0; i < b->n; i++) {
        if (i > 0)
            buf_putc(out, ',');
        write_event(&b->events[i], out);
    }
    buf_puts(out, "],\"dropped\":");
    jsonw_init(&w, out);
    write_drops(b, &w);
    buf_putc(out, '}');
}

static int compress(enum send_coding coding, const struct buf *text, struct buf *out, struct err *err)
{
    buf_init(out, text->len + text->len / 8 + 4096);
    return coding == CODING_ZSTD ? zstd_deflate(text->ptr, text->len, ZSTD_LEVEL, out, err) :
                                   gzip_deflate(text->ptr, text->len, GZIP_LEVEL, out, err);
}

/* ---- the answer ---------------------------------------------------------------------- */

static const struct json *answer_json(const struct client_answer *a, struct arena *arena, struct json *doc)
{
    struct err ignored = { 0 };

    return json_parse(arena, a->body.ptr, a->body.len, NULL, doc, &ignored) == 0 ? doc : NULL;
}

static int accepted(struct sender *s, const struct spool_batch *b, const struct client_answer *a, int64_t *pause_ms,
                    struct err *err)
{
    struct json doc;
    const struct json *said = answer_json(a, &s->arena, &doc);
    int64_t through = json_int(json_get(said, "accepted_through"), -1), slow = json_int(json_get(said, "slow_ms"), 0);

    if (through < 0)
        return err_set(err, ERR_UNAVAILABLE, "the server's answer to a batch does not say what it accepted");
    if (spool_ack(s->spool, through, err) != 0)
        return -1;
    if (through < b->last)
        return err_set(err, ERR_UNAVAILABLE, "the server accepted up to %lld of %lld to %lld", (long long)through,
                       (long long)b->first, (long long)b->last);
    *pause_ms = slow < 0 ? 0 : slow > SLOW_MOST_MS ? SLOW_MOST_MS : slow;
    s->counts.batches++;
    s->counts.events += (int64_t)b->n;
    s->counts.last_ok_ms = time_now_ms();
    if (s->events_now < s->max_events)
        s->events_now = s->events_now * 2 < s->max_events ? s->events_now * 2 : s->max_events;
    return 1;
}

static int out_of_step(struct sender *s, const struct client_answer *a, struct err *err)
{
    struct json doc;
    int64_t expected = json_int(json_get(answer_json(a, &s->arena, &doc), "expected_seq"), -1);

    s->counts.refused++;
    if (expected < 1)
        return err_set(err, ERR_UNAVAILABLE, "the server refuses a batch and does not say what it expects");
    return spool_rewind(s->spool, expected, err);
}

static int never(struct sender *s, const struct spool_batch *b, struct err *err)
{
    struct err why = *err;

    s->counts.refused++;
    s->events_now = b->n > 1 ? b->n / 2 : 1;
    if (b->n == 0)
        return err_prefix(err, "the server does not take the account of what was dropped");
    if (spool_reject(s->spool, err) != 0)
        return -1;
    *err = why;
    return 0;
}

static int64_t pause_after_failure(struct sender *s, int64_t retry_after_ms)
{
    int64_t pause = backoff_ms(s->n_failed++, PAUSE_LEAST_MS, PAUSE_MOST_MS, random_u32());

    s->counts.failures = s->n_failed;
    return pause > retry_after_ms ? pause : retry_after_ms;
}

/* 1 acknowledged, 0 again at once, -1 later. */
static int judge(struct sender *s, const struct spool_batch *b, const struct client_answer *a, int rc, int64_t *pause_ms,
                 struct err *err)
{
    if (rc == 0)
        return accepted(s, b, a, pause_ms, err);
    switch (a->status) {
    case 409: return out_of_step(s, a, err);
    case 400: case 413: case 422: return never(s, b, err);
    default: return -1;
    }
}

static int send_batch(struct sender *s, const struct spool_batch *b, struct client_answer *a, struct err *err)
{
    struct client_request r = { .method = "POST", .target = "/v1/agent/events", .content_type = "application/json",
                                .content_encoding = s->coding == CODING_ZSTD ? "zstd" : s->coding == CODING_GZIP ? "gzip" : NULL,
                                .key = "", .timeout_ms = MS_MINUTE, .answer_max = ANSWER_MAX };
    struct buf text, packed = { 0 };
    int rc = 0;

    buf_init(&text, BODY_MAX);
    batch_write(b, &text);
    if (text.failed)
        rc = err_nomem(err);
    else if (s->coding != CODING_NONE)
        rc = compress(s->coding, &text, &packed, err);
    const struct buf *body = s->coding == CODING_NONE ? &text : &packed;
    r.body = (struct bytes){ (const unsigned char *)body->ptr, body->len };
    if (rc == 0) {
        s->counts.bytes_raw += (int64_t)text.len;
        s->counts.bytes_sent += (int64_t)body->len;
        rc = link_send(s->link, &r, &s->arena, a, err);
    }
    buf_free(&text);
    buf_free(&packed);
    return rc;
}

int sender_round(struct sender *s, int64_t *pause_ms, struct err *err)
{
    struct spool_batch batch;
    struct client_answer answer = { .status = 0 };

    arena_reset(&s->arena);
    *pause_ms = 0;
    int rc = spool_peek(s->spool, s->events_now, s->max_bytes, &s->arena, &batch, err);
    if (rc == 0)
        return 0;
    if (rc == 1) {
        s->counts.repeats += batch.first == s->last_first;
        s->last_first = batch.first;
        rc = send_batch(s, &batch, &answer, err);
        rc = judge(s, &batch, &answer, rc, pause_ms, err);
    }
    if (rc < 0)
        *pause_ms = pause_after_failure(s, answer.retry_after_ms);
    else
        s->counts.failures = s->n_failed = 0;
    return rc < 0 ? -1 : 1;
}
