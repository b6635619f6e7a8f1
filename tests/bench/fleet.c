/* What questions cost as the fleet grows:  fleet [IMAGES ...]  (1000 10000)
 *
 * A database with that many images of 400 packages and 150 findings is written row by
 * row in a few transactions, then keepd is asked over HTTP.  The same questions in
 * the same order, medians of 15; the last table is the growth from the first size
 * to the last. */
#include "tests/flow/upload.h"

#include "db/migrate.h"

enum { PACKAGES = 400, FINDINGS = 150, NAMES = 1200, VERSIONS = 8, CVES = 4000, TIMES = 15, SIZES_MAX = 4 };

static const char *const questions[][2] = {
    { "who has CVE-X", "/v1/findings?vulnerability=CVE-2026-00017" },
    { "who has CVE-X and runs", "/v1/findings?vulnerability=CVE-2026-00017&running=true" },
    { "who has package < V", "/v1/packages?name=lib77&version=%3C%201.4" },
    { "posture", "/v1/posture" },
    { "images, stalest first", "/v1/images" },
    { "images, riskiest first", "/v1/images?sort=risk" },
    { "images by name", "/v1/images?sort=name" },
    { "images that fail and run", "/v1/images?verdict=fail&running=true&sort=risk" },
    { "images with CVE-X", "/v1/images?cve=CVE-2026-00017" },
    { "vulnerabilities by images", "/v1/vulnerabilities" },
    { "one image's findings", "/v1/images/@/findings" },
    { "one image's packages", "/v1/images/@/packages" },
    { "newest scans", "/v1/scans" },
    { "what runs", "/v1/running" },
    { "repositories", "/v1/repositories" },
};

static double median[SIZES_MAX][N_ITEMS(questions)];

enum { S_REPO, S_IMAGE, S_ALIAS, S_NAME, S_PACKAGE, S_HOLD, S_VULN, S_VULN_ALIAS, S_FINDING, S_SCANNER, S_EVIDENCE, S_SCAN, S_RUN, S_VERDICT, S_N };
static const struct db_query S[S_N] = {
    [S_REPO] = { "s.repo", "iti", "", "INSERT INTO repositories (id, name, team, created_ms) VALUES ($1, $2, 'team', $3)" },
    [S_IMAGE] = { "s.image", "itiiiii", "", "INSERT INTO images (id, digest, repository_id, tag, first_seen_ms, last_seen_ms, has_scan, inventory_ms, scanned_ms, "
        "db_built_ms, n_packages, n_evaluable, n_critical, n_high, n_medium, n_low, n_other, n_fixable, n_kev, n_secrets, n_malware, n_misconfig, "
        "n_excepted, is_signed, n_running, stale_order, risk_order, verdict, verdict_since_ms, next_check_ms) "
        "VALUES ($1, $2, $3, '1.0', $4, $4, 1, $4, $4, $4, 400, 400, 5, 20, 60, 65, 0, 10, 0, 0, 0, 0, 0, 1, $5, $4, $6, $7, $4, 9000000000000)" },
    [S_ALIAS] = { "s.alias", "ti", "", "INSERT INTO digest_aliases (digest, image_id, kind) VALUES ($1, $2, 'subject')" },
    [S_NAME] = { "s.name", "it", "", "INSERT INTO package_names (id, ecosystem, name, short_name) VALUES ($1, 'Debian:12', $2, $2)" },
    [S_PACKAGE] = { "s.package", "iit", "", "INSERT INTO packages (id, name_id, version, arch) VALUES ($1, $2, $3, 'amd64')" },
    [S_HOLD] = { "s.hold", "ii", "", "INSERT INTO image_packages (image_id, package_id, path) VALUES ($1, $2, '')" },
    [S_VULN] = { "s.vuln", "it", "", "INSERT INTO vulnerabilities (id, name, title, cvss, is_kev) VALUES ($1, $2, 'a made-up flaw', 75, 0)" },
    [S_VULN_ALIAS] = { "s.vuln_alias", "ti", "", "INSERT INTO vulnerability_aliases (alias, vulnerability_id) VALUES ($1, $2)" },
    [S_FINDING] = { "s.finding", "iiiiti", "", "INSERT INTO findings (image_id, vulnerability_id, package_id, scanner_id, severity, status, fixed_version, since_ms) "
        "VALUES ($1, $2, $3, 1, $4, 1, $5, $6)" },
    [S_SCANNER] = { "s.scanner", "", "", "INSERT INTO scanners (id, name) VALUES (1, 'trivy')" },
    [S_EVIDENCE] = { "s.evidence", "tbi", "", "INSERT INTO evidence (id, kind, length, content, received_ms) VALUES ($1, 'dsse', 0, $2, $3)" },
    [S_SCAN] = { "s.scan", "titi", "", "INSERT INTO scans (id, image_id, evidence_id, format, scanner_id, scanned_ms, effective_ms, received_ms, uploaded_by, "
        "has_inventory, has_findings, is_current, n_packages, n_evaluable, n_findings, n_issues, n_unmapped) "
        "VALUES ($1, $2, $3, 'trivy', 1, $4, $4, $4, 'ci', 1, 1, 1, 400, 400, 150, 0, 0)" },
    [S_RUN] = { "s.run", "tii", "", "INSERT INTO running (cluster, namespace, workload, container, image_id, replicas, seen_ms) VALUES ('prod', 'n', $1, 'c', $2, 1, $3)" },
    [S_VERDICT] = { "s.verdict", "iii", "", "INSERT INTO verdicts (image_id, at_ms, decision, cause, reasons) VALUES ($1, $2, $3, 'scan', '[]')" },
};

static struct db *db;
static struct err err;

static void must(int rc)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench: %s\n", err.msg);
    exit(1);
}

#define PUT(q, ...) must(db_exec(db, &S[q], DB_IN(__VA_ARGS__), NULL, &err))

static const char *named(const char *format, int64_t n)
{
    static char text[4][80];
    static unsigned next;
    char *out = text[next++ % 4];

    if (strcmp(format, "lib") == 0)
        snprintf(out, 80, "lib%lld", (long long)n);
    else if (strcmp(format, "cve") == 0)
        snprintf(out, 80, "CVE-2026-%05lld", (long long)n);
    else if (strcmp(format, "version") == 0)
        snprintf(out, 80, "1.%lld.0-1", (long long)n);
    else if (strcmp(format, "repo") == 0)
        snprintf(out, 80, "shop.example/team%lld/app%lld", (long long)n % 17, (long long)n);
    else
        snprintf(out, 80, "%s%lld", format, (long long)n);
    return out;
}

static void seed_words(int64_t images, int64_t now_ms)
{
    must(db_exec(db, &S[S_SCANNER], DB_NONE, NULL, &err));
    for (int64_t i = 1; i <= images / 5 + 1; i++)
        PUT(S_REPO, db_i(i), db_t(named("repo", i)), db_i(now_ms));
    for (int64_t i = 1; i <= NAMES; i++) {
        PUT(S_NAME, db_i(i), db_t(named("lib", i)));
        for (int64_t v = 0; v < VERSIONS; v++)
            PUT(S_PACKAGE, db_i((i - 1) * VERSIONS + v + 1), db_i(i), db_t(named("version", v)));
    }
    for (int64_t i = 1; i <= CVES; i++) {
        PUT(S_VULN, db_i(i), db_t(named("cve", i)));
        PUT(S_VULN_ALIAS, db_t(named("cve", i)), db_i(i));
    }
}

/* Package k of an image: every third name from an offset of its own, so that rows come
 * in the order of their keys, as an upload writes them. */
static void seed_image(int64_t id, int64_t now_ms)
{
    char digest[72];
    int64_t at = now_ms - id % 20 * MS_DAY / 2, base = id % (NAMES - PACKAGES * 2), start = id * 7 % 26;

    image_digest((int)id, digest);
    PUT(S_IMAGE, db_i(id), db_t(digest), db_i(id / 5 + 1), db_i(at), db_i(id % 4 == 0 ? 3 : 0), db_i(-(id % 977) * 1000), db_i(id % 3 == 0 ? 1 : 3));
    PUT(S_ALIAS, db_t(digest), db_i(id));
    PUT(S_EVIDENCE, db_t(named("evidence", id)), db_b("-", 1), db_i(at));
    PUT(S_SCAN, db_t(named("scan", id)), db_i(id), db_t(named("evidence", id)), db_i(at));
    PUT(S_VERDICT, db_i(id), db_i(at), db_i(1));
    if (id % 4 == 0)
        PUT(S_RUN, db_t(named("w", id)), db_i(id), db_i(now_ms));
    for (int64_t k = 0; k < PACKAGES; k++)
        PUT(S_HOLD, db_i(id), db_i((base + k * 2) * VERSIONS + (id + k) % VERSIONS + 1));
    for (int64_t k = 0; k < FINDINGS; k++)
        PUT(S_FINDING, db_i(id), db_i(start + k * 26 + 1), db_i((base + k * 2) * VERSIONS + (id + k) % VERSIONS + 1), db_i(k % 4 + 1),
            k % 3 == 0 ? db_t("1.9.0-1") : db_t(NULL), db_i(at));
}

static void seed(const struct keepd *k, int64_t images)
{
    int64_t now_ms = time_now_ms(), from = time_monotonic_ms();

    must(db_open(k->db, DB_WRITER, &db, &err));
    must(db_begin_write(db, &err));
    seed_words(images, now_ms);
    for (int64_t i = 1; i <= images; i++) {
        seed_image(i, now_ms);
        if (i % 500 == 0) {
            must(db_commit(db, &err));
            must(db_checkpoint(db, false, &err));
            must(db_begin_write(db, &err));
        }
    }
    must(db_commit(db, &err));
    must(db_checkpoint(db, true, &err));
    printf("%lld images: %lld rows written in %.1f s, %.0f MB\n", (long long)images, (long long)(images * (PACKAGES + FINDINGS + 5)),
           (double)(time_monotonic_ms() - from) / 1000, (double)db_size_bytes(db) / 1e6);
    db_close(db);
}

static int by_number(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static double ask_once(struct client *c, const struct keepd *k, const char *path)
{
    struct ask ask = { "GET", path, keepd_token(k, ROLE_VIEWER), NULL, NULL, 0 };
    struct timespec a, b;

    clock_gettime(CLOCK_MONOTONIC, &a);
    struct reply r = client_send(c, &ask);
    clock_gettime(CLOCK_MONOTONIC, &b);
    if (r.status != 200) {
        fprintf(stderr, "bench: %s: %d %.*s\n", path, r.status, (int)(r.len < 300 ? r.len : 300), r.body != NULL ? r.body : "");
        exit(1);
    }
    return (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
}

static void ask_all(struct keepd *k, size_t size)
{
    struct client c;
    char digest[72], path[200];
    double ms[TIMES];

    client_init(&c, k->port);
    image_digest(77, digest);
    for (size_t q = 0; q < N_ITEMS(questions); q++) {
        const char *at = strchr(questions[q][1], '@');
        if (at == NULL)
            snprintf(path, sizeof path, "%s", questions[q][1]);
        else
            snprintf(path, sizeof path, "%.*s%s%s", (int)(at - questions[q][1]), questions[q][1], digest, at + 1);
        ask_once(&c, k, path);
        for (int i = 0; i < TIMES; i++)
            ms[i] = ask_once(&c, k, path);
        qsort(ms, TIMES, sizeof *ms, by_number);
        median[size][q] = ms[TIMES / 2];
        printf("  %-28s median %8.2f ms   quartiles %8.2f .. %8.2f\n", questions[q][0], ms[TIMES / 2], ms[TIMES / 4], ms[TIMES * 3 / 4]);
    }
    client_free(&c);
}

int main(int argc, char **argv)
{
    int64_t sizes[SIZES_MAX] = { 1000, 10000 };
    size_t n = 2;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (n = argc > 1 ? 0 : 2; argc > 1 && n < SIZES_MAX && (int)n + 1 < argc; n++)
        if (!str_to_i64(argv[n + 1], 10, 1000000, &sizes[n]))
            return 2;
    for (size_t i = 0; i < n; i++) {
        struct keepd k;
        keepd_open(&k, NULL, false);
        if (keepd_stop(&k, SIGTERM, 20000) != 0)
            return 1;
        seed(&k, sizes[i]);
        keepd_start(&k);
        ask_all(&k, i);
        printf("  resident memory of keepd: %lld KiB\n", (long long)keepd_rss_kib(&k, false));
        keepd_close(&k);
    }
    printf("growth from %lld to %lld images:\n", (long long)sizes[0], (long long)sizes[n - 1]);
    for (size_t q = 0; n > 1 && q < N_ITEMS(questions); q++)
        printf("  %-28s x %.1f\n", questions[q][0], median[n - 1][q] / median[0][q]);
    return 0;
}
