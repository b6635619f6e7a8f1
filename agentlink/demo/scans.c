/* scans.c - the uploads: a few senders at a time, each with a connection of its own.
 * A line's scans belong to one sender, so an image's scans arrive in order. */
#include "demo/internal.h"

#include "base/str.h"
#include "base/time.h"
#include "demo/report.h"
#include "wire/envelope.h"
#include "wire/statement.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { SENDERS = 8, UPLOAD_MEMORY = 8 << 20, REPORT_MAX = 4 << 20 };

struct sender {
    struct seeder *seeder;
    unsigned number;
    atomic_size_t *sent;
    atomic_bool *stop;
    struct http_client *clients[3];                 /* pipeline, registry, sandbox */
    struct buf report, predicate, statement, envelope;
    int rc;
    struct err err;
};

/* Some pipelines do not say how old their database was: then nobody knows. */
static bool is_silent(const struct demo_scan *scan)
{
    const char *name = scan->image->repository->name;

    return str_eq(name, "platform/proxy") || str_eq(name, "checkout/cache") || str_eq(name, "identity/mfa");
}

static int build_predicate(struct sender *x, const struct demo_scan *scan, struct arena *arena, struct err *err)
{
    bool is_grype = scan->tool == TOOL_GRYPE;
    struct scan_spec spec = {
        .scanner_uri = is_grype ? "grype" : "trivy", .scanner_version = is_grype ? "0.87.0" : "0.57.1",
        .db_uri = is_grype ? "https://grype.anchore.io/databases" : "https://mirror.gcr.io/aquasec/trivy-db",
        .db_updated_ms = is_silent(scan) ? TIME_UNKNOWN : scan->database_ms, .started_ms = scan->at_ms - 20 * MS_SECOND, .finished_ms = scan->at_ms,
        .report = { (const unsigned char *)x->report.ptr, x->report.len },
    };

    return statement_scan_predicate(arena, &spec, &x->predicate, err);
}

/* The report within cosign's predicate (a BOM is a predicate itself), within an
 * in-toto statement, within a signed envelope. */
static int wrap(struct sender *x, const struct demo_scan *scan, struct arena *arena, struct err *err)
{
    const struct seeder *s = x->seeder;
    bool is_bom = scan->tool == TOOL_CYCLONEDX;
    const struct privkey *key = scan->tool == TOOL_TRIVY ? s->pipeline_key : s->registry_key;
    char name[160];

    if (!is_bom && build_predicate(x, scan, arena, err) != 0)
        return -1;
    const struct buf *predicate = is_bom ? &x->report : &x->predicate;
    snprintf(name, sizeof name, "%s/%s", DEMO_REGISTRY, scan->image->repository->name);
    struct statement_spec spec = { .subject_name = name, .subject_digest = scan->image->digest,
        .predicate_type = is_bom ? "https://cyclonedx.org/bom" : COSIGN_VULN_TYPE,
        .predicate = { (const unsigned char *)predicate->ptr, predicate->len } };
    if (statement_build(arena, &spec, &x->statement, err) != 0)
        return -1;
    return envelope_sign(arena, STATEMENT_PAYLOAD_TYPE, (struct bytes){ (const unsigned char *)x->statement.ptr, x->statement.len },
                         &key, 1, &x->envelope, err);
}

static int upload(struct sender *x, const struct demo_scan *scan, struct arena *arena, struct err *err)
{
    const struct demo_image *m = scan->image;
    bool is_signed = m->repository->is_signed;
    struct buf *parts[] = { &x->report, &x->predicate, &x->statement, &x->envelope };
    char built[TIME_TEXT];
    struct client_answer answer;

    for (size_t i = 0; i < N_ITEMS(parts); i++)
        buf_clear(parts[i]);
    report_write(x->seeder->fleet, scan, &x->report);
    if (x->report.failed)
        return err_nomem(err);
    if (is_signed && wrap(x, scan, arena, err) != 0)
        return -1;
    time_format(scan->database_ms, built);
    const struct buf *body = is_signed ? &x->envelope : &x->report;
    struct client_request request = { .method = "POST", .content_type = "application/json",
        .target = arena_printf(arena, "/v1/scans?image=%s/%s:%s@%s&team=%s&pipeline=%s-%u%s%s", DEMO_REGISTRY,
                               m->repository->name, m->tag, m->digest, m->repository->team, m->repository->team,
                               (unsigned)(m->seed % 90000 + 1000), is_silent(scan) ? "" : "&db_built=", is_silent(scan) ? "" : built),
        .body = { (const unsigned char *)body->ptr, body->len } };
    if (request.target == NULL)
        return err_nomem(err);
    struct http_client *as = x->clients[!is_signed ? 2 : scan->tool == TOOL_TRIVY ? 0 : 1];
    return http_client_send(as, &request, arena, &answer, err) != 0 ? err_prefix(err, "%s", m->repository->name) : 0;
}

static int open_sender(struct sender *x, struct err *err)
{
    const struct seeder *s = x->seeder;
    const char *const tokens[] = { s->pipeline_token, s->registry_token, s->sandbox_token };
    struct buf *parts[] = { &x->report, &x->predicate, &x->statement, &x->envelope };

    for (size_t i = 0; i < N_ITEMS(parts); i++)
        buf_init(parts[i], REPORT_MAX);
    for (size_t i = 0; i < N_ITEMS(tokens); i++) {
        struct client_config config = { .base_url = s->config->url, .token = tokens[i], .agent = "keep-demo/" KEEP_VERSION, .retries = 5 };
        if (http_client_open(&config, &x->clients[i], err) != 0)
            return -1;
    }
    return 0;
}

static void close_sender(struct sender *x)
{
    struct buf *parts[] = { &x->report, &x->predicate, &x->statement, &x->envelope };

    for (size_t i = 0; i < N_ITEMS(parts); i++)
        buf_free(parts[i]);
    for (size_t i = 0; i < N_ITEMS(x->clients); i++)
        http_client_close(x->clients[i]);
}

static void *send_all(void *arg)
{
    struct sender *x = arg;
    const struct fleet *f = x->seeder->fleet;
    struct arena arena;

    arena_init(&arena, UPLOAD_MEMORY);
    x->rc = open_sender(x, &x->err);
    for (size_t i = 0; x->rc == 0 && i < f->n_scans && !atomic_load(x->stop); i++) {
        if (f->scans[i].image->seed % SENDERS != x->number)
            continue;
        x->rc = upload(x, &f->scans[i], &arena, &x->err);
        arena_reset(&arena);
        atomic_fetch_add(x->sent, 1);
    }
    if (x->rc != 0)
        atomic_store(x->stop, true);
    arena_clear(&arena);
    close_sender(x);
    return NULL;
}

static void show_progress(const atomic_size_t *sent, size_t all, const atomic_bool *stop)
{
    struct timespec pause = { 0, 200 * 1000 * 1000 };
    size_t n;

    do {
        nanosleep(&pause, NULL);
        n = atomic_load(sent);
        fprintf(stderr, "\r  signed scans: %zu of %zu", n, all);
    } while (n < all && !atomic_load(stop));
    fputc('\n', stderr);
}

int seed_scans(struct seeder *s, size_t *uploads, struct err *err)
{
    struct sender senders[SENDERS];
    pthread_t threads[SENDERS];
    atomic_size_t sent = 0;
    atomic_bool stop = false;
    unsigned started = 0;
    int rc = 0;

    memset(senders, 0, sizeof senders);
    for (; started < SENDERS; started++) {
        senders[started] = (struct sender){ .seeder = s, .number = started, .sent = &sent, .stop = &stop };
        if (pthread_create(&threads[started], NULL, send_all, &senders[started]) != 0) {
            atomic_store(&stop, true);
            rc = err_set(err, ERR_UNAVAILABLE, "a thread cannot be started");
            break;
        }
    }
    if (rc == 0 && s->config->show_progress)
        show_progress(&sent, s->fleet->n_scans, &stop);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        if (senders[i].rc != 0 && rc == 0) {
            *err = senders[i].err;
            rc = -1;
        }
    }
    if (rc == 0)
        *uploads = atomic_load(&sent);
    return rc;
}
