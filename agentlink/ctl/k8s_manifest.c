/* k8s_manifest.c - see k8s_manifest.h.
 *
 * Two webhooks: one that may refuse (what starts containers), one that only warns
 * (controllers) and therefore never stands in the way.  URLs of webhooks may hold
 * no query, so that the cluster's name is a part of the path. */
#include "ctl/k8s_manifest.h"

#include "base/base64.h"
#include "base/str.h"
#include "base/x509.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 256, CERTIFICATES_MAX = 16 };

/* ---- the address ------------------------------------------------------------------- */

struct address { char host[HOST_MAX]; long port; bool is_ip, is_v6; };

static int parse_url(const char *url, struct address *out, struct err *err)
{
    static const char wrong[] = "--url: expected https://HOST[:PORT]";
    const char *s = url;
    unsigned char raw[16];
    char *end;

    if (s == NULL || !str_starts(s, "https://"))
        return err_set(err, ERR_INVALID, "%s (Kubernetes speaks TLS only)", wrong);
    s += strlen("https://");
    bool bracket = *s == '[';
    s += bracket;
    size_t n = strcspn(s, bracket ? "]" : ":/?#@");
    if (n == 0 || n >= HOST_MAX)
        return err_set(err, ERR_INVALID, "%s", wrong);
    *out = (struct address){ .port = 443 };
    memcpy(out->host, s, n);
    s += n;
    if (bracket && *s++ != ']')
        return err_set(err, ERR_INVALID, "%s", wrong);
    if (*s == ':') {
        out->port = strtol(s + 1, &end, 10);
        if (end == s + 1 || out->port < 1 || out->port > 65535)
            return err_set(err, ERR_INVALID, "%s", wrong);
        s = end;
    }
    if (*s == '/')
        s++;
    if (*s != '\0')
        return err_set(err, ERR_INVALID, "%s: no path, query or user", wrong);
    out->is_v6 = inet_pton(AF_INET6, out->host, raw) == 1;
    out->is_ip = out->is_v6 || inet_pton(AF_INET, out->host, raw) == 1;
    if (out->is_v6 != bracket || !x509_is_name(out->host))
        return err_set(err, ERR_INVALID, "%s: %.100s is no host name or address", wrong, out->host);
    return 0;
}

/* A DNS-1123 subdomain: what a path segment of a webhook's service may be. */
static bool is_subdomain(const char *s)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++) {
        bool alnum = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');
        if (!alnum && ((s[i] != '-' && s[i] != '.') || i == 0 || i + 1 == n))
            return false;
    }
    return n >= 1 && n <= 253;
}

static int check(const struct k8s_manifest *m, struct address *at, struct err *err)
{
    if (parse_url(m->url, at, err) != 0)
        return -1;
    if (!is_subdomain(m->cluster))
        return err_set(err, ERR_INVALID, "--cluster: expected lower-case letters, digits, '-' and '.', found %.100s", m->cluster);
    if (!is_subdomain(m->namespace) || strchr(m->namespace, '.') != NULL || strlen(m->namespace) > 63)
        return err_set(err, ERR_INVALID, "--namespace: expected lower-case letters, digits and '-', found %.100s", m->namespace);
    if (m->service && !at->is_ip)
        return err_set(err, ERR_INVALID, "--service: the URL must hold an IP address; the Service is then what the certificate must be for: keep.%s.svc", m->namespace);
    return 0;
}

/* ---- printing ------------------------------------------------------------------------ */

static const char head[] =
    "# Keep asks to be asked: apply with  kubectl apply -f -\n"
    "#\n"
    "# Nothing is judged until a namespace opts in:\n"
    "#     kubectl label namespace NAME " K8S_LABEL "=enabled\n"
    "# Off again at once:\n"
    "#     kubectl delete validatingwebhookconfiguration " K8S_CONFIGURATION "\n"
    "#\n"
    "# The API server must show a token (keepctl token create NAME --role admission). It takes\n"
    "# one per host from the file named by --admission-control-config-file:\n"
    "#     apiVersion: apiserver.config.k8s.io/v1\n"
    "#     kind: AdmissionConfiguration\n"
    "#     plugins:\n"
    "#       - name: ValidatingAdmissionWebhook\n"
    "#         configuration:\n"
    "#           apiVersion: apiserver.config.k8s.io/v1\n"
    "#           kind: WebhookAdmissionConfiguration\n"
    "#           kubeConfigFile: /etc/kubernetes/keep.kubeconfig\n"
    "# and in that kubeconfig:\n"
    "#     apiVersion: v1\n"
    "#     kind: Config\n"
    "#     users:\n";

static void write_head(const struct k8s_manifest *m, const struct address *at, struct buf *b)
{
    const char *open = at->is_v6 ? "[" : "", *shut = at->is_v6 ? "]" : "";

    buf_puts(b, head);
    if (m->service)
        buf_printf(b, "#       - {name: keep.%s.svc, user: {token: TOKEN}}\n", m->namespace);
    else if (at->port != 443)
        buf_printf(b, "#       - {name: \"%s%s%s:%ld\", user: {token: TOKEN}}\n", open, at->host, shut, at->port);
    else
        buf_printf(b, "#       - {name: \"%s%s%s\", user: {token: TOKEN}}\n", open, at->host, shut);
    buf_printf(b, "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n  labels:\n    app.kubernetes.io/part-of: keep\n", m->namespace);
}

static void write_service(const struct k8s_manifest *m, const struct address *at, struct buf *b)
{
    if (!m->service)
        return;
    buf_printf(b, "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: keep\n  namespace: %s\nspec:\n  ports:\n    - name: https\n"
                  "      port: 443\n      targetPort: %ld\n", m->namespace, at->port);
    buf_printf(b, "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: keep-1\n  namespace: %s\n  labels:\n"
                  "    kubernetes.io/service-name: keep\naddressType: %s\nports:\n  - name: https\n    port: %ld\n    protocol: TCP\n"
                  "endpoints:\n  - addresses: [\"%s\"]\n    conditions:\n      ready: true\n",
               m->namespace, at->is_v6 ? "IPv6" : "IPv4", at->port, at->host);
}

struct resource_rule { const char *group, *version, *resources; };

struct webhook {
    const char *name;
    bool refuses;                    /* may stand in the way in mode enforce */
    const struct resource_rule *rules; size_t n_rules;
};

static const struct resource_rule pod_rules[] = {
    { "\"\"", "v1", "pods, pods/ephemeralcontainers, pods/resize" },
};
static const struct resource_rule controller_rules[] = {
    { "\"\"", "v1", "podtemplates, replicationcontrollers" },
    { "apps", "v1", "daemonsets, deployments, replicasets, statefulsets" },
    { "batch", "v1", "cronjobs, jobs" },
};
static const struct webhook webhooks[] = {
    { "pods.admission.keep.example", true, pod_rules, N_ITEMS(pod_rules) },
    { "controllers.admission.keep.example", false, controller_rules, N_ITEMS(controller_rules) },
};

static void write_client(const struct k8s_manifest *m, const struct address *at, const char *ca, struct buf *b)
{
    const char *open = at->is_v6 ? "[" : "", *shut = at->is_v6 ? "]" : "";
    const char *mode = m->enforce ? "validate" : "audit";
    char port[16] = "";                  /* written as in the kubeconfig: the token is found by this text */

    if (at->port != 443)
        snprintf(port, sizeof port, ":%ld", at->port);
    buf_puts(b, "    clientConfig:\n");
    if (m->service)
        buf_printf(b, "      service:\n        name: keep\n        namespace: %s\n        port: 443\n        path: /v1/admission/%s/%s\n",
                   m->namespace, mode, m->cluster);
    else
        buf_printf(b, "      url: https://%s%s%s%s/v1/admission/%s/%s\n", open, at->host, shut, port, mode, m->cluster);
    if (ca != NULL)
        buf_printf(b, "      caBundle: %s\n", ca);
}

/* Updates of labels, finalizers and status never leave the API server. */
static const char conditions[] =
    "    matchConditions:\n"
    "      - name: spec-changes\n"
    "        expression: >-\n"
    "          request.operation != 'UPDATE' || oldObject == null || !has(object.spec) || !has(oldObject.spec) ||\n"
    "          object.spec != oldObject.spec\n";

static void write_webhook(const struct k8s_manifest *m, const struct address *at, const char *ca, const struct webhook *w, struct buf *b)
{
    buf_printf(b, "  - name: %s\n", w->name);
    write_client(m, at, ca, b);
    buf_puts(b, "    rules:\n");
    for (size_t i = 0; i < w->n_rules; i++)
        buf_printf(b, "      - apiGroups: [%s]\n        apiVersions: [%s]\n        operations: [CREATE, UPDATE]\n        resources: [%s]\n"
                      "        scope: Namespaced\n", w->rules[i].group, w->rules[i].version, w->rules[i].resources);
    buf_printf(b, "    namespaceSelector:\n      matchExpressions:\n        - {key: " K8S_LABEL ", operator: In, values: [enabled]}\n"
                  "        - key: kubernetes.io/metadata.name\n          operator: NotIn\n"
                  "          values: [%s%skube-system, kube-public, kube-node-lease]\n",
               str_starts(m->namespace, "kube-") ? "" : m->namespace, str_starts(m->namespace, "kube-") ? "" : ", ");
    buf_puts(b, conditions);
    buf_printf(b, "    failurePolicy: %s\n    matchPolicy: Equivalent\n    sideEffects: NoneOnDryRun\n    timeoutSeconds: 3\n"
                  "    admissionReviewVersions: [v1, v1beta1]\n", m->enforce && w->refuses ? "Fail" : "Ignore");
}

/* Base64 of the certificates; *out is the caller's (free), NULL without any. */
static int encode_ca(const char *pem, char **out, struct err *err)
{
    struct x509_facts ignored;

    *out = NULL;
    if (pem == NULL)
        return 0;
    if (x509_read(pem, &ignored, err) != 0)
        return err_prefix(err, "--ca");
    if (strstr(pem, "PRIVATE KEY") != NULL)
        return err_set(err, ERR_INVALID, "--ca: it holds a private key; give what keepd ca prints");
    *out = malloc(base64_encoded_len(strlen(pem)) + 1);
    if (*out == NULL)
        return err_nomem(err);
    base64_encode(pem, strlen(pem), BASE64_STD, *out);
    return 0;
}

int k8s_manifest_write(const struct k8s_manifest *m, struct buf *out, struct err *err)
{
    struct address at;
    char *ca;

    if (check(m, &at, err) != 0 || encode_ca(m->ca, &ca, err) != 0)
        return -1;
    write_head(m, &at, out);
    write_service(m, &at, out);
    buf_printf(out, "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata:\n  name: "
                    K8S_CONFIGURATION "\n  annotations:\n    keep.example/mode: %s\nwebhooks:\n", m->enforce ? "enforce" : "audit");
    for (size_t i = 0; i < N_ITEMS(webhooks); i++)
        write_webhook(m, &at, ca, &webhooks[i], out);
    free(ca);
    return out->failed ? err_nomem(err) : 0;
}

void k8s_off_write(struct buf *out)
{
    buf_puts(out,
        "# at once and for good:\n"
        "kubectl delete validatingwebhookconfiguration " K8S_CONFIGURATION "\n"
        "# or keep asking, but let everything pass when Keep does not answer:\n"
        "kubectl patch validatingwebhookconfiguration " K8S_CONFIGURATION " --type=json -p '[");
    for (size_t i = 0; i < N_ITEMS(webhooks); i++)
        buf_printf(out, "%s{\"op\":\"replace\",\"path\":\"/webhooks/%zu/failurePolicy\",\"value\":\"Ignore\"}", i > 0 ? "," : "", i);
    buf_puts(out, "]'\n# or let one namespace out:\nkubectl label namespace NAME " K8S_LABEL "-\n");
}
