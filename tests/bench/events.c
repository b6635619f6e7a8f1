/* What taking events in costs.
 *
 *   events [SECONDS]        batches of 100, 500, 1000 events from 1 and 4 nodes through a
 *                           real keepd (decode, profile, commit), against the floor: the
 *                           same rows inserted into the same tables by our database layer,
 *                           with the same commits, in the same run
 *   events 0 only one 100   nothing but one node with batches of 100 (for a profiler)
 *
 * KEEP_EVENTS=N fills up to N events (default 1,000,000; 20,000,000 takes a quarter of an
 * hour and 18 GB, with KEEP_TEST_DIR for a place that has room) and measures how the rate
 * and the lists hold on the way, then while retention deletes as much as comes. */
#include "tests/flow/upload.h"
#include "tests/support/events.h"
#include "tests/support/node.h"

#include "db/migrate.h"
#include "store/event.h"
#include "store/profile.h"
#include "wire/profile_doc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum { NODES = 4, BATCHES = 16, CONTAINERS = 32, BATCH_MAX = 1000 };

static const char container[] = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ff";
static const char image[] = "shop.example/app:1.0";

static struct fixture t;
static struct test_node nodes[NODES];
static int64_t next_seq[NODES];

static void must(int rc, const struct err *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench: %s\n", err->msg);
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t own_cpu_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void stream_of(int node, char out[33])
{
    snprintf(out, 33, "%032x", 0xabc0 + node);
}

static struct batch_spec spec_for(int node, const char *stream, size_t n)
{
    return (struct batch_spec){ .stream = stream, .first = next_seq[node], .n = n, .at_ms = time_now_ms() - 5000, .container = container,
                                .containers = CONTAINERS, .image = image, .strange_every = 100 };
}

/* ---- what the server knows ----------------------------------------------------------- */

static void report_containers(int node)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_puts(&b, "{\"generation\":1,\"base\":0,\"containers\":[");
    for (int i = 0; i < CONTAINERS; i++)
        buf_printf(&b, "%s{\"id\":\"%s%04d\",\"name\":\"shop\",\"image\":\"%s\",\"engine\":\"containerd\",\"namespace\":\"shop\","
                   "\"pod\":\"shop-6d4f8c9b7f-%04d\",\"workload\":\"shop\",\"pid\":%d}", i > 0 ? "," : "", container, i, image, i, 1000 + i);
    buf_puts(&b, "]}");
    keepd_ask(&t.client, nodes[node].token, "POST", "/v1/agent/inventory", b.ptr, 200);
    buf_free(&b);
}

static void declare_profile(void)
{
    struct db *db;
    struct err err;
    struct profile_row row = {
        .profile_id = "bench", .repository = "shop.example/app", .digest = "", .source = PROFILE_ENFORCED, .mode = PROFILE_MONITOR,
        .document = "{\"name\":\"shop\",\"repository\":\"shop.example/app\",\"mode\":\"monitor\",\"covers_executables\":true,\"executables\":["
                    "{\"path\":\"/usr/local/bin/shop\"},{\"path\":\"/usr/bin/env\"},{\"path\":\"/usr/local/bin/worker\"}]}",
        .created_ms = 1, .created_by = "bench", .reason = "",
    };

    must(db_open(t.keepd.db, DB_WRITER, &db, &err), &err);
    must(db_begin_write(db, &err), &err);
    must(profile_insert(db, &row, &err), &err);
    must(db_commit(db, &err), &err);
    db_close(db);
}

static void open_all(const char *const *settings)
{
    keepd_open(&t.keepd, settings, getenv("KEEP_FLOW_PG") != NULL);
    keepd_stop(&t.keepd, SIGTERM, 20000);
    declare_profile();
    keepd_start(&t.keepd);
    client_init(&t.client, t.keepd.port);
    buf_init(&t.body, (size_t)256 << 20);
    const struct report_spec s = spec_of(1);
    envelope_make(&s, t.keepd.key, false, &t.body);
    post_body(&t, "?image=shop.example/app:1.0", NULL, 201);
    for (int i = 0; i < NODES; i++) {
        test_node_join(&t.client, keepd_token(&t.keepd, ROLE_ADMIN), "prod", NULL, &nodes[i]);
        report_containers(i);
        next_seq[i] = 1;
    }
}

/* ---- through the server ------------------------------------------------------------------ */

struct sender {
    pthread_t thread;
    int node;
    size_t batch;
    int64_t until_us, sent, retried;
    int64_t longest_us;
};

static void *send_all(void *arg)
{
    struct sender *s = arg;
    struct client c;
    struct buf json;
    char stream[33];

    client_init(&c, t.keepd.port);
    buf_init(&json, 8 << 20);
    stream_of(s->node, stream);
    while (now_us() < s->until_us) {
        const struct batch_spec spec = spec_for(s->node, stream, s->batch);
        batch_make(&spec, &json);
        int64_t from = now_us();
        struct reply r = batch_post_zstd(&c, nodes[s->node].token, &json);
        if (r.status == 503) {
            s->retried++;
            nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
            continue;
        }
        if (r.status != 200) {
            fprintf(stderr, "bench: %d %.*s\n", r.status, (int)(r.len < 400 ? r.len : 400), r.body != NULL ? r.body : "");
            exit(1);
        }
        int64_t took = now_us() - from;
        s->longest_us = took > s->longest_us ? took : s->longest_us;
        next_seq[s->node] += (int64_t)s->batch;
        s->sent += (int64_t)s->batch;
    }
    client_free(&c);
    buf_free(&json);
    return NULL;
}

struct rate { double wall, per_core; int64_t events, longest_us; };

static struct rate through_server(int n_nodes, size_t batch, int64_t us)
{
    struct sender senders[NODES] = { 0 };
    struct rate out = { 0 };
    int64_t cpu = keepd_cpu_ms(&t.keepd), from = now_us();

    for (int i = 0; i < n_nodes; i++) {
        senders[i] = (struct sender){ .node = i, .batch = batch, .until_us = from + us };
        pthread_create(&senders[i].thread, NULL, send_all, &senders[i]);
    }
    for (int i = 0; i < n_nodes; i++) {
        pthread_join(senders[i].thread, NULL);
        out.events += senders[i].sent;
        out.longest_us = senders[i].longest_us > out.longest_us ? senders[i].longest_us : out.longest_us;
    }
    int64_t took = now_us() - from;
    cpu = keepd_cpu_ms(&t.keepd) - cpu;
    out.wall = (double)out.events * 1e6 / (double)took;
    out.per_core = cpu > 0 ? (double)out.events * 1e3 / (double)cpu : 0;
    return out;
}

/* ---- the floor ---------------------------------------------------------------------------------- */

static struct db *floor_db;
static int64_t floor_id = 1;

static void floor_open(void)
{
    char path[128];
    struct err err;
    int applied;

    snprintf(path, sizeof path, "%s/floor.db", t.keepd.dir);
    must(migrate_run(path, migrations, 1, &applied, &err), &err);
    must(db_open(path, DB_WRITER, &floor_db, &err), &err);
}

/* The documents are made before: only inserting is measured. */
static struct rate raw_inserts(size_t batch, int64_t us)
{
    static struct event_row rows[BATCH_MAX];
    struct buf doc[BATCH_MAX];
    struct err err;
    struct rate out = { 0 };
    char stream[33];

    stream_of(0, stream);
    const struct batch_spec spec = spec_for(0, stream, batch);
    for (size_t i = 0; i < batch; i++) {
        buf_init(&doc[i], 1 << 16);
        batch_event(&spec, i, &doc[i]);
    }
    int64_t from = now_us(), cpu = own_cpu_us();
    while (now_us() < from + us) {
        must(db_begin_write(floor_db, &err), &err);
        for (size_t i = 0; i < batch; i++, floor_id++)
            rows[i] = (struct event_row){ .id = floor_id, .node = 1, .seq = floor_id, .at_ms = spec.at_ms + floor_id, .kind = 1,
                .severity = 6, .image_id = 1, .image_by = 1, .document = { (unsigned char *)doc[i].ptr, doc[i].len } };
        must(event_insert(floor_db, rows, batch, &err), &err);
        must(db_commit(floor_db, &err), &err);
        if (db_wal_bytes(floor_db) > (8 << 20))
            must(db_checkpoint(floor_db, false, &err), &err);
        out.events += (int64_t)batch;
    }
    out.wall = (double)out.events * 1e6 / (double)(now_us() - from);
    out.per_core = (double)out.events * 1e6 / (double)(own_cpu_us() - cpu);
    for (size_t i = 0; i < batch; i++)
        buf_free(&doc[i]);
    return out;
}

/* ---- tables ---------------------------------------------------------------------------------------- */

static void print_rate(const char *what, size_t batch, const struct rate *r, const struct rate *floor)
{
    printf("%-22s batch %4zu   %8.0f events/s   %8.0f per core   %4.0f %% of raw inserts per core   longest %6.1f ms\n", what, batch, r->wall,
           r->per_core, floor != NULL ? 100 * r->per_core / floor->per_core : 100.0, (double)r->longest_us / 1000);
    fflush(stdout);
}

static void rates(int64_t us)
{
    static const size_t batches[] = { 100, 500, 1000 };

    if (us == 0)
        return;

    for (size_t i = 0; i < N_ITEMS(batches); i++) {
        const struct rate floor = raw_inserts(batches[i], us), one = through_server(1, batches[i], us), four = through_server(4, batches[i], us);
        print_rate("raw inserts", batches[i], &floor, NULL);
        print_rate("keepd, 1 node", batches[i], &one, &floor);
        print_rate("keepd, 4 nodes", batches[i], &four, &floor);
    }
}

static int64_t disk_bytes(void)
{
    struct stat st;

    return stat(t.keepd.db, &st) == 0 ? (int64_t)st.st_size : -1;
}

static void zstd_per_row(void)
{
    struct buf doc, packed;
    struct err err;
    char stream[33];
    size_t plain = 0, small = 0;

    stream_of(0, stream);
    const struct batch_spec spec = spec_for(0, stream, BATCH_MAX);
    buf_init(&doc, 1 << 16);
    buf_init(&packed, 1 << 16);
    int64_t cpu = own_cpu_us();
    for (size_t i = 0; i < BATCH_MAX; i++) {
        buf_clear(&doc);
        buf_clear(&packed);
        batch_event(&spec, i, &doc);
        must(zstd_deflate(doc.ptr, doc.len, 1, &packed, &err), &err);
        plain += doc.len;
        small += packed.len;
    }
    printf("\nzstd of each document by itself: %zu -> %zu bytes, %.1f us of CPU each\n", plain / BATCH_MAX, small / BATCH_MAX,
           (double)(own_cpu_us() - cpu) / BATCH_MAX);
    buf_free(&doc);
    buf_free(&packed);
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* The median of a few, in milliseconds. */
static double asked_ms(const char *path)
{
    int64_t took[9];

    for (size_t i = 0; i < N_ITEMS(took); i++) {
        int64_t from = now_us();
        keepd_ask(&t.client, keepd_token(&t.keepd, ROLE_ADMIN), "GET", path, NULL, 200);
        took[i] = now_us() - from;
    }
    qsort(took, N_ITEMS(took), sizeof *took, by_time);
    return (double)took[N_ITEMS(took) / 2] / 1000;
}

/* Rows and the newest id, by a reader of our own. */
static int64_t count_ids(int64_t *newest)
{
    static const struct db_query oldest = { "bench.oldest", "", "i", "SELECT id FROM events ORDER BY id LIMIT 1" };
    struct err err;
    struct db *db;
    int64_t first;

    must(db_open(t.keepd.db, DB_READER, &db, &err), &err);
    must(db_int(db, &oldest, DB_NONE, 0, &first, &err), &err);
    must(event_last(db, newest, &err), &err);
    db_close(db);
    return *newest - first + 1;
}

static void print_stage(int64_t n, int64_t took, int64_t cpu_ms, int64_t longest_us)
{
    int64_t bytes = disk_bytes(), newest, there = count_ids(&newest);
    struct stat wal = { 0 };
    char path[sizeof t.keepd.db + 8];
    double load = 0;

    snprintf(path, sizeof path, "%s-wal", t.keepd.db);
    stat(path, &wal);
    getloadavg(&load, 1);
    printf("%9lld stored, %9lld gone  %7.0f/s %7.0f per core   %6.0f MB, %4.0f bytes an event, log %lld MB   longest %5.0f ms   rss %lld MB   "
           "lists: events %.1f, of a kind %.1f, of an alert %.1f, alerts %.1f ms   load %.0f\n",
           (long long)there, (long long)(newest - there), (double)n * 1e6 / (double)took, (double)n * 1e3 / (double)(cpu_ms > 0 ? cpu_ms : 1),
           (double)bytes / 1e6, (double)bytes / (double)there, (long long)wal.st_size >> 20, (double)longest_us / 1000,
           (long long)keepd_rss_kib(&t.keepd, false) / 1024, asked_ms("/v1/events?limit=50"), asked_ms("/v1/events?limit=50&kind=exec"),
           asked_ms("/v1/events?limit=50&alert=1"), asked_ms("/v1/alerts?limit=50"), load);
    fflush(stdout);
}

static int64_t last_id(struct db *db)
{
    struct err err;
    int64_t id;

    must(event_last(db, &id, &err), &err);
    return id;
}

/* The same rows as the server writes, by our database layer and in larger transactions:
 * a server would take an hour over 20 million on a busy machine. */
static void fill_to(int64_t goal)
{
    enum { AT_ONCE = 10 };
    static struct event_row rows[BATCH_MAX];
    struct buf doc[BATCH_MAX];
    struct err err;
    struct db *db;
    char stream[33];

    stream_of(0, stream);
    struct batch_spec spec = spec_for(0, stream, BATCH_MAX);
    for (size_t i = 0; i < BATCH_MAX; i++) {
        buf_init(&doc[i], 1 << 16);
        batch_event(&spec, i, &doc[i]);
    }
    keepd_stop(&t.keepd, SIGTERM, 60000);
    must(db_open(t.keepd.db, DB_WRITER, &db, &err), &err);
    for (int64_t id = last_id(db) + 1; id <= goal;) {
        must(db_begin_write(db, &err), &err);
        for (int k = 0; k < AT_ONCE; k++) {
            for (size_t i = 0; i < BATCH_MAX; i++, id++)
                rows[i] = (struct event_row){ .id = id, .node = 1, .seq = id, .at_ms = spec.at_ms - 3600000 + id % 3000000, .kind = 1, .severity = 6,
                    .image_id = 1, .image_by = 1, .alert_id = i % 100 == 0, .document = { (unsigned char *)doc[i].ptr, doc[i].len } };
            must(event_insert(db, rows, BATCH_MAX, &err), &err);
        }
        must(db_commit(db, &err), &err);
        if (db_wal_bytes(db) > (32 << 20))
            must(db_checkpoint(db, false, &err), &err);
    }
    must(db_checkpoint(db, true, &err), &err);
    db_close(db);
    for (size_t i = 0; i < BATCH_MAX; i++)
        buf_free(&doc[i]);
    keepd_start(&t.keepd);
    client_free(&t.client);
    client_init(&t.client, t.keepd.port);
}

/* Once past `keep` as much goes as comes. */
static void growth(int64_t keep)
{
    static const int marks[] = { 5, 25, 50, 100, 101, 102 };

    printf("\n%lld events are kept; older ones go while new ones come\n", (long long)keep);
    for (size_t i = 0; i < N_ITEMS(marks); i++) {
        if (marks[i] <= 100)
            fill_to(keep / 100 * marks[i] - keep / 400);
        int64_t from = now_us(), cpu = keepd_cpu_ms(&t.keepd);
        const struct rate r = through_server(2, 1000, 10000000);
        print_stage(r.events, now_us() - from, keepd_cpu_ms(&t.keepd) - cpu, r.longest_us);
    }
}

int main(int argc, char **argv)
{
    int64_t seconds = argc > 1 ? atoi(argv[1]) : 3, goal = 1000000;
    static char keep[64];

    if (getenv("KEEP_EVENTS") != NULL)
        goal = atoll(getenv("KEEP_EVENTS"));
    snprintf(keep, sizeof keep, "KEEP_RETAIN_EVENTS=%lld", (long long)goal);
    const char *const settings[] = { keep, NULL };

    struct err err;
    must(crypto_init(&err), &err);
    open_all(settings);
    floor_open();
    if (argc > 4) {
        const struct rate r = through_server(str_eq(argv[3], "one") ? 1 : NODES, (size_t)atoi(argv[4]), 8000000);
        print_rate("keepd", (size_t)atoi(argv[4]), &r, NULL);
        keepd_close(&t.keepd);
        return 0;
    }
    rates(seconds * 1000000);
    zstd_per_row();
    growth(goal);
    db_close(floor_db);
    client_free(&t.client);
    for (int i = 0; i < NODES; i++)
        test_node_free(&nodes[i]);
    keepd_close(&t.keepd);
    return 0;
}
