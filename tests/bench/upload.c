/* What an upload costs.
 *
 *   upload one [ROUNDS]     a 5 MB report end to end, against its floor: parsing the
 *                           same JSON and inserting the same rows in one transaction;
 *                           interleaved, so that both see the same machine
 *   upload many [SECONDS]   uploads a second from 8 clients, reports of 400 packages
 *                           and 150 findings
 *   upload feed SECONDS PORT TOKEN KEYFILE   the same on a running server, to be
 *                           measured beside (run.sh) */
#include "tests/flow/upload.h"

#include "db/migrate.h"
#include "wire/report.h"

#include <pthread.h>
#include <stdatomic.h>

enum { PACKAGES = 400, FINDINGS = 160, CLIENTS = 8, BODIES = 64, ROUNDS_MAX = 200 };

static struct keepd keepd;

static void make(struct buf *body, int image, size_t padding, bool sealed)
{
    struct report_spec s = spec_of(image);

    s.packages = PACKAGES;
    s.findings = FINDINGS;
    s.padding = padding;
    buf_clear(body);
    if (sealed)
        envelope_make(&s, keepd.key, false, body);
    else
        report_make(&s, body);
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t own_cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void must(int rc, const struct err *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench: %s\n", err->msg);
    exit(1);
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static int64_t print_row(const char *what, int64_t *us, size_t n)
{
    qsort(us, n, sizeof *us, by_number);
    printf("%-34s median %8.1f ms   quartiles %7.1f .. %7.1f   n %zu\n", what, (double)us[n / 2] / 1000, (double)us[n / 4] / 1000,
           (double)us[n * 3 / 4] / 1000, n);
    return us[n / 2];
}

/* ---- the floor --------------------------------------------------------------------- */

enum { F_IMAGE, F_EVIDENCE, F_PACKAGE, F_FINDING, F_N };
static const struct db_query F[F_N] = {
    [F_IMAGE] = { "floor.image", "it", "", "INSERT INTO images (id, digest) VALUES ($1, $2)" },
    [F_EVIDENCE] = { "floor.evidence", "tb", "", "INSERT INTO evidence (id, content) VALUES ($1, $2)" },
    [F_PACKAGE] = { "floor.package", "iit", "", "INSERT INTO image_packages (image_id, package_id, path) VALUES ($1, $2, $3)" },
    [F_FINDING] = { "floor.finding", "iiiiiiti", "", "INSERT INTO findings (image_id, vulnerability_id, package_id, scanner_id, severity, "
        "status, fixed_version, since_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)" },
};
static const char floor_schema[] =
    "CREATE TABLE images (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE evidence (id TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT;"
    "CREATE TABLE image_packages (image_id INTEGER, package_id INTEGER, path TEXT, PRIMARY KEY (image_id, package_id, path)) WITHOUT ROWID, STRICT;"
    "CREATE INDEX ip ON image_packages (package_id, image_id);"
    "CREATE TABLE findings (image_id INTEGER, vulnerability_id INTEGER, package_id INTEGER, scanner_id INTEGER, severity INTEGER, "
    "status INTEGER, fixed_version TEXT, since_ms INTEGER, PRIMARY KEY (image_id, vulnerability_id, package_id, scanner_id)) WITHOUT ROWID, STRICT;"
    "CREATE INDEX fv ON findings (vulnerability_id, image_id);";

static struct db *floor_open(void)
{
    char path[128];
    struct db *db;
    struct err err;

    snprintf(path, sizeof path, "%s/floor.db", keepd.dir);
    must(db_open(path, DB_MIGRATOR, &db, &err), &err);
    must(db_script(db, floor_schema, &err), &err);
    db_close(db);
    must(db_open(path, DB_WRITER, &db, &err), &err);
    return db;
}

static int64_t floor_once(struct db *db, int64_t image, const struct buf *body, const struct buf *packed)
{
    struct arena arena;
    struct json doc;
    struct err err;
    char digest[72];
    int64_t from = now_us();

    arena_init(&arena, (size_t)512 << 20);
    must(json_parse(&arena, body->ptr, body->len, NULL, &doc, &err), &err);
    image_digest((int)image, digest);
    must(db_begin_write(db, &err), &err);
    must(db_exec(db, &F[F_IMAGE], DB_IN(db_i(image), db_t(digest)), NULL, &err), &err);
    must(db_exec(db, &F[F_EVIDENCE], DB_IN(db_t(digest), db_b(packed->ptr, packed->len)), NULL, &err), &err);
    for (int64_t i = 0; i < PACKAGES; i++)
        must(db_exec(db, &F[F_PACKAGE], DB_IN(db_i(image), db_i(i), db_t("")), NULL, &err), &err);
    for (int64_t i = 0; i < FINDINGS; i++)
        must(db_exec(db, &F[F_FINDING], DB_IN(db_i(image), db_i(i), db_i(i), db_i(1), db_i(3), db_i(1), db_t("1.2.3-4"), db_i(1)), NULL, &err), &err);
    must(db_commit(db, &err), &err);
    arena_clear(&arena);
    return now_us() - from;
}

static int64_t real_once(struct client *c, const struct buf *body)
{
    struct ask ask = { "POST", "/v1/scans", keepd_token(&keepd, ROLE_CI), NULL, body->ptr, body->len };
    int64_t from = now_us();
    struct reply r = client_send(c, &ask);

    if (r.status != 201) {
        fprintf(stderr, "bench: %d %.*s\n", r.status, (int)r.len, r.body != NULL ? r.body : "");
        exit(1);
    }
    return now_us() - from;
}

static void one(size_t rounds)
{
    static int64_t real[ROUNDS_MAX], low[ROUNDS_MAX];
    struct buf sealed, bare, packed;
    struct client c;
    struct err err;
    struct db *db = floor_open();

    buf_init(&sealed, 64 << 20);
    buf_init(&bare, 64 << 20);
    buf_init(&packed, 64 << 20);
    client_init(&c, keepd.port);
    int64_t cpu = 0, floor_cpu = 0;
    for (size_t i = 0; i < rounds + 2; i++) {
        if (i == 2) {
            cpu = keepd_cpu_ms(&keepd);
            floor_cpu = 0;
        }
        make(&sealed, (int)i + 1, 3500000, true);
        make(&bare, (int)i + 1, 3500000, false);
        buf_clear(&packed);
        must(zstd_deflate(sealed.ptr, sealed.len, 3, &packed, &err), &err);
        int64_t used = own_cpu_us(), a = floor_once(db, (int64_t)i + 1, &bare, &packed);
        floor_cpu += own_cpu_us() - used;
        int64_t b = real_once(&c, &sealed);
        if (i >= 2) {                             /* the first two fill caches and make packages known */
            low[i - 2] = a;
            real[i - 2] = b;
        }
    }
    printf("upload of %.1f MB (report %.1f MB, %d packages, %d findings, signed)\n", (double)sealed.len / 1e6, (double)bare.len / 1e6,
           PACKAGES, FINDINGS);
    int64_t m_real = print_row("  end to end", real, rounds), m_low = print_row("  floor: parse, insert, one commit", low, rounds);
    double ours = (double)(keepd_cpu_ms(&keepd) - cpu) / (double)rounds, lows = (double)floor_cpu / 1000 / (double)rounds;
    printf("  ratio %.2f; CPU per upload: keepd %.1f ms, floor %.1f ms, ratio %.2f\n", (double)m_real / (double)m_low, ours, lows, ours / lows);
    db_close(db);
    client_free(&c);
    buf_free(&sealed);
    buf_free(&bare);
    buf_free(&packed);
}

/* ---- many ---------------------------------------------------------------------------- */

static atomic_int next_image = 100000, uploads;
static atomic_bool stop;

static void *feed(void *arg)
{
    struct client c;
    struct buf body;

    (void)arg;
    client_init(&c, keepd.port);
    buf_init(&body, 64 << 20);
    while (!atomic_load(&stop)) {
        make(&body, atomic_fetch_add(&next_image, 1), 0, true);
        real_once(&c, &body);
        atomic_fetch_add(&uploads, 1);
    }
    buf_free(&body);
    client_free(&c);
    return NULL;
}

static void many(int seconds)
{
    pthread_t threads[CLIENTS];
    int64_t from = now_us(), cpu = keepd.pid != 0 ? keepd_cpu_ms(&keepd) : 0;

    for (int i = 0; i < CLIENTS; i++)
        pthread_create(&threads[i], NULL, feed, NULL);
    nap_ms((int64_t)seconds * 1000);
    atomic_store(&stop, true);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    double took = (double)(now_us() - from) / 1e6, n = atomic_load(&uploads);
    printf("uploads from %d clients               %8.1f a second (%.0f in %.1f s)\n", CLIENTS, n / took, n, took);
    if (keepd.pid != 0)
        printf("  CPU of keepd per upload             %8.1f ms; resident %lld KiB, most %lld KiB\n",
               (double)(keepd_cpu_ms(&keepd) - cpu) / n, (long long)keepd_rss_kib(&keepd, false), (long long)keepd_rss_kib(&keepd, true));
}

static void attach(const char *port, const char *token, const char *key_file)
{
    char pem[4096];
    struct err err;
    FILE *f = fopen(key_file, "r");
    int64_t n;

    if (f == NULL || !str_to_i64(port, 1, 65535, &n))
        exit(2);
    size_t len = fread(pem, 1, sizeof pem, f);
    fclose(f);
    must(crypto_init(&err), &err);
    must(privkey_from_pem(pem, len, &keepd.key, &err), &err);
    keepd.port = (int)n;
    snprintf(keepd.token[4], sizeof keepd.token[4], "%s", token);
    atomic_store(&next_image, 900000);
}

int main(int argc, char **argv)
{
    int64_t n = argc > 2 && str_to_i64(argv[2], 1, ROUNDS_MAX, &n) ? n : 0;

    if (argc == 6 && strcmp(argv[1], "feed") == 0) {
        attach(argv[3], argv[4], argv[5]);
        many(n > 0 ? (int)n : 10);
        return 0;
    }
    keepd_open(&keepd, NULL, false);
    if (argc < 2 || strcmp(argv[1], "one") == 0)
        one(n > 0 ? (size_t)n : 20);
    else
        many(n > 0 ? (int)n : 8);
    keepd_close(&keepd);
    return 0;
}
