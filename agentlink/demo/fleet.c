/* fleet.c - see fleet.h. */
#include "demo/fleet.h"

#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY_DAYS = 97, LINES_MIN = 4, LINES_SPREAD = 4 };

const char *const demo_teams[] = { "payments", "identity", "checkout", "platform", "data", "logistics", "support", "edge", NULL };
const char *const demo_clusters[] = { "prod-eu", "prod-us", "staging", "edge", NULL };

#define ROW(team, name, base, language, tool) { team, team "/" name, base, language, tool, true }
#define D ECO_DEBIAN12
#define A ECO_ALPINE
#define NONE ECO_N

static const struct demo_repository repositories[] = {
    ROW("payments", "ledger-api", D, ECO_MAVEN, TOOL_TRIVY), ROW("payments", "ledger-batch", D, ECO_MAVEN, TOOL_TRIVY),
    ROW("payments", "card-gateway", A, ECO_GO, TOOL_TRIVY), ROW("payments", "fraud-model", D, ECO_PYPI, TOOL_TRIVY),
    ROW("payments", "settlement", D, ECO_MAVEN, TOOL_TRIVY), ROW("payments", "invoices", A, ECO_NPM, TOOL_TRIVY),
    ROW("payments", "wallet", A, ECO_GO, TOOL_TRIVY), ROW("payments", "tax-engine", D, ECO_MAVEN, TOOL_TRIVY),
    ROW("identity", "login", A, ECO_NPM, TOOL_TRIVY), ROW("identity", "tokens", A, ECO_GO, TOOL_TRIVY),
    ROW("identity", "directory", D, ECO_MAVEN, TOOL_TRIVY), ROW("identity", "consent", A, ECO_NPM, TOOL_TRIVY),
    ROW("identity", "mfa", A, ECO_GO, TOOL_TRIVY), ROW("identity", "scim", D, ECO_PYPI, TOOL_TRIVY),
    ROW("checkout", "storefront", D, ECO_NPM, TOOL_TRIVY), ROW("checkout", "cart", A, ECO_NPM, TOOL_TRIVY),
    ROW("checkout", "pricing", A, ECO_GO, TOOL_TRIVY), ROW("checkout", "promotions", D, ECO_PYPI, TOOL_TRIVY),
    ROW("checkout", "search", D, ECO_MAVEN, TOOL_TRIVY), ROW("checkout", "recommendations", D, ECO_PYPI, TOOL_TRIVY),
    ROW("checkout", "thumbnails", D, ECO_PYPI, TOOL_TRIVY), ROW("checkout", "cache", A, NONE, TOOL_TRIVY),
    ROW("platform", "ingress", A, ECO_GO, TOOL_TRIVY), ROW("platform", "dns", A, ECO_GO, TOOL_TRIVY),
    ROW("platform", "builder", D, NONE, TOOL_TRIVY), ROW("platform", "runner", D, ECO_GO, TOOL_TRIVY),
    ROW("platform", "mirror", A, ECO_GO, TOOL_TRIVY), ROW("platform", "proxy", A, NONE, TOOL_TRIVY),
    ROW("platform", "cron", A, NONE, TOOL_TRIVY), ROW("platform", "backup", D, NONE, TOOL_TRIVY),
    ROW("platform", "bastion", D, NONE, TOOL_TRIVY),
    ROW("data", "etl", D, ECO_PYPI, TOOL_GRYPE), ROW("data", "warehouse", D, ECO_PYPI, TOOL_GRYPE),
    ROW("data", "notebook", D, ECO_PYPI, TOOL_GRYPE), ROW("data", "kafka-bridge", D, ECO_MAVEN, TOOL_GRYPE),
    ROW("data", "reports", D, ECO_MAVEN, TOOL_GRYPE), ROW("data", "features", D, ECO_PYPI, TOOL_GRYPE),
    ROW("data", "labels", A, ECO_NPM, TOOL_GRYPE),
    ROW("logistics", "routes", D, ECO_MAVEN, TOOL_GRYPE), ROW("logistics", "tracking", A, ECO_NPM, TOOL_GRYPE),
    ROW("logistics", "printer", D, ECO_PYPI, TOOL_GRYPE), ROW("logistics", "depot-sync", A, ECO_GO, TOOL_GRYPE),
    ROW("logistics", "telematics", A, ECO_GO, TOOL_GRYPE), ROW("logistics", "returns", A, ECO_NPM, TOOL_GRYPE),
    ROW("logistics", "customs", D, ECO_MAVEN, TOOL_GRYPE),
    ROW("support", "helpdesk", D, ECO_NPM, TOOL_GRYPE), ROW("support", "chat", A, ECO_NPM, TOOL_GRYPE),
    ROW("support", "knowledge", A, ECO_NPM, TOOL_GRYPE), ROW("support", "mailer", D, ECO_PYPI, TOOL_CYCLONEDX),
    ROW("support", "phone", A, ECO_GO, TOOL_GRYPE), ROW("support", "surveys", A, ECO_NPM, TOOL_GRYPE),
    ROW("edge", "kiosk", A, ECO_NPM, TOOL_TRIVY), ROW("edge", "till", D, ECO_MAVEN, TOOL_TRIVY),
    ROW("edge", "sensor-hub", A, ECO_GO, TOOL_TRIVY), ROW("edge", "gateway", ECO_DEBIAN7, NONE, TOOL_TRIVY),
    ROW("edge", "camera", D, ECO_PYPI, TOOL_TRIVY), ROW("edge", "updater", A, ECO_GO, TOOL_TRIVY),
    ROW("edge", "display", ECO_ALPINE_OLD, NONE, TOOL_TRIVY),
    { "data", "sandbox/agents", D, ECO_NPM, TOOL_TRIVY, false }, { "data", "sandbox/compression", ECO_DEBIAN13, NONE, TOOL_TRIVY, false },
    { "platform", "sandbox/load-test", A, ECO_GO, TOOL_GRYPE, false },
};

uint64_t demo_hash(uint64_t seed, const char *what)
{
    uint64_t h = seed ^ UINT64_C(0x9e3779b97f4a7c15);

    for (; *what != '\0'; what++)
        h = (h ^ (unsigned char)*what) * UINT64_C(0x100000001b3);
    h ^= h >> 30;
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    h ^= h >> 27;
    h *= UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

static unsigned below(uint64_t seed, const char *what, unsigned n)
{
    return (unsigned)(demo_hash(seed, what) % n);
}

static int64_t day_ms(const struct fleet *f, int day)
{
    return f->now_ms + day * MS_DAY;
}

/* ---- images ---------------------------------------------------------------------- */

static bool is_neglected(const struct demo_repository *r)
{
    return str_eq(r->team, "edge") || str_eq(r->team, "data") || str_eq(r->team, "logistics");
}

static struct demo_image *add_image(struct fleet *f, const struct demo_repository *r, uint64_t seed, unsigned line, unsigned build)
{
    struct demo_image *m = &f->images[f->n_images++];
    char text[128];

    *m = (struct demo_image){ .repository = r, .line = line, .build = build, .seed = seed, .is_current = true };
    snprintf(m->tag, sizeof m->tag, "2.%u.%u", 3 + line, below(seed, "patch", 9) + build);
    int n = snprintf(text, sizeof text, "%s/%s:%s", DEMO_REGISTRY, r->name, m->tag);
    sha256_digest(text, (size_t)n, m->digest);
    m->is_clean = build > 0 || below(seed, "clean", 100) < (is_neglected(r) ? 62u : 84u);
    m->has_second_tool = r->is_signed && r->tool == TOOL_TRIVY && below(seed, "second", 100) < 8;
    m->database_lag_ms = (int64_t)(2 + below(seed + build, "lag", 20)) * MS_HOUR;
    return m;
}

/* Every few lines are left behind: not scanned for a while, or with a scanner that
 * has not updated its database. */
static void set_fate(const struct fleet *f, struct demo_image *m)
{
    unsigned fate = below(m->seed, "fate", 100), stale = is_neglected(m->repository) ? 16 : 6;

    m->last_ms = f->now_ms - (int64_t)(1 + below(m->seed, "last", 44)) * MS_HOUR;
    if (fate < stale)
        m->last_ms = day_ms(f, -8 - (int)below(m->seed, "stale", 34));
    else if (fate < stale + (str_eq(m->repository->team, "edge") ? 30u : 3u))
        m->database_lag_ms = (int64_t)(3 + below(m->seed, "database", 10)) * MS_DAY;
    if (m->last_ms < m->built_ms)
        m->last_ms = m->built_ms;
}

static void add_line(struct fleet *f, const struct demo_repository *r, unsigned line)
{
    uint64_t seed = demo_hash(line * 7919u + 17, r->name);
    bool is_old = below(seed, "old", 100) < 66;
    int start = is_old ? -HISTORY_DAYS + (int)below(seed, "start", 6) : -88 + (int)below(seed, "start", 84);
    struct demo_image *m = add_image(f, r, seed, line, 0);

    m->built_ms = day_ms(f, start) + (int64_t)below(seed, "hour", 20) * MS_HOUR;
    m->has_secret = (str_eq(r->name, "checkout/storefront") && line == 1) || (str_eq(r->name, "edge/camera") && line == 2) ||
                    (str_eq(r->name, "payments/wallet") && line == 3);
    set_fate(f, m);
    if (below(seed, "rebuild", 100) >= 24 || start > -20)
        return;
    struct demo_image *next = add_image(f, r, seed, line, 1);
    int at = start + 10 + (int)below(seed, "when", (unsigned)(-start - 13));
    next->built_ms = day_ms(f, at) + (int64_t)below(seed, "hour", 20) * MS_HOUR;
    set_fate(f, next);
    m->is_current = false;
    /* Half of what was replaced still runs somewhere, so it is still scanned. */
    if (below(seed, "lingers", 2) == 0 && next->built_ms + 6 * MS_DAY < m->last_ms)
        m->last_ms = next->built_ms + 6 * MS_DAY;
}

static void add_unscanned(struct fleet *f)
{
    static const unsigned every = 5;

    for (size_t i = 2; i < N_ITEMS(repositories); i += every) {
        struct demo_image *m = &f->unscanned[f->n_unscanned++];
        char text[128];

        *m = (struct demo_image){ .repository = &repositories[i], .seed = i };
        snprintf(m->tag, sizeof m->tag, "2.%u.0", 12u + (unsigned)(i % 3));
        int n = snprintf(text, sizeof text, "%s/%s:%s", DEMO_REGISTRY, repositories[i].name, m->tag);
        sha256_digest(text, (size_t)n, m->digest);
    }
}

/* ---- scans -------------------------------------------------------------------------- */

static void add_scan(struct fleet *f, const struct demo_image *m, int64_t at_ms, enum scan_tool tool)
{
    f->scans[f->n_scans++] = (struct demo_scan){ m, at_ms, at_ms - m->database_lag_ms, tool };
}

/* Every other week long ago, then about weekly, and the last one on its day. */
static void add_scans(struct fleet *f, const struct demo_image *m)
{
    int64_t at = m->built_ms;

    for (unsigned i = 0; at < m->last_ms - 2 * MS_DAY; i++) {
        add_scan(f, m, at, m->repository->tool);
        int64_t gap = at < day_ms(f, -24) ? 15 * MS_DAY : 7 * MS_DAY;
        at += gap + (int64_t)below(m->seed + i, "gap", 40) * MS_HOUR;
    }
    add_scan(f, m, m->last_ms, m->repository->tool);
    if (m->has_second_tool)
        add_scan(f, m, m->last_ms, TOOL_GRYPE);
}

static int by_time(const void *a, const void *b)
{
    const struct demo_scan *x = a, *y = b;

    return x->at_ms != y->at_ms ? (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms) : strcmp(x->image->digest, y->image->digest);
}

/* ---- what runs ------------------------------------------------------------------------ */

static void run_image(struct fleet *f, const struct demo_image *m, const char *cluster, int replicas)
{
    const char *slash = strchr(m->repository->name, '/');

    f->workloads[f->n_workloads++] = (struct demo_workload){ cluster, m->repository->team,
        slash != NULL ? slash + 1 : m->repository->name, m, replicas };
}

static void add_workloads(struct fleet *f)
{
    for (size_t i = 0; i < f->n_images; i++) {
        const struct demo_image *m = &f->images[i];
        bool is_edge = str_eq(m->repository->team, "edge");
        unsigned odds = m->is_current ? 52 : 14;       /* what was replaced still runs here and there */

        if (!m->repository->is_signed || below(m->seed + m->build, "runs", 100) >= odds)
            continue;
        if (is_edge)
            run_image(f, m, "edge", 40);
        else if (m->line >= 3)
            run_image(f, m, "staging", 1);
        else {
            run_image(f, m, "prod-eu", 2 + (int)below(m->seed, "eu", 8));
            if (below(m->seed, "both", 10) < 6)
                run_image(f, m, "prod-us", 2 + (int)below(m->seed, "us", 6));
        }
    }
    for (size_t i = 0; i < f->n_unscanned; i += 3)
        run_image(f, &f->unscanned[i], "staging", 1);
}

int fleet_make(struct arena *arena, int64_t now_ms, struct fleet *out, struct err *err)
{
    enum { IMAGES_MAX = 2 * (LINES_MIN + LINES_SPREAD) * (int)N_ITEMS(repositories), SCANS_EACH = 24 };
    struct fleet f = { .now_ms = now_ms, .repositories = repositories, .n_repositories = N_ITEMS(repositories) };

    f.images = arena_array(arena, IMAGES_MAX, sizeof *f.images);
    f.unscanned = arena_array(arena, N_ITEMS(repositories), sizeof *f.unscanned);
    f.scans = arena_array(arena, IMAGES_MAX * SCANS_EACH, sizeof *f.scans);
    f.workloads = arena_array(arena, 2 * IMAGES_MAX, sizeof *f.workloads);
    if (f.images == NULL || f.unscanned == NULL || f.scans == NULL || f.workloads == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < N_ITEMS(repositories); i++) {
        unsigned lines = LINES_MIN + below(i, repositories[i].name, LINES_SPREAD);
        for (unsigned k = 0; k < (repositories[i].is_signed ? lines : 3); k++)
            add_line(&f, &repositories[i], k);
    }
    add_unscanned(&f);
    for (size_t i = 0; i < f.n_images; i++)
        add_scans(&f, &f.images[i]);
    qsort(f.scans, f.n_scans, sizeof *f.scans, by_time);
    add_workloads(&f);
    *out = f;
    return 0;
}

/* ---- what is in an image ------------------------------------------------------------------ */

static int n_versions(const struct demo_package *p)
{
    int n = 1;

    while (n < FACT_VERSIONS && p->versions[n] != NULL)
        n++;
    return n;
}

/* The newest version that existed then: a fix comes the day after its vulnerability. */
static int newest_at(const struct fleet *f, const struct demo_package *p, int64_t at_ms)
{
    int best = n_versions(p) - 1;

    for (size_t i = 0; i < n_demo_vulnerabilities; i++) {
        const struct demo_vulnerability *v = &demo_vulnerabilities[i];
        if (v->appears != 0 && v->eco == p->eco && v->fixed_at > 0 && v->fixed_at <= best && str_eq(v->package, p->name) &&
            day_ms(f, v->appears + 1) > at_ms)
            best = v->fixed_at - 1;
    }
    return best;
}

static int version_of(const struct fleet *f, const struct demo_image *m, const struct demo_package *p)
{
    const char *key = p->source != NULL ? p->source : p->name;
    int newest = newest_at(f, p, m->built_ms);
    bool is_legacy = p->eco == ECO_DEBIAN7 || p->eco == ECO_ALPINE_OLD || p->eco == ECO_DEBIAN13;

    if (m->build == 0 && (is_legacy || (strstr(p->name, "log4j") != NULL && str_eq(m->repository->name, "payments/ledger-batch") && m->line < 2)))
        return 0;
    if (m->is_clean || newest == 0 || below(m->seed, key, 100) >= 18)
        return newest;
    /* Mostly one version behind; very old ones are rare. */
    unsigned back = below(m->seed + 1, key, 100);
    int behind = back < 70 ? 1 : back < 90 ? 2 : 3;
    return behind < newest ? newest - behind : 0;
}

static bool has_package(const struct demo_image *m, const struct demo_package *p)
{
    const char *key = p->source != NULL ? p->source : p->name;
    bool is_wanted = (strstr(p->name, "webp") != NULL || str_eq(p->name, "pillow")) && str_eq(m->repository->name, "checkout/thumbnails");

    if (p->eco != m->repository->base && p->eco != m->repository->language)
        return false;
    if (strstr(p->name, "log4j") != NULL)
        key = "log4j";
    if (str_eq(p->name, "openssh-server") && str_eq(m->repository->name, "platform/bastion"))
        return true;
    if (str_eq(p->name, "git") && str_eq(m->repository->name, "platform/builder"))
        return true;
    if (str_eq(p->name, "vm2"))
        return str_eq(m->repository->name, "sandbox/agents");
    if (str_eq(p->name, "org.apache.struts:struts2-core"))
        return str_eq(m->repository->name, "logistics/customs") && m->line == 0;
    return is_wanted || (str_eq(key, "log4j") && str_eq(m->repository->name, "payments/ledger-batch")) ||
           below(demo_hash(7, m->repository->name), key, 100) < p->chance;
}

size_t image_held(const struct fleet *f, const struct demo_image *image, struct held out[FLEET_PACKAGES_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < n_demo_packages && n < FLEET_PACKAGES_MAX; i++) {
        const struct demo_package *p = &demo_packages[i];
        if (!has_package(image, p))
            continue;
        int at = version_of(f, image, p);
        out[n++] = (struct held){ p, p->versions[at], at };
    }
    return n;
}

/* ---- what a scanner knew --------------------------------------------------------------------- */

/* Triage: from a day on, teams hand their scanners statements that a finding does not
 * concern them. */
static const char *triage(const struct fleet *f, const struct demo_scan *s, const struct demo_vulnerability *v)
{
    static const struct { const char *cve, *teams; int from; const char *why; } statements[] = {
        { "CVE-2023-45853", "payments identity platform", -52, "vulnerable_code_not_present: MiniZip is not part of the package" },
        { "CVE-2023-45853", "checkout support", -24, "vulnerable_code_not_present: MiniZip is not part of the package" },
        { "CVE-2023-45853", "data logistics", -9, "vulnerable_code_not_present: MiniZip is not part of the package" },
        { "CVE-2024-45491", "payments identity platform checkout", -37, "vulnerable_code_cannot_be_controlled_by_adversary: 64-bit only" },
        { "CVE-2024-45492", "payments identity platform checkout", -37, "vulnerable_code_cannot_be_controlled_by_adversary: 64-bit only" },
        { "CVE-2024-24790", "identity platform", -44, "vulnerable_code_not_in_execute_path" },
    };

    for (size_t i = 0; i < N_ITEMS(statements); i++) {
        if (str_eq(statements[i].cve, v->cve) && strstr(statements[i].teams, s->image->repository->team) != NULL &&
            s->at_ms >= day_ms(f, statements[i].from))
            return statements[i].why;
    }
    return NULL;
}

size_t scan_found(const struct fleet *f, const struct demo_scan *scan, const struct held *held, size_t n_held,
                  struct found out[FLEET_FINDINGS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < n_held; i++) {
        const struct demo_package *p = held[i].package;
        for (size_t k = 0; k < n_demo_vulnerabilities && n < FLEET_FINDINGS_MAX; k++) {
            const struct demo_vulnerability *v = &demo_vulnerabilities[k];
            if (v->eco != p->eco || (v->fixed_at > 0 && held[i].at >= v->fixed_at) || !str_eq(v->package, p->name) ||
                (v->appears != 0 && scan->database_ms < day_ms(f, v->appears)))
                continue;
            const char *fixed = v->fixed_at == 0 ? NULL : v->fixed != NULL ? v->fixed : p->versions[v->fixed_at];
            out[n++] = (struct found){ v, &held[i], fixed, triage(f, scan, v) };
        }
    }
    return n;
}
