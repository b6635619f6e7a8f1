/* impact.c - what trying a changed policy costs: IMPACT_IMAGES images with 12
 * findings each and as many recorded reviews (10,000 unless said otherwise),
 * through a real keepd.  Filling the database takes longer than the question. */
#include "tests/flow/upload.h"

static int wanted(void)
{
    int64_t n = 10000;

    str_to_i64(getenv("IMPACT_IMAGES") != NULL ? getenv("IMPACT_IMAGES") : "", 1, 1000000, &n);
    return (int)n;
}

static void fill(struct fixture *t, int n)
{
    char name[64], body[1200], path[200];
    static const char *const off[] = { "scan-age", "database-age", "trusted-scan", "serious-fixable", "known-exploited", "secrets-malware" };

    for (int i = 1; i <= n; i++) {
        struct report_spec s = spec_of(i);
        snprintf(name, sizeof name, "shop.example/app-%d", i % 300);
        s.repository = name;
        s.harmless = i % 3 != 0;
        upload(t, &s, 201);
    }
    for (size_t i = 0; i < N_ITEMS(off); i++) {                      /* else every pod is refused for its unknown images */
        snprintf(path, sizeof path, "/v1/policies/%s/disable", off[i]);
        send_json(t, "POST", path, NULL, 200);
    }
    for (int i = 1; i <= n; i++) {
        snprintf(body, sizeof body,
                 "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u\","
                 "\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"},\"resource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":\"pods\"},"
                 "\"name\":\"app-%d\",\"namespace\":\"team-%d\",\"operation\":\"CREATE\",\"userInfo\":{\"username\":\"u\"},"
                 "\"object\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"app-%d\",\"namespace\":\"team-%d\"},"
                 "\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"shop.example/app-%d:%s\",\"resources\":{\"limits\":{\"memory\":\"1Gi\"}}}]}}}}",
                 i, i % 40, i, i % 40, i % 300, i % 5 == 0 ? "latest" : "1.0");
        keepd_ask(&t->client, keepd_token(&t->keepd, ROLE_ADMISSION), "POST", "/v1/admission/validate", body, 200);
    }
}

static void ask(struct fixture *t, const char *name, const char *document)
{
    char path[200];
    struct ask q = { "POST", path, keepd_token(&t->keepd, ROLE_POLICY), "Content-Type: text/yaml\r\n", document, strlen(document) };

    snprintf(path, sizeof path, "/v1/policies/%s/impact", name);
    int64_t cpu = keepd_cpu_ms(&t->keepd);
    struct reply r = client_send(&t->client, &q);
    if (r.status != 200)
        fail_msg("%d %.*s", r.status, (int)r.len, r.body);
    const struct json *doc = client_json(&t->client, &r);
    static const char *const rows[] = { "images", "admissions" };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        const struct json *c = json_get(doc, rows[i]);
        printf("%-20s %-10s examined %6lld, newly failing %6lld, newly passing %6lld, warned %6lld, unchanged %6lld\n", name, rows[i],
               (long long)json_int(json_get(c, "examined"), -1), (long long)json_int(json_get(c, "newly_failing"), -1),
               (long long)json_int(json_get(c, "newly_passing"), -1), (long long)json_int(json_get(c, "newly_warned"), -1),
               (long long)json_int(json_get(c, "unchanged"), -1));
    }
    printf("%-20s took %lld ms, %lld ms of CPU, complete: %s; memory now %lld KiB, at most %lld KiB\n", name,
           (long long)json_int(json_get(doc, "elapsed_ms"), -1), (long long)(keepd_cpu_ms(&t->keepd) - cpu),
           json_bool(json_get(doc, "is_complete"), false) ? "yes" : "no", (long long)keepd_rss_kib(&t->keepd, false),
           (long long)keepd_rss_kib(&t->keepd, true));
}

int main(void)
{
    static const char images[] =
        "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: serious-fixable, title: T}\nspec:\n  stages: [build]\n  mode: enforce\n"
        "  validations:\n    - {name: fixable, each: image.findings, expression: \"!(item.fixable && item.severity != 'low')\", message: fixable}\n";
    static const char tags[] =
        "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: mutable-tags, title: T}\nspec:\n  stages: [deploy]\n  mode: enforce\n"
        "  validations:\n    - {name: latest, each: containers, expression: \"!item.image.endsWith(':latest')\", message: latest}\n";
    static const char both[] =
        "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: scan-age, title: T}\nspec:\n  stages: [build, deploy]\n  mode: enforce\n"
        "  validations:\n    - {name: recent, expression: image.scan_age <= duration('30s'), message: old}\n";
    void *state;

    fixture_open(&state);
    struct fixture *t = state;
    int64_t from = time_monotonic_ms();
    fill(t, wanted());
    printf("%d images and as many reviews recorded in %lld ms\n", wanted(), (long long)(time_monotonic_ms() - from));
    nap_ms(2000);
    ask(t, "serious-fixable", images);
    ask(t, "mutable-tags", tags);
    ask(t, "scan-age", both);
    fixture_close(&state);
    return 0;
}
