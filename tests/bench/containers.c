/* What running containers cost:  containers [PER_NODE NODES]  (500 20)
 *
 *   scan        one scan of PER_NODE containers whose state lies as crun keeps it, with a
 *               config.json as engines write it (seccomp's default list): wall, CPU, memory
 *   report      NODES nodes report all they run, then nothing, then a tenth of it anew
 *   judgement   until the policies of the run stage have been asked about every one
 *   questions   /v1/containers over HTTP, median of 15 */
#include "tests/flow/upload.h"

#include "agent/inventory/inventory.h"
#include "tests/support/node.h"
#include "wire/msg/container.h"

#include <errno.h>
#include <ftw.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIMES = 15, SCANS = 7, IMAGES = 50 };

static char root[64], proc[80];

/* ---- a machine ---------------------------------------------------------------------------- */

static void put(const char *name, const char *text, size_t len)
{
    char path[400];

    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *p = path + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            abort();
        *p = '/';
    }
    FILE *f = fopen(path, "w");
    if (f == NULL || fwrite(text, 1, len, f) != len || fclose(f) != 0)
        abort();
}

static void put_config(const char *name, int i, struct buf *b)
{
    char digest[72];

    image_digest(1 + i % IMAGES, digest);
    buf_clear(b);
    buf_puts(b, "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"/srv/web\",\"--port\",\"8080\"],\"env\":[");
    for (int k = 0; k < 40; k++)
        buf_printf(b, "%s\"SERVICE_%d_PORT=tcp://10.96.0.%d:443\"", k > 0 ? "," : "", k, k);
    buf_puts(b, "],\"user\":{\"uid\":101,\"gid\":101},\"capabilities\":{\"effective\":[\"CAP_CHOWN\",\"CAP_KILL\"]}},\"mounts\":[");
    for (int k = 0; k < 16; k++)
        buf_printf(b, "%s{\"destination\":\"/m%d\",\"type\":\"bind\",\"source\":\"/var/lib/kubelet/pods/%d/volumes/%d\",\"options\":[\"rbind\",\"ro\"]}",
                   k > 0 ? "," : "", k, i, k);
    buf_printf(b, "],\"annotations\":{\"io.kubernetes.cri.image-name\":\"shop.example/app@%s\",\"io.kubernetes.cri.container-name\":\"web\","
                  "\"io.kubernetes.cri.sandbox-name\":\"web%d-7d4b9c6f5d-x2x4z\",\"io.kubernetes.cri.sandbox-namespace\":\"shop\"},"
                  "\"linux\":{\"maskedPaths\":[\"/proc/kcore\"],\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"}],"
                  "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"action\":\"SCMP_ACT_ALLOW\",\"names\":[", digest, i % 100);
    for (int k = 0; k < 400; k++)
        buf_printf(b, "%s\"syscall_number_%d\"", k > 0 ? "," : "", k);
    buf_puts(b, "]}]}}}");
    put(name, b->ptr, b->len);
}

static void make_machine(int n)
{
    char name[300], text[300];
    struct buf b;

    snprintf(root, sizeof root, "/tmp/keep-bench-inventory-XXXXXX");
    if (mkdtemp(root) == NULL)
        abort();
    snprintf(proc, sizeof proc, "%s/proc", root);
    put("/proc/uptime", "1000.0 1.0\n", 11);
    buf_init(&b, 1 << 20);
    for (int i = 0; i < n; i++) {
        int pid = 1000 + i;
        snprintf(name, sizeof name, "/run/crun/%064d/config.json", i);
        put_config(name, i, &b);
        snprintf(name, sizeof name, "/run/crun/%064d/status", i);
        put(name, text, (size_t)snprintf(text, sizeof text, "{\"pid\":%d,\"process-start-time\":%d,\"created\":\"2026-01-02T03:04:05Z\"}", pid, pid));
        snprintf(name, sizeof name, "/proc/%d/stat", pid);
        put(name, text, (size_t)snprintf(text, sizeof text, "%d (web) S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 %d 10 10\n", pid, pid));
        snprintf(name, sizeof name, "/proc/%d/cgroup", pid);
        put(name, text, (size_t)snprintf(text, sizeof text, "0::/kubepods.slice/crio-%064d.scope\n", i));
        snprintf(name, sizeof name, "/proc/%d/status", pid);
        put(name, text, (size_t)snprintf(text, sizeof text, "Uid:\t101\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nSeccomp:\t2\n"));
    }
    buf_free(&b);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

/* ---- the scan ------------------------------------------------------------------------------ */

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double cpu_ms(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static double wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void measure_scan(struct arena *arena, struct inventory *found)
{
    const struct inventory_roots roots = { .root = root, .proc = proc };
    double wall[SCANS], cpu[SCANS];
    struct rusage before, after;
    struct err err = { 0 };

    getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < SCANS; i++) {
        arena_clear(arena);
        double from = wall_ms(), used = cpu_ms();
        if (inventory_scan(&roots, arena, found, &err) != 0)
            abort();
        wall[i] = wall_ms() - from;
        cpu[i] = cpu_ms() - used;
    }
    getrusage(RUSAGE_SELF, &after);
    qsort(wall, SCANS, sizeof *wall, by_size);
    qsort(cpu, SCANS, sizeof *cpu, by_size);
    printf("scan of %zu containers: %.1f ms, %.1f ms of CPU (%.0f us each), peak +%ld KiB\n", found->n, wall[SCANS / 2], cpu[SCANS / 2],
           cpu[SCANS / 2] * 1e3 / (double)found->n, after.ru_maxrss - before.ru_maxrss);
}

/* ---- reports ---------------------------------------------------------------------------------- */

static size_t send_all(struct fixture *t, const struct test_node *node, struct inventory_track *track, const struct inventory *found)
{
    struct inventory_delta delta = { .has_more = true };
    struct arena arena;
    struct err err = { 0 };
    struct buf b;
    size_t bytes = 0;

    arena_init(&arena, 64 << 20);
    buf_init(&b, INVENTORY_BODY_MAX);
    while (delta.has_more) {
        arena_reset(&arena);
        if (inventory_diff(track, found, &arena, &delta, &err) != 0)
            abort();
        if (delta.is_empty)
            break;
        const struct inventory_report report = { delta.generation, delta.base, delta.containers, delta.n_containers, delta.gone, delta.n_gone };
        buf_clear(&b);
        shape_encode(&inventory_report_shape, &report, &b);
        keepd_ask(&t->client, node->token, "POST", "/v1/agent/inventory", b.ptr, 200);
        bytes += b.len;
        if (inventory_acknowledge(track, &delta, &err) != 0)
            abort();
    }
    buf_free(&b);
    arena_clear(&arena);
    return bytes;
}

static double report_all(struct fixture *t, const struct test_node *nodes, struct inventory_track *tracks, size_t n, const struct inventory *found,
                         const char *what)
{
    double from = wall_ms();
    int64_t used = keepd_cpu_ms(&t->keepd);
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += send_all(t, &nodes[i], &tracks[i], found);
    double took = wall_ms() - from;
    printf("report, %s: %zu nodes, %zu KiB, %.0f ms, %lld ms of the server's CPU\n", what, n, bytes / 1024, took, (long long)(keepd_cpu_ms(&t->keepd) - used));
    return took;
}

static void wait_judged(struct fixture *t, size_t n)
{
    double from = wall_ms();
    int64_t used = keepd_cpu_ms(&t->keepd);

    for (int i = 0; i < 6000; i++) {
        size_t left = json_len(json_get(get(t, "/v1/containers?verdict=unknown&limit=1", 200), "items"));
        if (left == 0)
            break;
        nap_ms(100);
    }
    int64_t cpu = keepd_cpu_ms(&t->keepd) - used;
    printf("judgement of %zu containers: %.0f ms from the last report on, %lld ms of CPU\n", n, wall_ms() - from, (long long)cpu);
}

static void ask_all(struct fixture *t)
{
    static const char *const questions[][2] = {
        { "carry CVE-X", "/v1/containers?cve=CVE-2026-0001" }, { "have a package", "/v1/containers?package=libcore0" },
        { "run a stale image", "/v1/containers?stale=true" }, { "break a policy", "/v1/containers?policy=scan-age" },
        { "privileged", "/v1/containers?privileged=true" }, { "fail", "/v1/containers?verdict=fail" },
        { "of a namespace", "/v1/containers?cluster=c0&namespace=shop" }, { "all, first page", "/v1/containers" },
        { "carry CVE-X and break a policy", "/v1/containers?cve=CVE-2026-0001&policy=scan-age" },
    };
    double ms[TIMES];

    for (size_t i = 0; i < N_ITEMS(questions); i++) {
        size_t n = 0;
        for (int k = 0; k < TIMES; k++) {
            double from = wall_ms();
            n = json_len(json_get(get(t, questions[i][1], 200), "items"));
            ms[k] = wall_ms() - from;
        }
        qsort(ms, TIMES, sizeof *ms, by_size);
        printf("question, %-32s %6.1f ms (%zu on the first page)\n", questions[i][0], ms[TIMES / 2], n);
    }
}

int main(int argc, char **argv)
{
    int per_node = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 500, n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 20;
    struct test_node *nodes = calloc((size_t)n, sizeof *nodes);
    struct inventory_track *tracks = calloc((size_t)n, sizeof *tracks);
    struct inventory found;
    struct arena arena;
    void *opened;

    make_machine(per_node);
    arena_init(&arena, INVENTORY_ARENA);
    measure_scan(&arena, &found);
    fixture_open(&opened);
    struct fixture *t = opened;
    for (int i = 1; i <= IMAGES; i++) {
        struct report_spec s = spec_of(i);
        s.packages = 100;
        s.findings = 60;
        s.harmless = true;
        s.scanned_ms -= i % 5 == 0 ? 30 * MS_DAY : 0;
        s.db_built_ms -= i % 5 == 0 ? 30 * MS_DAY : 0;
        upload(t, &s, 201);
    }
    for (int i = 0; i < n; i++) {
        char cluster[16];
        snprintf(cluster, sizeof cluster, "c%d", i % 4);
        test_node_join(&t->client, keepd_token(&t->keepd, ROLE_ADMIN), cluster, NULL, &nodes[i]);
    }
    double took = report_all(t, nodes, tracks, (size_t)n, &found, "everything");
    printf("  %.0f containers a second\n", (double)(per_node * n) * 1e3 / took);
    wait_judged(t, (size_t)(per_node * n));
    report_all(t, nodes, tracks, (size_t)n, &found, "nothing new");
    for (size_t i = 0; i < found.n; i += 10)
        found.containers[i].name = "renamed";
    report_all(t, nodes, tracks, (size_t)n, &found, "a tenth changed");
    ask_all(t);
    for (int i = 0; i < n; i++) {
        inventory_track_clear(&tracks[i]);
        test_node_free(&nodes[i]);
    }
    fixture_close(&opened);
    arena_clear(&arena);
    free(nodes);
    free(tracks);
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : 1;
}
