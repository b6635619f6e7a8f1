/* k8s_manifest.h - what Kubernetes must be told so that it asks Keep: printed,
 * switched off, and read back.  Texts in, texts out; nothing is sent anywhere. */
#ifndef KEEP_CTL_K8S_MANIFEST_H
#define KEEP_CTL_K8S_MANIFEST_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/json.h"

#include <stdbool.h>

#define K8S_CONFIGURATION "keep-admission"
#define K8S_LABEL         "keep.example/admission"        /* of a namespace: "enabled" opts in */

struct k8s_manifest {
    bool enforce;                    /* else audit: nothing is refused, and nothing waits for Keep */
    const char *url;                 /* https://HOST[:PORT] */
    const char *ca;                  /* PEM, one certificate or more; NULL: publicly trusted */
    const char *cluster;             /* its name: lower-case letters, digits, '-' and '.' */
    const char *namespace;           /* of the Service; excluded from being judged ("keep") */
    bool service;                    /* reach it through a Service; the URL's host is then an IP address */
};

/* Appends everything to apply, YAML.  ERR_INVALID names what is wrong with the input. */
int k8s_manifest_write(const struct k8s_manifest *m, struct buf *out, struct err *err);

/* Appends the commands that switch it off: at once and for good, or only from
 * refusing to letting pass. */
void k8s_off_write(struct buf *out);

/* Reads `kubectl get validatingwebhookconfiguration -o json` (a list, or one of
 * them) and appends what is wrong with ours, a line each; returns how many, 0 is
 * good.  ca (may be NULL): what it should trust now (keepd ca). */
unsigned k8s_status_write(const struct json *doc, const char *ca, int64_t now_ms, struct buf *out);

#endif
