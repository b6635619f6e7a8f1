/* app.h - what a running server has; handed to the service layer and no further.
 *
 * Everything here is set before the first request and then constant, or has its
 * own lock or atomic swap.  Handlers get at it through call->app. */
#ifndef KEEP_SERVICE_APP_H
#define KEEP_SERVICE_APP_H

#include "base/err.h"
#include "db/writer.h"
#include "model/node_settings.h"

#include <stdbool.h>
#include <stdint.h>

struct policies;          /* compiled snapshot, service/policies.h */
struct admissions;        /* counters and the batch of answers, service/admissions.h */
struct opa_bundles;       /* made bundles and their key, service/opa.h */
struct nodes;             /* who is enrolled, in memory, service/nodes.h */
struct bundles;           /* signed bundles by scope, service/bundles.h */
struct ingest;            /* counters of events, service/events.h */
struct drift_state;       /* profiles in force, compiled, service/drift_state.h */
struct touched;           /* last use of tokens and sessions, service/auth.h */

/* Settings that handlers read (the configuration table fills them). */
struct settings {
    int64_t scan_max_age_ms;         /* default 7 days */
    int64_t database_max_age_ms;     /* default 3 days */
    int64_t clock_skew_ms;           /* how far in the future a scan may lie: 5 minutes */
    int64_t session_idle_ms;         /* 12 h */
    int64_t session_max_ms;          /* 7 days */
    int64_t token_max_ms;            /* longest life of a token: 400 days */
    int64_t exception_max_ms;        /* longest life of an exception: 365 days */
    int64_t scan_body_max;           /* bytes of an upload after content decoding: 64 MiB */
    int64_t retain_scans;            /* superseded scans kept per image and scanner: 10 */
    const char *admission_excluded;  /* namespaces that are not judged: "kube-system,kube-*" */
    bool admission_break_glass;      /* the annotation counts: off */
    bool admission_refuse_controllers;   /* refuse Deployments and the like, not only their pods: off */
    int64_t retain_admissions;       /* newest admission reviews kept: 100,000 */
    int64_t retain_admissions_ms;    /* none is kept longer: 90 days */
    int64_t retain_decisions;        /* newest decisions of OPA agents kept: 100,000 */
    int64_t retain_decisions_ms;     /* none is kept longer, nor a silent agent: 30 days */
    int64_t retain_events;           /* newest events kept: 20,000,000 */
    int64_t retain_events_ms;        /* none is kept longer: 30 days */
    int64_t node_silent_ms;          /* a node not heard of for so long is silent: 10 minutes */
    int64_t node_session_ms;         /* life of a node's session token: 1 hour */
    int64_t node_poll_ms;            /* how often a node is to ask: 30 s */
    int64_t join_token_max_ms;       /* longest life of a join token: 30 days */
    int64_t profile_containers;      /* different ones that make what is seen certain: 3 */
    int64_t profile_watched_ms;      /* how long an image is watched before its profile goes on: 24 h */
    int64_t profile_quiet_ms;        /* how long nothing new may come before: 24 h */
    int64_t bundle_life_ms;          /* of a signed bundle; signed again at half of it: 7 days */
    int64_t root_life_ms;            /* of a root this server makes by itself: 365 days */
    struct node_settings agents;     /* what bundles tell agents (poll_interval_s: node_poll_ms) */
    bool secure_cookies;             /* TLS is on, or a proxy in front does it */
};

struct app {
    struct settings settings;
    const char *data_dir;
    const char *db_url;
    const char *public_url;              /* NULL: not set */
    const char *tls_cert;                /* file with the certificate chain that is served; NULL: plain HTTP */
    const char *tls_ca;                  /* file with the CAs of our own; NULL: the certificate is somebody else's */
    struct writer *writer;
    struct touched *touched;
    struct policies *policies;
    struct admissions *admissions;
    struct opa_bundles *opa;
    struct nodes *nodes;
    struct bundles *bundles;
    struct drift_state *drift;
    struct ingest *ingest;
    int64_t started_ms;
};

#endif
