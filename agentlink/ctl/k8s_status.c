/* k8s_status.c - what is wrong with a webhook configuration as the cluster has it. */
#include "ctl/k8s_manifest.h"

#include "base/base64.h"
#include "base/str.h"
#include "base/time.h"
#include "base/x509.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOON_DAYS = 14, PEM_BYTES = 256 << 10 };

struct report { struct buf *out; unsigned n; const char *name; };

__attribute__((format(printf, 2, 3)))
static void wrong(struct report *r, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    buf_printf(r->out, "%s: %s\n", r->name, text);
    r->n++;
}

/* ---- one webhook ---------------------------------------------------------------------- */

static bool has_text(const struct json *list, const char *text)
{
    for (uint32_t i = 0; i < json_len(list); i++) {
        if (str_eq(json_str(json_at(list, i), NULL), text))
            return true;
    }
    return false;
}

static bool asks_for(const struct json *rules, const char *resource, const char *operation)
{
    for (uint32_t i = 0; i < json_len(rules); i++) {
        const struct json *rule = json_at(rules, i), *resources = json_get(rule, "resources"), *operations = json_get(rule, "operations");
        bool named = has_text(resources, resource) || has_text(resources, "*/*") ||
                     (strchr(resource, '/') == NULL ? has_text(resources, "*") : has_text(resources, "pods/*"));
        if (named && (has_text(operations, operation) || has_text(operations, "*")))
            return true;
    }
    return false;
}

static void check_rules(struct report *r, const struct json *w)
{
    static const struct { const char *resource, *operation, *then; } rows[] = {
        { "pods", "CREATE", "pods are not judged" },
        { "pods", "UPDATE", "an image can be changed afterwards" },
        { "pods/ephemeralcontainers", "UPDATE", "kubectl debug brings in any image" },
    };

    if (!asks_for(json_get(w, "rules"), "pods", "CREATE") && strstr(r->name, "controllers") != NULL)
        return;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        if (!asks_for(json_get(w, "rules"), rows[i].resource, rows[i].operation))
            wrong(r, "rules: %s of %s is missing: %s", rows[i].operation, rows[i].resource, rows[i].then);
    }
}

static void check_selector(struct report *r, const struct json *w)
{
    const struct json *s = json_get(w, "namespaceSelector"), *terms = json_get(s, "matchExpressions");
    bool opts_in = json_get(json_get(s, "matchLabels"), K8S_LABEL) != NULL, excludes = opts_in;

    for (uint32_t i = 0; i < json_len(terms); i++) {
        const struct json *t = json_at(terms, i);
        opts_in |= str_eq(json_get_str(t, "key", NULL), K8S_LABEL);
        excludes |= str_eq(json_get_str(t, "operator", NULL), "NotIn") && has_text(json_get(t, "values"), "kube-system");
    }
    if (!opts_in && !excludes)
        wrong(r, "namespaceSelector: every namespace is judged, kube-system too: when Keep is away the cluster cannot start its own pods");
}

static void check_rest(struct report *r, const struct json *w, bool enforce)
{
    const char *policy = json_get_str(w, "failurePolicy", "Fail"), *effects = json_get_str(w, "sideEffects", "?");
    int64_t timeout = json_int(json_get(w, "timeoutSeconds"), 10);

    if (!enforce && str_eq(policy, "Fail"))
        wrong(r, "failurePolicy: Fail in mode audit: when Keep is away nothing starts");
    if (enforce && str_eq(policy, "Ignore") && asks_for(json_get(w, "rules"), "pods", "CREATE"))
        wrong(r, "failurePolicy: Ignore in mode enforce: when Keep is away everything passes, unseen");
    if (!str_eq(effects, "None") && !str_eq(effects, "NoneOnDryRun"))
        wrong(r, "sideEffects: %s: kubectl --dry-run=server fails", effects);
    if (timeout > 5)
        wrong(r, "timeoutSeconds: %lld: a slow answer holds up the API server that long; 3 is enough", (long long)timeout);
    if (!has_text(json_get(w, "admissionReviewVersions"), "v1"))
        wrong(r, "admissionReviewVersions: v1 is missing");
    const char *url = json_str(json_path(w, "clientConfig.url"), NULL);
    if (url != NULL && !str_starts(url, "https://"))
        wrong(r, "clientConfig.url: not https");
    if (url == NULL && json_path(w, "clientConfig.service") == NULL)
        wrong(r, "clientConfig: neither url nor service");
}

/* ---- certificates ------------------------------------------------------------------------ */

static const char *next_certificate(const char *s)
{
    return strstr(s, "-----BEGIN CERTIFICATE-----");
}

/* The block's text of one certificate, without its line ends. */
static bool holds(const char *bundle, const char *certificate)
{
    const char *end = strstr(certificate, "-----END CERTIFICATE-----");
    size_t len = end != NULL ? (size_t)(end - certificate) : 0;

    for (const char *s = bundle; len > 0 && (s = next_certificate(s)) != NULL; s++) {
        if (strncmp(s, certificate, len) == 0)
            return true;
    }
    return false;
}

static void check_lives(struct report *r, const char *bundle, int64_t now_ms)
{
    int64_t best = INT64_MIN;
    struct x509_facts f;
    struct err ignored = { 0 };

    for (const char *s = bundle; (s = next_certificate(s)) != NULL; s++) {
        if (x509_read(s, &f, &ignored) == 0 && f.from_ms <= now_ms && f.until_ms > best)
            best = f.until_ms;
    }
    if (best == INT64_MIN)
        wrong(r, "caBundle: no certificate in it that can be read and has begun");
    else if (best <= now_ms)
        wrong(r, "caBundle: every certificate in it has ended");
    else if (best - now_ms < SOON_DAYS * MS_DAY)
        wrong(r, "caBundle: ends in %lld days", (long long)((best - now_ms) / MS_DAY));
}

static void check_ca(struct report *r, const struct json *w, const char *ca, int64_t now_ms)
{
    const char *text = json_str(json_path(w, "clientConfig.caBundle"), "");
    size_t len = strlen(text), n = 0;

    if (len == 0) {
        if (ca != NULL || json_path(w, "clientConfig.service") != NULL)
            wrong(r, "caBundle: missing: the API server trusts only what its system trusts");
        return;
    }
    char *bundle = len <= PEM_BYTES ? malloc(base64_decoded_max(len) + 1) : NULL;
    if (bundle == NULL || base64_decode(text, len, BASE64_STD, bundle, &n) != 0) {
        wrong(r, "caBundle: no base64, or far too long");
        free(bundle);
        return;
    }
    bundle[n] = '\0';
    check_lives(r, bundle, now_ms);
    unsigned missing = 0;
    for (const char *s = ca; s != NULL && (s = next_certificate(s)) != NULL; s++)
        missing += !holds(bundle, s);
    if (missing > 0)
        wrong(r, "caBundle: %u of the certificates to trust now are missing: apply keepctl k8s manifest again", missing);
    free(bundle);
}

/* ---- all of them ---------------------------------------------------------------------------- */

static void check_one(const struct json *config, const char *ca, int64_t now_ms, struct report *r)
{
    const struct json *annotations = json_path(config, "metadata.annotations"), *hooks = json_get(config, "webhooks");
    bool enforce = str_eq(json_get_str(annotations, "keep.example/mode", "enforce"), "enforce"), pods = false;

    for (uint32_t i = 0; i < json_len(hooks); i++) {
        const struct json *w = json_at(hooks, i);
        r->name = json_get_str(w, "name", "a webhook");
        pods |= asks_for(json_get(w, "rules"), "pods", "CREATE");
        check_rules(r, w);
        check_selector(r, w);
        check_rest(r, w, enforce);
        check_ca(r, w, ca, now_ms);
    }
    r->name = K8S_CONFIGURATION;
    if (!pods)
        wrong(r, "no webhook asks about pods: nothing is refused");
}

unsigned k8s_status_write(const struct json *doc, const char *ca, int64_t now_ms, struct buf *out)
{
    const struct json *items = json_get(doc, "items");
    struct report r = { .out = out, .name = K8S_CONFIGURATION };
    uint32_t n = items != NULL ? json_len(items) : 1;

    for (uint32_t i = 0; i < n; i++) {
        const struct json *config = items != NULL ? json_at(items, i) : doc;
        if (!str_eq(json_str(json_path(config, "metadata.name"), NULL), K8S_CONFIGURATION) ||
            !str_eq(json_get_str(config, "kind", "ValidatingWebhookConfiguration"), "ValidatingWebhookConfiguration"))
            continue;
        check_one(config, ca, now_ms, &r);
        return r.n;
    }
    wrong(&r, "is not there: nothing is judged; see: keepctl k8s manifest --mode audit --url https://KEEP");
    return r.n;
}
