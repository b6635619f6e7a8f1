/* json.c - how fast JSON is read: ours, jansson, and what merely looking at
 * every byte costs; and how much memory a byte of text becomes.
 *
 *   build/release/tests/bench/json [SECONDS PER LINE] */
#include "tests/support/jansson_apart.h"

#include "wire/json.h"
#include "wire/jsonw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the texts --------------------------------------------------------------- */

/* An admission review of a Deployment, about 4 KB. */
static void make_review(struct buf *b)
{
    buf_puts(b, "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{"
                "\"uid\":\"705ab4f5-6393-11e8-b7cc-42010a800002\",\"kind\":{\"group\":\"apps\",\"version\":\"v1\","
                "\"kind\":\"Deployment\"},\"namespace\":\"shop\",\"operation\":\"CREATE\",\"userInfo\":{\"username\":"
                "\"system:serviceaccount:ci:deployer\",\"groups\":[\"system:serviceaccounts\",\"system:authenticated\"]},"
                "\"object\":{\"metadata\":{\"name\":\"web\",\"labels\":{\"app\":\"web\",\"tier\":\"front\"},\"annotations\":{"
                "\"note\":\"line one\\nline two with \\\"quotes\\\"\"}},\"spec\":{\"replicas\":3,\"template\":{\"spec\":{"
                "\"containers\":[");
    for (int i = 0; i < 6; i++) {
        buf_printf(b, "%s{\"name\":\"c%d\",\"image\":\"registry.example.com/shop/web-%d@sha256:%064d\",\"ports\":[{"
                      "\"containerPort\":%d,\"protocol\":\"TCP\"}],\"env\":[{\"name\":\"LOG_LEVEL\",\"value\":\"info\"},"
                      "{\"name\":\"REGION\",\"value\":\"eu-central-1\"}],\"resources\":{\"limits\":{\"cpu\":\"500m\","
                      "\"memory\":\"256Mi\"},\"requests\":{\"cpu\":\"100m\",\"memory\":\"128Mi\"}},\"securityContext\":{"
                      "\"runAsNonRoot\":true,\"allowPrivilegeEscalation\":false,\"capabilities\":{\"drop\":[\"ALL\"]}},"
                      "\"livenessProbe\":{\"httpGet\":{\"path\":\"/healthz\",\"port\":8080},\"periodSeconds\":10}}",
                   i > 0 ? "," : "", i, i, i, 8080 + i);
    }
    buf_puts(b, "],\"serviceAccountName\":\"web\"}}}},\"oldObject\":null,\"dryRun\":false}}");
}

/* A scanner's report as scanners print it: indented, long texts, many links; about 5 MB. */
static void make_report(struct buf *b)
{
    buf_puts(b, "{\n  \"SchemaVersion\": 2,\n  \"ArtifactName\": \"example/app:1.0\",\n  \"Results\": [\n    {\n"
                "      \"Target\": \"example/app:1.0 (debian 12.5)\",\n      \"Vulnerabilities\": [\n");
    for (int i = 0; b->len < 5 * 1000 * 1000; i++) {
        buf_printf(b, "%s        {\n          \"VulnerabilityID\": \"CVE-2024-%05d\",\n          \"PkgID\": \"lib%d@1.2.%d-3\",\n"
                      "          \"PkgName\": \"lib%d\",\n          \"InstalledVersion\": \"1.2.%d-3\",\n"
                      "          \"Status\": \"affected\",\n          \"SeveritySource\": \"debian\",\n"
                      "          \"PrimaryURL\": \"https://avd.example.com/nvd/cve-2024-%05d\",\n"
                      "          \"Title\": \"lib%d: heap buffer overflow in \\\"parse_header\\\"\",\n"
                      "          \"Description\": \"A flaw was found in lib%d. When a crafted file is opened, the parser reads "
                      "past the end of a buffer.\\n\\nAn attacker who can supply such a file may cause a crash or disclose "
                      "memory; the highest threat is to availability \xE2\x80\x93 see the references.\",\n"
                      "          \"Severity\": \"MEDIUM\",\n          \"CweIDs\": [\n            \"CWE-787\",\n            "
                      "\"CWE-122\"\n          ],\n          \"CVSS\": {\n            \"nvd\": {\n              \"V3Vector\": "
                      "\"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H\",\n              \"V3Score\": %d.%d\n            }\n"
                      "          },\n          \"References\": [\n            \"https://example.com/security/cve/CVE-2024-%05d\",\n"
                      "            \"https://lists.example.org/archives/list/announce/2024/%d.html\"\n          ],\n"
                      "          \"PublishedDate\": \"2024-02-03T10:15:09.12Z\"\n        }",
                   i > 0 ? ",\n" : "", i, i % 400, i % 7, i % 400, i % 7, i, i % 400, i % 400, i % 10, i % 10, i, i);
    }
    buf_puts(b, "\n      ]\n    }\n  ]\n}\n");
}

/* ---- the readers ---------------------------------------------------------------- */

struct text {
    const char *name;
    struct buf buf;
    struct arena arena;                /* reset between rounds, as between requests */
};

static size_t read_ours(struct text *t)
{
    struct json v;
    struct err err = { 0 };

    arena_reset(&t->arena);
    if (json_parse(&t->arena, t->buf.ptr, t->buf.len, NULL, &v, &err) != 0) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
    return v.n;
}

static size_t read_jansson(struct text *t)
{
    json_t *v = json_loadb(t->buf.ptr, t->buf.len, JSON_REJECT_DUPLICATES, NULL);
    size_t n = json_object_size(v);

    json_decref(v);
    return n;
}

/* The floor: find every quote, as memchr does. */
static size_t read_quotes(struct text *t)
{
    const char *s = t->buf.ptr, *end = s + t->buf.len;
    size_t n = 0;

    for (; (s = memchr(s, '"', (size_t)(end - s))) != NULL; s++)
        n++;
    return n;
}

static size_t write_ours(struct text *t)
{
    static struct buf out = { .max = 1 << 30 };
    static struct text *parsed;
    static struct json v;
    struct err err = { 0 };
    struct jsonw w;

    if (parsed != t) {
        arena_clear(&t->arena);
        if (json_parse(&t->arena, t->buf.ptr, t->buf.len, NULL, &v, &err) != 0)
            exit(1);
        parsed = t;
    }
    buf_clear(&out);
    jsonw_init(&w, &out);
    jsonw_value(&w, &v);
    return out.len;
}

/* Our own CPU time: others may be using the machine. */
static double cpu_seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void measure(struct text *t, const char *who, size_t (*run)(struct text *), double seconds)
{
    size_t rounds = 0, sink = run(t);
    double start = cpu_seconds(), took;

    do {
        for (int i = 0; i < 10; i++)
            sink += run(t);
        rounds += 10;
        took = cpu_seconds() - start;
    } while (took < seconds);
    printf("%-8s %-14s %9.1f MB/s %12.2f us each%s\n", t->name, who, (double)t->buf.len * (double)rounds / took / 1e6,
           took * 1e6 / (double)rounds, sink == 0 ? " (nothing?)" : "");
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    struct text texts[] = { { .name = "review" }, { .name = "report" } };

    for (int i = 0; i < 2; i++) {
        struct text *t = &texts[i];
        buf_init(&t->buf, 1 << 27);
        arena_init(&t->arena, 1 << 27);
        (i == 0 ? make_review : make_report)(&t->buf);
        measure(t, "json_parse", read_ours, seconds);
        measure(t, "jansson", read_jansson, seconds);
        measure(t, "memchr", read_quotes, seconds);
        arena_clear(&t->arena);
        read_ours(t);
        printf("%-8s %-14s %9zu bytes, arena %zu: %.2f per byte of text\n", t->name, "memory", t->buf.len, t->arena.used,
               (double)t->arena.used / (double)t->buf.len);
        measure(t, "jsonw_value", write_ours, seconds);
        arena_clear(&t->arena);
        buf_free(&t->buf);
    }
    return 0;
}
