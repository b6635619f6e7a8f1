/* admission.c - what a decision costs: over HTTP against a real keepd, and in
 * process, part by part; how it grows with policies and containers.
 *
 *   build/release/tests/bench/admission [SECONDS PER LINE]
 *
 * The floor over HTTP is the same review with operation DELETE: authenticated,
 * read, parsed, answered, but not judged. */
#include "tests/flow/upload.h"
#include "tests/support/admission_pure.h"

#include <pthread.h>

static double seconds = 1.0;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the review: a Pod of about 4 KB as the API server sends it ------------------------- */

static void make_review(struct buf *b, const char *operation, const char *image, int containers)
{
    buf_printf(b, "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":\"705ab4f5-6393-11e8-b7cc-42010a800002\","
                  "\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"},\"resource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":\"pods\"},"
                  "\"requestKind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"},\"requestResource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":"
                  "\"pods\"},\"name\":\"\",\"namespace\":\"shop\",\"operation\":\"%s\",\"userInfo\":{\"username\":\"system:serviceaccount:kube-system:"
                  "replicaset-controller\",\"uid\":\"a7e0ab33\",\"groups\":[\"system:serviceaccounts\",\"system:serviceaccounts:kube-system\","
                  "\"system:authenticated\"]},\"object\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"generateName\":\"web-5d4f8c7b9-\","
                  "\"namespace\":\"shop\",\"labels\":{\"app\":\"web\",\"pod-template-hash\":\"5d4f8c7b9\"},\"ownerReferences\":[{\"apiVersion\":\"apps/v1\","
                  "\"kind\":\"ReplicaSet\",\"name\":\"web-5d4f8c7b9\",\"uid\":\"8d1c7a0e-2222-4444-8888-000000000000\",\"controller\":true}],"
                  "\"managedFields\":[{\"manager\":\"kube-controller-manager\",\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":"
                  "\"2026-01-01T00:00:00Z\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{\"f:generateName\":{},\"f:labels\":{\".\":{},\"f:app\":{},"
                  "\"f:pod-template-hash\":{}},\"f:ownerReferences\":{\".\":{}}},\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"c0\\\"}\":{\".\":{},"
                  "\"f:image\":{},\"f:imagePullPolicy\":{},\"f:name\":{},\"f:resources\":{},\"f:terminationMessagePath\":{}}},\"f:dnsPolicy\":{},"
                  "\"f:enableServiceLinks\":{},\"f:restartPolicy\":{},\"f:schedulerName\":{},\"f:securityContext\":{}}}}]},\"spec\":{\"volumes\":[{\"name\":"
                  "\"kube-api-access-x\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"token\"}}]}}],"
                  "\"containers\":[", operation);
    for (int i = 0; i < containers; i++)
        buf_printf(b, "%s{\"name\":\"c%d\",\"image\":\"%s\",\"ports\":[{\"containerPort\":%d,\"protocol\":\"TCP\"}],\"env\":[{\"name\":\"LOG_LEVEL\",\"value\":"
                      "\"info\"},{\"name\":\"REGION\",\"value\":\"eu-central-1\"}],\"resources\":{\"limits\":{\"cpu\":\"500m\",\"memory\":\"256Mi\"},"
                      "\"requests\":{\"cpu\":\"100m\",\"memory\":\"128Mi\"}},\"securityContext\":{\"runAsNonRoot\":true,\"allowPrivilegeEscalation\":false,"
                      "\"capabilities\":{\"drop\":[\"ALL\"]}},\"volumeMounts\":[{\"name\":\"kube-api-access-x\",\"readOnly\":true,\"mountPath\":"
                      "\"/var/run/secrets/kubernetes.io/serviceaccount\"}],\"livenessProbe\":{\"httpGet\":{\"path\":\"/healthz\",\"port\":8080},"
                      "\"periodSeconds\":10}}", i > 0 ? "," : "", i, image, 8080 + i % 1000);
    buf_puts(b, "],\"restartPolicy\":\"Always\",\"serviceAccountName\":\"web\"}},\"oldObject\":null,\"dryRun\":false,\"options\":{\"kind\":\"CreateOptions\","
                "\"apiVersion\":\"meta.k8s.io/v1\"}}}");
}

/* A policy about the object, as people write them: number i of many. */
static void make_policy(struct buf *b, int i)
{
    static const char *const rules[] = {
        "!has(object.spec.hostNetwork) || !object.spec.hostNetwork",
        "object.spec.containers.all(c, !has(c.securityContext.privileged) || !c.securityContext.privileged)",
        "object.spec.containers.all(c, has(c.resources.limits.memory))",
        "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))",
        "object.spec.containers.all(c, !c.image.endsWith(':latest'))",
        "has(object.metadata.labels) && 'app' in object.metadata.labels",
        "object.spec.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.hostPort) || p.hostPort == 0))",
        "object.spec.containers.all(c, !has(c.env) || c.env.all(e, !e.name.matches('(?i)(password|secret)$')))",
    };

    buf_printf(b, "{\"apiVersion\":\"keep/v1\",\"kind\":\"Policy\",\"metadata\":{\"name\":\"bench-%d\"},\"spec\":{\"stages\":[\"deploy\"],\"mode\":\"enforce\","
                  "\"validations\":[{\"name\":\"rule\",\"expression\":\"%s\",\"message\":\"wrong\"}]}}", i, rules[(size_t)i % N_ITEMS(rules)]);
}

/* ---- in process ---------------------------------------------------------------------------- */

static struct image_facts *make_facts(struct pure *p, size_t n)
{
    struct image_facts *f = arena_alloc(&p->policies, sizeof *f);
    struct image_finding *list = arena_array(&p->policies, n, sizeof *list);

    if (f == NULL || list == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        list[i] = (struct image_finding){ .vulnerability = arena_printf(&p->policies, "CVE-2026-%05zu", i), .package = "openssl", .version = "3.0.11",
                                          .ecosystem = "deb", .scanner = "trivy", .severity = 3, .since_ms = p->now_ms, .cvss = 31, .epss = 100,
                                          .vulnerability_id = (int64_t)i + 1, .package_id = 1, .scanner_id = 1 };
    *f = (struct image_facts){ .image = { .digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", .repository = "shop.example/app",
                                          .team = "", .has_scan = true, .is_signed = true, .scanned_ms = p->now_ms, .db_built_ms = p->now_ms },
                               .findings = list, .n_findings = n };
    return f;
}

/* Microseconds of CPU per call. */
static double cost(int (*run)(struct pure *, const struct buf *), struct pure *p, const struct buf *text)
{
    long n = 0;
    double from = cpu_s(), until = from + seconds / 4;

    do {
        for (int i = 0; i < 8; i++, n++) {
            if (run(p, text) != 0) {
                fprintf(stderr, "%s\n", p->err.msg);
                exit(1);
            }
        }
    } while (cpu_s() < until);
    return (cpu_s() - from) * 1e6 / (double)n;
}

static int parse_only(struct pure *p, const struct buf *text)
{
    arena_reset(&p->arena);
    return json_parse(&p->arena, text->ptr, text->len, &pure_opts, &p->doc, &p->err);
}

/* The oracle's own reading of the answer is not part of the decision. */
static int decide(struct pure *p, const struct buf *text)
{
    struct admission_case d = { .review = &p->review, .decision = DECISION_PASS, .policy_version = 1 };

    if (parse_only(p, text) != 0 || admission_read(&p->doc, NULL, &p->arena, NULL, &p->review, &p->err) != 0 ||
        pure_decide(p, &d) != 0 || admission_decide(&d, &p->arena, &p->answer, &p->err) != 0)
        return -1;
    buf_clear(&p->text);
    admission_write(&p->review, &p->answer, &p->text);
    return p->text.failed;
}

static void per_policy(const struct buf *text)
{
    struct pure p;

    for (size_t i = 0; i < n_shipped_policies; i++) {
        pure_init(&p);
        p.facts = make_facts(&p, 100);
        pure_shipped(&p);
        double without = (p.set.n = 0, cost(decide, &p, text));
        p.items[0] = p.items[i];
        p.set.n = 1;
        printf("  %-28s %8.2f us\n", policy_info(p.items[0])->name, cost(decide, &p, text) - without);
        pure_clear(&p);
    }
}

static void parts(const struct buf *text)
{
    struct pure p;

    pure_init(&p);
    pure_shipped(&p);
    p.facts = make_facts(&p, 100);
    double json = cost(parse_only, &p, text), all = cost(decide, &p, text);
    p.set.n = 0;
    double none = cost(decide, &p, text);
    printf("in process, %zu bytes, %zu shipped policies, an image with 100 findings\n", text->len, n_shipped_policies);
    printf("  JSON reading                 %8.2f us  (%.0f %% of the decision)\n", json, 100 * json / all);
    printf("  envelope and answer          %8.2f us\n  policies                     %8.2f us\n  whole decision               %8.2f us\n", none - json, all - none, all);
    pure_clear(&p);
    printf("each shipped policy alone\n");
    per_policy(text);
}

static void growth_policies(const struct buf *text)
{
    static const int sizes[] = { 10, 50, 100, 1000 };

    printf("policies about the object: time and memory\n");
    for (size_t i = 0; i < N_ITEMS(sizes); i++) {
        struct pure p;
        struct buf one = { .max = 1 << 16 };
        pure_init(&p);
        for (int k = 0; k < sizes[i]; k++) {
            buf_clear(&one);
            make_policy(&one, k);
            pure_policy(&p, one.ptr);
        }
        double us = cost(decide, &p, text);
        printf("  %5d policies %10.1f us  %6.2f us each   compiled %6zu KiB, a review %5zu KiB\n", sizes[i], us, us / sizes[i],
               p.policies.used >> 10, p.arena.used >> 10);
        buf_free(&one);
        pure_clear(&p);
    }
}

static void growth_containers(void)
{
    static const int sizes[] = { 1, 10, 100, 1000 };

    printf("containers, 50 policies about the object and the shipped ones\n");
    for (size_t i = 0; i < N_ITEMS(sizes); i++) {
        struct pure p;
        struct buf text = { .max = 64 << 20 }, one = { .max = 1 << 16 };
        pure_init(&p);
        pure_shipped(&p);
        p.facts = make_facts(&p, 100);
        for (int k = 0; k < 50; k++) {
            buf_clear(&one);
            make_policy(&one, k);
            pure_policy(&p, one.ptr);
        }
        make_review(&text, "CREATE", "shop.example/app:1.0", sizes[i]);
        double us = cost(decide, &p, &text), json = cost(parse_only, &p, &text);
        printf("  %5d containers %10.1f us  %6.2f us each   JSON %3.0f %%\n", sizes[i], us, us / sizes[i], 100 * json / us);
        buf_free(&text);
        buf_free(&one);
        pure_clear(&p);
    }
}

/* ---- over HTTP ---------------------------------------------------------------------------------- */

enum { SAMPLES_MAX = 1 << 20 };

struct load {
    struct fixture *t;
    const struct buf *text;
    const char *path;
    double until;
    long n, bad;
    float *us;                             /* SAMPLES_MAX of them; NULL: not measured */
    pthread_t thread;
};

static void *run_load(void *arg)
{
    struct load *l = arg;
    struct client c;
    struct ask ask = { "POST", l->path, keepd_token(&l->t->keepd, ROLE_ADMISSION), "Content-Type: application/json\r\n", l->text->ptr, l->text->len };

    client_init(&c, l->t->keepd.port);
    for (double from = now_s(); from < l->until; l->n++) {
        struct reply r = client_send(&c, &ask);
        double at = now_s();
        l->bad += r.status != 200 || strstr(r.body, "\"allowed\":true") == NULL;
        if (l->us != NULL && l->n < SAMPLES_MAX)
            l->us[l->n] = (float)((at - from) * 1e6);
        from = at;
    }
    client_free(&c);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return x < y ? -1 : x > y;
}

static void http_line(struct fixture *t, const char *what, const char *path, const struct buf *text, int connections)
{
    static float us[SAMPLES_MAX];
    struct load l[8];
    long n = 0, bad = 0;
    int64_t cpu = keepd_cpu_ms(&t->keepd);
    double from = now_s();

    for (int i = 0; i < connections; i++) {
        l[i] = (struct load){ .t = t, .text = text, .path = path, .until = from + seconds, .us = i == 0 ? us : NULL };
        pthread_create(&l[i].thread, NULL, run_load, &l[i]);
    }
    for (int i = 0; i < connections; i++) {
        pthread_join(l[i].thread, NULL);
        n += l[i].n;
        bad += l[i].bad;
    }
    double took = now_s() - from;
    cpu = keepd_cpu_ms(&t->keepd) - cpu;
    size_t samples = l[0].n < SAMPLES_MAX ? (size_t)l[0].n : SAMPLES_MAX;
    qsort(us, samples, sizeof *us, by_value);
    printf("  %-34s %d conn %7.0f/s %8.0f per CPU-second   p50 %6.0f us  p99 %6.0f us%s\n", what, connections, (double)n / took,
           cpu > 0 ? (double)n * 1000 / (double)cpu : 0, (double)us[samples / 2], (double)us[samples * 99 / 100], bad > 0 ? "  NOT ALL ALLOWED" : "");
}

/* The server's own clock: how many of its answers took at most this long. */
static long within(const char *metrics, const char *le)
{
    char key[80];

    snprintf(key, sizeof key, "keepd_admission_seconds_bucket{le=\"%s\"} ", le);
    const char *at = strstr(metrics, key);
    return at != NULL ? strtol(at + strlen(key), NULL, 10) : 0;
}

struct counts { long fast, all; };

static struct counts server_side(struct fixture *t)
{
    struct reply r = client_send(&t->client, &(struct ask){ "GET", "/metrics", NULL, NULL, NULL, 0 });

    return (struct counts){ within(r.body, "0.001000"), within(r.body, "+Inf") };
}

static void upload_image(struct fixture *t, int image, int findings, const char *tag)
{
    struct report_spec s = spec_of(image);
    char query[100];

    s.harmless = true;
    s.findings = findings;
    s.packages = findings > 20 ? findings / 3 : 20;
    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, false, &t->body);
    snprintf(query, sizeof query, "?image=shop.example/app:%s", tag);
    post_body(t, query, NULL, 201);
}

static void put_policies(struct fixture *t, int n)
{
    struct buf one = { .max = 1 << 16 };
    char path[64];

    for (int i = 0; i < n; i++) {
        buf_clear(&one);
        make_policy(&one, i);
        snprintf(path, sizeof path, "/v1/policies/bench-%d", i);
        send_json(t, "PUT", path, one.ptr, 201);
    }
    buf_free(&one);
}

static void over_http(void)
{
    struct fixture *t;
    struct buf small = { .max = 1 << 20 }, large = small, floor_text = small;

    fixture_open((void **)&t);
    upload_image(t, 1, 12, "1.0");
    upload_image(t, 2, 300, "2.0");
    make_review(&small, "CREATE", "shop.example/app:1.0", 3);
    make_review(&large, "CREATE", "shop.example/app:2.0", 3);
    make_review(&floor_text, "DELETE", "shop.example/app:1.0", 3);
    printf("over HTTP, a Pod of %zu bytes\n", small.len);
    for (int connections = 1; connections <= 8; connections *= 8) {
        http_line(t, "parsed only (floor)", "/v1/admission/validate", &floor_text, connections);
        http_line(t, "shipped policies, 12 findings", "/v1/admission/validate", &small, connections);
        http_line(t, "shipped policies, 300 findings", "/v1/admission/validate", &large, connections);
    }
    put_policies(t, 50 - (int)n_shipped_policies);
    struct counts before = server_side(t);
    http_line(t, "50 policies, 12 findings", "/v1/admission/validate", &small, 1);
    struct counts after = server_side(t);
    printf("  server side, 50 policies: %.2f %% of %ld answers within 1 ms\n", 100.0 * (double)(after.fast - before.fast) / (double)(after.all - before.all),
           after.all - before.all);
    http_line(t, "50 policies, 12 findings", "/v1/admission/validate", &small, 8);
    printf("  resident memory of keepd: %lld KiB\n", (long long)keepd_rss_kib(&t->keepd, false));
    buf_free(&small);
    buf_free(&large);
    buf_free(&floor_text);
    void *state = t;
    fixture_close(&state);
}

int main(int argc, char **argv)
{
    struct buf text = { .max = 1 << 20 };

    if (argc > 1)
        seconds = strtod(argv[1], NULL);
    over_http();
    make_review(&text, "CREATE", "shop.example/app:1.0", 3);
    parts(&text);
    growth_policies(&text);
    growth_containers();
    buf_free(&text);
    return 0;
}
